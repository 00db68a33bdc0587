"""The layers and losses of `ag.nn` beside those of PyTorch, one line each.

Weights are arguments like the inputs, so that all are differentiated. PyTorch keeps the weights of
its recurrent and attention layers transposed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite import nn
from tests.peers.rows import F, Row

LABELS = np.array([2, 0, 1, 4])
MAP = np.array([[[0, 2, -100], [1, 1, 0]], [[2, -100, 1], [0, 0, 2]]])
SHARES = np.linspace(0.1, 0.9, 20).reshape(4, 5)
SIGNS = np.where(SHARES * 7 % 1 > 0.5, 1.0, -1.0)
SEEN = np.tri(4, 5, k=1, dtype=bool)
SEQUENCE, STATE = (2, 4, 3), (2, 5)
LEAKY = {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 1), "groups": 2}


def row(ours: F, torch: F, *shapes: tuple[int, ...]) -> Row:
    return Row(ours, torch, None, shapes, (-1.5, 1.5))


def loss(ours: F, name: str, target: Any, **options: Any) -> Row:
    """A loss of scores (4, 5) and its namesake of `torch.nn.functional`."""
    return row(
        lambda x: ours(x, target, **options),
        lambda t, x: getattr(t.nn.functional, name)(x, t.tensor(target), **options),
        (4, 5),
    )


def joined(n: Any, parts: Any) -> Any:
    return n.concatenate([n.reshape(part, (-1,)) for part in parts])


def recurrent(kind: str, gates: int, *, reverse: bool = False) -> Row:
    """A whole sequence from a given state: all outputs and the last state, flattened."""

    def ours(x: Any, h: Any, Wx: Any, Wh: Any, b: Any, bh: Any) -> Any:
        weights = (Wx, Wh, b, bh) if kind == "GRU" else (Wx, Wh, b + bh)
        start = (h, ag.tanh(h)) if kind == "LSTM" else h
        hs, last = getattr(nn, kind)(*weights)(x, start, reverse=reverse)
        return joined(ag, [hs, *(last if kind == "LSTM" else [last])])

    def torch(t: Any, x: Any, h: Any, Wx: Any, Wh: Any, b: Any, bh: Any) -> Any:
        layer = getattr(t.nn, kind)(3, 5, batch_first=True, dtype=t.float64)
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        weights = dict(zip(names, (Wx.T, Wh.T, b, bh), strict=True))
        start = (h[None], t.tanh(h)[None]) if kind == "LSTM" else h[None]
        x = x.flip(1) if reverse else x
        hs, last = t.func.functional_call(layer, weights, (x, start))
        hs = hs.flip(1) if reverse else hs
        return joined(t, [hs, *(last if kind == "LSTM" else [last])])

    wide = 5 * gates
    return row(ours, torch, SEQUENCE, STATE, (3, wide), (5, wide), (wide,), (wide,))


def attention(*, causal: bool = False) -> Row:
    """Two heads over queries (2, 4, 6) and keys (2, 5, 6), with all eight parameters."""

    def ours(x: Any, keys: Any, *parameters: Any) -> Any:
        layer = nn.MultiHeadAttention(parameters[:4], parameters[4:], heads=2)
        return layer(x, keys, causal=causal, mask=None if causal else SEEN)

    def torch(t: Any, x: Any, keys: Any, *parameters: Any) -> Any:
        layer = t.nn.MultiheadAttention(6, 2, batch_first=True, dtype=t.float64)
        Wq, Wk, Wv, Wo, bq, bk, bv, bo = parameters
        weights = {
            "in_proj_weight": t.cat([Wq.T, Wk.T, Wv.T]),
            "in_proj_bias": t.cat([bq, bk, bv]),
            "out_proj.weight": Wo.T,
            "out_proj.bias": bo,
        }
        hidden = ~t.tensor(np.tri(4, 5, dtype=bool) if causal else SEEN)
        named = {"attn_mask": hidden}  # with its weights asked for, it is twice differentiable
        return t.func.functional_call(layer, weights, (x, keys, keys), named)[0]

    return row(ours, torch, (2, 4, 6), (2, 5, 6), *[(6, 6)] * 4, *[(6,)] * 4)


def torch_attention(t: Any, q: Any, k: Any, v: Any) -> Any:
    with t.nn.attention.sdpa_kernel(t.nn.attention.SDPBackend.MATH):
        return t.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=t.tensor(SEEN))


def torch_multiclass_hinge(t: Any, x: Any) -> Any:
    """In parts: PyTorch's own has no second derivative (tests/test_layers.py has its first)."""
    own = x.gather(1, t.tensor(LABELS)[:, None])
    others = t.tensor(LABELS[:, None] != np.arange(5))
    return (t.relu(x - own + 1) * others).sum(1).mean() / 5


