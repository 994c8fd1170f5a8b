"""BLEU (Papineni et al. 2002), by sacreBLEU on plain text; and the counts of each sentence whose sums give the score.

With these a bootstrap need not count n-grams again for each draw::

    bootstrap_score(bleu_from_statistics, bleu_statistics(translations, references))
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sacrebleu.metrics import BLEU
from sacrebleu.metrics.bleu import BLEUScore

ORDER = 4  # the longest n-grams


def bleu(translations: Sequence[str], references: Sequence[str], lowercase: bool = False) -> BLEUScore:
    """Corpus BLEU in percent; `bleu_signature` says how it counts."""
    return BLEU(lowercase=lowercase).corpus_score(list(translations), [list(references)])


def bleu_signature(lowercase: bool = False) -> str:
    """SacreBLEU's signature of `bleu` (Post 2018), which belongs beside every score."""
    metric = BLEU(lowercase=lowercase)
    # The signature names the number of references, which the metric knows only after it has scored something.
    metric.corpus_score(["."], [["."]])
    return str(metric.get_signature())


def bleu_statistics(
    translations: Sequence[str], references: Sequence[str], lowercase: bool = False
) -> NDArray[np.int64]:
    """What corpus BLEU counts in each sentence, by sacreBLEU on plain text.

    Returns:
        A row for each sentence, (N, 10): matches of 1- to 4-grams, totals of 1- to 4-grams, the lengths of the
        translation and of the reference in tokens.

    Raises:
        ValueError: there are no sentences, or not as many translations as references.
    """
    if not translations or len(translations) != len(references):
        raise ValueError(
            f"translations has {len(translations)} sentences and references {len(references)};"
            " expected as many, and some"
        )
    # Effective order concerns the sentence's own score, which is not used; without it sacreBLEU logs a warning.
    metric = BLEU(lowercase=lowercase, max_ngram_order=ORDER, effective_order=True)
    scores = [metric.sentence_score(*pair) for pair in zip(translations, ([one] for one in references), strict=True)]
    return np.array([[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in scores])


def bleu_from_statistics(sums: ArrayLike) -> NDArray[np.float64]:
    """Corpus BLEU in percent, of summed `bleu_statistics`: (..., 10) -> (...).

    Smoothing is sacreBLEU's default, so that the score is that of `BLEU().corpus_score`.
    """
    array = np.asarray(sums)
    if array.shape[-1:] != (2 * ORDER + 2,):
        raise ValueError(f"sums has shape {array.shape}; expected (..., {2 * ORDER + 2}), from bleu_statistics")
    scores = [
        BLEU.compute_bleu(row[:ORDER], row[ORDER:-2], row[-2], row[-1], smooth_method="exp").score
        for row in array.reshape(-1, 2 * ORDER + 2).astype(np.int64).tolist()
    ]
    return np.array(scores).reshape(array.shape[:-1])
