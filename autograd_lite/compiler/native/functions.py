"""Exponentials, logarithms and their kin as straight-line arithmetic, which LLVM vectorises.

No branches, no tables, no calls: choices by ``select``, powers of two by their bits. Accuracy over
the whole range, denormal results included, is measured in tests/compiler/test_native_functions.py
and stated in docs/compile.md. Knows scalars. Does not know arrays.

Sources of the formulas: reduction by multiples of ln 2 in two parts (Cody and Waite, Software
Manual for the Elementary Functions, 1980); log(1 + f) by the series of artanh in f/(2 + f); log1p
and expm1 with the rounding of 1 + x made good (Kahan). The coefficients are those of Chebyshev
fits, computed in tests/compiler/coefficients.py.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograd_lite.compiler.native.scalars import Scalar

__all__ = [
    "DOUBLE",
    "SINGLE",
    "Format",
    "clamped",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "polynomial",
    "sigmoid",
    "softplus",
    "tanh",
]


class Format(NamedTuple):
    """What the formulas need to know of a floating dtype."""

    digits: int  # bits of the significand that are stored
    bias: int
    ln2_high: float  # with zeros at its end, so that multiples by whole numbers are exact
    ln2_low: float
    exp: Sequence[float]  # (eʳ − 1 − r)/r² for |r| ≤ ln 2/2
    tanh: Sequence[float]  # (tanh(x)/x − 1)/x² in x², for |x| ≤ 0.55
    log: Sequence[float]  # (log((1 + s)/(1 − s)) − 2s)/s³ in s², for |s| ≤ 0.1716
    log1p: Sequence[float]  # the same for |s| ≤ 1/3
    low: float  # where exp is 0, and above which it is infinite
    high: float
    tiny: float  # the smallest normal number


SINGLE = Format(
    23, 127, 0.693145751953125, 1.428606765330187e-06,
    (0.5, 0.16666576266288757, 0.04166655242443085, 0.00836323294788599, 0.0013926250394433737),
    (
        -0.3333333134651184, 0.13333113491535187, -0.05390936881303787, 0.021309029310941696,
        -0.006609552539885044,
    ),
    (0.6666668653488159, 0.3998875916004181, 0.29580986499786377),
    (
        0.6666666865348816, 0.3999970555305481, 0.2859242558479309,
        0.21705427765846252, 0.23230256140232086,
    ),
    -104.0, 89.0, 2.0**-126,
)  # fmt: skip
DOUBLE = Format(
    52, 1023, 0.6931471803691238, 1.9082149292705877e-10,
    (
        0.5000000000000001, 0.16666666666666669, 0.041666666666623824, 0.008333333333330039,
        0.0013888888917367081, 0.00019841269863171557, 2.4801521057868204e-05,
        2.7557268276905696e-06, 2.7620201591031547e-07, 2.5100472505694996e-08,
    ),
    (
        -0.3333333333333333, 0.13333333333332711, -0.05396825396743151, 0.021869488493552625,
        -0.008863234395177999, 0.003592110343931255, -0.0014556615522767396,
        0.00058893468259176, -0.00023463067524526733, 8.510647287642557e-05,
        -2.0598135435770385e-05,
    ),
    (
        0.666666666666667, 0.3999999999989889, 0.28571428626253836, 0.22222211089379496,
        0.1818289243253687, 0.15331611722055008, 0.14617807153417325,
    ),
    (
        0.6666666666666666, 0.40000000000014724, 0.28571428567071666,
        0.22222222721178223, 0.18181789247591537, 0.15385575355515838,
        0.13314057480122862, 0.12001897520703772, 0.08796527026674057,
        0.16172973765164872,
    ),
    -746.0, 710.0, 2.0**-1022,
)  # fmt: skip


def _format(x: Scalar) -> Format:
    return SINGLE if x.dtype.itemsize == 4 else DOUBLE


def polynomial(x: Scalar, coefficients: Sequence[float]) -> Scalar:
    """Horner's scheme in x² on pairs of terms: half as many steps wait for each other."""
    pairs = [
        x.times_plus(coefficients[i + 1], coefficients[i])
        if i + 1 < len(coefficients)
        else x.code.constant(coefficients[i], x.dtype)
        for i in range(0, len(coefficients), 2)
    ]
    total = pairs.pop()
    for pair in reversed(pairs):
        total = total.times_plus(x * x, pair)
    return total


def _at_least(x: Scalar, low: float) -> Scalar:
    """Held above a bound; NaN stays NaN."""
    return (x < low).choose(low, x)


def clamped(x: Scalar, low: float, high: float) -> Scalar:
    """Held between the bounds; NaN stays NaN."""
    above = _at_least(x, low)
    return (above > high).choose(high, above)


