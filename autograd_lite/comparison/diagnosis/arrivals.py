"""What may arrive at a node in place of what should: the more far-fetched suspicions.

Knows: steps left out between two nodes of one shape, and terms with a factor too many or too few.
Does not know: how a suspicion is tried, single operators.
Imports: evidence, mistakes, graph, NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import called, spreads, start_of
from autograd_lite.comparison.diagnosis.mistakes import Edge, Wrong
from autograd_lite.graph import Graph, Node
from autograd_lite.reverse import Flow

__all__ = ["factors", "skipping"]

_PAIRS = 1_500
_ARRAYS = 40
_EDGES = 250


def skipping(graph: Graph, values: Flow) -> Iterator[tuple[Node, Node, Wrong]]:
    """(x, y, mistake): at x arrives what arrives at the later y, or the diagonal's part of it."""
    known: dict[tuple[int, ...], list[Node]] = {}
    for node in graph:
        g = values.cotangents.get(node)
        if g is not None and type(g) is not list and node.size > 1:
            known.setdefault(node.shape, []).append(node)
    count = 0
    for nodes in known.values():
        for j, y in enumerate(nodes):
            g, value = (np.asarray(v[y], float) for v in (values.cotangents, values.values))
            for x in nodes[:j]:
                count += 1
                if count > _PAIRS:
                    return
                yield from ((x, y, wrong) for wrong in _instead(x, g, value))


def _instead(x: Node, g: Any, y: Any) -> Iterator[Wrong]:
    start = start_of(x)
    yield Wrong("local derivative", f"all that lies between {start} and there is left out", g)
    text = (
        f"from {start} to there only y(1 − y) is used, the diagonal of a softmax's Jacobian; the "
        "terms of the other elements are missing"
    )
    yield Wrong("missing term", text, g * y * (1 - y))
    text = f"from {start} to there only y is used: the sum that a softmax subtracts is missing"
    yield Wrong("missing term", text, g * y)


def factors(graph: Graph, values: Flow, edges: Sequence[Edge]) -> Iterator[tuple[Edge, Wrong]]:
    """Terms that are multiplied or divided by an array of the graph once more than they should."""
    arrays: Mapping[Node, Any] = {
        node: values.values[node]
        for node in graph
        if type(values.values[node]) is not tuple
        and np.asarray(values.values[node]).dtype.kind == "f"
        and np.size(values.values[node]) > 1
    }
    for edge in edges[:_EDGES]:
        for node, value in list(arrays.items())[:_ARRAYS]:
            if not spreads(node.shape, edge.to.shape):
                continue
            name = called(node)
            passes = np.asarray(edge.passes, float)
            with np.errstate(all="ignore"):
                yield (
                    edge,
                    Wrong(
                        "wrong operand",
                        f"the term through it is multiplied by {name} once more than it should be",
                        passes * value,
                    ),
                )
                yield (
                    edge,
                    Wrong(
                        "wrong operand",
                        f"the term through it lacks the factor {name}, or is divided by it",
                        passes / value,
                    ),
                )
