"""What stands at an edge, as SVG: name and shape, value, backward arrow, gradient, local rule.

Imports its siblings.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from autograd_lite.picture.arrays import ArrayText
from autograd_lite.picture.drawing import (
    CELL,
    LINE,
    SIGN,
    ByHand,
    Edge,
    Label,
    block_size,
    hand_size,
)
from autograd_lite.picture.layout import Rect
from autograd_lite.picture.pen import MONO_SIZE, Point, arrowhead, digits, n, p, sign, words
from autograd_lite.picture.theme import heat_class
from autograd_lite.picture.widths import mono_width

__all__ = ["above", "beneath", "label"]


def label(edge: Edge, shown: Label, center: Point, box: Rect, direction: str) -> Iterator[str]:
    """The elements of a label whose edge runs through its centre."""
    if edge.backward:
        yield from _backward(center, box, direction)
    yield from above(shown, center, direction)
    yield from beneath(shown, center, direction)


def _backward(center: Point, box: Rect, direction: str) -> Iterator[str]:
    x, y = center
    if direction == "LR":
        yield f'<path class="bwd" d="M{p((box.right - 5, y + 5))} L{p((box.left + 8, y + 5))}"/>'
        yield arrowhead("bh", (box.left + 3, y + 5), (-1, 0), 7, 3)
    else:
        yield f'<path class="bwd" d="M{p((x + 5, box.bottom - 3))} L{p((x + 5, box.top + 8))}"/>'
        yield arrowhead("bh", (x + 5, box.top + 3), (0, -1), 7, 3)


def above(shown: Label, center: Point, direction: str) -> Iterator[str]:
    """Name, shape and value: above a level line, to the left of an upright one."""
    x, y = center
    size, by_hand = block_size(shown.value), hand_size(shown.value_by_hand)
    if direction == "LR":
        value = y - 6 - size.height
        top = value - by_hand.height
        yield from _name(shown, x, top - 3, "middle")
        yield from _by_hand(shown.value_by_hand, x, top)
        yield from _array("v", shown.value, x, value)
        return
    head = LINE if shown.name or shown.shape else 0
    top = y - (size.height + head + by_hand.height) / 2
    yield from _name(shown, x - 7, top + 9, "end")
    yield from _array("v", shown.value, x - 7 - size.width / 2, top + head)
    top += head + size.height
    yield from _by_hand(shown.value_by_hand, x - 7 - by_hand.width / 2, top + 1)


def beneath(shown: Label, center: Point, direction: str) -> Iterator[str]:
    """Gradient and rule: beneath a level line, to the right of an upright one."""
    x, y = center
    size, by_hand = block_size(shown.gradient), hand_size(shown.gradient_by_hand)
    foot = LINE if shown.rule else 0
    if direction == "LR":
        top = y + 9
        yield from _array("g", shown.gradient, x, top)
        if shown.rule:
            yield words("r", shown.rule, x, top + size.height + 9, "middle")
        yield from _by_hand(shown.gradient_by_hand, x, top + size.height + foot + 1)
        return
    top = y - (size.height + foot + by_hand.height) / 2
    yield from _array("g", shown.gradient, x + 12 + size.width / 2, top)
    if shown.rule:
        yield words("r", shown.rule, x + 12, top + size.height + 9, "start")
    top += size.height + foot
    yield from _by_hand(shown.gradient_by_hand, x + 12 + by_hand.width / 2, top + 1)


def _by_hand(by_hand: ByHand | None, x: float, top: float) -> Iterator[str]:
    """A hand-written array centred on x, its sign in front."""
    if by_hand is None:
        return
    size = hand_size(by_hand)
    left, middle = x - size.width / 2, top + (size.height - 1) / 2
    yield from sign(by_hand.sign, (left + SIGN / 2, middle), SIGN / 2)
    yield from _array("hand", by_hand.text, x + (SIGN + 6) / 2, top)


def _name(shown: Label, x: float, y: float, anchor: str) -> Iterator[str]:
    if shown.name or shown.shape:
        name = f'<tspan class="b">{escape(shown.name)}</tspan> ' if shown.name else ""
        yield (
            f'<text class="n" text-anchor="{anchor}" x="{n(x)}" y="{n(y)}">'
            f"{name}{escape(shown.shape)}</text>"
        )


def _array(kind: str, text: ArrayText | None, x: float, top: float) -> Iterator[str]:
    """An array's lines centred on x, beginning at a height."""
    if text is None:
        return
    size = block_size(text)
    lines = LINE * (len(text.lines) + bool(text.flag))
    if text.heat:
        yield from _heat(text, x - size.width / 2, top + (size.height - CELL * len(text.heat)) / 2)
        x += (size.heat + 6) / 2
    top += (size.height - lines) / 2
    wide = mono_width("0" * text.columns, MONO_SIZE)
    for k, line in enumerate(text.lines):
        yield digits(kind, line, x, top + 9 + LINE * k)
    if text.bracket:
        low, high = top + 0.5, top + LINE * len(text.lines)
        for side in (-1, 1):
            outer, inner = x + side * (wide / 2 + 4), x + side * (wide / 2 + 1)
            yield (
                f'<path class="k {kind}" d="M{p((inner, low))} L{p((outer, low))} '
                f'L{p((outer, high))} L{p((inner, high))}"/>'
            )
    if text.flag:
        yield digits(f"{kind} f", text.flag, x, top + 9 + LINE * len(text.lines))


def _heat(text: ArrayText, left: float, top: float) -> Iterator[str]:
    for r, row in enumerate(text.heat):
        for c, step in enumerate(row):
            yield (
                f'<rect class="{heat_class(step)}" x="{n(left + CELL * c)}" '
                f'y="{n(top + CELL * r)}" width="{CELL}" height="{CELL}"/>'
            )
