"""Lifted arrays: ndarrays that NumPy code may change and view, with a graph beneath.

A ``LiftedArray`` is a true ndarray (``isinstance`` holds): whatever NumPy computes is computed on
its memory, and what it means is noted on the ``Storage`` of that memory. A result that shares
memory is a view, anything else is new storage. A single number with a derivative is an immutable
``LiftedNumber``; what carries no derivative is an ordinary array or number underneath.

Knows reading and writing. NumPy's functions and methods are hung on the classes by ``functions``
and ``methods``. Imports storage, tensors, errors and the operators that reading and writing are.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd_lite.errors import AutogradError, DetachedError, GradientError, Source, user_frame
from autograd_lite.graph import Node, settled
from autograd_lite.lifting.storage import Storage
from autograd_lite.modes import current_mode
from autograd_lite.ops.indexing import getitem, read_static
from autograd_lite.ops.indexing import set as set_at
from autograd_lite.ops.pointwise import where
from autograd_lite.ops.shaping import astype, broadcast_to, reshape, stack
from autograd_lite.tensors import Tensor

__all__ = [
    "ALL",
    "ESCAPES",
    "LiftedArray",
    "LiftedNumber",
    "adopt",
    "bare",
    "by_memory",
    "escape",
    "gathered",
    "index_parts",
    "known",
    "leaves",
    "lifted",
    "mapped",
    "number_at",
    "on_own_memory",
    "repeats",
    "tensor_of",
    "tensors",
    "traced",
    "tracked",
    "view_of",
    "write",
]

ESCAPES: ContextVar[list[tuple[str, Source | None]] | None] = ContextVar("escapes", default=None)
"""Where tracked values have become plain ones in a running trace: what happened, and the line."""


def escape(how: str) -> None:
    """Note that a tracked value leaves the graph here."""
    found = ESCAPES.get()
    if found is not None:
        frame = user_frame(2)
        found.append((how, Source.of(frame.f_code, frame.f_lasti) if frame else None))


_SHAPE: Any = np.ndarray.shape
_GET: Any = np.ndarray.__getitem__
_SET: Any = np.ndarray.__setitem__


class LiftedArray(np.ndarray):
    """An ndarray whose content a graph knows: see the module."""

    _storage: Storage | None = None
    _path: Any = None  # (the array that it is a view of, at which index or by which function)
    _seen: Any = None  # (the tensor of the storage, that of this view), as last made

    def __getitem__(self, index: Any) -> Any:
        index = index_parts(index)
        if traced(index):
            return lifted(getitem(tensor_of(self), index))
        value = _GET(self, index)
        if type(value) is not LiftedArray:
            return number_at(self, index) if tracked(self) else value
        if _is_basic(index):  # NumPy has made the view; what it shows is said here
            value._storage, value._path = _home(self), (self, index)
            return value
        if not tracked(self):
            return adopt(value.view(np.ndarray))
        return lifted(getitem(tensor_of(self), index))

    def __setitem__(self, index: Any, value: Any) -> None:
        index = index_parts(index)
        if traced(index):
            _write_traced(self, index, value)
            return
        if type(value) is LiftedArray:
            if _is_itself(self, index, value):
                return
        elif type(value) is LiftedNumber and _write_number(self, index, value.tensor):
            return
        write(self, index, value)

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    @property
    def shape(self) -> Any:
        """The sizes along each axis; assigning gives the array another shape in place."""
        return _SHAPE.__get__(self)

    @shape.setter
    def shape(self, new: Any) -> None:
        before = self.view()
        before._storage, before._path, before._seen = _home(self), self._path, self._seen
        _SHAPE.__set__(self, new)
        made = _SHAPE.__get__(self)
        self._path, self._seen = (before, lambda t: reshape(t, made)), None

    @property
    def flat(self) -> Any:
        """The elements one after the other."""
        return _Flat(self)

    def __float__(self) -> float:
        if tracked(self):
            escape("float()")
        return float(known(self, "float()"))

    def __bool__(self) -> bool:
        return bool(known(self, "the truth"))

    def __int__(self) -> int:
        return int(known(self, "int()"))

    def __index__(self) -> int:
        return known(self, "an index").__index__()  # type: ignore[no-any-return]  # NumPy's own

    def __repr__(self) -> str:
        return repr(self.view(np.ndarray))

    def __str__(self) -> str:
        return str(self.view(np.ndarray))

    def __format__(self, spec: str) -> str:
        return format(self.view(np.ndarray), spec)

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return memo.setdefault(id(self), self.copy())

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.view(np.ndarray).__reduce_ex__(protocol)


class _Flat:
    """``a.flat``: read, written and gone through by position."""

    def __init__(self, array: LiftedArray) -> None:
        self._array = array

    def _place(self, index: Any) -> Any:
        positions = np.arange(self._array.size)[known(index, "a position")]
        return np.unravel_index(positions, self._array.shape)

    def __len__(self) -> int:
        return int(self._array.size)

    def __getitem__(self, index: Any) -> Any:
        return self._array[self._place(index)]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[self._place(index)] = value

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self._array.reshape(-1), dtype)


class LiftedNumber:
    """A number with a derivative, as NumPy's scalars are: immutable, ``+=`` binds a new one."""

    __slots__ = ("tensor",)
    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor

    @property
    def dtype(self) -> Any:
        """The NumPy dtype."""
        return self.tensor.dtype

    @property  # type: ignore[misc]  # mypy takes object's for one that is assigned to
    def __class__(self) -> Any:
        return self.tensor.dtype.type  # ``isinstance(v, float)`` holds, as of NumPy's scalars

    def item(self) -> Any:
        """The number itself, still with its derivative."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.float64, name):
            raise AttributeError(name)
        return getattr(_as_array(self), name)

    def __getitem__(self, index: Any) -> Any:
        return self if index in ((), Ellipsis) else _as_array(self)[index]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        escape("np.asarray()")
        return np.array(known(self, "np.asarray()"), dtype)

    def __float__(self) -> float:
        escape("float()")
        return float(known(self, "float()"))

    def __int__(self) -> int:
        return int(known(self, "int()"))

    def __index__(self) -> int:
        return known(self, "an index").__index__()  # type: ignore[no-any-return]  # NumPy's own

    def __bool__(self) -> bool:
        return bool(known(self, "the truth"))

    def __round__(self, digits: int | None = None) -> Any:
        return round(known(self, "round()"), digits)

    def __hash__(self) -> int:
        return hash(self.tensor._value)

    def __repr__(self) -> str:
        return repr(self.tensor._value)

    def __str__(self) -> str:
        return str(self.tensor._value)

    def __format__(self, spec: str) -> str:
        return format(self.tensor._value, spec)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


for _name, _operator in vars(np.lib.mixins.NDArrayOperatorsMixin).items():
    if callable(_operator) and (not _name.startswith("__i") or _name == "__invert__"):
        setattr(LiftedNumber, _name, _operator)


# between arrays and tensors


def adopt(value: Any) -> Any:
    """A plain result as the lifted program sees it: arrays lifted, all else as it is."""
    if isinstance(value, np.ndarray):
        if isinstance(value, LiftedArray):
            return value
        if value.dtype.kind not in "biufc":
            return value
        array = value.view(LiftedArray)
        array._storage = Storage(value) if value.flags.c_contiguous else None
        return array if array._storage is not None else adopt(np.ascontiguousarray(value))
    if type(value) is tuple:
        return tuple(map(adopt, value))
    return list(map(adopt, value)) if type(value) is list else value


def lifted(result: Any) -> Any:
    """What an operator gave as the lifted program sees it."""
    if type(result) is Tensor:
        value = result._value
        if type(value) is not np.ndarray:
            return LiftedNumber(result) if result._node is not None else value
        if result._node is None:
            return adopt(np.array(value))
        flags = value.flags
        if value.base is None and flags.c_contiguous and flags.writeable:
            array = value.view(LiftedArray)
            array._storage = Storage(value, result)
            return array
        return on_own_memory(np.array(value, order="C"), result.node)
    if isinstance(result, (tuple, list)):
        made = [lifted(part) for part in result]
        return type(result)(*made) if hasattr(result, "_fields") else type(result)(made)
    return adopt(result)


def on_own_memory(buffer: np.ndarray, node: Node) -> LiftedArray:
    """A new array on a buffer of its own, whose content a node made."""
    array = buffer.view(LiftedArray)
    array._storage = Storage(buffer, Tensor(buffer, node))
    return array


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """``function`` of a value, or of each in nested tuples, lists and dicts."""
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([mapped(function, part) for part in value])
    if kind is dict:
        return {key: mapped(function, part) for key, part in value.items()}
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return kind(*[mapped(function, part) for part in value])
    return function(value)


def bare(value: Any) -> Any:
    """The plain array or number underneath, in nested tuples, lists and dicts too."""
    return mapped(_bare, value)


def _bare(value: Any) -> Any:
    kind = type(value)
    if kind is LiftedArray:
        return value.view(np.ndarray)
    return value.tensor._value if kind is LiftedNumber else value


def tensor_of(value: Any) -> Any:
    """The tensor of a lifted value's content now; plain values as they are."""
    kind = type(value)
    if kind is LiftedNumber:
        return value.tensor
    if kind is not LiftedArray:
        return value
    storage = _home(value)
    if storage.values:
        written = storage.read(lambda: _positions(value), value.shape)
        if written is not None:
            return written
    elif storage.tensor is None:
        return value.view(np.ndarray)
    return _along(value, storage)


