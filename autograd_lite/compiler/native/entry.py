"""The entry of a native program: what a call checks before the kernels run, as LLVM's text.

Knows the binary layout of NumPy's arrays (``machine.layout_is_known`` holds it against reality) and
kernels by their text. Does not know how kernels are made. Imports fusion, threads, values, writer.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from autograd_lite.compiler.native.fusion import Group
from autograd_lite.compiler.native.threads import DECLARED, sharing
from autograd_lite.compiler.native.values import Value
from autograd_lite.compiler.native.writer import Kernel

__all__ = ["EntryText", "Layout", "looks_for_overlaps"]

_PAIRS = 512  # of arrays that are held against each other
_LONG = 1 << 16  # elements of all loops from which other threads of Python may run meanwhile


class Layout(NamedTuple):
    """What an entry needs to know of a program."""

    kernels: list[tuple[Group, Kernel]]
    arguments: list[Value]  # what a call gives, in order: inputs, then what is written to
    inputs: int  # how many of them are inputs
    place: dict[int, int]  # of each argument by its value's number
    offsets: dict[int, int]  # of each temporary in the arena
    arena: int  # its bytes
    on_stack: bool  # else the arena is the last argument
    constants: dict[int, Any]  # arrays that are known
    table: list[Any]  # filled here: objects and arrays whose addresses the entry reads


class EntryText:
    """The module of LLVM's text of a program."""

    def __init__(self, layout: Layout) -> None:
        self._p = layout
        self.symbols: set[str] = {"Py_IncRef"}
        self._declared: set[str] = {"declare void @Py_IncRef(ptr)"}

    def module(self, stages: Sequence[int]) -> str:
        """All of it: kernels, each text once, and an entry for each stage."""
        names: dict[str, str] = {}
        shared: dict[str, str] = {}
        for _, kernel in self._p.kernels:
            name = names.setdefault(kernel.body, f"k{len(names)}")
            if kernel.joining:
                names.setdefault(kernel.joining, f"k{len(names)}")
            if kernel.parts > 1:
                shared[name] = _called_by_part(name, len(kernel.arrays))
            self._declared |= kernel.declared
        bodies = [f"define internal void @{name}{body}" for body, name in names.items()]
        bodies += shared.values()
        if shared:
            bodies.append(sharing())
            self._declared |= DECLARED
        entries = [self._entry(stage, names) for stage in stages]
        for line in self._declared:
            name = line.partition("@")[2].partition("(")[0]
            if not name.startswith("llvm."):
                self.symbols.add(name)
        return "\n\n".join([*sorted(self._declared), *bodies, *entries])

    def _entry(self, stage: int, names: dict[str, str]) -> str:
        p = self._p
        here = [(group, kernel) for group, kernel in p.kernels if group.stage == stage]
        lines = [f"define ptr @run{stage}(ptr %self, ptr %args, i64 %n) nounwind {{", "entry:",
                 "  %flag = alloca i32", "  store i32 0, ptr %flag"]  # fmt: skip
        if p.on_stack and p.arena:
            lines.append(f"  %arena = alloca [{p.arena} x i8], align 64")
        lines += ["  %tp = getelementptr i8, ptr %self, i64 16", "  %table = load ptr, ptr %tp",
                  f"  %right = icmp eq i64 %n, {self._count()}",
                  "  br i1 %right, label %a0, label %bad"]  # fmt: skip
        for i, value in enumerate(p.arguments):
            lines += self._argument(i, value)
        lines += [f"a{len(p.arguments)}:", *self._arena(), *self._apart()]
        work = sum(math.prod(group.shape) for group, _ in here)
        lines += self._calls(here, names, released=work > _LONG)
        lines += _ENDINGS.splitlines()
        return "\n".join(lines)

    def _count(self) -> int:
        return len(self._p.arguments) + (not self._p.on_stack)

    def _argument(self, i: int, value: Value) -> list[str]:
        """Checks of one array, and where its data is."""
        flags = 0x101 | (0x400 if i >= self._p.inputs else 0)
        lines = [f"a{i}:", f"  %s{i} = getelementptr ptr, ptr %args, i64 {i}"]
        lines.append(f"  %o{i} = load ptr, ptr %s{i}")
        kind = self._from_table(f"y{i}", 3, lines)
        dtype = self._from_table(f"q{i}", _FIXED + self._in_table(value.dtype), lines)
        checks = [
            _field(f"t{i}", f"%o{i}", _TYPE, "ptr", kind),
            _field(f"e{i}", f"%o{i}", _DTYPE, "ptr", dtype),
            _field(f"m{i}", f"%o{i}", _NDIM, "i32", str(len(value.shape))),
        ]
        for step, check in enumerate(checks):
            lines += [*check, f"  br i1 %{_tested(check)}, label %a{i}.{step}, label %bad"]
            lines.append(f"a{i}.{step}:")
        lines += [
            *_loaded(f"fl{i}", f"%o{i}", _FLAGS, "i32"),
            f"  %fa{i} = and i32 %fl{i}, {flags}",
            f"  %fo{i} = icmp eq i32 %fa{i}, {flags}",
            *_loaded(f"ns{i}", f"%o{i}", _SIZES, "ptr"),
        ]
        good = f"%fo{i}"
        for axis, n in enumerate(value.shape):
            name = f"n{i}.{axis}"
            lines += _field(name, f"%ns{i}", 8 * axis, "i64", str(n))
            lines.append(f"  %g{i}.{axis} = and i1 {good}, %{name}.ok")
            good = f"%g{i}.{axis}"
        lines += _loaded(f"d{i}", f"%o{i}", _DATA, "ptr")
        return [*lines, f"  br i1 {good}, label %a{i + 1}, label %bad"]

    def _from_table(self, name: str, place: int, lines: list[str]) -> str:
        lines += [f"  %{name}.p = getelementptr ptr, ptr %table, i64 {place}",
                  f"  %{name} = load ptr, ptr %{name}.p"]  # fmt: skip
        return f"%{name}"

    def _in_table(self, thing: Any) -> int:
        for i, one in enumerate(self._p.table):
            if one is thing:
                return i
        self._p.table.append(thing)
        return len(self._p.table) - 1

    def _arena(self) -> list[str]:
        if self._p.on_stack:
            return []
        last = len(self._p.arguments)
        return [*_loaded("oa", "%args", 8 * last, "ptr"), *_loaded("arena", "%oa", _DATA, "ptr")]

    def _apart(self) -> list[str]:
        """Arrays that are written may not overlap others."""
        p = self._p
        inputs = p.inputs
        if not looks_for_overlaps(len(p.arguments), inputs):
            return ["  br label %go", "go:"]
        sizes = [value.size * value.dtype.itemsize for value in p.arguments]
        lines = []
        for i, size in enumerate(sizes):
            lines += [f"  %b{i} = ptrtoint ptr %d{i} to i64", f"  %z{i} = add i64 %b{i}, {size}"]
        good = "true"
        for i in range(inputs, len(sizes)):
            for j in range(i):
                one = f"v{i}.{j}"
                lines += [f"  %{one}a = icmp ule i64 %z{i}, %b{j}",
                          f"  %{one}b = icmp ule i64 %z{j}, %b{i}",
                          f"  %{one}c = or i1 %{one}a, %{one}b",
                          f"  %{one} = and i1 {good}, %{one}c"]  # fmt: skip
                good = f"%{one}"
        return [*lines, f"  br i1 {good}, label %go, label %bad", "go:"]

    def _calls(
        self, here: list[tuple[Group, Kernel]], names: dict[str, str], released: bool
    ) -> list[str]:
        lines: list[str] = []
        if released:
            self._declared |= {"declare ptr @PyEval_SaveThread()",
                               "declare void @PyEval_RestoreThread(ptr)"}  # fmt: skip
            lines.append("  %thread = call ptr @PyEval_SaveThread()")
        pointers: dict[int, str] = {}
        for i, (_, kernel) in enumerate(here):
            args = [f"ptr {self._pointer(value, pointers, lines)}" for value in kernel.arrays]
            if kernel.checks:
                args.append("ptr %flag")
            if kernel.parts > 1:
                lines += self._shared(i, kernel, names, args)
            else:
                lines.append(f"  call void @{names[kernel.body]}({', '.join(args)})")
        if released:
            lines.append("  call void @PyEval_RestoreThread(ptr %thread)")
        return lines

    def _shared(self, i: int, kernel: Kernel, names: dict[str, str], args: list[str]) -> list[str]:
        """A kernel whose parts threads share, and what joins them."""
        lines = [f"  %sh{i} = alloca [{len(args)} x ptr]"]
        for k, arg in enumerate(args):
            lines += [f"  %sh{i}.{k} = getelementptr ptr, ptr %sh{i}, i64 {k}",
                      f"  store {arg}, ptr %sh{i}.{k}"]  # fmt: skip
        pool = self._from_table(f"sh{i}.p", _POOL, lines)
        lines += [f"  %sh{i}.h = getelementptr i64, ptr %table, i64 {_HELPERS}",
                  f"  %sh{i}.n = load i64, ptr %sh{i}.h"]  # fmt: skip
        part = f"ptr @{names[kernel.body]}.part, ptr %sh{i}, i64 {kernel.parts}"
        lines.append(f"  call void @shared(ptr {pool}, i64 %sh{i}.n, {part})")
        if kernel.joining:
            lines.append(f"  call void @{names[kernel.joining]}({', '.join(args)})")
        return lines

    def _pointer(self, value: Value, pointers: dict[int, str], lines: list[str]) -> str:
        p = self._p
        found = pointers.get(value.number)
        if found is None:
            if value.number in p.place:
                found = f"%d{p.place[value.number]}"
            elif value.kind == "leaf":
                place = _FIXED + self._in_table(p.constants[value.number])
                found = self._from_table(f"c{value.number}", place, lines)
            else:
                found = f"%w{value.number}"
                offset = p.offsets[value.number]
                lines.append(f"  {found} = getelementptr i8, ptr %arena, i64 {offset}")
            pointers[value.number] = found
        return found


