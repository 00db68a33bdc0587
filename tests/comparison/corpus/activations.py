"""Activations, as students write them: all of them right."""

import numpy as np
from math import pi, sqrt


class Relu:
    def __init__(self):
        self.mask = None

    def forward(self, x):
        self.mask = (x <= 0)
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dx = dout.copy()
        dx[self.mask] = 0
        return dx


class ReluMaximum:
    def forward(self, x):
        self.x = x
        return np.maximum(0, x)

    def backward(self, dout):
        return dout * (self.x > 0)


class ReluWhere:
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, 0.0)

    def backward(self, dout):
        return np.where(self.x > 0, dout, 0.0)


class ReluTimesMask:
    def forward(self, x):
        self.on = (x > 0).astype(float)
        return x * self.on

    def backward(self, dout):
        return dout * self.on


class ReluLoop:
    def forward(self, x):
        self.x = x
        out = np.zeros(x.shape)
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                if x[i, j] > 0:
                    out[i, j] = x[i, j]
        return out

    def backward(self, dout):
        dx = np.zeros(self.x.shape)
        for i in range(dx.shape[0]):
            for j in range(dx.shape[1]):
                if self.x[i, j] > 0:
                    dx[i, j] = dout[i, j]
        return dx


class LeakyRelu:
    def __init__(self, alpha=0.1):
        self.alpha = alpha

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dout):
        dx = np.ones_like(self.x)
        dx[self.x < 0] = self.alpha
        return dout * dx


class Relu6:
    def forward(self, x):
        self.x = x
        return np.minimum(np.maximum(x, 0), 6)

    def backward(self, dout):
        inside = (self.x > 0) & (self.x < 6)
        return dout * inside


class PRelu:
    def __init__(self, a):
        self.a = a

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0) + self.a * np.minimum(x, 0)

    def backward(self, dout):
        self.da = np.sum(dout * np.minimum(self.x, 0), axis=0)
        return dout * np.where(self.x > 0, 1.0, self.a)


class Elu:
    def __init__(self, alpha=1.5):
        self.alpha = alpha

    def forward(self, x):
        self.x = x
        self.out = np.where(x > 0, x, self.alpha * (np.exp(x) - 1))
        return self.out

    def backward(self, dout):
        return dout * np.where(self.x > 0, 1, self.out + self.alpha)


class Selu:
    scale = 1.0507009873554805
    alpha = 1.6732632423543772

    def forward(self, x):
        self.x = x
        neg = self.alpha * (np.exp(x) - 1)
        return self.scale * np.where(x > 0, x, neg)

    def backward(self, dout):
        local = np.where(self.x > 0, 1.0, self.alpha * np.exp(self.x))
        return dout * self.scale * local


class Sigmoid:
    def __init__(self):
        self.out = None

    def forward(self, x):
        out = 1 / (1 + np.exp(-x))
        self.out = out
        return out

    def backward(self, dout):
        dx = dout * (1.0 - self.out) * self.out
        return dx


class StableSigmoid:
    def forward(self, x):
        y = np.zeros_like(x)
        pos = x >= 0
        y[pos] = 1 / (1 + np.exp(-x[pos]))
        e = np.exp(x[~pos])
        y[~pos] = e / (1 + e)
        self.y = y
        return y

    def backward(self, dy):
        s = self.y
        return dy * s * (1 - s)


class SigmoidByTanh:
    def forward(self, x):
        self.y = 0.5 * (np.tanh(x / 2) + 1)
        return self.y

    def backward(self, dout):
        return self.y * (1 - self.y) * dout


class LogSigmoid:
    def forward(self, x):
        self.x = x
        return -np.log(1 + np.exp(-x))

    def backward(self, dout):
        return dout / (1 + np.exp(self.x))


class HardSigmoid:
    def forward(self, x):
        self.x = x
        return np.clip(0.2 * x + 0.5, 0, 1)

    def backward(self, dout):
        z = 0.2 * self.x + 0.5
        dx = 0.2 * dout
        dx[(z <= 0) | (z >= 1)] = 0
        return dx


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out ** 2)


class TanhByExp:
    def forward(self, x):
        ep = np.exp(x)
        em = np.exp(-x)
        self.t = (ep - em) / (ep + em)
        return self.t

    def backward(self, dout):
        return dout * (1 - self.t * self.t)


class HardTanh:
    def forward(self, x):
        self.x = x
        out = x.copy()
        out[x > 1] = 1
        out[x < -1] = -1
        return out

    def backward(self, dout):
        dx = dout.copy()
        dx[np.abs(self.x) >= 1] = 0
        return dx


class Softplus:
    def forward(self, x):
        self.x = x
        return np.log(1 + np.exp(x))

    def backward(self, dout):
        return dout * (1 / (1 + np.exp(-self.x)))


