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
import inspect
import itertools
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters import convention_of
from autograd_lite.comparison.adapters.base import arguments_of
from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.comparison.adapters.running import Runner, replayed
from autograd_lite.comparison.automatic import parts_of
from autograd_lite.comparison.files.programs import told
from autograd_lite.comparison.files.vocabulary import (
    BATCH,
    WORLDS,
    Choice,
    choices,
    is_binary,
    is_loss,
    is_weight,
)
from autograd_lite.comparison.traced import names_of
from autograd_lite.errors import CompareError

__all__ = ["Made", "Target", "made"]

_ENOUGH = 700  # trials after the first that ran through
_PER_COMBINATION = 14  # trials with other sizes
_LARGE, _SMALL = 64, 20  # what is larger than the one grows from what is smaller than the other
_FRESH = (9, 10, 11, 13, 14, 15, 17, 19, 21, 22, 23, 25, 26, 27, 29)  # sizes of arguments' own


@dataclass(frozen=True, eq=False)
class Target:
    """Something that may be compared once it has inputs.

    `setup` makes an instance of settings, None where there is nothing to make; `hand` gives what
    `compare` takes, of that instance or of None; `forward` is the function whose arguments the
    inputs are, its first `skip` left out; `node` is the code of the whole; `known` gives
    arguments that the file itself makes.
    """

    name: str
    forward: Callable[..., Any]
    hand: Callable[[Any], Any]
    setup: Callable[..., Any] | None = None
    skip: int = 0
    node: ast.AST | None = None
    known: Callable[[], Mapping[str, Any]] = dict


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


# ── arguments ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Slot:
    """One argument, or one entry of an argument that is a dictionary."""

    name: str
    options: tuple[Choice, ...]
    setting: bool
    key: str = ""  # of the entry
    keyword: bool = False

    @property
    def group(self) -> Any:
        """What weights with one meaning share: they are chosen together."""
        plain = tuple((c.kind, tuple(d.split("?")[-1] for d in c.dims)) for c in self.options)
        name = self.key or self.name
        if not is_weight(name):
            return self.name, self.key
        return "" if name.lower() in ("gamma", "beta") else name[:1], plain

    @property
    def is_parameter(self) -> bool:
        return self.setting or is_weight(self.key or self.name)


def _slots(target: Target, given: Mapping[str, Any]) -> list[_Slot]:
    found: list[_Slot] = []
    settings = _parameters(target.setup) if target.setup is not None else []
    inputs = _parameters(target.forward)[target.skip :]
    names = [p.name for p in (*settings, *inputs)]
    loss = is_loss(target.name)
    for parameter in settings:
        found += _slot(parameter, True, False, names, loss, target, given)
    for k, parameter in enumerate(inputs):
        found += _slot(parameter, False, k == 0, names, loss, target, given)
    return found


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return arguments_of(function)
    return [p for p in found if p.kind is not p.VAR_KEYWORD]


def _slot(
    parameter: inspect.Parameter,
    setting: bool,
    first: bool,
    names: Sequence[str],
    loss: bool,
    target: Target,
    given: Mapping[str, Any],
) -> list[_Slot]:
    name = parameter.name
    others = [n for n in names if n != name]
    keyword = parameter.kind is parameter.KEYWORD_ONLY

    def options(of: str) -> tuple[Choice, ...]:
        found = choices(of, first=first, setting=setting, others=others, loss=loss)
        if is_binary(target.name):  # of two classes there is one score a sample
            kinds = "f" if first and found[0].kind == "f" else "fib"
            found.sort(key=lambda c: (c.kind not in kinds or "D" in c.dims, len(c.dims)))
        return tuple(found)

    if name in given:
        return [_Slot(name, (Choice("=", value=given[name]),), setting, keyword=keyword)]
    if parameter.kind is parameter.VAR_POSITIONAL:
        if setting:
            return []
        return [_Slot(name, tuple(Choice.read(t, name) for t in ("f N D", "* N D")), False)]
    if parameter.default is not parameter.empty:
        default = Choice("=", value=parameter.default)
        more = options(name) if parameter.default is None else ()
        return [_Slot(name, (default, *more), setting, keyword=keyword)]
    words = _words(target.node, name)
    if words:
        return [_Slot(name, tuple(Choice("=", value=w) for w in words), setting, keyword=keyword)]
    keys = _keys(target.node, name)
    if keys:
        return [_Slot(name, options(key), setting, key, keyword) for key in keys]
    if re.search(r"_?params?$", name) and not setting and not first and "_" in name:
        return [_Slot(name, (Choice("=", value=dict(_SETTINGS)),), setting, keyword=keyword)]
    return [_Slot(name, options(name), setting, keyword=keyword)]


