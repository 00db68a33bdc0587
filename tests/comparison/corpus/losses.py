"""Losses, as students write them: all of them right."""

import numpy as np


def softmax(x):
    x = x - np.max(x, axis=-1, keepdims=True)
    return np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True)


class SoftmaxWithLoss:
    """Labels or one-hot, from the book's chapter on backpropagation, without its epsilon."""

    def __init__(self, t):
        self.t = t

    def forward(self, x):
        self.y = softmax(x)
        t = self.t.argmax(axis=1)
        batch_size = self.y.shape[0]
        return -np.sum(np.log(self.y[np.arange(batch_size), t])) / batch_size

    def backward(self, dout=1):
        batch_size = self.t.shape[0]
        dx = (self.y - self.t) / batch_size
        return dx * dout


class CrossEntropyLabels:
    def forward(self, scores, y):
        N = scores.shape[0]
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        Z = np.sum(np.exp(shifted), axis=1, keepdims=True)
        log_probs = shifted - np.log(Z)
        self.probs = np.exp(log_probs)
        self.y = y
        return -np.sum(log_probs[np.arange(N), y]) / N

    def backward(self, dout=1.0):
        N = self.probs.shape[0]
        dx = self.probs.copy()
        dx[np.arange(N), self.y] -= 1
        dx /= N
        return dx * dout


class CrossEntropyOneHot:
    def __init__(self, t):
        self.t = t

    def forward(self, x):
        self.y = softmax(x)
        return -np.mean(np.sum(self.t * np.log(self.y), axis=1))

    def backward(self, dout):
        return dout * (self.y - self.t) / len(self.t)


class CrossEntropySum:
    def __init__(self, labels):
        self.labels = labels

    def forward(self, logits):
        self.logits = logits
        self.lse = np.log(np.sum(np.exp(logits), axis=1))
        return np.sum(self.lse - logits[range(len(logits)), self.labels])

    def backward(self, g):
        p = np.exp(self.logits - self.lse[:, None])
        p[range(len(p)), self.labels] -= 1.0
        return g * p


class CrossEntropyOfProbabilities:
    def __init__(self, t):
        self.t = t

    def forward(self, y):
        self.y = y
        return -np.sum(self.t * np.log(y)) / y.shape[0]

    def backward(self, dout):
        return -dout * self.t / self.y / self.y.shape[0]


class SmoothedCrossEntropy:
    def __init__(self, t, smoothing=0.1):
        K = t.shape[1]
        self.soft = t * (1 - smoothing) + smoothing / K

    def forward(self, x):
        self.y = softmax(x)
        return np.mean(-np.sum(self.soft * np.log(self.y), axis=1))

    def backward(self, dout):
        return dout * (self.y - self.soft) / self.y.shape[0]


class WeightedCrossEntropy:
    def __init__(self, labels, weight):
        self.labels = labels
        self.weight = weight.tolist()

    def forward(self, x):
        self.y = softmax(x)
        w = np.array([self.weight[k] for k in self.labels])
        picked = self.y[np.arange(len(x)), self.labels]
        self.w = w
        return -(w * np.log(picked)).sum() / w.sum()

    def backward(self, dout):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.labels] -= 1
        return dout * dx * (self.w / self.w.sum())[:, np.newaxis]


class MaskedTimeSoftmaxLoss:
    def __init__(self, ts, ignore=-1):
        self.ts = ts
        self.ignore = ignore

    def forward(self, xs):
        N, T, V = xs.shape
        self.shape = xs.shape
        ts = self.ts.reshape(N * T)
        self.mask = ts != self.ignore
        self.ys = softmax(xs.reshape(N * T, V))
        ls = np.log(self.ys[np.arange(N * T), ts])
        ls = ls * self.mask
        return -np.sum(ls) / self.mask.sum()

    def backward(self, dout=1):
        N, T, V = self.shape
        dx = self.ys.copy()
        dx[np.arange(N * T), self.ts.reshape(-1)] -= 1
        dx *= dout
        dx /= self.mask.sum()
        dx *= self.mask[:, np.newaxis]
        return dx.reshape((N, T, V))


class MeanSquaredError:
    def forward(self, y, t):
        self.d = y - t
        return np.mean(self.d ** 2)

    def backward(self, dout):
        g = dout * 2 * self.d / self.d.size
        return g, -g


class HalfSquaredError:
    def __init__(self, t):
        self.t = t

    def forward(self, y):
        self.y = y
        return 0.5 * np.sum((y - self.t) ** 2)

    def backward(self, dout=1):
        return (self.y - self.t) * dout


class SquaredErrorPerSample:
    def __init__(self, t):
        self.t = t

    def forward(self, y):
        self.diff = y - self.t
        return (self.diff ** 2).sum(axis=1) / 2

    def backward(self, dout):
        return self.diff * dout[:, None]


class L1Loss:
    def __init__(self, t):
        self.t = t

    def forward(self, y):
        self.s = np.sign(y - self.t)
        return np.abs(y - self.t).mean()

    def backward(self, dout):
        return dout * self.s / self.s.size


class Huber:
    def __init__(self, t, delta=0.8):
        self.t, self.delta = t, delta

    def forward(self, y):
        self.r = y - self.t
        a = np.abs(self.r)
        quad = 0.5 * self.r ** 2
        lin = self.delta * (a - 0.5 * self.delta)
        return np.mean(np.where(a <= self.delta, quad, lin))

    def backward(self, dout):
        g = np.where(np.abs(self.r) <= self.delta, self.r, self.delta * np.sign(self.r))
        return dout * g / g.size


