"""Small mistakes as edits of a syntax tree: each is one declaration, with the causes it expects.

An edit is a function of one node of a backward (or forward) method that yields what may take its
place; `mistake` makes a mutation operator of it.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Context:
    """What an edit may know beside the node."""

    method: str
    cotangents: tuple[str, ...]
    attributes: tuple[str, ...]
    gradients: bool  # whether the node is the value of a gradient: returned, or left in `self.d…`

    @property
    def flow(self) -> str:
        """The first cotangent's name; empty where none flows in."""
        return self.cotangents[0] if self.cotangents else ""


Edit = Callable[[ast.AST, Context], Iterator[ast.AST]]


@dataclass(frozen=True)
class Operator:
    """A kind of mistake: where it is made, by which edit, and how a diagnosis may call it."""

    name: str
    causes: frozenset[str]
    edit: Edit
    where: str = "backward"


OPERATORS: list[Operator] = []


def mistake(*causes: str, where: str = "backward") -> Callable[[Edit], Edit]:
    """Declare an edit as the mutation operator of its name."""

    def declare(edit: Edit) -> Edit:
        name = edit.__name__.replace("_", "-")
        OPERATORS.append(Operator(name, frozenset(causes), edit, where))
        return edit

    return declare


def expression(text: str, **parts: ast.AST) -> ast.expr:
    """The syntax tree of `text`, in which names in capitals stand for other trees."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return parts.get(node.id, node)

    return Fill().visit(ast.parse(text, mode="eval").body)


def value_of(node: ast.AST, context: Context) -> ast.expr | None:
    """The expression of a gradient, if the node is one that stands alone."""
    if context.gradients and isinstance(node, ast.expr) and not isinstance(node, ast.Tuple):
        return None if isinstance(node, ast.Constant) else node
    return None


@mistake("sign")
def negated(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if value := value_of(node, context):
        yield expression("-E", E=value)


@mistake("sign", "local derivative")
def plus_for_minus(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if is_index(node):
        return
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield ast.BinOp(node.left, other, node.right)
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield ast.AugAssign(node.target, other, node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand


@mistake("factor")
def scaled(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if value := value_of(node, context):
        for text in ("2 * E", "E / 2", f"E * len({context.flow})"):
            if not text.endswith(")") or "dout" in context.flow:
                yield expression(text, E=value)


@mistake("factor", "constant", "local derivative")
def number_changed(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and not is_index(node):
        if node.value in (2, 2.0, 0.5, 3, 0.2, 0.044715):
            yield ast.Constant(1.0)
            yield ast.Constant(2.0 * node.value)


@mistake("transposed")
def transposed(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if value := value_of(node, context):
        yield expression("(E).T", E=value)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value


@mistake("missing term")
def term_dropped(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if is_index(node):
        return
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        if not isinstance(node.left, ast.Constant) and not isinstance(node.right, ast.Constant):
            yield node.left
            yield node.right if isinstance(node.op, ast.Add) else expression("-E", E=node.right)
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
        yield ast.Pass()


@mistake("local derivative", "wrong operand", "missing term", "factor")
def factor_dropped(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if is_index(node):
        return
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield node.left
        yield node.right
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield node.left


def reduction(node: ast.AST, name: str) -> ast.expr | None:
    """What `np.sum(E, …)` or `E.sum(…)` sums."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == name:
            of_numpy = isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
            return node.args[0] if of_numpy else node.func.value
    return None


