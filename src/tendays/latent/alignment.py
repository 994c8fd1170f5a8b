"""Alignment as a latent variable: labels whose places in a sequence are not known.

A network gives each of T columns an energy s(t, v) for each of V labels. A reading y of K labels is explained by an
alignment z, a column for each of its labels, from left to right and at least `apart` columns from one to the next:

    E(x, y, z) = Σ_k s(z_k, y_k),        z_{k+1} ≥ z_k + apart

The lattice has a node (k, t) for k labels placed in the columns up to t. It is left either by going on to the next
column, which costs nothing, or by placing label k + 1 at a later column, so that

    a_k(t) = softmin_{t' ≤ t} [a_{k-1}(t' − apart) + s(t', y_k)],        a_0 = 0,        F_β(x, y) = a_K(T)

A cumulative soft minimum does all t' ≤ t at once: the loop is over labels, not over columns. When the labels are free
too, the soft minimum over v of s(t, v) takes the place of s(t, y_k), and the soft minimum over K ends the sum. So a
reading competes with all others, of any length, and nobody says how many labels there are.

Sources: LeCun et al. 1998, section VI (recognition by a lattice of segments whose paths are summed), LeCun et al. 2006,
sections 6 and 7; Taskar, Guestrin and Koller 2003 (the margin that grows with the number of wrong labels).

Shapes: B sequences, T columns, V labels, K labels of a reading.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tendays.latent.chain import cumulative_soft_min, expect_positive, soft_min


class Reading(NamedTuple):
    """What is read in one sequence: labels from left to right, and the column of each."""

    labels: list[int]
    columns: list[int]


def energies_by_count(arcs: Tensor, beta: float, apart: int) -> Tensor:
    """The soft minimum over alignments of exactly 0, 1, …, K labels.

    Args:
        arcs: Energies (B, T, K) of placing label k in column t.
        beta: Inverse temperature, more than 0; math.inf for the minimum.
        apart: The least distance of neighbouring labels, in columns.

    Returns:
        Free energies (B, K + 1); the first is that of no label, 0.

    Raises:
        ValueError: `beta` is not more than 0, `arcs` has other than three dimensions or is NaN somewhere, `apart` is
            less than 1, or T columns have no room for K labels.
    """
    expect_positive(beta)
    if arcs.dim() != 3:
        raise ValueError(f"arcs has the shape {tuple(arcs.shape)}; expected (B, T, K)")
    B, T, K = arcs.shape
    if apart < 1 or most_labels(T, apart) < K:
        raise ValueError(f"apart is {apart} for K = {K} labels in T = {T} columns; expected 1 ≤ apart and room for K")
    if arcs.isnan().any():
        b, t, k = arcs.isnan().nonzero()[0].tolist()
        raise ValueError(f"arcs is NaN in sequence {b}, column {t}, for label {k}; expected energies")
    counts, reached = [arcs.new_zeros(B)], arcs.new_zeros(B, T)
    for k in range(K):
        # Label k cannot stand before column k · apart, so that no node is unreachable and no energy infinite.
        placed = cumulative_soft_min(reached + arcs[:, k * apart :, k], beta, 1)  # (B, T - k apart)
        counts.append(placed[:, -1])
        reached = placed[:, : placed.shape[1] - apart]
    return torch.stack(counts, 1)


def most_labels(T: int, apart: int) -> int:
    """How many labels fit into T columns."""
    return 1 + (T - 1) // apart


def reading_energy(energies: Tensor, labels: Tensor, beta: float, apart: int) -> Tensor:
    """F_β(x, y) = softmin over z of E(x, y, z): the free energies (B,) of given readings.

    Args:
        energies: s, (B, T, V).
        labels: y, (B, K), from 0 to V − 1.
        beta: Inverse temperature; math.inf for the energy of the best alignment.
        apart: The least distance of neighbouring labels, in columns.

    Raises:
        TypeError: `labels` is not int64.
        ValueError: As for `energies_by_count`; or `labels` does not fit `energies`.
    """
    _expect_fitting(energies, labels)
    arcs = energies.gather(2, labels[:, None].expand(-1, energies.shape[1], -1))  # (B, T, K)
    return energies_by_count(arcs, beta, apart)[:, -1]


def lowest_energy(energies: Tensor, beta: float, apart: int) -> Tensor:
    """The soft minimum (B,) over all readings y of any length and all their alignments; −(1/β) log Z of the sequence.

    Args:
        energies: s, (B, T, V).
        beta: Inverse temperature; math.inf for the energy of the best reading.
        apart: The least distance of neighbouring labels, in columns.

    Raises:
        ValueError: As for `energies_by_count`.
    """
    arcs = soft_min(energies, beta, 2)  # (B, T)
    most = most_labels(energies.shape[1], apart)
    return soft_min(energies_by_count(arcs[:, :, None].expand(-1, -1, most), beta, apart), beta, 1)


def lowest_with_margin(energies: Tensor, labels: Tensor, apart: int, margin: float = 1.0) -> Tensor:
    """The lowest energy (B,) of any reading, each lowered by a margin for every error that it has.

        min over y' of [min over z of E(x, y', z) − margin · errors(y', y)]

    A reading's errors are its wrong labels, place by place from the left, plus those that are missing or too many. They
    are a sum over labels, so that one more pass through the lattice finds the minimum.

    Args:
        energies: s, (B, T, V).
        labels: The correct readings y, (B, K).
        apart: The least distance of neighbouring labels, in columns.
        margin: How much lower than each wrong reading the correct one is to be, for each error; at least 0.

    Raises:
        TypeError: `labels` is not int64.
        ValueError: As for `energies_by_count`; `labels` does not fit `energies`, or `margin` is less than 0.
    """
    _expect_fitting(energies, labels)
    if not 0 <= margin < math.inf:
        raise ValueError(f"margin is {margin}; expected a number of at least 0")
    B, T, V = energies.shape
    most, K = most_labels(T, apart), labels.shape[1]
    if most < K:
        raise ValueError(f"labels has K = {K} labels for T = {T} columns; expected at most {most} at distance {apart}")
    errors = energies.new_ones(B, most, V)
    errors[:, :K].scatter_(2, labels[:, :, None], 0.0)
    arcs = (energies[:, :, None] - margin * errors[:, None]).min(3).values  # (B, T, most)
    missing = (K - torch.arange(most + 1, device=energies.device)).clamp(min=0)
    return (energies_by_count(arcs, math.inf, apart) - margin * missing).min(1).values


def posterior(energies: Tensor, beta: float, apart: int) -> Tensor:
    """The probability (B, T, V) that a label is placed in a column, over all readings and alignments.

    It is the gradient of `lowest_energy`. At β = ∞ it is 1 where the best reading places its labels, else 0.

    Raises:
        ValueError: As for `energies_by_count`.
    """
    leaf = energies.detach().requires_grad_()
    with torch.enable_grad():
        total = lowest_energy(leaf, beta, apart).sum()
    return torch.autograd.grad(total, leaf)[0]


def read(energies: Tensor, apart: int) -> list[Reading]:
    """The best reading of each sequence: the labels and columns of minimal energy E(x, y, z).

    It minimises over y and z together. The y that minimises F_β(x, y) at a finite β sums its alignments first, and may
    differ; to find it needs a search.

    Args:
        energies: s, (B, T, V).
        apart: The least distance of neighbouring labels, in columns.
    """
    row, column, label = (posterior(energies, math.inf, apart) > 0.5).nonzero(as_tuple=True)
    counts = row.bincount(minlength=len(energies)).tolist()
    parts = zip(label.split(counts), column.split(counts), strict=True)
    return [Reading(labels.tolist(), columns.tolist()) for labels, columns in parts]


def _expect_fitting(energies: Tensor, labels: Tensor) -> None:
    """Raises unless energies are (B, T, V) and labels (B, K) are int64, from 0 to V − 1."""
    if energies.dim() != 3 or labels.dim() != 2 or len(labels) != len(energies):
        shapes = f"energies {tuple(energies.shape)} and labels {tuple(labels.shape)}"
        raise ValueError(f"{shapes} do not fit; expected (B, T, V) and (B, K)")
    if labels.dtype != torch.int64:
        raise TypeError(f"labels is {labels.dtype}; expected torch.int64")
    V = energies.shape[2]
    if (outside := (labels < 0) | (labels >= V)).any():
        raise ValueError(f"labels has {labels[outside][0]}; expected from 0 to V − 1 = {V - 1}")
