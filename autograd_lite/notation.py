"""How an operator is written as NumPy code.

Knows operators as data and Python's literals. Does not know any single operator, nor how code is
put together from nodes. Imports graph, errors and NumPy.
"""

import ast
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import UnsupportedError, describe
from autograd_lite.graph import EMPTY, Op

__all__ = ["code", "literal", "subscript"]


def code(op: Op, operands: Sequence[str], params: Mapping[str, Any] = EMPTY) -> str:
    """The operator applied to operands, as a Python expression.

    The names in it are ``np``, ``scipy``, those of the operands, and, where NumPy has nothing
    alike, the operator's own, which stands for ``op.forward``.

    >>> from autograd_lite.rules import OPS
    >>> code(OPS["multiply"], ["x + 1", "y"])
    '(x + 1) * y'
    >>> code(OPS["sum"], ["x"], {"axis": (0,), "keepdims": False})
    'np.sum(x, axis=(0,))'
    """
    how = op.code or _name_in_numpy(op.forward) or op.name
    if callable(how):
        text = how(*[f"({one})" for one in operands], **params)
    elif "{" in how:
        literals = {name: literal(value) for name, value in params.items()}
        grouped = [f"({one})" for one in operands]
        text = how.format(*grouped, args=", ".join(operands), **literals)
    else:
        function = _found(how) if how.startswith("np.") else op.forward
        keywords = [f"{name}={literal(value)}" for name, value in _chosen(function, params).items()]
        text = f"{how}({', '.join([*operands, *keywords])})"
    return ast.unparse(ast.parse(text, mode="eval"))


def _name_in_numpy(function: Callable[..., Any]) -> str | None:
    """`np.exp`, `np.linalg.inv`; None for a function that is not NumPy's."""
    name = getattr(function, "__name__", "")
    for place in ("np", "np.linalg", "np.fft"):
        if getattr(_found(place), name, None) is function:
            return f"{place}.{name}"
    return None


def _found(dotted: str) -> Any:
    found: Any = np
    for part in dotted.split(".")[1:]:
        found = getattr(found, part)
    return found


def _chosen(function: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that do not have a NumPy function's default."""
    known = inspect.signature(function).parameters if params else {}
    return {
        name: value
        for name, value in params.items()
        if name not in known or not _same(known[name].default, value)
    }


def _same(default: Any, value: Any) -> bool:
    if default is getattr(np, "_NoValue", None):
        return value is None or value is False
    return type(default) is type(value) and bool(default == value)


def literal(value: Any) -> str:
    """A static parameter as a Python expression.

    >>> literal((1, None, float("inf"), np.dtype("float32")))
    '(1, None, np.inf, np.float32)'
    >>> literal(np.array([True, False])), literal(slice(1, None))
    ('np.array([True, False])', 'slice(1, None, None)')

    Raises:
        UnsupportedError: something that is no number, text, dtype, array, or sequence of them.
    """
    if value is None or value is Ellipsis or isinstance(value, (bool, int, str)):
        return "..." if value is Ellipsis else repr(value)
    if isinstance(value, np.generic):
        return literal(value.item())
    if isinstance(value, (float, complex)):
        return re.sub(r"\b(inf|nan)", r"np.\1", repr(value))
    if isinstance(value, slice):
        return f"slice({', '.join(map(literal, (value.start, value.stop, value.step)))})"
    if type(value) in (tuple, list):  # a named tuple is something else
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, np.dtype):
        known = value.isnative and getattr(np, value.name, None) is value.type
        return f"np.{value.name}" if known else f"np.dtype({value.str!r})"
    if isinstance(value, np.ndarray):
        return _array(value)
    raise UnsupportedError(f"no code for {describe(value)}", mend="give numbers, arrays, dtypes")


def _array(value: np.ndarray[Any, Any]) -> str:
    dtype = literal(value.dtype)
    if not value.size:
        return f"np.empty({value.shape}, {dtype})"
    usual = value.dtype == np.asarray(value.tolist()).dtype
    return f"np.array({literal(value.tolist())}{'' if usual else f', {dtype}'})"


def subscript(index: Sequence[Any]) -> str:
    """What stands between the brackets of ``x[…]``; a part that is text is code already.

    >>> subscript((slice(1, None), ..., "rows")), subscript((slice(None, None, -1), None))
    ('1:, ..., rows', '::-1, None')
    """
    return ", ".join(map(_part, index)) or "()"


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, slice):
        return literal(part)
    ends = ["" if end is None else literal(end) for end in (part.start, part.stop, part.step)]
    return ":".join(ends if ends[2] else ends[:2])
