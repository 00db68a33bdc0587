"""Linear algebra: NumPy's values, derivatives by numbers (real, complex, batched) and PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import autograd_lite.numpy as agnp
from autograd_lite.rules import NUMPY
from tests.realified import check, outputs

Array = Any
la = np.linalg


def matrix(rng: np.random.Generator, *shape: int, kind: type = float) -> Array:
    """Well-conditioned numbers of a shape, real or complex."""
    x = rng.normal(size=shape)
    x = x + 1j * rng.normal(size=shape) if kind is complex else x
    return 0.4 * x + np.eye(*shape[-2:]) * np.arange(1, shape[-1] + 1)


def herm(x: Any) -> Any:
    return (x + ag.conj(x.mT)) / 2


def definite(x: Any) -> Any:
    return x @ ag.conj(x.mT) + np.eye(x.shape[-1])


def exponential(w: Any, v: Any) -> Any:
    return (v * ag.exp(w)[..., None, :]) @ ag.conj(v.mT)


def squared(w: Any, v: Any) -> Any:
    return (v * w[..., None, :] ** 2) @ la.inv(v)


def damped(u: Any, s: Any, vh: Any) -> Any:
    return (u * ag.exp(-s)[..., None, :]) @ vh


# functions of one square matrix; those of vectors are such that signs and phases do not matter
SQUARE: dict[str, Callable[[Any], Any]] = {
    "inv": la.inv,
    "det": la.det,
    "slogdet": lambda x: tuple(la.slogdet(x)),
    "expm": lambda x: ag.linalg.expm(x * 0.5),
    "power 5": lambda x: la.matrix_power(x, 5),
    "power -3": lambda x: la.matrix_power(x, -3),
    "power 0": lambda x: la.matrix_power(x, 0) * x,
    "cholesky": lambda x: la.cholesky(definite(x)),
    "cholesky upper": lambda x: la.cholesky(definite(x), upper=True),
    "eigvalsh": lambda x: la.eigvalsh(herm(x)),
    "eigh values": lambda x: la.eigh(herm(x)).eigenvalues,
    "eigh vectors": lambda x: ag.abs(la.eigh(herm(x)).eigenvectors) ** 2,
    "eigh both": lambda x: exponential(*la.eigh(herm(x))),
    "eigvals": lambda x: ag.sum(la.eigvals(x) ** 3, axis=-1),
    "eig": lambda x: squared(*la.eig(x)),
    "eig vectors": lambda x: ag.sum(ag.abs(la.eig(x).eigenvectors) ** 4, axis=(-2, -1)),
    "qr": lambda x: tuple(la.qr(x)),
    "r": lambda x: la.qr(x, mode="r"),
    "svdvals": la.svdvals,
    "svd values": lambda x: la.svd(x).S,
    "svd": lambda x: damped(*la.svd(x)),
    "svd left": lambda x: ag.abs(la.svd(x).U) ** 2,
    "svd right": lambda x: ag.abs(la.svd(x).Vh) ** 2,
    "pinv": la.pinv,
    "nuclear": lambda x: la.matrix_norm(x, ord="nuc"),
    "cond": la.cond,
    "cond 1": lambda x: ag.linalg.cond(x, 1),
    "trace": lambda x: la.trace(x, offset=1),
    "diagonal": lambda x: la.diagonal(x, offset=-1),
}
RECTANGULAR = ["qr", "r", "svdvals", "svd values", "svd", "svd left", "svd right", "pinv"]
RECTANGULAR += ["nuclear", "trace", "diagonal"]


def reduced(name: str) -> Callable[[Any], Any]:
    if not name.startswith("svd") or name == "svdvals":
        return SQUARE[name]
    part = {"svd values": 1, "svd left": 0, "svd right": 2}.get(name)

    def f(x: Any) -> Any:
        found = la.svd(x, full_matrices=False)
        if part is None:
            return damped(*found)
        return ag.abs(found[part]) ** 2

    return f


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("name", SQUARE)
def test_square_matrices(name: str, kind: type, rng: np.random.Generator) -> None:
    check(SQUARE[name], matrix(rng, 3, 3, kind=kind), eps=1e-7)
    if name not in ("eig", "eigvals"):
        check(SQUARE[name], matrix(rng, 2, 2, 2, kind=kind), eps=1e-7, second=False)
    check(SQUARE[name], matrix(rng, 1, 1, kind=kind) + 1, eps=1e-7, second=False)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("shape", [(4, 2), (2, 3), (2, 3, 2)], ids=str)
@pytest.mark.parametrize("name", RECTANGULAR)
def test_rectangles(
    name: str, shape: tuple[int, ...], kind: type, rng: np.random.Generator
) -> None:
    check(reduced(name), matrix(rng, *shape, kind=kind), eps=1e-7, second=len(shape) == 2)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize(
    ("a", "b"),
    [((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3,)), ((2, 1, 2, 2), (3, 2, 2))],
    ids=str,
)
def test_solve(a: Any, b: Any, kind: type, rng: np.random.Generator) -> None:
    check(la.solve, matrix(rng, *a, kind=kind), rng.normal(size=b), eps=1e-7, second=len(a) == 2)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("shape", [(4, 2), (2, 2), (2, 3)], ids=str)
def test_lstsq(shape: Any, kind: type, rng: np.random.Generator) -> None:
    a = matrix(rng, *shape, kind=kind)
    for b in (rng.normal(size=shape[0]), rng.normal(size=(shape[0], 2))):
        check(lambda a, b: la.lstsq(a, b)[0], a, b, eps=1e-7, second=b.ndim == 1)
        check(lambda a, b: ag.linalg.lstsq(a, b)[1] * 1.0, a, b, eps=1e-7, second=False)
        found, wanted = la.lstsq(ag.tensor(a), b), la.lstsq(a, b)
        for one, right in zip(found, wanted, strict=True):
            value = one.data if isinstance(one, ag.Tensor) else one
            np.testing.assert_allclose(value, right, rtol=1e-12, atol=1e-13)


NORMS: list[tuple[Any, Any]] = [
    *[(order, (-2, -1)) for order in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)],
    *[(order, 1) for order in (None, 1, 2, 3, 2.5, 0.5, -1, np.inf, -np.inf, 0)],
    (None, None),
    ("fro", (0, 2)),
    (2, (2, 0)),
]


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize(("order", "axis"), NORMS)
def test_norms(order: Any, axis: Any, kind: type, rng: np.random.Generator) -> None:
    x = (1 + 0.1 * rng.permutation(24).reshape(2, 3, 4)) * rng.choice([-1, 1], (2, 3, 4))
    x = x * np.exp(1j * rng.uniform(0, 6, x.shape)) if kind is complex else x  # far from kinks
    for keepdims in (False, True):
        wanted = la.norm(x, order, axis, keepdims)
        f = lambda x, k=keepdims: la.norm(x, order, axis, k)
        np.testing.assert_allclose(f(ag.tensor(x)).data, wanted, rtol=1e-13)
        check(f, x, eps=1e-7, second=not keepdims)


@pytest.mark.parametrize("order", [1, 2, 3.5, np.inf])
def test_the_norms_of_the_standard(order: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(2, 3, 2))
    for axis in (None, 1, (0, 2)):
        wanted = la.vector_norm(x, axis=axis, ord=order)
        found = la.vector_norm(ag.tensor(x), axis=axis, ord=order)
        np.testing.assert_allclose(found.data, wanted, rtol=1e-14)
        check(lambda x, axis=axis: la.vector_norm(x, axis=axis, ord=order), x, second=False)
    check(lambda x: la.matrix_norm(x, ord=1, keepdims=True), x, second=False)


@pytest.mark.parametrize("order", [None, 1, 2, 3, np.inf])
@pytest.mark.parametrize("kind", [float, complex])
def test_a_norm_at_zero_has_the_derivative_zero(order: Any, kind: type) -> None:
    x = np.zeros(3, kind)
    np.testing.assert_array_equal(ag.grad(lambda x: la.norm(x, order))(x), x)
    if kind is float:
        h = ag.hessian(lambda x: la.norm(x, order))(x)
        np.testing.assert_array_equal(h, np.zeros((3, 3)))
    for name in ("fro", "nuc", 2):
        flat = np.zeros((2, 3), kind)
        np.testing.assert_array_equal(
            ag.grad(lambda x, n=name: la.matrix_norm(x, ord=n))(flat), flat
        )


# products


def test_products(rng: np.random.Generator) -> None:
    a, b = matrix(rng, 2, 3, kind=complex), rng.normal(size=(2, 3))
    check(la.cross, a, b)
    check(lambda a, b: la.cross(a, b, axis=0), a.T, b.T)
    check(la.vecdot, a, b)
    check(lambda a, b: la.vecdot(a, b, axis=0), a, b)
    check(lambda a, b: la.outer(a[0], b[1]), a, b)
    check(lambda a, b: la.tensordot(a, b, axes=((0,), (0,))), a, b)
    check(lambda a, b: la.tensordot(a, b.mT, axes=1), a, b)
    check(la.tensordot, a, b)
    for f in (la.vecdot, lambda a, b: la.tensordot(a, b, axes=(1, 1)), la.cross):
        np.testing.assert_allclose(f(ag.tensor(a), b).data, f(a, b), rtol=1e-14)


def test_products_by_numpys_names(rng: np.random.Generator) -> None:
    a, b, v = rng.normal(size=(2, 3, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)
    calls: list[Callable[[Any, Any, Any], Any]] = [
        lambda a, b, v: np.outer(b, v),
        lambda a, b, v: np.tensordot(a, b, 1),
        lambda a, b, v: np.vecdot(a, v),
        lambda a, b, v: np.cross(a, b, axis=1),
        lambda a, b, v: np.cross(a, v, axisa=1, axisc=0),
        lambda a, b, v: np.trace(a, 1, 1, 2),
        lambda a, b, v: np.diagonal(a, -1),
        lambda a, b, v: np.diagonal(b) * np.diag(b),
        lambda a, b, v: np.diag(v, -1),
        lambda a, b, v: np.diag(b, 1),
    ]
    for f in calls:
        found = f(*map(ag.tensor, (a, b, v)))
        np.testing.assert_allclose(found.data, f(a, b, v), rtol=1e-14)
        check(f, a, b, v, second=False)


def test_chains_of_matrices(rng: np.random.Generator) -> None:
    parts = [rng.normal(size=s) for s in ((2, 5), (5, 3), (3, 4), (4, 1))]
    np.testing.assert_allclose(ag.linalg.multi_dot(parts), la.multi_dot(parts))
    check(lambda *xs: la.multi_dot(xs), *parts, second=False)
    check(lambda a, b, c: la.multi_dot([a, b, c]), parts[0][0], parts[1], rng.normal(size=3))


def test_tensors_as_matrices(rng: np.random.Generator) -> None:
    a = matrix(rng, 6, 6).reshape(2, 3, 6)
    check(la.tensorinv, a, second=False)
    np.testing.assert_allclose(la.tensorinv(ag.tensor(a)).data, la.tensorinv(a))
    a, b = matrix(rng, 6, 6).reshape(2, 3, 3, 2), rng.normal(size=(2, 3))
    check(la.tensorsolve, a, b, second=False)
    np.testing.assert_allclose(la.tensorsolve(ag.tensor(a), b).data, la.tensorsolve(a, b))
    a = a.transpose(2, 0, 1, 3)
    found = la.tensorsolve(ag.tensor(a), b, axes=(0, 3))
    np.testing.assert_allclose(found.data, la.tensorsolve(a, b, axes=(0, 3)))


def test_the_exponential_is_scipys(rng: np.random.Generator) -> None:
    linalg = pytest.importorskip("scipy.linalg", reason="SciPy is a tool of development alone")
    for scale in (0.0, 1e-3, 1.0, 30.0):
        x = scale * rng.normal(size=(4, 4))
        np.testing.assert_allclose(ag.linalg.expm(x), linalg.expm(x), rtol=1e-9, atol=1e-13)


# where derivatives do not exist, and where they do although values are equal


def test_equal_eigenvalues() -> None:
    eye = np.eye(3)
    np.testing.assert_allclose(ag.grad(lambda x: ag.sum(la.eigvalsh(x) ** 2))(eye), 2 * eye)
    np.testing.assert_allclose(ag.grad(lambda x: ag.sum(la.eigh(x).eigenvalues ** 2))(eye), 2 * eye)
    _, dot = ag.jvp(la.eigvalsh, [eye], [eye])
    np.testing.assert_allclose(dot, np.ones(3))
    for f in (
        lambda x: la.eigvalsh(x)[0],
        lambda x: la.eigh(x).eigenvalues[2],
        lambda x: ag.sum(la.eigh(x).eigenvectors),
        lambda x: ag.sum(ag.exp(la.eig(x).eigenvalues)),
        lambda x: ag.sum(la.eigvals(x)),
    ):
        with pytest.raises(ag.errors.GradientError, match="does not exist"):
            ag.grad(f)(eye)
    for g in (la.eigvalsh, la.eigh):
        with pytest.raises(ag.errors.GradientError, match="does not exist"):
            ag.jvp(g, [eye], [np.diag([1.0, 2.0, 3.0])])


def test_a_single_eigenvalue_beside_equal_ones() -> None:
    x = np.diag([0.0, 2.0, 2.0])
    g = ag.grad(lambda x: ag.sum(la.eigh(x).eigenvectors[:, 0] ** 4))(x)
    assert np.all(np.isfinite(g))
    np.testing.assert_allclose(
        ag.grad(lambda x: la.eigvalsh(x)[0])(x), np.diag([1.0, 0.0, 0.0]), atol=1e-15
    )


def test_equal_singular_values() -> None:
    x = 2 * np.eye(3)
    np.testing.assert_allclose(ag.grad(lambda x: la.matrix_norm(x, ord="nuc"))(x), np.eye(3))
    for f in (lambda x: la.matrix_norm(x, ord=2), lambda x: ag.sum(la.svd(x).U), la.cond):
        with pytest.raises(ag.errors.GradientError, match="does not exist"):
            ag.grad(f)(x)
    with pytest.raises(ag.errors.GradientError, match="does not exist"):
        ag.jvp(la.svd, [x], [x])


def test_singular_values_that_are_zero() -> None:
    x = np.outer([1.0, 2.0], [2.0, 1.0])
    g = ag.grad(lambda x: la.matrix_norm(x, ord="nuc"))(x)
    np.testing.assert_allclose(g, x / 5, atol=1e-15)
    with pytest.raises(ag.errors.GradientError, match="does not exist"):
        ag.grad(lambda x: ag.sum(la.svd(x).U))(x)


def test_results_that_hang_on_a_phase() -> None:
    x = np.array([[2.0, 1j], [-1j, 3.0]])
    for f in (la.eigh, la.eig):
        with pytest.raises(ag.errors.GradientError, match="phase"):
            ag.grad(lambda x, f=f: ag.sum(ag.imag(f(x).eigenvectors)))(x)
    with pytest.raises(ag.errors.GradientError, match="phase"):
        ag.grad(lambda x: ag.sum(ag.imag(la.svd(x).U)))(x)


def test_matrices_without_full_rank() -> None:
    x = np.ones((3, 2))
    for f in (
        lambda x: ag.sum(la.pinv(x)),
        lambda x: ag.sum(la.lstsq(x, np.ones(3))[0]),
        lambda x: ag.sum(la.qr(x).R),
    ):
        with pytest.raises(ag.errors.GradientError):
            ag.grad(f)(x)


def projector(v: Any) -> Any:
    return v @ v.mT.conj()


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (2, 5, 2)])
def test_full_decompositions(shape: tuple[int, ...], kind: type, rng: np.random.Generator) -> None:
    """Equal to NumPy's; the further vectors have the derivative of the space that they span."""
    x = matrix(rng, *shape, kind=kind)
    wide = shape == (2, 4)
    for found, wanted in (
        (la.svd(ag.tensor(x)), np.linalg.svd(x)),
        (la.qr(ag.tensor(x), mode="complete"), np.linalg.qr(x, mode="complete")),
    ):
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one.data, other, atol=1e-13)

    def further(x: Any) -> Any:
        u, _, vh = la.svd(x)
        return vh.mT.conj()[..., 2:] if wide else u[..., 2:]

    def columns(x: Any) -> Any:
        return la.qr(x, mode="complete").Q[..., 2:]

    for vectors in (further,) if wide else (further, columns):
        check(lambda x, f=vectors: projector(f(x)), x)
        with pytest.raises(ag.errors.GradientError, match="up to a rotation"):
            ag.grad(lambda x, f=vectors: ag.sum(ag.real(f(x))))(x)
    s = np.linalg.svdvals(x).sum()
    g = ag.grad(lambda x: la.svd(x).S.sum())(x)
    np.testing.assert_allclose(g, ag.grad(lambda x: la.svdvals(x).sum())(x), atol=1e-12)
    assert np.isclose(ag.sum(la.svd(x).S), s)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("rank", [0, 1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_determinant_of_singular_matrices(
    n: int, rank: int, kind: type, rng: np.random.Generator
) -> None:
    x = matrix(rng, n, min(n, rank), kind=kind) @ matrix(rng, min(n, rank), n, kind=kind)
    check(la.det, x, eps=1e-7)
    check(la.det, np.stack([x, np.eye(n)]), eps=1e-7, second=False)


def test_the_determinant_where_it_underflows() -> None:
    x = 1e-200 * np.eye(2)
    np.testing.assert_allclose(ag.grad(la.det)(x), x)


# bad input, and NumPy's protocol


def test_numpys_own_error_with_advice() -> None:
    singular = ag.tensor(np.ones((2, 2)))
    for f in (la.inv, lambda x: la.solve(x, np.ones(2)), lambda x: la.matrix_power(x, -1)):
        with pytest.raises(la.LinAlgError, match=r"Singular matrix[\s\S]*mend: ag.linalg.pinv"):
            f(singular)
    with pytest.raises(la.LinAlgError, match=r"positive definite[\s\S]*mend: "):
        la.cholesky(-singular)
    for g in (la.inv, la.det, la.slogdet, la.eig, la.eigh, la.eigvalsh, la.cholesky):
        with pytest.raises(la.LinAlgError, match=r"square[\s\S]*mend: "):
            g(ag.tensor(np.ones((2, 3))))
        with pytest.raises((la.LinAlgError, ValueError)):
            g(ag.tensor(np.ones(3)))
    assert issubclass(ag.errors.LinAlgError, la.LinAlgError)


def test_the_determinant_of_numbers_that_are_none() -> None:
    x = np.stack([np.full((2, 2), np.nan), np.ones((2, 2))])
    with np.errstate(invalid="ignore"):
        gradient = ag.grad(lambda x: la.det(x).sum())(x)
    assert np.isnan(gradient[0]).all()
    np.testing.assert_allclose(gradient[1], [[1, -1], [-1, 1]], rtol=1e-15)


def test_other_bad_input() -> None:
    t = ag.tensor(np.array([[1.0, 2.0], [0.0, 1.0]]))
    for f in (la.cholesky, la.eigh, la.eigvalsh):
        with pytest.raises(ValueError, match="not symmetric"):
            f(t)
    with pytest.raises(ValueError, match="matrix norm of order"):
        la.norm(t, ord=5)
    with pytest.raises(TypeError, match="mode="):
        la.qr(t, mode="raw")
    with pytest.raises(TypeError, match="exponent is an integer"):
        la.matrix_power(t, 0.5)
    with pytest.raises(ValueError, match="UPLO"):
        la.eigh(t, UPLO="X")
    with pytest.raises(ValueError, match="axes"):
        la.tensordot(t, np.ones(3), axes=1)
    with pytest.raises(ag.errors.GradientError, match="Singular matrix"):
        ag.grad(lambda x: la.slogdet(x)[1])(np.ones((2, 2)))


def test_several_outputs_are_numpys_named_tuples(rng: np.random.Generator) -> None:
    x = matrix(rng, 3, 3)
    for f in (la.eigh, la.eig, la.svd, la.qr, la.slogdet):
        argument = x + x.T if f is la.eigh else x
        found, wanted = f(ag.tensor(argument)), f(argument)
        assert type(found) is type(wanted)
        for one, right in zip(outputs(tuple(found)), outputs(tuple(wanted)), strict=True):
            np.testing.assert_allclose(one.data, right, rtol=1e-12, atol=1e-14)


def test_results_without_derivative(rng: np.random.Generator) -> None:
    rank = la.matrix_rank(ag.tensor(np.ones((2, 2))))
    assert not rank.tracked
    assert int(rank) == 1


def test_every_function_of_numpy_is_there() -> None:
    ours = set(ag.linalg.__all__)
    assert agnp.linalg is ag.linalg
    assert ours >= set(la.__all__) - {"LinAlgError"}
    missing = [
        name for name in la.__all__ if name != "LinAlgError" if getattr(la, name) not in NUMPY
    ]
    assert not missing
    assert all(getattr(ag.linalg, name).__doc__ for name in ours)


@pytest.mark.parametrize("name", sorted(SQUARE))
def test_float32_stays(name: str, rng: np.random.Generator) -> None:
    for kind in (np.float32, np.complex64):
        x = matrix(rng, 3, 3, kind=complex if kind is np.complex64 else float).astype(kind)
        g = ag.grad(lambda x: sum(ag.sum(ag.real(y)) for y in outputs(SQUARE[name](x))))(x)
        assert g.dtype == kind


# the same gradients as PyTorch

PEERS: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "inv": (la.inv, lambda m, x: m.inv(x)),
    "det": (la.det, lambda m, x: m.det(x)),
    "slogdet": (lambda x: la.slogdet(x)[1], lambda m, x: m.slogdet(x)[1]),
    "cholesky": (
        lambda x: la.cholesky(definite(x)),
        lambda m, x: m.cholesky(x @ x.mH + torch_eye(x)),
    ),
    "eigvalsh": (lambda x: la.eigvalsh(herm(x)), lambda m, x: m.eigvalsh((x + x.mH) / 2)),
    "eigh": (
        lambda x: ag.abs(la.eigh(herm(x)).eigenvectors),
        lambda m, x: m.eigh((x + x.mH) / 2).eigenvectors.abs(),
    ),
    "eigvals": (
        lambda x: ag.abs(ag.sum(la.eigvals(x) ** 3, axis=-1)),
        lambda m, x: (m.eigvals(x) ** 3).sum(-1).abs(),
    ),
    "svdvals": (la.svdvals, lambda m, x: m.svdvals(x)),
    "svd": (lambda x: ag.abs(la.svd(x).Vh), lambda m, x: m.svd(x).Vh.abs()),
    "pinv": (la.pinv, lambda m, x: m.pinv(x)),
    "expm": (ag.linalg.expm, lambda m, x: m.matrix_exp(x)),
    "qr": (lambda x: ag.abs(la.qr(x).R), lambda m, x: m.qr(x).R.abs()),
    "norm": (la.norm, lambda m, x: m.norm(x)),
    "nuclear": (lambda x: la.norm(x, "nuc"), lambda m, x: m.matrix_norm(x, "nuc")),
}


def torch_eye(x: Any) -> Any:
    return pytest.importorskip("torch", reason="PyTorch is of the extra `peers`").eye(
        x.shape[-1], dtype=x.dtype
    )


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("name", PEERS)
def test_the_gradients_of_pytorch(name: str, kind: type, rng: np.random.Generator) -> None:
    """PyTorch's gradient of a real function of complex numbers is the conjugate of ours."""
    torch = pytest.importorskip("torch", reason="PyTorch is of the extra `peers`")
    ours, theirs = PEERS[name]
    x = matrix(rng, 4, 4, kind=kind)
    weights = rng.normal(size=np.shape(ours(x)))
    real = lambda y: ag.sum(ag.real(y) * weights)
    t = torch.tensor(x, requires_grad=True)
    y = theirs(torch.linalg, t)
    ((y.real if y.is_complex() else y) * torch.tensor(weights)).sum().backward()
    found = ag.grad(lambda x: real(ours(x)))(x)
    wanted = t.grad.conj().resolve_conj().numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10 * np.abs(wanted).max())
