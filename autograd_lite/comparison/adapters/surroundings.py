"""What a layer uses around its functions: globals of its module, and variables of a closure.

Knows: which of them are data, so that a run needs copies of them and leaves the user's module as
it was; which are held, as parameters are: read, and assigned by none of the functions.
Does not know: conventions, which gradient belongs to what, tensors.
Imports: how programs are copied (`lifting`), NumPy.
"""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_lite.lifting.copying import Copier, Place, module_of, places_around

__all__ = ["around", "copied", "held_around"]


def around(hand: Any) -> dict[str, Any]:
    """The data around the functions of a layer, by name; None where nothing stands yet.

    What they read, and what they assign to.
    """
    return {place.name: place.value for place in _data(hand).values()}


def held_around(hand: Any) -> dict[str, Any]:
    """The data around the functions of a layer that none of them assigns, as it was defined."""
    return {name: place.value for name, place in _data(hand).items() if not place.written}


def copied(hand: Any, memo: Mapping[int, Any] | None = None) -> Any:
    """A copy of a layer, with copies of its functions if there is data around them.

    `memo` says what takes the place of what, by identity.
    """
    held = dict(memo or {})
    if not _data(hand):
        return copy.deepcopy(hand, held)
    copier = _Copier(lambda path, array: copy.deepcopy(array), held)
    for part in hand if isinstance(hand, list | tuple) else [hand]:
        copier.own(module_of(part))
    return copier.copied(hand)


class _Copier(Copier):
    """Copies as `copy.deepcopy` makes them, of functions too."""

    def _maker(self, thing: Any) -> Callable[[Any, str], Any] | None:
        maker = super()._maker(thing)
        if maker is not None or _is_code(thing):
            return maker
        return lambda thing, path: copy.deepcopy(thing, self._memo)

    def _around(self, thing: Any, name: str) -> Any:
        try:
            return self.copied(thing, name)
        except Exception:  # noqa: BLE001  # a lock, an open file: shared, as no copy can be made
            return self._remember(thing, thing)


def _data(hand: Any) -> dict[str, Place]:
    places = places_around(hand)
    return {name: p for name, p in places.items() if p.written or _may_change(p.value)}


def _may_change(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_may_change, value))
    fixed = value is None or isinstance(value, str | bytes | int | float | complex | np.generic)
    return not (fixed or _is_code(value))


def _is_code(thing: Any) -> bool:
    return isinstance(thing, type | types.ModuleType) or inspect.isroutine(thing)
