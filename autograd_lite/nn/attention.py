"""Attention: values weighed by how well their keys answer a query. Imports the operators."""

import math
from typing import Any, Self

import numpy as np

from autograd_lite.errors import DTypeError, ShapeError
from autograd_lite.modes import scope
from autograd_lite.nn.affine import affine
from autograd_lite.nn.initialisers import glorot_uniform
from autograd_lite.nn.layer import Layer, as_parameter
from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.ordering import any as any_of
from autograd_lite.ops.pointwise import logical_and, where
from autograd_lite.ops.shaping import expand_dims, reshape, shape_of, swapaxes, transpose
from autograd_lite.ops.statistics import softmax
from autograd_lite.random import default_rng
from autograd_lite.tensors import Tensor

__all__ = ["MultiHeadAttention", "scaled_dot_product_attention"]


@scope("Attention")
def scaled_dot_product_attention(
    q: Any, k: Any, v: Any, /, mask: Any = None, *, causal: bool = False,
    scale: float | None = None,
) -> Any:  # fmt: skip
    """softmax(q·kᵀ·scale)·v: q (…, T, D), k (…, S, D), v (…, S, E) give (…, T, E).

    ``mask`` (booleans that broadcast to (…, T, S)) tells which keys a query may see; ``causal``
    lets query t see keys 0 … t. ``scale`` is by default 1/√D. A query that may see nothing gives
    zeros.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> q = k = np.zeros((2, 1))
    >>> ag.nn.scaled_dot_product_attention(q, k, ag.tensor([[1.0], [3.0]]), causal=True)
    Tensor([[1.],
            [2.]])
    """
    queries, keys = shape_of(q), shape_of(k)
    if min(len(queries), len(keys), len(shape_of(v))) < 2 or queries[-1] != keys[-1]:
        raise ShapeError(
            f"attention: queries {queries}, keys {keys}, values {shape_of(v)}",
            mend="they are (…, T, D), (…, S, D) and (…, S, E)",
        )
    factor = 1 / math.sqrt(max(1, queries[-1])) if scale is None else scale
    scores = matmul(q * factor, swapaxes(k, -1, -2))
    allowed = _allowed(mask, causal, queries[-2], keys[-2])
    if allowed is None:
        return matmul(softmax(scores), v)
    hidden = where(allowed, scores, -np.inf)
    sees = any_of(allowed, axis=-1, keepdims=True)
    if not isinstance(sees, Tensor) and np.all(sees):
        return matmul(softmax(hidden), v)
    return matmul(where(sees, softmax(where(sees, hidden, 0.0)), 0.0), v)


def _allowed(mask: Any, causal: bool, queries: int, keys: int) -> Any:
    """Which query sees which key, or None where all see all."""
    allowed = mask if mask is None or hasattr(mask, "dtype") else np.asarray(mask)
    if allowed is not None and allowed.dtype != bool:
        raise DTypeError(f"a mask of dtype {allowed.dtype}", mend="a mask is boolean: True sees")
    if causal:
        triangle = np.tri(queries, keys, dtype=bool)
        allowed = triangle if allowed is None else logical_and(allowed, triangle)
    return allowed


class MultiHeadAttention(Layer):
    """Attention in several heads side by side, between affine maps.

    Parameters ``Wq``, ``Wk``, ``Wv``, ``Wo`` (D, D) and ``bq``, ``bk``, ``bv``, ``bo`` (D,). Head
    i sees the i-th part of the D numbers of queries, keys and values.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> layer = ag.nn.MultiHeadAttention.initialised(8, heads=2, rng=0)
    >>> layer(np.zeros((3, 5, 8))).shape
    (3, 5, 8)
    """

    def __init__(self, weights: Any, shifts: Any, *, heads: int) -> None:
        for name, W, b in zip("qkvo", weights, shifts, strict=True):
            setattr(self, f"W{name}", as_parameter(W, f"W{name}"))
            setattr(self, f"b{name}", as_parameter(b, f"b{name}"))
        self.heads = heads
        width = shape_of(weights[3])[0]
        if heads < 1 or width % heads:
            raise ShapeError(f"{width} numbers in {heads} heads", mend="heads divide the width")

    @classmethod
    def initialised(cls, width: int, *, heads: int, rng: Any, dtype: Any = np.float64) -> Self:
        """Random weights and no shifts."""
        generator = default_rng(rng)
        weights = [glorot_uniform((width, width), generator, dtype=dtype) for _ in "qkvo"]
        return cls(weights, [np.zeros(width, dtype) for _ in "qkvo"], heads=heads)

    def __call__(
        self, x: Any, keys: Any = None, values: Any = None, *, mask: Any = None,
        causal: bool = False,
    ) -> Any:  # fmt: skip
        """Let x (N, T, D) attend to ``keys`` and ``values`` (N, S, D), by default to itself.

        ``mask`` broadcasts to (N, heads, T, S); a mask (N, T, S) holds for every head.
        """
        keys = x if keys is None else keys
        values = keys if values is None else values
        if len(shape_of(mask)) == 3:
            mask = expand_dims(mask, 1)
        with scope("MultiHeadAttention"):
            q, k, v = (
                self._heads(part, name) for part, name in ((x, "q"), (keys, "k"), (values, "v"))
            )
            seen = scaled_dot_product_attention(q, k, v, mask, causal=causal)
            samples, heads, times, width = seen.shape
            joined = reshape(transpose(seen, (0, 2, 1, 3)), (samples, times, heads * width))
            return self._affine(joined, "o")

    def _affine(self, x: Any, name: str) -> Any:
        W, b = getattr(self, f"W{name}"), getattr(self, f"b{name}")
        shape = shape_of(x)
        if len(shape) != 3 or shape[2] != shape_of(W)[0]:
            raise ShapeError(
                f"MultiHeadAttention: an array of shape {shape}",
                mend=f"it is (samples, times, {shape_of(W)[0]})",
            )
        rows = affine(reshape(x, (shape[0] * shape[1], shape[2])), W, b)
        return reshape(rows, (*shape[:2], shape_of(W)[1]))

    def _heads(self, x: Any, name: str) -> Any:
        y = self._affine(x, name)
        samples, times, width = y.shape
        return transpose(reshape(y, (samples, times, self.heads, width // self.heads)),
                         (0, 2, 1, 3))  # fmt: skip
