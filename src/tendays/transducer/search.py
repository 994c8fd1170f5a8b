"""Greedy and beam search with a transducer.

Shapes: B sources, T inputs, V symbols with the blank, K beam width.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from tendays.transducer.arguments import expect
from tendays.transducer.lattice import LOG_ZERO
from tendays.transducer.model import BLANK, State, Transducer
from tendays.transducer.scores import normaliser

MEMORY = 2**28  # bytes that the scores of a beam search may take, beyond those of a single source


@torch.no_grad()
def greedy(model: Transducer, source: Tensor, lengths: Tensor, max_labels: int = 10) -> list[list[int]]:
    """The labels of one path through the lattice of each source, which takes the most probable symbol at each node.

    Args:
        model: the model, in evaluation mode.
        source: ids (B, T).
        lengths: numbers of inputs (B,).
        max_labels: the cap on the labels at one input. Without a cap, a path that never takes a blank never ends.

    Returns:
        The labels of each row. A warning says how many inputs hit the cap.

    Raises:
        ValueError: `max_labels` is below 1, or the model is in training mode.
    """
    _expect_evaluation(model)
    expect(max_labels >= 1, ValueError, f"max_labels is {max_labels}", "at least 1")
    encoded = model.encode(source, lengths)
    rows = torch.arange(len(source), device=source.device)
    predicted, state = model.start(len(source))
    time = torch.zeros_like(lengths)
    labels_at_input = torch.zeros_like(lengths)
    capped_inputs = 0
    outputs: list[list[int]] = [[] for _ in rows]
    while (unfinished := time < lengths).any():
        symbols = model.joint(encoded[rows, time.clamp(max=source.shape[1] - 1)], predicted).argmax(1)
        capped = unfinished & (symbols != BLANK) & (labels_at_input == max_labels)
        capped_inputs += int(capped.sum())
        symbols = symbols.masked_fill(capped | ~unfinished, BLANK)
        is_label = symbols != BLANK
        time = time + (~is_label).long()
        labels_at_input = torch.where(is_label, labels_at_input + 1, 0)
        for row in is_label.nonzero()[:, 0].tolist():
            outputs[row].append(int(symbols[row]))
        next_predicted, next_state = model.advance(symbols, state)
        predicted = torch.where(is_label[:, None], next_predicted, predicted)
        state = State(*(torch.where(is_label[:, None], *parts) for parts in zip(next_state, state, strict=True)))
    if capped_inputs:
        message = f"the cap of {max_labels} labels was hit at {capped_inputs} inputs; a higher `max_labels` allows more"
        warnings.warn(message, stacklevel=3)
    return outputs


class Hypothesis(NamedTuple):
    """An output, and its log-probability in nats, summed over all of its alignments."""

    labels: list[int]
    log_probability: float


@torch.no_grad()
def beam_search(
    model: Transducer, source: Tensor, lengths: Tensor, width: int = 5, limit: int | None = None
) -> list[list[Hypothesis]]:
    """The most probable outputs found for each source (B, T), best first: up to `width` of each.

    The beam holds prefixes of outputs, not alignments: for each prefix, its forward variable at every t (Graves 2012,
    equation 16). From the forward variables follow exactly the probability of the prefix as an output and, for every
    label, the probability of all outputs that begin with the prefix and that label. By the latter the prefixes are
    ranked, as Graves et al. 2006, section 3.2, do for CTC. So no hypotheses need merging, every returned probability
    is that of the loss, and the search ends when no prefix in the beam is more probable than the outputs found.

    The scores of a beam, (B, K, T, V), are built for as many sources at a time as `MEMORY` holds.

    Args:
        model: the model, in evaluation mode.
        source: ids (B, T).
        lengths: numbers of inputs (B,).
        width: K, how many prefixes are kept.
        limit: the most labels that an output may have; without it, twice the inputs and ten.

    Raises:
        ValueError: `width` is below 1, or the model is in training mode.
    """
    _expect_evaluation(model)
    expect(width >= 1, ValueError, f"width is {width}", "at least 1")
    limit = 2 * source.shape[1] + 10 if limit is None else limit
    # At a node there are scores, probabilities and what softmax needs for them, and the joint's hidden layer twice.
    numbers = 3 * model.size.symbols + 2 * (model.size.joint or 0)
    together = max(1, MEMORY // (model.embedding.weight.element_size() * width * source.shape[1] * numbers))
    parts = (slice(start, start + together) for start in range(0, len(source), together))
    return [row for part in parts for row in _searched(model, source[part], lengths[part], width, limit)]


def _searched(model: Transducer, source: Tensor, lengths: Tensor, width: int, limit: int) -> list[list[Hypothesis]]:
    beams = _Beams(model, source, lengths, width)
    for _ in range(limit):
        beams.keep_outputs()
        if not beams.extend():
            break
    else:
        beams.keep_outputs()
    return beams.hypotheses()


def _expect_evaluation(model: Transducer) -> None:
    expect(not model.training, ValueError, "model is in training mode, with its dropout", "model.eval() before")


class _Beams:
    """K prefixes of equal length for each of B sources, and the best K outputs so far.

    Attributes:
        alphas: (B, K, T), forward variables of a prefix: the log-probability that it is written when t inputs are read.
        label_arrivals: (B, K, T), the part of it that comes in by the prefix's last label.
        outputs: (B, K), log-probabilities of the best outputs.
        output_places: (B, K), where they were found: K * length + place in the beam.
        parents: for each length, the place in the beam (B, K) of the prefix without its last label.
        labels: for each length, the last label (B, K).
    """

    def __init__(self, model: Transducer, source: Tensor, lengths: Tensor, width: int):
        self.model, self.lengths, self.width = model, lengths, width
        self.encoded = model.encode(source, lengths)
        B, T = source.shape
        self.valid = (torch.arange(T, device=source.device) < lengths[:, None])[:, None]  # (B, 1, T)
        predicted, self.state = model.start(B * width)
        # The first beam has one prefix, the empty one, which starts at t = 0; its other places are empty.
        self.label_arrivals = predicted.new_full((B, width, T), LOG_ZERO, dtype=torch.float64)
        self.label_arrivals[:, 0, 0] = 0
        self.outputs = self.label_arrivals.new_full((B, width), LOG_ZERO)
        self.output_places = torch.zeros_like(self.outputs, dtype=torch.long)
        self.parents: list[Tensor] = []
        self.labels: list[Tensor] = []
        self._score(predicted)

    def _score(self, predicted: Tensor) -> None:
        """Sets the scores of the next symbol (B, K, T, V) and the forward variables of the beam's prefixes."""
        self.scores = self.model.joint(self.encoded[:, None], predicted.unflatten(0, (-1, self.width))[:, :, None])
        self.probabilities = self.scores.softmax(3)
        self.normaliser = normaliser(self.scores, self.probabilities, BLANK)  # (B, K, T)
        self.blank = self.scores[..., BLANK].double() - self.normaliser  # (B, K, T)
        alphas = [self.label_arrivals[:, :, 0]]
        for t in range(1, self.blank.shape[2]):
            alphas.append(torch.logaddexp(self.label_arrivals[:, :, t], alphas[-1] + self.blank[:, :, t - 1]))
        self.alphas = torch.stack(alphas, 2).masked_fill(~self.valid, LOG_ZERO)

    def keep_outputs(self) -> None:
        """Takes the beam's prefixes as outputs, each ended by the blank of the last input, and keeps the best K."""
        last = (self.lengths - 1)[:, None, None].expand(-1, self.width, 1)
        ended = (self.alphas + self.blank).gather(2, last)[:, :, 0]  # (B, K)
        places = len(self.labels) * self.width + torch.arange(self.width, device=ended.device).expand_as(ended)
        self.outputs, chosen = torch.cat([self.outputs, ended], 1).topk(self.width, 1)
        self.output_places = torch.cat([self.output_places, places], 1).gather(1, chosen)

    def extend(self) -> bool:
        """Replaces the beam by the most probable prefixes of one more label; False if none can become an output."""
        maxima = self.alphas.amax(2, keepdim=True)
        weights = (self.alphas - maxima).exp().to(self.probabilities.dtype)
        # The probability of all outputs that begin with a prefix and a label: each takes that label's arc at one t.
        extended = (weights[:, :, None] @ self.probabilities)[:, :, 0].double().log() + maxima  # (B, K, V)
        extended[:, :, BLANK] = LOG_ZERO
        best, chosen = extended.flatten(1).topk(self.width, 1)
        if not (best[:, 0] > self.outputs[:, -1]).any():
            return False
        parents, labels = chosen // extended.shape[2], chosen % extended.shape[2]
        self.parents.append(parents)
        self.labels.append(labels)
        rows = torch.arange(len(parents), device=parents.device)[:, None]
        label_scores = self.scores[rows, parents, :, labels].double()  # (B, K, T)
        self.label_arrivals = self.alphas[rows, parents] + label_scores - self.normaliser[rows, parents]
        kept = (rows * self.width + parents).flatten()
        predicted, self.state = self.model.advance(labels.flatten(), State(*(part[kept] for part in self.state)))
        self._score(predicted)
        return True

    def hypotheses(self) -> list[list[Hypothesis]]:
        """The best outputs of each source, best first."""
        labels, parents = ([step.tolist() for step in steps] for steps in (self.labels, self.parents))

        def trace(row: int, place: int) -> list[int]:
            length, beam = divmod(place, self.width)
            output = []
            for step in reversed(range(length)):
                output.append(labels[step][row][beam])
                beam = parents[step][row][beam]
            return output[::-1]

        return [
            [Hypothesis(trace(row, place), score) for place, score in pairs if score > LOG_ZERO / 2]
            for row, pairs in enumerate(map(zip, self.output_places.tolist(), self.outputs.tolist()))
        ]
