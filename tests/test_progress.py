"""The line that says how far long work is: shown on a terminal after a second, gone at the end."""

import io
import time
from contextlib import redirect_stderr
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import progress as room


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Slow:
    def forward(self, x: Any) -> Any:
        time.sleep(0.01)
        self.x = x
        return x * x

    def backward(self, dout: Any) -> Any:
        return 2 * self.x * dout


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    screen = Terminal()
    monkeypatch.setattr(room, "_PATIENCE", 0.02)
    monkeypatch.delenv("AUTOGRAD_LITE_PROGRESS", raising=False)
    return screen


def test_long_work_shows_how_far_it_is(terminal: Terminal) -> None:
    with redirect_stderr(terminal):
        assert ag.compare(Slow(), np.ones(3)).ok
    text = terminal.getvalue()
    assert "comparing: Slow by numbers █" in text
    assert "%\r" in text
    assert text.endswith("\r\x1b[K")


@pytest.mark.parametrize("how", ["argument", "environment", "no terminal", "quick"])
def test_nothing_is_shown(how: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "environment":
        monkeypatch.setenv("AUTOGRAD_LITE_PROGRESS", "0")
    if how == "no terminal":
        monkeypatch.setattr(terminal, "isatty", lambda: False)
    if how == "quick":
        monkeypatch.setattr(room, "_PATIENCE", 60.0)
    with redirect_stderr(terminal):
        ag.compare(Slow(), np.ones(3), progress=False if how == "argument" else None)
    assert terminal.getvalue() == ""


def test_it_goes_when_the_work_raises(terminal: Terminal) -> None:
    def work() -> None:
        with room.progress("work", True):
            time.sleep(0.03)
            room.step("half", 0.5)
            raise KeyError

    with redirect_stderr(terminal), pytest.raises(KeyError):
        work()
    room.step("nobody looks")
    assert terminal.getvalue() == f"\r\x1b[Kwork: half {'█' * 12}{'░' * 12}  50%\r\x1b[K"


def test_a_call_that_tells_nothing_shows_for_how_long_it_runs(terminal: Terminal) -> None:
    with redirect_stderr(terminal), room.progress("work"), room.waiting("thinking"):
        time.sleep(0.5)
    assert "work: thinking, 0 s" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_making_machine_code_tells_how_far_it_is(terminal: Terminal) -> None:
    pytest.importorskip("llvmlite", reason="the extra fast is not installed")
    pytest.importorskip("scipy", reason="the extra fast is not installed")

    def f(x: Any) -> Any:
        for k in range(150):
            x = ag.tanh(x) * (1.01 + 0.01 * k)
        return x

    with pytest.MonkeyPatch.context() as patch, redirect_stderr(terminal):
        patch.setenv("AUTOGRAD_LITE_CACHE", "")
        ag.compile(f, backend="numba")(np.ones(3))
    shown = terminal.getvalue()
    assert "ag.compile of 301 nodes: making machine code" in shown
    assert shown.endswith("\r\x1b[K")
