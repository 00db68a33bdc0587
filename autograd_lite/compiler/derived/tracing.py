"""A function or a layer as a graph with named leaves: what ``derive`` and ``explain`` read.

Knows signatures, layers as trees of parameters, and examples; no operator. Imports errors, graph,
tensors, modes, and keys of arrays from rewrite.
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
from autograd_lite.graph import Constant, Datum, Graph, Leaf, Node, same_again, settled
from autograd_lite.modes import using
from autograd_lite.rewrite.field import key_of
from autograd_lite.tensors import Tensor, tensor

__all__ = ["Traced", "argument_names", "as_differentiated", "traced"]


@dataclass(frozen=True)
class Traced:
    """One call of a function: its graph, the leaves of its arguments, and further leaves.

    ``draws`` are arrays that the function drew at random: other ones at each call; ``unit`` are the
    places of the inputs whose rows sum to 1.
    """

    graph: Graph
    inputs: tuple[Leaf, ...]
    draws: tuple[Leaf, ...]
    parameters: tuple[Leaf, ...]
    caller: CodeType | None
    unit: tuple[int, ...] = ()

    @property
    def outputs(self) -> Sequence[Node]:
        """What the function returned, one or several."""
        return self.graph.outputs

    @property
    def arguments(self) -> tuple[Leaf, ...]:
        """What the forward pass takes."""
        return self.inputs + self.draws


def traced(f: Callable[..., Any], examples: Sequence[Any], names: Sequence[str]) -> Traced:
    """The graph of ``f`` on these examples.

    Raises:
        DeriveError: it does not return tensors of floating numbers that rest on an input.
    """
    leaves = [_leaf(x, name) for x, name in zip(examples, names, strict=True)]
    own: tuple[Any, ...] = tuple(leaf.node for leaf in leaves)
    graph, draws = _without_draws(_called(f, leaves), lambda: _called(f, leaves), leaves)
    others = tuple(node for node in graph.inputs if node not in {*own, *draws})
    if not graph.inputs:
        raise DeriveError(
            "the function's result does not depend on its arguments",
            mend="use the arguments, with ag functions or operators, and return what comes out",
        )
    frame = user_frame()
    caller = frame.f_code if frame else None
    return Traced(graph, own, draws, others, caller)


def _called(f: Callable[..., Any], leaves: Sequence[Tensor]) -> Graph:
    with using(tracing=True, recording=True, debug=False), np.errstate(all="ignore"):
        result = f(*leaves)
    results = result if isinstance(result, (tuple, list)) and result else (result,)
    for one in results:
        _check(one)
    return Graph.of(*results)


def _without_draws(
    graph: Graph, again: Callable[[], Graph], leaves: Sequence[Tensor]
) -> tuple[Graph, tuple[Leaf, ...]]:
    """The graph with its random constants as inputs: those that another call makes otherwise."""
    start = leaves[-1].node.serial

    def made(graph: Graph) -> list[Constant]:
        return [node for node in graph if type(node) is Constant and node.serial > start]

    constants = made(graph)
    others = made(again()) if constants else []
    if len(others) != len(constants):
        return graph, ()
    image: dict[Node, Node] = {
        one: Datum("input", one.value, one.name or "draw", None, 0)
        for one, other in zip(constants, others, strict=True)
        if key_of(one.value) != key_of(other.value)
    }
    draws = tuple(image.values())
    for node in graph:
        if node not in image and isinstance(node, Leaf):
            image[node] = node
        elif node not in image:
            inputs = (image[x] if isinstance(x, Node) else x for x in node.inputs)
            image[node] = same_again(node, tuple(inputs))
    found = Graph([image[node] for node in graph.outputs]) if draws else graph
    return found, draws  # type: ignore[return-value]  # they were made as leaves


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
    if not isinstance(result, Tensor) or result.dtype.kind != "f":
        raise DeriveError(
            f"the function returns {describe(result)}",
            mend="return a tensor of real floating numbers, or a tuple of such tensors; do not "
            "call .numpy() inside",
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
