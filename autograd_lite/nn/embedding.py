"""Embedding: rows of a table by number. Imports errors, the operators and the layer base."""

from typing import Any, Self

import numpy as np

from autograd_lite.errors import DTypeError, ShapeError
from autograd_lite.modes import scope
from autograd_lite.nn.initialisers import normal
from autograd_lite.nn.layer import Layer, as_parameter
from autograd_lite.ops.gathering import take, within
from autograd_lite.ops.shaping import shape_of
from autograd_lite.random import default_rng

__all__ = ["Embedding", "embedding"]


@scope("Embedding")
def embedding(indices: Any, W: Any, /) -> Any:
    """The rows of W (V, D) at these numbers: indices (…) of integers give (…, D).

    A row that is read twice gets the sum of both gradients. A number below 0 or from V on raises
    ``IndexingError``: nothing is counted from the end.

    >>> import autograd_lite as ag
    >>> ag.nn.embedding([0, 0], ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[1., 2.],
            [1., 2.]])
    """
    rows = shape_of(W)
    if len(rows) != 2:
        raise ShapeError(f"embedding: a table of shape {rows}", mend="W is (rows, numbers a row)")
    numbers = indices if hasattr(indices, "dtype") else np.asarray(indices)
    if not numbers.size:
        return take(W, np.zeros(numbers.shape, np.intp), axis=0)
    if numbers.dtype.kind not in "iu":
        raise DTypeError(
            f"embedding: indices of dtype {numbers.dtype}", mend="indices are integers"
        )
    texts = "embedding: indices", f"into {rows[0]} rows"
    return take(W, within(numbers, size=rows[0], texts=texts, ignore=None), axis=0)


class Embedding(Layer):
    """The layer ``embedding`` with the table ``W`` (V, D) as its parameter.

    >>> import autograd_lite as ag
    >>> ag.nn.Embedding.initialised(10, 4, rng=0)([[1, 2, 3]]).shape
    (1, 3, 4)
    """

    def __init__(self, W: Any) -> None:
        self.W = as_parameter(W, "W")

    @classmethod
    def initialised(
        cls, rows: int, width: int, *, rng: Any, scale: float = 1.0, dtype: Any = np.float64
    ) -> Self:
        """A table of normal draws of that standard deviation."""
        return cls(normal((rows, width), default_rng(rng), scale=scale, dtype=dtype))

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return embedding(x, self.W)
