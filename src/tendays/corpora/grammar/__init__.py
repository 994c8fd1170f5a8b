"""A synchronous German–English grammar: aligned, correct sentence pairs, each labelled with its construction.

A synchronous grammar derives a sentence and its translation together. The translation is a function of the German
sentence, by these rules:

* The German present is the English simple present, the German perfect the English simple past (*hat gelesen* →
  *read*).
* A fronted adverbial stays in front and takes no comma.
* The recipient follows *to* (*gibt dem Kind das Buch* → *gives the book to the child*).
* *kein* is *not … a* or *not … any*.
* The genitive of a person is *'s*, that of a thing *of*.
* Spelling is American; *sie* is always *she*; the addresses *Sie* and *ihr* do not occur.
* Where the object precedes the subject, case endings distinguish them.

`lexicon` holds the words, `inflection` their forms, `clauses` the order of words, `selection` which words combine,
`constructions` the 18 constructions, `realisation` their sentences, `splits` the sampling of data sets.
"""

from tendays.corpora.grammar.constructions import CONSTRUCTIONS, Construction
from tendays.corpora.grammar.lexicon import Lexeme, lexicon
from tendays.corpora.grammar.splits import Example, combinations, generate, split

__all__ = ["CONSTRUCTIONS", "Construction", "Example", "Lexeme", "combinations", "generate", "lexicon", "split"]
