"""All that the live page shows, as one plain structure: what its scripts read.

Knows the model, the walk and the questions; no HTML. Imports its siblings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.graph import Leaf, Node, visible
from autograd_lite.picture.arrays import shape_text, typeset
from autograd_lite.picture.drawing import Label
from autograd_lite.picture.folding import Part
from autograd_lite.picture.names import plain_number
from autograd_lite.picture.page.model import Constant, Ending, Fragments, Model, Produced
from autograd_lite.picture.page.quiz import Question, questions
from autograd_lite.picture.page.story import Story

__all__ = ["page_data"]

Plain = dict[str, Any]
_COLUMNS = 16  # of a table
_CELLS = (16, 256)  # elements of a table, at least and at most
_BUDGET = 60_000  # elements of all tables together
_LINE = 120  # characters of a line of source


def page_data(model: Model, direction: str) -> tuple[Plain, list[str]]:
    """The structure, and the drawn fragments that it counts."""
    return _Writer(model, direction).write()


class _Tables:
    """Arrays as rows of text, cut to a number of elements."""

    def __init__(self, nodes: int) -> None:
        low, high = _CELLS
        self.most = max(low, min(high, _BUDGET // max(1, 2 * nodes)))
        self.written: list[Plain] = []

    def add(self, value: Any) -> int:
        """The number of an array's table, or -1 where there is nothing to show."""
        if value is None or isinstance(value, (list, tuple)):
            return -1
        array = np.asarray(value)
        if array.dtype.kind not in "biufc" or array.size == 0:
            return -1
        plane = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
        columns = min(plane.shape[1], _COLUMNS)
        rows = max(1, self.most // columns)
        cells = plane[:rows, :columns]
        self.written.append(
            {
                "shape": shape_text(array.shape),
                "rows": [" ".join(map(_digits, row)) for row in cells],
                "of": list(plane.shape),
            }
        )
        return len(self.written) - 1


class _Writer:
    def __init__(self, model: Model, direction: str) -> None:
        self.model, self.direction = model, direction
        self.fragments = Fragments(direction)
        self.tables = _Tables(len(model.nodes))
        self.story = Story(model)

    def write(self) -> tuple[Plain, list[str]]:
        model, story = self.model, self.story
        values = [self._value(produced) for produced in model.values]
        values += [self._constant(constant) for constant in model.constants_read]
        absorbs = any(
            part.folded and any(isinstance(node, Leaf) for node in part.nodes)
            for part in model.first.parts
        )
        data = {
            "direction": self.direction,
            "absorbs": absorbs,
            "atoms": [self._atom(k) for k in range(len(model.atoms))],
            "groups": self._groups(),
            "values": values,
            "seed": story.seed,
            "steps": [
                {"atom": step.atom, "way": step.way, "says": step.sentence} for step in story.steps
            ],
            "questions": [self._question(question) for question in questions(model)],
            "arrays": self.tables.written,
        }
        return data, list(self.fragments.lines)

    # atoms and groups

    def _atom(self, k: int) -> Plain:
        model, mark = self.model, self.model.atoms[k]
        atom: Plain = {
            "kind": mark.kind,
            "title": mark.title,
            "about": mark.tooltip,
            "mark": self.fragments.mark(k, mark),
            "group": model.home[k],
            "forward": self.story.forward.get(k, 0),
            "backward": self.story.backward.get(k, -1),
        }
        if k < len(model.folded.parts):
            atom |= self._facts(model.folded.parts[k])
        elif k in model.outputs:
            at = k - model.outputs[0]
            node = model.graph.outputs[at]
            atom["forward"] = self.story.forward[model.folded.home[node]]
            atom["facts"] = [["shape", mark.subtitle], ["dtype", str(node.dtype)]]
            atom |= self._arrays(node, model._seed(at))
        else:
            constant = next(c for c in model.constants_read if c.atom == k)
            atom["facts"] = [["shape", shape_text(np.shape(constant.value))]]
            atom["value"] = self.tables.add(constant.value)
        return atom

    def _facts(self, part: Part) -> Plain:
        if part.folded is not None:
            return {"facts": [["operations", f"{part.operations:,}"]]}
        node, model = part.nodes[0], self.model
        facts = [["name", model.names[node]]]
        if not isinstance(node, Leaf):
            facts.append(["operation", visible(node.op.name, 40)])
        facts.append(["shape", shape_text(node.shape)] if node.dtype is not None else ["", ""])
        facts.append(["dtype", str(node.dtype)] if node.dtype is not None else ["", ""])
        rules = [
            [model.called(node)[i], model._rule(node, i)]
            for i in range(len(node.inputs))
            if model.shown.rules and (node, i) in model.shown.contributions
        ]
        source = node.source
        place = [f"{visible(_file(source.file), 60)}:{source.line}"] if source else []
        line = [visible(source.text, _LINE)] if source and source.text else []
        return {
            "facts": [fact for fact in facts if fact[0]],
            "source": place + line,
            "doc": "" if isinstance(node, Leaf) else visible(node.op.doc.split("\n\n")[0], 300),
            "rules": rules,
            **self._arrays(node, model.shown.totals.get(node)),
        }

    def _arrays(self, node: Node, gradient: Any) -> Plain:
        value = self.model.shown.values.get(node)
        return {"value": self.tables.add(value), "gradient": self.tables.add(gradient)}

    def _groups(self) -> list[Plain]:
        model = self.model
        members: list[set[int]] = [set() for _ in model.groups]
        for atom in range(len(model.atoms)):
            for around in model.ancestry(atom):
                members[around].add(atom)
        found = []
        for k, group in enumerate(model.groups):
            mark = model.folds[k]
            forward, backward = self.story.of_group(k, group, members[k])
            found.append(
                {
                    "title": group.title,
                    "about": mark.tooltip,
                    "parent": group.parent,
                    "open": group.open,
                    "operations": group.part.operations,
                    "mark": self.fragments.mark(len(model.atoms) + k, mark),
                    "caption": model.caption_width(group),
                    "forward": forward,
                    "backward": backward,
                }
            )
        return found

    # values

    def _value(self, produced: Produced) -> Plain:
        model, node = self.model, produced.node
        full = model.above(produced)
        trunk = model.trunk(produced)
        return {
            "atom": produced.atom,
            "name": model.names[node],
            **self._above(full, model._label(node, None, None, "", branch=True)),
            "sum": self.fragments.beneath(trunk) if trunk is not None else None,
            "emphasis": produced.emphasis,
            "endings": [self._ending(ending, produced) for ending in produced.endings],
            "folded": {str(k): self._ending(one, produced) for k, one in produced.folded.items()},
        }

    def _above(self, full: Label | None, short: Label | None) -> Plain:
        return {
            "above": self.fragments.above(full) if full is not None else None,
            "short": self.fragments.above(short) if short is not None else None,
        }

    def _ending(self, ending: Ending, produced: Produced) -> Plain:
        backward = ending.gradient is not None
        found: Plain = {
            "atom": ending.atom,
            "beneath": self.fragments.beneath(ending.label),
            "backward": backward,
            "emphasis": ending.emphasis,
        }
        if backward:
            found["gradient"] = self.tables.add(ending.gradient)
            found["rule"] = ending.label.rule
        model, wire = self.model, ending.wire
        name = ending.label.name if wire.output >= 0 else model._of_several(produced.node, wire)
        if name:
            short = model._label(produced.node, None, None, "", branch=True, name=name)
            found |= self._above(model.above(produced, name), short)
        return found

    def _constant(self, constant: Constant) -> Plain:
        plain = plain_number(constant.value)
        shown = typeset(constant.value) if self.model.shown.values and not plain else None
        shape = "" if plain else shape_text(np.shape(constant.value))
        label = Label("" if plain else constant.name, shape, shown)
        half = None if label.empty else label
        ending = {
            "atom": constant.reader,
            "beneath": self.fragments.beneath(Label()),
            "backward": False,
            "emphasis": "",
        }
        return {
            "atom": constant.atom,
            "name": constant.name,
            **self._above(half, half),
            "sum": None,
            "emphasis": "",
            "endings": [ending],
            "folded": {},
        }

    # questions

    def _question(self, question: Question) -> Plain:
        return {
            "kind": question.kind,
            "value": question.value,
            "ending": question.ending,
            "text": question.text,
            **_answer(question.answer),
            "mistakes": [
                {"forgot": one.forgot, "says": one.says, **_answer(one.answer)}
                for one in question.mistakes
            ],
        }


def _answer(answer: np.ndarray) -> Mapping[str, Sequence[float]]:
    return {
        "shape": list(answer.shape),
        "numbers": [float(f"{v:.9g}") for v in answer.ravel().tolist()],
    }


def _file(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _digits(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(value)
    text = f"{value:.6g}" if not isinstance(value, np.integer) else str(value)
    return text.replace("-", "−").replace("nan", "NaN")
