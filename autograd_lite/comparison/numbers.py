"""How many numbers to ask for: every element of small arrays, a sample of large ones.

Knows: which elements to examine, and the check of all elements at once that stands beside a sample.
Does not know: where the function comes from, verdicts.
Imports: `numeric`, `verdict`, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.verdict import Numbers
from autograd_lite.numeric import numeric_jvp, numeric_vjp

__all__ = ["EXAMINED", "numbers_of"]

EXAMINED = 1024  # arrays up to this size are examined element by element
_SAMPLE = 256  # of larger ones so many, and one direction through all


def numbers_of(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    cotangents: Sequence[Any],
    rng: np.random.Generator,
    *,
    look_at: Sequence[Any] = (),
    complex_step: bool = True,
) -> list[Numbers]:
    """What the numeric referee says of the gradient of each array.

    `look_at` gives flat positions of each array that a sample shall include.
    """
    arrays = [np.asarray(a, float) for a in arrays]
    cotangent = tuple(cotangents) if len(cotangents) > 1 else cotangents[0]
    chosen = [_chosen(a.size, look_at[k] if look_at else [], rng) for k, a in enumerate(arrays)]
    found = numeric_vjp(f, arrays, cotangent, indices=chosen, complex_step=complex_step)
    return [
        Numbers(number, None if a.size <= EXAMINED else _along(f, arrays, k, cotangents, rng))
        for k, (a, number) in enumerate(zip(arrays, found, strict=True))
    ]


def _chosen(size: int, wanted: Sequence[Any], rng: np.random.Generator) -> Any:
    if size <= EXAMINED:
        return np.arange(size)
    sample = rng.choice(size, _SAMPLE, replace=False)
    return np.unique(np.concatenate([sample, np.asarray(wanted, np.intp)]))


def _along(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    k: int,
    cotangents: Sequence[Any],
    rng: np.random.Generator,
) -> tuple[Any, float, float]:
    """A random tangent of array k, the derivative of ⟨cotangent, f⟩ along it, and its error."""
    tangents = [np.zeros(a.shape) for a in arrays]
    tangents[k] = rng.standard_normal(arrays[k].shape)
    value, error = numeric_jvp(f, arrays, tangents)
    values = value if isinstance(value, tuple) else (value,)
    errors = error if isinstance(error, tuple) else (error,)
    total = sum(float((np.asarray(g) * v).sum()) for g, v in zip(cotangents, values, strict=True))
    doubt = sum(
        float((np.abs(np.asarray(g)) * e).sum()) for g, e in zip(cotangents, errors, strict=True)
    )
    return tangents[k], total, doubt
