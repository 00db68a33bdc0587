"""What recording costs over the bare NumPy call, operator by operator."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.rules import OPS
from tests.benchmarks._contenders import microseconds
from tests.laws import Case, samples


def cost(case: Case) -> tuple[float, float]:
    """Microseconds of NumPy's computation and of the recorded one."""
    arrays = case.arrays(case.rng())
    operands = list(arrays)
    for i in case.floating():
        operands[i] = ag.tensor(arrays[i])
    with np.errstate(all="ignore"):
        bare = microseconds(lambda: case.op.forward(*arrays, **case.params), 0.05)
        return bare, microseconds(lambda: case.record(*operands), 0.05)


def report() -> str:
    """The operators of the largest overhead, and the median of all."""
    rows: list[tuple[float, Any, float, float]] = []
    for op in OPS.values():
        known = samples(op) if op.differentiable and op.probe is None else []
        if known:
            bare, recorded = cost(known[0])
            rows.append((recorded - bare, known[0], bare, recorded))
    rows.sort(key=lambda row: -row[0])
    lines = [f"  {'operator':58}{'NumPy, µs':>10}{'recorded':>10}{'more':>8}"]
    for over, case, bare, recorded in [*rows[:12], *rows[-3:]]:
        lines.append(f"  {str(case)[:57]:58}{bare:10.2f}{recorded:10.2f}{over:8.2f}")
    middle = statistics.median(row[0] for row in rows)
    return "\n".join([*lines, f"  median of {len(rows)} operators: {middle:.2f} µs more"])
