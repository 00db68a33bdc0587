"""A program as straight-line NumPy source.

One line for each node: a plain expression for a small array, ``out=`` a place in the workspace for
a large one, an operation in place where nobody needs the operand any more. Names are counters or
checked identifiers; what they stand for is in the namespace. Imports errors, graph, notation,
rules, the program and its own package.
"""

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_lite.compiler.numpy_code.lowering import INNER, PICK, PLACE, QUIET
from autograd_lite.compiler.numpy_code.schedule import (
    Block,
    is_elementwise,
    schedule,
    ufunc_of,
)
from autograd_lite.compiler.numpy_code.storage import Plan, Storage
from autograd_lite.compiler.program import Program, identifiers
from autograd_lite.errors import UnsupportedError, describe
from autograd_lite.graph import Graph, Leaf, Node, settled
from autograd_lite.notation import code, literal
from autograd_lite.rules import OPS

__all__ = ["Written", "write"]

SMALL = 1 << 14  # bytes up to which fresh memory is as quick as the workspace
LARGE_TEMPORARY = 1 << 19  # bytes from which memory is made in each call and freed at its last use
LEAST_ROW = 128  # elements of a row that is worth a call of NumPy's inner loop

_IN_PLACE = {
    operator.add: "+=", operator.sub: "-=", operator.mul: "*=", operator.truediv: "/=",
}  # fmt: skip
_REDUCTIONS = {
    OPS["sum"].forward: "np.add.reduce",
    OPS["max"].forward: "np.maximum.reduce",
    OPS["min"].forward: "np.minimum.reduce",
}
_HUSH = 'np.errstate(over="ignore", divide="ignore")'
_FRESH = {OPS["where"].forward, OPS["concat"].forward, OPS["untake_along_axis"].forward}
_MOVES = {OPS["reshape"].forward, OPS["permute_dims"].forward, OPS["broadcast_to"].forward}


@dataclass
class Written:
    """Source, what its names stand for, its workspace, and the node of each line.

    ``early`` are the places of the outputs that the function computes where they shall lie.
    """

    source: str
    namespace: dict[str, Any]
    plan: Plan
    nodes: dict[int, Node]
    names: dict[Node, str]
    early: tuple[int, ...]


def write(program: Program, graph: Graph, *, poison: bool = False, into: bool = False) -> Written:
    """The source of a function ``program`` of the inputs that returns a tuple of the outputs.

    ``poison`` fills a place of the workspace with NaN as soon as its value is no longer needed:
    for tests. ``into``: the function gets an array for each output besides, which it fills.
    """
    return _Writer(program, graph, poison, into).written()


@dataclass
class _Loop:
    """The block that is being written: its rows, and what names its slices have."""

    block: Block
    slices: dict[str, str] = field(default_factory=dict)
    head: list[str] = field(default_factory=list)
    full: dict[Node, str] = field(default_factory=dict)
    own: set[Storage] = field(default_factory=set)
    later: list[Storage] = field(default_factory=list)


