"""``view``: the live page of a tensor, as a file, in a browser, in a notebook.

Knows files and browsers; what is drawn it leaves to ``draw``. Imports errors and its siblings.
"""

import os
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from autograd_lite.errors import DrawError
from autograd_lite.picture.page import framed
from autograd_lite.picture.picture import Picture, draw

__all__ = ["View", "view"]


def view(
    y: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    open: bool = False,
    **options: Any,
) -> "View":
    """Make the live page of a tensor (or several, or a ``Graph``).

    The page steps forward and backward through the graph, folds and unfolds layers, shows whole
    arrays and asks questions. It is one file that loads nothing and works offline.

    Args:
        y: a tensor, a list of tensors, or a ``Graph``.
        path: where to save the page: a name that ends in ``.html``.
        open: whether to show it in the browser; without ``path`` in a temporary file.
        options: those of ``ag.draw``: ``cotangent``, ``expand``, ``direction``, ``theme``, ….

    Raises:
        DrawError: as ``ag.draw``; a path that is not ``.html``; a graph too large for a page.

    >>> x = ag.tensor([1.0, 2.0], name="x")
    >>> page = ag.view(ag.exp(x) * 3)
    >>> page.html.startswith("<!DOCTYPE html>")
    True
    """
    if path is not None and Path(path).suffix.lower() != ".html":
        raise DrawError("a live page is an HTML file", mend="end the path with .html")
    shown = View(draw(y, **options))
    if path is None and open:
        path = Path(tempfile.mkdtemp(prefix="autograd-lite-")) / "graph.html"
    if path is not None:
        shown.save(path)
    if open and path is not None:
        webbrowser.open(Path(path).resolve().as_uri())
    return shown


class View:
    """A live page: ``.html`` is its text, ``.save(path)`` writes it, a notebook shows it."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    @property
    def html(self) -> str:
        """The page as the text of an HTML file."""
        return self.picture.page

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page (or, by another suffix, the picture), all of it or nothing.

        Raises:
            DrawError: an unknown suffix, or a path that cannot be written.
        """
        self.picture.save(path)

    def _repr_html_(self) -> str:
        return framed(self.html)

    def _repr_svg_(self) -> str:
        return self.picture.svg  # for those who show a notebook without frames

    def __repr__(self) -> str:
        return f"<View of {self.picture!r}>"
