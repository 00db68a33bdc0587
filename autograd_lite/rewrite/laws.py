"""The laws by which graphs are simplified. Imports patterns and the operators.

``SOUND`` keeps every finite result, up to rounding and at the edges of the floating numbers too:
for what computes. ``READABLE`` makes shorter forms that may lose range or domain: for what
explains.
"""
# ruff: noqa: PLW0108  # both sides of a law read alike, lambda for lambda

from math import prod
from typing import Any

import numpy as np

from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.pointwise import abs as absolute
from autograd_lite.ops.pointwise import (
    divide,
    exp,
    expm1,
    greater,
    less,
    log,
    log1p,
    logical_and,
    maximum,
    minimum,
    negative,
    not_equal,
    reciprocal,
    sqrt,
    square,
    tanh,
    where,
)
from autograd_lite.ops.special import sigmoid, softplus
from autograd_lite.rewrite.patterns import Law, operator
from autograd_lite.rules import OPS
from autograd_lite.shapes import broadcast_shapes

__all__ = ["IDENTITIES", "PIECES", "READABLE", "SHAPES", "SIGNS", "SOUND", "UNSAID", "WRITTEN"]

_permuted, _reshaped = operator("permute_dims"), operator("reshape")
_repeated, _summed_to = operator("broadcast_to"), operator("sum_to")
_summed, _scattered, _concat = operator("sum"), operator("scatter"), operator("concat")
_taken = operator("getitem")
_averaged, _largest, _smallest = operator("mean"), operator("max"), operator("min")
_softmax, _log_softmax = operator("softmax"), operator("log_softmax")
_tanh_slope = operator("_tanh_slope")

SIGNS: list[Law] = [
    Law("minus one as a factor", lambda a: a * -1, lambda a: -a),
    Law("a sign taken twice", lambda a: negative(negative(a)), lambda a: a),
    Law("a negative added", lambda a, b: a + -b, lambda a, b: a - b),
    Law("a negative subtracted", lambda a, b: a - -b, lambda a, b: a + b),
    Law("subtracted from zero", lambda a: 0 - a, lambda a: -a),
    Law("two signs in a product", lambda a, b: -a * -b, lambda a, b: a * b),
]
"""Laws of signs, which keep every value."""

UNSAID: list[Law] = [
    Law("zero added", lambda a: a + 0, lambda a: a),
    Law("zero subtracted", lambda a: a - 0, lambda a: a),
    Law("one as a factor", lambda a: a * 1, lambda a: a),
    Law("divided by one", lambda a: a / 1, lambda a: a),
]
"""Laws of what does nothing."""

IDENTITIES = [
    *UNSAID,
    Law("a product with itself", lambda a: a * a, lambda a: square(a)),
    Law("the square of a negative", lambda a: square(-a), lambda a: square(a)),
    Law("the second power", lambda a: a**2, lambda a: square(a)),
    Law("the first power", lambda a: a**1, lambda a: a),
    Law("the power minus one", lambda a: a**-1, lambda a: reciprocal(a)),
    Law("one over", lambda a: divide(1, a), lambda a: reciprocal(a)),
    Law("the size of a size", lambda a: absolute(absolute(a)), lambda a: absolute(a)),
    Law("the size of a negative", lambda a: absolute(-a), lambda a: absolute(a)),
    *SIGNS,
]
_exponentials = [
    Law("1/(1 + exp(−a)) is σ(a)", lambda a: reciprocal(exp(-a) + 1), lambda a: sigmoid(a)),
    Law("1/(1 + exp(a)) is σ(−a)", lambda a: reciprocal(exp(a) + 1), lambda a: sigmoid(-a)),
    Law("exp(a)/(1 + exp(a)) is σ(a)", lambda a: exp(a) / (exp(a) + 1), lambda a: sigmoid(a)),
    Law("log(1 + exp(a)) is softplus(a)", lambda a: log(exp(a) + 1), lambda a: softplus(a)),
    Law("log1p(exp(a)) is softplus(a)", lambda a: log1p(exp(a)), lambda a: softplus(a)),
    Law("exp(a) − 1 is expm1(a)", lambda a: exp(a) - 1, lambda a: expm1(a)),
    Law("log(1 + a) is log1p(a)", lambda a: log(a + 1), lambda a: log1p(a)),
    Law(
        "log softmax",
        lambda a, axis: log(_softmax(a, axis=axis)),
        lambda a, axis: _log_softmax(a, axis=axis),
        samples=[((2, 3), (1,)), ((3,), (0,))],
    ),
]
_conditions = [
    Law("both cases alike", lambda c, a: where(c, a, a), lambda c, a: a,
        samples=[("bool(5,)", (5,))]),
    Law("the larger of equals", lambda a: maximum(a, a), lambda a: a),
    Law("the smaller of equals", lambda a: minimum(a, a), lambda a: a),
    Law("max(a, b) > b", lambda a, b: greater(maximum(a, b), b), lambda a, b: greater(a, b)),
    Law("min(a, b) < b", lambda a, b: less(minimum(a, b), b), lambda a, b: less(a, b)),
]  # fmt: skip


