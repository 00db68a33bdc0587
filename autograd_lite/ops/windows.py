"""Windows that slide over the trailing axes: their geometry, and reading and adding them up.

Knows strides, padding, dilation, and views that overlap. Does not know products (``convolution``)
nor choices (``pooling``), which read windows through here. Imports errors, rules, shapes and NumPy.
"""

import itertools
import math
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, DTypeError, ShapeError
from autograd_lite.ops.shaping import shape_of
from autograd_lite.rules import linear, public
from autograd_lite.shapes import Shape, normalize_axes

Pads = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Windows:
    """Windows of the shape ``kernel`` over trailing axes of the sizes ``size``.

    ``padding`` is a pair (before, after) for each axis. Raises ``ShapeError`` where no window fits.
    """

    size: Shape
    kernel: Shape
    stride: Shape
    padding: Pads
    dilation: Shape

    def __post_init__(self) -> None:
        counts = {len(self.kernel), len(self.stride), len(self.padding), len(self.dilation)}
        if counts != {len(self.size)} or not self.size:
            raise ShapeError(
                f"windows of shape {self.kernel} over axes of sizes {self.size}, stride "
                f"{self.stride}, padding {self.padding}, dilation {self.dilation}",
                mend="each names one entry for every axis over which the windows slide",
            )
        if min(self.kernel) < 1 or min(self.output) < 1:
            raise ShapeError(
                f"no window of shape {self.kernel} fits into axes of sizes {self.size} with "
                f"padding {self.padding} and dilation {self.dilation}",
                mend="take a smaller window or more padding",
            )

    @property
    def padded(self) -> Shape:
        """The sizes of the axes with their padding."""
        return tuple(n + sum(pad) for n, pad in zip(self.size, self.padding))

    @property
    def output(self) -> Shape:
        """How many windows there are along each axis."""
        every = zip(self.padded, self.kernel, self.stride, self.dilation)
        return tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in every)

    def pad(self, x: Any, fill: Any = 0) -> Any:
        """``x`` with its trailing axes padded; itself where there is nothing to add."""
        if not any(map(any, self.padding)):
            return x
        wide = np.full((*x.shape[: -len(self.size)], *self.padded), fill, x.dtype)
        self.crop(wide)[...] = x
        return wide

    def crop(self, wide: Any) -> Any:
        """A view without the padding."""
        inner = [slice(pad[0], pad[0] + n) for pad, n in zip(self.padding, self.size)]
        return wide[(..., *inner)]

    def view(self, wide: Any) -> Any:
        """All windows of a padded array as a view (*leading, *kernel, *output)."""
        count = len(self.size)
        steps = wide.strides[wide.ndim - count :]
        return np.lib.stride_tricks.as_strided(
            wide,
            (*wide.shape[: wide.ndim - count], *self.kernel, *self.output),
            (
                *wide.strides[: wide.ndim - count],
                *(step * d for step, d in zip(steps, self.dilation)),
                *(step * s for step, s in zip(steps, self.stride)),
            ),
            writeable=False,
        )

    def places(self) -> Iterator[tuple[Shape, Any]]:
        """Each place in the kernel, and the index of a padded array that reads it everywhere."""
        for place in itertools.product(*map(range, self.kernel)):
            every = zip(place, self.dilation, self.stride, self.output)
            yield place, (..., *(slice(i * d, i * d + s * (n - 1) + 1, s) for i, d, s, n in every))


def per_axis(value: Any, count: int, what: str, *, least: int = 1) -> Shape:
    """A whole number for each of ``count`` axes, given as one for all or as a tuple."""
    several = value if isinstance(value, (tuple, list)) else (value,) * count
    try:
        numbers = tuple(map(operator.index, several))
    except TypeError:
        raise DTypeError(
            f"{what} is {value!r}", mend=f"{what} is an integer, or one for each of {count} axes"
        ) from None
    if len(numbers) != count or min(numbers, default=least) < least:
        raise DomainError(
            f"{what}={value!r} for {count} axes",
            mend=f"{what} is one integer ≥ {least}, or one for each axis",
        )
    return numbers


