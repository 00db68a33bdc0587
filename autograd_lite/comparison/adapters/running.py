"""A hand-written layer, run: on copies, with the same random numbers each time, changes noted.

Knows: how to copy what was passed, to put other values in the place of its parameters, and to see
what a pass changes.
Does not know: any convention, tensors, verdicts.
Imports: its neighbours, errors, NumPy.
"""

from __future__ import annotations

import contextlib
import copy
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import HandRun, Layer, Trouble, place_of
from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.comparison.adapters.matching import (
    aliases_of,
    as_tuple,
    leftover,
    value_at,
)
from autograd_lite.comparison.adapters.surroundings import copied
from autograd_lite.errors import CompareError

__all__ = [
    "Runner",
    "at_parameters",
    "changed",
    "numbers_in",
    "parameter_at",
    "replayed",
    "undisturbed",
]


class Runner:
    """Runs one layer on one set of inputs, again and again.

    `parts` are all that the layer holds, under dotted paths; `gradients` says where gradients lie
    that cannot be found by their names (a path, or a number in what `backward` returns), by the
    name of an input or the path of a parameter.
    """

    def __init__(
        self,
        layer: Layer,
        inputs: Inputs,
        parts: Sequence[tuple[str, Any]],
        gradients: Mapping[str, str | int] | None = None,
    ) -> None:
        self.layer, self.inputs, self.parts = layer, inputs, parts
        self.gradients = dict(gradients or {})

    def forward(self, arrays: Sequence[Any], parameters: Mapping[str, Any]) -> tuple[Any, ...]:
        """The outputs of a copy whose parameters have these values."""
        hand = at_parameters(self.layer, parameters).hand
        with replayed(self.layer.hand):
            result, _ = self.layer.call(hand, self.inputs.plain(arrays))
        return numbers_in(result)

    def run(self, arrays: Sequence[Any], cotangents: Callable[..., Any], paths: Any) -> HandRun:
        """Forward of a copy, then backward with what `cotangents(outputs)` gives.

        Every change of what is not the layer's own is noted.
        """
        with replayed(self.layer.hand):
            return self._run(arrays, cotangents, tuple(paths))

    def _run(self, arrays: Sequence[Any], cotangents: Any, paths: tuple[str, ...]) -> HandRun:
        layer, hand = self.layer, _copied(self.layer, {})
        given = self.inputs.plain(arrays)
        watched = _Watched(self.inputs, given, hand, paths)
        none: tuple[Any, ...] = (None,) * len(arrays)
        try:
            result, kept = layer.call(hand, given)
        except Exception as error:
            raise CompareError(
                f"the forward pass of {layer.title} raised {place_of(error)}",
                mend="pass inputs that the layer takes",
            ) from error
        outputs = numbers_in(result)
        troubles = watched.changes("forward")
        try:
            douts = cotangents(outputs)
        except CompareError as error:
            stop = Trouble("error", "backward", error.what)
            return HandRun(outputs, none, troubles=(*troubles, stop))
        held = [np.array(d)[()] if np.ndim(d) == 0 else np.array(d) for d in douts]
        try:
            returned = layer.pull(hand, kept, given, held)
        except CompareError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it raises is a line of the report
            stop = Trouble("error", "backward", f"backward raised {place_of(error)}", "exception")
            return HandRun(outputs, none, troubles=(*troubles, stop))
        if any(changed(now, then) for now, then in zip(held, douts, strict=True)):
            text = "backward changes its dout in place; whoever holds that array gets a wrong one"
            troubles.append(Trouble("warning", "dout", text, "in-place"))
        troubles += watched.changes("backward")
        found, parameters = self._gradients(hand, returned, given, paths)
        named = [] if self.gradients else leftover(returned, given, len(paths))
        others = (*named, *self._others(hand, paths))
        return HandRun(outputs, found, parameters, others, tuple(troubles))

    def _gradients(
        self, hand: Any, returned: Any, given: Sequence[Any], paths: tuple[str, ...]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        layer = self.layer
        of_inputs = list(self.inputs.picked(layer.input_gradients(hand, returned, given, paths)))
        aliases = aliases_of(self.parts, paths)
        parameters = dict(layer.parameter_gradients(hand, returned, given, aliases))
        for name, where in self.gradients.items():
            found = layer.mapped(hand, returned, where)
            if name in self.inputs.names:
                of_inputs[self.inputs.names.index(name)] = found
            elif name in parameters:
                parameters[name] = found
        return tuple(map(_array, of_inputs)), {p: _array(g) for p, g in parameters.items()}

    def aliases(self, path: str) -> list[str]:
        """All paths that lead to the parameter at a path."""
        return aliases_of(self.parts, [path])[path]

    def _others(self, hand: Any, paths: Sequence[str]) -> Iterator[str]:
        """Gradients in attributes for which nobody asked: `dV` beside a `V`."""
        known = {*paths, *self.inputs.names}
        held = dict(vars(hand)) if hasattr(hand, "__dict__") else {}
        for name, value in sorted(held.items()):
            owner, numbers = name[1:], isinstance(value, np.ndarray | np.generic | float)
            if name.startswith("d") and numbers and hasattr(hand, owner) and owner not in known:
                yield name


class _Watched:
    """The inputs and parameters of a run, to see who changes them."""

    def __init__(self, inputs: Inputs, given: Sequence[Any], hand: Any, paths: Any) -> None:
        self._inputs, self._given, self._hand, self._paths = inputs, given, hand, paths
        self._remember()

    def _remember(self) -> None:
        self._before = [copy.deepcopy(x) for x in self._inputs.picked(self._given)]
        self._values = {p: np.array(parameter_at(self._hand, p)) for p in self._paths}

    def changes(self, when: str) -> list[Trouble]:
        """What has changed since the last look."""
        now = self._inputs.picked(self._given)
        names = zip(self._inputs.names, now, self._before, strict=True)
        inputs = [n for n, a, b in names if changed(a, b)]
        values = self._values.items()
        parameters = [p for p, old in values if changed(parameter_at(self._hand, p), old)]
        self._remember()
        return [
            Trouble("warning", name, f"{when} changes {what} {name} in place", "in-place")
            for what, found in (("its input", inputs), ("its parameter", parameters))
            for name in found
        ]


def changed(now: Any, before: Any) -> bool:
    """Whether an array no longer holds what its copy holds."""
    now, before = np.asarray(now), np.asarray(before)
    return now.shape != before.shape or not np.array_equal(
        now, before, equal_nan=now.dtype.kind in "fc"
    )


def parameter_at(hand: Any, path: str) -> Any:
    """The numbers at a path, None where there are none."""
    value = value_at(hand, path)
    if value is None or callable(value):
        return None
    return value if np.asarray(value).dtype.kind in "fiub" else None


def numbers_in(result: Any) -> tuple[Any, ...]:
    """Copies of the outputs: the arrays and numbers in what a forward pass gave, in order."""
    found: list[Any] = []
    for part in as_tuple(result):
        if isinstance(part, list | tuple) and any(np.ndim(p) for p in part):
            found += numbers_in(part)
        elif isinstance(part, np.ndarray | np.generic | int | float | complex | list | tuple):
            found.append(np.array(part))
        elif hasattr(part, "detach") and hasattr(part, "numpy"):
            found.append(np.array(part.detach().numpy()))
        elif hasattr(part, "__array__"):
            found.append(np.array(part))
    return tuple(found)


def _array(value: Any) -> Any:
    if value is None:
        return None
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        value = value.detach().numpy()
    try:
        return np.array(value)
    except ValueError:  # a ragged list
        return np.array([None])


def at_parameters(layer: Layer, parameters: Mapping[str, Any]) -> Layer:
    """The layer of a copy whose parameters, by their paths, have these values."""
    # deepcopy's memo says what takes the place of what, wherever else the array is held.
    # Only arrays: equal Python numbers may be one object that means two things.
    held = {path: parameter_at(layer.hand, path) for path in parameters}
    are_arrays = {path for path, old in held.items() if isinstance(old, np.ndarray)}
    moved = copy.copy(layer)
    moved.hand = _copied(layer, {id(held[p]): np.array(parameters[p]) for p in are_arrays})
    for path in parameters.keys() - are_arrays:
        owner, _, name = path.rpartition(".")
        target = value_at(moved.hand, owner) if owner else moved.hand
        setattr(target, name, np.array(parameters[path]))
    return moved


def _copied(layer: Layer, memo: dict[int, Any]) -> Any:
    try:
        return copied(layer.hand, memo) if layer.surrounded else copy.deepcopy(layer.hand, memo)
    except Exception as error:
        raise CompareError(
            f"{layer.title} cannot be copied ({place_of(error)}), and a comparison works on copies",
            mend="give the class a __deepcopy__, or leave open files and the like out of it",
        ) from error


# ── the same random numbers ──────────────────────────────────────────────────────────────────────


_SEEDED: ContextVar[bool] = ContextVar("seeded", default=False)


@contextlib.contextmanager
def replayed(hand: Any) -> Iterator[None]:
    """Random numbers drawn inside are the same each time, and none are taken from outside.

    NumPy's and Python's global generators are seeded, those in the module of the layer stay as
    they are; all are as before afterwards. Inside `undisturbed` it costs microseconds.
    """
    found = _generators(hand)
    own = [g for g in found if isinstance(g, np.random.Generator)]
    old = [g for g in found if isinstance(g, np.random.RandomState)]
    states = [copy.deepcopy(g.bit_generator.state) for g in own]
    olds = [g.get_state() for g in old]
    with contextlib.nullcontext() if _SEEDED.get() else undisturbed():
        np.random.seed(0)  # noqa: NPY002  # user code draws from it
        random.seed(0)
        try:
            yield
        finally:
            for generator, state in zip(own, states, strict=True):
                generator.bit_generator.state = state
            for legacy, held in zip(old, olds, strict=True):
                legacy.set_state(held)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever runs inside, NumPy's and Python's global generators are as before afterwards."""
    before = np.random.get_state(), random.getstate()  # noqa: NPY002  # user code draws from it
    token = _SEEDED.set(True)
    try:
        yield
    finally:
        _SEEDED.reset(token)
        np.random.set_state(before[0])  # noqa: NPY002  # as above
        random.setstate(before[1])


def _generators(hand: Any) -> list[Any]:
    """The generators in the modules that what was passed comes from."""
    things = hand if isinstance(hand, tuple | list) else [hand]
    kinds = [t if callable(t) and hasattr(t, "__module__") else type(t) for t in things]
    names = {name for kind in kinds if (name := getattr(kind, "__module__", None))}
    modules = [sys.modules[name] for name in names if name in sys.modules]
    values = [value for module in modules for value in vars(module).values()]
    return [v for v in values if isinstance(v, np.random.Generator | np.random.RandomState)]
