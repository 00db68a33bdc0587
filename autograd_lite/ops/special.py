"""Pointwise operators beyond arithmetic: inverses, hyperbolic and special functions, steps.

Knows the local derivative of each, and the limits where a formula would lose digits. What needs
SciPy asks for it when it is called. Imports errors, rules, the pointwise operators and NumPy.
"""

import functools
import inspect
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, require
from autograd_lite.ops import plain
from autograd_lite.ops.pointwise import abs as absolute
from autograd_lite.ops.pointwise import (
    divide,
    equal,
    exp,
    expm1,
    floor_divide,
    greater,
    greater_equal,
    in_blocks,
    isfinite,
    isinf,
    isnan,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    positive,
    power,
    real,
    reciprocal,
    round,
    sign,
    sqrt,
    square,
    where,
)
from autograd_lite.ops.shaping import as_array, astype
from autograd_lite.rules import general, linear, nondifferentiable, pointwise, public

_LN2, _LN10, _PI = math.log(2.0), math.log(10.0), math.pi
public(also=["pow"])(power)
public(np.around, also=["around", "rint"])(round)
public(also=["absolute", "fabs"])(absolute)
public(also=["true_divide"])(divide)

# trigonometric and hyperbolic functions, and their inverses

tan = pointwise(
    "tan", np.tan, lambda y, x: 1 + square(y), latex=r"\tan {0}", domain=(-1, 1),
    doc="The tangent of each element, in radians.",
)  # fmt: skip
_asin_slope = pointwise(
    "_asin_slope", lambda x: 1 / np.sqrt((1 - x) * (1 + x)), lambda y, x: x * (y * square(y)),
    symbol="1/√(1 − x²)", text="1/√(1 − {0}²)", latex=r"\left(1 - {0}^2\right)^{{-1/2}}",
    local=["G × {0}·y³"], code="1 / np.sqrt((1 - {0}) * (1 + {0}))",
    domain=(-0.9, 0.9), doc="The slope of asin; its own is exact near 0.",
)  # fmt: skip
asin = pointwise(
    "asin", np.arcsin, lambda y, x: _asin_slope(x), latex=r"\arcsin {0}",
    local=["G/√(1 − {0}²)"], domain=(-0.9, 0.9),
    doc="The angle in [−π/2, π/2] whose sine is x; the slope at ±1 is infinite.",
)  # fmt: skip
acos = pointwise(
    "acos", np.arccos, lambda y, x: -_asin_slope(x), latex=r"\arccos {0}",
    local=["−G/√(1 − {0}²)"], domain=(-0.9, 0.9),
    doc="The angle in [0, π] whose cosine is x; the slope at ±1 is infinite.",
)  # fmt: skip
atan = pointwise(
    "atan", np.arctan, lambda y, x: reciprocal(1 + square(x)), latex=r"\arctan {0}",
    doc="The angle in (−π/2, π/2) whose tangent is x.",
)  # fmt: skip
sinh = pointwise(
    "sinh", np.sinh, lambda y, x: cosh(x), latex=r"\sinh {0}",
    doc="The hyperbolic sine of each element.",
)  # fmt: skip
cosh = pointwise(
    "cosh", np.cosh, lambda y, x: sinh(x), latex=r"\cosh {0}",
    doc="The hyperbolic cosine of each element.",
)  # fmt: skip


def _asinh_slope(y: Any, x: Any) -> Any:
    return reciprocal(sqrt(1 + square(x)) if x.dtype.kind == "c" else hypot(x, 1))