def known(value: Any, how: str) -> Any:
    """The plain numbers, where they decide what is computed: refused in a trace for others."""
    if current_mode().tracing and leaves(value):
        raise DetachedError(
            f"{how} of a traced value would bake this example's numbers into the graph",
            mend="write np.where(condition, a, b), or take what decides from an argument that is "
            "no array",
        )
    return bare(value)


def tensors(value: Any) -> Any:
    """``tensor_of`` in nested tuples, lists and dicts."""
    return mapped(tensor_of, value)


def gathered(value: Any) -> Any:
    """Nested lists that hold lifted values as one lifted array; all else as it is."""
    return lifted(_stacked(value)) if type(value) in (list, tuple) and leaves(value) else value


def _stacked(value: Any) -> Any:
    if type(value) in (list, tuple):
        return stack([_stacked(part) for part in value])
    return tensor_of(value)


def _along(value: LiftedArray, storage: Storage) -> Any:
    """The tensor of a view: what its path makes of that of the storage."""
    if value._path is None:
        return storage.tensor
    if value._seen is not None and value._seen[0] is storage.tensor:
        return value._seen[1]
    parent, step = value._path
    of = _along(parent, storage)
    tensor = read_static(of, index=step) if type(step) is tuple else step(of)
    if type(tensor) is Tensor and tensor._node is not None:
        storage.nodes.append(tensor._node)
    value._seen = (storage.tensor, tensor)
    return tensor


