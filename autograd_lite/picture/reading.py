"""What is read of what is to be drawn: its graph, and all that is shown of it.

Knows tensors, graphs, the gradients that flow through them, highlights and checks. Does not know
how any of it looks. Imports errors, graph, reverse and its siblings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import DrawError
from autograd_lite.graph import Graph, Node
from autograd_lite.picture.marks import Shown
from autograd_lite.picture.overlay import Check
from autograd_lite.reverse import flow

__all__ = ["checks_of", "cotangent_of", "graph_of", "shown_of"]


def graph_of(y: Any) -> Graph:
    """The graph of what ``draw`` is given: a graph, tensors, or a comparison that holds one."""
    held = y if isinstance(y, Graph) else getattr(y, "graph", None)
    if isinstance(held, Graph):
        return held
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


def shown_of(graph: Graph, values: bool, gradients: bool, local: bool, cotangent: Any) -> Shown:
    """The values, and the gradients that flow back from the outputs."""
    smooth = all(np.dtype(out.dtype).kind in "fc" for out in graph.outputs if out.dtype is not None)
    if not (gradients and graph.inputs and smooth):
        return Shown(graph.replay() if values else {}, rules=local)
    several = len(graph.outputs) > 1
    given = None if cotangent is None else list(cotangent) if several else [cotangent]
    if given is not None and len(given) != len(graph.outputs):
        raise DrawError(f"{len(given)} cotangents for {len(graph.outputs)} outputs")
    found = flow(graph, given)
    seeds = [_seed(out, None if given is None else given[k]) for k, out in enumerate(graph.outputs)]
    shown = found.values if values else {}
    return Shown(shown, found.cotangents, found.contributions, seeds, local)


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


def checks_of(compare: Any, graph: Graph, shown: Shown) -> dict[Node, list[Check]]:
    """What ``compare=`` says about the nodes of a graph.

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
        node = key if isinstance(key, Node) else getattr(key, "node", None)
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
