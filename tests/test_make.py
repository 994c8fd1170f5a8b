"""What can be told about the Makefile and the lists of packages without installing anything."""

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from places import ROOT

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
        "REPO",
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
    assert "-m tendays.publish.run translation\n" in make("-n", "run", "UNIT=translation", folder=bare).stdout


def test_repo_is_handed_on(bare):
    assert "-m tendays.publish.address 'owner/name'\n" in make("-n", "address", "REPO=owner/name", folder=bare).stdout
    assert "-m tendays.publish.address ''\n" in make("-n", "address", folder=bare).stdout


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


@pytest.fixture
def equipped(bare):
    """The folder with an environment: this one, so that a target runs."""
    interpreter(bare, f'exec {shlex.quote(sys.executable)} "$@"')
    (bare / ".venv" / "bin").mkdir(parents=True)
    (bare / "interpreter").rename(bare / ".venv" / "bin" / "python")
    (bare / ".venv" / ".stamp").touch()
    return bare


@pytest.mark.parametrize(
    ("source", "complaint"),
    [("print(1)", None), ("import os\n\nprint(1)", "F401"), ("print( 1 )", "File would be reformatted")],
    ids=["clean", "unused import", "unformatted"],
)
def test_lint_looks_into_notebooks(equipped, source, complaint):
    for folder in ("src", "tests", "notebooks", "site"):
        (equipped / folder).mkdir()
    (equipped / "conftest.py").touch()
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), equipped / "notebooks" / "01_tiny.ipynb")
    linted = make("lint", folder=equipped)
    assert (linted.returncode == 0) == (complaint is None)
    assert (complaint or "") in linted.stdout


class Advisories(http.server.BaseHTTPRequestHandler):
    """Knows the advisories of the server's list, as osv.dev would tell them; without a list it knows nothing."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        known = [
            {"id": name, "affected": [{"package": {"name": package, "ecosystem": "PyPI"}}]}
            for package, name in self.server.known
            if package == asked
        ]
        body = json.dumps({"vulns": known} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def audit(tmp_path):
    """Runs what `make audit` runs, with advisories of the test's own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Advisories)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def run(*known):
        server.known = known
        shown = make("-n", "audit").stdout.replace("\\\n", "")
        words = shlex.split(shown.partition(".venv/bin/python -m pip_audit ")[2])
        address = f"http://127.0.0.1:{server.server_port}/v1/query"
        words += ["-s", "osv", "--osv-url", address, "--cache-dir", str(tmp_path / "cache")]
        return subprocess.run([sys.executable, "-m", "pip_audit", *words], cwd=ROOT, capture_output=True, text=True)

    yield run
    server.shutdown()
    server.server_close()


def test_audit_asks_about_every_pinned_package_and_fails_at_a_finding(audit):
    clean = audit()
    assert clean.returncode == 0, clean.stderr
    assert "No known vulnerabilities found" in clean.stderr
    for package in ("torch", "torchtext", "jupyterlab", PINS[-1].partition("==")[0]):
        found = audit((package, "GHSA-xxxx-xxxx-xxxx"))
        assert found.returncode == 1
        assert re.search(rf"^{package} .*GHSA-xxxx-xxxx-xxxx", found.stdout, re.MULTILINE)


def test_audit_fails_where_a_package_cannot_be_looked_up():
    assert " --strict " in make("-n", "audit").stdout


def test_findings_that_are_accepted_do_not_concern_this_code(audit):
    accepted = re.search(r"^ACCEPTED := (.*)$", MAKEFILE, re.MULTILINE)[1].split()
    assert audit(*(("torch", name) for name in accepted)).returncode == 0
    modules = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    cells = "".join(path.read_text("utf-8") for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert not re.search(r"torch\.(jit|export|load|package)\b|import (jit|export)\b|pickle", modules + cells)


def test_every_package_is_pinned_exactly_and_torch_first():
    assert PINS[0] == "torch==2.13.0"
    for line in PINS:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; .+)?", line), line


def test_every_dependency_is_pinned():
    lists = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", PYPROJECT, re.MULTILINE | re.DOTALL)
    wanted = {re.match(r"[a-z0-9-]+", name)[0] for text in lists for name in re.findall(r'^    "(.+)",$', text, re.M)}
    assert len(wanted) > 20
    assert wanted <= {line.partition("==")[0] for line in PINS}
