"""The walk through a graph: one step per operation, forward then backward, as sentences.

A sentence is a list of (kind, text): ``v`` a value, ``g`` a gradient, ``r`` a rule, ``n`` a name,
or plain. Knows the model of the page; names no operator. Imports its siblings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.graph import Leaf, Node, visible
from autograd_lite.picture.arrays import one_line, typeset
from autograd_lite.picture.marks import UNKNOWN
from autograd_lite.picture.names import formula
from autograd_lite.picture.page.model import Ending, Group, Model, Produced

__all__ = ["Sentence", "Step", "Story", "bare", "local_derivative", "pulled", "text_of"]

Sentence = list[tuple[str, str]]
_FORMULA = 60  # characters of a formula in a sentence
_LEAVES = 12  # gradients that the last step lists
_TERMS = 3  # gradients that are written out where they meet


@dataclass(frozen=True)
class Step:
    """What happens at one step, and the atom where it happens (-1: everywhere)."""

    atom: int
    way: str  # start, forward, seed, backward or end
    sentence: Sentence


class Story:
    """The steps of a model, and when each atom has its turn in both directions."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.made: dict[int, list[Produced]] = {}
        for produced in model.values:
            self.made.setdefault(produced.atom, []).append(produced)
        self.forward: dict[int, int] = {}
        self.backward: dict[int, int] = {}
        self.seed = -1  # the step at which the gradients of the outputs begin
        self.steps = [Step(-1, "start", self._start())]
        self._walk_forward()
        self._walk_backward()

    def _walk_forward(self) -> None:
        for k, part in enumerate(self.model.folded.parts):
            if part.folded is None and isinstance(part.nodes[0], Leaf):
                self.forward[k] = 0
                continue
            self.forward[k] = len(self.steps)
            failed = self.model.shown.failed.get(part.nodes[0])
            said = self.computes(self._title(k), self.made.get(k))
            if failed is not None:
                said = [("n", self._title(k)), ("", f" failed: {visible(failed, 300)}")]
            self.steps.append(Step(k, "forward", said))

    def _walk_backward(self) -> None:
        model = self.model
        if not model.shown.contributions and not any(g is not None for g in model.shown.seeds):
            return
        self.seed = len(self.steps)
        self.steps.append(Step(model.outputs[0], "seed", self._seeds()))
        entering: dict[int, list[tuple[Produced, Ending]]] = {}
        for produced in model.values:
            for ending in produced.endings:
                if ending.gradient is not None and ending.wire.output < 0:
                    entering.setdefault(ending.atom, []).append((produced, ending))
        for k in reversed(range(len(model.folded.parts))):
            if k in entering:
                self.backward[k] = len(self.steps)
                self.steps.append(Step(k, "backward", self._passes_on(k, entering[k])))
        self.steps.append(Step(-1, "end", self._end()))

    # sentences

    def _start(self) -> Sentence:
        names = [self.model.names[node] for node in self.model.graph.inputs]
        shown = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
        return [("", "What is given: "), ("n", shown or "constants alone")]

    def _title(self, k: int) -> str:
        part = self.model.folded.parts[k]
        if part.folded is not None:
            return f"{visible(part.title, 40)} ({part.operations:,} operations)"
        return visible(part.nodes[0].op.name, 40)

    def computes(self, title: str, made: Sequence[Produced] | None) -> Sentence:
        """The forward sentence of an operation or a layer."""
        sentence: Sentence = [("n", title), ("", " computes ")]
        for k, produced in enumerate(made or ()):
            node = produced.node
            name = self.model.names[node]
            sentence.append(("", "; " if k else ""))
            sentence.append(("n", name))
            said = formula(node, self.model.names, _FORMULA) if " (" not in title else ""
            if said and said != name:
                sentence.append(("", f" = {said}"))
            sentence += _is("v", self.model.shown.values.get(node, UNKNOWN))
        if not made:
            sentence.append(("", "what nothing reads"))
        return sentence

    def _seeds(self) -> Sentence:
        sentence: Sentence = [("", "The way back begins: the gradient of ")]
        shown = [(k, g) for k, g in enumerate(self.model.shown.seeds) if g is not None]
        for at, (k, seed) in enumerate(shown):
            name = self.model.atoms[self.model.outputs[k]].title
            sentence += [("", ", of " if at else ""), ("n", name), ("", " is G"), *_is("g", seed)]
        return sentence

    def _end(self) -> Sentence:
        """The gradients that the walk was for, and how each is a sum."""
        model = self.model
        leaves = set(model.graph.inputs) & model.shown.totals.keys()
        reached = [p for p in model.values if p.node in leaves]
        sentence: Sentence = [("", "The gradients: " if reached else "No gradient reaches a leaf")]
        for at, produced in enumerate(reached[:_LEAVES]):
            sentence += [("", "; " if at else ""), ("n", model.names[produced.node])]
            sentence += self._sum(produced, set())
        if len(reached) > _LEAVES:
            sentence.append(("", f"; and {len(reached) - _LEAVES} more"))
        return sentence

    def _passes_on(self, k: int, entering: Sequence[tuple[Produced, Ending]]) -> Sentence:
        sentence: Sentence = [("n", self._title(k)), ("", ": ")]
        sentence += self.arriving(self.made.get(k, ()), set())
        for produced, ending in entering:
            sentence.append(("", "; "))
            if ending.wire.slots and self.model.folded.parts[k].folded is None:
                sentence += self._local(*ending.wire.slots[0])
            sentence += self._flows(produced.node, ending)
        return sentence

    def arriving(self, made: Sequence[Produced], inside: set[int]) -> Sentence:
        """The gradient that arrives at what was made, as a sum where several ways meet.

        ``inside`` holds atoms whose contributions do not count: those of the same layer.
        """
        sentence: Sentence = []
        for produced in made:
            total = self._sum(produced, inside)
            if total:
                sentence.append(("", "; " if sentence else "the gradient arriving is G"))
                if len(made) > 1:
                    sentence += [("", " of "), ("n", self.model.names[produced.node])]
                sentence += total
        return sentence

    @staticmethod
    def _sum(produced: Produced, inside: set[int]) -> Sentence:
        came = [
            ending.gradient
            for ending in produced.endings
            if ending.gradient is not None and ending.atom not in inside
        ]
        if not came:
            return []
        numbers = all(one is not UNKNOWN for one in came)
        sentence: Sentence = []
        if numbers:
            terms = [*came, sum(came[1:], came[0])] if 1 < len(came) <= _TERMS else []
            shown = terms or [sum(came[1:], came[0])]
            for at, one in enumerate(shown):
                last = at == len(shown) - 1
                sentence += [("", " = " if last or not at else " + "), ("g", _line(one))]
        if len(came) > 1:
            sentence.append(("", f" ({len(came)} paths meet)"))
        return sentence or [("", "")]

    def _local(self, node: Node, i: int) -> Sentence:
        """The local derivative with its numbers, where it is one number for each element."""
        found = local_derivative(self.model, node, i)
        text = node.op.local_rule(i, self.model.called(node)) if found is not None else ""
        local = bare(text.removeprefix("G × "))
        if found is None or local == text or _is_number(local):
            return []
        said = [("", "the local derivative is "), ("r", visible(local, 60))]
        return [*said, ("", " = "), ("v", _line(found)), ("", "; ")]

    def _flows(self, node: Node, ending: Ending) -> Sentence:
        rule = ending.label.rule.removeprefix("= ")
        said: Sentence = [("r", rule or "a gradient"), *_is("g", ending.gradient)]
        return [*said, ("", " flows on to "), ("n", self.model.names[node])]

    # groups

    def of_group(self, k: int, group: Group, members: set[int]) -> tuple[Sentence, Sentence]:
        """What a folded layer does, forward and backward; ``members`` are its atoms."""
        count = group.part.operations
        title = f"{group.title} ({count:,} operation{'s' if count != 1 else ''})"
        leaving = [
            produced
            for atom in sorted(members)
            for produced in self.made.get(atom, ())
            if any(ending.atom not in members for ending in produced.endings)
        ]
        back: Sentence = [("n", title), ("", ": "), *self.arriving(leaving, members)]
        for produced in self.model.values:
            ending = produced.folded.get(k)
            if ending is not None and ending.gradient is not None:
                back += [("", "; "), *self._flows(produced.node, ending)]
        return self.computes(title, leaving), back


