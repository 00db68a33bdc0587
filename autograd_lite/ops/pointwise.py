"""Operators on each element alone: arithmetic, exponentials, trigonometry, comparisons, choices.

Knows the local derivative of each. Does not know axes or graphs. Imports rules and NumPy.

The operators that Python has are computed with them (``operator.mul``), since that is what is
fastest for NumPy scalars; on arrays they are the ufuncs of the same name.
"""

import functools
import operator
from typing import Any

import numpy as np

from autograd_lite.rules import linear, nondifferentiable, pointwise, public

_BLOCK = 1 << 15  # elements whose intermediate results stay in a processor's cache


def in_blocks(f: Any) -> Any:
    """A function of each element, on a large array block by block: no large temporaries."""

    @functools.wraps(f)
    def blocked(x: Any) -> Any:
        if x.__class__ is not np.ndarray or x.size <= 2 * _BLOCK:
            return f(x)
        flat = x.reshape(-1)
        y = np.empty(flat.shape, f(flat[:1]).dtype)
        for start in range(0, flat.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            y[part] = f(flat[part])
        return y.reshape(x.shape)

    return blocked


add = pointwise(
    "add", operator.add, 1, 1, numpy=[np.add], symbol="+", text="{0} + {1}",
    latex="{0} + {1}", doc="The sum a + b of each pair of elements; operands broadcast.",
    code="{0} + {1}",
)  # fmt: skip
subtract = pointwise(
    "subtract", operator.sub, 1, -1, numpy=[np.subtract], symbol="−", text="{0} − {1}",
    latex="{0} - {1}", doc="The difference a − b of each pair of elements; operands broadcast.",
    code="{0} - {1}",
)  # fmt: skip
multiply = pointwise(
    "multiply", operator.mul, lambda y, a, b: b, lambda y, a, b: a, numpy=[np.multiply],
    symbol="×", text="{0}·{1}", latex=r"{0} \cdot {1}",
    doc="The product a·b of each pair of elements; operands broadcast.", code="{0} * {1}",
)  # fmt: skip
divide = pointwise(
    "divide", operator.truediv, lambda y, a, b: reciprocal(b), lambda y, a, b: -(y / b),
    numpy=[np.divide], symbol="÷", text="{0}/{1}", latex=r"\frac{{{0}}}{{{1}}}", domain=(0.5, 3),
    doc="The quotient a/b of each pair of elements; operands broadcast; IEEE infinities at b = 0.",
    code="{0} / {1}",
)  # fmt: skip
negative = pointwise(
    "negative", operator.neg, -1, numpy=[np.negative], symbol="×−1", text="−{0}", latex="-{0}",
    doc="Each element with its sign turned.", code="-{0}",
)  # fmt: skip
positive = pointwise(
    "positive", operator.pos, 1, numpy=[np.positive], symbol="+", text="{0}", latex="{0}",
    doc="Each element as it is.", code="+{0}",
)  # fmt: skip


def _reciprocal(x: Any) -> Any:
    return np.divide(1, x)


reciprocal = pointwise(
    "reciprocal", _reciprocal, lambda y, x: -square(y), numpy=[np.reciprocal], symbol="1/x",
    text="1/{0}", latex=r"\frac{{1}}{{{0}}}", domain=(0.5, 3),
    doc="1/x of each element; IEEE infinities at 0; integers give floats.", code="1 / {0}",
)  # fmt: skip
square = pointwise(
    "square", np.square, lambda y, x: 2 * x, symbol="x²", text="{0}²", latex="{0}^2",
    code="{0} ** 2",
    doc="x·x of each element.",
)  # fmt: skip


def _number(value: Any) -> bool:
    return type(value) in (int, float, bool)


def _power_base(y: Any, x: Any, p: Any) -> Any:
    if _number(p):
        return 0 if p == 0 else 2 * x if p == 2 else p * x ** (p - 1)
    flat = logical_and(equal(p, 0), logical_or(equal(x, 0), not_equal(x, x)))
    return where(flat, 0, p * x ** where(flat, 1, p - 1))


def _power_exponent(y: Any, x: Any, p: Any) -> Any:
    flat = logical_and(equal(x, 0), greater_equal(real(p), 0))
    base = where(flat, 1, x)
    if _complex(y) and not _complex(x):
        base = base * (1 + 0j)  # the logarithm of a negative number is complex too
    return where(flat, 0, y * log(base))


def _power_text(base: str, exponent: str) -> str:
    lower = {"2": base, "3": f"{base}²"}.get(exponent, f"{base}^({exponent} − 1)")
    return f"G × {exponent}·{lower}"


power = pointwise(
    "power", operator.pow, _power_base, _power_exponent, numpy=[np.power],
    symbol="xⁿ", text="{0}^{1}",
    local=[_power_text, "G × y·ln {0}"], latex="{0}^{{{1}}}", domain=(0.5, 3),
    doc="x**p of each pair; the derivative of x**0 is 0, and d/dp of 0**p is 0 for p ≥ 0.",
    code="{0} ** {1}",
)  # fmt: skip
exp = pointwise("exp", np.exp, lambda y, x: y, latex=r"e^{{{0}}}", doc="e**x of each element.")
expm1 = pointwise(
    "expm1", np.expm1, lambda y, x: exp(x), latex=r"e^{{{0}}} - 1",
    local=["G × exp({0})"], doc="e**x − 1 of each element, exact near 0.",
)  # fmt: skip
log = pointwise(
    "log", np.log, lambda y, x: reciprocal(x), latex=r"\ln {0}", domain=(0.5, 3),
    doc="The natural logarithm of each element.",
)  # fmt: skip
log1p = pointwise(
    "log1p", np.log1p, lambda y, x: reciprocal(1 + x), latex=r"\ln(1 + {0})",
    domain=(-0.5, 3), doc="log(1 + x) of each element, exact near 0.",
)  # fmt: skip
sqrt = pointwise(
    "sqrt", np.sqrt, lambda y, x: 0.5 / y, symbol="√", text="√{0}",
    latex=r"\sqrt{{{0}}}", domain=(0.5, 3),
    doc="The square root of each element; its derivative at 0 is infinite.",
)  # fmt: skip
abs = pointwise(
    "abs", np.abs, lambda y, x: conj(sign(x)), numpy=[np.abs, np.fabs], symbol="|x|", text="|{0}|",
    latex=r"\left|{0}\right|", doc="The absolute value of each element; its derivative at 0 is 0.",
    code="np.abs",
)  # fmt: skip


# complex numbers: docs/complex.md states the convention


def _complex(x: Any) -> bool:
    return type(x) is complex or (hasattr(x, "dtype") and x.dtype.kind == "c")


def _seen(call: Any, pair: Any) -> Any:
    """A probe: of two real parts a complex operand, of a complex result one real array."""
    result = call(pair[0] + 1j * pair[1])
    return real(result) - 2.5 * imag(result)


_PAIRS: Any = [(((2, 3),), {}), (((2, 2, 2),), {})]
_conj = linear(
    "conj", np.conjugate, lambda g, x: conj(g), symbol="x̄", text="conj {0}",
    latex=r"\overline{{{0}}}", local=["conj G"], samples=_PAIRS, probe=_seen,
)  # fmt: skip
_real = linear(
    "real", np.real, lambda g, x: g, symbol="Re", text="Re {0}", latex=r"\mathrm{{Re}}\, {0}",
    local=["G"], samples=_PAIRS, probe=_seen, array_names=("x",),
)  # fmt: skip
_imag = linear(
    "imag", np.imag, lambda g, x: -1j * g, symbol="Im", text="Im {0}",
    latex=r"\mathrm{{Im}}\, {0}", local=["−i·G"], samples=_PAIRS, probe=_seen,
    array_names=("x",),
)  # fmt: skip
_angle = pointwise(
    "angle", np.angle, lambda y, x: -1j / x if _complex(x) else 0 * x, numpy=[], symbol="∠",
    text="∠{0}", latex=r"\angle {0}", local=["−i·G/{0}"], array_names=("z",), samples=_PAIRS,
    probe=_seen,
)  # fmt: skip


@public(np.conjugate, also=["conjugate"])
def conj(x: Any, /) -> Any:
    """Each element with its imaginary part turned; real numbers as they are.

    >>> import autograd_lite as ag
    >>> ag.conj(ag.tensor([1 + 2j]))
    Tensor([1.-2.j], dtype=complex128)
    """
    return x if hasattr(x, "dtype") and not _complex(x) else _conj(x)


@public(np.real)
def real(x: Any, /) -> Any:
    """The real part of each element; real numbers as they are.

    >>> import autograd_lite as ag
    >>> ag.real(ag.tensor([1 + 2j]))
    Tensor([1.])
    """
    return x if hasattr(x, "dtype") and not _complex(x) else _real(x)


@public(np.imag)
def imag(x: Any, /) -> Any:
    """The imaginary part of each element; 0 of real numbers.

    >>> import autograd_lite as ag
    >>> ag.imag(ag.tensor([1 + 2j]))
    Tensor([2.])
    """
    return _imag(x)


@public(np.angle)
def angle(z: Any, /, deg: bool = False) -> Any:
    """The angle of each complex number from the positive real axis, in radians or degrees.

    The derivative of the angle of a real number is 0; at 0 there is none (NaN).

    >>> import autograd_lite as ag
    >>> ag.angle(ag.tensor([1j, -1.0]), deg=True)
    Tensor([ 90., 180.])
    """
    radians = _angle(z)
    return radians * (180 / np.pi) if deg else radians


@in_blocks
def _tanh_slope_forward(x: Any) -> Any:
    """1/cosh² x: 1 − tanh² x cancels for large x, where tanh x is 1 to the last digit."""
    with np.errstate(under="ignore"):
        e = np.exp(-2 * (np.where(np.real(x) < 0, -x, x) if _complex(x) else np.abs(x)))
        return 4 * e / np.square(1 + e)


_tanh_slope = pointwise(
    "_tanh_slope", _tanh_slope_forward, lambda y, x: -2 * tanh(x) * y, symbol="1 − tanh²",
    text="1 − tanh² {0}", latex=r"1 - \tanh^2 {0}", local=["G × (−2·tanh {0}·y)"],
    code="1 / np.cosh({0}) ** 2",
    doc="The slope of tanh at each element, exact at both ends.",
)  # fmt: skip
tanh = pointwise(
    "tanh", np.tanh, lambda y, x: _tanh_slope(x), latex=r"\tanh {0}", local=["G × (1 − y²)"],
    doc="The hyperbolic tangent of each element; its slope is exact where 1 − y² cancels.",
)  # fmt: skip
sin = pointwise(
    "sin", np.sin, lambda y, x: cos(x), latex=r"\sin {0}",
    doc="The sine of each element, in radians.",
)  # fmt: skip
cos = pointwise(
    "cos", np.cos, lambda y, x: -sin(x), latex=r"\cos {0}",
    doc="The cosine of each element, in radians.",
)  # fmt: skip


# Where both operands are equal a Python number takes the whole gradient, else the first operand;
# a NaN in the result makes the derivative NaN. Against a number the output alone tells the side.


def _lost_marked(y: Any, taken: Any) -> Any:
    lost = np.isnan(np.minimum.reduce(y, axis=None, initial=0.0))  # one NaN makes the least NaN
    return np.where(np.isnan(y), y, taken) if lost else taken


_or_nan = nondifferentiable(
    "_or_nan",
    _lost_marked,
    symbol="[ ]",
    text="{1}",
    doc="The second operand; NaN where y is NaN.",
    code="np.where(np.isnan({0}), {0}, {1})",
)


def _max_left(y: Any, a: Any, b: Any) -> Any:
    return _or_nan(y, greater(y, b) if _number(b) else greater_equal(a, b))


def _max_right(y: Any, a: Any, b: Any) -> Any:
    return _or_nan(y, greater(y, a) if _number(a) else greater(b, a))


def _min_left(y: Any, a: Any, b: Any) -> Any:
    return _or_nan(y, less(y, b) if _number(b) else less_equal(a, b))


def _min_right(y: Any, a: Any, b: Any) -> Any:
    return _or_nan(y, less(y, a) if _number(a) else less(b, a))


def _side(symbol: str) -> Any:
    """The text of an extremum's rule; against a number the tie goes to the number."""

    def text(own: str, other: str) -> str:
        tie = "" if other.lstrip("−").replace(".", "").isdigit() else "="
        return f"G × [{own} {(symbol + tie).replace('>=', '≥').replace('<=', '≤')} {other}]"

    return text


maximum = pointwise(
    "maximum", np.maximum, _max_left, _max_right, symbol="max", text="max({0}, {1})",
    latex=r"\max({0}, {1})", local=[_side(">"), lambda a, b: f"G × [{b} > {a}]"],
    doc="The larger of each pair. At a tie a Python number takes the gradient, else the first.",
)  # fmt: skip
minimum = pointwise(
    "minimum", np.minimum, _min_left, _min_right, symbol="min", text="min({0}, {1})",
    latex=r"\min({0}, {1})", local=[_side("<"), lambda a, b: f"G × [{b} < {a}]"],
    doc="The smaller of each pair. At a tie a Python number takes the gradient, else the first.",
)  # fmt: skip

_BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


def _is_zero(x: Any) -> bool:
    return type(x) is int and x == 0


def _chosen(condition: Any, x1: Any, x2: Any) -> Any:
    """``np.where``; where one branch is the number 0 the bits of the other times 0 or 1.

    That has no branch to mispredict, and a NaN or an infinity that is not taken becomes 0 too.
    """
    other = x1 if _is_zero(x2) else x2 if _is_zero(x1) else None
    if other.__class__ is condition.__class__ is np.ndarray and condition.dtype == np.bool_:
        bits = _BITS.get(other.dtype)
        if bits is not None and other.shape == condition.shape:
            taken = condition if other is x1 else ~condition
            return np.multiply(other.view(bits), taken).view(other.dtype)
    return np.where(condition, x1, x2)


_where = linear(
    "where", _chosen, None, lambda g, c, a, b: where(c, g, 0), lambda g, c, a, b: where(c, 0, g),
    local=["no derivative", "G × [{0}]", "G × [not {0}]"], symbol="where", code="np.where",
    array_names=("condition", "x1", "x2"),
    latex=r"\begin{{cases}}{1} & \text{{if }} {0} \\ {2} & \text{{otherwise}}\end{{cases}}",
    samples=[(("bool(2,3)", (2, 3), (3,)), {}), (("bool(3,)", (), (2, 1)), {})],
)  # fmt: skip


@public(np.where)
def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """Elements of ``x1`` where the condition holds, of ``x2`` elsewhere; all three broadcast.

    The gradient goes to the chosen elements alone. A branch that is not taken gets 0, so that 0
    times an infinite local derivative of what made that branch may still give NaN: guard its
    argument too.

    >>> import autograd_lite as ag
    >>> ag.where([True, False], ag.tensor([1.0, 2.0]), 0.0)
    Tensor([1., 0.])
    """
    return _where(condition, x1, x2)


def _comparison(name: str, forward: Any, ufunc: Any, symbol: str, code: str) -> Any:
    return nondifferentiable(
        name, forward, numpy=[ufunc], symbol=symbol, text="{0} " + symbol + " {1}",
        code="{0} " + code + " {1}", array_names=("a", "b"),
        doc=f"Whether a {symbol} b, for each pair of elements; a constant.",
    )  # fmt: skip


less = _comparison("less", operator.lt, np.less, "<", "<")
less_equal = _comparison("less_equal", operator.le, np.less_equal, "≤", "<=")
greater = _comparison("greater", operator.gt, np.greater, ">", ">")
greater_equal = _comparison("greater_equal", operator.ge, np.greater_equal, "≥", ">=")
equal = _comparison("equal", np.equal, np.equal, "=", "==")
not_equal = _comparison("not_equal", np.not_equal, np.not_equal, "≠", "!=")
logical_and = nondifferentiable(
    "logical_and",
    np.logical_and,
    symbol="∧",
    text="{0} ∧ {1}",
    doc="Whether both hold; a constant.",
)
logical_or = nondifferentiable(
    "logical_or",
    np.logical_or,
    symbol="∨",
    text="{0} ∨ {1}",
    doc="Whether one of both holds; a constant.",
)
logical_not = nondifferentiable(
    "logical_not",
    np.logical_not,
    symbol="¬",
    text="¬{0}",
    doc="Whether it does not hold; a constant.",
)
_sign = nondifferentiable("sign", np.sign, numpy=[])


@public(np.sign)
def sign(x: Any, /) -> Any:
    """−1, 0 or 1 for each element: a constant, since its derivative is zero almost everywhere.

    Of a complex number z/|z|, which has a derivative; at 0 both are 0.

    >>> import autograd_lite as ag
    >>> ag.sign(ag.tensor([-2.0, 0.0, 3.0]))
    Tensor([-1.,  0.,  1.])
    """
    if not _complex(x):
        return _sign(x)
    flat = equal(x, 0)
    return where(flat, 0, x / where(flat, 1, abs(x)))


floor = nondifferentiable(
    "floor", np.floor, symbol="⌊x⌋", text="⌊{0}⌋", doc="The integer below each element; a constant."
)
ceil = nondifferentiable(
    "ceil", np.ceil, symbol="⌈x⌉", text="⌈{0}⌉", doc="The integer above each element; a constant."
)
round = nondifferentiable(
    "round", np.round, numpy=[np.round, np.rint], array_names=("x",),
    doc="The nearest integer of each element (ties to even); a constant.",
)  # fmt: skip
floor_divide = nondifferentiable(
    "floor_divide", operator.floordiv, numpy=[np.floor_divide], symbol="//", text="⌊{0}/{1}⌋",
    array_names=("a", "b"), doc="The integer below a/b; a constant. For a derivative write a / b.",
    code="{0} // {1}",
)  # fmt: skip
isnan = nondifferentiable("isnan", np.isnan, doc="Whether each element is NaN; a constant.")
isinf = nondifferentiable("isinf", np.isinf, doc="Whether each element is infinite; a constant.")
isfinite = nondifferentiable(
    "isfinite", np.isfinite, doc="Whether each element is finite; a constant."
)
