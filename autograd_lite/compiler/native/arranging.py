"""Functions of NumPy that arrange elements, on symbols: shapes, axes, joining, picking, new arrays.

Knows symbols. Does not know arithmetic nor single operators. Imports NumPy, conversions, symbols
and values.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd_lite.compiler.native.conversions import NotReadable
from autograd_lite.compiler.native.symbols import Symbol, as_symbol, filled, reads

__all__ = ["first_symbol", "moveaxis"]


def first_symbol(*candidates: Any) -> Symbol:
    """The first of several that is a symbol."""
    return next(one for one in candidates if isinstance(one, Symbol))


@reads(np.reshape)
def _reshape(x: Any, shape: Any, *_: Any) -> Any:
    return x.reshape(shape)


@reads(np.ravel)
def _ravel(x: Any, *_: Any) -> Any:
    return x.ravel()


@reads(np.transpose, np.permute_dims)
def _transpose(x: Any, axes: Any = None) -> Any:
    return x.transpose(axes)


@reads(np.swapaxes)
def _swapaxes(x: Any, a: int, b: int) -> Any:
    return x.swapaxes(a, b)


@reads(np.moveaxis)
def moveaxis(x: Any, source: Any, target: Any) -> Any:
    """Axes moved to other places."""
    sources = normalize_axis_tuple(source, x.ndim)
    targets = normalize_axis_tuple(target, x.ndim)
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for where, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(where, axis)
    return x.transpose(order)


@reads(np.broadcast_to)
def _broadcast_to(x: Any, shape: Any, **_: Any) -> Any:
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    return x._new(x._values.broadcast(x.value, wanted))


@reads(np.squeeze)
def _squeeze(x: Any, axis: Any = None) -> Any:
    gone = [i for i, n in enumerate(x.shape) if n == 1]
    if axis is not None:
        gone = list(normalize_axis_tuple(axis, x.ndim))
    return x.reshape([n for i, n in enumerate(x.shape) if i not in gone])


@reads(np.expand_dims)
def _expand_dims(x: Any, axis: Any) -> Any:
    count = x.ndim + (len(axis) if isinstance(axis, tuple) else 1)
    places, sizes = normalize_axis_tuple(axis, count), iter(x.shape)
    return x.reshape([1 if i in places else next(sizes) for i in range(count)])


@reads(np.flip)
def _flip(x: Any, axis: Any = None) -> Any:
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    turned = slice(None, None, -1)
    return x[tuple(turned if i in axes else slice(None) for i in range(x.ndim))].copy()


@reads(np.concatenate)
def _concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    self = first_symbol(*arrays)
    parts = [as_symbol(self._values, one) for one in arrays]
    axis = normalize_axis_index(axis, self.ndim)
    dtype = np.result_type(*(part.dtype for part in parts))
    total = sum(part.shape[axis] for part in parts)
    whole = filled(self._values, (*self.shape[:axis], total, *self.shape[axis + 1 :]), 0, dtype)
    start = 0
    for part in parts:
        stop = start + part.shape[axis]
        whole[(*[slice(None)] * axis, slice(start, stop))] = part
        start = stop
    return whole


@reads(np.stack)
def _stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    self = first_symbol(*arrays)
    parts = [as_symbol(self._values, one) for one in arrays]
    axis = normalize_axis_index(axis, self.ndim + 1)
    return _concatenate([_expand_dims(part, axis) for part in parts], axis)


@reads(np.take)
def _take(x: Any, indices: Any, axis: Any = None, **options: Any) -> Any:
    if options.get("mode", "raise") != "raise":
        raise NotReadable("np.take with a mode")
    self = first_symbol(x, indices)
    source = as_symbol(self._values, x)
    if axis is None:
        return source.ravel()[indices]
    axis = normalize_axis_index(axis, source.ndim)
    return source[(*[slice(None)] * axis, indices)]


@reads(np.take_along_axis)
def _take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    self = first_symbol(x, indices)
    source, places = as_symbol(self._values, x), as_symbol(self._values, indices)
    return source[_along(source, places, axis)]


def _along(source: Symbol, places: Symbol, axis: int) -> tuple[Any, ...]:
    """The index of one position for each row along an axis."""
    axis = normalize_axis_index(axis, source.ndim)
    shape = np.broadcast_shapes(
        *(tuple(1 if i == axis else n for i, n in enumerate(one.shape)) for one in (source, places))
    )
    grids = np.ix_(*(np.arange(n) for n in shape))
    return tuple(
        places if i == axis
        else grids[i] if source.shape[i] != 1 else np.zeros((1,) * source.ndim, int)
        for i in range(source.ndim)
    )  # fmt: skip


@reads(np.roll)
def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return _roll(x.ravel(), shift, 0).reshape(x.shape)
    shifts = (shift,) if isinstance(shift, int) else shift
    axes = (axis,) if isinstance(axis, int) else axis
    for by, along in zip(shifts, axes, strict=True):
        by, whole = (
            by % max(1, x.shape[along]),
            (slice(None),) * normalize_axis_index(along, x.ndim),
        )
        if by:
            tail, head = x[(*whole, slice(-by, None))], x[(*whole, slice(None, -by))]
            x = _concatenate([tail, head], along)
    return x.copy()


@reads(np.split)
def _split(x: Any, cuts: Any, axis: int = 0) -> list[Symbol]:
    whole = (slice(None),) * normalize_axis_index(axis, x.ndim)
    ends = [0, *cuts, x.shape[axis]]
    return [x[(*whole, slice(*pair))].copy() for pair in pairwise(ends)]


@reads(np.unstack)
def _unstack(x: Any, *, axis: int = 0) -> tuple[Symbol, ...]:
    return tuple(part.copy() for part in moveaxis(x, axis, 0))


@reads(np.lib.stride_tricks.sliding_window_view)
def _sliding(x: Any, window: Any, axis: Any = None, **_: Any) -> Any:
    sizes = (window,) if isinstance(window, int) else tuple(window)
    axes = normalize_axis_tuple(
        range(x.ndim) if axis is None else axis, x.ndim, allow_duplicate=True
    )
    shape: list[int] = list(x.shape)
    extra: list[int] = []
    terms: list[list[tuple[int, int]]] = [[(i, 1)] for i in range(x.ndim)]
    for size, along in zip(sizes, axes, strict=True):
        shape[along] -= size - 1
        terms[along].append((x.ndim + len(extra), 1))
        extra.append(size)
    return x._seen([*shape, *extra], tuple((0, tuple(one)) for one in terms))


@reads(np.lib.stride_tricks.as_strided)
def _as_strided(x: Any, shape: Any, strides: Any, *, writeable: bool = True) -> Any:
    if writeable:
        raise NotReadable("a view of overlapping elements that can be written to")
    terms = tuple((i, step // x.itemsize) for i, step in enumerate(strides))
    return x.ravel().copy()._seen(tuple(shape), ((0, terms),))


@reads(np.put_along_axis)
def _put_along_axis(x: Any, indices: Any, new: Any, axis: int) -> None:
    x[_along(x, as_symbol(x._values, indices), axis)] = new


@reads(np.zeros_like)
def _zeros_like(x: Any, dtype: Any = None, **_: Any) -> Any:
    return filled(x._values, x.shape, 0, x.dtype if dtype is None else dtype)


@reads(np.ones_like)
def _ones_like(x: Any, dtype: Any = None, **_: Any) -> Any:
    return filled(x._values, x.shape, 1, x.dtype if dtype is None else dtype)


@reads(np.empty_like)
def _empty_like(x: Any, dtype: Any = None, **_: Any) -> Any:
    return _zeros_like(x, dtype)


@reads(np.full_like)
def _full_like(x: Any, number: Any, dtype: Any = None, **_: Any) -> Any:
    whole = filled(x._values, x.shape, 0, x.dtype if dtype is None else dtype)
    whole[...] = number
    return whole


@reads(np.shape)
def _shape(x: Any) -> Any:
    return x.shape


@reads(np.ndim)
def _ndim(x: Any) -> Any:
    return x.ndim


@reads(np.size)
def _size(x: Any) -> Any:
    return x.size
