"""Wrong local derivatives of parts that work element by element.

Knows: what may stand where the derivative of such a part should.
Does not know: loops, terms of a sum.
Imports: its neighbours, graph, NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.evidence import fits, start_of
from autograd_lite.comparison.diagnosis.mistakes import Wrong
from autograd_lite.comparison.diagnosis.substitutes import SUBSTITUTES
from autograd_lite.comparison.diagnosis.trial import Found, Sought, classified
from autograd_lite.graph import Node
from autograd_lite.reverse import Flow

__all__ = ["instead", "local"]

_CHANCE = 6  # in fewer elements a mask fits by chance


def _substituted(flow: Flow, x: Node, y: Node, d: Any) -> Iterator[tuple[str, str, Any]]:
    g = np.asarray(flow.cotangents[y], float)
    a, b = (np.asarray(flow.values[node], float) for node in (x, y))
    for cause, text, local in SUBSTITUTES:
        with np.errstate(all="ignore"):
            wrong = np.asarray(local(a, b, np.asarray(d, float), g), float)
        few = cause == "mask" and (
            y.size < _CHANCE or y.op.name == "assemble" or bool(np.ptp(wrong) == 0)
        )
        if np.isfinite(wrong).all() and not fits(wrong, d) and not few:
            yield cause, text, wrong


def local(sought: Sought) -> Iterator[Found]:
    """Another local derivative stands where that of a part should."""
    flow = sought.trial.flow
    for x, y, d in sought.trial.regions:
        if x not in sought.pushed.at:
            continue
        g = np.asarray(flow.cotangents[y], float)
        for order, (cause, text, wrong) in enumerate(_substituted(flow, x, y, d)):
            cause = "mask" if _is_mask(d) and _is_mask(wrong) else cause
            if sought.explains(x, (wrong - np.asarray(d, float)) * g):
                wrongly = Wrong(cause, instead(x, text), wrong)
                yield Found(classified(wrongly, d), y, order)


def _is_mask(local: Any) -> bool:
    return bool(((local == 0) | (local == 1)).all())


def instead(x: Node, text: str) -> str:
    """The sentence that names the derivative which is used from x on."""
    return f"the local derivative that is used, from {start_of(x)} to there, is {text}"
