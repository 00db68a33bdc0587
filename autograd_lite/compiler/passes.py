"""The passes: named steps from graph to simpler graph, each of which can be shown.

Knows what a pass is and their order. The laws themselves stand in ``rewrite``. Imports graph,
recording, rewrite and the operators.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.compiler.tracing import ARRAY, OUTWARD, TENSOR
from autograd_lite.graph import Constant, Graph, Node, rebuilt, same_again, settled
from autograd_lite.recording import DETACH
from autograd_lite.rewrite import SOUND, Law, Step, rewritten
from autograd_lite.rewrite.patterns import operator
from autograd_lite.rules import OPS
from autograd_lite.shapes import broadcast_shapes

__all__ = ["FACTORS", "PASSES", "Pass", "simplified"]


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

    def unmarked(node: Node, inputs: tuple[Any, ...]) -> Node:
        marked = node.op.forward in _MARKS and isinstance(inputs[0], Node)
        return inputs[0] if marked else same_again(node, inputs)

    made = rebuilt(graph, unmarked)
    return Graph([made[out] for out in graph.outputs]), ()


_MARKS = {ARRAY.forward, OUTWARD.forward, TENSOR.forward, DETACH.forward, OPS["alias"].forward}


def _constants(graph: Graph) -> tuple[Graph, tuple[Step, ...]]:
    """What rests on constants alone is computed; a constant of equal elements becomes a number.

    A number in the place of an array that was repeated: only where the other operands have the
    result's shape and dtype, so that it is the same computation.
    """

    def computed(node: Node, inputs: tuple[Any, ...]) -> Any:
        inputs = tuple(x.value if type(x) is Constant else x for x in inputs)
        if not any(isinstance(x, Node) for x in inputs) and node.dtype is not None:
            return settled(node.op.forward(*inputs, **node.params))
        if _is_elementwise(node):
            inputs = tuple(_as_number(x, inputs, node) for x in inputs)
        return same_again(node, inputs)

    made = rebuilt(graph, computed)
    found = ((made[out], out.name) for out in graph.outputs)
    return Graph(
        [x if isinstance(x, Node) else Constant("constant", x, name, None, 0) for x, name in found]
    ), ()


def _is_elementwise(node: Node) -> bool:
    return node.op.kind == "pointwise"


def _as_number(x: Any, inputs: Sequence[Any], node: Node) -> Any:
    """A constant whose elements are all the same number as that number, if nothing else changes."""
    if isinstance(x, Node) or not isinstance(x, (np.ndarray, np.generic)) or not x.size:
        return x
    others = [y for y in inputs if y is not x]
    fits = all(isinstance(y, Node) and y.dtype == x.dtype == node.dtype for y in others)
    if not others or not fits or x.dtype.kind != "f" or x.dtype == np.float16:
        return x
    if broadcast_shapes(*(y.shape for y in others)) != node.shape:
        return x
    first = x.reshape(-1)[0] if isinstance(x, np.ndarray) else x
    flat = not any(x.strides) or bool((x == first).all())
    return first.item() if flat else x


def _repetitions(graph: Graph) -> tuple[Graph, tuple[Step, ...]]:
    """Operands that are repeated to a shape which the operator would give them anyway."""

    def unrepeated(node: Node, inputs: tuple[Any, ...]) -> Node:
        if _is_elementwise(node) and len(inputs) > 1:
            for i, x in enumerate(inputs):
                shorter = _unrepeated(x)
                trial = (*inputs[:i], shorter, *inputs[i + 1 :])
                if shorter is not x and _shape_of_all(trial) == node.shape:
                    inputs = trial
        return same_again(node, inputs)

    made = rebuilt(graph, unrepeated)
    return Graph([made[out] for out in graph.outputs]), ()


def _unrepeated(x: Any) -> Any:
    repeats = isinstance(x, Node) and x.op.forward is OPS["broadcast_to"].forward
    return x.inputs[0] if repeats and isinstance(x.inputs[0], Node) else x


def _shape_of_all(inputs: Sequence[Any]) -> Any:
    return broadcast_shapes(*(np.shape(x) if not isinstance(x, Node) else x.shape for x in inputs))


def _is_factor(*numbers: Any) -> bool:
    """Whether these are plain numbers whose product is one too, neither lost nor infinite."""
    if not all(type(number) in (int, float) for number in numbers):
        return False
    product = 1.0
    for number in numbers:
        product *= number
    return 1e-30 < abs(product) < 1e30


_sum, _sum_to = operator("sum"), operator("sum_to")

FACTORS: list[Law] = [
    Law("a number added to itself", lambda a: a + a, lambda a: a * 2),
    Law("two factors as one", lambda a, c, d: (a * c) * d, lambda a, c, d: a * (c * d),
        when=lambda a, c, d: _is_factor(c, d) and isinstance(a, Node),
        samples=[((2, 3), 3.0, -0.7)]),
    Law("a factor divided", lambda a, c, d: (a * c) / d, lambda a, c, d: a * (c / d),
        when=lambda a, c, d: _is_factor(d) and _is_factor(c, 1 / d) and isinstance(a, Node),
        samples=[((2, 3), 3.0, 7.0)]),
    Law("a sign out of a product", lambda a, b: a * -b, lambda a, b: -(a * b)),
    Law("a sign out of a sum", lambda a, axis, keepdims: _sum(-a, axis=axis, keepdims=keepdims),
        lambda a, axis, keepdims: -_sum(a, axis=axis, keepdims=keepdims),
        samples=[((2, 3), (0,), False)]),
    Law("a sign out of a sum of copies",
        lambda a, axes, shape: _sum_to(-a, axes=axes, shape=shape),
        lambda a, axes, shape: -_sum_to(a, axes=axes, shape=shape),
        samples=[((2, 3), (0,), (3,))]),
    Law("a factor with its sign", lambda a, c: -(a * c), lambda a, c: a * -c,
        when=lambda a, c: _is_factor(c) and isinstance(a, Node),
        samples=[((2, 3), 3.0)]),
]  # fmt: skip
"""Re-association that is declared safe: of numbers, where no product leaves the usual range."""


def _by(laws: Sequence[Law], graph: Graph) -> tuple[Graph, tuple[Step, ...]]:
    """Laws are applied; equal nodes become one, constants are computed."""
    found = rewritten(graph, laws)
    return found.graph, found.steps


PASSES: Sequence[tuple[str, Callable[[Graph], tuple[Graph, tuple[Step, ...]]]]] = (
    ("marks of derivatives", _without_marks),
    ("repetitions", _repetitions),
    ("constants", _constants),
    ("algebra", partial(_by, SOUND)),
    ("factors", partial(_by, FACTORS)),
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
