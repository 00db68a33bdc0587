"""Layers: forms, exact limits, shapes, scopes, parameters; against the hand-written ones."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import handwritten
from autograd_lite.errors import ShapeError
from autograd_lite.graph import Graph
from autograd_lite.numeric import numeric_vjp

W, B = np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8, 9])
CASES = [
    ([[1, 1]], [[2, 1, -1]]),
    ([[1, 1], [2, 3]], [[2, 1, -1], [1, 1, 1]]),
]


@pytest.mark.parametrize(("x", "dout"), CASES)
@pytest.mark.parametrize("hand", [handwritten.Affine, handwritten.AffineSimple])
def test_affine_is_the_hand_written_one(hand: Any, x: Any, dout: Any) -> None:
    layer, other = ag.nn.Affine(W, B), hand(W, B)
    t = ag.tensor(x)
    y = layer(t)
    np.testing.assert_array_equal(y.data, other.forward(np.array(x)))
    y.backward(dout)
    np.testing.assert_array_equal(t.grad, other.backward(np.array(dout)))
    np.testing.assert_array_equal(layer.W.grad, other.dW)
    np.testing.assert_array_equal(layer.b.grad, other.db)


def test_affine_of_the_notebook() -> None:
    layer, x = ag.nn.Affine(W, B), ag.tensor([[1, 1]])
    y = layer(x)
    assert y.tolist() == [[12.0, 15.0, 18.0]]
    y.backward([[2, 1, -1]])
    assert x.grad.tolist() == [[1.0, 7.0]]
    assert layer.W.grad.tolist() == [[2.0, 1.0, -1.0], [2.0, 1.0, -1.0]]
    assert layer.b.grad.tolist() == [2.0, 1.0, -1.0]


@pytest.mark.parametrize("shape", [(2, 3, 2, 2), (2, 12), (12,), (0, 12), (1, 2, 6)])
def test_affine_flattens_each_sample(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x, w, b = rng.normal(size=shape), rng.normal(size=(12, 5)), rng.normal(size=5)
    y, pullback = ag.vjp(ag.nn.affine, x, w, b)
    flat = x.reshape(shape[0], 12) if len(shape) > 1 else x
    np.testing.assert_allclose(y, flat @ w + b)
    g = rng.normal(size=y.shape)
    dx, dw, db = pullback(g)
    assert dx.shape == shape
    rows, gs = np.atleast_2d(flat), np.atleast_2d(g)
    np.testing.assert_allclose(dw, rows.T @ gs)
    np.testing.assert_allclose(db, gs.sum(axis=0))
    np.testing.assert_allclose(dx, (g @ w.T).reshape(shape))


def test_affine_refuses_what_does_not_fit() -> None:
    for x, w in [((2, 3), (4, 5)), ((2, 3), (3,)), ((), (3, 2)), ((2, 2, 2), (3, 2))]:
        with pytest.raises(ShapeError, match="affine"):
            ag.nn.affine(ag.tensor(np.ones(x)), np.ones(w), np.ones(2))


def test_relu_is_the_hand_written_one() -> None:
    x, dout = np.array([1, -2, 3, -4]), np.array([1, 2, -3, -4])
    hand = handwritten.ReLU()
    t = ag.tensor(x)
    y = ag.nn.ReLU()(t)
    np.testing.assert_array_equal(y.data, hand.forward(x))
    y.backward(dout)
    np.testing.assert_array_equal(t.grad, hand.backward(dout))
    assert t.grad.tolist() == [1.0, 0.0, -3.0, 0.0]
    assert ag.grad(lambda t: ag.nn.relu(t).sum())(np.zeros(2)).tolist() == [0.0, 0.0]


def test_sigmoid_against_the_textbook_and_the_referee(rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 4)) * 3
    y, pullback = ag.vjp(ag.nn.sigmoid, x)
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-x)), rtol=1e-14)
    g = rng.normal(size=x.shape)
    (referee,) = numeric_vjp(lambda x: 1 / (1 + np.exp(-x)), [x], g)
    np.testing.assert_allclose(pullback(g)[0], referee.value, rtol=1e-9)
    textbook = ag.grad(lambda t: (1 / (1 + ag.exp(-t))).sum())(x)
    np.testing.assert_allclose(ag.grad(lambda t: ag.nn.sigmoid(t).sum())(x), textbook, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_has_exact_limits_in_every_order(dtype: Any) -> None:
    largest = np.finfo(dtype).max
    x = np.array([-largest, -1000, -100, 0, 100, 1000, largest], dtype)
    with warnings.catch_warnings(action="error"):
        first = ag.grad(lambda t: ag.nn.sigmoid(t).sum())(x)
        second = ag.grad(lambda t: ag.grad(lambda u: ag.nn.sigmoid(u).sum())(t).sum())(x)
        forward = ag.jvp(ag.nn.sigmoid, [x], [np.ones_like(x)])[1]
    assert first.dtype == second.dtype == forward.dtype == dtype
    np.testing.assert_array_equal(first, forward)
    assert first[3] == 0.25
    assert second[3] == 0.0
    tiny = np.exp(dtype(-100.0))
    np.testing.assert_allclose(first[[2, 4]], [tiny, tiny], rtol=1e-5)
    np.testing.assert_allclose(second[[2, 4]], [tiny, -tiny], rtol=1e-5)
    np.testing.assert_array_equal(first[[0, 1, 5, 6]], 0.0)


def test_layers_are_composed_of_operators_under_a_scope() -> None:
    x = ag.tensor(np.ones((2, 2)))
    stack = [ag.nn.Affine(W, B), ag.nn.Sigmoid(), ag.nn.Affine(W.T, [0, 0]), ag.nn.ReLU()]
    y = x
    for layer in stack:
        y = layer(y)
    graph = Graph.of(y)
    scopes = {node.scope for node in graph if node.scope is not None}
    assert sorted(scope.path for scope in scopes) == ["Affine", "Affine", "ReLU", "Sigmoid"]
    assert all(node.op.kind != "general" for node in graph)
    assert [node.name for node in graph.inputs] == [None, "W", "b", "W", "b"]


def test_parameters_of_a_layer() -> None:
    layer = ag.nn.Affine(W, B)
    assert set(layer.tree_parts()) == {"W", "b"}
    assert repr(layer) == "Affine(W=(2, 3), b=(3,))"
    shared = ag.parameter(W, name="shared")
    assert ag.nn.Affine(shared, B).W is shared
    W[0, 0] = 100
    try:
        assert layer.W.data[0, 0] == 1.0
    finally:
        W[0, 0] = 1
    other = layer.tree_rebuild({"W": shared, "b": layer.b})
    assert other.W is shared
    assert layer.W is not shared


def test_plain_arrays_pass_through_layers() -> None:
    x = np.array([-1.0, 0.0, 2.0])
    for f in (ag.nn.relu, ag.nn.sigmoid):
        assert type(f(x)) is np.ndarray
        assert type(f(2.0)) is np.float64
    assert type(ag.nn.affine(np.ones((1, 2)), W, B)) is np.ndarray


def test_a_small_network_learns(rng: np.random.Generator) -> None:
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    target = np.array([[0.0], [1.0], [1.0], [0.0]])
    layers = [
        ag.nn.Affine(rng.normal(size=(2, 8)), np.zeros(8)),
        ag.nn.Affine(rng.normal(size=(8, 1)), np.zeros(1)),
    ]

    def loss() -> Any:
        hidden = ag.tanh(layers[0](x))
        return ((ag.nn.sigmoid(layers[1](hidden)) - target) ** 2).mean()

    start = loss().item()
    for _ in range(300):
        loss().backward()
        for layer in layers:
            for part in (layer.W, layer.b):
                part.data = part.data - 1.0 * part.grad
                part.zero_grad()
    assert loss().item() < start / 4
