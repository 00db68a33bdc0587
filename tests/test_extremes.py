"""Derivatives of first and second order over the whole range of floats, against mpmath.

Each row is a function, its two derivatives in mpmath, and where they are asked. A derivative holds
if it is right to a few ulp; `digits` tells where the argument itself is rounded on the way (x²
ulps in Φ(x)), and `near` an absolute allowance at a zero of the derivative, in ulps of 1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
import autograd_lite.numpy as anp

mp = pytest.importorskip("mpmath", reason="the truth in 400 digits")
EPS = 2.0**-52
SIZES = (0.0, 1e-300, 3e-200, 1e-150, 1e-20, 1e-8, 1e-4, 0.3, 0.999999, 1.000001, 1.5, 3.0, 6.0,
         9.0, 12.0, 20.0, 26.0, 38.0, 40.0, 100.0, 400.0, 700.0, 800.0, 1e4, 1e8, 1e150, 3e200,
         1e300)  # fmt: skip
POINTS = [s * x for x in SIZES for s in (1.0, -1.0)]


def sigma(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


class Row(NamedTuple):
    """A function of one number and its truth."""

    f: Callable[..., Any]
    first: Callable[..., Any]
    second: Callable[..., Any]
    inside: Callable[[float], bool] = lambda x: True
    digits: Callable[[float], float] = lambda x: 0.0
    near: float = 0.0


def moderate(x: float) -> bool:
    """Where the truth can be written down: its exponent is an ordinary number."""
    return abs(x) <= 1e8


def positive(x: float) -> bool:
    return x > 0


def other_than_zero(x: float) -> bool:
    return x != 0


def within_one(x: float) -> bool:
    return abs(x) < 1


def gelu_by_tanh(order: int, x: Any) -> Any:
    """The derivatives of x·σ(2u), u the cubic."""
    c, k = mp.sqrt(8 / mp.pi), mp.mpf(0.044715)
    v, v1, v2 = c * (x + k * x**3), c * (1 + 3 * k * x**2), c * 6 * k * x
    slope = sigma(v) * sigma(-v)
    if order == 1:
        return sigma(v) + x * slope * v1
    return slope * (2 * v1 + x * v2) + x * slope * (sigma(-v) - sigma(v)) * v1**2


def sinc(order: int, x: Any) -> Any:
    if x == 0:
        return mp.mpf(0) if order == 1 else -(mp.pi**2) / 3
    with mp.workdps(1500):
        s, c = mp.sinpi(x), mp.cospi(x)
        first = (c - s / (mp.pi * x)) / x
        return first if order == 1 else -mp.pi * s / x - 2 * first / x


def power_of(p: float) -> Row:
    return Row(lambda x: x**p, lambda x: p * x ** (p - 1), lambda x: p * (p - 1) * x ** (p - 2),
               positive)  # fmt: skip


ROWS = {
    "tanh": Row(ag.tanh, lambda x: mp.sech(x) ** 2, lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2,
                moderate),
    "sigmoid": Row(ag.nn.sigmoid, lambda x: sigma(x) * sigma(-x),
                   lambda x: sigma(x) * sigma(-x) * (sigma(-x) - sigma(x)), moderate, near=0.5),
    "softplus": Row(ag.softplus, sigma, lambda x: sigma(x) * sigma(-x), moderate),
    "log_sigmoid": Row(ag.log_sigmoid, lambda x: sigma(-x), lambda x: -sigma(x) * sigma(-x),
                       moderate),
    "silu": Row(ag.silu, lambda x: sigma(x) + x * sigma(x) * sigma(-x),
                lambda x: sigma(x) * sigma(-x) * (2 + x * (sigma(-x) - sigma(x))), moderate),
    "gelu": Row(ag.gelu, lambda x: mp.erfc(-x / mp.sqrt(2)) / 2 + x * mp.npdf(x),
                lambda x: (2 - x * x) * mp.npdf(x), lambda x: abs(x) <= 26,
                digits=lambda x: x * x),
    "gelu by tanh": Row(functools.partial(ag.gelu, approximate="tanh"),
                        functools.partial(gelu_by_tanh, 1), functools.partial(gelu_by_tanh, 2),
                        lambda x: abs(x) <= 1e4, digits=lambda x: abs(x) ** 3),
    "elu": Row(ag.elu, lambda x: mp.exp(min(x, 0)), lambda x: mp.exp(x) if x <= 0 else mp.mpf(0),
               moderate),
    "exp": Row(ag.exp, mp.exp, mp.exp, moderate),
    "exp2": Row(ag.exp2, lambda x: mp.log(2) * 2**x, lambda x: mp.log(2) ** 2 * 2**x, moderate),
    "expm1": Row(ag.expm1, mp.exp, mp.exp, moderate),
    "log": Row(ag.log, lambda x: 1 / x, lambda x: -1 / x**2, positive),
    "log1p": Row(ag.log1p, lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2, lambda x: x > -1),
    "sqrt": Row(ag.sqrt, lambda x: 0.5 / mp.sqrt(x), lambda x: -0.25 / (x * mp.sqrt(x)), positive),
    "cbrt": Row(ag.cbrt, lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2),
                lambda x: -2 * mp.sign(x) / (9 * mp.cbrt(abs(x)) ** 5), other_than_zero),
    "reciprocal": Row(ag.reciprocal, lambda x: -1 / x**2, lambda x: 2 / x**3, other_than_zero),
    "cube": power_of(3), "root": power_of(0.5), "inverse square": power_of(-2),
    "sinh": Row(ag.sinh, mp.cosh, mp.sinh, moderate),
    "cosh": Row(ag.cosh, mp.sinh, mp.cosh, moderate),
    "asinh": Row(ag.asinh, lambda x: 1 / mp.sqrt(1 + x * x),
                 lambda x: -x / mp.sqrt(1 + x * x) ** 3),
    "acosh": Row(ag.acosh, lambda x: 1 / mp.sqrt(x * x - 1), lambda x: -x / mp.sqrt(x * x - 1) ** 3,
                 lambda x: x > 1),
    "atanh": Row(ag.atanh, lambda x: 1 / (1 - x * x), lambda x: 2 * x / (1 - x * x) ** 2,
                 within_one),
    "asin": Row(ag.asin, lambda x: 1 / mp.sqrt(1 - x * x), lambda x: x / mp.sqrt(1 - x * x) ** 3,
                within_one),
    "acos": Row(ag.acos, lambda x: -1 / mp.sqrt(1 - x * x), lambda x: -x / mp.sqrt(1 - x * x) ** 3,
                within_one),
    "atan": Row(ag.atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "tan": Row(ag.tan, lambda x: mp.sec(x) ** 2, lambda x: 2 * mp.tan(x) * mp.sec(x) ** 2),
    "sinc": Row(ag.sinc, functools.partial(sinc, 1), functools.partial(sinc, 2), moderate,
                digits=abs, near=1.0),
    "erf": Row(ag.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
               lambda x: -4 * x / mp.sqrt(mp.pi) * mp.exp(-x * x), moderate,
               digits=lambda x: x * x),
    "erfc": Row(ag.erfc, lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
                lambda x: 4 * x / mp.sqrt(mp.pi) * mp.exp(-x * x), moderate,
                digits=lambda x: x * x),
    "erfinv": Row(ag.erfinv, lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2),
                  lambda x: mp.pi / 2 * mp.erfinv(x) * mp.exp(2 * mp.erfinv(x) ** 2),
                  lambda x: abs(x) < 0.9),
    "i0": Row(ag.i0, lambda x: mp.besseli(1, x),
              lambda x: (mp.besseli(0, x) + mp.besseli(2, x)) / 2, lambda x: abs(x) <= 700),
    "digamma": Row(ag.digamma, lambda x: mp.psi(1, x), lambda x: mp.psi(2, x),
                   lambda x: 0 < x <= 1e8),
    "gammaln": Row(ag.gammaln, lambda x: mp.psi(0, x), lambda x: mp.psi(1, x),
                   lambda x: 0 < x <= 1e8, near=4.0),
}  # fmt: skip


def holds(found: Any, truth: Any, ulps: float, near: float = 0.0) -> bool:
    """Within so many ulps; an overflow where the truth is one, an underflow to the last bit."""
    if not np.isfinite(float(truth)):
        return bool(found == float(truth))
    return bool(abs(mp.mpf(float(found)) - truth) <= EPS * (ulps * abs(truth) + near) + 1e-322)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_slopes_over_the_whole_range(name: str) -> None:
    row = ROWS[name]
    wrong = []
    for x in filter(row.inside, POINTS):
        with mp.workdps(400):
            first, second = row.first(mp.mpf(x)), row.second(mp.mpf(x))
            ulps = 16 + 4 * row.digits(x)
            twice = (ag.grad(ag.grad(row.f))(x), ag.hvp(row.f, [x], [1.0])[0])
            if not holds(ag.grad(row.f)(x), first, ulps, row.near):
                wrong.append((x, 1, ag.grad(row.f)(x), float(first)))
            wrong += [(x, 2, d, float(second)) for d in twice
                      if not holds(d, second, ulps, row.near)]  # fmt: skip
    assert not wrong


def hypot(a: Any, b: Any) -> Any:
    r = mp.sqrt(a * a + b * b)
    return a / r, b / r, (b / r) ** 2 / r, -a * b / r**3, (a / r) ** 2 / r


def atan2(a: Any, b: Any) -> Any:
    r = a * a + b * b
    return b / r, -a / r, -2 * a * b / r**2, (a * a - b * b) / r**2, 2 * a * b / r**2


def logaddexp(a: Any, b: Any) -> Any:
    p, q = sigma(a - b), sigma(b - a)
    return p, q, p * q, -p * q, p * q


def power(x: Any, p: Any) -> Any:
    y, log = x**p, mp.log(x)
    mixed = x ** (p - 1) * (1 + p * log)
    return p * x ** (p - 1), y * log, p * (p - 1) * x ** (p - 2), mixed, y * log * log


def pairs(first: Any, second: Any = None) -> list[tuple[float, float]]:
    return [(a, b) for a in first for b in second or first if (a, b) != (0, 0)]


WIDE = (0.0, 1e-300, 3e-200, 4e-200, 1e-150, 1e-8, 1.0, -2.5, 1e8, 1e150, -3e200, 4e200, 1e300)
MIDDLE = (0.0, 1e-100, 1e-8, 1.0, -2.5, 1e8, 1e100)
TWO: dict[str, Any] = {
    "hypot": (anp.hypot, hypot, pairs(WIDE)),
    "atan2": (anp.atan2, atan2, pairs(MIDDLE)),
    "logaddexp": (anp.logaddexp, logaddexp,
                  pairs((0.0, 1e-8, 1.0, -40.0, 40.0, 700.0, -700.0, 1000.5, 1e15))),
    "power": (anp.power, power,
              pairs((1e-100, 1e-8, 0.5, 1.0, 2.0, 1e8, 1e100), (0.0, 1.0, 2.0, 3.0, 0.5, -1.0))),
}  # fmt: skip


@pytest.mark.parametrize("name", TWO)
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_slopes_of_two_numbers(name: str) -> None:
    f, truth, points = TWO[name]
    wrong = []
    for a, b in points:
        with mp.workdps(1500):
            wanted = truth(mp.mpf(a), mp.mpf(b))
            found = [ag.grad(f, i)(a, b) for i in (0, 1)]
            found += [ag.grad(ag.grad(f, i), j)(a, b) for i, j in ((0, 0), (0, 1), (1, 1))]
            scale = max(abs(one) for one in wanted[2:])
            wrong += [((a, b), k, d, float(t)) for k, (d, t) in enumerate(zip(found, wanted))
                      if not holds(d, t, 40, 4 * scale if k == 3 else 0)]  # fmt: skip
    assert not wrong


VECTORS = [[3e200, 4e200], [3e-200, -4e-200], [1e300, -1e-300, 0.0], [1e307, 1e307],
           [1e-170, 0.0], [3.0, 4.0, -1e-9], [1e160, 1.0]]  # fmt: skip


def of_norm(xs: Any, p: float) -> tuple[Any, list[Any], list[list[Any]]]:
    """The p-norm of numbers, its gradient and its Hessian."""
    xs = [mp.mpf(x) for x in xs]
    y = sum(abs(x) ** p for x in xs) ** (mp.mpf(1) / p)
    g = [mp.sign(x) * (abs(x) / y) ** (p - 1) for x in xs]
    own = [(p - 1) * (abs(x) / y) ** (p - 2) / y if x or p >= 2 else mp.mpf(0) for x in xs]
    h = [[(own[i] if i == j else 0) - (p - 1) * g[i] * g[j] / y for j in range(len(xs))]
         for i in range(len(xs))]  # fmt: skip
    return y, g, h


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4, np.inf])
@pytest.mark.parametrize("xs", VECTORS, ids=str)
def test_norms_of_any_size(xs: list[float], p: float) -> None:
    x = np.array(xs)
    value, gradient = ag.value_and_grad(lambda x: anp.linalg.vector_norm(x, ord=p))(x)
    if p == np.inf:
        first = np.arange(len(xs)) == np.argmax(np.abs(x))
        np.testing.assert_array_equal(gradient, np.sign(x) * first)
        return
    with mp.workdps(700):
        y, wanted, _ = of_norm(xs, p)
        assert holds(value, y, 8)
        assert all(holds(g, t, 16) or abs(t) < 1e-150 for g, t in zip(gradient, wanted))


@pytest.mark.parametrize("norm", ["vector_norm", "norm", "matrix_norm"])
@pytest.mark.parametrize("xs", VECTORS, ids=str)
def test_euclidean_norms_have_the_hessian_of_any_size(xs: list[float], norm: str) -> None:
    x, shape = np.array(xs), (1, -1) if norm == "matrix_norm" else (-1,)

    def f(x: Any) -> Any:
        return getattr(anp.linalg, norm)(x.reshape(shape))

    with mp.workdps(700):
        _, gradient, wanted = of_norm(xs, 2)
        assert all(holds(g, t, 8) for g, t in zip(ag.grad(f)(x), gradient))
        found = ag.hessian(f)(x)
        size = max(max(map(abs, row)) for row in wanted)
        assert all(holds(found[i, j], wanted[i][j], 8, 8 * size)
                   for i in range(x.size) for j in range(x.size))  # fmt: skip


@pytest.mark.parametrize("f", [ag.std, ag.nanstd])
@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_spreads_of_any_size(f: Any, scale: float) -> None:
    x = scale * np.array([1.0, 3.0, 2.0, 2.0])
    value, gradient = ag.value_and_grad(f)(x)
    np.testing.assert_allclose(value, scale * 0.5**0.5, rtol=4 * EPS)
    np.testing.assert_allclose(gradient, np.array([-1, 1, 0, 0]) / 8**0.5, rtol=8 * EPS, atol=EPS)


def test_norms_of_rows_of_unequal_size() -> None:
    """Each row has a scale of its own; a row of zeros keeps the derivative 0."""
    x = np.array([[3e200, 4e200], [3e-200, 4e-200], [3.0, 4.0], [0.0, 0.0]])
    value, pullback = ag.vjp(lambda x: anp.linalg.vector_norm(x, axis=1), x)
    np.testing.assert_allclose(value, [5e200, 5e-200, 5.0, 0.0], rtol=2 * EPS)
    wanted = [[0.6, 0.8], [0.6, 0.8], [0.6, 0.8], [0.0, 0.0]]
    np.testing.assert_allclose(pullback(np.ones(4))[0], wanted, rtol=2 * EPS)
    assert anp.linalg.vector_norm(np.array([np.inf, 1.0])) == np.inf
    assert np.isnan(anp.linalg.vector_norm(np.array([np.nan, 1e300])))


@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.complex128])
def test_norms_keep_their_dtype(dtype: Any) -> None:
    big = np.array([3e30, 4e30], dtype)
    value, gradient = ag.value_and_grad(anp.linalg.norm)(big)
    assert value.dtype == big.real.dtype
    assert gradient.dtype == big.dtype
    np.testing.assert_allclose(value, 5e30, rtol=1e-6)
    np.testing.assert_allclose(gradient, [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize(
    ("f", "x", "wanted"),
    [(ag.tanh, np.inf, 0.0), (ag.tanh, -np.inf, 0.0), (ag.expm1, -np.inf, 0.0),
     (ag.softplus, np.inf, 1.0), (ag.nn.sigmoid, -np.inf, 0.0), (ag.atan, np.inf, 0.0),
     (ag.asinh, -np.inf, 0.0), (ag.erf, np.inf, 0.0), (ag.log, np.inf, 0.0),
     (lambda x: ag.logaddexp(x, 0.0), np.inf, 1.0), (lambda x: ag.logaddexp(x, 0.0), -np.inf, 0.0),
     (lambda x: ag.logaddexp(x, np.inf), np.inf, 1.0), (ag.tanh, np.nan, np.nan),
     (ag.expm1, np.nan, np.nan), (lambda x: ag.logaddexp(x, 0.0), np.nan, np.nan),
     (lambda x: ag.hypot(x, 1.0), np.inf, np.nan)],
)  # fmt: skip
def test_slopes_at_infinity_and_nan(f: Any, x: float, wanted: float) -> None:
    with np.errstate(invalid="ignore", over="ignore"):
        np.testing.assert_equal(float(ag.grad(f)(x)), wanted)


def test_the_exponent_has_a_mixed_derivative_at_zero() -> None:
    """d/dp of p·x^(p − 1) at p = 0 is 1/x: the rule for x**0 must not hide it."""
    mixed = ag.grad(ag.grad(lambda x, p: x**p, 0), 1)
    assert mixed(2.0, 0.0) == 0.5
    assert ag.grad(lambda x, p: x**p, 0)(0.0, 0.0) == 0.0
    assert ag.grad(lambda x, p: x**p, 0)(np.nan, 0.0) == 0.0
