"""`compare`: a hand-written layer, its automatic twin and the numbers, held against each other.

Knows: the order of work (forward first, then each gradient), cotangents, what is a finding.
Does not know: how layers are written (`adapters`), the rules of judgement (`verdict`), the look of
the report (`report`).
Imports: its neighbours, errors, NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters import Convention, HandRun, convention_of
from autograd_lite.comparison.automatic import Twin
from autograd_lite.comparison.numbers import EXAMINED, numbers_of
from autograd_lite.comparison.report import Comparison, Finding, Row, gradient_name
from autograd_lite.comparison.rounding import natural_scale, rounding_of
from autograd_lite.comparison.traced import TracedTwin
from autograd_lite.comparison.verdict import Allowance, Numbers, judge, tolerance_of
from autograd_lite.errors import CompareError, DTypeError
from autograd_lite.tensors import Tensor

__all__ = ["compare"]


def compare(
    hand: Any,
    *inputs: Any,
    against: Any = None,
    cotangent: Any = None,
    seed: int = 0,
    numeric: bool = True,
    title: str | None = None,
) -> Comparison:
    """Hold a hand-written layer against the automatic gradient and against numbers.

    `hand` has `forward(x, …)` and `backward(dout)` and leaves parameter gradients in `dW`, `db`
    and the like. `inputs` are what `forward` takes. `against` is called with tensors: a layer of
    `ag.nn` with the same parameters under the same names, or a function; further arguments of a
    function are taken from the hand-written layer by name (`against=ag.nn.affine`). `cotangent`
    has the shape of the output and is drawn with `seed` if left out. `numeric=False` leaves the
    third referee out.

    Nothing that is passed is changed: all work is done on copies. Raises `CompareError` if the
    comparison cannot be made; what is wrong with the layer stands in the report.

    >>> import autograd_lite as ag
    >>> W, b = np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8, 9])
    >>> report = ag.compare(
    ...     ag.handwritten.Affine(W, b), np.array([[1, 1]]), against=ag.nn.Affine(W, b)
    ... )
    >>> report.verdict
    'right: 4 of 4 hold'
    """
    convention = convention_of(hand)
    arrays = _inputs(inputs)
    twin: Twin
    if against is None:
        twin = TracedTwin(hand, lambda layer: layer.forward, arrays)
    else:
        twin = Twin(against, arrays, lambda name: convention.parameter(hand, name))
    case = _Case(hand, convention, twin, arrays, np.random.default_rng(seed), cotangent)
    case.run()
    if numeric:
        case.ask_numbers()
    how = f"seed {seed}" if cotangent is None else "given"
    referee = "numbers as the third referee" if numeric else "no numbers asked"
    return Comparison(
        title or f"{type(hand).__name__} against {_name_of(against)}",
        tuple(case.rows()),
        tuple(case.findings()),
        f"cotangent {how}; tolerance {case.tolerance:.0e} of each row's largest element; {referee}",
        graph=twin.graph(case.names),
        cotangents=tuple(case.douts),
    )


def _name_of(against: Any) -> str:
    if against is None:
        return "its own forward, traced"
    name = getattr(against, "__name__", None) or type(against).__name__
    return str(name).replace("<lambda>", "a function")


def _inputs(inputs: Sequence[Any]) -> list[Any]:
    if not inputs:
        raise CompareError("no inputs", mend="pass what forward takes: ag.compare(layer, x, …)")
    arrays = []
    for k, x in enumerate(inputs):
        array = x.numpy() if isinstance(x, Tensor) else np.array(x)
        if array.dtype.kind not in "fiub":
            raise DTypeError(
                f"input {k} has dtype {array.dtype}", mend="pass arrays of real numbers"
            )
        arrays.append(array)
    return arrays


@dataclass(eq=False)
class _Case:
    """One comparison on its way."""

    hand: Any
    convention: Convention
    twin: Twin
    arrays: list[Any]
    rng: np.random.Generator
    cotangent: Any

    def run(self) -> None:
        """Both sides, forward and backward."""
        self.names = self.convention.input_names(self.hand, len(self.arrays))
        self.outputs, self.gradients = self.twin.run(self._cotangents)
        values = {path: self.convention.parameter(self.hand, path) for path in self.twin.paths}
        self.shared = [path for path, value in values.items() if value is not None]
        self.by_hand: HandRun = self.convention.run(
            self.hand, self.arrays, self._for_hand, self.shared
        )
        self.numbers: list[Numbers | None] = [None] * len(self.gradients)
        self.trouble = ""
        hands = self._hand_gradients(self.by_hand)
        floats = [*self.outputs, *self.by_hand.outputs, *self.gradients]
        self.tolerance = tolerance_of(*floats, *(g for g in hands if g is not None))
        points = [*self.arrays, *self.twin.values.values()]
        scales = [natural_scale(self.outputs, self.douts, point) for point in points]
        inputs = [a if a.dtype.kind == "f" else a.astype(float) for a in self.arrays]
        automatic = rounding_of(self.gradients, self._automatic_at, inputs, self.douts, scales)
        by_hand = rounding_of(hands, self._by_hand_at, self.arrays, self.douts, scales)
        self.rounding = [
            a + h if a.shape == h.shape else a for a, h in zip(automatic, by_hand, strict=True)
        ]

    def _automatic_at(self, inputs: Sequence[Any], douts: Sequence[Any]) -> list[Any]:
        return self.twin.run(lambda _: douts, inputs)[1]

    def _by_hand_at(self, inputs: Sequence[Any], douts: Sequence[Any]) -> list[Any]:
        run = self.convention.run(
            self.hand, inputs, lambda outputs: self._shaped(outputs, douts), self.shared
        )
        return self._hand_gradients(run)

    def _cotangents(self, outputs: tuple[Any, ...]) -> list[Any]:
        """What flows into each output: given, or drawn."""
        if self.cotangent is None:
            self.douts = [self.rng.standard_normal(np.shape(y)) for y in outputs]
            self.douts = [
                d.astype(y.dtype) if y.dtype.kind == "f" else d
                for d, y in zip(self.douts, outputs, strict=True)
            ]
            return self.douts
        many = len(outputs) > 1
        parts = list(self.cotangent) if many else [self.cotangent]
        self.douts = [d.numpy() if isinstance(d, Tensor) else np.array(d) for d in parts]
        shapes, expected = [d.shape for d in self.douts], [np.shape(y) for y in outputs]
        if shapes != expected:
            shown, wanted = (", ".join(map(str, s)) for s in (shapes, expected))
            raise CompareError(
                f"the cotangent has shape {shown}, the output {wanted}",
                mend="give the cotangent the output's shape, or leave it out to have one drawn",
            )
        return self.douts

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

    def ask_numbers(self) -> None:
        """The third referee: derivatives of the hand-written forward by differences alone."""
        count = len(self.arrays)
        free = [i for i in range(count) if i not in self.twin.labels]
        asked = free + [count + k for k, path in enumerate(self.twin.paths) if path in self.shared]
        points = [self.arrays[i] for i in free] + [
            np.asarray(self.convention.parameter(self.hand, path)) for path in self.shared
        ]
        hands = self._hand_gradients(self.by_hand)
        look_at = [_furthest(self.gradients[k], hands[k]) for k in asked]

        def forward(*values: Any) -> Any:
            inputs = list(self.arrays)
            for i, value in zip(free, values):
                inputs[i] = value
            parameters = dict(zip(self.shared, values[len(free) :], strict=True))
            return self.convention.forward(self.hand, inputs, parameters)

        try:
            douts = self._for_hand(self.by_hand.outputs)
            found = numbers_of(forward, points, douts, self.rng, look_at=look_at)
        except Exception as error:  # noqa: BLE001  # user code, at points that it has not seen before
            self.trouble = f"none: {type(error).__name__}: {str(error).splitlines()[0]}"
            return
        for k, number in zip(asked, found, strict=True):
            self.numbers[k] = number

    def rows(self) -> list[Row]:
        """Forward outputs first, then the gradient of each input and parameter."""
        rows = []
        outputs = self.by_hand.outputs
        for i, automatic in enumerate(self.outputs):
            name = "forward" if len(self.outputs) == 1 else f"forward[{i}]"
            hand = outputs[i] if i < len(outputs) else None
            rows.append(_row(name, "output", automatic, hand, None, 0.0))
        labels = [gradient_name(name) for name in (*self.names, *self.twin.paths)]
        kinds = ["input"] * len(self.names) + ["parameter"] * len(self.twin.paths)
        hands = self._hand_gradients(self.by_hand)
        parts = zip(labels, kinds, self.gradients, hands, self.numbers, self.rounding, strict=True)
        asked = [
            k for k, hand in enumerate(hands) if hand is not None or k not in self.twin.optional
        ]
        found = list(parts)
        return rows + [_row(*found[k]) for k in asked]

    def findings(self) -> list[Finding]:
        """What is to be said beside the rows."""
        run = self.by_hand
        found = [Finding(t.level, t.subject, t.text) for t in run.troubles]
        found += [f for row in self.rows() for f in _of_row(row)]
        found += list(self._parameters())
        if len(run.outputs) != len(self.outputs):
            text = f"{len(run.outputs)} outputs by hand, {len(self.outputs)} automatic"
            found.append(Finding("error", "forward", text))
        if run.unmatched:
            names = ", ".join(run.unmatched)
            text = f"hand-written, but `against` has no parameter of that name: {names}"
            found.append(Finding("warning", "not compared", text))
        if self.trouble:
            found.append(Finding("info", "numbers", self.trouble))
        large = [n for n in self.numbers if n is not None and n.along is not None]
        if large:
            text = (
                f"arrays of more than {EXAMINED:,} elements were examined at a sample of them, and "
                "along one random direction through all"
            )
            found.append(Finding("info", "numbers", text))
        return found

    def _parameters(self) -> list[Finding]:
        """Parameters that the two sides do not share."""
        found = []
        for path in self.twin.paths:
            automatic = self.twin.values[path]
            hand = self.convention.parameter(self.hand, path)
            if hand is None:
                text = f"`against` has a parameter {path}, the hand-written layer has none"
                found.append(Finding("warning", path, text))
            elif np.shape(hand) != automatic.shape:
                text = f"shape {np.shape(hand)} by hand, {automatic.shape} in `against`"
                found.append(Finding("error", path, text))
            elif judge(automatic, hand, None, Allowance(self.tolerance)).verdict != "right":
                text = "the two layers hold different values of it, so nothing else can agree"
                found.append(Finding("error", path, text))
        return found


def _furthest(automatic: Any, hand: Any) -> list[int]:
    """The flat positions where two gradients are furthest apart, and that of the largest."""
    if automatic.size <= EXAMINED:
        return []
    largest = int(np.argmax(np.nan_to_num(np.abs(automatic))))
    if hand is None or hand.shape != automatic.shape:
        return [largest]
    gap = np.nan_to_num(np.abs(automatic - hand), nan=np.inf).ravel()
    return [largest, *(int(i) for i in np.argsort(gap)[-8:])]


def _row(
    name: str, kind: str, automatic: Any, hand: Any, numbers: Numbers | None, rounding: Any
) -> Row:
    shape = tuple(np.shape(automatic))
    facts: dict[str, Any] = {"automatic": automatic, "hand": hand}
    if numbers is not None:
        facts |= {"numeric": numbers.gradient.value, "numeric_error": numbers.gradient.error}
    if hand is None:
        return Row(name, kind, shape, "missing", **facts)
    if np.shape(hand) != shape:
        note = f"shape {np.shape(hand)} by hand, {shape} automatic"
        return Row(name, kind, shape, "wrong shape", note=note, **facts)
    if hand.dtype.kind not in "fiub":
        note = f"dtype {hand.dtype} by hand is no real number"
        return Row(name, kind, shape, "wrong", note=note, outlier="hand-written", **facts)
    if numbers is not None and numbers.gradient.value.shape != shape:
        numbers = None
    tolerance = tolerance_of(automatic, hand)
    found = judge(automatic, hand, numbers, Allowance(tolerance, rounding))
    return Row(name, kind, shape, tolerance=tolerance, **vars(found), **facts)


_SAYS = {
    "hand-written": "the hand-written one is wrong: the automatic one and the numbers agree",
    "automatic": "the automatic one stands alone: the hand-written one fits its own forward",
    "all three differ": "automatic, hand-written and numbers all differ",
    None: "the two differ, and no numbers tell which is wrong",
}


def _of_row(row: Row) -> list[Finding]:
    """A row's verdict in a sentence, where there is more to say than that it is right."""
    if row.verdict == "missing":
        return [Finding("error", row.name, "not found: the hand-written layer gave none")]
    if row.verdict == "wrong":
        says = "the outputs differ" if row.kind == "output" else _SAYS[row.outlier]
        return [Finding("error", row.name, f"{says} ({row.note})" if row.note else says)]
    if row.verdict in ("wrong shape", "disputed"):
        return [Finding("error", row.name, row.note)]
    if row.verdict == "legitimate choice":
        text = (
            f"the two differ at a kink, both between the one-sided derivatives ({row.note}): "
            "a legitimate choice"
        )
        return [Finding("info", row.name, text)]
    return [Finding("warning", row.name, row.note)] if row.note else []
