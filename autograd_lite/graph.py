"""The graph: operators as data, nodes that point backwards, and a finished reading of them.

Knows ``Op``, ``Node``, ``Scope`` and ``Graph``: structure, order, replay and printing. Does not
know any single operator, nor how nodes come to be (``recording``), nor derivatives. Imports
errors and NumPy.
"""

import contextlib
import gc
import itertools
import math
import operator
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, MappingProxyType
from typing import Any, NoReturn

import numpy as np

from autograd_lite.errors import (
    ShapeError,
    Source,
    StaleValueError,
    UnsupportedError,
    describe,
)
from autograd_lite.shapes import Shape

__all__ = [
    "EMPTY",
    "Cell",
    "Constant",
    "Datum",
    "Graph",
    "Leaf",
    "Node",
    "Op",
    "Scope",
    "ancestors",
    "by_serial",
    "rebuilt",
    "same_again",
    "settled",
    "visible",
    "without_collector",
]

EMPTY: Mapping[str, Any] = MappingProxyType({})
_Y = 1  # bit of the output in a keep mask; input i has bit 2 << i


class Op:
    """Everything that is true of one operator, as data that interpreters read.

    ``forward(*arrays, **params)`` computes; ``pulls[i](g, y, *xs, **params)`` gives the cotangent
    of input i (None: that input carries no derivative); ``push(tangents, y, xs, params)`` gives
    the tangent of the output, where a tangent may be None for zero. ``keeps[i]`` is a bit mask of
    the values that ``pulls[i]`` reads (1: y, 2 << j: x_j).

    ``text`` is the formula in signs of Unicode, which ``latex`` replaces where LaTeX can do better:
    templates of operands, ``{0}``, ``{1}`` or all of them, ``{args}``.

    ``adds(total, g, *xs, **params)`` adds the cotangent of input 0 to an array in place, for an
    operator that reads a small part of it: so k reads of one array are not k dense sums. The
    ``pulls[0]`` of such an operator makes an array of its own.

    ``code`` is the NumPy expression of it: a template of operands and parameters
    (``"np.flip({0}, {axes})"``), a function of NumPy (``"np.sum"``), or a function that writes it
    (``code(*operands, **params)``); by default the name of ``forward`` in NumPy. ``notation`` fills
    it in. Where NumPy has no expression, ``plain(*arrays, **params)`` may be a short function of
    NumPy alone, whose text generated code can carry.

    ``sized(*inputs)`` says whether the shape of the result depends on values: a program of the
    operator serves one such shape.

    ``probe(call, *arrays)`` says how tests reach an operator that takes special arrays or gives
    several or complex ones: it makes its operands of any arrays, and one real array of what
    ``call`` returns, with ordinary functions that run on arrays and on tensors.
    """

    __slots__ = (
        "adds",
        "array_names",
        "code",
        "doc",
        "domain",
        "forward",
        "keeps",
        "kind",
        "latex",
        "local",
        "name",
        "plain",
        "probe",
        "pulls",
        "push",
        "samples",
        "sized",
        "source",
        "strict",
        "symbol",
        "text",
    )

    def __init__(self, name: str, kind: str, forward: Callable[..., Any], **facts: Any) -> None:
        self.name = name
        self.kind = kind
        self.forward = forward
        self.pulls: Any = facts.pop("pulls", ())
        self.adds: Callable[..., None] | None = facts.pop("adds", None)
        self.push: Callable[..., Any] | None = facts.pop("push", None)
        self.keeps: Any = facts.pop("keeps", ())
        self.symbol: str = facts.pop("symbol", "") or name
        self.text: str = facts.pop("text", "") or name + "({args})"
        self.latex: str = facts.pop("latex", "")
        self.local: Any = facts.pop("local", ())
        self.array_names: tuple[str, ...] = facts.pop("array_names", ())
        self.code: Any = facts.pop("code", "")
        self.domain: tuple[float, float] = facts.pop("domain", (-2.0, 2.0))
        self.samples: Any = facts.pop("samples", ())
        self.sized: Callable[..., bool] | None = facts.pop("sized", None)
        self.plain: Callable[..., Any] | None = facts.pop("plain", None)
        self.probe: Callable[..., Any] | None = facts.pop("probe", None)
        self.strict: bool = facts.pop("strict", False)
        self.doc: str = facts.pop("doc", "") or ""
        self.source: Source | None = facts.pop("source", None)
        if facts:
            raise UnsupportedError(f"an operator has no facts named {sorted(facts)}")

    def __repr__(self) -> str:
        return f"Op({self.name!r}, {self.kind!r})"

    @property
    def differentiable(self) -> bool:
        """Whether any of its arguments carries a derivative."""
        return self.kind not in ("constant", "leaf")

    def local_rule(self, i: int, names: Sequence[str]) -> str:
        """What becomes of the arriving gradient G on its way to input ``i``, as text.

        ``names`` says how to call the inputs.
        """
        local = self.local
        if callable(local):
            local = self.local = local()
        rule = local[i] if i < len(local) else (local[-1] if local else "")
        return str(rule(*names) if callable(rule) else rule.format(*names))


