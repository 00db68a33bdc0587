"""What each element that flows in does to a wrong gradient, held against what it should do.

Knows: how to find both by unit cotangents, and what the two patterns tell: elements of dout that
are not heard, that are heard where they have no business, that are given to the wrong places.
Does not know: single operators, how layers are written.
Imports: evidence, sweeps, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import Evidence, Explanation, Suspect, fits
from autograd_lite.comparison.diagnosis.sweeps import seeds_of, swept

__all__ = ["Response", "explain"]

_MOST = 200  # elements that flow in
_WORK = 60_000  # nodes visited
_SAME = 1e-7
_TESTED = "backward with one element of dout at a time, held against the graph's"


@dataclass(frozen=True, eq=False)
class Response:
    """Two Jacobians of one gradient: first axis, the elements that flow in; the rest, the leaf's.

    `shapes` are those of the cotangents, one after the other along the first axis.
    """

    name: str
    hand: Any
    right: Any
    shapes: Sequence[tuple[int, ...]]

    @cached_property
    def scale(self) -> float:
        """The largest element."""
        return float(np.abs(self.right).max(initial=0.0))

    def heard(self, jacobian: Any) -> Any:
        """For each element that flows in whether it has an effect."""
        return (np.abs(jacobian) > _SAME * self.scale).reshape(len(jacobian), -1).any(axis=1)

    def parts(self) -> Iterator[tuple[int, tuple[int, ...], slice]]:
        """(number, shape, place) of each cotangent."""
        start = 0
        for k, shape in enumerate(self.shapes):
            size = int(np.prod(shape))
            yield k, shape, slice(start, start + size)
            start += size


def explain(evidence: Evidence) -> list[Explanation]:
    """What the effect of single elements of dout tells of the gradients that are wrong."""
    found = []
    for response in _responses(evidence):
        answers = (test(response) for test in _TESTS)
        said = next((answer for answer in answers if answer is not None), None)
        if said is not None:
            found.append(Explanation(said[0], said[1], _TESTED, (response.name,)))
    return found


def _responses(evidence: Evidence) -> list[Response]:
    graph = evidence.graph
    suspects = [s for s in evidence.suspects if s.leaf is not None and _same_kind(s)]
    total = sum(int(np.size(g)) for g in evidence.cotangents)
    if graph is None or not evidence.takes_cotangent or not suspects:
        return []
    if not 1 < total <= _MOST or total * len(graph) > _WORK:
        return []
    hands: list[list[Any]] = []
    rights: list[list[Any]] = []
    leaves = [s.leaf for s in suspects if s.leaf is not None]
    for units in _units(evidence.cotangents):
        again = evidence.at(evidence.inputs, units)
        hands.append([again[s.k] for s in suspects])
        found = swept(seeds_of(graph, units), leaves)
        rights.append([found[leaf] for leaf in leaves])
    shapes = [np.shape(g) for g in evidence.cotangents]
    weights = np.concatenate([np.ravel(g) for g in evidence.cotangents]).astype(float)
    responses = []
    for n, suspect in enumerate(suspects):
        ours = [row[n] for row in hands]
        if any(h is None or np.shape(h) != np.shape(suspect.hand) for h in ours):
            continue
        hand = np.array(ours, float)
        if fits(np.tensordot(weights, hand, 1), suspect.hand, 1e-6):  # else it is not linear
            right = np.array([row[n] for row in rights], float)
            responses.append(Response(suspect.name, hand, right, shapes))
    return responses


def _same_kind(suspect: Suspect) -> bool:
    hand = np.asarray(suspect.hand)
    return hand.shape == np.shape(suspect.right) and hand.dtype.kind == "f"


def _units(cotangents: Sequence[Any]) -> Iterator[list[Any]]:
    for k, g in enumerate(cotangents):
        for place in np.ndindex(np.shape(g)):
            units = [np.zeros_like(np.asarray(c, float)) for c in cotangents]
            units[k][place] = 1.0
            yield units


# ── what the patterns tell ───────────────────────────────────────────────────────────────────────

_Said = tuple[str, str] | None


def _deaf(response: Response) -> _Said:
    """Some of what flows in has no effect, and the rest has the right one."""
    due, heard = response.heard(response.right), response.heard(response.hand)
    lost = due & ~heard
    if not lost.any() or not heard.any():
        return None
    for k, shape, place in response.parts():
        if len(response.shapes) > 1 and due[place].any() and not heard[place].any():
            what = f"the gradient of output {k} (shape {shape})"
            return "missing term", f"{what} has no effect on it: its term is missing"
    if not fits(response.hand[heard], response.right[heard]) or len(response.shapes) > 1:
        return None
    shape = response.shapes[0]
    lines = heard.reshape(shape), due.reshape(shape)
    axes = [a for a in range(len(shape)) if _at_one_end(*lines, a) is not None]
    if not axes:
        text = f"{int(lost.sum())} of {due.sum()} elements of dout have no effect on it"
        return "missing term", f"{text}, and the others the right one: their terms are missing"
    ends = {_at_one_end(*lines, a) for a in axes}
    where = ", ".join(map(str, axes))
    if ends == {0}:
        text = f"along axis {where} only the first of dout counts, where they are to be summed"
        return "missing sum", text
    text = (
        f"along axis {where} only the last of dout counts, where all are to be added up: a loop "
        "assigns (=) instead of adding (+=), or an index is left at the last"
    )
    return "accumulation", text


def _kept(response: Response) -> _Said:
    """Of what several elements of dout give to one element only some stays, and that is right."""
    hand, right = (j.reshape(len(j), -1) for j in (response.hand, response.right))
    limit = _SAME * response.scale
    mine, due = np.abs(hand) > limit, np.abs(right) > limit
    lost = due & ~mine
    if not lost.any() or not mine.any() or (np.abs(hand - right)[mine] > limit).any():
        return None
    columns = lost.any(axis=0)
    if not (mine[:, columns].any(axis=0).all() and (due[:, columns].sum(axis=0) > 1).all()):
        return None
    text = (
        f"of what several elements of dout give to one element of it some is lost ({lost.sum():,} "
        f"of {due.sum():,} terms), and the rest is right: what overlaps is assigned (=) where it "
        "should be added (+=)"
    )
    return "accumulation", text


def _at_one_end(heard: Any, due: Any, axis: int) -> int | None:
    """0 or −1 if along an axis only the first or the last is heard, though others should be."""
    others = tuple(a for a in range(heard.ndim) if a != axis)
    along, wanted = heard.any(axis=others), due.any(axis=others)
    if along.sum() != 1 or wanted.sum() < 2:
        return None
    return {0: 0, int(np.flatnonzero(wanted)[-1]): -1}.get(int(np.argmax(along)))


def _as_a_number(response: Response) -> _Said:
    """All of dout counts as one number, though each element of it has an effect of its own."""
    hand, right = (j.reshape(len(j), -1) for j in (response.hand, response.right))
    if not np.any(hand) or len(response.shapes) > 1 or hand.shape[1] < 2:
        return None
    strongest = int(np.argmax(np.abs(hand).max(axis=1)))
    line = hand[strongest]
    shares = hand @ line / float(line @ line)
    ours = fits(np.outer(shares, line), hand)
    if not ours or np.linalg.matrix_rank(right, 1e-7 * response.scale) < 2:
        return None
    if np.count_nonzero(np.abs(shares) > _SAME) == 1:
        where = tuple(int(i) for i in np.unravel_index(strongest, response.shapes[0]))
        text = f"of dout only the element {where} is used, as if it were a number for all"
    else:
        same = bool(np.ptp(shares) <= _SAME)
        text = "dout is used as if it were one number" + (", its sum or mean" if same else "")
    return "upstream ignored", f"{text}; each element of dout belongs to its own element of output"


def _reordered(response: Response) -> _Said:
    """Each element of dout has the effect that another one should have."""
    hand, right = (j.reshape(len(j), -1) for j in (response.hand, response.right))
    due = response.heard(response.right)
    if due.sum() < 2 or len(response.shapes) > 1 or (response.heard(response.hand) != due).any():
        return None
    near = np.array([np.abs(right - row).max(axis=1) <= _SAME * response.scale for row in hand])
    if near[due].any(axis=1).all() and near[:, due].any(axis=0).all():
        text = (
            "each element of dout has the effect that is another one's: dout is read in another "
            "order than forward wrote its output, by a reshape where a transposition is due, say"
        )
        return "order", text
    if hand.shape[0] == hand.shape[1] and fits(hand, right.T):
        text = "its Jacobian is transposed: what goes from i to j comes back from i to j"
        return "order", text + ", a sum that runs the wrong way, say"
    return None


def _mixed(response: Response) -> _Said:
    """Effects across an axis along which the layer keeps its elements apart."""
    for _, shape, place in response.parts():
        hand, right = response.hand[place], response.right[place]
        for a, n in enumerate(shape):
            for b, m in enumerate(hand.shape[1:]):
                if n == m > 1:
                    mine, due = (
                        _blocks(j.reshape(*shape, *j.shape[1:]), a, b, len(shape), response)
                        for j in (hand, right)
                    )
                    said = _across(mine, due, a, b)
                    if said is not None:
                        return said
    return None


def _blocks(jacobian: Any, a: int, b: int, rank: int, response: Response) -> Any:
    """Which of the indices along axis a of dout have an effect on which along axis b."""
    others = tuple(k for k in range(jacobian.ndim) if k not in (a, rank + b))
    return (np.abs(jacobian) > _SAME * response.scale).any(axis=others)


def _across(mine: Any, due: Any, a: int, b: int) -> _Said:
    off = ~np.eye(len(due), dtype=bool)
    if due.any() and not due[off].any() and mine[off].any():
        text = (
            f"index i of its axis {b} takes from other indices of dout along axis {a}, though the "
            "layer keeps them apart: a sum or mean is taken along the wrong axis"
        )
        return "wrong axis", text
    for order, early in (
        (np.triu(due, 1), np.triu(mine, 1)),
        (np.tril(due, -1), np.tril(mine, -1)),
    ):
        if not order.any() and early.any() and due[off].any():
            text = (
                f"index i of its axis {b} takes from dout at indices along axis {a} on which it "
                "has no effect: the loop over them runs the wrong way, or reads another step"
            )
            return "order", text
    return None


def _alone(response: Response) -> _Said:
    """Only what an element itself gives, where others have an effect on it too."""
    if len(response.shapes) > 1 or response.shapes[0] != response.hand.shape[1:]:
        return None
    hand, right = (j.reshape(len(j), -1) for j in (response.hand, response.right))
    off = ~np.eye(len(hand), dtype=bool)
    limit = _SAME * response.scale
    if (np.abs(hand[off]) > limit).any() or not (np.abs(right[off]) > limit).any():
        return None
    text = (
        "each element takes from its own element of dout alone, though others have an effect on "
        "it: the terms through a sum are missing"
    )
    if fits(np.diag(hand), np.diag(right)):
        text += "; its own term is right"
    return "missing term", text


def _masked(response: Response) -> _Said:
    """What forward selected, and where backward gives it to."""
    hand, right = (j.reshape(len(j), -1) for j in (response.hand, response.right))
    limit = _SAME * response.scale
    mine, due = np.abs(hand) > limit, np.abs(right) > limit
    rows = due.any(axis=1)
    selects = bool((due[rows].sum(axis=1) == 1).all()) and rows.any()
    other = (mine != due).any(axis=1) & rows
    if not selects or not other.any():
        return None
    places = mine[rows].sum(axis=1)
    if hand.shape[1] < rows.sum():
        text = "each element of it is a sum over dout, and it sums others than it should"
        return "wrong axis", text
    if (places <= 1).all():
        text = "each element of dout belongs to one element of it, and is given to another"
        return (
            "mask",
            f"{text} ({int(other.sum())} of {int(rows.sum())}): the mask or index is wrong",
        )
    text = (
        f"each element of dout belongs to one element of it, and is given to {int(places.max())}: "
        "the mask is missing, or the wrong way round"
    )
    return "mask", text


_TESTS: tuple[Callable[[Response], _Said], ...] = (
    _deaf,
    _alone,
    _kept,
    _as_a_number,
    _reordered,
    _masked,
    _mixed,
)
