"""Least squares, pseudo-inverses, ranks and norms of matrices and vectors.

A pseudo-inverse has a derivative only where the matrix is of full rank; norms have the derivative
0 at 0. Imports errors, recording, rules, shapes, NumPy, linalg, spectral, and the operators that
the rules need.

Source of the pseudo-inverse's rule: G. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973).
"""

from typing import Any, NamedTuple

import numpy as np

from autograd_lite.errors import DomainError, GradientError, ShapeError, UnsupportedError
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.linalg import adjoint, columns, inv, solve
from autograd_lite.ops.pointwise import abs as modulus
from autograd_lite.ops.pointwise import conj, equal, not_equal, power, real, where
from autograd_lite.ops.reductions import max as largest
from autograd_lite.ops.reductions import min as smallest
from autograd_lite.ops.reductions import sum as total
from autograd_lite.ops.scaling import binade, unsafe_squares
from autograd_lite.ops.shaping import as_array, astype, reshape, shape_of
from autograd_lite.ops.spectral import RECTANGLES, stretched, svdvals
from autograd_lite.rules import general, nondifferentiable, public
from autograd_lite.shapes import normalize_axes, reduced_shape
from autograd_lite.tensors import plain_value

# pseudo-inverse and least squares


def _check_full_rank(who: str, x: Any, cutoff: Any) -> None:
    s = np.linalg.svdvals(plain_value(x))
    if s.size and np.any(s.min(-1) <= cutoff * s.max(-1)):
        raise GradientError(
            f"{who}: a matrix is not of full rank, and the pseudo-inverse jumps there",
            mend="ag.linalg.solve(a.mT @ a + c * identity, a.mT) with a small c is smooth",
        )


def _cutoff(x: Any, given: Any) -> Any:
    eps = np.finfo(x.dtype).eps
    return eps * max(x.shape[-2:], default=1) if given is None else np.asarray(given)


def _pull_inverse(g: Any, y: Any, x: Any) -> Any:
    """The rule of Y = X⁺ for full rank."""
    g, yh = conj(g), adjoint(y)
    gh = adjoint(g)
    left, right = gh @ y @ yh, yh @ y @ gh
    result = -(yh @ g @ yh)
    return conj(result + (left - x @ (y @ left)) + (right - (right @ y) @ x))


def _push_inverse(t: Any, y: Any, x: Any) -> Any:
    th, yh = adjoint(t), adjoint(y)
    left, right = y @ yh @ th, th @ yh @ y
    return -(y @ t @ y) + (left - (left @ x) @ y) + (right - y @ (x @ right))


def _pull_pinv(g: Any, y: Any, x: Any, *, rtol: Any) -> Any:
    _check_full_rank("pinv", x, _cutoff(x, rtol))
    return _pull_inverse(g, y, x)


