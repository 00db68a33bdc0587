"""Arrays padded: with numbers, with copies of their elements, with ramps and with statistics.

NumPy's ``pad`` goes axis by axis, and so does this. Imports errors, rules, shapes, NumPy, and the
operators that these are made of.
"""

from typing import Any

import numpy as np

from autograd_lite.errors import (
    AutogradError,
    DomainError,
    DTypeError,
    ShapeError,
    UnsupportedError,
)
from autograd_lite.ops.gathering import take
from autograd_lite.ops.indexing import getitem, set
from autograd_lite.ops.quantiles import median
from autograd_lite.ops.reductions import max as largest
from autograd_lite.ops.reductions import mean
from autograd_lite.ops.reductions import min as smallest
from autograd_lite.ops.shaping import as_array, broadcast_to, concat
from autograd_lite.rules import linear, nondifferentiable, public
from autograd_lite.shapes import Shape, normalize_axis


def _slices(shape: Shape, widths: Any) -> tuple[slice, ...]:
    """Where the inner array stands in the padded one."""
    return tuple(slice(a, a + n) for n, (a, _) in zip(shape, widths, strict=True))


# padding


def _padded(x: Any, *, widths: Any) -> Any:
    inner = np.asarray(x)
    if len(widths) != inner.ndim:
        raise ShapeError(f"{len(widths)} widths for an array of {inner.ndim} axes")
    wide = np.zeros(tuple(n + a + b for n, (a, b) in zip(inner.shape, widths)), inner.dtype)
    wide[_slices(inner.shape, widths)] = inner  # np.pad does the same, and takes long to begin
    return wide


_pad = linear(
    "pad", _padded,
    lambda g, x, *, widths: getitem(g, _slices(x.shape, widths)),
    local=["the inner part of G"],
    samples=[(((2, 3),), {"widths": ((1, 0), (0, 2))}), (((3,),), {"widths": ((2, 1),)})],
    code="np.pad({0}, {widths})",
)  # fmt: skip


