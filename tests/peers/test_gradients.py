"""The same functions in PyTorch and in HIPS autograd: value, gradient, second derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

REASON = "a peer of the extra 'peers', which is not needed otherwise"

# Each function takes a namespace and arrays; the names are common to all three.
FUNCTIONS: list[tuple[str, Callable[..., Any], tuple[tuple[int, ...], ...]]] = [
    ("polynomial", lambda n, x, y: x**3 * y - 2 * x / y + y**-1.5, ((3,), (2, 1))),
    ("exponentials", lambda n, x: n.exp(-x) * n.log(x) + n.log1p(x) - n.expm1(x), ((2, 3),)),
    ("trigonometry", lambda n, x: n.sin(x) * n.cos(2 * x) + n.tanh(x) ** 2, ((4,),)),
    ("roots", lambda n, x, y: n.sqrt(x * x + y * y), ((2, 3), (3,))),
    ("power of both", lambda n, x, y: x**y, ((3,), (3,))),
    ("absolute", lambda n, x: n.abs(x - 1.25) * n.square(x), ((5,),)),
    ("extrema", lambda n, x, y: n.maximum(x, y) * n.minimum(x, 2 * y), ((2, 3), (3,))),
    ("where", lambda n, x, y: n.where(x > y, x * y, n.exp(y)), ((2, 3), (2, 3))),
    ("matrices", lambda n, a, b: (a @ b) * n.sum(a), ((2, 3), (3, 4))),
    ("batches", lambda n, a, b: n.matmul(a, b), ((2, 1, 2, 3), (4, 3, 2))),
    ("vector by matrix", lambda n, a, b: (a @ b) ** 2, ((3,), (3, 2))),
    ("matrix by vector", lambda n, a, b: (a @ b) ** 2, ((2, 3), (3,))),
    ("sums", lambda n, x: n.sum(x, 0) * n.mean(x, 1).sum(), ((3, 3),)),
    ("product", lambda n, x: n.prod(x) * x, ((2, 2),)),
    ("largest", lambda n, x: n.max(x) * x, ((2, 3),)),
    ("shapes", lambda n, x: n.reshape(x, (3, 2)).T * n.broadcast_to(x[:1], (2, 3)), ((2, 3),)),
    ("joins", lambda n, x, y: n.concatenate((x, y * 2)) ** 2, ((2, 3), (1, 3))),
    ("stack", lambda n, x, y: n.stack((x, n.sin(y))) * x, ((3,), (3,))),
    ("slices", lambda n, x: x[1:, ::2] * x[:-1, :1] + x[0, 0], ((3, 4),)),
    ("gather", lambda n, x: x[[0, 2, 0]] * x[[1, 1, 1]], ((3, 2),)),
    ("sigmoid", lambda n, x: 1 / (1 + n.exp(-x)), ((2, 3),)),
    ("softmax", lambda n, x: n.exp(x) / n.sum(n.exp(x)), ((4,),)),
    ("network", lambda n, x, v, w: n.tanh(x @ v) @ w, ((4, 2), (2, 3), (3, 1))),
]


def arguments(shapes: tuple[tuple[int, ...], ...], rng: np.random.Generator) -> list[Any]:
    return [rng.uniform(0.5, 2.0, shape) for shape in shapes]


def ours(f: Any, xs: list[Any], g: Any, vs: list[Any]) -> tuple[Any, ...]:
    """Value, gradient of <g, f>, and the derivative of |gradient|²/2 along vs."""

    def loss(*args: Any) -> Any:
        return ag.sum(f(ag, *args) * g)

    every = tuple(range(len(xs)))
    value = f(ag, *[ag.constant(x) for x in xs]).data
    return value, ag.grad(loss, every)(*xs), ag.hvp(loss, xs, vs)


@pytest.mark.parametrize(("name", "f", "shapes"), FUNCTIONS, ids=[row[0] for row in FUNCTIONS])
def test_pytorch(name: str, f: Any, shapes: Any, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason=REASON)
    xs = arguments(shapes, rng)
    g = rng.normal(size=np.shape(f(np, *xs)))
    vs = [rng.normal(size=x.shape) for x in xs]
    value, first, second = ours(f, xs, g, vs)
    tensors = [torch.tensor(x, requires_grad=True) for x in xs]
    y = f(torch, *tensors)
    np.testing.assert_allclose(y.detach().numpy(), value, rtol=1e-12)
    loss = (y * torch.tensor(g)).sum()
    theirs = torch.autograd.grad(loss, tensors, create_graph=True)
    along = sum((d * torch.tensor(v)).sum() for d, v in zip(theirs, vs, strict=True))
    twice = torch.autograd.grad(along, tensors, allow_unused=True)
    for one, other in zip(first, theirs, strict=True):
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=1e-10, atol=1e-12)
    for one, other in zip(second, twice, strict=True):
        wanted = np.zeros(one.shape) if other is None else other.numpy()
        np.testing.assert_allclose(one, wanted, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("name", "f", "shapes"), FUNCTIONS, ids=[row[0] for row in FUNCTIONS])
def test_hips_autograd(name: str, f: Any, shapes: Any, rng: np.random.Generator) -> None:
    autograd = pytest.importorskip("autograd", reason=REASON)
    anp = pytest.importorskip("autograd.numpy", reason=REASON)
    xs = arguments(shapes, rng)
    g = rng.normal(size=np.shape(f(np, *xs)))
    value, first, _ = ours(f, xs, g, [np.zeros(x.shape) for x in xs])
    np.testing.assert_allclose(value, f(anp, *xs), rtol=1e-12)
    for i, one in enumerate(first):
        theirs = autograd.grad(lambda *args: anp.sum(f(anp, *args) * g), i)(*xs)
        np.testing.assert_allclose(one, theirs, rtol=1e-10, atol=1e-12)
