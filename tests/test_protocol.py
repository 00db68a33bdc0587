"""What makes a Tensor behave like an ndarray: operators, methods, NumPy's functions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import AutogradError, DetachedError, DTypeError, UnsupportedError
from autograd_lite.protocol import METHODS, OF_MEMORY, OPERATORS, PROPERTIES, status
from autograd_lite.tensors import Tensor

X = np.array([[1.5, -2.0], [0.25, 4.0]])
PAIRS: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.matmul,
    operator.floordiv,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
]
OTHERS: list[Any] = [
    2,
    2.0,
    True,
    np.float64(2.0),
    np.float32(2.0),
    np.int64(3),
    np.array([[2.0, 3.0], [4.0, 5.0]]),
    np.array([2.0, 3.0]),
    np.array([2, 3]),
    np.array(2.0),
    [2.0, 3.0],
    (2, 3),
]


@pytest.mark.parametrize("other", OTHERS, ids=lambda o: f"{type(o).__name__}{np.shape(o)}")
@pytest.mark.parametrize("pair", PAIRS, ids=lambda f: f.__name__)
def test_operators_on_either_side(pair: Any, other: Any) -> None:
    """What NumPy computes, Tensor or array, on the left or on the right, recorded."""
    if pair is operator.matmul and np.ndim(other) == 0:
        with pytest.raises((ag.errors.AutogradError, TypeError)):
            pair(ag.tensor(X), other)
        return
    array = np.asarray(other) if isinstance(other, (list, tuple)) else other
    for left in (True, False):
        t = ag.tensor(X)
        result = pair(t, other) if left else pair(other, t)
        wanted = pair(X, array) if left else pair(array, X)
        assert isinstance(result, Tensor)
        np.testing.assert_array_equal(result.data, wanted, strict=True)
        assert result.tracked is (wanted.dtype == float and pair is not operator.floordiv)


def test_powers_and_unary_operators() -> None:
    t = ag.tensor(np.abs(X))
    for f in (
        lambda x: x**2,
        lambda x: x**-1.5,
        lambda x: 2.0**x,
        lambda x: x**x,
        lambda x: np.float64(3.0) ** x,
        operator.neg,
        operator.pos,
        abs,
        lambda x: pow(x, 3),
    ):
        np.testing.assert_array_equal(f(t).data, f(np.abs(X)), strict=True)
        assert f(t).tracked
    np.testing.assert_array_equal((~(t > 1)).data, ~(np.abs(X) > 1))
    np.testing.assert_array_equal(
        ((t > 1) & (t < 3) | (t == 4)).data, [[True, True], [False, True]]
    )
    with pytest.raises((UnsupportedError, DTypeError)):
        t & t


METHOD_CALLS: list[Callable[[Any], Any]] = [
    lambda x: x.sum(),
    lambda x: x.sum(0),
    lambda x: x.sum(axis=(0, 1), keepdims=True),
    lambda x: x.mean(axis=1),
    lambda x: x.prod(),
    lambda x: x.max(axis=0),
    lambda x: x.min(-1, keepdims=True),
    lambda x: x.var(axis=0, ddof=1),
    lambda x: x.std(),
    lambda x: x.reshape(4),
    lambda x: x.reshape(-1, 1),
    lambda x: x.reshape((1, 4)),
    lambda x: x.transpose(),
    lambda x: x.transpose(1, 0),
    lambda x: x.transpose((1, 0)),
    lambda x: x.T,
    lambda x: x.mT,
    lambda x: x.swapaxes(0, 1),
    lambda x: x.ravel(),
    lambda x: x[None].squeeze(0),
    lambda x: x.dot(x),
    lambda x: x.astype(np.float32),
    lambda x: x.round(1) + x,
    lambda x: x[0],
    lambda x: x[:, 1],
    lambda x: x[..., None],
    lambda x: x[[0, 0], [1, 1]],
    lambda x: x[x > 0],
    lambda x: x[::-1, ::-1],
]


@pytest.mark.parametrize("call", METHOD_CALLS)
def test_methods_are_ndarrays(call: Any) -> None:
    t = ag.tensor(X)
    wanted = call(X)
    np.testing.assert_array_equal(np.asarray(call(t).data), wanted)
    assert call(t).dtype == wanted.dtype
    assert call(t).tracked
    assert np.all(ag.grad(lambda x: ag.sum(call(x)))(X) == ag.grad(lambda x: call(x).sum())(X))


def test_argmax_and_attributes() -> None:
    t = ag.tensor(X)
    assert t.argmax().item() == X.argmax()
    np.testing.assert_array_equal(t.argmax(axis=0).data, X.argmax(axis=0))
    assert (t.shape, t.ndim, t.size, t.dtype, len(t)) == ((2, 2), 2, 4, np.float64, 2)
    assert [row.tolist() for row in t] == X.tolist()
    assert t.tolist() == X.tolist()
    assert (2.0 in ag.tensor([1.0, 2.0]), 3.0 in ag.tensor([1.0, 2.0])) == (True, False)
    assert len({t, t, ag.tensor(X)}) == 2
    assert bool(ag.tensor(1.0) > 0)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(t)
    with pytest.raises(AttributeError):
        t.no_such_thing  # noqa: B018 - the access is the test
    with pytest.raises(AttributeError):
        t.new_attribute = 1


def test_every_attribute_of_an_ndarray_is_there_or_told() -> None:
    t = ag.tensor(np.ones((2, 3), np.float32), name="t")
    x = t.numpy()
    for name in ("itemsize", "nbytes", "strides"):
        assert getattr(t, name) == getattr(x, name)
    assert [e.item() for e in t.flat] == list(x.flat)
    np.testing.assert_array_equal(ag.grad(lambda t: t.flat[4] ** 2)(x), [[0, 0, 0], [0, 2, 0]])
    for name in filter(lambda name: not name.startswith("_"), dir(np.ndarray)):
        assert hasattr(t, name) or name in OF_MEMORY, name
    for name, advice in OF_MEMORY.items():
        with pytest.raises(AttributeError) as caught:
            getattr(t, name)
        assert isinstance(caught.value, AutogradError)
        assert caught.value.mend == advice
        assert "t (2, 3) float32" in str(caught.value)


def test_numpy_as_data_for_the_methods_table() -> None:
    for name in METHODS:
        assert callable(getattr(Tensor, name))
        assert hasattr(np.ndarray, name)
    for name in OPERATORS:
        assert hasattr(np.ndarray, f"__{name}__")
    for name in PROPERTIES:
        assert hasattr(np.ndarray, name)


NUMPY_CALLS: list[Callable[[Any], Any]] = [
    lambda x: np.sum(x, 0),
    lambda x: np.sum(x, axis=0, keepdims=True),
    lambda x: np.mean(x, axis=(0, 1)),
    lambda x: np.amax(x, 1),
    lambda x: np.std(x, axis=0, ddof=1),
    lambda x: np.concatenate([x, x], 1),
    lambda x: np.concatenate((x, np.ones((1, 2))), axis=0),
    lambda x: np.concat([x, x]),
    lambda x: np.stack([x, np.ones((2, 2))], 2),
    lambda x: np.dot(np.ones(2), x),
    lambda x: np.matmul(x, np.ones((2, 1))),
    lambda x: np.where(x > 0, x, 0),
    lambda x: np.where(np.array([True, False]), 1.0, x),
    lambda x: np.reshape(x, -1),
    lambda x: np.transpose(x, (1, 0)),
    lambda x: np.transpose(x, axes=(1, 0)),
    lambda x: np.expand_dims(x, (0, 3)),
    lambda x: np.squeeze(np.expand_dims(x, 1), axis=1),
    lambda x: np.broadcast_to(x, (3, 2, 2)),
    lambda x: np.flip(x, axis=0),
    lambda x: np.maximum(0, x) + np.minimum(x, np.ones(2)),
    lambda x: np.exp(x) / (1 + np.exp(x)),
    lambda x: np.square(np.tanh(x)) + np.abs(x) ** 0.5,
    lambda x: np.round(x, 1) * x,
    lambda x: np.swapaxes(x, 0, 1),
    np.ravel,
    lambda x: np.prod(x, axis=-1),
    lambda x: np.astype(x, np.float32),
]


@pytest.mark.parametrize("call", NUMPY_CALLS)
def test_numpy_functions_record(call: Any) -> None:
    result = call(ag.tensor(X))
    assert isinstance(result, Tensor)
    assert result.tracked
    np.testing.assert_allclose(result.data, call(X), rtol=1e-15)
    assert result.dtype == call(X).dtype


def test_numpy_functions_that_need_no_values() -> None:
    t = ag.tensor(X)
    assert (np.shape(t), np.ndim(t), np.size(t)) == ((2, 2), 2, 4)
    assert np.iscomplexobj(t) is False
    assert np.array_repr(t) == repr(X)
    assert status("exp") == "recorded"
    assert status("floor") == "constant by rule"
    assert status("pi") == "not a function of arrays"


@pytest.mark.parametrize("method", ["floor", "ceil", "trunc"])
def test_rounding_of_a_tracked_number(method: str) -> None:
    import math

    with pytest.raises(DetachedError, match=rf"{method}\(t.item\(\)\)"):
        getattr(math, method)(ag.tensor(1.5))
    assert getattr(math, method)(ag.constant(1.5)) == getattr(math, method)(1.5)
    assert round(ag.constant(1.26), 1) == 1.3


def test_plain_data_stay_plain() -> None:
    assert type(ag.exp(1.0)) is np.float64
    assert type(ag.sum([1, 2])) is np.int64
    assert type(ag.maximum(np.ones(2), 0)) is np.ndarray
    assert ag.reshape([[1, 2]], (2, 1)).shape == (2, 1)
    assert isinstance(ag.exp(ag.constant(1.0)), Tensor)
    assert not ag.exp(ag.constant(1.0)).tracked
