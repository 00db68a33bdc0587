"""Layers as functions: pairs with a cache, losses with their gradient, contexts, custom pairs.

Each class is a namespace for the functions of one layer. Its base says how they are handed to a
comparison (`hand`), and how they are run as an object with forward and backward (`played`).
"""

from types import SimpleNamespace

import numpy as np


class Pair:
    """`forward(x, …) -> out, …, cache` and `backward(dout, …, cache)`."""

    def hand(self):
        return type(self).forward, type(self).backward

    def played(self):
        kind, kept = type(self), []

        def forward(*inputs):
            *outputs, cache = kind.forward(*inputs)
            kept[:] = [cache]
            return outputs[0] if len(outputs) == 1 else tuple(outputs)

        return SimpleNamespace(forward=forward, backward=lambda *g: kind.backward(*g, *kept))


class Loss:
    """`value_and_backward(x, …) -> loss, dx`."""

    def hand(self):
        return type(self).value_and_backward

    def played(self):
        kind, kept = type(self), []

        def forward(*inputs):
            loss, *kept[:] = kind.value_and_backward(*inputs)
            return loss

        return SimpleNamespace(
            forward=forward, backward=lambda g: tuple(None if k is None else g * k for k in kept)
        )


class Saved:
    """A context that keeps what it is given."""

    def save_for_backward(self, *arrays):
        self.saved_tensors = arrays


class Static:
    """Static methods with a context."""

    def hand(self):
        return type(self)

    def played(self):
        kind, ctx = type(self), Saved()
        return SimpleNamespace(
            forward=lambda *inputs: kind.forward(ctx, *inputs),
            backward=lambda *g: kind.backward(ctx, *g),
        )


class Vjp:
    """`forward(x, …)` and `backward(g, x, …)`."""

    def hand(self):
        return type(self).forward, type(self).backward

    def played(self):
        kind, kept = type(self), []

        def forward(*inputs):
            kept[:] = inputs
            return kind.forward(*inputs)

        return SimpleNamespace(forward=forward, backward=lambda g: kind.backward(g, *kept))


class Triple:
    """`fun(x, …)`, `forward(x, …) -> out, residuals` and `backward(residuals, g)`."""

    def hand(self):
        return type(self).fun, type(self).forward, type(self).backward

    def played(self):
        kind, kept = type(self), []

        def forward(*inputs):
            kept[:] = kind.forward(*inputs)[1:]
            return kind.fun(*inputs)

        return SimpleNamespace(forward=forward, backward=lambda g: kind.backward(*kept, g))


# ── pairs ────────────────────────────────────────────────────────────────────────────────────────


class AffinePair(Pair):
    def forward(x, w, b):
        out = x.reshape(x.shape[0], -1).dot(w) + b
        return out, (x, w, b)

    def backward(dout, cache):
        x, w, b = cache
        dx = dout.dot(w.T).reshape(x.shape)
        dw = x.reshape(x.shape[0], -1).T.dot(dout)
        db = np.sum(dout, axis=0)
        return dx, dw, db


class ReluPair(Pair):
    def forward(x):
        return np.maximum(0, x), x

    def backward(dout, cache):
        x = cache
        dx = dout * (x > 0)
        return dx


class SigmoidDictPair(Pair):
    def forward(z):
        a = 1 / (1 + np.exp(-z))
        return a, {"a": a}

    def backward(dout, cache):
        a = cache["a"]
        dz = dout * a * (1 - a)
        return dz


class BatchNormPair(Pair):
    def forward(x, gamma, beta):
        eps = 1e-5
        mu = np.mean(x, axis=0)
        var = np.var(x, axis=0)
        std = np.sqrt(var + eps)
        x_hat = (x - mu) / std
        return gamma * x_hat + beta, (x, mu, std, x_hat, gamma)

    def backward(dout, cache):
        x, mu, std, x_hat, gamma = cache
        n = x.shape[0]
        dgamma = np.sum(dout * x_hat, axis=0)
        dbeta = np.sum(dout, axis=0)
        dx_hat = dout * gamma
        dvar = np.sum(dx_hat * (x - mu) * -0.5 / std**3, axis=0)
        dmu = np.sum(-dx_hat / std, axis=0)
        dx = dx_hat / std + 2 * dvar * (x - mu) / n + dmu / n
        return dx, dgamma, dbeta


