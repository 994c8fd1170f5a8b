"""JupyterLab as `make lab` starts it, and a notebook run there by a reader's clicks."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import browser
import nbformat
import needs
import psutil
import pytest
from places import ROOT

NOTEBOOK = "04_transducer.ipynb"
START, RUN = 60, 240  # seconds to wait, for the server or its page, and for a notebook
# What the tests, or a developer's shell, say to the kernel and to Jupyter, and a reader's does not.
OURS = ("IPYTHON", "JUPYTER", "MAKE", "MFLAGS", "PYTEST", "PYTHON", "TENDAYS_", "TQDM_")
# Cells far from the window are otherwise left out of the page; and no question lies over it.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
# Notes every output that looks like a progress bar, however briefly it is shown.
WATCH = r"""() => {
  window.bars = new Set();
  new MutationObserver(changes => {
    for (const change of changes) {
      const node = change.target.nodeType === 1 ? change.target : change.target.parentElement;
      const output = node && node.closest('.jp-OutputArea');
      if (output) for (const bar of output.innerText.match(/[^\n]*\d+%\|[^\n]*/g) || []) window.bars.add(bar);
    }
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
PROMPTS = "[...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')].map(e => e.textContent.trim())"


def lab_command() -> list[str]:
    """What `make lab` starts, for this interpreter, on a free port and without opening a browser."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    shown = subprocess.run(["make", "-n", "lab"], cwd=ROOT, env=own, capture_output=True, text=True, check=True)
    first, *words = shlex.split(shown.stdout.splitlines()[-1])
    assert first == ".venv/bin/python"
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    return [sys.executable, *words, "--no-browser", "--ServerApp.port=0", *as_root]


def wait_for(what, seconds):
    """The first true value of a function that is asked again and again."""
    until = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < until, f"nothing after {seconds} s"
        time.sleep(0.1)
    return value


def without_outputs(notebook: Path, to: Path) -> None:
    cleared = nbformat.read(notebook, as_version=4)
    for cell in cleared.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    nbformat.write(cleared, to)


def stop(server: subprocess.Popen) -> None:
    """End a server and whatever it has started."""
    if server.poll() is None:
        started = psutil.Process(server.pid).children(recursive=True)
        server.terminate()  # it stops its kernels itself; what is left of them after a while is stopped here
        _, left = psutil.wait_procs([psutil.Process(server.pid), *started], 20)
        for process in left:
            process.kill()
        server.wait(START)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A running JupyterLab in a copy of the checkout, and what it says of itself."""
    folder = tmp_path_factory.mktemp("lab")
    clone = folder / "clone"
    for name in ("src", "data/lexicon.tsv", "pyproject.toml", "results/longer"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, clone / name)
    (clone / "notebooks").mkdir()
    without_outputs(ROOT / "notebooks" / NOTEBOOK, clone / "notebooks" / NOTEBOOK)
    for name, settings in SETTINGS.items():
        path = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(settings))

    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    for kind in ("config", "data", "runtime"):
        environment[f"JUPYTER_{kind.upper()}_DIR"] = str(folder / kind)
    environment |= {"IPYTHONDIR": str(folder / "ipython"), "TENDAYS_SCALE": "smoke"}
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(lab_command(), cwd=clone, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: server.poll() is not None or [*folder.glob("runtime/jpserver-*.json")], START)
        assert server.poll() is None, (folder / "log").read_text()
        (said,) = folder.glob("runtime/jpserver-*.json")
        yield wait_for(lambda: said.read_text() and json.loads(said.read_text()) | {"clone": clone}, START)
    finally:
        stop(server)


def status(lab, path: str) -> tuple[int, str]:
    """The status of a page, and the address that it comes from in the end."""
    try:
        with urllib.request.urlopen(lab["url"] + path, timeout=START) as answer:
            return answer.status, answer.url
    except urllib.error.HTTPError as error:
        return error.code, error.url


def test_it_listens_to_this_machine_alone(lab):
    server = psutil.Process(lab["pid"])
    sockets = [socket for socket in server.net_connections("inet") if socket.status == psutil.CONN_LISTEN]
    assert lab["port"] in {socket.laddr.port for socket in sockets}
    assert {socket.laddr.ip for socket in sockets} == {"127.0.0.1"}


def test_it_answers_those_who_have_the_token(lab):
    assert re.fullmatch("[0-9a-f]{48}", lab["token"])
    for wrong in ("", "?token=", "?token=wrong"):
        assert status(lab, f"api/contents{wrong}")[0] == 403
        assert "/login?" in status(lab, f"lab{wrong}")[1]
    assert status(lab, f"api/contents?token={lab['token']}")[0] == 200
    assert "/login?" not in status(lab, f"lab?token={lab['token']}")[1]


def note_failure(page, lab, answer) -> None:
    """Note an answer of the server that says no; the badge is an image from elsewhere, and may be out of reach."""
    if answer.status >= 400 and answer.url.startswith(lab["url"]):
        page.complaints.append(f"{answer.status} {answer.url}")


@pytest.fixture
def page(lab):
    """The notebook, opened in a browser; with what went wrong there in `page.complaints`."""
    with browser.launched() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("response", lambda answer: note_failure(page, lab, answer))
        page.goto(f"{lab['url']}lab/tree/{NOTEBOOK}?token={lab['token']}")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=1000 * START)
        page.locator(".jp-NotebookPanel-toolbar").get_by_text("Python 3").wait_for(timeout=1000 * START)
        yield page


def menu(page, name: str, command: str) -> None:
    page.locator(".lm-MenuBar-item").get_by_text(name, exact=True).click()
    page.locator(f'.lm-Menu-item[data-command="{command}"]').click()


def whole(path: Path) -> nbformat.NotebookNode | None:
    """A notebook, or nothing while JupyterLab is still writing it."""
    try:
        return nbformat.read(path, as_version=4)
    except nbformat.reader.NotJSONError:
        return None


@pytest.mark.timeout(2 * RUN)
def test_a_reader_runs_all_cells(lab, page):
    page.evaluate(WATCH)
    menu(page, "Run", "runmenu:run-all")
    page.wait_for_function(f"{PROMPTS}.some(text => text === '[*]:')", timeout=1000 * START)
    page.wait_for_function(f"!{PROMPTS}.some(text => text === '[*]:')", timeout=1000 * RUN)
    path = lab["clone"] / "notebooks" / NOTEBOOK
    before = path.stat().st_mtime_ns
    menu(page, "File", "docmanager:save")
    saved = wait_for(lambda: path.stat().st_mtime_ns != before and whole(path), START)

    cells = [cell for cell in saved.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert "smoke scale" in cells[0].outputs[0].text

    figures = sum("image/png" in output.get("data", {}) for output in outputs)
    shown = page.evaluate(
        "[...document.querySelectorAll('.jp-OutputArea img')].filter(e => e.naturalWidth > 99).length"
    )
    assert shown == figures > 3
    assert page.locator("mjx-container").count() > 20
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    assert any(re.match(r"epoch \d+/\d+: +\d+%\|", bar) for bar in page.evaluate("[...window.bars]"))
    assert page.complaints == []


@pytest.mark.parametrize(("value", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_without_a_browser_a_test_is_skipped_here_and_fails_in_ci(monkeypatch, value, outcome):
    monkeypatch.setenv("CI", value)
    monkeypatch.setattr(browser, "NAMES", ("no-such-browser",))
    with pytest.raises(outcome, match="apt-get install chromium"), browser.launched():
        pass
    with pytest.raises(outcome, match="the reason"):
        needs.missing("the reason")
