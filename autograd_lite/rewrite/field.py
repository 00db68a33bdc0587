"""The atoms of formulas, and the laws of exp, log, roots, sums and conditions among them.

A formula is a ``Ratio`` of atoms: names, constant arrays, and operators applied to formulas. What a
law makes equal is the same Ratio: exp(a + b) is exp(a)·exp(b), a sum lets out what is constant
along its axes, a condition times itself is itself. Knows shapes only as far as sums need them: an
atom of a smaller shape is repeated, aligned at the right. Imports graph, rules, operators and
rational.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import isclose, pi, prod, sqrt
from typing import Any

import numpy as np

from autograd_lite.graph import EMPTY, Op, settled
from autograd_lite.ops.pointwise import equal, exp, greater, log, maximum, minimum
from autograd_lite.rewrite.rational import (
    ONE,
    ZERO,
    Monomial,
    Overgrown,
    Poly,
    Ratio,
    combined,
    content,
    number,
    primitive,
    symbol,
)
from autograd_lite.rules import OPS
from autograd_lite.shapes import Shape, broadcast_shapes

__all__ = ["Atom", "Field", "bare", "fits", "key_of", "shape_of_ratio"]

_MANY = 10**9  # denominator from which on a number has a name
_ROUNDING = 5e-16
_EFFORT = 400  # terms that are put together in one simplification
_SUM = OPS["sum"]
_RESHAPE = OPS["reshape"]


class Atom:
    """A name, a constant array, or an operator applied to formulas; made by a ``Field`` alone.

    ``shapes`` are those of the arguments as the operator takes them. A formula raised to a
    fractional power is the ``base`` of an atom without operator. A reshape has as ``frame`` the
    shapes of the whole formulas between which it moved, in which it may still grow. The rows of a
    ``unit`` sum to 1.
    """

    __slots__ = ("args", "frame", "idempotent", "name", "op", "params", "positive", "rank", "shape",
                 "shapes", "unit", "value")  # fmt: skip

    def __init__(
        self, rank: int, shape: Shape, *, name: str = "", value: Any = None, op: Op | None = None,
        args: tuple[Any, ...] = (), shapes: tuple[Shape, ...] = (), params: Any = EMPTY,
        positive: bool = False, idempotent: bool = False,
        frame: tuple[Shape, Shape] | None = None, unit: bool = False,
    ) -> None:  # fmt: skip
        self.rank, self.shape, self.name, self.value = rank, shape, name, value
        self.op, self.args, self.shapes, self.params = op, args, shapes, params
        self.positive, self.idempotent, self.frame, self.unit = positive, idempotent, frame, unit

    def __repr__(self) -> str:
        return self.name or f"{self.op.name if self.op else 'base'}{self.args}"


def bare(shape: Shape) -> Shape:
    """A shape without its leading ones, which say nothing when arrays are aligned at the right."""
    k = next((k for k, n in enumerate(shape) if n != 1), len(shape))
    return shape[k:]


def shape_of_ratio(ratio: Ratio) -> Shape:
    """The shape that a formula's atoms have together."""
    return broadcast_shapes(*(atom.shape for atom in ratio.atoms())) if ratio.atoms() else ()


