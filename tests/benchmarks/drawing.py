"""Pictures of large graphs: 1,000 shown nodes are to take under 2 s, folding 100,000 under 3 s.

Each picture is drawn to its SVG text, values, gradients and local rules with it, by every layout
engine that is there. The peer is Graphviz's own ``dot``, which draws boxes with a name in them from
the same nodes and edges. Seconds are processor time, that of child processes included.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import autograd_lite as ag
from autograd_lite.errors import MissingExtraError
from autograd_lite.picture.folding import fold
from tests.layout_corpus import LARGE, chain, residual_net

ENGINES = ("pygraphviz", "dot", "builtin")
ROUNDS = 3


def best(run: Callable[[], Any]) -> float:
    """Seconds of the quickest of some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = sum(os.times()[:4])
        run()
        times.append(sum(os.times()[:4]) - start)
    return min(times)


def peer(picture: ag.Picture) -> str:
    """How long ``dot`` takes for the same marks and edges, as SVG, without values."""
    if shutil.which("dot") is None:
        return "   –"
    lines = ["digraph { rankdir=LR; node [shape=box]"]
    lines += [f'{m} [label="{mark.kind}"]' for m, mark in enumerate(picture.drawing.marks)]
    lines += [f"{edge.source} -> {edge.target}" for edge in picture.drawing.edges]
    text = "\n".join([*lines, "}"]).encode()
    run = lambda: subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, check=True)
    return f"{best(run):4.2f}"


def drawing() -> list[str]:
    """Seconds to draw about 1,000 nodes, none folded."""
    lines = [
        f"  {'drawn to SVG, in seconds':28}{'marks':>7}{'  '.join(('', *ENGINES, 'plain dot'))}"
    ]
    for name, y in (("residual net unfolded", residual_net(83)), ("chain of 998", chain(998, 0))):
        row = ""
        for engine in ENGINES:
            try:
                picture = ag.draw(y, layout=engine, expand="force")
                run = lambda y=y, engine=engine: ag.draw(y, layout=engine, expand="force").svg
                row += f"{best(run):>{len(engine) + 2}.2f}"
            except MissingExtraError:
                row += f"{'–':>{len(engine) + 2}}"
        lines.append(f"  {name:28}{len(picture.drawing.marks):7}{row}{peer(picture):>11}")
    return lines


def folding() -> list[str]:
    """Seconds to decide what is drawn of a large graph."""
    lines = [f"  {'folded, in seconds':28}{'nodes':>9}{'shown':>7}{'s':>7}"]
    for name, make in LARGE.items():
        graph = ag.Graph.of(make())
        parts = len(fold(graph).parts)
        seconds = best(lambda graph=graph: fold(graph))
        lines.append(f"  {name:28}{len(graph):9,}{parts:7}{seconds:7.2f}")
    return lines


def report() -> str:
    return "\n".join([*drawing(), *folding()])
