"""Operators that reduce axes: sum, mean, prod, max, min, var, std.

Knows their rules, ties and zeros included, and what ``where`` and ``initial`` make of them.
Imports errors, rules, the shaping operators and NumPy.
"""

from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, ShapeError
from autograd_lite.ops import plain
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.pointwise import conj, equal, maximum, minimum, real, sqrt
from autograd_lite.ops.pointwise import where as choice
from autograd_lite.ops.scaling import binade, unsafe_squares
from autograd_lite.ops.shaping import (
    _broadcast_to,
    _reshape,
    as_array,
    astype,
    broadcast_to,
    concat,
    reshape,
    shape_of,
    transpose,
)
from autograd_lite.rules import general, linear, nondifferentiable, public
from autograd_lite.shapes import normalize_axes, normalize_axis, reduced_shape
from autograd_lite.tensors import Tensor

Axes = tuple[int, ...] | None
_CASES: Any = [
    (((2, 3),), {"axis": None, "keepdims": False}),
    (((2, 3),), {"axis": (0,), "keepdims": False}),
    (((2, 3, 2),), {"axis": (0, 2), "keepdims": True}),
    (((),), {"axis": None, "keepdims": False}),
]
_CASES_DDOF: Any = [(shapes, {**params, "ddof": 0}) for shapes, params in _CASES] + [
    (((4, 2),), {"axis": (0,), "keepdims": False, "ddof": 1})
]


def _axes(x: Any, axis: Any) -> Axes:
    return None if axis is None else normalize_axes(axis, len(shape_of(x)))


def _count(x: Any, axis: Axes) -> int:
    shape = x.shape
    count = 1
    for i in range(len(shape)) if axis is None else axis:
        count *= shape[i]
    return count


def _spread(g: Any, x: Any, axis: Axes, keepdims: bool) -> Any:
    """A reduced gradient repeated to the shape of what was reduced."""
    if axis is not None and not keepdims:
        g = _reshape(g, shape=reduced_shape(x.shape, axis, keepdims=True))
    elif axis is None and keepdims:
        g = _reshape(g, shape=())
    return _broadcast_to(g, shape=x.shape)


def only(x: Any, condition: Any, neutral: Any) -> Any:
    """``x`` with a neutral element wherever the condition does not hold (``where=``)."""
    x = as_array(x)
    if condition is True:
        return x
    holds = broadcast_to(astype(as_array(condition), np.bool_), x.shape)
    return choice(holds, x, astype(as_array(neutral), x.dtype))


def _start(initial: Any, dtype: Any) -> Any:
    """What a reduction begins with, of its result's dtype."""
    if shape_of(initial) != ():
        raise ShapeError("initial is one number", mend="add, multiply or compare an array after")
    return astype(as_array(initial), dtype)


_reduce: Any = np.add.reduce  # the sum itself: np.sum costs three times as much on small arrays


