"""What stands in for functions and types that NumPy and Python do not let dispatch.

Knows ``np.array`` and its kin, the types that are called (``float``, ``np.float64``), the module
``math``, and the functions of NumPy that loop over elements or build arrays by index
(``np.vectorize``, ``np.r_``). Does not know how a program is copied. Imports arrays, functions and
the registry.
"""

import math
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_lite.errors import AutogradError
from autograd_lite.lifting.arrays import (
    LiftedArray,
    LiftedNumber,
    adopt,
    bare,
    by_memory,
    gathered,
    known,
    leaves,
    lifted,
    tensor_of,
    tracked,
)
from autograd_lite.ops.shaping import astype
from autograd_lite.rules import FUNCTIONS

__all__ = ["BUILTINS", "MATH", "MATHEMATICS", "SUBSTITUTES"]


# making arrays


def _array(
    data: Any, dtype: Any = None, *, copy: Any = True, ndmin: int = 0, **keywords: Any
) -> Any:
    """``np.array``, which NumPy does not let dispatch: of arrays, numbers and lists of them."""
    made: Any
    if isinstance(data, LiftedArray):
        made = data.copy() if copy else data
        made = made if dtype is None else made.astype(dtype, copy=False)
    else:
        data = gathered(data)
        if isinstance(data, LiftedArray):
            made = data if dtype is None else data.astype(dtype)
        else:
            made = adopt(np.array(bare(data), dtype, copy=copy, **keywords))
    return made.reshape((1,) * (ndmin - made.ndim) + made.shape) if made.ndim < ndmin else made


def _as_array(data: Any, dtype: Any = None, *args: Any, **keywords: Any) -> Any:
    """``np.asarray`` and its kin."""
    return _array(data, dtype, copy=None if not isinstance(data, LiftedArray) else False)


def _liked(maker: Callable[..., Any]) -> Callable[..., Any]:
    """``np.zeros_like`` and its kin: new memory that depends on nothing."""
    return lambda data, *args, **kwargs: adopt(maker(bare(data), *bare(args), **bare(kwargs)))


def _full(shape: Any, fill_value: Any, dtype: Any = None, **keywords: Any) -> Any:
    made = adopt(np.full(shape, bare(fill_value), dtype))
    if isinstance(fill_value, (LiftedArray, LiftedNumber)):
        made[...] = fill_value
    return made


def _as_strided(x: Any, *args: Any, **kwargs: Any) -> Any:
    seen = np.lib.stride_tricks.as_strided(bare(x), *bare(args), **bare(kwargs))
    return by_memory(x, seen) if isinstance(x, LiftedArray) else adopt(seen)


