"""Accuracy of the native exponentials and logarithms, against mpmath over the whole range.

In units in the last place of the exact result, denormal results included. docs/compile.md states
the bounds of this table.
"""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest

import autograd_lite as ag
from tests.compiler import coefficients

pytest.importorskip("llvmlite", reason="the extra fast is not installed")
pytest.importorskip("scipy", reason="the extra fast is not installed")

from autograd_lite.compiler.native import functions, wide

BOUNDS = {  # (float64, float32)
    "exp": (1.1, 1.1), "exp2": (1.1, 1.1), "expm1": (1.5, 1.5), "log": (0.9, 0.9),
    "log2": (0.9, 0.9), "log10": (1.2, 1.2), "log1p": (1.6, 1.5), "tanh": (1.3, 1.3),
    "sigmoid": (1.5, 1.5), "softplus": (1.7, 1.5),
}  # fmt: skip
EXACT = {
    "exp": mp.exp, "exp2": lambda x: mp.mpf(2) ** x, "expm1": mp.expm1, "log": mp.log,
    "log2": lambda x: mp.log(x, 2), "log10": mp.log10, "log1p": mp.log1p, "tanh": mp.tanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)), "softplus": lambda x: mp.log1p(mp.exp(x)),
}  # fmt: skip
COUNT = 500


def points(name: str, dtype: Any, rng: np.random.Generator) -> Any:
    """Numbers of the whole range where the result is finite, and many where digits are lost."""
    double = dtype is np.float64
    small = rng.normal(size=COUNT) * 10.0 ** rng.uniform(-20, 0, COUNT)
    usual = rng.normal(size=COUNT) * 2
    if name in ("exp", "expm1", "sigmoid", "softplus"):
        low, high = (-745.0, 709.7) if double else (-103.0, 88.7)
        edge = rng.uniform(low, low + 40, COUNT)
        every = [rng.uniform(low, high, COUNT), edge, usual, small]
    elif name == "exp2":
        every = [rng.uniform(-1074, 1023.9, COUNT) if double else rng.uniform(-149, 127.9, COUNT)]
    elif name == "tanh":
        every = [rng.uniform(-25, 25, COUNT), rng.uniform(-0.6, 0.6, COUNT), usual, small]
    elif name == "log1p":
        every = [rng.uniform(-1, 1, COUNT), np.abs(small) * 1e20, np.maximum(small, -0.9)]
    else:
        limits = np.finfo(dtype)
        least = np.log2(float(limits.smallest_subnormal))
        exponents = rng.uniform(least, limits.maxexp - 0.01, COUNT)
        every = [2.0**exponents, rng.uniform(0.5, 2, COUNT), 1 + np.maximum(small, -0.9)]
    return np.concatenate(every).astype(dtype)


