"""Arrays repeated, rolled, cut, joined and laid out anew: no element changes.

Knows NumPy's functions of this kind as one operator each where the way back is one pass
(roll, split), else as compositions. Imports errors, rules, shapes, NumPy, and the operators that
these are made of.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, ShapeError
from autograd_lite.ops.gathering import take
from autograd_lite.ops.padding import _pad
from autograd_lite.ops.pointwise import power, where
from autograd_lite.ops.shaping import (
    as_array,
    astype,
    broadcast_to,
    concat,
    flip,
    ravel,
    reshape,
    shape_of,
    stack,
    swapaxes,
    transpose,
)
from autograd_lite.rules import general, linear, public
from autograd_lite.shapes import Shape, broadcast_shapes, normalize_axes, normalize_axis
from autograd_lite.tensors import plain_value

# repeating


@public(np.tile)
def tile(x: Any, /, reps: Any) -> Any:
    """The whole array laid side by side ``reps`` times along each axis.

    >>> import autograd_lite as ag
    >>> ag.tile(ag.tensor([1.0, 2.0]), 2)
    Tensor([1., 2., 1., 2.])
    """
    shape = shape_of(x)
    counts: Shape = tuple(map(int, np.atleast_1d(reps)))
    if min(counts, default=0) < 0:
        raise DomainError(f"repetitions {reps!r}", mend="they are at least 0")
    ndim = max(len(shape), len(counts))
    shape = (1,) * (ndim - len(shape)) + shape
    counts = (1,) * (ndim - len(counts)) + counts
    apart = tuple(n for size in shape for n in (1, size))
    spread = tuple(n for pair in zip(counts, shape, strict=True) for n in pair)
    final = tuple(c * n for c, n in zip(counts, shape, strict=True))
    return reshape(broadcast_to(reshape(x, apart), spread), final)


@public(np.repeat)
def repeat(x: Any, /, repeats: Any, axis: int | None = None) -> Any:
    """Each element ``repeats`` times in a row along an axis, or of the flattened array.

    >>> import autograd_lite as ag
    >>> ag.repeat(ag.tensor([1.0, 2.0]), 2)
    Tensor([1., 1., 2., 2.])
    """
    if axis is None:
        x, axis = ravel(x), 0
    shape = shape_of(x)
    axis = normalize_axis(axis, len(shape))
    repeats = plain_value(repeats)
    counts = np.asarray(repeats)
    if np.any(counts < 0):
        raise DomainError("a negative number of copies", mend="they are at least 0")
    if counts.size != 1 and counts.shape != (shape[axis],):
        raise ShapeError(
            f"numbers of copies of shape {counts.shape} for {shape[axis]} elements",
            mend="give one number, or one for each element along the axis",
        )
    if counts.size == 1 and counts.dtype.kind in "iu":
        before, after = shape[: axis + 1], shape[axis + 1 :]
        wide = broadcast_to(reshape(x, (*before, 1, *after)), (*before, counts.item(), *after))
        return reshape(wide, (*shape[:axis], shape[axis] * counts.item(), *after))
    return take(x, np.repeat(np.arange(shape[axis]), repeats), axis=axis)


# moving


def _back(shift: Any) -> Any:
    return tuple(-s for s in shift)


_roll = linear(
    "roll", lambda x, *, shift, axis: np.roll(x, shift, axis),
    lambda g, x, *, shift, axis: _roll(g, shift=_back(shift), axis=axis),
    local=["G rolled back"],
    samples=[(((4,),), {"shift": (1,), "axis": (0,)}),
             (((2, 3),), {"shift": (1, -2), "axis": (0, 1)})],
    code="np.roll({0}, {shift}, {axis})",
)  # fmt: skip


@public(np.roll)
def roll(x: Any, /, shift: Any, axis: Any = None) -> Any:
    """Elements moved along the axes, those that leave at one end come in at the other.

    >>> import autograd_lite as ag
    >>> ag.roll(ag.tensor([1.0, 2.0, 3.0]), 1)
    Tensor([3., 1., 2.])
    """
    shape = shape_of(x)
    if axis is None:
        return reshape(_roll(ravel(x), shift=(int(np.sum(shift)),), axis=(0,)), shape)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    steps, wide = np.broadcast_arrays(
        np.asarray(shift, int), [normalize_axis(i, len(shape)) for i in axes]
    )
    return _roll(x, shift=tuple(steps.tolist()), axis=tuple(wide.tolist()))


@public(np.rot90)
def rot90(m: Any, /, k: int = 1, axes: Any = (0, 1)) -> Any:
    """The array turned by k right angles in the plane of two axes, from the first to the second.

    >>> import autograd_lite as ag
    >>> ag.rot90(ag.tensor([[1.0, 2.0]]))
    Tensor([[2.],
            [1.]])
    """
    m = as_array(m)
    if len(axes) != 2:
        raise DomainError(f"axes={axes!r}", mend="a plane has two axes")
    i, j = normalize_axes(tuple(axes), m.ndim)
    k %= 4
    if k == 2:
        return flip(flip(m, i), j)
    if k == 0:
        return m[...]
    return swapaxes(flip(m, j), i, j) if k == 1 else flip(swapaxes(m, i, j), j)


@public(np.moveaxis)
def moveaxis(x: Any, /, source: Any, destination: Any) -> Any:
    """Axes moved to other places; the others stay in order.

    >>> import autograd_lite as ag
    >>> ag.moveaxis(ag.constant(np.zeros((2, 3, 4))), 0, -1).shape
    (3, 4, 2)
    """
    ndim = len(shape_of(x))
    old, new = normalize_axes(source, ndim), normalize_axes(destination, ndim)
    if len(old) != len(new):
        raise DomainError(f"{len(old)} axes for {len(new)} places", mend="one place for each")
    order = [i for i in range(ndim) if i not in old]
    for place, axis in sorted(zip(new, old, strict=True)):
        order.insert(place, axis)
    return transpose(x, tuple(order))


@public(np.rollaxis)
def rollaxis(x: Any, /, axis: int, start: int = 0) -> Any:
    """One axis moved to stand before another; ``moveaxis`` says it better.

    >>> import autograd_lite as ag
    >>> ag.rollaxis(ag.constant(np.zeros((2, 3, 4))), 2).shape
    (4, 2, 3)
    """
    ndim = len(shape_of(x))
    axis = normalize_axis(axis, ndim)
    start = start + ndim if start < 0 else start
    return moveaxis(x, axis, start - 1 if axis < start else start)


@public(np.flipud)
def flipud(x: Any, /) -> Any:
    """The rows in reverse.

    >>> import autograd_lite as ag
    >>> ag.flipud(ag.tensor([1.0, 2.0]))
    Tensor([2., 1.])
    """
    return flip(x, 0)


@public(np.fliplr)
def fliplr(x: Any, /) -> Any:
    """The columns in reverse.

    >>> import autograd_lite as ag
    >>> ag.fliplr(ag.tensor([[1.0, 2.0]]))
    Tensor([[2., 1.]])
    """
    return flip(x, 1)


# cutting: one node with several outputs, so that the way back is one pass


def _cut(x: Any, *, cuts: Sequence[int], axis: int) -> Any:
    before = (slice(None),) * axis
    return tuple(x[(*before, slice(a, b))] for a, b in pairwise((None, *cuts, None)))


def _bounds(shape: Shape, cuts: Sequence[int], axis: int) -> list[tuple[int, int]]:
    """Start and stop of each part, as slices have them."""
    edges = [0, *cuts, shape[axis]]
    ranges = [slice(a, b).indices(shape[axis]) for a, b in pairwise(edges)]
    return [(start, max(start, stop)) for start, stop, _ in ranges]


def _pull_cut(g: Any, y: Any, x: Any, *, cuts: Sequence[int], axis: int) -> Any:
    bounds = _bounds(x.shape, cuts, axis)
    parts = [
        np.zeros((*x.shape[:axis], b - a, *x.shape[axis + 1 :]), x.dtype) if part is None else part
        for part, (a, b) in zip(g, bounds, strict=True)
    ]
    if all(a[1] == b[0] for a, b in pairwise(bounds)):
        return concat(parts, axis=axis)
    total = np.zeros(x.shape, x.dtype)  # cuts out of order: parts overlap, or leave gaps
    for part, (a, b) in zip(parts, bounds, strict=True):
        before = (*[(0, 0)] * axis, (a, x.shape[axis] - b), *[(0, 0)] * (len(x.shape) - axis - 1))
        total = total + _pad(part, widths=before)
    return total


_split = general(
    "split", _cut, [_pull_cut],
    lambda tangents, y, xs, params: _split(tangents[0], **params),
    several=True, local=["the parts' G joined"],
    probe=lambda call, x: call(x)[0] - 2.5 * call(x)[1],
    samples=[(((4,),), {"cuts": (2,), "axis": 0}), (((2, 4),), {"cuts": (2,), "axis": 1})],
    code="np.split({0}, {cuts}, {axis})",
)  # fmt: skip
_split.op.keeps = (0,)


def _apart(x: Any, *, axis: int) -> Any:
    return tuple(np.moveaxis(x, axis, 0))


def _pull_apart(g: Any, y: Any, x: Any, *, axis: int) -> Any:
    rest = (*x.shape[:axis], *x.shape[axis + 1 :])
    return stack([np.zeros(rest, x.dtype) if part is None else part for part in g], axis=axis)


_unstack = general(
    "unstack", _apart, [_pull_apart],
    lambda tangents, y, xs, params: _unstack(tangents[0], **params),
    several=True, local=["the parts' G stacked"],
    probe=lambda call, x: call(x)[0] - 2.5 * call(x)[1],
    samples=[(((2,),), {"axis": 0}), (((3, 2),), {"axis": 1})],
    code="np.unstack({0}, axis={axis})",
)  # fmt: skip
_unstack.op.keeps = (0,)


def _parts(x: Any, cuts: Sequence[int], axis: int) -> list[Any]:
    return list(_split(x, cuts=tuple(cuts), axis=axis))


@public(np.array_split)
def array_split(x: Any, /, indices_or_sections: Any, axis: int = 0) -> Any:
    """The array cut into so many parts (nearly equal), or at these places.

    >>> import autograd_lite as ag
    >>> ag.array_split(ag.tensor([1.0, 2.0, 3.0]), 2)
    [Tensor([1., 2.]), Tensor([3.])]
    """
    x = as_array(x)
    axis = normalize_axis(axis, x.ndim)
    if np.ndim(indices_or_sections):
        return _parts(x, [int(i) for i in indices_or_sections], axis)
    count = int(indices_or_sections)
    if count < 1:
        raise DomainError(f"{count} parts", mend="at least 1")
    size, more = np.divmod(x.shape[axis], count)
    sizes = [size + (k < more) for k in range(count)]
    return _parts(x, np.cumsum(sizes)[:-1].tolist(), axis)


@public(np.split)
def split(x: Any, /, indices_or_sections: Any, axis: int = 0) -> Any:
    """The array cut into so many equal parts, or at these places.

    >>> import autograd_lite as ag
    >>> ag.split(ag.tensor([1.0, 2.0, 3.0]), [1])
    [Tensor([1.]), Tensor([2., 3.])]
    """
    x = as_array(x)
    if not np.ndim(indices_or_sections):
        size = x.shape[normalize_axis(axis, x.ndim)]
        if size % int(indices_or_sections):
            raise ShapeError(
                f"{size} elements in {indices_or_sections} parts",
                mend="array_split makes parts of unequal size",
            )
    return array_split(x, indices_or_sections, axis=axis)


@public(np.vsplit)
def vsplit(x: Any, /, indices_or_sections: Any) -> Any:
    """``split`` along the first axis of an array that has two or more.

    >>> import autograd_lite as ag
    >>> [part.shape for part in ag.vsplit(ag.constant(np.zeros((4, 3))), 2)]
    [(2, 3), (2, 3)]
    """
    return _split_from(x, indices_or_sections, 0, 2)


@public(np.hsplit)
def hsplit(x: Any, /, indices_or_sections: Any) -> Any:
    """``split`` along the second axis, or the only one.

    >>> import autograd_lite as ag
    >>> [part.shape for part in ag.hsplit(ag.constant(np.zeros((4, 2))), 2)]
    [(4, 1), (4, 1)]
    """
    return _split_from(x, indices_or_sections, min(1, len(shape_of(x)) - 1), 1)


@public(np.dsplit)
def dsplit(x: Any, /, indices_or_sections: Any) -> Any:
    """``split`` along the third axis.

    >>> import autograd_lite as ag
    >>> [part.shape for part in ag.dsplit(ag.constant(np.zeros((1, 3, 2))), 2)]
    [(1, 3, 1), (1, 3, 1)]
    """
    return _split_from(x, indices_or_sections, 2, 3)


def _split_from(x: Any, where_: Any, axis: int, ndim: int) -> Any:
    if len(shape_of(x)) < ndim:
        raise ShapeError(f"an array of {len(shape_of(x))} axes", mend=f"{ndim} or more are needed")
    return split(x, where_, axis=axis)


@public(np.unstack)
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices along an axis, as a tuple; that axis is gone.

    >>> import autograd_lite as ag
    >>> ag.unstack(ag.tensor([1.0, 2.0]))
    (Tensor(1.), Tensor(2.))
    """
    x = as_array(x)
    if not x.ndim:
        raise ShapeError("a 0-d array has no axis to unstack", mend="reshape it to (1,)")
    return tuple(_unstack(x, axis=normalize_axis(axis, x.ndim)))


