"""What a function uses beside its arguments: arrays, numbers and generators that it closes over.

Walks closures, globals that its code names, bound objects and containers. What is found is read
from its place anew at each call, so that neither a changed array nor a changed number is baked in.
Knows Python's functions; does not know tensors. Imports errors and NumPy.
"""

import functools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CellType, FunctionType, MethodType
from typing import Any

import numpy as np

from autograd_lite.errors import INTERNAL, UnsupportedError

__all__ = ["Surroundings", "surroundings"]

_MOST = 5000  # objects that are looked at
_SIMPLE = (bool, int, float, complex, str, bytes, type(None))
Read = Callable[[], Any]


@dataclass
class Surroundings:
    """Places of arrays by identity, of plain values, and generators of random numbers."""

    arrays: dict[int, Read] = field(default_factory=dict)
    numbers: list[Read] = field(default_factory=list)
    generators: list[Any] = field(default_factory=list)

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


def _may_change(value: Any) -> bool:
    """Whether plain values in it may be others at the next call: of a user's function, a layer."""
    if isinstance(value, FunctionType):
        return not INTERNAL[value.__code__.co_filename]
    return hasattr(value, "tree_parts")


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state()


def _restore(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)


def surroundings(f: Any) -> Surroundings:
    """All that ``f`` reaches.

    >>> rate, table = 0.5, np.ones(3)
    >>> def scaled(x):
    ...     return x * table * rate
    >>> found = surroundings(scaled)
    >>> len(found.arrays), [read() for read in found.numbers]
    (1, [0.5])
    """
    found = Surroundings()
    seen: set[int] = set()
    stack: list[tuple[Any, Read]] = [(f, lambda: f)]
    while stack and len(seen) < _MOST:
        value, read = stack.pop()
        if isinstance(value, np.ndarray):
            found.arrays[id(value)] = read
        elif isinstance(value, (np.random.Generator, np.random.RandomState)):
            found.generators.append(value)
        elif id(value) not in seen and not isinstance(value, type):
            seen.add(id(value))
            for part, place in _parts(value):
                if isinstance(part, _SIMPLE):
                    if _may_change(value):
                        found.numbers.append(place)
                else:
                    stack.append((part, place))
    return found


def _parts(value: Any) -> Iterator[tuple[Any, Read]]:
    """What a value holds, each with how to read it again."""
    if isinstance(value, functools.partial):
        yield from _parts((value.func, value.args, value.keywords))
    elif isinstance(value, MethodType):
        yield from ((part, lambda part=part: part) for part in (value.__func__, value.__self__))
    elif isinstance(value, FunctionType):
        if not INTERNAL[value.__code__.co_filename] or value.__closure__:
            yield from _of_function(value)
    elif isinstance(value, dict):
        for key in list(value)[:200]:
            yield value[key], functools.partial(value.__getitem__, key)
    elif isinstance(value, (list, tuple)):
        for i, part in enumerate(value[:200]):
            yield part, functools.partial(value.__getitem__, i)
    elif hasattr(value, "__dict__") and not isinstance(value, (type(np), Surroundings)):
        names = vars(value)
        for key in list(names)[:200]:
            yield names[key], functools.partial(getattr, value, key)


def _of_function(f: FunctionType) -> Iterator[tuple[Any, Read]]:
    for cell in f.__closure__ or ():
        try:
            yield cell.cell_contents, functools.partial(_contents, cell)
        except ValueError:  # not filled yet
            continue
    if INTERNAL[f.__code__.co_filename]:
        return
    for code in _codes(f.__code__):
        for name in code.co_names:
            if name in f.__globals__ and not isinstance(f.__globals__[name], type(np)):
                yield f.__globals__[name], functools.partial(f.__globals__.__getitem__, name)
    for part in f.__defaults__ or ():
        yield part, functools.partial(_same, part)


def _codes(code: Any) -> Iterator[Any]:
    """The code of a function and of those defined inside it."""
    yield code
    for part in code.co_consts:
        if hasattr(part, "co_names"):
            yield from _codes(part)


def _contents(cell: CellType) -> Any:
    return cell.cell_contents


def _same(value: Any) -> Any:
    return value
