"""The automatic side where no twin is given: the hand-written forward itself, lifted.

Knows: how to run a layer's forward on tensors without touching the layer, and which of the arrays
that it holds the outputs rest on: its parameters.
Does not know: conventions beyond a forward to call, verdicts, reports.
Imports: automatic, lifting, graph, tensors, errors, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import place_of
from autograd_lite.comparison.automatic import Twin, parts_of
from autograd_lite.errors import CompareError
from autograd_lite.graph import Graph
from autograd_lite.lifting import lift
from autograd_lite.tensors import Tensor, parameter, tensor

__all__ = ["TracedTwin"]


class TracedTwin(Twin):
    """The hand-written forward as a function of tensors.

    `forward_of(layer)` gives what is called with the inputs. The parameters are the float arrays
    that the layer holds, under their dotted path, as far as the outputs rest on them. Integer
    inputs are numbers like any other, or, where that cannot be, labels: constants.

    Raises `CompareError` if the forward cannot be traced.
    """

    def __init__(
        self, hand: Any, forward_of: Callable[[Any], Callable[..., Any]], inputs: Sequence[Any]
    ) -> None:
        self._hand, self._forward_of = hand, forward_of
        self.inputs = [np.asarray(x) for x in inputs]
        self._names = _names_of(hand)
        self.labels, self._whole, outputs, held = self._first_that_runs()
        self.optional = self.labels | frozenset(range(1, len(self.inputs)))
        used = {node for y in outputs if isinstance(y, Tensor) for node in Graph.of(y).inputs}
        self.values = {path: leaf.numpy() for path, leaf in held.items() if leaf.node in used}
        self.paths = tuple(self.values)

    def _first_that_runs(
        self,
    ) -> tuple[frozenset[int], bool, tuple[Any, ...], dict[str, Tensor]]:
        """Which integers are labels: the fewest of the inputs, then those that the layer holds."""
        integers = [i for i, x in enumerate(self.inputs) if x.dtype.kind in "iub"]
        trouble: Exception | None = None
        for whole in (True, False):
            for count in range(len(integers) + 1):
                for labels in map(frozenset, combinations(integers, count)):
                    try:
                        xs = [tensor(x) for x in self.inputs]
                        return labels, whole, *self._traced(xs, {}, labels, whole)
                    except Exception as error:  # noqa: BLE001 - whatever the user's code raises
                        trouble = trouble or error
        raise CompareError(
            f"the forward pass of {type(self._hand).__name__} raised {place_of(trouble)}"
            if trouble
            else "",
            mend="pass inputs that the layer takes; or against=, an ag.nn layer with the same "
            "parameters or a function of tensors, for example against=ag.nn.Affine(W, b)",
        ) from trouble

    def _traced(
        self, xs: Sequence[Any], values: Mapping[str, Any], labels: frozenset[int], whole: bool
    ) -> tuple[tuple[Any, ...], dict[str, Tensor]]:
        """The outputs, and the tensors that took the place of what the layer holds.

        ``whole``: integers that it holds are numbers too.
        """
        held: dict[str, Tensor] = {}

        def leaf(path: str, array: Any) -> Any:
            name = self._names.get(id(array))
            if name is None or array.dtype.kind not in ("iuf" if whole else "f"):
                return array
            held[name] = values[name] if name in values else parameter(array, name=name)
            return held[name]

        forward = self._forward_of(lift(self._hand, leaf=leaf))
        result = forward(*(self.inputs[i] if i in labels else x for i, x in enumerate(xs)))
        return tuple(result) if isinstance(result, tuple | list) else (result,), held

    def _call(self, xs: Sequence[Any], parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        return self._traced(xs, parameters, self.labels, self._whole)[0]


def _names_of(hand: Any) -> dict[int, str]:
    """The dotted path of every array that a layer holds, by identity: the one that reads best.

    ``W`` before ``params.0``.
    """
    paths: dict[int, list[str]] = {}
    for path, part in parts_of(hand):
        if isinstance(part, np.ndarray):
            paths.setdefault(id(part), []).append(path)
    return {key: min(found, key=_awkwardness) for key, found in paths.items()}


def _awkwardness(path: str) -> tuple[bool, int, int]:
    last = path.rpartition(".")[2]
    return last.isdecimal(), path.count("."), len(path)
