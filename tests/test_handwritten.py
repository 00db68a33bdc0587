"""The classic layers: the notebook's numbers, and manners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_lite.handwritten import Affine, AffineSimple, ReLU, Sigmoid
from autograd_lite.numeric import numeric_vjp

W = np.array([[1, 2, 3], [4, 5, 6]])
B = np.array([7, 8, 9])


@pytest.mark.parametrize("layer", [Affine, AffineSimple])
def test_affine_on_the_notebooks_numbers(layer: Any) -> None:
    one = layer(W, B)
    assert one.forward(np.array([[1, 1]])).tolist() == [[12, 15, 18]]
    assert one.backward(np.array([[2, 1, -1]])).tolist() == [[1, 7]]
    assert one.dW.tolist() == [[2, 1, -1], [2, 1, -1]]
    assert one.db.tolist() == [2, 1, -1]
    batch = layer(W, B)
    assert batch.forward(np.array([[1, 1], [2, 3]])).tolist() == [[12, 15, 18], [21, 27, 33]]
    assert batch.backward(np.array([[2, 1, -1], [1, 1, 1]])).tolist() == [[1, 7], [6, 15]]
    assert batch.dW.tolist() == [[4, 3, 1], [5, 4, 2]]
    assert batch.db.tolist() == [3, 2, 0]


@pytest.mark.parametrize("shape", [(2,), (1, 2), (3, 2), (0, 2), (3, 2, 1, 1), (3, 1, 2)])
def test_affine_gives_a_gradient_of_the_inputs_shape(
    shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    layer, x = Affine(W, B), rng.normal(size=shape)
    y = layer.forward(x)
    assert y.shape == ((3,) if len(shape) == 1 else (shape[0], 3))
    dout = rng.normal(size=y.shape)
    dx = layer.backward(dout)
    assert dx.shape == shape
    truth = numeric_vjp(lambda x, w, b: Affine(w, b).forward(x), [x, W, B], dout)
    for found, expected in zip((dx, layer.dW, layer.db), truth, strict=True):
        assert found.shape == expected.value.shape
        np.testing.assert_allclose(found, expected.value, rtol=1e-12, atol=1e-14)


def test_sigmoid(rng: np.random.Generator) -> None:
    layer = Sigmoid()
    assert layer.forward(np.array([0, 1000, -1000])).tolist() == [0.5, 1, 0]
    assert layer.backward(np.array([4, 1, 1])).tolist() == [1, 0, 0]
    x, dout = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    layer.forward(x)
    (truth,) = numeric_vjp(lambda x: Sigmoid().forward(x), [x], dout)
    np.testing.assert_allclose(layer.backward(dout), truth.value, rtol=1e-12)


def test_relu() -> None:
    layer = ReLU()
    assert layer.forward(np.array([1, -2, 3, -4, 0])).tolist() == [1, 0, 3, 0, 0]
    assert layer.backward(np.array([1, 2, -3, -4, 5])).tolist() == [1, 0, -3, 0, 0]
    assert np.isnan(layer.forward(np.array([np.nan]))).all()


@pytest.mark.parametrize("make", [lambda: Affine(W, B), lambda: AffineSimple(W, B), Sigmoid, ReLU])
def test_a_layer_changes_nothing_and_remembers_its_own_input(make: Any) -> None:
    layer, x = make(), np.array([[1.0, -2.0]])
    y = layer.forward(x)
    kept = y.copy()
    dout = np.ones(y.shape)
    expected = layer.backward(dout)
    assert (dout == 1).all()
    assert (x == [[1, -2]]).all()
    x[:] = 9
    y[:] = 9
    np.testing.assert_array_equal(layer.backward(dout), expected)
    assert not np.shares_memory(expected, dout)
    assert (layer.forward(np.array([[1.0, -2.0]])) == kept).all()


def test_accumulation_is_not_meant() -> None:
    layer = Affine(W, B)
    layer.forward(np.array([[1, 1]]))
    layer.backward(np.array([[2, 1, -1]]))
    first = layer.dW
    layer.backward(np.array([[2, 1, -1]]))
    assert (layer.dW == first).all()
