"""NumPy as the code of operators sees it while a native program is made of it.

New arrays are symbols, so that they can be written to. Knows the symbols. Does not know single
operators. Imports errors, NumPy, reading, graph, symbols and values.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.native import arranging, computing  # noqa: F401  # FUNCTIONS of NumPy
from autograd_lite.compiler.native.conversions import NotReadable
from autograd_lite.compiler.native.symbols import FUNCTIONS, Symbol, as_symbol, filled
from autograd_lite.compiler.native.values import Value, Values
from autograd_lite.compiler.native.vocabulary import COMPOSED
from autograd_lite.errors import AutogradError
from autograd_lite.graph import Op
from autograd_lite.reading import Reader
from autograd_lite.rules import OPS

__all__ = ["SymbolReader"]


def _machine_function(name: str, x: Any) -> Any:
    """A function of machine code, where NumPy has none of that name."""
    real = x if x.dtype.kind == "f" else x.astype(np.float64)
    return x._new(x._values.make("map", x.shape, real.dtype, (real.value,), name))


_KNOWN = {OPS[name].forward: functools.partial(_machine_function, name) for name in COMPOSED}


class SymbolReader:
    """Reads operators for one program."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._reader = Reader(_Numpy(values), Symbol, _KNOWN)

    def read(self, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """What the operator makes of symbols (plain operands stay plain), as symbols.

        Where it raises an error of ours by a condition on data it is read as if it did not, and the
        machine code tells when it should.

        Raises:
            NotReadable: what it does depends on data, or there is no machine code for it.
        """
        code = self._reader.replaced(op.forward)
        self._values.denied = []
        while True:
            try:
                result = self._run(code, args, params)
            except AutogradError as error:  # it raises where the last condition holds
                if not self._values.asked:
                    raise NotReadable(f"{type(error).__name__}: {error}") from error
                self._values.denied.append(self._values.asked[-1])
            else:
                return self._held(result, self._needed(code, args, params))

    def _run(self, code: Any, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """What the code gives; an error of ours goes on, any other means that it cannot be read."""
        self._values.asked = []
        try:
            with np.errstate(all="ignore"):
                return self._settled(code(*args, **params))
        except (NotReadable, AutogradError):
            raise
        except Exception as error:
            raise NotReadable(f"{type(error).__name__}: {error}") from error

    def _needed(self, code: Any, args: Sequence[Any], params: Mapping[str, Any]) -> list[Value]:
        """The conditions that were taken to hold, and without which the code raises."""
        denied, needed = list(self._values.denied), []
        for condition in self._values.asked:
            self._values.denied = [*denied, condition]
            try:
                self._run(code, args, params)
            except AutogradError:
                needed.append(condition)
            except NotReadable:
                continue
        self._values.denied = denied
        return needed

    def _held(self, result: Any, needed: Sequence[Value]) -> Any:
        """The result, checked for the conditions under which the code raises."""
        values = self._values
        bad = [*values.denied]
        bad += [values.make("map", one.shape, one.dtype, (one,), "logical_not") for one in needed]
        if not bad:
            return result
        first = result[0] if isinstance(result, tuple) else result
        made = first.value
        for condition in bad:
            if condition.size != 1 or not made.size:
                raise NotReadable("the code raises by a condition on data")
            wide = values.broadcast(values.reshape(condition, ()), made.shape)
            made = values.make("map", made.shape, made.dtype, (made, wide), "checked")
        held = Symbol(values, made)
        return (held, *result[1:]) if isinstance(result, tuple) else held

    def _settled(self, result: Any) -> Any:
        if isinstance(result, (tuple, list)):
            return tuple(self._settled(part) for part in result)
        return as_symbol(self._values, result)


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

_CALLED = {np.isposinf, np.isneginf, np.iscomplexobj, np.isrealobj, np.nan_to_num, np.take}


def _called(function: Any, *args: Any, **options: Any) -> Any:
    """Functions of NumPy that do not ask their arguments what they make of them."""
    if any(isinstance(arg, Symbol) for arg in args):
        known = FUNCTIONS.get(function)
        if known is None:
            raise NotReadable(f"np.{function.__name__}")
        return known(*args, **options)
    return function(*args, **options)
