"""The Numba back end: a program as machine code, whole and in one call.

Its LLVM is the one that Numba brings (llvmlite), its BLAS NumPy's. Imports errors, rewrite,
composites, passes, native and program.
"""

from collections.abc import Mapping
from typing import Any

from autograd_lite.compiler.composites import COMPOSITES
from autograd_lite.compiler.native.program import NativeProgram
from autograd_lite.compiler.passes import Pass
from autograd_lite.compiler.program import Executable, Program
from autograd_lite.errors import UnsupportedError
from autograd_lite.rewrite import rewritten

__all__ = ["build"]


def build(program: Program, options: Mapping[str, Any]) -> Executable:
    """The program as machine code, with its loops as ``source``.

    ``threads`` are those that share large loops: ``OMP_NUM_THREADS``, or the processors there are.
    Results do not depend on it.

    Raises:
        UnsupportedError: another option.
        DomainError: fewer than one thread.
        MissingExtraError: the extra ``fast`` is not installed.
    """
    unknown = options.keys() - {"threads"}
    if unknown:
        raise UnsupportedError(
            f"the numba back end takes no {min(unknown)}=", mend="leave it out, or another backend="
        )
    found = rewritten(program.graph, COMPOSITES)
    joined = Pass("composites", program.graph, found.graph, found.steps)
    made = NativeProgram(joined.after, program.inputs, options.get("threads"))
    made.passes = (joined,)
    return made
