"""Explanations that need the two arrays alone: a factor, a sign, a transposition, a wrong shape.

Knows: the ways in which a whole gradient is off by something simple.
Does not know: graphs, how to run a layer.
Imports: adapters, evidence, NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import place_of
from autograd_lite.comparison.diagnosis.evidence import (
    Evidence,
    Explanation,
    Suspect,
    fits,
    is_plain,
    ratio,
)

__all__ = [
    "TESTS",
    "chosen",
    "clipped",
    "factor",
    "filled",
    "misshapen",
    "not_finite",
    "reordered",
    "reshaped",
    "shifted",
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


def _known_factor(c: float, evidence: Evidence) -> str:
    """What a factor may be, in words; empty if it is none of the usual."""
    if held := _held_factor(c, evidence):
        return held
    usual = {2.0: "a square's 2 taken twice, or a ½ lost", 0.5: "a square's 2 lost"}
    known = usual.get(round(c, 9), "") if _squares(evidence) else ""
    sizes = _sizes(evidence)
    for size, what in sizes.items():
        if size > 1 and abs(c - size) < 1e-9 * size:
            return f"{size} is {what}: divide by it once more, or take the mean for the sum"
        if size > 1 and abs(c * size - 1) < 1e-9:
            return f"1/{size}, and {size} is {what}: a division too many, or the mean for the sum"
    return known


def _held_factor(c: float, evidence: Evidence) -> str:
    """A share that the layer holds and that makes this factor, as dropout's p does."""
    for name, p in getattr(evidence.session().hand, "__dict__", {}).items():
        if not isinstance(p, float) or not 0 < p < 1:
            continue
        shares = {f"1 − {name}": 1 - p, f"1/(1 − {name})": 1 / (1 - p), name: p, f"1/{name}": 1 / p}
        for text, value in shares.items():
            if abs(c - value) < 1e-9:
                return f"{c:.6g} is {text}, and the layer holds {name} = {p:.6g}"
    return ""


def _squares(evidence: Evidence) -> bool:
    """Whether something is squared in the forward pass, as far as is known."""
    nodes = evidence.graph.nodes if evidence.graph is not None else ()
    return evidence.graph is None or any(
        node.op.name in ("square", "power", "norm")
        or len(set(map(id, node.inputs))) == 1 < len(node.inputs)
        for node in nodes
    )


def _sizes(evidence: Evidence) -> dict[int, str]:
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
    if c is None:
        return _almost_factor(evidence, suspect)
    if abs(c + 1) < 1e-9 or abs(c - 1) < _CLOSE:
        return None
    flows = [float(np.sum(g)) for g in evidence.cotangents if np.size(g) == 1]
    if evidence.takes_cotangent and len(flows) == 1 and abs(c * flows[0] - 1) < 1e-9 < abs(c - 1):
        text = f"it does not hold what flows in: times {flows[0]:.6g}, which is dout, it is right"
        return Explanation("upstream ignored", text, "hand × dout = right", (suspect.name,))
    known = _known_factor(abs(c), evidence)
    if np.size(suspect.hand) == 1 and not (known or is_plain(c)):
        return None  # one number is always a multiple of another
    text = f"it is {c:.6g} × the right one in {_elements(suspect.hand)}"
    text += f"; {known}" if known else ""
    return Explanation("factor", text, "hand / right is one number", (suspect.name,))


