"""One gradient, as each party has it, made a row of the report.

Knows: what a row says of a gradient that is missing, misshapen or no real number, and who judges.
Does not know: how the values came to be, the rules of judgement (`verdict`).
Imports: its neighbours, NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.comparison.report import Row
from autograd_lite.comparison.verdict import Allowance, Numbers, judge, judge_claim, tolerance_of

__all__ = ["row_by_numbers", "row_of"]


def row_of(
    name: str, kind: str, automatic: Any, hand: Any, numbers: Numbers | None, rounding: Any
) -> Row:
    """A gradient that the automatic one judges, numbers being the referee."""
    shape = tuple(np.shape(automatic))
    facts = {"automatic": automatic, **_facts(hand, numbers)}
    unfit = _unfit(name, kind, shape, hand, "automatic", facts)
    if unfit is not None:
        return unfit
    if hand.dtype.kind not in "fiub":
        note = f"dtype {hand.dtype} by hand is no real number"
        return Row(name, kind, shape, "wrong", note=note, outlier="hand-written", **facts)
    if numbers is not None and numbers.gradient.value.shape != shape:
        numbers = None
    tolerance = tolerance_of(automatic, hand)
    found = judge(automatic, hand, numbers, Allowance(tolerance, rounding))
    return Row(name, kind, shape, tolerance=tolerance, **vars(found), **facts)


def row_by_numbers(
    name: str,
    kind: str,
    shape: tuple[int, ...],
    hand: Any,
    numbers: Numbers | None,
    rounding: Any,
) -> Row:
    """A gradient that numbers alone judge."""
    facts = _facts(hand, numbers)
    unfit = _unfit(name, kind, shape, hand, "expected", facts)
    if unfit is not None:
        return unfit
    if hand.dtype.kind not in "fiub" or numbers is None:
        what = (
            "there are no numbers" if numbers is None else f"dtype {hand.dtype} is no real number"
        )
        verdict = "undecided" if numbers is None else "wrong"
        return Row(name, kind, shape, verdict, note=what, outlier="hand-written", **facts)
    tolerance = tolerance_of(hand)
    found = judge_claim(hand, numbers, "hand-written", Allowance(tolerance, rounding))
    return Row(name, kind, shape, tolerance=tolerance, **vars(found), **facts)


def _facts(hand: Any, numbers: Numbers | None) -> dict[str, Any]:
    """What a row keeps of the parties beside the automatic one."""
    if numbers is None:
        return {"hand": hand}
    number = numbers.gradient
    return {"hand": hand, "numeric": number.value, "numeric_error": number.error}


def _unfit(
    name: str, kind: str, shape: tuple[int, ...], hand: Any, source: str, facts: dict[str, Any]
) -> Row | None:
    """The row of a hand-written gradient that is not there, or of another shape."""
    if hand is None:
        return Row(name, kind, shape, "missing", **facts)
    if np.shape(hand) != shape:
        note = f"shape {np.shape(hand)} by hand, {shape} {source}"
        return Row(name, kind, shape, "wrong shape", note=note, **facts)
    return None
