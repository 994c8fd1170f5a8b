"""Energy-based models: losses, sampling, training."""
