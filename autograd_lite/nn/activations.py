"""Activations: each an operator, or a few, under a scope. Imports the operators and the layer base.

Every function has a class without parameters that is called the same way.
"""

from typing import Any

from autograd_lite.modes import scope
from autograd_lite.nn.layer import Layer
from autograd_lite.ops import pointwise, special, statistics
from autograd_lite.ops.pointwise import exp, maximum

__all__ = [
    "ELU",
    "GELU",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "elu",
    "gelu",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]


@scope("Sigmoid")
def sigmoid(x: Any, /) -> Any:
    """1 / (1 + exp(−x)) of each element, composed so that it is exact for every finite input.

    With m = max(x, 0) it is exp(x − m) / (exp(x − m) + exp(−m)): no exponent is positive, so
    nothing overflows, and the derivative keeps its digits where y(1 − y) loses them (4.2e-18 at
    40). The derivative at 0 is exactly 0.25. ``ag.sigmoid`` is the same as one operator: quicker,
    with nothing inside to see.

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


@scope("Tanh")
def tanh(x: Any, /) -> Any:
    """The hyperbolic tangent of each element.

    >>> import autograd_lite as ag
    >>> ag.nn.tanh(ag.tensor([0.0, 1000.0]))
    Tensor([0., 1.])
    """
    return pointwise.tanh(x)


@scope("Softplus")
def softplus(x: Any, /) -> Any:
    """log(1 + exp(x)) of each element, exact at both ends.

    >>> import autograd_lite as ag
    >>> ag.nn.softplus(ag.tensor([-1000.0, 1000.0]))
    Tensor([   0., 1000.])
    """
    return special.softplus(x)


@scope("LogSigmoid")
def log_sigmoid(x: Any, /) -> Any:
    """The logarithm of the sigmoid of each element, exact at both ends.

    >>> import autograd_lite as ag
    >>> ag.nn.log_sigmoid(ag.tensor([-1000.0]))
    Tensor([-1000.])
    """
    return special.log_sigmoid(x)


@scope("SiLU")
def silu(x: Any, /) -> Any:
    """x·σ(x) of each element (also called swish).

    >>> import autograd_lite as ag
    >>> ag.nn.silu(ag.tensor([0.0, 1000.0]))
    Tensor([   0., 1000.])
    """
    return special.silu(x)


@scope("GELU")
def gelu(x: Any, /, approximate: str = "none") -> Any:
    """x·Φ(x) of each element, Φ the normal distribution function (which needs SciPy).

    ``approximate="tanh"`` is the usual approximation, without SciPy.

    >>> import autograd_lite as ag
    >>> ag.nn.gelu(ag.tensor([0.0, 100.0]), approximate="tanh")
    Tensor([  0., 100.])
    """
    return special.gelu(x, approximate)


@scope("ELU")
def elu(x: Any, /, alpha: float = 1.0) -> Any:
    """Each element where it is positive, else alpha·(exp(x) − 1).

    >>> import autograd_lite as ag
    >>> ag.nn.elu(ag.tensor([-1000.0, 2.0]))
    Tensor([-1.,  2.])
    """
    return special.elu(x, alpha)


@scope("LeakyReLU")
def leaky_relu(x: Any, /, negative_slope: float = 0.01) -> Any:
    """Each element where it is positive, else negative_slope·x, at 0 too.

    >>> import autograd_lite as ag
    >>> ag.nn.leaky_relu(ag.tensor([-1.0, 2.0]))
    Tensor([-0.01,  2.  ])
    """
    return special.leaky_relu(x, negative_slope)


@scope("Softmax")
def softmax(x: Any, /, axis: Any = -1) -> Any:
    """exp(x) over its sum along the axis, without overflow.

    >>> import autograd_lite as ag
    >>> ag.nn.softmax(ag.tensor([-1e4, 1e4, 1e4]))
    Tensor([0. , 0.5, 0.5])
    """
    return statistics.softmax(x, axis)


@scope("LogSoftmax")
def log_softmax(x: Any, /, axis: Any = -1) -> Any:
    """The logarithm of ``softmax``, exact where that underflows.

    >>> import autograd_lite as ag
    >>> ag.nn.log_softmax(ag.tensor([-1e4, 1e4]))
    Tensor([-20000.,      0.])
    """
    return statistics.log_softmax(x, axis)


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


class Tanh(Layer):
    """The layer ``tanh``; it has no parameters."""

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return tanh(x)


class Softplus(Layer):
    """The layer ``softplus``; it has no parameters."""

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return softplus(x)


class LogSigmoid(Layer):
    """The layer ``log_sigmoid``; it has no parameters."""

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return log_sigmoid(x)


class SiLU(Layer):
    """The layer ``silu``; it has no parameters."""

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return silu(x)


class GELU(Layer):
    """The layer ``gelu``; it has no parameters."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return gelu(x, self.approximate)


class ELU(Layer):
    """The layer ``elu``; it has no parameters."""

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return elu(x, self.alpha)


class LeakyReLU(Layer):
    """The layer ``leaky_relu``; it has no parameters."""

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return leaky_relu(x, self.negative_slope)


class Softmax(Layer):
    """The layer ``softmax`` along an axis; it has no parameters."""

    def __init__(self, axis: Any = -1) -> None:
        self.axis = axis

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return softmax(x, self.axis)


class LogSoftmax(Layer):
    """The layer ``log_softmax`` along an axis; it has no parameters."""

    def __init__(self, axis: Any = -1) -> None:
        self.axis = axis

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return log_softmax(x, self.axis)
