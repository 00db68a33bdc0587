"""Groups of values as LLVM functions: loops, loads, stores, sums in registers.

A kernel is one function for one group, which gets its arrays as pointers that do not overlap.
Kernels of the same text are one. Knows values, plans, scalars and LLVM's control flow. Does not
know NumPy's functions (``vocabulary`` does) nor where arrays lie. Imports errors, NumPy, and the
other modules of this room.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_lite.compiler.native.fusion import Group, Plan, name_of
from autograd_lite.compiler.native.scalars import Code, Scalar, memory_type
from autograd_lite.compiler.native.values import Affine, Value, identity, strides_of
from autograd_lite.compiler.native.vocabulary import combined, machine_function, neutral

__all__ = ["Kernel", "kernel_of", "layout_of"]

Map = tuple[Affine, ...]
_WHOLE = np.dtype(np.int64)
_MANY = 12  # arrays of a kernel that stays a function: inlined, each is told from each other
_CHUNK = 2048  # terms of a long sum that are added up by themselves


class Kernel:
    """One function: its text without its name, and the arrays that it gets, in order."""

    def __init__(self, body: str, arrays: list[Value], declared: set[str], checks: bool) -> None:
        self.body = body
        self.arrays = arrays
        self.declared = declared
        self.checks = checks


class _Writer:
    """Writes the kernel of one group."""

    def __init__(self, group: Group, plan: Plan, storage: Callable[[Value], Value]) -> None:
        self.group = group
        self.plan = plan
        self.storage = storage
        self.code = Code()
        self.arrays: list[Value] = []
        self.strides: set[tuple[int, ...]] = set()  # of all accesses, by axes of the group
        self.checks = False
        self.entry: list[str] = []
        self._known: dict[Any, Scalar] = {}
        self._variables: list[str] = []
        self._dry = True

    # memory

    def pointer(self, value: Value) -> str:
        """The parameter that points to where the value is kept."""
        home = self.storage(value)
        if home not in self.arrays:
            self.arrays.append(home)
        return f"%p{self.arrays.index(home)}"

    def address(self, value: Value, start: int, factors: dict[int, int], extra: str = "") -> str:
        """The address of an element: at ``start``, plus axes times factors, plus what is found."""
        axes = len(self.group.shape)
        self.strides.add(tuple(factors.get(axis, 0) for axis in range(axes)))
        total = str(start)
        for axis, factor in sorted(factors.items()):
            variable = self._variables[axis]
            if not factor or not variable:
                continue
            term = variable if factor == 1 else self.code.pure(f"mul nsw i64 {variable}, {factor}")
            total = term if total == "0" else self.code.pure(f"add nsw i64 {total}, {term}")
        if extra:
            total = extra if total == "0" else self.code.pure(f"add nsw i64 {total}, {extra}")
        kind = memory_type(value.dtype)
        return self.code.pure(f"getelementptr {kind}, ptr {self.pointer(value)}, i64 {total}")

    def load(self, value: Value, where: str) -> Scalar:
        """The element at an address."""
        text = f"load {memory_type(value.dtype)}, ptr {where}, align {value.dtype.itemsize}"
        name = self.code.effect(text)
        if value.dtype.kind == "b":
            name = self.code.pure(f"icmp ne i8 {name}, 0")
        return Scalar(self.code, name, value.dtype)

    def store(self, x: Scalar, where: str) -> None:
        """Put an element at an address."""
        name = x.name
        if x.dtype.kind == "b":
            name = self.code.pure(f"zext i1 {name} to i8")
        kind = memory_type(x.dtype)
        self.code.line(f"  store {kind} {name}, ptr {where}, align {x.dtype.itemsize}")

    # elements

    def element(self, value: Value, at: Map) -> Scalar:
        """One element of a value, at a place given by the group's axes."""
        pending = [(value, at)]
        while pending:
            one, where = pending[-1]
            key = (one.number, where)
            missing = [] if key in self._known else [
                need for need in self._needs(one, where)
                if (need[0].number, need[1]) not in self._known
            ]  # fmt: skip
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            if key not in self._known:
                self._known[key] = self._element(one, where)
        return self._known[value.number, at]

    def _needs(self, value: Value, at: Map) -> list[tuple[Value, Map]]:
        """The elements of which one is computed."""
        if value.kind == "view":
            return [(value.args[0], _through(value.facts, at))]
        if value.kind in ("map", "gather") and self.plan.inline(value, self.group):
            return [(arg, at) for arg in value.args[value.kind == "gather" :]]
        return []

    def _element(self, value: Value, at: Map) -> Scalar:
        if value.kind == "number":
            return self.code.constant(np.frombuffer(value.facts, value.dtype)[0], value.dtype)
        if value.kind == "view":
            return self.element(value.args[0], _through(value.facts, at))
        if value.kind == "reshape":
            source = value.args[0]
            start, factors = _flat(strides_of(value.shape), at)
            return self.load(source, self.address(source, start, factors))
        if value.kind in ("map", "gather") and self.plan.inline(value, self.group):
            return self._gathered(value, at) if value.kind == "gather" else self._mapped(value, at)
        start, factors = _flat(strides_of(value.shape), at)
        return self.load(value, self.address(value, start, factors))

    def _mapped(self, value: Value, at: Map) -> Scalar:
        args = [self.element(arg, at) for arg in value.args]
        name = name_of(value)
        if name == "cast":
            return _cast(args[0], value.dtype)
        function = machine_function(name)
        assert function is not None, name
        return function(*args)

    def _gathered(self, value: Value, at: Map) -> Scalar:
        where = self.found(value.args[0], value.facts, value.args[1:], at)
        return self.load(value.args[0], where)

    def found(self, whole: Value, places: Any, arrays: Sequence[Value], at: Map) -> str:
        """The address of what places tell, arrays of positions among them."""
        base, strides, start, factors = layout_of(whole)
        extra = ""
        for axis, place in enumerate(places):
            if place[0] == "at":
                begin, terms = _through(((place[1], place[2]),), at)[0]
                more, found = _join(strides[axis], begin, terms)
                start += more
                for one, factor in found.items():
                    factors[one] = factors.get(one, 0) + factor
                continue
            position = self._checked(self.element(arrays[place[1]], at), whole.shape[axis])
            term = self.code.pure(f"mul nsw i64 {position.name}, {strides[axis]}")
            extra = term if not extra else self.code.pure(f"add nsw i64 {extra}, {term}")
        return self.address(base, start, factors, extra)

    def _checked(self, position: Scalar, n: int) -> Scalar:
        """A position counted from the start; one outside is told, and taken as 0."""
        self.checks = True
        counted = (position < 0).choose(position + n, position)
        inside = (counted >= 0) & (counted < n)
        bad = self.code.pure(f"zext i1 {(~inside).name} to i32")
        old = self.code.effect("load i32, ptr %flag")
        new = self.code.effect(f"or i32 {old}, {bad}")
        self.code.line(f"  store i32 {new}, ptr %flag")
        return inside.choose(counted, self.code.constant(0, _WHOLE))

    # loops

    @contextmanager
    def loop(self, count: int | str, stem: str = "i") -> Iterator[str]:
        """``for i in range(count)``; gives the name of i."""
        code = self.code
        head, body, end = code.label("head"), code.label("body"), code.label("end")
        i, cell = code.fresh(stem), code.fresh("c")
        self.entry.append(f"  {cell} = alloca i64")
        code.line(f"  store i64 0, ptr {cell}")
        code.line(f"  br label %{head}\n{head}:")
        code.line(f"  {i} = load i64, ptr {cell}")
        more = code.fresh("m")
        code.line(f"  {more} = icmp slt i64 {i}, {count}")
        code.line(f"  br i1 {more}, label %{body}, label %{end}\n{body}:")
        known, self._known = self._known, dict(self._known)
        with code.block():
            yield i
            following = code.fresh("n")
            code.line(f"  {following} = add nuw nsw i64 {i}, 1")
            code.line(f"  store i64 {following}, ptr {cell}")
            code.line(f"  br label %{head}\n{end}:")
        self._known = known

    @contextmanager
    def nest(self, counts: Sequence[int]) -> Iterator[list[str]]:
        """Loops inside each other."""
        if not counts:
            yield []
            return
        with self.loop(counts[0]) as i, self.nest(counts[1:]) as rest:
            yield [i, *rest]

    def cell(self, dtype: np.dtype[Any]) -> str:
        """A register: a place on the stack that LLVM turns into one."""
        name = self.code.fresh("r")
        self.entry.append(f"  {name} = alloca {memory_type(dtype)}")
        return name

    def put(self, x: Scalar, cell: str) -> None:
        """Set a register."""
        self.store(x, cell)

    def get(self, cell: str, dtype: np.dtype[Any]) -> Scalar:
        """Read a register."""
        text = f"load {memory_type(dtype)}, ptr {cell}"
        name = self.code.effect(text)
        if dtype.kind == "b":
            name = self.code.pure(f"icmp ne i8 {name}, 0")
        return Scalar(self.code, name, dtype)

    def finished(self) -> Kernel:
        """The text of the function."""
        apart = " noinline" if len(self.arrays) > _MANY else ""
        params = [f"ptr noalias %p{i}" for i in range(len(self.arrays))]
        if self.checks:
            params.append("ptr noalias %flag")
        lines = [
            f"({', '.join(params)}) nounwind{apart} {{",
            "entry:",
            *self.entry,
            *self.code.lines,
        ]
        return Kernel(
            "\n".join([*lines, "  ret void", "}"]), self.arrays, self.code.declared, self.checks
        )


