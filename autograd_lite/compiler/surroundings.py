"""What a function uses beside its arguments: all that it closes over and may be other at a call.

Walks closures, globals that code names, bound objects, classes and containers, as far as they are
the user's. Arrays are found with their places, to be read anew at each call; of all else it notes
what it is (``guards``). Of objects those attributes count that some code on the way names. Knows
Python's functions; does not know tensors. Imports errors, guards and NumPy.
"""

import functools
import os
import random
import sys
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from autograd_lite.compiler.counters import only_counted
from autograd_lite.compiler.guards import ABSENT, SIMPLE, Contents, Held, Items, Read
from autograd_lite.errors import INTERNAL, UnsupportedError

__all__ = ["Surroundings", "surroundings"]

_MOST = 20_000  # objects that are looked at
_PYTHONS = (os.path.dirname(os.__file__) + os.sep, "<frozen")
_CALLED = (MethodType, partial, property, staticmethod, classmethod, functools._lru_cache_wrapper)
_CONTAINERS = (list, dict, set, deque)
_MAKING = {"__init__", "__new__", "__post_init__"}
_DYNAMIC = {"getattr", "vars", "__dict__", "__getattribute__"}


@dataclass
class Surroundings:
    """Arrays by identity with their places, what else is held, and generators of random numbers."""

    arrays: dict[int, tuple[Any, Read]] = field(default_factory=dict)
    guards: list[Any] = field(default_factory=list)
    generators: list[Any] = field(default_factory=list)
    spaces: list[tuple[dict[str, Any], frozenset[str]]] = field(default_factory=list)
    contents: dict[int, Contents] = field(default_factory=dict)

    def guards_after(self, captured: Iterable[int]) -> list[Any]:
        """What must be as it was before the trace, which lifted the ``captured`` arrays."""
        lifted = set(captured)
        contents = [one for key, one in self.contents.items() if key not in lifted]
        return [*self.guards, *contents, *self._new_attributes()]

    def _new_attributes(self) -> list[Held]:
        """Attributes that the trace itself made: the next call finds them, this one did not."""
        found = []
        for space, before in self.spaces:
            reads = tuple(_reader(space, name) for name in space if name not in before)
            if reads:
                found.append(Held(reads, (ABSENT,) * len(reads)))
        return found

    def states(self) -> list[Any]:
        """The states of all generators that the function might draw from, Python's and NumPy's."""
        return [random.getstate(), *(_state(one) for one in self._numpy())]

    def _numpy(self) -> list[Any]:
        legacy = np.random.mtrand._rand  # NumPy's global generator has no other name
        return [legacy, *self.generators]

    def refuse_draws(self, before: list[Any], lifted: set[int]) -> None:
        """Raise if numbers were drawn that a program would repeat, and put the states back."""
        moved = [str(old) != str(new) for old, new in zip(before, self.states(), strict=True)]
        for one, old, change in zip(self._numpy(), before[1:], moved[1:], strict=True):
            own = id(getattr(one, "bit_generator", one)) in lifted
            if change and not own:
                _restore(one, old)
                moved[0] = True
        if moved[0]:
            random.setstate(before[0])
            raise UnsupportedError(
                "the function draws random numbers in a way that cannot be compiled: they would be "
                "the same at every call",
                mend="draw with rng = ag.random.default_rng(seed_or_generator), made outside of it",
            )


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state()


def _restore(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)


def surroundings(*roots: Any) -> Surroundings:
    """All that a function, and objects among its arguments, reach.

    >>> rate, table = 0.5, np.ones(3)
    >>> def scaled(x):
    ...     return x * table * rate
    >>> found = surroundings(scaled)
    >>> (
    ...     len(found.arrays),
    ...     [part for one in found.guards for part in one.parts if type(part) is float],
    ... )
    (1, [0.5])
    """
    names: set[str] = set()
    counted: frozenset[str] = frozenset()
    while True:  # what code is reached decides which attributes count, and these what is reached
        walk = _Walk(frozenset(names), counted)
        walk.through(roots)
        now = frozenset() if walk.names & _DYNAMIC else only_counted(walk.codes)
        if walk.names <= names and now == counted:
            break
        names |= walk.names
        counted = now
    found = walk.found
    quiet = walk.tallies - walk.read
    found.guards = [
        one for one in found.guards if not (isinstance(one, Items) and id(one.container) in quiet)
    ]
    found.contents = {key: Contents.of(read) for key, (_, read) in found.arrays.items()}
    return found


