"""`compare`: a hand-written layer, its automatic twin and the numbers, held against each other.

Knows: the order of work (forward first, then each gradient), cotangents, what is a finding.
Does not know: how layers are written (`adapters`), the rules of judgement (`verdict`), the look of
the report (`report`).
Imports: its neighbours, tensors, errors, NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters import convention_of
from autograd_lite.comparison.adapters.base import HandRun, Layer, place_of
from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.comparison.adapters.matching import is_expected
from autograd_lite.comparison.adapters.running import Runner, changed, parameter_at
from autograd_lite.comparison.automatic import Twin, parts_of
from autograd_lite.comparison.numbers import EXAMINED, numbers_of
from autograd_lite.comparison.reasons import reasons
from autograd_lite.comparison.report import Comparison, Finding, Row, gradient_name
from autograd_lite.comparison.rounding import natural_scale, rounding_of
from autograd_lite.comparison.ties import judged_together
from autograd_lite.comparison.traced import TracedTwin, UntracedTwin
from autograd_lite.comparison.verdict import Allowance, Numbers, judge, judge_claim, tolerance_of
from autograd_lite.errors import CompareError, GradientError
from autograd_lite.tensors import Tensor

__all__ = ["compare"]

_SECOND = 2.5  # what flows into a loss the second time, to see that backward takes notice


def compare(
    hand: Any,
    *inputs: Any,
    against: Any = None,
    cotangent: Any = None,
    seed: int = 0,
    numeric: bool = True,
    title: str | None = None,
    gradients: Mapping[str, str | int] | None = None,
) -> Comparison:
    """Hold a hand-written layer against the automatic gradient and against numbers.

    `hand` is written in any of the conventions that `autograd_lite.comparison.adapters` knows: an
    object with `forward(x, …)` and `backward(dout)`, a pair `(f_forward, f_backward)` with a
    cache, a function that returns `(loss, gradient)`, a network with `loss` and `gradient`, and
    so on. `inputs` are what the forward pass takes: arrays, numbers, lists and dictionaries of
    arrays; flags, strings, None and dictionaries of settings pass through.

    Without `against` the forward pass itself is traced and differentiated. Otherwise `against` is
    called with tensors: a layer of `ag.nn` with the same parameters under the same names, or a
    function; further arguments of a function are taken from the hand-written layer by name
    (`against=ag.nn.affine`). `cotangent` has the shape of the output and is drawn with `seed` if
    left out; a loss whose backward pass needs none gets 1. `numeric=False` leaves the third
    referee out. `gradients` says where gradients lie that are not found by their names:
    `{"W": "my_dW"}` (an attribute's path), `{"W": 1}` (the second value that backward returns).

    Nothing that is passed is changed: all work is done on copies. Raises `CompareError` if the
    comparison cannot be made; what is wrong with the layer stands in the report.

    >>> import autograd_lite as ag
    >>> W, b = np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8, 9])
    >>> ag.compare(ag.handwritten.Affine(W, b), np.array([[1, 1]])).verdict
    'right: 4 of 4 hold'
    >>> def square_forward(x):
    ...     return x * x, x
    >>> def square_backward(dout, cache):
    ...     return 3 * cache * dout
    >>> ag.compare((square_forward, square_backward), np.array([1.0, 2.0])).verdict
    'wrong: 1 of 2 hold; look at dx'
    """
    if not inputs:
        raise CompareError("no inputs", mend="pass what forward takes: ag.compare(layer, x, …)")
    layer = convention_of(hand).layer(hand, inputs)
    given = Inputs(inputs, layer.names)
    runner = Runner(layer, given, list(parts_of(layer.hand)), gradients)
    twin, reason = _twin_of(layer, given, runner, against)
    case = _Case(runner, twin, np.random.default_rng(seed), cotangent, numeric, reason)
    if doubt := case.run():
        # Not the layer is wrong then, but what the trace says of it.
        twin = UntracedTwin(layer, given, runner)
        case = _Case(runner, twin, np.random.default_rng(seed), cotangent, numeric, doubt)
        case.run()
    graph = twin.graph(given.names)
    rows, why = reasons(case.judged(), runner, case.shared, case.douts, case.at, graph)
    how = "given" if cotangent is not None else case.drawn.format(seed)
    referee = "numbers as the third referee" if numeric else "no numbers asked"
    return Comparison(
        title or f"{layer.title} against {_name_of(against, twin)}",
        tuple(rows),
        (*why, *case.findings(rows)),
        f"cotangent {how}; tolerance {case.tolerance:.0e} of each row's largest element; {referee}",
        graph=graph,
        cotangents=tuple(case.douts),
    )


def _name_of(against: Any, twin: Twin) -> str:
    if against is None:
        return "numbers alone" if isinstance(twin, UntracedTwin) else "its own forward, traced"
    name = getattr(against, "__name__", None) or type(against).__name__
    return str(name).replace("<lambda>", "a function")


def _twin_of(layer: Layer, given: Inputs, runner: Runner, against: Any) -> tuple[Twin, str]:
    """What the layer is held against, and why that is not its trace if it is not."""
    if against is not None:
        return Twin(against, given, lambda name: parameter_at(layer.hand, name)), ""
    _check_forward(layer, given, runner)
    if not layer.traceable:
        return UntracedTwin(layer, given, runner), "its body is not NumPy's"
    try:
        return TracedTwin(layer, given), ""
    except CompareError as error:
        return UntracedTwin(layer, given, runner), error.what


def _check_forward(layer: Layer, given: Inputs, runner: Runner) -> None:
    """The plain forward pass runs, gives numbers, and gives the same ones again."""
    try:
        first, again = runner.forward(given.arrays, {}), runner.forward(given.arrays, {})
    except CompareError:
        raise
    except Exception as error:
        shapes = ", ".join(f"{n} {a.shape}" for n, a in zip(given.names, given.arrays, strict=True))
        raise CompareError(
            f"the forward pass of {layer.title} raised {place_of(error)}",
            where=f"called with {shapes}",
            mend="pass inputs that the layer takes",
        ) from error
    if not first:
        raise CompareError(
            f"the forward pass of {layer.title} gave no array and no number",
            mend="let it return its output",
        )
    if len(first) != len(again) or any(map(changed, first, again)):
        raise CompareError(
            f"the forward pass of {layer.title} gives other values when it is called again with "
            "the same inputs",
            where="np.random and random were seeded, generators that the layer holds were copied",
            mend="give the layer its own generator (self.rng = np.random.default_rng(0)), or pass "
            "what is random as an input",
        )


@dataclass(eq=False)
class _Case:
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
        hands = self._hand_gradients(self.by_hand)
        floats = [*self.outputs, *self.by_hand.outputs, *self.gradients, *hands]
        self.tolerance = tolerance_of(*(g for g in floats if g is not None))
        self._estimate_rounding(hands)
        self.upstream = self._upstream_ignored()
        if self.numeric:
            self._ask_numbers()
        return self._doubt() if isinstance(self.twin, TracedTwin) else ""

    def _check_names(self) -> None:
        known = [*self.names, *self.twin.paths]
        unknown = [name for name in self.runner.gradients if name not in known]
        if unknown:
            raise CompareError(
                f"gradients= names {', '.join(unknown)}, which is neither an input nor a parameter",
                where=f"known: {', '.join(known)}",
                mend="use one of these names",
            )

    def _estimate_rounding(self, hands: Sequence[Any]) -> None:
        points = [*self.arrays, *self.twin.values.values()]
        outputs = self.outputs or self.by_hand.outputs
        hands = [h if h is None or h.dtype.kind in "fiub" else None for h in hands]
        scales = [natural_scale(outputs, self.douts, point) for point in points]
        self.rounding = rounding_of(hands, self.at, self.arrays, self.douts, scales)
        if isinstance(self.twin, UntracedTwin):
            return
        inputs = [
            a if a.dtype.kind == "f" or i in self.twin.labels else a.astype(float)
            for i, a in enumerate(self.arrays)
        ]
        automatic = rounding_of(self.gradients, self._automatic_at, inputs, self.douts, scales)
        self.rounding = [
            a + h if np.shape(a) == np.shape(h) else a
            for a, h in zip(automatic, self.rounding, strict=True)
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
        first = self._hand_gradients(self.by_hand)
        second = self.at(self.arrays, douts)
        pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None]
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
        count = len(self.arrays)
        hands = self._hand_gradients(self.by_hand)
        free = [
            i
            for i in range(count)
            if i not in self.twin.labels and (hands[i] is not None or i not in self.twin.optional)
        ]
        asked = free + [count + k for k, path in enumerate(self.twin.paths) if path in self.shared]
        points = [self.arrays[i] for i in free] + [
            np.asarray(parameter_at(self.layer.hand, path)) for path in self.shared
        ]
        look_at = [_furthest(self.gradients[k], hands[k]) for k in asked]

        def forward(*values: Any) -> Any:
            inputs = list(self.arrays)
            for i, value in zip(free, values):
                inputs[i] = value
            parameters = dict(zip(self.shared, values[len(free) :], strict=True))
            outputs = self.runner.forward(inputs, parameters)
            return outputs if len(outputs) > 1 else outputs[0]

        try:
            douts = self._for_hand(self.by_hand.outputs)
            found = numbers_of(forward, points, douts, self.rng, look_at=look_at)
        except Exception as error:  # noqa: BLE001  # user code, at points that it has not seen before
            self.trouble = f"none: {type(error).__name__}: {str(error).splitlines()[0]}"
            return
        for k, number in zip(asked, found, strict=True):
            self.numbers[k] = number
        labels = [gradient_name(name) for name in (*self.names, *self.twin.paths)]
        self.along = (forward, points, [labels[k] for k in asked], douts)

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
            rows.append(_row(name, "output", automatic, hand, None, 0.0))
        labels = [gradient_name(name) for name in (*self.names, *self.twin.paths)]
        kinds = ["input"] * len(self.names) + ["parameter"] * len(self.twin.paths)
        hands = self._hand_gradients(self.by_hand)
        parts = zip(labels, kinds, self.gradients, hands, self.numbers, self.rounding, strict=True)
        found, points = list(parts), [*self.arrays, *self.twin.values.values()]
        if isinstance(self.twin, UntracedTwin):
            return [
                _row_by_numbers(name, kind, np.shape(points[k]), *rest)
                for k, (name, kind, _, *rest) in enumerate(found)
                if self._is_asked(k, hands[k])
            ]
        return rows + [_row(*found[k]) for k in range(len(found)) if self._is_asked(k, hands[k])]

    def _is_asked(self, k: int, hand: Any) -> bool:
        """Whether a gradient has a row: it was found, or ought to have been."""
        if hand is not None:
            return True
        if k < len(self.arrays):
            return k not in self.twin.optional
        path = self.twin.paths[k - len(self.arrays)]
        return self._by_twin or is_expected(self.layer.hand, self.runner.aliases(path))

    def _matters(self, k: int) -> bool:
        """Whether an array without row is one that the output rests on, as far as is known."""
        if k >= len(self.arrays):
            return True
        return self.gradients[k] is not None and bool(np.any(self.gradients[k]))

    @property
    def _by_twin(self) -> bool:
        """Whether somebody said which parameters there are."""
        return not isinstance(self.twin, TracedTwin | UntracedTwin)

    def judged(self) -> list[Row]:
        """The rows, and where they are at a kink, held together along the kink."""
        return judged_together(self.rows(), *self.along) if self.along else self.rows()

    def findings(self, rows: Sequence[Row]) -> list[Finding]:
        """What is to be said beside the rows, and of each."""
        run = self.by_hand
        found = [Finding(t.level, t.subject, t.text, t.cause) for t in run.troubles]
        found += [f for row in rows for f in _of_row(row)]
        found += list(self._parameters())
        if self.outputs and len(run.outputs) != len(self.outputs):
            text = f"{len(run.outputs)} outputs by hand, {len(self.outputs)} automatic"
            found.append(Finding("error", "forward", text))
        found += self._not_compared()
        if self.untraced:
            text = f"the numbers alone are the judge: {self.untraced}"
            found.append(Finding("info" if self.numeric else "error", "forward", text))
        if self.upstream is not None:
            found.append(self.upstream)
        if self.trouble:
            level = "error" if self.untraced else "info"
            found.append(Finding(level, "numbers", self.trouble))
        large = [n for n in self.numbers if n is not None and n.along is not None]
        if large:
            text = (
                f"arrays of more than {EXAMINED:,} elements were examined at a sample of them, and "
                "along one random direction through all"
            )
            found.append(Finding("info", "numbers", text))
        return found

    def _not_compared(self) -> list[Finding]:
        """Gradients without a place to go, and parameters without gradient."""
        found = []
        if self.by_hand.unmatched:
            names = ", ".join(self.by_hand.unmatched)
            text = f"hand-written, but `against` has no parameter of that name: {names}"
            if not self._by_twin:
                text = (
                    f"hand-written, but of what is not clear: {names}; say it by gradients=, for "
                    f"example gradients={{{self._example()}}}"
                )
            found.append(Finding("warning", "not compared", text))
        rest = [
            name
            for k, name in enumerate((*self.names, *self.twin.paths))
            if not self._is_asked(k, self._hand_gradients(self.by_hand)[k]) and self._matters(k)
        ]
        if rest:
            text = (
                f"the output rests on {', '.join(rest)}, of which no gradient was found; if there "
                f'is one, say where: gradients={{"{rest[0]}": "…"}}'
            )
            found.append(Finding("info", "not compared", text))
        return found

    def _example(self) -> str:
        hands = zip(
            (*self.names, *self.twin.paths), self._hand_gradients(self.by_hand), strict=True
        )
        name = next((n for n, hand in hands if hand is None), "W")
        where = self.by_hand.unmatched[0]
        number = where.removeprefix("returned[").removesuffix("]")
        return f'"{name}": {number}' if number.isdecimal() else f'"{name}": "{where}"'

    def _parameters(self) -> list[Finding]:
        """Parameters that the two sides do not share."""
        found = []
        for path in self.twin.paths:
            automatic = self.twin.values[path]
            hand = parameter_at(self.layer.hand, path)
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
    if automatic is None or automatic.size <= EXAMINED:
        return []
    largest = int(np.argmax(np.nan_to_num(np.abs(automatic))))
    if hand is None or hand.shape != automatic.shape:
        return [largest]
    gap = np.nan_to_num(np.abs(automatic - hand), nan=np.inf).ravel()
    return [largest, *(int(i) for i in np.argsort(gap)[-8:])]


def _row(
    name: str, kind: str, automatic: Any, hand: Any, numbers: Numbers | None, rounding: Any
) -> Row:
    """A gradient that the automatic one judges, numbers being the referee."""
    shape = tuple(np.shape(automatic))
    facts = {"automatic": automatic, **_facts(hand, numbers)}
    unfit = _unfit(name, kind, shape, hand, "automatic", facts)
    if unfit is not None:
        return unfit
    if hand.dtype.kind not in "fiub":
        note = f"dtype {hand.dtype} by hand is no real number"
        return Row(name, kind, shape, "wrong", note=note, outlier="hand-written", **facts)
    if numbers is not None and numbers.gradient.value.shape != shape:
        numbers = None
    tolerance = tolerance_of(automatic, hand)
    found = judge(automatic, hand, numbers, Allowance(tolerance, rounding))
    return Row(name, kind, shape, tolerance=tolerance, **vars(found), **facts)


def _row_by_numbers(
    name: str,
    kind: str,
    shape: tuple[int, ...],
    hand: Any,
    numbers: Numbers | None,
    rounding: Any,
) -> Row:
    """A gradient that numbers alone judge."""
    facts = _facts(hand, numbers)
    unfit = _unfit(name, kind, shape, hand, "expected", facts)
    if unfit is not None:
        return unfit
    if hand.dtype.kind not in "fiub" or numbers is None:
        what = (
            "there are no numbers" if numbers is None else f"dtype {hand.dtype} is no real number"
        )
        verdict = "undecided" if numbers is None else "wrong"
        return Row(name, kind, shape, verdict, note=what, outlier="hand-written", **facts)
    tolerance = tolerance_of(hand)
    found = judge_claim(hand, numbers, "hand-written", Allowance(tolerance, rounding))
    return Row(name, kind, shape, tolerance=tolerance, **vars(found), **facts)


def _facts(hand: Any, numbers: Numbers | None) -> dict[str, Any]:
    """What a row keeps of the parties beside the automatic one."""
    if numbers is None:
        return {"hand": hand}
    number = numbers.gradient
    return {"hand": hand, "numeric": number.value, "numeric_error": number.error}


def _unfit(
    name: str, kind: str, shape: tuple[int, ...], hand: Any, source: str, facts: dict[str, Any]
) -> Row | None:
    """The row of a hand-written gradient that is not there, or of another shape."""
    if hand is None:
        return Row(name, kind, shape, "missing", **facts)
    if np.shape(hand) != shape:
        note = f"shape {np.shape(hand)} by hand, {shape} {source}"
        return Row(name, kind, shape, "wrong shape", note=note, **facts)
    return None


_SAYS = {
    "hand-written": "the hand-written one is wrong: the automatic one and the numbers agree",
    "automatic": "the automatic one stands alone: the hand-written one fits its own forward",
    "all three differ": "automatic, hand-written and numbers all differ",
    None: "the two differ, and no numbers tell which is wrong",
}


def _of_row(row: Row) -> list[Finding]:
    """A row's verdict in a sentence, where there is more to say than that it is right."""
    if row.verdict == "missing":
        return [
            Finding("error", row.name, "not found: the hand-written layer gave none", "missing")
        ]
    if row.verdict == "wrong":
        says = "the outputs differ" if row.kind == "output" else _SAYS[row.outlier]
        if row.automatic is None:
            says = "the hand-written one does not fit the numbers"
        return [Finding("error", row.name, f"{says} ({row.note})" if row.note else says)]
    if row.verdict in ("wrong shape", "disputed", "undecided"):
        return [Finding("error", row.name, row.note)]
    if row.verdict == "approximately right":
        text = (
            f"{row.max_rel:.0e} off, as an epsilon of the forward pass explains; on the familiar "
            "scale 1e-2 is wrong and 1e-7 is fine"
        )
        return [Finding("info", row.name, text)]
    if row.verdict == "legitimate choice":
        text = (
            f"the two differ at a kink, both between the one-sided derivatives ({row.note}): "
            "a legitimate choice"
        )
        return [Finding("info", row.name, text)]
    return [Finding("warning", row.name, row.note)] if row.note else []
