"""Errors of operators and functions: NumPy's own kinds, with what, where, and how to mend it.

Knows how an operand is described, and keeps the operation that failed for a picture. Does not know
any single operator or function. Imports errors, graph, modes and tensors.
"""

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from autograd_lite.errors import (
    INTERNAL,
    AutogradError,
    AxisError,
    DomainError,
    DTypeError,
    IndexingError,
    LinAlgError,
    NonFiniteError,
    ShapeError,
    UnsupportedError,
    describe,
    user_frame,
)
from autograd_lite.graph import Node, Op
from autograd_lite.modes import current_mode
from autograd_lite.tensors import Tensor, plain_value

__all__ = ["check_finite", "guarded", "keyword_error", "operator_error", "unmade"]

Function = TypeVar("Function", bound=Callable[..., Any])


def operator_error(
    op: Op, args: Sequence[Any], params: Mapping[str, Any], error: Exception
) -> AutogradError:
    """An error of NumPy's as one that says what, where and how to mend it, of NumPy's kind."""
    names = op.array_names
    roles = [*names, *[f"operand {i}" for i in range(len(names), len(args))]]
    lines = [f"{role}: {_shown(arg)}" for role, arg in zip(roles, args, strict=False)]
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
    elif kind is DTypeError:
        call = f"{op.name}({', '.join(names) or '*arrays'})"
        mend = mend or f"the call is {call}, of arrays of numbers and without out= or where="
    what = said if said.startswith(op.name) else f"{op.name}: {said}"
    told = kind(what, where="\n".join(lines), mend=mend)
    told.node, told.operator = unmade(op, args, params), op.name
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
    if isinstance(error, FloatingPointError):  # np.errstate(all="raise")
        return NonFiniteError
    if isinstance(error, TypeError):
        return DTypeError
    words = str(error)
    about_shape = any(word in words for word in ("shape", "broadcast", "dimension", "aligned"))
    return ShapeError if about_shape else DomainError


@functools.cache
def guarded(function: Function) -> Function:
    """A public function whose errors bear its name, are of NumPy's kinds, and tell how to mend.

    What goes wrong in an operator inside is told as the function's own: a user called that. An
    error of a user's code that the function calls goes through untouched.
    """

    @functools.wraps(function)
    def call(*args: Any, **keywords: Any) -> Any:
        try:
            return function(*args, **keywords)
        except AutogradError as error:
            if not _of_user(error):
                _reword(error, function, args, keywords)
            raise
        except (TypeError, ValueError, IndexError) as error:
            if _of_user(error):
                raise
            if ordered := _in_order(function, args, keywords):
                return call(*ordered[0], **ordered[1])
            raise _function_error(function, args, keywords, error) from error

    return call  # type: ignore[return-value]  # of the same signature


def _in_order(
    function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]] | None:
    """A call whose first arguments are given by the names that NumPy has for them: `sum(a=t)`.

    None where there is no such argument.
    """
    theirs = getattr(np, function.__name__, None)
    try:
        names = list(inspect.signature(theirs).parameters) if callable(theirs) else []
    except ValueError:  # it does not tell
        return None
    own = inspect.signature(function).parameters.values()
    known = {p.name for p in own if p.kind is not p.POSITIONAL_ONLY}
    first, rest = list(args), dict(keywords)
    for name in names[len(args) :]:
        if name in known or name not in rest:
            break
        first.append(rest.pop(name))
    return (first, rest) if len(first) > len(args) else None


def keyword_error(name: str, unknown: Sequence[str], otherwise: str) -> UnsupportedError:
    """That the function ``name`` does not take these keywords, and what to write instead."""
    mends = {
        "out": "tensors never change: use the result",
        "where": "ag.where(condition, f(t), otherwise)",
        "dtype": "t.astype(dtype) before",
    }
    return UnsupportedError(
        f"{name} of a tensor does not take {', '.join(f'{key}=' for key in unknown)}",
        mend=mends.get(unknown[0], otherwise),
    )


def _of_user(error: Exception) -> bool:
    """Whether it was raised in somebody else's Python code."""
    step = error.__traceback__
    while step is not None:
        if not INTERNAL[step.tb_frame.f_code.co_filename]:
            return True
        step = step.tb_next
    return False


def _function_error(
    function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any], error: Exception
) -> AutogradError:
    """A plain error, of NumPy or of Python's own call, as one that says what, where and how."""
    name, known = function.__name__, inspect.signature(function).parameters
    unknown = [key for key in keywords if key not in known]
    step = error.__traceback__
    if unknown and step is not None and step.tb_next is None:  # raised by the call itself
        told: AutogradError = keyword_error(name, unknown, "")
    else:
        told = _error_class(error)(str(error).strip().removeprefix(f"{name}() "))
    _reword(told, function, args, keywords)
    return told


def _reword(
    error: AutogradError,
    function: Callable[..., Any],
    args: Sequence[Any],
    keywords: Mapping[str, Any],
) -> None:
    """Tell an error as one of the function that was called."""
    name = function.__name__
    what = error.what
    if error.operator and what.startswith(error.operator):
        what = f"{name}: {what.removeprefix(error.operator).removeprefix(': ')}"
    elif re.search(rf"\b{name}\b", what) is None:
        what = f"{name}: {what}"
    signature = inspect.signature(function)
    places = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    call = signature.replace(parameters=places, return_annotation=signature.empty)
    names = [*signature.parameters, *[f"argument {i}" for i in range(len(args))]]
    given = {**dict(zip(names, args, strict=False)), **keywords}
    where = "\n".join(f"{key}: {_shown(value)}" for key, value in given.items())
    error.reword(what, where=error.where or where, mend=error.mend or f"the call is {name}{call}")
    error.operator = name


def _shown(value: Any) -> str:
    """An argument in a message: simple ones as they are written, arrays by shape and dtype."""
    parts = value if type(value) in (tuple, list) else (value,)
    simple = all(part is None or type(part) in (str, int, bool) for part in parts)
    if simple and len(text := repr(value)) <= 60:
        return text
    return describe(value, value.name if type(value) is Tensor else None)


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
