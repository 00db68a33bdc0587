"""Guards: what a program took for granted, and whether it is still so.

Knows Python's values, containers and arrays, and what "the same" means for each. Does not know how
a function reaches them (``surroundings``). Imports errors and NumPy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np

from autograd_lite.errors import describe

__all__ = [
    "ABSENT",
    "SIMPLE",
    "Contents",
    "Guard",
    "Held",
    "Items",
    "Read",
    "form_of",
    "same",
    "view_of",
]

SIMPLE = (bool, int, float, complex, str, bytes, type(None))
"""Values that are told by their type and what they print."""
ABSENT = object()
"""What stands for an attribute that is not there."""
WHOLE = 1 << 24
"""Bytes of an array up to which its contents are compared one and all; of a larger one, samples."""

Read = Callable[[], Any]


@dataclass(frozen=True)
class Guard:
    """A value that may be read again, and what it was."""

    read: Read
    value: Any

    def holds(self) -> bool:
        """Whether it is as it was."""
        now = _found(self.read)
        return now is self.value or bool(now == self.value)

    def change(self) -> str:
        """What is other than it was."""
        return "the form or the state of what it uses"


@dataclass(frozen=True)
class Held:
    """Places (a variable, an attribute) and what was in them."""

    reads: tuple[Read, ...]
    parts: tuple[Any, ...]

    def holds(self) -> bool:
        """Whether each place holds what it held."""
        now = [_found(read) for read in self.reads]
        return all(map(is_, now, self.parts)) or all(map(same, now, self.parts))

    def change(self) -> str:
        """What is other than it was."""
        pairs = ((one, _found(read)) for read, one in zip(self.reads, self.parts, strict=True))
        old, new = next((old, new) for old, new in pairs if not same(new, old))
        return f"a variable or attribute: {_shown(old)}, then {_shown(new)}"


@dataclass
class Items:
    """What a container held: a list, a set, or a dict with its keys."""

    container: Any
    parts: tuple[Any, ...]

    @classmethod
    def of(cls, container: Any) -> "Items":
        """The container as it is now."""
        return cls(container, tuple(_all(container)))

    def holds(self) -> bool:
        """Whether it holds the same things, in the same order."""
        now = tuple(_all(self.container))
        return len(now) == len(self.parts) and (
            all(map(is_, now, self.parts)) or all(map(same, now, self.parts))
        )

    def change(self) -> str:
        """What is other than it was."""
        return f"what is in a {type(self.container).__name__} of {len(self.container)}"


def _all(container: Any) -> Sequence[Any]:
    if isinstance(container, dict):
        return (*container, *container.values())
    return container if isinstance(container, list) else tuple(container)


@dataclass
class Contents:
    """The numbers in an array."""

    read: Read
    form: Any
    numbers: bytes

    @classmethod
    def of(cls, read: Read) -> "Contents":
        """Those of an array as it is now."""
        array = read()
        return cls(read, form_of(array), _numbers(array))

    def holds(self) -> bool:
        """Whether an array of the same form with the same numbers is there."""
        now = _found(self.read)
        return form_of(now) == self.form and _numbers(now) == self.numbers

    def change(self) -> str:
        """What is other than it was."""
        return f"the numbers of an array {describe(self.read())}, with which NumPy computes"


def _shown(value: Any) -> str:
    return "nothing" if value is ABSENT else describe(value)


def _found(read: Read) -> Any:
    try:
        return read()
    except (AttributeError, LookupError, ValueError):  # nothing is there; or an empty cell
        return ABSENT


def form_of(value: Any) -> Any:
    """Shape, dtype and order in memory of an array; None of anything else."""
    array = isinstance(value, np.ndarray)
    return (value.shape, value.dtype, value.strides) if array else None


def view_of(read: Read, whole: Any, part: Any) -> Read:
    """How to read what ``part`` is of ``whole`` from another array of the same form."""
    offset = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]

    def view() -> Any:
        now = read()
        start = now.__array_interface__["data"][0] + offset
        told = {**part_of, "data": (start, True)}
        return np.asarray(_Shown(told, now))

    part_of = {key: part.__array_interface__[key] for key in ("typestr", "shape", "version")}
    part_of["strides"] = part.strides
    return view


@dataclass
class _Shown:
    """Memory of ``owner`` that NumPy is to see as an array."""

    __array_interface__: dict[str, Any]
    owner: Any


def _numbers(array: Any) -> bytes:
    if array.nbytes > WHOLE:
        array = array.flat[:: array.size // 4096]
    found: bytes = array.tobytes()
    return found


def same(now: Any, then: Any) -> bool:
    """Whether a program that was made with one value serves the other.

    Arrays have guards of their own. Values that have left a trace are alike: none can be used.

    >>> same(2.0, 2.0), same(2, 2.0), same(float("nan"), float("nan")), same(0.0, -0.0)
    (True, False, True, False)
    """
    if now is then:
        return True
    kind = type(then)
    if type(now) is not kind:
        return False
    if kind is np.ndarray:
        return bool(then.dtype != object)
    if kind in _EXACT:
        return repr(now) == repr(then)
    if isinstance(then, SIMPLE):
        return bool(now == then)
    if isinstance(then, np.generic):
        return bool(now.dtype == then.dtype) and now.tobytes() == then.tobytes()
    return bool(getattr(kind, "has_left", False))


_EXACT = (float, complex)
