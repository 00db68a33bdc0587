"""Medians, quantiles, percentiles, and all of them without NaN.

A quantile is one or two elements of the sorted array, weighed: positions are constants, elements
carry the gradient. Its rank is a piecewise linear function of the level q, which has a derivative
too. Imports errors, rules, shapes, NumPy, and the operators that these are made of.
"""

import math
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError
from autograd_lite.ops.gathering import take_along_axis
from autograd_lite.ops.pointwise import equal, where
from autograd_lite.ops.shaping import as_array, astype, ravel, reshape, shape_of, transpose
from autograd_lite.rules import general, nondifferentiable, public
from autograd_lite.shapes import normalize_axes, reduced_shape
from autograd_lite.tensors import Tensor

# ranks: NumPy says where; the quantile of 0, 1, 2, … is the rank itself


def _rank_of(q: Any, counts: Any, *, method: str) -> Any:
    """The rank of each level among so many elements, levels in the last axis."""
    place: Any = np.quantile  # of the many overloads none fits a method that is not a literal
    counts = np.asarray(counts)
    ranks = np.zeros((*counts.shape, np.size(q)))
    for count in np.unique(counts):
        if count:
            ranks[counts == count] = place(np.arange(count, dtype=np.float64), q, method=method)
    return ranks


_MORE = {"linear": -1.0, "hazen": 0.0, "weibull": 1.0, "median_unbiased": 1 / 3,
         "normal_unbiased": 1 / 4, "interpolated_inverted_cdf": 0.0}  # fmt: skip
"""What the slope of the rank is more than the count; all other methods step."""


def _rank_slope(q: Any, counts: Any, *, method: str) -> Any:
    """The derivative of the rank: constant, and 0 where the rank is held at an end."""
    counts = np.asarray(counts)[..., None]
    if method not in _MORE:
        return np.zeros((*counts.shape[:-1], np.size(q)))
    ranks = _rank_of(q, counts[..., 0], method=method)
    free = (method == "linear") | ((ranks > 0) & (ranks < counts - 1))
    return np.where(free, counts + _MORE[method], 0.0)


_slope = nondifferentiable("_rank_slope", _rank_slope)
_rank = general(
    "_level_rank", _rank_of,
    [lambda g, y, q, counts, *, method: _spread_back(g * _slope(q, counts, method=method)), None],
    lambda ts, y, xs, params: _slope(*xs, **params) * ts[0],
    symbol="rank", local=["G × (n + const)", "no derivative"], array_names=("q", "counts"),
    domain=(0.2, 0.8), probe=lambda call, q: call(q, np.array([5, 9])),
    samples=[(((3,),), {"method": "linear"}), (((2,),), {"method": "hazen"})],
    doc="The rank of each quantile among so many elements.",
)  # fmt: skip


def _spread_back(g: Any) -> Any:
    """A gradient of ranks as that of the levels, which all counts share."""
    return g.sum(axis=tuple(range(len(g.shape) - 1))) if len(g.shape) > 1 else g


def _around(ranks: Any, counts: Any) -> Any:
    """The ranks of the elements below and above, one after the other in the last axis."""
    last = np.maximum(np.asarray(counts)[..., None] - 1, 0)
    below = np.clip(np.floor(ranks), 0, np.maximum(last - 1, 0))
    return np.concatenate([below, np.minimum(below + 1, last)], axis=-1).astype(np.intp)


_neighbour_ranks = nondifferentiable("_neighbour_ranks", _around)


# positions


def _positions_of(x: Any, ranks: Any) -> Any:
    """The positions along the last axis of the elements of these ranks, equal ones in order.

    Where there is a NaN all ranks are the first NaN. For few ranks nothing is sorted: the element
    of rank r is the one after r − (how many are less) of those that equal it.
    """
    lost = np.isnan(x)
    if len(ranks) > 4:
        places = np.argsort(x, axis=-1, kind="stable")[..., ranks]
    else:
        ordered = np.partition(x, ranks, axis=-1)
        places = np.stack([_place(x, ordered[..., r, None], r) for r in ranks], axis=-1)
    some = np.any(lost, axis=-1, keepdims=True)
    return np.where(some, np.argmax(lost, axis=-1, keepdims=True), places)


