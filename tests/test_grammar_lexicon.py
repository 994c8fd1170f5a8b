import pytest
from grammar_samples import rows

from tendays.corpora import grammar
from tendays.corpora.grammar.lexicon import COLUMNS, parse

HEADER = "\t".join(COLUMNS)
NOUN = "noun\tHund\tm\tHundes, Hunde\tanimal\t-\t-\t-\tdog\tdogs"
VERB = "verb\tbellen\t-\tbellt, hat gebellt\tintransitive\tHund\t-\t-\tbark\tbarks, barked, barked"


def test_a_well_formed_table_is_parsed():
    noun, verb = parse(f"{HEADER}\n{NOUN}\n{VERB}\n", "x.tsv")
    assert (noun.forms, verb.subject) == (("Hundes", "Hunde"), ("Hund",))


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "expected"),
    [
        ("kind\tgerman", "kind\tdeutsch", 1, "header", "kind"),
        ("noun\tHund\tm\t", "noun\tHund\t", 2, "all", "10 cells"),
        ("noun\t", "thing\t", 2, "kind", "one of"),
        ("\tm\t", "\tx\t", 2, "gender", "m, f or n"),
        ("Hundes, Hunde", "Hundes", 2, "forms", "2 forms"),
        ("barks, barked, barked", "barks", 3, "english_forms", "3 forms"),
        ("\tintransitive", "\tmoving", 3, "class", "intransitive"),
        ("hat gebellt", "gebellt", 3, "forms", "hat or ist"),
        ("\tHund\t-\t-\tbark", "\tHnud\t-\t-\tbark", 3, "subject", "a lemma or a class"),
        ("\tdog\t", "\t\t", 2, "english", "text"),
        (VERB, NOUN, 3, "german", "line 2"),
    ],
)
def test_a_malformed_row_is_refused_with_line_and_column(old, new, line, column, expected):
    text = f"{HEADER}\n{NOUN}\n{VERB}\n"
    assert old in text
    with pytest.raises(ValueError, match=rf"x\.tsv, line {line}, column {column}: got .*, expected .*{expected}"):
        parse(text.replace(old, new, 1), "x.tsv")


def test_the_lexicon_has_every_row_of_its_table():
    assert [lexeme.german for lexeme in grammar.lexicon()] == [row["german"] for row in rows()]
    assert len(rows()) >= 320
