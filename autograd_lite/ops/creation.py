"""New arrays in the form of given ones, and evenly spaced ones between tensors.

Knows what of them carries a gradient: the value that fills, the ends between which numbers lie.
Imports errors, recording, rules, NumPy, and the operators that these are made of.
"""

from typing import Any

import numpy as np

from autograd_lite.ops.arranging import moveaxis
from autograd_lite.ops.pointwise import power
from autograd_lite.ops.shaping import as_array, astype, broadcast_to, shape_of
from autograd_lite.rules import public
from autograd_lite.tensors import Tensor, constant


def _form(x: Any, dtype: Any, shape: Any) -> dict[str, Any]:
    """Shape and dtype of what is to be made."""
    own = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    return {
        "shape": shape_of(x) if shape is None else shape,
        "dtype": own if dtype is None else dtype,
    }


@public(np.zeros_like)
def zeros_like(
    x: Any, /, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Tensor:  # fmt: skip
    """Zeros in the shape and dtype of ``x``; a constant.

    >>> import autograd_lite as ag
    >>> ag.zeros_like(ag.tensor([1.0, 2.0]))
    Tensor([0., 0.])
    """
    return constant(np.zeros(**_form(x, dtype, shape)))


@public(np.ones_like)
def ones_like(
    x: Any, /, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Tensor:  # fmt: skip
    """Ones in the shape and dtype of ``x``; a constant.

    >>> import autograd_lite as ag
    >>> ag.ones_like(ag.tensor([1.0, 2.0]))
    Tensor([1., 1.])
    """
    return constant(np.ones(**_form(x, dtype, shape)))


@public(np.empty_like)
def empty_like(
    x: Any, /, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Tensor:  # fmt: skip
    """Zeros in the shape and dtype of ``x``: a tensor never changes, so empty ones are of no use.

    >>> import autograd_lite as ag
    >>> ag.empty_like(ag.tensor([1.0, 2.0])).shape
    (2,)
    """
    return constant(np.zeros(**_form(x, dtype, shape)))


@public(np.full_like)
def full_like(
    x: Any, /, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True,
    shape: Any = None, *, device: Any = None,
) -> Tensor:  # fmt: skip
    """``fill_value`` in the shape and dtype of ``x``; its gradient is the sum of all.

    >>> import autograd_lite as ag
    >>> ag.full_like(ag.tensor([1.0, 2.0]), 7.0)
    Tensor([7., 7.])
    """
    form = _form(x, dtype, shape)
    if not isinstance(fill_value, Tensor):
        return constant(np.full(fill_value=fill_value, **form))
    return broadcast_to(astype(fill_value, form["dtype"]), form["shape"])  # type: ignore[no-any-return]  # a Tensor in, a Tensor out


@public(np.copy)
def copy(x: Any, /, order: str = "K", subok: bool = False) -> Any:
    """The same values as a node of their own; a tensor never changes, so nothing is gained.

    >>> import autograd_lite as ag
    >>> ag.copy(ag.tensor([1.0, 2.0]))
    Tensor([1., 2.])
    """
    x = as_array(x)
    return astype(x, x.dtype)


@public(np.linspace)
def linspace(
    start: Any, /, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """``num`` evenly spaced numbers from ``start`` to ``stop``, which may be tensors.

    ``retstep`` gives the distance of neighbours too.

    >>> import autograd_lite as ag
    >>> ag.linspace(ag.tensor(0.0), 1.0, 3)
    Tensor([0. , 0.5, 1. ])
    """
    if not any(isinstance(end, Tensor) for end in (start, stop)):
        space: Any = np.linspace
        result, step = space(start, stop, num, endpoint, True, dtype, axis)
        return (constant(result), step) if retstep else constant(result)
    ends = [end.dtype if hasattr(end, "dtype") else end for end in (start, stop)]
    part = np.linspace(0.0, 1.0, num, endpoint).astype(np.result_type(*ends, 1.0))
    span = stop - start
    inner = np.reshape(part, (-1, *[1] * len(shape_of(span))))
    result = start * (1 - inner) + stop * inner
    result = result if dtype is None else astype(result, dtype)
    result = moveaxis(result, 0, axis) if axis else result
    return (result, span / max(num - bool(endpoint), 1)) if retstep else result


@public(np.logspace)
def logspace(
    start: Any, /, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    """The powers of ``base`` with ``num`` evenly spaced exponents, which may lie between tensors.

    >>> import autograd_lite as ag
    >>> ag.logspace(ag.tensor(0.0), 2.0, 3)
    Tensor([  1.,  10., 100.])
    """
    result = power(base, linspace(start, stop, num, endpoint, axis=axis))
    return result if dtype is None else astype(result, dtype)
