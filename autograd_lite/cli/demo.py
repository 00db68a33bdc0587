"""`autograd-lite demo`: the notebook's layers, compared and drawn.

Knows: the notebook's own cases, the page that holds them all.
Does not know: how comparing and drawing are done.
Imports: lower floors.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite import handwritten, nn
from autograd_lite.comparison import Comparison, compare, page
from autograd_lite.comparison.report import write_text
from autograd_lite.errors import CompareError
from autograd_lite.picture import draw
from autograd_lite.tensors import tensor

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = commands.add_parser("demo", help="compare and draw the notebook's layers")
    parser.add_argument("--out", default="demo", metavar="DIR", help="folder to write (demo)")
    parser.set_defaults(run=_demo)


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
