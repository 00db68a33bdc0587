"""Derived classes: what the notebook writes by hand, found by rewriting, and right for all else."""

from __future__ import annotations

import ast
import copy
import functools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import nn
from autograd_lite.cli import main
from autograd_lite.errors import DeriveError, DetachedError
from autograd_lite.recording import apply
from autograd_lite.rules import OPS
from tests.laws import arity

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


# layers in plain NumPy


class _HandAffine:
    def __init__(self, W: Any, b: Any) -> None:
        self.W, self.b = W, b

    def forward(self, x: Any) -> Any:
        self.shape = x.shape
        self.x = x.reshape(x.shape[0], -1)
        return np.dot(self.x, self.W) + self.b


class _HandSigmoid:
    def forward(self, x: Any) -> Any:
        self.out = 1 / (1 + np.exp(-x))
        return self.out


class _HandReLU:
    def forward(self, x: Any) -> Any:
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out


class _HandNetwork:
    def __init__(self) -> None:
        self.params = {"W1": np.ones((6, 3)), "b1": np.zeros(3)}
        self.layers = [_HandReLU(), _HandAffine(np.ones((3, 2)), np.zeros(2))]
        self.seen = np.zeros(3)

    def forward(self, x: Any) -> Any:
        h = x @ self.params["W1"] + self.params["b1"]
        self.seen = 0.9 * self.seen + 0.1 * h.mean(axis=0)
        for layer in self.layers:
            h = layer.forward(h)  # type: ignore[attr-defined]  # both have it
        return h


@pytest.mark.parametrize("x", [np.array([[1, 1]]), np.array([[1, 1], [-2, 3]])])
@pytest.mark.parametrize(
    ("layer", "backward"),
    [
        (_HandAffine(np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8, 9])),
         ["self.db = np.sum(dout, axis=0)", "self.dW = self.x.T @ dout",
          "return dout @ self.W.T"]),
        (_HandSigmoid(), ["return dout * self.out * (1 - self.out)"]),
        (_HandReLU(), ["return np.where(self.mask, 0, dout)"]),
    ],
    ids=lambda one: type(one).__name__ if hasattr(one, "forward") else "",
)  # fmt: skip
def test_layers_of_the_notebook_are_derived_as_they_stand(
    layer: Any, backward: list[str], x: Any
) -> None:
    """On its integers, a single sample and a batch; the layer keeps what it held, and no more."""
    held = {**vars(layer)}
    derived = ag.derive(layer, x)
    assert vars(layer) == held
    assert derived.name == type(layer).__name__.strip("_")
    assert backward_of(derived) == backward
    np.testing.assert_array_equal(derived.layer().forward(x), copy.deepcopy(layer).forward(x))
    assert backward_of(ag.derive(layer.forward, x)) == backward


def test_images_are_laid_out_as_rows_by_a_layer_in_plain_numpy() -> None:
    images = np.arange(24).reshape(2, 3, 2, 2)
    derived = ag.derive(_HandAffine(np.ones((12, 2)), np.zeros(2)), images)
    assert backward_of(derived)[-1] == "return (dout @ self.W.T).reshape(self.shape)"


def test_what_a_layer_in_plain_numpy_holds_are_parameters() -> None:
    """In a dictionary and in inner layers, those that the result rests on; not its statistics."""
    net = _HandNetwork()
    hand = ag.derive(net, X).layer()
    assert sorted(vars(hand)) == ["W", "W1", "b", "b1"]
    np.testing.assert_array_equal(net.seen, np.zeros(3))
    upstream = np.random.default_rng(2).normal(size=(4, 2))
    hand.forward(X)
    dx = hand.backward(upstream)
    arrived = upstream @ np.ones((2, 3)) * (X.sum(axis=1, keepdims=True) > 0)
    np.testing.assert_allclose(dx, arrived @ np.ones((3, 6)), rtol=1e-12)
    np.testing.assert_allclose(hand.db1, arrived.sum(axis=0), rtol=1e-12)


