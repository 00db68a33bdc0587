"""Recording: tensors, leaves, and how applying an operator makes a node.

Knows ``Tensor`` (a light handle: node and value) and the recorder. Does not know any single
operator nor derivatives; operators and methods are hung on ``Tensor`` by ``protocol``. Imports
errors, graph and modes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from sys import _getframe
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from autograd_lite.errors import (
    INTERNAL,
    AutogradError,
    AxisError,
    DetachedError,
    DomainError,
    DTypeError,
    GradientError,
    ImmutableError,
    IndexingError,
    LinAlgError,
    NonFiniteError,
    ShapeError,
    UnsupportedError,
    describe,
    user_frame,
)
from autograd_lite.graph import (
    EMPTY,
    Cell,
    Constant,
    Graph,
    Leaf,
    Node,
    Op,
    ancestors,
    settled,
)
from autograd_lite.modes import Mode, current_mode, state, using
from autograd_lite.shapes import Shape

__all__ = [
    "Tensor",
    "apply",
    "binary",
    "constant",
    "frozen",
    "keep_mask",
    "operator_error",
    "parameter",
    "parameter_names",
    "picks",
    "plain",
    "plain_value",
    "tensor",
    "trace",
    "unary",
]


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
        flatten: Any
        itemset: Any
        nonzero: Any
        partition: Any
        put: Any
        repeat: Any
        resize: Any
        searchsorted: Any
        setfield: Any
        sort: Any
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
        """The values as a read-only ndarray."""
        value = self._value
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
        return node.cell.grad if node is not None and node.cell is not None else None

    @grad.setter
    def grad(self, new: Any) -> None:
        node = self._node
        if node is None:
            raise GradientError("a constant has no gradient", mend="make it with ag.tensor")
        array = None if new is None else np.array(plain(new), dtype=node.dtype)
        if array is not None and array.shape != node.shape:
            raise ShapeError(
                f"a gradient of shape {array.shape} for a value of {node.shape}",
                mend="a gradient has its tensor's shape",
            )
        node.cell = node.cell or Cell()
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
            self._node.cell.grad = None

    def keep_grad(self) -> Self:
        """Ask ``backward`` to keep the gradient of this intermediate value too."""
        if self._node is None:
            raise GradientError("a constant has no gradient", mend="make it with ag.tensor")
        self._node.cell = self._node.cell or Cell()
        return self

    def detach(self) -> "Tensor":
        """The same value as a constant: derivatives do not flow through it."""
        return apply(_DETACH, (self,))  # type: ignore[no-any-return]  # a Tensor in, a Tensor out

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
                mend="compute with tensors alone inside ag.trace",
            )

    def _leave(self, how: str, instead: str) -> Any:
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
                mend="write ag.where(condition, a, b)",
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
            mend="t = ag.set(t, index, value), or ag.add_at(t, index, value)",
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
        copied = Tensor(self._value, _new_leaf(node.op.name, self._value, node.name, Cell()))
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
    return Tensor(leaf.value, leaf)


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


def _outputs(self: Node) -> tuple[Tensor, ...]:
    """Fresh handles of the values that this node made, computed again where they were not kept."""
    value = self.value if self.value is not None else Graph([self]).replay()[self]
    if type(value) is tuple:
        return picks(self, value)
    handle = Tensor(value, None if type(self) is Constant else self)
    if type(self) is Constant:
        handle._constant = self
    return (handle,)


Node.outputs = property(_outputs)  # type: ignore[assignment,method-assign]  # made of tensors


# applying an operator


def apply(op: Op, args: Sequence[Any], params: Mapping[str, Any] = EMPTY) -> Any:
    """Apply ``op`` to tensors, arrays and numbers, and record it where a tracked tensor is in it.

    Plain operands alone give a plain result; a Tensor among them gives a Tensor.
    """
    values: list[Any] = []
    inputs: list[Any] = []
    any_tensor = tracked = False
    for arg in args:
        if type(arg) is Tensor:
            any_tensor = True
            node: Any = arg._node
            values.append(arg._value)
            if node is not None:
                tracked = True
            else:
                node = getattr(arg, "_constant", arg._value)
            inputs.append(node)
        elif isinstance(arg, Tensor):
            return _highest(args).interpret(op, args, params)
        else:
            value = _operand(op, arg)
            values.append(value)
            inputs.append(value)
    try:
        result = op.forward(*values, **params)
    except Exception as error:
        raise operator_error(op, args, params, error) from error
    result = settled(result)
    if type(result) is complex:  # Python's own, of a float64 and an imaginary number
        result = np.complex128(result)
    if not any_tensor:
        return result
    mode = current_mode()
    if mode.debug:
        _check_finite(op, args, values, result)
    if not tracked or not (mode.tracing or (mode.recording and op.kind != "constant")):
        if type(result) is tuple:
            return tuple(Tensor(_unshared(part, inputs)) for part in result)
        return Tensor(_unshared(result, inputs))
    if not mode.recording:
        op = frozen(op)
    node = _record(op, inputs, values, params, result, mode)
    return picks(node, result) if type(result) is tuple else Tensor(result, node)


_PICK = Op(
    "output", "linear", lambda ys, *, index, count: ys[index], symbol="·", text="{0}", keeps=(0,),
    pulls=[lambda g, y, ys, *, index, count: [g if i == index else None for i in range(count)]],
)  # fmt: skip


def picks(node: Node, results: tuple[Any, ...]) -> tuple[Tensor, ...]:
    """Handles of the outputs of a node that has several: one more node picks each."""
    return tuple(
        Tensor(
            value,
            Node(
                _PICK, (node,), {"index": i, "count": len(results)}, None, value.shape,
                value.dtype, node.scope, node.code, node.offset,
            ),
        )
        for i, value in enumerate(results)
    )  # fmt: skip


def _record(
    op: Op,
    inputs: list[Any],
    values: list[Any],
    params: Mapping[str, Any],
    result: Any,
    mode: Mode,
) -> Node:
    several = type(result) is tuple
    frame = _outside(_getframe(2))
    keep = 0
    for i, node in enumerate(inputs):
        if isinstance(node, Node):
            keep |= keep_mask(op, i, values, params) if type(node) is not Constant else 0
        else:
            inputs[i] = _kept(node)
    for i, node in enumerate(inputs):
        if keep & (2 << i) and isinstance(node, Node):
            node.value = values[i]
    kept = result if keep & 1 else None
    shape, dtype = ((), None) if several else (result.shape, result.dtype)
    return Node(
        op, tuple(inputs), params, kept, shape, dtype, mode.scope, frame.f_code, frame.f_lasti
    )


def _outside(frame: FrameType) -> FrameType:
    """The nearest frame that is neither ours nor NumPy's; the outermost if there is none."""
    while INTERNAL[frame.f_code.co_filename] and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _operand(op: Op, arg: Any) -> Any:
    kind = type(arg)
    if kind is float or kind is int or kind is bool or kind is complex:
        return arg
    if kind is np.ndarray and arg.dtype in _ORDINARY:
        return arg
    if isinstance(arg, Node):
        raise UnsupportedError(f"the value of {arg!r} was not kept", mend="use Graph.replay()")
    if isinstance(arg, (np.ndarray, np.generic, list, tuple, int, float, complex)):
        return plain(arg)
    raise DTypeError(
        f"{op.name}: an operand is a {kind.__name__}",
        mend="operands are tensors, arrays, numbers, and nested lists of numbers",
    )


