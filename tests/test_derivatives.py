"""Derivatives as functions: forms of arguments and results, trees, layers, aux, and their laws."""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DomainError, GradientError
from autograd_lite.graph import Graph
from autograd_lite.numeric import numeric_jacobian, numeric_vjp, symmetry_gap
from autograd_lite.reverse import flow
from autograd_lite.tensors import Tensor


class Point(NamedTuple):
    """A container that keeps its type."""

    x: Any
    y: Any


def rosenbrock(x: Any) -> Any:
    return ag.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_grad_of_arrays_gives_arrays_and_of_tensors_tensors() -> None:
    x = np.array([1.0, 2.0])
    f = lambda t: (t * t).sum()
    assert type(ag.grad(f)(x)) is np.ndarray
    assert type(ag.grad(f)(ag.tensor(x))) is Tensor
    assert type(ag.grad(lambda t: t * t)(3.0)) is np.float64
    value, gradient = ag.value_and_grad(f)(x)
    assert type(value) is np.float64
    np.testing.assert_array_equal(gradient, [2.0, 4.0])
    value, gradient = ag.value_and_grad(f)(ag.constant(x))
    assert isinstance(value, Tensor)
    assert isinstance(gradient, Tensor)


def test_arrays_come_back_whatever_the_function_closes_over() -> None:
    layer = ag.nn.Affine([[1.0], [2.0]], [0.5])
    gradient = ag.grad(lambda x: layer(x).sum())(np.ones((1, 2)))
    assert type(gradient) is np.ndarray
    np.testing.assert_array_equal(gradient, [[1.0, 2.0]])
    assert layer.W.grad is None


def test_trees() -> None:
    tree = {"a": 2.0, "b": [np.ones(2), (3.0, np.ones((1, 2)))], "p": Point(1.0, 2.0)}

    def f(d: Any) -> Any:
        first, (scale, row) = d["b"]
        return d["a"] * first.sum() * scale + row.sum() * d["p"].x * d["p"].y ** 2

    g = ag.grad(f)(tree)
    assert list(g) == ["a", "b", "p"]
    assert type(g["b"]) is list
    assert type(g["b"][1]) is tuple
    assert type(g["p"]) is Point
    assert g["a"] == 6.0
    assert g["b"][1][0] == 4.0
    assert g["p"] == Point(8.0, 8.0)
    ordered = ag.grad(lambda d: d["x"] * d["y"])(OrderedDict(y=2.0, x=3.0))
    assert ordered == OrderedDict(y=3.0, x=2.0)
    assert ag.grad(lambda d: ag.tensor(1.0) * 1)({}) == {}
    looped: list[Any] = []
    looped.append(looped)
    with pytest.raises(DomainError, match="holds itself"):
        ag.grad(lambda t: t)(looped)


def test_layers_as_arguments() -> None:
    layer = ag.nn.Affine([[1.0, 2.0]], [0.0, 0.0])
    g = ag.grad(lambda m, x: (m(x) ** 2).sum())(layer, np.array([[3.0]]))
    assert set(g) == {"W", "b"}
    np.testing.assert_array_equal(g["W"].data, [[18.0, 36.0]])
    assert layer.W.grad is None
    moves = {"b": np.ones(2), "W": np.zeros((1, 2))}
    _, dot = ag.jvp(lambda m: m(np.ones((1, 1))), [layer], [moves])
    np.testing.assert_array_equal(dot.data, [[1.0, 1.0]])


def test_argnums_and_keywords() -> None:
    def f(x: Any, y: Any, *, k: float = 1.0) -> Any:
        return x * y * y * k

    assert ag.grad(f)(2.0, 3.0) == 9.0
    assert ag.grad(f, 1)(2.0, 3.0, k=2.0) == 24.0
    assert ag.grad(f, (1, 0))(2.0, 3.0) == (12.0, 9.0)
    assert ag.grad(f, -1)(2.0, 3.0) == 12.0
    assert ag.grad(f, (0,))(2.0, 3.0) == (9.0,)
    assert ag.grad(f).__name__ == "f"
    assert ag.grad(functools.partial(f, k=3.0))(2.0, 3.0) == 27.0
    assert ag.grad(np.sum)(np.ones(2)).tolist() == [1.0, 1.0]


