"""What a diagnosis may look at, and what it says.

Knows: the wrong gradients with the right ones beside them, the traced graph with all that flows in
it, ways to run the layer again; when two arrays are the same but for rounding.
Does not know: any kind of mistake, conventions, how a report looks.
Imports: report, adapters' session, graph, reverse, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.session import Session
from autograd_lite.comparison.report import Row
from autograd_lite.graph import Graph, Node
from autograd_lite.reverse import Flow, flow

__all__ = [
    "Evidence", "Explanation", "Suspect", "called", "fits", "is_plain", "place", "ratio", "spreads",
    "start_of",
]  # fmt: skip

_SAME = 1e-7  # of the larger one's largest element


@dataclass(frozen=True)
class Explanation:
    """Why gradients are wrong: the kind of mistake, a sentence, and how it was tested.

    `rows` are the names of the gradients that it explains. `level` is that of the finding. `node`
    is the first step of forward whose local contribution explains them, where one does.
    """

    cause: str
    text: str
    tested: str
    rows: tuple[str, ...]
    level: str = "error"
    node: Node | None = None


@dataclass(frozen=True, eq=False)
class Suspect:
    """A wrong gradient: what was found by hand, what is right, and where it belongs.

    `right` is the automatic gradient, or the numeric one where nothing was traced. `leaf` is the
    graph's node that it is the gradient of.
    """

    row: Row
    k: int
    hand: Any
    right: Any
    leaf: Node | None = None

    @property
    def name(self) -> str:
        """What the gradient is called."""
        return self.row.name


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that is known of one layer.

    `at(inputs, cotangents)` gives the hand-written gradients there, in the order of `k`, None
    where there is none. `session()` is a fresh copy of the layer to run several passes on.
    """

    suspects: Sequence[Suspect]
    others: Sequence[Suspect]  # gradients that are right
    inputs: Sequence[Any]
    cotangents: Sequence[Any]
    at: Callable[[Sequence[Any], Sequence[Any]], list[Any]]
    session: Callable[[], Session]
    names: Sequence[str]
    graph: Graph | None = None
    takes_cotangent: bool = True  # whether backward is told what flows in

    @cached_property
    def flow(self) -> Flow:
        """Values, cotangents and the contribution of every edge of the graph."""
        assert self.graph is not None
        return flow(self.graph, list(self.cotangents))


def fits(claim: Any, truth: Any, tolerance: float = _SAME) -> bool:
    """Whether two arrays are one but for rounding; of equal shape, nothing is broadcast.

    >>> fits(np.ones(2), np.ones(2) + 1e-12), fits(np.ones(2), np.ones((1, 2)))
    (True, False)
    """
    if np.shape(claim) != np.shape(truth):
        return False
    a, b = np.asarray(claim, float), np.asarray(truth, float)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    return bool(np.abs(a - b).max(initial=0.0) <= tolerance * scale)


def ratio(a: Any, b: Any, tolerance: float = _SAME) -> float | None:
    """The number c with a = c·b, None where there is none.

    >>> ratio(np.array([2.0, 4.0]), np.array([1.0, 2.0]))
    2.0
    """
    if np.shape(a) != np.shape(b):
        return None
    a, b = np.asarray(a, float), np.asarray(b, float)
    square = float((b * b).sum())
    if not np.isfinite(square) or not square or not np.isfinite(a).all():
        return None
    c = float((a * b).sum()) / square
    return c if c and fits(a, c * b, tolerance) else None


def is_plain(c: float) -> bool:
    """Whether a number or its inverse is an integer or half of one.

    >>> is_plain(-3.0), is_plain(1 / 12), is_plain(2.7)
    (True, True, False)
    """
    return any(abs(2 * v - round(2 * v)) < 1e-9 * abs(v) for v in (c, 1 / c))


def place(node: Node) -> str:
    """The file and line where a node was made, and what stands there.

    Empty where that is not known.
    """
    source = node.source
    if source is None:
        return ""
    text = f" ({source.text.strip()})" if source.text else ""
    return f"{source.file.rpartition('/')[2]}:{source.line}{text}"


def called(node: Node) -> str:
    """A node by its name, or by what it computes and its line."""
    if node.name:
        return node.name
    return f"the {node.op.name}" + (f" of line {node.source.line}" if node.source else "")


def start_of(node: Node) -> str:
    """A node as the start of a stretch of the graph: its name, or its line."""
    return node.name or (f"line {node.source.line}" if node.source else node.op.name)


def spreads(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether an array of this shape broadcasts to the other one.

    >>> spreads((3, 1), (2, 3, 4)), spreads((2, 3, 4), (3, 4))
    (True, False)
    """
    try:
        return bool(np.broadcast_shapes(shape, to) == to)
    except ValueError:
        return False
