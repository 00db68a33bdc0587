"""Layers: against PyTorch, the numeric referee, and differences of the gradient; their state."""

from __future__ import annotations

import importlib.util
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import nn
from autograd_lite.errors import (
    DomainError,
    DTypeError,
    IndexingError,
    MissingExtraError,
    ShapeError,
)
from autograd_lite.numeric import numeric_jvp, numeric_vjp

LABELS = np.array([2, 0, 1, 4])


def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: no peer to compare with")


def near(found: Any, wanted: Any, rtol: float = 1e-10) -> None:
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max(initial=0) <= rtol * np.abs(wanted).max(initial=1)


def against(ours: Any, theirs: Any, arrays: list[Any], rng: Any) -> None:
    """Value and all gradients equal PyTorch's."""
    peer = torch()
    xs = [ag.tensor(a) for a in arrays]
    ts = [peer.tensor(a, requires_grad=True) for a in arrays]
    y, z = ours(*xs), theirs(*ts)
    near(y.data, z.detach().numpy())
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(peer.tensor(g))
    for x, t in zip(xs, ts, strict=True):
        near(x.grad, t.grad.numpy())


# every function of the room, on arrays whose derivatives are asked for


def _rows(rng: Any) -> list[Any]:
    return [rng.normal(size=(4, 5))]


def _images(rng: Any) -> list[Any]:
    return [rng.normal(size=(3, 4, 2, 3)), rng.normal(size=4), rng.normal(size=4)]


def _rnn(gates: int, *more: int) -> Callable[[Any], list[Any]]:
    shapes = [(3, 2), (3, 4), (2, 4 * gates), (4, 4 * gates), (4 * gates,), *[(n,) for n in more]]
    return lambda rng: [0.5 * rng.normal(size=shape) for shape in shapes]


def _lstm(x: Any, h: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    return ag.concat(nn.lstm_step(x, (h, h * 0.5), Wx, Wh, b), axis=1)


MASK = np.tri(4, 5, dtype=bool)
MASK[2] = False
FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "sigmoid": (nn.sigmoid, _rows),
    "relu": (nn.relu, _rows),
    "tanh": (nn.tanh, _rows),
    "softplus": (nn.softplus, _rows),
    "log_sigmoid": (nn.log_sigmoid, _rows),
    "silu": (nn.silu, _rows),
    "elu": (nn.elu, _rows),
    "leaky_relu": (nn.leaky_relu, _rows),
    "softmax": (nn.softmax, _rows),
    "log_softmax": (nn.log_softmax, _rows),
    "gelu": (lambda x: nn.gelu(x, approximate="tanh"), _rows),
    "affine": (nn.affine, lambda rng: [*_rows(rng), rng.normal(size=(5, 2)), rng.normal(size=2)]),
    "convolution": (
        lambda x, W, b: nn.convolution(x, W, b, padding=1, stride=2),
        lambda rng: [rng.normal(size=s) for s in ((2, 2, 5), (3, 2, 3), (3,))],
    ),
    "convolution_transpose": (
        lambda x, W, b: nn.convolution_transpose(x, W, b, stride=2, output_padding=1),
        lambda rng: [rng.normal(size=s) for s in ((2, 3, 4), (3, 2, 3), (2,))],
    ),
    "max_pool": (
        lambda x: nn.max_pool(x, 2, stride=1),
        lambda rng: [rng.permutation(30).reshape(1, 2, 3, 5) / 30],
    ),
    "average_pool": (
        lambda x: nn.average_pool(x, 2, padding=1, count_padding=False),
        lambda rng: [rng.normal(size=(1, 2, 3, 4))],
    ),
    "global_average_pool": (nn.global_average_pool, lambda rng: [rng.normal(size=(2, 3, 2, 2))]),
    "batch_norm": (nn.batch_norm, _images),
    "batch_norm with statistics": (
        lambda x, a, b: nn.batch_norm(x, a, b, statistics=nn.Statistics(np.ones(4), np.arange(4))),
        _images,
    ),
    "group_norm": (lambda x, a, b: nn.group_norm(x, 2, a, b), _images),
    "layer_norm": (
        lambda x, a, b: nn.layer_norm(x, a, b, ndim=2),
        lambda rng: [rng.normal(size=s) for s in ((3, 2, 4), (2, 4), (2, 4))],
    ),
    "rms_norm": (nn.rms_norm, lambda rng: [rng.normal(size=s) for s in ((3, 4), (4,))]),
    "dropout": (lambda x: nn.dropout(x, 0.5, rng=3), _rows),
    "embedding": (
        lambda W: nn.embedding([[1, 1, 0], [3, 1, 2]], W),
        lambda rng: [rng.normal(size=(4, 3))],
    ),
    "softmax_cross_entropy": (lambda x: nn.softmax_cross_entropy(x, LABELS), _rows),
    "softmax_cross_entropy of shares": (
        lambda x: nn.softmax_cross_entropy(x, np.eye(5)[LABELS] * 0.9 + 0.02, reduction="none"),
        _rows,
    ),
    "softmax_cross_entropy, ignoring": (
        lambda x: nn.softmax_cross_entropy(x, [2, -1, 1, -1], ignore=-1),
        _rows,
    ),
    "binary_cross_entropy_with_logits": (
        lambda x: nn.binary_cross_entropy_with_logits(x, np.linspace(0, 1, 20).reshape(4, 5)),
        _rows,
    ),
    "mean_squared_error": (lambda x: nn.mean_squared_error(x, np.ones((4, 5))), _rows),
    "absolute_error": (lambda x: nn.absolute_error(x, np.ones((4, 5))), _rows),
    "huber": (lambda x: nn.huber(x, np.ones((4, 5))), _rows),
    "hinge": (lambda x: nn.hinge(x, np.where(MASK, 1, -1)), _rows),
    "multiclass_hinge": (lambda x: nn.multiclass_hinge(x, LABELS), _rows),
    "rnn_step": (nn.rnn_step, _rnn(1)),
    "lstm_step": (_lstm, _rnn(4)),
    "gru_step": (nn.gru_step, _rnn(3, 12)),
    "scaled_dot_product_attention": (
        lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, MASK),
        lambda rng: [rng.normal(size=s) for s in ((2, 4, 3), (2, 5, 3), (2, 5, 2))],
    ),
}