class Field:
    """All atoms of one simplification, each there once, and the operators on formulas.

    ``effort`` bounds the terms that are put together in substitutions: ``Overgrown`` beyond it.
    """

    def __init__(self, effort: int = _EFFORT) -> None:
        self._atoms: dict[Any, Atom] = {}
        self._unnamed: dict[str, int] = {}
        self._effort = effort

    def _atom(self, key: Any, shape: Shape, **facts: Any) -> Atom:
        atom = self._atoms.get(key)
        if atom is None:
            atom = self._atoms[key] = Atom(len(self._atoms), shape, **facts)
        return atom

    def name(self, key: Any, name: str, shape: Shape, **facts: Any) -> Atom:
        """The atom of an input, under a key of its own."""
        return self._atom(("name", key), shape, name=name, **facts)

    def constant(self, value: Any, name: str = "") -> Ratio:
        """A constant: a number where all elements are the same, else an atom."""
        array = np.asarray(value)
        first = array.flat[0] if array.size else None
        if first is not None and np.isfinite(first) and np.all(array == first):
            return self._number(float(first))
        key = ("constant", array.shape, (array + 0.0).tobytes())
        facts = {"idempotent": bool(np.all((array == 0) | (array == 1)))}
        if key not in self._atoms and not name:
            kind = _kind(array)
            self._unnamed[kind] = count = self._unnamed.get(kind, 0) + 1
            name = kind if count == 1 else f"{kind}{count}"
        return symbol(self._atom(key, array.shape, name=name, value=settled(array), **facts))

    def _number(self, value: float) -> Ratio:
        """A number; one of many digits as a name, which stays apart from others."""
        exact = _exact(value)
        if exact.denominator < _MANY:
            return number(exact)
        size, e = abs(value), 1
        if size < 1 and _square(size)[1] == "":
            size, e = 1 / size, -1  # 1/√2 is √2 in a denominator
        atom = self._atom(("number", f"{size:.15g}"), (), name=_shown(size), value=np.float64(size),
                          positive=True)  # fmt: skip
        return symbol(atom, e) if value > 0 else -symbol(atom, e)

    def folded(self, x: Ratio) -> Ratio:
        """The formula; what constant arrays make together is a number or one array if it can be.

        Without the terms that are 0: those with [t = 0]·t.
        """
        groups: dict[Monomial, list[tuple[Monomial, Fraction]]] = {}
        for monomial, c in x.top:
            if _vanishes(monomial):
                continue
            held = tuple(pair for pair in monomial if pair[0].value is not None)
            rest = tuple(pair for pair in monomial if pair[0].value is None)
            groups.setdefault(rest, []).append((held, c))
        result = ZERO
        for rest, terms in groups.items():
            together = Ratio(tuple(terms))
            if sum(len(held) for held, _ in terms) > 1 or any(e != 1 for held, _ in terms
                                                              for _, e in held):  # fmt: skip
                value = sum(float(c) * _evaluated(held) for held, c in terms)
                together = self._recognised(value) or together
            result = result + together * Ratio(((rest, Fraction(1)),))
        return result * Ratio(ONE.top, x.under)

    def _recognised(self, value: Any) -> Ratio | None:
        """An array as a number, or as a number times a constant that is there already."""
        if not np.ndim(value):
            simple = _exact(float(value)).denominator < _MANY
            root = bool(_square(abs(float(value)))[0])
            return self._number(float(value)) if simple or root else None
        scale = np.max(np.abs(value), initial=0.0)
        for atom in (None, *(a for a in self._atoms.values() if a.value is not None)):
            known = np.ones(value.shape) if atom is None else np.asarray(atom.value, float)
            if known.shape != value.shape or not value.size:
                continue
            place = np.argmax(np.abs(known))
            factor = value.flat[place] / (known.flat[place] or 1.0)
            if np.all(np.abs(value - factor * known) <= 1e-14 * scale):
                return number(_exact(float(factor))) * (symbol(atom) if atom else ONE)
        return None

    def apply(
        self, op: Op, args: Sequence[Any], shapes: Sequence[Shape], params: Any, shape: Shape,
        **facts: Any,
    ) -> Ratio:  # fmt: skip
        """An operator that the laws do not know; computed if all that it takes is constant.

        Numbers and scalar factors come out of the arguments that it is linear in.
        """
        outer, inner = ONE, list(args)
        for i in _linear_places(op, len(args)):
            if isinstance(args[i], Ratio):
                if args[i] == ZERO:
                    return ZERO
                factor, inner[i] = _without_scalars(args[i])
                outer = outer * factor
        values = [_known(arg, shape) for arg, shape in zip(inner, shapes, strict=True)]
        if all(value is not None for value in values):
            return outer * self.constant(op.forward(*values, **params))
        key = ("apply", op.name, op.forward, key_of(inner), key_of(params))
        atom = self._atom(
            (*key, tuple(shapes)), shape, op=op, args=tuple(inner), shapes=tuple(shapes),
            params=params, **facts,
        )  # fmt: skip
        return outer * symbol(atom)

    # functions of cases

    def cases(self, function: Callable[[Ratio], Ratio], x: Ratio) -> Ratio:
        """A function of where(c, a, b) is where(c, function of a, function of b)."""
        for atom in x.atoms():
            if atom.idempotent and not x.under:
                one, other = (self.case(x, atom, side) for side in (ONE, ZERO))
                c = symbol(atom)
                return c * self.cases(function, one) + (ONE - c) * self.cases(function, other)
        return function(x)

    def case(self, x: Ratio, condition: Atom, side: Ratio) -> Ratio:
        """A formula where a condition holds (1) or not (0)."""
        return self.mapped(x, lambda atom: side if atom is condition else symbol(atom))

    def unguarded(self, x: Ratio) -> Ratio:
        """A formula without the case t = 0, where it is divided by t all the same."""
        for atom in x.atoms():
            t = atom.args[0].monomial if atom.op is equal.op else None
            if t is not None and len(t[1]) == 1:
                guarded = self.case(x, atom, ONE)
                divided = {a for a, e in content(guarded.top)[1] if e < 0} if guarded.top else set()
                if t[1][0][0] in divided:
                    x = self.case(x, atom, ZERO)
        return x

    # exp, log and powers

    def exp(self, x: Ratio) -> Ratio:
        """The exponential: of a sum a product of them; of c·log a it is a^c."""
        result = ONE
        x = self.folded(x)
        for over, monomial, c in x.terms():
            ((atom, e), *others) = monomial or ((None, Fraction(0)),)
            if atom is not None and atom.op is log.op and e == 1 and not others and not x.under \
                    and c.denominator == 1:  # fmt: skip
                result = result * _formula(atom).power(int(c))
                continue
            argument = over * Ratio(((monomial, Fraction(1)),))
            shape = shape_of_ratio(argument)
            key = ("exp", argument)
            made = self._atom(key, shape, op=exp.op, args=(argument,), shapes=(shape,),
                              positive=True)  # fmt: skip
            result = result * symbol(made, c)
        return result

    def log(self, x: Ratio) -> Ratio:
        """The logarithm: of a product of positive factors a sum of them; of exp a it is a."""
        if not x.top:
            raise ZeroDivisionError("log 0 in a formula")
        factor, monomial, rest = primitive(x.top)
        result, left = ZERO, number(factor)
        for atom, e in monomial:
            if atom.op is exp.op:
                result = result + number(e) * atom.args[0]
            elif atom.positive:
                result = result + number(e) * self._log(symbol(atom))
            else:
                left = left * symbol(atom, e)
        for poly, power in ((rest, 1), *((factor, -e) for factor, e in x.under)):
            if _positive(poly):
                piece = Ratio(poly)
                result = result + (number(power) * self._log(piece) if piece != ONE else ZERO)
            else:
                left = left * Ratio(poly).power(power)
        return result if left == ONE else result + self._log(left)

    def _log(self, x: Ratio) -> Ratio:
        shape = shape_of_ratio(x)
        return symbol(self._atom(("log", x), shape, op=log.op, args=(x,), shapes=(shape,)))

    def power(self, x: Ratio, exponent: Fraction) -> Ratio:
        """A power; of a fractional one the positive factors, and otherwise x as a whole."""
        if exponent.denominator == 1:
            return x.power(int(exponent))
        result, left = ONE, ONE
        factor, monomial, rest = primitive(x.top) if x.top else (Fraction(0), (), ())
        pieces = [symbol(atom, e) for atom, e in monomial]
        pieces += [Ratio(rest)] + [Ratio(f).power(-e) for f, e in x.under]
        for piece in (number(factor), *pieces):
            simple = piece.monomial
            atom, e = simple[1][0] if simple and len(simple[1]) == 1 else (None, Fraction(0))
            if atom is not None and (atom.positive or e == 1):
                result = result * symbol(atom, e * exponent)
            else:
                left = left * piece
        return result if left == ONE else result * symbol(self._base(left), exponent)

    def _base(self, x: Ratio) -> Atom:
        shape = shape_of_ratio(x)
        return self._atom(("base", x), shape, args=(x,), shapes=(shape,))

    # conditions

    def holds(self, op: Op, x: Ratio) -> Ratio:
        """1 where x > 0 (or x = 0, as ``op`` says), else 0."""
        known = x.constant
        if known is not None:
            return ONE if (known > 0 if op is greater.op else known == 0) else ZERO
        compared = _compared(x) if op is greater.op else None
        if compared is not None:
            return self.holds(op, compared)
        factor, _ = content(x.top)
        size = factor if op is equal.op else abs(factor)
        x = x * number(1 / size)
        shape = shape_of_ratio(x)
        return symbol(
            self._atom((op.name, x), shape, op=op, args=(x,), shapes=(shape,), idempotent=True)
        )

    # sums, and new places for axes of size 1

    def total(self, x: Ratio, shape: Shape, axes: Sequence[int]) -> Ratio:
        """The sum of x, which has this shape, over axes (−1 the last), which stay with size 1."""
        result = ZERO
        for over, monomial, c in self.folded(x).terms():
            result = result + number(c) * self._total(over, monomial, shape, axes)
        return result

    def _total(self, over: Ratio, monomial: Monomial, shape: Shape, axes: Sequence[int]) -> Ratio:
        outer = inner = ONE
        pieces = [symbol(atom, e) for atom, e in monomial]
        pieces += [Ratio(ONE.top, (factor,)) for factor in over.under]
        for piece in pieces:
            if any(_extends(atom, axis) for atom in piece.atoms() for axis in axes):
                inner = inner * piece
            else:
                outer = outer * piece
        along = [a for a in axes if any(_extends(atom, a) for atom in inner.atoms())]
        for axis in set(axes) - set(along):
            outer = outer * number(shape[axis])
        if not along:
            return outer
        full = shape_of_ratio(inner)
        if -1 in along and any(atom.unit and inner == symbol(atom) for atom in inner.atoms()):
            return outer * number(prod(full[axis] for axis in along if axis != -1))
        known = _known(inner, full)
        if known is not None:
            return outer * self.constant(np.add.reduce(known, axis=tuple(along), keepdims=True))
        params = {"axis": tuple(sorted(along)), "keepdims": True}
        left = tuple(1 if k - len(full) in along else n for k, n in enumerate(full))
        key = ("sum", inner, params["axis"])
        facts = {"positive": _positive(inner.top) and all(_positive(f) for f, _ in inner.under)}
        atom = self._atom(key, left, op=_SUM, args=(inner,), shapes=(full,), params=params, **facts)
        return outer * symbol(atom)

    def moved(self, x: Ratio, old: Shape, new: Shape) -> Ratio | None:
        """A formula of shape ``old`` in shape ``new``; None if other axes than of size 1 change."""
        if [n for n in old if n != 1] != [n for n in new if n != 1]:
            return None
        kept = [k - len(old) for k, n in enumerate(old) if n != 1]

        def shape_in_new(atom: Atom) -> Shape:
            sizes = iter(atom.shape[k] if -k <= len(atom.shape) else 1 for k in kept)
            return tuple(next(sizes) if n != 1 else 1 for n in new)

        frame = old, new
        return self.mapped(x, lambda atom: self._seen(atom, bare(shape_in_new(atom)), frame))

    def _seen(self, atom: Atom, shape: Shape, frame: tuple[Shape, Shape]) -> Ratio:
        if shape == bare(atom.shape):
            return symbol(atom)
        if atom.op is _RESHAPE and isinstance(atom.args[0], Ratio):
            ((_, ((inner, _),)),) = (atom.args[0].monomial,)  # type: ignore[misc]  # a single atom
            return self._seen(inner, shape, frame)
        return symbol(
            self._atom(
                ("reshape", atom, shape), shape, op=_RESHAPE, args=(symbol(atom),),
                shapes=(atom.shape,), params={"shape": shape}, positive=atom.positive,
                idempotent=atom.idempotent, frame=frame,
            )
        )  # fmt: skip

    # substitution

    def _assembled(self, x: Ratio, power: Callable[[Atom, Fraction], Ratio | None]) -> Ratio:
        """A formula put together again of powers of its atoms; None is one that stays as it is."""
        made: dict[tuple[Atom, Fraction], Ratio | None] = {}

        def changed(pair: tuple[Atom, Fraction]) -> bool:
            if pair not in made:
                made[pair] = power(*pair)
            return made[pair] is not None

        def poly(terms: Poly) -> Ratio | None:
            groups: dict[Monomial, list[tuple[Monomial, Fraction]]] = {}
            for monomial, c in terms:
                new = tuple(pair for pair in monomial if changed(pair))
                rest = tuple(pair for pair in monomial if not changed(pair)) if new else monomial
                groups.setdefault(new, []).append((rest, c))
            self._effort -= len(terms)
            if self._effort < 0:
                raise Overgrown
            if groups.keys() <= {()}:
                return None
            result = Ratio(tuple(groups.pop((), ())))
            for new, rest_terms in groups.items():
                product = combined(rest_terms)
                for pair in new:
                    product = product * (made[pair] or ONE)
                result = result + product
            return result

        top = poly(x.top)
        under = [(factor, e, poly(factor)) for factor, e in x.under]
        if top is None and all(one is None for *_, one in under):
            return x
        result = Ratio(x.top) if top is None else top
        result = result * Ratio(ONE.top, tuple((f, e) for f, e, one in under if one is None))
        for _, e, one in under:
            result = result if one is None else result * one.power(-e)
        return result

    def mapped(self, x: Ratio, replace: Callable[[Atom], Ratio]) -> Ratio:
        """A formula with every atom of its surface replaced."""

        def power(atom: Atom, e: Fraction) -> Ratio | None:
            found = replace(atom)
            return None if found == symbol(atom) else self.power(found, e)

        return self._assembled(x, power)

    def substituted(self, x: Ratio, atom: Atom, by: Ratio, step: Fraction) -> Ratio:
        """A formula with atom^step replaced by a formula, inside sums and operators too.

        Not inside the atoms of that formula: what replaces e = exp(x) may hold the sum of e.
        """
        memo: dict[Atom, Ratio | None] = dict.fromkeys(by.atoms())

        def deep(one: Atom) -> Ratio | None:
            if one not in memo:
                found = self._rebuilt(one, go) if one.args else None
                memo[one] = None if found == symbol(one) else found
            return memo[one]

        def power(one: Atom, e: Fraction) -> Ratio | None:
            if one is not atom:
                found = deep(one)
                return None if found is None else self.power(found, e)
            times = Fraction(e) / step
            return by.power(int(times)) if times.denominator == 1 else None

        def go(ratio: Ratio) -> Ratio:
            return self._assembled(ratio, power)

        return go(x)

    def _rebuilt(self, atom: Atom, go: Callable[[Ratio], Ratio]) -> Ratio:
        """An applied atom with its arguments replaced; exponents of exp stay as they are."""
        if atom.op is exp.op or (atom.op is not None and atom.op.kind == "constant"):
            return symbol(atom)
        args = [go(arg) if isinstance(arg, Ratio) else arg for arg in atom.args]
        if all(a == b for a, b in zip(args, atom.args, strict=True)):
            return symbol(atom)
        if not all(map(fits, args, atom.shapes)):
            return self._grown(atom, args)
        if atom.op is _SUM:
            return self.total(args[0], atom.shapes[0], atom.params["axis"])
        if atom.op is None:
            return symbol(self._base(args[0]))
        if atom.op is log.op:
            return self.log(args[0])
        if atom.op is _RESHAPE:
            found = self.moved(args[0], atom.shapes[0], atom.shape)
            if found is not None:
                return found
        return self.apply(
            atom.op, args, atom.shapes, atom.params, atom.shape,
            positive=atom.positive, idempotent=atom.idempotent,
        )  # fmt: skip

    def _grown(self, atom: Atom, args: Sequence[Any]) -> Ratio:
        """An atom whose argument is larger than it was; ``Overgrown`` unless it has a place."""
        if atom.frame is None or not fits(args[0], atom.frame[0]):
            raise Overgrown
        return self.moved(args[0], *atom.frame) or ZERO


