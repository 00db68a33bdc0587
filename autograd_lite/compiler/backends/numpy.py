"""The NumPy back end: a program as straight-line NumPy source, in memory planned before it runs.

Knows how the source becomes a function, keeps workspaces for the calls that run at once, and says
where in the user's program an error came from. Options: ``poison=True`` fills what is free in the
workspace with NaN (for tests). Imports errors, operator_errors, the program and numpy_code.
"""

import linecache
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from autograd_lite.compiler.numpy_code.lowering import lowered
from autograd_lite.compiler.numpy_code.writer import Written, write
from autograd_lite.compiler.passes import Pass
from autograd_lite.compiler.program import Executable, Program
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
    lowering = lowered(program.graph)
    return _Source(program, lowering, write(program, lowering.after, **options))


class _Source:
    """Source that runs, with a stack of workspaces: each call takes one, or makes one."""

    def __init__(self, program: Program, lowering: Pass, written: Written) -> None:
        self.source, self.passes = written.source, (lowering,)
        self._written = written
        self._label = f"<compiled {program.name} {id(self):x}>"
        self._spare: list[Any] = []
        scope = {**written.namespace, "take": self._take, "give": self._spare.append}
        self._run = compiled_source(self.source, scope, self._label)["program"]
        lines = self.source.splitlines(keepends=True)
        linecache.cache[self._label] = len(self.source), None, lines, self._label
        weakref.finalize(self, linecache.cache.pop, self._label, None)

    def _take(self) -> Any:
        try:
            return self._spare.pop()
        except IndexError:
            return self._written.plan.workspace()

    def forget(self) -> None:
        """Give back the workspaces that wait for the next call."""
        self._spare.clear()

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        try:
            return self._run(*arrays)  # type: ignore[no-any-return]  # a tuple of arrays
        except Exception as error:
            raise self._told(error) from error

    def _told(self, error: Exception) -> Exception:
        """The error with the operator, its operands, and the user's line."""
        trace, frame, line = error.__traceback__, None, 0
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._label:
                frame, line = trace.tb_frame, trace.tb_lineno
            trace = trace.tb_next
        node = self._written.nodes.get(line)
        if frame is None or node is None:
            return error
        values = [
            frame.f_locals.get(self._written.names.get(p, ""), p) if isinstance(p, Node) else p
            for p in node.inputs
        ]
        told = operator_error(node.op, values, EMPTY, error)
        if node.source is not None:
            told.source = node.source
            told.reword(told.what, where=told.where, mend=told.mend)
        return told