def _add_up(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    return _reduce(x, axis=axis, keepdims=keepdims)


def _average(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    if x.dtype == np.float16:
        return np.mean(x, axis=axis, keepdims=keepdims)
    return _reduce(x, axis=axis, keepdims=keepdims) / _count(x, axis)


def _shared_out(g: Any, count: int) -> Any:
    """The gradient over a count; a count above 65504 does not exist as a float16."""
    return g * (1 / count) if g.dtype == np.float16 and count > 65504 else g / count


_sum = linear(
    "sum", _add_up, lambda g, x, *, axis, keepdims: _spread(g, x, axis, keepdims),
    symbol="Σ", text="Σ {0}", latex=r"\sum {0}", local=["G repeated"], samples=_CASES,
    code="np.sum",
)  # fmt: skip
_mean = linear(
    "mean", _average,
    lambda g, x, *, axis, keepdims: _spread(_shared_out(g, _count(x, axis)), x, axis, keepdims),
    symbol="mean", text="mean {0}", latex=r"\frac{{1}}{{n}} \sum {0}", local=["G/n repeated"],
    samples=_CASES, code="np.mean",
)  # fmt: skip


@public(np.sum)
def sum(
    x: Any, /, axis: Any = None, dtype: Any = None, *, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """The sum over all elements, over one axis, or over a tuple of axes.

    Of those elements alone for which ``where`` holds; ``initial`` is added.

    >>> import autograd_lite as ag
    >>> ag.sum(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([4., 6.])
    """
    x = x if dtype is None else astype(x, dtype)
    x = x if where is True else only(x, where, 0)
    y = _sum(x, axis=_axes(x, axis), keepdims=bool(keepdims))
    return y if initial is None else y + _start(initial, y.dtype)


@public(np.mean)
def mean(
    x: Any, /, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True
) -> Any:
    """The arithmetic mean over all elements or over the named axes; NaN of no elements.

    Of those elements alone for which ``where`` holds.

    >>> import autograd_lite as ag
    >>> ag.mean(ag.tensor([1.0, 2.0, 6.0]))
    Tensor(3.)
    """
    x = as_array(x)
    if dtype is not None or x.dtype.kind in "biu":
        x = astype(x, dtype or np.float64)
    if where is not True:
        return _mean_of(x, where, axis, keepdims)
    return _mean(x, axis=_axes(x, axis), keepdims=bool(keepdims))


def _mean_of(x: Any, condition: Any, axis: Any, keepdims: bool) -> Any:
    """The mean of the elements for which the condition holds; float16 is added up as float32."""
    wide = np.float32 if x.dtype == np.float16 else x.dtype
    total = sum(x, axis, wide, keepdims=keepdims, where=condition)
    return astype(total / _number_of(x, condition, axis, keepdims).astype(wide), x.dtype)


def _number_of(x: Any, condition: Any, axis: Any, keepdims: bool) -> Any:
    """How many elements the condition leaves, as an array of integers."""
    condition = condition._value if isinstance(condition, Tensor) else condition
    holds = np.broadcast_to(np.asarray(condition, bool), x.shape)
    return np.asarray(np.sum(holds, axis=_axes(x, axis), keepdims=bool(keepdims)))


# products: the derivative of one factor is the product of the others, zeros or not


def _running_product(x: Any) -> Any:
    """The products of the first k elements of the last axis, for every k."""
    if not isinstance(x, Tensor):
        return np.multiply.accumulate(x, axis=-1)
    step = 1
    while step < x.shape[-1]:
        later = getitem(x, (..., slice(step, None))) * getitem(x, (..., slice(None, -step)))
        x = concat([getitem(x, (..., slice(None, step))), later], axis=-1)
        step *= 2
    return x


def _others(x: Any, axis: Axes) -> Any:
    """For each element the product of all others that it is multiplied with."""
    axes = tuple(range(len(x.shape))) if axis is None else axis
    kept = [i for i in range(len(x.shape)) if i not in axes]
    order = (*kept, *axes)
    moved = transpose(x, order)
    rows = reshape(moved, (*(x.shape[i] for i in kept), _count(x, axis)))
    ones = np.ones((*rows.shape[:-1], 1), rows.dtype)
    before = _running_product(concat([ones, getitem(rows, (..., slice(None, -1)))], axis=-1))
    turned = getitem(rows, (..., slice(None, 0, -1)))
    after = getitem(_running_product(concat([ones, turned], axis=-1)), (..., slice(None, None, -1)))
    return transpose(reshape(before * after, moved.shape), np.argsort(order).tolist())


def _push_prod(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
    (x,) = xs
    return _sum(_others(x, params["axis"]) * tangents[0], **params) if x.size else 0 * y


_prod = general(
    "prod", lambda x, *, axis, keepdims: np.multiply.reduce(x, axis=axis, keepdims=keepdims),
    [lambda g, y, x, *, axis, keepdims: _spread(g, x, axis, keepdims) * _others(x, axis)
     if x.size else _broadcast_to(0.0, shape=x.shape)],
    _push_prod, symbol="Π", text="Π {0}", latex=r"\prod {0}", local=["G × Π of the others"],
    samples=_CASES, code="np.prod",
)  # fmt: skip


@public(np.prod)
def prod(
    x: Any, /, axis: Any = None, dtype: Any = None, *, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """The product over all elements or over the named axes; exact derivatives at zeros too.

    Of those elements alone for which ``where`` holds; ``initial`` is one factor more.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.grad(ag.prod)(np.array([2.0, 0.0, 4.0]))
    array([0., 8., 0.])
    """
    x = x if dtype is None else astype(x, dtype)
    x = x if where is True else only(x, where, 1)
    y = _prod(x, axis=_axes(x, axis), keepdims=bool(keepdims))
    return y if initial is None else y * _start(initial, y.dtype)


# extrema: the first extremal element takes the gradient; a NaN makes it NaN


def _winner(x: Any, y: Any, *, axis: Axes, keepdims: bool) -> Any:
    """1 at the first element that equals the extremum, 0 elsewhere; NaN where that is NaN."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    extremum = np.reshape(y, reduced_shape(x.shape, axes, keepdims=True))
    hits = x == extremum
    if len(axes) == 1:
        result = hits & (np.add.accumulate(hits, axis=axes[0], dtype=np.intp) == 1)
    else:
        order = (*(i for i in range(x.ndim) if i not in axes), *axes)
        moved = np.transpose(hits, order)
        rows = moved.reshape(*moved.shape[: x.ndim - len(axes)], _count(x, axes))
        first = rows & (np.add.accumulate(rows, axis=-1, dtype=np.intp) == 1)
        result = np.transpose(first.reshape(moved.shape), np.argsort(order))
    poisoned = extremum != extremum
    return np.where(poisoned, extremum, result) if np.any(poisoned) else result


_first = nondifferentiable("_first_extremal", _winner, plain=plain.first_extremal)


def _pull_extremum(g: Any, y: Any, x: Any, *, axis: Axes, keepdims: bool) -> Any:
    return _spread(g, x, axis, keepdims) * _first(x, y, axis=axis, keepdims=keepdims)


def _push_extremum(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
    return _sum(tangents[0] * _first(xs[0], y, **params), **params)


_max = general(
    "max", lambda x, *, axis, keepdims: np.maximum.reduce(x, axis=axis, keepdims=keepdims),
    [_pull_extremum], _push_extremum, symbol="max", text="max {0}", latex=r"\max {0}",
    local=["G at the first maximum"], samples=_CASES, code="np.max",
)  # fmt: skip
_min = general(
    "min", lambda x, *, axis, keepdims: np.minimum.reduce(x, axis=axis, keepdims=keepdims),
    [_pull_extremum], _push_extremum, symbol="min", text="min {0}", latex=r"\min {0}",
    local=["G at the first minimum"], samples=_CASES, code="np.min",
)  # fmt: skip


def _extremum_of(
    reduce: Any, pair: Any, x: Any, axis: Any, keepdims: bool, initial: Any, condition: Any
) -> Any:
    """The extremum of ``initial`` and of the elements for which the condition holds."""
    if initial is None:
        raise DomainError(
            "without initial there is no extremum where no element is left",
            mend="initial=-np.inf for a maximum, np.inf for a minimum, or a bound that you know",
        )
    x = as_array(x)
    first, axes = _start(initial, x.dtype), _axes(x, axis)
    if not _count(x, axes):
        return astype(sum(x, axes, keepdims=keepdims) + first, x.dtype)
    return pair(reduce(only(x, condition, first), axis=axes, keepdims=bool(keepdims)), first)


@public(np.max, np.amax, also=["amax"])
def max(
    x: Any, /, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The largest element over all or over the named axes.

    Of those elements alone for which ``where`` holds; ``initial`` is one more, the last.
    Of several that are equal the first (in the order of ``argmax``) takes the whole gradient.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.grad(ag.max)(np.array([1.0, 3.0, 3.0]))
    array([0., 1., 0.])
    """
    if initial is not None or where is not True:
        return _extremum_of(_max, maximum, x, axis, keepdims, initial, where)
    return _max(x, axis=_axes(x, axis), keepdims=bool(keepdims))


@public(np.min, np.amin, also=["amin"])
def min(
    x: Any, /, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The smallest element over all or over the named axes; all else as in ``max``.

    >>> import autograd_lite as ag
    >>> ag.min(ag.tensor([2.0, 1.0]))
    Tensor(1.)
    """
    if initial is not None or where is not True:
        return _extremum_of(_min, minimum, x, axis, keepdims, initial, where)
    return _min(x, axis=_axes(x, axis), keepdims=bool(keepdims))


_argmax = nondifferentiable(
    "_argmax", lambda x, *, axis, keepdims: np.argmax(x, axis=axis, keepdims=keepdims),
    symbol="argmax",
)  # fmt: skip


@public(np.argmax)
def argmax(x: Any, /, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The position of the first largest element; a constant.

    >>> import autograd_lite as ag
    >>> ag.argmax(ag.tensor([1.0, 3.0, 3.0]))
    Tensor(1)
    """
    axis = axis if axis is None else normalize_axis(axis, len(shape_of(x)))
    return _argmax(x, axis=axis, keepdims=bool(keepdims))


# spread


def _centred(x: Any, axis: Axes) -> Any:
    return (
        x - _mean(x, axis=axis, keepdims=True)
        if axis is not None
        else x - _mean(x, axis=None, keepdims=False)
    )


def _pull_var(g: Any, y: Any, x: Any, *, axis: Axes, keepdims: bool, ddof: float) -> Any:
    scale = 2 / np.float64(_count(x, axis) - ddof)
    return _spread(g, x, axis, keepdims) * (conj(_centred(x, axis)) * float(scale))


def _push_var(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
    axis, keepdims = params["axis"], params["keepdims"]
    scale = 2 / np.float64(_count(xs[0], axis) - params["ddof"])
    moved = conj(_centred(xs[0], axis)) * tangents[0]
    return _sum(moved, axis=axis, keepdims=keepdims) * float(scale)


def _pull_std(g: Any, y: Any, x: Any, *, axis: Axes, keepdims: bool, ddof: float) -> Any:
    return _pull_var(g * _half_inverse(y), y, x, axis=axis, keepdims=keepdims, ddof=ddof)


def _push_std(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
    return _push_var(tangents, y, xs, params) * _half_inverse(y)


def _half_inverse(y: Any) -> Any:
    """1/(2y), and 0 at 0: a constant there, so that derivatives of every order are 0."""
    flat = equal(y, 0)
    return choice(flat, 0, 0.5 / choice(flat, 1, y))


_var = general(
    "var", lambda x, *, axis, keepdims, ddof: np.var(x, axis=axis, keepdims=keepdims, ddof=ddof),
    [_pull_var], _push_var, symbol="var", text="var {0}", latex=r"\mathrm{{var}}\, {0}",
    local=["G × 2(x − mean)/n"], samples=_CASES_DDOF, code="np.var",
)  # fmt: skip


def _spread_of(x: Any, *, axis: Axes, keepdims: bool, ddof: float) -> Any:
    """NumPy's standard deviation; of numbers whose squares overflow or vanish, scaled."""
    with np.errstate(over="ignore", under="ignore"):
        y = np.std(x, axis=axis, keepdims=keepdims, ddof=ddof)
        if not x.size or not unsafe_squares(y):
            return y
        scale = binade(np.abs(x - np.mean(x, axis=axis, keepdims=True)), axis=axis, largest=True)
        y = np.std(x / scale, axis=axis, keepdims=keepdims, ddof=ddof) * scale.reshape(np.shape(y))
    return y.astype(x.real.dtype)


_std = general(
    "std", _spread_of, [_pull_std], _push_std, symbol="std", text="std {0}",
    latex=r"\mathrm{{std}}\, {0}",
    local=["G × (x − mean)/(n·y)"], samples=_CASES_DDOF[:3] + _CASES_DDOF[4:], code="np.std",
)  # fmt: skip


def _var_of(
    x: Any, axis: Any, ddof: float, keepdims: bool, middle: Any, condition: Any
) -> Any:  # fmt: skip
    """The variance about a given mean, or of the elements for which a condition holds."""
    x = x if x.dtype.kind in "fc" else astype(x, np.float64)
    middle = mean(x, axis, keepdims=True, where=condition) if middle is None else middle
    away = only(x - middle, condition, 0)
    free = np.maximum(_number_of(x, condition, axis, keepdims) - ddof, 0)
    squares = sum(real(conj(away) * away), axis, keepdims=keepdims)
    return squares / free.astype(squares.dtype)


@public(np.var)
def var(
    x: Any, /, axis: Any = None, dtype: Any = None, *, ddof: float = 0, correction: float = 0,
    keepdims: bool = False, mean: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """The variance: the mean squared distance from the mean, over n − ddof elements.

    ``correction`` is the Array API's name of ``ddof``. ``mean`` (with ``keepdims``) is used instead
    of the elements' own, and gets its gradient; ``where`` tells which elements count.

    >>> import autograd_lite as ag
    >>> ag.var(ag.tensor([1.0, 3.0]))
    Tensor(1.)
    """
    x = as_array(x) if dtype is None else astype(as_array(x), dtype)
    if mean is not None or where is not True:
        return _var_of(x, axis, ddof or correction, keepdims, mean, where)
    return _var(x, axis=_axes(x, axis), keepdims=bool(keepdims), ddof=ddof or correction)


@public(np.std)
def std(
    x: Any, /, axis: Any = None, dtype: Any = None, *, ddof: float = 0, correction: float = 0,
    keepdims: bool = False, mean: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """The standard deviation, the root of ``var``; its derivative where it is 0 is 0.

    >>> import autograd_lite as ag
    >>> ag.std(ag.tensor([1.0, 3.0]))
    Tensor(1.)
    """
    x = as_array(x) if dtype is None else astype(as_array(x), dtype)
    if mean is not None or where is not True:
        squared = _var_of(x, axis, ddof or correction, keepdims, mean, where)
        flat = equal(squared, 0)
        return choice(
            flat, squared.dtype.type(0), sqrt(choice(flat, squared.dtype.type(1), squared))
        )
    return _std(x, axis=_axes(x, axis), keepdims=bool(keepdims), ddof=ddof or correction)