def fits(arg: Any, shape: Shape) -> bool:
    """Whether a formula's atoms have no other axes than an array of this shape."""
    if not isinstance(arg, Ratio):
        return True
    found = shape_of_ratio(arg)
    pairs = zip(reversed(found), reversed((1,) * len(found) + shape))
    return all(n in (1, m) for n, m in pairs)


def _vanishes(monomial: Monomial) -> bool:
    """Whether it has [t = 0] as a factor, and t; or two conditions that exclude each other."""
    present = {atom for atom, e in monomial if e > 0}
    above = [atom.args[0] for atom in present if atom.op is greater.op]
    for k, one in enumerate(above):
        for other in above[k + 1 :]:
            total = (one + other).constant
            if total is not None and total <= 0:
                return True
    zeros = (
        a.args[0].monomial for a in present if a.op is equal.op and isinstance(a.args[0], Ratio)
    )
    return any(z is not None and any(atom in present for atom, _ in z[1]) for z in zeros)


def _exact(value: float) -> Fraction:
    """The fraction that a number was most likely written as, up to rounding."""
    simple = Fraction(value).limit_denominator(1000)
    if isclose(simple, value, rel_tol=_ROUNDING):
        return simple
    short = float(f"{value:.12g}")
    return Fraction(repr(short if isclose(short, value, rel_tol=_ROUNDING) else value))


