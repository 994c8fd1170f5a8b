import pytest
import torch

from tendays.transducer import textbook, transducer_loss


@pytest.mark.parametrize("inputs", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 4])
def test_the_textbook_agrees_with_the_fast_loss(inputs, count):
    torch.manual_seed(inputs)
    logits = torch.randn(1, inputs, count + 1, 4, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(1, 4, (1, count))
    loss = transducer_loss(logits, labels, torch.tensor([inputs]), torch.tensor([count]))
    slow, gradient = textbook.textbook_loss(logits[0].detach(), labels[0])
    assert slow == pytest.approx(loss.item(), rel=1e-10, abs=1e-10)
    torch.testing.assert_close(gradient, torch.autograd.grad(loss, logits)[0][0], rtol=1e-10, atol=1e-10)


def test_the_log_of_a_sum_takes_what_cannot_happen():
    never = -float("inf")
    assert textbook._log_of_sum(never, never) == never
    assert textbook._log_of_sum(never, -3.0) == textbook._log_of_sum(-3.0, never) == -3.0
    assert textbook._log_of_sum(-1000.0, -1000.0) == pytest.approx(-1000 + 0.6931471805599453)