class LayerNormPair(Pair):
    def forward(x, gamma, beta):
        mu = x.mean(axis=1, keepdims=True)
        xc = x - mu
        rstd = 1.0 / np.sqrt((xc**2).mean(axis=1, keepdims=True) + 1e-5)
        xhat = xc * rstd
        return xhat * gamma + beta, dict(xhat=xhat, rstd=rstd, gamma=gamma)

    def backward(dout, cache):
        xhat = cache["xhat"]
        d = xhat.shape[1]
        dgamma = (dout * xhat).sum(axis=0)
        dbeta = dout.sum(axis=0)
        dxhat = dout * cache["gamma"]
        total = dxhat.sum(axis=1, keepdims=True)
        along = (dxhat * xhat).sum(axis=1, keepdims=True)
        dx = cache["rstd"] / d * (d * dxhat - total - xhat * along)
        return dx, dgamma, dbeta


class DropoutPair(Pair):
    def forward(x, param):
        np.random.seed(param["seed"])
        mask = (np.random.rand(*x.shape) < param["p"]) / param["p"]
        return x * mask, mask

    def backward(dout, cache):
        mask = cache
        dx = dout * mask
        return dx


class ConvNaivePair(Pair):
    def forward(x, w, b):
        n, c, h, wd = x.shape
        f, _, hh, ww = w.shape
        xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        out = np.zeros((n, f, h + 3 - hh, wd + 3 - ww))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                win = xp[:, :, i : i + hh, j : j + ww]
                for k in range(f):
                    out[:, k, i, j] = np.sum(win * w[k], axis=(1, 2, 3)) + b[k]
        return out, (x, w, b)

    def backward(dout, cache):
        x, w, b = cache
        n, c, h, wd = x.shape
        f, _, hh, ww = w.shape
        xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        dxp, dw = np.zeros_like(xp), np.zeros_like(w)
        db = np.sum(dout, axis=(0, 2, 3))
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                win = xp[:, :, i : i + hh, j : j + ww]
                for k in range(f):
                    g = dout[:, k, i, j][:, None, None, None]
                    dw[k] += np.sum(win * g, axis=0)
                    dxp[:, :, i : i + hh, j : j + ww] += w[k] * g
        dx = dxp[:, :, 1:-1, 1:-1]
        return dx, dw, db


class MaxPoolPair(Pair):
    def forward(x, size):
        n, c, h, w = x.shape
        out = x.reshape(n, c, h // size, size, w // size, size).max(axis=(3, 5))
        return out, (x, out, size)

    def backward(dout, cache):
        x, out, size = cache
        up = np.kron(out, np.ones((size, size)))
        dx = np.kron(dout, np.ones((size, size))) * (x == up)
        return dx


class EmbeddingPair(Pair):
    def forward(x, W):
        return W[x], (x, W.shape)

    def backward(dout, cache):
        x, shape = cache
        dW = np.zeros(shape)
        np.add.at(dW, x, dout)
        return dW


class RnnStepPair(Pair):
    def forward(x, prev_h, Wx, Wh, b):
        next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
        return next_h, (x, prev_h, Wx, Wh, next_h)

    def backward(dnext, cache):
        x, prev_h, Wx, Wh, next_h = cache
        dt = dnext * (1 - next_h**2)
        dx = dt.dot(Wx.T)
        dprev = dt.dot(Wh.T)
        dWx = x.T.dot(dt)
        dWh = prev_h.T.dot(dt)
        db = dt.sum(axis=0)
        return dx, dprev, dWx, dWh, db


class RnnSequencePair(Pair):
    def forward(x, h0, Wx, Wh):
        h, states = h0, []
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ Wx + h @ Wh)
            states.append(h)
        return np.stack(states, axis=1), (x, h0, Wx, Wh, states)

    def backward(dh, cache):
        x, h0, Wx, Wh, states = cache
        dx, dWx, dWh = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh)
        dprev = np.zeros_like(h0)
        for t in reversed(range(x.shape[1])):
            before = states[t - 1] if t else h0
            dz = (dh[:, t] + dprev) * (1 - states[t] ** 2)
            dx[:, t] = dz @ Wx.T
            dprev = dz @ Wh.T
            dWx += x[:, t].T @ dz
            dWh += before.T @ dz
        return dx, dprev, dWx, dWh


