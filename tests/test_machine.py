import json

import pytest
import torch

import tendays
from tendays import machine


def test_environment_chooses_the_device(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")
    assert machine.device() == "cpu"
    monkeypatch.setenv("TENDAYS_DEVICE", "")
    assert machine.device() == "cuda"


def test_without_a_gpu_the_device_is_the_cpu_and_cuda_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("TENDAYS_DEVICE", raising=False)
    assert machine.device() == "cpu"
    monkeypatch.setenv("TENDAYS_DEVICE", "cuda")
    with pytest.raises(RuntimeError, match="no GPU"):
        machine.device()


def test_an_unknown_device_is_named(monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "tpu")
    with pytest.raises(ValueError, match="'tpu'"):
        machine.device()


def test_facts_are_json_and_banner_names_versions(monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")
    facts = json.loads(json.dumps(machine.facts()))
    assert facts["device"] == "cpu"
    assert facts["scale"] == "smoke"
    assert facts["threads"] == torch.get_num_threads()
    assert facts["versions"]["torch"] == torch.__version__
    assert 20 < facts["peak_memory_mb"] < 100_000
    monkeypatch.setattr(tendays, "COMPETING", 0)
    assert machine.banner() == f"tendays {tendays.__version__} · smoke scale · torch {torch.__version__} · cpu"
