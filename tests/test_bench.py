import sys
import time
import warnings
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import psutil
import pytest
import torch

from tendays import bench
from tendays.transducer import transducer_loss

MB = 2**20  # bytes
TINY = {"from logits": [(2, 3, 2, 4)], "additive": [(2, 3, 2, 4), (1, 5, 1, 3)], "joint": [(2, 3, 2, 4)]}
forms = pytest.mark.parametrize("form", bench.FORMS.values(), ids=bench.FORMS)


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")


# ---- the transducer's part ------------------------------------------------------------------------------------------


@pytest.fixture
def no_torchaudio(monkeypatch):
    monkeypatch.setattr(bench, "find_spec", lambda name: None)


@pytest.fixture
def torchaudio(monkeypatch):
    """A stand-in for torchaudio; the list holds the arguments of each call of its loss."""
    calls = []

    def rnnt_loss(logits, targets, logit_lengths, target_lengths, blank=-1):
        calls.append((logits, targets, logit_lengths, target_lengths, blank))
        return transducer_loss(logits, targets, logit_lengths, target_lengths, blank)

    package, functional = ModuleType("torchaudio"), ModuleType("torchaudio.functional")
    package.__spec__ = ModuleSpec("torchaudio", None)
    package.functional, functional.rnnt_loss = functional, rnnt_loss
    monkeypatch.setitem(sys.modules, "torchaudio", package)
    monkeypatch.setitem(sys.modules, "torchaudio.functional", functional)
    return calls


@forms
def test_the_three_ways_give_the_same_gradients(form, torchaudio):
    torch.manual_seed(0)
    problem = bench.Problem.draw(form, (1, 4, 3, 5), hidden=6)
    ours = problem.ours()
    assert [grad.shape for grad in ours] == [scores.shape for scores in problem.scores]
    torch.testing.assert_close(problem.torchaudios(), ours)
    torch.testing.assert_close(problem.loops(), ours)
    assert all(scores.grad is None for scores in problem.scores)  # nothing that a next call would add to


def test_torchaudio_gets_what_it_takes(torchaudio):
    bench.Problem.draw(bench.FORMS["additive"], (2, 4, 3, 5), hidden=6).torchaudios()
    ((logits, *given, blank),) = torchaudio
    assert (logits.shape, logits.dtype, logits.is_contiguous(), blank) == ((2, 4, 4, 5), torch.float32, True, 0)
    assert {tensor.dtype for tensor in given} == {torch.int32}
    assert [length.tolist() for length in given[1:]] == [[4, 4], [3, 3]]
    assert given[0].min() >= 1


def test_without_torchaudio_each_form_stands_beside_the_loops(no_torchaudio, capsys):
    bench.bench_transducer(TINY, hidden=3)
    printed = capsys.readouterr().out
    assert "  additive, B = 1, T = 5, U = 1, V = 3\n" in printed
    assert "  joint, B = 2, T = 3, U = 2, V = 4, H = 3\n" in printed
    assert printed.count("_loss ") == printed.count(" MB") == 4
    assert printed.count("textbook loops, one sequence × 2 ") == 3
    assert printed.count(" × as fast\n") == 4
    assert "rnnt_loss" not in printed


def test_with_torchaudio_each_form_stands_beside_it_too(torchaudio, capsys):
    bench.bench_transducer(TINY, hidden=3)
    rows = [line.strip() for line in capsys.readouterr().out.splitlines()]
    theirs = [row for row in rows if row.startswith("torchaudio's rnnt_loss ")]
    assert len(theirs) == len([row for row in rows if row.startswith("textbook loops")]) == 4
    assert all(" × as fast, " in row and row.endswith("memory") for row in theirs)
    assert torchaudio


def test_what_does_not_fit_is_left_out_and_said_to_be(torchaudio, capsys, monkeypatch):
    built = 4 * 2 * 3 * 3 * 4  # bytes of the scores
    monkeypatch.setattr(bench.psutil, "virtual_memory", lambda: SimpleNamespace(available=6 * built))
    bench.bench_transducer({"additive": [(2, 3, 2, 4)]})
    printed = capsys.readouterr().out
    assert "torchaudio's rnnt_loss" in printed
    assert "left out: too little memory is free" in printed
    assert "textbook loops" in printed  # of one sequence only
    assert not torchaudio


def test_the_sizes_are_those_of_known_forms():
    assert list(bench.SIZES) == list(bench.FORMS)