@mistake("missing sum")
def sum_forgotten(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if summed := reduction(node, "sum"):
        yield summed


@mistake("factor", "mean for sum")
def mean_for_sum(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    for name, other in (("sum", "mean"), ("mean", "sum")):
        if reduction(node, name) is not None:
            func = ast.Attribute(node.func.value, other, ast.Load())
            yield ast.Call(func, node.args, node.keywords)


@mistake("wrong axis", "missing sum")
def other_axis(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.keyword) and node.arg == "axis":
        if isinstance(node.value, ast.Tuple):
            yield ast.keyword("axis", ast.Tuple(node.value.elts[:-1], ast.Load()))
        elif ast.unparse(node.value) in ("0", "1", "-1"):
            other = {"0": "-1", "1": "0", "-1": "0"}[ast.unparse(node.value)]
            yield ast.keyword("axis", ast.parse(other, mode="eval").body)


@mistake("upstream ignored")
def upstream_ignored(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in context.cotangents:
            yield expression("np.ones_like(np.asarray(E, float))", E=node)


@mistake("local derivative", "wrong operand")
def input_for_output(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and is_self(node):
        for other in context.attributes:
            if other != node.attr and node.attr in context.attributes:
                yield ast.Attribute(node.value, other, ast.Load())


@mistake("local derivative", "missing term")
def power_lost(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield node.left
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        if isinstance(node.left, ast.Constant) and node.left.value == 1:
            yield node.right
            if isinstance(node.right, ast.Name | ast.Attribute):
                yield expression("1 - E ** 2", E=node.right)


@mistake("mask")
def other_mask(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        turned = {ast.Gt: ast.Lt(), ast.Lt: ast.Gt(), ast.GtE: ast.LtE(), ast.LtE: ast.GtE()}
        if type(node.ops[0]) in turned and not isinstance(node.left, ast.Name):
            yield ast.Compare(node.left, [turned[type(node.ops[0])]], node.comparators)
            cotangent = ast.Name(context.flow, ast.Load())
            if context.flow:
                yield ast.Compare(cotangent, node.ops, node.comparators)
            yield ast.Compare(node.left, node.ops, [ast.Constant(0.4)])
    if isinstance(node, ast.Attribute) and is_self(node) and node.attr in ("mask", "drop"):
        if isinstance(node.ctx, ast.Load):
            yield expression("~(E != 0)", E=node)


@mistake("swapped")
def swapped(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and context.flow:
        first, second, *rest = node.value.elts
        yield ast.Return(ast.Tuple([second, first, *rest], ast.Load()))
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
        targets = node.targets[0].elts
        if len(targets) == 2 and all(is_self(t) for t in targets):
            yield ast.Assign([ast.Tuple(targets[::-1], ast.Store())], node.value)


@mistake("wrong operand", "local derivative")
def other_variable(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    """A product with one operand twice; the upstream gradient for what was made of it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Mult):
        if isinstance(node.left, ast.Name | ast.Attribute) and not is_number(node.right):
            yield ast.BinOp(node.left, node.op, node.left)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id.startswith("d"):
        if context.flow and node.id not in context.cotangents and len(node.id) < 6:
            yield ast.Name(context.flow, ast.Load())


@mistake("truncation")
def truncated(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if value := value_of(node, context):
        yield expression("np.asarray(E).astype(int)", E=value)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.zeros" and not node.keywords:
        yield ast.Call(node.func, node.args, [ast.keyword("dtype", ast.Name("int", ast.Load()))])


@mistake("float32")
def single_precision(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if value := value_of(node, context):
        yield expression("np.asarray(E).astype(np.float32)", E=value)


@mistake("missing")
def forgotten(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and node.value is not None and context.flow:
        yield ast.Return(None)
    if isinstance(node, ast.Assign) and is_gradient(node.targets[0]):
        yield ast.Pass()


@mistake("exception")
def misspelt(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in context.cotangents:
            yield ast.Name(node.id + "_", ast.Load())


@mistake("in-place")
def written_into(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    g = context.flow
    if g and isinstance(node, ast.Return) and node.value is not None:
        if not isinstance(node.value, ast.Tuple | ast.Constant):
            text = f"if np.shape({g}) == np.shape(E):\n {g}[...] = E\n return {g}\nreturn E"
            yield expression_block(text, E=node.value)
    if isinstance(node, ast.Call) and ast.unparse(node) == f"{g}.copy()":
        yield ast.Name(g, ast.Load())


@mistake("alias")
def aliased(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    g = context.flow
    if g and context.gradients and ast.unparse(node) in (f"{g}.copy()", f"{g} * 1"):
        yield ast.Name(g, ast.Load())


@mistake("nan")
def divided_by_nothing(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if value := value_of(node, context):
        if not isinstance(value, ast.Name):
            yield expression("E / (0 * np.asarray(E) * 0)", E=value)


@mistake("accumulation")
def accumulated(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assign) and is_gradient(node.targets[0]):
        if isinstance(node.targets[0], ast.Attribute):
            name = node.targets[0].attr
            old = f"0 if getattr(self, {name!r}, None) is None else self.{name}"
            yield ast.Assign(node.targets, expression(f"({old}) + E", E=node.value))
        else:
            yield ast.AugAssign(node.targets[0], ast.Add(), node.value)


@mistake("missing term", "accumulation")
def assigned(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        yield ast.Assign([node.target], node.value)


@mistake("constant", "local derivative", "factor")
def constant_of_its_own(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    """Backward uses another eps, slope, margin or ddof than forward."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and is_self(node):
        if node.attr in ("eps", "alpha", "delta", "beta", "scale", "c", "p", "dropout_ratio"):
            yield expression("E * 1.5", E=node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        if ast.unparse(node) in ("n - 1", "self.n - 1"):
            yield node.left


@mistake("constant", "factor", "local derivative", where="forward")
def forward_constant(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    """Forward uses another constant than backward was derived for."""
    if isinstance(node, ast.Constant) and type(node.value) is float and not is_index(node):
        if 0 < abs(node.value) < 100:
            yield ast.Constant(node.value * 3)


@mistake("factor", "forward", where="forward")
def forward_scaled(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Return) and not isinstance(node.value, ast.Tuple):
        yield ast.Return(expression("1.5 * E", E=node.value))


@mistake("stale cache", where="forward")
def kept_from_the_first_call(node: ast.AST, context: Context) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
        key = repr("_first_" + node.targets[0].attr)
        yield ast.Assign(
            node.targets, expression(f"self.__dict__.setdefault({key}, E)", E=node.value)
        )


def expression_block(text: str, E: ast.expr) -> ast.If:
    """`if True:` around statements, in which E stands for a tree."""
    block = ast.parse("if True:\n" + "\n".join(" " + line for line in text.splitlines())).body[0]
    assert isinstance(block, ast.If)

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return copy.deepcopy(E) if node.id == "E" else node

    return Fill().visit(block)


def is_self(node: ast.AST) -> bool:
    """Whether a node is `self.something`."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant)


def is_index(node: ast.AST) -> bool:
    """Whether a constant stands where an axis, a shape or an index does; marked by `parts_of`."""
    return getattr(node, "index", False)


_GRADIENT = re.compile(r"self\.(d[A-Za-z]\w*|grad_\w+)$|self\.grads\[|^dW\[\.\.\.\]")
NO_GRADIENT = {"self.dropout_ratio", "self.drop", "self.diff", "self.d", "self.delta"}


def is_gradient(node: ast.AST) -> bool:
    """Whether what is assigned to is where a parameter's gradient is left."""
    text = ast.unparse(node)
    return bool(_GRADIENT.search(text)) and text not in NO_GRADIENT
