"""Convolution over any number of axes, and its transposed form.

Three operators, each bilinear, each the adjoint of the other two: the convolution of x and w, the
gradient of x made of g and w, and the gradient of w made of x and g. So derivatives of every order
are theirs. Knows windows times weights as a matrix product. Imports errors, rules, windows, NumPy.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, ShapeError
from autograd_lite.ops import plain
from autograd_lite.ops.shaping import as_array, shape_of
from autograd_lite.ops.windows import Pads, Windows, geometry, per_axis
from autograd_lite.recording import apply
from autograd_lite.rules import multilinear, public
from autograd_lite.shapes import Shape

_BLOCK = 1 << 20  # bytes of windows that are laid out at once: what a processor's cache holds


def _windows(x: Shape, w: Shape, g: Shape | None, groups: int, params: Any) -> Windows:
    """The windows that make an output of shape ``g`` of ``x`` and ``w``, all held to each other."""
    if len(w) < 3 or len(x) != len(w):
        raise ShapeError(
            f"x has {len(x)} axes, w {len(w)}",
            mend="x is (N, C, *sizes) and w (O, C/groups, *kernel), with as many sizes as kernel",
        )
    if x[1] != w[1] * groups or w[0] % groups:
        raise ShapeError(
            f"{x[1]} channels of x, w of shape {w} and {groups} groups do not fit",
            mend="w is (O, C/groups, *kernel), and groups divides O",
        )
    windows = Windows(x[2:], w[2:], **params)
    if g is not None and g != (x[0], w[0], *windows.output):
        raise ShapeError(
            f"an output of shape {g} does not come from x {x} and w {w}",
            mend=f"it has the shape {(x[0], w[0], *windows.output)}",
        )
    return windows


def _blocks(windows: Windows, samples: int, channels: int, dtype: Any) -> Iterator[slice]:
    """So many samples at a time that their windows stay in the cache."""
    each = channels * math.prod(windows.kernel) * math.prod(windows.output) * dtype.itemsize
    step = max(1, _BLOCK // max(1, each))
    return (slice(i, min(i + step, samples)) for i in range(0, samples, step))


class _Scratch:
    """Memory that one loop over blocks uses again and again, for each block in another shape."""

    def __init__(self, dtype: Any) -> None:
        self._dtype = dtype
        self._memory = np.empty(0, dtype)

    def of(self, *shape: int) -> Any:
        """An array of that shape, of whatever values; it is lost at the next call."""
        size = math.prod(shape)
        if size > self._memory.size:
            self._memory = np.empty(size, self._dtype)
        return self._memory[:size].reshape(shape)


def _laid_out(windows: Windows, wide: Any, groups: int, scratch: _Scratch) -> Any:
    """Windows of some samples as matrices (groups, C/groups · kernel, samples · windows)."""
    count = len(windows.kernel)
    seen = windows.view(wide)
    kernel, output = range(2, 2 + count), range(2 + count, 2 + 2 * count)
    ordered = seen.transpose(1, *kernel, 0, *output)
    columns = scratch.of(*ordered.shape)
    columns[...] = ordered
    rows = wide.shape[1] // groups * math.prod(windows.kernel)
    return columns.reshape(groups, rows, len(wide) * math.prod(windows.output))


def _by_channel(g: Any, groups: int) -> Any:
    """An output of some samples as matrices (groups, O/groups, samples · windows)."""
    shape = groups, g.shape[1] // groups, g.shape[0] * math.prod(g.shape[2:])
    return g.swapaxes(0, 1).reshape(shape)


def _forward(x: Any, w: Any, *, groups: int, **params: Any) -> Any:
    windows = _windows(x.shape, w.shape, None, groups, params)
    kind = np.result_type(x, w)
    wide = windows.pad(x)
    y = np.empty((len(x), len(w), *windows.output), kind)
    rows = w.reshape(groups, len(w) // groups, math.prod(w.shape[1:])).astype(kind, copy=False)
    columns, products = _Scratch(kind), _Scratch(kind)
    for block in _blocks(windows, len(x), x.shape[1], kind):
        part = y[block]
        seen = _laid_out(windows, wide[block], groups, columns)
        shape = groups, rows.shape[1], seen.shape[2]
        if len(part) == 1:  # its place in y has the order of the product
            np.matmul(rows, seen, out=part.reshape(shape))
            continue
        product = np.matmul(rows, seen, out=products.of(*shape))
        part[...] = product.reshape(len(w), len(part), *windows.output).swapaxes(0, 1)
    return y


def _turned_padding(windows: Windows) -> Pads | None:
    """With what padding the adjoint of a convolution is one with turned weights, if it is.

    It reads windows of ``g`` where the general form adds up windows: quicker, unless ``g`` has far
    more channels than ``x``.
    """
    reach = [d * (k - 1) for d, k in zip(windows.dilation, windows.kernel)]
    padding = tuple((r - a, r - b) for r, (a, b) in zip(reach, windows.padding))
    fits = set(windows.stride) == {1} and min(map(min, padding)) >= 0
    return padding if fits else None


def _turned(w: Any, groups: int) -> Any:
    """Weights with their input and output channels exchanged and their kernel reversed."""
    outputs, channels, *kernel = w.shape
    parts = np.flip(w, tuple(range(2, w.ndim))).reshape(
        groups, outputs // groups, channels, *kernel
    )
    turned = parts.swapaxes(1, 2).reshape(groups * channels, outputs // groups, *kernel)
    return np.ascontiguousarray(turned)


def _of_input(g: Any, w: Any, *, size: Shape, groups: int, **params: Any) -> Any:
    shape = (len(g), w.shape[1] * groups, *size)
    windows = _windows(shape, w.shape, g.shape, groups, params)
    turned = _turned_padding(windows)
    if turned is not None and len(w) <= 2 * shape[1]:
        return _forward(g, _turned(w, groups), groups=groups, **{**params, "padding": turned})
    kind = np.result_type(g, w)
    wide = np.zeros((*shape[:2], *windows.padded), kind)
    columns = w.reshape(groups, len(w) // groups, math.prod(w.shape[1:])).swapaxes(1, 2)
    products = _Scratch(kind)
    for block in _blocks(windows, len(g), shape[1], kind):
        part = wide[block]
        arriving = _by_channel(g[block], groups)
        product = products.of(groups, columns.shape[1], arriving.shape[2])
        np.matmul(columns, arriving, out=product)
        spread = product.reshape(shape[1], *windows.kernel, len(part), *windows.output)
        for place, index in windows.places():
            part[index] += spread[(slice(None), *place)].swapaxes(0, 1)
    return np.ascontiguousarray(windows.crop(wide))


def _of_weights(x: Any, g: Any, *, kernel: Shape, groups: int, **params: Any) -> Any:
    if x.ndim < 3 or g.ndim != x.ndim:
        raise ShapeError(
            f"x has {x.ndim} axes, the output {g.ndim}", mend="both are (N, C, *sizes)"
        )
    shape = (g.shape[1], x.shape[1] // groups, *kernel)
    windows = _windows(x.shape, shape, g.shape, groups, params)
    kind = np.result_type(x, g)
    wide = windows.pad(x)
    total = np.zeros((groups, math.prod(shape[1:]), shape[0] // groups), kind)
    columns = _Scratch(kind)
    for block in _blocks(windows, len(x), x.shape[1], kind):
        seen = _laid_out(windows, wide[block], groups, columns)
        total += seen @ _by_channel(g[block], groups).swapaxes(1, 2)  # the quicker order
    return np.ascontiguousarray(total.swapaxes(1, 2).reshape(shape))


_LINE: Any = {"stride": (1,), "padding": ((0, 0),), "dilation": (1,), "groups": 1}
_SPARSE: Any = {"stride": (2,), "padding": ((2, 1),), "dilation": (2,), "groups": 2}
_PLANE: Any = {
    "stride": (1, 2), "padding": ((1, 1), (0, 1)), "dilation": (1, 1), "groups": 1,
}  # fmt: skip

_convolution = multilinear(
    "convolution", _forward,
    lambda g, x, w, **params: _CONVOLVE_INPUT(g, w, size=x.shape[2:], **params),
    lambda g, x, w, **params: _CONVOLVE_WEIGHTS(x, g, kernel=w.shape[2:], **params),
    plain=plain.convolution,
    symbol="∗", text="{0} ∗ {1}", latex=r"{0} \ast {1}", local=["G ∗ᵀ {1}", "{0} ∗ G"],
    array_names=("x", "w"),
    samples=[
        (((2, 2, 4), (3, 2, 2)), _LINE), (((1, 4, 5), (2, 2, 2)), _SPARSE),
        (((2, 1, 3, 4), (2, 1, 2, 3)), _PLANE),
        (((1, 1, 2, 3, 2), (1, 1, 2, 2, 1)), {
            "stride": (1, 1, 1), "padding": ((0, 0),) * 3, "dilation": (1, 1, 1), "groups": 1}),
    ],
)  # fmt: skip
_of_x = multilinear(
    "convolution_transpose", _of_input,
    lambda g, y, w, *, size, **params: _CONVOLVE(g, w, **params),
    lambda g, y, w, *, size, **params: _CONVOLVE_WEIGHTS(g, y, kernel=w.shape[2:], **params),
    plain=plain.convolution_transpose,
    symbol="∗ᵀ", text="{0} ∗ᵀ {1}", latex=r"{0} \ast^{{\top}} {1}",
    local=["G ∗ {1}", "G ∗ {0}"], array_names=("x", "w"),
    samples=[
        (((2, 3, 3), (3, 2, 2)), {"size": (4,), **_LINE}),
        (((2, 6, 3), (6, 2, 2)), {"size": (4,), **_LINE}),
        (((1, 2, 6), (2, 2, 2)), {"size": (5,), **_SPARSE, "stride": (1,)}),
        (((1, 2, 3), (2, 2, 2)), {"size": (5,), **_SPARSE}),
        (((2, 2, 4, 2), (2, 1, 2, 3)), {"size": (3, 4), **_PLANE}),
    ],
)  # fmt: skip
_of_w = multilinear(
    "convolution_weights", _of_weights,
    lambda g, x, y, *, kernel, **params: _CONVOLVE_INPUT(y, g, size=x.shape[2:], **params),
    lambda g, x, y, *, kernel, **params: _CONVOLVE(x, g, **params),
    plain=plain.convolution_weights,
    symbol="∗", text="{0} ∗ {1}", latex=r"{0} \ast {1}", local=["{1} ∗ᵀ G", "{0} ∗ G"],
    array_names=("x", "g"),
    doc="The gradient of the weights of a convolution of ``x``, when ``g`` arrives at its output.",
    samples=[
        (((2, 2, 4), (2, 3, 3)), {"kernel": (2,), **_LINE}),
        (((1, 4, 5), (1, 2, 3)), {"kernel": (2,), **_SPARSE}),
        (((2, 1, 3, 4), (2, 2, 4, 2)), {"kernel": (2, 3), **_PLANE}),
    ],
)  # fmt: skip


def _applied(op: Any, a: Any, b: Any, **params: Any) -> Any:
    return apply(op, (a, b), params)


_CONVOLVE = functools.partial(_applied, _convolution.op)
_CONVOLVE_INPUT = functools.partial(_applied, _of_x.op)
_CONVOLVE_WEIGHTS = functools.partial(_applied, _of_w.op)


@public()
def convolution(
    x: Any, w: Any, /, *, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Weights times every window of ``x``: x (N, C, *sizes), w (O, C/groups, *kernel).

    The result is (N, O, *windows). ``stride``, ``padding`` and ``dilation`` are one number or one
    for each axis; ``padding`` may also be pairs, ``"same"`` or ``"valid"``. ``groups`` splits the
    channels into parts that do not mix. As in all such libraries the kernel is not flipped (it is
    NumPy's ``correlate``). Raises ``ShapeError`` if the shapes do not fit.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> x = ag.tensor(np.arange(5.0).reshape(1, 1, 5))
    >>> ag.convolution(x, [[[1.0, 0.0, -1.0]]], padding=1)
    Tensor([[[-1., -2., -2., -2.,  3.]]])
    """
    params = geometry(shape_of(x)[2:], shape_of(w)[2:], stride, padding, dilation)
    return _CONVOLVE(as_array(x), as_array(w), groups=_group_count(groups), **params)


