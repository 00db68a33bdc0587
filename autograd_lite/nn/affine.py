"""The affine layer x·W + b. Imports the operators, recording and the layer base."""

from typing import Any, Self

import numpy as np

from autograd_lite.errors import ShapeError
from autograd_lite.modes import scope
from autograd_lite.nn.initialisers import glorot_uniform
from autograd_lite.nn.layer import Layer
from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.pointwise import add
from autograd_lite.ops.shaping import reshape, shape_of
from autograd_lite.random import default_rng
from autograd_lite.tensors import Tensor, parameter

__all__ = ["Affine", "affine"]


@scope("Affine")
def affine(x: Any, W: Any, b: Any, /) -> Any:
    """x·W + b, each sample flattened to a row.

    ``x`` has shape (N, …) with D elements a sample, or (D,) for a single sample; ``W`` (D, M) and
    ``b`` (M,). The result has shape (N, M) or (M,); the gradient of ``x`` has the shape of ``x``.
    Raises ``ShapeError`` if the sizes do not fit.

    >>> import autograd_lite as ag
    >>> ag.nn.affine(ag.tensor([[1, 1]]), [[1, 2, 3], [4, 5, 6]], [7, 8, 9])
    Tensor([[12., 15., 18.]])
    """
    shape = shape_of(x)
    if len(shape) > 2:
        x = reshape(x, (shape[0], _sample_size(shape)))
    rows = shape_of(W)
    if len(rows) != 2 or shape_of(x)[-1:] != rows[:1]:
        raise ShapeError(
            f"affine: samples of {shape_of(x)[-1:] or 'no'} elements do not fit W of shape {rows}",
            where=f"x {shape}, W {rows}, b {shape_of(b)}",
            mend="W has one row for each element of a sample, and one column for each output",
        )
    return add(matmul(x, W), b)


def _sample_size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape[1:]:
        size *= n
    return size


class Affine(Layer):
    """The affine layer with parameters ``W`` (D, M) and ``b`` (M,).

    Arrays become parameters of those names; tensors are taken as they are.

    >>> import autograd_lite as ag
    >>> ag.nn.Affine([[1, 2, 3], [4, 5, 6]], [7, 8, 9])
    Affine(W=(2, 3), b=(3,))
    """

    def __init__(self, W: Any, b: Any) -> None:
        self.W = W if isinstance(W, Tensor) else parameter(W, name="W")
        self.b = b if isinstance(b, Tensor) else parameter(b, name="b")

    @classmethod
    def initialised(
        cls,
        inputs: int,
        outputs: int,
        *,
        rng: Any,
        weights: Any = glorot_uniform,
        dtype: Any = np.float64,
    ) -> Self:
        """A layer with random weights and no shift.

        >>> import autograd_lite as ag
        >>> ag.nn.Affine.initialised(3, 5, rng=0)
        Affine(W=(3, 5), b=(5,))
        """
        W = weights((inputs, outputs), default_rng(rng), dtype=dtype)
        return cls(W, np.zeros(outputs, dtype))

    def __call__(self, x: Any) -> Any:
        """x·W + b of the layer's parameters; see ``affine``."""
        return affine(x, self.W, self.b)
