import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from places import ROOT
from tiny_checkout import CLAIMS, change, notebook_in

from tendays.publish import readme
from tendays.publish.ledger import read_ledgers, write_ledger


@pytest.fixture
def notebook(tmp_path):
    return notebook_in(tmp_path)


def test_a_notebook_has_a_row_with_its_picture_and_its_result_in_words(notebook):
    root = notebook.parents[1]
    asked = r"[01_units](notebooks/01_units.ipynb) | How many \| are there?"
    assert readme.notebooks_table(root)[2:] == [f"|  | {asked} | not run yet | – |"]
    write_ledger(notebook, CLAIMS, seconds=90.04, facts={})
    shown = '<a href="notebooks/01_units.ipynb"><img src="results/01_units.png" width="200" alt="A line."></a>'
    assert readme.notebooks_table(root)[2:] == [f"| {shown} | {asked} | 8.00 notebooks written | 1.5 |"]


def test_the_first_notebook_that_was_run_has_the_picture_at_the_front(notebook):
    root = notebook.parents[1]
    assert readme.front_picture(root) == []
    shutil.copy(notebook, root / "notebooks" / "00_zero.ipynb")
    write_ledger(notebook, CLAIMS, seconds=90, facts={})
    assert readme.front_picture(root) == ["[![A line.](results/01_units.png)](notebooks/01_units.ipynb)"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"name": "BLEU on Multi30k's test set, beam 5", "value": 38.1115, "unit": "BLEU"},
            "38.1 BLEU on Multi30k's test set, beam 5",
        ),
        ({"name": "word error rate, greedy", "value": 6.494, "unit": "%"}, "6.49 % word error rate, greedy"),
        ({"name": "faster than loops", "value": 1234.5, "unit": "×"}, "1,234 × faster than loops"),
        ({"name": "nats of loss", "value": 0.00071, "unit": ""}, "0.00071 nats of loss"),
        ({"name": "rate", "value": 7.2, "spread": 0.084, "unit": "%"}, "7.20 ± 0.08 % rate"),
    ],
)
def test_a_claim_reads_as_a_result(entry, expected):
    assert readme.sentence(entry) == expected


def record(root, name, **fields):
    path = root / "results" / "longer" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"command": f"python -m tendays.{name}", "seconds": 120} | fields), "utf-8")


def score(value, name="BLEU on the test set, beam 5", **fields):
    return {"name": name, "value": value, "unit": "BLEU", "headline": True} | fields


def rates(task, *values, **fields):
    names = (f"phoneme error rate{task}", f"word error rate{task}")
    return [{"name": name, "value": value, "unit": "%"} | fields for name, value in zip(names, values, strict=True)]


def test_each_longer_run_is_a_row_and_the_best_is_first(notebook, monkeypatch):
    root = notebook.parents[1]
    assert readme.longer_runs(root) == []
    monkeypatch.setattr(readme, "COMPARED", {"Translation": "01_units"})
    other = {"name": "BLEU on the test set, greedy", "value": 39, "unit": "BLEU"}
    record(root, "a", title="Translation, a wide network", claims=[score(35)])
    record(root, "b", title="Translation, the longer run", claims=[other, score(40.25)], history=[{}] * 24)
    record(root, "c", title="Dictation", claims=[score(50)])
    assert readme.longer_runs(root) == [
        "",
        "| task | system | BLEU | minutes |",
        "|---|---|---|---|",
        "| Translation | the longer run, 24 epochs, beam 5 | 40.2 BLEU | 2.0 |",
        "| Translation | a wide network, beam 5 | 35.0 BLEU | 2.0 |",
        "| Dictation | beam 5 | 50.0 BLEU | 2.0 |",
    ]
    write_ledger(notebook, [score(38.1)], seconds=60, facts={})
    assert (
        readme.longer_runs(root)[4]
        == "| Translation | [the notebook](notebooks/01_units.ipynb), beam 5 | 38.1 BLEU | 1.0 |"
    )


def test_a_comparison_has_a_row_for_each_kind_with_its_deviation(notebook):
    claims = rates(", CTC, mean of 3 seeds", 6.944, 31, spread=0.06)
    claims += rates(", tanh joint, mean of 3 seeds", 7.604, 31.8, spread=0.04)
    root = notebook.parents[1]
    record(root, "b", title="Reading, four kinds of model", runs=[{}] * 6, claims=claims[2:] + claims[:2])
    record(root, "c", title="Reading, the longer run", claims=rates(" on test words", 5.58, 24, headline=True))
    assert readme.longer_runs(root) == [
        "",
        "| task | system | phoneme error rate | word error rate | minutes |",
        "|---|---|---|---|---|",
        "| Reading | the longer run | 5.58 % | 24.0 % | 2.0 |",
        "| Reading | CTC, mean of 3 seeds | 6.94 ± 0.06 % | 31.00 ± 0.06 % | 0.3 each |",
        "| Reading | tanh joint, mean of 3 seeds | 7.60 ± 0.04 % | 31.80 ± 0.04 % | 0.3 each |",
    ]


