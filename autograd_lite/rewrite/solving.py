"""Formulas in terms of others: of a region's output, of values that it keeps, of what has a name.

An equation made = known is solved for something that occurs in ``made`` once (as a Möbius map of
it), and the solution put into the derivative. Imports operators, field, rational and writing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

from autograd_lite.ops.pointwise import exp, greater, maximum, minimum
from autograd_lite.rewrite.field import Atom, Field, shape_of_ratio
from autograd_lite.rewrite.rational import (
    ONE,
    ZERO,
    Overgrown,
    Poly,
    Ratio,
    number,
    primitive,
    symbol,
)
from autograd_lite.rewrite.writing import written
from autograd_lite.rules import OPS

__all__ = ["Known", "Solution", "in_terms_of", "named", "solutions", "terms_of", "within"]


@dataclass(frozen=True)
class Known:
    """A formula with a name: ``solved`` to the power of ``step`` is ``solution`` in terms of it."""

    atom: Atom
    formula: Ratio
    solved: Atom
    step: Fraction
    solution: Ratio

    def put(self, field: Field, x: Ratio) -> Ratio:
        """X in terms of the name."""
        return field.substituted(x, self.solved, self.solution, self.step)


def named(field: Field, formulas: Sequence[Ratio]) -> Iterator[Known]:
    """What has a name of its own: σ(u) = 1/(1 + exp(−u)), softmax(u) = exp(u)/Σ exp(u)."""
    seen: set[Any] = set()
    for x in within(formulas):
        for poly, _ in x.under:
            e = _exponential(poly[1:]) if len(poly) == 2 and poly[0] == ((), Fraction(1)) else None
            if e is not None and e not in seen:
                seen.add(e)
                yield _solved(field, "σ", e, e / (ONE + e), e)
        for atom in x.atoms():
            if atom not in seen and (found := _variance(field, x, atom)) is not None:
                seen.add(atom)
                yield found
            inner = _exponential(atom.args[0].top) if atom.op is OPS["sum"] else None
            if inner is not None and atom not in seen and not atom.args[0].under:
                seen.add(atom)
                yield _solved(field, "softmax", inner, inner / symbol(atom), symbol(atom))


def _variance(field: Field, x: Ratio, atom: Atom) -> Known | None:
    """Where the mean of u² less the squared mean of u may stand: var(u)."""
    simple = atom.args[0].monomial if atom.op is OPS["sum"] else None
    if simple is None or simple[0] != 1 or any(e % 2 for _, e in simple[1]):
        return None
    u = Ratio((((tuple((one, Fraction(e) / 2) for one, e in simple[1])), Fraction(1)),))
    shape, axes = atom.shapes[0], atom.params["axis"]
    total = field.total(u, shape, axes)
    if not set(total.atoms()) & set(x.atoms()):
        return None
    count = number(prod(shape[axis] for axis in axes))
    mean = total / count
    v = field.name(("var", atom), f"var({written(field, u, atom).text})", atom.shape)
    formula = symbol(atom) / count - mean * mean
    return Known(v, formula, atom, Fraction(1), count * (symbol(v) + mean * mean))


def _solved(field: Field, name: str, e: Ratio, formula: Ratio, other: Ratio) -> Known:
    u = field.log(e)
    form = written(field, u, field.name("G", "G", ()))
    shape = shape_of_ratio(formula)
    atom = field.name((name, u), f"{name}({form.text})", shape, positive=True)
    s = symbol(atom)
    whole = s / (ONE - s) if other == e else s * other
    ((_, monomial),) = (e.monomial,)  # type: ignore[misc]  # it is a product of exps
    solved, step = monomial[0]
    return Known(atom, formula, solved, step, whole / (e / symbol(solved, step)))


def _exponential(poly: Poly) -> Ratio | None:
    """A polynomial as Ratio if it is one product of exps."""
    if len(poly) != 1:
        return None
    ((monomial, c),) = poly
    return Ratio(poly) if c == 1 and monomial and all(a.op is exp.op for a, _ in monomial) else None


def within(formulas: Sequence[Ratio]) -> Iterator[Ratio]:
    """Formulas and all that they are made of, each once."""
    seen: dict[Ratio, None] = {}
    stack = list(reversed(formulas))
    while stack:
        x = stack.pop()
        if x in seen:
            continue
        seen[x] = None
        yield x
        for atom in x.atoms():
            stack += [arg for arg in atom.args if isinstance(arg, Ratio)]


def terms_of(ratio: Ratio, most: int) -> int:
    """How many terms a formula has, those inside its operators too; counting ends when too many."""
    count = 0
    for x in within([ratio]):
        count += len(x.top) + sum(len(factor) for factor, _ in x.under)
        if count > most:
            break
    return count


def in_terms_of(field: Field, d: Ratio, y: Ratio, name: Atom) -> Iterator[Ratio]:
    """D with something expressed by the output y, or by exp(y)."""
    for solution in solutions(field, y, name):
        try:
            yield solution(d)
        except (Overgrown, ZeroDivisionError):
            continue


@dataclass(frozen=True)
class Solution:
    """A way to use a known value: an equation, and what it makes of a formula.

    ``solved`` = ``by`` is the equation in which the value stands; None where a condition is seen
    to be one of it. ``atom`` is what it replaces, if that is one.
    """

    name: Atom
    put: Callable[[Ratio], Ratio]
    solved: Ratio | None = None
    by: Ratio | None = None
    atom: Atom | None = None

    def __call__(self, x: Ratio) -> Ratio:
        """The formula with the value in it."""
        return self.put(x)


def solutions(field: Field, y: Ratio, name: Atom) -> Iterator[Solution]:
    """The ways to put y = name, or exp(y) = exp(name), into a formula, each solved for an atom."""
    for made, known in ((y, symbol(name)), (field.exp(y), field.exp(symbol(name)))):
        for atom in made.atoms():
            solution = _moebius(made, atom, known)
            if solution is not None:
                by, step = solution
                yield Solution(
                    name, partial(_put, field, atom, by, step), symbol(atom, step), by, atom
                )
    if not y.under and len(y.top) > 1:
        yield Solution(name, partial(_put_factor, y, name), y, symbol(name))
    found = _unmoved(field, y, name)
    if found is not None:
        inner, by = found
        yield Solution(name, partial(_put, field, inner, by, Fraction(1)), symbol(inner), by, inner)
    for atom in y.atoms():
        if symbol(atom) == y and atom.op in (maximum.op, minimum.op):
            yield Solution(name, partial(_sides, field, atom, symbol(name)))


def _unmoved(field: Field, y: Ratio, name: Atom) -> tuple[Atom, Ratio] | None:
    """Solve c·(an atom without some of its axes of size 1) = name for the atom."""
    c, monomial = y.monomial or (0, ())
    if len(monomial) != 1 or monomial[0][1] != 1 or monomial[0][0].op is not OPS["reshape"]:
        return None
    moved = monomial[0][0]
    inner = moved.args[0].monomial
    if inner is None or inner[0] != 1 or len(inner[1]) != 1 or moved.frame is None:
        return None
    by = field.moved(symbol(name), *moved.frame[::-1])
    return None if by is None else (inner[1][0][0], by / number(c))


def _put_factor(y: Ratio, name: Atom, x: Ratio) -> Ratio:
    """X with the name in place of a factor of its denominator."""
    c, monomial, rest = primitive(y.top)
    part = Ratio(((monomial, c),))
    for factor, e in x.under:
        if factor == rest:
            others = tuple(pair for pair in x.under if pair[0] != rest)
            return Ratio(x.top, others) * (part / symbol(name)).power(e)
    return x


def _put(field: Field, atom: Atom, by: Ratio, step: Fraction, x: Ratio) -> Ratio:
    return field.substituted(x, atom, by, step)


def _sides(field: Field, atom: Atom, y: Ratio, d: Ratio) -> Ratio:
    """Where y = max(a, b), a > b is y > b; where y = min(a, b), b > a is b > y."""
    for a, b in (atom.args, atom.args[::-1]):
        side = a - b if atom.op is maximum.op else b - a
        known = y - b if atom.op is maximum.op else b - y
        condition = field.holds(greater.op, side).monomial
        if condition is not None and condition[1]:
            d = field.substituted(
                d, condition[1][0][0], field.holds(greater.op, known), Fraction(1)
            )
    return d


def _moebius(made: Ratio, atom: Atom, known: Ratio) -> tuple[Ratio, Fraction] | None:
    """Solve made = known for t = atom^step where made is (p·t + q)/(r·t + s): t and step."""
    under = ONE
    for factor, e in made.under:
        under = under * Ratio(factor).power(e)
    exponents = {dict(m).get(atom, Fraction(0)) for m, _ in (*made.top, *under.top)}
    if len(exponents) != 2:
        return None
    low, high = sorted(exponents)

    def split(poly: Poly) -> tuple[Ratio, Ratio]:
        parts = {low: ZERO, high: ZERO}
        for monomial, c in poly:
            e = dict(monomial).get(atom, Fraction(0))
            rest = tuple(pair for pair in monomial if pair[0] is not atom)
            parts[e] = parts[e] + Ratio(((rest, c),))
        return parts[high], parts[low]

    (p, q), (r, s) = split(made.top), split(under.top)
    below = r * known - p
    return ((q - s * known) / below, high - low) if below != ZERO else None
