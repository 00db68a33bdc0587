"""What a convention of hand-written layers must answer.

Knows: the questions and the form of the answers.
Does not know: any convention, verdicts, tensors.
Imports: its neighbours.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from autograd_lite.comparison.adapters.matching import (
    gradient_among,
    of_inputs,
    of_parameters,
    value_at,
)
from autograd_lite.comparison.adapters.surroundings import around

__all__ = ["Convention", "HandRun", "Layer", "Trouble", "arguments_of", "place_of", "required_of"]


@dataclass(frozen=True)
class Trouble:
    """Something that a hand-written layer does beside computing; `level` as in a finding."""

    level: str
    subject: str
    text: str
    cause: str = ""


@dataclass(frozen=True, eq=False)
class HandRun:
    """What one forward and one backward pass of a hand-written layer gave, all of it copies.

    `inputs` has a gradient for each array among the inputs. Gradients that were not found are
    None. `unmatched` names those found and not asked for.
    """

    outputs: tuple[Any, ...]
    inputs: tuple[Any, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()


class Layer:
    """A hand-written layer as a comparison sees it, whatever its convention.

    `hand` is what was passed; whatever is run gets a copy of it, or a lifted one. `names` are
    those of the inputs. `upstream` says what `backward` takes: "given", the gradient flowing in;
    "unit", the same with 1 for a default; "none", nothing, so that the gradient is that of the
    output itself. `wanted` says of which inputs of floats a gradient is expected: "all", "first",
    "none", "weights", those that have the name of one, "named", the first and the weights, or
    "entries", those in dictionaries and lists. `traceable` is False where the body is known not to
    be NumPy's.

    A convention makes one by giving `call` and `pull`, and overrides the rest where its gradients
    lie elsewhere.
    """

    upstream = "given"
    traceable = True
    wanted = "first"  # of which inputs of floats a gradient is expected: see below
    supposed = ""  # what is taken for granted of it that its code does not say, as a sentence
    learns = True  # whether what is called like a weight is expected to have a gradient
    touched: Mapping[str, Any] = {}  # what the last backward pass has set, by paths, where known

    def __init__(self, hand: Any, title: str, names: Sequence[str]) -> None:
        self.hand, self.title, self.names = hand, title, tuple(names)

    @cached_property
    def surrounded(self) -> bool:
        """Whether its functions use data around them: copies are then made of these too."""
        return bool(around(self.hand))

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        """The output (or a tuple or list of them), and what `pull` needs of this pass."""
        raise NotImplementedError

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        """What the backward pass returns. `douts` has one entry for each output of `call`."""
        raise NotImplementedError

    def taken(self, count: int) -> int:
        """Of so many outputs the number whose gradient `pull` takes; the rest flow back nothing."""
        return count

    def input_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], paths: Sequence[str]
    ) -> list[Any]:
        """For each input its gradient (nested as the input is), or None."""
        return of_inputs(hand, returned, self.names, inputs, len(paths))

    def parameter_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], aliases: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """The gradient of each parameter, each with all the paths that lead to it."""
        return of_parameters(hand, returned, inputs, aliases)

    def mapped(self, hand: Any, returned: Any, where: str | int) -> Any:
        """The gradient at a place that the caller named.

        An attribute's path, or a number in what `backward` returned.
        """
        if isinstance(where, int):
            parts = returned if isinstance(returned, tuple | list) else (returned,)
            return parts[where] if -len(parts) <= where < len(parts) else None
        found = value_at(hand, where)
        return gradient_among(returned, where) if found is None else found


class Convention(Protocol):
    """One way to write a layer with its gradient."""

    name: str

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is written in this way."""

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """`hand` as a comparison sees it. `CompareError` where the form is not clear."""


def arguments_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The positional arguments of a function; none where it tells none."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []
    return [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def required_of(function: Callable[..., Any]) -> list[str]:
    """The names of the positional arguments without default."""
    return [p.name for p in arguments_of(function) if p.default is p.empty]


def place_of(error: BaseException) -> str:
    """Type and text of an exception, with the last line of the user's code that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = ("autograd_lite", "numpy")
    own = [f for f in frames if not any(part in Path(f.filename).parts for part in inside)]
    where = f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    return f"{type(error).__name__}: {error}{where}"
