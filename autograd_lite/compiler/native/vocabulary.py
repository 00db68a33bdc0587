"""What NumPy's ufuncs are in machine code, by the ufuncs' own names.

Knows scalars and functions. Does not know arrays, loops nor operators. Imports NumPy.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.compiler.native import functions
from autograd_lite.compiler.native.scalars import Scalar
from autograd_lite.compiler.native.wide import WIDE

__all__ = ["COMPOSED", "LIBRARY", "VECTORISED", "combined", "machine_function", "neutral"]

_Function = Callable[..., Scalar]
_BOOL = np.dtype(np.bool_)


def _divided(a: Scalar, b: Scalar) -> Scalar:
    return a / b


def _larger(a: Scalar, b: Scalar) -> Scalar:
    if a.dtype.kind != "f":
        return (a >= b).choose(a, b) if a.dtype.kind != "b" else a | b
    if b.is_number():
        return (b > a).choose(b, a)  # one instruction
    return ((a >= b) | (a != a)).choose(a, b)


def _smaller(a: Scalar, b: Scalar) -> Scalar:
    if a.dtype.kind != "f":
        return (a <= b).choose(a, b) if a.dtype.kind != "b" else a & b
    if b.is_number():
        return (b < a).choose(b, a)
    return ((a <= b) | (a != a)).choose(a, b)


def _larger_number(a: Scalar, b: Scalar) -> Scalar:
    return _larger(a, b) if a.dtype.kind != "f" else ((a >= b) | (b != b)).choose(a, b)


def _smaller_number(a: Scalar, b: Scalar) -> Scalar:
    return _smaller(a, b) if a.dtype.kind != "f" else ((a <= b) | (b != b)).choose(a, b)


def _sign(x: Scalar) -> Scalar:
    signed = (x > 0).choose(x.code.constant(1, x.dtype), (x < 0).choose(
        x.code.constant(-1 if x.dtype.kind != "u" else 0, x.dtype), x * 0 if x.dtype.kind == "f"
        else x.code.constant(0, x.dtype)))  # fmt: skip
    return (x == 0).choose(x.code.constant(0, x.dtype), signed) if x.dtype.kind == "f" else signed


def _whole_divisor(a: Scalar, b: Scalar) -> tuple[Scalar, Scalar]:
    """A divisor that no machine stumbles over, and whether the real one was unfit."""
    unfit = b == 0
    if a.dtype.kind == "i":
        unfit = unfit | (b == -1)
    return unfit.choose(a.code.constant(1, a.dtype), b), unfit


def _floor_quotient(a: Scalar, b: Scalar) -> Scalar:
    if a.dtype.kind == "f":
        return _float_divmod(a, b)[0]
    safe, unfit = _whole_divisor(a, b)
    quotient, rest = a.quotient(safe), a.rest(safe)
    if a.dtype.kind == "i":
        off = (rest != 0) & ((rest < 0) ^ (safe < 0))
        quotient = off.choose(quotient - 1, quotient)
        return unfit.choose((b == 0).choose(a.code.constant(0, a.dtype), -a), quotient)
    return unfit.choose(a.code.constant(0, a.dtype), quotient)


def _remainder(a: Scalar, b: Scalar) -> Scalar:
    if a.dtype.kind == "f":
        return _float_divmod(a, b)[1]
    safe, unfit = _whole_divisor(a, b)
    rest = a.rest(safe)
    if a.dtype.kind == "i":
        off = (rest != 0) & ((rest < 0) ^ (safe < 0))
        rest = off.choose(rest + safe, rest)
    return unfit.choose(a.code.constant(0, a.dtype), rest)


def _float_divmod(a: Scalar, b: Scalar) -> tuple[Scalar, Scalar]:
    """Floor of the quotient, and what it leaves with the divisor's sign, as Python has them."""
    rest = a.rest(b)
    off = (rest != 0) & ((b < 0) ^ (rest < 0))
    mod = off.choose(rest + b, (rest == 0).choose((rest * 0).with_sign_of(b), rest))
    exact = off.choose((a - rest) / b - 1, (a - rest) / b)
    whole = exact.rounded("floor")
    near = (exact - whole > 0.5).choose(whole + 1, whole)
    quotient = (exact == 0).choose((exact * 0).with_sign_of(a / b), near)
    return (b == 0).choose(a / b, quotient), (b == 0).choose(a.rest(b), mod)


