"""Formulas written down: factored into a short form, as text and as a computation.

``written`` gives the shortest factored form that it finds; its ``text`` is in the notation of the
pictures ("arriving gradient × local derivative"), and its ``compute`` applies the operators to
arrays, or to tensors, which records the formula as a graph. Imports operators, field and rational.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.ops.pointwise import exp, greater, log, logical_not, square, where
from autograd_lite.ops.shaping import broadcast_to
from autograd_lite.recording import apply
from autograd_lite.rewrite.field import Atom, Field
from autograd_lite.rewrite.rational import (
    ONE,
    ZERO,
    Monomial,
    Poly,
    Ratio,
    content,
    number,
    symbol,
)
from autograd_lite.rules import OPS
from autograd_lite.shapes import Shape

__all__ = ["Call", "Cases", "Form", "Name", "Number", "Product", "Sum", "ways", "written"]

_SUM, _MEAN, _RESHAPE, _EQUAL = OPS["sum"], OPS["mean"], OPS["reshape"], OPS["equal"]
_TAKEN = 3  # atoms that are tried in front of a part of a sum
_HIGH = {2: "²", 3: "³", 4: "⁴"}


class Form:
    """A formula in a certain form."""

    gradient = False  # whether the arriving gradient is in it

    @property
    def text(self) -> str:
        """How it is written."""
        raise NotImplementedError

    @property
    def tight(self) -> str:
        """How it is written as a factor."""
        return self.text

    def compute(self, values: Mapping[Atom, Any]) -> Any:
        """Its value; ``values`` holds arrays or tensors for the names."""
        raise NotImplementedError


@dataclass(frozen=True)
class Number(Form):
    """A number."""

    value: Fraction

    @cached_property
    def text(self) -> str:
        """At three digits, or as a fraction."""
        return _digits(self.value)

    def compute(self, values: Mapping[Atom, Any]) -> Any:
        """As a Python float."""
        return float(self.value)


@dataclass(frozen=True)
class Name(Form):
    """An input, the output, the arriving gradient, or a constant array."""

    atom: Atom
    gradient: bool = False

    @cached_property
    def text(self) -> str:
        """Its name."""
        return self.atom.name or "const"

    @cached_property
    def tight(self) -> str:
        """In parentheses unless it is one word or a call."""
        return self.text if _closed(self.text) else f"({self.text})"

    def compute(self, values: Mapping[Atom, Any]) -> Any:
        """What stands for the name."""
        return self.atom.value if self.atom.value is not None else values[self.atom]


@dataclass(frozen=True)
class Sum(Form):
    """A sum of forms."""

    terms: tuple[Form, ...]

    @cached_property
    def gradient(self) -> bool:  # type: ignore[override]  # computed of the terms
        """Whether the arriving gradient is in it."""
        return any(term.gradient for term in self.terms)

    @cached_property
    def text(self) -> str:
        """Terms with their signs, beginning with a positive term if there is one."""
        return self._joined(" ")

    @cached_property
    def tight(self) -> str:
        """In parentheses, without spaces if it is short."""
        return f"({self._joined('')})" if len(self._joined("")) <= 12 else f"({self.text})"

    @cached_property
    def spaced(self) -> str:
        """In parentheses, with spaces."""
        return f"({self.text})"

    def _joined(self, space: str) -> str:
        texts = [term.text for term in self.terms]
        texts.sort(key=lambda text: text.startswith("−"))
        shown = texts[0]
        for text in texts[1:]:
            minus = text.startswith("−")
            shown += f"{space}{'−' if minus else '+'}{space}{text.removeprefix('−')}"
        return shown

    def compute(self, values: Mapping[Atom, Any]) -> Any:
        """Added up; of a condition and 1 its contrary."""
        first, *others = sorted(self.terms, key=_subtracted)
        total = first.compute(values)
        if len(others) == 1 and first == Number(Fraction(1)):
            other = _negated(others[0]).compute(values)
            if getattr(other, "dtype", None) == np.bool_:
                return apply(logical_not.op, [other])
        for term in others:
            if _subtracted(term):
                total = total - _negated(term).compute(values)
            else:
                total = total + term.compute(values)
        return total


@dataclass(frozen=True)
class Product(Form):
    """number · factors^exponents."""

    number: Fraction
    factors: tuple[tuple[Form, Fraction], ...]

    @cached_property
    def gradient(self) -> bool:  # type: ignore[override]  # computed of the factors
        """Whether the arriving gradient is in it."""
        return any(form.gradient for form, _ in self.factors)

    @cached_property
    def text(self) -> str:
        """Factors without the gradient, ×, those with it; over what divides them."""
        held = [(form, e) for form, e in self.factors if form.gradient]
        rest = Product(self.number, tuple(pair for pair in self.factors if not pair[0].gradient))
        if not held or (rest.number == 1 and not rest.factors):
            return self._plain()
        arriving = "·".join(form.text for form, _ in held)
        (form, _) = held[0]
        if len(held) == 1 and form.text == "G":
            return _times_rest(arriving, rest)
        inner = form.spaced if isinstance(form, Sum) else arriving
        above, under = rest._parts()
        shown = inner if above in ("", "1") else f"{above} × {inner}"
        shown = f"−{inner}" if above == "−1" else shown
        return f"{shown}/{under}" if under else shown

    def _plain(self) -> str:
        above, under = self._parts()
        return f"{above or '1'}/{under}" if under else above or "1"

    def _parts(self) -> tuple[str, str]:
        """Numerator and denominator; an empty denominator is 1."""
        above = [(form, e) for form, e in self.factors if e > 0]
        under = [(form, -e) for form, e in self.factors if e < 0]
        top, bottom = self.number.numerator, self.number.denominator
        if not _short(self.number):
            top, bottom = self.number, 1  # type: ignore[assignment]  # shown with three digits
        shown = _chain(Fraction(top), above)
        if bottom == 1 and not under:
            return shown, ""
        if top == 1 and len(above) == 1 and isinstance(above[0][0], Sum) and above[0][1] == 1:
            shown = above[0][0].spaced
        below = _chain(Fraction(bottom), under)
        single = len(under) + (bottom != 1) == 1
        return shown, below if single else f"({below})"

    @cached_property
    def tight(self) -> str:
        """In parentheses where a sign or a fraction would be misread."""
        text = self.text
        return f"({text})" if any(ch in text for ch in "−/ ×") and not _closed(text) else text

    def compute(self, values: Mapping[Atom, Any]) -> Any:
        """Multiplied and divided, beginning with the arriving gradient.

        A factor a + b·[condition] chooses between the product times a + b, and times a, which
        keeps the dtype of the rest.
        """
        for k, (form, e) in enumerate(self.factors):
            cases = _cases(form) if e == 1 and len(self.factors) > 1 else None
            if cases is not None:
                condition, one, other = cases
                rest = (*self.factors[:k], *self.factors[k + 1 :])
                sides = (_product(self.number * side, rest) for side in (one, other))
                return where(condition.compute(values), *(side.compute(values) for side in sides))
        order = sorted(self.factors, key=lambda pair: (not _arriving(pair[0]), _is_sum(pair[0])))
        above = [_power(form.compute(values), e) for form, e in order if e > 0]
        under = [_power(form.compute(values), -e) for form, e in order if e < 0]
        size, sign = abs(self.number), self.number < 0
        whole = size.denominator & (size.denominator - 1) == 0 and size.numerator > 1
        if size.denominator > 1 and _short(size) and not whole:
            under.insert(0, size.denominator)
            size = Fraction(size.numerator)
        if size != 1:
            above.insert(0, float(size))
        result = _multiplied(above)
        result = 1.0 if result is None else result
        result = -result if sign else result
        return result if not under else result / _multiplied(under)


@dataclass(frozen=True)
class Call(Form):
    """An operator applied to forms."""

    atom: Atom
    args: tuple[Any, ...]

    @cached_property
    def gradient(self) -> bool:  # type: ignore[override]  # computed of the arguments
        """Whether the arriving gradient is in it."""
        return any(isinstance(arg, Form) and arg.gradient for arg in self.args)

    @cached_property
    def text(self) -> str:
        """The operator's own text."""
        op, first = self.atom.op, self.args[0]
        if op is _SUM or op is _MEAN:
            name = f"{'Σ' if op is _SUM else 'mean'}{_along(self.atom)}"
            inner = _summed(first)
            return f"{name}{'' if name in ('Σ', 'mean') and inner[0] == '(' else ' '}{inner}"
        if op is greater.op or op is _EQUAL:
            return f"[{_compared(first, '>' if op is greater.op else '=')}]"
        if op is None or (op is _RESHAPE and _moves(self.atom)):
            return str(first.text)
        texts = [arg.text if isinstance(arg, Form) else "…" for arg in self.args]
        if op is exp.op or op is log.op:
            return f"{op.name}({texts[0]})"
        tight = [_operand(arg) for arg in self.args]
        shown = op.text.format(*tight, args=", ".join(texts))
        return f"[{shown}]" if self.atom.idempotent and " " in shown else shown

    @cached_property
    def tight(self) -> str:
        """In parentheses if it is more than a word or a call."""
        return self.text if _closed(self.text) else f"({self.text})"

    def compute(self, values: Mapping[Atom, Any]) -> Any:
        """The operator applied, on arguments of the shapes that it takes."""
        atom = self.atom
        args = [
            _shaped(arg.compute(values), shape) if isinstance(arg, Form) else arg
            for arg, shape in zip(self.args, atom.shapes, strict=True)
        ]
        if atom.op is None:
            return args[0]
        if atom.op is _SUM or atom.op is _MEAN:
            axes = tuple(a + len(atom.shapes[0]) for a in atom.params["axis"])
            return apply(atom.op, args, {"axis": axes, "keepdims": True})
        if atom.op is greater.op or atom.op is _EQUAL:
            args.append(0)
        return apply(atom.op, args, atom.params)


