"""When do two gradients agree? The rules of judgement, on plain arrays.

Knows: tolerances, and how automatic, hand-written and numeric values of one array make a verdict.
Does not know: layers, tensors, how the values came to be, how a report looks.
Imports: NumPy, `numeric`.

No tolerance here has a scale of its own. Two analytic gradients are held to a fraction of the
larger one's largest element; elements that pass so but differ from each other in their own scale
are put before the numeric referee, whose error is known element by element.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.numeric import NumericGradient

__all__ = [
    "NUMERIC",
    "Allowance",
    "Along",
    "Judgement",
    "Numbers",
    "judge",
    "judge_claim",
    "tolerance_of",
]

# Of the row's largest element, by the size of the coarsest float that took part. Right float64
# gradients differ by some 1e-15, wrong ones by more than 1e-6.
_TOLERANCES = {8: 1e-9, 4: 1e-4, 2: 2e-2}
NUMERIC = 1e-6  # … against numbers, of the element itself, beside their own error
_TRUSTED = 1e-3  # numbers whose error is larger than this part of the row decide nothing
_ERRORS = 3.0  # how many estimated errors a number may be off
_OWN = 1e-6  # two elements that differ by more than this in their own scale are looked at closely


@dataclass(frozen=True, eq=False)
class Allowance:
    """How far right values may be apart.

    `tolerance` is a part of the row's largest element, by dtype; `rounding` is absolute, per
    element, and measured (see the room `rounding`).
    """

    tolerance: float
    rounding: Any = 0.0

    @property
    def coarse(self) -> float:
        """The tolerance if it is wider than that of numbers, else 0: float32 and shorter."""
        return self.tolerance if self.tolerance > NUMERIC else 0.0


@dataclass(frozen=True, eq=False)
class Along:
    """A check of all elements at once: a tangent, the derivative along it and its error."""

    tangent: Any
    value: float
    error: float

    def contradicts(self, claim: Any, allowance: Allowance) -> bool:
        """Whether ⟨claim, tangent⟩ is further from the derivative than its error allows."""
        terms = claim * self.tangent
        part = max(1e-12, allowance.coarse / 10)
        rounding = part * float(np.sqrt((terms * terms).sum()))
        rounding += float(np.abs(allowance.rounding * self.tangent).sum())
        return not abs(float(terms.sum()) - self.value) <= _ERRORS * self.error + rounding


@dataclass(frozen=True, eq=False)
class Numbers:
    """What the numeric referee says of one gradient; `along` where only a sample was examined."""

    gradient: NumericGradient
    along: tuple[Along, ...] = ()

    def trusted(self, scale: float) -> Any:
        """True where the number was found, with an error that is small in the row's scale."""
        return self.gradient.examined & (self.gradient.error <= _TRUSTED * scale)

    def contradicts(self, claim: Any, allowance: Allowance) -> Any:
        """True where `claim` is further from the number than its error allows; NaN always is."""
        number = self.gradient
        with np.errstate(invalid="ignore"):
            size = np.maximum(np.abs(claim), np.abs(number.value))
            allowed = _ERRORS * number.error + max(NUMERIC, allowance.coarse) * size
            allowed += allowance.rounding + allowance.coarse * _scale(claim) / 10
            near = np.abs(claim - number.value) <= allowed
        return number.examined & ~near

    def permits(self, claim: Any) -> Any:
        """True where the point is a kink and `claim` lies between the one-sided values."""
        number = self.gradient
        with np.errstate(invalid="ignore"):
            size = np.maximum(np.abs(number.lower), np.abs(number.upper))
            slack = _ERRORS * number.error + NUMERIC * size
            inside = (claim >= number.lower - slack) & (claim <= number.upper + slack)
        return number.examined & number.kinks & inside

    def contradicts_along(self, claim: Any, allowance: Allowance) -> bool:
        """Whether `claim` fails a check of all elements at once."""
        return any(one.contradicts(claim, allowance) for one in self.along)


@dataclass(frozen=True)
class Judgement:
    """A verdict with its figures: see `report.Row`, which they become."""

    verdict: str
    max_abs: float = 0.0
    max_rel: float = 0.0
    worst: tuple[int, ...] | None = None
    outlier: str | None = None
    note: str = ""


def tolerance_of(*arrays: Any) -> float:
    """The part of a row's scale by which right gradients of these dtypes may differ.

    >>> tolerance_of(np.zeros(2)), tolerance_of(np.zeros(2), np.zeros(2, np.float32))
    (1e-09, 0.0001)
    """
    sizes = [np.asarray(a).dtype.itemsize for a in arrays if np.asarray(a).dtype.kind == "f"]
    return _TOLERANCES.get(min(sizes, default=8), 1e-9)


def _scale(*arrays: Any) -> float:
    finite = [np.abs(a[np.isfinite(a)]) for a in arrays]
    return max((float(part.max(initial=0.0)) for part in finite), default=0.0)


def _figures(a: Any, b: Any, scale: float, bad: Any) -> dict[str, Any]:
    """Largest difference, in itself and in the row's scale, and where to look."""
    if not a.size:
        return {}
    with np.errstate(invalid="ignore"):
        gap = np.where(a == b, 0.0, np.abs(a - b))
    # NaN is the worst there is; among bad elements the worst is looked for first.
    rank = np.where(np.isnan(gap), np.inf, gap)
    rank = np.where(bad, rank, -1.0) if bad.any() else rank
    if not rank.any():
        rank = np.nan_to_num(np.abs(a), nan=0.0)
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(rank)), a.shape))
    largest = float(np.max(gap))
    relative = 0.0 if largest == 0 else largest / scale if scale else np.inf
    return {"max_abs": largest, "max_rel": float(relative), "worst": worst}


