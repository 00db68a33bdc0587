"""What to try on a class or a function that was found, one or several ways.

Knows: the forward function whose arguments the inputs are, and the readings that a form leaves
open: a derivative of the input or of the output, labels first or last.
Does not know: where in a file layers stand, sizes, verdicts.
Imports: adapters, slots.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autograd_lite.comparison.adapters.base import arguments_of, required_of
from autograd_lite.comparison.adapters.classes import ForwardBackward, methods_of
from autograd_lite.comparison.adapters.contexts import ContextFunction
from autograd_lite.comparison.adapters.derivatives import (
    MethodAndDerivative,
    methods_with_derivative,
)
from autograd_lite.comparison.adapters.networks import loss_and_gradient
from autograd_lite.comparison.adapters.scored import scored_inputs
from autograd_lite.comparison.adapters.supervised import SupervisedNetwork, inputs_of
from autograd_lite.comparison.adapters.words import labels_among
from autograd_lite.comparison.files.slots import Target

__all__ = [
    "as_derivative", "at_output", "begins_with_labels", "forward_of", "of_class", "of_output",
    "signed", "takes_input_alone", "turned_round",
]  # fmt: skip


def of_class(name: str, kind: type, node: ast.AST) -> Target:
    """A class, made of settings, with the arguments of its forward pass."""
    if ContextFunction().fits(kind):
        split = (
            callable(getattr(kind, "setup_context", None))
            and [
                p.name
                for p in arguments_of(kind.forward)  # type: ignore[attr-defined]  # the convention fits
            ][:1]
            not in (["ctx"], ["context"])
        )
        forward = kind.forward  # type: ignore[attr-defined]  # the convention fits
        return Target(name, forward, lambda _: kind, skip=0 if split else 1, node=node)
    if SupervisedNetwork().fits(kind):
        names = inputs_of(kind)
        forward = signed(names)
        return Target(name, forward, lambda one: one, setup=kind, node=node, labels=names[-1])
    if names := scored_inputs(kind):
        return Target(name, signed(names), lambda one: one, setup=kind, node=node)
    flag = methods_with_derivative(kind)[2] if not ForwardBackward().fits(kind) else ""
    forward = forward_of(kind)
    return Target(
        name, forward, lambda one: one, setup=kind, skip=_skip(kind), node=node, without=flag
    )


def at_output(target: Target) -> Target:
    """The same class, its derivative taken at the output."""

    def pair(one: Any) -> Any:
        function, derivative, flag = methods_with_derivative(one)

        def at_output(x: Any) -> Any:
            y = getattr(one, function)(x)
            return getattr(one, derivative)(y, **({flag: True} if flag else {}))

        return getattr(one, function), at_output

    return replace(target, hand=pair)


def takes_input_alone(kind: type) -> bool:
    """Whether backward takes one argument, by the name that forward has for its one."""
    forward, backward = (required_of(getattr(kind, name))[-1:] for name in methods_of(kind))
    return forward == backward != []


def as_derivative(target: Target) -> Target:
    """The same class, what its backward takes read as the input."""

    def pair(one: Any) -> Any:
        forward, backward = methods_of(one)
        return getattr(one, forward), getattr(one, backward)

    return replace(target, hand=pair)


def of_output(name: str, forward: Any, derivative: Any, node: ast.AST) -> Target:
    """The derivative as a function of the output: y(1 − y) of a sigmoid's y."""

    def at_output(x: Any) -> Any:
        return derivative(forward(x))

    at_output.__name__ = derivative.__name__
    return Target(name, forward, lambda _: (forward, at_output), node=node)


def begins_with_labels(function: Any) -> bool:
    """Whether a loss takes labels, and then what was predicted."""
    names = required_of(function)
    return len(names) == 2 and 0 in labels_among(names)


def turned_round(function: Any) -> Any:
    """A function of two arguments, the second of them first."""

    def turned(predicted: Any, labels: Any) -> Any:
        return function(labels, predicted)

    turned.__name__ = function.__name__
    arguments = inspect.signature(function).parameters.values()
    turned.__signature__ = inspect.Signature(list(arguments)[::-1])  # type: ignore[attr-defined]  # Python reads it
    return turned


def forward_of(value: Any) -> Any:
    """The function whose arguments are the inputs, of a layer or of its class."""
    if ForwardBackward().fits(value):
        return getattr(value, methods_of(value)[0])
    if MethodAndDerivative().fits(value):
        return getattr(value, methods_with_derivative(value)[0])
    return getattr(value, loss_and_gradient(value)[0] or "fun", value)


def signed(names: Sequence[str]) -> Callable[..., Any]:
    """A function that takes arguments of these names, and does nothing."""

    def function(*inputs: Any) -> Any: ...

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # Python reads it
        [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    )
    return function


def _skip(kind: type) -> int:
    """1 where the forward function still has its self."""
    forward = forward_of(kind)
    if not inspect.isfunction(forward):
        return 0
    return int(not isinstance(inspect.getattr_static(kind, forward.__name__, None), staticmethod))
