"""Forward and backward that disagree on a number: eps, a slope, a scale.

Knows: how to record the graph again with another constant, and to look for the one that makes the
hand-written gradient right.
Does not know: layers, other mistakes.
Imports: evidence, graph, recording, tensors, derivatives, NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import (
    Evidence,
    Explanation,
    Suspect,
    fits,
    place,
)
from autograd_lite.comparison.diagnosis.sweeps import seeds_of
from autograd_lite.graph import Graph, Leaf, Node
from autograd_lite.recording import apply
from autograd_lite.reverse import Sweep
from autograd_lite.tensors import tensor

__all__ = ["explain", "gradients_with"]

_LARGEST = 400  # nodes
_MOST = 24  # constants
_STEPS = 8
_SAME = 1e-10
_NEAR = 1e-3  # of the largest element: what an epsilon may explain
_SMALL = 1e-4  # no larger a constant is an epsilon


def explain(evidence: Evidence) -> list[Explanation]:
    """The constants of the forward pass, each with the value that explains a gradient."""
    graph = evidence.graph
    if graph is None or len(graph) > _LARGEST:
        return []
    suspects = [s for s in evidence.suspects if s.leaf and np.shape(s.hand) == s.leaf.shape]
    found = []
    for node, i in _constants(graph)[:_MOST]:
        old = float(node.inputs[i])
        for suspect in suspects:
            leaf = suspect.leaf
            assert leaf is not None
            new = _solved(graph, evidence.cotangents, (node, i), leaf, suspect.hand)
            if new is None or abs(new - old) <= 1e-9 * abs(old):
                continue
            right = gradients_with(graph, evidence.cotangents, (node, i), new)
            names = tuple(s.name for s in suspects if s.leaf and fits(right[s.leaf], s.hand, _SAME))
            if names:
                where = place(node)
                if new == 0 and abs(old) <= _SMALL and _all_near(suspects, names):
                    found.append(_epsilon(old, f"{node.op.name}, {where}", names))
                    break
                text = (
                    f"it is right for a forward pass whose {old:.6g} in {node.op.name}"
                    f"{', ' + where if where else ''} is {new:.6g}: forward and backward disagree "
                    "on that constant"
                )
                tested = "the graph recorded again with that constant gives the hand-written one"
                found.append(Explanation("constant", text, tested, names))
                break
    return sorted(found, key=lambda e: -len(e.rows))


def _all_near(suspects: Sequence[Suspect], names: Sequence[str]) -> bool:
    return all(s.row.max_rel <= _NEAR for s in suspects if s.name in names)


def _epsilon(old: float, where: str, names: tuple[str, ...]) -> Explanation:
    text = (
        f"the formula leaves out the {old:.6g} of forward, at {where}; without it they agree: "
        "right for all practical purposes"
    )
    tested = "the graph recorded again with 0 in its place gives the hand-written one"
    return Explanation("epsilon", text, tested, names, "info")


def _constants(graph: Graph) -> list[tuple[Node, int]]:
    """Where plain numbers enter."""
    return [
        (node, i)
        for node in graph
        for i, p in enumerate(node.inputs)
        if not isinstance(p, Node) and np.ndim(p) == 0 and np.asarray(p).dtype.kind in "fiu"
    ]


def gradients_with(
    graph: Graph, cotangents: Sequence[Any], at: tuple[Node, int], value: float
) -> dict[Node, Any]:
    """The gradients of all leaves if the constant there had another value."""
    made: dict[Node, Any] = {}
    for node in graph:
        if isinstance(node, Leaf):
            made[node] = tensor(node.value)
            continue
        args: list[Any] = [made[p] if isinstance(p, Node) else p for p in node.inputs]
        if node is at[0]:
            args[at[1]] = type(args[at[1]])(value) if _is_float(args[at[1]]) else value
        with np.errstate(all="ignore"):
            made[node] = apply(node.op, args, node.params)
    outputs = [made[out] for out in graph.outputs]
    again = Graph.of(*outputs)
    leaves = {made[leaf].node: leaf for leaf in graph.inputs}
    with np.errstate(all="ignore"):
        found = Sweep(seeds_of(again, cotangents)).run(set(leaves))
    return {
        old: found.get(new, np.zeros(old.shape)) for new, old in leaves.items() if new is not None
    }


def _is_float(value: Any) -> bool:
    return isinstance(value, float | np.floating)


def _solved(
    graph: Graph, cotangents: Sequence[Any], at: tuple[Node, int], leaf: Node, hand: Any
) -> float | None:
    """The value of a constant for which the gradient is the hand-written one, by secants."""
    r = np.random.default_rng(1).standard_normal(leaf.shape)
    goal = float((r * np.asarray(hand, float)).sum())

    def miss(c: float) -> float:
        return float((r * gradients_with(graph, cotangents, at, c)[leaf]).sum()) - goal

    old = float(at[0].inputs[at[1]])
    try:
        for near in (0.0, 1e-7, 1e-8, 1e-5, 1e-12, 0.01, 2 * old, old / 2, old - 1, old + 1):
            if fits(gradients_with(graph, cotangents, at, near)[leaf], hand, _SAME):
                return near
        a, b = old, old * 1.2 if old else 0.1
        fa, fb = miss(a), miss(b)
        for _ in range(_STEPS):
            if fb == fa or not np.isfinite(fb):
                return None
            a, b, fa = b, b - fb * (b - a) / (fb - fa), fb
            fb = miss(b)
            if abs(b - a) <= 1e-12 * abs(b):
                break
        fitted = gradients_with(graph, cotangents, at, b)[leaf]
    except Exception:  # noqa: BLE001  # another value may be none that the operator takes
        return None
    return b if fits(fitted, hand, _SAME) else None
