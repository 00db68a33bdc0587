"""The NumPy back end: straight-line NumPy source. Imports errors, graph, notation and program."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.program import Executable, Program
from autograd_lite.graph import Leaf, Node, settled

__all__ = ["build"]


class _Replayed:
    source = "replay"

    def __init__(self, program: Program) -> None:
        self._program = program

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        values: dict[Node, Any] = dict(zip(self._program.inputs, arrays, strict=True))
        for node in self._program.graph:
            if node in values:
                continue
            if isinstance(node, Leaf):
                values[node] = node.value
                continue
            args = [values[p] if isinstance(p, Node) else p for p in node.inputs]
            values[node] = settled(node.op.forward(*args, **node.params))
        return tuple(np.array(values[out])[()] for out in self._program.graph.outputs)


def build(program: Program, options: Mapping[str, Any]) -> Executable:
    """The program as NumPy source."""
    return _Replayed(program)
