"""Values of the Array API standard: its special cases, extensions, manipulation, operators.

The tables say what the standard says of NaN, infinities and signed zeros; elsewhere NumPy judges,
by Hypothesis, over shapes with no element and with no axis too.
"""

from __future__ import annotations

import itertools
import math
import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.test_array_api import INTEGER, KINDS, arrays, both, elements, own, same, xp

# special cases: input → result, as tables of the standard's own words
# Of one argument. ``x`` is the argument itself, ``~`` a result that is rounded.

CLASSES: dict[str, list[float]] = {
    "pos": [0.25, 1.0, 3.0],
    "neg": [-0.25, -1.0, -2.5],
    ">1": [1.5, 1e30],
    "<-1": [-1.5, -1e30],
    "<1": [0.5, -0.0, -3.0],
    "zero": [0.0, -0.0],
    "inf±": [math.inf, -math.inf],
    "whole": [1.0, -7.0, 1e20],
    "odd-": [-1.0, -3.0],
    "odd+": [1.0, 3.0],
    "even-": [-2.0, -2.5],
    "even+": [2.0, 0.5],
    "large": [1.5, -3.0],
    "small": [0.5, -0.25, 0.0, -0.0],
    "broken": [0.5, -1.5],
}
CLASSES["finite"] = [*CLASSES["pos"], *CLASSES["neg"], *CLASSES["zero"]]
CLASSES["some"] = [*CLASSES["pos"], *CLASSES["neg"]]
CLASSES["number"] = [*CLASSES["finite"], *CLASSES["inf±"]]
CLASSES["any"] = [*CLASSES["number"], math.nan]
CLASSES["above"] = [0.0, -0.0, *CLASSES["pos"], math.inf]

ROUNDING = "nan nan, inf± x, zero x, whole x"
ODD = "nan nan, zero x, inf± x"
LOGARITHM = "nan nan, neg nan, zero -inf, 1 0, inf inf"
ONE: dict[str, str] = {
    "abs": "nan nan, -0 0, 0 0, -inf inf, inf inf",
    "acos": "nan nan, >1 nan, <-1 nan, 1 0",
    "acosh": "nan nan, <1 nan, 1 0, inf inf",
    "asin": "nan nan, >1 nan, <-1 nan, zero x",
    "asinh": ODD,
    "atan": "nan nan, zero x, inf ~pi/2, -inf ~-pi/2",
    "atanh": "nan nan, >1 nan, <-1 nan, -1 -inf, 1 inf, zero x",
    "ceil": ROUNDING + ", -0.5 -0",
    "cos": "nan nan, zero 1, inf± nan",
    "cosh": "nan nan, zero 1, inf± inf",
    "exp": "nan nan, zero 1, inf inf, -inf 0",
    "expm1": "nan nan, zero x, inf inf, -inf -1",
    "floor": ROUNDING,
    "isfinite": "nan 0, inf± 0, finite 1",
    "isinf": "nan 0, inf± 1, finite 0",
    "isnan": "nan 1, number 0",
    "log": LOGARITHM,
    "log10": LOGARITHM,
    "log1p": "nan nan, <-1 nan, -1 -inf, zero x, inf inf",
    "log2": LOGARITHM,
    "logical_not": "zero 1, pos 0, inf± 0, nan 0",
    "negative": "nan nan, inf -inf, -inf inf, 0 -0, -0 0",
    "positive": "nan nan, inf± x, zero x",
    "reciprocal": "nan nan, 0 inf, -0 -inf, inf 0, -inf -0",
    "round": ROUNDING + ", 0.5 0, -0.5 -0, 1.5 2, 2.5 2",
    "sign": "nan nan, neg -1, zero 0, pos 1, inf 1, -inf -1",
    "signbit": "0 0, -0 1, inf 0, -inf 1, pos 0, neg 1",
    "sin": "nan nan, zero x, inf± nan",
    "sinh": ODD,
    "sqrt": "nan nan, neg nan, -inf nan, zero x, inf inf",
    "square": "nan nan, zero 0, inf± inf",
    "tan": "nan nan, zero x, inf± nan",
    "tanh": "nan nan, zero x, inf 1, -inf -1",
    "trunc": ROUNDING + ", -0.5 -0",
}

