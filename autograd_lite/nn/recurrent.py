"""Recurrent layers: one step (a cell) and whole sequences, for RNN, LSTM and GRU.

Sequences are (N, T, D), batch first; states (N, H). The product with the input is made for all
times at once. Imports errors, the operators and the layer base.
"""

from typing import Any, Self

import numpy as np

from autograd_lite.errors import ShapeError
from autograd_lite.modes import scope
from autograd_lite.nn.initialisers import glorot_uniform, orthogonal
from autograd_lite.nn.layer import Layer, as_parameter
from autograd_lite.ops.arranging import split, unstack
from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.pointwise import tanh
from autograd_lite.ops.shaping import shape_of, stack
from autograd_lite.ops.special import sigmoid
from autograd_lite.random import default_rng

__all__ = ["GRU", "LSTM", "RNN", "gru_step", "lstm_step", "rnn_step"]


def _gates(values: Any, count: int) -> Any:
    return split(values, count, axis=-1)


@scope("RNNStep")
def rnn_step(x: Any, h: Any, Wx: Any, Wh: Any, b: Any, /) -> Any:
    """One step of a simple recurrent layer: tanh(x·Wx + h·Wh + b).

    x (N, D), h (N, H), Wx (D, H), Wh (H, H), b (H,); the result is the next h.

    >>> import autograd_lite as ag
    >>> ag.nn.rnn_step(ag.tensor([[0.0]]), [[0.0]], [[1.0]], [[1.0]], [0.0])
    Tensor([[0.]])
    """
    return _rnn(matmul(x, Wx) + b, h, Wh)


def _rnn(moved: Any, h: Any, Wh: Any) -> Any:
    return tanh(moved + matmul(h, Wh))


@scope("LSTMStep")
def lstm_step(x: Any, state: tuple[Any, Any], Wx: Any, Wh: Any, b: Any, /) -> tuple[Any, Any]:
    """One step of a long short-term memory: the next (h, c).

    x (N, D), h and c (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,). The parts of x·Wx + h·Wh + b are,
    in this order, input gate i, forget gate f, candidate g, output gate o;
    c ← σ(f)·c + σ(i)·tanh(g), h ← σ(o)·tanh(c).

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> h, c = ag.nn.lstm_step(
    ...     ag.tensor([[0.0]]), ([[0.0]], [[2.0]]), np.ones((1, 4)), np.ones((1, 4)), np.zeros(4)
    ... )
    >>> c
    Tensor([[1.]])
    """
    h, c = state
    return _lstm(matmul(x, Wx) + b, h, c, Wh)


def _lstm(moved: Any, h: Any, c: Any, Wh: Any) -> tuple[Any, Any]:
    i, f, g, o = _gates(moved + matmul(h, Wh), 4)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


@scope("GRUStep")
def gru_step(x: Any, h: Any, Wx: Any, Wh: Any, b: Any, bh: Any, /) -> Any:
    """One step of a gated recurrent unit: the next h.

    x (N, D), h (N, H), Wx (D, 3H), Wh (H, 3H), b and bh (3H,). With the parts of x·Wx + b and of
    h·Wh + bh, in the order reset r, update z, candidate n: r = σ(xr + hr), z = σ(xz + hz),
    n = tanh(xn + r·hn), h ← (1 − z)·n + z·h.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.nn.gru_step(
    ...     ag.tensor([[0.0]]),
    ...     [[2.0]],
    ...     np.zeros((1, 3)),
    ...     np.zeros((1, 3)),
    ...     np.zeros(3),
    ...     np.zeros(3),
    ... )
    Tensor([[1.]])
    """
    return _gru(matmul(x, Wx) + b, h, Wh, bh)


def _gru(moved: Any, h: Any, Wh: Any, bh: Any) -> Any:
    xr, xz, xn = _gates(moved, 3)
    hr, hz, hn = _gates(matmul(h, Wh) + bh, 3)
    z = sigmoid(xz + hz)
    n = tanh(xn + sigmoid(xr + hr) * hn)
    return n + z * (h - n)


