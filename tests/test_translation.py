import itertools
import math
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from tendays import corpora, translation
from tendays.pieces import BOS, EOS, PAD, UNK, Batch, Pieces, pad
from tendays.training import Recipe, load_tensors, save_tensors
from tendays.translation import (
    Plan,
    Size,
    Translator,
    beam_search,
    bleu,
    bleu_signature,
    greedy,
    limits,
    smoothed_cross_entropy,
    translate,
)

VOCABULARY = 12
sentences = st.lists(st.lists(st.integers(4, VOCABULARY - 1), min_size=1, max_size=7), min_size=1, max_size=5)


def tiny(seed=0, vocabulary=VOCABULARY, attention=True) -> Translator:
    """A translator of random weights, exact enough (float64) for equalities, and not quite certain of anything."""
    torch.manual_seed(seed)
    model = Translator(Size(vocabulary, 6, 5, 7, attention=attention)).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    return model


@pytest.fixture(scope="module")
def model():
    return tiny()


def batch_of(source, target) -> Batch:
    ids, lengths = pad([[*row, EOS] for row in source])
    words, counts = pad([[BOS, *row, EOS] for row in target])
    return Batch(ids, lengths, words, counts - 1)


# ---- the loss --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize(("rows", "ignore"), [(1, -1), (512, 3), (513, -1), (1100, 0)])
def test_loss_and_gradients_are_those_of_torchs_cross_entropy(rows, smoothing, ignore):
    torch.manual_seed(rows)
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in [(rows, 5), (9, 5), (9,)]]
    targets = torch.randint(0, 9, (rows,))
    fast = smoothed_cross_entropy(*inputs, targets, smoothing, ignore)
    outputs, weight, bias = inputs
    how = {"ignore_index": ignore, "label_smoothing": smoothing, "reduction": "sum"}
    slow = F.cross_entropy(outputs @ weight.T + bias, targets, **how)
    assert fast.item() == pytest.approx(slow.item(), rel=1e-12)
    for mine, theirs in zip(torch.autograd.grad(3 * fast, inputs), torch.autograd.grad(3 * slow, inputs), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)


def test_the_gradient_passes_gradcheck():
    torch.manual_seed(0)
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in [(3, 2), (4, 2), (4,)]]
    targets = torch.tensor([0, 3, 3])
    assert torch.autograd.gradcheck(lambda *x: smoothed_cross_entropy(*x, targets, 0.1), inputs)


def test_the_loss_and_gradients_of_three_symbols_are_those_worked_by_hand():
    # Logits are log 6, log 3, log 1, so that p = 0.6, 0.3, 0.1; the target is 1, with 0.4 spread over the three.
    outputs = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
    weight = torch.tensor([[6.0], [3.0], [1.0]], dtype=torch.float64).log().requires_grad_()
    bias = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    loss = smoothed_cross_entropy(outputs, weight, bias, torch.tensor([1]), 0.4)
    expected = -(0.6 * math.log(0.3) + 0.4 / 3 * math.log(0.6 * 0.3 * 0.1))
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    grad_outputs, grad_weight, grad_bias = torch.autograd.grad(loss, (outputs, weight, bias))
    grad_logits = [0.6 - 0.4 / 3, 0.3 - 0.4 / 3 - 0.6, 0.1 - 0.4 / 3]
    assert grad_bias.tolist() == pytest.approx(grad_logits)
    assert grad_weight.flatten().tolist() == pytest.approx(grad_logits)
    assert grad_outputs.item() == pytest.approx(grad_logits[0] * math.log(6) + grad_logits[1] * math.log(3))


def test_the_loss_is_exact_for_huge_scores():
    outputs, weight = torch.tensor([[200.0], [-200.0]]), torch.tensor([[1.0], [-1.0]])
    loss = smoothed_cross_entropy(outputs, weight, torch.zeros(2), torch.tensor([0, 0]), 0.0)
    assert float(loss) == pytest.approx(400)


def test_a_second_derivative_is_refused():
    weight = torch.randn(4, 2, requires_grad=True)
    loss = smoothed_cross_entropy(torch.randn(3, 2), weight, torch.zeros(4), torch.tensor([0, 1, 2]), 0.1)
    (gradient,) = torch.autograd.grad(loss.square(), weight, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_under_autocast_the_loss_is_close_and_the_gradients_keep_their_dtype():
    torch.manual_seed(0)
    outputs, weight = torch.randn(40, 8), torch.randn(30, 8, requires_grad=True)
    bias, targets = torch.zeros(30, requires_grad=True), torch.randint(0, 30, (40,))
    exact = smoothed_cross_entropy(outputs, weight, bias, targets, 0.1)
    with torch.autocast("cpu", torch.bfloat16):
        loss = smoothed_cross_entropy(outputs, weight, bias, targets, 0.1)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=0.01)
    assert loss.item() != exact.item()
    assert torch.autograd.grad(loss, weight)[0].dtype == torch.float32


