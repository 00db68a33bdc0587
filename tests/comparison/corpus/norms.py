"""Normalisation and dropout, as students write them: all of them right."""

import numpy as np


class BatchNorm:
    """The long way round, one step of the graph after the other."""

    def __init__(self, gamma, beta, eps=1e-5):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def forward(self, x):
        N, D = x.shape
        mu = 1. / N * np.sum(x, axis=0)
        self.xmu = x - mu
        sq = self.xmu ** 2
        self.var = 1. / N * np.sum(sq, axis=0)
        self.sqrtvar = np.sqrt(self.var + self.eps)
        self.ivar = 1. / self.sqrtvar
        self.xhat = self.xmu * self.ivar
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        N, D = dout.shape
        self.dbeta = np.sum(dout, axis=0)
        self.dgamma = np.sum(dout * self.xhat, axis=0)
        dxhat = dout * self.gamma
        divar = np.sum(dxhat * self.xmu, axis=0)
        dxmu1 = dxhat * self.ivar
        dsqrtvar = -1. / (self.sqrtvar ** 2) * divar
        dvar = 0.5 * 1. / np.sqrt(self.var + self.eps) * dsqrtvar
        dsq = 1. / N * np.ones((N, D)) * dvar
        dxmu2 = 2 * self.xmu * dsq
        dx1 = dxmu1 + dxmu2
        dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
        dx2 = 1. / N * np.ones((N, D)) * dmu
        return dx1 + dx2


class BatchNormShort:
    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta
        self.eps = 1e-3

    def forward(self, x):
        mean = x.mean(axis=0)
        var = x.var(axis=0)
        self.inv = 1 / np.sqrt(var + self.eps)
        self.xn = (x - mean) * self.inv
        return self.gamma * self.xn + self.beta

    def backward(self, dout):
        m = dout.shape[0]
        self.dbeta = dout.sum(axis=0)
        self.dgamma = (dout * self.xn).sum(axis=0)
        g = dout * self.gamma
        return self.inv / m * (m * g - g.sum(axis=0) - self.xn * (g * self.xn).sum(axis=0))


class BookBatchNorm:
    """With running statistics, and images laid out as rows."""

    def __init__(self, gamma, beta, momentum=0.9):
        self.gamma, self.beta, self.momentum = gamma, beta, momentum
        self.running_mean = None
        self.running_var = None

    def forward(self, x, train_flg=True):
        self.input_shape = x.shape
        if x.ndim != 2:
            N, C, H, W = x.shape
            x = x.reshape(N, -1)
        out = self.__forward(x, train_flg)
        return out.reshape(*self.input_shape)

    def __forward(self, x, train_flg):
        if self.running_mean is None:
            N, D = x.shape
            self.running_mean = np.zeros(D)
            self.running_var = np.zeros(D)
        if train_flg:
            mu = x.mean(axis=0)
            xc = x - mu
            var = np.mean(xc ** 2, axis=0)
            std = np.sqrt(var + 10e-7)
            xn = xc / std
            self.batch_size = x.shape[0]
            self.xc, self.xn, self.std = xc, xn, std
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mu
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        else:
            xc = x - self.running_mean
            xn = xc / np.sqrt(self.running_var + 10e-7)
        return self.gamma * xn + self.beta

    def backward(self, dout):
        if dout.ndim != 2:
            dout = dout.reshape(dout.shape[0], -1)
        dx = self.__backward(dout)
        return dx.reshape(*self.input_shape)

    def __backward(self, dout):
        dbeta = dout.sum(axis=0)
        dgamma = np.sum(self.xn * dout, axis=0)
        dxn = self.gamma * dout
        dxc = dxn / self.std
        dstd = -np.sum((dxn * self.xc) / (self.std * self.std), axis=0)
        dvar = 0.5 * dstd / self.std
        dxc += (2.0 / self.batch_size) * self.xc * dvar
        dmu = np.sum(dxc, axis=0)
        dx = dxc - dmu / self.batch_size
        self.dgamma, self.dbeta = dgamma, dbeta
        return dx


class SpatialBatchNorm:
    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        mu = x.mean(axis=(0, 2, 3), keepdims=True)
        var = x.var(axis=(0, 2, 3), keepdims=True)
        self.std = np.sqrt(var + 1e-5)
        self.xhat = (x - mu) / self.std
        return self.gamma[None, :, None, None] * self.xhat + self.beta[None, :, None, None]

    def backward(self, dout):
        N, C, H, W = dout.shape
        self.dbeta = np.sum(dout, axis=(0, 2, 3))
        self.dgamma = np.sum(dout * self.xhat, axis=(0, 2, 3))
        dxhat = dout * self.gamma.reshape(1, C, 1, 1)
        m = N * H * W
        s1 = dxhat.sum(axis=(0, 2, 3), keepdims=True)
        s2 = (dxhat * self.xhat).sum(axis=(0, 2, 3), keepdims=True)
        return (dxhat - s1 / m - self.xhat * s2 / m) / self.std