class _Walk:
    """One walk, with the names of attributes that are known to be used, and to be counters."""

    def __init__(self, known: frozenset[str], counted: frozenset[str]) -> None:
        self.known, self.counted = known, counted
        self.names: set[str] = set()
        self.codes: list[CodeType] = []
        self.tallies: set[int] = set()  # containers of counters
        self.read: set[int] = set()  # containers that are held elsewhere too
        self.found = Surroundings()
        self._seen: dict[int, Any] = {}  # kept alive, so that no other object gets the number
        self._kinds: set[type] = set()
        self._stack: list[Any] = []

    def through(self, roots: Sequence[Any]) -> None:
        """Look at the roots and at all that they reach."""
        self._stack += roots
        while self._stack and len(self._seen) < _MOST:
            value = self._stack.pop()
            if id(value) not in self._seen:
                self._seen[id(value)] = value
                self._look_at(value)

    def _look_at(self, value: Any) -> None:
        if isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, (list, dict, set, deque, tuple, frozenset)):
            self._container(value)
        elif isinstance(value, np.ndarray):
            if value.dtype == object:
                self._container(value.reshape(-1))
        elif isinstance(value, (np.random.Generator, np.random.RandomState)):
            self.found.generators.append(value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, ModuleType):
            if _is_users(value.__name__):
                self._named(vars(value), self.known)
        elif not _is_ours(value) and (
            hasattr(value, "__dict__") or _is_users(type(value).__module__)
        ):
            self._object(value)
        else:
            self._stack += _inside(value)

    def _held(self, places: Iterable[tuple[str, Read, Any]]) -> None:
        """Go on with what is in places, each with its name and a way to read it again."""
        reads, parts = [], []
        for name, read, part in places:
            if isinstance(part, np.ndarray):
                self._array(part, read)
            if name in self.counted and type(part) in (int, float):
                continue
            if isinstance(part, _CONTAINERS):
                self._note_use(part, name in self.counted)
            if not isinstance(part, ModuleType) or _is_users(part.__name__):
                reads.append(read)
                parts.append(part)
                self._go_on(part)
        if reads:
            self.found.guards.append(Held(tuple(reads), tuple(parts)))

    def _note_use(self, container: Any, counted: bool) -> None:
        """Whether a container, or one inside of it, is only added to under some name."""
        inner = container.values() if isinstance(container, dict) else container
        for one in (container, *(part for part in inner if isinstance(part, _CONTAINERS))):
            (self.tallies if counted else self.read).add(id(one))

    def _go_on(self, part: Any) -> None:
        if not isinstance(part, SIMPLE):
            self._stack.append(part)

    def _array(self, array: Any, read: Read) -> None:
        if id(array) not in self.found.arrays:
            self.found.arrays[id(array)] = array, read
        else:  # another name of the array: as long as it is one
            _, other = self.found.arrays[id(array)]
            self.found.guards.append(Held((lambda: other() is read(),), (True,)))

    def _function(self, f: FunctionType) -> None:
        named = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
        cells = [(name, cell) for name, cell in named if not _is_empty(cell)]
        if not _is_written_by_user(f.__code__.co_filename):
            self._stack += [cell.cell_contents for _, cell in cells]  # nobody rebinds them
            return
        self._held(
            (name, partial(getattr, cell, "cell_contents"), cell.cell_contents)
            for name, cell in cells
        )
        codes = list(_codes(f.__code__))
        self.codes += codes
        used = {name for code in codes for name in code.co_names}
        self.names |= used
        self.names |= {part for code in codes for part in code.co_consts if isinstance(part, str)}
        self._named(f.__globals__, used)
        self._named(vars(f), self.known)
        defaults = [("__defaults__", f.__defaults__), ("__kwdefaults__", f.__kwdefaults__)]
        self._held((name, partial(getattr, f, name), part) for name, part in defaults if part)

    def _container(self, value: Any) -> None:
        if not isinstance(value, (tuple, frozenset)):
            self.found.guards.append(Items.of(value))
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(part, np.ndarray):
                self._array(part, partial(value.__getitem__, key))
            self._go_on(part)

    def _object(self, value: Any) -> None:
        kind = type(value)
        if kind not in self._kinds:
            self._kinds.add(kind)
            self._class(kind, made=True)
        slots = [name for one in kind.__mro__ for name in _slots(one)]
        reads = [(name, partial(getattr, value, name, ABSENT)) for name in slots]
        self._held((name, read, read()) for name, read in reads)
        space = getattr(value, "__dict__", {})
        self.found.spaces.append((space, frozenset(space)))
        names = space.keys() if self.known & _DYNAMIC else self.known
        self._named(space, names, below=[vars(one) for one in kind.__mro__ if one is not object])

    def _class(self, kind: type, *, made: bool = False) -> None:
        """What a class has under known names; ``made``: an object is there, nobody makes one."""
        spaces = [vars(one) for one in kind.__mro__ if one is not object]
        for i, one in enumerate(kind.__mro__):
            functions = {n: p for n, p in vars(one).items() if isinstance(p, FunctionType)}
            if _is_users(one.__module__):
                special = {name for name in functions if name[:2] == "__"}
                special -= _MAKING if made else set()
                self._named(vars(one), self.known | special, below=spaces[i + 1 :])
            elif one.__module__.startswith("autograd_lite"):  # a layer that a user's rests on
                for f in functions.values():
                    self.names |= {name for code in _codes(f.__code__) for name in code.co_names}

    def _named(self, space: Any, names: Collection[str], below: Sequence[Any] = ()) -> None:
        """What has a name in a namespace; and what has none there, but would hide one ``below``."""
        there = [name for name in list(space) if name in names]
        self._held((name, _reader(space, name), space[name]) for name in there)
        hidden = {name for one in below for name in one if name in self.known} - set(space)
        self._held((name, _reader(space, name), ABSENT) for name in sorted(hidden))