@public()
def convolution_transpose(
    x: Any, w: Any, /, *, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Any:  # fmt: skip
    """The adjoint of ``convolution``: x (N, O, *windows), w (O, C/groups, *kernel).

    Every element of ``x`` adds its multiple of the kernel; the result is (N, C, *sizes) with
    size = (windows − 1)·stride − padding + dilation·(kernel − 1) + 1 + output_padding.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.convolution_transpose(ag.tensor([[[1.0, 2.0]]]), [[[1.0, 1.0, 1.0]]])
    Tensor([[[1., 3., 3., 2.]]])
    """
    seen, kernel = shape_of(x)[2:], shape_of(w)[2:]
    if isinstance(padding, str):
        raise DomainError(
            f"convolution_transpose: padding={padding!r}", mend="give the padding as integers"
        )
    params = geometry(seen, kernel, stride, padding, dilation)
    extra = per_axis(output_padding, len(kernel), "output_padding", least=0)
    every = zip(seen, params["stride"], params["padding"], params["dilation"], kernel, extra)
    size = tuple((n - 1) * s - sum(p) + d * (k - 1) + 1 + e for n, s, p, d, k, e in every)
    if any(e >= s for e, s in zip(extra, params["stride"])):
        raise DomainError(
            f"output_padding={output_padding!r} with stride={stride!r}",
            mend="output_padding is smaller than the stride: it tells sizes apart that give the "
            "same number of windows",
        )
    return _CONVOLVE_INPUT(
        as_array(x), as_array(w), size=size, groups=_group_count(groups), **params
    )


def _group_count(groups: Any) -> int:
    return per_axis(groups, 1, "groups")[0]
