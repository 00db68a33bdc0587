"""Normalization: batch, layer, group and RMS norm, composed of means and squares.

The statistics are part of the graph, so that derivatives of every order run through them. Imports
errors, the operators and the layer base.
"""

import math
from typing import Any, NamedTuple, Self

import numpy as np

from autograd_lite.derivatives import stop_gradient
from autograd_lite.errors import DomainError, ShapeError
from autograd_lite.modes import current_mode, scope
from autograd_lite.nn.layer import Buffer, Layer, as_parameter
from autograd_lite.ops.pointwise import sqrt, square
from autograd_lite.ops.reductions import mean
from autograd_lite.ops.shaping import reshape, shape_of
from autograd_lite.shapes import Shape
from autograd_lite.tensors import Tensor, plain_value

__all__ = [
    "BatchNorm",
    "GroupNorm",
    "LayerNorm",
    "RMSNorm",
    "Statistics",
    "batch_norm",
    "group_norm",
    "layer_norm",
    "rms_norm",
]


class Statistics(NamedTuple):
    """Mean and (biased) variance of each channel."""

    mean: Any
    variance: Any


def _per_channel(values: Any, shape: Shape, what: str) -> Any:
    """One number for each channel, in a shape that broadcasts against (N, C, *sizes)."""
    found = shape_of(values)
    if found != shape[1:2]:
        raise ShapeError(
            f"{what} of shape {found} for an array of shape {shape}",
            mend=f"{what} has one number for each channel (axis 1)",
        )
    return reshape(values, (*found, *[1] * (len(shape) - 2)))


def _scaled(y: Any, scale: Any, shift: Any) -> Any:
    y = y if scale is None else y * scale
    return y if shift is None else y + shift


def _channels(x: Any) -> Shape:
    shape = shape_of(x)
    if len(shape) < 2:
        raise ShapeError(f"an array of shape {shape}", mend="x is (N, C, *sizes)")
    return shape


def _normalized(x: Any, axes: tuple[int, ...], epsilon: float) -> tuple[Any, Any, Any]:
    """``x`` with mean 0 and variance 1 along the axes; mean and variance, axes kept."""
    middle = mean(x, axis=axes, keepdims=True)
    centred = x - middle
    variance = mean(square(centred), axis=axes, keepdims=True)
    return centred / sqrt(variance + epsilon), middle, variance


@scope("BatchNorm")
def batch_norm(
    x: Any, scale: Any = None, shift: Any = None, /, *, statistics: Statistics | None = None,
    epsilon: float = 1e-5,
) -> Any:  # fmt: skip
    """Each channel of x (N, C, *sizes) with mean 0 and variance 1, then scaled and shifted.

    ``scale`` and ``shift`` have one number for each channel. Without ``statistics`` the batch's
    own are used, and differentiated through; with them (mean, variance) those.

    >>> import autograd_lite as ag
    >>> ag.nn.batch_norm(ag.tensor([[1.0], [3.0]]), epsilon=0.0)
    Tensor([[-1.],
            [ 1.]])
    """
    return _batch_norm(x, scale, shift, statistics, epsilon)[0]


def _batch_norm(
    x: Any, scale: Any, shift: Any, statistics: Statistics | None, epsilon: float
) -> tuple[Any, Any, Any]:
    shape = _channels(x)
    if statistics is None:
        y, middle, variance = _normalized(x, (0, *range(2, len(shape))), epsilon)
    else:
        middle = _per_channel(statistics.mean, shape, "the mean")
        variance = _per_channel(statistics.variance, shape, "the variance")
        y = (x - middle) / sqrt(variance + epsilon)
    scale = None if scale is None else _per_channel(scale, shape, "scale")
    shift = None if shift is None else _per_channel(shift, shape, "shift")
    return _scaled(y, scale, shift), middle, variance


