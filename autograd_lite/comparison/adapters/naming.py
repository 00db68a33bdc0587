"""What a function's own code calls the values that it returns: `return loss, dW, db`.

Knows: the last `return` of a function, the name that each of its values is written with, and that
gradients among them are told apart by these names where their order tells nothing.
Does not know: conventions, tensors.
Imports: its neighbours.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Collection, Sequence
from typing import Any

from autograd_lite.comparison.adapters.matching import is_gradient_of
from autograd_lite.comparison.adapters.words import is_flow

__all__ = ["by_returned_names", "gives_gradient_of", "own_parts", "returned_names"]


def gives_gradient_of(function: Callable[..., Any], known: Collection[str]) -> bool:
    """Whether a function returns a value, and after it gradients that `known` names have."""
    return bool(_meant(returned_names(function)[1:], known))


def by_returned_names(
    names: Sequence[str], values: Sequence[Any], known: Collection[str]
) -> dict[str, Any] | None:
    """The gradients that were returned, by the names that the code has for them.

    None where they do not tell of which `known` name each is, or two have one name.
    """
    gradients = [name for name in names if is_flow(name)]
    if len(names) != len(values) or len(set(gradients)) < len(gradients):
        return None
    if not _meant(names, known):
        return None
    return {name: value for name, value in zip(names, values, strict=True) if is_flow(name)}


def _meant(names: Sequence[str], known: Collection[str]) -> bool:
    """Whether there are gradients among the names, and each is of something known."""
    gradients = [name for name in names if is_flow(name)]
    return bool(gradients) and all(any(is_gradient_of(g, k) for k in known) for g in gradients)


def returned_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the values of its last `return`; empty where there is no source.

    A value that is computed there is called by the gradient in it: `dW / m` is `dW`.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # there is no source
        return ()
    returns = [p for p in own_parts(tree.body[0]) if isinstance(p, ast.Return)]
    value = max(returns, key=lambda r: r.lineno).value if returns else None
    if value is None:
        return ()
    return tuple(map(_name, value.elts)) if isinstance(value, ast.Tuple) else (_name(value),)


def _name(value: ast.expr) -> str:
    if isinstance(value, ast.Attribute):
        return value.attr
    names = [part.id for part in ast.walk(value) if isinstance(part, ast.Name)]
    return next(filter(is_flow, names), names[0] if names else "")


def own_parts(node: ast.AST) -> list[ast.AST]:
    """The parts of a function's code without those of the functions in it, level by level."""
    found, pending = [], list(ast.iter_child_nodes(node))
    while pending:
        part = pending.pop(0)
        found.append(part)
        if not isinstance(part, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(part)
    return found
