"""Memory of a program: what values lie in, when it is free again, and what may be written over.

Knows storages: pieces of memory that several nodes may lie in one after another, or at once as
views. Does not know operators. Imports graph and NumPy.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Plan", "Storage"]


@dataclass(eq=False)
class Storage:
    """One piece of memory. ``writable``: the program's own, so that it may be written over.

    ``users`` counts the uses that are still to come, through whatever view; ``slot`` is its place
    in the workspace, None for memory that is made in each call. ``names`` are what code calls the
    arrays in large memory that is made in a call, and given back when it is not needed any more.
    """

    writable: bool
    users: int = 0
    slot: int | None = None
    nbytes: int = 0
    names: set[str] | None = None

    def call(self, name: str) -> None:
        """Note the name of an array that lies here."""
        if self.names is not None and name.isidentifier():
            self.names.add(name)


@dataclass
class Plan:
    """The workspace: slots of bytes that values take turns in.

    >>> plan = Plan()
    >>> first = plan.take(100)
    >>> plan.give(first)
    >>> plan.take(80) == first, plan.sizes
    (True, [100])
    """

    sizes: list[int] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    views: list[tuple[int, tuple[int, ...], Any]] = field(default_factory=list)

    def take(self, nbytes: int) -> int:
        """A free slot: the smallest that is large enough, else the largest grows; or a new one."""
        fitting = [slot for slot in self.free if self.sizes[slot] >= nbytes]
        if fitting:
            slot = min(fitting, key=lambda one: self.sizes[one])
        elif self.free:
            slot = max(self.free, key=lambda one: self.sizes[one])
            self.sizes[slot] = nbytes
        else:
            slot = len(self.sizes)
            self.sizes.append(nbytes)
            return slot
        self.free.remove(slot)
        return slot

    def give(self, slot: int) -> None:
        """The slot is free again."""
        self.free.append(slot)

    def view(self, slot: int, shape: tuple[int, ...], dtype: Any) -> int:
        """The number of an array of this shape in the slot; the same again for the same array."""
        wanted = (slot, shape, np.dtype(dtype))
        if wanted not in self.views:
            self.views.append(wanted)
        return self.views.index(wanted)

    def workspace(self) -> list[Any]:
        """Fresh memory for one call at a time: an array for each view.

        Slots begin at different distances from the borders of pages: a processor that reads one and
        writes another at the same distance would wait for itself.
        """
        starts, end = [], 0
        for k, size in enumerate(self.sizes):
            begin = -(-end // 4096) * 4096 + (k % 7 + 1) * 576
            starts.append(begin)
            end = begin + size
        whole = np.empty(end + 64, np.uint8)
        first = -whole.ctypes.data % 64  # to the border of a cache line
        return [
            whole[first + starts[slot] :][: int(np.prod(shape)) * dtype.itemsize]
            .view(dtype)
            .reshape(shape)
            for slot, shape, dtype in self.views
        ]
