"""The backward graph of blocks: the rule of each block applied, and sums where paths meet.

Knows how gradients are gathered; no operator, no code. Imports graph, recording, reverse, blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.blocks import Block
from autograd_lite.graph import Constant, Graph, Node, ancestors
from autograd_lite.modes import using
from autograd_lite.reverse import RecordedSweep
from autograd_lite.tensors import Tensor, tensor

__all__ = ["Backward", "backward_graph"]


@dataclass(frozen=True)
class Backward:
    """Gradients as nodes of a graph that reads the forward nodes and the cotangents.

    ``cotangents`` are what arrives at each output. ``gradients`` has the whole gradient of every
    block's output and of the leaves; ``steps`` says through which block's output a node passes the
    gradient back.
    """

    cotangents: tuple[Node, ...]
    gradients: dict[Node, Node]
    steps: dict[Node, Node]


def backward_graph(graph: Graph, found: Sequence[Block]) -> Backward:
    """Apply the rules of blocks, users first, beginning with a cotangent for each output."""
    handles = _handles(graph)
    arriving = [tensor(np.ones(one.shape, one.dtype)) for one in graph.outputs]
    total: dict[Node, Any] = {}
    steps: dict[Node, Node] = {}
    start = arriving[-1].node.serial
    with using(tracing=True, recording=True, debug=False, scope=None):
        for output, cotangent in zip(graph.outputs, arriving, strict=True):
            total[output] = total[output] + cotangent if output in total else cotangent
        for block in found:
            for p, gradient in _passed(block, total[block.output], handles):
                for node in _fresh(gradient.node, start):
                    steps.setdefault(node, block.output)
                total[p] = total[p] + gradient if p in total else gradient
    cotangents = tuple(one.node for one in arriving)
    return Backward(cotangents, {node: g.node for node, g in total.items()}, steps)


def _fresh(node: Node, start: int) -> list[Node]:
    """A node and what it rests on, as far as that was made after the arriving gradient."""
    return [one for one in ancestors([node]) if one.serial > start]


def _handles(graph: Graph) -> dict[Node, Tensor]:
    found: dict[Node, Tensor] = {}
    for node, value in graph.replay().items():
        if type(value) is not tuple:
            found[node] = node.outputs[0] if type(node) is Constant else Tensor(value, node)
    return found


def _passed(block: Block, g: Tensor, handles: dict[Node, Tensor]) -> list[tuple[Node, Tensor]]:
    """What a block passes back to each of its inputs."""
    result = []
    raw = {p for p, rule in block.rules.items() if rule is None}
    if raw:
        sweep = RecordedSweep({})
        sweep.pass_on(block.output, g, raw)
        result += [(p, sweep.arriving[p]) for p in raw if p in sweep.arriving]
    for p, rule in block.rules.items():
        if rule is not None:
            xs = [handles[x] for x in rule.inputs]
            kept = [handles.get(node) for node in rule.inside]
            result.append((p, rule.compute(xs, g, handles[block.output], kept)))
    return result
