"""One trial: a choice for every argument, sizes for the letters of their shapes, and the values.

Knows: how the arrays of a trial are drawn, which sizes in it are equal by accident, how it is told.
Does not know: layers, which trials are worth making.
Imports: slots, the vocabulary, NumPy.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.comparison.files.slots import Slot
from autograd_lite.comparison.files.vocabulary import BATCH, WORLDS, Choice

__all__ = ["Trial", "resized", "sizes_of", "with_changes"]

_FRESH = (9, 10, 11, 13, 14, 15, 17, 19, 21, 22, 23, 25, 26, 27, 29)  # sizes of arguments' own
_LARGE, _SMALL = 64, 20  # what is larger than the one grows from what is smaller than the other


@dataclass(frozen=True, eq=False)
class Trial:
    """One choice for each slot, and sizes; `domain` of the floats: "normal" or "shares"."""

    slots: tuple[Slot, ...]
    picked: tuple[Choice, ...]
    sizes: Mapping[str, int]
    gates: int
    domain: str = "normal"
    build: str = ""  # what of the input's shape the layer is built with

    def size(self, dim: str) -> int:
        """The size that a letter stands for."""
        if "+" in dim:
            return sum(map(self.size, dim.split("+")))
        if dim == "G":
            return self.gates * self.sizes["H"]
        return int(dim) if dim.isdecimal() else self.sizes[dim]

    def values(self) -> tuple[dict[str, Any], list[Any]]:
        """The settings by name, and the inputs in order."""
        rng = np.random.default_rng(0)
        settings: dict[str, Any] = {}
        inputs: dict[str, Any] = {}
        several: list[Any] = []
        for slot, choice in zip(self.slots, self.picked, strict=True):
            value = self._value(choice, rng)
            held = settings if slot.setting else inputs
            if slot.key:
                held.setdefault(slot.name, {})[slot.key] = value
            elif choice.kind == "*":
                several = value
            else:
                held[slot.name] = value
        return settings, [*inputs.values(), *several]

    def _value(self, choice: Choice, rng: np.random.Generator) -> Any:
        shape = tuple(map(self.size, choice.dims))
        match choice.kind:
            case "=":
                return choice.value
            case "#":
                return shape[0]
            case "[":
                return list(shape)
            case "(":
                return shape
            case "l" | "*":
                return [self._floats(shape, rng) for _ in range(2)]
            case "i":
                found = rng.integers(0, 3, shape)
                found.flat[: min(3, found.size)] = (2, 0, 2)[: found.size]
                return found
            case "o":
                if choice.dims[-1] in BATCH:  # samples in columns
                    return np.eye(shape[0], dtype=int)[rng.integers(0, 3, shape[1:]) % shape[0]].T
                return np.eye(shape[-1], dtype=int)[rng.integers(0, 3, shape[:-1]) % shape[-1]]
            case "b":
                return rng.integers(0, 2, shape)
            case _:
                return self._floats(shape, rng)

    def _floats(self, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        values = rng.standard_normal(shape)
        if self.domain == "normal" or not shape:
            return values if shape else np.float64(abs(values))
        positive = np.exp(values)
        return positive / positive.sum(axis=-1, keepdims=True)

    def accidents(self, world: Mapping[str, int]) -> int:
        """How many sizes within one array are equal that were not meant to be."""
        count = 0
        for choice in self.picked:
            for a, b in itertools.combinations(dict.fromkeys(choice.dims), 2):
                meant = "G" in (a, b) or "+" in a + b or a.isdecimal() or b.isdecimal()
                meant = meant or (a in world and b in world and world[a] == world[b])
                count += self.size(a) == self.size(b) != 1 and not meant
        return count

    def coincidences(self, world: Mapping[str, int]) -> int:
        """How many sizes that were told apart are equal now, wherever they stand."""
        dims = [d for d in self._dims() - BATCH if d in world and "+" not in d]
        pairs = [*itertools.combinations(dims, 2), *itertools.product(self._learnt(), BATCH)]
        return sum(self.sizes[a] == self.sizes[b] and world[a] != world[b] for a, b in pairs)

    def _learnt(self) -> set[str]:
        """The sizes of parameters, where there is a batch."""
        pairs = zip(self.slots, self.picked, strict=True)
        found = {d for slot, choice in pairs if slot.is_parameter for d in choice.dims}
        return {d for d in found - BATCH if d in WORLDS[0]} if BATCH & self._dims() else set()

    def holds_batch(self) -> bool:
        """Whether a parameter has come to have the size of the batch."""
        return any(
            "?" in dim and self.sizes[dim] == self.sizes[batch]
            for slot, choice in zip(self.slots, self.picked, strict=True)
            if slot.is_parameter
            for dim in choice.dims
            for batch in BATCH & self._dims()
        )

    def _dims(self) -> set[str]:
        return {dim for choice in self.picked for dim in choice.dims}

    def told(self) -> str:
        """What was taken, in words: the inputs, then the settings."""
        texts: dict[bool, list[str]] = {False: [], True: []}
        for slot, choice in zip(self.slots, self.picked, strict=True):
            name = f"{slot.name}[{slot.key!r}]" if slot.key else slot.name
            texts[slot.setting].append(_said(name, choice, self))
        made_of = f"; made of {', '.join(texts[True])}" if texts[True] else ""
        return ", ".join(texts[False]) + made_of

    @property
    def key(self) -> Any:
        """What tells trials of one combination apart."""
        return tuple(sorted(self.sizes.items())), self.domain, self.build

    def batched(self) -> bool:
        """Whether some input has several axes, or samples along its only one."""
        return any(
            len(choice.dims) > 1 or choice.dims == ("N",)
            for slot, choice in zip(self.slots, self.picked, strict=True)
            if not slot.is_parameter
        )


def _said(name: str, choice: Choice, trial: Trial) -> str:
    shape = tuple(map(trial.size, choice.dims))
    if choice.kind == "=":
        value = choice.value
        if isinstance(value, np.ndarray):
            return f"{name} {_shape(value.shape)}"
        if isinstance(value, Mapping) and all(isinstance(v, np.ndarray) for v in value.values()):
            return ", ".join(f"{name}.{key} {_shape(v.shape)}" for key, v in value.items())
        return f"{name}={_short(value)}"
    if choice.kind == "#":
        return f"{name}={shape[0]}"
    if choice.kind in "[(":
        return f"{name}={list(shape) if choice.kind == '[' else shape}"
    kind = {"i": " of integers", "o": " one-hot", "b": " of 0 and 1", "l": " twice", "*": " twice"}
    return f"{name} {_shape(shape)}{kind.get(choice.kind, '')}"


def _shape(shape: Sequence[int]) -> str:
    return f"({','.join(map(str, shape))})"


def _short(value: Any) -> str:
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return text if len(text) <= 40 else text[:39] + "…"


def with_changes(trial: Trial, **changes: Any) -> Trial:
    """The same trial with some of it changed."""
    return replace(trial, **changes)


def sizes_of(picked: Sequence[Choice], world: Mapping[str, int]) -> dict[str, int]:
    """The sizes of a world, and a fresh one for every other dimension."""
    sizes, fresh = dict(world), iter(_FRESH)
    for dim in dict.fromkeys(d for choice in picked for d in choice.dims):
        if dim != "G" and "+" not in dim and not dim.isdecimal() and dim not in sizes:
            sizes[dim] = next(fresh)
    return sizes


# ── what NumPy's complaints say of sizes ─────────────────────────────────────────────────────────

_TWO_SIZES = re.compile(
    r"(\d+) \(dim \d+\) != (\d+) \(dim \d+\)"
    r"|size (\d+) is different from (\d+)"
    r"|has size (\d+) and the array at index \d+ has size (\d+)"
    r"|axis is (\d+) but size of corresponding boolean axis is (\d+)"
    r"|dimension is (\d+) but corresponding boolean dimension is (\d+)"
)
_SHAPE = re.compile(r"\((\d+(?:,\s?\d+)*),?\)")


def resized(trial: Trial, complaint: str) -> list[Trial]:
    """The same choices with sizes that might please; the batch is left alone if possible."""
    found = []
    for p, q in _unequal(complaint):
        for old, new in ((p, q), (q, p)):
            if new < 2 or (new > _LARGE and old > _SMALL):  # 1 fits everything; none grows for ever
                continue
            found += [
                (dim in BATCH, with_changes(trial, sizes={**trial.sizes, dim: new}))
                for dim in _dims_of(trial, old)
            ]
    return [other for _, other in sorted(found, key=lambda pair: pair[0])]


def _dims_of(trial: Trial, size: int) -> list[str]:
    dims = dict.fromkeys(d for choice in trial.picked for d in choice.dims)
    return [d for d in dims if trial.sizes.get(d) == size]


def _unequal(complaint: str) -> list[tuple[int, int]]:
    """Pairs of sizes that ought to be equal."""
    match = _TWO_SIZES.search(complaint)
    if match:
        p, q = (int(n) for n in match.groups() if n is not None)
        return [(p, q)] if p != q else []
    shapes = [[int(n) for n in m.split(",")] for m in _SHAPE.findall(complaint)]
    pairs = []
    for a, b in itertools.pairwise(shapes):
        for p, q in zip(reversed(a), reversed(b)):
            if p != q and 1 not in (p, q):
                pairs.append((p, q))
        if not pairs and len(a) == len(b):
            pairs += [(p, q) for p, q in zip(a, b) if p != q]
    return pairs