class LstmStepPair(Pair):
    def forward(x, prev_h, prev_c, Wx, Wh):
        H = prev_h.shape[1]
        a = x @ Wx + prev_h @ Wh
        i, f, o = (1 / (1 + np.exp(-a[:, k * H : (k + 1) * H])) for k in range(3))
        g = np.tanh(a[:, 3 * H :])
        next_c = f * prev_c + i * g
        next_h = o * np.tanh(next_c)
        return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)

    def backward(dnext_h, dnext_c, cache):
        x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
        tc = np.tanh(next_c)
        dc = dnext_c + dnext_h * o * (1 - tc**2)
        di = dc * g * i * (1 - i)
        df = dc * prev_c * f * (1 - f)
        do = dnext_h * tc * o * (1 - o)
        dg = dc * i * (1 - g**2)
        da = np.hstack([di, df, do, dg])
        dx = da @ Wx.T
        dprev_h = da @ Wh.T
        dprev_c = dc * f
        dWx = x.T @ da
        dWh = prev_h.T @ da
        return dx, dprev_h, dprev_c, dWx, dWh


class AttentionPair(Pair):
    def forward(q, k, v):
        s = q @ k.T / np.sqrt(q.shape[1])
        e = np.exp(s - s.max(axis=1, keepdims=True))
        a = e / e.sum(axis=1, keepdims=True)
        return a @ v, (q, k, v, a)

    def backward(dout, cache):
        q, k, v, a = cache
        dv = a.T @ dout
        da = dout @ v.T
        ds = a * (da - (da * a).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
        dq = ds @ k
        dk = ds.T @ q
        return dq, dk, dv


# ── losses ───────────────────────────────────────────────────────────────────────────────────────


class SoftmaxLoss(Loss):
    def value_and_backward(x, y):
        n = x.shape[0]
        p = np.exp(x - x.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(n), y]).sum() / n
        dx = p.copy()
        dx[np.arange(n), y] -= 1
        dx = dx / n
        return loss, dx


class HingeRowsLoss(Loss):
    def value_and_backward(x, y):
        n = x.shape[0]
        margins = np.maximum(0, x - x[np.arange(n), y][:, None] + 1.0)
        margins[np.arange(n), y] = 0
        loss = margins.sum() / n
        dx = (margins > 0) / n
        dx[np.arange(n), y] -= dx.sum(axis=1)
        return loss, dx


class RidgeLoss(Loss):
    def value_and_backward(w, X, t):
        r = X @ w - t
        loss = 0.5 * np.mean(r**2) + 0.1 * np.sum(w * w)
        dw = X.T @ r / len(t) + 0.2 * w
        return loss, dw


class LogisticPair(Loss):
    def value_and_backward(z, t):
        p = 1 / (1 + np.exp(-z))
        loss = -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p))
        dz = p - t
        return loss, dz


# ── contexts ─────────────────────────────────────────────────────────────────────────────────────


class ExpStatic(Static):
    @staticmethod
    def forward(ctx, x):
        y = np.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, dout):
        (y,) = ctx.saved_tensors
        return dout * y


