"""Plain NumPy programs that change and view their arrays: what lifting must follow, unchanged.

Each takes one array of shape (3, 4) and is compared, value and gradient, with its plain self.
"""

import collections
import copy
import math

import numpy as np
from numpy import dot, exp, zeros

PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


@program
def masked_in_place(x):
    out = x.copy()
    out[x <= 0] = 0
    return out


@program
def masked_by_product(x):
    mask = (x > 0).astype(float)
    return x * mask


@program
def added_in_place(x):
    y = x * 2
    alias = y
    y += x
    alias *= x
    return y


@program
def rebound_not_in_place(x):
    y = x * 2
    old = y
    y = y + x
    return y * old


@program
def filled_in_a_loop(x):
    out = np.zeros((4, 3))
    for i in range(4):
        for j in range(3):
            out[i, j] = x[j, i] ** 2
    return out


@program
def filled_in_reverse_with_reads(x):
    out = np.zeros(4)
    for k in reversed(range(3)):
        out[k] = out[k + 1] * x[0, k] + x[1, k]
    return out


@program
def recurrent(x):
    h = np.zeros((5, 4))
    W = np.arange(16).reshape(4, 4) / 20
    for t in range(4):
        h[t + 1] = np.tanh(x[t % 3] + h[t].dot(W))
    return h


@program
def recurrent_backwards_list(x):
    states = {-1: np.zeros(4)}
    for t in range(3):
        states[t] = np.tanh(x[t] * states[t - 1] + x[t])
    return np.array([states[t] for t in range(3)])


@program
def written_through_views(x):
    buffer = np.zeros((3, 8))
    left, right = buffer[:, :4], buffer[:, 4:]
    left[:] = x
    right += x * x
    right.T[2] = x[:, 0]
    return buffer


@program
def view_of_view(x):
    y = x.copy()
    inner = y[1:][:, ::2]
    inner[0] = x[0, :2] * 3
    inner *= 2
    return y * x


@program
def reshaped_view(x):
    y = x * 1.0
    flat = y.reshape(-1)
    flat[::3] = flat[::3] * x[0, 0]
    return y


@program
def raveled_view(x):
    y = x * 1.0
    y.ravel()[5] = x[0, 0] * x[0, 1]
    return y


@program
def transposed_write(x):
    y = np.zeros((4, 3))
    y.T[...] = x
    y.T[1] += x[0]
    return y


@program
def diagonal_write(x):
    y = x[:, :3].copy()
    np.fill_diagonal(y, x[0, 0])
    y[np.arange(3), np.arange(3)] *= x[:, 3]
    return y


@program
def own_shape(x):
    y = x * 2
    y.shape = (2, 6)
    y[0] = y[1] * x.ravel()[:6]
    return y


@program
def swapped_rows(x):
    y = x.copy()
    y[[0, 1]] = y[[1, 0]]
    y[0], y[2] = y[2].copy(), y[0].copy()
    return y * np.arange(12).reshape(3, 4)


@program
def overlapping(x):
    y = x.copy()
    y[1:] = y[:-1]
    return y * np.arange(12).reshape(3, 4)


@program
def overlapping_in_place(x):
    y = x.copy()
    y[:, 1:] += y[:, :-1]
    return y * np.arange(12).reshape(3, 4)


@program
def duplicates_last_wins(x):
    y = np.zeros(3)
    y[[0, 1, 0]] = x[0, :3] * 2
    return y


@program
def duplicates_in_place(x):
    y = x[0] * 1.0
    y[[0, 0, 1]] += x[1, :3]
    return y


@program
def added_at(x):
    y = np.zeros(3)
    np.add.at(y, [0, 0, 2], x[0, :3])
    np.subtract.at(y, [1, 1], x[1, :2])
    return y


@program
def value_kept_before_a_write(x):
    probs = np.exp(x)
    probs /= probs.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(3), [0, 1, 3]]).sum()
    probs[np.arange(3), [0, 1, 3]] -= 1
    return loss + (probs**2).sum()


@program
def square_then_write(x):
    y = x * 1.0
    z = y * y
    y[:] = 7
    y[0, 0] = x[1, 1]
    return z + y


@program
def exp_then_write(x):
    y = np.exp(x)
    z = np.sqrt(y)
    y[...] = 0
    return z + y


@program
def constant_then_tracked_then_constant(x):
    y = np.ones((3, 4))
    y[0] = x[0]
    z = y * 2
    y[0] = 5
    return y * z