def test_every_function_of_the_room_is_here() -> None:
    functions = {name for name in nn.__all__ if name.islower() and callable(getattr(nn, name))}
    assert functions - {"save", "load", "state", "load_state"} <= {
        name.split()[0].rstrip(",") for name in FUNCTIONS
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_the_numeric_ones(name: str, rng: Any) -> None:
    """First order by the referee; second order by differences of the gradient, both ways."""
    f, make = FUNCTIONS[name]
    arrays = make(rng)
    every = tuple(range(len(arrays)))
    y, pullback = ag.vjp(f, *arrays)
    g = rng.normal(size=np.shape(y))
    plain = lambda *xs: np.asarray(f(*xs))
    for one, wanted in zip(pullback(g), numeric_vjp(plain, arrays, g), strict=True):
        near(one, wanted.value, 1e-8)
    vs = [rng.normal(size=a.shape) for a in arrays]
    loss = lambda *xs: ag.sum(f(*xs) ** 2 * g)
    found = ag.hvp(loss, arrays, vs)
    wanted, _ = numeric_jvp(lambda *xs: tuple(ag.grad(loss, every)(*xs)), arrays, vs)

    def along(*xs: Any) -> Any:
        total: Any = 0.0
        for one, v in zip(ag.grad(loss, every)(*xs), vs, strict=True):
            total = total + ag.sum(one * v)
        return total

    for one, other, right in zip(found, ag.grad(along, every)(*arrays), wanted, strict=True):
        near(one, right, 1e-7)
        near(other, right, 1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_stays_float32(name: str, rng: Any) -> None:
    f, make = FUNCTIONS[name]
    if name in ("softmax_cross_entropy of shares", "batch_norm with statistics") or (
        name
        in ("binary_cross_entropy_with_logits", "mean_squared_error", "absolute_error", "huber")
    ):
        return  # the other operand is float64 there
    xs = [ag.tensor(a, dtype=np.float32) for a in make(rng)]
    y = f(*xs)
    assert y.dtype == np.float32
    y.backward(np.ones(y.shape, np.float32))
    assert {x.grad.dtype for x in xs} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_replay_gives_the_same(name: str, rng: Any) -> None:
    """Random draws included: they are leaves."""
    f, make = FUNCTIONS[name]
    xs = [ag.tensor(a) for a in make(rng)]
    y = f(*xs)
    graph = ag.Graph.of(y)
    again = graph.replay({x.node: x.data for x in xs})[y.node]
    np.testing.assert_array_equal(again, y.data)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nodes_stand_in_a_scope(name: str, rng: Any) -> None:
    f, make = FUNCTIONS[name]
    y = f(*[ag.tensor(a) for a in make(rng)])
    assert y.node.scope is not None or name == "lstm_step"  # its two results are joined outside


def test_integers_become_floats() -> None:
    assert nn.sigmoid(np.array([0])).dtype == np.float64
    assert nn.softmax([1, 2]).dtype == np.float64
    assert nn.layer_norm(np.array([1, 3])).dtype == np.float64
    assert nn.mean_squared_error(np.array([1]), np.array([3])) == 4


def test_whole_targets_do_not_widen_a_prediction() -> None:
    x = ag.tensor(np.ones((2, 3)), dtype=np.float32)
    t = np.array([[0, 1, 0], [1, 0, 0]])
    for loss in (nn.mean_squared_error, nn.binary_cross_entropy_with_logits, nn.huber,
                 nn.absolute_error, nn.softmax_cross_entropy):  # fmt: skip
        assert loss(x, t).dtype == loss(x, t.astype(bool)).dtype == np.float32


# against PyTorch


def test_losses_are_pytorchs(rng: Any) -> None:
    F, t = torch().nn.functional, torch().tensor
    x = rng.normal(size=(4, 5))
    targets = rng.uniform(size=(4, 5))
    signs = np.where(targets > 0.5, 1.0, -1.0)
    pairs: list[Any] = [
        (nn.mean_squared_error, F.mse_loss, targets),
        (nn.absolute_error, F.l1_loss, targets),
        (nn.huber, F.huber_loss, targets),
        (nn.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits, targets),
        (nn.softmax_cross_entropy, F.cross_entropy, targets),
        (nn.softmax_cross_entropy, F.cross_entropy, LABELS),
    ]
    for ours, theirs, target in pairs:
        for how in ("mean", "sum", "none"):
            against(
                lambda a, ours=ours, target=target, how=how: ours(a, target, reduction=how),
                lambda a, theirs=theirs, target=target, how=how: theirs(
                    a, t(target), reduction=how
                ),
                [x],
                rng,
            )
    against(
        lambda a: nn.hinge(a, signs, reduction="sum"),
        lambda a: (1 - a * t(signs)).clamp(min=0).sum(),
        [x],
        rng,
    )
    against(
        lambda a: nn.multiclass_hinge(a, LABELS) / 5,
        lambda a: F.multi_margin_loss(a, t(LABELS)),
        [x],
        rng,
    )
    labels = rng.integers(0, 3, (2, 4, 4))
    labels[0, 1] = -100
    against(
        lambda a: nn.softmax_cross_entropy(a, labels, axis=1, ignore=-100),
        lambda a: F.cross_entropy(a, t(labels)),
        [rng.normal(size=(2, 3, 4, 4))],
        rng,
    )


def test_activations_are_pytorchs(rng: Any) -> None:
    F = torch().nn.functional
    x = 3 * rng.normal(size=(4, 5))
    names = "sigmoid relu tanh softplus silu elu leaky_relu"
    for name in names.split():
        theirs = getattr(torch(), name, None) or getattr(F, name)
        against(getattr(nn, name), theirs, [x], rng)
    against(nn.log_sigmoid, F.logsigmoid, [x], rng)
    against(
        lambda a: nn.gelu(a, approximate="tanh"), lambda a: F.gelu(a, approximate="tanh"), [x], rng
    )
    pytest.importorskip("scipy", reason="SciPy is not installed: it has erfc")
    against(nn.gelu, F.gelu, [x], rng)


def test_normalization_is_pytorchs(rng: Any) -> None:
    F = torch().nn.functional
    arrays = _images(rng)
    against(
        nn.batch_norm, lambda x, a, b: F.batch_norm(x, None, None, a, b, training=True), arrays, rng
    )
    against(
        lambda x, a, b: nn.group_norm(x, 2, a, b),
        lambda x, a, b: F.group_norm(x, 2, a, b),
        arrays,
        rng,
    )
    arrays = [rng.normal(size=s) for s in ((3, 2, 4), (2, 4), (2, 4))]
    against(
        lambda x, a, b: nn.layer_norm(x, a, b, ndim=2),
        lambda x, a, b: F.layer_norm(x, (2, 4), a, b),
        arrays,
        rng,
    )
    against(
        lambda x, a: nn.rms_norm(x, a, epsilon=1e-5),
        lambda x, a: F.rms_norm(x, (4,), a, eps=1e-5),
        [arrays[0], rng.normal(size=4)],
        rng,
    )


def test_running_statistics_are_pytorchs(rng: Any) -> None:
    peer = torch().nn.BatchNorm2d(4, dtype=torch().float64)
    layer = nn.BatchNorm.initialised(4)
    for _ in range(3):
        x = rng.normal(size=(3, 4, 2, 3))
        near(layer(ag.tensor(x)).data, peer(torch().tensor(x)).detach().numpy())
    near(layer.running_mean.value, peer.running_mean.numpy())
    near(layer.running_variance.value, peer.running_var.numpy())
    peer.eval()
    layer.evaluate()
    kept = layer.running_mean.value
    near(layer(ag.tensor(x)).data, peer(torch().tensor(x)).detach().numpy())
    assert layer.running_mean.value is kept


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_sequences_are_pytorchs(kind: str, rng: Any) -> None:
    peer = getattr(torch().nn, kind)(3, 5, batch_first=True, dtype=torch().float64)
    parts = {name: p.detach().numpy().copy() for name, p in peer.named_parameters()}
    Wx, Wh = parts["weight_ih_l0"].T, parts["weight_hh_l0"].T
    shifts = [parts["bias_ih_l0"], parts["bias_hh_l0"]]
    if kind != "GRU":
        shifts = [shifts[0] + shifts[1]]
    layer = getattr(nn, kind)(Wx, Wh, *shifts)
    x, h = rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 5))
    xs, hs = ag.tensor(x), ag.tensor(h)
    tx, th = (torch().tensor(a, requires_grad=True) for a in (x, h))
    state: Any = (hs, hs * 2) if kind == "LSTM" else hs
    there: Any = (th[None], th[None] * 2) if kind == "LSTM" else th[None]
    y, end = layer(xs, state)
    z, _ = peer(tx, there)
    near(y.data, z.detach().numpy())
    last = end[0] if kind == "LSTM" else end
    np.testing.assert_array_equal(last.data, y.data[:, -1])
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(torch().tensor(g))
    near(xs.grad, tx.grad.numpy())
    near(hs.grad, th.grad.numpy())
    near(layer.Wx.grad, peer.weight_ih_l0.grad.numpy().T)
    near(layer.Wh.grad, peer.weight_hh_l0.grad.numpy().T)
    near(layer.b.grad, peer.bias_ih_l0.grad.numpy())
    if kind == "GRU":
        near(layer.bh.grad, peer.bias_hh_l0.grad.numpy())


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_a_sequence_is_its_steps(kind: Any, rng: Any) -> None:
    layer = kind.initialised(3, 4, rng=1)
    x = rng.normal(size=(2, 5, 3))
    ys, end = layer(x)
    state = layer.start(2)
    for t in range(5):
        state = layer.step(x[:, t], state)
        near((state[0] if kind is nn.LSTM else state).data, ys.data[:, t], 1e-14)
    near((end[0] if kind is nn.LSTM else end).data, ys.data[:, -1])
    back, _ = layer(x, reverse=True)
    near(back.data, layer(x[:, ::-1])[0].data[:, ::-1], 1e-14)
    with pytest.raises(ShapeError, match="mend: it is"):
        layer(x[0])


