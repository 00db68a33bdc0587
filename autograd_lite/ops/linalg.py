"""Linear algebra without spectra: inverses, determinants, exponentials, products of matrices.

The rules are those of docs/complex.md: cotangents are multiplied by derivatives without
conjugation, so that most rules are the same for real and complex matrices. Batches are the axes
before the last two. Imports errors, recording, rules, shapes, NumPy, and the operators that the
rules need.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, DTypeError, GradientError, LinAlgError, ShapeError
from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.pointwise import conj, imag, real
from autograd_lite.ops.reductions import sum as total
from autograd_lite.ops.shaping import (
    as_array,
    astype,
    concat,
    matrix_transpose,
    reshape,
    shape_of,
    transpose,
)
from autograd_lite.recording import apply
from autograd_lite.rules import general, multilinear, public
from autograd_lite.shapes import normalize_axes, normalize_axis
from autograd_lite.tensors import Tensor, plain_value

public(np.linalg.matmul, room="linalg")(matmul)
public(np.linalg.matrix_transpose, room="linalg")(matrix_transpose)


def is_complex(x: Any) -> bool:
    """Whether an array or tensor is of complex numbers."""
    return bool(x.dtype.kind == "c")


def adjoint(x: Any) -> Any:
    """The conjugate transpose of matrices."""
    return conj(x.mT)


def columns(x: Any) -> Any:
    """Vectors as matrices of one column."""
    return getitem(x, (..., None))


def spread(x: Any) -> Any:
    """A number for each matrix, with two more axes."""
    return getitem(x, (..., None, None))


# what tests call the operators with


def sound(x: Any) -> Any:
    """A probe's matrix: any numbers made well-conditioned and square, in at least float32."""
    if x.shape[-1] != x.shape[-2]:
        raise ValueError("not square")
    x = astype(x, np.float32) if x.dtype == np.float16 else x
    return x * 0.3 + 2 * np.eye(x.shape[-1], dtype=x.dtype)


def seen(*results: Any) -> Any:
    """A probe's real array: all that an operator returned, joined."""
    flat = [reshape(part, (-1,)) for one in results for part in (real(one), imag(one))]
    return concat(flat)


_SQUARE: Any = [(((3, 3),), {}), (((2, 2, 2),), {})]


# inverse and solution

_inv = general(
    "inv", np.linalg.inv, [lambda g, y, x: -(y.mT @ g @ y.mT)],
    lambda ts, y, xs, params: -(y @ ts[0] @ y), symbol="X⁻¹", text="{0}⁻¹",
    latex="{0}^{{-1}}", local=["−Yᵀ·G·Yᵀ"], array_names=("x",), samples=_SQUARE,
    probe=lambda call, x: call(sound(x)), doc="The inverse of each matrix.",
)  # fmt: skip


