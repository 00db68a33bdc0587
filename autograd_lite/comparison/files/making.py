"""Inputs for a layer of which nothing is known but its code: made by trying.

Knows: how to go through what the arguments may be (`vocabulary`), to read from NumPy's complaints
which sizes have to be equal, and to tell a fitting trial from a poor one.
Does not know: files, processes, verdicts.
Imports: adapters, the vocabulary, errors, NumPy.

A trial makes the layer, runs it forward and backward, and looks whether every gradient has the
shape of its array. The first one that fits in all of that, with no size equal to another by
accident, is taken; otherwise the best. A parameter is never given the size of the batch where that
can be helped, for then a missing sum would not show.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters import convention_of
from autograd_lite.comparison.adapters.base import place_of, required_of
from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.comparison.adapters.losses import ValueAndGradient
from autograd_lite.comparison.adapters.moving import PlainDescent
from autograd_lite.comparison.adapters.running import Runner, replayed
from autograd_lite.comparison.files.combining import combinations, is_astray
from autograd_lite.comparison.files.programs import told
from autograd_lite.comparison.files.slots import Target, is_optimiser, slots_of
from autograd_lite.comparison.files.trials import Trial, resized, sizes_of, with_changes
from autograd_lite.comparison.files.vocabulary import WORLDS, Choice, is_loss
from autograd_lite.comparison.held import held_by, names_of
from autograd_lite.errors import CompareError

__all__ = ["Made", "made"]

_ENOUGH = 700  # trials after the first that ran through
_OF_ONE = 3.5  # how far a batch of one can come: right for it alone
_PER_COMBINATION = 14  # trials with other sizes


@dataclass(frozen=True)
class Made:
    """Inputs that fit, and the settings that the layer was made with; `make` does it anew."""

    make: Callable[[], tuple[Any, list[Any]]]
    told: str


def made(target: Target, given: Mapping[str, Any], seconds: float = 8.0) -> Made:
    """Inputs for a layer; `given` says what some arguments are.

    Raises `CompareError` that says what was tried and what to pass.
    """
    return _Search(target, {**target.known(), **given}, seconds).best()


@dataclass(frozen=True)
class _Outcome:
    """How far a trial came, and what stopped it.

    0: forward raised; 1: no finite numbers; 2: backward raised; 3: a gradient of another shape;
    4: all well.
    """

    level: float
    trouble: str = ""


@dataclass(eq=False)
class _Search:
    target: Target
    given: Mapping[str, Any]
    seconds: float
    tried: int = 0
    reached: list[tuple[tuple[float, int], Trial]] = field(default_factory=list)
    complaints: dict[str, int] = field(default_factory=dict)
    ran: int | None = None  # the first trial that ran through

    def best(self) -> Made:
        self.slots = tuple(slots_of(self.target, self.given))
        names = {slot.name for slot in self.slots if slot.key} & set(self.given)
        self.slots = tuple(slot for slot in self.slots if slot.name not in names)
        self.domain = "shares" if _takes_shares(self.target) else "normal"
        if all(slot.setting for slot in self.slots):
            raise CompareError(
                "its forward pass takes nothing: what it works on stands elsewhere",
                mend="let forward take its input: forward(x)",
            )
        self.ends = time.monotonic() + self.seconds
        trial = self._search()
        if trial is None:
            raise self._failure()
        return Made(lambda: self._make(trial), trial.told())

    def _search(self) -> Trial | None:
        for trial, world in self._trials():
            outcome = self._repaired(trial, world)
            if outcome is not None:
                return outcome
            fits = any(level == 4 for (level, _), _ in self.reached)
            patience = _ENOUGH // 3 if fits else _ENOUGH
            enough = self.ran is not None and self.tried > self.ran + patience
            if enough or time.monotonic() > self.ends or self._is_hopeless():
                break
        return max(self.reached, key=lambda r: r[0])[1] if self.reached else None

    def _is_hopeless(self) -> bool:
        """Whether something is missing that no inputs can bring."""
        always = len(self.complaints) == 1 and self.tried > 20 and not self.reached
        return always and next(iter(self.complaints)).startswith(
            ("Module", "NameError", "NotImplementedError", "it calls")
        )

    def _trials(self) -> Iterator[tuple[Trial, Mapping[str, int]]]:
        """All that is to be tried, the likeliest first."""
        likely, rest = (all_of_them := combinations(self.slots, 400))[:60], all_of_them[60:]
        for part in (likely, rest):
            for world in WORLDS if _names_images(self.target.node) else WORLDS[:-1]:
                for picked in part:
                    if is_astray(self.slots, picked) or self._is_settled(picked):
                        continue
                    for gates in (1, 4, 3, 2) if any("G" in c.dims for c in picked) else (1,):
                        sizes = sizes_of(picked, world)
                        yield Trial(self.slots, picked, sizes, gates, self.domain), world

    def _is_settled(self, picked: Sequence[Choice]) -> bool:
        """Whether settings that are no arrays differ from those with which something ran."""
        if self.ran is None:
            return False
        (level, _), best = max(self.reached, key=lambda r: r[0])
        return level >= _OF_ONE and any(
            a is not b and "=" in (a.kind, b.kind) for a, b in zip(picked, best.picked, strict=True)
        )

    def _repaired(self, trial: Trial, world: Mapping[str, int]) -> Trial | None:
        """The trial, or the same with other sizes; None if none of them fits in everything."""
        pending, seen = [trial], {trial.key}
        for _ in range(_PER_COMBINATION):
            if not pending or time.monotonic() > self.ends:
                return None
            one = pending.pop(0)
            outcome = self._outcome(one)
            if outcome.level >= 1:
                accidents = one.accidents(world) + one.coincidences(world)
                level = min(outcome.level, 2.5) if one.holds_batch() else outcome.level
                if one.sizes["N"] == 1:
                    level = min(level, _OF_ONE)
                elif outcome.level == 2 and "broadcast" in outcome.trouble:
                    pending.append(with_changes(one, sizes={**one.sizes, "N": 1}))
                if level == 4 and not accidents and self._may_follow(one):
                    return one
                if self._may_follow(one):
                    self.reached.append(((level, -accidents), one))
                    if level >= 2 and self.ran is None:
                        self.ran = self.tried
                if outcome.level == 1 and one.domain == "normal":
                    pending.insert(0, with_changes(one, domain="shares"))
                continue
            self.complaints[outcome.trouble] = self.complaints.get(outcome.trouble, 0) + 1
            others = resized(one, outcome.trouble)
            if self._wants_building(one):
                others = [with_changes(one, build=what) for what in _BUILT_WITH]
            for other in others:
                if other.key not in seen:
                    seen.add(other.key)
                    pending.append(other)
        return None

    def _wants_building(self, trial: Trial) -> bool:
        """Whether a layer has a method that makes its weights, and it was not called."""
        kind = self.target.setup
        return not trial.build and any(callable(getattr(kind, n, None)) for n in _BUILDERS)

    def _may_follow(self, trial: Trial) -> bool:
        """A single sample is no way out where a batch ran and a gradient's shape was wrong."""
        ran = any(level >= 2.5 and t.batched() for (level, _), t in self.reached)
        return not ran or trial.batched()

    def _make(self, trial: Trial) -> tuple[Any, list[Any]]:
        settings, inputs = trial.values()
        with replayed(self.target.setup):
            one = self.target.setup(**settings) if self.target.setup is not None else None
            if trial.build:
                _built(one, np.shape(inputs[0]), trial.build)
        return self.target.hand(one), inputs

    def _outcome(self, trial: Trial) -> _Outcome:
        self.tried += 1
        try:
            with np.errstate(all="ignore"):
                hand, inputs = self._make(trial)
                return _judged(hand, inputs)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's code
            if isinstance(error, CompareError) and error.__cause__ is None:
                return _Outcome(0, error.what)
            cause = error.__cause__ or error
            return _Outcome(0, told(cause) if str(cause) else place_of(cause))

    def _failure(self) -> CompareError:
        """Why nothing was found, and what to pass."""
        often = next(iter(self.complaints), "there are none")  # of the likeliest guess
        if often.startswith("ModuleNotFoundError"):
            return CompareError(often, mend="install what it needs")
        if often.startswith("it calls"):
            return CompareError(often, mend="leave that to the program that uses the layer")
        ran = "the one guess at its inputs did not run"
        if self.tried > 1:
            ran = f"none of {self.tried} guesses at its inputs ran, the likeliest with"
        what = f"{ran}: {often}"
        return CompareError(what, mend=self._advice())

    def _advice(self) -> str:
        wanted = [slot.name for slot in self.slots if slot.name not in self.given]
        name = next((s.name for s in self.slots if not s.setting), wanted[0] if wanted else "x")
        others = ", ".join(dict.fromkeys(wanted))
        return (
            f"say what it takes: --shape {self.target.name}.{name}=4,3 or --input "
            f"{self.target.name}.{name}=[[1,2],[3,4]] (arguments: {others}), or write a function "
            "cases() that yields (layer, input, …)"
        )


