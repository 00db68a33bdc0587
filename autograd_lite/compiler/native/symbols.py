"""Symbols: what stands for an array while NumPy code is read instead of run.

A symbol answers as an array does, to operators, methods, indices, ufuncs and functions of NumPy,
and writes down what would be computed (``values``). So an operator needs no second declaration:
its NumPy code is read. Writing into a symbol, or into a view of it, has NumPy's meaning. Knows
NumPy's protocols. Does not know operators nor machines. Imports errors, NumPy, scalars, values.
"""

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd_lite.compiler.native.scalars import supported
from autograd_lite.compiler.native.values import Affine, Value, Values, identity, strides_of
from autograd_lite.compiler.native.vocabulary import machine_function, neutral

__all__ = [
    "FUNCTIONS",
    "NotReadable",
    "Symbol",
    "as_symbol",
    "cast",
    "constant",
    "filled",
    "located",
    "mapped",
    "reads",
    "reduction",
]


class NotReadable(Exception):  # noqa: N818  # no error: NumPy does this part
    """The code does something that is known only when it runs, or that has no machine code."""


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
            self._source.value = self._values.make(
                "write", whole.shape, whole.dtype, (whole, new), ("set", places)
            )

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
        for all data. Of anyone else's code nothing is known.
        """  # noqa: D205  # one thought
        if self.strict:
            raise NotReadable("the code asks for the truth of an array")
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
        """Refused: bits of numbers as other numbers."""
        raise NotReadable("the code reads bits")

    def copy(self) -> "Symbol":
        """The value now."""
        return self._new(self.value)

    conj = copy

    def sum(self, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
        """The sum over axes."""
        return reduction(self, "add", axis, keepdims)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Whether any holds."""
        return reduction(self.astype(bool), "logical_or", axis, keepdims)

    def __getitem__(self, index: Any) -> "Symbol":
        shape, places, arrays = located(self, index)
        if not arrays:
            return self._seen(shape, tuple(place[1:] for place in places))
        given = tuple(self._values.broadcast(array, shape) for array in arrays)
        args = (_in_memory(self._values, self.value), *given)
        return self._new(self._values.make("gather", shape, self.dtype, args, places))

    def __setitem__(self, index: Any, value: Any) -> None:
        self.write("set", index, value)

    def write(self, how: str, index: Any, value: Any) -> None:
        """Replace (``set``) or add to (``add``) the elements at an index."""
        shape, places, arrays = located(self, index)
        values = self._values
        whole = self.value
        new = cast(values, as_symbol(values, value, self.dtype).value, self.dtype)
        everywhere = tuple(place[1:] for place in places) == identity(shape)
        if everywhere and new.shape == shape == whole.shape and not arrays and how == "set":
            self.value = new
            return
        given = tuple(values.broadcast(array, shape) for array in arrays)
        args = (whole, values.broadcast(_trimmed(values, new, len(shape)), shape), *given)
        self.value = values.make("write", whole.shape, whole.dtype, args, (how, places))

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
            return _scan(inputs[0], ufunc.__name__, options.get("axis", 0), options.get("dtype"))
        raise NotReadable(f"{ufunc.__name__}.{method}")

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        known = FUNCTIONS.get(function)
        if known is None:
            raise NotReadable(f"np.{function.__name__}")
        return known(*args, **options)


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


def constant(values: Values, array: Any) -> Value:
    """An array that is known while the code is read."""
    exact = np.ascontiguousarray(array)
    facts = ("constant", exact.tobytes()) if exact.nbytes <= _SMALL else ("constant", id(exact))
    made = values.make("leaf", exact.shape, exact.dtype, (), facts)
    values.constants.setdefault(made.number, exact)
    return made


_SMALL = 1 << 12


