"""The registry's operators beside their peers in PyTorch and JAX, one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from autograd_lite.recording import apply
from autograd_lite.rules import OPS

F = Callable[..., Any]


class Row(NamedTuple):
    """An operator as a function of floating arrays, here and there; None where a peer has none.

    A peer's function takes its namespace first. Results are real and free of a choice of sign.
    """

    ours: F
    torch: F | None
    jax: F | None
    shapes: tuple[tuple[int, ...], ...] = ((2, 3),)
    domain: tuple[float, float] = (0.5, 2.0)  # for the operators of the registry, their own


def op(name: str, **params: Any) -> F:
    """An operator that users reach by others: the adjoints among them."""
    return lambda *xs: apply(OPS[name], xs, params)


def spd(a: Any) -> Any:
    return a @ a.mT + np.eye(a.shape[-1]) * 2.0


SAME = """
add subtract multiply divide negative positive reciprocal square exp expm1 log log1p sqrt abs tanh
sin cos tan asin acos atan sinh cosh asinh acosh atanh atan2 hypot exp2 log2 log10 logaddexp
logaddexp2 fmax fmin maximum minimum remainder fmod copysign
"""

# Elementwise: the name in PyTorch, the name in jax.numpy or, with a dot, below jax.
POINTWISE: dict[str, tuple[str | None, str | None]] = {
    **{name: (name, name) for name in SAME.split()},
    "power": ("pow", "power"),
    "cbrt": (None, "cbrt"),
    "degrees": ("rad2deg", "degrees"),
    "radians": ("deg2rad", "radians"),
    "sigmoid": ("sigmoid", "nn.sigmoid"),
    "softplus": ("nn.functional.softplus", "nn.softplus"),
    "erf": ("erf", "scipy.special.erf"),
    "erfc": ("erfc", "scipy.special.erfc"),
    "erfinv": ("erfinv", "scipy.special.erfinv"),
    "gammaln": ("lgamma", "scipy.special.gammaln"),
    "digamma": ("digamma", "scipy.special.digamma"),
    "heaviside": (None, "heaviside"),  # PyTorch gives it no derivative
    "nextafter": (None, None),  # neither gives it one
}

INDEX = np.array([0, 2, 0])
ALONG = np.array([[0, 2, 1, 1], [2, 0, 0, 1]])
ONCE = np.array([[0, 2], [1, 0]])
MASK = np.array([[True, False, True], [False, True, True]])
KEPT = np.array([[True, False]])
S3, M3, B3, V = (2, 3), (3, 3), (2, 3, 3), (3,)
CONV: tuple[tuple[int, ...], ...] = ((2, 4, 6, 5), (4, 2, 3, 2))
OPTIONS: dict[str, Any] = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2}
WINDOWS: dict[str, Any] = {"stride": (2,), "padding": ((0, 0),), "dilation": (1,)}


def jax_conv(j: Any, x: Any, w: Any) -> Any:
    pads, spread = [(1, 1), (0, 0)], (1, 2)
    return j.lax.conv_general_dilated(
        x, w, (2, 1), pads, rhs_dilation=spread, feature_group_count=2
    )


def jax_eig(j: Any, a: Any) -> Any:
    return j.lax.linalg.eig(a, compute_left_eigenvectors=False, enable_eigvec_derivs=True)[1]


def project(v: Any) -> Any:
    return v @ v.mT


def joined(n: Any, parts: Any) -> Any:
    return n.concatenate([n.reshape(part, (-1,)) for part in parts])


ROWS: dict[str, Row] = {
    # complex parts
    "conj": Row(
        lambda x, y: ag.abs(ag.conj(x + 1j * y) * (2 + x)),
        lambda t, x, y: t.abs(t.conj(t.complex(x, y)) * (2 + x)),
        lambda j, x, y: j.numpy.abs(j.numpy.conj(x + 1j * y) * (2 + x)),
        (S3, S3),
    ),
    "real": Row(
        lambda x, y: ag.real((x + 1j * y) ** 2),
        lambda t, x, y: t.real(t.complex(x, y) ** 2),
        lambda j, x, y: j.numpy.real((x + 1j * y) ** 2),
        (S3, S3),
    ),
    "imag": Row(
        lambda x, y: ag.imag((x + 1j * y) ** 2),
        lambda t, x, y: t.imag(t.complex(x, y) ** 2),
        lambda j, x, y: j.numpy.imag((x + 1j * y) ** 2),
        (S3, S3),
    ),
    "angle": Row(
        lambda x, y: ag.angle(x + 1j * y),
        lambda t, x, y: t.angle(t.complex(x, y)),
        lambda j, x, y: j.numpy.angle(x + 1j * y),
        (S3, S3),
    ),
    # choosing and placing
    "where": Row(
        lambda x, y: ag.where(MASK, x, y),
        lambda t, x, y: t.where(t.tensor(MASK), x, y),
        lambda j, x, y: j.numpy.where(MASK, x, y),
        (S3, V),
    ),
    "getitem": Row(lambda x: x[INDEX], lambda t, x: x[INDEX], lambda j, x: x[INDEX], ((3, 2),)),
    "scatter": Row(
        op("scatter", index=(INDEX,), shape=(4,)),
        lambda t, x: t.zeros(4).double().index_put((t.tensor(INDEX),), x, accumulate=True),
        lambda j, x: j.numpy.zeros(4).at[INDEX].add(x),
        (V,),
    ),
    "set": Row(
        lambda x, y: ag.set(x, 1, y),
        lambda t, x, y: t.select_scatter(x, y, 0, 1),
        lambda j, x, y: x.at[1].set(y),
        (S3, V),
    ),
    "assemble": Row(
        op("assemble", places=[(0,), (1, 1)]),
        lambda t, x, y, z: t.cat([y, x[1, :1], z[None], x[1, 2:]]).reshape(2, 3),
        lambda j, x, y, z: x.at[0].set(y).at[1, 1].set(z),
        (S3, V, ()),
    ),
    "add_at": Row(
        lambda x, y: ag.add_at(x, INDEX, y),
        lambda t, x, y: t.index_add(x, 0, t.tensor(INDEX), y),
        lambda j, x, y: x.at[INDEX].add(y),
        ((4,), (3,)),
    ),
    "take": Row(
        lambda x: ag.take(x, INDEX, axis=1),
        lambda t, x: t.index_select(x, 1, t.tensor(INDEX)),
        lambda j, x: j.numpy.take(x, INDEX, axis=1),
    ),
    "untake": Row(
        lambda g: op("untake", axis=0, shape=(3, 2))(g, INDEX),
        lambda t, g: t.zeros(3, 2).double().index_add(0, t.tensor(INDEX), g),
        lambda j, g: j.numpy.zeros((3, 2)).at[INDEX].add(g),
        ((3, 2),),
    ),
    "take_along_axis": Row(
        lambda x: ag.take_along_axis(x, ALONG, axis=1),
        lambda t, x: t.gather(x, 1, t.tensor(ALONG)),
        lambda j, x: j.numpy.take_along_axis(x, ALONG, axis=1),
    ),
    "untake_along_axis": Row(
        lambda g: op("untake_along_axis", axis=1, shape=S3, once=False)(g, ALONG),
        lambda t, g: t.zeros(S3).double().scatter_add(1, t.tensor(ALONG), g),
        lambda j, g: j.numpy.zeros(S3).at[[[0], [1]], ALONG].add(g),
        ((2, 4),),
    ),
    "put_along_axis": Row(
        lambda x, y: ag.put_along_axis(x, ONCE, y, axis=1),
        lambda t, x, y: t.scatter(x, 1, t.tensor(ONCE), y),
        lambda j, x, y: j.numpy.put_along_axis(x, ONCE, y, axis=1, inplace=False),
        (S3, (2, 2)),
    ),
    # shapes
    "reshape": Row(
        lambda x: ag.reshape(x, (3, 2)),
        lambda t, x: t.reshape(x, (3, 2)),
        lambda j, x: j.numpy.reshape(x, (3, 2)),
    ),
    "permute_dims": Row(
        lambda x: ag.permute_dims(x, (2, 0, 1)),
        lambda t, x: t.permute(x, (2, 0, 1)),
        lambda j, x: j.numpy.permute_dims(x, (2, 0, 1)),
        ((2, 3, 4),),
    ),
    "broadcast_to": Row(
        lambda x: ag.broadcast_to(x, S3),
        lambda t, x: t.broadcast_to(x, S3),
        lambda j, x: j.numpy.broadcast_to(x, S3),
        ((2, 1),),
    ),
    "sum_to": Row(
        op("sum_to", axes=(0,), shape=V),
        lambda t, x: x.sum_to_size(3),
        lambda j, x: j.numpy.sum(x, 0),
    ),
    "concat": Row(
        lambda x, y: ag.concat([x, y], axis=1),
        lambda t, x, y: t.concat([x, y], 1),
        lambda j, x, y: j.numpy.concat([x, y], axis=1),
        (S3, (2, 1)),
    ),
    "stack": Row(
        lambda x, y: ag.stack([x, y], axis=1),
        lambda t, x, y: t.stack([x, y], 1),
        lambda j, x, y: j.numpy.stack([x, y], 1),
        (S3, S3),
    ),
    "split": Row(
        lambda x: ag.split(x, 3, axis=1)[1],
        lambda t, x: t.split(x, 1, 1)[1],
        lambda j, x: j.numpy.split(x, 3, 1)[1],
    ),
    "unstack": Row(
        lambda x: ag.unstack(x, axis=1)[1],
        lambda t, x: t.unbind(x, 1)[1],
        lambda j, x: j.numpy.unstack(x, axis=1)[1],
    ),
    "flip": Row(
        lambda x: ag.flip(x, axis=1), lambda t, x: t.flip(x, [1]), lambda j, x: j.numpy.flip(x, 1)
    ),
    "roll": Row(
        lambda x: ag.roll(x, (1, -2), axis=(0, 1)),
        lambda t, x: t.roll(x, (1, -2), (0, 1)),
        lambda j, x: j.numpy.roll(x, (1, -2), (0, 1)),
    ),
    "pad": Row(
        lambda x: ag.pad(x, ((1, 0), (0, 2))),
        lambda t, x: t.nn.functional.pad(x, (0, 2, 1, 0)),
        lambda j, x: j.numpy.pad(x, ((1, 0), (0, 2))),
    ),
    "astype": Row(
        op("astype", dtype=np.dtype(float)),
        lambda t, x: x.to(t.float64),
        lambda j, x: x.astype(float),
    ),
    "alias": Row(op("alias"), lambda t, x: x.view_as(x), lambda j, x: j.numpy.asarray(x)),
    # elementwise, with more than arrays
    "nan_to_num": Row(
        ag.nan_to_num, lambda t, x: t.nan_to_num(x), lambda j, x: j.numpy.nan_to_num(x)
    ),
    "ldexp": Row(
        lambda x: ag.ldexp(x, INDEX),
        lambda t, x: t.ldexp(x, t.tensor(INDEX)),
        lambda j, x: j.numpy.ldexp(x, INDEX),
    ),
    "sinc": Row(ag.sinc, lambda t, x: t.sinc(x), lambda j, x: j.numpy.sinc(x)),
    "i0": Row(ag.i0, lambda t, x: t.i0(x), lambda j, x: j.numpy.i0(x)),
    "polygamma": Row(
        op("polygamma", order=2),
        lambda t, x: t.polygamma(2, x),
        lambda j, x: j.scipy.special.polygamma(2, x),
    ),
    "_level_rank": Row(
        lambda q: op("_level_rank", method="linear")(q * q / 10, np.array(4)),
        *[lambda n, q: 3 * (q * q / 10)] * 2,
        ((3,),),
    ),
    # slopes that do not cancel, beside the formula that cancels
    "_tanh_slope": Row(
        op("_tanh_slope"), lambda t, x: 1 / t.cosh(x) ** 2, lambda j, x: 1 / j.numpy.cosh(x) ** 2
    ),
    "_asin_slope": Row(op("_asin_slope"), *[lambda n, x: (1 - x * x) ** -0.5] * 2),
    "_atanh_slope": Row(op("_atanh_slope"), *[lambda n, x: 1 / (1 - x * x)] * 2),
    "_cosine": Row(op("_cosine"), *[lambda n, x, y: x * (x * x + y * y) ** -0.5] * 2, (S3, V)),
    # reductions and scans
    "sum": Row(lambda x: ag.sum(x, 1), lambda t, x: t.sum(x, 1), lambda j, x: j.numpy.sum(x, 1)),
    "mean": Row(
        lambda x: ag.mean(x, 1), lambda t, x: t.mean(x, 1), lambda j, x: j.numpy.mean(x, 1)
    ),
    "prod": Row(
        lambda x: ag.prod(x, 1), lambda t, x: t.prod(x, 1), lambda j, x: j.numpy.prod(x, 1)
    ),
    "max": Row(lambda x: ag.max(x, 1), lambda t, x: t.amax(x, 1), lambda j, x: j.numpy.max(x, 1)),
    "min": Row(lambda x: ag.min(x, 1), lambda t, x: t.amin(x, 1), lambda j, x: j.numpy.min(x, 1)),
    "var": Row(
        lambda x: ag.var(x, 1, ddof=1), lambda t, x: t.var(x, 1), lambda j, x: x.var(1, ddof=1)
    ),
    "std": Row(
        lambda x: ag.std(x, 1, ddof=1), lambda t, x: t.std(x, 1), lambda j, x: x.std(1, ddof=1)
    ),
    "norm": Row(
        lambda x: ag.linalg.vector_norm(x, axis=1),
        lambda t, x: t.linalg.vector_norm(x, dim=1),
        lambda j, x: j.numpy.linalg.vector_norm(x, axis=1),
    ),
    "logsumexp": Row(
        lambda x: ag.logsumexp(x, axis=1),
        lambda t, x: t.logsumexp(x, 1),
        lambda j, x: j.scipy.special.logsumexp(x, 1),
    ),
    "softmax": Row(
        lambda x: ag.softmax(x, axis=1),
        lambda t, x: t.softmax(x, 1),
        lambda j, x: j.nn.softmax(x, 1),
    ),
    "log_softmax": Row(
        lambda x: ag.log_softmax(x, axis=1),
        lambda t, x: t.log_softmax(x, 1),
        lambda j, x: j.nn.log_softmax(x, 1),
    ),
    "cumsum": Row(
        lambda x: ag.cumsum(x, 1), lambda t, x: t.cumsum(x, 1), lambda j, x: j.numpy.cumsum(x, 1)
    ),
    "cumprod": Row(
        lambda x: ag.cumprod(x, 1), lambda t, x: t.cumprod(x, 1), lambda j, x: j.numpy.cumprod(x, 1)
    ),
    "recurrence": Row(
        op("recurrence", axis=0),
        None,
        lambda j, a, b: j.lax.scan(lambda y, ab: (ab[0] * y + ab[1],) * 2, 0 * b[0], (a, b))[1],
        ((4,), (4,)),
    ),
    "unwrap": Row(lambda x: ag.unwrap(4 * x), None, lambda j, x: j.numpy.unwrap(4 * x), ((5,),)),
    # products
    "matmul": Row(
        ag.matmul,
        lambda t, a, b: t.matmul(a, b),
        lambda j, a, b: j.numpy.matmul(a, b),
        ((2, 2, 3), (3, 4)),
    ),
    "einsum": Row(
        lambda a, b: ag.einsum("bij,jb->ib", a, b),
        lambda t, a, b: t.einsum("bij,jb->ib", a, b),
        lambda j, a, b: j.numpy.einsum("bij,jb->ib", a, b),
        ((2, 3, 4), (4, 2)),
    ),
    "cross": Row(
        ag.linalg.cross,
        lambda t, a, b: t.linalg.cross(a, b),
        lambda j, a, b: j.numpy.cross(a, b),
        (S3, S3),
    ),
    "convolve": Row(
        ag.convolve,
        lambda t, a, v: t.nn.functional.conv1d(a[None], v.flip(0)[None, None], padding=2)[0],
        lambda j, a, v: j.numpy.convolve(a, v),
        ((5,), (3,)),
    ),
    "sliding_dot": Row(
        op("sliding_dot"),
        lambda t, a, v: t.nn.functional.conv1d(a[None], v[None, None])[0],
        lambda j, a, v: j.numpy.correlate(a, v, "valid"),
        ((5,), (3,)),
    ),
    # windows
    "convolution": Row(
        lambda x, w: ag.convolution(x, w, **OPTIONS),
        lambda t, x, w: t.nn.functional.conv2d(x, w, **OPTIONS),
        jax_conv,
        CONV,
    ),
    "convolution_transpose": Row(
        lambda y, w: ag.convolution_transpose(y, w, output_padding=(1, 0), **OPTIONS),
        lambda t, y, w: t.nn.functional.conv_transpose2d(y, w, output_padding=(1, 0), **OPTIONS),
        lambda j, y, w: j.vjp(lambda x: jax_conv(j, x, w), j.numpy.zeros(CONV[0]))[1](y)[0],
        ((2, 4, 3, 3), CONV[1]),
    ),
    "convolution_weights": Row(
        op("convolution_weights", kernel=(3,), groups=1, **WINDOWS),
        lambda t, x, g: t.nn.grad.conv1d_weight(x, (3, 2, 3), g, stride=2),
        lambda j, x, g: j.vjp(
            lambda w: j.lax.conv_general_dilated(x, w, (2,), [(0, 0)]), j.numpy.zeros((3, 2, 3))
        )[1](g)[0],
        ((2, 2, 7), (2, 3, 3)),
    ),
    "im2col": Row(
        lambda x: ag.im2col(x, (2, 2), stride=(1, 2), padding=(0, 1)),
        lambda t, x: t.nn.functional.unfold(x, (2, 2), stride=(1, 2), padding=(0, 1)),
        None,
        ((1, 2, 4, 4),),
    ),
    "col2im": Row(
        lambda c: ag.col2im(c, (4, 4), (2, 2), stride=(1, 2), padding=(0, 1)),
        lambda t, c: t.nn.functional.fold(c, (4, 4), (2, 2), stride=(1, 2), padding=(0, 1)),
        None,
        ((1, 8, 9),),
    ),
    "sliding_window_view": Row(
        lambda x: ag.sliding_window_view(x, 3, axis=1),
        lambda t, x: x.unfold(1, 3, 1),
        None,
        ((2, 5),),
    ),
    "overlap_add": Row(
        op("overlap_add", window=(3,), axes=(0,), shape=(5,)),
        lambda t, x: t.nn.functional.fold(x.T[None], (1, 5), (1, 3)).reshape(5),
        None,
        ((3, 3),),
    ),
    "max_pool": Row(
        lambda x: ag.max_pool(x, 3, stride=2, padding=1),
        lambda t, x: t.nn.functional.max_pool1d(x, 3, stride=2, padding=1),
        lambda j, x: j.lax.reduce_window(
            x, -np.inf, j.lax.max, (1, 1, 3), (1, 1, 2), [(0, 0), (0, 0), (1, 1)]
        ),
        ((2, 2, 7),),
    ),
    "window_sum": Row(
        op("window_sum", kernel=(2,), **WINDOWS),
        lambda t, x: 2 * t.nn.functional.avg_pool1d(x, 2),
        lambda j, x: j.lax.reduce_window(x, 0.0, j.lax.add, (1, 1, 2), (1, 1, 2), "VALID"),
        ((2, 2, 6),),
    ),
    "window_spread": Row(
        op("window_spread", size=(6,), kernel=(2,), **WINDOWS),
        lambda t, g: t.repeat_interleave(g, 2, 2),
        lambda j, g: j.numpy.repeat(g, 2, 2),
        ((2, 2, 3),),
    ),
    "_pool_place": Row(
        lambda g: op("_pool_place", size=(4,), kernel=(2,), **WINDOWS)(g, KEPT), None, None
    ),
    "_pool_pick": Row(lambda x: op("_pool_pick", kernel=(2,), **WINDOWS)(x, KEPT), None, None),
    # linear algebra
    "inv": Row(
        lambda a: ag.linalg.inv(spd(a)),
        lambda t, a: t.linalg.inv(spd_(t, a)),
        lambda j, a: j.numpy.linalg.inv(spd(a)),
        (B3,),
    ),
    "solve": Row(
        lambda a, b: ag.linalg.solve(spd(a), b),
        lambda t, a, b: t.linalg.solve(spd_(t, a), b),
        lambda j, a, b: j.numpy.linalg.solve(spd(a), b),
        (B3, (2, 3, 2)),
    ),
    "det": Row(
        ag.linalg.det, lambda t, a: t.linalg.det(a), lambda j, a: j.numpy.linalg.det(a), (B3,)
    ),
    "slogdet": Row(
        lambda a: ag.linalg.slogdet(a)[1],
        lambda t, a: t.linalg.slogdet(a)[1],
        lambda j, a: j.numpy.linalg.slogdet(a)[1],
        (B3,),
    ),
    "expm": Row(
        ag.linalg.expm,
        lambda t, a: t.linalg.matrix_exp(a),
        lambda j, a: j.scipy.linalg.expm(a),
        (M3,),
    ),
    "cholesky": Row(
        lambda a: ag.linalg.cholesky(spd(a)),
        lambda t, a: t.linalg.cholesky(spd_(t, a)),
        lambda j, a: j.numpy.linalg.cholesky(spd(a)),
        (B3,),
    ),
    "eigh": Row(
        lambda a: joined(ag, [f(q) for f, q in zip(EVEN, ag.linalg.eigh(a + a.mT))]),
        lambda t, a: joined(t, [f(q) for f, q in zip(EVEN, t.linalg.eigh(a + a.mT))]),
        lambda j, a: joined(j.numpy, [f(q) for f, q in zip(EVEN, j.numpy.linalg.eigh(a + a.mT))]),
        (B3,),
    ),
    "eigvalsh": Row(
        lambda a: ag.linalg.eigvalsh(a + a.mT),
        lambda t, a: t.linalg.eigvalsh(a + a.mT),
        lambda j, a: j.numpy.linalg.eigvalsh(a + a.mT),
        (B3,),
    ),
    "eig": Row(
        lambda a: ag.abs(ag.linalg.eig(a)[1]) ** 2,
        lambda t, a: t.abs(t.linalg.eig(a)[1]) ** 2,
        lambda j, a: j.numpy.abs(jax_eig(j, a)) ** 2,
        (M3,),
    ),
    "eigvals": Row(
        lambda a: ag.abs(ag.linalg.eigvals(a)),
        lambda t, a: t.abs(t.linalg.eigvals(a)),
        lambda j, a: j.numpy.abs(j.numpy.linalg.eigvals(a)),
        (M3,),
    ),
    "svd": Row(
        lambda a: joined(ag, [q * q for q in ag.linalg.svd(a, full_matrices=False)]),
        lambda t, a: joined(t, [q * q for q in t.linalg.svd(a, full_matrices=False)]),
        lambda j, a: joined(j.numpy, [q * q for q in j.numpy.linalg.svd(a, full_matrices=False)]),
        ((3, 2),),
    ),
    "svdvals": Row(
        ag.linalg.svdvals,
        lambda t, a: t.linalg.svdvals(a),
        lambda j, a: j.numpy.linalg.svdvals(a),
        ((3, 2),),
    ),
    "qr": Row(
        lambda a: joined(ag, [q * q for q in ag.linalg.qr(a)]),
        lambda t, a: joined(t, [q * q for q in t.linalg.qr(a)]),
        lambda j, a: joined(j.numpy, [q * q for q in j.numpy.linalg.qr(a)]),
        ((3, 2),),
    ),
    "pinv": Row(
        ag.linalg.pinv,
        lambda t, a: t.linalg.pinv(a),
        lambda j, a: j.numpy.linalg.pinv(a),
        ((3, 2),),
    ),
    "lstsq": Row(
        lambda a, b: ag.linalg.lstsq(a, b)[0],
        lambda t, a, b: t.linalg.lstsq(a, b)[0],
        lambda j, a, b: j.numpy.linalg.lstsq(a, b)[0],
        ((3, 2), (3, 2)),
    ),
    "_complement": Row(  # the projection, which does not depend on the choice of a basis
        lambda a: project(op("_complement", of="qr")(a)),
        lambda t, a: t.eye(3, dtype=a.dtype) - a @ t.linalg.pinv(a),
        lambda j, a: np.eye(3) - a @ j.numpy.linalg.pinv(a),
        ((3, 1),),
    ),
    # Fourier transforms: the power spectrum, which is real
    "fft": Row(
        lambda x: ag.abs(ag.fft.fft(x)) ** 2,
        lambda t, x: t.abs(t.fft.fft(x)) ** 2,
        lambda j, x: j.numpy.abs(j.numpy.fft.fft(x)) ** 2,
        ((2, 5),),
    ),
    "rfft": Row(
        lambda x: ag.abs(ag.fft.rfft(x)) ** 2,
        lambda t, x: t.abs(t.fft.rfft(x)) ** 2,
        lambda j, x: j.numpy.abs(j.numpy.fft.rfft(x)) ** 2,
        ((2, 5),),
    ),
    "irfft": Row(
        lambda x, y: ag.fft.irfft(x + 1j * y),
        lambda t, x, y: t.fft.irfft(t.complex(x, y)),
        lambda j, x, y: j.numpy.fft.irfft(x + 1j * y),
        (S3, S3),
    ),
}
EVEN: tuple[F, F] = (lambda w: w, lambda v: v * v)


def spd_(t: Any, a: Any) -> Any:
    return a @ a.mT + 2 * t.eye(a.shape[-1], dtype=t.float64)


def reach(root: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        root = getattr(root, part)
    return root


def by_name(name: str, there: str | None, *, below: str = "") -> F | None:
    if there is None:
        return None
    dotted = there if "." in there or not below else f"{below}.{there}"
    return lambda n, *xs: reach(n, dotted)(*xs)


def pointwise(name: str) -> Row:
    torch, jax = POINTWISE[name]
    shapes = (S3, V)[: len(OPS[name].pulls)]
    theirs = by_name(name, torch), by_name(name, jax, below="numpy")
    return Row(getattr(ag, name, op(name)), *theirs, shapes)


ROWS |= {name: pointwise(name) for name in POINTWISE}


def shared(f: F, *shapes: tuple[int, ...], torch: F | None = None) -> Row:
    """A row of NumPy's names: one expression of the namespace for us and for JAX."""
    return Row(lambda *xs: f(ag.numpy, *xs), torch, lambda j, *xs: f(j.numpy, *xs), shapes)


