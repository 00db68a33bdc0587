"""Convolution with a shift for each channel, and its transposed form. Imports the operators."""

from typing import Any, Self

import numpy as np

from autograd_lite.errors import ShapeError
from autograd_lite.modes import scope
from autograd_lite.nn.initialisers import he_normal
from autograd_lite.nn.layer import Layer, as_parameter
from autograd_lite.ops import convolution as operators
from autograd_lite.ops.pointwise import add
from autograd_lite.ops.shaping import reshape, shape_of
from autograd_lite.random import default_rng

__all__ = ["Convolution", "ConvolutionTranspose", "convolution", "convolution_transpose"]


def _shifted(y: Any, b: Any) -> Any:
    """``y`` (N, C, *sizes) plus one number for each channel."""
    if b is None:
        return y
    channels = shape_of(y)[1]
    if shape_of(b) != (channels,):
        raise ShapeError(
            f"a shift of shape {shape_of(b)} for {channels} channels",
            mend="b has one number for each output channel",
        )
    return add(y, reshape(b, (channels, *[1] * (len(shape_of(y)) - 2))))


@scope("Convolution")
def convolution(x: Any, W: Any, b: Any = None, /, **options: Any) -> Any:
    """``ag.convolution(x, W)`` plus ``b`` for each output channel.

    x (N, C, *sizes), W (O, C/groups, *kernel), b (O,); options are ``stride``, ``padding``,
    ``dilation`` and ``groups``. The kernel's number of axes says over how many it runs.

    >>> import autograd_lite as ag
    >>> ag.nn.convolution(ag.tensor([[[1.0, 2.0, 4.0]]]), [[[-1.0, 1.0]]], [10.0])
    Tensor([[[11., 12.]]])
    """
    return _shifted(operators.convolution(x, W, **options), b)


@scope("ConvolutionTranspose")
def convolution_transpose(x: Any, W: Any, b: Any = None, /, **options: Any) -> Any:
    """``ag.convolution_transpose(x, W)`` plus ``b`` for each output channel.

    x (N, O, *windows), W (O, C/groups, *kernel), b (C,); options are ``stride``, ``padding``,
    ``output_padding``, ``dilation`` and ``groups``.

    >>> import autograd_lite as ag
    >>> ag.nn.convolution_transpose(ag.tensor([[[1.0, 2.0]]]), [[[1.0, 1.0]]], [10.0])
    Tensor([[[11., 13., 12.]]])
    """
    return _shifted(operators.convolution_transpose(x, W, **options), b)


class Convolution(Layer):
    """The layer ``convolution`` with parameters ``W`` and, unless it is None, ``b``.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> layer = ag.nn.Convolution.initialised(3, 8, (3, 3), rng=0, padding="same")
    >>> layer, layer(np.zeros((2, 3, 16, 16))).shape
    (Convolution(W=(8, 3, 3, 3), b=(8,)), (2, 8, 16, 16))
    """

    def __init__(self, W: Any, b: Any = None, **options: Any) -> None:
        self.W = as_parameter(W, "W")
        self.b = as_parameter(b, "b")
        self.options = options

    @classmethod
    def initialised(
        cls,
        inputs: int,
        outputs: int,
        kernel: tuple[int, ...],
        *,
        rng: Any,
        weights: Any = he_normal,
        shift: bool = True,
        dtype: Any = np.float64,
        **options: Any,
    ) -> Self:
        """A layer from ``inputs`` to ``outputs`` channels with random weights and no shift."""
        shape = (outputs, inputs // options.get("groups", 1), *kernel)
        W = weights(shape, default_rng(rng), dtype=dtype)
        return cls(W, np.zeros(outputs, dtype) if shift else None, **options)

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return convolution(x, self.W, self.b, **self.options)


class ConvolutionTranspose(Layer):
    """The layer ``convolution_transpose`` with parameters ``W`` and, unless it is None, ``b``.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> layer = ag.nn.ConvolutionTranspose.initialised(8, 3, (2, 2), rng=0, stride=2)
    >>> layer, layer(np.zeros((2, 8, 4, 4))).shape
    (ConvolutionTranspose(W=(8, 3, 2, 2), b=(3,)), (2, 3, 8, 8))
    """

    def __init__(self, W: Any, b: Any = None, **options: Any) -> None:
        self.W = as_parameter(W, "W")
        self.b = as_parameter(b, "b")
        self.options = options

    @classmethod
    def initialised(
        cls,
        inputs: int,
        outputs: int,
        kernel: tuple[int, ...],
        *,
        rng: Any,
        weights: Any = he_normal,
        shift: bool = True,
        dtype: Any = np.float64,
        **options: Any,
    ) -> Self:
        """A layer from ``inputs`` to ``outputs`` channels with random weights and no shift."""
        shape = (inputs, outputs // options.get("groups", 1), *kernel)
        W = weights(shape, default_rng(rng), dtype=dtype)
        return cls(W, np.zeros(outputs, dtype) if shift else None, **options)

    def __call__(self, x: Any) -> Any:
        """See the function of that name."""
        return convolution_transpose(x, self.W, self.b, **self.options)
