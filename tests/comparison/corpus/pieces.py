"""Small pieces of networks, as students write them: all of them right."""

import numpy as np


class MulLayer:
    def __init__(self):
        self.x = None
        self.y = None

    def forward(self, x, y):
        self.x = x
        self.y = y
        return x * y

    def backward(self, dout):
        dx = dout * self.y
        dy = dout * self.x
        return dx, dy


class AddLayer:
    def forward(self, x, y):
        return x + y

    def backward(self, dout):
        dx = dout * 1
        dy = dout * 1
        return dx, dy


class SubLayer:
    def forward(self, a, b):
        return a - b

    def backward(self, dout):
        return dout.copy(), -dout


class DivLayer:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a / b

    def backward(self, dout):
        return dout / self.b, -dout * self.a / self.b ** 2


class MatMul:
    def __init__(self, W):
        self.params = [W]
        self.grads = [np.zeros_like(W)]

    def forward(self, x):
        W, = self.params
        out = np.dot(x, W)
        self.x = x
        return out

    def backward(self, dout):
        W, = self.params
        dx = np.dot(dout, W.T)
        dW = np.dot(self.x.T, dout)
        self.grads[0][...] = dW
        return dx


class MatMulOfTwo:
    def forward(self, A, B):
        self.A, self.B = A, B
        return A @ B

    def backward(self, G):
        return G @ self.B.T, self.A.T @ G


class BatchedMatMul:
    def forward(self, a, b):
        self.saved = a, b
        return np.matmul(a, b)

    def backward(self, g):
        a, b = self.saved
        return np.matmul(g, b.transpose(0, 2, 1)), np.matmul(np.swapaxes(a, 1, 2), g)


class ScaleAndShift:
    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        self.x = x
        return self.gamma * x + self.beta

    def backward(self, dout):
        self.dgamma = np.sum(dout * self.x, axis=0)
        self.dbeta = np.sum(dout, axis=0)
        return dout * self.gamma


class ColumnScale:
    """One scale a row, broadcast along the columns."""

    def __init__(self, s):
        self.s = s

    def forward(self, x):
        self.x = x
        return self.s[:, None] * x

    def backward(self, dout):
        self.ds = (dout * self.x).sum(axis=1)
        return dout * self.s[:, None]


class OuterSum:
    def forward(self, a, b):
        return a[:, None] + b[None, :]

    def backward(self, dout):
        return dout.sum(axis=1), dout.sum(axis=0)


class OuterProduct:
    def forward(self, a, b):
        self.a, self.b = a, b
        return np.outer(a, b)

    def backward(self, dout):
        return dout @ self.b, dout.T @ self.a


class Repeat:
    def __init__(self, n=3):
        self.n = n

    def forward(self, x):
        return np.repeat(x[:, None, :], self.n, axis=1)

    def backward(self, dout):
        return np.sum(dout, axis=1)


class SumLayer:
    def forward(self, x):
        self.shape = x.shape
        return np.sum(x, axis=0)

    def backward(self, dout):
        return np.repeat(dout.reshape(1, -1), self.shape[0], axis=0)


class MeanLayer:
    def forward(self, x):
        self.n = x.shape[1]
        return x.mean(axis=1)

    def backward(self, dout):
        return np.tile(dout[:, None], (1, self.n)) / self.n


class Concat:
    def forward(self, a, b):
        self.n = a.shape[1]
        return np.concatenate((a, b), axis=1)

    def backward(self, dout):
        return dout[:, :self.n], dout[:, self.n:]


class SplitAndMultiply:
    def forward(self, x):
        self.a, self.b = np.split(x, 2, axis=1)
        return self.a * self.b

    def backward(self, dout):
        return np.hstack([dout * self.b, dout * self.a])


class Residual:
    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W)
        return x + self.h

    def backward(self, dout):
        dz = dout * (1 - self.h ** 2)
        self.dW = self.x.T @ dz
        return dout + dz @ self.W.T


class Highway:
    def __init__(self, Wt, Wh):
        self.Wt, self.Wh = Wt, Wh

    def forward(self, x):
        self.x = x
        self.t = 1 / (1 + np.exp(-x @ self.Wt))
        self.h = np.maximum(x @ self.Wh, 0)
        return self.t * self.h + (1 - self.t) * x

    def backward(self, dout):
        t, h, x = self.t, self.h, self.x
        dt = dout * (h - x) * t * (1 - t)
        dh = dout * t * (h > 0)
        self.dWt = x.T @ dt
        self.dWh = x.T @ dh
        return dout * (1 - t) + dt @ self.Wt.T + dh @ self.Wh.T


class SqueezeExcite:
    def __init__(self, W):
        self.W = W

    def forward(self, x):
        self.x = x
        self.z = x.mean(axis=(2, 3))
        self.s = 1 / (1 + np.exp(-self.z @ self.W))
        return x * self.s[:, :, None, None]

    def backward(self, dout):
        ds = (dout * self.x).sum(axis=(2, 3))
        da = ds * self.s * (1 - self.s)
        self.dW = self.z.T @ da
        dz = da @ self.W.T
        H, W = self.x.shape[2:]
        return dout * self.s[:, :, None, None] + dz[:, :, None, None] / (H * W)


