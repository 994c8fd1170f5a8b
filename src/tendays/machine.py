"""What a run runs on: the device, the processor, the memory it took and the versions it used."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import psutil
import torch

import tendays
from tendays.scale import scale

RECORDED = ("torch", "torchtext", "numpy", "scipy", "sentencepiece", "accelerate", "sacrebleu")


def device() -> Literal["cpu", "cuda"]:
    """The device of this run: what ``TENDAYS_DEVICE`` says, otherwise the GPU if there is one.

    Raises:
        ValueError: ``TENDAYS_DEVICE`` is something other than ``cpu`` or ``cuda``.
        RuntimeError: It is ``cuda``, and torch sees no GPU.
    """
    asked = os.environ.get("TENDAYS_DEVICE") or None
    if asked not in (None, "cpu", "cuda"):
        raise ValueError(f"TENDAYS_DEVICE is {asked!r}; expected 'cpu' or 'cuda'")
    has_gpu = torch.cuda.is_available()
    if asked == "cuda" and not has_gpu:
        raise RuntimeError("TENDAYS_DEVICE is 'cuda', but torch sees no GPU on this machine")
    return asked or ("cuda" if has_gpu else "cpu")


def autocast_dtype(tensor: torch.Tensor) -> torch.dtype | None:
    """The dtype that autocast computes products in on the tensor's device; None outside autocast."""
    kind = tensor.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None


def banner() -> str:
    """One line that says what a notebook is about to run with, and a second one where the machine is busy."""
    name = torch.cuda.get_device_name() if device() == "cuda" else "cpu"
    line = f"tendays {tendays.__version__} · {scale()} scale · torch {torch.__version__} · {name}"
    if not (others := tendays.COMPETING):
        return line
    running = "a thread of another process is" if others == 1 else f"{others} threads of other processes are"
    return f"{line}\nthe machine is busy: {running} running; expect longer times"


def facts() -> dict[str, Any]:
    """What the ledger records about the process that asks: JSON-ready."""
    return {
        "scale": scale(),
        "device": torch.cuda.get_device_name() if device() == "cuda" else "cpu",
        "cpu": _processor(),
        "threads": torch.get_num_threads(),
        "peak_memory_mb": round(_peak_memory() / 2**20),
        "versions": {
            "python": platform.python_version(),
            "tendays": tendays.__version__,
            **{name: version(name) for name in RECORDED},
        },
    }


def _peak_memory() -> int:
    """The most memory that this process has held, in bytes."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource  # which Windows does not have

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def _processor() -> str:
    """The processor's name; Linux keeps it where `platform` does not look."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
