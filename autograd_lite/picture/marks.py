"""A graph and what flows through it become a drawing: marks, edges with labels, frames.

Knows nodes, scopes and gradients; names no operator (symbols and rules come from ``node.op``) and
no coordinate. Imports graph, shapes, rewrite and its siblings.
"""

import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from autograd_lite.graph import Graph, Leaf, Node, Scope, visible
from autograd_lite.picture.arrays import form_text, shape_text, tooltip, typeset
from autograd_lite.picture.drawing import Drawing, Edge, Label, Mark, Scene
from autograd_lite.picture.folding import Folded, Part, lineage, producer, reading_order, titled
from autograd_lite.picture.highlight import Lit
from autograd_lite.picture.names import call, names, plain_number, raised
from autograd_lite.picture.overlay import Check, Origins, checked, emphasised, flagged
from autograd_lite.rewrite import local_rule
from autograd_lite.shapes import broadcast_axes

__all__ = ["UNKNOWN", "Builder", "Shown", "Wire", "overlaid", "picture_of"]

UNKNOWN = object()  # a gradient that flows, but whose numbers nobody knows

_RULE = 44  # characters of a local rule
_SIGN = 0x13000  # the first of the letters that stand for names: no rule has hieroglyphs
_SIGNS = re.compile("([\U00013000-\U0001342f])\\1*")
_MANY = 40  # operations in a picture that says how many of them it shows


@dataclass(frozen=True)
class Shown:
    """What is shown of a graph. A node that is missing from a mapping was not computed.

    ``contributions`` maps (node, i) to the gradient that a node passes on to its input i;
    ``seeds`` gives the gradient that begins at each output, or None. ``failed`` gives the message
    of an operation that made no result; ``constants`` tells whether unnamed ones show their value.
    """

    values: Mapping[Node, Any] = field(default_factory=dict)
    totals: Mapping[Node, Any] = field(default_factory=dict)
    contributions: Mapping[tuple[Node, int], Any] = field(default_factory=dict)
    seeds: Sequence[Any] = ()
    rules: bool = True
    constants: bool = True
    failed: Mapping[Node, str] = field(default_factory=dict)
    lit: Lit | None = None
    checks: Mapping[Node, Sequence[Check]] = field(default_factory=dict)


def picture_of(graph: Graph, folded: Folded, shown: Shown) -> Drawing:
    """The drawing of a graph."""
    builder = Builder(graph, folded, shown)
    return overlaid(builder.build(), builder.origins, shown)


def overlaid(drawing: Drawing, origins: Origins, shown: Shown) -> Drawing:
    """A drawing with what is laid over it: checks, flags, highlights."""
    if shown.checks:
        drawing = checked(drawing, origins, shown.checks)
    drawing = flagged(drawing, origins, shown.values)
    return emphasised(drawing, origins, shown.lit) if shown.lit else drawing


@dataclass(frozen=True)
class Wire:
    """One way that a value goes: to slots of a part's nodes, or (no slots) to an output."""

    target: int
    slots: tuple[tuple[Node, int], ...] = ()
    output: int = -1


