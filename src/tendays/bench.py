"""Measures the fast versions against the textbook's: ``make bench``. Times are the best of several, on this machine."""

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from tendays import corpora, machine, training, translation
from tendays.pieces import PairBatches, Pieces, pad


def best_time(call: Callable[[], object], repeats: int = 5) -> float:
    """The shortest time that a call takes, in seconds, after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begun)
    return min(times)


def show(what: str, seconds: float, beside: str = "") -> None:
    """One line of the report."""
    print(f"{what:<52}{1000 * seconds:9.1f} ms  {beside}", flush=True)


def bench_loss(outputs: int = 3000, width: int = 256, vocabulary: int = 4000) -> None:
    """The sliced loss against PyTorch's, forward and backward."""
    print(f"\nlabel-smoothed cross-entropy, {outputs} predictions of {vocabulary} pieces from {width} numbers")
    torch.manual_seed(0)
    points = torch.randn(outputs, width, requires_grad=True)
    weight = (torch.randn(vocabulary, width) * 0.05).requires_grad_()
    bias, targets = torch.zeros(vocabulary, requires_grad=True), torch.randint(0, vocabulary, (outputs,))

    def torchs() -> None:
        scores = F.linear(points, weight, bias)
        F.cross_entropy(scores.float(), targets, label_smoothing=0.1, reduction="sum").backward()

    def sliced() -> None:
        translation.smoothed_cross_entropy(points, weight, bias, targets, 0.1).backward()

    for name, narrow in (("float32", False), ("bfloat16", True)):
        with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            slow, fast = best_time(torchs), best_time(sliced)
        show(f"  {name}: F.linear, F.cross_entropy", slow)
        show(f"  {name}: smoothed_cross_entropy", fast, f"{slow / fast:.1f} × as fast")


def bench_translation() -> None:
    """Preparing the data, a step of training, and decoding, at the sizes of the notebook's full run."""
    plan, device = translation.FULL, machine.device()
    print(f"\ntranslation on {device}, training in {training.precision()} (no: float32)")
    begun = time.perf_counter()
    train = corpora.load("de-en", "train", plan.max_words)
    folder = training.runs_folder("bench")
    pieces = Pieces.learn([*train.german, *train.english], plan.pieces, folder / "pieces.model")
    batches = list(PairBatches(pieces, train.german, train.english, plan.tokens).epoch(0))
    show("  load, learn pieces, make an epoch's batches", time.perf_counter() - begun)
    model = translation.Translator(translation.Size(len(pieces), **plan.size)).to(device)
    some = [batch.to(device) for batch in batches[:10]]

    def steps(narrow: bool) -> None:
        for batch in some:
            with torch.autocast(device, torch.bfloat16, enabled=narrow):
                loss = model(batch)
            loss.backward()

    for name, narrow in (("float32", False), ("bfloat16", True)):
        seconds = best_time(lambda narrow=narrow: steps(narrow), 3) / len(some)
        show(f"  forward and backward, one batch, {name}", seconds, f"{len(batches) * seconds:.0f} s an epoch")
    bench_decoding(model.eval(), pieces, corpora.load(train.name, "test").german[:1000])


def bench_decoding(model: translation.Translator, pieces: Pieces, sentences: list[str]) -> None:
    """Greedy and beam search with a model that never ends early, so that both take all the steps of the sources."""
    chosen = sorted(sentences, key=len)
    groups = [pad([pieces.encode(text) for text in chosen[i : i + 250]]) for i in range(0, len(chosen), 250)]
    with torch.no_grad():
        model.bias[translation.EOS] = -100
    device = model.bias.device

    def decode(search: Callable) -> None:
        for source, lengths in groups:
            search(model, source.to(device), lengths.to(device))

    slow = best_time(lambda: decode(translation.greedy), 2)
    show(f"  {len(chosen)} sentences to their limit of length, greedy", slow)
    fast = best_time(lambda: decode(translation.beam_search), 1)
    show("  the same with a beam of 5", fast, f"{fast / slow:.1f} × greedy")


if __name__ == "__main__":
    print(machine.banner())
    bench_loss()
    bench_translation()
