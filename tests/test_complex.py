"""Complex numbers: every operator of the registry, and the convention of docs/complex.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.recording import apply
from autograd_lite.rules import FUNCTIONS, OPS
from tests.laws import Case, cases
from tests.realified import check

Z = np.array([1.5 + 0.5j, -0.75 + 2.0j, 0.25 - 1.25j])


def complex_cases() -> list[Case]:
    """The cases of every operator that NumPy computes for complex numbers."""
    found = []
    for op in OPS.values():
        if not op.differentiable or op.probe is not None:
            continue
        usual = cases(op).usual
        sized = [case for case in usual if all(map(np.size, case.arrays(case.rng())))]
        for case in sized[:2]:
            try:
                case.forward(*operands(case))
            except (TypeError, ValueError, np.exceptions.ComplexWarning):
                continue
            found.append(case)
    return found


def operands(case: Case, *, mixed: bool = False) -> list[Any]:
    """Complex arrays where derivatives flow; of a mixture the first stays real."""
    rng = case.rng()
    arrays = case.arrays(rng)
    low, high = case.op.domain
    for k, i in enumerate(case.floating()):
        if not (mixed and k == 0):
            arrays[i] = arrays[i] + 0.5j * rng.uniform(low, high, np.shape(arrays[i]))
    return arrays


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("case", complex_cases(), ids=str)
def test_every_operator_takes_complex_numbers(case: Case, mixed: bool) -> None:
    arrays, chosen = operands(case, mixed=mixed), case.floating()

    def f(*xs: Any) -> Any:
        full = list(arrays)
        for i, x in zip(chosen, xs, strict=True):
            full[i] = x
        return apply(case.op, full, case.params)

    try:
        check(f, *[arrays[i] for i in chosen], eps=1e-7)
    except ag.errors.GradientError as error:  # SciPy has no derivative of it for complex numbers
        if "not supported for" not in str(error):
            raise


@pytest.mark.parametrize("case", complex_cases(), ids=str)
def test_a_gradient_has_its_inputs_dtype(case: Case) -> None:
    arrays, chosen = operands(case, mixed=True), case.floating()
    narrow = [np.asarray(arrays[i]) for i in chosen]
    narrow = [x.astype(np.complex64 if x.dtype.kind == "c" else np.float32) for x in narrow]
    leaves = [ag.tensor(x) for x in narrow]
    for i, leaf in zip(chosen, leaves, strict=True):
        arrays[i] = leaf
    y = apply(case.op, arrays, case.params)
    y.backward(np.ones(y.shape, y.dtype))
    for leaf, x in zip(leaves, narrow, strict=True):
        assert leaf.grad.dtype == x.dtype
        assert leaf.grad.shape == x.shape


# the convention


def test_the_gradient_of_a_real_function() -> None:
    """∂f/∂x − i ∂f/∂y."""
    (gx, gy) = ag.grad(lambda x, y: ag.sum(x**2 * y), (0, 1))(Z.real, Z.imag)
    g = ag.grad(lambda z: ag.sum(ag.real(z) ** 2 * ag.imag(z)))(Z)
    np.testing.assert_allclose(g, gx - 1j * gy)


def test_a_holomorphic_function_has_its_derivative() -> None:
    _, pullback = ag.vjp(lambda z: np.sin(z) * z, Z)
    np.testing.assert_allclose(pullback(np.ones(3))[0], np.cos(Z) * Z + np.sin(Z))
    _, dot = ag.jvp(lambda z: np.sin(z) * z, [Z], [np.ones(3)])
    np.testing.assert_allclose(dot, np.cos(Z) * Z + np.sin(Z))


def test_a_real_input_gets_the_real_part() -> None:
    x = np.array([0.5, 2.0])
    g = ag.grad(lambda x: ag.sum(ag.real(np.exp(1j * x))))(x)
    np.testing.assert_allclose(g, -np.sin(x))
    assert g.dtype == np.float64


def test_a_descent_step_goes_against_the_conjugate() -> None:
    f = lambda z: ag.sum(ag.abs(z - (2 + 1j)) ** 2)
    assert f(Z - 0.1 * np.conj(ag.grad(f)(Z))) < f(Z)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: ag.abs(z) ** 3,
        lambda z: ag.angle(z) * ag.real(z),
        lambda z: ag.angle(z, deg=True),
        lambda z: ag.conj(z) * z**2,
        lambda z: ag.sign(z) * ag.imag(z),
        lambda z: z ** (1.5 - 0.5j),
        lambda z: ag.real(z) ** z,
        lambda z: z.real * 1j + z.imag,
        lambda z: z.conj() / z,
        lambda z: ag.astype(ag.real(z), np.complex128) * z,
        lambda z: ag.var(z) * ag.std(z) * ag.mean(z),
        lambda z: ag.exp(1j * ag.real(z)),
    ],
)
def test_functions_that_are_not_holomorphic(f: Any) -> None:
    check(f, np.abs(Z.real) + 1j * Z.imag)


@pytest.mark.parametrize(
    "f",
    [
        np.cov, np.corrcoef, np.vdot, np.vecdot, np.convolve, np.correlate, np.kron, np.inner,
        lambda a, b: np.correlate(a[:2], b, "valid"), lambda a, b: np.correlate(a[:2], b, "full"),
        lambda a, b: np.einsum("i,j->ij", a, b), lambda a, b: np.average(a, weights=b.real**2),
        lambda a, b: np.nanvar(a) * np.nanstd(b), lambda a, b: np.nansum(a) * np.nanprod(b),
        lambda a, b: np.cumprod(a) * np.cumsum(b), lambda a, b: np.sort(a) * np.median(b),
        lambda a, b: np.max(a) * np.min(b), lambda a, b: np.interp(0.5, [0.0, 1.0, 2.0], a) * b,
        lambda a, b: np.arcsinh(a) * np.arctan(b), lambda a, b: np.sinc(a) * np.tan(b),
    ],
)  # fmt: skip
def test_everyday_functions_give_numpys_values(f: Any) -> None:
    other = np.array([0.5 - 0.25j, 1.25 + 0.5j, -1.0 - 1.0j])
    try:
        wanted = f(Z, other)
    except TypeError:
        return  # NumPy itself does not compute it
    found = f(ag.tensor(Z), ag.tensor(other))
    np.testing.assert_allclose(found.data, wanted, rtol=1e-12, atol=1e-14)
    check(f, Z, other, eps=1e-7)


def test_numbers_that_are_nan() -> None:
    z = np.array([1 + 2j, complex(np.nan, 1), 3 - 1j])
    for f in (np.nansum, np.nanmean, np.nanvar, np.nanprod, np.nanmax):
        np.testing.assert_allclose(f(ag.tensor(z)).data, f(z), rtol=1e-12)


def test_real_numbers_through_the_complex_functions() -> None:
    x = np.array([-1.5, 2.0])
    for name in ("real", "conj", "imag", "angle"):
        f = FUNCTIONS[name]
        np.testing.assert_array_equal(f(ag.tensor(x)).data, getattr(np, name)(x), strict=True)
        wanted = 1.0 if name in ("real", "conj") else 0.0
        np.testing.assert_array_equal(ag.grad(lambda x, f=f: ag.sum(f(x)))(x), [wanted] * 2)


def test_kinks_at_zero() -> None:
    zero = np.zeros(2, np.complex128)
    np.testing.assert_array_equal(ag.grad(lambda z: ag.sum(ag.abs(z)))(zero), zero)
    np.testing.assert_array_equal(ag.grad(lambda z: ag.sum(ag.real(ag.sign(z))))(zero), zero)


def test_what_has_no_gradient_says_so() -> None:
    with pytest.raises(ag.errors.GradientError, match="it is two real ones"):
        ag.grad(lambda z: ag.sum(z * z))(Z)
    with pytest.raises(ag.errors.GradientError, match="Jacobian"):
        ag.jacobian(lambda z: z * z)(Z)
    with pytest.raises(ag.errors.DTypeError, match="complex cotangent of a real output"):
        ag.vjp(ag.abs, Z)[1](Z)
    with pytest.raises(ag.errors.DTypeError, match="complex tangent of a real array"):
        ag.jvp(ag.exp, [Z.real], [Z])
    with pytest.raises(ag.errors.DTypeError, match="do not fit into float64"):
        ag.tensor(Z, dtype=np.float64)


def test_a_derivative_along_nothing_is_complex_too() -> None:
    value, dot = ag.jvp(lambda x: ag.constant(Z), [1.0], [1.0])
    assert value.dtype == dot.dtype == np.complex128


def test_primitives_of_the_users_own_may_be_complex() -> None:
    square = ag.primitive(lambda z: z * z, vjp=lambda g, y, z: g * 2 * z, name="square_of_mine")
    check(square, Z, second=True)


# checks of complex functions, and complex derivatives


@pytest.mark.parametrize(
    ("f", "count"),
    [(lambda z: np.sin(z) * z, 1), (lambda z: ag.sum(ag.abs(z) ** 2), 1),
     (lambda z, w: ag.conj(z) * w, 2), (lambda z: (ag.real(z), z * z), 1)],
)  # fmt: skip
@pytest.mark.parametrize("kind", [np.complex64, np.complex128])
def test_gradcheck_takes_complex_numbers(
    f: Any, count: int, kind: Any, rng: np.random.Generator
) -> None:
    arrays = [(rng.normal(size=3) + 1j * rng.normal(size=3)).astype(kind) for _ in range(count)]
    assert ag.gradcheck(f, *arrays).ok
    assert [row.name for row in ag.gradcheck(f, *arrays).rows][:2] == ["dRe z", "dIm z"]


def test_gradcheck_of_a_complex_result_of_real_numbers() -> None:
    x, g = np.array([0.5, -1.0]), np.array([1 + 2j, -1j])
    report = ag.gradcheck(lambda x: np.exp(1j * x), x, cotangent=g)
    assert report.ok
    np.testing.assert_allclose(report.rows[0].automatic, (g * 1j * np.exp(1j * x)).real)


@pytest.mark.parametrize("slip", [np.conj, np.negative, lambda d: 1j * d])
def test_gradcheck_sees_a_slip_of_the_convention(slip: Any) -> None:
    wrong = ag.primitive(lambda z: z * z, vjp=lambda g, y, z: g * slip(2 * z), name="wrong")
    report = ag.gradcheck(wrong, np.array([1 + 2j, 0.5 - 1j]))
    assert {"dRe z", "dIm z"} <= {row.name for row in report.rows if not row.ok}


def test_derivatives_of_holomorphic_functions() -> None:
    z = np.array([0.5 + 1j, -1 + 2j])
    found = ag.grad(lambda z: ag.sum(z**3), holomorphic=True)(z)
    np.testing.assert_allclose(found, 3 * z**2, rtol=1e-15)
    value, found = ag.value_and_grad(lambda z: ag.sum(np.exp(z)), holomorphic=True)(z)
    np.testing.assert_allclose(found, np.exp(z), rtol=1e-15)
    assert value == np.sum(np.exp(z))
    found = ag.jacobian(lambda z: z[::-1] * z[0], holomorphic=True)(z)
    np.testing.assert_allclose(found, [[z[1], z[0]], [2 * z[0], 0]])
    found = ag.hessian(lambda z: z[0] ** 2 * z[1], holomorphic=True)(z)
    np.testing.assert_allclose(found, [[2 * z[1], 2 * z[0]], [2 * z[0], 0]])


@pytest.mark.parametrize("derivative", [ag.grad, ag.jacobian, ag.hessian])
def test_holomorphic_functions_are_complex_on_both_sides(derivative: Any) -> None:
    with pytest.raises(ag.errors.DTypeError, match="an argument of dtype float64"):
        derivative(lambda x: ag.sum(x * 1j), holomorphic=True)(np.ones(2))
    with pytest.raises(ag.errors.DTypeError, match="a result that is not complex"):
        derivative(lambda z: ag.sum(ag.abs(z)), holomorphic=True)(np.ones(2) * 1j)


def test_the_sigmoid_of_complex_numbers(rng: np.random.Generator) -> None:
    z = np.array([1 + 2j, -1 + 0.5j, 800 + 1j, -800 - 1j, -3j])
    found = ag.nn.sigmoid(ag.tensor(z)).data
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(found[[0, 1, 4]], 1 / (1 + np.exp(-z[[0, 1, 4]])), rtol=1e-14)
    np.testing.assert_allclose(found[2:4], [1, 0], atol=1e-300)
    assert ag.gradcheck(ag.nn.sigmoid, z[:2]).ok
    with pytest.raises(ag.errors.DTypeError, match="more than one branch"):
        ag.softplus(ag.tensor(z))
