"""A recorded graph read as formulas: what each operator means in the field of formulas.

Readings are given for arithmetic, exponentials and what is made of them, conditions, and sums; an
operator without one is an atom of its own. Imports graph, rules, operators, field and rational.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from autograd_lite.graph import Leaf, Node, Op
from autograd_lite.ops import pointwise as p
from autograd_lite.ops import special as s
from autograd_lite.rewrite.field import Field
from autograd_lite.rewrite.rational import ONE, ZERO, Ratio, number
from autograd_lite.rules import OPS
from autograd_lite.shapes import Shape

__all__ = ["Reader", "readable"]

Reading = Callable[..., Ratio | None]


class Reader:
    """The formulas of the nodes of graphs, in one field; ``names`` gives those that are known."""

    def __init__(self, field: Field, names: Mapping[Node, Ratio]) -> None:
        self.field = field
        self.known: dict[Node, Ratio] = dict(names)

    def read(self, nodes: Any) -> None:
        """Read nodes, each after its inputs."""
        for node in nodes:
            if node not in self.known:
                self.known[node] = self._formula(node)

    def operand(self, x: Any) -> Any:
        """The formula of an operand."""
        if isinstance(x, Node):
            return self.known[x]
        numeric = isinstance(x, (int, float, bool, np.ndarray, np.generic))
        return self.field.constant(x) if numeric and np.asarray(x).dtype.kind in "biuf" else x

    def _formula(self, node: Node) -> Ratio:
        if isinstance(node, Leaf):
            return self.field.constant(node.value, node.name or "")
        args = [self.operand(x) for x in node.inputs]
        meaning = _MEANINGS.get(node.op.forward)
        if meaning is not None and all(isinstance(arg, Ratio) for arg in args):
            found = meaning(self.field, node, *args)
            if found is not None:
                return found
        shapes = [x.shape if isinstance(x, Node) else np.shape(x) for x in node.inputs]
        condition = node.dtype == np.bool_
        return self.field.apply(
            node.op, args, shapes, node.params, node.shape, idempotent=condition
        )


_MEANINGS: dict[Any, Reading] = {}


def readable(op: Op) -> bool:
    """Whether formulas see into the operator, or it works on each element alone."""
    return op.kind == "pointwise" or op.forward in _MEANINGS


def _means(*operators: Any) -> Callable[[Reading], Reading]:
    """Decorator: the meaning of operators (or of their names), as formulas."""

    def register(reading: Reading) -> Reading:
        for operator in operators:
            op = OPS[operator] if isinstance(operator, str) else operator.op
            _MEANINGS[op.forward] = reading
        return reading

    return register


# arithmetic

_means(p.add)(lambda f, n, a, b: a + b)
_means(p.subtract)(lambda f, n, a, b: a - b)
_means(p.multiply)(lambda f, n, a, b: a * b)
_means(p.divide)(lambda f, n, a, b: a * f.cases(Ratio.inverse, b))
_means(p.negative)(lambda f, n, a: -a)
_means(p.positive)(lambda f, n, a: a)
_means(p.reciprocal)(lambda f, n, a: f.cases(Ratio.inverse, a))
_means(p.square)(lambda f, n, a: a * a)
_means(p.sqrt)(lambda f, n, a: f.power(a, Fraction(1, 2)))


@_means(p.power)
def _power(field: Field, node: Node, base: Ratio, exponent: Ratio) -> Ratio | None:
    e = exponent.constant
    return None if e is None or e.denominator > 4 else field.power(base, e)


# exponentials, and what is made of them

_means(p.exp)(lambda f, n, a: f.cases(f.exp, a))
_means(p.log)(lambda f, n, a: f.log(a))
_means(p.expm1)(lambda f, n, a: f.cases(f.exp, a) - ONE)
_means(p.log1p)(lambda f, n, a: f.log(ONE + a))
_means(s.sigmoid)(lambda f, n, a: f.exp(a) / (ONE + f.exp(a)))
_means(s.softplus)(lambda f, n, a: f.log(ONE + f.exp(a)))
_means(s.logaddexp)(lambda f, n, a, b: f.log(f.exp(a) + f.exp(b)))


@_means("_tanh_slope")
def _tanh_slope(field: Field, node: Node, a: Ratio) -> Ratio:
    y = field.apply(p.tanh.op, [a], [node.shape], {}, node.shape)
    return ONE - y * y


@_means("softmax")
def _softmax(field: Field, node: Node, a: Ratio) -> Ratio:
    e = field.exp(a)
    return e / field.total(e, node.shape, _axes(node, node.shape))


@_means("log_softmax")
def _log_softmax(field: Field, node: Node, a: Ratio) -> Ratio:
    return a - field.log(field.total(field.exp(a), node.shape, _axes(node, node.shape)))


@_means("logsumexp")
def _logsumexp(field: Field, node: Node, a: Ratio) -> Ratio | None:
    found = _reduced(field, node, field.exp(a))
    return None if found is None else field.log(found)


# conditions

_means(p.greater)(lambda f, n, a, b: f.holds(p.greater.op, a - b))
_means(p.less)(lambda f, n, a, b: f.holds(p.greater.op, b - a))
_means(p.greater_equal)(lambda f, n, a, b: ONE - f.holds(p.greater.op, b - a))
_means(p.less_equal)(lambda f, n, a, b: ONE - f.holds(p.greater.op, a - b))
_means("_or_nan")(lambda f, n, y, a: a)
_means(p.isinf, p.isnan)(lambda f, n, a: ZERO)  # as above
_means(p.isfinite)(lambda f, n, a: ONE)
_means(p.logical_not)(lambda f, n, a: ONE - a)
_means("where")(lambda f, n, c, a, b: c * a + (ONE - c) * b)


def _equality(field: Field, node: Node, a: Ratio, b: Ratio) -> Ratio:
    """Formulas are of finite numbers, so that nothing is infinite or NaN."""
    infinite = any(not isinstance(x, Node) and np.all(np.isinf(x)) for x in node.inputs)
    return ZERO if infinite else field.holds(p.equal.op, a - b)


_means(p.equal)(_equality)
_means(p.not_equal)(lambda f, n, a, b: ONE - _equality(f, n, a, b))


@_means(p.maximum, p.minimum)
def _extremum(field: Field, node: Node, a: Ratio, b: Ratio) -> Ratio | None:
    return a if a == b else None


# sums, and shapes


def _axes(node: Node, shape: Shape) -> tuple[int, ...]:
    axis = node.params["axis"]
    return tuple(k - len(shape) for k in (range(len(shape)) if axis is None else axis))


def _shape(node: Node) -> Shape:
    first = node.inputs[0]
    return first.shape if isinstance(first, Node) else np.shape(first)


def _reduced(field: Field, node: Node, a: Ratio) -> Ratio | None:
    shape = _shape(node)
    axes = _axes(node, shape)
    total = field.total(a, shape, axes)
    kept = tuple(1 if k - len(shape) in axes else n for k, n in enumerate(shape))
    return field.moved(total, kept, node.shape)


_means("sum")(_reduced)


@_means("mean")
def _mean(field: Field, node: Node, a: Ratio) -> Ratio | None:
    shape = _shape(node)
    count = int(np.prod([shape[k] for k in _axes(node, shape)], dtype=int))
    total = _reduced(field, node, a)
    return None if total is None or not count else total * number(Fraction(1, count))


@_means("var")
def _variance(field: Field, node: Node, a: Ratio) -> Ratio | None:
    """The mean square less the squared mean."""
    shape = _shape(node)
    axes = _axes(node, shape)
    count = int(np.prod([shape[k] for k in axes], dtype=int))
    if count <= node.params["ddof"]:
        return None
    total = field.total(a, shape, axes)
    spread = field.total(a * a, shape, axes) - total * total * number(Fraction(1, count))
    kept = tuple(1 if k - len(shape) in axes else n for k, n in enumerate(shape))
    found = field.moved(spread, kept, node.shape)
    return None if found is None else found * number(1 / Fraction(count - node.params["ddof"]))


@_means("std")
def _deviation(field: Field, node: Node, a: Ratio) -> Ratio | None:
    found = _variance(field, node, a)
    return None if found is None else field.power(found, Fraction(1, 2))


@_means("norm")
def _length(field: Field, node: Node, a: Ratio) -> Ratio | None:
    found = _reduced(field, node, a * a)
    return None if found is None else field.power(found, Fraction(1, 2))


@_means("sum_to")
def _sum_to(field: Field, node: Node, a: Ratio) -> Ratio | None:
    shape, axes = _shape(node), node.params["axes"]
    total = field.total(a, shape, [k - len(shape) for k in axes])
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
    return field.moved(total, kept, node.shape)


@_means("max", "min")
def _kept_extremum(field: Field, node: Node, a: Ratio) -> Ratio | None:
    """The extremum with its axes kept, so that its later repetition is the same atom."""
    shape = _shape(node)
    axes = _axes(node, shape)
    kept = tuple(1 if k - len(shape) in axes else n for k, n in enumerate(shape))
    params = {"axis": tuple(k % len(shape) for k in axes), "keepdims": True}
    found = field.apply(node.op, [a], [shape], params, kept)
    return field.moved(found, kept, node.shape)


_means("broadcast_to")(lambda f, n, a: a)
_means("reshape")(lambda f, n, a: f.moved(a, _shape(n), n.shape))


@_means("astype")
def _cast(field: Field, node: Node, a: Ratio) -> Ratio | None:
    return a if np.dtype(node.dtype).kind == "f" else None


@_means("permute_dims")
def _permuted(field: Field, node: Node, a: Ratio) -> Ratio | None:
    """Transposes undo each other; (A·B)ᵀ is Bᵀ·Aᵀ."""
    c, monomial = a.monomial or (None, ())
    if len(monomial) != 1 or monomial[0][1] != 1 or monomial[0][0].op is None:
        return None
    inner, axes = monomial[0][0], node.params["axes"]
    if inner.op is node.op:
        both = [inner.params["axes"][k] for k in axes]
        return number(c) * inner.args[0] if both == sorted(both) else None
    if inner.op is OPS["matmul"] and axes == (1, 0) and all(len(s) == 2 for s in inner.shapes):
        left, right = (
            _turned(field, node, arg, shape) for arg, shape in zip(inner.args, inner.shapes)
        )
        shapes = [shape[::-1] for shape in inner.shapes[::-1]]
        return number(c) * field.apply(inner.op, [right, left], shapes, {}, node.shape)
    return None


def _turned(field: Field, node: Node, a: Ratio, shape: Shape) -> Ratio:
    found = _permuted(field, node, a)
    if found is not None:
        return found
    return field.apply(node.op, [a], [shape], node.params, shape[::-1])


@_means("getitem", "scatter")
def _new_axes(field: Field, node: Node, a: Ratio, *arrays: Any) -> Ratio | None:
    """x[:, None] and its like only add axes of size 1."""
    index = node.params["index"]
    whole = all(part is None or part is Ellipsis or (isinstance(part, slice) and
                part == slice(None)) for part in index)  # fmt: skip
    return field.moved(a, _shape(node), node.shape) if whole and not arrays else None
