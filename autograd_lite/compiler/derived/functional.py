"""The two passes as functions of names, without an object: what styles for other systems read.

Knows statements; neither operators nor any other system. Imports program and written.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from autograd_lite.compiler.derived.program import Statement
from autograd_lite.compiler.derived.written import Written

__all__ = ["Functional", "Line", "functional"]


@dataclass(frozen=True)
class Line:
    """``target = expression``, and the statement that it comes from."""

    target: str
    expression: ast.expr
    statement: Statement

    @property
    def boolean(self) -> bool:
        """Whether it makes an array of conditions."""
        return bool(self.statement.nodes) and self.statement.nodes[0].dtype == bool


@dataclass(frozen=True)
class Functional:
    """Both passes: lines, what forward returns, and the gradient of each argument.

    ``arguments`` are the inputs, then what an object would hold; a gradient is None where an
    argument has none. ``kept`` are arrays, ``fields`` sizes and shapes that backward reads of the
    forward pass.
    """

    arguments: tuple[str, ...]
    arriving: tuple[str, ...]
    forward: tuple[Line, ...]
    results: tuple[ast.expr, ...]
    backward: tuple[Line, ...]
    gradients: tuple[ast.expr | None, ...]
    kept: tuple[str, ...]
    fields: tuple[str, ...]


def functional(written: Written) -> Functional:
    """Both passes of what was written."""
    forward, results = _body(written.passes.forward)
    backward, returned = _body(written.passes.backward)
    own = dict(zip((written.inputs[i] for i in written.wanted), returned, strict=True))
    own |= {name: ast.Name(f"d{name}") for name in written.parameters}
    arguments = (*written.inputs, *written.held)
    read = _read(written.passes.backward)
    sizes = {line.target for line in forward if not line.statement.nodes}
    return Functional(
        arguments, tuple(written.arriving), tuple(forward), tuple(results), tuple(backward),
        tuple(own.get(name) for name in arguments),
        tuple(name for name in read if name not in sizes),
        tuple(name for name in read if name in sizes),
    )  # fmt: skip


def _body(statements: Sequence[Statement]) -> tuple[list[Line], list[ast.expr]]:
    """The lines, and what is returned."""
    lines: list[Line] = []
    returned: list[ast.expr] = []
    for statement in statements:
        target, made = statement.target.removeprefix("self."), _bare(statement.expression)
        if not target:
            returned = made.elts if isinstance(made, ast.Tuple) else [made]
        elif ast.unparse(made) != target:
            lines.append(Line(target, made, statement))
    return lines, returned


def _bare(expression: str) -> ast.expr:
    """An expression that reads names where the object's attributes stood."""
    tree = _Bare().visit(ast.parse(expression, mode="eval"))
    return tree.body  # type: ignore[no-any-return]  # it was parsed as an expression


class _Bare(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        held = isinstance(node.value, ast.Name) and node.value.id == "self"
        return ast.Name(node.attr) if held else node


def _read(statements: Sequence[Statement]) -> list[str]:
    """The attributes that statements read, but for the gradients that they store."""
    made = {s.target.removeprefix("self.") for s in statements}
    found: dict[str, None] = {}
    for statement in statements:
        for node in ast.walk(ast.parse(statement.expression, mode="eval")):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
                found.setdefault(node.attr)
    return [name for name in found if name not in made]
