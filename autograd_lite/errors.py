"""The exception tree: every message says what happened, where, and how to mend it.

Knows the shape of a message and how to find the user's own source line. Does not know graphs,
operators or arrays beyond their shape and dtype. Imports NumPy alone.
"""

import contextlib
import functools
import importlib
import inspect
import linecache
import os
import sys
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "AutogradError",
    "AxisError",
    "CompareError",
    "CompileError",
    "DTypeError",
    "DeriveError",
    "DetachedError",
    "DivisionError",
    "DomainError",
    "DrawError",
    "GradientError",
    "ImmutableError",
    "IndexingError",
    "LinAlgError",
    "MissingExtraError",
    "NoAttributeError",
    "NonFiniteError",
    "ShapeError",
    "Source",
    "StaleValueError",
    "UnsupportedError",
    "describe",
    "require",
    "user_frame",
]


_REMEMBERED = 10_000
_LINES: dict[tuple[bytes, int, int], int] = {}
"""Lines by line table, first line and instruction: code objects compare without their tables."""


class Source(NamedTuple):
    """A place in somebody's program: file, line number and the function that the line stands in."""

    file: str
    line: int
    function: str

    @property
    def text(self) -> str:
        """The line itself, stripped; empty where the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @classmethod
    def of(cls, code: CodeType, offset: int) -> "Source":
        """The line to which an instruction of ``code`` belongs (``offset`` in bytes)."""
        key = code.co_linetable, code.co_firstlineno, offset
        line = _LINES.get(key)
        if line is None:
            if len(_LINES) >= _REMEMBERED:
                _LINES.clear()
            spans = code.co_lines()
            found = (line for start, end, line in spans if start <= offset < end and line)
            line = _LINES[key] = next(found, code.co_firstlineno)
        return cls(code.co_filename, line, code.co_name)


class _InternalFiles(dict[str, bool]):
    """Whether a file belongs to this package or to NumPy, remembered per file name."""

    _roots = tuple(
        os.path.dirname(os.path.abspath(file)) + os.sep for file in (__file__, np.__file__)
    )

    def __missing__(self, file: str) -> bool:
        self[file] = inside = file.startswith(self._roots)
        return inside


INTERNAL = _InternalFiles(
    {contextlib.__file__: True, functools.__file__: True, inspect.__file__: True}
)


def user_frame(depth: int = 1) -> FrameType | None:
    """The innermost stack frame that is neither ours nor NumPy's."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and INTERNAL[frame.f_code.co_filename]:
        frame = frame.f_back
    return frame


class AutogradError(Exception):
    """The root of all errors of this package.

    ``what`` is one sentence; ``where`` adds lines about operands; ``mend`` says what to write
    instead. The user's own source line is found when the error is made (or given as ``source``).
    ``node`` is the operation that failed, where one did: it holds its operands, as results do;
    ``operator`` is what ``what`` calls it.

    >>> print(AutogradError("two things do not fit", mend="make them fit", source=None))
    two things do not fit
      mend: make them fit
    """

    _HERE = Source("", 0, "")
    node: Any = None
    operator = ""

    def __init__(
        self, what: str, *, where: str = "", mend: str = "", source: Source | None = _HERE
    ) -> None:
        if source is self._HERE:
            frame = user_frame(2)
            source = Source.of(frame.f_code, frame.f_lasti) if frame else None
        self.source = source
        Exception.__init__(self)
        self.reword(what, where=where, mend=mend)

    def reword(self, what: str, *, where: str, mend: str) -> None:
        """Say it in these words; the source line stays."""
        self.what, self.where, self.mend = what, where, mend
        source, lines = self.source, [what]
        lines += [f"  {line}" for line in where.splitlines()]
        if source is not None:
            lines.append(f"  at {source}" + (f":  {source.text}" if source.text else ""))
        if mend:
            lines.append(f"  mend: {mend}")
        self.message = "\n".join(lines)
        self.args = (self.message,)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> Any:
        return _restore, (type(self), self.what, self.where, self.mend, self.source)


def _restore(
    cls: type[AutogradError], what: str, where: str, mend: str, source: Source | None
) -> AutogradError:
    return cls(what, where=where, mend=mend, source=source)


class ShapeError(AutogradError, ValueError):
    """Shapes that do not fit together."""


class AxisError(AutogradError, np.exceptions.AxisError):
    """An axis that the array does not have."""


class IndexingError(AutogradError, IndexError):
    """An index out of bounds, or of a kind that arrays do not take."""


class DTypeError(AutogradError, TypeError):
    """Data of a kind that cannot be differentiated or computed with."""


class LinAlgError(AutogradError, np.linalg.LinAlgError):
    """A matrix that has no inverse or no decomposition, or is none."""


class DomainError(AutogradError, ValueError):
    """An argument whose value is not allowed."""


class DivisionError(AutogradError, ZeroDivisionError):
    """A division by a sum of weights that is 0."""


class GradientError(AutogradError, RuntimeError):
    """A derivative that does not exist, or that was asked for in an impossible way."""


class ImmutableError(AutogradError, TypeError):
    """An attempt to change a tensor in place."""


class DetachedError(AutogradError, TypeError):
    """A tracked value on its way out of the graph without saying so."""


class UnsupportedError(AutogradError, TypeError):
    """A function or keyword that is not available for tensors."""


class StaleValueError(AutogradError, RuntimeError):
    """A caller's array changed after the graph was recorded on it."""


class NoAttributeError(AutogradError, AttributeError):
    """An attribute of an ndarray's memory, which a tensor does not show."""


class MissingExtraError(AutogradError, ImportError):
    """An optional package that is not installed."""


class NonFiniteError(AutogradError, FloatingPointError):
    """A NaN or an infinity found by ``ag.debug()``."""


class CompileError(AutogradError, RuntimeError):
    """A pass of the compiler, or a back end, that changes a result (``check=True``)."""


class DrawError(AutogradError, ValueError):
    """A picture that cannot be made as asked."""


class CompareError(AutogradError, ValueError):
    """A comparison that cannot be made as asked."""


class DeriveError(AutogradError, ValueError):
    """A derivative that cannot be written down as asked."""


def require(module: str, extra: str) -> Any:
    """Import an optional package, or say which pip command brings it.

    >>> require("json", "all").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"the package {module!r} is not installed ({error})",
            mend=f"pip install 'autograd-lite[{extra}]'",
        ) from error


def describe(value: Any, name: str | None = None) -> str:
    """Name, shape and dtype of an operand; never its ``repr`` unless it is a number.

    >>> describe(np.zeros((2, 3)), "x"), describe(2.5)
    ('x (2, 3) float64', '2.5')
    """
    prefix = f"{name} " if name else ""
    if isinstance(value, (bool, int, float, complex)) and not isinstance(value, np.generic):
        return f"{prefix}{value!r}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{prefix}{value.shape} {value.dtype}"
    return f"{prefix}a {type(value).__name__}"
