"""A function or a layer as a graph with named leaves: what ``derive`` and ``explain`` read.

Knows signatures, layers as trees of parameters, and examples; no operator. Imports errors, graph,
tensors, modes.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.naming import usable
from autograd_lite.errors import (
    DeriveError,
    DTypeError,
    IndexingError,
    describe,
    user_frame,
)
from autograd_lite.graph import Datum, Graph, Leaf, Node, settled
from autograd_lite.modes import using
from autograd_lite.tensors import Tensor, tensor

__all__ = ["Traced", "argument_names", "as_differentiated", "traced"]


@dataclass(frozen=True)
class Traced:
    """One call of a function: its graph, the leaves of its arguments, and further leaves."""

    graph: Graph
    inputs: tuple[Leaf, ...]
    parameters: tuple[Leaf, ...]
    caller: CodeType | None

    @property
    def output(self) -> Node:
        """What the function returned."""
        (output,) = self.graph.outputs
        return output


def traced(f: Callable[..., Any], examples: Sequence[Any], names: Sequence[str]) -> Traced:
    """The graph of ``f`` on these examples.

    Raises:
        DeriveError: it does not return one tensor of floating numbers that rests on an input.
    """
    leaves = [_leaf(x, name) for x, name in zip(examples, names, strict=True)]
    with using(tracing=True, recording=True, debug=False), np.errstate(all="ignore"):
        result = f(*leaves)
    _check(result)
    graph = Graph.of(result)
    own = tuple(leaf.node for leaf in leaves)
    others = tuple(node for node in graph.inputs if node not in own)
    if not graph.inputs:
        raise DeriveError(
            "the function's result does not depend on its arguments",
            mend="use the arguments, with ag functions or operators, and return what comes out",
        )
    frame = user_frame()
    caller = frame.f_code if frame else None
    return Traced(graph, own, others, caller)  # type: ignore[arg-type]  # leaves are Leafs


def as_differentiated(
    f: Callable[..., Any], examples: Sequence[Any], names: Sequence[str]
) -> list[Any]:
    """The examples; where all are integers as floating numbers, unless ``f`` takes positions."""
    if any(x.dtype.kind == "f" for x in examples):
        return list(examples)
    floating = [x.astype(np.float64)[()] for x in examples]
    try:
        traced(f, floating, names)
    except (DTypeError, IndexingError):
        return list(examples)
    return floating


def _leaf(value: Any, name: str) -> Tensor:
    """An argument; integers are labels or positions, which have no gradient."""
    if value.dtype.kind in "biu":
        return Tensor(value, Datum("input", settled(value), name, None, 0))
    return tensor(value, name=name)


def _check(result: Any) -> None:
    if isinstance(result, (tuple, list)):
        raise DeriveError(
            f"the function returns {len(result)} values",
            mend="derive a function of one result, say lambda x: f(x)[0]",
        )
    if not isinstance(result, Tensor) or result.dtype.kind != "f":
        raise DeriveError(
            f"the function returns {describe(result)}",
            mend="return one tensor of real floating numbers; do not call .numpy() inside",
        )


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """What the arguments are called; x, x2, … where the signature does not say, or not plainly."""
    try:
        found = [p.name for p in inspect.signature(f).parameters.values()
                 if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]  # fmt: skip
    except (TypeError, ValueError):
        found = []
    found += [""] * (count - len(found))
    names: list[str] = []
    for name in found[:count]:
        wish = name if usable(name) else "x"
        k, free = 1, wish
        while free in names:
            k += 1
            free = f"{wish}{k}"
        names.append(free)
    return names
