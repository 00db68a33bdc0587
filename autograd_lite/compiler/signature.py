"""Signatures: what a call must look like for a program to serve it, as a quick test.

Knows trees of arguments: arrays are held against shape and dtype, everything else against its
value. Writes the test as Python source, since it runs at every call; names in it are counters, what
they stand for is in its namespace. Imports errors, recording's tensors and tree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from autograd_lite.errors import UnsupportedError, describe
from autograd_lite.recording import parameter_names
from autograd_lite.tensors import Tensor, plain
from autograd_lite.tree import builder_of, parts_of

__all__ = ["MISS", "Arguments", "compiled_source", "read_arguments"]

MISS = object()
"""What a test returns for a call that is not its own."""


@dataclass
class Arguments:
    """The arguments of one call: their arrays, and how to recognise another call like it."""

    arrays: list[Any] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    tracked: bool = False
    carries_tangents: bool = False
    operands: list[Any] = field(default_factory=list)
    objects: list[Any] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    forms: set[int] = field(default_factory=set)  # which lines hold the form of an array
    places: list[str] = field(default_factory=list)
    namespace: dict[str, Any] = field(default_factory=dict)

    def rebuilt(self, args: Any, kwargs: Any, handles: list[Any]) -> tuple[Any, Any]:
        """The same arguments with handles in place of the arrays."""
        rest = iter(handles)
        return _replaced(args, rest), _replaced(kwargs, rest)

    def untracked(self) -> list[Any]:
        """The arrays, native and without graph, in the kinds in which they came."""
        pairs = zip(self.arrays, self.kinds, strict=True)
        return [Tensor(value) if kind == "tensor" else value for value, kind in pairs]

    def fresh(self, value: Any, letter: str = "k") -> str:
        """A name for a value in the namespace of the test."""
        name = f"{letter}{len(self.namespace)}"
        self.namespace[name] = value
        return name


def read_arguments(f: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Arguments:
    """Arrays, structure and static values of one call."""
    found = Arguments(namespace={"ndarray": np.ndarray, "Tensor": Tensor, "MISS": MISS})
    names = parameter_names(f)
    found.lines.append(f"if len(args) != {len(args)} or len(kwargs) != {len(kwargs)}: return MISS")
    for i, arg in enumerate(args):
        found.lines.append(f"a{i} = args[{i}]")
        _read(arg, f"a{i}", names[i] if i < len(names) else None, found)
    for j, (key, arg) in enumerate(kwargs.items()):
        name = found.fresh(key)
        found.lines.append(f"if {name} not in kwargs: return MISS")
        found.lines.append(f"w{j} = kwargs[{name}]")
        _read(arg, f"w{j}", key, found)
    return found


def _is_array(value: Any) -> bool:
    """Whether a value is data: it is then an input, and everything else is static."""
    return isinstance(value, (np.ndarray, np.generic))


def _read(value: Any, place: str, name: str | None, found: Arguments) -> None:
    parts = parts_of(value)
    if parts is not None:
        _read_container(value, parts, place, found)
    elif isinstance(value, Tensor) and not _is_parameter(value):
        found.carries_tangents |= type(value) is not Tensor
        found.tracked |= value.tracked
        found.lines.append(
            f"if type({place}) is not Tensor or {place}._node is not None: return MISS"
        )
        _read_array(value._value, f"{place}._value", name or _name_of(value), "tensor", found)
        found.operands.append(value)
    elif _is_array(value):
        _read_array(plain(value), place, name, "array", found)
        found.operands.append(found.arrays[-1])
    else:
        _read_static(value, place, found)


def _name_of(value: Tensor) -> str | None:
    held = getattr(value, "_constant", None)
    return held.name if held is not None else None


def _is_parameter(value: Any) -> bool:
    return type(value) is Tensor and value.tracked and value.node.op.name == "parameter"


def _read_container(value: Any, parts: dict[Any, Any], place: str, found: Arguments) -> None:
    kind = found.fresh(type(value))
    sized = isinstance(value, (dict, list, tuple))
    more = f" or len({place}) != {len(value)}" if sized else ""
    found.lines.append(f"if type({place}) is not {kind}{more}: return MISS")
    for key, item in parts.items():
        index = str(key) if isinstance(value, (list, tuple)) else found.fresh(key)
        if isinstance(value, dict):
            found.lines.append(f"if {index} not in {place}: return MISS")
        inner = f"i{len(found.lines)}"
        text = f"{place}[{index}]" if sized else f"getattr({place}, {index}, MISS)"
        found.lines.append(f"{inner} = {text}")
        _read(item, inner, key if isinstance(key, str) else None, found)
    if not sized:  # a dataclass, of which some fields are fixed
        for name in (one.name for one in fields(value) if one.name not in parts):
            inner = f"i{len(found.lines)}"
            found.lines.append(f"{inner} = getattr({place}, {found.fresh(name)}, MISS)")
            _read_static(getattr(value, name, MISS), inner, found)


def _read_array(value: Any, place: str, name: str | None, kind: str, found: Arguments) -> None:
    if place.endswith("._value"):
        local = f"v{len(found.lines)}"
        found.lines.append(f"{local} = {place}")
        place = local
    found.forms.add(len(found.lines))
    if isinstance(value, np.ndarray):
        shape, dtype = found.fresh(value.shape), found.fresh(value.dtype)
        found.lines.append(
            f"if type({place}) is not ndarray or {place}.shape != {shape}"
            f" or {place}.dtype is not {dtype}: return MISS"
        )
    else:
        found.lines.append(f"if type({place}) is not {found.fresh(type(value))}: return MISS")
    found.arrays.append(value)
    found.names.append(name)
    found.kinds.append(kind)
    found.places.append(place)


def _read_static(value: Any, place: str, found: Arguments) -> None:
    simple = value is None or isinstance(value, (bool, int, float, complex, str, bytes))
    if simple:
        known = found.fresh(value)
        kind = found.fresh(type(value))
        found.lines.append(
            f"if {place} is not {known} and (type({place}) is not {kind} or {place} != {known}):"
            " return MISS"
        )
        return
    if type(value) is set:
        kind, known = found.fresh(set), found.fresh(frozenset(value))
        found.lines.append(f"if type({place}) is not {kind} or {place} != {known}: return MISS")
        return
    try:
        same = value == value and (isinstance(value, slice) or isinstance(hash(value), int))
    except Exception:  # noqa: BLE001 - a user's __eq__ may raise anything
        same = None
    if same is not True:
        raise UnsupportedError(
            f"an argument of a compiled function is {describe(value)}: neither an array nor "
            "something that can be told by hash and ==",
            mend="pass arrays, containers and dataclasses of them, numbers, strings, functions or "
            "layers; or let the function close over it",
        )
    known = found.fresh(value)
    found.objects.append(value)
    found.lines.append(f"if {place} is not {known} and {place} != {known}: return MISS")


def _replaced(value: Any, handles: Any) -> Any:
    parts = parts_of(value)
    if parts is not None:
        return builder_of(value)([_replaced(item, handles) for item in parts.values()])
    if (isinstance(value, Tensor) and not _is_parameter(value)) or _is_array(value):
        return next(handles)
    return value


def compiled_source(source: str, namespace: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Run generated source in a namespace of its own; what it defines is in the result."""
    scope = dict(namespace)
    exec(compile(source, label, "exec"), scope)  # noqa: S102  # names in it are counters or checked
    return scope
