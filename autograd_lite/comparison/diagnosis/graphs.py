"""Where in the traced graph a mistake was made: every edge and every local derivative is tried.

Knows: in which order mistakes are tried, and what is made of those that explain the same.
Does not know: any single mistake (`terms`, `local_derivatives`, `loops`), how a layer is run.
Imports: its neighbours, graph, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis import loops, terms
from autograd_lite.comparison.diagnosis.evidence import Evidence, Explanation, Suspect, place
from autograd_lite.comparison.diagnosis.local_derivatives import local
from autograd_lite.comparison.diagnosis.mistakes import Wrong
from autograd_lite.comparison.diagnosis.partial import differing
from autograd_lite.comparison.diagnosis.trial import Found, Sought, Trial
from autograd_lite.graph import Node

__all__ = ["explain", "far_fetched"]

_LARGEST = 3_000  # nodes: of larger graphs no edge is tried


def explain(evidence: Evidence) -> list[Explanation]:
    """Mistakes at single edges, at local derivatives and in loops, that explain what is wrong."""
    return _searched(evidence, _likely)


def far_fetched(evidence: Evidence) -> list[Explanation]:
    """Steps left out, factors too many, and mistakes that show in some elements alone."""
    return _searched(evidence, _unlikely)


def _searched(
    evidence: Evidence, tried: Callable[[Trial, Suspect], list[Found]]
) -> list[Explanation]:
    graph = evidence.graph
    if graph is None or len(graph) > _LARGEST:
        return []
    trial = Trial(evidence, graph)
    explained: dict[int, list[Found]] = {}
    for suspect in evidence.suspects:
        if suspect.leaf is None:
            continue
        found: list[Found] = []
        if np.shape(suspect.hand) != suspect.leaf.shape:
            found = terms.misshapen(trial, suspect)
        elif np.isfinite(np.asarray(suspect.hand, float)).all():
            found = tried(trial, suspect)
        if found:
            explained[suspect.k] = found
    return _merged(evidence, explained)


def _merged(evidence: Evidence, explained: Mapping[int, Sequence[Found]]) -> list[Explanation]:
    """One explanation for all gradients that one mistake spoils; what explains most comes first."""
    keys: dict[Any, list[str]] = {}
    kept: dict[Any, Found] = {}
    for suspect in evidence.suspects:
        for found in explained.get(suspect.k, ()):
            names_of = keys.setdefault(found.key, [])
            if suspect.name not in names_of:
                names_of.append(suspect.name)
            kept.setdefault(found.key, found)
    best: list[Explanation] = []
    told: set[str] = set()
    for key in sorted(keys, key=lambda k: (-len(set(keys[k]) - told), kept[k].order)):
        names = tuple(name for name in keys[key] if name not in told)
        if not names:
            continue
        told.update(names)
        found = kept[key]
        text = f"at {_called(found.node)}: {found.wrong.text}"
        tested = "the traced graph, differentiated with that mistake, gives the hand-written one"
        best.append(Explanation(found.wrong.cause, text, tested, names, node=found.node))
    return best


def _called(node: Node) -> str:
    """A node with its line; a leaf, which was made elsewhere, by its name."""
    where = place(node) if node.inputs else ""
    return f"{node.op.name}, {where}" if where else node.name or node.op.name


def _likely(trial: Trial, suspect: Suspect) -> list[Found]:
    """What explains the gradient of a leaf, best first."""
    sought = Sought(trial, suspect, seed=11)
    found = _squares(terms.single(sought))
    if all(f.wrong.cause == "wrong operand" for f in found):
        locally = list(local(sought))
        found = [f for f in locally if _leaves_out(f)] or found or locally
    elif any(f.wrong.text.endswith("is left out") for f in found):
        found = [f for f in local(sought) if not _leaves_out(f)] or found
    if not found:
        found = [*terms.overwritten(sought), *terms.unsummed(sought)]
    if not found:
        found = [*terms.scaled(sought), *terms.factored(sought)]
    if not found:
        found = list(loops.looped(sought))
    return sorted(found, key=_rank)


def _unlikely(trial: Trial, suspect: Suspect) -> list[Found]:
    """More far-fetched explanations, asked where all others have failed."""
    sought = Sought(trial, suspect, seed=12)
    found = list(terms.skipped(sought))
    if not found:
        found = list(terms.times_arrays(sought))
    if not found:
        found = list(loops.stepped(sought))
    if not found:
        found = _partly(trial, suspect)
    return sorted(found, key=_rank)


def _partly(trial: Trial, suspect: Suspect) -> list[Found]:
    """Simple mistakes that show in some elements alone."""
    wrong = differing(suspect)
    if not wrong.any() or wrong.all():
        return []
    many = f", in {int(wrong.sum()):,} of its {wrong.size:,} elements"
    partly = (f for f in terms.single(Sought(trial, suspect, 13, wrong)) if _is_simple(f))
    return [replace(f, wrong=replace(f.wrong, text=f.wrong.text + many)) for f in _squares(partly)]


def _rank(found: Found) -> tuple[int, int]:
    return found.order, found.node.serial


def _squares(found: Iterable[Found]) -> list[Found]:
    """The same; where an array times itself lost one of its two terms, it is the 2 of a square."""
    kept: list[Found] = []
    for one in found:
        twin = [f for f in kept if f.key == one.key and one.wrong.cause == "missing term"]
        if twin and one.node.op.name == "multiply":
            text = "of an array times itself one term is left: the 2 of 2x is missing"
            kept[kept.index(twin[0])] = replace(twin[0], wrong=Wrong("factor", text, None))
        else:
            kept.append(one)
    return kept


def _leaves_out(found: Found) -> bool:
    return found.wrong.text.endswith(", is 1")


_SIMPLE = ("missing term", "sign", "factor", "mask")


def _is_simple(found: Found) -> bool:
    return found.wrong.cause in _SIMPLE and ", which makes it" not in found.wrong.text
