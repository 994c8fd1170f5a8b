from pathlib import Path

import pooch
import pytest
from places import ROOT

from tendays import files


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The package, as it lies where it is installed without a checkout; its folder."""
    package = tmp_path / "lib" / "site-packages" / "tendays"
    package.mkdir(parents=True)
    monkeypatch.setattr(files, "PACKAGE", package)
    return package


@pytest.fixture
def cloned(tmp_path, monkeypatch):
    """The package, as it lies in a checkout of its own; the checkout's root."""
    package = tmp_path / "src" / "tendays"
    package.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setattr(files, "PACKAGE", package)
    return tmp_path


def test_the_checkout_of_these_tests_is_found():
    assert files.checkout() == ROOT


def test_an_installed_package_has_no_checkout(installed):
    assert files.checkout() is None


def test_downloads_are_kept_in_the_checkout(cloned):
    assert files.cache_folder() == cloned / "data" / "cache"


def test_downloads_of_an_installed_package_are_kept_with_the_user(installed):
    assert files.cache_folder() == Path(pooch.os_cache("tendays"))


@pytest.mark.parametrize(("scale", "folder"), [("full", "runs/x"), ("smoke", "runs/smoke/x")])
def test_runs_are_kept_by_scale(scale, folder, cloned, monkeypatch):
    monkeypatch.setenv("TENDAYS_SCALE", scale)
    assert files.runs_folder("x") == cloned / folder


def test_runs_of_an_installed_package_are_kept_in_the_current_folder(installed, monkeypatch):
    monkeypatch.setenv("TENDAYS_SCALE", "full")
    assert files.runs_folder("x") == Path("runs/x")


def test_a_packaged_file_is_that_of_the_checkout_before_that_of_the_package(cloned):
    places = [cloned / "src" / "tendays" / "data" / "x.tsv", cloned / "data" / "x.tsv"]
    with pytest.raises(FileNotFoundError, match=r"^data/x\.tsv is missing; looked for") as error:
        files.packaged("data/x.tsv")
    assert all(str(place) in str(error.value) for place in places)
    for place in places:
        place.parent.mkdir()
        place.write_text("")
        assert files.packaged("data/x.tsv") == place


def test_a_packaged_file_is_found_without_a_checkout(installed):
    (installed / "data").mkdir()
    (installed / "data" / "x.tsv").write_text("")
    assert files.packaged("results/longer/x.tsv") == installed / "data" / "x.tsv"


@pytest.mark.parametrize("path", ["data/lexicon.tsv", "results/longer/pronunciation_comparison.json"])
def test_what_travels_with_the_package_is_there_and_listed(path):
    assert files.packaged(path) == ROOT / path
    assert f'"{path}" = "tendays/data/{Path(path).name}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_a_checkout_is_found_from_a_folder_inside(tmp_path):
    for folder in ("journal", "notebooks", "src/deep"):
        (tmp_path / folder).mkdir(parents=True)
    assert files.checkout_around(tmp_path / "src" / "deep") == tmp_path
    (tmp_path / "notebooks").rmdir()
    with pytest.raises(ValueError, match=r"there is no journal in .*deep or above it"):
        files.checkout_around(tmp_path / "src" / "deep")


@pytest.mark.parametrize("content", ["grün\n", b"\x00\xff"])
def test_a_file_is_written_and_replaced(content, tmp_path):
    path = tmp_path / "new" / "file"
    for given in ("old", content):
        files.write_atomically(path, given)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(path.parent.iterdir()) == [path]


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write_half():
        with files.replacing(path) as scratch:
            scratch.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
