"""What `tendays.corpora.load` returns: sentence pairs, or words with their pronunciations."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ParallelCorpus:
    """Sentence pairs: ``german[i]`` and ``english[i]`` are translations of each other.

    Attributes:
        name: The data set; for ``de-en`` the one that was chosen.
        split: ``train``, ``validation`` or ``test``; for the grammar also ``new``.
        german: The German sentences: Unicode NFC, stripped of white space, none empty.
        english: The English sentences, likewise.
        labels: The construction of each pair, where the data set knows it.
        dropped: The number of pairs of the files that were left out because a side was empty.

    Raises:
        ValueError: The lists differ in length, or a sentence is empty.
    """

    name: str
    split: str
    german: list[str]
    english: list[str]
    labels: list[str] | None = None
    dropped: int = 0

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.german, self.english, self.labels) if column is not None}
        if len(lengths) != 1:
            raise ValueError(f"{self.name}, {self.split}: lists of different lengths: {sorted(lengths)}")
        if not (all(self.german) and all(self.english)):
            raise ValueError(f"{self.name}, {self.split}: a side of a pair is empty")

    def __len__(self) -> int:
        return len(self.german)

    def shortened(self, max_words: int) -> "ParallelCorpus":
        """The pairs whose German side has at most ``max_words`` words, separated by white space."""
        kept = [i for i, text in enumerate(self.german) if len(text.split()) <= max_words]
        german, english = ([side[i] for i in kept] for side in (self.german, self.english))
        labels = None if self.labels is None else [self.labels[i] for i in kept]
        return replace(self, german=german, english=english, labels=labels)


@dataclass(frozen=True)
class PronunciationCorpus:
    """Words with their pronunciations: ``pronunciations[i]`` lists the variants of ``words[i]``.

    Attributes:
        name: The data set.
        split: ``train``, ``validation`` or ``test``.
        words: The spellings, each once.
        pronunciations: The variants of each word, at least one, each a tuple of one or more phonemes.

    Raises:
        ValueError: The lists differ in length; or a word is empty, has no pronunciation, or has an empty one.
    """

    name: str
    split: str
    words: list[str]
    pronunciations: list[list[tuple[str, ...]]]

    def __post_init__(self) -> None:
        lengths = {len(self.words), len(self.pronunciations)}
        if len(lengths) != 1:
            raise ValueError(f"{self.name}, {self.split}: lists of different lengths: {sorted(lengths)}")
        if not all(self.words):
            raise ValueError(f"{self.name}, {self.split}: a word is empty")
        for word, variants in zip(self.words, self.pronunciations, strict=True):
            if not (variants and all(variants)):
                raise ValueError(f"{self.name}, {self.split}: {word!r} lacks a pronunciation: {variants}")

    def __len__(self) -> int:
        return len(self.words)
