"""Modes of the recorder: recording or not, tracing, debugging, and the current scope.

One context variable holds one immutable object, so that threads and tasks do not disturb each
other and every mode is restored after an exception. Does not know tensors or operators. Imports
errors and graph.
"""

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import Any, Self

from autograd_lite.errors import DTypeError, user_frame
from autograd_lite.graph import Scope

__all__ = ["Mode", "current_mode", "debug", "no_grad", "scope", "state", "using"]


class Mode:
    """The immutable state of the recorder in one thread or task."""

    __slots__ = ("abstract", "debug", "plain", "recording", "scope", "tracer", "tracing")

    def __init__(
        self,
        recording: bool = True,
        tracing: bool = False,
        debug: bool = False,
        scope: Scope | None = None,
        abstract: bool = False,
        tracer: Any = None,
    ) -> None:
        self.recording = recording
        self.tracing = tracing
        self.debug = debug
        self.scope = scope
        self.abstract = abstract  # numbers are made up: nothing may be learnt from them
        self.tracer = tracer  # what a compiled function's trace notes of state: compiler.tracing
        self.plain = recording and not tracing and not debug

    def but(self, **changes: Any) -> "Mode":
        """This mode with some entries changed."""
        entries = {key: getattr(self, key) for key in self.__slots__ if key != "plain"}
        return Mode(**{**entries, **changes})


state: ContextVar[Mode] = ContextVar("autograd_lite_mode", default=Mode())  # noqa: B039 - immutable
current_mode = state.get


class using(ContextDecorator):  # noqa: N801 - a context manager reads as a verb
    """Run a block, or every call of a function, with some entries of the mode changed."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._tokens: list[Token[Mode]] = []

    def _recreate_cm(self) -> Self:
        fresh = object.__new__(type(self))
        using.__init__(fresh, **self._changes)
        return fresh

    def __enter__(self) -> Any:
        self._tokens.append(state.set(state.get().but(**self._changes)))
        return self

    def __exit__(self, *exc: object) -> None:
        state.reset(self._tokens.pop())


class no_grad(using):  # noqa: N801 - a context manager reads as a verb
    """Nothing is recorded inside: results are constants. Context manager and decorator.

    >>> import autograd_lite as ag
    >>> x = ag.tensor(2.0)
    >>> with ag.no_grad():
    ...     y = x * x
    >>> float(y)
    4.0
    """

    def __init__(self) -> None:
        super().__init__(recording=False)


class debug(using):  # noqa: N801 - a context manager reads as a verb
    """The first NaN or infinity that an operator makes of finite inputs raises, with its line.

    >>> import autograd_lite as ag
    >>> with ag.debug():
    ...     y = ag.tensor(1.0) * 2
    """

    def __init__(self) -> None:
        super().__init__(debug=True)


class scope(using):  # noqa: N801 - a context manager reads as a verb
    """Nodes made inside belong to a part of that name. Context manager and decorator.

    A scope is what a picture folds, and what a comparison and generated code name.

    >>> import autograd_lite as ag
    >>> with ag.scope("Square"):
    ...     y = ag.tensor(3.0) ** 2
    >>> y.node.scope.path
    'Square'
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise DTypeError(f"a scope's name is a string, not a {type(name).__name__}")
        super().__init__(name=name)

    def __enter__(self) -> Scope:
        mode = state.get()
        frame = user_frame(2)
        code, offset = (frame.f_code, frame.f_lasti) if frame else (None, 0)
        inner = Scope(self._changes["name"], mode.scope, code, offset)
        self._tokens.append(state.set(mode.but(scope=inner)))
        return inner
