"""Latent-variable energy-based models: free energies, and the methods that minimise over what is not seen."""

from tendays.latent.free_energy import free_energy, gibbs_distribution

__all__ = ["free_energy", "gibbs_distribution"]
