"""What can be told about the Makefile and the lists of packages without installing anything."""

import http.server
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from places import ROOT

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PINS = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


def make(*arguments, folder=ROOT, **variables):
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
    environment |= variables
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
    (with_index,) = [line for line in commands if "index" in line]
    assert with_index.endswith("--no-deps $(grep '^torch==' requirements.txt) --index-url https://example.org/whl")
    assert "index" not in make("-n", "run", "TORCH_INDEX=", folder=bare).stdout
    assert "index" not in make("-n", "run", folder=bare, TORCH_INDEX="").stdout


STUB = """
echo "$*" >> asked
case "$*" in
  "-m venv .venv") mkdir -p .venv/bin && cp interpreter .venv/bin/python;;
  *urlopen*) exit "$ANSWER";;
  *--index-url*) exit "$INSTALLED";;
esac
"""


@pytest.fixture
def programs(tmp_path):
    """The folder of the programs that `make` and its shells find: all they need, and no nvidia-smi."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "sed", "grep", "mkdir", "cp", "touch", "uname", "make", "echo"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def set_up(bare, programs, **variables):
    """What setting up says, and what it has pip install, where a stub stands for Python."""
    stub = interpreter(bare, STUB)
    said = make(stub, ".venv/.stamp", folder=bare, PATH=str(programs), **variables)
    assert said.returncode == 0, said.stderr
    asked = (bare / "asked").read_text("utf-8").splitlines()
    return said.stdout, [line.removeprefix("-m pip install -q ") for line in asked if "-m pip" in line]


CPU_INDEX = "https://download.pytorch.org/whl/cpu"
REST = ["-r requirements.txt", "--no-deps --no-build-isolation -e ."]
linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems get a torch without CUDA anyhow")


@linux
def test_without_a_gpu_torch_is_the_build_for_the_cpu(bare, programs):
    said, installed = set_up(bare, programs, ANSWER="0", INSTALLED="0")
    assert installed == [f"--no-deps torch==2.13.0 --index-url {CPU_INDEX}", *REST]
    assert said.splitlines() == [
        "Sets up .venv: 2 GB on disk, 1–5 minutes, once.",
        "There is no GPU (no nvidia-smi): torch comes as its build for the CPU; make TORCH_INDEX= takes the usual one.",
    ]


@linux
def test_where_the_cpu_index_does_not_answer_torch_comes_with_all_else(bare, programs):
    said, installed = set_up(bare, programs, ANSWER="1", INSTALLED="0")
    assert installed == REST
    assert said.splitlines()[1:] == [f"{CPU_INDEX} does not answer: torch comes from the index that pip uses."]


@linux
def test_where_the_cpu_index_lacks_this_torch_it_comes_with_all_else(bare, programs):
    said, installed = set_up(bare, programs, ANSWER="0", INSTALLED="1")
    assert installed[1:] == REST
    last = f"{CPU_INDEX} has no such torch for this Python: it comes from the index that pip uses."
    assert said.splitlines()[2:] == [last]


@pytest.mark.parametrize("given", [{}, {"TORCH_INDEX": ""}], ids=["a GPU", "TORCH_INDEX empty"])
def test_with_a_gpu_or_by_request_torch_comes_with_all_else(bare, programs, given):
    if not given:
        (programs / "nvidia-smi").symlink_to(shutil.which("sh"))
    said, installed = set_up(bare, programs, **given)
    assert installed == REST
    assert said == "Sets up .venv: 2 GB on disk (several more if torch brings CUDA), 1–5 minutes, once.\n"


@linux
@pytest.mark.parametrize("answers", [True, False])
def test_the_cpu_index_is_asked_for_ten_seconds_at_most(bare, programs, answers):
    stub = STUB.replace('exit "$ANSWER"', f'exec {shlex.quote(sys.executable)} "$@"')
    interpreter(bare, stub)
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections; without a thread it never answers
        if answers:
            threading.Thread(target=answer_once, args=(server,), daemon=True).start()
        index = f"http://127.0.0.1:{server.getsockname()[1]}"
        begun = time.monotonic()
        words = (f"PYTHON={bare}/interpreter", f"CPU_INDEX={index}", ".venv/.stamp")
        said = make(*words, folder=bare, PATH=str(programs), INSTALLED="0", no_proxy="*")
    assert time.monotonic() - begun < 10
    assert said.returncode == 0
    assert (f"{index} does not answer" in said.stdout) != answers
    assert said.stderr == ""


def answer_once(server):
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")


@pytest.fixture
def fresh(bare):
    """The folder with modules, notebooks and ledgers too: a fresh clone."""
    for name in ("src", "notebooks", "results"):
        shutil.copytree(ROOT / name, bare / name, ignore=shutil.ignore_patterns("__pycache__"))
    return bare


STOPS = 'case "$*" in "-m venv .venv") exit 1;; esac; exec python3 -S "$@"'  # -S: no package but the standard library


def test_what_run_will_do_is_said_before_anything_is_set_up(fresh):
    said = make("run", interpreter(fresh, STOPS), folder=fresh).stdout.splitlines()
    assert re.match(
        r"Runs \d+ notebooks at full scale, about \d+ minutes on a machine like the last one \(.+, ", said[0]
    )
    assert said[1].startswith("Sets up .venv")
    assert not (fresh / ".venv").exists()


def test_what_test_will_do_is_said_before_anything_is_set_up(fresh):
    said = make("test", "AXE=", interpreter(fresh, STOPS), folder=fresh).stdout.splitlines()
    assert said[0].endswith("about six minutes on two cores, the first time.")
    assert said[1].startswith("Sets up .venv")


def test_an_unknown_unit_is_refused_before_anything_is_set_up(fresh):
    refused = make("run", "UNIT=nosuch", interpreter(fresh, STOPS), folder=fresh)
    assert refused.returncode
    assert "no notebook is called 'nosuch'; there are:\n  01_" in refused.stderr
    assert "Sets up" not in refused.stdout


def test_a_unit_of_two_words_is_one_name(fresh):
    refused = make("run", "UNIT=a b", interpreter(fresh, STOPS), folder=fresh)
    assert refused.returncode
    assert "no notebook is called 'a b'; there are:\n  01_" in refused.stderr


def test_other_targets_have_no_plan(fresh):
    assert make("lint", interpreter(fresh, STOPS), folder=fresh).stdout.startswith("Sets up")


def test_unit_is_handed_on(bare):
    for unit in ("translation", "a b", ""):
        commands = make("-n", "run", f"UNIT={unit}", folder=bare).stdout
        assert f"-m tendays.publish.plan run '{unit}'\n" in commands
        assert f"-m tendays.publish.run '{unit}'\n" in commands


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


SPLIT = "print(" + ", ".join(["1" * 10] * 8) + ")"  # 99 columns


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("print(1)", None),
        ("import os\n\nprint(1)", "F401"),
        ("print( 1 )", "File would be reformatted"),
        (SPLIT, "File would be reformatted"),
    ],
    ids=["clean", "unused import", "unformatted", "more than 88 columns"],
)
def test_lint_looks_into_notebooks(equipped, source, complaint):
    for folder in ("src", "tests", "notebooks", "site"):
        (equipped / folder).mkdir()
    (equipped / "conftest.py").touch()
    shutil.copy(ROOT / "notebooks" / "ruff.toml", equipped / "notebooks")
    (equipped / "src" / "wide.py").write_text(f'"""Modules may have 120 columns."""\n\n{SPLIT}\n', "utf-8")
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), equipped / "notebooks" / "01_tiny.ipynb")
    linted = make("lint", folder=equipped)
    assert (linted.returncode == 0) == (complaint is None), linted.stdout
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
