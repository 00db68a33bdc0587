"""Recurrent layers, embedding and attention, as students write them: all of them right."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class RnnStep:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.cache = None

    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        t = np.dot(h_prev, Wh) + np.dot(x, Wx) + b
        h_next = np.tanh(t)
        self.cache = (x, h_prev, h_next)
        return h_next

    def backward(self, dh_next):
        Wx, Wh, b = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next ** 2)
        db = np.sum(dt, axis=0)
        dWh = np.dot(h_prev.T, dt)
        dh_prev = np.dot(dt, Wh.T)
        dWx = np.dot(x.T, dt)
        dx = np.dot(dt, Wx.T)
        self.grads[0][...] = dWx
        self.grads[1][...] = dWh
        self.grads[2][...] = db
        return dx, dh_prev


class RnnSequence:
    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h0):
        N, T, D = x.shape
        H = h0.shape[1]
        h = np.zeros((N, T, H))
        prev = h0
        for t in range(T):
            prev = np.tanh(x[:, t, :] @ self.Wx + prev @ self.Wh + self.b)
            h[:, t, :] = prev
        self.x, self.h0, self.h = x, h0, h
        return h

    def backward(self, dh):
        N, T, H = dh.shape
        dx = np.zeros_like(self.x)
        dWx = np.zeros_like(self.Wx)
        dWh = np.zeros_like(self.Wh)
        db = np.zeros_like(self.b)
        dprev = np.zeros((N, H))
        for t in reversed(range(T)):
            hprev = self.h[:, t - 1, :] if t > 0 else self.h0
            total = dh[:, t, :] + dprev
            da = total * (1 - self.h[:, t, :] ** 2)
            dx[:, t, :] = da @ self.Wx.T
            dprev = da @ self.Wh.T
            dWx += self.x[:, t, :].T @ da
            dWh += hprev.T @ da
            db += da.sum(axis=0)
        self.dWx, self.dWh, self.db = dWx, dWh, db
        return dx, dprev


class CharRnn:
    """Column vectors, lists of states: the hundred lines that everybody has read."""

    def __init__(self, Wxh, Whh, Why):
        self.Wxh, self.Whh, self.Why = Wxh, Whh, Why

    def forward(self, xs):
        T = len(xs)
        self.xs, self.hs = xs, {-1: np.zeros((self.Whh.shape[0], 1))}
        ys = []
        for t in range(T):
            x = xs[t].reshape(-1, 1)
            self.hs[t] = np.tanh(np.dot(self.Wxh, x) + np.dot(self.Whh, self.hs[t - 1]))
            ys.append(np.dot(self.Why, self.hs[t]).ravel())
        return np.array(ys)

    def backward(self, dys):
        self.dWxh, self.dWhh, self.dWhy = (np.zeros_like(w) for w in (self.Wxh, self.Whh, self.Why))
        dxs = np.zeros_like(self.xs)
        dhnext = np.zeros_like(self.hs[0])
        for t in reversed(range(len(self.xs))):
            dy = dys[t].reshape(-1, 1)
            self.dWhy += np.dot(dy, self.hs[t].T)
            dh = np.dot(self.Why.T, dy) + dhnext
            dhraw = (1 - self.hs[t] * self.hs[t]) * dh
            self.dWxh += np.dot(dhraw, self.xs[t].reshape(1, -1))
            self.dWhh += np.dot(dhraw, self.hs[t - 1].T)
            dhnext = np.dot(self.Whh.T, dhraw)
            dxs[t] = np.dot(self.Wxh.T, dhraw).ravel()
        return dxs


class LastStateRnn:
    def __init__(self, U, W):
        self.U, self.W = U, W

    def forward(self, x):
        self.x = x
        self.states = [np.zeros(self.W.shape[0])]
        for x_t in x:
            self.states.append(np.tanh(x_t @ self.U + self.states[-1] @ self.W))
        return self.states[-1]

    def backward(self, dh):
        self.dU = np.zeros_like(self.U)
        self.dW = np.zeros_like(self.W)
        dx = np.zeros_like(self.x)
        for t in range(len(self.x) - 1, -1, -1):
            dz = dh * (1 - self.states[t + 1] ** 2)
            self.dU += np.outer(self.x[t], dz)
            self.dW += np.outer(self.states[t], dz)
            dx[t] = self.U @ dz
            dh = self.W @ dz
        return dx


class LstmStep:
    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h_prev, c_prev):
        N, H = h_prev.shape
        A = np.dot(x, self.Wx) + np.dot(h_prev, self.Wh) + self.b
        f = sigmoid(A[:, :H])
        g = np.tanh(A[:, H:2 * H])
        i = sigmoid(A[:, 2 * H:3 * H])
        o = sigmoid(A[:, 3 * H:])
        c_next = f * c_prev + g * i
        h_next = o * np.tanh(c_next)
        self.cache = (x, h_prev, c_prev, i, f, g, o, c_next)
        return h_next, c_next

    def backward(self, dh_next, dc_next):
        x, h_prev, c_prev, i, f, g, o, c_next = self.cache
        tanh_c_next = np.tanh(c_next)
        ds = dc_next + (dh_next * o) * (1 - tanh_c_next ** 2)
        dc_prev = ds * f
        di = ds * g
        df = ds * c_prev
        do = dh_next * tanh_c_next
        dg = ds * i
        di = di * i * (1 - i)
        df = df * f * (1 - f)
        do = do * o * (1 - o)
        dg = dg * (1 - g ** 2)
        dA = np.hstack((df, dg, di, do))
        self.dWh = np.dot(h_prev.T, dA)
        self.dWx = np.dot(x.T, dA)
        self.db = dA.sum(axis=0)
        dx = np.dot(dA, self.Wx.T)
        dh_prev = np.dot(dA, self.Wh.T)
        return dx, dh_prev, dc_prev


class LstmSequence:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, X):
        T, D = X.shape
        H = self.b.size // 4
        h, c = np.zeros(H), np.zeros(H)
        self.cache = []
        Hs = np.zeros((T, H))
        for t in range(T):
            z = np.concatenate((X[t], h))
            a = z @ self.W + self.b
            i, f, o = sigmoid(a[:H]), sigmoid(a[H:2 * H]), sigmoid(a[2 * H:3 * H])
            g = np.tanh(a[3 * H:])
            c_old = c
            c = f * c_old + i * g
            tc = np.tanh(c)
            h = o * tc
            self.cache.append((z, i, f, o, g, c_old, tc))
            Hs[t] = h
        return Hs

    def backward(self, dHs):
        T, H = dHs.shape
        D = self.W.shape[0] - H
        self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)
        dX = np.zeros((T, D))
        dh, dc = np.zeros(H), np.zeros(H)
        for t in range(T - 1, -1, -1):
            z, i, f, o, g, c_old, tc = self.cache[t]
            dh = dh + dHs[t]
            do = dh * tc
            dc = dc + dh * o * (1 - tc ** 2)
            di, df, dg = dc * g, dc * c_old, dc * i
            da = np.concatenate((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g ** 2)))
            self.dW += np.outer(z, da)
            self.db += da
            dz = self.W @ da
            dX[t] = dz[:D]
            dh = dz[D:]
            dc = dc * f
        return dX


class GruStep:
    def __init__(self, Wr, Wz, Wn, Ur, Uz, Un):
        self.Wr, self.Wz, self.Wn = Wr, Wz, Wn
        self.Ur, self.Uz, self.Un = Ur, Uz, Un

    def forward(self, x, h):
        self.x, self.h = x, h
        self.r = sigmoid(x @ self.Wr + h @ self.Ur)
        self.z = sigmoid(x @ self.Wz + h @ self.Uz)
        self.rh = self.r * h
        self.n = np.tanh(x @ self.Wn + self.rh @ self.Un)
        return (1 - self.z) * self.n + self.z * h

    def backward(self, dout):
        x, h, r, z, n = self.x, self.h, self.r, self.z, self.n
        dn = dout * (1 - z) * (1 - n ** 2)
        dz = dout * (h - n) * z * (1 - z)
        drh = dn @ self.Un.T
        dr = drh * h * r * (1 - r)
        self.dWn, self.dUn = x.T @ dn, self.rh.T @ dn
        self.dWz, self.dUz = x.T @ dz, h.T @ dz
        self.dWr, self.dUr = x.T @ dr, h.T @ dr
        dx = dn @ self.Wn.T + dz @ self.Wz.T + dr @ self.Wr.T
        dh = dout * z + drh * r + dz @ self.Uz.T + dr @ self.Ur.T
        return dx, dh


class GruSequence:
    def __init__(self, W, U):
        self.W, self.U = W, U

    def forward(self, xs):
        H = self.U.shape[0]
        h = np.zeros(H)
        self.steps, hs = [], []
        for x in xs:
            a = x @ self.W
            u = h @ self.U
            z = sigmoid(a[:H] + u[:H])
            n = np.tanh(a[H:] + u[H:])
            self.steps.append((x, h, z, n))
            h = z * h + (1 - z) * n
            hs.append(h)
        return np.stack(hs)

    def backward(self, dhs):
        H = self.U.shape[0]
        self.dW, self.dU = np.zeros_like(self.W), np.zeros_like(self.U)
        dxs = []
        carry = np.zeros(H)
        for g, (x, h, z, n) in zip(dhs[::-1], self.steps[::-1]):
            g = g + carry
            dz = g * (h - n) * z * (1 - z)
            dn = g * (1 - z) * (1 - n ** 2)
            da = np.concatenate([dz, dn])
            self.dW += np.outer(x, da)
            self.dU += np.outer(h, da)
            dxs.insert(0, self.W @ da)
            carry = g * z + self.U @ da
        return np.array(dxs)


class BidirectionalSum:
    def __init__(self, Wf, Wb):
        self.Wf, self.Wb = Wf, Wb

    def forward(self, x):
        self.x = x
        T = len(x)
        f = np.zeros((T, self.Wf.shape[1]))
        b = np.zeros_like(f)
        for t in range(T):
            f[t] = x[t] @ self.Wf + (0.5 * f[t - 1] if t else 0)
        for t in range(T - 1, -1, -1):
            b[t] = x[t] @ self.Wb + (0.5 * b[t + 1] if t < T - 1 else 0)
        return f + b

    def backward(self, dout):
        T = len(dout)
        df, db = dout.copy(), dout.copy()
        for t in range(T - 2, -1, -1):
            df[t] += 0.5 * df[t + 1]
        for t in range(1, T):
            db[t] += 0.5 * db[t - 1]
        self.dWf = self.x.T @ df
        self.dWb = self.x.T @ db
        return df @ self.Wf.T + db @ self.Wb.T


class Embedding:
    def __init__(self, W, idx):
        self.params = [W]
        self.grads = [np.zeros_like(W)]
        self.idx = [int(i) for i in idx]

    def forward(self, scale):
        W, = self.params
        self.scale = scale
        return W[self.idx] * scale

    def backward(self, dout):
        dW, = self.grads
        dW[...] = 0
        np.add.at(dW, self.idx, dout * self.scale)
        return np.sum(dout * self.params[0][self.idx], axis=0)


class EmbeddingOfIds:
    def __init__(self, W):
        self.W = W

    def forward(self, ids):
        self.ids = ids
        return self.W[ids]

    def backward(self, dout):
        self.dW = np.zeros_like(self.W)
        for i, word in enumerate(self.ids):
            self.dW[word] += dout[i]
        return None


class BagOfWords:
    def __init__(self, W, ids):
        self.W = W
        self.ids = [list(map(int, row)) for row in ids]

    def forward(self, bias):
        self.n = len(self.ids[0])
        return np.array([sum(self.W[i] for i in row) / self.n for row in self.ids]) + bias

    def backward(self, dout):
        self.dW = np.zeros(self.W.shape)
        for row, g in zip(self.ids, dout):
            for i in row:
                self.dW[i] += g / self.n
        return dout.sum(axis=0)


class EmbeddingDot:
    def __init__(self, W, idx):
        self.W = W
        self.idx = tuple(int(i) for i in idx)

    def forward(self, h):
        self.h = h
        self.target = self.W[list(self.idx)]
        return np.sum(self.target * h, axis=1)

    def backward(self, dout):
        dout = dout.reshape(dout.shape[0], 1)
        dtarget = dout * self.h
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, list(self.idx), dtarget)
        return dout * self.target


class Attention:
    def forward(self, q, k, v):
        self.q, self.k, self.v = q, k, v
        self.scale = 1 / np.sqrt(q.shape[-1])
        self.a = softmax(q @ k.T * self.scale)
        return self.a @ v

    def backward(self, dout):
        dv = self.a.T @ dout
        da = dout @ self.v.T
        ds = self.a * (da - (da * self.a).sum(axis=-1, keepdims=True))
        ds = ds * self.scale
        dq = ds @ self.k
        dk = ds.T @ self.q
        return dq, dk, dv


class CausalSelfAttention:
    def __init__(self, Wq, Wk, Wv):
        self.Wq, self.Wk, self.Wv = Wq, Wk, Wv

    def forward(self, x):
        self.x = x
        T, D = x.shape
        self.q, self.k, self.v = x @ self.Wq, x @ self.Wk, x @ self.Wv
        s = self.q @ self.k.T / np.sqrt(D)
        s[np.triu_indices(T, 1)] = -1e9
        self.a = softmax(s)
        return self.a @ self.v

    def backward(self, dout):
        T, D = self.x.shape
        dv = self.a.T @ dout
        da = dout @ self.v.T
        ds = self.a * (da - np.sum(da * self.a, axis=1, keepdims=True)) / np.sqrt(D)
        dq, dk = ds @ self.k, ds.T @ self.q
        self.dWq, self.dWk, self.dWv = self.x.T @ dq, self.x.T @ dk, self.x.T @ dv
        return dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T


class MultiHeadAttention:
    def __init__(self, Wqkv, Wo, heads=2):
        self.Wqkv, self.Wo, self.heads = Wqkv, Wo, heads

    def split(self, t):
        T, D = t.shape
        return t.reshape(T, self.heads, -1).transpose(1, 0, 2)

    def merge(self, t):
        return t.transpose(1, 0, 2).reshape(t.shape[1], -1)

    def forward(self, x):
        self.x = x
        qkv = x @ self.Wqkv
        self.q, self.k, self.v = (self.split(p) for p in np.split(qkv, 3, axis=1))
        d = self.q.shape[-1]
        self.a = softmax(self.q @ self.k.transpose(0, 2, 1) / np.sqrt(d))
        self.y = self.merge(self.a @ self.v)
        return self.y @ self.Wo

    def backward(self, dout):
        d = self.q.shape[-1]
        self.dWo = self.y.T @ dout
        dy = self.split(dout @ self.Wo.T)
        dv = self.a.transpose(0, 2, 1) @ dy
        da = dy @ self.v.transpose(0, 2, 1)
        ds = self.a * (da - (da * self.a).sum(-1, keepdims=True)) / np.sqrt(d)
        dq = ds @ self.k
        dk = ds.transpose(0, 2, 1) @ self.q
        dqkv = np.concatenate([self.merge(p) for p in (dq, dk, dv)], axis=1)
        self.dWqkv = self.x.T @ dqkv
        return dqkv @ self.Wqkv.T


class AttentionWeight:
    """The book's decoder: one state asks all encoder states."""

    def forward(self, hs, h):
        N, T, H = hs.shape
        self.hs = hs
        self.hr = h.reshape(N, 1, H).repeat(T, axis=1)
        t = hs * self.hr
        s = np.sum(t, axis=2)
        self.a = softmax(s)
        return self.a

    def backward(self, da):
        N, T, H = self.hs.shape
        dx = self.a * da
        ds = dx - self.a * np.sum(dx, axis=1, keepdims=True)
        dt = ds.reshape(N, T, 1).repeat(H, axis=2)
        dhs = dt * self.hr
        dhr = dt * self.hs
        dh = np.sum(dhr, axis=1)
        return dhs, dh


