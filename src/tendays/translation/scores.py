"""BLEU, by sacreBLEU."""

from collections.abc import Sequence

from sacrebleu.metrics import BLEU
from sacrebleu.metrics.bleu import BLEUScore


def bleu(translations: Sequence[str], references: Sequence[str], lowercase: bool = False) -> BLEUScore:
    """Corpus BLEU (Papineni et al. 2002) in percent, by sacreBLEU on plain text; see `bleu_signature`."""
    return BLEU(lowercase=lowercase).corpus_score(list(translations), [list(references)])


def bleu_signature(lowercase: bool = False) -> str:
    """How `bleu` counts, in sacreBLEU's words (Post 2018), to stand beside every score."""
    metric = BLEU(lowercase=lowercase)
    metric.corpus_score(["."], [["."]])
    return str(metric.get_signature())
