"""The pages of operators and functions: an index, and one page for each family."""

from __future__ import annotations

import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from autograd_lite import numpy as namespace
from autograd_lite import ops, random
from autograd_lite.graph import Op
from autograd_lite.notation import as_latex, code, formula
from docs import kinks
from docs.drawn import draw, sample
from docs.entries import Entry, entries, inputs

__all__ = ["pages"]

INDEX = """\
# Operators and functions

The functions on tensors of `ag`, `ag.numpy`, `ag.linalg`, `ag.fft` and `ag.random`, by family: the
file of `autograd_lite/ops` that holds them. Where NumPy or the Array API standard 2024.12 has the
like, name and keywords are theirs. The page of a family says of each function how it is called; of
an operator also its formula, what becomes of the gradient G that arrives at it on its way to each
input (y is the output), its NumPy code, its choice where no derivative exists, and a picture.
All choices together: [derivatives at kinks](kinks.md). The gradient of a complex input follows
[this convention](complex.md).

Kinds of operators: *pointwise* (each element alone; operands broadcast, and gradients are summed
back), *linear* (the tangent rule is the operator itself), *multilinear* (linear in each argument
alone), *general* (rules written out), *constant* (without derivative).
"""
FAMILY = """\
# {title}

{what} [All families](../operators.md)
"""


def pages() -> dict[str, Callable[[], str]]:
    """The pages by name: ``operators``, and ``operators/<family>`` for each."""
    return {"operators": index} | {
        f"operators/{name}": functools.partial(page_of, name) for name in _families()
    }


@functools.cache
def _families() -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries():
        found[entry.family].append(entry)
    return dict(sorted(found.items()))


def index() -> str:
    """The page docs/operators.md."""
    sections = []
    for name, members in _families().items():
        links = [
            f"[`{' = '.join(entry.names)}`](operators/{name}.md#{entry.anchor})"
            for entry in members
        ]
        title = f"[{name.capitalize()}](operators/{name}.md)"
        sections.append(f"\n## {title}\n\n{_what(name)}\n\n{' · '.join(links)}\n")
    return INDEX + "".join(sections)


def page_of(name: str) -> str:
    """The page docs/operators/<name>.md; its pictures go to ``images/operators``."""
    head = FAMILY.format(title=name.capitalize(), what=_what(name))
    return head + "".join("\n" + section(entry) for entry in _families()[name])


def _what(name: str) -> str:
    """The first line of the module that holds the family."""
    module = {"numpy": namespace, "random": random}.get(name) or getattr(ops, name, None)
    text = (inspect.getdoc(module) or "") if module else "Operators of other rooms."
    return text.split("\n\n")[0].replace("\n", " ")


def section(entry: Entry) -> str:
    """All that is to be said of a function or an operator."""
    parts = ["### " + ", ".join(f"`{name}`" for name in entry.names)]
    parts += (
        [f"`{entry.signature}`"]
        if entry.signature
        else ["Stands in graphs alone: no public function."]
    )
    parts += [entry.first_line]
    if entry.op is not None:
        parts += list(_of_operator(entry.op))
    if entry.composed_of:
        parts += ["Composed of " + ", ".join(f"`{name}`" for name in entry.composed_of) + "."]
    cases = kinks.cases_of([name.rpartition(".")[2] for name in entry.names])
    if cases:
        parts += ["At kinks:", kinks.rows(cases).rstrip()]
    if entry.links:
        parts += [" · ".join(f"[{name}]({address})" for name, address in entry.links)]
    if entry.op is not None and entry.op.differentiable:
        parts += [_picture(entry.op)]
    return "\n\n".join(parts) + "\n"


def _of_operator(op: Op) -> Iterator[str]:
    names = inputs(op) if op.array_names or op.kind == "pointwise" else ["x1", "x2", "…"]
    written = _code(op)
    own = written.startswith(f"{op.name}(")
    yield f"$`y = {formula(op, names)}`$, {op.kind}" + ("" if own else f"; in NumPy `{written}`")
    if op.differentiable:
        with np.errstate(all="ignore"):
            rules = [(name, op.local_rule(i, inputs(op))) for i, name in enumerate(inputs(op))]
        yield "\n".join(f"- to {name}: {_rule(text)}" for name, text in rules if text)


def _rule(text: str) -> str:
    """A local rule as a formula, or, if it is a sentence, in words."""
    latex = as_latex(text)
    return text if r"\text" in latex else f"$`{latex}`$"


def _code(op: Op) -> str:
    """The operator as NumPy code, for the sample that is drawn."""
    if not op.differentiable:
        return code(op, inputs(op))
    operands, params = sample(op)
    return code(op, list(operands), params)


def _picture(op: Op) -> str:
    folder = Path("images", "operators")
    folder.mkdir(parents=True, exist_ok=True)
    draw(op, folder)
    lines = [
        "<details><summary>drawn</summary>",
        f"![{op.name} with values, gradients and local rules](../images/operators/{op.name}.svg)",
        "</details>",
    ]
    return "\n\n".join(lines)