def _reader(space: Any, name: str) -> Read:
    return partial(space.get, name, ABSENT)


def _is_ours(value: Any) -> bool:
    """Whether something tells the tracer itself what is read of it; layers do so in part."""
    ours = type(value).__module__.startswith("autograd_lite")
    return (ours and not hasattr(value, "tree_parts")) or isinstance(value, _CALLED)


def _inside(value: Any) -> list[Any]:
    """What a user gave to something of this package, or of Python's, and what it will call."""
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, property):
        return [value.fget, value.fset]
    if hasattr(value, "__wrapped__") or isinstance(value, (staticmethod, classmethod)):
        return [getattr(value, "__wrapped__", None) or value.__func__]
    if not _is_ours(value):
        return []
    inside = list(getattr(value, "__dict__", {}).values())
    if callable(value):
        names = [name for kind in type(value).__mro__ for name in _slots(kind)]
        inside += [getattr(value, name, None) for name in names]
    users = (FunctionType, MethodType, partial, np.random.Generator)
    return [part for part in inside if isinstance(part, users) or hasattr(part, "tree_parts")]


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  # reading is the test
    except ValueError:
        return True
    return False


def _slots(kind: type) -> Sequence[str]:
    names = vars(kind).get("__slots__", ())
    names = (names,) if isinstance(names, str) else names
    return [name for name in names if name not in ("__dict__", "__weakref__")]


@functools.cache
def _is_users(module: str | None) -> bool:
    """Whether a module is neither Python's, nor this package, nor installed."""
    if module is None:
        return True
    top = module.partition(".")[0]
    if top == "autograd_lite" or top in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" not in file and "dist-packages" not in file


@functools.cache
def _is_written_by_user(file: str) -> bool:
    installed = "site-packages" in file or "dist-packages" in file or file.startswith(_PYTHONS)
    return not (installed or INTERNAL[file])


def _codes(code: Any) -> Iterable[Any]:
    """The code of a function and of those defined inside it."""
    yield code
    for part in code.co_consts:
        if hasattr(part, "co_names"):
            yield from _codes(part)