class BatchNorm(Layer):
    """The layer ``batch_norm`` with parameters ``scale`` and ``shift`` and running statistics.

    While ``training`` it uses the batch's statistics and adds them to the running ones,
    running ← (1 − momentum)·running + momentum·batch (with the unbiased variance); otherwise it
    uses the running ones. They are ``buffers()``, not parameters.

    >>> import autograd_lite as ag
    >>> layer = ag.nn.BatchNorm.initialised(1)
    >>> _ = layer(ag.tensor([[1.0], [3.0]]))
    >>> layer.running_mean.value, layer.running_variance.value
    (array([0.2]), array([1.1]))
    """

    def __init__(
        self, scale: Any, shift: Any, *, momentum: float = 0.1, epsilon: float = 1e-5
    ) -> None:
        if not 0 <= momentum <= 1:
            raise DomainError(f"momentum={momentum!r}", mend="it lies between 0 and 1")
        self.scale = as_parameter(scale, "scale")
        self.shift = as_parameter(shift, "shift")
        self.momentum, self.epsilon = momentum, epsilon
        self.running_mean = Buffer(np.zeros(self.scale.shape, self.scale.dtype))
        self.running_variance = Buffer(np.ones(self.scale.shape, self.scale.dtype))

    @classmethod
    def initialised(cls, channels: int, *, dtype: Any = np.float64, **options: Any) -> Self:
        """A layer for so many channels that scales by 1 and shifts by 0."""
        return cls(np.ones(channels, dtype), np.zeros(channels, dtype), **options)

    def __call__(self, x: Any) -> Any:
        """The normalized channels."""
        with scope("BatchNorm"):
            statistics = None
            if not self.training:
                statistics = Statistics(self.running_mean.value, self.running_variance.value)
            y, middle, variance = _batch_norm(x, self.scale, self.shift, statistics, self.epsilon)
        if statistics is None and not current_mode().abstract:
            self._learn(_number(middle), _number(variance), shape_of(x))
        return y

    def _learn(self, middle: Any, variance: Any, shape: Shape) -> None:
        count = math.prod(shape) // max(1, shape[1])
        if count < 2:
            raise ShapeError(
                f"the variance of {count} numbers a channel, x of shape {shape}",
                mend="train on larger batches, or call evaluate() to use the running statistics",
            )
        size, rate = self.running_mean.value.shape, self.momentum
        unbiased = reshape(variance, size) * (count / (count - 1))
        running = self.running_mean, self.running_variance
        for buffer, new in zip(running, (reshape(middle, size), unbiased)):
            buffer.value = (1 - rate) * buffer.value + rate * new


def _number(value: Any) -> Any:
    """The plain values, without a graph; while a function is compiled a traced constant."""
    if current_mode().tracer is not None:
        return stop_gradient(value)
    return np.asarray(plain_value(value) if isinstance(value, Tensor) else value)


@scope("LayerNorm")
def layer_norm(
    x: Any, scale: Any = None, shift: Any = None, /, *, ndim: int = 1, epsilon: float = 1e-5
) -> Any:
    """Each sample with mean 0 and variance 1 over its last ``ndim`` axes, then scaled and shifted.

    ``scale`` and ``shift`` have the shape of those axes.

    >>> import autograd_lite as ag
    >>> ag.nn.layer_norm(ag.tensor([1.0, 3.0]), epsilon=0.0)
    Tensor([-1.,  1.])
    """
    axes = _last(x, ndim)
    return _scaled(_normalized(x, axes, epsilon)[0], scale, shift)


def _last(x: Any, ndim: int) -> tuple[int, ...]:
    count = len(shape_of(x))
    if not 0 < ndim <= count:
        raise DomainError(f"ndim={ndim} for an array of {count} axes", mend="count the last axes")
    return tuple(range(count - ndim, count))


