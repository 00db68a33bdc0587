"""The independent referee: derivatives by numbers alone.

Knows: how to differentiate any function of float arrays by finite differences and by a complex
step, how far such a number can be trusted, and the laws that every derivative obeys.
Does not know: graphs, tensors, operators, layers.
Imports: NumPy and the exception tree.

How a number is found. For each element a ladder of four steps h, h/2, h/4, h/8 gives the central
difference and both one-sided ones; Richardson's extrapolation removes the leading powers of h from
each (even powers for the central one). The error of an element is the larger of what the
extrapolation still moved and what rounding of f can do at that step. Where that error is too
large, h is made smaller (truncation, a kink or the border of the domain is near) or larger
(rounding rules), element by element, until it is small or no step is better. h starts at a
fraction of the element's own size, so the scale of x is of no matter.

Where the two one-sided values disagree the point is a kink, and both are reported. Where f takes
complex numbers, f(x + ih) gives the derivative without any subtraction; it is believed only where
the finite differences, within their error, say the same.

Source: C. Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Adv. Eng. Software 4 (1982);
W. Squire and G. Trapp, "Using complex variables to estimate derivatives", SIAM Review 40 (1998).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.errors import CompareError, DTypeError, ShapeError

__all__ = [
    "NumericGradient",
    "adjoint_gap",
    "numeric_directional",
    "numeric_jacobian",
    "numeric_jvp",
    "numeric_slopes",
    "numeric_vjp",
    "symmetry_gap",
]

_LEVELS = 4  # steps h, h/2, h/4, h/8 of one ladder
_GOOD = 1e-8  # an element whose error is this small, relative to itself, is done (float32: √eps)
_GOOD_IN_ROW = 1e-10  # … or relative to the largest element of its array
_DOWN, _UP = 1 / 16, 64.0  # how far a ladder moves when it was too long, too short
_ROUNDS = 14  # ladders at most, for an element
_EXACT_BITS = 64.0  # h is a multiple of this many ulps of x, so that x ± h/8 are exact


@dataclass(frozen=True, eq=False)
class NumericGradient:
    """The gradient of ⟨cotangent, f⟩ with respect to one input, by numbers.

    `value`, `error` (estimated absolute error), `left` and `right` (one-sided values, NaN where
    f has none on that side) and `examined` have the input's shape; where `examined` is False the
    value is NaN and the error infinite. `method` says in words what was used.
    """

    value: Any
    error: Any
    method: str
    left: Any
    right: Any
    examined: Any

    @property
    def kinks(self) -> Any:
        """True where the one-sided values exist and differ by more than their error."""
        return _is_kink(self.left, self.right, self.error)

    @property
    def lower(self) -> Any:
        """The smaller of the one-sided values; `value` where there is no kink."""
        return np.where(self.kinks, np.fmin(self.left, self.right), self.value)

    @property
    def upper(self) -> Any:
        """The larger of the one-sided values; `value` where there is no kink."""
        return np.where(self.kinks, np.fmax(self.left, self.right), self.value)


def numeric_vjp(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    cotangent: Any = None,
    *,
    indices: Sequence[Any] | None = None,
    complex_step: bool = True,
) -> list[NumericGradient]:
    """Return the gradient of ⟨cotangent, f(*arrays)⟩ with respect to each array.

    `f` takes as many float64 arrays (fresh copies at every call: it may change them) and returns
    one array or a tuple of them; `cotangent` has the shape of what it returns, and may be left
    out if that is one number. `indices` limits the work to some flat positions of each array.

    Raises `ShapeError` for a cotangent of another shape, `DTypeError` for data that are no real
    numbers.

    >>> import numpy as np
    >>> (dx,) = numeric_vjp(np.exp, [np.array([0.0, 1.0])], np.array([1.0, 1.0]))
    >>> bool(abs(dx.value[1] - np.e) < 1e-12), dx.method
    (True, 'complex step')
    """
    function = _Function(f, arrays)
    weights = function.weights(cotangent)
    chosen = _chosen(function.points, indices)
    return [_gradient(function, k, weights, chosen[k], complex_step) for k in range(len(chosen))]


def numeric_jvp(
    f: Callable[..., Any], arrays: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, Any]:
    """Return the derivative of f at `arrays` along `tangents`, and its error per element.

    Both have the structure of f's result. Every element of every array moves at once, so this
    costs the same for any number of elements.

    >>> import numpy as np
    >>> value, error = numeric_jvp(np.square, [np.array([3.0, 5.0])], [np.array([1.0, 2.0])])
    >>> value.round(9)
    array([ 6., 20.])
    """
    function = _Function(f, arrays)
    estimate = _along(function, tangents)
    return function.restore(estimate.value), function.restore(estimate.error)


def numeric_directional(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    tangents: Sequence[Any],
    *,
    rounding: Sequence[Any] | None = None,
) -> list[NumericGradient]:
    """Return what `numeric_jvp` does, one `NumericGradient` per output, one-sided values included.

    `rounding` gives the absolute rounding of each element of f's outputs where it is known to be
    more than an ulp of the value (a sum that cancels).

    >>> import numpy as np
    >>> (out,) = numeric_directional(np.abs, [np.array([0.0, 2.0])], [np.array([3.0, 1.0])])
    >>> out.kinks, out.left.round(9), out.right.round(9)
    (array([ True, False]), array([-3.,  1.]), array([3., 1.]))
    """
    function = _Function(f, arrays)
    if rounding is not None:
        function.rounding = function.flat(rounding)
    estimate = _along(function, tangents)
    parts = [
        _as_list(function.restore(part))
        for part in (estimate.value, estimate.error, estimate.left, estimate.right)
    ]
    method = "central differences along a direction, Richardson"
    return [
        NumericGradient(value, error, method, left, right, np.ones(np.shape(value), bool))
        for value, error, left, right in zip(*parts, strict=True)
    ]


def numeric_slopes(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    tangents: Sequence[Sequence[Any]],
    cotangent: Any = None,
) -> list[NumericGradient]:
    """Return the derivative of ⟨cotangent, f⟩ at `arrays` along each of `tangents`: one number.

    Every element of every array moves at once, so this costs the same for any number of elements.

    >>> import numpy as np
    >>> tangents = [[np.array([1.0, 0.0])], [np.array([0.0, 2.0])]]
    >>> slopes = numeric_slopes(np.square, [np.array([3.0, 5.0])], tangents, np.array([1.0, 1.0]))
    >>> [round(float(slope.value), 9) for slope in slopes]
    [6.0, 20.0]
    """
    if not tangents:
        return []
    function = _Function(f, arrays)
    weights = function.weights(cotangent)
    return [_slope(function, one, weights) for one in tangents]


def numeric_jacobian(f: Callable[..., Any], x: Any) -> tuple[Any, Any]:
    """Return the Jacobian of f at x, of shape `f(x).shape + x.shape`, and its error.

    >>> import numpy as np
    >>> value, error = numeric_jacobian(lambda x: x[:2] * x[2], np.array([1.0, 2.0, 3.0]))
    >>> value.round(9)
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    point = _as_points([x])[0]
    columns = []
    for i in range(point.size):
        unit = np.zeros(point.size)
        unit[i] = 1.0
        columns.append(numeric_jvp(f, [point], [unit.reshape(point.shape)]))
    if not columns:
        empty = np.zeros(np.shape(f(point.copy())) + point.shape)
        return empty, empty.copy()
    value, error = (np.stack([c[part] for c in columns], axis=-1) for part in (0, 1))
    shape = value.shape[:-1] + point.shape
    return value.reshape(shape), error.reshape(shape)


