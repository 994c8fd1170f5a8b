import itertools
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tendays import transducer
from tendays.transducer import additive_transducer_loss, joint_transducer_loss, transducer_loss

DOUBLE = {"rtol": 1e-12, "atol": 1e-12}


class Form(NamedTuple):
    """One form of the loss: its function, the axes of its scores (W is U + 1), and the logits that they stand for."""

    loss: Callable[..., Tensor]
    axes: str
    logits: Callable[..., Tensor]

    def draw(self, inputs, labels, symbols=4, rows=1, dtype=torch.float64, scale=1.0) -> list[Tensor]:
        sizes = {"B": rows, "T": inputs, "W": labels + 1, "V": symbols, "H": 3}
        shapes = [[sizes[axis] for axis in axes] for axes in self.axes.split()]
        spread = [scale if "V" in axes else 1.0 for axes in self.axes.split()]
        return [torch.randn(shape, dtype=dtype) * std for shape, std in zip(shapes, spread, strict=True)]


class Sequences(NamedTuple):
    targets: Tensor
    logit_lengths: Tensor
    target_lengths: Tensor


FORMS = {
    "logits": Form(transducer_loss, "BTWV", lambda logits: logits),
    "additive": Form(additive_transducer_loss, "BTV BWV", lambda f, g: f[:, :, None] + g[:, None]),
    "joint": Form(
        joint_transducer_loss, "BTH BWH VH V", lambda f, g, w, b: F.linear((f[:, :, None] + g[:, None]).tanh(), w, b)
    ),
}
forms = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
forms_from_scores = pytest.mark.parametrize("form", [FORMS["logits"], FORMS["additive"]], ids=["logits", "additive"])


def sequences(inputs: list[int], labels: list[list[int]]) -> Sequences:
    """Labels of several lengths as the losses take them; what stands behind a target's end is no symbol at all."""
    width = max(map(len, labels))
    targets = torch.tensor([row + [-7] * (width - len(row)) for row in labels], dtype=torch.int64)
    return Sequences(targets, torch.tensor(inputs), torch.tensor([len(row) for row in labels]))


def full(inputs: int, labels: int, symbols: int = 4, rows: int = 1) -> Sequences:
    """Random targets without padding."""
    targets = torch.randint(1, symbols, (rows, labels))
    return Sequences(targets, torch.full((rows,), inputs), torch.full((rows,), labels))


def leaves(scores: list[Tensor]) -> list[Tensor]:
    return [tensor.detach().requires_grad_() for tensor in scores]


def differentiate(losses_of: Callable[..., Tensor], scores: list[Tensor], upstream) -> tuple[Tensor, list[Tensor]]:
    """The losses, and the gradients in all scores of the losses times `upstream`."""
    scores = leaves(scores)
    losses = losses_of(*scores)
    return losses.detach(), list(torch.autograd.grad(losses, scores, torch.ones_like(losses) * upstream))


def solve(form: Form, scores: list[Tensor], batch: Sequences, upstream=1.0, blank=0) -> tuple[Tensor, list[Tensor]]:
    return differentiate(lambda *x: form.loss(*x, *batch, blank=blank, reduction="none"), scores, upstream)


def assert_all_close(mine, theirs, rtol: float, atol: float):
    """Losses and gradients that agree."""
    torch.testing.assert_close(mine[0], theirs[0], rtol=rtol, atol=atol)
    torch.testing.assert_close(mine[1], theirs[1], rtol=rtol, atol=atol)


def relative_error(mine: Tensor, exact: Tensor) -> float:
    return ((mine.double() - exact).abs().max() / exact.abs().max()).item()


# ---- the definition --------------------------------------------------------------------------------------------------


def alignments(inputs: int, labels: list[int], blank: int) -> Iterator[list[tuple[int, int, int]]]:
    """Every way to write the labels: the nodes (t, u) that it leaves, with the symbol by which it does."""
    steps = inputs + len(labels)
    for places in itertools.combinations(range(steps - 1), len(labels)):
        t, u, path = 0, 0, []
        for step in range(steps):
            path.append((t, u, labels[u] if step in places else blank))
            t, u = (t, u + 1) if step in places else (t + 1, u)
        yield path


