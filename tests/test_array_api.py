"""The Python Array API standard 2024.12, held against ``autograd_lite.numpy``.

The public suite ``array-api-tests`` is in no package index, so the same properties stand here:
every name of the standard with its signature, and, by Hypothesis, its values and dtype rules over
dtypes and shapes. The judge of those is NumPy, whose main namespace conforms to the standard.
"""

from __future__ import annotations

import ast
import inspect
import warnings
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd_lite as ag
from docs.array_api import SIGNATURES

xp = ag.tensor(0.0).__array_namespace__()

DEVIATIONS = {
    "x[i] = v": "tensors are immutable values: it raises and names ag.set",
    "x += v": "binds the name to a new tensor, as the standard allows for immutable arrays",
    "copy=False of asarray, from_dlpack": "raises for all but tensors: a tensor never changes, so "
    "it keeps a copy of other data",
    "asarray(tensor, copy=True)": "gives the tensor itself: nobody can see the difference",
    "empty, empty_like": "give zeros: nothing could be written into them",
    "unique_values and its kin": "sorted, which the standard leaves open",
    "fft: norm": 'None is the default, and means "backward", as in NumPy',
    "argsort, sort with stable=False": "are stable too",
    "reshape(copy=...), astype(copy=...)": "no effect on values that never change",
    "bitwise functions of tracked tensors": "raise: tracked tensors are floating",
    "int(x), float(x), bool(x) and so on of tracked tensors": "raise: they would cut the graph",
    "__dlpack__ of tracked tensors": "raises: it would cut the graph",
    "clip": "bounds of a wider dtype widen the result, as NumPy does",
    "float16": "is there besides, as in NumPy",
    "floor_divide at infinities": "as NumPy: inf // 2 is NaN (2 × ∞ is no whole number of steps), "
    "2 // -inf is -1, the floor of a tiny negative number",
}

DTYPES = [
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
    "float64", "complex64", "complex128",
]  # fmt: skip
CONSTANTS = ["e", "inf", "nan", "newaxis", "pi"]


def own(name: str) -> Any:
    place: Any = xp
    for part in name.split("."):
        place = getattr(place, part)
    return place


def test_deviations_are_few_and_have_reasons() -> None:
    assert len(DEVIATIONS) <= 40
    assert all(len(reason) > 5 for reason in DEVIATIONS.values())
    assert xp.__array_api_version__ == "2024.12"
    assert xp is ag.numpy