# ---- the network -----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(sentences, st.integers(1, 4), st.booleans())
def test_padding_and_other_rows_change_no_loss(source, more, attention):
    model = tiny(attention=attention)
    batch = batch_of(source, source[::-1])
    loss = model(batch)
    padded = Batch(
        F.pad(batch.source, (0, more), value=7),
        batch.source_lengths,
        F.pad(batch.target, (0, more)),
        batch.target_lengths,
    )
    torch.testing.assert_close(model(padded), loss)
    alone = [model(batch_of([a], [b])) for a, b in zip(source, source[::-1], strict=True)]
    torch.testing.assert_close(sum(alone), loss)


def test_the_padding_of_the_source_gets_no_gradient(model):
    batch = batch_of([[5, 6, 7, 8], [5]], [[4], [4]])
    words = model.embedding(batch.source).detach().requires_grad_()
    states, summary = model.encoder(words, batch.source_lengths)
    valid = torch.arange(5) < batch.source_lengths[:, None]
    (gradient,) = torch.autograd.grad(states[valid].sum() + summary.sum(), words)
    assert gradient[valid].abs().sum(1).gt(0).all()
    assert gradient[~valid].eq(0).all()


@pytest.mark.parametrize("attention", [True, False])
def test_steps_say_what_teacher_forcing_says(attention):
    model = tiny(attention=attention)
    batch = batch_of([[4, 5, 6], [7, 8]], [[9, 10, 11], [4, 5, 6]])
    taught = model.logits(model.teach(batch))
    taught[..., [PAD, UNK, BOS]] = float("-inf")
    memory, state = model.encode(batch.source, batch.source_lengths)
    for position in range(4):
        logp, state = model.step(batch.target[:, position, None], memory, state)
        torch.testing.assert_close(logp[:, 0], taught[:, position].log_softmax(1))


def test_attention_is_a_distribution_over_the_words_that_count(model):
    batch = batch_of([[4, 5, 6], [7]], [[9, 10], [4, 5]])
    memory, _ = model.encode(batch.source, batch.source_lengths)
    weights = model.attend(torch.randn(2, 3, 7, dtype=torch.float64), memory)
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 3, dtype=torch.float64))
    assert weights[1, :, 2:].eq(0).all()
    assert weights[0].gt(0).all()


def test_a_share_that_predicts_nothing_has_no_loss_and_no_gradient(model):
    batch = batch_of([[4, 5, 6]], [[9, 10]])
    loss = model(batch.shard(1, 2))
    assert loss.item() == 0
    assert all(gradient.abs().max() == 0 for gradient in torch.autograd.grad(loss, list(model.parameters())))
    assert model(batch.shard(0, 2)).item() == model(batch).item()


# ---- decoding --------------------------------------------------------------------------------------------------------


def log_probability(model, source, target) -> float:
    logits = model.logits(model.teach(batch_of([source], [target])))[0]
    logits[:, [PAD, UNK, BOS]] = float("-inf")
    return logits.log_softmax(1).gather(1, torch.tensor([*target, EOS])[:, None]).sum().item()


@settings(deadline=None, max_examples=25)
@given(sentences, st.integers(0, 20))
def test_a_beam_of_one_is_greedy(source, seed):
    model = tiny(seed)
    ids, lengths = pad(source)
    found = beam_search(model, ids, lengths, width=1)
    for mine, (theirs,), limit in zip(greedy(model, ids, lengths), found, limits(lengths).tolist(), strict=True):
        # At its limit a greedy sentence is cut off, where the beam must end it.
        assert mine[: limit - 1] == theirs.pieces


@settings(deadline=None, max_examples=10)
@given(sentences, st.integers(1, 6), st.integers(0, 20))
def test_hypotheses_have_the_probability_they_claim_and_other_rows_change_none(source, width, seed):
    model = tiny(seed)
    ids, lengths = pad([[*row, EOS] for row in source])
    together = beam_search(model, ids, lengths, width)
    for row, found in zip(source, together, strict=True):
        assert 1 <= len(found) <= width
        assert [hypothesis.score for hypothesis in found] == sorted((h.score for h in found), reverse=True)
        for pieces, logp, score in found:
            assert logp == pytest.approx(log_probability(model, row, pieces))
            assert score == pytest.approx(logp / (len(pieces) + 1))
        (alone,) = beam_search(model, torch.tensor([[*row, EOS]]), torch.tensor([len(row) + 1]), width)
        assert [hypothesis.pieces for hypothesis in alone] == [hypothesis.pieces for hypothesis in found]