def enumerated(form: Form, inputs: list[int], labels: list[list[int]], blank: int, *scores: Tensor) -> Tensor:
    """The losses by definition: the probabilities of all alignments, added."""
    log_probabilities = form.logits(*scores).log_softmax(3)
    losses = []
    for row, length, target in zip(log_probabilities, inputs, labels, strict=True):
        paths = [row[tuple(zip(*path, strict=True))].sum() for path in alignments(length, target, blank)]
        losses.append(-torch.stack(paths).logsumexp(0))
    return torch.stack(losses)


def test_alignments_are_all_there():
    assert list(alignments(2, [5], 0)) == [[(0, 0, 5), (0, 1, 0), (1, 1, 0)], [(0, 0, 0), (1, 0, 5), (1, 1, 0)]]
    assert len(list(alignments(4, [1, 2, 1], 0))) == math.comb(6, 3)


@forms
@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("symbols", "blank"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)])
def test_the_loss_sums_every_alignment_of_every_target_and_so_does_its_gradient(form, symbols, blank, scale):
    torch.manual_seed(symbols)
    others = [symbol for symbol in range(symbols) if symbol != blank]
    shapes = list(itertools.product(range(1, 5), range(4)))
    # All shapes in one padded batch, then each by itself without padding.
    for batch in [shapes, *([shape] for shape in shapes)]:
        rows = [(length, list(labels)) for length, count in batch for labels in itertools.product(others, repeat=count)]
        inputs, labels = map(list, zip(*rows, strict=True))
        scores = form.draw(max(inputs), max(map(len, labels)), symbols, len(rows), scale=scale)
        upstream = torch.randn(len(rows), dtype=torch.float64)
        definition = partial(enumerated, form, inputs, labels, blank)
        fast = solve(form, scores, sequences(inputs, labels), upstream, blank)
        assert_all_close(fast, differentiate(definition, scores, upstream), rtol=1e-10, atol=1e-10)


@forms
@pytest.mark.parametrize(("inputs", "labels"), [(1, 0), (1, 30), (30, 0), (400, 100), (20, 60)])
def test_when_all_symbols_are_alike_the_loss_counts_the_alignments(form, inputs, labels):
    scores = [torch.zeros_like(tensor) for tensor in form.draw(inputs, labels)]
    loss = form.loss(*scores, *full(inputs, labels))
    expected = (inputs + labels) * math.log(4) - math.log(math.comb(inputs + labels - 1, labels))
    assert loss.item() == pytest.approx(expected, rel=1e-13)


