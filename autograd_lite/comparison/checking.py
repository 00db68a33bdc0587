"""`gradcheck`: automatic derivatives of a function, held against numbers and each other.

Knows: which derivatives to ask for (reverse, forward, second order) and which laws join them.
Does not know: hand-written layers, the rules of judgement (`verdict`), the look of the report.
Imports: its neighbours, derivatives, `numeric`, errors, NumPy.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.automatic import as_arrays
from autograd_lite.comparison.numbers import generator, numbers_of, said_of_samples
from autograd_lite.comparison.realified import is_complex, of_real_parts, part_names, parts_of
from autograd_lite.comparison.report import Comparison, Finding, Row
from autograd_lite.comparison.rounding import natural_scale, rounding_of
from autograd_lite.comparison.verdict import NUMERIC, Allowance, Numbers, judge_claim, tolerance_of
from autograd_lite.derivatives import gradients, jvp
from autograd_lite.errors import AutogradError, CompareError, DTypeError
from autograd_lite.modes import no_grad
from autograd_lite.numeric import adjoint_gap, numeric_directional
from autograd_lite.tensors import Tensor, tensor

__all__ = ["check_claims", "gradcheck"]

_PARTIES = ("automatic", "numeric")


def gradcheck(
    f: Callable[..., Any],
    *xs: Any,
    cotangent: Any = None,
    order: int = 2,
    seed: int = 0,
    title: str | None = None,
) -> Comparison:
    """Check the derivatives of `f` at `xs` against finite differences.

    `f` takes as many tensors as there are `xs` (arrays, numbers or tensors; integers become
    float64) and returns a tensor or several. Checked are the gradient of ⟨cotangent, f⟩ with
    respect to each input, element by element; the forward derivative along a random direction;
    the adjoint identity ⟨Jᵀg, v⟩ = ⟨g, Jv⟩; and with `order=2` the derivative of that gradient
    along the direction, and its symmetry. There is no absolute tolerance: a gradient of 1e-8 is
    judged as strictly as one of 1, and where numbers cannot tell, the row does not pass.
    A complex input or output counts as two real ones, its parts: the gradient of z is that of
    Re z less i times that of Im z. A complex cotangent g weighs an output y as Re(g·y).

    >>> import autograd_lite as ag
    >>> print(ag.gradcheck(lambda x: ag.exp(x) * x, np.array([0.5, 1.0])).verdict)
    right: 5 of 5 hold
    """
    if not xs:
        raise CompareError("no inputs", mend="pass what the function takes: ag.gradcheck(f, x, …)")
    arrays = [_array(k, x) for k, x in enumerate(xs)]
    rng = generator(seed)
    names, title = _names(f, len(arrays)), title or f"gradcheck of {_name_of(f)}"
    if any(map(is_complex, arrays)) or _gives_complex(f, arrays):
        if cotangent is not None:
            cotangent = _real_cotangents(f, arrays, cotangent)
        f, names = of_real_parts(f, arrays), part_names(names, arrays)
        arrays = [np.array(part) for part in parts_of(arrays)]
    case = _Checked(f, arrays, names, rng, cotangent)
    claims = case.reverse()
    roundings = rounding_of(claims, case.reverse_at, arrays, case.douts, case.scales(1))
    numbers = numbers_of(case.values, arrays, case.douts, rng)
    rows = _claimed(arrays, claims, numbers, case.names, roundings)
    findings: list[Finding] = []
    rows += _tried("forward mode", case.forward_rows, findings)
    if order > 1:
        if any(row.verdict == "legitimate choice" for row in rows):
            case = case.beside_the_kink(rng)
            findings.append(Finding("info", "order 2", "checked beside the point, which is a kink"))
        rows += _tried("order 2", case.second_rows, findings)
    findings += [finding for row in rows for finding in _of_row(row)]
    if said := said_of_samples([f"d{name}" for name in case.names], numbers):
        findings.append(Finding("info", "numbers", said))
    how = f"seed {seed}" if cotangent is None else "given"
    return Comparison(
        title,
        tuple(rows),
        tuple(findings),
        f"cotangent {how}; each element within 3 estimated errors of its number, and {NUMERIC:.0e} "
        "of itself",
        _PARTIES,
    )


def _tried(what: str, step: Callable[[], list[Row]], findings: list[Finding]) -> list[Row]:
    """The rows of a step; if the engine refuses it, a finding that says why."""
    try:
        return step()
    except AutogradError as error:
        findings.append(Finding("error", what, error.what))
        return []


def check_claims(
    f: Callable[..., Any],
    arrays: Sequence[Any],
    claims: Sequence[Any],
    cotangents: Sequence[Any],
    names: Sequence[str],
    rng: np.random.Generator,
    roundings: Sequence[Any] | None = None,
) -> list[Row]:
    """Hold claimed gradients of ⟨cotangents, f⟩ against numbers; `f` is plain NumPy code.

    One row per array; a claim of another shape than its array is a row that does not hold.
    `roundings` is what is known to be rounding in each claim.
    """
    arrays = [np.asarray(a) for a in arrays]
    numbers = numbers_of(f, arrays, cotangents, rng)
    return _claimed(arrays, claims, numbers, names, roundings or [0.0] * len(arrays))


def _claimed(
    arrays: Sequence[Any],
    claims: Sequence[Any],
    numbers: Sequence[Numbers],
    names: Sequence[str],
    roundings: Sequence[Any],
) -> list[Row]:
    rows = []
    for name, array, claim, number, rounding in zip(
        names, arrays, claims, numbers, roundings, strict=True
    ):
        if np.shape(claim) == array.shape:
            rows.append(_row(f"d{name}", "input", claim, number, arrays, rounding))
        else:
            note = f"shape {np.shape(claim)} for an input of shape {array.shape}"
            rows.append(Row(f"d{name}", "input", array.shape, "wrong shape", note=note))
    return rows


def _row(
    name: str,
    kind: str,
    claim: Any,
    numbers: Numbers,
    arrays: Sequence[Any],
    rounding: Any = 0.0,
) -> Row:
    allowance = Allowance(tolerance_of(claim, *arrays), rounding)
    found = judge_claim(claim, numbers, "automatic", allowance)
    number = numbers.gradient
    return Row(
        name,
        kind,
        tuple(np.shape(claim)),
        tolerance=max(NUMERIC, allowance.coarse),
        **vars(found),
        automatic=claim,
        numeric=number.value,
        numeric_error=number.error,
    )


def _array(k: int, x: Any) -> Any:
    array = x.numpy() if isinstance(x, Tensor) else np.array(x)
    if array.dtype.kind not in "fiubc":
        raise DTypeError(f"input {k} has dtype {array.dtype}", mend="pass arrays of numbers")
    return array if array.dtype.kind in "fc" else array.astype(np.float64)


def _outputs_of(f: Callable[..., Any], arrays: Sequence[Any]) -> tuple[Any, ...]:
    with no_grad():
        return as_arrays(_many(f(*[tensor(a) for a in arrays])))


def _gives_complex(f: Callable[..., Any], arrays: Sequence[Any]) -> bool:
    return any(map(is_complex, _outputs_of(f, arrays)))


def _real_cotangents(f: Callable[..., Any], arrays: Sequence[Any], cotangent: Any) -> Any:
    """The cotangents of the parts of f's outputs."""
    outputs = _outputs_of(f, arrays)
    given = cotangent if len(outputs) > 1 else [cotangent]
    given = [g.numpy() if isinstance(g, Tensor) else np.asarray(g) for g in given]
    typed = [
        g.astype(np.complex128) if is_complex(y) else g for g, y in zip(given, outputs, strict=True)
    ]
    parts = parts_of(typed, sign=-1)
    return parts if len(parts) > 1 else parts[0]


