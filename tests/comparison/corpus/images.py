"""Convolution and pooling, as students write them: all of them right."""

import numpy as np


def im2col(input_data, filter_h, filter_w, stride=1, pad=0):
    N, C, H, W = input_data.shape
    out_h = (H + 2 * pad - filter_h) // stride + 1
    out_w = (W + 2 * pad - filter_w) // stride + 1
    img = np.pad(input_data, [(0, 0), (0, 0), (pad, pad), (pad, pad)], "constant")
    col = np.zeros((N, C, filter_h, filter_w, out_h, out_w))
    for y in range(filter_h):
        y_max = y + stride * out_h
        for x in range(filter_w):
            x_max = x + stride * out_w
            col[:, :, y, x, :, :] = img[:, :, y:y_max:stride, x:x_max:stride]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * out_h * out_w, -1)


def col2im(col, input_shape, filter_h, filter_w, stride=1, pad=0):
    N, C, H, W = input_shape
    out_h = (H + 2 * pad - filter_h) // stride + 1
    out_w = (W + 2 * pad - filter_w) // stride + 1
    col = col.reshape(N, out_h, out_w, C, filter_h, filter_w).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros((N, C, H + 2 * pad + stride - 1, W + 2 * pad + stride - 1))
    for y in range(filter_h):
        y_max = y + stride * out_h
        for x in range(filter_w):
            x_max = x + stride * out_w
            img[:, :, y:y_max:stride, x:x_max:stride] += col[:, :, y, x, :, :]
    return img[:, :, pad:H + pad, pad:W + pad]


class Convolution:
    def __init__(self, W, b, stride=1, pad=0):
        self.W, self.b, self.stride, self.pad = W, b, stride, pad

    def forward(self, x):
        FN, C, FH, FW = self.W.shape
        N, C, H, W = x.shape
        out_h = 1 + int((H + 2 * self.pad - FH) / self.stride)
        out_w = 1 + int((W + 2 * self.pad - FW) / self.stride)
        col = im2col(x, FH, FW, self.stride, self.pad)
        col_W = self.W.reshape(FN, -1).T
        out = np.dot(col, col_W) + self.b
        out = out.reshape(N, out_h, out_w, -1).transpose(0, 3, 1, 2)
        self.x, self.col, self.col_W = x, col, col_W
        return out

    def backward(self, dout):
        FN, C, FH, FW = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
        self.db = np.sum(dout, axis=0)
        dW = np.dot(self.col.T, dout)
        self.dW = dW.transpose(1, 0).reshape(FN, C, FH, FW)
        dcol = np.dot(dout, self.col_W.T)
        return col2im(dcol, self.x.shape, FH, FW, self.stride, self.pad)


class NaiveConv:
    def __init__(self, w, b, stride, pad):
        self.w, self.b = w, b
        self.conv_param = {"stride": stride, "pad": pad}

    def forward(self, x):
        w, b = self.w, self.b
        stride, pad = self.conv_param["stride"], self.conv_param["pad"]
        N, C, H, W = x.shape
        F, _, HH, WW = w.shape
        Ho = 1 + (H + 2 * pad - HH) // stride
        Wo = 1 + (W + 2 * pad - WW) // stride
        xp = np.pad(x, ((0,), (0,), (pad,), (pad,)), mode="constant")
        out = np.zeros((N, F, Ho, Wo))
        for n in range(N):
            for f in range(F):
                for i in range(Ho):
                    for j in range(Wo):
                        window = xp[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
                        out[n, f, i, j] = np.sum(window * w[f]) + b[f]
        self.xp, self.shape = xp, x.shape
        return out

    def backward(self, dout):
        w = self.w
        stride, pad = self.conv_param["stride"], self.conv_param["pad"]
        N, F, Ho, Wo = dout.shape
        _, _, HH, WW = w.shape
        H, W = self.shape[2:]
        dxp = np.zeros_like(self.xp)
        dw = np.zeros_like(w)
        db = np.zeros(F)
        for n in range(N):
            for f in range(F):
                db[f] += dout[n, f].sum()
                for i in range(Ho):
                    for j in range(Wo):
                        window = self.xp[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
                        dw[f] += window * dout[n, f, i, j]
                        dxp[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW] += w[f] * dout[n, f, i, j]
        self.dw, self.db = dw, db
        return dxp[:, :, pad:pad + H, pad:pad + W]


class StridedConv:
    """Windows by stride tricks, contraction by tensordot."""

    def __init__(self, W):
        self.W = W

    def forward(self, x):
        k = self.W.shape[2]
        win = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))
        self.win, self.shape = win, x.shape
        return np.einsum("nchwij,fcij->nfhw", win, self.W)

    def backward(self, dout):
        k = self.W.shape[2]
        self.dW = np.einsum("nchwij,nfhw->fcij", self.win, dout)
        dx = np.zeros(self.shape)
        Ho, Wo = dout.shape[2:]
        for i in range(k):
            for j in range(k):
                dx[:, :, i:i + Ho, j:j + Wo] += np.einsum("nfhw,fc->nchw", dout, self.W[:, :, i, j])
        return dx


