"""The Numba back end: a program as machine code, whole and in one call.

Its LLVM is the one that Numba brings (llvmlite), its BLAS NumPy's. Imports errors, native and
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
        UnsupportedError: an option; none is known.
        MissingExtraError: the extra ``fast`` is not installed.
    """
    if options:
        raise UnsupportedError(
            f"the numba back end takes no {min(options)}=", mend="leave it out, or another backend="
        )
    return NativeProgram(program.graph, program.inputs)
