"""Where a mistake was made, though it is not known which: the step from which all errors come.

Knows: that what is wrong in several gradients may come from one wrong array that arrives at a node,
and how to tell by linear equations.
Does not know: any mistake, how layers are written.
Imports: evidence, sweeps, graph, NumPy.

The error of a gradient is P(Δ), if Δ is wrong at a node and all steps from there on are right. With
directions r of all leaves at once, ⟨r, error⟩ = ⟨Pᵀr, Δ⟩, and Pᵀr is a tangent: more directions
than Δ has elements make an overdetermined system, which has a solution only if the node explains
every wrong gradient, and leaves the right ones right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import Evidence, Explanation, Suspect, place
from autograd_lite.comparison.diagnosis.sweeps import silent_edges, tangents
from autograd_lite.graph import Node

__all__ = ["explain"]

_SURPLUS = 6  # equations beyond the unknowns
_MOST = 160  # equations
_WORK = 30_000  # nodes visited
_SAME = 1e-6


def explain(evidence: Evidence) -> list[Explanation]:
    """The step of forward to which everything that is wrong can be traced back."""
    graph = evidence.graph
    wrong = [s for s in evidence.suspects if _usable(s)]
    if graph is None or not wrong or len(wrong) < len(evidence.suspects):
        return []
    everything = [*wrong, *(s for s in evidence.others if _usable(s))]
    size = sum(int(np.size(s.right)) for s in everything)
    count = min(_MOST, size, _WORK // len(graph))
    nodes = [
        node
        for node, g in evidence.flow.cotangents.items()
        if type(g) is not list and node.inputs and 0 < node.size <= count - _SURPLUS
    ]
    if not nodes:
        return []
    explaining = _explaining(evidence, everything, count, nodes)
    if not explaining:
        return []
    first = min(explaining, key=lambda node: node.serial)
    last = max(explaining, key=lambda node: node.serial)
    names = ", ".join(s.name for s in wrong)
    text = (
        f"all that is wrong comes from what arrives at {first.op.name}, {place(first)}: from there "
        f"back to {names} the steps are right"
    )
    if last is not first:
        text += f"; so they are from {last.op.name}, {place(last)}, if what arrives there is wrong"
    text += "; look at what is computed just before"
    tested = "one wrong array there gives all errors and none elsewhere, by least squares"
    return [Explanation("place", text, tested, tuple(s.name for s in wrong), node=first)]


def _usable(suspect: Suspect) -> bool:
    hand = np.asarray(suspect.hand)
    fit = hand.shape == np.shape(suspect.right) and hand.dtype.kind == "f"
    return suspect.leaf is not None and fit and bool(np.isfinite(hand).all())


def _explaining(
    evidence: Evidence, everything: Sequence[Suspect], count: int, nodes: Sequence[Node]
) -> list[Node]:
    rng = np.random.default_rng(13)
    silent = silent_edges(evidence.flow)
    goal, seen = np.zeros(count), []
    assert evidence.graph is not None
    for m in range(count):
        directions: dict[Node, Any] = {}
        for s in everything:
            assert s.leaf is not None
            r = rng.standard_normal(s.leaf.shape)
            directions[s.leaf] = r
            goal[m] += float((r * (np.asarray(s.hand, float) - np.asarray(s.right, float))).sum())
        seen.append(tangents(evidence.graph, evidence.flow.values, directions, silent))
    return [node for node in nodes if _solves(node, seen, goal)]


def _solves(node: Node, seen: Sequence[Mapping[Node, Any]], goal: Any) -> bool:
    if any(node not in found for found in seen):
        return False
    rows = np.stack([np.asarray(found[node], float).ravel() for found in seen])
    if not np.isfinite(rows).all():
        return False
    solution, _, rank, _ = np.linalg.lstsq(rows, goal, rcond=1e-10)
    if rank > len(goal) - _SURPLUS:
        return False
    return bool(np.abs(rows @ solution - goal).max() <= _SAME * np.abs(goal).max())
