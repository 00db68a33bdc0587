"""Sizes that were those of the examples, as expressions: ``len(x)`` for the 4 of four samples.

A function is written for examples of two further sizes, all of them primes, and the two programs
are laid over each other: where their numbers differ, a product of sizes stands. Nothing has to
know where an operator puts a size. Knows statements and examples; no operator. Imports program
and written.
"""

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count, product
from math import isclose, prod
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.program import Statement
from autograd_lite.compiler.derived.written import Written
from autograd_lite.shapes import Shape

__all__ = ["Array", "Differ", "Free", "frees", "laid_over", "resized"]

_PRIMES = (7, 11, 13, 17, 19, 23, 5, 3, 29, 31, 37, 41)
_MOST = 6  # sizes that vary at once
_ELEMENTS = 150_000  # of an array of other sizes
_POWERS = (0, 1, -1, 2, -2, 3)  # of a size in a product
_MANY = 4  # sizes in one product
_DIGITS = 1e-13


class Differ(Exception):  # noqa: N818 - it ends an attempt, it is not an error
    """Two programs differ in more than sizes."""


@dataclass(frozen=True)
class Free:
    """Sizes of examples that may be others: axes (by place and axis) in groups of one size each.

    The first group has the samples.
    """

    groups: tuple[tuple[tuple[int, int], ...], ...]

    def sizes(self, examples: Sequence[Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """For each group two primes that divide no size which stays as it is.

        Raises:
            Differ: there are too many sizes.
        """
        free = {place for group in self.groups for place in group}
        fixed = [n for i, x in enumerate(examples) for k, n in enumerate(np.shape(x))
                 if (i, k) not in free and n]  # fmt: skip
        primes = [p for p in _PRIMES if all(n % p for n in fixed)]
        if len(self.groups) > _MOST or len(primes) < 2 * len(self.groups):
            raise Differ
        return tuple(primes[0::2][: len(self.groups)]), tuple(primes[1::2][: len(self.groups)])


def frees(examples: Sequence[Any]) -> list[Free]:
    """The guesses at which sizes may be others: all of them, then those of the samples alone.

    Axes of one size belong together; within one array first each for itself.
    """
    shapes = [np.shape(x) for x in examples]
    first = next(((i, 0) for i, shape in enumerate(shapes) if shape), None)
    if first is None:
        return []
    places = [(i, k) for i, shape in enumerate(shapes) for k, n in enumerate(shape)
              if n > 1 or (k == 0 and n == shapes[first[0]][0])]  # fmt: skip
    apart: dict[Any, list[tuple[int, int]]] = {}
    together: dict[Any, list[tuple[int, int]]] = {}
    for i, k in places:
        n = shapes[i][k]
        apart.setdefault((n, shapes[i][:k].count(n)), []).append((i, k))
        together.setdefault(n, []).append((i, k))
    samples = [(i, 0) for i, k in places if k == 0 and shapes[i][0] == shapes[first[0]][0]]
    found = [tuple(map(tuple, groups.values())) for groups in (apart, together)]
    return [Free(groups) for groups in dict.fromkeys([*found, (tuple(samples),), ((first,),)])]


def resized(
    examples: Sequence[Any], free: Free, sizes: Sequence[int], unit: Collection[int] = ()
) -> list[Any]:
    """The examples with other sizes along these axes: their elements, no two of them alike.

    Rows of those at the places in ``unit`` sum to 1.

    Raises:
        Differ: arrays would become too large.
    """
    rng = np.random.default_rng(7)
    result = [np.asarray(x) for x in examples]
    for group, size in zip(free.groups, sizes, strict=True):
        for i, axis in group:
            wanted = np.arange(size) % max(1, result[i].shape[axis])
            result[i] = np.take(result[i], wanted, axis=axis)
            if result[i].size > _ELEMENTS:
                raise Differ
    for i, x in enumerate(result):
        if x.dtype.kind == "f" and x.ndim:
            x = x * rng.uniform(0.9, 1.1, x.shape).astype(x.dtype)
            result[i] = x / np.sum(x, axis=-1, keepdims=True) if i in unit else x
    return result


def laid_over(one: Written, other: Written, sizes: tuple[Sequence[int], Sequence[int]]) -> Written:
    """A program whose numbers are expressions where two programs differ.

    Raises:
        Differ: they differ in more than numbers, or in a way that is no product of sizes.
    """
    if not all(map(np.array_equal, one.held.values(), other.held.values())):
        raise Differ
    inputs = list(_arrays(one.inputs, one, other))
    forward = _Overlay(sizes, inputs)
    ahead = _statements(one.passes.forward, other.passes.forward, forward)
    kept = [Array(f"self.{name}", (shape, other.passes.kept[name]))
            for name, shape in reversed(list(one.passes.kept.items()))]  # fmt: skip
    own = [array for array in kept if array.text.removeprefix("self.") in one.inputs]
    values = [array for array in kept if array not in own]
    arriving = [Array(name, (shape, other.arriving[name])) for name, shape in one.arriving.items()]
    fields = _Fields(inputs, {*one.passes.kept, *one.inputs, *one.held})
    back = _Overlay(sizes, own[::-1], values, arriving, fields)
    backward = _statements(one.passes.backward, other.passes.backward, back)
    ahead = [*fields.stored(), *ahead]
    moved = len(ahead) - len(one.passes.forward)
    backward = [replace(s, through=tuple(k + moved for k in s.through)) for s in backward]
    return replace(one, passes=replace(one.passes, forward=tuple(ahead), backward=tuple(backward)))


@dataclass(frozen=True)
class Array:
    """An array that a pass has at hand, and its shapes in both programs."""

    text: str
    shapes: tuple[Shape, Shape]

    def size(self, sizes: tuple[int, int]) -> str | None:
        """The expression of a size that it has along an axis."""
        for k, pair in enumerate(zip(*self.shapes, strict=True)):
            if pair == sizes:
                return f"len({self.text})" if k == 0 else f"{self.text}.shape[{k}]"
        return None

    def whole(self, asked: tuple[Any, Any]) -> str | None:
        """The expression of its shape, or of its number of elements in several axes."""
        if len(self.shapes[0]) < 2:
            return None
        if self.shapes == asked:
            return f"{self.text}.shape"
        return f"{self.text}.size" if tuple(map(prod, self.shapes)) == asked else None


def _arrays(names: Sequence[str], one: Written, other: Written) -> Iterator[Array]:
    leaves = zip(one.trace.arguments, other.trace.arguments, strict=True)
    for name, (a, b) in zip(names, leaves, strict=True):
        yield Array(name, (a.shape, b.shape))


@dataclass
class _Fields:
    """What forward stores of the inputs' shapes for backward, under names that are free."""

    inputs: Sequence[Array]
    taken: set[str]
    names: dict[str, str] = field(default_factory=dict)

    def size(self, sizes: tuple[int, int]) -> str | None:
        """A size of an input: of its first axis, or out of its shape."""
        for array in self.inputs:
            text = array.size(sizes)
            if text is not None and text.startswith("len"):
                return self._stored("n", text)
            if text is not None:
                shape, _, axis = text.rpartition("[")
                return f"{self._stored('shape', shape)}[{axis}"
        return None

    def whole(self, asked: tuple[Any, Any]) -> str | None:
        """The shape of an input, or its number of elements."""
        found = (text for array in self.inputs if (text := array.whole(asked)) is not None)
        text = next(found, None)
        return None if text is None else self._stored(text.rpartition(".")[2], text)

    def _stored(self, wish: str, value: str) -> str:
        if value not in self.names:
            numbered = (wish if k == 1 else f"{wish}{k}" for k in count(1))
            self.names[value] = next(name for name in numbered if name not in self.taken)
            self.taken.add(self.names[value])
        return f"self.{self.names[value]}"

    def stored(self) -> list[Statement]:
        """What forward stores for backward."""
        return [Statement(f"self.{name}", value) for value, name in self.names.items()]


def _statements(
    ones: Sequence[Statement], others: Sequence[Statement], overlay: "_Overlay"
) -> list[Statement]:
    if [s.target for s in ones] != [s.target for s in others]:
        raise Differ
    return [
        replace(a, expression=overlay.expression(a.expression, b.expression))
        for a, b in zip(ones, others, strict=True)
    ]


class _Overlay:
    """Lays trees over each other; ``groups`` are arrays at hand, those to be asked first ahead."""

    def __init__(
        self, sizes: tuple[Sequence[int], Sequence[int]], own: Sequence[Array],
        values: Sequence[Array] = (), arriving: Sequence[Array] = (),
        fields: _Fields | None = None,
    ) -> None:  # fmt: skip
        self.sizes = tuple(zip(*sizes, strict=True))
        self.own, self.values, self.arriving, self.fields = own, values, arriving, fields

    def expression(self, one: str, other: str) -> str:
        """The expression that both are, with sizes where they differ."""
        if one == other:
            return one
        trees = (ast.parse(text, mode="eval").body for text in (one, other))
        return ast.unparse(self.of(*trees))

    def of(self, a: Any, b: Any) -> Any:
        """The tree that both are, with sizes where they differ."""
        if type(a) is not type(b):
            raise Differ
        if isinstance(a, ast.Constant):
            return a if a.value == b.value and type(a.value) is type(b.value) else self._size(a, b)
        if isinstance(a, ast.Tuple) and (whole := self._shape(a, b)) is not None:
            return whole
        if isinstance(a, ast.Call):
            return self._call(a, b)
        if isinstance(a, list):
            if len(a) != len(b):
                raise Differ
            return [self.of(x, y) for x, y in zip(a, b, strict=True)]
        if isinstance(a, ast.AST):
            fields = {name: self.of(getattr(a, name), getattr(b, name)) for name in a._fields}
            return type(a)(**fields)
        if a != b:
            raise Differ
        return a

    def _call(self, a: ast.Call, b: ast.Call) -> ast.Call:
        """A call; a reshape whose other sizes are one number has −1 there."""
        made = ast.Call(self.of(a.func, b.func), self.of(a.args, b.args),
                        self.of(a.keywords, b.keywords))  # fmt: skip
        shape = made.args[0] if made.args else None
        reshapes = isinstance(made.func, ast.Attribute) and made.func.attr == "reshape"
        if reshapes and isinstance(shape, ast.Tuple):
            fixed = [k for k, n in enumerate(shape.elts) if isinstance(n, ast.Constant)]
            joined = [k for k, n in enumerate(shape.elts) if isinstance(n, ast.BinOp)]
            free = fixed or joined
            if len(shape.elts) > 1 and len(free) == 1 and _more_than_one(shape.elts[free[0]]):
                shape.elts[free[0]] = ast.Constant(-1)
        return made

    def _shape(self, a: ast.Tuple, b: ast.Tuple) -> Any:
        values = [
            tuple(n.value for n in tree.elts if isinstance(n, ast.Constant)) for tree in (a, b)
        ]
        if values[0] == values[1] or any(len(v) != len(t.elts) for v, t in zip(values, (a, b))):
            return None
        text = self._whole((values[0], values[1]), [self.own, self.arriving, self.values])
        return None if text is None else ast.parse(text, mode="eval").body

    def _whole(self, asked: tuple[Any, Any], order: Sequence[Sequence[Array]]) -> str | None:
        arrays = [array for group in order for array in group]
        found = [array.whole(asked) for array in arrays]
        text = next((text for text in found if text is not None), None)
        return self.fields.whole(asked) if text is None and self.fields else text

    def _size(self, a: ast.Constant, b: ast.Constant) -> Any:
        """A number that is a product of powers of sizes, times the same number in both."""
        one, other = _number(a.value), _number(b.value)
        text = self._whole((one, other), [self.values, self.own, self.arriving])
        tree = ast.parse(text or self._product(one, other), mode="eval")
        return tree.body

    def _product(self, one: float, other: float) -> str:
        for powers in _powers(len(self.sizes)):
            factors = [
                v / prod(float(pair[k]) ** e for pair, e in zip(self.sizes, powers, strict=True))
                for k, v in enumerate((one, other))
            ]
            if isclose(*factors, rel_tol=_DIGITS):
                return self._written(_plain(factors[0]), powers)
        raise Differ

    def _written(self, factor: float, powers: Sequence[int]) -> str:
        above, under = (self._power([(pair, e * sign) for pair, e in zip(self.sizes, powers)
                                     if e * sign > 0]) for sign in (1, -1))  # fmt: skip
        if factor != 1 or not above:
            above = f"{factor} * {above}" if above else str(factor)
        return f"{above} / ({under})" if " " in under else f"{above} / {under}" if under else above

    def _power(self, sizes: Sequence[tuple[tuple[int, int], int]]) -> str:
        """A product of sizes: the number of elements of an array, or size by size."""
        both = tuple(prod(pair[k] ** e for pair, e in sizes) for k in (0, 1))
        text = self._whole(both, [self.values, self.own, self.arriving]) if sizes else ""
        texts = ((self._one(pair), e) for pair, e in sizes)
        return text or " * ".join(one if e == 1 else f"{one} ** {e}" for one, e in texts)

    def _one(self, pair: tuple[int, int]) -> str:
        """The size of one group."""
        found = (array.size(pair) for array in (*self.own, *self.values, *self.arriving))
        text = next((text for text in found if text is not None), None)
        text = self.fields.size(pair) if text is None and self.fields else text
        if text is None:
            raise Differ
        return text


@cache
def _powers(count: int) -> list[tuple[int, ...]]:
    """Powers of so many sizes, simple ones first."""
    every = (powers for powers in product(_POWERS, repeat=count) if sum(map(abs, powers)) <= _MANY)
    return sorted(every, key=_length)


def _length(powers: Sequence[int]) -> tuple[int, ...]:
    return (sum(map(abs, powers)), *map(abs, powers))


def _plain(x: float) -> float:
    """A number as a person writes it: whole, or without the last digits that rounding made."""
    short = float(f"{x:.12g}")
    x = short if isclose(short, x, rel_tol=_DIGITS) else x
    return int(x) if x == int(x) else x


def _number(value: Any) -> float:
    """A number of code; anything else is no size."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Differ
    return value


def _more_than_one(size: ast.expr) -> bool:
    return not isinstance(size, ast.Constant) or _number(size.value) > 1
