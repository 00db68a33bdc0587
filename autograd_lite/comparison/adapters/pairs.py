"""Pairs: `f_forward(x, w, b) -> out, cache` with `f_backward(dout, cache) -> dx, dw, db`.

Knows: how the cache travels, whatever it is, what the backward function takes again of the inputs
(a flag, say, by its name), and how the two are found: given as a tuple, as the forward function
whose partner stands beside it, or as a module or namespace that holds one pair.
A pair without cache may leave what it remembers around it, in globals or a closure; else it is a
function with its derivative, which `custom` knows.
Does not know: tensors, verdicts.
Imports: errors, its base and neighbours.
"""

from __future__ import annotations

import copy
import inspect
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer, arguments_of, place_of, required_of
from autograd_lite.comparison.adapters.classes import names_for
from autograd_lite.comparison.adapters.custom import Derivative
from autograd_lite.comparison.adapters.matching import as_tuple
from autograd_lite.comparison.adapters.running import replayed
from autograd_lite.comparison.adapters.surroundings import around, copied
from autograd_lite.comparison.adapters.words import is_cache, is_flow
from autograd_lite.errors import CompareError

__all__ = ["FunctionPair"]


class FunctionPair:
    """The convention of function pairs: see the module."""

    name = "pair of functions (f_forward, f_backward) with a cache"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is such a pair, or leads to one."""
        if isinstance(hand, tuple | list):
            return len(hand) == 2 and all(map(_is_function, hand))
        if isinstance(hand, types.FunctionType):
            return _partner(hand) is not None
        return _is_namespace(hand) and bool(_pairs_in(hand))

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The pair, with its cache if the forward function gives one."""
        forward, backward = _pair_of(hand)
        names = names_for(forward, len(inputs))
        try:
            given = copy.deepcopy(list(inputs))
            with replayed((forward, backward)):
                result = copied(forward)(*given)
        except Exception as error:
            raise CompareError(
                f"the forward pass of {forward.__name__} raised {place_of(error)}",
                mend="pass inputs that the function takes",
            ) from error
        wanted = required_of(backward)
        pair = (forward, backward)
        if isinstance(result, tuple | list) and len(result) > 1:
            plain = any(map(is_cache, wanted)) or not set(wanted) & set(names)
            if plain or any(result[-1] is x for x in given):
                return _Cached(pair, names, result, names if plain else ())
        if wanted and all(is_flow(n) and n not in names for n in wanted) and around(pair):
            return _Remembering(pair, forward.__name__, names)
        derivative = Derivative(pair, names)
        with replayed(pair):
            derivative.settle(inputs)
        return derivative


class _Cached(Layer):
    def __init__(
        self, pair: tuple[Any, Any], names: Sequence[str], result: Any, again: Sequence[str]
    ) -> None:
        super().__init__(pair, pair[0].__name__, names)
        self._again = [name for name in required_of(pair[1]) if name in again]
        wanted = [p.name for p in arguments_of(pair[1]) if p.name not in again]
        required = [name for name in required_of(pair[1]) if name not in again]
        self._cache_first = bool(wanted) and is_cache(wanted[0])
        self._takes = max(len(required) - 1, 0)
        if len(required) == 1 and len(wanted) > 1 and self._cache_first:
            self.upstream, self._takes = "unit", 1
        elif self._takes == 0:
            self.upstream = "none"
        if self._takes > len(result) - 1:
            raise CompareError(
                f"{pair[1].__name__} wants {', '.join(required)}, and {pair[0].__name__} returned "
                f"{len(result)} values",
                where="tried: the last of them is the cache, the others are outputs",
                mend="let the forward function return its outputs and then one cache",
            )
        self.wanted = "all" if np.ndim(result[0]) > 0 else "first"

    def taken(self, count: int) -> int:
        """As many as the backward function has arguments beside the cache."""
        return min(count, self._takes) if self._takes else count

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        *outputs, cache = as_tuple(hand[0](*inputs))
        return tuple(outputs), cache

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        flows = list(douts[: self._takes])
        given = dict(zip(self.names, inputs, strict=False))
        again = {name: given[name] for name in self._again}
        return hand[1](*([kept, *flows] if self._cache_first else [*flows, kept]), **again)


class _Remembering(Layer):
    wanted = "all"

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        return hand[0](*inputs), None

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        return hand[1](*douts)


def _is_function(thing: Any) -> bool:
    return callable(thing) and not isinstance(thing, type) and not hasattr(thing, "backward")


def _is_namespace(hand: Any) -> bool:
    return isinstance(hand, types.ModuleType | types.SimpleNamespace | Mapping)


def _partner_name(name: str) -> str | None:
    """What the backward function of a forward function is called.

    >>> _partner_name("affine_forward"), _partner_name("forward_pass"), _partner_name("relu")
    ('affine_backward', 'backward_pass', None)
    """
    other = name.replace("forward", "backward").replace("fwd", "bwd").replace("fprop", "bprop")
    return None if other == name else other


def _partner(function: Callable[..., Any]) -> Any:
    other = _partner_name(function.__name__)
    around = sys.modules.get(function.__module__)
    found = function.__globals__.get(other) if other else None
    return found or (getattr(around, other, None) if other else None)


def _pairs_in(hand: Any) -> dict[str, tuple[Any, Any]]:
    held = dict(hand) if isinstance(hand, Mapping) else vars(hand)
    found = {}
    for name, value in held.items():
        other = _partner_name(name) if isinstance(name, str) else None
        if other in held and inspect.isroutine(value) and inspect.isroutine(held[other]):
            found[name] = (value, held[other])
    return found


def _pair_of(hand: Any) -> tuple[Any, Any]:
    if isinstance(hand, tuple | list):
        return tuple(hand)
    if isinstance(hand, types.FunctionType):
        return hand, _partner(hand)
    found = _pairs_in(hand)
    if len(found) > 1:
        name = next(iter(found))
        raise CompareError(
            f"there are {len(found)} pairs: {', '.join(found)}",
            mend=f"pass one: (m.{name}, m.{_partner_name(name)})",
        )
    return next(iter(found.values()))
