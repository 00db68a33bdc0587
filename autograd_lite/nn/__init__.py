"""Layers composed of operators, each under a scope of its name, and nothing else.

Functions (``affine``, ``convolution``, ``softmax_cross_entropy``, …) and classes that hold
parameters (``Affine``, ``Convolution``, …), called as ``layer(x)``. Derivatives come by themselves.
Imports its own files alone.
"""

from autograd_lite.nn import initialisers
from autograd_lite.nn.activations import (
    ELU,
    GELU,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    elu,
    gelu,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from autograd_lite.nn.affine import Affine, affine
from autograd_lite.nn.attention import MultiHeadAttention, scaled_dot_product_attention
from autograd_lite.nn.containers import Flatten, Sequential
from autograd_lite.nn.convolution import (
    Convolution,
    ConvolutionTranspose,
    convolution,
    convolution_transpose,
)
from autograd_lite.nn.dropout import Dropout, dropout
from autograd_lite.nn.embedding import Embedding, embedding
from autograd_lite.nn.layer import Buffer, Layer
from autograd_lite.nn.losses import (
    absolute_error,
    binary_cross_entropy_with_logits,
    hinge,
    huber,
    mean_squared_error,
    multiclass_hinge,
    softmax_cross_entropy,
)
from autograd_lite.nn.normalization import (
    BatchNorm,
    GroupNorm,
    LayerNorm,
    RMSNorm,
    Statistics,
    batch_norm,
    group_norm,
    layer_norm,
    rms_norm,
)
from autograd_lite.nn.pooling import (
    AveragePool,
    GlobalAveragePool,
    MaxPool,
    average_pool,
    global_average_pool,
    max_pool,
)
from autograd_lite.nn.recurrent import GRU, LSTM, RNN, gru_step, lstm_step, rnn_step
from autograd_lite.nn.state import load, load_state, save, state

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "Affine",
    "AveragePool",
    "BatchNorm",
    "Buffer",
    "Convolution",
    "ConvolutionTranspose",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePool",
    "GroupNorm",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "MaxPool",
    "MultiHeadAttention",
    "RMSNorm",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Statistics",
    "Tanh",
    "absolute_error",
    "affine",
    "average_pool",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "convolution",
    "convolution_transpose",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "global_average_pool",
    "group_norm",
    "gru_step",
    "hinge",
    "huber",
    "initialisers",
    "layer_norm",
    "leaky_relu",
    "load",
    "load_state",
    "log_sigmoid",
    "log_softmax",
    "lstm_step",
    "max_pool",
    "mean_squared_error",
    "multiclass_hinge",
    "relu",
    "rms_norm",
    "rnn_step",
    "save",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "state",
    "tanh",
]
