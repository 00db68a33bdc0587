"""Backward passes that move the parameters themselves: `self.W -= lr * dW`, or by an optimiser.

Knows: that at a learning rate of 1 plain descent moves a parameter by its gradient; where the rate
may stand: an argument of backward, an attribute, an optimiser of plain descent in the layer.
Does not know: conventions, tensors, verdicts.
Imports: its neighbours, NumPy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.matching import value_at
from autograd_lite.comparison.adapters.words import is_rate

__all__ = ["Moves", "PlainDescent", "arrays_in", "put"]

_DESCENT = re.compile(
    r"(plain|stochastic|vanilla)?_?(sgd|gradient_?descent|gd|descent)", re.IGNORECASE
)
_DEPTH = 3
_OTHERS = ("alpha", "step", "rate")  # as attributes they are slopes, counters, shares of dropout


class PlainDescent:
    """An optimiser that moves a parameter by its gradient, however it is called."""

    def update(self, *given: Any) -> Any:
        """The last two of what is given are a parameter and its gradient."""
        parameter, gradient = given[-2:]
        return parameter - gradient

    __call__ = step = calculate_update = update_weights = get_update = apply = update


class Moves:
    """How far a backward pass moves the arrays of a layer, at a rate of 1.

    Made before the pass, with all rates of the layer set to 1; `taken` afterwards says how far each
    array has moved, and puts all of them back.
    """

    def __init__(self, hand: Any, known: bool) -> None:
        self._hand = hand
        self._rates = [(owner, name, _get(owner, name)) for owner, name in _rates_in(hand)]
        self.known = known or bool(self._rates) or _holds_descent(hand)
        for owner, name, _ in self._rates:
            _put(owner, name, 1.0)
        self._before = {path: np.array(value) for path, value in arrays_in(hand)}

    @property
    def touched(self) -> dict[str, Any]:
        """The arrays that are new or have other values than before."""
        now = dict(arrays_in(self._hand))
        return {
            path: value
            for path, value in now.items()
            if path not in self._before or not np.array_equal(value, self._before[path])
        }

    def taken(self) -> dict[str, Any]:
        """Before − after, by paths; nothing where the rate is not known."""
        moved: dict[str, Any] = {}
        for path, old in self._before.items():
            now = value_at(self._hand, path)
            if not isinstance(now, np.ndarray) or np.array_equal(now, old, equal_nan=True):
                continue
            if self.known:
                moved[path] = _difference(old, now)
                put(self._hand, path, old)
        for owner, name, value in self._rates:
            _put(owner, name, value)
        return moved


def _difference(old: Any, now: Any) -> Any:
    """Old − now, as NumPy broadcasts them; now where it cannot."""
    try:
        return old - now
    except ValueError:
        return now


def _items(thing: Any) -> list[tuple[str, Any]]:
    if isinstance(thing, Mapping):
        return [(str(key), value) for key, value in thing.items()]
    if isinstance(thing, list | tuple):
        return [(str(k), value) for k, value in enumerate(thing)]
    slots = [n for kind in type(thing).__mro__ for n in getattr(kind, "__slots__", ())]
    return [*((n, getattr(thing, n, None)) for n in slots), *getattr(thing, "__dict__", {}).items()]


def arrays_in(hand: Any, prefix: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    """The arrays of floats that a layer holds, with their dotted paths."""
    for name, value in _items(hand):
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f":
                yield f"{prefix}{name}", value
        elif depth and _is_inner(value):
            yield from arrays_in(value, f"{prefix}{name}.", depth - 1)


def _is_inner(value: Any) -> bool:
    """Whether something may hold arrays: a container, or an object that is no function."""
    if isinstance(value, Mapping | list | tuple):
        return True
    return hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value)


def _rates_in(hand: Any) -> Iterator[tuple[Any, str]]:
    """The learning rates of a layer, and of an optimiser of plain descent that it holds."""
    for name, value in _items(hand):
        plain = name.rpartition("__")[2] or name
        if is_rate(plain) and _is_number(value) and plain.strip("_").lower() not in _OTHERS:
            yield hand, name
        elif _DESCENT.fullmatch(type(value).__name__):
            for inner, held in _items(value):
                if is_rate(inner) and _is_number(held):
                    yield value, inner


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _holds_descent(hand: Any) -> bool:
    return any(isinstance(value, PlainDescent) for _, value in _items(hand))


def _get(owner: Any, name: str) -> Any:
    return owner[name] if isinstance(owner, Mapping) else getattr(owner, name)


def put(hand: Any, path: str, value: Any) -> None:
    """Let a value stand at a dotted path."""
    owner, _, name = path.rpartition(".")
    _put(value_at(hand, owner) if owner else hand, name, value)


def _put(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, dict):
        key = next(k for k in owner if str(k) == name)
        owner[key] = value
    elif isinstance(owner, list):
        owner[int(name)] = value
    else:
        setattr(owner, name, value)
