"""What a picture calls the values of a graph.

A name that the user gave; else x, x1, x2, … for leaves and a short formula for results, from the
text that each operator brings along, or v1, v2, …. Does not know any operator. Imports graph.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.graph import Leaf, Node, visible
from autograd_lite.picture.arrays import number
from autograd_lite.picture.folding import producer

__all__ = ["call", "formula", "names", "plain_number", "raised"]

_LONG = 14  # characters of a formula that still serves as a name
_NAME = 24  # characters of a user's name
_WORD = re.compile(r"√?[\w.'…]*(\(\)|\[\d+\])?[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*|\|.*\|")  # a name, a call, |…|
_RAISING = re.compile(r"\{0\}[\^⁰¹²³⁴⁵⁶⁷⁸⁹]")  # an operator that writes an exponent
_SPACED = re.compile(r"\} \S+ \{")  # an operator with spaces around it
_APPLIED = re.compile(r"(\w) \(")  # "exp (" of a function that is written without parentheses
_POWER = re.compile(r"\^\(?(−?\d+)\)?(?![\d.\w])")
_RAISED = str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LETTERS = {"input": "x", "parameter": "w", "constant": "c"}


def names(nodes: Sequence[Node]) -> dict[Node, str]:
    """A name for every node (inputs come before their users); no two unnamed ones share one."""
    found: dict[Node, str] = {}
    taken = {visible(node.name, _NAME) for node in nodes if node.name}
    for kind, letter in _LETTERS.items():
        bare = [n for n in nodes if isinstance(n, Leaf) and not n.name and n.op.name == kind]
        wished = [letter] if len(bare) == 1 and letter not in taken else []
        fresh = (f"{letter}{k}" for k in range(1, len(bare) + len(taken) + 1))
        wished += [name for name in fresh if name not in taken]
        found.update(zip(bare, wished))
    taken |= set(found.values())
    counter = 0
    for node in nodes:
        if node.name:
            found[node] = visible(node.name, _NAME)
        elif node not in found:
            text = formula(node, found)
            if not text or text in taken:
                counter += 1
                text = f"v{counter}"
            found[node] = text
            taken.add(text)
    return found


def call(name: str) -> str:
    """A name as part of a larger formula: in parentheses unless it is one word or a call.

    >>> call("x"), call("exp(−x)"), call("x·W"), call("a b")
    ('x', 'exp(−x)', '(x·W)', '(a b)')
    """
    return name if _WORD.fullmatch(_outside(name)) else f"({name})"


def _outside(formula: str) -> str:
    """What a formula has outside its parentheses, "()" standing for each pair."""
    depth, shown = 0, []
    for ch in formula:
        if ch == ")":
            depth -= 1
        if depth == 0:
            shown.append(ch)
        if ch == "(":
            depth += 1
    return "".join(shown)


def raised(formula: str) -> str:
    """Exponents that are whole numbers, raised.

    >>> raised("(a + b)^2"), raised("x^−3"), raised("x^0.5")
    ('(a + b)²', 'x⁻³', 'x^0.5')
    """
    return _POWER.sub(lambda found: found[1].translate(_RAISED), formula)


def plain_number(value: Any) -> bool:
    """Whether an unnamed constant is a single number."""
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "biufc"


def formula(node: Node, found: Mapping[Node, str], longest: int = _LONG) -> str:
    """The operator's text with the operands' names in it; empty if that is too long."""
    if producer(node) is not node:
        return f"{visible(producer(node).op.symbol, 20)}[{node.params['index']}]"
    parts: list[str] = []
    for p in node.inputs:
        if isinstance(p, Node):
            parts.append(found[p])
        elif plain_number(p):
            parts.append(number(p))
        else:
            return ""
    if not parts or node.params:
        return ""
    return _short(node, parts, longest)


def _short(node: Node, parts: Sequence[str], longest: int) -> str:
    """The formula, if it is short: operands of a spaced sum keep their products bare."""
    spaced = _SPACED.search(node.op.text) is not None
    grouped = [
        part
        if f"({{{k}}})" in node.op.text or (spaced and " " not in part and not part.startswith("−"))
        else call(part)
        for k, part in enumerate(parts)
    ]
    if _RAISING.match(node.op.text) and grouped[0][-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹":
        grouped[0] = f"({grouped[0]})"
    try:
        text = node.op.text.format(*grouped, args=", ".join(parts))
    except (IndexError, KeyError, ValueError):
        return ""  # a user's operator whose text names other fields
    text = raised(_APPLIED.sub(r"\1(", text))
    return text if len(text) <= longest else ""
