"""Classes with `forward(x, …)` (or `__call__`) and `backward(dout)`.

Knows: how such a class is called. Where its gradients lie is what `matching` knows: in what
`backward` returns (one array, or a tuple in the order of the inputs, with the parameters'
gradients after them), and for a parameter `W` in an attribute `dW` and the like, in `grads["W"]`,
or in `grads[i]` where `params[i]` is that parameter.
Does not know: tensors, verdicts.
Imports: errors, its base.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from autograd_lite.comparison.adapters.base import Layer, arguments_of, place_of, required_of
from autograd_lite.errors import CompareError

__all__ = ["ForwardBackward", "instance_of", "names_for"]

_CACHES = ("cache", "ctx", "context", "saved", "memory", "state", "intermediates", "residuals")


class ForwardBackward:
    """The class convention: see the module."""

    name = "class with forward and backward"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` has both methods, or is a class of such instances."""
        if not callable(getattr(hand, "backward", None)):
            return False
        forward = getattr(hand, "forward", None)
        if isinstance(hand, type):
            return callable(forward) or "__call__" in vars(hand)
        return callable(forward) or callable(hand)

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The instance; of a class one made without arguments."""
        if isinstance(hand, type):
            hand = instance_of(hand)
        return _Instance(hand, len(inputs))


class _Instance(Layer):
    def __init__(self, hand: Any, count: int) -> None:
        self._method = "forward" if callable(getattr(hand, "forward", None)) else "__call__"
        names = names_for(getattr(hand, self._method), count)
        super().__init__(hand, type(hand).__name__, names)
        arguments = arguments_of(hand.backward)
        self._takes = [p.name for p in arguments]
        required = required_of(hand.backward)
        variadic = not arguments and _takes_any(hand.backward)
        if not arguments and not variadic:
            self.upstream = "none"
        elif arguments and not required and _is_one(arguments[0].default):
            self.upstream = "unit"
        self._required = len(required)
        self._cached = bool(required) and required[-1].lower().lstrip("_") in _CACHES
        self._sequence = False  # whether the outputs came as one list

    def taken(self, count: int) -> int:
        """Backward may take fewer gradients than there are outputs: the rest is information."""
        takes = len(self._takes) - self._cached
        return count if self._sequence or takes <= 0 else min(count, takes)

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        result = (hand if self._method == "__call__" else hand.forward)(*inputs)
        self._sequence = isinstance(result, list) and len(self._takes) == 1
        cached = isinstance(result, tuple) and len(result) == self._required and self._cached
        if not cached:
            return result, ()
        return (result[0] if len(result) == 2 else result[:-1]), result[-1:]

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        if self.upstream == "none":
            return hand.backward()
        if self._sequence:
            return hand.backward(list(douts))
        return hand.backward(*douts[: self.taken(len(douts))], *kept)


def _is_one(value: Any) -> bool:
    return (isinstance(value, int | float) and value == 1) or value is None


def _takes_any(function: Any) -> bool:
    """Whether a function takes however many arguments, or does not tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.kind is p.VAR_POSITIONAL for p in found)


def names_for(function: Any, count: int) -> tuple[str, ...]:
    """The names in a signature for so many inputs, made up where it tells none."""
    plain = [p.name for p in arguments_of(function)]
    if len(plain) >= count:
        return tuple(plain[:count])
    return ("x",) if count == 1 else (*plain, *(f"x{i}" for i in range(len(plain), count)))


def instance_of(kind: type) -> Any:
    """An instance made without arguments. `CompareError` where the class wants some."""
    wanted = required_of(kind)
    if wanted:
        raise CompareError(
            f"{kind.__name__} is a class that wants arguments ({', '.join(wanted)}), and a "
            "comparison wants a layer made of it",
            mend=f"pass an instance: {kind.__name__}({', '.join(wanted)})",
        )
    try:
        return kind()
    except Exception as error:
        raise CompareError(
            f"{kind.__name__}() raised {place_of(error)}",
            mend=f"pass an instance, for example {kind.__name__}(W, b)",
        ) from error