def _is_identity(axes: Any, **rest: Any) -> bool:
    return tuple(axes) == tuple(range(len(axes)))


def _keeps_shape(a: Any, shape: Any) -> bool:
    return bool(a.shape == tuple(shape))


def _copies(a: Any, shape: Any, axes: Any, small: Any) -> float:
    return float(prod(shape[k] for k in axes))


def _drops_axes(a: Any, axis: Any, keepdims: Any, shape: Any) -> bool:
    kept = () if axis is None else tuple(n for k, n in enumerate(a.shape) if k not in axis)
    return bool(keepdims) and tuple(shape) == kept


def _drops(a: Any, axes: Any, shape: Any) -> bool:
    return tuple(shape) == tuple(n for k, n in enumerate(a.shape) if k not in axes)


SHAPES: list[Law] = [
    Law(
        "a transpose of a transpose",
        lambda a, p, q: _permuted(_permuted(a, axes=p), axes=q),
        lambda a, p, q: _permuted(a, axes=tuple(p[k] for k in q)),
        samples=[((2, 3), (1, 0), (1, 0)), ((2, 3, 4), (2, 0, 1), (0, 2, 1))],
    ),
    Law(
        "a transpose that moves nothing", lambda a, axes: _permuted(a, axes=axes),
        lambda a, axes: a, when=_is_identity, samples=[((2, 3), (0, 1))],
    ),
    Law(
        "the transpose of a product",
        lambda a, b, axes: _permuted(matmul(a, b), axes=axes),
        lambda a, b, axes: matmul(_permuted(b, axes=axes), _permuted(a, axes=axes)),
        when=lambda a, b, axes: a.ndim == b.ndim == len(axes) == 2 and axes == (1, 0),
        samples=[((2, 3), (3, 4), (1, 0))],
    ),
    Law(
        "a reshape of a reshape",
        lambda a, p, q: _reshaped(_reshaped(a, shape=p), shape=q),
        lambda a, p, q: _reshaped(a, shape=q),
        samples=[((2, 3), (6,), (3, 2))],
    ),
    Law(
        "a reshape to its own shape", lambda a, shape: _reshaped(a, shape=shape),
        lambda a, shape: a, when=_keeps_shape, samples=[((2, 3), (2, 3))],
    ),
    Law(
        "a repetition to its own shape", lambda a, shape: _repeated(a, shape=shape),
        lambda a, shape: a, when=_keeps_shape, samples=[((2, 3), (2, 3))],
    ),
    Law(
        "the sum of copies",
        lambda a, shape, axes, small: _summed_to(_repeated(a, shape=shape), axes=axes, shape=small),
        lambda a, shape, axes, small: a * _copies(a, shape, axes, small),
        when=lambda a, shape, axes, small: a.shape == tuple(small),
        samples=[((3,), (2, 3), (0,), (3,)), ((2, 1), (2, 4), (1,), (2, 1))],
    ),
    *(
        Law(
            f"a {name} that keeps axes, reshaped to drop them",
            lambda a, axis, keepdims, shape, reduced=reduced: _reshaped(
                reduced(a, axis=axis, keepdims=keepdims), shape=shape
            ),
            lambda a, axis, keepdims, shape, reduced=reduced: reduced(
                a, axis=axis, keepdims=False
            ),
            when=_drops_axes,
            samples=[((2, 3), (0,), True, (3,)), ((2, 3), (0, 1), True, ()),
                     ((2, 3), None, True, ())],
        )
        for name, reduced in (("sum", _summed), ("mean", _averaged), ("maximum", _largest),
                              ("minimum", _smallest))
    ),
    Law(
        "a sum to a shape of fewer axes",
        lambda a, axes, shape: _summed_to(a, axes=axes, shape=shape),
        lambda a, axes, shape: _summed(a, axis=axes, keepdims=False),
        when=_drops, samples=[((2, 3), (0,), (3,))],
    ),
]  # fmt: skip
"""Laws that keep every value: of transposes, reshapes, repetitions and sums."""


