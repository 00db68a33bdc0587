"""Static methods with a context, as `torch.autograd.Function` has them.

Knows: `forward(ctx, x, …)` and `backward(ctx, dout, …)`, which returns a gradient for every
argument, None for those that have none; `setup_context(ctx, inputs, output)` as the third method.
A body of NumPy code gets a context of ours; one that PyTorch's Function is the base of gets
PyTorch's tensors too, if PyTorch is there.
Does not know: our tensors, verdicts.
Imports: its base and neighbours.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer, arguments_of
from autograd_lite.comparison.adapters.classes import names_for
from autograd_lite.comparison.adapters.matching import as_tuple

__all__ = ["ContextFunction"]


class ContextFunction:
    """The convention of functions with a context: see the module."""

    name = "class with static forward(ctx, …) and backward(ctx, …)"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is such a class."""
        forward = getattr(hand, "forward", None)
        if not callable(forward) or not callable(getattr(hand, "backward", None)):
            return False
        names = [p.name for p in arguments_of(forward)]
        return isinstance(hand, type) and (
            names[:1] in (["ctx"], ["context"]) or callable(getattr(hand, "setup_context", None))
        )

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The class."""
        return _Function(hand, len(inputs))


class _Context:
    """What stands in for the context: it keeps what it is given."""

    def __init__(self, count: int) -> None:
        self.saved_tensors: tuple[Any, ...] = ()
        self.needs_input_grad = (True,) * count

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for the backward pass."""
        self.saved_tensors = tensors

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """The old name of what was saved."""
        return self.saved_tensors

    def _noted(self, *args: Any) -> None:
        """Hints to PyTorch's engine mean nothing here."""

    mark_dirty = mark_non_differentiable = set_materialize_grads = _noted


class _Function(Layer):
    wanted = "named"  # backward has a place for each, and None in it may be meant

    def __init__(self, hand: Any, count: int) -> None:
        names = [p.name for p in arguments_of(hand.forward)]
        self._torch = (
            sys.modules.get("torch")
            if any(kind.__module__.split(".")[0] == "torch" for kind in hand.__mro__)
            else None
        )
        self._split = _is_own(hand, "setup_context")
        first = 0 if self._split else 1
        made = names_for(hand.forward, count + first)[first:]
        super().__init__(hand, hand.__name__, made if names else names_for(None, count))
        self.traceable = self._torch is None

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        ctx, given = _Context(len(inputs)), [self._inward(x) for x in inputs]
        if not self._split:
            return hand.forward(ctx, *given), ctx
        result = hand.forward(*given)
        hand.setup_context(ctx, tuple(given), result)
        return result, ctx

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        return hand.backward(kept, *map(self._inward, douts))

    def _inward(self, x: Any) -> Any:
        arrays = isinstance(x, np.ndarray | np.number)
        return self._torch.tensor(np.array(x)) if self._torch is not None and arrays else x

    def input_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], paths: Sequence[str]
    ) -> list[Any]:
        """One for each argument, in their order."""
        parts = list(as_tuple(returned))
        return [parts[i] if i < len(parts) else None for i in range(len(inputs))]


def _is_own(kind: Any, name: str) -> bool:
    """Whether a class or a base that is not PyTorch's defines a method."""
    return any(
        name in vars(base) and not base.__module__.startswith("torch") for base in kind.__mro__
    )