@pytest.mark.parametrize("line", SIGNATURES.split("\n")[1:-1])
def test_every_function_has_the_standards_signature(line: str) -> None:
    name, _, rest = line.partition("(")
    ours = list(inspect.signature(own(name)).parameters.values())
    by_name = {one.name: one for one in ours}
    places = [one for one in ours if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    wanted = ast.parse(f"def f({rest}: ...").body[0].args  # type: ignore[attr-defined]  # it is a function
    positional = [*wanted.posonlyargs, *wanted.args]
    if wanted.vararg:
        assert any(one.kind is one.VAR_POSITIONAL for one in ours)
        assert not positional
    else:
        assert len(places) >= len(positional)
    defaults = [None] * (len(positional) - len(wanted.defaults)) + list(wanted.defaults)
    for one, default, place in zip(positional, defaults, places, strict=False):
        assert (place.default is place.empty) <= (default is None), f"{one.arg} has no default"
    for one in wanted.args:
        assert by_name[one.arg].kind is not inspect.Parameter.POSITIONAL_ONLY
    for one, default in zip(wanted.kwonlyargs, wanted.kw_defaults, strict=True):
        assert one.arg in by_name, f"no keyword {one.arg}"
        given_ = by_name[one.arg]
        assert given_.kind is not given_.POSITIONAL_ONLY
        same_default = given_.default == ast.literal_eval(default)
        assert same_default or one.arg == "norm", f"default of {one.arg}"


@pytest.mark.parametrize("name", [*DTYPES, *CONSTANTS])
def test_dtypes_and_constants(name: str) -> None:
    assert np.array_equal(own(name), getattr(np, name), equal_nan=name == "nan") or (
        own(name) is getattr(np, name)
    )


METHODS = [
    "abs", "add", "and", "array_namespace", "bool", "complex", "dlpack", "dlpack_device", "eq",
    "float", "floordiv", "ge", "getitem", "gt", "index", "int", "invert", "le", "lshift", "lt",
    "matmul", "mod", "mul", "ne", "neg", "or", "pos", "pow", "rshift", "setitem", "sub", "truediv",
    "xor", "radd", "rand", "rfloordiv", "rlshift", "rmatmul", "rmod", "rmul", "ror", "rpow",
    "rrshift", "rsub", "rtruediv", "rxor",
]  # fmt: skip


def test_a_tensor_has_the_standards_attributes() -> None:
    t = xp.ones((2, 3))
    assert all(hasattr(t, f"__{name}__") for name in METHODS)
    assert (t.shape, t.ndim, t.size, t.device, t.dtype) == ((2, 3), 2, 6, "cpu", np.float64)
    assert t.T.shape == t.mT.shape == (3, 2)
    assert t.to_device("cpu") is t
    with pytest.raises(ag.errors.UnsupportedError):
        t.to_device("gpu")
    with pytest.raises(ag.errors.UnsupportedError):
        t.__array_namespace__(api_version="1999.01")
    with pytest.raises(ag.errors.ImmutableError):
        t[0] = 1.0


def test_a_tensor_goes_through_dlpack() -> None:
    t = xp.arange(6, dtype=xp.float32)
    assert t.__dlpack_device__() == (1, 0)
    np.testing.assert_array_equal(np.from_dlpack(t), t.data, strict=True)
    np.testing.assert_array_equal(xp.from_dlpack(np.arange(3.0)).data, np.arange(3.0), strict=True)
    with pytest.raises(ag.errors.DetachedError):
        np.from_dlpack(ag.tensor([1.0]))
    with pytest.raises(ValueError, match="keeps a copy"):
        xp.from_dlpack(np.arange(3.0), copy=False)


def test_what_there_is() -> None:
    info = xp.__array_namespace_info__()
    assert info.devices() == ["cpu"] == [info.default_device()]
    assert set(info.dtypes()) >= set(DTYPES) - {"bool"}
    assert set(info.dtypes(kind="real floating")) == {"float32", "float64"}
    assert info.default_dtypes()["real floating"] == np.float64
    assert info.capabilities()["boolean indexing"]


# creation


def test_creation() -> None:
    t = xp.asarray([[1, 2], [3, 4]], dtype=xp.float32)
    assert xp.zeros((2,), dtype=xp.int8).dtype == np.int8
    assert xp.ones(3).shape == (3,)
    assert xp.full((2, 2), 7).dtype == np.int64
    assert xp.full((), True).dtype == np.bool_
    assert xp.eye(2, 3, k=1, dtype=xp.int16).data.tolist() == [[0, 1, 0], [0, 0, 1]]
    assert xp.arange(1, 7, 2, dtype=xp.float32).data.tolist() == [1, 3, 5]
    assert xp.linspace(0, 1, 3, endpoint=False, dtype=xp.float32).dtype == np.float32
    for make in (xp.zeros_like, xp.ones_like, xp.empty_like):
        assert make(t).dtype == np.float32
        assert make(t, dtype=xp.int8, device="cpu").dtype == np.int8
    assert xp.full_like(t, 3).data.tolist() == [[3, 3], [3, 3]]
    assert xp.empty((0, 3), device="cpu").shape == (0, 3)
    assert xp.asarray(t, dtype=t.dtype, copy=False) is xp.asarray(t, copy=None) is t
    for copied in ([1.0], np.ones(2), 2.0):
        with pytest.raises(ValueError, match="keeps a copy"):
            xp.asarray(copied, copy=False)
    with pytest.raises(ValueError, match="keeps a copy"):
        xp.asarray(t, dtype=xp.float64, copy=False)
    for wrong in (lambda: xp.zeros(2, device="gpu"), lambda: xp.asarray(1, device="gpu")):
        with pytest.raises(ag.errors.UnsupportedError):
            wrong()


def test_creation_of_tracked_values() -> None:
    x = ag.tensor(2.0)
    (g,) = ag.gradients(xp.asarray([x, [1.0, x][1]]).sum(), [x])
    assert g.item() == 2
    (g,) = ag.gradients(xp.full((2, 3), x).sum(), [x])
    assert g.item() == 6


def test_data_types() -> None:
    t = xp.ones(2, dtype=xp.float32)
    assert xp.finfo(xp.float32).bits == xp.finfo(t).bits == 32
    assert xp.iinfo(xp.int8).min == -128
    assert xp.result_type(t, xp.float64) == np.float64
    assert xp.result_type(t, 1.0) == np.float32
    assert xp.can_cast(xp.int8, xp.int16)
    assert not xp.can_cast(t, xp.int16)
    assert xp.isdtype(t.dtype, ("integral", "real floating"))
    assert not xp.isdtype(xp.float32, "integral")
    assert xp.astype(t, xp.int8, copy=False, device="cpu").dtype == np.int8
    assert [x.shape for x in xp.broadcast_arrays(t, xp.ones((3, 1)))] == [(3, 2), (3, 2)]


# values and dtype rules, judged by NumPy

REAL = ["float32", "float64"]
INTEGER = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
KINDS = {"b": ["bool"], "i": INTEGER, "f": REAL, "c": ["complex64", "complex128"]}

UNARY = {
    "abs": "if", "acos": "f", "acosh": "f", "asin": "f", "asinh": "f", "atan": "f", "atanh": "f",
    "bitwise_invert": "bi", "ceil": "if", "conj": "fc", "cos": "fc", "cosh": "fc", "exp": "fc",
    "expm1": "f", "floor": "if", "imag": "c", "isfinite": "ifc", "isinf": "ifc", "isnan": "ifc",
    "log": "fc", "log1p": "f", "log2": "f", "log10": "f", "logical_not": "b", "negative": "ifc",
    "positive": "ifc", "real": "fc", "reciprocal": "f", "round": "ifc", "sign": "ifc",
    "signbit": "f", "sin": "fc", "sinh": "fc", "square": "ifc", "sqrt": "fc", "tan": "fc",
    "tanh": "fc", "trunc": "if",
}  # fmt: skip
BINARY = {
    "add": "ifc", "atan2": "f", "bitwise_and": "bi", "bitwise_or": "bi", "bitwise_xor": "bi",
    "copysign": "f", "divide": "fc", "equal": "bifc", "floor_divide": "if", "greater": "if",
    "greater_equal": "if", "hypot": "f", "less": "if", "less_equal": "if", "logaddexp": "f",
    "logical_and": "b", "logical_or": "b", "logical_xor": "b", "maximum": "if", "minimum": "if",
    "multiply": "ifc", "nextafter": "f", "not_equal": "bifc", "pow": "f", "remainder": "if",
    "subtract": "ifc",
}  # fmt: skip
REDUCTIONS = {
    "all": "bif", "any": "bif", "count_nonzero": "bif", "max": "if", "mean": "f", "min": "if",
    "prod": "if", "std": "f", "sum": "ifc", "var": "f",
}  # fmt: skip
ONE_AXIS = {
    "argmax": "if", "argmin": "if", "argsort": "if", "sort": "if", "cumulative_sum": "if",
    "cumulative_prod": "f", "diff": "if",
}  # fmt: skip


def elements(dtype: str) -> Any:
    kind = np.dtype(dtype).kind
    if kind in "fc":
        width = {"float32": 32, "float64": 64, "complex64": 64, "complex128": 128}[dtype]
        make = st.floats if kind == "f" else st.complex_numbers
        limits: dict[str, Any] = (
            {"min_value": -8, "max_value": 8} if kind == "f" else {"max_magnitude": 8}
        )
        return make(width=width, allow_nan=False, allow_subnormal=False, **limits)
    if kind == "b":
        return st.booleans()
    return st.integers(0 if kind == "u" else -9, 9)


@st.composite
def arrays(draw: Any, kinds: str, least: int = 0, shape: Any = None) -> Any:
    dtype = draw(st.sampled_from([one for kind in kinds for one in KINDS[kind]]))
    if shape is None:
        shape = draw(hnp.array_shapes(min_dims=least, max_dims=3, min_side=0, max_side=4))
    return draw(hnp.arrays(dtype, shape, elements=elements(dtype)))


def same(found: Any, wanted: Any) -> None:
    wanted = np.asarray(wanted)
    assert isinstance(found, ag.Tensor)
    assert found.dtype == wanted.dtype, f"{found.dtype} instead of {wanted.dtype}"
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.data, wanted, rtol=2e-6, atol=1e-7)


