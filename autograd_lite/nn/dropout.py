"""Dropout: elements set to zero at random, the others scaled up. Imports random, the operators."""

from typing import Any

import numpy as np

from autograd_lite.errors import DomainError
from autograd_lite.modes import scope
from autograd_lite.nn.layer import Layer
from autograd_lite.ops.pointwise import multiply
from autograd_lite.ops.shaping import shape_of
from autograd_lite.random import default_rng
from autograd_lite.tensors import Tensor

__all__ = ["Dropout", "dropout"]


@scope("Dropout")
def dropout(x: Any, rate: float, /, *, rng: Any, training: bool = True) -> Any:
    """Each element 0 with probability ``rate``, else divided by 1 − rate; so the mean stays.

    ``rng`` is a seed or a generator. The mask is a constant of the graph: a replay uses the same.
    Without ``training`` the result is ``x``.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> sorted(set(ag.nn.dropout(ag.tensor(np.ones(50)), 0.5, rng=0).data.tolist()))
    [0.0, 2.0]
    """
    if not 0 <= rate < 1:
        raise DomainError(f"dropout: rate={rate!r}", mend="a rate is at least 0 and less than 1")
    if not training or not rate:
        return x
    dtype = getattr(x, "dtype", np.dtype(np.float64))
    kind, shape = dtype if dtype.kind == "f" else np.dtype(np.float64), shape_of(x)

    def draw(numbers: np.random.Generator) -> Any:
        mask = (numbers.random(shape) >= rate).astype(kind)
        mask /= 1 - rate
        return mask

    mask = default_rng(rng).draw(draw, "mask")
    return multiply(x, mask if isinstance(x, Tensor) else mask.data)


class Dropout(Layer):
    """The layer ``dropout``, which does nothing unless ``training``.

    ``rng`` is a seed or a generator; the layer goes on drawing from it at every call.

    >>> import autograd_lite as ag
    >>> ag.nn.Dropout(0.5, rng=0).evaluate()(ag.tensor([1.0]))
    Tensor([1.])
    """

    def __init__(self, rate: float, *, rng: Any) -> None:
        self.rate, self.rng = rate, default_rng(rng)

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return dropout(x, self.rate, rng=self.rng, training=self.training)
