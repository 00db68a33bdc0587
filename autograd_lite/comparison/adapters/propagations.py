"""Networks of three functions: a forward pass, a cost of what it gives, and a backward pass.

Knows: that `forward(X, parameters)` gives the network's output, and a cache where there is one;
that `cost(output, Y)` makes a number of it; and that `backward(parameters, cache, X, Y)`, in
whatever order, gives the gradients of that number in a dictionary by the parameters' names. Which
argument is which is told by the names. What is compared is the cost; the inputs are the arguments
of `forward`, and then what `cost` takes beside the output.
Does not know: tensors, verdicts.
Imports: errors, its base and neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograd_lite.comparison.adapters.base import Layer, required_of
from autograd_lite.comparison.adapters.words import is_cache, is_cost
from autograd_lite.errors import CompareError

__all__ = ["Propagation", "output_and_cache"]


class Propagation:
    """The convention of three functions: see the module."""

    name = "triple (forward, cost, backward) of a network"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is three functions, the second of them a cost."""
        return (
            isinstance(hand, tuple | list)
            and len(hand) == 3
            and all(map(callable, hand))
            and is_cost(hand[1])
            and not is_cost(hand[0])
        )

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The network."""
        return _ThreeFunctions(tuple(hand))


class _ThreeFunctions(Layer):
    upstream = "none"
    wanted = "entries"

    def __init__(self, parts: tuple[Any, Any, Any]) -> None:
        forward, cost, _ = parts
        self._of_forward = required_of(forward)
        self._of_cost = [n for n in required_of(cost)[1:] if n not in self._of_forward]
        super().__init__(parts, forward.__name__, [*self._of_forward, *self._of_cost])

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        given = dict(zip(self.names, inputs, strict=True))
        result = hand[0](*(given[name] for name in self._of_forward))
        output, cache = output_and_cache(result)
        rest = (given[name] for name in required_of(hand[1])[1:])
        return hand[1](output, *rest), (output, cache)

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        output, cache = kept
        given = dict(zip(self.names, inputs, strict=True))
        names = required_of(hand[2])
        others = [n for n in names if n not in given and not is_cache(n)]
        if len(others) > 1:
            raise CompareError(
                f"{hand[2].__name__} takes {', '.join(others)}, which neither "
                f"{hand[0].__name__} nor {hand[1].__name__} takes or gives",
                where=f"tried: {', '.join(given)} are inputs; a cache is known by its name",
                mend="call arguments that are the same thing by the same name",
            )
        known = {**given, **dict.fromkeys(others, output)}
        return hand[2](*(known.get(name, cache) for name in names))


def output_and_cache(result: Any) -> tuple[Any, Any]:
    """What the network gives, and what it keeps: the last entry of a dictionary is its output."""
    if isinstance(result, tuple | list) and len(result) == 2:
        return result[0], result[1]
    if isinstance(result, Mapping) and result:
        return list(result.values())[-1], result
    return result, None
