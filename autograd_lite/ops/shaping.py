"""Operators that move elements and change none: reshape, transpose, broadcast, join, flip, astype.

Each is linear, and its adjoint moves the gradient back. Imports rules, shapes and NumPy.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, DTypeError, ShapeError
from autograd_lite.ops.indexing import read_static
from autograd_lite.ops.pointwise import real
from autograd_lite.rules import (
    linear,
    nondifferentiable,
    public,
    variadic_linear,
)
from autograd_lite.shapes import (
    Shape,
    broadcast_axes,
    broadcast_shapes,
    normalize_axes,
    normalize_axis,
    resolve_reshape,
)

_SMALL = 4096  # bytes up to which filling an array is quicker than making a view of stride 0


def as_array(x: Any) -> Any:
    """A tensor, array or NumPy scalar as it is; numbers and nested lists as an array."""
    return x if hasattr(x, "dtype") else np.asarray(x)


def shape_of(x: Any) -> Shape:
    """The shape of a tensor, array, number or nested list."""
    return x.shape if hasattr(x, "shape") else np.shape(x)


def _sizes(shape: Any) -> Shape:
    """A shape given as one size or as several."""
    several = shape if isinstance(shape, (tuple, list)) else (shape,)
    try:
        return tuple(map(operator.index, several))
    except TypeError:
        raise DTypeError(
            f"the sizes of a shape are integers, not {several!r}", mend="write (2, 3), or -1"
        ) from None


_reshape = linear(
    "reshape", lambda x, *, shape: x.reshape(shape),
    lambda g, x, *, shape: _reshape(g, shape=x.shape),
    symbol="reshape", local=["G reshaped"],
    samples=[
        (((2, 3),), {"shape": (3, 2)}), (((4,),), {"shape": (2, 2)}), (((),), {"shape": (1, 1)}),
    ],
    code="{0}.reshape({shape})",
)  # fmt: skip


@public(np.reshape)
def reshape(x: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """The same elements, row by row, in another shape; one size may be -1.

    ``order="F"`` goes column by column: the first axis counts fastest, in ``x`` as in the result.

    >>> import autograd_lite as ag
    >>> ag.reshape(ag.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1)).shape
    (2, 2)
    """
    wanted = _sizes(shape)
    if _by_columns(order):
        return transpose(reshape(transpose(x), wanted[::-1]))
    return _reshape(x, shape=resolve_reshape(math.prod(shape_of(x)), wanted))


def _by_columns(order: str) -> bool:
    """Whether elements are counted column by column ("F"), not row by row ("C")."""
    if order not in ("C", "F"):
        raise DomainError(
            f"order={order!r}", mend='"C" (rows) or "F" (columns): a tensor has no order in memory'
        )
    return order == "F"


def _reverses(axes: Sequence[int]) -> bool:
    return tuple(axes) == tuple(range(len(axes)))[::-1]


_permute = linear(
    "permute_dims", lambda x, *, axes: x.transpose(axes),
    lambda g, x, *, axes: _permute(g, axes=tuple(np.argsort(axes).tolist())),
    symbol="ᵀ", text="{0}ᵀ", latex=r"{0}^{{\top}}", local=["Gᵀ"],
    samples=[(((2, 3),), {"axes": (1, 0)}), (((2, 3, 4),), {"axes": (2, 0, 1)})],
    code=lambda x, *, axes: f"{x}.T" if _reverses(axes) else f"{x}.transpose({axes})",
)  # fmt: skip


@public(np.transpose, also=["permute_dims"])
def transpose(x: Any, /, axes: Any = None) -> Any:
    """The axes in another order; without ``axes`` in reverse.

    >>> import autograd_lite as ag
    >>> ag.transpose(ag.tensor([[1.0, 2.0]])).shape
    (2, 1)
    """
    ndim = len(shape_of(x))
    order = tuple(reversed(range(ndim))) if axes is None else normalize_axes(tuple(axes), ndim)
    if len(order) != ndim:
        raise ShapeError(f"{len(order)} axes for an array of {ndim}", mend="name every axis once")
    return _permute(x, axes=order)


@public(np.matrix_transpose)
def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged; any others are batches."""
    ndim = len(shape_of(x))
    if ndim < 2:
        raise ShapeError(f"a matrix has at least two axes, this has {ndim}", mend="x[None, :]")
    return _permute(x, axes=(*range(ndim - 2), ndim - 1, ndim - 2))


