"""The operators, one file per family; importing this room fills the registry in ``rules``.

Imports its own files alone.
"""

from autograd_lite.ops import (
    arranging,
    contraction,
    convolution,
    creation,
    einsum,
    fft,
    gathering,
    indexing,
    linalg,
    norms,
    ordering,
    pointwise,
    pooling,
    products,
    reductions,
    scaling,
    scans,
    shaping,
    special,
    spectral,
    statistics,
    windows,
)

__all__ = [
    "arranging",
    "contraction",
    "convolution",
    "creation",
    "einsum",
    "fft",
    "gathering",
    "indexing",
    "linalg",
    "norms",
    "ordering",
    "pointwise",
    "pooling",
    "products",
    "reductions",
    "scaling",
    "scans",
    "shaping",
    "special",
    "spectral",
    "statistics",
    "windows",
]
