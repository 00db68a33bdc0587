"""Powers of two by which numbers are divided, exactly, before their squares or powers are summed.

A square overflows above 1e154 and vanishes below 1e-162, where the root of a sum of squares is an
ordinary number. Imports NumPy alone.
"""

from typing import Any

import numpy as np

__all__ = ["binade", "unsafe_squares"]


def unsafe_squares(root: Any) -> Any:
    """Whether some root of a sum of squares is so large or small that the squares were not exact.

    >>> unsafe_squares(np.array([1.0, 1e-160]))
    True
    """
    limits = np.finfo(root.dtype)
    low = float(limits.tiny / limits.eps) ** 0.5
    return bool(np.any(~((root > low) & np.isfinite(root))))


def binade(size: Any, *, axis: tuple[int, ...] | None, largest: bool) -> Any:
    """The power of two at the largest (or smallest) size along the axes, which are kept.

    1 where that is 0 or not finite.

    >>> binade(np.array([3.0, 5.0]), axis=None, largest=True)
    array([4.])
    """
    if not size.size:
        return np.ones(
            [1] * size.ndim
            if axis is None
            else [1 if i in axis else n for i, n in enumerate(size.shape)],
            size.dtype,
        )
    extreme = (np.max if largest else np.min)(size, axis=axis, keepdims=True)
    limits = np.finfo(size.dtype)
    plain = np.isfinite(extreme) & (extreme > 0)
    exponent = np.frexp(np.where(plain, extreme, 1))[1] - 1
    return np.ldexp(size.dtype.type(1), np.clip(exponent, limits.minexp, limits.maxexp - 1))
