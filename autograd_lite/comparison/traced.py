"""The automatic side where no twin is given: the hand-written forward itself, lifted.

Knows: how to run a layer's forward on tensors without touching the layer, and which of the arrays
that it holds the outputs rest on: its parameters; where it lost a derivative on its way.
Does not know: conventions beyond a layer to call, verdicts, reports.
Imports: adapters, automatic, lifting, graph, tensors, errors, NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer, place_of
from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.comparison.adapters.matching import is_expected
from autograd_lite.comparison.adapters.running import Runner, replayed
from autograd_lite.comparison.adapters.words import is_weight, labels_among
from autograd_lite.comparison.automatic import Recorded, Twin, labellings
from autograd_lite.comparison.held import names_of
from autograd_lite.errors import CompareError, Source
from autograd_lite.graph import Graph
from autograd_lite.lifting import lift
from autograd_lite.lifting.arrays import ESCAPES
from autograd_lite.tensors import Tensor, parameter, tensor

__all__ = ["TracedTwin", "UntracedTwin"]


class TracedTwin(Twin):
    """The hand-written forward as a function of tensors.

    The parameters are the float arrays that the layer holds, under their dotted path, as far as
    the outputs rest on them. Integer inputs are numbers like any other, or, where that cannot be,
    labels: constants. `lost` says where tracked values became plain ones, and on which line.

    Raises `CompareError` if the forward cannot be traced.
    """

    def __init__(self, layer: Layer, inputs: Inputs) -> None:
        self._layer, self.given, self.inputs = layer, inputs, inputs.arrays
        self._names = names_of(layer.hand)
        self.lost: list[tuple[str, Source | None]] = []
        self.labels, self._whole, xs, outputs, held = self._first_that_runs()
        made = Graph.of(*(y for y in outputs if isinstance(y, Tensor) and y.tracked))
        used = set(made.inputs)
        order = dict.fromkeys(self._names.values())  # as the layer holds them
        leaves = {path: held[path] for path in order if path in held and held[path].node in used}
        self.values = {path: leaf.numpy() for path, leaf in leaves.items()}
        self.paths = tuple(self.values)
        self._kept = Recorded((*xs, *leaves.values()), outputs)
        self._graph = made if len(made.outputs) == len(outputs) else None
        self.optional = self.labels | _unclaimed(layer, inputs, self.labels)

    def _first_that_runs(
        self,
    ) -> tuple[frozenset[int], bool, list[Tensor], tuple[Any, ...], dict[str, Tensor]]:
        """Which integers are labels: the fewest of the inputs, then those that the layer holds."""
        trouble: Exception | None = None
        for whole in (True, False):
            for labels in labellings(self.inputs):
                try:
                    named = zip(self.inputs, self.given.names, strict=True)
                    xs = [tensor(x, name=name) for x, name in named]
                    return labels, whole, xs, *self._traced(xs, {}, labels, whole)
                except Exception as error:  # noqa: BLE001 - whatever the user's code raises
                    trouble = trouble or error
        raise CompareError(
            f"the forward pass of {self._layer.title} cannot be traced: "
            + (place_of(trouble) if trouble else ""),
            mend="pass against=, an ag.nn layer with the same parameters or a function of tensors",
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

        self.lost = []
        token = ESCAPES.set(self.lost)
        try:
            with replayed(self._layer.hand):
                lifted = lift(self._layer.hand, leaf=leaf)
                result, _ = self._layer.call(lifted, self.given.filled(xs, labels))
        finally:
            ESCAPES.reset(token)
        return _flat(result), held

    def _call(self, xs: Sequence[Any], parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        return self._traced(xs, parameters, self.labels, self._whole)[0]

    def where_lost(self) -> str:
        """Where the trace lost values, in words; empty if it did not, as far as is known."""
        places = [f"{how} at {source}" if source else how for how, source in self.lost]
        return "; ".join(dict.fromkeys(places))


class UntracedTwin(Twin):
    """What stands in for a twin where a forward cannot be traced: names and values, no gradients.

    `paths` are the float arrays that the layer holds and of which a gradient is to be expected.
    """

    def __init__(self, layer: Layer, inputs: Inputs, runner: Runner) -> None:
        self.given, self.inputs = inputs, inputs.arrays
        self.labels = frozenset(i for i, x in enumerate(self.inputs) if x.dtype.kind in "iub")
        self.optional = self.labels | _unclaimed(layer, inputs, self.labels)
        names = names_of(layer.hand)
        held = {
            names[id(part)]: part
            for _, part in runner.parts
            if isinstance(part, np.ndarray) and part.dtype.kind == "f"
        }
        found = runner.run(self.inputs, lambda ys: [np.ones(np.shape(y)) for y in ys], held)
        self.values = {
            path: np.array(part)
            for path, part in held.items()
            if found.parameters.get(path) is not None or is_expected(layer.hand, [path])
        }
        self.paths = tuple(self.values)

    def graph(self) -> None:
        """Nothing was recorded."""


def _unclaimed(layer: Layer, inputs: Inputs, labels: frozenset[int]) -> frozenset[int]:
    """The inputs of which nobody expects a gradient, though one may be given."""
    named = labels_among(layer.names[: len(inputs.given)])
    floats = [i for i in range(len(inputs.arrays)) if i not in labels | inputs.numbers]
    floats.sort(key=lambda i: inputs.places[i][0] in named)  # labels are asked for last
    wanted = {
        "all": [i for i in floats if len(inputs.places[i]) == 1],
        "first": floats[:1] or [0],
        "named": [*(floats[:1] or [0]), *(i for i in floats if is_weight(inputs.names[i]))],
        "weights": [i for i in floats if is_weight(inputs.names[i])],
        "entries": [i for i in floats if len(inputs.places[i]) > 1],
        "none": [],
    }[layer.wanted]
    return frozenset(range(len(inputs.arrays))).difference(wanted)


def _flat(result: Any) -> tuple[Any, ...]:
    """The outputs in a row, nested lists of them too."""
    if not isinstance(result, tuple | list):
        return (result,)
    found: list[Any] = []
    for part in result:
        if isinstance(part, tuple | list):
            found += _flat(part) if _is_deep(part) else [np.array(part)]
        elif isinstance(part, Tensor | np.ndarray | np.generic | int | float):
            found.append(part)
    return tuple(found)


def _is_deep(part: Any) -> bool:
    return any(np.ndim(p) if not isinstance(p, Tensor) else p.ndim for p in part)
