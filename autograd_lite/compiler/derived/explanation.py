"""``explain``: the chain rule node by node, and the rewriting that makes it short.

Every line is one of the engine's local rules or a step of the rewriting that was done, and each
step was held against the unsimplified derivative on numbers. Imports its siblings, rewrite,
notation and the names of pictures.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from autograd_lite.compiler.derived.blocks import Block, blocks, carrying
from autograd_lite.compiler.derived.naming import assigned_names
from autograd_lite.compiler.derived.typeset import as_formula
from autograd_lite.errors import DeriveError, describe
from autograd_lite.graph import Constant, Graph, Leaf, Node, by_serial, visible
from autograd_lite.notation import as_latex, code
from autograd_lite.picture.names import call, formula
from autograd_lite.rewrite import confirmed
from autograd_lite.tensors import Tensor

__all__ = ["Explanation", "Line", "explain", "explained"]

_SIGN, _INPUT = 0xE000, 0xF000  # private signs: for gradients, for inputs, as a text is made
_LONG = 70  # characters of a formula
_NAME = 16  # characters of a name
_WIDE = 110  # characters of a rule; a longer one is not printed
_DOTS = r"\cdots"
_ARRIVING, _OUTPUT = (re.compile(rf"(?<![A-Za-z_]){one}(?![A-Za-z_0-9])") for one in "Gy")


@dataclass(frozen=True)
class Line:
    """One line: a value and its gradient, or a step of the rewriting and why it holds.

    ``part`` is "chain" or "rewriting"; ``latex`` is a row of an ``aligned`` block.
    """

    part: str
    text: str
    latex: str


@dataclass(frozen=True)
class Explanation:
    """The chain rule of one result: ``steps``, as text (``print``), ``latex``, in a notebook."""

    title: str
    steps: tuple[Line, ...]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.title
        for part, head in _HEADS.items():
            lines = [line for line in self.steps if line.part == part]
            if not lines:
                continue
            yield from ("", head)
            yield from (f"  {line.text}" for line in lines)

    @property
    def latex(self) -> str:
        r"""The equations as an ``aligned`` block, with $\bar{x}$ for the gradient of x."""
        rows = " \\\\\n".join(line.latex for line in self.steps)
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(self.title)}</b></p>\n<div>$$\n{escape(self.latex)}\n$$</div>"

    def _repr_markdown_(self) -> str:
        return f"**{self.title}**\n\n$$\n{self.latex}\n$$"


_HEADS = {
    "chain": "The chain rule, from the result back: dx is the gradient of x.",
    "rewriting": "Rewritten, each step checked on numbers:",
}


def explain(y: Any, x: Any = None) -> Explanation:
    """How the gradient of ``x`` comes from that of ``y``: node by node, then simplified.

    ``x`` is a leaf that ``y`` rests on, or a list of leaves; all of them by default.

    >>> import autograd_lite as ag
    >>> x = ag.tensor([0.0, 1.0], name="x")
    >>> print(ag.explain(1 / (1 + ag.exp(-x))))
    The gradient of y, step by step
    <BLANKLINE>
    The chain rule, from the result back: dx is the gradient of x.
      y = 1/v3       dout arrives
      v3 = 1 + v2    dv3 = dout × (−y²)
      v2 = exp(v1)   dv2 = dv3
      v1 = −x        dv1 = dv2 × v2
      x              dx = −dv1
    <BLANKLINE>
    Rewritten, each step checked on numbers:
      dx = dout × exp(x)/(1+exp(x))²   [every value by its formula]
         = dout × y(1−y)   [by exp(x) = y/(1−y), from y]

    Raises:
        DeriveError: ``y`` is no tensor that was recorded, or does not rest on ``x``.
    """
    if not (isinstance(y, Tensor) and y.tracked):
        raise DeriveError(
            f"{describe(y)} has no history to explain", mend="compute it from ag.tensor(...)"
        )
    graph = Graph.of(y)
    wanted = _leaves(graph, x)
    return explained(graph, wanted, assigned_names(graph.nodes))


def _leaves(graph: Graph, x: Any) -> list[Node]:
    asked = list(graph.inputs) if x is None else x if isinstance(x, (list, tuple)) else [x]
    nodes = [one.node if isinstance(one, Tensor) else one for one in asked]
    for node in nodes:
        if node not in graph.inputs:
            raise DeriveError(
                f"{describe(node)} is no leaf that the result rests on",
                mend="explain(y, x): x as ag.tensor or ag.parameter made it",
            )
    return nodes


def explained(
    graph: Graph, wanted: Sequence[Node], wishes: Mapping[Node, str], unit: Sequence[Node] = ()
) -> Explanation:
    """The explanation of a graph, with these names for its values; rows of a unit sum to 1."""
    names = _names(graph, wishes)
    writer = _Writer(graph, wanted, names, unit)
    lines = [*writer.chain(), *writer.rewriting()]
    of = " and ".join(names[output] for output in graph.outputs)
    return Explanation(f"The gradient of {of}, step by step", tuple(lines))


def _names(graph: Graph, wishes: Mapping[Node, str]) -> dict[Node, str]:
    """Names of all nodes: the user's, y for the output, v1, v2, … for others."""
    found: dict[Node, str] = {}
    taken = {"G", "dout"}
    for node in graph:
        wish = visible(node.name, _NAME) if node.name else wishes.get(node, "")
        wish = wish or ("y" if node in graph.outputs else "x" if isinstance(node, Leaf) else "")
        k, name = 1, wish or "v1"
        while name in taken:
            k += 1
            name = f"{wish or 'v'}{k}"
        found[node] = name
        taken.add(name)
    return found


