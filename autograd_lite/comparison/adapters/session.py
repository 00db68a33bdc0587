"""Several passes of one copy of a layer, one after the other: what the layer remembers shows.

Knows: how to run forward and backward apart, and to hand out gradients as they are, not copied.
Does not know: verdicts, tensors.
Imports: its neighbours, NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import required_of
from autograd_lite.comparison.adapters.matching import aliases_of, value_at
from autograd_lite.comparison.adapters.running import Runner, numbers_in, replayed
from autograd_lite.comparison.adapters.surroundings import copied

__all__ = ["Session"]

_RESETS = (
    "zero_grad", "zero_grads", "zero_gradients", "zero_grad_parameters", "clear_grad",
    "clear_grads", "reset_grad", "reset_grads", "reset_gradients", "flush_gradients",
    "reset_state", "reset_states", "clear_cache", "reset",
)  # fmt: skip


class Session:
    """A copy of the layer of `runner`; `paths` are the parameters whose gradients are asked for."""

    def __init__(self, runner: Runner, paths: Sequence[str]) -> None:
        self.runner, self.paths = runner, tuple(paths)
        self.hand = copied(runner.layer.hand)
        self.given: list[Any] = []
        self.held: list[Any] = []
        self._kept: Any = None

    def parameters(self) -> list[Any]:
        """Copies of the values of the parameters."""
        return [np.array(value_at(self.hand, path)) for path in self.paths]

    def reset(self) -> None:
        """Call the method by which the layer forgets what came before, if it has one."""
        for name in _RESETS:
            method = getattr(self.hand, name, None)
            if callable(method) and not required_of(method):
                method()
                return

    def forward(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """The outputs, as copies."""
        self.given = self.runner.inputs.plain(arrays)
        with replayed(self.runner.layer.hand):
            result, self._kept = self.runner.layer.call(self.hand, self.given)
        return numbers_in(result)

    def backward(self, cotangents: Sequence[Any]) -> list[Any]:
        """The gradients of the inputs and then of `paths`, the very objects that were given."""
        layer = self.runner.layer
        self.held = [np.array(d)[()] if np.ndim(d) == 0 else np.array(d) for d in cotangents]
        with replayed(layer.hand):
            returned = layer.pull(self.hand, self._kept, self.given, self.held)
        of_inputs = layer.input_gradients(self.hand, returned, self.given, self.paths)
        aliases = aliases_of(self.runner.parts, self.paths)
        found = layer.parameter_gradients(self.hand, returned, self.given, aliases)
        return [*self.runner.inputs.picked(of_inputs), *(found.get(path) for path in self.paths)]