def _push_pinv(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    _check_full_rank("pinv", xs[0], _cutoff(xs[0], params["rtol"]))
    return _push_inverse(ts[0], y, xs[0])


_pinv = general(
    "pinv", lambda x, *, rtol: np.linalg.pinv(x, rtol=_cutoff(x, rtol)), [_pull_pinv], _push_pinv,
    code="np.linalg.pinv({0}, rtol={rtol})",
    symbol="X⁺", text="{0}⁺", latex="{0}^{{+}}", array_names=("x",),
    local=["−Yᵀ·G·Yᵀ + (1 − X·Y)·Gᵀ·Y·Yᵀ + Yᵀ·Y·Gᵀ·(1 − Y·X)"],
    samples=[(shapes, {"rtol": None}) for shapes, _ in RECTANGLES],
    probe=lambda call, x: call(stretched(x)), doc="The pseudo-inverse of each matrix.",
)  # fmt: skip


@public(np.linalg.pinv, room="linalg")
def pinv(x: Any, /, rcond: Any = None, *, rtol: Any = None) -> Any:
    """The Moore-Penrose pseudo-inverse of each matrix.

    Singular values below ``rtol`` (or ``rcond``) times the largest count as 0. The derivative
    exists for matrices of full rank alone: else ``GradientError``.

    >>> import autograd_lite as ag
    >>> ag.linalg.pinv(ag.tensor([[2.0], [0.0]]))
    Tensor([[0.5, 0. ]])
    """
    x = as_array(x)
    x = x if x.dtype.kind in "fc" else astype(x, np.float64)
    return _pinv(x, rtol=rcond if rtol is None else rtol)


def _pull_lstsq_matrix(g: Any, y: Any, a: Any, b: Any, *, rcond: Any) -> Any:
    _check_full_rank("lstsq", a, _cutoff(a, rcond))
    outer = columns(g) * b if b.ndim == 1 else g @ b.mT
    return _pull_inverse(outer, _pinv(a, rtol=rcond), a)


def _push_lstsq(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    a, b = xs
    _check_full_rank("lstsq", a, _cutoff(a, params["rcond"]))
    inverse = _pinv(a, rtol=params["rcond"])
    moved = None if ts[1] is None else inverse @ ts[1]
    if ts[0] is not None:
        other = _push_inverse(ts[0], inverse, a) @ b
        moved = other if moved is None else moved + other
    return moved


_lstsq = general(
    "lstsq", lambda a, b, *, rcond: np.linalg.lstsq(a, b, rcond)[0],
    [_pull_lstsq_matrix, lambda g, y, a, b, *, rcond: _pinv(a, rtol=rcond).mT @ g], _push_lstsq,
    symbol="A⁺b", text="{0}⁺·{1}", latex="{0}^{{+}} {1}", local=["D(A⁺)ᵀ[G·bᵀ]", "A⁺ᵀ·G"],
    array_names=("a", "b"), doc="The least-squares solution y of a @ y = b.",
    samples=[
        (((3, 2), (3,)), {"rcond": None}), (((3, 2), (3, 2)), {"rcond": None}),
        (((2, 3), (2,)), {"rcond": None}),
    ],
    probe=lambda call, a, b: call(
        stretched(a), astype(b, np.float32) if b.dtype == np.float16 else b
    ), code="np.linalg.lstsq({0}, {1}, {rcond})[0]",
)  # fmt: skip


class _LstsqResult(NamedTuple):
    x: Any
    residuals: Any
    rank: Any
    s: Any


@public(np.linalg.lstsq, room="linalg")
def lstsq(a: Any, /, b: Any, rcond: Any = None) -> Any:
    """The x that minimises |a @ x − b|, with the squared residuals, the rank and singular values.

    The derivative exists for matrices of full rank alone: else ``GradientError``.

    >>> import autograd_lite as ag
    >>> ag.linalg.lstsq(ag.tensor([[1.0], [1.0]]), [1.0, 3.0])[0]
    Tensor([2.])
    """
    a, b = as_array(a), as_array(b)
    x = _lstsq(a, b, rcond=rcond)
    (m, n), s = a.shape, svdvals(a)
    rank = _rank(a, rtol=_cutoff(a, rcond))
    if m > n and plain_value(rank) == n:
        gap = modulus(b - a @ x) ** 2
        residuals = total(gap, axis=0) if b.ndim > 1 else total(gap, axis=0, keepdims=True)
    else:
        residuals = np.zeros(0, s.dtype)
    return _LstsqResult(x, residuals, rank, s)


_rank = nondifferentiable(
    "_rank", lambda x, *, rtol, tol=None: np.linalg.matrix_rank(x, tol, rtol=rtol),
    array_names=("x",), symbol="rank",
)  # fmt: skip


@public(np.linalg.matrix_rank, room="linalg")
def matrix_rank(A: Any, /, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The number of singular values above ``tol``, or ``rtol`` times the largest; a constant.

    >>> import autograd_lite as ag
    >>> ag.linalg.matrix_rank(ag.tensor([[1.0, 1.0], [1.0, 1.0]]))
    Tensor(1)
    """
    if hermitian:
        raise UnsupportedError("matrix_rank of a tensor with hermitian=True", mend="leave it out")
    return _rank(as_array(A), rtol=rtol, tol=tol)


# norms

_add_up: Any = np.add.reduce
_Axes = tuple[int, ...] | None


def _euclidean(x: Any, *, axis: _Axes, keepdims: bool) -> Any:
    """The root of the sum of squares; of entries whose squares overflow or vanish, scaled."""
    with np.errstate(over="ignore", under="ignore"):
        y = _root_of_squares(x, axis, keepdims)
        if not x.size or not unsafe_squares(y):
            return y
        scale = binade(np.abs(x), axis=axis, largest=True)
        y = _root_of_squares(x / scale, axis, keepdims) * np.reshape(scale, np.shape(y))
    return y.astype(x.real.dtype)


def _root_of_squares(x: Any, axis: _Axes, keepdims: bool) -> Any:
    if axis is None:
        y = np.linalg.norm(x)
        return y.reshape((1,) * x.ndim) if keepdims else y
    squares = (x.conj() * x).real if x.dtype.kind == "c" else x * x
    return np.sqrt(_add_up(squares, axis=axis, keepdims=keepdims))


def _kept_axes(y: Any, x: Any, axis: _Axes, keepdims: bool) -> Any:
    """A norm with the axes of its array, of size 1 where it was reduced."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    return y if keepdims else reshape(y, reduced_shape(x.shape, axes, keepdims=True))


def _direction(y: Any, x: Any, axis: _Axes, keepdims: bool) -> Any:
    """The conjugate of x/|x|, and 0 where that is 0: constant there, as in every order."""
    y = _kept_axes(y, x, axis, keepdims)
    flat = equal(y, 0)
    return where(flat, 0, conj(x) / where(flat, 1, y))


def _euclidean_code(x: str, *, axis: _Axes, keepdims: bool) -> str:
    kept = ", keepdims=True" if keepdims else ""
    if axis is None:
        return f"np.linalg.norm({x}{kept})"
    return f"np.sqrt(np.sum(np.abs({x}) ** 2, axis={axis}{kept}))"


_norm = general(
    "norm", _euclidean,
    [lambda g, y, x, *, axis, keepdims: _kept_axes(g, x, axis, keepdims)
     * _direction(y, x, axis, keepdims)],
    lambda ts, y, xs, params: total(
        real(_direction(y, xs[0], **params) * ts[0]), **params), symbol="‖x‖",
    text="‖{0}‖", latex=r"\left\|{0}\right\|", local=["G × {0}/y"], array_names=("x",),
    code=_euclidean_code,
    domain=(0.5, 2), doc="The root of the sum of squares; its derivative at 0 is 0.",
    samples=[
        (((2, 3),), {"axis": None, "keepdims": False}),
        (((2, 3),), {"axis": (0,), "keepdims": True}),
        (((2, 3, 2),), {"axis": (0, 2), "keepdims": False}),
    ],
)  # fmt: skip


_power_scale = nondifferentiable("_binade", binade, symbol="2ⁿ")


def _entries_norm(x: Any, order: Any, axis: _Axes, keepdims: bool) -> Any:
    """A norm of vectors; for the extremes the first largest entry takes the gradient."""
    if order is None or order == 2:
        return _norm(x, axis=axis, keepdims=keepdims)
    size = modulus(x)
    if order == np.inf:
        return _top(size, axis, keepdims)
    if order == -np.inf:
        return smallest(size, axis=axis, keepdims=keepdims)
    if order == 0:
        return total(astype(not_equal(x, 0), size.dtype), axis=axis, keepdims=keepdims)
    if order == 1:
        return total(size, axis=axis, keepdims=keepdims)
    scale = _power_scale(size, axis=axis, largest=order > 0)  # the norm is homogeneous
    summed = total(power(size / scale, float(order)), axis=axis, keepdims=keepdims)
    flat = equal(summed, 0)
    nothing = 0 if order > 0 else np.inf
    return where(flat, nothing, power(where(flat, 1, summed), 1 / float(order))) * reshape(
        scale, shape_of(summed)
    )


def _top(sizes: Any, axis: Any, keepdims: bool = False) -> Any:
    """The largest of sizes that are not negative; of none 0."""
    return largest(sizes, axis=axis, keepdims=keepdims, initial=None if sizes.size else 0)


@public(np.linalg.vector_norm, room="linalg")
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of vectors along one or several axes, or of all elements.

    ``ord`` is a number, ``inf`` or ``-inf``. The derivative at 0 is 0.

    >>> import autograd_lite as ag
    >>> ag.linalg.vector_norm(ag.tensor([3.0, 4.0]))
    Tensor(5.)
    """
    x = _floating(x)
    axes = None if axis is None else normalize_axes(axis, x.ndim)
    return _entries_norm(x, ord, axes, keepdims)


def _floating(x: Any) -> Any:
    x = as_array(x)
    return x if x.dtype.kind in "fc" else astype(x, np.float64)


def _matrix_norm(x: Any, order: Any, keepdims: bool) -> Any:
    """A norm of the last two axes."""
    if order in (None, "fro"):
        return _norm(x, axis=(x.ndim - 2, x.ndim - 1), keepdims=keepdims)
    if order in (1, -1, np.inf, -np.inf):
        inner, outer = (-2, -1) if order in (1, -1) else (-1, -2)
        sums = total(modulus(x), axis=inner, keepdims=True)
        y = _top(sums, outer, True) if order > 0 else smallest(sums, axis=outer, keepdims=True)
        y = getitem(y, (..., 0, 0))
    elif order in (2, -2) and not x.size:
        y = _top(svdvals(x), -1) if order > 0 else smallest(svdvals(x), axis=-1)
    elif order in (2, -2):
        y = getitem(svdvals(x), (..., 0 if order == 2 else -1))
    elif order == "nuc":
        y = total(svdvals(x), axis=-1)
    else:
        raise DomainError(
            f"a matrix norm of order {order!r}", mend="'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        )
    return getitem(y, (..., None, None)) if keepdims else y


@public(np.linalg.matrix_norm, room="linalg")
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """A norm of each matrix: "fro", "nuc" (sum of singular values), ±1, ±2 or ±inf.

    The derivative at 0 is 0; singular values that are 0 have the derivative 0.

    >>> import autograd_lite as ag
    >>> ag.linalg.matrix_norm(ag.tensor([[3.0, 0.0], [0.0, 4.0]]), ord=2)
    Tensor(4.)
    """
    x = _floating(x)
    if x.ndim < 2:
        raise ShapeError(f"a matrix norm of shape {x.shape}", mend="a matrix has two axes")
    return _matrix_norm(x, ord, keepdims)


@public(np.linalg.norm, room="linalg")
def norm(x: Any, /, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """A norm of all elements, of vectors along one axis, or of matrices in two axes.

    Without ``ord`` the root of the sum of squares; else as ``vector_norm`` or ``matrix_norm``.

    >>> import autograd_lite as ag
    >>> ag.linalg.norm(ag.tensor([3.0, 4.0]))
    Tensor(5.)
    """
    x = _floating(x)
    axes = None if axis is None else normalize_axes(axis, x.ndim)
    if ord is None:
        return _norm(x, axis=axes, keepdims=keepdims)
    several = tuple(range(x.ndim)) if axes is None else axes
    if len(several) == 1:
        return _entries_norm(x, ord, several, keepdims)
    if len(several) != 2:
        raise DomainError(f"a norm over {len(several)} axes", mend="one or two axes")
    rest = [i for i in range(x.ndim) if i not in several]
    y = _matrix_norm(x.transpose((*rest, *several)), ord, False)
    return reshape(y, reduced_shape(x.shape, several, keepdims=True)) if keepdims else y


@public(np.linalg.cond, room="linalg")
def cond(x: Any, /, p: Any = None) -> Any:
    """The condition of each matrix: the norm times that of the inverse.

    >>> import autograd_lite as ag
    >>> ag.linalg.cond(ag.tensor([[4.0, 0.0], [0.0, 1.0]]))
    Tensor(4.)
    """
    x = _floating(x)
    if p in (None, 2, -2):
        s = svdvals(x)
        top, bottom = getitem(s, (..., 0)), getitem(s, (..., -1))
        return bottom / top if p == -2 else top / bottom
    return _matrix_norm(x, p, False) * _matrix_norm(inv(x), p, False)


# tensors as matrices


@public(np.linalg.tensorinv, room="linalg")
def tensorinv(a: Any, /, ind: int = 2) -> Any:
    """The inverse of the linear map that ``a`` is from its last axes to its first ``ind`` axes.

    >>> import autograd_lite as ag
    >>> ag.linalg.tensorinv(ag.tensor([[2.0]]), ind=1)
    Tensor([[0.5]])
    """
    a = as_array(a)
    if ind < 1:
        raise DomainError(f"ind={ind}", mend="ind is at least 1")
    size = int(np.prod(a.shape[ind:], dtype=int))
    return reshape(inv(reshape(a, (-1, size))), (*a.shape[ind:], *a.shape[:ind]))


@public(np.linalg.tensorsolve, room="linalg")
def tensorsolve(a: Any, /, b: Any, axes: Any = None) -> Any:
    """The x of tensordot(a, x, x.ndim) = b.

    >>> import autograd_lite as ag
    >>> ag.linalg.tensorsolve(ag.tensor([[2.0]]), [1.0])
    Tensor([0.5])
    """
    a, b = as_array(a), as_array(b)
    if axes is not None:
        gone = normalize_axes(axes, a.ndim)
        a = a.transpose((*(i for i in range(a.ndim) if i not in gone), *gone))
    shape = a.shape[b.ndim :]
    return reshape(solve(reshape(a, (b.size, -1)), reshape(b, (-1,))), shape)
