"""The legend: one sample of everything that occurs in a drawing, and nothing else.

Imports its siblings.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from autograd_lite.picture.drawing import Drawing
from autograd_lite.picture.pen import sign
from autograd_lite.picture.widths import text_width

__all__ = ["legend"]

_ROW = 18
_MARKS = {
    "input": "input",
    "parameter": "parameter",
    "constant": "constant",
    "op": "operation",
    "fold": "folded layer",
    "output": "output",
    "failed": "operation that failed",
}


def legend(drawing: Drawing, room: float) -> tuple[list[str], float, float]:
    """SVG lines of the legend, its width and its height, in rows of at most ``room``."""
    lines: list[str] = []
    x = y = width = 0.0
    for sample, lead, kind, text in _entries(drawing):
        long = lead + text_width(text, 10) + 18
        if x and x + long > room + 18:
            x, y = 0.0, y + _ROW
        lines.append(f'<g transform="translate({x:.1f},{y:.1f})">{sample}')
        lines.append(f'<text class="leg {kind}" x="{lead:g}" y="9">{escape(text)}</text></g>')
        x += long
        width = max(width, x - 18)
    return lines, width, y + _ROW + 6


def _entries(drawing: Drawing) -> Iterator[tuple[str, float, str, str]]:
    """Sample drawing, room for it, class of the text, text."""
    labels = [edge.label for edge in drawing.edges if edge.label is not None]
    if any(label.value for label in labels):
        yield _arrow("fwd", "ah", 0, 20), 25, "v", "forward value"
    if any(edge.backward for edge in drawing.edges):
        yield _arrow("bwd", "bh", 20, 0), 25, "g", "gradient, flowing back"
    if any("G" in label.rule for label in labels):
        yield "", 0, "r", "= G × local derivative  (G: gradient arriving)"
    kinds = {mark.kind for mark in drawing.marks}
    if "dot" in kinds:
        dot = '<g class="dot"><circle class="body" cx="5" cy="5.5" r="4"/></g>'
        back = any(edge.backward for edge in drawing.edges)
        yield dot, 14, "", "gradients meet: sum" if back else "used more than once"
    for kind, text in _MARKS.items():
        if kind in kinds:
            radius = 5.5 if kind == "op" else 3
            body = f'<rect class="body" width="16" height="11" rx="{radius}"/>'
            if kind == "parameter":
                body += '<rect class="inner" x="2" y="2" width="12" height="7" rx="2"/>'
            yield f'<g class="{kind}">{body}</g>', 21, "", text
    yield from _overlaid(drawing)
    if drawing.note:
        yield "", 0, "b", drawing.note


def _overlaid(drawing: Drawing) -> Iterator[tuple[str, float, str, str]]:
    """What highlights, checks and flags mean."""
    if any(mark.emphasis == "strong" for mark in drawing.marks):
        yield f'<g class="strong">{_GLOW}{_arrow("fwd", "ah", 0, 20)}</g>', 25, "", "highlighted"
    signs = {mark.sign for mark in drawing.marks} - {""}
    for kind, text in (("✓", "hand-written, agrees"), ("✗", "hand-written, differs")):
        if kind in signs:
            yield "".join(sign(kind, (6, 5.5), 6)), 16, "", text
    if any(mark.flag.startswith(("NaN", "inf")) for mark in drawing.marks):
        body = '<rect class="flag" y="-1" width="28" height="13" rx="6.5"/>'
        yield (
            f'{body}<text class="flagged" x="14" y="8.8" text-anchor="middle">NaN</text>',
            33,
            "",
            "not finite: NaN or inf in it",
        )


_GLOW = '<path class="glow" d="M3,5.5 L16,5.5"/>'


def _arrow(line: str, head: str, start: int, end: int) -> str:
    way = 1 if end > start else -1
    back = end - 7 * way
    return (
        f'<path class="{line}" d="M{start},5.5 L{back},5.5"/>'
        f'<polygon class="{head}" points="{end},5.5 {back},2.5 {back},8.5"/>'
    )
