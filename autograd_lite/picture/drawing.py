"""What a picture consists of, before anyone knows where it lies: marks, edges, labels, frames.

Knows how large each is (by our own character widths). Does not know graphs, coordinates or SVG.
Imports its siblings.
"""

from dataclasses import dataclass
from math import ceil

from autograd_lite.picture.arrays import ArrayText
from autograd_lite.picture.layout import Frame, Item, Plan
from autograd_lite.picture.pen import MONO_SIZE
from autograd_lite.picture.widths import mono_width, text_width

__all__ = [
    "Block",
    "ByHand",
    "Drawing",
    "Edge",
    "Label",
    "Mark",
    "Scene",
    "above_size",
    "beneath_size",
    "block_size",
    "flag_width",
    "hand_size",
    "mark_size",
    "plan",
]

LINE = 12  # from one line of a label to the next
SMALL, RULE_SIZE, NAME_SIZE, SYMBOL_SIZE = 9.0, 9.5, 13.0, 14.0
CELL = 4  # a cell of a heat thumbnail
ROUND = 40  # an operation's circle
SIGN = 10  # a sign's circle, across
FLAG = 13  # a flag's height
_MARGIN = 9  # a label's room on both sides
_CLEAR = 6  # between a line and the digits above it
_UNDER = 10  # between a line and the digits beneath, the backward arrow between them


@dataclass(frozen=True)
class Mark:
    """Something drawn as a node.

    ``kind`` is ``input``, ``parameter``, ``constant``, ``output``, ``op``, ``fold``,
    ``failed`` or ``dot``. ``emphasis`` is ``strong``, ``faint`` or neither; ``sign`` a ``✓`` or
    ``✗`` at its corner; ``flag`` a word of warning on its upper border.
    """

    kind: str
    title: str
    subtitle: str = ""
    tooltip: str = ""
    frame: int = -1
    ports: int = 1
    emphasis: str = ""
    sign: str = ""
    flag: str = ""


@dataclass(frozen=True)
class ByHand:
    """A hand-written array beside ours, and whether it agrees: ``✓`` or ``✗``."""

    text: ArrayText
    sign: str


@dataclass(frozen=True)
class Label:
    """What stands at an edge: name and shape, value above the line, gradient and rule beneath."""

    name: str = ""
    shape: str = ""
    value: ArrayText | None = None
    gradient: ArrayText | None = None
    rule: str = ""
    value_by_hand: ByHand | None = None
    gradient_by_hand: ByHand | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return self == Label()


@dataclass(frozen=True)
class Edge:
    """From mark to mark; ``backward`` tells whether a gradient flows along it."""

    source: int
    target: int
    label: Label | None
    frame: int
    backward: bool = False
    tooltip: str = ""
    emphasis: str = ""


@dataclass(frozen=True)
class Scene:
    """A frame around marks: its title, and the frame that it stands in."""

    title: str
    parent: int = -1


@dataclass(frozen=True)
class Drawing:
    """A whole picture; marks are in topological order."""

    marks: tuple[Mark, ...]
    edges: tuple[Edge, ...]
    frames: tuple[Scene, ...]
    title: str
    description: str
    note: str = ""


@dataclass(frozen=True)
class Block:
    """The size of an array's lines, thumbnail and flag."""

    width: float
    height: float
    heat: float


def block_size(text: ArrayText | None) -> Block:
    """How much room an array takes at an edge."""
    if text is None:
        return Block(0, 0, 0)
    lines = LINE * (len(text.lines) + bool(text.flag))
    width = mono_width("0" * max(text.columns, len(text.flag)), MONO_SIZE)
    width += 10 if text.bracket else 0
    heat = CELL * max((len(row) for row in text.heat), default=0)
    tall = CELL * len(text.heat) + (4 if text.heat else 0)
    return Block(width + (heat + 6 if heat else 0), max(lines, tall), heat)


def hand_size(by_hand: ByHand | None) -> Block:
    """How much room a hand-written array takes, with its sign in front."""
    if by_hand is None:
        return Block(0, 0, 0)
    size = block_size(by_hand.text)
    return Block(size.width + SIGN + 6, size.height + 1, size.heat)


def plan(drawing: Drawing, direction: str) -> Plan:
    """The boxes of a drawing for a layout engine: the marks first, then the labels."""
    items = [_mark_item(mark, direction) for mark in drawing.marks]
    chains: list[tuple[int, ...]] = []
    for edge in drawing.edges:
        if edge.label is None:
            chains.append((edge.source, edge.target))
        else:
            chains.append((edge.source, len(items), edge.target))
            items.append(_label_item(edge.label, edge.frame, direction))
    frames = tuple(Frame(f.parent, text_width(f.title, 11, bold=True) + 22) for f in drawing.frames)
    return Plan(tuple(items), tuple(chains), frames, direction)


def mark_size(mark: Mark) -> tuple[float, float]:
    """Width and height of a mark."""
    if mark.kind == "dot":
        return 8.0, 8.0
    flag = _even(flag_width(mark.flag)) if mark.flag else 0.0
    if mark.kind == "op":
        wide = text_width(mark.title, SYMBOL_SIZE, bold=True) + 20
        return max(float(ROUND), _even(wide), flag), float(ROUND)
    lines = mark.subtitle.split("\n")
    wide = max(text_width(line, SMALL) for line in lines)
    wide = max(text_width(mark.title, NAME_SIZE, bold=True), wide)
    high = max(40.0, 15.0 * mark.ports + 10, 16.0 + LINE * (len(lines) + 1))
    return max(48.0, _even(wide + 24), flag), high


def flag_width(flag: str) -> float:
    """How wide a flag is."""
    return text_width(flag, SMALL, bold=True) + 12


def _mark_item(mark: Mark, direction: str) -> Item:
    width, height = mark_size(mark)
    if direction == "TB":
        width, height = height, width
    kind = {"op": "round", "dot": "dot"}.get(mark.kind, "box")
    return Item(kind, width, height / 2, height / 2, mark.frame)


def above_size(label: Label, direction: str) -> tuple[float, float]:
    """What name, shape and value take of an edge, along it, and on their side of the line."""
    block, by_hand = block_size(label.value), hand_size(label.value_by_hand)
    name = text_width(label.name, SMALL, bold=True) + text_width(f" {label.shape}", SMALL)
    height = block.height + by_hand.height + (LINE if label.name or label.shape else 0)
    width = max(block.width, by_hand.width, name)
    return (width, _CLEAR + height) if direction == "LR" else (height, _even(_MARGIN + width))


def beneath_size(label: Label, direction: str) -> tuple[float, float]:
    """The same of gradient and rule, with the backward arrow."""
    block, by_hand = block_size(label.gradient), hand_size(label.gradient_by_hand)
    height = block.height + by_hand.height + (LINE if label.rule else 0)
    width = max(block.width, by_hand.width, text_width(label.rule, RULE_SIZE))
    if direction == "LR":
        return width, _UNDER + height if height else 8
    return height, _even(_MARGIN + _UNDER + width)


def _label_item(label: Label, frame: int, direction: str) -> Item:
    above, beneath = above_size(label, direction), beneath_size(label, direction)
    room = 2 * _MARGIN if direction == "LR" else 8
    length = max(above[0], beneath[0], 18) + room
    return Item("label", _even(length), above[1], beneath[1], frame)


def _even(size: float) -> float:
    """A size that has a whole half: Graphviz rounds to whole points."""
    return 2.0 * ceil(size / 2)
