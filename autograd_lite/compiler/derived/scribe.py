"""Expressions of generated code: a node of a graph written as NumPy, its operands inside it.

Knows how code is put together; what an operator is called in NumPy the operator says itself.
Imports graph, notation, shapes.
"""

import ast
import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from autograd_lite.graph import Leaf, Node
from autograd_lite.notation import code, literal, subscript
from autograd_lite.shapes import Shape, broadcast_shapes

__all__ = ["expression", "is_view", "keeps_leading", "plain_operand", "tidied", "unrepeated"]

_OF_CONDITIONS = {"logical_and": "{} & {}", "add": "{} | {}", "logical_not": "~{}"}
_LONG = 12  # characters of a decimal that is looked at
_BASE = r"([A-Za-z_][\w.]*|\d+(?:\.\d+)?)"
_SIMPLE = re.compile(rf"{_BASE} \*\* (-?{_BASE})(?![\w.(\[])")
_NEGATED = re.compile(rf"(^|[(\[,=*/] ?)-({_BASE}\*\*-?{_BASE})")


def expression(node: Node, operand: Callable[[Any], str], *, bare: bool = False) -> str:
    """A node as an expression of its operands; ``bare`` without leading axes that it keeps."""
    texts = [operand(x) for x in unrepeated(node)]
    params, helper = _shown(node, bare=bare), node.op.plain
    new_axes = _new_axes(node)
    if new_axes is not None:
        return f"({texts[0]})[{subscript(new_axes)}]"
    sign = _OF_CONDITIONS.get(node.op.name)
    if sign is not None and all(_is_condition(x) for x in node.inputs):
        return sign.format(*(f"({text})" for text in texts))
    if helper is None or callable(node.op.code):
        return code(node.op, texts, params)
    keywords = [f"{name}={literal(value)}" for name, value in params.items()]
    return f"{helper.__name__}({', '.join([*texts, *keywords])})"


def _is_condition(x: Any) -> bool:
    return getattr(x, "dtype", None) == np.bool_


def plain_operand(x: Any) -> str:
    """A number as code."""
    value = x.item() if isinstance(x, (np.ndarray, np.generic)) else x
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e6:
        value = int(value)
    return (_root(value) if isinstance(value, float) else None) or literal(value)


def _root(value: float) -> str | None:
    """A long decimal as what it is up to rounding: a fraction, or the root of one (or over π)."""
    if len(repr(value)) < _LONG or not 1e-3 < abs(value) < 1e3:
        return None
    simple = Fraction(value).limit_denominator(20)
    if math.isclose(simple, value, rel_tol=4e-16):
        short = f"{value:.12g}"
        return short if len(short) < _LONG else f"{simple.numerator} / {simple.denominator}"
    for factor, under in ((1.0, ""), (math.pi, "math.pi")):
        square = Fraction(value * value * factor).limit_denominator(50)
        if square and math.isclose(math.sqrt(square / factor), abs(value), rel_tol=4e-16):
            parts = [str(square.denominator)] * (square.denominator != 1) + [under] * bool(under)
            below = f" / ({' * '.join(parts)})" if parts else ""
            return f"{'-' if value < 0 else ''}math.sqrt({square.numerator}{below})"
    return None


def unrepeated(node: Node) -> list[Any]:
    """The operands of a node, without repetitions that NumPy's own broadcasting makes."""
    inputs = list(node.inputs)
    if node.op.kind != "pointwise":
        return inputs
    for i, x in enumerate(inputs):
        source = _repeated(x)
        if source is not None:
            tried = [*inputs[:i], source, *inputs[i + 1 :]]
            if broadcast_shapes(*map(_shape, tried)) == node.shape:
                inputs = tried
    return inputs


def _repeated(x: Any) -> Node | None:
    """What a repetition repeats."""
    if not isinstance(x, Node) or isinstance(x, Leaf) or x.op.name != "broadcast_to":
        return None
    source = x.inputs[0]
    return source if isinstance(source, Node) else None


def _shape(x: Any) -> Shape:
    return x.shape if isinstance(x, Node) else np.shape(x)


