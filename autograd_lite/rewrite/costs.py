"""What it costs to compute a form: operations on arrays, and the arrays that it has to keep.

A rough measure, in additions of two arrays, to choose among forms of one derivative. Imports
forms.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import prod
from typing import Any

from autograd_lite.graph import Op
from autograd_lite.rewrite.field import Atom
from autograd_lite.rewrite.forms import Call, Cases, Form, Name, Number, Product, Sum

__all__ = ["cost", "is_quick", "names_in"]

_DECIMAL = 0.5  # what it costs to have a number of many digits
_DIVISION = 0.5  # what it costs more than a multiplication
_WORD = re.compile(r"[a-z]")  # in the code of an operator that is no sign


def cost(form: Form, reading: Mapping[Atom, float]) -> float:
    """The operations, and for each name once what it costs to have its value."""
    read = {name.atom for name in names_in(form)}
    return _operations(form) + sum(reading.get(atom, 0.0) for atom in read)


def names_in(form: Form) -> Iterator[Name]:
    """All names in a form."""
    stack: list[Any] = [form]
    while stack:
        match stack.pop():
            case Name() as name:
                yield name
            case Sum(terms=terms):
                stack += terms
            case Product(factors=factors):
                stack += [inner for inner, _ in factors]
            case Call(args=args):
                stack += [arg for arg in args if isinstance(arg, Form)]
            case Cases(condition=condition, one=one, other=other):
                stack += [condition, one, other]


def _operations(form: Form) -> float:
    match form:
        case Sum(terms=terms):
            return sum(_operations(term) - _is_negative(term) for term in terms) + len(terms) - 1
        case Product(number=number, factors=factors):
            powers = sum(0.0 if abs(e) == 1 else 1.0 if abs(e) == 2 else 2.0 for _, e in factors)
            inner = sum(_operations(factor) for factor, _ in factors)
            lone = not any(e > 0 for _, e in factors)
            scaled = (abs(number) != 1 or lone) + (number < 0) + _decimal(number)
            divided = _DIVISION * sum(e < 0 for _, e in factors)
            return inner + powers + len(factors) - 1 + scaled + divided
        case Call(atom=atom, args=args):
            own = _own(atom.op, prod(atom.shape) == prod(atom.shapes[0])) if atom.op else 0.0
            return own + sum(_operations(arg) for arg in args if isinstance(arg, Form))
        case Cases(condition=condition, one=one, other=other):
            return 1.0 + sum(map(_operations, (condition, one, other)))
        case Number(value=value):
            return _decimal(value)
        case Name():
            return 0.0
    raise TypeError(f"a form of an unknown kind: {form!r}")


def _own(op: Op, rearranges: bool) -> float:
    """What one application costs; a linear operator may only move elements."""
    if op.kind == "linear":
        return 0.1 if rearranges else 1.0
    if op.kind in ("pointwise", "constant"):
        return 1.0 if is_quick(op) else 3.0
    return 4.0


def is_quick(op: Op) -> bool:
    """Whether it is one of arithmetic's signs, which cost as little as to have an array."""
    signed = op.code and not callable(op.code) and not _WORD.search(op.code)
    return bool(signed) or op.name in ("square", "reciprocal")


def _decimal(number: Fraction) -> float:
    """What a number costs that is no simple fraction: it says less, and may have been rounded."""
    return 0.0 if number.denominator < 100 else _DECIMAL


def _is_negative(form: Form) -> bool:
    """Whether its sign is that of a subtraction."""
    return isinstance(form, Product) and form.number < 0