@public(np.linalg.inv, room="linalg")
def inv(x: Any, /) -> Any:
    """The inverse of each square matrix; ``LinAlgError`` if one is singular.

    >>> import autograd_lite as ag
    >>> ag.linalg.inv(ag.tensor([[2.0, 0.0], [0.0, 4.0]]))
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    return _inv(as_array(x))


def _pull_right_side(g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1:
        return getitem(_solve(a.mT, columns(g)), (..., 0))
    return _solve(a.mT, g)


def _pull_matrix(g: Any, y: Any, a: Any, b: Any) -> Any:
    moved = _pull_right_side(g, y, a, b)
    if b.ndim == 1:
        return -(columns(moved) * getitem(y, (..., None, slice(None))))
    return -(moved @ y.mT)


def _push_solve(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    a, b = xs
    vector = b.ndim == 1
    right = None if ts[1] is None else columns(ts[1]) if vector else ts[1]
    if ts[0] is not None:
        moved = ts[0] @ (columns(y) if vector else y)
        right = -moved if right is None else right - moved
    solved = _solve(a, right)
    return getitem(solved, (..., 0)) if vector else solved


_solve = general(
    "solve", np.linalg.solve, [_pull_matrix, _pull_right_side], _push_solve, symbol="A⁻¹b",
    text="{0}⁻¹·{1}", latex="{0}^{{-1}} {1}", local=["−(A⁻ᵀ·G)·Yᵀ", "A⁻ᵀ·G"],
    array_names=("a", "b"), doc="The solution y of a @ y = b.",
    samples=[
        (((3, 3), (3,)), {}), (((3, 3), (3, 2)), {}), (((2, 2, 2), (2,)), {}),
        (((2, 1, 2, 2), (3, 2, 1)), {}),
    ],
    probe=lambda call, a, b: call(sound(a), astype(b, np.float32) if b.dtype == np.float16 else b),
)  # fmt: skip


@public(np.linalg.solve, room="linalg")
def solve(a: Any, /, b: Any) -> Any:
    """The solution x of a @ x = b; ``LinAlgError`` if a matrix is singular.

    ``b`` is one vector if it has one axis, else matrices; batches broadcast.

    >>> import autograd_lite as ag
    >>> ag.linalg.solve(ag.tensor([[2.0, 0.0], [0.0, 4.0]]), [1.0, 1.0])
    Tensor([0.5 , 0.25])
    """
    return _solve(as_array(a), as_array(b))


# determinants


def _is_sound(x: Any) -> bool:
    """Whether all matrices can be inverted with some digits left, and no determinant underflows."""
    with np.errstate(all="ignore"):
        try:
            size = np.abs(x).sum(-1).max(-1) * np.abs(np.linalg.inv(x)).sum(-1).max(-1)
        except np.linalg.LinAlgError:
            return False
        return bool(np.all(size < 1e-3 / np.finfo(x.dtype).eps) and np.all(np.linalg.det(x)))


def _cofactors(x: Any) -> Any:
    """The derivative of the determinant; right at singular matrices too."""
    if not x.shape[-1]:
        return x
    if isinstance(plain := plain_value(x), np.ndarray) and _is_sound(plain):
        return spread(_det(x)) * _inv(x).mT
    return _minors(x) if isinstance(x, Tensor) else _cofactors_by_svd(x)


def _cofactors_by_svd(x: Any) -> Any:
    finite = np.isfinite(x).all(axis=(-2, -1), keepdims=True)
    u, s, vh = np.linalg.svd(np.where(finite, x, 0))
    others = np.stack([np.delete(s, i, -1).prod(-1) for i in range(s.shape[-1])], -1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    cofactors = sign[..., None, None] * np.conj((u * others[..., None, :]) @ vh)
    return np.where(finite, cofactors, np.nan)


def _minors(x: Any) -> Any:
    """The same as a polynomial (Faddeev and LeVerrier), to be differentiated again."""
    n = x.shape[-1]
    if n > 10:
        raise GradientError(
            f"det: a second derivative at a singular matrix of size {n}",
            mend="only up to 10: the polynomial would lose all digits",
        )
    eye = np.eye(n, dtype=x.dtype)
    m: Any = eye
    for k in range(1, n):
        product = x @ m
        m = product - spread(trace(product) / k) * eye
    if n == 1:
        m = x * 0 + 1
    return (m if n % 2 else -m).mT


_det = general(
    "det", np.linalg.det, [lambda g, y, x: spread(g) * _cofactors(x)],
    lambda ts, y, xs, params: total(_cofactors(xs[0]) * ts[0], axis=(-2, -1)), symbol="det",
    text="det {0}", latex=r"\det {0}", local=["G × cofactors of {0}"], array_names=("x",),
    samples=_SQUARE, probe=lambda call, x: call(sound(x)), doc="The determinant of each matrix.",
)  # fmt: skip


@public(np.linalg.det, room="linalg")
def det(x: Any, /) -> Any:
    """The determinant of each square matrix; its derivatives hold at singular matrices too.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.grad(ag.linalg.det)(np.array([[1.0, 0.0], [0.0, 0.0]])) + 0.0
    array([[0., 0.],
           [0., 1.]])
    """
    return _det(as_array(x))


def _pull_slogdet(g: Any, y: Any, x: Any) -> Any:
    of_sign, of_log = g
    result = None
    if of_log is not None:
        result = spread(of_log) * _inv(x).mT
    if of_sign is not None and is_complex(x):
        turned = 1j * spread(imag(of_sign * y[0])) * _inv(x).mT
        result = turned if result is None else result + turned
    return result


def _push_slogdet(ts: Any, y: Any, xs: Any, params: Any) -> Any:
    moved = total(_inv(xs[0]).mT * ts[0], axis=(-2, -1))
    return (1j * y[0] * imag(moved) if is_complex(xs[0]) else None, real(moved))


_slogdet = general(
    "slogdet", lambda x: tuple(np.linalg.slogdet(x)), [_pull_slogdet], _push_slogdet, several=True,
    symbol="log|det|", text="slogdet {0}", latex=r"\mathrm{{slogdet}}\, {0}",
    local=["G × {0}⁻ᵀ"], samples=_SQUARE, probe=lambda call, x: seen(*call(sound(x))),
    doc="Sign and logarithm of the absolute value of each determinant.", code="np.linalg.slogdet",
)  # fmt: skip
_SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


@public(np.linalg.slogdet, room="linalg")
def slogdet(x: Any, /) -> Any:
    """Sign (of modulus 1 if complex) and logarithm of the absolute value of each determinant.

    >>> import autograd_lite as ag
    >>> ag.linalg.slogdet(ag.tensor([[1.0, 0.0], [0.0, -1.0]]))
    SlogdetResult(sign=Tensor(-1.), logabsdet=Tensor(0.))
    """
    return _SlogdetResult(*_slogdet(as_array(x)))


# the exponential

_PADE = [64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000,
         10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1
]  # fmt: skip
"""Coefficients of the Padé approximant of degree 13 (N. Higham, SIAM J. Matrix Anal. 26, 2005)."""


def _exponential(x: Any) -> Any:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    x = x.astype(np.float64) if x.dtype.kind in "biu" else x
    norm = float(np.abs(x).sum(-2).max(initial=0.0))
    if not np.isfinite(norm):
        return np.full_like(x, np.nan)
    squarings = max(0, int(np.ceil(np.log2(norm / 5.37)))) if norm else 0
    x = x / 2**squarings
    even, eye = x @ x, np.eye(x.shape[-1], dtype=x.dtype)
    u, v, power = _PADE[1] * eye, _PADE[0] * eye, eye
    for k in range(2, 14, 2):
        power = power @ even
        v = v + _PADE[k] * power
        u = u + _PADE[k + 1] * power if k < 13 else u
    u = x @ u
    y = np.linalg.solve(v - u, v + u)
    for _ in range(squarings):
        y = y @ y
    return y.astype(x.dtype)


def _frechet(x: Any, t: Any) -> Any:
    """The derivative of the exponential at x along t: a block of an exponential twice as large."""
    n = x.shape[-1]
    upper = concat([x, t], axis=-1)
    lower = concat([x * 0, x], axis=-1)
    return getitem(_expm(concat([upper, lower], axis=-2)), (..., slice(n), slice(n, None)))


_expm = general(
    "expm", _exponential, [lambda g, y, x: _frechet(x.mT, g)],
    lambda ts, y, xs, params: _frechet(xs[0], ts[0]), symbol="expm", text="expm {0}",
    latex="e^{{{0}}}", local=["D exp({0}ᵀ)[G]"], array_names=("x",), samples=_SQUARE,
    probe=lambda call, x: call(sound(x)), doc="The exponential of each square matrix.",
)  # fmt: skip


@public(room="linalg")
def expm(x: Any, /) -> Any:
    """The exponential of each square matrix, by scaling, squaring and a Padé approximant.

    >>> import autograd_lite as ag
    >>> ag.linalg.expm(ag.tensor([[0.0, 1.0], [0.0, 0.0]]))
    Tensor([[1., 1.],
            [0., 1.]])
    """
    return _expm(as_array(x))


# powers and products


@public(np.linalg.matrix_power, room="linalg")
def matrix_power(x: Any, /, n: int) -> Any:
    """The product of ``n`` times the same matrix; of its inverse for negative ``n``.

    >>> import autograd_lite as ag
    >>> ag.linalg.matrix_power(ag.tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    Tensor([[1., 3.],
            [0., 1.]])
    """
    x = as_array(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise LinAlgError(
            f"a power of a matrix that is not square: {x.shape}",
            mend="the last two axes have equal sizes",
        )
    try:
        n = operator.index(n)
    except TypeError:
        raise DTypeError(
            f"an exponent that is no integer: {n!r}",
            mend="the exponent is an integer; eigh gives roots",
        ) from None
    if n == 0:
        return x * 0 + np.eye(x.shape[-1], dtype=x.dtype)
    x = _inv(x) if n < 0 else x
    result, square, n = None, x, abs(n)
    while n:
        if n % 2:
            result = square if result is None else matmul(result, square)
        n //= 2
        square = matmul(square, square) if n else square
    return result


@public(np.linalg.multi_dot, room="linalg")
def multi_dot(arrays: Sequence[Any], /) -> Any:
    """The product of several matrices, in the order that takes the fewest multiplications.

    The first and the last may be vectors.

    >>> import autograd_lite as ag
    >>> ag.linalg.multi_dot([ag.tensor([1.0, 2.0]), [[1.0, 0.0], [0.0, 2.0]], [1.0, 1.0]])
    Tensor(5.)
    """
    parts = [as_array(part) for part in arrays]
    if len(parts) < 2:
        raise DomainError("a product of fewer than two arrays", mend="give at least two")
    if any(p.ndim != 2 for p in parts[1:-1]) or not {parts[0].ndim, parts[-1].ndim} <= {1, 2}:
        raise ShapeError(
            f"multi_dot of arrays with {[p.ndim for p in parts]} axes",
            mend="give matrices; the first and the last may be vectors",
        )
    first, last = parts[0].ndim == 1, parts[-1].ndim == 1
    rows = 1 if first else parts[0].shape[0]
    sizes = [rows, *(p.shape[0] for p in parts[1:]), 1 if last else parts[-1].shape[1]]
    return _in_order(parts, _best_splits(sizes), 0, len(parts) - 1)


def _best_splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Where to cut each run of factors: the classic table of the matrix chain."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    cut = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            costs = {
                k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            cut[i, j] = min(costs, key=costs.__getitem__)
            cost[i, j] = costs[cut[i, j]]
    return cut


def _in_order(parts: Sequence[Any], cut: Any, i: int, j: int) -> Any:
    if i == j:
        return parts[i]
    k = cut[i, j]
    return matmul(_in_order(parts, cut, i, k), _in_order(parts, cut, k + 1, j))


def _cross_product(a: Any, b: Any, *, axis: int) -> Any:
    if a.shape[axis] != 3 or b.shape[axis] != 3:
        raise ShapeError("a cross product is of vectors of three elements")
    return np.linalg.cross(a, b, axis=axis)


_cross = multilinear(
    "cross", _cross_product, lambda g, a, b, *, axis: _crossed(b, g, axis),
    lambda g, a, b, *, axis: _crossed(g, a, axis), symbol="×", text="{0} × {1}",
    latex=r"{0} \times {1}", local=["{1} × G", "G × {0}"],
    doc="The cross product of vectors of three elements along a negative axis.",
    samples=[
        (((3,), (3,)), {"axis": -1}), (((2, 3), (3,)), {"axis": -1}),
        (((3, 2), (3, 1)), {"axis": -2}),
    ],
    code="np.linalg.cross",
)  # fmt: skip


def _crossed(a: Any, b: Any, axis: int) -> Any:
    return apply(_cross.op, (a, b), {"axis": axis})


@public(np.linalg.cross, room="linalg")
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross product of vectors of three elements along an axis; the others broadcast.

    >>> import autograd_lite as ag
    >>> ag.linalg.cross(ag.tensor([1.0, 0.0, 0.0]), [0.0, 1.0, 0.0])
    Tensor([0., 0., 1.])
    """
    a, b = as_array(x1), as_array(x2)
    places = [normalize_axis(axis, x.ndim) - x.ndim for x in (a, b)]
    if places[0] != places[1]:
        raise ShapeError(f"axis {axis} of {a.shape} and {b.shape}", mend="count it from the end")
    return _crossed(a, b, places[0])


@public(np.linalg.outer, room="linalg")
def outer(x1: Any, x2: Any, /) -> Any:
    """Every product of an element of one vector with one of the other.

    >>> import autograd_lite as ag
    >>> ag.linalg.outer(ag.tensor([1.0, 2.0]), [3.0, 4.0])
    Tensor([[3., 4.],
            [6., 8.]])
    """
    a, b = as_array(x1), as_array(x2)
    if a.ndim != 1 or b.ndim != 1:
        raise ShapeError(f"outer of shapes {a.shape} and {b.shape}", mend="give two vectors")
    return columns(a) * b


@public(np.linalg.vecdot, room="linalg")
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The inner product of vectors along an axis; of complex ones the first is conjugated.

    >>> import autograd_lite as ag
    >>> ag.linalg.vecdot(ag.tensor([1.0, 2.0]), [3.0, 4.0])
    Tensor(11.)
    """
    a, b = as_array(x1), as_array(x2)
    if a.shape[axis] != b.shape[axis]:
        raise ShapeError(f"vectors of {a.shape[axis]} and {b.shape[axis]} elements")
    return total(conj(a) * b, axis=axis)


@public(np.linalg.tensordot, room="linalg")
def tensordot(x1: Any, x2: Any, /, axes: Any = 2) -> Any:
    """The sum of products over the last ``axes`` of one and the first of the other array.

    ``axes`` may also be a pair: the axes of the first, and of the second array.

    >>> import autograd_lite as ag
    >>> ag.linalg.tensordot(ag.tensor([1.0, 2.0]), [3.0, 4.0], axes=1)
    Tensor(11.)
    """
    a, b = as_array(x1), as_array(x2)
    if isinstance(axes, int):
        pairs: Any = (tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)))
    else:
        pairs = axes
    left, right = normalize_axes(pairs[0], a.ndim), normalize_axes(pairs[1], b.ndim)
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ShapeError(f"axes {left} of {a.shape} against {right} of {b.shape} differ in size")
    own = [i for i in range(a.ndim) if i not in left]
    other = [i for i in range(b.ndim) if i not in right]
    rows, lines = [a.shape[i] for i in own], [b.shape[i] for i in other]
    size = int(np.prod([a.shape[i] for i in left], dtype=int))
    first = reshape(transpose(a, (*own, *left)), (int(np.prod(rows, dtype=int)), size))
    second = reshape(transpose(b, (*right, *other)), (size, int(np.prod(lines, dtype=int))))
    return reshape(matmul(first, second), (*rows, *lines))


def diagonal_of(x: Any, offset: int = 0) -> Any:
    """The diagonal of the last two axes."""
    rows, wide = shape_of(x)[-2:]
    start = max(0, -offset)
    places = np.arange(start, max(start, min(rows, wide - offset)))
    return getitem(x, (..., places, places + offset))


@public(np.linalg.diagonal, room="linalg")
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonal of each matrix (the last two axes), ``offset`` places to the right.

    >>> import autograd_lite as ag
    >>> ag.linalg.diagonal(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.])
    """
    return diagonal_of(as_array(x), offset)


@public(np.linalg.trace, room="linalg")
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of the diagonal of each matrix.

    >>> import autograd_lite as ag
    >>> ag.linalg.trace(ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor(5.)
    """
    return total(diagonal_of(as_array(x), offset), axis=-1, dtype=dtype)
