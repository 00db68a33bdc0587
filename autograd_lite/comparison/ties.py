"""At a kink, what single elements do not tell: whether all of them together are a derivative.

Knows: directions that keep a tie, along which a function is smooth where its parts are not.
Does not know: layers, tensors, how a report looks.
Imports: numeric, report, NumPy.

At max(a, a) the derivative of each element may be anything between 0 and 1, so that element by
element the whole gradient to both passes for a choice. Along a direction v that is a function of
the values, v = p(x), equal elements stay equal and the maximum is smooth: ⟨hand, v⟩ must be its
slope. Half of the directions have p(0) = 0, so that a ReLU at 0 stays there; the others move what
is tied at 0 too, and count where the function is smooth along them and the automatic gradient
gives its slope (relu(x) − relu(−x) at 0 is smooth, and no choice for its parts gives the slope).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.comparison.report import Row
from autograd_lite.numeric import numeric_directional

__all__ = ["judged_together"]

_DIRECTIONS = 6


def judged_together(
    rows: Sequence[Row],
    forward: Callable[..., Any],
    points: Sequence[Any],
    names: Sequence[str],
    cotangents: Sequence[Any],
) -> list[Row]:
    """The rows, those "legitimate choice" made "wrong" whose elements do not go together.

    `forward(*points)` is the plain forward pass; `names` are those of the rows of the points.
    """
    known = {row.name: row for row in rows}
    if not any(row.verdict == "legitimate choice" and row.name in names for row in rows):
        return list(rows)
    if not all(name in known and known[name].ok for name in names):
        return list(rows)  # something else is wrong, and would be mistaken for it
    floats = [np.asarray(p, float) for p in points]
    rng = np.random.default_rng(4)
    scale = max((float(np.abs(p).max(initial=0.0)) for p in floats), default=1.0) or 1.0
    for k in range(_DIRECTIONS):
        a, b, c = rng.uniform(0.5, 1.5, 3)
        offset = scale * rng.uniform(0.5, 1.5) * (k % 2)
        tangents = [offset + p * (a + b * (p / scale) + c * (p / scale) ** 2) for p in floats]
        slopes = numeric_directional(forward, floats, tangents)
        due = sum(np.sum(np.asarray(g) * s.value) for g, s in zip(cotangents, slopes, strict=True))
        doubt = sum(
            np.sum(np.abs(np.asarray(g)) * s.error) for g, s in zip(cotangents, slopes, strict=True)
        )
        kinks = any(np.any(s.kinks) for s in slopes)
        claimed, size = _slope([known[name].hand for name in names], tangents)
        chosen, _ = _slope([known[name].automatic for name in names], tangents)
        allowed = 3 * doubt + 1e-6 * size
        if not kinks and abs(claimed - due) > allowed >= abs(chosen - due):
            return [_wrong(row, claimed, float(due)) if row.name in names else row for row in rows]
    return list(rows)


def _slope(gradients: Sequence[Any], tangents: Sequence[Any]) -> tuple[float, float]:
    """The slope that gradients claim along a direction, and the size of its terms."""
    terms = [np.asarray(g, float) * t for g, t in zip(gradients, tangents, strict=True)]
    return sum(float(t.sum()) for t in terms), sum(float(np.abs(t).sum()) for t in terms)


def _wrong(row: Row, claimed: float, due: float) -> Row:
    if row.verdict != "legitimate choice":
        return row
    note = (
        f"along a direction that keeps the tie it gives {claimed:.4g}, and the slope is {due:.4g}"
    )
    return replace(row, verdict="wrong", outlier="hand-written", note=note)
