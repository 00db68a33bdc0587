"""The reverse sweep: what arrives at one array from many readers, right and without waste."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.numeric import numeric_vjp

MASK = np.array([[True, False, True], [False, True, True], [False, False, True], [True] * 3])
READS: dict[str, Callable[[Any], Any]] = {
    "an integer": lambda x: x[1],
    "a slice": lambda x: x[::-2],
    "a new axis": lambda x: x[None, ..., 0],
    "rows, some twice": lambda x: x[np.array([[0, -1, 0], [2, 2, 2]])],
    "elements, some twice": lambda x: x[np.array([3, 3, -4]), np.array([0, 0, -1])],
    "columns, one twice": lambda x: x[:, np.array([2, -1])],
    "columns, often": lambda x: x[:, np.array([2, 0, -1, 2, 2, 1])],
    "no rows": lambda x: x[np.array([], int)],
    "a number and rows": lambda x: x[np.array([0, 0]), 1],
    "a mask": lambda x: x[MASK],
    "taken rows": lambda x: ag.take(x, np.array([[1, 1], [-1, 0]]), axis=0),
    "taken columns": lambda x: ag.take(x, np.array([0, -3, 1]), axis=1),
    "a traced index": lambda x: x[ag.argmax(x, axis=0)],
    "all": lambda x: x * x,
}


@pytest.mark.parametrize("first", READS)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_reads_of_one_array_add_up(
    first: str, order: Any, dtype: Any, rng: np.random.Generator
) -> None:
    """Each read before and after all others; the tangents of all are the referee."""
    a = np.asarray(rng.normal(size=(4, 3)), dtype, order=order)
    reads = [READS[first], *READS.values()]
    reads = [f for f in reads if dtype != np.complex128 or f is not READS["a traced index"]]
    x = ag.tensor(a)
    ys = [f(x) for f in reads]
    gs = [np.asarray(rng.normal(size=y.shape), dtype) for y in ys]
    (gradient,) = ag.gradients(sum(ag.sum(y * g) for y, g in zip(ys, gs, strict=True)), [x],
                               None if dtype != np.complex128 else 1)  # fmt: skip
    wanted = sum(ag.vjp(f, a)[1](g)[0] for f, g in zip(reads, gs, strict=True))
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(gradient.numpy(), wanted, rtol=0, atol=100 * eps)
    assert gradient.dtype == dtype


def test_reads_against_finite_differences(rng: np.random.Generator) -> None:
    a = rng.normal(size=(4, 3))

    def f(x: Any) -> Any:
        return ag.concat([ag.ravel(read(x)) for read in READS.values()])

    y, pullback = ag.vjp(f, a)
    g = rng.normal(size=y.shape)
    np.testing.assert_allclose(
        pullback(g)[0], numeric_vjp(f, [a], g)[0].value, rtol=1e-7, atol=1e-8
    )


@pytest.mark.parametrize(
    "read",
    [lambda x, t: x[t], lambda x, t: x[t : t + 1], lambda x, t: ag.take(x, [t, t], axis=0),
     lambda x, t: x[np.array([t, 0])]],
)  # fmt: skip
def test_many_reads_make_one_dense_gradient(read: Any) -> None:
    x = ag.tensor(np.ones((50, 2)))
    loss = sum(ag.sum(read(x, t)) for t in range(50))
    with mock.patch.object(np, "zeros", wraps=np.zeros) as zeros:
        loss.backward()
    assert [call.args[0] for call in zeros.call_args_list].count((50, 2)) == 1
    assert x.grad.sum() == sum(read(np.ones((50, 2)), t).size for t in range(50))


def test_a_cotangent_that_others_hold_is_not_added_to() -> None:
    x = ag.tensor(np.ones(3), name="x")
    y = ag.sum(x[1:]) + ag.sum(x[:2])
    seed = np.arange(3.0)
    g = ag.tensor(seed)
    inner, outer = ag.gradients(ag.sum(x * g) + y, [x, g])
    np.testing.assert_array_equal(inner.numpy(), np.array([1.0, 3.0, 3.0]))
    np.testing.assert_array_equal(outer.numpy(), np.ones(3))
    np.testing.assert_array_equal(seed, np.arange(3.0))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_parts_of_which_some_are_unused_or_used_twice(axis: int, rng: np.random.Generator) -> None:
    a = rng.normal(size=(4, 6))

    def f(x: Any) -> Any:
        first, _, third = ag.split(x, [1, 3], axis=axis)
        several = ag.unstack(x, axis=axis)
        return ag.sum(first * first) + ag.sum(third) + ag.sum(several[1] * several[3])

    np.testing.assert_allclose(
        ag.grad(f)(a), numeric_vjp(f, [a], np.float64(1))[0].value, atol=1e-8
    )
    (curved,) = ag.hvp(f, [a], [np.ones_like(a)])
    wanted = numeric_vjp(lambda x: ag.sum(ag.grad(f)(x)), [a], np.float64(1))[0].value
    np.testing.assert_allclose(curved, wanted, atol=1e-7)


def test_a_released_index_is_computed_again() -> None:
    x = ag.tensor([[3.0, 1.0], [2.0, 5.0]])
    y = ag.sum(x[ag.argmax(x, axis=0)]) + ag.sum(x[ag.argmin(x, axis=0)])
    y.backward(release=True)
    y.backward()
    np.testing.assert_array_equal(x.grad, 2 * np.full((2, 2), 2.0))
