"""`autograd-lite draw` and `view`: the graph of a tensor that a Python file makes.

Knows: that the file is run for it.
Does not know: how a graph is drawn.
Imports: lower floors.
"""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path
from typing import Any

from autograd_lite.errors import DrawError
from autograd_lite.graph import visible
from autograd_lite.picture import draw, view

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommands to a parser's."""
    for name, about, default, make in _DRAWINGS:
        parser = commands.add_parser(name, help=about, description=f"{about}. {_RUNS}")
        parser.add_argument("target", metavar="FILE.py:NAME", help="a tensor that the file makes")
        parser.add_argument("--out", default=default, metavar="FILE", help=f"({default})")
        parser.set_defaults(run=make)
        if make is _view:
            parser.add_argument("--open", action="store_true", help="show it in the browser")


_RUNS = "The file is run, as `python FILE.py` would run it."


def _draw(options: argparse.Namespace) -> int:
    draw(_made(options.target), options.out)
    print(options.out)
    return 0


def _view(options: argparse.Namespace) -> int:
    view(_made(options.target), options.out, open=options.open)
    print(options.out)
    return 0


_DRAWINGS = (
    ("draw", "draw the graph of a tensor that a Python file makes", "graph.svg", _draw),
    ("view", "make the live page of a tensor that a Python file makes", "graph.html", _view),
)


def _made(target: str) -> Any:
    """The tensor of a name in a file, which is run for it."""
    file, _, name = target.rpartition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise DrawError(f"{visible(target)} names no tensor", mend="write FILE.py:NAME")
    if not Path(file).is_file():
        raise DrawError(f"there is no file {visible(file)}")
    try:
        found = runpy.run_path(file, run_name="__main__")
    except Exception as error:
        raise DrawError(
            f"{visible(file)} failed: {type(error).__name__}: {visible(str(error), 200)}",
            mend="mend it until python runs it",
        ) from error
    if name not in found:
        raise DrawError(f"{visible(file)} makes nothing called {name}")
    return found[name]
