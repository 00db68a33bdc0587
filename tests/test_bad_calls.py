"""Bad calls of NumPy's functions: NumPy's own kind of error, what happened, where, how to mend it.

Each row is one call, which is made on plain arrays (NumPy raises) and on tensors (we do).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import AutogradError

AXIS, LINALG = np.exceptions.AxisError, np.linalg.LinAlgError
N = np.array([9])
windows = np.lib.stride_tricks.sliding_window_view
Call = Callable[[Any, Any, Any], Any]

# x: (3,), m: (2, 3), s: (2, 2), singular
ROWS: list[tuple[str, type[Exception], str, Call]] = [
    # arguments that the function does not have
    ("sum", TypeError, "nonsense=", lambda x, m, s: m.sum(nonsense=1)),
    ("take", TypeError, "nonsense=", lambda x, m, s: m.take([0], nonsense=1)),
    ("swapaxes", TypeError, "missing", lambda x, m, s: m.swapaxes(0)),
    ("repeat", TypeError, "missing", lambda x, m, s: m.repeat()),
    ("squeeze", TypeError, "positional", lambda x, m, s: m.squeeze(0, 1, 2, 3)),
    ("clip", TypeError, "nonsense=", lambda x, m, s: m.clip(0, 1, nonsense=2)),
    # axes
    ("sum", AXIS, "axis 2", lambda x, m, s: m.sum(axis=2)),
    ("max", AXIS, "axis -3", lambda x, m, s: m.max(axis=-3)),
    ("mean", AXIS, "axis 1", lambda x, m, s: x.mean(1)),
    ("std", AXIS, "axis 5", lambda x, m, s: np.std(m, axis=5)),
    ("argmax", AXIS, "axis 7", lambda x, m, s: m.argmax(axis=7)),
    ("argsort", AXIS, "axis 7", lambda x, m, s: m.argsort(axis=7)),
    ("sort", AXIS, "axis 7", lambda x, m, s: np.sort(m, axis=7)),
    ("cumsum", AXIS, "axis 7", lambda x, m, s: m.cumsum(axis=7)),
    ("take", AXIS, "axis 7", lambda x, m, s: np.take(m, [0], axis=7)),
    ("stack", AXIS, "axis 7", lambda x, m, s: np.stack([m, m], axis=7)),
    ("concat", AXIS, "axis 7", lambda x, m, s: np.concatenate([m, m], axis=7)),
    ("moveaxis", AXIS, "axis 7", lambda x, m, s: np.moveaxis(m, 7, 0)),
    ("swapaxes", AXIS, "axis 7", lambda x, m, s: m.swapaxes(0, 7)),
    ("expand_dims", AXIS, "axis 7", lambda x, m, s: np.expand_dims(m, 7)),
    ("squeeze", AXIS, "axis 7", lambda x, m, s: m.squeeze(7)),
    ("flip", AXIS, "axis 7", lambda x, m, s: np.flip(m, 7)),
    ("roll", AXIS, "axis 7", lambda x, m, s: np.roll(m, 1, 7)),
    ("repeat", AXIS, "axis 7", lambda x, m, s: np.repeat(m, 2, axis=7)),
    ("diff", AXIS, "axis 7", lambda x, m, s: np.diff(m, axis=7)),
    ("median", AXIS, "axis 7", lambda x, m, s: np.median(m, axis=7)),
    ("quantile", AXIS, "axis 7", lambda x, m, s: np.quantile(m, 0.5, axis=7)),
    ("average", AXIS, "axis 7", lambda x, m, s: np.average(m, axis=7)),
    ("split", IndexError, "axis 7", lambda x, m, s: np.split(m, 2, axis=7)),
    ("delete", AXIS, "axis 7", lambda x, m, s: np.delete(m, 0, axis=7)),
    ("insert", AXIS, "axis 7", lambda x, m, s: np.insert(m, 0, 1.0, axis=7)),
    ("norm", AXIS, "axis 7", lambda x, m, s: np.linalg.norm(m, axis=7)),
    ("fft", IndexError, "axis 7", lambda x, m, s: np.fft.fft(m, axis=7)),
    ("count_nonzero", AXIS, "axis 7", lambda x, m, s: np.count_nonzero(m, axis=7)),
    ("nansum", AXIS, "axis 7", lambda x, m, s: np.nansum(m, axis=7)),
    ("trapezoid", IndexError, "axis 7", lambda x, m, s: np.trapezoid(m, axis=7)),
    ("sum", TypeError, "integer", lambda x, m, s: m.sum(axis="rows")),
    ("sum", ValueError, "twice", lambda x, m, s: m.sum(axis=(0, 0))),
    ("transpose", ValueError, "twice", lambda x, m, s: m.transpose(0, 0)),
    ("transpose", ValueError, "axis 2", lambda x, m, s: np.transpose(m, (0, 1, 2))),
    ("rot90", ValueError, "twice", lambda x, m, s: np.rot90(m, axes=(0, 0))),
    ("flip", AXIS, "axis 3", lambda x, m, s: np.flip(m, (0, 3))),
    # shapes
    ("add", ValueError, "(2, 3)", lambda x, m, s: m + np.ones(2)),
    ("matmul", ValueError, "(2, 3)", lambda x, m, s: m @ m),
    ("dot", ValueError, "(2, 3)", lambda x, m, s: m.dot(m)),
    ("inner", ValueError, "(2, 3)", lambda x, m, s: np.inner(m, s)),
    ("tensordot", ValueError, "(2, 3)", lambda x, m, s: np.tensordot(m, m, 1)),
    ("einsum", ValueError, "einsum", lambda x, m, s: np.einsum("ij,jk", m, m)),
    ("einsum", ValueError, "einsum", lambda x, m, s: np.einsum("ijk", m)),
    ("cross", ValueError, "cross", lambda x, m, s: np.cross(np.ones(4), np.ones(4) * x[0])),
    ("reshape", ValueError, "6 elements", lambda x, m, s: m.reshape(4)),
    ("reshape", ValueError, "(-1, -1)", lambda x, m, s: m.reshape(-1, -1)),
    ("squeeze", ValueError, "size 1", lambda x, m, s: m.squeeze(0)),
    ("broadcast_to", ValueError, "(2, 3)", lambda x, m, s: np.broadcast_to(m, (2, 4))),
    ("concat", ValueError, "dimension", lambda x, m, s: np.concatenate([m, s])),
    ("stack", ValueError, "shape", lambda x, m, s: np.stack([m, s])),
    ("vstack", ValueError, "dimension", lambda x, m, s: np.vstack([m, s])),
    ("hstack", ValueError, "dimension", lambda x, m, s: np.hstack([m, x])),
    ("split", ValueError, "3 parts", lambda x, m, s: np.split(m, 3)),
    ("average", ValueError, "weights", lambda x, m, s: np.average(m, axis=1, weights=np.ones(2))),
    ("average", TypeError, "weights", lambda x, m, s: np.average(m, weights=np.ones(9))),
    ("interp", ValueError, "interp", lambda x, m, s: np.interp(0.5, x, np.ones(2))),
    ("where", ValueError, "(2,3)", lambda x, m, s: np.where(np.ones(2, bool), m, 0)),
    ("pad", ValueError, "pad", lambda x, m, s: np.pad(x, (1, 2, 3))),
    ("pad", ValueError, "negative", lambda x, m, s: np.pad(x, -1)),
    ("pad", TypeError, "dtype float64", lambda x, m, s: np.pad(x, 1.5)),
    ("pad", ValueError, "nonsense", lambda x, m, s: np.pad(x, 1, mode="nonsense")),
    ("repeat", ValueError, "negative", lambda x, m, s: np.repeat(x, -1)),
    ("repeat", ValueError, "shape", lambda x, m, s: np.repeat(x, [1, 2])),
    ("repeat", TypeError, "cast", lambda x, m, s: np.repeat(x, N / 2)),
    ("tile", ValueError, "-1", lambda x, m, s: np.tile(x, -1)),
    ("diag", ValueError, "shape ()", lambda x, m, s: np.diag(x[0])),
    ("trace", ValueError, "dim", lambda x, m, s: x.trace()),
    ("diagonal", ValueError, "dim", lambda x, m, s: x.diagonal()),
    ("convolve", ValueError, "(0,)", lambda x, m, s: np.convolve(x, np.ones(0))),
    ("gradient", ValueError, "1 points", lambda x, m, s: np.gradient(x[:1])),
    ("diff", ValueError, "n", lambda x, m, s: np.diff(x, n=-1)),
    ("resize", ValueError, "negative", lambda x, m, s: np.resize(x, -1)),
    ("compress", ValueError, "(2, 2)", lambda x, m, s: np.compress(np.ones((2, 2), bool), m)),
    ("max", ValueError, "zero-size", lambda x, m, s: x[:0].max()),
    ("argmax", ValueError, "empty", lambda x, m, s: x[:0].argmax()),
    # indices
    ("getitem", IndexError, "out of bounds", lambda x, m, s: m[5]),
    ("getitem", IndexError, "too many", lambda x, m, s: m[0, 0, 0]),
    ("getitem", IndexError, "dtype", lambda x, m, s: m["a"]),
    ("take", IndexError, "out of bounds", lambda x, m, s: m.take(99)),
    ("take", ValueError, "mode", lambda x, m, s: m.take(0, mode="nonsense")),
    ("take_along_axis", IndexError, "bounds", lambda x, m, s: np.take_along_axis(x, N, 0)),
    ("take_along_axis", ValueError, "dim", lambda x, m, s: np.take_along_axis(m, np.array([0]), 0)),
    ("choose", ValueError, "out of bounds", lambda x, m, s: np.choose(np.array([0, 7, 0]), [x, x])),
    ("choose", ValueError, "mode", lambda x, m, s: np.choose([0, 0, 0], [x, x], mode="nonsense")),
    ("select", ValueError, "2 choices", lambda x, m, s: np.select([np.ones(3, bool)], [x, x])),
    ("delete", IndexError, "out of bounds", lambda x, m, s: np.delete(x, 9)),
    ("insert", IndexError, "out of bounds", lambda x, m, s: np.insert(x, 9, 1.0)),
    ("partition", ValueError, "out of bounds", lambda x, m, s: np.partition(x, 9)),
    ("argpartition", ValueError, "out of bounds", lambda x, m, s: np.argpartition(x, 9)),
    ("unravel_index", ValueError, "99", lambda x, m, s: np.unravel_index(x.astype(int) + 99, 2)),
    ("bincount", ValueError, "negative", lambda x, m, s: np.bincount((x * 0).astype(int) - 1)),
    ("searchsorted", ValueError, "side", lambda x, m, s: np.searchsorted(x, 1.0, side="nonsense")),
    ("digitize", ValueError, "monoton", lambda x, m, s: np.digitize(x, [1.0, 0.0, 2.0])),
    # kinds of data
    ("astype", TypeError, "nonsense", lambda x, m, s: x.astype("nonsense")),
    ("full_like", ValueError, "'a'", lambda x, m, s: np.full_like(x, "a")),
    ("zeros_like", TypeError, "nonsense", lambda x, m, s: np.zeros_like(x, dtype="nonsense")),
    ("bitwise_and", TypeError, "bitwise_and", lambda x, m, s: x & x),
    ("bitwise_invert", TypeError, "invert", lambda x, m, s: ~x),
    ("bitwise_left_shift", TypeError, "shift", lambda x, m, s: x << 1),
    ("bincount", TypeError, "bincount", lambda x, m, s: np.bincount(x)),
    ("round", TypeError, "str", lambda x, m, s: np.round(x, "a")),
    ("add", TypeError, "operand", lambda x, m, s: x + None),
    # values
    ("quantile", ValueError, "0", lambda x, m, s: np.quantile(x, 2.0)),
    ("percentile", ValueError, "range", lambda x, m, s: np.percentile(x, 200.0)),
    ("quantile", ValueError, "nonsense", lambda x, m, s: np.quantile(x, 0.5, method="nonsense")),
    ("average", ZeroDivisionError, "sum to 0", lambda x, m, s: np.average(x, weights=np.zeros(3))),
    ("reshape", ValueError, "order", lambda x, m, s: m.reshape(6, order="Z")),
    ("ravel", ValueError, "order", lambda x, m, s: m.ravel(order="Z")),
    ("linspace", ValueError, "-1", lambda x, m, s: np.linspace(x, 1.0, -1)),
    ("histogram", ValueError, "bins", lambda x, m, s: np.histogram(x, bins=0)),
    ("convolve", ValueError, "mode", lambda x, m, s: np.convolve(x, x, mode="nonsense")),
    ("fft", ValueError, "0", lambda x, m, s: np.fft.fft(x, n=0)),
    ("fft", ValueError, "norm", lambda x, m, s: np.fft.fft(x, norm="nonsense")),
    ("clip", TypeError, "str", lambda x, m, s: x.clip("a", "b")),
    ("sliding_window_view", ValueError, "window", lambda x, m, s: windows(x, 9)),
    # matrices
    ("inv", LINALG, "ingular", lambda x, m, s: np.linalg.inv(s)),
    ("inv", LINALG, "square", lambda x, m, s: np.linalg.inv(m)),
    ("inv", LINALG, "dimension", lambda x, m, s: np.linalg.inv(x)),
    ("solve", LINALG, "ingular", lambda x, m, s: np.linalg.solve(s, np.ones(2))),
    ("solve", ValueError, "", lambda x, m, s: np.linalg.solve(s + np.eye(2), np.ones(3))),
    ("det", LINALG, "square", lambda x, m, s: np.linalg.det(m)),
    ("slogdet", LINALG, "square", lambda x, m, s: np.linalg.slogdet(m)),
    ("cholesky", LINALG, "ositive definite", lambda x, m, s: np.linalg.cholesky(-s @ s.T)),
    ("eigh", LINALG, "square", lambda x, m, s: np.linalg.eigh(m)),
    ("eigvalsh", LINALG, "square", lambda x, m, s: np.linalg.eigvalsh(m)),
    ("eig", LINALG, "square", lambda x, m, s: np.linalg.eig(m)),
    ("svd", LINALG, "dimension", lambda x, m, s: np.linalg.svd(x)),
    ("qr", LINALG, "dimension", lambda x, m, s: np.linalg.qr(x)),
    ("pinv", LINALG, "dimension", lambda x, m, s: np.linalg.pinv(x)),
    ("lstsq", LINALG, "", lambda x, m, s: np.linalg.lstsq(m, np.ones(3))),
    ("matrix_power", LINALG, "", lambda x, m, s: np.linalg.matrix_power(x, 2)),
    ("matrix_power", LINALG, "square", lambda x, m, s: np.linalg.matrix_power(m, 2)),
    ("matrix_power", LINALG, "ingular", lambda x, m, s: np.linalg.matrix_power(s, -1)),
    ("matrix_power", TypeError, "integer", lambda x, m, s: np.linalg.matrix_power(s, 1.5)),
    ("multi_dot", ValueError, "two", lambda x, m, s: np.linalg.multi_dot([m])),
    ("norm", ValueError, "norm", lambda x, m, s: np.linalg.norm(m, ord="nonsense")),
    ("norm", ValueError, "order", lambda x, m, s: np.linalg.norm(m, 7)),
    ("cond", LINALG, "", lambda x, m, s: np.linalg.cond(x)),
    ("tensorinv", LINALG, "square", lambda x, m, s: np.linalg.tensorinv(m, 1)),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[f"{row[0]}" for row in ROWS])
def test_a_bad_call(number: int) -> None:
    name, kind, fragment, call = ROWS[number]
    arrays = (np.arange(3.0), np.arange(6.0).reshape(2, 3), np.array([[1.0, 2.0], [2.0, 4.0]]))
    with pytest.raises(kind):
        call(*arrays)
    with pytest.raises(kind) as caught:
        call(*map(ag.tensor, arrays))
    error = caught.value
    assert isinstance(error, AutogradError), repr(error)
    assert re.search(rf"\b{name}\b", error.what), error
    assert fragment in error.what, error
    assert not error.what.startswith("_"), error
    assert error.mend, error
    assert error.where, error
    assert error.source is not None
    assert (error.source.file, error.source.line) == (__file__, call.__code__.co_firstlineno)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("sum", lambda x: ag.sum(x, nonsense="a" * 1000)),
        ("sum", lambda x: ag.sum()),
        ("allclose", lambda x: ag.allclose(x * x)),
        ("isin", lambda x: ag.isin(x, nonsense=1)),
        ("inv", lambda x: ag.linalg.inv(x, x, x)),
    ],
)  # fmt: skip
def test_a_bad_call_that_numpy_would_not_hand_on(name: str, call: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        call(ag.tensor(np.eye(2)))
    error = caught.value
    assert isinstance(error, AutogradError)
    assert re.search(rf"\b{name}\b", error.what), error
    assert error.mend
    assert len(error.message) < 500
    assert error.source is not None
    assert error.source.line == call.__code__.co_firstlineno


def test_errors_of_somebody_elses_code_are_left_alone() -> None:
    class Broken:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            raise ValueError("mine")

    with pytest.raises(ValueError, match=r"\Amine\Z") as caught:
        ag.repeat(ag.tensor([1.0]), Broken())
    assert type(caught.value) is ValueError
