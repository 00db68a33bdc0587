"""What NumPy computes best: laws for its back end alone.

Composite operators become what NumPy does in place and in blocks, sums become products that BLAS
computes, and every stable form stays stable. Imports graph, recording, rewrite, the operators and
the compiler's own passes.
"""
# ruff: noqa: PLW0108  # both sides of a law read alike, lambda for lambda

from math import prod
from typing import Any

import numpy as np

from autograd_lite.compiler.composites import (
    COMPOSITES,
    is_of_rows,
    is_picked,
    is_real,
    shifted,
)  # fmt: skip
from autograd_lite.compiler.numpy_code.schedule import LARGE
from autograd_lite.compiler.passes import Pass
from autograd_lite.graph import Graph, Node, Op, rebuilt, same_again
from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.pointwise import abs as absolute
from autograd_lite.ops.pointwise import (
    exp,
    greater,
    log,
    maximum,
    multiply,
    not_equal,
    reciprocal,
    square,
)
from autograd_lite.ops.reductions import sum as total
from autograd_lite.ops.shaping import reshape
from autograd_lite.ops.special import sigmoid
from autograd_lite.recording import apply
from autograd_lite.rewrite import IDENTITIES, SHAPES, Law, rewritten
from autograd_lite.rewrite.patterns import operator
from autograd_lite.rules import OPS

__all__ = ["FIRST", "INNER", "LAWS", "PICK", "PLACE", "QUIET", "lowered"]

COSH = Op("cosh", "pointwise", np.cosh, code="np.cosh({0})")
EXP = Op("exp", "pointwise", np.exp, code="np.exp({0})")
ONE_OVER = Op("reciprocal", "pointwise", np.reciprocal, code="1 / {0}")
PICK = Op("pick", "pick", lambda a, i, starts: a.take(starts + i),
          code="{0}.take({2} + {1})")  # fmt: skip
"""One element of each row, of known labels, so that none is out of range: rows begin at starts."""


def _placed_into(a: Any, g: Any, i: Any, starts: Any) -> Any:
    total = np.array(a)
    total.reshape(-1)[starts + i] += g
    return total


PLACE = Op("place", "multilinear", _placed_into)
"""A number added to one element of each row: the adjoint of ``PICK``, added to a matrix."""


def _unpicked(g: Any, i: Any, starts: Any, *, shape: Any) -> Any:
    total = np.zeros(shape, g.dtype)
    total.reshape(-1)[starts + i] = g
    return total


UNPICK = Op("unpick", "multilinear", _unpicked)
"""Zeros with one element in each row: the adjoint of ``PICK``."""
QUIET = {COSH, EXP, ONE_OVER}
"""Operators of which an infinity is expected, which leads to the limit that is wanted."""
INNER = Op("inner", "multilinear", np.vdot, code="np.vdot({0}, {1})")
"""The sum of all products of elements."""

LONGEST = 1024
"""Elements of a row up to which BLAS, which adds one after the other, sums as well as NumPy."""

_slope, _summed_to = operator("_tanh_slope"), operator("sum_to")
_mean, _sum = operator("mean"), operator("sum")
_or_nan, _sign = operator("_or_nan"), operator("sign")
_taken, _placed = operator("take_along_axis"), operator("untake_along_axis")
_softmax, _log_softmax = operator("softmax"), operator("log_softmax")


_placing, _adding = OPS["scatter"].forward, OPS["add"].forward


def _few(a: Any) -> bool:
    """Whether the call of a function costs more than its elements: then cosh is quicker."""
    return is_real(a) and prod(a.shape) <= 64


def _some(a: Any) -> bool:
    return is_real(a) and prod(a.shape) < LARGE // 4


def _sigmoid(a: Any) -> Any:
    """1/(1 + exp(−a)): exact at both ends, since 1/∞ is 0."""
    return reciprocal(apply(EXP, (-a,)) + 1)


def _sigmoid_slope(a: Any) -> Any:
    """1/(2 + t + 1/t) for t = exp(−a): nowhere a difference, and 1/∞ at both ends."""
    t = apply(EXP, (-a,))
    return reciprocal(apply(ONE_OVER, (t,)) + (t + 1) + 1)


def _tanh_slope(a: Any) -> Any:
    e = exp(absolute(a) * -2)
    d = e + 1
    return e * 4 / d / d


def _slope_by_result(y: Any) -> Any:
    """Whether y > 0, for y = max(a, 0): so a is needed no more, and y may lie where it lay."""
    return _or_nan(y, not_equal(y, 0))


def _inner(a: Any, b: Any, shape: Any) -> Any:
    found = apply(INNER, (a, b))
    return found if not shape else reshape(found, shape)


def _ones(count: int, dtype: Any) -> Any:
    return np.ones(count, dtype)


def _shares(a: Any, axis: Any) -> Any:
    e = exp(shifted(a, axis))
    return e / total(e, axis=axis, keepdims=True)


def _log_shares(a: Any, axis: Any) -> Any:
    rest = shifted(a, axis)
    return rest - log(total(exp(rest), axis=axis, keepdims=True))


