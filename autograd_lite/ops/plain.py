"""Operators that NumPy has no expression for, as short NumPy functions that are written to be read.

Generated code carries the source of those that it needs: they use NumPy and each other alone, and
have no annotations. The operators' own functions are quicker and check more; a test holds the two
against each other. Imports NumPy.
"""
# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code=arg-type
# their text stands in generated classes as it is here

import numpy as np

__all__ = [
    "convolution",
    "convolution_transpose",
    "convolution_weights",
    "first_extremal",
    "first_of_window",
    "log_softmax",
    "logsumexp",
    "max_pool",
    "place_in_windows",
    "replaced",
    "scatter",
    "sigmoid",
    "softmax",
    "untake",
    "untake_along_axis",
    "unwindows",
    "window_spread",
    "window_sum",
    "windows",
]


def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softmax(x, axis):
    """exp(x) over its sum along an axis."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x, axis):
    """The logarithm of the softmax along an axis."""
    x = x - np.max(x, axis=axis, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


def logsumexp(x, axis, keepdims):
    """The logarithm of the sum of exp(x) along an axis."""
    top = np.max(x, axis=axis, keepdims=True)
    y = top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True))
    return y if keepdims else np.squeeze(y, axis)


def first_extremal(x, y, axis, keepdims):
    """Whether each element is the first that equals the extremum y along the axes."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(axis))
    last = tuple(range(-len(axes), 0))
    hits = np.moveaxis(x == (y if keepdims else np.expand_dims(y, axes)), axes, last)
    rows = hits.reshape(*hits.shape[: x.ndim - len(axes)], -1)
    first = rows & (np.cumsum(rows, axis=-1) == 1)
    return np.moveaxis(first.reshape(hits.shape), last, axes)


def replaced(x, value, index):
    """A copy of x with the value at the index."""
    made = x.copy()
    made[index] = value
    return made


def scatter(g, index, shape):
    """Zeros with g added at the index."""
    total = np.zeros(shape, g.dtype)
    np.add.at(total, index, g)
    return total


def untake(g, indices, axis, shape):
    """Zeros with g added where the indices took elements from."""
    total = np.zeros(shape, g.dtype)
    np.add.at(total, (slice(None),) * axis + (indices,), g)
    return total


def untake_along_axis(g, indices, axis, shape, once):
    """Zeros with g added where the indices took elements from, row by row."""
    total = np.zeros(shape, g.dtype)
    if once:
        np.put_along_axis(total, indices, g, axis)
    else:
        places = list(np.ix_(*map(np.arange, indices.shape)))
        places[axis] = indices
        np.add.at(total, tuple(places), g)
    return total


# windows


def windows(x, kernel, stride, padding, dilation, fill=0.0):
    """All windows: the leading axes of x, the places of the windows, the places inside them."""
    k = len(kernel)
    x = np.pad(x, [(0, 0)] * (x.ndim - k) + list(padding), constant_values=fill)
    spans = [d * (n - 1) + 1 for n, d in zip(kernel, dilation)]
    view = np.lib.stride_tricks.sliding_window_view(x, spans, tuple(range(-k, 0)))
    return view[(..., *[slice(None, None, step) for step in (*stride, *dilation)])]


def unwindows(parts, size, stride, padding, dilation):
    """Windows added up where they lay."""
    k = len(size)
    count, kernel = parts.shape[-2 * k : -k], parts.shape[-k:]
    wide = [n + before + after for n, (before, after) in zip(size, padding)]
    total = np.zeros((*parts.shape[: -2 * k], *wide), parts.dtype)
    for place in np.ndindex(*kernel):
        starts = [i * d for i, d in zip(place, dilation)]
        index = [slice(i, i + s * (n - 1) + 1, s) for i, s, n in zip(starts, stride, count)]
        total[(..., *index)] += parts[(..., *place)]
    return total[(..., *[slice(before, before + n) for n, (before, _) in zip(size, padding)])]


def window_sum(x, kernel, stride, padding, dilation):
    """The sum of each window."""
    seen = windows(x, kernel, stride, padding, dilation)
    return np.sum(seen, axis=tuple(range(-len(kernel), 0)))


def window_spread(g, size, kernel, stride, padding, dilation):
    """Each element added to all places of its window."""
    parts = np.broadcast_to(np.expand_dims(g, tuple(range(-len(kernel), 0))), (*g.shape, *kernel))
    return unwindows(parts, size, stride, padding, dilation)


def max_pool(x, kernel, stride, padding, dilation):
    """The largest element of each window."""
    seen = windows(x, kernel, stride, padding, dilation, fill=-np.inf)
    return np.max(seen, axis=tuple(range(-len(kernel), 0)))


def first_of_window(x, y, kernel, stride, padding, dilation):
    """The place of the first largest element in each window."""
    seen = windows(x, kernel, stride, padding, dilation, fill=-np.inf)
    return np.argmax(seen.reshape(*y.shape, -1), axis=-1)


def place_in_windows(g, places, size, kernel, stride, padding, dilation):
    """Each element added to one place of its window."""
    parts = np.zeros((*g.shape, np.prod(kernel)), g.dtype)
    np.put_along_axis(parts, places[..., None].astype(int), g[..., None], axis=-1)
    return unwindows(parts.reshape(*g.shape, *kernel), size, stride, padding, dilation)


def convolution(x, w, stride, padding, dilation, groups):
    """Windows of x (N, C, …) times the weights w (M, C/groups, …)."""
    seen = windows(x, w.shape[2:], stride, padding, dilation)
    inner, inside = (1, *range(x.ndim, seen.ndim)), (1, *range(2, w.ndim))
    pairs = zip(np.split(seen, groups, axis=1), np.split(w, groups))
    parts = [np.tensordot(xs, ws, (inner, inside)) for xs, ws in pairs]
    return np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)


def convolution_transpose(g, w, size, stride, padding, dilation, groups):
    """What a convolution by w passes back to its input of these sizes."""
    pairs = zip(np.split(g, groups, axis=1), np.split(w, groups))
    parts = np.concatenate([np.tensordot(gs, ws, (1, 0)) for gs, ws in pairs], axis=g.ndim - 1)
    parts = np.moveaxis(parts, g.ndim - 1, 1)
    return unwindows(parts, size, stride, padding, dilation)


def convolution_weights(x, g, kernel, stride, padding, dilation, groups):
    """What a convolution of x passes back to its weights."""
    seen = windows(x, kernel, stride, padding, dilation)
    outer = (0, *range(2, g.ndim))
    pairs = zip(np.split(seen, groups, axis=1), np.split(g, groups, axis=1))
    return np.concatenate([np.tensordot(gs, xs, (outer, outer)) for xs, gs in pairs])