def cast(values: Values, x: Value, dtype: np.dtype[Any]) -> Value:
    """The value as NumPy's ``astype`` converts it."""
    if x.dtype == dtype:
        return x
    left = x.dtype.kind == "f" and dtype.kind in "iu" and dtype.char not in "ilq"
    if left or not supported(dtype):
        raise NotReadable(f"{x.dtype} as {dtype}")
    if x.kind == "number":
        exact: Any = np.frombuffer(x.facts, x.dtype)[0]
        with np.errstate(all="ignore"):
            return values.number(exact.astype(dtype), dtype)
    if x.kind == "view" and x.args[0].kind == "number":
        return values.view(cast(values, x.args[0], dtype), x.shape, x.facts)
    return values.make("map", x.shape, dtype, (x,), "cast")


def _trimmed(values: Values, x: Value, ndim: int) -> Value:
    """Without leading axes of size 1 that an assignment ignores."""
    extra = len(x.shape) - ndim
    return values.reshape(x, x.shape[extra:]) if extra > 0 else x


# indices

Place = tuple[Any, ...]
"""Where along one axis: ("at", start, terms) by the reader's axes, ("by", which array)."""


def located(x: Symbol, index: Any) -> tuple[tuple[int, ...], tuple[Place, ...], list[Value]]:
    """The shape that an index gives, a place for each axis of ``x``, and arrays of positions."""
    parts = _expanded(x, index if isinstance(index, tuple) else (index,))
    arrays = [part for part in parts if isinstance(part, Symbol)]
    # beside arrays a number counts as an array without axes
    advanced = [i for i, part in enumerate(parts)
                if isinstance(part, Symbol) or (arrays and _whole(part))]  # fmt: skip
    common = np.broadcast_shapes(*(array.shape for array in arrays))
    together = not advanced or advanced[-1] - advanced[0] + 1 == len(advanced)
    shape: list[int] = []
    places: list[Place] = []
    given: list[tuple[Symbol, int]] = []
    start_of_common = None if together else 0
    if arrays and not together:
        shape.extend(common)
    axis = 0
    for i, part in enumerate(parts):
        if arrays and together and i == advanced[0]:
            start_of_common = len(shape)
            shape.extend(common)
        if part is None:
            shape.append(1)
            continue
        n = x.shape[axis]
        if isinstance(part, slice):
            start, stop, step = part.indices(n)
            count = len(range(start, stop, step))
            places.append(("at", start, ((len(shape), step),)))
            shape.append(count)
        elif isinstance(part, Symbol):
            places.append(("by", len(given)))
            given.append((part, n))
        else:
            if not -n <= part < n:
                raise NotReadable(f"position {part} of {n}")
            places.append(("at", part % n, ()))
        axis += 1
    trailing = 0 if start_of_common is None else len(shape) - start_of_common - len(common)
    return tuple(shape), _without_single(places, shape), [_aligned(*one, trailing) for one in given]


def _without_single(places: list[Place], shape: Sequence[int]) -> tuple[Place, ...]:
    return tuple(
        place if place[0] == "by"
        else ("at", place[1], tuple(term for term in place[2] if shape[term[0]] != 1))
        for place in places
    )  # fmt: skip


def _whole(part: Any) -> bool:
    return isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_))


def _aligned(part: Symbol, n: int, trailing: int) -> Value:
    """Positions as integers with axes of size 1 behind, so that they broadcast to the result."""
    values = part._values
    value = cast(values, part.value, np.dtype(np.int64))
    return values.reshape(value, value.shape + (1,) * trailing)


def _expanded(x: Symbol, index: tuple[Any, ...]) -> list[Any]:
    """An index with a part for each axis: numbers, slices, None and symbols of integers."""
    parts: list[Any] = []
    for part in index:
        if part is None or part is Ellipsis or isinstance(part, slice) or _whole(part):
            parts.append(int(part) if _whole(part) else part)
        elif isinstance(part, Symbol):
            if part.dtype.kind == "b":
                raise NotReadable("an index by a condition: the size depends on data")
            parts.append(part)
        else:
            parts.extend(_constant_positions(x, np.asarray(part)))
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    fill = [slice(None)] * (x.ndim - taken)
    if Ellipsis in [part for part in parts if not isinstance(part, Symbol)]:
        where = next(i for i, part in enumerate(parts) if part is Ellipsis)
        return [*parts[:where], *fill, *parts[where + 1 :]]
    return [*parts, *fill]


