"""How the threads of torch's CPU kernels wait for one another: set before torch is imported, by the machine's load.

A parallel kernel ends when its slowest thread does, and the others spin until then (GNU OpenMP, on Linux). On a quiet
machine that is the fastest way to wait. Beside another busy process it is the slowest: threads that spin use up the
time that the scheduler has for them, and the one that is waited for does not run. Threads that sleep in place of
spinning (``OMP_WAIT_POLICY=PASSIVE``) are woken at once, but each wake-up costs microseconds. ``make bench`` measures
both. The choice holds for the life of a process and for the processes that it starts, so that a later load is not seen.
"""

import os
import statistics
import sys
import time
from pathlib import Path

LOADAVG = Path("/proc/loadavg")
SAMPLES, INTERVAL = 11, 0.002  # seconds between samples
OWN = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")  # where one of these is set, somebody has chosen already


def others_running() -> int:
    """How many threads of other processes are running now: the median of some samples; 0 where Linux does not say."""
    try:
        counts = []
        for _ in range(SAMPLES):
            counts.append(int(LOADAVG.read_text().split()[3].partition("/")[0]) - 1)  # this one is running too
            time.sleep(INTERVAL)
    except (OSError, IndexError, ValueError):
        return 0
    return max(0, round(statistics.median(counts)))


def prepare() -> int:
    """Makes threads sleep while they wait, where other processes are busy; returns how many of their threads run.

    Where torch is imported already, or the environment has a setting, nothing is changed.
    """
    others = others_running()
    if others and "torch" not in sys.modules and not any(name in os.environ for name in OWN):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    return others