def _stretch(index: Any, shape: Any) -> tuple[int, int, int] | None:
    """Of an index that takes a part of one axis and all of the others: axis, start and stop."""
    slices = all(isinstance(part, slice) and part.step in (None, 1) for part in index)
    if not slices or len(index) > len(shape):
        return None
    spans = [part.indices(n)[:2] for part, n in zip(index, shape)]
    cut = [k for k, (span, n) in enumerate(zip(spans, shape)) if span != (0, n)]
    k = cut[0] if cut else 0
    return (k, *spans[k]) if len(cut) <= 1 and index else None


def _neighbours(i: Any, j: Any, shape: Any) -> tuple[int, int, int, bool] | None:
    """Of two stretches that meet: the axis, where they begin and end, and whether i is first."""
    one, other = _stretch(i, shape), _stretch(j, shape)
    if one is None or other is None or one[0] != other[0]:
        return None
    if one[2] == other[1]:
        return one[0], one[1], other[2], True
    return (one[0], other[1], one[2], False) if other[2] == one[1] else None


def _meet(i: Any, j: Any, p: Any, q: Any, **rest: Any) -> bool:
    return tuple(p) == tuple(q) and _neighbours(i, j, p) is not None


def _joined(a: Any, i: Any, p: Any, b: Any, j: Any) -> Any:
    """Two pieces side by side, placed where both stood."""
    axis, start, stop, ordered = _neighbours(i, j, p) or (0, 0, 0, True)
    pieces = [piece for one in ((a, b) if ordered else (b, a)) for piece in _pieces(one, axis)]
    index = (*[slice(None)] * axis, slice(start, stop))
    return _scattered(_concat(*pieces, axis=axis), index=index, shape=p)


def _pieces(x: Any, axis: int) -> list[Any]:
    """What a concatenation along the axis puts side by side, or x alone."""
    node = getattr(x, "node", None)  # law by law they are held on plain arrays too
    if node is not None and node.op is OPS["concat"] and node.params["axis"] == axis:
        return [x.like(p) for p in node.inputs]
    return [x]


def _is_whole(i: Any, p: Any, **rest: Any) -> bool:
    """Whether an index takes everything."""
    found = _stretch(i, p)
    return found is not None and found[1:] == (0, p[found[0]])


def _only_adds_axes(a: Any, i: Any, p: Any) -> bool:
    """Whether an index takes everything of an array, from axes of size 1 their only element."""
    if len(i) > len(p) or not all(isinstance(part, (slice, int)) for part in i):
        return False
    return all(part == slice(None) or (n == 1 and part == 0) for part, n in zip(i, p))


def _is_column(a: Any, b: Any, p: Any, i: Any) -> bool:
    last = len(i) == 2 and i[0] is Ellipsis and isinstance(i[1], int) and i[1] == 0
    return last and b.ndim == 1 and tuple(p) == (*b.shape, 1)


