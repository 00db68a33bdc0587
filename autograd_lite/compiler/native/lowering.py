"""A graph as values, and what no machine code is known for as parts that NumPy runs.

Knows graphs, the reader and values. Does not know loops nor machines. Imports errors, graph,
NumPy, and the reading modules of this room.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autograd_lite.compiler.native.conversions import NotReadable, cast
from autograd_lite.compiler.native.reading import SymbolReader
from autograd_lite.compiler.native.scalars import supported
from autograd_lite.compiler.native.symbols import Symbol, as_symbol
from autograd_lite.compiler.native.values import Value, Values
from autograd_lite.graph import Graph, Leaf, Node, Op
from autograd_lite.rules import OPS

__all__ = ["Lowered", "Outside", "Part", "lowered"]


class Outside(NamedTuple):
    """What a part that NumPy runs has made: one of its results, or all of them together."""

    part: int


class Part(NamedTuple):
    """An operator that NumPy runs between the native parts, and why."""

    node: Node
    args: tuple[Any, ...]  # values, outside results, and plain operands
    leaf: Value | None  # its result as an array in memory, if machine code can read it
    stage: int  # after how many native parts it runs
    reason: str


class Lowered:
    """The values of a program."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.inputs: list[Value | None] = []
        self.outputs: list[Any] = []  # values, or outside results
        self.parts: list[Part] = []
        self.stage_of: dict[int, int] = {}
        self.native: list[str] = []  # names of operators that became machine code


def lowered(graph: Graph, inputs: Sequence[Leaf]) -> Lowered:
    """What a graph computes, as values; outputs are of the dtypes that the graph tells."""
    result = Lowered(Values())
    reader = SymbolReader(result.values)
    known: dict[Node, Any] = {node: _leaf(result, node) for node in inputs}
    for node in graph.nodes:
        if node in known:
            continue
        if isinstance(node, Leaf):
            known[node] = node.value
            continue
        args = [known[arg] if isinstance(arg, Node) else arg for arg in node.inputs]
        try:
            known[node] = _read(reader, node, args)
            result.native.append(node.op.name)
        except NotReadable as reason:
            known[node] = _part(result, node, args, str(reason))
    for i, node in enumerate(graph.outputs):
        result.outputs.append(_output(result, node, known[node], i))
    _stages(result)
    return result


def _leaf(result: Lowered, node: Leaf) -> Any:
    if not supported(node.dtype):
        result.inputs.append(None)
        return Outside(-len(result.inputs))
    facts = ("input", len(result.inputs))
    value = result.values.make("leaf", node.shape, node.dtype, (), facts)
    result.inputs.append(value)
    return Symbol(result.values, value)


def _read(reader: SymbolReader, node: Node, args: list[Any]) -> Any:
    if any(isinstance(arg, Outside) for arg in args):
        raise NotReadable("an operand is none that machine code knows")
    made = reader.read(node.op, [_fresh(arg, node.op) for arg in args], node.params)
    if isinstance(made, Symbol) and node.dtype is not None and made.shape != node.shape:
        raise NotReadable(f"shape {made.shape} instead of {node.shape}")
    return made


def _fresh(arg: Any, op: Op) -> Any:
    """A handle of its own for each reader, so that none writes into another's."""
    if not isinstance(arg, Symbol):
        return arg
    known = OPS.get(op.name)
    ours = known is not None and known.forward is op.forward
    return Symbol(arg._values, arg.value, strict=not ours)


def _part(result: Lowered, node: Node, args: list[Any], reason: str) -> Any:
    values = result.values
    given = tuple(
        values.laid_out(arg.value) if isinstance(arg, Symbol) else _all_laid_out(values, arg)
        for arg in args
    )
    leaf = None
    number = len(result.parts)
    if node.dtype is not None and supported(node.dtype):
        leaf = values.make("leaf", node.shape, node.dtype, (), ("part", number))
    result.parts.append(Part(node, given, leaf, 0, reason))
    return Symbol(values, leaf) if leaf is not None else Outside(number)


def _all_laid_out(values: Values, arg: Any) -> Any:
    if isinstance(arg, tuple) and any(isinstance(one, Symbol) for one in arg):
        return tuple(values.laid_out(one.value) if isinstance(one, Symbol) else one for one in arg)
    return arg


def _output(result: Lowered, node: Node, known: Any, i: int) -> Any:
    if isinstance(known, Outside):
        return known
    values = result.values
    value = cast(values, as_symbol(values, known).value, node.dtype)
    if value.kind in ("leaf", "number", "view", "reshape") or value in result.outputs:
        value = values.make("map", value.shape, value.dtype, (value,), ("copy", i))
    return value


def _stages(result: Lowered) -> None:
    """How many parts of NumPy each value has to wait for."""
    waits: list[int] = []
    leaves: Mapping[int, int] = {
        part.leaf.number: i for i, part in enumerate(result.parts) if part.leaf is not None
    }
    stage = result.stage_of

    def of_value(value: Value) -> int:
        pending = [value]
        while pending:
            one = pending[-1]
            missing = [arg for arg in one.args if arg.number not in stage]
            if missing and one.number not in stage:
                pending.extend(missing)
                continue
            pending.pop()
            if one.number not in stage:
                part = leaves.get(one.number)
                stage[one.number] = (
                    max((stage[arg.number] for arg in one.args), default=0)
                    if part is None else waits[part] + 1
                )  # fmt: skip
        return stage[value.number]

    for i, part in enumerate(result.parts):
        needs = [0]
        for arg in _flattened(part.args):
            if isinstance(arg, Value):
                needs.append(of_value(arg))
            elif isinstance(arg, Outside) and arg.part >= 0:
                needs.append(waits[arg.part])
        waits.append(max(needs))
        result.parts[i] = part._replace(stage=waits[i])
    for value in result.values.every:
        of_value(value)


def _flattened(args: Any) -> list[Any]:
    flat: list[Any] = []
    for arg in args:
        flat.extend(arg) if type(arg) is tuple else flat.append(arg)
    return flat
