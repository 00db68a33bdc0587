"""Layers as classes, in the many ways people leave their gradients: material for the adapters."""

import numpy as np

R = np.random.default_rng(7)
X = R.normal(size=(4, 3))
W, B = R.normal(size=(3, 2)), R.normal(size=2)


class ListsOfParams:
    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return np.dot(x, W) + b

    def backward(self, dout):
        W, _ = self.params
        self.grads[0][...] = np.dot(self.x.T, dout)
        self.grads[1][...] = dout.sum(axis=0)
        return np.dot(dout, W.T)


class DictsOfParams:
    def __init__(self, W, b):
        self.params, self.grads = {"W": W, "b": b}, {}

    def forward(self, x):
        self.cache = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["dW"] = self.cache.T @ dout
        self.grads["db"] = dout.sum(0)
        return dout @ self.params["W"].T


class CalledInsteadOfForward:
    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        self.x = x
        return np.tanh(x * self.w)

    def backward(self, grad):
        local = grad * (1 - np.tanh(self.x * self.w) ** 2)
        self.grad_w = (local * self.x).sum(axis=0)
        return local * self.w


class GradientsInAttributes:
    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta
        self.dx = self.dgamma = self.dbeta = None

    def forward(self, x):
        self.x = x
        return self.gamma * x + self.beta

    def backward(self, dout):
        self.dx = dout * self.gamma
        self.dgamma, self.dbeta = (dout * self.x).sum(0), dout.sum(0)


class BatchNormalization:
    def __init__(self, gamma, beta, momentum=0.9, running_mean=None, running_var=None):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean, self.running_var = running_mean, running_var

    def forward(self, x, train_flg=True):
        if self.running_mean is None:
            self.running_mean, self.running_var = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        if train_flg:
            mu = x.mean(axis=0)
            xc = x - mu
            var = np.mean(xc**2, axis=0)
            std = np.sqrt(var + 10e-7)
            xn = xc / std
            self.batch_size = x.shape[0]
            self.xc, self.xn, self.std = xc, xn, std
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mu
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        else:
            self.std = np.sqrt(self.running_var + 10e-7)
            xn = self.xn = (x - self.running_mean) / self.std
            self.batch_size = None
        return self.gamma * xn + self.beta

    def backward(self, dout):
        self.dbeta = dout.sum(axis=0)
        self.dgamma = np.sum(self.xn * dout, axis=0)
        dxn = self.gamma * dout
        if self.batch_size is None:
            return dxn / self.std
        dxc = dxn / self.std
        dstd = -np.sum((dxn * self.xc) / (self.std * self.std), axis=0)
        dvar = 0.5 * dstd / self.std
        dxc += (2.0 / self.batch_size) * self.xc * dvar
        return dxc - np.sum(dxc, axis=0) / self.batch_size


class Dropout:
    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio, self.mask = dropout_ratio, None

    def forward(self, x, train_flg=True):
        if train_flg:
            self.mask = np.random.rand(*x.shape) > self.dropout_ratio
            return x * self.mask
        return x * (1.0 - self.dropout_ratio)

    def backward(self, dout):
        return dout * self.mask


class DropoutWithItsOwnGenerator:
    def __init__(self, keep=0.7):
        self.keep, self.rng = keep, np.random.default_rng(3)

    def forward(self, x):
        self.mask = self.rng.uniform(size=x.shape) < self.keep
        return np.where(self.mask, x / self.keep, 0.0)

    def backward(self, dout):
        return dout * self.mask / self.keep


class ReluInPlace:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class MulLayer:
    def __init__(self):
        self.x = self.y = None

    def forward(self, x, y):
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        return dout * self.y, dout * self.x


class MeanSquaredLoss:
    def forward(self, y, t):
        self.d = y - t
        return 0.5 * np.sum(self.d**2) / y.shape[0]

    def backward(self, dout=1):
        return dout * self.d / self.d.shape[0]


class LossWithoutUpstream:
    def __call__(self, y, t):
        self.y, self.t = y, t
        return -np.mean(t * np.log(y) + (1 - t) * np.log(1 - y))

    def backward(self):
        return (self.y - self.t) / (self.y * (1 - self.y)) / self.y.size


class SoftmaxIgnoringUpstream:
    """Right as the last step: the classic one, which takes no notice of its dout."""

    def forward(self, x, t):
        self.t = t
        x = x - np.max(x, axis=1, keepdims=True)
        self.y = np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)
        return -np.sum(np.log(self.y[np.arange(len(t)), t])) / len(t)

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx / len(self.t)


class Parameter:
    def __init__(self, value):
        self.value, self.grad = value, np.zeros_like(value)


class ParameterObjects:
    def __init__(self, W, b):
        self.W, self.B = Parameter(W), Parameter(b)

    def params(self):
        return {"W": self.W, "B": self.B}

    def forward(self, x):
        self.x = x
        return x @ self.W.value + self.B.value

    def backward(self, d_out):
        self.W.grad += self.x.T @ d_out
        self.B.grad += d_out.sum(axis=0)
        return d_out @ self.W.value.T


