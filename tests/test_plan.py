"""What `make` says before it does anything."""

import json
import subprocess
import sys

import pytest
from places import ROOT

from tendays.publish import plan


@pytest.fixture
def checkout(tmp_path):
    """A checkout with two notebooks, of which the first has had a full run."""
    for name in ("notebooks/02_b.ipynb", "notebooks/01_a.ipynb", "notebooks/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    ledger(tmp_path, "01_a", seconds=83.6)
    return tmp_path


def ledger(root, stem, **changes):
    record = {"seconds": 60.0, "device": "cpu", "cpu": "AMD EPYC", "threads": 2} | changes
    (root / "results").mkdir(exist_ok=True)
    (root / "results" / f"{stem}.json").write_text(json.dumps(record), "utf-8")


def test_units_are_found_in_order_and_by_part_of_their_name(checkout):
    folder = checkout / "notebooks"
    assert [path.name for path in plan.find(folder, None)] == ["01_a.ipynb", "02_b.ipynb"]
    assert [path.name for path in plan.find(folder, "b")] == ["02_b.ipynb"]


def test_an_unknown_unit_and_an_empty_folder_are_errors(checkout, tmp_path):
    with pytest.raises(ValueError, match=r"no notebook is called 'c'; there are:\n  01_a\n  02_b$"):
        plan.find(checkout / "notebooks", "c")
    with pytest.raises(ValueError, match="no notebooks in "):
        plan.find(tmp_path / "results", None)


def test_a_notebook_without_a_ledger_is_a_first_run(checkout):
    expected = "Runs 2 notebooks at full scale, about 1 minute on a machine like the last one (AMD EPYC, 2 threads): "
    assert plan.run_plan(checkout / "notebooks", None) == expected + "01_a 1:24, 02_b (first run)."
    assert plan.run_plan(checkout / "notebooks", "b") == "Runs 1 notebook at full scale: 02_b (first run)."


def test_the_times_of_all_are_added_and_each_machine_is_named_once(checkout):
    ledger(checkout, "01_a", seconds=89)
    ledger(checkout, "02_b", seconds=122, device="NVIDIA H100")
    said = plan.run_plan(checkout / "notebooks", None)
    assert "about 4 minutes on a machine like the last one (AMD EPYC, 2 threads; NVIDIA H100): 01_a 1:29, 02_b" in said
    ledger(checkout, "02_b", threads=1)
    ledger(checkout, "01_a", threads=1)
    assert "(AMD EPYC, 1 thread): " in plan.run_plan(checkout / "notebooks", None)


def test_the_tests_say_how_long_they_took_the_last_time(checkout):
    assert plan.test_plan(checkout).endswith("in a browser: about six minutes on two cores, the first time.")
    path = checkout / plan.LAST_TEST
    path.parent.mkdir(parents=True)
    path.write_text("291.7")
    assert plan.test_plan(checkout).endswith("in a browser: 4:52 the last time.")


RUNS = [(["run"], 0), (["run", ""], 0), (["run", "b"], 0), (["test"], 0), (["run", "c"], 1)]


@pytest.mark.parametrize(("arguments", "status"), RUNS)
def test_it_needs_nothing_but_the_standard_library(checkout, arguments, status):
    command = [sys.executable, "-S", "-m", "tendays.publish.plan", *arguments]  # -S: without site-packages
    said = subprocess.run(command, cwd=checkout, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True)
    assert said.returncode == status, said.stderr
    assert said.stdout.startswith("Runs ") == (status == 0)
    assert said.stderr.startswith("no notebook is called 'c'") == (status == 1)


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run", "a", "b"], ["test", "a"]])
def test_other_arguments_are_answered_with_the_usage_in_one_line(arguments):
    with pytest.raises(SystemExit) as error:
        plan.main(arguments)
    assert error.value.code == f"arguments are {arguments}; expected run, run UNIT, or test"
