"""The referee: right at every scale, honest about its error, and quiet about nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd_lite.errors import CompareError, DTypeError, ShapeError
from autograd_lite.numeric import (
    adjoint_gap,
    numeric_jacobian,
    numeric_jvp,
    numeric_vjp,
    symmetry_gap,
)

SCALES = [0.0, 1e-8, 1e-3, 1.0, 1e3, 1e8]
SMOOTH: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sin": (np.sin, np.cos),
    "square": (np.square, lambda x: 2 * x),
    "tiny slope": (lambda x: 1e-8 * x, lambda x: 1e-8 + 0 * x),
    "tiny slope on a mountain": (lambda x: 1e8 + 1e-8 * x, lambda x: 1e-8 + 0 * x),
    "rational": (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(np.minimum(x, 300)) ** 2),
    "log1p": (np.log1p, lambda x: 1 / (1 + x)),
}
POSITIVE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / (x * x)),
    "power": (lambda x: x**-1.5, lambda x: -1.5 * x**-2.5),
}


def one(f: Callable[..., Any], x: Any, cotangent: Any = None, **options: Any) -> Any:
    x = np.asarray(x, float)
    with np.errstate(all="ignore"):
        ones = np.ones(np.shape(f(x.copy()))) if cotangent is None else cotangent
    return numeric_vjp(f, [x], ones, **options)[0]


@pytest.mark.parametrize("complex_step", [False, True], ids=["differences", "complex"])
@pytest.mark.parametrize("x", SCALES)
@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_at_every_scale(name: str, x: float, complex_step: bool) -> None:
    f, derivative = SMOOTH[name]
    found = one(f, x, complex_step=complex_step)
    truth = derivative(np.float64(x))
    assert abs(found.value - truth) <= 2 * found.error + 1e-15 * abs(truth)
    # tanh at 1e3: the truth is beneath the rounding of f, and the error says so.
    assert found.error <= max(1e-7 * abs(truth), 1e-11 * min(1, 1 / max(x, 1e-3)))


@pytest.mark.parametrize("x", SCALES[1:])
@pytest.mark.parametrize("name", POSITIVE)
def test_no_step_leaves_the_domain_for_good(name: str, x: float) -> None:
    f, derivative = POSITIVE[name]
    # Beside an element of size 1 the first step of a small one reaches beyond 0.
    found = one(f, [x, 1.0], complex_step=False)
    truth = derivative(np.array([x, 1.0]))
    assert np.all(np.abs(found.value - truth) <= 2 * found.error + 1e-14 * np.abs(truth))
    assert np.all(found.error <= 1e-7 * np.abs(truth))


def test_one_step_does_not_fit_all_elements() -> None:
    x = np.array([1e-6, 1.0, 1e6, 1e8])
    found = one(np.sin, x, complex_step=False)
    assert np.all(np.abs(found.value - np.cos(x)) <= 1e-8)
    assert np.all(found.error < 1e-7)


def test_oscillation_faster_than_the_first_step() -> None:
    found = one(lambda x: np.sin(300 * x), 1.3, complex_step=False)
    assert abs(found.value - 300 * np.cos(390)) < 1e-6
    assert found.error < 1e-5


def test_complex_step_is_exact_and_named() -> None:
    found = one(lambda x: np.exp(x) / np.sqrt(np.sin(x) ** 3 + np.cos(x) ** 3), 1.5)
    assert found.method == "complex step"
    assert abs(found.value - 4.053427893898621) < 1e-14


@pytest.mark.parametrize(
    "f",
    [
        np.abs,
        lambda x: x + 1e-6 * np.abs(x),
        lambda x: np.real(x) ** 2 + 0 * x,
        lambda x: x * np.conj(x),
        lambda x: np.array(x, dtype=float) ** 2,
        lambda x: np.square(float(x)),
    ],
    ids=["abs", "a part of abs", "real", "conj", "casts", "refuses"],
)
def test_complex_step_is_not_believed_blindly(f: Callable[[Any], Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = one(f, 1.5)
    assert found.method == "central differences, Richardson"
    assert abs(found.value - (f(1.5 + 1e-5) - f(1.5 - 1e-5)) / 2e-5) < 1e-9


def test_complex_step_only_where_the_differences_bear_it_out() -> None:
    found = one(lambda x: np.where(np.real(x) > 0, x * x, 3 * np.real(x)), [2.0, -2.0])
    assert found.method == "complex step at 1, else differences"
    np.testing.assert_allclose(found.value, [4, 3], rtol=1e-12)


def test_kinks_are_reported_with_both_values() -> None:
    found = one(lambda x: np.maximum(x, 0), [0.0, -1.0, 2.0, 1e-7])
    assert found.kinks.tolist() == [True, False, False, False]
    np.testing.assert_allclose(found.left, [0, 0, 1, 1], atol=1e-11)
    np.testing.assert_allclose(found.right, [1, 0, 1, 1], atol=1e-11)
    np.testing.assert_allclose(found.lower, [0, 0, 1, 1], atol=1e-11)
    np.testing.assert_allclose(found.upper, [1, 0, 1, 1], atol=1e-11)


def test_a_curved_kink_is_no_smooth_point() -> None:
    found = one(lambda x: np.where(x > 0, np.exp(x), 1 - 2 * x + x * x), 0.0)
    assert bool(found.kinks)
    np.testing.assert_allclose([found.left, found.right], [-2, 1], atol=1e-7)


@pytest.mark.parametrize("f", [np.exp, lambda x: x**3, np.cos, lambda x: np.sin(40 * x)])
@pytest.mark.parametrize("x", SCALES[:4])
def test_a_smooth_point_is_no_kink(f: Callable[[Any], Any], x: float) -> None:
    assert not one(f, x, complex_step=False).kinks.any()


def test_the_border_of_a_domain_is_taken_from_one_side() -> None:
    found = one(lambda x: x * np.sqrt(x), [0.0, 4.0], complex_step=False)
    assert found.method == "central differences, Richardson; one-sided at 1"
    assert np.isnan(found.left[0])
    assert abs(found.value[0]) <= found.error[0] < 1e-9


def test_an_infinite_slope_is_not_called_certain() -> None:
    found = one(np.sqrt, 0.0)
    assert not found.error <= 1e-2 * abs(found.value)


def test_nan_is_nan_with_infinite_error() -> None:
    found = one(np.log, [-1.0, 2.0])
    assert np.isnan(found.value).all()
    assert np.isinf(found.error).all()


def test_an_infinite_output_elsewhere_does_no_harm() -> None:
    found = one(np.log, [0.0, 2.0])
    assert abs(found.value[1] - 0.5) < 1e-12
    assert np.isinf(found.error[0])


def test_steps_of_a_staircase() -> None:
    found = one(np.floor, [0.5, -3.2])
    assert found.value.tolist() == [0, 0]
    assert (found.error < 1e-12).all()


def test_float32_inputs_are_judged_in_float64() -> None:
    seen = []

    def f(x: Any) -> Any:
        seen.append(x.dtype)
        return np.sin(x)

    (found,) = numeric_vjp(f, [np.float32([0.5, 2])], np.ones(2), complex_step=False)
    assert set(seen) == {np.dtype(np.float64)}
    assert np.all(np.abs(found.value - np.cos([0.5, 2])) < 1e-12)


def test_float32_inside_widens_the_error() -> None:
    found = one(lambda x: np.sin(x.astype("f")), [0.5, 2.0])
    assert np.all(np.abs(found.value - np.cos([0.5, 2])) <= found.error)
    assert np.all(found.error > 1e-7)
    assert np.all(found.error < 1e-3)


def test_integers_and_lists_and_scalars() -> None:
    a, b = numeric_vjp(lambda x, y: x @ y, [[[1, 2]], np.array([[3], [4]])], [[1]])
    np.testing.assert_allclose(a.value, [[3, 4]], rtol=1e-14)
    np.testing.assert_allclose(b.value, [[1], [2]], rtol=1e-14)
    (c,) = numeric_vjp(lambda x: x**2, [3])
    assert c.value.shape == ()


def test_the_functions_own_mischief_reaches_nobody() -> None:
    x, g = np.array([1.0, 2.0]), np.array([1.0, 1.0])
    x.flags.writeable = g.flags.writeable = False
    buffer = np.zeros(2)

    def f(a: Any) -> Any:
        np.multiply(a, a, out=buffer)  # always the same array returned
        a[:] = -1
        return buffer

    (found,) = numeric_vjp(f, [x], g, complex_step=False)
    np.testing.assert_allclose(found.value, [2, 4], rtol=1e-12)
    assert x.tolist() == [1, 2]
    value, _ = numeric_jvp(f, [x], [g])
    np.testing.assert_allclose(value, [2, 4], rtol=1e-12)


def test_only_the_elements_asked_for() -> None:
    (found,) = numeric_vjp(np.exp, [np.zeros((2, 2))], np.ones((2, 2)), indices=[[3]])
    assert found.examined.tolist() == [[False, False], [False, True]]
    assert found.value[1, 1] == pytest.approx(1)
    assert np.isnan(found.value[0, 0])
    assert np.isinf(found.error[0, 0])
    (none,) = numeric_vjp(np.exp, [np.zeros((0, 2))], np.ones((0, 2)))
    assert none.value.shape == (0, 2)


def test_several_outputs() -> None:
    def f(x: Any, y: Any) -> Any:
        return x * y, (x + y).sum()

    dx, dy = numeric_vjp(f, [np.array([1.0, 2.0]), np.array([3.0, 4.0])], (np.array([1, 10]), 100))
    np.testing.assert_allclose(dx.value, [103, 140], rtol=1e-13)
    np.testing.assert_allclose(dy.value, [101, 120], rtol=1e-13)
    (first, second), (e1, e2) = numeric_jvp(
        f,
        [np.array([1.0, 2.0]), np.array([3.0, 4.0])],
        [np.array([1.0, 0.0]), np.array([0.0, 1.0])],
    )
    np.testing.assert_allclose(first, [3, 2], rtol=1e-12)
    np.testing.assert_allclose(second, 2, rtol=1e-12)
    assert np.all(e1 < 1e-10)
    assert e2 < 1e-10


@pytest.mark.parametrize("scale", SCALES[1:])
def test_directions_at_every_scale(scale: float, rng: np.random.Generator) -> None:
    x, v, w = scale * rng.normal(size=5), rng.normal(size=5), rng.normal(size=(4, 5))
    value, error = numeric_jvp(lambda a: np.tanh(w @ a / scale) * scale, [x], [v])
    truth = (1 - np.tanh(w @ x / scale) ** 2) * (w @ v)
    assert np.all(np.abs(value - truth) <= 2 * error + 1e-15)
    assert np.all(error < 1e-8 * np.abs(truth).max())


def test_jacobian(rng: np.random.Generator) -> None:
    w = rng.normal(size=(3, 2))
    value, error = numeric_jacobian(lambda x: w @ np.sin(x), np.array([[0.3], [2.0]]))
    assert value.shape == (3, 1, 2, 1)
    np.testing.assert_allclose(value[:, 0, :, 0], w * np.cos([0.3, 2.0]), rtol=1e-11)
    assert np.all(error < 1e-9)
    assert numeric_jacobian(np.sin, np.zeros((0,)))[0].shape == (0, 0)


def test_laws() -> None:
    w = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    g, v = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.7])
    assert adjoint_gap([w.T @ g], [v], g, w @ v)[2] < 1e-15
    assert adjoint_gap([-(w.T @ g)], [v], g, w @ v)[2] > 0.1
    assert adjoint_gap([1e-8 * (w.T @ g)], [v], g, -1e-8 * (w @ v))[2] > 0.1
    assert np.isnan(adjoint_gap([w.T @ g * np.nan], [v], g, w @ v)[2])
    h = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert symmetry_gap(lambda t: [h @ t[0]], [v], [g[:2]])[2] < 1e-15
    h[0, 1] = -1
    assert symmetry_gap(lambda t: [h @ t[0]], [v], [g[:2]])[2] > 0.1


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: numeric_vjp(np.exp, [np.zeros(3)], np.ones((3, 1))),
            ShapeError,
            "cotangent of shape (3, 1) for a result of shape (3,)",
        ),
        (
            lambda: numeric_vjp(np.exp, [np.zeros(3)]),
            ShapeError,
            "the function under test returned shape (3,); pass a cotangent of that shape",
        ),
        (
            lambda: numeric_vjp(np.exp, [np.array(["a"])]),
            DTypeError,
            "input 0 has dtype <U1, expected real numbers",
        ),
        (
            lambda: numeric_vjp(lambda x: x * 1j, [np.zeros(3)], np.ones(3)),
            DTypeError,
            "the function under test returned complex128, expected real numbers",
        ),
        (
            lambda: numeric_vjp(lambda x: x[x > 0], [np.array([0.0])], np.ones(0)),
            ShapeError,
            "the function under test returned shape (1,) at one point and (0,) at another",
        ),
        (
            lambda: numeric_jvp(np.exp, [np.zeros(3)], [np.zeros(2)]),
            ShapeError,
            "tangent 0 of shape (2,) for an input of shape (3,)",
        ),
        (
            lambda: numeric_jvp(np.exp, [np.zeros(3)], []),
            ShapeError,
            "0 tangents for 1 inputs; pass one per input",
        ),
        (
            lambda: numeric_vjp(np.exp, [np.zeros(3)], np.ones(3), indices=[]),
            CompareError,
            "0 index lists for 1 inputs; pass one each",
        ),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).splitlines()[0] == text
