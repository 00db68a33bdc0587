"""Programs: a function becomes a graph, is simplified, and runs as code of a back end.

Knows how to trace a function with its state (``tracing``), which calls a trace serves
(``signature``), how graphs are simplified (``passes``), and back ends as files (``backends``).
Its room ``derived`` writes gradients as classes that a person could have written.
Imports lower rooms and its own modules.
"""

from autograd_lite.compiler.compiled import Compiled, compile
from autograd_lite.compiler.derived import Derivation, Explanation, derive, explain
from autograd_lite.compiler.program import Executable, Program

__all__ = [
    "Compiled",
    "Derivation",
    "Executable",
    "Explanation",
    "Program",
    "compile",
    "derive",
    "explain",
]
