"""Tendays: a deep-learning study journal that runs."""

import warnings

from tendays import threads

__version__ = "0.1.0"

COMPETING = threads.prepare()
"""How many threads of other processes were running on our cores when this package was imported."""

# Progress is shown as text, so that saved notebooks hold no widgets; tqdm would ask for them to be installed.
warnings.filterwarnings("ignore", message="IProgress not found")