# Of two arguments, ``a`` and ``b``.
LOST = "nan any nan, any nan nan"
NEVER = "nan any 0, any nan 0"
TWO: dict[str, str] = {
    "add": LOST + """, inf -inf nan, -inf inf nan, inf inf inf, -inf -inf -inf, inf finite inf,
        -inf finite -inf, finite inf inf, finite -inf -inf, -0 -0 -0, -0 0 0, 0 -0 0, 0 0 0,
        zero some b, some zero a, 3 -3 0, -1 1 0""",
    "atan2": LOST + """, pos zero ~pi/2, 0 pos 0, 0 0 0, 0 -0 ~pi, 0 neg ~pi, -0 pos -0, -0 0 -0,
        -0 -0 ~-pi, -0 neg ~-pi, neg zero ~-pi/2, pos inf 0, pos -inf ~pi, neg inf -0,
        neg -inf ~-pi, inf finite ~pi/2, -inf finite ~-pi/2, inf inf ~pi/4, inf -inf ~3pi/4,
        -inf inf ~-pi/4, -inf -inf ~-3pi/4""",
    "copysign": "pos 0 a, pos -0 -a, neg -inf a, neg inf -a, zero 3 0, zero -3 -0, nan any nan",
    "divide": LOST + """, inf± inf± nan, zero zero nan, 0 pos 0, 0 neg -0, -0 pos -0, -0 neg 0,
        pos 0 inf, pos -0 -inf, neg 0 -inf, neg -0 inf, inf pos inf, inf neg -inf, -inf pos -inf,
        -inf neg inf, pos inf 0, pos -inf -0, neg inf -0, neg -inf 0""",
    "equal": NEVER + ", inf inf 1, -inf -inf 1, -0 0 1, 0 -0 1, inf -inf 0",
    "floor_divide": LOST + """, inf± inf± nan, zero zero nan, 0 pos 0, 0 neg -0, -0 pos -0,
        -0 neg 0, pos 0 inf, pos -0 -inf, neg 0 -inf, neg -0 inf, pos inf 0, neg -inf 0""",
    "greater": NEVER + ", inf finite 1, finite -inf 1, zero zero 0",
    "greater_equal": NEVER + ", inf number 1, number -inf 1, zero zero 1",
    "hypot": """inf± any inf, any inf± inf, nan finite nan, finite nan nan, zero zero 0,
        0 pos b, -0 pos b, pos zero a""",
    "less": NEVER + ", -inf finite 1, finite inf 1, zero zero 0",
    "less_equal": NEVER + ", -inf number 1, number inf 1, zero zero 1",
    "logaddexp": LOST + ", inf number inf, number inf inf, -inf some b, some -inf a",
    "logical_and": "zero any 0, any zero 0, inf nan 1, pos neg 1",
    "logical_or": "zero zero 0, nan zero 1, zero inf 1",
    "logical_xor": "zero zero 0, pos neg 0, zero nan 1, inf zero 1",
    "maximum": LOST + ", inf number inf, number inf inf, -inf number b, number -inf a",
    "minimum": LOST + ", -inf number -inf, number -inf -inf, inf number b, number inf a",
    "multiply": LOST + """, inf± zero nan, zero inf± nan, inf pos inf, inf neg -inf, -inf pos -inf,
        -inf neg inf, pos inf inf, neg inf -inf, pos -inf -inf, neg -inf inf, inf inf inf,
        inf -inf -inf, -inf -inf inf, 0 pos 0, 0 neg -0, -0 pos -0, -0 neg 0""",
    "nextafter": LOST + ", 0 -0 b, -0 0 b, 1 1 b, inf inf b",
    "not_equal": "nan any 1, any nan 1, inf inf 0, -0 0 0",
    "pow": """any zero 1, nan some nan, large inf inf, large -inf 0, 1 any 1, -1 inf± 1,
        small inf 0, small -inf inf, inf pos inf, inf neg 0, -inf odd+ -inf, -inf even+ inf,
        -inf odd- -0, -inf even- 0, 0 pos 0, 0 neg inf, -0 odd+ -0, -0 even+ 0,
        -0 odd- -inf, -0 even- inf, neg broken nan, some nan nan""",
    "remainder": LOST + """, inf± number nan, finite zero nan, 0 pos 0, -0 pos 0, 0 neg -0,
        -0 neg -0, pos inf a, pos -inf b, neg inf b, neg -inf a""",
    "subtract": LOST + """, inf inf nan, -inf -inf nan, inf -inf inf, -inf inf -inf, inf finite inf,
        finite inf -inf, finite -inf inf, -0 0 -0, 0 0 0, 0 -0 0, -0 -0 0, pos zero a""",
}  # fmt: skip
TWO["pow"] = TWO["pow"].replace("some nan nan", "0.25 nan nan, 3 nan nan, neg nan nan")