def adjoint_gap(
    gradients: Sequence[Any], tangents: Sequence[Any], cotangent: Any, derivative: Any
) -> tuple[float, float, float]:
    """Hold a reverse derivative against a forward one: ⟨Jᵀg, v⟩ = ⟨g, Jv⟩.

    `gradients` is Jᵀg and `tangents` v, one array per input; `cotangent` is g and `derivative`
    Jv, arrays or tuples of arrays. Returns both inner products and their distance relative to
    Σ|terms|, which is NaN if anything in it is.

    >>> adjoint_gap([[2.0, 4.0]], [[1.0, 1.0]], [1.0, 1.0], [2.0, 4.0])
    (6.0, 6.0, 0.0)
    """
    left = _products(gradients, tangents)
    right = _products(_as_list(cotangent), _as_list(derivative))
    return _gap(left, right)


def symmetry_gap(
    hvp: Callable[[Sequence[Any]], Sequence[Any]], u: Sequence[Any], v: Sequence[Any]
) -> tuple[float, float, float]:
    """Hold a second derivative against its own symmetry: ⟨Hu, v⟩ = ⟨u, Hv⟩.

    `hvp` takes one array per input and returns H times them. Returns as `adjoint_gap` does.

    >>> symmetry_gap(lambda w: [2 * w[0]], [1.0], [3.0])
    (6.0, 6.0, 0.0)
    """
    return _gap(_products(hvp(u), v), _products(u, hvp(v)))


