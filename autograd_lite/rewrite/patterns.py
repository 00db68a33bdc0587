"""Rewriting a graph by pairs of patterns: ``pattern → replacement``, names for sub-expressions.

A law is written with the operators themselves, as two functions of the same names::

    Law("a root squared", lambda a: square(sqrt(a)), lambda a: a)

``rewritten`` applies laws from the inputs to the outputs until none fits. Equal nodes become one,
what is computed of constants alone is computed, and what no output needs is gone. Nodes are made
without computing their values, so that a graph of large arrays costs nothing. Values are kept, not
derivatives: rewrite after differentiating. Imports graph, tensors, recording, operators.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import signature
from typing import Any

import numpy as np

from autograd_lite.graph import EMPTY, Constant, Graph, Node, Op, rebuilt, settled
from autograd_lite.ops import pointwise as p
from autograd_lite.ops.shaping import broadcast_to
from autograd_lite.recording import apply
from autograd_lite.rewrite.field import key_of
from autograd_lite.rules import OPS
from autograd_lite.shapes import broadcast_shapes
from autograd_lite.tensors import Tensor

__all__ = ["Law", "Maker", "Rewritten", "Step", "as_node", "operator", "rewritten"]

_DEEP = 50  # laws applied to the result of each other: more than that run in a circle
_SYMMETRIC = (p.add, p.multiply, p.maximum, p.minimum, p.equal, p.not_equal, p.logical_and)
_COMMUTATIVE = {function.op.forward for function in (*_SYMMETRIC, p.logical_or)}


@dataclass(frozen=True)
class Law:
    """One pair of patterns.

    ``when(**bound)`` is a further condition; there names stand for nodes, numbers or parameters.
    A law holds wherever the pattern's value is finite. ``loses`` says where it does not: "range"
    (for large or tiny numbers), "domain" (where the pattern gives NaN or hides it). ``samples`` are
    operands for tests, where any arrays of one shape will not do.
    """

    name: str
    pattern: Callable[..., Any]
    replacement: Callable[..., Any]
    when: Callable[..., bool] | None = None
    loses: str = ""
    samples: Sequence[tuple[Any, ...]] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the sub-expressions."""
        found = signature(self.pattern).parameters.values()
        return tuple(one.name for one in found if one.default is one.empty)


@dataclass(frozen=True)
class Step:
    """One application of a law: the nodes before and after."""

    law: Law
    before: Node
    after: Any


@dataclass(frozen=True)
class Rewritten:
    """A graph after rewriting, and how it came to be.

    ``image`` says what became of each node: another one, or a constant.
    """

    graph: Graph
    steps: tuple[Step, ...]
    image: Mapping[Node, Any]


def operator(name: str) -> Callable[..., Any]:
    """An operator of the registry as a function, for laws of what has no public function."""
    op = OPS[name]
    return lambda *args, **params: apply(op, args, params)


def rewritten(
    graph: Graph, laws: Sequence[Law], only: Callable[[Node], bool] | None = None
) -> Rewritten:
    """The graph after all applications of these laws; where ``only`` says so, if it is given.

    >>> import autograd_lite as ag
    >>> law = Law("a root squared", lambda a: ag.square(ag.sqrt(a)), lambda a: a)
    >>> x = ag.tensor([1.0, 2.0], name="x")
    >>> [node.op.name for node in rewritten(Graph.of(ag.exp(ag.sqrt(x) ** 2)), [law]).graph]
    ['input', 'sqrt', 'power', 'exp']
    >>> [node.op.name for node in rewritten(Graph.of(ag.square(ag.sqrt(x))), [law]).graph]
    ['input']
    """
    maker = Maker(laws)

    def made_again(node: Node, inputs: tuple[Any, ...]) -> Any:
        return maker.node(node.op, inputs, node.params, node, lawless=bool(only and not only(node)))

    made = rebuilt(graph, made_again)
    outputs = [as_node(made[out], out) for out in graph.outputs]
    return Rewritten(Graph(outputs), tuple(maker.steps), made)