@dataclass(frozen=True)
class Cases(Form):
    """One form where a condition holds, another where it does not."""

    condition: Form
    one: Form
    other: Form

    @cached_property
    def gradient(self) -> bool:  # type: ignore[override]  # computed of both
        """Whether the arriving gradient is in it."""
        return self.one.gradient or self.other.gradient

    @cached_property
    def text(self) -> str:
        """As a call of where."""
        return f"where({self.condition.text}, {self.one.text}, {self.other.text})"

    def compute(self, values: Mapping[Atom, Any]) -> Any:
        """The operator that chooses, on both."""
        forms = (self.condition, self.one, self.other)
        return where(*(form.compute(values) for form in forms))

    @property
    def floating(self) -> bool:
        """Whether one of both has a dtype of its own; numbers and conditions do not."""
        return not (_untyped(self.one) and _untyped(self.other))


def _untyped(form: Form) -> bool:
    """Whether it is a number, or a condition."""
    if isinstance(form, (Call, Name)):
        return form.atom.idempotent and form.atom.value is None
    if isinstance(form, Product):
        return all(_untyped(factor) for factor, _ in form.factors)
    if isinstance(form, Sum):
        return all(map(_untyped, form.terms))
    return isinstance(form, Number)


def _moves(atom: Atom) -> bool:
    """Whether a reshape only adds or drops axes of size 1."""
    old, new = atom.shapes[0], atom.params["shape"]
    return [n for n in old if n != 1] == [n for n in new if n != 1]


