"""Runs the cells of examples/notebook.ipynb and writes what they show, or checks it.

    python -m docs.example_notebook           write the notebook anew
    python -m docs.example_notebook --check   exit 1 where it is out of date

A cell's last expression shows itself as in Jupyter: by its HTML, its SVG, else its repr. No Jupyter
is needed. Knows nothing of what the cells compute.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import linecache
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["executed", "main", "said"]

NOTEBOOK = Path(__file__).parent.parent / "examples" / "notebook.ipynb"
Plain = dict[str, Any]


def executed(notebook: Plain) -> Plain:
    """The notebook with every output replaced by what its cells show."""
    namespace: Plain = {"__name__": "__main__"}
    cells, count = [], 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            outputs = _shown("".join(cell["source"]), count, namespace)
            cell = {**cell, "execution_count": count, "outputs": outputs}
        cells.append(cell)
    return {**notebook, "cells": cells}


def _shown(source: str, count: int, namespace: Plain) -> list[Plain]:
    name = f"cell {count}"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = ast.parse(source, name)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), namespace)  # noqa: S102  # the cells are ours
        if isinstance(last, ast.Expr):
            code = compile(ast.Expression(last.value), name, "eval")
            value = eval(code, namespace)  # noqa: S307  # the cells are ours
    outputs: list[Plain] = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": text})
    if value is not None:
        outputs.append(
            {
                "output_type": "execute_result",
                "execution_count": count,
                "metadata": {},
                "data": {kind: text.splitlines(keepends=True) for kind, text in _forms(value)},
            }
        )
    return outputs


def _forms(value: Any) -> list[tuple[str, str]]:
    found = [("text/plain", repr(value))]
    for kind, method in (("text/html", "_repr_html_"), ("image/svg+xml", "_repr_svg_")):
        if hasattr(value, method):
            found.append((kind, getattr(value, method)()))
    return found


def said(notebook: Plain) -> list[str]:
    """What a notebook holds, without what differs from machine to machine.

    That is where a picture's words stand, and printed numbers.
    """
    found = []
    for cell in notebook["cells"]:
        found.append("".join(cell["source"]))
        for output in cell.get("outputs", ()):
            found.append(re.sub(r"[-\d.]+(e[-+]\d+)?", "#", "".join(output.get("text", ()))))
            svg = "".join(output.get("data", {}).get("image/svg+xml", ()))
            found += sorted(re.findall(r"<text[^>]*>(.*?)</text>", svg))
    return found


def main(arguments: list[str]) -> int:
    """Write the notebook, or check it."""
    old = NOTEBOOK.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        made = executed(json.loads(old))
    if "--check" in arguments:
        if said(json.loads(old)) != said(made):
            print("examples/notebook.ipynb is out of date: python -m docs.example_notebook")
            return 1
        return 0
    new = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    NOTEBOOK.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
