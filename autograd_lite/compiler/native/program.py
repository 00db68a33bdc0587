"""A graph as one native program: memory, entry, calls.

Knows how values become kernels, where arrays lie, and what a call does. Imports errors, graph,
progress, NumPy, and the other modules of this room.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.native import machine
from autograd_lite.compiler.native.emission import kernel_of
from autograd_lite.compiler.native.entry import EntryText, Layout, looks_for_overlaps
from autograd_lite.compiler.native.fusion import Plan
from autograd_lite.compiler.native.listing import listing
from autograd_lite.compiler.native.lowering import Outside, Part, lowered
from autograd_lite.compiler.native.memory import Arenas, Memory, packed
from autograd_lite.compiler.native.threads import helpers_for, pool_memory
from autograd_lite.compiler.native.values import Value
from autograd_lite.compiler.program import check_buffers
from autograd_lite.compiler.signature import compiled_source
from autograd_lite.errors import IndexingError, ShapeError, UnsupportedError
from autograd_lite.graph import Graph, Leaf, visible
from autograd_lite.progress import progress, step, waiting

__all__ = ["NativeProgram"]

_ON_STACK = 1 << 15  # bytes of temporaries that lie on the stack


class NativeProgram:
    """A compiled graph: called with flat arrays, it gives flat arrays."""

    def __init__(self, graph: Graph, inputs: Sequence[Leaf], threads: int | None = None) -> None:
        started = time.perf_counter()
        self.passes: Sequence[Any] = ()  # by which the graph became this one
        if not machine.layout_is_known():
            raise UnsupportedError(
                "the arrays of this Python or NumPy do not lie in memory as they usually do",
                mend='backend="numpy"',
            )
        with progress(f"ag.compile of {len(graph)} nodes"):
            self._make(graph, inputs, threads)
        self.compile_seconds = time.perf_counter() - started

    def _make(self, graph: Graph, inputs: Sequence[Leaf], threads: int | None) -> None:
        step("reading operators", 0.0)
        self._low = low = lowered(graph, inputs)
        wanted = [value for value in low.outputs if isinstance(value, Value)]
        exported = [
            arg for part in low.parts for arg in _values_in(part.args) if arg.kind != "number"
        ]
        self._plan = Plan(low.values.every, [*wanted, *exported], low.stage_of)
        self._graph = graph
        self._inputs = tuple(inputs)
        step("writing loops", 0.2)
        self._arrange(wanted)
        in_parts = any(kernel.parts > 1 for kernel in self._kernels)
        self.threads = 1 + (helpers_for(threads) if in_parts else 0)
        with waiting("making machine code"):
            self._compile()

    # memory

    def _arrange(self, wanted: Sequence[Value]) -> None:
        """The kernels, and where their arrays lie."""
        self._memory = Memory(self._plan)
        self._kernels = [kernel_of(group, self._plan, self._memory) for group in self._plan.groups]
        low = self._low
        self._argument: dict[int, int] = {}
        arguments: list[Value] = [value for value in low.inputs if value is not None]
        arguments += wanted
        arguments += [part.leaf for part in low.parts if part.leaf is not None]
        for value in arguments:
            self._argument.setdefault(value.number, len(self._argument))
        self._arguments = arguments
        self._table: list[Any] = []
        self._offsets: dict[int, int] = {}
        self._arena = packed(self._spans(), self._offsets)
        self._arenas = Arenas(self._arena)
        self._stack = self._arena <= _ON_STACK and not low.parts

    def _spans(self) -> list[tuple[int, int, int, int]]:
        """(first kernel, last kernel, bytes, number) of every temporary."""
        spans: dict[int, list[int]] = {}
        for i, kernel in enumerate(self._kernels):
            for value in kernel.arrays:
                if value.number not in self._argument and value.kind != "leaf":
                    first = spans.setdefault(
                        value.number, [i, i, value.size * value.dtype.itemsize]
                    )
                    first[1] = i
        last = len(self._kernels)
        for part in self._low.parts:
            for value in _values_in(part.args):
                home = self._memory.home(value)
                if home.number in spans:
                    spans[home.number][1] = last
        return [(*span, number) for number, span in spans.items()]  # type: ignore[misc]  # a list of three

    # code

    def _compile(self) -> None:
        low = self._low
        layout = Layout(
            list(zip(self._plan.groups, self._kernels, strict=True)), self._arguments,
            sum(value is not None for value in low.inputs), self._argument, self._offsets,
            self._arena, self._stack, low.values.constants, self._table,
        )  # fmt: skip
        text = EntryText(layout)
        stages = sorted({group.stage for group in self._plan.groups}
                        | {part.stage for part in self._low.parts})  # fmt: skip
        self._stages = stages
        self.llvm = text.module(stages)
        address, self.from_cache = machine.compiled(self.llvm, text.symbols)
        words = np.array(
            [id(None), id(False), id(True), id(np.ndarray), pool_memory().ctypes.data,
             self.threads - 1,
             *(one.ctypes.data if isinstance(one, np.ndarray) else id(one) for one in self._table)],
            np.int64,
        )  # fmt: skip
        self._entries = [
            machine.builtin(address(name), name, words, (address, self._table))
            for name in (f"run{stage}" for stage in stages)
        ]
        self._fresh = [(value.shape, value.dtype) if isinstance(value, Value) else None
                       for value in self._low.outputs]  # fmt: skip
        self._specs = [spec for spec in self._fresh if spec is not None]
        leaves = [part.leaf for part in low.parts if part.leaf is not None]
        self._placeholders = [np.empty(leaf.shape, leaf.dtype) for leaf in leaves]  # never read
        self._guarded = looks_for_overlaps(len(layout.arguments), layout.inputs)
        self._takes_scalars = any(leaf.shape == () for leaf in self._inputs)
        self.direct = self._written()

    @property
    def parts(self) -> tuple[Part, ...]:
        """The operators that NumPy runs between the native parts."""
        return tuple(self._low.parts)

    @property
    def native(self) -> tuple[str, ...]:
        """The names of the operators that became machine code, in order."""
        return tuple(self._low.native)

    @property
    def source(self) -> str:
        """The loops that run, as text; ``llvm`` is what LLVM compiles."""
        names: dict[int, str] = {}
        for i, value in enumerate(self._low.inputs):
            if value is not None:
                names[value.number] = visible(self._inputs[i].name or f"x{i}", 30)
        for i, value in enumerate(self._low.outputs):
            if isinstance(value, Value):
                names[value.number] = f"out{i}"
        head = f"def step({', '.join(names.values())}):"
        parts = [
            (part.stage, f"# NumPy: {part.node.op.name} ({part.reason})") for part in self.parts
        ]
        return listing(self._plan, head, names, self._memory, parts)

    # calls

    def __call__(self, *arrays: Any, donate: Sequence[Any] | None = None) -> list[Any]:
        """The outputs, in fresh arrays or in those that are given (``donate``)."""
        if self.direct is not None and len(arrays) == len(self._inputs):
            if self._takes_scalars:
                arrays = tuple(map(np.asarray, arrays))
            if donate is None:
                found = self.direct(*arrays)
                if found is not None:
                    return list(found)
            elif self._guarded:
                if self._stack:
                    code = self._entries[0](*arrays, *donate)
                else:
                    arena = self._arenas.take()
                    code = self._entries[0](*arrays, *donate, arena)
                    self._arenas.give(arena)
                if code is None:
                    return list(donate)
        return self._carefully(arrays, donate)

    def _written(self) -> Callable[..., Any] | None:
        """A call as Python's code of its own: fresh outputs, then one native call; else None.

        None where parts of NumPy lie between, or an input has no machine code.
        """
        if len(self._entries) != 1 or self._low.parts or None in self._low.inputs:
            return None
        space: dict[str, Any] = {"empty": np.empty, "entry": self._entries[0]}
        given = [f"a{i}" for i in range(len(self._inputs))]
        lines = []
        for i, (shape, dtype) in enumerate(self._specs):
            space[f"s{i}"], space[f"d{i}"] = shape, dtype
            lines.append(f"r{i} = empty(s{i}, d{i})")
        outs = [f"r{i}" for i in range(len(self._specs))]
        call = f"code = entry({', '.join([*given, *outs, *['arena'] * (not self._stack)])})"
        if self._stack:
            lines.append(call)
        else:
            space["take"], space["give"] = self._arenas.take, self._arenas.give
            lines += ["arena = take()", call, "give(arena)"]
        lines.append("if code is not None: return None")
        results = ", ".join(out if spec[0] else f"{out}[()]"
                            for out, spec in zip(outs, self._specs, strict=True))  # fmt: skip
        body = "\n    ".join([*lines, f"return ({results},)" if results else "return ()"])
        text = f"def direct({', '.join(given)}):\n    {body}\n"
        made: Callable[..., Any] = compiled_source(text, space, "<native call>")["direct"]
        return made

    def _carefully(self, arrays: Sequence[Any], donate: Sequence[Any] | None) -> list[Any]:
        """A call whose arrays are not as the machine code takes them, or with parts of NumPy."""
        if donate is not None:
            check_buffers(donate, self._graph.outputs)
        low = self._low
        given = [
            _fitting(array, value, node)
            for array, value, node in zip(arrays, low.inputs, self._inputs, strict=True)
        ]
        outs = [None if spec is None else np.empty(*spec) for spec in self._fresh]
        results: list[Any] = [None] * len(low.parts)
        args = [
            *(array for array, value in zip(given, low.inputs) if value is not None),
            *(out for out in outs if out is not None),
            *self._placeholders,
        ]
        arena = [] if self._stack else [self._arenas.take()]
        args += arena
        try:
            for stage, entry in zip(self._stages, self._entries):
                self._judge(entry(*args), given)
                for i, part in enumerate(low.parts):
                    if part.stage == stage:
                        made = self._run(part, given, outs, results, args)
                        if part.leaf is not None:
                            place = self._argument[part.leaf.number]
                            args[place] = _as_argument(made, part.leaf, (*args, *given, *results))
                        results[i] = made
            return self._given_back(outs, results, given, donate)
        finally:
            for one in arena:
                self._arenas.give(one)

    def _judge(self, code: Any, given: Sequence[Any]) -> None:
        """Raise what NumPy raises where the machine code found something wrong."""
        if code is True:
            there = set(self._graph.nodes)
            named = zip(self._inputs, given, strict=True)
            self._graph.replay({leaf: array for leaf, array in named if leaf in there})
            raise IndexingError(
                "an index of the program is out of bounds",
                mend="look at the arrays that it indexes by",
            )
        if code is not None:
            raise UnsupportedError("the machine code does not take these arrays")

    def _run(self, part: Part, given: Any, outs: Any, results: Any, args: Any) -> Any:
        operands = [
            tuple(self._seen(one, given, results, args) for one in arg)
            if type(arg) is tuple and _values_in([arg])
            else self._seen(arg, given, results, args)
            for arg in part.args
        ]
        result = part.node.op.forward(*operands, **part.node.params)
        if type(result) is not tuple and np.shape(result) != part.node.shape:
            raise UnsupportedError(
                f"{part.node.op.name} gives another size than when it was compiled: "
                f"{np.shape(result)}, then {part.node.shape}",
                source=part.node.source,
                mend="where sizes depend on data compile anew",
            )
        return result

    def _seen(self, arg: Any, given: Any, results: Any, args: Any) -> Any:
        """An operand of a part as NumPy takes it."""
        if isinstance(arg, Outside):
            return given[-arg.part - 1] if arg.part < 0 else results[arg.part]
        if not isinstance(arg, Value):
            return arg
        if arg.kind == "number":
            return np.frombuffer(arg.facts, arg.dtype)[0]
        home = self._memory.home(arg)
        if home.number in self._argument:
            flat = args[self._argument[home.number]]
        elif home.kind == "leaf":
            flat = self._low.values.constants[home.number]
        else:
            offset = self._offsets[home.number]
            size = home.size * home.dtype.itemsize
            flat = args[-1][offset : offset + size].view(home.dtype)
        array = flat.reshape(arg.shape)
        return array if array.ndim else array[()]

    def _given_back(self, outs: Any, results: Any, given: Any, donate: Any) -> list[Any]:
        whole = []
        for i, (out, value) in enumerate(zip(outs, self._low.outputs, strict=True)):
            made = out
            if out is None:
                made = given[-value.part - 1] if value.part < 0 else results[value.part]
                made = np.array(made)
            if donate is not None:
                donate[i][...] = made
                made = donate[i]
            whole.append(made if made.ndim or donate is not None else made[()])
        return whole


def _values_in(args: Any) -> list[Value]:
    found: list[Value] = []
    for arg in args:
        if isinstance(arg, Value):
            found.append(arg)
        elif type(arg) is tuple:
            found.extend(one for one in arg if isinstance(one, Value))
    return found


def _as_argument(made: Any, leaf: Value, others: Sequence[Any]) -> Any:
    """What a part has made as the machine code takes it: itself if it is fit and nobody else's."""
    fit = type(made) is np.ndarray and made.base is None and made.flags.carray
    alone = fit and not any(made is one for one in others)
    if alone and made.shape == leaf.shape and made.dtype is leaf.dtype:
        return made
    array = np.empty(leaf.shape, leaf.dtype)
    array[...] = made
    return array


def _fitting(array: Any, value: Value | None, node: Any) -> Any:
    """An input as the machine code takes it: an aligned array, row by row."""
    exact = np.asarray(array)
    if exact.shape != node.shape or exact.dtype != node.dtype:
        raise ShapeError(
            f"input {node.name or ''} is {exact.dtype}{exact.shape}, the program was compiled for "
            f"{node.dtype}{node.shape}",
            mend="call the compiled function, which compiles anew for other shapes",
        )
    if value is None:
        return exact
    return np.require(exact, value.dtype, ["C", "A"])