_BUILDERS = ("build", "initialize", "initialise", "init_weights", "setup", "init_params")
_BUILT_WITH = ("shape", "shape of a sample", "number of features", "nothing")


def _built(one: Any, shape: tuple[int, ...], what: str) -> None:
    """Let a layer make its weights, as frameworks do before its first use."""
    method = next(m for name in _BUILDERS if callable(m := getattr(one, name, None)))
    features = shape[-1] if shape else 1
    if any(map(is_optimiser, required_of(method)[:1])):
        method(PlainDescent())
        return
    arguments = {"shape": [shape], "shape of a sample": [shape[1:]], "nothing": []}
    method(*arguments.get(what, [features]))


def _names_images(node: ast.AST | None) -> bool:
    """Whether the code names the sizes of MNIST's images."""
    parts = ast.walk(node) if node is not None else ()
    return any(isinstance(part, ast.Constant) and part.value in (28, 784) for part in parts)


def _takes_shares(target: Target) -> bool:
    """Whether a loss takes logarithms of what is no logit: its code has no exp of its own."""
    parts = ast.walk(target.node) if target.node is not None else ()
    called = {p.attr if isinstance(p, ast.Attribute) else getattr(p, "id", "") for p in parts}
    own = any(word in name.lower() for name in called for word in ("exp", "softmax", "sigmoid"))
    return is_loss(target.name) and bool(called & {"log", "log2", "log10"}) and not own


