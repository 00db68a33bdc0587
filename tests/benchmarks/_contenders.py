"""One engine at one task, in a process of its own with one thread; prints what it measured.

    python -m tests.benchmarks._contenders TASK ENGINE

Every engine computes the same numbers; `measure` starts the processes and checks that.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import subprocess
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROUNDS = 3
Array = Any
Measured = dict[str, Any]
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")
}


def measure(task: str, engine: str) -> Measured:
    """What one engine measured at one task, or why it did not take part."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks._contenders", task, engine],
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"missing": (done.stderr.strip().splitlines() or ["failed"])[-1]}
    result: Measured = json.loads(done.stdout.splitlines()[-1])
    return result


def least(old: Measured | None, new: Measured) -> Measured:
    """The smaller of each figure."""
    if old is None or "missing" in new:
        return new
    return {key: min(value, old[key]) for key, value in new.items()}


def table(task: str, engines: list[str], columns: dict[str, str], base: str) -> str:
    """A row for each engine: its figures, and the ratio of the first to that of ``base``."""
    found: dict[str, Measured] = {}
    for _ in range(
        ROUNDS
    ):  # in turn, and the least counts: other work on the machine comes and goes
        for engine in engines:
            if "missing" not in found.get(engine, {}):
                found[engine] = least(found.get(engine), measure(task, engine))
    first = next(iter(columns))
    values = [row["value"] for row in found.values() if "missing" not in row]
    agree = np.allclose(values, values[0], rtol=1e-3)
    lines = ["  engine" + " " * 12 + "".join(f"{title:>18}" for title in columns.values())]
    lines[0] += f"{'of ' + base + chr(39) + 's':>20}"
    for engine, row in found.items():
        if "missing" in row:
            lines.append(f"  {engine:18}not here: {row['missing'][:70]}")
            continue
        cells = "".join(f"{row.get(key, float('nan')):18,.1f}" for key in columns)
        ratio = row[first] / found[base][first] if first in found[base] else float("nan")
        lines.append(f"  {engine:18}{cells}{ratio:20.2f}")
    return "\n".join(lines) + ("" if agree else f"\n  THE RESULTS DIFFER: {values}")


def microseconds(run: Callable[[], Any], budget: float = 0.6) -> float:
    """The shortest time of one call, over many short series."""
    run()
    gc.collect()
    timer = timeit.Timer(run)
    number = max(1, int(0.02 / max(timer.timeit(1), 1e-7)))
    series = max(5, int(budget / 0.02))
    return min(timer.repeat(series, number)) / number * 1e6


def resident() -> float:
    """Bytes that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def peak() -> float:
    """Bytes that this process held at most since `forget_peak`, or since its start."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return float(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024


