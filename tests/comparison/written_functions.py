"""Layers as functions, whole networks, and recurrent layers: material for the adapters."""

import math
from types import SimpleNamespace

import numpy as np

R = np.random.default_rng(11)
X = R.normal(size=(4, 3))
W, B = R.normal(size=(3, 2)), R.normal(size=2)
LABELS = np.array([0, 2, 1, 1])


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    return dx, dw, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    mean = bn_param.get("running_mean", np.zeros(x.shape[1]))
    var = bn_param.get("running_var", np.zeros(x.shape[1]))
    if bn_param["mode"] == "train":
        mu, v = x.mean(axis=0), x.var(axis=0)
        xhat = (x - mu) / np.sqrt(v + eps)
        bn_param["running_mean"] = momentum * mean + (1 - momentum) * mu
        bn_param["running_var"] = momentum * var + (1 - momentum) * v
        return gamma * xhat + beta, (xhat, gamma, v, eps)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


def batchnorm_backward(dout, cache):
    xhat, gamma, v, eps = cache
    n = dout.shape[0]
    g = dout * gamma
    dx = (n * g - g.sum(axis=0) - xhat * (g * xhat).sum(axis=0)) / (n * np.sqrt(v + eps))
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def dropout_forward(x, dropout_param):
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = (np.random.rand(*x.shape) < dropout_param["p"]) / dropout_param["p"]
    return (x * mask).astype(x.dtype, copy=False), (dropout_param, mask)


def dropout_backward(dout, cache):
    return dout * cache[1]


def conv_forward_naive(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="constant")
    f, _, hh, ww = w.shape
    oh, ow = 1 + (xp.shape[2] - hh) // s, 1 + (xp.shape[3] - ww) // s
    out = np.zeros((x.shape[0], f, oh, ow))
    for n in range(x.shape[0]):
        for k in range(f):
            for i in range(oh):
                for j in range(ow):
                    window = xp[n, :, i * s : i * s + hh, j * s : j * s + ww]
                    out[n, k, i, j] = np.sum(window * w[k]) + b[k]
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, _, conv_param = cache
    s, p = conv_param["stride"], conv_param["pad"]
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)), mode="constant")
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    hh, ww = w.shape[2:]
    for n, k, i, j in np.ndindex(*dout.shape):
        part = (n, slice(None), slice(i * s, i * s + hh), slice(j * s, j * s + ww))
        dw[k] += xp[part] * dout[n, k, i, j]
        dxp[part] += w[k] * dout[n, k, i, j]
    return dxp[:, :, p:-p, p:-p], dw, dout.sum(axis=(0, 2, 3))


def embedding_forward(x, W):
    return W[x], (x, W.shape)


def embedding_backward(dout, cache):
    x, shape = cache
    dW = np.zeros(shape)
    np.add.at(dW, x, dout)
    return dW


def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    n = x.shape[0]
    dx = np.exp(log_probs)
    dx[np.arange(n), y] -= 1
    return -np.sum(log_probs[np.arange(n), y]) / n, dx / n


def svm_loss(W, X, y, reg):
    loss, dW = 0.0, np.zeros(W.shape)
    for i in range(X.shape[0]):
        scores = X[i].dot(W)
        for j in range(W.shape[1]):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    return loss / len(X) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dz = dnext_h * (1 - next_h**2)
    return dz.dot(Wx.T), dz.dot(Wh.T), x.T.dot(dz), prev_h.T.dot(dz), dz.sum(axis=0)


def rnn_forward(x, h0, Wx, Wh, b):
    n, t, _ = x.shape
    h, caches, prev = np.zeros((n, t, h0.shape[1])), [], h0
    for k in range(t):
        prev, cache = rnn_step_forward(x[:, k], prev, Wx, Wh, b)
        h[:, k] = prev
        caches.append(cache)
    return h, caches


def rnn_backward(dh, cache):
    n, t, d = dh.shape
    x, _, Wx, Wh, _ = cache[0]
    dx = np.zeros((n, t, x.shape[1]))
    dprev, dWx, dWh, db = np.zeros((n, d)), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(d)
    for k in reversed(range(t)):
        dx[:, k], dprev, a, b, c = rnn_step_backward(dh[:, k] + dprev, cache[k])
        dWx += a
        dWh += b
        db += c
    return dx, dprev, dWx, dWh, db


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    i, f, o, g = np.split(x.dot(Wx) + prev_h.dot(Wh) + b, 4, axis=1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, c = cache
    dc = dnext_c + dnext_h * o * (1 - np.tanh(c) ** 2)
    di, df, do, dg = dc * g, dc * prev_c, dnext_h * np.tanh(c), dc * i
    parts = [di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)]
    da = np.concatenate(parts, axis=1)
    dparams = x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)
    return da.dot(Wx.T), da.dot(Wh.T), dc * f, *dparams


