"""Tracing hand-written NumPy code, and whole comparisons of layers as people write them.

Aims: a node costs at most 10 µs beside the NumPy call itself; a convolution in Python loops (65,000
nodes) is compared in under 3 s, a layer of 100,000 parameters in under 2 s. Seconds are processor
time; those of tracing the least of some rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.comparison.corpus import affine, images, norms, sequences

ROUNDS = 3


class ScalarConvolution:
    """A convolution in six loops, number by number: four nodes for each product."""

    def __init__(self, W: Any) -> None:
        self.W = W

    def forward(self, x: Any) -> Any:
        self.x = x
        F, C, K, _ = self.W.shape
        out = np.zeros((F, x.shape[1] - K + 1, x.shape[2] - K + 1))
        for f, i, j, c, u, v in np.ndindex(*out.shape, C, K, K):
            out[f, i, j] += x[c, i + u, j + v] * self.W[f, c, u, v]
        return out

    def backward(self, dout: Any) -> Any:
        C, K = self.W.shape[1:3]
        dx, self.dW = np.zeros_like(self.x), np.zeros_like(self.W)
        for f, i, j, c, u, v in np.ndindex(*dout.shape, C, K, K):
            dx[c, i + u, j + v] += dout[f, i, j] * self.W[f, c, u, v]
            self.dW[f, c, u, v] += dout[f, i, j] * self.x[c, i + u, j + v]
        return dx


def _layers() -> dict[str, tuple[Callable[[], Any], tuple[Any, ...], float | None]]:
    """A layer, its inputs, and in how many seconds it is to be compared."""
    n = np.random.default_rng(0).standard_normal
    scalar, w, b = n((4, 3, 3, 3)), n((8, 3, 3, 3)), n(8)
    wide, rows = n((1000, 100)) / 30, n((14, 40)) / 10
    square = [n((16, 16)) for _ in range(3)]
    return {
        "convolution, number loops": (
            lambda: ScalarConvolution(scalar), (n((3, 14, 14)),), 3.0,
        ),
        "convolution, window loops": (
            lambda: images.NaiveConv(w, b, 1, 1), (n((2, 3, 26, 26)),), 3.0,
        ),
        "convolution, im2col": (lambda: images.Convolution(w, b, 1, 1), (n((4, 3, 16, 16)),), None),
        "max pooling, loops": (lambda: images.NaiveMaxPool(2, 2), (n((2, 3, 16, 16)),), None),
        "LSTM over 50 steps": (
            lambda: sequences.LstmSequence(rows, n(40)), (n((50, 4)),), None,
        ),
        "batch norm": (lambda: norms.BatchNorm(np.ones(10), np.zeros(10)), (n((32, 10)),), None),
        "attention": (lambda: sequences.CausalSelfAttention(*square), (n((12, 16)),), None),
        "affine, 100,100 parameters": (
            lambda: affine.Affine(wide, np.zeros(100)), (n((16, 1000)),), 2.0,
        ),
    }  # fmt: skip


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of one call, and what it gave."""
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


def tracing(make: Callable[[], Any], xs: Any) -> tuple[float, float, int]:
    """Seconds of the plain forward pass and of the traced one, and the nodes of its graph."""
    plain, traced, nodes = float("inf"), float("inf"), 0
    for _ in range(ROUNDS):
        plain = min(plain, seconds(lambda: make().forward(*xs))[0])
        lifted = ag.lift(make(), leaf=lambda path, array: ag.parameter(array, name=path))
        operands = [ag.tensor(x) if x.dtype.kind == "f" else x for x in xs]
        took, y = seconds(lambda lifted=lifted, operands=operands: lifted.forward(*operands))
        traced, nodes = min(traced, took), len(ag.Graph.of(y))
    return plain, traced, nodes


def report() -> str:
    """All layers: what a node costs, and how long a comparison takes."""
    titles = f"{'nodes':>8}{'plain, ms':>11}{'traced, ms':>12}{'µs a node':>11}"
    lines = [f"  {'':26}{titles}{'compared, s':>13}{'aim':>6}"]
    ag.compare(ag.handwritten.Sigmoid(), np.ones(2))  # loads the room
    for name, (make, xs, aim) in _layers().items():
        plain, traced, nodes = tracing(make, xs)
        took, found = seconds(lambda make=make, xs=xs: ag.compare(make(), *xs))
        over = (traced - plain) / nodes * 1e6
        lines.append(
            f"  {name:26}{nodes:8,}{plain * 1e3:11.2f}{traced * 1e3:12.1f}{over:11.1f}"
            f"{took:13.2f}{aim or '–':>6}{'' if found.ok else '  ' + found.verdict}"
        )
    return "\n".join(lines)