def pads(padding: Any, size: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Pads:
    """Padding as pairs: given as a number, one for each axis, pairs, ``"valid"`` or ``"same"``.

    ``"same"`` gives ceil(size / stride) windows; an odd total has its larger half at the end.
    """
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * len(size)
        if padding != "same":
            raise DomainError(f"padding={padding!r}", mend="'same', 'valid', or integers")
        every = zip(size, kernel, stride, dilation)
        totals = [max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n) for n, k, s, d in every]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, (tuple, list)) and any(isinstance(p, (tuple, list)) for p in padding):
        if len(padding) != len(size):
            raise DomainError(f"padding={padding!r} for {len(size)} axes", mend="a pair for each")
        pairs = [per_axis(pair, 2, "padding", least=0) for pair in padding]
        return tuple((pair[0], pair[1]) for pair in pairs)
    return tuple((n, n) for n in per_axis(padding, len(size), "padding", least=0))


def geometry(
    size: Shape, kernel: Shape, stride: Any, padding: Any, dilation: Any
) -> dict[str, Any]:
    """The parameters of windows as the operators take them, from what a user gave."""
    count = len(kernel)
    steps = per_axis(stride, count, "stride")
    gaps = per_axis(dilation, count, "dilation")
    return {"stride": steps, "padding": pads(padding, size, kernel, steps, gaps), "dilation": gaps}


# windows as columns


def _columns(x: Any, *, kernel: Shape, **params: Any) -> Any:
    windows = Windows(x.shape[2:], kernel, **params)
    seen = windows.view(windows.pad(x))
    return seen.reshape(*x.shape[:1], x.shape[1] * math.prod(kernel), math.prod(windows.output))