def _products(left: Sequence[Any], right: Sequence[Any]) -> Any:
    pairs = [np.asarray(a, float) * np.asarray(b, float) for a, b in zip(left, right, strict=True)]
    return np.concatenate([p.ravel() for p in pairs] or [np.zeros(0)])


def _gap(left: Any, right: Any) -> tuple[float, float, float]:
    a, b = float(np.sum(left)), float(np.sum(right))
    size = float(np.abs(left).sum() + np.abs(right).sum()) / 2
    return a, b, abs(a - b) / size if size != 0 else abs(a - b)


# ── the function under examination ───────────────────────────────────────────────────────────────


class _Function:
    """f with its point: evaluated on fresh copies, its results flattened to one vector."""

    def __init__(self, f: Callable[..., Any], arrays: Sequence[Any]) -> None:
        self.f = f
        self.points = _as_points(arrays)
        result = self._call(self.points)
        self.many = isinstance(result, tuple | list)
        self.shapes = [np.shape(part) for part in _as_list(result)]
        kinds = [np.asarray(part).dtype for part in _as_list(result)]
        for kind in kinds:
            if kind.kind not in "fiub":
                raise DTypeError(f"the function under test returned {kind}, expected real numbers")
        self.eps = max((float(np.finfo(k).eps) for k in kinds if k.kind == "f"), default=2.3e-16)
        self.eps = max(self.eps, float(np.finfo(np.float64).eps))
        # The eighth root balances the sixth-order truncation of a ladder against rounding.
        self.first_step = self.eps**0.125
        self.base = self._flat(result, np.float64)
        self.rounding = np.zeros(self.base.shape)

    def _call(self, points: Sequence[Any]) -> Any:
        with np.errstate(all="ignore"):
            return self.f(*[np.array(p) for p in points])

    def _flat(self, result: Any, dtype: Any) -> Any:
        parts = [np.asarray(part) for part in _as_list(result)]
        if [part.shape for part in parts] != self.shapes:
            shapes = [part.shape for part in parts]
            raise ShapeError(
                f"the function under test returned shape {_words(shapes)} at one point and "
                f"{_words(self.shapes)} at another"
            )
        return np.concatenate([p.ravel() for p in parts] or [np.zeros(0)]).astype(dtype)

    def flat(self, parts: Sequence[Any]) -> Any:
        """One array per output, as one vector."""
        return np.concatenate([np.asarray(p, np.float64).ravel() for p in parts])

    def at(self, points: Sequence[Any]) -> Any:
        """The flattened result, a vector that shares nothing with f."""
        return self._flat(self._call(points), np.float64)

    def moved(self, k: int, i: int, delta: Any) -> list[Any]:
        """The points with element i of array k moved by delta (real or imaginary)."""
        points = list(self.points)
        points[k] = points[k].astype(np.result_type(points[k], type(delta)))
        points[k].reshape(-1)[i] += delta
        return points

    def along(self, directions: Sequence[Any], h: float) -> tuple[Any, Any, float]:
        """f(x + hv), f(x − hv) and h."""
        plus = [p + h * d for p, d in zip(self.points, directions, strict=True)]
        minus = [p - h * d for p, d in zip(self.points, directions, strict=True)]
        return self.at(plus), self.at(minus), h

    def imaginary(self, k: int, i: int, h: float) -> Any:
        """Im f(x + ih)/h, or None if f refuses complex numbers or drops the imaginary part."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            try:
                result = self._call(self.moved(k, i, 1j * h))
                if not all(np.asarray(part).dtype.kind == "c" for part in _as_list(result)):
                    return None
                return self._flat(result, np.complex128).imag / h
            except Exception:  # noqa: BLE001  # code refuses complex numbers in any way it likes
                return None

    def weights(self, cotangent: Any) -> Any:
        """The cotangent as a vector, its shape checked."""
        if cotangent is None:
            if self.base.size != 1:
                raise ShapeError(
                    f"the function under test returned shape {_words(self.shapes)}; pass a "
                    "cotangent of that shape"
                )
            return np.ones(1)
        parts = _as_list(cotangent) if self.many else [cotangent]
        shapes = [np.shape(part) for part in parts]
        if shapes != self.shapes:
            raise ShapeError(
                f"cotangent of shape {_words(shapes)} for a result of shape {_words(self.shapes)}"
            )
        return np.concatenate([np.asarray(p, np.float64).ravel() for p in parts] or [np.zeros(0)])

    def restore(self, vector: Any) -> Any:
        """A vector over all results, in the structure that f returns."""
        ends = np.cumsum([int(np.prod(s)) for s in self.shapes])
        parts = [
            p.reshape(s) for p, s in zip(np.split(vector, ends[:-1]), self.shapes, strict=True)
        ]
        return tuple(parts) if self.many else parts[0]


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple | list) else [value]


def _as_points(arrays: Sequence[Any]) -> list[Any]:
    points = []
    for k, data in enumerate(arrays):
        array = np.asarray(data)
        if array.dtype.kind not in "fiub":
            raise DTypeError(f"input {k} has dtype {array.dtype}, expected real numbers")
        wide = array.dtype if array.dtype == np.longdouble else np.float64
        points.append(np.array(array, dtype=wide, order="C"))
    return points


def _words(shapes: Sequence[Any]) -> str:
    return str(shapes[0]) if len(shapes) == 1 else ", ".join(map(str, shapes))


def _tangents(points: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    if len(tangents) != len(points):
        raise ShapeError(f"{len(tangents)} tangents for {len(points)} inputs; pass one per input")
    for k, (p, t) in enumerate(zip(points, tangents, strict=True)):
        if np.shape(t) != p.shape:
            raise ShapeError(f"tangent {k} of shape {np.shape(t)} for an input of shape {p.shape}")
    return [np.asarray(t, np.float64) for t in tangents]


def _chosen(points: Sequence[Any], indices: Sequence[Any] | None) -> list[Any]:
    if indices is None:
        return [np.arange(p.size) for p in points]
    if len(indices) != len(points):
        raise CompareError(f"{len(indices)} index lists for {len(points)} inputs; pass one each")
    return [np.asarray(i, dtype=np.intp).ravel() for i in indices]


def _size(point: Any) -> float:
    """The size of an array's finite elements, 1 if there is none but 0."""
    finite = np.abs(point[np.isfinite(point)])
    largest = float(finite.max(initial=0.0))
    return largest if largest > 0 else 1.0


