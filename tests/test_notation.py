"""The NumPy code of every operator, run on its samples, and the literals in it."""

from __future__ import annotations

import ast
import zlib
from typing import Any

import numpy as np
import pytest
import scipy.special

import autograd_lite as ag
from autograd_lite.graph import Op
from autograd_lite.notation import code, literal, subscript
from autograd_lite.ops.indexing import Hole
from autograd_lite.rules import OPS
from tests.laws import Case, samples

CASES = [case for op in OPS.values() for case in samples(op)]
CONSTANT = [op for op in OPS.values() if op.kind == "constant" and not op.name.startswith("_")]
NAMES = {"np": np, "scipy": scipy}


def value_of(op: Op, arrays: Any, params: dict[str, Any]) -> Any:
    """What the code of an operator computes; its own name, or its plain form's, is its function."""
    operands = [f"x{i}" for i in range(len(arrays))]
    text = code(op, operands, params)
    given = dict(zip(operands, arrays, strict=True))
    function = op.plain or op.forward
    return eval(text, {**NAMES, op.name: function, function.__name__: function}, given)


def same(found: Any, wanted: Any) -> None:
    if isinstance(wanted, tuple):
        assert len(found) == len(wanted)
        for one, right in zip(found, wanted, strict=True):
            same(one, right)
        return
    assert np.shape(found) == np.shape(wanted)
    assert np.asarray(found).dtype == np.asarray(wanted).dtype
    kind = np.asarray(wanted).dtype
    few = 4 * np.finfo(kind).eps if kind.kind in "fc" else 0.0
    np.testing.assert_allclose(found, wanted, rtol=few, atol=few)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_code_computes_what_the_operator_computes(case: Case, dtype: Any) -> None:
    def call(*xs: Any) -> Any:
        wanted = case.op.forward(*xs, **case.params)
        same(value_of(case.op, xs, case.params), wanted)
        return wanted

    arrays = case.arrays(np.random.default_rng(zlib.crc32(str(case).encode())), dtype)
    call(*arrays) if case.op.probe is None else case.op.probe(call, *arrays)


@pytest.mark.parametrize("op", CONSTANT, ids=lambda op: op.name)
def test_code_of_an_operator_without_derivative(op: Op) -> None:
    for array in (np.array([1.5, -2.0, 0.5]), np.array([3, 1, 2]), np.array([True, False])):
        arrays = [array] * len(op.array_names)
        try:
            wanted = op.forward(*arrays)
        except TypeError:  # not of this kind of numbers
            continue
        same(value_of(op, arrays, {}), wanted)
        return
    pytest.fail("no kind of array that the operator takes")


PLAIN = [case for case in CASES if case.op.plain is not None]


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_the_plain_form_computes_what_the_operator_computes(case: Case) -> None:
    def call(*xs: Any) -> Any:
        wanted = case.op.forward(*xs, **case.params)
        found = case.op.plain(*xs, **case.params)  # type: ignore[misc]  # it has one
        assert np.asarray(found).dtype.kind == np.asarray(wanted).dtype.kind
        np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-15)
        return wanted

    arrays = case.arrays(np.random.default_rng(zlib.crc32(str(case).encode())), np.float64)
    call(*arrays) if case.op.probe is None else case.op.probe(call, *arrays)


def test_plain_forms_without_samples_find_the_first_maximum() -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]])
    first = OPS["_first_extremal"].plain
    assert first is not None
    found = first(x, np.max(x, axis=1), axis=(1,), keepdims=False)
    assert found.tolist() == [[False, True, False], [True, False, False]]
    assert first(x, x.max(), axis=None, keepdims=False).sum() == 1
    images = np.random.default_rng(0).integers(0, 3, (2, 1, 5, 5)).astype(float)
    params = {"kernel": (3, 2), "stride": (2, 1), "padding": ((1, 0), (0, 1)), "dilation": (1, 2)}
    y = OPS["max_pool"].forward(images, **params)
    op = OPS["_first_of_window"]
    assert op.plain is not None
    assert np.array_equal(op.plain(images, y, **params), op.forward(images, y, **params))


def test_most_operators_are_numpy() -> None:
    """What NumPy has nothing for is windows, scans and stable sums of exponentials."""
    shown = [case for case in CASES if case.op.doc or not case.op.name.startswith("_")]
    own = {case.op.name for case in shown if names_in(case) & {case.op.name}}
    print(f"\nNumPy has nothing like {', '.join(sorted(own))}")
    assert len(own) <= 25


def names_in(case: Case) -> set[str]:
    texts: list[str] = []

    def call(*xs: Any) -> Any:
        texts.append(code(case.op, ["x"] * len(xs), case.params))
        return case.op.forward(*xs, **case.params)

    arrays = case.arrays(np.random.default_rng(0))
    call(*arrays) if case.op.probe is None else case.op.probe(call, *arrays)
    return {node.id for node in ast.walk(ast.parse(texts[0])) if isinstance(node, ast.Name)}


def test_code_reads_well() -> None:
    assert code(OPS["subtract"], ["a", "b - c"]) == "a - (b - c)"
    assert code(OPS["power"], ["-x", "2"]) == "(-x) ** 2"
    assert code(OPS["matmul"], ["x", "W"]) == "x @ W"
    assert code(OPS["exp"], ["x + 1"]) == "np.exp(x + 1)"
    assert code(OPS["reshape"], ["x.T"], {"shape": (4, 3)}) == "x.T.reshape((4, 3))"
    assert code(OPS["concat"], ["a", "b"], {"axis": 0}) == "np.concatenate([a, b], axis=0)"
    assert code(OPS["max"], ["x"], {"axis": None, "keepdims": False}) == "np.max(x)"
    assert code(OPS["getitem"], ["x"], {"index": (slice(1, None), 0)}) == "x[1:, 0]"


def test_an_index_that_is_a_tensor_is_an_operand() -> None:
    index = (slice(None), Hole(0))
    assert code(OPS["getitem"], ["x", "rows"], {"index": index}) == "x[:, rows]"
    params = {"index": index, "shape": (2, 2)}
    assert code(OPS["scatter"], ["x", "rows"], params) == "scatter(x, np.s_[:, rows], (2, 2))"


@pytest.mark.parametrize(
    "value",
    [None, True, -3, 2.5, float("-inf"), 1 + 2j, "C", (), (1,), [1, (2.0, None)],
     slice(1, None, -2), np.float64(0.1), np.int8(3), np.array([[1, 2], [3, 4]]),
     np.array([1.5], np.float32), np.zeros((0, 3), bool), np.dtype(">f8"), np.dtype(bool),
     np.array([np.inf, np.nan])],
    ids=str,
)  # fmt: skip
def test_a_literal_is_its_value(value: Any) -> None:
    found = eval(literal(value), {"np": np})
    np.testing.assert_equal(found, value)
    if hasattr(value, "dtype") and isinstance(value, np.ndarray):
        assert found.dtype == value.dtype


def test_what_has_no_literal_raises() -> None:
    with pytest.raises(ag.errors.UnsupportedError, match="no code for"):
        literal(object())
    assert subscript(()) == "()"


def test_a_wrong_code_is_noticed() -> None:
    wrong = Op(
        "wrong", "linear", lambda x, *, axis: np.cumsum(x, axis), code="np.flip({0}, {axis})"
    )
    with pytest.raises(AssertionError):
        same(value_of(wrong, [np.arange(3.0)], {"axis": 0}), np.array([0.0, 1.0, 3.0]))
