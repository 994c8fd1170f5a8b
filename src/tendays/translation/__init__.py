"""German to English with a small recurrent network.

- `model`: the encoder-decoder with attention; `loss`: label-smoothed cross-entropy;
- `search`: greedy search, beam search, text to text; `scores`: BLEU;
- `train`: plans, training, saving and loading.

``python -m tendays.translation`` trains one, also with ``accelerate launch -m`` on many processes or machines; see
``--help``.
"""

from tendays.translation.loss import smoothed_cross_entropy
from tendays.translation.model import Memory, Size, State, Translator
from tendays.translation.scores import bleu, bleu_from_statistics, bleu_signature, bleu_statistics
from tendays.translation.search import Hypothesis, beam_search, greedy, limits, translate
from tendays.translation.train import FULL, FULL_FLOAT32, LONG, SMOKE, Plan, load, plan_of, save, train

__all__ = [
    "FULL",
    "FULL_FLOAT32",
    "LONG",
    "SMOKE",
    "Hypothesis",
    "Memory",
    "Plan",
    "Size",
    "State",
    "Translator",
    "beam_search",
    "bleu",
    "bleu_from_statistics",
    "bleu_signature",
    "bleu_statistics",
    "greedy",
    "limits",
    "load",
    "plan_of",
    "save",
    "smoothed_cross_entropy",
    "train",
    "translate",
]