def text_of(sentence: Sentence) -> str:
    """A sentence without its colours."""
    return "".join(text for _, text in sentence)


def local_derivative(model: Model, node: Node, i: int) -> Any:
    """What G is multiplied by on its way to input ``i``, if the operator is pointwise."""
    if node.op.kind != "pointwise":
        return None
    return pulled(model, node, i, np.ones(node.shape, node.dtype))


def pulled(model: Model, node: Node, i: int, g: Any, xs: Sequence[Any] | None = None) -> Any:
    """What the rule of a node makes of ``g`` for its input ``i``; None if it cannot say."""
    values = model.shown.values
    read = [p for p in (node, *node.inputs) if isinstance(p, Node)]
    if any(p not in values for p in read):
        return None
    given = [values[p] if isinstance(p, Node) else p for p in node.inputs] if xs is None else xs
    pull: Any = node.op.pulls[i]
    try:
        with np.errstate(all="ignore"):
            return None if pull is None else pull(g, values[node], *given, **node.params)
    except Exception:  # noqa: BLE001  # a rule may be the user's; the sentence goes without
        return None


def _is(kind: str, value: Any) -> Sentence:
    """An equals sign and the numbers, where they are known."""
    return [] if value is UNKNOWN else [("", " = "), (kind, _line(value))]


def _line(value: Any) -> str:
    return one_line(typeset(value))


def bare(text: str) -> str:
    """A formula without the parentheses around all of it.

    >>> bare("(−(y/b))"), bare("(a) + (b)")
    ('−(y/b)', '(a) + (b)')
    """
    depth = 0
    for k, ch in enumerate(text):
        depth += (ch == "(") - (ch == ")")
        if depth == 0 and k < len(text) - 1:
            return text
    return text[1:-1] if text.startswith("(") else text


def _is_number(text: str) -> bool:
    return text.replace("−", "-").replace(".", "").lstrip("-").isdigit()
