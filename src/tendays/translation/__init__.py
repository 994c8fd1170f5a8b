"""German to English with a small recurrent network: model, loss, training, greedy and beam decoding.

An encoder-decoder (Sutskever, Vinyals and Le 2014) whose attention (Bahdanau, Cho and Bengio 2015; the dot product of
Luong, Pham and Manning 2015) stands between two recurrences of the decoder, as in Wu et al. 2016, and not inside one:
so teacher forcing runs each of them over all words in one call, and no Python loop goes over time.

Shapes: B sentences, T source pieces, U target pieces, V vocabulary, D embedding, H state of the decoder, M memory
(both directions of the encoder), K beams.

``accelerate launch -m tendays.translation`` trains it on many processes or machines; see ``--help``.
"""

from tendays.translation.loss import smoothed_cross_entropy
from tendays.translation.model import Memory, Size, State, Translator
from tendays.translation.scores import bleu, bleu_signature
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
    "bleu_signature",
    "greedy",
    "limits",
    "load",
    "plan_of",
    "save",
    "smoothed_cross_entropy",
    "train",
    "translate",
]
