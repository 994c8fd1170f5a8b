from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from places import ROOT

from tendays import journal
from tendays.journal import month


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def item(day, kind):
    return journal.Item(kind, "x", date.fromisoformat(day), Path("unit.md"), 1)


def shades(fig):
    return [(patch.get_x() + 0.5, patch.get_x() + patch.get_width() - 0.5) for patch in fig.axes[0].patches]


def test_the_month_of_the_journal_shows_its_gap():
    fig, alt = month.draw(journal.read(ROOT / "journal").items, 2022, 2)
    (ax,) = fig.axes
    assert ax.get_title("left") or ax.get_title() == "February 2022: 7 days with an entry, 20 in a row without"
    assert shades(fig) == [(7, 26), (28, 28)]
    assert "20 days without an entry" in [text.get_text() for text in ax.texts]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(journal.KINDS)
    assert alt.startswith(
        "February 2022: 7 days with an entry, 20 in a row without. Lecture on 1, 2, 4, 5, 27; paper on 2, 3"
    )


def test_a_dot_for_each_day_and_kind_and_a_number_where_there_were_more():
    items = [
        item("2024-02-29", "paper"),
        item("2024-02-29", "paper"),
        item("2024-02-28", "code"),
        item("2024-03-01", "idea"),
    ]
    fig, alt = month.draw(items, 2024, 2)
    (ax,) = fig.axes
    dots = {tuple(dots.get_offsets()[0]) for dots in ax.collections}
    assert dots == {(29, journal.KINDS.index("paper")), (28, journal.KINDS.index("code"))}
    assert "2" in [text.get_text() for text in ax.texts]
    assert alt.endswith("Paper on 29; code on 28.")


def test_a_month_without_entries_is_one_gap():
    fig, alt = month.draw([item("2022-01-31", "code")], 2022, 2)
    assert shades(fig) == [(1, 28)]
    assert alt == "February 2022: 0 days with an entry, 28 in a row without. No entries."


def test_days_before_the_first_entry_are_no_gap_but_empty_days_after_it_are():
    fig, _ = month.draw([item("2022-02-10", "code")], 2022, 2)
    assert shades(fig) == [(11, 28)]
