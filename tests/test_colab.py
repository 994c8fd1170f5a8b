"""Notebooks as Colab runs them: one file in an empty folder, the public address, and a torch that is to stay.

The environment is a new one. Its Jupyter is as old as Colab's and comes from the package index; torch, NumPy and
Matplotlib, which Colab has too, are lent to it by the environment that the tests run in, so that no test downloads a
torch. The public address is mapped, for git and only here, to a repository made from the working tree: what is
installed is what is being worked on.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path

import nbformat
import needs
import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from places import ROOT

from tendays.publish.address import current
from tendays.publish.ledger import source_hash

NOTEBOOKS = ["01_energy_based_models"]  # any that runs without a download, a minute for each

# As in Colab, where there is a Python that these still run under.
JUPYTER = ["ipykernel==6.17.1 ; python_version < '3.13'", "ipython==7.34.0 ; python_version < '3.13'", "ipykernel"]
LENT = ["torch", "numpy", "matplotlib"]
# What the tests, or a developer's shell, say to Python, Jupyter, git and the project, and Colab does not.
OURS = ("GIT_", "IPYTHON", "JUPYTER", "MPL", "PYTEST", "PYTHON", "TENDAYS_", "TQDM_", "VIRTUAL_ENV", "XDG_")
PIP_SETTINGS = (".config/pip/pip.conf", ".pip/pip.conf", "Library/Application Support/pip/pip.conf")
ASK = """
import json, sys, tendays, torch
print(json.dumps([sys.prefix, tendays.__file__, torch.__file__, torch.__version__]))
"""


@dataclass
class Colab:
    """A machine as Colab lends it: an environment, its variables, and a folder with nothing in it."""

    venv: Path
    folder: Path
    environment: dict[str, str]

    def python(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [self.venv / "bin" / "python", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)

    def run(self, notebook: Path) -> tuple[nbformat.NotebookNode, dict[str, Path | str]]:
        """The notebook, run to its end where it lies alone; and what its kernel says of itself at the end."""
        shutil.copy(notebook, self.folder)
        cells = nbformat.read(self.folder / notebook.name, as_version=4)
        cells.cells.append(nbformat.v4.new_code_cell(ASK))
        manager = AsyncKernelManager(kernel_spec_manager=OneKernel(self.venv / "bin" / "python"))
        client = NotebookClient(cells, km=manager, timeout=600, resources={"metadata": {"path": str(self.folder)}})
        with client.setup_kernel(cleanup_kc=True, env=self.environment):
            for index, cell in enumerate(cells.cells):
                client.execute_cell(cell, index)
        prefix, tendays, torch, torch_version = json.loads(cells.cells[-1].outputs[-1].text)
        said = {"prefix": Path(prefix), "tendays": Path(tendays), "torch": Path(torch), "version": torch_version}
        return cells, said


class OneKernel(KernelSpecManager):
    """Knows the kernel of one interpreter, whatever name is asked for."""

    def __init__(self, python: Path):
        super().__init__()
        self.python = python

    def get_kernel_spec(self, kernel_name):
        command = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name=kernel_name, language="python")


def with_what_they_need(names: list[str]) -> list[Distribution]:
    """The distributions of these names that this environment has, and those that they depend on."""
    found: dict[str, Distribution] = {}
    wanted = list(names)
    while wanted:
        name = canonicalize_name(wanted.pop())
        try:
            found[name], new = distribution(name), name not in found
        except PackageNotFoundError:  # for another build of torch, say, or another system
            continue
        requirements = map(Requirement, found[name].requires or ()) if new else ()
        wanted += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return list(found.values())


def lend(names: list[str], folder: Path) -> None:
    """Links to packages of this environment. From outside its own folders, pip uses a package and never removes it."""
    folder.mkdir()
    for lent in with_what_they_need(names):
        for top in {file.parts[0] for file in lent.files} - {"..", "__pycache__"}:
            if not top.endswith(".pth") and not (folder / top).exists():
                (folder / top).symlink_to(lent.locate_file(top))


def publish(folder: Path, environment: dict[str, str]) -> None:
    """A git repository at `folder`, its branch main holding what a commit of the working tree would."""
    git = needs.program("git", package="git")
    listed = subprocess.run([git, "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        needs.missing("git cannot list the files of this folder; in a clone it can")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    author = ["-c", "user.name=Tests", "-c", "user.email=tests@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", "The working tree"]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """What the notebooks' environments are copies of, and their variables."""
    folder = tmp_path_factory.mktemp("colab")
    (home := folder / "home").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment |= {"HOME": str(home), "TENDAYS_SCALE": "smoke", "TENDAYS_DEVICE": "cpu"}
    # The home folder is new, so that no data or setting of the developer's is found; but pip needs its way to an index.
    for name in PIP_SETTINGS:
        if (settings := Path.home() / name).is_file():
            (home / name).parent.mkdir(parents=True)
            shutil.copy(settings, home / name)
    cache = subprocess.run([sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True)
    environment.setdefault("PIP_CACHE_DIR", cache.stdout.strip())

    publish(folder / "repository", environment)
    mapping = {
        "KEY": f"url.{(folder / 'repository').as_uri()}.insteadOf",
        "VALUE": f"https://github.com/{current(ROOT)}",
    }
    environment |= {"GIT_CONFIG_COUNT": "1"} | {f"GIT_CONFIG_{name}_0": value for name, value in mapping.items()}

    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    lend(LENT, folder / "lent")
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text(f"{folder / 'lent'}\n")
    command = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "-q", "--retries=1", *JUPYTER]
    installed = subprocess.run(command, env=environment, capture_output=True, text=True)
    if installed.returncode:
        reason = (installed.stderr.strip().splitlines() or ["no reason given"])[-1]
        needs.missing(f"pip cannot install Colab's Jupyter; is this machine online? {reason}")
    return folder, environment


@pytest.fixture
def colab(base, tmp_path):
    """A machine that no notebook has run on yet."""
    folder, environment = base
    shutil.copytree(folder / "venv", tmp_path / "venv", symlinks=True)
    (tmp_path / "content").mkdir()
    return Colab(tmp_path / "venv", tmp_path / "content", environment)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_alone_runs_to_its_end(colab, base, name):
    before = colab.python("-c", "import torch; print(torch.__version__)\nimport tendays")
    assert before.stdout.strip() == version("torch")
    assert "No module named 'tendays'" in before.stderr

    cells, said = colab.run(ROOT / "notebooks" / f"{name}.ipynb")
    banner = next(
        line for line in "".join(o.get("text", "") for o in cells.cells[1].outputs).splitlines() if "·" in line
    )
    assert "smoke scale" in banner
    assert said["prefix"] == colab.venv
    assert "site-packages" in said["tendays"].parts
    assert said["tendays"].is_relative_to(colab.venv)
    assert source_hash(said["tendays"].parent) == source_hash(base[0] / "repository/src/tendays")
    assert said["version"] == version("torch")
    assert said["torch"].is_relative_to(base[0] / "lent")