def _from_columns(cols: Any, *, size: Shape, kernel: Shape, **params: Any) -> Any:
    windows = Windows(size, kernel, **params)
    area = math.prod(kernel)
    if cols.ndim != 3 or cols.shape[1] % area or cols.shape[2] != math.prod(windows.output):
        raise ShapeError(
            f"columns of shape {cols.shape} for {windows.output} windows of shape {kernel}",
            mend="columns are (N, C·elements of a window, number of windows)",
        )
    parts = cols.reshape(cols.shape[0], cols.shape[1] // area, *kernel, *windows.output)
    wide = np.zeros((*parts.shape[:2], *windows.padded), cols.dtype)
    for place, index in windows.places():
        wide[index] += parts[(slice(None), slice(None), *place)]
    return np.ascontiguousarray(windows.crop(wide))


_LINE: Any = {"stride": (2,), "padding": ((1, 0),), "dilation": (1,)}
_PLANE: Any = {"stride": (1, 2), "padding": ((0, 0), (1, 1)), "dilation": (2, 1)}

_im2col = linear(
    "im2col", _columns, lambda g, x, **params: _col2im(g, size=x.shape[2:], **params),
    symbol="im2col", local=["G summed where windows overlap"], array_names=("x",),
    doc="Windows over the trailing axes as columns.",
    samples=[
        (((2, 2, 5),), {"kernel": (3,), **_LINE}), (((1, 2, 4, 3),), {"kernel": (2, 2), **_PLANE}),
    ],
)  # fmt: skip
_col2im = linear(
    "col2im", _from_columns,
    lambda g, cols, *, size, **params: _im2col(g, **params),
    symbol="col2im", local=["G read in windows"], array_names=("columns",),
    doc="Columns added up where the windows that they were overlap.",
    samples=[
        (((2, 6, 2),), {"size": (5,), "kernel": (3,), **_LINE}),
        (((1, 8, 4),), {"size": (4, 3), "kernel": (2, 2), **_PLANE}),
    ],
)  # fmt: skip


@public()
def im2col(x: Any, kernel: Any, /, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> Any:
    """Windows of ``x`` (N, C, *sizes) as columns: (N, C·elements of a window, windows).

    ``kernel`` is the window's shape; the other parameters are those of ``convolution``.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.im2col(np.array([[[1.0, 2.0, 3.0]]]), (2,))
    array([[[1., 2.],
            [2., 3.]]])
    """
    size = shape_of(x)[2:]
    window = per_axis(kernel, len(size), "kernel")
    return _im2col(x, kernel=window, **geometry(size, window, stride, padding, dilation))


@public()
def col2im(
    columns: Any, size: Any, kernel: Any, /, *, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1,
) -> Any:  # fmt: skip
    """The adjoint of ``im2col``: columns back in their places (N, C, *size), overlaps added.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.col2im(np.array([[[1.0, 2.0], [2.0, 3.0]]]), (3,), (2,))
    array([[[1., 4., 3.]]])
    """
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    window = per_axis(kernel, len(sizes), "kernel")
    params = geometry(sizes, window, stride, padding, dilation)
    return _col2im(columns, size=sizes, kernel=window, **params)


# NumPy's sliding windows


def _slide(x: Any, *, window: Shape, axes: tuple[int, ...]) -> Any:
    return np.lib.stride_tricks.sliding_window_view(x, window, axes)


def _overlap(g: Any, *, window: Shape, axes: tuple[int, ...], shape: Shape) -> Any:
    total = np.zeros(shape, g.dtype)
    counts = [n - window[axes.index(i)] + 1 if i in axes else n for i, n in enumerate(shape)]
    if g.shape != (*counts, *window):
        raise ShapeError(f"windows of shape {g.shape}", mend=f"they are {(*counts, *window)}")
    for place in itertools.product(*map(range, window)):
        index = [slice(None)] * len(shape)
        for axis, i in zip(axes, place):
            index[axis] = slice(i, i + g.shape[axis])
        total[tuple(index)] += g[(..., *place)]
    return total


_sliding = linear(
    "sliding_window_view", _slide,
    lambda g, x, *, window, axes: _overlap_add(g, window=window, axes=axes, shape=x.shape),
    symbol="windows", local=["G summed where windows overlap"], array_names=("x",),
    samples=[
        (((5,),), {"window": (3,), "axes": (0,)}), (((4, 3),), {"window": (2, 2), "axes": (1, 0)}),
    ],
    code="np.lib.stride_tricks.sliding_window_view({0}, {window}, {axes})",
)  # fmt: skip
_overlap_add = linear(
    "overlap_add", _overlap,
    lambda g, x, *, window, axes, shape: _sliding(g, window=window, axes=axes),
    symbol="windowsᵀ", local=["G read in windows"], array_names=("windows",),
    doc="Windows added up where they overlap.",
    samples=[
        (((3, 3),), {"window": (3,), "axes": (0,), "shape": (5,)}),
        (((3, 2, 2, 2),), {"window": (2, 2), "axes": (1, 0), "shape": (4, 3)}),
    ],
)  # fmt: skip


@public(np.lib.stride_tricks.sliding_window_view)
def sliding_window_view(x: Any, /, window_shape: Any, axis: Any = None) -> Any:
    """Every window of ``x`` along the named axes (without ``axis``: all); its axes come last.

    The gradient sums what overlaps.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.sliding_window_view(ag.tensor([1.0, 2.0, 3.0]), 2)
    Tensor([[1., 2.],
            [2., 3.]])
    """
    shape = shape_of(x)
    axes = normalize_axes(axis, len(shape))
    window = window_shape if isinstance(window_shape, Sequence) else (window_shape,) * len(axes)
    sizes = per_axis(tuple(window), len(axes), "window_shape")
    if any(k > shape[i] for k, i in zip(sizes, axes)):
        raise ShapeError(
            f"a window of shape {sizes} over axes {axes} of shape {shape}",
            mend="a window is no larger than its axis",
        )
    return _sliding(x, window=sizes, axes=axes)