# Scores, targets, losses and gradients that public tests of this loss share: HawkAaron/warp-transducer, commit
# 6f73a2513dc784c59eec153a45f40bc528355b18; torchaudio, test/torchaudio_unittest/rnnt/utils.py; NVIDIA NeMo,
# tests/collections/asr/numba/rnnt_loss/test_rnnt_pytorch.py.
FIRST_SCORES = [
    [[0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1], [0.1, 0.1, 0.2, 0.8, 0.1]],
    [[0.1, 0.6, 0.1, 0.1, 0.1], [0.1, 0.1, 0.2, 0.1, 0.1], [0.7, 0.1, 0.2, 0.1, 0.1]],
]
FIRST_BLANK_0 = [
    [
        [-0.13116688, -0.3999269, 0.17703125, 0.17703125, 0.17703125],
        [-0.18572757, 0.12247056, -0.18168412, 0.12247056, 0.12247056],
        [-0.32091254, 0.06269141, 0.06928472, 0.12624499, 0.06269141],
    ],
    [
        [0.05456069, -0.21824276, 0.05456069, 0.05456069, 0.05456069],
        [0.12073959, 0.12073959, -0.48295835, 0.12073959, 0.12073959],
        [-0.6925882, 0.16871116, 0.18645467, 0.16871116, 0.16871116],
    ],
]
FIRST_BLANK_LAST = [
    [
        [0.17703132, -0.39992708, 0.17703132, 0.17703132, -0.13116692],
        [0.12247062, 0.12247062, -0.181684, 0.12247062, -0.1857276],
        [0.06269141, 0.06269141, 0.06928471, 0.12624498, -0.32091248],
    ],
    [
        [0.05456069, -0.2182428, 0.05456069, 0.05456069, 0.05456069],
        [0.12073967, 0.12073967, -0.48295838, 0.12073967, 0.12073967],
        [0.30741188, 0.16871123, 0.18645471, 0.16871123, -0.83128875],
    ],
]
SECOND_SCORES = [
    [[0.065357, 0.787530, 0.081592], [0.529716, 0.750675, 0.754135], [0.609764, 0.868140, 0.622532]],
    [[0.668522, 0.858039, 0.164539], [0.989780, 0.944298, 0.603168], [0.946783, 0.666203, 0.286882]],
    [[0.094184, 0.366674, 0.736168], [0.166680, 0.714154, 0.399400], [0.535982, 0.291821, 0.612642]],
    [[0.324241, 0.800764, 0.524106], [0.779195, 0.183314, 0.113745], [0.240222, 0.339470, 0.134160]],
]
SECOND_SLOPE = [
    [[-0.186844, -0.062555, 0.249399], [-0.203377, 0.202399, 0.000977], [-0.141016, 0.079123, 0.061893]],
    [[-0.011552, -0.081280, 0.092832], [-0.154257, 0.229433, -0.075176], [-0.246593, 0.146405, 0.100188]],
    [[-0.012918, -0.061593, 0.074512], [-0.055986, 0.219831, -0.163845], [-0.497627, 0.209240, 0.288387]],
    [[0.013605, -0.030220, 0.016615], [0.113925, 0.062781, -0.176706], [-0.667078, 0.367659, 0.299419]],
]
THIRD_SCORES = [
    [[0.505562, 0.051597, 0.640290], [0.430733, 0.829473, 0.177467], [0.320700, 0.042883, 0.302803]],
    [[0.675178, 0.569537, 0.558474], [0.083132, 0.060165, 0.107958], [0.748615, 0.943918, 0.486356]],
    [[0.418199, 0.652408, 0.024243], [0.134582, 0.366342, 0.295830], [0.923670, 0.689929, 0.741898]],
    [[0.250005, 0.603430, 0.987289], [0.592606, 0.884672, 0.543450], [0.660770, 0.377128, 0.358021]],
]
THIRD_SLOPE = [
    [[-0.356344, -0.055347, 0.411691], [-0.096922, 0.029459, 0.067463], [-0.063518, 0.027654, 0.035863]],
    [[-0.154499, -0.073942, 0.228441], [-0.166790, -0.000088, 0.166878], [-0.172370, 0.105565, 0.066804]],
    [[0.023875, -0.118256, 0.094381], [-0.104707, -0.108934, 0.213642], [-0.369844, 0.180118, 0.189726]],
    [[0.025714, -0.079462, 0.053748], [0.122328, -0.238789, 0.116460], [-0.598687, 0.302203, 0.296484]],
]


@pytest.mark.parametrize(
    ("scores", "labels", "blank", "losses", "slopes"),
    [
        ([FIRST_SCORES], [[1, 2]], 0, [4.495666], [FIRST_BLANK_0]),
        ([FIRST_SCORES], [[1, 2]], -1, [5.09566688538], [FIRST_BLANK_LAST]),
        ([SECOND_SCORES, THIRD_SCORES], [[1, 2], [1, 1]], 0, [4.28065285, 3.93843698], [SECOND_SLOPE, THIRD_SLOPE]),
    ],
)
def test_losses_and_gradients_that_others_have_published(scores, labels, blank, losses, slopes):
    scores = torch.tensor(scores, dtype=torch.float64)
    found = solve(FORMS["logits"], [scores], sequences([scores.shape[1]] * len(labels), labels), blank=blank)
    expected = [torch.tensor(numbers, dtype=torch.float64) for numbers in (losses, slopes)]
    # As many digits as were published.
    assert_all_close(found, (expected[0], expected[1:]), rtol=0, atol=1e-6)


# ---- the gradient ----------------------------------------------------------------------------------------------------


@forms
def test_the_gradient_is_the_slope_whatever_weights_the_losses_get(form):
    torch.manual_seed(0)
    batch = sequences([4, 3, 1, 2], [[1, 2], [], [2, 1, 1], [1, 2, 1, 2]])
    weights = torch.tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64)
    scores = leaves(form.draw(inputs=4, labels=4, symbols=3, rows=4))
    assert torch.autograd.gradcheck(lambda *x: weights * form.loss(*x, *batch, reduction="none"), scores)


