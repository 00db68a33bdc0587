"""Activations: sigmoid and ReLU, composed of operators. Imports the operators and recording."""

from typing import Any

from autograd_lite.modes import scope
from autograd_lite.nn.layer import Layer
from autograd_lite.ops.pointwise import exp, maximum

__all__ = ["ReLU", "Sigmoid", "relu", "sigmoid"]


@scope("Sigmoid")
def sigmoid(x: Any, /) -> Any:
    """1 / (1 + exp(−x)) of each element, in a form that is exact for every finite input.

    With m = max(x, 0) it is exp(x − m) / (exp(x − m) + exp(−m)): no exponent is positive, so
    nothing overflows, and the derivative keeps its digits where y(1 − y) loses them (4.2e-18 at
    40). The derivative at 0 is exactly 0.25.

    >>> import autograd_lite as ag
    >>> ag.nn.sigmoid(ag.tensor([-1000.0, 0.0, 1000.0]))
    Tensor([0. , 0.5, 1. ])
    """
    m = maximum(x, 0)
    up = exp(x - m)
    return up / (up + exp(-m))


@scope("ReLU")
def relu(x: Any, /) -> Any:
    """max(x, 0) of each element; the derivative at 0 is 0.

    >>> import autograd_lite as ag
    >>> ag.nn.relu(ag.tensor([1.0, -2.0]))
    Tensor([1., 0.])
    """
    return maximum(x, 0)


class Sigmoid(Layer):
    """The layer ``sigmoid``; it has no parameters."""

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return sigmoid(x)


class ReLU(Layer):
    """The layer ``relu``; it has no parameters."""

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return relu(x)
