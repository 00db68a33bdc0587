"""Wrong layers made of right ones: small edits of the source, each marked with its cause.

An edit is a function of one node of a layer's syntax tree that yields what may take its place. A
mutant is the layer's module with one such edit, run anew. Mutants whose gradients are those of the
right layer are dropped by running both.

What an edit amounts to is known only when it runs: a term dropped may be a factor lost, an
exception, a shape. `effect` therefore looks at the two runs and adds the name of what is plain to
see there to the causes that the edit itself expects.
"""

from __future__ import annotations

import ast
import copy
import functools
import importlib
import inspect
import re
import sys
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from tests.comparison.mistakes import (
    NO_GRADIENT,
    OPERATORS,
    Context,
    Operator,
    is_gradient,
    is_self,
)

MODULES = ("affine", "activations", "losses", "norms", "images", "sequences", "pieces", "functions")


@dataclass(frozen=True)
class Layer:
    """A right layer of the corpus with the inputs of its case."""

    module: str
    name: str

    def instance(self) -> tuple[Any, list[Any]]:
        """A fresh instance and its inputs."""
        layer, *inputs = copy.deepcopy(_cases(self.module)[self.name])
        return layer, inputs

    def make(self) -> tuple[Any, list[Any]]:
        """What a comparison is given."""
        layer, inputs = self.instance()
        return _handed(layer), inputs


@functools.cache
def _imported(module: str) -> ModuleType:
    return importlib.import_module(f"tests.comparison.corpus.{module}")


@functools.cache
def _cases(module: str) -> dict[str, Any]:
    return {type(case[0]).__name__: case for case in _imported(module).cases()}


def _handed(layer: Any) -> Any:
    return layer.hand() if hasattr(layer, "hand") else layer


def _played(made: Any) -> tuple[Any, list[Any]]:
    layer, inputs = made.instance()
    return (layer.played() if hasattr(layer, "played") else layer), inputs


def layers() -> list[Layer]:
    """Every layer of the corpus, in order."""
    found = []
    for module in MODULES:
        found += [Layer(module, name) for name in _cases(module)]
    return found


# ── mutants ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Mutant:
    """A layer with one mistake: the choice-th edit of one place of one method."""

    layer: Layer
    operator: Operator
    number: int
    method: str
    place: int
    choice: int
    line: int

    @property
    def name(self) -> str:
        return f"{self.layer.name}.{self.operator.name}.{self.number}"

    @property
    def held_out(self) -> bool:
        """A third, by a hash of the name: not looked at while the diagnosis was written."""
        return zlib.crc32(self.name.encode()) % 3 == 0

    def instance(self) -> tuple[Any, list[Any]]:
        """A fresh instance of the wrong layer, and its inputs."""
        layer, inputs = self.layer.instance()
        layer.__class__ = self._class()
        return layer, inputs

    def make(self) -> tuple[Any, list[Any]]:
        """What a comparison is given."""
        layer, inputs = self.instance()
        return _handed(layer), inputs

    @property
    def shown(self) -> str:
        """The place before and after."""
        _, old, new = self._edited()
        return f"{_shown(old)}  →  {_shown(new)}"

    def _edited(self) -> tuple[ast.ClassDef, ast.AST, ast.AST]:
        kind = copy.deepcopy(_class_of(self.layer))
        method = next(m for m in _methods(kind) if m.name == self.method)
        parent, field, index, node = _places(method)[self.place]
        context = _context(kind, method, parent, field)
        new = copy.deepcopy(list(self.operator.edit(node, context))[self.choice])
        ast.copy_location(new, node)
        if index is None:
            setattr(parent, field, new)
        else:
            getattr(parent, field)[index] = new
        return kind, node, new

    @functools.cache  # noqa: B019  # a mutant is a constant
    def _class(self) -> type:
        kind, _, _ = self._edited()
        module = _imported(self.layer.module)
        names = dict(vars(module))
        tree = ast.fix_missing_locations(ast.Module([kind], []))
        exec(compile(tree, str(module.__file__), "exec"), names)
        return names[self.layer.name]


def mutants_of(layer: Layer) -> list[Mutant]:
    """Every single edit of a layer, those without effect still among them."""
    kind = _class_of(layer)
    found = []
    for operator in OPERATORS:
        number = 0
        for method in _methods(kind):
            if ("backward" in method.name) != (operator.where == "backward"):
                continue
            for place, (parent, field, _, node) in enumerate(_places(method)):
                context = _context(kind, method, parent, field)
                choices = list(operator.edit(node, context))
                for choice in range(len(choices)):
                    line = getattr(node, "lineno", method.lineno)
                    found.append(Mutant(layer, operator, number, method.name, place, choice, line))
                    number += 1
    return [mutant for group in _by_operator(found) for mutant in group[:_MOST]]


_MOST = 4  # of one operator in one layer, chosen by hash: long layers shall not outweigh short ones


