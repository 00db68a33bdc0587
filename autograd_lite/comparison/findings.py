"""What is said of an examination, in sentences: of each row, and of what has no row.

Knows: which of it is an error, and what to pass where something was not found.
Does not know: how the values came to be, why a gradient is wrong (`diagnosis`).
Imports: its neighbours, NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_lite.comparison.adapters.running import parameter_at
from autograd_lite.comparison.adapters.words import is_weight
from autograd_lite.comparison.case import Case
from autograd_lite.comparison.numbers import said_of_samples
from autograd_lite.comparison.report import Finding, Row, gradient_name
from autograd_lite.comparison.verdict import Allowance, judge

__all__ = ["findings_of"]


def findings_of(case: Case, rows: Sequence[Row]) -> list[Finding]:
    """What is to be said beside the rows, and of each."""
    run = case.by_hand
    found = [Finding(t.level, t.subject, t.text, t.cause) for t in run.troubles]
    found += [f for row in rows for f in _of_row(row)]
    if all(row.kind == "output" for row in rows):
        text = "none was found, of an input or a parameter: the forward pass alone was compared"
        found.append(Finding("error", "gradients", text, "missing"))
    found += list(_parameters(case))
    if case.outputs and len(run.outputs) != len(case.outputs):
        text = f"{len(run.outputs)} outputs by hand, {len(case.outputs)} automatic"
        found.append(Finding("error", "forward", text))
    found += _not_compared(case)
    found += _of_the_mean(case, rows)
    if case.layer.supposed:
        found.append(Finding("info", "loss", case.layer.supposed))
    if case.untraced:
        text = f"the numbers alone are the judge: {case.untraced}"
        found.append(Finding("info" if case.numeric else "error", "forward", text))
    if case.upstream is not None:
        found.append(case.upstream)
    if case.trouble:
        level = "error" if case.untraced else "info"
        found.append(Finding(level, "numbers", case.trouble))
    names = [gradient_name(name) for name in case.all_names]
    if said := said_of_samples(names, case.numbers):
        found.append(Finding("info", "numbers", said))
    return found


def _not_compared(case: Case) -> list[Finding]:
    """Gradients without a place to go, and parameters without gradient."""
    found = []
    for name, hand in zip(case.all_names, case.hands, strict=True):
        if hand is None and name in case.runner.gradients:
            place = case.runner.gradients[name]
            text = f"gradients= says that it lies at {place!r}, where nothing is after backward"
            found.append(Finding("error", gradient_name(name), text, "missing"))
    if case.by_hand.unmatched:
        names = ", ".join(case.by_hand.unmatched)
        text = f"hand-written, but `against` has no parameter of that name: {names}"
        if not case.by_twin:
            text = (
                f"hand-written, but of what is not clear: {names}; say it by gradients=, for "
                f"example gradients={{{_example(case)}}}"
            )
        found.append(Finding("warning", "not compared", text))
    data = case.names if case.layer.wanted in ("none", "weights") else ()
    rest = [
        name
        for k, name in enumerate(case.all_names)
        if name not in data and not case.is_asked(k) and case.matters(k)
    ]
    if rest:
        place = next((p for name in rest for p in _of_its_shape(case, name)), "…")
        text = (
            f"the output rests on {', '.join(rest)}, of which no gradient was found; if there "
            f'is one, say where: gradients={{"{rest[0]}": "{place}"}}'
        )
        if place != "…":
            text += f" (backward sets {place}, which has that shape)"
        found.append(Finding("info", "not compared", text))
    return found


def _of_the_mean(case: Case, rows: Sequence[Row]) -> list[Finding]:
    """A convention: all gradients of parameters, and these alone, are divided by the batch size."""
    learnt = [
        row for row in rows if row.kind == "parameter" or is_weight(row.name.removeprefix("d"))
    ]
    rest = [row for row in rows if row not in learnt]
    if len(learnt) < 2 or any(not row.ok for row in rest):
        return []
    ratios = []
    for row in learnt:
        due, hand = row.automatic, row.hand
        if row.verdict != "wrong" or due is None or np.shape(due) != np.shape(hand):
            return []
        size = float(np.vdot(due, due))
        ratio = float(np.vdot(due, hand)) / size if size else 0.0
        ratios.append(ratio if np.allclose(hand, ratio * due, 1e-6, 1e-9) else 0.0)
    count = 1 / ratios[0] if ratios[0] else 0.0
    sizes = {size for array in case.arrays for size in np.shape(array)}
    if not np.allclose(ratios, ratios[0]) or round(count) not in sizes - {1}:
        return []
    text = (
        f"the gradients of all parameters are 1/{round(count)} of what is due, that of the input "
        "is whole: right only where the division by the number of samples, which belongs to the "
        "loss, is made here instead, as some courses do"
    )
    return [Finding("info", "the layer", text)]


def _of_its_shape(case: Case, name: str) -> list[str]:
    """Where backward has put arrays of the shape of a parameter."""
    value = parameter_at(case.layer.hand, name)
    touched = case.runner.layer.touched
    return [path for path, array in touched.items() if array.shape == np.shape(value)]


def _example(case: Case) -> str:
    pairs = zip(case.all_names, case.hands, strict=True)
    name = next((n for n, hand in pairs if hand is None), "W")
    where = case.by_hand.unmatched[0]
    number = where.removeprefix("returned[").removesuffix("]")
    return f'"{name}": {number}' if number.isdecimal() else f'"{name}": "{where}"'


def _parameters(case: Case) -> list[Finding]:
    """Parameters that the two sides do not share."""
    found = []
    for path in case.twin.paths:
        automatic = case.twin.values[path]
        hand = parameter_at(case.layer.hand, path)
        if hand is None:
            text = f"`against` has a parameter {path}, the hand-written layer has none"
            found.append(Finding("warning", path, text))
        elif np.shape(hand) != automatic.shape:
            text = f"shape {np.shape(hand)} by hand, {automatic.shape} in `against`"
            found.append(Finding("error", path, text))
        elif judge(automatic, hand, None, Allowance(case.tolerance)).verdict != "right":
            text = "the two layers hold different values of it, so nothing else can agree"
            found.append(Finding("error", path, text))
    return found


_SAYS = {
    "hand-written": "the hand-written one is wrong: the automatic one and the numbers agree",
    "automatic": "the automatic one stands alone: the hand-written one fits its own forward",
    "all three differ": "automatic, hand-written and numbers all differ",
    None: "the two differ, and no numbers tell which is wrong",
}


def _of_row(row: Row) -> list[Finding]:
    """A row's verdict in a sentence, where there is more to say than that it is right."""
    if row.verdict == "missing":
        return [
            Finding("error", row.name, "not found: the hand-written layer gave none", "missing")
        ]
    if row.verdict == "wrong":
        says = "the outputs differ" if row.kind == "output" else _SAYS[row.outlier]
        if row.automatic is None:
            says = "the hand-written one does not fit the numbers"
        return [Finding("error", row.name, f"{says} ({row.note})" if row.note else says)]
    if row.verdict in ("wrong shape", "disputed", "undecided"):
        return [Finding("error", row.name, row.note)]
    if row.verdict == "approximately right":
        text = (
            f"{row.max_rel:.0e} off, as an epsilon of the forward pass explains; on the familiar "
            "scale 1e-2 is wrong and 1e-7 is fine"
        )
        return [Finding("info", row.name, text)]
    if row.verdict == "legitimate choice":
        text = (
            f"the two differ at a kink, both between the one-sided derivatives ({row.note}): "
            "a legitimate choice"
        )
        return [Finding("info", row.name, text)]
    return [Finding("warning", row.name, row.note)] if row.note else []