def _reach(points: Sequence[Any], directions: Sequence[Any]) -> float:
    """The length along the direction that moves no array by more than its own size."""
    ratios = [
        _size(p) / float(np.abs(d).max(initial=0.0))
        for p, d in zip(points, directions, strict=True)
        if np.abs(d).max(initial=0.0) > 0
    ]
    return min(ratios, default=1.0)


# ── ladders of steps ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class _Probe:
    """Difference quotients at each level (rows) for some elements (columns)."""

    right: Any  # (f(x + h) − f(x)) / h
    left: Any  # (f(x) − f(x − h)) / h
    noise: Any  # what rounding of f can do to the shortest step's quotient


@dataclass(frozen=True, eq=False)
class _Estimate:
    """What a ladder says: one vector each over some elements."""

    value: Any
    error: Any
    left: Any
    right: Any
    noise: Any
    side: Any  # True where only one side of the point has values


def _ladder(h: float) -> list[float]:
    return [h * 0.5**level for level in range(_LEVELS)]


def _difference(a: Any, b: Any) -> Any:
    # Equal infinities far from the moved element are no change.
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(a == b, 0.0, a - b)


def _probed(rows: Any, function: _Function, weights: Any) -> _Probe:
    """Quotients from rows of (f(x+h), f(x−h), h): of ⟨weights, f⟩, or of each output if None."""
    base = function.base
    right, left, changed = [], [], np.zeros(base.shape, bool)
    magnitude = np.abs(base)
    with np.errstate(invalid="ignore", over="ignore"):
        for plus, minus, h in rows:
            up, down = _difference(plus, base), _difference(base, minus)
            changed |= (up != 0) | (down != 0)
            magnitude = np.fmax(magnitude, np.fmax(np.abs(plus), np.abs(minus)))
            right.append(up / h if weights is None else (weights * up).sum() / h)
            left.append(down / h if weights is None else (weights * down).sum() / h)
        ulps = 4 * function.eps * magnitude + function.rounding
        noise = np.where(np.isfinite(magnitude), ulps / rows[-1][2], np.inf)
        if weights is not None:
            # An output that did not move carries no rounding; if none moved, any may have.
            moved = (weights != 0) & (changed if changed.any() else True)
            noise = (np.abs(weights[moved]) * noise[moved]).sum()
    return _Probe(np.stack(right), np.stack(left), np.asarray(noise))


