"""Compiled programs beside hand-written NumPy, bare BLAS calls, PyTorch and JAX.

Also the memory of a step, and compile time.

On one thread everything of one work runs in one process, in turn, on one core: whatever a library
starts has to share it. On several each contender has a process of its own, for pools of threads
disturb each other; the processes too run in turn, and the least counts.

    python -m tests.benchmarks compiled [--work PART …] [--contender NAME …] [--threads N]
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import subprocess
import sys
import time
import timeit
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks._contenders import ONE_THREAD

Array = Any
Run = Callable[[], Any]
ROUNDS = 15
PEERS = {"PyTorch eager": "torch", "JAX jit": "jax"}
CONTENDERS = [
    "BLAS alone",
    "two passes",
    "by hand",
    "compiled numpy",
    "numpy donate=",
    "compiled numba",
    "numba donate=",
    *PEERS,
]


# networks: data, and one step by hand, in bare BLAS calls, by our functions, by another library


def network(sizes: list[int], batch: int, dtype: Any) -> list[Array]:
    """x, target, then W and b of each layer."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(batch, sizes[0])), rng.normal(size=(batch, sizes[-1]))]
    for n, m in itertools.pairwise(sizes):
        arrays += [rng.normal(size=(n, m)) / np.sqrt(n), np.zeros(m)]
    return [array.astype(dtype) for array in arrays]


def by_hand(act: str, x: Array, t: Array, *params: Array) -> Any:
    """What one writes: forward, then backward, layer by layer."""
    kept = []
    for k in range(0, len(params), 2):
        kept.append(x)
        x = x @ params[k] + params[k + 1]
        if k + 2 < len(params):
            x = np.tanh(x) if act == "tanh" else np.maximum(x, 0)
    error = x - t
    g, found = error * x.dtype.type(2 / error.size), []
    for k in range(len(params) - 2, -1, -2):
        inner = kept.pop()
        found += [g.sum(axis=0), inner.T @ g]
        if k:
            g = g @ params[k].T
            g = g * (1 - inner * inner) if act == "tanh" else g * (inner > 0)
    return (error * error).mean(), *found[::-1]


def blas_alone(x: Array, t: Array, *params: Array) -> Run:
    """The matrix products of a step and nothing else, into memory that is there."""
    jobs = []
    sizes = [p.shape[0] for p in params[::2]] + [t.shape[1]]
    kept = [np.ones((len(x), n), x.dtype) for n in sizes]
    for k, W in enumerate(params[::2]):
        jobs.append((kept[k], W, kept[k + 1]))
        jobs.append((kept[k].T, kept[k + 1], np.empty_like(W)))
        if k:
            jobs.append((kept[k + 1], W.T, np.empty_like(kept[k])))

    def run() -> None:
        for a, b, out in jobs:
            np.dot(a, b, out)

    return run


def loss(xp: Any, act: Any, x: Any, t: Any, *params: Any) -> Any:
    """The step's loss in the words that all libraries share."""
    for k in range(0, len(params), 2):
        x = x @ params[k] + params[k + 1]
        if k + 2 < len(params):
            x = act(x)
    error = x - t
    return (error * error).mean()


def of_network(sizes: list[int], batch: int, dtype: Any, act: str, backends: list[str]) -> Any:
    data = network(sizes, batch, dtype)
    every = tuple(range(2, len(data)))
    runs: dict[str, Run] = {
        "BLAS alone": blas_alone(*data), "by hand": lambda: by_hand(act, *data),
    }  # fmt: skip
    ag = importlib.import_module("autograd_lite")
    ours = {"tanh": ag.tanh, "relu": lambda h: ag.maximum(h, 0)}[act]
    for name in backends:
        step = ag.compile(ag.value_and_grad(lambda *a: loss(ag, ours, *a), every), backend=name)
        runs[f"compiled {name}"] = lambda step=step: step(*data)
        runs[f"{name} donate="] = into_buffers(step, data)
    runs |= with_torch(lambda torch: {"tanh": torch.tanh, "relu": torch.relu}[act], data)
    runs |= with_jax(lambda jax: {"tanh": jax.numpy.tanh, "relu": jax.nn.relu}[act], data, every)
    wanted = by_hand(act, *data)
    for name in (f"compiled {one}" for one in backends):
        value, slopes = runs[name]()
        for got, other in zip([value, *slopes], wanted, strict=True):
            assert np.allclose(got, other, rtol=1e-3, atol=1e-4), name
    return runs


