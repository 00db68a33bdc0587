"""What is read of what is to be drawn: its graph, and all that is shown of it.

Knows tensors, graphs, the gradients that flow through them, highlights and checks. Does not know
how any of it looks. Imports errors, graph, reverse and its siblings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.errors import AutogradError, DrawError
from autograd_lite.graph import Graph, Leaf, Node
from autograd_lite.picture.marks import UNKNOWN, Shown
from autograd_lite.picture.overlay import Check
from autograd_lite.reverse import flow

__all__ = ["checks_of", "cotangent_of", "graph_of", "shown_of"]


def graph_of(y: Any) -> Graph:
    """The graph of what ``draw`` is given: a graph, tensors, or a comparison that holds one."""
    held = y if isinstance(y, Graph) else getattr(y, "graph", None)
    if isinstance(held, Graph):
        return held
    if isinstance(y, AutogradError):
        return _failed(y)
    outputs = list(y) if isinstance(y, (list, tuple)) else [y]
    for out in outputs:
        if not isinstance(out, Node) and not isinstance(getattr(out, "node", None), Node):
            raise DrawError(
                f"a picture is drawn of a tensor or a Graph, not of a {type(out).__name__}",
                mend="compute with ag.tensor(data) and draw the result",
            )
    if not outputs:
        raise DrawError("there is nothing to draw: the list of outputs is empty")
    return Graph.of(*outputs)


def _failed(error: AutogradError) -> Graph:
    if error.node is None:
        raise DrawError(
            f"this {type(error).__name__} kept no operation that could be drawn",
            mend="draw the error of an operation on tracked tensors, or a tensor made before it",
        )
    return Graph([error.node])


def shown_of(
    y: Any, graph: Graph, values: bool, gradients: bool, local: bool, cotangent: Any
) -> Shown:
    """The values, and the gradients that flow back from the outputs.

    Of an operation that failed there is its message; where inputs are known by their shapes
    alone, gradients flow without numbers.
    """
    shown = _flowing(y, graph, values, gradients, cotangent)
    return replace(shown, rules=local, constants=values)


def _flowing(y: Any, graph: Graph, values: bool, gradients: bool, cotangent: Any) -> Shown:
    if isinstance(y, AutogradError):
        failed = {graph.outputs[0]: y.what}
        return Shown(_known(graph) if values else {}, failed=failed)
    smooth = all(np.dtype(out.dtype).kind in "fc" for out in graph.outputs if out.dtype is not None)
    flows = bool(gradients and graph.inputs and smooth)
    if any(isinstance(node, Leaf) and node.value is None for node in graph.nodes):
        return _without_numbers(graph, values, flows, cotangent)
    if not flows:
        return Shown(graph.replay() if values else {})
    several = len(graph.outputs) > 1
    given = None if cotangent is None else list(cotangent) if several else [cotangent]
    if given is not None and len(given) != len(graph.outputs):
        raise DrawError(f"{len(given)} cotangents for {len(graph.outputs)} outputs")
    found = flow(graph, given)
    seeds = [_seed(out, None if given is None else given[k]) for k, out in enumerate(graph.outputs)]
    shown = found.values if values else {}
    return Shown(shown, found.cotangents, found.contributions, seeds)


def _known(graph: Graph) -> dict[Node, Any]:
    """The values of the nodes that have one: those that rest on known leaves, and did not fail."""
    unknown: set[Node] = set()
    for node in graph.nodes:
        lost = node.value is None if isinstance(node, Leaf) else node.dtype is None
        failed = lost and node in graph.outputs
        if failed or (lost and isinstance(node, Leaf)) or not unknown.isdisjoint(node.inputs):
            unknown.add(node)
    return Graph([node for node in graph.nodes if node not in unknown]).replay()


def _without_numbers(graph: Graph, values: bool, flows: bool, cotangent: Any) -> Shown:
    """The ways that gradients take, where nobody knows the values."""
    if cotangent is not None:
        raise DrawError(
            "a cotangent for a graph that is known by its shapes alone",
            mend="leave it out, or trace the function with example arrays",
        )
    shown = _known(graph) if values else {}
    if not flows:
        return Shown(shown)
    reached, ways = set(graph.outputs), {}
    for node in reversed(graph.nodes):
        for i, p in enumerate(node.inputs if node in reached and node.op.pulls else ()):
            if type(p) in (Node, Leaf) and node.op.pulls[i] is not None:
                ways[node, i] = UNKNOWN
                reached.add(p)
    seeds = [UNKNOWN] * len(graph.outputs)
    return Shown(shown, dict.fromkeys(reached, UNKNOWN), ways, seeds)


def _seed(out: Node, given: Any) -> Any:
    if given is None:
        return np.ones(out.shape, out.dtype)
    return getattr(given, "data", given) if not isinstance(given, np.ndarray) else given


# hand-written numbers


def cotangent_of(compare: Any, given: Any) -> Any:
    """The gradient that begins at the outputs: the given one, else that of the comparison."""
    seeds: Sequence[Any] = getattr(compare, "cotangents", ())
    if given is not None or not len(seeds):
        return given
    return seeds if len(seeds) > 1 else seeds[0]


def checks_of(
    compare: Any, graph: Graph, shown: Shown, now: Mapping[Node, Node]
) -> dict[Node, list[Check]]:
    """What ``compare=`` says about the nodes of a graph; ``now`` maps nodes that were replaced.

    It is a mapping from tensors (or nodes) to a ``Check`` or several, or has a method
    ``checks(graph)`` that gives one.
    """
    found = compare.checks(graph) if hasattr(compare, "checks") else compare
    if not isinstance(found, Mapping):
        raise DrawError(
            f"compare does not take a {type(compare).__name__}",
            mend="an ag.compare report, or a mapping from tensors to Check",
        )
    nodes, checks = set(graph.nodes), {}
    for key, given in found.items():
        node: Any = key if isinstance(key, Node) else getattr(key, "node", None)
        node = now.get(node, node)
        if node not in nodes:
            raise DrawError("compare speaks of a tensor that is not in the graph that is drawn")
        several = [given] if isinstance(given, Check) else list(given)
        for check in several:
            _hold_against(check, node, shown)
        checks[node] = several
    if not checks:
        raise DrawError(
            "nothing in the comparison belongs to the graph that is drawn",
            mend="give the inputs and parameters the names that the comparison has, or draw the "
            "comparison itself: ag.draw(report)",
        )
    return checks


def _hold_against(check: Check, node: Node, shown: Shown) -> None:
    """Raise if a check was made against other numbers than those that are drawn."""
    drawn = (shown.values if check.of == "value" else shown.totals).get(node)
    if check.ours is None or drawn is None:
        return
    same = np.shape(check.ours) == np.shape(drawn)
    if not same or not np.allclose(drawn, check.ours, rtol=1e-6, atol=0, equal_nan=True):
        raise DrawError(
            f"the comparison holds another {check.of} than the picture for {node!r}",
            mend="draw the graph at the same inputs and with the same cotangent, or draw the "
            "comparison itself: ag.draw(report)",
        )
