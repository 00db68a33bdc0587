"""Which values are computed in one loop, in which order, and which of them need memory.

A group is one nest of loops: maps over elements of one shape, and the reductions of them. A value
needs memory if another group reads it. Knows values. Does not know how loops are written. Imports
values and NumPy.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.native.values import Value

__all__ = ["Group", "Plan", "name_of", "space_of"]

# Maps that are computed again rather than kept: cheaper than reading what was kept.
_CHEAP = {"cast", "copy", "where"} | {
    ufunc.__name__
    for ufunc in (
        np.negative, np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
        np.logical_and, np.logical_or, np.logical_not, np.isnan, np.absolute, np.add, np.subtract,
        np.multiply, np.maximum, np.minimum,
    )
}  # fmt: skip
_INLINE = ("map", "gather")
_KEPT = ("leaf", "number", "matmul", "reduce", "arg", "write", "scan", "tiled")
_ALONE = ("matmul", "write", "arg", "scan")


def name_of(value: Value) -> str:
    """The function of a map."""
    facts = value.facts
    return facts if isinstance(facts, str) else str(facts[0])


class Group:
    """One nest of loops over ``shape``; ``roots`` are what it leaves behind."""

    def __init__(self, number: int, stage: int, shape: tuple[int, ...]) -> None:
        self.number = number
        self.stage = stage
        self.shape = shape
        self.members: list[Value] = []
        self.known: set[int] = set()  # numbers of members and of what they read
        self.roots: list[Value] = []
        self.open = True


class Plan:
    """The groups of a program, in an order in which they can run."""

    def __init__(
        self, every: Sequence[Value], outputs: Sequence[Value], stage_of: dict[int, int]
    ) -> None:
        self.outputs = {value.number for value in outputs}
        self.groups: list[Group] = []
        self.home: dict[int, Group] = {}
        self.stored: set[int] = set()
        self.uses: dict[int, int] = {}
        self._stage_of = stage_of
        self._filled: dict[int, int] = {}  # the group from which on all parts are there
        live = _reachable(outputs)
        self.live = [value for value in every if value.number in live]
        for value in self.live:
            for arg in value.args:
                self.uses[arg.number] = self.uses.get(arg.number, 0) + 1
        for value in sorted(self.live, key=lambda value: (stage_of[value.number], value.number)):
            if value.kind in ("map", "gather", "reduce", *_ALONE):
                self._place(value)
            elif value.kind == "tiled":
                self._filled[value.number] = 1 + max(
                    self.home[part.number].number for part in value.args
                )
        self._choose_roots(outputs)

    # groups

    def _place(self, value: Value) -> None:
        shape = space_of(value)
        lowest = max((self._after(value, arg) for arg in value.args), default=0)
        stage = self._stage_of[value.number]
        group = None
        if value.kind not in _ALONE:
            reads = {_base(arg).number for arg in value.args if _base(arg).kind != "number"}
            for other in self.groups[max(lowest, len(self.groups) - _WINDOW) :]:
                if other.open and other.shape == shape and other.stage == stage:
                    group = other  # the last one, unless one reads the same
                    if reads & other.known:
                        break
        if group is None:
            group = Group(len(self.groups), stage, shape)
            group.open = value.kind not in _ALONE
            self.groups.append(group)
        group.members.append(value)
        group.open = group.open and len(group.members) < _LARGEST
        group.known.add(value.number)
        group.known.update(_base(arg).number for arg in value.args)
        self.home[value.number] = group

    def _after(self, value: Value, arg: Value) -> int:
        """The first group that may hold what reads ``arg``."""
        base = _base(arg)
        home = self.home.get(base.number)
        if home is None:
            return self._filled.get(base.number, 0)
        direct = base is arg and base.kind in _INLINE and home.shape == space_of(value)
        if value.kind in ("gather", "write", "matmul") and arg is value.args[0]:
            direct = False
        return home.number if direct else home.number + 1

    # memory

    def inline(self, value: Value, group: Group) -> bool:
        """Whether a group computes this value itself when it reads it."""
        if value.kind not in _INLINE or value.number in self.outputs:
            return value.kind in _INLINE and self.home.get(value.number) is group
        if self.home.get(value.number) is group:
            return True
        large = math.prod(group.shape) >= _SMALL * value.size and value.size > 1
        return not large and self._is_cheap(value, 3)

    def _is_cheap(self, value: Value, depth: int) -> bool:
        if value.kind != "map" or name_of(value) not in _CHEAP or depth == 0:
            return False
        return all(
            _base(arg).kind in _KEPT
            or _SMALL * _base(arg).size <= value.size
            or self._is_cheap(_base(arg), depth - 1)
            for arg in value.args
        )

    def _choose_roots(self, outputs: Sequence[Value]) -> None:
        pending: list[tuple[Value, Group | None]] = [(value, None) for value in outputs]
        seen: set[tuple[int, int]] = set()
        while pending:
            value, group = pending.pop()
            key = (value.number, -1 if group is None else group.number)
            if key in seen:
                continue
            seen.add(key)
            if value.kind in ("view", "reshape"):
                source = value.args[0]
                if value.kind == "reshape" and source.kind not in ("leaf", "reshape"):
                    self._keep(source, pending)
                else:
                    pending.append((source, group))
            elif group is not None and self.inline(value, group):
                whole = value.args[:1] if value.kind == "gather" else ()
                for arg in whole:
                    self._keep(arg, pending)
                pending.extend((arg, group) for arg in value.args[len(whole) :])
            elif value.kind not in ("leaf", "number"):
                self._keep(value, pending)
        for group in self.groups:
            group.roots = [value for value in group.members if value.number in self.stored]
        self.groups = [group for group in self.groups if group.roots]

    def _keep(self, value: Value, pending: list[tuple[Value, Group | None]]) -> None:
        """A value that is written to memory by its own group."""
        if value.kind in ("leaf", "number") or value.number in self.stored:
            return
        if value.kind in ("view", "reshape"):
            pending.append((value, None))
            return
        self.stored.add(value.number)
        if value.kind == "tiled":
            for part in value.args:
                self._keep(part, pending)
            return
        home = self.home[value.number]
        for i, arg in enumerate(value.args):
            if value.kind == "matmul" or (value.kind in ("gather", "write") and i == 0):
                self._keep(_base(arg), pending)
            else:
                pending.append((arg, home))


_SMALL = 8  # how much smaller a value is that is rather read than computed again
_LARGEST = 80  # values of a group: what LLVM puts into registers in proportionate time
_WINDOW = 64  # groups back to which a value is moved up


def _base(value: Value) -> Value:
    """What a view reads."""
    while value.kind in ("view", "reshape"):
        value = value.args[0]
    return value


def space_of(value: Value) -> tuple[int, ...]:
    """The shape over which loops that compute a value run."""
    if value.kind in ("reduce", "arg", "scan"):
        return value.args[0].shape
    return value.args[1].shape if value.kind == "write" else value.shape


def _reachable(outputs: Sequence[Value]) -> set[int]:
    seen: set[int] = set()
    pending: list[Any] = list(outputs)
    while pending:
        value = pending.pop()
        if value.number not in seen:
            seen.add(value.number)
            pending.extend(value.args)
    return seen
