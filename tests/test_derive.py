"""Derived classes: what the notebook writes by hand, found by rewriting, and right for all else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import nn

X = np.random.default_rng(1).normal(size=(4, 6))


def backward_of(derivation: Any) -> list[str]:
    """The statements of backward, without remarks."""
    lines = derivation.source[derivation.source.index("    def backward") :].splitlines()[1:]
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


# the notebook's layers


def test_affine_is_two_products_and_a_sum() -> None:
    layer = nn.Affine(np.ones((6, 2)), np.zeros(2))
    assert backward_of(ag.derive(layer, X)) == [
        "self.db = np.sum(dout, axis=0)",
        "self.dW = self.x.T @ dout",
        "return dout @ self.W.T",
    ]


def test_affine_lays_out_images_as_rows() -> None:
    derived = ag.derive(nn.Affine(np.ones((12, 2)), np.zeros(2)), np.ones((4, 3, 2, 2)))
    assert "x.reshape(len(x), -1)" in derived.source
    assert backward_of(derived)[-1] == "return (dout @ self.W.T).reshape(self.shape)"


def test_sigmoid_is_written_by_its_output() -> None:
    derived = ag.derive(lambda x: 1 / (1 + ag.exp(-x)), X)
    assert backward_of(derived) == ["return dout * self.y * (1 - self.y)"]


def test_relu_keeps_a_mask() -> None:
    derived = ag.derive(nn.ReLU(), X)
    assert "self.mask = x > 0" in derived.source
    assert backward_of(derived) == ["return dout * self.mask"]


# what no rule names


def _tanh_of_exps(x: Any) -> Any:
    return (ag.exp(x) - ag.exp(-x)) / (ag.exp(x) + ag.exp(-x))


def _swish(x: Any) -> Any:
    s = 1 / (1 + ag.exp(-x))
    return x * s


def _softmax(x: Any) -> Any:
    e = ag.exp(x - ag.max(x, axis=1, keepdims=True))
    return e / ag.sum(e, axis=1, keepdims=True)


def _cross_entropy(x: Any, t: Any) -> Any:
    e = ag.exp(x - ag.max(x, axis=1, keepdims=True))
    s = e / ag.sum(e, axis=1, keepdims=True)
    return -ag.sum(t * ag.log(s)) / len(x)


def _layer_norm(x: Any, gamma: Any, beta: Any) -> Any:
    c = x - ag.mean(x, axis=1, keepdims=True)
    std = ag.sqrt(ag.mean(c * c, axis=1, keepdims=True) + 1e-5)
    n = c / std
    return gamma * n + beta


SHORT = {
    "tanh of exps": (_tanh_of_exps, "return dout * (1 - self.y**2)"),
    "tanh": (ag.tanh, "return dout * (1 - self.y**2)"),
    "swish": (_swish, "return dout * (self.s + self.y * (1 - self.s))"),
    "Gaussian": (lambda x: ag.exp(-(x**2) / 2), "return -(dout * self.x * self.y)"),
    "softmax": (
        _softmax,
        "return self.y * (dout - np.sum(dout * self.y, axis=1, keepdims=True))",
    ),
    "square root": (lambda x: ag.sqrt(x**2 + 1), "return dout * self.x / self.y"),
    "unit rows": (
        lambda x: x / ag.sqrt(ag.sum(x * x, axis=1, keepdims=True)),
        "return (dout - self.y * np.sum(dout * self.y, axis=1, keepdims=True)) / self.sqrt",
    ),
}


@pytest.mark.parametrize("name", SHORT)
def test_rewriting_finds_the_short_form(name: str) -> None:
    f, line = SHORT[name]
    assert backward_of(ag.derive(f, X)) == [line]


def test_softmax_with_cross_entropy_is_a_difference() -> None:
    t = np.eye(6)[[0, 1, 2, 1]]
    derived = ag.derive(_cross_entropy, X, t, argnums=0)
    row = "np.sum(self.t, axis=1, keepdims=True)"
    assert backward_of(derived) == [f"return dout * ({row} * self.s - self.t) / len(self.t)"]


def test_a_dense_layer_shares_the_gradient_before_its_activation() -> None:
    W, b = np.ones((6, 3)), np.zeros(3)
    derived = ag.derive(lambda x, W, b: 1 / (1 + ag.exp(-(x @ W + b))), X, W, b)
    assert backward_of(derived) == [
        "dz = dout * self.y * (1 - self.y)",
        "dx = dz @ self.W.T",
        "dW = self.x.T @ dz",
        "db = np.sum(dz, axis=0)",
        "return dx, dW, db",
    ]


# right for everything

IMAGES = np.random.default_rng(2).normal(size=(4, 3, 6, 6))
SEQUENCES = np.random.default_rng(3).normal(size=(4, 5, 6))
LAYERS: dict[str, tuple[Callable[[], Any], Any]] = {
    "Affine": (lambda: nn.Affine.initialised(6, 2, rng=0), X),
    "AveragePool": (lambda: nn.AveragePool(2), IMAGES),
    "BatchNorm": (lambda: nn.BatchNorm.initialised(6), X),
    "Convolution": (lambda: nn.Convolution.initialised(3, 2, (3, 3), rng=0, padding=1), IMAGES),
    "ConvolutionTranspose": (
        lambda: nn.ConvolutionTranspose.initialised(3, 2, (3, 2), rng=0, stride=2),
        IMAGES,
    ),
    "ELU": (nn.ELU, X),
    "Flatten": (nn.Flatten, IMAGES),
    "GELU": (lambda: nn.GELU("tanh"), X),
    "GlobalAveragePool": (nn.GlobalAveragePool, IMAGES),
    "GroupNorm": (lambda: nn.GroupNorm.initialised(3, 3), IMAGES),
    "LayerNorm": (lambda: nn.LayerNorm.initialised((6,)), X),
    "LeakyReLU": (nn.LeakyReLU, X),
    "LogSigmoid": (nn.LogSigmoid, X),
    "LogSoftmax": (nn.LogSoftmax, X),
    "MaxPool": (lambda: nn.MaxPool(2), IMAGES),
    "MultiHeadAttention": (
        lambda: nn.MultiHeadAttention.initialised(6, heads=2, rng=0),
        SEQUENCES,
    ),
    "RMSNorm": (lambda: nn.RMSNorm.initialised((6,)), X),
    "ReLU": (nn.ReLU, X),
    "Sequential": (
        lambda: nn.Sequential(
            nn.Affine.initialised(6, 5, rng=0),
            nn.ReLU(),
            nn.Affine.initialised(5, 2, rng=1),
            nn.Sigmoid(),
        ),
        X,
    ),
    "SiLU": (nn.SiLU, X),
    "Sigmoid": (nn.Sigmoid, X),
    "Softmax": (nn.Softmax, X),
    "Softplus": (nn.Softplus, X),
    "Tanh": (nn.Tanh, X),
}
ELSEWHERE = {"Dropout", "Embedding", "GRU", "LSTM", "Layer", "RNN"}  # tests of their own


def test_every_layer_has_a_row() -> None:
    classes = {n for n, v in vars(nn).items() if isinstance(v, type) and issubclass(v, nn.Layer)}
    assert classes == set(LAYERS) | ELSEWHERE


def _two_layers(x: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    return nn.sigmoid(nn.affine(nn.relu(nn.affine(x, W1, b1)), W2, b2))


@functools.cache
def derived_layer(name: str) -> tuple[Any, Any, Any]:
    """A layer, its input, and what is derived of it: once for all tests."""
    make, x = LAYERS[name]
    layer = make()
    return layer, x, ag.derive(layer, x)


@pytest.mark.parametrize("name", LAYERS)
def test_a_derived_layer_passes_the_comparison(name: str) -> None:
    layer, x, derived = derived_layer(name)
    more = np.concatenate([x, x[:3]])  # seven samples: any number will do
    against = _two_layers if name == "Sequential" else layer
    report = ag.compare(derived.layer(), more, against=against)
    assert report.ok, str(report)
    assert derived.batch


@pytest.mark.parametrize("name", LAYERS)
def test_a_derived_layer_keeps_float32(name: str) -> None:
    _, x, derived = derived_layer(name)
    hand = derived.type(*(np.float32(value) for value in derived.written.held.values()))
    y = hand.forward(x.astype(np.float32))
    found = hand.backward(np.ones_like(y))
    gradients = [getattr(hand, f"d{name}") for name in derived.written.parameters]
    assert {one.dtype for one in (y, found, *gradients)} == {np.dtype(np.float32)}
