"""Tendays: a deep-learning study journal that runs."""

__version__ = "0.1.0"