# joining


@public(np.atleast_1d)
def atleast_1d(*arrays: Any) -> Any:
    """Arrays with one axis at least; several give a tuple.

    >>> import autograd_lite as ag
    >>> ag.atleast_1d(ag.tensor(1.0))
    Tensor([1.])
    """
    return _each(arrays, lambda x: reshape(x, (1,)) if x.ndim == 0 else x)


@public(np.atleast_2d)
def atleast_2d(*arrays: Any) -> Any:
    """Arrays with two axes at least, new ones in front; several give a tuple.

    >>> import autograd_lite as ag
    >>> ag.atleast_2d(ag.tensor([1.0, 2.0])).shape
    (1, 2)
    """
    return _each(arrays, lambda x: reshape(x, (1,) * (2 - x.ndim) + x.shape) if x.ndim < 2 else x)


@public(np.atleast_3d)
def atleast_3d(*arrays: Any) -> Any:
    """Arrays with three axes at least; several give a tuple.

    >>> import autograd_lite as ag
    >>> ag.atleast_3d(ag.tensor([1.0, 2.0])).shape
    (1, 2, 1)
    """

    def wider(x: Any) -> Any:
        if x.ndim >= 3:
            return x
        return reshape(x, (*x.shape, 1) if x.ndim == 2 else (1, x.size, 1))

    return _each(arrays, wider)


