"""Pooling: the largest element or the average of every window over the trailing axes.

The gradient of a maximum goes to the first maximal element of its window, in row order; a NaN in a
window makes the gradient of the whole window NaN. Imports errors, rules, windows and NumPy.
"""

import math
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, ShapeError
from autograd_lite.ops import plain
from autograd_lite.ops.pointwise import divide
from autograd_lite.ops.shaping import as_array, shape_of
from autograd_lite.ops.windows import Windows, geometry, per_axis
from autograd_lite.rules import general, linear, nondifferentiable, public
from autograd_lite.shapes import Shape


def _sizes(x: Any, kernel: Shape) -> Shape:
    """The sizes of the axes over which windows slide."""
    sizes: Shape = x.shape[max(0, len(x.shape) - len(kernel)) :]
    return sizes


def _of(x: Any, kernel: Shape, params: Any) -> Windows:
    return Windows(_sizes(x, kernel), kernel, **params)


def _match(g: Any, codes: Any, windows: Windows) -> None:
    """Raise unless there is one element of ``g``, and one code, for each window."""
    if g.shape != codes.shape or g.shape[g.ndim - len(windows.size) :] != windows.output:
        raise ShapeError(
            f"shape {g.shape} for {windows.output} windows", mend="one element for each window"
        )


# maxima


def _largest(x: Any, *, kernel: Shape, **params: Any) -> Any:
    windows = _of(x, kernel, params)
    wide = windows.pad(x, -np.inf if x.dtype.kind == "f" else _lowest(x.dtype))
    y: Any = None
    for _, index in windows.places():
        y = wide[index].copy() if y is None else np.maximum(y, wide[index], out=y)
    return y


def _lowest(dtype: Any) -> Any:
    return False if dtype.kind == "b" else np.iinfo(dtype).min


def _first_place(x: Any, y: Any, *, kernel: Shape, **params: Any) -> Any:
    """For each window the number of its first maximal place; of no place if it holds NaN.

    Padding equals nothing here, so that it is never the place.
    """
    windows = _of(x, kernel, params)
    wide = windows.pad(x, np.nan)
    codes = np.zeros(y.shape, np.int8 if math.prod(kernel) < 127 else np.int32)
    open_, part = np.ones(y.shape, bool), np.empty(y.shape, x.dtype)
    for _, index in windows.places():
        part[...] = wide[index]
        open_ &= part != y
        codes += open_
    return codes


def _positions(codes: Any, windows: Windows) -> Any:
    """Where in the flattened padded array the place of each window is."""
    steps = [math.prod(windows.padded[i + 1 :]) for i in range(len(windows.size))]
    every = zip(np.ix_(*map(np.arange, windows.output)), steps, windows.stride)
    starts = sum(grid * (step * s) for grid, step, s in every)
    jumps = [sum(i * d * step for i, d, step in zip(place, windows.dilation, steps))
             for place, _ in windows.places()]  # fmt: skip
    leading = codes.shape[: codes.ndim - len(windows.size)]
    rows = np.arange(math.prod(leading)) * math.prod(windows.padded)
    origins = rows.reshape(*leading, *[1] * len(windows.size)) + starts
    return origins + np.take(np.array([*jumps, jumps[-1]]), codes.astype(np.intp))


def _spread_to(g: Any, codes: Any, *, size: Shape, kernel: Shape, **params: Any) -> Any:
    windows = Windows(size, kernel, **params)
    _match(g, codes, windows)
    wide = np.zeros((*g.shape[: g.ndim - len(size)], *windows.padded), g.dtype)
    np.add.at(wide.reshape(-1), _positions(codes, windows).reshape(-1), g.reshape(-1))
    poison = codes == math.prod(kernel)
    if poison.any():
        for _, index in windows.places():
            wide[index] += np.where(poison, g.dtype.type(np.nan), g.dtype.type(0))
    return np.ascontiguousarray(windows.crop(wide))


def _read_from(x: Any, codes: Any, *, kernel: Shape, **params: Any) -> Any:
    windows = _of(x, kernel, params)
    _match(codes, codes, windows)
    if codes.shape[: codes.ndim - len(kernel)] != x.shape[: x.ndim - len(kernel)]:
        raise ShapeError(f"codes of shape {codes.shape} for x {x.shape}")
    y = windows.pad(x).reshape(-1)[_positions(codes, windows)]
    poison = codes == math.prod(kernel)
    if poison.any():
        y[poison] = np.nan
    return y


_first = nondifferentiable("_first_of_window", _first_place, plain=plain.first_of_window)
_place = linear(
    "_pool_place", _spread_to,
    lambda g, x, codes, *, size, **params: _pick(g, codes, **params), None,
    plain=plain.place_in_windows,
    symbol="place", local=["G at the maxima", "no derivative"], array_names=("g", "codes"),
    samples=[(((1, 2), "bool(1,2)"), {
        "size": (4,), "kernel": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,)})],
)  # fmt: skip
_pick = linear(
    "_pool_pick", _read_from,
    lambda g, x, codes, *, kernel, **params: _place(
        g, codes, size=_sizes(x, kernel), kernel=kernel, **params), None,
    symbol="pick", local=["G placed at the maxima", "no derivative"], array_names=("x", "codes"),
    samples=[(((1, 4), "bool(1,2)"), {
        "kernel": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,)})],
)  # fmt: skip