def _extrapolate(rows: Any, powers: Sequence[int]) -> tuple[Any, Any]:
    """Richardson's tableau over halved steps; returns the best entries and their errors.

    The error of an entry is the larger of its distances to the two entries that it was made of
    (Ridders). Rows come longest step first; `powers` are those that the tableau removes in turn.
    """
    previous = [rows[0]]
    best, error = rows[0], np.full(rows[0].shape, np.inf)
    with np.errstate(invalid="ignore", over="ignore"):
        for level in range(1, len(rows)):
            current = [rows[level]]
            for power, older in zip(powers, previous, strict=False):
                gain = 2.0**power
                newer = (gain * current[-1] - older) / (gain - 1)
                doubt = np.maximum(np.abs(newer - current[-1]), np.abs(newer - older))
                better = doubt < error
                best, error = np.where(better, newer, best), np.where(better, doubt, error)
                current.append(newer)
            previous = current
    lost = ~np.isfinite(best)
    return np.where(lost, np.nan, best), np.where(lost | np.isnan(error), np.inf, error)


def _is_kink(left: Any, right: Any, error: Any) -> Any:
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.abs(left), np.abs(right))
        return np.abs(right - left) > 10 * error + 1e-5 * size


def _estimate(probe: _Probe) -> _Estimate:
    """Value, error and one-sided values of each element from its ladder."""
    with np.errstate(invalid="ignore", over="ignore"):
        central, error = _extrapolate((probe.right + probe.left) / 2, (2, 4, 6))
        right, right_error = _extrapolate(probe.right, (1, 2, 3))
        left, left_error = _extrapolate(probe.left, (1, 2, 3))
        sides = np.maximum(right_error, left_error) + probe.noise
        kink = np.isfinite(sides) & _is_kink(left, right, sides)
        # A kink's one-sided branches have odd powers too, which the central tableau keeps.
        value = np.where(kink, (left + right) / 2, central)
        error = np.where(kink, sides, np.maximum(error, probe.noise))
        only = np.isnan(left) ^ np.isnan(right)
        one = np.where(np.isnan(left), right, left)
        # At a border the powers are often no whole numbers (√x), and convergence is slower.
        one_error = 4 * np.where(np.isnan(left), right_error, left_error) + probe.noise
    return _Estimate(
        np.where(only, one, value),
        np.where(only, one_error, error),
        np.where(kink | only, left, central),
        np.where(kink | only, right, central),
        probe.noise,
        only,
    )


def _unknown(count: int) -> _Estimate:
    nothing, endless = np.full(count, np.nan), np.full(count, np.inf)
    return _Estimate(nothing, endless, nothing, nothing, endless, np.zeros(count, bool))


