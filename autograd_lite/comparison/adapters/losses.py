"""Functions that give a value together with its gradient: `softmax_loss(x, y) -> (loss, dx)`.

Knows: that the first thing returned is the value, and all that follows are gradients: by the names
that the code returns them with (`return loss, dW, db`), otherwise in the order of the array
parameters, or in a dictionary by their names, which may also come first; methods of networks that
hold their parameters (`net.loss`) are such functions too.
Does not know: tensors, verdicts.
Imports: errors, its base and neighbours, NumPy.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer
from autograd_lite.comparison.adapters.classes import names_for
from autograd_lite.comparison.adapters.naming import by_returned_names, returned_names
from autograd_lite.comparison.adapters.surroundings import held_around
from autograd_lite.comparison.adapters.words import is_weight
from autograd_lite.errors import CompareError

__all__ = ["LossWithGradient", "ValueAndGradient"]


class LossWithGradient:
    """The convention of one function for both: see the module."""

    name = "function that returns (loss, gradient)"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is a function or a method."""
        return inspect.isroutine(hand) or (callable(hand) and not isinstance(hand, type))

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The function."""
        return ValueAndGradient(hand, getattr(hand, "__qualname__", "function"), len(inputs))


class ValueAndGradient(Layer):
    """A function, or the method `via` of an object, that returns a value and its gradients."""

    upstream = "none"

    def __init__(self, hand: Any, title: str, count: int, via: str = "") -> None:
        self._via = via
        function = getattr(hand, via) if via else hand
        super().__init__(hand, title, names_for(function, count))
        if via or hasattr(hand, "__self__"):
            self.wanted = "none"  # a network's gradients are those of its parameters
        owner = getattr(function, "__self__", None)
        self._returned = returned_names(function)[1:]
        self._known = {*self.names, *getattr(owner, "__dict__", {}), *held_around(hand)}

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        """The value."""
        result = (getattr(hand, self._via) if self._via else hand)(*inputs)
        if not isinstance(result, tuple | list) or len(result) < 2:
            raise CompareError(
                f"{self.title} gives one value, and no gradient beside it",
                mend="pass a pair: (f, f_grad), (f, f_vjp), or (f_forward, f_backward); or let it "
                "return (loss, gradient)",
            )
        if isinstance(result[0], Mapping) and np.ndim(result[1]) == 0:  # the gradients first
            return self._by_names(result[1], (result[0], *result[2:]))
        return self._by_names(result[0], result[1:])

    def _by_names(self, value: Any, gradients: Sequence[Any]) -> tuple[Any, Any]:
        """The value, and the gradients in a dictionary where their names tell what they are of.

        Of what is not learnt nobody expects one then.
        """
        named = by_returned_names(self._returned, gradients, self._known)
        kept = gradients if named is None else (named,)
        told = named is not None or (
            isinstance(kept[0], Mapping) and any(map(is_weight, self.names))
        )
        if told and self.wanted == "first":
            self.wanted = "weights"
        return value, kept

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        """The gradients that came with it."""
        return kept[0] if len(kept) == 1 else tuple(kept)