LEAF_OPS = {name: Op(name, "leaf", lambda: None) for name in ("input", "parameter", "constant")}


class Scope:
    """One entry of ``with ag.scope(name)``; two entries of one name are two scopes.

    ``direction`` and ``level`` tell a layer's forward nodes from those of its derivative, so that
    folding a layer never makes a cycle.
    """

    __slots__ = ("code", "direction", "level", "name", "offset", "parent")

    def __init__(
        self,
        name: str,
        parent: "Scope | None" = None,
        code: CodeType | None = None,
        offset: int = 0,
        direction: str = "forward",
        level: int = 0,
    ) -> None:
        self.name = name
        self.parent = parent
        self.code = code
        self.offset = offset
        self.direction = direction
        self.level = level

    @property
    def path(self) -> str:
        """The names from the outermost scope to this one, joined by slashes."""
        names = []
        scope: Scope | None = self
        while scope is not None:
            names.append(scope.name)
            scope = scope.parent
        return "/".join(reversed(names))

    def __repr__(self) -> str:
        return f"Scope({self.path!r})"


class Cell:
    """Where the gradient of a leaf is published; shared by all versions of a parameter."""

    __slots__ = ("__weakref__", "grad", "holder")

    def __init__(self) -> None:
        self.grad: Any = None
        self.holder: Callable[[], Any] | None = None  # gives the parameter, while it lives


_next_serial = itertools.count().__next__


