import json
import re
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT

from tendays import journal
from tendays.journal import units

JOURNAL = journal.read(ROOT / "journal")
PATH = Path("unit.md")
HEAD = "# Unit 1: 2022-02-01 to 2022-02-10\n"
UNIT = f"""{HEAD}
Some words.

## Goals

- 2–3 papers
- 3 lectures: two series
- code

## 2022-02-01

- paper: *Graves 2012*, first pass
- lecture: *NYU 5.1* and *NYU 5.2*

## 2022-02-03

A paragraph of my own.

- paper: *Graves 2012*, second pass,
  which took longer
- code: First lines → [here](../notebooks/04_transducer.ipynb#decoding)
- [ ] question: Why?
- [x] How? [So](../notebooks/04_transducer.ipynb#the-loss-three-times)
"""


def problems(text):
    _, found = journal.parse(text, PATH)
    return [(problem.line, problem.expected) for problem in found]


def test_a_unit_is_read():
    unit, found = journal.parse(UNIT, PATH)
    assert found == []
    assert (unit.number, unit.start, unit.end) == (1, date(2022, 2, 1), date(2022, 2, 10))
    assert unit.goals == [
        journal.Goal("paper", 2, 3),
        journal.Goal("lecture", 3, 3, "two series"),
        journal.Goal("code", 1, None),
    ]
    assert [(item.kind, item.day.day, item.line, item.closed) for item in unit.items] == [
        ("paper", 1, 13, None),
        ("lecture", 1, 14, None),
        ("paper", 3, 20, None),
        ("code", 3, 22, None),
        ("question", 3, 23, False),
        ("question", 3, 24, True),
    ]
    assert unit.items[2].text == "*Graves 2012*, second pass, which took longer"
    assert unit.items[3].links == [("04_transducer", "decoding")]


def test_works_count_once_and_items_without_a_title_count_as_one():
    unit, _ = journal.parse(UNIT, PATH)
    done = {kind: unit.done(kind) for kind in journal.KINDS[:4]}
    assert done == {"lecture": 2, "paper": 1, "mathematics": 0, "code": 1}
    more, _ = journal.parse(UNIT + "- paper: **bold** is no title, 2*3*4 neither\n- paper: *Another*\n", PATH)
    assert more.done("paper") == 3


def test_what_is_written_around_is_left_alone():
    text = (
        UNIT
        + "\n> a quote\n\n```\n- no item\n## no heading\n```\n\n<!-- - nor\n- this -->\n\n- idea: one\n  - nested\n"
    )
    unit, found = journal.parse(text, PATH)
    assert found == []
    assert unit.items[-1].text == "one"
    assert len(unit.items) == 7


@pytest.mark.parametrize(
    ("added", "line", "expected"),
    [
        ("## 2022-02-11\n", 2, "a day of this unit, 2022-02-01 to 2022-02-10"),
        ("## 2022-02-30\n", 2, "'## Goals' or a day such as"),
        ("## ２０２２-02-03\n", 2, "'## Goals' or a day such as"),
        ("## Someday\n- whatever\n", 2, "'## Goals' or a day such as '## 2022-02-03', not 'Someday'"),
        ("## 2022-02-05\n## 2022-02-05\n", 3, "a day after 2022-02-05"),
        ("## 2022-02-05\n## 2022-02-04\n", 3, "a day after 2022-02-05"),
        ("## 2022-02-05\n- read something\n", 3, "'kind: what', the kind one of lecture, paper"),
        ("## 2022-02-05\n- film: a good one\n", 3, "'kind: what'"),
        ("## 2022-02-05\n- code:\n", 3, "'kind: what'"),
        ("## 2022-02-05\n- question: Why?\n", 3, "a box before a question: '- [ ] question: …'"),
        ("## 2022-02-05\n- [ ] code: Why?\n", 3, "a box before questions only"),
        ("## 2022-02-05\n- [x] question: Why?\n", 3, "link to the section that closes it"),
        ("## 2022-02-05\n- [x] Why? [a](../notebooks/04_a.ipynb)\n", 3, "link to the section that closes it"),
        ("## Goals\n- 3–2 papers\n", 3, "a goal such as '2–3 papers'"),
        ("## Goals\n- many papers\n", 3, "a goal such as '2–3 papers'"),
        ("## Goals\n- 3 films\n", 3, "not '3 films'"),
        ("## Goals\n- code\n- 2 codes\n", 4, "one goal of each kind; there is one of 'code' above"),
        ("- paper: nowhere\n", 2, "items under '## Goals' or a day"),
        ("# Unit 2: 2022-02-11 to 2022-02-20\n", 2, "one title only"),
    ],
)
def test_what_cannot_be_read_is_reported_with_its_line(added, line, expected):
    ((number, message),) = problems(HEAD + added)
    assert number == line
    assert message.startswith("expected ")
    assert expected in message