asinh = pointwise(
    "asinh", np.arcsinh, _asinh_slope, latex=r"\mathrm{{arsinh}}\, {0}",
    local=["G/√(1 + {0}²)"], doc="The number whose hyperbolic sine is x.",
)  # fmt: skip
acosh = pointwise(
    "acosh", np.arccosh, lambda y, x: reciprocal(sqrt(x - 1) * sqrt(x + 1)),
    latex=r"\mathrm{{arcosh}}\, {0}", local=["G/√({0}² − 1)"], domain=(1.2, 4),
    doc="The number ≥ 0 whose hyperbolic cosine is x; the slope at 1 is infinite.",
)  # fmt: skip
_atanh_slope = pointwise(
    "_atanh_slope", lambda x: 1 / ((1 - x) * (1 + x)), lambda y, x: 2 * x * square(y),
    symbol="1/(1 − x²)", text="1/(1 − {0}²)", latex=r"\left(1 - {0}^2\right)^{{-1}}",
    local=["G × 2·{0}·y²"], code="1 / ((1 - {0}) * (1 + {0}))",
    domain=(-0.9, 0.9), doc="The slope of atanh; its own is exact near 0.",
)  # fmt: skip
atanh = pointwise(
    "atanh", np.arctanh, lambda y, x: _atanh_slope(x),
    latex=r"\mathrm{{artanh}}\, {0}", local=["G/(1 − {0}²)"], domain=(-0.9, 0.9),
    doc="The number whose hyperbolic tangent is x; the slope at ±1 is infinite.",
)  # fmt: skip
_LONG = {"arcsin": asin, "arccos": acos, "arctan": atan, "arcsinh": asinh, "arccosh": acosh,
         "arctanh": atanh}  # fmt: skip
for _name, _function in _LONG.items():
    public(also=[_name])(_function)
atan2 = pointwise(
    "atan2", np.arctan2, lambda y, a, b: b / hypot(a, b) / hypot(a, b),
    lambda y, a, b: -(a / hypot(a, b) / hypot(a, b)), array_names=("x1", "x2"),
    local=["G × {1}/({0}² + {1}²)", "−G × {0}/({0}² + {1}²)"],
    latex=r"\mathrm{{atan2}}({0}, {1})", domain=(0.5, 3),
    doc="The angle of the point (x2, x1), in (−π, π]; its derivative at the origin is NaN.",
)  # fmt: skip
public(also=["arctan2"])(atan2)


def _unless_zero(a: Any, y: Any) -> Any:
    """a/y, and 0 where y is 0."""
    flat = equal(y, 0)
    return where(flat, 0, a / where(flat, 1, y))


def _cosine_forward(a: Any, b: Any) -> Any:
    return _unless_zero(a, np.hypot(a, b))


_cosine = pointwise(
    "_cosine", _cosine_forward,
    lambda y, a, b: square(_cosine(b, a)) * _unless_zero(1, hypot(a, b)),
    lambda y, a, b: -(y * _cosine(b, a)) * _unless_zero(1, hypot(a, b)),
    array_names=("x1", "x2"), symbol="cos", text="{0}/√({0}² + {1}²)", domain=(0.5, 3),
    latex=r"{0} \left({0}^2 + {1}^2\right)^{{-1/2}}",
    local=["G × {1}²/√({0}² + {1}²)³", "−G × {0}·{1}/√({0}² + {1}²)³"],
    code="{0} / np.hypot({0}, {1})",
    doc="x1/hypot(x1, x2), 0 at the origin; its own slopes do not cancel.",
)  # fmt: skip
hypot = pointwise(
    "hypot", np.hypot, lambda y, a, b: _cosine(a, b), lambda y, a, b: _cosine(b, a),
    array_names=("x1", "x2"), local=["G × {0}/y", "G × {1}/y"], latex=r"\sqrt{{{0}^2 + {1}^2}}",
    domain=(0.5, 3), doc="√(x1² + x2²) without overflow; its derivative at the origin is 0.",
)  # fmt: skip


degrees = pointwise(
    "degrees", np.degrees, lambda y, x: 180 / _PI, numpy=[np.degrees, np.rad2deg],
    local=["G × 180/π"], latex=r"\frac{{180}}{{\pi}} {0}", doc="Angles in radians as degrees.",
)  # fmt: skip
radians = pointwise(
    "radians", np.radians, lambda y, x: _PI / 180, numpy=[np.radians, np.deg2rad],
    local=["G × π/180"], latex=r"\frac{{\pi}}{{180}} {0}", doc="Angles in degrees as radians.",
)  # fmt: skip
public(also=["rad2deg"])(degrees)
public(also=["deg2rad"])(radians)

# powers and logarithms

