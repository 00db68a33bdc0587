"""Complex functions as functions of real arrays, so that the numeric referee can judge them.

`check` holds every derivative of a function against finite differences: a complex array counts as
two real ones. The convention that it holds the engine to is that of docs/complex.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.numeric import numeric_jvp, numeric_vjp

Array = Any


def outputs(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def apart(arrays: Sequence[Array], sign: float = 1.0) -> list[Array]:
    """Complex arrays as real and imaginary part; `sign=-1` for cotangents."""
    found = []
    for one in map(np.asarray, arrays):
        found += [one.real, sign * one.imag] if one.dtype.kind == "c" else [one]
    return [np.array(one) for one in found]


def together(parts: Sequence[Array], like: Sequence[Array]) -> list[Array]:
    """The arrays that `apart` took apart."""
    rest = iter(parts)
    return [
        next(rest) + 1j * next(rest) if np.asarray(one).dtype.kind == "c" else next(rest)
        for one in like
    ]


def realified(f: Callable[..., Any], arrays: Sequence[Array]) -> Callable[..., Any]:
    def of_reals(*parts: Array) -> tuple[Array, ...]:
        return tuple(apart(outputs(f(*together(parts, arrays)))))

    return of_reals


def random_like(rng: np.random.Generator, one: Any) -> Any:
    one = np.asarray(one)
    made = rng.normal(size=one.shape)
    return made + 1j * rng.normal(size=one.shape) if one.dtype.kind == "c" else made


def pairing(left: Sequence[Array], right: Sequence[Array]) -> float:
    """Re Σ left·right, without conjugation."""
    return float(sum(np.real(np.sum(a * b)) for a, b in zip(left, right, strict=True)))


def near(found: Array, wanted: Array, error: Array, eps: float) -> None:
    assert np.shape(found) == np.shape(wanted)
    scale = max(1.0, np.abs(wanted).max(initial=0.0))
    gap = np.abs(found - wanted)
    assert np.all(gap <= 20 * np.asarray(error) + eps * scale), f"{found}\nnot\n{wanted}"


def check(
    f: Callable[..., Any], *arrays: Array, seed: int = 0, eps: float = 1e-8, second: bool = True
) -> None:
    """VJP, JVP, adjoint identity and second order of f at these arrays, by numbers."""
    rng = np.random.default_rng(seed)
    ys = outputs(f(*arrays))
    cotangents = [random_like(rng, y) for y in ys]
    tangents = [random_like(rng, x) for x in arrays]
    value, pullback = ag.vjp(f, *arrays)
    for one, y in zip(outputs(value), ys, strict=True):
        np.testing.assert_allclose(one, y, rtol=1e-12, atol=1e-13)
        assert one.dtype == np.asarray(y).dtype
    several = isinstance(value, tuple | list)
    found = pullback(tuple(cotangents) if several else cotangents[0])
    assert [g.dtype for g in found] == [np.asarray(x).dtype for x in arrays]
    referee = numeric_vjp(realified(f, arrays), apart(arrays), tuple(apart(cotangents, -1.0)))
    for one, right in zip(apart(found, -1.0), referee, strict=True):
        near(one, right.value, right.error, eps)
    _, dots = ag.jvp(f, arrays, tangents)
    wanted, error = numeric_jvp(realified(f, arrays), apart(arrays), apart(tangents))
    for one, right, bound in zip(apart(outputs(dots)), wanted, error, strict=True):
        near(one, right, bound, eps)
    left, right = pairing(cotangents, outputs(dots)), pairing(found, tangents)
    assert abs(left - right) <= 1e-10 * (1 + abs(left))
    if second:
        check_second(f, arrays, cotangents, tangents, eps)


def check_second(
    f: Callable[..., Any],
    arrays: Sequence[Array],
    weights: Sequence[Array],
    tangents: Sequence[Array],
    eps: float,
) -> None:
    """Hessian times vector, forward over reverse and reverse over reverse, by differences."""
    every = tuple(range(len(arrays)))

    def loss(*xs: Any) -> Any:
        total: Any = 0.0
        for y, w in zip(outputs(f(*xs)), weights, strict=True):
            total = total + ag.sum(ag.real(y) ** 2 * w.real + ag.imag(y) ** 2 * w.imag)
            total = total + ag.sum(ag.real(y) * ag.imag(y))
        return total

    def slope(*xs: Any) -> tuple[Any, ...]:
        return tuple(ag.grad(loss, every)(*xs))

    found = ag.hvp(loss, arrays, tangents)
    wanted, error = numeric_jvp(realified(slope, arrays), apart(arrays), apart(tangents))
    for one, right, bound in zip(apart(found), wanted, error, strict=True):
        near(one, right, bound, 10 * eps)

    def along(*xs: Any) -> Any:
        return sum(ag.sum(ag.real(g * t)) for g, t in zip(slope(*xs), tangents, strict=True))

    for one, right in zip(ag.grad(along, every)(*arrays), found, strict=True):
        near(one, right, 0.0, 1e-8)
