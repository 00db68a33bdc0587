"""Every mutant put before `ag.compare`: is it found, and is the mistake named?

`python -m tests.comparison.proof [share]` prints the table and writes the figures of
docs/diagnoses.md; `share` is the part of the mutants that is tried, 1 for all of them.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograd_lite as ag
from autograd_lite.errors import CompareError
from tests.comparison.mutation import Mutant, effect, layers, mutants_of

PAGE = Path(__file__).parents[2] / "docs" / "diagnoses.json"


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant: `said` is the first cause that the report names."""

    mutant: Mutant
    expected: frozenset[str]
    found: bool
    said: str

    @property
    def named(self) -> bool:
        return self.said in self.expected


def chosen(share: float) -> Iterator[Mutant]:
    """The part of all mutants whose hash is small enough: the same ones every time."""
    for layer in layers():
        for mutant in mutants_of(layer):
            if zlib.crc32(f"share of {mutant.name}".encode()) < share * 2**32:
                yield mutant


def judged(mutant: Mutant) -> Outcome | None:
    """What a comparison says of a mutant; None where the edit changes nothing.

    The numeric referee is left out: it judges the automatic side, which is the same for all mutants
    of a layer, and takes most of the time.
    """
    changes = effect(mutant)
    if changes is None:
        return None
    hand, inputs = mutant.make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            report = ag.compare(hand, *inputs, numeric=False)
        except CompareError as error:
            return Outcome(mutant, changes.causes, True, f"refused: {error.what}")
    loud = [f for f in report.ordered if f.level != "info" or f.cause == "alias"]
    said = [f.cause for f in loud if f.cause]
    found = not report.ok or bool(said)
    return Outcome(mutant, changes.causes, found, said[0] if said else "")


def table(outcomes: Iterable[Outcome]) -> list[tuple[str, int, int, int]]:
    """(mutation operator, mutants, found, named) in order, and the sum."""
    rows: dict[str, list[int]] = {}
    for outcome in outcomes:
        for name in (outcome.mutant.operator.name, "all"):
            row = rows.setdefault(name, [0, 0, 0])
            row[0] += 1
            row[1] += outcome.found
            row[2] += outcome.named
    last = rows.pop("all", [0, 0, 0])
    return [(name, *row) for name, row in sorted(rows.items())] + [("all", *last)]


def shown(title: str, outcomes: Iterable[Outcome]) -> str:
    """The table as text."""
    lines = [f"{title:28} mutants  found  named"]
    for name, mutants, found, named in table(outcomes):
        lines.append(f"{name:28} {mutants:7} {found:6} {named:6}  {named / mutants:6.1%}")
    return "\n".join(lines)


def alarms() -> tuple[int, int]:
    """How many right layers are called wrong, and how many forward passes are traced."""
    false = traced = 0
    for layer in layers():
        hand, inputs = layer.make()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report = ag.compare(hand, *inputs)
        false += not report.ok
        traced += report.graph is not None
    return false, traced


def figures(outcomes: Sequence[Outcome], share: float) -> dict[str, Any]:
    """What the page shows."""
    operators: dict[str, dict[str, list[int]]] = {}
    for kind, held_out in (("training", False), ("held_out", True)):
        part = [one for one in outcomes if one.mutant.held_out == held_out]
        for name, *counts in table(part):
            operators.setdefault(name, {})[kind] = counts
    false, traced = alarms()
    facts = {"layers": len(layers()), "false_alarms": false, "traced": traced, "share": share}
    return {**facts, "operators": dict(sorted(operators.items()))}


if __name__ == "__main__":
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(judged, chosen(share), chunksize=8))
    outcomes = [one for one in found if one is not None]
    for kind, held_out in (("training", False), ("held out", True)):
        part = [one for one in outcomes if one.mutant.held_out == held_out]
        sys.stdout.write(shown(kind, part) + "\n\n")
    text = json.dumps(figures(outcomes, share), indent=1)
    PAGE.write_text(re.sub(r"\[\s+(\d+),\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2, \3]", text) + "\n")