def into_buffers(step: Any, data: list[Array]) -> Run:
    """The step's program alone, its results in arrays that are there."""
    value, slopes = step(*data)
    given = [np.empty_like(one) for one in (np.asarray(value), *slopes)]
    step.executable(*data, donate=given)
    for one, other in zip(given, (value, *slopes), strict=True):
        assert np.array_equal(one, other)
    return lambda: step.executable(*data, donate=given)


ABSENT: set[str] = set()  # libraries that take no part in this process


def peer(library: str) -> Any:
    """Another library, if it is here and takes part."""
    try:
        return None if library in ABSENT else importlib.import_module(library)
    except ImportError:
        return None


def with_torch(act: Any, data: list[Array]) -> dict[str, Run]:
    torch = peer("torch")
    if torch is None:
        return {}
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    x, t, *params = [torch.from_numpy(array) for array in data]
    for p in params:
        p.requires_grad_()
    f = act(torch)

    def step() -> Any:
        for p in params:
            p.grad = None
        loss(torch, f, x, t, *params).backward()

    return {"PyTorch eager": step}


def with_jax(act: Any, data: list[Array], every: tuple[int, ...]) -> dict[str, Run]:
    jax = peer("jax")
    if jax is None:
        return {}
    jax.config.update("jax_enable_x64", True)
    step = jax.jit(jax.value_and_grad(lambda *a: loss(jax.numpy, act(jax), *a), every))
    given = [jax.device_put(array) for array in data]
    return {"JAX jit": lambda: jax.block_until_ready(step(*given))}


# layers


def hand_sigmoid(x: Array, g: Array) -> Any:
    y = 1 / (1 + np.exp(-x))
    return y, g * y * (1 - y)


def hand_cross_entropy(x: Array, labels: Array, g: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    value = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return value, p * x.dtype.type(1 / len(x))


def hand_layer_norm(x: Array, scale: Array, shift: Array, g: Array) -> Any:
    n = x.shape[1]
    centred = x - x.mean(axis=1, keepdims=True)
    spread = 1 / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + 1e-5)
    normal = centred * spread
    dn = g * scale
    dx = dn - dn.mean(axis=1, keepdims=True)
    dx -= normal * ((dn * normal).sum(axis=1, keepdims=True) / n)
    dx *= spread
    return normal * scale + shift, dx, (g * normal).sum(axis=0), g.sum(axis=0)


def hand_batch_norm(x: Array, scale: Array, shift: Array, g: Array) -> Any:
    n = len(x)
    centred = x - x.mean(axis=0)
    spread = 1 / np.sqrt((centred * centred).mean(axis=0) + 1e-5)
    normal = centred * spread
    dscale, dshift = (g * normal).sum(axis=0), g.sum(axis=0)
    dx = (scale * spread) * (g - dshift / n - normal * (dscale / n))
    return normal * scale + shift, dx, dscale, dshift


def hand_cell(x: Array, h: Array, c: Array, W: Array, U: Array, b: Array, g: Array) -> Any:
    a = x @ W + h @ U + b
    i, f, o, z = np.split(a, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-part)) for part in (i, f, o))
    z = np.tanh(z)
    cell = f * c + i * z
    s = np.tanh(cell)
    dc = g * o * (1 - s * s)
    da = np.concatenate(
        [dc * z * i * (1 - i), dc * c * f * (1 - f), g * s * o * (1 - o), dc * i * (1 - z * z)],
        axis=1,
    )
    return o * s, x.T @ da, h.T @ da, da.sum(axis=0), da @ W.T, da @ U.T, dc * f