def test_aux() -> None:
    def f(x: Any) -> Any:
        return (x * x).sum(), {"n": 3, "doubled": x.detach() * 2}

    (value, aux), g = ag.value_and_grad(f, has_aux=True)(np.array([1.0, 2.0]))
    assert value == 5.0
    assert aux["n"] == 3
    g, aux = ag.grad(f, has_aux=True)(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(g, [2.0, 4.0])
    y, pullback, aux = ag.vjp(lambda x: (x * 2, "aux"), 3.0, has_aux=True)
    assert (y, pullback(1.0), aux) == (6.0, (2.0,), "aux")
    for wrong in (lambda x: x, lambda x: (x, 1, 2), lambda x: None):
        with pytest.raises(GradientError, match="has_aux"):
            ag.grad(wrong, has_aux=True)(1.0)


def test_vjp_twice_and_with_trees_of_outputs() -> None:
    y, pullback = ag.vjp(lambda x: {"a": x * x, "b": (x.sum(), 3.0)}, np.array([1.0, 2.0]))
    assert y["b"] == (3.0, 3.0)
    (g,) = pullback({"a": np.ones(2), "b": (10.0, 0.0)})
    np.testing.assert_array_equal(g, [12.0, 14.0])
    (again,) = pullback({"b": (0.0, 0.0), "a": np.ones(2)})
    np.testing.assert_array_equal(again, [2.0, 4.0])


def test_jvp_of_outputs_that_do_not_move() -> None:
    x = np.ones(2, np.float32)
    v, dot = ag.jvp(lambda t: (t * 2, ag.constant(x), x, 3.0), [x], [x])
    assert [one.dtype for one in dot] == [np.float32, np.float32, np.float32, np.float64]
    assert [float(np.sum(one)) for one in dot] == [4.0, 0.0, 0.0, 0.0]
    assert not np.shares_memory(v[2], x)


def test_jacobian(rng: np.random.Generator) -> None:
    w = rng.normal(size=(4, 3))
    f = lambda x: ag.tanh(x @ w.T)
    x = rng.normal(size=(2, 3))
    found = ag.jacobian(f)(x)
    assert found.shape == (2, 4, 2, 3)
    wanted, error = numeric_jacobian(lambda x: np.tanh(x @ w.T), x)
    np.testing.assert_allclose(found, wanted, atol=1e-9 + error.max())
    blocks = ag.jacobian(lambda a, b: a * b, (0, 1))(np.ones(2), 3.0)
    assert [b.shape for b in blocks] == [(2, 2), (2,)]
    assert ag.jacobian(lambda x: x * 2)(3.0) == 2.0
    assert ag.jacobian(lambda x: x[:0])(np.ones(3)).shape == (0, 3)
    assert ag.jacobian(lambda x: ag.constant([1.0, 2.0]))(np.ones(3)).tolist() == [[0.0] * 3] * 2
    tree = ag.jacobian(lambda d: d["a"] * d["b"])({"a": 2.0, "b": np.ones(2)})
    np.testing.assert_array_equal(tree["b"], 2 * np.eye(2))


def test_hessian(rng: np.random.Generator) -> None:
    x = rng.normal(size=5)
    H = ag.hessian(rosenbrock)(x)
    wanted, error = numeric_jacobian(ag.grad(rosenbrock), x)
    np.testing.assert_allclose(H, wanted, atol=1e-6 + error.max())
    np.testing.assert_array_equal(H, H.T)
    v = rng.normal(size=5)
    np.testing.assert_allclose(ag.hvp(rosenbrock, [x], [v])[0], H @ v, rtol=1e-10)
    assert type(ag.hessian(lambda t: t**3)(2.0)) is np.float64
    tree = ag.hessian(lambda d: d["a"] ** 2 * d["b"].sum())({"a": 2.0, "b": np.ones(2)})
    assert tree["a"]["a"] == 4.0
    np.testing.assert_array_equal(tree["a"]["b"], [4.0, 4.0])
    np.testing.assert_array_equal(tree["b"]["a"], [4.0, 4.0])
    blocks = ag.hessian(lambda a, b: (a * a * b).sum(), (0, 1))(np.ones(2), np.ones(2))
    np.testing.assert_array_equal(blocks[0][1], 2 * np.eye(2))
    assert not np.any(ag.hessian(lambda t: 2 * t.sum())(np.ones(2)))
    third = ag.jacobian(ag.hessian(lambda t: (t**4).sum()))(np.array([1.0, 2.0]))
    assert (third.shape, third[1, 1, 1]) == ((2, 2, 2), 48.0)


def test_symmetry_of_a_mixed_function(rng: np.random.Generator) -> None:
    def f(a: Any, b: Any) -> Any:
        return (ag.exp(a @ b) / ag.sqrt(1 + a[:, 0] ** 2) * ag.prod(b)).sum() + ag.max(a) ** 3

    xs = [rng.normal(size=(2, 3)), rng.normal(size=3)]
    u, v = ([rng.normal(size=np.shape(x)) for x in xs] for _ in range(2))
    assert symmetry_gap(lambda w: ag.hvp(f, xs, w), u, v)[2] < 1e-12

    def plain(a: Any, b: Any) -> Any:
        return (np.exp(a @ b) / np.sqrt(1 + a[:, 0] ** 2) * np.prod(b)).sum() + np.max(a) ** 3

    for one, referee in zip(ag.grad(f, (0, 1))(*xs), numeric_vjp(plain, xs), strict=True):
        np.testing.assert_allclose(one, referee.value, rtol=1e-8, atol=1e-9)


def test_scipy_takes_value_and_grad() -> None:
    optimize = pytest.importorskip("scipy.optimize", reason="scipy is of the dev extra")
    found = optimize.minimize(ag.value_and_grad(rosenbrock), np.zeros(4), jac=True, tol=1e-10)
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-5)


