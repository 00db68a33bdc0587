"""What one point does not show: the same layer beside it, and with another cotangent.

Knows: how to move inputs and parameters a little, so that nothing lies on a kink; which gradients
are held against the trace there.
Does not know: how one comparison goes, the rules of judgement (`verdict`).
Imports: its neighbours, NumPy.

Zero biases with dropout put a ReLU at exactly 0, where any gradient between its slopes is a choice;
one cotangent may be blind to a mistake. Traces alone are asked first; where they differ from the
hand-written gradient, a whole comparison is made there, and its judgement counts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.running import Runner, at_parameters, parameter_at
from autograd_lite.comparison.case import Case
from autograd_lite.comparison.held import held_by
from autograd_lite.comparison.report import Comparison, Finding, gradient_name
from autograd_lite.comparison.rounding import natural_scale
from autograd_lite.comparison.traced import TracedTwin
from autograd_lite.comparison.verdict import Allowance, judge, tolerance_of

__all__ = ["beside_the_point"]

_STEP = 1e-3  # of a value, and of the largest one for a zero
_ULPS = 32.0  # of a derivative's natural scale, that two right gradients may be apart
_LARGEST = 20_000  # nodes of a trace that is made again

Once = Callable[[Sequence[Any], Any, int], Comparison]


def beside_the_point(case: Case, report: Comparison, once: Once, seed: int) -> list[Finding]:
    """What is wrong at the point with another cotangent, or beside it.

    `once(inputs, hand, seed)` compares the layer elsewhere.
    """
    large = report.graph is None or len(report.graph) > _LARGEST
    if large or not isinstance(case.twin, TracedTwin):
        return []
    rng = np.random.default_rng([seed, 1])
    places: list[tuple[str, list[Any], dict[str, Any]]] = [
        ("with another cotangent", case.arrays, {}),
        ("beside the point", *_moved(case, rng)),
    ]
    for k, (where, arrays, parameters) in enumerate(places, 1):
        try:
            with np.errstate(all="ignore"):
                differs = any(_differing(case, report, arrays, parameters, rng))
            hand = at_parameters(case.layer, parameters).hand
            there = once(case.runner.inputs.plain(arrays), hand, seed + k) if differs else None
        except Exception:  # noqa: BLE001  # user code, where nobody asked for it: no verdict
            there = None
        found = _new(report, there, where) if there is not None else []
        if found:
            return found
    return []


def _new(report: Comparison, there: Comparison, where: str) -> list[Finding]:
    """The errors that were not known at the given point."""
    known = {row.name for row in report.rows if not row.ok}
    known |= {f.subject for f in report.findings if f.level == "error"}
    return [
        replace(f, text=f"{where}: {f.text}", step=None)
        for f in there.ordered
        if f.level == "error" and f.subject not in known
    ]


def _moved(case: Case, rng: np.random.Generator) -> tuple[list[Any], dict[str, Any]]:
    """Inputs and parameters that have a gradient, moved a little.

    All else stays: rows of labels that sum to 1 are to do so.
    """
    given = {
        name for name, hand in zip(case.all_names, case.hands, strict=True) if hand is not None
    }
    arrays = [
        _jittered(a, rng) if name in given and i not in case.twin.labels else a
        for i, (name, a) in enumerate(zip(case.names, case.arrays, strict=True))
    ]
    values = {p: np.asarray(parameter_at(case.layer.hand, p)) for p in case.shared if p in given}
    return arrays, {p: _jittered(v, rng) for p, v in values.items() if v.dtype.kind == "f"}


def _jittered(array: Any, rng: np.random.Generator) -> Any:
    largest = float(np.abs(array).max(initial=0.0)) or 1.0
    size = np.where(array == 0, largest, np.abs(array))
    moved = array + _STEP * size * rng.uniform(-1, 1, array.shape)
    return moved.astype(array.dtype if array.dtype.kind == "f" else float)


def _cotangents(case: Case, rng: np.random.Generator) -> list[Any]:
    """Others than those of the given point, where the layer takes any."""
    if case.drawn == "1":
        return case.douts
    return [rng.standard_normal(d.shape).astype(d.dtype) if d.any() else d for d in case.douts]


def _differing(
    case: Case,
    report: Comparison,
    arrays: Sequence[Any],
    parameters: Mapping[str, Any],
    rng: np.random.Generator,
) -> Iterator[bool]:
    """Of each gradient that is right at the given point, whether it differs from the trace here."""
    douts = _cotangents(case, rng)
    twin = copy.copy(case.twin)
    twin.values = {**twin.values, **parameters}
    again = None if arrays is case.arrays else arrays  # the trace at the point is there already
    outputs, automatic = twin.run(lambda _: douts, again)
    layer = at_parameters(case.layer, parameters)
    runner = Runner(layer, case.runner.inputs, held_by(layer.hand), case.runner.gradients)
    shaped = lambda ys: [d.reshape(np.shape(y)) for d, y in zip(douts, ys, strict=True)]
    run = runner.run(arrays, shaped, case.shared)
    hands = [*run.inputs, *(run.parameters.get(path) for path in case.twin.paths)]
    right = {row.name for row in report.rows if row.ok}
    points = [*arrays, *twin.values.values()]
    for name, a, h, point in zip(case.all_names, automatic, hands, points, strict=True):
        if h is None or gradient_name(name) not in right:
            continue
        if np.shape(h) != np.shape(a) or h.dtype.kind not in "fiub":
            yield True
        elif np.isfinite(a).all():
            scale = natural_scale(outputs, douts, point)
            rounding = _ULPS * np.finfo(a.dtype).eps * scale if scale.shape == h.shape else 0.0
            tolerance = tolerance_of(a, h, *outputs)
            yield judge(a, h, None, Allowance(tolerance, rounding)).verdict != "right"