class Builder:
    """Makes marks, labels and frames of a graph's parts; ``build`` puts them together."""

    def __init__(self, graph: Graph, folded: Folded, shown: Shown) -> None:
        self.graph, self.folded, self.shown = graph, folded, shown
        self.nodes = reading_order(graph)
        self.names = names(self.nodes)
        self.wires: dict[Node, list[Wire]] = {}
        self.marks: list[Mark] = []
        self.edges: list[Edge] = []
        self.origins = Origins()
        self.scopes = self._open_scopes()
        self.place = {scope: k for k, scope in enumerate(self.scopes)}
        self.constants = 0
        self.several = Counter(producer(n) for n in self.nodes if producer(n) is not n)

    def build(self) -> Drawing:
        """The drawing, marks in topological order."""
        wires = self.wires = self._wires()
        pending: dict[int, list[tuple[Node, int, Wire]]] = defaultdict(list)
        for k, part in enumerate(self.folded.parts):
            entering = self._plain_constants(part)
            mark = self._add(self._mark(part, len(pending[k]) + len(entering)), part.nodes)
            for source, name, value in entering:
                self._constant_edge(source, mark, name, value, part)
            for node, source, wire in pending.pop(k):
                self._edge(node, source, mark, wire)
            for node in part.nodes:
                if node in wires:
                    source = self._junction(node, mark, wires[node])
                    for wire in wires[node]:
                        if wire.output >= 0:
                            self._output(node, source, wire)
                        else:
                            pending[wire.target].append((node, source, wire))
        return self._finished()

    # what goes where

    def _wires(self) -> dict[Node, list[Wire]]:
        home = self.folded.home
        slots: dict[tuple[Node, int, Any], list[tuple[Node, int]]] = defaultdict(list)
        for node in self.nodes:
            for i, p in enumerate(node.inputs):
                if isinstance(p, Node) and home[p] != home[node]:
                    merged = self.folded.parts[home[node]].folded is not None
                    key = (p, home[node], None if merged else (node, i))
                    slots[key].append((node, i))
        wires: dict[Node, list[Wire]] = defaultdict(list)
        for (p, target, _), ends in slots.items():
            wires[p].append(Wire(target, tuple(ends)))
        for k, out in enumerate(self.graph.outputs):
            if out in self.shown.failed:
                continue
            wires[out].append(Wire(-1, (), k))
        return wires

    def _open_scopes(self) -> list[Scope]:
        seen: dict[Scope, None] = {}
        for part in self.folded.parts:
            for scope in lineage(part.scope):
                seen.setdefault(scope)
        return list(seen)

    def _frame(self, scope: Scope | None) -> int:
        return -1 if scope is None else self.place[scope]

    def _output_mark(self, k: int) -> Mark:
        node, several = self.graph.outputs[k], len(self.graph.outputs) > 1
        name = visible(node.name, 24) if node.name else f"y{k + 1}" if several else "y"
        about = f"output {name}, shape {shape_text(node.shape)}"
        return Mark("output", name, form_text(node.shape, node.dtype), about)

    def _add(self, mark: Mark, nodes: tuple[Node, ...] = ()) -> int:
        self.marks.append(mark)
        self.origins.marks.append(nodes)
        return len(self.marks) - 1

    # marks

    def _mark(self, part: Part, ports: int) -> Mark:
        frame = self._frame(part.scope)
        if part.folded is not None:
            count = part.operations
            title = f"⊞ {visible(part.title, 40)}" + (f" × {part.times}" if part.times > 1 else "")
            what = f"{count:,} op{'s' if count != 1 else ''}"
            return Mark("fold", title, what, f"folded layer {title[2:]}: {what}", frame, ports)
        node = part.nodes[0]
        if isinstance(node, Leaf):
            kind, name = node.op.name, self.names[node]
            about = f"{kind} {name}, shape {shape_text(node.shape)}, {node.dtype}"
            return Mark(kind, name, form_text(node.shape, node.dtype), about, frame)
        if node in self.shown.failed:
            said = visible(self.shown.failed[node], 300)
            lines = textwrap.wrap(said, 36, max_lines=5, placeholder=" …")
            about = f"operation {visible(node.op.name, 40)} failed: {said}"
            return Mark("failed", self._title(node), "\n".join(lines), about, frame, ports)
        return Mark("op", self._title(node), "", self._about(node), frame, ports)

    def _title(self, node: Node) -> str:
        """The operator's symbol; with a number that is its other operand: +1, x^2, max(x,0)."""
        symbol = visible(node.op.symbol, 20)
        numbers = [_number(p) for p in node.inputs]
        if len(numbers) != 2 or sum(text == "" for text in numbers) != 1:
            return symbol
        text = node.op.text.format(*(text or "x" for text in numbers), args="").replace(" ", "")
        text = raised(text)
        text = text.removeprefix("x") if text.startswith(f"x{symbol}") else text
        return text if len(text) <= 16 else symbol

    def _about(self, node: Node) -> str:
        params = ", ".join(f"{key}={_safe(value)}" for key, value in node.params.items())
        inside = f" ({params})" if params else ""
        results = self.several.get(node)
        gives = f"{results} arrays" if results else form_text(node.shape, node.dtype)
        return f"operation {visible(node.op.name, 40)}{inside}, gives {gives}"

    def _plain_constants(self, part: Part) -> list[tuple[int, str, Any]]:
        """Marks for the unnamed arrays that an operation reads; one number goes into its title."""
        if part.folded is not None:
            return []
        node = part.nodes[0]
        plain = [p for p in node.inputs if not isinstance(p, Node)]
        titled = len(node.inputs) == 2 and len(plain) == 1 and plain_number(plain[0])
        found = []
        for value in [] if titled else plain:
            if value is None or isinstance(value, (str, slice)):
                continue
            if plain_number(value):
                name, shape = _number(value), ""
            else:
                self.constants += 1
                array = np.asarray(value)
                name, shape = f"const{self.constants}", form_text(array.shape, array.dtype)
            about = f"constant {name} {shape}".strip()
            mark = Mark("constant", name, shape, about, self._frame(part.scope))
            found.append((self._add(mark), name, value))
        return found

    def _junction(self, node: Node, mark: int, wires: Sequence[Wire]) -> int:
        """Where a value is used more than once: a trunk with the value and the sum, then a dot."""
        if len(wires) == 1:
            return mark
        scope = self.folded.parts[self.folded.home[node]].scope
        frame = self._frame(scope)
        name = self.names[node]
        about = f"{name} is used {len(wires)} times; the gradients that come back are added"
        total = self.shown.totals.get(node)
        meeting = sum(self._arrives(wire) for wire in wires)
        rule = f"= sum of {meeting} gradients" if meeting > 1 and self.shown.rules else ""
        label = self._label(
            node, self.shown.values.get(node), total, rule if total is not None else ""
        )
        dot = self._add(Mark("dot", "", "", about, frame), (node,))
        readers = tuple(reader for wire in wires for reader, _ in wire.slots)
        self._connect(mark, dot, label, frame, f"value {name}", node, total, readers=readers)
        return dot

    def _arrives(self, wire: Wire) -> bool:
        if wire.output >= 0:
            return self._seed(wire.output) is not None
        return any(slot in self.shown.contributions for slot in wire.slots)

    def _seed(self, output: int) -> Any:
        return self.shown.seeds[output] if output < len(self.shown.seeds) else None

    def _output(self, node: Node, source: int, wire: Wire) -> None:
        drawn = self._output_mark(wire.output)
        mark, name = self._add(drawn, (node,)), drawn.title
        seed = self._seed(wire.output)
        rule = "= seed" if seed is not None and self.shown.rules else ""
        branch = self.marks[source].kind == "dot"
        value = None if branch else self.shown.values.get(node)
        label = self._label(node, value, seed, rule, branch=branch, name=name)
        self._connect(source, mark, label, -1, f"output {name}", node, seed)

    # edges

    def _edge(self, node: Node, source: int, target: int, wire: Wire) -> None:
        gradient, rule = self._passed_on(self.folded.parts[wire.target], wire.slots)
        branch = self.marks[source].kind == "dot"
        value = None if branch else self.shown.values.get(node)
        name = self._of_several(node, wire)
        label = self._label(node, value, gradient, rule, branch=branch, name=name)
        frame = self._shared(self.marks[source].frame, self.marks[target].frame)
        about = f"{self.names[node]} into {self.marks[target].tooltip}"
        readers = tuple(reader for reader, _ in wire.slots)
        self._connect(source, target, label, frame, about, node, gradient, rule, readers)

    def _of_several(self, node: Node, wire: Wire) -> str:
        """What parallel edges into a folded layer are called, which are drawn as one."""
        times = len(wire.slots)
        return f"{self.names[node]} ×{times}" if times > 1 else ""

    def _passed_on(self, part: Part, slots: Sequence[tuple[Node, int]]) -> tuple[Any, str]:
        """The gradient that a part passes back through slots of its nodes, and the rule for it."""
        found = [self.shown.contributions[s] for s in slots if s in self.shown.contributions]
        if not found:
            return None, ""
        gradient = UNKNOWN if found[0] is UNKNOWN else reduce(np.add, found)
        if not self.shown.rules:
            return gradient, ""
        (node, i) = slots[0]
        rule = self._rule(node, i) if part.folded is None else self._combined(part, node.inputs[i])
        return gradient, f"= {rule}" if rule else ""

    def _combined(self, part: Part, p: Node) -> str:
        """The combined rule of a folded layer, if it is one layer with one result."""
        inside = set(part.nodes)
        results = [node for node in part.nodes if self._leaves(node, inside)]
        if part.times > 1 or len(results) != 1:
            return ""
        # Equal layers share the search for their rule if they call their inputs alike.
        signs = {n: chr(_SIGN + k) for k, n in enumerate(_read(part))}
        alike = {n: sign * (2 if len(self.names[n]) < 5 else 8) for n, sign in signs.items()}
        rule = local_rule(part.nodes, results[0], p, alike, self.shown.values)
        if rule is None:
            return "G ⋯"
        called = {sign: call(self.names[n]) for n, sign in signs.items()}
        shared = [name for name, count in Counter(called.values()).items() if count > 1]
        if any(called[found[1]] in shared for found in _SIGNS.finditer(rule.text)):
            return "G ⋯"  # of two inputs of one name a text would not say which
        text = _SIGNS.sub(lambda found: called[found[1]], rule.text)
        return text if len(text) <= _RULE else "G ⋯"

    def _leaves(self, node: Node, inside: set[Node]) -> bool:
        """Whether a value goes anywhere but into these nodes."""
        wires = self.wires.get(node, ())
        return any(w.output >= 0 or any(r not in inside for r, _ in w.slots) for w in wires)

    def _rule(self, node: Node, i: int) -> str:
        """The operator's own text, and the sum that undoes a broadcast."""
        rule = visible(node.op.local_rule(i, self.called(node)), _RULE) or "G ⋯"
        p = node.inputs[i]
        if node.op.kind == "pointwise" and p.shape != node.shape:
            rule = f"Σ {_axes(p.shape, node.shape)} {_inner(rule)}"
        return rule

    def called(self, node: Node) -> list[str]:
        """What the rule of a node calls its inputs."""
        return [
            call(self.names[p]) if isinstance(p, Node) else _number(p) or "const"
            for p in node.inputs
        ]

    def _label(
        self,
        node: Node,
        value: Any,
        gradient: Any,
        rule: str,
        *,
        branch: bool = False,
        name: str = "",
    ) -> Label | None:
        label = Label(
            name or self.names[node],
            "" if branch else form_text(node.shape, node.dtype),
            None if value is None else typeset(value),
            None if gradient is None or gradient is UNKNOWN else typeset(gradient),
            rule,
        )
        return None if label.empty else label

    def _connect(
        self,
        source: int,
        target: int,
        label: Label | None,
        frame: int,
        about: str,
        node: Node,
        gradient: Any,
        rule: str = "",
        readers: tuple[Node, ...] = (),
    ) -> None:
        lines = [about]
        if node in self.shown.values:
            lines.append(f"value {tooltip(self.shown.values[node])}")
        if gradient is UNKNOWN:
            lines.append(f"gradient, numbers unknown {rule}".rstrip())
        elif gradient is not None:
            lines.append(f"gradient {tooltip(gradient)} {rule}".rstrip())
        text = "\n".join(lines)
        self.edges.append(Edge(source, target, label, frame, gradient is not None, text))
        self.origins.edges.append((node, readers))

    def _constant_edge(self, source: int, mark: int, name: str, value: Any, part: Part) -> None:
        shown = None if plain_number(value) or not self.shown.constants else typeset(value)
        shape = "" if plain_number(value) else shape_text(np.shape(value))
        label = Label(name if shape else "", shape, shown)
        frame = self._frame(part.scope)
        about = f"constant {name}"
        edge = Edge(source, mark, None if label.empty else label, frame, False, about)
        self.edges.append(edge)
        self.origins.edges.append((None, ()))

    def _shared(self, a: int, b: int) -> int:
        """The innermost frame that holds both marks."""
        of = [lineage(self.scopes[f]) if f >= 0 else [] for f in (a, b)]
        shared = [one for one, other in zip(*of) if one is other]
        return self._frame(shared[-1]) if shared else -1

    def _finished(self) -> Drawing:
        frames = tuple(Scene(titled(s), self._frame(s.parent)) for s in self.scopes)
        operations = sum(part.operations for part in self.folded.parts)
        drawn = sum(mark.kind in ("op", "fold") for mark in self.marks)
        note = f"{operations:,} operations, {drawn:,} shown" if drawn < operations > _MANY else ""
        outputs = ", ".join(mark.title for mark in self.marks if mark.kind == "output")
        failed = [f"{mark.title}, which failed" for mark in self.marks if mark.kind == "failed"]
        outputs = outputs or ", ".join(failed)
        shown = ["above each edge stands the forward value"] if self.shown.values else []
        under = "under it the gradient" if shown else "under each edge stands the gradient"
        shown += [f"{under} that flows back"] if self.shown.totals else []
        told = f" {', '.join(shown).capitalize()}." if shown else ""
        read = set(self.graph.inputs)
        leaves = [self.names[node] for node in self.nodes if node in read]
        inputs = ", ".join(leaves[:12]) or "constants"
        return Drawing(
            tuple(self.marks),
            tuple(self.edges),
            frames,
            f"Computation graph of {visible(outputs, 80)}",
            f"From {visible(inputs, 200)} through {operations:,} operations to "
            f"{visible(outputs, 80)}.{told}",
            note,
        )


