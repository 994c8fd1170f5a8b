"""What a test needs of the machine beyond the environment that `make` sets up.

Where it is missing, a reader's machine skips the test and says why. In CI, where every test is to run, it fails.
"""

import os
import shutil
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test that runs, or fail it where the environment variable ``CI`` is set.

    Args:
        what: what is missing, and what to do about it.
    """
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(what)
    pytest.fail(f"{what} (in CI, where CI={os.environ['CI']}, nothing is skipped)", pytrace=False)


def program(*names: str, package: str) -> str:
    """Where the first of these programs that there is lies; without any, the test is skipped, or fails in CI.

    Args:
        names: what it may be called, on PATH or with a path.
        package: what brings it on Debian.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    return found or missing(f"there is no {package} on PATH; on Debian: apt-get install {package}")
