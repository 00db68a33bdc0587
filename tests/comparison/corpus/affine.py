"""Affine layers, as students write them: all of them right."""

import numpy as np


class Affine:
    def __init__(self, W, b):
        self.W = W
        self.b = b
        self.x = None
        self.dW = None
        self.db = None

    def forward(self, x):
        self.x = x
        out = np.dot(x, self.W) + self.b
        return out

    def backward(self, dout):
        dx = np.dot(dout, self.W.T)
        self.dW = np.dot(self.x.T, dout)
        self.db = np.sum(dout, axis=0)
        return dx


class AffineOfImages:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.x_shape = None

    def forward(self, x):
        self.x_shape = x.shape
        self.rows = x.reshape(x.shape[0], -1)
        return self.rows @ self.W + self.b

    def backward(self, dout):
        self.dW = self.rows.T @ dout
        self.db = dout.sum(axis=0)
        return (dout @ self.W.T).reshape(self.x_shape)


class LinearNoBias:
    def __init__(self, W):
        self.params = [W]
        self.grads = [np.zeros_like(W)]

    def forward(self, x):
        W, = self.params
        self.x = x
        return np.matmul(x, W)

    def backward(self, dout):
        W, = self.params
        dx = np.matmul(dout, W.T)
        dW = np.matmul(self.x.T, dout)
        self.grads[0][...] = dW
        return dx


class TorchLinear:
    """Weights lie (out, in)."""

    def __init__(self, weight, bias):
        self.weight = weight
        self.bias = bias

    def forward(self, x):
        self.cache = x
        return x @ self.weight.T + self.bias

    def backward(self, grad_output):
        x = self.cache
        self.grad_weight = grad_output.T @ x
        self.grad_bias = grad_output.sum(0)
        return grad_output @ self.weight


class ColumnAffine:
    """Samples are columns, as in some lectures."""

    def __init__(self, W, b):
        self.W = W
        self.b = b

    def forward(self, A_prev):
        self.A_prev = A_prev
        Z = np.dot(self.W, A_prev) + self.b
        return Z

    def backward(self, dZ):
        self.dW = np.dot(dZ, self.A_prev.T)
        self.db = np.sum(dZ, axis=1, keepdims=True)
        dA_prev = np.dot(self.W.T, dZ)
        return dA_prev


class EinsumAffine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return np.einsum("ni,ij->nj", x, self.W) + self.b

    def backward(self, dout):
        self.dW = np.einsum("ni,nj->ij", self.x, dout)
        self.db = np.einsum("nj->j", dout)
        return np.einsum("nj,ij->ni", dout, self.W)


class LoopAffine:
    """Three loops, from week one."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        N, D = x.shape
        M = self.W.shape[1]
        out = np.zeros((N, M))
        for n in range(N):
            for m in range(M):
                s = self.b[m]
                for d in range(D):
                    s = s + x[n, d] * self.W[d, m]
                out[n, m] = s
        return out

    def backward(self, dout):
        N, D = self.x.shape
        M = self.W.shape[1]
        dx = np.zeros((N, D))
        dW = np.zeros((D, M))
        db = np.zeros(M)
        for n in range(N):
            for m in range(M):
                db[m] += dout[n, m]
                for d in range(D):
                    dx[n, d] += dout[n, m] * self.W[d, m]
                    dW[d, m] += dout[n, m] * self.x[n, d]
        self.dW, self.db = dW, db
        return dx


class TimeAffine:
    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]
        self.x = None

    def forward(self, x):
        N, T, D = x.shape
        W, b = self.params
        rx = x.reshape(N * T, -1)
        out = np.dot(rx, W) + b
        self.x = x
        return out.reshape(N, T, -1)

    def backward(self, dout):
        x = self.x
        N, T, D = x.shape
        W, b = self.params
        dout = dout.reshape(N * T, -1)
        rx = x.reshape(N * T, -1)
        db = np.sum(dout, axis=0)
        dW = np.dot(rx.T, dout)
        dx = np.dot(dout, W.T)
        dx = dx.reshape(*x.shape)
        self.grads[0][...] = dW
        self.grads[1][...] = db
        return dx


class DictAffine:
    def __init__(self, W, b):
        self.params = {"W": W, "b": b}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x.dot(self.params["W"]) + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.x.T.dot(dout)
        self.grads["b"] = np.sum(dout, 0)
        return dout.dot(self.params["W"].T)


class FoldedAffine:
    """The bias is a row of ones' weights."""

    def __init__(self, Wb):
        self.Wb = Wb

    def forward(self, x):
        N = x.shape[0]
        self.xa = np.hstack([x, np.ones((N, 1))])
        return self.xa.dot(self.Wb)

    def backward(self, dout):
        self.dWb = self.xa.T.dot(dout)
        dxa = dout.dot(self.Wb.T)
        return dxa[:, :-1]