def _rounder(form: Format) -> float:
    """What added to a number and taken away rounds it; the sum's last bits hold the integer."""
    return 1.5 * 2.0**form.digits


def _power_of_two(n: Scalar, form: Format) -> Scalar:
    """2ⁿ of a normal result, for n in the last bits of an integer."""
    return ((n + form.bias) << form.digits).from_bits()


class _Multiple(NamedTuple):
    """x = k·ln 2 + high + low, of ±ln 2/2, with the whole k (or k + offset) in the last bits."""

    bits: Scalar
    high: Scalar
    low: Scalar
    rest: Scalar  # high + low, rounded once


def _reduced(x: Scalar, offset: int = 0) -> _Multiple:
    """The nearest multiple of ln 2, and what is left."""
    form = _format(x)
    total = x.times_plus(math.log2(math.e), _rounder(form) + offset)
    k = total - (_rounder(form) + offset)
    high = k.times_plus(-form.ln2_high, x)
    return _Multiple(total.bits(), high, k * -form.ln2_low, k.times_plus(-form.ln2_low, high))


def _curved(r: Scalar, more: Scalar) -> Scalar:
    """eʳ − 1 − r for |r| ≤ ln 2/2, and what is to be added to it."""
    return (r * r).times_plus(polynomial(r, _format(r).exp), more)


def _scaled(s: Scalar, bits: Scalar, down: Scalar) -> Scalar:
    """(1 + s)·2ᵏ where 2ᵏ itself may be no normal number; ``down`` tells whether k ≤ 0."""
    form = _format(s)
    more = form.digits + 2
    shift = down.choose(s.code.constant(more, bits.dtype), s.code.constant(-1, bits.dtype))
    back = down.choose(s.code.constant(2.0**-more, s.dtype), s.code.constant(2, s.dtype))
    return (s + 1) * _power_of_two(bits + shift, form) * back


def exp(x: Scalar) -> Scalar:
    """e**x."""
    form = _format(x)
    if x.is_not_positive():
        held, down = _at_least(x, form.low), x.code.constant(True, np.bool_)
    else:
        held, down = clamped(x, form.low, form.high), x.has_sign()
    bits, _, _, r = _reduced(held)
    return _scaled(_curved(r, r), bits, down)


def _decayed(x: Scalar) -> tuple[Scalar, Scalar]:
    """T = 2ᵏ and s with exp(−|x|) = T·(1 + s), s of ±0.42."""
    form = _format(x)
    more = form.digits + 1
    bits, _, _, r = _reduced(_at_least(-x.size(), form.low), form.bias + more)
    return (bits << form.digits).from_bits() * 2.0**-more, _curved(r, r)


def _shares(x: Scalar) -> tuple[Scalar, Scalar]:
    """σ(−|x|) and σ(|x|): e·r and r for e = exp(−|x|), r = 1/(1 + e).

    What the rounded r leaves of 1 − r − e·r, known without a rounding of 1 + e, mends it.
    """
    power, s = _decayed(x)
    r = 1 / power.times_plus(s, power + 1)
    left = (-power).times_plus(r.times_plus(s, r), 1 - r)
    right = r.times_plus(left, r)
    return right.times_plus(s, right) * power, right


def sigmoid(x: Scalar) -> Scalar:
    """1/(1 + e⁻ˣ); σ(−x) is the other choice of the same two values."""
    return x.has_sign().choose(*_shares(x))


def softplus(x: Scalar) -> Scalar:
    """log(1 + eˣ) = max(x, 0) + log(1 + e), e = exp(−|x|), by the series of artanh in e/(2 + e).

    Of what rounding took from e a half goes on to the logarithm for e = 1, all for small e. Two
    thirds serve for both.
    """
    power, s = _decayed(x)
    e = power.times_plus(s, power)
    rounded = power.times_plus(s, power - e)
    q = e / (e + 2)
    z = q * q
    rest = (-z).times_plus(polynomial(z, _format(x).log1p), e)
    base = x.has_sign().choose(x.code.constant(0, x.dtype), x)
    total = e + base
    lost = rounded.times_plus(0.65, base - (total - e))
    return (x == math.inf).choose(x, total + (-q).times_plus(rest, lost))


def exp2(x: Scalar) -> Scalar:
    """2**x."""
    form = _format(x)
    held = clamped(x, -form.bias - form.digits - 2, form.bias + 2)
    total = held + _rounder(form)
    rest = held - (total - _rounder(form))
    r = rest.times_plus(form.ln2_high, rest * form.ln2_low)
    return _scaled(_curved(r, r), total.bits(), x.has_sign())