PIECES: list[Law] = [
    Law(
        "pieces side by side",
        lambda a, i, p, b, j, q: _scattered(a, index=i, shape=p) + _scattered(b, index=j, shape=q),
        lambda a, i, p, b, j, q: _joined(a, i, p, b, j), when=_meet,
        samples=[
            ((2, 3), (slice(None), slice(None, 3)), (2, 5), (2, 2),
             (slice(None), slice(3, None)), (2, 5)),
            ((2, 3), (slice(1, 3),), (4, 3), (1, 3), (slice(0, 1),), (4, 3)),
        ],
    ),
    Law(
        "a further piece at the side",
        lambda c, a, i, p, b, j, q: c + _scattered(a, index=i, shape=p)
        + _scattered(b, index=j, shape=q),
        lambda c, a, i, p, b, j, q: c + _joined(a, i, p, b, j), when=_meet,
        samples=[((2, 5), (2, 3), (slice(None), slice(None, 3)), (2, 5), (2, 2),
                  (slice(None), slice(3, None)), (2, 5))],
    ),
    Law(
        "an element placed in an axis of size 1",
        lambda a, i, p: _scattered(a, index=i, shape=p),
        lambda a, i, p: _reshaped(a, shape=p), when=_only_adds_axes,
        samples=[((3,), (slice(None), 0), (3, 1))],
    ),
    Law(
        "a product with one column",
        lambda a, b, p, i: _taken(matmul(a, _reshaped(b, shape=p)), index=i),
        lambda a, b, p, i: matmul(a, b), when=_is_column,
        samples=[((2, 3), (3,), (3, 1), (Ellipsis, 0))],
    ),
    Law(
        "what cancels",
        lambda a, b, c: a + b * (c - c), lambda a, b, c: a, loses="domain",
    ),
    Law(
        "a piece that is all",
        lambda a, i, p: _scattered(a, index=i, shape=p), lambda a, i, p: a, when=_is_whole,
        samples=[((2, 3), (slice(None), slice(0, 3)), (2, 3))],
    ),
]  # fmt: skip
"""Laws that put together what was cut: the gradients of parts of one array."""


def _adds_axes(shape: Any, *arrays: Any) -> bool:
    """Whether a reshape of arrays of one shape only adds axes of size 1."""
    first = np.shape(arrays[0])
    return all(np.shape(a) == first for a in arrays) and [n for n in shape if n != 1] == list(first)


def _two_conditions(a: Any, b: Any, c: Any) -> bool:
    dtypes = [getattr(x, "dtype", None) for x in (a, b, c)]
    return dtypes[0] != np.bool_ and dtypes[1] == dtypes[2] == np.bool_


def _reaches(shape: Any, a: Any, b: Any) -> bool:
    """Whether two arrays broadcast to this shape by themselves."""
    return broadcast_shapes(np.shape(a), np.shape(b)) == tuple(shape)


def _swaps_last(axes: Any) -> bool:
    n = len(axes)
    return n > 2 and tuple(axes) == (*range(n - 2), n - 1, n - 2)


