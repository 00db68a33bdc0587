"""Pure shape arithmetic: broadcasting, axes, reductions.

Knows tuples of integers. Does not know arrays, graphs or operators. Imports errors alone.
"""

import math
from collections.abc import Sequence
from itertools import zip_longest
from operator import index
from typing import Any

from autograd_lite.errors import AxisError, DomainError, DTypeError, ShapeError

__all__ = [
    "Shape",
    "broadcast_axes",
    "broadcast_shapes",
    "normalize_axes",
    "normalize_axis",
    "reduced_shape",
    "resolve_reshape",
]

Shape = tuple[int, ...]


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The common shape of operands that broadcast.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    result: list[int] = []
    for sizes in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            raise ShapeError(
                f"shapes {' and '.join(map(str, shapes))} do not broadcast",
                mend="aligned at the right, two sizes must be equal or one of them 1",
            )
        result.append(wide.pop() if wide else 1)
    return tuple(reversed(result))


def broadcast_axes(small: Shape, large: Shape) -> tuple[int, ...]:
    """The axes of ``large`` along which an operand of shape ``small`` was repeated.

    >>> broadcast_axes((3,), (2, 3)), broadcast_axes((2, 1), (2, 3))
    ((0,), (1,))
    """
    missing = len(large) - len(small)
    repeated = (i + missing for i, n in enumerate(small) if n == 1 and large[i + missing] != 1)
    return (*range(missing), *repeated)


def normalize_axis(axis: Any, ndim: int) -> int:
    """A single axis as a number in ``range(ndim)``.

    >>> normalize_axis(-1, 3)
    2
    """
    try:
        position = index(axis)
    except TypeError:
        raise DTypeError(
            f"an axis is an integer, not a {type(axis).__name__}", mend="write axis=0, axis=1, …"
        ) from None
    if not -ndim <= position < ndim:
        raise AxisError(
            f"axis {position} is out of range for an array of {ndim} dimensions",
            mend=f"axes here run from {-ndim} to {ndim - 1}" if ndim else "a 0-d array has no axis",
        )
    return position % ndim


def normalize_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """``None``, one axis or a tuple of axes as a tuple of distinct numbers in ``range(ndim)``.

    >>> normalize_axes(None, 2), normalize_axes(-1, 2), normalize_axes((0, -1), 3)
    ((0, 1), (1,), (0, 2))
    """
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    several = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(normalize_axis(one, ndim) for one in several)
    if len(set(axes)) != len(axes):
        raise DomainError(f"an axis is named twice in {axis}", mend="name each axis once")
    return axes


def reduced_shape(shape: Shape, axes: Sequence[int], *, keepdims: bool) -> Shape:
    """What remains of ``shape`` when ``axes`` are reduced.

    >>> reduced_shape((2, 3), (0,), keepdims=True), reduced_shape((2, 3), (0,), keepdims=False)
    ((1, 3), (3,))
    """
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def resolve_reshape(size: int, shape: Sequence[int]) -> Shape:
    """The wanted shape with its one ``-1`` filled in.

    >>> resolve_reshape(6, (2, -1))
    (2, 3)
    """
    if math.prod(shape) == size and -1 not in shape:
        return tuple(map(int, shape))
    known = 1
    for n in shape:
        known *= n if n != -1 else 1
    holes = list(shape).count(-1)
    fits = known > 0 and size % known == 0 if holes else known == size
    if holes > 1 or not fits or min(shape, default=0) < -1:
        raise ShapeError(
            f"{size} elements do not fill the shape {tuple(shape)}",
            mend="the sizes must multiply to the number of elements; one of them may be -1",
        )
    return tuple(size // known if n == -1 else int(n) for n in shape)
