"""Tensors: light handles of a value and the node that made it, and how leaves are made.

Knows ``Tensor`` and what data may become one. Does not know operators or derivatives: operators
and methods are hung on ``Tensor`` by ``protocol``. Imports errors, graph and modes.
"""

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from autograd_lite.errors import (
    AutogradError,
    DetachedError,
    DTypeError,
    GradientError,
    ImmutableError,
    ShapeError,
    UnsupportedError,
    describe,
    user_frame,
)
from autograd_lite.graph import Cell, Constant, Leaf, Node, settled
from autograd_lite.modes import current_mode
from autograd_lite.shapes import Shape

__all__ = ["Tensor", "constant", "parameter", "plain", "plain_value", "renew", "tensor"]


class Tensor:
    """A value and the node that made it. Values never change.

    Made by ``ag.tensor``, ``ag.parameter``, ``ag.constant`` and by every operator; ``node`` is
    what derivatives follow. Operators and methods are those of an ndarray.

    >>> import autograd_lite as ag
    >>> x = ag.tensor([1.0, 2.0], name="x")
    >>> x * 3
    Tensor([3., 6.])
    """

    __slots__ = ("__weakref__", "_constant", "_node", "_value")
    __array_priority__ = 1000.0

    if TYPE_CHECKING:  # what `protocol` hangs on the class; a test holds both against each other

        def __add__(self, other: Any, /) -> Any: ...
        def __radd__(self, other: Any, /) -> Any: ...
        def __sub__(self, other: Any, /) -> Any: ...
        def __rsub__(self, other: Any, /) -> Any: ...
        def __mul__(self, other: Any, /) -> Any: ...
        def __rmul__(self, other: Any, /) -> Any: ...
        def __truediv__(self, other: Any, /) -> Any: ...
        def __rtruediv__(self, other: Any, /) -> Any: ...
        def __pow__(self, other: Any, /) -> Any: ...
        def __rpow__(self, other: Any, /) -> Any: ...
        def __matmul__(self, other: Any, /) -> Any: ...
        def __rmatmul__(self, other: Any, /) -> Any: ...
        def __floordiv__(self, other: Any, /) -> Any: ...
        def __rfloordiv__(self, other: Any, /) -> Any: ...
        def __lt__(self, other: Any, /) -> Any: ...
        def __le__(self, other: Any, /) -> Any: ...
        def __gt__(self, other: Any, /) -> Any: ...
        def __ge__(self, other: Any, /) -> Any: ...
        def __mod__(self, other: Any, /) -> Any: ...
        def __rmod__(self, other: Any, /) -> Any: ...
        def __divmod__(self, other: Any, /) -> Any: ...
        def __rdivmod__(self, other: Any, /) -> Any: ...
        def __and__(self, other: Any, /) -> Any: ...
        def __rand__(self, other: Any, /) -> Any: ...
        def __or__(self, other: Any, /) -> Any: ...
        def __ror__(self, other: Any, /) -> Any: ...
        def __xor__(self, other: Any, /) -> Any: ...
        def __rxor__(self, other: Any, /) -> Any: ...
        def __lshift__(self, other: Any, /) -> Any: ...
        def __rlshift__(self, other: Any, /) -> Any: ...
        def __rshift__(self, other: Any, /) -> Any: ...
        def __rrshift__(self, other: Any, /) -> Any: ...
        def __array_namespace__(self, *, api_version: str | None = None) -> Any: ...
        def __eq__(self, other: object, /) -> Any: ...
        def __ne__(self, other: object, /) -> Any: ...
        def __neg__(self) -> Any: ...
        def __pos__(self) -> Any: ...
        def __abs__(self) -> Any: ...
        def __invert__(self) -> Any: ...
        def __getitem__(self, index: Any, /) -> Any: ...

        sum: Any
        mean: Any
        prod: Any
        max: Any
        min: Any
        var: Any
        std: Any
        argmax: Any
        argmin: Any
        all: Any
        any: Any
        argsort: Any
        argpartition: Any
        choose: Any
        clip: Any
        compress: Any
        copy: Any
        cumprod: Any
        cumsum: Any
        diagonal: Any
        fill: Any
        flat: Any
        flatten: Any
        itemset: Any
        itemsize: Any
        nbytes: Any
        nonzero: Any
        partition: Any
        put: Any
        repeat: Any
        resize: Any
        searchsorted: Any
        setfield: Any
        sort: Any
        strides: Any
        take: Any
        trace: Any
        squeeze: Any
        swapaxes: Any
        dot: Any
        round: Any
        astype: Any
        ravel: Any
        reshape: Any
        transpose: Any
        backward: Any
        detach: Any
        conj: Any
        conjugate: Any
        real: Any
        imag: Any
        T: Any
        mT: Any  # noqa: N815 - the Array API's name

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __init__(self, value: Any, node: Node | None = None) -> None:
        self._value = value
        self._node = node

    # what it holds

    @property
    def data(self) -> Any:
        """The values as a read-only ndarray; while a function is compiled a traced constant."""
        value = self._value
        tracer = current_mode().tracer
        if self._node is not None and tracer is not None:
            return tracer.array(self.detach())
        if isinstance(value, np.ndarray):
            view = value.view()
            view.flags.writeable = False
            return view
        array = np.asarray(value)
        array.flags.writeable = False
        return array

    @data.setter
    def data(self, new: Any) -> None:
        node = self._node
        if node is None or node.op.name != "parameter":
            raise ImmutableError(
                "only a parameter takes a new value",
                mend="make a new tensor with ag.tensor(data), or use ag.parameter",
            )
        tracer = current_mode().tracer
        if tracer is not None:
            tracer.assign(self, new)
            return
        value = settled(np.array(plain(new), dtype=node.dtype))
        if value.shape != node.shape:
            raise ShapeError(
                f"parameter {node.name or ''} has shape {node.shape}, the new value {value.shape}",
                mend="give an array of the parameter's shape, or make a new parameter",
            )
        self._node = _new_leaf("parameter", value, node.name, node.cell)
        self._value = value

    @property
    def shape(self) -> Shape:
        """The sizes along each axis."""
        return self._value.shape  # type: ignore[no-any-return]  # values are untyped

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim  # type: ignore[no-any-return]  # values are untyped

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._value.size  # type: ignore[no-any-return]  # values are untyped

    @property
    def dtype(self) -> Any:
        """The NumPy dtype."""
        return self._value.dtype

    @property
    def device(self) -> str:
        """``"cpu"``: where NumPy computes (Array API)."""
        return "cpu"

    @property
    def tracked(self) -> bool:
        """Whether derivatives flow through this tensor."""
        return self._node is not None

    @property
    def node(self) -> Node:
        """The node that made this value; for an untracked value a constant."""
        return self._node if self._node is not None else self._as_constant()

    def _as_constant(self) -> Constant:
        held: Constant | None = getattr(self, "_constant", None)
        if held is None:
            held = self._constant = Constant("constant", self._value, None, *_here())
        return held

    @property
    def name(self) -> str | None:
        """What pictures, listings and messages call this value."""
        return self.node.name

    @name.setter
    def name(self, name: str | None) -> None:
        self.node.name = _checked_name(name)

    # gradients

    @property
    def grad(self) -> Any:
        """What ``backward`` has added up so far: an ndarray of this shape and dtype, or None."""
        node = self._node
        if node is None or node.cell is None:
            return None
        tracer = current_mode().tracer
        return node.cell.grad if tracer is None else tracer.gradient(node.cell)

    @grad.setter
    def grad(self, new: Any) -> None:
        node = self._node
        if node is None:
            raise GradientError("a constant has no gradient", mend="make it with ag.tensor")
        node.cell = node.cell or Cell()
        tracer = current_mode().tracer
        if tracer is not None:
            tracer.set_gradient(node.cell, new)
            return
        array = None if new is None else np.array(plain(new), dtype=node.dtype)
        if array is not None and array.shape != node.shape:
            raise ShapeError(
                f"a gradient of shape {array.shape} for a value of {node.shape}",
                mend="a gradient has its tensor's shape",
            )
        node.cell.grad = array

    def to_device(self, device: Any, /, *, stream: Any = None) -> Self:
        """The tensor itself: there is one device, ``"cpu"`` (Array API)."""
        if device != "cpu" or stream is not None:
            raise UnsupportedError(f"no device {device!r}", mend='the only one is "cpu"')
        return self

    def __dlpack__(self, **keywords: Any) -> Any:
        value = self._leave("DLPack", ".numpy() for the values")
        return np.array(value).__dlpack__(**keywords)

    def __dlpack_device__(self) -> tuple[int, int]:
        return np.empty(0).__dlpack_device__()

    def zero_grad(self) -> None:
        """Forget the gradient: ``grad`` is None again."""
        if self._node is not None and self._node.cell is not None:
            self.grad = None

    def keep_grad(self) -> Self:
        """Ask ``backward`` to keep the gradient of this intermediate value too."""
        if self._node is None:
            raise GradientError("a constant has no gradient", mend="make it with ag.tensor")
        self._node.cell = self._node.cell or Cell()
        return self

    # ways out of the graph

    def numpy(self) -> Any:
        """A writable copy of the values as an ndarray."""
        self._stay_traced(".numpy()")
        return np.array(self._value)

    def item(self) -> Any:
        """The single element as a Python number."""
        self._stay_traced(".item()")
        if self._value.size != 1:
            raise ShapeError(
                f"item() of {self.size} elements", mend="index one element, or use .numpy()"
            )
        return self._value.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        self._stay_traced(".tolist()")
        return self._value.tolist()

    def _stay_traced(self, how: str) -> None:
        if self._node is not None and current_mode().tracing:
            raise DetachedError(
                f"{how} of a traced value would bake this example's numbers into the graph",
                where=describe(self, self.name),
                mend="stay with tensors: operators, ag functions, ag.where for a choice, t[i] for "
                "a position, ag.stack or ag.lift instead of writing into an array; a number that "
                "a loop or a shape needs is computed outside, and is an argument",
            )

    def _leave(self, how: str, instead: str) -> Any:
        self._stay_traced(how)
        if self._node is not None:
            raise DetachedError(
                f"{how} of a tracked tensor would cut it from its graph",
                where=describe(self, self.name),
                mend=f"write {instead}",
            )
        return self._value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        value = self._leave("np.asarray", ".numpy() for the values, or an ag function of tensors")
        array = np.asarray(value, dtype=dtype)
        return array.copy() if copy else _read_only(array)

    def __float__(self) -> float:
        return float(
            self._leave("float()", ".item() for the number, or an ag function (ag.exp, …)")
        )

    def __int__(self) -> int:
        return int(self._leave("int()", "int(t.item()) for the number"))

    def __complex__(self) -> complex:
        return complex(self._leave("complex()", ".item() for the number"))

    def __index__(self) -> int:
        return self._leave("an index", "int(t.item())").__index__()  # type: ignore[no-any-return]  # values are untyped

    def __bool__(self) -> bool:
        if current_mode().tracing and self._node is not None:
            raise DetachedError(
                "the truth of a traced value would bake one branch into the graph",
                mend="write ag.where(condition, a, b); or check and choose outside, and pass the "
                "choice as an argument",
            )
        if self._value.size != 1:
            raise ShapeError(
                f"the truth of {self._value.size} elements is ambiguous",
                where=describe(self, self.name),
                mend="say which: (t > 0).data.all() or .any()",
            )
        return bool(self._value)

    def __format__(self, spec: str) -> str:
        return format(self._value, spec) if spec else str(self)

    def __repr__(self) -> str:
        shown = np.array2string(np.asarray(self._value), separator=", ", prefix="Tensor(")
        kind = self._value.dtype
        facts = [] if kind in (np.float64, np.int64, np.bool_) else [f"dtype={kind}"]
        node = self._node if self._node is not None else getattr(self, "_constant", None)
        facts += [f"name={node.name!r}"] if node is not None and node.name else []
        return f"Tensor({', '.join([shown, *facts])})"

    def __len__(self) -> int:
        if not self._value.ndim:
            raise ShapeError("len() of a 0-d tensor", mend="use .size")
        return len(self._value)

    def __iter__(self) -> Iterator["Tensor"]:
        if not self._value.ndim:
            raise ShapeError("a 0-d tensor cannot be iterated", mend="use .item()")
        return (self[i] for i in range(len(self._value)))

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise ImmutableError(
            "a tensor never changes: t[index] = value does not exist",
            where=describe(self, self.name),
            mend="t = ag.set(t, index, value), or ag.add_at(t, index, value); "
            "ag.lift(f) runs a function f that changes arrays",
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> "Tensor":
        node = self._node
        if node is None:
            return Tensor(self._value)
        if not isinstance(node, Leaf):
            raise UnsupportedError(
                "a tensor in the middle of a graph is not copied: its graph would have to be too",
                mend="copy its leaves and compute again, or take .detach() or .numpy()",
            )
        copied = _held(Tensor(self._value, _new_leaf(node.op.name, self._value, node.name, Cell())))
        copied.grad = self.grad
        return copied

    def __copy__(self) -> "Tensor":
        return self.__deepcopy__({})

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise UnsupportedError(
            "tensors are not pickled: unpickling would run code",
            mend="save t.numpy() with np.save, and make a tensor of it again",
        )


def _read_only(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view


def _here() -> tuple[Any, int]:
    frame = user_frame(2)
    return (frame.f_code, frame.f_lasti) if frame else (None, 0)


def _checked_name(name: str | None) -> str | None:
    if name is not None and not isinstance(name, str):
        raise DTypeError(f"a name is a string, not a {type(name).__name__}")
    return name


# leaves


def plain(value: Any) -> Any:
    """Data as a native numeric ndarray or NumPy scalar, or an error that names its kind.

    Lists and numbers are taken; object, string, date, structured and masked arrays and np.matrix
    are refused. A tensor gives its value.
    """
    if isinstance(value, Tensor):
        return value._leave("using its plain value", "ag functions, or t.detach()")
    if isinstance(value, (np.matrix, np.ma.MaskedArray)):
        raise DTypeError(
            f"a {type(value).__name__} has rules of its own",
            mend="pass np.asarray(matrix), or masked.filled(0) and the mask apart",
        )
    try:
        array = value if isinstance(value, (np.ndarray, np.generic)) else np.asarray(value)
    except AutogradError as error:
        raise DetachedError(
            "a list of tracked tensors is not an array",
            mend="ag.stack([...]) joins tensors; to ag.grad pass np.array([...]) for one array",
        ) from error
    except ValueError as error:
        raise ShapeError(f"this is not a rectangular array: {error}") from error
    if array.dtype.kind not in "biufc":
        raise DTypeError(
            f"data of dtype {array.dtype} cannot be computed with",
            where=describe(array),
            mend="use numbers: bool, integers, floats or complex",
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array if type(array) is np.ndarray or not array.ndim else array.view(np.ndarray)


def _new_leaf(kind: str, value: Any, name: str | None, cell: Cell | None) -> Leaf:
    leaf = Leaf(kind, value, name, *_here())
    leaf.cell = cell
    return leaf


def _leaf(kind: str, data: Any, name: str | None, dtype: Any, copy: bool) -> Tensor:
    if isinstance(data, Tensor):
        tracer = current_mode().tracer
        if tracer is not None and data.tracked and kind == "input":
            made: Tensor = tracer.variable(data, name, dtype)
            return made
        data = data._leave(f"ag.{kind}", "t.detach() first")
    array = plain(data)
    wanted = np.dtype(dtype) if dtype is not None else array.dtype
    if array.dtype.kind == "c" and wanted.kind != "c":
        raise DTypeError(
            f"data of dtype {array.dtype} do not fit into {wanted}",
            mend="take .real or .imag of the data",
        )
    if wanted.kind in "biu":
        if dtype is not None:
            raise DTypeError(
                f"derivatives need floating numbers, not {wanted}",
                mend="leave out dtype (integers become float64), or use ag.constant",
            )
        wanted = np.dtype(np.float64)
    if copy or array.dtype != wanted:
        array, copy = np.array(array, dtype=wanted, order="K", copy=True), True
        array.flags.writeable = False
    leaf = _new_leaf(kind, settled(array), _checked_name(name), Cell())
    if not copy:
        leaf.watch()
    return _held(Tensor(leaf.value, leaf))


def _held(made: Tensor) -> Tensor:
    """A leaf whose cell knows it, if it is a parameter: its versions can be traced to it."""
    node = made.node
    if node.op.name == "parameter" and node.cell is not None:
        node.cell.holder = weakref.ref(made)
    return made


def renew(held: Tensor, value: Any) -> None:
    """Give a parameter an array of its dtype and shape that nobody else holds; not copied."""
    node = held.node
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    held._node = _new_leaf("parameter", value, node.name, node.cell)
    held._value = value


def tensor(data: Any, *, name: str | None = None, dtype: Any = None, copy: bool = True) -> Tensor:
    """A tracked leaf: an *input*, to which derivatives can be taken.

    Lists, numbers and arrays of any shape; int and bool become float64. ``copy=False`` keeps the
    caller's array and notices a later change of it (``StaleValueError``).

    >>> import autograd_lite as ag
    >>> ag.tensor([[1, 2]], name="x")
    Tensor([[1., 2.]], name='x')
    """
    return _leaf("input", data, name, dtype, copy)


def parameter(
    data: Any, *, name: str | None = None, dtype: Any = None, copy: bool = True
) -> Tensor:
    """A tracked leaf drawn as a parameter; ``p.data = new`` gives it a new value.

    Graphs recorded before keep the old value; the gradient of both goes to ``p.grad``.

    >>> import autograd_lite as ag
    >>> p = ag.parameter([1.0], name="p")
    >>> p.data = p.data - 0.5
    >>> p
    Tensor([0.5], name='p')
    """
    return _leaf("parameter", data, name, dtype, copy)


def constant(data: Any, *, name: str | None = None, copy: bool = True) -> Tensor:
    """An untracked leaf that is drawn with its name; plain arrays and numbers are constants too.

    The dtype stays as it is (integers remain integers).

    >>> import autograd_lite as ag
    >>> ag.constant([1, 2], name="c").dtype
    dtype('int64')
    """
    if isinstance(data, Tensor):
        data = data._leave("ag.constant", "t.detach() first")
    array = plain(data)
    if copy:
        array = np.array(array, order="K")
        array.flags.writeable = False
    result = Tensor(settled(array))
    result._constant = Constant("constant", result._value, _checked_name(name), *_here())
    if not copy:
        result._constant.watch()
    return result


def plain_value(value: Any) -> Any:
    """What a tensor holds; anything else as it is."""
    return value._value if isinstance(value, Tensor) else value