def test_functions_that_change_arrays_are_derived() -> None:
    def relu(x: Any) -> Any:
        out = x.copy()
        out[x <= 0] = 0
        return out

    assert backward_of(ag.derive(relu, X)) == ["return np.where(self.mask, 0, dout)"]
    assert backward_of(ag.derive(ag.lift(relu), X)) == ["return np.where(self.mask, 0, dout)"]
    assert backward_of(ag.derive(_HandSigmoid, X)) == ["return dout * self.out * (1 - self.out)"]


def test_what_is_changed_at_the_places_of_a_mask_is_derived() -> None:
    """The sizes of its parts are others in each batch."""

    def elu(x: Any) -> Any:
        out = x.copy()
        m = x < 0
        out[m] = np.exp(x[m]) - 1
        return out

    hand = ag.derive(elu, X).layer()
    for x in (X, -X[:3], np.abs(X)):
        dout = np.random.default_rng(3).normal(size=x.shape)
        np.testing.assert_allclose(hand.forward(x), elu(x), rtol=1e-14)
        np.testing.assert_allclose(hand.backward(dout), np.where(x < 0, np.exp(x), 1) * dout)


@pytest.mark.parametrize(
    ("what", "message"),
    [(_HandAffine, "makes no layer without arguments"), (3, "neither a function nor a layer")],
)
def test_what_is_no_layer_is_told(what: Any, message: str) -> None:
    with pytest.raises(DeriveError, match=message):
        ag.derive(what, X)


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


def _unit_rows(x: Any) -> Any:
    norm = ag.sqrt(ag.sum(x * x, axis=1, keepdims=True))
    return x / norm


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
        _unit_rows,
        "return (dout - self.y * np.sum(dout * self.y, axis=1, keepdims=True)) / self.norm",
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


def test_targets_whose_rows_sum_to_one_give_the_difference() -> None:
    t = np.eye(6)[[0, 1, 2, 1]]
    derived = ag.derive(_cross_entropy, X, t, argnums=0, rows_sum_to_one=["t"])
    assert backward_of(derived) == ["return dout * (self.s - self.t) / len(self.t)"]
    assert "Taken for granted: the rows of t sum to 1." in derived.source
    with pytest.raises(DeriveError, match="the rows of the example t do not sum to 1"):
        ag.derive(_cross_entropy, X, 2 * t, rows_sum_to_one=["t"])
    with pytest.raises(DeriveError, match="there is no argument 'labels'"):
        ag.derive(_cross_entropy, X, t, rows_sum_to_one=["labels"])


def _logsumexp(x: Any) -> Any:
    m = ag.max(x, axis=1, keepdims=True)
    return ag.log(ag.sum(ag.exp(x - m), axis=1)) + m[:, 0]


CASES: dict[str, tuple[Callable[..., Any], str]] = {
    "elu": (
        lambda x: ag.where(x > 0, x, ag.exp(x) - 1),
        "return dout * np.where(self.mask, 1, self.exp_x)",
    ),
    "log softmax": (
        lambda x: x - ag.log(ag.sum(ag.exp(x), axis=1, keepdims=True)),
        "return dout - np.sum(dout, axis=1, keepdims=True) * self.exp_x / self.sum_exp_x",
    ),
    "logsumexp": (
        _logsumexp,
        "return self.e * (dout / self.sum_e)[:, None]",
    ),
    "Gaussian integral": (
        lambda x: ag.erf(x / np.sqrt(2)),
        "return dout * math.sqrt(2 / math.pi) * np.exp(-(self.x**2) / 2)",
    ),
}


def _gelu_by_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + ag.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


def _selu(x: Any) -> Any:
    return SCALE * ag.where(x > 0, x, ALPHA * (ag.exp(x) - 1))


def _soft_shrink(x: Any) -> Any:
    return ag.where(x > 0.5, x - 0.5, ag.where(x < -0.5, x + 0.5, 0.0))


def _standardised(x: Any) -> Any:
    return (x - ag.mean(x, axis=0)) / ag.std(x, axis=0)