def _square(size: float) -> tuple[Fraction, str]:
    """The fraction of which a number is the root, or that over π; 0 if there is none."""
    for factor, under in ((1.0, ""), (pi, "π")):
        square = Fraction(size * size * factor).limit_denominator(50)
        if square and isclose(sqrt(square / factor), size, rel_tol=_ROUNDING):
            return square, under
    return Fraction(0), "unknown"


def _shown(size: float) -> str:
    """A number of many digits in text: a root, or three digits."""
    square, under = _square(size)
    if not square:
        return f"{size:.3g}"
    parts = [str(square.denominator)] * (square.denominator > 1) + [under] * bool(under)
    below = "·".join(parts)
    if not below:
        return f"√{square.numerator}"
    return f"√({square.numerator}/{below if len(parts) == 1 else f'({below})'})"


def _kind(array: Any) -> str:
    """What an unnamed constant array is called."""
    if array.dtype == np.bool_:
        return "mask"
    hot = np.all((array == 0) | (array == 1)) and array.ndim > 1
    return "onehot" if hot and np.all(np.sum(array, axis=-1) == 1) else "const"


def _formula(atom: Atom) -> Ratio:
    """The argument of an operator that takes one formula."""
    (x,) = atom.args
    return x  # type: ignore[no-any-return]  # arguments may be other things, of other operators


