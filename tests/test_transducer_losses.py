"""The losses, against their definition, published numbers and each other."""

import itertools
import json
import math
from collections.abc import Iterator
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transducer_forms import (
    FORMS,
    Form,
    Sequences,
    assert_all_close,
    differentiate,
    forms,
    full,
    leaves,
    sequences,
    solve,
)

from tendays.transducer import lattice, tile_elements, transducer_loss

DOUBLE = {"rtol": 1e-12, "atol": 1e-12}
forms_from_scores = pytest.mark.parametrize("form", [FORMS["logits"], FORMS["additive"]], ids=["logits", "additive"])
PUBLISHED = json.loads((ROOT / "tests" / "data" / "transducer_published.json").read_text("utf-8"))["cases"]


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


def test_alignments_lists_every_path():
    assert list(alignments(2, [5], 0)) == [[(0, 0, 5), (0, 1, 0), (1, 1, 0)], [(0, 0, 0), (1, 0, 5), (1, 1, 0)]]
    assert len(list(alignments(4, [1, 2, 1], 0))) == math.comb(6, 3)


@forms
@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("symbols", "blank"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)])
def test_loss_and_gradient_equal_the_sum_over_all_alignments(form, symbols, blank, scale):
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
def test_equal_scores_give_the_log_of_the_number_of_alignments(form, inputs, labels):
    scores = [torch.zeros_like(tensor) for tensor in form.draw(inputs, labels)]
    loss = form.loss(*scores, *full(inputs, labels))
    expected = (inputs + labels) * math.log(4) - math.log(math.comb(inputs + labels - 1, labels))
    assert loss.item() == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case["name"])
def test_the_loss_and_its_gradient_equal_published_numbers(case):
    logits, losses, gradients = (
        torch.tensor(case[key], dtype=torch.float64) for key in ("logits", "losses", "gradients")
    )
    batch = sequences([logits.shape[1]] * len(logits), case["labels"])
    actual = solve(FORMS["logits"], [logits], batch, blank=case["blank"])
    assert_all_close(actual, (losses, [gradients]), rtol=0, atol=1e-6)  # as many digits as were published


# ---- the gradient ----------------------------------------------------------------------------------------------------


@forms
def test_gradcheck_passes_for_unequal_and_negative_upstream_gradients(form):
    torch.manual_seed(0)
    batch = sequences([4, 3, 1, 2], [[1, 2], [], [2, 1, 1], [1, 2, 1, 2]])
    weights = torch.tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64)
    scores = leaves(form.draw(inputs=4, labels=4, symbols=3, rows=4))
    assert torch.autograd.gradcheck(lambda *x: weights * form.loss(*x, *batch, reduction="none"), scores)


@forms
def test_a_second_derivative_is_rejected(form):
    scores = leaves(form.draw(inputs=3, labels=2))
    loss = form.loss(*scores, *full(inputs=3, labels=2))
    gradient = torch.autograd.grad(loss.square(), scores, create_graph=True)[0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@forms
def test_a_gradient_asked_for_alone_is_the_same_and_the_others_are_none(form):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=4, labels=3, rows=2), full(inputs=4, labels=3, rows=2)
    together = solve(form, scores, batch)[1]
    for place, expected in enumerate(together):
        alone = [tensor.clone().requires_grad_(place == other) for other, tensor in enumerate(scores)]
        form.loss(*alone, *batch, reduction="sum").backward()
        assert torch.equal(alone[place].grad, expected)
        assert all(tensor.grad is None for other, tensor in enumerate(alone) if other != place)


@forms
def test_a_retained_graph_gives_the_same_gradient_again_and_a_freed_one_raises(form):
    torch.manual_seed(0)
    scores = leaves(form.draw(inputs=4, labels=3, rows=2))
    loss = form.loss(*scores, *full(inputs=4, labels=3, rows=2))
    first = torch.autograd.grad(loss, scores, retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, scores)))
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(loss, scores)


@forms
def test_occupancies_are_computed_only_when_a_gradient_is_needed(form, monkeypatch):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=4, labels=3, rows=2), full(inputs=4, labels=3, rows=2)
    expected = solve(form, scores, batch)[0]
    monkeypatch.delattr(lattice, "occupancies")
    assert torch.equal(form.loss(*scores, *batch, reduction="none"), expected)
    with torch.no_grad():
        assert torch.equal(form.loss(*leaves(scores), *batch, reduction="none"), expected)
    with pytest.raises(AttributeError, match="occupancies"):
        form.loss(*leaves(scores), *batch)


# ---- padding and tiles ----------------------------------------------------------------------------------------------


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
def test_padding_and_other_sequences_do_not_change_loss_or_gradient(form, shapes, more, garbage, behind, seed):
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
    for gradient, *parts, common in zip(found, *(gradients for _, gradients in solved), shared, strict=True):
        expected = sum(parts) if common else stack(parts, gradient.shape, 0.0)
        torch.testing.assert_close(gradient, expected, **DOUBLE)
        if not common:
            outside = stack([torch.ones_like(part) for part in parts], gradient.shape, 0.0) == 0
            assert not gradient[outside].count_nonzero()


def through_logits(form: Form, scores: list[Tensor], batch: Sequences, upstream=1.0) -> tuple[Tensor, list[Tensor]]:
    return differentiate(lambda *x: transducer_loss(form.logits(*x), *batch, reduction="none"), scores, upstream)


