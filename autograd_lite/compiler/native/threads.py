"""Threads that share a kernel's parts: a pool for the process, and its code as LLVM's text.

A kernel in parts gives the same bits whoever computes a part, in whatever order; so who is free
takes the next one. The caller works too, and waits for nobody who has not begun. Workers sleep in
machine code, without Python's lock. Where another call uses the pool, after a fork, or without
POSIX semaphores, a caller does all parts itself. Knows the pool's memory. Does not know kernels nor
programs. Imports errors, machine and NumPy.
"""

import contextlib
import ctypes
import functools
import os
import sys
import threading
from typing import Any

import numpy as np

from autograd_lite.compiler.native import machine
from autograd_lite.errors import DomainError

__all__ = ["DECLARED", "helpers_for", "pool_memory", "sharing"]

_GO, _DONE, _NEXT, _PARTS, _KERNEL, _ARGS, _BUSY, _WORKERS = 0, 64, 128, 192, 200, 208, 216, 224
_BYTES = 256  # of the pool; a semaphore takes 32 at most, and what all write to has its own 64

_WORK = f"""define internal void @work(ptr %pool) nounwind {{
entry:
  %next = getelementptr i8, ptr %pool, i64 {_NEXT}
  %pp = getelementptr i8, ptr %pool, i64 {_PARTS}
  %pk = getelementptr i8, ptr %pool, i64 {_KERNEL}
  %pa = getelementptr i8, ptr %pool, i64 {_ARGS}
  %parts = load i64, ptr %pp
  %kernel = load ptr, ptr %pk
  %args = load ptr, ptr %pa
  br label %head
head:
  %i = atomicrmw add ptr %next, i64 1 seq_cst
  %more = icmp slt i64 %i, %parts
  br i1 %more, label %body, label %end
body:
  call void %kernel(ptr %args, i64 %i)
  br label %head
end:
  ret void
}}
"""
_WORKER = f"""declare i32 @sem_wait(ptr)
declare i32 @sem_post(ptr)

{_WORK}
define void @worker(ptr %pool) nounwind {{
entry:
  %done = getelementptr i8, ptr %pool, i64 {_DONE}
  br label %wait
wait:
  %failed = call i32 @sem_wait(ptr %pool)
  %woken = icmp eq i32 %failed, 0
  br i1 %woken, label %begin, label %wait
begin:
  call void @work(ptr %pool)
  call i32 @sem_post(ptr %done)
  br label %wait
}}
"""
_ALONE = """define internal void @alone(ptr %kernel, ptr %args, i64 %parts) nounwind {
entry:
  br label %body
body:
  %i = phi i64 [0, %entry], [%n, %body]
  call void %kernel(ptr %args, i64 %i)
  %n = add i64 %i, 1
  %more = icmp slt i64 %n, %parts
  br i1 %more, label %body, label %end
end:
  ret void
}
"""
_SHARED = f"""{_WORK}
{_ALONE}
define internal void @shared(ptr %pool, i64 %wanted, ptr %kernel, ptr %args, i64 %parts) nounwind {{
entry:
  %done = getelementptr i8, ptr %pool, i64 {_DONE}
  %busy = getelementptr i8, ptr %pool, i64 {_BUSY}
  %pw = getelementptr i8, ptr %pool, i64 {_WORKERS}
  %there = load i64, ptr %pw
  %fewer = icmp slt i64 %there, %wanted
  %helpers = select i1 %fewer, i64 %there, i64 %wanted
  %some = icmp sgt i64 %helpers, 0
  br i1 %some, label %claim, label %byself
claim:
  %pair = cmpxchg ptr %busy, i64 0, i64 1 seq_cst seq_cst
  %ours = extractvalue {{i64, i1}} %pair, 1
  br i1 %ours, label %set, label %byself
byself:
  call void @alone(ptr %kernel, ptr %args, i64 %parts)
  ret void
set:
  %next = getelementptr i8, ptr %pool, i64 {_NEXT}
  %pp = getelementptr i8, ptr %pool, i64 {_PARTS}
  %pk = getelementptr i8, ptr %pool, i64 {_KERNEL}
  %pa = getelementptr i8, ptr %pool, i64 {_ARGS}
  store i64 %parts, ptr %pp
  store ptr %kernel, ptr %pk
  store ptr %args, ptr %pa
  store atomic i64 0, ptr %next seq_cst, align 8
  br label %wake
wake:
  %w = phi i64 [0, %set], [%w1, %wake]
  call i32 @sem_post(ptr %pool)
  %w1 = add i64 %w, 1
  %another = icmp slt i64 %w1, %helpers
  br i1 %another, label %wake, label %help
help:
  call void @work(ptr %pool)
  br label %recall
recall:
  %left = phi i64 [%helpers, %help], [%fewer1, %asleep]
  %nobody = icmp eq i64 %left, 0
  br i1 %nobody, label %end, label %try
try:
  %begun = call i32 @sem_trywait(ptr %pool)
  %sleeps = icmp eq i32 %begun, 0
  br i1 %sleeps, label %asleep, label %join
asleep:
  %fewer1 = sub i64 %left, 1
  br label %recall
join:
  %rest = phi i64 [%left, %try], [%rest1, %joined]
  %all = icmp eq i64 %rest, 0
  br i1 %all, label %end, label %wait
wait:
  %failed = call i32 @sem_wait(ptr %done)
  %woken = icmp eq i32 %failed, 0
  br i1 %woken, label %joined, label %wait
joined:
  %rest1 = sub i64 %rest, 1
  br label %join
end:
  store atomic i64 0, ptr %busy seq_cst, align 8
  ret void
}}
"""
_UNSHARED = f"""{_ALONE}
define internal void @shared(ptr %pool, i64 %wanted, ptr %kernel, ptr %args, i64 %parts) nounwind {{
  call void @alone(ptr %kernel, ptr %args, i64 %parts)
  ret void
}}
"""
_KNOWN = sys.platform.startswith("linux")  # of the semaphores' size and place in memory
DECLARED = {f"declare i32 @sem_{name}(ptr)" for name in ("wait", "trywait", "post") if _KNOWN}
"""What ``sharing`` calls."""


