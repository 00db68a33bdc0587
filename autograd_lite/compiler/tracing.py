"""How a function becomes a program: one run on real values, with all its state lifted.

What the function reads of parameters, buffers, gradients, optimizers and generators becomes an
input that is read anew at every call; what it writes becomes an output that is put into place when
a call has succeeded. Knows state and the recorder; no operator but those that it needs itself.
Imports graph, modes, recording, tensors and the operators.
"""

import functools
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.compiler.guards import Guard, form_of, view_of
from autograd_lite.compiler.surroundings import Surroundings, surroundings
from autograd_lite.errors import DetachedError, ShapeError, UnsupportedError, describe
from autograd_lite.graph import (
    Cell,
    Constant,
    Datum,
    Graph,
    Leaf,
    Node,
    Op,
    ancestors,
    rebuilt,
    same_again,
    settled,
)
from autograd_lite.modes import using
from autograd_lite.ops.shaping import astype
from autograd_lite.recording import apply
from autograd_lite.tensors import Tensor, plain, renew
from autograd_lite.tree import flatten, parts_of

__all__ = [
    "ARRAY",
    "OUTWARD",
    "TENSOR",
    "Gone",
    "Input",
    "Number",
    "Trace",
    "Tracer",
    "Write",
    "trace_call",
]

ARRAY = Op("as_array", "constant", lambda x: x, symbol="=", text="{0}", code="{0}")
"""Marks what is a plain array outside of a trace: the gradient of an array, say."""
OUTWARD = Op("outward", "constant", lambda x: x, symbol="=", text="{0}", code="{0}")
"""Marks what a derivative inside of a trace gives: a constant there, as for arrays; but who
differentiates the compiled function by its arguments differentiates through it."""
TENSOR = Op("as_tensor", "linear", lambda x: x, symbol="=", text="{0}", code="{0}",
            pulls=[lambda g, y, x: g], keeps=(0,))  # fmt: skip
"""Marks what ``ag.tensor`` makes of a traced value: a tensor outside of a trace."""

SHAPE = Op("shape", "constant", lambda x: np.array(np.shape(x)), text="shape({0})",
           code="np.array(np.shape({0}))", array_names=("x",))  # fmt: skip
"""What a program gives of an array whose shape values decide: it serves one such shape."""


@dataclass(frozen=True)
class Input:
    """A leaf, and where its value comes from at a call: a place among the arguments, or ``read``.

    ``held`` is the tensor that derivatives of a call go to, where the function closes over one.

    ``kind`` is "array" or "tensor": as what the function sees it when it is not compiled.
    """

    leaf: Leaf
    kind: str
    read: Callable[[], Any] | None = None
    held: Tensor | None = None


@dataclass(frozen=True)
class Write:
    """A new value of some state, and how it is put into place. ``node`` None: ``value`` itself."""

    node: Node | None
    value: Any
    put: Callable[[Any], None]