def test_ratios_are_worded_both_ways(capsys):
    ours = bench.Cost(0.25, 4 * MB)
    bench._show_cost("ours", ours)
    bench._show_cost("slow", bench.Cost(10.0, 10 * MB), ours)
    bench._show_cost("fast", bench.Cost(0.1, 3 * MB), ours)
    bench._show_cost("loops", bench.Cost(0.5, None), ours)
    rows = capsys.readouterr().out.splitlines()
    assert [" ".join(row.split()) for row in rows] == [
        "ours 250.0 ms 4.0 MB",
        "slow 10000.0 ms 10.0 MB ours: 40 × as fast, 1/2.5 of the memory",
        "fast 100.0 ms 3.0 MB ours: 0.40 × as fast, 1.3 × the memory",
        "loops 500.0 ms ours: 2.0 × as fast",
    ]
    assert len({row.index("ours:") for row in rows[1:]}) == 1
    assert len({row.index(" ms") for row in rows}) == 1


# ---- the other parts, and the command -------------------------------------------------------------------------------


def test_the_loss_of_translation_is_compared_in_both_precisions(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.bench_loss(outputs=6, width=4, vocabulary=11)
    printed = capsys.readouterr().out
    assert printed.count(" ms") == 4
    assert printed.count(" × as fast") == 2


@pytest.mark.parametrize(
    ("wanted", "ran"),
    [([], ["busy", "loss", "translation", "transducer", "energies", "algebra"]), (["transducer"], ["transducer"])],
)
def test_the_command_runs_all_parts_or_those_named(wanted, ran, monkeypatch, capsys):
    called = []
    parts = {name: lambda name=name: called.append(name) for name in bench.PARTS}
    monkeypatch.setattr(bench, "PARTS", parts)
    bench.main(wanted)
    assert called == ran
    assert capsys.readouterr().out.startswith("tendays ")


def test_the_command_names_an_unknown_part():
    with pytest.raises(SystemExit, match=r"no part alignment; expected busy, .*, energies, algebra"):
        bench.main(["transducer", "alignment"])


def test_busy_steps_stand_beside_the_quiet_one(capsys, monkeypatch):
    seconds = iter([0.2, 0.21, 0.64, 0.3])
    monkeypatch.setattr(bench, "_step_seconds", lambda first, repeats: next(seconds))
    bench.bench_busy()
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split(",")[0].strip() for line in lines] == ["quiet", "quiet", *["beside a busy process"] * 2]
    assert [line.split("ms  ")[1].split(" ×")[0] for line in lines] == ["1.00", "1.05", "3.20", "1.50"]


def test_the_busy_process_is_busy_and_ends_with_its_block():
    with bench._busy_process() as process:
        times = psutil.Process(process.pid).cpu_times
        before, deadline = times().user, time.monotonic() + 30
        while times().user < before + 0.1:
            assert time.monotonic() < deadline, "it does not run"
            time.sleep(0.01)
    assert process.returncode is not None


def test_a_step_is_timed_in_a_process_of_its_own():
    assert 0 < bench._step_seconds("import torch", repeats=1) < 60


def test_a_step_is_timed_without_the_setting_of_this_process(monkeypatch):
    environments = []

    def run(command, *, env, **_):
        environments.append(env)
        return SimpleNamespace(stdout="0.5\n")

    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(bench.subprocess, "run", run)
    assert bench._step_seconds("import torch", repeats=1) == 0.5
    (environment,) = environments
    assert "OMP_WAIT_POLICY" not in environment
    assert environment["OMP_NUM_THREADS"] == "1"


# ---- energies -------------------------------------------------------------------------------------------------------


def test_energies_are_timed_together_and_one_by_one(capsys):
    bench.bench_energies(chains=4, steps=2, side=3, few=2)
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "Langevin dynamics, 4 chains of 2 steps in the plane"
    assert lines[3] == "free energies of the ellipse, 3 × 3 pixels, 48 latents"
    speeds = [float(line.split()[-2].replace(",", "")) for line in lines if line.endswith("×")]
    assert len(speeds) == 4
    assert speeds[0] == speeds[2] == 1.0  # a loop beside itself
    assert "steps a second" in lines[1]


# ---- exact linear algebra -------------------------------------------------------------------------------------------


def test_exact_forms_and_solutions_stand_beside_those_of_sympy(capsys):
    bench.bench_linalg(forms=[3, 4], solutions=[5], few=3)
    lines = capsys.readouterr().out.strip().splitlines()
    sizes = [line.strip() for line in lines if line.startswith("  ") and not line.startswith("    ")]
    assert sizes == ["3 × 4", "3 × 3", "4 × 5", "4 × 4", "n = 5"]
    ratios = [line.split("ms  ")[1] for line in lines if " ms " in line]
    assert len(ratios) == 2 * 5 + 2 * 4 + 2
    assert ratios.count("1.0 × the time of the first") >= len(sizes)
    assert sum("over fractions" in line for line in lines) == 2  # only where n is small
