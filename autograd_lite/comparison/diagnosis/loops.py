"""The same mistake in all steps of a loop.

Knows: which edges one line of a loop made, and what may be wrong in each of them.
Does not know: single edges.
Imports: its neighbours, graph, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.elementwise import Region
from autograd_lite.comparison.diagnosis.evidence import fits
from autograd_lite.comparison.diagnosis.local_derivatives import instead
from autograd_lite.comparison.diagnosis.mistakes import Edge, Wrong
from autograd_lite.comparison.diagnosis.substitutes import SUBSTITUTES
from autograd_lite.comparison.diagnosis.trial import Found, Sought, at_target
from autograd_lite.graph import Graph, Node
from autograd_lite.reverse import Flow

__all__ = ["looped", "stepped"]


def stepped(sought: Sought) -> Iterator[Found]:
    """In a loop, the operand of the step before or after it."""
    leaf = sought.leaf
    groups: dict[Any, list[Edge]] = {}
    for edge in sought.trial.edges:
        if edge.to is leaf and len(edge.node.inputs) == 2:
            groups.setdefault((edge.node.code, edge.node.offset, edge.i), []).append(edge)
    for group in groups.values():
        if len(group) < 2:
            continue
        group = sorted(group, key=lambda e: e.node.serial)
        rest = sought.right - sum(np.asarray(e.passes) for e in group)
        operands = [e.node.inputs[1 - e.i] for e in group]
        for step, moved in (
            ("after", _after(operands, sought.trial.graph)),
            ("before", operands[:-1]),
        ):
            if len(moved) < len(group) - 1:
                continue
            if step == "before":
                pairs = list(zip(group[1:], moved, strict=True))
                first = np.asarray(group[0].passes, float)
                if not isinstance(operands[0], Node):
                    first = np.zeros_like(first)
            else:
                pairs = list(zip(group, moved, strict=False))
                first = np.zeros_like(rest)
            total = rest + first
            for edge, p in pairs:
                x = sought.trial.flow.values[p] if isinstance(p, Node) else p
                total = total + edge.pull(edge.arrives, {1 - edge.i: x})
            if fits(total, sought.hand, 1e-6):
                text = f"each of its {len(group)} steps takes its operand from the step {step}"
                yield Found(Wrong("wrong operand", text, None), group[0].node, 0)
                return


def _after(operands: Sequence[Any], graph: Graph) -> list[Any]:
    """The operands of the steps after each: those that the same line made, in order."""
    last = operands[-1]
    if not isinstance(last, Node):
        return []
    made = [n for n in graph if (n.code, n.offset) == (last.code, last.offset)]
    made = sorted((n for n in made if n.shape == last.shape), key=lambda n: n.serial)
    return made if len(made) == len(operands) else []


def looped(sought: Sought) -> Iterator[Found]:
    """The same mistake at every pass through a line."""
    groups: dict[Any, list[Edge]] = {}
    for edge in sought.trial.edges:
        key = (edge.node.op.name, edge.i, edge.node.code, edge.node.offset, edge.to.code)
        groups.setdefault((*key, edge.to.offset, edge.to.shape), []).append(edge)
    for key, group in groups.items():
        if len(group) < 2:
            continue
        for order, (cause, text, change) in enumerate(_CHANGES):
            edges = {(e.node, e.i): change for e in group}
            found = sought.trial.sweep((key, order), edges, {})
            if _fits(sought, found):
                text = f"{text}, in each of its {len(group)} steps"
                yield Found(Wrong(cause, text, None), group[0].node, order)
        yield from _last_reader(sought, key, group)
        yield from _without_factor(sought, key, group)
    yield from _looped_locals(sought)


def _without_factor(sought: Sought, key: Any, group: Sequence[Edge]) -> Iterator[Found]:
    """In every step of a loop another operand is left out, as if it were 1."""
    first = group[0]
    for j, p in enumerate(first.node.inputs):
        if j == first.i or not isinstance(p, Node) or first.node.op.kind == "linear":
            continue
        edges: dict[tuple[Node, int], Any] = {}
        for edge in group:
            x = edge.node.inputs[j]
            shape = x.shape if isinstance(x, Node) else np.shape(x)
            passes = edge.pull(edge.arrives, {j: np.ones(shape)})
            edges[edge.node, edge.i] = _always(at_target(Wrong("", "", passes), edge).passes)
        found = sought.trial.sweep((key, "without", j), edges, {})
        if _fits(sought, found):
            text = f"its other factor is missing, as if it were 1, in each of its {len(group)}"
            yield Found(Wrong("wrong operand", f"{text} steps", None), first.node, 0)
            return


def _last_reader(sought: Sought, key: Any, group: Sequence[Edge]) -> Iterator[Found]:
    """At every target of a loop's edges the last, or the first, of them alone counts."""
    targets: dict[Node, list[Edge]] = {}
    for edge in group:
        targets.setdefault(edge.to, []).append(edge)
    if len(targets) < 2 or max(map(len, targets.values())) < 2:
        return
    for kept in (-1, 0):
        edges: dict[tuple[Node, int], Any] = {}
        for several in targets.values():
            several.sort(key=lambda e: e.node.serial)
            rest = [e for e in several if e is not several[kept]]
            edges |= {(e.node, e.i): np.zeros_like for e in rest}
        found = sought.trial.sweep((key, "kept", kept), edges, {})
        if _fits(sought, found):
            text = (
                "of the terms that come back to it in a loop one alone stays: add them up (+=) "
                "instead of assigning (=)"
            )
            yield Found(Wrong("accumulation", text, None), group[0].node, 0)
            return


