"""Where the arrays of a native program lie: which share memory, and places in one arena.

Knows plans. Does not know how kernels are written. Imports NumPy, fusion and values.
"""

from typing import Any

import numpy as np

from autograd_lite.compiler.native.fusion import Plan
from autograd_lite.compiler.native.values import Value, strides_of

__all__ = ["Arenas", "Memory", "packed"]

Strides = tuple[int, ...]
_NEVER = ("leaf", "number", "view", "reshape")  # seen, not made: nothing is written into them


class Memory:
    """In which array every stored value lies.

    What is updated lies where the update does, and parts that fill an array lie in it.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._inside: dict[int, Value] = {}
        self._starts: dict[int, tuple[int, ...]] = {}  # of parts in the array that they fill
        for value in plan.live:
            if value.kind == "write" and self.in_place(value):
                self._inside[value.args[0].number] = value
            elif value.kind == "tiled":
                for part, start in zip(value.args, value.facts, strict=True):
                    self._inside[part.number], self._starts[part.number] = value, start

    def in_place(self, write: Value) -> bool:
        """Whether an update is made in the array that it updates: nobody else reads that."""
        base = write.args[0]
        alone = self._plan.uses[base.number] == 1 and base.number not in self._plan.outputs
        return alone and base.kind not in _NEVER

    def home(self, value: Value) -> Value:
        """The value in whose memory this one lies."""
        while True:
            if value.kind in ("view", "reshape"):
                value = value.args[0]
            elif value.number in self._inside:
                value = self._inside[value.number]
            else:
                return value

    def start_of(self, value: Value) -> tuple[int, ...]:
        """Where a value begins in its home, along each axis."""
        return self._starts.get(value.number, (0,) * len(value.shape))

    def layout(self, value: Value) -> tuple[int, Strides]:
        """Where the elements of a value that is written lie in its home: the first, and strides."""
        if value.number not in self._starts:
            return 0, strides_of(value.shape)
        strides = strides_of(self._inside[value.number].shape)
        start = self._starts[value.number]
        return sum(n * stride for n, stride in zip(start, strides, strict=True)), strides


class Arenas:
    """Memory for temporaries: each call takes a piece, and gives it back for another."""

    def __init__(self, size: int) -> None:
        self.spare: list[Any] = []
        self.give = self.spare.append
        self._size = size

    def take(self) -> Any:
        """What an earlier call has given back, or new."""
        try:
            return self.spare.pop()
        except IndexError:
            whole = np.empty(self._size + 64, np.uint8)
            start = -whole.ctypes.data % 64
            return whole[start : start + self._size]


def packed(spans: list[tuple[int, int, int, int]], offsets: dict[int, int]) -> int:
    """Places in one arena: what does not live at the same time may share bytes.

    A span is (first use, last use, bytes, number); the places go into ``offsets``.
    """
    placed: list[tuple[int, int, int, int]] = []  # start, end, first, last
    for first, last, size, number in sorted(spans, key=lambda span: -span[2]):
        room = -(-max(size, 1) // 64) * 64
        start = 0
        for begin, end, since, until in sorted(placed):
            if since <= last and first <= until and begin < start + room and start < end:
                start = end
        offsets[number] = start
        placed.append((start, start + room, first, last))
    return max((end for _, end, _, _ in placed), default=0)
