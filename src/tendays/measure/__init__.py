"""Measures: time and memory of a call, confidence intervals, paired comparison of two systems, tables of runs.

An interval prints with the digits that it supports, in tables too::

    print(mean_interval([38.4, 37.9, 38.1]))  # 38.13 (37.51–38.76)
    print(share_interval(81, 263))  # 0.308 (0.255–0.366)
    print(paired_bootstrap(error_rate, system, baseline))  # −1.20 (−2.04 to −0.37), p = 0.004
"""

from tendays.measure.cost import best_time, peak_memory
from tendays.measure.intervals import (
    Difference,
    Interval,
    bootstrap_score,
    error_rate,
    mean_interval,
    paired_bootstrap,
    share_interval,
)
from tendays.measure.tables import runs_table, table
from tendays.recurrent import parameters

__all__ = [
    "Difference",
    "Interval",
    "best_time",
    "bootstrap_score",
    "error_rate",
    "mean_interval",
    "paired_bootstrap",
    "parameters",
    "peak_memory",
    "runs_table",
    "share_interval",
    "table",
]
