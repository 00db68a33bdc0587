"""Exports: a graph for other systems, one file each; all of them optional extras.

Imports its own files alone.
"""

from autograd_lite.export.to_jax import to_jax

__all__ = ["to_jax"]