def test_two_results_of_one_metric_for_one_system_are_an_error(notebook):
    root = notebook.parents[1]
    record(root, "units", title="Counting", claims=[score(3), score(4, name="BLEU on the test set, greedy")])
    with pytest.raises(ValueError, match=r"^Counting: of 2 claims that stand for a system, two are of one metric"):
        readme.longer_runs(root)


def test_what_longer_runs_are_compared_with_is_there():
    titles = [ledger["title"] for ledger in read_ledgers(ROOT / "results" / "longer")]
    for task, stem in readme.COMPARED.items():
        assert (ROOT / "notebooks" / f"{stem}.ipynb").exists()
        assert any(title.partition(", ")[0] == task for title in titles), task


def test_a_notebook_has_one_picture(notebook):
    assert readme.picture(notebook) == ("A line.", b"PNG")
    nb = nbformat.read(notebook, 4)
    nb.cells[2].outputs *= 2
    nbformat.write(nb, notebook)
    with pytest.raises(ValueError, match=r"01_units.ipynb: 2 figures .* expected one"):
        readme.picture(notebook)


BLOCKS = "before\n<!-- picture -->\nold\n<!-- /picture -->\n\n<!-- results -->\nold \\1\n<!-- /results -->\nafter\n"


def test_main_rewrites_the_blocks_of_the_readme_only(notebook):
    root = notebook.parents[1]
    write_ledger(notebook, CLAIMS, seconds=90, facts={})
    page = root / "README.md"
    page.write_text(BLOCKS, "utf-8")
    readme.main([str(root)])
    once = page.read_text("utf-8")
    table = "\n".join(readme.notebooks_table(root))
    assert once == (
        f"before\n<!-- picture -->\n{readme.front_picture(root)[0]}\n<!-- /picture -->\n\n"
        f"<!-- results -->\n{table}\n<!-- /results -->\nafter\n"
    )
    readme.main([str(root)])
    assert page.read_text("utf-8") == once
    assert (root / "results" / "01_units.png").read_bytes() == b"PNG"


@pytest.mark.parametrize("name", ["picture", "results"])
def test_a_readme_without_a_block_is_an_error(notebook, name):
    with pytest.raises(ValueError, match=f"<!-- {name} -->"):
        readme.refreshed(BLOCKS.replace(f"<!-- {name} -->", ""), notebook.parents[1])


def test_a_notebook_without_a_question_is_an_error(notebook):
    change(notebook, 0, "# Units\n\nQuestion: how many?")
    with pytest.raises(ValueError, match=r"01_units.ipynb.*Question"):
        readme.question(notebook)


def test_the_readme_shows_the_last_full_runs():
    assert read_ledgers(ROOT / "results")
    page = (ROOT / "README.md").read_text("utf-8")
    assert page == readme.refreshed(page, ROOT), "run: python -m tendays.publish.readme"
    for ledger in read_ledgers(ROOT / "results"):
        name = Path(ledger["notebook"])
        shown = (ROOT / "results" / name).with_suffix(".png").read_bytes()
        assert shown == readme.picture(ROOT / "notebooks" / name)[1], "run: python -m tendays.publish.readme"


def test_the_first_screen_is_a_picture_two_sentences_and_two_commands():
    page = (ROOT / "README.md").read_text("utf-8")
    front = page.partition("\n## ")[0]
    _, picture, sentences, clone = front.split("\n\n")[:4]
    assert picture.startswith("<!-- picture -->\n[![")
    assert len(re.findall(r"[.?!](?=\s|$)", sentences)) == 2
    commands = re.match(r"```sh\ngit clone .*\n(make \w+) .*\n(make \w+) .*\n```$", clone)
    assert commands.groups() == ("make run", "make test")


def test_the_tree_names_every_module_and_what_is_there():
    page = (ROOT / "README.md").read_text("utf-8")
    tree = re.search(r"^```\n(README\.md .*?)^```$", page, re.MULTILINE | re.DOTALL)[1].splitlines()
    names = {False: set(), True: set()}
    for line in tree:
        entry, text = re.fullmatch(r"( {0,2}\S+(?:, \S+)*) {2,}(\S.*)", line).groups()
        assert len(text) > 10, line
        names[entry.startswith("  ")] |= set(entry.strip().split(", "))
    package = ROOT / "src" / "tendays"
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    packages = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert names[True] == modules | packages
    assert [name for name in names[False] if not (ROOT / name).exists()] == []