def meant(word: str) -> list[float]:
    if word in CLASSES:
        return CLASSES[word]
    times, pi, part = word.lstrip("~").partition("pi")
    if pi:
        return [(float(f"{times}1") if times in ("", "-") else float(times)) * math.pi
                / float(part[1:] or 1)]  # fmt: skip
    return [float(times)]


def cases(table: str) -> list[tuple[tuple[float, ...], str]]:
    """The rows of a table, its classes spelled out: arguments, and the word for the result."""
    rows = [row.split() for row in table.split(",")]
    return [(xs, row[-1]) for row in rows for xs in itertools.product(*map(meant, row[:-1]))]


def told(word: str, xs: tuple[float, ...]) -> float:
    named = dict(zip("ab" if len(xs) > 1 else "x", xs, strict=True))
    name = word.lstrip("-")
    if name in named:
        return -named[name] if word.startswith("-") else named[name]
    return meant(word)[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_special_cases(name: str, dtype: Any) -> None:
    found = cases((ONE | TWO)[name])
    assert len(found) > 3
    for xs, word in found:
        arguments = [np.array([x], dtype) for x in xs]
        with np.errstate(all="ignore"):
            y = own(name)(*map(xp.asarray, arguments)).data
        wanted = np.array([told(word, xs)]).astype(y.dtype)
        said = f"{name}{xs} gave {y[0]}, not {word}"
        rtol = 4 * np.finfo(dtype).eps if word.startswith("~") else 0
        np.testing.assert_allclose(y, wanted, rtol=rtol, atol=0, err_msg=said)
        if y.dtype.kind == "f" and not np.isnan(wanted[0]):
            assert np.signbit(y[0]) == np.signbit(wanted[0]), said


def test_where_floor_divide_is_numpys() -> None:
    """The one deviation among the tables: NumPy's quotients at infinities (see DEVIATIONS)."""
    for a, b in itertools.product([math.inf, -math.inf, 2.0, -2.0], repeat=2):
        with np.errstate(all="ignore"):
            same(xp.floor_divide(xp.asarray([a]), xp.asarray([b])), np.floor_divide([a], [b]))


# linear algebra


@st.composite
def matrices(draw: Any, *, square: bool = True, kinds: str = "fc", shift: float = 0.0) -> Any:
    """A matrix or a batch, maybe empty; a shift of the diagonal makes square ones well-behaved."""
    batch = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=2))
    m = draw(st.integers(0, 4))
    n = m if square else draw(st.integers(0, 4))
    x = draw(arrays(kinds, shape=(*batch, m, n))) / 4
    return x + (shift * np.eye(m, n)).astype(x.dtype)


SQUARE = ["det", "inv", "slogdet"]
ANY = ["matrix_transpose", "svdvals", "pinv", "matrix_rank"]