def _looped_locals(sought: Sought) -> Iterator[Found]:
    """The same wrong local derivative at every pass through some lines."""
    groups: dict[Any, list[Region]] = {}
    for x, y, d in sought.trial.regions:
        groups.setdefault((x.code, x.offset, y.code, y.offset, x.op, y.op), []).append((x, y, d))
    for key, group in groups.items():
        if len(group) < 2:
            continue
        for order, (cause, text, local) in enumerate(SUBSTITUTES):
            arrivals = {x: _arrival(sought.trial.flow, x, y, d, local) for x, y, d in group}
            found = sought.trial.sweep((key, order), {}, arrivals)
            if _fits(sought, found):
                x, y, _ = group[0]
                text = f"{instead(x, text)}, in each of its {len(group)} steps"
                yield Found(Wrong(cause, text, None), y, order)


def _arrival(flow: Flow, x: Node, y: Node, d: Any, local: Any) -> Any:
    a, b = (np.asarray(flow.values[node], float) for node in (x, y))

    def arrives(seen: Mapping[Node, Any]) -> Any:
        g = seen[y]
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.asarray(local(a, b, np.asarray(d, float), g), float)) * g

    return arrives


def _fits(sought: Sought, found: Mapping[Node, Any] | None) -> bool:
    return found is not None and fits(found[sought.leaf], sought.hand, 1e-6)


def _always(passes: Any) -> Callable[[Any], Any]:
    return lambda right: passes.astype(right.dtype)


def _square(array: Any) -> bool:
    return np.ndim(array) == 2 and np.shape(array)[0] == np.shape(array)[1]


# What a line of a loop may do to what it passes back.
_CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("missing term", "the term through it is missing", np.zeros_like),
    ("sign", "the term through it has the wrong sign", lambda c: -c),
    ("factor", "the term through it is 2 × what it should be", lambda c: 2 * c),
    ("factor", "the term through it is ½ of what it should be", lambda c: 0.5 * c),
    ("transposed", "what it passes back is transposed", lambda c: c.T if _square(c) else c),
    ("order", "what it passes back is turned round", lambda c: c[..., ::-1] if c.ndim else c),
    (
        "order",
        "what it passes back is turned round along its last two axes",
        lambda c: c[..., ::-1, ::-1] if c.ndim > 1 else c,
    ),
)