@program
def out_argument(x):
    y = np.empty_like(x)
    np.multiply(x, x, out=y)
    np.add(y, 1, out=y)
    np.exp(x, out=y, where=x > 0)
    return np.dot(y, x.T)


@program
def masked_where(x):
    y = np.where(x > 0, x, 0.1 * x)
    y[np.abs(y) > 1] **= 2
    return y


@program
def argmax_indexing(x):
    best = np.argmax(x, axis=1)
    top = x[np.arange(3), best]
    y = np.zeros_like(x)
    y[np.arange(3), best] = top * x[:, 0]
    return y


@program
def max_pool(x):
    windows = x[:2].reshape(1, 2, 2, 2).transpose(0, 2, 1, 3).reshape(2, 4)
    return np.max(windows, axis=1) * windows.argmax(axis=1)


@program
def softmax(x):
    x = x - x.max(axis=1, keepdims=True)
    e = exp(x)
    return e / np.sum(e, axis=1, keepdims=True)


@program
def softmax_transposed(x):
    x = x.T
    x = x - np.max(x, axis=0)
    return (np.exp(x) / np.sum(np.exp(x), axis=0)).T


@program
def batch_norm(x):
    mu = x.mean(axis=0)
    xc = x - mu
    var = np.mean(xc**2, axis=0)
    std = np.sqrt(var + 10e-7)
    return xc / std + x.var(axis=0) + np.std(x)


@program
def scalars(x):
    total = 0
    for row in x:
        for v in row:
            total += v * v
    half = total
    total += x[0, 0]
    total *= 2
    return total - half


@program
def python_math(x):
    best = x[0, 0]
    for v in x[0]:
        if v > best:
            best = v
    return max(best, x[1, 1]) * sum(x[2]) + abs(x[0, 1]) ** 2


@program
def stacked_numbers(x):
    return np.array([[x[0, 0], x[0, 1] * 2], [x[1, 0], 3.0]])


@program
def appended(x):
    rows = []
    for row in x:
        rows.append(row * row[0])
    return np.vstack(rows) + np.concatenate(rows).reshape(3, 4) + np.stack(rows)


@program
def from_imports(x):
    out = zeros((3, 3))
    out += dot(x, x.T)
    return exp(out / 10)


@program
def im2col(x):
    img = np.pad(x.reshape(1, 1, 3, 4), [(0, 0), (0, 0), (1, 1), (1, 1)], "constant")
    col = np.zeros((1, 1, 2, 2, 4, 5))
    for i in range(2):
        for j in range(2):
            col[:, :, i, j, :, :] = img[:, :, i : i + 4, j : j + 5]
    col = col.transpose(0, 4, 5, 1, 2, 3).reshape(20, -1)
    return np.dot(col, np.array([1.0, 2.0, -1.0, 0.5]))


@program
def col2im(x):
    img = np.zeros((4, 5))
    for i in range(2):
        for j in range(2):
            img[i : i + 3, j : j + 4] += x * (i + 2 * j + 1)
    return img[1:-1, 1:-1]


@program
def strided_windows(x):
    flat = np.ascontiguousarray(x.ravel())
    step = flat.strides[0]
    return np.lib.stride_tricks.as_strided(flat, (5, 4), (2 * step, step)) ** 2


@program
def seeded_dropout(x):
    np.random.seed(3)
    mask = np.random.rand(*x.shape) > 0.5
    noise = np.random.default_rng(1).normal(size=x.shape)
    return x * mask / 0.5 + noise.dot(x.T) @ x


@program
def float32_buffer(x):
    out = np.zeros(x.shape, dtype="f")
    out[:] = x
    return out.astype(np.float64) * 1.0


@program
def astype_int_is_constant(x):
    return x * x.astype(int)


@program
def shape_arithmetic(x):
    n, d = x.shape
    return x.sum(axis=0) / n + float(d) * x.mean() + len(x) * x.size


@program
def einsum_and_friends(x):
    y = np.einsum("ij,kj->ik", x, x)
    y = np.tile(y, (1, 2)).repeat(2, axis=0)
    return np.split(y, 2, axis=1)[0] * np.hsplit(y, 2)[1] + np.clip(y[:, :3], -1, 1)


@program
def split_views(x):
    y = x.copy()
    a, b = np.split(y, 2, axis=1)
    a += b
    b[:] = a * a
    return y


@program
def deep_copied(x):
    y = copy.deepcopy(x * 2)
    z = copy.copy(y)
    z[0] = 0
    y[1] = x[0] * x[1]
    return y + z


@program
def sorted_in_place(x):
    y = x.copy()
    y.sort(axis=1)
    return y * np.arange(4)


