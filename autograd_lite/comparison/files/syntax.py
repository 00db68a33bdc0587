"""What the code of a definition tells without being run, and names that go together.

Knows: methods that do nothing yet, functions that return a gradient, what a backward pass may be
called.
Does not know: values, conventions beyond their names.
Imports: adapters, the vocabulary.
"""

from __future__ import annotations

import ast
import inspect
import re

from autograd_lite.comparison.adapters.classes import ForwardBackward, methods_of
from autograd_lite.comparison.adapters.naming import own_parts
from autograd_lite.comparison.files.vocabulary import is_loss

__all__ = [
    "gives_gradient", "has_stub", "is_abstract", "is_index", "makes_diagonal", "partners",
    "unpacked",
]  # fmt: skip


def is_abstract(kind: type, node: ast.AST) -> bool:
    """Whether forward or backward of a class do nothing yet."""
    if inspect.isabstract(kind):
        return True
    methods = {m.name: m for m in getattr(node, "body", []) if isinstance(m, ast.FunctionDef)}
    names = {methods_of(kind)[0]} if ForwardBackward().fits(kind) else set()
    return any(_does_nothing(methods[n]) for n in names & set(methods))


def has_stub(node: ast.AST) -> bool:
    """Whether a class has a method that does nothing yet."""
    methods = [m for m in getattr(node, "body", []) if isinstance(m, ast.FunctionDef)]
    return any(_does_nothing(m) for m in methods if not m.name.startswith("__"))


def _does_nothing(method: ast.FunctionDef) -> bool:
    for statement in method.body:
        if isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        ends = isinstance(statement, ast.Raise | ast.Return)
        if ends and "NotImplemented" in ast.unparse(statement):
            continue
        return False
    return True


def gives_gradient(node: ast.AST) -> bool:
    """Whether a function returns a loss, and after it gradients, by their names."""
    returns = [part for part in own_parts(node) if isinstance(part, ast.Return)]
    for found in reversed(returns):
        if isinstance(found.value, ast.Tuple) and len(found.value.elts) >= 2:
            parts = [ast.unparse(e) for e in found.value.elts]
            if re.fullmatch("grad(s|ients?)?", parts[0]) and is_loss(parts[1]):
                return True
            rest = parts[1:]
            if is_loss(getattr(node, "name", "")):
                return True
            value = ast.unparse(found.value.elts[0])
            return is_loss(value) and any(re.search(r"\bd[A-Za-z_]|grad", t) for t in rest)
    return False


def is_index(node: ast.AST | None, name: str) -> bool:
    """Whether code reads arrays at an argument, or at one of its elements: `p[range(n), y]`."""
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Subscript):
            places = part.slice.elts if isinstance(part.slice, ast.Tuple) else [part.slice]
            elements = [p.value if isinstance(p, ast.Subscript) else p for p in places]
            if any(isinstance(e, ast.Name) and e.id == name for e in elements):
                return True
    return False


def makes_diagonal(node: ast.AST | None) -> bool:
    """Whether code makes a matrix of a vector, as the Jacobian of one sample: `np.diag(s)`."""
    parts = ast.walk(node) if node is not None else ()
    return any(isinstance(part, ast.Attribute) and part.attr == "diag" for part in parts)


def unpacked(node: ast.AST | None, name: str) -> tuple[str, ...]:
    """The names by which code takes `*name` apart: `x, t = inputs`; nothing where it does not."""
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Assign) and ast.unparse(part.value) == name:
            target = part.targets[0]
            if isinstance(target, ast.Tuple):
                return tuple(ast.unparse(one).rpartition(".")[2] for one in target.elts)
    return ()


def partners(name: str) -> list[str]:
    """What the backward function or the derivative of a function may be called.

    >>> partners("affine_forward")[0], "relu_prime" in partners("relu")
    ('affine_backward', True)
    """
    found = []
    for word, other in (
        ("cost", "gradient"), ("cost", "grad"), ("loss", "gradient"), ("loss", "grad"),
        ("forward", "backward"), ("fwd", "bwd"), ("fprop", "bprop"), ("Forward", "Backward"),
        ("feedforward", "backprop"), ("forward_prop", "back_prop"), ("forward", "backprop"),
    ):  # fmt: skip
        if word in name:
            found.append(name.replace(word, other))
    endings = (
        "_backward", "_grad", "_vjp", "_gradient", "_derivative", "_prime", "_deriv", "_back",
        "_bwd", "_der", "_diff", "Grad", "Prime", "Derivative",
    )  # fmt: skip
    found += [name + ending for ending in endings]
    starts = (
        "d_", "d", "grad_", "deriv_", "derivative_", "derivative_of_", "backward_", "gradient_",
        "der_", "deriv", "prime_", "diff_",
    )  # fmt: skip
    return [*found, *(start + name for start in starts)]
