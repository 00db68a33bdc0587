"""The numerical gradient that a network brings itself, held against ours.

Knows: what is commonly wrong with one: a step too large or too small, one side for two, a division
by h for 2h, values that are not put back. Each is tried: differences are taken with that mistake.
Does not know: how networks are written, the rules of judgement.
Imports: its neighbours, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import place_of
from autograd_lite.comparison.adapters.matching import aliases_of
from autograd_lite.comparison.adapters.running import changed, parameter_at, replayed
from autograd_lite.comparison.adapters.surroundings import copied
from autograd_lite.comparison.case import Case
from autograd_lite.comparison.report import Comparison, Finding, Row, gradient_name

__all__ = ["of_own_numbers"]

_NAME = "numerical_gradient"
_MOST = 5_000  # elements of all parameters: it runs the network twice for each
_FINE = 1e-6  # of the largest element: what differences of float64 reach without trouble
_TRIED = 4  # elements at which the mistakes are tried
_STEPS = tuple(10.0**-k for k in range(1, 13))

Difference = Callable[[Callable[[float], float], float], float]

_FORMULAS: tuple[tuple[str, Difference], ...] = (
    ("(f(x + h) − f(x − h)) / 2h", lambda f, h: (f(h) - f(-h)) / (2 * h)),
    ("(f(x + h) − f(x)) / h", lambda f, h: (f(h) - f(0.0)) / h),
    ("(f(x) − f(x − h)) / h", lambda f, h: (f(0.0) - f(-h)) / h),
    ("(f(x + h) − f(x − h)) / h", lambda f, h: (f(h) - f(-h)) / h),
    ("(f(x + h) − f(x)) / 2h", lambda f, h: (f(h) - f(0.0)) / (2 * h)),
)
_ADVICE = {
    _FORMULAS[0][0]: "{}",
    _FORMULAS[1][0]: "one-sided, so that its error grows with h; take (f(x + h) − f(x − h)) / 2h",
    _FORMULAS[2][0]: "one-sided, so that its error grows with h; take (f(x + h) − f(x − h)) / 2h",
    _FORMULAS[3][0]: "twice too large: the two points are 2h apart; divide by 2h",
    _FORMULAS[4][0]: "half of what it should be: the two points are h apart",
}


def of_own_numbers(case: Case, report: Comparison) -> list[Finding]:
    """What is to be said of the numerical gradient that the layer has a method for."""
    if not callable(getattr(case.layer.hand, _NAME, None)) or not case.shared:
        return []
    size = sum(np.size(parameter_at(case.layer.hand, path)) for path in case.shared)
    if size > _MOST:
        text = f"not called: for {size:,} parameters it would run the network {2 * size:,} times"
        return [Finding("info", _NAME, text)]
    hand = copied(case.layer.hand)
    given = case.runner.inputs.plain(case.arrays)
    try:
        with replayed(case.layer.hand):
            returned = getattr(hand, _NAME)(*given)
    except Exception as error:  # noqa: BLE001  # user code: what it raises is told
        return [Finding("warning", _NAME, f"it raised {place_of(error)}", "exception")]
    found = list(_not_put_back(case, hand))
    aliases = aliases_of(case.runner.parts, case.shared)
    claims = case.layer.parameter_gradients(hand, returned, given, aliases)
    rows = {row.name: row for row in report.rows}
    worst = 0.0
    for path in case.shared:
        claim, row = claims.get(path), rows.get(gradient_name(path))
        if claim is None or row is None or not np.size(claim):
            continue
        off, finding = _of_one(case, path, np.asarray(claim), row)
        worst = max(worst, off)
        found += [finding] if finding else []
    if not found:
        found.append(Finding("info", _NAME, f"right: within {worst:.0e} of the automatic one"))
    return found


def _not_put_back(case: Case, hand: Any) -> Iterator[Finding]:
    for path in case.shared:
        before, now = parameter_at(case.layer.hand, path), parameter_at(hand, path)
        if changed(now, before):
            most = float(np.abs(np.asarray(now) - before).max())
            text = (
                f"it leaves {path} changed, by up to {most:.0e}: put each value back after its two "
                "evaluations"
            )
            yield Finding("warning", _NAME, text, "not restored")


def _of_one(case: Case, path: str, claim: Any, row: Row) -> tuple[float, Finding | None]:
    """How far off one gradient is, and why where it is too far."""
    right = row.numeric if row.automatic is None else row.automatic
    if np.shape(claim) != np.shape(right):
        text = f"{row.name} has shape {np.shape(claim)} where {np.shape(right)} is due"
        return 0.0, Finding("warning", _NAME, text, "shape")
    scale = float(np.abs(right).max(initial=0.0)) or 1.0
    gap = np.nan_to_num(np.abs(claim - right), nan=np.inf) / scale
    off = float(gap.max())
    if off <= _FINE:
        return off, None
    reason = _reason(case, path, claim, right, np.argsort(-gap, axis=None)[:_TRIED].tolist())
    text = f"{row.name} is {off:.0e} of its largest element off" + (f": {reason}" if reason else "")
    tested = "the same numbers" if reason else ""
    return off, Finding("warning", _NAME, text, "numerical gradient", tested=tested)


def _reason(case: Case, path: str, claim: Any, right: Any, where: Sequence[int]) -> str:
    """The formula and step that give the same numbers, with the same error."""
    values = np.asarray(parameter_at(case.layer.hand, path))
    best, which = np.inf, ("", 0.0)
    for name, formula in _FORMULAS:
        for h in _STEPS:
            misfit = 0.0
            for k in where:
                along = _Along(case, path, values, k)
                error = claim.flat[k] - right.flat[k]
                misfit = max(misfit, abs(formula(along, h) - claim.flat[k]) / abs(error))
            if misfit < best:
                best, which = misfit, (name, h)
    name, h = which
    if not best <= 1e-2:
        return ""
    size = "too large a step" if h > 1e-4 else "too small a step: rounding is left; 1e-4 is good"
    return f"it is {name} with h = {h:.0e}, {_ADVICE[name].format(size)}"


class _Along:
    """⟨cotangent, f⟩ as a function of a step of one element of a parameter."""

    def __init__(self, case: Case, path: str, values: Any, k: int) -> None:
        self._case, self._path, self._values, self._k = case, path, values, k

    def __call__(self, step: float) -> float:
        moved = np.array(self._values, float)
        moved.flat[self._k] += step
        outputs = self._case.runner.forward(self._case.arrays, {self._path: moved})
        pairs = zip(self._case.douts, outputs, strict=True)
        return float(sum(np.sum(np.asarray(g) * y) for g, y in pairs))