def _place(x: Any, value: Any, rank: int) -> Any:
    """Where in each row the element of this rank and value stands."""
    equal = x == value
    before = np.count_nonzero(x < value, axis=-1, keepdims=True)
    return np.argmax(np.cumsum(equal, axis=-1) > rank - before, axis=-1)


_of_rank = nondifferentiable("_of_rank", _positions_of, symbol="ranks")
_of_rank_in_row = nondifferentiable(
    "_of_rank_in_row",
    lambda x, ranks: np.take_along_axis(np.argsort(x, axis=-1, kind="stable"), ranks, -1),
    symbol="ranks",
)  # fmt: skip
_numbers = nondifferentiable("_numbers", lambda x: np.count_nonzero(~np.isnan(x), axis=-1))


def _rows(x: Any, axes: tuple[int, ...]) -> Any:
    """The array with the named axes flattened into its last one."""
    kept = [i for i in range(x.ndim) if i not in axes]
    count = math.prod(x.shape[i] for i in axes)
    if not count:
        raise DomainError("a quantile of no elements", mend="the reduced axes must not be empty")
    return reshape(transpose(x, (*kept, *axes)), (*(x.shape[i] for i in kept), count))


def _neighbours(rows: Any, q: Any, method: str) -> tuple[Any, Any, Any]:
    """The elements below and above each level, levels in the last axis, and the upper's weight."""
    count = rows.shape[-1]
    if isinstance(q, Tensor):
        rank = _rank(q, count, method=method)
        ranks = _neighbour_ranks(rank, count)
        half = ranks.shape[-1] // 2
        found = take_along_axis(rows, _of_rank(rows, ranks), -1)
        return found[..., :half], found[..., half:], rank - ranks[..., :half]
    rank = _rank_of(q, count, method=method)
    below, weight = np.floor(rank).astype(np.intp), rank - np.floor(rank)
    if not np.any(weight):
        found = take_along_axis(rows, _of_rank(rows, below), -1)
        return found, found, weight
    ranks = np.concatenate([below, np.ceil(rank).astype(np.intp)])
    found = take_along_axis(rows, _of_rank(rows, ranks), -1)
    return found[..., : len(below)], found[..., len(below) :], weight


def _neighbours_but_nan(rows: Any, q: Any, method: str) -> tuple[Any, Any, Any]:
    """As ``_neighbours`` among the elements of each row that are numbers; NaN if there are none."""
    counts = _numbers(rows)
    rank = _rank(q, counts, method=method)
    ranks = _neighbour_ranks(rank, counts)
    half = ranks.shape[-1] // 2
    found = take_along_axis(rows, _of_rank_in_row(rows, ranks), -1)
    found = where(equal(counts, 0)[..., None], rows.dtype.type(np.nan), found)
    return found[..., :half], found[..., half:], rank - ranks[..., :half]


def _between(low: Any, high: Any, weight: Any) -> Any:
    """NumPy's interpolation, which is exact at both ends."""
    step = high - low
    return where(weight < 0.5, low + step * weight, high - step * (1 - weight))


_DISCRETE = ("lower", "higher", "nearest", "inverted_cdf", "closest_observation")


def _level(q: Any) -> Any:
    """Levels as they are computed with: a tensor only if it carries derivatives."""
    return q.data if isinstance(q, Tensor) and not q.tracked else q


def _quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool, neighbours: Any) -> Any:
    axes = normalize_axes(axis, x.ndim)
    flat = ravel(q) if isinstance(q, Tensor) else np.ravel(q)
    low, high, weight = neighbours(_rows(x, axes), flat, method)
    if method in _DISCRETE and low is high:
        levels = low
    else:
        kind = x.dtype if type(q) in (int, float) else getattr(q, "dtype", np.dtype(np.float64))
        levels = _between(low, high, astype(weight, kind if kind.kind == "f" else np.float64))
    turned = transpose(levels, (levels.ndim - 1, *range(levels.ndim - 1)))
    return reshape(turned, (*shape_of(q), *reduced_shape(x.shape, axes, keepdims=keepdims)))


