"""Formulas written down: factored into a short form.

``written`` gives the shortest factored form that it finds, ``Ways`` others that may be cheaper to
compute. Imports operators, field, rational and forms.
"""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

from autograd_lite.ops.pointwise import exp
from autograd_lite.rewrite.field import Atom, Field
from autograd_lite.rewrite.forms import (
    Call,
    Cases,
    Form,
    Name,
    Number,
    Product,
    Sum,
    product,
    untyped,
)
from autograd_lite.rewrite.rational import (
    ONE,
    ZERO,
    Monomial,
    Poly,
    Ratio,
    content,
    number,
    primitive,
    quotient,
    symbol,
)
from autograd_lite.rules import OPS
from autograd_lite.shapes import Shape

__all__ = ["Ways", "written"]

_SUM, _MEAN = OPS["sum"], OPS["mean"]
_PRODUCT = 4  # terms that a product of two sums has at least
_TAKEN = 3  # atoms that are tried in front of a part of a sum


def written(field: Field, ratio: Ratio, gradient: Atom) -> Form:
    """The shortest form found."""
    return _Writer(field, gradient).ratio(ratio)


class Ways:
    """Writes formulas of one field: the shortest form, and others that may be cheaper to compute.

    They choose between cases of a condition, or divide term by term.
    """

    def __init__(self, field: Field, gradient: Atom) -> None:
        self._writers = {
            (cases, split): _Writer(field, gradient, cases=cases, split=split)
            for cases in (False, True) for split in (False, True)
        }  # fmt: skip

    def of(self, ratio: Ratio) -> Iterator[Form]:
        """The forms of a formula."""
        under = any(e < 0 for _, e in content(ratio.top)[1]) if ratio.top else False
        quotients = len(ratio.top) > 1 and (under or _part_without(ratio) is not None)
        for cases in (False, True) if any(map(_decides, ratio.atoms())) else (False,):
            for split in (False, True) if quotients else (False,):
                yield self._writers[cases, split].ratio(ratio)

    def shortest(self, ratio: Ratio) -> Form:
        """The first of them."""
        return self._writers[False, False].ratio(ratio)


def _decides(atom: Atom) -> bool:
    """Whether it is a condition, which depends on values."""
    return atom.idempotent and atom.value is None


