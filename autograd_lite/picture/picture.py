"""``draw`` and ``Picture``: from a tensor to a file.

Knows the steps (flow, folding, marks, layout, SVG) and the file formats. Imports graph,
derivatives, errors and its siblings.
"""

import os
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd_lite.errors import DrawError, require
from autograd_lite.graph import Graph, visible
from autograd_lite.picture import text
from autograd_lite.picture.broadcasts import repeated
from autograd_lite.picture.drawing import Drawing, plan
from autograd_lite.picture.folding import Expand, Folded, fold
from autograd_lite.picture.highlight import highlighted
from autograd_lite.picture.layout import place
from autograd_lite.picture.marks import Shown, picture_of
from autograd_lite.picture.page import live_page
from autograd_lite.picture.reading import checks_of, cotangent_of, graph_of, shown_of
from autograd_lite.picture.svg import render
from autograd_lite.picture.theme import PALETTES, THEMES

__all__ = ["Picture", "draw"]

_FONT = 10.0  # the font size, in pixels, at which everything is measured


def draw(
    y: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    values: bool = True,
    gradients: bool = True,
    local: bool = True,
    cotangent: Any = None,
    expand: Expand = "auto",
    repeat: bool = False,
    highlight: Any = None,
    compare: Any = None,
    layout: str = "auto",
    theme: str = "auto",
    direction: str = "LR",
    font_size: float = _FONT,
    palette: str = "default",
    legend: bool = True,
) -> "Picture":
    """Draw the graph of a tensor (or several, or a ``Graph``): values, gradients, local rules.

    Args:
        y: a tensor, a list of tensors, a ``Graph``, an ``ag.compare`` report, or the error of an
            operation that failed: what was recorded up to there is drawn.
        path: where to save it too: ``.svg .png .pdf .html .dot .mermaid .txt``.
        values: whether the forward values stand above the edges.
        gradients: whether the gradients stand beneath them.
        local: whether each operation's local rule stands under the gradient it makes.
        cotangent: the gradient that begins at ``y``, of its shape (ones by default); a list of
            them for several outputs.
        expand: which scopes are drawn open. ``"auto"`` opens all of a small graph and folds a
            large one; ``"all"``, ``"none"``, a depth, a pattern of scope names (``"Net/Affine*"``)
            or a function of the scope; ``"force"`` opens all of a graph of any size.
        repeat: whether a smaller operand that is broadcast gets a node of its own that repeats it
            (its backward is the sum over the copies).
        highlight: what stands out while the rest steps back: a tensor or its name, a pair
            ``(W, L)`` for all paths from W to L, or a list of these.
        compare: an ``ag.compare`` report, or a mapping from tensors to ``Check``: signs where
            hand-written numbers agree or differ, these numbers beside ours, and where the two
            first part.
        layout: ``"auto"``, ``"pygraphviz"``, ``"dot"`` or ``"builtin"``.
        theme: ``"auto"`` follows the reader's light or dark mode; or ``"light"``, ``"dark"``.
        direction: ``"LR"`` reads from left to right, ``"TB"`` from top to bottom.
        font_size: of the numbers, in pixels; everything grows with it.
        palette: ``"default"`` (blue values, red gradients) or ``"cs231n"`` (green values).
        legend: whether what occurs is explained.

    Raises:
        DrawError: a choice that does not exist, a path that cannot be written, a picture too large.
        ShapeError: a cotangent that has not the shape of ``y``.

    >>> x = ag.tensor([1.0, 2.0], name="x")
    >>> picture = ag.draw(ag.exp(x) * 3)
    >>> picture.svg.startswith("<svg")
    True
    """
    _check("theme", theme, THEMES)
    _check("palette", palette, PALETTES)
    _check("direction", direction, ("LR", "TB"))
    if not 0 < font_size < 1000:
        raise DrawError("font_size is a number of pixels between 0 and 1000")
    graph = graph_of(y)
    compare = y if compare is None and hasattr(y, "checks") else compare
    if path is not None:
        _format(path)
    graph, now = repeated(graph) if repeat else (graph, {})
    shown = shown_of(y, graph, values, gradients, local, cotangent_of(compare, cotangent))
    if highlight is not None:
        shown = replace(shown, lit=highlighted(graph, highlight, now))
    if compare is not None:
        shown = replace(shown, checks=checks_of(compare, graph, shown, now))
    folded = fold(graph, expand)
    drawing = picture_of(graph, folded, shown)
    picture = Picture(
        drawing,
        _Source(graph, folded, shown),
        layout=layout,
        direction=direction,
        theme=theme,
        palette=palette,
        scale=font_size / _FONT,
        legend=legend,
    )
    if path is not None:
        picture.save(path)
    return picture


