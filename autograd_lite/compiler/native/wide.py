"""Functions of float32 computed in float64, whose rounding is then no matter: straight-line too.

They are right to 0.51 units in the last place (tests/compiler/test_native_functions.py). For
float64 itself C's library has them. Knows scalars and functions. Does not know arrays.

The coefficients are those of Chebyshev fits, computed in tests/compiler/coefficients.py.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.compiler.native import functions
from autograd_lite.compiler.native.functions import clamped, polynomial
from autograd_lite.compiler.native.scalars import Scalar

__all__ = ["WIDE"]

ERROR_NEAR = (
    1.128379167061284, -0.376126384651418, 0.112837824435516, -0.026865427297082117,
    0.005221021065527149, -0.0008483909066418872, 0.00011264612755566338, -9.662912149757573e-06,
)  # fmt: skip
"""erf(x)/x in x², for |x| ≤ 1."""
ERROR_FAR = (
    0.17900115118255128, -0.32623356001659726, 0.24560380140771124, -0.15011593859934375,
    0.07166585043710924, -0.024392453710689408, 0.004268921538662129, 0.0007073552746572938,
    -0.0005954548264184589, 4.6607284867382385e-05, 5.8376164629154586e-05, -1.3907106121081226e-05,
)  # fmt: skip
"""exp(x²)·erfc(x) in (x − 3)/(x + 3), for x from 1 to 11."""
ARC = (
    0.9999999999886316, -0.3333333294843351, 0.19999978174779054, -0.14285222446344661,
    0.1110527479108544, -0.09048989025602895, 0.07494546583317978, -0.060204247285345354,
    0.04361738229278206, -0.025974238942208513, 0.011405765994157909, -0.0031867865195764978,
    0.00041773658505325225,
)  # fmt: skip
"""atan(x)/x in x², for |x| ≤ 1."""


def _power(x: Scalar, y: Scalar) -> Scalar:
    """|x|**y by its logarithm, with the sign and the exceptions that C has."""
    usual = functions.exp(y * functions.log(x.size()))
    whole = y.rounded("floor") == y
    half = y * 0.5
    odd = whole & (half.rounded("floor") != half) & x.has_sign()
    signed = odd.choose(-usual, usual)
    none = (x < 0) & (x > -math.inf) & ~whole
    one = (y == 0) | (x == 1) | ((x == -1) & (y.size() == math.inf))
    return one.choose(1.0, none.choose(math.nan, signed))


def _erf_parts(x: Scalar) -> tuple[Scalar, Scalar]:
    """erf(x) as for |x| < 1, and erfc(|x|) as for others."""
    size = clamped(x.size(), 0.0, 11.0)
    far = functions.exp(-(size * size)) * polynomial((size - 3) / (size + 3), ERROR_FAR)
    return x * polynomial(x * x, ERROR_NEAR), far


def _erf(x: Scalar) -> Scalar:
    near, far = _erf_parts(x)
    return (x.size() < 1).choose(near, (1 - far).with_sign_of(x))


def _erfc(x: Scalar) -> Scalar:
    near, far = _erf_parts(x)
    return (x.size() < 1).choose(1 - near, x.has_sign().choose(2 - far, far))


def _arctan(x: Scalar) -> Scalar:
    size = x.size()
    large = size > 1
    t = large.choose(1 / size, size)
    near = t * polynomial(t * t, ARC)
    return large.choose(math.pi / 2 - near, near).with_sign_of(x)


def _arcsin(x: Scalar) -> Scalar:
    return _arctan(x / (((1 - x) * (x + 1)).root() + 1)) * 2


def _arccos(x: Scalar) -> Scalar:
    return _arctan(((1 - x) / (x + 1)).root()) * 2


def _sinh(x: Scalar) -> Scalar:
    rise = functions.expm1(clamped(x.size(), 0.0, 200.0))
    return ((rise + rise / (rise + 1)) * 0.5).with_sign_of(x)


def _cosh(x: Scalar) -> Scalar:
    e = functions.exp(clamped(x.size(), 0.0, 200.0))
    return (e + 1 / e) * 0.5


def _arcsinh(x: Scalar) -> Scalar:
    size = x.size()
    square = size * size
    y = functions.log1p(size + square / ((square + 1).root() + 1))
    return (size == math.inf).choose(size, y).with_sign_of(x)


def _arccosh(x: Scalar) -> Scalar:
    above = x - 1
    y = functions.log1p(above + (above * (above + 2)).root())
    return (x < 1).choose(math.nan, y)


def _arctanh(x: Scalar) -> Scalar:
    size = x.size()
    return (functions.log1p(size * 2 / (1 - size)) * 0.5).with_sign_of(x)


def _cbrt(x: Scalar) -> Scalar:
    return functions.exp(functions.log(x.size()) * (1 / 3)).with_sign_of(x)


def _hypot(a: Scalar, b: Scalar) -> Scalar:
    endless = (a.size() == math.inf) | (b.size() == math.inf)
    return endless.choose(math.inf, (a * a + b * b).root())


def _narrow(function: Callable[..., Scalar]) -> Callable[..., Scalar]:
    """The function in float64, of float32 and rounded to it."""

    def call(*args: Scalar) -> Scalar:
        return function(*(arg.cast(np.float64) for arg in args)).cast(np.float32)

    return call


_FUNCTIONS: dict[Any, Callable[..., Scalar]] = {
    np.power: _power, np.arctan: _arctan, np.arcsin: _arcsin, np.arccos: _arccos, np.sinh: _sinh,
    np.cosh: _cosh, np.arcsinh: _arcsinh, np.arccosh: _arccosh, np.arctanh: _arctanh,
    np.cbrt: _cbrt, np.hypot: _hypot, "erf": _erf, "erfc": _erfc,
}  # fmt: skip
WIDE = {key: _narrow(function) for key, function in _FUNCTIONS.items()}
"""By the ufunc, or the name of SciPy's."""