def test_attention_is_pytorchs(rng: Any) -> None:
    F = torch().nn.functional
    arrays = [rng.normal(size=s) for s in ((2, 3, 4, 5), (2, 3, 4, 5), (2, 3, 4, 6))]
    mask = np.tri(4, 4, 1, dtype=bool)
    for ours, theirs in (
        ({}, {}),
        ({"mask": mask}, {"attn_mask": torch().tensor(mask)}),
        ({"causal": True}, {"is_causal": True}),
        ({"scale": 0.3}, {"scale": 0.3}),
    ):
        against(
            lambda q, k, v, ours=ours: nn.scaled_dot_product_attention(q, k, v, **ours),
            lambda q, k, v, theirs=theirs: F.scaled_dot_product_attention(q, k, v, **theirs),
            arrays,
            rng,
        )


def test_multi_head_attention_is_pytorchs(rng: Any) -> None:
    peer = torch().nn.MultiheadAttention(6, 2, batch_first=True, dtype=torch().float64)
    peer.in_proj_bias.data = torch().tensor(rng.normal(size=18))
    weights = [*np.split(peer.in_proj_weight.detach().numpy(), 3)]
    weights = [w.T for w in [*weights, peer.out_proj.weight.detach().numpy()]]
    shifts = [*np.split(peer.in_proj_bias.detach().numpy(), 3), np.zeros(6)]
    layer = nn.MultiHeadAttention(weights, shifts, heads=2)
    x, keys = rng.normal(size=(3, 4, 6)), rng.normal(size=(3, 5, 6))
    against(layer, lambda a, b: peer(a, b, b, need_weights=False)[0], [x, keys], rng)
    near(layer.Wk.grad, np.split(peer.in_proj_weight.grad.numpy(), 3)[1].T)
    hidden = np.ones((3, 4, 5), bool)
    hidden[:, :, 3:] = False
    near(layer(x, keys, mask=hidden).data, layer(x, keys[:, :3]).data, 1e-13)


