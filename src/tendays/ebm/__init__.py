"""Energy-based models: losses, sampling, training."""

from tendays.ebm.losses import (
    energy_loss,
    hinge_loss,
    log_loss,
    lvq2_loss,
    minimum_classification_error,
    minimum_empirical_error,
    most_offending,
    negative_log_likelihood,
    perceptron_loss,
    square_exponential_loss,
    square_square_loss,
)
from tendays.ebm.moons import Grid, Moons, kl_divergence, make_grid
from tendays.ebm.networks import EnergyMLP, StackedMLP
from tendays.ebm.objectives import (
    contrastive_divergence_loss,
    denoising_score_matching_loss,
    grid_negative_log_likelihood,
    noise_contrastive_loss,
)
from tendays.ebm.sampling import ReplayBuffer, langevin

__all__ = [
    "EnergyMLP",
    "Grid",
    "Moons",
    "ReplayBuffer",
    "StackedMLP",
    "contrastive_divergence_loss",
    "denoising_score_matching_loss",
    "energy_loss",
    "grid_negative_log_likelihood",
    "hinge_loss",
    "kl_divergence",
    "langevin",
    "log_loss",
    "lvq2_loss",
    "make_grid",
    "minimum_classification_error",
    "minimum_empirical_error",
    "most_offending",
    "negative_log_likelihood",
    "noise_contrastive_loss",
    "perceptron_loss",
    "square_exponential_loss",
    "square_square_loss",
]
