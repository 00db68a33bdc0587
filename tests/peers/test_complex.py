"""Complex functions against JAX, whose convention is ours: docs/complex.md.

Of each function f of complex arguments: its value, VJP and JVP; of the real Σ g·|f|²/2 the gradient
and the derivative of that along a direction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

F = Callable[..., Any]
S3, M3, V = (2, 3), (3, 3), (3,)
INDEX = np.array([0, 2, 0])


def hermitian(n: Any, a: Any) -> Any:
    return a @ n.conj(a.mT) + 2.0 * np.eye(a.shape[-1])


POINTWISE = """
conj real imag abs angle square reciprocal negative positive sqrt exp exp2 expm1 log log2 log10
log1p sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh sinc
"""

# Functions of the namespace, whose names are those of NumPy, and of arrays of these shapes.
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    **{name: (lambda n, x, name=name: getattr(n, name)(x), S3) for name in POINTWISE.split()},
    # JAX gives z/|z| no derivative
    "sign": (lambda n, x: ag.sign(x) if n is ag.numpy else x / n.abs(x), S3),
    "add, broadcast": (lambda n, x, y: x + n.conj(y), S3, V),
    "multiply": (lambda n, x, y: x * y, S3, V),
    "divide": (lambda n, x, y: x / y, S3, V),
    "power": (lambda n, x, y: x**y, S3, V),
    "power, whole": (lambda n, x: x**3 + x**-2, S3),
    "not holomorphic": (lambda n, x: n.conj(x) * x**2 + n.abs(x) * n.exp(1j * n.angle(x) / 2), S3),
    "from real parts": (lambda n, x: n.real(x) ** 2 + 1j * n.sin(n.imag(x)), S3),
    "polar": (lambda n, x: n.abs(x) * n.exp(1j * n.real(x)), S3),
    "where": (lambda n, x, y: n.where(n.abs(x) > n.abs(y), x, y * 2), S3, V),
    "sum": (lambda n, x: n.sum(x, axis=1), S3),
    "mean": (lambda n, x: n.mean(x, axis=0), S3),
    "prod": (lambda n, x: n.prod(x, axis=1), S3),
    "var": (lambda n, x: n.var(x, axis=1), S3),
    "std": (lambda n, x: n.std(x, axis=1), S3),
    "cumsum": (lambda n, x: n.cumsum(x, axis=1), S3),
    "cumprod": (lambda n, x: n.cumprod(x, axis=1), S3),
    "indices": (lambda n, x: x[:, INDEX] * x[:, ::-1], S3),
    "concat, reshape": (lambda n, x, y: n.reshape(n.concat([x, y[None]]), (-1,)) * 1j, S3, V),
    "pad, roll": (lambda n, x: n.roll(n.pad(x, 1), 2, axis=1), S3),
    "tril": (lambda n, x: n.tril(x), M3),
    "matmul": (lambda n, x, y: x @ y, (2, 2, 3), M3),
    "einsum": (lambda n, x, y: n.einsum("ij,kj->ik", x, n.conj(y)), S3, M3),
    "vdot": (lambda n, x, y: n.vdot(x, y), S3, S3),
    "vecdot": (lambda n, x, y: n.vecdot(x, y), S3, S3),
    "outer": (lambda n, x, y: n.outer(x, y), V, V),
    "kron": (lambda n, x, y: n.kron(x, y), S3, (2, 2)),
    "cross": (lambda n, x, y: n.linalg.cross(x, y), S3, S3),
    "convolve": (lambda n, x, y: n.convolve(x, y), (5,), V),
    "correlate": (lambda n, x, y: n.correlate(x, y, "full"), (5,), V),
    "inv": (lambda n, a: n.linalg.inv(a), M3),
    "solve": (lambda n, a, b: n.linalg.solve(a, b), M3, (3, 2)),
    "det": (lambda n, a: n.linalg.det(a), M3),
    "slogdet": (lambda n, a: n.linalg.slogdet(a)[0] * n.linalg.slogdet(a)[1], M3),
    "pinv": (lambda n, a: n.linalg.pinv(a), (3, 2)),
    "matrix_power": (lambda n, a: n.linalg.matrix_power(a, 3), M3),
    "cholesky": (lambda n, a: n.linalg.cholesky(hermitian(n, a)), M3),
    "eigvalsh": (lambda n, a: n.linalg.eigvalsh(hermitian(n, a)), M3),
    "eigh": (lambda n, a: n.abs(n.linalg.eigh(hermitian(n, a))[1]) ** 2, M3),
    "svdvals": (lambda n, a: n.linalg.svdvals(a), (3, 2)),
    "svd": (lambda n, a: n.abs(n.linalg.svd(a, full_matrices=False)[0]) ** 2, (3, 2)),
    "qr": (lambda n, a: n.abs(n.linalg.qr(a)[0]) ** 2, (3, 2)),
    "norm": (lambda n, a: n.linalg.norm(a, axis=1), S3),
    "norm, 3": (lambda n, a: n.linalg.norm(a, 3, axis=1), S3),
    "norm of matrices": (lambda n, a: n.linalg.norm(a, "nuc"), S3),
    "fft": (lambda n, x: n.fft.fft(x, axis=0), S3),
    "ifft": (lambda n, x: n.fft.ifft(x, n=5), S3),
    "fft2": (lambda n, x: n.fft.fft2(x, norm="ortho"), S3),
    "irfft": (lambda n, x: n.fft.irfft(x, n=5), S3),
    "hfft": (lambda n, x: n.fft.hfft(x), S3),
    "fftshift": (lambda n, x: n.fft.fftshift(x), S3),
}


def noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def agree(found: Any, wanted: Any, rtol: float = 1e-10) -> None:
    assert np.asarray(found).dtype == np.asarray(wanted).dtype
    scale = np.abs(wanted).max(initial=1.0)
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol * scale / 10)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jax_agrees(name: str, jax: Any, rng: np.random.Generator) -> None:
    f, *shapes = FUNCTIONS[name]
    ours: F = lambda *xs: f(ag.numpy, *xs)
    theirs: F = lambda *xs: f(jax.numpy, *xs)
    xs = [rng.uniform(0.4, 1.4, s) + 1j * rng.uniform(-0.8, 0.8, s) for s in shapes]
    vs = [noise(rng, shape) for shape in shapes]
    arrays, directions = (tuple(map(jax.numpy.asarray, each)) for each in (xs, vs))
    y, pullback = ag.vjp(ours, *xs)
    z, other_pullback = jax.vjp(theirs, *arrays)
    agree(y, z)
    g = noise(rng, np.shape(y)) if np.iscomplexobj(y) else rng.normal(size=np.shape(y))
    for one, other in zip(pullback(g), other_pullback(jax.numpy.asarray(g)), strict=True):
        agree(one, other)
    agree(ag.jvp(ours, xs, vs)[1], jax.jvp(theirs, arrays, directions)[1])

    def loss(n: Any, *xs: Any) -> Any:
        return n.sum(n.abs(f(n, *xs)) ** 2 * g.real) / 2

    every = tuple(range(len(xs)))
    gradient = jax.grad(lambda *xs: loss(jax.numpy, *xs), every)
    first, second = jax.jvp(gradient, arrays, directions)
    for one, other in zip(ag.grad(lambda *xs: loss(ag.numpy, *xs), every)(*xs), first, strict=True):
        agree(one, other)
    found = ag.jvp(ag.grad(lambda *xs: loss(ag.numpy, *xs), every), xs, vs)[1]
    for one, other in zip(found, second, strict=True):
        agree(one, other, 1e-9)
