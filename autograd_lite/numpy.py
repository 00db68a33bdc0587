"""The array namespace: every registered function under NumPy's name, and creation of constants.

``import autograd_lite.numpy as np`` ports a program. Functions take tensors and plain arrays;
creation functions make untracked tensors and keep integer dtypes. Generated from the registry;
imports recording, rules and the operators.
"""

from collections.abc import Callable
from typing import Any

import numpy as _np  # noqa: ICN001 - `np` and all public names here are the namespace's
from numpy import (
    bool_,
    complex64,
    complex128,
    e,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    inf,
    int8,
    int16,
    int32,
    int64,
    nan,
    newaxis,
    pi,
    uint8,
    uint16,
    uint32,
    uint64,
)

from autograd_lite import fft, linalg, ops
from autograd_lite.recording import Tensor, constant
from autograd_lite.rules import FUNCTIONS

globals().update(FUNCTIONS)


def asarray(data: Any, /, dtype: Any = None, *, copy: bool | None = None) -> Tensor:
    """Data as an untracked tensor; a tensor is given back as it is.

    >>> asarray([1, 2]).dtype
    dtype('int64')
    """
    if isinstance(data, Tensor):
        return data if dtype is None else FUNCTIONS["astype"](data, dtype, copy=False)
    return constant(data if dtype is None else _np.asarray(data, dtype))


array = asarray


def _creator(name: str) -> Callable[..., Tensor]:
    make = getattr(_np, name)

    def create(*args: Any, **kwargs: Any) -> Tensor:
        plain = [arg._value if isinstance(arg, Tensor) else arg for arg in args]
        return constant(make(*plain, **kwargs))

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"As ``np.{name}``, but an untracked tensor."
    return create


_CREATORS = (
    "arange", "empty", "empty_like", "eye", "full", "full_like", "linspace", "ones", "ones_like",
    "zeros", "zeros_like",
)  # fmt: skip
globals().update({name: _creator(name) for name in _CREATORS})
bool = bool_

__all__ = [  # noqa: PLE0604 - names from the registry
    "array",
    "asarray",
    "bool",
    "bool_",
    "complex64",
    "complex128",
    "e",
    "fft",
    "finfo",
    "float16",
    "float32",
    "float64",
    "iinfo",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "linalg",
    "nan",
    "newaxis",
    "pi",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    *_CREATORS,
    *sorted(FUNCTIONS),
]


def __getattr__(name: str) -> Any:
    if name.startswith("__") or not hasattr(_np, name):
        raise AttributeError(f"module 'autograd_lite.numpy' has no attribute {name!r}")
    raise AttributeError(
        f"autograd_lite.numpy has no {name!r} yet: no rule is registered; `autograd-lite ops` "
        "lists what there is, ag.primitive declares an operator of your own"
    )


_ = ops
