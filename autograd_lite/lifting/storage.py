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
_NOBODY, _SEVERAL = -1, -2  # what stands for a number where no single write made some elements

Place = tuple[Any, ...]


class Storage:
    """A buffer, C-contiguous, and the tensor that its content is (None: no derivative)."""

    __slots__ = ("buffer", "grid", "nodes", "places", "tensor", "values", "writer")

    def __init__(self, buffer: np.ndarray, tensor: Tensor | None = None) -> None:
        self.buffer = buffer
        self.tensor: Any = tensor  # of the content before the noted writes; an array for constants
        self.nodes: list[Node] = [] if tensor is None else [tensor.node]
        self.values: Any = ()  # what was written since, by number: a list once there is any
        self.places: Any = ()
        self.writer: Any = None  # for each element the number of its write, or -1
        self.grid: Any = None  # the position of each element, in the shape of the buffer

    # reading

    def read(self, positions: Callable[[], np.ndarray], shape: tuple[int, ...]) -> Any:
        """What stands at some positions, if one write made just that; else None.

        After None the content is that of ``tensor``: writes that overlap have been settled.
        """
        if not self.values:
            return None
        k = self._writer_of(positions())
        if k >= 0:
            value = self.values[k]
            return value if value.shape == shape else reshape(value, shape)
        if k == _SEVERAL:
            self.settle()
        return None

    def _writer_of(self, where: np.ndarray) -> int:
        """The number of the write that made just these elements, in this order."""
        writers = self.writer[where]
        k = int(writers.item(0)) if writers.size else _NOBODY
        if k < 0:
            return _SEVERAL if (writers >= 0).any() else _NOBODY
        made = self.positions()[self.places[k]]  # all of it still stands: else it was settled
        return k if made.size == where.size and (made.ravel() == where.ravel()).all() else _SEVERAL

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
        if values := self.values:
            grid = self.positions()
            whole = len(values) == 1 and np.array_equal(grid[self.places[0]].ravel(), grid.ravel())
            self._hold(reshape(values[0], self.buffer.shape) if whole else self._assembled())
        return self.tensor

    def _assembled(self) -> Any:
        content = self.tensor
        for k in range(0, len(self.values), _SERIES):
            part = slice(k, k + _SERIES)
            content = assemble(content, self.values[part], self.places[part])
        return content

    def _hold(self, tensor: Any) -> None:
        """Let the buffer itself be the value of the tensor of its content, all writes in it."""
        self.values = self.places = ()
        if self.writer is not None:
            self.writer.fill(_NOBODY)
        self.tensor, self.nodes = None, []
        if isinstance(tensor, Tensor) and tensor.tracked:
            self.tensor, self.nodes = Tensor(self.buffer, tensor.node), [tensor.node]

    # writing

    def write(self, place: Place, value: Any) -> None:
        """Note that ``value`` (of the place's shape) is going to stand at a place.

        To be called before the buffer changes.
        """
        if self.tensor is None and not isinstance(value, Tensor):
            return
        where = self.positions()[place]
        if where.size:
            k = self._writer_of(where) if self.values else _NOBODY
            self._note(k, where, place, value)

    def write_at(self, position: int, place: Place, value: Any) -> None:
        """``write`` of one number at integers that mean one position."""
        k = self.writer.item(position) if self.values else _NOBODY
        if k >= 0 and self.values[k].size != 1:
            k = _SEVERAL
        self._note(k, position, place, value)

    def _note(self, k: int, where: Any, place: Place, value: Any) -> None:
        """Put a write in the place of write ``k`` of the same elements, or behind all others."""
        if k >= 0:
            self.values[k], self.places[k] = value, place
            return
        if k == _SEVERAL:
            self.settle()
        if not self.values:
            self._let_go()
            self.values, self.places = [], []
            if self.writer is None:
                self.writer = np.full(self.buffer.size, _NOBODY, np.intp)
        self.writer[where] = len(self.values)
        self.values.append(value)
        self.places.append(place)

    def replace(self, tensor: Any) -> None:
        """The whole content becomes another; to be called before the buffer changes."""
        self._let_go()
        self._hold(tensor)

    def _let_go(self) -> None:
        """Copies for everything that still reads the buffer as the value of a node."""
        for node in self.nodes:
            if node.value is not None and np.may_share_memory(node.value, self.buffer):
                node.value = np.array(node.value)
        content, old = self.buffer.copy(), self.tensor
        self.tensor = Tensor(content, old.node) if isinstance(old, Tensor) else content
        self.nodes = []

    def positions(self) -> np.ndarray:
        """The flat position of each element."""
        if self.grid is None:
            self.grid = np.arange(self.buffer.size).reshape(self.buffer.shape)
        return self.grid  # type: ignore[no-any-return]  # made above