class HingeLoss:
    """The multi-class hinge of a well-known course's first exercise."""

    def __init__(self, y):
        self.y = y

    def forward(self, scores):
        N = scores.shape[0]
        rows = np.arange(N)
        correct = scores[rows, self.y][:, None]
        margins = np.maximum(0, scores - correct + 1.0)
        margins[rows, self.y] = 0
        self.margins = margins
        return np.sum(margins) / N

    def backward(self, dout):
        N = self.margins.shape[0]
        dx = (self.margins > 0).astype(float)
        dx[np.arange(N), self.y] -= dx.sum(axis=1)
        return dout * dx / N


class BinaryHinge:
    def __init__(self, t):
        self.t = t

    def forward(self, y):
        self.m = 1 - self.t * y
        return np.maximum(self.m, 0).sum()

    def backward(self, dout):
        return -dout * self.t * (self.m > 0)


class BinaryCrossEntropy:
    def __init__(self, t):
        self.t = t

    def forward(self, p):
        self.p = p
        return -np.mean(self.t * np.log(p) + (1 - self.t) * np.log(1 - p))

    def backward(self, dout):
        p, t = self.p, self.t
        return dout * (-(t / p) + (1 - t) / (1 - p)) / p.size


class SigmoidCrossEntropy:
    def __init__(self, t):
        self.t = t

    def forward(self, z):
        self.p = 1 / (1 + np.exp(-z))
        loss = -self.t * np.log(self.p) - (1 - self.t) * np.log(1 - self.p)
        return loss.mean()

    def backward(self, dout=1.0):
        return dout * (self.p - self.t) / self.t.shape[0]


class StableLogits:
    def __init__(self, t):
        self.t = t

    def forward(self, z):
        self.z = z
        return np.sum(np.maximum(z, 0) - z * self.t + np.log1p(np.exp(-np.abs(z))))

    def backward(self, dout):
        return dout * (1 / (1 + np.exp(-self.z)) - self.t)


class KlDivergence:
    def __init__(self, p):
        self.p = p

    def forward(self, q):
        self.q = q
        return np.sum(self.p * (np.log(self.p) - np.log(q))) / len(q)

    def backward(self, dout):
        return -dout * self.p / self.q / len(self.q)


class GaussianKl:
    """The regulariser of a variational autoencoder."""

    def forward(self, mu, logvar):
        self.mu, self.logvar = mu, logvar
        return -0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar))

    def backward(self, dout):
        dmu = dout * self.mu
        dlogvar = dout * 0.5 * (np.exp(self.logvar) - 1)
        return dmu, dlogvar


class Poisson:
    def __init__(self, k):
        self.k = k

    def forward(self, lograte):
        self.rate = np.exp(lograte)
        return np.mean(self.rate - self.k * lograte)

    def backward(self, dout):
        return dout * (self.rate - self.k) / self.rate.size


class TripletLoss:
    def __init__(self, margin=0.5):
        self.margin = margin

    def forward(self, a, p, n):
        self.a, self.p, self.n = a, p, n
        dp = ((a - p) ** 2).sum(axis=1)
        dn = ((a - n) ** 2).sum(axis=1)
        self.l = dp - dn + self.margin
        return np.maximum(self.l, 0).mean()

    def backward(self, dout):
        on = (self.l > 0)[:, None] * dout / len(self.l)
        da = 2 * (self.n - self.p) * on
        dp = -2 * (self.a - self.p) * on
        dn = 2 * (self.a - self.n) * on
        return da, dp, dn


def cases():
    r = np.random.RandomState(2)
    x = r.randn(5, 3)
    labels = np.array([2, 0, 1, 1, 2])
    onehot = np.eye(3)[labels].astype(int)
    probabilities = softmax(r.randn(5, 3))
    yield SoftmaxWithLoss(onehot), x
    yield CrossEntropyLabels(), x, labels
    yield CrossEntropyOneHot(np.eye(3, dtype=int)[labels]), x
    yield CrossEntropySum(labels), x
    yield CrossEntropyOfProbabilities(onehot), probabilities
    yield SmoothedCrossEntropy(onehot), x
    yield WeightedCrossEntropy(labels, np.array([1.0, 2.0, 0.5])), x
    yield MaskedTimeSoftmaxLoss(np.array([[0, 2, -1], [1, 1, 0]])), r.randn(2, 3, 4)
    yield MeanSquaredError(), x, r.randn(5, 3)
    yield HalfSquaredError(onehot), x
    yield SquaredErrorPerSample(onehot), x
    yield L1Loss(onehot), x
    yield Huber(onehot), x
    yield HingeLoss(labels), x
    yield BinaryHinge(2 * onehot - 1), x
    yield BinaryCrossEntropy(onehot), 1 / (1 + np.exp(-x))
    yield SigmoidCrossEntropy(np.array([1, 0, 0, 1])), r.randn(4)
    yield StableLogits(onehot), x
    yield KlDivergence(onehot * 0.7 + 0.1), probabilities
    yield GaussianKl(), x, r.randn(5, 3)
    yield Poisson(np.array([[1, 0, 3], [2, 2, 0]])), r.randn(2, 3)
    yield TripletLoss(), r.randn(4, 3), r.randn(4, 3), r.randn(4, 3)
