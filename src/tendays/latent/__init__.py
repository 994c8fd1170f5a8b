"""Latent-variable energy-based models: free energies, and the methods that minimise over what is not seen."""