def cell(xp: Any, sigmoid: Any, x: Any, h: Any, c: Any, W: Any, U: Any, b: Any) -> Any:
    n = h.shape[1]
    a = x @ W + h @ U + b
    i, f, o = (sigmoid(a[:, k * n : (k + 1) * n]) for k in range(3))
    new = f * c + i * xp.tanh(a[:, 3 * n :])
    return o * xp.tanh(new)


def of_layer(name: str, backends: list[str]) -> Any:
    """Forward and the gradients of all floating arguments, for a given cotangent."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Array:
        return rng.normal(size=shape).astype(np.float32)

    ag = importlib.import_module("autograd_lite")
    if name == "sigmoid":
        data, hand = [normal(10**6)], hand_sigmoid
        f: Any = ag.sigmoid
    elif name == "cross entropy":
        data, hand = [normal(512, 100), rng.integers(0, 100, 512)], hand_cross_entropy
        f = ag.nn.softmax_cross_entropy
    elif name == "layer norm":
        data, hand = [normal(512, 512), normal(512), normal(512)], hand_layer_norm
        f = ag.nn.layer_norm
    elif name == "batch norm":
        data, hand = [normal(512, 512), normal(512), normal(512)], hand_batch_norm
        f = ag.nn.batch_norm
    else:
        shapes = [(64, 128), (64, 128), (64, 128), (128, 512), (128, 512), (512,)]
        data, hand = [normal(*shape) * np.float32(0.3) for shape in shapes], hand_cell
        f = lambda *a: cell(ag, ag.sigmoid, *a)
    floating = [k for k, array in enumerate(data) if array.dtype.kind == "f"]
    g = np.float32(1) if name == "cross entropy" else normal(*np.shape(f(*data)))

    both = value_and_pulled(ag.vjp, f, floating)
    runs: dict[str, Run] = {"by hand": lambda: hand(*data, g)}
    if name == "sigmoid":  # what has to be read and written, and nothing computed
        runs["two passes"] = lambda: (data[0].copy(), g.copy())
    for one in backends:
        step = ag.compile(both, backend=one)
        runs[f"compiled {one}"] = lambda step=step: step(g, *data)
        value, slopes = step(g, *data)
        assert np.allclose(value, hand(*data, g)[0], rtol=1e-3, atol=1e-4)
        assert np.allclose(slopes[0], both(g, *data)[1][0], rtol=1e-3, atol=1e-4)
    return runs | layer_peers(name, data, g, floating)


def value_and_pulled(vjp: Any, f: Any, floating: list[int]) -> Callable[..., Any]:
    """What ``f`` gives, and what a cotangent becomes at its floating arguments."""

    def both(g: Any, *arrays: Any) -> Any:
        def only(*chosen: Any) -> Any:
            full = list(arrays)
            for k, one in zip(floating, chosen, strict=True):
                full[k] = one
            return f(*full)

        y, pull = vjp(only, *[arrays[k] for k in floating])
        return y, pull(g)

    return both


def layer_peers(name: str, data: list[Array], g: Array, floating: list[int]) -> dict[str, Run]:
    runs: dict[str, Run] = {}
    jax = peer("jax")
    if jax is None:
        return runs
    jnp = jax.numpy
    functions: dict[str, Any] = {
        "sigmoid": jax.nn.sigmoid,
        "cross entropy": lambda x, t: -jnp.take_along_axis(
            jax.nn.log_softmax(x), t[:, None], 1
        ).mean(),
        "layer norm": lambda x, s, b: (x - x.mean(1, keepdims=True))
        / jnp.sqrt(x.var(1, keepdims=True) + 1e-5) * s + b,
        "batch norm": lambda x, s, b: (x - x.mean(0)) / jnp.sqrt(x.var(0) + 1e-5) * s + b,
        "LSTM cell": lambda *a: cell(jnp, jax.nn.sigmoid, *a),
    }  # fmt: skip
    f = functions[name]

    both = value_and_pulled(jax.vjp, f, floating)
    step = jax.jit(both)
    given = [jax.device_put(array) for array in (g, *data)]
    runs["JAX jit"] = lambda: jax.block_until_ready(step(*given))
    return runs


# works


class Work(NamedTuple):
    """What is measured, and how much of what it may take: with NumPy, and as machine code."""

    contenders: Callable[[list[str]], dict[str, Run]]
    base: str
    aim: str
    native: str
    large: bool = True  # enough to be shared among threads


def _mlp(sizes: list[int], batch: int, dtype: Any, act: str = "relu") -> Any:
    return lambda backends: of_network(sizes, batch, dtype, act, backends)


def _layer(name: str) -> Any:
    return lambda backends: of_layer(name, backends)


_BLAS = ("BLAS alone", "1.05", "1.05")
_PEER = ("by hand", "1", "the best peer")
WORKS = {
    "MLP 2-8-1, batch 4, f64": Work(
        _mlp([2, 8, 1], 4, np.float64, "tanh"), "by hand", "0.75",
        "4 µs, donate= 2 µs, 0.15 of JAX", large=False,
    ),
    "MLP 64-64-64-10, batch 32, f32": Work(
        _mlp([64, 64, 64, 10], 32, np.float32), "by hand", "0.8", "0.7", large=False
    ),
    "MLP 784-512-256-10, batch 128, f32": Work(_mlp([784, 512, 256, 10], 128, np.float32), *_BLAS),
    "MLP 784-512-256-10, batch 128, f64": Work(_mlp([784, 512, 256, 10], 128, np.float64), *_BLAS),
    "MLP 784-1024-1024-10, batch 512, f32": Work(
        _mlp([784, 1024, 1024, 10], 512, np.float32), *_BLAS
    ),
    "MLP 784-1024-1024-10, batch 512, f64": Work(
        _mlp([784, 1024, 1024, 10], 512, np.float64), *_BLAS
    ),
    "sigmoid and its gradient, 10⁶, f32": Work(
        _layer("sigmoid"), "by hand", "0.85", "1.15 of two passes"
    ),
    "softmax cross-entropy, 512×100, f32": Work(_layer("cross entropy"), *_PEER),
    "batch norm, 512×512, f32": Work(_layer("batch norm"), *_PEER),
    "layer norm, 512×512, f32": Work(_layer("layer norm"), *_PEER),
    "LSTM cell, 64×128, f32": Work(_layer("LSTM cell"), *_PEER),
}  # fmt: skip


MEMORY, COMPILING = "memory at the peak of a step", "compile 10,000 nodes"


def timed(runs: dict[str, Run]) -> dict[str, float]:
    """The least time of each contender in microseconds, all of them in turn."""
    counts = {}
    for name, run in runs.items():
        run()
        once = min(timeit.repeat(run, number=1, repeat=3))
        counts[name] = max(1, int(0.01 / once))
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            took = min(timeit.repeat(run, number=counts[name], repeat=2)) / counts[name]
            best[name] = min(best[name], took * 1e6)
    return best


def memory(which: str) -> float:
    """MiB of arrays at the peak of one training step of 784-1024-1024-10, without the data."""
    data = network([784, 1024, 1024, 10], 512, np.float32)
    if which == "by hand":
        step: Run = lambda: by_hand("relu", *data)
    else:
        ag = importlib.import_module("autograd_lite")
        every = tuple(range(2, len(data)))
        compiled = ag.compile(
            ag.value_and_grad(lambda *a: loss(ag, lambda h: ag.maximum(h, 0), *a), every)
        )
        compiled(*data)
        compiled.executable.forget()
        step = lambda: compiled(*data)
    tracemalloc.start()
    step()
    return tracemalloc.get_traced_memory()[1] / 2**20


def chain(f: Any, n: int) -> Any:
    """A graph of n nodes that does not simplify."""

    def run(x: Any) -> Any:
        y = x
        for k in range(n // 2):
            y = f(y) * (1 + 1 / (k + 3))
        return y

    return run


def compile_time(which: str) -> float:
    """Seconds of processor time until the first result of a graph of 10,000 nodes."""
    x = np.linspace(0, 1, 8)
    if which == "JAX jit":
        jax = importlib.import_module("jax")
        run = jax.jit(chain(jax.numpy.sin, 10_000))
        jax.block_until_ready(jax.jit(lambda v: v + 1)(x))
        start = time.process_time()
        jax.block_until_ready(run(x))
        return time.process_time() - start
    ag = importlib.import_module("autograd_lite")
    ag.compile(lambda v: v + 1)(x)
    compiled = ag.compile(chain(ag.sin, 10_000))
    start = time.process_time()
    compiled(x)
    return time.process_time() - start


def in_a_process(*args: str, threads: int = 1) -> Any:
    """What this module prints for a work, run apart, on so many threads and cores."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[-threads:])  # the process inherits them
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.compiled", *args],
            cwd=Path(__file__).parent.parent.parent,
            env={**os.environ, **dict.fromkeys(ONE_THREAD, str(threads))},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        os.sched_setaffinity(0, cores)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:90]}
    return json.loads(done.stdout.splitlines()[-1])


