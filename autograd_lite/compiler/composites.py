"""What two composite operators make together, before a back end takes each apart.

Softmax and what is picked of it: laws for every back end that reads operators one by one. Imports
rewrite and the operators.
"""

from math import prod
from typing import Any

import numpy as np

from autograd_lite.ops.pointwise import exp
from autograd_lite.ops.reductions import max as largest
from autograd_lite.ops.reductions import sum as total
from autograd_lite.rewrite import Law
from autograd_lite.rewrite.patterns import operator

__all__ = ["COMPOSITES", "is_of_rows", "is_picked", "is_real", "shifted"]

_sum, _placed = operator("sum"), operator("untake_along_axis")
_softmax, _log_softmax = operator("softmax"), operator("log_softmax")


def is_real(a: Any) -> bool:
    """Whether that is an array of real numbers."""
    return hasattr(a, "shape") and a.dtype in (np.float32, np.float64)


def is_of_rows(a: Any, b: Any, axis: Any) -> bool:
    """Whether b has one number for each row of a along the axis."""
    if not (is_real(a) and prod(a.shape) > 0 and axis is not None and len(axis) == 1):
        return False
    rows = tuple(1 if k == axis[0] else n for k, n in enumerate(a.shape))
    return getattr(b, "shape", None) == rows and b.dtype == a.dtype


def is_picked(a: Any, i: Any, axis: int, shape: Any) -> bool:
    """Whether one known position is meant in each row along the axis, and a has their shape."""
    known = hasattr(i, "shape") and hasattr(a, "shape") and len(a.shape) == len(shape)
    rows = tuple(1 if k == axis else n for k, n in enumerate(shape))
    others = tuple(1 if k == axis else n for k, n in enumerate(a.shape)) if known else ()
    return bool(known and i.shape == rows and others == rows)


def shifted(a: Any, axis: Any) -> Any:
    """Less the largest of its row, so that exponentials are 1 at most."""
    return a - largest(a, axis=axis, keepdims=True)


def _scaled_shares(a: Any, b: Any, axis: Any) -> Any:
    """softmax(a)·b as e·(b/Σe): Σe ≥ 1, so that nothing is lost, and it is one pass less."""
    e = exp(shifted(a, axis))
    return e * (b / total(e, axis=axis, keepdims=True))


COMPOSITES: list[Law] = [
    Law("exp of log softmax", lambda a, axis: exp(_log_softmax(a, axis=axis)),
        lambda a, axis: _softmax(a, axis=axis),
        when=lambda a, axis: is_real(a) and prod(a.shape) > 0,
        samples=[((2, 3), (1,)), ((3,), (0,))]),
    Law("shares times a number of the row", lambda a, axis, b: _softmax(a, axis=axis) * b,
        lambda a, axis, b: _scaled_shares(a, b, axis),
        when=lambda a, axis, b: is_of_rows(a, b, axis),
        samples=[((2, 3), (1,), (2, 1)), ((2, 3, 2), (1,), (2, 1, 2))]),
    Law("the sum of one placed element",
        lambda g, i, axis, shape, once, axes, keepdims: _sum(
            _placed(g, i, axis=axis, shape=shape, once=once), axis=axes, keepdims=keepdims),
        lambda g, i, axis, shape, once, axes, keepdims: g,
        when=lambda g, i, axis, shape, once, axes, keepdims: axes == (axis,) and keepdims
        and is_picked(g, i, axis, shape),
        samples=[((2, 1), (2, 1), 1, (2, 3), False, (1,), True),
                 ((2, 3, 1), (2, 3, 1), 2, (2, 3, 4), False, (2,), True)]),
]  # fmt: skip
"""Each as stable as what it replaces."""
