"""Pooling layers. Imports the operators and the layer base."""

from typing import Any

from autograd_lite.modes import scope
from autograd_lite.nn.layer import Layer
from autograd_lite.ops import pooling as operators
from autograd_lite.ops.reductions import mean
from autograd_lite.ops.shaping import shape_of

__all__ = ["AveragePool", "GlobalAveragePool", "MaxPool", "average_pool", "global_average_pool",
           "max_pool"]  # fmt: skip


@scope("MaxPool")
def max_pool(x: Any, kernel: Any, /, **options: Any) -> Any:
    """``ag.max_pool``: the largest element of every window; options are those of that function.

    >>> import autograd_lite as ag
    >>> ag.nn.max_pool(ag.tensor([[[1.0, 3.0, 3.0, 2.0]]]), 2)
    Tensor([[[3., 3.]]])
    """
    return operators.max_pool(x, kernel, **options)


@scope("AveragePool")
def average_pool(x: Any, kernel: Any, /, **options: Any) -> Any:
    """``ag.average_pool``: the average of every window; options are those of that function.

    >>> import autograd_lite as ag
    >>> ag.nn.average_pool(ag.tensor([[[1.0, 3.0, 3.0, 2.0]]]), 2)
    Tensor([[[2. , 2.5]]])
    """
    return operators.average_pool(x, kernel, **options)


@scope("GlobalAveragePool")
def global_average_pool(x: Any, /) -> Any:
    """The average over all axes after the first two: (N, C, *sizes) → (N, C).

    >>> import autograd_lite as ag
    >>> ag.nn.global_average_pool(ag.tensor([[[1.0, 3.0]]]))
    Tensor([[2.]])
    """
    return mean(x, axis=tuple(range(2, len(shape_of(x)))))


class MaxPool(Layer):
    """The layer ``max_pool``; it has no parameters."""

    def __init__(self, kernel: Any, **options: Any) -> None:
        self.kernel, self.options = kernel, options

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return max_pool(x, self.kernel, **self.options)


class AveragePool(Layer):
    """The layer ``average_pool``; it has no parameters."""

    def __init__(self, kernel: Any, **options: Any) -> None:
        self.kernel, self.options = kernel, options

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return average_pool(x, self.kernel, **self.options)


class GlobalAveragePool(Layer):
    """The layer ``global_average_pool``; it has no parameters."""

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return global_average_pool(x)
