"""The table of points where we and others differ; the tests hold every cell against its source.

It knows of peers only as text: `tests/peers/test_deviations.py` runs that text. It imports
`docs.kinks` for how a derivative is made and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from docs.kinks import Case
from docs.markdown import table

__all__ = ["DEVIATIONS", "Deviation", "page"]

NAN, INF = np.nan, np.inf


@dataclass(frozen=True)
class Deviation:
    """A point, the truth there, and what others give: expression and value of each, as a flat list.

    ``truth`` is an mpmath expression of the derivatives, or "convex" or "concave" where any
    subgradient is as true as another, or "" where none exists.
    """

    expression: str
    at: Mapping[str, Any]
    truth: str
    why: str
    peers: Mapping[str, tuple[str, list[float]]] = field(default_factory=dict)

    def ours(self) -> list[float]:
        """What the engine gives: the derivatives by every element of every variable."""
        found = Case(self.expression, dict(self.at), self.why).derivatives()
        return [float(d) for array in found for d in np.ravel(array)]


HALF = "equals share in PyTorch, JAX and HIPS autograd; here the first takes all, as `argmax` says"
LEAST = "0 is the subgradient of least norm"
SATURATES = "1 − y cancels: y is 1 in floating point"

DEVIATIONS: dict[str, list[Deviation]] = {
    "Where a derivative exists": [
        Deviation("ag.nn.sigmoid(x)", {"x": 40.0}, "exp(-x) / (1 + exp(-x))**2", SATURATES, {
            "by hand": ("(lambda y: y * (1 - y))(1 / (1 + np.exp(-x)))", [0.0]),
            "PyTorch": ("torch.sigmoid(x)", [0.0]),
            "JAX": ("jax.nn.sigmoid(x)", [0.0]),
        }),
        Deviation("np.tanh(x)", {"x": 20.0}, "1 / cosh(x)**2", "1 − y² cancels: y is 1 in floats", {
            "by hand": ("1 - np.tanh(x) ** 2", [0.0]),
            "PyTorch": ("torch.tanh(x)", [0.0]),
            "JAX": ("jax.numpy.tanh(x)", [0.0]),
        }),
        Deviation("ag.nn.sigmoid(x)", {"x": -800.0}, "exp(-x) / (1 + exp(-x))**2",
                  "exp(800) overflows, and inf / inf is NaN", {
            "HIPS autograd": ("1 / (1 + anp.exp(-x))", [NAN]),
        }),
        Deviation("ag.softplus(x)", {"x": 25.0}, "1 / (1 + exp(-x))",
                  "PyTorch takes x itself above 20", {
            "PyTorch": ("torch.nn.functional.softplus(x)", [1.0]),
        }),
        Deviation("ag.sinc(x)", {"x": 0.0}, "0", "the limit, not 0 / 0", {
            "HIPS autograd": ("anp.sinc(x)", [NAN]),
        }),
        Deviation("x ** 0.0", {"x": 0.0}, "0", "`x**0` is 1 everywhere", {
            "JAX": ("x ** 0.0", [NAN]),
        }),
        Deviation("np.prod(x)", {"x": [0.0, 2.0, 3.0]}, "x[1]*x[2], x[0]*x[2], x[0]*x[1]",
                  "the product of the others, not product / x", {
            "by hand": ("np.prod(x) / x", [NAN, 0.0, 0.0]),
            "HIPS autograd": ("anp.prod(x)", [NAN, 0.0, 0.0]),
        }),
        Deviation("np.prod(x)", {"x": [0.0, 0.0, 3.0]}, "x[1]*x[2], x[0]*x[2], x[0]*x[1]",
                  "the product of the others, not product / x", {
            "HIPS autograd": ("anp.prod(x)", [NAN, NAN, 0.0]),
        }),
        Deviation("ag.logsumexp(x)", {"x": [1000.0, 0.0]},
                  "1 / (1 + exp(x[1]-x[0])), 1 / (1 + exp(x[0]-x[1]))",
                  "exp(1000) overflows unless the largest is taken out", {
            "HIPS autograd": ("anp.log(anp.sum(anp.exp(x)))", [NAN, 0.0]),
        }),
        Deviation("ag.logsumexp(x)", {"x": [-INF, 0.0]}, "0, 1",
                  "exp(-inf) is 0; shifted by the smallest, inf − inf is NaN", {
            "by hand": ("np.exp(x - x.min()) / np.exp(x - x.min()).sum()", [NAN, NAN]),
        }),
        Deviation("np.hypot(x, z)", {"x": 3e200, "z": 4e200},
                  "x / sqrt(x*x + z*z), z / sqrt(x*x + z*z)",
                  "a square overflows where the quotient does not", {
            "JAX": ("jax.numpy.hypot(x, z)", [0.6, 1.25]),
            "HIPS autograd": ("anp.sqrt(x * x + z * z)", [0.0, 0.0]),
        }),
        Deviation("np.linalg.norm(x)", {"x": [3e200, 4e200]},
                  "x[0] / sqrt(x[0]**2 + x[1]**2), x[1] / sqrt(x[0]**2 + x[1]**2)",
                  "a square overflows; here such numbers are scaled by a power of two", {
            "PyTorch": ("torch.linalg.vector_norm(x)", [0.0, 0.0]),
            "JAX": ("jax.numpy.linalg.norm(x)", [0.0, 0.0]),
            "HIPS autograd": ("anp.linalg.norm(x)", [0.0, 0.0]),
        }),
        Deviation("np.std(x)", {"x": [1e-200, 3e-200]}, "-mpf(1)/2, mpf(1)/2",
                  "a square vanishes; here such numbers are scaled by a power of two", {
            "PyTorch": ("torch.std(x, correction=0)", [0.0, 0.0]),
            "JAX": ("jax.numpy.std(x)", [NAN, NAN]),
            "HIPS autograd": ("anp.std(x)", [-INF, INF]),
        }),
        Deviation("np.expm1(x)", {"x": -40.0}, "exp(x)", "y + 1 cancels: y is −1 in floats", {
            "PyTorch": ("torch.expm1(x)", [0.0]),
        }),
        Deviation("np.logaddexp(x, z)", {"x": 1e15, "z": 1e15}, "mpf(1)/2, mpf(1)/2",
                  "exp(x − y) has y rounded; σ(x − z) has not", {
            "HIPS autograd": ("anp.logaddexp(x, z)", [0.4723665527410147] * 2),
        }),
    ],
    "Where any subgradient would do": [
        Deviation("abs(x)", {"x": 0.0}, "convex", LEAST, {"JAX": ("jax.numpy.abs(x)", [1.0])}),
        Deviation("np.maximum(x, 0)", {"x": 0.0}, "convex",
                  "a number takes the whole gradient, as in a `relu` written by hand", {
            "JAX": ("jax.numpy.maximum(x, 0)", [0.5]),
            "HIPS autograd": ("anp.maximum(x, 0)", [0.5]),
        }),
        Deviation("np.max(x)", {"x": [1.0, 3.0, 3.0]}, "convex", HALF, {
            "PyTorch": ("torch.amax(x)", [0.0, 0.5, 0.5]),
            "JAX": ("jax.numpy.max(x)", [0.0, 0.5, 0.5]),
            "HIPS autograd": ("anp.max(x)", [0.0, 0.5, 0.5]),
        }),
        Deviation("np.maximum(x, z)", {"x": 1.0, "z": 1.0}, "convex", HALF, {
            "PyTorch": ("torch.maximum(x, z)", [0.5, 0.5]),
            "JAX": ("jax.numpy.maximum(x, z)", [0.5, 0.5]),
            "HIPS autograd": ("anp.maximum(x, z)", [0.5, 0.5]),
        }),
        Deviation("np.minimum(x, z)", {"x": 1.0, "z": 1.0}, "concave", HALF, {
            "PyTorch": ("torch.minimum(x, z)", [0.5, 0.5]),
            "JAX": ("jax.numpy.minimum(x, z)", [0.5, 0.5]),
            "HIPS autograd": ("anp.minimum(x, z)", [0.5, 0.5]),
        }),
        Deviation("np.linalg.norm(x)", {"x": [0.0, 0.0]}, "convex", LEAST, {
            "by hand": ("x / np.sqrt((x * x).sum())", [NAN, NAN]),
            "JAX": ("jax.numpy.linalg.norm(x)", [NAN, NAN]),
            "HIPS autograd": ("anp.linalg.norm(x)", [NAN, NAN]),
        }),
        Deviation("np.std(x)", {"x": [2.0, 2.0, 2.0]}, "convex", LEAST, {
            "JAX": ("jax.numpy.std(x)", [NAN] * 3),
            "HIPS autograd": ("anp.std(x)", [NAN] * 3),
        }),
        Deviation("np.hypot(x, z)", {"x": 0.0, "z": 0.0}, "convex", LEAST, {
            "PyTorch": ("torch.hypot(x, z)", [NAN, NAN]),
            "JAX": ("jax.numpy.hypot(x, z)", [0.5, 0.5]),
        }),
    ],
    "Where none exists": [
        Deviation("x ** p", {"x": 0.0, "p": 0.0}, "", "as `x**0` and as `0**p` for p > 0", {
            "JAX": ("x ** p", [NAN, 0.0]),
        }),
        Deviation("np.clip(x, 0, 1)", {"x": 0.0}, "",
                  "`maximum`, then `minimum`: the number takes the gradient", {
            "PyTorch": ("torch.clip(x, 0, 1)", [1.0]),
            "JAX": ("jax.numpy.clip(x, 0, 1)", [0.5]),
        }),
        Deviation("ag.logsumexp(x)", {"x": [-INF, -INF]}, "", "no share in an empty sum", {
            "PyTorch": ("torch.logsumexp(x, 0)", [NAN, NAN]),
            "JAX": ("jax.scipy.special.logsumexp(x)", [NAN, NAN]),
        }),
        Deviation("np.logaddexp(x, z)", {"x": -INF, "z": -INF}, "", "no share in an empty sum", {
            "PyTorch": ("torch.logaddexp(x, z)", [NAN, NAN]),
            "JAX": ("jax.numpy.logaddexp(x, z)", [NAN, NAN]),
        }),
        Deviation("np.arctan2(x, z)", {"x": 0.0, "z": 0.0}, "",
                  "the origin has no angle, and NaN says so", {
            "PyTorch": ("torch.atan2(x, z)", [0.0, 0.0]),
        }),
    ],
}  # fmt: skip

HEADER = """\
# Where we differ from others