def _each(arrays: Sequence[Any], change: Any) -> Any:
    results = tuple(change(as_array(x)) for x in arrays)
    return results[0] if len(results) == 1 else results


def _all_wide(arrays: Any, widen: Any) -> list[Any]:
    several = [widen(x) for x in arrays]
    if not several:
        raise ShapeError("nothing to join", mend="give at least one array")
    return several


@public(np.hstack)
def hstack(arrays: Any, /) -> Any:
    """Arrays side by side: joined along the second axis, or the only one.

    >>> import autograd_lite as ag
    >>> ag.hstack([ag.tensor(1.0), [2.0, 3.0]])
    Tensor([1., 2., 3.])
    """
    several = _all_wide(arrays, atleast_1d)
    return concat(several, axis=0 if several[0].ndim == 1 else 1)


@public(np.vstack)
def vstack(arrays: Any, /) -> Any:
    """Arrays one below the other: joined along the first axis, single rows as rows.

    >>> import autograd_lite as ag
    >>> ag.vstack([ag.tensor([1.0, 2.0]), [3.0, 4.0]])
    Tensor([[1., 2.],
            [3., 4.]])
    """
    return concat(_all_wide(arrays, atleast_2d), axis=0)


@public(np.dstack)
def dstack(arrays: Any, /) -> Any:
    """Arrays one behind the other: joined along the third axis.

    >>> import autograd_lite as ag
    >>> ag.dstack([ag.tensor([1.0, 2.0]), [3.0, 4.0]]).shape
    (1, 2, 2)
    """
    return concat(_all_wide(arrays, atleast_3d), axis=2)


