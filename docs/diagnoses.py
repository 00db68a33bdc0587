"""How often a diagnosis names the right reason: the page, made of what the proof has written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docs.markdown import table

__all__ = ["page"]

FIGURES = Path(__file__).parent / "diagnoses.json"

HEAD = """\
# Diagnoses

`ag.compare` says why a hand-written gradient is wrong. How often it is right about that was
measured on {layers} right layers in the styles of students (`tests/comparison/corpus/`: classes,
function pairs, losses with their gradient, contexts, custom pairs) and on
{mutants:,} wrong ones, made of the right ones by one small edit of the source each
(`tests/comparison/mutation.py`). A third of these, by a hash of the name, was held out: nobody
looked at them while the diagnosis was written.

- Right layers: {false_alarms} of {layers} called wrong; {traced} forward passes traced.
- Wrong layers in training: {found_training:.1%} found, {named_training:.1%} with the right reason.
- Wrong layers held out: {found_held_out:.1%} found, {named_held_out:.1%} with the right reason.

What is not found is a gradient that was left out of a parameter whose name does not say that it is
one (`self.s`): the report then lists it as not compared.

An edit expects one or a few reasons; `tests/comparison/mistakes.py` lists them. Some lists grew
while results of training were looked at, where two names fit one fact: a quotient's lost square is
a missing term. What a wrong layer is measured to do counts too: a term dropped may leave a multiple
of the right gradient, which is a factor, and an edit that raises is an exception. The reason that
counts is the first one of the report. Edits without effect are no mutants. The numeric referee was
left out of the runs of wrong layers (`numeric=False`): it judges the automatic side. Made by
`python -m tests.comparison.proof` with {share:.0%} of all edits.

"""


def page() -> str:
    """The page docs/diagnoses.md."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    sums = figures["operators"].pop("all")
    facts: dict[str, Any] = {key: figures[key] for key in ("layers", "false_alarms", "traced")}
    facts["share"] = figures["share"]
    facts["mutants"] = sum(part[0] for part in sums.values())
    for kind, (count, found, named) in sums.items():
        facts[f"found_{kind}"], facts[f"named_{kind}"] = found / count, named / count
    rows = [
        [name, *(cell for kind in ("training", "held_out") for cell in _cells(parts.get(kind)))]
        for name, parts in figures["operators"].items()
    ]
    header = ["edit", "training", "found", "named", "held out", "found", "named"]
    return HEAD.format(**facts) + table(header, rows)


def _cells(part: list[int] | None) -> list[str]:
    return ["–", "–", "–"] if part is None else [str(number) for number in part]