# numerics


def test_cross_entropy_at_the_ends() -> None:
    x = ag.tensor([[1e4, -1e4, 0.0], [-np.inf, 0.0, 0.0], [-1e4, -1e4, -1e4]])
    y = nn.softmax_cross_entropy(x, [1, 2, 0], reduction="none")
    near(y.data, [2e4, np.log(2), np.log(3)], 1e-15)
    y.backward(np.ones(3))
    near(x.grad, [[1, -1, 0], [0, 0.5, -0.5], [-2 / 3, 1 / 3, 1 / 3]], 1e-15)
    z = ag.tensor(x.data)
    rows = np.eye(3)[[1, 2, 0]]
    w = nn.softmax_cross_entropy(z, rows, reduction="sum")
    w.backward()
    near(w.data, y.data.sum(), 1e-15)
    near(z.grad, x.grad, 1e-15)


def test_ignored_labels_cost_nothing() -> None:
    y = nn.softmax_cross_entropy(ag.tensor([[1.0, 2.0], [3.0, 1.0]]), [-1, -1], ignore=-1)
    assert y.item() == 0.0
    one = ag.tensor([[-np.inf, 1.0], [1.0, 2.0]])
    nn.softmax_cross_entropy(one, [-1, 0], ignore=-1).backward()
    assert np.all(np.isfinite(one.grad))
    assert not one.grad[0].any()