cbrt = pointwise(
    "cbrt", np.cbrt, lambda y, x: reciprocal(3 * square(y)), symbol="∛", text="∛{0}",
    latex=r"\sqrt[3]{{{0}}}", domain=(0.5, 3),
    doc="The cube root of each element; its derivative at 0 is infinite.",
)  # fmt: skip
exp2 = pointwise(
    "exp2", np.exp2, lambda y, x: _LN2 * y, latex="2^{{{0}}}", local=["G × y·ln 2"],
    doc="2**x of each element.",
)  # fmt: skip
log2 = pointwise(
    "log2", np.log2, lambda y, x: reciprocal(_LN2 * x), latex=r"\log_2 {0}",
    local=["G/({0}·ln 2)"], domain=(0.5, 3), doc="The logarithm to base 2 of each element.",
)  # fmt: skip
log10 = pointwise(
    "log10", np.log10, lambda y, x: reciprocal(_LN10 * x), latex=r"\log_{{10}} {0}",
    local=["G/({0}·ln 10)"], domain=(0.5, 3), doc="The logarithm to base 10 of each element.",
)  # fmt: skip


def _share(own: Any, other: Any, first: bool, unit: float = 1) -> Any:
    """σ(own − other), the part of the sum: at +∞ the first takes all, where both are −∞ none."""
    same = logical_and(isinf(own), equal(own, other))
    apart = where(same, 0, other) - where(same, 0, own)
    return where(same, greater(own, 0) * first, exp(-softplus(unit * apart)))


logaddexp = pointwise(
    "logaddexp", np.logaddexp, lambda y, a, b: _share(a, b, True),
    lambda y, a, b: _share(b, a, False), array_names=("x1", "x2"),
    local=["G × exp({0} − y)", "G × exp({1} − y)"], latex=r"\ln(e^{{{0}}} + e^{{{1}}})",
    doc="log(exp(x1) + exp(x2)) without overflow; where both are −∞ the derivative is 0.",
)  # fmt: skip
logaddexp2 = pointwise(
    "logaddexp2", np.logaddexp2, lambda y, a, b: _share(a, b, True, _LN2),
    lambda y, a, b: _share(b, a, False, _LN2), array_names=("x1", "x2"),
    local=["G × 2^({0} − y)", "G × 2^({1} − y)"], latex=r"\log_2(2^{{{0}}} + 2^{{{1}}})",
    doc="log2(2**x1 + 2**x2) without overflow.",
)  # fmt: skip


@public(np.float_power)
def float_power(x1: Any, x2: Any, /) -> Any:
    """x1**x2 computed in at least double precision.

    >>> import autograd_lite as ag
    >>> ag.float_power(ag.constant([2]), -1)
    Tensor([0.5])
    """
    kind = np.result_type(np.float64, *(x.dtype for x in (x1, x2) if hasattr(x, "dtype")))
    return power(*(astype(x, kind) if hasattr(x, "dtype") else x for x in (x1, x2)))


# activations: exact at both ends


@in_blocks
def _sigmoid(x: Any) -> Any:
    """1/(1 + exp(−x)) without overflow: of e = exp(−|x|) it is max(e, [x ≥ 0])/(1 + e)."""
    if np.iscomplexobj(x):  # |x| is not holomorphic
        right = np.real(x) >= 0
        e = np.exp(np.where(right, -x, x))
        return np.where(right, 1, e) / (1 + e)
    e = np.exp(0.0 - np.abs(x))  # floats, of unsigned integers too
    return np.maximum(e, np.greater_equal(x, 0)) / (1 + e)


sigmoid = pointwise(
    "sigmoid", _sigmoid, lambda y, x: y * sigmoid(-x), numpy=(), symbol="σ", text="σ({args})",
    latex=r"\sigma({0})", local=["G × y·σ(−{0})"], array_names=("x",),
    code="np.exp(-np.logaddexp(0, -{0}))", plain=plain.sigmoid,
    doc="1/(1 + exp(−x)) of each element, exact at both ends, and its slope y·(1 − y) too.",
)  # fmt: skip