class NestedLayers:
    def __init__(self, W, b):
        self.inner, self.layers = ListsOfParams(W, b), [CalledInsteadOfForward(b.copy())]

    def forward(self, x):
        return self.layers[0](self.inner.forward(x))

    def backward(self, dout):
        return self.inner.backward(self.layers[0].backward(dout))


class ReturnsAll:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        return dout @ self.W.T, self.x.T @ dout, dout.sum(axis=0)


class CacheHandedBack:
    def __init__(self, W):
        self.W = W

    def forward(self, x):
        out = x @ self.W
        return out, (x, out)

    def backward(self, dout, cache):
        x, _ = cache
        return dout @ self.W.T, {"W": x.T @ dout}


class Embedding:
    def __init__(self, W):
        self.params, self.grads, self.idx = [W], [np.zeros_like(W)], None

    def forward(self, idx):
        (W,) = self.params
        self.idx = idx
        return W[idx]

    def backward(self, dout):
        (dW,) = self.grads
        dW[...] = 0
        np.add.at(dW, self.idx, dout)


class Base:
    def __init__(self):
        self.grads = {}


class Inherited(Base):
    def __init__(self, W):
        super().__init__()
        self.W = W

    def forward(self, x):
        self.x = x
        return np.maximum(x @ self.W, 0)

    def backward(self, dout):
        dz = dout * (self.x @ self.W > 0)
        self.grads["W"] = self.x.T @ dz
        return dz @ self.W.T


class FilledInLoops:
    def __init__(self, w, stride=1):
        self.w, self.stride = w, stride

    def forward(self, x):
        self.x = x
        n, k = x.shape[0], len(self.w)
        out = np.zeros((n, (x.shape[1] - k) // self.stride + 1))
        for i in range(n):
            for j in range(out.shape[1]):
                out[i, j] = np.sum(x[i, j * self.stride : j * self.stride + k] * self.w)
        return out

    def backward(self, dout):
        dx, self.dw = np.zeros_like(self.x), np.zeros_like(self.w)
        for i in range(dout.shape[0]):
            for j in range(dout.shape[1]):
                part = slice(j * self.stride, j * self.stride + len(self.w))
                dx[i, part] += dout[i, j] * self.w
                self.dw += dout[i, j] * self.x[i, part]
        return dx


P = 1 / (1 + np.exp(-X))
T = (X > 0.2).astype(float)
G, H = R.normal(size=3), R.normal(size=3)
STATS = {"running_mean": R.normal(size=3), "running_var": R.uniform(1, 2, 3)}

AFFINE = {"forward", "dx", "dW", "db"}
CASES = {
    "lists of params": (ListsOfParams(W, B), [X], {"forward", "dx", "dparams[0]", "dparams[1]"}),
    "dicts of params": (DictsOfParams(W, B), [X], {"forward", "dx", "params.dW", "params.db"}),
    "called": (CalledInsteadOfForward(G), [X], {"forward", "dx", "dw"}),
    "attributes": (GradientsInAttributes(G, H), [X], {"forward", "dx", "dgamma", "dbeta"}),
    "batch norm": (BatchNormalization(G, H), [X], {"forward", "dx", "dgamma", "dbeta"}),
    "batch norm with a flag": (
        BatchNormalization(G, H), [X, True], {"forward", "dx", "dgamma", "dbeta"}
    ),
    "batch norm at test time": (
        BatchNormalization(G, H, **STATS), [X, False], {"forward", "dx", "dgamma", "dbeta"}
    ),
    "dropout": (Dropout(), [X], {"forward", "dx"}),
    "dropout, the class": (Dropout, [X], {"forward", "dx"}),
    "dropout with a generator": (DropoutWithItsOwnGenerator(), [X], {"forward", "dx"}),
    "relu in place": (ReluInPlace(), [X], {"forward", "dx"}),
    "products of numbers": (MulLayer(), [100, 2.5], {"forward", "dx", "dy"}),
    "mean squared loss": (MeanSquaredLoss(), [X, T], {"forward", "dy"}),
    "loss without upstream": (LossWithoutUpstream(), [P, T], {"forward", "dy"}),
    "softmax loss": (SoftmaxIgnoringUpstream, [X, np.array([0, 2, 1, 1])], {"forward", "dx"}),
    "parameter objects": (ParameterObjects(W, B), [X], {"forward", "dx", "dW", "dB"}),
    "nested layers": (
        NestedLayers(W, B), [X],
        {"forward", "dx", "inner.dparams[0]", "inner.dparams[1]", "layers.0.dw"},
    ),
    "everything returned": (ReturnsAll(W, B), [X], AFFINE),
    "a cache handed back": (CacheHandedBack(W), [X], {"forward", "dx", "dW"}),
    "embedding": (Embedding(W), [np.array([[0, 2], [1, 0]])], {"forward", "dparams[0]"}),
    "inherited": (Inherited(W), [X], {"forward", "dx", "dW"}),
    "loops": (FilledInLoops(R.normal(size=2)), [X], {"forward", "dx", "dw"}),
    "list of layers": (
        [ListsOfParams(W, B + 2), ReluInPlace, MeanSquaredLoss()], [X, np.ones((4, 2))],
        {"forward", "dx", "0.dparams[0]", "0.dparams[1]"},
    ),
}  # fmt: skip
"""Name → layer, inputs, the rows that its report has."""