def _highest(args: Sequence[Any]) -> Any:
    """The operand that interprets the application: of the innermost forward-mode level."""
    special: list[Any] = [
        arg for arg in args if isinstance(arg, Tensor) and type(arg) is not Tensor
    ]
    return max(special, key=lambda arg: arg.level)


def _unshared(result: Any, inputs: Sequence[Any]) -> Any:
    """A result of a watched leaf (``copy=False``) must not be its array, nor a view of it."""
    watched = [node for node in inputs if isinstance(node, Leaf) and node.stamp is not None]
    if watched and any(np.may_share_memory(result, node.value) for node in watched):
        return result.copy()
    return result


def frozen(op: Op) -> Op:
    """The same operator without derivative, as tracing records what ``no_grad`` encloses."""
    return Op(op.name, "constant", op.forward, symbol=op.symbol, text=op.text, latex=op.latex)


_DETACH = Op("stop_gradient", "constant", lambda x: x, symbol="stop")


_PLAIN = (np.ndarray, np.float64, np.float32)


def unary(op: Op) -> Callable[..., Any]:
    """The function that applies a one-input operator: ``apply``, but faster."""
    forward = op.forward

    def call(x: Any, /, **params: Any) -> Any:
        if type(x) is Tensor:
            node = x._node
            mode = current_mode()
            if node is None or not mode.plain:
                return apply(op, (x,), params or EMPTY)
            value = x._value
            try:
                y = forward(value, **params) if params else forward(value)
            except Exception as error:
                raise operator_error(op, (x,), params, error) from error
            if y.__class__ is np.ndarray and not y.ndim:
                y = y[()]
            keep = op.keeps[0]
            if keep is None:
                keep = keep_mask(op, 0, [value], params)
            if keep & 2:
                node.value = value
            frame = _getframe(1)
            if INTERNAL[frame.f_code.co_filename]:
                frame = _outside(frame)
            return Tensor(
                y,
                Node(
                    op, (node,), params or EMPTY, y if keep & 1 else None, y.shape, y.dtype,
                    mode.scope, frame.f_code, frame.f_lasti,
                ),
            )  # fmt: skip
        if type(x) in _PLAIN:
            y = forward(x, **params)
            return y if y.ndim else y[()]
        return apply(op, (x,), params or EMPTY)

    return call