def _evaluated(monomial: Monomial) -> Any:
    value: Any = 1.0
    for atom, e in monomial:
        value = value * np.asarray(atom.value, float) ** float(e)
    return value


def _extends(atom: Atom, axis: int) -> bool:
    return -axis <= len(atom.shape) and atom.shape[axis] != 1


def _compared(x: Ratio) -> Ratio | None:
    """max(a, b) > b is a > b, and b > min(a, b) is b > a."""
    for atom in x.atoms():
        if atom.op is maximum.op or atom.op is minimum.op:
            sign = number(1 if atom.op is maximum.op else -1)
            operands: tuple[Ratio, ...] = atom.args
            for a, b in (operands, operands[::-1]):
                if x == sign * (symbol(atom) - b):
                    return sign * (a - b)
    return None


def _positive(poly: Any) -> bool:
    """Whether a polynomial is positive wherever its atoms are, and they are."""
    return all(
        c > 0 and all(atom.positive or e % 2 == 0 for atom, e in monomial) for monomial, c in poly
    ) and any(all(atom.positive for atom, _ in monomial) for monomial, _ in poly)


def _linear_places(op: Op, count: int) -> list[int]:
    """The arguments out of which a factor may come, one by one."""
    if op.kind == "multilinear":
        return list(range(count))
    linear = [i for i in range(count) if op.kind == "linear" and op.pulls[i] is not None]
    return linear if len(linear) == 1 else []


