"""The command `autograd-lite`: also `python -m autograd_lite`.

Knows: its subcommands, the notebook's own cases, exit codes (0 all right, 1 something differs,
2 it could not be done, said in one line).
Does not know: how comparing and drawing are done.
Imports: lower floors.
"""

from __future__ import annotations

import argparse
import platform
import runpy
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite import handwritten, nn
from autograd_lite.comparison import Comparison, compare, page
from autograd_lite.comparison.report import write_text
from autograd_lite.errors import AutogradError, CompareError, DrawError, MissingExtraError, require
from autograd_lite.graph import visible
from autograd_lite.picture import draw, view
from autograd_lite.rules import OPS
from autograd_lite.tensors import tensor

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (those of the process if None); return its exit code.

    >>> main(["ops", "--kind", "multilinear"])  # doctest: +ELLIPSIS
    operator  kind         symbol  arguments
    ...
    0
    """
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except AutogradError as error:
        advice = f"; {error.mend}" if error.mend else ""
        print(f"autograd-lite: {error.what}{advice}", file=sys.stderr)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        print(f"autograd-lite: {named}{error.strerror or error}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograd-lite",
        description="NumPy expressions as graphs: derivatives, pictures, checks of gradients.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    demo = commands.add_parser("demo", help="compare and draw the notebook's layers")
    demo.add_argument("--out", default="demo", metavar="DIR", help="folder to write (demo)")
    demo.set_defaults(run=_demo)
    for name, about, default, make in _DRAWINGS:
        drawing = commands.add_parser(name, help=about, description=f"{about}. {_RUNS}")
        drawing.add_argument("target", metavar="FILE.py:NAME", help="a tensor that the file makes")
        drawing.add_argument("--out", default=default, metavar="FILE", help=f"({default})")
        drawing.set_defaults(run=make)
        if make is _view:
            drawing.add_argument("--open", action="store_true", help="show it in the browser")
    ops = commands.add_parser("ops", help="list the operators")
    ops.add_argument("--kind", help="only operators of this kind, for example pointwise")
    ops.set_defaults(run=_ops)
    doctor = commands.add_parser("doctor", help="versions, extras and layout engines")
    doctor.set_defaults(run=_doctor)
    return parser


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(t.ljust(n) for t, n in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


# ── demo ─────────────────────────────────────────────────────────────────────────────────────────


class _Stack:
    """Hand-written layers one after the other."""

    def __init__(self, *layers: Any) -> None:
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout: Any) -> Any:
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


class _AutomaticStack:
    """The same of automatic layers."""

    def __init__(self, *layers: Any) -> None:
        self.layers = list(layers)

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


@dataclass(frozen=True, eq=False)
class _Case:
    """One layer of the notebook with its numbers."""

    file: str
    title: str
    make: Callable[[Any], Any]  # from a module of layers, by hand or automatic
    x: Any
    dout: Any


# Integers throughout, as in the notebook.
_W = np.array([[1, 2, 3], [4, 5, 6]])
_B = np.array([7, 8, 9])
_W2 = np.array([[1, -1], [2, 0], [-1, 1]])
_B2 = np.array([0, 1])
_W4 = np.array([[1, 0], [-1, 2], [2, 1], [0, -3]])
_BATCH = np.array([[1, 1], [2, 3]])


def _stack(layers: Any) -> Any:
    kind = _Stack if layers is handwritten else _AutomaticStack
    parts = layers.Affine(_W, _B), layers.Sigmoid(), layers.Affine(_W2, _B2), layers.ReLU()
    return kind(*parts)


_CASES = (
    _Case(
        "affine",
        "Affine, one sample",
        lambda layers: layers.Affine(_W, _B),
        np.array([[1, 1]]),
        np.array([[2, 1, -1]]),
    ),
    _Case(
        "affine_batch",
        "Affine, a batch of two",
        lambda layers: layers.Affine(_W, _B),
        _BATCH,
        np.array([[2, 1, -1], [1, 1, 1]]),
    ),
    _Case(
        "affine_4d",
        "Affine, a batch of two images",
        lambda layers: layers.Affine(_W4, _B2),
        np.array([[[[1, 2], [3, 4]]], [[[0, -1], [2, 5]]]]),
        np.array([[1, -2], [3, 1]]),
    ),
    _Case(
        "relu",
        "ReLU",
        lambda layers: layers.ReLU(),
        np.array([1, -2, 3, -4]),
        np.array([1, 2, -3, -4]),
    ),
    _Case(
        "sigmoid",
        "Sigmoid",
        lambda layers: layers.Sigmoid(),
        np.array([1, -2, 3, -4]),
        np.array([1, 2, -3, -4]),
    ),
    _Case(
        "stack",
        "Affine → Sigmoid → Affine → ReLU",
        _stack,
        _BATCH,
        np.array([[1, -1], [2, 3]]),
    ),
)


def _demo(options: argparse.Namespace) -> int:
    folder = Path(options.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CompareError(
            f"{folder} cannot be made: {error.strerror}", mend="name another folder with --out"
        ) from error
    sections, reports = [], []
    for case in _CASES:
        report = compare(
            case.make(handwritten),
            case.x,
            against=case.make(nn),
            cotangent=case.dout,
            title=case.title,
        )
        print(report, end="\n\n")
        y = case.make(nn)(tensor(case.x, name="x"))
        picture = draw(y, folder / f"{case.file}.svg", cotangent=case.dout)
        picture.save(folder / f"{case.file}.html")
        sections.append(_section(case, report, picture.svg))
        reports.append(report)
    index = folder / "index.html"
    write_text(index, page.shell("Layers by hand and automatic", _page(reports, sections), _STYLE))
    wrong = [report.title for report in reports if not report.ok]
    if wrong:
        print(f"{len(wrong)} of {len(reports)} layers differ: {', '.join(wrong)}")
    else:
        print(f"all {len(reports)} layers agree: automatic, hand-written and numeric")
    print(f"pictures and tables: {index}")
    return 1 if wrong else 0


_STYLE = """
h1{font:600 1.7rem/1.2 system-ui,sans-serif;margin:0 0 .3rem}
.lead{font:1rem/1.6 system-ui,sans-serif;color:var(--soft);max-width:46rem;margin:0 0 1rem}
nav{display:flex;flex-wrap:wrap;gap:.4rem;margin:0 0 1.6rem;font:14px system-ui,sans-serif}
nav a{color:var(--text);text-decoration:none;border:1px solid var(--line);border-radius:1rem;
padding:.2rem .8rem}
nav a:hover,nav a:focus-visible{background:var(--panel);border-color:var(--soft)}
section{border:1px solid var(--line);border-radius:10px;padding:1.1rem 1.3rem;margin:0 0 1.4rem}
figure{margin:1rem 0 0;overflow-x:auto;border-top:1px solid var(--line);padding-top:1rem}
figure svg{max-width:none;height:auto;display:block}
figcaption{font:13px system-ui,sans-serif;color:var(--soft);margin-top:.5rem}
figcaption a{color:var(--value)}
"""

_LEAD = (
    "Each layer of the notebook, on its integers: the gradient that the engine derives, the one "
    "written by hand, and the one that finite differences give. Below each table its graph: "
    "values in blue above the lines, gradients in red beneath, and what each operation makes of "
    "the gradient that arrives, in violet."
)


def _page(reports: Sequence[Comparison], sections: Sequence[str]) -> str:
    links = "".join(
        f'<a href="#{case.file}">{"✓" if report.ok else "✗"} {escape(case.title)}</a>'
        for case, report in zip(_CASES, reports, strict=True)
    )
    head = f'<h1>Layers, by hand and automatic</h1><p class="lead">{_LEAD}</p>'
    return f"{head}<nav>{links}</nav>{''.join(sections)}"


def _section(case: _Case, report: Comparison, svg: str) -> str:
    drawing = svg[svg.index("<svg") :]
    live = f'<a href="{case.file}.html">step through it</a>'
    link = f'{live} · <a href="{case.file}.svg">{case.file}.svg</a>'
    return (
        f'<section id="{case.file}">{page.body(report)}'
        f"<figure>{drawing}<figcaption>{link}</figcaption></figure></section>"
    )


# ── draw, view ───────────────────────────────────────────────────────────────────────────────────

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


# ── ops, doctor ──────────────────────────────────────────────────────────────────────────────────


def _ops(options: argparse.Namespace) -> int:
    kinds = sorted({op.kind for op in OPS.values()})
    if options.kind is not None and options.kind not in kinds:
        raise CompareError(f"no operator is {options.kind}", mend=f"one of: {', '.join(kinds)}")
    chosen = [op for _, op in sorted(OPS.items()) if options.kind in (None, op.kind)]
    rows = [[op.name, op.kind, op.symbol, ", ".join(op.array_names)] for op in chosen]
    print(_columns([["operator", "kind", "symbol", "arguments"], *rows]))
    print(f"{len(rows)} operator" + ("s" if len(rows) != 1 else ""))
    return 0


def _doctor(_: argparse.Namespace) -> int:
    rows = [
        ["autograd-lite", _version_of_package()],
        ["Python", f"{platform.python_version()} ({platform.system()} {platform.machine()})"],
        *([name, _version(name)] for name in ("numpy", "networkx", "graphviz", "pygraphviz")),
        ["system dot", shutil.which("dot") or "not found"],
        ["layout", _layout()],
    ]
    print(_columns(rows))
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