def _is_all(a: Any, axis: Any, **rest: Any) -> bool:
    return is_real(a) and (axis is None or len(axis) == len(a.shape))


def _is_columns(a: Any, axes: Any, **rest: Any) -> bool:
    return is_real(a) and len(a.shape) == 2 and tuple(axes) == (0,) and a.shape[0] > 0


def _is_rows(a: Any, axis: Any) -> bool:
    """Whether the rows of a matrix are summed that is too small to be computed in blocks."""
    matrix = is_real(a) and len(a.shape) == 2 and axis == (1,)
    return matrix and 0 < prod(a.shape) < LARGE and a.shape[1] <= LONGEST


def _starts(shape: Any) -> Any:
    """Where the rows of a matrix begin, and a form for one position in each."""
    return (np.arange(shape[0]) * shape[1]).reshape(-1, 1)


def _picked_log_shares(a: Any, i: Any, axis: Any) -> Any:
    """The logarithm of the sum is taken from the elements that are wanted alone."""
    rest = shifted(a, axis)
    picked = apply(PICK, (rest, i, _starts(a.shape)))
    return picked - log(total(exp(rest), axis=axis, keepdims=True))


def _is_pick(a: Any, i: Any, axis: int, shape: Any) -> bool:
    """Whether one known position is meant in each row of a matrix."""
    return axis == 1 and len(shape) == 2 and is_picked(a, i, axis, shape)


def _joined(graph: Graph) -> Graph:
    """Sums of parts that are placed side by side, along one axis and to its end, as one joining."""
    parts: dict[Node, list[tuple[int, Node]]] = {}

    def joined(node: Node, inputs: tuple[Any, ...]) -> Node:
        again = same_again(node, inputs)
        if node.op.forward is _placing and len(inputs) == 1 and isinstance(inputs[0], Node):
            start = _columns(node)
            if start is not None:
                parts[again] = [(start, inputs[0])]
        elif node.op.forward is _adding and all(
            isinstance(x, Node) and x in parts and x.shape == node.shape for x in inputs
        ):
            both = sorted([*parts[inputs[0]], *parts[inputs[1]]], key=lambda part: part[0])
            ends = [start + part.shape[1] for start, part in both]
            if [0, *ends] == [start for start, _ in both] + [node.shape[1]]:
                values = tuple(part for _, part in both)
                return Node(OPS["concat"], values, {"axis": 1}, None, node.shape, node.dtype,
                            node.scope, node.code, node.offset)  # fmt: skip
            if all(end <= start for end, (start, _) in zip(ends, both[1:], strict=False)):
                parts[again] = both
        return again

    made = rebuilt(graph, joined)
    return Graph([made[out] for out in graph.outputs])


def _columns(node: Node) -> int | None:
    """The first column of what is placed at whole columns side by side; else None."""
    index = node.params["index"]
    slices = len(index) == 2 and all(isinstance(part, slice) for part in index)
    if (
        not slices
        or index[0] != slice(None)
        or len(node.shape) != 2
        or index[1].step not in (None, 1)
    ):
        return None
    return int(index[1].indices(node.shape[1])[0])


def _average(a: Any, axis: Any, keepdims: Any) -> Any:
    count = prod(a.shape[k] for k in (range(len(a.shape)) if axis is None else axis))
    return _sum(a, axis=axis, keepdims=keepdims) / count


FIRST: list[Law] = [
    Law("the slope of the sigmoid", lambda a: sigmoid(a) * sigmoid(-a), _sigmoid_slope,
        when=is_real),
    Law("times the slope of tanh", lambda g, a: g * _slope(a),
        lambda g, a: g / apply(COSH, (a,)) / apply(COSH, (a,)),
        when=lambda g, a: _few(a) and getattr(g, "shape", None) == a.shape),
    Law("the slope of ReLU", lambda g, a: g * _or_nan(maximum(a, 0), greater(a, 0)),
        lambda g, a: g * _sign(maximum(a, 0)),
        when=lambda g, a: _some(a) and getattr(g, "dtype", None) == a.dtype),
    Law("the slope of a large ReLU by its result", lambda a: _or_nan(maximum(a, 0), greater(a, 0)),
        lambda a: _slope_by_result(maximum(a, 0)),
        when=lambda a: is_real(a) and not _some(a), samples=[((256, 128),)]),
    *COMPOSITES,
    Law("a placed element less a product of its row",
        lambda g, i, axis, shape, once, a, b: _placed(
            g, i, axis=axis, shape=shape, once=once) - a * b,
        lambda g, i, axis, shape, once, a, b: apply(PLACE, (a * -b, g, i, _starts(shape))),
        when=lambda g, i, axis, shape, once, a, b: _is_pick(g, i, axis, shape)
        and is_of_rows(a, b, (1,)) and tuple(shape) == a.shape and g.dtype == a.dtype,
        samples=[((2, 1), (2, 1), 1, (2, 3), False, (2, 3), (2, 1))]),
    Law("a picked logarithm of a share",
        lambda a, along, i, axis, once: _taken(
            _log_softmax(a, axis=along), i, axis=axis, once=once),
        lambda a, along, i, axis, once: _picked_log_shares(a, i, along),
        when=lambda a, along, i, axis, once: _is_pick(a, i, axis, a.shape)
        and is_real(a) and along == (1,) and prod(a.shape) > 0,
        samples=[((2, 3), (1,), (2, 1), 1, False)]),
]  # fmt: skip
"""Laws of what two composite operators make together, before each is taken apart."""

