"""The two passes of a traced function as statements, with remarks that name the steps.

Puts blocks, backward graph, names and statements together. Imports these, and rewrite.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.backward import backward_graph
from autograd_lite.compiler.derived.blocks import Block, alike, blocks
from autograd_lite.compiler.derived.naming import Names, assigned_names, usable
from autograd_lite.compiler.derived.program import Passes, Task, passes
from autograd_lite.compiler.derived.tracing import Traced
from autograd_lite.errors import DeriveError
from autograd_lite.graph import Constant, Graph, Leaf, Node
from autograd_lite.ops import plain
from autograd_lite.rewrite import SHAPES, rewritten
from autograd_lite.rewrite.field import key_of

__all__ = ["Written", "write"]


@dataclass(frozen=True)
class Written:
    """Both passes.

    ``held`` names what the constructor takes, and gives it as it was traced; ``parameters`` are
    those among it that have gradients. ``stable`` is False where a rule loses range that the
    unsimplified derivative keeps.
    """

    inputs: tuple[str, ...]
    held: Mapping[str, Any]
    parameters: tuple[str, ...]
    passes: Passes
    output: str
    stable: bool
    trace: Traced
    blocks: tuple[Block, ...]


def write(trace: Traced, wanted: Sequence[int], like: Written | None = None) -> Written:
    """The passes of a traced function, with the gradients of these inputs and of all parameters.

    ``like`` is what was written for a trace that differs in sizes alone.
    """
    return _Writer(trace, wanted, like).written()


class _Writer:
    def __init__(self, trace: Traced, wanted: Sequence[int], like: Written | None) -> None:
        self.trace, output = trace, trace.output
        self.asked = [trace.inputs[i] for i in wanted]
        self.wishes = assigned_names(trace.graph.nodes, trace.caller)
        self.wishes |= {node: node.name for node in trace.graph if node.name}
        if not usable(self.wishes.get(output)):
            self.wishes[output] = "y"
        self.blocks = self._blocks(like)
        one = np.ones(output.shape, output.dtype)
        self.back = backward_graph(trace.graph, self.blocks, one)
        nodes = [output, *self.back.gradients.values(), *self.back.steps]
        found = rewritten(Graph(nodes), SHAPES)
        self.image, self.nodes = found.image, found.graph.nodes

    def _blocks(self, like: Written | None) -> list[Block]:
        wanted = [*self.asked, *self.trace.parameters]
        if like is None:
            return blocks(self.trace.output, wanted, self.wishes)
        image = dict(zip(like.trace.graph.nodes, self.trace.graph.nodes, strict=True))
        return alike(like.blocks, image, wanted, self.wishes)

    def written(self) -> Written:
        """Name what the class holds, and plan its statements."""
        wishes = {self.image[node]: wish for node, wish in self.wishes.items()
                  if isinstance(self.image.get(node), Node)}  # fmt: skip
        names = Names(wishes, plain.__all__)
        for leaf, name in zip(self.trace.inputs, self._inputs(), strict=True):
            names.fix(leaf, name)
        held = dict(self._held(names))
        stored = {f"d{held[id(leaf)][0]}": self._gradient(leaf) for leaf in self.trace.parameters}
        gradients: dict[Node, Node] = {}
        for node, gradient in self._images(self.back.gradients.items()):
            gradients.setdefault(gradient, node)
        steps: dict[Node, Node] = {}
        for part, node in self._images(self.back.steps.items()):
            steps.setdefault(part, node)
        task = Task(
            output=self.image[self.trace.output], cotangent=self.back.cotangent,
            inputs=self.trace.inputs, held={key: name for key, (name, _) in held.items()},
            returned=[self._gradient(leaf) for leaf in self.asked], stored=stored,
            gradients={g: node for g, node in gradients.items() if g is not self.back.cotangent},
            steps=steps,
        )  # fmt: skip
        made = passes(task, names)
        stable = all(rule is None or rule.stable for b in self.blocks for rule in b.rules.values())
        return Written(
            tuple(self._inputs()), dict(held.values()),
            tuple(held[id(leaf)][0] for leaf in self.trace.parameters), made,
            wishes[task.output] if wishes[task.output] not in names.taken else "y", stable,
            self.trace, tuple(self.blocks),
        )  # fmt: skip

    def _inputs(self) -> list[str]:
        return [leaf.name or "x" for leaf in self.trace.inputs]

    def _images(self, pairs: Any) -> Iterator[tuple[Node, Node]]:
        """Pairs of nodes after tidying, those left out that became constants."""
        for node, other in pairs:
            one, two = self.image.get(node), self.image.get(other)
            if isinstance(one, Node) and isinstance(two, Node):
                yield one, two

    def _held(self, names: Names) -> Iterator[tuple[int, tuple[str, Any]]]:
        """Parameters and constant arrays by ``id``: their name, and the array."""
        same: dict[str, int] = {}
        called = [_word(leaf, "W") for leaf in self.trace.parameters]
        for leaf, name in zip(self.trace.parameters, called, strict=True):
            if called.count(name) > 1:
                same[name] = same.get(name, 0) + 1
                name = f"{name}{same[name]}"
            yield id(leaf), (names.fix(leaf, name), leaf.value)
        known: dict[Any, str] = {}
        for x in self._constants():
            array = x.value if isinstance(x, Node) else x
            key = key_of(array)
            if key not in known:
                known[key] = names.free(_word(x, "c"))
            yield id(x), (known[key], array)

    def _constants(self) -> Iterator[Any]:
        for node in self.nodes:
            if isinstance(node, Constant):
                yield node
            for x in () if isinstance(node, Leaf) else node.inputs:
                if isinstance(x, np.ndarray) and x.ndim:
                    yield x

    def _gradient(self, leaf: Node) -> Node:
        gradient = self.back.gradients.get(leaf)
        found = None if gradient is None else self.image.get(gradient)
        if not isinstance(found, Node):
            raise DeriveError(
                f"the result does not depend on {leaf.name or 'an argument'}, or not smoothly: "
                "its gradient is zero",
                mend="name the arguments whose gradients you want: argnums=(0,)",
            )
        return found


def _word(x: Any, otherwise: str) -> str:
    """The name of a leaf, if it has a plain one."""
    name = x.name if isinstance(x, Node) else None
    return name if name is not None and usable(name) else otherwise