_POOL, _HELPERS, _FIXED = 4, 5, 6  # words of the table, after None, False, True and ndarray
_TYPE, _DATA, _NDIM, _SIZES, _DTYPE, _FLAGS = 8, 16, 24, 32, 56, 64  # bytes into an ndarray


def _called_by_part(name: str, count: int) -> str:
    """A kernel as all threads call it: with its arrays in memory, and the part."""
    lines = [f"define internal void @{name}.part(ptr %args, i64 %part) nounwind {{"]
    for k in range(count):
        lines += [f"  %s{k} = getelementptr ptr, ptr %args, i64 {k}",
                  f"  %p{k} = load ptr, ptr %s{k}"]  # fmt: skip
    args = [*(f"ptr %p{k}" for k in range(count)), "i64 %part"]
    return "\n".join([*lines, f"  call void @{name}({', '.join(args)})", "  ret void", "}"])


def _loaded(name: str, base: str, offset: int, kind: str) -> list[str]:
    """A word of an object."""
    return [
        f"  %{name}.p = getelementptr i8, ptr {base}, i64 {offset}",
        f"  %{name} = load {kind}, ptr %{name}.p",
    ]


def looks_for_overlaps(arguments: int, inputs: int) -> bool:
    """Whether the entry holds each array that is written against all others: not where many are."""
    return (arguments - inputs) * arguments <= _PAIRS


def _field(name: str, base: str, offset: int, kind: str, wanted: str) -> list[str]:
    """Whether a word of an object is as wanted: ``%name.ok``."""
    return [
        *_loaded(name, base, offset, kind),
        f"  %{name}.ok = icmp eq {kind} %{name}, {wanted}",
    ]


def _tested(check: list[str]) -> str:
    return check[-1].split(" = ", maxsplit=1)[0].strip().removeprefix("%")


_ENDINGS = """  %seen = load i32, ptr %flag
  %fine = icmp eq i32 %seen, 0
  br i1 %fine, label %good, label %outside
good:
  br label %end
bad:
  br label %end
outside:
  br label %end
end:
  %which = phi i64 [0, %good], [1, %bad], [2, %outside]
  %rp = getelementptr ptr, ptr %table, i64 %which
  %result = load ptr, ptr %rp
  call void @Py_IncRef(ptr %result)
  ret ptr %result
}"""
