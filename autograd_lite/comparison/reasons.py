"""From a finished examination to a diagnosis: what goes in, and the findings that come out.

Knows: which rows are wrong, and how to hand them to the room `diagnosis` with all that it asks for.
Does not know: any kind of mistake, how layers are written.
Imports: adapters, diagnosis, report, graph, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import place_of
from autograd_lite.comparison.adapters.running import Runner
from autograd_lite.comparison.adapters.session import Session
from autograd_lite.comparison.diagnosis import Evidence, Explanation, Suspect, explain, remembered
from autograd_lite.comparison.diagnosis.evidence import fits, ratio
from autograd_lite.comparison.report import Finding, Row, gradient_name
from autograd_lite.graph import Graph

__all__ = ["reasons"]


def reasons(
    rows: Sequence[Row],
    runner: Runner,
    paths: Sequence[str],
    cotangents: Sequence[Any],
    at: Callable[[Sequence[Any], Sequence[Any]], list[Any]],
    graph: Graph | None,
) -> tuple[list[Row], list[Finding]]:
    """The rows, and why they are wrong; what else is wrong with a layer that is used again.

    A row that is off by no more than an epsilon of the forward pass explains is "approximately
    right".

    `paths` are the parameters; `at(inputs, cotangents)` gives the hand-written gradients of the
    inputs and then of the parameters.
    """
    inputs = runner.inputs
    names = [gradient_name(name) for name in (*inputs.names, *paths)]
    leaves = {gradient_name(leaf.name): leaf for leaf in graph.inputs if leaf.name} if graph else {}
    sides: dict[bool, list[Suspect]] = {True: [], False: []}
    for row in rows:
        right = row.numeric if row.automatic is None else row.automatic
        numbers = row.hand is not None and row.hand.dtype.kind in "fiub"
        if row.name in names and numbers and right is not None:
            suspect = Suspect(row, names.index(row.name), row.hand, right, leaves.get(row.name))
            sides[row.ok].append(suspect)
    evidence = Evidence(
        suspects=sides[False],
        others=sides[True],
        inputs=inputs.arrays,
        cotangents=cotangents,
        at=at,
        session=lambda: Session(runner, paths),
        names=inputs.names,
        graph=graph,
        takes_cotangent=runner.layer.upstream != "none",
    )
    explanations, failed = _explained(evidence)
    near = {name for one in explanations if one.cause == "epsilon" for name in one.rows}
    rows = [replace(r, verdict="approximately right") if r.name in near else r for r in rows]
    found = [f for row in rows if row.kind == "output" for f in _of_output(row, rows)]
    # What an epsilon explains is no mistake: other explanations of it are beside the point.
    told = [
        e for e in explanations if e.level != "error" or not e.rows or not near.issuperset(e.rows)
    ]
    found += [_finding(one) for one in told]
    found += [f for row in rows if row.name in names for f in _shorter(row)]
    if any(row.verdict != "missing" for row in rows if row.name in names):
        found += [_finding(one) for one in remembered(evidence, names)]
    return rows, [*found, *failed]


def _explained(evidence: Evidence) -> tuple[list[Explanation], list[Finding]]:
    """The explanations; where the search for them fails, the verdict stands, and that is said."""
    try:
        return explain(evidence), []
    except Exception as error:  # noqa: BLE001  # the layer runs at places that it has not seen
        text = f"the search for it was broken off: {place_of(error)}"
        return [], [Finding("info", "the reason", text)]


def _finding(explanation: Explanation) -> Finding:
    subject = ", ".join(explanation.rows) or "the layer"
    return Finding(
        explanation.level,
        subject,
        explanation.text,
        explanation.cause,
        step=explanation.node,
        tested=explanation.tested,
    )


def _of_output(row: Row, rows: Sequence[Row]) -> list[Finding]:
    """How an output is off, where it is by something simple; whether the gradients are right."""
    if row.verdict != "wrong" or row.hand is None or row.automatic is None:
        return []
    gap = np.asarray(row.hand, float) - np.asarray(row.automatic, float)
    if not np.isfinite(gap).all():
        return []
    c = ratio(row.hand, row.automatic)
    text, tested = "forward is wrong", "the differences, element by element"
    if fits(gap, np.full_like(gap, gap.mean())):
        text += f": {gap.mean():.6g} is added to every element"
    elif c is not None:
        text += f": it is {c:.6g} × the right one"
    if all(other.ok for other in rows if other.kind != "output"):
        text += "; the gradients are right, so what is wrong in it does not depend on the inputs"
    return [Finding("error", row.name, text, "forward", tested=tested)]


def _shorter(row: Row) -> list[Finding]:
    """A gradient of fewer digits than what it is the gradient of."""
    hand, automatic = row.hand, row.automatic
    if hand is None or automatic is None or hand.dtype.kind != "f":
        return []
    if hand.dtype.itemsize >= np.asarray(automatic).dtype.itemsize:
        return []
    text = (
        f"it is {hand.dtype} where the values are {np.asarray(automatic).dtype}: "
        f"{np.finfo(hand.dtype).precision} digits are left; make its buffer with the dtype of what "
        "it is the gradient of"
    )
    return [Finding("warning", row.name, text, "float32")]
