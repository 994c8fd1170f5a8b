"""Measures the fast versions against the textbook's: ``make bench``. Times are the best of several, on this machine.

``python -m tendays.bench transducer`` runs one part; the parts are busy, loss, translation,
transducer, energies and algebra.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import psutil
import sympy
import torch
import torch.nn.functional as F
from sympy.external.gmpy import GROUND_TYPES
from sympy.polys.matrices import DomainMatrix
from torch import Tensor

from tendays import corpora, ebm, files, linalg, machine, threads, training, transducer, translation
from tendays.latent import ellipse, free_energy
from tendays.measure import best_time, peak_memory
from tendays.pieces import EOS, Batch, PairBatches, Pieces, pad
from tendays.transducer.textbook import textbook_loss

# ---- the parts ------------------------------------------------------------------------------------------------------


def show(what: str, seconds: float, beside: str = "") -> None:
    """One line of the report."""
    print(f"{what:<52}{1000 * seconds:9.1f} ms  {beside}", flush=True)


BUSY = "while True: pass"  # a program that keeps one core busy
ORDERS = {"as torch comes": "import torch", "as set here": "import tendays"}  # who is imported first decides


def bench_busy(repeats: int = 5) -> None:
    """A training step on a quiet machine and beside one busy process, with and without the setting of `threads`.

    Args:
        repeats: training steps that are timed in each process, after one to warm up; their median is shown.
    """
    print("\na training step of the translator, in a process of its own (the machine should be quiet)")
    quiet = {}
    for name, first in ORDERS.items():
        quiet[name] = _step_seconds(first, repeats)
        show(f"  quiet, {name}", quiet[name], f"{quiet[name] / quiet['as torch comes']:.2f} × as torch comes")
    with _busy_process():
        for name, first in ORDERS.items():
            seconds = _step_seconds(first, repeats)
            show(
                f"  beside a busy process, {name}", seconds, f"{seconds / quiet['as torch comes']:.2f} × the quiet step"
            )


def _step_seconds(first: str, repeats: int) -> float:
    """The median time of a training step in a new process, whose first line of code is given."""
    code = f"{first}\nfrom tendays import bench\nbench.time_steps({repeats})"
    # This process may have made its own choice as it imported tendays; the new one is to make it anew.
    environment = {name: value for name, value in os.environ.items() if name not in threads.OWN}
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return float(output.splitlines()[-1])


@contextmanager
def _busy_process() -> Iterator[subprocess.Popen]:
    """A block beside which another process, the value, keeps a core busy."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        try:
            while os.getloadavg()[0] < threads.LASTING:  # which a minute's average takes 40 seconds to reach
                time.sleep(1)
            yield process
        finally:
            process.kill()


def time_steps(repeats: int) -> None:
    """Prints the median time of a training step of the translator, in seconds, on a batch of random pieces."""
    torch.manual_seed(0)
    model = translation.Translator(translation.Size(4000))
    rows, T, U = 128, 16, 16
    source, target = (torch.randint(4, 4000, (rows, length)) for length in (T, U + 1))
    batch = Batch(source, torch.full((rows,), T), target, torch.full((rows,), U))
    times = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=training.precision() == "bf16"):
            loss = model(batch)
        loss.backward()
        times.append(time.perf_counter() - begun)
    print(statistics.median(times[1:]))


def bench_loss(outputs: int = 3000, width: int = 256, vocabulary: int = 4000) -> None:
    """The sliced loss against PyTorch's, forward and backward."""
    print(f"\nlabel-smoothed cross-entropy, {outputs} predictions of {vocabulary} pieces from {width} numbers")
    torch.manual_seed(0)
    points = torch.randn(outputs, width, requires_grad=True)
    weight = (torch.randn(vocabulary, width) * 0.05).requires_grad_()
    bias, targets = torch.zeros(vocabulary, requires_grad=True), torch.randint(0, vocabulary, (outputs,))

    def unfused() -> None:
        scores = F.linear(points, weight, bias)
        F.cross_entropy(scores.float(), targets, label_smoothing=0.1, reduction="sum").backward()

    def sliced() -> None:
        translation.smoothed_cross_entropy(points, weight, bias, targets, 0.1).backward()

    for name, bf16 in (("float32", False), ("bfloat16", True)):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            slow, fast = best_time(unfused), best_time(sliced)
        show(f"  {name}: F.linear, F.cross_entropy", slow)
        show(f"  {name}: smoothed_cross_entropy", fast, f"{slow / fast:.1f} × as fast")


