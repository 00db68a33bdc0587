"""What a back end is given, what it gives back, and what is read of a graph before that.

Knows graphs as data. Does not know how a function became one (``tracing``), nor how any back end
computes it. Imports errors, graph and NumPy.
"""

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autograd_lite.errors import ShapeError, describe
from autograd_lite.graph import Graph, Leaf, Node

__all__ = ["BackEnd", "Executable", "Program", "check_buffers", "identifiers"]


@dataclass(frozen=True)
class Program:
    """A finished graph to be computed: flat arrays in, flat arrays out.

    ``inputs`` are the leaves that get a value at each call, in order; an input that no output rests
    on may be among them. Every other leaf of the graph is a constant and holds its ``value``; so do
    plain values among a node's inputs. ``graph.outputs`` are the results in order: a node may occur
    twice, and may be an input or a constant itself.
    """

    name: str
    graph: Graph
    inputs: tuple[Leaf, ...]

    @property
    def constants(self) -> tuple[Leaf, ...]:
        """The leaves that hold their values."""
        given = set(self.inputs)
        return tuple(n for n in self.graph if isinstance(n, Leaf) and n not in given)

    def replayed(self, arrays: Sequence[Any], graph: Graph | None = None) -> list[Any]:
        """The outputs node by node, without a back end; of another graph on the same inputs."""
        graph = graph or self.graph
        there = set(graph.nodes)
        given: dict[Node, Any] = {
            leaf: value for leaf, value in zip(self.inputs, arrays, strict=True) if leaf in there
        }
        with np.errstate(all="ignore"):
            values = graph.replay(given)
        return [values[out] for out in graph.outputs]


class Executable(Protocol):
    """What a back end makes of a program.

    A call takes one array (or NumPy scalar) for each input, of exactly its shape and dtype in any
    memory order, and gives the outputs in order. What it gives shares memory with nothing: not
    with the arrays that came in, nor with another output, nor with anything that a later call
    writes to. 0-d results are NumPy scalars. Any number of threads may call it at once.

    It may have ``direct``, a call that itself holds arrays against type, shape and dtype: it gives
    None, and has done nothing, where they are others or where the call would raise.
    """

    @property
    def source(self) -> str:
        """The code that runs, as text."""

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """The outputs, in order."""


class BackEnd(Protocol):
    """A module of ``compiler.backends``: its file name is the name of the back end."""

    def build(self, program: Program, options: Mapping[str, Any]) -> Executable:
        """The program as something that runs.

        ``options`` are the keywords of ``ag.compile`` that this back end takes; unknown ones raise.
        An operator that it cannot express raises ``UnsupportedError`` with the operator's name and
        the file that declares it.
        """


def check_buffers(donate: Sequence[Any], outputs: Sequence[Node]) -> None:
    """Whether results can be put into arrays that are given.

    Raises:
        ShapeError: another number of them, or another shape or dtype.
    """
    if len(donate) != len(outputs):
        raise ShapeError(
            f"donate= has {len(donate)} arrays for {len(outputs)} outputs", mend="give one for each"
        )
    for i, (given, node) in enumerate(zip(donate, outputs, strict=True)):
        fits = isinstance(given, np.ndarray) and given.shape == node.shape
        if not fits or given.dtype != node.dtype:
            raise ShapeError(
                f"donate[{i}] is {describe(given)}, the output {node.shape} {node.dtype}",
                mend="give an array of the output's shape and dtype",
            )


_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")


def identifiers(nodes: Sequence[Node], taken: Sequence[str] = ()) -> dict[Node, str]:
    """A Python name for each node: its own where that is a fitting one, else a letter and a number.

    >>> import autograd_lite as ag
    >>> x, y = ag.tensor(1.0, name="x"), ag.tensor(1.0, name="import os; os.remove")
    >>> list(identifiers([x.node, y.node]).values())
    ['x', 'v0']
    """
    used = {*taken, *keyword.kwlist, *keyword.softkwlist}
    names: dict[Node, str] = {}
    counter = 0
    for node in nodes:
        name = node.name or ""
        if not _PLAIN_NAME.fullmatch(name) or name in used or re.fullmatch(r"[vkb]\d*", name):
            name = f"v{counter}"
            counter += 1
        used.add(name)
        names[node] = name
    return names
