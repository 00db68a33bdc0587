"""A drawing and its placement as the text of an SVG file.

Knows the order of a document: style, frames, edges and marks, legend; the same input gives the same
bytes. Does not know graphs. Imports its siblings.
"""

import hashlib
from collections.abc import Iterator
from xml.sax.saxutils import escape

from autograd_lite.picture.drawing import FLAG, LINE, Drawing, Mark, flag_width, mark_size
from autograd_lite.picture.labels import label
from autograd_lite.picture.layout import Placement, Plan, Rect, extent
from autograd_lite.picture.legend import legend
from autograd_lite.picture.pen import (
    OWN,
    Point,
    arrowhead,
    n,
    opened,
    path_data,
    rect,
    sign,
    tangent,
    words,
)
from autograd_lite.picture.theme import style_sheet

__all__ = ["mark_lines", "render"]

_EDGE = 16  # the margin around everything


def render(
    drawing: Drawing,
    plan: Plan,
    placement: Placement,
    *,
    theme: str = "auto",
    palette: str = "default",
    scale: float = 1.0,
    with_legend: bool = True,
) -> str:
    """The SVG text."""
    bounds = _bounds(plan, placement)
    dx, dy = _EDGE - bounds.left, _EDGE - bounds.top
    width = bounds.right - bounds.left + 2 * _EDGE
    height = bounds.bottom - bounds.top + 2 * _EDGE
    below: list[str] = []
    if with_legend:
        below, legend_width, legend_height = legend(drawing, max(width, 420) - 2 * _EDGE)
        width = max(width, legend_width + 2 * _EDGE)
        below = [
            f'<g class="legend" transform="translate({n(_EDGE)},{n(height)})">',
            *below,
            "</g>",
        ]
        height += legend_height
    size = f'width="{n(width * scale)}" height="{n(height * scale)}"'
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n(width)} {n(height)}" {size} '
        f'class="{OWN}" role="graphics-document" aria-labelledby="{OWN}-t {OWN}-d">'
    )
    lines = [
        root,
        f'<title id="{OWN}-t">{escape(drawing.title)}</title>',
        f'<desc id="{OWN}-d">{escape(drawing.description)}</desc>',
        f"<metadata>layout: {placement.engine}</metadata>",
        "<style>\n" + _style(drawing, theme, palette).replace("@ ", f".{OWN} ") + "</style>",
        f'<rect class="bg" width="{n(width)}" height="{n(height)}"/>',
        f'<g transform="translate({n(dx)},{n(dy)})">',
        *_frames(drawing, placement),
        *_body(drawing, plan, placement),
        "</g>",
        *below,
        "</svg>",
        "",
    ]
    text = "\n".join(lines)
    own = "ag" + hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:10]
    return text.replace(OWN, own)


def _style(drawing: Drawing, theme: str, palette: str) -> str:
    overlaid = any(
        mark.emphasis or mark.sign or mark.flag or mark.kind == "failed" for mark in drawing.marks
    )
    return style_sheet(theme, palette, overlaid=overlaid)


def _bounds(plan: Plan, placement: Placement) -> Rect:
    boxes = [extent(i, c, plan.direction) for i, c in zip(plan.items, placement.centers)]
    boxes += placement.frames
    points = [p for hops in placement.routes for path in hops for p in path]
    xs = [b.left for b in boxes] + [b.right for b in boxes] + [p[0] for p in points]
    ys = [b.top for b in boxes] + [b.bottom for b in boxes] + [p[1] for p in points]
    return Rect(min(xs), min(ys), max(xs), max(ys))


def _frames(drawing: Drawing, placement: Placement) -> Iterator[str]:
    for k, (frame, r) in enumerate(zip(drawing.frames, placement.frames)):
        yield opened(f"s{k}", "layer", f"layer {frame.title}", "graphics-object")
        yield rect("frame", r.left, r.top, r.right - r.left, r.bottom - r.top, 10)
        yield words("cap", frame.title, r.left + 10, r.top + 16, "start") + "</g>"


def _body(drawing: Drawing, plan: Plan, placement: Placement) -> Iterator[str]:
    """Marks in topological order, each after the edges that enter it."""
    entering: dict[int, list[int]] = {}
    for k, edge in enumerate(drawing.edges):
        entering.setdefault(edge.target, []).append(k)
    for m, mark in enumerate(drawing.marks):
        for k in entering.get(m, ()):
            yield from _edge(k, drawing, plan, placement)
        yield from mark_lines(m, mark, placement.centers[m])


def _edge(k: int, drawing: Drawing, plan: Plan, placement: Placement) -> Iterator[str]:
    edge, chain, hops = drawing.edges[k], plan.chains[k], placement.routes[k]
    yield opened(f"e{k}", f"edge {edge.emphasis}".rstrip(), edge.tooltip)
    if edge.emphasis == "strong":
        yield f'<path class="glow" d="{path_data(hops)}"/>'
    yield f'<path class="fwd" d="{path_data(hops)}"/>'
    if drawing.marks[edge.target].kind != "dot":
        yield arrowhead("ah", hops[-1][-1], tangent(hops[-1]), 8, 3.4)
    if edge.label is not None:
        center = placement.centers[chain[1]]
        box = extent(plan.items[chain[1]], center, plan.direction)
        yield from label(edge, edge.label, center, box, plan.direction)
    yield "</g>"


def mark_lines(m: int, mark: Mark, center: Point) -> Iterator[str]:
    """The elements of a mark around its centre."""
    x, y = center
    width, height = mark_size(mark)
    left, top = x - width / 2, y - height / 2
    yield opened(f"n{m}", f"{mark.kind} {mark.emphasis}".rstrip(), mark.tooltip)
    if mark.kind == "dot":
        yield f'<circle class="body" cx="{n(x)}" cy="{n(y)}" r="4"/></g>'
        return
    radius = 20 if mark.kind == "op" else 8
    if mark.emphasis == "strong":
        yield rect("halo", left - 5, top - 5, width + 10, height + 10, radius + 5)
    yield rect("body", left, top, width, height, radius)
    if mark.kind == "parameter":
        yield rect("inner", left + 3, top + 3, width - 6, height - 6, radius - 2.5)
    if mark.kind == "op":
        yield words("sym", mark.title, x, y + 5, "middle")
    elif mark.subtitle:
        lines = mark.subtitle.split("\n")
        base = y - 1 - (len(lines) - 1) * LINE / 2
        yield words("var", mark.title, x, base, "middle")
        for k, line in enumerate(lines):
            yield words("n", line, x, base + 13 + LINE * k, "middle")
    else:
        yield words("var", mark.title, x, y + 4.5, "middle")
    yield from _signs(mark, Rect(left, top, left + width, top + height), radius)
    yield "</g>"


def _signs(mark: Mark, box: Rect, radius: float) -> Iterator[str]:
    """A ring and a sign where a mark was checked, a flag on its upper border."""
    x, width = (box.left + box.right) / 2, box.right - box.left
    if mark.sign:
        verdict = "good" if mark.sign == "✓" else "bad"
        ring = (box.left - 4, box.top - 4, width + 8, box.bottom - box.top + 8, radius + 4)
        yield rect(f"ring {verdict}", *ring)
        yield from sign(mark.sign, (box.right + 1, box.bottom - 1), 7)
    if mark.flag:
        wide = flag_width(mark.flag)
        yield rect("flag", x - wide / 2, box.top - 9, wide, FLAG, FLAG / 2)
        yield words("flagged", mark.flag, x, box.top + 0.5, "middle")