def _constant_positions(x: Symbol, array: Any) -> list[Any]:
    if array.dtype.kind == "b":
        return [as_symbol(x._values, positions) for positions in np.nonzero(array)]
    if not array.ndim:
        return [int(array)]
    return [as_symbol(x._values, array.astype(np.int64))]


# ufuncs


def _applied(self: Symbol, ufunc: Any, inputs: Any, out: Any = None, **options: Any) -> Any:
    if options:
        raise NotReadable(f"{ufunc.__name__} with {', '.join(options)}")
    if ufunc in (np.matmul, np.vecdot):
        result = _product(self._values, *inputs)
    else:
        result = mapped(self, ufunc, inputs)
    if out is None:
        return result
    target: Any = out[0]
    if not isinstance(target, Symbol):
        raise NotReadable("writing into an array of the outside")
    target.value = cast(self._values, result.value, target.dtype)
    return target


_SAME = {np.positive, np.conjugate}


def mapped(self: Symbol, ufunc: Any, inputs: Sequence[Any]) -> Symbol:
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
        made = mapped(x, ufunc, (x._new(made), np.asarray(initial).astype(made.dtype))).value
    if keepdims:
        made = values.reshape(made, tuple(1 if i in axes else n for i, n in enumerate(x.shape)))
    return x._new(made)


def _neutral(name: str, initial: Any, dtype: Any) -> bool:
    return not isinstance(initial, Symbol) and bool(neutral(name, dtype) == initial)


def _scan(x: Symbol, name: str, axis: int, dtype: Any = None) -> Symbol:
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
        _in_memory(values, values.broadcast(one.value, (*batch, *one.shape[-2:])))
        for one in (left, right)
    )
    shape = (*batch, left.shape[-2], right.shape[-1])
    made = values.make("matmul", shape, dtype, args)
    kept = [*batch, *([] if row else [left.shape[-2]]), *([] if column else [right.shape[-1]])]
    return left._new(values.reshape(made, tuple(kept)))


def _in_memory(values: Values, x: Value) -> Value:
    """A value that is, or is seen in, an array in memory: numbers repeated are written out."""
    base = x
    while base.kind in ("view", "reshape"):
        base = base.args[0]
    return values.laid_out(x) if base.kind == "number" else x


# functions


def _first(*candidates: Any) -> Symbol:
    return next(one for one in candidates if isinstance(one, Symbol))


@reads(np.where)
def _where(condition: Any, x1: Any, x2: Any) -> Symbol:
    self = _first(condition, x1, x2)
    values = self._values
    kinds = [x.dtype if isinstance(x, Symbol) else x for x in (x1, x2)]
    dtype = np.result_type(*kinds)
    args = [
        cast(values, as_symbol(values, x, to).value, np.dtype(to))
        for x, to in ((condition, np.bool_), (x1, dtype), (x2, dtype))
    ]
    shape = np.broadcast_shapes(*(arg.shape for arg in args))
    wide = tuple(values.broadcast(arg, shape) for arg in args)
    return self._new(values.make("map", shape, dtype, wide, "where"))


for _function, _named in {
    np.sum: "add", np.prod: "multiply", np.max: "maximum", np.min: "minimum",
    np.any: "logical_or", np.all: "logical_and",
}.items():  # fmt: skip

    def _reducer(
        x: Any, axis: Any = None, *, keepdims: Any = False, initial: Any = None, dtype: Any = None,
        _name: str = _named,
    ) -> Symbol:  # fmt: skip
        symbol = x if dtype is None else x.astype(dtype)
        return reduction(symbol, _name, axis, bool(keepdims), initial)

    FUNCTIONS[_function] = _reducer


