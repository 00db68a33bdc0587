"""Gradients that are wrong in some of their elements alone: which ones, and what is wrong there.

Knows: how to describe a set of elements, by indices or by the values that stand there.
Does not know: layers, single operators.
Imports: evidence, NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import (
    Evidence,
    Explanation,
    Suspect,
    called,
    fits,
    is_plain,
    ratio,
)

__all__ = ["TESTS", "differing", "some"]

_SAME = 1e-7


def differing(suspect: Suspect) -> Any:
    """True where the two differ by more than rounding."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    scale = max(np.abs(hand).max(initial=0.0), np.abs(right).max(initial=0.0))
    return np.abs(hand - right) > _SAME * scale


def some(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Right in some elements, wrong in others: what tells the others, and what they are."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    if hand.shape != right.shape or hand.size < 3 or not np.isfinite(hand).all():
        return None
    wrong = differing(suspect)
    if wrong.all() or not wrong.any():
        return None
    where = _by_indices(wrong) or _by_value(evidence, wrong)
    count = f"it is right in {int((~wrong).sum()):,} of {hand.size:,} elements"
    cause, what = _inside(hand, right, wrong)
    if not where and cause == "place":
        return None
    text = f"{count}, wrong {where or 'in the others'}: {what}"
    tested = "the elements that differ, one by one"
    return Explanation(cause, text, tested, (suspect.name,))


def _inside(hand: Any, right: Any, wrong: Any) -> tuple[str, str]:
    """What the wrong elements are, beside the right ones."""
    a, b = hand[wrong], right[wrong]
    if not a.any():
        return "missing term", "0 stands there"
    if not b.any():
        return "mask", "0 is due there"
    if fits(a, -b):
        return "sign", "the sign is wrong there"
    c = ratio(a, b)
    if c is not None and (a.size > 1 or is_plain(c)):
        return "factor", f"there it is {c:.6g} × the right one"
    return "place", f"the largest error is {np.abs(a - b).max():.4g}"


def _by_indices(wrong: Any) -> str:
    """The wrong elements as indices along one axis; empty if they are none."""
    for axis in range(wrong.ndim):
        n = wrong.shape[axis]
        lines = np.moveaxis(wrong, axis, 0).reshape(n, -1)
        bad, good = np.flatnonzero(lines.any(axis=1)), np.flatnonzero(~lines.any(axis=1))
        if not len(good) or n < 2:
            continue
        if len(good) == 1 and (n > 2 or good[0] == 0):
            return f"at every index of axis {axis} but {good[0]}"
        if len(bad) <= 3:
            return f"at index {', '.join(map(str, bad))} of axis {axis} alone"
        if np.array_equal(bad, np.arange(bad[0], bad[-1] + 1)):
            return f"from index {bad[0]} to {bad[-1]} of axis {axis}"
    return ""


def _by_value(evidence: Evidence, wrong: Any) -> str:
    """The wrong elements as those where a value of the graph is small, large or in between."""
    if evidence.graph is None or wrong.sum() < 2 or (~wrong).sum() < 2:
        return ""
    for node in evidence.graph:
        value = evidence.flow.values[node]
        if type(value) is tuple or np.shape(value) != wrong.shape:
            continue
        inside, outside = np.asarray(value, float)[wrong], np.asarray(value, float)[~wrong]
        name = called(node)
        if inside.min() > outside.max():
            return f"where {name} is larger than {outside.max():.4g}"
        if inside.max() < outside.min():
            return f"where {name} is smaller than {outside.min():.4g}"
    return ""


TESTS = (some,)
