"""Letters to phonemes, on the CMU dictionary: the transducer's real task, and the models that it is measured against.

A word's letters are the inputs, its phonemes the labels. All models train by `tendays.training.fit` on the same
batches; ``python -m tendays.pronunciation`` trains any of them, see ``--help``.

Shapes: B words, T letters, U phonemes.
"""

from tendays.pronunciation.alphabet import ALIGNED, JOINED, LETTERS, PHONEMES, Alphabet, WordBatches
from tendays.pronunciation.compare import EPOCHS, SEEDS, compare, comparison
from tendays.pronunciation.models import Guess, Kind, Plan, make, pronounce
from tendays.pronunciation.scores import Errors, errors, evaluate, scores_of
from tendays.pronunciation.train import FULL, LONG, SMOKE, load, plan_of, run, train

__all__ = [
    "ALIGNED",
    "EPOCHS",
    "FULL",
    "JOINED",
    "LETTERS",
    "LONG",
    "PHONEMES",
    "SEEDS",
    "SMOKE",
    "Alphabet",
    "Errors",
    "Guess",
    "Kind",
    "Plan",
    "WordBatches",
    "compare",
    "comparison",
    "errors",
    "evaluate",
    "load",
    "make",
    "plan_of",
    "pronounce",
    "run",
    "scores_of",
    "train",
]