def _almost_factor(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """A usual number times the right one, where an epsilon of the forward pass was forgotten."""
    c = ratio(suspect.hand, suspect.right, _CLOSE)
    if c is None:
        return None
    usual = (2.0, 0.5, *(p for n in _sizes(evidence) for p in (n, 1 / n)))
    exact = next((p for p in usual if abs(abs(c) / p - 1) < _CLOSE), None)
    if exact is None or exact == 1:
        return None
    text = (
        f"it is almost {exact * np.sign(c):.6g} × the right one in {_elements(suspect.hand)}, as "
        f"near as an epsilon of the forward pass allows; {_known_factor(exact, evidence)}"
    )
    tested = f"hand / right is one number within {_CLOSE:.0e}"
    return Explanation("factor", text, tested, (suspect.name,))


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


def clipped(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Cut at a limit, element by element, or scaled down to a length."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    if hand.shape != right.shape or not np.isfinite(hand).all() or not np.any(hand):
        return None
    limit, length = float(np.abs(hand).max()), float(np.linalg.norm(hand))
    c = ratio(hand, right, _CLOSE)
    count = int((np.abs(right) > limit * (1 + _CLOSE)).sum())
    likely = c is None and (count > 1 or (count == 1 and _is_limit(limit)))
    if likely and fits(hand, np.clip(right, -limit, limit)):
        where = f"in {count:,} of {hand.size:,} elements"
        text = f"it is the right one, clipped at ±{limit:.6g} {where}; {_CLIP}"
        return Explanation("clipped", text, "clip(right) = hand", (suspect.name,))
    if c is not None and 0 < c < 1 and hand.size > 1 and _is_limit(length) and not is_plain(c):
        text = f"it is the right one, scaled down to a length of {length:.6g}; {_CLIP}"
        tested = "hand / right is one number, and the norm of hand is round"
        return Explanation("clipped", text, tested, (suspect.name,))
    return None


_CLIP = "clip where the parameters are updated, then backward gives the gradient"


def _is_limit(number: float) -> bool:
    """Whether a number is one that people clip at, like 5 or 0.25."""
    return abs(number * 100 - round(number * 100)) < _CLOSE and round(number * 100) > 0


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
    )
    if where := _where_not_finite(evidence):
        tested = "isfinite of both; once more with NumPy's floating point errors raised"
        return Explanation("nan", f"{text}it arises by {where}", tested, (suspect.name,))
    text += "backward divides by 0, or takes log or a root of what it should not"
    return Explanation("nan", text, "isfinite of both", (suspect.name,))


def _where_not_finite(evidence: Evidence) -> str:
    """The operation and line of backward that first divides by 0 and the like; empty if unknown."""
    session = evidence.session()
    try:
        with np.errstate(all="ignore"):
            session.forward(evidence.inputs)
        with np.errstate(divide="raise", invalid="raise", over="raise"):
            session.backward(evidence.cotangents)
    except FloatingPointError as error:
        return place_of(error).removeprefix("FloatingPointError: ")
    except Exception:  # noqa: BLE001  # user code, under other rules than it knows
        return ""
    return ""


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


# ── the right numbers at other places ────────────────────────────────────────────────────────────


def reordered(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Slices in another order, axes turned round, numbers in the order of another shape."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    if hand.shape != right.shape or not hand.ndim or not np.isfinite(hand).all():
        return None
    if (right == 0).mean() > _SPARSE:
        return _at_other_places(hand, right, suspect)
    for axis in range(hand.ndim):
        if order := _order_along(hand, right, axis):
            text = f"the right numbers, but along axis {axis} {order}"
            return Explanation(
                "order", text, "each slice is one of the right ones", (suspect.name,)
            )
    for axes in _axes(hand.ndim):
        if len(axes) > 1 and fits(hand, np.flip(right, axes)):
            text = f"the right numbers, turned round along axes {_axis(axes)}"
            return Explanation("order", text, "hand = right, reversed", (suspect.name,))
    if 2 <= hand.ndim <= 5:
        for moved in permutations(range(hand.ndim)):
            turned = right.transpose(moved)
            if turned.shape != right.shape and fits(hand.ravel(), turned.ravel()):
                text = (
                    f"the right numbers in the order of axes {moved}: it is reshaped where it "
                    "should be transposed, or before it is"
                )
                return Explanation(
                    "order", text, "hand.ravel() = right.transpose(…).ravel()", (suspect.name,)
                )
    return _at_other_places(hand, right, suspect)


_SPARSE = 0.2  # with more zeros than this it is a mask that puts them there


def _at_other_places(hand: Any, right: Any, suspect: Suspect) -> Explanation | None:
    apart = np.abs(right).max() > 0 and np.unique(right).size > 2
    if not apart or not fits(np.sort(hand, axis=None), np.sort(right, axis=None)):
        return None
    tested = "both hold the same numbers, sorted"
    if ((hand == 0) != (right == 0)).any():
        text = "the right numbers at other places: they are given to other elements than those used"
        return Explanation("mask", text, tested, (suspect.name,))
    text = "the right numbers at other places: its elements are in another order"
    return Explanation("order", text, tested, (suspect.name,))


_MOST_SLICES = 300


def _order_along(hand: Any, right: Any, axis: int) -> str:
    """The order in which the slices of `right` stand in `hand`, in words; empty if they do not."""
    n = hand.shape[axis]
    if not 2 <= n <= _MOST_SLICES:
        return ""
    mine = np.moveaxis(hand, axis, 0).reshape(n, -1)
    theirs = np.moveaxis(right, axis, 0).reshape(n, -1)
    scale = np.abs(right).max()
    order = []
    for row in mine:
        near = np.abs(theirs - row).max(axis=1) <= 1e-7 * scale
        order.append(int(np.argmax(near)) if near.any() else -1)
    if sorted(order) != list(range(n)):
        return ""
    if order == list(range(n))[::-1]:
        return "in reverse order"
    shifts = {(j - i) % n for i, j in enumerate(order)}
    if len(shifts) == 1:
        return f"shifted round by {(-shifts.pop()) % n} of {n}"
    shown = ", ".join(map(str, order[:8])) + (", …" if n > 8 else "")
    return f"in another order: {shown}"


def chosen(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """The few values that are right, at other elements: a choice by a wrong mask."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    if hand.shape != right.shape or hand.size < _FEW or not np.isfinite(hand).all():
        return None
    scale = np.abs(right).max()
    mine, due = (np.unique(np.round(a / (scale or 1.0), 9)) for a in (hand, right))
    if not 2 <= len(due) <= hand.size // 3 or not np.isin(mine, due).all():
        return None
    count = int((np.abs(hand - right) > 1e-9 * scale).sum())
    text = (
        f"each element has one of the {len(due)} values that are right somewhere, and {count} of "
        f"{hand.size} have the wrong one: they are chosen by a wrong mask"
    )
    return Explanation("mask", text, "the values of both", (suspect.name,))


_FEW = 6  # in fewer elements values meet by chance


def shifted(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Cut out at another place than where it was put."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    if hand.shape != right.shape or not np.isfinite(hand).all():
        return None
    for axes in sorted(_axes(hand.ndim), key=lambda a: -len(a)):
        for step in (1, -1, 2, -2):
            if any(hand.shape[a] < 3 * abs(step) for a in axes) or len(axes) > 3:
                continue
            late, early = (
                tuple(
                    slice(max(s, 0), n + min(s, 0)) if a in axes else slice(None)
                    for a, n in enumerate(hand.shape)
                )
                for s in (step, -step)
            )
            if np.any(right[early]) and fits(hand[late], right[early]):
                text = (
                    f"it is the right one, shifted by {step} along axis {_axis(axes)}: padding is "
                    "cut off at another place than where forward puts it"
                )
                tested = "where they overlap, hand = right shifted"
                return Explanation("padding", text, tested, (suspect.name,))
    return None


def filled(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Sums over axes that should stay, spread over them again."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    if hand.shape != right.shape or hand.size < 2:
        return None
    for axes in _axes(hand.ndim):
        for what, total in (
            ("sum", right.sum(axis=axes, keepdims=True)),
            ("mean", right.mean(axis=axes, keepdims=True)),
        ):
            if total.size < right.size and fits(hand, np.broadcast_to(total, hand.shape)):
                if what == "sum" and ((right != 0).sum(axis=axes) <= 1).all():
                    text = (
                        f"along axis {_axis(axes)} every element has the gradient of the one that "
                        "was chosen: the mask is missing"
                    )
                    return Explanation("mask", text, "hand = sum of right", (suspect.name,))
                text = (
                    f"along axis {_axis(axes)} every element is the {what} of all the right ones: "
                    f"a {what} too many"
                )
                return Explanation("wrong axis", text, f"hand = {what} of right", (suspect.name,))
    return None


TESTS = (
    not_finite,
    tied,
    single_precision,
    zero,
    sign,
    clipped,
    truncation,
    swapped,
    transposed,
    factor,
    unsummed,
    reshaped,
    reordered,
    filled,
    chosen,
    shifted,
)
