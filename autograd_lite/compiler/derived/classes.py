"""A NumPy class as text: constructor, forward, backward. Knows Python's layout; no operator.

Imports program, scribe, written.
"""

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.compiler.derived.program import Statement
from autograd_lite.compiler.derived.scribe import tidied
from autograd_lite.compiler.derived.written import Written
from autograd_lite.errors import DeriveError
from autograd_lite.ops import plain
from autograd_lite.rules import OPS

__all__ = ["class_text", "docstring", "remark", "wrapped"]


_WIDE = 100  # characters of a line
_REMARK = 68  # characters of a formula in a remark


def class_text(name: str, doc: Sequence[str], written: Written) -> str:
    """The class; the gradient of an only output that is a number is 1 by default."""
    lines = [f"class {name}:", *docstring(doc)]
    if written.held:
        lines += ["", f"    def __init__(self, {', '.join(written.held)}):"]
        lines += [f"        self.{one} = {one}" for one in written.held]
    lines += ["", f"    def forward(self, {', '.join(written.inputs)}):"]
    lines += _body(written.passes.forward, written)
    loss = tuple(written.arriving.values()) == ((),)
    arriving = "dout=1.0" if loss else ", ".join(written.arriving)
    lines += ["", f"    def backward(self, {arriving}):"]
    lines += _body(written.passes.backward, written)
    text = "\n".join(lines)
    imports, helpers = _needed(text)
    return (
        "\n\n\n".join(["\n".join(imports), *(inspect.getsource(f).rstrip() for f in helpers), text])
        + "\n"
    )


def _needed(text: str) -> tuple[list[str], list[Callable[..., Any]]]:
    """The modules and helpers that code calls.

    Raises:
        DeriveError: it calls an operator for which there is no NumPy code.
    """
    tree = ast.parse(text)
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call)
              and isinstance(n.func, ast.Name)}  # fmt: skip
    found: list[str] = []
    pending = [name for name in plain.__all__ if name in called]
    while pending:
        name = pending.pop()
        if name not in found:
            found.append(name)
            pending += [n for n in getattr(plain, name).__code__.co_names if n in plain.__all__]
    for name in sorted(called - set(found) - {"len"}):
        source = OPS[name].source if name in OPS else None
        raise DeriveError(
            f"the operator {name} has no NumPy code that a class could carry",
            where=f"declared at {source}" if source else "",
            mend="derive the part of the function without it",
        )
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    modules = [*["import math", ""] * ("math" in read), "import numpy as np"]
    return [*modules, *["import scipy.special"] * ("scipy" in read)], [
        getattr(plain, name) for name in found
    ]


def docstring(doc: Sequence[str]) -> list[str]:
    """The documentation of a class as lines of it."""
    if len(doc) == 1:
        return [f'    """{doc[0]}"""']
    return [f'    """{doc[0]}', *(f"    {line}".rstrip() for line in doc[1:]), '    """']


def _body(statements: Sequence[Statement], written: Written) -> list[str]:
    lines: list[str] = []
    for statement in statements:
        if statement.through:
            steps = [
                _told(written.passes.forward[k], written.outputs[0]) for k in statement.through
            ]
            while len(text := f"        # through {'; '.join(steps)}") > _WIDE:
                steps.pop()
            lines.append(text)
        start = f"{statement.target} = " if statement.target else "return "
        lines += wrapped(f"        {start}{tidied(statement.expression)}")
    return lines


def remark(statement: Statement, written: Written) -> list[str]:
    """The comment that names the step of the chain rule, if there is one."""
    if not statement.through:
        return []
    steps = [_told(written.passes.forward[k], written.outputs[0]) for k in statement.through]
    while len(text := f"        # through {'; '.join(steps)}") > _WIDE:
        steps.pop()
    return [text]


def wrapped(line: str) -> list[str]:
    """A line that is too long, broken at its last call or tuple as formatters do."""
    if len(line) <= _WIDE:
        return [line]
    margin = line[: len(line) - len(line.lstrip())]
    start, inner, end = _outermost(line)
    if not inner:
        return [line]
    together = f"{margin}    {', '.join(inner)}"
    if len(together) <= _WIDE or len(inner) == 1:
        return [start, together, f"{margin}{end}"]
    return [start, *(f"{margin}    {one}," for one in inner), f"{margin}{end}"]


def _outermost(line: str) -> tuple[str, list[str], str]:
    """A line cut at the brackets that hold most of it, and what stands between their commas."""
    best: tuple[int, int] = (0, 0)
    stack: list[int] = []
    for k, ch in enumerate(line):
        if ch in "([{":
            stack.append(k)
        elif ch in ")]}":
            begin = stack.pop()
            if not stack and k - begin > best[1] - best[0]:
                best = (begin, k)
    begin, stop = best
    inner, depth, last = [], 0, begin + 1
    for k in range(begin + 1, stop):
        depth += (line[k] in "([{") - (line[k] in ")]}")
        if line[k] == "," and not depth:
            inner.append(line[last:k].strip())
            last = k + 1
    inner.append(line[last:stop].strip())
    return line[: begin + 1], [one for one in inner if one] if stop else [], line[stop:]


def _told(statement: Statement, output: str) -> str:
    """A statement of the forward pass in a remark."""
    target = statement.target.removeprefix("self.") or output
    whole = f"{target} = {tidied(statement.expression).replace('self.', '')}"
    return whole if len(whole) <= _REMARK else target
