"""The two passes of a traced function as statements, with remarks that name the steps.

Puts blocks, backward graph, names and statements together. Imports these, and rewrite.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from autograd_lite.rewrite import (
    PIECES,
    SHAPES,
    SIGNS,
    UNSAID,
    WRITTEN,
    LocalRule,
    factored,
    rewritten,
)
from autograd_lite.rewrite.field import key_of

__all__ = ["Written", "write"]


@dataclass(frozen=True)
class Written:
    """Both passes.

    ``wanted`` are the places of the inputs whose gradients backward returns. ``held`` names what
    the constructor takes, and gives it as it was traced; ``parameters`` are
    those among it that have gradients; ``arriving`` are the arguments of ``backward`` and their
    shapes, ``outputs`` the names of what ``forward`` returns. ``short`` are values, and the
    rules for their gradients that lose range which the unsimplified derivative keeps.
    """

    inputs: tuple[str, ...]
    wanted: tuple[int, ...]
    held: Mapping[str, Any]
    parameters: tuple[str, ...]
    passes: Passes
    outputs: tuple[str, ...]
    arriving: Mapping[str, tuple[int, ...]]
    short: Mapping[str, LocalRule]
    trace: Traced
    blocks: tuple[Block, ...]


def write(trace: Traced, wanted: Sequence[int], like: Written | None = None) -> Written:
    """The passes of a traced function, with the gradients of these inputs and of all parameters.

    ``like`` is what was written for a trace that differs in sizes alone.
    """
    return _Writer(trace, wanted, like).written()


class _Writer:
    def __init__(self, trace: Traced, wanted: Sequence[int], like: Written | None) -> None:
        self.trace, self.wanted = trace, tuple(wanted)
        self.asked = [trace.inputs[i] for i in wanted]
        self.wishes = assigned_names(trace.graph.nodes, trace.caller)
        self.wishes |= {node: node.name for node in trace.graph if node.name}
        for output in trace.outputs:
            if not usable(self.wishes.get(output)):
                self.wishes[output] = self._default(output)
        self.blocks = self._blocks(like)
        self.back = backward_graph(trace.graph, self.blocks)
        self.image, self.nodes = self._tidied()

    def _default(self, output: Node) -> str:
        """What an output is called that has no name: y, unless something else is."""
        taken = {*self._inputs(), *self.wishes.values()}
        return "y" if "y" not in taken else "out" if output.shape else "loss"

    def _tidied(self) -> tuple[Mapping[Node, Any], Sequence[Node]]:
        """What became of each node by laws, and the nodes that are left.

        The forward pass stays as it was written but for what changes no value.
        """
        leaves = [*self.asked, *self.trace.parameters]
        gradients = [g for leaf in leaves if (g := self.back.gradients.get(leaf)) is not None]
        nodes = [*self.trace.outputs, *gradients]
        found = rewritten(Graph(nodes), [*SHAPES, *SIGNS, *PIECES, *UNSAID])
        image = dict(found.image)
        arriving = {image[node] for node in self.back.cotangents}
        late = _resting_on(found.graph, arriving)
        found = rewritten(found.graph, [*SHAPES, *SIGNS, *WRITTEN], late.__contains__)
        image = _through(image, found.image)
        late = _resting_on(found.graph, arriving)
        found = factored(found.graph, late.__contains__)
        return _through(image, found.image), found.graph.nodes

    def _blocks(self, like: Written | None) -> list[Block]:
        wanted = [*self.asked, *self.trace.parameters]
        unit = [self.trace.inputs[k] for k in self.trace.unit]
        if like is None:
            return blocks(self.trace.outputs, wanted, self.wishes, unit)
        image = dict(zip(like.trace.graph.nodes, self.trace.graph.nodes, strict=True))
        return alike(like.blocks, image, self.trace.outputs, wanted, self.wishes, unit)

    def written(self) -> Written:
        """Name what the class holds, and plan its statements."""
        wishes = {self.image[node]: wish for node, wish in self.wishes.items()
                  if isinstance(self.image.get(node), Node)}  # fmt: skip
        names = Names(wishes, plain.__all__)
        for leaf, name in zip(self.trace.arguments, self._inputs(), strict=True):
            names.fix(leaf, name)
        held = dict(self._held(names))
        stored = {f"d{held[id(leaf)][0]}": self._gradient(leaf) for leaf in self.trace.parameters}
        gradients: dict[Node, Node] = {self._gradient(leaf): leaf for leaf in self.asked}
        for node, gradient in self._images(self.back.gradients.items()):
            gradients.setdefault(gradient, node)
        steps: dict[Node, Node] = {}
        for part, node in self._images(self.back.steps.items()):
            steps.setdefault(part, node)
        arriving = self._arriving(names)
        task = Task(
            outputs=[self.image[node] for node in self.trace.outputs], cotangents=arriving,
            inputs=self.trace.arguments, held={key: name for key, (name, _) in held.items()},
            returned=[self._gradient(leaf) for leaf in self.asked], stored=stored,
            gradients={g: node for g, node in gradients.items() if g not in arriving},
            steps=steps, mentioned=list(self._short()),
        )  # fmt: skip
        made = passes(task, names)
        short = {names.of(node): rule for node, rule in self._short().items()}
        return Written(
            tuple(self._inputs()), self.wanted, dict(held.values()),
            tuple(held[id(leaf)][0] for leaf in self.trace.parameters), made,
            tuple(self._called(node, names) for node in task.outputs),
            {name: node.shape for node, name in arriving.items()},
            short, self.trace, tuple(self.blocks),
        )  # fmt: skip

    def _short(self) -> dict[Node, LocalRule]:
        """The values for whose gradients there are rules that lose range."""
        pairs = [pair for block in self.blocks for pair in block.rules.items()]
        found = {self.image[p]: rule for p, rule in pairs if rule is not None and not rule.stable}
        return {p: rule for p, rule in found.items() if isinstance(p, Node)}

    def _inputs(self) -> list[str]:
        """The names of the arguments of forward; each once, as they were when they were made."""
        found: list[str] = []
        for leaf in self.trace.arguments:
            k, name = 1, _word(leaf, "x")
            while name in found:
                k += 1
                name = f"{_word(leaf, 'x')}{k}"
            found.append(name)
        return found

    def _arriving(self, names: Names) -> dict[Node, str]:
        """The names of what arrives at each output: of the only one ``dout``."""
        pairs = list(zip(self.back.cotangents, self.trace.outputs, strict=True))
        if len(pairs) == 1:
            return {pairs[0][0]: "dout"}
        return {node: f"d{names.of(self.image[output])}" for node, output in pairs}

    def _called(self, node: Node, names: Names) -> str:
        """What the documentation calls an output."""
        if node in names.given:
            return names.given[node]
        return names.wished.get(node, "y")

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


def _through(one: Mapping[Node, Any], other: Mapping[Node, Any]) -> dict[Node, Any]:
    """What became of each node in two rewritings, one after the other."""
    return {node: other.get(x, x) if isinstance(x, Node) else x for node, x in one.items()}


def _resting_on(graph: Graph, sources: Collection[Node]) -> set[Node]:
    """All nodes that rest on one of these, and these."""
    found = set(sources)
    for node in graph:
        if any(isinstance(p, Node) and p in found for p in node.inputs):
            found.add(node)
    return found


def _word(x: Any, otherwise: str) -> str:
    """The name of a leaf, if it has a plain one."""
    name = x.name if isinstance(x, Node) else None
    return name if name is not None and usable(name) else otherwise
