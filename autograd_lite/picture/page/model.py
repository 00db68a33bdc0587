"""What the live page knows of a graph: marks, groups that fold, wires with labels, as plain data.

Every mark, folded mark and half of a label is drawn here, once, by the code that draws the static
picture; the page only places them. Knows nodes and scopes; names no operator. Imports graph and the
rooms of the picture.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from autograd_lite.graph import Graph, Leaf, Node, Scope, visible
from autograd_lite.picture.drawing import (
    ByHand,
    Drawing,
    Edge,
    Label,
    Mark,
    above_size,
    beneath_size,
    mark_size,
)
from autograd_lite.picture.folding import Folded, Part, lineage, titled
from autograd_lite.picture.labels import above, beneath
from autograd_lite.picture.marks import Builder, Shown, Wire, overlaid
from autograd_lite.picture.overlay import Origins
from autograd_lite.picture.svg import mark_lines
from autograd_lite.picture.widths import text_width

__all__ = ["Constant", "Ending", "Fragments", "Group", "Model", "Produced"]

_BOX = 16  # room for the sign of folding in front of a frame's title


@dataclass(frozen=True)
class Group:
    """What folds: a scope, or a roll of equal scopes with the leaves that each has its own."""

    part: Part
    parent: int
    title: str
    open: bool


@dataclass(frozen=True)
class Ending:
    """Where a value goes: into slots of an atom, or to an output; with the label of that edge."""

    atom: int
    wire: Wire
    label: Label
    gradient: Any = None
    emphasis: str = ""


@dataclass(frozen=True)
class Produced:
    """A value that leaves the atom that made it, with all its ways."""

    node: Node
    atom: int
    endings: tuple[Ending, ...]
    folded: dict[int, Ending] = field(default_factory=dict)  # by the group that they go into
    emphasis: str = ""
    by_hand: tuple[ByHand | None, ByHand | None] = (None, None)  # its value, its gradient


@dataclass(frozen=True)
class Constant:
    """An unnamed array that an operation reads: its own atom, and the atom that reads it."""

    atom: int
    reader: int
    name: str
    value: Any


class Fragments:
    """Drawn pieces, each kept once."""

    def __init__(self, direction: str) -> None:
        self.direction = direction
        self.lines: dict[str, int] = {}

    def add(self, lines: Iterable[str]) -> int:
        """The number of a piece."""
        return self.lines.setdefault("".join(lines), len(self.lines))

    def mark(self, m: int, mark: Mark) -> list[float]:
        """Number and size of a mark, drawn around the origin."""
        width, height = mark_size(mark)
        size = (width, height) if self.direction == "LR" else (height, width)
        return [self.add(mark_lines(m, mark, (0.0, 0.0))), *size]

    def above(self, label: Label) -> list[float]:
        """Number and size of the half of a label above its line."""
        return self._half(above(label, (0.0, 0.0), self.direction), above_size, label)

    def beneath(self, label: Label) -> list[float]:
        """Number and size of the half beneath it."""
        return self._half(beneath(label, (0.0, 0.0), self.direction), beneath_size, label)

    def _half(self, lines: Iterable[str], size: Any, label: Label) -> list[float]:
        return [self.add(lines), *(round(side, 1) for side in size(label, self.direction))]


def _key(what: Scope | Part) -> int:
    return id(what)  # a part is compared by its nodes, which would be slow


def _overlaid(produced: Produced, looks: Sequence[Edge]) -> Produced:
    """A value whose edges look so; hand-written numbers stand where its gradient is summed."""
    found = looks[0].label or Label()
    emphases = {look.emphasis for look in looks}
    emphasis = "strong" if "strong" in emphases else max(emphases)
    endings = [
        replace(ending, emphasis=look.emphasis) for ending, look in zip(produced.endings, looks)
    ]
    whole = {k for k, one in produced.folded.items() if len(one.wire.slots) == len(endings)}
    hand = found.gradient_by_hand
    if len(endings) == 1:
        endings = [replace(endings[0], label=replace(endings[0].label, gradient_by_hand=hand))]
    folded = {
        k: replace(
            one,
            emphasis=emphasis,
            label=replace(one.label, gradient_by_hand=hand if k in whole else None),
        )
        for k, one in produced.folded.items()
    }
    return replace(
        produced,
        endings=tuple(endings),
        folded=folded,
        emphasis=emphasis,
        by_hand=(found.value_by_hand, hand),
    )


class Model(Builder):
    """The whole graph, as far as it opens, beside the folding that the reader sees first.

    ``folded`` is the picture's own folding; ``finest`` has everything open that the page can open.
    Atoms are the parts of ``finest``, then its unnamed constants, then the outputs.
    """

    def __init__(self, graph: Graph, finest: Folded, folded: Folded, shown: Shown) -> None:
        super().__init__(graph, finest, shown)
        self.first = folded
        self.constants_read: list[Constant] = []
        self.atoms = [self._mark(part, 1) for part in finest.parts]
        for k, part in enumerate(finest.parts):
            self._atoms_of_constants(k, part)
        outputs = () if shown.failed else graph.outputs
        self.outputs = range(len(self.atoms), len(self.atoms) + len(outputs))
        self.atoms += [self._output_mark(k) for k in range(len(outputs))]
        self.rolls = [part for part in folded.parts if part.folded and part.times > 1]
        self.rolled = self._rolled_scopes()
        self.group_of: dict[int, int] = {}
        self.groups = self._make_groups()
        self.home = self._homes()
        wires = self.wires = self._wires()
        self.values = [
            self._produced(node, k, wires[node])
            for k, part in enumerate(finest.parts)
            for node in part.nodes
            if node in wires
        ]
        entering = Counter(k for produced in self.values for k in produced.folded)
        self.folds = [self._mark(group.part, entering[k]) for k, group in enumerate(self.groups)]
        if shown.lit or shown.checks or shown.values:
            self._lay_over()

    @cached_property
    def _around(self) -> dict[Node, set[Scope]]:
        return {node: set(lineage(node.scope)) for node in self.nodes}

    # groups

    def _make_groups(self) -> list[Group]:
        """Rolls and scopes, each after what holds it."""
        opened = {scope for part in self.first.parts for scope in lineage(part.scope)}
        found: list[Group] = []

        def add(key: Scope | Part, group: Group) -> None:
            self.group_of[_key(key)] = len(found)
            found.append(group)

        for scope in self.scopes:
            roll = self.rolled.get(scope)
            if roll is not None and _key(roll) not in self.group_of:
                add(roll, self._roll_group(roll))
            parent = self._group(roll or scope.parent)
            add(scope, self._scope_group(scope, parent, scope in opened))
        for roll in self.rolls:  # of scopes that do not open
            if _key(roll) not in self.group_of:
                add(roll, self._roll_group(roll))
        return found

    def _group(self, key: Scope | Part | None) -> int:
        return -1 if key is None else self.group_of.get(_key(key), -1)

    def _scope_group(self, scope: Scope, parent: int, is_open: bool) -> Group:
        around = self._around
        nodes = tuple(n for part in self.folded.parts for n in part.nodes if scope in around[n])
        part = Part(nodes, scope.parent, scope, titled(scope))
        return Group(part, parent, part.title, is_open)

    def _roll_group(self, roll: Part) -> Group:
        title = f"{visible(roll.title, 40)} × {roll.times}"
        return Group(roll, self._group(roll.scope), title, False)

    def _rolled_scopes(self) -> dict[Scope, Part]:
        """The scopes that stand side by side in a roll."""
        found: dict[Scope, Part] = {}
        for roll in self.rolls:
            depth = len(lineage(roll.scope))
            for node in roll.nodes:
                path = lineage(node.scope)
                if len(path) > depth:
                    found[path[depth]] = roll
        return found

    def _homes(self) -> list[int]:
        """The innermost group that holds each atom, or -1."""
        leaf_of: dict[Node, Part] = {
            n: roll for roll in self.rolls for n in roll.nodes if isinstance(n, Leaf)
        }
        found = []
        for part in self.folded.parts:
            roll = self.rolled.get(part.folded) if part.folded else leaf_of.get(part.nodes[0])
            found.append(self._group(roll or part.scope))
        found += [found[constant.reader] for constant in self.constants_read]
        return found + [-1] * len(self.outputs)

    def ancestry(self, atom: int) -> list[int]:
        """The groups around an atom, from the innermost to the outermost."""
        path, group = [], self.home[atom]
        while group >= 0:
            path.append(group)
            group = self.groups[group].parent
        return path

    # values and where they go

    def _produced(self, node: Node, atom: int, wires: Sequence[Wire]) -> Produced:
        endings = tuple(self._ending(node, wire) for wire in wires)
        around = set(self.ancestry(atom))
        slots: dict[int, list[tuple[Node, int]]] = defaultdict(list)
        for ending in endings:
            for group in self.ancestry(ending.atom):
                if group not in around:
                    slots[group] += ending.wire.slots
        folded = {group: self._into_group(node, group, found) for group, found in slots.items()}
        return Produced(node, atom, endings, folded)

    def _ending(self, node: Node, wire: Wire) -> Ending:
        if wire.output >= 0:
            seed = self._seed(wire.output)
            rule = "= seed" if seed is not None and self.shown.rules else ""
            label = self._label(node, None, seed, rule, branch=True, name=self._output_name(wire))
            return Ending(self.outputs[wire.output], wire, label or Label(), seed)
        gradient, rule = self._passed_on(self.folded.parts[wire.target], wire.slots)
        label = self._label(node, None, gradient, rule, branch=True)
        return Ending(wire.target, wire, label or Label(), gradient)

    def _into_group(self, node: Node, group: int, slots: Sequence[tuple[Node, int]]) -> Ending:
        gradient, rule = self._passed_on(self.groups[group].part, slots)
        label = self._label(node, None, gradient, rule, branch=True)
        return Ending(-1, Wire(-1, tuple(slots)), label or Label(), gradient)

    def above(self, produced: Produced, name: str = "") -> Label | None:
        """The label of a value without its gradient."""
        node = produced.node
        label = self._label(node, self.shown.values.get(node), None, "", name=name)
        return label and replace(label, value_by_hand=produced.by_hand[0])

    def trunk(self, produced: Produced) -> Label | None:
        """The label where the gradients of several ways meet; the page counts them."""
        total = self.shown.totals.get(produced.node)
        if total is None or len(produced.endings) < 2:
            return None
        meeting = sum(ending.gradient is not None for ending in produced.endings)
        rule = f"= sum of {meeting} gradients" if meeting > 1 and self.shown.rules else ""
        label = self._label(produced.node, None, total, rule, branch=True)
        return label and replace(label, gradient_by_hand=produced.by_hand[1])

    # marks

    def _atoms_of_constants(self, reader: int, part: Part) -> None:
        self.marks = []
        for made, name, value in self._plain_constants(part):
            self.constants_read.append(Constant(len(self.atoms), reader, name, value))
            self.atoms.append(self.marks[made])

    def _output_name(self, wire: Wire) -> str:
        return self.atoms[self.outputs[wire.output]].title

    def _lay_over(self) -> None:
        """Signs, flags and highlights, laid over all marks and edges as over a static picture."""
        origins = Origins(
            [
                *(part.nodes for part in self.folded.parts),
                *(() for _ in self.constants_read),
                *((self.graph.outputs[k],) for k in range(len(self.outputs))),
                *(group.part.nodes for group in self.groups),
            ]
        )
        edges: list[Edge] = []
        for produced in self.values:
            for ending in produced.endings:
                edges.append(Edge(produced.atom, ending.atom, None, -1))
                readers = tuple(reader for reader, _ in ending.wire.slots)
                origins.edges.append((produced.node, readers))
        drawing = Drawing((*self.atoms, *self.folds), tuple(edges), (), "", "")
        drawing = overlaid(drawing, origins, self.shown)
        self.atoms = list(drawing.marks[: len(self.atoms)])
        self.folds = list(drawing.marks[len(self.atoms) :])
        looks = iter(drawing.edges)
        self.values = [
            _overlaid(produced, [next(looks) for _ in produced.endings]) for produced in self.values
        ]

    @staticmethod
    def caption_width(group: Group) -> float:
        """The room that the title of an open group needs, with the sign that folds it."""
        return round(text_width(group.title, 11, bold=True) + 22 + _BOX, 1)
