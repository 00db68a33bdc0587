"""The coefficients of the native back end's functions, computed anew from what they approximate.

``python -m tests.compiler.coefficients`` prints them. Chebyshev fits in 60 digits (mpmath), each
rounded to the format it is used in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np


def exponential(r: Any) -> Any:
    """(eʳ − 1 − r)/r², by its series near 0."""
    if abs(r) < mp.mpf(10) ** -15:
        return mp.mpf(1) / 2 + r / 6 + r * r / 24
    return (mp.exp(r) - 1 - r) / r**2


def logarithm(z: Any) -> Any:
    """(log((1 + s)/(1 − s)) − 2s)/s³ with s² = z, by its series near 0."""
    if z < mp.mpf(10) ** -30:
        return mp.mpf(2) / 3
    s = mp.sqrt(z)
    return (mp.log((1 + s) / (1 - s)) - 2 * s) / s / z


def tangent(z: Any) -> Any:
    """(tanh(x)/x − 1)/x² with x² = z, by its series near 0."""
    if z < mp.mpf(10) ** -20:
        return -mp.mpf(1) / 3 + 2 * z / 15
    x = mp.sqrt(z)
    return (mp.tanh(x) / x - 1) / z


def error_near(z: Any) -> Any:
    """erf(x)/x with x² = z, by its series near 0."""
    if z < mp.mpf(10) ** -30:
        return 2 / mp.sqrt(mp.pi) * (1 - z / 3)
    return mp.erf(mp.sqrt(z)) / mp.sqrt(z)


def error_far(t: Any) -> Any:
    """exp(x²)·erfc(x) with t = (x − 3)/(x + 3)."""
    x = 3 * (1 + t) / (1 - t)
    return mp.exp(x * x) * mp.erfc(x)


def arc(z: Any) -> Any:
    """atan(x)/x with x² = z, by its series near 0."""
    if z < mp.mpf(10) ** -30:
        return 1 - z / 3
    return mp.atan(mp.sqrt(z)) / mp.sqrt(z)


def fit(f: Callable[[Any], Any], low: Any, high: Any, count: int, dtype: Any) -> tuple[float, ...]:
    with mp.workdps(60):
        coefficients = mp.chebyfit(f, [low, high], count)[::-1]
        return tuple(float(dtype(float(c))) for c in coefficients)


def of_exp(count: int, dtype: Any) -> tuple[float, ...]:
    with mp.workdps(60):
        end = mp.log(2) / 2 * mp.mpf("1.001")
        return fit(exponential, -end, end, count, dtype)


def of_log(count: int, dtype: Any) -> tuple[float, ...]:
    with mp.workdps(60):
        end = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.001")
        return fit(logarithm, mp.mpf(0), end, count, dtype)


def of_log1p(count: int, dtype: Any) -> tuple[float, ...]:
    with mp.workdps(60):
        return fit(logarithm, mp.mpf(0), mp.mpf("1.001") / 9, count, dtype)


def of_tanh(count: int, dtype: Any) -> tuple[float, ...]:
    with mp.workdps(60):
        return fit(tangent, mp.mpf(0), mp.mpf("0.5501") ** 2, count, dtype)


def of_error_near(count: int) -> tuple[float, ...]:
    with mp.workdps(60):
        return fit(error_near, mp.mpf(0), mp.mpf("1.001"), count, np.float64)


def of_error_far(count: int) -> tuple[float, ...]:
    with mp.workdps(60):
        return fit(error_far, mp.mpf(-1) / 2, mp.mpf(4) / 7, count, np.float64)


def of_arc(count: int) -> tuple[float, ...]:
    with mp.workdps(60):
        return fit(arc, mp.mpf(0), mp.mpf("1.001"), count, np.float64)


if __name__ == "__main__":
    for dtype, counts in ((np.float32, (5, 3, 5, 5)), (np.float64, (10, 7, 11, 10))):
        print(
            dtype.__name__,
            of_exp(counts[0], dtype),
            of_log(counts[1], dtype),
            of_tanh(counts[2], dtype),
            of_log1p(counts[3], dtype),
            sep="\n  ",
        )
    print("in float64 for float32", of_error_near(8), of_error_far(12), of_arc(13), sep="\n  ")