@forms
def test_a_second_derivative_is_refused(form):
    scores = leaves(form.draw(inputs=3, labels=2))
    loss = form.loss(*scores, *full(inputs=3, labels=2))
    gradient = torch.autograd.grad(loss.square(), scores, create_graph=True)[0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@forms
def test_each_gradient_is_the_same_when_it_alone_is_asked_for(form):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=4, labels=3, rows=2), full(inputs=4, labels=3, rows=2)
    together = solve(form, scores, batch)[1]
    for place, expected in enumerate(together):
        alone = [tensor.clone().requires_grad_(place == other) for other, tensor in enumerate(scores)]
        form.loss(*alone, *batch, reduction="sum").backward()
        assert torch.equal(alone[place].grad, expected)
        assert all(tensor.grad is None for other, tensor in enumerate(alone) if other != place)


@forms
def test_a_kept_graph_gives_the_same_gradient_again_and_a_freed_one_none(form):
    torch.manual_seed(0)
    scores = leaves(form.draw(inputs=4, labels=3, rows=2))
    loss = form.loss(*scores, *full(inputs=4, labels=3, rows=2))
    first = torch.autograd.grad(loss, scores, retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, scores)))
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(loss, scores)


@forms
def test_without_a_gradient_no_occupancies_are_computed(form, monkeypatch):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=4, labels=3, rows=2), full(inputs=4, labels=3, rows=2)
    expected = solve(form, scores, batch)[0]
    monkeypatch.delattr(transducer.lattice, "occupancies")
    assert torch.equal(form.loss(*scores, *batch, reduction="none"), expected)
    with torch.no_grad():
        assert torch.equal(form.loss(*leaves(scores), *batch, reduction="none"), expected)
    with pytest.raises(AttributeError, match="occupancies"):
        form.loss(*leaves(scores), *batch)


# ---- padding and pieces ----------------------------------------------------------------------------------------------


def stack(rows: list[Tensor], shape: list[int], padding: float) -> Tensor:
    """Tensors (1, …) of several shapes as rows of one, whose other elements are `padding`."""
    whole = torch.full(shape, padding, dtype=rows[0].dtype)
    for index, row in enumerate(rows):
        whole[(index, *map(slice, row.shape[1:]))] = row[0]
    return whole


@forms
@settings(deadline=None)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=4),
    more=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    garbage=st.sampled_from([math.nan, math.inf, -math.inf, 1e30]),
    behind=st.integers(-(2**31), 2**31 - 1),
    seed=st.integers(0, 2**32),
)
def test_padding_and_company_change_nothing(form, shapes, more, garbage, behind, seed):
    torch.manual_seed(seed)
    rows, lengths = len(shapes), [torch.tensor(numbers) for numbers in zip(*shapes, strict=True)]
    inputs, width = (int(numbers.max()) + extra for numbers, extra in zip(lengths, more, strict=True))
    alone = [form.draw(*shape) for shape in shapes]
    # What all sequences share, as the weights of a joint are, has no batch axis.
    shared = [not axes.startswith("B") for axes in form.axes.split()]
    alone = [[one if common else own for one, own, common in zip(alone[0], row, shared, strict=True)] for row in alone]
    batches, upstream = [full(*shape) for shape in shapes], torch.randn(rows, dtype=torch.float64)
    solved = list(map(solve, itertools.repeat(form), alone, batches, upstream.split(1)))

    whole = [tensor.shape for tensor in form.draw(inputs, width, rows=rows)]
    scores = [
        parts[0] if common else stack(parts, shape, garbage)
        for parts, shape, common in zip(zip(*alone, strict=True), whole, shared, strict=True)
    ]
    targets = stack([one.targets for one in batches], [rows, width], behind)
    losses, found = solve(form, scores, Sequences(targets, *lengths), upstream)

    torch.testing.assert_close(losses, torch.cat([loss for loss, _ in solved]), **DOUBLE)
    for gradient, *parts, common in zip(found, *(slopes for _, slopes in solved), shared, strict=True):
        expected = sum(parts) if common else stack(parts, gradient.shape, 0.0)
        torch.testing.assert_close(gradient, expected, **DOUBLE)
        if not common:
            outside = stack([torch.ones_like(part) for part in parts], gradient.shape, 0.0) == 0
            assert not gradient[outside].count_nonzero()


def through_logits(form: Form, scores: list[Tensor], batch: Sequences, upstream=1.0) -> tuple[Tensor, list[Tensor]]:
    return differentiate(lambda *x: transducer_loss(form.logits(*x), *batch, reduction="none"), scores, upstream)