LAWS: list[Law] = [
    Law("the sigmoid by one exponential", lambda a: sigmoid(a), _sigmoid, when=is_real),
    Law("the slope of tanh by one exponential", lambda a: _slope(a), _tanh_slope, when=is_real),
    Law("times one over", lambda a, b: a * reciprocal(b), lambda a, b: a / b),
    Law("a mean as a sum", lambda a, axis, keepdims: _mean(a, axis=axis, keepdims=keepdims),
        _average, when=lambda a, axis, keepdims: is_real(a) and prod(a.shape) > 0,
        samples=[((2, 3), (0,), True), ((2, 3), None, False)]),
    Law("the sum of squares",
        lambda a, axis, keepdims: _sum(square(a), axis=axis, keepdims=keepdims),
        lambda a, axis, keepdims: _inner(a, a, (1,) * len(a.shape) if keepdims else ()),
        when=_is_all,
        samples=[((2, 3), (0, 1), True), ((2, 3), None, False)]),
    Law("the sum of products",
        lambda a, b, axis, keepdims: _sum(multiply(a, b), axis=axis, keepdims=keepdims),
        lambda a, b, axis, keepdims: _inner(a, b, (1,) * len(a.shape) if keepdims else ()),
        when=lambda a, b, axis, keepdims: _is_all(a, axis) and is_real(b) and a.shape == b.shape
        and a.dtype == b.dtype,
        samples=[((2, 3), (2, 3), None, True), ((4,), (4,), (0,), False)]),
    Law("sums of columns", lambda a, axes, shape: _summed_to(a, axes=axes, shape=shape),
        lambda a, axes, shape: reshape(matmul(_ones(a.shape[0], a.dtype), a), shape),
        when=_is_columns,
        samples=[((2, 3), (0,), (3,))]),
    Law("sums to a shape", lambda a, axes, shape: _summed_to(a, axes=axes, shape=shape),
        lambda a, axes, shape: reshape(_sum(a, axis=tuple(axes), keepdims=True), shape),
        samples=[((2, 3), (1,), (2, 1)), ((2, 3, 4), (0, 1), (4,))]),
    Law("sums of columns, by axis", lambda a, axis: _sum(a, axis=axis, keepdims=False),
        lambda a, axis: matmul(_ones(a.shape[0], a.dtype), a),
        when=lambda a, axis: axis is not None and _is_columns(a, axis),
        samples=[((2, 3), (0,))]),
    Law("sums of rows", lambda a, axis: _sum(a, axis=axis, keepdims=True),
        lambda a, axis: reshape(matmul(a, _ones(a.shape[1], a.dtype)), (a.shape[0], 1)),
        when=lambda a, axis: _is_rows(a, axis),
        samples=[((2, 3), (1,))]),
    Law("softmax", lambda a, axis: _softmax(a, axis=axis), _shares,
        when=lambda a, axis: is_real(a) and prod(a.shape) > 0,
        samples=[((2, 3), (1,)), ((3,), (0,))]),
    Law("picked elements",
        lambda a, i, axis, once: _taken(a, i, axis=axis, once=once),
        lambda a, i, axis, once: apply(PICK, (a, i, _starts(a.shape))),
        when=lambda a, i, axis, once: _is_pick(a, i, axis, a.shape),
        samples=[((2, 3), (2, 1), 1, False)]),
    Law("placed elements",
        lambda g, i, axis, shape, once: _placed(g, i, axis=axis, shape=shape, once=once),
        lambda g, i, axis, shape, once: apply(
            UNPICK, (g, i, _starts(shape)), {"shape": tuple(shape)}),
        when=lambda g, i, axis, shape, once: _is_pick(g, i, axis, shape),
        samples=[((2, 1), (2, 1), 1, (2, 3), False)]),
    Law("log softmax", lambda a, axis: _log_softmax(a, axis=axis), _log_shares,
        when=lambda a, axis: is_real(a) and prod(a.shape) > 0,
        samples=[((2, 3), (1,)), ((3,), (0,))]),
]  # fmt: skip
"""What NumPy computes quicker, each as stable as what it replaces."""


def lowered(graph: Graph) -> Pass:
    """The same computation in operators that NumPy computes without temporaries."""
    first = rewritten(graph, FIRST)
    then = rewritten(_joined(first.graph), [*LAWS, *SHAPES, *IDENTITIES])
    return Pass("lowering to NumPy", graph, then.graph, (*first.steps, *then.steps))
