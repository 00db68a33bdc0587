"""Memory that a lifted program writes to, and the tensor that its content is.

Knows buffers, which write made which element, and when a value must be copied so that a derivative
rule does not read what came later. Does not know how programs are run, nor NumPy's functions.
Imports tensors, recording and the operators that reading and writing are.

A write is only noted: what reads exactly what was written gets the written tensor itself, and a
whole series of writes becomes one node when anything else is read.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.graph import Node
from autograd_lite.ops.indexing import assemble
from autograd_lite.ops.shaping import reshape
from autograd_lite.tensors import Tensor

__all__ = ["Storage"]

_SERIES = 128  # writes in one node: its adjoint passes over the whole memory once

Place = tuple[Any, ...]


class Storage:
    """A buffer, C-contiguous, and the tensor that its content is (None: no derivative)."""

    __slots__ = ("buffer", "grid", "nodes", "places", "tensor", "values", "writer")

    def __init__(self, buffer: np.ndarray, tensor: Tensor | None = None) -> None:
        self.buffer = buffer
        self.tensor: Any = tensor  # of the content before the noted writes; an array for constants
        self.nodes: list[Node] = [] if tensor is None else [tensor.node]
        self.values: list[Any] = []  # what was written since, by number
        self.places: list[Place] = []
        self.writer: Any = None  # for each element the number of its write, or -1
        self.grid: Any = None  # the position of each element, in the shape of the buffer

    @property
    def tracked(self) -> bool:
        """Whether derivatives flow through the content."""
        return self.tensor is not None

    # reading

    def read(self, positions: Callable[[], np.ndarray], shape: tuple[int, ...]) -> Any:
        """What stands at some positions, if one write made just that; else None.

        After None the content is that of ``tensor``: writes that overlap have been settled.
        """
        if self.writer is None or not self.values:
            return None
        where = positions()
        writers = self.writer[where]
        first = int(writers.flat[0]) if writers.size else -1
        if first < 0 and not (writers >= 0).any():
            return None
        place_size = np.size(self.values[first]) if first >= 0 else -1
        if place_size == where.size and (writers == first).all():
            made = self._positions(self.places[first])
            if np.array_equal(made.ravel(), where.ravel()):
                value = self.values[first]
                return value if value.shape == shape else reshape(value, shape)
        self.settle()
        return None

    def read_at(self, position: int) -> Any:
        """What was written to one element since ``tensor``; None if nothing, or if it is in it."""
        k = self.writer.item(position) if self.values else -1
        if k < 0:
            return None
        value = self.values[k]
        if value.size == 1:
            return reshape(value, ()) if value.shape else value
        self.settle()
        return None

    def settle(self) -> Any:
        """The tensor of the whole content, all noted writes in it."""
        values, places = self.values, self.places
        if values:
            whole = len(values) == 1 and np.array_equal(
                self._positions(places[0]).ravel(), self.positions().ravel()
            )
            tensor = reshape(values[0], self.buffer.shape) if whole else self._assembled()
            if not isinstance(tensor, Tensor) or not tensor.tracked:
                tensor = None
            self.values, self.places = [], []
            if self.writer is not None:
                self.writer.fill(-1)
            self._hold(tensor)
        return self.tensor

    def _assembled(self) -> Any:
        content = self.tensor
        for k in range(0, len(self.values), _SERIES):
            part = slice(k, k + _SERIES)
            content = assemble(content, self.values[part], self.places[part])
        return content

    def _hold(self, tensor: Tensor | None) -> None:
        """Let the buffer itself be the value of the tensor of its content."""
        self.tensor, self.nodes = None, []
        if tensor is not None:
            node = tensor.node
            self.tensor, self.nodes = Tensor(self.buffer, node), [node]

    # writing

    def write(self, place: Place, value: Any) -> None:
        """Note that ``value`` (of the place's shape) is going to stand at a place.

        To be called before the buffer changes.
        """
        if self.tensor is None and not isinstance(value, Tensor):
            return
        positions = self._positions(place)
        if not positions.size:
            return
        if self.writer is None:
            self.writer = np.full(self.buffer.size, -1, np.intp)
        before = self.writer[positions]
        if (before >= 0).any():
            first = int(before.flat[0])
            again = (before == first).all() and np.size(self.values[first]) == positions.size
            if again and np.array_equal(self._positions(self.places[first]), positions):
                self.values[first] = value
                return
            self.settle()
        if not self.values:
            self._let_go()
        self.writer[positions] = len(self.values)
        self.values.append(value)
        self.places.append(place)

    def write_at(self, position: int, place: Place, value: Any) -> None:
        """``write`` of one number at integers that mean one position."""
        if self.writer is None:
            self.writer = np.full(self.buffer.size, -1, np.intp)
        k = self.writer.item(position)
        if k >= 0:
            if self.values[k].size == 1:
                self.values[k], self.places[k] = value, place
                return
            self.settle()
        if not self.values:
            self._let_go()
        self.writer[position] = len(self.values)
        self.values.append(value)
        self.places.append(place)

    def replace(self, tensor: Any) -> None:
        """The whole content becomes another; to be called before the buffer changes."""
        self._let_go()
        self.values, self.places = [], []
        if self.writer is not None:
            self.writer.fill(-1)
        self._hold(tensor if isinstance(tensor, Tensor) and tensor.tracked else None)

    def _let_go(self) -> None:
        """Copies for everything that still reads the buffer as the value of a node."""
        for node in self.nodes:
            if node.value is not None and np.may_share_memory(node.value, self.buffer):
                node.value = np.array(node.value)
        content, old = self.buffer.copy(), self.tensor
        self.tensor = Tensor(content, old.node) if isinstance(old, Tensor) else content
        self.nodes = []

    def _positions(self, place: Place) -> np.ndarray:
        """The flat positions that an index means."""
        return self.positions()[place]

    def positions(self) -> np.ndarray:
        """The flat position of each element."""
        if self.grid is None:
            self.grid = np.arange(self.buffer.size).reshape(self.buffer.shape)
        return self.grid  # type: ignore[no-any-return]  # made above