@public(np.swapaxes)
def swapaxes(x: Any, /, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    ndim = len(shape_of(x))
    order = list(range(ndim))
    i, j = normalize_axis(axis1, ndim), normalize_axis(axis2, ndim)
    order[i], order[j] = j, i
    return _permute(x, axes=tuple(order))


@public(np.expand_dims)
def expand_dims(x: Any, /, axis: Any = 0) -> Any:
    """New axes of size 1 at the named places of the result.

    >>> import autograd_lite as ag
    >>> ag.expand_dims(ag.tensor([1.0, 2.0]), axis=1).shape
    (2, 1)
    """
    shape = shape_of(x)
    added = (axis,) if not isinstance(axis, (tuple, list)) else tuple(axis)
    places = normalize_axes(added, len(shape) + len(added))
    sizes = iter(shape)
    total = len(shape) + len(added)
    return _reshape(x, shape=tuple(1 if i in places else next(sizes) for i in range(total)))


@public(np.squeeze)
def squeeze(x: Any, /, axis: Any = None) -> Any:
    """Axes of size 1 taken away: the named ones, or all."""
    shape = shape_of(x)
    axes = normalize_axes(axis, len(shape))
    gone = [i for i in axes if axis is not None or shape[i] == 1]
    if any(shape[i] != 1 for i in gone):
        raise ShapeError(f"axis {axis} of shape {shape} is not of size 1", mend="only those vanish")
    return _reshape(x, shape=tuple(n for i, n in enumerate(shape) if i not in gone))


@public(np.ravel)
def ravel(x: Any, /, order: str = "C") -> Any:
    """All elements in one axis, row by row; column by column with ``order="F"``."""
    return reshape(x, (-1,), order)


def _broadcast(x: Any, *, shape: Shape) -> Any:
    x = as_array(x)
    if x.itemsize * math.prod(shape) > _SMALL:
        return np.broadcast_to(x, shape)
    filled = np.empty(shape, x.dtype)
    filled[...] = x
    return filled


def _sum_to(g: Any, x: Any, *, shape: Shape) -> Any:
    return unbroadcast(g, x.shape)


_broadcast_to = linear(
    "broadcast_to", _broadcast, _sum_to, symbol="repeat", local=["Σ of the copies' G"],
    samples=[
        (((3,),), {"shape": (2, 3)}), (((2, 1),), {"shape": (2, 3)}), (((),), {"shape": (2,)}),
    ],
    code="np.broadcast_to({0}, {shape})",
)  # fmt: skip


@public(np.broadcast_to)
def broadcast_to(x: Any, /, shape: Any) -> Any:
    """The array repeated to a larger shape, as broadcasting does; the gradient sums the copies.

    >>> import autograd_lite as ag
    >>> ag.broadcast_to(ag.tensor([1.0, 2.0]), (3, 2)).shape
    (3, 2)
    """
    wanted = _sizes(shape)
    if broadcast_shapes(shape_of(x), wanted) != wanted:
        raise ShapeError(f"shape {shape_of(x)} does not broadcast to {wanted}")
    return _broadcast_to(x, shape=wanted)


def _fold(x: Any, *, axes: tuple[int, ...], shape: Shape) -> Any:
    return np.add.reduce(x, axis=axes, keepdims=True).reshape(shape)


_sum_repeats = linear(
    "sum_to", _fold, lambda g, x, *, axes, shape: _broadcast_to(
        _reshape(g, shape=tuple(1 if i in axes else n for i, n in enumerate(x.shape))),
        shape=x.shape,
    ),
    doc="The sum over repeated axes: the adjoint of broadcasting.",
    symbol="Σ", local=["G repeated"], samples=[(((2, 3),), {"axes": (0,), "shape": (3,)})],
    code="np.sum({0}, {axes}, keepdims=True).reshape({shape})",
)  # fmt: skip


def unbroadcast(g: Any, shape: Shape) -> Any:
    """The sum of ``g`` over the axes along which an operand of ``shape`` was repeated."""
    if type(g) is np.ndarray:
        missing = g.ndim - len(shape)
        if g.shape[missing:] == shape:
            return np.add.reduce(g, axis=0 if missing == 1 else tuple(range(missing)))
    axes = broadcast_axes(shape, g.shape)
    return _sum_repeats(g, axes=axes, shape=shape) if axes else g


def _part(i: int, g: Any, *xs: Any, axis: int) -> Any:
    start = sum(x.shape[axis] for x in xs[:i])
    return read_static(g, index=(*[slice(None)] * axis, slice(start, start + xs[i].shape[axis])))


_concat = variadic_linear(
    "concat", lambda *xs, axis: np.concatenate(xs, axis), _part,
    symbol="concat", local=["its part of G"],
    samples=[(((2, 3), (1, 3)), {"axis": 0}), (((2, 1), (2, 2), (2, 1)), {"axis": 1})],
    code="np.concatenate([{args}], axis={axis})",
)  # fmt: skip


@public(np.concatenate, also=["concatenate"])
def concat(arrays: Sequence[Any], /, axis: int | None = 0) -> Any:
    """Arrays joined along an axis that they have; ``axis=None`` joins them flattened.

    >>> import autograd_lite as ag
    >>> ag.concat([ag.tensor([1.0]), [2.0, 3.0]])
    Tensor([1., 2., 3.])
    """
    parts = [part if hasattr(part, "shape") else np.asarray(part) for part in arrays]
    if not parts:
        raise ShapeError("nothing to join", mend="give at least one array")
    if axis is None:
        parts, axis = [ravel(part) for part in parts], 0
    return _concat(*parts, axis=normalize_axis(axis, len(shape_of(parts[0]))))


_stack = variadic_linear(
    "stack", lambda *xs, axis: np.stack(xs, axis),
    lambda i, g, *xs, axis: read_static(g, index=(*[slice(None)] * axis, i)),
    symbol="stack", local=["its part of G"],
    samples=[(((2, 3), (2, 3)), {"axis": 0}), (((2,), (2,), (2,)), {"axis": 1})],
    code="np.stack([{args}], {axis})",
)  # fmt: skip


@public(np.stack)
def stack(arrays: Sequence[Any], /, axis: int = 0) -> Any:
    """Arrays of one shape joined along a new axis.

    >>> import autograd_lite as ag
    >>> ag.stack([ag.tensor(1.0), ag.tensor(2.0)])
    Tensor([1., 2.])
    """
    parts = [part if hasattr(part, "shape") else np.asarray(part) for part in arrays]
    if not parts:
        raise ShapeError("nothing to stack", mend="give at least one array")
    return _stack(*parts, axis=normalize_axis(axis, len(shape_of(parts[0])) + 1))


_flip = linear(
    "flip", lambda x, *, axes: np.flip(x, axes), lambda g, x, *, axes: _flip(g, axes=axes),
    symbol="flip", local=["G flipped"],
    samples=[(((2, 3),), {"axes": (0, 1)}), (((3,),), {"axes": (0,)})], code="np.flip({0}, {axes})",
)  # fmt: skip


@public(np.flip)
def flip(x: Any, /, axis: Any = None) -> Any:
    """The order of the elements reversed along the named axes, or along all."""
    return _flip(x, axes=normalize_axes(axis, len(shape_of(x))))


_cast = linear(
    "astype", lambda x, *, dtype: np.asarray(x).astype(dtype),
    lambda g, x, *, dtype: _cast(g if x.dtype.kind == "c" else real(g), dtype=x.dtype),
    symbol="astype", local=["G"], samples=[(((2, 3),), {"dtype": np.dtype(np.float64)})],
    code="{0}.astype({dtype})",
)  # fmt: skip
_truncate = nondifferentiable(
    "_truncate", lambda x, *, dtype: np.asarray(x).astype(dtype), symbol="astype"
)


@public(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """The elements in another dtype.

    A floating dtype passes the gradient on, cast back. To integers or bool the result is a
    constant: its derivative is zero.

    >>> import autograd_lite as ag
    >>> ag.astype(ag.tensor([1.5]), "float32").dtype
    dtype('float32')
    """
    wanted = np.dtype(dtype)
    if wanted.kind not in "biufc":
        raise DTypeError(f"dtype {wanted} is not numeric", mend="bool, integer, float or complex")
    if wanted == getattr(x, "dtype", None) and not copy:
        return x
    return (_cast if wanted.kind in "fc" else _truncate)(x, dtype=wanted)