@pytest.mark.parametrize("normalise", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_of_full_width_is_exhaustive_search(seed, normalise):
    model, source = tiny(seed, vocabulary=7), [4, 6, 5]
    every = [target for length in range(4) for target in itertools.product([4, 5, 6], repeat=length)]
    scores = {target: log_probability(model, source, list(target)) / (len(target) + 1) ** normalise for target in every}
    ids, four = torch.tensor([[*source, EOS]]), torch.tensor([4])
    (found,) = beam_search(model, ids, four, len(every), normalise, limit=four)
    ranked = sorted(every, key=lambda target: -scores[target])
    assert [tuple(hypothesis.pieces) for hypothesis in found] == ranked
    assert [hypothesis.score for hypothesis in found] == pytest.approx([scores[target] for target in ranked])


def test_no_output_is_longer_than_its_limit():
    model = tiny()
    with torch.no_grad():
        model.bias[EOS] = -1e4  # a model that never wants to end
    ids, lengths = pad([[5, 6, 7, 8], [5]])
    assert [len(row) for row in greedy(model, ids, lengths)] == [17, 11]
    assert [len(row[0].pieces) for row in beam_search(model, ids, lengths, 3)] == [17, 11]


@pytest.mark.parametrize("width", [0, -1])
def test_a_beam_without_width_is_rejected(model, width):
    with pytest.raises(ValueError, match=f"width is {width}"):
        beam_search(model, torch.tensor([[4]]), torch.tensor([1]), width)


# ---- text in, text out -----------------------------------------------------------------------------------------------

GERMAN = ["Ein Hund läuft.", "Zwei Hunde laufen schnell.", "Eine Frau liest ein Buch."]
SMALL = {"embedding": 24, "encoder": 24, "decoder": 24, "dropout": 0.0, "embedding_dropout": 0.0}
ENGLISH = ["A dog runs.", "Two dogs run quickly.", "A woman reads a book."]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that knows three sentences by heart."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENDAYS_DEVICE", "cpu")
        patch.setenv("ACCELERATE_MIXED_PRECISION", "no")
        patch.setattr(corpora, "load", memory_of_three)
        plan = Plan(Recipe(40, 2e-2), pieces=60, tokens=10, size=SMALL)
        translation.train("three", plan, folder)
    return folder


def memory_of_three(name, split, max_words=None):
    return corpora.ParallelCorpus(name, split, GERMAN, ENGLISH)


@pytest.mark.parametrize("beam", [1, 3])
def test_translations_come_in_order_one_for_each_sentence(trained, beam):
    model, pieces = translation.load(trained)
    asked = [GERMAN[1], "", GERMAN[2], "  \t", GERMAN[0]]
    assert translate(model, pieces, asked, beam, batch=2) == [ENGLISH[1], "", ENGLISH[2], "", ENGLISH[0]]
    assert translate(model, pieces, [GERMAN[2]], beam) == [ENGLISH[2]]
    assert translate(model, pieces, [], beam) == []


def test_unknown_characters_and_long_sentences_get_some_translation(trained):
    model, pieces = translation.load(trained)
    strange, long = translate(model, pieces, ["Ein 犬 läuft ☃.", " ".join(["Hund"] * 300)])
    assert isinstance(strange, str)
    assert "⁇" not in strange + long


def test_translating_leaves_the_model_in_its_mode(trained):
    model, pieces = translation.load(trained)
    for mode in (True, False):
        translate(model.train(mode), pieces, GERMAN)
        assert model.training is mode


@pytest.mark.parametrize("arguments", [{"beam": 0}, {"batch": 0}])
def test_bad_arguments_of_translate_are_named(trained, arguments):
    with pytest.raises(ValueError, match=f"{next(iter(arguments))}.* 0"):
        translate(*translation.load(trained), GERMAN, **arguments)


def test_a_model_and_pieces_that_do_not_belong_together_are_refused(trained, tmp_path):
    with pytest.raises(FileNotFoundError, match="make run UNIT=translation"):
        translation.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((trained / "model.safetensors").read_bytes())
    with pytest.raises(FileNotFoundError, match=r"pieces\.model"):
        translation.load(tmp_path)
    Pieces.learn(ENGLISH + GERMAN + ["Ein Hund"] * 9, len(translation.load(trained)[1]), tmp_path / "pieces.model")
    with pytest.raises(ValueError, match="the pieces it was trained with"):
        translation.load(tmp_path)


