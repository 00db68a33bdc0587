"""Whole networks: `loss(x, t)` with `gradient(x, t)`, parameters and gradients in dictionaries.

Knows: that `gradient` returns a dictionary with the keys of `params`, or that `loss` itself returns
the loss and such a dictionary; and that `numerical_gradient`, where there is one, claims the same.
Does not know: tensors, verdicts.
Imports: its base and neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.comparison.adapters.base import Layer
from autograd_lite.comparison.adapters.classes import instance_of, names_for
from autograd_lite.comparison.adapters.losses import ValueAndGradient

__all__ = ["Network"]


class Network:
    """The convention of networks: see the module."""

    name = "network with loss and gradient"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` has a loss, and parameters or a gradient."""
        has = [callable(getattr(hand, name, None)) for name in ("loss", "gradient")]
        return has[0] and (has[1] or isinstance(hand, type) or hasattr(hand, "params"))

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The network; of a class one made without arguments."""
        if isinstance(hand, type):
            hand = instance_of(hand)
        if not callable(getattr(hand, "gradient", None)):
            return ValueAndGradient(hand, type(hand).__name__, len(inputs), via="loss")
        return _LossAndGradient(hand, type(hand).__name__, names_for(hand.loss, len(inputs)))


class _LossAndGradient(Layer):
    upstream = "none"
    wanted = "none"

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        return hand.loss(*inputs), None

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        return hand.gradient(*inputs)