class _Writer:
    def __init__(self, program: Program, graph: Graph, poison: bool, into: bool) -> None:
        self.program, self.graph, self.poison = program, graph, poison
        self.into, self.early = into, _early(graph) if into else {}
        self.namespace: dict[str, Any] = {"np": np}
        self.plan = Plan()
        self.order = schedule(graph)
        self.lines: list[str] = []
        self.nodes: dict[int, Node] = {}
        self.text: dict[Node, str] = {}
        self.roots: dict[Node, list[Storage]] = {}
        self.whole: set[Node] = set()  # nodes whose array is a storage as it is
        self.outputs = set(graph.outputs)
        self.users = _users(graph)
        self.leaving = self.outputs | {  # what lies in memory of its own, since results lie there
            node.inputs[0] for node in self.outputs
            if node.op is PLACE and self.users[node.inputs[0]] == 1
        }  # fmt: skip
        self.loop: _Loop | None = None
        computed = [node for node in graph if not isinstance(node, Leaf)]
        self.outs = [f"o{k}" for k in range(len(graph.outputs))] if into else []
        taken = ("np", "program", "results", "i", "j", *self.outs)
        self.names = identifiers([*program.inputs, *computed], taken=taken)

    def written(self) -> Written:
        for leaf in self.program.inputs:
            self._define(leaf, self.names[leaf], [Storage(writable=False)])
        for node in self.graph:
            if isinstance(node, Leaf) and node not in self.text:
                self._define(node, self._constant(node.value), [Storage(writable=False)])
        for one in self.order:
            if isinstance(one, Block):
                self._write_block(one)
            else:
                self._write_node(one)
        results = self._filled() if self.into else ", ".join(self._results())
        comma = "," if len(self.graph.outputs) == 1 else ""
        given = [*(self.names[leaf] for leaf in self.program.inputs), *self.outs]
        head = [f"# {name}: {describe(value)}" for name, value in self.namespace.items()
                if isinstance(value, (np.ndarray, np.generic))]  # fmt: skip
        head += [f"def program({', '.join(given)}):"]
        if self.plan.views:
            head.append("    workspace = take()")
            names = ", ".join(f"b{k}" for k in range(len(self.plan.views)))
            head.append(f"    {names}{',' * (len(self.plan.views) == 1)} = workspace")
            self.lines.append("    give(workspace)")
        self.lines.append(f"    return {results}{comma}" if results else "    return ()")
        nodes = {line + len(head): node for line, node in self.nodes.items()}
        source = "\n".join([*head, *self.lines]) + "\n"
        early = tuple(self.early.values())
        return Written(source, self.namespace, self.plan, nodes, self.text, early)

    # names

    def _constant(self, value: Any) -> str:
        if type(value) in (bool, int, float, complex):
            return f"({literal(value)})" if _is_negative(value) else literal(value)
        return self._named(value, "k")

    def _named(self, value: Any, letter: str) -> str:
        for name, known in self.namespace.items():
            if known is value:
                return name
        name = f"{letter}{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def _function(self, node: Node) -> str:
        plain = re.sub(r"\W", "", node.op.name).strip("_")[:30]
        name = f"op_{plain}"
        if self.namespace.get(name, node.op.forward) is not node.op.forward:
            name = f"{name}_{len(self.namespace)}"
        self.namespace[name] = node.op.forward
        return name

    # memory

    def _define(self, node: Node, text: str, roots: list[Storage], *, whole: bool = False) -> None:
        self.text[node], self.roots[node] = text, roots
        for storage in roots:
            storage.users += self.users.get(node, 0)
            storage.call(text)
        if whole:
            self.whole.add(node)
        if not self.users.get(node, 0):
            self._release(roots)

    def _consume(self, node: Node) -> None:
        for p in _operands(node):
            for storage in self.roots[p]:
                storage.users -= 1
            self._release(self.roots[p])

    def _release(self, roots: Sequence[Storage]) -> None:
        for storage in roots:
            if self.loop is not None and storage not in self.loop.own:
                self.loop.later.append(storage)  # the next round reads it again
            elif storage.users == 0 and storage.slot is not None:
                self.plan.give(storage.slot)
                if self.poison:
                    view = self.plan.view(storage.slot, (storage.nbytes,), np.uint8)
                    self._line(f"b{view}[...] = 255", None)  # all bits set: NaN
                storage.slot = None
            elif storage.users == 0 and storage.names:
                self._line(f"del {', '.join(sorted(storage.names))}", None)
                storage.names = None

    def _in_place(self, node: Node) -> Node | None:
        """An operand whose memory the result may take: of the same form, and needed no more."""
        for p in node.inputs:
            if (
                isinstance(p, Node)
                and p in self.whole
                and p.shape == node.shape
                and p.dtype == node.dtype
                and p.shape
            ):
                (storage,) = self.roots[p]
                ours = storage.slot is None or node not in self.leaving
                if storage.writable and storage.users == 1 and ours and self._same_reach(p, node):
                    return p
        return None

    def _same_reach(self, p: Node, node: Node) -> bool:
        """Inside a loop only what lives in the loop alone is written over there."""
        if self.loop is None:
            return True
        inside = set(self.loop.block.nodes)
        return p in inside and p not in self.loop.full and node not in self.loop.full

    # lines

    def _line(self, text: str, node: Node | None) -> None:
        if node is not None and node.op in QUIET and self.loop is None:
            text = f"with {_HUSH}: {text}"
        self.lines.append(("    " if self.loop is None else "        ") + text)
        if node is not None:
            self.nodes[len(self.lines)] = node

    def _operand(self, p: Any, node: Node) -> str:
        """What an operand is called where ``node`` is computed."""
        if not isinstance(p, Node):
            return self._constant(p)
        text = self.text[p]
        loop = self.loop
        if loop is None or p in loop.block.nodes:
            return text
        if is_elementwise(node) and p.ndim != node.ndim:
            return text
        if not p.shape or p.shape[0] != loop.block.total:
            return text
        if text not in loop.slices:
            loop.slices[text] = part = re.sub(r"\W", "", text) + "_"
            loop.head.append(f"        {part} = {text}[i:j]")
            for storage in self.roots[p]:
                storage.call(part)
        return loop.slices[text]

    def _write_node(self, node: Node) -> None:
        args = [self._operand(p, node) for p in node.inputs]
        forward = node.op.forward
        ufunc = ufunc_of(node)
        if node.params.keys() == {"index", "count"} and node.op.name == "output":
            self._plainly(node, f"{args[0]}[{node.params['index']}]", view=True)
        elif node.shape and ufunc is not None:
            self._write_ufunc(node, ufunc, args)
        elif forward is operator.matmul and _is_dot(node):
            self._write_dot(node, args)
        elif node.op is PLACE:
            self._write_place(node, args)
        elif node.op in (INNER, PICK):
            self._plainly(node, code(node.op, args), view=False)
        elif forward in _REDUCTIONS:
            self._plainly(node, f"{_REDUCTIONS[forward]}({args[0]}, {_axes(node)})", view=False)
        elif node.params == {"axes": (1, 0)} and forward in _MOVES:
            (inner,) = _operands(node)
            self._define(node, f"{args[0]}.T", self.roots[inner])
            self._consume(node)
        elif forward is OPS["broadcast_to"].forward and self._is_filled(node):
            filled = f"np.full({node.shape}, {args[0]}, {literal(node.dtype)})"
            self._plainly(node, filled, view=False)
        elif forward is OPS["concat"].forward and self._is_joined(node):
            self._write_joined(node, args)
        elif forward in _MOVES or (node.op.pulls and _is_slicing(node)):
            self._plainly(node, code(node.op, args, node.params), view=True)
        elif ufunc is not None or (node.op.kind == "pointwise" and not node.params):
            self._plainly(node, self._expression(node, args), view=False)
        else:
            self._write_call(node, args)

    def _expression(self, node: Node, args: Sequence[str]) -> str:
        template = node.op.code
        if isinstance(template, str) and "{" in template and _is_exact(node):
            return template.format(*args)
        ufunc = ufunc_of(node)
        if ufunc is not None:
            return f"np.{ufunc.__name__}({', '.join(args)})"
        return f"{self._function(node)}({', '.join(args)})"

    def _plainly(self, node: Node, expression: str, *, view: bool) -> None:
        """A result in memory of its own, or (``view``) in that of the operands."""
        roots = [s for p in _operands(node) for s in self.roots[p]] if view else []
        name = self.names[node]
        if self.loop is not None and node in self.loop.full:
            self._line(f"{name}_[...] = {expression}", node)
            self._finish_in_loop(node)
            return
        self._line(f"{name} = {expression}", node)
        self._define(node, name, roots or [Storage(writable=bool(node.shape))], whole=not view)
        self._consume(node)

    def _finish_in_loop(self, node: Node) -> None:
        self._consume(node)
        self.text[node] = f"{self.names[node]}_"

    def _rows(self, node: Node, args: list[str]) -> list[str]:
        """Operands, with a row of a number for the number.

        NumPy's maximum of float32 and a number is a loop of single elements: 34 µs for 2¹⁶ of
        them, 17 with a row.
        """
        large = node.ndim > 1 and LEAST_ROW <= node.shape[-1] <= SMALL and node.size * 4 >= SMALL
        if not large or node.dtype != np.float32:
            return args
        rows = [
            np.full(node.shape[-1:], p, np.float32) if type(p) in (int, float) else None
            for p in node.inputs
        ]
        return [text if row is None else self._row(row) for row, text in zip(rows, args)]

    def _row(self, row: Any) -> str:
        arrays = {name: one for name, one in self.namespace.items() if isinstance(one, np.ndarray)}
        for name, known in arrays.items():
            if known.dtype == row.dtype and np.array_equal(known, row):
                return name
        return self._named(row, "k")

    def _write_ufunc(self, node: Node, ufunc: np.ufunc, args: list[str]) -> None:
        name = self.names[node]
        if ufunc in (np.maximum, np.minimum):
            args = self._rows(node, args)
        call = f"np.{ufunc.__name__}({', '.join(args)}, out="
        if ufunc is np.reciprocal:  # which is slower than to divide
            call = f"np.divide(1, {args[0]}, out="
        if self.loop is not None and node in self.loop.full:
            self._line(f"{call}{name}_)", node)
            self._finish_in_loop(node)
            return
        taken = self._in_place(node)
        if taken is not None:
            own = self.text[taken]
            sign = _IN_PLACE.get(node.op.forward)
            plain = sign is not None and node.inputs[0] is taken and args[0] == own
            self._line(f"{own} {sign} {args[1]}" if plain else f"{call}{own})", node)
            self._take_over(node, taken)
            return
        shape = node.shape if self.loop is None else (self.loop.block.rows, *node.shape[1:])
        nbytes = int(np.prod(shape)) * node.dtype.itemsize
        if self.loop is None and (nbytes <= SMALL or node in self.leaving):
            self._plainly(node, self._expression(node, args), view=False)
            return
        place, storage = self._place(shape, node.dtype, nbytes)
        rows = f"{place}[:j - i]" if self._is_ragged() else place
        self._line(f"{name} = {call}{rows})", node)
        self._define(node, name, [storage], whole=True)
        self._consume(node)

    def _is_ragged(self) -> bool:
        """Whether the last block of the loop is shorter than the others."""
        return self.loop is not None and bool(self.loop.block.total % self.loop.block.rows)

    def _place(self, shape: Sequence[int], dtype: Any, nbytes: int) -> tuple[str, Storage]:
        part = self.loop is not None and tuple(shape[:1]) == (self.loop.block.rows,)
        if nbytes >= LARGE_TEMPORARY and not part:
            made = f"np.empty({tuple(shape)}, {literal(np.dtype(dtype))})"
            return made, Storage(writable=True, names=set())
        slot = self.plan.take(nbytes)
        view = self.plan.view(slot, tuple(shape), dtype)
        storage = Storage(writable=True, slot=slot, nbytes=nbytes)
        if part and self.loop is not None:
            self.loop.own.add(storage)
        return f"b{view}", storage

    def _take_over(self, node: Node, taken: Node) -> None:
        """The result lies where the operand lay."""
        (storage,) = self.roots[taken]
        self.whole.discard(taken)
        self._define(node, self.text[taken], [storage], whole=True)
        self._consume(node)

    def _write_dot(self, node: Node, args: list[str]) -> None:
        nbytes = node.size * node.dtype.itemsize
        if node in self.early and self.loop is None:
            place = self.outs[self.early[node]]
            self._line(f"{place} = np.dot({args[0]}, {args[1]}, out={place})", node)
            self._define(node, place, [Storage(writable=False)])
            self._consume(node)
            return
        if nbytes <= SMALL or node in self.leaving or self.loop is not None:
            self._plainly(node, f"{args[0]}.dot({args[1]})", view=False)
            return
        place, storage = self._place(node.shape, node.dtype, nbytes)
        self._line(f"{self.names[node]} = np.dot({args[0]}, {args[1]}, out={place})", node)
        self._define(node, self.names[node], [storage], whole=True)
        self._consume(node)

    def _is_filled(self, node: Node) -> bool:
        """Whether one number is repeated into an array so small that it is made at once."""
        (x,) = node.inputs
        scalar = isinstance(x, Node) and not x.shape
        return scalar and 0 < node.size * node.dtype.itemsize <= SMALL

    def _is_joined(self, node: Node) -> bool:
        """Whether arrays of one dtype are joined in the workspace."""
        large = node.size * node.dtype.itemsize > SMALL and node not in self.leaving
        return large and self.loop is None and all(p.dtype == node.dtype for p in node.inputs)

    def _write_joined(self, node: Node, args: list[str]) -> None:
        place, storage = self._place(node.shape, node.dtype, node.size * node.dtype.itemsize)
        axis = literal(node.params["axis"])
        name = self.names[node]
        parts = ", ".join(args)
        self._line(f"{name} = np.concatenate(({parts}), axis={axis}, out={place})", node)
        self._define(node, name, [storage], whole=True)
        self._consume(node)

    def _write_place(self, node: Node, args: list[str]) -> None:
        """A few elements are added to where the matrix lies, if nobody else needs it."""
        taken = self._in_place(node)
        _, added, places, starts = args
        if taken is node.inputs[0]:
            self._line(f"{args[0]}.reshape(-1)[{starts} + {places}] += {added}", node)
            self._take_over(node, taken)
            return
        name = self.names[node]
        self._line(f"{name} = np.array({args[0]})", node)
        self._line(f"{name}.reshape(-1)[{starts} + {places}] += {added}", node)
        self._define(node, name, [Storage(writable=True)], whole=True)
        self._consume(node)

    def _write_call(self, node: Node, args: list[str]) -> None:
        """An operator for which there is no shorter text: its own function, by name."""
        given = [*args, *(f"{key}={self._param(value)}" for key, value in node.params.items())]
        fresh = node.op.kind in ("pointwise", "multilinear") or node.op.forward in _FRESH
        text = f"{self._function(node)}({', '.join(given)})"
        if node.dtype is None:  # several results
            text = f"{self._named(settled, 'settled')}({text})"
        elif not node.shape:
            text = f"{text}[()]"
        self._plainly(node, text, view=not fresh)

    def _param(self, value: Any) -> str:
        if _is_short(value):
            try:
                return literal(value)
            except UnsupportedError:
                pass
        return self._named(value, "k")

    # loops

    def _write_block(self, block: Block) -> None:
        inside = set(block.nodes)
        outer = [
            node for node in block.nodes if node in self.outputs or self._used_outside(node, inside)
        ]
        self.loop = loop = _Loop(block)
        for node in outer:
            name = self.names[node]
            nbytes = node.size * node.dtype.itemsize
            loop.full[node] = name
            if node in self.leaving:
                self.lines.append(f"    {name} = np.empty({node.shape}, {literal(node.dtype)})")
                self._define(node, name, [Storage(writable=True)])
            else:
                place, storage = self._place(node.shape, node.dtype, nbytes)
                self.lines.append(f"    {name} = {place}")
                self._define(node, name, [storage])
                storage.call(f"{name}_")
        for_line = len(self.lines)
        first = len(self.lines)
        for node in block.nodes:
            if node in loop.full:
                loop.slices.setdefault(loop.full[node], f"{loop.full[node]}_")
                self.lines.append(f"        {loop.full[node]}_ = {loop.full[node]}[i:j]")
            self._write_node(node)
        self._close_loop(loop, for_line, first)

    def _close_loop(self, loop: _Loop, at: int, first: int) -> None:
        block = loop.block
        ends = f"min(i + {block.rows}, {block.total})" if self._is_ragged() else f"i + {block.rows}"
        head = [f"    for i in range(0, {block.total}, {block.rows}):", f"        j = {ends}"]
        head += loop.head
        self.lines[at:at] = head
        if any(node.op in QUIET for node in block.nodes):
            self.lines[at:] = [f"    {line}" for line in self.lines[at:]]
            self.lines.insert(at, f"    with {_HUSH}:")
            head.append("")
        self.nodes = {
            (line + len(head) if line > first else line): node for line, node in self.nodes.items()
        }
        self.loop = None
        for node, name in loop.full.items():
            self.text[node] = name
            self.whole.add(node)
        self._release(loop.later)

    def _used_outside(self, node: Node, inside: set[Node]) -> bool:
        return self.users.get(node, 0) > sum(node in _operands(other) for other in inside)

    # results

    def _results(self) -> list[str]:
        delivered: set[Storage] = set()
        texts = []
        for out in self.graph.outputs:
            text, roots = self.text[out], self.roots[out]
            if not out.shape:
                texts.append(text)
                continue
            mine = all(s.writable and s.slot is None and s not in delivered for s in roots)
            sole = mine and (out in self.whole or self._is_sole(out, roots))
            delivered.update(roots)
            texts.append(text if sole else f"np.array({text})")
        return texts

    def _filled(self) -> str:
        """Lines that put the outputs into the arrays which were given, as soon as all are there."""
        rest = [
            (place, text) for k, (place, text) in enumerate(zip(self.outs, self._results()))
            if self.early.get(self.graph.outputs[k]) != k
        ]  # fmt: skip
        if rest:
            self._line(f"results = {', '.join(text for _, text in rest)},", None)
        for k, (place, _) in enumerate(rest):
            self._line(f"{place}[...] = results[{k}]", None)
        return ", ".join(self.outs)

    def _is_sole(self, out: Node, roots: Sequence[Storage]) -> bool:
        """Whether no other output shows any of the memory that this view shows."""
        return not any(
            other is not out and set(self.roots[other]) & set(roots) for other in self.graph.outputs
        )