class CosineSimilarity:
    def forward(self, a, b):
        self.a, self.b = a, b
        self.na = np.sqrt((a * a).sum(axis=1, keepdims=True))
        self.nb = np.sqrt((b * b).sum(axis=1, keepdims=True))
        self.c = (a * b).sum(axis=1, keepdims=True) / (self.na * self.nb)
        return self.c[:, 0]

    def backward(self, dout):
        g = dout[:, None]
        da = g * (self.b / (self.na * self.nb) - self.c * self.a / self.na ** 2)
        db = g * (self.a / (self.na * self.nb) - self.c * self.b / self.nb ** 2)
        return da, db


class PairwiseDistance:
    def forward(self, a, b):
        self.diff = a[:, None, :] - b[None, :, :]
        return np.sum(self.diff ** 2, axis=2)

    def backward(self, dout):
        d = 2 * self.diff * dout[:, :, None]
        return d.sum(axis=1), -d.sum(axis=0)


class EuclideanNorm:
    def forward(self, x):
        self.x = x
        self.n = np.linalg.norm(x)
        return self.n

    def backward(self, dout):
        return dout * self.x / self.n


class LogSumExp:
    def forward(self, x):
        m = x.max()
        self.e = np.exp(x - m)
        return m + np.log(self.e.sum())

    def backward(self, dout):
        return dout * self.e / self.e.sum()


class Polynomial:
    def __init__(self, c):
        self.c = c

    def forward(self, x):
        self.x = x
        out = np.zeros_like(x)
        for k in range(len(self.c)):
            out += self.c[k] * x ** k
        return out

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        self.dc = np.zeros_like(self.c)
        for k in range(len(self.c)):
            self.dc[k] = np.sum(dout * self.x ** k)
            if k > 0:
                dx += dout * self.c[k] * k * self.x ** (k - 1)
        return dx


class GatherRows:
    def __init__(self, rows):
        self.rows = list(rows)

    def forward(self, x):
        self.shape = x.shape
        return x[self.rows]

    def backward(self, dout):
        dx = np.zeros(self.shape)
        for k, row in enumerate(self.rows):
            dx[row] += dout[k]
        return dx


class CumulativeSum:
    def forward(self, x):
        return np.cumsum(x, axis=0)

    def backward(self, dout):
        return np.cumsum(dout[::-1], axis=0)[::-1]


class MaxOfRows:
    def forward(self, x):
        self.shape, self.idx = x.shape, x.argmax(axis=1)
        return x[np.arange(len(x)), self.idx]

    def backward(self, dout):
        dx = np.zeros(self.shape)
        dx[np.arange(len(dx)), self.idx] = dout
        return dx


class ElementwiseMax:
    def forward(self, a, b):
        self.a, self.b = a, b
        return np.maximum(a, b)

    def backward(self, dout):
        left = self.a >= self.b
        return dout * left, dout * ~left


class TransposeAxes:
    def forward(self, x):
        return x.transpose(0, 2, 1)

    def backward(self, dout):
        return dout.transpose(0, 2, 1)


class FactorisationMachine:
    def __init__(self, w, V):
        self.w, self.V = w, V

    def forward(self, x):
        self.x = x
        self.s = x @ self.V
        pairs = 0.5 * (self.s ** 2 - (x ** 2) @ (self.V ** 2)).sum(axis=1)
        return x @ self.w + pairs

    def backward(self, dout):
        g = dout[:, None]
        x, V, s = self.x, self.V, self.s
        self.dw = x.T @ dout
        self.dV = x.T @ (g * s) - V * ((x ** 2).T @ g)
        return g * self.w + (g * s) @ V.T - g * x * (V ** 2).sum(axis=1)


def cases():
    r = np.random.RandomState(6)
    a, b = r.randn(4, 3), r.randn(4, 3)
    yield MulLayer(), a, b
    yield AddLayer(), a, b
    yield SubLayer(), a, b
    yield DivLayer(), a, b + np.sign(b)
    yield MatMul(r.randn(3, 5)), a
    yield MatMulOfTwo(), a, r.randn(3, 5)
    yield BatchedMatMul(), r.randn(2, 4, 3), r.randn(2, 3, 5)
    yield ScaleAndShift(r.randn(3), r.randn(3)), a
    yield ColumnScale(r.randn(4)), a
    yield OuterSum(), r.randn(4), r.randn(3)
    yield OuterProduct(), r.randn(4), r.randn(3)
    yield Repeat(), r.randn(4, 2)
    yield SumLayer(), a
    yield MeanLayer(), a
    yield Concat(), a, r.randn(4, 2)
    yield SplitAndMultiply(), r.randn(4, 6)
    yield Residual(r.randn(3, 3)), a
    yield Highway(r.randn(3, 3), r.randn(3, 3)), a
    yield SqueezeExcite(r.randn(3, 3)), r.randn(2, 3, 2, 2)
    yield CosineSimilarity(), a, b
    yield PairwiseDistance(), a, r.randn(5, 3)
    yield EuclideanNorm(), a
    yield LogSumExp(), r.randn(5)
    yield Polynomial(r.randn(4)), r.randn(5)
    yield GatherRows([2, 0, 2, 1]), a
    yield CumulativeSum(), a
    yield MaxOfRows(), a
    yield ElementwiseMax(), a, b
    yield TransposeAxes(), r.randn(2, 3, 4)
    yield FactorisationMachine(r.randn(3), r.randn(3, 2)), a