def _refine(
    probe: Callable[[Any, Any], _Probe],
    start: Any,
    selected: Any,
    eps: float,
    *,
    shared: bool = False,
) -> _Estimate:
    """Move each element's ladder until its error is small; keep the best estimate of each.

    `shared`: all elements are outputs of one direction and have one step.
    """
    steps = np.array(start, float)
    best = _estimate(probe(selected, steps))
    heading = np.zeros(steps.shape)  # +1: ever longer, −1: ever shorter; 0: not yet decided
    stopped = np.zeros(steps.shape, bool)
    for _ in range(_ROUNDS - 1):
        # Rounding asks for a longer step; truncation, kinks and lost values for a shorter one.
        with np.errstate(invalid="ignore"):
            wish = np.where(best.error <= 2 * best.noise, 1.0, -1.0)
        todo = ~_settled(best, eps) & ~stopped & (heading * wish >= 0)
        if not todo.any():
            break
        if shared:
            todo = np.ones(steps.shape, bool)
            wish[:] = heading[0] or (1.0 if wish.mean() > 0 else -1.0)
        heading = np.where(todo, wish, heading)
        steps = np.where(todo, steps * np.where(wish > 0, _UP, _DOWN), steps)
        fresh = _estimate(probe(selected[todo], steps[todo]))
        best, won = _better(best, fresh, todo, heading[todo])
        stopped[todo] = (heading[todo] > 0) & ~won
        if shared:
            stopped[:] = stopped.all()
    return best


def _settled(estimate: _Estimate, eps: float) -> Any:
    finite = np.abs(estimate.value[np.isfinite(estimate.value)])
    row = float(finite.max(initial=0.0))
    good = max(_GOOD, eps**0.5)
    with np.errstate(invalid="ignore"):
        own = estimate.error <= good * np.abs(estimate.value)
        in_row = (estimate.error <= _GOOD_IN_ROW * row) & (row > 0)
    # One-sided is settled only as a last resort: a shorter step may find the other side.
    return (own | in_row) & ~estimate.side


def _better(best: _Estimate, fresh: _Estimate, where: Any, heading: Any) -> tuple[_Estimate, Any]:
    """`best` with the elements of `fresh` (those at `where`) that are more certain; which won."""
    old = _Estimate(*[getattr(best, name)[where] for name in _FIELDS])
    with np.errstate(invalid="ignore", divide="ignore"):
        # A long step over a wild function gives a small number with a small error: the relative
        # error knows it for a guess. Where both are guesses the absolute error decides.
        old_part = np.nan_to_num(old.error / np.abs(old.value), nan=np.inf)
        new_part = np.nan_to_num(fresh.error / np.abs(fresh.value), nan=np.inf)
        sure = np.minimum(old_part, new_part) < 1e-3
        win = np.where(sure, new_part < old_part, fresh.error < old.error)
        # A longer step is to lessen rounding: it must not leave what the shorter one allowed.
        win &= (heading < 0) | (np.abs(fresh.value - old.value) <= 10 * old.error)
    win = np.where(old.side & ~fresh.side & np.isfinite(fresh.error), True, win)
    win |= np.isnan(old.value)
    win &= ~(~old.side & fresh.side & np.isfinite(old.error))
    merged = []
    for name in _FIELDS:
        whole = getattr(best, name).copy()
        whole[where] = np.where(win, getattr(fresh, name), getattr(old, name))
        merged.append(whole)
    return _Estimate(*merged), win


_FIELDS = ("value", "error", "left", "right", "noise", "side")


# ── a direction ──────────────────────────────────────────────────────────────────────────────────


def _along(function: _Function, tangents: Sequence[Any]) -> _Estimate:
    directions = _tangents(function.points, tangents)
    selected = np.arange(function.base.size)
    if not selected.size:
        return _unknown(0)

    def probe(_: Any, steps: Any) -> _Probe:
        # One h serves all outputs: an output that is done merely comes along.
        rows = [function.along(directions, h) for h in _ladder(float(steps[0]))]
        return _probed(rows, function, None)

    start = np.full(selected.size, function.first_step * _reach(function.points, directions))
    return _refine(probe, start, selected, function.eps, shared=True)


