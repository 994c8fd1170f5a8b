"""Letters to phonemes, on the CMU dictionary: the transducer's task, and the models that it is compared with.

The letters of a word are the inputs, its phonemes the labels. All kinds of model train by `tendays.training.fit` on the
same batches.

- `alphabet`: words and pronunciations as ids, batches; `models`: the kinds of model, and decoding;
- `scores`: error rates; `train`: plans, training, loading; `compare`: all kinds from several seeds.

``python -m tendays.pronunciation`` trains any of them; see ``--help``.
"""

from tendays.pronunciation.alphabet import ALIGNED, JOINED, LETTERS, PHONEMES, Alphabet, WordBatches
from tendays.pronunciation.compare import EPOCHS, SEEDS, compare, comparison
from tendays.pronunciation.models import KINDS, Guess, Kind, Plan, make, pronounce
from tendays.pronunciation.scores import Errors, errors, evaluate, scores_of
from tendays.pronunciation.train import FULL, LONG, SMOKE, load, plan_of, run, train

__all__ = [
    "ALIGNED",
    "EPOCHS",
    "FULL",
    "JOINED",
    "KINDS",
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