class _Writer:
    """Writes formulas: ``cases`` apart where conditions decide, or ``split`` into quotients."""

    def __init__(
        self, field: Field, gradient: Atom, *, cases: bool = False, split: bool = False
    ) -> None:
        self.field, self.gradient = field, gradient
        self.cases, self.split = cases, split
        self._forms: dict[Ratio, Form] = {}

    def ratio(self, x: Ratio) -> Form:
        """Numerator factored, over the factors of the denominator."""
        if x not in self._forms:
            self._forms[x] = self._factored(x)
        return self._forms[x]

    def _factored(self, x: Ratio) -> Form:
        if not x.top:
            return Number(Fraction(0))
        apart = self._apart(x) if self.cases else None
        if apart is not None:
            return apart
        top = _joined_sums(x.top)
        c, monomial = _taken_out(top)
        if self.split and len(top) > 1:
            monomial = tuple(pair for pair in monomial if pair[1] > 0)
            parts = _part_without(x / Ratio(((monomial, c),)))
            if parts is not None:
                inner = Sum(tuple(map(self.ratio, parts)))
                return product(c, [*self._factors(monomial), (inner, Fraction(1))])
        rest = Ratio(top) * Ratio(((monomial, c),)).inverse()
        c = _snapped(c)
        if len(top) == 1:
            c, monomial = _means_of(c, monomial)
        factors = self._factors(monomial)
        if rest != ONE:
            split = Counter(_split(rest.top))
            factors += [(self._sum(part), Fraction(count)) for part, count in split.items()]
        factors += [(self._sum(poly), Fraction(-e)) for poly, e in x.under]
        return product(c, factors)

    def _apart(self, x: Ratio) -> Form | None:
        """The cases of a condition, times what they have in common; None if one of them is 0."""
        for atom in x.atoms():
            if _decides(atom):
                one, other = (self.field.case(x, atom, side) for side in (ONE, ZERO))
                if ZERO in (one, other) or one == other:
                    continue
                common = _common(one, other)
                sides = (self.ratio(side / common) for side in (one, other))
                cases = Cases(self._atom(atom), *sides)
                if untyped(cases.one) and untyped(cases.other):
                    sides = (self.ratio(side) for side in (one, other))
                    return Cases(self._atom(atom), *sides)
                outer = self.ratio(common)
                if isinstance(outer, Product):
                    return product(outer.number, [*outer.factors, (cases, Fraction(1))])
                return (
                    cases
                    if common == ONE
                    else product(Fraction(1), [(outer, Fraction(1)), (cases, Fraction(1))])
                )
        return None

    def _factors(self, monomial: Monomial) -> list[tuple[Form, Fraction]]:
        """The atoms of a product, all exps as one."""
        factors, exponent = [], ZERO
        for atom, e in monomial:
            if atom.op is exp.op:
                exponent = exponent + number(e) * atom.args[0]
            else:
                factors.append((self._atom(atom), e))
        if exponent != ZERO:
            one = self.field.exp(exponent).atoms()[0]
            shape = _joint(self.field.exp(exponent))
            whole = Atom(one.rank, shape, op=exp.op, args=(exponent,), shapes=(shape,))
            factors.append((Call(whole, (self.ratio(exponent),)), Fraction(1)))
        return factors

    def _atom(self, atom: Atom) -> Form:
        if not atom.args:
            return Name(atom, atom is self.gradient)
        args = tuple(self.ratio(arg) if isinstance(arg, Ratio) else arg for arg in atom.args)
        return Call(atom, args)

    def _sum(self, poly: Poly) -> Form:
        """A sum without common factor; an atom of several terms is taken out if that is shorter."""
        plain = Sum(tuple(self.ratio(Ratio((term,))) for term in poly))
        best: Form = plain
        counts: dict[Atom, int] = {}
        for monomial, _ in poly:
            for atom, _e in monomial:
                counts[atom] = counts.get(atom, 0) + 1
        shared = [(atom, count) for atom, count in counts.items() if 2 <= count < len(poly)]
        shared.sort(key=lambda pair: (-pair[1], pair[0].rank))
        for atom, _ in shared[:_TAKEN]:
            holding = tuple(t for t in poly if any(a is atom for a, _ in t[0]))
            others = tuple(t for t in poly if all(a is not atom for a, _ in t[0]))
            form = Sum((self.ratio(Ratio(others)), self.ratio(Ratio(holding))))
            best = min(best, form, key=lambda form: len(form.text))
        return best


def _split(poly: Poly) -> list[Poly]:
    """A polynomial as product of several, where its coefficients in an atom share a factor.

    a + b + a·t + b·t is (a + b)(1 + t); 1 − 2t + t² is (1 − t)(1 − t).
    """
    root = _root_of(poly)
    if root is not None:
        return [root, root]
    for atom in Ratio(poly).atoms() if len(poly) >= _PRODUCT else ():
        parts: dict[Any, list[Any]] = {}
        for monomial, c in poly:
            rest = tuple(pair for pair in monomial if pair[0] is not atom)
            parts.setdefault(dict(monomial).get(atom, 0), []).append((rest, c))
        inner = [(e, *primitive(Ratio(tuple(terms)).top)) for e, terms in parts.items()]
        shared = min((one[3] for one in inner), key=len)
        if len(inner) < 2 or len(shared) < 2:
            continue
        left = [quotient(one[3], shared) for one in inner]
        outer = ZERO
        for (e, c, monomial, _), other in zip(inner, left, strict=True):
            if other is None:
                break
            power = symbol(atom, e) if e else ONE
            outer = outer + power * Ratio(((monomial, c),)) * Ratio(other)
        else:
            return [*_split(outer.top), *_split(shared)]
    return [poly]


def _root_of(poly: Poly) -> Poly | None:
    """The polynomial of two terms of which this is the square."""
    if len(poly) != 3:
        return None
    for pair in ((0, 2), (0, 1), (1, 2)):
        one, other = (_root_of_term(*poly[k]) for k in pair)
        if one is not None and other is not None:
            for root in (one + other, one - other):
                if (root * root).top == poly:
                    return root.top
    return None