def written(field: Field, ratio: Ratio, gradient: Atom) -> Form:
    """The shortest form found."""
    return _Writer(field, gradient).ratio(ratio)


def ways(field: Field, ratio: Ratio, gradient: Atom) -> Iterator[Form]:
    """The shortest form, and others that may be cheaper to compute.

    They choose between cases of a condition, or divide term by term.
    """
    under = any(e < 0 for _, e in content(ratio.top)[1]) if ratio.top else False
    quotients = len(ratio.top) > 1 and (under or _part_without(ratio) is not None)
    for cases in (False, True) if any(map(_decides, ratio.atoms())) else (False,):
        for split in (False, True) if quotients else (False,):
            yield _Writer(field, gradient, cases=cases, split=split).ratio(ratio)


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
                return _product(c, [*self._factors(monomial), (inner, Fraction(1))])
        rest = Ratio(top) * Ratio(((monomial, c),)).inverse()
        c = _snapped(c)
        if len(top) == 1:
            c, monomial = _means_of(c, monomial)
        factors = self._factors(monomial)
        if rest != ONE:
            factors.append((self._sum(rest.top), Fraction(1)))
        factors += [(self._sum(poly), Fraction(-e)) for poly, e in x.under]
        return _product(c, factors)

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
                if _untyped(cases.one) and _untyped(cases.other):
                    sides = (self.ratio(side) for side in (one, other))
                    return Cases(self._atom(atom), *sides)
                outer = self.ratio(common)
                if isinstance(outer, Product):
                    return _product(outer.number, [*outer.factors, (cases, Fraction(1))])
                return (
                    cases
                    if common == ONE
                    else _product(Fraction(1), [(outer, Fraction(1)), (cases, Fraction(1))])
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


def _product(c: Fraction, factors: Sequence[tuple[Form, Fraction]]) -> Form:
    if not factors:
        return Number(c)
    if c == 1 and len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    if len(factors) == 1 and c == -1 and isinstance(factors[0][0], Sum) and factors[0][1] == 1:
        negated = tuple(_negated(term) for term in factors[0][0].terms)
        return Sum(negated)
    for k, (form, e) in enumerate(factors):
        if c < 0 and isinstance(form, Sum) and e == 1:
            turned = Sum(tuple(_negated(term) for term in form.terms))
            if any(not term.text.startswith("−") for term in turned.terms):
                return _product(-c, [*factors[:k], (turned, e), *factors[k + 1 :]])
    return Product(c, tuple(factors))


def _subtracted(form: Form) -> bool:
    """Whether it is computed as what is subtracted."""
    return (isinstance(form, Number) and form.value < 0) or (
        isinstance(form, Product) and form.number < 0
    )


def _negated(form: Form) -> Form:
    if isinstance(form, Number):
        return Number(-form.value)
    if isinstance(form, Product):
        return _product(-form.number, form.factors)
    if isinstance(form, Sum):
        return Sum(tuple(_negated(term) for term in form.terms))
    return Product(Fraction(-1), ((form, Fraction(1)),))


def _times_rest(arriving: str, rest: Product) -> str:
    """G × rest, and the short ways to write that."""
    above, under = rest._parts()
    if above in ("", "1", "−1"):
        sign = "−" if above == "−1" else ""
        return f"{sign}{arriving}/{under}" if under else f"{sign}{arriving}"
    factors = [form for form, e in rest.factors if e > 0]
    if len(factors) == 1 and isinstance(factors[0], Sum) and rest.number.numerator == 1:
        above = factors[0].spaced
    whole = f"{above}/{under}" if under else above
    return f"{arriving} × ({whole})" if whole.startswith("−") else f"{arriving} × {whole}"


def _chain(c: Fraction, factors: Sequence[tuple[Form, Fraction]]) -> str:
    sign = "−" if c < 0 else ""
    shown = "" if abs(c) == 1 and factors else _digits(abs(c))
    # what stands in parentheses comes last
    for form, e in sorted(factors, key=lambda pair: isinstance(pair[0], Sum)):
        text = form.tight
        if e != 1:
            text = f"√{text}" if e == Fraction(1, 2) else text + _HIGH.get(e, f"^{_exponent(e)}")  # type: ignore[call-overload]  # a Fraction is equal to its whole number
        joint = "" if not shown or text.startswith("(") else "·"
        if shown and shown[-1].isdigit() and len(form.text) == 1 and shown.isdigit():
            joint = ""
        shown += joint + text
    return sign + shown


def _exponent(e: Fraction) -> str:
    return str(e) if e.denominator == 1 else f"({e})"


def _short(value: Fraction) -> bool:
    """Whether a number is written as a fraction: others, and those of decimals, as decimals."""
    fine = abs(value.numerator) < 100 and value.denominator < 10000 and value.denominator % 10
    return value.denominator == 1 or bool(fine)


def _digits(value: Fraction) -> str:
    if _short(value):
        return str(value).replace("-", "−")
    return f"{float(value):.3g}".replace("-", "−")


def _closed(text: str) -> bool:
    """Whether it is a word, a call, or something in brackets."""
    depth = 0
    for k, ch in enumerate(text):
        depth += (ch in "([") - (ch in ")]")
        if depth == 0 and k < len(text) - 1 and not (ch.isalnum() or ch in "_.'²³ᵀ)]√"):
            return False
    return True


def _along(atom: Atom) -> str:
    """The axes of a sum in words: nothing for the last one or all."""
    full, axes = atom.shapes[0], atom.params["axis"]
    varying = [k - len(full) for k, n in enumerate(full) if n != 1]
    if set(varying) <= set(axes) or tuple(axes) == (-1,):
        return ""
    if len(full) == 2:
        return " rows"
    return f" axis {axes[0] + len(full)}" if len(axes) == 1 else " axes"


def _operand(arg: Any) -> str:
    """An argument inside an operator's text."""
    if isinstance(arg, Sum):
        return arg.spaced
    return arg.tight if isinstance(arg, Form) else "…"


def _summed(form: Form) -> str:
    return form.text if _closed(form.text) and not form.text.startswith("(") else f"({form.text})"


def _compared(form: Form, sign: str) -> str:
    """Text of a comparison with 0: of a − b it is a > b."""
    if isinstance(form, Sum):
        left = tuple(term for term in form.terms if not term.text.startswith("−"))
        right = tuple(_negated(term) for term in form.terms if term.text.startswith("−"))
        if left and right:
            return f"{_sum_text(left)} {sign} {_sum_text(right)}"
    if isinstance(form, Product) and form.number < 0:
        return f"{_negated(form).text} < 0"
    return f"{form.text} {sign} 0"


def _sum_text(terms: tuple[Form, ...]) -> str:
    return terms[0].text if len(terms) == 1 else Sum(terms).text


def _power(value: Any, e: Fraction) -> Any:
    if e == 1:
        return value
    if e == 2:
        return apply(square.op, [value])
    return value ** (int(e) if e.denominator == 1 else float(e))


def _cases(form: Form) -> tuple[Form, Fraction, Fraction] | None:
    """Of a + b·[condition] the condition, a + b and a."""
    match form:
        case Sum(
            terms=(Number(value=a), Product(number=b, factors=((Call() | Name() as condition, 1),)))
        ):
            return (condition, a + b, a) if condition.atom.idempotent and a else None
        case Sum(terms=(Product() as product, Number() as plain)):
            return _cases(Sum((plain, product)))
        case Sum(terms=(Number(value=a), Call() | Name() as condition)):
            return (condition, a + 1, a) if condition.atom.idempotent and a else None
        case Sum(terms=(Call() | Name() as condition, Number() as plain)):
            return _cases(Sum((plain, condition)))
    return None


def _arriving(form: Form) -> bool:
    return isinstance(form, Name) and form.gradient


def _is_sum(form: Form) -> bool:
    return isinstance(form, Sum)


def _multiplied(values: Sequence[Any]) -> Any:
    result = None
    for value in values:
        result = value if result is None else result * value
    return result


def _shaped(value: Any, shape: Shape) -> Any:
    found = value.shape if hasattr(value, "shape") else ()
    return value if found == shape else broadcast_to(value, shape)
