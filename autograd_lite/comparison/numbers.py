"""How many numbers to ask for: every element of small arrays, a sample of large ones.

Knows: what an evaluation costs and how many are worth it, which elements to examine, and the
directions through all elements at once that stand beside a sample.
Does not know: where the function comes from, verdicts.
Imports: `numeric`, `verdict`, graph, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.comparison.verdict import Along, Numbers
from autograd_lite.graph import Graph
from autograd_lite.numeric import numeric_slopes, numeric_vjp

__all__ = [
    "EXAMINED", "examined_too", "generator", "numbers_of", "planned", "said_of_samples", "worth",
]  # fmt: skip

EXAMINED = 1024  # no larger array is examined element by element
_SAMPLE, _DIRECTIONS = 64, 8  # of a larger one so many elements, and directions through all
_LADDER = 9  # evaluations for an element or a direction: four steps to both sides, and one more
_WORTH = 1.2e6  # what all evaluations together may cost, in the units below: about microseconds
_CALL, _PER_ELEMENT = 100.0, 1 / 500  # an evaluation; an element of any of its results; a node is 1


def generator(seed: int) -> np.random.Generator:
    """What cotangents and directions are drawn with.

    Not NumPy's generator of the seed itself: inputs that were drawn with that one would be what
    flows in, and nothing would tell `x` from `dout`.
    """
    return np.random.default_rng([seed, 2])


def worth(graph: Graph | None) -> int:
    """How often a function of this graph may be evaluated; counted, not timed.

    So a report says the same on a slow machine as on a fast one.
    """
    if graph is None:
        return int(_WORTH / _CALL)
    sizes = sum(1 + _PER_ELEMENT * max(node.size, 1) for node in graph.nodes)
    return int(_WORTH / (_CALL + sizes))


def numbers_of(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    cotangents: Sequence[Any],
    rng: np.random.Generator,
    *,
    look_at: Sequence[Any] = (),
    claims: Sequence[Any] = (),
    evaluations: int | None = None,
    complex_step: bool = True,
) -> list[Numbers]:
    """What the numeric referee says of the gradient of each array.

    `look_at` gives flat positions of each array that a sample shall include. `evaluations` is how
    often f may be evaluated, about. Where that is less than one direction for each large array,
    all move together: what `claims` says of the others is then taken for granted.
    """
    arrays = [np.asarray(a, float) for a in arrays]
    cotangent = tuple(cotangents) if len(cotangents) > 1 else cotangents[0]
    plan = _planned([a.size for a in arrays], evaluations)
    wanted = look_at or [[]] * len(arrays)
    chosen = [_chosen(a.size, plan, w, rng) for a, w in zip(arrays, wanted, strict=True)]
    found = numeric_vjp(f, arrays, cotangent, indices=chosen, complex_step=complex_step)
    large = [k for k, a in enumerate(arrays) if a.size > plan.whole]
    if plan.directions or not claims:
        along = _one_by_one(f, arrays, large, cotangent, rng, max(plan.directions, 1))
    else:
        along = _together(f, arrays, claims, large, cotangent, rng)
    return [Numbers(number, along.get(k, ())) for k, number in enumerate(found)]


def planned(sizes: Sequence[int], evaluations: int | None) -> int:
    """How often `numbers_of` evaluates its function, if nothing is in the way.

    >>> planned([4], None)
    36
    """
    plan = _planned(sizes, evaluations)
    large = sum(size > plan.whole for size in sizes)
    elements = sum(size for size in sizes if size <= plan.whole) + plan.sample * large
    return _LADDER * max(elements + plan.directions * large, 1)


@dataclass(frozen=True)
class _Plan:
    """Arrays of up to `whole` elements are examined in all of them, larger ones in a sample."""

    whole: int
    sample: int = _SAMPLE
    directions: int = _DIRECTIONS


def _planned(sizes: Sequence[int], evaluations: int | None) -> _Plan:
    if evaluations is None or sum(sizes) * _LADDER <= evaluations:
        return _Plan(EXAMINED)
    whole, spent = 0, 0
    for size in sorted(sizes):
        spent += size * _LADDER
        if size > EXAMINED or spent > evaluations / 2:
            break
        whole = size
    large = sum(size > whole for size in sizes)
    each = evaluations // (2 * _LADDER * max(large, 1))
    return _Plan(whole, min(each, _SAMPLE), min(each, _DIRECTIONS))


def _chosen(size: int, plan: _Plan, wanted: Sequence[Any], rng: np.random.Generator) -> Any:
    if size <= plan.whole:
        return np.arange(size)
    sample = rng.choice(size, min(plan.sample, size), replace=False)
    return np.unique(np.concatenate([sample, np.asarray(wanted, np.intp)]))


def _one_by_one(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    large: Sequence[int],
    cotangent: Any,
    rng: np.random.Generator,
    count: int,
) -> dict[int, tuple[Along, ...]]:
    """For each large array so many directions in which it moves alone."""
    tangents = []
    for k in large:
        for _ in range(count):
            tangents.append([np.zeros(a.shape) for a in arrays])
            tangents[-1][k] = rng.standard_normal(arrays[k].shape)
    slopes = numeric_slopes(f, arrays, tangents, cotangent)
    return {
        k: tuple(
            Along(tangents[i][k], *_valued(slopes[i])) for i in range(j * count, (j + 1) * count)
        )
        for j, k in enumerate(large)
    }


def _together(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    claims: Sequence[Any],
    large: Sequence[int],
    cotangent: Any,
    rng: np.random.Generator,
) -> dict[int, tuple[Along, ...]]:
    """One direction of all large arrays; each is due what the claims of the others leave."""
    tangents = [np.zeros(a.shape) for a in arrays]
    for k in large:
        size = float(np.abs(arrays[k]).max(initial=0.0)) or 1.0
        tangents[k] = size * rng.standard_normal(arrays[k].shape)
    (slope,) = numeric_slopes(f, arrays, [tangents], cotangent)
    value, doubt = _valued(slope)
    parts = {k: np.asarray(claims[k], float) * tangents[k] for k in large}
    total = sum(float(part.sum()) for part in parts.values())
    norm = float(np.sqrt(sum(float((part * part).sum()) for part in parts.values())))
    return {
        k: (Along(tangents[k], value - total + float(parts[k].sum()), doubt + 1e-12 * norm),)
        for k in large
    }


def _valued(slope: Any) -> tuple[float, float]:
    """A slope and its error; at a kink it may be anything between the one-sided ones."""
    gap = abs(float(slope.upper) - float(slope.lower)) if slope.kinks else 0.0
    return float(slope.value), float(slope.error) + gap


def examined_too(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    cotangents: Sequence[Any],
    k: int,
    positions: Any,
    known: Numbers,
) -> Numbers:
    """What is known of the gradient of array k, with some more of its elements."""
    cotangent = tuple(cotangents) if len(cotangents) > 1 else cotangents[0]
    indices: list[Any] = [[]] * len(arrays)
    indices[k] = positions
    arrays = [np.asarray(a, float) for a in arrays]
    more = numeric_vjp(f, arrays, cotangent, indices=indices)[k]
    old = known.gradient
    parts = {
        name: np.where(more.examined, getattr(more, name), getattr(old, name))
        for name in ("value", "error", "left", "right")
    }
    return replace(known, gradient=replace(old, **parts, examined=old.examined | more.examined))


def said_of_samples(names: Sequence[str], numbers: Sequence[Numbers | None]) -> str:
    """What was examined of large arrays, in a sentence; empty if all of all was.

    >>> said_of_samples(["dx"], [None])
    ''
    """
    told = []
    for name, number in zip(names, numbers, strict=True):
        if number is not None and number.along:
            seen, count = number.gradient.examined, len(number.along)
            directions = "1 random direction" if count == 1 else f"{count} random directions"
            told.append(f"{int(seen.sum()):,} of {seen.size:,} elements of {name} and {directions}")
    return "sampled " + "; ".join(told) if told else ""