def binary(op: Op) -> Callable[..., Any]:
    """The function that applies a two-input operator without parameters: ``apply``, but faster."""
    forward = op.forward

    def call(a: Any, b: Any, /) -> Any:
        mode = current_mode()
        kind_a, kind_b = type(a), type(b)
        x: Any = a
        z: Any = b
        left = right = None
        if kind_a is Tensor:
            x, left = a._value, a._node
        elif not (kind_a is float or kind_a is int or _is_ordinary(a)):
            return apply(op, (a, b))
        if kind_b is Tensor:
            z, right = b._value, b._node
        elif not (kind_b is float or kind_b is int or _is_ordinary(b)):
            return apply(op, (a, b))
        if (left is None and right is None) or not mode.plain:
            return apply(op, (a, b))
        try:
            y = forward(x, z)
        except Exception as error:
            raise operator_error(op, (a, b), EMPTY, error) from error
        keep = 0
        if left is not None:
            keep = op.keeps[2 if kind_b is float or kind_b is int else 0]
            if keep is None:
                keep = keep_mask(op, 0, [x, z], EMPTY)
        if right is not None:
            also = op.keeps[3 if kind_a is float or kind_a is int else 1]
            keep |= keep_mask(op, 1, [x, z], EMPTY) if also is None else also
        if left is None:
            left = getattr(a, "_constant", x) if kind_a is Tensor else _kept(x)
        elif keep & 2:
            left.value = x
        if right is None:
            right = getattr(b, "_constant", z) if kind_b is Tensor else _kept(z)
        elif keep & 4:
            right.value = z
        frame = _getframe(1)
        if INTERNAL[frame.f_code.co_filename]:
            frame = _outside(frame)
        return Tensor(
            y,
            Node(
                op, (left, right), EMPTY, y if keep & 1 else None, y.shape, y.dtype, mode.scope,
                frame.f_code, frame.f_lasti,
            ),
        )  # fmt: skip

    return call


_ORDINARY = frozenset(map(np.dtype, "?bhilqBHILQefdg"))


def _is_ordinary(array: Any) -> bool:
    """Whether it is an ndarray of native real numbers, which needs no further look."""
    return type(array) is np.ndarray and array.dtype in _ORDINARY and array.ndim > 0


def _kept(operand: Any) -> Any:
    """An operand as a node keeps it: the caller's array is copied."""
    return operand.copy() if type(operand) is np.ndarray else operand


def keep_mask(op: Op, i: int, values: Sequence[Any], params: Mapping[str, Any]) -> int:
    """Which values the rule of input ``i`` reads; found by running it once on tensors.

    What does not stand among the ancestors of the rule's result was not read (shapes do not
    count). The answer is remembered on the operator; for two inputs there is a second pair of
    answers, for when the other one is a Python number.
    """
    if not isinstance(op.keeps, list):
        return int(op.keeps[i]) if op.pulls else 0
    place = i + 2 if op.kind == "pointwise" and any(map(_is_number, values)) else i
    mask = op.keeps[place]
    if mask is None:
        op.keeps[place] = (2 << len(values)) - 1  # the rule may apply this very operator
        mask = _traced_reads(op, i, values, params)
        telling = op.kind == "pointwise" or all(map(np.size, values))
        op.keeps[place] = mask if telling else None  # some rules do not look at empty arrays
    return int(mask)


def _is_number(value: Any) -> bool:
    return type(value) in (float, int, bool)


def _traced_reads(op: Op, i: int, values: Sequence[Any], params: Mapping[str, Any]) -> int:
    everything = (2 << len(values)) - 1
    token = state.set(Mode(tracing=True))
    try:
        with np.errstate(all="ignore"):
            if op.kind == "pointwise":
                values = [v if _is_number(v) else np.float64(0.5) for v in values]
            y = settled(op.forward(*values, **params))
            if type(y) is tuple:
                return everything
            probes = [v if _is_number(v) else tensor(_floating(v)) for v in (y, *values)]
            pull: Any = op.pulls[i]
            result = pull(tensor(np.ones_like(_floating(y))), *probes, **params)
    except Exception:  # noqa: BLE001 - a rule that does not run on tensors reads everything
        return everything
    finally:
        state.reset(token)
    if not isinstance(result, Tensor):
        return everything if op.strict else 0
    seen = set(ancestors([result.node]))
    return sum(
        1 << bit
        for bit, probe in enumerate(probes)
        if isinstance(probe, Tensor) and probe.node in seen
    )