def _fromiter(values: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
    return _array(list(values), dtype)


def _isscalar(value: Any) -> bool:
    return isinstance(value, LiftedNumber) or np.isscalar(value)


# going through elements


class _Vectorized:
    """``np.vectorize``: a function of numbers, called for each element."""

    def __init__(self, function: Any, otypes: Any = None, *args: Any, **kwargs: Any) -> None:
        self._function, self._plain = function, np.vectorize(function, otypes, *args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not leaves(args) or kwargs:
            return adopt(self._plain(*args, **kwargs))
        shape = np.broadcast_shapes(*(np.shape(bare(a)) for a in args))
        spread = [np.broadcast_to(_as_array(a), shape).reshape(-1) for a in args]
        values = [self._function(*(one[i] for one in spread)) for i in range(math.prod(shape))]
        return _array(values).reshape(shape)


def _ndenumerate(array: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    array = _as_array(array)
    return ((index, array[index]) for index in np.ndindex(*array.shape))


def _apply_along_axis(function: Any, axis: int, array: Any, *args: Any, **kwargs: Any) -> Any:
    array = np.moveaxis(_as_array(array), axis, -1)
    outer = array.shape[:-1]
    made = _array([function(array[i], *args, **kwargs) for i in np.ndindex(*outer)])
    made = made.reshape(outer + made.shape[1:])
    inner = made.ndim - len(outer)
    ends = range(len(outer), made.ndim)
    place = axis % (len(outer) + 1)
    return np.moveaxis(made, tuple(ends), tuple(range(place, place + inner))) if inner else made


def _piecewise(x: Any, conditions: Any, functions: Any, *args: Any, **kwargs: Any) -> Any:
    x, masks = _as_array(x), [np.asarray(known(c, "a condition"), bool) for c in conditions]
    made = adopt(np.zeros(x.shape, x.dtype))
    if len(functions) == len(masks) + 1:
        masks.append(~np.logical_or.reduce(masks))
    for mask, function in zip(masks, functions, strict=True):
        made[mask] = function(x[mask], *args, **kwargs) if callable(function) else function
    return made


class _Joined:
    """``np.r_`` and ``np.c_``: arrays and numbers joined by index notation."""

    def __init__(self, real: Any, columns: bool) -> None:
        self._real, self._columns = real, columns

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if not leaves(parts):
            return adopt(self._real[bare(index)])
        made = [_as_array(self._real[bare(p)] if isinstance(p, slice) else p) for p in parts]
        if self._columns:
            made = [p.reshape(-1, 1) if p.ndim < 2 else p for p in made]
            return np.concatenate(made, axis=-1)
        return np.concatenate([p.reshape(-1) if p.ndim == 0 else p for p in made])


# types that are called


class _Kind(type):
    """A type of numbers that keeps derivatives when it is called; else it passes for the real."""

    _real: Any
    dtype: Any

    def __call__(cls, *values: Any) -> Any:
        value = gathered(values[0]) if values else 0
        if not (isinstance(value, LiftedNumber) or tracked(value)):
            return adopt(cls._real(*bare(values)))
        if isinstance(value, LiftedArray) and cls._real is float:
            value = value.item()
        return lifted(astype(tensor_of(value), cls.dtype))

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls._real)

    def __subclasscheck__(cls, kind: Any) -> bool:
        return isinstance(kind, _Kind) or issubclass(kind, cls._real)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls._real, name)

    def __eq__(cls, other: object) -> bool:
        return (other._real if isinstance(other, _Kind) else other) is cls._real

    def __hash__(cls) -> int:
        return hash(cls._real)


def _kind(real: Any) -> Any:
    return _Kind(real.__name__, (), {"_real": real, "dtype": np.dtype(real)})


# the module math


def _of_math(name: str) -> Callable[..., Any]:
    real, rule = getattr(math, name), FUNCTIONS.get(name)

    def call(*args: Any) -> Any:
        value = real(*map(bare, args))  # Python's own errors, too
        if rule is None or not isinstance(value, float) or not leaves(args):
            known(args, f"math.{name}()")
            return value
        numbers = [a.item() if isinstance(a, LiftedArray) else a for a in args]
        try:
            if name == "log" and len(args) == 2:
                return call(numbers[0]) / call(numbers[1])
            return lifted(rule(*map(tensor_of, numbers)))
        except (AutogradError, TypeError):
            return value

    call.__name__ = name
    return call


MATH = {id(getattr(math, name)): _of_math(name) for name in dir(math) if name in FUNCTIONS}
"""Functions of ``math`` by identity."""

MATHEMATICS = types.ModuleType("math", math.__doc__)
MATHEMATICS.__dict__.update(
    {name: MATH.get(id(value), value) for name, value in vars(math).items() if name[0] != "_"}
)

BUILTINS = {"float": _kind(float)}
"""Python's own names that the copies see otherwise."""

SUBSTITUTES: dict[Any, Any] = {
    np.array: _array, np.asarray: _as_array, np.asanyarray: _as_array,
    np.ascontiguousarray: _as_array, np.asfortranarray: _as_array,
    np.zeros_like: _liked(np.zeros_like), np.ones_like: _liked(np.ones_like),
    np.empty_like: _liked(np.empty_like), np.full: _full, np.isscalar: _isscalar,
    np.fromiter: _fromiter,
    np.lib.stride_tricks.as_strided: _as_strided, np.vectorize: _Vectorized,
    np.ndenumerate: _ndenumerate, np.apply_along_axis: _apply_along_axis,
    np.piecewise: _piecewise, np.r_: _Joined(np.r_, False), np.c_: _Joined(np.c_, True),
    **{kind: _kind(kind) for kind in (np.float64, np.float32, np.float16)},
}  # fmt: skip
"""Of NumPy: what cannot be reached by its protocols, or need not be recorded."""
