"""``repeat=``: the hidden copies of a broadcast as the nodes that they are.

Knows that a pointwise operation repeats its smaller operands; makes a graph that says so. Does not
know pictures. Imports graph, and the registry for the operator that repeats.
"""

from typing import Any

from autograd_lite.graph import Graph, Leaf, Node
from autograd_lite.rules import OPS

__all__ = ["repeated"]


def repeated(graph: Graph) -> tuple[Graph, dict[Node, Node]]:
    """The graph with every broadcast spelled out, and the new nodes in place of old ones."""
    now: dict[Node, Node] = {}
    for node in graph.nodes:
        if isinstance(node, Leaf):
            continue
        inputs = tuple(_operand(node, p, now) for p in node.inputs)
        if any(p is not q for p, q in zip(inputs, node.inputs, strict=True)):
            now[node] = _copy(node, inputs)
    return Graph([now.get(out, out) for out in graph.outputs]), now


def _operand(node: Node, p: Any, now: dict[Node, Node]) -> Any:
    if not isinstance(p, Node):
        return p
    operand = now.get(p, p)
    failed = node.dtype is None  # its shape is not known
    if node.op.kind != "pointwise" or p.shape == node.shape or failed:
        return operand
    return Node(
        OPS["broadcast_to"], (operand,), {"shape": node.shape}, None, node.shape, p.dtype,
        node.scope, node.code, node.offset,
    )  # fmt: skip


def _copy(node: Node, inputs: tuple[Any, ...]) -> Node:
    copy = Node(
        node.op, inputs, node.params, node.value, node.shape, node.dtype, node.scope, node.code,
        node.offset,
    )  # fmt: skip
    copy.name = node.name
    return copy
