"""Statistics composed of reductions: ranges, averages, covariances, and all of them without NaN.

And the sums of exponentials: logsumexp, softmax, log_softmax, exact at any size. Imports errors,
rules, shapes, NumPy, and the operators that these are made of.
"""

from typing import Any

import numpy as np

from autograd_lite.errors import DivisionError, DTypeError, ShapeError
from autograd_lite.ops import plain
from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.norms import _norm as norm_of
from autograd_lite.ops.ordering import any as any_of
from autograd_lite.ops.pointwise import (
    conj,
    equal,
    exp,
    imag,
    isnan,
    logical_not,
    multiply,
    real,
    sqrt,
)
from autograd_lite.ops.pointwise import where as choice
from autograd_lite.ops.reductions import _CASES, _axes, _spread, max, mean, min, only, prod, sum
from autograd_lite.ops.shaping import (
    as_array,
    astype,
    broadcast_to,
    concat,
    reshape,
    shape_of,
    transpose,
)
from autograd_lite.ops.special import clip
from autograd_lite.rules import general, nondifferentiable, public
from autograd_lite.shapes import normalize_axes, normalize_axis
from autograd_lite.tensors import plain_value

# sums of exponentials


def _log_sum(x: Any, *, axis: Any, keepdims: bool) -> Any:
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    with np.errstate(divide="ignore"):
        y = np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True)) + shift
    return y if keepdims else np.squeeze(y, axis)


