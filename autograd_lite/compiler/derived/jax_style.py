"""Derived passes as a function of JAX with a derivative of its own, ``jax.custom_vjp``.

Knows that ``jax.numpy`` has NumPy's names, and that arrays there do not change. Imports errors,
functional and the layout of classes.
"""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence

from autograd_lite.compiler.derived.classes import remark, wrapped
from autograd_lite.compiler.derived.functional import Functional, functional
from autograd_lite.compiler.derived.scribe import tidied
from autograd_lite.compiler.derived.written import Written
from autograd_lite.errors import DeriveError
from autograd_lite.ops import plain

__all__ = ["function_name", "jax_text"]

_KNOWN = {"sigmoid": "jax.nn.sigmoid", "softmax": "jax.nn.softmax",
          "log_softmax": "jax.nn.log_softmax"}  # fmt: skip
_HELPERS = {
    "scatter": '''def scatter(g, index, shape):
    """Zeros with g added at the index."""
    return jnp.zeros(shape, g.dtype).at[index].add(g)''',
    "untake": '''def untake(g, indices, axis, shape):
    """Zeros with g added where the indices took elements from."""
    index = (slice(None),) * axis + (indices,)
    return jnp.zeros(shape, g.dtype).at[index].add(g)''',
}
_CHANGES = re.compile(r"\.at\(|put_along_axis|\] \+?= |stride_tricks|np\.split|ndindex")


def function_name(title: str) -> str:
    """``soft_plus`` for ``SoftPlus``.

    >>> function_name("LayerNorm"), function_name("GELU")
    ('layer_norm', 'gelu')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", title).lower()


def jax_text(name: str, doc: Sequence[str], written: Written) -> str:
    """The source of the function, its two passes, and what joins them.

    Raises:
        DeriveError: the code changes arrays in place, which JAX does not.
    """
    made, own = functional(written), function_name(name)
    sizes = {line.target: line.expression for line in made.forward if line.target in made.fields}
    kept = list(dict.fromkeys([*made.kept, *(n for e in sizes.values() for n in _names(e))]))
    arguments = ", ".join(made.arguments)
    first = [f"    {line}" if line else "" for line in _doc(doc)]
    public = ["@jax.custom_vjp", f"def {own}({arguments}):", *first,
              f"    return {own}_forward({arguments})[0]"]  # fmt: skip
    forward = [f"def {own}_forward({arguments}):", *_forward(made, sizes, kept)]
    arriving = made.arriving[0] if len(made.arriving) == 1 else "arriving"
    backward = [f"def {own}_backward(kept, {arriving}):",
                *_backward(made, sizes, kept, written)]  # fmt: skip
    parts = [public, forward, backward]
    texts = ["\n".join(line for one in part for line in wrapped(one)) for part in parts]
    joined = f"{own}.defvjp({own}_forward, {own}_backward)"
    numbers = ["import math", ""] * any("math." in text for text in texts)
    head = [*numbers, "import jax", "import jax.numpy as jnp"]
    if any("jax.scipy" in text for text in texts):
        head.append("import jax.scipy.special")
    whole = "\n\n\n".join(["\n".join(head), *_helpers(texts[1:]), *texts, joined]) + "\n"
    return re.sub(r"\bnp\.", "jnp.", whole)  # what is left of NumPy stands in remarks


def _doc(doc: Sequence[str]) -> list[str]:
    return [f'"""{doc[0]}"""'] if len(doc) == 1 else [f'"""{doc[0]}', *doc[1:], '"""']


def _forward(made: Functional, sizes: Mapping[str, ast.expr], kept: Sequence[str]) -> Iterator[str]:
    for line in made.forward:
        if line.target not in sizes:
            yield f"    {line.target} = {_said(line.expression, {})}"
    results = ", ".join(_said(one, {}) for one in made.results)
    many = len(made.results) > 1
    whole = f"({', '.join(kept)}{',' * (len(kept) == 1)})"
    yield f"    return {f'({results})' if many else results}, {whole}"


def _backward(
    made: Functional, sizes: Mapping[str, ast.expr], kept: Sequence[str], written: Written
) -> Iterator[str]:
    if kept:
        yield f"    {f'({kept[0]},)' if len(kept) == 1 else ', '.join(kept)} = kept"
    if len(made.arriving) > 1:
        yield f"    {', '.join(made.arriving)} = arriving"
    for line in made.backward:
        yield from (text[4:] for text in remark(line.statement, written))
        yield f"    {line.target} = {_said(line.expression, sizes)}"
    told = written.passes.backward
    if told and not told[-1].target:
        yield from (text[4:] for text in remark(told[-1], written))
    given = ["None" if one is None else _said(one, sizes) for one in made.gradients]
    yield f"    return ({', '.join(given)}{',' * (len(given) == 1)})"


def _names(tree: ast.expr) -> list[str]:
    names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return [name for name in names if name not in ("len", "np")]


def _said(tree: ast.expr, sizes: Mapping[str, ast.expr]) -> str:
    """The expression in JAX's words, sizes put in where their names stood."""
    again = ast.parse(ast.unparse(tree), mode="eval")
    return tidied(ast.unparse(ast.fix_missing_locations(_Speaker(sizes).visit(again))))


class _Speaker(ast.NodeTransformer):
    def __init__(self, sizes: Mapping[str, ast.expr]) -> None:
        self.sizes = sizes

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = ast.unparse(node.func)
        if name in _KNOWN:
            node.func = ast.parse(_KNOWN[name], mode="eval").body
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "np":
            return ast.Name("jnp")
        if node.id == "scipy":
            return ast.parse("jax.scipy", mode="eval").body
        return self.sizes.get(node.id, node)


def _helpers(texts: Sequence[str]) -> list[str]:
    """The helpers that code calls, in JAX's words."""
    found: dict[str, str] = {}
    pending = "\n".join(texts)
    for name in plain.__all__:
        if re.search(rf"(?<![\w.]){name}\(", pending):
            text = _HELPERS.get(name) or inspect.getsource(getattr(plain, name)).rstrip()
            if name not in _HELPERS and _CHANGES.search(text):
                raise DeriveError(
                    f"{name} changes arrays in place, which JAX does not",
                    mend='leave out backend="jax", or derive the part of the function without it',
                )
            found[name] = text if name in _HELPERS else re.sub(r"\bnp\.", "jnp.", text)
    return list(found.values())
