"""Picking elements by arrays of positions along an axis, and the gradient's way back.

``take`` (the same positions everywhere), ``take_along_axis`` (positions for each place), and what
is made of them. Ways back are sums over positions, linear in size: no one-hot arrays. Imports
errors, rules, shapes, NumPy, and the pointwise and shaping operators.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import (
    AutogradError,
    DomainError,
    DTypeError,
    IndexingError,
    ShapeError,
)
from autograd_lite.ops import plain
from autograd_lite.ops.indexing import FEW, add_rows
from autograd_lite.ops.pointwise import where
from autograd_lite.ops.shaping import (
    as_array,
    astype,
    broadcast_to,
    concat,
    ravel,
    reshape,
    shape_of,
    stack,
)
from autograd_lite.ops.special import clip, remainder
from autograd_lite.rules import by_values, linear, nondifferentiable, public
from autograd_lite.shapes import Shape, broadcast_shapes, normalize_axis
from autograd_lite.tensors import plain_value


def positions(indices: Any, kind: type[AutogradError] = IndexingError) -> Any:
    """Positions as integers, held against their dtype; an empty list is one of integers."""
    array = indices if hasattr(indices, "dtype") else np.asarray(indices)
    if array.dtype.kind not in "iu":
        if array.size or array.dtype.kind != "f":
            raise kind(
                f"positions of dtype {array.dtype}", mend="they are integers; t[mask] takes a mask"
            )
        return np.zeros(array.shape, np.intp)
    return array


def _summed(flat: Any, g: Any, size: int) -> Any:
    """An array of ``size`` elements in which every g has been added at its position."""
    g = np.ravel(g)
    if g.dtype.kind == "f" and g.dtype.itemsize <= 8:
        return np.bincount(np.ravel(flat), g, size).astype(g.dtype)
    total = np.zeros(size, g.dtype)
    np.add.at(total, np.ravel(flat), g)
    return total


def _wrapped(indices: Any, size: int) -> Any:
    """Positions from the start: negative ones count from the end."""
    indices = np.asarray(indices).astype(np.intp)
    return np.where(indices < 0, indices + size, indices)


def _some_places(call: Any, x: Any) -> Any:
    """A probe: positions of which some occur twice."""
    return call(x, np.array([0, 2, 0, -2]))


def _two_places(call: Any, x: Any, *values: Any) -> Any:
    """A probe: the first two positions along the axis, in turn."""
    places = (np.arange(math.prod(x.shape)) // 2 % 2).reshape(x.shape)
    return call(x, places, *values)


def _taken(x: Any, indices: Any, *, axis: int) -> Any:
    return np.take(x, indices, axis=axis)


def _given_back(g: Any, indices: Any, *, axis: int, shape: Shape) -> Any:
    wanted = (*shape[:axis], *np.shape(indices), *shape[axis + 1 :])
    if np.shape(g) != wanted:
        raise ShapeError(f"a gradient of shape {np.shape(g)} for indices of {np.shape(indices)}")
    total = np.zeros(shape, np.asarray(g).dtype)
    _add_taken(total, g, total, indices, axis=axis)
    return total


def _add_taken(total: Any, g: Any, x: Any, indices: Any, *, axis: int) -> None:
    if np.size(g) < FEW or not total.flags.c_contiguous:
        places: Any = (*[slice(None)] * axis, np.asarray(indices))
        np.add.at(total, places, g)
        return
    size, before = total.shape[axis], math.prod(total.shape[:axis])
    rows = np.arange(before)[:, None] * size + _wrapped(indices, size).reshape(1, -1)
    add_rows(total.reshape(-1), math.prod(total.shape[axis + 1 :]), rows, g)


_take = linear(
    "take", _taken, lambda g, x, indices, *, axis: _untake(g, indices, axis=axis, shape=x.shape),
    None, symbol="take", text="take({0}, …)", local=["ΣG at its positions", "no derivative"],
    array_names=("x", "indices"),
    samples=[(((3, 2),), {"axis": 0}), (((2, 3, 2),), {"axis": 1})], probe=_some_places,
    adds=_add_taken,
    code="np.take",
)  # fmt: skip
_untake = linear(
    "untake", _given_back,
    lambda g, x, indices, *, axis, shape: _take(g, indices, axis=axis), None,
    plain=plain.untake,
    symbol="takeᵀ", local=["G at the positions", "no derivative"], array_names=("x", "indices"),
    samples=[(((4, 2),), {"axis": 0, "shape": (3, 2)}), (((4, 3),), {"axis": 0, "shape": (3, 3)})],
    probe=_some_places, doc="Gradients added up where ``take`` took elements from.",
)  # fmt: skip


def _along(x: Any, indices: Any, *, axis: int, once: bool) -> Any:
    return np.take_along_axis(x, np.asarray(indices).astype(np.intp, copy=False), axis)


def _back_along(g: Any, indices: Any, *, axis: int, shape: Shape, once: bool) -> Any:
    size, others = shape[axis], shape[:axis] + shape[axis + 1 :]
    indices = _wrapped(indices, size)
    places = np.broadcast_shapes(indices.shape[:axis] + indices.shape[axis + 1 :], others)
    if once or (indices.shape[axis] == 1 and places == others):  # each place has one of its own
        total = np.zeros(shape, np.asarray(g).dtype)
        np.put_along_axis(total, indices, g, axis)
        return total
    offsets = np.arange(math.prod(places)).reshape(*places[:axis], 1, *places[axis:])
    flat = offsets * size + np.broadcast_to(
        indices, (*places[:axis], indices.shape[axis], *places[axis:])
    )
    total = _summed(flat, np.broadcast_to(g, flat.shape), size * math.prod(places))
    return np.moveaxis(total.reshape(*places, size), -1, axis)


_take_along = linear(
    "take_along_axis", _along,
    lambda g, x, indices, *, axis, once:
        _untake_along(g, indices, axis=axis, shape=x.shape, once=once),
    None, symbol="take", text="take({0}, …)", local=["ΣG at its positions", "no derivative"],
    array_names=("x", "indices"),
    samples=[(((3, 2),), {"axis": 0, "once": False}), (((2, 3),), {"axis": 1, "once": False})],
    probe=_two_places, code="np.take_along_axis({0}, {1}, {axis})",
)  # fmt: skip
_untake_along = linear(
    "untake_along_axis", _back_along,
    lambda g, x, indices, *, axis, shape, once: _take_along(g, indices, axis=axis, once=once), None,
    plain=plain.untake_along_axis,
    symbol="takeᵀ", local=["G at the positions", "no derivative"], array_names=("x", "indices"),
    samples=[(((4, 2),), {"axis": 0, "shape": (3, 2), "once": False}),
             (((2, 4),), {"axis": 1, "shape": (2, 3), "once": False})],
    probe=_two_places, doc="Gradients added up where ``take_along_axis`` took elements from.",
)  # fmt: skip


def _within(x: Any, *, size: int, texts: tuple[str, str], ignore: int | None) -> Any:
    known = np.asarray(x)
    known = (known if ignore is None else np.where(known == ignore, 0, known)).astype(np.intp)
    if not known.size or known.view(np.uintp).max() < size:  # a negative one is very large there
        return known
    what, whole = texts
    raise IndexingError(
        f"{what} from {known.min()} to {known.max()} {whole}",
        mend=f"they run from 0 to {size - 1}",
    )


within = nondifferentiable(
    "_within", _within, symbol="∈", text="{0}",
    code=lambda x, *, size, texts, ignore:
        x if ignore is None else f"np.where({x} == {ignore}, 0, {x})",
    doc="Integers as positions from 0 to size − 1, others refused; 0 in place of ``ignore``.",
)  # fmt: skip


def pick(x: Any, indices: Any, axis: int) -> Any:
    """``take_along_axis`` for positions that name no element twice."""
    return _take_along(x, indices, axis=axis, once=True)


@public(np.take)
def take(x: Any, /, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    """The elements at these positions along an axis; without ``axis`` of the flattened array.

    ``mode``: "raise" for positions out of bounds, "wrap" or "clip". An element that is taken
    twice gets the sum of both gradients.

    >>> import autograd_lite as ag
    >>> ag.take(ag.tensor([1.0, 2.0, 3.0]), [2, 0, 0])
    Tensor([3., 1., 1.])
    """
    if axis is None:
        x, axis = ravel(x), 0
    shape = shape_of(x)
    axis = normalize_axis(axis, len(shape))
    indices = positions(indices)
    if mode == "wrap":
        indices = remainder(indices, shape[axis])
    elif mode == "clip":
        indices = clip(indices, 0, shape[axis] - 1)
    elif mode != "raise":
        raise DomainError(f"mode={mode!r}", mend='"raise", "wrap" or "clip"')
    return _take(x, indices, axis=axis)


@public(np.take_along_axis)
def take_along_axis(x: Any, /, indices: Any, axis: int | None = -1) -> Any:
    """For every place the element at its own position along the axis; as ``argsort`` gives them.

    >>> import autograd_lite as ag
    >>> ag.take_along_axis(ag.tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], axis=1)
    Tensor([[2.],
            [3.]])
    """
    if axis is None:
        x, axis = ravel(x), 0
    return _take_along(
        x, positions(indices), axis=normalize_axis(axis, len(shape_of(x))), once=False
    )


def _put(x: Any, indices: Any, values: Any, *, axis: int) -> Any:
    result = np.array(x, np.result_type(x, values) if np.asarray(x).dtype.kind != "f" else None)
    np.put_along_axis(result, np.asarray(indices).astype(np.intp, copy=False), values, axis)
    return result


def _last(indices: Any, *, axis: int, shape: Shape, values: Shape) -> Any:
    """For each write whether it is the one that stays."""
    indices = np.asarray(indices).astype(np.intp, copy=False)
    whole = np.broadcast_shapes(indices.shape, (*shape[:axis], 1, *shape[axis + 1 :]))
    indices = np.broadcast_to(indices, whole)
    order = np.full(shape, -1, np.intp)
    writes = np.arange(indices.size).reshape(whole)
    np.put_along_axis(order, indices, writes, axis)
    return np.take_along_axis(order, indices, axis) == writes


_stays = nondifferentiable("_stays_along_axis", _last)


def _pull_put(g: Any, x: Any, indices: Any, values: Any, *, axis: int) -> Any:
    stays = _stays(indices, axis=axis, shape=x.shape, values=values.shape)
    return where(stays, _take_along(g, indices, axis=axis, once=False), 0)


_put_along = linear(
    "put_along_axis", _put,
    lambda g, x, indices, values, *, axis: _put_along(g, indices, 0, axis=axis), None, _pull_put,
    symbol="put", local=["G, 0 at the positions", "no derivative", "G at the positions"],
    array_names=("x", "indices", "values"),
    samples=[(((3, 2), (3, 2)), {"axis": 0}), (((2, 3), ()), {"axis": 1})], probe=_two_places,
)  # fmt: skip


@public()
def put_along_axis(x: Any, /, indices: Any, values: Any, axis: int | None) -> Any:
    """A copy of ``x`` in which the elements at these positions along the axis are ``values``.

    NumPy's function of that name changes its argument; a tensor never changes. Where a position
    occurs twice the last value stays, and alone gets the gradient.

    >>> import autograd_lite as ag
    >>> ag.put_along_axis(ag.tensor([[1.0, 2.0]]), [[1]], 9.0, axis=1)
    Tensor([[1., 9.]])
    """
    shape = shape_of(x)
    if axis is None:
        return reshape(put_along_axis(ravel(x), indices, values, axis=0), shape)
    return _put_along(x, positions(indices), values, axis=normalize_axis(axis, len(shape)))


# choosing among arrays


@public(np.compress)
def compress(condition: Any, x: Any, /, axis: int | None = None) -> Any:
    """The slices along the axis at which the condition holds.

    >>> import autograd_lite as ag
    >>> ag.compress([True, False, True], ag.tensor([1.0, 2.0, 3.0]))
    Tensor([1., 3.])
    """
    if len(shape_of(condition)) != 1:
        raise ShapeError(
            f"a condition of shape {shape_of(condition)}",
            mend="it has one axis; t[mask] takes more",
        )
    return take(x, _true(condition), axis=axis)


_true = nondifferentiable("_true", np.flatnonzero, sized=by_values)


@public(np.extract)
def extract(condition: Any, x: Any, /) -> Any:
    """The elements at which the condition holds, in one axis.

    >>> import autograd_lite as ag
    >>> ag.extract([[True, False]], ag.tensor([[1.0, 2.0]]))
    Tensor([1.])
    """
    return take(ravel(x), _true(condition))


@public(np.select)
def select(condlist: Sequence[Any], /, choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element the choice of the first condition that holds, else ``default``.

    >>> import autograd_lite as ag
    >>> x = ag.tensor([1.0, 2.0, 3.0])
    >>> ag.select([x < 2, x < 3], [-x, x * 10])
    Tensor([-1., 20.,  0.])
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise DomainError(
            f"{len(condlist)} conditions for {len(choicelist)} choices", mend="one for each"
        )
    kind = np.result_type(*(c.dtype if hasattr(c, "dtype") else np.min_scalar_type(c)
                            if np.ndim(c) else c for c in (*choicelist, default)))  # fmt: skip
    result: Any = default if hasattr(default, "dtype") else kind.type(default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@public(np.choose)
def choose(x: Any, /, choices: Any, *, mode: str = "raise") -> Any:
    """For each element of ``x`` (integers) the element of that one of the choices.

    >>> import autograd_lite as ag
    >>> ag.choose([1, 0], [ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0])])
    Tensor([3., 2.])
    """
    x = positions(x)
    several = [as_array(choice) for choice in choices]
    shape = broadcast_shapes(x.shape, *(choice.shape for choice in several))
    table = stack([broadcast_to(choice, shape) for choice in several])
    x = broadcast_to(x, shape)
    if mode == "wrap":
        x = remainder(x, len(several))
    elif mode == "clip":
        x = clip(x, 0, len(several) - 1)
    elif mode != "raise":
        raise DomainError(f"mode={mode!r}", mend='"raise", "wrap" or "clip"')
    elif np.any((plain_value(x) < 0) | (plain_value(x) >= len(several))):
        raise DomainError(
            f"a position out of bounds among {len(several)} choices",
            mend=f'they run from 0 to {len(several) - 1}; mode="wrap" or "clip" takes others',
        )
    return reshape(_take_along(table, reshape(x, (1, *shape)), axis=0, once=True), shape)


# counting

_bincount = nondifferentiable(
    "_bincount",
    lambda x, *, minlength: np.bincount(x, minlength=minlength),
    symbol="count",
    sized=by_values,
)


@public(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number from 0 on stands in ``x``; with ``weights`` the sum of its weights.

    Counts are constants; sums carry the gradient of the weights.

    >>> import autograd_lite as ag
    >>> ag.bincount([0, 2, 2], weights=ag.tensor([1.0, 2.0, 3.0]))
    Tensor([1., 0., 5.])
    """
    x = positions(x, DTypeError)
    if weights is None:
        return _bincount(x, minlength=minlength)
    size = shape_of(_bincount(x, minlength=minlength))
    return _untake(astype(weights, np.float64), x, axis=0, shape=size)


