"""Classes with a function and its derivative: `__call__(x)` with `gradient(x)`, `loss` with `grad`.

Knows: what the two methods are called, that the second may be the first with a flag (`deriv=True`),
that it takes the same inputs, perhaps in another order, and perhaps what flows in first or last.
Does not know: tensors, verdicts.
Imports: errors, its base and neighbours.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer, arguments_of, required_of
from autograd_lite.comparison.adapters.calling import Call
from autograd_lite.comparison.adapters.classes import instance_of, names_for
from autograd_lite.errors import CompareError

__all__ = ["MethodAndDerivative", "flag_of", "methods_with_derivative"]

_FUNCTIONS = (
    "__call__", "activate", "activation", "activation_function", "function", "func", "fn", "f",
    "compute", "evaluate", "apply", "loss", "calculate_loss", "compute_loss", "loss_function",
    "calculate", "cost", "value", "forward",
)  # fmt: skip
_DERIVATIVES = (
    "gradient", "grad", "derivative", "derivate", "deriv", "prime", "df", "f_prime", "gradients",
    "derivative_function", "activation_derivative", "loss_derivative", "loss_gradient", "diff",
    "dfn", "loss_prime", "gradient_function", "compute_gradient", "calculate_gradient",
)  # fmt: skip
_FLAG = re.compile(
    r"deriv(ative|ate|e)?|is_?deriv\w*|prime|grad(ient)?|diff|d|dx|backward", re.IGNORECASE
)


def flag_of(function: Callable[..., Any]) -> str:
    """The argument by which a function gives its derivative; empty where there is none.

    >>> def nonlin(x, deriv=False): ...
    >>> flag_of(nonlin)
    'deriv'
    """
    flags = [p.name for p in arguments_of(function) if p.default is False]
    return next((name for name in flags if _FLAG.fullmatch(name.strip("_"))), "")


def methods_with_derivative(kind: Any) -> tuple[str, str, str]:
    """The names of a function, of its derivative, and of the flag if they are one; else nothing."""

    def has(name: str) -> bool:
        own = kind if isinstance(kind, type) else type(kind)
        return callable(getattr(own if name == "__call__" else kind, name, None))

    def is_own_call(name: str) -> bool:
        own = kind if isinstance(kind, type) else type(kind)
        return name != "__call__" or any("__call__" in vars(base) for base in own.__mro__)

    functions = [name for name in _FUNCTIONS if is_own_call(name) and has(name)]
    derivative = next((name for name in _DERIVATIVES if has(name)), "")
    if functions and derivative:
        return functions[0], derivative, ""
    for name in functions:
        if flag := flag_of(getattr(kind, name)):
            return name, name, flag
    return "", "", ""


class MethodAndDerivative:
    """The convention of classes with a derivative: see the module."""

    name = "class with a function and its derivative"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` has two such methods, and is no network that holds parameters."""
        if isinstance(hand, list | tuple) or not methods_with_derivative(hand)[0]:
            return False
        if isinstance(hand, type) and not required_of(hand):
            with contextlib.suppress(CompareError):
                return not _holds_arrays(instance_of(hand))
        return isinstance(hand, type) or not _holds_arrays(hand)

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The instance; of a class one made without arguments."""
        return _Methods(instance_of(hand) if isinstance(hand, type) else hand, len(inputs))


def _holds_arrays(hand: Any) -> bool:
    held = getattr(hand, "__dict__", {}).values()
    return any(isinstance(value, np.ndarray | dict | list) for value in held)


class _Methods(Layer):
    learns = False

    def __init__(self, hand: Any, count: int) -> None:
        self._function, self._derivative, self._flag = methods_with_derivative(hand)
        super().__init__(hand, type(hand).__name__, names_for(getattr(hand, self._function), count))
        wanted = required_of(getattr(hand, self._derivative))
        self._order: tuple[str, ...] = self.names
        if set(wanted) == set(self.names):
            self._order = tuple(wanted)  # the same inputs, perhaps turned round
        self._call = None
        if len(wanted) <= count:
            self.upstream = "none"
        elif len(wanted) == count + 1:
            self._call = Call.of(getattr(hand, self._derivative), self.names)
        else:
            raise CompareError(
                f"{self.title}.{self._derivative} wants {', '.join(wanted)} for the inputs "
                f"{', '.join(self.names)}",
                where="tried: the inputs alone, and the inputs with what flows in",
                mend="pass a pair of functions: (lambda x: …, lambda x: …)",
            )

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        return getattr(hand, self._function)(*inputs), None

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        derivative = getattr(hand, self._derivative)
        given = dict(zip(self.names, inputs, strict=True))
        if self._call is not None:
            return derivative(*self._call.arguments(list(douts), given, kept, ()))
        flags = {self._flag: True} if self._flag else {}
        return derivative(*(given[name] for name in self._order), **flags)
