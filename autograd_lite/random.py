"""Seeded draws, with NumPy's Generator underneath, that a graph keeps as leaves.

A draw is made once: a replay of the graph uses the same numbers. There is no global generator; its
state is always somebody's. Imports errors, recording and the operators that scale a draw.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, DTypeError, UnsupportedError
from autograd_lite.modes import current_mode
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
        given = isinstance(seed, np.random.Generator)
        self.numpy = seed if given else np.random.default_rng(seed)
        tracer = current_mode().tracer
        if tracer is not None and not given:
            tracer.created(self.numpy, seed is not None)

    @property
    def state(self) -> Mapping[str, Any]:
        """All that decides the next draws; assign it to draw the same again."""
        return copy.deepcopy(self.numpy.bit_generator.state)

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self.numpy.bit_generator.state = copy.deepcopy(dict(state))

    def spawn(self, count: int) -> list["Generator"]:
        """So many generators that are independent of each other and of this one."""
        if current_mode().tracer is not None:
            raise UnsupportedError(
                "spawn() in a compiled function: its generators would be the same at each call",
                mend="spawn outside of it, and let the function use what was spawned",
            )
        return [Generator(child) for child in self.numpy.spawn(count)]

    def draw(self, draw: Callable[[np.random.Generator], Any], name: str = "draw") -> Tensor:
        """What ``draw`` makes of NumPy's generator, as a constant of the graph.

        In a compiled function the same at each call of it: fresh numbers.

        >>> import autograd_lite as ag
        >>> ag.random.default_rng(0).draw(lambda rng: rng.poisson(4.0, size=3)).shape
        (3,)
        """
        tracer = current_mode().tracer
        lifted = None if tracer is None else tracer.draw(self.numpy, draw, name)
        return constant(draw(self.numpy), name=name, copy=False) if lifted is None else lifted

    def standard_normal(self, size: Any = None, *, dtype: Any = np.float64) -> Tensor:
        """Draws of mean 0 and variance 1."""
        kind = _floating(dtype)
        return self.draw(lambda rng: rng.standard_normal(size, dtype=kind))

    def random(self, size: Any = None, *, dtype: Any = np.float64) -> Tensor:
        """Draws from [0, 1), all equally likely."""
        kind = _floating(dtype)
        return self.draw(lambda rng: rng.random(size, dtype=kind))

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
        shape, kind = _size(size, scale), _floating(dtype)
        draws = self.draw(lambda rng: rng.standard_exponential(shape, dtype=kind))
        return multiply(scale, draws)

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        """Draws loc + scale × standard Gumbel ones."""
        shape = _size(size, loc, scale)
        return add(loc, multiply(scale, self.draw(lambda rng: rng.gumbel(size=shape))))

    def bernoulli(self, p: float, size: Any = None) -> Tensor:
        """True with the probability ``p``, each for itself; a constant in ``p``."""
        if not 0 <= p <= 1:
            raise DomainError(f"bernoulli: p={p!r}", mend="a probability lies between 0 and 1")
        return self.draw(lambda rng: rng.random(size) < p)

    def integers(self, low: int, high: int | None = None, size: Any = None) -> Tensor:
        """Whole numbers from ``low`` to below ``high``, or from 0 to below ``low``."""
        return self.draw(lambda rng: rng.integers(low, high, size))

    def permutation(self, count: int) -> Tensor:
        """The numbers 0 … count − 1 in a random order."""
        return self.draw(lambda rng: rng.permutation(count))

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


def _size(size: Any, *parameters: Any) -> Any:
    if size is not None:
        return size
    return np.broadcast_shapes(*(np.shape(getattr(p, "data", p)) for p in parameters))


def _floating(dtype: Any) -> Any:
    kind = np.dtype(dtype)
    if kind not in (np.float32, np.float64):
        raise DTypeError(f"draws of dtype {kind}", mend="float32 or float64; astype afterwards")
    return kind