_SETTINGS = {
    "stride": 1, "pad": 1, "pool_height": 2, "pool_width": 2, "mode": "train", "p": 0.5, "G": 2,
}  # fmt: skip
"""What a dictionary of settings holds whose keys are read elsewhere."""


def _words(node: ast.AST | None, name: str) -> list[str]:
    """The words with which code compares an argument: "relu" of `activation == "relu"`."""
    found: dict[str, None] = {}
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Compare) and ast.unparse(part.left) == name:
            for other in ast.walk(part.comparators[0]):
                if isinstance(other, ast.Constant) and isinstance(other.value, str):
                    found[other.value] = None
    return list(found)


def _keys(node: ast.AST | None, name: str) -> list[str]:
    """The keys by which code reads a dictionary of this name: `W1`, … for `"W" + str(l)`."""
    found: dict[str, None] = {}
    for part in ast.walk(node) if node is not None else ():
        if not isinstance(part, ast.Subscript) or not isinstance(part.ctx, ast.Load):
            continue
        if not isinstance(part.value, ast.Name) or part.value.id != name:
            continue
        key = part.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            found[key.value] = None
        elif isinstance(key, ast.BinOp) and isinstance(key.left, ast.Constant):
            found.update({f"{key.left.value!s}1": None, f"{key.left.value!s}2": None})
        elif isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
            found.update({f"{key.values[0].value!s}1": None, f"{key.values[0].value!s}2": None})
    return list(found)


