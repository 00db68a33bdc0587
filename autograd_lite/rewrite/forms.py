"""Formulas in a certain form: products, sums, calls, as text and as a computation.

A form's ``text`` is in the notation of the pictures ("arriving gradient × local derivative"), and
its ``compute`` applies the operators to arrays, or to tensors, which records the formula as a
graph. Does not know how a form is chosen. Imports operators, recording and field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.graph import Op
from autograd_lite.ops.pointwise import exp, greater, less, log, logical_not, square, where
from autograd_lite.ops.shaping import broadcast_to
from autograd_lite.recording import apply
from autograd_lite.rewrite.field import Atom
from autograd_lite.rules import OPS
from autograd_lite.shapes import Shape

__all__ = [
    "Call",
    "Cases",
    "Form",
    "Name",
    "Number",
    "Product",
    "Sum",
    "product",
    "untyped",
]

_SUM, _MEAN, _RESHAPE, _EQUAL = OPS["sum"], OPS["mean"], OPS["reshape"], OPS["equal"]
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
                sides = (
                    product(self.number * side, rest) if side else Number(side)
                    for side in (one, other)
                )
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
        if atom.op is greater.op or atom.op is _EQUAL:
            return _comparison(atom.op, self.args[0], values)
        args = [
            _shaped(arg.compute(values), shape) if isinstance(arg, Form) else arg
            for arg, shape in zip(self.args, atom.shapes, strict=True)
        ]
        if atom.op is None:
            return args[0]
        if atom.op is _SUM or atom.op is _MEAN:
            axes = tuple(a + len(atom.shapes[0]) for a in atom.params["axis"])
            return apply(atom.op, args, {"axis": axes, "keepdims": True})
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
        return not (untyped(self.one) and untyped(self.other))


def untyped(form: Form) -> bool:
    """Whether it is a number, or a condition."""
    if isinstance(form, (Call, Name)):
        return form.atom.idempotent and form.atom.value is None
    if isinstance(form, Product):
        return all(untyped(factor) for factor, _ in form.factors)
    if isinstance(form, Sum):
        return all(map(untyped, form.terms))
    return isinstance(form, Number)


def _moves(atom: Atom) -> bool:
    """Whether a reshape only adds or drops axes of size 1."""
    old, new = atom.shapes[0], atom.params["shape"]
    return [n for n in old if n != 1] == [n for n in new if n != 1]


def product(c: Fraction, factors: Sequence[tuple[Form, Fraction]]) -> Form:
    """A number times powers of factors, in its simplest form; its sign inside a sum."""
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
                return product(-c, [*factors[:k], (turned, e), *factors[k + 1 :]])
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
        return product(-form.number, form.factors)
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
    left, turned, right = _sides(form)
    return f"{left.text} {'<' if turned and sign == '>' else sign} {right.text}"


def _comparison(op: Op, form: Form, values: Mapping[Atom, Any]) -> Any:
    """The same, computed."""
    left, turned, right = _sides(form)
    taken = less.op if turned and op is greater.op else op
    sides = [
        side.compute(values) if (whole := _bound(side)) is None else whole for side in (left, right)
    ]
    return apply(taken, sides)


def _bound(form: Form) -> int | None:
    """A whole number that is compared with, as one writes it."""
    whole = isinstance(form, Number) and form.value.denominator == 1
    return int(form.value) if whole else None  # type: ignore[attr-defined]  # it is a Number


def _sides(form: Form) -> tuple[Form, bool, Form]:
    """What is compared with what in form > 0, numbers at the right; whether it is < for that."""
    terms = form.terms if isinstance(form, Sum) else (form,)
    left = [term for term in terms if not _subtracted(term) and not isinstance(term, Number)]
    right = [_negated(term) for term in terms if _subtracted(term) or isinstance(term, Number)]
    turned = not left
    if turned:
        left, right = [one for one in right if not isinstance(one, Number)], [
            _negated(one) for one in right if isinstance(one, Number)
        ]  # fmt: skip
    return _total(left), turned, _total(right)


def _total(terms: Sequence[Form]) -> Form:
    """The sum of terms, or the only one."""
    if not terms:
        return Number(Fraction(0))
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


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
        case Sum(terms=(Product() as scaled, Number() as plain)):
            return _cases(Sum((plain, scaled)))
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
