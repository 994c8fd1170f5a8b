"""How pytest runs here: everything at smoke scale, notebooks cell by cell, workers that do not fight over cores."""

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

CELL_TIMEOUT = 300  # seconds; also --nbval-cell-timeout in pyproject.toml
LONGEST = (
    *("test_site", "test_colab", "test_lab", "04_transducer", "test_translation", "01_energy_based_models"),
    *("02_latent_variable_ebms", "03_german_english_translation", "05_linear_algebra", "test_linalg_properties"),
)
LEDGERS = pytest.StashKey[tempfile.TemporaryDirectory]()
FAILED = pytest.StashKey[bool]()
START = pytest.StashKey[float]()

# Before anything imports torch: a kernel and a worker read these as they start.
os.environ["TENDAYS_SCALE"] = "smoke"
os.environ["TQDM_DISABLE"] = "1"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def fresh_accelerator():
    """Forget the device and precision that Accelerate chose, which a process otherwise keeps to its end."""
    yield
    if "accelerate" in sys.modules:
        sys.modules["accelerate"].state.AcceleratorState._reset_state(reset_partial_state=True)


def pytest_xdist_auto_num_workers():
    """What ``-n auto`` means: one worker on a GPU, which workers would share; otherwise one a core, four at most."""
    from tendays.machine import device

    return 1 if device() == "cuda" else min(os.cpu_count() or 1, 4)


def pytest_configure(config):
    config.stash[START] = time.monotonic()
    config.stash[LEDGERS] = tempfile.TemporaryDirectory(prefix="tendays-")


def pytest_unconfigure(config):
    config.stash[LEDGERS].cleanup()


def pytest_sessionfinish(session, exitstatus):
    """Keep the seconds of a whole run that passed, for what `make test` says first (tendays.publish.plan)."""
    config = session.config
    options = config.option
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not (
        options.keyword or options.markexpr or options.deselect or options.collectonly or options.lf
    )
    if whole and exitstatus == 0 and hasattr(config, "cache") and not hasattr(config, "workerinput"):
        config.cache.set("tendays/test_seconds", time.monotonic() - config.stash[START])


def pytest_collection_modifyitems(items):
    # Files that take longest first, so that at the end no worker waits for another.
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    for item in items:
        if isinstance(item, IPyNbCell):
            item.output_timeout = 30  # seconds that outputs may be late; nbval's 5 are few on a busy machine
            item.add_marker(pytest.mark.timeout(CELL_TIMEOUT + 60))  # nbval's own timeout is to come first


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """Start a notebook's kernel with a file for its claims, so that a name claimed twice fails here too."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    if item.parent.stash.get(FAILED, False):
        pytest.skip("an earlier cell of this notebook failed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENDAYS_LEDGER", str(Path(item.config.stash[LEDGERS].name, f"{item.path.stem}.jsonl")))
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Note that a cell has failed, so that those after it, which build on it, are skipped."""
    report = yield
    if isinstance(item, IPyNbCell) and report.failed:
        item.parent.stash[FAILED] = True
    return report