# ── one trial ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class _Trial:
    """One choice for each slot, and sizes; `domain` of the floats: "normal" or "shares"."""

    slots: tuple[_Slot, ...]
    picked: tuple[Choice, ...]
    sizes: Mapping[str, int]
    gates: int
    domain: str = "normal"
    build: str = ""  # what of the input's shape the layer is built with

    def size(self, dim: str) -> int:
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
            case "l" | "*":
                return [self._floats(shape, rng) for _ in range(2)]
            case "i":
                found = rng.integers(0, 3, shape)
                found.flat[: min(3, found.size)] = (2, 0, 2)[: found.size]
                return found
            case "o":
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
                meant = "G" in (a, b) or a.isdecimal() or b.isdecimal()
                meant = meant or (a in world and b in world and world[a] == world[b])
                count += self.size(a) == self.size(b) != 1 and not meant
        return count

    def coincidences(self, world: Mapping[str, int]) -> int:
        """How many sizes that were told apart are equal now, wherever they stand."""
        dims = [d for d in self._dims() - BATCH if d in world]
        pairs = itertools.combinations(dims, 2)
        return sum(self.sizes[a] == self.sizes[b] and world[a] != world[b] for a, b in pairs)

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

    def batched(self) -> bool:
        """Whether some input has several axes."""
        return any(
            len(choice.dims) > 1
            for slot, choice in zip(self.slots, self.picked, strict=True)
            if not slot.is_parameter
        )


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
    reached: list[tuple[tuple[float, int], _Trial]] = field(default_factory=list)
    complaints: dict[str, int] = field(default_factory=dict)
    ran: int | None = None  # the first trial that ran through

    def best(self) -> Made:
        self.slots = tuple(_slots(self.target, self.given))
        names = {slot.name for slot in self.slots if slot.key} & set(self.given)
        self.slots = tuple(slot for slot in self.slots if slot.name not in names)
        self.ends = time.monotonic() + self.seconds
        trial = self._search()
        if trial is None:
            raise self._failure()
        return Made(lambda: self._make(trial), self._told(trial))

    def _search(self) -> _Trial | None:
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
            ("Module", "NameError", "it calls")
        )

    def _trials(self) -> Iterator[tuple[_Trial, Mapping[str, int]]]:
        """All that is to be tried, the likeliest first."""
        likely, rest = (combinations := _combinations(self.slots, 400))[:60], combinations[60:]
        for part in (likely, rest):
            for world in WORLDS if _names_images(self.target.node) else WORLDS[:-1]:
                for picked in part:
                    if _is_astray(self.slots, picked) or self._is_settled(picked):
                        continue
                    for gates in (1, 4, 3, 2) if any("G" in c.dims for c in picked) else (1,):
                        yield _Trial(self.slots, picked, _sizes(picked, world), gates), world

    def _is_settled(self, picked: Sequence[Choice]) -> bool:
        """Whether settings that are no arrays differ from those with which something ran."""
        if self.ran is None:
            return False
        best = max(self.reached, key=lambda r: r[0])[1]
        return any(
            a is not b and "=" in (a.kind, b.kind) for a, b in zip(picked, best.picked, strict=True)
        )

    def _repaired(self, trial: _Trial, world: Mapping[str, int]) -> _Trial | None:
        """The trial, or the same with other sizes; None if none of them fits in everything."""
        pending, seen = [trial], {_key(trial)}
        for _ in range(_PER_COMBINATION):
            if not pending or time.monotonic() > self.ends:
                return None
            one = pending.pop(0)
            outcome = self._outcome(one)
            if outcome.level >= 1:
                accidents = one.accidents(world) + one.coincidences(world)
                level = min(outcome.level, 2.5) if one.holds_batch() else outcome.level
                if level == 4 and not accidents and self._may_follow(one):
                    return one
                if self._may_follow(one):
                    self.reached.append(((level, -accidents), one))
                    if level >= 2 and self.ran is None:
                        self.ran = self.tried
                if outcome.level == 1 and one.domain == "normal":
                    pending.insert(0, _with(one, domain="shares"))
                continue
            self.complaints[outcome.trouble] = self.complaints.get(outcome.trouble, 0) + 1
            others = _resized(one, outcome.trouble)
            if self._wants_building(one):
                others = [_with(one, build=what) for what in _BUILT_WITH]
            for other in others:
                if _key(other) not in seen:
                    seen.add(_key(other))
                    pending.append(other)
        return None

    def _wants_building(self, trial: _Trial) -> bool:
        """Whether a layer has a method that makes its weights, and it was not called."""
        kind = self.target.setup
        return not trial.build and any(callable(getattr(kind, n, None)) for n in _BUILDERS)

    def _may_follow(self, trial: _Trial) -> bool:
        """A single sample is no way out where a batch ran and a gradient's shape was wrong."""
        ran = any(level >= 2.5 and t.batched() for (level, _), t in self.reached)
        return not ran or trial.batched()

    def _make(self, trial: _Trial) -> tuple[Any, list[Any]]:
        settings, inputs = trial.values()
        with replayed(self.target.setup):
            one = self.target.setup(**settings) if self.target.setup is not None else None
            if trial.build:
                _built(one, np.shape(inputs[0]), trial.build)
        return self.target.hand(one), inputs

    def _outcome(self, trial: _Trial) -> _Outcome:
        self.tried += 1
        try:
            with np.errstate(all="ignore"):
                hand, inputs = self._make(trial)
                return _judged(hand, inputs)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a stranger's code
            if isinstance(error, CompareError) and error.__cause__ is None:
                return _Outcome(0, error.what)
            return _Outcome(0, told(error.__cause__ or error))

    def _told(self, trial: _Trial) -> str:
        """What was taken, in words: the inputs, then the settings."""
        texts: dict[bool, list[str]] = {False: [], True: []}
        for slot, choice in zip(trial.slots, trial.picked, strict=True):
            name = f"{slot.name}[{slot.key!r}]" if slot.key else slot.name
            texts[slot.setting].append(_said(name, choice, trial))
        made_of = f"; made of {', '.join(texts[True])}" if texts[True] else ""
        return ", ".join(texts[False]) + made_of

    def _failure(self) -> CompareError:
        """Why nothing was found, and what to pass."""
        often = max(self.complaints, key=lambda t: self.complaints[t], default="there are none")
        if often.startswith("ModuleNotFoundError"):
            return CompareError(often, mend="install what it needs")
        if often.startswith("it calls"):
            return CompareError(often, mend="leave that to the program that uses the layer")
        what = f"none of {self.tried} guesses at its inputs ran: {often}"
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
    arguments = {"shape": [shape], "shape of a sample": [shape[1:]], "nothing": []}
    method(*arguments.get(what, [features]))


def _said(name: str, choice: Choice, trial: _Trial) -> str:
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
    if choice.kind == "[":
        return f"{name}={list(shape)}"
    kind = {"i": " of integers", "o": " one-hot", "b": " of 0 and 1", "l": " twice", "*": " twice"}
    return f"{name} {_shape(shape)}{kind.get(choice.kind, '')}"