def each_apart(work: str, names: list[str], threads: int, rounds: int = 2) -> dict[str, float]:
    """The least time of each contender, each in processes of its own."""
    best: dict[str, float] = {}
    for _, name in itertools.product(range(rounds), names):
        for key, us in in_a_process(work, name, threads=threads).items():
            best[key] = us if key == "failed" else min(us, best.get(key, us))
    return best


def table(work: str, names: list[str], threads: int) -> str:
    one = WORKS[work]
    found = in_a_process(work, *names) if threads == 1 else each_apart(work, names, threads)
    if "failed" in found:
        return f"  {work}: {found['failed']}"
    aim = f"{one.aim} of {one.base}; machine code: {one.native}" if threads == 1 else "best peer"
    lines = [f"  {work} (aim: {aim}; load {os.getloadavg()[0]:.1f})"]
    for name, us in found.items():
        ratio = f"{us / found[one.base]:9.2f}" if one.base in found else ""
        lines.append(f"    {name:18}{us:12,.1f} µs{ratio}")
    return "\n".join(lines)


def memory_table() -> str:
    hand, ours = in_a_process(MEMORY, "by hand"), in_a_process(MEMORY, "compiled")
    return f"  {MEMORY}: by hand {hand:.1f} MiB, compiled {ours:.1f}{ours / hand:9.2f}"


