"""The arguments of a layer, one by one, with all that each may be.

Knows: settings and inputs, words and keys that the code compares an argument with or reads it by,
defaults.
Does not know: sizes, trials, whether any of it runs.
Imports: adapters, the vocabulary, NumPy.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import arguments_of
from autograd_lite.comparison.adapters.moving import PlainDescent
from autograd_lite.comparison.adapters.words import is_label, labels_among
from autograd_lite.comparison.files.syntax import is_index, makes_diagonal, unpacked
from autograd_lite.comparison.files.vocabulary import Choice, choices, is_binary, is_loss, is_weight

__all__ = ["Slot", "Target", "is_optimiser", "other_settings", "slots_of"]


@dataclass(frozen=True, eq=False)
class Target:
    """Something that may be compared once it has inputs.

    `setup` makes an instance of settings, None where there is nothing to make; `hand` gives what
    `compare` takes, of that instance or of None; `forward` is the function whose arguments the
    inputs are, its first `skip` left out; `node` is the code of the whole; `known` gives
    arguments that the file itself makes; `labels` is the argument that is held against the output,
    `without` one that is left alone.
    """

    name: str
    forward: Callable[..., Any]
    hand: Callable[[Any], Any]
    setup: Callable[..., Any] | None = None
    skip: int = 0
    node: ast.AST | None = None
    known: Callable[[], Mapping[str, Any]] = dict
    labels: str = ""
    without: str = ""


@dataclass(frozen=True)
class Slot:
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
        """Whether it is something that is learnt, or a setting."""
        return self.setting or is_weight(self.key or self.name)


def slots_of(target: Target, given: Mapping[str, Any]) -> list[Slot]:
    """All arguments, settings first; `given` says what some are."""
    found: list[Slot] = []
    settings = _parameters(target.setup) if target.setup is not None else []
    inputs = _parameters(target.forward)[target.skip :]
    inputs = [q for p in inputs if p.name != target.without for q in _single(p, target.node)]
    names = [p.name for p in (*settings, *inputs)]
    loss = is_loss(target.name)
    for parameter in settings:
        found += _slot(parameter, True, False, names, loss, target, given)
    labels = labels_among([p.name for p in inputs])
    data = next(
        (p for k, p in enumerate(inputs) if not is_weight(p.name) and k not in labels),
        inputs[0] if inputs else None,
    )
    for parameter in inputs:
        found += _slot(parameter, False, parameter is data, names, loss, target, given)
    return found


def _single(parameter: inspect.Parameter, node: ast.AST | None) -> list[inspect.Parameter]:
    """An argument; of `*inputs` those that code takes it apart into, where they are not alike."""
    names = unpacked(node, parameter.name) if parameter.kind is parameter.VAR_POSITIONAL else ()
    if not any(is_label(name) or is_weight(name) for name in names):
        return [parameter]
    return [inspect.Parameter(name, parameter.POSITIONAL_OR_KEYWORD) for name in names]


def other_settings(target: Target, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values beside defaults that hide what depends on them: a stride of 1, a padding of 0."""
    parameters = _parameters(target.setup) if target.setup is not None else []
    return {
        p.name: other
        for p in parameters
        for pattern, default, other in _HIDING
        if re.fullmatch(pattern, p.name) and p.default == default and p.name not in given
    }


_HIDING = (("pad(ding)?", 0, 1), ("stride", 1, 2))


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
) -> list[Slot]:
    name = parameter.name
    others = [n for n in names if n != name]
    keyword = parameter.kind is parameter.KEYWORD_ONLY

    def options(of: str, beside: Sequence[str] = others) -> tuple[Choice, ...]:
        found = choices(of, first=first, setting=setting, others=beside, loss=loss)
        return tuple(_likeliest(found, of, first, setting, target))

    if name == target.labels:
        labels = [Choice.read(text, name) for text in _OF_NETWORK]
        return [Slot(name, tuple(_likeliest(labels, name, False, False, target)), False)]
    if name in given:
        return [Slot(name, (Choice("=", value=given[name]),), setting, keyword=keyword)]
    if parameter.kind is parameter.VAR_POSITIONAL:
        if setting or not first:
            return []
        return [Slot(name, tuple(Choice.read(t, name) for t in ("f N D", "* N D")), False)]
    if parameter.default is not parameter.empty:
        default = Choice("=", value=parameter.default)
        more = options(name) if parameter.default is None else ()
        if is_optimiser(name) and parameter.default is None:
            more = (Choice("=", value=PlainDescent()), *more)
        return [Slot(name, (default, *more), setting, keyword=keyword)]
    if setting and (functions := _functions(name)):
        return [Slot(name, functions, setting, keyword=keyword)]
    if setting and _is_cut(target.node, name):
        return [Slot(name, (Choice("[", ("D", "H", "K")), *options(name)), setting, "", keyword)]
    words = _words(target.node, name) or _keys_of_tables(target, name)
    if words:
        return [Slot(name, tuple(Choice("=", value=w) for w in words), setting, keyword=keyword)]
    keys = _keys(target.node, name)
    if keys:
        return [Slot(name, options(key, keys), setting, key, keyword) for key in keys]
    if re.search(r"_?params?$", name) and not setting and not first and "_" in name:
        return [Slot(name, (Choice("=", value=dict(_SETTINGS)),), setting, keyword=keyword)]
    return [Slot(name, options(name), setting, keyword=keyword)]


