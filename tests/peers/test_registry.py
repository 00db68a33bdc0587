"""Every differentiable operator of the registry against PyTorch and JAX, at generic points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.graph import Graph
from autograd_lite.rules import OPS
from tests.peers.rows import COMPOSED, ROWS

REASON = "a peer that is not needed otherwise"
DIFFERENTIABLE = [name for name, op in OPS.items() if op.differentiable]
LOOSE = {("digamma", "torch"): 1e-9}  # its trigamma: see test_deviations.py
LOST = {"nextafter", "_pool_place", "_pool_pick"}  # operators that no peer has
TWICE = {"multiply", "power", "tanh", "logaddexp", "prod", "softmax", "matmul", "convolution"}
TWICE |= {"inv", "cholesky", "eigh"}


def arguments(name: str, rng: np.random.Generator) -> list[Any]:
    low, high = OPS[name].domain
    return [rng.uniform(low, high, shape) for shape in ROWS[name].shapes]


def cotangent(name: str, xs: list[Any], rng: np.random.Generator) -> Any:
    y = ROWS[name].ours(*[ag.tensor(x) for x in xs])
    # What is tested is the operator, not what a function of its name became.
    assert name in {node.op.name for node in Graph.of(y)}
    return y.data, rng.normal(size=y.shape)


def ours(name: str, xs: list[Any], g: Any, vs: list[Any]) -> tuple[Any, Any]:
    def loss(*args: Any) -> Any:
        return ag.sum(ROWS[name].ours(*args) * g)

    first = ag.grad(loss, tuple(range(len(xs))))(*xs)
    return first, ag.hvp(loss, xs, vs) if name in TWICE else []


def agree(found: Any, wanted: Any, rtol: float = 1e-10) -> None:
    scale = np.abs(wanted).max(initial=1.0)
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * scale / 10)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.torch])
def test_pytorch(name: str, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason=REASON)
    xs = arguments(name, rng)
    value, g = cotangent(name, xs, rng)
    vs = [rng.normal(size=x.shape) for x in xs]
    first, second = ours(name, xs, g, vs)
    leaves = [torch.tensor(x, requires_grad=True) for x in xs]
    y = ROWS[name].torch(torch, *leaves)
    agree(y.detach().numpy(), value)
    loss = (y * torch.tensor(g)).sum()
    theirs = torch.autograd.grad(
        loss, leaves, create_graph=name in TWICE, allow_unused=True, materialize_grads=True
    )
    for one, other in zip(first, theirs, strict=True):
        agree(one, other.detach().resolve_neg().numpy(), LOOSE.get((name, "torch"), 1e-10))
    if name in TWICE:
        along = sum((d * torch.tensor(v)).sum() for d, v in zip(theirs, vs, strict=True))
        for one, other in zip(second, torch.autograd.grad(along, leaves), strict=True):
            agree(one, other.numpy(), 1e-9)


@pytest.mark.parametrize("name", COMPOSED)
def test_composed_functions_in_pytorch(name: str, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason=REASON)
    f, theirs, *shapes = COMPOSED[name]
    xs = [rng.uniform(0.5, 2.0, shape) for shape in shapes]
    y = f(*[ag.constant(x) for x in xs]).data
    g = rng.normal(size=y.shape)
    leaves = [torch.tensor(x, requires_grad=True) for x in xs]
    z = theirs(torch, *leaves)
    agree(z.detach().numpy(), y)
    first = ag.grad(lambda *args: ag.sum(f(*args) * g), tuple(range(len(xs))))(*xs)
    for one, other in zip(first, torch.autograd.grad((z * torch.tensor(g)).sum(), leaves)):
        agree(one, other.numpy())


@pytest.fixture
def jax() -> Iterator[Any]:
    """JAX in float64 for the length of a test."""
    module = pytest.importorskip("jax", reason=REASON)
    pytest.importorskip("jax.scipy.special")
    with module.enable_x64(True):
        yield module


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.jax])
def test_jax(name: str, jax: Any, rng: np.random.Generator) -> None:
    xs = arguments(name, rng)
    value, g = cotangent(name, xs, rng)
    vs = [rng.normal(size=x.shape) for x in xs]
    first, second = ours(name, xs, g, vs)

    def loss(*args: Any) -> Any:
        return jax.numpy.sum(ROWS[name].jax(jax, *args) * g)

    arrays = tuple(jax.numpy.asarray(x) for x in xs)
    agree(ROWS[name].jax(jax, *arrays), value)
    gradient = jax.grad(loss, tuple(range(len(xs))))
    for one, other in zip(first, gradient(*arrays), strict=True):
        agree(one, other)
    if name in TWICE:
        _, theirs = jax.jvp(gradient, arrays, tuple(map(jax.numpy.asarray, vs)))
        for one, other in zip(second, theirs, strict=True):
            agree(one, other, 1e-9)


def test_every_operator_is_compared() -> None:
    """The count, and by name what a peer lacks; a new operator needs a line in the table."""
    assert not set(ROWS) - set(DIFFERENTIABLE)
    missing = [name for name in DIFFERENTIABLE if name not in ROWS]
    lacking = {
        peer: [name for name, row in ROWS.items() if getattr(row, peer) is None]
        for peer in ("torch", "jax")
    }
    for peer, names in lacking.items():
        print(f"\n{peer}: {len(ROWS) - len(names)} of {len(DIFFERENTIABLE)}; without {names}")
    assert not missing, "add them to tests/peers/rows.py, if only to say that no peer has them"
    assert set(lacking["torch"]) & set(lacking["jax"]) == LOST