@forms
@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("piece", [1, 7, 100, 1 << 40])
def test_every_form_is_that_of_the_logits_in_however_many_pieces(form, piece, scale):
    torch.manual_seed(1)
    batch, upstream = sequences([7, 5, 1], [[1, 2, 3, 4, 5], [], [5, 5, 2]]), torch.tensor([1.0, -2.0, 0.5]).double()
    scores = form.draw(7, 5, symbols=6, rows=3, scale=scale)
    expected = through_logits(form, scores, batch, upstream)
    with transducer.tile_elements(piece):
        assert_all_close(solve(form, scores, batch, upstream), expected, **DOUBLE)


def test_at_the_larger_of_these_scales_there_are_nodes_whose_sum_underflows():
    torch.manual_seed(1)
    f, g = (x - x.amax(2, keepdim=True) for x in FORMS["additive"].draw(7, 5, symbols=6, rows=3, scale=300.0))
    assert (f.exp() @ g.exp().transpose(1, 2)).min() == 0


@pytest.mark.parametrize("form", [FORMS["additive"], FORMS["joint"]], ids=["additive", "joint"])
def test_every_form_is_that_of_the_logits_in_float32_too(form):
    torch.manual_seed(0)
    shape = {"inputs": 30, "labels": 10, "symbols": 20, "rows": 3}
    scores, batch = form.draw(**shape, dtype=torch.float32), full(**shape)
    expected = through_logits(form, scores, batch)
    assert_all_close(solve(form, scores, batch), expected, rtol=1e-5, atol=1e-5)


# ---- precision -------------------------------------------------------------------------------------------------------


@forms_from_scores
def test_float32_scores_lose_no_digit_on_a_long_lattice(form):
    torch.manual_seed(0)
    shape = {"inputs": 400, "labels": 100, "symbols": 64, "rows": 2}
    scores, batch = form.draw(**shape, dtype=torch.float32), full(**shape)
    losses, slopes = solve(form, scores, batch)
    exact, exact_slopes = solve(form, [tensor.double() for tensor in scores], batch)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses.double(), exact, rtol=2e-7, atol=0)
    for slope, expected in zip(slopes, exact_slopes, strict=True):
        assert slope.dtype == torch.float32
        assert relative_error(slope, expected) <= 1e-6


@forms
@pytest.mark.parametrize("scale", [60.0, 300.0])
def test_huge_scores_are_no_danger_to_float32(form, scale):
    torch.manual_seed(0)
    shape = {"inputs": 60, "labels": 20, "symbols": 100, "rows": 2}
    scores, batch = form.draw(**shape, dtype=torch.float32, scale=scale), full(**shape)
    losses, slopes = solve(form, scores, batch)
    exact, exact_slopes = solve(form, [tensor.double() for tensor in scores], batch)
    torch.testing.assert_close(losses.double(), exact, rtol=1e-6, atol=0)
    # A tanh of float32 is off in its last digit, which weights of this size turn into that much more.
    most = 1e-5 if form is FORMS["joint"] else 1e-6
    for slope, expected in zip(slopes, exact_slopes, strict=True):
        assert relative_error(slope, expected) <= most


@forms_from_scores
def test_adding_a_large_number_to_all_float32_scores_changes_nothing(form):
    torch.manual_seed(0)
    shape = {"inputs": 100, "labels": 30, "symbols": 20, "rows": 2}
    # In steps of 1/256, so that the sum is exact in float32.
    scores, batch = [x.mul(256).round().div(256) for x in form.draw(**shape, dtype=torch.float32)], full(**shape)
    losses, slopes = solve(form, scores, batch)
    moved, moved_slopes = solve(form, [tensor + 4096 for tensor in scores], batch)
    torch.testing.assert_close(moved, losses, rtol=1e-6, atol=0)
    for slope, expected in zip(moved_slopes, slopes, strict=True):
        assert relative_error(slope, expected.double()) <= 1e-6


@forms
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_scores_of_16_bits_are_worked_on_in_float32(form, dtype):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=9, labels=4, rows=2, dtype=dtype), sequences([9, 6], [[1, 2, 3, 1], [2, 2]])
    losses, slopes = solve(form, scores, batch)
    expected, expected_slopes = solve(form, [tensor.float() for tensor in scores], batch)
    assert losses.dtype == torch.float32
    assert torch.equal(losses, expected)
    for slope, exact in zip(slopes, expected_slopes, strict=True):
        assert slope.dtype == dtype
        assert torch.equal(slope, exact.to(dtype))