def bench_translation() -> None:
    """Preparing the data, a step of training, and decoding, at the sizes of the notebook's full run."""
    plan, device = translation.FULL, machine.device()
    print(f"\ntranslation on {device}, training in {training.precision()} (no: float32)")
    begun = time.perf_counter()
    train = corpora.load("de-en", "train", plan.max_words)
    folder = files.runs_folder("bench")
    pieces = Pieces.learn([*train.german, *train.english], plan.pieces, folder / "pieces.model")
    batches = list(PairBatches(pieces, train.german, train.english, plan.tokens).epoch(0))
    show("  load, learn pieces, make an epoch's batches", time.perf_counter() - begun)
    model = translation.Translator(translation.Size(len(pieces), **plan.size)).to(device)
    some = [batch.to(device) for batch in batches[:10]]

    def steps(bf16: bool) -> None:
        for batch in some:
            with torch.autocast(device, torch.bfloat16, enabled=bf16):
                loss = model(batch)
            loss.backward()

    for name, bf16 in (("float32", False), ("bfloat16", True)):
        seconds = best_time(lambda bf16=bf16: steps(bf16), 3) / len(some)
        show(f"  forward and backward, one batch, {name}", seconds, f"{len(batches) * seconds:.0f} s an epoch")
    bench_decoding(model.eval(), pieces, corpora.load(train.name, "test").german[:1000])


def bench_decoding(model: translation.Translator, pieces: Pieces, sentences: list[str]) -> None:
    """Greedy and beam search with a model that never ends early, so that both take all the steps of the sources."""
    chosen = sorted(sentences, key=len)
    groups = [pad([pieces.encode(text) for text in chosen[i : i + 250]]) for i in range(0, len(chosen), 250)]
    with torch.no_grad():
        model.bias[EOS] = -100
    device = model.bias.device

    def decode(search: Callable) -> None:
        for source, lengths in groups:
            search(model, source.to(device), lengths.to(device))

    slow = best_time(lambda: decode(translation.greedy), 2)
    show(f"  {len(chosen)} sentences to their limit of length, greedy", slow)
    fast = best_time(lambda: decode(translation.beam_search), 1)
    show("  the same with a beam of 5", fast, f"{fast / slow:.1f} × greedy")


# ---- the transducer's losses ----------------------------------------------------------------------------------------


class Form(NamedTuple):
    """One form of the transducer's loss.

    loss: the fast version.
    axes: those of each of its arguments: B, T, V, W = U + 1, and H, the hidden size of the joint.
    build: computes from them the scores of every node (B, T, U + 1, V), which the other implementations take.
    """

    loss: Callable[..., Tensor]
    axes: str
    build: Callable[..., Tensor]


Sizes = tuple[int, int, int, int]  # B, T, U, V

FORMS = {
    "from logits": Form(transducer.transducer_loss, "BTWV", lambda logits: logits),
    "additive": Form(transducer.additive_transducer_loss, "BTV BWV", lambda f, g: f[:, :, None] + g[:, None]),
    "joint": Form(
        transducer.joint_transducer_loss,
        "BTH BWH VH V",
        lambda f, g, weight, bias: F.linear((f[:, :, None] + g[:, None]).tanh(), weight, bias),
    ),
}
SIZES: dict[str, list[Sizes]] = {
    "from logits": [(8, 100, 20, 64), (16, 200, 50, 64), (16, 400, 100, 500)],
    # The last but one would need 2.4 GB for its logits; the last is a batch of letters and phonemes.
    "additive": [(8, 100, 20, 64), (16, 200, 50, 64), (16, 400, 100, 500), (4, 400, 100, 4000), (128, 9, 8, 42)],
    "joint": [(16, 200, 50, 64), (8, 200, 50, 1000)],
}


class Problem(NamedTuple):
    """The arguments that a loss is measured on; `ours`, `torchaudios` and `loops` return the gradients in the scores.

    form: which loss.
    scores: its differentiable arguments, of the axes that the form names.
    given: the targets (B, U), and the lengths of inputs and of targets, (B,) each.
    """

    form: Form
    scores: list[Tensor]
    given: tuple[Tensor, Tensor, Tensor]

    @classmethod
    def draw(cls, form: Form, sizes: Sizes, hidden: int) -> "Problem":
        """Random scores and labels of sizes B, T, U, V, without padding."""
        rows, T, U, V = sizes
        device, extent = machine.device(), {"B": rows, "T": T, "W": U + 1, "V": V, "H": hidden}
        # The weights are as small as a layer's are, or else the joint's scores would be large.
        scales = {axes: hidden**-0.5 if axes == "VH" else 1.0 for axes in form.axes.split()}
        scores = [
            torch.randn([extent[axis] for axis in axes], device=device).mul_(scale).requires_grad_()
            for axes, scale in scales.items()
        ]
        targets = torch.randint(1, V, (rows, U), dtype=torch.int32, device=device)  # torchaudio takes no other type
        return cls(form, scores, (targets, *(targets.new_full((rows,), length) for length in (T, U))))

    def ours(self) -> tuple[Tensor, ...]:
        """The gradients by the fast version."""
        return torch.autograd.grad(self.form.loss(*self.scores, *self.given, blank=0), self.scores)

    def torchaudios(self) -> tuple[Tensor, ...]:
        """The gradients by torchaudio, from the scores of every node."""
        from torchaudio.functional import rnnt_loss  # an optional dependency

        return torch.autograd.grad(rnnt_loss(self.form.build(*self.scores), *self.given, blank=0), self.scores)

    def loops(self) -> tuple[Tensor, ...]:
        """The gradients by the textbook, for a problem of one sequence, from the scores of every node."""
        built = self.form.build(*self.scores)
        (logits,), (labels,) = built.detach(), self.given[0]
        return torch.autograd.grad(built, self.scores, textbook_loss(logits, labels)[1][None])


