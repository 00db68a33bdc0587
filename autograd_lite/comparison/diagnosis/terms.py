"""Mistakes at one edge of the graph: what is passed back over it is another thing.

Knows: in which ways a single term, or what meets it, may be wrong.
Does not know: local derivatives of several steps, loops.
Imports: its neighbours, graph, NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.arrivals import factors, skipping
from autograd_lite.comparison.diagnosis.evidence import Suspect, fits, ratio, spreads
from autograd_lite.comparison.diagnosis.mistakes import MISTAKES, Edge, Wrong
from autograd_lite.comparison.diagnosis.sweeps import swept
from autograd_lite.comparison.diagnosis.trial import Found, Sought, Trial, classified, near
from autograd_lite.graph import Graph, Node

__all__ = [
    "factored", "misshapen", "overwritten", "scaled", "single", "skipped", "times_arrays",
    "unsummed",
]  # fmt: skip

_LONGEST = 16  # of an axis whose sum may be missing


def single(sought: Sought) -> Iterator[Found]:
    """One mistake at one edge."""
    for order, edge, wrong in sought.trial.wrongs:
        if edge.to in sought.pushed.at and np.shape(wrong.passes) == edge.to.shape:
            change = np.asarray(wrong.passes, float) - np.asarray(edge.passes, float)
            if sought.explains(edge.to, change):
                yield Found(classified(wrong, edge.passes), edge.node, order)


def scaled(sought: Sought) -> Iterator[Found]:
    """One term is a multiple of what it should be."""
    for edge in sought.trial.edges:
        if edge.to not in sought.pushed.at:
            continue
        effect = sought.pushed.effect(edge.to, edge.passes)
        square = float(effect @ effect)
        if not square or not np.isfinite(square):
            continue
        c = float(effect @ sought.goal) / square
        if sought.explains(edge.to, c * np.asarray(edge.passes, float)):
            text = f"the term through it is {1 + c:.6g} × what it should be"
            text += _off_by_one(1 + c, sought.trial.graph)
            yield Found(Wrong("factor", text, None), edge.node, len(MISTAKES))
    yield from _scaled_others(sought)


def _off_by_one(c: float, graph: Graph) -> str:
    """What a factor may be that is a size over the next one."""
    for node in graph:
        for n in node.shape:
            for above, below in ((n - 1, n), (n, n - 1)):
                if below and above and abs(c - above / below) < 1e-9:
                    return f"; {above}/{below}: N for N − 1 or the reverse (ddof)"
    return ""


def _scaled_others(sought: Sought) -> Iterator[Found]:
    """All terms but one are the same multiple of what they should be."""
    goal, whole = sought.goal, sought.pushed.weigh(sought.right)
    for edge in sought.trial.edges:
        if edge.to not in sought.pushed.at:
            continue
        rest = whole - sought.pushed.effect(edge.to, edge.passes)
        square = float(rest @ rest)
        if not np.isfinite(square) or square <= 1e-12 * float(whole @ whole):
            continue
        c = float(rest @ goal) / square
        if not near(c * rest, goal) or abs(c) < 1e-6 or abs(1 + c) < 1e-6:
            continue
        seed = np.asarray(edge.passes, float)[()]
        term = swept({edge.to: seed}, [sought.leaf])[sought.leaf]
        if fits(c * (sought.right - term), sought.gap, 1e-6):
            text = f"all terms but the one through it are {1 + c:.6g} × what they should be"
            yield Found(Wrong("factor", text, None), edge.node, len(MISTAKES))
            return


def factored(sought: Sought) -> Iterator[Found]:
    """The right gradient times an array of the graph, or divided by it."""
    hand, right = sought.hand, sought.right
    if right.size < 3:
        return
    for node in sought.trial.graph:
        value = sought.trial.flow.values[node]
        if type(value) is tuple or not np.ndim(value) or np.asarray(value).dtype.kind != "f":
            continue
        if node.ndim > right.ndim or node.shape == (1,) * node.ndim:
            continue
        with np.errstate(all="ignore"):
            inverse = 1 / np.asarray(value, float)
        name = node.name or node.op.name
        for text, array in (
            (f"the whole gradient is multiplied by {name} once more than it should be", value),
            (f"the whole gradient lacks the factor {name}, or is divided by it", inverse),
        ):
            if not spreads(np.shape(array), right.shape) or not np.isfinite(array).all():
                continue
            c = ratio(hand, right * array)
            if c is not None and np.ptp(array):
                times = "" if abs(c - 1) < 1e-7 else f", and is {c:.6g} × as large besides"
                yield Found(Wrong("local derivative", text + times, None), node, 0)
                return


def overwritten(sought: Sought) -> Iterator[Found]:
    """Of the terms that meet at a node the last one stays, element by element."""
    readers: dict[Node, list[Edge]] = {}
    for edge in sought.trial.edges:
        readers.setdefault(edge.to, []).append(edge)
    for node, edges in readers.items():
        if len(edges) < 2 or node not in sought.pushed.at:
            continue
        edges = sorted(edges, key=lambda e: e.node.serial)
        total = sum(np.asarray(e.passes, float) for e in edges)
        for ordered in (edges, edges[::-1]):
            kept = np.zeros(node.shape)
            for edge in ordered:
                kept = np.where(edge.passes != 0, edge.passes, kept)
            if sought.explains(node, kept - total):
                text = (
                    f"of the {len(edges)} terms that come back to it the last one alone stays: "
                    "add them up (+=) instead of assigning (=)"
                )
                yield Found(Wrong("accumulation", text, None), node, 0)
                return


def unsummed(sought: Sought) -> Iterator[Found]:
    """A sum over an axis that is missing within the formula: each element keeps its own."""
    for edge in sought.trial.edges:
        raw = edge.pull(edge.arrives)
        to = edge.to.shape
        if raw.ndim != sought.leaf.ndim or raw.size <= int(np.prod(to)):
            continue
        lined = (1,) * (raw.ndim - len(to)) + to
        axes = [k for k, (m, n) in enumerate(zip(lined, raw.shape, strict=True)) if m != n]
        if len(axes) != 1 or raw.shape[axes[0]] > _LONGEST:
            continue
        if _keeps_own(sought, edge, raw, axes[0]):
            text = f"the sum over axis {axes[0]} of what flows back there is missing"
            yield Found(Wrong("missing sum", text, None), edge.node, 0)


def _keeps_own(sought: Sought, edge: Edge, raw: Any, axis: int) -> bool:
    leaf, size = sought.leaf, raw.shape[axis]
    alone = []
    for j in range(size):
        seed = raw.take([j], axis).reshape(edge.to.shape).astype(edge.to.dtype)[()]
        alone.append(swept({edge.to: seed}, [leaf])[leaf])
    rest = sought.right - sum(alone)
    for k in (k for k, n in enumerate(leaf.shape) if n == size):
        own = np.stack([part.take(j, k) for j, part in enumerate(alone)], k)
        if fits(rest + own, sought.hand, 1e-6):
            return True
    return False


def skipped(sought: Sought) -> Iterator[Found]:
    """What arrives at one node is taken for what arrives at an earlier one."""
    flow = sought.trial.flow
    for x, y, wrong in skipping(sought.trial.graph, flow):
        if x in sought.pushed.at and np.isfinite(wrong.passes).all():
            change = wrong.passes - np.asarray(flow.cotangents[x], float)
            if sought.explains(x, change):
                yield Found(classified(wrong, flow.cotangents[x]), y, -y.serial)


def times_arrays(sought: Sought) -> Iterator[Found]:
    """A term is multiplied or divided by an array of the graph once more than it should be."""
    trial = sought.trial
    for edge, wrong in factors(trial.graph, trial.flow, trial.edges):
        if edge.to not in sought.pushed.at or not np.isfinite(wrong.passes).all():
            continue
        if sought.explains(edge.to, wrong.passes - np.asarray(edge.passes, float)):
            yield Found(wrong, edge.node, 0)


def misshapen(trial: Trial, suspect: Suspect) -> list[Found]:
    """What comes back to a leaf, summed over other axes than it should be, or over none."""
    for edge in trial.edges:
        if edge.to is not suspect.leaf:
            continue
        raw = edge.pull(edge.arrives)
        for axes in _subsets(raw.ndim):
            for keep in (False, True):
                if fits(suspect.hand, raw.sum(axis=axes, keepdims=keep)):
                    text = f"what flows back there is summed over axis {axes}"
                    cause = "wrong axis"
                    if not axes:
                        text, cause = "what flows back there is not summed", "missing sum"
                    return [Found(Wrong(cause, text, None), edge.node, 0)]
    return []


def _subsets(ndim: int) -> Iterator[tuple[int, ...]]:
    for count in range(ndim + 1):
        yield from combinations(range(ndim), count)
