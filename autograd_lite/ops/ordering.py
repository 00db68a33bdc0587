"""Sorting, ranks, sets and searching: sort, argsort, quantiles, unique values, positions.

A sorted array is its elements at the positions that ``argsort`` gives: positions are constants,
elements carry the gradient, so the way back is one pass. Equal elements stay in order. Imports
errors, rules, shapes, NumPy, and the operators that these are made of.
"""

import functools
import inspect
import math
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.errors import DomainError, UnsupportedError
from autograd_lite.ops.gathering import pick, take, take_along_axis
from autograd_lite.ops.pointwise import where
from autograd_lite.ops.reductions import _axes
from autograd_lite.ops.shaping import as_array, ravel, reshape, shape_of, transpose
from autograd_lite.rules import nondifferentiable, public
from autograd_lite.shapes import normalize_axes, normalize_axis, reduced_shape


def _in_order(x: Any, *, axis: int, descending: bool) -> Any:
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    turned = np.flip(x, axis)
    order = np.flip(np.argsort(turned, axis=axis, kind="stable"), axis)
    return np.shape(x)[axis] - 1 - order


_argsort = nondifferentiable("_argsort", _in_order, symbol="argsort")


def _flat(x: Any, axis: int | None) -> tuple[Any, int]:
    """The array and the axis to work along; without one, flattened."""
    x = as_array(x)
    if axis is None:
        return ravel(x), 0
    return x, normalize_axis(axis, x.ndim)


def _refuse_order(order: Any) -> None:
    if order is not None:
        raise UnsupportedError("order= names fields of records", mend="leave it out")


@public(np.argsort)
def argsort(
    x: Any,
    /,
    axis: int | None = -1,
    kind: str | None = None,
    order: Any = None,
    *,
    descending: bool = False,
    stable: bool | None = True,
) -> Any:
    """The positions that sort ``x`` along an axis; a constant. Always stable.

    >>> import autograd_lite as ag
    >>> ag.argsort(ag.tensor([3.0, 1.0, 2.0]))
    Tensor([1, 2, 0])
    """
    _refuse_order(order)
    x, axis = _flat(x, axis)
    return _argsort(x, axis=axis, descending=bool(descending))


@public(np.sort)
def sort(
    x: Any,
    /,
    axis: int | None = -1,
    kind: str | None = None,
    order: Any = None,
    *,
    descending: bool = False,
    stable: bool | None = True,
) -> Any:
    """The elements in order along an axis (None: flattened); NaN last. Always stable.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.vjp(ag.sort, np.array([3.0, 1.0, 2.0]))[1](np.array([10.0, 20.0, 30.0]))
    (array([30., 10., 20.]),)
    """
    _refuse_order(order)
    x, axis = _flat(x, axis)
    return pick(x, _argsort(x, axis=axis, descending=bool(descending)), axis)


_argpartition = nondifferentiable(
    "_argpartition", lambda x, *, kth, axis: np.argpartition(x, kth, axis), symbol="argpartition"
)
_argmin = nondifferentiable(
    "_argmin", lambda x, *, axis, keepdims: np.argmin(x, axis=axis, keepdims=keepdims),
    symbol="argmin",
)  # fmt: skip


