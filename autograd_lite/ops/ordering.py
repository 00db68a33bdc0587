"""Sorting, sets, searching and counting: sort, argsort, unique values, positions, histograms.

A sorted array is its elements at the positions that ``argsort`` gives: positions are constants,
elements carry the gradient, so the way back is one pass. Equal elements stay in order. Imports
errors, rules, shapes, NumPy, and the operators that these are made of.
"""

import functools
import inspect
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.errors import DomainError, ShapeError, UnsupportedError
from autograd_lite.ops.gathering import bincount, pick, take
from autograd_lite.ops.reductions import _axes, only
from autograd_lite.ops.shaping import as_array, astype, ravel, shape_of
from autograd_lite.rules import by_values, nondifferentiable, public
from autograd_lite.shapes import normalize_axis


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
    axis = axis if axis is None else normalize_axis(axis, len(shape_of(x)))
    return _argmin(x, axis=axis, keepdims=bool(keepdims))


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
def digitize(x: Any, /, bins: Any, right: bool = False) -> Any:
    """The bin of each element; a constant.

    >>> import autograd_lite as ag
    >>> ag.digitize(ag.tensor([0.5, 1.5]), [0.0, 1.0, 2.0])
    Tensor([1, 2])
    """
    return _digitize(x, bins, right=right)


_histogram = nondifferentiable(
    "_histogram",
    lambda x, bins, *, range, density: np.histogram(x, bins, range=range, density=density),
    symbol="histogram",
)  # fmt: skip
_edges = nondifferentiable(
    "_bin_edges", lambda x, bins, *, range: np.histogram_bin_edges(x, bins, range), symbol="edges"
)


def _bin_forward(x: Any, edges: Any) -> Any:
    """The bin of each element, the last one closed; one more for those outside."""
    x, last = np.ravel(x), len(edges) - 1
    found = np.where(x == edges[-1], last - 1, np.searchsorted(edges, x, "right") - 1)
    return np.where((x >= edges[0]) & (x <= edges[-1]), found, last)


_bin_of = nondifferentiable("_bin_of", _bin_forward, symbol="bins")


@public(np.histogram_bin_edges)
def histogram_bin_edges(x: Any, /, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins of a histogram; constants.

    >>> import autograd_lite as ag
    >>> ag.histogram_bin_edges(ag.tensor([0.0, 1.0]), 2)
    Tensor([0. , 0.5, 1. ])
    """
    return _edges(x, bins, range=range)


@public(np.histogram)
def histogram(
    x: Any, /, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """How many elements are in each bin, and the edges of the bins.

    Counts and edges are constants by rule, whatever ``x`` is; of ``weights`` the sums in each bin
    have a derivative.

    >>> import autograd_lite as ag
    >>> ag.histogram([0.0, 0.2, 1.0], 2, weights=ag.tensor([1.0, 2.0, 4.0]))[0]
    Tensor([3., 4.])
    """
    if weights is None:
        return _histogram(x, bins, range=range, density=density)
    edges = _edges(x, bins, range=range)
    if shape_of(weights) != shape_of(x):
        raise ShapeError(
            f"weights of shape {shape_of(weights)} for an array of {shape_of(x)}",
            mend="one weight for each element",
        )
    count = shape_of(edges)[0] - 1
    sums = bincount(_bin_of(x, edges), ravel(weights), minlength=count + 1)[:count]
    sums = astype(sums, as_array(weights).dtype)
    return (sums / np.diff(edges) / sums.sum() if density else sums), edges


_nonzero = nondifferentiable(
    "_nonzero", lambda x: tuple(np.nonzero(x)), symbol="nonzero", sized=by_values
)


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


_argwhere = nondifferentiable("_argwhere", np.argwhere, symbol="argwhere", sized=by_values)
_flatnonzero = nondifferentiable("_flatnonzero", np.flatnonzero, symbol="nonzero", sized=by_values)


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


def _counting(name: str, forward: Any, neutral: bool, doc: str) -> Any:
    """A function of one array with ``axis`` and ``keepdims`` whose results are constants."""
    op = nondifferentiable(
        f"_{name}", lambda x, *, axis, keepdims: forward(x, axis=axis, keepdims=keepdims),
        symbol=name,
    )  # fmt: skip

    def count(x: Any, /, axis: Any = None, *, keepdims: bool = False, where: Any = True) -> Any:
        x = x if where is True else only(x, where, neutral)
        return op(x, axis=_axes(x, axis), keepdims=bool(keepdims))

    count.__name__ = count.__qualname__ = name
    count.__doc__ = doc
    return public(forward)(count)


all = _counting("all", np.all, True, "Whether all elements (along the axes) are true; a constant.")
any = _counting("any", np.any, False, "Whether any element (along the axes) is true; a constant.")
count_nonzero = _counting(
    "count_nonzero", np.count_nonzero, False,
    "How many elements (along the axes) are not 0; a constant.",
)  # fmt: skip

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
    "_unique_all",
    lambda x: tuple(np.unique_all(np.asarray(x))),
    symbol="unique",
    sized=by_values,
)
unique_values = nondifferentiable(
    "unique_values", lambda x: np.sort(np.unique_values(np.asarray(x))),
    numpy=[np.unique_values], doc="The distinct elements in order; each NaN is one; a constant.",
    code="np.sort(np.unique_values({0}))", sized=by_values,
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


_unique = nondifferentiable("_unique", np.unique, sized=by_values)


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


def _numpys(result: Any) -> Any:
    """A result as NumPy's own kind: some of these functions give Python's bool."""
    return np.bool_(result) if isinstance(result, bool) else result


def _constant(forward: Any, doc: str, arrays: int = 2, **facts: Any) -> Any:
    """NumPy's function of that name, on tensors: a constant. Its keywords are NumPy's."""
    name = forward.__name__
    op = nondifferentiable(
        f"_{name}", lambda *xs, **params: _numpys(forward(*xs, **params)), symbol=name,
        array_names=("x1", "x2")[:arrays], **facts,
    )  # fmt: skip

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
intersect1d = _constant(
    np.intersect1d, "The distinct elements that are in both arrays", sized=by_values
)
setdiff1d = _constant(
    np.setdiff1d, "The distinct elements of the first that are not in the second", sized=by_values
)
setxor1d = _constant(
    np.setxor1d, "The distinct elements that are in one of both arrays alone", sized=by_values
)
union1d = _constant(np.union1d, "The distinct elements of both arrays", sized=by_values)
unravel_index = _constant(np.unravel_index, "Flat positions as one position for each axis", 1)
packbits = _constant(np.packbits, "Bits packed into bytes", 1)
unpackbits = _constant(np.unpackbits, "The bits of bytes", 1)