@in_blocks
def _softplus(x: Any) -> Any:
    """max(x, 0) + log(1 + e), e = exp(−|x|); for float32, whose log1p is slow, by log.

    log(1 + e) = log(u) + (e − (u − 1))/u for u the rounded 1 + e.
    """
    if np.iscomplexobj(x):
        raise TypeError("softplus of complex numbers has more than one branch")
    e = np.exp(0.0 - np.abs(x))  # floats, of unsigned integers too
    if e.dtype != np.float32:
        return np.log1p(e) + np.maximum(x, 0)
    u = 1 + e
    return np.log(u) + (e - (u - 1)) / u + np.maximum(x, 0)


softplus = pointwise(
    "softplus", _softplus, lambda y, x: sigmoid(x), numpy=(), array_names=("x",),
    local=["G × σ({0})"], latex=r"\ln(1 + e^{{{0}}})",
    doc="log(1 + exp(x)) of each element, exact at both ends; its slope is the sigmoid.",
    code="np.logaddexp({0}, 0)",
)  # fmt: skip


@public()
def log_sigmoid(x: Any, /) -> Any:
    """log(1/(1 + exp(−x))) of each element, exact at both ends.

    >>> import autograd_lite as ag
    >>> ag.log_sigmoid(ag.tensor([-1000.0, 1000.0]))
    Tensor([-1000.,    -0.])
    """
    kind = getattr(getattr(x, "dtype", None), "kind", "f")
    return -softplus(-(x * 1.0 if kind in "bu" else x))  # unsigned numbers have no negative


@public()
def silu(x: Any, /) -> Any:
    """The product x·σ(x) of each element (also called swish).

    >>> import autograd_lite as ag
    >>> ag.silu(ag.tensor([0.0, 1000.0]))
    Tensor([   0., 1000.])
    """
    return x * sigmoid(x)


@public()
def gelu(x: Any, /, approximate: str = "none") -> Any:
    """The product x·Φ(x) of each element, Φ the normal distribution function (which needs SciPy).

    ``approximate="tanh"`` is the usual approximation, without SciPy.

    >>> import autograd_lite as ag
    >>> ag.gelu(ag.tensor([0.0, 100.0]), approximate="tanh")
    Tensor([  0., 100.])
    """
    if approximate == "none":
        return 0.5 * x * erfc(x * -math.sqrt(0.5))
    if approximate != "tanh":
        raise DomainError(f"approximate={approximate!r}", mend='"none" or "tanh"')
    bounded = clip(x, -30, 30)  # beyond it σ is 0 or 1, and a cube may overflow
    return x * exp(log_sigmoid(math.sqrt(8 / _PI) * (bounded + 0.044715 * bounded**3)))


@public()
def elu(x: Any, /, alpha: Any = 1.0) -> Any:
    """Elements x where positive, else alpha·(exp(x) − 1); its slope at 0 is alpha.

    >>> import autograd_lite as ag
    >>> ag.elu(ag.tensor([-1000.0, 2.0]))
    Tensor([-1.,  2.])
    """
    above = greater(x, 0)
    return where(above, x, alpha * expm1(where(above, 0, x)))


@public()
def leaky_relu(x: Any, /, negative_slope: Any = 0.01) -> Any:
    """Elements x where positive, else negative_slope·x, at 0 too.

    >>> import autograd_lite as ag
    >>> ag.leaky_relu(ag.tensor([-1.0, 2.0]))
    Tensor([-0.01,  2.  ])
    """
    return where(greater(x, 0), x, negative_slope * x)


# limits


@public(np.clip)
def clip(
    x: Any, /, min: Any = None, max: Any = None, *, a_min: Any = None, a_max: Any = None
) -> Any:
    """Elements held between ``min`` and ``max``; either may be None, both broadcast.

    At a bound that is a Python number the gradient is 0, as in ``maximum``; an array's bound
    leaves it to ``x``. ``a_min`` and ``a_max`` are NumPy's older names.

    >>> import autograd_lite as ag
    >>> ag.clip(ag.tensor([-1.0, 0.5, 3.0]), 0, 1)
    Tensor([0. , 0.5, 1. ])
    """
    low = min if a_min is None else a_min
    high = max if a_max is None else a_max
    if low is None and high is None:
        return positive(x)
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


