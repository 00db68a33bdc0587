"""How much of a gradient is rounding: what is left of it where the truth cancels to nothing.

Knows: that a gradient which is right but for rounding changes by its rounding when its inputs
change by theirs; and that rounding never exceeds some ulps of the scale f/x of the derivative.
Does not know: where gradients come from, verdicts.
Imports: NumPy.

A batch normalisation whose cotangent is constant has gradient 0; two right programs give 1e-17 and
-3e-17. In their own scale these differ by everything. A gradient of 1e-8 that is no rubbish does
not change at all under such a jitter, and is judged as strictly as one of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["most_rounding", "natural_scale", "rounding_of"]

_ULPS = (1.0, -1.0, 2.0, -2.0, 3.0)
_AMPLIFIED = 6.0  # a few jitters may happen to round alike
_MOST = 16.0  # ulps of the derivative's natural scale, at most


def _scaled(array: Any, factor: Any) -> Any:
    """A float array moved by `factor` ulps; integers stay."""
    array = np.asarray(array)
    if array.dtype.kind != "f":
        return array
    eps = np.finfo(array.dtype).eps
    return (array * (1 + np.asarray(factor * eps))).astype(array.dtype)


def natural_scale(outputs: Sequence[Any], cotangents: Sequence[Any], point: Any) -> Any:
    """The size Σ|g·f| / |x| of a derivative that is neither steep nor flat, per element of x."""
    x = np.abs(np.asarray(point, float))
    with np.errstate(invalid="ignore", over="ignore"):
        flow = sum(
            float(np.nansum(np.abs(np.asarray(g, float) * np.asarray(y, float))))
            for y, g in zip(outputs, cotangents, strict=True)
            if np.shape(y) == np.shape(g)
        )
    largest = float(x[np.isfinite(x)].max(initial=0.0)) or 1.0
    return flow / np.maximum(x, 0.05 * largest)


def most_rounding(claim: Any, arrays: Sequence[Any], scale: Any) -> Any:
    """What the rounding in a claim does not exceed: some ulps of the derivative's natural scale."""
    return _MOST * _eps(claim, *arrays) * scale


def rounding_of(
    claims: Sequence[Any],
    again: Callable[[Sequence[Any], Sequence[Any]], Sequence[Any]],
    arrays: Sequence[Any],
    weights: Sequence[Any],
    scales: Sequence[Any],
) -> list[Any]:
    """An estimate of the rounding in each of `claims`, element by element.

    `again` gives the claims at other arrays and weights (the cotangents, or the tangents);
    `scales` are natural scales. A claim that is None or changes its shape has no estimate, 0.
    """
    changes: list[Any] = [np.zeros(np.shape(claim)) for claim in claims]
    rng = np.random.default_rng(0)
    for ulps in _ULPS:
        # One factor for all elements of an input: ties and zeros stay what they are.
        moved = [_scaled(a, ulps) for a in arrays]
        weighed = [_scaled(w, rng.uniform(-1, 1, np.shape(w))) for w in weights]
        others = again(moved, weighed)
        for k, (claim, other) in enumerate(zip(claims, others, strict=True)):
            if claim is None or other is None or np.shape(claim) != np.shape(other):
                continue
            with np.errstate(invalid="ignore"):
                change = np.abs(np.asarray(other, float) - np.asarray(claim, float))
            changes[k] = np.fmax(changes[k], np.nan_to_num(change, nan=0.0, posinf=0.0))
    found = []
    for claim, change, scale in zip(claims, changes, scales, strict=True):
        fits = np.shape(scale) == change.shape
        limit = most_rounding(claim, arrays, scale) if fits else 0.0
        found.append(np.minimum(_AMPLIFIED * change, limit))
    return found


def _eps(*arrays: Any) -> float:
    """The coarsest of the floats that took part."""
    kinds = {np.asarray(a).dtype for a in arrays if np.asarray(a).dtype.kind == "f"}
    return max((float(np.finfo(kind).eps) for kind in kinds), default=2.3e-16)
