"""Classes with three methods: `forward(x)`, a loss of labels by itself, and `backward()`.

Knows: that the loss, `get_loss(label)` or the like, is computed of what forward has left in the
layer, and that backward, which is told nothing, gives its gradient. What is compared is the loss;
the inputs are those of forward, and then the labels.
Does not know: tensors, verdicts.
Imports: its base and neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.comparison.adapters.base import Layer, required_of
from autograd_lite.comparison.adapters.classes import instance_of, methods_of
from autograd_lite.comparison.adapters.words import is_cost, is_label

__all__ = ["ScoredOutput", "scored_inputs"]


def _loss_of(hand: Any) -> str:
    """The method that makes a number of labels alone; empty where there is none."""
    for name in dir(hand):
        method = getattr(hand, name, None)
        if name.startswith("__") or not callable(method) or not is_cost(method):
            continue
        wanted = [n for n in required_of(method) if n != "self"]
        if len(wanted) == 1 and is_label(wanted[0]):
            return name
    return ""


def scored_inputs(hand: Any) -> tuple[str, ...]:
    """The names of what such a layer takes: those of forward, then the labels; else nothing."""
    forward, backward = methods_of(hand)
    if isinstance(hand, list | tuple) or not backward or forward == "__call__":
        return ()
    own = [n for n in required_of(getattr(hand, forward)) if n != "self"]
    told = [n for n in required_of(getattr(hand, backward)) if n != "self"]
    loss = _loss_of(hand) if own and not told and not any(map(is_label, own)) else ""
    if not loss:
        return ()
    labels = [n for n in required_of(getattr(hand, loss)) if n != "self"]
    return (*own, *labels)


class ScoredOutput:
    """The convention of three methods: see the module."""

    name = "class with forward(x), loss(labels) and backward()"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` has the three methods."""
        return bool(scored_inputs(hand))

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The instance; of a class one made without arguments."""
        return _Scored(instance_of(hand) if isinstance(hand, type) else hand)


class _Scored(Layer):
    upstream = "none"

    def __init__(self, hand: Any) -> None:
        super().__init__(hand, type(hand).__name__, scored_inputs(hand))
        self._forward, self._back = methods_of(hand)
        self._loss = _loss_of(hand)

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        getattr(hand, self._forward)(*inputs[:-1])
        return getattr(hand, self._loss)(inputs[-1]), None

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        return getattr(hand, self._back)()
