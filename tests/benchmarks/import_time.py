"""What `import autograd_lite` costs over `import numpy`: at most 30 ms is the aim."""

from __future__ import annotations

import statistics
import subprocess
import sys

PROGRAM = """
import time
start = time.perf_counter()
import numpy
between = time.perf_counter()
import autograd_lite
print(between - start, time.perf_counter() - between)
"""


def times(runs: int = 15) -> list[tuple[float, float]]:
    """Seconds for NumPy and for autograd_lite after it, each run in a fresh interpreter."""
    found = []
    for _ in range(runs + 1):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
        )
        numpy, ours = map(float, done.stdout.split())
        found.append((numpy, ours))
    return found[1:]  # the first run fills the disk's cache and writes bytecode


def report() -> str:
    """Medians in milliseconds, and their ratio."""
    numpy, ours = (1e3 * statistics.median(column) for column in zip(*times(), strict=True))
    return (
        f"  import numpy                    {numpy:6.1f} ms\n"
        f"  import autograd_lite after it   {ours:6.1f} ms   ({ours / numpy:.2f} of NumPy's)"
    )
