"""What a program computes, as values: maps over elements, views, reductions, products, updates.

A small language between NumPy's functions (``symbols``) and loops (``fusion``, ``emission``). Equal
values are one object, so that what is asked for twice is computed once. Knows shapes, dtypes and
affine index maps. Does not know operators nor machines. Imports NumPy.
"""

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

__all__ = ["Affine", "Value", "Values", "identity", "strides_of"]

Shape = tuple[int, ...]
Affine = tuple[int, tuple[tuple[int, int], ...]]
"""A position along one axis: a constant, and (axis of the reader, factor) for what is added."""


class Value:
    """One array that a program computes, or is given.

    ``kind`` is one of: ``leaf`` (given in memory), ``number``, ``map`` (a function of the elements
    of arguments of the same shape), ``view`` (an affine choice of elements), ``reshape``,
    ``reduce``, ``arg`` (the position of an extremum), ``scan``, ``matmul``, ``gather`` (a choice by
    arrays of positions), ``write`` (a copy with some elements replaced or added to) and ``tiled``
    (parts side by side that fill it).
    """

    __slots__ = ("args", "dtype", "facts", "kind", "number", "shape")

    def __init__(
        self,
        kind: str,
        shape: Shape,
        dtype: np.dtype[Any],
        args: tuple["Value", ...],
        facts: Any,
        number: int,
    ) -> None:
        self.kind = kind
        self.shape = shape
        self.dtype = dtype
        self.args = args
        self.facts = facts
        self.number = number

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.number} {self.shape} {self.dtype} {self.facts}>"


def strides_of(shape: Sequence[int]) -> Shape:
    """How far apart the neighbours along each axis lie, in elements, row by row."""
    strides = [1]
    for n in reversed(shape[1:]):
        strides.append(strides[-1] * n)
    return tuple(reversed(strides))[: len(shape)]


def identity(shape: Sequence[int]) -> tuple[Affine, ...]:
    """The view that changes nothing."""
    return tuple((0, ((i, 1),) if n != 1 else ()) for i, n in enumerate(shape))


def _composed(outer: tuple[Affine, ...], inner: tuple[Affine, ...]) -> tuple[Affine, ...]:
    """A view of a view: ``inner`` chooses from the source, ``outer`` from what that gives."""
    result = []
    for start, terms in inner:
        factors: dict[int, int] = {}
        for axis, factor in terms:
            more, further = outer[axis]
            start += factor * more
            for place, by in further:
                factors[place] = factors.get(place, 0) + factor * by
        result.append((start, tuple((p, f) for p, f in sorted(factors.items()) if f)))
    return tuple(result)


class Values:
    """A table of the values of one program: each is made once."""

    def __init__(self) -> None:
        self.every: list[Value] = []
        self.constants: dict[int, Any] = {}
        self._known: dict[Hashable, Value] = {}
        self.asked: list[Value] = []  # conditions on data that the code which is read asked for
        self.filled: dict[int, int] = {}  # elements that updates have set, by the last one's number
        self.denied: list[Value] = []  # of them, those under which it raises

    def make(
        self, kind: str, shape: Shape, dtype: Any, args: tuple[Value, ...] = (), facts: Any = None
    ) -> Value:
        """The value of that description, the same for the same description."""
        dtype = np.dtype(dtype)
        key = (kind, shape, dtype, tuple(arg.number for arg in args), facts)
        found = self._known.get(key)
        if found is None:
            found = Value(kind, shape, dtype, args, facts, len(self.every))
            self.every.append(found)
            self._known[key] = found
        return found

    def number(self, value: Any, dtype: Any) -> Value:
        """A constant without axes; told from others by its bits."""
        exact = np.asarray(value).astype(dtype)
        return self.make("number", (), exact.dtype, (), exact.tobytes())

    def view(self, x: Value, shape: Shape, places: tuple[Affine, ...]) -> Value:
        """The elements of ``x`` at these places, one for each axis of ``x``."""
        places = tuple(
            (start, tuple(t for t in terms if shape[t[0]] != 1)) for start, terms in places
        )
        if x.kind == "view":
            return self.view(x.args[0], shape, _composed(places, x.facts))
        if shape == x.shape and places == identity(shape):
            return x
        return self.make("view", shape, x.dtype, (x,), places)

    def reshape(self, x: Value, shape: Shape) -> Value:
        """The same elements, row by row, in another shape; a view where that can say it."""
        if shape == x.shape:
            return x
        wide = [i for i, n in enumerate(shape) if n != 1]
        if [n for n in x.shape if n != 1] == [shape[i] for i in wide]:
            axes = iter(wide)
            places = tuple((0, ((next(axes), 1),)) if n != 1 else (0, ()) for n in x.shape)
            return self.view(x, shape, places)
        if x.kind == "reshape":
            return self.reshape(x.args[0], shape)
        return self.make("reshape", shape, x.dtype, (self.laid_out(x),))

    def laid_out(self, x: Value) -> Value:
        """The same value, of which memory holds the elements row by row."""
        if x.kind in ("view", "number"):
            return self.make("map", x.shape, x.dtype, (x,), "copy")
        return x

    def broadcast(self, x: Value, shape: Shape) -> Value:
        """The value repeated to a larger shape."""
        missing = len(shape) - len(x.shape)
        places = tuple(
            (0, ((i + missing, 1),)) if n != 1 else (0, ()) for i, n in enumerate(x.shape)
        )
        return self.view(x, shape, places)

    def transpose(self, x: Value, axes: Sequence[int]) -> Value:
        """The axes in another order."""
        where = {axis: i for i, axis in enumerate(axes)}
        places = tuple((0, ((where[i], 1),)) for i in range(len(x.shape)))
        return self.view(x, tuple(x.shape[axis] for axis in axes), places)
