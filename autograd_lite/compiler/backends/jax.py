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
            wanted = self._program.replayed(arrays)
            try:
                verify(found, wanted)
            except UnsupportedError:
                verify(found, wanted, self._unrest(arrays, wanted))
            self._verified = True
        return found

    def _unrest(self, arrays: Sequence[Any], wanted: Sequence[Any]) -> list[float]:
        """16 times what NumPy's outputs move by when all inputs move by rounding errors.

        What cancels to nothing (a bias before batch normalization) is all rounding, and Adam makes
        steps of it.
        """
        rng = np.random.default_rng(0)
        moved = [0.0] * len(wanted)
        for _ in range(4):
            others = self._program.replayed([_jittered(array, rng) for array in arrays])
            for i, (one, other) in enumerate(zip(wanted, others, strict=True)):
                with np.errstate(invalid="ignore"):
                    gap = np.abs(np.asarray(one, float) - np.asarray(other, float))
                moved[i] = max(moved[i], float(gap[np.isfinite(gap)].max(initial=0.0)))
        return [16 * one for one in moved]


def _jittered(array: Any, rng: np.random.Generator) -> Any:
    if array.dtype.kind != "f":
        return array
    signs = rng.choice([-1, 1], array.shape).astype(array.dtype)
    return (array * (1 + 4 * np.finfo(array.dtype).eps * signs)).astype(array.dtype)[()]


def build(program: Program, options: Mapping[str, Any]) -> Executable:
    """The program compiled by XLA.

    Raises:
        UnsupportedError: operators that JAX cannot run, all of them with their files; an option.
    """
    for leaf in program.inputs:
        if leaf.dtype.itemsize > (16 if leaf.dtype.kind == "c" else 8):
            raise UnsupportedError(f"JAX has no numbers of dtype {leaf.dtype}", mend="give float64")
    if options:
        raise UnsupportedError(f"the jax back end takes no {min(options)}=", mend="leave it out")
    return _OnXLA(program)