class LinearStatic(Static):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return x @ weight.T + bias

    @staticmethod
    def backward(ctx, dout):
        x, weight = ctx.saved_tensors
        dx = dout @ weight
        dweight = dout.T @ x
        dbias = dout.sum(axis=0)
        return dx, dweight, dbias


class ClampStatic(Static):
    @staticmethod
    def forward(ctx, x, low, high):
        ctx.inside = (x > low) & (x < high)
        return np.clip(x, low, high)

    @staticmethod
    def backward(ctx, dout):
        dx = dout * ctx.inside
        return dx, None, None


# ── functions with a derivative of their own ─────────────────────────────────────────────────────


class LogSumExpVjp(Vjp):
    def forward(x):
        m = x.max(axis=-1, keepdims=True)
        return (m + np.log(np.exp(x - m).sum(axis=-1, keepdims=True)))[..., 0]

    def backward(g, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return g[..., None] * e / e.sum(axis=-1, keepdims=True)


class GaussianOfTwo(Vjp):
    def forward(x, s):
        return np.exp(-(x**2) / (2 * s**2))

    def backward(g, x, s):
        y = np.exp(-(x**2) / (2 * s**2))
        dx = -g * y * x / s**2
        ds = g * y * x**2 / s**3
        return dx, ds


class SineTimes(Triple):
    def fun(x, y):
        return np.sin(x) * y

    def forward(x, y):
        return np.sin(x) * y, (np.cos(x), np.sin(x), y)

    def backward(res, g):
        c, s, y = res
        dx = g * c * y
        dy = g * s
        return dx, dy


class SafeNorm(Triple):
    def fun(x):
        return np.sqrt(np.sum(x**2, axis=-1))

    def forward(x):
        n = np.sqrt(np.sum(x**2, axis=-1))
        return n, (x, n)

    def backward(res, g):
        x, n = res
        return (g / n)[..., None] * x


def cases():
    r = np.random.RandomState(8)
    a, t = r.randn(4, 3), np.array([0, 2, 1, 1])
    image = r.randn(2, 2, 4, 4)
    yield AffinePair(), r.randn(4, 2, 3), r.randn(6, 5), r.randn(5)
    yield ReluPair(), a
    yield SigmoidDictPair(), a
    yield BatchNormPair(), r.randn(6, 3), r.randn(3), r.randn(3)
    yield LayerNormPair(), r.randn(4, 5), r.randn(5), r.randn(5)
    yield DropoutPair(), r.randn(4, 5), {"p": 0.6, "seed": 1}
    yield ConvNaivePair(), image, r.randn(2, 2, 3, 3), r.randn(2)
    yield MaxPoolPair(), image, 2
    yield EmbeddingPair(), np.array([[0, 1, 1], [4, 1, 0]]), r.randn(5, 3)
    yield RnnStepPair(), a, r.randn(4, 5), r.randn(3, 5), r.randn(5, 5), r.randn(5)
    yield RnnSequencePair(), r.randn(2, 3, 4), r.randn(2, 5), r.randn(4, 5) / 2, r.randn(5, 5) / 2
    yield LstmStepPair(), a, r.randn(4, 2), r.randn(4, 2), r.randn(3, 8), r.randn(2, 8)
    yield AttentionPair(), r.randn(3, 4), r.randn(5, 4), r.randn(5, 2)
    yield SoftmaxLoss(), a, t
    yield HingeRowsLoss(), a, t
    yield RidgeLoss(), r.randn(3), r.randn(6, 3), r.randn(6)
    yield LogisticPair(), a, (r.rand(4, 3) > 0.5).astype(float)
    yield ExpStatic(), a
    yield LinearStatic(), a, r.randn(5, 3), r.randn(5)
    yield ClampStatic(), a, -0.5, 0.7
    yield LogSumExpVjp(), a
    yield GaussianOfTwo(), a, r.rand(4, 3) + 0.5
    yield SineTimes(), a, r.randn(4, 3)
    yield SafeNorm(), a
