"""One examination: a layer at one point, hand-written, automatic and by numbers.

Knows: the order of work (forward first, then each gradient), cotangents, which gradients are asked
for, when a trace is not to be believed.
Does not know: how layers are written (`adapters`), the rules of judgement (`verdict`), what is said
of it (`findings`).
Imports: its neighbours, tensors, errors, NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count as count_from
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import HandRun
from autograd_lite.comparison.adapters.matching import is_expected
from autograd_lite.comparison.adapters.running import Runner, parameter_at
from autograd_lite.comparison.automatic import Twin
from autograd_lite.comparison.numbers import EXAMINED, examined_too, numbers_of, planned, worth
from autograd_lite.comparison.report import Finding, Row, gradient_name
from autograd_lite.comparison.rounding import most_rounding, natural_scale, rounding_of
from autograd_lite.comparison.rows import row_by_numbers, row_of
from autograd_lite.comparison.ties import judged_together
from autograd_lite.comparison.traced import TracedTwin, UntracedTwin
from autograd_lite.comparison.verdict import Allowance, Numbers, judge, tolerance_of
from autograd_lite.errors import CompareError, GradientError
from autograd_lite.progress import step
from autograd_lite.tensors import Tensor

__all__ = ["Case"]

_LOOKED_AT = 4  # elements at which the numbers say first which of two gradients is wrong
_DEAR = 200  # a function that may be evaluated less often than this
_SECOND = 2.5  # what flows into a loss the second time, to see that backward takes notice


@dataclass(eq=False)
class Case:
    """One comparison on its way."""

    runner: Runner
    twin: Twin
    rng: np.random.Generator
    cotangent: Any
    numeric: bool
    untraced: str  # why the automatic side is missing

    def run(self) -> str:
        """All sides, forward and backward; why a trace is not to be believed, empty if it is."""
        self.layer, self.names = self.runner.layer, self.runner.inputs.names
        self.arrays = self.runner.inputs.arrays
        self._check_names()
        traced = not isinstance(self.twin, UntracedTwin)
        self.outputs: tuple[Any, ...] = ()
        self.gradients: list[Any] = [None] * (len(self.arrays) + len(self.twin.paths))
        if traced:
            try:
                self.outputs, self.gradients = self.twin.run(self._cotangents)
            except GradientError as error:
                if isinstance(self.twin, TracedTwin):
                    return error.what
                raise
        values = {path: parameter_at(self.layer.hand, path) for path in self.twin.paths}
        self.shared = [path for path, value in values.items() if value is not None]
        self.by_hand: HandRun = self.runner.run(
            self.arrays, self._for_hand if traced else self._cotangents, self.shared
        )
        self.numbers: list[Numbers | None] = [None] * len(self.gradients)
        self.trouble = ""
        self.along: Any = None  # the plain forward pass and where it was asked for numbers
        self.hands = self._hand_gradients(self.by_hand)
        floats = [*self.outputs, *self.by_hand.outputs, *self.gradients, *self.hands]
        self.tolerance = tolerance_of(*(g for g in floats if g is not None))
        self.upstream = self._upstream_ignored()
        if self.numeric:
            self._ask_numbers()
        return self._doubt() if isinstance(self.twin, TracedTwin) else ""

    def _check_names(self) -> None:
        known = self.all_names
        unknown = [name for name in self.runner.gradients if name not in known]
        if unknown:
            raise CompareError(
                f"gradients= names {', '.join(unknown)}, which is neither an input nor a parameter",
                where=f"known: {', '.join(known)}",
                mend="use one of these names",
            )

    @cached_property
    def scales(self) -> list[Any]:
        """The natural scale of each gradient, element by element."""
        points = [*self.arrays, *self.twin.values.values()]
        outputs = self.outputs or self.by_hand.outputs
        return [natural_scale(outputs, self.douts, point) for point in points]

    @cached_property
    def rounding(self) -> list[Any]:
        """How much of each gradient is rounding: five more passes of each side."""
        hands = [h if h is None or h.dtype.kind in "fiub" else None for h in self.hands]
        found = rounding_of(hands, self.at, self.arrays, self.douts, self.scales)
        if isinstance(self.twin, UntracedTwin):
            return found
        inputs = [
            a if a.dtype.kind == "f" or i in self.twin.labels else a.astype(float)
            for i, a in enumerate(self.arrays)
        ]
        automatic = rounding_of(self.gradients, self._automatic_at, inputs, self.douts, self.scales)
        return [
            a + h if np.shape(a) == np.shape(h) else a
            for a, h in zip(automatic, found, strict=True)
        ]

    def _automatic_at(self, inputs: Sequence[Any], douts: Sequence[Any]) -> list[Any]:
        return self.twin.run(lambda _: douts, inputs)[1]

    def at(self, inputs: Sequence[Any], douts: Sequence[Any]) -> list[Any]:
        """The hand-written gradients of the inputs and parameters, for other arrays."""
        if self.layer.upstream == "none":
            douts = self.douts
        run = self.runner.run(inputs, lambda outputs: self._shaped(outputs, douts), self.shared)
        return self._hand_gradients(run)

    def _cotangents(self, outputs: tuple[Any, ...]) -> list[Any]:
        """What flows into each output: given, or drawn, or 1 for a loss that asks for nothing."""
        self.drawn = "seed {}"
        if self.cotangent is not None:
            self.douts = self._given_cotangents(outputs)
            return self.douts
        loss = all(np.ndim(y) == 0 for y in outputs)
        if self.layer.upstream == "none" or (self.layer.upstream == "unit" and loss):
            self.drawn = "1"
            self.douts = [np.ones(np.shape(y)) for y in outputs]
        else:
            self.douts = [self.rng.standard_normal(np.shape(y)) for y in outputs]
        taken = self.layer.taken(len(outputs))
        self.douts = [d if i < taken else np.zeros_like(d) for i, d in enumerate(self.douts)]
        self.douts = [
            d.astype(y.dtype) if y.dtype.kind == "f" else d
            for d, y in zip(self.douts, outputs, strict=True)
        ]
        return self.douts

    def _given_cotangents(self, outputs: tuple[Any, ...]) -> list[Any]:
        parts = list(self.cotangent) if len(outputs) > 1 else [self.cotangent]
        douts = [d.numpy() if isinstance(d, Tensor) else np.array(d) for d in parts]
        shapes, expected = [d.shape for d in douts], [np.shape(y) for y in outputs]
        if shapes != expected:
            shown, wanted = (", ".join(map(str, s)) for s in (shapes, expected))
            raise CompareError(
                f"the cotangent has shape {shown}, the output {wanted}",
                mend="give the cotangent the output's shape, or leave it out to have one drawn",
            )
        if self.layer.upstream == "none" and any((d != 1).any() for d in douts):
            raise CompareError(
                "a cotangent other than 1 cannot be passed on: the backward pass of "
                f"{self.layer.title} takes none",
                mend="leave cotangent= out",
            )
        return douts

    def _for_hand(self, outputs: tuple[Any, ...]) -> list[Any]:
        """The same cotangents in the shapes of the hand-written outputs."""
        return self._shaped(outputs, self.douts)

    @staticmethod
    def _shaped(outputs: tuple[Any, ...], douts: Sequence[Any]) -> list[Any]:
        if [np.size(y) for y in outputs] != [d.size for d in douts]:
            raise CompareError("not run, since the forward outputs differ in size")
        return [d.reshape(np.shape(y)) for d, y in zip(douts, outputs, strict=True)]

    def _hand_gradients(self, run: HandRun) -> list[Any]:
        return [*run.inputs, *(run.parameters.get(path) for path in self.twin.paths)]

    def _upstream_ignored(self) -> Finding | None:
        """A loss whose backward pass has a default: does another gradient flow through?"""
        if self.layer.upstream != "unit" or self.drawn != "1":
            return None
        douts = [np.full(d.shape, _SECOND, d.dtype) for d in self.douts]
        second = self.at(self.arrays, douts)
        pairs = [(a, b) for a, b in zip(self.hands, second, strict=True) if a is not None]
        if all(b is not None and np.allclose(b, _SECOND * a, equal_nan=True) for a, b in pairs):
            return None
        if all(b is not None and np.allclose(b, a, equal_nan=True) for a, b in pairs):
            text = (
                f"backward gives the same for a dout of 1 and of {_SECOND}: it ignores what flows "
                "in, and is right as the last step alone"
            )
            return Finding("warning", "dout", text, "upstream ignored")
        text = (
            f"backward is not linear in dout: 1 and {_SECOND} do not give gradients in that ratio"
        )
        return Finding("error", "dout", text, "upstream ignored")

    def _ask_numbers(self) -> None:
        """The third referee: derivatives of the hand-written forward by differences alone."""
        count, evaluations = len(self.arrays), worth(self.twin.graph())
        free = [
            i
            for i in range(count)
            if i not in self.twin.labels
            and (self.hands[i] is not None or i not in self.twin.optional)
        ]
        asked = free + [count + k for k, path in enumerate(self.twin.paths) if path in self.shared]
        points = [self.arrays[i] for i in free] + [
            np.asarray(parameter_at(self.layer.hand, path)) for path in self.shared
        ]
        look_at = [_looked_at(self.gradients[k], self.hands[k], evaluations) for k in asked]

        due = planned([point.size for point in points], evaluations)
        done = count_from(1)

        def forward(*values: Any) -> Any:
            step(f"{self.layer.title} by numbers", next(done) / due)
            inputs = list(self.arrays)
            for i, value in zip(free, values):
                inputs[i] = value
            parameters = dict(zip(self.shared, values[len(free) :], strict=True))
            outputs = self.runner.forward(inputs, parameters)
            return outputs if len(outputs) > 1 else outputs[0]

        try:
            douts = self._for_hand(self.by_hand.outputs)
            traced = not isinstance(self.twin, UntracedTwin)
            claims = [self.gradients[k] for k in asked] if traced else []
            found = numbers_of(
                forward, points, douts, self.rng, look_at=look_at, claims=claims,
                evaluations=evaluations,
            )  # fmt: skip
            for i, k in enumerate(asked):
                more = self._more_at_kinks(k, found[i])
                if len(more):
                    found[i] = examined_too(forward, points, douts, i, more, found[i])
        except Exception as error:  # noqa: BLE001  # user code, at points that it has not seen before
            self.trouble = f"none: {type(error).__name__}: {str(error).splitlines()[0]}"
            return
        for k, number in zip(asked, found, strict=True):
            self.numbers[k] = number
        labels = [gradient_name(name) for name in self.all_names]
        self.along = (forward, points, [labels[k] for k in asked], douts)

    def _more_at_kinks(self, k: int, found: Numbers) -> Any:
        """Where else two gradients differ, if all that was examined of it is a choice at a kink."""
        automatic, hand = self.gradients[k], self.hands[k]
        apart = _apart(automatic, hand)
        seen = found.gradient.examined.ravel()[apart]
        if not apart.size or seen.all():
            return ()
        choice = found.permits(automatic) & found.permits(hand)
        return apart[~seen][:EXAMINED] if choice.ravel()[apart[seen]].all() else ()

    def _doubt(self) -> str:
        """Why the trace is not to be believed; empty if it is."""
        hand = self.by_hand.outputs
        same = len(hand) == len(self.outputs) and all(
            np.shape(a) == np.shape(b)
            and judge(a, b, None, Allowance(self.tolerance)).verdict == "right"
            for a, b in zip(self.outputs, hand, strict=True)
        )
        rows = [r for r in self.rows() if r.outlier in ("automatic", "all three differ")]
        if same and not rows:
            return ""
        assert isinstance(self.twin, TracedTwin)
        lost = self.twin.where_lost()
        what = (
            f"its gradient {rows[0].name} does not fit the numbers" if same else "its values differ"
        )
        return f"the trace is not believed, {what}" + (f"; it was lost by {lost}" if lost else "")

    def rows(self) -> list[Row]:
        """Forward outputs first, then the gradient of each input and parameter."""
        rows = []
        outputs = self.by_hand.outputs
        for i, automatic in enumerate(self.outputs):
            name = "forward" if len(self.outputs) == 1 else f"forward[{i}]"
            hand = outputs[i] if i < len(outputs) else None
            rows.append(row_of(name, "output", automatic, hand, None, 0.0))
        return rows + [self._row(k) for k in range(len(self.hands)) if self.is_asked(k)]

    def _row(self, k: int) -> Row:
        """The row of a gradient; how much of it is rounding is asked only where that decides."""
        hand = self.hands[k]
        fits = hand is not None and np.shape(hand) == np.shape(self.scales[k])
        most = 2 * most_rounding(hand, self.arrays, self.scales[k]) if fits else 0.0
        strict, lenient = self._judged(k, 0.0), self._judged(k, most)
        said = [(row.verdict, row.outlier, row.note) for row in (strict, lenient)]
        return strict if said[0] == said[1] else self._judged(k, self.rounding[k])

    def _judged(self, k: int, rounding: Any) -> Row:
        name = gradient_name(self.all_names[k])
        kind = "input" if k < len(self.names) else "parameter"
        hand, numbers = self.hands[k], self.numbers[k]
        if isinstance(self.twin, UntracedTwin):
            points = [*self.arrays, *self.twin.values.values()]
            return row_by_numbers(name, kind, np.shape(points[k]), hand, numbers, rounding)
        return row_of(name, kind, self.gradients[k], hand, numbers, rounding)

    def is_asked(self, k: int) -> bool:
        """Whether a gradient has a row: it was found, or ought to have been."""
        if self.hands[k] is not None:
            return True
        if k < len(self.arrays):
            return k not in self.twin.optional
        path = self.twin.paths[k - len(self.arrays)]
        return self.by_twin or (
            self.layer.learns and is_expected(self.layer.hand, self.runner.aliases(path))
        )

    def matters(self, k: int) -> bool:
        """Whether an array without row is one that the output rests on, as far as is known."""
        if k >= len(self.arrays):
            return True
        return self.gradients[k] is not None and bool(np.any(self.gradients[k]))

    @property
    def all_names(self) -> list[str]:
        """The names of the inputs, then the paths of the parameters."""
        return [*self.names, *self.twin.paths]

    @property
    def by_twin(self) -> bool:
        """Whether somebody said which parameters there are."""
        return not isinstance(self.twin, TracedTwin | UntracedTwin)

    def judged(self) -> list[Row]:
        """The rows, and where they are at a kink, held together along the kink."""
        return judged_together(self.rows(), *self.along) if self.along else self.rows()


def _looked_at(automatic: Any, hand: Any, evaluations: int) -> Any:
    """Where numbers are asked for first; of gradients that agree, the element that is shown."""
    apart = _apart(automatic, hand)[:_LOOKED_AT]
    if apart.size or evaluations < _DEAR or automatic is None or not automatic.size:
        return apart
    gap = np.abs(automatic - hand) if np.shape(hand) == automatic.shape else np.zeros(1)
    return np.array([int(np.argmax(np.nan_to_num(gap if gap.any() else np.abs(automatic))))])


def _apart(automatic: Any, hand: Any) -> Any:
    """The flat positions where two gradients differ by more than rounding, the furthest first."""
    none = np.zeros(0, np.intp)
    if automatic is None or hand is None or hand.shape != automatic.shape:
        return none
    if hand.dtype.kind not in "fiub":
        return none
    gap = np.nan_to_num(np.abs(automatic - hand), nan=np.inf).ravel()
    limit = tolerance_of(automatic, hand) * float(np.nan_to_num(np.abs(automatic)).max(initial=0.0))
    order = np.argsort(-gap, kind="stable")
    return order[gap[order] > limit]
