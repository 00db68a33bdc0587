"""The Numba back end: a program as machine code, whole and in one call.

LLVM is the one that Numba brings, threads are Numba's, BLAS is SciPy's. Imports errors, native and
program.
"""

from collections.abc import Mapping
from typing import Any

from autograd_lite.compiler.native.program import NativeProgram
from autograd_lite.compiler.program import Executable, Program
from autograd_lite.errors import UnsupportedError

__all__ = ["build"]


def build(program: Program, options: Mapping[str, Any]) -> Executable:
    """The program as machine code, with its loops as ``source``.

    Raises:
        UnsupportedError: an unknown option.
    """
    unknown = sorted(set(options) - {"threads"})
    if unknown:
        raise UnsupportedError(f"the numba back end takes no {unknown[0]}=", mend="threads=")
    return NativeProgram(program.graph, program.inputs)