WRITTEN: list[Law] = [
    Law("a negative factor", lambda a, b: -a * b, lambda a, b: -(a * b)),
    Law("a negative, divided", lambda a, b: -a / b, lambda a, b: -(a / b)),
    Law("divided by a negative", lambda a, b: a / -b, lambda a, b: -(a / b)),
    Law(
        "a reshaped negative", lambda a, shape: _reshaped(-a, shape=shape),
        lambda a, shape: -_reshaped(a, shape=shape), samples=[((2, 3), (6,))],
    ),
    Law(
        "a reshaped quotient by a number",
        lambda a, b, shape: _reshaped(a / b, shape=shape),
        lambda a, b, shape: _reshaped(a, shape=shape) / b,
        when=lambda a, b, shape: np.ndim(b) == 0, samples=[((2, 3), (), (6,))],
    ),
    Law(
        "two conditions as factors", lambda a, b, c: a * b * c,
        lambda a, b, c: a * logical_and(b, c),
        when=_two_conditions, samples=[((5,), "bool(5,)", "bool(5,)")],
    ),
    Law(
        "two factors with further axes",
        lambda a, b, shape: _reshaped(a, shape=shape) * _reshaped(b, shape=shape),
        lambda a, b, shape: _reshaped(a * b, shape=shape),
        when=lambda a, b, shape: _adds_axes(shape, a, b), samples=[((3,), (3,), (3, 1))],
    ),
    Law(
        "a further factor with further axes",
        lambda c, a, b, shape: c * _reshaped(a, shape=shape) * _reshaped(b, shape=shape),
        lambda c, a, b, shape: c * _reshaped(a * b, shape=shape),
        when=lambda c, a, b, shape: _adds_axes(shape, a, b), loses="range",
        samples=[((3, 2), (3,), (3,), (3, 1))],
    ),
    Law(
        "a divisor with further axes",
        lambda c, a, b, shape: c * _reshaped(a, shape=shape) / _reshaped(b, shape=shape),
        lambda c, a, b, shape: c * _reshaped(a / b, shape=shape),
        when=lambda c, a, b, shape: _adds_axes(shape, a, b), loses="range",
        samples=[((3, 2), (3,), (3,), (3, 1))],
    ),
    Law(
        "the square of a reshaped array", lambda a, shape: square(_reshaped(a, shape=shape)),
        lambda a, shape: _reshaped(square(a), shape=shape), samples=[((3,), (3, 1))],
    ),
    Law(
        "the transpose of a product of stacks",
        lambda a, b, axes: _permuted(matmul(a, b), axes=axes),
        lambda a, b, axes: matmul(_permuted(b, axes=axes), _permuted(a, axes=axes)),
        when=lambda a, b, axes: a.ndim == b.ndim == len(axes) and _swaps_last(axes),
        samples=[((2, 2, 3), (2, 3, 4), (0, 2, 1))],
    ),
    Law("products with one left factor", lambda a, b, c: matmul(a, b) + matmul(a, c),
        lambda a, b, c: matmul(a, b + c), when=lambda a, b, c: b.shape == c.shape, loses="range",
        samples=[((2, 3), (3, 4), (3, 4))]),
    Law("products with one right factor", lambda a, b, c: matmul(b, a) + matmul(c, a),
        lambda a, b, c: matmul(b + c, a), when=lambda a, b, c: b.shape == c.shape, loses="range",
        samples=[((3, 4), (2, 3), (2, 3))]),
    Law(
        "a repetition as a factor", lambda a, b, shape: _repeated(a, shape=shape) * b,
        lambda a, b, shape: a * b, when=lambda a, b, shape: _reaches(shape, a, b),
        samples=[((3,), (2, 3), (2, 3))],
    ),
    Law(
        "a repetition, divided", lambda a, b, shape: _repeated(a, shape=shape) / b,
        lambda a, b, shape: a / b, when=lambda a, b, shape: _reaches(shape, a, b),
        samples=[((3,), (2, 3), (2, 3))],
    ),
    Law(
        "a sum of negatives",
        lambda a, axis, keepdims: _summed(-a, axis=axis, keepdims=keepdims),
        lambda a, axis, keepdims: -_summed(a, axis=axis, keepdims=keepdims),
        samples=[((2, 3), (0,), False), ((2, 3), (0, 1), True)],
    ),
    Law("divided and multiplied by the same", lambda a, b: a / b * b, lambda a, b: a,
        loses="domain"),
]  # fmt: skip
"""Laws for gradients that are written as code: signs outside, fewer operations."""

SOUND: list[Law] = [*IDENTITIES, *_exponentials, *_conditions, *SHAPES]
"""Laws that keep every finite result."""

READABLE: list[Law] = [
    Law("zero as a factor", lambda a: a * 0, lambda a: 0.0, loses="domain"),
    Law("a difference of equals", lambda a: a - a, lambda a: 0.0, loses="domain"),
    Law("a guard against NaN", lambda a, b: where(not_equal(a, a), a, b), lambda a, b: b,
        loses="domain"),
    Law("exp of a log", lambda a: exp(log(a)), lambda a: a, loses="domain"),
    Law("log of an exp", lambda a: log(exp(a)), lambda a: a, loses="range"),
    Law("the square of a root", lambda a: square(sqrt(a)), lambda a: a, loses="domain"),
    Law("the root of a square", lambda a: sqrt(square(a)), lambda a: absolute(a), loses="range"),
    Law("a product of exps", lambda a, b: exp(a) * exp(b), lambda a, b: exp(a + b), loses="range"),
    Law("a quotient of exps", lambda a, b: exp(a) / exp(b), lambda a, b: exp(a - b), loses="range"),
    Law("one over an exp", lambda a: reciprocal(exp(a)), lambda a: exp(-a), loses="range"),
    Law("one over one over", lambda a: reciprocal(reciprocal(a)), lambda a: a, loses="range"),
    Law("one over, as a factor", lambda a, b: a * reciprocal(b), lambda a, b: a / b, loses="range"),
    Law("σ(−a) is 1 − σ(a)", lambda a: sigmoid(-a), lambda a: 1 - sigmoid(a), loses="range"),
    Law("the slope of tanh", lambda a: _tanh_slope(a), lambda a: 1 - square(tanh(a)),
        loses="range"),
]  # fmt: skip
"""Laws for reading, each with what it loses."""
