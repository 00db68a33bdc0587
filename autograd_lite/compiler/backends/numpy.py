"""The NumPy back end: a program as straight-line NumPy source, in memory planned before it runs.

Knows how the source becomes a function, keeps workspaces for the calls that run at once, and says
where in the user's program an error came from. Options: ``poison=True`` fills what is free in the
workspace with NaN (for tests). Imports errors, operator_errors, the program and numpy_code.
"""

import functools
import linecache
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.numpy_code.lowering import lowered
from autograd_lite.compiler.numpy_code.writer import Written, write
from autograd_lite.compiler.passes import Pass
from autograd_lite.compiler.program import Executable, Program, check_buffers
from autograd_lite.compiler.signature import compiled_source
from autograd_lite.errors import UnsupportedError
from autograd_lite.graph import EMPTY, Node
from autograd_lite.operator_errors import operator_error

__all__ = ["build"]

_OPTIONS = {"poison"}


def build(program: Program, options: Mapping[str, Any]) -> Executable:
    """The program as NumPy source."""
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise UnsupportedError(
            f"the numpy back end has no option {unknown[0]!r}", mend="poison=True, for tests"
        )
    return _Source(program, lowered(program.graph), options)


class _Source:
    """Source that runs, with a stack of workspaces: each call takes one, or makes one."""

    def __init__(self, program: Program, lowering: Pass, options: Mapping[str, Any]) -> None:
        self.passes = (lowering,)
        self._program, self._options = program, options
        self._plain = _Code(program, write(program, lowering.after, **options))
        self.source = self._plain.written.source

    @functools.cached_property
    def _into(self) -> "_Code":
        graph = self.passes[0].after
        return _Code(self._program, write(self._program, graph, into=True, **self._options))

    def forget(self) -> None:
        """Give back the workspaces that wait for the next call."""
        for code in (self._plain, self.__dict__.get("_into")):
            if code is not None:
                code.spare.clear()

    def __call__(self, *arrays: Any, donate: Sequence[Any] | None = None) -> Sequence[Any]:
        """The outputs, in fresh arrays or in those that are given (``donate``), one for each."""
        if donate is not None:
            return self._filled(arrays, donate)
        try:
            return self._plain.run(*arrays)  # type: ignore[no-any-return]  # a tuple of arrays
        except Exception as error:
            raise self._plain.told(error) from error

    def _filled(self, arrays: Sequence[Any], donate: Sequence[Any]) -> Sequence[Any]:
        check_buffers(donate, self._program.graph.outputs)
        if not all(self._is_apart(i, arrays, donate) for i in self._into.written.early):
            for given, made in zip(donate, self(*arrays), strict=True):
                given[...] = made
            return tuple(donate)
        try:
            return self._into.run(*arrays, *donate)  # type: ignore[no-any-return]  # as above
        except Exception as error:
            raise self._into.told(error) from error

    @staticmethod
    def _is_apart(i: int, arrays: Sequence[Any], donate: Sequence[Any]) -> bool:
        """Whether nothing else lies where an output is computed, and BLAS may write there."""
        others = (*arrays, *donate[:i], *donate[i + 1 :])
        shared = any(np.may_share_memory(donate[i], other) for other in others)
        return bool(donate[i].flags.carray) and not shared


class _Code:
    """Source as a function, its workspaces, and whose fault an error in a line is."""

    def __init__(self, program: Program, written: Written) -> None:
        self.written = written
        self._label = f"<compiled {program.name} {id(self):x}>"
        self.spare: list[Any] = []
        scope = {**written.namespace, "take": self._take, "give": self.spare.append}
        self.run = compiled_source(written.source, scope, self._label)["program"]
        lines = written.source.splitlines(keepends=True)
        linecache.cache[self._label] = len(written.source), None, lines, self._label
        weakref.finalize(self, linecache.cache.pop, self._label, None)

    def _take(self) -> Any:
        try:
            return self.spare.pop()
        except IndexError:
            return self.written.plan.workspace()

    def told(self, error: Exception) -> Exception:
        """The error with the operator, its operands, and the user's line."""
        trace, frame, line = error.__traceback__, None, 0
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._label:
                frame, line = trace.tb_frame, trace.tb_lineno
            trace = trace.tb_next
        node = self.written.nodes.get(line)
        if frame is None or node is None:
            return error
        values = [
            frame.f_locals.get(self.written.names.get(p, ""), p) if isinstance(p, Node) else p
            for p in node.inputs
        ]
        told = operator_error(node.op, values, EMPTY, error)
        if node.source is not None:
            told.source = node.source
            told.reword(told.what, where=told.where, mend=told.mend)
        return told