CASES |= {
    "hard swish": (
        lambda x: x * ag.clip(x + 3, 0, 6) / 6,
        "return dout / 6 * (self.h2 + self.x * self.mask)",
    ),
    "GELU by tanh": (_gelu_by_tanh, "return dout * self.z * (0.5 + slope)"),
    "SELU": (
        _selu,
        f"return dout * {SCALE} * np.where(self.mask, 1, {ALPHA} * self.exp_x)",
    ),
    "soft shrinkage": (_soft_shrink, "return dout * self.mask3"),
    "snake": (
        lambda x: x + ag.sin(x) ** 2,
        "return dout * (1 + 2 * self.sin_x * np.cos(self.x))",
    ),
    "unit rows by norm": (
        lambda x: x / ag.linalg.norm(x, axis=1, keepdims=True),
        "return (dout - self.y * np.sum(dout * self.y, axis=1, keepdims=True)) / self.norm_x",
    ),
    "standardised columns": (_standardised, "return g / self.std_x"),
    "Gram matrix": (lambda x: x.T @ x, "return self.x @ (dout + dout.T)"),
    "mean over an axis": (
        lambda x: ag.mean(x, axis=1),
        "return np.broadcast_to(dout[:, None] / self.shape[1], self.shape)",
    ),
    "polynomial": (
        lambda x: ((3 * x - 2) * x + 1) * x - 7,
        "return dout * (1 + self.x * (9 * self.x - 4))",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cases_quotients_and_roots_are_written_as_one_writes_them(name: str) -> None:
    f, line = CASES[name]
    assert backward_of(ag.derive(f, X))[-1] == line


def _logistic_loss(x: Any, t: Any) -> Any:
    p = 1 / (1 + ag.exp(-x))
    return -ag.mean(t * ag.log(p) + (1 - t) * ag.log(1 - p))


def _gated(x: Any, W: Any, b: Any) -> Any:
    """A value called z, which no other may be called then."""
    z = ag.sigmoid(x @ W + b)
    return z * ag.tanh(x @ W) + (1 - z) * x


def test_what_is_made_of_inputs_alone_is_seen_through() -> None:
    t = (X > 0).astype(float)
    derived = ag.derive(_logistic_loss, X, t, argnums=0)
    assert backward_of(derived) == ["return dout * (self.p - self.t) / self.p.size"]


def test_values_keep_the_names_that_the_function_gives_them() -> None:
    derived = ag.derive(_gated, X, np.eye(6), np.zeros(6))
    assert "self.z = sigmoid(" in derived.source


def test_names_of_arguments_are_not_taken_for_sizes() -> None:
    def f(x: Any, n: Any, shape: Any) -> Any:
        return ag.sum(x[:, 0] * n[0]) / len(x) * ag.sum(shape**2)

    derived = ag.derive(f, X, np.ones(3), np.ones(5), name="Layer")  # held against the engine
    assert derived.layer().backward is not None


# other sizes than those of the examples


@pytest.mark.parametrize(
    ("f", "sizes", "others"),
    [
        (lambda x: ag.mean(x, axis=1), [(4, 5, 3)], [(2, 7, 6)]),
        (lambda x: ag.mean(x, axis=(2, 3)), [(2, 3, 4, 4)], [(3, 2, 5, 6)]),
        (lambda x, w: ag.mean((x @ w) ** 2), [(4, 3), (3, 3)], [(5, 6), (6, 2)]),
        (lambda x: ag.log(ag.linalg.det(x)), [(3, 3)], [(5, 5)]),
        (
            lambda q, k: ag.softmax(q @ k.T / np.sqrt(q.shape[1]), axis=1),
            [(5, 3), (5, 3)],
            [(2, 6), (4, 6)],
        ),
    ],
)
def test_a_class_takes_other_sizes(f: Any, sizes: Any, others: Any) -> None:
    """Never a gradient that is right for the examples' sizes alone, and nothing says so."""
    rng = np.random.default_rng(3)
    examples = [np.eye(*size) + rng.uniform(size=size) if len(set(size)) == 1 else
                rng.uniform(size=size) for size in sizes]  # fmt: skip
    derived = ag.derive(f, *examples, name="Derived")
    assert "For arguments of the shapes" not in derived.source
    more = [np.eye(*size) + rng.uniform(size=size) if len(set(size)) == 1 else
            rng.uniform(size=size) for size in others]  # fmt: skip
    layer = derived.layer()
    y, pull = ag.vjp(f, *more)
    cotangent = rng.normal(size=np.shape(y))[()]
    np.testing.assert_allclose(layer.forward(*more), y, rtol=1e-12)
    found = layer.backward(cotangent)
    truth = pull(cotangent)
    for one, other in zip(found if len(more) > 1 else (found,), truth, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-13)


def test_sizes_that_the_program_depends_on_are_stated() -> None:
    derived = ag.derive(lambda x: ag.sum(x * np.eye(6)[: x.shape[1]][0, 0], axis=1), X)
    assert derived.batch
    derived = ag.derive(lambda x: x * x.shape[1] ** x.shape[1], X)
    assert "For arguments of the shapes x (n, 6)." in derived.source


def test_two_maxima_of_one_array_are_derived() -> None:
    """Its rules subtract conditions, which arrays of bool do not do."""
    derived = ag.derive(
        lambda x: ag.log(ag.sum(ag.exp(x - ag.max(x, axis=1, keepdims=True)), axis=1))
        + ag.max(x, axis=1), X,
    )  # fmt: skip
    assert ag.compare(derived.layer(), X, against=lambda x: ag.logsumexp(x, axis=1)).ok


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
    more = x[:3]  # three samples instead of four: any number will do
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


# explained


def test_the_rewriting_of_softmax_with_cross_entropy() -> None:
    x = ag.tensor(X, name="x")
    t = ag.constant(np.eye(6)[[0, 1, 2, 1]], name="t")
    lines = [line.text for line in ag.explain(_cross_entropy(x, t)).steps]
    assert lines[-2:] == [
        "dx = dout × (exp(x) − t(Σ exp(x)))/(4(Σ exp(x)))   [every value by its formula]",
        "   = dout × (s − t)/4   [by Σ exp(x) = exp(x)/s, from s]",
    ]


def test_a_value_that_is_read_twice_gathers_a_sum() -> None:
    x = ag.tensor(X, name="x")
    assert any(line.text.endswith("dx = dout × s − dv1") for line in ag.explain(_swish(x)).steps)


def test_explanations_name_what_is_asked_for() -> None:
    x, W = ag.tensor(X, name="x"), ag.parameter(np.ones((6, 2)), name="W")
    y = x @ W
    whole = str(ag.explain(y))
    assert "dx = dout·Wᵀ" in whole
    assert "dW = xᵀ·dout" in whole
    assert "dx" not in str(ag.explain(y, W)).split("back: ")[1].partition("\n")[2]


@pytest.mark.parametrize("name", SHORT)
def test_explanations_are_latex(name: str) -> None:
    ziamath = pytest.importorskip("ziamath", reason="renders LaTeX")
    derived = ag.derive(SHORT[name][0], X)
    rows = derived.latex.splitlines()
    assert [rows[0], rows[-1]] == [r"\begin{aligned}", r"\end{aligned}"]
    assert len(rows) == len(derived.steps) + 2
    for row in rows[1:-1]:
        for part in row.removesuffix(r"\\").replace(r"\quad", "").split("&"):
            if part.strip(" ="):
                assert "<svg" in ziamath.Latex(part.strip(" =")).svg()


# names, and bad input


@pytest.mark.parametrize(
    "name", ["import os", "x; y", "x" * 40, "é", "\u202e", "self", "sum", "_x"]
)
def test_hostile_names_stay_out_of_the_code(name: str) -> None:
    W = ag.parameter(np.ones((6, 2)), name=name)
    derived = ag.derive(lambda x: ag.tanh(x @ W), X, name="Layer")
    assert list(derived.written.held) == ["W"]
    assert name in ("self", "sum", "_x") or name not in derived.source
    assert derived.layer().forward(X).shape == (4, 2)


@pytest.mark.parametrize("name", ["a b", "class", "1x", "x.y", "self", ""])
def test_a_class_has_a_plain_name(name: str) -> None:
    with pytest.raises(DeriveError, match="no name for a class"):
        ag.derive(ag.tanh, X, name=name)


def test_what_cannot_be_derived() -> None:
    with pytest.raises(DeriveError, match="no examples"):
        ag.derive(ag.tanh)
    with pytest.raises(DeriveError, match="or a tuple of such tensors"):
        ag.derive(lambda x: (ag.exp(x), "x"), X)
    with pytest.raises(DeriveError, match="the function returns 3"):
        ag.derive(lambda x: 3, X)
    with pytest.raises(DeriveError, match="the result does not depend on x"):
        ag.derive(lambda x: ag.tensor(1.0) * 2, X)
    with pytest.raises(DeriveError, match="its gradient is zero"):
        ag.derive(lambda x, t: x * ag.floor(t), X, X)
    with pytest.raises(DeriveError, match="there is no argument 2"):
        ag.derive(ag.tanh, X, argnums=2)
    with pytest.raises(DeriveError, match="labels have no gradient"):
        ag.derive(nn.softmax_cross_entropy, X, np.array([0, 1, 2, 1]), argnums=1)
    with pytest.raises(DeriveError, match="the operator expm has no NumPy code"):
        ag.derive(ag.linalg.expm, np.eye(3))
    with pytest.raises(DeriveError, match="no history"):
        ag.explain(ag.constant(1.0))
    with pytest.raises(DeriveError, match="no leaf that the result rests on"):
        ag.explain(ag.tensor(1.0) * 2, ag.tensor(1.0))


def test_a_branch_on_data_is_refused() -> None:
    def f(x: Any) -> Any:
        return x if float(ag.sum(x)) > 0 else -x

    with pytest.raises(DetachedError):
        ag.derive(f, X)


def test_a_value_baked_into_the_function_is_found_out() -> None:
    draws = iter(range(100))
    with pytest.raises(DeriveError, match="do not agree on the output"):
        ag.derive(lambda x: x * (1.0 + next(draws)), X)


# the command


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["1 / (1 + exp(-x))"], "return dout * self.y * (1 - self.y)"),
        (["tanh(x @ W + b)", "--shape", "W=3,2", "--shape", "b=2"], "dW = self.x.T @ dz"),
        (["1 / (1 + exp(-x))", "--explain"], "= dout × y(1−y)   [by exp(x) = y/(1−y), from y]"),
        (["exp(-x)", "--latex"], r"\\begin{aligned}"),
    ],
)
def test_the_command_derives(arguments: list[str], line: str, capsys: Any) -> None:
    assert main(["derive", *arguments]) == 0
    assert line.replace("\\\\", "\\") in capsys.readouterr().out


