"""The status of every name of NumPy's main namespace, as `protocol` gives it."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from autograd_lite.protocol import status

__all__ = ["minor_version", "page"]

HEADER = """\
# NumPy's functions on tensors

What happens when a function of NumPy's main namespace is called on a tensor that carries
derivatives: it is recorded, or its result is a constant by rule, or it raises an error that says
what to write instead. None of them takes a tensor silently out of its graph. The names are those
of `np.__all__`, {count} of them in NumPy {version}.
"""

MEANING = {
    "recorded": (
        "The call becomes nodes of the graph, and derivatives flow through it; positions, counts "
        "and truth\nvalues (`argmax`, `searchsorted`, `any`) are constants. How each is called:\n"
        "[operators and functions](operators.md)."
    ),
    "constant by rule": "The result is a constant: its derivative is zero wherever it exists.",
    "reads shape and dtype alone": "The result is about the array's form, not its values.",
    "raises: no rule is registered yet": "NumPy asks the tensor, which raises.",
    "raises: it would cut the tensor from its graph": (
        "NumPy does not ask the tensor. These make arrays of plain data, or read their argument as "
        "an\narray, and that raises for a tensor that carries derivatives."
    ),
    "not a function of arrays": "Constants, types, modules, context managers.",
}


def statuses() -> dict[str, list[str]]:
    """The names of each status, in the alphabet's order; what works stands first."""
    found = defaultdict(list)
    for name in sorted(set(np.__all__), key=lambda name: (name.lower(), name)):
        found[status(name)].append(name)
    last = ["not a function of arrays"]
    order = [one for one in MEANING if one not in last]
    rest = sorted(one for one in found if one not in MEANING)
    return {one: found[one] for one in [*order, *rest, *last] if one in found}


def page() -> str:
    """The page docs/numpy.md."""
    sections = []
    for one, names in statuses().items():
        meaning = MEANING.get(one, "")
        title = one[0].upper() + one[1:]
        sections.append(f"\n## {title}: {len(names)}\n")
        sections += [f"\n{meaning}\n"] if meaning else []
        sections.append("\n" + filled([f"`{name}`" for name in names]))
    return HEADER.format(count=len(np.__all__), version=minor_version()) + "".join(sections)


def minor_version() -> str:
    """`2.4` for NumPy 2.4.6: the names change with it."""
    return ".".join(np.__version__.split(".")[:2])


def filled(words: list[str], width: int = 100) -> str:
    """Words in lines of at most ``width`` characters."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "".join(f"{line}\n" for line in lines)
