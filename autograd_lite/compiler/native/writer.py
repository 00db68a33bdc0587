"""The writer of a kernel: elements of values as loads and instructions, loops, registers, stores.

A kernel is one LLVM function, which gets its arrays as pointers that do not overlap. Knows values,
plans, scalars and LLVM's control flow. Does not know in which order what is computed (``loops``,
``emission``) nor NumPy's functions (``vocabulary``). Imports NumPy, and the
planning modules of this room.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_lite.compiler.native.fusion import Group, Plan, name_of
from autograd_lite.compiler.native.memory import Memory
from autograd_lite.compiler.native.scalars import Code, Scalar, memory_type
from autograd_lite.compiler.native.values import Affine, Value, strides_of
from autograd_lite.compiler.native.vocabulary import machine_function

__all__ = ["WHOLE", "Kernel", "Writer", "flat", "layout_of"]

Map = tuple[Affine, ...]
WHOLE = np.dtype(np.int64)
_MANY = 12  # arrays of a kernel that stays a function: inlined, each is told from each other


class Kernel:
    """One function: its text without its name, and the arrays that it gets, in order.

    A kernel in several parts is told which, and ``joining`` is the text of the function that puts
    together what they leave.
    """

    def __init__(self, body: str, arrays: list[Value], declared: set[str], checks: bool) -> None:
        self.body = body
        self.arrays = arrays
        self.declared = declared
        self.checks = checks
        self.parts = 1
        self.joining = ""


class Writer:
    """Writes the kernel of one group."""

    def __init__(self, group: Group, plan: Plan, memory: Memory) -> None:
        self.group = group
        self.plan = plan
        self.memory = memory
        self.code = Code()
        self.arrays: list[Value] = []
        self.strides: set[tuple[int, ...]] = set()  # of all accesses, by axes of the group
        self.checks = False
        self.in_parts = False
        self.entry: list[str] = []
        self._known: dict[Any, Scalar] = {}
        self.variables: list[str] = []
        self._dry = True

    # memory

    def pointer(self, value: Value) -> str:
        """The parameter that points to where the value is kept."""
        home = self.memory.home(value)
        if home not in self.arrays:
            self.arrays.append(home)
        return f"%p{self.arrays.index(home)}"

    def address(self, value: Value, start: int, factors: dict[int, int], extra: str = "") -> str:
        """The address of an element: at ``start``, plus axes times factors, plus what is found."""
        axes = len(self.group.shape)
        self.strides.add(tuple(factors.get(axis, 0) for axis in range(axes)))
        total = str(start)
        for axis, factor in sorted(factors.items()):
            variable = self.variables[axis]
            if not factor or not variable:
                continue
            term = variable if factor == 1 else self.code.pure(f"mul nsw i64 {variable}, {factor}")
            total = term if total == "0" else self.code.pure(f"add nsw i64 {total}, {term}")
        if extra:
            total = extra if total == "0" else self.code.pure(f"add nsw i64 {total}, {extra}")
        kind = memory_type(value.dtype)
        return self.code.pure(f"getelementptr {kind}, ptr {self.pointer(value)}, i64 {total}")

    def target(self, root: Value, at: Map) -> str:
        """The address to which an element of a value that this kernel makes is written."""
        begin, strides = self.memory.layout(root)
        start, factors = flat(strides, at)
        return self.address(root, begin + start, factors)

    def place(self, value: Value, start: str, i: str) -> str:
        """The address of the element that lies i after ``start`` in memory."""
        if start != "0":
            i = self.code.pure(f"add i64 {start}, {i}")
        kind = memory_type(value.dtype)
        return self.code.pure(f"getelementptr {kind}, ptr {self.pointer(value)}, i64 {i}")

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
            start, factors = flat(strides_of(value.shape), at)
            return self.load(source, self.address(source, start, factors))
        if value.kind in ("map", "gather") and self.plan.inline(value, self.group):
            return self._gathered(value, at) if value.kind == "gather" else self._mapped(value, at)
        start, factors = flat(strides_of(value.shape), at)
        return self.load(value, self.address(value, start, factors))

    def _mapped(self, value: Value, at: Map) -> Scalar:
        args = [self.element(arg, at) for arg in value.args]
        name = name_of(value)
        if name == "cast":
            return _cast(args[0], value.dtype)
        if name == "checked":
            self._tell(args[1])
            return args[0]
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
        counted = (position < 0).choose(position + n, position)
        inside = (counted >= 0) & (counted < n)
        self._tell(~inside)
        return inside.choose(counted, self.code.constant(0, WHOLE))

    def _tell(self, bad: Scalar) -> None:
        """Raise the flag where that holds."""
        self.checks = True
        found = self.code.pure(f"zext i1 {bad.name} to i32")
        old = self.code.effect("load i32, ptr %flag")
        new = self.code.effect(f"or i32 {old}, {found}")
        self.code.line(f"  store i32 {new}, ptr %flag")

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
        if self.in_parts:
            params.append("i64 %part")
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


def flat(strides: Sequence[int], at: Map) -> tuple[int, dict[int, int]]:
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