def _by_operator(mutants: list[Mutant]) -> list[list[Mutant]]:
    groups: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        groups.setdefault(mutant.operator.name, []).append(mutant)
    return [
        sorted(group, key=lambda m: zlib.crc32(m.name[::-1].encode())) for group in groups.values()
    ]


def _shown(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).replace("\n", "; ")


@functools.cache
def _class_of(layer: Layer) -> ast.ClassDef:
    tree = ast.parse(inspect.getsource(_imported(layer.module)))
    kind = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == layer.name)
    for node in ast.walk(kind):
        if isinstance(node, ast.Subscript):
            index: ast.AST = node.slice
        elif isinstance(node, ast.keyword) and node.arg in ("axis", "axes"):
            index = node.value
        else:
            continue
        for inner in ast.walk(index):
            inner.index = True  # type: ignore[attr-defined]  # read by `is_index`
    return kind


def _methods(kind: ast.ClassDef) -> list[ast.FunctionDef]:
    named = [n for n in kind.body if isinstance(n, ast.FunctionDef)]
    return [n for n in named if "backward" in n.name or "forward" in n.name]


def _places(method: ast.FunctionDef) -> list[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node of a method's body, with the place that it has in its parent."""
    found: list[tuple[ast.AST, str, int | None, ast.AST]] = []
    pending: list[ast.AST] = [method]
    while pending:
        parent = pending.pop(0)
        for field, value in ast.iter_fields(parent):
            if parent is method and field != "body":
                continue
            first = _first_of_backward(method) if parent is method else 0
            for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(node, ast.AST) and (index is None or index >= first):
                    found.append((parent, field, index, node))
                    pending.append(node)
    return found


def _first_of_backward(method: ast.FunctionDef) -> int:
    """Where the gradient begins in a function that computes a loss before it."""
    if not method.name.startswith("value_and"):
        return 0
    loss = [k for k, s in enumerate(method.body) if ast.unparse(s).startswith("loss")]
    return loss[-1] + 1


def _context(kind: ast.ClassDef, method: ast.FunctionDef, parent: ast.AST, field: str) -> Context:
    names = [a.arg for a in method.args.args]
    of_object = names[0] in ("self", "ctx")
    cotangents = tuple(names[1:] if of_object else [n for n in names if _FLOWS.match(n)])
    owner = parent.targets[0] if isinstance(parent, ast.Assign) and field == "value" else None
    returned = [] if of_object and names[0] == "self" else _returned(method)
    gradients = isinstance(parent, ast.Return) or (
        owner is not None and (is_gradient(owner) or ast.unparse(owner) in returned)
    )
    return Context(method.name, cotangents, _written(kind), gradients)


_FLOWS = re.compile(r"d[a-z]\w*$|g$")


def _returned(method: ast.FunctionDef) -> list[str]:
    """The names of the gradients that a function returns."""
    values = [n.value for n in ast.walk(method) if isinstance(n, ast.Return)]
    parts = [p for v in values if isinstance(v, ast.Tuple) for p in v.elts]
    return [p.id for p in parts if isinstance(p, ast.Name) and p.id.startswith("d")]


@functools.lru_cache(maxsize=2)
def _written(kind: ast.ClassDef) -> tuple[str, ...]:
    """The attributes that forward sets."""
    nodes = (n for m in _methods(kind) if "forward" in m.name for n in ast.walk(m))
    return tuple(sorted({n.attr for n in nodes if is_self(n) and isinstance(n.ctx, ast.Store)}))


# ── what a mutant does ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Effect:
    """What a wrong layer does that the right one does not: the causes that are true of it."""

    causes: frozenset[str]


_SCALE = 1.75


def effect(mutant: Mutant) -> Effect | None:
    """Run both and compare; None where nothing differs: an equivalent mutant."""
    right, wrong = (_behaviour(functools.partial(_played, one)) for one in (mutant.layer, mutant))
    if isinstance(wrong, Exception):
        return Effect(frozenset({"exception"}))
    assert not isinstance(right, Exception), right
    keys = right.keys() - {"fits"}
    if right["aliased"]:  # a copy instead of a view is no mistake
        keys -= {"aliased"}
    changed = sorted(key for key in keys if not _same(right[key], wrong.get(key)))
    same_law = wrong["fits"] and "forward" in mutant.method
    if same_law and "stale cache" not in mutant.operator.causes:
        return None
    if not changed or (changed == ["forward"] and wrong["fits"]):
        return None  # another function, with its right gradient
    causes = set(mutant.operator.causes)
    first = [key for key in changed if key.startswith("first")]
    if any(wrong.get(key) is None for key in first):
        causes.add("missing")
    for key in first if mutant.operator.name not in ("truncated", "single-precision") else ():
        causes |= _plain_to_see(right[key], wrong.get(key), wrong.get("scaled" + key[5:]))
    return Effect(frozenset(causes))


def _plain_to_see(right: Any, wrong: Any, scaled: Any) -> set[str]:
    """Causes that two arrays show by themselves."""
    if wrong is None:
        return set()
    if np.shape(right) != np.shape(wrong):
        summed = np.ndim(wrong) and _same(right, np.sum(wrong, axis=0))
        return {"shape", "missing sum"} if summed else {"shape"}
    a, b = np.asarray(right, float), np.asarray(wrong, float)
    if not np.isfinite(b).all():
        return {"nan"}
    if not b.any():
        return {"missing term", "zero"}
    c = float((a * b).sum() / ((a * a).sum() or 1.0))
    found = set()
    if _same(c * a, b):
        found.add("sign" if abs(c + 1) < 1e-9 else "factor")
    if (a == 0).any() and (b[a == 0] != 0).any() and _same(a, np.where(a == 0, 0, b)):
        found.add("mask")  # it passes what a mask stops, and is right elsewhere
    if (
        np.asarray(wrong).dtype == np.float64
        and scaled is not None
        and not _same(_SCALE * b, scaled)
    ):
        found.add("upstream ignored")
    return found


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, bool):
        return a is b
    if np.shape(a) != np.shape(b) or np.asarray(a).dtype != np.asarray(b).dtype:
        return False
    a, b = np.asarray(a, float), np.asarray(b, float)
    scale = float(np.abs(a[np.isfinite(a)]).max(initial=0.0))
    return bool(np.allclose(a, b, rtol=0, atol=1e-9 * scale, equal_nan=True))


