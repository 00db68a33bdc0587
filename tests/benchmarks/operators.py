"""Operators, forward and backward, beside NumPy: the bare call and the backward written by hand.

Small arrays show the engine's overhead, as microseconds more for one application (aims: 2 forward,
3 backward); large ones its ratio. Backward is one sweep over many applications, on leaves of their
own, so that what one sweep costs once is shared out.
"""

from __future__ import annotations

import statistics
import time
import timeit
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from autograd_lite.reverse import Sweep

APPLICATIONS = 16
ROWS_TAKEN = np.array([1, 0, 1])
F = Callable[..., Any]


class Row(NamedTuple):
    """An operator here, its NumPy call, and its backward by hand: (g, y, *xs) to cotangents."""

    name: str
    ours: F
    bare: F
    by_hand: F
    arrays: int = 1


def unary(name: str, slope: F) -> Row:
    return Row(name, getattr(ag, name), getattr(np, name), lambda g, y, x: (g * slope(y, x),))


def placed(x: Any, index: Any, g: Any) -> Any:
    total = np.zeros_like(x)
    total[index] = g
    return total


def added_at(x: Any, index: Any, g: Any) -> Any:
    total = np.zeros_like(x)
    np.add.at(total, index, g)
    return total


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def ordered(g: Any, x: Any) -> Any:
    total = np.empty_like(x)
    np.put_along_axis(total, np.argsort(x, -1), g, -1)
    return total


def at_first_largest(g: Any, x: Any) -> Any:
    total = np.zeros_like(x)
    np.put_along_axis(total, x.argmax(-1)[:, None], g[:, None], -1)
    return total


def _spread(x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) / x.shape[-1]


# fmt: off
ROWS = [
    Row("add", ag.add, np.add, lambda g, y, a, b: (g, g), 2),
    Row("subtract", ag.subtract, np.subtract, lambda g, y, a, b: (g, -g), 2),
    Row("multiply", ag.multiply, np.multiply, lambda g, y, a, b: (g * b, g * a), 2),
    Row("divide", ag.divide, np.divide, lambda g, y, a, b: (g / b, -g * y / b), 2),
    Row("maximum", ag.maximum, np.maximum,
        lambda g, y, a, b: (g * (a >= b), g * (b > a)), 2),
    Row("relu", lambda x: ag.maximum(x, 0), lambda x: np.maximum(x, 0),
        lambda g, y, x: (g * (y > 0),)),
    Row("x**3", lambda x: x**3, lambda x: x**3, lambda g, y, x: (g * (3 * x**2),)),
    unary("negative", lambda y, x: -1.0), unary("square", lambda y, x: 2 * x),
    unary("exp", lambda y, x: y), unary("expm1", lambda y, x: y + 1),
    unary("log", lambda y, x: 1 / x), unary("log1p", lambda y, x: 1 / (1 + x)),
    unary("sqrt", lambda y, x: 0.5 / y), unary("reciprocal", lambda y, x: -y * y),
    unary("sin", lambda y, x: np.cos(x)), unary("cos", lambda y, x: -np.sin(x)),
    unary("tanh", lambda y, x: 1 - y * y), unary("arctan", lambda y, x: 1 / (1 + x * x)),
    unary("abs", lambda y, x: np.sign(x)),
    Row("sigmoid", ag.sigmoid, lambda x: 1 / (1 + np.exp(-x)),
        lambda g, y, x: (g * y * (1 - y),)),
    Row("softplus", ag.softplus, lambda x: np.logaddexp(x, 0),
        lambda g, y, x: (g / (1 + np.exp(-x)),)),
    Row("where", lambda x: ag.where(MASK[x.shape], x, 0), lambda x: np.where(MASK[x.shape], x, 0),
        lambda g, y, x: (np.where(MASK[x.shape], g, 0),)),
    Row("clip", lambda x: ag.clip(x, 0.6, 1.5), lambda x: np.clip(x, 0.6, 1.5),
        lambda g, y, x: (g * ((x > 0.6) & (x < 1.5)),)),
    Row("sum", ag.sum, np.sum, lambda g, y, x: (np.full_like(x, g),)),
    Row("sum of rows", lambda x: ag.sum(x, axis=1), lambda x: np.sum(x, axis=1),
        lambda g, y, x: (np.repeat(g[:, None], x.shape[1], 1),)),
    Row("mean", ag.mean, np.mean, lambda g, y, x: (np.full_like(x, g / x.size),)),
    Row("max of rows", lambda x: ag.max(x, axis=1), lambda x: np.max(x, axis=1),
        lambda g, y, x: (at_first_largest(g, x),)),
    Row("var of rows", lambda x: ag.var(x, axis=1), lambda x: np.var(x, axis=1),
        lambda g, y, x: (2 * g[:, None] * _spread(x),)),
    Row("std of rows", lambda x: ag.std(x, axis=1), lambda x: np.std(x, axis=1),
        lambda g, y, x: ((g / y)[:, None] * _spread(x),)),
    Row("prod of rows", lambda x: ag.prod(x, axis=1), lambda x: np.prod(x, axis=1),
        lambda g, y, x: ((g * y)[:, None] / x,)),
    Row("softmax", ag.nn.softmax, softmax,
        lambda g, y, x: (y * (g - (g * y).sum(-1, keepdims=True)),)),
    Row("cumsum", lambda x: ag.cumsum(x, axis=1), lambda x: np.cumsum(x, axis=1),
        lambda g, y, x: (np.cumsum(g[:, ::-1], 1)[:, ::-1],)),
    Row("sort", lambda x: ag.sort(x, axis=1), lambda x: np.sort(x, axis=1),
        lambda g, y, x: (ordered(g, x),)),
    Row("reshape", lambda x: ag.reshape(x, (-1,)), lambda x: x.reshape(-1),
        lambda g, y, x: (g.reshape(x.shape),)),
    Row("transpose", ag.transpose, np.transpose, lambda g, y, x: (g.T,)),
    Row("broadcast_to", lambda x: ag.broadcast_to(x, (3, *x.shape)),
        lambda x: np.broadcast_to(x, (3, *x.shape)), lambda g, y, x: (g.sum(0),)),
    Row("concat", lambda a, b: ag.concat([a, b]), lambda a, b: np.concatenate([a, b]),
        lambda g, y, a, b: (g[: len(a)], g[len(a) :]), 2),
    Row("stack", lambda a, b: ag.stack([a, b]), lambda a, b: np.stack([a, b]),
        lambda g, y, a, b: (g[0], g[1]), 2),
    Row("split", lambda x: ag.split(x, [1])[1], lambda x: np.split(x, [1])[1],
        lambda g, y, x: (placed(x, slice(1, None), g),)),
    Row("x[1]", lambda x: x[1], lambda x: x[1], lambda g, y, x: (placed(x, 1, g),)),
    Row("x[:, 1:]", lambda x: x[:, 1:], lambda x: x[:, 1:],
        lambda g, y, x: (placed(x, (slice(None), slice(1, None)), g),)),
    Row("x[rows]", lambda x: x[ROWS_TAKEN], lambda x: x[ROWS_TAKEN],
        lambda g, y, x: (added_at(x, ROWS_TAKEN, g),)),
    Row("take", lambda x: ag.take(x, ROWS_TAKEN, axis=0), lambda x: np.take(x, ROWS_TAKEN, 0),
        lambda g, y, x: (added_at(x, ROWS_TAKEN, g),)),
    Row("pad", lambda x: ag.pad(x, 1), lambda x: np.pad(x, 1), lambda g, y, x: (g[1:-1, 1:-1],)),
    Row("flip", ag.flip, np.flip, lambda g, y, x: (g[::-1, ::-1],)),
    Row("matmul", lambda a, b: a @ b.T, lambda a, b: a @ b.T,
        lambda g, y, a, b: (g @ b, g.T @ a), 2),
    Row("einsum", lambda a, b: ag.einsum("ij,kj->ik", a, b),
        lambda a, b: np.einsum("ij,kj->ik", a, b, optimize=True),
        lambda g, y, a, b: (g @ b, g.T @ a), 2),
]
# fmt: on
SMALL, LARGE = (2, 3), (512, 512)
MASK = {shape: np.random.default_rng(1).random(shape) < 0.5 for shape in (SMALL, LARGE)}