@forms
@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("elements", [1, 7, 100, 1 << 40])
def test_every_form_equals_the_loss_of_its_logits_for_every_tile_size(form, elements, scale):
    torch.manual_seed(1)
    batch, upstream = sequences([7, 5, 1], [[1, 2, 3, 4, 5], [], [5, 5, 2]]), torch.tensor([1.0, -2.0, 0.5]).double()
    scores = form.draw(7, 5, symbols=6, rows=3, scale=scale)
    expected = through_logits(form, scores, batch, upstream)
    with tile_elements(elements):
        assert_all_close(solve(form, scores, batch, upstream), expected, **DOUBLE)


def test_the_larger_of_these_scales_makes_sums_of_the_additive_joint_underflow():
    torch.manual_seed(1)
    f, g = (x - x.amax(2, keepdim=True) for x in FORMS["additive"].draw(7, 5, symbols=6, rows=3, scale=300.0))
    assert (f.exp() @ g.exp().transpose(1, 2)).min() == 0


@pytest.mark.parametrize("form", [FORMS["additive"], FORMS["joint"]], ids=["additive", "joint"])
def test_every_form_equals_the_loss_of_its_logits_in_float32(form):
    torch.manual_seed(0)
    shape = {"inputs": 30, "labels": 10, "symbols": 20, "rows": 3}
    scores, batch = form.draw(**shape, dtype=torch.float32), full(**shape)
    expected = through_logits(form, scores, batch)
    assert_all_close(solve(form, scores, batch), expected, rtol=1e-5, atol=1e-5)


# ---- memory ----------------------------------------------------------------------------------------------------------


class LargestStorage(TorchDispatchMode):
    """Notes the elements of the largest storage that any result of an operation has."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self.elements = max(self.elements, tensor.untyped_storage().nbytes() // tensor.element_size())
        return result


def largest_storage(form: Form, scores: list[Tensor], batch: Sequences) -> int:
    with LargestStorage() as largest:
        solve(form, scores, batch)
    return largest.elements


def test_the_additive_loss_builds_nothing_larger_than_its_lattice():
    rows, inputs, labels, symbols = 2, 30, 20, 50
    shape = {"inputs": inputs, "labels": labels, "symbols": symbols, "rows": rows}
    arcs = (inputs + labels) * 2 * rows * (labels + 2)  # of 31,500 scores of nodes
    assert largest_storage(FORMS["additive"], FORMS["additive"].draw(**shape), full(**shape)) == arcs == 4400


def test_the_joint_loss_builds_nothing_larger_than_a_tile():
    shape = {"inputs": 30, "labels": 5, "symbols": 200, "rows": 2}
    scores, batch = FORMS["joint"].draw(**shape), full(**shape)
    with tile_elements(5000):  # the scores of 4 inputs, each of 6 nodes with 200 symbols
        assert largest_storage(FORMS["joint"], scores, batch) == 4 * 6 * 200
    assert largest_storage(FORMS["joint"], scores, batch) == 2 * 30 * 6 * 200


@forms
def test_the_backward_pass_takes_the_occupancies_from_the_saved_tensors(form):
    torch.manual_seed(0)
    scores, batch, saved = leaves(form.draw(inputs=5, labels=2, rows=2)), full(inputs=5, labels=2, rows=2), []

    def pack(tensor: Tensor) -> int:
        saved.append(tensor.detach().clone())
        return len(saved) - 1

    with torch.autograd.graph.saved_tensors_hooks(pack, saved.__getitem__):
        loss = form.loss(*scores, *batch, reduction="sum")
    expected = solve(form, scores, batch)[1]
    assert all(map(torch.equal, torch.autograd.grad(loss, scores, retain_graph=True), expected))
    (of_labels,) = (tensor for tensor in saved if tensor.shape == (2, 5, 2))
    torch.testing.assert_close(of_labels.sum(1), torch.ones(2, 2).double(), **DOUBLE)  # every label is written once
    of_labels.zero_()
    assert not any(map(torch.equal, torch.autograd.grad(loss, scores), expected))


# ---- arguments in every form -----------------------------------------------------------------------------------------


@forms
def test_none_returns_a_loss_per_sequence_which_sum_and_mean_reduce(form):
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
def test_int32_int64_and_non_contiguous_arguments_give_the_same(form):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=4, labels=3, rows=2), sequences([4, 2], [[1, 2, 3], [3]])
    expected = solve(form, scores, batch)
    small = Sequences(*(tensor.int() for tensor in batch))
    scattered = [torch.stack([tensor, tensor], -1)[..., 0] for tensor in scores]
    apart = small._replace(targets=small.targets.T.contiguous().T)
    assert not any(tensor.is_contiguous() for tensor in (*scattered, apart.targets))
    assert_all_close(solve(form, scores, small), expected, rtol=0, atol=0)
    assert_all_close(solve(form, scattered, apart), expected, **DOUBLE)


def test_expanded_logits_give_the_same_as_contiguous_ones():
    torch.manual_seed(0)
    batch, per_input = full(inputs=4, labels=3, rows=2), torch.randn(2, 4, 1, 4, dtype=torch.float64)
    shared = per_input.expand(-1, -1, 4, -1)
    assert_all_close(*(solve(FORMS["logits"], [x], batch) for x in (shared, shared.contiguous())), rtol=0, atol=0)


@forms
def test_a_score_of_minus_infinity_is_a_probability_of_0_with_a_gradient_of_0(form):
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
    for gradient, hole in zip(found[1], holes, strict=True):
        assert not gradient[hole].count_nonzero()


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
    back = there[0].cpu(), [gradient.cpu() for gradient in there[1]]
    assert_all_close(back, solve(form, scores, batch, upstream), rtol=1e-10, atol=1e-10)