def _floating(value: Any) -> Any:
    array = np.asarray(value)
    return array if array.dtype.kind in "fc" else array.astype(np.float64)


# errors of operators


def operator_error(
    op: Op, args: Sequence[Any], params: Mapping[str, Any], error: Exception
) -> Exception:
    """An error of NumPy's as one that says what, where and how to mend it, of NumPy's kind."""
    names = op.array_names
    lines = []
    for i, arg in enumerate(args):
        role = names[i] if i < len(names) else f"operand {i}"
        own = arg.name if isinstance(arg, Tensor) and type(arg) is Tensor else None
        lines.append(f"{role}: {describe(arg, own)}")
    lines += [f"{key} = {value!r}" for key, value in params.items() if not hasattr(value, "shape")]
    kind = _error_class(error)
    said = getattr(error, "what", None) or str(error).strip()
    mend = getattr(error, "mend", "")
    if kind is ShapeError and op.kind in _MENDS and not isinstance(error, AutogradError):
        said = f"shapes {' and '.join(str(np.shape(plain_value(arg))) for arg in args)} do not fit"
        mend = mend or _MENDS[op.kind]
    elif kind is LinAlgError:
        mend = mend or next((advice for word, advice in _ADVICE.items() if word in said), "")
    elif kind is IndexingError:
        mend = mend or "an axis of n elements has the indices -n to n - 1"
    what = said if said.startswith(op.name) else f"{op.name}: {said}"
    return kind(what, where="\n".join(lines), mend=mend)


_MENDS = {
    "pointwise": "shapes are aligned at the right: two sizes must be equal or one of them 1",
    "multilinear": "the sizes that are summed over must be equal; transpose with .T or .mT",
}


_ADVICE = {
    "ingular": "ag.linalg.pinv or lstsq, or add a small multiple of the identity",
    "positive definite": "see that it is, or add a small multiple of the identity",
    "square": "the last two axes have equal sizes",
    "dimensional": "a matrix has two axes; those before are batches",
}
"""What to write instead, by a word of NumPy's message about a matrix."""


def plain_value(value: Any) -> Any:
    """What a tensor holds; anything else as it is."""
    return value._value if isinstance(value, Tensor) else value


def _error_class(error: Exception) -> type[AutogradError]:
    if isinstance(error, AutogradError):
        return type(error)
    if isinstance(error, np.exceptions.AxisError):
        return AxisError
    if isinstance(error, IndexError):
        return IndexingError
    if isinstance(error, np.linalg.LinAlgError):
        return LinAlgError
    if isinstance(error, TypeError):
        return DTypeError
    words = str(error)
    about_shape = any(word in words for word in ("shape", "broadcast", "dimension", "aligned"))
    return ShapeError if about_shape else DomainError


def _check_finite(op: Op, args: Sequence[Any], values: Sequence[Any], result: Any) -> None:
    if type(result) is tuple:
        for part in result:
            _check_finite(op, args, values, part)
        return
    if np.asarray(result).dtype.kind not in "fc" or np.all(np.isfinite(result)):
        return
    fresh = all(np.all(np.isfinite(value)) for value in values)
    raise NonFiniteError(
        f"{op.name} gave {np.size(result) - int(np.sum(np.isfinite(result)))} NaN or infinite "
        f"values" + ("" if fresh else " (an operand held some already)"),
        where="\n".join(describe(arg) for arg in args),
        mend="look at the operands of this line; ag.where does not hide a NaN in the branch that "
        "is not taken",
    )


# functions as graphs


def parameter_names(f: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's positional parameters; none if it is not written in Python."""
    code = getattr(f, "__code__", None)
    return code.co_varnames[: code.co_argcount] if code is not None else ()


def trace(f: Callable[..., Any], /, *examples: Any) -> Graph:
    """The graph of ``f`` on these examples: all that depends on an input is recorded.

    Comparisons and ``detach`` too, so that a replay on other inputs is right. ``f`` returns a
    tensor or a tuple of tensors.

    >>> import autograd_lite as ag
    >>> print(ag.trace(lambda x: ag.exp(x) + 1, [0.0, 1.0]))  # doctest: +ELLIPSIS
    graph of 3 nodes
      x   input...
    """
    names = parameter_names(f)
    leaves = [
        tensor(example, name=names[i] if i < len(names) else None)
        for i, example in enumerate(examples)
    ]
    with using(tracing=True):
        result = f(*leaves)
    outputs = result if isinstance(result, (tuple, list)) else (result,)
    if not all(isinstance(output, Tensor) for output in outputs):
        raise GradientError(
            "the traced function did not return tensors",
            mend="return a tensor or a tuple of tensors; do not call .numpy() inside",
        )
    return Graph.of(*outputs)