def test_binary_cross_entropy_at_the_ends() -> None:
    x = ag.tensor([1000.0, -1000.0, 40.0, -40.0])
    y = nn.binary_cross_entropy_with_logits(x, [1.0, 0.0, 1.0, 0.0], reduction="none")
    near(y.data[2:] / 4.248354255291589e-18, [1, 1], 1e-13)
    assert not y.data[:2].any()
    y.backward(np.ones(4))
    near(x.grad[2:] / 4.248354255291589e-18, [-1, 1], 1e-13)


def test_a_query_that_sees_nothing_gives_zeros() -> None:
    q, k, v = (ag.tensor(np.ones((2, 3))) for _ in range(3))
    y = nn.scaled_dot_product_attention(q, k, v, np.array([[False, False], [True, False]]))
    np.testing.assert_array_equal(y.data, [[0, 0, 0], [1, 1, 1]])
    y.sum().backward()
    np.testing.assert_array_equal(v.grad, [[1, 1, 1], [0, 0, 0]])
    assert np.all(np.isfinite(q.grad))


def test_large_values_do_not_hurt_normalization() -> None:
    x = np.array([[1e8 + 1.0], [1e8 + 3.0]])
    near(nn.batch_norm(x, epsilon=0.0), [[-1], [1]], 1e-12)