def test_gradients_with_respect_to_intermediates() -> None:
    x = ag.tensor([1.0, 2.0])
    h = x * 3
    y = (h * h * x).sum()
    gh, gx = ag.gradients(y, [h, x])
    np.testing.assert_array_equal(gh.data, [6.0, 24.0])
    np.testing.assert_array_equal(gx.data, [27.0, 108.0])
    assert x.grad is None
    (same,) = ag.gradients(h, [h], np.array([5.0, 6.0]))
    np.testing.assert_array_equal(same.data, [5.0, 6.0])


def test_gradients_of_a_detached_part() -> None:
    x = ag.tensor(3.0)
    assert ag.gradients(x * x.detach(), [x])[0].item() == 3.0
    assert ag.grad(lambda t: t * ag.stop_gradient(t) * t)(3.0) == 18.0
    assert ag.hvp(lambda t: t * ag.stop_gradient(t) * t, [3.0], [1.0]) == (6.0,)
    with ag.no_grad():
        assert ag.grad(lambda t: t * t)(3.0) == 6.0
        assert ag.jvp(lambda t: t * t, [3.0], [1.0])[1] == 6.0
    assert ag.grad(lambda t: t * ag.grad(lambda u: u * ag.stop_gradient(t * u))(2.0))(3.0) == 6.0


def test_flow() -> None:
    x = ag.tensor([1.0, 2.0], name="x")
    b = ag.tensor(3.0)
    h = x * b
    y = h + x
    seen = flow(Graph.of(y), [np.array([1.0, 10.0])])
    np.testing.assert_array_equal(seen.values[y.node], y.data)
    np.testing.assert_array_equal(seen.cotangents[x.node], [4.0, 40.0])
    assert seen.cotangents[b.node] == 21.0
    np.testing.assert_array_equal(seen.contributions[y.node, 1], [1.0, 10.0])
    np.testing.assert_array_equal(seen.contributions[h.node, 0], [3.0, 30.0])
    assert seen.contributions[h.node, 1] == 21.0
    assert x.grad is None
    both = flow(Graph.of(h, y))
    np.testing.assert_array_equal(both.cotangents[h.node], [2.0, 2.0])


def test_unused_parts_of_a_graph_are_not_visited() -> None:
    x, w = ag.tensor(1.0), ag.tensor(2.0)
    calls = []
    watched = ag.primitive(lambda t: t * 1.0, vjp=lambda g, y, t: calls.append(1) or g, name="w")
    y = x * watched(w)
    ag.gradients(y, [x])
    assert not calls
    ag.gradients(y, [w])
    assert len(calls) == 1


def test_a_joint_rule_runs_once_for_all_inputs() -> None:
    calls = []

    def vjp(g: Any, y: Any, a: Any, b: Any, c: Any) -> Any:
        calls.append(1)
        return g * b * c, g * a * c, g * a * b

    triple = ag.primitive(lambda a, b, c: a * b * c, vjp=vjp, name="triple")
    assert ag.grad(triple, (0, 1, 2))(2.0, 3.0, 5.0) == (15.0, 10.0, 6.0)
    assert len(calls) == 1
    assert ag.jvp(triple, [2.0, 3.0, 5.0], [1.0, 0.0, 0.0])[1] == 15.0
    assert ag.hessian(triple, (0, 1, 2))(2.0, 3.0, 5.0)[0][1] == 5.0


def test_checkpoint_computes_again_once() -> None:
    calls = []

    def block(x: Any) -> Any:
        calls.append(1)
        return ag.tanh(x @ W + b)

    W, b = ag.parameter(np.full((3, 3), 0.1)), ag.parameter(np.zeros(3))
    x = np.ones((2, 3))
    whole = ag.gradients(block(ag.tensor(x)).sum(), [W, b])
    calls.clear()
    again = ag.gradients(ag.checkpoint(block)(ag.tensor(x)).sum(), [W, b])
    assert len(calls) == 2
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_allclose(one.data, other.data)


