"""Recording: how applying an operator computes a value and makes a node.

Knows what a node keeps, where it came from, and how a function becomes a graph. Does not know any
single operator nor derivatives. Imports errors, graph, modes, tensors and operator_errors.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from sys import _getframe
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.errors import (
    INTERNAL,
    AutogradError,
    DTypeError,
    GradientError,
    ShapeError,
    UnsupportedError,
)
from autograd_lite.graph import EMPTY, Constant, Graph, Leaf, Node, Op, ancestors, settled
from autograd_lite.modes import Mode, current_mode, state, using
from autograd_lite.operator_errors import check_finite, operator_error
from autograd_lite.tensors import Tensor, plain, tensor

__all__ = [
    "DETACH",
    "Part",
    "apply",
    "binary",
    "frozen",
    "keep_mask",
    "parameter_names",
    "picks",
    "shaped",
    "trace",
    "unary",
]


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
            value = _operand(op, arg, args)
            values.append(value)
            tracer = current_mode().tracer if type(value) is np.ndarray else None
            held = None if tracer is None else tracer.captured(arg)
            inputs.append(value if held is None else held.node)
            if held is not None:
                any_tensor = tracked = True
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
        check_finite(op, args, params, values, result)
    if not tracked or not (mode.tracing or (mode.recording and op.kind != "constant")):
        if type(result) is tuple:
            return tuple(Tensor(_unshared(part, inputs)) for part in result)
        return Tensor(_unshared(result, inputs))
    if not mode.recording:
        op = frozen(op)
    node = _record(op, inputs, values, params, result, mode)
    made = picks(node, result) if type(result) is tuple else Tensor(result, node)
    if mode.tracer is not None:
        mode.tracer.note(made)
    return made


class Part(NamedTuple):
    """The cotangent of one output of a node that has several."""

    value: Any
    output: int
    outputs: int


_PICK = Op(
    "output", "linear", lambda ys, *, index, count: ys[index], symbol="·", text="{0}", keeps=(0,),
    pulls=[lambda g, y, ys, *, index, count: Part(g, index, count)],
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
    while INTERNAL[frame.f_code.co_filename]:
        caller = frame.f_back
        if caller is None:
            break
        frame = caller
    return frame


def _operand(op: Op, arg: Any, args: Sequence[Any]) -> Any:
    kind = type(arg)
    if kind is float or kind is int or kind is bool or kind is complex:
        return arg
    if kind is np.ndarray and arg.dtype in _ORDINARY:
        return arg
    if isinstance(arg, Node):
        raise UnsupportedError(f"the value of {arg!r} was not kept", mend="use Graph.replay()")
    if isinstance(arg, (np.ndarray, np.generic, list, tuple, int, float, complex)):
        try:
            return plain(arg)
        except AutogradError as error:
            refused = error
    else:
        refused = DTypeError(
            f"an operand is a {kind.__name__}",
            mend="operands are tensors, arrays, numbers, and nested lists of numbers",
        )
    told = operator_error(op, args, EMPTY, refused)
    told.node = None  # there is no operation on such data
    raise told from None


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


DETACH = Op("stop_gradient", "constant", lambda x: x, symbol="stop")


def _detach(self: Tensor) -> Tensor:
    """The same value as a constant: derivatives do not flow through it."""
    return apply(DETACH, (self,))  # type: ignore[no-any-return]  # a Tensor in, a Tensor out


Tensor.detach = _detach


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


# functions as graphs


def parameter_names(f: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a function's positional parameters; none if it is not written in Python."""
    code = getattr(f, "__code__", None)
    return code.co_varnames[: code.co_argcount] if code is not None else ()


class shaped(NamedTuple):  # noqa: N801 - reads as a verb, beside np.zeros
    """A shape (and dtype) in place of an example, for ``ag.trace``.

    >>> import autograd_lite as ag
    >>> ag.trace(lambda x: x.T @ x, ag.shaped((3, 2))).outputs[0].shape
    (2, 2)
    """

    shape: int | tuple[int, ...]
    dtype: Any = np.float64

    def example(self) -> Any:
        """Some array of this shape; where it is a square matrix a symmetric, positive one."""
        try:
            array = np.full(self.shape, 0.5, np.dtype(self.dtype))
        except (TypeError, ValueError) as error:
            raise ShapeError(
                f"no array has this shape and dtype: {error}", mend="ag.shaped((2, 3), np.float32)"
            ) from error
        if array.dtype.kind not in "fc":
            raise DTypeError(
                f"an input that derivatives are taken to is of floating numbers, not {array.dtype}",
                mend="let the function close over integer arrays, such as labels",
            )
        if array.ndim > 1 and array.shape[-1] == array.shape[-2]:
            array += np.diag(np.arange(1, array.shape[-1] + 1)).astype(array.dtype)
        return array


def trace(f: Callable[..., Any], /, *examples: Any) -> Graph:
    """The graph of ``f`` on these examples: all that depends on an input is recorded.

    Comparisons and ``detach`` too, so that a replay on other inputs is right. ``f`` returns a
    tensor or a tuple of tensors. An example may be a shape alone (``ag.shaped``): ``f`` then runs
    once on made-up numbers, which are forgotten, and the graph has no values: it can be drawn,
    listed, and replayed on arrays that are given to ``replay``.

    >>> import autograd_lite as ag
    >>> print(ag.trace(lambda x: ag.exp(x) + 1, [0.0, 1.0]))  # doctest: +ELLIPSIS
    graph of 3 nodes
      x   input...
    """
    names = parameter_names(f)
    leaves = [
        tensor(
            example.example() if isinstance(example, shaped) else example,
            name=names[i] if i < len(names) else None,
        )
        for i, example in enumerate(examples)
    ]
    made_up = {
        leaf.node
        for leaf, example in zip(leaves, examples, strict=True)
        if isinstance(example, shaped)
    }
    quiet = np.errstate(all="ignore") if made_up else nullcontext()
    with using(tracing=True, abstract=bool(made_up)), quiet:
        result = f(*leaves)
    outputs = result if isinstance(result, (tuple, list)) else (result,)
    if not all(isinstance(output, Tensor) for output in outputs):
        raise GradientError(
            "the traced function did not return tensors",
            mend="return a tensor or a tuple of tensors; do not call .numpy() inside",
        )
    graph = Graph.of(*outputs)
    _forget(graph, made_up)
    return graph


def _forget(graph: Graph, made_up: set[Node]) -> None:
    """Take the values from leaves that have made-up ones, and from all that rests on them."""
    for node in graph.nodes:
        if node in made_up or not made_up.isdisjoint(p for p in node.inputs if isinstance(p, Node)):
            made_up.add(node)
            node.value = None
