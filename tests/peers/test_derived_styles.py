"""Derived sources in the styles of PyTorch and JAX, held against the peers' own derivatives.

Each function is written once, of a namespace: the engine derives it, and PyTorch and JAX
differentiate it themselves.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DeriveError

RNG = np.random.default_rng(7)
X, Z = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))


def sigmoid(xp: Any, x: Any) -> Any:
    return 1 / (1 + xp.exp(-x))


def swish(xp: Any, x: Any) -> Any:
    s = 1 / (1 + xp.exp(-x))
    return x * s


def tanh(xp: Any, x: Any) -> Any:
    return (xp.exp(x) - xp.exp(-x)) / (xp.exp(x) + xp.exp(-x))


def leaky(xp: Any, x: Any) -> Any:
    return xp.where(x > 0, x, 0.1 * x)


def elu(xp: Any, x: Any) -> Any:
    return xp.where(x > 0, x, xp.exp(x) - 1)


def relu_sum(xp: Any, x: Any, z: Any) -> Any:
    return xp.where(x > 0, x, 0 * x) - z * (1 - xp.tanh(x))


def softmax(xp: Any, x: Any) -> Any:
    e = xp.exp(x)
    return e / xp.sum(e, axis=1, keepdims=True)


def log_softmax(xp: Any, x: Any) -> Any:
    return x - xp.log(xp.sum(xp.exp(x), axis=1, keepdims=True))


def cross_entropy(xp: Any, x: Any, t: Any) -> Any:
    e = xp.exp(x)
    s = e / xp.sum(e, axis=1, keepdims=True)
    return -xp.sum(t * xp.log(s)) / len(x)


def layer_norm(xp: Any, x: Any, gamma: Any, beta: Any) -> Any:
    c = x - xp.mean(x, axis=1, keepdims=True)
    std = xp.sqrt(xp.mean(c**2, axis=1, keepdims=True) + 1e-5)
    return gamma * c / std + beta


def unit(xp: Any, x: Any) -> Any:
    return x / xp.sqrt(xp.sum(x**2, axis=1, keepdims=True))


def radial(xp: Any, x: Any, c: Any) -> Any:
    return xp.exp(-xp.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=2) / 2)


def halves(xp: Any, x: Any) -> Any:
    return x[:, :1] / (1 + xp.exp(-x[:, 1:]))


def images(xp: Any, x: Any, W: Any, b: Any) -> Any:
    return x.reshape(len(x), -1) @ W + b


def cell(xp: Any, x: Any, h: Any, c: Any, W: Any) -> Any:
    a = x @ W + h
    inner = c / (1 + xp.exp(-a)) + xp.tanh(a)
    return xp.tanh(inner), inner


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "sigmoid": (sigmoid, (X,)),
    "swish": (swish, (X,)),
    "tanh": (tanh, (X,)),
    "leaky": (leaky, (X,)),
    "elu": (elu, (X,)),
    "relu_sum": (relu_sum, (X, Z)),
    "softmax": (softmax, (X,)),
    "log_softmax": (log_softmax, (X,)),
    "cross_entropy": (cross_entropy, (X, np.eye(3)[[0, 1, 2, 1]])),
    "layer_norm": (layer_norm, (X, np.ones(3), np.zeros(3))),
    "unit": (unit, (X,)),
    "radial": (radial, (X, RNG.normal(size=(5, 3)))),
    "halves": (halves, (X,)),
    "images": (images, (RNG.normal(size=(4, 3, 2)), RNG.normal(size=(6, 2)), np.zeros(2))),
    "cell": (cell, (X, Z, Z, RNG.normal(size=(3, 3)))),
}


def derived(name: str, backend: str) -> Any:
    f, examples = CASES[name]
    return ag.derive(lambda *xs: f(ag, *xs), *examples, name="Derived", backend=backend)


def closely(found: Any, truth: Any) -> None:
    """Equal up to what a short form costs in the middle of the range."""
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-9, atol=1e-13)


def as_tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


@pytest.mark.parametrize("name", CASES)
def test_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="a peer that is not installed")
    f, examples = CASES[name]
    own = derived(name, "torch").type

    def outcome(g: Callable[..., Any]) -> tuple[Any, Any]:
        leaves = [torch.tensor(x, requires_grad=True) for x in examples]
        results = as_tuple(g(*leaves))
        arriving = [torch.cos(y.detach()) for y in results]
        return [y.detach() for y in results], torch.autograd.grad(results, leaves, arriving)

    for found, truth in zip(outcome(own.apply), outcome(lambda *xs: f(torch, *xs)), strict=True):
        closely(found, truth)


@pytest.mark.parametrize("name", CASES)
def test_of_jax(name: str, jax: Any) -> None:
    f, examples = CASES[name]
    own = derived(name, "jax").type

    def outcome(g: Callable[..., Any]) -> tuple[Any, Any]:
        results, pull = jax.vjp(jax.jit(g), *examples)
        return as_tuple(results), pull(jax.tree.map(jax.numpy.cos, results))

    for found, truth in zip(outcome(own), outcome(lambda *xs: f(jax.numpy, *xs)), strict=True):
        closely(found, truth)


def test_a_second_derivative_through_pytorch_is_refused() -> None:
    torch = pytest.importorskip("torch", reason="a peer that is not installed")
    x = torch.tensor(X, requires_grad=True)
    y = derived("sigmoid", "torch").type.apply(x)
    (once,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        once.sum().backward()


def test_single_precision_stays() -> None:
    torch = pytest.importorskip("torch", reason="a peer that is not installed")
    x = X.astype(np.float32)
    for f in (elu, leaky):
        source = ag.derive(lambda x, f=f: f(ag, x), x, name="Derived", backend="torch")
        leaf = torch.tensor(x, requires_grad=True)
        y = source.type.apply(leaf)
        (gradient,) = torch.autograd.grad(y.sum(), leaf)
        assert y.dtype == gradient.dtype == torch.float32


@pytest.mark.parametrize(
    ("backend", "message"),
    [("torch", "has no equal in PyTorch"), ("jax", "changes arrays in place")],
)
def test_what_a_style_cannot_say(backend: str, message: str) -> None:
    with pytest.raises(DeriveError, match=message):
        ag.derive(ag.nn.MaxPool(2), RNG.normal(size=(2, 2, 4, 4)), backend=backend)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(DeriveError, match="there is no style 'tensorflow'"):
        ag.derive(ag.nn.ReLU(), X, backend="tensorflow")


def test_layers_are_of_numpy() -> None:
    with pytest.raises(DeriveError, match="there are no layers"):
        derived("sigmoid", "jax").layer()
