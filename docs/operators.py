"""The table of every operator, from the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag  # noqa: F401  # declares every operator
from autograd_lite import ops
from autograd_lite.graph import Op
from autograd_lite.notation import formula
from autograd_lite.rules import FUNCTIONS, NUMPY, OPS
from docs.markdown import table

__all__ = ["page"]

HEADER = """\
# Operators

Every operator of the engine, from the registry, by the file of `autograd_lite/ops` that holds it.
*Local rule* says what becomes of the gradient G that arrives at the operator on its way to each
input, as pictures write it; `y` is the output. *NumPy* names the functions that record the
operator when they are called on a tensor. Choices at points without a derivative are in
[kinks](kinks.md).

Kinds: *pointwise* (each element alone; operands broadcast, and gradients are summed back),
*linear* (the tangent rule is the operator itself), *multilinear* (linear in each argument alone),
*general* (rules written out), *constant* (without derivative).
"""


def family(op: Op) -> str:
    """The file of ``autograd_lite/ops`` that holds the operator; ``further`` for other rooms."""
    first = ["pointwise", "special", "ordering"]
    rooms = sorted(ops.__all__, key=lambda name: (name not in first, name))
    declared = getattr(op.source, "file", "").replace("\\", "/").rpartition("/")[2]
    if declared.removesuffix(".py") in rooms:
        return declared.removesuffix(".py")
    holding = (
        name for name in rooms if any(is_of(one, op) for one in vars(getattr(ops, name)).values())
    )
    return next(holding, "further")


def numpy_names(op: Op) -> str:
    """The NumPy functions that become this operator."""
    own = FUNCTIONS.get(op.name)
    names = {spelled(one) for one, ours in NUMPY.items() if is_of(ours, op) or ours is own}
    return ", ".join(f"`{name}`" for name in sorted(names))


def is_of(function: Callable[..., Any], op: Op) -> bool:
    """Whether a public function is the bare operator."""
    return getattr(function, "op", None) is op


def spelled(one: Any) -> str:
    """`np.linalg.norm` for a function of a submodule, `np.exp` for one of NumPy itself."""
    module = getattr(one, "__module__", None) or "numpy"
    inner = module.removeprefix("numpy").lstrip(".")
    return f"np.{inner}.{one.__name__}" if inner in ("linalg", "fft") else f"np.{one.__name__}"


def inputs(op: Op) -> list[str]:
    """What to call each input: as the declaration does, or by a letter."""
    if op.kind != "pointwise":
        return list(op.array_names or ["each"])
    named = len(op.array_names) >= len(op.pulls)
    return list(op.array_names if named else "abc")[: len(op.pulls)]


def rules(op: Op) -> str:
    """The local rule of each input, named as a picture would."""
    if not op.differentiable:
        return "—"
    names = inputs(op)
    with np.errstate(all="ignore"):
        texts = {name: op.local_rule(i, names) for i, name in enumerate(names)}
    return "; ".join(f"{name}: {text}" for name, text in texts.items() if text) or "see its source"


def page() -> str:
    """The page docs/operators.md."""
    families: dict[str, list[list[str]]] = {}
    for name, op in sorted(OPS.items()):
        if name[0] != "_":
            row = [f"`{name}`", f"${formula(op, inputs(op))}$", rules(op), op.kind, numpy_names(op)]
            families.setdefault(family(op), []).append(row)
    header = ["operator", "formula", "local rule", "kind", "NumPy"]
    sections = [
        f"\n## {title.capitalize()}\n\n{table(header, rows)}"
        for title, rows in sorted(families.items(), key=lambda one: (one[0] == "further", one[0]))
    ]
    return HEADER + "".join(sections)
