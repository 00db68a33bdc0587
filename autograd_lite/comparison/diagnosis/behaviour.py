"""Explanations that need the layer to run again: other cotangents, other inputs, a second call.

Knows: how a layer behaves that ignores what flows in, that remembers too much, that hands out what
is not its own.
Does not know: single operators.
Imports: adapters, evidence, sweeps, numeric, NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import place_of
from autograd_lite.comparison.adapters.session import Session
from autograd_lite.comparison.diagnosis.evidence import Evidence, Explanation, Suspect, fits
from autograd_lite.comparison.diagnosis.sweeps import seeds_of, swept
from autograd_lite.numeric import numeric_directional

__all__ = [
    "TESTS",
    "alone",
    "elementwise",
    "memory",
    "upstream",
]

_SCALE = 1.75


def upstream(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Not linear in what flows in: some of it is ignored, or used where it should not be."""
    if not evidence.takes_cotangent:
        return None
    scaled = [_SCALE * np.asarray(g) for g in evidence.cotangents]
    again = evidence.at(evidence.inputs, scaled)[suspect.k]
    hand = np.asarray(suspect.hand, float)
    if again is None or np.shape(again) != hand.shape or fits(again, _SCALE * hand, 1e-6):
        return None
    if suspect.hand.dtype.kind in "iu":
        return None  # truncation is not linear either
    tested = f"backward once more with {_SCALE} × the same dout"
    if fits(again, hand):
        text = "it does not change when the gradient that flows in does: dout is ignored"
        return Explanation("upstream ignored", text, tested, (suspect.name,))
    if _masked_by(evidence.cotangents, hand):
        text = "each element is what flows in, or 0: the mask is taken of the gradient, not of the "
        return Explanation("mask", text + "input", tested, (suspect.name,))
    squared = fits(again, _SCALE**2 * hand, 1e-6)
    text = (
        "it grows with the square of what flows in: dout is used twice"
        if squared
        else "it is not proportional to what flows in: dout is ignored in one term of it, or used "
        "twice"
    )
    return Explanation("upstream ignored", text, tested, (suspect.name,))


def _masked_by(cotangents: Sequence[Any], hand: Any) -> bool:
    """Whether a mask lets pass what flows in, or not."""
    if len(cotangents) != 1 or np.shape(cotangents[0]) != hand.shape:
        return False
    return bool(((hand == 0) | (hand == np.asarray(cotangents[0], float))).all())