def _judged(hand: Any, inputs: list[Any]) -> _Outcome:
    """Run a layer forward and backward, and look at the shapes of what comes back."""
    layer = convention_of(hand).layer(hand, inputs)
    given = Inputs(inputs, layer.names)
    parts = held_by(layer.hand)
    runner = Runner(layer, given, parts)
    names = names_of(layer.hand)
    arrays = {
        names[id(part)]: part
        for _, part in parts
        if isinstance(part, np.ndarray) and part.dtype.kind == "f"
    }
    run = runner.run(given.arrays, lambda ys: [np.ones(np.shape(y)) for y in ys], list(arrays))
    if not run.outputs or not all(np.size(y) for y in run.outputs):
        return _Outcome(0, "the forward pass gives nothing")
    if not all(y.dtype.kind in "fiub" and np.isfinite(y).all() for y in run.outputs):
        return _Outcome(1, "the forward pass gives no finite numbers")
    if isinstance(layer, ValueAndGradient) and np.ndim(run.outputs[0]):
        return _Outcome(2.5, "the loss is no number")
    for trouble in run.troubles:
        if trouble.level == "error":
            return _Outcome(2, trouble.text)
    pairs = [
        *zip(run.inputs, given.arrays, strict=True),
        *((g, arrays[path]) for path, g in run.parameters.items()),
    ]
    found = [(g, a) for g, a in pairs if g is not None]
    if not found or run.unmatched or any(np.shape(g) != np.shape(a) for g, a in found):
        return _Outcome(3)
    return _Outcome(4)
