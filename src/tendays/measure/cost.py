"""What a call takes: the shortest of several times, the peak of the memory of tensors."""

import gc
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from tendays import machine


def best_time(call: Callable[[], object], repeats: int = 5, enough: float = math.inf) -> float:
    """The shortest time that a call takes, in seconds, over a first call to warm up and `repeats` further ones.

    Args:
        call: what is timed.
        repeats: how many calls follow the first.
        enough: the total time in seconds after which no further call starts.

    Raises:
        ValueError: `repeats` is negative, or `enough` is not positive.
    """
    if repeats < 0 or not enough > 0:
        raise ValueError(f"repeats is {repeats} and enough is {enough}; expected at least 0, and more than 0 seconds")
    times: list[float] = []
    _finish()
    while len(times) <= repeats and sum(times) < enough:
        begun = time.perf_counter()
        call()
        _finish()
        times.append(time.perf_counter() - begun)
    return min(times)


def _finish() -> None:
    """Waits until the GPU, where one is in use, has computed what it was given."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


# ---- memory ---------------------------------------------------------------------------------------------------------


def peak_memory(call: Callable[[], object], device: str | None = None) -> int:
    """The peak memory of tensors during a call, in bytes, less what they took before it.

    On a CPU, the profiler records every allocation and release of torch, so that the number is exact and does not
    depend on what an allocator keeps in reserve. Memory of others (Python's lists, NumPy's arrays) is not counted.
    What is written to file descriptor 2 during the call is lost, because torch's profiler writes messages there.

    Args:
        call: what is measured; its exceptions are passed on. On a GPU call it once before: the first matrix product
            allocates a workspace that stays.
        device: whose memory is measured, ``cpu`` or ``cuda``; by default that of the device of this run.

    Raises:
        ValueError: `device` is something else.
    """
    device = device or machine.device()
    if device not in ("cpu", "cuda"):
        raise ValueError(f"device is {device!r}; expected 'cpu' or 'cuda'")
    gc.collect()  # garbage of before would otherwise be released at some moment of the call
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return torch.cuda.max_memory_allocated() - before
    changes = _changes_of_memory(call)
    # Each change has its own size, with its sign, and the total after it.
    before = changes[0]["Total Allocated"] - changes[0]["Bytes"] if changes else 0
    return max([0, *(change["Total Allocated"] - before for change in changes)])


def _changes_of_memory(call: Callable[[], object]) -> list[dict[str, int]]:
    """The profiler's records of every allocation and release on the CPU during a call, in order."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace.json")
        with _without_stderr():
            with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
                call()
            profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text("utf-8"))["traceEvents"]
    memory = (event for event in events if event.get("name") == "[memory]")
    changes = (event["args"] for event in sorted(memory, key=lambda event: event["ts"]))
    return [change for change in changes if change["Device Type"] == 0]  # 0 is the CPU


@contextmanager
def _without_stderr() -> Iterator[None]:
    """A block in which file descriptor 2 is discarded: C++ writes to it directly, not through sys.stderr."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
