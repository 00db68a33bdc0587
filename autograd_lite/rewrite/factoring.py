"""Sums of products whose terms share a factor: a·g + g·b as g·(a + b).

Works on a graph of arrays, after laws. Values change by rounding alone, and where a sum overflows:
for what is read. Imports graph, operators and patterns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.graph import EMPTY, Graph, Node, Op, rebuilt
from autograd_lite.ops.pointwise import add, divide, multiply, negative, subtract
from autograd_lite.rewrite.patterns import Maker, Rewritten, as_node

__all__ = ["factored"]


@dataclass(frozen=True)
class _Term:
    """A product of factors, over others, perhaps with a minus."""

    factors: tuple[Any, ...]
    under: tuple[Any, ...] = ()
    minus: bool = False

    @property
    def floating(self) -> bool:
        """Whether it is 1, or an array of floating numbers: sums of others mean something else."""
        arrays = [x for x in (*self.factors, *self.under) if isinstance(x, Node)]
        return any(x.dtype.kind == "f" for x in arrays) if arrays else not self.factors


def factored(graph: Graph, by: Callable[[Node], bool]) -> Rewritten:
    """The graph with what all terms of a sum share taken out of it, where that is one of ``by``.

    >>> import autograd_lite as ag
    >>> g, a, b = (ag.tensor([1.0, 2.0], name=name) for name in "gab")
    >>> found = factored(Graph.of(a * g + g * b), lambda node: node is g.node)
    >>> [node.op.name for node in found.graph]
    ['input', 'input', 'input', 'add', 'multiply']
    """
    return _Factoring(graph, by).done()


class _Factoring:
    def __init__(self, graph: Graph, by: Callable[[Node], bool]) -> None:
        self.graph, self.by, self.maker = graph, by, Maker(())
        self.made: dict[Node, Any] = {}
        self.users: dict[Node, int] = dict.fromkeys(graph.outputs, 2)  # they are read outside
        for node in graph:
            for p in node.inputs:
                if isinstance(p, Node):
                    self.users[p] = self.users.get(p, 0) + 1

    def done(self) -> Rewritten:
        """The graph after it."""
        self.made = rebuilt(self.graph, self._node)
        outputs = [as_node(self.made[out], out) for out in self.graph.outputs]
        return Rewritten(Graph(outputs), (), self.made)

    def _node(self, node: Node, inputs: tuple[Any, ...]) -> Any:
        for p, one in zip(node.inputs, inputs, strict=True):
            if isinstance(p, Node):
                self.made[p] = one
        terms = self._terms(node) if self._is(node, add, subtract) else []
        found = self._taken_out(terms) if len(terms) > 1 else None
        return self.maker.node(node.op, inputs, node.params, node) if found is None else found

    def _is(self, x: Any, *operators: Any) -> bool:
        own = [operator.op.forward for operator in operators]
        return isinstance(x, Node) and x.op.forward in own and x.dtype.kind == "f"

    def _inner(self, x: Any, *operators: Any) -> bool:
        """Whether it is an application of these that is read here alone."""
        return self._is(x, *operators) and self.users[x] == 1

    def _terms(self, node: Node) -> list[_Term]:
        a, b = (self._terms(x) if self._inner(x, add, subtract) else [self._term(x)]
                for x in node.inputs)  # fmt: skip
        minus = self._is(node, subtract)
        return [*a, *(replace(term, minus=term.minus != minus) for term in b)]

    def _term(self, x: Any) -> _Term:
        if self._inner(x, multiply, divide):
            a, b = map(self._term, x.inputs)
            minus = a.minus != b.minus
            if self._is(x, multiply):
                return _Term((*a.factors, *b.factors), (*a.under, *b.under), minus)
            return _Term((*a.factors, *b.under), (*a.under, *b.factors), minus)
        if self._inner(x, negative):
            inner = self._term(x.inputs[0])
            return replace(inner, minus=not inner.minus)
        return _Term((x,))

    def _taken_out(self, terms: Sequence[_Term]) -> Any:
        """The sum as a product; None where its terms share no factor of ``by``."""
        factors = _shared([term.factors for term in terms])
        under = _shared([term.under for term in terms])
        if not any(isinstance(x, Node) and self.by(x) for x in factors):
            return None
        rest = [
            _Term(_without(t.factors, factors), _without(t.under, under), t.minus) for t in terms
        ]
        if not all(t.floating for t in rest) or not any(t.factors for t in rest):
            return None
        rest.sort(key=lambda term: term.minus)
        whole = self._product(replace(rest[0], minus=False))
        for term in rest[1:]:
            sign = subtract if term.minus and not rest[0].minus else add
            whole = self._apply(sign, whole, self._product(replace(term, minus=False)))
        factors.sort(key=lambda x: not (isinstance(x, Node) and self.by(x)))
        result = self._product(_Term((*factors, whole), tuple(under)), made=True)
        return self._apply(negative, result) if rest[0].minus else result

    def _product(self, term: _Term, *, made: bool = False) -> Any:
        """The node of a term, of nodes of the new graph; its last factor is ``made`` already."""
        new = [self.made.get(x, x) if isinstance(x, Node) else x for x in term.factors]
        if made:
            new[-1] = term.factors[-1]
        above = self._multiplied(new)
        under = self._multiplied([self.made[x] if isinstance(x, Node) else x for x in term.under])
        if not term.under:
            return above
        return self._apply(divide, above, under)

    def _multiplied(self, factors: Sequence[Any]) -> Any:
        result: Any = 1.0
        for k, x in enumerate(factors):
            result = x if k == 0 else self._apply(multiply, result, x)
        return result

    def _apply(self, operator: Any, *inputs: Any) -> Any:
        op: Op = operator.op
        return self.maker.node(op, inputs, EMPTY)


def _shared(groups: Sequence[Sequence[Any]]) -> list[Any]:
    """What occurs in all of these, as often as in each."""
    found = list(groups[0])
    for group in groups[1:]:
        left = list(group)
        kept = []
        for x in found:
            k = next((k for k, y in enumerate(left) if y is x or _equal(x, y)), None)
            if k is not None:
                kept.append(x)
                left.pop(k)
        found = kept
    return found


def _equal(x: Any, y: Any) -> bool:
    """Whether both are the same number."""
    plain = not isinstance(x, Node) and not isinstance(y, Node)
    return plain and np.ndim(x) == np.ndim(y) == 0 and bool(x == y)


def _without(xs: Sequence[Any], gone: Sequence[Any]) -> tuple[Any, ...]:
    left = list(gone)
    kept = []
    for x in xs:
        k = next((k for k, y in enumerate(left) if y is x or _equal(x, y)), None)
        if k is None:
            kept.append(x)
        else:
            left.pop(k)
    return tuple(kept)
