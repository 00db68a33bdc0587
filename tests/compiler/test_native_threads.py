"""Large loops of the numba back end in threads: the same bits, whoever computes which part."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DomainError

pytest.importorskip("llvmlite", reason="the extra fast is not installed")
pytest.importorskip("scipy", reason="the extra fast is not installed")

from autograd_lite.compiler.native import threads as pool
from tests.compiler.test_native import compiled

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are Linux's")


def reductions(a: Any) -> Any:
    """Over all, over rows, over columns, and what is kept of each element."""
    away = a - ag.mean(a, axis=0)
    return (
        ag.sum(a), ag.min(a), ag.any(a > 5.0), ag.prod(1 + a * 1e-6), ag.sum(a, axis=0),
        ag.max(a, axis=1), ag.mean(away * away, axis=0), ag.exp(a) / (1 + ag.abs(a)),
        ag.sum(ag.where(a > 0, a, 2 * a), axis=(0, 1)), ag.argmax(a, axis=1),
    )  # fmt: skip


def every_other(a: Any) -> Any:
    b = a[::2, ::-1] * 2 + ag.transpose(a)[0][::-1][: a.shape[1]].sum()
    return b, ag.sum(b, axis=0), ag.sum(b)


SHAPES = [(1003, 777), (3, 300_001), (400_003, 2), (17, 40, 1000), (1, 700_001)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_bits_for_any_number_of_threads(
    shape: tuple[int, ...], dtype: Any, rng: np.random.Generator
) -> None:
    x = rng.normal(size=shape).astype(dtype)
    programs = [compiled(reductions, x, threads=n) for n in (1, 3)]
    first = programs[0](x)
    assert "@k0.part" in programs[0].executable.llvm
    terms = np.abs(x.astype(np.float64))
    for one, other in zip(first, reductions(x.astype(np.float64)), strict=True):
        summed = terms.sum() if np.ndim(one) == 0 else terms.sum(axis=0).max()
        assert np.shape(one) == np.shape(other)
        bound = 16 * np.finfo(dtype).eps * max(np.max(np.abs(other)), summed)
        assert np.max(np.abs(one - other * 1.0)) <= bound
    for program in programs[1:]:
        for one, other in zip(program(x), first, strict=True):
            np.testing.assert_array_equal(one, other)


def test_views_that_are_passed_backwards_or_by_steps(rng: np.random.Generator) -> None:
    x = rng.normal(size=(900, 900))
    program = compiled(every_other, x, threads=2)
    for one, other in zip(program(x), every_other(x), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12 * x.size)


def test_an_index_out_of_bounds_is_told_by_large_loops_too(rng: np.random.Generator) -> None:
    x, i = rng.normal(size=10), rng.integers(0, 10, 500_000)
    program = compiled(lambda x, i: ag.exp(x[i]) * 2 + 1, x, i, threads=2)
    np.testing.assert_allclose(program(x, i), np.exp(x[i]) * 2 + 1, rtol=1e-15)
    i[123_456] = 10
    with pytest.raises(IndexError):
        program(x, i)


def test_many_callers_at_once(rng: np.random.Generator) -> None:
    """One of them has the pool; the others do their parts themselves."""
    xs = [rng.normal(size=(700, 500)) for _ in range(4)]
    program = compiled(reductions, xs[0], threads=3)
    wanted = [program(x) for x in xs]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(25):
            found = program(xs[i])
            if not all(map(np.array_equal, found, wanted[i])):
                wrong.append(i)

    callers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def ticks(worker: threading.Thread) -> int:
    """Processor time of a thread so far."""
    stat = Path(f"/proc/self/task/{worker.native_id}/stat").read_text(encoding="ascii")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return int(user) + int(system)


@linux
def test_a_worker_does_a_share(rng: np.random.Generator) -> None:
    x = rng.normal(size=1_000_000)
    program = compiled(ag.tanh, x, threads=2)
    assert program.executable.threads == 2
    worker = next(one for one in threading.enumerate() if one.name == "autograd_lite worker 1")
    before = ticks(worker)
    for _ in range(2000):
        program(x)
        if ticks(worker) > before:
            return
    pytest.fail("the worker slept all the time")


@linux
def test_a_forked_process_does_all_itself() -> None:
    """Its workers are gone: it must not wait for them."""
    code = """
        import os, signal, sys, warnings
        import numpy as np
        import autograd_lite as ag
        f = ag.compile(lambda x: ag.sum(ag.exp(x)), backend="numba", threads=2)
        x = np.linspace(0, 1, 600_000)
        f(x)
        wanted = f(x)
        warnings.simplefilter("ignore")  # a fork beside threads
        child = os.fork()
        if not child:
            signal.alarm(20)
            g = ag.compile(lambda x: ag.sum(ag.exp(x) * 2), backend="numba", threads=2)
            same = all(f(x) == wanted for _ in range(5))
            g(x)
            os._exit(0 if same and abs(g(x) / wanted - 2) < 1e-14 else 7)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or int(f(x) != wanted))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_how_many_threads_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DomainError, match="threads=0"):
        compiled(lambda x: ag.exp(x) * x + 1, np.ones(10**6), threads=0)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert pool.helpers_for(None) == 0
    small = compiled(lambda x: x + 1, np.ones(100), threads=4)
    assert small.executable.threads == 1  # nothing to share
