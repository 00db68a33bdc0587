"""Random compositions of the registry's operators, with shapes from their own samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.laws import Case


def size_of(shape: Any) -> int:
    return math.prod(shape)


def fitted(value: Any, shape: tuple[int, ...], domain: tuple[float, float]) -> Any:
    """Elements of a value, as often as needed, inside an operator's domain."""
    where = np.arange(size_of(shape)) % value.size
    inside = ag.tanh(value.reshape(-1)[where].reshape(shape))
    low, high = domain
    return (low + high) / 2 + inside * (0.45 * (high - low))


def grown(rng: np.random.Generator, x: Any, chosen: list[Case]) -> Any:
    """What a random chain of operators makes of earlier results."""
    pool = [x, x * 0.5 + 1]
    for case in chosen:
        picked = [pool[i] for i in rng.integers(0, len(pool), len(case.shapes))]
        operands = [
            fitted(value if value.size else x, shape, case.op.domain)
            for value, shape in zip(picked, case.shapes, strict=True)
        ]
        made = case.record(*operands)
        pool.extend(made if type(made) is tuple else [made])
    return sum(ag.tanh(ag.astype(value, np.float64)).sum() for value in pool[-5:])
