"""How the threads of torch's CPU kernels wait for one another: set before torch is imported, by the machine's load.

A parallel kernel ends when its slowest thread does, and the others spin until then (GNU OpenMP, on Linux). On a quiet
machine that is the fastest way to wait. Beside another busy process it is the slowest: threads that spin use up the
time that the scheduler has for them, and the one that is waited for does not run. Threads that sleep in place of
spinning (``OMP_WAIT_POLICY=PASSIVE``) are woken at once, but each wake-up costs microseconds. ``make bench`` measures
both. The number of threads stays as it is, since the last digits of sums depend on it. The choice holds for the life of
a process: a load that comes later is not seen.
"""

import os
import statistics
import sys
import time
from pathlib import Path

LOADAVG = Path("/proc/loadavg")
SAMPLES, INTERVAL = 11, 0.002  # seconds between samples
LASTING = 0.5  # of the load average over a minute: what one process reaches after 40 seconds
OWN = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")  # where one of these is set, somebody has chosen already
chosen: dict[str, str] = {}
"""What `prepare` has set in the environment. Processes that choose for themselves must not inherit it."""


def others_running() -> int:
    """How many threads of other processes run, now and for a while; 0 where Linux does not say.

    Both count: the load average alone remembers processes that have ended, and one moment alone sees those that are
    about to.
    """
    try:
        counts = []
        for _ in range(SAMPLES):
            average, _, _, running, _ = LOADAVG.read_text().split()
            if float(average) < LASTING:
                return 0
            counts.append(int(running.partition("/")[0]) - 1)  # this one is running too
            time.sleep(INTERVAL)
    except (OSError, ValueError):
        return 0
    return max(0, round(statistics.median(counts)))


def competing() -> int:
    """How many running threads of other processes want the cores that this process may use; 0 where Linux does not say.

    Those that fit on the machine's other cores do not count.
    """
    others = others_running()
    return max(0, others - (os.cpu_count() - len(os.sched_getaffinity(0)))) if others else 0


def prepare() -> int:
    """Makes threads sleep while they wait, where other processes compete with them; returns how many threads do.

    Where torch is imported already, or the environment has a setting, nothing is changed.
    """
    others = competing()
    if others and "torch" not in sys.modules and not any(name in os.environ for name in OWN):
        chosen["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.update(chosen)
    return others
