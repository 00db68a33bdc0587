"""The reverse sweep with a mistake put into it; what a change at one place does to a gradient.

Knows: how to alter what an edge passes on, or what arrives at a node, and to sweep on from there;
tangents, by which the effect of a change is one inner product instead of a sweep.
Does not know: any mistake, hand-written layers.
Imports: graph, reverse, NumPy.

⟨r, P(Δ)⟩ = ⟨Pᵀr, Δ⟩: if Δ is added to what arrives at a node, the gradient of a leaf changes by
P(Δ), the vjp from there; Pᵀr is the tangent that the direction r of the leaf has at that node. One
forward sweep gives it for all nodes, so that thousands of suspicions are tried cheaply, and only
those that fit are swept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from autograd_lite.graph import Graph, Node
from autograd_lite.reverse import Flow, Sweep
from autograd_lite.shapes import Shape

__all__ = ["Altered", "Pushed", "seeds_of", "silent_edges", "swept", "tangents"]

_PROBES = 3
_NOTHING = 1e-12


class Altered(Sweep):
    """A sweep in which some edges pass on something else, and other things arrive at some nodes.

    `edges[node, i]` takes the right contribution; `arrivals[node]` takes what arrived at the
    nodes so far.
    """

    def __init__(
        self,
        seeds: dict[Node, Any],
        edges: Mapping[tuple[Node, int], Callable[[Any], Any]],
        arrivals: Mapping[Node, Callable[[Mapping[Node, Any]], Any]],
    ) -> None:
        super().__init__(seeds, edges={})
        self.altered, self.arrivals = edges, arrivals
        self.seen: dict[Node, Any] = {}

    def pass_on(self, node: Node, g: Any, needed: set[Node] | None) -> None:
        """As in any sweep, with what shall have arrived in place of what has."""
        self.seen[node] = g
        if node in self.arrivals:
            g = self.arrivals[node](self.seen)
        super().pass_on(node, g, needed)

    def add(self, node: Node, i: int, p: Node, result: Any) -> None:
        """As in any sweep, with what the edge shall pass on in place of what it does."""
        change = self.altered.get((node, i))
        super().add(node, i, p, result if change is None else change(result))


def seeds_of(graph: Graph, cotangents: Sequence[Any]) -> dict[Node, Any]:
    """What flows into the outputs."""
    seeds: dict[Node, Any] = {}
    for node, g in zip(graph.outputs, cotangents, strict=True):
        g = np.asarray(g, node.dtype)[()]
        seeds[node] = seeds[node] + g if node in seeds else g
    return seeds


def swept(
    seeds: dict[Node, Any],
    leaves: Sequence[Node],
    edges: Mapping[tuple[Node, int], Callable[[Any], Any]] | None = None,
    arrivals: Mapping[Node, Callable[[Mapping[Node, Any]], Any]] | None = None,
) -> dict[Node, Any]:
    """The gradients of `leaves` under these changes; zeros for a leaf that nothing reaches."""
    sweep = Altered(seeds, edges or {}, arrivals or {})
    with np.errstate(all="ignore"):
        found = sweep.run(set(leaves))
        for leaf in leaves:
            if leaf in (arrivals or {}):
                found[leaf] = sweep.arrivals[leaf](sweep.seen | found)
    return {leaf: found.get(leaf, np.zeros(leaf.shape)) for leaf in leaves}


def silent_edges(values: Flow) -> frozenset[tuple[Node, int]]:
    """Edges over which terms flow that cancel: nobody who derives by hand writes them down.

    Softmax is the same for x and x − max(x). What flows back to the maximum adds up to 0, but the
    numerator's part of it alone does not.
    """
    most: dict[Node, float] = {}
    sizes = {
        edge: float(np.abs(np.asarray(passes)).max(initial=0.0))
        for edge, passes in values.contributions.items()
        if type(passes) is not list and hasattr(passes, "dtype") and passes.dtype.kind == "f"
    }
    for (node, _), size in sizes.items():
        most[node] = max(most.get(node, 0.0), size)
    return frozenset(edge for edge, size in sizes.items() if size <= _NOTHING * most[edge[0]])


class Pushed:
    """Tangents of random directions of one leaf at every node that rests on it.

    `where` leaves directions only some elements of the leaf.
    """

    def __init__(
        self,
        graph: Graph,
        values: Flow,
        leaf: Node,
        silent: AbstractSet[tuple[Node, int]],
        rng: np.random.Generator,
        where: Any = True,
    ) -> None:
        self.directions = rng.standard_normal((_PROBES, *leaf.shape)) * where
        sweeps = [tangents(graph, values.values, {leaf: r}, silent) for r in self.directions]
        self.at = {node: np.stack([s[node] for s in sweeps]) for node in sweeps[0]}

    def weigh(self, gradient: Any) -> Any:
        """⟨r, gradient⟩ for every direction r."""
        return _inner(self.directions, gradient)

    def effect(self, node: Node, change: Any) -> Any:
        """⟨r, P(change)⟩ for every direction r, of a change of what arrives at `node`."""
        return _inner(self.at[node], change)


def _inner(stack: Any, array: Any) -> Any:
    flat = np.asarray(array, float).reshape(-1)
    with np.errstate(invalid="ignore", over="ignore"):
        return stack.reshape(len(stack), -1) @ flat


def tangents(
    graph: Graph,
    values: Mapping[Node, Any],
    directions: Mapping[Node, Any],
    silent: AbstractSet[tuple[Node, int]],
) -> dict[Node, Any]:
    """The tangents of all nodes for directions of the leaves; without those that are not known."""
    found: dict[Node, Any] = dict(directions)
    lost: set[Node] = set()
    for node in graph.nodes:
        given = [
            found.get(p) if isinstance(p, Node) and (node, i) not in silent else None
            for i, p in enumerate(node.inputs)
        ]
        if all(t is None for t in given) or node in found:
            continue
        xs = [values[p] if isinstance(p, Node) else p for p in node.inputs]
        push = node.op.push
        if push is None or any(p in lost for p in node.inputs if isinstance(p, Node)):
            lost.add(node)
            continue
        with np.errstate(all="ignore"):
            tangent = push(given, values[node], xs, node.params)
        if tangent is None:
            continue
        found[node] = tangent if type(tangent) is tuple else _full(tangent, node.shape)
    return {n: t for n, t in found.items() if type(t) is not tuple and n not in lost}


def _full(tangent: Any, shape: Shape) -> Any:
    return np.broadcast_to(np.asarray(tangent, float), shape)