def error(found: Any, exact: Any, dtype: Any) -> float:
    """Of one result, in units in the last place."""
    unit = np.spacing(np.abs(dtype(float(exact))))
    return float(abs(mp.mpf(float(found)) - exact) / mp.mpf(float(unit)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", BOUNDS)
def test_accuracy(name: str, dtype: Any, rng: np.random.Generator) -> None:
    x = points(name, dtype, rng)
    with np.errstate(all="ignore"):  # the trace computes with NumPy
        found = ag.compile(getattr(ag, name), backend="numba")(x)
    with mp.workprec(200):
        errors = [
            error(one, EXACT[name](mp.mpf(float(a))), dtype)
            for a, one in zip(x, found, strict=True)
        ]
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUNDS[name][dtype is np.float32], (errors[worst], x[worst])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_limits(dtype: Any) -> None:
    """What has an exact value has it: at 0 (with its sign), at infinities, beyond the range."""
    inf, nan = np.inf, np.nan
    table = {
        "exp": [(inf, inf), (-inf, 0), (0, 1), (1000, inf), (-1000, 0), (nan, nan)],
        "expm1": [(inf, inf), (-inf, -1), (-0.0, -0.0), (1000, inf), (-1000, -1), (nan, nan)],
        "log": [(inf, inf), (0, -inf), (-0.0, -inf), (1, 0), (-1, nan), (-inf, nan), (nan, nan)],
        "log1p": [(inf, inf), (-1, -inf), (-0.0, -0.0), (-2, nan), (nan, nan)],
        "log2": [(8, 3), (0.25, -2), (0, -inf), (-1, nan), (inf, inf)],
        "tanh": [(inf, 1), (-inf, -1), (-0.0, -0.0), (1000, 1), (nan, nan)],
        "sigmoid": [(0, 0.5), (inf, 1), (-inf, 0), (1000, 1), (-1000, 0), (nan, nan)],
        "softplus": [(1000, 1000), (-1000, 0), (inf, inf), (-inf, 0), (nan, nan)],
    }
    for name, pairs in table.items():
        x, wanted = np.array(pairs, dtype).T
        with np.errstate(all="ignore"):  # the trace computes with NumPy
            found = ag.compile(getattr(ag, name), backend="numba")(np.ascontiguousarray(x))
        np.testing.assert_array_equal(found, wanted, err_msg=name)
        plain = ~np.isnan(wanted)
        np.testing.assert_array_equal(np.signbit(found[plain]), np.signbit(wanted[plain]), name)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_sigmoid_and_its_slope_have_one_exponential_and_one_division(dtype: Any) -> None:
    step = ag.compile(ag.value_and_grad(lambda x: ag.sigmoid(x).sum()), backend="numba")
    x = np.array([-800.0, -40, -1, -0.0, 0, 1, 40, 800], dtype)
    _, slope = step(x)
    assert step.executable.llvm.count("fdiv") == 1
    with mp.workprec(200):
        for a, found in zip(x, slope, strict=True):
            exact = 1 / (2 + mp.exp(mp.mpf(float(a))) + mp.exp(-mp.mpf(float(a))))
            assert error(found, exact, dtype) <= 2.5


WIDE = {
    "sinh": (mp.sinh, -89.4, 89.4), "cosh": (mp.cosh, -89.4, 89.4), "arcsinh": (mp.asinh, -9, 9),
    "arccosh": (mp.acosh, 1, 9), "arctanh": (mp.atanh, -1, 1), "arcsin": (mp.asin, -1, 1),
    "arccos": (mp.acos, -1, 1), "arctan": (mp.atan, -9, 9), "cbrt": (mp.cbrt, 0, 9),
    "erf": (mp.erf, -4, 4), "erfc": (mp.erfc, -4, 10.05),
}  # fmt: skip
ODD = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, np.inf, -np.inf, np.nan, 1e-45, 3e38]


def of_numpy(name: str, *args: Any) -> Any:
    special = pytest.importorskip("scipy.special")
    return getattr(special if name.startswith("erf") else np, name)(*args)


@pytest.mark.parametrize("name", WIDE)
def test_float32_by_way_of_float64(name: str, rng: np.random.Generator) -> None:
    exact, low, high = WIDE[name]
    small = rng.uniform(low, high, 200) * 10.0 ** rng.uniform(-6, 0, 200)
    x = np.concatenate([rng.uniform(low, high, 400), small[small > low]]).astype(np.float32)
    f = ag.compile(getattr(ag, name), backend="numba")
    with mp.workprec(200):
        errors = [error(y, exact(float(a)), np.float32) for a, y in zip(x, f(x), strict=True)]
    assert max(errors) <= 0.52, x[int(np.argmax(errors))]
    assert "call float @" not in f.executable.llvm.replace("call float @llvm.", "")
    odd = np.array(ODD, np.float32)
    with np.errstate(all="ignore"):
        found, wanted = f(odd), of_numpy(name, odd.astype(float)).astype(np.float32)
    np.testing.assert_allclose(found, wanted, rtol=1.5e-7)
    signed = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found)[signed], np.signbit(wanted)[signed])


def test_powers_of_float32_by_way_of_float64(rng: np.random.Generator) -> None:
    x = np.exp(rng.normal(size=500) * 10).astype(np.float32)
    y = (rng.uniform(-103, 88, 500) / np.log(x)).astype(np.float32)
    f = ag.compile(lambda x, y: x**y, backend="numba")
    with mp.workprec(200):
        errors = [
            error(p, mp.mpf(float(a)) ** mp.mpf(float(b)), np.float32)
            for a, b, p in zip(x, y, f(x, y), strict=True)
        ]
    assert max(errors) <= 0.52
    assert "@pow" not in f.executable.llvm
    odd = np.array(ODD, np.float32)
    a, b = (part.ravel() for part in np.meshgrid(odd, odd))
    with np.errstate(all="ignore"):
        found, wanted = f(a, b), np.power(a.astype(float), b.astype(float)).astype(np.float32)
    np.testing.assert_allclose(found, wanted, rtol=1.5e-7)
    signed = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found)[signed], np.signbit(wanted)[signed])


def test_coefficients_in_float64_for_float32() -> None:
    assert coefficients.of_error_near(len(wide.ERROR_NEAR)) == wide.ERROR_NEAR
    assert coefficients.of_error_far(len(wide.ERROR_FAR)) == wide.ERROR_FAR
    assert coefficients.of_arc(len(wide.ARC)) == wide.ARC


@pytest.mark.parametrize(
    ("form", "dtype"), [(functions.SINGLE, np.float32), (functions.DOUBLE, np.float64)]
)
def test_coefficients_are_the_fits_that_they_are_said_to_be(form: Any, dtype: Any) -> None:
    assert form.exp == coefficients.of_exp(len(form.exp), dtype)
    assert form.log == coefficients.of_log(len(form.log), dtype)
    assert form.log1p == coefficients.of_log1p(len(form.log1p), dtype)
    assert form.tanh == coefficients.of_tanh(len(form.tanh), dtype)
