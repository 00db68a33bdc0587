"""Functions with a derivative of their own: `(f, f_grad)`, `(f, f_vjp)` and `(f, fwd, bwd)`.

Knows: `f_grad(x, …)` gives the gradient of f (of the sum of its outputs, where f works element by
element), or its Jacobian; `f_vjp(g, x, …)` or `f_vjp(x, …, g)` gives what flows back for g;
`fwd(x, …)` gives the output and residuals, `bwd(residuals, g)` the gradients, as `jax.custom_vjp`
has it. An object with attributes `fun`, `fwd` and `bwd` is such a triple.
Does not know: tensors, verdicts.
Imports: errors, its base and neighbours, NumPy.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer, arguments_of, required_of
from autograd_lite.comparison.adapters.classes import names_for
from autograd_lite.comparison.adapters.matching import as_tuple, fitting
from autograd_lite.comparison.adapters.naming import by_returned_names, returned_names
from autograd_lite.comparison.adapters.surroundings import copied
from autograd_lite.comparison.adapters.words import is_flow, is_weight
from autograd_lite.errors import CompareError

__all__ = ["CustomDerivative", "Derivative"]


class CustomDerivative:
    """The convention of triples: see the module."""

    name = "triple (f, fwd, bwd) with residuals"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is three functions, or an object that holds them."""
        if isinstance(hand, tuple | list):
            return len(hand) == 3 and all(callable(f) and not _is_layer(f) for f in hand)
        return all(callable(getattr(hand, name, None)) for name in ("fun", "fwd", "bwd"))

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The three functions."""
        parts = hand if isinstance(hand, tuple | list) else (hand.fun, hand.fwd, hand.bwd)
        return _Triple(tuple(parts), len(inputs))


def _is_layer(thing: Any) -> bool:
    return isinstance(thing, type) or hasattr(thing, "backward")


class _Triple(Layer):
    def __init__(self, parts: tuple[Any, ...], count: int) -> None:
        super().__init__(parts, parts[0].__name__, names_for(parts[0], count))

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        return hand[0](*inputs), None

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        _, residuals = hand[1](*inputs)
        return hand[2](residuals, douts[0] if len(douts) == 1 else tuple(douts))


class Derivative(Layer):
    """A function with a second one that gives its derivative at the same inputs."""

    def __init__(self, pair: tuple[Any, Any], names: Sequence[str]) -> None:
        super().__init__(pair, pair[0].__name__, names)
        wanted, count = required_of(pair[1]), len(names)
        self._of_output = False  # whether the derivative is called with the output
        self._jacobian = False  # whether the derivative is one of every output by every input
        self._returned: tuple[str, ...] = ()  # what the derivative's code calls what it returns
        self._again = False  # whether the derivative takes the first input a second time
        if len(wanted) == count + 1 and tuple(wanted[:count]) == tuple(names):
            self._again = not is_flow(wanted[-1])
        if self._again:
            self.upstream = "none"
        elif len(wanted) == count + 1:
            flows = [is_flow(name) and name not in names for name in (wanted[0], wanted[-1])]
            self._flow_first = flows[0] or not flows[1]
        elif len(wanted) in (count, 0):
            self.upstream = "none"
        elif set(wanted) <= set(names) and len(arguments_of(pair[1])) >= count:
            self.upstream = "none"  # the rest of the inputs have defaults
        else:
            raise CompareError(
                f"{pair[1].__name__} wants {len(wanted)} arguments ({', '.join(wanted)}) for "
                f"{count} inputs",
                where="tried: the inputs alone (a gradient); the inputs and what flows in (a vjp); "
                "what flows in and the cache that the forward function returns last",
                mend="give the second function one of these forms",
            )

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        """The output of the function."""
        return hand[0](*inputs), None

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        """What the second function gives; of a Jacobian what it makes of `douts`."""
        if self._jacobian:
            return _pulled(douts[0], self._derivative(hand, inputs), np.shape(inputs[0]))
        if self.upstream == "none":
            return self._derivative(hand, inputs)
        flow = douts[0] if len(douts) == 1 else tuple(douts)
        return hand[1](flow, *inputs) if self._flow_first else hand[1](*inputs, flow)

    def _derivative(self, hand: Any, inputs: Sequence[Any]) -> Any:
        given = [hand[0](*inputs)] if self._of_output else inputs
        return hand[1](*given, *given[: self._again])

    def at_output(self) -> Derivative:
        """The same pair, the derivative called with what the function gives."""
        other = copy.copy(self)
        other._of_output = True
        return other

    def settle(self, inputs: Sequence[Any]) -> None:
        """See by one call what the derivative is of: of weights alone, or a whole Jacobian."""
        if self.upstream != "none":
            return
        hand, given = copied(self.hand), copy.deepcopy(list(inputs))
        try:
            returned = self._derivative(hand, given)
            output = hand[0](*copy.deepcopy(list(inputs)))
        except Exception:  # noqa: BLE001  # what it raises is told where it is called for good
            return
        if len(inputs) == 1 and _is_jacobian(returned, np.shape(output), np.shape(inputs[0])):
            self.upstream, self._jacobian = "given", True
        parts = as_tuple(returned)
        if not 1 < len(parts) < len(inputs):
            return
        names = returned_names(self.hand[1])
        if by_returned_names(names, parts, self.names):
            self._returned, self.wanted = names, "weights"
            return
        found = fitting(self.names, inputs, parts, 0)
        if found and all(is_weight(self.names[i]) for i in found):
            self.wanted = "weights"

    def input_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], paths: Sequence[str]
    ) -> list[Any]:
        """By the names in the code, or in order; one array of one input, though it be a list."""
        parts = (returned,) if len(inputs) == 1 else as_tuple(returned)
        named = by_returned_names(self._returned, parts, self.names)
        return super().input_gradients(hand, named or parts, inputs, paths)


def _is_jacobian(found: Any, output: tuple[int, ...], point: tuple[int, ...]) -> bool:
    """Whether an array has a derivative of every output by every input.

    Flat, in full, or one matrix for each row of a batch.
    """
    count = math.prod(output), math.prod(point)
    flat, full = count, (*output, *point)
    rows = (*output, *point[1:]) if len(output) == len(point) == 2 else flat
    return count[0] > 1 and np.shape(found) != point and np.shape(found) in (flat, full, rows)


def _pulled(dout: Any, jacobian: Any, point: tuple[int, ...]) -> Any:
    """Jᵀ·dout, in the shape of the input."""
    if np.ndim(jacobian) == np.ndim(dout) + len(point) - 1 == 3:
        return np.einsum("no,noi->ni", dout, jacobian)
    size = np.size(dout)
    return (np.ravel(dout) @ np.reshape(jacobian, (size, -1))).reshape(point)
