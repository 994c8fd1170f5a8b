"""BLEU (Papineni et al. 2002), by sacreBLEU on plain text."""

from collections.abc import Sequence

from sacrebleu.metrics import BLEU
from sacrebleu.metrics.bleu import BLEUScore


def bleu(translations: Sequence[str], references: Sequence[str], lowercase: bool = False) -> BLEUScore:
    """Corpus BLEU in percent; `bleu_signature` says how it counts."""
    return BLEU(lowercase=lowercase).corpus_score(list(translations), [list(references)])


def bleu_signature(lowercase: bool = False) -> str:
    """SacreBLEU's signature of `bleu` (Post 2018), which belongs beside every score."""
    metric = BLEU(lowercase=lowercase)
    # The signature names the number of references, which the metric knows only after it has scored something.
    metric.corpus_score(["."], [["."]])
    return str(metric.get_signature())