class _Writer:
    def __init__(
        self, graph: Graph, wanted: Sequence[Node], names: Mapping[Node, str],
        unit: Sequence[Node],
    ) -> None:  # fmt: skip
        self.graph, self.wanted, self.names, self.unit = graph, wanted, names, unit
        self.outputs = graph.outputs
        self.active = carrying(self.outputs, wanted)
        self.signs = {node: chr(_SIGN + k) for k, node in enumerate(graph)}

    def _text(self, text: str) -> str:
        """A text with the gradients written as dx."""
        for node, sign in self.signs.items():
            only = len(self.outputs) == 1 and node is self.outputs[0]
            name = "dout" if only else f"d{self.names[node]}"
            text = text.replace(sign, name)
        return text

    def _latex(self, text: str) -> str:
        """A text as LaTeX, gradients with a bar."""
        latex = _escaped(as_formula(text))
        for node, sign in self.signs.items():
            name = _escaped(as_latex(self.names[node]))
            over = r"\overline" if name.startswith(r"\text") else r"\bar"
            latex = latex.replace(sign, f"{over}{{{name}}}")
        return latex

    # node by node

    def chain(self) -> Iterator[Line]:
        """Each value with the sum of what its users pass back to it."""
        parts: dict[Node, list[str]] = {}
        order = sorted(self.active, key=by_serial, reverse=True)
        for node in order:
            for i, p in enumerate(node.inputs):
                if isinstance(p, Node) and p in self.active and type(p) is not Constant:
                    parts.setdefault(p, []).append(self._passed(node, i, p))
        known = [self._known(node) for node in order]
        width = max(map(len, known))
        for node, value in zip(order, known, strict=True):
            gradient = _sum(parts[node]) if node in parts else ""
            own = self.signs[node]
            equals = "+=" if node in self.outputs else "="
            shown = f"{own} {equals} {gradient}" if gradient else f"{own} arrives"
            name, _, made = value.partition(" = ")
            left = f"{self._latex(name)} &{'= ' + self._latex(made) if made else ''}"
            right = (
                f"{self._latex(own)} &{equals + ' ' + self._latex(gradient) if gradient else ''}"
            )
            yield Line("chain", f"{value:{width}}   {self._text(shown)}", f"{left} & {right}")

    def _known(self, node: Node) -> str:
        """A value and its formula."""
        if isinstance(node, Leaf):
            return self.names[node]
        texts = dict(self.names)
        text = formula(node, texts, _LONG)
        if not text and callable(node.op.code):
            text = code(node.op, [self._read(p) for p in node.inputs], node.params)
        if not text:
            reads = [self._read(p) for p in node.inputs]
            text = f"{node.op.name.strip('_')}({', '.join(reads)})"
        return f"{self.names[node]} = {text}"

    def _read(self, p: Any) -> str:
        return self.names[p] if isinstance(p, Node) else "…" if getattr(p, "ndim", 0) else str(p)

    def _passed(self, node: Node, i: int, p: Node) -> str:
        """The local rule, with the names of what it reads."""
        held = {chr(_INPUT + k): q for k, q in enumerate(node.inputs)}
        called = [sign if isinstance(q, Node) else self._read(q) for sign, q in held.items()]
        text = node.op.local_rule(i, called) or "G ⋯"
        text = _OUTPUT.sub(self.names[node], _ARRIVING.sub(self.signs[node], text))
        for sign, q in held.items():
            text = text.replace(sign, call(self._read(q)))
        text = _short(text)
        if node.op.kind == "pointwise" and p.shape != node.shape:
            text = f"Σ ({text})"
        return text

    # rewriting

    def rewriting(self) -> Iterator[Line]:
        """For each block the rule in terms of its inputs, and what was made of it."""
        found = blocks(self.outputs, self.wanted, self.names, self.unit)
        passed = [p for block in found for p in block.rules]
        for block in found:
            for p in block.rules:
                if len(block.nodes) > 1:
                    yield from self._steps(block, p, alone=passed.count(p) == 1)

    def _steps(self, block: Block, p: Node, *, alone: bool) -> Iterator[Line]:
        """The steps to one rule; where other blocks pass something too this is a part of it."""
        own, first = self.signs[p], True
        equals = "=" if alone else "+="
        for step in block.steps.get(p, ()):
            if not confirmed(step.rule):
                continue
            right = _ARRIVING.sub(self.signs[block.output], step.rule.text)
            left = f"{self._text(own)} {equals}"
            long = len(right) > _WIDE
            shown = "⋯" if long else self._text(right)
            text = f"{left if first else '='.rjust(len(left))} {shown}"
            bar = f"{self._latex(own)} &{equals}" if first else " &="
            latex = f"& & {bar} {_DOTS if long else self._latex(right)}"
            if first:
                reason = because = "every value by its formula"
                because = rf"\text{{{because}}}"
            else:
                reason = (
                    f"by {step.equation}, from {step.value}"
                    if step.equation
                    else f"by {step.value}"
                )
                because = rf"\text{{by }} {self._latex(step.equation or step.value)}"
            yield Line("rewriting", f"{text}   [{reason}]", rf"{latex} \quad && {because}")
            first = False


def _sum(parts: Sequence[str]) -> str:
    return " + ".join(parts).replace("+ −", "− ")


def _short(text: str) -> str:
    """Without a factor of 1 or −1."""
    arriving, times, factor = text.partition(" × ")
    if times and factor in ("1", "(−1)"):
        return arriving if factor == "1" else f"−{arriving}"
    return text


def _escaped(latex: str) -> str:
    """LaTeX whose words in text have their underscores escaped."""
    return re.sub(r"\\text\{([^}]*)\}", lambda m: m[0].replace("_", r"\_"), latex)
