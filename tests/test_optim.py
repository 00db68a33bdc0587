"""Optimizers against PyTorch's, rates, clipping, state; and that a network learns."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import nn, optim
from autograd_lite.errors import DomainError, DTypeError, GradientError, ShapeError


def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: no peer to compare with")


PAIRS: list[tuple[Any, dict[str, Any], str, dict[str, Any]]] = [
    (optim.SGD, {"rate": 0.1}, "SGD", {"lr": 0.1}),
    (optim.SGD, {"rate": 0.1, "decay": 0.2}, "SGD", {"lr": 0.1, "weight_decay": 0.2}),
    (optim.Momentum, {"rate": 0.1, "momentum": 0.8}, "SGD", {"lr": 0.1, "momentum": 0.8}),
    (
        optim.Nesterov,
        {"rate": 0.1, "momentum": 0.8},
        "SGD",
        {"lr": 0.1, "momentum": 0.8, "nesterov": True},
    ),
    (optim.AdaGrad, {"rate": 0.1}, "Adagrad", {"lr": 0.1}),
    (optim.RMSProp, {"rate": 0.1}, "RMSprop", {"lr": 0.1}),
    (optim.Adam, {"rate": 0.1}, "Adam", {"lr": 0.1}),
    (optim.Adam, {"rate": 0.1, "decay": 0.1}, "Adam", {"lr": 0.1, "weight_decay": 0.1}),
    (
        optim.AdamW,
        {"rate": 0.1, "decay": 0.1, "betas": (0.8, 0.9)},
        "AdamW",
        {"lr": 0.1, "weight_decay": 0.1, "betas": (0.8, 0.9)},
    ),
]
OPTIMIZERS = [kind for kind, options, *_ in PAIRS if list(options) == ["rate"]]


@pytest.mark.parametrize(("kind", "options", "name", "peers"), PAIRS)
def test_steps_are_pytorchs(kind: Any, options: Any, name: str, peers: Any, rng: Any) -> None:
    peer = torch()
    start = rng.normal(size=(3, 4))
    p, t = ag.parameter(start), peer.tensor(start, requires_grad=True)
    ours, theirs = kind([p], **options), getattr(peer.optim, name)([t], **peers)
    for _ in range(20):
        g = rng.normal(size=(3, 4))
        p.grad, t.grad = g, peer.tensor(g)
        ours.step()
        theirs.step()
    np.testing.assert_allclose(p.data, t.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("kind", [kind for kind, *_ in PAIRS])
def test_float32_stays_float32_and_shapes_stay(kind: Any) -> None:
    p, q = ag.parameter(np.ones((2, 0), np.float32)), ag.parameter(np.float32(1))
    optimizer = kind({"p": p, "q": q}, 0.1)
    (ag.sum(p) + q * q).backward()
    optimizer.step()
    assert p.dtype == q.dtype == np.float32
    assert p.shape == (2, 0)
    assert q.data < 1


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_state_goes_on_where_it_stopped(kind: Any, rng: Any) -> None:
    gradients = rng.normal(size=(6, 3))
    p, q = ag.parameter(np.ones(3)), ag.parameter(np.ones(3))
    one = kind([p], 0.1)
    for g in gradients[:3]:
        one.step([g])
    q.data = p.data
    other = kind([q], 0.1)
    other.load_state(one.state())
    for g in gradients[3:]:
        one.step([g])
        other.step([g])
    np.testing.assert_array_equal(p.data, q.data)
    assert other.steps == 6


def test_gradients_may_be_given_in_the_form_of_the_parameters() -> None:
    net = nn.Sequential(nn.Affine([[1.0]], [0.0]), nn.Affine([[2.0]], [0.0]))
    optimizer = optim.SGD(net, 1.0)
    optimizer.step(ag.grad(lambda layer: ag.sum(layer(np.ones((1, 1)))))(net))
    assert {name: p.data.tolist() for name, p in net.parameters().items()} == {
        "0.W": [[-1.0]], "0.b": [-2.0], "1.W": [[1.0]], "1.b": [-1.0],
    }  # fmt: skip


def test_a_shared_parameter_moves_once() -> None:
    p = ag.parameter([1.0])
    optimizer = optim.SGD({"a": p, "b": p}, 1.0)
    (p * 3).sum().backward()
    optimizer.step()
    assert p.data.tolist() == [-2.0]
    optimizer.step({"a": np.array([1.0]), "b": np.array([1.0])})
    assert p.data.tolist() == [-4.0]


def test_nothing_moves_if_one_gradient_does_not_fit() -> None:
    p, q = ag.parameter([1.0]), ag.parameter([1.0, 2.0])
    optimizer = optim.Adam([p, q])
    with pytest.raises(ShapeError, match="a gradient of shape"):
        optimizer.step([np.ones(1), np.ones(3)])
    assert p.data.tolist() == [1.0]
    assert optimizer.steps == 0
    with pytest.raises(GradientError, match="without any gradient"):
        optimizer.step()
    with pytest.raises(DTypeError, match="no parameter"):
        optim.SGD([ag.tensor([1.0])], 0.1)
    with pytest.raises(DomainError, match="of no parameters"):
        optim.SGD([], 0.1)
    with pytest.raises(DomainError, match="rate=-1"):
        optim.SGD([p], -1)
    with pytest.raises(DomainError, match="rate=nan"):
        optim.SGD([p], math.nan)
    with pytest.raises(DomainError, match="less than 1"):
        optim.Momentum([p], 0.1, 1.0)
    with pytest.raises(DomainError, match="another optimizer"):
        optim.SGD([p], 0.1).load_state({"steps": 1, "0.mean": np.ones(1)})
    with pytest.raises(DomainError, match="not whole"):
        optim.Adam([p]).load_state({"steps": 1, "0.mean": np.ones(1)})


def test_a_parameter_without_gradient_stays() -> None:
    p, q = ag.parameter([1.0]), ag.parameter([1.0])
    optimizer = optim.Adam([p, q], 0.1)
    (p * 2).sum().backward()
    optimizer.step()
    assert q.data.tolist() == [1.0]
    assert p.data[0] < 1
    optimizer.zero_grad()
    assert p.grad is None


# rates


def test_rates() -> None:
    p = ag.parameter([0.0])
    optimizer = optim.SGD([p], optim.piecewise({0: 1.0, 2: 10.0}))
    for _ in range(3):
        optimizer.step([np.array([-1.0])])
    assert p.data.tolist() == [12.0]
    assert [optim.exponential(1, 0.5)(k) for k in range(3)] == [1, 0.5, 0.25]
    assert [optim.polynomial(1, 4, end=0.5)(k) for k in (0, 2, 4, 9)] == [1, 0.75, 0.5, 0.5]
    curve = optim.cosine(2.0, 10, end=1.0)
    assert curve(0) == 2
    assert curve(10) == curve(11) == 1
    assert abs(curve(5) - 1.5) < 1e-15
    wave = [optim.one_cycle(1.0, 100)(k) for k in range(101)]
    assert max(wave) == wave[30] == 1
    assert wave[100] == 0
    late = optim.warmup(optim.exponential(1.0, 0.5), 2)
    assert [late(k) for k in range(4)] == [0.5, 1.0, 1.0, 0.5]
    with pytest.raises(DomainError, match="no rate for step 0"):
        optim.piecewise({1: 0.1})


def test_the_cosine_is_pytorchs() -> None:
    peer = torch()
    optimizer = peer.optim.SGD([peer.zeros(1, requires_grad=True)], lr=0.7)
    schedule = peer.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=0.1)
    ours = optim.cosine(0.7, 20, end=0.1)
    for step in range(20):
        assert abs(schedule.get_last_lr()[0] - ours(step)) < 1e-14
        optimizer.step()
        schedule.step()


# clipping


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e200])
def test_clipping_by_norm(scale: float, rng: Any) -> None:
    p, q = ag.parameter(np.ones((2, 3))), ag.parameter(np.ones(4))
    p.grad, q.grad = rng.normal(size=(2, 3)) * scale, rng.normal(size=4) * scale
    whole = np.concatenate([p.grad.ravel(), q.grad])
    norm = optim.clip_by_norm({"p": p, "q": q}, 0.5)
    assert abs(norm - scale * np.linalg.norm(whole / scale)) <= 1e-14 * norm
    after = np.concatenate([p.grad.ravel(), q.grad])
    np.testing.assert_allclose(after, whole * min(1, 0.5 / norm), rtol=1e-14)


def test_clipping_does_not_hide_a_nan() -> None:
    p = ag.parameter(np.ones(2))
    p.grad = np.array([np.nan, 1.0])
    with pytest.raises(GradientError, match="NaN or infinity"):
        optim.clip_by_norm([p], 1.0)
    assert optim.clip_by_norm([ag.parameter(1.0)], 1.0) == 0.0
    optim.clip_by_value([p], 0.5)
    np.testing.assert_array_equal(p.grad, [np.nan, 0.5])


# all together


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_network_learns(kind: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 2))
    labels = (x[:, 0] * x[:, 1] > 0).astype(int)
    net = nn.Sequential(
        nn.Affine.initialised(2, 16, rng=1),
        nn.BatchNorm.initialised(16),
        nn.Tanh(),
        nn.Dropout(0.05, rng=2),
        nn.Affine.initialised(16, 2, rng=3),
    )
    rate = {optim.SGD: 0.5, optim.Momentum: 0.1, optim.AdaGrad: 0.1}.get(kind, 0.02)
    optimizer = kind(net, rate)
    for _ in range(150):
        optimizer.zero_grad()
        nn.softmax_cross_entropy(net(x), labels).backward()
        optim.clip_by_norm(net, 5.0)
        optimizer.step()
    found = net.evaluate()(x).data.argmax(axis=1)
    assert np.mean(found == labels) > 0.9
