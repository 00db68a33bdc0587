"""A line on the terminal that says how far long work is; nothing where nobody looks.

Knows: when to show it (standard error is a terminal, and a second has passed), how it looks.
Does not know: what the work is.
Imports: the standard library.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar

__all__ = ["progress", "step", "waiting"]

_PATIENCE = 1.0  # seconds before anything is shown
_PAUSE = 0.1  # seconds between two changes of what is shown
_WIDTH = 24


class _Line:
    """One line that is written over again and again, and gone at the end."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._next = time.monotonic() + _PATIENCE
        self._shown = False

    def show(self, what: str, part: float | None) -> None:
        """What is being done, and how much of it is."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next, self._shown = now + _PAUSE, True
        bar = ""
        if part is not None:
            full = int(_WIDTH * min(max(part, 0.0), 1.0))
            bar = f" {'█' * full}{'░' * (_WIDTH - full)} {min(part, 0.99):4.0%}"
        _write(f"\r\x1b[K{self._title}: {what}{bar}")

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            _write("\r\x1b[K")


_LINE: ContextVar[_Line | None] = ContextVar("progress", default=None)


@contextlib.contextmanager
def progress(title: str, wanted: bool | None = None) -> Iterator[None]:
    """Show the steps of what runs inside, if it takes longer than a second.

    `wanted` says whether; None leaves it to the terminal: standard error is one, and the variable
    AUTOGRAD_LITE_PROGRESS is not 0. Inside another one nothing changes.
    """
    if wanted is None:
        wanted = sys.stderr.isatty() and os.environ.get("AUTOGRAD_LITE_PROGRESS") != "0"
    if not wanted or _LINE.get() is not None:
        yield
        return
    line = _Line(title)
    token = _LINE.set(line)
    try:
        yield
    finally:
        _LINE.reset(token)
        line.close()


def step(what: str, part: float | None = None) -> None:
    """Say what is done now, and which part of it is (0 to 1); costs nothing where none is shown."""
    line = _LINE.get()
    if line is not None:
        line.show(what, part)


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say what is done, and since when, while something runs that tells nothing."""
    line = _LINE.get()
    if line is None:
        yield
        return
    over, begun = threading.Event(), time.monotonic()

    def tell() -> None:
        while not over.wait(_PAUSE):
            line.show(f"{what}, {time.monotonic() - begun:.0f} s", None)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _write(text: str) -> None:
    with contextlib.suppress(OSError, UnicodeError):  # a terminal of few signs, or none any more
        sys.stderr.write(text)
        sys.stderr.flush()
