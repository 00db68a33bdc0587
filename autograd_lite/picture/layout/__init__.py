"""Layout: a plan of boxes, chains and frames becomes coordinates, by the engine that is there.

Knows which engines exist and the order in which they are tried; not what the boxes mean. Imports
its engines and errors.
"""

from collections.abc import Callable

from autograd_lite.errors import DrawError, MissingExtraError
from autograd_lite.picture.layout import dot, layered
from autograd_lite.picture.layout.plan import Frame, Item, Placement, Plan, Rect, extent
from autograd_lite.picture.layout.rows import wrap

__all__ = ["ENGINES", "Frame", "Item", "Placement", "Plan", "Rect", "extent", "place"]

ENGINES: dict[str, Callable[[Plan], Placement]] = {
    "pygraphviz": dot.with_pygraphviz,
    "dot": dot.with_dot,
    "builtin": layered.place,
}


def place(plan: Plan, engine: str = "auto") -> Placement:
    """Lay out a plan: ``auto`` takes pygraphviz, a system ``dot``, or the built-in layout."""
    return wrap(plan, _placed(plan, engine))


def _placed(plan: Plan, engine: str) -> Placement:
    if engine != "auto":
        if engine not in ENGINES:
            names = ", ".join(["auto", *ENGINES])
            raise DrawError(f"no layout engine is called {engine!r}", mend=f"one of: {names}")
        return ENGINES[engine](plan)
    for candidate in ENGINES.values():
        try:
            return candidate(plan)
        except (MissingExtraError, DrawError):
            continue
    raise AssertionError("the built-in layout is always there")
