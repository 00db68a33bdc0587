"""A layer on other inputs than the given ones: what fails there, and the code that shows it.

Knows: which variation is a failure, and which the layer rightly refuses.
Does not know: how variations are made (`variations`), how one comparison goes.
Imports: its neighbours, errors, NumPy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import place_of
from autograd_lite.comparison.adapters.running import Runner
from autograd_lite.comparison.case import Case
from autograd_lite.comparison.report import Comparison, Finding
from autograd_lite.comparison.variations import LAYOUTS, Variation, spelled, variations
from autograd_lite.comparison.verdict import Allowance, judge, tolerance_of
from autograd_lite.errors import AutogradError

__all__ = ["fuzzed"]

Once = Callable[[Sequence[Any]], Comparison]


def fuzzed(
    kinds: Sequence[str], case: Case, report: Comparison, once: Once, seed: int
) -> list[Finding]:
    """What goes wrong on other inputs.

    `case` and `report` are those of the given inputs; `once(inputs)` compares the layer on others.
    """
    tried = _Tried(case, report, once)
    with np.errstate(all="ignore"):
        movable = [i for i in range(len(case.names)) if case.hands[i] is not None]
        for variation in variations(kinds, case.runner.inputs, tried.forward, movable, seed):
            tried.on(variation)
        if "layout" in kinds:
            for name, (layout, code) in LAYOUTS.items():
                tried.in_memory(name, layout, code)
    return [*tried.findings, tried.summary()]


class _Tried:
    """What was tried so far, and what came of it."""

    def __init__(self, case: Case, report: Comparison, once: Once) -> None:
        self._case, self._once, self._given = case, once, case.runner.inputs
        self._known = {(f.subject, f.cause) for f in report.findings if f.level == "error"}
        self._held = 0
        self._refused: list[tuple[str, str]] = []
        self.findings: list[Finding] = []

    def forward(self, arrays: Sequence[Any]) -> Any:
        """The outputs of the plain forward pass, None where it refuses."""
        try:
            return self._case.runner.forward(arrays, {})
        except Exception:  # noqa: BLE001  # whatever the user's code raises: it does not take these
            return None

    def on(self, variation: Variation) -> None:
        """Compare the layer on other inputs."""
        try:
            outputs = self._case.runner.forward(variation.arrays, {})
        except Exception as error:  # noqa: BLE001  # user code: it does not take these
            self._refused.append((variation.name, place_of(error)))
            return
        if not _finite(outputs) and _finite(self._case.by_hand.outputs):
            text = "the forward pass gives NaN or infinity, so that no gradient is to be judged"
            self._found("warning", variation.name, text, "overflow", variation.code)
            return
        try:
            report = self._once(self._given.plain(variation.arrays))
        except AutogradError as error:
            self._found("warning", variation.name, error.what, "", variation.code)
            return
        errors = [f for f in report.ordered if f.level == "error"]
        new = [f for f in errors if (f.subject, f.cause) not in self._known]
        if not new:
            self._held += not errors
            return
        # The reasons come first; a row that has one needs no second sentence.
        told = {f.subject for f in new if f.cause}
        said = [f for f in new if f.cause or f.subject not in told]
        text = "; ".join(f"{f.subject}: {f.text}" for f in said)
        level = "warning" if variation.lenient else "error"
        self._found(level, variation.name, text, said[0].cause, variation.code)

    def in_memory(self, name: str, layout: Callable[[Any], Any], code: str) -> None:
        """The same numbers, otherwise in memory: outputs and gradients must be the same."""
        case = self._case
        given = copy.copy(self._given)
        given.layout = layout
        if not any(array.ndim for array in given.arrays):
            return
        names = [n for n, a in zip(spelled(given), given.arrays, strict=True) if a.ndim]
        lines = "\n".join(code.format(n) for n in names)
        subject = f"inputs {name}" if name == "not contiguous" else f"{name} inputs"
        runner = Runner(case.layer, given, case.runner.parts, case.runner.gradients)
        try:
            outputs = runner.forward(case.arrays, {})
        except Exception as error:  # noqa: BLE001  # user code
            self._refused.append((subject, place_of(error)))
            return
        run = runner.run(case.arrays, lambda _: case.douts, case.shared)
        values = [*zip(case.by_hand.outputs, outputs, strict=True)]
        gradients = [*run.inputs, *(run.parameters.get(path) for path in case.twin.paths)]
        stops = [t.text for t in run.troubles if t.level == "error"]
        wrong = [
            n
            for n, a, b in zip(case.all_names, case.hands, gradients, strict=True)
            if not _same(a, b)
        ]
        if case.by_hand.troubles != run.troubles and stops:
            self._found("error", subject, "; ".join(stops), "exception", lines)
        elif not all(_same(a, b) for a, b in values):
            text = "the forward pass gives other values: it reads the order in memory"
            self._found("error", subject, text, "memory order", lines)
        elif wrong:
            text = f"the gradient of {', '.join(wrong)} is another: it reads the order in memory"
            self._found("error", subject, text, "memory order", lines)
        else:
            self._held += 1

    def summary(self) -> Finding:
        """How many variations hold, and which the layer does not take."""
        text = f"right on {self._held} other inputs"
        if self.findings:
            text += f", not on {len(self.findings)}"
        if self._refused:
            refused = "; ".join(f"{name} ({error})" for name, error in self._refused)
            text += f"; not taken by the forward pass, which is its right: {refused}"
        return Finding("info", "fuzz", text)

    def _found(self, level: str, name: str, text: str, cause: str, code: str) -> None:
        inputs = self._case.layer.names[: len(self._given.given)]
        call = f"report = ag.compare({', '.join(['layer', *inputs])})"
        self.findings.append(Finding(level, f"fuzz, {name}", text, cause, f"{code}\n{call}"))


def _finite(outputs: Sequence[Any]) -> bool:
    return all(np.isfinite(y).all() for y in outputs if np.asarray(y).dtype.kind in "fc")


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None:
        return a is b
    if np.shape(a) != np.shape(b) or a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        return np.array_equal(a, b)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.array_equal(a, b, equal_nan=True)
    return judge(a, b, None, Allowance(tolerance_of(a, b))).verdict == "right"
