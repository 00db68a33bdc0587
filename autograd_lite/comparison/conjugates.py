"""A gradient that is the conjugate of the right one: not wrong, but of another convention.

Knows: how the two conventions of complex gradients differ, and how that is tested.
Does not know: other kinds of mistake, how layers are written.
Imports: its neighbours, NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_lite.comparison.adapters.parts import RealParts
from autograd_lite.comparison.case import Case
from autograd_lite.comparison.diagnosis.evidence import fits
from autograd_lite.comparison.report import Finding, Row, gradient_name

__all__ = ["conjugates"]


def conjugates(case: Case, rows: Sequence[Row]) -> list[Finding]:
    """One finding for each complex input whose gradient is the conjugate of the right one."""
    if not isinstance(case.layer, RealParts) or all(row.ok for row in rows):
        return []
    known = {row.name: row for row in rows}
    flipped = [
        -d if y_is_imaginary else d
        for d, y_is_imaginary in zip(case.douts, case.layer.imaginary_outputs, strict=True)
    ]
    hands = case.at(case.arrays, flipped)
    found = []
    for real, imaginary in case.layer.pairs:
        k, m = case.names.index(real), case.names.index(imaginary)
        right = (case.gradients[k], case.gradients[m])
        hand = (hands[k], hands[m])
        names = (gradient_name(real), gradient_name(imaginary))
        if any(g is None for g in (*right, *hand)) or all(known[n].ok for n in names):
            continue
        if fits(hand[0], right[0]) and fits(-np.asarray(hand[1]), right[1]):
            text = (
                "it is the conjugate of the gradient, which is the convention of PyTorch; here and "
                "in JAX the gradient is ∂f/∂x − i ∂f/∂y: conjugate what comes in and what goes out"
            )
            tested = "the imaginary parts with the other sign"
            found.append(Finding("error", ", ".join(names), text, "conjugate", tested=tested))
    return found
