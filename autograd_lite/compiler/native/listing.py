"""A native program as text that people read: its loops, in Python's signs.

Knows values and plans. Does not know machine code: ``NativeProgram.llvm`` is that. Imports notation
and the planning modules of this room.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.native.fusion import Group, Plan, name_of
from autograd_lite.compiler.native.memory import Memory
from autograd_lite.compiler.native.values import Affine, Value, identity
from autograd_lite.compiler.native.vocabulary import neutral
from autograd_lite.notation import literal, subscript

__all__ = ["listing"]

_SIGNS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.less: "<",
    np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=", np.equal: "==",
    np.not_equal: "!=", np.logical_and: "and", np.logical_or: "or", np.floor_divide: "//",
    np.remainder: "%", np.power: "**",
}  # fmt: skip
_SIGN_OF = {ufunc.__name__: sign for ufunc, sign in _SIGNS.items()}
_JOINED = {"add": "{0} += {1}", "multiply": "{0} *= {1}"}


class _Lister:
    def __init__(self, plan: Plan, names: dict[int, str], memory: Memory) -> None:
        self._plan = plan
        self._names = names
        self._memory = memory
        self._lines: list[str] = []
        self._known: dict[Any, str] = {}
        self._group: Group | None = None
        self._count = 0

    def lines_of(self, group: Group) -> list[str]:
        """The loops of one group."""
        self._lines, self._known, self._group, self._count = [], {}, group, 0
        root = group.roots[0]
        if root.kind == "matmul":
            a, b = (self._whole(arg) for arg in root.args)
            return [f"{self._name(root)}[...] = {a} @ {b}"]
        head = [f"{self._name(root)}[...] = {literal(neutral(root.facts[0], root.dtype))}"
                for root in group.roots if root.kind == "reduce"]  # fmt: skip
        if root.kind == "write" and not self._memory.in_place(root):
            head.append(f"{self._name(root)}[...] = {self._whole(root.args[0])}")
        for root in group.roots:
            self._root(root)
        return [*head, *_looped(group.shape, self._lines)]

    def _root(self, root: Value) -> None:
        assert self._group is not None
        at = identity(self._group.shape)
        target = self._name(root)
        if root.kind == "reduce":
            name, axes = root.facts
            kept = [_place(at[i]) for i in range(len(at)) if i not in axes]
            place = f"{target}[{', '.join(kept) or '()'}]"
            x = self._element(root.args[0], at)
            self._lines.append(
                (f"{place} = " if name not in _JOINED else "")
                + _JOINED.get(name, name + "({0}, {1})").format(place, x)
            )
        elif root.kind == "write":
            how, places = root.facts
            where = ", ".join(
                _place(place[1:]) if place[0] == "at"
                else self._element(root.args[2 + place[1]], at) for place in places
            )  # fmt: skip
            x = self._element(root.args[1], at)
            self._lines.append(f"{target}[{where or '()'}] {'+' * (how == 'add')}= {x}")
        elif root.kind == "arg":
            rows = ", ".join(map(_place, at[:-1])) or "()"
            x = self._element(root.args[0], at)
            self._lines.append(f"{target}[{rows}] = {_place(at[-1])} if {x} is the first "
                               f"{root.facts} so far")  # fmt: skip
        elif root.kind == "scan":
            name, axis = root.facts
            x = self._element(root.args[0], at)
            self._lines.append(f"{target}[{_index(at)}] = {name} of {x} and the one before "
                               f"along axis {axis}")  # fmt: skip
        else:
            starts = self._memory.start_of(root)
            moved = [(begin + more, terms) for begin, (more, terms) in zip(starts, at, strict=True)]
            self._lines.append(f"{target}[{_index(moved)}] = {self._element(root, at)}")

    def _element(self, value: Value, at: tuple[Affine, ...]) -> str:
        pending = [(value, at)]
        while pending:
            one, where = pending[-1]
            missing = [need for need in self._needs(one, where)
                       if (need[0].number, need[1]) not in self._known]  # fmt: skip
            if missing and (one.number, where) not in self._known:
                pending.extend(missing)
                continue
            pending.pop()
            self._write(one, where)
        return self._known[value.number, at]

    def _needs(self, value: Value, at: tuple[Affine, ...]) -> list[Any]:
        assert self._group is not None
        if value.kind == "view":
            return [(value.args[0], tuple(_moved(place, at) for place in value.facts))]
        if value.kind in ("map", "gather") and self._plan.inline(value, self._group):
            return [(arg, at) for arg in value.args[value.kind == "gather" :]]
        return []

    def _write(self, value: Value, at: tuple[Affine, ...]) -> None:
        key = (value.number, at)
        if key not in self._known:
            text = self._text(value, at)
            if value.kind in ("map", "gather") and "(" in text and not text.endswith("]"):
                name = f"e{self._count}"
                self._count += 1
                self._lines.append(f"{name} = {text}")
                text = name
            self._known[key] = text

    def _text(self, value: Value, at: tuple[Affine, ...]) -> str:
        assert self._group is not None
        if value.kind == "number":
            return literal(np.frombuffer(value.facts, value.dtype)[0])
        if value.kind == "view":
            places = tuple(_moved(place, at) for place in value.facts)
            return self._element(value.args[0], places)
        if value.kind == "reshape":
            return f"{self._whole(value)}[{_index(at)}]"
        if value.kind == "gather" and self._plan.inline(value, self._group):
            where = ", ".join(
                _place(_moved(place[1:], at)) if place[0] == "at"
                else self._element(value.args[1 + place[1]], at) for place in value.facts
            )  # fmt: skip
            return f"{self._whole(value.args[0])}[{where}]"
        if value.kind == "map" and self._plan.inline(value, self._group):
            return self._applied(value, [self._element(arg, at) for arg in value.args])
        return f"{self._name(value)}[{_index(at)}]"

    def _applied(self, value: Value, args: list[str]) -> str:
        name = name_of(value)
        if name == "copy":
            return args[0]
        if name == "cast":
            return f"{value.dtype.name}({args[0]})"
        if name == "where":
            return f"({args[1]} if {args[0]} else {args[2]})"
        sign = _SIGN_OF.get(name)
        return f"({args[0]} {sign} {args[1]})" if sign else f"{name}({', '.join(args)})"

    def _name(self, value: Value) -> str:
        home = self._memory.home(value)
        return self._names.setdefault(home.number, f"t{home.number}")

    def _whole(self, value: Value) -> str:
        if value.kind == "reshape":
            return f"{self._whole(value.args[0])}.reshape({value.shape})"
        if value.kind == "view":
            axes = {axis for _, terms in value.facts for axis, _ in terms}
            name = self._whole(value.args[0])
            turned = [terms[0][0] for _, terms in value.facts if terms]
            if turned != sorted(turned) and len(axes) == len(value.facts):
                return f"{name}.transpose({tuple(np.argsort(turned).tolist())})"
            return f"{name}[view {value.shape}]"
        if value.kind == "number":
            return literal(np.frombuffer(value.facts, value.dtype)[0])
        return self._name(value)


def _looped(shape: Sequence[int], body: Iterable[str]) -> list[str]:
    lines = []
    depth = 0
    for axis, n in enumerate(shape):
        if n != 1:
            lines.append("    " * depth + f"for i{axis} in range({n}):")
            depth += 1
    return [*lines, *("    " * depth + line for line in body)]


def _moved(place: Any, at: tuple[Affine, ...]) -> Affine:
    start, terms = place
    factors: dict[int, int] = {}
    for axis, factor in terms:
        start += factor * at[axis][0]
        for one, by in at[axis][1]:
            factors[one] = factors.get(one, 0) + factor * by
    return start, tuple(sorted(factors.items()))


def _place(place: Any) -> str:
    start, terms = place
    parts = [
        f"i{axis}" if factor == 1 else f"{factor} * i{axis}" for axis, factor in terms if factor
    ]
    if start or not parts:
        parts.append(str(start))
    return " + ".join(parts)


def _index(at: Sequence[Any]) -> str:
    return subscript([*map(_place, at)])


def listing(
    plan: Plan, head: str, names: dict[int, str], memory: Memory,
    parts: Sequence[tuple[int, str]] = (),
) -> str:  # fmt: skip
    """The program's loops, in order; ``parts`` are lines for NumPy's own, each after its stage."""
    lister = _Lister(plan, names, memory)
    lines = [head]
    waiting = list(parts)
    for group in plan.groups:
        while waiting and waiting[0][0] < group.stage:
            lines.append("    " + waiting.pop(0)[1])
        lines += ["    " + line for line in lister.lines_of(group)]
    return "\n".join([*lines, *("    " + text for _, text in waiting)]) + "\n"