At generic points our derivatives are those of PyTorch and JAX to ten digits; the one exception that
the tests know is `digamma`, whose slope has nine to ten digits in PyTorch. At the points below we
differ from those, from HIPS autograd, from the formula that one writes by hand, or from the truth.
The tests hold our column against the truth, by mpmath in fifty digits or by the inequality that
defines a subgradient, and the others' against the packages where they are installed (PyTorch 2.13,
JAX 0.10, HIPS autograd 1.9). A row says nothing of those that it does not name. Our own choices at
all kinks: [Derivatives at kinks](kinks.md).
"""


def shown(values: list[float]) -> str:
    """The numbers, twelve digits at most, without a needless -0."""
    return ", ".join(f"{value + 0.0:.12g}" for value in values)


def row(case: Deviation) -> list[str]:
    """The cells of a case: expression, point, truth, ours, theirs, reason."""
    at = "; ".join(f"{name} = {shown(np.ravel(v).tolist())}" for name, v in case.at.items())
    truth = {"convex": "a subgradient", "concave": "a supergradient", "": "none"}.get(case.truth)
    others = "; ".join(f"{name}: {shown(value)}" for name, (_, value) in case.peers.items())
    return [f"`{case.expression}`", at, truth or f"`{case.truth}`", shown(case.ours()), others,
            case.why]  # fmt: skip


def page() -> str:
    """The page docs/deviations.md."""
    columns = ["expression", "at", "truth", "ours", "others", "because"]
    return HEADER + "".join(
        f"\n## {title}\n\n" + table(columns, map(row, cases)) for title, cases in DEVIATIONS.items()
    )