def is_view(node: Node) -> bool:
    """Whether it is the same elements seen otherwise, made again where they are read."""
    return node.op.name in ("permute_dims", "broadcast_to") or _new_axes(node) is not None


def _new_axes(node: Node) -> list[Any] | None:
    """Of a reshape that only adds axes of size 1, or drops such, the index that does the same."""
    if node.op.name == "getitem" and len(node.inputs) == 1 and isinstance(node.inputs[0], Node):
        parts = list(node.params["index"])
        return parts if all(map(_is_whole, parts)) else None
    if node.op.name != "reshape" or not isinstance(node.inputs[0], Node):
        return None
    old, new = node.inputs[0].shape, node.shape
    if not old or not new or [n for n in old if n != 1] != [n for n in new if n != 1]:
        return None
    index: list[Any] = []
    left = list(old)
    for n in new:
        while left and left[0] == 1 and n != 1:
            index.append(left.pop(0) and 0)
        index.append(slice(None) if left and left[0] == n else None)
        left = left[1:] if index[-1] is not None else left
    index += [0] * len(left)
    while index and index[-1] == slice(None):
        index.pop()
    return index or None


def keeps_leading(node: Node) -> bool:
    """Whether it is a reduction that keeps axes of size 1, all of them ahead of any other.

    What it is then read by on elements alone does not need them.
    """
    axis = node.params.get("axis")
    return bool(
        node.params.get("keepdims") and set(node.params) == {"axis", "keepdims"}
        and isinstance(axis, tuple) and sorted(axis) == list(range(len(axis)))
    )  # fmt: skip


def _is_whole(part: Any) -> bool:
    """Whether a part of an index takes all of an axis, or adds one."""
    return part is None or (isinstance(part, slice) and part == slice(None))


def _shown(node: Node, *, bare: bool) -> Mapping[str, Any]:
    """The parameters as one writes them: no axes where all are meant."""
    params = dict(node.params)
    if bare and keeps_leading(node):
        params["keepdims"] = False
        if len(params["axis"]) == len(node.shape):
            params["axis"] = None
    if "index" in params:
        params["index"] = tuple(map(_counting, params["index"]))
    axis = params.get("axis")
    if isinstance(axis, tuple) and not callable(node.op.code):
        if node.shape == () and not params.get("keepdims"):
            params["axis"] = None
        elif len(axis) == 1:
            params["axis"] = axis[0]
    return params


def _counting(part: Any) -> Any:
    """An array of an index as code if it is 0, 1, 2, …; anything else as it is."""
    counts = isinstance(part, np.ndarray) and part.ndim == 1 and len(part) > 2
    if counts and part.dtype.kind in "iu" and np.array_equal(part, np.arange(len(part))):
        return f"np.arange({len(part)})"
    return part


def tidied(expression: str) -> str:
    """An expression with no more parentheses than it needs, powers of simple operands tight.

    >>> tidied("((x) ** (2)) * (y)"), tidied("x.reshape((2, 3))")
    ('x**2 * y', 'x.reshape(2, 3)')
    """
    tree = _Spread().visit(ast.parse(expression, mode="eval"))
    bare = isinstance(tree.body, ast.Tuple) and bool(tree.body.elts)
    text = ast.unparse(tree)
    return _NEGATED.sub(r"\1-(\2)", _SIMPLE.sub(r"\1**\2", text[1:-1] if bare else text))


class _Spread(ast.NodeTransformer):
    """Shapes as separate arguments of ``reshape`` and ``transpose``; slices from the start."""

    def visit_Slice(self, node: ast.Slice) -> ast.Slice:
        self.generic_visit(node)
        first = isinstance(node.lower, ast.Constant) and node.lower.value == 0
        return ast.Slice(None, node.upper, node.step) if first else node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        moves = isinstance(node.func, ast.Attribute) and node.func.attr in ("reshape", "transpose")
        if moves and len(node.args) == 1 and isinstance(node.args[0], ast.Tuple):
            node.args = node.args[0].elts or node.args
        return node