def _power(a: Scalar, b: Scalar) -> Scalar:
    """Powers of real numbers: those that NumPy's operator knows by themselves, else the library."""
    number = _constant_of(b)
    if number == 2:
        return a * a
    if number == 0.5:
        return a.root()
    if number == 1:
        return a
    if number == -1:
        return 1 / a
    return _called("pow", WIDE[np.power])(a, b)


def _constant_of(x: Scalar) -> float | None:
    if not x.name.startswith("0x"):
        return None
    return float(np.uint64(int(x.name, 16)).view(np.float64))


def _called(name: str, wide: _Function | None = None) -> _Function:
    """A function of C's library; of float32 by arithmetic where that is known."""

    def call(*args: Scalar) -> Scalar:
        if args[0].dtype.itemsize == 8:
            return args[0].code.call(name, *args)
        return wide(*args) if wide is not None else args[0].code.call(f"{name}f", *args)

    return call


def _holds(x: Scalar) -> Scalar:
    return x if x.dtype.kind == "b" else x != 0


def _heaviside(a: Scalar, b: Scalar) -> Scalar:
    one, zero = a.code.constant(1, a.dtype), a.code.constant(0, a.dtype)
    return (a != a).choose(a, (a == 0).choose(b, (a > 0).choose(one, zero)))


def _scaled_by(factor: float) -> _Function:
    return lambda x: x * factor


def _logaddexp2(a: Scalar, b: Scalar) -> Scalar:
    gap = a - b
    y = (gap > 0).choose(a, b) + functions.log1p(functions.exp2(-gap.size())) * math.log2(math.e)
    return (a == b).choose(a + 1, (gap != gap).choose(gap, y))


def _not_infinite(x: Scalar) -> Scalar:
    return x.size() < math.inf if x.dtype.kind == "f" else x.code.constant(True, _BOOL)


def _shift(left: bool) -> _Function:
    def call(a: Scalar, b: Scalar) -> Scalar:
        bits = 8 * a.dtype.itemsize
        fits = (b < bits) & (b >= 0) if a.dtype.kind == "i" else b < bits
        safe = fits.choose(b, a.code.constant(0, a.dtype))
        far = a.code.constant(0, a.dtype)
        if not left and a.dtype.kind == "i":
            far = (a < 0).choose(a.code.constant(-1, a.dtype), far)
        return fits.choose(a << safe if left else a >> safe, far)

    return call


