"""Updates in machine code: NumPy's bits for whatever is written where, and no needless copies."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.graph import Graph, Leaf, Op
from autograd_lite.modes import using
from autograd_lite.recording import apply

pytest.importorskip("llvmlite", reason="the extra fast is not installed")
pytest.importorskip("scipy", reason="the extra fast is not installed")

from autograd_lite.compiler.native.program import NativeProgram

SHAPE = (4, 6)


def native(f: Any, *arrays: Any) -> NativeProgram:
    """NumPy code as one program, without NumPy between its parts."""
    leaves = [ag.Tensor(a, Leaf("input", a, None, None, 0)) for a in arrays]
    with using(tracing=True), np.errstate(all="ignore"):
        made = apply(Op("code", "general", f), tuple(leaves))
    outs = made if type(made) is tuple else (made,)
    program = NativeProgram(Graph([one.node for one in outs]), [leaf.node for leaf in leaves])
    assert not program.parts, program.parts
    return program


def same(f: Any, *arrays: Any) -> NativeProgram:
    """The program, whose results have NumPy's bits."""
    program = native(f, *arrays)
    with np.errstate(all="ignore"):
        wanted = f(*arrays)
    for found, one in zip(program(*arrays), wanted if type(wanted) is tuple else (wanted,),
                          strict=True):  # fmt: skip
        np.testing.assert_array_equal(found, one)
        zero = np.asarray(one) == 0
        np.testing.assert_array_equal(np.signbit(found)[zero], np.signbit(one)[zero])
    return program


def place(rng: np.random.Generator) -> Any:
    """An index of a matrix: blocks, steps, rows backwards, positions, some of them twice."""
    row, column = (slice(*sorted(rng.integers(-1, n + 2, 2))) for n in SHAPE)
    choices: list[Any] = [
        (row, column), (slice(None), column), row, (..., slice(None, None, 2)),
        slice(None, None, -1), int(rng.integers(-4, 4)), (int(rng.integers(4)), column),
        (..., int(rng.integers(-6, 6))), rng.integers(-4, 4, 3),
        (rng.integers(0, 4, 5), rng.integers(-6, 6, 5)), (np.array([3, 2, 1]), column),
        (np.arange(4)[:, None], rng.integers(0, 6, (4, 1))),
        (np.array([0, 0, 1]), np.array([2, 2, 5])),
    ]  # fmt: skip
    return choices[rng.integers(len(choices))]


def step(rng: np.random.Generator, pool: list[Any]) -> None:
    """One more line of code: some write into what is there, some make a new array."""
    k, other = rng.integers(0, len(pool), 2)
    kind, where, x = rng.integers(10), place(rng), pool[k]
    if kind == 0:
        pool.append(np.zeros(SHAPE))
    elif kind == 1:
        pool.append(np.array(x))
    elif kind == 2:
        pool.append(x * 2.0 - pool[other])
    elif kind == 3:
        pool.append(x + pool[other])
    elif kind == 4:
        cut = int(rng.integers(0, 7))
        pool.append(np.concatenate([pool[other][:, cut:], x[:, :cut]], axis=1))
    elif kind == 5:
        np.add.at(x, where, 0.5)
    elif kind == 6:
        x[where] = np.sum(np.abs(pool[other][where]) > 1) * 0.25
    elif kind == 7:
        x[where] += pool[other][where] * 3.0
    elif kind == 8:
        x[where] = -pool[other][where]
    else:
        whole = np.zeros(SHAPE)
        whole[where] += x[where]
        pool.append(whole)


@pytest.mark.parametrize("seed", range(24))
def test_random_code_that_writes_has_numpys_bits(seed: int) -> None:
    def code(a: Any, b: Any) -> Any:
        rng = np.random.default_rng(zlib.crc32(b"updates") + seed)
        pool = [np.array(a), np.array(b)]
        for _ in range(14):
            step(rng, pool)
        return (*pool[-6:], np.array(pool[0]))

    rng = np.random.default_rng(seed)
    edges = [0.0, -0.0, np.inf, np.nan, 1.0, -2.5, 5e-324]
    same(code, rng.normal(size=SHAPE), rng.choice(edges, SHAPE))


def test_parts_are_computed_where_they_stand() -> None:
    """What is joined or placed side by side is one array: no zeros, and no copies."""

    def placed(a: Any, b: Any) -> Any:
        whole = np.zeros((3, 5))
        whole[:, :2] = a * 2
        whole[:, 2:] = b - 1
        return whole

    a, b = np.arange(6.0).reshape(3, 2), np.arange(9.0).reshape(3, 3)
    source = same(placed, a, b).source
    assert "out0[i0, 2 + i1]" in source or "out0[i0, i1 + 2]" in source
    assert source.count("for i0") == 2
    joined = same(lambda a, b: np.concatenate([a, b, a, b[:, :0]], axis=1), a, b)
    assert joined.source.count("for i0") <= 3
    same(lambda a, b: np.concatenate([np.concatenate([a, b], 1), np.concatenate([b, a], 1)]), a, b)
    same(lambda a: (np.concatenate([a, a]), a * 1), a)


def test_gradients_of_slices_become_one_array() -> None:
    def f(x: Any) -> Any:
        return (ag.exp(x[:, :2]) * ag.tanh(x[:, 2:4]) + x[:, 4:]).sum()

    slope = ag.compile(ag.grad(f), backend="numba")
    x = np.linspace(-1, 1, 12).reshape(2, 6)
    np.testing.assert_allclose(slope(x), ag.grad(f)(x), rtol=1e-14)
    assert "= 0" not in slope.source


def test_few_elements_are_chosen_before_they_are_computed() -> None:
    def f(x: Any, i: Any) -> Any:
        return np.take_along_axis(np.exp(x - x.max(axis=1, keepdims=True)), i, 1)

    x, i = np.random.default_rng(0).normal(size=(5, 40)), np.array([[0], [39], [-1], [3], [-40]])
    program = native(f, x, i)
    np.testing.assert_allclose(program(x, i)[0], f(x, i), rtol=1e-15)
    assert program.source.count("range(40)") == 1  # of the maximum
    for wrong in (40, -41):
        with pytest.raises(IndexError):
            program(x, np.where(i == 3, wrong, i))


def test_what_is_read_elsewhere_is_not_written_over() -> None:
    def f(x: Any) -> Any:
        double = x * 2
        changed = np.array(double)
        changed[1] = 0
        changed[:, 1] += 5
        return double, changed, changed * 2

    same(f, np.arange(12.0).reshape(4, 3))


def test_a_thousand_rows_written_one_by_one() -> None:
    def f(x: Any) -> Any:
        whole = np.zeros((1000, 2))
        for k in range(1000):
            whole[k] = x * k
        return whole

    program = same(f, np.array([1.0, 2.0]))
    assert program.compile_seconds < 20