@forms
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_wider_scores_keep_their_type(form, dtype):
    losses, slopes = solve(form, form.draw(inputs=3, labels=2, dtype=dtype), full(inputs=3, labels=2))
    assert {tensor.dtype for tensor in (losses, *slopes)} == {dtype}


@forms
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_autocast_narrows_only_the_joints_products_of_float32(form, dtype):
    torch.manual_seed(0)
    scores = leaves(form.draw(inputs=9, labels=4, rows=2, dtype=dtype))
    batch = sequences([9, 6], [[1, 2, 3, 1], [2, 2]])
    exact = form.loss(*scores, *batch)
    slopes = torch.autograd.grad(exact, scores)
    with torch.autocast("cpu", torch.bfloat16):
        loss = form.loss(*scores, *batch)
        inside = torch.autograd.grad(loss, scores, retain_graph=True)
    outside = torch.autograd.grad(loss, scores)
    assert all(map(torch.equal, inside, outside))
    assert loss.dtype == dtype
    if form is FORMS["joint"] and dtype == torch.float32:
        assert loss.item() == pytest.approx(exact.item(), rel=5e-2)
        assert loss.item() != exact.item()
        for narrow, slope in zip(inside, slopes, strict=True):
            assert narrow.dtype == torch.float32
            assert 0 < relative_error(narrow, slope) < 5e-2
    else:
        assert torch.equal(loss, exact)
        assert all(map(torch.equal, inside, slopes))


@forms
def test_a_float32_forward_pass_keeps_its_precision_when_autocast_surrounds_the_backward_pass(form):
    torch.manual_seed(0)
    scores = leaves(form.draw(inputs=9, labels=4, rows=2, dtype=torch.float32))
    loss = form.loss(*scores, *full(inputs=9, labels=4, rows=2))
    expected = torch.autograd.grad(loss, scores, retain_graph=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert all(map(torch.equal, torch.autograd.grad(loss, scores), expected))


# ---- what may be asked for -------------------------------------------------------------------------------------------


@forms
def test_the_reductions(form):
    torch.manual_seed(0)
    arguments = (*form.draw(inputs=4, labels=3, rows=3), *full(inputs=4, labels=3, rows=3))
    losses = form.loss(*arguments, reduction="none")
    assert losses.shape == (3,)
    assert torch.equal(form.loss(*arguments, reduction="sum"), losses.sum())
    assert torch.equal(form.loss(*arguments, reduction="mean"), losses.mean())
    assert torch.equal(form.loss(*arguments), losses.mean())


@forms
def test_a_negative_blank_counts_from_the_end(form):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=4, labels=3), sequences([4], [[0, 2, 1]])
    last, by_number = (solve(form, scores, batch, blank=blank) for blank in (-1, 3))
    assert_all_close(last, by_number, rtol=0, atol=0)


@forms
def test_integers_of_both_sizes_and_scattered_memory_are_taken(form):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=4, labels=3, rows=2), sequences([4, 2], [[1, 2, 3], [3]])
    expected = solve(form, scores, batch)
    small = Sequences(*(tensor.int() for tensor in batch))
    scattered = [torch.stack([tensor, tensor], -1)[..., 0] for tensor in scores]
    apart = small._replace(targets=small.targets.T.contiguous().T)
    assert not any(tensor.is_contiguous() for tensor in (*scattered, apart.targets))
    assert_all_close(solve(form, scores, small), expected, rtol=0, atol=0)
    assert_all_close(solve(form, scattered, apart), expected, **DOUBLE)


def test_scores_may_share_memory():
    torch.manual_seed(0)
    batch, per_input = full(inputs=4, labels=3, rows=2), torch.randn(2, 4, 1, 4, dtype=torch.float64)
    shared = per_input.expand(-1, -1, 4, -1)
    assert_all_close(*(solve(FORMS["logits"], [x], batch) for x in (shared, shared.contiguous())), rtol=0, atol=0)


