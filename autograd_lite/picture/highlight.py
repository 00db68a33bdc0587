"""``highlight=``: which nodes and which ways between them are to stand out.

Knows graphs: nodes by themselves or by name, and all paths from one to another. Does not know how
that is drawn (``overlay``). Imports graph and errors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_lite.errors import DrawError
from autograd_lite.graph import Graph, Node, visible

__all__ = ["Lit", "highlighted"]


@dataclass(frozen=True)
class Lit:
    """The nodes that stand out, and the edges (node, reader) between them that do too."""

    nodes: frozenset[Node]
    edges: frozenset[tuple[Node, Node]]


def highlighted(graph: Graph, wanted: Any, now: Mapping[Node, Node]) -> Lit:
    """What ``highlight=`` names in a graph; ``now`` maps nodes that were replaced.

    An item is a tensor, a node or a name; a pair of items stands for all paths from the first to
    the second; a list holds several of these.
    """
    nodes: set[Node] = set()
    edges: set[tuple[Node, Node]] = set()
    for item in wanted if isinstance(wanted, (list, set, frozenset)) else [wanted]:
        if not isinstance(item, tuple):
            nodes |= _found(graph, item, now)
            continue
        if len(item) != 2:
            raise DrawError(
                f"a path to highlight has a start and an end, here are {len(item)}",
                mend="highlight=(W, L) for all paths from W to L, highlight=[a, b, c] for nodes",
            )
        ends = [_found(graph, end, now) for end in item]
        on_path, between = _paths(graph.nodes, *ends)
        if not on_path:
            there_and_back = _paths(graph.nodes, *reversed(ends))[0]
            raise DrawError(
                f"no path leads from {_told(item[0])} to {_told(item[1])}",
                mend="turn the pair round: the path runs forward, from operands to results"
                if there_and_back
                else "see print(ag.Graph.of(y)) for what reads what",
            )
        nodes |= on_path
        edges |= between
    if not nodes:
        raise DrawError("there is nothing to highlight: the list is empty")
    return Lit(frozenset(nodes), frozenset(edges))


def _found(graph: Graph, item: Any, now: Mapping[Node, Node]) -> set[Node]:
    if isinstance(item, str):
        found = {node for node in graph.nodes if node.name == item}
        if not found:
            named = sorted({visible(node.name, 24) for node in graph.nodes if node.name})
            raise DrawError(
                f"nothing in the graph is called {visible(item)!r}",
                mend=f"one of: {', '.join(named[:20])}" if named else "give the tensor itself",
            )
        return found
    node = item if isinstance(item, Node) else getattr(item, "node", None)
    if not isinstance(node, Node):
        raise DrawError(
            f"a {type(item).__name__} cannot be highlighted",
            mend="a tensor, its name, a pair (start, end) for all paths, or a list of these",
        )
    if now.get(node, node) not in set(graph.nodes):
        raise DrawError(f"{_told(item)} is not in the graph that is drawn")
    return {now.get(node, node)}


def _told(item: Any) -> str:
    if isinstance(item, str):
        return visible(item)
    node = item if isinstance(item, Node) else item.node
    return visible(node.name) if node.name else f"a result of {visible(node.op.name, 40)}"


def _paths(
    nodes: Sequence[Node], start: set[Node], end: set[Node]
) -> tuple[set[Node], set[tuple[Node, Node]]]:
    """The nodes, and the steps, of all paths from a node of ``start`` to one of ``end``."""
    ahead = set(start)
    for node in nodes:
        if not ahead.isdisjoint(_operands(node)):
            ahead.add(node)
    behind = set(end)
    for node in reversed(nodes):
        if node in behind:
            behind.update(_operands(node))
    both = ahead & behind
    return both, {(p, node) for node in both for p in _operands(node) if p in both}


def _operands(node: Node) -> Iterable[Node]:
    return (p for p in node.inputs if isinstance(p, Node))
