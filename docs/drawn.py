"""A picture of each operator, applied to its own sample."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.graph import Op
from autograd_lite.recording import apply

__all__ = ["draw", "sample"]


def draw(op: Op, folder: Path) -> None:
    """Save the picture of an operator as ``folder/<name>.svg``."""
    with np.errstate(all="ignore"):
        shown = _example(op)
        g = [_counted(y) for y in shown]
        if len(shown) == 1:
            (shown, g) = shown[0], g[0]
        ag.draw(shown, folder / f"{op.name}.svg", cotangent=g, legend=False)


def _example(op: Op) -> list[Any]:
    """What the operator makes of its first sample: of several outputs the ones of fewest axes.

    The values of those do not hang on the signs that LAPACK chooses for vectors.
    """
    operands, params = sample(op)
    leaves = [
        ag.tensor(x, name=name) if np.asarray(x).dtype.kind in "fc" else ag.constant(x, name=name)
        for name, x in operands.items()
    ]
    result = apply(op, leaves, params)
    outputs = list(result) if isinstance(result, tuple) else [result]
    fewest = min(y.ndim for y in outputs)
    return [y for y in outputs if y.ndim == fewest]


def sample(op: Op) -> tuple[dict[str, Any], dict[str, Any]]:
    """Operands by name, and static parameters."""
    arrays, params = _operands(op)
    names = list(op.array_names) + [f"x{i + 1}" for i in range(len(op.array_names), len(arrays))]
    return dict(zip(names, arrays, strict=False)), params


def _operands(op: Op) -> tuple[list[Any], dict[str, Any]]:
    """Arrays of small numbers inside the domain; those that the probe makes of them, if any."""
    shapes, params = op.samples[0] if op.samples else (((3,),) * len(op.pulls), {})
    rng = np.random.default_rng(zlib.crc32(op.name.encode()))
    arrays = [_array(shape, op.domain, rng) for shape in shapes]
    if op.probe is None:
        return arrays, params
    taken: list[Any] = []

    def call(*xs: Any) -> Any:
        taken[:] = xs
        return op.forward(*xs, **params)

    op.probe(call, *arrays)
    return [np.asarray(getattr(x, "data", x)) for x in taken], params


def _array(shape: Any, domain: tuple[float, float], rng: np.random.Generator) -> Any:
    if isinstance(shape, str):
        sizes = [int(size) for size in re.findall(r"\d+", shape)]
        return rng.integers(0, 2, sizes).astype(bool)
    low, high = domain
    return np.round(rng.uniform(low, high, shape), 1)


def _counted(y: Any) -> Any:
    """A cotangent whose elements can be told apart."""
    return np.arange(1.0, y.size + 1).reshape(y.shape).astype(y.dtype)
