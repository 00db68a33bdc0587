"""`autograd-lite derive`: the gradient of a function, a layer or an expression as a NumPy class.

Knows: the notation of expressions, and that a file is run for what it holds.
Does not know: how a gradient is written.
Imports: lower floors.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import operator
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.compiler import derive
from autograd_lite.errors import DeriveError
from autograd_lite.graph import visible
from autograd_lite.rules import FUNCTIONS

__all__ = ["add"]

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: operator.pow, ast.MatMult: operator.matmul,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


_PLACED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def add(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    about = "write the gradient of a function or expression as a NumPy class"
    parser = commands.add_parser("derive", help=about, description=f"{about}. A file is run.")
    parser.add_argument(
        "target", metavar="FILE.py::NAME|EXPRESSION",
        help='a function or layer that the file makes, or "1 / (1 + exp(-x))"',
    )  # fmt: skip
    parser.add_argument(
        "--shape", action="append", default=[], metavar="[NAME=]4,3",
        help="of an argument, in their order or by name (4,3)",
    )  # fmt: skip
    parser.add_argument("--name", help="of the class")
    parser.add_argument("--explain", action="store_true", help="say how it was found")
    parser.add_argument("--latex", action="store_true", help="the same as LaTeX")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    file, _, name = options.target.rpartition(":")
    file = file.removesuffix(":")
    f, count, names = _made(file, name) if file else _expression(options.target)
    shapes = _shapes(options.shape, names, count)
    rng = np.random.default_rng(0)
    title = options.name or (None if file else "Derived")
    derived = derive(f, *(rng.normal(size=shape) for shape in shapes), name=title)
    if options.explain or options.latex:
        print(derived.latex if options.latex else derived.explanation)
    else:
        print(derived.source, end="")
    return 0


def _shapes(given: list[str], names: list[str], count: int) -> list[tuple[int, ...]]:
    """A shape for each argument: the named ones, then the others in order; (4, 3) by default."""
    found: dict[str, tuple[int, ...]] = {}
    free = [name for name in names if not any(text.startswith(f"{name}=") for text in given)]
    for text in given:
        name, equals, sizes = text.rpartition("=")
        try:
            shape = tuple(int(n) for n in sizes.split(",") if n.strip())
        except ValueError:
            raise DeriveError(f"{visible(text)} is no shape", mend="write 4,3 or x=4,3") from None
        if not equals:
            if not free:
                raise DeriveError(f"more shapes than arguments ({', '.join(names)})")
            name = free.pop(0)
        found[name] = shape
    unknown = set(found) - set(names)
    if unknown:
        raise DeriveError(f"there is no argument {visible(unknown.pop())}")
    return [found.get(name, (4, 3)) for name in names[:count]]


def _made(file: str, name: str) -> tuple[Any, int, list[str]]:
    """The function or layer of a name in a file, which is run for it."""
    if not Path(file).is_file():
        raise DeriveError(f"there is no file {visible(file)}", mend="write FILE.py::NAME")
    try:
        found = runpy.run_path(file, run_name="__derive__")
    except Exception as error:
        raise DeriveError(
            f"{visible(file)} failed: {type(error).__name__}: {visible(str(error), 200)}",
            mend="mend it until python runs it",
        ) from error
    f = found.get(name)
    forward = getattr(f, "forward", f)
    if not callable(forward):
        raise DeriveError(f"{visible(file)} makes no function or layer called {visible(name)}")
    names = [p.name for p in inspect.signature(forward).parameters.values() if p.kind in _PLACED]
    names = names[1:] if inspect.isclass(f) and forward is not f else names
    return f, len(names), names


def _expression(text: str) -> tuple[Callable[..., Any], int, list[str]]:
    """A function of the free names in an expression of ``ag`` functions and operators."""
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        raise DeriveError(f"{visible(text)} is neither an expression nor FILE.py::NAME") from None
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    free = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in called]
    names = list(dict.fromkeys(n.id for n in sorted(free, key=lambda n: n.col_offset)))

    if not names:
        raise DeriveError(f"{visible(text)} has no variable", mend='write "x * exp(-x)", say')

    def f(*arrays: Any) -> Any:
        return _value(tree, dict(zip(names, arrays, strict=True)))

    kind = inspect.Parameter.POSITIONAL_ONLY
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    setattr(f, "__signature__", signature)  # noqa: B010  # a function takes no such assignment
    return f, len(names), names


def _value(tree: ast.AST, given: dict[str, Any]) -> Any:
    """An expression computed: numbers, names, operators and functions, and nothing else."""
    match tree:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.Name(id=name) if name in given:
            return given[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, given), _value(right, given))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(operand, given))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in FUNCTIONS:
            options = {str(k.arg): _option(k.value) for k in keywords}
            return FUNCTIONS[name](*(_value(arg, given) for arg in args), **options)
    raise DeriveError(
        f"{visible(ast.unparse(tree))} cannot stand in an expression",
        mend="numbers, names, + - * / ** @, and functions of ag: exp, sum, maximum, …",
    )


def _option(tree: ast.AST) -> Any:
    """The value of a keyword: a literal."""
    try:
        return ast.literal_eval(tree)
    except ValueError:
        raise DeriveError(f"{visible(ast.unparse(tree))} is no plain value") from None
