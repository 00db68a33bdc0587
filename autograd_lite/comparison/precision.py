"""Short floats: the same comparison in float64, and what of a difference is rounding.

Knows: how a layer and its inputs become float64, and how far a sum in short floats may be off.
Does not know: how one comparison goes.
Imports: its neighbours, NumPy.

A sum of n terms in floats of relative spacing ε is off by no more than about n·ε/2 of the sum of
their sizes (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.surroundings import copied
from autograd_lite.comparison.case import Case
from autograd_lite.comparison.held import held_by
from autograd_lite.comparison.report import Comparison, Finding, Row
from autograd_lite.errors import AutogradError

__all__ = ["in_float64"]

Once = Callable[[Sequence[Any], Any, Any], tuple[Comparison, Case]]


def in_float64(case: Case, report: Comparison, once: Once) -> Comparison:
    """The report with what float64 says of it, where short floats took part.

    `once(inputs, hand, cotangents)` compares the layer in float64. A row that is wrong by no more
    than rounding explains, and right in float64, is "approximately right".
    """
    short = [a for a in _held(case) if _is_short(a)]
    if not short:
        return report
    name = min((a.dtype for a in short), key=lambda dtype: dtype.itemsize).name
    memo = {id(a): a.astype(np.float64) for _, a in _parts(case) if _is_short(a)}
    hand = copied(case.layer.hand, memo)
    inputs = [a.astype(np.float64) if _is_short(a) else a for a in case.arrays]
    douts = [d.astype(np.float64) for d in case.douts]
    try:
        there, wide = once(case.runner.inputs.plain(inputs), hand, douts)
    except AutogradError as error:
        return _with(report, Finding("info", name, f"in float64 not to be compared: {error.what}"))
    if any(_is_short(y) for y in wide.by_hand.outputs):
        text = f"judged as {name}: given float64, the layer computes in short floats all the same"
        return _with(report, Finding("info", name, text))
    found: list[Finding] = []
    known = {row.name: row for row in there.rows}
    rows = [_judged(row, known.get(row.name), there, case, name, found) for row in report.rows]
    if report.ok and there.ok:
        most = max((row.max_rel for row in rows), default=0.0)
        text = "right in float64 too"
        if most:
            text += f"; the differences here, up to {most:.0e}, are rounding"
        found.append(Finding("info", name, text))
    settled = {new.name for new, old in zip(rows, report.rows, strict=True) if new.ok > old.ok}
    kept = [f for f in report.findings if f.level != "error" or f.subject not in settled]
    return _with(replace(report, rows=tuple(rows), findings=tuple(kept)), *found)


def _with(report: Comparison, *found: Finding) -> Comparison:
    return replace(report, findings=(*report.findings, *found))


def _parts(case: Case) -> list[tuple[str, Any]]:
    return [(path, a) for path, a in held_by(case.layer.hand) if isinstance(a, np.ndarray)]


def _held(case: Case) -> list[Any]:
    """The arrays that take part: inputs, and all that the layer holds."""
    return [*case.arrays, *(a for _, a in _parts(case))]


def _is_short(array: Any) -> bool:
    return bool(array.dtype.kind == "f" and array.dtype.itemsize < 8)


def _judged(
    row: Row, wide: Row | None, there: Comparison, case: Case, name: str, found: list[Finding]
) -> Row:
    """A row, with what float64 says of it."""
    if wide is None or row.kind == "output" or row.hand is None or row.verdict == "missing":
        return row
    if not wide.ok:
        errors = [f for f in there.ordered if f.subject == row.name and f.level == "error"]
        text, cause = "wrong in float64 as well", next((f.cause for f in errors if f.cause), "")
        if row.ok:
            text += f": {'; '.join(f.text for f in errors)}"
        found.append(Finding("error" if row.ok else "info", row.name, text, cause))
        return row
    if row.ok or row.verdict != "wrong":
        return row
    off = row.max_rel
    terms = _terms(case, row)
    expected = terms * float(np.finfo(name).eps) / 2
    what = f"right in float64: the difference is {name} rounding of a sum over {terms:,} terms"
    if off <= expected:
        text = f"{what}: {off:.0e} of the largest element, expected ≤ {expected:.0e}"
        found.append(Finding("info", row.name, text, name))
        return replace(row, verdict="approximately right", outlier=None, note="")
    text = (
        f"right in float64, but {off:.0e} of the largest element off in {name}, where the rounding "
        f"of a sum over {terms:,} terms explains {expected:.0e}: something cancels, overflows or "
        "underflows"
    )
    found.append(Finding("error", row.name, text, name))
    return row


def _terms(case: Case, row: Row) -> int:
    """How many terms an element of a gradient is a sum of, at most, as the outputs' shapes tell."""
    size = max(int(np.prod(row.shape, dtype=int)), 1)
    counts = [max(y.size // size, len(y) if y.ndim else 1) for y in case.by_hand.outputs]
    return int(max(counts, default=1))
