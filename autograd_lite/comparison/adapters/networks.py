"""Whole networks: `loss(x, t)` with `gradient(x, t)`, parameters and gradients in dictionaries.

Knows: what else the two are called; that `gradient` returns a dictionary with the keys of `params`,
or the gradients in the parameters' order, or that `loss` itself returns the loss and such a
dictionary; and that `numerical_gradient`, where there is one, claims the same.
Does not know: tensors, verdicts.
Imports: its base and neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograd_lite.comparison.adapters.base import Layer
from autograd_lite.comparison.adapters.classes import instance_of, names_for
from autograd_lite.comparison.adapters.losses import ValueAndGradient
from autograd_lite.comparison.adapters.matching import by_shapes
from autograd_lite.comparison.adapters.naming import gives_gradient_of

__all__ = ["Network", "loss_and_gradient"]


_LOSSES = (
    "loss", "cost", "costFunction", "cost_function", "compute_loss", "compute_cost",
    "calculate_loss", "calc_loss", "objective", "J", "loss_function", "lossFunction",
    "lossFun", "loss_fun",
)  # fmt: skip
_GRADIENTS = (
    "gradient", "gradients", "grad", "costFunctionPrime", "cost_function_prime", "compute_gradient",
    "compute_gradients", "computeGradients", "calculate_gradient", "calculate_gradients",
    "loss_gradient", "cost_gradient", "costFunctionGradient", "dJ",
)  # fmt: skip


def loss_and_gradient(hand: Any) -> tuple[str, str]:
    """The names of the two methods; the second is empty where a loss gives its gradient itself."""
    found = [
        next((name for name in names if callable(getattr(hand, name, None))), "")
        for names in (_LOSSES, _GRADIENTS)
    ]
    return found[0], found[1]


class Network:
    """The convention of networks: see the module."""

    name = "network with loss and gradient"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` has a loss, and parameters or a gradient."""
        loss, gradient = loss_and_gradient(hand)
        if not loss:
            return False
        if gradient or (loss == "loss" and (isinstance(hand, type) or hasattr(hand, "params"))):
            return True
        return gives_gradient_of(getattr(hand, loss), getattr(hand, "__dict__", {}))

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The network; of a class one made without arguments."""
        if isinstance(hand, type):
            hand = instance_of(hand)
        loss, gradient = loss_and_gradient(hand)
        if not gradient:
            return ValueAndGradient(hand, type(hand).__name__, len(inputs), via=loss)
        return _LossAndGradient(hand, loss, gradient, len(inputs))


class _LossAndGradient(Layer):
    upstream = "none"
    wanted = "none"

    def __init__(self, hand: Any, loss: str, gradient: str, count: int) -> None:
        self._loss, self._gradient = loss, gradient
        super().__init__(hand, type(hand).__name__, names_for(getattr(hand, loss), count))

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        return getattr(hand, self._loss)(*inputs), None

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        return getattr(hand, self._gradient)(*inputs)

    def input_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], paths: Sequence[str]
    ) -> list[Any]:
        """By their names: what is returned in order is of the parameters."""
        named = None if isinstance(returned, tuple | list) else returned
        return super().input_gradients(hand, named, inputs, paths)

    def parameter_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], aliases: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """By their names, or in the parameters' order."""
        if isinstance(returned, tuple | list):
            return by_shapes(hand, returned, aliases)
        return super().parameter_gradients(hand, returned, inputs, aliases)