def _behaviour(make: Callable[[], tuple[Any, list[Any]]]) -> dict[str, Any] | Exception:
    """Gradients of a first call, of scaled cotangents, and of a call after others; side effects."""
    found: dict[str, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layer, inputs = make()
            other = [x * 0.7 + 0.1 if _is_float(x) else x for x in inputs]
            found |= _run(layer, inputs, 1.0, "first")
            found |= _run(make()[0], inputs, _SCALE, "scaled")
            layer, _ = make()
            _run(layer, other, 1.0, "before")
            found |= _run(layer, inputs, 1.0, "again")
            found["fits"] = _fits_forward(make)
    except Exception as error:  # noqa: BLE001  # a mutant may raise whatever it likes
        return error
    return found


def _is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def _fits_forward(make: Callable[[], tuple[Any, list[Any]]]) -> bool:
    """Whether the gradient of the first input is that of the forward pass, by differences."""
    layer, inputs = make()
    claim = _run(layer, inputs, 1.0, "first").get("first 0")
    if claim is None or not _is_float(inputs[0]) or np.shape(claim) != inputs[0].shape:
        return False
    rng = np.random.RandomState(11)
    v = np.random.RandomState(5).standard_normal(inputs[0].shape)
    ends = []
    for h in (1e-6, -1e-6):
        y = make()[0].forward(inputs[0] + h * v, *copy.deepcopy(inputs[1:]))
        ends.append(y if isinstance(y, tuple) else (y,))
    douts = [rng.standard_normal(np.shape(y)) for y in ends[0]]
    slope = sum(np.sum(g * (a - b)) for g, a, b in zip(douts, *ends, strict=True)) / 2e-6
    return bool(np.isclose(slope, np.sum(claim * v), rtol=1e-4))


def _run(layer: Any, inputs: list[Any], scale: float, when: str) -> dict[str, Any]:
    rng = np.random.RandomState(11)
    given = copy.deepcopy(inputs)
    outputs = layer.forward(*given)
    many = outputs if isinstance(outputs, tuple) else (outputs,)
    douts = [scale * rng.standard_normal(np.shape(y)) for y in many]
    douts = [d if np.ndim(d) else np.float64(d) for d in douts]
    held = [np.array(d)[()] for d in douts]
    returned = layer.backward(*held)
    parts = returned if isinstance(returned, tuple) else (returned,)
    found: dict[str, Any] = {f"{when} {i}": part for i, part in enumerate(parts)}
    found |= {f"{when} {k}": v for k, v in vars(layer).items() if _is_gradient_name(k)}
    grads = getattr(layer, "grads", None)
    if grads is not None:
        named = grads.items() if isinstance(grads, dict) else enumerate(grads)
        found |= {f"{when} grads {k}": v for k, v in named}
    found = {k: None if v is None else np.array(v) for k, v in found.items()}
    found["forward"] = np.array(many[0])
    found["changed"] = any(not np.array_equal(a, b) for a, b in zip(held, douts, strict=True))
    found["aliased"] = any(np.may_share_memory(p, h) for p in parts for h in held if p is not None)
    return found


def _is_gradient_name(name: str) -> bool:
    return bool(re.match(r"d[A-Za-z]|grad_", name)) and f"self.{name}" not in NO_GRADIENT


if __name__ == "__main__":  # counts of mutants by operator
    counts: dict[str, list[int]] = {}
    for layer in layers():
        for mutant in mutants_of(layer):
            entry = counts.setdefault(mutant.operator.name, [0, 0, 0])
            entry[0] += 1
            if effect(mutant) is not None:
                entry[1 + mutant.held_out] += 1
    for name, (made, training, held_out) in counts.items():
        sys.stdout.write(f"{name:28} {made:5} made {training:5} training {held_out:5} held out\n")
