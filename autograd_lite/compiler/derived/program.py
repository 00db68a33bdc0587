"""Two passes as statements: which values get a name, which are kept, in what order they come.

The forward pass computes the output, the backward pass gradients of it; both are parts of one
graph. A value gets a name if it is read twice or kept; all others stand inside the expression that
reads them. Knows graphs and expressions; no operator. Imports graph, naming, scribe.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.naming import Names
from autograd_lite.compiler.derived.scribe import (
    expression,
    is_view,
    keeps_leading,
    plain_operand,
    tidied,
    unrepeated,
)
from autograd_lite.graph import Graph, Leaf, Node, ancestors
from autograd_lite.shapes import Shape

__all__ = ["Passes", "Statement", "Task", "passes"]

_LINE = 84  # characters of an expression


@dataclass(frozen=True)
class Statement:
    """``target = expression``, or a ``return`` if the target is empty.

    ``nodes`` are those that it computes; ``through`` are the places of the statements of the
    forward pass through which it passes the gradient back.
    """

    target: str
    expression: str
    nodes: tuple[Node, ...] = ()
    through: tuple[int, ...] = ()


@dataclass(frozen=True)
class Task:
    """What is to be written: nodes of one graph.

    ``cotangents`` are the arguments of backward with their names, ``inputs`` those of forward,
    ``held`` the names of the leaves and arrays that the object holds (parameters, constants) by
    their ``id``, ``returned`` the gradients that backward returns, ``stored`` those that it stores
    under a name. ``gradients`` says which node is the gradient of which, ``steps`` through which
    forward value a node passes the gradient back; ``mentioned`` are values of the forward pass that
    must have a name.
    """

    outputs: Sequence[Node]
    cotangents: Mapping[Node, str]
    inputs: Sequence[Node]
    held: Mapping[int, str]
    returned: Sequence[Node]
    stored: Mapping[str, Node]
    gradients: Mapping[Node, Node]
    steps: Mapping[Node, Node]
    mentioned: Sequence[Node] = ()


@dataclass(frozen=True)
class Passes:
    """The statements of both passes; each ends with its return.

    ``kept`` names what forward keeps for backward, in the order of the program, with its shape.
    """

    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]
    kept: Mapping[str, Shape]


def passes(task: Task, names: Names) -> Passes:
    """Both passes as statements."""
    return _Planner(task, names).passes()


class _Planner:
    def __init__(self, task: Task, names: Names) -> None:
        self.task, self.names = task, names
        graph = Graph([*task.outputs, *task.returned, *task.stored.values()])
        self.order = graph.nodes
        self.forward = set(ancestors(task.outputs))
        self.reached = self._reached()
        self.hoisted = self._hoisted()
        self.late = [n for n in self.order if not self._is_early(n) and not isinstance(n, Leaf)]
        self.early = [n for n in self.order if self._is_early(n) and not isinstance(n, Leaf)]
        self.kept = self._kept()
        self.named: set[Node] = set()
        self.readers: dict[Node, list[Node]] = {}
        for node in self.order:
            for p in self._reads(node):
                self.readers.setdefault(p, []).append(node)

    def _reached(self) -> set[Node]:
        """All that rests on the arriving gradient."""
        found = set(self.task.cotangents)
        for node in self.order:
            if any(isinstance(p, Node) and p in found for p in node.inputs):
                found.add(node)
        return found

    def _hoisted(self) -> set[Node]:
        """Masks that backward reads, and what they are made of: forward prepares them."""
        masks = [node for node in self.order if self._is_mask(node)]
        made = ancestors(masks) if masks else []
        return {node for node in made if node not in self.reached and not isinstance(node, Leaf)}

    def _is_mask(self, node: Node) -> bool:
        """A condition of forward values, which is smaller to keep than they are."""
        return node.dtype == np.bool_ and node not in self.reached and node not in self.forward

    def _is_early(self, node: Node) -> bool:
        return node in self.forward or node in self.hoisted

    def _reads(self, node: Node) -> list[Node]:
        return [p for p in unrepeated(node) if isinstance(p, Node)]

    def _kept(self) -> set[Node]:
        """What the backward pass reads of the forward pass."""
        found: set[Node] = set()
        pending = [p for node in self.late for p in self._reads(node)]
        pending += [node for node in self._results() if node not in self.reached]
        while pending:
            node = pending.pop()
            if id(node) in self.task.held or node in self.late or node in self.task.cotangents:
                continue
            if is_view(node):
                pending += self._reads(node)
            else:
                found.add(node)
        return found

    def _results(self) -> list[Node]:
        return [*self.task.returned, *self.task.stored.values()]

    # statements

    def passes(self) -> Passes:
        """Name what must have a name, until no line is too long."""
        self.named |= self.kept | self._read_twice(self.early, [*self.task.outputs, *self.kept])
        if len(self.task.outputs) > 1:
            self.named |= {node for node in self.task.outputs if not isinstance(node, Leaf)}
        self.named |= self._read_twice(self.late, self._results())
        self.named |= {f for f in self.task.mentioned if self._is_early(f)}
        self.named |= {f for g in self.named for f in self._differentiated(g)}
        self.names.expect([*self.named, *self.task.outputs])
        for node in self.order:  # in the order of the program, so that counters rise with it
            if node in self.named and not isinstance(node, Leaf):
                self._name(node)
        forward = self._forward()
        self.home = {node: k for k, one in enumerate(forward) for node in one.nodes}
        backward = self._with_remarks(self._backward())
        kept = {self.names.of(node): node.shape for node in self.order if node in self.kept}
        return Passes(tuple(forward), tuple(backward), kept)

    def _differentiated(self, gradient: Node) -> list[Node]:
        """The forward value whose gradient this is: it has a name too."""
        of = self.task.gradients.get(gradient)
        early = of is not None and self._is_early(of) and not isinstance(of, Leaf)
        return [of] if of is not None and early and not self._view(of) else []

    def _with_remarks(self, statements: list[Statement]) -> list[Statement]:
        """Each step of the chain rule is named once, where it begins."""
        told: set[int] = set()
        result = []
        for statement in statements:
            through = (self.task.steps[n] for n in statement.nodes if n in self.task.steps)
            homes = dict.fromkeys(self.home[node] for node in through if node in self.home)
            result.append(replace(statement, through=tuple(h for h in homes if h not in told)))
            told |= set(homes)
        return result

    def _name(self, node: Node) -> str:
        of = self.task.gradients.get(node)
        if of is not None and node not in self.names.given:
            own = f"d{self.names.of(of)}"
            self.names.given[node] = own
        elif node not in self.names.given and not self._is_early(node):
            self.names.fix(node, "g" if node in self.reached else "slope")
        return self.names.of(node)

    def _read_twice(self, nodes: Sequence[Node], results: Sequence[Node]) -> set[Node]:
        counts: dict[Node, int] = {}
        pending, own = list(results), set(nodes)
        while pending:
            node = pending.pop()
            counts[node] = counts.get(node, 0) + 1
            if node in own and (counts[node] == 1 or self._view(node)):
                pending += self._reads(node)
        return {n for n, count in counts.items() if count > 1 and n in own and not self._view(n)}

    def _bare(self, node: Node) -> bool:
        """Whether all that read a reduction bring the leading axes that it keeps themselves."""
        readers = self.readers.get(node, ())
        return bool(readers) and keeps_leading(node) and all(
            reader.op.kind == "pointwise"
            and any(p.ndim == reader.ndim and not keeps_leading(p) for p in self._reads(reader))
            for reader in readers
        )  # fmt: skip

    def _view(self, node: Node) -> bool:
        return is_view(node)

    def _forward(self) -> list[Statement]:
        read: Callable[[Node], str] = self._read_in_forward
        statements = []
        for node in self.order:
            if node in self.kept and node in self.task.inputs:
                name = self.names.of(node)
                statements.append(Statement(f"self.{name}", name, (node,)))
            elif node in self.named and self._is_early(node) and not isinstance(node, Leaf):
                statements += self._assign(self._target(node), node, read)
        first, *others = self.task.outputs
        if others or self._at_hand(first):
            return [*statements, Statement("", ", ".join(map(read, self.task.outputs)))]
        return [*statements, *self._assign("", first, read)]

    def _target(self, node: Node) -> str:
        name = self.names.of(node)
        return f"self.{name}" if node in self.kept else name

    def _backward(self) -> list[Statement]:
        read = self._read_in_backward
        statements: list[Statement] = []
        stored: dict[Node, list[str]] = {}
        for name, node in self.task.stored.items():
            stored.setdefault(node, []).append(f"self.{name}")
        for node in self.late:
            if node in self.named:
                statements += self._assign(self._name(node), node, read)
            for target in stored.get(node, ()):
                statements += self._assign(target, node, read)
        for node, targets in stored.items():
            if node not in self.late:
                statements += [Statement(target, read(node)) for target in targets]
        returned = []
        for node in self.task.returned:
            if node in self.late and node not in self.named and len(self.task.returned) > 1:
                self.named.add(node)
                statements += self._assign(self._name(node), node, read)
            returned.append(node)
        return [*statements, *self._returning(returned, read)]

    def _returning(self, nodes: list[Node], read: Callable[[Node], str]) -> list[Statement]:
        if not nodes:
            return []
        if len(nodes) == 1 and not self._at_hand(nodes[0]) and nodes[0] in self.late:
            return self._assign("", nodes[0], read)
        return [Statement("", ", ".join(map(read, nodes)))]

    def _assign(self, target: str, node: Node, read: Callable[[Node], str]) -> list[Statement]:
        """The statement of a node; parts of a long expression get statements of their own."""
        if node in self.named and target != self._own(node) and not target.startswith("self.d"):
            return [Statement(target, read(node))]
        before: list[Statement] = []
        while True:
            inside: list[Node] = [node]
            text = self._written(node, read, inside)
            parts = [p for p in inside[1:] if not self._view(p)]
            if len(tidied(text)) <= _LINE or not parts:
                return [*before, Statement(target, text, tuple(inside))]
            sizes = {p: len(self._written(p, read, [])) for p in parts}
            fitting = [p for p in parts if sizes[p] <= _LINE] or parts
            part = max(fitting, key=lambda p: (sizes[p], -p.serial))
            self.named.add(part)
            before += self._assign(self._name(part), part, read)

    def _own(self, node: Node) -> str:
        if self._is_early(node):
            return self._target(node)
        return self._name(node)

    def _written(self, node: Node, read: Callable[[Node], str], inside: list[Node]) -> str:
        def operand(x: Any) -> str:
            if not isinstance(x, Node):
                return self._held(x)
            if self._at_hand(x):
                return read(x)
            inside.append(x)
            return self._written(x, read, inside)

        return expression(node, operand, bare=self._bare(node))

    def _at_hand(self, node: Node) -> bool:
        return node in self.named or isinstance(node, Leaf)

    def _held(self, x: Any) -> str:
        name = self.task.held.get(id(x))
        return f"self.{name}" if name else plain_operand(x)

    def _read_in_forward(self, node: Node) -> str:
        if id(node) in self.task.held:
            return f"self.{self.task.held[id(node)]}"
        if node in self.task.inputs:
            return self.names.of(node)
        return self._target(node)

    def _read_in_backward(self, node: Node) -> str:
        if node in self.task.cotangents:
            return self.task.cotangents[node]
        if id(node) in self.task.held:
            return f"self.{self.task.held[id(node)]}"
        if node in self.kept:
            return f"self.{self.names.of(node)}"
        if node in self.late and node not in self.named:
            return self._written(node, self._read_in_backward, [])
        return self._name(node)
