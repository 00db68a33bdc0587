"""Convolution and pooling, forward and backward, beside PyTorch on the processor.

One thread for both: start it with OPENBLAS_NUM_THREADS=1 (or the like) in the environment; the
report says how many threads the peer uses.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag

ROUNDS = 15


def best(run: Callable[[], Any]) -> float:
    """Seconds of the quickest of some rounds, after two to warm up."""
    times = []
    for _ in range(ROUNDS + 2):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times[2:])


def peak(run: Callable[[], Any]) -> float:
    """MiB that Python and NumPy hold at most while it runs."""
    tracemalloc.start()
    run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def both(
    ours: Callable[..., Any], theirs: Callable[..., Any], arrays: list[Any]
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Forward and backward, here and there."""
    import torch

    xs, ts = [ag.tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    g = np.ones(ours(*xs).shape, arrays[0].dtype)
    tg = torch.tensor(g)

    def here() -> None:
        for x in xs:
            x.zero_grad()
        ours(*xs).backward(g)

    def there() -> None:
        for t in ts:
            t.grad = None
        theirs(*ts).backward(tg)

    here()
    there()
    for x, t in zip(xs, ts, strict=True):
        np.testing.assert_allclose(x.grad, t.grad.numpy(), rtol=1e-3, atol=1e-2)
    return here, there


def report() -> str:
    try:
        import torch
        from torch.nn import functional
    except ImportError:
        return "PyTorch is not installed: nothing to compare with"
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(32, 16, 32, 32)), rng.normal(size=(32, 16, 3, 3))
    cases: list[Any] = [
        (
            "convolution 3×3, padding 1, 16 → 32",
            lambda x, w: ag.convolution(x, w, padding=1),
            lambda x, w: functional.conv2d(x, w, padding=1),
            [x, w],
        ),
        (
            "convolution 3×3, stride 2",
            lambda x, w: ag.convolution(x, w, stride=2),
            lambda x, w: functional.conv2d(x, w, stride=2),
            [x, w],
        ),
        (
            "convolution 3×3, padding 1, 4 groups",
            lambda x, w: ag.convolution(x, w, padding=1, groups=4),
            lambda x, w: functional.conv2d(x, w, padding=1, groups=4),
            [x, w[:, :4]],
        ),
        (
            "depthwise convolution 3×3, padding 1",
            lambda x, w: ag.convolution(x, w, padding=1, groups=16),
            lambda x, w: functional.conv2d(x, w, padding=1, groups=16),
            [x, w[:16, :1]],
        ),
        (
            "max pooling 2×2",
            lambda x: ag.max_pool(x, 2),
            lambda x: functional.max_pool2d(x, 2),
            [x],
        ),
        (
            "max pooling 3×3, stride 2, padding 1",
            lambda x: ag.max_pool(x, 3, stride=2, padding=1),
            lambda x: functional.max_pool2d(x, 3, 2, 1),
            [x],
        ),
        (
            "average pooling 2×2",
            lambda x: ag.average_pool(x, 2),
            lambda x: functional.avg_pool2d(x, 2),
            [x],
        ),
    ]
    lines = [
        f"x {x.shape}, forward and backward; PyTorch {torch.__version__}, one thread",
        f"{'':38}{'dtype':>9}{'ours ms':>9}{'torch ms':>10}{'ratio':>7}{'peak MiB':>10}",
    ]
    for name, ours, theirs, arrays in cases:
        for dtype in (np.float32, np.float64):
            here, there = both(ours, theirs, [a.astype(dtype) for a in arrays])
            t, u = best(here), best(there)
            lines.append(
                f"{name:38}{dtype.__name__:>9}{t * 1e3:9.2f}{u * 1e3:10.2f}{t / u:7.2f}"
                f"{peak(here):10.1f}"
            )
    return "\n".join(lines)