@pytest.mark.parametrize("name", [*SQUARE, *ANY])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_linear_algebra(name: str, data: Any) -> None:
    both(f"linalg.{name}", data.draw(matrices(square=name in SQUARE, shift=12.0)))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_more_linear_algebra(data: Any) -> None:
    x = data.draw(matrices(shift=12.0))
    n = x.shape[-1]
    both("linalg.matrix_power", x, data.draw(st.integers(-2, 3)))
    single = data.draw(st.booleans())
    b = data.draw(arrays("f", shape=(n,) if single else (n, 2))).astype(x.dtype)
    both("linalg.solve", x, b)
    positive = x @ x.swapaxes(-1, -2).conj() + np.eye(n, dtype=x.dtype)
    both("linalg.cholesky", positive)
    both("linalg.cholesky", positive, upper=True)
    both("linalg.eigvalsh", positive)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_products_and_norms(data: Any) -> None:
    x = data.draw(matrices(square=False))
    offset = data.draw(st.integers(-5, 5))
    both("linalg.diagonal", x, offset=offset)
    both("linalg.trace", x, offset=offset)
    both("linalg.matmul", x, x.swapaxes(-1, -2))
    both("linalg.vecdot", x, x)
    keepdims = data.draw(st.booleans())
    order = data.draw(st.sampled_from([1, 2, math.inf, -1, -2, -math.inf, "fro", "nuc"]))
    both("linalg.matrix_norm", x, keepdims=keepdims, ord=order)
    power = data.draw(st.sampled_from([0, 1, 2, 3.5, math.inf, -math.inf, -1]))
    axis = data.draw(st.none() | hnp.valid_tuple_axes(x.ndim, min_size=1, max_size=2))
    if power in (2, math.inf, 1) or x.all():
        both("linalg.vector_norm", x, axis=axis, keepdims=keepdims, ord=power)
    v = data.draw(arrays("bif", shape=(3,)))
    both("linalg.outer", v, v)
    both("linalg.cross", v.astype(float), v[::-1].astype(float))
    both("linalg.tensordot", x, x, axes=data.draw(st.sampled_from([0, ([0], [0]), ([-1], [-1])])))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_decompositions(data: Any) -> None:
    """Not unique: they multiply to the matrix, have NumPy's shapes and dtypes, and are unitary."""
    x = data.draw(matrices(square=False))
    t, complete = xp.asarray(x), data.draw(st.booleans())
    u, s, vh = xp.linalg.svd(t, full_matrices=complete)
    q, r = xp.linalg.qr(t, mode="complete" if complete else "reduced")
    wanted = (*np.linalg.svd(x, full_matrices=complete),
              *np.linalg.qr(x, mode="complete" if complete else "reduced"))  # fmt: skip
    for one, theirs in zip((u, s, vh, q, r), wanted, strict=True):
        assert (one.shape, one.dtype) == (theirs.shape, theirs.dtype)
    least = s.shape[-1]
    product = (u.data[..., :least] * s.data[..., None, :]) @ vh.data[..., :least, :]
    tolerance = 200 * np.finfo(x.dtype).eps
    np.testing.assert_allclose(product, x, rtol=0, atol=tolerance)
    np.testing.assert_allclose(q.data @ r.data, x, rtol=0, atol=tolerance)
    for one in (u.data, vh.data.swapaxes(-1, -2), q.data):
        gram = one.swapaxes(-1, -2).conj() @ one
        np.testing.assert_allclose(
            gram, np.broadcast_to(np.eye(one.shape[-1]), gram.shape), atol=tolerance
        )


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_eigenvectors(data: Any) -> None:
    x = data.draw(matrices())
    x = x + x.swapaxes(-1, -2).conj()
    values, vectors = xp.linalg.eigh(xp.asarray(x))
    wanted = np.linalg.eigh(x)
    assert [values.dtype, vectors.dtype] == [one.dtype for one in wanted]
    scaled = vectors.data * values.data[..., None, :]
    tolerance = 200 * np.finfo(x.dtype).eps
    np.testing.assert_allclose(x @ vectors.data, scaled, rtol=0, atol=tolerance)


# Fourier transforms

ONE_AXIS = {"fft": "fc", "ifft": "fc", "rfft": "f", "irfft": "c", "hfft": "c", "ihfft": "f"}
SOME_AXES = {"fftn": "fc", "ifftn": "fc", "rfftn": "f", "irfftn": "c"}
NORMS = st.sampled_from(["backward", "ortho", "forward"])