def _slope(function: _Function, tangents: Sequence[Any], weights: Any) -> NumericGradient:
    directions = _tangents(function.points, tangents)

    def probe(_: Any, steps: Any) -> _Probe:
        rows = [function.along(directions, h) for h in _ladder(float(steps[0]))]
        one = _probed(rows, function, weights)
        return _Probe(one.right[:, None], one.left[:, None], one.noise[None])

    start = np.array([function.first_step * _reach(function.points, directions)])
    found = _refine(probe, start, np.arange(1), function.eps)
    parts = (part[0] for part in (found.value, found.error, found.left, found.right))
    value, error, left, right = parts
    method = "central differences along a direction, Richardson"
    return NumericGradient(value, error, method, left, right, np.True_)


# ── one input's gradient ─────────────────────────────────────────────────────────────────────────


def _gradient(
    function: _Function, k: int, weights: Any, chosen: Any, complex_step: bool
) -> NumericGradient:
    point = function.points[k]
    flat = point.reshape(-1)
    # An element far smaller than its array is moved by a part of the array's size.
    scale = np.maximum(np.abs(flat[chosen]), 0.05 * _size(point))
    scale = np.where(np.isfinite(scale), scale, 1.0)

    def probe(selected: Any, steps: Any) -> _Probe:
        probes = [_element(function, k, int(i), float(h), weights) for i, h in zip(selected, steps)]
        return _Probe(
            np.stack([p.right for p in probes], axis=1),
            np.stack([p.left for p in probes], axis=1),
            np.stack([p.noise for p in probes]),
        )

    if chosen.size == 0 or np.isnan(function.base[weights != 0]).any():
        estimate, complex_step = _unknown(chosen.size), False
    else:
        estimate = _refine(probe, function.first_step * scale, chosen, function.eps)
    method = "central differences, Richardson"
    if complex_step:
        estimate, method = _with_complex_step(function, k, chosen, scale, weights, estimate)
    if estimate.side.any():
        method += f"; one-sided at {int(estimate.side.sum())}"

    def spread(part: Any, fill: float) -> Any:
        full = np.full(point.size, fill)
        full[chosen] = part
        return full.reshape(point.shape)

    examined = np.zeros(point.size, bool)
    examined[chosen] = True
    return NumericGradient(
        spread(estimate.value, np.nan),
        spread(estimate.error, np.inf),
        method,
        spread(estimate.left, np.nan),
        spread(estimate.right, np.nan),
        examined.reshape(point.shape),
    )


def _element(function: _Function, k: int, i: int, h: float, weights: Any) -> _Probe:
    """The ladder of one element, at steps that x can take exactly."""
    x = float(function.points[k].reshape(-1)[i])
    grain = float(np.spacing(max(abs(x), h))) * _EXACT_BITS
    h = max(round(h / grain), 1) * grain if np.isfinite(grain) else h
    rows = [
        (function.at(function.moved(k, i, s)), function.at(function.moved(k, i, -s)), s)
        for s in _ladder(h)
    ]
    return _probed(rows, function, weights)


def _with_complex_step(
    function: _Function, k: int, chosen: Any, scale: Any, weights: Any, estimate: _Estimate
) -> tuple[_Estimate, str]:
    """The complex step's values wherever finite differences bear them out."""
    value, error = estimate.value.copy(), estimate.error.copy()
    used = np.zeros(chosen.size, bool)
    for column, i in enumerate(chosen):
        parts = function.imaginary(k, int(i), 1e-20 * float(scale[column]))
        if parts is None:
            break
        with np.errstate(invalid="ignore", over="ignore"):
            exact, size = float((weights * parts).sum()), float(np.abs(weights * parts).sum())
        doubt = float(estimate.error[column])
        near = abs(exact - float(estimate.value[column])) <= 10 * doubt
        if near and doubt <= 1e-3 * abs(exact):
            value[column], used[column] = exact, True
            # Rounding inside f, which the differences have felt, bounds the complex step too.
            error[column] = min(doubt, max(16 * function.eps * size, 1e-3 * doubt))
    if not used.any():
        return estimate, "central differences, Richardson"
    method = (
        "complex step" if used.all() else f"complex step at {int(used.sum())}, else differences"
    )
    return replace(estimate, value=value, error=error), method
