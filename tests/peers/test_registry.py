"""Every operator, what is composed of them, and the layers, against PyTorch and JAX.

At generic points: the value y, the gradient of Σ g·y²/2 and the derivative of that gradient along
a direction, which the square keeps from being zero where y is linear; with JAX the tangent too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.graph import Graph
from autograd_lite.rules import OPS
from tests.peers.layers import LAYERS
from tests.peers.rows import COMPOSED, ROWS, Row

REASON = "a peer of the extra 'peers', which is not needed otherwise"
DIFFERENTIABLE = [name for name, op in OPS.items() if op.differentiable]
EVERY: dict[str, Row] = ROWS | COMPOSED | LAYERS
LOOSE = {("digamma", "torch"): 1e-9}  # its trigamma: see test_deviations.py
LOST = {
    "nextafter": "PyTorch and JAX give it no derivative",
    "_pool_place": "places by codes that only our max_pool makes; tested as its gradient",
    "_pool_pick": "picks by codes that only our max_pool makes; tested as its gradient's gradient",
}
EAGER = {"choose", "compress, extract"}  # JAX compiles them for known conditions alone
ONCE = {("eigvals", "jax"): "its own gradient uses eigenvectors, whose derivative it refuses"}


def agree(found: Any, wanted: Any, rtol: float = 1e-10) -> None:
    scale = np.abs(wanted).max(initial=1.0)
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * scale / 10)


class Point:
    """Where a row is tried: arguments xs, weights g of the results, directions vs."""

    def __init__(self, name: str, rng: np.random.Generator) -> None:
        self.row = EVERY[name]
        low, high = OPS[name].domain if name in ROWS else self.row.domain
        self.xs = [rng.uniform(low, high, shape) for shape in self.row.shapes]
        y = self.row.ours(*[ag.tensor(x) for x in self.xs])
        # What is tested is the operator, not what a function of its name became.
        assert name not in ROWS or name in {node.op.name for node in Graph.of(y)}
        self.y, self.g = y.data, rng.normal(size=y.shape)
        self.vs = [rng.normal(size=x.shape) for x in self.xs]

    def loss(self, *xs: Any) -> Any:
        return ag.sum(ag.square(self.row.ours(*xs)) * self.g) / 2

    def gradient(self) -> Any:
        return ag.grad(self.loss, tuple(range(len(self.xs))))(*self.xs)

    def second(self) -> Any:
        return ag.hvp(self.loss, self.xs, self.vs)


@pytest.mark.parametrize("name", [name for name, row in EVERY.items() if row.torch])
def test_pytorch(name: str, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason=REASON)
    at = Point(name, rng)
    rtol = LOOSE.get((name, "torch"), 1e-10)
    leaves = [torch.tensor(x, requires_grad=True) for x in at.xs]
    y = at.row.torch(torch, *leaves)
    agree(y.detach().numpy(), at.y)

    def gradient(f: Any) -> Any:
        return torch.autograd.grad(
            f, leaves, create_graph=True, allow_unused=True, materialize_grads=True
        )

    first = gradient((y * y * torch.tensor(at.g)).sum() / 2)
    for one, other in zip(at.gradient(), first, strict=True):
        agree(one, other.detach().resolve_neg().numpy(), rtol)
    if all(d.requires_grad for d in first):
        along = sum((d * torch.tensor(v)).sum() for d, v in zip(first, at.vs, strict=True))
        for one, other in zip(at.second(), gradient(along), strict=True):
            agree(one, other.detach().resolve_neg().numpy(), 10 * rtol)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in EVERY.items() if row.jax])
def test_jax(name: str, jax: Any, rng: np.random.Generator) -> None:
    at = Point(name, rng)
    arrays = tuple(map(jax.numpy.asarray, at.xs))
    directions = tuple(map(jax.numpy.asarray, at.vs))

    def f(*xs: Any) -> Any:
        return at.row.jax(jax, *xs)

    def loss(*xs: Any) -> Any:
        return jax.numpy.sum(f(*xs) ** 2 * at.g) / 2

    gradient = jax.grad(loss, tuple(range(len(arrays))))

    def every(arrays: Any, directions: Any) -> Any:
        if (name, "jax") in ONCE:
            return jax.jvp(f, arrays, directions), (gradient(*arrays), ())
        return jax.jvp(f, arrays, directions), jax.jvp(gradient, arrays, directions)

    # One program to compile, not one for each operation of each derivative.
    compiled = every if name in EAGER else jax.jit(every)
    (y, tangent), (first, second) = compiled(arrays, directions)
    agree(y, at.y)
    agree(ag.jvp(at.row.ours, at.xs, at.vs)[1], tangent)
    for one, other in zip(at.gradient(), first, strict=True):
        agree(one, other)
    for one, other in zip(at.second(), second):
        agree(one, other, 1e-9)


def test_every_operator_is_compared() -> None:
    """The count, and by name what a peer lacks; a new operator needs a line in the table."""
    assert not set(ROWS) - set(DIFFERENTIABLE)
    assert len(EVERY) == len(ROWS) + len(COMPOSED) + len(LAYERS)
    missing = [name for name in DIFFERENTIABLE if name not in ROWS]
    lacking = {
        peer: [name for name, row in ROWS.items() if getattr(row, peer) is None]
        for peer in ("torch", "jax")
    }
    for peer, names in lacking.items():
        print(f"\n{peer}: {len(ROWS) - len(names)} of {len(DIFFERENTIABLE)}; without {names}")
    print(f"{len(COMPOSED)} composed functions, {len(LAYERS)} layers and losses")
    assert not missing, "add them to tests/peers/rows.py, if only to say that no peer has them"
    assert set(lacking["torch"]) & set(lacking["jax"]) == set(LOST)
