"""The JAX back end: a program lowered to JAX and XLA, in 64 bits where its numbers are.

The first results are held against NumPy's. Imports errors, export, program and NumPy; JAX is an
extra.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.program import Executable, Program
from autograd_lite.errors import UnsupportedError, require
from autograd_lite.export.to_jax import jax_function, verify

__all__ = ["build"]


class _OnXLA:
    """A program that XLA runs; ``source`` is JAX's reading of it."""

    def __init__(self, program: Program) -> None:
        self._jax = jax = require("jax", "jax")
        self._program = program
        function = jax_function(program.graph, program.inputs)
        with jax.enable_x64(True):
            shapes = [jax.ShapeDtypeStruct(node.shape, node.dtype) for node in program.inputs]
            self.source = str(jax.make_jaxpr(function)(*shapes))
            self._run = jax.jit(function).lower(*shapes).compile()
        self._verified = False

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """The outputs, as NumPy's arrays."""
        with self._jax.enable_x64(True):
            found = [np.array(one)[()] for one in self._run(*map(np.asarray, arrays))]
        if not self._verified:
            verify(found, self._program.replayed(arrays))
            self._verified = True
        return found


def build(program: Program, options: Mapping[str, Any]) -> Executable:
    """The program compiled by XLA.

    Raises:
        UnsupportedError: operators that JAX cannot run, all of them with their files; an option.
    """
    if options:
        raise UnsupportedError(f"the jax back end takes no {min(options)}=", mend="leave it out")
    return _OnXLA(program)
