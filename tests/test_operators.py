"""Every operator of the registry against every law; nothing here names an operator."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.graph import Op
from autograd_lite.notation import formula
from autograd_lite.recording import apply
from autograd_lite.rules import FUNCTIONS, NUMPY, OPS
from autograd_lite.tensors import Tensor
from tests.laws import LAWS, LAWS_WITHOUT_VALUE, Case, arity, cases, counting_replays

DIFFERENTIABLE = [op for op in OPS.values() if op.differentiable]
CONSTANT = [op for op in OPS.values() if not op.differentiable]
CASES = {op.name: cases(op) for op in DIFFERENTIABLE}
USUAL = [case for found in CASES.values() for case in found.usual]
UNDEFINED = [case for found in CASES.values() for case in found.undefined]
POINTWISE = [op for op in DIFFERENTIABLE if op.kind == "pointwise"]

# What NumPy itself warns of: infinities at the border of a domain, spread of too few elements.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Mean of empty:RuntimeWarning"),
]


def hold(case: Case, the_laws: list[Callable[[Case], None]]) -> None:
    """All laws in one test, since there are many cases; every law that is broken is told."""
    broken = []
    for law in the_laws:
        try:
            law(case)
        except Exception as error:  # noqa: BLE001 - all are told, below
            error.add_note(f"{law.__name__}: {law.__doc__}")
            broken.append(error)
    if broken:
        raise ExceptionGroup(f"{case} breaks {len(broken)} laws", broken)


@pytest.mark.parametrize("case", USUAL, ids=str)
def test_the_laws(case: Case) -> None:
    hold(case, LAWS)


@pytest.mark.parametrize("case", UNDEFINED, ids=str)
def test_the_laws_without_value(case: Case) -> None:
    hold(case, LAWS_WITHOUT_VALUE)


def test_every_operator_is_tested() -> None:
    """The table of cases; only shapes that NumPy itself refuses or gives NaN for are left out."""
    print(f"\n{'operator':14}{'cases':>7}{'of NaN':>8}{'refused by NumPy':>18}")
    for name, found in CASES.items():
        counts = len(found.usual), len(found.undefined), len(found.refused)
        print(f"{name:14}{counts[0]:7}{counts[1]:8}{counts[2]:18}")
        assert counts[0] >= 2, f"{name} has no samples"
        declared = samples_of(OPS[name])
        assert not [case for case in found.refused if str(case) in declared], name
    left_out = sum(len(found.undefined) + len(found.refused) for found in CASES.values())
    assert left_out <= len(USUAL) / 2


def samples_of(op: Op) -> set[str]:
    return {str(Case(op, shapes, params)) for shapes, params in op.samples or ()}


# facts of the declaration


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_an_operator_can_be_shown(op: Op) -> None:
    names = [f"x{i}" for i in range(4)]
    assert op.symbol
    assert op.text.format(*names, args="x0")
    latex = formula(op, names)
    assert latex.count("{") == latex.count("}")
    assert any(f"x_{{{i}}}" in latex for i in range(4))
    assert op.doc or op.name.startswith("_") or FUNCTIONS[op.name].__doc__
    for i in range(arity(op) if op.differentiable else 0):
        assert op.local_rule(i, names[: max(2, arity(op))])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_tells_what_it_does(name: str) -> None:
    function = FUNCTIONS[name]
    assert (inspect.getdoc(function) or "").strip()
    assert function.__name__ in FUNCTIONS
    parameters = inspect.signature(function).parameters
    op = getattr(function, "op", None)
    if op is not None and op.kind == "pointwise":
        assert len(parameters) == len(op.pulls)
        assert list(parameters) == list(op.array_names[: len(parameters)])


# operators without derivative


@pytest.mark.parametrize("op", CONSTANT, ids=lambda op: op.name)
def test_results_without_derivative_are_constants(op: Op) -> None:
    function = FUNCTIONS.get(op.name)
    if function is None or getattr(function, "op", None) is not op:
        return  # a private helper of a rule, with parameters of its own
    x = operand(op.forward, arity(op))
    wanted = op.forward(*[x] * arity(op))
    for kind in (ag.constant, ag.tensor if x.dtype == float else ag.constant):
        with np.errstate(all="ignore"):
            result = function(*[kind(x)] * arity(op))
        np.testing.assert_array_equal(result.data, wanted, strict=True)
        assert not result.tracked
    if x.dtype != float or result.shape != x.shape:
        return

    def f(t: Any) -> Any:
        constant = function(*[t] * arity(op))
        return ag.sum(t * ag.where(ag.isfinite(constant), constant, 0.0))

    with np.errstate(all="ignore"):
        given = np.nan_to_num(np.asarray(result.data, float), posinf=0.0, neginf=0.0)
        np.testing.assert_array_equal(ag.grad(f)(x), given)
        assert ag.jvp(f, [x], [np.ones(3)])[1] == given.sum()


def operand(forward: Callable[..., Any], count: int) -> Any:
    """An array of the first kind of numbers that NumPy's function takes."""
    for kind in (float, int, bool):
        x = np.array([-1.5, 0.0, 2.5]).astype(kind)
        try:
            with np.errstate(all="ignore"):
                forward(*[x] * count)
        except TypeError:
            continue
        return x
    return np.array([1.5, 0.5, 2.5])


# pointwise operators at the edges of the floating numbers, whatever their domain


EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 5e-324, 1e-300, 1e300, -1e300, np.inf, -np.inf, np.nan]


