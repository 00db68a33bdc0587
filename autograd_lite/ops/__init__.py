"""The operators, one file per family; importing this room fills the registry in ``rules``.

Imports its own files alone.
"""

from autograd_lite.ops import contraction, indexing, pointwise, reductions, shaping

__all__ = ["contraction", "indexing", "pointwise", "reductions", "shaping"]