def _likeliest(
    found: list[Choice], name: str, first: bool, setting: bool, target: Target
) -> list[Choice]:
    """What an argument may be, in the order that the code of the layer suggests."""
    if not setting and is_index(target.node, name):
        found.sort(key=lambda c: c.kind != "i")
    if first and makes_diagonal(target.node):
        found.sort(key=lambda c: len(c.dims) != 1)
    if is_binary(target.name):  # of two classes there is one score a sample
        kinds = "f" if first and found[0].kind == "f" else "fib"
        found.sort(key=lambda c: (c.kind not in kinds or "D" in c.dims, len(c.dims) or 9))
    return found


_OF_NETWORK = (
    "o N K", "o N H", "b N 1", "f N ?0", "b 1 N", "o K N", "o H N", "b N", "i N", "f 1 1",
)  # fmt: skip
"""What the labels of a network may be: they are held against what it gives."""


def is_optimiser(name: str) -> bool:
    """Whether an argument is called as optimisers are."""
    return bool(re.fullmatch(r"(\w+_)?(optim|optimi[sz]er|opt|updater)", name.strip("_").lower()))


def _tanh(x: Any) -> Any:
    """What a layer that is made of a function is given."""
    return np.tanh(x)


def _tanh_derivative(x: Any) -> Any:
    """The derivative that belongs to it."""
    return 1 - np.tanh(x) ** 2


_FUNCTION = re.compile(
    r"(activation|act|non_?linearity)(_?(fn|func|function|f))?|fn|func|function|f"
)
_ITS_DERIVATIVE = re.compile(
    r"(\w+_)?(prime|deriv|derivative|grad|gradient|der)|d_?(activation|act|f|func|fn)|df|fprime"
    r"|activation_?(prime|derivative|deriv|grad)"
)


def _functions(name: str) -> tuple[Choice, ...]:
    """The functions that a setting may want; nothing where it is not called like one."""
    plain = name.strip("_").lower()
    if is_optimiser(plain):
        return (
            Choice("=", value=PlainDescent()),
            Choice("=", value=None),
            Choice("=", value="sgd"),
        )
    if _ITS_DERIVATIVE.fullmatch(plain):
        return (Choice("=", value=_tanh_derivative),)
    if _FUNCTION.fullmatch(plain):
        words = ("relu", "tanh", "sigmoid", "linear", "softmax")
        return (Choice("=", value=_tanh), *(Choice("=", value=w) for w in words))
    return ()


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


def _is_cut(node: ast.AST | None, name: str) -> bool:
    """Whether code takes slices of an argument, as of a list of sizes: `zip(s[:-1], s[1:])`."""
    return any(
        isinstance(part, ast.Subscript)
        and isinstance(part.slice, ast.Slice)
        and ast.unparse(part.value) == name
        for part in (ast.walk(node) if node is not None else ())
    )


def _keys_of_tables(target: Target, name: str) -> list[str]:
    """The keys of the module's dictionaries in which code looks an argument up."""
    owner = getattr(target.setup or target.forward, "__init__", None) or target.forward
    names = getattr(owner, "__globals__", {})
    for part in ast.walk(target.node) if target.node is not None else ():
        if isinstance(part, ast.Subscript) and ast.unparse(part.slice) == name:
            table = names.get(ast.unparse(part.value))
            if isinstance(table, Mapping) and all(isinstance(key, str) for key in table):
                return list(table)
    return []


def _keys(node: ast.AST | None, name: str) -> list[str]:
    """The keys by which code reads a dictionary of this name: `W1`, … for `"W" + str(l)`."""
    found: dict[str, None] = {}
    listed = _listed(node)
    for part in ast.walk(node) if node is not None else ():
        if not isinstance(part, ast.Subscript) or not isinstance(part.ctx, ast.Load):
            continue
        if not isinstance(part.value, ast.Name) or part.value.id != name:
            continue
        key = part.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            found[key.value] = None
        elif isinstance(key, ast.Name):
            found.update(dict.fromkeys(listed.get(key.id, ())))
        elif isinstance(key, ast.BinOp) and isinstance(key.left, ast.Constant):
            found.update({f"{key.left.value!s}1": None, f"{key.left.value!s}2": None})
        elif isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
            found.update({f"{key.values[0].value!s}1": None, f"{key.values[0].value!s}2": None})
    return list(found)


def _listed(node: ast.AST | None) -> dict[str, list[str]]:
    """The words that loops go through, by the loop's variable: `for key in ("W", "b")`."""
    found: dict[str, list[str]] = {}
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.For | ast.comprehension) and isinstance(part.target, ast.Name):
            items = part.iter.elts if isinstance(part.iter, ast.Tuple | ast.List) else []
            words = [i.value for i in items if isinstance(i, ast.Constant)]
            found.setdefault(part.target.id, []).extend(w for w in words if isinstance(w, str))
    return found