class Conv1D:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        self.x = x
        K = len(self.w)
        T = len(x) - K + 1
        out = np.zeros(T)
        for t in range(T):
            out[t] = np.dot(x[t:t + K], self.w) + self.b[0]
        return out

    def backward(self, dout):
        K = len(self.w)
        dx = np.zeros_like(self.x)
        self.dw = np.zeros_like(self.w)
        self.db = np.array([dout.sum()])
        for t, g in enumerate(dout):
            self.dw += g * self.x[t:t + K]
            dx[t:t + K] += g * self.w
        return dx


class ConvByConvolve:
    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, x):
        self.x = x
        return np.convolve(x, self.kernel, mode="full")

    def backward(self, dout):
        self.dkernel = np.correlate(dout, self.x, mode="valid")
        return np.correlate(dout, self.kernel, mode="valid")


class SameConv:
    """Three by three, padded by one, by shifted adding."""

    def __init__(self, W):
        self.W = W

    def forward(self, x):
        N, C, H, W = x.shape
        self.p = np.zeros((N, C, H + 2, W + 2))
        self.p[:, :, 1:-1, 1:-1] = x
        out = 0
        for i in range(3):
            for j in range(3):
                patch = self.p[:, :, i:i + H, j:j + W]
                out = out + np.tensordot(patch, self.W[:, :, i, j], axes=(1, 1))
        return out.transpose(0, 3, 1, 2)

    def backward(self, dout):
        N, F, H, W = dout.shape
        dp = np.zeros_like(self.p)
        self.dW = np.zeros_like(self.W)
        for i in range(3):
            for j in range(3):
                patch = self.p[:, :, i:i + H, j:j + W]
                self.dW[:, :, i, j] = np.einsum("nfhw,nchw->fc", dout, patch)
                dp[:, :, i:i + H, j:j + W] += np.einsum("nfhw,fc->nchw", dout, self.W[:, :, i, j])
        return dp[:, :, 1:-1, 1:-1]


class OneByOneConv:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return np.einsum("fc,nchw->nfhw", self.W, x) + self.b[:, None, None]

    def backward(self, dout):
        self.dW = np.einsum("nfhw,nchw->fc", dout, self.x)
        self.db = dout.sum(axis=(0, 2, 3))
        return np.einsum("fc,nfhw->nchw", self.W, dout)


class DepthwiseConv:
    def __init__(self, w):
        self.w = w

    def forward(self, x):
        self.x = x
        k = self.w.shape[1]
        Ho, Wo = x.shape[2] - k + 1, x.shape[3] - k + 1
        out = np.zeros(x.shape[:2] + (Ho, Wo))
        for i in range(k):
            for j in range(k):
                out += x[:, :, i:i + Ho, j:j + Wo] * self.w[:, i, j][None, :, None, None]
        return out

    def backward(self, dout):
        k = self.w.shape[1]
        Ho, Wo = dout.shape[2:]
        dx = np.zeros_like(self.x)
        dw = np.zeros_like(self.w)
        for i in range(k):
            for j in range(k):
                part = self.x[:, :, i:i + Ho, j:j + Wo]
                dw[:, i, j] = (part * dout).sum(axis=(0, 2, 3))
                dx[:, :, i:i + Ho, j:j + Wo] += dout * self.w[:, i, j].reshape(1, -1, 1, 1)
        self.dw = dw
        return dx


class Pooling:
    """Max pooling by im2col, from the book."""

    def __init__(self, pool_h, pool_w, stride=2, pad=0):
        self.pool_h, self.pool_w, self.stride, self.pad = pool_h, pool_w, stride, pad

    def forward(self, x):
        N, C, H, W = x.shape
        out_h = int(1 + (H - self.pool_h) / self.stride)
        out_w = int(1 + (W - self.pool_w) / self.stride)
        col = im2col(x, self.pool_h, self.pool_w, self.stride, self.pad)
        col = col.reshape(-1, self.pool_h * self.pool_w)
        self.arg_max = np.argmax(col, axis=1)
        out = np.max(col, axis=1)
        self.x = x
        return out.reshape(N, out_h, out_w, C).transpose(0, 3, 1, 2)

    def backward(self, dout):
        dout = dout.transpose(0, 2, 3, 1)
        pool_size = self.pool_h * self.pool_w
        dmax = np.zeros((dout.size, pool_size))
        dmax[np.arange(self.arg_max.size), self.arg_max.flatten()] = dout.flatten()
        dmax = dmax.reshape(dout.shape + (pool_size,))
        dcol = dmax.reshape(dmax.shape[0] * dmax.shape[1] * dmax.shape[2], -1)
        return col2im(dcol, self.x.shape, self.pool_h, self.pool_w, self.stride, self.pad)