LIBRARY = {
    np.sin, np.cos, np.tan, np.arcsin, np.arccos, np.arctan, np.sinh, np.cosh, np.arcsinh,
    np.arccosh, np.arctanh, np.arctan2, np.hypot, np.cbrt, np.nextafter,
}  # fmt: skip
"""Functions that C's library computes, one element after the other: many in float64 alone."""
_C_NAMES = {
    np.arcsin: "asin", np.arccos: "acos", np.arctan: "atan", np.arcsinh: "asinh",
    np.arccosh: "acosh", np.arctanh: "atanh", np.arctan2: "atan2",
}  # fmt: skip
VECTORISED: dict[Any, _Function] = {
    np.add: lambda a, b: a | b if a.dtype.kind == "b" else a + b,
    np.subtract: lambda a, b: a - b,
    np.multiply: lambda a, b: a & b if a.dtype.kind == "b" else a * b,
    np.divide: _divided, np.floor_divide: _floor_quotient, np.remainder: _remainder,
    np.fmod: lambda a, b: a.rest(b), np.power: _power, np.float_power: _power,
    np.negative: lambda x: -x, np.absolute: lambda x: x.size(), np.fabs: lambda x: x.size(),
    np.square: lambda x: x & x if x.dtype.kind == "b" else x * x,
    np.reciprocal: lambda x: 1 / x, np.sqrt: lambda x: x.root(), np.sign: _sign,
    np.exp: functions.exp, np.exp2: functions.exp2, np.expm1: functions.expm1,
    np.log: functions.log, np.log2: functions.log2, np.log10: functions.log10,
    np.log1p: functions.log1p, np.tanh: functions.tanh, np.logaddexp: functions.logaddexp,
    np.logaddexp2: _logaddexp2,
    np.maximum: _larger, np.minimum: _smaller, np.fmax: _larger_number, np.fmin: _smaller_number,
    np.less: lambda a, b: a < b, np.less_equal: lambda a, b: a <= b,
    np.greater: lambda a, b: a > b, np.greater_equal: lambda a, b: a >= b,
    np.equal: lambda a, b: a == b, np.not_equal: lambda a, b: a != b,
    np.logical_and: lambda a, b: _holds(a) & _holds(b),
    np.logical_or: lambda a, b: _holds(a) | _holds(b),
    np.logical_xor: lambda a, b: _holds(a) ^ _holds(b), np.logical_not: lambda x: ~_holds(x),
    np.bitwise_and: lambda a, b: a & b, np.bitwise_or: lambda a, b: a | b,
    np.bitwise_xor: lambda a, b: a ^ b, np.invert: lambda x: ~x,
    np.left_shift: _shift(True), np.right_shift: _shift(False),
    np.isnan: lambda x: x != x, np.isfinite: _not_infinite,
    np.isinf: lambda x: x.size() == math.inf if x.dtype.kind == "f" else x != x,
    np.signbit: lambda x: x.has_sign() if x.dtype.kind == "f" else x < 0,
    np.copysign: lambda a, b: a.with_sign_of(b), np.heaviside: _heaviside,
    np.floor: lambda x: x.rounded("floor"), np.ceil: lambda x: x.rounded("ceil"),
    np.trunc: lambda x: x.rounded("trunc"), np.rint: lambda x: x.rounded("roundeven"),
    np.deg2rad: _scaled_by(math.pi / 180), np.radians: _scaled_by(math.pi / 180),
    np.rad2deg: _scaled_by(180 / math.pi), np.degrees: _scaled_by(180 / math.pi),
}  # fmt: skip
"""Functions as arithmetic, which LLVM computes several at a time."""
COMPOSED: dict[str, _Function] = {"sigmoid": functions.sigmoid, "softplus": functions.softplus}
"""Functions that NumPy makes of others, by our operators' names."""
_FROM_SCIPY = {"erf": "erf", "erfc": "erfc"}  # ufuncs of SciPy that C's library has too


@functools.cache
def _by_name() -> dict[str, _Function]:
    table = {ufunc.__name__: function for ufunc, function in VECTORISED.items()}
    for ufunc in LIBRARY:
        table[ufunc.__name__] = _called(_C_NAMES.get(ufunc, ufunc.__name__), WIDE.get(ufunc))
    table.update({name: _called(in_c, WIDE.get(name)) for name, in_c in _FROM_SCIPY.items()})
    table.update(COMPOSED)
    table["where"] = lambda condition, a, b: condition.choose(a, b)
    table["copy"] = lambda x: x
    return table


def machine_function(name: str, dtypes: Any = ()) -> _Function | None:
    """The function of that name on scalars; None where there is none for these dtypes."""
    if name == "power" and any(dtype.kind != "f" for dtype in dtypes):
        return None
    return _by_name().get(name)


def combined(name: str, a: Scalar, b: Scalar) -> Scalar:
    """A term joined to a reduction; the order of terms is left to the machine."""
    if name == "add":
        return a.freely("fadd", b) if a.dtype.kind == "f" else a + b
    if name == "multiply":
        return a.freely("fmul", b) if a.dtype.kind == "f" else a * b
    if name in ("logical_or", "logical_and"):
        return a | b if name == "logical_or" else a & b
    if a.dtype.kind == "f":
        bits = "f32" if a.dtype.itemsize == 4 else "f64"
        return a.code.call(f"llvm.{name}.{bits}", a, b)
    return _larger(a, b) if name == "maximum" else _smaller(a, b)


def neutral(name: str, dtype: np.dtype[Any]) -> Any:
    """What a reduction begins with."""
    if name in ("add", "logical_or"):
        return 0
    if name in ("multiply", "logical_and"):
        return 1
    if dtype.kind == "f":
        return -math.inf if name == "maximum" else math.inf
    if dtype.kind == "b":
        return name == "minimum"
    limits = np.iinfo(dtype)
    return limits.min if name == "maximum" else limits.max