def _cast(x: Scalar, dtype: np.dtype[Any]) -> Scalar:
    if not (x.dtype.kind == "f" and dtype.kind == "i"):
        return x.cast(dtype)
    bound = 2.0 ** (8 * dtype.itemsize - 1)
    inside = (x >= -bound) & (x < bound)
    safe = inside.choose(x, x.code.constant(0.0, x.dtype))
    kinds = ("float" if x.dtype.itemsize == 4 else "double"), memory_type(dtype)
    name = x.code.pure(f"fptosi {kinds[0]} {safe.name} to {kinds[1]}")
    whole = Scalar(x.code, name, dtype)
    return inside.choose(whole, x.code.constant(np.iinfo(dtype).min, dtype))


def _through(places: Map, at: Map) -> Map:
    """The places of a view, each by the axes of the group."""
    result = []
    for start, terms in places:
        factors: dict[int, int] = {}
        for axis, factor in terms:
            more, found = _join(factor, *at[axis])
            start += more
            for one, by in found.items():
                factors[one] = factors.get(one, 0) + by
        result.append((start, tuple(sorted(factors.items()))))
    return tuple(result)


def _join(factor: int, start: int, terms: Any) -> tuple[int, dict[int, int]]:
    return factor * start, {axis: factor * by for axis, by in terms}


