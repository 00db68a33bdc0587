"""What there is to write about each public function: names, signature, operators, links.

Everything is read from the registry, the functions themselves and their docstrings.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite import numpy as namespace
from autograd_lite import ops, random
from autograd_lite.graph import Op
from autograd_lite.rules import NUMPY, OPS, ROOMS
from docs.array_api import described_at

__all__ = ["Entry", "entries", "inputs"]

Function = Callable[..., Any]


@dataclass(frozen=True)
class Entry:
    """A public function with all its names, an operator without public function, or both."""

    names: tuple[str, ...]
    function: Function | None
    op: Op | None

    @property
    def anchor(self) -> str:
        """What the heading is called in an address."""
        return "-".join(self.names).replace(".", "")

    @property
    def family(self) -> str:
        """The file of ``autograd_lite/ops`` that it stands in, or the room."""
        bare = self.op if self.function is None else getattr(self.function, "op", None)
        return _family(bare) if bare else self.function.__module__.rpartition(".")[2]

    @property
    def signature(self) -> str:
        """How it is called, under its first name."""
        if self.function is None:
            return ""
        found = inspect.signature(self.function)
        shown = inspect.Signature(
            [_plain(one) for one in found.parameters.values() if one.name != "self"]
        )
        name = self.names[0]
        if self.function.__module__ == random.__name__:
            return f"{'rng' if '.' in name else 'ag.random'}.{name.rpartition('.')[2]}{shown}"
        top = name if "." in name or getattr(ag, name, None) is self.function else f"numpy.{name}"
        return f"ag.{top}{shown}"

    @property
    def first_line(self) -> str:
        """What it does, in a line."""
        text = inspect.getdoc(self.function) if self.function else None
        return ((text or (self.op.doc if self.op else "")).split("\n\n")[0]).replace("\n", " ")

    @property
    def composed_of(self) -> list[str]:
        """The public functions and operators that a composed function calls, arithmetic aside."""
        if self.op is not None or not isinstance(self.function, FunctionType):
            return []
        written = _unguarded(self.function)
        return list(dict.fromkeys(_called(written, {written})))

    @property
    def links(self) -> list[tuple[str, str]]:
        """What the standard and NumPy call it, and where they describe it."""
        standard = [("Array API", described_at(name)) for name in self.names]
        numpy = [
            (_spelled(one), f"https://numpy.org/doc/stable/reference/generated/{_path(one)}.html")
            for one, ours in NUMPY.items()
            if ours is self.function
        ]
        return [(name, address) for name, address in standard if address] + sorted(set(numpy))


def entries() -> list[Entry]:
    """Every public function of the namespace and its rooms, and the operators without one."""
    grouped: dict[int, tuple[list[str], Function]] = {}
    for name, function in _named():
        grouped.setdefault(id(function), ([], function))[0].append(name)
    found = [
        Entry(tuple(names), function, _own(names, function)) for names, function in grouped.values()
    ]
    shown = {entry.op for entry in found}
    found += [
        Entry((name,), None, op) for name, op in OPS.items() if op not in shown and name[0] != "_"
    ]
    return sorted(found, key=lambda entry: entry.names[0].lower())


def inputs(op: Op) -> list[str]:
    """What to call each input: as the declaration does, or by a letter."""
    if op.kind != "pointwise":
        return list(op.array_names or ["each"])
    named = len(op.array_names) >= len(op.pulls)
    return list(op.array_names if named else "abc")[: len(op.pulls)]


def _named() -> Iterator[tuple[str, Function]]:
    """Every function that a user can call, by its name in ``autograd_lite.numpy``."""
    top = ROOMS[""]
    yield from top.items()
    for name in namespace.__all__:
        one = getattr(namespace, name)
        if isinstance(one, FunctionType) and one.__module__ == namespace.__name__:
            yield name, one
    for room, functions in ROOMS.items():
        for name, function in functions.items():
            if room and top.get(name) is not function:
                yield f"{room}.{name}", function
    yield "default_rng", random.default_rng
    for name, method in vars(random.Generator).items():
        if isinstance(method, FunctionType) and name[0] != "_":
            yield f"Generator.{name}", method


def _own(names: list[str], function: Function) -> Op | None:
    """The operator that a function records: its own, or that of its name."""
    bare = getattr(function, "op", None)
    if bare is not None:
        return bare if bare.name[0] != "_" else None
    return next((OPS[n] for n in (x.rpartition(".")[2] for x in names) if n in OPS), None)


def _family(op: Op) -> str:
    first = ["pointwise", "special", "ordering"]
    rooms = sorted(ops.__all__, key=lambda name: (name not in first, name))
    declared = getattr(op.source, "file", "").replace("\\", "/").rpartition("/")[2]
    if declared.removesuffix(".py") in rooms:
        return declared.removesuffix(".py")
    for name in rooms:
        held = vars(getattr(ops, name)).values()
        if any(getattr(one, "op", None) is op for one in held):
            return name
    return "further"


def _unguarded(function: Function) -> Any:
    """A function as its file has it, without the guard around the public one."""
    return getattr(function, "__wrapped__", function)


def _called(function: FunctionType, seen: set[Any]) -> Iterator[str]:
    """Names of what a function calls, through the private helpers of the operators' files."""
    public: dict[int, str] = {}
    for name, each in _named():
        public.setdefault(id(_unguarded(each)), name)
    for name in _names_of(function.__code__):
        one = function.__globals__.get(name)
        if one is None or not callable(one) or id(one) in {id(known) for known in seen}:
            continue
        seen.add(one)
        op = getattr(one, "op", None)
        if id(one) in public:
            yield public[id(one)]
        elif op is not None and op.name[0] != "_":
            yield op.name
        elif isinstance(one, FunctionType) and one.__module__.startswith(ops.__name__):
            yield from _called(one, seen)


def _plain(parameter: inspect.Parameter) -> inspect.Parameter:
    """A parameter without annotation, a type as a default by its name."""
    default = parameter.default
    if isinstance(default, type) and default is not parameter.empty:
        default = _Named(f"np.{default.__name__}")
    return parameter.replace(annotation=parameter.empty, default=default)


class _Named(str):
    """A default that is shown as it is."""

    __slots__ = ()
    __repr__ = str.__str__


def _names_of(code: CodeType) -> Iterator[str]:
    """The global names that a function reads, in their order."""
    yield from (one.argval for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)


def _path(one: Any) -> str:
    """Where NumPy has a function: `numpy.linalg.norm`, `numpy.exp`."""
    name = one.__name__
    module = getattr(one, "__module__", None) or "numpy"
    return f"numpy.{name}" if getattr(np, name, None) is one else f"{module}.{name}"


def _spelled(one: Any) -> str:
    return "np" + _path(one).removeprefix("numpy")
