"""The array namespace: every registered function under NumPy's name, and creation of constants.

``import autograd_lite.numpy as np`` ports a program; it is the Python Array API standard 2024.12
too (``t.__array_namespace__()``). Functions take tensors and plain arrays; creation functions make
untracked tensors and keep integer dtypes. Generated from the registry; imports recording, rules,
the operators, and the namespaces linalg and fft.
"""

import builtins
from typing import Any

import numpy as _np  # noqa: ICN001 - `np` and all public names here are the namespace's
from numpy import (
    bool_,
    complex64,
    complex128,
    e,
    errstate,
    float16,
    float32,
    float64,
    inf,
    int8,
    int16,
    int32,
    int64,
    intp,
    nan,
    newaxis,
    pi,
    s_,
    uint8,
    uint16,
    uint32,
    uint64,
)

from autograd_lite import fft, linalg, ops
from autograd_lite.errors import DomainError, UnsupportedError
from autograd_lite.ops import grids
from autograd_lite.rules import FUNCTIONS, ROOMS
from autograd_lite.tensors import Tensor, constant, plain_value

_OF_LINALG = {name: ROOMS["linalg"][name] for name in ("tensordot", "vecdot")}
globals().update({**_OF_LINALG, **FUNCTIONS})

__array_api_version__ = "2024.12"


def _here(device: Any) -> None:
    if device not in (None, "cpu"):
        raise UnsupportedError(f"no device {device!r}", mend='the only one is "cpu"')


def _copied() -> DomainError:
    return DomainError(
        "a tensor keeps a copy of what it is made of: it never changes",
        mend="leave copy=False out, or pass a tensor",
    )


def asarray(
    obj: Any, /, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None
) -> Any:
    """Data as an untracked tensor; a tensor is given back as it is.

    ``copy=False`` raises a ``DomainError`` (a ``ValueError``) for what has to be copied.

    >>> asarray([1, 2]).dtype
    dtype('int64')
    """
    _here(device)
    if isinstance(obj, Tensor) and (dtype is None or obj.dtype == dtype):
        return obj
    if copy is False:
        raise _copied()
    if isinstance(obj, Tensor):
        return FUNCTIONS["astype"](obj, dtype, copy=False)
    if _holds_tensor(obj):
        stacked = FUNCTIONS["stack"]([asarray(part) for part in obj])
        return stacked if dtype is None else FUNCTIONS["astype"](stacked, dtype, copy=False)
    return constant(obj if dtype is None else _np.asarray(obj, dtype))


def _holds_tensor(data: Any) -> builtins.bool:
    """Whether nested lists have a tensor in them."""
    pending = [data]
    while pending:
        part = pending.pop()
        if isinstance(part, Tensor):
            return True
        if isinstance(part, (list, tuple)):
            pending.extend(part)
    return False


asanyarray = ascontiguousarray = asarray


def array(
    object: Any, dtype: Any = None, *, copy: Any = None, order: Any = None, ndmin: int = 0
) -> Any:
    """``asarray``, with axes of one element in front until there are ``ndmin``.

    >>> array([1.0, 2.0], ndmin=2).shape
    (1, 2)
    """
    x = asarray(object, dtype, order)
    return x[(None,) * (ndmin - x.ndim)] if x.ndim < ndmin else x


r_ = grids.Joined(axis=0, rank=1, place=-1)
c_ = grids.Joined(axis=-1, rank=2, place=0)
mgrid = grids.Grid(_np.mgrid)
ogrid = grids.Grid(_np.ogrid)


def zeros(shape: Any, dtype: Any = None, order: Any = None, *, device: Any = None) -> Tensor:
    """An untracked tensor of zeros, of float64 if nothing else is said."""
    _here(device)
    return constant(_np.zeros(shape, dtype or float64))


def ones(shape: Any, dtype: Any = None, order: Any = None, *, device: Any = None) -> Tensor:
    """An untracked tensor of ones, of float64 if nothing else is said."""
    _here(device)
    return constant(_np.ones(shape, dtype or float64))


def empty(shape: Any, dtype: Any = None, order: Any = None, *, device: Any = None) -> Tensor:
    """Zeros: a tensor never changes, so one of accidental values would be of no use."""
    return zeros(shape, dtype, order, device=device)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: Any = None, *, device: Any = None
) -> Any:
    """A tensor of one value, which may be a tensor: its gradient is the sum of all.

    >>> full(2, 7)
    Tensor([7, 7])
    """
    _here(device)
    if isinstance(fill_value, Tensor):
        return FUNCTIONS["full_like"](fill_value, fill_value, dtype, shape=shape)
    return constant(_np.full(shape, fill_value, dtype))


def eye(
    n_rows: int, n_cols: int | None = None, /, k: int = 0, dtype: Any = None, *, device: Any = None
) -> Tensor:
    """Ones on the k-th diagonal of a matrix, else zeros; untracked.

    >>> eye(2)
    Tensor([[1., 0.],
            [0., 1.]])
    """
    _here(device)
    return constant(_np.eye(n_rows, n_cols, k, dtype or float64))


def identity(n: int, dtype: Any = None) -> Tensor:
    """``eye(n)``."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones up to the k-th diagonal of a matrix, above it zeros; untracked."""
    return constant(_np.tri(N, M, k, dtype or float64))


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None
) -> Tensor:
    """Numbers from ``start`` (or 0) up to ``stop``, ``step`` apart; untracked.

    >>> arange(3)
    Tensor([0, 1, 2])
    """
    _here(device)
    start, stop, step = map(plain_value, (start, stop, step))
    first, last = (0, start) if stop is None else (start, stop)
    return constant(_np.arange(first, last, step, dtype=dtype))


