"""Lists of layers, each with forward and backward: run one after the other, and back.

Knows: that the first layer takes the first input, and the last one, a loss perhaps, the others.
Does not know: tensors, verdicts.
Imports: its base and neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograd_lite.comparison.adapters.base import Layer, required_of
from autograd_lite.comparison.adapters.classes import ForwardBackward, methods_of, names_for
from autograd_lite.comparison.adapters.matching import as_tuple

__all__ = ["Chain"]

_LAYER = ForwardBackward()


class Chain:
    """The convention of lists: see the module."""

    name = "list of layers"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is a list of layers."""
        return isinstance(hand, tuple | list) and bool(hand) and all(map(_LAYER.fits, hand))

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The layers, those without arguments made of their classes."""
        return _Layers([_LAYER.layer(part, inputs[:1]) for part in hand], len(inputs))


class _Layers(Layer):
    def __init__(self, parts: Sequence[Layer], count: int) -> None:
        hand = [part.hand for part in parts]
        names = parts[0].names
        if count > 1:
            names = (*names, *names_for(getattr(hand[-1], methods_of(hand[-1])[0]), count)[1:])
        super().__init__(hand, " → ".join(part.title for part in parts), names)
        self._parts = parts
        last = parts[-1]
        self.upstream = (
            last.upstream
            if not required_of(getattr(hand[-1], methods_of(hand[-1])[1]))
            else "given"
        )

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        flow, kept = inputs[0], []
        for k, (part, layer) in enumerate(zip(self._parts, hand, strict=True)):
            given = [flow, *(inputs[1:] if k == len(self._parts) - 1 else ())]
            flow, cache = part.call(layer, given)
            kept.append((given, cache))
        return flow, kept

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        flows: Any = douts
        returned: Any = None
        for part, layer, (given, cache) in reversed(
            list(zip(self._parts, hand, kept, strict=True))
        ):
            returned = part.pull(layer, cache, given, flows)
            flows = as_tuple(part.input_gradients(layer, returned, given, ())[0])[:1]
        return returned

    def input_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], paths: Sequence[str]
    ) -> list[Any]:
        """Of the first input alone."""
        found = self._parts[0].input_gradients(hand[0], returned, inputs[:1], ())
        return [*found, *[None] * (len(inputs) - 1)]

    def parameter_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], aliases: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """As each layer has them, where it moves its parameters; else beside the parameters."""
        found = super().parameter_gradients(hand, returned, inputs, aliases)
        for path in aliases:
            number, _, own = path.partition(".")
            moved = getattr(self._parts[int(number)], "moved", {}).get(own)
            if moved is not None:
                found[path] = moved
        return found
