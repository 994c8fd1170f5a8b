"""Latent-variable energy-based models: free energies, and the methods that minimise over what is not seen."""

from tendays.latent.alignment import (
    Reading,
    lowest_energy,
    lowest_with_margin,
    posterior,
    read,
    reading_energy,
)
from tendays.latent.chain import Chain, soft_min
from tendays.latent.free_energy import free_energy, gibbs_distribution
from tendays.latent.methods import PCA, GaussianMixture, KMeans, Lista, SparseCoding, shrink
from tendays.latent.strips import StripReader, Strips, make_strips

__all__ = [
    "PCA",
    "Chain",
    "GaussianMixture",
    "KMeans",
    "Lista",
    "Reading",
    "SparseCoding",
    "StripReader",
    "Strips",
    "free_energy",
    "gibbs_distribution",
    "lowest_energy",
    "lowest_with_margin",
    "make_strips",
    "posterior",
    "read",
    "reading_energy",
    "shrink",
    "soft_min",
]
