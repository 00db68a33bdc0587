"""Reading an operator: its NumPy code run on other things than arrays, to learn what it computes.

The code of an operator calls NumPy by name (``np.zeros``), helpers of its module, and other
operators. All three are replaced while it is read, without touching the module. Knows Python
functions as data. Does not know single operators, nor what stands for arrays. Imports graph and
NumPy.
"""

import functools
from collections.abc import Callable, Mapping
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd_lite.graph import EMPTY, Op

__all__ = ["Reader"]

_PACKAGE = __name__.partition(".")[0]


class Reader:
    """Replaces NumPy in code: ``numpy`` stands for it, ``symbol`` is the type of its arrays.

    ``known`` has what stands for functions that need not be read.

    >>> from types import SimpleNamespace
    >>> def double(x):
    ...     return np.add(x, x)
    >>> Reader(SimpleNamespace(add=lambda a, b: f"{a} + {b}"), str).replaced(double)("x")
    'x + x'
    """

    def __init__(self, numpy: Any, symbol: type, known: Mapping[Any, Any] = EMPTY) -> None:
        self._numpy = numpy
        self._symbol = symbol
        self._known = known
        self._globals: dict[int, _Globals] = {}
        self._made: dict[int, Any] = {}

    def replaced(self, found: Any) -> Any:
        """What stands for something that the code names."""
        if found is np:
            return self._numpy
        if isinstance(found, ModuleType) or not callable(found):
            return found
        if isinstance(found, functools.partial):
            return functools.partial(self.replaced(found.func), *found.args, **found.keywords)
        op = getattr(found, "op", None)
        if isinstance(op, Op):
            return functools.partial(self._applied, op)
        if isinstance(found, FunctionType):
            if found in self._known:
                return self._known[found]
            ours = found.__module__.startswith(_PACKAGE) or found.__globals__.get("np") is np
            return self._function(found) if ours else found
        if isinstance(found, type) and found.__module__.startswith(f"{_PACKAGE}.ops"):
            return self._class(found)
        return found

    def _applied(self, op: Op, *args: Any, **params: Any) -> Any:
        """An operator that the code of another one calls."""
        if any(isinstance(arg, self._symbol) for arg in args):
            return self.replaced(op.forward)(*args, **params)
        return op.forward(*args, **params)

    def _function(self, function: FunctionType) -> Callable[..., Any]:
        known = self._made.get(id(function))
        if known is not None:
            return known  # type: ignore[no-any-return]  # made below
        space = self._globals.get(id(function.__globals__))
        if space is None:
            space = self._globals[id(function.__globals__)] = _Globals(self, function.__globals__)
        cells = function.__closure__ and tuple(
            CellType(self.replaced(cell.cell_contents)) for cell in function.__closure__
        )
        made = FunctionType(
            function.__code__, space, function.__name__, function.__defaults__, cells
        )
        made.__kwdefaults__ = function.__kwdefaults__
        self._made[id(function)] = made
        return made

    def _class(self, cls: type) -> type:
        known = self._made.get(id(cls))
        if known is None:
            methods = {
                name: self._function(member)
                for name, member in vars(cls).items()
                if isinstance(member, FunctionType) and "np" in member.__code__.co_names
            }
            known = type(cls.__name__, (cls,), methods) if methods else cls  # isinstance holds
            self._made[id(cls)] = known
        return known


class _Globals(dict[str, Any]):
    """The names of a module as its code sees them while it is read."""

    def __init__(self, reader: Reader, original: dict[str, Any]) -> None:
        super().__init__(__builtins__=original["__builtins__"])
        self._reader = reader
        self._original = original

    def __getitem__(self, name: str) -> Any:
        try:
            return super().__getitem__(name)
        except KeyError:
            found = self._reader.replaced(self._original[name])
            self[name] = found
            return found
