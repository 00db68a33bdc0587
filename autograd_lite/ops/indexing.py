"""Reading and updating by index: slices, integers, None, Ellipsis, integer and boolean arrays.

Knows NumPy's indexing and its adjoint. Imports rules, recording and NumPy.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.errors import IndexingError
from autograd_lite.notation import literal, subscript
from autograd_lite.ops import plain
from autograd_lite.ops.pointwise import where
from autograd_lite.recording import apply, unary
from autograd_lite.rules import linear, nondifferentiable, public, variadic_linear
from autograd_lite.tensors import Tensor

Index = tuple[Any, ...]


class Hole(NamedTuple):
    """The place in an index of an array that is an input of the node."""

    position: int


def _split(index: Any) -> tuple[Index, list[Tensor]]:
    """An index as static parts and the traced tensors in it, for which holes stand."""
    parts = index if isinstance(index, tuple) else (index,)
    if _SIMPLE.issuperset(map(type, parts)):  # most often
        return parts, []
    static: list[Any] = []
    traced: list[Tensor] = []
    for part in parts:
        if isinstance(part, Tensor) and part.tracked:
            static.append(Hole(len(traced)))
            traced.append(part)
        else:
            static.append(_static(part))
    return tuple(static), traced


_SIMPLE = frozenset({int, slice, type(None), type(Ellipsis), np.int64})


def _static(part: Any) -> Any:
    if part is None or part is Ellipsis or isinstance(part, (int, slice, np.integer)):
        return part
    array = np.array(part)
    if array.size == 0 and isinstance(part, list):
        array = array.astype(np.intp)
    if array.dtype.kind not in "bui":
        raise IndexingError(
            f"an index of dtype {array.dtype}",
            mend="an index is integers, slices, None, ..., or arrays of int or bool",
        )
    return array


def _filled(index: Index, arrays: Sequence[Any]) -> Index:
    return tuple(arrays[part.position] if isinstance(part, Hole) else part for part in index)


def _repeats(index: Index) -> bool:
    """Whether an element may be read twice: only arrays of integers can do that."""
    return any(isinstance(one, np.ndarray | Tensor) and one.dtype.kind != "b" for one in index)


def _read(x: Any, *arrays: Any, index: Index) -> Any:
    return x[_filled(index, arrays) if arrays else index]


def _scattered(g: Any, *arrays: Any, index: Index, shape: tuple[int, ...]) -> Any:
    total = np.zeros(shape, np.asarray(g).dtype)
    index = _filled(index, arrays) if arrays else index
    if _repeats(index):
        _add_repeated(total, index, g)
    else:
        total[index] = g
    return total


def _add_read(total: Any, g: Any, x: Any, *arrays: Any, index: Index) -> None:
    index = _filled(index, arrays) if arrays else index
    if _repeats(index):
        _add_repeated(total, index, g)
    else:
        total[index] += g


def _add_repeated(total: Any, index: Index, g: Any) -> None:
    """``np.add.at``, for many values by flat positions, which NumPy adds quickest."""
    if np.size(g) < FEW or not total.flags.c_contiguous:
        np.add.at(total, index, g)
        return
    places = list(index)
    while places[-1] is Ellipsis or _is_whole(places[-1]):
        places.pop()
    count = len(places)
    if all(isinstance(part, (int, np.integer)) or _is_integers(part) for part in places):
        rows = np.ravel_multi_index(_from_start(places, total.shape), total.shape[:count])
        add_rows(total.reshape(-1), math.prod(total.shape[count:]), rows, g)
    elif 4 * np.size(g) > total.size:
        every = np.arange(total.size).reshape(total.shape)
        add_rows(total.reshape(-1), 1, every[index], g)
    else:
        np.add.at(total, index, g)


def _is_whole(part: Any) -> bool:
    return isinstance(part, slice) and part == slice(None)


def _is_integers(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.kind in "iu"


def _from_start(places: Sequence[Any], shape: Sequence[int]) -> tuple[Any, ...]:
    """Positions counted from the start, where negative ones count from the end."""
    return tuple(
        np.where(np.less(part, 0), np.add(part, n), part).astype(np.intp)
        for part, n in zip(places, shape)
    )


FEW = 256  # values up to which no preparation pays
_BLOCK = 1 << 16  # positions that are made at once


def add_rows(flat: Any, width: int, rows: Any, values: Any) -> None:
    """Add values to rows of ``width`` elements each, in place; a row may occur twice.

    Linear in the values.
    """
    rows, values = rows.reshape(-1, 1), np.reshape(values, (rows.size, width))
    step, columns = max(1, _BLOCK // max(1, width)), np.arange(width)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        np.add.at(flat, (rows[part] * width + columns).reshape(-1), values[part].reshape(-1))


def _read_code(x: str, *arrays: str, index: Index) -> str:
    return f"{x}[{subscript(_filled(index, arrays))}]"


def _scatter_code(x: str, *arrays: str, index: Index, shape: Index) -> str:
    return f"scatter({x}, np.s_[{subscript(_filled(index, arrays))}], {literal(shape)})"


_getitem = linear(
    "getitem", _read,
    lambda g, x, *arrays, index: _scatter(g, *arrays, index=index, shape=x.shape),
    further=True, symbol="[ ]", text="{0}[…]", local=["G placed at [index]"], code=_read_code,
    adds=_add_read, sized=lambda x, *arrays: any(a.dtype == np.bool_ for a in arrays),
    samples=[
        (((2, 3),), {"index": (0,)}), (((2, 3),), {"index": (slice(None), 1)}),
        (((4,),), {"index": (slice(None, None, -2),)}), (((3,),), {"index": (None, Ellipsis)}),
        (((4, 2),), {"index": (np.array([0, 2, 0]),)}),
        (((2, 2),), {"index": (np.array([[True, False], [True, True]]),)}),
        (((3, 4),), {"index": (np.array([0, 1, 1]), np.array([3, 0, 0]))}),
    ],
)  # fmt: skip
_scatter = linear(
    "scatter", _scattered,
    lambda g, x, *arrays, index, shape: apply(_getitem.op, (g, *arrays), {"index": index}),
    further=True, doc="Zeros with x added at the index: the adjoint of reading.",
    plain=plain.scatter, code=_scatter_code, symbol="[ ]ᵀ", text="scatter({0})", local=["G[index]"],
    samples=[
        (((3,),), {"index": (slice(None), 1), "shape": (3, 2)}),
        (((3,),), {"index": (np.array([0, 2, 0]),), "shape": (4,)}),
    ],
)  # fmt: skip


@public()
def getitem(x: Any, index: Any, /) -> Any:
    """``x[index]`` with everything that NumPy takes: slices, integers, None, ..., arrays, masks.

    The gradient of an element that is read twice is the sum.

    >>> import autograd_lite as ag
    >>> ag.tensor([1.0, 2.0, 3.0])[[0, 0, 2]]
    Tensor([1., 1., 3.])
    """
    static, traced = _split(index)
    if not traced:
        return read_static(x, index=static)
    return apply(_getitem.op, (x, *traced), {"index": static})


read_static = unary(_getitem.op)


def _updated(t: Any, value: Any) -> Any:
    """A copy of ``t`` that can hold ``value``: integers become floats if a float comes in."""
    array = np.asarray(t)
    kinds = "biufc"
    wider = kinds.index(np.asarray(value).dtype.kind) > max(kinds.index(array.dtype.kind), 2)
    return array.astype(np.result_type(array, value) if wider else array.dtype, copy=True)


def _set(t: Any, value: Any, *arrays: Any, index: Index) -> Any:
    result = _updated(t, value)
    result[_filled(index, arrays)] = value
    return result


def _stays(*arrays: Any, index: Index, shape: tuple[int, ...]) -> Any:
    """For each write of ``t[index] = value`` whether it is the one that stays."""
    index = _filled(index, arrays)
    order = np.full(shape, -1, np.intp)
    writes = np.arange(order[index].size).reshape(order[index].shape)
    order[index] = writes
    return order[index] == writes


_last_write = nondifferentiable("_last_write", _stays)


def _pull_value(g: Any, t: Any, value: Any, *arrays: Any, index: Index) -> Any:
    arriving = apply(_getitem.op, (g, *arrays), {"index": index})
    if not (_repeats(index) or _repeats(arrays)):
        return arriving
    return where(_last_write(*arrays, index=index, shape=t.shape), arriving, 0)


def _set_code(t: str, value: str, *arrays: str, index: Index) -> str:
    return f"replaced({t}, {value}, np.s_[{subscript(_filled(index, arrays))}])"


_set_op = linear(
    "set", _set,
    lambda g, t, value, *arrays, index: apply(_set_op.op, (g, 0, *arrays), {"index": index}),
    _pull_value, further=True, symbol="set", text="set({0}, …, {1})", plain=plain.replaced,
    code=_set_code,
    local=["G, 0 at [index]", "G[index]"],
    samples=[
        (((2, 3), (3,)), {"index": (1,)}), (((4,), ()), {"index": (slice(1, 3),)}),
        (((4,), (3,)), {"index": (np.array([0, 2, 0]),)}),
    ],
)  # fmt: skip


@public()
def set(t: Any, index: Any, value: Any, /) -> Any:
    """A copy of ``t`` in which the elements at ``index`` are ``value``.

    Differentiable in both: ``t`` gets no gradient where it was overwritten. Where an index occurs
    twice the last value stays, as in NumPy, and alone gets the gradient.

    >>> import autograd_lite as ag
    >>> ag.set(ag.tensor([1.0, 2.0]), 0, 9.0)
    Tensor([9., 2.])
    """
    static, traced = _split(index)
    return apply(_set_op.op, (t, value, *traced), {"index": static})


def _add_at(t: Any, value: Any, *arrays: Any, index: Index) -> Any:
    result = _updated(t, value)
    np.add.at(result, _filled(index, arrays), value)
    return result


_add_at_op = linear(
    "add_at", _add_at, lambda g, t, value, *arrays, index: g,
    lambda g, t, value, *arrays, index: apply(_getitem.op, (g, *arrays), {"index": index}),
    further=True, symbol="+=", text="add_at({0}, …, {1})", local=["G", "G[index]"],
    samples=[
        (((2, 3), (3,)), {"index": (1,)}), (((4,), (3,)), {"index": (np.array([0, 2, 0]),)}),
        (((4,), ()), {"index": (slice(1, 3),)}),
    ],
)  # fmt: skip


@public()
def add_at(t: Any, index: Any, value: Any, /) -> Any:
    """A copy of ``t`` with ``value`` added at ``index``; an index that occurs twice adds twice.

    >>> import autograd_lite as ag
    >>> ag.add_at(ag.tensor([1.0, 2.0]), [0, 0], 1.0)
    Tensor([3., 2.])
    """
    static, traced = _split(index)
    return apply(_add_at_op.op, (t, value, *traced), {"index": static})


def _assembled(base: Any, *values: Any, places: Sequence[Index]) -> Any:
    result = np.array(base, np.result_type(base, *values))
    for place, value in zip(places, values):
        result[place] = value
    return result


def _elsewhere(shape: tuple[int, ...], places: Sequence[Index]) -> Any:
    """Where none of the places is."""
    free = np.ones(shape, bool)
    for place in places:
        free[place] = False
    return free


_assemble = variadic_linear(
    "assemble", _assembled,
    lambda i, g, base, *values, places: (
        getitem(g, places[i - 1]) if i else where(_elsewhere(base.shape, places), g, 0)
    ),
    symbol="[ ]=", text="assemble({args})", local=["G, 0 at the places", "G[place]"],
    doc="A copy of an array with values at places that do not overlap.",
    samples=[
        (((2, 3), (3,), ()), {"places": [(0,), (1, 1)]}),
        (((4,), (2,)), {"places": [(slice(0, 3, 2),)]}),
        (((3,), (2,)), {"places": [(np.array([2, 0]),)]}),
    ],
)  # fmt: skip


def assemble(base: Any, values: Sequence[Any], places: Sequence[Any]) -> Any:
    """A copy of ``base`` with each of the values at its place; no two places may overlap.

    Many writes to one array as a single node: what loops that fill a buffer come to.
    """
    return apply(_assemble.op, (base, *values), {"places": list(places)})