class Gone(Tensor):
    """A traced value after its trace: whoever kept it learns that it is nothing any more."""

    __slots__ = ()
    level = np.inf
    has_left = True

    def interpret(self, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """Refuse."""
        raise self._refusal(op.name)

    def _refusal(self, what: str) -> DetachedError:
        place = self._node.source if self._node is not None else None
        return DetachedError(
            f"{what} of a value that has left its trace: it was an example while the function was "
            "compiled",
            where=f"made at {place}:  {place.text}" if place else "",
            mend="return it from the compiled function; what lasts from call to call is an "
            "argument, a parameter or a buffer of a layer",
        )

    def __getattribute__(self, name: str) -> Any:
        if name in _READ:
            raise Gone._refusal(self, name)
        return object.__getattribute__(self, name)

    def __repr__(self) -> str:
        return "Tensor(left its trace)"


_READ = frozenset(["data", "numpy", "item", "tolist", "backward", "detach", "shape", "dtype"])


class Number(Tensor):
    """A Python number that may be another at the next call: a rate, the count of steps.

    Arithmetic with numbers is Python's, done before a call; an array makes an input of it, in the
    array's dtype, as a Python number would be taken.
    """

    __slots__ = ("read", "tracer")
    level = -1

    def __init__(self, tracer: "Tracer", read: Callable[[], Any]) -> None:
        Tensor.__init__(self, np.asarray(read())[()], None)
        self.tracer, self.read = tracer, read

    def _leave(self, how: str, instead: str) -> Any:
        raise DetachedError(
            f"{how} of a number that may be another at the next call would be baked in",
            mend="compute with it alone, or write ag.where(condition, a, b)",
        )

    def __bool__(self) -> bool:
        return bool(self._leave("the truth", ""))

    def _stay_traced(self, how: str) -> None:
        self._leave(how, "")

    def interpret(self, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """The number that an operator makes of numbers, or a traced value."""
        others = [arg for arg in args if not isinstance(arg, (Number, int, float))]
        if not others:
            return Number(self.tracer, functools.partial(_computed, op, tuple(args), dict(params)))
        weak = isinstance(self.read(), (int, float))
        dtype = np.result_type(*[arg.dtype for arg in others], 1.0) if weak else self.dtype
        return apply(op, [_leaf_of(arg, dtype) for arg in args], params)


def _computed(op: Op, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    return op.forward(*[arg.read() if isinstance(arg, Number) else arg for arg in args], **params)


def _leaf_of(arg: Any, dtype: Any) -> Any:
    if not isinstance(arg, Number):
        return arg
    read = arg.read
    return arg.tracer.lift(lambda: dtype.type(read()), "rate", "array")


class Tracer:
    """What one trace notes of the state that the function reads and writes.

    Rooms that hold state ask it, while a mode has one: see ``modes.Mode.tracer``.
    """

    def __init__(self, around: Surroundings | None = None) -> None:
        self.around = around or Surroundings()
        self.inputs: list[Input] = []
        self.guards: list[Any] = []
        self.afterwards: list[Callable[[], None]] = []
        self.generators: dict[int, tuple[Any, Any]] = {}  # and their states before
        self.sizes: list[tuple[Node, tuple[int, ...]]] = []  # that are as now in each call
        self.made: set[int] = set()  # generators and cells that the function makes itself
        self.lifted: set[int] = set()  # arrays that the function closes over and that are inputs
        self.foreign = False  # whether numbers came in that NumPy may have made of such arrays
        self._state: dict[Any, Any] = {}
        self._puts: dict[Any, Callable[[Any], None]] = {}
        self._parameters: dict[int, tuple[Tensor, Any, Any]] = {}
        self._pending: dict[int, int] = {}
        self._handles: weakref.WeakSet[Tensor] = weakref.WeakSet()
        self.first = Leaf("input", np.float64(0), None, None, 0).serial
        self._keep: list[Any] = []  # ids stay unique while what they name lives

    # what the recorder and the transforms tell

    def note(self, made: Any) -> None:
        """Remember a handle, to be told when the trace has ended; and a size that values decide."""
        parts = made if type(made) is tuple else (made,)
        for one in parts:
            self._handles.add(one)
        maker = made[0].node.inputs[0] if type(made) is tuple else made.node
        if maker.op.sized is not None and maker.op.sized(*maker.inputs):
            self.sizes += [(apply(SHAPE, (one,)).node, one.shape) for one in parts]

    def array(self, value: Tensor) -> Tensor:
        """A traced value that is a plain array where nothing is compiled."""
        made: Tensor = apply(ARRAY, (value,))
        return made

    def outward(self, value: Tensor) -> Tensor:
        """What a derivative gives that was asked for inside of the function."""
        made: Tensor = apply(OUTWARD, (value,))
        return made

    # reading

    def lift(self, read: Callable[[], Any], name: str | None, kind: str) -> Tensor:
        """An input whose value is read at each call; the first one now."""
        value = settled(np.array(read()))
        made = _traced(value, name)
        self.inputs.append(Input(made.node, kind, read))  # type: ignore[arg-type]  # it is a leaf
        self.note(made)
        return made

    def number(self, read: Callable[[], Any]) -> Number:
        """A Python number that is read at each call."""
        return Number(self, read)

    def read(self, key: Any, read: Callable[[], Any], name: str | None = None) -> Any:
        """The value of some state now: as written in this trace, or lifted."""
        if key not in self._state:
            self._keep.append(read)
            self._state[key] = self.lift(read, name, "array")
        return self._state[key]

    def variable(self, value: Tensor, name: str | None, dtype: Any = None) -> Tensor:
        """What ``ag.tensor`` makes of a traced value: one with a ``grad``, never of integers."""
        kind = np.dtype(dtype or (np.float64 if value.dtype.kind in "biu" else value.dtype))
        made: Tensor = apply(TENSOR, (value if value.dtype == kind else astype(value, kind),))
        made.node.name, made.node.cell = name, Cell()
        self.made.add(id(made.node.cell))
        self._keep.append(made.node.cell)
        return made

    def captured(self, array: Any) -> Tensor | None:
        """An array that the function closes over, as an input that is read from its place.

        So is a view of one; numbers that NumPy made of who knows what are noted as such.
        """
        whole, read = self.around.arrays.get(id(array), (array, None))
        if read is None and id(array.base) in self.around.arrays:
            whole, place = self.around.arrays[id(array.base)]
            read = view_of(place, whole, array)
        if read is None:
            differ = array.size > 1 and bool((array != array.flat[0]).any())
            self.foreign |= differ and array.dtype.kind in "fc"
            return None
        key = ("array", id(array))
        if key not in self._state:
            self._keep.append(array)
            self.lifted.add(id(whole))
            place = self.around.arrays[id(whole)][1]
            self.guards.append(Guard(lambda: form_of(place()), form_of(whole)))
        held: Tensor = self.read(key, read)
        return held

    def guard(self, read: Callable[[], Any]) -> Any:
        """What is the same at every call of this program, or else the function is traced anew."""
        value = read()
        self.guards.append(Guard(read, value))
        return value

    # writing

    def write(self, key: Any, value: Any, put: Callable[[Any], None]) -> None:
        """A new value of some state; ``put`` takes the array when a call has succeeded."""
        self._keep.append(put)
        self._state[key] = value
        self._puts[key] = put

    def after(self, owner: Any, do: Callable[[], None]) -> None:
        """Something to do when a call has succeeded."""
        self._keep.append(owner)
        self._pending[id(owner)] = self.pending(owner) + 1
        self.afterwards.append(do)

    def pending(self, owner: Any) -> int:
        """How many things of this owner wait for the end of the call."""
        return self._pending.get(id(owner), 0)

    # parameters and their gradients

    def assign(self, held: Tensor, new: Any) -> None:
        """A new value of a parameter, which the rest of the trace sees."""
        node = held.node
        made = self._like(new, node.shape, node.dtype, f"parameter {node.name or ''}")
        if id(held) not in self._parameters:
            self._parameters[id(held)] = (held, held._node, held._value)
        version = self.array(made)
        version.node.cell, version.node.name = node.cell, node.name
        held._node, held._value = version._node, version._value

    def gradient(self, cell: Cell) -> Any:
        """The gradient of a leaf as it is now."""
        key = ("grad", id(cell))
        if key not in self._state:
            self._keep.append(cell)
            if id(cell) in self.made or self.guard(lambda: cell.grad is None):
                self._state[key] = None
        return self.read(key, lambda: cell.grad, "grad")

    def set_gradient(self, cell: Cell, new: Any) -> None:
        """A gradient that is published when a call has succeeded."""
        self._keep.append(cell)

        def put(value: Any) -> None:
            cell.grad = value if value is None else np.asarray(value)

        key = ("grad", id(cell))
        self.write(key, new, put)
        if id(cell) in self.made:
            del self._puts[key]  # it ends with the trace

    def publish(self, arrived: Mapping[Node, Any]) -> None:
        """What ``backward`` adds to the gradients of leaves."""
        for node, g in arrived.items():
            cell = node.cell
            if cell is None:
                continue
            g = self.array(g) if isinstance(g, Tensor) and g.tracked else g
            old = self.gradient(cell)
            self.set_gradient(cell, g if old is None else old + g)

    def array_like(self, new: Any, old: Any) -> Tensor:
        """New numbers in the dtype and shape of an array."""
        return self.array(self._like(new, old.shape, old.dtype, "an array that a layer keeps"))

    def _like(self, new: Any, shape: Any, dtype: Any, what: str) -> Tensor:
        value = new if isinstance(new, Tensor) else plain(new)
        if value.shape != shape:
            raise ShapeError(
                f"{what} has shape {shape}, the new value {value.shape}",
                mend="give an array of the same shape",
            )
        if value.dtype != dtype:
            value = astype(value, dtype)
        if isinstance(value, Tensor) and value.tracked:
            return value
        return self.lift(lambda: getattr(value, "_value", value), None, "array")

    # random numbers

    def created(self, generator: Any, seeded: bool) -> None:
        """A generator made inside the function: with a seed it draws the same at each call."""
        if seeded:
            self.made.add(id(generator))
            self._keep.append(generator)

    def draw(self, generator: Any, draw: Callable[[Any], Any], name: str) -> Any:
        """Fresh random numbers at each call; None where they are the same at each call."""
        if id(generator) in self.made:
            return None
        bits = generator.bit_generator
        if id(bits) not in self.generators:
            self.generators[id(bits)] = bits, bits.state
        return self.lift(lambda: draw(generator), name, "tensor")

    # the end

    def finish(self) -> list[Write]:
        """All writes; parameters are as they were before the trace."""
        writes = []
        for held, node, value in self._parameters.values():
            new = held._node
            held._node, held._value = node, value
            writes.append(Write(new, None, functools.partial(renew, held)))
        for key, put in self._puts.items():
            new_value = self._state[key]
            if isinstance(new_value, Number):
                raise UnsupportedError("a number that changes from call to call is kept as state")
            traced = isinstance(new_value, Tensor) and new_value.tracked
            plain_value = getattr(new_value, "_value", new_value)
            writes.append(Write(new_value.node if traced else None, plain_value, put))
        self._parameters = {}
        return writes

    def restore(self) -> None:
        """Undo what the trace did to parameters and generators, after an exception."""
        for held, node, value in self._parameters.values():
            held._node, held._value = node, value
        for bits, before in self.generators.values():
            bits.state = before

    def release(self) -> None:
        """What is still held of the trace's values from now on refuses to be used."""
        self._state, self._keep, self.around = {}, [], Surroundings()
        for handle in list(self._handles):
            handle.__class__ = Gone


def _traced(value: Any, name: str | None) -> Tensor:
    """A fresh leaf of a trace; derivatives go to floating numbers alone."""
    kind = Leaf if value.dtype.kind in "fc" else Datum
    leaf = kind("input", value, name, None, 0)
    return Tensor(value, leaf)


@dataclass
class Trace:
    """One run of a function: what it was given, what it returned, and the state that it moved."""

    inputs: tuple[Input, ...]
    outputs: list[Any]
    form: Any
    writes: list[Write]
    guards: list[Any]
    afterwards: list[Callable[[], None]]
    generators: list[tuple[Any, Any]]
    values: list[Any]
    tracer: Tracer
    sizes: list[tuple[int, ...]]  # that values decided

    def results(self) -> list[Node]:
        """The nodes of the traced outputs, then of the writes, then of sizes that values decide."""
        nodes = [out.node for out in self.outputs if isinstance(out, Tensor) and out.tracked]
        writes = [write.node for write in self.writes if write.node is not None]
        return [*nodes, *writes, *(size for size, _ in self.tracer.sizes)]

    def graph(self) -> Graph:
        """What the results rest on; what was computed before the trace is a constant in it."""
        return _frozen(Graph(self.results()), self.tracer.first)


def _frozen(graph: Graph, first: int) -> Graph:
    """The graph with nodes recorded before the trace as constants of their values."""
    old = [node for node in graph if node.serial < first and not isinstance(node, Leaf)]
    if not old:
        return graph
    values = Graph(old).replay()

    def frozen(node: Node, inputs: tuple[Any, ...]) -> Node:
        if node.serial < first:
            return Constant("constant", values[node], node.name, None, 0)
        return same_again(node, inputs)

    made = rebuilt(graph, frozen)
    return Graph([made[out] for out in graph.outputs])


def trace_call(
    f: Callable[..., Any],
    leaves: Sequence[Any],
    names: Sequence[str | None],
    kinds: Sequence[str],
    rebuild: Callable[[list[Any]], tuple[Any, Any]],
    objects: Sequence[Any] = (),
) -> Trace:
    """Run ``f`` once on these arrays and note all that it does.

    ``rebuild`` puts handles in the places of the arrays and gives ``args, kwargs``; ``objects`` are
    those of the arguments that may hold arrays and numbers of their own.
    """
    around = surroundings(f, *objects)
    tracer = Tracer(around)
    handles, before = [], around.states()
    for value, name, kind in zip(leaves, names, kinds, strict=True):
        handle = _traced(settled(np.asarray(value)), name)
        tracer.inputs.append(Input(handle.node, kind))  # type: ignore[arg-type]  # it is a leaf
        tracer.note(handle)
        handles.append(handle)
    try:
        with _TRACING, using(tracing=True, recording=True, tracer=tracer):
            args, kwargs = rebuild(handles)
            given = _contents((args, kwargs))
            try:
                result = f(*args, **kwargs)
            except ValueError as error:  # NumPy's, of ``array[i] = t``: the cause says what to do
                if isinstance(error.__cause__, DetachedError):
                    raise error.__cause__ from error
                raise
            _refuse_changed(given, _contents((args, kwargs)))
            outputs, form = flatten(result)
            around.refuse_draws(before, set(tracer.generators))
            writes = tracer.finish()
            outside = around.guards_after(() if tracer.foreign else tracer.lifted)
            tracer.guards = [*outside, *tracer.guards]
    except BaseException:
        tracer.restore()
        tracer.release()
        raise
    for out in outputs:
        _check_output(out)
    trace = Trace(
        tuple(tracer.inputs), list(outputs), form, writes, tracer.guards, tracer.afterwards,
        list(tracer.generators.values()), [one.leaf.value for one in tracer.inputs], tracer,
        [shape for _, shape in tracer.sizes],
    )  # fmt: skip
    _add_parameters(trace)
    return trace


def _contents(tree: Any) -> list[Any]:
    """What is in nested containers."""
    parts = parts_of(tree)
    return (
        [tree] if parts is None else [leaf for part in parts.values() for leaf in _contents(part)]
    )


def _refuse_changed(given: Sequence[Any], now: Sequence[Any]) -> None:
    """Raise if the function changed a container among its arguments: the caller's would not be."""
    if len(given) != len(now) or any(one is not other for one, other in zip(given, now)):
        raise UnsupportedError(
            "a compiled function put something into a container that is its argument, or took it "
            "out: the caller's own would not change",
            mend='return the new one, params = step(params, x), with {**params, "W": new}, say',
        )


def _check_output(out: Any) -> None:
    if isinstance(out, Number):
        raise UnsupportedError("a compiled function returned a number of its optimizer")
    if isinstance(out, Tensor) and type(out) is not Tensor:
        raise DetachedError(
            "a compiled function returned a value of a transform that has ended",
            where=describe(out),
            mend="return what ag.jvp returns",
        )


_TRACING = threading.RLock()
"""Held by who traces: meanwhile parameters may hold values of the trace, in place."""


def _current(held: Tensor) -> Any:
    """The value of a parameter, when nobody is tracing with it."""
    node = held._node
    if node.__class__ is Leaf:
        return node.value
    with _TRACING:
        return held._value


def _add_parameters(trace: Trace) -> None:
    """The parameters that the trace read become inputs, read from their holders."""
    known = {one.leaf for one in trace.inputs}
    found = []
    for leaf in ancestors(trace.graph().outputs):
        cell = leaf.cell
        if leaf in known or leaf.__class__ is not Leaf or cell is None:
            continue
        held = cell.holder() if cell.holder is not None else None
        if held is not None and held._node is leaf:
            read = functools.partial(_current, held)
        else:
            held = Tensor(leaf.value, leaf)
            read = functools.partial(getattr, leaf, "value")
        found.append(Input(leaf, "tensor", read, held))
    trace.inputs = (*trace.inputs, *found)
    trace.values += [one.leaf.value for one in found]
