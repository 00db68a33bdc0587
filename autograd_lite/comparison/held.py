"""What a hand-written layer holds: its attributes, and what its functions use around them.

Knows: the dotted path of each part, and which path reads best.
Does not know: which parts are parameters, verdicts.
Imports: adapters, automatic, NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.surroundings import held_around
from autograd_lite.comparison.automatic import parts_of

__all__ = ["held_by", "names_of"]


def held_by(hand: Any) -> list[tuple[str, Any]]:
    """All that a layer holds, under dotted paths; an attribute hides what is called as it is."""
    held = list(parts_of(hand))
    known = {path.partition(".")[0] for path, _ in held}
    further = {name: value for name, value in held_around(hand).items() if name not in known}
    return held + [(path, part) for path, part in parts_of(further) if path]


def names_of(hand: Any) -> dict[int, str]:
    """The dotted path of every array that a layer holds, by identity: the one that reads best.

    `W` before `params.0`.
    """
    paths: dict[int, list[str]] = {}
    for path, part in held_by(hand):
        if isinstance(part, np.ndarray):
            paths.setdefault(id(part), []).append(path)
    return {key: min(found, key=_awkwardness) for key, found in paths.items()}


def _awkwardness(path: str) -> tuple[bool, int, int]:
    last = path.rpartition(".")[2]
    return last.isdecimal(), path.count("."), len(path)
