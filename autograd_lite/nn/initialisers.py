"""First values of weights: functions of a shape and a generator that give NumPy arrays.

Variances are chosen so that signals keep their size through a layer: Glorot and Bengio (2010) for
tanh and its like, He et al. (2015) for ReLU, LeCun et al. (1998); Saxe et al. (2014) for orthogonal
matrices. Imports errors, random and NumPy.
"""

import math
from typing import Any

import numpy as np

from autograd_lite.errors import ShapeError
from autograd_lite.random import default_rng
from autograd_lite.shapes import Shape

__all__ = [
    "fans",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "normal",
    "ones",
    "orthogonal",
    "uniform",
    "zeros",
]


def fans(shape: Shape) -> tuple[int, int]:
    """How many numbers an output is made of, and how many outputs an input goes to.

    A matrix is (inputs, outputs); with more axes it is a kernel (O, C/groups, *kernel).

    >>> fans((3, 5)), fans((8, 4, 3, 3))
    ((3, 5), (36, 72))
    """
    if len(shape) < 2:
        raise ShapeError(f"the fans of shape {shape}", mend="weights have two axes at least")
    if len(shape) == 2:
        return shape
    area = math.prod(shape[2:])
    return shape[1] * area, shape[0] * area


def zeros(shape: Shape, rng: Any = None, *, dtype: Any = np.float64) -> Any:
    """Nothing but zeros: for shifts."""
    return np.zeros(shape, dtype)


def ones(shape: Shape, rng: Any = None, *, dtype: Any = np.float64) -> Any:
    """Nothing but ones: for scales."""
    return np.ones(shape, dtype)


def normal(shape: Shape, rng: Any, *, scale: float = 0.01, dtype: Any = np.float64) -> Any:
    """Normal draws of mean 0 and standard deviation ``scale``."""
    return (default_rng(rng).numpy.standard_normal(shape) * scale).astype(dtype)


def uniform(shape: Shape, rng: Any, *, limit: float = 0.01, dtype: Any = np.float64) -> Any:
    """Draws from −limit to limit, all equally likely."""
    return default_rng(rng).numpy.uniform(-limit, limit, shape).astype(dtype)


def glorot_normal(shape: Shape, rng: Any, *, dtype: Any = np.float64) -> Any:
    """Normal draws of variance 2/(fan in + fan out)."""
    return normal(shape, rng, scale=math.sqrt(2 / _some(sum(fans(shape)))), dtype=dtype)


def glorot_uniform(shape: Shape, rng: Any, *, dtype: Any = np.float64) -> Any:
    """Uniform draws of variance 2/(fan in + fan out).

    >>> bool(abs(glorot_uniform((100, 200), 0)).max() <= (6 / 300) ** 0.5)
    True
    """
    return uniform(shape, rng, limit=math.sqrt(6 / _some(sum(fans(shape)))), dtype=dtype)


def he_normal(shape: Shape, rng: Any, *, dtype: Any = np.float64) -> Any:
    """Normal draws of variance 2/fan in: for ReLU."""
    return normal(shape, rng, scale=math.sqrt(2 / _some(fans(shape)[0])), dtype=dtype)


def he_uniform(shape: Shape, rng: Any, *, dtype: Any = np.float64) -> Any:
    """Uniform draws of variance 2/fan in: for ReLU."""
    return uniform(shape, rng, limit=math.sqrt(6 / _some(fans(shape)[0])), dtype=dtype)


def lecun_normal(shape: Shape, rng: Any, *, dtype: Any = np.float64) -> Any:
    """Normal draws of variance 1/fan in."""
    return normal(shape, rng, scale=math.sqrt(1 / _some(fans(shape)[0])), dtype=dtype)


def orthogonal(shape: Shape, rng: Any, *, dtype: Any = np.float64) -> Any:
    """A matrix with orthonormal rows or columns, whichever are fewer; further axes are flattened.

    >>> q = orthogonal((5, 3), 0)
    >>> bool(np.allclose(q.T @ q, np.eye(3)))
    True
    """
    if len(shape) < 2:
        raise ShapeError(f"an orthogonal array of shape {shape}", mend="two axes at least")
    rows, columns = shape[0], math.prod(shape[1:])
    draws = default_rng(rng).numpy.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q *= np.where(np.diagonal(r) < 0, -1, 1)  # then every such matrix is equally likely
    return (q if rows >= columns else q.T).reshape(shape).astype(dtype)


def _some(fan: int) -> int:
    return max(fan, 1)
