"""Losses: what a prediction costs. Imports errors, the operators and the layer base.

``reduction`` is "mean", "sum" or "none". Shapes are never broadcast against each other.
"""

from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, DTypeError, ShapeError
from autograd_lite.modes import scope
from autograd_lite.ops.gathering import take_along_axis, within
from autograd_lite.ops.pointwise import abs as absolute
from autograd_lite.ops.pointwise import equal, maximum, not_equal, square, where
from autograd_lite.ops.reductions import mean, sum
from autograd_lite.ops.shaping import astype, expand_dims, reshape, shape_of
from autograd_lite.ops.special import softplus
from autograd_lite.ops.statistics import log_softmax
from autograd_lite.rules import nondifferentiable
from autograd_lite.shapes import normalize_axis

__all__ = [
    "absolute_error",
    "binary_cross_entropy_with_logits",
    "hinge",
    "huber",
    "mean_squared_error",
    "multiclass_hinge",
    "softmax_cross_entropy",
]


def _reduced(losses: Any, reduction: str, count: Any = None) -> Any:
    """All losses as one number, or as they are; a mean over ``count`` of them."""
    if reduction == "none":
        return losses
    if reduction == "sum":
        return sum(losses)
    if reduction != "mean":
        raise DomainError(f"reduction={reduction!r}", mend='"mean", "sum" or "none"')
    return mean(losses) if count is None else sum(losses) / count


def _target(x: Any, t: Any, what: str) -> Any:
    """A target of the prediction's shape; integers and booleans in its dtype."""
    if shape_of(x) != shape_of(t):
        raise ShapeError(
            f"{what}: a prediction of shape {shape_of(x)}, a target of {shape_of(t)}",
            mend="both have the same shape: reshape one; a loss does not broadcast",
        )
    return _in_kind_of(x, t)


def _in_kind_of(x: Any, t: Any) -> Any:
    """Whole numbers in the dtype of ``x``, so that float32 stays float32; others as they are."""
    t = t if hasattr(t, "dtype") else np.asarray(t)
    kind = getattr(x, "dtype", np.dtype(np.float64))
    return astype(t, kind) if t.dtype.kind in "biu" and kind.kind == "f" else t


@scope("SoftmaxCrossEntropy")
def softmax_cross_entropy(
    logits: Any, target: Any, /, *, axis: int = -1, reduction: str = "mean",
    ignore: int | None = None,
) -> Any:  # fmt: skip
    """−Σ target · log softmax(logits) along the axis of the classes, exact at any size.

    ``target`` holds labels (integers, the shape of ``logits`` without ``axis``) or a probability
    for each class (the shape of ``logits``; one-hot rows, say). Labels equal to ``ignore`` cost
    nothing and do not count in the mean (of no labels at all it is 0). A logit of −∞ is a class
    that cannot be.

    >>> import autograd_lite as ag
    >>> ag.nn.softmax_cross_entropy(ag.tensor([[0.0, 1e4], [0.0, 0.0]]), [1, 0])
    Tensor(0.34657359)
    """
    shape = shape_of(logits)
    axis = normalize_axis(axis, len(shape))
    target = target if hasattr(target, "dtype") else np.asarray(target)
    labels = shape[:axis] + shape[axis + 1 :]
    if target.shape == labels and target.dtype.kind in "iu":
        return _of_labels(logits, target, axis, reduction, ignore)
    if target.shape == labels:
        raise DTypeError(f"labels of dtype {target.dtype}", mend="labels are integers")
    if target.shape != shape:
        raise ShapeError(
            f"softmax_cross_entropy: logits of shape {shape}, a target of {target.shape}",
            mend=f"labels have the shape {labels}, probabilities {shape}",
        )
    if ignore is not None:
        raise DomainError("ignore goes with labels", mend="give labels, or rows of zeros")
    scores = log_softmax(logits, axis)
    impossible = equal(target, 0)
    costs = where(impossible, 0, _in_kind_of(logits, target) * where(impossible, 0, scores))
    return _reduced(-sum(costs, axis=axis), reduction)


def _of_labels(logits: Any, labels: Any, axis: int, reduction: str, ignore: int | None) -> Any:
    classes = shape_of(logits)[axis]
    texts = "softmax_cross_entropy: labels", f"for {classes} classes"
    known = within(labels, size=classes, texts=texts, ignore=ignore)
    scores = take_along_axis(log_softmax(logits, axis), expand_dims(known, axis), axis=axis)
    costs = -reshape(scores, labels.shape)
    if ignore is None:
        return _reduced(costs, reduction)
    counted = not_equal(labels, ignore)
    count = astype(maximum(sum(counted), 1), costs.dtype)
    return _reduced(where(counted, costs, 0), reduction, count)


