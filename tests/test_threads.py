import os
import subprocess
import sys

import pytest

import tendays
from tendays import machine, threads
from tendays.publish.run import kernel_environment


def cores(monkeypatch, all_, ours):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: all_)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda pid: set(range(ours)), raising=False)


@pytest.fixture
def proc(tmp_path, monkeypatch):
    """What Linux says is running: a function that writes it."""
    monkeypatch.setattr(threads, "LOADAVG", tmp_path / "loadavg")
    monkeypatch.setattr(threads, "INTERVAL", 0)
    monkeypatch.setattr(threads, "chosen", {})
    cores(monkeypatch, all_=2, ours=2)
    for name in threads.OWN:
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back
        monkeypatch.delenv(name)
    return lambda running, average=0.5: threads.LOADAVG.write_text(f"{average:.2f} 0.40 0.30 {running}/321 4711\n")


@pytest.mark.parametrize(("running", "others"), [(1, 0), (2, 1), (5, 4)])
def test_running_threads_are_counted_without_the_one_that_counts(running, others, proc):
    proc(running)
    assert threads.others_running() == others


def test_what_has_just_begun_does_not_count(proc):
    proc(3, average=0.49)
    assert threads.others_running() == 0


def test_one_sample_out_of_line_does_not_count(proc, monkeypatch):
    said = iter([9, *[1] * (threads.SAMPLES - 1)])
    proc(1)
    monkeypatch.setattr(threads.time, "sleep", lambda seconds: proc(next(said)))
    assert threads.others_running() == 0


@pytest.mark.parametrize("content", [None, "", "0.5 0.4 0.3", "0.5 0.4 0.3 x/321 1", "x 0.4 0.3 3/321 1"])
def test_where_nothing_is_said_nothing_is_running(content, proc):
    if content is not None:
        threads.LOADAVG.write_text(content)
    assert threads.others_running() == 0


@pytest.mark.parametrize(
    ("all_", "ours", "running", "competing"), [(2, 2, 2, 1), (8, 8, 2, 1), (8, 2, 7, 0), (8, 2, 8, 1)]
)
def test_threads_that_fit_on_other_cores_do_not_compete(all_, ours, running, competing, proc, monkeypatch):
    cores(monkeypatch, all_, ours)
    proc(running)
    assert threads.competing() == competing


def test_threads_sleep_beside_another_process(proc, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    proc(3)
    assert threads.prepare() == 2
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert threads.chosen == {"OMP_WAIT_POLICY": "PASSIVE"}


def test_a_kernel_does_not_inherit_the_choice(proc, monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "torch")
    proc(3)
    threads.prepare()
    assert "OMP_WAIT_POLICY" not in kernel_environment(tmp_path / "claims.jsonl")


def test_a_kernel_inherits_what_the_user_set(proc, monkeypatch, tmp_path):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    proc(3)
    threads.prepare()
    assert kernel_environment(tmp_path / "claims.jsonl")["OMP_WAIT_POLICY"] == "ACTIVE"


def test_a_quiet_machine_is_left_as_it_is(proc, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    proc(1)
    assert threads.prepare() == 0
    assert "OMP_WAIT_POLICY" not in os.environ


@pytest.mark.parametrize("name", threads.OWN)
def test_a_setting_of_the_users_stays(name, proc, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setenv(name, "ACTIVE")
    proc(3)
    assert threads.prepare() == 2
    assert [os.environ.get(own) for own in threads.OWN if own != name] == [None]
    assert os.environ[name] == "ACTIVE"


def test_where_torch_is_imported_already_nothing_is_set(proc):
    proc(3)
    assert "torch" in sys.modules
    assert threads.prepare() == 2
    assert "OMP_WAIT_POLICY" not in os.environ


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (0, ""),
        (1, "busy: a thread of another process is running"),
        (3, "busy: 3 threads of other processes are running"),
    ],
)
def test_the_banner_says_when_the_machine_is_busy(others, said, monkeypatch):
    monkeypatch.setattr(tendays, "COMPETING", others)
    assert said in machine.banner()
    assert len(machine.banner().splitlines()) == (2 if others else 1)


def test_importing_the_package_makes_the_choice_and_does_not_import_torch():
    # Python imports a package before any module in it, so this holds for every module.
    code = "import sys, tendays; assert 'torch' not in sys.modules; print(tendays.COMPETING)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert int(done.stdout) >= 0
