"""Symbols: what stands for an array while NumPy code is read instead of run.

A symbol answers as an array does, to operators, methods, indices, ufuncs and functions of NumPy,
and writes down what would be computed (``values``). So an operator needs no second declaration:
its NumPy code is read. Writing into a symbol, or into a view of it, has NumPy's meaning. What
functions of NumPy do is registered (by ``arranging``, ``computing``). Knows NumPy's protocols. Does
not know operators nor machines. Imports NumPy, and the modules of values.
"""

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd_lite.compiler.native.conversions import (
    NotReadable,
    cast,
    constant,
    in_memory,
    trimmed,
)
from autograd_lite.compiler.native.indexing import located
from autograd_lite.compiler.native.scalars import supported
from autograd_lite.compiler.native.updates import chosen, joined_sum, written
from autograd_lite.compiler.native.values import Affine, Value, Values, identity, strides_of
from autograd_lite.compiler.native.vocabulary import machine_function, neutral

__all__ = ["FUNCTIONS", "Symbol", "as_symbol", "filled", "reads", "reduction", "scan"]


FUNCTIONS: dict[Any, Callable[..., Any]] = {}
"""What functions of NumPy do on symbols."""


def reads(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: what these functions of NumPy do on symbols."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for one in functions:
            FUNCTIONS[one] = function
        return function

    return register


class Symbol:
    """Stands for an array: a value, or a view of another symbol, into which it writes through."""

    __slots__ = ("_places", "_source", "_value", "_values", "dtype", "shape", "strict")
    __hash__ = None  # type: ignore[assignment]  # == compares elements

    def __init__(self, values: Values, value: Value, *, strict: bool = False) -> None:
        self._values = values
        self._value: Value | None = value
        self._source: Symbol | None = None
        self._places: tuple[Affine, ...] | None = None
        self.shape = value.shape
        self.dtype = value.dtype
        self.strict = strict

    def _new(self, value: Value) -> "Symbol":
        return Symbol(self._values, value, strict=self.strict)

    def _seen(self, shape: Sequence[int], places: tuple[Affine, ...] | None) -> "Symbol":
        """A view: at these places, or the same elements in another shape."""
        view = Symbol.__new__(Symbol)
        view._values, view.dtype, view.strict = self._values, self.dtype, self.strict
        view._value, view._source, view._places = None, self, places
        view.shape = tuple(shape)
        return view

    @property
    def value(self) -> Value:
        """What it stands for now."""
        if self._source is None:
            assert self._value is not None
            return self._value
        if self._places is None:
            return self._values.reshape(self._source.value, self.shape)
        return self._values.view(self._source.value, self.shape, self._places)

    @value.setter
    def value(self, new: Value) -> None:
        if self._source is None:
            self._value = new
        elif self._places is None:
            self._source.value = self._values.reshape(new, self._source.shape)
        else:
            whole = self._source.value
            places = tuple(("at", *place) for place in self._places)
            self._source.value = written(self._values, whole, new, "set", places, ())

    # what arrays tell

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes between neighbours, as of an array that lies row by row."""
        return tuple(self.itemsize * step for step in strides_of(self.shape))

    @property
    def real(self) -> "Symbol":
        """Itself: there are no complex symbols."""
        return self

    @property
    def T(self) -> "Symbol":
        """The axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> "Symbol":
        """The last two axes exchanged."""
        return self.swapaxes(-1, -2)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator["Symbol"]:
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        """Operators' own conditions on data are shortcuts: what they do where one holds is right
        for all data, unless they raise (``reading``). Of anyone else's code nothing is known.
        """  # noqa: D205  # one thought
        if self.strict:
            raise NotReadable("the code asks for the truth of an array")
        if self.value in self._values.denied:
            return False
        self._values.asked.append(self.value)
        return True

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise NotReadable("the code needs the numbers themselves")

    def __float__(self) -> float:
        raise NotReadable("the code needs the number itself")

    __int__ = __index__ = __float__

    # views

    def reshape(self, *shape: Any) -> "Symbol":
        """The same elements in another shape."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        sizes = [operator.index(n) for n in ((wanted,) if isinstance(wanted, int) else wanted)]
        if -1 in sizes:
            known = math.prod(n for n in sizes if n != -1)
            sizes[sizes.index(-1)] = self.size // max(1, known)
        return self._seen(sizes, None)

    def ravel(self) -> "Symbol":
        """All elements in one axis."""
        return self.reshape(-1)

    flatten = ravel

    def transpose(self, *axes: Any) -> "Symbol":
        """The axes in another order."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        if order is None or not len(order):
            order = range(self.ndim)[::-1]
        order = tuple(normalize_axis_index(axis, self.ndim) for axis in order)
        where = {axis: i for i, axis in enumerate(order)}
        places: tuple[Affine, ...] = tuple((0, ((where[i], 1),)) for i in range(self.ndim))
        return self._seen([self.shape[axis] for axis in order], places)

    def swapaxes(self, a: int, b: int) -> "Symbol":
        """Two axes exchanged."""
        order = list(range(self.ndim))
        order[a], order[b] = order[b], order[a]
        return self.transpose(order)

    def astype(self, dtype: Any, *, copy: bool = True, **_: Any) -> "Symbol":
        """The elements in another dtype."""
        return self._new(cast(self._values, self.value, np.dtype(dtype)))

    def view(self, dtype: Any) -> "Symbol":
        """The bits as other numbers: integers of the same size alone."""
        to = np.dtype(dtype)
        if self.dtype.kind not in "iu" or to.kind not in "iu" or to.itemsize != self.itemsize:
            raise NotReadable("the code reads bits")
        return self.astype(to)

    def copy(self) -> "Symbol":
        """The value now."""
        return self._new(self.value)

    conj = copy

    def sum(self, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        """The sum over axes."""
        return reduction(self, "add", axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The largest element along axes."""
        return reduction(self, "maximum", axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """The least element along axes."""
        return reduction(self, "minimum", axis, keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Whether any holds."""
        return reduction(self.astype(bool), "logical_or", axis, keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Whether all hold."""
        return reduction(self.astype(bool), "logical_and", axis, keepdims)

    def __getitem__(self, index: Any) -> "Symbol":
        shape, places, arrays = located(self._values, self.shape, _as_values(index))
        if not arrays:
            seen = self._seen(shape, tuple(place[1:] for place in places))
            return seen.copy() if _has_arrays(index) else seen
        given = tuple(self._values.broadcast(array, shape) for array in arrays)
        found = chosen(self._values, self.value, shape, places, given)
        if found is not None:
            return self._new(found)
        args = (in_memory(self._values, self.value), *given)
        return self._new(self._values.make("gather", shape, self.dtype, args, places))

    def __setitem__(self, index: Any, value: Any) -> None:
        self.write("set", index, value)

    def write(self, how: str, index: Any, value: Any) -> None:
        """Replace (``set``) or add to (``add``) the elements at an index."""
        shape, places, arrays = located(self._values, self.shape, _as_values(index))
        values = self._values
        whole = self.value
        new = cast(values, as_symbol(values, value, self.dtype).value, self.dtype)
        new = values.broadcast(trimmed(values, new, len(shape)), shape)
        everywhere = tuple(place[1:] for place in places) == identity(shape)
        if everywhere and shape == whole.shape and not arrays and how == "set":
            self.value = new
            return
        given = tuple(values.broadcast(array, shape) for array in arrays)
        self.value = written(values, whole, new, how, places, given)

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__":
            return _applied(self, ufunc, inputs, **options)
        if method == "at" and ufunc is np.add:
            inputs[0].write("add", inputs[1], inputs[2])
            return None
        if method == "reduce":
            return _reduced(ufunc, *inputs, **options)
        if method == "accumulate" and ufunc in (np.add, np.multiply):
            return scan(inputs[0], ufunc.__name__, options.get("axis", 0), options.get("dtype"))
        raise NotReadable(f"{ufunc.__name__}.{method}")

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        known = FUNCTIONS.get(function)
        if known is None:
            raise NotReadable(f"np.{function.__name__}")
        return known(*args, **options)


def _as_values(index: Any) -> tuple[Any, ...]:
    """The parts of an index, with values for symbols."""
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(part.value if isinstance(part, Symbol) else part for part in parts)


def _has_arrays(index: Any) -> bool:
    """Whether what an index gives is a copy."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, (list, tuple, np.ndarray, Symbol)) for part in parts)


def _operator(ufunc: Any, turned: bool = False, inplace: bool = False) -> Any:
    def call(self: Symbol, *others: Any) -> Any:
        args = (*others, self) if turned else (self, *others)
        if any(hasattr(other, "__array_ufunc__") and other.__array_ufunc__ is None
               for other in others):  # fmt: skip
            return NotImplemented
        result = ufunc(*args)
        if inplace:
            self.value = cast(self._values, self._values.broadcast(result.value, self.shape),
                              self.dtype)  # fmt: skip
            return self
        return result

    return call


_OPERATORS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
    "floordiv": np.floor_divide, "mod": np.remainder, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift, "matmul": np.matmul,
}  # fmt: skip
for _name, _ufunc in _OPERATORS.items():
    setattr(Symbol, f"__{_name}__", _operator(_ufunc))
    setattr(Symbol, f"__r{_name}__", _operator(_ufunc, turned=True))
    setattr(Symbol, f"__i{_name}__", _operator(_ufunc, inplace=True))
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
    "ne": np.not_equal, "neg": np.negative, "pos": np.positive, "abs": np.absolute,
    "invert": np.invert,
}.items():  # fmt: skip
    setattr(Symbol, f"__{_name}__", _operator(_ufunc))


def as_symbol(values: Values, x: Any, like: Any = None) -> Symbol:
    """A symbol as it is; an array as a constant in memory, a number as a constant.

    Python's numbers take the dtype of ``like``.
    """
    if isinstance(x, Symbol):
        return x
    array = np.asarray(x)
    if type(x) in (int, float, bool) and like is not None:
        array = array.astype(like)
    if not supported(array.dtype):
        raise NotReadable(f"numbers of dtype {array.dtype}")
    if not array.ndim:
        return Symbol(values, values.number(array, array.dtype))
    return Symbol(values, constant(values, array))


def filled(values: Values, shape: Any, number: Any, dtype: Any) -> Any:
    """A new array of one number."""
    sizes = (operator.index(shape),) if not isinstance(shape, (tuple, list)) else tuple(shape)
    kind = np.dtype(dtype)
    if not supported(kind):
        raise NotReadable(f"numbers of dtype {kind}")
    return Symbol(values, values.broadcast(values.number(number, kind), sizes))


# ufuncs


def _applied(self: Symbol, ufunc: Any, inputs: Any, out: Any = None, **options: Any) -> Any:
    if options:
        raise NotReadable(f"{ufunc.__name__} with {', '.join(options)}")
    if ufunc in (np.matmul, np.vecdot):
        result = _product(self._values, *inputs)
    else:
        result = _mapped(self, ufunc, inputs)
    if out is None:
        return result
    target: Any = out[0]
    if not isinstance(target, Symbol):
        raise NotReadable("writing into an array of the outside")
    target.value = cast(self._values, result.value, target.dtype)
    return target


_SAME = {np.positive, np.conjugate}
_SUMS = {np.add, np.subtract}


def _mapped(self: Symbol, ufunc: Any, inputs: Sequence[Any]) -> Symbol:
    """A ufunc of each element."""
    if ufunc.nout != 1:
        raise NotReadable(ufunc.__name__)
    if ufunc in _SAME:
        return self._new(self.value)
    kinds = [type(x) if type(x) in (int, float) else np.asarray(x).dtype
             if not isinstance(x, Symbol) else x.dtype for x in inputs]  # fmt: skip
    if any(isinstance(kind, np.dtype) and not supported(kind) for kind in kinds):
        raise NotReadable(f"{ufunc.__name__} of {kinds}")
    loop = ufunc.resolve_dtypes((*kinds, None))
    if not all(map(supported, loop)):
        raise NotReadable(f"{ufunc.__name__} in {loop}")
    if machine_function(ufunc.__name__, loop) is None:
        raise NotReadable(f"{ufunc.__name__} of {loop[0]}")
    values = self._values
    args = [
        cast(values, as_symbol(values, x, dtype).value, dtype)
        for x, dtype in zip(inputs, loop[:-1], strict=True)
    ]
    shape = np.broadcast_shapes(*(arg.shape for arg in args))
    wide = tuple(values.broadcast(arg, shape) for arg in args)
    update = joined_sum(values, ufunc.__name__, wide) if ufunc in _SUMS else None
    if update is not None:
        return self._new(update)
    wide, name = _simpler(ufunc.__name__, wide)
    return self._new(values.make("map", shape, loop[-1], wide, name))


def _simpler(name: str, args: tuple[Value, ...]) -> tuple[tuple[Value, ...], str]:
    """|−x| is |x|, and (−x)² is x²: so that both sides of a layer share one exponential."""
    if name in ("absolute", "fabs", "square"):
        while args[0].kind == "map" and args[0].facts == "negative":
            args = args[0].args
    return args, name


_REDUCED = {
    np.add: "add", np.multiply: "multiply", np.maximum: "maximum", np.minimum: "minimum",
    np.logical_or: "logical_or", np.logical_and: "logical_and",
}  # fmt: skip


def _reduced(
    ufunc: Any, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Symbol:  # fmt: skip
    if ufunc not in _REDUCED or out is not None or where is not True:
        raise NotReadable(f"{ufunc.__name__}.reduce")
    symbol = x if dtype is None else x.astype(dtype)
    return reduction(symbol, _REDUCED[ufunc], axis, keepdims, initial)


def reduction(
    x: Symbol, name: str, axis: Any = None, keepdims: bool = False, initial: Any = None
) -> Symbol:
    """A ufunc between all elements along axes."""
    value = x.value
    if name in ("add", "multiply") and x.dtype.kind in "bi" and x.dtype.itemsize < 8:
        value = cast(x._values, value, np.dtype(np.int64))
    if name.startswith("logical"):
        value = cast(x._values, value, np.dtype(np.bool_))
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    if (
        name in ("maximum", "minimum")
        and initial is None
        and not math.prod(x.shape[i] for i in axes)
    ):
        raise NotReadable("the extremum of nothing")
    kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    values = x._values
    made = value
    if axes:
        made = values.make("reduce", kept, value.dtype, (value,), (name, tuple(sorted(axes))))
    if initial is not None and not _neutral(name, initial, value.dtype):
        ufunc = next(one for one, called in _REDUCED.items() if called == name)
        made = _mapped(x, ufunc, (x._new(made), np.asarray(initial).astype(made.dtype))).value
    if keepdims:
        made = values.reshape(made, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))
    return x._new(made)


def _neutral(name: str, initial: Any, dtype: Any) -> bool:
    return not isinstance(initial, Symbol) and bool(neutral(name, dtype) == initial)


def scan(x: Symbol, name: str, axis: int, dtype: Any = None) -> Symbol:
    """Sums or products of all up to each element, along an axis."""
    symbol = x if dtype is None else x.astype(dtype)
    if symbol.dtype.kind in "bi" and symbol.dtype.itemsize < 8:
        symbol = symbol.astype(np.int64)
    axis = normalize_axis_index(axis, x.ndim)
    return x._new(x._values.make("scan", x.shape, symbol.dtype, (symbol.value,), (name, axis)))


def _product(values: Values, a: Any, b: Any) -> Symbol:
    left, right = as_symbol(values, a), as_symbol(values, b)
    dtype = np.result_type(left.dtype, right.dtype)
    if dtype.kind != "f":
        raise NotReadable(f"a matrix product of {dtype}")
    left, right = left.astype(dtype), right.astype(dtype)
    row, column = left.ndim == 1, right.ndim == 1
    if row:
        left = left.reshape(1, -1)
    if column:
        right = right.reshape(-1, 1)
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    args = tuple(
        in_memory(values, values.broadcast(one.value, (*batch, *one.shape[-2:])))
        for one in (left, right)
    )
    shape = (*batch, left.shape[-2], right.shape[-1])
    made = values.make("matmul", shape, dtype, args)
    kept = [*batch, *([] if row else [left.shape[-2]]), *([] if column else [right.shape[-1]])]
    return left._new(values.reshape(made, tuple(kept)))
