"""Errors of operators: NumPy's own kinds, with what happened, where, and how to mend it.

Knows how an operand is described, and keeps the operation that failed for a picture. Imports
errors, graph, modes and tensors.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import (
    AutogradError,
    AxisError,
    DomainError,
    DTypeError,
    IndexingError,
    LinAlgError,
    NonFiniteError,
    ShapeError,
    describe,
    user_frame,
)
from autograd_lite.graph import Node, Op
from autograd_lite.modes import current_mode
from autograd_lite.tensors import Tensor, plain_value

__all__ = ["check_finite", "operator_error", "unmade"]


def operator_error(
    op: Op, args: Sequence[Any], params: Mapping[str, Any], error: Exception
) -> Exception:
    """An error of NumPy's as one that says what, where and how to mend it, of NumPy's kind."""
    names = op.array_names
    lines = []
    for i, arg in enumerate(args):
        role = names[i] if i < len(names) else f"operand {i}"
        own = arg.name if isinstance(arg, Tensor) and type(arg) is Tensor else None
        lines.append(f"{role}: {describe(arg, own)}")
    lines += [f"{key} = {value!r}" for key, value in params.items() if not hasattr(value, "shape")]
    kind = _error_class(error)
    said = getattr(error, "what", None) or str(error).strip()
    mend = getattr(error, "mend", "")
    if kind is ShapeError and op.kind in _MENDS and not isinstance(error, AutogradError):
        said = f"shapes {' and '.join(str(np.shape(plain_value(arg))) for arg in args)} do not fit"
        mend = mend or _MENDS[op.kind]
    elif kind is LinAlgError:
        mend = mend or next((advice for word, advice in _ADVICE.items() if word in said), "")
    elif kind is IndexingError:
        mend = mend or "an axis of n elements has the indices -n to n - 1"
    what = said if said.startswith(op.name) else f"{op.name}: {said}"
    told = kind(what, where="\n".join(lines), mend=mend)
    told.node = unmade(op, args, params)
    return told


def unmade(op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Node | None:
    """The node of an operation that gave no result; None if nothing in it is tracked.

    The error holds it and it holds its operands, as a result would: nothing points to the error.
    """
    tensors = [arg for arg in args if type(arg) is Tensor]
    if not any(arg.tracked for arg in tensors):
        return None
    inputs = [
        arg.node if type(arg) is Tensor else np.array(arg) if isinstance(arg, np.ndarray) else arg
        for arg in args
    ]
    frame = user_frame()
    code, offset = (frame.f_code, frame.f_lasti) if frame else (None, 0)
    scope = current_mode().scope
    return Node(op, tuple(inputs), params, None, (), None, scope, code, offset)


_MENDS = {
    "pointwise": "shapes are aligned at the right: two sizes must be equal or one of them 1",
    "multilinear": "the sizes that are summed over must be equal; transpose with .T or .mT",
}


_ADVICE = {
    "ingular": "ag.linalg.pinv or lstsq, or add a small multiple of the identity",
    "positive definite": "see that it is, or add a small multiple of the identity",
    "square": "the last two axes have equal sizes",
    "dimensional": "a matrix has two axes; those before are batches",
}
"""What to write instead, by a word of NumPy's message about a matrix."""


def _error_class(error: Exception) -> type[AutogradError]:
    if isinstance(error, AutogradError):
        return type(error)
    if isinstance(error, np.exceptions.AxisError):
        return AxisError
    if isinstance(error, IndexError):
        return IndexingError
    if isinstance(error, np.linalg.LinAlgError):
        return LinAlgError
    if isinstance(error, TypeError):
        return DTypeError
    words = str(error)
    about_shape = any(word in words for word in ("shape", "broadcast", "dimension", "aligned"))
    return ShapeError if about_shape else DomainError


def check_finite(
    op: Op, args: Sequence[Any], params: Mapping[str, Any], values: Sequence[Any], result: Any
) -> None:
    """Raise ``NonFiniteError`` if a result holds a NaN or an infinity (``ag.debug()``)."""
    if type(result) is tuple:
        for part in result:
            check_finite(op, args, params, values, part)
        return
    if np.asarray(result).dtype.kind not in "fc" or np.all(np.isfinite(result)):
        return
    fresh = all(np.all(np.isfinite(value)) for value in values)
    error = NonFiniteError(
        f"{op.name} gave {np.size(result) - int(np.sum(np.isfinite(result)))} NaN or infinite "
        f"values" + ("" if fresh else " (an operand held some already)"),
        where="\n".join(describe(arg) for arg in args),
        mend="look at the operands of this line; ag.where does not hide a NaN in the branch that "
        "is not taken",
    )
    error.node = unmade(op, args, params)
    raise error
