"""The order of a program's nodes, and which of them run block by block.

A run of element-wise nodes on large arrays goes row block by row block, so that what lies between
them stays in the processor's cache. Knows shapes and kinds of operators; no memory, no text.
Imports graph and rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from autograd_lite.graph import Graph, Leaf, Node
from autograd_lite.rules import NUMPY, OPS

__all__ = ["Block", "blocks_of", "is_elementwise", "row_local", "schedule", "ufunc_of"]

LARGE = 1 << 17  # elements of an array from which on blocks pay
BLOCK = 1 << 15  # elements of a block
FEWEST = 3  # nodes that are worth a loop

_UFUNCS = {
    function.op.forward: ufunc
    for ufunc, function in NUMPY.items()
    if isinstance(ufunc, np.ufunc) and ufunc.signature is None and hasattr(function, "op")
}


def ufunc_of(node: Node) -> np.ufunc | None:
    """The ufunc that computes a node into memory that is given; None if there is none."""
    forward = node.op.forward
    found = forward if isinstance(forward, np.ufunc) else _UFUNCS.get(forward)
    if found is None or node.params or found.nin != len(node.inputs) or found.nout != 1:
        return None
    if found is np.reciprocal and node.dtype.kind not in "fc":
        return None
    if found is np.power and not isinstance(node.inputs[1], Node):
        return None  # ``x ** p`` has ways of its own for some numbers p
    return found


@dataclass
class Block:
    """Nodes that are computed together, ``rows`` rows at a time out of ``total``."""

    total: int
    rows: int
    nodes: list[Node] = field(default_factory=list)


_CHOICES = {OPS["where"].forward, OPS["_or_nan"].forward}


def is_elementwise(node: Node) -> bool:
    """Whether each element rests on the elements in its place alone."""
    forward = node.op.forward
    return node.op.kind == "pointwise" or forward in _CHOICES or ufunc_of(node) is not None


def row_local(node: Node, total: int) -> bool:
    """Whether each row of a node (along the first axis) rests on the same row of its inputs."""
    if not node.shape or node.shape[0] != total:
        return False
    operands = [p for p in node.inputs if isinstance(p, Node)]
    if is_elementwise(node):
        return all(_fits(p, node) for p in operands) and not any(
            isinstance(p, np.ndarray) and p.ndim for p in node.inputs
        )
    (first, *rest) = operands or [node]
    axis = node.params.get("axis")
    reduces = "keepdims" in node.params and isinstance(axis, tuple) and axis and 0 not in axis
    return bool(reduces) and not rest and first.shape[:1] == (total,)


def _fits(p: Node, node: Node) -> bool:
    """Whether an operand has rows of its own, or none at all."""
    return p.ndim < node.ndim or p.shape[0] in (1, node.shape[0])


def schedule(graph: Graph) -> list[Node | Block]:
    """The nodes in an order in which they can be computed, large element-wise ones in blocks.

    One block is open at a time; what rests on it waits until it is closed.
    """
    order: list[Node | Block] = []
    open_block = Block(0, 0)
    waiting: list[Node] = []
    behind: set[Node] = set()  # what is in the open block, or waits for it
    stuck: set[Node] = set()

    for node in graph:
        if isinstance(node, Leaf):
            continue
        rests = [p for p in node.inputs if isinstance(p, Node) and p in behind]
        waits = any(p in stuck for p in rests)
        if not waits and _joins(node, open_block, rests):
            open_block.nodes.append(node)
            behind.add(node)
        elif _opens(node):
            order += [*_worthwhile(open_block), *waiting]
            total = node.shape[0]
            open_block = Block(total, blocks_of(total, _width(node) // total), [node])
            waiting, behind, stuck = [], {node}, set()
        elif rests:
            waiting.append(node)
            stuck.add(node)
            behind.add(node)
        else:
            order.append(node)
    return _results_first([*order, *_worthwhile(open_block), *waiting], set(graph.outputs))


def _results_first(order: Sequence[Node | Block], outputs: set[Node]) -> list[Node | Block]:
    """Results as soon as they can be computed: what they are made of is then free earlier."""
    after: list[list[Node | Block]] = [[] for _ in range(len(order) + 1)]
    place: dict[Node, int] = {}
    for k, one in enumerate(order, 1):
        at = k
        if not isinstance(one, Block) and one in outputs:
            at = max([place.get(p, 0) for p in one.inputs if isinstance(p, Node)], default=k)
        after[at].append(one)
        for node in one.nodes if isinstance(one, Block) else [one]:
            place[node] = at
    return [one for several in after for one in several]


def _width(node: Node) -> int:
    return max([node.size, *(p.size for p in node.inputs if isinstance(p, Node))])


def _opens(node: Node) -> bool:
    """Whether a block may begin with this node."""
    return (
        len(node.shape) > 0
        and node.shape[0] > 1
        and _width(node) >= LARGE
        and row_local(node, node.shape[0])
    )


def _joins(node: Node, block: Block, inner: Sequence[Node]) -> bool:
    """Whether a node can be computed in the same loop."""
    if not block.nodes or not row_local(node, block.total):
        return False
    if _width(node) < LARGE and not inner:
        return False
    return not (is_elementwise(node) and any(p.ndim != node.ndim for p in inner))


def blocks_of(total: int, width: int) -> int:
    """How many rows a block has: a divisor of the total near to the best size, if there is one."""
    best = max(1, BLOCK // max(1, width))
    count = max(1, round(total / best))
    for near in range(count, 2 * count + 1):
        if total % near == 0:
            return total // near
    return best


def _worthwhile(block: Block) -> Sequence[Node | Block]:
    if len(block.nodes) < FEWEST or block.rows >= block.total:
        return block.nodes
    return [block]
