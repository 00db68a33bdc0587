"""The inputs of a layer: the arrays among them, wherever they stand, and all the rest.

Knows: arrays, numbers, and lists, tuples and dictionaries of arrays; everything else (flags,
strings, None, dictionaries of settings) passes through.
Does not know: layers, gradients.
Imports: errors, NumPy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import DTypeError

__all__ = ["Inputs"]

Place = tuple[Any, ...]


class Inputs:
    """What a layer is called with.

    `arrays` are the arrays in it, in order, `places` where each stands (the number of the input,
    then keys), `names` what it is called; `numbers` says which of them are plain Python numbers.

    >>> given = Inputs([np.ones(2), {"W": np.zeros(2), "mode": "train"}], ["x", "params"])
    >>> given.names
    ('x', 'params.W')
    >>> given.filled([1, 2])
    [1, {'W': 2, 'mode': 'train'}]

    `layout` says how arrays lie in memory that hand-written code is given.

    Raises `DTypeError` for an array that does not hold real numbers.
    """

    layout: Callable[[Any], Any]

    def __init__(self, given: Sequence[Any], names: Sequence[str]) -> None:
        self.layout = np.array
        self.given = [_opened(k, x) for k, x in enumerate(given)]
        found = [
            ((k, *place), value)
            for k, x in enumerate(self.given)
            for place, value in _leaves(x, top=True)
        ]
        self.places: tuple[Place, ...] = tuple(place for place, _ in found)
        self.arrays = [np.array(value) for _, value in found]
        self.numbers = frozenset(
            i for i, (_, value) in enumerate(found) if not isinstance(value, np.ndarray)
        )
        self.names = tuple(
            ".".join([names[place[0]], *map(str, place[1:])]) for place in self.places
        )

    def filled(self, values: Sequence[Any], keep: frozenset[int] = frozenset()) -> list[Any]:
        """The inputs anew with other values of the arrays; those in `keep` as they were given."""
        new = {
            place: value
            for i, (place, value) in enumerate(zip(self.places, values, strict=True))
            if i not in keep
        }
        return [_filled(x, (k,), new) for k, x in enumerate(self.given)]

    def plain(self, values: Sequence[Any], keep: frozenset[int] = frozenset()) -> list[Any]:
        """The same for hand-written code: copies, and numbers where numbers were given."""
        made = [
            self.layout(v) if i not in self.numbers else np.array(v)[()]
            for i, v in enumerate(values)
        ]
        same = {
            i
            for i in self.numbers
            if values[i] is self.arrays[i] or np.array_equal(values[i], self.arrays[i])
        }
        return self.filled(made, keep | same)

    def picked(self, nested: Sequence[Any]) -> tuple[Any, ...]:
        """What stands in `nested` (one entry for each input) at the place of each array."""
        return tuple(_at(nested[place[0]], place[1:]) for place in self.places)


def _opened(k: int, x: Any) -> Any:
    """An input with lists of numbers as arrays, and tensors as arrays."""
    if hasattr(x, "detach") and hasattr(x, "numpy"):
        x = x.detach().numpy()
    if isinstance(x, np.ndarray | np.generic):
        if x.dtype.kind not in "fiub":
            raise DTypeError(
                f"input {k} has dtype {x.dtype}",
                mend="pass arrays of numbers",
            )
        return np.array(x)
    if isinstance(x, list | tuple) and not _holds_arrays(x):
        try:
            return _opened(k, np.array(x)) if x else x
        except ValueError as error:
            raise DTypeError(
                f"input {k} is a list of lists of several lengths",
                mend="make it an array, padded where it is short, or a list of arrays",
            ) from error
    return x


def _holds_arrays(x: Any) -> bool:
    parts = x.values() if isinstance(x, Mapping) else x
    return any(
        isinstance(part, np.ndarray | Mapping)
        or part is None
        or (isinstance(part, list | tuple) and _holds_arrays(part))
        for part in parts
    )


def _leaves(x: Any, *, top: bool = False) -> Iterator[tuple[Place, Any]]:
    if isinstance(x, np.ndarray):
        if x.dtype.kind in "fiub":
            yield (), x
    elif top and isinstance(x, int | float) and not isinstance(x, bool):
        yield (), x
    elif isinstance(x, Mapping | list | tuple):
        items = x.items() if isinstance(x, Mapping) else enumerate(x)
        for key, part in items:
            for place, value in _leaves(part):
                yield (key, *place), value


def _filled(x: Any, place: Place, new: Mapping[Place, Any]) -> Any:
    if place in new:
        return new[place]
    if not any(other[: len(place)] == place for other in new):
        return copy.deepcopy(x)
    if isinstance(x, Mapping):
        made = copy.copy(x)
        for key, part in x.items():
            made[key] = _filled(part, (*place, key), new)  # type: ignore[index]  # a dictionary
        return made
    parts = [_filled(part, (*place, i), new) for i, part in enumerate(x)]
    return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)


def _at(nested: Any, place: Place) -> Any:
    for key in place:
        if isinstance(nested, Mapping):
            nested = next((nested[k] for k in (key, f"d{key}") if k in nested), None)
            continue
        ordered = isinstance(nested, list | tuple) or (
            isinstance(nested, np.ndarray) and nested.ndim
        )
        nested = nested[key] if ordered and isinstance(key, int) and key < len(nested) else None
    return nested