def _without_scalars(x: Ratio) -> tuple[Ratio, Ratio]:
    """What is the same for all elements and factor of every term, and the rest."""
    factor, monomial = content(x.top)
    factor = factor if len(x.top) == 1 else abs(factor)
    scalars = tuple((atom, e) for atom, e in monomial if not atom.shape)
    outer = Ratio(((scalars, factor),))
    return outer, x * outer.inverse()


def _known(arg: Any, shape: Shape) -> Any:
    """The array of a constant argument, or None."""
    if not isinstance(arg, Ratio):
        return arg
    if arg.constant is not None:
        return settled(np.full(shape, float(arg.constant)))
    simple = arg.monomial
    if simple is None or any(atom.value is None for atom, _ in simple[1]):
        return None
    return settled(np.broadcast_to(float(simple[0]) * _evaluated(simple[1]), shape))


def key_of(value: Any) -> Any:
    """A value (an operand, a parameter, or containers of them) as something hashable."""
    if isinstance(value, (Ratio, int, float, complex, str, type(None), np.dtype)):
        return type(value), value
    if isinstance(value, Mapping):
        return tuple((name, key_of(one)) for name, one in sorted(value.items()))
    if isinstance(value, (tuple, list)):
        return tuple(map(key_of, value))
    if isinstance(value, (np.ndarray, np.generic)):
        return value.shape, value.dtype.str, hashlib.sha256(value.tobytes()).digest()
    return repr(value)  # slices, Ellipsis
