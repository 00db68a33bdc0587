"""Copies of a program in which ``np`` makes lifted arrays; the program itself is not touched.

Knows functions, classes, modules and instances: copies of functions with copied globals, through
the user's own modules; classes built anew; instances copied with a memo, so that what was one
object stays one. No source is needed. Does not know graphs. Imports arrays, functions, substitutes.
"""

import abc
import builtins
import copy
import sys
import sysconfig
import types
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd_lite.lifting.arrays import LiftedArray, adopt, bare, gathered, leaves
from autograd_lite.lifting.functions import foreign, is_foreign
from autograd_lite.lifting.substitutes import BUILTINS, MATH, MATHEMATICS, SUBSTITUTES

__all__ = ["Rebinder"]

_LIBRARIES = tuple(
    path for key in ("stdlib", "platstdlib", "purelib", "platlib")
    if (path := sysconfig.get_paths().get(key))
)  # fmt: skip


class Rebinder:
    """Makes the copies; everything is copied once, by identity.

    ``leaf(path, array)`` says what becomes of an array found at a dotted path.
    """

    def __init__(self, leaf: Callable[[str, Any], Any]) -> None:
        self._leaf = leaf
        self._memo: dict[int, Any] = {}
        self._kept: list[Any] = []  # what the memo knows by its id stays alive
        self._globals: dict[int, dict[str, Any]] = {}
        self._own: set[str] = set()  # top-level packages that are the user's whatever their place
        self._hooked = {**vars(builtins), **BUILTINS, "__import__": _importing(weakref.ref(self))}

    def copied(self, thing: Any, path: str = "") -> Any:
        """The copy of anything; what needs none is returned as it is."""
        if id(thing) in self._memo:
            return self._memo[id(thing)]
        maker = self._maker(thing)
        return thing if maker is None else maker(thing, path)

    def own(self, module: str | None) -> None:
        """Treat a module's top-level package as the user's."""
        if module:
            self._own.add(module.partition(".")[0])

    def _remember(self, thing: Any, made: Any) -> Any:
        self._memo[id(thing)] = made
        self._kept.append(thing)
        return made

    def _maker(self, thing: Any) -> Callable[[Any, str], Any] | None:
        kind = type(thing)
        if is_foreign(thing):
            return lambda thing, path: self._remember(thing, foreign(thing))
        if isinstance(thing, types.ModuleType):
            return self._module
        if isinstance(thing, np.ndarray):
            return self._array
        if kind in _CONTAINERS:
            return self._container
        if id(thing) in _OF_NUMPY:
            return lambda thing, path: _through(_OF_NUMPY[id(thing)])
        if isinstance(thing, (types.FunctionType, types.MethodType, staticmethod, classmethod)):
            return self._callable if self._is_own(thing) else None
        if isinstance(thing, property):
            return self._property
        if id(thing) in MATH:
            return lambda thing, path: MATH[id(thing)]
        if isinstance(thing, type):
            return self._class if self._is_own(thing) else None
        if isinstance(thing, _GENERATORS):
            return lambda thing, path: self._remember(thing, _Through(copy.deepcopy(thing)))
        if self._is_own(kind) and not isinstance(thing, BaseException):
            return self._instance
        return None

    def _is_own(self, thing: Any) -> bool:
        """Whether something was written by the user, and not by a library."""
        name = getattr(thing, "__module__", None) or ""
        if name == "builtins":  # what exec() made, without a module
            made = isinstance(thing, type) and thing.__flags__ & _HEAP_TYPE
            return bool(made) or isinstance(thing, types.FunctionType)
        return bool(name) and self._is_own_module(sys.modules.get(name), name)

    def _is_own_module(self, module: Any, name: str) -> bool:
        top = name.partition(".")[0]
        if top in self._own or name in ("__main__", "autograd_lite.handwritten"):
            return True
        if top in sys.stdlib_module_names or top in _NEVER:
            return False
        file = getattr(module, "__file__", None)
        if module is None or not file:
            return module is None
        return not (file.startswith(_LIBRARIES) or "-packages" in file)

    # one maker for each kind of thing

    def _array(self, thing: Any, path: str) -> Any:
        return self._remember(thing, self._leaf(path, thing))

    def _container(self, thing: Any, path: str) -> Any:
        if isinstance(thing, dict):
            made: Any = self._remember(thing, copy.copy(thing))
            made.clear()
            made.update({key: self.copied(v, f"{path}.{key}") for key, v in thing.items()})
            return made
        if isinstance(thing, list):
            made = self._remember(thing, [])
            made.extend(self.copied(v, f"{path}.{k}") for k, v in enumerate(thing))
            return made
        parts = [self.copied(v, f"{path}.{k}") for k, v in enumerate(thing)]
        return self._remember(thing, type(thing)(parts))

    def _module(self, thing: Any, path: str) -> Any:
        if thing.__name__.partition(".")[0] == "numpy":
            return _through(thing)
        if thing.__name__ == "math":
            return MATHEMATICS
        if not self._is_own_module(thing, thing.__name__):
            return thing
        made = self._remember(thing, types.ModuleType(thing.__name__))
        made.__dict__.update(vars(thing))
        self._globals.setdefault(id(vars(thing)), made.__dict__)
        self._fetch(vars(thing), vars(thing))
        return made

    def _fetch(self, names: dict[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
        """The copied globals of a module, with copies of what a function uses of them."""
        if id(names) not in self._globals:
            self._globals[id(names)] = dict(names)
            self._kept.append(names)
        made = self._globals[id(names)]
        made["__builtins__"] = self._hooked
        for key in wanted:
            if key in names and key not in _MODULE_FACTS and made[key] is names[key]:
                made[key] = self.copied(names[key], key)
        return made

    def _callable(self, thing: Any, path: str) -> Any:
        if isinstance(thing, (staticmethod, classmethod)):
            return self._remember(thing, type(thing)(self.copied(thing.__func__)))
        if isinstance(thing, types.MethodType):
            return types.MethodType(self.copied(thing.__func__), self.copied(thing.__self__, path))
        closure = thing.__closure__ and tuple(types.CellType() for _ in thing.__closure__)
        names = self._fetch(thing.__globals__, ())
        made = types.FunctionType(thing.__code__, names, thing.__name__, None, closure)
        self._remember(thing, made)
        self._fetch(thing.__globals__, _names_in(thing.__code__))
        for old, new in zip(thing.__closure__ or (), closure or ()):
            self._fill(old, new)
        made.__defaults__ = self.copied(thing.__defaults__)
        made.__kwdefaults__ = self.copied(thing.__kwdefaults__)
        made.__qualname__, made.__module__ = thing.__qualname__, thing.__module__
        made.__dict__.update({key: self.copied(v) for key, v in vars(thing).items()})
        return made

    def _fill(self, old: Any, new: Any) -> None:
        try:
            content = old.cell_contents
        except ValueError:  # the cell is empty
            return
        new.cell_contents = self.copied(content)

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


def _importing(rebinder: weakref.ref[Rebinder]) -> Callable[..., Any]:
    """What ``import`` inside a function calls: it gives copies too.

    The functions do not hold the rebinder, which holds all that they compute: it would be garbage
    in a circle, graphs and arrays with it.
    """
    load = builtins.__import__  # Python's own: it loads what the user's code asks for

    def load_copied(name: str, *args: Any, **kwargs: Any) -> Any:
        copies, module = rebinder(), load(name, *args, **kwargs)
        assert copies is not None, "a lifted program was called when nobody held it any more"
        return copies.copied(module)

    return load_copied


_CONTAINERS = frozenset({dict, list, tuple, set, frozenset})
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


def _names_in(code: types.CodeType) -> set[str]:
    """The globals that a function and the functions inside it use."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*map(_names_in, inner))


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


# NumPy as the copies see it


_FUNCTIONS = (types.FunctionType, np.ufunc, type(np.sum))
_GENERATORS = (np.random.Generator, np.random.RandomState)


class _Through:
    """Something of NumPy's whose results come lifted: a module, a ufunc, a generator."""

    def __init__(self, real: Any) -> None:
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        made = _through(value)
        if isinstance(value, _FUNCTIONS):  # found at once the next time
            self.__dict__[name] = made
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__.pop(name, None)
        setattr(self._real, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], LiftedArray) and _name_of(self._real) == "shuffle":
            order = np.arange(len(args[0]))
            self._real(order)
            args[0][...] = args[0][order]
            return None
        if list in map(type, args) or tuple in map(type, args):
            args = tuple(_listed(self._real, a) for a in args)
        result = self._real(*args, **kwargs)
        return _Through(result) if isinstance(result, _GENERATORS) else adopt(result)

    def __dir__(self) -> list[str]:
        return dir(self._real)

    def __repr__(self) -> str:
        return repr(self._real)

    def __eq__(self, other: object) -> bool:
        return self._real is (other._real if isinstance(other, _Through) else other)

    def __hash__(self) -> int:
        return hash(self._real)

    def __getitem__(self, index: Any) -> Any:  # np.r_, np.c_, np.s_, np.mgrid
        return adopt(self._real[bare(index)])


def _through(value: Any) -> Any:
    """What an attribute of NumPy is to the copies."""
    try:
        made = SUBSTITUTES.get(value)
    except TypeError:  # it cannot be hashed
        made = None
    if made is not None:
        return made
    if isinstance(value, np.ndarray):
        return adopt(value)
    if isinstance(value, type) or not (callable(value) or _has_parts(value)):
        return value
    return _Through(value)


_OF_SEVERAL = frozenset({
    "concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "row_stack",
    "block", "choose", "select", "multi_dot", "lexsort", "ix_",
})  # fmt: skip
"""Functions of a list of arrays; other functions take a list for one array."""


def _listed(function: Any, argument: Any) -> Any:
    """An argument with lists of lifted values as arrays, since NumPy does not look into lists."""
    if type(argument) not in (list, tuple) or not leaves(argument):
        return argument
    if _name_of(function) in _OF_SEVERAL:
        return type(argument)(map(gathered, argument))
    return gathered(argument)


def _name_of(function: Any) -> str:
    return getattr(function, "__name__", "")


def _has_parts(value: Any) -> bool:
    return isinstance(value, types.ModuleType) or type(value).__module__.startswith("numpy.lib")


_ROOMS = (np, np.linalg, np.fft, np.random, np.lib.stride_tricks)
_OF_NUMPY = {
    id(value): value
    for room in _ROOMS
    for name, value in vars(room).items()
    if callable(value) and not isinstance(value, type) and not name.startswith("_")
}
_OF_NUMPY.update({id(value): value for value in SUBSTITUTES})
"""NumPy's functions by identity: what ``from numpy import exp`` leaves in a module."""