class WeightSum:
    def forward(self, hs, a):
        N, T, H = hs.shape
        self.hs = hs
        self.ar = a.reshape(N, T, 1).repeat(H, axis=2)
        return np.sum(hs * self.ar, axis=1)

    def backward(self, dc):
        N, T, H = self.hs.shape
        dt = dc.reshape(N, 1, H).repeat(T, axis=1)
        dar = dt * self.hs
        dhs = dt * self.ar
        da = np.sum(dar, axis=2)
        return dhs, da


class AdditiveAttention:
    def __init__(self, Wk, Wq, v):
        self.Wk, self.Wq, self.v = Wk, Wq, v

    def forward(self, keys, query):
        self.keys, self.query = keys, query
        self.u = np.tanh(keys @ self.Wk + query @ self.Wq)
        self.a = softmax(self.u @ self.v)
        return self.a @ keys

    def backward(self, dc):
        da = self.keys @ dc
        ds = self.a * (da - self.a @ da)
        self.dv = self.u.T @ ds
        du = np.outer(ds, self.v) * (1 - self.u ** 2)
        self.dWk = self.keys.T @ du
        self.dWq = np.outer(self.query, du.sum(axis=0))
        dkeys = np.outer(self.a, dc) + du @ self.Wk.T
        dquery = self.Wq @ du.sum(axis=0)
        return dkeys, dquery


