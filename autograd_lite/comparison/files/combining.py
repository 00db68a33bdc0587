"""Which choices for the arguments of a layer go together, the likeliest first.

Knows: that weights with one meaning are chosen together; three styles in which whole files are
written (samples in columns, in columns over time, images with their channels last); that labels are
of the same samples as the inputs.
Does not know: sizes, layers, whether any of it runs.
Imports: adapters, slots, the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograd_lite.comparison.adapters.words import is_label
from autograd_lite.comparison.files.slots import Slot
from autograd_lite.comparison.files.vocabulary import BATCH, Choice

__all__ = ["combinations", "is_astray"]

_FIRST = 3  # combinations by the likelihood of each argument alone, before the styles


def combinations(slots: Sequence[Slot], limit: int) -> list[tuple[Choice, ...]]:
    """One choice for each slot, by the sum of their places in the lists; groups go together."""
    groups = list(dict.fromkeys(slot.group for slot in slots))
    lengths = [min(len(s.options) for s in slots if s.group == group) for group in groups]
    found: list[tuple[Choice, ...]] = []
    for total in range(sum(lengths) - len(lengths) + 1):
        for places in _places(lengths, total):
            at = dict(zip(groups, places, strict=True))
            found.append(tuple(slot.options[at[slot.group]] for slot in slots))
            if len(found) == _FIRST:
                found += _in_styles(slots)
            if len(found) >= limit:
                return found
    return found


def is_astray(slots: Sequence[Slot], picked: Sequence[Choice]) -> bool:
    """Whether labels are of other samples than the inputs."""
    labels = [c for c in picked if c.kind in "iob" and c.dims]
    inputs = [c for s, c in zip(slots, picked, strict=True) if c.dims and not s.is_parameter]
    if not labels or not inputs or inputs[0].kind != "f":
        return False
    samples = (BATCH & set(inputs[0].dims)) or set(inputs[0].dims[:1])
    return not all(samples <= set(c.dims) or (c.kind == "i" and len(c.dims) > 1) for c in labels)


@dataclass(frozen=True)
class _Style:
    """One form throughout: of inputs, the first that one may have; of weights, and of biases.

    Without `weight` it is the usual one turned round, and a bias a column.
    """

    inputs: tuple[tuple[str, ...], ...]
    weight: tuple[str, ...] | None = None
    bias: tuple[str, ...] = ()


_STYLES = (
    _Style((("D", "N"), ("K", "N"), ("H", "N"), ("1", "N"))),
    _Style((("D", "N"), ("1", "N"), ("H", "N"))),
    _Style((("D", "N", "T"), ("D", "N"), ("H", "N"), ("K", "N"))),
    _Style((("T", "D", "1"), ("K", "1"))),
    _Style((("B", "Y", "X", "C"),), ("3", "3", "C", "F"), ("1", "1", "1", "F")),
    _Style((("N", "D"), ("N",)), ("D",)),
    _Style((("D", "N"), ("1", "N")), ("D", "1")),
    _Style((("N",),), ()),
    _Style((("C", "Y", "X"),)),
    _Style((("B", "C", "Y", "X"),)),
)


def _in_styles(slots: Sequence[Slot]) -> Iterator[tuple[Choice, ...]]:
    """The choices of one style throughout, where there are weights to have it."""
    first = next((slot for slot in slots if not slot.is_parameter), None)
    if first is None or not any(slot.is_parameter for slot in slots):
        return
    for style in _STYLES:
        if style.inputs[0] in [choice.dims for choice in first.options]:
            yield tuple(_in_style(slot, style) or slot.options[0] for slot in slots)


def _in_style(slot: Slot, style: _Style) -> Choice | None:
    """The choice of a slot in a style; None where it has none of that form."""
    if not slot.is_parameter:
        labels = is_label(slot.name) or slot.options[0].kind in "iob"
        forms = style.inputs[1:] or style.inputs if labels else style.inputs
        fitting = [c for c in slot.options if labels or c.kind == "f"]
        return next((c for dims in forms for c in fitting if c.dims == dims), None)
    if slot.options[0].kind == "(":
        shape = style.inputs[0]
        return next((c for c in slot.options if c.dims in (shape, shape[1:])), None)
    arrays = [choice for choice in slot.options if choice.kind == "f"]
    if not arrays or slot.options[0].kind != "f":
        return None
    is_matrix = len(arrays[0].dims) == 2 and "1" not in arrays[0].dims
    if style.weight is not None:
        wanted = style.weight if is_matrix else style.bias
        return next((c for c in arrays if c.dims == wanted), None)
    if is_matrix:
        return next((c for c in arrays if c.dims == arrays[0].dims[::-1]), None)
    return next((c for c in arrays if len(c.dims) == 2 and c.dims[-1] == "1"), None)


def _places(lengths: Sequence[int], total: int) -> Iterator[tuple[int, ...]]:
    """All tuples of numbers below `lengths` with this sum; the later ones grow first."""
    if not lengths:
        if total == 0:
            yield ()
        return
    for first in range(min(lengths[0] - 1, total) + 1):
        for rest in _places(lengths[1:], total - first):
            yield (first, *rest)