@pytest.mark.parametrize("name", ONE_AXIS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_transforms_along_an_axis(name: str, data: Any) -> None:
    x = data.draw(arrays(ONE_AXIS[name], least=1))
    n = data.draw(st.none() | st.integers(0, 6))
    axis = data.draw(st.integers(-x.ndim - 1, x.ndim))
    if not x.size:
        n = None  # NumPy's hfft of nothing is what memory holds
    both(f"fft.{name}", x, n=n, axis=axis, norm=data.draw(NORMS))


@pytest.mark.parametrize("name", SOME_AXES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_transforms_along_axes(name: str, data: Any) -> None:
    x = data.draw(arrays(SOME_AXES[name], least=1))
    axes = data.draw(hnp.valid_tuple_axes(x.ndim, min_size=1))
    s = data.draw(st.none() | st.tuples(*[st.integers(1, 5)] * len(axes)))
    if not x.size:
        s = None  # NumPy's irfftn of nothing is what memory holds
    both(f"fft.{name}", x, s=s, axes=axes, norm=data.draw(NORMS))
    both("fft.fftshift", x, axes=axes)
    both("fft.ifftshift", x, axes=axes)
    both("fft.fftshift", x)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 9), d=st.sampled_from([1.0, 0.5, 3.0]))
def test_frequencies(n: int, d: float) -> None:
    both("fft.fftfreq", n, d=d)
    both("fft.rfftfreq", n, d=d)
    assert xp.fft.fftfreq(n, dtype=xp.float32).dtype == np.float32


# manipulation, sorting, indexing


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_manipulation(data: Any) -> None:
    x = data.draw(arrays("bifc"))
    axes = data.draw(hnp.valid_tuple_axes(x.ndim))
    axis = data.draw(st.integers(-x.ndim - 2, x.ndim + 1))
    both("flip", x, axis=axes)
    both("flip", x)
    both("roll", x, tuple(range(1, len(axes) + 1)), axis=axes)
    both("expand_dims", x, axis=axis)
    both("squeeze", x, axis=axes)
    both("unstack", x, axis=axis)
    both("permute_dims", x, tuple(data.draw(st.permutations(range(x.ndim)))))
    both("broadcast_to", x, (2, 0, *x.shape))
    both("reshape", x, data.draw(st.sampled_from([(), (-1,), (0,), (1, -1), x.shape])))
    both("tile", x, data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=2)))
    both("repeat", x.reshape(-1), np.arange(x.size) % 3)
    t = xp.asarray(x)
    same(xp.concat([t, t], axis=None), np.concat([x, x], axis=None))
    for one, wanted in zip(xp.meshgrid(t.ravel(), t.ravel()), np.meshgrid(x, x), strict=True):
        same(one, wanted)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_joins_of_dtypes(data: Any) -> None:
    """What is joined is promoted as by NumPy; what is repeated keeps its dtype."""
    xs = [data.draw(arrays("if", shape=(data.draw(st.integers(0, 3)), 2))) for _ in range(3)]
    tensors = [xp.asarray(x) for x in xs]
    same(xp.concat(tensors), np.concat(xs))
    ours = xp.broadcast_arrays(tensors[0], xp.ones((1, 1)))
    for one, wanted in zip(ours, np.broadcast_arrays(xs[0], np.ones((1, 1))), strict=True):
        same(one, wanted)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_descending_order(data: Any) -> None:
    """NumPy has none: the positions put larger ones first, and equal ones in their own order."""
    x = data.draw(arrays("if", least=1))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    order = xp.argsort(xp.asarray(x), axis=axis, descending=True).data
    np.testing.assert_array_equal(
        np.take_along_axis(x, order, axis), np.flip(np.sort(x, axis=axis), axis)
    )
    same(xp.sort(xp.asarray(x), axis=axis, descending=True), np.take_along_axis(x, order, axis))
    along = np.moveaxis(order, axis, -1)
    values = np.take_along_axis(np.moveaxis(x, axis, -1), along, -1)
    equal = values[..., 1:] == values[..., :-1]
    assert (along[..., 1:] > along[..., :-1])[equal].all()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_reductions_to_a_dtype(data: Any) -> None:
    x = data.draw(arrays("if"))
    dtype = data.draw(st.sampled_from(["int64", "float32", "float64", "complex128"]))
    for name in ("sum", "prod"):
        both(name, x, dtype=getattr(np, dtype))
    both("cumulative_sum", x.reshape(-1), dtype=getattr(np, dtype))
    both("cumulative_prod", x.reshape(-1), dtype=getattr(np, dtype))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_indices(data: Any) -> None:
    x = data.draw(arrays("bifc"))
    index = data.draw(hnp.basic_indices(x.shape, allow_newaxis=True))
    same(xp.asarray(x)[index], x[index])
    mask = data.draw(hnp.arrays(bool, x.shape))
    same(xp.asarray(x)[xp.asarray(mask)], x[mask])
    if x.size and x.ndim:
        places = data.draw(hnp.integer_array_indices(x.shape))
        same(xp.asarray(x)[tuple(map(xp.asarray, places))], x[places])