def _pairs(op: Op, dtype: Any) -> list[tuple[Any, ...]]:
    with np.errstate(all="ignore"):
        values = [dtype(v) for v in EDGES]
    if arity(op) == 1:
        return [(v,) for v in values]
    return [(a, b) for a in values for b in values]


def called(op: Op) -> Callable[..., Any]:
    """The function that people call, or the bare operator where it serves rules alone."""
    return FUNCTIONS.get(op.name) or (lambda *xs: apply(op, xs))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("op", POINTWISE, ids=lambda op: op.name)
def test_edges(op: Op, dtype: Any) -> None:
    """Forward mode = reverse mode; scalars = arrays = 0-d arrays; no error, whatever comes in."""
    for values in _pairs(op, dtype):
        places = tuple(range(len(values)))
        with np.errstate(all="ignore"):
            reverse = ag.grad(called(op), places)(*values)
            arrays = [np.full(2, v) for v in values]
            of_arrays = ag.grad(lambda *xs: ag.sum(called(op)(*xs)), places)(*arrays)
            of_0d = ag.grad(called(op), places)(*map(np.asarray, values))
            for i in places:
                ts = [dtype(i == k) for k in places]
                if len(values) == 1:
                    _, forward = ag.jvp(called(op), values, ts)
                    np.testing.assert_equal(forward, reverse[i], err_msg=f"{values}")
                assert reverse[i].dtype == dtype
                np.testing.assert_allclose(of_arrays[i], reverse[i], rtol=1e-6, err_msg=f"{values}")
                np.testing.assert_equal(of_0d[i], reverse[i], err_msg=f"{values}")


@pytest.mark.parametrize("op", POINTWISE, ids=lambda op: op.name)
def test_a_number_is_as_good_as_an_array_of_it(op: Op) -> None:
    """Python numbers take paths of their own, in recording and in rules."""
    if arity(op) != 2:
        return
    low, high = op.domain
    function, x = called(op), np.linspace(low, high, 5) + 0.01
    for number in (low, 0.75, high, 2, 3):
        c = np.full(5, float(number))
        left = ag.grad(lambda t, n=number: ag.sum(function(t, n)))(x)
        np.testing.assert_allclose(left, ag.grad(lambda t, c=c: ag.sum(function(t, c)))(x))
        right = ag.grad(lambda t, n=number: ag.sum(function(n, t)))(x)
        np.testing.assert_allclose(right, ag.grad(lambda t, c=c: ag.sum(function(c, t)))(x))
        _, dot = ag.jvp(lambda t, n=number: function(n, t), [x], [np.ones(5)])
        np.testing.assert_allclose(dot, right)


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_what_is_kept_does_not_depend_on_what_came_first(op: Op) -> None:
    """An empty array first must not teach the operator that its rule reads nothing."""
    if not isinstance(op.keeps, list):
        return
    usual = [case for case in CASES[op.name].usual if len(case.floating()) == len(case.shapes)]
    empty = [case for case in usual if not all(map(np.size, case.arrays(case.rng())))]
    full = [case for case in usual if case not in empty]

    def learned(cases: list[Case], at_once: int) -> list[Any]:
        """Which values are kept after these; the first so many need no replay."""
        op.keeps[:] = [None if mask != 0 else 0 for mask in op.keeps]
        for k, case in enumerate(cases):
            y = case.record(*[ag.tensor(x) + 0.0 for x in case.arrays(case.rng())])
            with counting_replays() as calls:
                y.backward(np.ones(y.shape))
            assert k >= at_once or not calls, str(case)
        return list(op.keeps)

    known = learned(full, 1)
    after_empty = learned([*empty[:1], *full], len(empty[:1]) + 1)
    for new, old in zip(after_empty, known, strict=True):
        assert None in (new, old) or new == old


# NumPy's own functions


def _operand(function: Any) -> Any:
    """Of floats, else of integers, else of truth values, what the function takes."""
    if "logical" in function.__name__:
        return np.array([True, False])
    x = np.array([0.5, 1.5])
    try:
        function(*[x] * function.nin)
    except TypeError:
        return np.array([1, 2])
    return x


def _parts(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize(
    "function", [f for f in NUMPY if isinstance(f, np.ufunc)], ids=lambda f: f.__name__
)
def test_a_ufunc_called_on_tensors(function: Any) -> None:
    """Records on either side of an array, and refuses out=, where=, dtype= and its methods."""
    operands = [operand(function, function.nin)] * function.nin
    if function is np.ldexp:
        operands[1] = np.array([1, 2, 3])
    with np.errstate(all="ignore"):
        wanted = function(*operands)
    for place in range(function.nin):
        given: list[Any] = list(operands)
        given[place] = ag.constant(given[place])
        with np.errstate(all="ignore"):
            results = function(*given)
        assert isinstance(results, tuple) is isinstance(wanted, tuple)
        pairs = zip(results, wanted, strict=True) if function.nout > 1 else [(results, wanted)]
        for result, right in pairs:
            assert isinstance(result, Tensor)
            np.testing.assert_allclose(result.data, right, rtol=4e-16)
        refused: list[dict[str, Any]] = [{"out": (np.zeros(3),) * function.nout}, {"dtype": float}]
        if function.signature is None:
            refused.append({"where": np.array([True, False, True])})
        for keyword in refused:
            with pytest.raises(ag.errors.UnsupportedError, match="mend:"):
                function(*given, **keyword)
    methods = ("reduce", "accumulate", "outer", "at") if function.signature is None else ()
    for method in methods:
        further = operands[1:] if method in ("outer", "at") else []
        with pytest.raises((ag.errors.UnsupportedError, ValueError, TypeError)):
            getattr(function, method)(ag.constant(operands[0]), *further)
