"""The classic layers, written by hand in NumPy: what the engine is compared against.

Knows: the formulas of a few layers and of their gradients, as one derives them on paper, in the
convention `forward(x)`, `backward(dout)`, parameter gradients in attributes `dW` and `db`.
Does not know: graphs, tensors, the engine.
Imports: NumPy alone.

These classes keep copies of what their backward pass reads, so an array that is changed between
the two passes does no harm, and they change nothing that they are given: neither inputs nor
`dout` (many a textbook ReLU writes zeros into its caller's `dout`). Integer arrays are taken as
they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Affine", "AffineSimple", "ReLU", "Sigmoid"]


class AffineSimple:
    """y = xW + b for a batch of row vectors.

    `W` (n, m) and `b` (m,). `forward` takes x (N, n) and returns (N, m); `backward` takes dout
    (N, m), sets `dW` (n, m) and `db` (m,) and returns the gradient of x, (N, n).

    >>> layer = AffineSimple(np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8, 9]))
    >>> layer.forward(np.array([[1, 1]]))
    array([[12, 15, 18]])
    >>> layer.backward(np.array([[2, 1, -1]]))
    array([[1, 7]])
    >>> layer.dW
    array([[ 2,  1, -1],
           [ 2,  1, -1]])
    >>> layer.db
    array([ 2,  1, -1])
    """

    def __init__(self, W: Any, b: Any) -> None:
        self.W = np.asarray(W)
        self.b = np.asarray(b)
        self.x: Any = None
        self.dW: Any = None
        self.db: Any = None

    def forward(self, x: Any) -> Any:
        """Return xW + b."""
        self.x = np.array(x)
        return np.dot(self.x, self.W) + self.b

    def backward(self, dout: Any) -> Any:
        """Return the gradient of x; leave those of W and b in `dW` and `db`."""
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return np.dot(dout, self.W.T)


class Affine:
    """y = xW + b, where each sample of x may have any shape.

    `W` (n, m) and `b` (m,). `forward` takes x (N, …) with n numbers per sample, lays each sample
    out as a row and returns (N, m); `backward` returns the gradient of x in the shape of x. A
    single sample (n,) is taken too and gives (m,).

    >>> layer = Affine(np.ones((4, 2)), np.zeros(2))
    >>> layer.forward(np.ones((3, 1, 2, 2))).shape
    (3, 2)
    >>> layer.backward(np.ones((3, 2))).shape
    (3, 1, 2, 2)
    """

    def __init__(self, W: Any, b: Any) -> None:
        self.W = np.asarray(W)
        self.b = np.asarray(b)
        self.x: Any = None
        self.dW: Any = None
        self.db: Any = None
        self._shape: tuple[int, ...] = ()

    def forward(self, x: Any) -> Any:
        """Return xW + b for every sample."""
        x = np.asarray(x)
        self._shape = x.shape
        # Sizes, not -1: a batch of no samples has no size to divide by.
        self.x = np.array(x).reshape(len(x) if x.ndim > 1 else 1, self.W.shape[0])
        y = np.dot(self.x, self.W) + self.b
        return y if x.ndim > 1 else y[0]

    def backward(self, dout: Any) -> Any:
        """Return the gradient of x in its shape; leave those of W and b in `dW` and `db`."""
        rows = np.asarray(dout).reshape(len(self.x), self.W.shape[1])
        self.dW = np.dot(self.x.T, rows)
        self.db = np.sum(rows, axis=0)
        return np.dot(rows, self.W.T).reshape(self._shape)


class Sigmoid:
    """y = 1 / (1 + exp(−x)), element by element; gradient dout·y(1 − y).

    The derivative in terms of the output is the textbook's. It has its limit: beyond x = 37 the
    output rounds to 1 and the gradient to 0, where the truth is exp(−x).

    >>> layer = Sigmoid()
    >>> layer.forward(np.array([0.0, 1000.0, -1000.0]))
    array([0.5, 1. , 0. ])
    >>> layer.backward(np.array([2, 1, 1]))
    array([0.5, 0. , 0. ])
    """

    def __init__(self) -> None:
        self.y: Any = None

    def forward(self, x: Any) -> Any:
        """Return the sigmoid of x."""
        # exp overflows to inf for x < −709, and 1 / (1 + inf) is the right answer.
        with np.errstate(over="ignore"):
            y = 1 / (1 + np.exp(-np.asarray(x)))
        self.y = np.array(y)
        return y

    def backward(self, dout: Any) -> Any:
        """Return dout·y(1 − y)."""
        return dout * self.y * (1 - self.y)


class ReLU:
    """y = max(x, 0), element by element; the gradient passes where x > 0.

    At x = 0 the derivative is 0.

    >>> layer = ReLU()
    >>> layer.forward(np.array([1, -2, 3, -4]))
    array([1, 0, 3, 0])
    >>> dout = np.array([1, 2, -3, -4])
    >>> layer.backward(dout), dout
    (array([ 1,  0, -3,  0]), array([ 1,  2, -3, -4]))
    """

    def __init__(self) -> None:
        self.mask: Any = None

    def forward(self, x: Any) -> Any:
        """Return x with its negative elements set to 0."""
        y = np.array(x)
        self.mask = y <= 0
        y[self.mask] = 0
        return y

    def backward(self, dout: Any) -> Any:
        """Return a copy of dout with zeros where x was not positive."""
        dx = np.array(dout)
        dx[self.mask] = 0
        return dx
