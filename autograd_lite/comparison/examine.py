"""`compare`: a hand-written layer, its automatic twin and the numbers, held against each other.

Knows: the order of work: convention, twin, one examination, reasons, report.
Does not know: how layers are written (`adapters`), how one examination goes (`case`), the rules of
judgement (`verdict`), the look of the report (`report`).
Imports: its neighbours, errors, NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters import convention_of
from autograd_lite.comparison.adapters.base import Layer, place_of
from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.comparison.adapters.parts import RealParts, in_real_parts
from autograd_lite.comparison.adapters.running import (
    Runner,
    changed,
    parameter_at,
    replayed,
    undisturbed,
)
from autograd_lite.comparison.adapters.surroundings import copied
from autograd_lite.comparison.automatic import Twin
from autograd_lite.comparison.beside import beside_the_point
from autograd_lite.comparison.case import Case
from autograd_lite.comparison.conjugates import conjugates
from autograd_lite.comparison.findings import findings_of
from autograd_lite.comparison.fuzz import fuzzed
from autograd_lite.comparison.held import held_by
from autograd_lite.comparison.numbers import generator
from autograd_lite.comparison.otherwise import of_the_output
from autograd_lite.comparison.own_numbers import of_own_numbers
from autograd_lite.comparison.precision import in_float64
from autograd_lite.comparison.reasons import reasons
from autograd_lite.comparison.report import Comparison, Finding
from autograd_lite.comparison.traced import TracedTwin, UntracedTwin
from autograd_lite.comparison.variations import kinds_of
from autograd_lite.errors import CompareError
from autograd_lite.progress import progress as showing
from autograd_lite.progress import step

__all__ = ["compare"]

_SHOWN = 8  # names that an error lists


def compare(
    hand: Any,
    *inputs: Any,
    against: Any = None,
    cotangent: Any = None,
    seed: int = 0,
    numeric: bool = True,
    title: str | None = None,
    gradients: Mapping[str, str | int] | None = None,
    fuzz: bool | str | Iterable[str] = False,
    progress: bool | None = None,
) -> Comparison:
    """Hold a hand-written layer against the automatic gradient and against numbers.

    `hand` is written in any of the conventions that `autograd_lite.comparison.adapters` knows: an
    object with `forward(x, …)` and `backward(dout)`, a pair `(f_forward, f_backward)` with a
    cache, a function that returns `(loss, gradient)`, a network with `loss` and `gradient`, three
    functions `(forward, cost, backward)`, and so on. `inputs` are what the forward pass takes:
    arrays, numbers, lists and dictionaries of arrays; flags, strings, None and dictionaries of
    settings pass through. A complex array counts as two real ones, its parts: the gradient of z is
    dRe z − i·dIm z, as in JAX.

    Without `against` the forward pass itself is traced and differentiated. Otherwise `against` is
    called with tensors: a layer of `ag.nn` with the same parameters under the same names, or a
    function; further arguments of a function are taken from the hand-written layer by name
    (`against=ag.nn.affine`). `cotangent` has the shape of the output and is drawn with `seed` if
    left out; a loss whose backward pass needs none gets 1. `numeric=False` leaves the third
    referee out. `gradients` says where gradients lie that are not found by their names:
    `{"W": "my_dW"}` (an attribute's path), `{"W": 1}` (the second value that backward returns).
    `fuzz=True` asks for other inputs too, made of the given ones: batch sizes, shapes, dtypes,
    layouts in memory, extreme values, 4-D arrays; a word of `"batch"`, `"shape"`, `"dtype"`,
    `"layout"`, `"extreme"`, `"4-D"`, or several, for some of them. What the plain forward pass
    raises on is no failure.

    Work of more than a second shows how far it is, on standard error if that is a terminal;
    `progress=True` or `False` (or AUTOGRAD_LITE_PROGRESS=0 in the environment) decides it.

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
    kinds = kinds_of(fuzz)

    def once(inputs: Sequence[Any], **changes: Any) -> tuple[Comparison, Case]:
        options = {
            "hand": hand, "cotangent": cotangent, "seed": seed, "against": against, **changes
        }  # fmt: skip
        return _once(inputs=inputs, numeric=numeric, gradients=gradients, title=title, **options)

    with undisturbed(), showing("comparing", progress):
        report, case = once(inputs)
        whole = case.layer.joined if isinstance(case.layer, RealParts) else list
        # Elsewhere a layer is held against its own forward pass: a twin that was given stays here.
        own = functools.partial(once, against=None)
        traced = own(inputs)[1] if case.by_twin else case
        more = beside_the_point(
            traced,
            report,
            lambda xs, hand, s: own(whole(xs), hand=hand, seed=s, cotangent=None)[0],
            seed,
        )
        report = in_float64(
            case,
            report,
            lambda xs, hand, g: own(whole(xs), hand=hand, cotangent=g if len(g) > 1 else g[0]),
        )
        more += of_own_numbers(case, report)
        if kinds and isinstance(case.layer, RealParts):
            more.append(Finding("info", "fuzz", "other inputs are not made of complex numbers"))
        elif kinds:
            more += fuzzed(kinds, case, report, lambda xs: once(xs, cotangent=None)[0], seed)
    return replace(report, findings=(*report.findings, *more)) if more else report


def _once(
    hand: Any,
    inputs: Sequence[Any],
    against: Any,
    cotangent: Any,
    seed: int,
    numeric: bool,
    title: str | None,
    gradients: Mapping[str, str | int] | None,
) -> tuple[Comparison, Case]:
    """One comparison on one set of inputs."""
    layer, inputs = in_real_parts(convention_of(hand).layer(hand, inputs), inputs)
    given = Inputs(inputs, layer.names)
    if isinstance(layer, RealParts) and np.iscomplexobj(cotangent):
        cotangent = [np.real(cotangent), -np.imag(cotangent)]
    runner = Runner(layer, given, held_by(layer.hand), gradients)
    step(f"{layer.title}, traced")
    twin, reason = _twin_of(layer, given, runner, against)
    case = Case(runner, twin, generator(seed), cotangent, numeric, reason)
    if doubt := case.run():
        # Not the layer is wrong then, but what the trace says of it.
        twin = UntracedTwin(layer, given, runner)
        case = Case(runner, twin, generator(seed), cotangent, numeric, doubt)
        case.run()
    graph = twin.graph()
    step(f"{layer.title}, looked into")
    # Reasons are sought in graphs of real numbers alone.
    searched = None if isinstance(layer, RealParts) else graph
    rows, why = reasons(case.judged(), runner, case.shared, case.douts, case.at, searched)
    why = [*of_the_output(case, rows, why), *why]
    if conjugate := conjugates(case, rows):
        why = [*conjugate, *(f for f in why if f.level != "error")]
    how = "given" if cotangent is not None else case.drawn.format(seed)
    referee = "numbers as the third referee" if numeric else "no numbers asked"
    report = Comparison(
        title or f"{layer.title} against {_name_of(against, twin)}",
        tuple(rows),
        (*why, *findings_of(case, rows)),
        f"cotangent {how}; tolerance {case.tolerance:.0e} of each row's largest element; {referee}",
        graph=graph,
        cotangents=tuple(case.douts),
    )
    return report, case


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
        raise CompareError(
            f"the forward pass of {layer.title} raised {place_of(error)}",
            where=_called_with(given, runner),
            mend="pass inputs that the layer takes, in its order",
        ) from error
    if not first:
        with replayed(layer.hand):
            result, _ = layer.call(copied(layer.hand), given.plain(given.arrays))
        raise CompareError(
            f"the forward pass of {layer.title} gave {_what_it_is(result)}, and no array",
            mend="let it return its output: an array, a number, or a tuple or list of them",
        )
    if len(first) != len(again) or any(map(changed, first, again)):
        raise CompareError(
            f"the forward pass of {layer.title} gives other values when it is called again with "
            "the same inputs",
            where="np.random and random were seeded, generators that the layer holds were copied",
            mend="give the layer its own generator (self.rng = np.random.default_rng(0)), or pass "
            "what is random as an input",
        )


def _called_with(given: Inputs, runner: Runner) -> str:
    """The shapes of what a layer was called with, and of what it holds."""
    shapes = [f"{n} {a.shape}" for n, a in zip(given.names, given.arrays, strict=True)]
    others = [type(x).__name__ for x in given.given if not isinstance(x, np.ndarray)]
    held = [f"{p} {a.shape}" for p, a in runner.parts if p and isinstance(a, np.ndarray)]
    text = f"called with {', '.join([*shapes, *(others if not shapes else [])])}"
    return text + (f"; the layer holds {', '.join(held[:_SHOWN])}" if held else "")


def _what_it_is(result: Any) -> str:
    if isinstance(result, Mapping):
        return f"a {type(result).__name__} with {', '.join(map(repr, list(result)[:_SHOWN]))}"
    return "None" if result is None else f"a {type(result).__name__}"