def _flat(strides: Sequence[int], at: Map) -> tuple[int, dict[int, int]]:
    """A place in memory, of one that is given axis by axis."""
    ((start, terms),) = _through(((0, tuple(enumerate(strides))),), at)
    return start, dict(terms)


def layout_of(whole: Value) -> tuple[Value, tuple[int, ...], int, dict[int, int]]:
    """Where a value in memory, or a view of one, lies: base, strides, start."""
    if whole.kind == "view":
        base, strides, start, _ = layout_of(whole.args[0])
        own = [0] * len(whole.shape)
        for axis, (begin, terms) in enumerate(whole.facts):
            start += strides[axis] * begin
            for one, factor in terms:
                own[one] += strides[axis] * factor
        return base, tuple(own), start, {}
    base = whole
    while base.kind == "reshape":
        base = base.args[0]
    return base, strides_of(whole.shape), 0, {}


# kernels


def kernel_of(group: Group, plan: Plan, storage: Callable[[Value], Value], parts: Any) -> Kernel:
    """The kernel of a group."""
    root = group.roots[0]
    writer = _Writer(group, plan, storage)
    writer._variables = [f"%x{i}" for i in range(len(group.shape))]
    if root.kind == "matmul":
        parts.matmul(writer, root)
    elif root.kind == "write":
        _write(writer, root, parts.shares_memory(root))
    elif root.kind == "arg":
        _argument(writer, root)
    elif root.kind == "scan":
        _scan(writer, root)
    else:
        return _loops(group, plan, storage)
    return writer.finished()


