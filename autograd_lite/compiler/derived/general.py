"""One program for any number of samples, and other sizes too, held against the engine at these.

Writes a function for examples of two further sizes and lays what comes out over each other. Knows
sizes, and how a class is made of its text; no operator. Imports its siblings and errors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.checking import Checker
from autograd_lite.compiler.derived.classes import class_text
from autograd_lite.compiler.derived.sizes import Differ, Free, frees, laid_over, resized
from autograd_lite.compiler.derived.tracing import Traced, traced
from autograd_lite.compiler.derived.written import Written, write
from autograd_lite.errors import AutogradError

__all__ = ["General", "defined", "generalised", "held"]


@dataclass(frozen=True)
class General:
    """A program for other sizes than those of the examples.

    ``limited`` says that the function takes further ones, for which this is not the program.
    """

    written: Written
    free: Free
    limited: bool


def generalised(
    f: Callable[..., Any], examples: Sequence[Any], names: Sequence[str], wanted: Sequence[int],
    unit: tuple[int, ...],
) -> General | None:  # fmt: skip
    """The program for any sizes, or any number of samples; None if it is another one for each."""
    limited = False
    for free in frees(examples):
        try:
            sizes = free.sizes(examples)
            variants = [resized(examples, free, one, unit) for one in sizes]
            traces = [replace(traced(f, one, names), unit=unit) for one in variants]
        except Differ:
            limited = True
            continue
        except Exception:  # noqa: BLE001, S112  # a function may raise anything at other sizes
            continue
        try:
            written = _laid(traces, wanted, sizes)
            checker = Checker(f, names, partial(_made, written), written.parameters, wanted)
            checker.hold(variants[1])
        except (AutogradError, Differ, ValueError):
            limited = True
            continue
        return General(written, free, limited)
    return None


def _laid(
    traces: Sequence[Traced], wanted: Sequence[int], sizes: tuple[Sequence[int], Sequence[int]]
) -> Written:
    """What is written for both traces, laid over each other."""
    operators = [[node.op.name for node in trace.graph] for trace in traces]
    if operators[0] != operators[1]:
        raise Differ
    one = write(traces[0], wanted)
    return laid_over(one, write(traces[1], wanted, like=one), sizes)


def _made(written: Written) -> Any:
    """An object of the class."""
    return defined(class_text("Layer", [""], written), "Layer")(*held(written))


def held(written: Written) -> list[Any]:
    """What the constructor takes, as the function had it."""
    return [np.array(value) for value in written.held.values()]


def defined(source: str, name: str) -> Any:
    """What a source defines under a name."""
    space: dict[str, Any] = {}
    exec(compile(source, f"<derived {name}>", "exec"), space)  # noqa: S102  # our own text, made of checked names
    return space[name]
