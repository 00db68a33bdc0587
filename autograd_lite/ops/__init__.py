"""The operators, one file per family; importing this room fills the registry in ``rules``.

Imports its own files alone.
"""

from autograd_lite.ops import (
    contraction,
    convolution,
    indexing,
    pointwise,
    pooling,
    reductions,
    shaping,
    windows,
)

__all__ = [
    "contraction",
    "convolution",
    "indexing",
    "pointwise",
    "pooling",
    "reductions",
    "shaping",
    "windows",
]