def test_the_command_runs_a_file(tmp_path: Any, capsys: Any) -> None:
    file = tmp_path / "layer.py"
    file.write_text("import autograd_lite as ag\n\ndef relu(x):\n    return ag.maximum(x, 0)\n")
    assert main(["derive", f"{file}::relu"]) == 0
    assert "class Relu:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["__import__('os')"], "has no variable"),
        (["x.real"], "cannot stand in an expression"),
        (["exec(x)"], "cannot stand in an expression"),
        (["x +"], "is neither an expression nor FILE.py::NAME"),
        (["x", "--shape", "a"], "is no shape"),
        (["x", "--shape", "y=3"], "there is no argument y"),
        (["nowhere.py::f"], "there is no file nowhere.py"),
    ],
)
def test_the_command_says_what_it_cannot(arguments: list[str], message: str, capsys: Any) -> None:
    assert main(["derive", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_range_is_where_six_digits_are_left() -> None:
    derived = ag.derive(lambda x: 1 / (1 + ag.exp(-x)), np.zeros((4, 6)))
    (low, high) = re.search(r"for x from (\S+) to (\S+)\.", derived.source).groups()  # type: ignore[union-attr]  # it is there
    assert -720 < float(low) < -690
    layer = derived.layer()

    def error(size: float) -> float:
        x = np.linspace(0.5 * size, size, 500)
        layer.forward(x)
        truth = 1 / (2 + np.exp(x) + np.exp(-x))
        return float(np.max(np.abs(layer.backward(1.0) / truth - 1)))

    assert error(0.8 * float(high)) < 1e-6 < error(1.2 * float(high))


def test_single_precision_has_a_range_of_its_own() -> None:
    derived = ag.derive(lambda x: 1 / (1 + ag.exp(-x)), np.zeros((4, 6), np.float32))
    assert "In float32 the gradient of x has six digits" in derived.source


# random compositions, and the looks of all that is written

UNARY = [
    op
    for op in OPS.values()
    if op.kind == "pointwise"
    and arity(op) == 1
    and op.differentiable
    and not op.code.count("scipy")
]


def _random_program(rng: np.random.Generator) -> Callable[[Any, Any], Any]:
    """A function of two arrays, of operators on elements, sums, means and a product."""
    steps = [
        (int(rng.integers(4)), UNARY[int(rng.integers(len(UNARY)))], float(rng.uniform(0.5, 1.5)))
        for _ in range(4)
    ]

    def f(x: Any, w: Any) -> Any:
        u = x
        for kind, op, c in steps:
            low, high = op.domain
            middle, half = (low + high) / 2, (high - low) / 2
            if kind == 0:
                u = u * ag.tanh(u * c) + u
            elif kind == 1:
                u = u - ag.mean(u, axis=1, keepdims=True)
            elif kind == 2:
                u = ag.tanh(u @ w)
            else:
                u = apply(op, [middle + 0.8 * half * ag.tanh(u)])
        return u

    return f


@pytest.mark.parametrize("seed", range(5))
def test_random_compositions_are_right(seed: int) -> None:
    rng = np.random.default_rng(seed)
    f = _random_program(rng)
    x, w = rng.normal(size=(4, 3)), rng.normal(size=(3, 3))
    derived = ag.derive(f, x, w, argnums=0)  # held against the engine
    more = rng.normal(size=(7, 3))
    hand = derived.layer()
    y = hand.forward(more, w)
    (truth,) = ag.vjp(lambda one: f(one, w), more)[1](np.ones_like(y))
    np.testing.assert_allclose(hand.backward(np.ones_like(y)), truth, rtol=1e-7, atol=1e-9)


def _rows_of_labels(x: Any, t: Any) -> Any:
    e = ag.exp(x - ag.max(x, axis=1, keepdims=True))
    s = e / ag.sum(e, axis=1, keepdims=True)
    return -ag.mean(ag.log(s[np.arange(len(x)), t]))


def _halves(x: Any) -> Any:
    return x[:, :3] / (1 + ag.exp(-x[:, 3:]))


def _radial(x: Any, c: Any) -> Any:
    return ag.exp(-ag.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=2) / 2)


def _pooled(x: Any) -> Any:
    return ag.max(x.reshape(len(x), 2, 2, 2, 2, 2), axis=(3, 5))


RNG = np.random.default_rng(4)
FURTHER: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "labels": (_rows_of_labels, (RNG.normal(size=(4, 3)), np.array([0, 1, 2, 1]))),
    "halves": (_halves, (RNG.normal(size=(4, 6)),)),
    "radial": (_radial, (RNG.normal(size=(4, 3)), RNG.normal(size=(5, 3)))),
    "pooled": (_pooled, (RNG.normal(size=(2, 2, 4, 4)),)),
    "norm": (lambda x: ag.linalg.norm(x, axis=1), (RNG.normal(size=(4, 3)),)),
    "columns": (lambda x: x[:, np.array([0, 2, 2])] ** 2, (RNG.normal(size=(4, 3)),)),
    "chosen": (lambda x: ag.exp(x[np.array([True, False, True, True])]), (np.ones((4, 3)),)),
    "rows": (lambda W, places: W[places], (RNG.normal(size=(5, 3)), np.array([0, 2, 2, 4]))),
}


