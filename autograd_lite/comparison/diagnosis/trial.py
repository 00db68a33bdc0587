"""What a search for a mistake in a graph looks at: edges, and one gradient to be explained.

Knows: the graph's edges, every mistake at each of them, and when a suspicion is proved.
Does not know: which mistakes are tried in which order.
Imports: its neighbours, graph, NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.elementwise import Region, regions
from autograd_lite.comparison.diagnosis.evidence import Evidence, Suspect, ratio
from autograd_lite.comparison.diagnosis.mistakes import MISTAKES, Edge, Wrong
from autograd_lite.comparison.diagnosis.sweeps import Pushed, seeds_of, silent_edges, swept
from autograd_lite.graph import Graph, Node
from autograd_lite.ops.shaping import unbroadcast

__all__ = ["Found", "Sought", "Trial", "at_target", "classified", "near"]

_WORK = 150_000  # nodes visited by sweeps that try whole loops
_PARTNERS = 12  # arrays of one shape that are tried as an operand


@dataclass(frozen=True, eq=False)
class Found:
    """A proved mistake: for one gradient, at one place."""

    wrong: Wrong
    node: Node
    order: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What is the same for all gradients that the mistake spoils."""
        return self.wrong.cause, self.wrong.text, id(self.node)


class Trial:
    """The graph of one layer, and what of it is the same for every gradient."""

    def __init__(self, evidence: Evidence, graph: Graph) -> None:
        self.evidence, self.graph, self.flow = evidence, graph, evidence.flow
        self.silent = silent_edges(self.flow)
        self.leaves = [s.leaf for s in evidence.suspects if s.leaf is not None]
        self._seeds = seeds_of(graph, evidence.cotangents)
        self._swept: dict[Any, dict[Node, Any]] = {}
        self._work = 0

    @cached_property
    def edges(self) -> list[Edge]:
        """Every edge over which something flows, arrays of its shape beside it."""
        same: dict[tuple[int, ...], list[tuple[Node, str]]] = {}
        for node in self.graph:
            value = self.flow.values[node]
            if type(value) is tuple or np.asarray(value).dtype.kind not in "fiu":
                continue
            if np.ndim(value):
                same.setdefault(node.shape, []).append((node, "value"))
                if node in self.flow.cotangents:
                    same[node.shape].append((node, "gradient"))
        wide = {
            shape: [
                *nodes,
                *(one for other in same if _widens(other, shape) for one in same[other]),
            ]
            for shape, nodes in same.items()
        }
        same = {shape: nodes[-_PARTNERS:] + nodes[:_PARTNERS] for shape, nodes in wide.items()}
        return [
            Edge(node, i, passes, self.flow, same)
            for (node, i), passes in self.flow.contributions.items()
            if type(self.flow.cotangents.get(node)) is not list and _is_float(passes)
        ]

    @cached_property
    def wrongs(self) -> list[tuple[int, Edge, Wrong]]:
        """Every mistake at every edge, with the order in which it is preferred."""
        found = []
        for edge in self.edges:
            for order, mistake in enumerate(MISTAKES):
                try:
                    found += [(order, edge, at_target(wrong, edge)) for wrong in mistake(edge)]
                except (ValueError, TypeError, ArithmeticError, IndexError):
                    continue  # an operand of this shape or kind cannot stand there
        return found

    @cached_property
    def regions(self) -> list[Region]:
        """The parts that work element by element."""
        return regions(self.graph, self.flow)

    def sweep(self, key: Any, edges: Any, arrivals: Any) -> dict[Node, Any] | None:
        """The gradients with a mistake in a whole loop; None when enough has been tried."""
        if key not in self._swept:
            self._work += len(self.graph)
            if self._work > _WORK:
                return None
            self._swept[key] = swept(self._seeds, self.leaves, edges, arrivals)
        return self._swept[key]


class Sought:
    """One gradient that is to be explained.

    `where` are those of its elements that are looked at.
    """

    def __init__(self, trial: Trial, suspect: Suspect, seed: int, where: Any = None) -> None:
        assert suspect.leaf is not None
        self.trial, self.suspect, self.leaf = trial, suspect, suspect.leaf
        self.hand, self.right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
        self.gap = self.hand - self.right
        self.where = np.True_ if where is None else where
        rng = np.random.default_rng(seed)
        self.pushed = Pushed(trial.graph, trial.flow, self.leaf, trial.silent, rng, self.where)
        self.goal = self.pushed.weigh(self.gap)

    def explains(self, node: Node, change: Any) -> bool:
        """Whether the gap is what this change of what arrives at a node makes of the gradient.

        The node is one that rests on the leaf (`pushed.at`).
        """
        if not near(self.pushed.effect(node, change), self.goal):
            return False
        seed = np.asarray(change, node.dtype if node.dtype.kind == "f" else float)[()]
        quiet = dict.fromkeys(self.trial.silent, np.zeros_like)
        found = swept({node: seed}, [self.leaf], quiet)[self.leaf]
        slack = 1e-6 * np.abs(self.gap).max() + 1e-12 * np.abs(self.right).max()
        return bool(np.abs((found - self.gap) * self.where).max() <= slack)


def classified(wrong: Wrong, passes: Any) -> Wrong:
    """A mistake by what it amounts to: a factor, or a mask that lets pass what it should stop."""
    if wrong.cause not in ("wrong operand", "local derivative"):
        return wrong
    mine, right = np.asarray(wrong.passes, float), np.asarray(passes, float)
    if mine.shape != right.shape or right.size < 2:
        return wrong
    c = ratio(mine, right)
    if c is not None:
        return replace(
            wrong, cause="factor", text=f"{wrong.text}, which makes it {c:.6g} × too large"
        )
    scale = np.abs(right).max(initial=0.0)
    agree, zero = np.abs(mine - right) <= 1e-9 * scale, right == 0
    if agree[~zero].all() and zero.any() and (~zero).any():
        return replace(wrong, cause="mask", text=f"{wrong.text}: what a mask stops passes")
    return wrong


def near(effect: Any, goal: Any) -> bool:
    """Whether two triples of inner products agree; a first sieve, not a proof."""
    scale = float(np.abs(goal).max())
    return bool(np.isfinite(effect).all() and np.abs(effect - goal).max() <= 1e-6 * scale)


def at_target(wrong: Wrong, edge: Edge) -> Wrong:
    """What is passed, summed over the axes along which its target was broadcast."""
    shape = edge.to.shape
    if np.shape(wrong.passes) == shape or np.size(wrong.passes) <= int(np.prod(shape)):
        return wrong
    return replace(wrong, passes=unbroadcast(wrong.passes, shape))


def _widens(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether a smaller array of this shape, with as many axes, broadcasts to the other."""
    same_rank = len(shape) == len(to) and shape != to
    return same_rank and all(m in (1, n) for m, n in zip(shape, to, strict=True))


def _is_float(value: Any) -> bool:
    return hasattr(value, "dtype") and value.dtype.kind == "f"
