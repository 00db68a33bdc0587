"""Explanations that need the two arrays alone: a factor, a sign, a transposition, a wrong shape.

Knows: the ways in which a whole gradient is off by something simple.
Does not know: graphs, how to run a layer.
Imports: evidence, NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import (
    Evidence,
    Explanation,
    Suspect,
    fits,
    ratio,
)

__all__ = [
    "TESTS",
    "factor",
    "misshapen",
    "not_finite",
    "reshaped",
    "sign",
    "single_precision",
    "swapped",
    "tied",
    "transposed",
    "truncation",
    "twice",
    "unsummed",
    "zero",
]

_CLOSE = 1e-5  # a factor as near to 1 as this is no factor, but some approximation


def _elements(array: Any) -> str:
    size = int(np.size(array))
    return f"all {size:,} elements" if size > 1 else "the one element"


def sign(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """−1 times the right one."""
    if not fits(-np.asarray(suspect.hand, float), suspect.right) or not np.any(suspect.right):
        return None
    text = f"the sign is wrong in {_elements(suspect.hand)}: it is −1 × the right one"
    return Explanation("sign", text, "hand = −right, element by element", (suspect.name,))


def _known_factor(c: float, evidence: Evidence, shape: tuple[int, ...]) -> str:
    """What a factor may be, in words; empty if it is none of the usual."""
    for text, value in {"2": 2.0, "½": 0.5, "3": 3.0, "⅓": 1 / 3}.items():
        if abs(c - value) < 1e-9 and text in ("2", "½"):
            usual = {"2": "a square's 2 taken twice, or a ½ lost", "½": "a square's 2 lost"}
            known = usual[text]
            break
    else:
        known = ""
    sizes = _sizes(evidence, shape)
    for size, what in sizes.items():
        if size > 1 and abs(c - size) < 1e-9 * size:
            return f"{size} is {what}: divide by it once more, or take the mean for the sum"
        if size > 1 and abs(c * size - 1) < 1e-9:
            return f"1/{size}, and {size} is {what}: a division too many, or the mean for the sum"
    return known


def _sizes(evidence: Evidence, shape: tuple[int, ...]) -> dict[int, str]:
    """The sizes that a factor may come from: of the batch, of axes, of everything."""
    found: dict[int, str] = {}
    arrays = [("the output", g.shape) for g in map(np.asarray, evidence.cotangents)]
    arrays += [
        (name, np.shape(x)) for name, x in zip(evidence.names, evidence.inputs, strict=False)
    ]
    for name, dims in arrays:
        for axis, size in enumerate(dims):
            what = "the batch size" if axis == 0 else f"the size of axis {axis} of {name}"
            found.setdefault(int(size), what)
        for count in range(2, len(dims) + 1):
            for axes in combinations(range(len(dims)), count):
                size = int(np.prod([dims[a] for a in axes]))
                found.setdefault(size, f"the number of elements of {name} along axes {axes}")
    return found


def factor(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """A number times the right one."""
    c = ratio(suspect.hand, suspect.right)
    if c is None or abs(c + 1) < 1e-9 or abs(c - 1) < _CLOSE:
        return None
    known = _known_factor(abs(c), evidence, np.shape(suspect.hand))
    text = f"it is {c:.6g} × the right one in {_elements(suspect.hand)}"
    text += f"; {known}" if known else ""
    return Explanation("factor", text, "hand / right is one number", (suspect.name,))


def tied(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """At a tie, every element for itself passes as a choice, all of them together do not."""
    if "keeps the tie" not in suspect.row.note:
        return None
    many = int((np.asarray(suspect.hand) != np.asarray(suspect.right)).sum())
    text = (
        "at a tie the whole gradient goes to every tied element; give it to one of them (argmax), "
        f"or share it out: look at the {many} elements that differ"
    )
    return Explanation("ties", text, suspect.row.note, (suspect.name,))


def zero(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Nothing at all."""
    if np.any(suspect.hand) or not np.size(suspect.hand):
        return None
    if _is_truncation(suspect):
        return truncation(evidence, suspect)
    text = "it is zero everywhere: the array was made, and nothing was written to it"
    return Explanation("missing term", text, "every element is 0", (suspect.name,))


def _is_truncation(suspect: Suspect) -> Explanation | None:
    hand, right = np.asarray(suspect.hand), np.asarray(suspect.right, float)
    if hand.shape != right.shape or not np.isfinite(np.asarray(hand, float)).all():
        return None
    integers = hand.dtype.kind in "iu"
    cut = bool((hand == np.trunc(right)).all())
    if not (integers and (cut or not (np.trunc(right) == right).all())):
        return None
    how = "the fractions are cut off" if cut else "what was written to it lost its fractions"
    text = f"its dtype is {hand.dtype}: {how}; make the array with dtype float"
    return Explanation("truncation", text, "an integer dtype, and fractions missing", ())


