"""What may be done wrong at one edge of the graph: each mistake is one declaration.

Knows: what an edge would pass on if a certain mistake were made there.
Does not know: hand-written layers, how mistakes are tried.
Imports: evidence, graph, reverse, shapes, NumPy.

An edge leads from a node to its input i; `passes` is the right contribution. A mistake yields what
would be passed instead, with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import called
from autograd_lite.graph import Node
from autograd_lite.ops.shaping import unbroadcast
from autograd_lite.reverse import Flow

__all__ = [
    "MISTAKES",
    "Edge",
    "Wrong",
    "copied",
    "counted_once",
    "dropped",
    "masked_otherwise",
    "negated",
    "other_axis",
    "other_cotangent",
    "other_operand",
    "other_order",
    "overwritten",
    "reduced_otherwise",
    "transposed",
    "truncated",
    "upstream_ignored",
    "what_is",
]


@dataclass(frozen=True, eq=False)
class Edge:
    """An edge and all that flows there."""

    node: Node
    i: int
    passes: Any
    flow: Flow
    same_shape: Mapping[tuple[int, ...], list[tuple[Node, str]]]  # other arrays, by shape

    @property
    def to(self) -> Node:
        """The node that it leads to."""
        p: Node = self.node.inputs[self.i]
        return p

    @property
    def arrives(self) -> Any:
        """The cotangent that arrives at the node."""
        return self.flow.cotangents[self.node]

    def pull(self, g: Any, replaced: Mapping[int, Any] | None = None) -> Any:
        """What the edge passes for another cotangent, or with other operands."""
        values, inputs = self.flow.values, self.node.inputs
        g = np.broadcast_to(g, self.node.shape) if np.ndim(g) else g
        xs = [values[p] if isinstance(p, Node) else p for p in inputs]
        for j, x in (replaced or {}).items():
            xs[j] = np.broadcast_to(x, np.shape(xs[j]))
        y = values[self.node]
        with np.errstate(all="ignore"):
            if replaced:
                y = self.node.op.forward(*xs, **self.node.params)
            result = self.node.op.pulls[self.i](g, y, *xs, **self.node.params)
        return np.asarray(result, float)


@dataclass(frozen=True, eq=False)
class Wrong:
    """A contribution as it would be with a mistake: see the module."""

    cause: str
    text: str
    passes: Any


Mistake = Callable[[Edge], Iterator[Wrong]]


def dropped(edge: Edge) -> Iterator[Wrong]:
    """Nothing is passed."""
    yield Wrong("missing term", "the term through it is missing", np.zeros(edge.to.shape))


def negated(edge: Edge) -> Iterator[Wrong]:
    """A term with the wrong sign."""
    yield Wrong("sign", "the term through it has the wrong sign", -np.asarray(edge.passes))


def upstream_ignored(edge: Edge) -> Iterator[Wrong]:
    """As if 1 arrived."""
    ones = edge.pull(np.ones_like(np.asarray(edge.arrives, float)))
    yield Wrong(
        "upstream ignored", "the gradient that arrives there is ignored, as if it were 1", ones
    )


def other_axis(edge: Edge) -> Iterator[Wrong]:
    """What was broadcast is summed over another axis; the mean for the sum; only one of them."""
    shape = edge.to.shape
    raw = edge.pull(edge.arrives)
    if raw.shape == shape or raw.size <= int(np.prod(shape)):
        return
    for count in range(1, raw.ndim + 1):
        for axes in combinations(range(raw.ndim), count):
            for keep in (False, True):
                total = raw.sum(axis=axes, keepdims=keep)
                if total.shape == shape and not np.array_equal(total, edge.passes):
                    text = f"what flows back there is summed over axis {axes}"
                    yield Wrong("wrong axis", text, total)


def reduced_otherwise(edge: Edge) -> Iterator[Wrong]:
    """A sum whose gradient is spread along another axis."""
    g, shape = np.asarray(edge.arrives, float), edge.to.shape
    if not 0 < g.size < int(np.prod(shape)) or len(shape) < 2 or g.ndim == 0:
        return
    for axis in range(len(shape)):
        for spread in (np.expand_dims(g, axis) if g.ndim < len(shape) else g.T,):
            try:
                wide = np.broadcast_to(spread, shape)
            except ValueError:
                continue
            yield Wrong("wrong axis", "what flows back there is spread along another axis", wide)


def transposed(edge: Edge) -> Iterator[Wrong]:
    """A square contribution, transposed; a square operand, transposed."""
    passes = np.asarray(edge.passes)
    if passes.ndim == 2 and passes.shape[0] == passes.shape[1] > 1:
        yield Wrong("transposed", "what it passes back is transposed", passes.T)
    g = np.asarray(edge.arrives)
    if g.ndim >= 2 and g.shape[-1] == g.shape[-2] > 1:
        text = "the gradient that arrives there is transposed"
        yield Wrong("transposed", text, edge.pull(np.swapaxes(g, -1, -2)))
    for j, p in enumerate(edge.node.inputs):
        x: Any = edge.flow.values[p] if isinstance(p, Node) else p
        if j != edge.i and np.ndim(x) >= 2 and np.shape(x)[-1] == np.shape(x)[-2] > 1:
            turned = np.swapaxes(np.asarray(x), -1, -2)
            text = f"its operand {_called(p)} is transposed"
            yield Wrong("transposed", text, edge.pull(edge.arrives, {j: turned}))


def other_order(edge: Edge) -> Iterator[Wrong]:
    """The factors of a matrix product in the wrong order."""
    if edge.node.op.name != "matmul" or len(edge.node.inputs) != 2:
        return
    p = edge.node.inputs[1 - edge.i]
    g, x = np.asarray(edge.arrives, float), edge.flow.values[p] if isinstance(p, Node) else p
    if np.ndim(g) < 2 or np.ndim(x) < 2:
        return
    turned = np.swapaxes(np.asarray(x, float), -1, -2)
    left, right = (turned, g) if edge.i == 0 else (g, turned)
    if left.shape[-1] == right.shape[-2]:
        text = f"the gradient that arrives and {_called(p)}ᵀ are multiplied in the wrong order"
        yield Wrong("order", text, left @ right)


def counted_once(edge: Edge) -> Iterator[Wrong]:
    """Of what was broadcast only one flows back, where all are to be summed."""
    raw, shape = edge.pull(edge.arrives), edge.to.shape
    lined = (1,) * (raw.ndim - len(shape)) + shape
    axes = tuple(k for k, (m, n) in enumerate(zip(lined, raw.shape, strict=False)) if m != n)
    if raw.ndim < len(shape) or not axes:
        return
    where = f"axis {axes[0]}" if len(axes) == 1 else f"the axes {axes}"
    for what, one in (
        (
            "the first",
            raw[tuple(slice(0, 1) if k in axes else slice(None) for k in range(raw.ndim))],
        ),
        (
            "the last",
            raw[tuple(slice(-1, None) if k in axes else slice(None) for k in range(raw.ndim))],
        ),
        ("the largest", raw.max(axis=axes, keepdims=True)),
        ("the smallest", raw.min(axis=axes, keepdims=True)),
    ):
        text = f"what flows back there is not summed over {where}: only {what} is kept"
        yield Wrong("missing sum", text, one.reshape(shape))


def truncated(edge: Edge) -> Iterator[Wrong]:
    """Fractions cut off."""
    yield Wrong("truncation", "what it passes back loses its fractions", np.trunc(edge.passes))


def other_operand(edge: Edge) -> Iterator[Wrong]:
    """A product with another array of the same shape."""
    for j, p in enumerate(edge.node.inputs):
        x: Any = edge.flow.values[p] if isinstance(p, Node) else p
        if not np.ndim(x):
            continue
        if j != edge.i:
            text = f"its factor {_called(p)} is missing, as if it were 1"
            ones = edge.pull(edge.arrives, {j: np.ones_like(np.asarray(x, float))})
            yield Wrong("missing term" if _adds(edge) else "wrong operand", text, ones)
        for other, what in edge.same_shape.get(np.shape(x), []):
            value = (edge.flow.values if what == "value" else edge.flow.cotangents)[other]
            if other is not p and type(value) is not list:
                text = f"{what_is(other, what)} stands there instead of {_called(p)}"
                yield Wrong("wrong operand", text, edge.pull(edge.arrives, {j: value}))


def other_cotangent(edge: Edge) -> Iterator[Wrong]:
    """Another gradient, or a value, in place of the one that arrives."""
    for other, what in edge.same_shape.get(np.shape(edge.arrives), []):
        value = (edge.flow.values if what == "value" else edge.flow.cotangents)[other]
        if (other is edge.node and what == "gradient") or type(value) is list:
            continue
        text, cause = (
            f"{what_is(other, what)} is used in place of the gradient that arrives there",
            "",
        )
        if what == "gradient" and other.serial > edge.node.serial:
            text += ": the derivatives between the two are left out"
            cause = "local derivative"
        yield Wrong(cause or "wrong operand", text, edge.pull(np.asarray(value, float)))


def masked_otherwise(edge: Edge) -> Iterator[Wrong]:
    """What a mask lets through is what it should stop, or is chosen by the gradient."""
    g, passes = np.asarray(edge.arrives, float), np.asarray(edge.passes, float)
    if g.shape != passes.shape:
        return
    closed = passes == 0
    if not (closed.any() and np.array_equal(passes[~closed], g[~closed])):
        return
    x = np.asarray(edge.flow.values[edge.to], float)
    yield Wrong("mask", "the mask is the wrong way round", g - passes)
    yield Wrong("mask", "the mask is that of the gradient, not of the input", g * (g > 0))
    yield Wrong("mask", "the mask is that of the input's opposite", g * (x < 0))
    yield Wrong("mask", "the mask is missing", g)


def copied(edge: Edge) -> Iterator[Wrong]:
    """The local derivative is left out."""
    if np.shape(edge.arrives) == edge.to.shape:
        text, cause = f"the local derivative of {edge.node.op.name} is left out", "local derivative"
        others = [p for j, p in enumerate(edge.node.inputs) if j != edge.i]
        if edge.node.op.name in ("multiply", "divide") and all(
            np.size(_value(p)) == 1 for p in others
        ):
            cause = "factor"
        yield Wrong(cause, text, np.asarray(edge.arrives, float))
    elif np.size(edge.arrives) > np.prod(edge.to.shape, dtype=int):
        text = f"the factor of {edge.node.op.name} is left out"
        yield Wrong("local derivative", text, unbroadcast(edge.arrives, edge.to.shape))


def _value(p: Any) -> Any:
    return np.empty(p.shape) if isinstance(p, Node) else p


def _adds(edge: Edge) -> bool:
    """Whether the other operands have no part in what is passed back."""
    return edge.node.op.kind == "linear"


def overwritten(edge: Edge) -> Iterator[Wrong]:
    """What is read more than once gets the gradient of its last reader alone."""
    g, to = np.asarray(edge.arrives, float), edge.to
    if edge.node.op.kind != "linear" or edge.i != 0 or not to.size or not g.size:
        return
    values = [edge.flow.values[p] if isinstance(p, Node) else p for p in edge.node.inputs]
    numbers = np.arange(to.size, dtype=float).reshape(to.shape)
    read = np.asarray(edge.node.op.forward(numbers, *values[1:], **edge.node.params))
    if read.shape != g.shape or read.size == np.unique(read).size:
        return
    positions = read.astype(int)
    if not np.array_equal(positions, read) or positions.max() >= to.size or positions.min() < 0:
        return
    passes = np.zeros(to.size)
    passes[positions.ravel()] = g.ravel()
    text = "what is read more than once gets the gradient of its last reader alone; add them up, "
    yield Wrong("accumulation", text + "for example by np.add.at", passes.reshape(to.shape))


def what_is(node: Node, what: str) -> str:
    """A value or a gradient in words."""
    return called(node) if what == "value" else f"the gradient at {called(node)}"


def _called(p: Any) -> str:
    return called(p) if isinstance(p, Node) else "a constant"


MISTAKES: tuple[Mistake, ...] = (
    dropped,
    negated,
    masked_otherwise,
    copied,
    upstream_ignored,
    transposed,
    other_order,
    counted_once,
    other_axis,
    reduced_otherwise,
    truncated,
    overwritten,
    other_operand,
    other_cotangent,
)
