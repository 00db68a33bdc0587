"""Classes with `forward(x, …)` (or `__call__`) and `backward(dout)`.

Knows: how such a class is called, and what else the two methods are called (`forward_pass`,
`backprop` …). Where its gradients lie is what `matching` knows: in what `backward` returns (one
array, or a tuple in the order of the inputs, with the parameters' gradients after them), and for a
parameter `W` in an attribute `dW` and the like, in `grads["W"]`, or in `grads[i]` where `params[i]`
is that parameter. A backward method that takes a learning rate too moves the parameters: their
gradients are what a rate of 1 moves them by.
Does not know: tensors, verdicts.
Imports: errors, its base.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer, arguments_of, place_of, required_of
from autograd_lite.errors import CompareError

__all__ = ["ForwardBackward", "instance_of", "methods_of", "names_for"]

_CACHES = ("cache", "ctx", "context", "saved", "memory", "state", "intermediates", "residuals")


class ForwardBackward:
    """The class convention: see the module."""

    name = "class with forward and backward"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` has both methods, or is a class of such instances."""
        forward, backward = methods_of(hand)
        if not backward:
            return False
        if isinstance(hand, type):
            return forward != "__call__" or "__call__" in vars(hand)
        return forward != "__call__" or callable(hand)

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The instance; of a class one made without arguments."""
        if isinstance(hand, type):
            hand = instance_of(hand)
        return _Instance(hand, len(inputs))


class _Instance(Layer):
    def __init__(self, hand: Any, count: int) -> None:
        self._method, self._back = methods_of(hand)
        names = names_for(getattr(hand, self._method), count)
        super().__init__(hand, type(hand).__name__, names)
        backward = getattr(hand, self._back)
        arguments = arguments_of(backward)
        self.moves = len(arguments) > 1 and _is_rate(arguments[-1].name)
        self._moved: dict[str, Any] = {}
        arguments = arguments[: len(arguments) - self.moves]
        self._takes = [p.name for p in arguments]
        required = [name for name in required_of(backward) if not (self.moves and _is_rate(name))]
        variadic = not arguments and _takes_any(backward)
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
        result = (hand if self._method == "__call__" else getattr(hand, self._method))(*inputs)
        self._sequence = isinstance(result, list) and len(self._takes) == 1
        cached = isinstance(result, tuple) and len(result) == self._required and self._cached
        if not cached:
            return result, ()
        return (result[0] if len(result) == 2 else result[:-1]), result[-1:]

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        backward = getattr(hand, self._back)
        if self.moves:
            return self._move(hand, backward, [*douts[: self.taken(len(douts))], *kept])
        if self.upstream == "none":
            return backward()
        if self._sequence:
            return backward(list(douts))
        return backward(*douts[: self.taken(len(douts))], *kept)

    def _move(self, hand: Any, backward: Any, given: list[Any]) -> Any:
        """Backward at a rate of 1; how far the parameters moved is kept, and they move back."""
        before = {
            name: np.array(value)
            for name, value in vars(hand).items()
            if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        }
        returned = backward(*given, 1.0)
        after = {name: np.array(getattr(hand, name)) for name in before}
        self._moved = {n: before[n] - after[n] for n in before if before[n].shape == after[n].shape}
        for name, value in before.items():
            setattr(hand, name, value)
        return returned

    def parameter_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], aliases: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """Beside the parameters or returned; what a learning rate moved them by."""
        if not self.moves:
            return super().parameter_gradients(hand, returned, inputs, aliases)
        return {path: self._moved.get(path) for path in aliases}


_METHODS = (
    ("forward", "backward"),
    ("forward_pass", "backward_pass"),
    ("fprop", "bprop"),
    ("feedforward", "backprop"),
    ("forward_propagation", "backward_propagation"),
    ("forward_prop", "backward_prop"),
    ("call", "backward"),
)
_RATE = ("lr", "learning_rate", "eta", "rate", "step_size", "learningrate", "l_rate")


def methods_of(hand: Any) -> tuple[str, str]:
    """The names of the two methods; `__call__` where the first is missing, nothing for the second.

    >>> class Old:
    ...     def fprop(self, x): ...
    ...     def bprop(self, dout): ...
    >>> methods_of(Old())
    ('fprop', 'bprop')
    """
    for forward, backward in _METHODS:
        if callable(getattr(hand, forward, None)) and callable(getattr(hand, backward, None)):
            return forward, backward
    return "__call__", "backward" if callable(getattr(hand, "backward", None)) else ""


def _is_rate(name: str) -> bool:
    return name.lower().strip("_") in _RATE


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