class TwoLayer:
    """Affine, ReLU, affine in one class."""

    def __init__(self, W1, b1, W2, b2):
        self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2

    def forward(self, x):
        self.x = x
        self.z1 = x @ self.W1 + self.b1
        self.a1 = np.maximum(self.z1, 0)
        return self.a1 @ self.W2 + self.b2

    def backward(self, dout):
        self.dW2 = self.a1.T @ dout
        self.db2 = dout.sum(axis=0)
        da1 = dout @ self.W2.T
        dz1 = da1 * (self.z1 > 0)
        self.dW1 = self.x.T @ dz1
        self.db1 = dz1.sum(axis=0)
        return dz1 @ self.W1.T


class SigmoidNet:
    def __init__(self, W1, b1, W2, b2):
        self.W1, self.b1, self.W2, self.b2 = W1, b1, W2, b2

    def sigmoid(self, z):
        return 1.0 / (1.0 + np.exp(-z))

    def forward(self, X):
        self.X = X
        self.a1 = self.sigmoid(X.dot(self.W1) + self.b1)
        self.a2 = self.sigmoid(self.a1.dot(self.W2) + self.b2)
        return self.a2

    def backward(self, dout):
        delta2 = dout * self.a2 * (1 - self.a2)
        self.dW2 = self.a1.T.dot(delta2)
        self.db2 = delta2.sum(axis=0)
        delta1 = delta2.dot(self.W2.T) * self.a1 * (1 - self.a1)
        self.dW1 = self.X.T.dot(delta1)
        self.db1 = delta1.sum(axis=0)
        return delta1.dot(self.W1.T)


class RegularisedAffine:
    """Returns the scores and adds the weights' decay to a second output."""

    def __init__(self, W, reg):
        self.W = W
        self.reg = float(reg)

    def forward(self, x):
        self.x = x
        self.scores = x.dot(self.W)
        return np.sum(self.scores ** 2) + 0.5 * self.reg * np.sum(self.W * self.W)

    def backward(self, dout):
        dscores = 2 * self.scores * dout
        self.dW = self.x.T.dot(dscores) + self.reg * self.W * dout
        return dscores.dot(self.W.T)


class Bilinear:
    def __init__(self, A):
        self.A = A

    def forward(self, u, v):
        self.u, self.v = u, v
        return np.sum((u @ self.A) * v, axis=1)

    def backward(self, dout):
        g = dout[:, None]
        du = g * (self.v @ self.A.T)
        dv = g * (self.u @ self.A)
        self.dA = (self.u * g).T @ self.v
        return du, dv


class QuadraticForm:
    def __init__(self, A):
        self.A = A

    def forward(self, x):
        self.x = x
        return x.dot(self.A).dot(x)

    def backward(self, dout):
        self.dA = dout * np.outer(self.x, self.x)
        return dout * (self.A + self.A.T).dot(self.x)


def cases():
    r = np.random.RandomState(0)
    x = r.randn(4, 3)
    yield Affine(r.randn(3, 5), r.randn(5)), x
    yield AffineOfImages(r.randn(12, 5), r.randn(5)), r.randn(4, 3, 2, 2)
    yield LinearNoBias(r.randn(3, 5)), x
    yield TorchLinear(r.randn(5, 3), r.randn(5)), x
    yield ColumnAffine(r.randn(5, 3), r.randn(5, 1)), r.randn(3, 4)
    yield EinsumAffine(r.randn(3, 5), r.randn(5)), x
    yield LoopAffine(r.randn(2, 4), r.randn(4)), r.randn(3, 2)
    yield TimeAffine(r.randn(3, 5), r.randn(5)), r.randn(2, 4, 3)
    yield DictAffine(r.randn(3, 5), r.randn(5)), x
    yield FoldedAffine(r.randn(4, 5)), x
    yield TwoLayer(r.randn(3, 5), r.randn(5), r.randn(5, 2), r.randn(2)), x
    yield SigmoidNet(r.randn(3, 5), r.randn(5), r.randn(5, 2), r.randn(2)), x
    yield RegularisedAffine(r.randn(3, 5), 0.3), x
    yield Bilinear(r.randn(3, 5)), x, r.randn(4, 5)
    yield QuadraticForm(r.randn(4, 4)), r.randn(4)
