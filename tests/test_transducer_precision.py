"""Dtypes of the losses: what they compute in, what they return, and how exact it is."""

import pytest
import torch
from transducer_forms import FORMS, forms, full, leaves, relative_error, sequences, solve

forms_from_scores = pytest.mark.parametrize("form", [FORMS["logits"], FORMS["additive"]], ids=["logits", "additive"])


@forms_from_scores
def test_float32_scores_keep_their_digits_on_a_long_lattice(form):
    torch.manual_seed(0)
    shape = {"inputs": 400, "labels": 100, "symbols": 64, "rows": 2}
    scores, batch = form.draw(**shape, dtype=torch.float32), full(**shape)
    losses, gradients = solve(form, scores, batch)
    exact, exact_gradients = solve(form, [tensor.double() for tensor in scores], batch)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses.double(), exact, rtol=2e-7, atol=0)
    for gradient, expected in zip(gradients, exact_gradients, strict=True):
        assert gradient.dtype == torch.float32
        assert relative_error(gradient, expected) <= 1e-6


@forms
@pytest.mark.parametrize("scale", [60.0, 300.0])
def test_large_float32_scores_keep_their_digits(form, scale):
    torch.manual_seed(0)
    shape = {"inputs": 60, "labels": 20, "symbols": 100, "rows": 2}
    scores, batch = form.draw(**shape, dtype=torch.float32, scale=scale), full(**shape)
    losses, gradients = solve(form, scores, batch)
    exact, exact_gradients = solve(form, [tensor.double() for tensor in scores], batch)
    torch.testing.assert_close(losses.double(), exact, rtol=1e-6, atol=0)
    # A tanh of float32 is off in its last digit, which weights of this size turn into that much more.
    bound = 1e-5 if form is FORMS["joint"] else 1e-6
    for gradient, expected in zip(gradients, exact_gradients, strict=True):
        assert relative_error(gradient, expected) <= bound


@forms_from_scores
def test_adding_a_large_number_to_all_float32_scores_does_not_change_the_loss(form):
    torch.manual_seed(0)
    shape = {"inputs": 100, "labels": 30, "symbols": 20, "rows": 2}
    # In steps of 1/256, so that the sum is exact in float32.
    scores, batch = [x.mul(256).round().div(256) for x in form.draw(**shape, dtype=torch.float32)], full(**shape)
    losses, gradients = solve(form, scores, batch)
    shifted, shifted_gradients = solve(form, [tensor + 4096 for tensor in scores], batch)
    torch.testing.assert_close(shifted, losses, rtol=1e-6, atol=0)
    for gradient, expected in zip(shifted_gradients, gradients, strict=True):
        assert relative_error(gradient, expected.double()) <= 1e-6


@forms
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_16_bit_scores_are_computed_in_float32(form, dtype):
    torch.manual_seed(0)
    scores, batch = form.draw(inputs=9, labels=4, rows=2, dtype=dtype), sequences([9, 6], [[1, 2, 3, 1], [2, 2]])
    losses, gradients = solve(form, scores, batch)
    expected, expected_gradients = solve(form, [tensor.float() for tensor in scores], batch)
    assert losses.dtype == torch.float32
    assert torch.equal(losses, expected)
    for gradient, exact in zip(gradients, expected_gradients, strict=True):
        assert gradient.dtype == dtype
        assert torch.equal(gradient, exact.to(dtype))


@forms
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_float32_and_float64_scores_keep_their_dtype(form, dtype):
    losses, gradients = solve(form, form.draw(inputs=3, labels=2, dtype=dtype), full(inputs=3, labels=2))
    assert {tensor.dtype for tensor in (losses, *gradients)} == {dtype}


@forms
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_autocast_applies_only_to_products_of_the_joint_in_float32(form, dtype):
    torch.manual_seed(0)
    scores = leaves(form.draw(inputs=9, labels=4, rows=2, dtype=dtype))
    batch = sequences([9, 6], [[1, 2, 3, 1], [2, 2]])
    exact = form.loss(*scores, *batch)
    gradients = torch.autograd.grad(exact, scores)
    with torch.autocast("cpu", torch.bfloat16):
        loss = form.loss(*scores, *batch)
        inside = torch.autograd.grad(loss, scores, retain_graph=True)
    outside = torch.autograd.grad(loss, scores)
    assert all(map(torch.equal, inside, outside))
    assert loss.dtype == dtype
    if form is FORMS["joint"] and dtype == torch.float32:
        assert loss.item() == pytest.approx(exact.item(), rel=5e-2)
        assert loss.item() != exact.item()
        for autocast, gradient in zip(inside, gradients, strict=True):
            assert autocast.dtype == torch.float32
            assert 0 < relative_error(autocast, gradient) < 5e-2
    else:
        assert torch.equal(loss, exact)
        assert all(map(torch.equal, inside, gradients))


@forms
def test_autocast_around_the_backward_pass_alone_changes_nothing(form):
    torch.manual_seed(0)
    scores = leaves(form.draw(inputs=9, labels=4, rows=2, dtype=torch.float32))
    loss = form.loss(*scores, *full(inputs=9, labels=4, rows=2))
    expected = torch.autograd.grad(loss, scores, retain_graph=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert all(map(torch.equal, torch.autograd.grad(loss, scores), expected))
