"""Loops over maps and their reductions: axes that are joined, sums in registers, parts for threads.

Knows groups and the writer of kernels. Does not know single functions, nor who runs the parts.
Imports NumPy, and the planning modules of this room.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from autograd_lite.compiler.native.fusion import Group, Plan
from autograd_lite.compiler.native.memory import Memory
from autograd_lite.compiler.native.scalars import Scalar
from autograd_lite.compiler.native.values import Value, identity, strides_of
from autograd_lite.compiler.native.vocabulary import combined, neutral
from autograd_lite.compiler.native.writer import WHOLE, Kernel, Writer

__all__ = ["loops_of"]

_CHUNK = 2048  # terms of a long sum that are added up by themselves
_PARTS = 16  # at most; their number depends on the loops alone, and with it the order of sums
_WORK = 1 << 17  # values of a part at least: some microseconds, as long as a thread takes to wake


def loops_of(group: Group, plan: Plan, memory: Memory) -> Kernel:
    """Maps and reductions over one shape, with axes joined where memory allows.

    Where there is much to do it is a kernel in parts: each takes a piece of the outermost loop.
    """
    trial = Writer(group, plan, memory)
    trial.variables = [f"%x{i}" for i in range(len(group.shape))]
    _body(trial, group)
    blocks = _joined(group, trial.strides)
    nest = _Nest(group, Writer(group, plan, memory), blocks)
    if not trial.checks:  # what tells of a bad index is one for all
        nest.divide()
    return nest.kernel()


def _body(writer: Writer, group: Group) -> None:
    """All that is done at one place, as if every axis had a loop."""
    at = identity(group.shape)
    for root in group.roots:
        if root.kind == "reduce":
            writer.element(root.args[0], at)
            writer.address(root, *_kept_place(root, group))
        else:
            writer.element(root, at)
            writer.target(root, at)


def _kept_place(root: Value, group: Group) -> tuple[int, dict[int, int]]:
    """Where the sum for a place of the group stands."""
    axes = root.facts[1]
    kept = [axis for axis in range(len(group.shape)) if axis not in axes]
    strides = strides_of(root.shape)
    return 0, {
        axis: stride for axis, stride in zip(kept, strides, strict=True) if group.shape[axis] != 1
    }


def _joined(group: Group, strides: set[tuple[int, ...]]) -> list[list[int]]:
    """Neighbouring axes that every access passes as one."""
    sums = [root.facts[1] for root in group.roots if root.kind == "reduce"]
    blocks: list[list[int]] = []
    for axis, n in enumerate(group.shape):
        if n == 1 and not any(axis in axes for axes in sums):
            continue
        if blocks:
            before = blocks[-1][-1]
            alike = all((before in axes) == (axis in axes) for axes in sums)
            if alike and all(one[before] == one[axis] * n for one in strides):
                blocks[-1].append(axis)
                continue
        blocks.append([axis])
    return blocks


def _tail(root: Value, blocks: list[list[int]]) -> int:
    """How many of the innermost loops a sum runs over without leaving its register."""
    count = 0
    for block in reversed(blocks):
        if block[0] not in root.facts[1]:
            break
        count += 1
    return count


class _Nest:
    """The loops of one group, and how they are divided."""

    def __init__(self, group: Group, writer: Writer, blocks: list[list[int]]) -> None:
        self._group = group
        self._writer = writer
        self._blocks = blocks
        self._counts = [math.prod(group.shape[axis] for axis in block) for block in blocks]
        self._sums = [root for root in group.roots if root.kind == "reduce"]
        self._cells: dict[int, str] = {}  # registers of the sums that are under way
        self._partial: dict[int, Value] = {}  # what the parts leave of sums that run over all parts
        self._outer = next((depth for depth, count in enumerate(self._counts) if count > 1), 0)
        self._parts = 1
        self._piece = 0  # rounds of the outermost loop that each part has
        writer.variables = [""] * len(group.shape)

    def divide(self) -> None:
        """In parts, if there is enough to do: each takes a piece of the outermost loop."""
        count = self._counts[self._outer] if self._counts else 1
        work = math.prod(self._group.shape) * len(self._group.members)
        parts = min(_PARTS, count, work // _WORK)
        if parts < 2:
            return
        self._piece = -(-count // parts)
        self._parts = parts = -(-count // self._piece)
        self._writer.in_parts = True
        for root in self._sums:
            if self._blocks[self._outer][0] in root.facts[1]:
                shape = (parts, *root.shape)
                self._partial[root.number] = Value(
                    "partial", shape, root.dtype, (root,), None, -1 - root.number
                )

    def kernel(self) -> Kernel:
        """The function, and the one that joins what its parts leave."""
        self._start_sums()
        self._descend(0)
        joining = self._joining() if self._partial else ""
        kernel = self._writer.finished()
        kernel.parts, kernel.joining = self._parts, joining
        return kernel

    # parts

    def _outermost(self) -> tuple[str, int | str]:
        """Where the outermost loop begins, and how often it runs."""
        count = self._counts[self._outer]
        if not self._writer.in_parts:
            return "0", count
        code = self._writer.code
        start = code.pure(f"mul nuw nsw i64 %part, {self._piece}")
        if count % self._piece == 0:
            return start, self._piece
        left = Scalar(code, code.pure(f"sub nsw i64 {count}, {start}"), WHOLE)
        return start, code.call("llvm.smin.i64", left, code.constant(self._piece, WHOLE)).name

    def _own(self, root: Value) -> tuple[Value, str, int | str]:
        """Where a part collects a sum: in which array, from which element on, and how many."""
        partial = self._partial.get(root.number)
        if partial is not None:
            return partial, self._writer.code.pure(f"mul i64 %part, {root.size}"), root.size
        if not self._writer.in_parts:
            return root, "0", root.size
        start, count = self._outermost()
        rows = root.size // self._counts[self._outer]
        code = self._writer.code
        many = count * rows if isinstance(count, int) else code.pure(f"mul i64 {count}, {rows}")
        return root, code.pure(f"mul i64 {start}, {rows}"), many

    def _joining(self) -> str:
        """What is added up of the parts, in their order."""
        joiner = Writer(self._group, self._writer.plan, self._writer.memory)
        joiner.arrays = self._writer.arrays
        for root in self._sums:
            if root.number in self._partial:
                partial = self._partial[root.number]
                with joiner.loop(root.size) as i:
                    total = joiner.load(partial, joiner.place(partial, "0", i))
                    for part in range(1, self._parts):
                        term = joiner.load(partial, joiner.place(partial, str(part * root.size), i))
                        total = combined(root.facts[0], total, term)
                    joiner.store(total, joiner.place(root, "0", i))
        return joiner.finished().body

    # sums

    def _start_sums(self) -> None:
        """Fill what sums are collected in."""
        for root in self._sums:
            begin = self._neutral(root)
            target, start, count = self._own(root)
            with self._writer.loop(count) as i:
                self._writer.store(begin, self._writer.place(target, start, i))

    def _neutral(self, root: Value) -> Scalar:
        return self._writer.code.constant(neutral(root.facts[0], root.dtype), root.dtype)

    def _registers(self, roots: list[Value]) -> dict[int, str]:
        """A register for each of these sums, at its beginning."""
        cells = {}
        for root in roots:
            cells[root.number] = self._writer.cell(root.dtype)
            self._writer.put(self._neutral(root), cells[root.number])
        return cells

    def _collect(self, root: Value, x: Scalar) -> None:
        """A term, or a sum of terms, joined to where the reduction is collected."""
        writer = self._writer
        partial = self._partial.get(root.number)
        place = _kept_place(root, self._group)
        if partial is None:
            where = writer.address(root, *place)
        else:
            where = writer.address(partial, *place, self._own(root)[1])
        writer.store(combined(root.facts[0], writer.load(root, where), x), where)

    # loops

    def _descend(self, depth: int) -> None:
        """The loops from this depth inwards, and the registers that begin and end here."""
        blocks, writer = self._blocks, self._writer
        starting = [
            root for root in self._sums
            if len(blocks) - _tail(root, blocks) == depth and depth < len(blocks)
        ]  # fmt: skip
        self._cells |= self._registers(starting)
        if depth == len(blocks):
            self._innermost(self._cells)
        else:
            start, count = self._outermost() if depth == self._outer else ("0", self._counts[depth])
            if starting and depth == len(blocks) - 1 and self._counts[depth] > 2 * _CHUNK:
                self._in_chunks(start, count)
            else:
                with writer.loop(count) as i, self._at(depth, start, i):
                    self._descend(depth + 1)
        for root in starting:
            self._collect(root, writer.get(self._cells.pop(root.number), root.dtype))

    @contextmanager
    def _at(self, depth: int, start: str, i: str) -> Iterator[None]:
        """At this place of a loop that begins at ``start``."""
        axis = self._blocks[depth][-1]
        variables, code = self._writer.variables, self._writer.code
        variables[axis] = i if start == "0" else code.pure(f"add nuw nsw i64 {start}, {i}")
        yield
        variables[axis] = ""

    def _in_chunks(self, start: str, count: int | str) -> None:
        """A long sum as a sum of shorter ones: the rounding grows with the length of each."""
        writer, code = self._writer, self._writer.code
        sums = [root for root in self._sums if root.number in self._cells]
        if isinstance(count, int):
            chunks: int | str = -(-count // _CHUNK)
        else:
            chunks = code.pure(f"udiv i64 {code.pure(f'add i64 {count}, {_CHUNK - 1}')}, {_CHUNK}")
        with writer.loop(chunks, "o") as outer:
            part = self._registers(sums)
            done = code.pure(f"mul nuw nsw i64 {outer}, {_CHUNK}")
            left = Scalar(code, code.pure(f"sub nsw i64 {count}, {done}"), WHOLE)
            length = code.call("llvm.smin.i64", left, code.constant(_CHUNK, WHOLE))
            first = done if start == "0" else code.pure(f"add nuw nsw i64 {start}, {done}")
            with writer.loop(length.name) as i, self._at(len(self._blocks) - 1, first, i):
                self._innermost({**self._cells, **part})
            for root in sums:
                whole, piece = self._cells[root.number], part[root.number]
                total = combined(
                    root.facts[0], writer.get(whole, root.dtype), writer.get(piece, root.dtype)
                )
                writer.put(total, whole)

    def _innermost(self, cells: dict[int, str]) -> None:
        writer = self._writer
        at = identity(self._group.shape)
        for root in self._group.roots:
            if root.kind == "reduce":
                x = writer.element(root.args[0], at)
                cell = cells.get(root.number)
                if cell is None:
                    self._collect(root, x)
                else:
                    writer.put(combined(root.facts[0], writer.get(cell, root.dtype), x), cell)
            else:
                x = writer.element(root, at)
                writer.store(x, writer.target(root, at))
