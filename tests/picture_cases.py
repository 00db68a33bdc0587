"""Graphs that the picture tests draw, all of them small."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag

Case = tuple[Any, dict[str, Any]]


def affine(x: Any, W: Any, b: Any) -> Any:
    with ag.scope("Affine"):
        return x @ W + b


def textbook_sigmoid(x: Any) -> Any:
    with ag.scope("Sigmoid"):
        return 1 / (1 + ag.exp(-x))


def stable_sigmoid(x: Any) -> Any:
    with ag.scope("Sigmoid"):
        m = ag.maximum(x, 0)
        top = ag.exp(x - m)
        return top / (top + ag.exp(-m))


def relu(x: Any) -> Any:
    with ag.scope("ReLU"):
        return ag.maximum(x, 0)


def _notebook(x: Any, cotangent: Any) -> Case:
    W = ag.parameter([[1, 2, 3], [4, 5, 6]], name="W")
    b = ag.parameter([7, 8, 9], name="b")
    return affine(ag.tensor(x, name="x"), W, b), {"cotangent": cotangent}


def _stack() -> Case:
    y, _ = _notebook([[0.1, -0.2], [0.3, 0.1]], None)
    W = ag.parameter([[1.0, -1.0], [0.5, 2.0], [0.0, 0.3]], name="W2")
    return relu(affine(textbook_sigmoid(y), W, ag.parameter([0.1, -5.0], name="b2"))), {}


def _diamonds() -> Case:
    x = ag.tensor(0.5, name="x")
    for _ in range(3):
        x = x * x + x
    return x, {}


def _large_arrays() -> Case:
    rng = np.random.default_rng(7)
    x = ag.tensor(rng.normal(size=(20, 30)), name="x")
    y = affine(x, ag.parameter(rng.normal(size=(30, 12))), ag.parameter(np.zeros(12)))
    return ag.sum(relu(y) * rng.normal(size=(20, 12))), {}


def _nested() -> Case:
    x = ag.tensor([1.0, 2.0], name="x")
    with ag.scope("Net"):
        with ag.scope("A name much longer than its one operation"):
            h = ag.tanh(x)
        with ag.scope("Inner"), ag.scope("Core"):
            k = ag.exp(h) + x
        out = h * k
    return out - x, {}


def _two_outputs() -> Case:
    x = ag.tensor([1.0, 2.0], name="x")
    h = ag.exp(x)
    return [h, ag.sin(h) + ag.constant([3.0, 4.0], name="c")], {}


def _parallel() -> Case:
    """Scopes side by side, long edges past them."""
    x, y = ag.tensor(1.0, name="x"), ag.tensor(2.0, name="y")
    with ag.scope("one"):
        a = ag.exp(ag.sin(ag.exp(x)))
    with ag.scope("two"):
        b = ag.sin(ag.exp(ag.sin(y)))
    return (a * y + b * x) * x, {}


CASES: dict[str, Callable[[], Case]] = {
    "leaf": lambda: (ag.tensor([1.0, 2.0], name="x"), {}),
    "affine": lambda: _notebook([[1, 1]], [[2, 1, -1]]),
    "batch": lambda: _notebook([[1, 1], [2, 3]], [[2, 1, -1], [1, 1, 1]]),
    "textbook": lambda: (textbook_sigmoid(ag.tensor([1.0, -2.0, 3.0], name="x")), {}),
    "sigmoid": lambda: (stable_sigmoid(ag.tensor([1.0, -2.0, 3.0], name="x")), {}),
    "folded": lambda: (_stack()[0], {"expand": "none"}),
    "relu": lambda: (relu(ag.tensor([1, -2, 3, -4], name="x")), {"cotangent": [1, 2, -3, -4]}),
    "stack": _stack,
    "diamonds": _diamonds,
    "large": _large_arrays,
    "nested": _nested,
    "outputs": _two_outputs,
    "parallel": _parallel,
    "bare": lambda: (_stack()[0], {"values": False, "gradients": False}),
}
