"""What is laid over a finished drawing: highlights, checks against hand-written numbers, NaN flags.

Knows which nodes stand behind each mark and edge; changes how they look, not what is there. Does
not know where the checks come from. Imports graph and its siblings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograd_lite.graph import Leaf, Node, visible
from autograd_lite.picture.arrays import tooltip, typeset
from autograd_lite.picture.drawing import ByHand, Drawing, Edge, Label, Mark
from autograd_lite.picture.highlight import Lit

__all__ = ["Check", "Origins", "checked", "emphasised", "flagged"]

_FIRST = "first to differ"


@dataclass(frozen=True)
class Check:
    """A hand-written array held against one of ours.

    ``of`` says which of a node's arrays: its ``"value"`` or its ``"gradient"``. ``hand`` is the
    hand-written array (None: there is none), ``ours`` the one that it was held against (None: not
    told), ``says`` the verdict in words. Of ``"step"`` it speaks of what a node does, not of an
    array. ``flag`` is a word of warning on the node.
    """

    of: str
    ok: bool
    hand: Any = None
    ours: Any = None
    says: str = ""
    flag: str = ""

    @property
    def sign(self) -> str:
        """``✓`` or ``✗``."""
        return "✓" if self.ok else "✗"


@dataclass
class Origins:
    """The nodes behind each mark; for each edge the node it carries, and who reads it there.

    An edge without readers leads to an output; one that carries no node brings a constant.
    """

    marks: list[tuple[Node, ...]] = field(default_factory=list)
    edges: list[tuple[Node | None, tuple[Node, ...]]] = field(default_factory=list)


def emphasised(drawing: Drawing, origins: Origins, lit: Lit) -> Drawing:
    """What is lit stands out, everything else steps back."""

    def looks(is_lit: bool) -> str:
        return "strong" if is_lit else "faint"

    def carries(node: Node | None, readers: Sequence[Node]) -> bool:
        if node is None:
            return False
        return any((node, r) in lit.edges for r in readers) or (not readers and node in lit.nodes)

    marks = [
        replace(mark, emphasis=looks(not lit.nodes.isdisjoint(nodes)))
        for mark, nodes in zip(drawing.marks, origins.marks, strict=True)
    ]
    edges = [
        replace(edge, emphasis=looks(carries(*origin)))
        for edge, origin in zip(drawing.edges, origins.edges, strict=True)
    ]
    for m, mark in enumerate(marks):
        if mark.kind == "dot":  # a junction stands out with one of its branches
            alight = any(e.emphasis == "strong" for e in edges if m in (e.source, e.target))
            marks[m] = replace(mark, emphasis=looks(alight))
    return replace(drawing, marks=tuple(marks), edges=tuple(edges))


def checked(drawing: Drawing, origins: Origins, checks: Mapping[Node, Sequence[Check]]) -> Drawing:
    """Signs on marks, hand-written numbers beside ours, and the first that differs named."""
    first = _first_wrong(checks)
    drawn_out = {
        node
        for mark, nodes in zip(drawing.marks, origins.marks, strict=True)
        for node in nodes
        if mark.kind == "output"
    }
    marks = []
    for mark, nodes in zip(drawing.marks, origins.marks, strict=True):
        out = mark.kind == "output"
        mine = {
            node: [c for c in checks.get(node, ()) if _stands_at(c, out, node in drawn_out)]
            for node in nodes
        }
        marks.append(_signed(mark, mine, first) if mark.kind != "dot" else mark)
    edges = list(drawing.edges)
    for node, found in checks.items():
        for e, (carried, _) in enumerate(origins.edges):
            if carried is node and drawing.marks[edges[e].source].kind != "dot":
                edges[e] = _beside(edges[e], found)
                break
    return replace(drawing, marks=tuple(marks), edges=tuple(edges))


def _stands_at(check: Check, out: bool, drawn_out: bool) -> bool:
    """Whether a check belongs to the mark of an output, or to that of the operation behind it."""
    return not out if check.of == "step" else out or not drawn_out


def _first_wrong(checks: Mapping[Node, Sequence[Check]]) -> Node | None:
    """Where hand-written and ours part: values in the order they are made, then gradients."""
    wrong = [
        (node, check)
        for node, found in checks.items()
        for check in found
        if not check.ok and check.of != "step"
    ]
    order = sorted(
        wrong,
        key=lambda one: (one[1].of != "value", one[0].serial * (1 if one[1].of == "value" else -1)),
    )
    return order[0][0] if order else None


def _signed(mark: Mark, checks: Mapping[Node, Sequence[Check]], first: Node | None) -> Mark:
    found = [check for several in checks.values() for check in several]
    if not found:
        return mark
    told = [
        f"hand-written {check.of}: {check.sign} {visible(check.says, 80)}".rstrip()
        for check in found
    ]
    sign = "✓" if all(check.ok for check in found) else "✗"
    flag = next((check.flag for check in found if check.flag), _FIRST if first in checks else "")
    return replace(mark, sign=sign, flag=flag, tooltip="\n".join([mark.tooltip, *told]))


def _beside(edge: Edge, found: Sequence[Check]) -> Edge:
    label, lines = edge.label or Label(), [edge.tooltip]
    for check in found:
        if check.hand is None:
            continue
        hand = ByHand(typeset(check.hand), check.sign)
        if check.of == "value":
            label = replace(label, value_by_hand=hand)
        else:
            label = replace(label, gradient_by_hand=hand)
        lines.append(f"hand-written {check.of} {tooltip(check.hand)} {check.sign}")
    return replace(edge, label=None if label.empty else label, tooltip="\n".join(lines))


def flagged(drawing: Drawing, origins: Origins, values: Mapping[Node, Any]) -> Drawing:
    """A flag on every mark whose values hold NaN or infinity; the first such operation is named."""
    states = {node: _state(value) for node, value in values.items()}
    if not any(states.values()):
        return drawing
    marks = []
    for mark, nodes in zip(drawing.marks, origins.marks, strict=True):
        here = {states.get(node, "") for node in nodes} - {""}
        if not here or mark.flag or mark.kind in ("dot", "output"):
            marks.append(mark)
            continue
        fresh = [node for node in nodes if _begins(node, states)]
        flag = "NaN" if "NaN" in here else "inf"
        told = f"{mark.tooltip}\nholds {flag}" + (", its operands are finite" if fresh else "")
        marks.append(replace(mark, flag=flag + (" begins here" if fresh else ""), tooltip=told))
    return replace(drawing, marks=tuple(marks))


def _begins(node: Node, states: Mapping[Node, str]) -> bool:
    """Whether an operation made NaN or infinity of finite operands."""
    if isinstance(node, Leaf) or not states.get(node):
        return False
    return not any(states.get(p) if isinstance(p, Node) else _state(p) for p in node.inputs)


def _state(value: Any) -> str:
    if type(value) is tuple:
        found = {_state(part) for part in value}
        return "NaN" if "NaN" in found else "inf" if "inf" in found else ""
    array = np.asarray(value)
    if array.dtype.kind not in "fc" or np.isfinite(array).all():
        return ""
    return "NaN" if np.isnan(array).any() else "inf"
