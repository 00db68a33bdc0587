"""Other inputs for a layer, made of the given ones: batch sizes, shapes, dtypes, extreme values.

Knows: how each is made, as an array and as the code that makes it; which axes may have another
length, which is found by trying.
Does not know: what is done with them, gradients.
Imports: adapters, errors, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.errors import CompareError

__all__ = ["KINDS", "LAYOUTS", "Variation", "free_axes", "kinds_of", "spelled", "variations"]

KINDS = ("batch", "shape", "dtype", "layout", "extreme", "4-D")
_BATCHES = (1, 2, 7)
_SHAPES = 3  # draws of all free lengths
_LONGEST = 6

Axis = tuple[int, int]  # the number of an array, and an axis of it
Forward = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, eq=False)
class Variation:
    """Other inputs: what is special about them, the arrays, and the code that makes them.

    `lenient` where a layer need not take them: what is wrong there is a warning.
    """

    name: str
    arrays: list[Any]
    code: str
    lenient: bool = False


def kinds_of(fuzz: Any) -> tuple[str, ...]:
    """What `fuzz=` asks for: everything, nothing, one kind or several.

    >>> kinds_of(False), kinds_of("batch"), kinds_of(["dtype", "batch"])
    ((), ('batch',), ('batch', 'dtype'))
    """
    if isinstance(fuzz, bool) or fuzz is None:
        return KINDS if fuzz else ()
    asked = {fuzz} if isinstance(fuzz, str) else set(fuzz)
    unknown = sorted(asked - set(KINDS))
    if unknown:
        raise CompareError(
            f"fuzz= does not know {', '.join(map(repr, unknown))}",
            mend=f"True for everything, or some of {', '.join(map(repr, KINDS))}",
        )
    return tuple(kind for kind in KINDS if kind in asked)


# ── memory ───────────────────────────────────────────────────────────────────────────────────────


def _strided(array: Any) -> Any:
    return np.repeat(array, 2, axis=-1)[..., ::2] if array.ndim else np.array(array)


def _fortran(array: Any) -> Any:
    return np.array(array, order="F")


def _read_only(array: Any) -> Any:
    array = np.array(array)
    array.flags.writeable = False
    return array


LAYOUTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "Fortran order": (_fortran, "{0} = np.asfortranarray({0})"),
    "not contiguous": (_strided, "{0} = np.repeat({0}, 2, axis=-1)[..., ::2]"),
    "read-only": (_read_only, "{0}.flags.writeable = False"),
}
"""The same numbers otherwise in memory, and the code for it."""


# ── axes ─────────────────────────────────────────────────────────────────────────────────────────


def free_axes(forward: Forward, arrays: Sequence[Any], movable: Sequence[int]) -> list[list[Axis]]:
    """Axes whose length a layer lets vary, those together that must be of one length.

    `forward(arrays)` gives the outputs, None where the layer refuses. Only the first axis may
    belong to an array that is not in `movable`: what has no gradient (labels, one-hot rows) may be
    longer, but not wider.
    """
    found: list[list[Axis]] = []
    covered: set[Axis] = set()
    for i, array in enumerate(arrays):
        for a, length in enumerate(array.shape):
            if (i, a) in covered or (i not in movable and a):
                continue
            for group in _groups((i, a), length, arrays, movable):
                if all(
                    forward(_resized(arrays, group, n)) is not None
                    for n in (length + 1, length + 3)
                ):
                    found.append(group)
                    covered |= set(group)
                    break
    return found


def _groups(
    axis: Axis, length: int, arrays: Sequence[Any], movable: Sequence[int]
) -> Iterator[list[Axis]]:
    """The axes that may have to follow one, the most of them first."""
    same = [
        (i, a)
        for i, array in enumerate(arrays)
        for a, n in enumerate(array.shape)
        if n == length and (i in movable or a == 0)
    ]
    yield [one for one in same if one[1] == axis[1]]
    yield [axis]
    yield [axis, *(one for one in same if one[0] != axis[0])]


def _resized(arrays: Sequence[Any], group: Sequence[Axis], length: int) -> list[Any]:
    new = list(arrays)
    for i, a in group:
        new[i] = np.take(new[i], range(length), axis=a, mode="wrap")
    return new


def _is_batch(forward: Forward, arrays: Sequence[Any], group: Sequence[Axis]) -> bool:
    """Whether the outputs follow the length of these axes, or are numbers of the whole batch."""
    before, length = forward(arrays), arrays[group[0][0]].shape[group[0][1]]
    after = forward(_resized(arrays, group, length + 3))
    pairs = list(zip(before, after, strict=False))
    follows = any(
        old == length and new == length + 3
        for y, z in pairs
        for old, new in zip(np.shape(y), np.shape(z), strict=False)
    )
    return follows or all(np.ndim(y) == 0 for y in before)


def spelled(given: Inputs) -> list[str]:
    """What each array is called in code.

    >>> spelled(Inputs([np.ones(2), {"W": np.zeros(2)}], ["x", "params"]))
    ['x', "params['W']"]
    """
    tops = [name.split(".")[0] for name in given.names]
    places = zip(tops, given.places, strict=True)
    return [top + "".join(f"[{key!r}]" for key in place[1:]) for top, place in places]


# ── variations ───────────────────────────────────────────────────────────────────────────────────


def variations(
    kinds: Iterable[str], given: Inputs, forward: Forward, movable: Sequence[int], seed: int
) -> Iterator[Variation]:
    """All variations of some kinds; `movable` are the arrays that have a gradient."""
    arrays, names = given.arrays, spelled(given)
    groups = free_axes(forward, arrays, movable) if {"batch", "shape"} & set(kinds) else []
    batch = next((group for group in groups if _is_batch(forward, arrays, group)), None)
    first = [i for i, x in enumerate(arrays) if x.dtype.kind == "f" and x.ndim]
    varied = [i for i in movable if arrays[i].ndim] or first[:1]
    for kind in kinds:
        if kind == "batch" and batch is not None:
            yield from _batches(arrays, names, batch)
        elif kind == "shape":
            yield from _shapes(arrays, names, groups, movable, seed)
        elif kind == "dtype":
            yield from _dtypes(arrays, names, varied)
        elif kind == "extreme" and varied:
            yield from _extremes(arrays, names, varied[0])
        elif kind == "4-D" and varied:
            yield from _four(arrays, names, varied[0])


def _taken(name: str, axis: int, length: int) -> str:
    return f'{name} = np.take({name}, range({length}), axis={axis}, mode="wrap")'


def _batches(
    arrays: Sequence[Any], names: Sequence[str], batch: Sequence[Axis]
) -> Iterator[Variation]:
    for n in _BATCHES:
        if arrays[batch[0][0]].shape[batch[0][1]] != n:
            code = "\n".join(_taken(names[i], a, n) for i, a in batch)
            where = f"axis {batch[0][1]} of {names[batch[0][0]]}"
            yield Variation(f"a batch of {n} ({where})", _resized(arrays, batch, n), code)


def _shapes(
    arrays: Sequence[Any],
    names: Sequence[str],
    groups: Sequence[Sequence[Axis]],
    movable: Sequence[int],
    seed: int,
) -> Iterator[Variation]:
    seen = {tuple(array.shape for array in arrays)}
    for draw in range(_SHAPES if groups else 0):
        lengths = np.random.default_rng(seed + draw).integers(1, _LONGEST + 1, len(groups))
        rng, new, code = np.random.default_rng(seed + draw), list(arrays), []
        for group, n in zip(groups, lengths.tolist(), strict=True):
            new = _resized(new, group, n)
            code += [_taken(names[i], a, n) for i, a in group]
        shapes = tuple(array.shape for array in new)
        if shapes in seen:
            continue
        seen.add(shapes)
        code.append(f"rng = np.random.default_rng({seed + draw})")
        for i in movable:
            if new[i].dtype.kind == "f" and new[i].ndim:
                shape = new[i].shape
                new[i] = (new[i] * rng.uniform(0.8, 1.2, shape)).astype(new[i].dtype)
                code.append(f"{names[i]} = {names[i]} * rng.uniform(0.8, 1.2, {shape})")
        told = ", ".join(
            f"{names[i]} {new[i].shape}" for i in sorted({i for g in groups for i, _ in g})
        )
        yield Variation(f"shapes {told}", new, "\n".join(code))


def _changed(
    name: str,
    arrays: Sequence[Any],
    names: Sequence[str],
    which: Sequence[int],
    change: Callable[[Any], Any],
    code: str,
    lenient: bool = False,
) -> Variation:
    new = list(arrays)
    for i in which:
        new[i] = change(arrays[i])
    return Variation(name, new, "\n".join(code.format(names[i]) for i in which), lenient)


def _dtypes(
    arrays: Sequence[Any], names: Sequence[str], varied: Sequence[int]
) -> Iterator[Variation]:
    for name in ("float32", "float64"):
        which = [i for i in varied if arrays[i].dtype != name]
        if which:
            code = f"{{0}} = {{0}}.astype(np.{name})"
            yield _changed(name, arrays, names, which, methodcaller("astype", name), code)
    which = [i for i in varied if arrays[i].dtype.kind == "f"]
    if which:
        code = "{0} = np.rint(2 * {0}).astype(int)"
        yield _changed("integers", arrays, names, which, lambda x: np.rint(2 * x).astype(int), code)


def _extremes(arrays: Sequence[Any], names: Sequence[str], i: int) -> Iterator[Variation]:
    if arrays[i].dtype.kind != "f":
        return
    changes: list[tuple[str, Callable[[Any], Any], str]] = [
        ("values of ±1000", lambda x: np.where(x < 0, -1e3, 1e3), "np.where({0} < 0, -1e3, 1e3)"),
        ("zeros", np.zeros_like, "np.zeros_like({0})"),
        ("tiny values", lambda x: 1e-8 * x, "1e-8 * {0}"),
        ("ties", np.rint, "np.rint({0})"),
    ]
    for name, change, code in changes:
        typed = lambda x, f=change: f(x).astype(x.dtype)
        yield _changed(name, arrays, names, [i], typed, f"{{0}} = {code}")


def _four(arrays: Sequence[Any], names: Sequence[str], i: int) -> Iterator[Variation]:
    """Two axes as four, the way images enter a layer that flattens them."""
    x = arrays[i]
    if x.ndim != 2 or not x.size:
        return
    count, width = x.shape
    factor = next((p for p in range(2, width) if width % p == 0), width)
    shape = (count, factor, 1, width // factor)
    code = f"{{0}} = {{0}}.reshape({shape})"
    yield _changed(f"4-D {shape}", arrays, names, [i], lambda x: x.reshape(shape), code, True)