# creation, dtypes, operators


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_new_arrays(data: Any) -> None:
    start, stop = data.draw(st.integers(-5, 5)), data.draw(st.integers(-5, 5))
    step = data.draw(st.sampled_from([1, 2, -1, 0.5, -1.5]))
    dtype = data.draw(st.sampled_from([None, np.float32, np.int16]))
    both("arange", start, stop, step, dtype=dtype)
    both("arange", stop)
    both("linspace", start, stop, data.draw(st.integers(0, 5)), endpoint=data.draw(st.booleans()))
    rows, columns = data.draw(st.integers(0, 4)), data.draw(st.none() | st.integers(0, 4))
    both("eye", rows, columns, k=data.draw(st.integers(-3, 3)), dtype=dtype)
    shape = data.draw(hnp.array_shapes(min_dims=0, min_side=0))
    both("full", shape, data.draw(st.sampled_from([True, 3, 2.5, 1j])))
    both("zeros", shape, dtype=dtype)
    both("ones", shape, dtype=dtype)


DTYPES = [one for kind in "bifc" for one in KINDS[kind]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_conversions_and_promotion(dtype: str) -> None:
    for other in DTYPES:
        x = np.zeros(2, dtype)
        assert xp.result_type(xp.asarray(x), getattr(xp, other)) == np.result_type(dtype, other)
        assert xp.can_cast(xp.asarray(x), getattr(xp, other)) == np.can_cast(dtype, other)
        if not (np.dtype(dtype).kind == "c" and np.dtype(other).kind != "c"):
            same(xp.astype(xp.asarray(x), getattr(xp, other)), x.astype(other))
    for kind in ("bool", "signed integer", "unsigned integer", "integral", "real floating",
                 "complex floating", "numeric"):  # fmt: skip
        assert xp.isdtype(getattr(xp, dtype), kind) == np.isdtype(np.dtype(dtype), kind)


ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv,
              operator.mod, operator.pow, operator.lt, operator.le, operator.gt, operator.ge,
              operator.eq, operator.ne]  # fmt: skip
BITS = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]


@pytest.mark.parametrize("f", [*ARITHMETIC, *BITS], ids=lambda f: f.__name__)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_python_operators(f: Any, data: Any) -> None:
    """Between arrays and with a number on either side, which takes the dtype of the array."""
    dtype = data.draw(st.sampled_from(INTEGER if f in BITS else [*INTEGER, *KINDS["f"]]))
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    a, b = (data.draw(hnp.arrays(dtype, shape, elements=elements(dtype)))
            for shape in shapes.input_shapes)  # fmt: skip
    if f in (operator.pow, operator.lshift, operator.rshift):
        a, b = np.abs(a) + a.dtype.type(1), np.abs(b) % a.dtype.type(4)
    with np.errstate(all="ignore"):
        same(f(xp.asarray(a), xp.asarray(b)), f(a, b))
        same(f(xp.asarray(a), 2), f(a, 2))
        same(f(3, xp.asarray(b)), f(3, b))