def sharing() -> str:
    """``@shared(pool, helpers, kernel, args, parts)``: ``kernel(args, i)`` for every part i."""
    return _SHARED if _KNOWN else _UNSHARED


@functools.cache
def pool_memory() -> Any:
    """What the process's threads share, at an address that stays."""
    whole = np.zeros(_BYTES + 64, np.uint8)
    start = -whole.ctypes.data % 64
    return whole[start : start + _BYTES]


def _usual_threads() -> int:
    """``OMP_NUM_THREADS`` where that is set, else the processors that this process may use."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told):
        return int(told)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_LOCK = threading.Lock()


def helpers_for(threads: int | None) -> int:
    """How many workers a program of so many threads has beside its caller; they are started here.

    Raises:
        DomainError: fewer than one thread.
    """
    count = _usual_threads() if threads is None else threads
    if count < 1:
        raise DomainError(f"threads={count}", mend="one thread is the caller's own")
    with _LOCK:
        return min(count - 1, _started(count - 1))


def _workers() -> Any:
    return pool_memory()[_WORKERS : _WORKERS + 8].view(np.int64)


def _started(wanted: int) -> int:
    """Workers that are there, with as many as are wanted if they can be had."""
    there = int(_workers()[0])
    if there >= wanted or not _KNOWN:
        return there
    work = _worker_function()
    address = pool_memory().ctypes.data
    if not there:
        _make_semaphores()
    for i in range(there, wanted):
        name = f"autograd_lite worker {i + 1}"
        threading.Thread(target=work, args=(address,), name=name, daemon=True).start()
    _workers()[0] = wanted
    return wanted


@functools.cache
def _worker_function() -> Any:
    """What a worker runs, for ever; a call of it lets Python's lock go."""
    address, _ = machine.compiled(_WORKER, ["sem_wait", "sem_post"])
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address("worker"))
    function.code = address  # type: ignore[attr-defined]  # the code lives as long as this does
    return function


def _make_semaphores() -> None:
    make = ctypes.CDLL(None).sem_init
    for place in (_GO, _DONE):
        make(ctypes.c_void_p(pool_memory().ctypes.data + place), 0, 0)


def _forget_workers() -> None:
    """A forked process has no workers: callers do all themselves until it compiles a program."""
    global _LOCK  # noqa: PLW0603  # the old one may be held by a thread that is not here
    _LOCK = threading.Lock()
    pool_memory()[:] = 0


with contextlib.suppress(AttributeError):  # where there is no fork
    os.register_at_fork(after_in_child=_forget_workers)
