"""``ag.compile``: a function that keeps a program for each kind of call.

Knows when a program serves a call and when the function has to be traced anew. Does not know any
operator, pass or back end, nor how a call goes on (``entries``). Imports errors, modes, recording
and its own room.
"""

import functools
import threading
import warnings
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from autograd_lite.compiler import backends
from autograd_lite.compiler.entries import Entry
from autograd_lite.compiler.passes import Pass
from autograd_lite.compiler.program import Program
from autograd_lite.compiler.signature import MISS, read_arguments
from autograd_lite.errors import DomainError, DTypeError, UnsupportedError, describe
from autograd_lite.graph import Graph, without_collector
from autograd_lite.modes import current_mode

__all__ = ["Compiled", "compile"]

LIMIT = 32
"""Programs that one compiled function keeps, unless ``limit=`` says otherwise."""


def compile(  # the public name, ag.compile
    f: Callable[..., Any] | None = None,
    *,
    backend: str = "numpy",
    limit: int = LIMIT,
    check: bool = False,
    **options: Any,
) -> Any:
    """The same function as a program: traced once for each kind of call, simplified, compiled.

    ``f`` takes arrays and tensors, in dicts, lists, tuples and dataclasses too, and may use
    ``ag.grad`` and its kin, ``backward()``, layers and optimizers: what it reads of parameters,
    buffers, optimizers and ``ag.random`` generators is read anew at each call, what it writes is
    put into place when a call has succeeded. Other arguments (numbers, strings, layers, functions)
    are static: a call with another one, or with arrays of other shapes or dtypes, traces ``f``
    anew. ``limit`` programs are kept; where more are needed the one that was used longest ago goes,
    with a warning.

    ``backend`` names what runs the program: ``"numpy"``, or another file of
    ``autograd_lite/compiler/backends``; ``options`` are for it. Also a decorator.

    ``check=True`` holds every pass against the graph before it, at each call, on its values and on
    edge values; ``CompileError`` names the pass that changes a result.

    Raises ``DetachedError`` where the function branches on values, or keeps one beyond its trace.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> slope = ag.compile(ag.grad(lambda x: (x**3).sum()))
    >>> slope(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> print(slope.passes[-1])
    factors: 3 → 3 nodes
    """
    if f is None:
        return functools.partial(compile, backend=backend, limit=limit, check=check, **options)
    if not callable(f):
        has_forward = hasattr(f, "forward")
        raise DTypeError(
            f"ag.compile of {describe(f)}, which cannot be called",
            mend="ag.compile(layer.forward)" if has_forward else "give a function or a layer",
        )
    return Compiled(f, backend, limit, check, options)


class Compiled:
    """A function and its programs, one for each kind of call that was made so far.

    ``source``, ``graph``, ``passes`` and ``program`` are those of the latest trace.
    """

    def __init__(
        self, f: Callable[..., Any], backend: str, limit: int, check: bool, options: dict[str, Any]
    ) -> None:
        if type(limit) is not int or limit < 1:
            raise DomainError(
                f"limit={limit!r}", mend="give the number of programs to keep, 1 or more"
            )
        self._f, self._limit, self._check, self._options = f, limit, check, options
        self._back_end = backends.find(backend)
        self._entries: tuple[Entry, ...] = ()  # replaced as a whole: readers need no lock
        self._latest: Entry | None = None
        self._lock = threading.RLock()
        functools.update_wrapper(self, f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives."""
        mode = current_mode()
        if mode.tracing or mode.debug:
            return self._f(*args, **kwargs)
        entries = self._entries
        for entry in entries:
            result = entry.call(args, kwargs)
            if result is not MISS:
                if entry is not entries[0]:
                    self._to_front(entry)
                return result
        return self._call_slowly(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method, which gets its object as first argument."""
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        """Like a function: copied as itself, pickled by its name; programs are made anew."""
        if isinstance(self._f, FunctionType):
            return self._f.__qualname__
        name = self._back_end.__name__.rpartition(".")[2]  # type: ignore[attr-defined]  # a module
        return Compiled, (self._f, name, self._limit, self._check, self._options)

    def _call_slowly(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that no program recognised as it is: tracked, of foreign arrays, or new."""
        found = read_arguments(self._f, args, kwargs)
        if found.carries_tangents:
            return self._f(*args, **kwargs)
        given, named = found.rebuilt(args, kwargs, found.untracked())
        operands = found.operands if current_mode().recording and found.tracked else None
        tried: set[Entry] = set()
        result = self._served(given, named, operands, tried)
        if result is not MISS:
            return result
        with self._lock:
            result = self._served(given, named, operands, tried)  # traced by another thread
            if result is not MISS:
                return result
            with without_collector():
                entry = Entry.traced(self._f, found, given, named, self._back_end, self._options,
                                     check=self._check)  # fmt: skip
            values, entry.first = entry.first, ([], [])
            self._keep(entry)
        result = entry.finish(values, operands)
        return self._f(*args, **kwargs) if result is MISS else result  # which raises what it raises

    def _served(self, args: Any, kwargs: Any, operands: Any, tried: set[Entry]) -> Any:
        """What a program gives that has not been tried and is one for this call."""
        for entry in self._entries:
            values: Any = MISS if entry in tried else entry.match(args, kwargs)
            result = MISS if values is MISS else entry.finish(values, operands)
            if result is not MISS:
                self._to_front(entry)
                return result
            tried.add(entry)
        return MISS

    def _to_front(self, entry: Entry) -> None:
        """The program that was used last is the last to go."""
        with self._lock:
            if entry in self._entries:
                others = (one for one in self._entries if one is not entry)
                self._entries = (entry, *others)

    def _keep(self, entry: Entry) -> None:
        if len(self._entries) >= self._limit:
            change = self._entries[0].change()
            warnings.warn(
                f"{getattr(self, '__name__', 'a function')} was traced {self._limit} times and "
                "more: "
                + (
                    f"what it closes over is another at each call ({change}): make it an argument"
                    if change
                    else "an argument that is another at each call should be an array "
                    "(np.float64(rate))"
                )
                + ", or raise limit=",
                RuntimeWarning,
                stacklevel=4,
            )
        self._entries = (entry, *self._entries)[: self._limit]
        self._latest = entry

    # what can be looked at

    def _seen(self) -> Entry:
        if self._latest is None:
            raise UnsupportedError(
                "nothing was compiled yet: shapes are known at the first call",
                mend="call the compiled function once",
            )
        return self._latest

    @property
    def program(self) -> Program:
        """The program of the latest trace."""
        return self._seen().program

    @property
    def graph(self) -> Graph:
        """The simplified graph of the latest trace: results first, then what is written."""
        return self._seen().program.graph

    @property
    def passes(self) -> list[Pass]:
        """How the traced graph became ``graph``: the passes, each with before and after."""
        return list(self._seen().passes)

    @property
    def source(self) -> str:
        """The code that runs."""
        return self._seen().executable.source

    @property
    def executable(self) -> Any:
        """What the back end made: its ``source`` and whatever else it tells."""
        return self._seen().executable

    def __repr__(self) -> str:
        return (
            f"<compiled {getattr(self._f, '__qualname__', self._f)}: {len(self._entries)} programs>"
        )