@program
def filled(x):
    y = x.copy()
    y[0].fill(x[1, 1])
    return y * x


@program
def formatted(x):
    text = "%.3f %s" % (x[0, 0], f"{x[0, 1]:.2f}")
    return x * len(text)


@program
def flattened_copy(x):
    y = x.flatten()
    y[0] = 0
    return y[1:] * x.ravel()[:-1]


@program
def comparison_masks(x):
    y = x.copy()
    y[(x > -0.5) & (x < 0.5)] = 0
    y[np.logical_not(x > 0)] *= 0.2
    y[x > 1] = np.log(y[x > 1])
    return y


@program
def cumulative(x):
    y = np.cumsum(x, axis=0)
    y[1] -= np.cumprod(x[0])
    return (
        np.maximum.reduce(y, axis=1)
        + np.add.reduce(x, axis=1)
        + np.multiply.outer(x[0], x[1]).sum()
    )


@program
def putmask_copyto(x):
    y = np.zeros_like(x)
    np.copyto(y, x, where=x > 0)
    z = x.copy()
    np.putmask(z, z < 0, 0.0)
    np.put(z, [0, 5], [x[0, 1], x[0, 2]])
    return y * z


@program
def newaxis_ellipsis(x):
    y = np.zeros((3, 4, 2))
    y[..., 0] = x
    y[..., 1] = x[:, None, 0]
    y[None, 1, ..., 1] = y[1, ..., 0] * 2
    return y


@program
def boolean_row_assignment(x):
    y = np.zeros((3, 4))
    rows = np.array([True, False, True])
    y[rows] = x[rows] * x[1]
    y[~rows, 2] = x[0, 0]
    return y


@program
def number_of_numbers(x):
    n = np.sum(x * x)
    norm = math.sqrt(1.0) * np.sqrt(n)
    return x / norm + np.linalg.norm(x)


@program
def mean_squared(x):
    t = np.eye(3, 4)
    return 0.5 * np.sum((x - t) ** 2) / x.shape[0]


@program
def readme_style_chain(x):
    return x.reshape(2, -1).T.dot(x.reshape(2, 6)[:, :2]).clip(-2, 2).squeeze().swapaxes(0, 1)


@program
def meshgrid_and_take(x):
    i, j = np.meshgrid(np.arange(2), np.arange(3), indexing="ij")
    return x[i, j] * x.take([0, 5, 7]) + np.take(x, 1, axis=0)[:3]


@program
def list_comprehension_of_rows(x):
    return np.asarray([row.max() - row.min() for row in x]) * np.array([r[0] for r in x])


@program
def float64_calls(x):
    return np.float64(x[0, 0]) * x + np.float64(x).sum()


@program
def float_of_item(x):
    return x * x[0, 0].item() + x.sum().item()


@program
def r_and_c(x):
    return np.c_[x, x * 2][:, :4] + np.r_[x, x][:3] * np.r_[x[0], x[1]][:4]


@program
def vectorized(x):
    return np.vectorize(lambda v: v * v + 1)(x)


@program
def math_functions(x):
    return x * math.exp(x[0, 0]) + math.log(abs(x[0, 1])) + math.tanh(x[1, 1])


@program
def math_sqrt_pow(x):
    return x * math.sqrt(x[0, 0]) + math.pow(x[1, 1], 2)


@program
def listy(x):
    return np.array([[v * 2 for v in row] for row in x.tolist()])


@program
def map_fn(x):
    return np.array(list(map(lambda r: r.sum(), x)))


@program
def dict_state(x):
    s = collections.defaultdict(float)
    for i in range(3):
        s[i % 2] += x[i]
    return s[0] * s[1]


@program
def nditer(x):
    out = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"])
    while not it.finished:
        ix = it.multi_index
        out[ix] = x[ix] ** 2
        it.iternext()
    return out


@program
def ndenum(x):
    out = np.zeros_like(x)
    for ix, v in np.ndenumerate(x):
        out[ix] = v * v
    return out


@program
def flat(x):
    y = x.copy()
    y.flat[3] = x[0, 0] * 2
    return y * x


@program
def flat_iter(x):
    return sum(v * v for v in x.flat) * x


@program
def apply_along(x):
    return np.apply_along_axis(lambda r: r / np.sum(np.exp(r)), 1, x)


@program
def piecewise(x):
    return np.piecewise(x, [x < 0, x >= 0], [lambda v: 0.1 * v, lambda v: v * v])