def _shape(shape: Sequence[int]) -> str:
    return f"({','.join(map(str, shape))})"


def _short(value: Any) -> str:
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))
    return text if len(text) <= 40 else text[:39] + "…"


def _key(trial: _Trial) -> Any:
    return tuple(sorted(trial.sizes.items())), trial.domain, trial.build


def _with(trial: _Trial, **changes: Any) -> _Trial:
    return replace(trial, **changes)


def _names_images(node: ast.AST | None) -> bool:
    """Whether the code names the sizes of MNIST's images."""
    parts = ast.walk(node) if node is not None else ()
    return any(isinstance(part, ast.Constant) and part.value in (28, 784) for part in parts)


def _sizes(picked: Sequence[Choice], world: Mapping[str, int]) -> dict[str, int]:
    """The sizes of a world, and a fresh one for every other dimension."""
    sizes, fresh = dict(world), iter(_FRESH)
    for dim in dict.fromkeys(d for choice in picked for d in choice.dims):
        if dim != "G" and not dim.isdecimal() and dim not in sizes:
            sizes[dim] = next(fresh)
    return sizes


def _judged(hand: Any, inputs: list[Any]) -> _Outcome:
    """Run a layer forward and backward, and look at the shapes of what comes back."""
    layer = convention_of(hand).layer(hand, inputs)
    given = Inputs(inputs, layer.names)
    parts = list(parts_of(layer.hand))
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


def _combinations(slots: Sequence[_Slot], limit: int) -> list[tuple[Choice, ...]]:
    """One choice for each slot, by the sum of their places in the lists; groups go together."""
    groups = list(dict.fromkeys(slot.group for slot in slots))
    lengths = [min(len(s.options) for s in slots if s.group == group) for group in groups]
    found: list[tuple[Choice, ...]] = []
    for total in range(sum(lengths) - len(lengths) + 1):
        for places in _places(lengths, total):
            at = dict(zip(groups, places, strict=True))
            found.append(tuple(slot.options[at[slot.group]] for slot in slots))
            if len(found) >= limit:
                return found
    return found


def _is_astray(slots: Sequence[_Slot], picked: Sequence[Choice]) -> bool:
    """Whether labels are of other samples than the inputs."""
    labels = [c for c in picked if c.kind in "iob" and c.dims]
    floats = [c for s, c in zip(slots, picked, strict=True) if c.kind == "f" and not s.is_parameter]
    if not labels or not floats:
        return False
    samples = set(floats[0].dims[:1])
    return not all(samples <= set(c.dims) or (c.kind == "i" and len(c.dims) > 1) for c in labels)


def _places(lengths: Sequence[int], total: int) -> Iterator[tuple[int, ...]]:
    """All tuples of numbers below `lengths` with this sum; the later ones grow first."""
    if not lengths:
        if total == 0:
            yield ()
        return
    for first in range(min(lengths[0] - 1, total) + 1):
        for rest in _places(lengths[1:], total - first):
            yield (first, *rest)


# ── what NumPy's complaints say of sizes ─────────────────────────────────────────────────────────

_TWO_SIZES = re.compile(
    r"(\d+) \(dim \d+\) != (\d+) \(dim \d+\)"
    r"|size (\d+) is different from (\d+)"
    r"|has size (\d+) and the array at index \d+ has size (\d+)"
    r"|axis is (\d+) but size of corresponding boolean axis is (\d+)"
    r"|dimension is (\d+) but corresponding boolean dimension is (\d+)"
)
_SHAPE = re.compile(r"\((\d+(?:,\s?\d+)*),?\)")


def _resized(trial: _Trial, complaint: str) -> list[_Trial]:
    """The same choices with sizes that might please; the batch is left alone if possible."""
    found = []
    for p, q in _unequal(complaint):
        for old, new in ((p, q), (q, p)):
            if new < 2 or (new > _LARGE and old > _SMALL):  # 1 fits everything; none grows for ever
                continue
            found += [
                (dim in BATCH, _with(trial, sizes={**trial.sizes, dim: new}))
                for dim in _dims_of(trial, old)
            ]
    return [other for _, other in sorted(found, key=lambda pair: pair[0])]


def _dims_of(trial: _Trial, size: int) -> list[str]:
    dims = dict.fromkeys(d for choice in trial.picked for d in choice.dims)
    return [d for d in dims if not d.isdecimal() and d != "G" and trial.sizes[d] == size]


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
