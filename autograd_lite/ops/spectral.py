"""Decompositions of matrices: Cholesky, eigenvalues, singular values, QR.

Factors are unique only up to signs (or phases), and only while eigenvalues or singular values
differ: where a derivative does not exist, the rules raise. Rules that conjugate work with the
conjugate of the cotangent, whose pairing is Re tr(ḠᴴdY). Imports errors, recording, rules, shapes,
NumPy, linalg, and the operators that the rules need.

Sources: M. Giles, "An extended collection of matrix derivative results" (2008); J. Townsend,
"Differentiating the singular value decomposition" (2016); PyTorch's FunctionsManual.cpp and JAX's
linalg.py for the complex cases.
"""

from typing import Any

import numpy as np

from autograd_lite.errors import (
    AutogradError,
    DomainError,
    GradientError,
    LinAlgError,
    UnsupportedError,
)
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.linalg import adjoint, columns, diagonal_of, is_complex, seen, solve, sound
from autograd_lite.ops.pointwise import conj, imag, real, where
from autograd_lite.ops.reductions import sum as total
from autograd_lite.ops.shaping import as_array, astype, concat
from autograd_lite.rules import general, public
from autograd_lite.tensors import plain_value

_MATRICES: Any = [(((3, 3),), {}), (((2, 2, 2),), {})]


def _rows(x: Any) -> Any:
    return getitem(x, (..., None, slice(None)))


def _scaled_identity(x: Any) -> Any:
    """Vectors as diagonal matrices."""
    return columns(x) * np.eye(x.shape[-1], dtype=x.dtype)


def _right_solve(x: Any, a: Any) -> Any:
    """The product x·a⁻¹."""
    return solve(a.mT, x.mT).mT


# Hermitian matrices


def _hermitian(x: Any) -> Any:
    """The Hermitian part, which for a Hermitian matrix is the matrix to the last bit."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    turned = x.mT.conj()
    if x.size and np.abs(x - turned).max() > 0.2 * np.abs(x).max():
        raise DomainError(
            "the matrix is not symmetric (Hermitian); NumPy would read one triangle of it alone",
            mend="(a + a.mT) / 2 for its symmetric part, or ag.tril(a) + ag.tril(a, -1).mT",
        )
    return (x + turned) / 2


def _halved(x: Any) -> Any:
    """The Hermitian part of what a rule computes."""
    return (x + adjoint(x)) * 0.5


def _definite(x: Any) -> Any:
    """A probe's matrix: symmetric, positive definite, of well separated eigenvalues."""
    x = sound(x)
    steps = np.diag(np.arange(x.shape[-1], dtype=x.dtype))
    return (x @ x.mT) * 0.2 + steps