class StableSoftplus:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def backward(self, dout):
        return dout / (1 + np.exp(-self.x))


class Swish:
    def __init__(self, beta):
        self.beta = beta

    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-self.beta * x))
        return x * self.s

    def backward(self, dout):
        s, x, beta = self.s, self.x, self.beta
        ds = s * (1 - s)
        self.dbeta = np.sum(dout * x * ds * x, axis=0)
        return dout * (s + beta * x * ds)


class Gelu:
    """The tanh approximation."""

    def forward(self, x):
        self.x = x
        self.c = sqrt(2 / pi)
        self.t = np.tanh(self.c * (x + 0.044715 * x ** 3))
        return 0.5 * x * (1 + self.t)

    def backward(self, dout):
        x, t, c = self.x, self.t, self.c
        dinner = c * (1 + 3 * 0.044715 * x ** 2)
        return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t ** 2) * dinner)


class Mish:
    def forward(self, x):
        self.x = x
        self.sp = np.log1p(np.exp(x))
        self.t = np.tanh(self.sp)
        return x * self.t

    def backward(self, dout):
        sig = 1 / (1 + np.exp(-self.x))
        return dout * (self.t + self.x * (1 - self.t ** 2) * sig)


class Softsign:
    def forward(self, x):
        self.x = x
        return x / (1 + np.abs(x))

    def backward(self, dout):
        return dout / (1 + np.abs(self.x)) ** 2


class Exponential:
    def forward(self, x):
        self.y = np.exp(x)
        return self.y

    def backward(self, dout):
        return dout * self.y


class Square:
    def forward(self, x):
        self.x = x
        return x ** 2

    def backward(self, dout):
        return 2 * self.x * dout


class Reciprocal:
    def forward(self, x):
        self.y = 1.0 / x
        return self.y

    def backward(self, dout):
        return -dout * self.y ** 2


class Gaussian:
    def forward(self, x):
        self.x = x
        self.y = np.exp(-x ** 2)
        return self.y

    def backward(self, dout):
        return dout * -2 * self.x * self.y


class Softmax:
    def forward(self, x):
        x = x - np.max(x, axis=1, keepdims=True)
        e = np.exp(x)
        self.out = e / np.sum(e, axis=1, keepdims=True)
        return self.out

    def backward(self, dout):
        dx = self.out * dout
        sumdx = np.sum(dx, axis=1, keepdims=True)
        dx -= self.out * sumdx
        return dx


class SoftmaxJacobian:
    def forward(self, x):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        dx = np.empty_like(dout)
        for n, (y, g) in enumerate(zip(self.y, dout)):
            J = np.diag(y) - np.outer(y, y)
            dx[n] = J @ g
        return dx


class LogSoftmax:
    def forward(self, x):
        m = x.max(axis=1, keepdims=True)
        self.out = x - m - np.log(np.sum(np.exp(x - m), axis=1, keepdims=True))
        return self.out

    def backward(self, dout):
        return dout - np.exp(self.out) * dout.sum(axis=1, keepdims=True)


class Maxout:
    def forward(self, x):
        N, D = x.shape
        self.x = x.reshape(N, D // 2, 2)
        self.arg = self.x.argmax(axis=2)
        return self.x.max(axis=2)

    def backward(self, dout):
        N, K, _ = self.x.shape
        dx = np.zeros_like(self.x)
        n, k = np.indices((N, K))
        dx[n, k, self.arg] = dout
        return dx.reshape(N, K * 2)


class Glu:
    def forward(self, x):
        half = x.shape[1] // 2
        self.a = x[:, :half]
        self.s = 1 / (1 + np.exp(-x[:, half:]))
        return self.a * self.s

    def backward(self, dout):
        da = dout * self.s
        db = dout * self.a * self.s * (1 - self.s)
        return np.concatenate([da, db], axis=1)


def cases():
    r = np.random.RandomState(1)
    x = r.randn(4, 3)
    for make in (
        Relu, ReluMaximum, ReluWhere, ReluTimesMask, ReluLoop, LeakyRelu, Elu, Selu, Sigmoid,
        StableSigmoid, SigmoidByTanh, LogSigmoid, Tanh, TanhByExp, Softplus, StableSoftplus, Gelu,
        Mish, Softsign, Exponential, Square, Gaussian, Softmax, SoftmaxJacobian, LogSoftmax,
    ):
        yield make(), x
    yield Relu6(), 4 * r.randn(4, 3)
    yield HardSigmoid(), 3 * r.randn(4, 3)
    yield HardTanh(), 2 * r.randn(4, 3)
    yield Reciprocal(), x + 0.2 * np.sign(x)
    yield PRelu(np.array([0.1, 0.3, 0.5])), x
    yield Swish(np.array([0.5, 1.0, 1.5])), x
    yield Maxout(), r.randn(3, 6)
    yield Glu(), r.randn(3, 6)
