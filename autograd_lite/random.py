"""Seeded draws, with NumPy's Generator underneath, that a graph keeps as leaves.

A draw is made once: a replay of the graph uses the same numbers. There is no global generator; its
state is always somebody's. Imports errors, recording and the operators that scale a draw.
"""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, DTypeError
from autograd_lite.ops.pointwise import add, multiply, subtract
from autograd_lite.tensors import Tensor, constant

__all__ = ["Generator", "default_rng"]


class Generator:
    """Draws of random numbers as constants of the graph, with a state of their own.

    Parameters of a distribution may be tensors: the derivative flows through them, since a draw
    is a fixed number, scaled and moved. ``size`` is the shape; ``numpy`` NumPy's generator.

    >>> import autograd_lite as ag
    >>> rng = ag.random.default_rng(0)
    >>> scale = ag.tensor(2.0)
    >>> rng.normal(0.0, scale, size=3).sum().backward()
    >>> bool(scale.grad == ag.random.default_rng(0).standard_normal(3).sum().item())
    True
    """

    def __init__(self, seed: Any = None) -> None:
        self.numpy = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)

    @property
    def state(self) -> Mapping[str, Any]:
        """All that decides the next draws; assign it to draw the same again."""
        return copy.deepcopy(self.numpy.bit_generator.state)

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self.numpy.bit_generator.state = copy.deepcopy(dict(state))

    def spawn(self, count: int) -> list["Generator"]:
        """So many generators that are independent of each other and of this one."""
        return [Generator(child) for child in self.numpy.spawn(count)]

    def standard_normal(self, size: Any = None, *, dtype: Any = np.float64) -> Tensor:
        """Draws of mean 0 and variance 1."""
        return _leaf(self.numpy.standard_normal(size, dtype=_floating(dtype)))

    def random(self, size: Any = None, *, dtype: Any = np.float64) -> Tensor:
        """Draws from [0, 1), all equally likely."""
        return _leaf(self.numpy.random(size, dtype=_floating(dtype)))

    def normal(
        self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None, *, dtype: Any = np.float64
    ) -> Any:
        """Draws loc + scale × standard ones; ``size`` is by default the shape of both together."""
        return add(loc, multiply(scale, self.standard_normal(_size(size, loc, scale), dtype=dtype)))

    def uniform(
        self, low: Any = 0.0, high: Any = 1.0, size: Any = None, *, dtype: Any = np.float64
    ) -> Any:
        """Draws low + (high − low) × ones from [0, 1)."""
        unit = self.random(_size(size, low, high), dtype=dtype)
        return add(low, multiply(subtract(high, low), unit))

    def exponential(self, scale: Any = 1.0, size: Any = None, *, dtype: Any = np.float64) -> Any:
        """Scale × standard exponential draws."""
        draws = self.numpy.standard_exponential(_size(size, scale), dtype=_floating(dtype))
        return multiply(scale, _leaf(draws))

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        """Draws loc + scale × standard Gumbel ones."""
        draws = self.numpy.gumbel(size=_size(size, loc, scale))
        return add(loc, multiply(scale, _leaf(draws)))

    def bernoulli(self, p: float, size: Any = None) -> Tensor:
        """True with the probability ``p``, each for itself; a constant in ``p``."""
        if not 0 <= p <= 1:
            raise DomainError(f"bernoulli: p={p!r}", mend="a probability lies between 0 and 1")
        return _leaf(self.numpy.random(size) < p)

    def integers(self, low: int, high: int | None = None, size: Any = None) -> Tensor:
        """Whole numbers from ``low`` to below ``high``, or from 0 to below ``low``."""
        return _leaf(self.numpy.integers(low, high, size))

    def permutation(self, count: int) -> Tensor:
        """The numbers 0 … count − 1 in a random order."""
        return _leaf(self.numpy.permutation(count))

    def __repr__(self) -> str:
        return f"Generator({type(self.numpy.bit_generator).__name__})"


def default_rng(seed: Any = None) -> Generator:
    """A generator from a seed, from NumPy's generator, or (``None``) from the system's entropy.

    One of ours is returned as it is.

    >>> import autograd_lite as ag
    >>> ag.random.default_rng(1).integers(10) == ag.random.default_rng(1).integers(10)
    Tensor(True)
    """
    return seed if isinstance(seed, Generator) else Generator(seed)


def _leaf(values: Any) -> Tensor:
    return constant(values, name="draw", copy=False)


def _size(size: Any, *parameters: Any) -> Any:
    if size is not None:
        return size
    return np.broadcast_shapes(*(np.shape(getattr(p, "data", p)) for p in parameters))


def _floating(dtype: Any) -> Any:
    kind = np.dtype(dtype)
    if kind not in (np.float32, np.float64):
        raise DTypeError(f"draws of dtype {kind}", mend="float32 or float64; astype afterwards")
    return kind
