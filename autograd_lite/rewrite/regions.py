"""Regions of a graph: parts with one output, recorded again on leaves of their own.

Knows structure, and how to differentiate a region by the engine's own rules; does not know
formulas. Imports graph, derivatives, recording.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.derivatives import gradients
from autograd_lite.graph import Constant, Graph, Leaf, Node, by_serial
from autograd_lite.modes import using
from autograd_lite.recording import apply
from autograd_lite.rewrite.field import key_of
from autograd_lite.tensors import Tensor, tensor

__all__ = ["Region", "differentiated", "inputs_of", "part_of", "structure"]

_ELEMENTS = 1_000_000  # of a region's largest array


@dataclass(frozen=True)
class Region:
    """Part of a graph with one output, recorded again on leaves of its own, and its derivative.

    ``inputs`` are the leaves, ``inside`` the nodes in order, ``cotangent`` stands for the arriving
    gradient, and ``derivative`` is the gradient of ``inputs[at]`` as the engine's rules make it.
    All of it is of float64. ``unit`` are the places of inputs whose rows sum to 1.
    """

    inputs: tuple[Node, ...]
    inside: tuple[Node, ...]
    output: Node
    cotangent: Node
    derivative: Node
    at: int
    unit: tuple[int, ...] = ()

    @cached_property
    def _graph(self) -> Graph:
        return Graph([self.output, self.derivative])

    def given(self, arrays: Sequence[Any]) -> list[Any]:
        """Arrays for the inputs; of a unit with rows that sum to 1."""
        found = list(arrays)
        for k in self.unit:
            sizes = np.abs(found[k]) + 0.5
            found[k] = (sizes / np.sum(sizes, axis=-1, keepdims=True)).astype(found[k].dtype)
        return found

    def values(self, arrays: Sequence[Any], cotangent: Any) -> Mapping[Node, Any]:
        """What the nodes and the derivative are on other arrays."""
        graph = self._graph
        given = {**dict(zip(self.inputs, arrays, strict=True)), self.cotangent: cotangent}
        with np.errstate(all="ignore"):
            return graph.replay({n: v for n, v in given.items() if n in graph.inputs})


def part_of(
    nodes: Iterable[Node], output: Node, wanted: Node, operations: int
) -> tuple[list[Node], list[Node]] | None:
    """The nodes of a region in order, and what it reads; None where it is not simplified.

    That is where it has more than so many operations, is not on the way from ``output`` back to
    ``wanted``, or computes with what is no ordinary array.
    """
    inside = sorted({n for n in nodes if not isinstance(n, Leaf)}, key=by_serial)
    if len(inside) > operations or output not in inside or wanted in inside:
        return None
    inputs = inputs_of(inside)
    if wanted not in inputs or not all(map(_ordinary, (*inputs, *inside))):
        return None
    return inside, inputs


def inputs_of(inside: Sequence[Node]) -> list[Node]:
    """What the region reads and derivatives enter: neither its own nodes nor constants."""
    own = set(inside)
    read = (p for node in inside for p in node.inputs if isinstance(p, Node))
    return list(dict.fromkeys(p for p in read if p not in own and type(p) is not Constant))


def _ordinary(node: Node) -> bool:
    """Whether it is one real array of moderate size."""
    real = node.dtype is not None and np.dtype(node.dtype).kind in ("f" if not node.inputs else
                                                                    "fbiu")  # fmt: skip
    return real and node.size <= _ELEMENTS


def structure(
    inside: Sequence[Node], inputs: Sequence[Node], output: Node, wanted: Node
) -> tuple[Any, ...]:
    """What two regions share that have the same rule."""
    place: dict[Node, Any] = {node: k for k, node in enumerate((*inputs, *inside))}

    def operand(p: Any) -> Any:
        if isinstance(p, Node):
            return place[p] if p in place else (p.name, key_of(p.value))
        return key_of(p)

    rows = [
        (n.op.forward, n.op.kind, n.shape, key_of(n.params), tuple(map(operand, n.inputs)))
        for n in inside
    ]
    return (*rows, tuple(n.shape for n in inputs), place[output], place[wanted])


def differentiated(
    inside: Sequence[Node], inputs: Sequence[Node], output: Node, wanted: Node
) -> Region:
    """The region on leaves of its own, and the gradient of ``wanted`` by the engine's rules."""
    rng = np.random.default_rng(1)
    copies: dict[Node, Tensor] = {}
    for node in inputs:
        copies[node] = tensor(rng.uniform(0.5, 2.0, node.shape))
    with using(tracing=True, recording=True, debug=False, scope=None), np.errstate(all="ignore"):
        for node in inside:
            args = [copies.get(p, p.outputs[0]) if isinstance(p, Node) and p not in copies
                    else copies[p] if isinstance(p, Node) else p for p in node.inputs]  # fmt: skip
            copies[node] = apply(node.op, args, node.params)
        y = copies[output]
        arriving = tensor(rng.normal(size=output.shape))
        (found,) = gradients(y, [copies[wanted]], arriving)
    leaves = tuple(copies[node].node for node in inputs)
    own = tuple(copies[node].node for node in inside)
    return Region(leaves, own, y.node, arriving.node, found.node, inputs.index(wanted))