class NaiveMaxPool:
    def __init__(self, size=2, stride=2):
        self.size, self.stride = size, stride

    def forward(self, x):
        self.x = x
        s, k = self.stride, self.size
        N, C, H, W = x.shape
        Ho, Wo = (H - k) // s + 1, (W - k) // s + 1
        out = np.zeros((N, C, Ho, Wo))
        for i in range(Ho):
            for j in range(Wo):
                out[:, :, i, j] = x[:, :, i * s:i * s + k, j * s:j * s + k].max(axis=(2, 3))
        return out

    def backward(self, dout):
        s, k = self.stride, self.size
        dx = np.zeros_like(self.x)
        N, C, Ho, Wo = dout.shape
        for n in range(N):
            for c in range(C):
                for i in range(Ho):
                    for j in range(Wo):
                        w = self.x[n, c, i * s:i * s + k, j * s:j * s + k]
                        a, b = np.unravel_index(w.argmax(), w.shape)
                        dx[n, c, i * s + a, j * s + b] += dout[n, c, i, j]
        return dx


class ReshapeMaxPool:
    def forward(self, x):
        N, C, H, W = x.shape
        xr = x.reshape(N, C, H // 2, 2, W // 2, 2)
        out = xr.max(axis=3).max(axis=4)
        self.mask = xr == out[:, :, :, None, :, None]
        self.shape = x.shape
        return out

    def backward(self, dout):
        dx = self.mask * dout[:, :, :, None, :, None]
        return dx.reshape(self.shape)


class AveragePool:
    def __init__(self, k=2):
        self.k = k

    def forward(self, x):
        N, C, H, W = x.shape
        k = self.k
        self.shape = x.shape
        return x.reshape(N, C, H // k, k, W // k, k).mean(axis=(3, 5))

    def backward(self, dout):
        k = self.k
        dx = np.repeat(np.repeat(dout, k, axis=2), k, axis=3)
        return dx / (k * k)


class LoopAveragePool:
    def __init__(self, k, stride):
        self.k, self.stride = k, stride

    def forward(self, x):
        self.x_shape = x.shape
        N, C, H, W = x.shape
        k, s = self.k, self.stride
        Ho, Wo = (H - k) // s + 1, (W - k) // s + 1
        out = np.empty((N, C, Ho, Wo))
        for i in range(Ho):
            for j in range(Wo):
                out[:, :, i, j] = np.mean(x[:, :, i * s:i * s + k, j * s:j * s + k], axis=(2, 3))
        return out

    def backward(self, dout):
        k, s = self.k, self.stride
        dx = np.zeros(self.x_shape)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                dx[:, :, i * s:i * s + k, j * s:j * s + k] += dout[:, :, i:i + 1, j:j + 1] / k ** 2
        return dx


class GlobalAveragePool:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, dout):
        N, C, H, W = self.shape
        return np.ones(self.shape) * dout[:, :, None, None] / (H * W)


class GlobalMaxPool:
    def forward(self, x):
        N, C, H, W = x.shape
        self.shape = x.shape
        flat = x.reshape(N, C, -1)
        self.idx = flat.argmax(axis=-1)
        return flat.max(axis=-1)

    def backward(self, dout):
        N, C, H, W = self.shape
        dx = np.zeros((N, C, H * W))
        for n in range(N):
            for c in range(C):
                dx[n, c, self.idx[n, c]] = dout[n, c]
        return dx.reshape(self.shape)


class Upsample:
    def forward(self, x):
        return x.repeat(2, axis=2).repeat(2, axis=3)

    def backward(self, dout):
        N, C, H, W = dout.shape
        return dout.reshape(N, C, H // 2, 2, W // 2, 2).sum(axis=(3, 5))


class ZeroPad:
    def __init__(self, p=1):
        self.p = p

    def forward(self, x):
        p = self.p
        return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))

    def backward(self, dout):
        p = self.p
        return dout[:, :, p:-p, p:-p]


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(x.shape[0], -1)

    def backward(self, dout):
        return dout.reshape(self.shape)


def cases():
    r = np.random.RandomState(4)
    x = r.randn(2, 2, 4, 4)
    yield Convolution(r.randn(3, 2, 3, 3), r.randn(3), 1, 1), x
    yield NaiveConv(r.randn(2, 2, 3, 3), r.randn(2), 2, 1), r.randn(1, 2, 4, 5)
    yield StridedConv(r.randn(3, 2, 2, 2)), x
    yield Conv1D(r.randn(3), r.randn(1)), r.randn(6)
    yield ConvByConvolve(r.randn(3)), r.randn(5)
    yield SameConv(r.randn(3, 2, 3, 3)), r.randn(2, 2, 3, 4)
    yield OneByOneConv(r.randn(3, 2), r.randn(3)), x
    yield DepthwiseConv(r.randn(2, 2, 2)), r.randn(2, 2, 3, 4)
    yield Pooling(2, 2, 2), x
    yield NaiveMaxPool(2, 1), r.randn(1, 2, 3, 4)
    yield ReshapeMaxPool(), x
    yield AveragePool(2), x
    yield LoopAveragePool(2, 1), r.randn(1, 2, 3, 4)
    yield GlobalAveragePool(), r.randn(2, 3, 2, 3)
    yield GlobalMaxPool(), r.randn(2, 3, 2, 3)
    yield Upsample(), r.randn(2, 2, 2, 3)
    yield ZeroPad(), r.randn(1, 2, 2, 3)
    yield Flatten(), r.randn(2, 2, 2, 3)
