"""``lift``: functions, classes, instances and modules of plain NumPy code, called with tensors.

Knows the border: tensors become lifted arrays on the way in, and tensors again on the way out.
Imports its siblings, errors and tensors.
"""

import copy
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.errors import UnsupportedError
from autograd_lite.graph import without_collector
from autograd_lite.lifting import methods
from autograd_lite.lifting.arrays import (
    LiftedArray,
    LiftedNumber,
    adopt,
    bare,
    lifted,
    mapped,
    tensor_of,
)
from autograd_lite.lifting.copying import module_of
from autograd_lite.lifting.rebinding import Rebinder
from autograd_lite.tensors import Tensor

__all__ = ["Lifted", "entering", "leaving", "lift"]


def lift(f: Any, *, leaf: Callable[[str, Any], Any] | None = None) -> Any:
    """Run plain NumPy code, unchanged, on tensors; with in-place updates and views.

    Args:
        f: a function, a class, an instance or a module, or a list of them. It is not changed:
            what runs is a copy of it and of everything of the user's that it reaches, in which
            ``np`` makes arrays that a graph knows. State that it keeps stays with the copy.
        leaf: what takes the place of an array that ``f`` holds, given its dotted path and the
            array: a tensor (``lambda path, array: ag.parameter(array, name=path)``), or an array.
            Without it they are constants.

    Returns:
        What takes its place: called with tensors it gives tensors, recorded. Attributes that are
        arrays read as tensors where a derivative flows through them, else as plain arrays, and may
        be set to tensors.

    Raises:
        UnsupportedError: ``f`` is none of these.

    A function that has no rule (a compiled extension) makes a value whose derivative raises when
    it is asked for, naming the function and the line.

    >>> def relu(x):
    ...     out = x.copy()
    ...     out[x <= 0] = 0
    ...     return out
    >>> x = ag.tensor([-1.0, 2.0])
    >>> y = ag.lift(relu)(x)
    >>> ag.gradients(y, [x], np.ones(2))
    [Tensor([0., 1.])]
    """
    parts = f if isinstance(f, (tuple, list)) else [f]
    for part in parts:
        if not (callable(part) or isinstance(part, types.ModuleType) or _has_attributes(part)):
            raise UnsupportedError(
                f"lift() of a {type(part).__name__}",
                mend="give a function, a class, an instance or a module, or a list of them",
            )
    make = leaf or (lambda path, array: array)
    rebinder = Rebinder(lambda path, array: entering(make(path, array)))
    for part in parts:
        rebinder.own(module_of(part))
    return leaving(rebinder.copied(f), rebinder)


class Lifted:
    """A lifted program seen from outside: see ``lift``."""

    __slots__ = ("_copies", "_inner")

    def __init__(self, inner: Any, copies: Rebinder) -> None:
        object.__setattr__(self, "_inner", inner)
        object.__setattr__(self, "_copies", copies)  # lives as long as what it has copied

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the program with tensors and arrays."""
        with without_collector():
            return leaving(self._inner(*entering(args), **entering(kwargs)), self._copies)

    def __getattr__(self, name: str) -> Any:
        return leaving(getattr(self._inner, name), self._copies)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, entering(value))

    def __getitem__(self, index: Any) -> Any:
        return leaving(self._inner[entering(index)], self._copies)

    @property
    def __wrapped__(self) -> Any:
        """What runs, for its signature."""
        return self._inner

    def __deepcopy__(self, memo: dict[int, Any]) -> "Lifted":
        return Lifted(copy.deepcopy(self._inner, memo), self._copies)

    def __repr__(self) -> str:
        return f"<lifted {self._inner!r}>"


def entering(value: Any) -> Any:
    """Tensors and arrays, in nested tuples, lists and dicts too, as the program sees them."""
    return mapped(_entering, value)


def _entering(value: Any) -> Any:
    if isinstance(value, Tensor):
        if not value.tracked:
            return adopt(np.array(value._value)) if value.ndim else value._value
        return lifted(Tensor(np.array(value._value)[()], value.node))
    if isinstance(value, np.ndarray) and not isinstance(value, LiftedArray):
        return adopt(np.array(value))
    return value._inner if isinstance(value, Lifted) else value


def leaving(value: Any, copies: Rebinder) -> Any:
    """What the program gives, as its caller sees it."""

    def left(value: Any) -> Any:
        if isinstance(value, (LiftedArray, LiftedNumber)):
            content = tensor_of(value)
            if isinstance(content, Tensor) and content.tracked:
                return Tensor(np.array(bare(value))[()], content.node)
            return np.array(bare(value))
        if isinstance(value, (types.FunctionType, types.MethodType, type, types.ModuleType)):
            return Lifted(value, copies)
        return Lifted(value, copies) if _has_attributes(value) and _is_program(value) else value

    return mapped(left, value)


def _has_attributes(value: Any) -> bool:
    return hasattr(value, "__dict__") or hasattr(value, "__slots__")


def _is_program(value: Any) -> bool:
    return not isinstance(value, np.generic) and type(value).__module__ != "builtins"


_ = methods  # hung on the arrays by being imported