def test_a_traced_mask_is_recorded_not_baked() -> None:
    q = np.ones((2, 3))

    def f(x: Any) -> Any:
        return nn.scaled_dot_product_attention(q, q, np.eye(2), x > 0, causal=True)

    graph = ag.trace(f, np.array([[1.0, 1.0], [1.0, 1.0]]))
    other = np.array([[-1.0, 1.0], [1.0, -1.0]])
    found = graph.replay({graph.inputs[0]: other})[graph.outputs[0]]
    np.testing.assert_array_equal(found, [[0, 0], [1, 0]])
    labels = ag.trace(lambda x: nn.softmax_cross_entropy(x, ag.argmax(x, axis=1)), np.eye(2))
    turned = np.eye(2)[::-1]
    found = labels.replay({labels.inputs[0]: turned})[labels.outputs[0]]
    assert found == nn.softmax_cross_entropy(turned, [1, 0])


# dropout


def test_dropout_draws_anew_and_keeps_the_mean() -> None:
    layer = nn.Dropout(0.25, rng=0)
    x = ag.tensor(np.ones(10_000))
    one, two = layer(x).data, layer(x).data
    assert not np.array_equal(one, two)
    assert abs(one.mean() - 1) < 0.02
    assert set(np.unique(one)) == {0.0, 1 / 0.75}
    np.testing.assert_array_equal(nn.Dropout(0.25, rng=0)(x).data, one)
    assert layer.evaluate()(x) is x
    assert nn.dropout(x, 0.0, rng=0) is x
    with pytest.raises(DomainError, match="a rate is"):
        nn.dropout(x, 1.0, rng=0)


def test_the_mask_is_a_leaf_of_the_graph() -> None:
    x = ag.tensor(np.ones(4), name="x")
    y = nn.dropout(x, 0.5, rng=1)
    assert "mask" in [node.name for node in ag.Graph.of(y)]
    doubled = ag.Graph.of(y).replay({x.node: 2 * np.ones(4)})[y.node]
    np.testing.assert_array_equal(doubled, 2 * y.data)


# layers as objects


def network(rng: Any = 0) -> nn.Sequential:
    rng = ag.random.default_rng(rng)
    return nn.Sequential(
        nn.Convolution.initialised(1, 3, (3, 3), rng=rng, padding="same"),
        nn.BatchNorm.initialised(3),
        nn.ReLU(),
        nn.MaxPool(2),
        nn.Flatten(),
        nn.Affine.initialised(12, 4, rng=rng),
    )


def test_a_layers_gradient_has_its_form(rng: Any) -> None:
    net, x, labels = network(), rng.normal(size=(5, 1, 4, 4)), rng.integers(0, 4, 5)
    loss = lambda layer: nn.softmax_cross_entropy(layer(x), labels)
    found = ag.grad(loss)(net)
    loss(net).backward()
    for name, p in net.parameters().items():
        first, last = name.split(".")
        near(found[first][last].data, p.grad, 1e-12)
    assert sorted(found) == ["0", "1", "2", "3", "4", "5"]
    assert list(net.parameters()) == ["0.W", "0.b", "1.scale", "1.shift", "5.W", "5.b"]
    assert list(net.buffers()) == ["1.running_mean", "1.running_variance"]
    assert not net.evaluate()[1].training
    assert net.train()[1].training


def test_initialised_layers_are_seeded() -> None:
    for name, p in network(3).parameters().items():
        np.testing.assert_array_equal(p.data, network(3).parameters()[name].data)
    assert not np.array_equal(network(3)[0].W.data, network(4)[0].W.data)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_normal", 2 / 500), ("glorot_uniform", 2 / 500), ("he_normal", 2 / 200),
        ("he_uniform", 2 / 200), ("lecun_normal", 1 / 200),
    ],
)  # fmt: skip
def test_initialisers_have_their_variance(name: str, variance: float) -> None:
    values = getattr(nn.initialisers, name)((200, 300), 0, dtype=np.float32)
    assert values.dtype == np.float32
    assert abs(values.var() / variance - 1) < 0.02


