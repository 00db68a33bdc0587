"""What a convention of hand-written layers must answer.

Knows: the questions and the form of the answers; how to see that an array was changed.
Does not know: any convention, verdicts, tensors.
Imports: NumPy and errors.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = ["Convention", "HandRun", "Trouble", "changed", "place_of"]


@dataclass(frozen=True)
class Trouble:
    """Something that a hand-written layer does beside computing; `level` as in a finding."""

    level: str
    subject: str
    text: str


@dataclass(frozen=True, eq=False)
class HandRun:
    """What one forward and one backward pass of a hand-written layer gave, all of it copies.

    Gradients that were not found are None. `unmatched` names those found and not asked for.
    """

    outputs: tuple[Any, ...]
    inputs: tuple[Any, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()


class Convention(Protocol):
    """One way to write a layer with its gradient. Nothing that it is given is changed."""

    name: str

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is written in this way."""

    def input_names(self, hand: Any, count: int) -> tuple[str, ...]:
        """What the layer calls its inputs."""

    def parameter(self, hand: Any, path: str) -> Any:
        """The value of the parameter at `path` ("W", "layers.0.W"), None where there is none."""

    def forward(self, hand: Any, inputs: Sequence[Any], parameters: Mapping[str, Any]) -> Any:
        """The forward pass of a copy whose parameters have these values."""

    def run(
        self, hand: Any, inputs: Sequence[Any], cotangents: Any, paths: Sequence[str]
    ) -> HandRun:
        """Forward, then backward with what `cotangents(outputs)` gives; gradients of `paths`."""


def changed(now: Any, before: Any) -> bool:
    """Whether an array no longer holds what its copy holds."""
    now = np.asarray(now)
    return now.shape != before.shape or not np.array_equal(now, before, equal_nan=_has_nan(now))


def _has_nan(array: Any) -> bool:
    return bool(array.dtype.kind in "fc")


def place_of(error: BaseException) -> str:
    """Type and text of an exception, with the last line of the user's code that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = ("autograd_lite", "numpy")
    own = [f for f in frames if not any(part in Path(f.filename).parts for part in inside)]
    where = f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    return f"{type(error).__name__}: {error}{where}"