def outcome(f: Any, arguments: Any, keywords: Any) -> Any:
    try:
        return f(*arguments, **keywords)
    except (ValueError, IndexError) as error:
        return error


def both(name: str, *plain: Any, **keywords: Any) -> None:
    """The function on tensors and NumPy's on arrays: same value, or both refuse."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        tensors = [xp.asarray(x) if isinstance(x, np.ndarray) else x for x in plain]
        wanted = outcome(attrgetter(name)(np), plain, keywords)
        found = outcome(own(name), tensors, keywords)
        if isinstance(wanted, Exception):
            assert isinstance(found, (ValueError, IndexError)), found
            return
        assert not isinstance(found, Exception), found
        for one, right in zip(parts(found), parts(wanted), strict=True):
            same(one, right)


def parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("name", UNARY)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_unary(name: str, data: Any) -> None:
    both(name, data.draw(arrays(UNARY[name])))


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_binary(name: str, data: Any) -> None:
    kind = data.draw(st.sampled_from(BINARY[name]))
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
    a, b = (data.draw(arrays(kind, shape=shape)) for shape in shapes.input_shapes)
    if name == "pow":
        a = np.abs(a) + a.dtype.type(0.5)
    if {str(a.dtype), str(b.dtype)} >= {"uint64"} and "int" in str(a.dtype) + str(b.dtype):
        b = b.astype(a.dtype)  # the standard does not say what uint64 and a signed integer give
    both(name, a, b)


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_binary_with_a_number(name: str, data: Any) -> None:
    """A Python number takes the dtype of the array."""
    if BINARY[name] in ("b", "bi") or name in ("copysign", "atan2", "hypot", "nextafter", "pow"):
        return
    x = data.draw(arrays("f"))
    with np.errstate(all="ignore"):
        tensors = (getattr(xp, name)(xp.asarray(x), 2.0), getattr(xp, name)(3.0, xp.asarray(x)))
        same(tensors[0], getattr(np, name)(x, 2.0))
        assert tensors[1].dtype == getattr(np, name)(3.0, x).dtype


@pytest.mark.parametrize("name", REDUCTIONS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_reductions(name: str, data: Any) -> None:
    x = data.draw(arrays(REDUCTIONS[name]))
    axis = data.draw(
        st.none() | st.integers(-x.ndim - 1, x.ndim) | hnp.valid_tuple_axes(x.ndim, min_size=1)
        if x.ndim
        else st.none()
    )
    keywords: dict[str, Any] = {"axis": axis, "keepdims": data.draw(st.booleans())}
    if name in ("std", "var"):
        keywords["correction"] = data.draw(st.sampled_from([0, 1, 0.5]))
    both(name, x, **keywords)


@pytest.mark.parametrize("name", ONE_AXIS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_along_an_axis(name: str, data: Any) -> None:
    x = data.draw(arrays(ONE_AXIS[name], least=1))
    keywords: dict[str, Any] = {"axis": data.draw(st.integers(-x.ndim - 1, x.ndim))}
    if name.startswith("arg") and name != "argsort":
        keywords["keepdims"] = data.draw(st.booleans())
    if name == "argsort":
        keywords["stable"] = True
    if name.startswith("cumulative"):
        keywords["include_initial"] = data.draw(st.booleans())
    if name == "diff":
        keywords["n"] = data.draw(st.integers(1, 2))
    both(name, x, **keywords)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_moving_elements(data: Any) -> None:
    x = data.draw(arrays("bifc", least=1))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    shift = data.draw(st.integers(-5, 5))
    both("roll", x, shift, axis=axis)
    both("roll", x, shift)
    both("flip", x, axis=axis)
    both("repeat", x, abs(shift), axis=axis)
    both("tile", x, (2, abs(shift) % 3))
    both("moveaxis", x, axis, 0)
    both("expand_dims", x, axis=axis)
    both("unstack", x, axis=axis)
    same(xp.concat([xp.asarray(x), xp.asarray(x)], axis=axis), np.concat([x, x], axis=axis))
    same(xp.stack([xp.asarray(x), xp.asarray(x)], axis=axis), np.stack([x, x], axis=axis))
    both("reshape", x, (-1,) if x.size else x.shape)
    both("permute_dims", x, tuple(reversed(range(x.ndim))))
    both("broadcast_to", x, (2, *x.shape))
    same(xp.unique_values(xp.asarray(x)), np.sort(np.unique_values(x)))
    both("nonzero", x)
    if x.ndim > 1:
        both("triu", x, k=shift)
        both("tril", x, k=shift)
        both("matrix_transpose", x)
    if x.shape[axis] and x.size:
        places = np.array([0, -1, x.shape[axis] - 1, 0])
        both("take", x, places, axis=axis)
        both("take_along_axis", x, np.zeros(x.shape, np.int64), axis=axis)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_searching(data: Any) -> None:
    x = np.sort(data.draw(arrays("f", least=1, shape=(5,))))
    v = data.draw(arrays("f")).astype(x.dtype)
    side = data.draw(st.sampled_from(["left", "right"]))
    both("searchsorted", x, v, side=side)
    both("searchsorted", x[::-1].copy(), v, side=side, sorter=np.arange(5)[::-1].copy())
    both("clip", v, -1.0, 1.5)
    both("clip", v, x[0] if v.ndim == 0 else None, None)
    both("where", v > 0, v, -v)
    found, wanted = xp.unique_all(xp.asarray(v)), np.unique_all(v)
    for field in ("values", "indices", "inverse_indices", "counts"):
        same(getattr(found, field), getattr(wanted, field))


@pytest.mark.parametrize("name", ["__and__", "__or__", "__xor__", "__lshift__", "__mod__"])
def test_operators_of_integers(name: str) -> None:
    for dtype in INTEGER:
        a, b = np.array([1, 5, 7], dtype), np.array([3, 2, 1], dtype)
        same(getattr(xp.asarray(a), name)(xp.asarray(b)), getattr(a, name)(b))
        same(getattr(xp.asarray(a), name)(2), getattr(a, name)(2))


@pytest.mark.parametrize("index", [0, -1, slice(None, None, 2), ..., None, (0, ..., None)])
def test_indexing(index: Any) -> None:
    x = np.arange(6, dtype=np.int16).reshape(3, 2)
    same(xp.asarray(x)[index], x[index])
    same(xp.asarray(x)[xp.asarray(x > 2)], x[x > 2])
    same(xp.asarray(x)[xp.asarray([2, 0]), xp.asarray([1, 1])], x[[2, 0], [1, 1]])