@public(np.argmin)
def argmin(x: Any, /, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """The position of the first smallest element; a constant.

    >>> import autograd_lite as ag
    >>> ag.argmin(ag.tensor([3.0, 1.0, 1.0]))
    Tensor(1)
    """
    axes = _axes(x, axis)
    return _argmin(x, axis=axes[0] if axes else None, keepdims=bool(keepdims))


@public(np.argpartition)
def argpartition(
    x: Any, /, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None
) -> Any:
    """Positions that put the element of rank ``kth`` in its place; a constant.

    >>> import autograd_lite as ag
    >>> int(ag.argpartition(ag.tensor([3.0, 1.0, 2.0]), 0)[0])
    1
    """
    _refuse_order(order)
    x, axis = _flat(x, axis)
    return _argpartition(x, kth=kth, axis=axis)


@public(np.partition)
def partition(
    x: Any, /, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None
) -> Any:
    """The element of rank ``kth`` in its place, smaller ones before it and larger ones behind.

    >>> import autograd_lite as ag
    >>> ag.partition(ag.tensor([3.0, 1.0, 2.0]), 1)[1]
    Tensor(2.)
    """
    x, axis = _flat(x, axis)
    return pick(x, argpartition(x, kth, axis, kind, order), axis)


# quantiles: one or two elements of the sorted array, weighed


def _ranks(count: int, q: Any, method: str) -> tuple[Any, Any, Any]:
    """Ranks below and above each quantile of ``count`` elements, and the weight of the upper.

    NumPy says where: the quantile of 0, 1, 2, … is the rank itself.
    """
    place: Any = np.quantile  # of the many overloads none fits a method that is not a literal
    rank = np.ravel(place(np.arange(count, dtype=np.float64), q, method=method))
    below = np.floor(rank)
    return below.astype(np.intp), np.ceil(rank).astype(np.intp), rank - below


def _rank_positions(x: Any, *, ranks: Any) -> Any:
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


_of_rank = nondifferentiable("_of_rank", _rank_positions, symbol="ranks")


def _between(low: Any, high: Any, weight: Any) -> Any:
    """NumPy's interpolation, which is exact at both ends."""
    step = high - low
    return where(weight < 0.5, low + step * weight, high - step * (1 - weight))


def _levels(q: Any) -> Any:
    if getattr(q, "tracked", False):
        raise UnsupportedError(
            "the derivative with respect to the level q is not defined here",
            mend="give q as a number, an array, or q.detach()",
        )
    return getattr(q, "data", q) if hasattr(q, "tracked") else q


def _rows(x: Any, axes: tuple[int, ...]) -> Any:
    """The array with the named axes flattened into its last one."""
    kept = [i for i in range(x.ndim) if i not in axes]
    count = math.prod(x.shape[i] for i in axes)
    if not count:
        raise DomainError("a quantile of no elements", mend="the reduced axes must not be empty")
    return reshape(transpose(x, (*kept, *axes)), (*(x.shape[i] for i in kept), count))


def _neighbours(x: Any, axes: tuple[int, ...], q: Any, method: str) -> tuple[Any, Any, Any]:
    """The elements below and above each level, levels in the last axis, and the upper's weight."""
    rows = _rows(x, axes)
    below, above, weight = _ranks(rows.shape[-1], q, method)
    exact = not np.any(weight)
    ranks = below if exact else np.concatenate([below, above])
    found = take_along_axis(rows, _of_rank(rows, ranks=ranks), -1)
    if exact:
        return found, found, weight
    return found[..., : len(below)], found[..., len(below) :], weight


@public(np.quantile)
def quantile(
    x: Any,
    q: Any,
    /,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    overwrite_input: bool = False,
) -> Any:
    """The element below which the part ``q`` of all elements lies; between two, interpolated.

    Takes NumPy's methods. ``q`` may have several levels: they are the first axes of the result.
    The gradient goes to the one or two elements of those ranks.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.grad(lambda x: ag.quantile(x, 0.25))(np.array([4.0, 1.0, 3.0]))
    array([0. , 0.5, 0.5])
    """
    x = as_array(x)
    q = _levels(q)
    axes = normalize_axes(axis, x.ndim)
    low, high, weight = _neighbours(x, axes, q, method)
    if method in _DISCRETE:
        levels = low
    else:
        kind = x.dtype if type(q) in (int, float) else np.asarray(q).dtype
        levels = _between(low, high, weight.astype(kind if kind.kind == "f" else np.float64))
    turned = transpose(levels, (levels.ndim - 1, *range(levels.ndim - 1)))
    return reshape(turned, (*np.shape(q), *reduced_shape(x.shape, axes, keepdims=keepdims)))


_DISCRETE = ("lower", "higher", "nearest", "inverted_cdf", "closest_observation")


@public(np.percentile)
def percentile(
    x: Any,
    q: Any,
    /,
    axis: Any = None,
    *,
    method: str = "linear",
    keepdims: bool = False,
    overwrite_input: bool = False,
) -> Any:
    """``quantile`` with levels from 0 to 100.

    >>> import autograd_lite as ag
    >>> ag.percentile(ag.tensor([1.0, 2.0, 3.0]), 50)
    Tensor(2.)
    """
    x = as_array(x)
    q = _levels(q)
    own = type(q) in (int, float) and x.dtype.kind == "f"
    level = np.true_divide(q, x.dtype.type(100) if own else 100)
    return quantile(x, level, axis, method=method, keepdims=keepdims)


@public(np.median)
def median(
    x: Any, /, axis: Any = None, *, keepdims: bool = False, overwrite_input: bool = False
) -> Any:
    """The middle element, or the mean of the two middle ones.

    >>> import autograd_lite as ag
    >>> ag.median(ag.tensor([3.0, 1.0, 2.0]))
    Tensor(2.)
    """
    x = as_array(x)
    axes = normalize_axes(axis, x.ndim)
    low, high, _ = _neighbours(x, axes, 0.5, "midpoint")
    shape = reduced_shape(x.shape, axes, keepdims=keepdims)
    return reshape(low / 1 if low is high else (low + high) / 2, shape)


# searching and counting: constants


_searchsorted = nondifferentiable(
    "_searchsorted", lambda x1, x2, *, side: np.searchsorted(x1, x2, side), symbol="search"
)


@public(np.searchsorted)
def searchsorted(x1: Any, x2: Any, /, side: str = "left", sorter: Any = None) -> Any:
    """Where in the sorted ``x1`` each of ``x2`` would be put in to keep it sorted; a constant.

    >>> import autograd_lite as ag
    >>> ag.searchsorted(ag.tensor([1.0, 2.0, 3.0]), 2.5)
    Tensor(2)
    """
    x1 = x1 if sorter is None else take(x1, sorter)
    return _searchsorted(x1, x2, side=side)


_digitize = nondifferentiable(
    "_digitize", lambda x, bins, *, right: np.digitize(x, bins, right), symbol="digitize"
)


@public(np.digitize)
def digitize(x: Any, bins: Any, /, right: bool = False) -> Any:
    """The bin of each element; a constant.

    >>> import autograd_lite as ag
    >>> ag.digitize(ag.tensor([0.5, 1.5]), [0.0, 1.0, 2.0])
    Tensor([1, 2])
    """
    return _digitize(x, bins, right=right)


_nonzero = nondifferentiable("_nonzero", lambda x: tuple(np.nonzero(x)), symbol="nonzero")


@public(np.nonzero)
def nonzero(x: Any, /) -> Any:
    """For each axis the positions of the elements that are not zero; constants.

    >>> import autograd_lite as ag
    >>> ag.nonzero(ag.tensor([0.0, 5.0, 7.0]))
    (Tensor([1, 2]),)
    """
    if not shape_of(x):
        raise DomainError("a 0-d array has no positions", mend="np.atleast_1d(x) first")
    return _nonzero(x)


_argwhere = nondifferentiable("_argwhere", np.argwhere, symbol="argwhere")
_flatnonzero = nondifferentiable("_flatnonzero", np.flatnonzero, symbol="nonzero")


@public(np.argwhere)
def argwhere(x: Any, /) -> Any:
    """The positions of the elements that are not zero, a row for each; a constant.

    >>> import autograd_lite as ag
    >>> ag.argwhere(ag.tensor([0.0, 5.0, 7.0]))
    Tensor([[1],
            [2]])
    """
    return _argwhere(x)


@public(np.flatnonzero)
def flatnonzero(x: Any, /) -> Any:
    """The positions in the flattened array of the elements that are not zero; a constant.

    >>> import autograd_lite as ag
    >>> ag.flatnonzero(ag.tensor([0.0, 5.0, 7.0]))
    Tensor([1, 2])
    """
    return _flatnonzero(x)


def _counting(name: str, forward: Any, doc: str) -> Any:
    """A function of one array with ``axis`` and ``keepdims`` whose results are constants."""
    op = nondifferentiable(
        f"_{name}", lambda x, *, axis, keepdims: forward(x, axis=axis, keepdims=keepdims),
        symbol=name,
    )  # fmt: skip

    def count(x: Any, /, axis: Any = None, *, keepdims: bool = False) -> Any:
        return op(x, axis=_axes(x, axis), keepdims=bool(keepdims))

    count.__name__ = count.__qualname__ = name
    count.__doc__ = doc
    return public(forward)(count)


all = _counting("all", np.all, "Whether all elements (along the axes) are true; a constant.")
any = _counting("any", np.any, "Whether any element (along the axes) is true; a constant.")
count_nonzero = _counting(
    "count_nonzero", np.count_nonzero, "How many elements (along the axes) are not 0; a constant."
)

# sets: constants by rule


class UniqueAll(NamedTuple):
    """What ``unique_all`` gives."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What ``unique_counts`` gives."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What ``unique_inverse`` gives."""

    values: Any
    inverse_indices: Any


_unique_all = nondifferentiable(
    "_unique_all", lambda x: tuple(np.unique_all(np.asarray(x))), symbol="unique"
)
unique_values = nondifferentiable(
    "unique_values", lambda x: np.sort(np.unique_values(np.asarray(x))),
    numpy=[np.unique_values], doc="The distinct elements in order; each NaN is one; a constant.",
    code="np.sort(np.unique_values({0}))",
)  # fmt: skip


@public(np.unique_all)
def unique_all(x: Any, /) -> UniqueAll:
    """The distinct elements, where each is first, which one each element is, and how often.

    All are constants by rule.

    >>> import autograd_lite as ag
    >>> ag.unique_all(ag.tensor([3.0, 1.0, 3.0])).counts
    Tensor([1, 2])
    """
    return UniqueAll(*_unique_all(x))


@public(np.unique_counts)
def unique_counts(x: Any, /) -> UniqueCounts:
    """The distinct elements, and how often each occurs; constants.

    >>> import autograd_lite as ag
    >>> ag.unique_counts(ag.tensor([3.0, 1.0, 3.0])).values
    Tensor([1., 3.])
    """
    every = _unique_all(x)
    return UniqueCounts(every[0], every[3])


@public(np.unique_inverse)
def unique_inverse(x: Any, /) -> UniqueInverse:
    """The distinct elements, and which of them each element of ``x`` is; constants.

    >>> import autograd_lite as ag
    >>> ag.unique_inverse(ag.tensor([3.0, 1.0, 3.0])).inverse_indices
    Tensor([1, 0, 1])
    """
    every = _unique_all(x)
    return UniqueInverse(every[0], every[2])


_unique = nondifferentiable("_unique", np.unique)


@public(np.unique)
def unique(
    x: Any,
    /,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
) -> Any:
    """The distinct elements in order, and on request where and how often; constants by rule.

    >>> import autograd_lite as ag
    >>> ag.unique(ag.tensor([3.0, 1.0, 3.0]))
    Tensor([1., 3.])
    """
    return _unique(
        x,
        return_index=return_index,
        return_inverse=return_inverse,
        return_counts=return_counts,
        axis=axis,
        equal_nan=equal_nan,
    )


_signature = functools.cache(inspect.signature)


def _constant(forward: Any, doc: str, arrays: int = 2) -> Any:
    """NumPy's function of that name, on tensors: a constant. Its keywords are NumPy's."""
    name = forward.__name__
    op = nondifferentiable(f"_{name}", forward, symbol=name, array_names=("x1", "x2")[:arrays])

    def function(*args: Any, **keywords: Any) -> Any:
        given = _signature(forward).bind(*args, **keywords).arguments
        names = list(given)
        return op(*(given[key] for key in names[:arrays]), **{k: given[k] for k in names[arrays:]})

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc + "; a constant."
    function.__wrapped__ = forward  # type: ignore[attr-defined]  # its signature is ours
    function.op = op.op  # type: ignore[attr-defined]  # tells that it is a constant
    return public(forward)(function)


isclose = _constant(np.isclose, "Whether each pair is equal within tolerances")
allclose = _constant(np.allclose, "Whether all pairs are equal within tolerances")
array_equal = _constant(np.array_equal, "Whether both have one shape and equal elements")
array_equiv = _constant(np.array_equiv, "Whether both broadcast to equal elements")
isin = _constant(np.isin, "Whether each element is among those of the second array")
intersect1d = _constant(np.intersect1d, "The distinct elements that are in both arrays")
setdiff1d = _constant(np.setdiff1d, "The distinct elements of the first that are not in the second")
setxor1d = _constant(np.setxor1d, "The distinct elements that are in one of both arrays alone")
union1d = _constant(np.union1d, "The distinct elements of both arrays")
unravel_index = _constant(np.unravel_index, "Flat positions as one position for each axis", 1)
packbits = _constant(np.packbits, "Bits packed into bytes", 1)
unpackbits = _constant(np.unpackbits, "The bits of bytes", 1)
