"""Sizes that were those of the examples, as expressions: ``len(x)`` for the 4 of four samples.

A function is written for two batches of prime sizes, and the two programs are laid over each
other: where their numbers differ, a size stands. Nothing has to know where an operator puts a
size. Knows statements and examples; no operator. Imports errors and program.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.program import Statement
from autograd_lite.compiler.derived.written import Written

__all__ = ["Axes", "Differ", "Holder", "batches", "laid_over", "primes", "resized"]

_PRIMES = (11, 13, 17, 19, 23, 29)
_POWERS = 3  # how often a size may stand in a product


class Differ(Exception):  # noqa: N818 - it ends an attempt, it is not an error
    """Two programs differ in more than sizes."""


@dataclass(frozen=True)
class Axes:
    """Axes of examples (by place and axis) that have one size together: the batch."""

    places: tuple[tuple[int, int], ...]


def batches(examples: Sequence[Any]) -> list[Axes]:
    """The guesses at what is the batch: the first axes of that size, or that of one input."""
    first = [(i, np.shape(x)[0]) for i, x in enumerate(examples) if np.ndim(x)]
    if not first:
        return []
    size = first[0][1]
    alike = Axes(tuple((i, 0) for i, n in first if n == size))
    alone = Axes(((first[0][0], 0),))
    return [alike] if alike == alone else [alike, alone]


def resized(examples: Sequence[Any], axes: Axes, size: int) -> list[Any]:
    """The examples with another size along these axes, their elements repeated."""
    result = [np.asarray(x) for x in examples]
    for i, axis in axes.places:
        wanted = np.arange(size) % max(1, result[i].shape[axis])
        result[i] = np.take(result[i], wanted, axis=axis)
    return result


def primes(examples: Sequence[Any]) -> tuple[int, int]:
    """Two primes that divide no size of the examples."""
    sizes = {n for x in examples for n in np.shape(x)}
    free = [p for p in _PRIMES if all(n % p for n in sizes if n)]
    return free[0], free[1]


def laid_over(one: Written, other: Written, sizes: tuple[int, int], holder: "Holder") -> Written:
    """A program whose numbers are expressions where two programs differ.

    Raises:
        Differ: they differ in more than numbers, or in a way that is no power of the size.
    """
    forward = _statements(one.passes.forward, other.passes.forward, sizes, holder.forward)
    backward = _statements(one.passes.backward, other.passes.backward, sizes, holder.backward)
    forward = [*holder.stored(), *forward]
    moved = len(forward) - len(one.passes.forward)
    backward = [replace(s, through=tuple(k + moved for k in s.through)) for s in backward]
    return replace(
        one, passes=replace(one.passes, forward=tuple(forward), backward=tuple(backward))
    )


@dataclass
class Holder:
    """How the code of both passes comes by the size of the batch, and the shapes of the inputs.

    ``shapes`` are those of the inputs in both programs; ``kept`` names what the object keeps.
    """

    names: Sequence[str]
    shapes: tuple[Sequence[tuple[int, ...]], Sequence[tuple[int, ...]]]
    axes: Axes
    kept: Sequence[str]
    arriving: Mapping[str, tuple[int, ...]]
    size: int

    def __post_init__(self) -> None:
        self.fields: dict[str, str] = {}

    def forward(self, shape: tuple[Any, Any] | None) -> str | None:
        """The size, or the whole shape of an input."""
        if shape is None:
            return f"len({self.names[self.axes.places[0][0]]})"
        at, what = self._input_of(shape)
        return None if at is None else f"{self.names[at]}.{what}"

    def backward(self, shape: tuple[Any, Any] | None) -> str | None:
        """The same, of what the object keeps, or of the arriving gradient."""
        if shape is None:
            for i, _ in self.axes.places:
                if self.names[i] in self.kept:
                    return f"len(self.{self.names[i]})"
            for name, sizes in self.arriving.items():
                if sizes[:1] == (self.size,):
                    return f"len({name})"
            return self._field("n", f"len({self.names[self.axes.places[0][0]]})")
        at, what = self._input_of(shape)
        if at is None:
            return None
        name = self.names[at]
        if name in self.kept:
            return f"self.{name}.{what}"
        return self._field(what if at == 0 else f"{name}_{what}", f"{name}.{what}")

    def _field(self, name: str, value: str) -> str:
        self.fields[name] = value
        return f"self.{name}"

    def _input_of(self, asked: tuple[Any, Any]) -> tuple[int | None, str]:
        """The input of these shapes, or of these numbers of elements in several axes."""
        for i, pair in enumerate(zip(*self.shapes, strict=True)):
            if len(pair[0]) > 1:
                if pair == asked:
                    return i, "shape"
                if (prod(pair[0]), prod(pair[1])) == asked:
                    return i, "size"
        return None, ""

    def stored(self) -> list[Statement]:
        """What forward stores for backward."""
        return [Statement(f"self.{name}", value) for name, value in self.fields.items()]


Asked = Callable[[tuple[Any, Any] | None], str | None]


def _statements(
    ones: Sequence[Statement], others: Sequence[Statement], sizes: tuple[int, int], ask: Asked
) -> list[Statement]:
    if [s.target for s in ones] != [s.target for s in others]:
        raise Differ
    return [
        replace(a, expression=_expression(a.expression, b.expression, sizes, ask))
        for a, b in zip(ones, others, strict=True)
    ]


def _expression(one: str, other: str, sizes: tuple[int, int], ask: Asked) -> str:
    if one == other:
        return one
    trees = (ast.parse(text, mode="eval").body for text in (one, other))
    return ast.unparse(_Overlay(sizes, ask).of(*trees))


class _Overlay:
    def __init__(self, sizes: tuple[int, int], ask: Asked) -> None:
        self.sizes, self.ask = sizes, ask

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
            if len(fixed) == 1 and len(shape.elts) > 1 and shape.elts[fixed[0]].value > 1:  # type: ignore[attr-defined]  # it is a Constant
                shape.elts[fixed[0]] = ast.Constant(-1)
        return made

    def _shape(self, a: ast.Tuple, b: ast.Tuple) -> Any:
        values = [
            tuple(n.value for n in tree.elts if isinstance(n, ast.Constant)) for tree in (a, b)
        ]
        if values[0] == values[1] or any(len(v) != len(t.elts) for v, t in zip(values, (a, b))):
            return None
        text = self.ask((values[0], values[1]))
        return None if text is None else ast.parse(text, mode="eval").body

    def _size(self, a: ast.Constant, b: ast.Constant) -> Any:
        """A number that is the size to some power, times the same number in both."""
        one, other = a.value, b.value
        if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (one, other)):
            raise Differ
        whole = self.ask((one, other))
        if whole is not None:
            return ast.parse(whole, mode="eval").body
        for power in range(1, _POWERS + 1):
            factors = [v / n**power for v, n in zip((one, other), self.sizes, strict=True)]
            if factors[0] == factors[1]:
                return self._product(factors[0], power)
        raise Differ

    def _product(self, factor: float, power: int) -> Any:
        text = self.ask(None) or ""
        text = text if power == 1 else f"{text} ** {power}"
        if factor != 1:
            text = f"{int(factor) if factor == int(factor) else factor} * {text}"
        return ast.parse(text, mode="eval").body