def test_errors_of_layers_say_what_and_how_to_mend_it(rng: Any) -> None:
    x = ag.tensor(rng.normal(size=(4, 5)))
    with pytest.raises(ShapeError, match="logits of shape"):
        nn.softmax_cross_entropy(x, [1, 2])
    with pytest.raises(IndexingError, match="labels from 0 to 5 for 5 classes"):
        nn.softmax_cross_entropy(x, [0, 5, 1, 1])
    with pytest.raises(DTypeError, match="labels are integers"):
        nn.softmax_cross_entropy(x, [0.0, 1.0, 1.0, 1.0])
    with pytest.raises(DomainError, match='"mean", "sum" or "none"'):
        nn.mean_squared_error(x, x, reduction="max")
    with pytest.raises(ShapeError, match="does not broadcast"):
        nn.mean_squared_error(x, np.ones(5))
    with pytest.raises(DomainError, match="targets other than"):
        nn.hinge(x, np.zeros((4, 5)))
    with pytest.raises(IndexingError, match="from -1 to 0 into 4 rows"):
        nn.embedding([0, -1], x)
    with pytest.raises(DTypeError, match="indices are integers"):
        nn.embedding([0.5], x)
    with pytest.raises(ShapeError, match="scale has one number for each channel"):
        nn.batch_norm(x, np.ones(4))
    with pytest.raises(ShapeError, match="the variance of 1 numbers"):
        nn.BatchNorm.initialised(5)(x[:1])
    with pytest.raises(ShapeError, match="groups divide channels"):
        nn.group_norm(x, 2)
    with pytest.raises(ShapeError, match="heads divide the width"):
        nn.MultiHeadAttention.initialised(5, heads=2, rng=0)
    with pytest.raises(DTypeError, match="a mask is boolean"):
        nn.scaled_dot_product_attention(x, x, x, np.ones((4, 4)))
    with pytest.raises(ShapeError, match="b has one number for each output channel"):
        nn.convolution(np.ones((1, 1, 3)), np.ones((2, 1, 2)), np.ones(3))
    with pytest.raises(DTypeError, match="a step of Sequential is a list"):
        nn.Sequential([nn.ReLU()])  # type: ignore[arg-type]  # what people write by mistake
    with pytest.raises(ShapeError, match="LSTM: Wx"):
        nn.LSTM(np.ones((2, 3)), np.ones((3, 12)), np.ones(12))


# state and files


def test_state_goes_from_net_to_net(rng: Any) -> None:
    one, other = network(1), network(2)
    x = rng.normal(size=(5, 1, 4, 4))
    one(x)
    nn.load_state(other, nn.state(one))
    np.testing.assert_array_equal(one.evaluate()(x).data, other.evaluate()(x).data)
    with pytest.raises(DomainError, match=r"missing 0\.W; too much: nothing"):
        nn.load_state(other, {k: v for k, v in nn.state(one).items() if k != "0.W"})
    before = nn.state(other)
    with pytest.raises(ShapeError, match=r"5\.b has shape \(4,\)"):
        nn.load_state(other, {**nn.state(network(3)), "5.b": np.ones(3)})
    with pytest.raises(DTypeError, match="digits would be lost"):
        nn.load_state(nn.Affine(np.ones((1, 1), np.float32), np.ones(1, np.float32)),
                      {"W": np.ones((1, 1)), "b": np.ones(1)})  # fmt: skip
    for name, value in nn.state(other).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_file_keeps_every_bit(tmp_path: Path) -> None:
    values = {
        "a.W": np.array([[np.nan, -0.0], [np.inf, 5e-324]]),
        "b": np.float32(1.5),
        "größe/tief": np.arange(6, dtype=np.int16).reshape(2, 3).T,
        "none": np.zeros((0, 3), bool),
        "z": np.array([1 + 2j]),
    }
    nn.save(tmp_path / "one.npz", values)
    nn.save(tmp_path / "two.npz", dict(reversed(values.items())))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    found = nn.load(tmp_path / "one.npz")
    assert found.keys() == values.keys()
    for name, value in values.items():
        assert found[name].dtype == value.dtype
        assert found[name].shape == value.shape
        assert found[name].tobytes() == np.asarray(value).tobytes()
        assert found[name].flags.writeable
    with np.load(tmp_path / "one.npz", allow_pickle=False) as same:
        assert sorted(same.files) == sorted(values)
    np.savez_compressed(tmp_path / "numpys.npz", x=np.ones(3))
    np.testing.assert_array_equal(nn.load(tmp_path / "numpys.npz")["x"], np.ones(3))


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    net = network()
    if importlib.util.find_spec("safetensors") is None:
        with pytest.raises(MissingExtraError, match=r"autograd-lite\[safetensors\]"):
            nn.save(path, net)
        return
    nn.save(path, net)
    found = nn.load(path)
    for name, value in nn.state(net).items():
        np.testing.assert_array_equal(found[name], value, strict=True)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DomainError, match="is not a file of arrays"):
        nn.load(path)


