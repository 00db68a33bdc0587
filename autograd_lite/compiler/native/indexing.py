"""Indices of NumPy as places: for each axis where its elements lie, by a rule or by an array.

Knows shapes, values and NumPy's rules of indexing. Does not know symbols. Imports NumPy,
conversions and values.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.native.conversions import NotReadable, cast, constant
from autograd_lite.compiler.native.values import Value, Values

__all__ = ["located"]

Place = tuple[Any, ...]
"""Where along one axis: ("at", start, terms) by the reader's axes, ("by", which array)."""


def located(
    values: Values, whole: tuple[int, ...], index: tuple[Any, ...]
) -> tuple[tuple[int, ...], tuple[Place, ...], list[Value]]:
    """The shape that an index gives, a place for each axis of the whole, arrays of positions."""
    parts = _expanded(values, len(whole), index)
    arrays = [part for part in parts if isinstance(part, Value)]
    # beside arrays a number counts as an array without axes
    advanced = [i for i, part in enumerate(parts)
                if isinstance(part, Value) or (arrays and _whole(part))]  # fmt: skip
    common = np.broadcast_shapes(*(array.shape for array in arrays))
    together = not advanced or advanced[-1] - advanced[0] + 1 == len(advanced)
    shape: list[int] = []
    places: list[Place] = []
    given: list[Value] = []
    start_of_common = None if together else 0
    if arrays and not together:
        shape.extend(common)
    axis = 0
    for i, part in enumerate(parts):
        if arrays and together and i == advanced[0]:
            start_of_common = len(shape)
            shape.extend(common)
        if part is None:
            shape.append(1)
            continue
        n = whole[axis]
        if isinstance(part, slice):
            start, stop, step = part.indices(n)
            count = len(range(start, stop, step))
            places.append(("at", start, ((len(shape), step),)))
            shape.append(count)
        elif isinstance(part, Value):
            places.append(("by", len(given)))
            given.append(part)
        else:
            if not -n <= part < n:
                raise NotReadable(f"position {part} of {n}")
            places.append(("at", part % n, ()))
        axis += 1
    trailing = 0 if start_of_common is None else len(shape) - start_of_common - len(common)
    aligned: list[Value] = []
    for axis, place in enumerate(places):
        if place[0] == "by":
            one = given[place[1]]
            first = len(shape) - trailing - len(one.shape)
            rule = _rule_of(values.constants.get(one.number), whole[axis], first)
            places[axis] = rule or ("by", len(aligned))
            if rule is None:
                aligned.append(_aligned(values, one, trailing))
    return tuple(shape), _without_single(places, shape), aligned


def _rule_of(known: Any, n: int, first: int) -> Place | None:
    """Positions among n that are known, as steps along the reader's axes, the ``first`` and on."""
    if known is None or not known.size or known.dtype.kind not in "iu":
        return None
    corner = (0,) * known.ndim
    start = int(known[corner])
    steps = [int(known[(*corner[:k], 1, *corner[k + 1 :])]) - start if size > 1 else 0
             for k, size in enumerate(known.shape)]  # fmt: skip
    exact = sum((step * grid for step, grid in zip(steps, np.indices(known.shape, sparse=True),
                                                   strict=True)), np.int64(start))  # fmt: skip
    low, high = int(known.min()), int(known.max())
    if not (-n <= low and high < n and (low >= 0 or high < 0)) or (exact != known).any():
        return None
    terms = tuple((first + k, step) for k, step in enumerate(steps) if step)
    return "at", start + n * (low < 0), terms


def _without_single(places: list[Place], shape: Sequence[int]) -> tuple[Place, ...]:
    return tuple(
        place if place[0] == "by"
        else ("at", place[1], tuple(term for term in place[2] if shape[term[0]] != 1))
        for place in places
    )  # fmt: skip


def _whole(part: Any) -> bool:
    return isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_))


def _aligned(values: Values, part: Value, trailing: int) -> Value:
    """Positions as integers with axes of size 1 behind, so that they broadcast to the result."""
    value = cast(values, part, np.dtype(np.int64))
    return values.reshape(value, value.shape + (1,) * trailing)


def _expanded(values: Values, ndim: int, index: tuple[Any, ...]) -> list[Any]:
    """An index with a part for each axis: numbers, slices, None and values of integers."""
    parts: list[Any] = []
    for part in index:
        if part is None or part is Ellipsis or isinstance(part, slice) or _whole(part):
            parts.append(int(part) if _whole(part) else part)
        elif isinstance(part, Value):
            if part.dtype.kind == "b":
                raise NotReadable("an index by a condition: the size depends on data")
            parts.append(part)
        else:
            parts.extend(_constant_positions(values, np.asarray(part)))
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    fill = [slice(None)] * (ndim - taken)
    if Ellipsis in parts:
        where = parts.index(Ellipsis)
        return [*parts[:where], *fill, *parts[where + 1 :]]
    return [*parts, *fill]


def _constant_positions(values: Values, array: Any) -> list[Any]:
    if array.dtype.kind == "b":
        return [constant(values, positions) for positions in np.nonzero(array)]
    if not array.ndim:
        return [int(array)]
    return [constant(values, array.astype(np.int64))]