def _widths(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    if isinstance(pad_width, dict):
        chosen = {normalize_axis(i, ndim): width for i, width in pad_width.items()}
        pad_width = [chosen.get(i, 0) for i in range(ndim)]
        pad_width = [w if isinstance(w, (tuple, list)) else (w, w) for w in pad_width]
    array = np.asarray(pad_width)
    if array.dtype.kind not in "iu":
        raise DTypeError(f"widths of dtype {array.dtype}", mend="they are integers, at least 0")
    try:
        pairs = tuple((int(a), int(b)) for a, b in np.broadcast_to(array, (ndim, 2)))
    except ValueError:
        raise ShapeError(
            f"widths of shape {array.shape} for an array of {ndim} axes",
            mend="give n, (before, after), or such a pair for each axis",
        ) from None
    if min((w for pair in pairs for w in pair), default=0) < 0:
        raise DomainError(f"negative widths: {pad_width!r}", mend="they are at least 0")
    return pairs


_BY_POSITION = ("edge", "reflect", "symmetric", "wrap")
_BY_STATISTIC = {"mean": mean, "maximum": largest, "minimum": smallest, "median": median}
_pad_integers = nondifferentiable(
    "_pad_integers", lambda x, *, widths, mode, more: np.pad(x, widths, mode, **more), symbol="pad"
)


def _slab(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return getitem(x, (*[slice(None)] * axis, slice(start, stop)))


def _repeated(x: Any, axis: int, count: int) -> Any:
    """A slab of one element along an axis, so many times."""
    return broadcast_to(x, (*x.shape[:axis], count, *x.shape[axis + 1 :]))


def _ramp(edge: Any, axis: int, count: int, end: Any, turned: bool) -> Any:
    """From the end value in equal steps towards the edge, which it does not reach."""
    steps = (
        np.arange(count, dtype=edge.dtype)[::-1] if turned else np.arange(count, dtype=edge.dtype)
    )
    shape = tuple(count if i == axis else 1 for i in range(len(edge.shape)))
    return edge.dtype.type(end) + np.reshape(steps, shape) * ((edge - edge.dtype.type(end)) / count)


def _with_ramps(x: Any, widths: Any, ends: Any) -> Any:
    for axis, ((before, after), (low, high)) in enumerate(zip(widths, ends, strict=True)):
        parts = [_ramp(_slab(x, axis, None, 1), axis, before, low, False)] if before else []
        parts.append(x)
        if after:
            parts.append(_ramp(_slab(x, axis, -1, None), axis, after, high, True))
        x = concat(parts, axis=axis) if len(parts) > 1 else x
    return x


def _with_statistics(x: Any, widths: Any, function: Any, lengths: Any) -> Any:
    for axis, ((before, after), (low, high)) in enumerate(zip(widths, lengths, strict=True)):
        size = x.shape[axis]
        parts = [x]
        if before:
            of = _slab(x, axis, None, np.minimum(low, size).item())
            parts.insert(0, _repeated(function(of, axis, keepdims=True), axis, before))
        if after:
            of = _slab(x, axis, size - np.minimum(high, size).item(), None)
            parts.append(_repeated(function(of, axis, keepdims=True), axis, after))
        x = concat(parts, axis=axis) if len(parts) > 1 else x
    return x


def _with_copies(x: Any, widths: Any, mode: Any) -> Any:
    for axis, width in enumerate(widths):
        if width != (0, 0):
            x = take(x, np.pad(np.arange(x.shape[axis]), width, mode=mode), axis=axis)
    return x


def _lengths(stat_length: Any, shape: Shape) -> Any:
    """How many elements at each end the statistics are of; by default all."""
    if stat_length is None:
        return [(n, n) for n in shape]
    lengths = _widths(stat_length, len(shape))
    if 0 in [n for pair in lengths for n in pair]:
        raise DomainError(f"stat_length = {stat_length!r}", mend="lengths are at least 1")
    return lengths


@public(np.pad)
def pad(
    x: Any, /, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0,
    end_values: Any = 0, stat_length: Any = None, reflect_type: str = "even",
) -> Any:  # fmt: skip
    """The array with ``pad_width`` elements more at the ends of its axes.

    ``mode``: "constant" (with ``constant_values``, numbers); copies of elements by "edge",
    "reflect", "symmetric" or "wrap"; "linear_ramp" from ``end_values`` (numbers) to the edge; or
    the "mean", "median", "maximum" or "minimum" of the ``stat_length`` elements next to the edge
    (by default of all). What is copied, or made of elements, gives them its gradient.

    >>> import autograd_lite as ag
    >>> ag.pad(ag.tensor([1.0, 2.0]), 1)
    Tensor([0., 1., 2., 0.])
    >>> ag.pad(ag.tensor([1.0, 2.0]), (0, 2), "mean")
    Tensor([1. , 2. , 1.5, 1.5])
    """
    x = as_array(x)
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        if np.ndim(constant_values) == 0 and constant_values == 0:
            return _pad(x, widths=widths)
        around = np.pad(np.zeros(x.shape, x.dtype), widths, constant_values=constant_values)
        return set(around, _slices(x.shape, widths), x)
    if mode in _BY_POSITION and reflect_type == "even":
        return _with_copies(x, widths, mode)
    if mode not in ("linear_ramp", *_BY_STATISTIC):
        name = getattr(mode, "__name__", repr(mode))
        known = callable(mode) or mode in ("empty", *_BY_POSITION)
        kind: type[AutogradError] = UnsupportedError if known else DomainError
        raise kind(
            f"pad with mode={name}, reflect_type={reflect_type!r} is not defined for tensors",
            mend=f"one of {', '.join(('constant', 'linear_ramp', *_BY_POSITION, *_BY_STATISTIC))}, "
            "or concat with what you need",
        )
    if x.dtype.kind not in "fc":  # integers are rounded, and have no derivative
        more = {"end_values": end_values} if mode == "linear_ramp" else {"stat_length": stat_length}
        return _pad_integers(x, widths=widths, mode=mode, more=more)
    if mode == "linear_ramp":
        return _with_ramps(x, widths, np.broadcast_to(end_values, (x.ndim, 2)))
    return _with_statistics(x, widths, _BY_STATISTIC[mode], _lengths(stat_length, x.shape))