@dataclass(frozen=True)
class _Source:
    """What a picture was drawn of, for the live page that can unfold more of it."""

    graph: Graph
    folded: Folded
    shown: Shown


class Picture:
    """A finished picture: ``.svg`` is its text, ``.save(path)`` writes it, a notebook shows it."""

    def __init__(
        self,
        drawing: Drawing,
        source: _Source,
        *,
        layout: str,
        direction: str,
        theme: str,
        palette: str,
        scale: float,
        legend: bool,
    ) -> None:
        self.drawing = drawing
        self._source = source
        self.direction = direction
        self.plan = plan(drawing, direction)
        self.placement = place(self.plan, layout)
        self._style = {"palette": palette, "scale": scale, "with_legend": legend}
        self._theme = theme
        self._palette = palette

    @cached_property
    def svg(self) -> str:
        """The picture as the text of an SVG file."""
        return render(self.drawing, self.plan, self.placement, theme=self._theme, **self._style)  # type: ignore[arg-type]  # checked in draw

    @cached_property
    def page(self) -> str:
        """The live page of the picture, as the text of a self-contained HTML file.

        Raises:
            DrawError: a graph too large for a page.
        """
        return live_page(
            self._source.graph,
            self._source.folded,
            self._source.shown,
            self.drawing,
            self.svg,
            direction=self.direction,
            theme=self._theme,
            palette=self._palette,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture in the format that the path's suffix names, all of it or nothing.

        Raises:
            DrawError: an unknown suffix, or a path that cannot be written.
            MissingExtraError: a converter that is not installed, with the pip command.
        """
        _write(Path(path), _format(path)(self))

    def _repr_svg_(self) -> str:
        return self.svg

    def __str__(self) -> str:
        return text.as_tree(self.drawing)

    def __repr__(self) -> str:
        marks, edges = len(self.drawing.marks), len(self.drawing.edges)
        return f"<Picture of {marks} marks and {edges} edges, laid out by {self.placement.engine}>"


def _svg(picture: Picture) -> bytes:
    return picture.svg.encode()


def _png(picture: Picture) -> bytes:
    resvg = require("resvg_py", "png")
    return bytes(resvg.svg_to_bytes(svg_string=picture.svg, zoom=2))


def _pdf(picture: Picture) -> bytes:
    converter = require("vl_convert", "pdf")
    return bytes(converter.svg_to_pdf(picture.svg))


_FORMATS: dict[str, Callable[[Picture], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".pdf": _pdf,
    ".html": lambda picture: picture.page.encode(),
    ".dot": lambda picture: text.as_dot(picture.drawing, picture.direction).encode(),
    ".mermaid": lambda picture: text.as_mermaid(picture.drawing, picture.direction).encode(),
    ".txt": lambda picture: text.as_tree(picture.drawing).encode(),
}


def _format(path: str | os.PathLike[str]) -> Callable[[Picture], bytes]:
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        raise DrawError(
            f"no picture format has the suffix {suffix!r}" if suffix else "the path has no suffix",
            mend=f"end the path with one of: {' '.join(_FORMATS)}",
        )
    return _FORMATS[suffix]


def _write(path: Path, content: bytes) -> None:
    """Write beside the path first, then rename: a reader never sees half a file."""
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise DrawError(
            f"the picture cannot be written: {error.strerror or type(error).__name__}",
            where=f"path {os.fspath(path)!r}",
            mend="give a path in a folder that exists and may be written",
        ) from error


def _check(what: str, given: object, allowed: Collection[str]) -> None:
    if not isinstance(given, str) or given not in allowed:
        shown = visible(given) if isinstance(given, str) else f"a {type(given).__name__}"
        raise DrawError(f"{what} cannot be {shown}", mend=f"one of: {', '.join(allowed)}")