def trained_batch_norm(x: Any, scale: Any, shift: Any) -> Any:
    return nn.BatchNorm(scale, shift)(x)


def evaluated_batch_norm(x: Any, scale: Any, shift: Any) -> Any:
    layer = nn.BatchNorm(scale, shift)
    layer(ag.constant(np.arange(48.0).reshape(2, 4, 6)))
    return layer.evaluate()(x)


def torch_evaluated(t: Any, x: Any, scale: Any, shift: Any) -> Any:
    layer = t.nn.BatchNorm1d(4, dtype=t.float64)
    layer(t.arange(48.0, dtype=t.float64).reshape(2, 4, 6))
    state = {"weight": scale, "bias": shift}
    return t.func.functional_call(layer.eval(), state, x.reshape(3, 4, 6)).reshape(x.shape)


LAYERS: dict[str, Row] = {
    "nn.affine": row(
        nn.affine, lambda t, x, W, b: t.nn.functional.linear(x, W.T, b), (4, 3), (3, 2), (2,)
    ),
    "nn.affine of images": row(
        lambda x, W, b: nn.Affine(W, b)(x),
        lambda t, x, W, b: t.nn.functional.linear(x.flatten(1), W.T, b),
        (2, 2, 2, 3),
        (12, 3),
        (3,),
    ),
    "nn.embedding": row(
        lambda W: nn.embedding([[1, 1, 0], [3, 1, 2]], W),
        lambda t, W: t.nn.functional.embedding(t.tensor([[1, 1, 0], [3, 1, 2]]), W),
        (4, 3),
    ),
    # convolutions and pooling
    "nn.convolution, 1 axis": row(
        lambda x, W, b: nn.convolution(x, W, b, stride=2, padding=1),
        lambda t, x, W, b: t.nn.functional.conv1d(x, W, b, stride=2, padding=1),
        (2, 2, 7),
        (3, 2, 3),
        (3,),
    ),
    "nn.convolution, 2 axes, all options": row(
        lambda x, W, b: nn.Convolution(W, b, **LEAKY)(x),
        lambda t, x, W, b: t.nn.functional.conv2d(x, W, b, **LEAKY),
        (2, 4, 7, 5),
        (6, 2, 3, 2),
        (6,),
    ),
    "nn.convolution, 3 axes": row(
        lambda x, W, b: nn.convolution(x, W, b, padding=1),
        lambda t, x, W, b: t.nn.functional.conv3d(x, W, b, padding=1),
        (1, 2, 3, 3, 4),
        (2, 2, 2, 3, 2),
        (2,),
    ),
    "nn.convolution, padding of the same size": row(
        lambda x, W, b: nn.convolution(x, W, b, padding="same"),
        lambda t, x, W, b: t.nn.functional.conv2d(x, W, b, padding="same"),
        (2, 2, 4, 5),
        (3, 2, 3, 3),
        (3,),
    ),
    "nn.convolution_transpose, all options": row(
        lambda x, W, b: nn.ConvolutionTranspose(W, b, output_padding=(1, 0), **LEAKY)(x),
        lambda t, x, W, b: t.nn.functional.conv_transpose2d(
            x, W, b, output_padding=(1, 0), **LEAKY
        ),
        (2, 4, 3, 6),
        (4, 3, 3, 2),
        (6,),
    ),
    "nn.max_pool": row(
        lambda x: nn.max_pool(x, (3, 2), stride=(2, 1), padding=(1, 0)),
        lambda t, x: t.nn.functional.max_pool2d(x, (3, 2), stride=(2, 1), padding=(1, 0)),
        (2, 2, 5, 4),
    ),
    "nn.max_pool, dilated": row(
        nn.MaxPool(2, stride=1, dilation=2),
        lambda t, x: t.nn.functional.max_pool2d(x, 2, stride=1, dilation=2),
        (1, 2, 5, 4),
    ),
    "nn.average_pool": row(
        lambda x: nn.average_pool(x, 3, stride=2, padding=1),
        lambda t, x: t.nn.functional.avg_pool2d(x, 3, stride=2, padding=1),
        (2, 2, 5, 4),
    ),
    "nn.average_pool without the padding": row(
        lambda x: nn.average_pool(x, 3, stride=2, padding=1, count_padding=False),
        lambda t, x: t.nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        (2, 2, 5, 4),
    ),
    "nn.global_average_pool": row(
        nn.global_average_pool,
        lambda t, x: t.nn.functional.adaptive_avg_pool2d(x, 1).flatten(1),
        (2, 3, 2, 4),
    ),
    # norms
    "nn.batch_norm": row(
        nn.batch_norm,
        lambda t, x, a, b: t.nn.functional.batch_norm(x, None, None, a, b, training=True),
        (3, 4, 2, 3),
        (4,),
        (4,),
    ),
    "nn.BatchNorm, training": row(
        trained_batch_norm,
        lambda t, x, a, b: t.func.functional_call(
            t.nn.BatchNorm1d(4, dtype=t.float64), {"weight": a, "bias": b}, x
        ),
        (5, 4),
        (4,),
        (4,),
    ),
    "nn.BatchNorm, evaluating": row(
        evaluated_batch_norm, torch_evaluated, (3, 4, 2, 3), (4,), (4,)
    ),
    "nn.layer_norm": row(
        lambda x, a, b: nn.layer_norm(x, a, b, ndim=2),
        lambda t, x, a, b: t.nn.functional.layer_norm(x, (2, 4), a, b),
        (3, 2, 4),
        (2, 4),
        (2, 4),
    ),
    "nn.group_norm": row(
        lambda x, a, b: nn.group_norm(x, 2, a, b),
        lambda t, x, a, b: t.nn.functional.group_norm(x, 2, a, b),
        (3, 4, 2, 3),
        (4,),
        (4,),
    ),
    "nn.group_norm of single channels": row(
        lambda x: nn.group_norm(x, 4), lambda t, x: t.nn.functional.instance_norm(x), (2, 4, 5)
    ),
    "nn.rms_norm": row(
        lambda x, a: nn.rms_norm(x, a, epsilon=1e-5),
        lambda t, x, a: t.nn.functional.rms_norm(x, (4,), a, eps=1e-5),
        (2, 3, 4),
        (4,),
    ),
    # losses
    "nn.softmax_cross_entropy": loss(nn.softmax_cross_entropy, "cross_entropy", LABELS),
    "nn.softmax_cross_entropy, sum": loss(
        nn.softmax_cross_entropy, "cross_entropy", LABELS, reduction="sum"
    ),
    "nn.softmax_cross_entropy of each": loss(
        nn.softmax_cross_entropy, "cross_entropy", LABELS, reduction="none"
    ),
    "nn.softmax_cross_entropy of shares": loss(
        nn.softmax_cross_entropy, "cross_entropy", SHARES / SHARES.sum(1, keepdims=True)
    ),
    "nn.softmax_cross_entropy, ignoring": row(
        lambda x: nn.softmax_cross_entropy(x, MAP, axis=1, ignore=-100),
        lambda t, x: t.nn.functional.cross_entropy(x, t.tensor(MAP), ignore_index=-100),
        (2, 3, 2, 3),
    ),
    "nn.binary_cross_entropy_with_logits": loss(
        nn.binary_cross_entropy_with_logits, "binary_cross_entropy_with_logits", SHARES
    ),
    "nn.binary_cross_entropy_with_logits of each": loss(
        nn.binary_cross_entropy_with_logits, "binary_cross_entropy_with_logits", SHARES.round(),
        reduction="none",
    ),
    "nn.mean_squared_error": loss(nn.mean_squared_error, "mse_loss", SHARES),
    "nn.absolute_error": loss(nn.absolute_error, "l1_loss", SHARES),
    "nn.huber": loss(nn.huber, "huber_loss", SHARES, delta=0.7),
    "nn.hinge": row(
        lambda x: nn.hinge(x, SIGNS),
        lambda t, x: t.relu(1 - x * t.tensor(SIGNS)).mean(),
        (4, 5),
    ),
    "nn.multiclass_hinge": row(
        lambda x: nn.multiclass_hinge(x, LABELS) / 5,
        torch_multiclass_hinge,
        (4, 5),
    ),
    # sequences and attention
    "nn.RNN": recurrent("RNN", 1),
    "nn.LSTM": recurrent("LSTM", 4),
    "nn.GRU": recurrent("GRU", 3),
    "nn.LSTM from the end": recurrent("LSTM", 4, reverse=True),
    "nn.GRU from the end": recurrent("GRU", 3, reverse=True),
    "nn.scaled_dot_product_attention": row(
        lambda q, k, v: nn.scaled_dot_product_attention(q, k, v, SEEN),
        torch_attention,
        (2, 4, 3),
        (2, 5, 3),
        (2, 5, 2),
    ),
    "nn.MultiHeadAttention": attention(),
    "nn.MultiHeadAttention, causal": attention(causal=True),
}  # fmt: skip