class _Recurrent(Layer):
    """What the three have in common: parameters, checks, and running over time."""

    GATES = 1
    STATES = 1

    def __init__(self, Wx: Any, Wh: Any, b: Any) -> None:
        self.Wx = as_parameter(Wx, "Wx")
        self.Wh = as_parameter(Wh, "Wh")
        self.b = as_parameter(b, "b")
        hidden = self.Wh.shape[0]
        wide = self.GATES * hidden
        shapes = self.Wx.shape[1:], self.Wh.shape, self.b.shape
        if shapes != ((wide,), (hidden, wide), (wide,)):
            raise ShapeError(
                f"{type(self).__name__}: Wx {self.Wx.shape}, Wh {self.Wh.shape}, b {self.b.shape}",
                mend=f"they are (D, {self.GATES}·H), (H, {self.GATES}·H) and ({self.GATES}·H,)",
            )

    @classmethod
    def initialised(cls, inputs: int, hidden: int, *, rng: Any, dtype: Any = np.float64) -> Self:
        """Random weights (Glorot for the input, orthogonal for the state) and no shift."""
        generator = default_rng(rng)
        Wx = [glorot_uniform((inputs, hidden), generator, dtype=dtype) for _ in range(cls.GATES)]
        Wh = [orthogonal((hidden, hidden), generator, dtype=dtype) for _ in range(cls.GATES)]
        return cls(np.hstack(Wx), np.hstack(Wh), np.zeros(cls.GATES * hidden, dtype))

    def _run(self, xs: Any, state: Any, reverse: bool) -> tuple[Any, Any]:
        shape = shape_of(xs)
        if len(shape) != 3 or shape[2] != self.Wx.shape[0] or not shape[1]:
            raise ShapeError(
                f"{type(self).__name__}: a sequence of shape {shape}",
                mend=f"it is (samples, times, {self.Wx.shape[0]}), of one time at least",
            )
        if state is None:
            state = self.start(shape[0])
        with scope(type(self).__name__):
            moved = unstack(matmul(xs, self.Wx) + self.b, axis=1)
            outputs = []
            for one in reversed(moved) if reverse else moved:
                state = self._next(one, state)
                outputs.append(state[0] if self.STATES > 1 else state)
            if reverse:
                outputs.reverse()
            return stack(outputs, axis=1), state

    def start(self, samples: int) -> Any:
        """The state before the first time: zeros."""
        zeros = np.zeros((samples, self.Wh.shape[0]), self.Wh.dtype)
        return zeros if self.STATES == 1 else (zeros, zeros.copy())

    def _next(self, moved: Any, state: Any) -> Any:
        raise NotImplementedError

    def __call__(self, x: Any, state: Any = None, *, reverse: bool = False) -> Any:
        """The states h at all times (N, T, H), and the state after the last one.

        ``reverse`` runs from the last time to the first; the outputs keep their places.
        """
        return self._run(x, state, reverse)


class RNN(_Recurrent):
    """A simple recurrent layer over sequences (N, T, D); see ``rnn_step`` and ``__call__``.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> hs, h = ag.nn.RNN.initialised(3, 5, rng=0)(np.zeros((2, 4, 3)))
    >>> hs.shape, h.shape
    ((2, 4, 5), (2, 5))
    """

    def step(self, x: Any, h: Any) -> Any:
        """The next state from one input (N, D)."""
        return rnn_step(x, h, self.Wx, self.Wh, self.b)

    def _next(self, moved: Any, state: Any) -> Any:
        return _rnn(moved, state, self.Wh)


class LSTM(_Recurrent):
    """Long short-term memory over sequences (N, T, D); see ``lstm_step``. The state is (h, c).

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> hs, (h, c) = ag.nn.LSTM.initialised(3, 5, rng=0)(np.zeros((2, 4, 3)))
    >>> hs.shape, c.shape
    ((2, 4, 5), (2, 5))
    """

    GATES = 4
    STATES = 2

    def step(self, x: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        """The next state from one input (N, D)."""
        return lstm_step(x, state, self.Wx, self.Wh, self.b)

    def _next(self, moved: Any, state: Any) -> Any:
        h, c = state
        return _lstm(moved, h, c, self.Wh)


class GRU(_Recurrent):
    """Gated recurrent units over sequences (N, T, D); see ``gru_step``.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> hs, h = ag.nn.GRU.initialised(3, 5, rng=0)(np.zeros((2, 4, 3)))
    >>> hs.shape, h.shape
    ((2, 4, 5), (2, 5))
    """

    GATES = 3

    def __init__(self, Wx: Any, Wh: Any, b: Any, bh: Any = None) -> None:
        super().__init__(Wx, Wh, b)
        self.bh = as_parameter(np.zeros_like(self.b.data) if bh is None else bh, "bh")

    def step(self, x: Any, h: Any) -> Any:
        """The next state from one input (N, D)."""
        return gru_step(x, h, self.Wx, self.Wh, self.b, self.bh)

    def _next(self, moved: Any, state: Any) -> Any:
        return _gru(moved, state, self.Wh, self.bh)