@pytest.mark.parametrize(
    "head", ["", "Unit 1\n", "# Unit 1\n", HEAD.replace("02-10", "02-11"), HEAD.replace("02-10", "02-31")]
)
def test_a_file_that_is_no_unit_is_reported(head):
    assert journal.parse(head + "\n## 2022-02-01\n", PATH)[0] is None
    ((number, message),) = problems(head + "\n## 2022-02-01\n")
    assert "'# Unit 1: 2022-02-01 to 2022-02-10'" in message
    assert number >= 1


def test_marks_of_editors_do_not_matter():
    assert problems("\ufeff" + UNIT.replace("\n", "\r\n")) == []
    unit, _ = journal.parse("\ufeff\n\n" + UNIT.replace("- ", "* "), PATH)
    assert len(unit.items) == 6


def test_a_folder_is_read_in_order_and_every_problem_kept(tmp_path):
    (tmp_path / "b.md").write_text(UNIT, "utf-8")
    (tmp_path / "a.md").write_text("# Unit 2: 2022-02-10 to 2022-02-19\n", "utf-8")
    (tmp_path / "c.md").write_bytes(b"\xff\xfe")
    (tmp_path / "d.md").mkdir()
    log = journal.read(tmp_path)
    assert [unit.number for unit in log.units] == [1, 2]
    assert [(problem.path.name, problem.line) for problem in log.problems] == [
        ("c.md", 1),
        ("d.md", 1),
        ("a.md", 1),
    ]
    assert "after 2022-02-10" in log.problems[2].expected
    assert str(log.problems[2]).startswith(f"{tmp_path / 'a.md'}:1: expected")


# --- any text, any bytes ----------------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [
        *UNIT.splitlines(keepends=True),
        *(
            "## ",
            "- ",
            "- [",
            "] ",
            "*",
            "](../notebooks/",
            ".ipynb#",
            "```\n",
            "<!--",
            "-->",
            "  ",
            "\n",
            "\r",
            "\u2028",
        ),
        *("\x00", "９", "9" * 30, "9999-12-31", "0001-01-01", "# Unit 1: 9999-12-22 to 9999-12-31\n", "code: ", ": "),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.text(), st.lists(FRAGMENTS).map("".join), st.lists(FRAGMENTS).map(lambda parts: HEAD + "".join(parts)))
)
def test_any_text_is_read_without_an_error(text):
    unit, found = journal.parse(text, PATH)
    lines = max(len(text.splitlines()), 1)
    assert all(1 <= problem.line <= lines for problem in found)
    assert unit is not None or found
    for item in unit.items if unit else []:
        assert item.kind in journal.KINDS
        assert item.text
        assert (item.works, item.links) is not None
    "\n".join(journal.report(journal.Journal([unit] if unit else []), date(2022, 2, 5)))


@settings(max_examples=60, deadline=None)
@given(st.binary())
def test_any_bytes_are_read_and_nothing_is_written(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("journal")
    (folder / "x.md").write_bytes(content)
    journal.read(folder)
    assert [path.name for path in folder.iterdir()] == ["x.md"]
    assert (folder / "x.md").read_bytes() == content


def test_long_lines_take_no_longer_than_their_length():
    start = time.process_time()
    for piece in ("*a", "](../notebooks/", "9 ", "- [x] ", "a: ", "# ", " ", "`", "["):
        journal.parse(HEAD + "## 2022-02-01\n- idea: " + piece * 50_000 + "\n- " + piece * 50_000, PATH)[0].items[0:1]
        units.WORK.findall(piece * 50_000), units.LINK.findall(piece * 50_000)
    assert time.process_time() - start < 30  # squares of these lengths would take hours


# --- days -------------------------------------------------------------------------------------------------------------


def test_streaks_and_gaps():
    days = [date(2022, 2, day) for day in (6, 1, 2, 3, 27)]
    assert journal.streaks(days) == [
        (date(2022, 2, 1), date(2022, 2, 3)),
        (date(2022, 2, 6), date(2022, 2, 6)),
        (date(2022, 2, 27), date(2022, 2, 27)),
    ]
    assert journal.gaps(days, date(2022, 2, 28)) == [
        (date(2022, 2, 4), date(2022, 2, 5)),
        (date(2022, 2, 7), date(2022, 2, 26)),
        (date(2022, 2, 28), date(2022, 2, 28)),
    ]
    assert journal.gaps(days, date(2022, 2, 27))[-1][1] == date(2022, 2, 26)
    assert (journal.streaks([]), journal.gaps([], date(2022, 2, 1))) == ([], [])
    assert journal.gaps([date(9999, 12, 31)], date(2022, 2, 1)) == []


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2022-02-01", "2022-02-10", "1–10 February 2022"),
        ("2022-02-27", "2022-03-08", "27 February – 8 March 2022"),
        ("2022-12-27", "2023-01-05", "27 December 2022 – 5 January 2023"),
        ("2022-02-01", "2022-02-01", "1 February 2022"),
    ],
)
def test_spans_are_written_as_one_says_them(first, last, said):
    assert journal.span(date.fromisoformat(first), date.fromisoformat(last)) == said