def expm1(x: Scalar) -> Scalar:
    """e**x − 1 = (2ᵏ − 1) + 2ᵏ·(eʳ − 1), where two large terms may nearly cancel."""
    form = _format(x)
    bits, high, low, r = _reduced(clamped(x, -1.0 * form.digits, form.high))
    half = _power_of_two(bits - 1, form)  # of 2ᵏ, which may be too large by itself
    most = half.times_plus(high, half - 0.5)
    lost = half.times_plus(high, (half - 0.5) - most)
    y = (most + half.times_plus(_curved(r, low), lost)) * 2
    return (x.size() < 2.0 ** (-form.digits - 2)).choose(x, y)


def _log_reduced(x: Scalar) -> tuple[Scalar, Scalar]:
    """The whole k and f with x = 2ᵏ·(1 + f), 1 + f from √½ to √2; for positive finite x."""
    form = _format(x)
    small = x < form.tiny
    bits = small.choose(x * 2.0 ** (form.digits + 2), x).bits()
    middle = int(np.asarray(math.sqrt(0.5), x.dtype).view(bits.dtype))
    zero = (form.bias + 1) << form.digits
    biased = (bits + (zero - middle)).above(form.digits)
    base = int(np.asarray(2.0**form.digits, x.dtype).view(bits.dtype))
    k = (biased | base).from_bits() - (2.0**form.digits + form.bias + 1)
    f = (bits - (biased << form.digits) + _wrapped(zero, bits)).from_bits() - 1
    return small.choose(k - (form.digits + 2), k), f


def _wrapped(value: int, like: Scalar) -> int:
    """An integer as the bits of a signed one."""
    size = 8 * like.dtype.itemsize
    return (value + (1 << (size - 1))) % (1 << size) - (1 << (size - 1))


def _limits(x: Scalar, y: Scalar) -> Scalar:
    """A logarithm's values where x is not positive and finite."""
    usual = (x < math.inf).choose(y, x)
    return (x == 0).choose(-math.inf, (x < 0).choose(math.nan, usual))


def _correction(f: Scalar) -> tuple[Scalar, Scalar]:
    """f²/2, and the c with log(1 + f) = f − (f²/2 − c)."""
    s = f / (f + 2)
    z = s * s
    half = f * f * 0.5
    return half, s * (half + z * polynomial(z, _format(f).log))


def log(x: Scalar) -> Scalar:
    """The natural logarithm."""
    form = _format(x)
    k, f = _log_reduced(x)
    half, c = _correction(f)
    return _limits(x, k * form.ln2_high - ((half - (c + k * form.ln2_low)) - f))


def _log_in(x: Scalar, unit: float) -> Scalar:
    """log(x)·unit, whole for whole powers of two if unit is 1/ln 2."""
    k, f = _log_reduced(x)
    half, c = _correction(f)
    natural = f - (half - c)
    rest = (f - natural) - (half - c)  # what rounding took from the sum
    if unit == _LOG2_E:
        return _limits(x, natural.times_plus(unit, rest * unit + natural * _LOW[x.dtype.char]) + k)
    tail = _LOG10_2_LOW[x.dtype.char]
    high = _LOG10_2_HIGH[x.dtype.char]
    return _limits(x, k * high + natural.times_plus(unit, rest * unit + k * tail))


_LOG2_E = math.log2(math.e)
_LOW = {"d": 2.0355273740931033e-17, "f": 1.925963033500011e-08}  # what log₂ e has beyond itself
_LOG10_2_HIGH = {"d": 0.3010299955494702, "f": 0.301025390625}
_LOG10_2_LOW = {"d": 1.1451100898021838e-10, "f": 4.605039066518657e-06}


def log2(x: Scalar) -> Scalar:
    """The logarithm to base 2, exact for powers of two."""
    return _log_in(x, _LOG2_E)


def log10(x: Scalar) -> Scalar:
    """The logarithm to base 10."""
    return _log_in(x, math.log10(math.e))


def log1p(x: Scalar) -> Scalar:
    """log(1 + x), exact near 0."""
    u = x + 1
    one = u - x
    lost = (x - (u - one)) + (1 - one)
    y = log(u) + lost / u
    usual = (x < math.inf).choose(y, x)
    return (x == -1).choose(-math.inf, (x.size() < 2.0**-60).choose(x, usual))


def tanh(x: Scalar) -> Scalar:
    """The hyperbolic tangent: a polynomial near 0, 1 − 2·σ(−2x) elsewhere."""
    size = x.size()
    z = x * x
    near = (x * z).times_plus(polynomial(z, _format(x).tanh), x)
    far = 1 - _shares(x * 2)[0] * 2
    return (size < 0.55).choose(near, far).with_sign_of(x)


def logaddexp(a: Scalar, b: Scalar) -> Scalar:
    """log(eᵃ + eᵇ), infinities included."""
    gap = a - b
    same = a == b
    y = (gap > 0).choose(a, b) + log1p(exp(-gap.size()))
    return same.choose(a + math.log(2), (gap != gap).choose(gap, y))
