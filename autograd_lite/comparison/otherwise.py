"""A derivative that is right where it is called with something else: the output for the input.

Knows: that `softmax_grad(s)` may be meant to take what the function gives, and how that is tested.
Does not know: other kinds of mistake, how layers are written beyond that.
Imports: its neighbours, adapters.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograd_lite.comparison.adapters.custom import Derivative
from autograd_lite.comparison.adapters.running import Runner
from autograd_lite.comparison.case import Case
from autograd_lite.comparison.diagnosis.evidence import fits
from autograd_lite.comparison.report import Finding, Row
from autograd_lite.errors import CompareError

__all__ = ["of_the_output"]


def of_the_output(case: Case, rows: Sequence[Row], told: Sequence[Finding]) -> list[Finding]:
    """A finding where nothing else is `told`, and the derivative fits once it gets the output."""
    layer, wrong = case.layer, [row for row in rows if not row.ok]
    if not isinstance(layer, Derivative) or len(case.names) != 1 or not wrong:
        return []
    if any(finding.level == "error" and finding.cause for finding in told):
        return []
    runner = Runner(layer.at_output(), case.runner.inputs, case.runner.parts)
    try:
        hand = runner.run(case.arrays, lambda _: case.douts, ()).inputs[0]
    except CompareError:
        return []
    if hand is None or not fits(hand, case.gradients[0]):
        return []
    function, derivative = (part.__name__ for part in layer.hand)
    text = (
        f"{derivative} takes the output of {function}, and is right there; here it was called "
        f"with the input: pass lambda x: {derivative}({function}(x))"
    )
    tested = "called with the output"
    return [Finding("error", wrong[0].name, text, "local derivative", tested=tested)]