@scope("BinaryCrossEntropy")
def binary_cross_entropy_with_logits(
    logits: Any, target: Any, /, *, reduction: str = "mean"
) -> Any:
    """−t·log σ(x) − (1 − t)·log(1 − σ(x)), exact for every finite logit; t is 0, 1 or between.

    >>> import autograd_lite as ag
    >>> ag.nn.binary_cross_entropy_with_logits(ag.tensor([1000.0, -1000.0]), [1.0, 1.0])
    Tensor(500.)
    """
    t = _target(logits, target, "binary_cross_entropy_with_logits")
    return _reduced(t * softplus(-logits) + (1 - t) * softplus(logits), reduction)


@scope("MeanSquaredError")
def mean_squared_error(x: Any, target: Any, /, *, reduction: str = "mean") -> Any:
    """(x − target)² of each element.

    >>> import autograd_lite as ag
    >>> ag.nn.mean_squared_error(ag.tensor([1.0, 4.0]), [1.0, 2.0])
    Tensor(2.)
    """
    return _reduced(square(x - _target(x, target, "mean_squared_error")), reduction)


@scope("AbsoluteError")
def absolute_error(x: Any, target: Any, /, *, reduction: str = "mean") -> Any:
    """|x − target| of each element; the derivative where they are equal is 0.

    >>> import autograd_lite as ag
    >>> ag.nn.absolute_error(ag.tensor([1.0, 4.0]), [1.0, 2.0])
    Tensor(1.)
    """
    return _reduced(absolute(x - _target(x, target, "absolute_error")), reduction)


@scope("Huber")
def huber(x: Any, target: Any, /, *, delta: float = 1.0, reduction: str = "mean") -> Any:
    """Half the square of the error where that is at most ``delta``, beyond it linear.

    >>> import autograd_lite as ag
    >>> ag.nn.huber(ag.tensor([1.0, 5.0]), [0.5, 2.0], reduction="none")
    Tensor([0.125, 2.5  ])
    """
    t = _target(x, target, "huber")
    if not delta > 0:
        raise DomainError(f"huber: delta={delta!r}", mend="delta is greater than 0")
    error = x - t
    size = absolute(error)
    return _reduced(where(size <= delta, 0.5 * square(error), delta * (size - 0.5 * delta)),
                    reduction)  # fmt: skip


@scope("Hinge")
def hinge(scores: Any, target: Any, /, *, margin: float = 1.0, reduction: str = "mean") -> Any:
    """max(0, margin − target·score) of each element; targets are −1 and 1.

    The derivative at the edge of the margin is 0.

    >>> import autograd_lite as ag
    >>> ag.nn.hinge(ag.tensor([2.0, 0.5]), [1.0, 1.0], reduction="none")
    Tensor([0. , 0.5])
    """
    t = _target(scores, target, "hinge")
    t = _signs(t)
    return _reduced(maximum(margin - scores * t, 0), reduction)


def _checked_signs(t: Any) -> Any:
    if not np.all(np.abs(t) == 1):
        raise DomainError("hinge: targets other than −1 and 1", mend="2·t − 1 turns 0 and 1 so")
    return t


_signs = nondifferentiable("_signs", _checked_signs, symbol="±1", text="{0}", code="{0}")


@scope("MulticlassHinge")
def multiclass_hinge(
    scores: Any, labels: Any, /, *, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """Σ max(0, margin + score − score of the label) over the other classes (Weston, Watkins).

    scores (N, C), labels (N,) of integers.

    >>> import autograd_lite as ag
    >>> ag.nn.multiclass_hinge(ag.tensor([[1.0, 0.5, -3.0]]), [0])
    Tensor(0.5)
    """
    shape = shape_of(scores)
    values = labels if hasattr(labels, "dtype") else np.asarray(labels)
    if len(shape) != 2 or values.shape != shape[:1] or values.dtype.kind not in "iu":
        raise ShapeError(
            f"multiclass_hinge: scores of shape {shape}, labels {values.shape} {values.dtype}",
            mend="scores are (N, C), labels N integers",
        )
    texts = "multiclass_hinge: labels", f"for {shape[1]} classes"
    column = expand_dims(within(values, size=shape[1], texts=texts, ignore=None), 1)
    own = take_along_axis(scores, column, axis=1)
    others = not_equal(column, np.arange(shape[1]))
    return _reduced(sum(where(others, maximum(scores - own + margin, 0), 0), axis=1), reduction)