def test_parameters_have_versions() -> None:
    p = ag.parameter([1.0], name="p")
    for _ in range(100):
        p.zero_grad()
        ((p - 3.0) ** 2).sum().backward()
        p.data = p.data - 0.1 * p.grad
    assert p.item() == pytest.approx(3.0)
    p.grad = [1.0]
    assert p.grad.dtype == np.float64
    p.grad = None
    assert p.grad is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float16_means_of_many(dtype: Any) -> None:
    many = np.ones(70_000, np.float16)
    np.testing.assert_allclose(ag.grad(ag.mean)(many), np.float16(1 / 70_000))
    assert ag.grad(ag.mean)(many.astype(dtype))[0] == pytest.approx(1 / 70_000)


def test_empty_maxima() -> None:
    assert ag.grad(lambda t: ag.max(t, axis=1).sum())(np.zeros((0, 3))).shape == (0, 3)
    assert ag.grad(lambda t: (t + 1.0).sum() * 1.0)(np.zeros(0)).shape == (0,)
    scale = ag.hvp(lambda s: (s * np.zeros(0)).sum() ** 2, [2.0], [1.0])
    assert scale == (0.0,)


X, Q = np.array([1.0, 2.0]), np.array([0.5, 3.0])
INSIDE: list[tuple[str, Any, Any]] = [
    # an inner derivative at plain arrays, of a function that closes over the outer variable q
    ("grad", lambda q: ag.grad(lambda x: (x**3 * q).sum())(X).sum(), 3 * X**2),
    ("value", lambda q: ag.value_and_grad(lambda x: (x**3 * q).sum())(X)[0], X**3),
    ("vjp", lambda q: ag.vjp(lambda x: x**3 * q, X)[1](X)[0].sum(), 3 * X**3),
    ("vjp's value", lambda q: ag.vjp(lambda x: (x**3 * q).sum(), X)[0], X**3),
    ("vjp's cotangent", lambda q: ag.vjp(lambda x: x**3, X)[1](q)[0].sum(), 3 * X**2),
    ("jvp", lambda q: ag.jvp(lambda x: (x**3 * q).sum(), [X], [X])[1], 3 * X**3),
    ("jvp's value", lambda q: ag.jvp(lambda x: (x**3 * q).sum(), [X], [X])[0], X**3),
    ("jvp's tangent", lambda q: ag.jvp(lambda x: (x**3).sum(), [X], [q])[1], 3 * X**2),
    ("jacobian", lambda q: ag.jacobian(lambda x: x**3 * q)(X).sum(), 3 * X**2),
    ("hessian", lambda q: ag.hessian(lambda x: (x**3 * q).sum())(X).sum(), 6 * X),
    ("hvp", lambda q: ag.hvp(lambda x: (x**3 * q).sum(), [X], [X])[0].sum(), 6 * X**2),
    ("hvp's vector", lambda q: ag.hvp(lambda x: (x**3).sum(), [X], [q])[0].sum(), 6 * X),
    (
        "aux",
        lambda q: ag.grad(lambda x: ((x * q).sum(), x * q), has_aux=True)(X)[1].sum(),
        X,
    ),
    (
        "a parameter beside it",
        lambda q: (ag.grad(lambda x: (x**2 * q * P).sum())(X) ** 2).sum(),
        8 * X**2 * Q * 4,
    ),
]
P = ag.parameter(np.array([2.0, 2.0]), name="P")


@pytest.mark.parametrize(("name", "f", "wanted"), INSIDE, ids=[row[0] for row in INSIDE])
def test_an_outer_derivative_sees_through_an_inner_one(name: str, f: Any, wanted: Any) -> None:
    np.testing.assert_allclose(ag.grad(f)(Q), wanted)
    np.testing.assert_allclose(ag.jvp(f, [Q], [X])[1], wanted @ X)
    np.testing.assert_allclose(ag.grad(lambda q: ag.jvp(f, [q], [X])[0])(Q), wanted)
    with ag.no_grad():
        np.testing.assert_allclose(ag.grad(f)(Q), wanted)
    assert P.grad is None


def test_tensors_in_keep_the_graph_of_what_is_closed_over() -> None:
    """A gradient penalty: the inner derivative at a tensor is recorded, at an array it is not."""
    w = ag.parameter(Q, name="w")
    inner = ag.grad(lambda x: (x**2 * w).sum())
    slope = inner(ag.constant(X))
    assert isinstance(slope, Tensor)
    assert slope.tracked
    (slope**2).sum().backward()
    np.testing.assert_allclose(w.grad, 8 * X**2 * Q)
    assert type(inner(X)) is np.ndarray
