import math
import os
import sys
from types import SimpleNamespace

import pytest
import torch

from tendays import measure

MB = 2**20  # bytes


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")


def megabyte() -> torch.Tensor:
    return torch.ones(MB // 4)


# ---- time -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock that only `clock.sleep` moves."""
    clock = SimpleNamespace(now=0.0)
    clock.sleep = lambda seconds: setattr(clock, "now", clock.now + seconds)
    monkeypatch.setattr(measure.time, "perf_counter", lambda: clock.now)
    return clock


def test_best_time_is_that_of_the_fastest_call(clock):
    times = [9.0, 3.0, 2.0, 4.0]
    assert measure.best_time(lambda: clock.sleep(times.pop(0)), repeats=3) == 2.0
    assert times == []


def test_best_time_stops_when_it_has_enough(clock):
    times = [2.0, 3.0, 1.0]
    assert measure.best_time(lambda: clock.sleep(times.pop(0)), repeats=2, enough=5.0) == 2.0
    assert times == [1.0]
    assert measure.best_time(lambda: clock.sleep(times.pop(0)), repeats=2, enough=1.0) == 1.0


# ---- memory ---------------------------------------------------------------------------------------------------------


def two_at_once():
    first, second = megabyte(), megabyte()
    del first
    third = megabyte()
    del second, third
    return megabyte()


def test_peak_memory_counts_what_is_there_at_once():
    assert measure.peak_memory(two_at_once) == 2 * MB
    assert measure.peak_memory(lambda: [two_at_once(), megabyte()]) == 2 * MB
    assert measure.peak_memory(lambda: [megabyte() for _ in range(5)]) == 5 * MB
    assert measure.peak_memory(lambda: None) == 0


@pytest.mark.parametrize("counted", [False, True], ids=["made unseen", "made while memory was counted"])
def test_peak_memory_does_not_count_what_was_there(counted):
    kept = []

    def make():
        kept.extend([megabyte(), megabyte(), megabyte()])

    assert measure.peak_memory(make) == 3 * MB if counted else make() is None
    assert measure.peak_memory(lambda: kept[0].neg()) == MB
    assert measure.peak_memory(kept.clear) == 0


def test_peak_memory_counts_gradients_and_what_is_kept_for_them():
    numbers = megabyte().requires_grad_()
    # The square roots are kept for the backward pass, which makes as many gradients.
    assert measure.peak_memory(lambda: numbers.sqrt()) == MB
    assert measure.peak_memory(lambda: numbers.sqrt().sum().backward()) >= 2 * MB
    assert numbers.grad is not None


def test_peak_memory_on_a_gpu_asks_the_allocator(monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    gpu = SimpleNamespace(now=500, most=900)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: setattr(gpu, "most", gpu.now))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: gpu.now)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: gpu.most)
    assert measure.peak_memory(lambda: setattr(gpu, "most", 650)) == 150
    assert measure.peak_memory(megabyte, device="cpu") == MB


def test_peak_memory_writes_nothing_and_gives_stderr_back(capfd):
    held = [megabyte()]
    measure.peak_memory(held.clear)  # of which torch would say that it does not know this block
    os.write(2, b"from C\n")
    print("from Python", file=sys.stderr)
    assert capfd.readouterr() == ("", "from C\nfrom Python\n")


def test_peak_memory_passes_an_error_on_and_gives_stderr_back(capfd):
    before = os.fstat(2).st_ino, len(os.listdir("/dev/fd"))
    with pytest.raises(ZeroDivisionError):
        measure.peak_memory(lambda: 1 / 0)
    assert (os.fstat(2).st_ino, len(os.listdir("/dev/fd"))) == before
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"
    assert measure.peak_memory(megabyte) == MB


@pytest.mark.parametrize(("repeats", "enough"), [(-1, 1.0), (1, 0.0), (1, math.nan)])
def test_best_time_without_a_call_is_refused(repeats, enough):
    with pytest.raises(ValueError, match=f"repeats is {repeats} and enough is {enough}; expected at least 0, and more"):
        measure.best_time(pytest.fail, repeats, enough)


def test_peak_memory_of_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device is 'tpu'; expected 'cpu' or 'cuda'"):
        measure.peak_memory(pytest.fail, device="tpu")