def judge(automatic: Any, hand: Any, numbers: Numbers | None, allowance: Allowance) -> Judgement:
    """Hold a hand-written gradient against the automatic one, numbers being the referee.

    Both arrays have the same shape; nothing is broadcast. The verdicts: "right", "legitimate
    choice" (they differ where the function has a kink, both between its one-sided values),
    "wrong" (the outlier is named), "disputed" (they agree, the numbers do not).
    """
    a, h = np.asarray(automatic, float), np.asarray(hand, float)
    scale = _scale(a, h)
    with np.errstate(invalid="ignore"):
        gap = np.where(a == h, 0.0, np.abs(a - h))
        bad = ~(gap <= allowance.tolerance * scale + allowance.rounding)
        own = max(allowance.tolerance, _OWN) * np.maximum(np.abs(a), np.abs(h))
        close = ~bad & (gap > own + allowance.rounding)
    bad |= close & _overruled(a, h, gap, numbers, allowance)
    choice = np.zeros(a.shape, bool)
    if numbers is not None:
        choice = bad & numbers.permits(a) & numbers.permits(h)
        bad &= ~choice
    figures = _figures(a, h, scale, bad)
    if bad.any():
        outlier = _outlier(a, h, bad, scale, numbers, allowance)
        return Judgement("wrong", outlier=outlier, note=_count(bad, "differ"), **figures)
    if numbers is not None and _disputed(a, scale, numbers, choice, allowance):
        note = "automatic and hand-written agree, the numbers do not"
        return Judgement("disputed", outlier="numeric", note=note, **figures)
    if choice.any():
        return Judgement("legitimate choice", note=_count(choice, "at a kink"), **figures)
    return _right(a, figures, allowance)


def judge_claim(claim: Any, numbers: Numbers, what: str, allowance: Allowance) -> Judgement:
    """Hold one gradient against numbers; `what` names it where it is the outlier.

    The verdicts: "right", "legitimate choice", "wrong", and "undecided" where the error of the
    numbers is too large to tell.
    """
    a, number = np.asarray(claim, float), numbers.gradient
    scale = _scale(a, number.value[number.examined])
    bad = numbers.contradicts(a, allowance)
    choice = numbers.permits(a)
    bad &= ~choice
    figures = _figures(a, np.where(number.examined, number.value, a), scale, bad)
    if bad.any() or np.isnan(a).any():
        return Judgement("wrong", outlier=what, note=_count(bad | np.isnan(a), "differ"), **figures)
    if numbers.contradicts_along(a, allowance):
        note = "the elements examined agree, a random direction through all of them does not"
        return Judgement("wrong", outlier=what, note=note, **figures)
    vague = number.examined & ~numbers.trusted(scale) & ~choice
    if vague.any() and (np.abs(a) > allowance.rounding).any():
        note = _count(vague, "where the error of the numbers is larger than 1e-03 of the gradient")
        return Judgement("undecided", note=note, **figures)
    if choice.any():
        return Judgement("legitimate choice", note=_count(choice, "at a kink"), **figures)
    return _right(a, figures, allowance)


def _right(a: Any, figures: dict[str, Any], allowance: Allowance) -> Judgement:
    if not a.size:
        return Judgement("right", note="empty: nothing was compared")
    found = Judgement("right", **figures)
    if not a.any():
        return replace(found, note="all zero: the match says little")
    if (np.abs(a) <= allowance.rounding).all():
        return replace(found, note="zero but for rounding: the match says little")
    return found


def _count(where: Any, what: str) -> str:
    return f"{int(where.sum()):,} of {where.size:,} {what}"


def _overruled(a: Any, h: Any, gap: Any, numbers: Numbers | None, allowance: Allowance) -> Any:
    """Small elements among large ones: wrong only if numbers sharper than the gap say so."""
    if numbers is None:
        return np.zeros(a.shape, bool)
    sharp = numbers.gradient.examined & (10 * numbers.gradient.error < gap)
    return sharp & (numbers.contradicts(a, allowance) | numbers.contradicts(h, allowance))


def _disputed(a: Any, scale: float, numbers: Numbers, choice: Any, allowance: Allowance) -> bool:
    doubt = numbers.contradicts(a, allowance) & numbers.trusted(scale)
    doubt &= ~numbers.permits(a) & ~choice
    return bool(doubt.any()) or numbers.contradicts_along(a, allowance)


def _outlier(
    a: Any, h: Any, bad: Any, scale: float, numbers: Numbers | None, allowance: Allowance
) -> str | None:
    """Who stands alone where the two differ, if the numbers can tell."""
    if numbers is None:
        return None
    decided = bad & (numbers.trusted(scale) | np.isnan(a) | np.isnan(h))
    if decided.any():
        a_wrong = bool(numbers.contradicts(a, allowance)[decided].any())
        h_wrong = bool(numbers.contradicts(h, allowance)[decided].any())
    else:
        a_wrong = numbers.contradicts_along(a, allowance)
        h_wrong = numbers.contradicts_along(h, allowance)
    return {
        (False, True): "hand-written",
        (True, False): "automatic",
        (True, True): "all three differ",
        (False, False): None,
    }[a_wrong, h_wrong]
