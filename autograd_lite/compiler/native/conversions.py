"""What is known while NumPy code is read: constants, conversions, and that a code is not readable.

Knows values and dtypes. Does not know symbols nor machines. Imports NumPy, scalars and values.
"""

from typing import Any

import numpy as np

from autograd_lite.compiler.native.scalars import supported
from autograd_lite.compiler.native.values import Value, Values

__all__ = ["NotReadable", "cast", "constant", "in_memory", "trimmed"]


class NotReadable(Exception):  # noqa: N818  # no error: NumPy does this part
    """The code does something that is known only when it runs, or that has no machine code."""


def constant(values: Values, array: Any) -> Value:
    """An array that is known while the code is read."""
    exact = np.ascontiguousarray(array)
    facts = ("constant", exact.tobytes()) if exact.nbytes <= _SMALL else ("constant", id(exact))
    made = values.make("leaf", exact.shape, exact.dtype, (), facts)
    values.constants.setdefault(made.number, exact)
    return made


_SMALL = 1 << 12


def cast(values: Values, x: Value, dtype: np.dtype[Any]) -> Value:
    """The value as NumPy's ``astype`` converts it."""
    if x.dtype == dtype:
        return x
    left = x.dtype.kind == "f" and dtype.kind in "iu" and dtype.char not in "ilq"
    if left or not supported(dtype):
        raise NotReadable(f"{x.dtype} as {dtype}")
    if x.kind == "number":
        exact: Any = np.frombuffer(x.facts, x.dtype)[0]
        with np.errstate(all="ignore"):
            return values.number(exact.astype(dtype), dtype)
    if x.kind == "view" and x.args[0].kind == "number":
        return values.view(cast(values, x.args[0], dtype), x.shape, x.facts)
    return values.make("map", x.shape, dtype, (x,), "cast")


def trimmed(values: Values, x: Value, ndim: int) -> Value:
    """Without leading axes of size 1 that an assignment ignores."""
    extra = len(x.shape) - ndim
    return values.reshape(x, x.shape[extra:]) if extra > 0 else x


def in_memory(values: Values, x: Value) -> Value:
    """A value that is, or is seen in, an array in memory: numbers repeated are written out."""
    base = x
    while base.kind in ("view", "reshape"):
        base = base.args[0]
    return values.laid_out(x) if base.kind == "number" else x
