"""Replaced derivatives and checkpoints: one node of a composed function, right to any order."""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import GradientError, ShapeError, StaleValueError

X = np.array([[0.1, 0.2], [0.3, -0.4]])


@pytest.fixture
def weight():
    return ag.parameter(np.array([[0.5, -1.0], [2.0, 0.25]]), name="W")


def test_a_checkpoint_gives_the_gradients_of_the_plain_function(weight):
    def block(x):
        return ag.tanh(x @ weight)

    results = []
    for f in (block, ag.checkpoint(block)):
        x = ag.tensor(X)
        weight.zero_grad()
        (f(f(x)) ** 2).sum().backward()
        results.append((x.grad, weight.grad))
    for plain, recomputed in zip(*results, strict=True):
        np.testing.assert_array_equal(recomputed, plain)


def test_a_checkpoint_is_differentiable_twice(weight):
    def energy(f):
        return lambda x: (f(x) ** 3).sum()

    def block(x):
        return ag.tanh(x @ weight)

    found = ag.hessian(energy(ag.checkpoint(block)))(X)
    np.testing.assert_allclose(found, ag.hessian(energy(block))(X), rtol=1e-13, atol=1e-15)


def test_a_checkpoint_is_one_node_and_replays_on_other_values(weight):
    x = ag.tensor(X)
    y = ag.checkpoint(lambda x: ag.tanh(x @ weight))(x)
    graph = ag.Graph.of(y)
    assert [node.op.kind for node in graph] == ["leaf", "leaf", "general"]
    values = graph.replay({weight.node: np.eye(2)})
    np.testing.assert_array_equal(values[y.node], np.tanh(X))


def test_a_checkpoint_notices_a_changed_parameter(weight):
    y = ag.checkpoint(lambda x: (x @ weight).sum())(ag.tensor(X))
    weight.data = weight.data + 1
    with pytest.raises(StaleValueError, match=r"inside ag\.checkpoint has another value"):
        y.backward()


def test_a_replaced_derivative_is_used_in_both_modes():
    doubled = ag.custom_derivative(lambda x: x * 2.0, vjp=lambda g, y, x: g * 7)
    assert ag.grad(doubled)(3.0) == 7.0
    assert ag.jvp(doubled, [3.0], [1.0]) == (6.0, 7.0)


def test_a_replaced_derivative_must_not_hide_a_tracked_tensor(weight):
    f = ag.custom_derivative(lambda x: x @ weight, vjp=lambda g, y, x: g)
    with pytest.raises(GradientError, match="uses tracked tensors that are not its arguments: W"):
        f(ag.tensor(X))


def test_what_a_replaced_derivative_returns_is_checked():
    f = ag.custom_derivative(lambda x: x * 1.0, vjp=lambda g, y, x: np.ones(3))
    with pytest.raises(ShapeError, match=r"returned shape \(3,\) for input 0 of \(2, 2\)"):
        f(ag.tensor(X)).sum().backward()


def test_arrays_in_give_arrays_out_though_parameters_are_closed_over(weight):
    gradient = ag.grad(lambda x: (x @ weight).sum())(X)
    assert type(gradient) is np.ndarray
    assert type(ag.grad(lambda x: (x @ weight).sum())(ag.constant(X))) is ag.Tensor


def test_an_inner_derivative_with_arrays_still_serves_the_outer_one():
    def outer(a):
        return ag.grad(lambda x: a * x**2)(3.0)

    assert ag.grad(outer)(2.0) == 6.0
    assert type(ag.grad(outer)(2.0)) is np.float64