@forms
def test_a_score_of_minus_infinity_is_a_probability_of_zero(form):
    torch.manual_seed(0)
    batch = sequences([4, 3], [[1, 2, 3], [3, 1]])
    never = 4
    scores = form.draw(inputs=4, labels=3, symbols=6, rows=2)
    # Symbol 4 is in no target; in scores that depend on u, symbol 1 is not the next behind a target's first label.
    holes = [torch.zeros_like(tensor, dtype=torch.bool) for tensor in scores]
    for hole, axes in zip(holes, form.axes.split(), strict=True):
        if axes.endswith("V"):
            hole[..., never] = True
        if axes.endswith("WV"):
            hole[0, ..., 1:, 1] = True
    assert any(hole.any() for hole in holes)
    infinite, tiny = (
        [tensor.masked_fill(hole, value) for tensor, hole in zip(scores, holes, strict=True)]
        for value in (-math.inf, -1e4)
    )
    found = solve(form, infinite, batch)
    assert_all_close(found, solve(form, tiny, batch), **DOUBLE)
    for slope, hole in zip(found[1], holes, strict=True):
        assert not slope[hole].count_nonzero()


# ---- what is refused -------------------------------------------------------------------------------------------------

GOOD = {
    "targets": torch.tensor([[1, 2, 3], [4, 1, 0]]),
    "logit_lengths": torch.tensor([4, 2]),
    "target_lengths": torch.tensor([3, 2]),
}
NAMES = {
    "logits": ["logits"],
    "additive": ["encoder", "predictor"],
    "joint": ["encoder", "predictor", "weight", "bias"],
}


def good(name: str) -> dict[str, Tensor]:
    torch.manual_seed(0)
    scores = FORMS[name].draw(inputs=4, labels=3, symbols=5, rows=2, dtype=torch.float32)
    return dict(zip(NAMES[name], scores, strict=True)) | GOOD


def spoilt(tensor: Tensor, place: tuple[int, ...], value: float) -> Tensor:
    tensor = tensor.clone()
    tensor[place] = value
    return tensor


@pytest.mark.parametrize("name", FORMS)
def test_what_the_bad_inputs_are_made_from_is_good(name):
    assert FORMS[name].loss(**good(name)).isfinite()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("targets", torch.tensor([[1, 2], [4, 1]]), ValueError),
        ("targets", torch.tensor([[1, 2, 3]]), ValueError),
        ("targets", torch.tensor([1, 2, 3, 4, 1]), ValueError),
        ("targets", torch.tensor([[1, 5, 3], [4, 1, 0]]), ValueError),
        ("targets", torch.tensor([[1, -1, 3], [4, 1, 0]]), ValueError),
        ("targets", torch.tensor([[1, 0, 3], [4, 1, 0]]), ValueError),
        ("targets", GOOD["targets"].float(), TypeError),
        ("targets", GOOD["targets"].to("meta"), ValueError),
        ("logit_lengths", torch.tensor([4, 0]), ValueError),
        ("logit_lengths", torch.tensor([5, 2]), ValueError),
        ("logit_lengths", torch.tensor([4, 2, 1]), ValueError),
        ("logit_lengths", torch.tensor([[4, 2]]), ValueError),
        ("logit_lengths", torch.tensor([4.0, 2.0]), TypeError),
        ("logit_lengths", GOOD["logit_lengths"].to("meta"), ValueError),
        ("target_lengths", torch.tensor([3, -1]), ValueError),
        ("target_lengths", torch.tensor([4, 2]), ValueError),
        ("target_lengths", torch.tensor(3), ValueError),
        ("target_lengths", torch.tensor([3.0, 2.0]), TypeError),
        ("target_lengths", GOOD["target_lengths"].to("meta"), ValueError),
        ("blank", 5, ValueError),
        ("blank", -6, ValueError),
        ("reduction", "average", ValueError),
    ],
)
def test_bad_targets_and_options_are_refused_by_name(name, argument, value, error):
    with pytest.raises(error, match=rf"^{argument} .*; expected "):
        FORMS[name].loss(**good(name) | {argument: value})


