"""The files of the data sets: found on disk, downloaded by HTTP, or unpacked from a Debian package.

A file is looked for in the folder that the environment variable ``TENDAYS_DATA`` names, which is read-only to this
package; then in the cache, `tendays.files.cache_folder`; then it is downloaded into the cache. Its SHA-256 is checked
on every call. A download is written to a temporary file and renamed when it is complete and its hash is right, so that
neither a broken connection nor a second process leaves a partial file.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit

from tendays.files import cache_folder

TIMEOUT = 30  # seconds without an answer


class DataUnavailable(RuntimeError):  # noqa: N818 (the state of a machine, not a caller's error)
    """A data set is neither on this machine nor can it be downloaded.

    Attributes:
        why: What happened, and to which file.
        advice: What the user can do.
    """

    def __init__(self, why: str, advice: str):
        super().__init__(why, advice)
        self.why, self.advice = why, advice

    def __str__(self) -> str:
        return f"{self.why}. {self.advice}"


# ---- on disk --------------------------------------------------------------------------------------------------------


def data_folder() -> Path | None:
    """The folder that ``TENDAYS_DATA`` names, or None where it is not set.

    Raises:
        ValueError: The folder does not exist.
    """
    value = os.environ.get("TENDAYS_DATA")
    if not value:
        return None
    if not Path(value).is_dir():
        raise ValueError(f"TENDAYS_DATA is {value!r}, which is not a folder")
    return Path(value)


def has_hash(path: Path, sha256: str) -> bool:
    """Whether ``path`` is a file with this SHA-256."""
    return path.is_file() and _sha256(path) == sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def on_disk(name: str, sha256: str) -> Path | None:
    """The file ``name`` in ``TENDAYS_DATA`` or else in the cache; None if neither has it with the right hash.

    Raises:
        ValueError: The file in ``TENDAYS_DATA`` has another hash. It is reported instead of replaced by a download,
            because the user put it there.
    """
    folder = data_folder()
    given = folder / name if folder else None
    if given and given.exists():
        if not has_hash(given, sha256):
            actual = _sha256(given) if given.is_file() else "none: it is no file"
            raise ValueError(f"wrong file in TENDAYS_DATA: {given} should have SHA-256 {sha256} and has {actual}")
        return given
    cached = cache_folder() / name
    return cached if has_hash(cached, sha256) else None


def _corrupt(target: Path) -> str:
    """The beginning of an error message where ``target`` exists, and so has the wrong hash; else nothing."""
    return f"the cached copy {target} is corrupt, and " if target.exists() else ""


# ---- by HTTP --------------------------------------------------------------------------------------------------------


def download(name: str, url: str, sha256: str, advice: str) -> Path:
    """The file ``name``: from disk, or else downloaded into the cache.

    Args:
        name: Its path below ``TENDAYS_DATA`` and below the cache.
        url: Where it is published.
        sha256: Its hash.
        advice: What the user can do if the download fails.

    Raises:
        DataUnavailable: The file is not on disk, and the download fails.
        ValueError: ``TENDAYS_DATA`` names no folder, or holds a wrong file.
    """
    path = on_disk(name, sha256)
    if path:
        return path
    import pooch  # takes 0.3 s, which only a download has to wait for

    target = cache_folder() / name
    corrupt = _corrupt(target)
    pooch.get_logger().setLevel("ERROR")  # by default it prints two lines for each download
    try:
        downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
        pooch.retrieve(url, f"sha256:{sha256}", fname=target.name, path=target.parent, downloader=downloader)
    except (OSError, ValueError) as error:  # every error of requests is an OSError; a wrong hash is a ValueError
        raise DataUnavailable(f"{corrupt}{url} could not be downloaded: {_reason(error, url)}", advice) from error
    return target


def _reason(error: OSError | ValueError, url: str) -> str:
    """Why a download failed, for a reader who does not know the HTTP client."""
    import requests

    if isinstance(error, requests.HTTPError):
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT} seconds"
    if isinstance(error, requests.ConnectionError):
        return f"no connection to {urlsplit(url).hostname} (offline, or it stopped answering)"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut off"
    if isinstance(error, ValueError):
        return f"it has the wrong bytes ({str(error).split(' Deleted', 1)[0].rstrip('.')})"
    return str(error)


# ---- from a Debian package ------------------------------------------------------------------------------------------


def unpack_package(name: str, package: str, member: str, sha256: str, advice: str) -> Path:
    """Downloads a Debian package, without root, and puts one of its files into the cache.

    Args:
        name: The file's path below the cache.
        package: The package's name; it comes from the sources that the machine's apt is configured with.
        member: The file's path inside the package.
        sha256: The file's hash.
        advice: What the user can do if it fails.

    Returns:
        The file in the cache.

    Raises:
        DataUnavailable: The machine has no apt, or is offline, or the package holds another version of the file.
    """
    target = cache_folder() / name
    subject = f"{_corrupt(target)}the package {package}"
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise DataUnavailable(f"{subject} needs apt-get and dpkg, which this machine does not have", advice)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            limits = [f"-oAcquire::{scheme}::Timeout={TIMEOUT}" for scheme in ("http", "https")]
            _run(["apt-get", "download", "-oAcquire::Retries=0", *limits, package], folder)
            for archive in Path(folder).glob("*.deb"):
                _run(["dpkg", "-x", archive.name, "."], folder)
            unpacked = Path(folder) / member
            if not has_hash(unpacked, sha256):
                raise DataUnavailable(f"{subject} holds another version of {member}", advice)
            os.replace(unpacked, target)  # atomic, because both are in the same file system
    except (OSError, subprocess.SubprocessError) as error:
        message = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
        raise DataUnavailable(f"{subject} could not be fetched: {message}", advice) from error
    return target


def _run(command: list[str], folder: str) -> None:
    settings = {**os.environ, "LC_ALL": "C"}
    subprocess.run(command, cwd=folder, env=settings, check=True, capture_output=True, text=True, timeout=4 * TIMEOUT)


# ---- reading --------------------------------------------------------------------------------------------------------


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, plain or ``.gz``: Unicode NFC, stripped of white space.

    Lines end in a line feed, with or without a carriage return before it; no other character that Unicode counts as a
    line break ends one.

    Raises:
        ValueError: The file is not UTF-8; the message has the number of the first such line.
    """
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {number}: not UTF-8 ({error.reason})") from error
    lines = unicodedata.normalize("NFC", text).split("\n")
    if not lines[-1]:  # what follows the last line feed is no line
        lines.pop()
    return [line.strip() for line in lines]


def read_pairs(german: Path, english: Path) -> tuple[list[tuple[str, str]], int]:
    """The pairs of two files that correspond line by line, and how many were dropped because a side is empty.

    Raises:
        ValueError: A file is not UTF-8, or they differ in their number of lines.
    """
    left, right = read_lines(german), read_lines(english)
    if len(left) != len(right):
        raise ValueError(f"{german} has {len(left)} lines, {english} has {len(right)}; they should correspond")
    pairs = [pair for pair in zip(left, right, strict=True) if all(pair)]
    return pairs, len(left) - len(pairs)