def forget_peak() -> None:
    """Let the system measure the peak from here on."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


# data


def small() -> tuple[Array, ...]:
    """The 2-8-1 network and a batch of 4: x, target, W1, b1, W2, b2."""
    rng = np.random.default_rng(1)
    shapes = [(4, 2), (4, 1), (2, 8), (8,), (8, 1), (1,)]
    return tuple(rng.normal(size=shape) for shape in shapes)


def large() -> tuple[Array, ...]:
    """784-1024-1024-10, batch 512, float32: x, target, then W and b of three layers."""
    rng = np.random.default_rng(2)
    sizes = [784, 1024, 1024, 10]
    made = [rng.normal(size=(512, 784)), rng.normal(size=(512, 10))]
    for n, m in itertools.pairwise(sizes):
        made += [rng.normal(size=(n, m)) / np.sqrt(n), np.zeros(m)]
    return tuple(array.astype(np.float32) for array in made)


# engines: each gives a function that computes loss and all gradients, and returns their sizes


def hand_small(x: Array, t: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Any:
    h = np.tanh(x @ W1 + b1)
    error = h @ W2 + b2 - t
    g = error * (2 / error.size)
    dW2, db2 = h.T @ g, g.sum(axis=0)
    dh = (g @ W2.T) * (1 - h * h)
    return (error * error).mean(), (x.T @ dh, dh.sum(axis=0), dW2, db2)


def hand_large(x: Array, t: Array, *params: Array) -> Any:
    inputs, masks = [], []
    for k in range(0, len(params), 2):
        inputs.append(x)
        x = x @ params[k] + params[k + 1]
        if k + 2 < len(params):
            masks.append(x > 0)
            x = np.maximum(x, 0)
    error = x - t
    g, found = error * np.float32(2 / error.size), []
    for k in range(len(params) - 2, -1, -2):
        if k + 2 < len(params):
            g = g * masks.pop()
        found += [g.sum(axis=0), inputs.pop().T @ g]
        g = g @ params[k].T if k else g
    return (error * error).mean(), found


def loss_of(np_: Any, tanh: Any, x: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    error = tanh(x @ W1 + b1) @ W2 + b2 - t
    return (error * error).mean()


def loss_large(relu: Any, x: Any, t: Any, *params: Any) -> Any:
    for k in range(0, len(params), 2):
        x = x @ params[k] + params[k + 1]
        if k + 2 < len(params):
            x = relu(x)
    error = x - t
    return (error * error).mean()


def total(gradients: Any) -> float:
    """One number by which results are compared."""
    return float(sum(np.abs(np.asarray(g)).sum(dtype=np.float64) for g in gradients))


def ours(task: str, release: bool = False) -> tuple[Callable[[], Any], Callable[[], float]]:
    import autograd_lite as ag

    x, t, *arrays = small() if task == "mlp" else large()
    params = [ag.parameter(a) for a in arrays]

    def step() -> None:
        for p in params:
            p.zero_grad()
        if task == "mlp":
            loss = loss_of(ag, ag.tanh, x, t, *params)
        else:
            loss = loss_large(lambda h: ag.maximum(h, 0), x, t, *params)
        loss.backward(release=release)

    return step, lambda: total(p.grad for p in params)


def torch_(task: str) -> tuple[Callable[[], Any], Callable[[], float]]:
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    x, t, *arrays = map(torch.from_numpy, small() if task == "mlp" else large())
    params = [a.requires_grad_() for a in arrays]

    def step() -> None:
        for p in params:
            p.grad = None
        if task == "mlp":
            loss_of(torch, torch.tanh, x, t, *params).backward()
        else:
            loss_large(torch.relu, x, t, *params).backward()

    return step, lambda: total(p.grad.numpy() for p in params)


def hips(task: str) -> tuple[Callable[[], Any], Callable[[], float]]:
    autograd = importlib.import_module("autograd")
    anp = importlib.import_module("autograd.numpy")
    x, t, *arrays = small() if task == "mlp" else large()
    if task == "mlp":
        f = autograd.value_and_grad(lambda ps: anp.mean(loss_terms(anp, x, t, ps)))
    else:
        f = autograd.value_and_grad(lambda ps: loss_large(lambda h: anp.maximum(h, 0), x, t, *ps))
    params = tuple(arrays)
    return lambda: f(params), lambda: total(f(params)[1])


def loss_terms(anp: Any, x: Any, t: Any, ps: Any) -> Any:
    error = anp.tanh(x @ ps[0] + ps[1]) @ ps[2] + ps[3] - t
    return error * error


def mygrad_(task: str) -> tuple[Callable[[], Any], Callable[[], float]]:
    mg = importlib.import_module("mygrad")
    x, t, *arrays = small() if task == "mlp" else large()
    params = [mg.tensor(a) for a in arrays]

    def step() -> None:
        for p in params:
            p.null_grad()
        if task == "mlp":
            loss_of(mg, mg.tanh, x, t, *params).backward()
        else:
            loss_large(lambda h: mg.maximum(h, 0), x, t, *params).backward()

    return step, lambda: total(p.grad for p in params)


def by_hand(task: str) -> tuple[Callable[[], Any], Callable[[], float]]:
    data = small() if task == "mlp" else large()
    f = hand_small if task == "mlp" else hand_large
    return lambda: f(*data), lambda: total(f(*data)[1])


ENGINES: dict[str, Callable[..., tuple[Callable[[], Any], Callable[[], float]]]] = {
    "NumPy by hand": by_hand,
    "autograd_lite": ours,
    "release=True": lambda task: ours(task, release=True),
    "PyTorch eager": torch_,
    "HIPS autograd": hips,
    "MyGrad": mygrad_,
}


# tasks


def mlp(engine: str) -> Measured:
    """A step of the small network: microseconds."""
    step, value = ENGINES[engine]("mlp")
    time = microseconds(step)
    step()
    return {"us": time, "value": value(), "peak": peak() / 2**20}


def training(engine: str) -> Measured:
    """A step of the large network: peak memory above what the data and the modules take."""
    step, value = ENGINES[engine]("training")
    ENGINES[engine]("mlp")[0]()  # engines and matrix libraries make buffers at their first call
    warm()
    forget_peak()
    before = resident()
    step()
    used = peak() - before
    return {"mb": used / 2**20, "ms": microseconds(step, 0.1) / 1e3, "value": value()}


def warm() -> None:
    """The matrix library makes buffers of its own at its first call."""
    np.ones((256, 256), np.float32) @ np.ones((256, 256), np.float32)


def scalars(engine: str) -> tuple[Callable[[int], Any], Callable[[Any], float]]:
    """What builds a chain of n products of a scalar, and what differentiates it."""
    if engine == "autograd_lite":
        ag = importlib.import_module("autograd_lite")
        x = ag.tensor(1.0)

        def differentiate(y: Any) -> float:
            x.zero_grad()
            y.backward()
            return float(x.grad)

        return lambda n: chained(x, n), differentiate
    if engine == "PyTorch eager":
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        z = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)

        def backward(y: Any) -> float:
            z.grad = None
            y.backward()
            return float(z.grad)

        return lambda n: chained(z, n), backward
    if engine == "HIPS autograd":
        grad = importlib.import_module("autograd").grad
        return lambda n: n, lambda n: float(grad(lambda x: chained(x, n))(1.0))
    mg = importlib.import_module("mygrad")
    w = mg.tensor(1.0)

    def back(y: Any) -> float:
        w.null_grad()
        y.backward()
        return float(w.grad)

    return lambda n: chained(w, n), back


def chained(y: Any, n: int) -> Any:
    for _ in range(n):
        y = y * 1.0000001
    return y


def chain(engine: str) -> Measured:
    """Microseconds for each node of a chain, recorded and differentiated."""
    build, differentiate = scalars(engine)
    n = 300 if engine == "MyGrad" else 10_000  # MyGrad recurs
    time = microseconds(lambda: differentiate(build(n))) / n
    return {"us": time, "value": differentiate(build(300)), "peak": peak() / 2**20}


def million(engine: str) -> Measured:
    """Bytes for each node of a chain of a million, and seconds to build and differentiate it."""
    build, differentiate = scalars(engine)
    differentiate(build(100))
    gc.collect()
    before = resident()
    start = timeit.default_timer()
    y = build(10**6)
    built = timeit.default_timer()
    held = resident() - before
    value = differentiate(y)
    done = timeit.default_timer()
    return {"bytes": held / 1e6, "build": built - start, "back": done - built, "value": value}


if __name__ == "__main__":
    print(
        json.dumps(
            {t.__name__: t for t in (mlp, training, chain, million)}[sys.argv[1]](sys.argv[2])
        )
    )
