"""Copies of a program: what runs is a copy, and the program itself is not touched.

Knows functions, classes, modules, instances and containers: copies of functions with copied
globals, through the user's own modules; classes built anew; instances copied with a memo, so that
what was one object stays one; which names the functions of a program use around them. No source is
needed. Does not know tensors, nor NumPy beyond its arrays. Imports NumPy.
"""

import abc
import copy
import dis
import functools
import inspect
import sys
import sysconfig
import types
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Copier", "Place", "module_of", "places_around"]

_LIBRARIES = tuple(
    path for key in ("stdlib", "platstdlib", "purelib", "platlib")
    if (path := sysconfig.get_paths().get(key))
)  # fmt: skip


class Copier:
    """Makes the copies; everything is copied once, by identity.

    ``leaf(path, array)`` says what becomes of an array found at a dotted path. ``memo`` says what
    takes the place of things by their identity.
    """

    builtins: dict[str, Any] | None = None  # what the copies see otherwise than Python's own

    def __init__(self, leaf: Callable[[str, Any], Any], memo: dict[int, Any] | None = None) -> None:
        self._leaf = leaf
        self._memo: dict[int, Any] = dict(memo or {})
        self._kept: list[Any] = []  # what the memo knows by its id stays alive
        self._modules: dict[int, types.ModuleType] = {}
        self._own: set[str] = set()

    def copied(self, thing: Any, path: str = "") -> Any:
        """The copy of anything; what needs none is returned as it is."""
        if id(thing) in self._memo:
            return self._memo[id(thing)]
        maker = self._maker(thing)
        return thing if maker is None else maker(thing, path)

    def own(self, module: str | None) -> None:
        """Treat a module's top-level package as the user's, whatever its place."""
        if module:
            self._own.add(module.partition(".")[0])

    def _remember(self, thing: Any, made: Any) -> Any:
        self._memo[id(thing)] = made
        self._kept.append(thing)
        return made

    def _maker(self, thing: Any) -> Callable[[Any, str], Any] | None:
        if isinstance(thing, types.ModuleType):
            return self._module
        if isinstance(thing, np.ndarray):
            return self._array
        if isinstance(thing, _CONTAINERS):
            return self._container
        if isinstance(thing, _ROUTINES):
            return self._callable if _is_own(thing, self._own) else None
        if isinstance(thing, property):
            return self._property
        if isinstance(thing, type):
            return self._class if _is_own(thing, self._own) else None
        if _is_own_object(thing, self._own):
            return self._instance
        return None

    # one maker for each kind of thing

    def _array(self, thing: Any, path: str) -> Any:
        return self._remember(thing, self._leaf(path, thing))

    def _container(self, thing: Any, path: str) -> Any:
        if isinstance(thing, (tuple, frozenset)):
            kind = type(thing)
            make = kind if kind in (tuple, frozenset) else getattr(kind, "_make", None)
            if make is None:  # neither of these nor a namedtuple
                return thing
            parts = [self.copied(v, f"{path}.{k}") for k, v in enumerate(thing)]
            return self._remember(thing, make(parts))
        made = self._remember(thing, copy.copy(thing))
        made.clear()
        if isinstance(thing, dict):
            made.update({key: self.copied(v, f"{path}.{key}") for key, v in thing.items()})
        elif isinstance(thing, set):
            made.update(map(self.copied, thing))
        else:
            made.extend(self.copied(v, f"{path}.{k}") for k, v in enumerate(thing))
        if isinstance(thing, defaultdict):
            made.default_factory = self.copied(thing.default_factory)
        if _is_own(type(thing), self._own):  # a class of the user's that is such a container
            made.__class__ = self.copied(type(thing))
        for key, value in getattr(thing, "__dict__", {}).items():
            object.__setattr__(made, key, self.copied(value, f"{path}.{key}".lstrip(".")))
        return made

    def _module(self, thing: Any, path: str) -> Any:
        if not _is_own_module(thing, thing.__name__, self._own):
            return thing
        names = vars(thing)
        made = self._remember(thing, self._surroundings(names))
        self._fetch(names, names)
        return made

    def _surroundings(self, names: dict[str, Any]) -> types.ModuleType:
        """The module whose names take the place of some globals."""
        if id(names) not in self._modules:
            made = types.ModuleType(names.get("__name__", "?"))
            made.__dict__.update(names)
            if self.builtins is not None:
                made.__dict__["__builtins__"] = self.builtins
            self._modules[id(names)] = made
            self._kept.append(names)
        return self._modules[id(names)]

    def _fetch(self, names: dict[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
        """The copied globals of a module, with copies of what a function uses of them."""
        made = vars(self._surroundings(names))
        for key in wanted:
            if key in names and key not in _MODULE_FACTS and made[key] is names[key]:
                made[key] = self._around(names[key], key)
        return made

    def _callable(self, thing: Any, path: str) -> Any:
        if isinstance(thing, (staticmethod, classmethod)):
            return self._remember(thing, type(thing)(self.copied(thing.__func__)))
        if isinstance(thing, types.MethodType):
            return types.MethodType(self.copied(thing.__func__), self.copied(thing.__self__, path))
        old_cells = thing.__closure__ or ()
        fresh = {id(cell): cell for cell in old_cells if id(cell) not in self._memo}
        for cell in fresh.values():  # functions that were made together share them
            self._remember(cell, types.CellType())
        closure = thing.__closure__ and tuple(self._memo[id(cell)] for cell in old_cells)
        names = self._fetch(thing.__globals__, ())
        made = types.FunctionType(thing.__code__, names, thing.__name__, None, closure)
        self._remember(thing, made)
        self._fetch(thing.__globals__, _globals_in(thing.__code__))
        for name, cell in zip(thing.__code__.co_freevars, old_cells):
            if id(cell) in fresh and not _is_empty(cell):
                self._memo[id(cell)].cell_contents = self._around(cell.cell_contents, name)
        made.__defaults__ = self.copied(thing.__defaults__)
        made.__kwdefaults__ = self.copied(thing.__kwdefaults__)
        made.__qualname__, made.__module__ = thing.__qualname__, thing.__module__
        made.__dict__.update({key: self.copied(v) for key, v in vars(thing).items()})
        return made

    def _around(self, thing: Any, name: str) -> Any:
        """The copy of what stands around a function."""
        return self.copied(thing, name)

    def _property(self, thing: property, path: str) -> property:
        get, set_, delete = map(self.copied, (thing.fget, thing.fset, thing.fdel))
        made: property = self._remember(thing, property(get, set_, delete, thing.__doc__))
        return made

    def _class(self, thing: type, path: str) -> type:
        if type(thing) not in (type, abc.ABCMeta):
            return thing
        bases = tuple(self.copied(base) for base in thing.__bases__)
        if id(thing) in self._memo:  # a function of a base has led back here
            return self._memo[id(thing)]  # type: ignore[no-any-return]  # what was made of it
        names = {
            key: value
            for key, value in vars(thing).items()
            if key not in _CLASS_FACTS and not isinstance(value, _DESCRIPTORS)
        }
        first = {key: v for key, v in names.items() if isinstance(v, str | tuple)}
        made: type = self._remember(thing, type(thing)(thing.__name__, bases, first))
        for key, value in names.items():
            if key not in first:
                setattr(made, key, self.copied(value, key))
        return made

    def _instance(self, thing: Any, path: str) -> Any:
        kind = self.copied(type(thing))
        try:
            made = self._remember(thing, kind.__new__(kind))
        except TypeError:  # it needs arguments, or cannot be made: a subclass of something built in
            return thing
        for key, value in _attributes(thing).items():
            object.__setattr__(made, key, self.copied(value, f"{path}.{key}".lstrip(".")))
        return made


_CONTAINERS = (dict, list, tuple, set, frozenset, deque)
_ROUTINES = (types.FunctionType, types.MethodType, staticmethod, classmethod)
_NEVER = frozenset({"numpy", "autograd_lite", "scipy", "torch", "jax", "builtins"})
_HEAP_TYPE = 1 << 9  # a class made by Python code
_CLASS_FACTS = frozenset({"__dict__", "__weakref__", "__abstractmethods__", "_abc_impl"})
_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType)
_MODULE_FACTS = frozenset(
    [
        "__name__",
        "__doc__",
        "__package__",
        "__loader__",
        "__spec__",
        "__file__",
        "__cached__",
        "__builtins__",
    ]
)


def _attributes(thing: Any) -> dict[str, Any]:
    slots = [
        name for kind in type(thing).__mro__ for name in _names(vars(kind).get("__slots__", ()))
    ]
    held = {name: getattr(thing, name) for name in slots if hasattr(thing, name)}
    held.pop("__dict__", None)
    held.pop("__weakref__", None)
    return {**held, **getattr(thing, "__dict__", {})}


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def module_of(thing: Any) -> str:
    """The module that something was written in: a module itself, a class, a function, an object."""
    if isinstance(thing, types.ModuleType):
        return thing.__name__
    written = thing if isinstance(thing, type) or inspect.isroutine(thing) else type(thing)
    return getattr(written, "__module__", None) or ""


def _is_own(thing: Any, own: Iterable[str] = ()) -> bool:
    """Whether a class or function was written by the user, and not by a library."""
    name = getattr(thing, "__module__", None) or ""
    if name == "builtins":  # what exec() made, without a module
        made = isinstance(thing, type) and thing.__flags__ & _HEAP_TYPE
        return bool(made) or isinstance(thing, types.FunctionType)
    return bool(name) and _is_own_module(sys.modules.get(name), name, own)


def _is_own_object(thing: Any, own: Iterable[str] = ()) -> bool:
    """Whether it is an instance of a class of the user's, or a bag of attributes."""
    if isinstance(thing, BaseException):
        return False
    return type(thing) is types.SimpleNamespace or _is_own(type(thing), own)


def _is_own_module(module: Any, name: str, own: Iterable[str]) -> bool:
    top = name.partition(".")[0]
    if top in own or name in ("__main__", "autograd_lite.handwritten"):
        return True
    if top in sys.stdlib_module_names or top in _NEVER:
        return False
    file = getattr(module, "__file__", None)
    if module is None or not file:
        return module is None
    return not (file.startswith(_LIBRARIES) or "-packages" in file)


# what a program uses around its functions


_READS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_WRITES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF"})


@functools.lru_cache(maxsize=4096)
def _names_in(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """The names around a function that it and the functions inside it read, and write."""
    read, written = set(), set()
    for step in dis.get_instructions(code):
        if step.opname in _READS:
            read.add(step.argval)
        elif step.opname in _WRITES and step.argval not in code.co_cellvars:
            written.add(step.argval)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            more = _names_in(inner)
            read |= more[0]
            written |= more[1] - set(code.co_cellvars)
    return frozenset(read), frozenset(written)


def _globals_in(code: types.CodeType) -> frozenset[str]:
    return _names_in(code)[0]


def _is_empty(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is cell
    except ValueError:
        return True


@dataclass(frozen=True)
class Place:
    """Where a name around a function stands: among globals, or in a cell of a closure.

    ``written``: the program assigns to it.
    """

    name: str
    holder: Any
    written: bool

    @property
    def value(self) -> Any:
        """What stands there now; None where nothing does."""
        if isinstance(self.holder, dict):
            return self.holder.get(self.name)
        return None if _is_empty(self.holder) else self.holder.cell_contents


def places_around(thing: Any) -> dict[str, Place]:
    """The names that the functions of a program use around them, the program's own code alone."""
    own = {module_of(part).partition(".")[0] for part in _as_list(thing)}
    found: dict[str, Place] = {}
    seen: set[int] = set()
    pending = [thing]
    while pending:
        one = pending.pop()
        if id(one) not in seen:
            seen.add(id(one))
            if isinstance(one, types.FunctionType) and _is_own(one, own):
                for place in _places_of(one):
                    old = found.get(place.name)
                    found[place.name] = place if old is None or place.written else old
                    pending.append(place.value)
            else:
                pending += _parts_with_code(one, own)
    return found


def _places_of(function: types.FunctionType) -> Iterator[Place]:
    names, code = function.__globals__, function.__code__
    read, written = _names_in(code)
    cells = dict(zip(code.co_freevars, function.__closure__ or ()))
    for name in [*(name for name in names if name in read), *sorted(written)]:
        yield Place(name, cells.pop(name, names), name in written)
    for name, cell in cells.items():
        yield Place(name, cell, False)


def _parts_with_code(thing: Any, own: Iterable[str]) -> list[Any]:
    """What of a thing may hold code of the program."""
    if isinstance(thing, types.MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, (staticmethod, classmethod)):
        return [thing.__func__]
    if isinstance(thing, property):
        return [thing.fget, thing.fset]
    if isinstance(thing, type):
        return [*thing.__bases__, *vars(thing).values()] if _is_own(thing, own) else []
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, (list, tuple)):
        return list(thing)
    return [type(thing), *_attributes(thing).values()] if _is_own_object(thing, own) else []


def _as_list(thing: Any) -> list[Any]:
    return list(thing) if isinstance(thing, (list, tuple)) else [thing]
