"""What can be told about the Makefile and the lists of packages without installing anything."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PINS = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


def make(*arguments, folder=ROOT):
    outer = {
        "MAKEFLAGS",
        "MFLAGS",
        "MAKELEVEL",
        "MAKEOVERRIDES",
        "TORCH_INDEX",
        "DEVICE",
        "TENDAYS_DEVICE",
        "UNIT",
        "PYTHON",
    }
    environment = {name: value for name, value in os.environ.items() if name not in outer}  # of `make test` itself
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def bare(tmp_path):
    """A folder with what `make` reads, and no environment."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def interpreter(folder, script):
    path = folder / "interpreter"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"PYTHON={path}"


def test_alone_it_lists_every_target_with_a_sentence():
    targets = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split()
    listed = re.findall(r"^  make ([a-z]+)\t(.+)$", make().stdout, re.MULTILINE)
    assert [name for name, _ in listed] == [name for name in targets if name != "help"]
    assert all(sentence.endswith(".") for _, sentence in listed)


def test_every_target_but_clean_sets_up_first(bare):
    targets = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split()
    for target in set(targets) - {"help", "clean"}:
        assert "-m venv .venv" in make("-n", target, folder=bare).stdout, target


def test_what_is_set_up_is_not_set_up_again(bare):
    (bare / ".venv").mkdir()
    (bare / ".venv" / ".stamp").touch()
    assert "venv .venv" not in make("-n", "test", folder=bare).stdout
    assert "venv .venv" in make("-n", "test", "-W", "requirements.txt", folder=bare).stdout


def test_the_torch_index_serves_torch_alone(bare):
    commands = make("-n", "run", "TORCH_INDEX=https://example.org/whl", folder=bare).stdout.splitlines()
    (with_index,) = [line for line in commands if "example.org" in line]
    assert with_index.endswith("--no-deps --index-url https://example.org/whl $(grep '^torch==' requirements.txt)")
    assert "index" not in make("-n", "run", folder=bare).stdout


def test_unit_is_handed_on(bare):
    assert "-m tendays.run translation\n" in make("-n", "run", "UNIT=translation", folder=bare).stdout


def test_an_unknown_device_is_refused():
    refused = make("-n", "test", "DEVICE=tpu")
    assert refused.returncode
    assert "DEVICE is 'tpu'; expected cpu or cuda" in refused.stderr


def test_an_old_python_is_named(bare):
    refused = make("lint", interpreter(bare, "exit 1"), folder=bare)
    assert refused.returncode
    assert "needs Python 3.11 or later" in refused.stderr


def test_a_python_without_venv_is_named(bare):
    refused = make("lint", interpreter(bare, 'case "$2" in *venv*) exit 1;; esac'), folder=bare)
    assert refused.returncode
    assert "no venv module" in refused.stderr
    assert not (bare / ".venv").exists()


def test_clean_keeps_runs_and_data(bare):
    kept = [bare / "runs" / "model.pt", bare / "data" / "cache" / "train.de"]
    for path in [*kept, bare / ".venv" / ".stamp", bare / "src" / "__pycache__" / "x.pyc"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for folder in ("tests", "notebooks"):
        (bare / folder).mkdir()
    assert make("clean", folder=bare).returncode == 0
    assert all(path.exists() for path in kept)
    assert not (bare / ".venv").exists()
    assert not (bare / "src" / "__pycache__").exists()


def test_every_package_is_pinned_exactly_and_torch_first():
    assert PINS[0] == "torch==2.13.0"
    for line in PINS:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; .+)?", line), line


def test_every_dependency_is_pinned():
    lists = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", PYPROJECT, re.MULTILINE | re.DOTALL)
    wanted = {re.match(r"[a-z0-9-]+", name)[0] for text in lists for name in re.findall(r'^    "(.+)",$', text, re.M)}
    assert len(wanted) > 20
    assert wanted <= {line.partition("==")[0] for line in PINS}
