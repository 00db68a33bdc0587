"""Running sums and products along an axis, differences, slopes, integrals, convolution.

A running sum's gradient is the running sum from the other end. A running product's is a linear
recurrence, which is exact where factors are 0 and linear in size. Imports errors, rules, shapes,
NumPy, and the operators that these are made of.
"""

from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, ShapeError
from autograd_lite.ops.gathering import take
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.pointwise import conj, greater, isnan, less, not_equal, where
from autograd_lite.ops.reductions import sum
from autograd_lite.ops.shaping import (
    as_array,
    astype,
    broadcast_to,
    concat,
    flip,
    ravel,
    reshape,
    shape_of,
)
from autograd_lite.ops.special import remainder
from autograd_lite.rules import general, linear, multilinear, nondifferentiable, public
from autograd_lite.shapes import normalize_axes, normalize_axis


def _part(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    return getitem(x, (*[slice(None)] * axis, slice(start, stop)))


# running sums


def _added_up(x: Any, *, axis: int, reverse: bool) -> Any:
    if not reverse:
        return np.cumsum(x, axis)
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis)


def _added_up_code(x: str, *, axis: int, reverse: bool) -> str:
    if not reverse:
        return f"np.cumsum({x}, {axis})"
    return f"np.flip(np.cumsum(np.flip({x}, {axis}), {axis}), {axis})"


_cumsum = linear(
    "cumsum", _added_up,
    lambda g, x, *, axis, reverse: _cumsum(g, axis=axis, reverse=not reverse),
    symbol="Σ…", text="cumsum {0}", latex=r"\sum_{{j \le i}} {0}_j",
    local=["Σ of the G from there on"], code=_added_up_code,
    samples=[(((4,),), {"axis": 0, "reverse": False}), (((2, 3),), {"axis": 1, "reverse": True})],
)  # fmt: skip


def _flattened(x: Any, axis: int | None, dtype: Any) -> tuple[Any, int]:
    x = as_array(x)
    x = x if dtype is None else astype(x, dtype)
    return (ravel(x), 0) if axis is None else (x, normalize_axis(axis, x.ndim))


@public(np.cumsum)
def cumsum(x: Any, /, axis: int | None = None, dtype: Any = None) -> Any:
    """The running sum along an axis, or of the flattened array.

    >>> import autograd_lite as ag
    >>> ag.cumsum(ag.tensor([1.0, 2.0, 3.0]))
    Tensor([1., 3., 6.])
    """
    x, axis = _flattened(x, axis, dtype)
    return _cumsum(x, axis=axis, reverse=False)


# running products


