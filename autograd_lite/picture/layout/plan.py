"""What a layout engine is given and what it gives back: boxes, chains, frames; coordinates.

Knows sizes and who is joined to whom, no text and no graph. "Along" is the reading direction,
"across" stands at right angles to it. Imports nothing of ours.
"""

from dataclasses import dataclass

__all__ = [
    "PAD",
    "TITLE",
    "Frame",
    "Item",
    "Path",
    "Placement",
    "Plan",
    "Rect",
    "extent",
    "inside",
]

PAD = 12  # between a frame and what it holds
TITLE = 18  # height of a frame's title tab

Path = tuple[tuple[float, float], ...]  # a start point, then three points per cubic Bézier


@dataclass(frozen=True)
class Item:
    """A box to be placed: its length along, and its reach on both sides of its line across.

    ``kind`` is ``box``, ``round`` (a circle or a stadium), ``label`` (an edge runs through it) or
    ``dot`` (a junction). ``frame`` is the index of the innermost frame that holds it, or -1.
    """

    kind: str
    length: float
    before: float
    after: float
    frame: int = -1


@dataclass(frozen=True)
class Frame:
    """A box around items: the frame that holds it (or -1), and the width that its title needs."""

    parent: int
    title: float


@dataclass(frozen=True)
class Plan:
    """Items, chains of item indices (each an edge: source, perhaps a label, target), frames.

    Items are numbered so that every chain runs to its target from items that may be drawn before.
    ``direction`` is ``LR`` or ``TB``.
    """

    items: tuple[Item, ...]
    chains: tuple[tuple[int, ...], ...]
    frames: tuple[Frame, ...] = ()
    direction: str = "LR"


@dataclass(frozen=True)
class Rect:
    """A rectangle by its left, top, right and bottom."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Placement:
    """Where everything lies: a point on its line per item, a path per hop of each chain, frames."""

    engine: str
    centers: tuple[tuple[float, float], ...]
    routes: tuple[tuple[Path, ...], ...]
    frames: tuple[Rect, ...]


def extent(item: Item, center: tuple[float, float], direction: str) -> Rect:
    """The rectangle that an item covers."""
    x, y = center
    half = item.length / 2
    if direction == "LR":
        return Rect(x - half, y - item.before, x + half, y + item.after)
    return Rect(x - item.before, y - half, x + item.after, y + half)


def inside(frames: tuple[Frame, ...], frame: int) -> tuple[int, ...]:
    """The frames from the outermost to ``frame``."""
    path = []
    while frame >= 0:
        path.append(frame)
        frame = frames[frame].parent
    return tuple(reversed(path))