_nan_to_num = general(
    "nan_to_num", lambda x, *, nan, posinf, neginf: np.nan_to_num(x, True, nan, posinf, neginf),
    [lambda g, y, x, **params: where(isfinite(x), g, 0)],
    lambda tangents, y, xs, params: where(isfinite(xs[0]), tangents[0], 0),
    local=["G where {0} is finite"],
    samples=[(((2, 3),), {"nan": 0.0, "posinf": None, "neginf": None})], code="np.nan_to_num",
)  # fmt: skip


@public(np.nan_to_num)
def nan_to_num(
    x: Any, /, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """NaN and infinities replaced by numbers; what is replaced gets no gradient.

    >>> import autograd_lite as ag
    >>> ag.nan_to_num(ag.tensor([1.0, float("nan")]))
    Tensor([1., 0.])
    """
    return _nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@public(np.real_if_close)
def real_if_close(x: Any, /, tol: float = 100) -> Any:
    """The real part if every imaginary part is below ``tol`` times the rounding of the dtype.

    A ``tol`` of 1 or less is itself the bound. Else ``x`` as it is.

    >>> import autograd_lite as ag
    >>> ag.real_if_close(ag.tensor([1 + 0j, 2 + 1e-17j]))
    Tensor([1., 2.])
    """
    x = as_array(x)
    close = np.isrealobj(np.real_if_close(getattr(x, "data", x), tol))
    return real(x) if close else x


def _fmax_side(own: Any, other: Any, wins: Any) -> Any:
    return where(isnan(own), isnan(other) * own, logical_or(isnan(other), wins))


fmax = pointwise(
    "fmax", np.fmax, lambda y, a, b: _fmax_side(a, b, greater_equal(a, b)),
    lambda y, a, b: where(isnan(b), 0, logical_not(greater_equal(a, b))),
    array_names=("x1", "x2"), local=["G × [{0} ≥ {1}]", "G × [{1} > {0}]"],
    latex=r"\max({0}, {1})", doc="The larger of each pair, a NaN aside; at a tie the first.",
)  # fmt: skip
fmin = pointwise(
    "fmin", np.fmin, lambda y, a, b: _fmax_side(a, b, greater_equal(b, a)),
    lambda y, a, b: where(isnan(b), 0, logical_not(greater_equal(b, a))),
    array_names=("x1", "x2"), local=["G × [{0} ≤ {1}]", "G × [{1} < {0}]"],
    latex=r"\min({0}, {1})", doc="The smaller of each pair, a NaN aside; at a tie the first.",
)  # fmt: skip

# remainders and signs


def _zero(y: Any, a: Any, b: Any) -> int:
    """The derivative of a step, where it has one."""
    return 0


def _within(call: Any, a: Any, b: Any) -> Any:
    """A probe: operands between the jumps of the quotient."""
    return call(7.2 + 0.1 * a, 2.2 + 0.05 * b)


remainder = pointwise(
    "remainder", np.remainder, 1, lambda y, a, b: -round((a - y) / b), array_names=("x1", "x2"),
    local=["G", "−G × ⌊{0}/{1}⌋"], symbol="%", text="{0} % {1}", latex=r"{0} \bmod {1}",
    probe=_within, doc="What is left of x1 after whole multiples of x2, with the sign of x2.",
)  # fmt: skip
public(also=["mod"])(remainder)
fmod = pointwise(
    "fmod", np.fmod, 1, lambda y, a, b: -round((a - y) / b), array_names=("x1", "x2"),
    local=["G", "−G × trunc({0}/{1})"], latex=r"\mathrm{{fmod}}({0}, {1})",
    probe=_within, doc="What is left of x1 after whole multiples of x2, with the sign of x1.",
)  # fmt: skip


@public(np.divmod)
def divmod(x1: Any, x2: Any, /) -> Any:
    """The pair ``(x1 // x2, x1 % x2)``; the quotient is a constant.

    >>> import autograd_lite as ag
    >>> ag.divmod(ag.tensor(7.5), 2)
    (Tensor(3.), Tensor(1.5))
    """
    return floor_divide(x1, x2), remainder(x1, x2)


copysign = pointwise(
    "copysign", np.copysign, lambda y, a, b: sign(a) * copysign(1.0, b), _zero,
    array_names=("x1", "x2"), local=["G × sign({0})·sign({1})", "0"],
    latex=r"\mathrm{{copysign}}({0}, {1})", domain=(0.5, 3),
    doc="The size of x1 with the sign of x2; the derivative where x1 is 0 is 0.",
)  # fmt: skip
heaviside = pointwise(
    "heaviside", np.heaviside, _zero, lambda y, a, b: equal(a, 0), array_names=("x1", "x2"),
    local=["0", "G × [{0} = 0]"], latex=r"H({0}, {1})", domain=(0.5, 3),
    doc="0 where x1 < 0, 1 where x1 > 0, x2 where x1 is 0; the derivative for x1 is 0.",
)  # fmt: skip
nextafter = pointwise(
    "nextafter", np.nextafter, 1, _zero, array_names=("x1", "x2"), local=["G", "0"],
    latex=r"\mathrm{{nextafter}}({0}, {1})", domain=(0.5, 3),
    doc="The floating number next to x1 on the way to x2; the derivative for x1 is 1.",
)  # fmt: skip
_ldexp = linear(
    "ldexp", lambda x, n: np.ldexp(x, np.asarray(n).astype(np.int64)),
    lambda g, x, n: _ldexp(g, n), None, array_names=("x1", "x2"),
    local=["G × 2^{1}", "no derivative"], latex=r"{0} \cdot 2^{{{1}}}",
    samples=[(((2, 3), "bool(3,)"), {}), (((3,), "bool(2,1)"), {})],
    code="np.ldexp({0}, np.int64({1}))",
)  # fmt: skip


@public(np.ldexp)
def ldexp(x1: Any, x2: Any, /) -> Any:
    """x1·2**x2 of each pair; x2 are integers, without derivative."""
    return _ldexp(x1, x2)


_exponent = nondifferentiable("_exponent", lambda x: np.frexp(x)[1])


@public(np.frexp)
def frexp(x: Any, /) -> Any:
    """Mantissa in ±[0.5, 1) and exponent to base 2 of each element; the exponent is a constant.

    >>> import autograd_lite as ag
    >>> ag.frexp(ag.tensor(6.0))
    (Tensor(0.75), Tensor(3, dtype=int32))
    """
    exponent = _exponent(x)
    return ldexp(x, -exponent), exponent


@public(np.modf)
def modf(x: Any, /) -> Any:
    """Fraction and whole part of each element, both with its sign; the whole part is a constant.

    >>> import autograd_lite as ag
    >>> ag.modf(ag.tensor(-2.5))
    (Tensor(-0.5), Tensor(-2.))
    """
    return fmod(where(isfinite(x), x, copysign(0.0, x)), 1), trunc(x)


# series: derivatives of every order, exact at 0 too


def _sinc_series(z: Any, order: int) -> Any:
    """Derivatives of sin z / z by the power series; for |z| up to about 4."""
    total = np.zeros_like(z)
    for k in range((order + 1) // 2, 24 + order):
        size = math.exp(math.lgamma(2 * k + 1) - math.lgamma(2 * k - order + 1)
                        - math.lgamma(2 * k + 2))  # fmt: skip
        total = total + (-1) ** k * size * z ** (2 * k - order)
    return total


def _sinc_forward(x: Any, *, order: int) -> Any:
    """The derivative of that order of sin(πx)/(πx)."""
    if order == 0:
        return np.sinc(x)
    turns = np.asarray(x, np.result_type(x, np.float64))
    wide = turns * _PI
    small = np.abs(wide) < max(2, order)
    safe = np.where(small, 1.0, wide)
    angle = np.where(small, 1.0, (turns - 2 * np.round(turns.real / 2)) * _PI)
    far = np.sin(angle) / safe
    for n in range(1, order + 1):
        far = (np.sin(angle + n * _PI / 2) - n * far) / safe
    near = _sinc_series(np.where(small, wide, 0.0), order)
    return (np.where(small, near, far) * _PI**order).astype(np.result_type(x, np.float16))


_sinc = general(
    "sinc", _sinc_forward, [lambda g, y, x, *, order: g * _sinc(x, order=order + 1)],
    lambda tangents, y, xs, params: tangents[0] * _sinc(xs[0], order=params["order"] + 1),
    code=lambda x, order: f"np.sinc({x})" if order == 0 else f"sinc({x}, order={order})",
    local=["G × (cos π{0} − y)/{0}"], latex=r"\mathrm{{sinc}}\, {0}",
    samples=[(((3,),), {"order": 0}), (((2, 3),), {"order": 1}), (((),), {"order": 0})],
)  # fmt: skip


@public(np.sinc)
def sinc(x: Any, /) -> Any:
    """sin(πx)/(πx) of each element, 1 at 0; derivatives of every order are exact near 0.

    >>> import autograd_lite as ag
    >>> ag.sinc(ag.tensor([0.0, 0.5]))
    Tensor([1.        , 0.63661977])
    """
    return _sinc(x, order=0)


# special functions: SciPy's


@functools.cache
def _special() -> Any:
    return require("scipy.special", "special")


def _bessel(x: Any, *, order: int) -> Any:
    if order == 0:
        return np.i0(x)
    y = _special().i1(x) if order == 1 else _special().iv(order, x)  # iv(1, 1e-300) is 0
    return y.astype(np.asarray(x).dtype)


def _bessel_slope(x: Any, order: int) -> Any:
    after = _modified_bessel(x, order=order + 1)
    return after if order == 0 else 0.5 * (_modified_bessel(x, order=order - 1) + after)


_modified_bessel = general(
    "i0", _bessel, [lambda g, y, x, *, order: g * _bessel_slope(x, order)],
    lambda tangents, y, xs, params: tangents[0] * _bessel_slope(xs[0], params["order"]),
    code=lambda x, order: f"np.i0({x})" if order == 0 else f"scipy.special.iv({order}, {x})",
    symbol="I₀", local=["G × I₁({0})"], latex=r"I_0({0})",
    samples=[(((3,),), {"order": 0}), (((2, 3),), {"order": 1})],
)  # fmt: skip

_modified_bessel.op.keeps = (2,)  # said, not traced: tracing the rule would load SciPy


@public(np.i0)
def i0(x: Any, /) -> Any:
    """The modified Bessel function of order 0 of each element; its derivative needs SciPy.

    >>> import autograd_lite as ag
    >>> ag.i0(ag.tensor([0.0]))
    Tensor([1.])
    """
    return _modified_bessel(x, order=0)


erf = pointwise(
    "erf", lambda x: _special().erf(x), lambda y, x: 2 / math.sqrt(_PI) * exp(-square(x)),
    local=["G × 2/√π·exp(−{0}²)"], latex=r"\mathrm{{erf}}\, {0}",
    doc="The error function of each element; needs SciPy.", code="scipy.special.erf({0})",
)  # fmt: skip
erfc = pointwise(
    "erfc", lambda x: _special().erfc(x), lambda y, x: -2 / math.sqrt(_PI) * exp(-square(x)),
    local=["−G × 2/√π·exp(−{0}²)"], latex=r"\mathrm{{erfc}}\, {0}",
    doc="1 − erf(x) of each element, exact for large x; needs SciPy.",
    code="scipy.special.erfc({0})",
)  # fmt: skip
erfinv = pointwise(
    "erfinv", lambda x: _special().erfinv(x), lambda y, x: math.sqrt(_PI) / 2 * exp(square(y)),
    local=["G × √π/2·exp(y²)"], latex=r"\mathrm{{erf}}^{{-1}}\, {0}", domain=(-0.9, 0.9),
    doc="The number whose erf is x, for each element of (−1, 1); needs SciPy.",
    code="scipy.special.erfinv({0})",
)  # fmt: skip
gammaln = pointwise(
    "gammaln", lambda x: _special().gammaln(x), lambda y, x: digamma(x),
    local=["G × ψ({0})"], latex=r"\ln\left|\Gamma({0})\right|", domain=(0.5, 4),
    doc="The logarithm of |Γ(x)| of each element; needs SciPy.", code="scipy.special.gammaln({0})",
)  # fmt: skip
_polygamma = general(
    "polygamma", lambda x, *, order: _special().polygamma(order, x).astype(np.asarray(x).dtype),
    [lambda g, y, x, *, order: g * _polygamma(x, order=order + 1)],
    lambda tangents, y, xs, params: tangents[0] * _polygamma(xs[0], order=params["order"] + 1),
    symbol="ψ⁽ⁿ⁾", local=["G × ψ⁽ⁿ⁺¹⁾({0})"], latex=r"\psi^{{(n)}}({0})", domain=(0.5, 4),
    samples=[(((3,),), {"order": 1}), (((2, 2),), {"order": 2})],
    doc="Derivatives of digamma, by their order; needs SciPy.",
    code="scipy.special.polygamma({order}, {0}).astype({0}.dtype)",
)  # fmt: skip
digamma = pointwise(
    "digamma", lambda x: _special().digamma(x), lambda y, x: _polygamma(x, order=1),
    symbol="ψ", local=["G × ψ′({0})"], latex=r"\psi({0})", domain=(0.5, 4),
    doc="The logarithmic derivative of Γ at each element; needs SciPy.",
    code="scipy.special.digamma({0})",
)  # fmt: skip

# steps and bits: constants


def _step(name: str, forward: Any, doc: str, *numpy: Any, **facts: Any) -> Any:
    """An operator without derivative, of one or two operands."""
    names = ("x",) if getattr(forward, "nin", 1) == 1 else ("x1", "x2")
    return nondifferentiable(
        name, forward, numpy=numpy or [forward], array_names=names, doc=doc + "; a constant.",
        **facts,
    )  # fmt: skip


trunc = _step("trunc", np.trunc, "Each element without its fraction", np.trunc, np.fix)
public(also=["fix"])(trunc)
signbit = _step("signbit", np.signbit, "Whether the sign bit is set (of −0 too)")
spacing = _step("spacing", np.spacing, "The distance to the next floating number")
isposinf = _step("isposinf", np.isposinf, "Whether each element is +∞")
isneginf = _step("isneginf", np.isneginf, "Whether each element is −∞")
isreal = _step("isreal", np.isreal, "Whether each element has no imaginary part")
iscomplex = _step("iscomplex", np.iscomplex, "Whether each element has an imaginary part")
logical_xor = _step(
    "logical_xor", np.logical_xor, "Whether exactly one of both holds", symbol="⊻", text="{0} ⊻ {1}"
)


def _bits(ufunc: Any, name: str, doc: str, symbol: str = "", also: Sequence[str] = ()) -> Any:
    """A function of integers: what NumPy gives, as a constant."""
    names = ("x",) if ufunc.nin == 1 else ("x1", "x2")
    op = nondifferentiable(f"_{name}", ufunc, numpy=(), symbol=symbol or name, array_names=names)

    def call(*xs: Any) -> Any:
        return op(*xs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{doc}; of integers, and a constant."
    call.op = op.op  # type: ignore[attr-defined]  # tells that it is a constant
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what `inspect` reads
        [inspect.Parameter(one, inspect.Parameter.POSITIONAL_ONLY) for one in names]
    )
    return public(ufunc, also=also)(call)


bitwise_and = _bits(np.bitwise_and, "bitwise_and", "The bits set in both", "&")
bitwise_or = _bits(np.bitwise_or, "bitwise_or", "The bits set in one of both", "|")
bitwise_xor = _bits(np.bitwise_xor, "bitwise_xor", "The bits set in exactly one", "^")
bitwise_invert = _bits(
    np.bitwise_invert, "bitwise_invert", "Every bit turned", "~", ["bitwise_not", "invert"]
)
bitwise_left_shift = _bits(
    np.bitwise_left_shift, "bitwise_left_shift", "The bits moved to the left", "<<", ["left_shift"]
)
bitwise_right_shift = _bits(
    np.bitwise_right_shift, "bitwise_right_shift", "The bits moved to the right", ">>",
    ["right_shift"],
)  # fmt: skip
bitwise_count = _bits(np.bitwise_count, "bitwise_count", "The number of bits set in |x|")
gcd = _bits(np.gcd, "gcd", "The greatest common divisor")
lcm = _bits(np.lcm, "lcm", "The least common multiple")