def measured(row: Row, shape: tuple[int, int], budget: float) -> tuple[float, float, float, float]:
    """Microseconds of one application: ours and NumPy's forward, ours and by hand backward."""
    rng = np.random.default_rng(0)
    count = APPLICATIONS if shape == SMALL else 1
    arrays = [rng.uniform(0.5, 2, shape) for _ in range(row.arrays)]
    operands = [[ag.tensor(a) for a in arrays] for _ in range(count)]
    results = [row.ours(*xs) for xs in operands]
    y = row.bare(*arrays)
    g = np.asarray(rng.normal(size=np.shape(y)))[()]
    seeds = {one.node: g for one in results}
    nodes = {x.node for x in operands[0]}
    found = Sweep(seeds).run(nodes)
    for x, wanted in zip(operands[0], row.by_hand(g, y, *arrays), strict=True):
        np.testing.assert_allclose(found[x.node], wanted, rtol=1e-9, atol=1e-12)

    def forward() -> None:
        for xs in operands:
            row.ours(*xs)

    def bare() -> None:
        for _ in operands:
            row.bare(*arrays)

    def by_hand() -> None:
        for _ in operands:
            row.by_hand(g, y, *arrays)

    runs = forward, bare, lambda: Sweep(seeds).run(), by_hand
    best = [one / count for one in least(runs, budget)]
    return best[0], best[1], best[2], best[3]


def least(runs: Sequence[Callable[[], Any]], budget: float) -> list[float]:
    """Microseconds of processor time of each, the least of many rounds in which they take turns."""
    timers = [timeit.Timer(run, timer=time.thread_time) for run in runs]
    numbers = [max(1, int(1e-3 / max(timer.timeit(1), 1e-7))) for timer in timers]
    best = [float("inf")] * len(runs)
    start = time.perf_counter()
    while time.perf_counter() < start + budget or float("inf") in best:
        for i, (timer, number) in enumerate(zip(timers, numbers, strict=True)):
            best[i] = min(best[i], timer.timeit(number) / number * 1e6)
    return best


def report() -> str:
    """All rows: microseconds more on small arrays, ratios on large ones, and the medians."""
    lines = [
        f"  NumPy against the engine: {SMALL} in µs, {LARGE} as ratios to NumPy",
        f"  {'':16}{'NumPy':>8}{'more':>8}{'by hand':>9}{'more':>8}{'forward':>10}{'backward':>10}",
    ]
    more: list[tuple[float, float]] = []
    for row in ROWS:
        a, b, c, d = measured(row, SMALL, 0.4)
        e, f, g, h = measured(row, LARGE, 0.4)
        more.append((a - b, c - d))
        cells = f"{b:8.2f}{a - b:8.2f}{d:9.2f}{c - d:8.2f}{e / f:10.2f}{g / h:10.2f}"
        lines.append(f"  {row.name:16}{cells}")
    forward, backward = (statistics.median(column) for column in zip(*more, strict=True))
    return "\n".join([*lines, f"  median of {len(ROWS)}{forward:15.2f}{backward:17.2f}"])
