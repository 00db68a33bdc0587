"""The elements of an SVG file: numbers, points, text, rectangles, paths, arrowheads.

Everything a user named passes through ``escape`` here or in the caller. Does not know drawings.
Imports character widths.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from autograd_lite.picture.widths import mono_width

__all__ = [
    "MONO_SIZE",
    "OWN",
    "Point",
    "arrowhead",
    "digits",
    "n",
    "opened",
    "p",
    "path_data",
    "rect",
    "sign",
    "tangent",
    "words",
]

OWN = "\0"  # stands for the picture's own class until its hash is known
MONO_SIZE = 10.0
Point = tuple[float, float]


def opened(ident: str, kind: str, about: str, role: str = "graphics-symbol") -> str:
    """The beginning of a group that a reader may point at: id, class, label and tooltip."""
    told = escape(about, {'"': "&quot;", "'": "&#39;", "\n": "&#10;"})
    return (
        f'<g id="{OWN}-{ident}" class="{kind}" role="{role}" aria-label="{told}">'
        f"<title>{escape(about)}</title>"
    )


def n(value: float) -> str:
    """A coordinate at a tenth of a pixel, without a needless zero."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def p(point: Point) -> str:
    """A point."""
    return f"{n(point[0])},{n(point[1])}"


def words(kind: str, text: str, x: float, y: float, anchor: str) -> str:
    """Proportional text."""
    return (
        f'<text class="{kind}" text-anchor="{anchor}" x="{n(x)}" y="{n(y)}">{escape(text)}</text>'
    )


def digits(kind: str, line: str, x: float, y: float) -> str:
    """Monospaced text, centred."""
    # textLength keeps the columns aligned whichever monospaced face is there.
    return (
        f'<text class="m {kind}" xml:space="preserve" text-anchor="middle" x="{n(x)}" '
        f'y="{n(y)}" textLength="{n(mono_width(line, MONO_SIZE))}">{escape(line)}</text>'
    )


def rect(kind: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    """A rounded rectangle."""
    return (
        f'<rect class="{kind}" x="{n(x)}" y="{n(y)}" width="{n(width)}" '
        f'height="{n(height)}" rx="{n(radius)}"/>'
    )


def arrowhead(name: str, tip: Point, way: Point, length: float, half: float) -> str:
    """A triangle with its tip at a point."""
    (x, y), (ux, uy) = tip, way
    bx, by = x - length * ux, y - length * uy
    corners = [(x, y), (bx - half * uy, by + half * ux), (bx + half * uy, by - half * ux)]
    return f'<polygon class="{name}" points="{" ".join(map(p, corners))}"/>'


def sign(kind: str, center: Point, radius: float) -> Iterator[str]:
    """A ``✓`` or ``✗`` in a disc, drawn: not every typeface has them."""
    (x, y), r = center, radius
    good = kind == "✓"
    strokes = [[(-0.5, 0.05), (-0.12, 0.42), (0.5, -0.38)]]
    if not good:
        strokes = [[(-0.38, -0.38), (0.38, 0.38)], [(-0.38, 0.38), (0.38, -0.38)]]
    name = "good" if good else "bad"
    yield f'<circle class="disc {name}" cx="{n(x)}" cy="{n(y)}" r="{n(r)}"/>'
    paths = (" L".join(p((x + r * a, y + r * b)) for a, b in stroke) for stroke in strokes)
    yield f'<path class="tick" d="{" ".join(f"M{path}" for path in paths)}"/>'


def path_data(hops: tuple[tuple[Point, ...], ...]) -> str:
    """The hops of an edge as one path, straight through the labels between them."""
    parts: list[str] = []
    last: Point | None = None
    for path in hops:
        start = path[0]
        if last is None:
            parts.append(f"M{p(start)}")
        elif p(start) != p(last):
            parts.append(f"L{p(start)}")
        last = start
        for a, b, end in zip(path[1::3], path[2::3], path[3::3]):
            if p(end) != p(last):
                straight = _straight(last, a, b, end)
                parts.append(f"L{p(end)}" if straight else f"C{p(a)} {p(b)} {p(end)}")
            last = end
    return " ".join(parts)


def _straight(start: Point, a: Point, b: Point, end: Point) -> bool:
    dx, dy = end[0] - start[0], end[1] - start[1]
    return all(
        abs((q[0] - start[0]) * dy - (q[1] - start[1]) * dx) < 0.05 * (abs(dx) + abs(dy))
        for q in (a, b)
    )


def tangent(path: tuple[Point, ...]) -> Point:
    """The direction in which a path ends, of length 1."""
    end = path[-1]
    for q in reversed(path[:-1]):
        dx, dy = end[0] - q[0], end[1] - q[1]
        length = (dx * dx + dy * dy) ** 0.5
        if length > 0.5:
            return dx / length, dy / length
    return 1.0, 0.0