@functools.cache
def further(name: str) -> tuple[Any, Any]:
    """A function of ``FURTHER`` derived, and its module of generated code read by Python."""
    f, examples = FURTHER[name]
    derived = ag.derive(f, *examples, name="Derived")
    return derived, ast.parse(derived.source)


@pytest.mark.parametrize("name", FURTHER)
def test_indices_and_windows_are_derived(name: str) -> None:
    f, examples = FURTHER[name]
    floats = tuple(k for k, one in enumerate(examples) if one.dtype.kind == "f")
    layer = further(name)[0].layer()
    y, pull = ag.vjp(lambda *xs: f(*xs, *examples[len(xs) :]), *(examples[k] for k in floats))
    cotangent = np.random.default_rng(1).normal(size=np.shape(y))[()]
    np.testing.assert_allclose(layer.forward(*examples), y, rtol=1e-12)
    found = layer.backward(cotangent)
    for one, truth in zip(found if len(floats) > 1 else (found,), pull(cotangent), strict=True):
        np.testing.assert_allclose(one, truth, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", FURTHER)
def test_nothing_is_computed_in_vain(name: str) -> None:
    """Every value that either pass names is read after that, and backward reads what is kept."""
    tree = further(name)[1]
    (made,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    for method in (node for node in made.body if isinstance(node, ast.FunctionDef)):
        names = [node for node in ast.walk(method) if isinstance(node, ast.Name)]
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        assert stored <= {node.id for node in names if isinstance(node.ctx, ast.Load)}
    fields = [node for node in ast.walk(made) if isinstance(node, ast.Attribute)
              and isinstance(node.value, ast.Name) and node.value.id == "self"]  # fmt: skip
    kept = {node.attr for node in fields if isinstance(node.ctx, ast.Store)}
    assert kept <= {node.attr for node in fields if isinstance(node.ctx, ast.Load)}


def _lstm(x: Any, h: Any, c: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    a = x @ Wx + h @ Wh + b
    i, f, o = (ag.sigmoid(a[:, k : k + 2]) for k in (0, 2, 4))
    g = ag.tanh(a[:, 6:])
    cell = f * c + i * g
    out = o * ag.tanh(cell)
    return out, cell


def test_a_cell_of_two_results_takes_two_gradients() -> None:
    rng = np.random.default_rng(0)
    sizes = [(4, 3), (4, 2), (4, 2), (3, 8), (2, 8), (8,)]
    examples = [rng.normal(size=size) for size in sizes]
    derived = ag.derive(_lstm, *examples)
    assert "def backward(self, dout, dcell):" in derived.source
    assert "da = np.concatenate([" in derived.source
    layer = derived.layer()
    more = [rng.normal(size=(7, *size[1:])) if k < 3 else one
            for k, (size, one) in enumerate(zip(sizes, examples, strict=True))]  # fmt: skip
    arriving = rng.normal(size=(2, 7, 2))
    results, pull = ag.vjp(_lstm, *more)
    for one, other in zip(layer.forward(*more), results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    for one, other in zip(layer.backward(*arriving), pull(tuple(arriving)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-14)


def test_random_draws_are_arguments() -> None:
    derived = ag.derive(ag.nn.Dropout(0.5, rng=0), X)
    assert "def forward(self, x, mask):" in derived.source
    assert backward_of(derived) == ["return dout * self.mask"]


def test_integers_are_positions_where_the_layer_takes_them_for_that() -> None:
    W = np.random.default_rng(0).normal(size=(5, 3))
    places = np.array([0, 2, 2, 4])
    layer = ag.derive(ag.nn.Embedding(W), places).layer()
    np.testing.assert_array_equal(layer.forward(places), W[places])
    layer.backward(np.ones((4, 3)))
    np.testing.assert_array_equal(layer.dW[:, 0], [1, 0, 2, 0, 1])


def test_what_is_written_is_formatted(tmp_path: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    sources = [ag.derive(f, X).source for f, _ in SHORT.values()]
    sources += [derived_layer(name)[2].source for name in ("Convolution", "MaxPool", "Sequential")]
    for k, source in enumerate(sources):
        (tmp_path / f"layer{k}.py").write_text(source)
    rules = ["--select", "E,F,W,I,UP,B,A", "--ignore", "B905"]
    for command in (["format", "--check"], ["check", *rules]):
        done = subprocess.run(
            [ruff, *command, "--line-length", "100", "--isolated", "."],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_layer_stays_as_it_is() -> None:
    norm, drop = nn.BatchNorm.initialised(6), nn.Dropout(0.5, rng=2)
    ag.derive(norm, X)
    assert not norm.running_mean.value.any()
    ag.derive(drop, X)
    fresh = nn.Dropout(0.5, rng=2)
    assert np.array_equal(drop(ag.tensor(X)).numpy(), fresh(ag.tensor(X)).numpy())
