"""One program in use: how a call that fits it goes on.

Values are gathered (arguments, and state as it is now), the back end's code runs, results are put
together, and only then state is committed. Where derivatives of a call may be asked for, it is
recorded as one operator, whose rule is a program too. Knows nothing of any single operator or back
end. Imports errors, graph, modes, recording, reverse, derivatives, rules and its own room.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.compiler.checking import check_passes
from autograd_lite.compiler.guards import Held
from autograd_lite.compiler.passes import Pass, simplified
from autograd_lite.compiler.program import BackEnd, Executable, Program
from autograd_lite.compiler.signature import MISS, Arguments, compiled_source
from autograd_lite.compiler.tracing import ARRAY, OUTWARD, TENSOR, Input, Trace, Write, trace_call
from autograd_lite.derivatives import gradients
from autograd_lite.errors import GradientError
from autograd_lite.graph import Constant, Graph, Leaf, Node, Op
from autograd_lite.modes import current_mode, using
from autograd_lite.recording import apply
from autograd_lite.reverse import RecordedSweep
from autograd_lite.rules import Joint
from autograd_lite.tensors import Tensor, plain, tensor
from autograd_lite.tree import unflatten

__all__ = ["Entry"]


@dataclass(frozen=True)
class _Result:
    """One leaf of what the function returns: a place among the program's outputs, or a constant.

    ``tracked``: derivatives flow to tensors that the function closes over; ``connected``: they flow
    to its arguments.
    """

    place: int | None
    kind: str
    tracked: bool
    connected: bool
    value: Any = None

    def of(self, outputs: Sequence[Any], *, from_arguments: bool = False) -> Any:
        """The leaf, given all outputs (arrays, or tensors where derivatives may be asked for).

        ``from_arguments``: they may be asked for with respect to the arguments too.
        """
        if self.place is None:
            return _fresh(self.value)
        out = outputs[self.place]
        plain = out._value if isinstance(out, Tensor) else out
        if self.kind == "array":
            return plain
        flows = self.tracked or (from_arguments and self.connected)
        return out if flows and isinstance(out, Tensor) else Tensor(plain)


def _written(tree: Any, found: Arguments) -> str | None:
    """Containers and results as Python; None where there is something else, a layer say."""
    if isinstance(tree, _Result):
        if tree.place is None:
            return f"{found.fresh(_fresh, 'f')}({found.fresh(tree.value)})"
        return f"r[{tree.place}]" if tree.kind == "array" else f"Tensor(r[{tree.place}])"
    if type(tree) not in (dict, list, tuple):
        return None
    parts = [_written(part, found) for part in (tree.values() if type(tree) is dict else tree)]
    if None in parts:
        return None
    if type(tree) is dict:
        pairs = zip((found.fresh(key) for key in tree), parts, strict=True)
        return "{" + ", ".join(f"{key}: {part}" for key, part in pairs) + "}"
    inner = ", ".join(str(part) for part in parts)
    return f"[{inner}]" if type(tree) is list else f"({inner}{',' * (len(parts) == 1)})"


def _fresh(value: Any) -> Any:
    if isinstance(value, Tensor):
        return Tensor(_fresh(value._value))
    return value.copy() if isinstance(value, np.ndarray) else value


def _test_of(guard: Any, found: Arguments) -> str:
    """A guard as a line; where every place holds the very object nothing else is looked at."""
    whole = f"not {found.fresh(guard.holds, 'g')}()"
    if isinstance(guard, Held):
        pairs = zip(guard.reads, guard.parts, strict=True)
        others = [f"{found.fresh(read)}() is not {found.fresh(part)}" for read, part in pairs]
        whole = f"({' or '.join(others)}) and {whole}"
    return f"if {whole}: return MISS"


_States = list[tuple[Any, Any]]


def _restore(states: _States) -> None:
    for bits, state in states:
        bits.state = state


@dataclass(eq=False)
class Entry:
    """A program, the test for its calls, and what is done around it."""

    program: Program
    passes: Sequence[Pass]
    executable: Executable
    first: tuple[_States, Sequence[Any]]
    graph: Graph
    inputs: Sequence[Input]
    results: Sequence[_Result]
    form: Any
    writes: Sequence[Write]
    trace: Trace
    build: Callable[[Program], Executable]
    check: bool = False
    call: Callable[..., Any] = field(init=False)
    match: Callable[..., Any] = field(init=False)

    @classmethod
    def traced(
        cls, f: Callable[..., Any], found: Arguments, args: Any, kwargs: Any, back_end: BackEnd,
        options: Mapping[str, Any], *, check: bool = False,
    ) -> "Entry":  # fmt: skip
        """Trace the function on these arguments and compile what it did."""
        trace = trace_call(
            f, found.arrays, found.names, found.kinds,
            lambda handles: found.rebuilt(args, kwargs, handles), found.objects,
        )  # fmt: skip
        graph = trace.graph()
        results = _results(trace, graph)
        trace.tracer.release()
        passes = simplified(graph)
        name = getattr(f, "__name__", type(f).__name__)
        leaves = tuple(one.leaf for one in trace.inputs)
        program = Program(name, passes[-1].after, leaves)

        def build(one: Program) -> Executable:
            return back_end.build(one, options)

        entry = cls(
            program, passes, build(program), (trace.generators, trace.values), graph,
            trace.inputs, results, trace.form, trace.writes, trace, build,
        )  # fmt: skip
        entry.trace.outputs, entry.check = [], check
        entry._write_calls(found)
        return entry

    # calls

    def _write_calls(self, found: Arguments) -> None:
        """The test of a call as generated code, and the shortest way through it."""
        space = found.namespace
        lines = [*found.lines]
        values = [*found.places]
        for one in self.inputs[len(found.places) :]:
            name = found.fresh(one.read, "s")
            values.append(f"{name}()")
        lines += [_test_of(guard, found) for guard in self.trace.guards]
        given = ", ".join(values)
        body = "\n    ".join(lines)
        states = f"{found.fresh(self._states, 's')}()"
        text = f"def match(args, kwargs):\n    {body}\n    return {states}, [{given}]\n"
        effects = self.writes or self.trace.generators or self.trace.afterwards
        plain = not (self.check or self.trace.sizes or effects)
        if plain and not any(result.tracked for result in self.results):
            direct = self._direct()
            if direct is not None:  # it looks at the arrays' forms itself
                body = "\n    ".join(line for i, line in enumerate(lines) if i not in found.forms)
            run = found.fresh(direct or self.executable, "run")
            text += f"def call(args, kwargs):\n    {body}\n    r = {run}({given})\n"
            if direct is not None:
                text += f"    if r is None: return {found.fresh(self._call)}(args, kwargs)\n"
            text += f"    return {self._assembly(found)}\n"
        scope = compiled_source(text, space, "<signature>")
        self.match = scope["match"]
        self.call = scope.get("call", self._call)

    def _direct(self) -> Callable[..., Any] | None:
        """The back end's own test of arrays, where all inputs are arrays."""
        arrays = all(isinstance(value, np.ndarray) for value in self.first[1])
        return getattr(self.executable, "direct", None) if arrays else None

    def change(self) -> str | None:
        """What the function closes over that is other than it was, if anything is."""
        moved = (guard for guard in self.trace.guards if not guard.holds())
        return next((str(guard.change()) for guard in moved), None)

    def _assembly(self, found: Arguments) -> str:
        """How results are put together, as an expression in the outputs ``r``."""
        form = unflatten(self.form, self.results)
        text = _written(form, found)
        return f"{found.fresh(self.assembled, 'put')}(r)" if text is None else text

    def _call(self, args: Any, kwargs: Any) -> Any:
        found = self.match(args, kwargs)
        return found if found is MISS else self.finish(found)

    def _states(self) -> _States:
        """The generators that the function draws from, as they are now."""
        return [(bits, bits.state) for bits, _ in self.trace.generators]

    def finish(
        self, found: tuple[_States, Sequence[Any]], operands: Sequence[Any] | None = None
    ) -> Any:
        """Run on what ``match`` found: states before the draws, and all values.

        ``MISS`` where values decide about sizes, and are not those that the program was made for.
        ``operands`` are the arguments as tensors of an outer derivative.
        """
        before, values = found
        if self.check:
            check_passes(self.program, self.passes, self.executable, values)
        try:
            outputs = self._run(values, operands)
        except BaseException as error:
            _restore(before)
            if self.trace.sizes and isinstance(error, Exception):
                return MISS
            raise
        if not self._sizes_hold(outputs):
            _restore(before)
            return MISS
        self._commit(outputs)
        return self.assembled(outputs, from_arguments=operands is not None)

    def _sizes_hold(self, outputs: Sequence[Any]) -> bool:
        """Whether the shapes that values decide, the last outputs, are those of the trace."""
        sizes = self.trace.sizes
        pairs = zip(outputs[len(outputs) - len(sizes) :], sizes, strict=True)
        return all(tuple(np.asarray(plain(now))) == then for now, then in pairs)

    def _run(self, values: Sequence[Any], operands: Sequence[Any] | None) -> Sequence[Any]:
        recorded = operands is not None or any(result.tracked for result in self.results)
        if not (recorded and current_mode().recording):
            return self.executable(*values)
        args = list(values)
        for i, one in enumerate(self.inputs):
            if operands is not None and i < len(operands):
                args[i] = operands[i]
            elif one.held is not None:
                args[i] = one.held
        outputs: Sequence[Any] = apply(self._operator(operands is not None), args)
        return outputs

    def assembled(self, outputs: Sequence[Any], *, from_arguments: bool = False) -> Any:
        """The results in the form in which the function returns them."""
        parts = [result.of(outputs, from_arguments=from_arguments) for result in self.results]
        return unflatten(self.form, parts)

    def _commit(self, outputs: Sequence[Any]) -> None:
        written = sum(write.node is not None for write in self.writes)
        place = len(outputs) - len(self.trace.sizes) - written
        for write in self.writes:
            if write.node is None:
                write.put(_fresh(write.value))
                continue
            new = outputs[place]
            write.put(new._value if isinstance(new, Tensor) else new)
            place += 1
        for do in self.trace.afterwards:
            do()

    # derivatives of a call

    def _operator(self, through: bool) -> Op:
        """The whole program as one operator.

        ``through``: it is differentiated by its arguments, and so are derivatives that it takes.
        """
        operators = self.__dict__.setdefault("_operators", {})
        if through not in operators:
            op = Op(f"compiled {self.program.name}", "general",
                    lambda *xs: tuple(self.executable(*xs)), keeps=_Everything())  # fmt: skip
            op.pulls = _Rules(op, self, through)
            operators[through] = op
        found: Op = operators[through]
        return found

    def pull_back(self, through: bool, xs: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """The cotangents of all inputs, by a program that is compiled at the first use."""
        if self.writes:
            raise GradientError(
                f"a derivative of the compiled {self.program.name}, which changes state: its inputs"
                " are gone",
                mend="take the derivative inside of the compiled function, or leave the writes out",
            )
        if any(isinstance(one, Tensor) for one in (*xs, *cotangents)):
            return self._pull_back_recorded(through, xs, cotangents)
        there = tuple(c is not None for c in cotangents)
        programs = self.__dict__.setdefault("_pullbacks", {})
        if (through, there) not in programs:
            programs[through, there] = self._pullback(through, there)
        given = [c for c in cotangents if c is not None]
        return list(programs[through, there](*xs, *given))

    def _pullback(self, through: bool, there: Sequence[bool]) -> Executable:
        """The derivative as a program: inputs and cotangents in, cotangents of the inputs out."""
        seeds: dict[Node, Any] = {}
        leaves = []
        with using(tracing=True, recording=True, scope=None):
            for node, wanted in zip(self._outputs(through), there, strict=True):
                if not wanted:
                    continue
                seed = Tensor(np.empty(node.shape, node.dtype),
                              Leaf("input", _zeros(node), "G", None, 0))  # fmt: skip
                seed._value = seed.node.value
                leaves.append(seed.node)
                seeds[node] = seed if node not in seeds else seeds[node] + seed
            wanted_leaves = [one.leaf for one in self.inputs]
            found = RecordedSweep(seeds).run(set(wanted_leaves))
        outputs = [
            found[leaf].node if leaf in found else Constant("constant", _zeros(leaf), None, None, 0)
            for leaf in wanted_leaves
        ]
        after = simplified(Graph(outputs))[-1].after
        given: tuple[Any, ...] = (*wanted_leaves, *leaves)
        return self.build(Program(f"{self.program.name}_pullback", after, given))

    def _outputs(self, through: bool) -> Sequence[Node]:
        """The nodes that are pulled back: ``through`` inner derivatives without their marks."""
        if not through or all(node.op is not OUTWARD for node in self.graph):
            return self.graph.outputs
        made = self._again([Tensor(one.leaf.value, one.leaf) for one in self.inputs], through)
        found = (made[node] for node in self.graph.outputs)
        return [
            one.node if isinstance(one, Tensor) else Constant("constant", one, None, None, 0)
            for one in found
        ]

    def _again(self, handles: Sequence[Any], through: bool) -> dict[Node, Any]:
        """What stands for each node when the graph is run again on these inputs."""
        made: dict[Node, Any] = {
            one.leaf: handle for one, handle in zip(self.inputs, handles, strict=True)
        }
        for node in self.graph:
            if node in made:
                continue
            if isinstance(node, Leaf):
                made[node] = node.value
                continue
            args = [made[p] if isinstance(p, Node) else p for p in node.inputs]
            if type(args[0]) is tuple:  # one of several outputs
                made[node] = args[0][node.params["index"]]
            else:
                marked = through and node.op is OUTWARD
                made[node] = args[0] if marked else apply(node.op, args, node.params)
        return made

    def _pull_back_recorded(
        self, through: bool, xs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[Any]:
        """The same on tensors: the graph is run again on them, to be differentiated further."""
        handles = [_variable(x) for x in xs]
        made = self._again(handles, through)
        totals: list[Any] = [0.0] * len(xs)
        for node, cotangent in zip(self.graph.outputs, cotangents, strict=True):
            y = made[node]
            if cotangent is None or not isinstance(y, Tensor) or not y.tracked:
                continue
            for i, g in enumerate(gradients(y, handles, cotangent)):
                totals[i] = totals[i] + g
        return [t if isinstance(t, Tensor) else np.zeros(x.shape, x.dtype)[()]
                for t, x in zip(totals, handles, strict=True)]  # fmt: skip


def _variable(x: Any) -> Any:
    return x if isinstance(x, Tensor) and x.tracked else tensor(getattr(x, "_value", x))


def _zeros(node: Node) -> Any:
    return np.zeros(node.shape, node.dtype)[()]


class _Everything:
    """Keep masks of an operator that keeps all of its inputs."""

    def __getitem__(self, i: int) -> int:
        return -2


class _Rules(Joint):
    """The rules of a compiled function: one program gives the cotangents of all inputs."""

    def __init__(
        self, op: Op, entry: Entry, through: bool, results: list[Any] | None = None
    ) -> None:
        Joint.__init__(self, op, partial(entry.pull_back, through), results)
        self._entry, self._through = entry, through

    def once(self) -> "_Rules":
        """The same for one node in one sweep."""
        return _Rules(self._op, self._entry, self._through, [])

    def _all(self, g: Any, y: Any, *xs: Any, **params: Any) -> Sequence[Any]:
        return self._entry.pull_back(self._through, xs, g)


def _results(trace: Trace, graph: Graph) -> list[_Result]:
    """Where each leaf of what the function returned is to be found, and what it is."""
    kinds: dict[Node, str] = {one.leaf: one.kind for one in trace.inputs}
    tensors = _tensors(graph, kinds, trace.tracer.first)
    alone = "tensor" not in kinds.values()  # arrays in, arrays out: constants too
    tracked = _reached(graph, lambda leaf: leaf.cell is not None)
    connected = _reached(graph, lambda leaf: leaf in kinds, through=True)
    found, place = [], 0
    for out in trace.outputs:
        if not (isinstance(out, Tensor) and out.tracked):
            value = out._value if alone and isinstance(out, Tensor) else out
            found.append(_Result(None, "constant", False, False, value))
            continue
        node = graph.outputs[place]
        kind = "tensor" if node in tensors else "array"
        found.append(_Result(place, kind, kind == "tensor" and node in tracked, node in connected))
        place += 1
    return found


def _tensors(graph: Graph, kinds: Mapping[Node, str], first: int) -> set[Node]:
    """The nodes that are tensors where nothing is compiled; all others are plain arrays there.

    A constant with a name that was there before the trace (from ``first`` on) is a tensor.
    """
    found: set[Node] = set()
    for node in graph:
        if isinstance(node, Leaf):
            held = node.name is not None and node.serial < first
            if kinds.get(node, "tensor" if held else "array") == "tensor":
                found.add(node)
        elif node.op is TENSOR or (
            node.op is not ARRAY and any(p in found for p in node.inputs if isinstance(p, Node))
        ):
            found.add(node)
    return found


def _reached(graph: Graph, counts: Callable[[Leaf], bool], *, through: bool = False) -> set[Node]:
    """The nodes through which derivatives flow to leaves that count."""
    found: set[Node] = set()
    for node in graph:
        if isinstance(node, Leaf):
            if node.__class__ is Leaf and counts(node):
                found.add(node)
        elif through and node.op is OUTWARD:
            if node.inputs[0] in found:
                found.add(node)
        elif node.op.pulls and any(
            p in found and node.op.pulls[i] is not None
            for i, p in enumerate(node.inputs)
            if isinstance(p, Node)
        ):
            found.add(node)
    return found
