"""What GitHub reads: the workflows and the citation."""

import subprocess
import sys

import pytest
import yaml
from places import ROOT

import tendays
from tendays.publish import address

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def check(schema, *paths):
    """What check-jsonschema says, with the schemas that it brings: it asks no network."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True)


def load(path):
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize("schema", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_workflows_keep_githubs_schema_and_end(schema):
    assert {path.name for path in WORKFLOWS} == {"ci.yml", "pages.yml"}
    checked = check(schema, *WORKFLOWS)
    assert checked.returncode == 0, checked.stdout


def test_a_misspelt_key_of_a_workflow_is_found(tmp_path):
    broken = tmp_path / "ci.yml"
    broken.write_text(WORKFLOWS[0].read_text("utf-8").replace("runs-on:", "run-on:"), "utf-8")
    assert "run-on" in check("vendor.github-workflows", broken).stdout


def test_ci_runs_on_every_push_and_pull_request_with_two_pythons():
    ci = load(ROOT / ".github" / "workflows" / "ci.yml")
    assert ci[True] == {"push": None, "pull_request": None}  # YAML 1.1 reads the key "on" as true
    (job,) = ci["jobs"].values()
    assert job["strategy"]["matrix"]["python"][0] == "3.11"
    assert len(job["strategy"]["matrix"]["python"]) == 2
    assert job["steps"][-1] == {"run": ".ci/run"}


def test_pages_are_published_from_main_by_one_job_with_the_rights_for_it():
    pages = load(ROOT / ".github" / "workflows" / "pages.yml")
    assert pages[True]["push"] == {"branches": ["main"]}
    assert pages["permissions"] == {"contents": "read"}
    build, publish = pages["jobs"]["build"], pages["jobs"]["publish"]
    assert {"run": "make site"} in build["steps"]
    assert build["steps"][-1]["with"] == {"path": "build/site"}
    assert "permissions" not in build
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert publish["needs"] == "build"


def test_the_citation_keeps_the_schema_and_is_of_this_version():
    path = ROOT / "CITATION.cff"
    checked = check("vendor.citation-file-format", path)
    assert checked.returncode == 0, checked.stdout
    citation = load(path)
    assert citation["version"] == tendays.__version__
    assert citation["repository-code"] == f"https://github.com/{address.current(ROOT)}"
    assert citation["license"] == "MIT"
    assert citation["authors"] == [{"name": "The authors of Tendays"}]


def test_a_citation_without_authors_is_found(tmp_path):
    broken = tmp_path / "CITATION.cff"
    broken.write_text((ROOT / "CITATION.cff").read_text("utf-8").replace("authors:", "writers:"), "utf-8")
    assert check("vendor.citation-file-format", broken).returncode == 1