@reads(np.mean)
def _mean(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    real: Any = x if x.dtype.kind == "f" else x.astype(np.float64)
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    total: Any = reduction(real, "add", axes, keepdims)
    return total / float(math.prod(x.shape[i] for i in axes))


@reads(np.var)
def _var(x: Any, axis: Any = None, *, keepdims: bool = False, ddof: float = 0) -> Any:
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    away = x - _mean(x, axes, keepdims=True)
    free = max(0.0, math.prod(x.shape[i] for i in axes) - ddof)
    total: Any = reduction(away * away, "add", axes, keepdims)
    return total / free


@reads(np.std)
def _std(x: Any, axis: Any = None, *, keepdims: bool = False, ddof: float = 0) -> Any:
    return np.sqrt(_var(x, axis, keepdims=keepdims, ddof=ddof))


@reads(np.reshape)
def _reshape(x: Any, shape: Any, *_: Any) -> Any:
    return x.reshape(shape)


@reads(np.ravel)
def _ravel(x: Any, *_: Any) -> Any:
    return x.ravel()


@reads(np.transpose, np.permute_dims)
def _transpose(x: Any, axes: Any = None) -> Any:
    return x.transpose(axes)


@reads(np.swapaxes)
def _swapaxes(x: Any, a: int, b: int) -> Any:
    return x.swapaxes(a, b)


@reads(np.moveaxis)
def _moveaxis(x: Any, source: Any, target: Any) -> Any:
    sources = normalize_axis_tuple(source, x.ndim)
    targets = normalize_axis_tuple(target, x.ndim)
    order = [axis for axis in range(x.ndim) if axis not in sources]
    for where, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(where, axis)
    return x.transpose(order)


@reads(np.broadcast_to)
def _broadcast_to(x: Any, shape: Any, **_: Any) -> Any:
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    return x._new(x._values.broadcast(x.value, wanted))


@reads(np.squeeze)
def _squeeze(x: Any, axis: Any = None) -> Any:
    gone = [i for i, n in enumerate(x.shape) if n == 1]
    if axis is not None:
        gone = list(normalize_axis_tuple(axis, x.ndim))
    return x.reshape([n for i, n in enumerate(x.shape) if i not in gone])


@reads(np.expand_dims)
def _expand_dims(x: Any, axis: Any) -> Any:
    count = x.ndim + (len(axis) if isinstance(axis, tuple) else 1)
    places, sizes = normalize_axis_tuple(axis, count), iter(x.shape)
    return x.reshape([1 if i in places else next(sizes) for i in range(count)])


@reads(np.flip)
def _flip(x: Any, axis: Any = None) -> Any:
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    turned = slice(None, None, -1)
    return x[tuple(turned if i in axes else slice(None) for i in range(x.ndim))].copy()


@reads(np.concatenate)
def _concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    self = _first(*arrays)
    parts = [as_symbol(self._values, one) for one in arrays]
    axis = normalize_axis_index(axis, self.ndim)
    dtype = np.result_type(*(part.dtype for part in parts))
    total = sum(part.shape[axis] for part in parts)
    whole = filled(self._values, (*self.shape[:axis], total, *self.shape[axis + 1 :]), 0, dtype)
    start = 0
    for part in parts:
        stop = start + part.shape[axis]
        whole[(*[slice(None)] * axis, slice(start, stop))] = part
        start = stop
    return whole


@reads(np.stack)
def _stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    self = _first(*arrays)
    parts = [as_symbol(self._values, one) for one in arrays]
    axis = normalize_axis_index(axis, self.ndim + 1)
    return _concatenate([_expand_dims(part, axis) for part in parts], axis)


def filled(values: Values, shape: Any, number: Any, dtype: Any) -> Any:
    """A new array of one number."""
    sizes = (operator.index(shape),) if not isinstance(shape, (tuple, list)) else tuple(shape)
    kind = np.dtype(dtype)
    if not supported(kind):
        raise NotReadable(f"numbers of dtype {kind}")
    return Symbol(values, values.broadcast(values.number(number, kind), sizes))


@reads(np.zeros_like)
def _zeros_like(x: Any, dtype: Any = None, **_: Any) -> Any:
    return filled(x._values, x.shape, 0, x.dtype if dtype is None else dtype)


@reads(np.ones_like)
def _ones_like(x: Any, dtype: Any = None, **_: Any) -> Any:
    return filled(x._values, x.shape, 1, x.dtype if dtype is None else dtype)


@reads(np.empty_like)
def _empty_like(x: Any, dtype: Any = None, **_: Any) -> Any:
    return _zeros_like(x, dtype)


@reads(np.full_like)
def _full_like(x: Any, number: Any, dtype: Any = None, **_: Any) -> Any:
    whole = filled(x._values, x.shape, 0, x.dtype if dtype is None else dtype)
    whole[...] = number
    return whole


def _argument(name: str) -> Any:
    def call(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        rows = x.ravel() if axis is None else x
        along = 0 if axis is None else normalize_axis_index(axis, x.ndim)
        moved = _moveaxis(rows, along, -1)
        values = x._values
        made = values.make("arg", moved.shape[:-1], np.int64, (moved.value,), name)
        if keepdims:
            shape = [1 if axis is None or i == along else n for i, n in enumerate(x.shape)]
            made = values.reshape(made, tuple(shape))
        return x._new(made)

    return call


FUNCTIONS[np.argmax] = _argument("maximum")
FUNCTIONS[np.argmin] = _argument("minimum")


@reads(np.take)
def _take(x: Any, indices: Any, axis: Any = None, **options: Any) -> Any:
    if options.get("mode", "raise") != "raise":
        raise NotReadable("np.take with a mode")
    self = _first(x, indices)
    source = as_symbol(self._values, x)
    if axis is None:
        return source.ravel()[indices]
    axis = normalize_axis_index(axis, source.ndim)
    return source[(*[slice(None)] * axis, indices)]


@reads(np.take_along_axis)
def _take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    self = _first(x, indices)
    source, places = as_symbol(self._values, x), as_symbol(self._values, indices)
    return source[_along(source, places, axis)]


def _along(source: Symbol, places: Symbol, axis: int) -> tuple[Any, ...]:
    """The index of one position for each row along an axis."""
    axis = normalize_axis_index(axis, source.ndim)
    shape = np.broadcast_shapes(
        *(tuple(1 if i == axis else n for i, n in enumerate(one.shape)) for one in (source, places))
    )
    grids = np.ix_(*(np.arange(n) for n in shape))
    return tuple(
        places if i == axis
        else grids[i] if source.shape[i] != 1 else np.zeros((1,) * source.ndim, int)
        for i in range(source.ndim)
    )  # fmt: skip


@reads(np.cumsum)
def _cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _scan(x.ravel() if axis is None else x, "add", axis or 0, dtype)


@reads(np.cumprod)
def _cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _scan(x.ravel() if axis is None else x, "multiply", axis or 0, dtype)


@reads(np.dot)
def _dot(a: Any, b: Any) -> Any:
    if np.ndim(a) > 2 or np.ndim(b) > 2 or not np.ndim(a) or not np.ndim(b):
        raise NotReadable("np.dot of such shapes")
    return np.matmul(a, b)


@reads(np.round)
def _round(x: Any, decimals: int = 0) -> Any:
    if decimals:
        raise NotReadable("np.round with decimals")
    return np.rint(x) if x.dtype.kind == "f" else x.copy()


@reads(np.roll)
def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return _roll(x.ravel(), shift, 0).reshape(x.shape)
    shifts = (shift,) if isinstance(shift, int) else shift
    axes = (axis,) if isinstance(axis, int) else axis
    for by, along in zip(shifts, axes, strict=True):
        by, whole = (
            by % max(1, x.shape[along]),
            (slice(None),) * normalize_axis_index(along, x.ndim),
        )
        if by:
            tail, head = x[(*whole, slice(-by, None))], x[(*whole, slice(None, -by))]
            x = _concatenate([tail, head], along)
    return x.copy()


@reads(np.split)
def _split(x: Any, cuts: Any, axis: int = 0) -> list[Symbol]:
    whole = (slice(None),) * normalize_axis_index(axis, x.ndim)
    ends = [0, *cuts, x.shape[axis]]
    return [x[(*whole, slice(*pair))].copy() for pair in pairwise(ends)]


@reads(np.unstack)
def _unstack(x: Any, *, axis: int = 0) -> tuple[Symbol, ...]:
    return tuple(part.copy() for part in _moveaxis(x, axis, 0))


@reads(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    if x.dtype.kind != "f":
        return x.copy()
    limits = np.finfo(x.dtype)
    high = limits.max if posinf is None else x.dtype.type(posinf)
    low = limits.min if neginf is None else x.dtype.type(neginf)
    bounded = np.where(x == np.inf, high, np.where(x == -np.inf, low, x))
    return np.where(np.isnan(x), x.dtype.type(nan), bounded)


@reads(np.real, np.conj, np.copy)
def _itself(x: Any, *_: Any, **__: Any) -> Any:
    return x.copy()


@reads(np.imag)
def _imag(x: Any) -> Any:
    return _zeros_like(x)


@reads(np.iscomplexobj)
def _never(x: Any) -> bool:
    return False


@reads(np.shape)
def _shape(x: Any) -> Any:
    return x.shape


@reads(np.ndim)
def _ndim(x: Any) -> Any:
    return x.ndim


@reads(np.size)
def _size(x: Any) -> Any:
    return x.size


@reads(np.isposinf)
def _isposinf(x: Any) -> Any:
    return x == np.inf


@reads(np.isneginf)
def _isneginf(x: Any) -> Any:
    return x == -np.inf


@reads(np.isreal)
def _isreal(x: Any) -> Any:
    return _ones_like(x, np.bool_)


@reads(np.iscomplex)
def _iscomplex(x: Any) -> Any:
    return _zeros_like(x, np.bool_)


@reads(np.count_nonzero)
def _count_nonzero(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reduction(x.astype(bool).astype(np.int64), "add", axis, keepdims)


@reads(np.lib.stride_tricks.sliding_window_view)
def _sliding(x: Any, window: Any, axis: Any = None, **_: Any) -> Any:
    sizes = (window,) if isinstance(window, int) else tuple(window)
    axes = normalize_axis_tuple(
        range(x.ndim) if axis is None else axis, x.ndim, allow_duplicate=True
    )
    shape: list[int] = list(x.shape)
    extra: list[int] = []
    terms: list[list[tuple[int, int]]] = [[(i, 1)] for i in range(x.ndim)]
    for size, along in zip(sizes, axes, strict=True):
        shape[along] -= size - 1
        terms[along].append((x.ndim + len(extra), 1))
        extra.append(size)
    return x._seen([*shape, *extra], tuple((0, tuple(one)) for one in terms))


@reads(np.lib.stride_tricks.as_strided)
def _as_strided(x: Any, shape: Any, strides: Any, *, writeable: bool = True) -> Any:
    if writeable:
        raise NotReadable("a view of overlapping elements that can be written to")
    terms = tuple((i, step // x.itemsize) for i, step in enumerate(strides))
    return x.ravel().copy()._seen(tuple(shape), ((0, terms),))


@reads(np.bincount)
def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Sums by position, where the code tells how many there are; a larger position raises."""
    if weights is None or not minlength:
        raise NotReadable("the size depends on data")
    total = filled(_first(x, weights)._values, minlength, 0, np.float64)
    total.write("add", x, weights)
    return total


@reads(np.put_along_axis)
def _put_along_axis(x: Any, indices: Any, new: Any, axis: int) -> None:
    x[_along(x, as_symbol(x._values, indices), axis)] = new