def activation(ours: F, name: str, jax: str, shift: float = 0.0, *more: float) -> Row:
    """A row of a function of `torch.nn.functional` and `jax.nn`, moved by ``shift``."""
    return Row(
        lambda x: ours(x - shift, *more),
        lambda t, x: getattr(t.nn.functional, name)(x - shift, *more),
        lambda j, x: getattr(j.nn, jax)(x - shift, *more),
        (S3,),
    )


N3 = np.array([[False, True, False], [True, False, False]])


def holes(n: Any, x: Any) -> Any:
    """x with NaN in two places."""
    return n.where(N3, np.nan, x)


# Public functions that are composed of several operators.
COMPOSED: dict[str, Row] = {
    "relu": activation(ag.nn.relu, "relu", "relu", 1.0),
    "silu": activation(ag.silu, "silu", "silu", 1.0),
    "elu": activation(ag.elu, "elu", "elu", 1.0, 0.7),
    "leaky_relu": activation(ag.leaky_relu, "leaky_relu", "leaky_relu", 1.0, 0.3),
    "log_sigmoid": activation(ag.log_sigmoid, "logsigmoid", "log_sigmoid", 1.0),
    "gelu": Row(
        lambda x: ag.gelu(x - 1),
        lambda t, x: t.nn.functional.gelu(x - 1),
        lambda j, x: j.nn.gelu(x - 1, approximate=False),
    ),
    "gelu by tanh": Row(
        lambda x: ag.gelu(x - 1, approximate="tanh"),
        lambda t, x: t.nn.functional.gelu(x - 1, approximate="tanh"),
        lambda j, x: j.nn.gelu(x - 1, approximate=True),
    ),
    "average_pool": Row(
        lambda x: ag.average_pool(x, 2),
        lambda t, x: t.nn.functional.avg_pool1d(x, 2),
        lambda j, x: j.lax.reduce_window(x, 0.0, j.lax.add, (1, 1, 2), (1, 1, 2), "VALID") / 2,
        ((2, 2, 6),),
    ),
    # products
    "dot": shared(lambda n, x, y: n.dot(x, y), V, V, torch=lambda t, x, y: t.dot(x, y)),
    "inner": shared(
        lambda n, x, y: n.inner(x, y), S3, (4, 3), torch=lambda t, x, y: t.inner(x, y)
    ),
    "outer": shared(
        lambda n, x, y: n.outer(x, y), V, (4,), torch=lambda t, x, y: t.outer(x, y)
    ),
    "kron": shared(
        lambda n, x, y: n.kron(x, y), S3, (2, 2), torch=lambda t, x, y: t.kron(x, y)
    ),
    "tensordot": shared(
        lambda n, x, y: n.tensordot(x, y, 1), S3, M3, torch=lambda t, x, y: t.tensordot(x, y, 1)
    ),
    "tensordot over two axes": shared(
        lambda n, x, y: n.tensordot(x, y, axes=([0, 2], [1, 0])), (2, 3, 4), (4, 2, 3),
        torch=lambda t, x, y: t.tensordot(x, y, dims=([0, 2], [1, 0])),
    ),
    "vecdot": shared(
        lambda n, x, y: n.vecdot(x, y), S3, S3, torch=lambda t, x, y: t.linalg.vecdot(x, y)
    ),
    "vdot": shared(lambda n, x, y: n.vdot(x, y), S3, S3),
    "correlate": shared(lambda n, x, y: n.correlate(x, y, "same"), (5,), V),
    "convolve, same": shared(lambda n, x, y: n.convolve(x, y, "same"), (5,), V),
    "einsum of three": shared(
        lambda n, a, b, c: n.einsum("ij,jk,kl->il", a, b, c), S3, M3, (3, 4),
        torch=lambda t, a, b, c: t.einsum("ij,jk,kl->il", a, b, c),
    ),
    "einsum with a diagonal": shared(
        lambda n, a, b: n.einsum("...ii,...i->...", a, b), B3, (2, 3),
        torch=lambda t, a, b: t.einsum("...ii,...i->...", a, b),
    ),
    # parts and shapes
    "trace": shared(lambda n, x: n.trace(x), M3, torch=lambda t, x: t.trace(x)),
    "diagonal": shared(
        lambda n, x: n.diagonal(x, 1), M3, torch=lambda t, x: t.diagonal(x, 1)
    ),
    "diag": shared(lambda n, x: n.diag(x), V, torch=lambda t, x: t.diag(x)),
    "tril": shared(lambda n, x: n.tril(x), M3, torch=lambda t, x: t.tril(x)),
    "triu": shared(lambda n, x: n.triu(x, 1), M3, torch=lambda t, x: t.triu(x, 1)),
    "tile": shared(lambda n, x: n.tile(x, (2, 2)), S3, torch=lambda t, x: t.tile(x, (2, 2))),
    "repeat": shared(
        lambda n, x: n.repeat(x, 2, 1), S3, torch=lambda t, x: t.repeat_interleave(x, 2, 1)
    ),
    "repeat by counts": shared(lambda n, x: n.repeat(x, np.array([1, 0, 3]), axis=1), S3),
    "rot90": shared(lambda n, x: n.rot90(x), S3, torch=lambda t, x: t.rot90(x)),
    "fliplr, flipud": shared(lambda n, x: n.fliplr(n.flipud(x)), S3),
    "swapaxes, moveaxis": shared(
        lambda n, x: n.moveaxis(n.swapaxes(x, 0, 2), 0, 1), (2, 3, 4),
        torch=lambda t, x: t.moveaxis(t.swapaxes(x, 0, 2), 0, 1),
    ),
    "hstack, vstack": shared(
        lambda n, x, y: n.vstack([n.hstack([x, y]), n.hstack([y, x])]), S3, (2, 2),
        torch=lambda t, x, y: t.vstack([t.hstack([x, y]), t.hstack([y, x])]),
    ),
    "dstack, column_stack": shared(
        lambda n, x, y: n.dstack([n.column_stack([x, y]), n.column_stack([y, x])]), V, V
    ),
    "array_split": shared(lambda n, x: n.array_split(x, 2)[0], (5,)),
    "append, insert, delete": shared(
        lambda n, x, y: n.delete(n.insert(n.append(x, y), 1, y), 0), V, (2,)
    ),
    "block": shared(lambda n, x, y: n.block([[x, y], [y, x]]), (2, 2), (2, 2)),
    "pad, reflecting": shared(lambda n, x: n.pad(x, ((0, 0), (2, 1)), mode="reflect"), S3),
    "pad, wrapping": shared(lambda n, x: n.pad(x, ((1, 0), (0, 2)), mode="wrap"), S3),
    "pad, repeating the edge": shared(lambda n, x: n.pad(x, 2, mode="edge"), S3),
    "pad, symmetric": shared(lambda n, x: n.pad(x, 1, mode="symmetric"), S3),
    "meshgrid": shared(lambda n, x, y: n.stack(n.meshgrid(x, y)), V, (2,)),
    "vander": shared(
        lambda n, x: n.vander(x), V, torch=lambda t, x: t.linalg.vander(x).flip(-1)
    ),
    "choose": shared(lambda n, x, y: n.choose(np.array([0, 1, 1]), [x, y]), V, V),
    "select": shared(
        lambda n, x, y: n.select([x > 1.5, y > 1.0], [x * y, y], default=3.0), S3, S3
    ),
    "compress, extract": shared(
        lambda n, x: n.compress(np.array([True, False, True]), x, axis=1) * n.extract(
            np.array([[False, True, False], [False, False, True]]), x
        ), S3
    ),
    # differences, integrals, interpolation
    "diff": shared(lambda n, x: n.diff(x), S3, torch=lambda t, x: t.diff(x)),
    "diff, twice": shared(
        lambda n, x: n.diff(x, n=2, axis=0), (4, 2), torch=lambda t, x: t.diff(x, n=2, dim=0)
    ),
    "ediff1d": shared(lambda n, x: n.ediff1d(x), (5,)),
    "gradient": shared(
        lambda n, x: n.gradient(x), (5,), torch=lambda t, x: t.gradient(x)[0]
    ),
    "trapezoid": shared(
        lambda n, y, x: n.trapezoid(y, x), (5,), (5,), torch=lambda t, y, x: t.trapezoid(y, x)
    ),
    "interp": shared(lambda n, x, y: n.interp(x, np.array([0.0, 0.8, 1.5, 3.0]), y), (5,), (4,)),
    "polyval": shared(lambda n, p, x: n.polyval(p, x), V, S3),
    "clip": shared(
        lambda n, x: n.clip(x, 0.8, 1.4), S3, torch=lambda t, x: t.clip(x, 0.8, 1.4)
    ),
    "float_power": Row(
        ag.float_power, lambda t, x, y: t.float_power(x, y), None, (S3, V)
    ),
    # order
    "sort": shared(lambda n, x: n.sort(x), S3, torch=lambda t, x: t.sort(x)[0]),
    "sort of an axis": shared(lambda n, x: n.sort(x, axis=0), M3),
    "partition": shared(lambda n, x: n.sort(n.partition(x, 2)[:, :3]), (2, 5)),
    "ptp": shared(lambda n, x: n.ptp(x, axis=1), S3),
    "median": shared(
        lambda n, x: n.median(x, 1), (2, 4), torch=lambda t, x: t.quantile(x, 0.5, 1)
    ),
    "quantile": shared(
        lambda n, x: n.quantile(x, 0.3, 1), (2, 4), torch=lambda t, x: t.quantile(x, 0.3, 1)
    ),
    "percentile": shared(lambda n, x: n.percentile(x, np.array([10.0, 85.0]), axis=0), (4, 2)),
    # statistics
    "average": shared(lambda n, x, w: n.average(x, axis=1, weights=w), S3, V),
    "var of two axes": shared(lambda n, x: n.var(x, axis=(0, 2)), (2, 3, 4)),
    "cov": shared(lambda n, x: n.cov(x), S3, torch=lambda t, x: t.cov(x)),
    "corrcoef": shared(lambda n, x: n.corrcoef(x), (2, 4), torch=lambda t, x: t.corrcoef(x)),
    "nansum": shared(
        lambda n, x: n.nansum(holes(n, x), 1), S3, torch=lambda t, x: t.nansum(holes_(t, x), 1)
    ),
    "nanmean": shared(
        lambda n, x: n.nanmean(holes(n, x), 1), S3, torch=lambda t, x: t.nanmean(holes_(t, x), 1)
    ),
    "nanprod": shared(lambda n, x: n.nanprod(holes(n, x), 1), S3),
    "nanmax": shared(lambda n, x: n.nanmax(holes(n, x), 1), S3),
    "nanmin": shared(lambda n, x: n.nanmin(holes(n, x), 1), S3),
    "nanvar": shared(lambda n, x: n.nanvar(holes(n, x), 1), S3),
    "nanstd": shared(lambda n, x: n.nanstd(holes(n, x), 1), S3),
    "nancumsum": shared(lambda n, x: n.nancumsum(holes(n, x), axis=1), S3),
    "nancumprod": shared(lambda n, x: n.nancumprod(holes(n, x), axis=1), S3),
    "cumulative_sum": shared(lambda n, x: n.cumulative_sum(x, axis=1, include_initial=True), S3),
    # linear algebra
    "matrix_power": shared(
        lambda n, a: n.linalg.matrix_power(a, 3), M3,
        torch=lambda t, a: t.linalg.matrix_power(a, 3),
    ),
    "matrix_power, negative": shared(lambda n, a: n.linalg.matrix_power(a, -2), M3),
    "matrix_norm": Row(
        lambda a: ag.linalg.matrix_norm(a, ord="nuc"),
        lambda t, a: t.linalg.matrix_norm(a, "nuc"),
        lambda j, a: j.numpy.linalg.norm(a, "nuc"),
        (S3,),
    ),
    "matrix_norm, fro": shared(
        lambda n, a: n.linalg.norm(a, "fro"), S3, torch=lambda t, a: t.linalg.matrix_norm(a)
    ),
    "matrix_norm, 2": shared(
        lambda n, a: n.linalg.norm(a, 2), S3, torch=lambda t, a: t.linalg.matrix_norm(a, 2)
    ),
    "matrix_norm, 1": shared(
        lambda n, a: n.linalg.norm(a, 1), S3, torch=lambda t, a: t.linalg.matrix_norm(a, 1)
    ),
    "vector_norm, 1": shared(lambda n, a: n.linalg.norm(a, 1, axis=0), S3),
    "vector_norm, 3": shared(
        lambda n, a: n.linalg.norm(a, 3, axis=1), S3,
        torch=lambda t, a: t.linalg.vector_norm(a, 3, dim=1),
    ),
    "vector_norm, inf": shared(lambda n, a: n.linalg.norm(a, np.inf, axis=1), S3),
    "multi_dot": shared(
        lambda n, a, b, c: n.linalg.multi_dot([a, b, c]), S3, M3, (3, 2),
        torch=lambda t, a, b, c: t.linalg.multi_dot([a, b, c]),
    ),
    "tensorinv": shared(lambda n, a: n.linalg.tensorinv(n.reshape(a, (2, 3, 6)), 2), (6, 6)),
    "tensorsolve": shared(
        lambda n, a, b: n.linalg.tensorsolve(n.reshape(a, (2, 3, 6)), b), (6, 6), S3
    ),
    "solve of a vector": shared(lambda n, a, b: n.linalg.solve(a + 3 * np.eye(3), b), M3, V),
    "matrix_norm of pinv": shared(lambda n, a: n.linalg.norm(n.linalg.pinv(a)), (2, 3)),
    "cond": shared(lambda n, a: n.linalg.cond(a), M3, torch=lambda t, a: t.linalg.cond(a)),
    # Fourier transforms
    "fft2": shared(lambda n, x: n.abs(n.fft.fft2(x)), (2, 3, 4)),
    "ifft": shared(lambda n, x: n.real(n.fft.ifft(x, n=7)), S3),
    "rfftn": shared(lambda n, x: n.abs(n.fft.rfftn(x)), (2, 3, 4)),
    "irfft of real": shared(lambda n, x: n.fft.irfft(x, n=5), S3),
    "hfft": shared(lambda n, x: n.fft.hfft(x), S3),
    "fftshift": shared(lambda n, x: n.fft.fftshift(x, axes=1), S3),
}  # fmt: skip


def holes_(t: Any, x: Any) -> Any:
    return t.where(t.tensor(N3), t.tensor(np.nan), x)