def rnn_cell_forward(xt, a_prev, parameters):
    a = np.tanh(parameters["Waa"] @ a_prev + parameters["Wax"] @ xt + parameters["ba"])
    y = parameters["Wya"] @ a
    return a, y, (a, a_prev, xt, parameters)


def rnn_cell_backward(da_next, cache):
    a, a_prev, xt, parameters = cache
    dz = (1 - a**2) * da_next
    gradients = {"dxt": parameters["Wax"].T @ dz, "da_prev": parameters["Waa"].T @ dz}
    gradients |= {"dWax": dz @ xt.T, "dWaa": dz @ a_prev.T, "dba": dz.sum(1, keepdims=True)}
    return gradients


def gaussian(x):
    return np.exp(-(x**2) / 2)


def gaussian_grad(x):
    return -x * np.exp(-(x**2) / 2)


def quadratic(x, A):
    return x @ A @ x


def quadratic_grad(x, A):
    return (A + A.T) @ x, np.outer(x, x)


def softplus(x):
    return np.log1p(np.exp(x))


def softplus_vjp(g, x):
    return g / (1 + np.exp(-x))


def scaled(x, a):
    return a * np.sin(x)


def scaled_vjp(x, a, dout):
    return dout * a * np.cos(x), (dout * np.sin(x)).sum(axis=0)


def clipped_fwd(x, a):
    return scaled(x, a), (x, a)


def clipped_bwd(res, g):
    x, a = res
    return scaled_vjp(x, a, g)


def logistic_loss(params, x, t):
    z = x @ params["w"] + params["b"]
    p = 1 / (1 + np.exp(-z))
    loss = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    d = (p - t) / len(t)
    return loss, {"w": x.T @ d, "b": d.sum()}


def scalar_math(x):
    return math.sin(x) * math.exp(x) + float(x) ** 2


def scalar_math_grad(x):
    return (math.sin(x) + math.cos(x)) * math.exp(x) + 2 * x


class TwoLayerNet:
    def __init__(self, sizes=(3, 5, 2)):
        np.random.seed(1)
        a, b, c = sizes
        self.params = {"W1": np.random.randn(a, b), "b1": np.zeros(b) + 0.1}
        self.params |= {"W2": np.random.randn(b, c), "b2": np.zeros(c)}

    def predict(self, x):
        z = sigmoid(np.dot(x, self.params["W1"]) + self.params["b1"])
        s = np.dot(z, self.params["W2"]) + self.params["b2"]
        e = np.exp(s - s.max(axis=1, keepdims=True))
        return z, e / e.sum(axis=1, keepdims=True)

    def loss(self, x, t):
        return -np.sum(t * np.log(self.predict(x)[1] + 1e-7)) / x.shape[0]

    def gradient(self, x, t):
        z, y = self.predict(x)
        # The small number in the logarithm is part of the loss.
        g = -t / (y + 1e-7) / x.shape[0]
        dy = y * (g - (g * y).sum(axis=1, keepdims=True))
        dz = dy @ self.params["W2"].T * z * (1 - z)
        return {"W2": z.T @ dy, "b2": dy.sum(0), "W1": x.T @ dz, "b1": dz.sum(0)}


class LossAndGrads:
    def __init__(self):
        rng = np.random.default_rng(5)
        self.params = {"W1": rng.normal(size=(3, 4)), "b1": rng.normal(size=4), "reg": 0.1}

    def loss(self, X, y=None):
        scores = X.dot(self.params["W1"]) + self.params["b1"]
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        W1, reg = self.params["W1"], self.params["reg"]
        grads = {"W1": X.T.dot(dscores) + reg * W1, "b1": dscores.sum(axis=0)}
        return loss + 0.5 * reg * np.sum(W1**2), grads


class LSTMClass:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x, h_prev, c_prev):
        h, c, self.cache = lstm_step_forward(x, h_prev, c_prev, *self.params)
        return h, c

    def backward(self, dh_next, dc_next):
        dx, dh, dc, *grads = lstm_step_backward(dh_next, dc_next, self.cache)
        for mine, new in zip(self.grads, grads, strict=True):
            mine[...] = new
        return dx, dh, dc


