"""The log: reads ``journal/*.md``, reports on it, and adds to it.

A unit is ten days and a Markdown file::

    # Unit 1: 2022-02-01 to 2022-02-10

    ## Goals

    - 2–3 papers
    - 3 lectures: NYU Deep Learning, weeks 5 and 6
    - code

    ## 2022-02-03

    - paper: *Graves 2012*, second pass
    - [ ] question: Do similar methods work on text?
    - [x] question: How is it trained? → [by its loss](../notebooks/04_transducer.ipynb#the-loss-three-times)

Anything else between (paragraphs, quotes, nested lists, code) is the writer's own, and left alone.
"""

from tendays.journal.parsing import parse, read
from tendays.journal.summary import report
from tendays.journal.units import KINDS, Goal, Item, Journal, Problem, Unit, gaps, slug, span, streaks
from tendays.journal.writing import append_item, day, new_unit, today

__all__ = [
    "KINDS",
    "Goal",
    "Item",
    "Journal",
    "Problem",
    "Unit",
    "append_item",
    "day",
    "gaps",
    "new_unit",
    "parse",
    "read",
    "report",
    "slug",
    "span",
    "streaks",
    "today",
]