@scope("GroupNorm")
def group_norm(
    x: Any, groups: int, scale: Any = None, shift: Any = None, /, *, epsilon: float = 1e-5
) -> Any:
    """Groups of channels of each sample of x (N, C, *sizes) with mean 0 and variance 1.

    ``scale`` and ``shift`` have one number for each channel.

    >>> import autograd_lite as ag
    >>> ag.nn.group_norm(ag.tensor([[1.0, 3.0, 5.0, 9.0]]), 2, epsilon=0.0)
    Tensor([[-1.,  1., -1.,  1.]])
    """
    shape = _channels(x)
    if groups < 1 or shape[1] % groups:
        raise ShapeError(f"{shape[1]} channels in {groups} groups", mend="groups divide channels")
    size = math.prod(shape[1:]) // groups
    parts = reshape(x, (shape[0], groups, size))
    y = reshape(_normalized(parts, (2,), epsilon)[0], shape)
    scale = None if scale is None else _per_channel(scale, shape, "scale")
    shift = None if shift is None else _per_channel(shift, shape, "shift")
    return _scaled(y, scale, shift)


@scope("RMSNorm")
def rms_norm(x: Any, scale: Any = None, /, *, ndim: int = 1, epsilon: float = 1e-5) -> Any:
    """Each sample over the root of its mean square, over its last ``ndim`` axes, then scaled.

    >>> import autograd_lite as ag
    >>> ag.nn.rms_norm(ag.tensor([1.0, 7.0]), epsilon=0.0)
    Tensor([0.2, 1.4])
    """
    power = mean(square(x), axis=_last(x, ndim), keepdims=True)
    return _scaled(x / sqrt(power + epsilon), scale, None)


class LayerNorm(Layer):
    """The layer ``layer_norm`` with parameters ``scale`` and ``shift``, of the normalized shape.

    >>> import autograd_lite as ag
    >>> ag.nn.LayerNorm.initialised((4,))
    LayerNorm(scale=(4,), shift=(4,))
    """

    def __init__(self, scale: Any, shift: Any = None, *, epsilon: float = 1e-5) -> None:
        self.scale = as_parameter(scale, "scale")
        self.shift = as_parameter(shift, "shift")
        self.epsilon = epsilon

    @classmethod
    def initialised(cls, shape: Shape, *, dtype: Any = np.float64, **options: Any) -> Self:
        """A layer over the last axes, of that shape, that scales by 1 and shifts by 0."""
        return cls(np.ones(shape, dtype), np.zeros(shape, dtype), **options)

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        ndim = self.scale.ndim
        return layer_norm(x, self.scale, self.shift, ndim=ndim, epsilon=self.epsilon)


class GroupNorm(Layer):
    """The layer ``group_norm`` with parameters ``scale`` and ``shift`` for each channel.

    >>> import autograd_lite as ag
    >>> ag.nn.GroupNorm.initialised(2, 4)
    GroupNorm(scale=(4,), shift=(4,))
    """

    def __init__(self, groups: int, scale: Any, shift: Any, *, epsilon: float = 1e-5) -> None:
        self.groups = groups
        self.scale = as_parameter(scale, "scale")
        self.shift = as_parameter(shift, "shift")
        self.epsilon = epsilon

    @classmethod
    def initialised(
        cls, groups: int, channels: int, *, dtype: Any = np.float64, **options: Any
    ) -> Self:
        """A layer for so many channels that scales by 1 and shifts by 0."""
        return cls(groups, np.ones(channels, dtype), np.zeros(channels, dtype), **options)

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return group_norm(x, self.groups, self.scale, self.shift, epsilon=self.epsilon)


class RMSNorm(Layer):
    """The layer ``rms_norm`` with the parameter ``scale``, of the normalized shape.

    >>> import autograd_lite as ag
    >>> ag.nn.RMSNorm.initialised((4,))
    RMSNorm(scale=(4,))
    """

    def __init__(self, scale: Any, *, epsilon: float = 1e-5) -> None:
        self.scale = as_parameter(scale, "scale")
        self.epsilon = epsilon

    @classmethod
    def initialised(cls, shape: Shape, *, dtype: Any = np.float64, **options: Any) -> Self:
        """A layer over the last axes, of that shape, that scales by 1."""
        return cls(np.ones(shape, dtype), **options)

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return rms_norm(x, self.scale, ndim=self.scale.ndim, epsilon=self.epsilon)