def _pull_max(g: Any, y: Any, x: Any, **params: Any) -> Any:
    return _place(g, _first(x, y, **params), size=_sizes(x, params["kernel"]), **params)


def _push_max(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
    return _pick(tangents[0], _first(xs[0], y, **params), **params)


_CASES: Any = [
    (((1, 2, 4),), {"kernel": (2,), "stride": (2,), "padding": ((0, 0),), "dilation": (1,)}),
    (((2, 5),), {"kernel": (3,), "stride": (1,), "padding": ((1, 1),), "dilation": (2,)}),
    (((1, 3, 4),), {
        "kernel": (2, 3), "stride": (1, 2), "padding": ((0, 0), (1, 1)), "dilation": (1, 1)}),
]  # fmt: skip

_max_pool = general(
    "max_pool", _largest, [_pull_max], _push_max,
    plain=plain.max_pool, symbol="max pool", text="max pool {0}",
    latex=r"\mathrm{{max\,pool}}\, {0}", local=["G at the first maximum of each window"],
    array_names=("x",), samples=_CASES,
)  # fmt: skip


def _checked(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The array and the parameters of its windows; a stride left out is the window's shape."""
    x = as_array(x)
    several = isinstance(kernel, (tuple, list))
    window = per_axis(kernel, len(kernel) if several else max(1, len(x.shape) - 2), "kernel")
    steps = window if stride is None else stride
    params = geometry(_sizes(x, window), window, steps, padding, dilation)
    spans = [d * (k - 1) + 1 for k, d in zip(window, params["dilation"])]
    if any(2 * max(pad) > span for pad, span in zip(params["padding"], spans)):
        raise DomainError(
            f"padding={padding!r} of windows of shape {window}",
            mend="padding is at most half a window, so that no window holds padding alone",
        )
    return x, {"kernel": window, **params}


@public()
def max_pool(
    x: Any, kernel: Any, /, *, stride: Any = None, padding: Any = 0, dilation: Any = 1
) -> Any:
    """The largest element of every window over the last axes of ``x`` (N, C, *sizes).

    ``kernel`` is the window's shape; as one number it holds for all axes after the first two.
    ``stride`` is by default the window's shape, so that windows do not overlap. Padding never
    wins. The first maximal element of a window takes the whole gradient.

    >>> import autograd_lite as ag
    >>> ag.max_pool(ag.tensor([[[1.0, 3.0, 3.0, 2.0]]]), 2)
    Tensor([[[3., 3.]]])
    """
    x, params = _checked(x, kernel, stride, padding, dilation)
    return _max_pool(x, **params)


# averages


def _sums(x: Any, *, kernel: Shape, **params: Any) -> Any:
    windows = _of(x, kernel, params)
    wide = windows.pad(x)
    y: Any = None
    for _, index in windows.places():
        y = wide[index].copy() if y is None else np.add(y, wide[index], out=y)
    return y


def _spread_sums(g: Any, *, size: Shape, kernel: Shape, **params: Any) -> Any:
    windows = Windows(size, kernel, **params)
    _match(g, g, windows)
    wide = np.zeros((*g.shape[: g.ndim - len(size)], *windows.padded), g.dtype)
    for _, index in windows.places():
        wide[index] += g
    return np.ascontiguousarray(windows.crop(wide))


_window_sum = linear(
    "window_sum", _sums,
    lambda g, x, *, kernel, **params: _window_spread(
        g, size=_sizes(x, kernel), kernel=kernel, **params),
    plain=plain.window_sum,
    symbol="Σ", text="window sum {0}", latex=r"\mathrm{{window\,sum}}\, {0}",
    local=["G repeated over each window"], array_names=("x",), samples=_CASES,
    doc="The sum of every window over the last axes.",
)  # fmt: skip
_window_spread = linear(
    "window_spread", _spread_sums,
    lambda g, x, *, size, **params: _window_sum(g, **params),
    plain=plain.window_spread, symbol="Σᵀ", text="window spread {0}",
    latex=r"\mathrm{{window\,spread}}\, {0}", local=["Σ of G in each window"], array_names=("x",),
    doc="Each element added to its whole window; the adjoint of the sums of windows.",
    samples=[
        (((1, 2, 2),), {"size": (4,), **_CASES[0][1]}),
        (((2, 3),), {"size": (5,), **_CASES[1][1]}),
        (((1, 2, 2),), {"size": (3, 4), **_CASES[2][1]}),
    ],
)  # fmt: skip


@public()
def average_pool(
    x: Any, kernel: Any, /, *, stride: Any = None, padding: Any = 0, dilation: Any = 1,
    count_padding: bool = True,
) -> Any:  # fmt: skip
    """The average of every window over the last axes of ``x`` (N, C, *sizes).

    Parameters are those of ``max_pool``. Padding counts as zeros, or with
    ``count_padding=False`` not at all.

    >>> import autograd_lite as ag
    >>> ag.average_pool(ag.tensor([[[1.0, 3.0, 3.0, 2.0]]]), 2)
    Tensor([[[2. , 2.5]]])
    """
    x, params = _checked(x, kernel, stride, padding, dilation)
    count: Any = math.prod(params["kernel"])
    if not count_padding and any(map(any, params["padding"])):
        kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
        count = _sums(np.ones(shape_of(x)[-len(params["kernel"]) :], kind), **params)
    return divide(_window_sum(x, **params), count)