def _parts(y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """exp(x − y): the part that each element has in the sum; of an empty sum (−∞) 0."""
    y = choice(equal(y, -np.inf), y.dtype.type(0), y)
    return exp(x - _spread(y, x, axis, keepdims))


def _push_log_sum(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
    return sum(_parts(y, xs[0], **params) * tangents[0], **params)


_logsumexp = general(
    "logsumexp", _log_sum,
    [lambda g, y, x, *, axis, keepdims:
        _spread(g, x, axis, keepdims) * _parts(y, x, axis, keepdims)],
    _push_log_sum,
    plain=plain.logsumexp, symbol="LSE", latex=r"\ln \sum e^{{{0}}}", local=["G × exp({0} − y)"],
    samples=_CASES,
)  # fmt: skip


def _floating(x: Any) -> Any:
    x = as_array(x)
    return x if x.dtype.kind in "fc" else astype(x, np.float64)


@public()
def logsumexp(x: Any, /, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The logarithm of Σ exp(x) over all elements or over the named axes, without overflow.

    An element of −∞ gets no gradient; where all are −∞ none does.

    >>> import autograd_lite as ag
    >>> ag.logsumexp(ag.tensor([1e4, 1e4]))
    Tensor(10000.69314718)
    """
    x = _floating(x)
    return _logsumexp(x, axis=_axes(x, axis), keepdims=bool(keepdims))


def _shifted(x: Any, axis: Any) -> Any:
    return x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)


def _shares(x: Any, *, axis: Any) -> Any:
    e = np.exp(_shifted(x, axis))
    return e / np.sum(e, axis=axis, keepdims=True)


def _weighed(g: Any, y: Any, axis: Any) -> Any:
    return y * (g - sum(g * y, axis=axis, keepdims=True))


_softmax = general(
    "softmax", _shares, [lambda g, y, x, *, axis: _weighed(g, y, axis)],
    lambda tangents, y, xs, params: _weighed(tangents[0], y, params["axis"]),
    plain=plain.softmax, local=["y × (G − Σ G·y)"], latex=r"\mathrm{{softmax}}\, {0}",
    samples=[(((2, 3),), {"axis": (1,)}), (((3,),), {"axis": (0,)}), (((2, 2),), {"axis": None})],
)  # fmt: skip


def _log_shares(x: Any, *, axis: Any) -> Any:
    x = _shifted(x, axis)
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


_log_softmax = general(
    "log_softmax", _log_shares,
    [lambda g, y, x, *, axis: g - exp(y) * sum(g, axis=axis, keepdims=True)],
    lambda tangents, y, xs, params:
        tangents[0] - sum(exp(y) * tangents[0], axis=params["axis"], keepdims=True),
    plain=plain.log_softmax, local=["G − exp(y)·Σ G"], latex=r"\ln\, \mathrm{{softmax}}\, {0}",
    samples=[(((2, 3),), {"axis": (1,)}), (((3,),), {"axis": (0,)}), (((2, 2),), {"axis": None})],
)  # fmt: skip


@public()
def softmax(x: Any, /, axis: Any = -1) -> Any:
    """exp(x) over its sum along the axes (None: all), without overflow.

    An element of −∞ gives 0; where all are −∞ the result is NaN.

    >>> import autograd_lite as ag
    >>> ag.softmax(ag.tensor([-1e4, 1e4, 1e4]))
    Tensor([0. , 0.5, 0.5])
    """
    x = _floating(x)
    return _softmax(x, axis=_axes(x, axis))


@public()
def log_softmax(x: Any, /, axis: Any = -1) -> Any:
    """The logarithm of ``softmax``, exact where that underflows.

    >>> import autograd_lite as ag
    >>> ag.log_softmax(ag.tensor([-1e4, 1e4]))
    Tensor([-20000.,      0.])
    """
    x = _floating(x)
    return _log_softmax(x, axis=_axes(x, axis))


# ranges, averages, covariances


@public(np.ptp)
def ptp(x: Any, /, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The largest element less the smallest, over all or over the named axes.

    >>> import autograd_lite as ag
    >>> ag.ptp(ag.tensor([1.0, 5.0, 3.0]))
    Tensor(4.)
    """
    return max(x, axis, keepdims=keepdims) - min(x, axis, keepdims=keepdims)


@public(np.average)
def average(
    x: Any, /, axis: Any = None, weights: Any = None, returned: bool = False, *,
    keepdims: bool = False,
) -> Any:  # fmt: skip
    """The mean over all elements or over the named axes, weighed by ``weights`` if given.

    Weights have the shape of ``x``, or of its named axes. ``returned`` adds the sum of the weights.

    >>> import autograd_lite as ag
    >>> ag.average(ag.tensor([1.0, 2.0]), weights=[3.0, 1.0])
    Tensor(1.25)
    """
    x = as_array(x)
    if weights is None:
        result = mean(x, axis, keepdims=keepdims)
        count = x.size / np.prod(shape_of(result), dtype=int)
        return (
            (result, broadcast_to(result.dtype.type(count), result.shape)) if returned else result
        )
    w = _weights(x, as_array(weights), axis)
    total = sum(w, axis, keepdims=keepdims)
    if np.any(plain_value(total) == 0):
        raise DivisionError("the weights sum to 0", mend="give weights whose sum is not 0")
    result = sum(multiply(x, w), axis, keepdims=keepdims) / total
    return (result, broadcast_to(total, shape_of(result))) if returned else result


def _weights(x: Any, w: Any, axis: Any) -> Any:
    """Weights in the shape of ``x``."""
    if w.shape == x.shape:
        return w
    if axis is None:
        raise DTypeError(
            f"weights of shape {w.shape} for an array of {x.shape}",
            mend="give the array's shape, or name the axes that they are of (axis=)",
        )
    axes = normalize_axes(axis, x.ndim)
    if w.shape != tuple(x.shape[i] for i in axes):
        raise ShapeError(
            f"weights of shape {w.shape} for an array of {x.shape}",
            mend="give the array's shape, or that of the named axes",
        )
    w = transpose(w, tuple(np.argsort(axes).tolist()))
    return broadcast_to(
        reshape(w, tuple(n if i in axes else 1 for i, n in enumerate(x.shape))), x.shape
    )


def _observations(m: Any, y: Any, rowvar: bool, dtype: Any) -> Any:
    m = as_array(m)
    parts = [m] if y is None else [m, as_array(y)]
    if np.max([part.ndim for part in parts]) > 2:
        raise ShapeError("observations have more than two axes", mend="one row for each variable")
    kind = dtype or np.result_type(np.float64, *(part.dtype for part in parts))
    rows = []
    for part in parts:
        part = astype(part, kind) if part.dtype != kind else part
        part = reshape(part, (1, -1)) if part.ndim < 2 else part
        rows.append(part if rowvar or part.shape[0] == 1 else part.T)
    return rows[0] if y is None else concat(rows, axis=0)


@public(np.cov)
def cov(
    m: Any, /, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """The covariance matrix of variables, one in each row; weights are constants.

    >>> import autograd_lite as ag
    >>> ag.cov(ag.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))
    Tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = _observations(m, y, rowvar, dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = [np.asarray(w, np.float64) for w in (fweights, aweights) if w is not None]
    w = np.prod(weights, axis=0) if weights else None
    if w is None:
        total, centred = float(x.shape[1]), x - mean(x, 1, keepdims=True)
        rest = total - ddof
    else:
        total = float(np.sum(w))
        centred = x - sum(x * w, 1, keepdims=True) / total
        own = 1.0 if aweights is None else float(np.sum(w * np.asarray(aweights)) / total)
        rest = total - ddof * own
    scaled = centred if w is None else centred * w
    result = matmul(scaled, conj(centred).T) / np.float64(np.maximum(rest, 0.0)).astype(x.dtype)
    return reshape(result, ()) if result.shape == (1, 1) else result


@public(np.corrcoef)
def corrcoef(x: Any, /, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """The correlation coefficients of variables, one in each row.

    >>> import autograd_lite as ag
    >>> ag.corrcoef(ag.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]))[0, 1]
    Tensor(-1.)
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    diagonal = np.arange(c.shape[0])
    spread = sqrt(real(c[diagonal, diagonal]))
    c = c / spread[:, None] / spread[None, :]
    if c.dtype.kind == "c":
        return clip(real(c), -1, 1) + 1j * clip(imag(c), -1, 1)
    return clip(c, -1, 1)


# without NaN


def _kept(x: Any, fill: Any, condition: Any = True) -> tuple[Any, Any]:
    """The elements with NaN and those outside the condition replaced, and where they are kept."""
    x = as_array(x)
    floating = x.dtype.kind in "fc"
    there = only(logical_not(isnan(x)) if floating else np.ones(x.shape, bool), condition, False)
    return choice(there, x, x.dtype.type(fill) if floating else fill), there


@public(np.nansum)
def nansum(
    x: Any, /, axis: Any = None, dtype: Any = None, *, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """The sum of all that is not NaN; a NaN gets no gradient.

    >>> import autograd_lite as ag
    >>> ag.nansum(ag.tensor([1.0, float("nan"), 2.0]))
    Tensor(3.)
    """
    return sum(_kept(x, 0, where)[0], axis, dtype, keepdims=keepdims, initial=initial)


@public(np.nanprod)
def nanprod(
    x: Any, /, axis: Any = None, dtype: Any = None, *, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """The product of all that is not NaN; a NaN gets no gradient.

    >>> import autograd_lite as ag
    >>> ag.nanprod(ag.tensor([3.0, float("nan"), 2.0]))
    Tensor(6.)
    """
    return prod(_kept(x, 1, where)[0], axis, dtype, keepdims=keepdims, initial=initial)


@public(np.nanmean)
def nanmean(
    x: Any, /, axis: Any = None, dtype: Any = None, *, keepdims: bool = False, where: Any = True
) -> Any:
    """The mean of all that is not NaN; a NaN gets no gradient.

    >>> import autograd_lite as ag
    >>> ag.nanmean(ag.tensor([1.0, float("nan"), 2.0]))
    Tensor(1.5)
    """
    filled, there = _kept(x, 0, where)
    if dtype is not None or filled.dtype.kind in "biu":
        filled = astype(filled, dtype or np.float64)
    count = astype(sum(there, axis, keepdims=keepdims), filled.dtype)
    return sum(filled, axis, keepdims=keepdims) / count


def _extremum(reduce: Any, worst: float, x: Any, axis: Any, **keywords: Any) -> Any:
    x = as_array(x)
    if x.dtype.kind not in "fc":
        return reduce(x, axis, **keywords)
    filled, there = _kept(x, worst)
    y = reduce(filled, axis, **keywords)
    if keywords["initial"] is not None:
        return y
    return choice(any_of(there, axis, keepdims=keywords["keepdims"]), y, x.dtype.type(np.nan))


@public(np.nanmax)
def nanmax(
    x: Any, /, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The largest element that is not NaN; NaN where all are; ties as in ``max``.

    >>> import autograd_lite as ag
    >>> ag.nanmax(ag.tensor([1.0, float("nan"), 2.0]))
    Tensor(2.)
    """
    return _extremum(max, -np.inf, x, axis, keepdims=keepdims, initial=initial, where=where)


@public(np.nanmin)
def nanmin(
    x: Any, /, axis: Any = None, *, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """The smallest element that is not NaN; NaN where all are; ties as in ``min``.

    >>> import autograd_lite as ag
    >>> ag.nanmin(ag.tensor([1.0, float("nan"), 2.0]))
    Tensor(1.)
    """
    return _extremum(min, np.inf, x, axis, keepdims=keepdims, initial=initial, where=where)


def _departures(
    x: Any, axis: Any, dtype: Any, ddof: float, keepdims: bool, middle: Any, condition: Any
) -> tuple[Any, Any]:
    """How far each element is from the mean, 0 for NaN, and the degrees of freedom."""
    x = _floating(x) if dtype is None else astype(as_array(x), dtype)
    filled, there = _kept(x, 0, condition)
    if middle is None:
        count = astype(sum(there, axis, keepdims=True), x.dtype)
        middle = sum(filled, axis, keepdims=True) / count
    away = choice(there, filled - middle, x.dtype.type(0))
    free = real(astype(sum(there, axis, keepdims=keepdims), x.dtype)) - ddof
    return away, choice(free > 0, free, free.dtype.type(np.nan))


@public(np.nanvar)
def nanvar(
    x: Any, /, axis: Any = None, dtype: Any = None, *, ddof: float = 0, correction: float = 0,
    keepdims: bool = False, mean: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """The variance of all that is not NaN; a NaN gets no gradient.

    >>> import autograd_lite as ag
    >>> ag.nanvar(ag.tensor([1.0, float("nan"), 3.0]))
    Tensor(1.)
    """
    away, free = _departures(x, axis, dtype, ddof or correction, keepdims, mean, where)
    return sum(real(conj(away) * away), axis, keepdims=keepdims) / free


@public(np.nanstd)
def nanstd(
    x: Any, /, axis: Any = None, dtype: Any = None, *, ddof: float = 0, correction: float = 0,
    keepdims: bool = False, mean: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """The standard deviation of all that is not NaN; its derivative where it is 0 is 0.

    >>> import autograd_lite as ag
    >>> ag.nanstd(ag.tensor([1.0, float("nan"), 3.0]))
    Tensor(1.)
    """
    away, free = _departures(x, axis, dtype, ddof or correction, keepdims, mean, where)
    return norm_of(away, axis=_axes(away, axis), keepdims=keepdims) / sqrt(free)


def _nan_positions(name: str, forward: Any) -> Any:
    op = nondifferentiable(
        f"_{name}", lambda x, *, axis, keepdims: forward(x, axis=axis, keepdims=keepdims),
        symbol=name,
    )  # fmt: skip

    def find(x: Any, /, axis: int | None = None, *, keepdims: bool = False) -> Any:
        axis = axis if axis is None else normalize_axis(axis, len(shape_of(x)))
        return op(x, axis=axis, keepdims=bool(keepdims))

    find.__name__ = find.__qualname__ = name
    find.__doc__ = f"The position of the first {name[6:]}imum that is not NaN; a constant."
    find.op = op.op  # type: ignore[attr-defined]  # tells that it is a constant
    return public(forward)(find)


nanargmax = _nan_positions("nanargmax", np.nanargmax)
nanargmin = _nan_positions("nanargmin", np.nanargmin)