def _lower(x: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    n = x.shape[-1]
    return x * (np.tril(np.ones((n, n), x.dtype)) - 0.5 * np.eye(n, dtype=x.dtype))


def _pull_cholesky(g: Any, y: Any, x: Any) -> Any:
    inner = _lower(adjoint(y) @ conj(g))
    return conj(_halved(_right_solve(solve(adjoint(y), inner), y)))


def _push_cholesky(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    return y @ _lower(_right_solve(solve(y, _halved(ts[0])), adjoint(y)))


_cholesky = general(
    "cholesky", lambda x: np.linalg.cholesky(_hermitian(x)), [_pull_cholesky], _push_cholesky,
    symbol="chol", text="chol {0}", latex=r"\mathrm{{chol}}\, {0}",
    local=["sym(L⁻ᵀ·low(Lᵀ·G)·L⁻¹)"], array_names=("x",), samples=_MATRICES,
    code="np.linalg.cholesky(({0} + {0}.mT.conj()) / 2)",
    probe=lambda call, x: call(_definite(x)), doc="The lower factor L of x = L Lᴴ.",
)  # fmt: skip


@public(np.linalg.cholesky, room="linalg")
def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """The lower triangular L of x = L Lᴴ, or with ``upper`` the U of x = Uᴴ U.

    ``x`` is symmetric (Hermitian) and positive definite, else ``LinAlgError``; the derivative is
    that of the symmetric part, so that the gradient is symmetric.

    >>> import autograd_lite as ag
    >>> ag.linalg.cholesky(ag.tensor([[4.0, 2.0], [2.0, 2.0]]))
    Tensor([[2., 0.],
            [1., 1.]])
    """
    y = _cholesky(as_array(x))
    return adjoint(y) if upper else y


# eigenvalues: what is close, and whether that matters


def _equal_pairs(values: Any, size: Any = None) -> Any:
    """Which pairs of (plain) eigenvalues or singular values cannot be told from each other."""
    values = np.asarray(plain_value(values))
    n = values.shape[-1]
    eps = np.finfo(values.dtype).eps
    bound = 8 * max(n, 1) * eps * np.abs(values).max(axis=-1, initial=0.0)[..., None, None]
    gap = np.abs(values[..., None, :] - values[..., :, None])
    return (gap <= bound) & ~np.eye(n, dtype=bool)


def _no_derivative(who: str, what: str) -> GradientError:
    return GradientError(
        f"{who}: {what}, so that the derivative does not exist",
        mend="use a function that does not need them one by one (trace, det, solve, matrix_norm, "
        "matrix_power), or move the matrix a little",
    )


def _check_vectors(who: str, pairs: Any, *cotangents: Any) -> None:
    """Raise if a vector is used that belongs to a value which is not single."""
    for g in cotangents:
        if g is None:
            continue
        used = np.any(np.asarray(plain_value(g)) != 0, axis=-2)
        if np.any(pairs & (used[..., None, :] | used[..., :, None])):
            raise _no_derivative(who, "two of the values are equal, and their vectors are used")


def _check_weights(who: str, pairs: Any, weights: Any) -> None:
    """Raise if equal values are weighed differently: sorted, each alone has no derivative."""
    if not np.any(pairs):
        return
    w = np.asarray(plain_value(weights))
    gap = np.abs(w[..., None, :] - w[..., :, None])
    if np.any(pairs & (gap > 1e-8 * np.abs(w).max(initial=0.0))):
        raise _no_derivative(who, "equal values are not treated alike")


def _check_direction(who: str, pairs: Any, moved: Any) -> None:
    """Raise if equal values part along a direction."""
    if not np.any(pairs):
        return
    m = np.asarray(plain_value(moved))
    ends = np.diagonal(m, axis1=-2, axis2=-1)
    gap = np.abs(m) + np.abs(ends[..., None, :] - ends[..., :, None])
    if np.any(pairs & (gap > 1e-8 * np.abs(m).max(initial=0.0))):
        raise _no_derivative(who, "equal values part in this direction")


def _check_phase(who: str, product: Any) -> None:
    """Raise if a result depends on the phase of complex vectors, which is arbitrary."""
    m = np.asarray(plain_value(product))
    if m.dtype.kind != "c" or not m.size:
        return
    ends = np.diagonal(m, axis1=-2, axis2=-1)
    digits = np.sqrt(np.finfo(m.dtype).eps)
    if np.abs(ends.imag).max() > digits * (1e-3 + np.abs(m).max()):
        raise GradientError(
            f"{who}: the result depends on the phase of complex vectors, which is arbitrary",
            mend="use vectors only in combinations that do not depend on it, as v @ v.conj().mT",
        )


def _inverse_gaps(values: Any, pairs: Any) -> Any:
    """1/(λ_j − λ_i); 0 on the diagonal and where the two are equal."""
    skip = pairs | np.eye(values.shape[-1], dtype=bool)
    return where(skip, 0, 1 / where(skip, 1, _rows(values) - columns(values)))


# eigh


def _pull_eigh(g: Any, y: Any, x: Any) -> Any:
    (of_w, of_v), (w, v) = g, y
    core = None
    if of_v is not None:
        pairs = _equal_pairs(w)
        _check_vectors("eigh", pairs, of_v)
        inner = adjoint(v) @ conj(of_v)
        _check_phase("eigh", inner)
        core = inner * _inverse_gaps(w, pairs)
    if of_w is not None:
        _check_weights("eigh", _equal_pairs(w), of_w)
        weights = _scaled_identity(of_w)
        core = weights if core is None else core + weights
    return None if core is None else conj(_halved(v @ core @ adjoint(v)))


def _push_eigh(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    w, v = y
    pairs = _equal_pairs(w)
    if np.any(pairs):
        raise _no_derivative("eigh", "two eigenvalues are equal")
    moved = adjoint(v) @ _halved(ts[0]) @ v
    return real(diagonal_of(moved)), v @ (moved * _inverse_gaps(w, pairs))


_eigh = general(
    "eigh", lambda x: tuple(np.linalg.eigh(_hermitian(x))), [_pull_eigh], _push_eigh, several=True,
    symbol="eigh", code="np.linalg.eigh(({0} + {0}.mT.conj()) / 2)",
    local=["V·(VᵀG/Δλ + diag G)·Vᵀ"], array_names=("x",), samples=_MATRICES,
    probe=lambda call, x: seen(*call(_definite(x))),
    doc="Eigenvalues, ascending, and orthonormal eigenvectors of each symmetric matrix.",
)  # fmt: skip


def _pull_eigvalsh(g: Any, y: Any, x: Any) -> Any:
    w, v = _eigh(x)
    _check_weights("eigvalsh", _equal_pairs(w), g)
    return conj((v * _rows(g)) @ adjoint(v))


def _push_eigvalsh(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    w, v = _eigh(xs[0])
    moved = adjoint(v) @ _halved(ts[0]) @ v
    _check_direction("eigvalsh", _equal_pairs(w), moved)
    return real(diagonal_of(moved))


_eigvalsh = general(
    "eigvalsh", lambda x: np.linalg.eigvalsh(_hermitian(x)), [_pull_eigvalsh], _push_eigvalsh,
    symbol="λ", text="λ({0})", latex=r"\lambda({0})", local=["V·diag(G)·Vᵀ"], array_names=("x",),
    code="np.linalg.eigvalsh(({0} + {0}.mT.conj()) / 2)",
    samples=_MATRICES, probe=lambda call, x: call(_definite(x)),
    doc="The eigenvalues, ascending, of each symmetric matrix.",
)  # fmt: skip
_EighResult: Any = type(np.linalg.eigh(np.eye(1)))
_EigResult: Any = type(np.linalg.eig(np.eye(1)))
_SVDResult: Any = type(np.linalg.svd(np.eye(1)))
_QRResult: Any = type(np.linalg.qr(np.eye(1)))


def _check_triangle(name: str) -> None:
    if name not in ("L", "U", "l", "u"):
        raise DomainError(f"UPLO={name!r}", mend='"L" or "U"; the matrix is symmetric, so either')


@public(np.linalg.eigh, room="linalg")
def eigh(x: Any, /, UPLO: str = "L") -> Any:
    """Eigenvalues, ascending, and eigenvectors (columns) of symmetric (Hermitian) matrices.

    The gradient is symmetric. Where two eigenvalues are equal their vectors have no derivative:
    ``GradientError``.

    >>> import autograd_lite as ag
    >>> ag.linalg.eigh(ag.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    Tensor([1., 2.])
    """
    _check_triangle(UPLO)
    return _EighResult(*_eigh(as_array(x)))


@public(np.linalg.eigvalsh, room="linalg")
def eigvalsh(x: Any, /, UPLO: str = "L") -> Any:
    """The eigenvalues, ascending, of symmetric (Hermitian) matrices.

    Equal ones have a derivative only where all of them are treated alike, as a sum does; else
    ``GradientError``.

    >>> import autograd_lite as ag
    >>> ag.linalg.eigvalsh(ag.tensor([[2.0, 0.0], [0.0, 1.0]]))
    Tensor([1., 2.])
    """
    _check_triangle(UPLO)
    return _eigvalsh(as_array(x))


# eig


def _general_core(who: str, w: Any) -> Any:
    pairs = _equal_pairs(w)
    if np.any(pairs):
        raise _no_derivative(who, "two eigenvalues are equal")
    return _inverse_gaps(w, pairs)


def _pull_eig(g: Any, y: Any, x: Any) -> Any:
    (of_w, of_v), (w, v) = g, y
    gaps, core = _general_core("eig", w), None
    if of_v is not None:
        inner = adjoint(v) @ conj(of_v)
        _check_phase("eig", inner)
        along = (adjoint(v) @ v) * _rows(real(diagonal_of(inner)))
        core = (inner - along) * conj(gaps)
    if of_w is not None:
        weights = _scaled_identity(conj(of_w))
        core = weights if core is None else core + weights
    return None if core is None else conj(solve(adjoint(v), core @ adjoint(v)))


def _push_eig(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    w, v = y
    moved = solve(v, ts[0] @ v)
    turned = v @ (moved * _general_core("eig", w))
    along = total(real(conj(v) * turned), axis=-2)
    return diagonal_of(moved), turned - v * _rows(along)


def _apart(x: Any) -> Any:
    """A probe's matrix: of separated, real eigenvalues, not symmetric."""
    x = sound(x)
    return x + np.diag(3 * np.arange(x.shape[-1], dtype=x.dtype))


_eig = general(
    "eig", lambda x: tuple(np.linalg.eig(x)), [_pull_eig], _push_eig, several=True, symbol="eig",
    local=["V⁻ᵀ·(VᵀG/Δλ + diag G)·Vᵀ"], array_names=("x",), samples=_MATRICES,
    probe=lambda call, x: seen(*call(_apart(x))),
    doc="Eigenvalues and eigenvectors of length 1 of each square matrix.", code="np.linalg.eig",
)  # fmt: skip


def _pull_eigvals(g: Any, y: Any, x: Any) -> Any:
    w, v = _eig(x)
    _general_core("eigvals", w)
    return solve(v.mT, columns(g) * v.mT)


def _push_eigvals(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    w, v = _eig(xs[0])
    _general_core("eigvals", w)
    return diagonal_of(solve(v, ts[0] @ v))


_eigvals = general(
    "eigvals", np.linalg.eigvals, [_pull_eigvals], _push_eigvals, symbol="λ", text="λ({0})",
    latex=r"\lambda({0})", local=["V⁻ᵀ·diag(G)·Vᵀ"], array_names=("x",), samples=_MATRICES,
    probe=lambda call, x: seen(call(_apart(x))), doc="The eigenvalues of each square matrix.",
)  # fmt: skip


@public(np.linalg.eig, room="linalg")
def eig(x: Any, /) -> Any:
    """Eigenvalues and eigenvectors (columns of length 1) of square matrices.

    ``GradientError`` where eigenvalues are equal, or where a result depends on the phases of
    complex eigenvectors.

    >>> import autograd_lite as ag
    >>> ag.linalg.eig(ag.tensor([[2.0, 1.0], [0.0, 1.0]])).eigenvalues
    Tensor([2., 1.])
    """
    return _EigResult(*_eig(as_array(x)))


@public(np.linalg.eigvals, room="linalg")
def eigvals(x: Any, /) -> Any:
    """The eigenvalues of square matrices, in no order; ``GradientError`` where some are equal.

    >>> import autograd_lite as ag
    >>> ag.linalg.eigvals(ag.tensor([[2.0, 1.0], [0.0, 1.0]]))
    Tensor([2., 1.])
    """
    return _eigvals(as_array(x))


# singular values


def _zeros(s: Any, shape: Any) -> Any:
    """Which (plain) singular values cannot be told from 0."""
    s = np.asarray(plain_value(s))
    bound = 4 * max(*shape[-2:], 1) * np.finfo(s.dtype).eps * s.max(axis=-1, initial=0.0)
    return s <= bound[..., None]


def _checked_gaps(s: Any, shape: Any, *used: Any) -> Any:
    """1/(s_j² − s_i²), after a look at whether the vectors have derivatives at all."""
    pairs, zeros = _equal_pairs(s), _zeros(s, shape)
    if used:
        _check_vectors("svd", pairs | (zeros[..., None, :] & np.eye(zeros.shape[-1], dtype=bool)),
                       *used)  # fmt: skip
    elif np.any(pairs) or np.any(zeros):
        raise _no_derivative("svd", "two singular values are equal, or one is 0")
    return _inverse_gaps(s * s, pairs)


def _skew(x: Any) -> Any:
    return x - adjoint(x)


def _pull_svd(g: Any, y: Any, x: Any) -> Any:
    (of_u, of_s, of_vh), (u, s, vh) = g, y
    m, n, k = x.shape[-2], x.shape[-1], s.shape[-1]
    left = None if of_u is None else conj(of_u)
    right = None if of_vh is None else of_vh.mT
    gaps = _checked_gaps(s, x.shape, left, right)
    core: Any = 0
    phases: Any = 0
    if of_s is not None:
        of_s = of_s * ~_zeros(s, x.shape)
        _check_weights("svd", _equal_pairs(s), of_s)
        core = _scaled_identity(of_s)
    if left is not None:
        inner = _skew(adjoint(u) @ left)
        phases = inner
        core = core + (inner * gaps) * _rows(s)
        if is_complex(x):
            core = core + _scaled_identity(diagonal_of(inner) / (2 * s))
    if right is not None:
        inner = _skew(vh @ right)
        phases = phases + inner
        core = core + columns(s) * (inner * gaps)
    if left is not None or right is not None:
        _check_phase("svd", phases)
    if type(core) is int:
        return None
    result = u @ core @ vh
    if m > k and left is not None:
        sided = left / _rows(s)
        result = result + (sided - u @ (adjoint(u) @ sided)) @ vh
    if n > k and right is not None:
        sided = adjoint(right) / columns(s)
        result = result + u @ (sided - (sided @ adjoint(vh)) @ vh)
    return conj(result)


def _push_svd(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    (u, s, vh), t = y, ts[0]
    m, n, k = xs[0].shape[-2], xs[0].shape[-1], s.shape[-1]
    gaps = _checked_gaps(s, xs[0].shape)
    moved = adjoint(u) @ t @ adjoint(vh)
    wide, tall = moved * _rows(s), columns(s) * moved
    du = u @ (gaps * (wide + adjoint(wide)))
    dv = adjoint(vh) @ (gaps * (tall + adjoint(tall)))
    if is_complex(moved):
        du = du + u * _rows(diagonal_of(_skew(moved)) / (2 * s))
    if m > k:
        sided = t @ adjoint(vh) / _rows(s)
        du = du + sided - u @ (adjoint(u) @ sided)
    if n > k:
        sided = adjoint(t) @ u / _rows(s)
        dv = dv + sided - adjoint(vh) @ (vh @ sided)
    return du, real(diagonal_of(moved)), adjoint(dv)


def stretched(x: Any) -> Any:
    """A probe's matrix of any shape: of full rank and separated singular values."""
    x = astype(x, np.float32) if x.dtype == np.float16 else x
    m, n = x.shape[-2:]
    return x * 0.2 + np.eye(m, n, dtype=x.dtype) * np.arange(1, n + 1, dtype=x.dtype)


RECTANGLES: Any = [*_MATRICES, (((3, 2),), {}), (((2, 2, 3),), {})]
_svd = general(
    "svd", lambda x: tuple(np.linalg.svd(x, full_matrices=False)), [_pull_svd], _push_svd,
    several=True, symbol="svd", local=["U·(UᵀG/Δs² + diag G + GᵀV/Δs²)·Vᵀ"], array_names=("x",),
    samples=RECTANGLES, probe=lambda call, x: seen(*call(stretched(x))),
    doc="Singular values, descending, and singular vectors of each matrix.",
    code="np.linalg.svd({0}, full_matrices=False)",
)  # fmt: skip


def _pull_svdvals(g: Any, y: Any, x: Any) -> Any:
    u, s, vh = _svd(x)
    g = g * ~_zeros(s, x.shape)
    _check_weights("svdvals", _equal_pairs(s), g)
    return conj((u * _rows(g)) @ vh)


def _push_svdvals(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    u, s, vh = _svd(xs[0])
    zeros = _zeros(s, xs[0].shape)
    moved = adjoint(u) @ ts[0] @ adjoint(vh)
    alive = ~(zeros[..., None, :] & zeros[..., :, None])
    _check_direction("svdvals", _equal_pairs(s) & alive, moved)
    return real(diagonal_of(moved)) * ~zeros


_svdvals = general(
    "svdvals", np.linalg.svdvals, [_pull_svdvals], _push_svdvals, symbol="σ", text="σ({0})",
    latex=r"\sigma({0})", local=["U·diag(G)·Vᵀ"], array_names=("x",), samples=RECTANGLES,
    probe=lambda call, x: call(stretched(x)),
    doc="The singular values, descending, of each matrix.",
)  # fmt: skip


@public(np.linalg.svd, room="linalg")
def svd(
    x: Any, /, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """Singular vectors U, singular values S (descending) and Vh of x = U·diag(S)·Vh.

    With ``full_matrices`` a matrix that is not square gets further vectors, which are unique up
    to a rotation only: a result that rests on more than the space that they span, as on one of
    them, has no derivative. Where two singular values are equal, or one is 0, their vectors have
    none either: ``GradientError``. In forward mode the further vectors move as little as they can.

    >>> import autograd_lite as ag
    >>> ag.linalg.svd(ag.tensor([[3.0, 0.0], [0.0, 2.0]])).S
    Tensor([3., 2.])
    """
    x = as_array(x)
    if hermitian:
        raise UnsupportedError("svd of a tensor does not take hermitian=True", mend="leave it out")
    if not compute_uv:
        return _svdvals(x)
    u, s, vh = _svd(x)
    if full_matrices and x.shape[-2] > x.shape[-1]:
        u = concat([u, _complement(x, of="svd")], axis=-1)
    elif full_matrices and x.shape[-2] < x.shape[-1]:
        vh = concat([vh, adjoint(_complement(adjoint(x), of="svd of the adjoint"))], axis=-2)
    return _SVDResult(u, s, vh)


@public(np.linalg.svdvals, room="linalg")
def svdvals(x: Any, /) -> Any:
    """The singular values of each matrix, descending.

    Equal ones have a derivative only where they are treated alike; where one is 0 its derivative
    is taken to be 0.

    >>> import autograd_lite as ag
    >>> ag.linalg.svdvals(ag.tensor([[3.0, 0.0], [0.0, 2.0]]))
    Tensor([3., 2.])
    """
    return _svdvals(as_array(x))


# QR


def _check_rank(r: Any) -> None:
    ends = np.abs(np.diagonal(plain_value(r), axis1=-2, axis2=-1))
    if ends.size and np.any(
        ends.min(-1) <= 8 * ends.shape[-1] * np.finfo(ends.dtype).eps * ends.max(-1)
    ):
        raise _no_derivative("qr", "the columns are linearly dependent")


def _pull_qr(g: Any, y: Any, x: Any) -> Any:
    (of_q, of_r), (q, r) = g, y
    _check_rank(r)
    n = r.shape[-1]
    upper = np.triu(np.ones((n, n), r.dtype))
    inner: Any = 0
    if of_r is not None:
        inner = conj(of_r) * upper @ adjoint(r)
    if of_q is not None:
        inner = inner - adjoint(q) @ conj(of_q)
    if type(inner) is int:
        return None
    inner = inner * upper
    inner = (inner + adjoint(inner)) * (1 - 0.5 * np.eye(n, dtype=r.dtype))
    result = q @ inner
    if of_q is not None:
        result = result + conj(of_q)
    return conj(_right_solve(result, adjoint(r)))


def _push_qr(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    q, r = y
    _check_rank(r)
    n = r.shape[-1]
    moved = _right_solve(ts[0], r)
    inner = adjoint(q) @ moved
    turn = _skew(inner * np.tril(np.ones((n, n), r.dtype), -1))
    if is_complex(inner):
        turn = turn + _scaled_identity(1j * imag(diagonal_of(inner)))
    return q @ (turn - inner) + moved, (inner - turn) @ r


_qr = general(
    "qr", lambda x: tuple(np.linalg.qr(x)), [_pull_qr], _push_qr, several=True, symbol="QR",
    local=["(G_Q + Q·sym(G_R·Rᵀ − Qᵀ·G_Q))·R⁻ᵀ"], array_names=("x",),
    samples=[*_MATRICES, (((3, 2),), {})], probe=lambda call, x: seen(*call(_tall(x))),
    doc="Orthonormal Q and upper triangular R of x = Q R, of matrices that are not wide.",
    code="np.linalg.qr",
)  # fmt: skip


def _tall(x: Any) -> Any:
    if x.shape[-2] < x.shape[-1]:
        raise ValueError("a wide matrix")
    return stretched(x)


# what full decompositions add: a basis of the space orthogonal to the columns


def _complement_forward(x: Any, *, of: str) -> Any:
    n = x.shape[-1]
    if of == "qr":
        return np.linalg.qr(x, mode="complete")[0][..., n:]
    if of == "svd":
        return np.linalg.svd(x)[0][..., n:]
    return adjoint(np.linalg.svd(adjoint(x))[2][..., n:, :])


def _complement_code(x: str, *, of: str) -> str:
    if of == "svd of the adjoint":
        return f"np.linalg.svd({x}.mT.conj())[2][..., {x}.shape[-1]:, :].mT.conj()"
    full = f"np.linalg.svd({x})" if of == "svd" else f"np.linalg.qr({x}, mode='complete')"
    return f"{full}[0][..., {x}.shape[-1]:]"


def _inverse_adjoint(x: Any) -> Any:
    """The adjoint of the pseudo-inverse of a matrix of independent columns."""
    q, r = _qr(x)
    _check_rank(r)
    return _right_solve(q, adjoint(r))


def _pull_complement(g: Any, y: Any, x: Any, *, of: str) -> Any:
    g = conj(g)
    turn = np.asarray(plain_value(adjoint(y) @ g))
    size = np.abs(np.asarray(plain_value(g))).max(initial=0.0)
    if np.any(np.abs(turn - adjoint(turn)) > np.sqrt(np.finfo(turn.dtype).eps) * size):
        raise GradientError(
            "the result depends on the further vectors of a full decomposition, which are "
            "unique up to a rotation only",
            mend='svd with full_matrices=False, qr with mode="reduced"; or use the further '
            "vectors v only as v @ v.conj().mT",
        )
    return conj(-(y @ adjoint(g)) @ _inverse_adjoint(x))


_complement = general(
    "_complement", _complement_forward, [_pull_complement],
    lambda ts, y, xs, params: -(_inverse_adjoint(xs[0]) @ (adjoint(ts[0]) @ y)),
    symbol="⊥", text="{0}^⊥", latex=r"{0}^{{\perp}}", local=["−Y·Gᵀ·X⁺ᵀ"], array_names=("x",),
    samples=[(((3, 1),), {"of": "qr"}), (((3, 1),), {"of": "svd"}),
             (((2, 4, 2),), {"of": "svd of the adjoint"})],
    probe=lambda call, x: seen_space(call(_tall(x))),
    doc="Orthonormal vectors orthogonal to all columns of each matrix.", code=_complement_code,
)  # fmt: skip


def seen_space(v: Any) -> Any:
    """A probe's result: what does not depend on the choice of a basis."""
    return seen(v @ adjoint(v))


@public(np.linalg.qr, room="linalg")
def qr(x: Any, /, mode: str = "reduced") -> Any:
    """Orthonormal Q and upper triangular R of x = Q R; with ``mode="r"`` R alone.

    ``mode="complete"`` adds to the Q of a tall matrix further columns, which are unique up to a
    rotation only: a result that rests on more than the space that they span has no derivative.
    ``GradientError`` there, and where the columns (of a wide matrix the first) are linearly
    dependent.

    >>> import autograd_lite as ag
    >>> ag.abs(ag.linalg.qr(ag.tensor([[0.0, 1.0], [-2.0, 3.0]])).R)
    Tensor([[2., 3.],
            [0., 1.]])
    """
    x = as_array(x)
    if x.ndim < 2:
        raise LinAlgError(f"qr of {x.ndim}-dimensional data", mend="a matrix has two axes")
    m, n = x.shape[-2:]
    if mode not in ("reduced", "r", "complete"):
        kind: type[AutogradError] = UnsupportedError if mode == "raw" else DomainError
        raise kind(f"qr of a tensor with mode={mode!r}", mend='mode="reduced", "complete" or "r"')
    if m >= n:
        q, r = _qr(x)
    else:  # the first columns give Q; the others follow
        q, first = _qr(getitem(x, (..., slice(m))))
        r = concat([first, adjoint(q) @ getitem(x, (..., slice(m, None)))], axis=-1)
    if mode == "complete" and m > n:
        q = concat([q, _complement(x, of="qr")], axis=-1)
        r = concat([r, np.zeros((*x.shape[:-2], m - n, n), x.dtype)], axis=-2)
    return r if mode == "r" else _QRResult(q, r)
