"""A comparison as JSON takes it: the form that other programs read.

Knows: the fields that `docs/compare.schema.json` describes, and numbers that JSON has no word for.
Does not know: how the report came to be.
Imports: NumPy alone.

A field is added without a new number; `SCHEMA` changes where a reader of the old form would read
something wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["FORMAT", "SCHEMA", "as_dict"]

FORMAT = "autograd_lite.comparison"
SCHEMA = 1


def as_dict(comparison: Any) -> dict[str, Any]:
    """The report as plain lists, dictionaries, texts and finite numbers.

    NaN and infinities are the texts "nan", "inf" and "-inf".
    """
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "title": comparison.title,
        "settings": comparison.settings,
        "ok": comparison.ok,
        "verdict": comparison.verdict,
        "parties": list(comparison.parties),
        "rows": [_row(row) for row in comparison.rows],
        "findings": [_finding_dict(finding) for finding in comparison.ordered],
    }


def _row(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "shape": list(row.shape),
        "verdict": row.verdict,
        "ok": row.ok,
        "outlier": row.outlier,
        "note": row.note,
        "tolerance": row.tolerance,
        "max_abs": _numbers(row.max_abs),
        "max_rel": _numbers(row.max_rel),
        "worst": None if row.worst is None else list(row.worst),
        "automatic": _numbers(row.automatic),
        "hand": _numbers(row.hand),
        "numeric": _numbers(row.numeric),
        "numeric_error": _numbers(row.numeric_error),
    }


def _numbers(value: Any) -> Any:
    """An array as nested lists, a number as itself; texts in the place of what is not finite.

    >>> _numbers(np.array([[1.0, np.nan], [np.inf, 2.0]]))
    [[1.0, 'nan'], ['inf', 2.0]]
    """
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        array = array.astype(str)  # what a layer gave that is no real number
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        lost = ~np.isfinite(array)
        objects = array.astype(object)
        objects[lost] = [str(v) for v in array[lost]]
        return objects.tolist()
    return array.tolist()


def _finding_dict(finding: Any) -> dict[str, Any]:
    return {key: value for key, value in vars(finding).items() if key != "step"}
