"""Parts of a graph that work element by element, and their derivatives.

Knows: when y is a function of x alone, element by element.
Does not know: mistakes.
Imports: its neighbours, graph, reverse, NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import fits
from autograd_lite.comparison.diagnosis.sweeps import swept
from autograd_lite.graph import Graph, Node
from autograd_lite.reverse import Flow

__all__ = ["Region", "regions"]

_LARGEST = 14  # nodes of a part

Region: TypeAlias = tuple[Node, Node, Any]
"""Its input x, its output y, dy/dx."""


def regions(graph: Graph, flow: Flow) -> list[Region]:
    """Each part of a graph that works element by element.

    All that x flows into flows on through y alone.
    """
    users: dict[Node, list[Node]] = {}
    for node in graph:
        for p in node.inputs:
            if isinstance(p, Node):
                users.setdefault(p, []).append(node)
    outputs = set(graph.outputs)
    found = []
    for k, y in enumerate(graph):
        g = flow.cotangents.get(y)
        if g is None or type(g) is list or not y.inputs:
            continue
        inside = {y}
        for p in reversed(graph.nodes[:k]):
            if len(inside) > _LARGEST:
                break
            if p.shape == y.shape and p not in outputs and p in users:
                if all(u in inside for u in users[p]) and p in flow.cotangents:
                    inside.add(p)
            elif all(u in inside for u in users.get(p, [None])):
                inside.add(p)  # a constant part of it, of another shape
        xs = [p for p in inside if p is not y and p.shape == y.shape]
        found += [(x, y, d) for x, d in _diagonal(y, xs).items()]
    return found


def _diagonal(y: Node, xs: Sequence[Node]) -> dict[Node, Any]:
    """dy/dx for each x of which y is a function element by element."""
    if not xs:
        return {}
    ones = swept({y: np.ones(y.shape, y.dtype)[()]}, xs)
    if y.size == 1:
        return ones
    v = np.random.default_rng(3).uniform(0.5, 1.5, y.shape).astype(y.dtype)
    other = swept({y: v}, xs)
    return {x: d for x, d in ones.items() if fits(other[x], v * d) and np.any(d)}