def test_the_day_is_that_of_the_time_zone(monkeypatch):
    seen = set()
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # 25 hours apart: never the same day
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        seen.add(journal.today())
    monkeypatch.undo()
    time.tzset()
    assert len(seen) == 2


@pytest.mark.parametrize(("text", "meant"), [("today", 5), ("Yesterday", 4), ("2022-02-05", 5), (" 2022-02-01 ", 1)])
def test_words_for_days(text, meant):
    assert journal.day(text, date(2022, 2, 5)) == date(2022, 2, meant)


@pytest.mark.parametrize("text", ["2022-02-06", "tomorrow", "5.2.2022", "", "2022-2-5", "20220205"])
def test_other_words_and_the_future_are_refused(text):
    with pytest.raises(ValueError, match=r"^date is .*; expected one such as 2022-02-03, up to today, 2022-02-05"):
        journal.day(text, date(2022, 2, 5))


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "2022-02-unit-1.md").write_text(UNIT, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("day", "after", "added"),
    [
        (1, "- lecture: *NYU 5.1* and *NYU 5.2*\n", "- idea: new\n"),
        (2, "- lecture: *NYU 5.1* and *NYU 5.2*\n\n", "## 2022-02-02\n\n- idea: new\n\n"),
        (3, "ipynb#the-loss-three-times)\n", "- idea: new\n"),
        (4, "ipynb#the-loss-three-times)\n", "\n## 2022-02-04\n\n- idea: new\n"),
    ],
)
def test_an_item_is_added_at_its_day(folder, day, after, added):
    path, line = journal.append_item(folder, "new", "idea", date(2022, 2, day))
    text = path.read_text("utf-8")
    assert text == UNIT.replace(after, after + added)
    assert text.splitlines()[line - 1] == "- idea: new"


@pytest.mark.parametrize(
    "change", [lambda t: t.rstrip(), lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t, lambda t: t + "\n\n\n"]
)
@pytest.mark.parametrize("day", range(1, 11))
@pytest.mark.parametrize("kind", ["question", "code"])
def test_every_byte_that_was_there_stays(folder, change, day, kind):
    path = folder / "2022-02-unit-1.md"
    path.write_bytes(before := change(UNIT).encode())
    _, line = journal.append_item(folder, "two\nlines", kind, date(2022, 2, day))
    after = path.read_bytes()
    common = next(i for i in range(len(after)) if before[i : i + 1] != after[i : i + 1])
    assert after[common:].endswith(before[common:])
    assert (b"\r\n" in after) == (b"\r\n" in before)
    (item,) = [item for item in journal.read(folder).items if item.line == line]
    assert (item.text, item.kind, item.day.day) == ("two lines", kind, day)
    assert journal.read(folder).problems == []


def test_problems_elsewhere_do_not_matter_and_stay(folder):
    path = folder / "2022-02-unit-1.md"
    path.write_text(UNIT.replace("- code\n", "- nonsense\n"), "utf-8")
    journal.append_item(folder, "new", "idea", date(2022, 2, 1))
    assert "- nonsense\n" in path.read_text("utf-8")
    assert len(journal.read(folder).problems) == 1


@pytest.mark.parametrize(
    ("text", "kind", "day", "message"),
    [
        ("x", "film", 1, r"^kind is 'film'; expected one of lecture, paper"),
        (" \n ", "code", 1, "^text is empty; expected"),
        (
            "x",
            "code",
            11,
            r"^the day is 2022-02-11; expected one of a unit, and the last one ends on 2022-02-10.*new-unit",
        ),
        ("a\n- b", "code", 1, "^text is .*; expected one that the journal reads back"),
        ("a\n<!-- b", "code", 1, None),
    ],
)
def test_what_cannot_be_added_changes_nothing(folder, text, kind, day, message):
    path = folder / "2022-02-unit-1.md"
    if message is None:
        journal.append_item(folder, text, kind, date(2022, 2, day))
        assert len(journal.read(folder).items) == 7
        return
    with pytest.raises(ValueError, match=message):
        journal.append_item(folder, text, kind, date(2022, 2, day))
    assert path.read_text("utf-8") == UNIT


