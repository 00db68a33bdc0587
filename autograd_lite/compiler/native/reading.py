"""Reading an operator: its NumPy code run on symbols, so that what it computes is written down.

The code of an operator calls NumPy by name (``np.zeros``), helpers of its module, and other
operators. All three are replaced while it is read, without touching the module. Knows Python
functions as data. Does not know single operators nor machines. Imports errors, graph, NumPy,
symbols and values.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd_lite.compiler.native.symbols import FUNCTIONS, NotReadable, Symbol, as_symbol, filled
from autograd_lite.compiler.native.values import Values
from autograd_lite.graph import Op

__all__ = ["Reader"]

_PACKAGE = __name__.partition(".")[0]


class Reader:
    """Reads operators for one program."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._numpy = _Numpy(values)
        self._globals: dict[int, _Globals] = {}
        self._functions: dict[int, Any] = {}

    def read(self, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """What the operator makes of symbols (plain operands stay plain), as symbols.

        Raises:
            NotReadable: what it does depends on data, or there is no machine code for it.
        """
        try:
            with np.errstate(all="ignore"):
                result = self.replaced(op.forward)(*args, **params)
        except NotReadable:
            raise
        except Exception as error:
            raise NotReadable(f"{type(error).__name__}: {error}") from error
        return self._settled(result)

    def _settled(self, result: Any) -> Any:
        if isinstance(result, (tuple, list)):
            return tuple(self._settled(part) for part in result)
        return as_symbol(self._values, result)

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
            return functools.partial(self._called, op)
        if isinstance(found, FunctionType):
            return self._function(found) if self._ours(found) else found
        if isinstance(found, type) and found.__module__.startswith(f"{_PACKAGE}.ops"):
            return self._class(found)
        return found

    def _called(self, op: Op, *args: Any, **params: Any) -> Any:
        if not any(isinstance(arg, Symbol) for arg in args):
            return op.forward(*args, **params)
        return self.replaced(op.forward)(*args, **params)

    def _ours(self, function: FunctionType) -> bool:
        return function.__module__.startswith(_PACKAGE) or function.__globals__.get("np") is np

    def _function(self, function: FunctionType) -> Any:
        known = self._functions.get(id(function))
        if known is not None:
            return known
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
        self._functions[id(function)] = made
        return made

    def _class(self, cls: type) -> type:
        known = self._functions.get(id(cls))
        if known is None:
            methods = {
                name: self._function(member)
                for name, member in vars(cls).items()
                if isinstance(member, FunctionType) and "np" in member.__code__.co_names
            }
            known = self._functions[id(cls)] = type(cls.__name__, (cls,), methods)
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


class _Numpy:
    """NumPy as the code of operators sees it: new arrays are symbols, which can be written to."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        own = _MAKERS.get(name)
        if own is not None:
            return functools.partial(own, self._values)
        found = getattr(np, name)
        if found in _CALLED:
            return functools.partial(_called, found)
        return found


def _zeros(values: Values, shape: Any, dtype: Any = np.float64) -> Any:
    return filled(values, shape, 0, dtype)


def _ones(values: Values, shape: Any, dtype: Any = np.float64) -> Any:
    return filled(values, shape, 1, dtype)


def _full(values: Values, shape: Any, number: Any, dtype: Any = None) -> Any:
    if isinstance(number, Symbol):
        whole = filled(values, shape, 0, dtype or number.dtype)
        whole[...] = number
        return whole
    return filled(values, shape, number, np.asarray(number).dtype if dtype is None else dtype)


def _asarray(values: Values, x: Any, dtype: Any = None, **_: Any) -> Any:
    if isinstance(x, Symbol):
        return x if dtype is None else x.astype(dtype)
    return np.asarray(x, dtype)


def _array(values: Values, x: Any, dtype: Any = None, **_: Any) -> Any:
    if isinstance(x, Symbol):
        return x.copy() if dtype is None else x.astype(dtype)
    return np.array(x, dtype)


def _result_type(values: Values, *kinds: Any) -> Any:
    return np.result_type(*(x.dtype if isinstance(x, Symbol) else x for x in kinds))


def _never_shared(values: Values, *_: Any) -> bool:
    return False


_MAKERS: dict[str, Callable[..., Any]] = {
    "zeros": _zeros, "ones": _ones, "empty": _zeros, "full": _full, "asarray": _asarray,
    "ascontiguousarray": _asarray, "array": _array, "result_type": _result_type,
    "may_share_memory": _never_shared,
}  # fmt: skip

_CALLED = {np.isposinf, np.isneginf, np.iscomplexobj, np.isrealobj, np.nan_to_num}


def _called(function: Any, *args: Any, **options: Any) -> Any:
    """Functions of NumPy that do not ask their arguments what they make of them."""
    if any(isinstance(arg, Symbol) for arg in args):
        known = FUNCTIONS.get(function)
        if known is None:
            raise NotReadable(f"np.{function.__name__}")
        return known(*args, **options)
    return function(*args, **options)