@program
def put_along(x):
    y = np.zeros_like(x)
    np.put_along_axis(y, np.argmax(x, axis=1)[:, None], x.max(axis=1, keepdims=True), axis=1)
    return y * x


@program
def sum_of_list(x):
    return (
        np.sum([x[0], x[1]], axis=0) * np.mean([x[0, 0], x[0, 1]])
        + np.exp([x[0, 0] * 1, x[0, 1], x[1, 1], x[2, 2]])
        + np.max([v for v in x[0]])
    )


@program
def list_ops(x):
    return np.dot([x[0, 0], x[1, 1]], [x[0, 1], 2.0]) * x + np.maximum([x[0, 0]] * 4, x)


@program
def dot_list(x):
    return np.dot([[x[0, 0], 1.0, x[0, 1]]], x)


@program
def shuffled(x):
    np.random.seed(0)
    y = x.copy()
    np.random.shuffle(y)
    return y * np.arange(12).reshape(3, 4)


@program
def np_float32(x):
    return (
        np.float32(x) * 1.0
        if False
        else x * np.float64(2)
        + np.zeros(4, dtype=np.float32)
        + x.astype(float)
        + np.zeros(4, float)
        + np.array([1, 2, 3, 4], dtype=np.float64)
    )


@program
def inf_(x):
    best = float("-inf")
    for v in x.ravel():
        if v > best:
            best = v
    return best * x + np.maximum(x, -np.inf)


@program
def float_annot(x):
    def f(a: float, b: float | None = None) -> float:
        return a * 2

    return f(x)


@program
def generator(x):
    return np.fromiter((v * v for v in x[0]), dtype=float)


@program
def math_from(x):
    from math import exp as mexp

    return mexp(x[0, 0]) * x


@program
def aug_matrix(x):
    y = np.zeros((3, 3))
    y += x.dot(x.T)
    y -= 1
    y /= 2
    y **= 2
    return y


@program
def deque_(x):
    d = collections.deque(maxlen=2)
    for r in x:
        d.append(r)
    return d[0] * d[1] + sum(d)


@program
def namedtup(x):
    P = collections.namedtuple("P", "a b")
    p = P(x[0], x[1])
    return p.a * p.b


@program
def zero_d(x):
    y = np.array(0.0)
    y += x.sum()
    y[()] *= 2
    return y * x


@program
def number_iadd(x):
    acc = np.zeros(1)
    acc += x[0, 0]
    acc[0] += x[0, 1]
    return acc * x


@program
def setdefault(x):
    h = {}
    for k in range(3):
        h.setdefault("a", []).append(x[k] * k)
    return np.array(h["a"]) + np.asarray(h["a"]) + np.concatenate([h["a"]])


@program
def stack_fns(x):
    tall = np.column_stack((x[:, 0], x[:, 1]))
    return tall.T @ np.hstack([x[:, :1], x]) + np.dstack([x, x])[0, 0, 0]


@program
def isinst(x):
    return (
        x
        * (x.dtype == np.float64)
        * (x.dtype == float)
        * isinstance(1.5, float)
        * isinstance(np.float64(1), np.float64)
        * issubclass(np.float64, float)
        * (np.issubdtype(x.dtype, np.floating))
    )


@program
def float_of_a_sum(x):
    return x * float(np.sum(x[0]))


@program
def type_checks(x):
    assert isinstance(x, np.ndarray)
    assert isinstance(x[0, 0], (float, np.floating))
    assert x.dtype == np.float64 and type(x.shape) is tuple
    return x * 2


@program
def isinstance_float(x):
    return x * (x[0, 0] if isinstance(x[0, 0], np.number) else 7.0)


@program
def numbers_written_again_and_again(x):
    out = np.zeros_like(x)
    row = out[1]
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] += x[i, j] * x[i - 1, -j]
            out[i, -1] = out[i, j] - x[0, 0] / (1 + x[i, j] ** 2)
    return out + row


@program
def numbers_written_over_rows_and_rows_over_numbers(x):
    out = np.zeros_like(x)
    out[0] = x[1] * x[2]
    out[0, 1] = x[0, 0] ** 2
    first = out[0].copy()
    out[0, 1] = 3 * out[0, 1]
    out[:, 2:] = x[:, :2] * out[0, 1]
    out[2, 3] += 2.0 - x[2, 3]
    return out * first


@program
def a_number_read_of_a_view_that_was_written(x):
    out = x * 2.0
    part = out.T[1:]
    part[0, 1] = x[0, 0] * x[1, 1]
    out[1, 1] = 2.0 * part[0, 1]
    return part[0, 1] * out + out[1, 1]