def _scan(a: Any, b: Any) -> Any:
    """s[k] = a[k]·s[k − 1] + b[k] along the first axis, from s[−1] = 0, in blocks of √n."""
    n = len(b)
    if n <= 64 or b.size > 64 * n:
        s = np.array(b)
        for k in range(1, n):
            s[k] += a[k] * s[k - 1]
        return s
    length = int(n**0.5) + 1
    blocks = -(-n // length)
    fill = [(0, blocks * length - n)] + [(0, 0)] * (b.ndim - 1)
    factors = np.pad(a, fill).reshape(blocks, length, *b.shape[1:]).swapaxes(0, 1).copy()
    s = np.pad(b, fill).reshape(factors.shape[1], length, *b.shape[1:]).swapaxes(0, 1).copy()
    with np.errstate(over="ignore"):
        for k in range(1, length):
            s[k] += factors[k] * s[k - 1]
            factors[k] *= factors[k - 1]
    for block in range(1, blocks):  # a carry of 0 stays 0, times an overflow too
        carry = s[-1, block - 1]
        s[:, block] += np.where(carry == 0, 0, factors[:, block]) * carry
    return s.swapaxes(0, 1).reshape(blocks * length, *b.shape[1:])[:n]


def _recur(a: Any, b: Any, *, axis: int) -> Any:
    a, b = np.broadcast_arrays(a, b)
    kind = np.result_type(a, b)
    if not b.size:
        return np.zeros(b.shape, kind)
    moved = [np.moveaxis(x, axis, 0).astype(kind) for x in (a, b)]
    return np.moveaxis(_scan(*moved), 0, axis)


def _pull_term(g: Any, a: Any, axis: int) -> Any:
    """The recurrence from the other end: what arrives at each term."""
    factors = concat([_part(a, axis, 1, None), _part(a, axis, 0, 1) * 0], axis=axis)
    return flip(_recurrence(flip(factors, axis), flip(g, axis), axis=axis), axis)


def _before(y: Any, axis: int, first: Any) -> Any:
    """The values one place later, ``first`` in front."""
    head = np.full(tuple(1 if i == axis else n for i, n in enumerate(y.shape)), first, y.dtype)
    return concat([head, _part(y, axis, None, -1)], axis=axis)


def _push_recurrence(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
    (a, _), (da, db) = xs, tangents
    terms = None if da is None else da * _before(y, params["axis"], 0)
    return _recurrence(a, db if terms is None else terms if db is None else db + terms, **params)


_recurrence = general(
    "recurrence", _recur,
    [lambda g, y, a, b, *, axis: _pull_term(g, a, axis) * _before(y, axis, 0),
     lambda g, y, a, b, *, axis: _pull_term(g, a, axis)],
    _push_recurrence, symbol="rec",
    local=["the recurrence of G from the end, × y before", "the recurrence of G from the end"],
    samples=[(((4,), (4,)), {"axis": 0}), (((2, 3), (2, 3)), {"axis": 1})],
    doc="y[k] = a[k]·y[k − 1] + b[k] along an axis, from 0.",
)  # fmt: skip


def _pull_cumprod(g: Any, y: Any, x: Any, *, axis: int) -> Any:
    if not x.shape[axis]:
        return g * 1
    return _pull_term(g, x, axis) * _before(y, axis, 1)


_cumprod = general(
    "cumprod", lambda x, *, axis: np.cumprod(x, axis), [_pull_cumprod],
    lambda tangents, y, xs, params:
        _recurrence(xs[0], tangents[0] * _before(y, params["axis"], 1), **params)
        if y.shape[params["axis"]] else y * 1,
    symbol="Π…", text="cumprod {0}", latex=r"\prod_{{j \le i}} {0}_j",
    local=["Σ of the G from there on × Π of the others"],
    samples=[(((4,),), {"axis": 0}), (((2, 3),), {"axis": 1})], code="np.cumprod({0}, {axis})",
)  # fmt: skip


@public(np.cumprod)
def cumprod(x: Any, /, axis: int | None = None, dtype: Any = None) -> Any:
    """The running product along an axis, or of the flattened array; exact derivatives at zeros.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.grad(lambda x: ag.cumprod(x).sum())(np.array([2.0, 0.0, 4.0]))
    array([ 1., 10.,  0.])
    """
    x, axis = _flattened(x, axis, dtype)
    return _cumprod(x, axis=axis)


def _cumulative(scan: Any, x: Any, axis: int | None, dtype: Any, first: int | None) -> Any:
    x = as_array(x)
    if axis is None:
        if x.ndim > 1:
            raise DomainError(f"which of {x.ndim} axes to add along?", mend="name one: axis=0")
        x, axis = ravel(x), 0
    y = scan(x, axis=axis, dtype=dtype)
    return y if first is None else _with_first(y, normalize_axis(axis, x.ndim), first)


def _with_first(y: Any, axis: int, first: int) -> Any:
    shape = tuple(1 if i == axis else n for i, n in enumerate(y.shape))
    return concat([np.full(shape, first, y.dtype), y], axis=axis)


@public(np.cumulative_sum)
def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The running sum along an axis, with the empty sum 0 in front if asked for.

    >>> import autograd_lite as ag
    >>> ag.cumulative_sum(ag.tensor([1.0, 2.0]), include_initial=True)
    Tensor([0., 1., 3.])
    """
    return _cumulative(cumsum, x, axis, dtype, 0 if include_initial else None)


@public(np.cumulative_prod)
def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The running product along an axis, with the empty product 1 in front if asked for.

    >>> import autograd_lite as ag
    >>> ag.cumulative_prod(ag.tensor([2.0, 3.0]), include_initial=True)
    Tensor([1., 2., 6.])
    """
    return _cumulative(cumprod, x, axis, dtype, 1 if include_initial else None)


@public(np.nancumsum)
def nancumsum(x: Any, /, axis: int | None = None, dtype: Any = None) -> Any:
    """The running sum in which a NaN counts as 0 and gets no gradient.

    >>> import autograd_lite as ag
    >>> ag.nancumsum(ag.tensor([1.0, float("nan"), 2.0]))
    Tensor([1., 1., 3.])
    """
    x = as_array(x)
    return cumsum(where(isnan(x), x.dtype.type(0), x), axis, dtype)


@public(np.nancumprod)
def nancumprod(x: Any, /, axis: int | None = None, dtype: Any = None) -> Any:
    """The running product in which a NaN counts as 1 and gets no gradient.

    >>> import autograd_lite as ag
    >>> ag.nancumprod(ag.tensor([3.0, float("nan"), 2.0]))
    Tensor([3., 3., 6.])
    """
    x = as_array(x)
    return cumprod(where(isnan(x), x.dtype.type(1), x), axis, dtype)


# differences and slopes


@public(np.diff)
def diff(x: Any, /, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each element less the one before it along the axis, ``n`` times.

    ``prepend`` and ``append`` are joined to the ends first.

    >>> import autograd_lite as ag
    >>> ag.diff(ag.tensor([1.0, 4.0, 9.0]))
    Tensor([3., 5.])
    """
    x = as_array(x)
    if n < 0:
        raise DomainError(f"n = {n} differences", mend="n is at least 0")
    axis = normalize_axis(axis, x.ndim)
    ends = [_end(x, axis, prepend), x, _end(x, axis, append)]
    parts = [part for part in ends if part is not None]
    x = concat(parts, axis=axis) if len(parts) > 1 else x
    for _ in range(n):
        later, earlier = _part(x, axis, 1, None), _part(x, axis, None, -1)
        x = not_equal(later, earlier) if x.dtype == np.bool_ else later - earlier
    return x


def _end(x: Any, axis: int, end: Any) -> Any:
    if end is None or end is np._NoValue:
        return None
    end = as_array(end)
    if end.ndim == 0:
        end = broadcast_to(end, tuple(1 if i == axis else n for i, n in enumerate(x.shape)))
    return end


@public(np.ediff1d)
def ediff1d(x: Any, /, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of the flattened elements, with arrays joined to their ends.

    >>> import autograd_lite as ag
    >>> ag.ediff1d(ag.tensor([1.0, 4.0, 9.0]), to_begin=0.0)
    Tensor([0., 3., 5.])
    """
    x = ravel(as_array(x))
    ends = (None if end is None else ravel(as_array(end)) for end in (to_begin, to_end))
    first, last = (end if end is None or end.dtype == x.dtype else astype(end, x.dtype)
                   for end in ends)  # fmt: skip
    inner = diff(x) if x.size else x
    parts = [part for part in (first, inner, last) if part is not None]
    return concat(parts) if len(parts) > 1 else parts[0]


@public(np.gradient)
def gradient(f: Any, /, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes by central differences, one-sided at the ends; a list if there are several axes.

    ``varargs``: the distance of points (for all axes or for each), or their places.

    >>> import autograd_lite as ag
    >>> ag.gradient(ag.tensor([1.0, 4.0, 9.0]))
    Tensor([3., 4., 5.])
    """
    f = as_array(f)
    f = f if f.dtype.kind in "fc" else astype(f, np.float64)
    axes = normalize_axes(axis, f.ndim)
    spacings = varargs * len(axes) if len(varargs) == 1 and np.ndim(_plain(varargs[0])) == 0 else (
        varargs or (1.0,) * len(axes)
    )  # fmt: skip
    if len(spacings) != len(axes):
        raise DomainError(
            f"{len(varargs)} distances for {len(axes)} axes", mend="one for all, or one for each"
        )
    if edge_order not in (1, 2):
        raise DomainError(f"edge_order={edge_order}", mend="1 or 2")
    slopes = [_slope(f, i, h, edge_order) for i, h in zip(axes, spacings, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


def _plain(x: Any) -> Any:
    return getattr(x, "data", x) if hasattr(x, "tracked") else x


def _slope(f: Any, axis: int, h: Any, edge_order: int) -> Any:
    if f.shape[axis] < edge_order + 1:
        raise ShapeError(
            f"axis {axis} has {f.shape[axis]} points", mend=f"slopes need {edge_order + 1} or more"
        )

    def at(start: int, stop: int | None) -> Any:
        return _part(f, axis, start, stop)

    if np.ndim(_plain(h)) == 0:
        inner = (at(2, None) - at(0, -2)) / (2.0 * h)
        left, right = h, h
    else:
        steps = diff(as_array(h))
        if steps.shape != (f.shape[axis] - 1,):
            raise ShapeError(f"{shape_of(h)} places for {f.shape[axis]} points on axis {axis}")
        row = (*[1] * axis, -1, *[1] * (f.ndim - axis - 1))
        a, b = reshape(steps[:-1], row), reshape(steps[1:], row)
        inner = (
            at(0, -2) * (-b / (a * (a + b)))
            + at(1, -1) * ((b - a) / (a * b))
            + at(2, None) * (a / (b * (a + b)))
        )
        left, right = (steps[0], steps[1:2]), (steps[-1], steps[-2:-1])
    first, last = (
        _edge(f, axis, left, edge_order, False),
        _edge(f, axis, right, edge_order, True),
    )
    slope = concat([first, inner, last], axis=axis)
    return slope if slope.dtype == f.dtype else astype(slope, f.dtype)


def _edge(f: Any, axis: int, h: Any, order: int, end: bool) -> Any:
    """The one-sided slope at an end, from two or three points."""
    near, far = h if isinstance(h, tuple) else (h, h)
    count = f.shape[axis]
    places = [count - 1 - k if end else k for k in range(order + 1)]
    points = [_part(f, axis, k, k + 1) for k in places]
    if order == 1:
        return ((points[0] - points[1]) if end else (points[1] - points[0])) / near
    far = far if np.ndim(_plain(far)) == 0 else far[0]
    a, b = near, far
    slope = (
        points[0] * (-(2.0 * a + b) / (a * (a + b)))
        + points[1] * ((a + b) / (a * b))
        - points[2] * (a / (b * (a + b)))
    )
    return -slope if end else slope


@public(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral along an axis by the trapezoid rule, at the places ``x`` or ``dx`` apart.

    >>> import autograd_lite as ag
    >>> ag.trapezoid(ag.tensor([1.0, 2.0, 3.0]))
    Tensor(4.)
    """
    y = as_array(y)
    axis = normalize_axis(axis, y.ndim)
    step = dx
    if x is not None:
        x = as_array(x)
        step = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            step = reshape(step, (-1, *[1] * (y.ndim - axis - 1)))
    return sum(step * (_part(y, axis, 1, None) + _part(y, axis, None, -1)) / 2.0, axis=axis)


# interpolation

_interval = nondifferentiable(
    "_interval", lambda x, xp: np.clip(np.searchsorted(xp, x, "right") - 1, 0, max(len(xp) - 2, 0)),
    symbol="search",
)  # fmt: skip


@public(np.interp)
def interp(
    x: Any, /, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """The value at ``x`` of the line through the points ``(xp, fp)``, ``xp`` increasing.

    Outside of them ``left`` and ``right``, or the value at the ends. Differentiable in all three;
    at a point of ``xp`` the slope is that of the interval to its right.

    >>> import autograd_lite as ag
    >>> ag.interp(ag.tensor(1.5), [1.0, 2.0], [10.0, 20.0])
    Tensor(15.)
    """
    x, xp, fp = (as_array(a) for a in (x, xp, fp))
    x, xp = (a if a.dtype == np.float64 else astype(a, np.float64) for a in (x, xp))
    kind = np.complex128 if fp.dtype.kind == "c" else np.float64
    fp = fp if fp.dtype == kind else astype(fp, kind)
    if xp.ndim != 1 or fp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(
            f"points of shapes {xp.shape} and {fp.shape}", mend="both have one axis, of one size"
        )
    if period is not None:
        x, xp, fp = _wrapped_around(x, xp, fp, period)
        left = right = None
    if xp.size == 1:
        inside = broadcast_to(fp, x.shape) if x.ndim else fp[0]
    else:
        place = _interval(x, xp)
        x0, x1, f0, f1 = take(xp, place), take(xp, place + 1), take(fp, place), take(fp, place + 1)
        inside = (f1 - f0) / (x1 - x0) * (x - x0) + f0
    low, high = less(x, xp[0]), greater(x, xp[-1])
    inside = where(low, fp[0] if left is None else left, inside)
    return where(high, fp[-1] if right is None else right, inside)


def _wrapped_around(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """All places within one period, and a point more at each end."""
    period = np.abs(period)
    if period == 0:
        raise DomainError("a period of 0", mend="a period is a positive number")
    x, xp = remainder(x, period), remainder(xp, period)
    order = np.argsort(_plain(xp), kind="stable")
    xp, fp = take(xp, order), take(fp, order)
    xp = concat([xp[-1:] - period, xp, xp[:1] + period])
    return x, xp, concat([fp[-1:], fp, fp[:1]])


@public(np.unwrap)
def unwrap(p: Any, /, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    """Angles with whole periods added so that neighbours differ by at most half a period.

    What is added is a constant: the slope is 1.

    >>> import autograd_lite as ag
    >>> ag.unwrap(ag.tensor([0.0, 6.0])).data.round(3)
    array([ 0.   , -0.283])
    """
    return _unwrap(as_array(p), discont=discont, axis=axis, period=period)


_unwrap = general(
    "unwrap", np.unwrap, [lambda g, y, x, **params: g * 1],
    lambda tangents, y, xs, params: tangents[0] * 1, local=["G"], array_names=("p",),
    samples=[(((4,),), {"discont": None, "axis": -1, "period": 6.3})],
)  # fmt: skip


# convolution in one dimension


_full = multilinear(
    "convolve", lambda a, v: np.convolve(a, v, "full"),
    lambda g, a, v: _sliding(g, v), lambda g, a, v: _sliding(g, a),
    symbol="∗", text="{0} ∗ {1}", latex=r"{0} * {1}", local=["G ⋆ {1}", "G ⋆ {0}"],
    array_names=("a", "v"), samples=[(((4,), (2,)), {}), (((2,), (3,)), {})],
    code="np.convolve({0}, {1})",
)  # fmt: skip
_sliding = multilinear(
    "sliding_dot", lambda a, v: np.convolve(a, v[::-1], "valid"),
    lambda g, a, v: _full(g, v), lambda g, a, v: _sliding(a, g),
    symbol="⋆", text="{0} ⋆ {1}", latex=r"{0} \star {1}", local=["G ∗ {1}", "{0} ⋆ G"],
    array_names=("a", "v"), samples=[(((4,), (2,)), {}), (((3,), (3,)), {})],
    doc="The dot product of v with each stretch of a that is as long.",
    code="np.convolve({0}, {1}[::-1], 'valid')",
)  # fmt: skip


def _one_axis(x: Any) -> Any:
    x = as_array(x)
    x = reshape(x, (1,)) if x.ndim == 0 else x
    if x.ndim != 1 or not x.size:
        raise ShapeError(
            f"a signal of shape {x.shape}", mend="signals have one axis and an element or more"
        )
    return x


@public(np.convolve)
def convolve(a: Any, /, v: Any, mode: str = "full") -> Any:
    """The convolution of two signals of one axis; ``mode`` "full", "same" or "valid".

    >>> import autograd_lite as ag
    >>> ag.convolve(ag.tensor([1.0, 2.0, 3.0]), [1.0, 1.0])
    Tensor([1., 3., 5., 3.])
    """
    a, v = _one_axis(a), _one_axis(v)
    if a.size < v.size:
        a, v = v, a
    if mode == "valid":
        return _sliding(a, flip(v))
    if mode not in ("full", "same"):
        raise DomainError(f"mode={mode!r}", mend='"full", "same" or "valid"')
    whole = _full(a, v)
    start = (v.size - 1) // 2
    return whole if mode == "full" else whole[start : start + a.size]


@public(np.correlate)
def correlate(a: Any, /, v: Any, mode: str = "valid") -> Any:
    """The cross-correlation of two signals of one axis; ``mode`` "full", "same" or "valid".

    >>> import autograd_lite as ag
    >>> ag.correlate(ag.tensor([1.0, 2.0, 3.0]), [1.0, 1.0])
    Tensor([3., 5.])
    """
    a, v = _one_axis(a), _one_axis(v)
    if a.size >= v.size or mode == "full":
        return convolve(a, flip(conj(v)), mode)
    return flip(convolve(conj(v), flip(a), mode))