@settings(max_examples=60, deadline=None)
@given(st.text(), st.sampled_from(journal.KINDS), st.integers(1, 10))
def test_any_text_is_added_whole_or_refused(tmp_path_factory, text, kind, day):
    folder = tmp_path_factory.mktemp("journal")
    path = folder / "2022-02-unit-1.md"
    path.write_text(UNIT, "utf-8", newline="")
    try:
        _, line = journal.append_item(folder, text, kind, date(2022, 2, day))
    except ValueError:
        assert path.read_bytes() == UNIT.encode()
    else:
        (item,) = [item for item in journal.read(folder).items if item.line == line]
        assert item.text == " ".join(part.strip() for part in text.splitlines() if part.strip())


def test_two_at_once_lose_nothing(folder):
    code = "import sys; from datetime import date; from pathlib import Path; from tendays import journal\n"
    code += "for i in range(8): journal.append_item(Path(sys.argv[1]), f'{sys.argv[2]}{i}', 'idea', date(2022, 2, 5))"
    writers = [subprocess.Popen([sys.executable, "-c", code, str(folder), name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = sorted(item.text for item in journal.read(folder).items if item.kind == "idea")
    assert found == sorted(f"{name}{i}" for name in "abc" for i in range(8))


def test_the_next_unit_follows_the_last_or_starts_today(folder):
    unit = journal.new_unit(folder, date(2022, 2, 7))
    assert (unit.number, unit.start, unit.end) == (2, date(2022, 2, 11), date(2022, 2, 20))
    assert unit.path.name == "2022-02-unit-2.md"
    with pytest.raises(ValueError, match=r"there already: 2022-02-unit-2.md begins on 2022-02-11"):
        journal.new_unit(folder, date(2022, 2, 7))
    late = journal.new_unit(folder, date(2022, 3, 30))
    assert (late.path.name, late.start, late.end) == ("2022-03-unit-3.md", date(2022, 3, 30), date(2022, 4, 8))
    log = journal.read(folder)
    assert log.problems == []
    assert [(goal.kind, goal.least, goal.most) for goal in log.units[2].goals] == [
        ("paper", 2, 3),
        ("lecture", 3, 3),
        ("code", 1, None),
    ]


def test_the_first_unit_has_the_standing_goals_and_none_is_overwritten(tmp_path):
    unit = journal.new_unit(tmp_path, date(2022, 2, 1))
    text = unit.path.read_text("utf-8")
    assert text == f"{HEAD}\n## Goals\n\n- 2–3 papers\n- 3 lectures\n- 1 mathematics\n- code\n"
    unit.path.write_text("something else", "utf-8")
    with pytest.raises(ValueError, match=r"2022-02-unit-1.md is there already"):
        journal.new_unit(tmp_path, date(2022, 2, 1))
    assert unit.path.read_text("utf-8") == "something else"


# --- the journal itself -----------------------------------------------------------------------------------------------


def test_the_journal_can_be_read():
    assert JOURNAL.problems == []
    first = [*(f"2022-02-0{day}" for day in range(1, 7)), "2022-02-27"]
    assert [day.isoformat() for day in JOURNAL.days][:7] == first
    assert {item.kind for item in JOURNAL.items} == set(journal.KINDS)
    assert len(JOURNAL.questions(closed=False)) >= 5
    assert JOURNAL.questions(closed=True)


def test_every_link_of_the_journal_leads_to_a_section():
    links = [(stem, section) for item in JOURNAL.items for stem, section in item.links]
    assert len(links) > 5
    written = "".join(path.read_text("utf-8") for path in (ROOT / "journal").glob("*.md"))
    assert written.count("/notebooks/") == len(links)  # none that the parser does not see
    for stem, section in links:
        cells = json.loads((ROOT / "notebooks" / f"{stem}.ipynb").read_text("utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        assert section in {journal.slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}, (
            stem,
            section,
        )


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("The loss, three times", "the-loss-three-times"),
        ("… and with attention", "-and-with-attention"),
        ("A – B's", "a--bs"),
    ],
)
def test_slugs_are_those_of_github(heading, name):
    assert journal.slug(heading) == name
