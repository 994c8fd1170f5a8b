"""K-means, mixtures of Gaussians, PCA and sparse coding as energies with a latent variable, in one interface.

Each method explains an observation y by a latent z and the columns of a matrix W, and differs in what z may be:

    method           z                       E(y, z)                            F(y)
    KMeans           one of K                ‖y − w_z‖²                         min over z
    GaussianMixture  one of K                −log π_z − log N(y; w_z, Σ_z)      −log Σ_z exp(−E) = −log p(y)
    PCA              K numbers               ‖y − μ − W z‖², WᵀW = I            min over z: ‖(I − W Wᵀ)(y − μ)‖²
    SparseCoding     K numbers, few not 0    ½‖y − W z‖² + λ‖z‖₁, ‖w_k‖ = 1     min over z, by FISTA

`energy` and `infer` are what a method defines; `free_energy` follows, as the energy at the inferred z or, for the
mixture, as the marginal.

Sources: LeCun et al. 2006 and the course's lecture 7 (one energy for all), Lloyd 1982 (K-means), Dempster, Laird and
Rubin 1977 (EM), Daubechies, Defrise and De Mol 2004 (ISTA), Beck and Teboulle 2009 (FISTA), Mairal et al. 2009
(the dictionary), Gregor and LeCun 2010 (LISTA).

Shapes: N observations, D dimensions, K columns of W.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Method(ABC):
    """An energy E(y, z) with a latent variable z."""

    @abstractmethod
    def energy(self, y: Tensor, z: Tensor) -> Tensor:
        """E (N,) of observations (N, D) with their latents (N,) or (N, K)."""

    @abstractmethod
    def infer(self, y: Tensor) -> Tensor:
        """ž (N,) or (N, K), the latents of minimal energy of observations (N, D)."""

    def free_energy(self, y: Tensor) -> Tensor:
        """F (N,), the energy of observations (N, D) at the inferred latents."""
        return self.energy(y, self.infer(y))


class KMeans(Method):
    """K-means: z is the index of a centre.

    Args:
        W: The K centres as columns (D, K).
    """

    def __init__(self, W: Tensor):
        self.W = W

    def energy(self, y: Tensor, z: Tensor) -> Tensor:
        """‖y − w_z‖² (N,) for indices z (N,)."""
        return (y - self.W.T[z]).square().sum(1)

    def infer(self, y: Tensor) -> Tensor:
        """The index (N,) of the nearest centre."""
        return torch.cdist(y, self.W.T).argmin(1)

    @classmethod
    def fit(cls, y: Tensor, W: Tensor, steps: int = 300) -> KMeans:
        """K-means by Lloyd's algorithm: infer z, then move each centre to the mean of its observations.

        It stops when no observation changes its centre. A centre without observations stays where it is.

        Args:
            y: Observations (N, D).
            W: The first centres (D, K).
            steps: The most steps.
        """
        expect_observations(y, len(W))
        model, before = cls(W), None
        for _ in range(steps):
            z = model.infer(y)
            if before is not None and torch.equal(z, before):
                break
            before = z
            counts = z.bincount(minlength=W.shape[1])  # (K,)
            sums = torch.zeros_like(W.T).index_add_(0, z, y)  # (K, D)
            model = cls(torch.where(counts > 0, sums.T / counts.clamp(min=1), model.W))
        return model


class GaussianMixture(Method):
    """A mixture of Gaussians: z is the index of a component, and the free energy sums over it.

    Args:
        weights: π (K,), positive, of sum 1.
        W: The means as columns (D, K).
        covariances: Σ (K, D, D).
    """

    def __init__(self, weights: Tensor, W: Tensor, covariances: Tensor):
        self.weights, self.W, self.covariances = weights, W, covariances

    def energies(self, y: Tensor) -> Tensor:
        """−log π_k − log N(y; w_k, Σ_k) of all components (N, K)."""
        roots = torch.linalg.cholesky(self.covariances)  # (K, D, D)
        off = y.T - self.W.T[:, :, None]  # (K, D, N)
        squares = torch.linalg.solve_triangular(roots, off, upper=False).square().sum(1)  # (K, N)
        halves = roots.diagonal(dim1=1, dim2=2).log().sum(1) + len(self.W) / 2 * math.log(2 * math.pi)  # (K,)
        return (squares.T / 2 + halves) - self.weights.log()

    def energy(self, y: Tensor, z: Tensor) -> Tensor:
        """E (N,) for indices z (N,)."""
        return self.energies(y).gather(1, z[:, None])[:, 0]

    def infer(self, y: Tensor) -> Tensor:
        """The most probable component (N,)."""
        return self.energies(y).argmin(1)

    def free_energy(self, y: Tensor) -> Tensor:
        """−log p(y) (N,): the soft minimum at β = 1 over components."""
        return -(-self.energies(y)).logsumexp(1)

    @classmethod
    def fit(cls, y: Tensor, start: GaussianMixture, steps: int, floor: float = 1e-6) -> GaussianMixture:
        """A mixture by expectation maximisation: each step computes the posterior of z, then weighted moments.

        Args:
            y: Observations (N, D).
            start: The mixture to start from.
            steps: How many steps.
            floor: Added to the variances, so that no component collapses to a point.
        """
        expect_observations(y, len(start.W))
        model = start
        for _ in range(steps):
            posterior = (-model.energies(y)).softmax(1)  # (N, K)
            counts = posterior.sum(0)  # (K,)
            W = y.T @ posterior / counts  # (D, K)
            off = y - W.T[:, None]  # (K, N, D)
            covariances = (off * posterior.T[:, :, None]).mT @ off / counts[:, None, None]
            covariances = covariances + floor * torch.eye(len(W), dtype=y.dtype, device=y.device)
            model = cls(counts / len(y), W, covariances)
        return model


class PCA(Method):
    """Principal component analysis: z are coordinates in the subspace that the columns of W span.

    Args:
        mean: μ (D,).
        W: Orthonormal columns (D, K).
    """

    def __init__(self, mean: Tensor, W: Tensor):
        self.mean, self.W = mean, W

    def energy(self, y: Tensor, z: Tensor) -> Tensor:
        """‖y − μ − W z‖² (N,) for coordinates z (N, K)."""
        return (y - self.mean - z @ self.W.T).square().sum(1)

    def infer(self, y: Tensor) -> Tensor:
        """Wᵀ(y − μ), (N, K)."""
        return (y - self.mean) @ self.W

    @classmethod
    def fit(cls, y: Tensor, K: int) -> PCA:
        """The K directions of largest variance, by a singular value decomposition.

        Raises:
            ValueError: `K` is not from 1 to the smaller of N and D, or `y` is not a table of finite numbers.
        """
        expect_observations(y)
        if not 1 <= K <= min(y.shape):
            raise ValueError(f"K is {K}; expected from 1 to {min(y.shape)}, the smaller of N and D")
        mean = y.mean(0)
        return cls(mean, torch.linalg.svd(y - mean, full_matrices=False).Vh[:K].T)


class SparseCoding(Method):
    """Sparse coding: z are the coefficients of the columns of W, the dictionary's atoms, most of them 0.

    Args:
        W: Atoms as columns (D, K), of norm 1 (else a large atom makes the penalty void).
        penalty: λ, more than 0.
        steps: Of FISTA, in inference.

    Raises:
        ValueError: `penalty` is not more than 0, or an atom's norm is not 1.
    """

    def __init__(self, W: Tensor, penalty: float, steps: int = 200):
        if not penalty > 0:
            raise ValueError(f"penalty is {penalty}; expected more than 0")
        if ((norms := W.norm(dim=0)) - 1).abs().max() > 1e-3:
            raise ValueError(f"W has columns of norm {norms.min():.4g} to {norms.max():.4g}; expected norm 1")
        self.W, self.penalty, self.steps = W, penalty, steps
        self.L = float(torch.linalg.matrix_norm(W, 2)) ** 2  # the largest eigenvalue of WᵀW

    def energy(self, y: Tensor, z: Tensor) -> Tensor:
        """½‖y − W z‖² + λ‖z‖₁ (N,) for coefficients z (N, K)."""
        return (y - z @ self.W.T).square().sum(1) / 2 + self.penalty * z.abs().sum(1)

    def infer(self, y: Tensor) -> Tensor:
        """Coefficients (N, K) after so many steps of FISTA."""
        (z,) = deque(self.fista(y, self.steps), maxlen=1)
        return z

    def ista(self, y: Tensor, steps: int) -> Iterator[Tensor]:
        """Coefficients (N, K) after each step of ISTA from z = 0, which is a gradient step and a shrinkage.

            z ← shrink(z + Wᵀ(y − W z)/L, λ/L)

        The energy exceeds its minimum by O(1/steps).
        """
        z = y.new_zeros(len(y), self.W.shape[1])
        for _ in range(steps):
            z = self._step(y, z)
            yield z

    def fista(self, y: Tensor, steps: int) -> Iterator[Tensor]:
        """Coefficients (N, K) after each step of FISTA, which takes ISTA's step from an extrapolated point.

            z_k = step(x_k),   t_{k+1} = (1 + √(1 + 4 t_k²))/2,   x_{k+1} = z_k + (t_k − 1)/t_{k+1} · (z_k − z_{k−1})

        The energy exceeds its minimum by O(1/steps²) (Beck and Teboulle 2009, theorem 4.4).
        """
        z = point = y.new_zeros(len(y), self.W.shape[1])
        t = 1.0
        for _ in range(steps):
            before, z = z, self._step(y, point)
            further = (1 + math.sqrt(1 + 4 * t * t)) / 2
            point = z + (t - 1) / further * (z - before)
            t = further
            yield z

    def _step(self, y: Tensor, z: Tensor) -> Tensor:
        """A gradient step of length 1/L on ½‖y − W z‖², then shrinkage."""
        return shrink(z + (y - z @ self.W.T) @ self.W / self.L, self.penalty / self.L)

    @classmethod
    def fit(
        cls, y: Tensor, W: Tensor, penalty: float, *, epochs: int, batch: int, generator: torch.Generator
    ) -> SparseCoding:
        """A dictionary learnt online: the codes of a batch by FISTA, then each atom by block coordinate descent.

        The sums Σ z zᵀ and Σ y zᵀ, on which the atoms depend, are kept over batches and forgotten by 5 % a batch
        (Mairal et al. 2009, algorithms 1 and 2; here the norms are 1, there at most 1).

        Args:
            y: Observations (N, D).
            W: The first atoms (D, K), of norm 1.
            penalty: λ.
            epochs: Passes over the observations.
            batch: Observations in a batch.
            generator: Of the order of observations.
        """
        expect_observations(y, len(W))
        K, W = W.shape[1], W.clone()
        codes, products = y.new_zeros(K, K), y.new_zeros(len(W), K)
        for _ in range(epochs):
            for rows in torch.randperm(len(y), generator=generator).split(batch):
                z = cls(W, penalty, steps=50).infer(y[rows])  # (batch, K)
                codes = 0.95 * codes + z.T @ z
                products = 0.95 * products + y[rows].T @ z
                _update_atoms(W, codes, products)
        return cls(W, penalty)


class Lista(nn.Module):
    """ISTA's steps with learnt matrices: an encoder that is as deep as it takes steps (Gregor and LeCun 2010).

        z ← shrink(W_e y + S z, θ)

    Untrained it is ISTA: W_e = Wᵀ/L, S = I − WᵀW/L, θ = λ/L. All steps share the three.

    Args:
        coding: The sparse coding whose inference it approximates.
    """

    def __init__(self, coding: SparseCoding):
        super().__init__()
        K = coding.W.shape[1]
        gram = coding.W.T @ coding.W
        self.encoder = nn.Parameter(coding.W.T / coding.L)  # W_e, (K, D)
        self.S = nn.Parameter(torch.eye(K, dtype=gram.dtype) - gram / coding.L)  # (K, K)
        self.threshold = nn.Parameter(torch.full((K,), coding.penalty / coding.L, dtype=gram.dtype))  # θ

    def forward(self, y: Tensor, steps: int) -> Tensor:
        """Coefficients (N, K) of observations (N, D) after so many steps from z = 0."""
        drive = y @ self.encoder.T  # (N, K)
        z = shrink(drive, self.threshold)
        for _ in range(steps - 1):
            z = shrink(drive + z @ self.S.T, self.threshold)
        return z


def shrink(z: Tensor, threshold: float | Tensor) -> Tensor:
    """Soft thresholding: z moved towards 0 by the threshold, and 0 where it is smaller than that."""
    return z.sign() * (z.abs() - threshold).clamp(min=0)


def _update_atoms(W: Tensor, codes: Tensor, products: Tensor) -> None:
    """Moves each atom in turn, in place, to where ½‖Y − W Z‖² is least for fixed codes; then scales it to norm 1."""
    for k in (codes.diagonal() > 1e-8).nonzero()[:, 0].tolist():  # an atom that no code uses stays
        atom = W[:, k] + (products[:, k] - W @ codes[:, k]) / codes[k, k]
        W[:, k] = atom / atom.norm().clamp(min=1e-12)


def expect_observations(y: Tensor, D: int | None = None) -> None:
    """Raises a ValueError unless y is a table (N, D) of finite numbers with a row at least, and with these D."""
    if y.dim() != 2 or not y.numel() or (D is not None and y.shape[1] != D):
        raise ValueError(f"y has the shape {tuple(y.shape)}; expected (N, {'D' if D is None else D}) with N ≥ 1")
    if not y.isfinite().all():
        n, d = (~y.isfinite()).nonzero()[0].tolist()
        raise ValueError(f"y is {y[n, d]} at row {n}, column {d}; expected finite numbers")
