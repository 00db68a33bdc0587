"""`autograd-lite doctor`: what is installed.

Knows: the packages and programs that pictures rest on. Does not know: what they do.
Imports: lower floors.
"""

from __future__ import annotations

import argparse
import platform
import shutil
from typing import Any

from autograd_lite import nn
from autograd_lite.cli.columns import columns
from autograd_lite.errors import MissingExtraError, require
from autograd_lite.picture import draw
from autograd_lite.tensors import tensor

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = commands.add_parser("doctor", help="versions, extras and layout engines")
    parser.set_defaults(run=_doctor)


def _doctor(_: argparse.Namespace) -> int:
    rows = [
        ["autograd-lite", _version_of_package()],
        ["Python", f"{platform.python_version()} ({platform.system()} {platform.machine()})"],
        *([name, _version(name)] for name in ("numpy", "networkx", "graphviz", "pygraphviz")),
        ["system dot", shutil.which("dot") or "not found"],
        ["layout", _layout()],
    ]
    print(columns(rows))
    return 0


def _version(module: str) -> str:
    try:
        return str(getattr(require(module, "draw"), "__version__", "present"))
    except MissingExtraError as error:
        return f"not installed ({error.mend})"


def _version_of_package() -> str:
    metadata = require("importlib.metadata", "all")
    try:
        return str(metadata.version("autograd-lite"))
    except metadata.PackageNotFoundError:
        return "from a folder, not installed"


def _layout() -> str:
    """The layout engine that a picture is drawn with here."""
    return str(draw(nn.relu(tensor(1.0, name="x"))).placement.engine)