def _users(graph: Graph) -> dict[Node, int]:
    """How many nodes use each node, and outputs once more for each time that they are returned."""
    users: dict[Node, int] = {}
    for node in graph:
        for p in _operands(node):
            users[p] = users.get(p, 0) + 1
    for out in graph.outputs:
        users[out] = users.get(out, 0) + 1
    return users


def _early(graph: Graph) -> dict[Node, int]:
    """Large products that are outputs, each with its place: BLAS computes them where they go."""
    return {
        node: k for k, node in enumerate(graph.outputs)
        if node.op.forward is operator.matmul and _is_dot(node) and node.shape
        and node.size * node.dtype.itemsize > SMALL
    }  # fmt: skip


def _operands(node: Node) -> list[Node]:
    return list(dict.fromkeys(p for p in node.inputs if isinstance(p, Node)))


def _is_negative(value: Any) -> bool:
    return isinstance(value, complex) or value < 0 or value != value


def _is_dot(node: Node) -> bool:
    """Whether BLAS computes it as it stands: two matrices, or vectors, of one floating dtype."""
    a, b = node.inputs
    return all(
        hasattr(p, "ndim") and p.ndim in (1, 2) and p.dtype == node.dtype for p in (a, b)
    ) and node.dtype in (np.float32, np.float64)


def _axes(node: Node) -> str:
    axis = node.params["axis"]
    text = literal(axis[0] if axis is not None and len(axis) == 1 else axis)
    return f"axis={text}, keepdims=True" if node.params["keepdims"] else f"axis={text}"


def _is_slicing(node: Node) -> bool:
    index = node.params.get("index", ())
    return (
        node.op.forward is OPS["getitem"].forward
        and len(node.inputs) == 1
        and all(part is None or part is ... or isinstance(part, (int, slice)) for part in index)
    )


def _is_exact(node: Node) -> bool:
    """Whether the operator's NumPy code is what its forward computes, bit for bit."""
    return ufunc_of(node) is not None or node.op.forward in (operator.pow, operator.neg)


def _is_short(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return False
    if isinstance(value, (tuple, list)):
        return len(value) < 20 and all(map(_is_short, value))
    return True
