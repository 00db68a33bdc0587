"""Copies of a program in which ``np`` makes lifted arrays.

Knows what of NumPy, ``math`` and plain libraries the copies see otherwise. Does not know how a
program is copied (``copying``), nor graphs. Imports arrays, copying, functions, substitutes.
"""

import builtins
import copy
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.lifting.arrays import LiftedArray, adopt, bare, gathered, leaves
from autograd_lite.lifting.copying import Copier
from autograd_lite.lifting.functions import foreign, is_foreign
from autograd_lite.lifting.substitutes import BUILTINS, MATH, MATHEMATICS, SUBSTITUTES

__all__ = ["Rebinder"]


class Rebinder(Copier):
    """Makes copies of a program that run on lifted arrays."""

    def __init__(self, leaf: Callable[[str, Any], Any]) -> None:
        super().__init__(leaf)
        importing = _importing(weakref.ref(self))
        self.builtins = {**vars(builtins), **BUILTINS, "__import__": importing}

    def _maker(self, thing: Any) -> Callable[[Any, str], Any] | None:
        if is_foreign(thing):
            return lambda thing, path: self._remember(thing, foreign(thing))
        if id(thing) in _OF_NUMPY:
            return lambda thing, path: _through(_OF_NUMPY[id(thing)])
        if id(thing) in MATH:
            return lambda thing, path: MATH[id(thing)]
        if isinstance(thing, _GENERATORS):
            return lambda thing, path: self._remember(thing, _Through(copy.deepcopy(thing)))
        return super()._maker(thing)

    def _module(self, thing: Any, path: str) -> Any:
        if thing.__name__.partition(".")[0] == "numpy":
            return _through(thing)
        return MATHEMATICS if thing.__name__ == "math" else super()._module(thing, path)


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