def compile_table() -> str:
    jax, numpy = in_a_process(COMPILING, "JAX jit"), in_a_process(COMPILING, "numpy")
    return f"  {COMPILING}: JAX {jax:.2f} s, numpy {numpy:.2f}{numpy / jax:9.2f}"


def chosen(parts: list[str] | None, names: Iterable[str], what: str) -> list[str]:
    """The names in which one of these parts occurs; all of them where no part is given."""
    found = [name for name in names if not parts or any(part in name for part in parts)]
    if not found:
        raise ValueError(f"no {what} with {' or '.join(parts or [])} in its name: see --list")
    return found


def report(
    work: list[str] | None = None, contender: list[str] | None = None, threads: int | None = None
) -> str:
    """Works by contenders, memory and compile time; on one thread, then the large on two."""
    works = chosen(work, [*WORKS, MEMORY, COMPILING], "work")
    names = chosen(contender, CONTENDERS, "contender")
    parts = []
    for count in (1, 2) if threads is None else (threads,):
        parts.append(f"  {os.cpu_count()} cores, {count} thread{'s' * (count > 1)}")
        for one in works:
            if one in WORKS and (work or count == 1 or WORKS[one].large):
                parts.append(table(one, names, count))
                print(parts[-1], file=sys.stderr, flush=True)
    apart = {MEMORY: memory_table, COMPILING: compile_table}
    return "\n".join([*parts, *(make() for one, make in apart.items() if one in works)])


def one_work(what: str, names: list[str]) -> dict[str, float]:
    """The times of these contenders at a work; libraries that are none of them are not loaded."""
    ABSENT.update(library for name, library in PEERS.items() if name not in names)
    backends = [one for one in ("numpy", "numba") if any(one in name for name in names)]
    runs = WORKS[what].contenders(backends)
    return timed({name: run for name, run in runs.items() if name in names})


if __name__ == "__main__":  # one work in a process of its own
    what, *given = sys.argv[1:]
    single = {MEMORY: memory, COMPILING: compile_time}
    print(json.dumps(single[what](given[0]) if what in single else one_work(what, given)))