@pytest.mark.parametrize(
    ("name", "argument", "change", "error"),
    [
        ("logits", "logits", lambda x: x[0], ValueError),
        ("logits", "logits", lambda x: x.long(), TypeError),
        ("additive", "encoder", lambda x: x[0], ValueError),
        ("additive", "encoder", lambda x: x.long(), TypeError),
        ("additive", "predictor", lambda x: x[:, None], ValueError),
        ("additive", "predictor", lambda x: x[:1], ValueError),
        ("additive", "predictor", lambda x: x[..., :4], ValueError),
        ("additive", "predictor", lambda x: x.double(), TypeError),
        ("additive", "predictor", lambda x: x.to("meta"), TypeError),
        ("joint", "encoder", lambda x: x[0], ValueError),
        ("joint", "predictor", lambda x: x[0], ValueError),
        ("joint", "predictor", lambda x: x[..., :2], ValueError),
        ("joint", "predictor", lambda x: x.half(), TypeError),
        ("joint", "weight", lambda x: x[:, :2], ValueError),
        ("joint", "weight", lambda x: x[0], ValueError),
        ("joint", "weight", lambda x: x.double(), TypeError),
        ("joint", "weight", lambda x: x.to("meta"), TypeError),
        ("joint", "bias", lambda x: x[:4], ValueError),
        ("joint", "bias", lambda x: x[:, None], ValueError),
        ("joint", "bias", lambda x: x.bfloat16(), TypeError),
    ],
)
def test_scores_that_do_not_fit_are_refused_by_name(name, argument, change, error):
    arguments = good(name)
    with pytest.raises(error, match=rf"^{argument} .*; expected "):
        FORMS[name].loss(**arguments | {argument: change(arguments[argument])})


@forms
@pytest.mark.parametrize("shape", [(4, 3, 5, 0), (0, 3, 5, 2), (4, -1, 5, 2), (4, 3, 0, 2)])
def test_nothing_at_all_is_refused(form, shape):
    with pytest.raises(ValueError, match=r"B, T, U \+ 1, V = \(.*\b0\b.*\); expected none of them 0"):
        form.loss(*form.draw(*shape), **GOOD)


@pytest.mark.parametrize(
    ("name", "argument", "place", "value", "names"),
    [
        ("logits", "logits", (0, 1, 1, 4), math.nan, "logits"),
        ("logits", "logits", (0, 1, 1, 4), math.inf, "logits"),
        ("logits", "logits", (0, 1, 1, 0), -math.inf, "logits"),
        ("logits", "logits", (0, 1, 1, 2), -math.inf, "logits"),
        ("additive", "encoder", (0, 1, 4), math.nan, "encoder or predictor"),
        ("additive", "encoder", (0, 1, 4), math.inf, "encoder or predictor"),
        ("additive", "encoder", (0, 1, 0), -math.inf, "encoder or predictor"),
        ("additive", "predictor", (0, 1, 4), math.nan, "encoder or predictor"),
        ("additive", "predictor", (0, 1, 4), math.inf, "encoder or predictor"),
        ("additive", "predictor", (0, 1, 2), -math.inf, "encoder or predictor"),
        ("joint", "encoder", (0, 1, 2), math.nan, "encoder, predictor, weight or bias"),
        ("joint", "predictor", (0, 1, 2), math.nan, "encoder, predictor, weight or bias"),
        ("joint", "weight", (4, 2), math.nan, "encoder, predictor, weight or bias"),
        ("joint", "weight", (0, 2), math.inf, "encoder, predictor, weight or bias"),
        ("joint", "bias", (4,), math.inf, "encoder, predictor, weight or bias"),
        ("joint", "bias", (2,), -math.inf, "encoder, predictor, weight or bias"),
    ],
)
def test_scores_that_are_no_numbers_are_refused_by_name(name, argument, place, value, names):
    arguments = good(name)
    with pytest.raises(ValueError, match=rf"^{names} at sequence, input, label .*; expected finite"):
        FORMS[name].loss(**arguments | {argument: spoilt(arguments[argument], place, value)})


def test_the_message_says_where_the_first_score_that_is_no_number_stands():
    arguments = good("logits")
    arguments["logits"][1, 1, 2, 3] = math.nan
    with pytest.raises(ValueError, match=r"\[1, 1, 2\]"):
        transducer_loss(**arguments)


# ---- the GPU ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@forms
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_the_gpu_agrees_with_the_cpu(form, scale):
    torch.manual_seed(0)
    batch = sequences([50, 31, 1, 20], [[1, 2, 3, 4] * 5, [], [5, 4, 3], [2] * 40])
    scores = form.draw(inputs=50, labels=40, symbols=6, rows=4, scale=scale)
    upstream = torch.tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64)
    there = solve(form, [tensor.cuda() for tensor in scores], Sequences(*(x.cuda() for x in batch)), upstream.cuda())
    back = there[0].cpu(), [slope.cpu() for slope in there[1]]
    assert_all_close(back, solve(form, scores, batch, upstream), rtol=1e-10, atol=1e-10)