# leaving out and putting in


@public(np.append)
def append(x: Any, /, values: Any, axis: int | None = None) -> Any:
    """The values joined to the end of ``x``; without ``axis`` both flattened.

    >>> import autograd_lite as ag
    >>> ag.append(ag.tensor([1.0]), 2.0)
    Tensor([1., 2.])
    """
    return concat([as_array(x), as_array(values)], axis=axis)


@public(np.delete)
def delete(x: Any, /, obj: Any, axis: int | None = None) -> Any:
    """``x`` without the slices that ``obj`` names along the axis.

    >>> import autograd_lite as ag
    >>> ag.delete(ag.tensor([1.0, 2.0, 3.0]), 1)
    Tensor([1., 3.])
    """
    if axis is None:
        x, axis = ravel(x), 0
    shape = shape_of(x)
    axis = normalize_axis(axis, len(shape))
    return _take(x, np.delete(np.arange(shape[axis]), obj), axis=axis)


@public(np.insert)
def insert(x: Any, /, obj: Any, values: Any, axis: int | None = None) -> Any:
    """``x`` with values put in before the positions that ``obj`` names along the axis.

    >>> import autograd_lite as ag
    >>> ag.insert(ag.tensor([1.0, 2.0]), 1, 9.0)
    Tensor([1., 9., 2.])
    """
    if axis is None:
        x, axis = ravel(x), 0
    shape = shape_of(x)
    axis = normalize_axis(axis, len(shape))
    values = as_array(values)
    single = np.ndim(obj) == 0 and not isinstance(obj, slice)
    if single and values.ndim:  # NumPy: the first axis of the values is the one that is put in
        values = reshape(values, (1,) * (len(shape) - values.ndim) + values.shape)
        order = [*range(1, axis + 1), 0, *range(axis + 1, len(shape))]
        values = reshape(values, values.shape) if axis == 0 else values.transpose(*order)
    rest = (*shape[:axis], 1, *shape[axis + 1 :])
    old = np.arange(shape[axis])
    if single:
        wide = broadcast_shapes(values.shape, rest)
        places = np.insert(old, [obj] * wide[axis], shape[axis] + np.arange(wide[axis]))
    else:
        count = len(np.insert(old, obj, 0)) - len(old)
        wide = (*shape[:axis], count, *shape[axis + 1 :])
        places = np.insert(old, obj, shape[axis] + np.arange(count))
    kind = x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype
    new = broadcast_to(values if values.dtype == kind else values.astype(kind), wide)
    return _take(concat([x, new], axis=axis), places, axis=axis)


@public(np.resize)
def resize(x: Any, /, new_shape: Any) -> Any:
    """The elements in another shape, from the start again where they are too few.

    >>> import autograd_lite as ag
    >>> ag.resize(ag.tensor([1.0, 2.0]), (2, 2))
    Tensor([[1., 2.],
            [1., 2.]])
    """
    return take(ravel(x), np.resize(np.arange(math.prod(shape_of(x))), new_shape))
