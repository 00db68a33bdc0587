"""What NumPy computes best: laws for its back end alone.

Composite operators become what NumPy does in place and in blocks, sums become products that BLAS
computes, and every stable form stays stable. Imports graph, recording, rewrite and the operators.
"""
# ruff: noqa: PLW0108  # both sides of a law read alike, lambda for lambda

from math import prod
from typing import Any

import numpy as np

from autograd_lite.compiler.numpy_code.schedule import LARGE
from autograd_lite.graph import Graph, Op
from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.pointwise import abs as absolute
from autograd_lite.ops.pointwise import exp, greater_equal, log, maximum, multiply, square
from autograd_lite.ops.reductions import max as largest
from autograd_lite.ops.reductions import sum as total
from autograd_lite.ops.shaping import reshape
from autograd_lite.ops.special import sigmoid
from autograd_lite.recording import apply
from autograd_lite.rewrite import IDENTITIES, SHAPES, Law, rewritten
from autograd_lite.rewrite.patterns import operator

__all__ = ["COSH", "FIRST", "INNER", "LAWS", "lowered"]

COSH = Op("cosh", "pointwise", np.cosh, code="np.cosh({0})")
"""The hyperbolic cosine, of which an overflow is expected: it is divided by."""
INNER = Op("inner", "multilinear", np.vdot, code="np.vdot({0}, {1})")
"""The sum of all products of elements."""

_slope, _summed_to = operator("_tanh_slope"), operator("sum_to")
_mean, _sum = operator("mean"), operator("sum")
_softmax, _log_softmax = operator("softmax"), operator("log_softmax")


def _real(a: Any) -> bool:
    return hasattr(a, "shape") and a.dtype in (np.float32, np.float64)


def _small(a: Any) -> bool:
    return _real(a) and prod(a.shape) < LARGE // 8


def _decay(a: Any) -> Any:
    """exp(−|a|), which cannot overflow."""
    return exp(-absolute(a))


def _sigmoid(a: Any) -> Any:
    e = _decay(a)
    return maximum(e, greater_equal(a, 0)) / (e + 1)


def _sigmoid_slope(a: Any) -> Any:
    e = _decay(a)
    d = e + 1
    return e / d / d


def _tanh_slope(a: Any) -> Any:
    e = exp(absolute(a) * -2)
    d = e + 1
    return e * 4 / d / d


def _inner(a: Any, b: Any, shape: Any) -> Any:
    found = apply(INNER, (a, b))
    return found if not shape else reshape(found, shape)


def _ones(count: int, dtype: Any) -> Any:
    return np.ones(count, dtype)


def _shift(a: Any, axis: Any) -> Any:
    return a - largest(a, axis=axis, keepdims=True)


def _shares(a: Any, axis: Any) -> Any:
    e = exp(_shift(a, axis))
    return e / total(e, axis=axis, keepdims=True)


def _log_shares(a: Any, axis: Any) -> Any:
    shifted = _shift(a, axis)
    return shifted - log(total(exp(shifted), axis=axis, keepdims=True))


def _is_all(a: Any, axis: Any, **rest: Any) -> bool:
    return _real(a) and (axis is None or len(axis) == len(a.shape))


def _is_columns(a: Any, axes: Any, **rest: Any) -> bool:
    return _real(a) and len(a.shape) == 2 and tuple(axes) == (0,) and a.shape[0] > 0


def _average(a: Any, axis: Any, keepdims: Any) -> Any:
    count = prod(a.shape[k] for k in (range(len(a.shape)) if axis is None else axis))
    return _sum(a, axis=axis, keepdims=keepdims) / count


FIRST: list[Law] = [
    Law("the slope of the sigmoid", lambda a: sigmoid(a) * sigmoid(-a), _sigmoid_slope, when=_real),
    Law("times the slope of tanh", lambda g, a: g * _slope(a),
        lambda g, a: g / apply(COSH, (a,)) / apply(COSH, (a,)),
        when=lambda g, a: _small(a) and getattr(g, "shape", None) == a.shape),
    Law("exp of log softmax", lambda a, axis: exp(_log_softmax(a, axis=axis)),
        lambda a, axis: _softmax(a, axis=axis),
        when=lambda a, axis: _real(a) and prod(a.shape) > 0),
]  # fmt: skip
"""Laws of what two composite operators make together, before each is taken apart."""

LAWS: list[Law] = [
    Law("the sigmoid by one exponential", lambda a: sigmoid(a), _sigmoid, when=_real),
    Law("the slope of tanh by one exponential", lambda a: _slope(a), _tanh_slope, when=_real),
    Law("a mean as a sum", lambda a, axis, keepdims: _mean(a, axis=axis, keepdims=keepdims),
        _average, when=lambda a, axis, keepdims: _real(a) and prod(a.shape) > 0),
    Law("the sum of squares",
        lambda a, axis, keepdims: _sum(square(a), axis=axis, keepdims=keepdims),
        lambda a, axis, keepdims: _inner(a, a, (1,) * len(a.shape) if keepdims else ()),
        when=_is_all),
    Law("the sum of products",
        lambda a, b, axis, keepdims: _sum(multiply(a, b), axis=axis, keepdims=keepdims),
        lambda a, b, axis, keepdims: _inner(a, b, (1,) * len(a.shape) if keepdims else ()),
        when=lambda a, b, axis, keepdims: _is_all(a, axis) and _real(b) and a.shape == b.shape
        and a.dtype == b.dtype),
    Law("sums of columns", lambda a, axes, shape: _summed_to(a, axes=axes, shape=shape),
        lambda a, axes, shape: reshape(matmul(_ones(a.shape[0], a.dtype), a), shape),
        when=_is_columns),
    Law("sums of columns, by axis", lambda a, axis: _sum(a, axis=axis, keepdims=False),
        lambda a, axis: matmul(_ones(a.shape[0], a.dtype), a),
        when=lambda a, axis: axis is not None and _is_columns(a, axis)),
    Law("softmax", lambda a, axis: _softmax(a, axis=axis), _shares,
        when=lambda a, axis: _real(a) and prod(a.shape) > 0),
    Law("log softmax", lambda a, axis: _log_softmax(a, axis=axis), _log_shares,
        when=lambda a, axis: _real(a) and prod(a.shape) > 0),
]  # fmt: skip
"""What NumPy computes quicker, each as stable as what it replaces."""


def lowered(graph: Graph) -> Graph:
    """The same computation in operators that NumPy computes without temporaries."""
    return rewritten(rewritten(graph, FIRST).graph, [*LAWS, *SHAPES, *IDENTITIES]).graph
