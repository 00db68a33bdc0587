"""Time of a small training step, of a chain of scalars, and memory of a large step, by engine."""

from __future__ import annotations

from tests.benchmarks._contenders import table

ALL = ["NumPy by hand", "autograd_lite", "PyTorch eager", "HIPS autograd", "MyGrad"]


def report() -> str:
    """Tables with ratios to PyTorch eager; the aims stand beside them."""
    sections = [
        (
            "a step of a 2-8-1 network, batch 4 (aims: 0.5 of PyTorch eager, 0.1 of HIPS autograd)",
            table("mlp", ALL, {"us": "µs", "peak": "peak, MiB"}, "PyTorch eager"),
        ),
        (
            "a node of a chain of scalar products, recorded and differentiated (aim: 0.4)",
            table("chain", ALL[1:], {"us": "µs", "peak": "peak, MiB"}, "PyTorch eager"),
        ),
        (
            "a chain of 10⁶ nodes (aim: 400 bytes)",
            table(
                "million",
                ["autograd_lite", "PyTorch eager"],
                {"bytes": "bytes a node", "build": "s to build", "back": "s to derive"},
                "PyTorch eager",
            ),
        ),
        (
            "a step of 784-1024-1024-10, batch 512, float32 (aims: 1.25, with release 1.1)",
            table(
                "training",
                ["NumPy by hand", "autograd_lite", "release=True", *ALL[2:]],
                {"mb": "MiB at the peak", "ms": "ms"},
                "PyTorch eager",
            ),
        ),
    ]
    return "\n".join(f"  {title}\n{text}\n" for title, text in sections)