@public(np.column_stack)
def column_stack(arrays: Any, /) -> Any:
    """Arrays side by side, those of one axis as columns.

    >>> import autograd_lite as ag
    >>> ag.column_stack([ag.tensor([1.0, 2.0]), [3.0, 4.0]])
    Tensor([[1., 3.],
            [2., 4.]])
    """

    def column(x: Any) -> Any:
        x = as_array(x)
        return reshape(x, (-1, 1)) if x.ndim < 2 else x

    return concat(_all_wide(arrays, column), axis=1)


@public(np.block)
def block(arrays: Any, /) -> Any:
    """Arrays joined as nested lists show them: the innermost along the last axis.

    >>> import autograd_lite as ag
    >>> ag.block([[ag.tensor([1.0]), 2.0], [3.0, 4.0]])
    Tensor([[1., 2.],
            [3., 4.]])
    """
    if not isinstance(arrays, list):
        return atleast_1d(arrays)
    depth = _depth(arrays)
    ndim = max(depth, *(len(shape_of(x)) for x in _leaves(arrays)))
    return _joined(arrays, depth, ndim)


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) and arrays else 0


def _leaves(arrays: Any) -> list[Any]:
    return [x for part in arrays for x in _leaves(part)] if isinstance(arrays, list) else [arrays]