def _read(part: Part) -> list[Node]:
    """What a part reads: its leaves, and nodes outside."""
    read = (p for node in part.nodes for p in node.inputs if isinstance(p, Node))
    own = {node for node in part.nodes if not isinstance(node, Leaf)}
    return list(dict.fromkeys(p for p in read if p not in own))


def _number(value: Any) -> str:
    """A plain number as text; empty for everything else."""
    from_node = isinstance(value, Node)
    return "" if from_node or not plain_number(value) else typeset(value).lines[0]


def _axes(small: tuple[int, ...], large: tuple[int, ...]) -> str:
    axes = broadcast_axes(small, large)
    if len(axes) == len(large):
        return "all"
    if len(large) == 2:
        return "rows" if axes == (0,) else "columns"
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"


def _inner(rule: str) -> str:
    bare = rule.removesuffix(" × 1")
    return bare if " " not in bare else f"({bare})"


def _safe(value: Any) -> str:
    """A parameter of an operation as text, without calling anybody's ``repr``."""
    if value is None or isinstance(value, (bool, int, float, np.generic, np.dtype)):
        return str(value)[:20]
    if isinstance(value, str):
        return visible(value, 20)
    if type(value) in (tuple, list) and len(value) <= 8:
        return "(" + ", ".join(_safe(one) for one in value) + ")"
    return f"a {visible(type(value).__name__, 20)}"
