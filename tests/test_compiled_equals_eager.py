"""A compiled program gives what the function gives: every operator, random graphs, edge values."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.rules import OPS
from autograd_lite.tensors import Tensor
from tests.laws import Case, cases

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Mean of empty:RuntimeWarning"),
]
EVERY = [
    case
    for op in OPS.values()
    if op.differentiable
    for found in [cases(op)]
    for case in [*found.usual, *found.undefined]
]


def near(got: Any, wanted: Any, rtol: float = 1e-12) -> None:
    """Equal up to the rounding of reordered sums; NaN and infinities in the same places."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    if wanted.size and wanted.dtype.kind in "fc":
        finite = np.abs(wanted[np.isfinite(wanted)])
        scale = finite.max(initial=0.0)
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * scale)
    else:
        np.testing.assert_array_equal(got, wanted)


def plain(value: Any) -> Any:
    return value._value if isinstance(value, Tensor) else value


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_every_operator(case: Case) -> None:
    """Value and gradient of the operator alone, compiled together, twice on other numbers."""
    rng = case.rng()
    chosen = case.floating()
    arrays = case.arrays(rng)
    first = plain(case.record(*arrays))
    weights = rng.normal(size=np.shape(first))
    f = case.of(arrays, chosen)

    def loss(*xs: Any) -> Any:
        y = f(*xs)
        return (y * weights).sum(), y

    both = ag.value_and_grad(loss, tuple(range(len(chosen))), has_aux=True)
    compiled = ag.compile(both, poison=True)
    for _ in range(2):
        values = [case.arrays(rng)[i] for i in chosen]
        (got, y), slopes = compiled(*values)
        (wanted, y_wanted), slopes_wanted = both(*values)
        near(plain(got), plain(wanted))
        near(plain(y), plain(y_wanted))
        for one, other in zip(slopes, slopes_wanted, strict=True):
            near(plain(one), plain(other))


UNARY = [op for op in OPS.values() if op.kind == "pointwise" and len(op.pulls) == 1]
SMOOTH = [
    op for op in UNARY
    if op.domain[0] <= -1 and op.domain[1] >= 1 and not op.name.startswith("_")
]  # fmt: skip
KINDS = [
    "smooth",
    "add",
    "multiply",
    "matmul",
    "sum",
    "reshape",
    "transpose",
    "slice",
    "row",
    "max",
]


def grown(rng: np.random.Generator, x: Any, w: Any, size: int) -> Any:
    """A random function of two square matrices; values stay near 1."""
    pool = [x, w]
    n = x.shape[0]
    for _ in range(size):
        a, b = (pool[k] for k in rng.integers(0, len(pool), 2))
        kind = KINDS[rng.integers(len(KINDS))]
        if kind == "smooth":
            op = SMOOTH[rng.integers(len(SMOOTH))]
            y = getattr(ag, op.name)(ag.tanh(a))
        elif kind in ("add", "multiply"):
            y = a + b if kind == "add" else a * b
        elif kind == "matmul":
            y = a @ b / n
        elif kind == "sum":
            y = a - a.sum(axis=int(rng.integers(2)), keepdims=True) / n
        elif kind == "reshape":
            y = a.reshape(-1).reshape(n, n) * 0.5
        elif kind == "transpose":
            y = a.T
        elif kind == "slice":
            y = ag.concat([a[1:], b[:1]], axis=0)
        elif kind == "row":
            y = b[int(rng.integers(n))] * a - 1
        else:
            y = ag.maximum(a, 0) + ag.where(b > 0, a, -b)
        pool.append(ag.tanh(y))
    return sum((p * p).mean() for p in pool[-3:])


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("n", [3, 400])
def test_random_graphs(seed: int, n: int) -> None:
    """Small ones run as expressions, large ones in blocks and in the workspace, poisoned."""
    if n > 3 and seed > 7:
        seed += 1000
    rng = np.random.default_rng(zlib.crc32(b"graph") + seed)
    x, w = rng.normal(size=(2, n, n))

    def loss(x: Any, w: Any) -> Any:
        return grown(np.random.default_rng(seed), x, w, 12 if n == 3 else 6)

    both = ag.value_and_grad(loss, (0, 1))
    compiled = ag.compile(both, poison=True)
    for k in range(2):
        got, slopes = compiled(x + k, w)
        wanted, slopes_wanted = both(x + k, w)
        near(got, wanted, 1e-10)
        for one, other in zip(slopes, slopes_wanted, strict=True):
            near(one, other, 1e-9)
