"""Functions of NumPy that compute, on symbols: choices, sums and their kin, extrema, roundings.

Knows symbols. Does not know single operators. Imports NumPy, arranging, conversions and symbols.
"""

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd_lite.compiler.native.arranging import first_symbol, moveaxis
from autograd_lite.compiler.native.conversions import NotReadable, cast
from autograd_lite.compiler.native.symbols import (
    FUNCTIONS,
    Symbol,
    as_symbol,
    filled,
    reads,
    reduction,
    scan,
)  # fmt: skip

__all__: list[str] = []


@reads(np.where)
def _where(condition: Any, x1: Any, x2: Any) -> Symbol:
    self = first_symbol(condition, x1, x2)
    values = self._values
    kinds = [x.dtype if isinstance(x, Symbol) else x for x in (x1, x2)]
    dtype = np.result_type(*kinds)
    args = [
        cast(values, as_symbol(values, x, to).value, np.dtype(to))
        for x, to in ((condition, np.bool_), (x1, dtype), (x2, dtype))
    ]
    shape = np.broadcast_shapes(*(arg.shape for arg in args))
    wide = tuple(values.broadcast(arg, shape) for arg in args)
    return self._new(values.make("map", shape, dtype, wide, "where"))


for _function, _named in {
    np.sum: "add", np.prod: "multiply", np.max: "maximum", np.min: "minimum",
    np.any: "logical_or", np.all: "logical_and",
}.items():  # fmt: skip

    def _reducer(
        x: Any, axis: Any = None, *, keepdims: Any = False, initial: Any = None, dtype: Any = None,
        _name: str = _named,
    ) -> Symbol:  # fmt: skip
        symbol = x if dtype is None else x.astype(dtype)
        return reduction(symbol, _name, axis, bool(keepdims), initial)

    FUNCTIONS[_function] = _reducer


@reads(np.mean)
def _mean(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    real: Any = x if x.dtype.kind == "f" else x.astype(np.float64)
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    total: Any = reduction(real, "add", axes, keepdims)
    return total / float(math.prod(x.shape[i] for i in axes))


@reads(np.var)
def _var(x: Any, axis: Any = None, *, keepdims: bool = False, ddof: float = 0) -> Any:
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    away = x - _mean(x, axes, keepdims=True)
    free = max(0.0, math.prod(x.shape[i] for i in axes) - ddof)
    total: Any = reduction(away * away, "add", axes, keepdims)
    return total / free


@reads(np.std)
def _std(x: Any, axis: Any = None, *, keepdims: bool = False, ddof: float = 0) -> Any:
    return np.sqrt(_var(x, axis, keepdims=keepdims, ddof=ddof))


def _argument(name: str) -> Any:
    def call(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        rows = x.ravel() if axis is None else x
        along = 0 if axis is None else normalize_axis_index(axis, x.ndim)
        moved = moveaxis(rows, along, -1)
        values = x._values
        made = values.make("arg", moved.shape[:-1], np.int64, (moved.value,), name)
        if keepdims:
            shape = [1 if axis is None or i == along else n for i, n in enumerate(x.shape)]
            made = values.reshape(made, tuple(shape))
        return x._new(made)

    return call


FUNCTIONS[np.argmax] = _argument("maximum")
FUNCTIONS[np.argmin] = _argument("minimum")


@reads(np.cumsum)
def _cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return scan(x.ravel() if axis is None else x, "add", axis or 0, dtype)


@reads(np.cumprod)
def _cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return scan(x.ravel() if axis is None else x, "multiply", axis or 0, dtype)


@reads(np.dot)
def _dot(a: Any, b: Any) -> Any:
    if np.ndim(a) > 2 or np.ndim(b) > 2 or not np.ndim(a) or not np.ndim(b):
        raise NotReadable("np.dot of such shapes")
    return np.matmul(a, b)


@reads(np.round)
def _round(x: Any, decimals: int = 0) -> Any:
    if decimals:
        raise NotReadable("np.round with decimals")
    return np.rint(x) if x.dtype.kind == "f" else x.copy()


@reads(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    if x.dtype.kind != "f":
        return x.copy()
    limits = np.finfo(x.dtype)
    high = limits.max if posinf is None else x.dtype.type(posinf)
    low = limits.min if neginf is None else x.dtype.type(neginf)
    bounded = np.where(x == np.inf, high, np.where(x == -np.inf, low, x))
    return np.where(np.isnan(x), x.dtype.type(nan), bounded)


@reads(np.real, np.conj, np.copy)
def _itself(x: Any, *_: Any, **__: Any) -> Any:
    return x.copy()


@reads(np.imag)
def _imag(x: Any) -> Any:
    return np.zeros_like(x)


@reads(np.iscomplexobj)
def _never(x: Any) -> bool:
    return False


@reads(np.isposinf)
def _isposinf(x: Any) -> Any:
    return x == np.inf


@reads(np.isneginf)
def _isneginf(x: Any) -> Any:
    return x == -np.inf


@reads(np.isreal)
def _isreal(x: Any) -> Any:
    return np.ones_like(x, np.bool_)


@reads(np.iscomplex)
def _iscomplex(x: Any) -> Any:
    return np.zeros_like(x, np.bool_)


@reads(np.count_nonzero)
def _count_nonzero(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reduction(x.astype(bool).astype(np.int64), "add", axis, keepdims)


@reads(np.bincount)
def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Sums by position, where the code tells how many there are; a larger position raises."""
    if weights is None or not minlength:
        raise NotReadable("the size depends on data")
    total = filled(first_symbol(x, weights)._values, minlength, 0, np.float64)
    total.write("add", x, weights)
    return total
