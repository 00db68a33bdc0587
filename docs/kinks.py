"""The table of conventions where a derivative is not unique, made by running each case."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_lite as ag
from docs.markdown import table

__all__ = ["CASES", "Case", "page"]


@dataclass(frozen=True)
class Case:
    """An expression, the point at its kink, and why the engine's choice is what it is."""

    expression: str
    at: dict[str, Any]
    why: str

    def derivatives(self) -> list[Any]:
        """The gradient with respect to each variable, in order."""
        xs = [ag.tensor(value, name=name) for name, value in self.at.items()]
        names = {"np": np, "ag": ag} | dict(zip(self.at, xs, strict=True))
        with np.errstate(all="ignore"):
            y = eval(self.expression, names)  # noqa: S307  # the table below, not user text
            return [g.numpy() for g in ag.gradients(y, xs, np.ones(y.shape))]

    def subjects(self) -> set[str]:
        """The functions that are called on the variables themselves, not on what others made."""
        found = set()
        for node in ast.walk(ast.parse(self.expression)):
            if isinstance(node, ast.Call):
                function = node.func
                receiver = [function.value] if isinstance(function, ast.Attribute) else []
                if not any(_makes_something(one) for one in [*receiver, *node.args]):
                    found.add(function.attr if receiver else ast.unparse(function))  # type: ignore[attr-defined]  # it has a receiver
            elif isinstance(node, ast.BinOp):
                found |= {"power"} if isinstance(node.op, ast.Pow) else set()
                found |= {"divide"} if isinstance(node.op, ast.Div) else set()
        return found


def _makes_something(node: ast.expr) -> bool:
    """Whether an operand is the result of arithmetic or of another call on variables."""
    return any(isinstance(one, ast.Call | ast.BinOp) for one in ast.walk(node))


HEADER = """\
# Derivatives at kinks

Where a derivative is not unique, the engine makes a choice; here is every choice, and a few places
where the derivative is infinite or undefined. The numbers are what the engine gives, run for this
page with all variables tracked.
"""
FOOTER = """
## `where`

`where(condition, a, b)` sends no gradient into the branch that is not taken: it sends zeros. But
zero times an infinite local derivative is NaN, as IEEE arithmetic has it; in the last row of
*Corners* the square root's slope at 0 is infinite. Give the branch a harmless argument instead:
`np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), 0)`.
"""

NUMBER = "a Python number takes the whole gradient, as in a `relu` written by hand"
FIRST = "the first of equals takes the gradient, as `argmax` would choose"
POWER = "`x**0` is 1 everywhere, so its slope is 0"
IEEE = "the limit, by IEEE arithmetic"