def elementwise(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """A layer that works element by element, with a local derivative that is no known mistake."""
    hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
    if not evidence.takes_cotangent or hand.shape != right.shape:
        return None
    if len(evidence.cotangents) != 1 or np.shape(evidence.cotangents[0]) != hand.shape:
        return None
    g = np.asarray(evidence.cotangents[0], float)
    other = np.random.default_rng(5).uniform(0.5, 1.5, g.shape)
    again = evidence.at(evidence.inputs, [g * other])[suspect.k]
    if again is None or not fits(again, hand * other) or not np.all(g) or hand.size < 2:
        return None
    if not _follows(evidence, suspect, g * other, right * other):
        return None
    used, due = hand / g, right / g
    if not evidence.inputs or np.shape(evidence.inputs[0]) != hand.shape:
        return None
    values = {0.0, 1.0}
    if set(np.unique(used)) <= values and set(np.unique(due)) <= values:
        wrong = int((used != due).sum())
        text = f"the mask is wrong in {wrong:,} of {hand.size:,} elements"
        if wrong == hand.size:
            text = "the mask is the wrong way round, in every element"
        elif np.array_equal(used, g > 0):
            text += ": it is that of the gradient (dout > 0), not of the input"
        cause = "mask"
    elif _chosen_otherwise(used, due) or _stopped_otherwise(used, due):
        text, cause = (
            "each element has a derivative of the right kind, chosen by a wrong mask",
            ("mask"),
        )
    elif np.isclose(used, due, rtol=1e-9, atol=0).any():
        return None  # in some elements alone: what these are tells more
    else:
        worst = np.unravel_index(int(np.argmax(np.abs(used - due))), hand.shape)
        x = float(np.asarray(evidence.inputs[0])[worst])
        text = (
            f"the local derivative is wrong: {used[worst]:.4g} at an input of {x:.4g}, where it is "
            f"{due[worst]:.4g}"
        )
        cause = "local derivative"
    tested = "the gradient follows each element of dout by itself"
    return Explanation(cause, text, tested, (suspect.name,))


def _chosen_otherwise(used: Any, due: Any) -> bool:
    """Whether the derivatives are few numbers, and the same ones, at other elements."""
    kinds = {round(float(v), 9) for v in np.unique(due)}
    few = 2 <= len(kinds) <= max(2, due.size // 2)
    return few and {round(float(v), 9) for v in np.unique(used)} <= kinds


def _stopped_otherwise(used: Any, due: Any) -> bool:
    """Whether each is 0 or one number, and the zeros are others."""
    two = all(1 <= np.unique(np.round(d[d != 0], 9)).size <= 1 for d in (used, due))
    return two and bool(((used == 0) != (due == 0)).any()) and bool((due == 0).any())


def _follows(evidence: Evidence, suspect: Suspect, cotangent: Any, due: Any) -> bool:
    """Whether the right gradient works element by element too, as far as can be told."""
    if evidence.graph is None or suspect.leaf is None:
        return True
    found = swept(seeds_of(evidence.graph, [cotangent]), [suspect.leaf])[suspect.leaf]
    return fits(found, due)


def alone(evidence: Evidence, suspect: Suspect) -> Explanation | None:
    """Right where one element of what flows in is not 0, and wrong for several."""
    graph, leaf = evidence.graph, suspect.leaf
    if graph is None or leaf is None or len(evidence.cotangents) != 1:
        return None
    g = np.asarray(evidence.cotangents[0])
    if not evidence.takes_cotangent or g.size < 2:
        return None
    for k in (0, g.size - 1):
        single = np.zeros_like(g)
        single.flat[k] = g.flat[k]
        hand = evidence.at(evidence.inputs, [single])[suspect.k]
        due = swept(seeds_of(graph, [single]), [leaf])[leaf]
        if hand is None or not np.any(due) or not fits(hand, due):
            return None
    text = (
        "it is right where one element of dout alone is not 0, as cross-entropy sends it back, and "
        "wrong for several: of these one is used; add up what each of them gives"
    )
    tested = "backward with one element of dout at a time"
    return Explanation("upstream ignored", text, tested, (suspect.name,))


TESTS = (upstream, elementwise, alone)


# ── what a layer remembers ───────────────────────────────────────────────────────────────────────


def memory(evidence: Evidence, names: Sequence[str]) -> list[Explanation]:
    """What shows when one copy is used more than once: stale caches, sums that grow, views."""
    try:
        first = evidence.session()
        outputs, values = first.forward(evidence.inputs), first.parameters()
        gradients = first.backward(evidence.cotangents)
        found = _aliases(first, gradients, names)
        if not all(map(np.array_equal, values, first.parameters())):
            text = "backward changes parameters: what a second call gives was not judged"
            tested = "their values before and after backward"
            return [Explanation("state", text, tested, (), "info"), *found]
        return [*_second_call(evidence, names, outputs, _copies(gradients)), *found]
    except Exception as error:  # noqa: BLE001  # user code, in an order that it has not seen
        text = f"a second call raises {place_of(error)}: what the first left behind is in its way"
        return [Explanation("state", text, "forward and backward twice", (), "warning")]


def _second_call(
    evidence: Evidence, names: Sequence[str], alone: Sequence[Any], fresh: Sequence[Any]
) -> list[Explanation]:
    """Whether other passes before change the outputs and gradients, which were these alone."""
    again, before = _used(evidence)
    if not all(map(_same_values, alone, again.forward(evidence.inputs))):
        if not _fits_second_forward(evidence, _copies(again.backward(evidence.cotangents))):
            text = (
                "a second forward gives other outputs for the same inputs, and backward not the "
                "gradient of them: both read what the first left behind (a stale cache)"
            )
            tested = "forward on other inputs, then differences of a second forward"
            return [Explanation("stale cache", text, tested, ())]
        text = (
            "a second forward gives other outputs for the same inputs: the layer keeps state from "
            "call to call, and what a second call gives was not judged"
        )
        return [Explanation("state", text, "forward on other inputs, then on these", (), "info")]
    later = _copies(again.backward(evidence.cotangents))
    grown: list[str] = []
    other: list[str] = []
    for name, one, two, old in zip(names, fresh, later, before, strict=True):
        if one is None or two is None or fits(two, one) or _both_lost(one, two):
            continue
        same = np.shape(one) == np.shape(two) == np.shape(old)
        summed = same and np.asarray(one).dtype.kind == "f" and fits(two, one + old)
        (grown if summed else other).append(name)
    found = []
    if grown:
        text = (
            f"a second backward adds to {', '.join(grown)} what the first left there: assign "
            "instead (dW = …), or set it to 0 in between"
        )
        tested = "second call = first result + what this call should give"
        found.append(Explanation("accumulation", text, tested, (), "warning"))
    if other and not _one_backward_is_right(evidence, fresh):
        text = (
            f"{', '.join(other)} of a second call are not those of a fresh layer: backward reads "
            "what an earlier forward left behind (a stale cache)"
        )
        tested = "forward on other inputs, then on these, then backward"
        found.append(Explanation("stale cache", text, tested, ()))
    elif other:
        text = f"{', '.join(other)} of a second backward differ: what the first left is not reset"
        found.append(Explanation("state", text, "forward and backward twice", (), "warning"))
    return found


def _used(evidence: Evidence) -> tuple[Session, list[Any]]:
    """A copy that has run forward and backward on other inputs, and the gradients it gave.

    What it has a method to forget is forgotten.
    """
    session = evidence.session()
    outputs = session.forward(_moved(evidence.inputs))
    rng = np.random.default_rng(2)
    before = _copies(session.backward([rng.standard_normal(np.shape(y)) for y in outputs]))
    session.reset()
    return session, before


def _fits_second_forward(evidence: Evidence, gradients: Sequence[Any]) -> bool:
    """Whether the gradients of the inputs are those of a second forward, along one direction."""
    inputs = [np.asarray(x) for x in evidence.inputs]
    moving = [
        i
        for i, (x, g) in enumerate(zip(inputs, gradients, strict=False))
        if x.dtype.kind == "f" and g is not None and np.shape(g) == x.shape
    ]
    if not moving:
        return True

    def second(*values: Any) -> Any:
        session, _ = _used(evidence)
        arrays = list(inputs)
        for i, value in zip(moving, values, strict=True):
            arrays[i] = value
        outputs = session.forward(arrays)
        return outputs if len(outputs) > 1 else outputs[0]

    rng = np.random.default_rng(6)
    tangents = [rng.standard_normal(inputs[i].shape) for i in moving]
    slopes = numeric_directional(second, [inputs[i].astype(float) for i in moving], tangents)
    pairs = list(zip(evidence.cotangents, slopes, strict=True))
    due = sum(float(np.sum(np.asarray(g) * s.value)) for g, s in pairs)
    doubt = sum(float(np.sum(np.abs(np.asarray(g)) * s.error)) for g, s in pairs)
    terms = [np.asarray(gradients[i], float) * t for i, t in zip(moving, tangents, strict=True)]
    claimed = sum(float(term.sum()) for term in terms)
    size = sum(float(np.abs(term).sum()) for term in terms)
    return abs(claimed - due) <= 3 * doubt + 1e-5 * max(size, abs(due))


def _same_values(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and (fits(a, b) or _both_lost(a, b))


def _one_backward_is_right(evidence: Evidence, fresh: Sequence[Any]) -> bool:
    """Whether an earlier forward alone leaves the gradients as they are."""
    session = evidence.session()
    session.forward(_moved(evidence.inputs))
    session.forward(evidence.inputs)
    later = _copies(session.backward(evidence.cotangents))
    pairs = zip(fresh, later, strict=True)
    return all(a is None or (b is not None and fits(b, a)) or _both_lost(a, b) for a, b in pairs)


def _both_lost(a: Any, b: Any) -> bool:
    """Not finite in the same places: nothing to be compared."""
    if b is None or np.shape(a) != np.shape(b) or np.asarray(a).dtype.kind != "f":
        return False
    return not np.isfinite(a).all() and not np.isfinite(b).all()


def _moved(inputs: Sequence[Any]) -> list[Any]:
    """Other inputs, of the same values in reverse order so that a function takes them too.

    Integers, which may be labels, stay.
    """
    return [
        (0.9 * x.ravel()[::-1].reshape(x.shape)).astype(x.dtype) if x.dtype.kind == "f" else x
        for x in inputs
    ]


def _copies(gradients: Sequence[Any]) -> list[Any]:
    return [None if g is None else np.array(g) for g in gradients]


def _aliases(session: Session, found: Sequence[Any], names: Sequence[str]) -> list[Explanation]:
    """Gradients, as a session gave them, that are the memory of somebody else's array."""
    given = [x for x in session.given if isinstance(x, np.ndarray)]
    explanations = []
    for name, g in zip(names, found, strict=True):
        if not isinstance(g, np.ndarray):
            continue
        whole = any(g is h for h in session.held)
        owners = {
            "dout": any(np.may_share_memory(g, h) for h in session.held),
            "its input": any(np.may_share_memory(g, x) for x in given),
        }
        for owner in (owner for owner, shared in owners.items() if shared):
            text = f"{name} {'is' if whole else 'is a view of'} {owner}: a change of one changes "
            text += "the other; return a copy"
            level = "info" if owner == "dout" else "warning"
            explanations.append(Explanation("alias", text, "may_share_memory", (), level))
    return explanations
