"""The automatic side of a comparison: a layer or function of tensors, run and differentiated.

Knows: how to find a layer's parameters, to run it with other values of them without touching it,
and to get its gradients.
Does not know: hand-written layers, verdicts, reports.
Imports: the adapters' inputs, errors, graph, reverse, tensors, NumPy.
"""

from __future__ import annotations

import copy
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.errors import CompareError, DTypeError, IndexingError
from autograd_lite.graph import Graph, Node
from autograd_lite.reverse import Sweep
from autograd_lite.tensors import Tensor, parameter, tensor

__all__ = ["Recorded", "Twin", "as_arrays", "labellings", "parameters_of", "parts_of"]


class Recorded(NamedTuple):
    """A forward pass on tensors: the inputs and then the parameters, and what came out."""

    leaves: tuple[Any, ...]
    results: tuple[Any, ...]


class Twin:
    """What a hand-written layer is compared against.

    `against` is called with tensors. Its parameters are the parameter tensors among its
    attributes, found through nested layers, lists and dictionaries, each under its dotted path.
    A function with more arguments than there are inputs takes the rest from the hand-written
    layer, by name.

    Raises `CompareError` if it cannot be called so.
    """

    labels: frozenset[int] = frozenset()  # integer inputs that are no numbers
    optional: frozenset[int] = frozenset()  # inputs of which nobody expects a gradient
    _kept: Recorded | None = None
    _graph: Graph | None = None

    def __init__(self, against: Any, inputs: Inputs, hand_value: Callable[[str], Any]) -> None:
        if not callable(against):
            raise CompareError(
                f"against= is {_kind(against)}, and it is called with tensors",
                mend="pass a layer such as ag.nn.Affine(W, b), or a function of tensors",
            )
        self.against = against
        self.given, self.inputs = inputs, inputs.arrays
        self._held = dict(parameters_of(against))
        self.values = {path: held.numpy() for path, held in self._held.items()}
        self._extra = () if self._held else _further_arguments(against, len(inputs.given))
        for name in self._extra:
            value = hand_value(name)
            if value is None:
                raise CompareError(
                    f"against= takes an argument {name!r}, which is neither an input nor an "
                    "attribute of the hand-written layer",
                    mend=f"pass it as an input, or give the hand-written layer a self.{name}",
                )
            self.values[name] = np.array(value)
        self.paths = tuple(self.values)
        self.labels = self.optional = self._fewest_labels()

    def _fewest_labels(self) -> frozenset[int]:
        """Which integer inputs are positions or labels: as few as the call needs."""
        choices = list(labellings(self.inputs))
        for labels in choices if len(choices) > 1 else ():
            self.labels = labels
            try:
                self._kept = self._recorded(self.inputs)
            except (DTypeError, IndexingError):
                continue
            return labels
        return frozenset()

    def _call(self, xs: Sequence[Any], parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        given = self.given.filled(xs, self.labels)
        if self._extra:
            result = self.against(*given, *(parameters[name] for name in self._extra))
        else:
            # deepcopy's memo says what takes the place of what, wherever else it is held.
            memo: dict[int, Any] = {id(held): parameters[path] for path, held in self._held.items()}
            layer = copy.deepcopy(self.against, memo) if memo else self.against
            result = layer(*given)
        return tuple(result) if isinstance(result, tuple | list) else (result,)

    def recorded(self, inputs: Sequence[Any] | None = None) -> Recorded:
        """One forward pass, at the inputs or at others; that at the inputs is kept."""
        if inputs is not None:
            return self._recorded(inputs)
        if self._kept is None:
            self._kept = self._recorded(self.inputs)
        return self._kept

    def _recorded(self, inputs: Sequence[Any]) -> Recorded:
        xs = [tensor(x, name=name) for x, name in zip(inputs, self.given.names, strict=True)]
        ps = {path: parameter(value, name=path) for path, value in self.values.items()}
        return Recorded((*xs, *ps.values()), self._call(xs, ps))

    def run(
        self,
        cotangents: Callable[[tuple[Any, ...]], Sequence[Any]],
        inputs: Sequence[Any] | None = None,
    ) -> tuple[tuple[Any, ...], list[Any]]:
        """The outputs, and the gradients of the inputs and then of the parameters."""
        leaves, results = self.recorded(inputs)
        outputs = as_arrays(results)
        seeds: dict[Node, Any] = {}
        for result, cotangent in zip(results, cotangents(outputs), strict=True):
            if isinstance(result, Tensor) and result.tracked:
                g = np.asarray(cotangent, result.dtype)[()]
                seeds[result.node] = seeds[result.node] + g if result.node in seeds else g
        found = Sweep(seeds).run({leaf.node for leaf in leaves})
        zeros = (np.zeros(leaf.shape, leaf.dtype) for leaf in leaves)
        return outputs, [
            np.array(found.get(leaf.node, zero)) for leaf, zero in zip(leaves, zeros, strict=True)
        ]

    def graph(self) -> Graph | None:
        """The graph of the outputs, inputs called by their names; None if nothing is tracked."""
        results = self.recorded().results
        if self._graph is None and all(map(_is_tracked, results)):
            self._graph = Graph.of(*results)
        return self._graph


def labellings(inputs: Sequence[Any]) -> Iterator[frozenset[int]]:
    """Which of the integer inputs may be labels, as places: none of them, then the fewest."""
    integers = [i for i, x in enumerate(inputs) if x.dtype.kind in "iub"]
    for count in range(len(integers) + 1):
        yield from map(frozenset, combinations(integers, count))


def _is_tracked(result: Any) -> bool:
    return isinstance(result, Tensor) and result.tracked


def as_arrays(results: Sequence[Any]) -> tuple[Any, ...]:
    """Copies of the values of tensors or arrays."""
    return tuple(r.numpy() if isinstance(r, Tensor) else np.array(r) for r in results)


def _kind(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def parameters_of(layer: Any) -> Iterator[tuple[str, Any]]:
    """The parameter tensors of a layer under dotted paths, each once, in order of definition."""
    seen: set[int] = set()
    for path, part in parts_of(layer):
        if isinstance(part, Tensor) and id(part) not in seen:
            seen.add(id(part))
            if part.tracked and part.node.op.name == "parameter":
                yield path, part


def parts_of(thing: Any) -> Iterator[tuple[str, Any]]:
    """Everything that a layer holds, under dotted paths, in order of definition.

    Tensors and arrays under every path that leads to them, all else once.
    """
    seen: set[int] = set()
    pending: list[tuple[str, Any]] = [("", thing)]
    while pending:
        path, one = pending.pop()
        yield path, one
        if isinstance(one, Tensor | np.ndarray) or id(one) in seen:
            continue
        seen.add(id(one))
        parts = [(f"{path}.{name}".lstrip("."), part) for name, part in _parts(one)]
        pending += reversed(parts)


def _parts(thing: Any) -> list[tuple[str, Any]]:
    if isinstance(thing, Mapping):
        return [(str(key), value) for key, value in thing.items()]
    if isinstance(thing, list | tuple):
        return [(str(i), value) for i, value in enumerate(thing)]
    if isinstance(thing, types.MethodType):
        return _parts(thing.__self__)
    if isinstance(thing, type) or inspect.isroutine(thing) or inspect.ismodule(thing):
        return []
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    held = {name: getattr(thing, name) for name in slots if hasattr(thing, name)}
    return list({**held, **getattr(thing, "__dict__", {})}.items())


def _further_arguments(function: Any, count: int) -> tuple[str, ...]:
    """The names of required positional arguments after the first `count`."""
    try:
        arguments = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ()
    named = [p for p in arguments if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return tuple(p.name for p in named[count:] if p.default is p.empty)