class UnbiasedBatchNorm:
    def __init__(self, gamma):
        self.gamma = gamma

    def forward(self, x):
        self.n = len(x)
        self.xc = x - x.mean(0)
        self.std = x.std(0, ddof=1)
        return self.gamma * self.xc / self.std

    def backward(self, dout):
        n = self.n
        xn = self.xc / self.std
        self.dgamma = (dout * xn).sum(0)
        g = dout * self.gamma
        dxc = g / self.std - xn * (g * xn).sum(0) / (n - 1) / self.std
        return dxc - dxc.mean(0)


class LayerNorm:
    def __init__(self, gamma, beta, eps=1e-5):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def forward(self, x):
        mean = np.mean(x, axis=-1, keepdims=True)
        var = np.var(x, axis=-1, keepdims=True)
        self.istd = 1.0 / np.sqrt(var + self.eps)
        self.xhat = (x - mean) * self.istd
        return self.xhat * self.gamma + self.beta

    def backward(self, dout):
        D = dout.shape[-1]
        self.dgamma = np.sum(dout * self.xhat, axis=0)
        self.dbeta = np.sum(dout, axis=0)
        dxhat = dout * self.gamma
        dx = D * dxhat
        dx -= dxhat.sum(axis=-1, keepdims=True)
        dx -= self.xhat * (dxhat * self.xhat).sum(axis=-1, keepdims=True)
        return dx * self.istd / D


class LayerNormTransposed:
    """Batch normalisation of the transpose, as the exercise hints."""

    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        xt = x.T
        mu = xt.mean(axis=0)
        self.xc = xt - mu
        self.std = np.sqrt((self.xc ** 2).mean(axis=0) + 1e-5)
        self.xn = self.xc / self.std
        return self.xn.T * self.gamma + self.beta

    def backward(self, dout):
        self.dgamma = (dout * self.xn.T).sum(axis=0)
        self.dbeta = dout.sum(axis=0)
        g = (dout * self.gamma).T
        D = g.shape[0]
        dstd = -(g * self.xc).sum(axis=0) / self.std ** 2
        dxc = g / self.std + self.xc * dstd / (D * self.std)
        dxt = dxc - dxc.sum(axis=0) / D
        return dxt.T


class SequenceLayerNorm:
    def __init__(self, g, b):
        self.g, self.b = g, b

    def forward(self, x):
        u = x.mean(-1, keepdims=True)
        s = ((x - u) ** 2).mean(-1, keepdims=True)
        self.r = (s + 1e-12) ** -0.5
        self.n = (x - u) * self.r
        return self.g * self.n + self.b

    def backward(self, dy):
        self.dg = (dy * self.n).sum((0, 1))
        self.db = dy.sum((0, 1))
        dn = dy * self.g
        return self.r * (dn - dn.mean(-1, keepdims=True) - self.n * (dn * self.n).mean(-1, keepdims=True))


class GroupNorm:
    def __init__(self, gamma, beta, G=2):
        self.gamma, self.beta, self.G = gamma, beta, G

    def forward(self, x):
        N, C, H, W = x.shape
        xg = x.reshape(N, self.G, -1)
        mean = xg.mean(axis=2, keepdims=True)
        var = xg.var(axis=2, keepdims=True)
        self.std = np.sqrt(var + 1e-5)
        self.xhat = (xg - mean) / self.std
        self.shape = x.shape
        return self.xhat.reshape(x.shape) * self.gamma + self.beta

    def backward(self, dout):
        N, C, H, W = self.shape
        xhat = self.xhat.reshape(self.shape)
        self.dgamma = (dout * xhat).sum(axis=(0, 2, 3), keepdims=True)
        self.dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
        g = (dout * self.gamma).reshape(N, self.G, -1)
        M = g.shape[2]
        dx = g - g.sum(axis=2, keepdims=True) / M
        dx = dx - self.xhat * (g * self.xhat).sum(axis=2, keepdims=True) / M
        return (dx / self.std).reshape(self.shape)


class InstanceNorm:
    def forward(self, x):
        N, C, H, W = x.shape
        out = np.zeros_like(x)
        self.stats = {}
        for n in range(N):
            for c in range(C):
                plane = x[n, c]
                mu, sd = plane.mean(), np.sqrt(plane.var() + 1e-5)
                out[n, c] = (plane - mu) / sd
                self.stats[n, c] = sd
        self.out = out
        return out

    def backward(self, dout):
        dx = np.zeros_like(dout)
        for (n, c), sd in self.stats.items():
            g, y = dout[n, c], self.out[n, c]
            dx[n, c] = (g - g.mean() - y * (g * y).mean()) / sd
        return dx


