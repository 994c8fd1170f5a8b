"""Tendays: a deep-learning study journal that runs."""

import warnings

__version__ = "0.1.0"

# Progress is shown as text, so that saved notebooks hold no widgets; tqdm would ask for them to be installed.
warnings.filterwarnings("ignore", message="IProgress not found")
