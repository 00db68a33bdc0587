"""The combined local rule of a region: what folds to what, and that no wrong rule is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.graph import Graph
from autograd_lite.rewrite import LocalRule, local_rule

RNG = np.random.default_rng(0)
X = ag.tensor(RNG.normal(size=(4, 3)), name="x")
T = ag.tensor(RNG.normal(size=(4, 3)), name="t")
W = ag.parameter(RNG.normal(size=(3, 5)), name="W")
B = ag.parameter(RNG.normal(size=5), name="b")
ONE_HOT = ag.constant(np.eye(3)[[0, 2, 1, 1]], name="t")


def rule_of(y: Any, wanted: Any = X) -> LocalRule | None:
    graph = Graph.of(y)
    names = {node: node.name for node in graph.inputs}
    return local_rule(graph, y.node, wanted.node, names, graph.replay())


def text_of(y: Any, wanted: Any = X) -> str | None:
    rule = rule_of(y, wanted)
    return rule.text if rule else None


def stable_sigmoid(x: Any) -> Any:
    m = ag.maximum(x, 0)
    up = ag.exp(x - m)
    return up / (up + ag.exp(-m))


def shifted_softmax(x: Any) -> Any:
    e = ag.exp(x - ag.max(x, axis=1, keepdims=True))
    return e / ag.sum(e, axis=1, keepdims=True)


def unnamed_softmax(x: Any) -> Any:
    e = ag.exp(x)
    return e / ag.sum(e, axis=1)[:, None]


def exponential_tanh(x: Any) -> Any:
    up, down = ag.exp(x), ag.exp(-x)
    return (up - down) / (up + down)


# No name of these functions reaches the search: it sees the recorded operators alone.
RULES: list[tuple[str, Callable[[], Any]]] = [
    ("G × y(1−y)", lambda: 1 / (1 + ag.exp(-X))),
    ("G × y(1−y)", lambda: ag.exp(X) / (1 + ag.exp(X))),
    ("G × y(1−y)", lambda: (1 + ag.exp(-X)) ** -1),
    ("G × y(1−y)", lambda: 0.5 * (1 + ag.tanh(X / 2))),
    ("G × y(1−y)", lambda: stable_sigmoid(X)),
    ("G × y(1−y)", lambda: ag.nn.sigmoid(X)),
    ("G × [x > 0]", lambda: ag.maximum(X, 0)),
    ("G × [x > 0]", lambda: ag.nn.relu(X)),
    ("G × mask", lambda: X * (X > 0)),
    ("G × (0.01 + 0.99·mask)", lambda: ag.nn.leaky_relu(X)),
    ("G × (1 − y²)", lambda: ag.tanh(X)),
    ("G × (1 − y²)", lambda: exponential_tanh(X)),
    ("G × (1 − y²)", lambda: (ag.exp(2 * X) - 1) / (ag.exp(2 * X) + 1)),
    ("G × (1 − y²)", lambda: 2 / (1 + ag.exp(-2 * X)) - 1),
    ("G × (y + σ(x)(1−y))", lambda: X / (1 + ag.exp(-X))),
    ("G × (y + σ(x)(1−y))", lambda: ag.nn.silu(X)),
    ("G × (−2x·y)", lambda: ag.exp(-X * X)),
    ("G × (−x·y)", lambda: ag.exp(-(X**2) / 2)),
    ("G × σ(x)", lambda: ag.log(1 + ag.exp(X))),
    ("G × σ(x)", lambda: ag.nn.softplus(X)),
    ("G/(1+exp(x))", lambda: ag.nn.log_sigmoid(X)),
    ("G × (mask + exp(x)(1−mask))", lambda: ag.nn.elu(X)),
    ("G × 2x", lambda: X * X),
    ("G × 3x²", lambda: X * X * X),
    ("G × (x − t)/6", lambda: ag.mean((X - T) ** 2)),
    ("G × 2(x−t)", lambda: ag.sum(ag.square(X - T))),
    ("y × (G − Σ(G × y))", lambda: shifted_softmax(X)),
    ("y × (G − Σ(G × y))", lambda: unnamed_softmax(X)),
    ("y × (G − Σ(G × y))", lambda: ag.nn.softmax(X)),
    ("G − exp(y) × Σ G", lambda: X - ag.logsumexp(X, axis=1, keepdims=True)),
    ("G − exp(y) × Σ G", lambda: ag.nn.log_softmax(X)),
    ("G × softmax(x)", lambda: ag.log(ag.sum(ag.exp(X), axis=1))),
    ("G × (softmax(x) − onehot)/4", lambda: ag.nn.softmax_cross_entropy(X, [0, 2, 1, 1])),
    ("G × (softmax(x) − t)/4", lambda: ag.nn.softmax_cross_entropy(X, ONE_HOT)),
    ("G × (softmax(x) − t)/4", lambda: -ag.sum(ONE_HOT * ag.log(shifted_softmax(X))) / 4),
    ("G × (σ(x) − t)/12", lambda: ag.nn.binary_cross_entropy_with_logits(X, ONE_HOT)),
    ("G·Wᵀ", lambda: X @ W + B),
    ("(G × [y > 0])·Wᵀ", lambda: ag.maximum(X @ W + B, 0)),
    ("(G × y(1−y))·Wᵀ", lambda: stable_sigmoid(X @ W + B)),
    ("G − mean rows G", lambda: X - ag.mean(X, axis=0)),
    ("(G − y × Σ(G × y))/√(Σ x²)", lambda: X / ag.sqrt(ag.sum(X * X, axis=1, keepdims=True))),
    ("G × x/y", lambda: ag.sqrt(1 + X * X)),
    ("G × (exp(x) − exp(−x))/2", lambda: (ag.exp(X) + ag.exp(-X)) / 2),
    ("G × (1 − x²)/(1+x²)²", lambda: X / (1 + X * X)),
    ("G/12 repeated", lambda: ag.mean(X)),
    ("G repeated", lambda: ag.sum(X, axis=0)),
]


@pytest.mark.parametrize(("text", "function"), RULES)
def test_what_folds_to_what(text: str, function: Callable[[], Any]) -> None:
    assert text_of(function()) == text


def test_every_input_has_its_rule() -> None:
    y = ag.maximum(X @ W + B, 0)
    assert text_of(y, W) == "xᵀ·(G × [y > 0])"
    assert text_of(y, B) == "Σ rows (G × [y > 0])"
    assert text_of(X @ W + B, W) == "xᵀ·G"
    assert text_of(X @ W + B, B) == "Σ rows G"
    assert text_of(ag.mean((X - T) ** 2), T) == "G × (t − x)/6"


def test_a_batch_of_one_row_reads_the_same() -> None:
    x = ag.tensor(RNG.normal(size=(1, 3)), name="x")
    assert text_of(x @ W + B, B) == "Σ rows G"
    assert text_of(1 / (1 + ag.exp(-x)), x) == "G × y(1−y)"