class TimeRNN:
    def __init__(self, Wx, Wh, b, stateful=True):
        self.params, self.stateful, self.h, self.dh = [Wx, Wh, b], stateful, None, None
        self.grads = [np.zeros_like(p) for p in self.params]

    def set_state(self, h):
        self.h = h
        return self

    def forward(self, xs):
        n, t, _ = xs.shape
        h = np.zeros((n, self.params[1].shape[0])) if self.h is None else self.h
        hs, self.caches = np.empty((n, t, h.shape[1]), dtype="f8"), []
        for k in range(t):
            h, cache = rnn_step_forward(xs[:, k, :], h, *self.params)
            hs[:, k, :] = h
            self.caches.append(cache)
        self.h = h
        return hs

    def backward(self, dhs):
        dxs = np.empty((*dhs.shape[:2], self.params[0].shape[0]))
        dh, grads = 0, [0, 0, 0]
        for k in reversed(range(dhs.shape[1])):
            dx, dh, *more = rnn_step_backward(dhs[:, k, :] + dh, self.caches[k])
            dxs[:, k, :] = dx
            grads = [a + b for a, b in zip(grads, more, strict=True)]
        for mine, new in zip(self.grads, grads, strict=True):
            mine[...] = new
        self.dh = dh
        return dxs


class ListOfSteps:
    def __init__(self, w):
        self.w = w

    def forward(self, xs):
        self.xs, total, out = xs, 0, []
        for x in xs:
            total = total + x * self.w
            out.append(np.sin(total))
        return out

    def backward(self, douts):
        totals = np.cumsum([x * self.w for x in self.xs], axis=0)
        local = [d * np.cos(t) for d, t in zip(douts, totals, strict=True)]
        flows = [sum(local[k:]) for k in range(len(local))]
        self.dw = sum(f * x for f, x in zip(flows, self.xs, strict=True))
        return [f * self.w for f in flows]


class Swish:
    @staticmethod
    def forward(ctx, x, beta, scale=2.0):
        s = 1 / (1 + np.exp(-beta * x))
        ctx.save_for_backward(x, s, beta)
        ctx.scale = scale
        return scale * x * s

    @staticmethod
    def backward(ctx, grad_output):
        x, s, beta = ctx.saved_tensors
        g = grad_output * ctx.scale
        dx = g * (s + beta * x * s * (1 - s)) if ctx.needs_input_grad[0] else None
        return dx, np.sum(g * x * x * s * (1 - s)), None


class Split:
    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        (ctx.x,) = inputs

    @staticmethod
    def backward(ctx, g):
        return 3 * ctx.x**2 * g


A = R.normal(size=(3, 3))
WX, WH, BH = R.normal(size=(3, 5)), R.normal(size=(5, 5)), R.normal(size=5)
H0 = R.normal(size=(4, 5))
WX4, WH4, B4 = R.normal(size=(3, 20)), R.normal(size=(5, 20)), R.normal(size=20)
IMAGE, FILTERS = R.normal(size=(2, 2, 4, 4)), R.normal(size=(3, 2, 3, 3))
RNN_ROWS = {"forward", "dx", "dprev_h", "dWx", "dWh", "db"}
CELL = {
    "Waa": WH, "Wax": WX.T.copy(), "ba": BH[:, None].copy(), "Wya": R.normal(size=(2, 5)),
}  # fmt: skip