def message_of_load(folder):
    """What is said of a folder whose model cannot be loaded."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is returned
        translation.load(folder)
    return str(error.value)


def changed(trained, folder, change):
    """A copy of a trained folder whose weights and description went through a function."""
    folder.mkdir()
    (folder / "pieces.model").write_bytes((trained / "pieces.model").read_bytes())
    save_tensors(folder / "model.safetensors", *change(*load_tensors(trained / "model.safetensors")))
    return folder


def test_a_model_with_the_weight_names_of_earlier_code_is_refused_in_one_sentence(trained, tmp_path):
    def earlier(weights, about):
        for new, old in {"forward_layers.0.": "ahead.", "backward_layers.0.": "back."}.items():
            weights = {name.replace(new, old): weight for name, weight in weights.items()}
        assert "encoder.ahead.weight_ih_l0" in weights
        return weights, about

    folder = changed(trained, tmp_path / "earlier", earlier)
    assert message_of_load(folder) == (
        f"folder is {str(folder)!r}; expected a model of this version's code, and its weights are named otherwise:"
        " train it anew with: make run UNIT=translation"
    )


def test_a_model_of_another_kind_of_size_is_refused_in_one_sentence(trained, tmp_path):
    def other(weights, about):
        return weights, about | {"size": about["size"] | {"layers": 3}}

    folder = changed(trained, tmp_path / "other", other)
    assert message_of_load(folder) == (
        f"folder is {str(folder)!r}; expected a model of this version's code, and its description fits none:"
        " train it anew with: make run UNIT=translation"
    )


def test_bleu_is_sacrebleus_and_torchtexts():
    from torchtext.data.metrics import bleu_score

    hypotheses = ["the cat sat on the mat today", "a dog runs across the green grass"]
    references = ["the cat sat on a mat today", "a dog runs over the green grass"]
    theirs = bleu_score([text.split() for text in hypotheses], [[text.split()] for text in references])
    assert bleu(hypotheses, references).score == pytest.approx(100 * theirs, rel=1e-6)
    assert bleu(["THE CAT sat on the mat"], ["the cat sat on the mat"], lowercase=True).score == pytest.approx(100)
    assert bleu(["THE CAT sat on the mat"], ["the cat sat on the mat"]).score < 60
    assert "case:mixed" in bleu_signature()
    assert "case:lc" in bleu_signature(lowercase=True)


PARITY = """
import dataclasses, sys
from pathlib import Path
from accelerate import PartialState
from tendays.translation import SMOKE, train

size = dict(SMOKE.size, dropout=0.0, embedding_dropout=0.0)
train("grammar", dataclasses.replace(SMOKE, count=99, size=size), Path(sys.argv[1]))
print(f"one of {PartialState().num_processes} processes")
"""

# `accelerate launch --cpu` starts one process, whatever --num_processes says; torchrun starts as many as it is told.
LAUNCHERS = {
    1: "accelerate.commands.launch --cpu --mixed_precision no --num_processes 1 --num_machines 1 --dynamo_backend no",
    2: "torch.distributed.run --standalone --nproc_per_node 2",
}


def test_two_processes_make_the_model_that_one_makes(tmp_path, monkeypatch):
    monkeypatch.setenv("TENDAYS_DEVICE", "cpu")
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    script = tmp_path / "parity.py"
    script.write_text(PARITY)
    runs = {}
    for processes, launcher in LAUNCHERS.items():
        folder = tmp_path / str(processes)
        command = [sys.executable, "-m", *launcher.split(), str(script), str(folder)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert run.returncode == 0, run.stderr[-3000:]
        assert run.stdout.count(f"one of {processes} processes\n") == processes
        weights, _ = load_tensors(folder / "model.safetensors")
        _, about = load_tensors(folder / "checkpoint.safetensors")
        runs[processes] = weights, about["history"]
    (one, alone), (two, shared) = runs[1], runs[2]
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=0, atol=5e-5, msg=name)
    assert [row["loss"] for row in shared] == pytest.approx([row["loss"] for row in alone], rel=1e-5)
    assert [row["steps"] for row in shared] == [row["steps"] for row in alone] == [3, 6]
    assert not math.isclose(alone[0]["loss"], alone[1]["loss"], rel_tol=1e-2)