def cases():
    r = np.random.RandomState(5)
    yield RnnStep(r.randn(3, 4), r.randn(4, 4), r.randn(4)), r.randn(2, 3), r.randn(2, 4)
    yield RnnSequence(r.randn(2, 3), r.randn(3, 3), r.randn(3)), r.randn(2, 3, 2), r.randn(2, 3)
    yield CharRnn(r.randn(3, 2), r.randn(3, 3), r.randn(2, 3)), r.randn(3, 2)
    yield LastStateRnn(r.randn(2, 3), r.randn(3, 3)), r.randn(3, 2)
    lstm = LstmStep(r.randn(2, 12), r.randn(3, 12), r.randn(12))
    yield lstm, r.randn(2, 2), r.randn(2, 3), r.randn(2, 3)
    yield LstmSequence(r.randn(4, 8), r.randn(8)), r.randn(3, 2)
    weights = [r.randn(2, 3) for _ in range(3)] + [r.randn(3, 3) for _ in range(3)]
    yield GruStep(*weights), r.randn(2, 2), r.randn(2, 3)
    yield GruSequence(r.randn(2, 6), r.randn(3, 6)), r.randn(3, 2)
    yield BidirectionalSum(r.randn(2, 3), r.randn(2, 3)), r.randn(4, 2)
    yield Embedding(r.randn(5, 3), [0, 3, 3, 1]), r.randn(3)
    yield EmbeddingOfIds(r.randn(5, 3)), np.array([2, 0, 2])
    yield BagOfWords(r.randn(5, 3), [[0, 1], [1, 1], [4, 2]]), r.randn(3)
    yield EmbeddingDot(r.randn(5, 3), [0, 3, 3]), r.randn(3, 3)
    yield Attention(), r.randn(3, 4), r.randn(5, 4), r.randn(5, 2)
    yield CausalSelfAttention(r.randn(3, 3), r.randn(3, 3), r.randn(3, 3)), r.randn(4, 3)
    yield MultiHeadAttention(r.randn(4, 12), r.randn(4, 4)), r.randn(3, 4)
    yield AttentionWeight(), r.randn(2, 3, 4), r.randn(2, 4)
    yield WeightSum(), r.randn(2, 3, 4), r.randn(2, 3)
    yield AdditiveAttention(r.randn(3, 4), r.randn(2, 4), r.randn(4)), r.randn(5, 3), r.randn(2)