def _root_of_term(monomial: Monomial, c: Fraction) -> Ratio | None:
    above, under = isqrt(max(c.numerator, 0)), isqrt(c.denominator)
    if Fraction(above * above, under * under) != c or any(e % 2 for _, e in monomial):
        return None
    result = number(Fraction(above, under))
    for atom, e in monomial:
        result = result * symbol(atom, e // 2)
    return result


def _snapped(c: Any) -> Fraction:
    """A number, or the simple fraction that it is up to rounding: (1/√2)² is 1/2."""
    simple = Fraction(c).limit_denominator(100)
    return simple if abs(float(simple) - float(c)) <= 5e-16 * abs(float(c)) else c


def _part_without(x: Ratio) -> tuple[Ratio, Ratio] | None:
    """A formula over a sum of two terms as a part that is not over it, and a shorter rest."""
    for factor, e in x.under:
        if e != 1 or len(factor) != 2:
            continue
        for one, other in (factor, factor[::-1]):
            (monomial, c), held = one, {atom for atom, _ in other[0]}
            terms = [t for t in x.top if held.isdisjoint(atom for atom, _ in t[0])]
            under = tuple(pair for pair in x.under if pair[0] != factor)
            part = Ratio(tuple(terms), under) / Ratio(((monomial, c),))
            rest = x - part
            if terms and rest.top and len(rest.top) + len(terms) < len(x.top):
                return part, rest
    return None


def _common(a: Ratio, b: Ratio) -> Ratio:
    """What two formulas are both multiplied with or divided by."""
    (c, mine), (d, yours) = ((c, dict(m)) for c, m in (content(x.top) for x in (a, b)))
    shared = ((atom, yours[atom], e) for atom, e in mine.items() if atom in yours)
    monomial = [(atom, min(e, f) if e > 0 else max(e, f)) for atom, f, e in shared if e * f > 0]
    under = [(factor, min(e, dict(b.under)[factor])) for factor, e in a.under
             if factor in dict(b.under)]  # fmt: skip
    factor = abs(c) if abs(c) == abs(d) else Fraction(1)
    return Ratio(((tuple(monomial), factor),), tuple(under))


def _taken_out(poly: Poly) -> tuple[Fraction, Monomial]:
    """What is written in front of a sum: its content, where that is shorter."""
    c, monomial = content(poly)
    if len(poly) == 1:
        return c, monomial
    under = {abs(number.denominator) for _, number in poly}
    if len(under) > 1 or under.pop() % 10 == 0:
        c = Fraction(1 if c > 0 else -1)
    kept = []
    for atom, e in monomial:
        exponents = [dict(m).get(atom, 0) for m, _ in poly]
        if atom.op is not exp.op or min(exponents) * max(exponents) > 0:
            kept.append((atom, e))
    return c, tuple(kept)


def _joined_sums(poly: Poly) -> Poly:
    """Σ a + Σ b over the same axes as Σ (a + b)."""
    groups: dict[Any, list[tuple[Atom, Monomial, Fraction]]] = {}
    for monomial, c in poly:
        sums = [atom for atom, e in monomial if atom.op is _SUM and e == 1]
        if len(sums) == 1:
            rest = tuple(pair for pair in monomial if pair[0] is not sums[0])
            groups.setdefault((rest, sums[0].params["axis"]), []).append((sums[0], monomial, c))
    for (rest, axes), found in groups.items():
        if len(found) > 1:
            inner = ZERO
            for atom, _, c in found:
                inner = inner + number(c) * atom.args[0]
            full = _joint(inner)
            if any(-axis > len(full) or full[axis] == 1 for axis in axes):
                continue  # together they are the same along the axis: no sum is left to write
            shape = tuple(1 if k - len(full) in axes else n for k, n in enumerate(full))
            joined = Atom(found[0][0].rank, shape, op=_SUM, args=(inner,), shapes=(full,),
                          params={"axis": axes, "keepdims": True})  # fmt: skip
            gone = {monomial for _, monomial, _ in found}
            whole = Ratio(((rest, Fraction(1)),)) * symbol(joined)
            poly = (Ratio(tuple(t for t in poly if t[0] not in gone)) + whole).top
    return poly


def _means_of(c: Fraction, monomial: Monomial) -> tuple[Fraction, Monomial]:
    """A sum over its count as a mean."""
    changed = []
    for atom, e in monomial:
        count = 1
        if atom.op is _SUM and e == 1:
            for axis in atom.params["axis"]:
                count *= atom.shapes[0][axis]
        if count > 1 and c.denominator % count == 0:
            c *= count
            atom = Atom(atom.rank, atom.shape, op=_MEAN, args=atom.args, shapes=atom.shapes,
                        params=atom.params)  # fmt: skip
        changed.append((atom, e))
    return c, tuple(changed)


def _joint(x: Ratio) -> Shape:
    return np.broadcast_shapes(*(atom.shape for atom in x.atoms()))
