"""The transducer's model: its predictor, its joint, its loss."""

import torch
from tiny_transducer import LENGTHS, SOURCE, joints, tiny

from tendays.pieces import Batch
from tendays.transducer import Size, Transducer, beam_search, greedy, transducer_loss


@joints
def test_advance_step_by_step_equals_predict_at_once(joint):
    model = tiny(joint)
    labels = torch.tensor([[1, 2, 2], [2, 1, 1]])
    together = model.predict(labels)
    predicted, state = model.start(2)
    for place in range(4):
        torch.testing.assert_close(predicted, together[:, place])
        if place < 3:
            predicted, state = model.advance(labels[:, place], state)


@joints
def test_the_losses_equal_those_of_the_scores_from_joint(joint):
    model = tiny(joint)
    batch = Batch(SOURCE, LENGTHS, torch.tensor([[1, 2, 1, 2], [2, 0, 0, 0]]), torch.tensor([4, 1]))
    scores = model.joint(model.encode(SOURCE, LENGTHS)[:, :, None], model.predict(batch.target)[:, None])
    expected = transducer_loss(scores, batch.target, LENGTHS, batch.target_lengths, reduction="none")
    torch.testing.assert_close(model.losses(batch), expected)
    torch.testing.assert_close(model(batch), expected.sum())
    without_labels = batch._replace(target_lengths=torch.tensor([4, 0]))
    torch.testing.assert_close(model(without_labels), expected[0])


def test_the_loss_of_an_additive_model_does_not_call_joint(monkeypatch):
    monkeypatch.setattr(Transducer, "joint", None)
    model = tiny()
    assert model(Batch(SOURCE, LENGTHS, torch.tensor([[1], [2]]), torch.tensor([1, 1]))).isfinite()


@joints
def test_it_learns_to_write_more_labels_than_there_are_inputs(joint):
    torch.manual_seed(1)
    model = Transducer(Size(5, 3, embedding=16, encoder=16, predictor=16, joint=joint, layers=1, dropout=0))
    batch = Batch(SOURCE, LENGTHS, torch.tensor([[1, 2, 1, 1, 2], [2, 2, 1, 0, 0]]), torch.tensor([5, 3]))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        model(batch).backward()
        optimizer.step()
    model.eval()
    assert greedy(model, SOURCE, LENGTHS) == [[1, 2, 1, 1, 2], [2, 2, 1]]
    best = [found[0] for found in beam_search(model, SOURCE, LENGTHS, 2)]
    assert [one.labels for one in best] == [[1, 2, 1, 1, 2], [2, 2, 1]]
    assert all(one.log_probability > -0.2 for one in best)