def _archive(**entries: bytes) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("_", "."), content)
    return memory.getvalue()


def _encoded(array: Any, allow_pickle: bool = False) -> bytes:
    memory = io.BytesIO()
    np.lib.format.write_array(memory, array, allow_pickle=allow_pickle)
    return memory.getvalue()


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no archive": b"no archive",
    "a pickled object": _archive(x_npy=_encoded(np.array([{}], object), allow_pickle=True)),
    "an entry that is no array": _archive(x_txt=b"text"),
    "a shape larger than its content": _archive(
        x_npy=_encoded(np.ones(3)).replace(b"(3,)", b"(4,)")
    ),
    "a negative size": _archive(x_npy=_encoded(np.ones(3)).replace(b"(3,)", b"(-3,)")),
    "an unknown version": _archive(x_npy=b"\x93NUMPY\x07\x00" + _encoded(np.ones(3))[8:]),
    "a header that is code": _archive(
        x_npy=_encoded(np.ones(3)).replace(b"'shape': (3,)", b"'shape': f(3)")
    ),
    "a structured dtype": _archive(x_npy=_encoded(np.zeros(2, "f8,i4"))),
    "cut short": _archive(x_npy=_encoded(np.ones(3)))[:-30],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused(what: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(HOSTILE[what])
    with pytest.raises(DomainError, match=r"bad\.npz is not a file of arrays"):
        nn.load(path)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.npz"
    np.savez_compressed(path, x=np.zeros(1_000_000))
    with pytest.raises(DomainError, match="more than 1000000 bytes when unpacked"):
        nn.load(path, limit=1_000_000)
    with pytest.raises(DomainError, match="the file has"):
        nn.load(path, limit=10)
    with pytest.raises(DomainError, match=r"name it \.npz"):
        nn.load(tmp_path / "net.pkl")
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "absent.npz")


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", _encoded(np.ones(3)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", _encoded(np.zeros(3)))
    with pytest.raises(DomainError, match="two of one name"):
        nn.load(path)


def test_saving_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.npz"
    nn.save(path, {"x": np.ones(3)})
    before = path.read_bytes()

    def fails(handle: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="disk full"):
        nn.save(path, {"x": np.zeros(30)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(DTypeError, match="save numbers"):
        nn.save(path, {"x": np.array(["text"])})


# draws


def test_draws_are_seeded_and_differentiable() -> None:
    one, two = ag.random.default_rng(5), ag.random.default_rng(5)
    np.testing.assert_array_equal(one.normal(size=3).data, two.normal(size=3).data)
    state = one.state
    first = one.uniform(2, 4, size=100).data
    one.state = state
    np.testing.assert_array_equal(one.uniform(2, 4, size=100).data, first)
    assert first.min() >= 2
    assert first.max() < 4
    loc, scale = ag.tensor(np.zeros(3)), ag.tensor(np.ones(3))
    y = one.normal(loc, scale)
    y.sum().backward()
    np.testing.assert_array_equal(loc.grad, np.ones(3))
    near(scale.grad, y.data)
    again = ag.Graph.of(y).replay({scale.node: 2 * np.ones(3)})[y.node]
    near(again, 2 * y.data)
    assert one.random(2, dtype=np.float32).dtype == np.float32
    assert sorted(one.permutation(5).tolist()) == [0, 1, 2, 3, 4]
    assert one.bernoulli(1.0, 3).data.all()
    children = ag.random.default_rng(1).spawn(2)
    assert children[0].integers(10**9) != children[1].integers(10**9)
    assert one.exponential(ag.tensor(2.0), size=4).shape == one.gumbel(size=4).shape == (4,)
    with pytest.raises(DomainError, match="a probability"):
        one.bernoulli(1.5)
    with pytest.raises(DTypeError, match="float32 or float64"):
        one.random(2, dtype=int)