def _loops(group: Group, plan: Plan, storage: Callable[[Value], Value]) -> Kernel:
    """Maps and reductions over one shape, with axes joined where memory allows."""
    trial = _Writer(group, plan, storage)
    trial._variables = [f"%x{i}" for i in range(len(group.shape))]
    _body(trial, group)
    blocks = _joined(group, trial.strides)
    writer = _Writer(group, plan, storage)
    writer._variables = [""] * len(group.shape)
    _start_sums(writer, group)
    _descend(writer, group, blocks, 0, {})
    return writer.finished()


def _body(writer: _Writer, group: Group) -> None:
    """All that is done at one place, as if every axis had a loop."""
    at = identity(group.shape)
    for root in group.roots:
        if root.kind == "reduce":
            writer.element(root.args[0], at)
            writer.address(root, *_kept_place(root, group))
        else:
            start, factors = _flat(strides_of(root.shape), at)
            writer.element(root, at)
            writer.address(root, start, factors)


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


def _in_memory(root: Value, blocks: list[list[int]]) -> bool:
    """Whether a sum comes back to its element after having left it."""
    tail = len(blocks) - _tail(root, blocks)
    return any(block[0] in root.facts[1] for block in blocks[:tail])


def _sums(group: Group) -> list[Value]:
    return [root for root in group.roots if root.kind == "reduce"]


def _start_sums(writer: _Writer, group: Group) -> None:
    """Fill what sums are collected in, unless they stay in registers from first to last."""
    for root in _sums(group):
        begin = writer.code.constant(neutral(root.facts[0], root.dtype), root.dtype)
        with writer.loop(root.size) as i:
            kind = memory_type(root.dtype)
            where = writer.code.pure(f"getelementptr {kind}, ptr {writer.pointer(root)}, i64 {i}")
            writer.store(begin, where)


def _descend(
    writer: _Writer, group: Group, blocks: list[list[int]], depth: int, cells: dict[int, str]
) -> None:
    """The loops from this depth inwards, and the registers that begin and end here."""
    starting = [
        root for root in _sums(group)
        if len(blocks) - _tail(root, blocks) == depth and depth < len(blocks)
    ]  # fmt: skip
    for root in starting:
        cells[root.number] = writer.cell(root.dtype)
        begin = writer.code.constant(neutral(root.facts[0], root.dtype), root.dtype)
        writer.put(begin, cells[root.number])
    if depth == len(blocks):
        _innermost(writer, group, cells)
    else:
        block = blocks[depth]
        count = math.prod(group.shape[axis] for axis in block)
        if starting and depth == len(blocks) - 1 and count > 2 * _CHUNK:
            _in_chunks(writer, group, block, count, cells)
        else:
            with writer.loop(count) as i:
                writer._variables[block[-1]] = i
                _descend(writer, group, blocks, depth + 1, cells)
                writer._variables[block[-1]] = ""
    for root in starting:
        _collect(writer, group, root, writer.get(cells.pop(root.number), root.dtype))