def truncation(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Integers where fractions belong."""
    found = _is_truncation(suspect)
    if found is None and fits(suspect.hand, np.trunc(suspect.right)):
        text = "the fractions are cut off: somewhere on its way it was an array of integers"
        found = Explanation("truncation", text, "hand = trunc(right)", ())
    return found and Explanation(found.cause, found.text, found.tested, (suspect.name,))


def not_finite(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """NaN and infinities of its own."""
    hand = np.asarray(suspect.hand)
    if hand.dtype.kind != "f" or np.isfinite(hand).all() or not np.isfinite(suspect.right).all():
        return None
    lost = ~np.isfinite(hand)
    kinds = "NaN" if np.isnan(hand).any() else "infinity"
    text = (
        f"{kinds} in {int(lost.sum()):,} of {hand.size:,} elements, where the right one is finite: "
        "backward divides by 0, or takes log or a root of what it should not"
    )
    return Explanation("nan", text, "isfinite of both", (suspect.name,))


def transposed(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """The axes in another order."""
    hand, right = np.asarray(suspect.hand), np.asarray(suspect.right)
    if hand.ndim != right.ndim or not 2 <= hand.ndim <= 5:
        return None
    for axes in permutations(range(hand.ndim)):
        moved = right.transpose(axes)
        if axes != tuple(range(hand.ndim)) and fits(hand, moved):
            what = "transposed" if hand.ndim == 2 else f"its axes are in the order {axes}"
            text = f"it is the right one, {what}"
            return Explanation("transposed", text, "hand = rightᵀ", (suspect.name,))
    return None


def swapped(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """The gradient of something else."""
    for other in evidence.suspects:
        if other.k != suspect.k and fits(suspect.hand, other.right) and np.any(other.right):
            if fits(other.right, suspect.right):
                continue
            text = f"it is the right {other.name}: the two are swapped, or returned in wrong order"
            return Explanation("swapped", text, f"hand = {other.name}", (suspect.name,))
    return None


def twice(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """The gradient of something else, which has its own as well."""
    for other in evidence.others:
        same = fits(suspect.hand, other.right) and not fits(other.right, suspect.right)
        if same and np.any(other.right):
            text = f"it is {other.name}, given a second time"
            return Explanation("swapped", text, f"hand = {other.name}", (suspect.name,))
    return None


def misshapen(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """A shape that says what went wrong, where the numbers do not."""
    hand, due = np.shape(suspect.hand), np.shape(suspect.right)
    if hand == due:
        return None
    text = f"shape {hand} where {due} is due"
    try:
        if np.broadcast_shapes(hand, due) == due:
            text += ": it broadcasts, so an update of the parameter would go on silently"
    except ValueError:
        wrong = [i for i, (a, b) in enumerate(zip(hand, due, strict=False)) if a != b]
        text += f": look at the sums and products along axis {wrong[0]}" if wrong else ""
    return Explanation("shape", text, "the shapes, none of the usual reasons fits", (suspect.name,))


def single_precision(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """The digits of float32 in an array of float64."""
    hand = np.asarray(suspect.hand)
    if hand.dtype != np.float64 or not fits(hand, suspect.right, 1e-6):
        return None
    if not np.array_equal(hand, hand.astype(np.float32)):
        return None
    text = "right but for its digits: on its way it was float32, though it is float64 now"
    return Explanation(
        "float32", text, "hand = float32(hand), and near the right one", (suspect.name,)
    )


def unsummed(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """A sum over the batch or over a broadcast axis that is missing, or one too many."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    for axes in _axes(hand.ndim):
        for keep in (False, True):
            total = hand.sum(axis=axes, keepdims=keep)
            if total.shape == right.shape and fits(total, right) and total.size < hand.size:
                text = (
                    f"shape {hand.shape} where {right.shape} is due: sum it over axis "
                    f"{_axis(axes)}, along which the value was broadcast"
                )
                return Explanation("missing sum", text, "its sum is the right one", (suspect.name,))
    for axes in _axes(right.ndim):
        for keep in (False, True):
            total = right.sum(axis=axes, keepdims=keep)
            if fits(hand, total) and total.size < right.size:
                text = f"it is summed over axis {_axis(axes)} of the right one: a sum too many"
                return Explanation("wrong axis", text, "hand = sum of right", (suspect.name,))
    return None


def _axes(ndim: int) -> Iterator[tuple[int, ...]]:
    for count in range(1, ndim + 1):
        yield from combinations(range(ndim), count)


def _axis(axes: tuple[int, ...]) -> str:
    return str(axes[0]) if len(axes) == 1 else str(axes)


def reshaped(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """The right numbers in another shape."""
    hand, right = np.asarray(suspect.hand), np.asarray(suspect.right)
    if hand.shape == right.shape or hand.size != right.size:
        return None
    if fits(hand.ravel(), right.ravel()):
        text = f"the right numbers in shape {hand.shape}: reshape it to {right.shape}"
        return Explanation("shape", text, "hand.reshape(right.shape) = right", (suspect.name,))
    return None


TESTS = (
    not_finite,
    tied,
    single_precision,
    zero,
    sign,
    truncation,
    swapped,
    transposed,
    factor,
    unsummed,
    reshaped,
)