class Cost(NamedTuple):
    """What forward and backward take: seconds, and bytes beyond the arguments; None where these are not compared."""

    seconds: float
    memory: int | None


def bench_transducer(sizes: Mapping[str, list[Sizes]] = SIZES, hidden: int = 256) -> None:
    """The three forms of the transducer's loss beside torchaudio's, where it is installed, and the textbook's.

    Args:
        sizes: for each form, B, T, U, V of the problems.
        hidden: H, the hidden size of the joint.
    """
    print(f"\nthe transducer's loss on {machine.device()}, float32, forward and backward; memory beyond its arguments'")
    print("(torchaudio and the loops build the scores of every node first, but from logits)")
    for name, form in FORMS.items():
        for size in sizes.get(name, []):
            axes = dict(zip("BTUV", size, strict=True)) | ({"H": hidden} if "H" in form.axes else {})
            print(f"  {name}, " + ", ".join(f"{axis} = {count}" for axis, count in axes.items()))
            torch.manual_seed(0)
            bench_form(form, size, hidden)


def bench_form(form: Form, sizes: Sizes, hidden: int) -> None:
    """One form at one size, then the other implementations, each with its ratio to the form's fast version."""
    rows = sizes[0]
    problem = Problem.draw(form, sizes, hidden)
    ours = _cost(problem.ours)
    _show_cost(form.loss.__name__, ours)
    if find_spec("torchaudio"):
        name = "torchaudio's rnnt_loss"
        if _fits(sizes):
            _show_cost(name, _cost(problem.torchaudios), ours)
        else:
            print(f"    {name:<48}  left out: too little memory is free for the scores of every node")
    one = (1, *sizes[1:])
    if _fits(one):
        # One sequence at a time, most of it in Python's lists, which `peak_memory` does not count.
        seconds = best_time(Problem.draw(form, one, hidden).loops, repeats=10, enough=4)
        _show_cost(f"textbook loops, one sequence × {rows}", Cost(rows * seconds, None), ours)


def _cost(call: Callable[[], object]) -> Cost:
    """The best time of at most 41 calls, fewer of a slow one, and the peak memory of a further call."""
    return Cost(best_time(call, repeats=40, enough=4), peak_memory(call))


def _fits(sizes: Sizes) -> bool:
    """Whether there is room for the scores of every node, in float32, and all that is made of them.

    With probabilities and gradients that is three or four times the scores; the rest is to spare.
    """
    rows, T, U, V = sizes
    free = torch.cuda.mem_get_info()[0] if machine.device() == "cuda" else psutil.virtual_memory().available
    return free > 6 * 4 * rows * T * (U + 1) * V


def _show_cost(what: str, cost: Cost, ours: Cost | None = None) -> None:
    """Prints one line of the report; with `ours`, the ratios to it."""
    memory = "" if cost.memory is None else f"{cost.memory / 2**20:.1f} MB"
    gain = ""
    if ours is not None:
        gain = f"ours: {_figure(cost.seconds / ours.seconds):>5} × as fast"
        if cost.memory is not None and ours.memory is not None:
            less = cost.memory / ours.memory
            gain += f", 1/{_figure(less)} of the memory" if less >= 1 else f", {_figure(1 / less)} × the memory"
    show(f"    {what}", cost.seconds, f"{memory:>12}  {gain}".rstrip())


def _figure(ratio: float) -> str:
    """A ratio with as many digits as can be relied on."""
    return f"{ratio:.{0 if ratio >= 10 else 1 if ratio >= 1 else 2}f}"


# ---- energies -------------------------------------------------------------------------------------------------------