def _name_of(f: Any) -> str:
    name = getattr(f, "__name__", None) or type(f).__name__
    return "a function" if name == "<lambda>" else str(name)


def _names(f: Any, count: int) -> list[str]:
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        names = []
    return names[:count] if len(names) >= count else [f"x{k}" for k in range(count)]


def _many(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


class _Checked:
    """A function of tensors at a point, with a cotangent and two directions."""

    def __init__(
        self,
        f: Callable[..., Any],
        arrays: list[Any],
        names: list[str],
        rng: np.random.Generator,
        cotangent: Any,
    ) -> None:
        self.f, self.arrays, self.names = f, arrays, names
        outputs = _many(self.values(*arrays))
        drawn = [rng.standard_normal(np.shape(y)) for y in outputs]
        given = drawn if cotangent is None else cotangent if len(outputs) > 1 else [cotangent]
        self.douts = [d.numpy() if isinstance(d, Tensor) else np.asarray(d, float) for d in given]
        for d, y in zip(self.douts, outputs, strict=True):
            if d.shape != np.shape(y):
                raise CompareError(
                    f"the cotangent has shape {d.shape}, the output {np.shape(y)}",
                    mend="give the cotangent the output's shape, or leave it out",
                )
        # In each array's own scale, lest the largest array drown the others.
        self.v, self.u = (
            [rng.standard_normal(a.shape) * (np.abs(a).max(initial=0.0) or 1.0) for a in arrays]
            for _ in range(2)
        )

    def values(self, *arrays: Any) -> Any:
        """Evaluate f on plain arrays."""
        outputs = _outputs_of(self.f, arrays)
        return outputs if len(outputs) > 1 else outputs[0]

    def _pulled(self, xs: Sequence[Any], douts: Sequence[Any]) -> list[Any]:
        """Jᵀg as tensors."""
        outputs, totals = _many(self.f(*xs)), [0.0 * x for x in xs]
        for y, d in zip(outputs, douts, strict=True):
            if isinstance(y, Tensor) and y.tracked:
                parts = gradients(y, list(xs), d.astype(y.dtype))
                totals = [a + b for a, b in zip(totals, parts, strict=True)]
        return totals

    def scales(self, order: int) -> list[Any]:
        """How large derivatives of this order naturally are, per element of each input."""
        outputs = _many(self.values(*self.arrays))
        first = [natural_scale(outputs, self.douts, a) for a in self.arrays]
        if order == 1:
            return first
        ones = [
            natural_scale([np.abs(v)], [np.ones(v.shape)], a) for v, a in zip(self.v, self.arrays)
        ]
        reach = sum(float(np.max(one, initial=0.0)) for one in ones)
        return [scale * reach for scale in first]

    def reverse(self, *arrays: Any) -> list[Any]:
        """Jᵀg as arrays."""
        return self.reverse_at(arrays or self.arrays, self.douts)

    def reverse_at(self, arrays: Sequence[Any], douts: Sequence[Any]) -> list[Any]:
        """Jᵀg as arrays, at other inputs."""
        return [np.asarray(g) for g in as_arrays(self._pulled([tensor(a) for a in arrays], douts))]

    def _pushed(self, arrays: Sequence[Any], directions: Sequence[Any]) -> tuple[Any, ...]:
        """Jv as arrays."""
        tangents = [v.astype(a.dtype) for v, a in zip(directions, arrays, strict=True)]
        return as_arrays(_many(jvp(self.f, [tensor(a) for a in arrays], tangents)[1]))

    def forward_rows(self) -> list[Row]:
        """Jv against numbers, and against Jᵀg."""
        found = self._pushed(self.arrays, self.v)
        outputs = _many(self.values(*self.arrays))
        reach = sum(
            float(np.abs(v).max(initial=0.0) / _size(a)) for v, a in zip(self.v, self.arrays)
        )
        scales = [np.abs(y) * reach for y in outputs]
        roundings = rounding_of(found, self._pushed, self.arrays, self.v, scales)
        numbers = numeric_directional(self.values, self.arrays, self.v)
        rows = []
        for i, (claim, number, rounding) in enumerate(zip(found, numbers, roundings, strict=True)):
            name = "forward mode" if len(found) == 1 else f"forward mode[{i}]"
            rows.append(_row(name, "output", claim, Numbers(number), self.arrays, rounding))
        claims = self.reverse()
        back = rounding_of(claims, self.reverse_at, self.arrays, self.douts, self.scales(1))
        slack = _inner(back, self.v) + _inner(roundings, self.douts)
        gap = adjoint_gap(claims, self.v, self.douts, list(found))
        return [*rows, _law("adjoint identity", gap, slack, [*found, *self.arrays])]

    def second_rows(self) -> list[Row]:
        """The derivative of Jᵀg along v against numbers, and its symmetry."""
        claims, other = (self._twice(self.arrays, w) for w in (self.v, self.u))
        first = self.reverse()
        numbers = numeric_directional(
            lambda *arrays: tuple(self.reverse(*arrays)),
            self.arrays,
            self.v,
            rounding=rounding_of(first, self.reverse_at, self.arrays, self.douts, self.scales(1)),
        )
        scales = self.scales(2)
        roundings = rounding_of(claims, self._twice, self.arrays, self.v, scales)
        rows = []
        for name, claim, number, rounding in zip(
            self.names, claims, numbers, roundings, strict=True
        ):
            rows.append(
                _row(f"order 2, d{name}", "input", claim, Numbers(number), self.arrays, rounding)
            )
        slack = _inner(roundings, self.u) + _inner(roundings, self.v)
        gap = adjoint_gap(claims, self.u, self.v, other)
        return [*rows, _law("symmetry", gap, slack, [*claims, *self.arrays])]

    def beside_the_kink(self, rng: np.random.Generator) -> _Checked:
        """The same function, cotangent and directions at a point a little further."""
        moved = copy.copy(self)
        moved.arrays = [
            (a + 1e-2 * _size(a) * rng.uniform(0.5, 1, a.shape)).astype(a.dtype)
            for a in self.arrays
        ]
        return moved

    def _twice(self, arrays: Sequence[Any], directions: Sequence[Any]) -> tuple[Any, ...]:
        """The gradient of ⟨Jᵀg, directions⟩."""
        xs = [tensor(a) for a in arrays]
        pairs = zip(self._pulled(xs, self.douts), directions, strict=True)
        inner = sum((g * v.astype(g.dtype)).sum() for g, v in pairs)
        return as_arrays(gradients(inner, xs))


def _size(array: Any) -> float:
    return float(np.abs(array).max(initial=0.0)) or 1.0


def _inner(roundings: Sequence[Any], weights: Sequence[Any]) -> float:
    """Σ rounding·|weight|, what an inner product may be off."""
    pairs = zip(roundings, weights, strict=True)
    return float(sum(np.sum(np.asarray(r) * np.abs(np.asarray(w))) for r, w in pairs))


def _law(name: str, gap: tuple[float, float, float], slack: float, arrays: Sequence[Any]) -> Row:
    left, right, relative = gap
    tolerance = tolerance_of(*arrays)
    holds = relative <= tolerance or abs(left - right) <= slack
    return Row(
        name,
        "law",
        (),
        "right" if holds else "wrong",
        abs(left - right),
        relative,
        tolerance,
        (),
        note="" if holds else "the two inner products differ",
        automatic=np.float64(left),
        numeric=np.float64(right),
    )


_SAYS = {
    "wrong": "the automatic derivative and the numbers differ",
    "undecided": "the numbers are too coarse to tell",
    "wrong shape": "the gradient has another shape",
    "legitimate choice": "between the one-sided derivatives, a legitimate choice",
}


def _of_row(row: Row) -> list[Finding]:
    if row.verdict in _SAYS:
        level = "info" if row.ok else "error"
        says = _SAYS[row.verdict] if row.kind != "law" else "the law does not hold"
        return [Finding(level, row.name, f"{says} ({row.note})" if row.note else says)]
    # A vanishing second derivative is no news: many functions are linear.
    quiet = row.kind == "law" or row.name.startswith("order 2")
    return [] if quiet or not row.note else [Finding("warning", row.name, row.note)]
