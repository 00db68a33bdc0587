"""``ag.compile(f, check=True)``: every pass is held against the graph before it, on numbers.

The numbers are those of the call, and edge values in their place; a pass that changes a result is
named. Knows graphs as data. Imports errors, graph and its own room.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.passes import Pass
from autograd_lite.compiler.program import Executable, Program
from autograd_lite.errors import CompileError
from autograd_lite.graph import Graph, settled

__all__ = ["check_passes"]

EDGES = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 40.0, -40.0, 800.0, -800.0, 1e-30, 1e30)
"""Values at which formulas that are equal in algebra part."""
_OWN = "the call's own values"


def check_passes(
    program: Program, passes: Sequence[Pass], executable: Executable, values: Sequence[Any]
) -> None:
    """Raise ``CompileError`` that names the first pass which changes a result, or the back end.

    A result that is finite before a pass is the same after it, up to rounding: within 10⁴·eps of
    the largest number of that result. Edge values are tried where the call's own numbers agree.
    Passes of the back end (``executable.passes``) may add in another order, so that on edge values
    what is finite need only stay finite.
    """
    for sample, what in _samples(values):
        with np.errstate(all="ignore"):
            before = _outputs(passes[0].before, program, sample)
            for one in passes:
                after = _outputs(one.after, program, sample)
                _compare(before, after, f"the pass {one.name!r}", what)
                before = after
            for one in getattr(executable, "passes", ()):
                after = _outputs(one.after, program, sample)
                _compare(before, after, f"the pass {one.name!r}", what, near=what == _OWN)
            if what == _OWN:
                _compare(before, list(executable(*sample)), "the back end", what)


def _samples(values: Sequence[Any]) -> Iterator[tuple[list[Any], str]]:
    """The values of the call, then edge values in the place of all floating ones."""
    yield list(values), _OWN
    fewest = min((value.size for value in values if value.dtype.kind == "f"), default=0)
    for turn in range(max(3, len(EDGES) // max(1, fewest))):
        yield [_edges(value, turn, place) for place, value in enumerate(values)], "edge values"


def _edges(value: Any, turn: int, place: int) -> Any:
    """Edge values, in another order for each place, going on from turn to turn."""
    if value.dtype.kind != "f":
        return value
    order = np.random.default_rng(place).permutation(len(EDGES))
    step = value.size if value.size < len(EDGES) else 5
    edges = np.roll(np.array(EDGES)[order], -turn * step)
    return settled(np.resize(edges, value.shape).astype(value.dtype))


def _outputs(graph: Graph, program: Program, sample: Sequence[Any]) -> list[Any]:
    try:
        return program.replayed(sample, graph)
    except Exception:  # noqa: BLE001 - edge values may be outside of a domain: nothing to compare
        return []


def _compare(
    before: Sequence[Any], after: Sequence[Any], who: str, what: str, *, near: bool = True
) -> None:
    for k, (one, other) in enumerate(zip(before, after, strict=False)):
        old, new = np.asarray(one), np.asarray(other)
        if old.shape == new.shape and old.dtype == new.dtype and _agree(old, new, near):
            continue
        raise CompileError(
            f"{who} changes output {k}: {old.dtype} {old.shape} became {new.dtype} {new.shape}"
            if old.shape != new.shape or old.dtype != new.dtype
            else f"{who} changes output {k} by {_gap(old, new):.3g}",
            where=f"seen on {what}",
            mend="please report this; until then look at compiled.passes, before and after",
        )


def _agree(old: Any, new: Any, near: bool) -> bool:
    if old.dtype.kind not in "fc":
        return bool(np.array_equal(old, new))
    finite = np.isfinite(old)
    scale = np.abs(old[finite]).max(initial=0.0)
    bound = 1e4 * np.finfo(old.dtype).eps * scale + 100 * np.finfo(old.dtype).tiny
    stays = bool(np.all(np.isfinite(new[finite])))
    return stays and (not near or bool(np.all(np.abs(new - old)[finite] <= bound)))


def _gap(old: Any, new: Any) -> float:
    finite = np.isfinite(old)
    return float(np.abs(np.where(finite, new, 0) - np.where(finite, old, 0)).max(initial=0.0))