def bench_energies(chains: int = 256, steps: int = 50, side: int = 100, few: int = 20) -> None:
    """Langevin chains at once against one by one, and a map of free energies against one pixel at a time.

    Args:
        chains: N, points of the plane whose energy is a perceptron with two hidden layers.
        steps: of each chain.
        side: the map has side² pixels.
        few: chains and pixels that are computed one by one; their time is scaled up to all.
    """
    net = ebm.EnergyMLP((0.0, 0.0), 1.5, range(1))
    starts = torch.randn(chains, 2, generator=torch.Generator().manual_seed(0))

    def walk(x: Tensor) -> Tensor:
        return ebm.langevin(lambda points: net(points)[0], x, steps=steps, step_size=1e-3)

    print(f"\nLangevin dynamics, {chains} chains of {steps} steps in the plane")
    together = best_time(lambda: walk(starts), 5)
    alone = best_time(lambda: [walk(starts[n : n + 1]) for n in range(few)], 5) * chains / few
    for what, seconds in (("a loop over the chains", alone), ("all chains at once", together)):
        show(f"  {what}", seconds, f"{chains * steps / seconds:,.0f} steps a second, {_figure(alone / seconds)} ×")

    w, z = torch.tensor([2.0, 1.5], dtype=torch.float64), ellipse.latents(48)
    line = torch.linspace(-3, 3, side, dtype=torch.float64)
    pixels = torch.cartesian_prod(line, line)  # (side², 2)
    print(f"free energies of the ellipse, {side} × {side} pixels, {len(z)} latents")
    together = best_time(lambda: free_energy(ellipse.energies(pixels, w, z), 8.0), 5)
    alone = best_time(lambda: [free_energy(ellipse.energies(y, w, z), 8.0) for y in pixels[:few]], 5)
    alone *= len(pixels) / few
    for what, seconds in (("a loop over the pixels", alone), ("the map at once", together)):
        show(f"  {what}", seconds, f"{_figure(alone / seconds)} ×")


# ---- exact linear algebra -------------------------------------------------------------------------------------------


def bench_linalg(
    forms: Sequence[int] = (20, 60, 100), solutions: Sequence[int] = (60, 100, 200), few: int = 60
) -> None:
    """Exact reduced forms and solutions against SymPy's, on random integers from -9 to 9.

    Args:
        forms: n, of matrices (n, n + 1) and (n, n) whose reduced echelon form is computed.
        solutions: n, of systems A x = b with a square matrix.
        few: the n up to which matrices are eliminated over fractions as well, which is much slower.
    """
    beside = f"beside SymPy {sympy.__version__} on integers of {GROUND_TYPES}"  # gmpy2 or flint where installed
    print(f"\nreduced echelon form of random integers, {beside}")
    for n in forms:
        for width in (n + 1, n):
            A = _random_integers(n, width)
            theirs, domain = sympy.Matrix(A.tolist()), DomainMatrix.from_Matrix(sympy.Matrix(A.tolist()))
            ways = {
                "linalg.fraction_free.rref": lambda A=A: linalg.fraction_free.rref(A),
                "SymPy, Matrix.rref": theirs.rref,
                "SymPy, DomainMatrix.rref": domain.rref,
                "SymPy, DomainMatrix.rref_den, no fractions": domain.rref_den,
            }
            if n <= few:
                ways["linalg.reduced, over fractions, with its steps"] = lambda A=A: linalg.reduced(A)
            _show_beside(f"{n} × {width}", ways)
    print(f"exact solution of A x = b, {beside}")
    for n in solutions:
        A, b = _random_integers(n, n), _random_integers(n, 1)[:, 0]
        ways = {
            "linalg.lifting.solve": lambda A=A, b=b: linalg.lifting.solve(A, b),
            "SymPy, Matrix.rref of [A | b]": sympy.Matrix(np.column_stack([A, b]).tolist()).rref,
        }
        _show_beside(f"n = {n}", ways)


def _random_integers(m: int, n: int) -> np.ndarray:
    """A matrix (m, n) of integers from -9 to 9."""
    return np.random.default_rng([m, n]).integers(-9, 10, (m, n))


def _show_beside(size: str, ways: Mapping[str, Callable[[], object]]) -> None:
    """Times several ways to compute the same, and prints them with the ratio to the first."""
    print(f"  {size}")
    times = {name: best_time(way, repeats=5, enough=4) for name, way in ways.items()}
    first = next(iter(times.values()))
    for name, seconds in times.items():
        show(f"    {name}", seconds, f"{_figure(seconds / first)} × the time of the first")


PARTS = {
    "busy": bench_busy,
    "loss": bench_loss,
    "translation": bench_translation,
    "transducer": bench_transducer,
    "energies": bench_energies,
    "algebra": bench_linalg,
}


def main(wanted: list[str]) -> None:
    """Runs the parts of these names, or all of them."""
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"There is no part {', '.join(unknown)}; expected {', '.join(PARTS)}.")
    print(machine.banner())
    for name in wanted or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
