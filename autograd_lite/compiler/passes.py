"""The passes: named steps from graph to simpler graph, each of which can be shown.

Knows what a pass is and their order. The laws themselves stand in ``rewrite``. Imports graph,
recording, rewrite and the operators.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_lite.compiler.tracing import ARRAY
from autograd_lite.graph import Graph, Leaf, Node
from autograd_lite.recording import DETACH
from autograd_lite.rewrite import SOUND, Step, rewritten
from autograd_lite.rules import OPS

__all__ = ["PASSES", "Pass", "simplified"]


@dataclass(frozen=True)
class Pass:
    """One pass over one graph: ``before`` and ``after`` can be printed, drawn and replayed."""

    name: str
    before: Graph
    after: Graph
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        counts = f"{len(self.before)} → {len(self.after)} nodes"
        laws = sorted({step.law.name for step in self.steps})
        return f"{self.name}: {counts}" + (f" by {', '.join(laws)}" if laws else "")


def _without_marks(graph: Graph) -> tuple[Graph, tuple[Step, ...]]:
    """Nodes that only tell derivatives where to stop give way to what they hand on."""
    made: dict[Node, Any] = {}
    for node in graph:
        if isinstance(node, Leaf):
            made[node] = node
            continue
        inputs = tuple(made[x] if isinstance(x, Node) else x for x in node.inputs)
        if node.op.forward in _MARKS and isinstance(inputs[0], Node):
            made[node] = inputs[0]
        elif inputs == node.inputs and node.value is None:
            made[node] = node
        else:
            made[node] = Node(node.op, inputs, node.params, None, node.shape, node.dtype,
                              node.scope, node.code, node.offset)  # fmt: skip
            made[node].name = node.name
    return Graph([made[out] for out in graph.outputs]), ()


_MARKS = {ARRAY.forward, DETACH.forward, OPS["alias"].forward}


def _algebra(graph: Graph) -> tuple[Graph, tuple[Step, ...]]:
    """Laws that keep every finite result; equal nodes become one, constants are computed."""
    found = rewritten(graph, SOUND)
    return found.graph, found.steps


PASSES: Sequence[tuple[str, Callable[[Graph], tuple[Graph, tuple[Step, ...]]]]] = (
    ("marks of derivatives", _without_marks),
    ("algebra", _algebra),
)
"""All passes by name, in their order."""


def simplified(graph: Graph) -> list[Pass]:
    """The graph through all passes; the last one's ``after`` is what is compiled."""
    found = []
    for name, run in PASSES:
        after, steps = run(graph)
        found.append(Pass(name, graph, after, steps))
        graph = after
    return found
