"""Rational functions of atoms over the fractions: the normal form in which formulas are compared.

Knows polynomials with fractional and negative exponents, and their quotients. An atom is anything
hashable with a ``rank`` (its place in the order of atoms), ``idempotent`` if its powers are itself:
this module does not know what atoms stand for, nor operators, nor graphs. Imports nothing of the
package.

A ``Ratio`` is a polynomial over a product of powers of polynomials of several terms each. Sums are
brought over the common denominator and every factor of it is divided out where it divides, so that
``1/(1 + e) + e/(1 + e)`` is 1.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import Any

__all__ = [
    "ONE",
    "ZERO",
    "Monomial",
    "Overgrown",
    "Poly",
    "Ratio",
    "combined",
    "content",
    "number",
    "primitive",
    "quotient",
    "symbol",
]

# Whole numbers among the Fractions are ints: quicker to hash and to add, and equal to them.
Monomial = tuple[tuple[Any, Fraction], ...]
Poly = tuple[tuple[Monomial, Fraction], ...]

_NONE: Any = 0
_UNIT: Any = 1
_MOST = 80  # terms of a polynomial


class Overgrown(Exception):  # noqa: N818 - it ends an attempt, it is not an error
    """A formula has more terms than are worth a normal form."""


def _order(monomial: Monomial) -> tuple[Any, ...]:
    return tuple((atom.rank, exponent) for atom, exponent in monomial)


def _settled(x: Any) -> Any:
    """A whole number as an int."""
    if type(x) is int:
        return x
    return x.numerator if x.denominator == 1 else x


def _exact(x: Any) -> Any:
    """A number as a Fraction, or an int."""
    return x if type(x) is int else _settled(Fraction(x))


def _by_order(term: tuple[Monomial, Fraction]) -> tuple[Any, ...]:
    return _order(term[0])


def _by_rank(pair: tuple[Any, Fraction]) -> int:
    return pair[0].rank  # type: ignore[no-any-return]  # an atom's place


def _poly(terms: Mapping[Monomial, Fraction]) -> Poly:
    """Terms without zeros, in order."""
    kept = [(monomial, _settled(c)) for monomial, c in terms.items() if c]
    if len(kept) > _MOST:
        raise Overgrown
    if len(kept) > 1:
        kept.sort(key=_by_order)
    return tuple(kept)


def _merged(a: Monomial, b: Monomial) -> Monomial:
    """The product of two monomials."""
    if not a or not b:
        return a or b
    exponents: dict[Any, Fraction] = dict(a)
    for atom, e in b:
        total = _settled(exponents.get(atom, _NONE) + e)
        exponents[atom] = _UNIT if atom.idempotent and total > 1 else total
    return tuple(sorted([pair for pair in exponents.items() if pair[1]], key=_by_rank))


def _plus(a: Poly, b: Poly) -> Poly:
    terms = dict(a)
    for monomial, c in b:
        terms[monomial] = terms.get(monomial, _NONE) + c
    return _poly(terms)


def _times(a: Poly, b: Poly) -> Poly:
    if _ONE in (a, b):
        return b if a == _ONE else a
    if len(a) * len(b) > _MOST**2:
        raise Overgrown
    terms: dict[Monomial, Fraction] = {}
    for one, c in a:
        for other, d in b:
            monomial = _merged(one, other)
            terms[monomial] = terms.get(monomial, _NONE) + c * d
    return _poly(terms)


def _raised(poly: Poly, exponent: int) -> Poly:
    result: Poly = _ONE
    for _ in range(exponent):
        result = _times(result, poly)
    return result


def content(poly: Poly) -> tuple[Fraction, Monomial]:
    """The number (with the first sign) and the monomial that can be taken out of every term."""
    least: dict[Any, Fraction] = {}
    for k, (monomial, _) in enumerate(poly):
        here = dict(monomial)
        if k == 0:
            least = here
            continue
        for atom in {*least, *here}:
            least[atom] = min(least.get(atom, _NONE), here.get(atom, _NONE))
    above = gcd(*(c.numerator for _, c in poly))
    under = lcm(*(c.denominator for _, c in poly))
    factor: Any = above if under == 1 else Fraction(above, under)
    common = sorted([pair for pair in least.items() if pair[1]], key=_by_rank)
    return (factor if poly[0][1] > 0 else -factor), tuple(common)


def _scaled(poly: Poly, factor: Fraction, monomial: Monomial = ()) -> Poly:
    return _poly({_merged(m, monomial): c * factor for m, c in poly})


def _inverse(monomial: Monomial) -> Monomial:
    return tuple((atom, -e) for atom, e in monomial)


def primitive(poly: Poly) -> tuple[Fraction, Monomial, Poly]:
    """A polynomial as number × monomial × what is left, whose first coefficient is positive."""
    factor, monomial = content(poly)
    if factor == 1 and not monomial:
        return factor, monomial, poly
    return factor, monomial, _scaled(poly, 1 / Fraction(factor), _inverse(monomial))


def quotient(poly: Poly, divisor: Poly) -> Poly | None:
    """The exact quotient of two polynomials, or None: long division, atom after atom."""
    atoms = sorted({atom for m, _ in (*poly, *divisor) for atom, _ in m}, key=lambda a: a.rank)
    place = {atom: k for k, atom in enumerate(atoms)}

    def vectors(poly: Poly) -> tuple[dict[tuple[Fraction, ...], Fraction], list[Fraction]]:
        rows = {}
        for monomial, c in poly:
            row: list[Any] = [0] * len(atoms)
            for atom, e in monomial:
                row[place[atom]] = e
            rows[tuple(row)] = c
        least = [min(column) for column in zip(*rows, strict=True)]
        return {tuple(e - low for e, low in zip(r, least, strict=True)): c
                for r, c in rows.items()}, least  # fmt: skip

    rest, low = vectors(poly)
    by, by_low = vectors(divisor)
    lead = max(by)
    found: dict[tuple[Fraction, ...], Fraction] = {}
    while rest:
        top = max(rest)
        step = tuple(a - b for a, b in zip(top, lead, strict=True))
        if min(step, default=0) < 0 or len(found) > _MOST:
            return None
        found[step] = c = Fraction(rest[top]) / by[lead]
        for row, d in by.items():
            at = tuple(a + b for a, b in zip(row, step, strict=True))
            left = rest.get(at, _NONE) - c * d
            if left:
                rest[at] = left
            else:
                rest.pop(at, None)
    shift = [a - b for a, b in zip(low, by_low, strict=True)]
    return _poly(
        {
            tuple((atom, e + s) for atom, e, s in zip(atoms, row, shift, strict=True) if e + s): c
            for row, c in found.items()
        }
    )


@dataclass(frozen=True)
class Ratio:
    """A polynomial (negative exponents allowed) over powers of polynomials of several terms."""

    top: Poly
    under: tuple[tuple[Poly, int], ...] = ()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.top, self.under))

    def __add__(self, other: "Ratio") -> "Ratio":
        mine, yours = dict(self.under), dict(other.under)
        common = {
            factor: max(mine.get(factor, 0), yours.get(factor, 0)) for factor in {**mine, **yours}
        }
        top = _plus(_lifted(self.top, mine, common), _lifted(other.top, yours, common))
        return _reduced(top, common)

    def __mul__(self, other: "Ratio") -> "Ratio":
        if self.top == _ONE and not self.under:
            return other
        if other.top == _ONE and not other.under:
            return self
        under = dict(self.under)
        for factor, e in other.under:
            under[factor] = under.get(factor, 0) + e
        return _reduced(_times(self.top, other.top), under)

    def __neg__(self) -> "Ratio":
        return Ratio(_scaled(self.top, Fraction(-1)), self.under)

    def __sub__(self, other: "Ratio") -> "Ratio":
        return self + -other

    def __truediv__(self, other: "Ratio") -> "Ratio":
        return self * other.inverse()

    def inverse(self) -> "Ratio":
        """1 over this; ``ZeroDivisionError`` of zero."""
        if not self.top:
            raise ZeroDivisionError("1/0 in a formula")
        result = Ratio(_ONE)
        for factor, e in self.under:
            result = result * Ratio(_raised(factor, e))
        number, monomial, rest = primitive(self.top)
        outer = Ratio(((_inverse(monomial), _settled(1 / Fraction(number))),))
        return result * outer if len(rest) == 1 else result * outer * Ratio(_ONE, ((rest, 1),))

    def power(self, exponent: int) -> "Ratio":
        """A whole power."""
        base = self if exponent >= 0 else self.inverse()
        result = ONE
        for _ in range(abs(exponent)):
            result = result * base
        return result

    def terms(self) -> Iterator[tuple["Ratio", Monomial, Fraction]]:
        """Every term of the top: what it is over, its atoms, its coefficient."""
        over = Ratio(_ONE, self.under)
        for monomial, c in self.top:
            yield over, monomial, c

    @property
    def constant(self) -> Fraction | None:
        """The number that this is, or None."""
        if self.under or len(self.top) > 1 or (self.top and self.top[0][0]):
            return None
        return self.top[0][1] if self.top else Fraction(0)

    @property
    def monomial(self) -> tuple[Fraction, Monomial] | None:
        """Coefficient and atoms, if it is a single product of atoms."""
        if self.under or len(self.top) != 1:
            return None
        ((monomial, c),) = self.top
        return c, monomial

    def atoms(self) -> list[Any]:
        """The atoms at its surface, in order."""
        found = {atom for m, _ in self.top for atom, _ in m}
        found |= {atom for factor, _ in self.under for m, _ in factor for atom, _ in m}
        return sorted(found, key=lambda atom: atom.rank)


_ONE: Poly = (((), _UNIT),)
ZERO, ONE = Ratio(()), Ratio(_ONE)


def number(value: Any) -> Ratio:
    """A number as a Ratio, exactly."""
    return Ratio(_poly({(): _exact(value)}))


def combined(terms: Iterable[tuple[Monomial, Fraction]]) -> Ratio:
    """The sum of terms, of which several may have the same atoms."""
    total: dict[Monomial, Fraction] = {}
    for monomial, c in terms:
        total[monomial] = total.get(monomial, _NONE) + c
    return Ratio(_poly(total))


def symbol(atom: Any, exponent: Any = 1) -> Ratio:
    """A power of an atom as a Ratio."""
    return Ratio(((((atom, _exact(exponent)),), _UNIT),))


def _lifted(top: Poly, under: Mapping[Poly, int], common: Mapping[Poly, int]) -> Poly:
    for factor, e in common.items():
        top = _times(top, _raised(factor, e - under.get(factor, 0)))
    return top


def _reduced(top: Poly, under: Mapping[Poly, int]) -> Ratio:
    """Factors of the denominator divided out where they divide."""
    if not top:
        return ZERO
    left: dict[Poly, int] = {}
    for factor, e in under.items():
        while e and (smaller := quotient(top, factor)) is not None:
            top, e = smaller, e - 1
        if e:
            left[factor] = e
    order = sorted(left.items(), key=lambda pair: [(_order(m), c) for m, c in pair[0]])
    return Ratio(top, tuple(order))