CASES = {
    "Ties": [
        Case("np.maximum(x, 0)", {"x": 0.0}, NUMBER),
        Case("np.maximum(0, x)", {"x": 0.0}, NUMBER),
        Case("np.minimum(x, 0)", {"x": 0.0}, NUMBER),
        Case("np.maximum(x, z)", {"x": 1.0, "z": 1.0}, FIRST),
        Case("np.maximum(z, x)", {"x": 1.0, "z": 1.0}, FIRST),
        Case("np.minimum(x, z)", {"x": 1.0, "z": 1.0}, FIRST),
        Case("np.maximum(x, np.zeros(1))", {"x": [0.0]}, FIRST + ": an array is no number"),
        Case("np.maximum(x, x)", {"x": 1.0}, "the same value twice: both ways lead to x"),
        Case("x.max()", {"x": [1.0, 3.0, 3.0]}, FIRST),
        Case("x.min()", {"x": [1.0, 1.0, 3.0]}, FIRST),
        Case("x.max(axis=1)", {"x": [[2.0, 2.0], [0.0, 5.0]]}, FIRST + ", in each row"),
        Case("np.clip(x, 0, 1)", {"x": 0.0}, NUMBER + ": `clip` is `maximum`, then `minimum`"),
        Case("np.clip(x, 0, 1)", {"x": 1.0}, NUMBER),
        Case("np.sort(x)[0]", {"x": [2.0, 1.0, 1.0]}, "equal elements stay in order"),
        Case(
            "np.median(x)", {"x": [1.0, 2.0, 2.0, 3.0]}, "the two middle ones of the sorted array"
        ),
        Case("np.fmax(x, z)", {"x": 1.0, "z": 1.0}, FIRST),
        Case("np.fmin(x, z)", {"x": 1.0, "z": 1.0}, FIRST),
        Case("np.ptp(x)", {"x": [1.0, 1.0, 3.0, 3.0]}, FIRST + ", at both ends"),
        Case("ag.max_pool(x, 2)", {"x": [[[2.0, 2.0, 0.0, 5.0]]]}, FIRST + ", in each window"),
        Case("np.logaddexp(x, z)", {"x": -np.inf, "z": -np.inf}, "no share in an empty sum"),
    ],
    "NaN": [
        Case("np.maximum(x, 0)", {"x": np.nan}, "a NaN never gives a finite gradient"),
        Case("x.max()", {"x": [1.0, np.nan]}, "a NaN never gives a finite gradient"),
        Case("np.nan_to_num(x)", {"x": np.nan}, "what is replaced gets no gradient"),
        Case("np.nanmax(x)", {"x": [1.0, np.nan]}, "a NaN is left out, and gets no gradient"),
    ],
    "Corners": [
        Case("ag.nn.relu(x)", {"x": 0.0}, "`relu` is `maximum(x, 0)`"),
        Case("abs(x)", {"x": 0.0}, "the middle of the slopes -1 and 1"),
        Case("x * np.sign(x)", {"x": 0.0}, "`sign` is a constant by rule, 0 at 0"),
        Case("ag.leaky_relu(x, 0.1)", {"x": 0.0}, "0 is not positive: the slope on the left"),
        Case("ag.elu(x, 0.5)", {"x": 0.0}, "0 is not positive: the slope on the left"),
        Case("np.copysign(x, -1.0)", {"x": 0.0}, "as |x|"),
        Case("np.interp(x, [0, 1, 2], [0, 1, 3])", {"x": 1.0}, "the slope to the right of a point"),
        Case("np.where(x > 0, x, 0)", {"x": 0.0}, "the branch taken at 0 is the constant"),
        Case("np.where(x > 0, np.sqrt(x), 0)", {"x": 0.0}, "0 × inf: see the note on `where`"),
    ],
    "Norms and spreads": [
        Case("x.std()", {"x": [2.0, 2.0, 2.0]}, "the subgradient of least norm"),
        Case("np.hypot(x, z)", {"x": 0.0, "z": 0.0}, "the subgradient of least norm"),
        Case("np.linalg.norm(x)", {"x": [0.0, 0.0]}, "the subgradient of least norm"),
        Case("x.var()", {"x": [2.0, 2.0, 2.0]}, "smooth: exactly 0"),
        Case("np.sqrt((x * x).sum())", {"x": [0.0, 0.0]}, "inf × 0: composed by hand, not a norm"),
    ],
    "Steps": [
        Case("np.remainder(x, z)", {"x": 4.0, "z": 2.0}, "the slopes to the right of the jump"),
        Case("np.heaviside(x, z)", {"x": 0.0, "z": 0.5}, "a step is a constant by rule; z is seen"),
    ],
    "Powers": [
        Case("x ** 0", {"x": 0.0}, POWER),
        Case("x ** 0.0", {"x": 0.0}, POWER),
        Case("x ** 1", {"x": 0.0}, "smooth"),
        Case("x ** 2", {"x": 0.0}, "smooth"),
        Case("x ** 0.5", {"x": 0.0}, IEEE),
        Case("x ** -1", {"x": 0.0}, IEEE),
        Case("x ** p", {"x": 0.0, "p": 0.0}, POWER + "; `0**p` jumps at p = 0"),
        Case("x ** p", {"x": 0.0, "p": 1.0}, "`0**p` is 0 for every p > 0"),
        Case("x ** p", {"x": 0.0, "p": 2.0}, "`0**p` is 0 for every p > 0"),
    ],
    "Poles": [
        Case("np.sqrt(x)", {"x": 0.0}, IEEE),
        Case("np.log(x)", {"x": 0.0}, IEEE),
        Case("np.cbrt(x)", {"x": 0.0}, IEEE),
        Case("np.arcsin(x)", {"x": 1.0}, IEEE),
        Case("np.arccosh(x)", {"x": 1.0}, IEEE),
        Case("np.arctanh(x)", {"x": 1.0}, IEEE),
        Case("1 / x", {"x": 0.0}, IEEE),
        Case("x.prod()", {"x": [0.0, 2.0, 3.0]}, "exact: the product of the others"),
        Case("x.prod()", {"x": [0.0, 0.0, 3.0]}, "exact: another zero stays in each product"),
        Case("np.cumprod(x).sum()", {"x": [2.0, 0.0, 3.0]}, "exact, like the product"),
        Case("np.arctan2(x, z)", {"x": 0.0, "z": 0.0}, "the angle of the origin does not exist"),
    ],
}


def shown(value: Any) -> str:
    """A number or a list as the page writes it, without a needless -0."""
    array = np.asarray(value) + 0.0
    return f"{array:g}" if array.ndim == 0 else str([*map(shown, array)]).replace("'", "")


def row(case: Case) -> list[str]:
    """The cells of a case: expression, point, derivatives, reason."""
    at = ", ".join(f"{name} = {shown(value)}" for name, value in case.at.items())
    derivatives = "; ".join(
        f"d{name}: {shown(d)}" for name, d in zip(case.at, case.derivatives(), strict=True)
    )
    return [f"`{case.expression}`", at, derivatives, case.why]


def rows(cases: Iterable[Case]) -> str:
    """A table of cases."""
    return table(["expression", "at", "derivative", "because"], map(row, cases))


def cases_of(names: Iterable[str]) -> list[Case]:
    """The cases in which one of these functions meets its kink."""
    wanted = {*names}
    return [case for cases in CASES.values() for case in cases if wanted & case.subjects()]


def page() -> str:
    """The page docs/kinks.md."""
    sections = [f"\n## {title}\n\n" + rows(cases) for title, cases in CASES.items()]
    return HEADER + "".join(sections) + FOOTER
