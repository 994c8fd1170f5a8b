import pytest

from tendays.scale import pick, scale


@pytest.mark.parametrize("value", ["smoke", "full"])
def test_environment_chooses_the_scale(monkeypatch, value):
    monkeypatch.setenv("TENDAYS_SCALE", value)
    assert scale() == value
    assert pick(full="full", smoke="smoke") == value


@pytest.mark.parametrize("value", [None, ""])
def test_a_run_is_full_unless_said_otherwise(monkeypatch, value):
    monkeypatch.delenv("TENDAYS_SCALE") if value is None else monkeypatch.setenv("TENDAYS_SCALE", value)
    assert scale() == "full"


def test_an_unknown_scale_is_named(monkeypatch):
    monkeypatch.setenv("TENDAYS_SCALE", "tiny")
    with pytest.raises(ValueError, match=r"'tiny'.*'smoke' or 'full'"):
        scale()


def test_tests_run_at_smoke_scale():
    assert scale() == "smoke"
