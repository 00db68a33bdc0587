"""Derived passes as a ``torch.autograd.Function``. Knows what PyTorch calls NumPy's functions.

Imports errors, functional and the layout of classes.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

from autograd_lite.compiler.derived.classes import docstring, remark, wrapped
from autograd_lite.compiler.derived.functional import Functional, functional
from autograd_lite.compiler.derived.scribe import tidied
from autograd_lite.compiler.derived.written import Written
from autograd_lite.errors import DeriveError

__all__ = ["torch_text"]

_SAME = {
    "abs", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "broadcast_to", "ceil", "cos", "cosh", "cumsum", "cumprod", "einsum", "exp", "exp2", "expm1",
    "floor", "hypot", "isfinite", "isinf", "isnan", "log", "log10", "log1p", "log2", "logaddexp",
    "matmul", "maximum", "mean", "minimum", "outer", "power", "prod", "round", "sign", "sin",
    "sinc", "sinh", "sqrt", "square", "sum", "tan", "tanh", "tril", "triu", "where",
}  # fmt: skip
_OTHER = {"max": "amax", "min": "amin", "concatenate": "cat", "flip": "flip", "stack": "stack",
          "sigmoid": "sigmoid", "softmax": "softmax", "log_softmax": "log_softmax",
          "logsumexp": "logsumexp", "array": "tensor"}  # fmt: skip
_SPECIAL = {"erf", "erfc", "erfinv", "gammaln", "digamma", "i0", "i1", "log_ndtr", "ndtr"}
_KEYWORDS = {"axis": "dim", "keepdims": "keepdim"}
_MODULES = re.compile(r"(np|scipy|math)(\.\w+)+")
_LIMITS = {"maximum": "min", "minimum": "max"}  # of clamp
_SCATTER = '''def scatter(g, index, shape):
    """Zeros with g added at the index."""
    total = torch.zeros(shape, dtype=g.dtype, device=g.device)
    places = torch.arange(total.numel(), device=g.device).reshape(shape)[index]
    return total.view(-1).index_add(0, places.reshape(-1), g.reshape(-1)).view(shape)'''


def torch_text(name: str, doc: Sequence[str], written: Written) -> str:
    """The source of the class.

    Raises:
        DeriveError: the code calls what PyTorch has nothing alike for.
    """
    made = functional(written)
    speaker = _Speaker({line.target for line in made.forward if line.boolean})
    lines = [f"class {name}(torch.autograd.Function):", *docstring(doc), ""]
    lines += ["    @staticmethod", f"    def forward(ctx, {', '.join(made.arguments)}):"]
    lines += [f"        {line}" for line in _forward(made, speaker)]
    # what forward kept has no history: a second derivative would be wrong without a word
    once = "    @torch.autograd.function.once_differentiable"
    lines += ["", "    @staticmethod", once, f"    def backward(ctx, {', '.join(made.arriving)}):"]
    lines += _backward(made, speaker, written)
    helpers = [_SCATTER] if speaker.scatters else []
    text = [line for one in lines for line in wrapped(one)]
    head = "import math\n\nimport torch" if any("math." in one for one in lines) else "import torch"
    whole = "\n\n\n".join([head, *helpers, "\n".join(text)]) + "\n"
    return re.sub(r"\bnp\.", "torch.", whole)  # what is left of NumPy stands in remarks


def _forward(made: Functional, speaker: "_Speaker") -> Iterator[str]:
    speaker.floating = made.arguments[0]
    for line in made.forward:
        if line.target in made.fields:
            yield f"ctx.{line.target} = {speaker.said(line.expression)}"
        else:
            yield f"{line.target} = {speaker.said(line.expression)}"
    if made.kept:
        yield f"ctx.save_for_backward({', '.join(made.kept)})"
    yield f"return {', '.join(map(speaker.said, made.results))}"


def _backward(made: Functional, speaker: "_Speaker", written: Written) -> Iterator[str]:
    speaker.fields, speaker.floating = set(made.fields), made.arriving[0]
    if made.kept:
        left = f"({made.kept[0]},)" if len(made.kept) == 1 else ", ".join(made.kept)
        yield f"        {left} = ctx.saved_tensors"
    told = written.passes.backward
    for line in made.backward:
        yield from remark(line.statement, written)
        yield f"        {line.target} = {speaker.said(line.expression)}"
    if told and not told[-1].target:
        yield from remark(told[-1], written)
    given = ["None" if one is None else speaker.said(one) for one in made.gradients]
    yield f"        return {', '.join(given)}"


class _Speaker(ast.NodeTransformer):
    """Expressions of NumPy in PyTorch's words."""

    def __init__(self, booleans: set[str]) -> None:
        self.booleans, self.fields, self.scatters = booleans, set[str](), False
        self.floating = ""  # the name of an array that has the dtype of the numbers

    def said(self, tree: ast.expr) -> str:
        """The expression in PyTorch's words."""
        again = ast.parse(ast.unparse(tree), mode="eval")
        return tidied(ast.unparse(ast.fix_missing_locations(self.visit(again))))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.fields:
            return ast.Attribute(ast.Name("ctx"), node.id)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Conditions are added and subtracted as numbers."""
        self.generic_visit(node)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            node.left, node.right = self._number(node.left), self._number(node.right)
        return node

    def _number(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name) and node.id in self.booleans:
            return ast.parse(f"{node.id}.to({self.floating}.dtype)", mode="eval").body
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """``x.size`` is a method there."""
        self.generic_visit(node)
        if node.attr == "size":
            return ast.Call(ast.Attribute(node.value, "numel"), [], [])
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """``np.s_[…]`` as the tuple that it makes."""
        whole = ast.unparse(node.value) == "np.s_"
        self.generic_visit(node)
        if not whole:
            return node
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return ast.Tuple([_as_value(part) for part in parts])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = ast.unparse(node.func)
        if isinstance(node.func, ast.Attribute) and not _MODULES.fullmatch(name):
            node.func.attr = {"transpose": "permute"}.get(node.func.attr, node.func.attr)
            self.generic_visit(node)
            return node
        self.generic_visit(node)
        for keyword in node.keywords:
            keyword.arg = _KEYWORDS.get(keyword.arg or "", keyword.arg)
        word = name.removeprefix("np.")
        if word == "flip" and len(node.args) > 1:
            node.args[1] = ast.Tuple([node.args[1]])
        if word in _LIMITS and any(isinstance(arg, ast.Constant) for arg in node.args):
            return _clamped(node, _LIMITS[word])
        node.func = ast.parse(self._called(name), mode="eval").body
        return node

    def _called(self, name: str) -> str:
        word = name.removeprefix("np.")
        if name.startswith("math."):
            return name
        special = name.removeprefix("scipy.special.")
        self.scatters |= word == "scatter"
        if word in ("len", "scatter"):
            return word
        if special in _SPECIAL and special != name:
            return f"torch.special.{special}"
        if word in _SAME or word in _OTHER:
            return f"torch.{_OTHER.get(word, word)}"
        raise DeriveError(
            f"{name} has no equal in PyTorch that a derived class could call",
            mend='leave out backend="torch", or derive the part of the function without it',
        )


def _clamped(node: ast.Call, limit: str) -> ast.Call:
    """The larger or smaller of an array and a number."""
    array, number = sorted(node.args, key=lambda arg: isinstance(arg, ast.Constant))
    return ast.Call(ast.parse("torch.clamp", mode="eval").body, [array],
                    [ast.keyword(limit, number)])  # fmt: skip


def _as_value(part: Any) -> ast.expr:
    """A part of an index as a value: a slice as a call."""
    if not isinstance(part, ast.Slice):
        return part  # type: ignore[no-any-return]  # an expression
    ends = [end or ast.Constant(None) for end in (part.lower, part.upper)]
    return ast.Call(ast.Name("slice"), [*ends, *([part.step] if part.step else [])], [])
