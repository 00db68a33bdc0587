"""Products that sum: matmul and dot, of every rank that NumPy allows.

Imports rules, the shaping operators and NumPy.
"""

import operator
from typing import Any

import numpy as np

from autograd_lite.ops.pointwise import multiply
from autograd_lite.ops.shaping import reshape, shape_of, transpose
from autograd_lite.rules import multilinear, public


def _pull_left(g: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1 and b.ndim == 1:
        return g * b
    if b.ndim == 1:
        return g[..., None] * b
    if a.ndim == 1:
        return (b @ g[..., None])[..., 0]
    return _times(g, b.mT)


def _pull_right(g: Any, a: Any, b: Any) -> Any:
    if a.ndim == 1 and b.ndim == 1:
        return g * a
    if a.ndim == 1:
        return a[:, None] * g[..., None, :]
    if b.ndim == 1:
        return (a.mT @ g[..., None])[..., 0]
    if b.ndim == 2 and a.ndim > 2:
        return reshape(a, (-1, a.shape[-1])).T @ reshape(g, (-1, g.shape[-1]))
    return _times(a.mT, g)


def _times(a: Any, b: Any) -> Any:
    """The product a @ b; on two plain matrices by ``dot``, which is quicker for small ones."""
    if type(a) is np.ndarray and type(b) is np.ndarray and a.ndim == b.ndim == 2:
        return a.dot(b)
    return a @ b


_matmul = multilinear(
    "matmul", operator.matmul, _pull_left, _pull_right, symbol="@", text="{0}·{1}",
    latex=r"{0} \, {1}", local=["G·{1}ᵀ", "{0}ᵀ·G"], array_names=("a", "b"),
    samples=[
        (((2, 3), (3, 4)), {}), (((3,), (3,)), {}), (((3,), (3, 2)), {}), (((2, 3), (3,)), {}),
        (((2, 2, 3), (3, 2)), {}), (((2, 1, 2, 3), (4, 3, 2)), {}), (((3,), (2, 3, 2)), {}),
        (((2, 2, 3), (3,)), {}),
    ],
    code="{0} @ {1}",
)  # fmt: skip
matmul = public(np.matmul)(_matmul)
matmul.__doc__ = """The matrix product a @ b.

Last axis of ``a`` against the last but one of ``b`` (or its only one); further axes are batches
and broadcast. 1-D operands are a row on the left and a column on the right.

>>> import autograd_lite as ag
>>> ag.matmul(ag.tensor([[1.0, 2.0]]), [[3.0], [4.0]])
Tensor([[11.]])
"""


@public(np.dot)
def dot(a: Any, /, b: Any) -> Any:
    """NumPy's dot product.

    A product with numbers, matmul up to two axes; else the sum over the last axis of ``a`` and
    the last but one of ``b``, without batches.

    >>> import autograd_lite as ag
    >>> ag.dot(ag.tensor([1.0, 2.0]), [3.0, 4.0])
    Tensor(11.)
    """
    left, right = shape_of(a), shape_of(b)
    if not left or not right:
        return multiply(a, b)
    if len(right) <= 2:
        return matmul(a, b)
    order = (len(right) - 2, *range(len(right) - 2), len(right) - 1)
    columns = reshape(transpose(b, order), (right[-2], -1))
    return reshape(matmul(a, columns), (*left[:-1], *right[:-2], right[-1]))