class RmsNorm:
    def __init__(self, w):
        self.w = w

    def forward(self, x):
        self.x = x
        self.rms = np.sqrt(np.mean(x * x, axis=1, keepdims=True) + 1e-6)
        return x / self.rms * self.w

    def backward(self, dout):
        D = self.x.shape[1]
        n = self.x / self.rms
        self.dw = np.sum(dout * n, axis=0)
        g = dout * self.w
        return (g - n * np.sum(g * n, axis=1, keepdims=True) / D) / self.rms


class Standardise:
    def forward(self, x):
        self.mu = x.mean()
        self.sd = x.std()
        self.z = (x - self.mu) / self.sd
        return self.z

    def backward(self, dout):
        return (dout - dout.mean() - self.z * (dout * self.z).mean()) / self.sd


class Centre:
    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, dout):
        return dout - dout.mean(axis=0)


class L2Normalise:
    def forward(self, x):
        self.x = x
        self.norm = np.sqrt(np.sum(x ** 2, axis=1, keepdims=True))
        return x / self.norm

    def backward(self, dout):
        y = self.x / self.norm
        return (dout - y * np.sum(dout * y, axis=1, keepdims=True)) / self.norm


class L1Normalise:
    def forward(self, x):
        self.s = np.sum(np.abs(x), axis=1, keepdims=True)
        self.sign = np.sign(x)
        self.y = x / self.s
        return self.y

    def backward(self, dout):
        inner = (dout * self.y).sum(axis=1, keepdims=True)
        return (dout - self.sign * inner) / self.s


class MinMaxScale:
    def forward(self, x):
        self.imin, self.imax = x.argmin(axis=0), x.argmax(axis=0)
        self.lo = x.min(axis=0)
        self.span = x.max(axis=0) - self.lo
        self.y = (x - self.lo) / self.span
        return self.y

    def backward(self, dout):
        dx = dout / self.span
        cols = np.arange(dout.shape[1])
        dspan = -(dout * self.y).sum(axis=0) / self.span
        dlo = -(dout / self.span).sum(axis=0)
        dx[self.imax, cols] += dspan
        dx[self.imin, cols] += dlo - dspan
        return dx


class Dropout:
    """Inverted dropout whose mask is drawn in forward, from a seed."""

    def __init__(self, p=0.4, seed=3):
        self.p = p
        self.seed = seed

    def forward(self, x):
        np.random.seed(self.seed)
        self.mask = (np.random.rand(*x.shape) > self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class DropoutInPlace:
    def __init__(self, ratio=0.5):
        self.dropout_ratio = ratio

    def forward(self, x):
        rng = np.random.RandomState(7)
        self.drop = rng.uniform(size=x.shape) < self.dropout_ratio
        out = x.copy()
        out[self.drop] = 0
        out /= 1 - self.dropout_ratio
        return out

    def backward(self, dout):
        dx = dout / (1 - self.dropout_ratio)
        dx[self.drop] = 0
        return dx


class BookDropout:
    def __init__(self, dropout_ratio=0.5):
        self.dropout_ratio = dropout_ratio
        self.mask = None

    def forward(self, x, train_flg=True):
        if train_flg:
            np.random.seed(0)
            self.mask = np.random.rand(*x.shape) > self.dropout_ratio
            return x * self.mask
        return x * (1.0 - self.dropout_ratio)

    def backward(self, dout):
        return dout * self.mask


def cases():
    r = np.random.RandomState(3)
    x = 2 * r.randn(5, 4) + 0.5
    image = r.randn(2, 4, 2, 3)
    yield BatchNorm(r.randn(4), r.randn(4)), x
    yield BatchNormShort(r.randn(4), r.randn(4)), x
    yield BookBatchNorm(r.randn(12), r.randn(12)), r.randn(4, 3, 2, 2)
    yield SpatialBatchNorm(r.randn(4), r.randn(4)), image
    yield UnbiasedBatchNorm(r.randn(4)), x
    yield LayerNorm(r.randn(4), r.randn(4)), x
    yield LayerNormTransposed(r.randn(4), r.randn(4)), x
    yield SequenceLayerNorm(r.randn(4), r.randn(4)), r.randn(2, 3, 4)
    yield GroupNorm(r.randn(1, 4, 1, 1), r.randn(1, 4, 1, 1)), image
    yield InstanceNorm(), r.randn(2, 2, 3, 2)
    yield RmsNorm(r.randn(4)), x
    yield Standardise(), x
    yield Centre(), x
    yield L2Normalise(), x
    yield L1Normalise(), x
    yield MinMaxScale(), x
    yield Dropout(), x
    yield DropoutInPlace(), x
    yield BookDropout(), x