CASES = {
    "affine": ((affine_forward, affine_backward), [X, W, B], {"forward", "dx", "dw", "db"}),
    "affine by its forward": (affine_forward, [X, W, B], {"forward", "dx", "dw", "db"}),
    "a namespace": (
        SimpleNamespace(relu_forward=relu_forward, relu_backward=relu_backward), [X],
        {"forward", "dx"},
    ),
    "batch norm": (
        (batchnorm_forward, batchnorm_backward), [X, W[:, 0], W[:, 1], {"mode": "train"}],
        {"forward", "dx", "dgamma", "dbeta"},
    ),
    "batch norm with statistics": (
        (batchnorm_forward, batchnorm_backward),
        [X, W[:, 0], W[:, 1], {"mode": "train", "running_mean": np.zeros(3)}],
        {"forward", "dx", "dgamma", "dbeta"},
    ),
    "dropout": ((dropout_forward, dropout_backward), [X, {"p": 0.6}], {"forward", "dx"}),
    "convolution": (
        (conv_forward_naive, conv_backward_naive),
        [IMAGE, FILTERS, R.normal(size=3), {"stride": 1, "pad": 1}],
        {"forward", "dx", "dw", "db"},
    ),
    "embedding": ((embedding_forward, embedding_backward), [LABELS % 3, W], {"forward", "dW"}),
    "softmax loss": (softmax_loss, [X, LABELS], {"forward", "dx"}),
    "hinge loss": (svm_loss, [A, X, LABELS, 0.1], {"forward", "dW"}),
    "recurrent step": (
        (rnn_step_forward, rnn_step_backward), [X, H0, WX, WH, BH], RNN_ROWS
    ),
    "recurrent sequence": (
        (rnn_forward, rnn_backward), [R.normal(size=(4, 3, 3)), H0, WX, WH, BH],
        {"forward", "dx", "dh0", "dWx", "dWh", "db"},
    ),
    "lstm step": (
        (lstm_step_forward, lstm_step_backward), [X, H0, H0 / 2, WX4, WH4, B4],
        {"forward[0]", "forward[1]", "dx", "dprev_h", "dprev_c", "dWx", "dWh", "db"},
    ),
    "cell with a dictionary": (
        (rnn_cell_forward, rnn_cell_backward), [X.T.copy(), H0.T.copy(), CELL],
        {"forward[0]", "forward[1]", "dxt", "da_prev", "parameters.dWaa", "parameters.dWax",
         "parameters.dba"},
    ),
    "f and f_grad": ((gaussian, gaussian_grad), [X], {"forward", "dx"}),
    "f and f_grad of two": ((quadratic, quadratic_grad), [X[0], A], {"forward", "dx", "dA"}),
    "f and f_grad of a number": ((scalar_math, scalar_math_grad), [0.7], {"forward", "dx"}),
    "f and f_vjp": ((softplus, softplus_vjp), [X], {"forward", "dx"}),
    "f and f_vjp, g last": ((scaled, scaled_vjp), [X, W[:, 0]], {"forward", "dx", "da"}),
    "f, fwd, bwd": ((scaled, clipped_fwd, clipped_bwd), [X, W[:, 0]], {"forward", "dx", "da"}),
    "fun, fwd, bwd": (
        SimpleNamespace(fun=scaled, fwd=clipped_fwd, bwd=clipped_bwd), [X, W[:, 0]],
        {"forward", "dx", "da"},
    ),
    "loss of a dictionary": (
        logistic_loss, [{"w": W[:, 0], "b": np.array(0.3)}, X, (LABELS > 0).astype(float)],
        {"forward", "params.dw", "params.db"},
    ),
    "network": (
        TwoLayerNet(), [X, np.eye(2)[LABELS % 2]],
        {"forward", "params.dW1", "params.db1", "params.dW2", "params.db2"},
    ),
    "network, the class": (
        TwoLayerNet, [X, np.eye(2)[LABELS % 2]],
        {"forward", "params.dW1", "params.db1", "params.dW2", "params.db2"},
    ),
    "network with loss and grads": (
        LossAndGrads(), [X, LABELS], {"forward", "params.dW1", "params.db1"}
    ),
    "a network's method": (
        LossAndGrads().loss, [X, LABELS], {"forward", "params.dW1", "params.db1"}
    ),
    "lstm class": (
        LSTMClass(WX4, WH4, B4), [X, H0, H0 / 2],
        {"forward[0]", "forward[1]", "dx", "dh_prev", "dc_prev", "dparams[0]", "dparams[1]",
         "dparams[2]"},
    ),
    "time layer": (
        TimeRNN(WX, WH, BH), [R.normal(size=(4, 3, 3))],
        {"forward", "dxs", "dparams[0]", "dparams[1]", "dparams[2]"},
    ),
    "time layer with a state": (
        TimeRNN(WX, WH, BH).set_state(H0), [R.normal(size=(4, 3, 3))],
        {"forward", "dxs", "dh", "dparams[0]", "dparams[1]", "dparams[2]"},
    ),
    "list of steps": (
        ListOfSteps(W[:, 0]), [[X[0], X[1], X[2]]],
        {"forward[0]", "forward[1]", "forward[2]", "dxs[0]", "dxs[1]", "dxs[2]", "dw"},
    ),
    "context": (Swish, [X, np.array(1.5)], {"forward", "dx", "dbeta"}),
    "context with a setting": (Swish, [X, np.array(1.5), 3.0], {"forward", "dx", "dbeta"}),
    "context set up apart": (Split, [X], {"forward", "dx"}),
}  # fmt: skip
"""Name → what is passed, inputs, the rows that its report has."""
