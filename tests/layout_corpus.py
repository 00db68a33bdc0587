"""Graphs that layouts are judged by: textbook, random, and ones too large to draw whole."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag

__all__ = ["LARGE", "TEXTBOOK", "chain", "random_graph", "residual_net"]


def _rng() -> np.random.Generator:
    return np.random.default_rng(11)


def _array(*shape: int) -> Any:
    return _rng().normal(size=shape)


def _residual_block() -> Any:
    x = ag.tensor(_array(2, 3), name="x")
    with ag.scope("Block"):
        h = ag.nn.relu(
            ag.nn.affine(
                x, ag.parameter(_array(3, 4), name="W1"), ag.parameter(np.zeros(4), name="b1")
            )
        )
        h = ag.nn.affine(
            h, ag.parameter(_array(4, 3), name="W2"), ag.parameter(np.zeros(3), name="b2")
        )
        return ag.nn.relu(h + x)


def _lstm() -> Any:
    x, h, c = (ag.tensor(_array(1, 2), name=name) for name in "xhc")
    weights = [ag.parameter(_array(2, 8), name=name) for name in ("Wx", "Wh")]
    return list(ag.nn.lstm_step(x, (h, c), *weights, ag.parameter(np.zeros(8), name="b")))


def _attention() -> Any:
    x = ag.tensor(_array(3, 4), name="x")
    q, k, v = (x @ ag.parameter(_array(4, 4), name=f"W{name}") for name in "qkv")
    return ag.nn.scaled_dot_product_attention(q, k, v)


def _batch_norm() -> Any:
    x = ag.tensor(_array(4, 3), name="x")
    scale, shift = ag.parameter(np.ones(3), name="γ"), ag.parameter(np.zeros(3), name="β")
    with ag.scope("BatchNorm"):
        centred = x - ag.mean(x, axis=0)
        variance = ag.mean(centred * centred, axis=0)
        return scale * centred / ag.sqrt(variance + 1e-5) + shift


def _cross_entropy() -> Any:
    x = ag.tensor(_array(2, 3), name="x")
    y = ag.nn.affine(x, ag.parameter(_array(3, 3), name="W"), ag.parameter(np.zeros(3), name="b"))
    return ag.nn.softmax_cross_entropy(y, np.array([0, 2]))


def _shopping() -> Any:
    apple, orange, tax = (
        ag.tensor(v, name=n) for v, n in ((100.0, "apple"), (150.0, "orange"), (1.1, "tax"))
    )
    apples, oranges = ag.tensor(2.0, name="apples"), ag.tensor(3.0, name="oranges")
    return (apple * apples + orange * oranges) * tax


def _mlp(layers: int = 3) -> Any:
    x = ag.tensor(_array(2, 4), name="x")
    for k in range(layers):
        W = ag.parameter(_array(4, 4), name=f"W{k + 1}")
        x = ag.nn.affine(x, W, ag.parameter(np.zeros(4), name=f"b{k + 1}"))
        x = ag.nn.relu(x) if k + 1 < layers else x
    return x


def _second_order() -> Any:
    x = ag.tensor(0.7, name="x")
    (slope,) = ag.gradients(ag.tanh(x), [x])
    (curve,) = ag.gradients(slope, [x])
    return [ag.tanh(x), slope, curve]


def _wide_fan_out() -> Any:
    x = ag.tensor(1.0, name="x")
    total = ag.sin(x)
    for k in range(7):
        total = total + ag.exp(x * float(k + 2))
    return total


def _deep_scopes() -> Any:
    x = ag.tensor([1.0, 2.0], name="x")
    y = x
    for k in range(3):
        with ag.scope(f"Stage {k + 1}"):
            with ag.scope("Left"), ag.scope("Core"):
                a = ag.tanh(ag.exp(y))
            with ag.scope("Right"):
                b = ag.sin(y) * x
            y = a + b
    return y * x


def _skips() -> Any:
    x = ag.tensor(1.0, name="x")
    states = [x]
    for k in range(6):
        with ag.scope(f"Dense {k + 1}"):
            states.append(ag.sin(sum(states[1:], states[0])))
    return states[-1]


def _rnn(steps: int = 3) -> Any:
    Wx, Wh = ag.parameter(_array(2, 3), name="Wx"), ag.parameter(_array(3, 3), name="Wh")
    b = ag.parameter(np.zeros(3), name="b")
    h = ag.tensor(np.zeros((1, 3)), name="h")
    for k in range(steps):
        h = ag.nn.rnn_step(ag.tensor(_array(1, 2), name=f"x{k + 1}"), h, Wx, Wh, b)
    return h


def _gradient_graph() -> Any:
    x = ag.tensor(_array(2, 3), name="x")
    W, b = ag.parameter(_array(3, 2), name="W"), ag.parameter(np.zeros(2), name="b")
    loss = ag.mean(ag.nn.sigmoid(ag.nn.affine(x, W, b)) ** 2)
    return [loss, *ag.gradients(loss, [W, b])]


def _mixed_outputs() -> Any:
    x, y = ag.tensor(1.0, name="x"), ag.tensor(2.0, name="y")
    a, b = x * y, x + y
    return [a - b, a * b, ag.maximum(a, b), b / a]


TEXTBOOK: dict[str, Callable[[], Any]] = {
    "residual": _residual_block,
    "lstm": _lstm,
    "attention": _attention,
    "batch norm": _batch_norm,
    "cross entropy": _cross_entropy,
    "shopping": _shopping,
    "mlp": _mlp,
    "second order": _second_order,
    "fan-out": _wide_fan_out,
    "deep scopes": _deep_scopes,
    "skips": _skips,
    "rnn": _rnn,
    "gradient": _gradient_graph,
    "outputs": _mixed_outputs,
}


def random_graph(seed: int, size: int) -> Any:
    """Outputs of a graph of ``size`` operations under random nested scopes."""
    rng = np.random.default_rng(seed)
    values = [ag.tensor(float(k + 1), name=f"x{k}") for k in range(1 + size // 6)]
    while size > 0:
        size -= _random_part(rng, values, size, 0)
    return values[-1 - int(rng.integers(0, 3)) :]


def _random_part(rng: np.random.Generator, values: list[Any], most: int, depth: int) -> int:
    """Some operations, perhaps under a scope that has more of the kind inside; how many."""
    if depth < 3 and rng.random() < 0.6:
        done = 0
        with ag.scope(f"part {len(values)}"):
            for _ in range(int(rng.integers(1, 4))):
                done += _random_part(rng, values, most - done, depth + 1) if done < most else 0
        return done
    count = min(most, int(rng.integers(1, 4)))
    for _ in range(count):
        near = len(values) - 1 - int(min(rng.exponential(4.0), len(values) - 1))
        if rng.random() < 0.4:
            values.append(ag.sin(values[near]))
        else:
            values.append(values[near] * values[int(rng.integers(len(values)))])
    return count


def residual_net(blocks: int) -> Any:
    """Blocks of two affine layers with the input added; 12 marks each when unfolded."""
    x = ag.tensor(_array(4, 8), name="x")
    for k in range(blocks):
        with ag.scope(f"block{k}"):
            W = [ag.parameter(0.3 * _array(8, 8), name=f"W{k}{i}") for i in "ab"]
            h = ag.nn.affine(x, W[0], ag.parameter(np.zeros(8), name=f"b{k}a"))
            h = ag.nn.affine(ag.nn.relu(h), W[1], ag.parameter(np.zeros(8), name=f"b{k}b"))
            x = ag.nn.relu(h + x)
    return x


def chain(count: int, scopes: int) -> Any:
    """``count`` operations one after the other, in that many scopes."""
    x = ag.tensor(0.5, name="x")
    if not scopes:
        for _ in range(count // 2):
            x = ag.sin(x) * 1.01
        return x
    for k in range(scopes):
        with ag.scope(f"part{k}"):
            for _ in range(count // scopes // 2):
                x = ag.sin(x) * 1.01
    return x


LARGE: dict[str, Callable[[], Any]] = {
    "50-layer MLP": lambda: _mlp(50),
    "200-step RNN": lambda: _rnn(200),
    "26-block residual net": lambda: residual_net(26),
    "100,000 nodes, 100 scopes": lambda: chain(100_000, 100),
    "100,000 nodes, 5,000 scopes": lambda: chain(100_000, 5_000),
    "100,000 nodes, no scope": lambda: chain(100_000, 0),
}