def from_dlpack(x: Any, /, *, device: Any = None, copy: builtins.bool | None = None) -> Tensor:
    """An array of another library as an untracked tensor; a copy."""
    _here(device)
    if copy is False:
        raise _copied()
    return constant(_np.from_dlpack(x))


def indices(dimensions: Any, dtype: Any = int, sparse: builtins.bool = False) -> Any:
    """The positions along each axis of a grid; untracked."""
    made: Any = (
        _np.indices(dimensions, dtype) if not sparse else _np.indices(dimensions, dtype, True)
    )
    return tuple(map(constant, made)) if sparse else constant(made)


# data types


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype to which these arrays, dtypes and numbers are promoted.

    >>> result_type(zeros(1, float32), 1.0)
    dtype('float32')
    """
    return _np.result_type(*map(plain_value, arrays_and_dtypes))


promote_types = _np.promote_types


def can_cast(from_: Any, /, to: Any, casting: Any = "safe") -> Any:
    """Whether arrays of the first dtype can be of the second without loss.

    >>> can_cast(int32, float64)
    True
    """
    kind = from_.dtype if isinstance(from_, Tensor) else from_
    return _np.can_cast(kind, to, casting)


def finfo(type: Any, /) -> Any:
    """Limits of a floating dtype, or of that of a tensor.

    >>> finfo(float32).bits
    32
    """
    return _np.finfo(type.dtype if isinstance(type, Tensor) else type)


def iinfo(type: Any, /) -> Any:
    """Limits of an integer dtype, or of that of a tensor.

    >>> iinfo(int8).max
    127
    """
    return _np.iinfo(type.dtype if isinstance(type, Tensor) else type)


def isdtype(dtype: Any, kind: Any) -> Any:
    """Whether a dtype is of this kind ("real floating", "integral", a dtype, a tuple of them).

    >>> isdtype(dtype("float32"), "real floating")
    True
    """
    return _np.isdtype(_np.dtype(dtype), kind)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The common shape of operands that broadcast.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    return _np.broadcast_shapes(*shapes)


def shape(x: Any) -> tuple[int, ...]:
    """The sizes along each axis."""
    return _np.shape(plain_value(x))


def ndim(x: Any) -> int:
    """The number of axes."""
    return _np.ndim(plain_value(x))


def size(x: Any, axis: int | None = None) -> int:
    """The number of elements, or of those along an axis."""
    return int(_np.size(plain_value(x), axis))


def iscomplexobj(x: Any) -> builtins.bool:
    """Whether the dtype is complex."""
    return _np.iscomplexobj(plain_value(x))


def isrealobj(x: Any) -> builtins.bool:
    """Whether the dtype is not complex."""
    return _np.isrealobj(plain_value(x))


class _Info:
    """What there is (Array API): capabilities, the one device, dtypes."""

    def capabilities(self) -> dict[str, Any]:
        """Boolean indexing and shapes that depend on data are there."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Where arrays are made."""
        return "cpu"

    def devices(self) -> list[str]:
        """All devices."""
        return ["cpu"]

    def default_dtypes(self, *, device: Any = None) -> Any:
        """What creation functions make if nothing is said."""
        _here(device)
        return _np.__array_namespace_info__().default_dtypes(device=None)

    def dtypes(self, *, device: Any = None, kind: Any = None) -> Any:
        """All dtypes by their names, or those of a kind."""
        _here(device)
        return _np.__array_namespace_info__().dtypes(device=None, kind=kind)


def __array_namespace_info__() -> _Info:  # noqa: N807 - the standard's name
    """What there is: capabilities, devices, dtypes (Array API)."""
    return _Info()


bool = bool_  # after all annotations that mean Python's
dtype = _np.dtype
__all__ = [  # noqa: PLE0604 - names from the registry
    "arange",
    "array",
    "asanyarray",
    "asarray",
    "ascontiguousarray",
    "bool",
    "bool_",
    "broadcast_shapes",
    "c_",
    "can_cast",
    "complex64",
    "complex128",
    "dtype",
    "e",
    "empty",
    "errstate",
    "eye",
    "fft",
    "finfo",
    "float16",
    "float32",
    "float64",
    "from_dlpack",
    "full",
    "identity",
    "iinfo",
    "indices",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "intp",
    "iscomplexobj",
    "isdtype",
    "isrealobj",
    "linalg",
    "mgrid",
    "nan",
    "ndim",
    "newaxis",
    "ogrid",
    "ones",
    "pi",
    "promote_types",
    "r_",
    "result_type",
    "s_",
    "shape",
    "size",
    "tri",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "zeros",
    *sorted({*_OF_LINALG, *FUNCTIONS}),
]


def __dir__() -> list[str]:
    return sorted([*__all__, "__array_api_version__", "__array_namespace_info__"])


def __getattr__(name: str) -> Any:
    if name.startswith("__") or not hasattr(_np, name):
        raise AttributeError(f"module 'autograd_lite.numpy' has no attribute {name!r}")
    raise AttributeError(
        f"autograd_lite.numpy has no {name!r} yet: no rule is registered; `autograd-lite ops` "
        "lists what there is, ag.primitive declares an operator of your own"
    )


_ = ops
