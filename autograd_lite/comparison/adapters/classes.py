"""Classes with `forward(x, …)` (or `__call__`) and `backward(dout)`.

Knows: what else the two methods are called (`forward_pass`, `backprop` …), and that a forward pass
may leave its output in an attribute. How backward is called is what `calling` knows; where its
gradients lie, `matching`: in what `backward` returns (one array, or a tuple in the order of the
inputs, with the parameters' gradients after them), and for a parameter `W` in an attribute `dW` and
the like, in `grads["W"]`, or in `grads[i]` where `params[i]` is that parameter. A backward method
that moves the parameters itself gives them by how far (`moving`).
Does not know: tensors, verdicts.
Imports: errors, its base.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer, arguments_of, place_of, required_of
from autograd_lite.comparison.adapters.calling import Call
from autograd_lite.comparison.adapters.matching import left_gradient
from autograd_lite.comparison.adapters.moving import Moves
from autograd_lite.errors import CompareError

__all__ = ["ForwardBackward", "instance_of", "left_output", "methods_of", "names_for"]

_OUTPUTS = (
    "output", "outputs", "out", "y", "y_hat", "a", "A", "activation", "activations", "z", "Z",
    "result", "output_data", "forward_output",
)  # fmt: skip
"""Where a forward pass that returns nothing leaves what it gives."""


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
        self._call = Call.of(getattr(hand, self._back), names)
        flows = self._call.named("flow")
        if not flows and not self._call.variadic:
            self.upstream = "none"
        elif self._call.unit:
            self.upstream = "unit"
        self._takes = len(flows)
        self._is_first = _gives_none(hand, self._back, moves=bool(self._call.named("rate")))
        self.moved: dict[str, Any] = {}
        self._sequence = False  # whether the outputs came as one list

    def taken(self, count: int) -> int:
        """Backward may take fewer gradients than there are outputs: the rest is information."""
        return count if self._sequence or self._takes <= 0 else min(count, self._takes)

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        result = (hand if self._method == "__call__" else getattr(hand, self._method))(*inputs)
        if result is None:
            result = left_output(hand)
        self._sequence = isinstance(result, list) and self._takes == 1
        cached = self._call.named("cache") and isinstance(result, tuple)
        if not cached or len(result) != self._takes + 1:
            return result, (result, ())
        output = result[0] if len(result) == 2 else result[:-1]
        return output, (output, result[-1:])

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        output, cache = kept
        flows = [list(douts)] if self._sequence else list(douts[: self.taken(len(douts))])
        given = dict(zip(self.names, inputs, strict=False))
        arguments = self._call.arguments(
            [] if self.upstream == "none" else flows, given, output, cache
        )
        moves = Moves(hand, known=bool(self._call.named("rate")))
        returned = getattr(hand, self._back)(*arguments)
        self.moved = moves.taken()
        self.touched = moves.touched
        return returned

    def input_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], paths: Sequence[str]
    ) -> list[Any]:
        """Returned or by name; where nothing is returned, in an attribute with a usual name."""
        found = super().input_gradients(hand, returned, inputs, paths)
        if returned is None and found and all(g is None for g in found):
            found[0] = left_gradient(hand, self.touched, np.shape(inputs[0]))
        return found

    @property
    def wanted(self) -> str:  # type: ignore[override]  # told by the code of backward
        """None of a first layer, whose backward pass says `return None` and moves parameters."""
        return "none" if self._is_first else "first"

    def parameter_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], aliases: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """Beside the parameters or returned; else what a learning rate of 1 moved them by."""
        found = super().parameter_gradients(hand, returned, inputs, aliases)
        for path, others in aliases.items():
            if found.get(path) is None or self._call.named("rate"):
                moved = next((self.moved[o] for o in others if o in self.moved), None)
                found[path] = found.get(path) if moved is None else moved
        return found


def _gives_none(hand: Any, method: str, moves: bool) -> bool:
    """Whether a backward method means to return nothing: all that it computes is used.

    It `moves` parameters and says `return None`, or has no `return` and neither an expression nor a
    name of no use, and sets something. A `return` that was forgotten leaves its value unused.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(hand, method))))
    except (OSError, TypeError, SyntaxError):  # there is no source
        return False
    parts = list(ast.walk(tree))
    returns = [p for p in parts if isinstance(p, ast.Return)]
    names = [p for p in parts if isinstance(p, ast.Name)]
    loaded = {p.id for p in names if isinstance(p.ctx, ast.Load)}
    unused = {p.id for p in names if isinstance(p.ctx, ast.Store)} - loaded
    dropped = [p for p in parts if isinstance(p, ast.Expr) and isinstance(p.value, ast.BinOp)]
    sets = any(isinstance(p, ast.Attribute) and isinstance(p.ctx, ast.Store) for p in parts)
    if returns:
        return moves and all(r.value is None or ast.unparse(r.value) == "None" for r in returns)
    return sets and not unused and not dropped


def left_output(hand: Any) -> Any:
    """What a forward pass that returned nothing left in an attribute; None if there is none."""
    values = (getattr(hand, name, None) for name in _OUTPUTS)
    return next((v for v in values if hasattr(v, "shape") or isinstance(v, float)), None)


_FORWARDS = (
    "forward", "forward_pass", "fprop", "feedforward", "feed_forward", "forward_propagation",
    "forward_prop", "forward_propagate", "forwardprop", "propagate_forward", "call",
)  # fmt: skip
_BACKWARDS = (
    "backward", "backward_pass", "bprop", "backprop", "back_prop", "backward_propagation",
    "backward_prop", "back_propagation", "backpropagation", "back_propagate", "backpropagate",
    "backward_propagate", "backProp", "backwards", "propagate_backward", "back",
    "compute_gradients", "compute_grads", "calculate_gradients",
)  # fmt: skip


def methods_of(hand: Any) -> tuple[str, str]:
    """The names of the two methods; `__call__` where the first is missing, nothing for the second.

    >>> class Old:
    ...     def fprop(self, x): ...
    ...     def bprop(self, dout): ...
    >>> methods_of(Old())
    ('fprop', 'bprop')
    """
    forwards = [name for name in _FORWARDS if callable(getattr(hand, name, None))]
    backwards = [name for name in _BACKWARDS if callable(getattr(hand, name, None))]
    back = backwards[0] if backwards else ""
    if not forwards or not back:
        return "__call__", back
    return forwards[0], back


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