def _joined(arrays: Any, depth: int, ndim: int) -> Any:
    if depth == 0:
        if isinstance(arrays, list):
            raise ShapeError("lists nested unevenly", mend="every array at the same depth")
        x = as_array(arrays)
        return reshape(x, (1,) * (ndim - x.ndim) + x.shape)
    if not isinstance(arrays, list) or not arrays:
        raise ShapeError("lists nested unevenly", mend="every array at the same depth")
    return concat([_joined(part, depth - 1, ndim) for part in arrays], axis=ndim - depth)


# laid out against each other


@public(np.broadcast_arrays)
def broadcast_arrays(*arrays: Any, subok: bool = False) -> tuple[Any, ...]:
    """All arrays repeated to their common shape.

    >>> import autograd_lite as ag
    >>> [x.shape for x in ag.broadcast_arrays(ag.tensor([1.0, 2.0]), ag.tensor([[1.0]]))]
    [(1, 2), (1, 2)]
    """
    several = [as_array(x) for x in arrays]
    shape = broadcast_shapes(*(x.shape for x in several))
    return tuple(x if x.shape == shape else broadcast_to(x, shape) for x in several)


@public(np.meshgrid)
def meshgrid(*arrays: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> Any:
    """The coordinates of a grid from those along its axes; "xy" turns the first two axes.

    >>> import autograd_lite as ag
    >>> ag.meshgrid(ag.tensor([1.0, 2.0]), ag.tensor([3.0]))[0]
    Tensor([[1., 2.]])
    """
    if indexing not in ("xy", "ij"):
        raise DomainError(f"indexing={indexing!r}", mend='"xy" or "ij"')
    count = len(arrays)
    places = list(range(count))
    if indexing == "xy" and count > 1:
        places[:2] = [1, 0]
    several = [
        reshape(as_array(x), (*[1] * i, -1, *[1] * (count - i - 1)))
        for x, i in zip(arrays, places, strict=True)
    ]
    return tuple(several) if sparse else broadcast_arrays(*several)


def _triangle(x: Any, mask: Any) -> Any:
    x = as_array(x)
    if x.ndim == 1:
        x = broadcast_to(x, (x.size, x.size))
    if x.ndim < 1:
        raise ShapeError("a triangle of a 0-d array", mend="matrices have two axes or more")
    return where(mask(*x.shape[-2:]), x, x.dtype.type(0))


@public(np.tril)
def tril(x: Any, /, k: int = 0) -> Any:
    """The lower triangle of the last two axes, up to the k-th diagonal; the rest is 0.

    >>> import autograd_lite as ag
    >>> ag.tril(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 0.],
            [3., 4.]])
    """
    return _triangle(x, lambda n, m: np.tri(n, m, k, dtype=bool))


@public(np.triu)
def triu(x: Any, /, k: int = 0) -> Any:
    """The upper triangle of the last two axes, from the k-th diagonal; the rest is 0.

    >>> import autograd_lite as ag
    >>> ag.triu(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 2.],
            [0., 4.]])
    """
    return _triangle(x, lambda n, m: ~np.tri(n, m, k - 1, dtype=bool))


@public(np.vander)
def vander(x: Any, /, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of each element as a row of a matrix, the highest first.

    >>> import autograd_lite as ag
    >>> ag.vander(ag.tensor([2.0, 3.0]))
    Tensor([[2., 1.],
            [3., 1.]])
    """
    x = as_array(x)
    if x.ndim != 1:
        raise ShapeError(f"an array of {x.ndim} axes", mend="a Vandermonde matrix is made of one")
    x = astype(x, np.promote_types(x.dtype, int)) if x.dtype != np.float64 else x
    count = x.size if N is None else N
    columns = [power(x, k) for k in (range(count) if increasing else reversed(range(count)))]
    return stack(columns, axis=1) if columns else np.zeros((x.size, 0), x.dtype)


@public(np.polyval)
def polyval(p: Any, /, x: Any) -> Any:
    """The polynomial with these coefficients, the highest first, at each x.

    >>> import autograd_lite as ag
    >>> ag.polyval(ag.tensor([1.0, 2.0, 3.0]), 2.0)
    Tensor(11.)
    """
    x = as_array(x)
    y: Any = x * 0
    for k in range(shape_of(p)[0]):
        y = y * x + as_array(p)[k]
    return y
