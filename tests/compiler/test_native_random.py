"""Random compositions of the registry as machine code: equal eager, and tell what ran where.

Two kinds. Of all operators, with shapes from their own samples (sizes 0 and 1 among them): value
and gradient, to a few digits. Of those whose bits NumPy fixes, in all dtypes and on edge values:
the same bits, zeros' signs included.
"""

from __future__ import annotations

import warnings
import zlib
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.graph import Graph, Leaf
from autograd_lite.modes import using
from autograd_lite.recording import apply
from autograd_lite.rules import OPS
from tests.compiler.compositions import grown, size_of
from tests.laws import cases

pytest.importorskip("llvmlite", reason="the extra fast is not installed")
pytest.importorskip("scipy", reason="the extra fast is not installed")

from autograd_lite.compiler.native.program import NativeProgram
from tests.compiler.test_native import BY_NUMPY, COVERED

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
STEPS = 10
CHOICE = [
    case
    for name in COVERED
    if OPS[name].differentiable and name not in ("solve", "inv", "det", "slogdet")
    for case in cases(OPS[name]).usual
    if all(isinstance(shape, tuple) and size_of(shape) < 100 for shape in case.shapes)
]


@pytest.mark.parametrize("seed", range(16))
def test_value_and_gradient_of_a_random_composition(seed: int) -> None:
    rng = np.random.default_rng(zlib.crc32(b"native") + seed)
    chosen = [CHOICE[i] for i in rng.integers(0, len(CHOICE), STEPS)]
    x = rng.normal(size=(3, 4))
    both = ag.value_and_grad(lambda x: grown(np.random.default_rng(seed), x, chosen))
    program = ag.compile(both, backend="numba")
    program(x)
    x = x + 0.25
    value, slope = program(x)
    wanted, slope_wanted = both(x)
    label = " ".join(map(str, chosen))
    np.testing.assert_allclose(value, wanted, rtol=1e-10, err_msg=label)
    scale = float(np.max(np.abs(slope_wanted)))
    np.testing.assert_allclose(slope, slope_wanted, rtol=1e-9, atol=1e-10 * scale, err_msg=label)
    executable = program.executable
    parts = [part.node.op.name for part in executable.parts]
    assert set(parts) <= BY_NUMPY
    after = executable.passes[-1].after
    every = [node.op.name for node in after.nodes if not isinstance(node, Leaf)]
    assert sorted([*executable.native, *parts]) == sorted(every)


# the same bits

FLOATS = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -1.5, 5e-324, -1e-310, 1e308, 3e38, -2.5, 0.1]
WHOLE = [0, 1, -1, 7, -13, 2**31 - 1, -(2**31), 100]
DTYPES = [np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_]
EXACT = {
    1: ["negative", "abs", "sign", "square", "logical_not", "isnan", "isfinite", "floor",
        "ceil", "trunc", "signbit", "sqrt", "reciprocal"],
    2: ["add", "subtract", "multiply", "divide", "maximum", "minimum", "less", "less_equal",
        "greater", "equal", "not_equal", "logical_and", "logical_or", "copysign", "floor_divide",
        "remainder", "fmax", "fmin", "_bitwise_xor"],
}  # fmt: skip
SHAPED = [
    "flip",
    "transpose",
    "reshape",
    "slice",
    "concat",
    "where",
    "max",
    "sum",
    "astype",
    "pick",
]


def edge_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Any:
    kind = np.dtype(dtype).kind
    with np.errstate(all="ignore"):
        chosen = rng.choice(FLOATS if kind == "f" else WHOLE, size=shape)
        return (chosen % 251 if kind == "u" else chosen).astype(dtype)


def leaf(array: Any) -> ag.Tensor:
    """An input of any dtype."""
    return ag.Tensor(array[()], Leaf("input", array[()], None, None, 0))


def reshaped(rng: np.random.Generator, kind: str, a: Any, b: Any) -> Any:
    """One step that moves, chooses, joins or collects elements."""
    if kind == "flip":
        return ag.flip(a, 0) if a.ndim else a[None]
    if kind == "transpose":
        return ag.permute_dims(a, tuple(range(a.ndim))[::-1])
    if kind == "reshape":
        return a.reshape(-1)[None, :]
    if kind == "slice":
        return a[..., :: -int(rng.integers(1, 3))] if a.ndim else a
    if kind == "concat":
        return ag.concat([a.reshape(-1), ag.astype(b, a.dtype).reshape(-1)])
    if kind == "where":
        return ag.where(a > 0, a, a * 2)
    if kind == "max":
        return ag.max(a, axis=-1, keepdims=True) if a.ndim and a.shape[-1] else a
    if kind == "sum":  # in any order: of integers
        return ag.sum(a > 0, axis=0) if a.ndim else a
    if kind == "astype":
        target = DTYPES[rng.integers(2)] if a.dtype.kind == "f" else DTYPES[rng.integers(4)]
        return ag.astype(a, target)
    return a[rng.integers(0, len(a), 3)] if a.ndim and len(a) else a


def step(rng: np.random.Generator, pool: list[Any]) -> Any:
    a, b = (pool[i] for i in rng.integers(0, len(pool), 2))
    kind = rng.integers(3)
    if kind == 0:
        return reshaped(rng, SHAPED[rng.integers(len(SHAPED))], a, b)
    if kind == 1:
        return apply(OPS[EXACT[1][rng.integers(len(EXACT[1]))]], (a,))
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        b = b.reshape(-1)[:1] if b.size else pool[0].reshape(-1)[:1]
    return apply(OPS[EXACT[2][rng.integers(len(EXACT[2]))]], (a, b))


@pytest.mark.parametrize("seed", range(24))
def test_the_same_bits_on_edge_values(seed: int) -> None:
    rng = np.random.default_rng(zlib.crc32(b"bits") + seed)
    shapes = [(3, 4), (4,), (1, 4), (), (3, 1), (0, 4)][: 5 + seed % 2]
    inputs = [leaf(edge_array(rng, shape, DTYPES[rng.integers(len(DTYPES))])) for shape in shapes]
    pool: list[Any] = list(inputs)
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"), using(tracing=True):
        while len(pool) < len(inputs) + 2 * STEPS:
            try:
                one = step(rng, pool)
            except (TypeError, ValueError):
                continue  # an operator that NumPy has not for these dtypes
            if one.dtype in DTYPES:
                pool.append(one)
    made = pool[len(inputs) :]
    program = NativeProgram(Graph([one.node for one in made]), [one.node for one in inputs])
    for part in program.parts:  # what has no machine code is told
        assert "float16" in part.reason or "as uint8" in part.reason, part.reason
    for one, wanted in zip(program(*(i.numpy() for i in inputs)), made, strict=True):
        expected = np.asarray(wanted.data)
        label = str(wanted.node)
        assert np.asarray(one).dtype == expected.dtype, label
        np.testing.assert_array_equal(one, expected, err_msg=label)
        if expected.dtype.kind == "f":
            zero = expected == 0
            np.testing.assert_array_equal(
                np.signbit(np.asarray(one)[zero]), np.signbit(expected[zero]), err_msg=label
            )
