"""Energy-based models: losses, sampling, training."""

from tendays.ebm.sampling import ReplayBuffer, langevin

__all__ = ["ReplayBuffer", "langevin"]
