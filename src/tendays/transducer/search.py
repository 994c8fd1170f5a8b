"""Greedy and beam search with a transducer."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from tendays.transducer.arguments import _expect
from tendays.transducer.lattice import NEVER
from tendays.transducer.model import BLANK, State, Transducer
from tendays.transducer.scores import _normaliser


@torch.no_grad()
def greedy(model: Transducer, source: Tensor, lengths: Tensor, most: int = 10) -> list[list[int]]:
    """The most probable symbol, again and again: one path through the lattice of each source (B, T).

    Args:
        model: the model, in evaluation mode.
        source: ids (B, T).
        lengths: how many count (B,).
        most: how many labels one input may give. Without a cap, a path that never takes a blank never ends.

    Returns:
        The labels of each row. A warning says how many inputs hit the cap.
    """
    _expect(most >= 1, ValueError, f"most is {most}", "at least 1")
    encoded = model.encode(source, lengths)
    rows = torch.arange(len(source), device=source.device)
    predicted, state = model.start(len(source))
    time, here, capped = torch.zeros_like(lengths), torch.zeros_like(lengths), 0
    written: list[list[int]] = [[] for _ in rows]
    while (alive := time < lengths).any():
        symbols = model.joint(encoded[rows, time.clamp(max=source.shape[1] - 1)], predicted).argmax(1)
        full = alive & (symbols != BLANK) & (here == most)
        capped += int(full.sum())
        symbols = symbols.masked_fill(full | ~alive, BLANK)
        writes = symbols != BLANK
        time, here = time + (~writes).long(), torch.where(writes, here + 1, 0)
        for row in writes.nonzero()[:, 0].tolist():
            written[row].append(int(symbols[row]))
        after, new = model.advance(symbols, state)
        predicted = torch.where(writes[:, None], after, predicted)
        state = State(*(torch.where(writes[:, None], *parts) for parts in zip(new, state, strict=True)))
    if capped:
        warnings.warn(f"the cap of {most} labels was hit at {capped} inputs; a higher `most` allows more", stacklevel=3)
    return written


class Hypothesis(NamedTuple):
    """An output, and the logarithm of its probability in nats: that of all its alignments together."""

    labels: list[int]
    log_probability: float


@torch.no_grad()
def beam_search(
    model: Transducer, source: Tensor, lengths: Tensor, width: int = 5, limit: int | None = None
) -> list[list[Hypothesis]]:
    """The most probable outputs found for each source (B, T), best first: up to `width` of each.

    The beam holds prefixes of outputs and not alignments: for each, the probability of standing at (t, u) for every t.
    From it follow exactly the probability of the prefix as an output, and that of all outputs that begin with it and
    one more label, by which prefixes are ranked. Nothing needs merging, every probability that is returned is that of
    the loss, and the search ends when what is left in the beam cannot beat what is found. (The forward variable is
    that of Graves 2012, equation 16; ranking by prefix probabilities is Graves' for CTC, 2006, section 3.2.)

    Args:
        model: the model, in evaluation mode.
        source: ids (B, T).
        lengths: how many count (B,).
        width: K, how many prefixes are kept.
        limit: the most labels that an output may have; without it, twice the inputs and ten.
    """
    _expect(width >= 1, ValueError, f"width is {width}", "at least 1")
    beams = _Beams(model, source, lengths, width)
    for _ in range(2 * source.shape[1] + 10 if limit is None else limit):
        beams.finish()
        if not beams.extend():
            break
    else:
        beams.finish()
    return beams.found()


class _Beams:
    """K prefixes for each of B sources, and the best outputs so far."""

    def __init__(self, model: Transducer, source: Tensor, lengths: Tensor, width: int):
        self.model, self.lengths, self.width = model, lengths, width
        self.encoded = model.encode(source, lengths)
        rows, T = source.shape
        self.inside = (torch.arange(T, device=source.device) < lengths[:, None])[:, None]  # (B, 1, T)
        predicted, self.state = model.start(rows * width)
        # At first there is one prefix, the empty one, which stands at t = 0; the other places hold nothing.
        self.arrivals = predicted.new_full((rows, width, T), NEVER, dtype=torch.float64)
        self.arrivals[:, 0, 0] = 0
        self.best = self.arrivals.new_full((rows, width), NEVER)
        self.places = torch.zeros_like(self.best, dtype=torch.long)  # of the best outputs: K * labels + beam
        self.parents: list[Tensor] = []
        self.labels: list[Tensor] = []
        self._look(predicted)

    def _look(self, predicted: Tensor) -> None:
        """Scores of what may follow the prefixes, and the probability of standing at each t with them (B, K, T)."""
        self.scores = self.model.joint(self.encoded[:, None], predicted.unflatten(0, (-1, self.width))[:, :, None])
        self.probabilities = self.scores.softmax(3)
        self.normaliser = _normaliser(self.scores, self.probabilities, BLANK)
        self.blank = self.scores[..., BLANK].double() - self.normaliser
        standing = [self.arrivals[:, :, 0]]
        for t in range(1, self.blank.shape[2]):
            standing.append(torch.logaddexp(self.arrivals[:, :, t], standing[-1] + self.blank[:, :, t - 1]))
        self.standing = torch.stack(standing, 2).masked_fill(~self.inside, NEVER)

    def finish(self) -> None:
        """Takes the prefixes as outputs, where they are among the best."""
        last = (self.lengths - 1)[:, None, None].expand(-1, self.width, 1)
        ended = (self.standing + self.blank).gather(2, last)[:, :, 0]
        here = len(self.labels) * self.width + torch.arange(self.width, device=ended.device).expand_as(ended)
        self.best, chosen = torch.cat([self.best, ended], 1).topk(self.width, 1)
        self.places = torch.cat([self.places, here], 1).gather(1, chosen)

    def extend(self) -> bool:
        """Puts the most probable prefixes of one more label into the beam; False when none can become an output."""
        top = self.standing.amax(2, keepdim=True)
        weights = (self.standing - top).exp().to(self.probabilities.dtype)
        # The probability of all outputs that begin so: each passes from u to u + 1 once, at one t.
        begun = (weights[:, :, None] @ self.probabilities)[:, :, 0].double().log() + top
        begun[:, :, BLANK] = NEVER
        chances, chosen = begun.flatten(1).topk(self.width, 1)
        if not (chances[:, 0] > self.best[:, -1]).any():
            return False
        parents, labels = chosen // begun.shape[2], chosen % begun.shape[2]
        self.parents.append(parents)
        self.labels.append(labels)
        scores = self.scores.gather(1, parents[:, :, None, None].expand_as(self.scores))
        wanted = labels[:, :, None, None].expand(-1, -1, scores.shape[2], 1)
        taken = scores.gather(3, wanted)[..., 0].double()
        from_parent = parents[:, :, None].expand_as(taken)
        self.arrivals = self.standing.gather(1, from_parent) + taken - self.normaliser.gather(1, from_parent)
        rows = torch.arange(len(parents), device=parents.device)[:, None]
        kept = (rows * self.width + parents).flatten()
        predicted, self.state = self.model.advance(labels.flatten(), State(*(part[kept] for part in self.state)))
        self._look(predicted)
        return True

    def found(self) -> list[list[Hypothesis]]:
        """The best outputs of each source, best first."""
        self.taken, self.came = ([step.tolist() for step in steps] for steps in (self.labels, self.parents))
        return [
            [Hypothesis(self._trace(row, place), chance) for place, chance in pairs if chance > NEVER / 2]
            for row, pairs in enumerate(map(zip, self.places.tolist(), self.best.tolist()))
        ]

    def _trace(self, row: int, place: int) -> list[int]:
        length, beam = divmod(place, self.width)
        labels = []
        for step in reversed(range(length)):
            labels.append(self.taken[step][row][beam])
            beam = self.came[step][row][beam]
        return labels[::-1]