def _home(value: LiftedArray) -> Storage:
    """The storage of an array; found by its memory if NumPy itself made the view."""
    if value._storage is None:
        owner: Any = value.base
        while owner is not None:
            if isinstance(owner, LiftedArray) and owner._storage is not None:
                root = owner._storage
                value._storage = root
                value._path = _path_by_memory(value, root)
                return root
            owner = getattr(owner, "base", None)
        value._storage = Storage(value.view(np.ndarray))
    return value._storage


def _path_by_memory(seen: np.ndarray, storage: Storage) -> tuple[LiftedArray, Callable[[Any], Any]]:
    at = _offsets(seen, storage)
    return _root(storage), lambda t: getitem(reshape(t, -1), at)


def _root(storage: Storage) -> LiftedArray:
    array = storage.buffer.view(LiftedArray)
    array._storage = storage
    return array


def _positions(value: LiftedArray) -> np.ndarray:
    """Which elements of the storage an array shows."""
    storage = _home(value)
    if value._path is None:
        return storage.positions()
    parent, step = value._path
    return _positions(parent)[step] if type(step) is tuple else _offsets(value, storage)


def _offsets(value: np.ndarray, storage: Storage) -> np.ndarray:
    """The same strides over an array of positions tell which elements a view shows."""
    grid, size = storage.positions(), storage.buffer.itemsize
    first = value.__array_interface__["data"][0] - storage.buffer.__array_interface__["data"][0]
    if first % size or any(step % size for step in value.strides) or value.itemsize != size:
        raise GradientError(
            "a view of another item size has no derivative", mend="use astype instead of view"
        )
    unit = grid.itemsize
    steps = tuple(step // size * unit for step in value.strides)
    flat = grid.reshape(-1)[first // size :]
    return np.lib.stride_tricks.as_strided(flat, value.shape, steps, writeable=False)


def view_of(of: LiftedArray, make: Callable[[Any], Any], value: np.ndarray) -> LiftedArray:
    """``value`` as a view of an array, whose tensor ``make`` makes of the other's."""
    array = value.view(LiftedArray)
    array._storage = _home(of)
    array._path, array._seen = (of, make), None
    return array


def by_memory(of: LiftedArray, seen: np.ndarray) -> LiftedArray:
    """A view of which nothing is known but the elements that it shows."""
    root = _home(of)
    return view_of(*_path_by_memory(seen, root), seen)


def tracked(value: Any) -> bool:
    """Whether a derivative flows through a value."""
    kind = type(value)
    if kind is LiftedArray:
        return _home(value).tensor is not None
    return kind is LiftedNumber


def leaves(value: Any) -> list[Any]:
    """The tracked values in nested tuples, lists and dicts."""
    found: list[Any] = []
    mapped(lambda one: found.append(one) if tracked(one) else None, value)
    return found


def _as_array(number: LiftedNumber) -> Any:
    """A 0-d lifted array that holds a number."""
    return on_own_memory(np.array(number.tensor._value), number.tensor.node)


# reading and writing by index


def index_parts(index: Any) -> tuple[Any, ...]:
    """An index as a tuple, with tensors for traced arrays and numbers, plain ones for others."""
    if type(index) is not tuple:
        index = (index,)
    if _BASIC.issuperset(map(type, index)):
        return index  # type: ignore[no-any-return]  # a tuple by now
    return tuple([bare(tensor_of(gathered(part))) for part in index])


def traced(index: tuple[Any, ...]) -> bool:
    """Whether other numbers may stand in an index at another call; without a trace none may."""
    return Tensor in map(type, index)


_BASIC = frozenset({int, slice, type(None), type(Ellipsis), np.int64})


def _is_basic(index: tuple[Any, ...]) -> bool:
    if _BASIC.issuperset(map(type, index)):
        return True
    return all(type(p) in _BASIC or isinstance(p, np.integer) for p in index)


def number_at(array: LiftedArray, index: tuple[Any, ...]) -> Any:
    """The single element at an index of integers."""
    storage = _home(array)
    value = storage.read_at(_positions(array).item(*index)) if storage.values else None
    if value is None:
        value = read_static(_along(array, storage), index=index)
    if type(value) is not Tensor:
        return settled(np.asarray(bare(value)))
    return LiftedNumber(value) if value._node is not None else value._value


def _write_traced(array: LiftedArray, index: tuple[Any, ...], value: Any) -> None:
    """``array[index] = value`` where the index is recorded; a number by a mask is a choice."""
    whole, new = tensor_of(array), tensor_of(gathered(value))
    mask = index[0]
    if len(index) == 1 and mask.dtype == np.bool_ and np.size(bare(value)) == 1:
        mask = reshape(mask, mask.shape + (1,) * (array.ndim - mask.ndim))
        made = where(mask, reshape(new, ()) if np.ndim(bare(value)) else new, whole)
        made = made if made.dtype == array.dtype else astype(made, array.dtype)
    else:
        made = set_at(whole, index, new)
    write(array, ALL, lifted(made))


def _write_number(array: LiftedArray, index: tuple[Any, ...], tensor: Any) -> bool:
    """Write a number at integers that mean one element; False if they do not."""
    if len(index) != array.ndim or array._path is not None:
        return False
    if not _INTEGERS.issuperset(map(type, index)) or tensor._value.dtype != array.dtype:
        return False
    storage = _home(array)
    storage.write_at(storage.positions().item(*index), index, tensor)  # NumPy's own error, too
    _SET(array, index, tensor._value)
    return True


_INTEGERS = frozenset({int, np.int64})


def _is_itself(array: LiftedArray, index: tuple[Any, ...], value: LiftedArray) -> bool:
    """Whether an assignment puts memory onto itself, as the end of ``a[i] += v`` does."""
    if _home(array) is not _home(value):
        return False
    place = array.view(np.ndarray)[index]
    return isinstance(place, np.ndarray) and (
        place.__array_interface__["data"] == value.__array_interface__["data"]
        and (place.shape, place.strides) == (value.shape, value.strides)
    )


def write(array: LiftedArray, index: tuple[Any, ...], value: Any) -> None:
    """``array[index] = value`` in memory and in the graph."""
    if index is ALL and array._path is not None:
        parent, step = array._path
        if type(step) is tuple:  # all of a view by index is a part of the other array
            write(parent, step, value)
            return
    value = gathered(value)
    storage, plain = _home(array), array.view(np.ndarray)
    content, new = tensor_of(value), bare(value)
    if storage.tensor is None and type(content) is not Tensor:
        plain[index] = new
        return
    if type(new) is np.ndarray and np.may_share_memory(new, plain):
        new = new.copy()
    basic = _is_basic(index)
    place = index
    if array._path is None:
        shape = np.shape(plain[index])
    else:
        positions = _positions(array)[index]
        place, shape = np.unravel_index(positions, storage.buffer.shape), np.shape(positions)
    try:
        content = _fitted(content if type(content) is Tensor else new, shape, plain.dtype)
    except AutogradError:
        plain[index] = new  # raises NumPy's own error
        raise
    if not basic and repeats(index, plain):
        whole = storage.settle()
        whole = storage.buffer.copy() if whole is None else whole
        storage.replace(set_at(whole, place, content))
    else:
        storage.write(place, content)
    plain[index] = new


ALL = (Ellipsis,)
"""The index of a whole array."""


def _fitted(value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A value broadcast to a place and in the dtype of the memory, as an assignment does it."""
    if type(value) is not Tensor:
        made = np.empty(shape, dtype)
        made[...] = value
        return made
    if value.ndim > len(shape):
        value = reshape(value, value.shape[value.ndim - len(shape) :])
    if value.shape != shape:
        value = broadcast_to(value, shape)
    if value.dtype == dtype:
        return value
    value = astype(value, dtype)
    return value if value.tracked else value._value


def repeats(index: Any, plain: np.ndarray) -> bool:
    """Whether an index of arrays names an element twice."""
    places = np.arange(plain.size).reshape(plain.shape)[index]
    return bool(np.unique(places).size != np.size(places))
