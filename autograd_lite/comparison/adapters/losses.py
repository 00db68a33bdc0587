"""Functions that give a value together with its gradient: `softmax_loss(x, y) -> (loss, dx)`.

Knows: that the first thing returned is the value, and all that follows are gradients, in the order
of the array parameters or in a dictionary by their names, which may also come first; methods of
networks that hold their parameters in a dictionary (`net.loss`) are such functions too.
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
        if via or hasattr(hand, "__self__"):
            self.wanted = "none"  # a network's gradients are those of its parameters
        super().__init__(hand, title, names_for(getattr(hand, via) if via else hand, count))

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
            return result[1], (result[0], *result[2:])
        return result[0], result[1:]

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        """The gradients that came with it."""
        return kept[0] if len(kept) == 1 else tuple(kept)