class Node:
    """One recorded application of a primitive; it points to its inputs, never to its users.

    ``inputs`` holds Nodes, and the plain values of unnamed constants. ``value`` is kept only if a
    derivative rule reads it. Where a value is not there, the node itself stands in for it: it
    has ``shape``, ``dtype``, ``ndim`` and ``size``. ``serial`` counts nodes as they are made, so
    that sorting by it is a topological order.
    """

    __slots__ = (
        "__weakref__",
        "cell",
        "code",
        "dtype",
        "inputs",
        "name",
        "offset",
        "op",
        "params",
        "scope",
        "serial",
        "shape",
        "value",
    )
    __array_ufunc__ = None

    def __init__(
        self,
        op: Op,
        inputs: tuple[Any, ...],
        params: Mapping[str, Any],
        value: Any,
        shape: Shape,
        dtype: Any,
        scope: Scope | None,
        code: CodeType | None,
        offset: int,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.params = params
        self.value = value
        self.shape = shape
        self.dtype = dtype
        self.scope = scope
        self.code = code
        self.offset = offset
        self.serial = _next_serial()
        self.name: str | None = None
        self.cell: Cell | None = None

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def source(self) -> Source | None:
        """File and line of the user's code that made this node, resolved when asked."""
        return Source.of(self.code, self.offset) if self.code is not None else None

    @property
    def outputs(self) -> tuple[Any, ...]:
        """The values that this node made, as tensors; ``recording`` knows how."""
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise UnsupportedError("a Node is not an array", mend="use the Tensor, or Graph.replay()")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise UnsupportedError(
            "a recorded graph is neither copied nor pickled",
            mend="save the values (tensor.numpy()), or call the function again",
        )

    def __repr__(self) -> str:
        return f"<Node {self.op.name} {describe(self, self.name)}>"


class Leaf(Node):
    """A tracked leaf: where derivatives end. Its op is ``input`` or ``parameter``."""

    __slots__ = ("stamp",)
    watched = False  # whether any leaf ever was: sweeps look for stale arrays only then

    def __init__(self, kind: str, value: Any, name: str | None, code: Any, offset: int) -> None:
        Node.__init__(
            self, LEAF_OPS[kind], (), EMPTY, value, value.shape, value.dtype, None, code, offset
        )
        self.name = name
        self.stamp: int | None = None

    def watch(self) -> None:
        """Remember what the caller's array holds now, so that a later change is noticed."""
        self.stamp = _checksum(self.value)
        Leaf.watched = True

    def verify(self) -> None:
        """Raise ``StaleValueError`` if the caller's array (``copy=False``) has changed."""
        if self.stamp is not None and self.stamp != _checksum(self.value):
            raise StaleValueError(
                f"the array behind {self.op.name} {self.name or ''} was changed after it was "
                "recorded",
                where=f"made at {self.source}",
                mend="leave out copy=False, or make the tensor anew after the change",
            )


class Datum(Leaf):
    """What a compiled function is given and no derivative is taken to: labels, say."""

    __slots__ = ()


class Constant(Leaf):
    """A named untracked leaf; derivatives do not enter it."""

    __slots__ = ()


def _present(leaf: Leaf) -> Any:
    """The value of a leaf, or an error where it is known by its shape alone."""
    if leaf.value is None:
        raise UnsupportedError(
            f"{leaf!r} was traced by its shape alone: it has no value, and what rests on it none",
            mend="trace the function with arrays, or give some: graph.replay({node: array})",
        )
    return leaf.value


def _checksum(value: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(value).view(np.uint8).data)


by_serial = operator.attrgetter("serial")


def ancestors(outputs: Sequence[Node]) -> list[Node]:
    """All nodes that ``outputs`` rest on, and these, each after its inputs; without recursion."""
    seen = set(outputs)
    stack = list(seen)
    while stack:
        for p in stack.pop().inputs:
            if isinstance(p, Node) and p not in seen:
                seen.add(p)
                stack.append(p)
    return sorted(seen, key=by_serial)


class Graph:
    """A finished, topologically ordered reading of what was recorded.

    ``Graph.of(*outputs)`` reads what tensors rest on. Iterating gives the nodes, inputs before
    their users; ``print(graph)`` lists them.

    >>> import autograd_lite as ag
    >>> x = ag.tensor([1.0, 2.0], name="x")
    >>> graph = ag.Graph.of(ag.exp(x) * 2)
    >>> len(graph), [node.op.name for node in graph]
    (3, ['input', 'exp', 'multiply'])
    """

    __slots__ = ("inputs", "nodes", "outputs")

    def __init__(self, outputs: Sequence[Node]) -> None:
        self.outputs = tuple(outputs)
        self.nodes = tuple(ancestors(outputs))
        self.inputs = tuple(
            node for node in self.nodes if isinstance(node, Leaf) and type(node) is not Constant
        )

    @classmethod
    def of(cls, *outputs: Any) -> "Graph":
        """The graph that these tensors (or nodes) rest on."""
        for out in outputs:
            if not isinstance(getattr(out, "node", out), Node):
                raise UnsupportedError(
                    f"a graph of {describe(out)}", mend="give tensors, as ag.tensor makes them"
                )
        return cls([out if isinstance(out, Node) else out.node for out in outputs])

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def replay(self, inputs: Mapping[Node, Any] | None = None) -> dict[Node, Any]:
        """The value of every node: the kept one, or the one computed again.

        ``inputs`` maps leaves to other arrays of the same shape; what depends on them is computed
        anew.
        """
        given = self._given(inputs or {})
        values: dict[Node, Any] = {}
        changed: set[Node] = set(given)
        for node in self.nodes:
            if node in given:
                values[node] = given[node]
                continue
            if isinstance(node, Leaf):
                node.verify()
                values[node] = _present(node)
                continue
            touched = any(isinstance(p, Node) and p in changed for p in node.inputs)
            if touched:
                changed.add(node)
            if node.value is not None and not touched:
                values[node] = node.value
                continue
            arrays = [values[p] if isinstance(p, Node) else p for p in node.inputs]
            values[node] = settled(node.op.forward(*arrays, **node.params))
        return values

    def _given(self, inputs: Mapping[Node, Any]) -> dict[Node, Any]:
        """Arrays for some nodes, held against what the nodes are."""
        nodes = set(self.nodes)
        given = {node: np.asarray(value)[()] for node, value in inputs.items()}
        for node, value in given.items():
            if node not in nodes:
                raise UnsupportedError(f"{node!r} is not in this graph", mend="use graph.inputs")
            if value.shape != node.shape:
                raise ShapeError(
                    f"{node!r} cannot have the shape {value.shape}",
                    mend="a graph is of fixed shapes: record it again on other shapes",
                )
        return given

    def same_structure(self, other: "Graph") -> bool:
        """Whether both graphs apply the same operators, wired alike, to the same shapes."""
        if len(self) != len(other):
            return False
        twin = dict(zip(self.nodes, other.nodes, strict=True))
        return all(_alike(a, b, twin) for a, b in twin.items()) and (
            tuple(twin[out] for out in self.outputs) == other.outputs
        )

    def labels(self) -> dict[Node, str]:
        """A short, unique text for each node: its name, or a counter."""
        labels: dict[Node, str] = {}
        taken: set[str] = set()
        for i, node in enumerate(self.nodes):
            label = visible(node.name) if node.name else f"%{i}"
            labels[node] = label if label not in taken else f"{label}%{i}"
            taken.add(labels[node])
        return labels

    def __str__(self) -> str:
        labels = self.labels()
        rows = [_row(node, labels) for node in self._shown()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
        lines = [f"graph of {len(self)} nodes"]
        for row in rows:
            cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
            lines.append("  " + "  ".join(cells).rstrip())
        if len(rows) < len(self):
            lines.insert(1 + len(rows) // 2, f"  … {len(self) - len(rows)} nodes left out …")
        return "\n".join([*lines, "  return " + ", ".join(labels[out] for out in self.outputs)])

    def _shown(self) -> tuple[Node, ...]:
        return self.nodes if len(self) <= 80 else self.nodes[:40] + self.nodes[-40:]

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise UnsupportedError(
            "a recorded graph is neither copied nor pickled",
            mend="call the function again, or keep the graph itself: it never changes",
        )


def visible(text: str, limit: int = 60) -> str:
    r"""User text with control, bidi and terminal escapes shown instead of obeyed, and capped.

    >>> print(visible("a\x1b[31m"))
    a\x1b[31m
    """
    shown = "".join(
        ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text[: limit + 1]
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def same_again(node: Node, inputs: tuple[Any, ...]) -> Node:
    """The same application to other inputs, without a value that was kept."""
    if node.value is None and all(a is b for a, b in zip(inputs, node.inputs, strict=True)):
        return node
    again = Node(node.op, inputs, node.params, None, node.shape, node.dtype, node.scope, node.code,
                 node.offset)  # fmt: skip
    again.name = node.name
    return again


def rebuilt(
    graph: Graph, make: Callable[[Node, tuple[Any, ...]], Any] = same_again
) -> dict[Node, Any]:
    """What stands for each node of a graph: a leaf for itself, else ``make(node, inputs)``.

    ``inputs`` are what stands for the node's own.
    """
    made: dict[Node, Any] = {}
    for node in graph:
        if isinstance(node, Leaf):
            made[node] = node
        else:
            inputs = (made[x] if isinstance(x, Node) else x for x in node.inputs)
            made[node] = make(node, tuple(inputs))
    return made


def settled(value: Any) -> Any:
    """0-d arrays as NumPy scalars, alone or in a tuple of results; all else as it is."""
    if isinstance(value, np.ndarray):
        return value if value.ndim else value[()]
    return tuple(settled(part) for part in value) if type(value) is tuple else value


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Many small objects that all stay: looking for garbage among them again and again is slow.

    Afterwards they count as old, which is what the detour by the frozen ones does.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():  # else they are the user's, and stay
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _row(node: Node, labels: Mapping[Node, str]) -> tuple[str, str, str, str]:
    if isinstance(node, Leaf):
        what = node.op.name
    else:
        operands = [labels[p] if isinstance(p, Node) else _brief(p) for p in node.inputs]
        operands += [f"{key}={_brief(value)}" for key, value in node.params.items()]
        what = f"{node.op.name}({', '.join(operands)})"
    place = node.source
    where = f"{place.file.rpartition('/')[2]}:{place.line}" if place else ""
    scope = visible(node.scope.path) if node.scope else ""
    return labels[node], what, f"{node.shape} {node.dtype}", f"{scope}  {where}".strip()


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array{value.shape}"
    text = str(value) if isinstance(value, (np.generic, np.dtype)) else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _alike(a: Node, b: Node, twin: Mapping[Node, Node]) -> bool:
    same_facts = (a.op, a.shape, a.dtype, len(a.inputs)) == (b.op, b.shape, b.dtype, len(b.inputs))
    if not same_facts or not _equal(dict(a.params), dict(b.params)):
        return False
    return all(
        twin[p] is q if isinstance(p, Node) else not isinstance(q, Node) and _equal(p, q)
        for p, q in zip(a.inputs, b.inputs, strict=True)
    )


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        same_kind = type(a) is type(b) and len(a) == len(b)
        return same_kind and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    return type(a) is type(b) and bool(a == b or (a != a and b != b))