@public(np.quantile)
def quantile(
    x: Any, /, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False,
    overwrite_input: bool = False,
) -> Any:  # fmt: skip
    """The element below which the part ``q`` of all elements lies; between two, interpolated.

    Takes NumPy's methods. ``q`` may have several levels: they are the first axes of the result.
    The gradient goes to the one or two elements of those ranks, and to the level: what the
    quantile grows by for a slightly larger q (at the last element, for a slightly smaller one).

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.grad(lambda x: ag.quantile(x, 0.25))(np.array([4.0, 1.0, 3.0]))
    array([0. , 0.5, 0.5])
    >>> ag.grad(lambda q: ag.quantile(np.array([4.0, 1.0, 3.0]), q))(0.25)
    np.float64(4.0)
    """
    return _quantile(as_array(x), _level(q), axis, method, keepdims, _neighbours)


@public(np.nanquantile)
def nanquantile(
    x: Any, /, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False,
    overwrite_input: bool = False,
) -> Any:  # fmt: skip
    """``quantile`` of all that is not NaN; NaN where nothing is, and then without a gradient.

    >>> import autograd_lite as ag
    >>> ag.nanquantile(ag.tensor([4.0, float("nan"), 3.0]), 0.25)
    Tensor(3.25)
    """
    x = as_array(x)
    of = _neighbours_but_nan if x.dtype.kind == "f" else _neighbours
    return _quantile(x, _level(q), axis, method, keepdims, of)


def _part(x: Any, q: Any) -> Any:
    """Levels from 0 to 100 as parts of 1."""
    if isinstance(q, Tensor):
        return q / 100
    own = type(q) in (int, float) and x.dtype.kind == "f"
    return np.true_divide(q, x.dtype.type(100) if own else 100)


@public(np.percentile)
def percentile(
    x: Any, /, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False,
    overwrite_input: bool = False,
) -> Any:  # fmt: skip
    """``quantile`` with levels from 0 to 100.

    >>> import autograd_lite as ag
    >>> ag.percentile(ag.tensor([1.0, 2.0, 3.0]), 50)
    Tensor(2.)
    """
    x = as_array(x)
    return quantile(x, _part(x, _level(q)), axis, method=method, keepdims=keepdims)


@public(np.nanpercentile)
def nanpercentile(
    x: Any, /, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False,
    overwrite_input: bool = False,
) -> Any:  # fmt: skip
    """``nanquantile`` with levels from 0 to 100.

    >>> import autograd_lite as ag
    >>> ag.nanpercentile(ag.tensor([1.0, float("nan"), 3.0]), 50)
    Tensor(2.)
    """
    x = as_array(x)
    return nanquantile(x, _part(x, _level(q)), axis, method=method, keepdims=keepdims)


def _middle(x: Any, axis: Any, keepdims: bool, neighbours: Any) -> Any:
    axes = normalize_axes(axis, x.ndim)
    low, high, _ = neighbours(_rows(x, axes), 0.5, "midpoint")
    shape = reduced_shape(x.shape, axes, keepdims=keepdims)
    return reshape(low / 1 if low is high else (low + high) / 2, shape)


@public(np.median)
def median(
    x: Any, /, axis: Any = None, *, keepdims: bool = False, overwrite_input: bool = False
) -> Any:
    """The middle element, or the mean of the two middle ones.

    >>> import autograd_lite as ag
    >>> ag.median(ag.tensor([3.0, 1.0, 2.0]))
    Tensor(2.)
    """
    return _middle(as_array(x), axis, keepdims, _neighbours)


def _middles_but_nan(rows: Any, q: Any, method: str) -> tuple[Any, Any, Any]:
    """The two middle numbers of each row, which are one for an odd count."""
    low, high, weight = _neighbours_but_nan(rows, q, method)
    return low, where(equal(weight, 0), low, high), weight


@public(np.nanmedian)
def nanmedian(
    x: Any, /, axis: Any = None, *, keepdims: bool = False, overwrite_input: bool = False
) -> Any:
    """The middle of all that is not NaN; NaN where nothing is, and then without a gradient.

    >>> import autograd_lite as ag
    >>> ag.nanmedian(ag.tensor([3.0, float("nan"), 1.0, 2.0]))
    Tensor(2.)
    """
    x = as_array(x)
    of = _middles_but_nan if x.dtype.kind == "f" else _neighbours
    return _middle(x, axis, keepdims, of)
