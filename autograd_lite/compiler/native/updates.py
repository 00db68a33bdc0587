"""Updates: arrays in which some elements are replaced, or added to.

Parts that together fill an array are told as that (``tiled``): each is computed in its place. What
is added to an array of zeros with a few elements is added to those few. Knows values and places.
Does not know symbols nor loops. Imports NumPy and values.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.native.values import Value, Values

__all__ = ["chosen", "joined_sum", "written"]

Box = tuple[tuple[int, int], ...]
"""For each axis where a part begins and ends."""

_LINKS = 64  # updates back to which it is looked whether an element is still 0
_LEAST = 8  # how many times more elements there are than are chosen
_DEPTH = 6  # functions of functions that are computed for chosen elements alone


def written(
    values: Values, whole: Value, new: Value, how: str, places: Any, arrays: Sequence[Value]
) -> Value:
    """A copy of the whole with ``new`` in these places, or added there (``how``: set, add)."""
    box = _box(new.shape, whole.shape, places)
    if how == "add" and box is not None and _is_untouched(whole, box):
        new, how = _plus_zero(values, new), "set"
    made = values.make(
        "write", whole.shape, whole.dtype, (_own(values, whole, new), new, *arrays), (how, places)
    )
    if how == "set" and box is not None and new.size:
        filled = values.filled[made.number] = values.filled.get(whole.number, 0) + new.size
        if filled == whole.size:
            return _tiled(values, made) or made
    return made


def _own(values: Values, whole: Value, new: Value) -> Value:
    """The whole as an array that nobody else reads."""
    if whole.kind not in ("leaf", "number", "view", "reshape"):
        return whole
    return values.make("map", whole.shape, whole.dtype, (whole,), ("copy", "for", new.number))


def _box(part: tuple[int, ...], whole: tuple[int, ...], places: Any) -> Box | None:
    """What places cover, if that is a block of neighbours in their order."""
    box: list[tuple[int, int]] = []
    seen = []
    for kind, start, *terms in places:
        if kind != "at" or (terms[0] and (len(terms[0]) > 1 or terms[0][0][1] != 1)):
            return None
        axes = [axis for axis, _ in terms[0]]
        seen += axes
        box.append((start, start + math.prod(part[axis] for axis in axes)))
    wide = [axis for axis, n in enumerate(part) if n != 1]
    return tuple(box) if seen == wide else None


def _updates(value: Value) -> Iterator[tuple[Value, Box | None]]:
    """What was written last, and before it, each with where."""
    while value.kind == "write":
        how, places = value.facts
        box = _box(value.args[1].shape, value.shape, places) if how == "set" else None
        yield value, box
        value = value.args[0]


def _is_zero(value: Value) -> bool:
    """Whether every element is +0."""
    while value.kind in ("view", "reshape") or (value.kind == "map" and _is_own(value)):
        value = value.args[0]
    return value.kind == "number" and not any(value.facts)


def _is_own(value: Value) -> bool:
    return isinstance(value.facts, tuple) and value.facts[0] == "copy"


def _plus_zero(values: Values, x: Value) -> Value:
    """The same numbers without −0; of updates of zeros each by itself."""
    if x.kind == "map" and x.facts == "add" and _is_zero(x.args[1]):
        return x
    chain = [update for update, _ in zip(_updates(x), range(_LINKS + 1), strict=False)]
    base = chain[-1][0].args[0] if chain else x
    if not _is_zero(base) or any(update.facts[0] != "set" for update, _ in chain):
        zero = values.broadcast(values.number(0, x.dtype), x.shape)
        return values.make("map", x.shape, x.dtype, (x, zero), "add")
    for update, _ in reversed(chain):
        new, *arrays = update.args[1:]
        how, places = update.facts
        base = written(values, base, _plus_zero(values, new), how, places, arrays)
    return base


def _is_untouched(whole: Value, box: Box) -> bool:
    """Whether the elements there are zeros that nothing was written to."""
    base = whole
    for i, (update, other) in enumerate(_updates(whole)):
        apart = other is not None and any(
            stop <= begin or end <= start
            for (start, stop), (begin, end) in zip(box, other, strict=True)
        )
        if not apart or i == _LINKS:
            return False
        base = update.args[0]
    return _is_zero(base)


def _tiled(values: Values, last: Value) -> Value | None:
    """The parts that fill the whole, if no two share an element."""
    parts: list[Value] = []
    boxes: list[Box] = []
    total = 0
    for update, box in _updates(last):
        if box is None or total == last.size:
            break
        parts.append(update.args[1])
        boxes.append(box)
        total += parts[-1].size
    begin, end = np.array(boxes).reshape(len(boxes), -1, 2).transpose(2, 0, 1)
    meeting = ((begin[:, None] < end) & (begin < end[:, None])).all(-1)
    if meeting.sum() != len(parts) or total != last.size:
        return None
    starts = tuple(tuple(start for start, _ in box) for box in boxes)
    own = []
    for i, (part, box) in enumerate(zip(parts, boxes, strict=True)):
        shape = tuple(stop - start for start, stop in box)
        part = values.reshape(part, shape)
        own.append(values.make("map", shape, part.dtype, (part,), ("copy", "into", last.number, i)))
    return values.make("tiled", last.shape, last.dtype, tuple(own), starts)


# sums


def joined_sum(values: Values, name: str, args: tuple[Value, ...]) -> Value | None:
    """A sum or difference of arrays one of which is zeros with a few elements: an update.

    The bits are those of the sum, but for the sign of −0 + −0 at such an element.
    """
    order = [args] if name == "subtract" else [args, args[::-1]]
    for few, rest in order:
        if few.kind != "write" or few.shape != rest.shape or few.dtype.kind != "f":
            continue
        how, places = few.facts
        once = how == "add" or _is_each_once(few.args[1].shape, places)
        if not (once and _is_zero(few.args[0])):
            continue
        if name == "add":
            rest = _plus_zero(values, rest)
        else:
            zero = values.broadcast(values.number(0, rest.dtype), rest.shape)
            rest = values.make("map", rest.shape, rest.dtype, (zero, rest), name)
        return written(values, rest, few.args[1], "add", places, few.args[2:])
    return None


def _is_each_once(part: tuple[int, ...], places: Any) -> bool:
    """Whether no element is named twice: each axis of the part leads along an axis of its own."""
    alone = {terms[0][0][0] for kind, _, *terms in places if kind == "at" and len(terms[0]) == 1}
    return alone >= {axis for axis, n in enumerate(part) if n != 1}


# choices


def chosen(
    values: Values, whole: Value, shape: tuple[int, ...], places: Any, arrays: Sequence[Value]
) -> Value | None:
    """Elements at positions that arrays tell, of what is computed for them alone; or None."""
    if not 0 < math.prod(shape) * _LEAST <= whole.size or whole.kind != "map":
        return None
    used: set[int] = set()
    made = _chosen(values, whole, shape, (places, arrays, used), _DEPTH)
    return made if used == set(range(len(arrays))) else None


def _chosen(
    values: Values, x: Value, shape: tuple[int, ...], where: Any, depth: int
) -> Value | None:
    places, arrays, used = where
    if x.kind == "number":
        return values.broadcast(x, shape)
    if x.kind == "view":
        inner = _through(x, places)
        if inner is None:
            return None
        return _chosen(values, x.args[0], shape, (inner, arrays, used), depth)
    if x.kind == "map":
        if not depth or x.facts == "checked":
            return None
        found = [_chosen(values, arg, shape, where, depth - 1) for arg in x.args]
        made = tuple(one for one in found if one is not None)
        return (
            values.make("map", shape, x.dtype, made, x.facts) if len(made) == len(found) else None
        )
    needed = sorted({place[1] for place in places if place[0] == "by"})
    used.update(needed)
    by = {k: i for i, k in enumerate(needed)}
    told = tuple(("by", by[place[1]]) if place[0] == "by" else place for place in places)
    if not needed:
        return values.view(x, shape, tuple((place[1], place[2]) for place in places))
    picked = (x, *(arrays[k] for k in needed))
    return values.make("gather", shape, x.dtype, picked, told)


def _through(view: Value, places: Any) -> Any:
    """The places in what a view reads; None where positions would not be counted as before."""
    found: list[Any] = []
    for n, (start, terms) in zip(view.args[0].shape, view.facts, strict=True):
        by = [axis for axis, _ in terms if places[axis][0] == "by"]
        if by:
            if start or len(terms) > 1 or terms[0][1] != 1 or view.shape[by[0]] != n:
                return None
            found.append(places[by[0]])
            continue
        factors: dict[int, int] = {}
        for axis, factor in terms:
            start += factor * places[axis][1]
            for one, step in places[axis][2]:
                factors[one] = factors.get(one, 0) + factor * step
        found.append(("at", start, tuple(sorted(factors.items()))))
    return tuple(found)