def _in_chunks(
    writer: _Writer, group: Group, block: list[int], count: int, cells: dict[int, str]
) -> None:
    """A long sum as a sum of shorter ones: the rounding grows with the length of each."""
    sums = [root for root in _sums(group) if root.number in cells]
    code = writer.code
    with writer.loop(-(-count // _CHUNK), "o") as outer:
        part = {root.number: writer.cell(root.dtype) for root in sums}
        for root in sums:
            begin = code.constant(neutral(root.facts[0], root.dtype), root.dtype)
            writer.put(begin, part[root.number])
        start = code.pure(f"mul nuw nsw i64 {outer}, {_CHUNK}")
        left = code.pure(f"sub nsw i64 {count}, {start}")
        length = code.call(
            "llvm.smin.i64", Scalar(code, left, _WHOLE), code.constant(_CHUNK, _WHOLE)
        )
        with writer.loop(length.name) as i:
            writer._variables[block[-1]] = code.pure(f"add nuw nsw i64 {start}, {i}")
            _innermost(writer, group, {**cells, **part})
            writer._variables[block[-1]] = ""
        for root in sums:
            total = combined(
                root.facts[0], writer.get(cells[root.number], root.dtype),
                writer.get(part[root.number], root.dtype),
            )  # fmt: skip
            writer.put(total, cells[root.number])


def _innermost(writer: _Writer, group: Group, cells: dict[int, str]) -> None:
    at = identity(group.shape)
    for root in group.roots:
        if root.kind == "reduce":
            x = writer.element(root.args[0], at)
            cell = cells.get(root.number)
            if cell is None:
                _collect(writer, group, root, x)
            else:
                writer.put(combined(root.facts[0], writer.get(cell, root.dtype), x), cell)
        else:
            x = writer.element(root, at)
            start, factors = _flat(strides_of(root.shape), at)
            writer.store(x, writer.address(root, start, factors))


def _collect(writer: _Writer, group: Group, root: Value, x: Scalar) -> None:
    """A term, or a sum of terms, joined to where the reduction is collected."""
    where = writer.address(root, *_kept_place(root, group))
    writer.store(combined(root.facts[0], writer.load(root, where), x), where)


def _write(writer: _Writer, root: Value, shared: bool) -> None:
    """A copy of the whole, and elements put or added in some of its places."""
    whole, new, *arrays = root.args
    how, places = root.facts
    shape = writer.group.shape
    if not shared:
        writer._variables = [""] * len(root.shape)
        with writer.nest(root.shape) as variables:
            writer._variables = variables
            start, factors = _flat(strides_of(root.shape), identity(root.shape))
            x = writer.element(whole, identity(root.shape))
            writer.store(x, writer.address(root, start, factors))
    with writer.nest(shape) as variables:
        writer._variables = variables
        at = identity(shape)
        x = writer.element(new, at)
        where = writer.found(root, places, arrays, at)
        if how == "add":
            x = (
                writer.load(root, where) + x
                if x.dtype.kind != "b"
                else writer.load(root, where) | x
            )
        writer.store(x, where)


def _argument(writer: _Writer, root: Value) -> None:
    """The position of the first extremum along the last axis; a NaN is one."""
    *rows, n = writer.group.shape
    source = root.args[0]
    code = writer.code
    best, place = writer.cell(source.dtype), writer.cell(_WHOLE)
    with writer.nest(rows) as variables:
        first = (*identity(rows), (0, ()))
        writer._variables = [*variables, ""]
        writer.put(writer.element(source, first), best)
        writer.put(code.constant(0, _WHOLE), place)
        with writer.loop(n) as i:
            writer._variables = [*variables, i]
            x = writer.element(source, identity(writer.group.shape))
            top = writer.get(best, source.dtype)
            better = x > top if root.facts == "maximum" else x < top
            if source.dtype.kind == "f":
                better = (better | (x != x)) & (top == top)
            writer.put(better.choose(x, top), best)
            here = Scalar(code, i, _WHOLE)
            writer.put(better.choose(here, writer.get(place, _WHOLE)), place)
        writer._variables = [*variables, ""]
        start, factors = _flat(strides_of(root.shape), identity(root.shape))
        writer.store(writer.get(place, _WHOLE), writer.address(root, start, factors))


def _scan(writer: _Writer, root: Value) -> None:
    """Sums (or products) of all up to each element, along one axis, in order."""
    name, axis = root.facts
    shape = writer.group.shape
    stride = strides_of(shape)[axis]
    with writer.nest(shape) as variables:
        writer._variables = variables
        at = identity(shape)
        x = writer.element(root.args[0], at)
        start, factors = _flat(strides_of(shape), at)
        if shape[axis] > 1:
            here = Scalar(writer.code, variables[axis], _WHOLE)
            first = here == 0
            back = first.choose(
                writer.code.constant(0, _WHOLE), writer.code.constant(-stride, _WHOLE)
            )
            before = writer.load(root, writer.address(root, start, factors, back.name))
            joined = before + x if name == "add" else before * x
            x = first.choose(x, joined)
        writer.store(x, writer.address(root, start, factors))