class _Term(Tensor):
    """An application in a pattern, or (without operator) a name."""

    __slots__ = ("args", "level", "op", "params", "word")

    def __init__(self, op: Op | None, args: Sequence[Any], params: Any, word: str = "") -> None:
        Tensor.__init__(self, None, None)
        self.op, self.args, self.params, self.word, self.level = op, args, params, word, 0

    def interpret(self, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """What an operator makes of patterns."""
        return _Term(op, args, params)


class _Handle(Tensor):
    """A node to which replacements apply operators; its value is not there, only its shape."""

    __slots__ = ("level", "maker")

    def __init__(self, node: Node, maker: "Maker") -> None:
        Tensor.__init__(self, node, node)
        self.maker, self.level = maker, 0

    def like(self, x: Any) -> Any:
        """Another node as a handle of the same making; a number as it is."""
        return _Handle(x, self.maker) if isinstance(x, Node) else x

    def interpret(self, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """The node of an application, in its simplest form."""
        inputs = tuple(arg.node if isinstance(arg, Tensor) else arg for arg in args)
        made = self.maker.node(op, inputs, params)
        return _Handle(made, self.maker) if isinstance(made, Node) else made


class Maker:
    """Nodes, each there once, in the simplest form that the laws give."""

    def __init__(self, laws: Sequence[Law]) -> None:
        self.steps: list[Step] = []
        self._depth = 0
        self._origin: tuple[Any, Any, int] = (None, None, 0)  # scope and line of what is rewritten
        self._nodes: dict[Any, Any] = {}
        self._laws: dict[Any, list[tuple[Law, _Term, set[Any], set[Any]]]] = {}
        for law in laws:
            pattern = law.pattern(*(_Term(None, (), EMPTY, name) for name in law.names))
            needed = {arg.op.forward for arg in pattern.args if isinstance(arg, _Term) and arg.op}
            numbers = {key_of(float(arg)) for arg in pattern.args if not isinstance(arg, _Term)}
            self._laws.setdefault(pattern.op.forward, []).append((law, pattern, needed, numbers))

    def node(
        self, op: Op, inputs: tuple[Any, ...], params: Mapping[str, Any], like: Node | None = None,
        *, lawless: bool = False,
    ) -> Any:  # fmt: skip
        """An application in its simplest form: a node, or a constant."""
        key = (op.forward, op.kind, tuple(x if isinstance(x, Node) else key_of(x) for x in inputs),
               key_of(params))  # fmt: skip
        if like is not None:
            self._origin = like.scope, like.code, like.offset
        if key not in self._nodes:
            self._nodes[key] = self._simplest(op, inputs, params, like, lawless=lawless)
        return self._nodes[key]

    def _simplest(
        self, op: Op, inputs: tuple[Any, ...], params: Mapping[str, Any], like: Node | None,
        *, lawless: bool,
    ) -> Any:  # fmt: skip
        if not any(isinstance(x, Node) for x in inputs):
            return settled(op.forward(*inputs, **params))
        shape, dtype = (like.shape, like.dtype) if like else _result(op, inputs, params)
        node = Node(op, inputs, params, None, shape, dtype, *self._origin)
        node.name = like.name if like else None
        laws = () if lawless else self._laws.get(op.forward, ())
        if not laws:
            return node
        there = {x.op.forward for x in inputs if isinstance(x, Node)}
        constants = {key_of(float(x)) for x in inputs if _is_number(x)}
        for law, pattern, needed, numbers in laws:
            if not needed <= there or not numbers <= constants:
                continue  # most laws, at a glance
            for bound in _matches(pattern, node, {}):
                if law.when is None or law.when(**bound):
                    after = self._replaced(law, bound, node)
                    if after is not None:
                        return after
        return node

    def _replaced(self, law: Law, bound: Mapping[str, Any], node: Node) -> Any:
        """What a law makes of a node, in the node's shape; None if it would change the dtype."""
        if self._depth >= _DEEP:
            return None
        given = [_Handle(x, self) if isinstance(x, Node) else x
                 for x in (bound[name] for name in law.names)]  # fmt: skip
        self._depth += 1
        try:
            found = law.replacement(*given)
        finally:
            self._depth -= 1
        if not isinstance(found, Tensor):
            found = np.full(node.shape, found, node.dtype)[()]
        elif found.dtype != node.dtype:
            return None
        elif found.shape != node.shape:
            found = broadcast_to(found, node.shape)
        after = found.node if isinstance(found, Tensor) else found
        self.steps.append(Step(law, node, after))
        return after


def _is_number(x: Any) -> bool:
    """Whether an operand is a constant, real and without axes."""
    if isinstance(x, Node) or np.ndim(x):
        return False
    return not isinstance(x, (complex, np.complexfloating))


def _matches(pattern: Any, x: Any, bound: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All ways in which a pattern fits: names to nodes, constants and parameters."""
    if not isinstance(pattern, _Term):
        if _is_number(x) and key_of(float(x)) == key_of(float(pattern)):
            yield bound
        return
    if pattern.op is None:
        if pattern.word not in bound:
            yield {**bound, pattern.word: x}
            return
        known = bound[pattern.word]
        plain = not isinstance(x, Node) and not isinstance(known, Node)
        if known is x or (plain and key_of(known) == key_of(x)):
            yield bound
        return
    if not isinstance(x, Node) or x.op.forward is not pattern.op.forward:
        return
    orders = [x.inputs]
    if x.op.forward in _COMMUTATIVE:
        orders.append(x.inputs[::-1])
    for inputs in orders:
        yield from _all_match(
            [*pattern.args, *pattern.params.values()],
            [*inputs, *(x.params.get(name) for name in pattern.params)],
            bound,
        )


def _all_match(
    patterns: Sequence[Any], xs: Sequence[Any], bound: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    if len(patterns) != len(xs):
        return
    if not patterns:
        yield bound
        return
    for first in _matches(patterns[0], xs[0], bound):
        yield from _all_match(patterns[1:], xs[1:], first)


def _result(op: Op, inputs: Sequence[Any], params: Mapping[str, Any]) -> tuple[Any, Any]:
    """Shape and dtype of an application, found on ones that take no memory."""

    def stand_in(x: Any) -> Any:
        if not isinstance(x, Node):
            return x
        shape = (1,) * len(x.shape) if op.kind == "pointwise" else x.shape
        return np.broadcast_to(np.ones((), x.dtype), shape)

    with np.errstate(all="ignore"):
        result = np.asarray(op.forward(*map(stand_in, inputs), **params))
    if op.kind != "pointwise":
        return result.shape, result.dtype
    shapes = [x.shape if isinstance(x, Node) else np.shape(x) for x in inputs]
    return broadcast_shapes(*shapes), result.dtype


def as_node(made: Any, like: Node) -> Node:
    """An output that turned out constant as a leaf."""
    if isinstance(made, Node):
        return made
    value = np.broadcast_to(np.asarray(made, like.dtype), like.shape)
    return Constant("constant", settled(value.copy()), like.name, None, 0)
