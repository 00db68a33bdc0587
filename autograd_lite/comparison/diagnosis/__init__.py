"""Why a hand-written gradient is wrong: hypotheses, each tested with numbers.

Knows: in which order the kinds of explanation are tried, and what is kept of them.
Does not know: how layers are written, how the gradients came to be, how a report looks.
Imports: its own files, report, NumPy.

Cheap and simple explanations come first: a factor is preferred to a wrong local derivative that
happens to be one. A gradient that one of them explains is not looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from autograd_lite.comparison.diagnosis import (
    behaviour,
    constants,
    graphs,
    partial,
    places,
    responses,
    whole,
)
from autograd_lite.comparison.diagnosis.evidence import Evidence, Explanation, Suspect

__all__ = ["Evidence", "Explanation", "Suspect", "explain", "remembered"]

_NEAR = 1e-3  # off by less than this part of the largest element


def explain(evidence: Evidence) -> list[Explanation]:
    """Explanations of what is wrong, those that explain most gradients first."""
    found: list[Explanation] = []
    with np.errstate(all="ignore"):  # wrong gradients are run and tried at places unheard of
        for step in _STEPS:
            rest = _without(evidence, found)
            if not rest.suspects:
                break
            found += step(rest)
    return _joined(found)


def remembered(evidence: Evidence, names: Sequence[str]) -> list[Explanation]:
    """What shows only when a layer is used more than once; asked of right layers too."""
    return behaviour.memory(evidence, names)


def _whole(evidence: Evidence) -> list[Explanation]:
    """What is seen of a gradient as a whole."""
    return _first_of(whole.TESTS, evidence)


def _near(evidence: Evidence) -> list[Explanation]:
    """Gradients that are almost right: an epsilon, before anything else is thought of."""
    near = [s for s in evidence.suspects if 0 < s.row.max_rel < _NEAR]
    return constants.explain(replace(evidence, suspects=near)) if near else []


def _masked(evidence: Evidence) -> list[Explanation]:
    """Masks of layers that work element by element, which are plain to see without a graph."""
    found = (behaviour.elementwise(evidence, suspect) for suspect in evidence.suspects)
    return [one for one in found if one is not None and one.cause == "mask"]


def _partly(evidence: Evidence) -> list[Explanation]:
    """What is right in some elements alone."""
    return _first_of(partial.TESTS, evidence)


def _last(evidence: Evidence) -> list[Explanation]:
    """What is said where nothing else is known."""
    return _first_of((whole.misshapen,), evidence)


def _single(evidence: Evidence) -> list[Explanation]:
    """What asks the layer itself, where the graph had no answer."""
    return _first_of((*behaviour.TESTS, whole.twice), evidence)


def _first_of(
    tests: Sequence[Callable[[Evidence, Suspect], Explanation | None]], evidence: Evidence
) -> list[Explanation]:
    """For each suspect what the first test says that has an answer."""
    answers = (
        next((said for test in tests if (said := test(evidence, suspect)) is not None), None)
        for suspect in evidence.suspects
    )
    return [said for said in answers if said is not None]


def _without(evidence: Evidence, found: Sequence[Explanation]) -> Evidence:
    told = {name for explanation in found for name in explanation.rows}
    return replace(evidence, suspects=[s for s in evidence.suspects if s.name not in told])


_STEPS = (
    _whole,
    _near,
    _masked,
    graphs.explain,
    constants.explain,
    _single,
    responses.explain,
    graphs.far_fetched,
    _partly,
    places.explain,
    _last,
)


def _joined(found: Sequence[Explanation]) -> list[Explanation]:
    """One of those that say the same of several gradients."""
    groups: dict[tuple[str, str], list[Explanation]] = {}
    for explanation in found:
        groups.setdefault((explanation.cause, explanation.text), []).append(explanation)
    joined = [
        replace(group[0], rows=tuple(name for e in group for name in e.rows))
        for group in groups.values()
    ]
    return sorted(joined, key=lambda e: -len(e.rows))
