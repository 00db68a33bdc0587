"""Products and diagonals by NumPy's own names, whose axes differ from those of ``linalg``.

Compositions alone. Imports rules, linalg, NumPy, and the operators that these need.
"""

from typing import Any

import numpy as np

from autograd_lite.errors import ShapeError
from autograd_lite.ops.arranging import moveaxis
from autograd_lite.ops.indexing import add_at
from autograd_lite.ops.linalg import columns, diagonal_of, tensordot, vecdot
from autograd_lite.ops.linalg import cross as _cross
from autograd_lite.ops.reductions import sum as total
from autograd_lite.ops.shaping import as_array, ravel
from autograd_lite.rules import public

public(np.tensordot)(tensordot)
public(np.vecdot)(vecdot)


@public(np.outer)
def outer(a: Any, /, b: Any) -> Any:
    """Every product of an element of ``a`` with one of ``b``, both flattened.

    >>> import autograd_lite as ag
    >>> ag.outer(ag.tensor([1.0, 2.0]), [3.0, 4.0])
    Tensor([[3., 4.],
            [6., 8.]])
    """
    return columns(ravel(as_array(a))) * ravel(as_array(b))


@public(np.cross)
def cross(
    a: Any, /, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The cross product of vectors of three elements; ``axis`` stands for all three axes.

    >>> import autograd_lite as ag
    >>> ag.cross(ag.tensor([1.0, 0.0, 0.0]), [0.0, 1.0, 0.0])
    Tensor([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(as_array(a), axisa, -1), moveaxis(as_array(b), axisb, -1)
    return moveaxis(_cross(a, b), -1, axisc)


@public(np.diagonal)
def diagonal(a: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of two axes, which becomes the last axis.

    >>> import autograd_lite as ag
    >>> ag.diagonal(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.])
    """
    return diagonal_of(moveaxis(as_array(a), (axis1, axis2), (-2, -1)), offset)


@public(np.trace)
def trace(a: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """The sum of the diagonal of two axes (``ag.trace`` is another function, ``np.trace`` this).

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> np.trace(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor(5.)
    """
    return total(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@public(np.diag)
def diag(v: Any, /, k: int = 0) -> Any:
    """The k-th diagonal of a matrix, or the matrix that has a vector there and is 0 elsewhere.

    >>> import autograd_lite as ag
    >>> ag.diag(ag.tensor([1.0, 2.0]))
    Tensor([[1., 0.],
            [0., 2.]])
    """
    v = as_array(v)
    if v.ndim == 2:
        return diagonal_of(v, k)
    if v.ndim != 1:
        raise ShapeError(f"diag of shape {v.shape}", mend="give a vector or a matrix")
    places, size = np.arange(v.shape[0]), v.shape[0] + abs(k)
    index = (places + max(0, -k), places + max(0, k))
    return add_at(np.zeros((size, size), v.dtype), index, v)
