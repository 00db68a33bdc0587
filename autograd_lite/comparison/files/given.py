"""Inputs that somebody gives: on the command line, in a file of cases, by a function `cases`.

Knows: the forms in which they may be given, and which layer and argument each is for.
Does not know: how inputs are made where none are given.
Imports: finding, making, programs, errors, NumPy.

A value is a Python literal, the name of a file of NumPy's or of text, or of a variable of the file
that is checked; `{"shape": [4, 3]}` is drawn, `{"shape": [4], "below": 10}` are integers.
"""

from __future__ import annotations

import ast
import inspect
import json
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.comparison.files.programs import Program, told
from autograd_lite.errors import CompareError, require

__all__ = ["Case", "Given", "parsed"]

_FILES = (".npy", ".npz", ".csv", ".txt", ".json")


@dataclass(frozen=True, eq=False)
class Case:
    """A layer with its inputs, as a function or list `cases` gives it."""

    hand: Any
    inputs: list[Any]
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Given:
    """What is given for the layers of one program.

    `values` are by "argument" or "Layer.argument"; `cases` come whole; `troubles` says which of it
    could not be read.
    """

    values: dict[str, Any] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def of(self, layer: str) -> dict[str, Any]:
        """The arguments that are given for a layer, those with its name before those without."""
        general = {name: v for name, v in self.values.items() if "." not in name}
        own = {
            name.rpartition(".")[2]: v
            for name, v in self.values.items()
            if name.rpartition(".")[0] == layer
        }
        return {**general, **own}

    def misnamed(self, layers: Mapping[str, Iterable[str]]) -> list[str]:
        """What is given for layers that there are not, or for arguments that they do not have."""
        found = []
        for name in self.values:
            layer, _, argument = name.rpartition(".")
            if not layer:
                continue
            if layer not in layers:
                found.append(f"{name} is given, and there is no layer {layer}")
            elif argument not in (known := list(layers[layer])):
                found.append(f"{name} is given, and {layer} takes {', '.join(known)}")
        return found

    @classmethod
    def read(cls, program: Program, texts: Mapping[str, str], cases: str | None) -> Given:
        """What stands on the command line, in a file of cases, and in the program itself."""
        given, names = cls(), vars(program.module)
        for name, text in texts.items():
            given.values[name] = _drawn(_value(name, text, names))
        if cases is None:
            given._take(names.get("cases"), names)
        elif Path(cases).suffix == ".py":
            space = {**names, "__name__": "cases", "__file__": cases}
            try:
                code = compile(Path(cases).read_text(encoding="utf-8"), cases, "exec")
                exec(code, space)  # noqa: S102  # running the cases is what was asked for
            except Exception as error:
                raise CompareError(
                    f"{Path(cases).name} failed: {told(error, cases)}",
                    mend="mend it until python runs it",
                ) from error
            if space.get("cases") is None:
                raise CompareError(
                    f"{Path(cases).name} defines no cases",
                    mend="write a function cases() that yields (layer, input, …)",
                )
            given._take(space["cases"], names)
        else:
            given.values.update(_of_data(Path(cases)))
        return given

    def _take(self, cases: Any, names: Mapping[str, Any]) -> None:
        """The cases of a function or a list, if it is one."""
        if callable(cases):
            try:
                if list(inspect.signature(cases).parameters):
                    return
                cases = list(cases())
            except Exception as error:  # noqa: BLE001  # a stranger's code
                self.troubles.append(f"cases() failed: {told(error)}")
                return
        if not isinstance(cases, list | tuple):
            return
        for number, case in enumerate(cases):
            try:
                self.cases.append(_case(case, names))
            except CompareError as error:
                self.troubles.append(f"case {number} of cases: {error.what}; {error.mend}")


def _case(case: Any, names: Mapping[str, Any]) -> Case:
    form = "write (layer, input, …) or {'layer': …, 'inputs': [ … ]}"
    if isinstance(case, Mapping):
        if "layer" not in case:
            raise CompareError(f"it has no 'layer', but {', '.join(map(str, case))}", mend=form)
        inputs = case.get("inputs", ())
        hand, inputs = (
            case["layer"],
            list(inputs.values() if isinstance(inputs, Mapping) else inputs),
        )
        known = {"against", "cotangent", "seed", "gradients", "fuzz"}
        options = {k: v for k, v in case.items() if k in known}
    elif isinstance(case, tuple | list) and len(case) >= 2:
        hand, *inputs = case
        options = {}
    else:
        raise CompareError(f"it is a {type(case).__name__}", mend=form)
    hand = names.get(hand, hand) if isinstance(hand, str) else hand
    title = case.get("name") if isinstance(case, Mapping) else None
    return Case(hand, inputs, str(title or _named(hand, names)), options)


def _named(hand: Any, names: Mapping[str, Any]) -> str:
    """What a layer is called: a function's, a class's, the first of a pair."""
    if isinstance(hand, tuple | list) and hand:
        return _named(hand[0], names)
    return str(getattr(hand, "__name__", type(hand).__name__))


def parsed(inputs: Iterable[str], shapes: Iterable[str]) -> dict[str, str]:
    """`--input NAME=VALUE` and `--shape NAME=4,3` as texts by name.

    >>> parsed(["x=[1, 2]"], ["Affine.W=3,2"])
    {'x': '[1, 2]', 'Affine.W': '{"shape": [3, 2]}'}
    """
    found = {}
    for text in inputs:
        name, equals, value = text.partition("=")
        if not equals or not _is_path(name):
            raise CompareError(
                f"--input {text} names no argument", mend="write --input x=[[1,2],[3,4]]"
            )
        path = Path(value)
        found[name] = str(path.resolve()) if path.suffix in _FILES and path.is_file() else value
    for text in shapes:
        name, equals, value = text.partition("=")
        sizes = [part for part in re.split(r"[,x×\s()]+", value) if part]
        if not equals or not _is_path(name) or not all(s.isdecimal() for s in sizes):
            raise CompareError(f"--shape {text} is no shape", mend="write --shape x=4,3")
        found[name] = json.dumps({"shape": [int(size) for size in sizes]})
    return found


def _is_path(name: str) -> bool:
    return bool(name) and all(part.isidentifier() for part in name.split("."))


def _value(name: str, text: str, names: Mapping[str, Any]) -> Any:
    """A literal, the contents of a file, or a variable of the program."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        pass
    if Path(text).suffix in _FILES and Path(text).is_file():
        return _contents(Path(text))
    if text in names:
        return names[text]
    raise CompareError(
        f"the value of {name}, {text[:60]}, is neither a literal, nor a file "
        f"({', '.join(_FILES)}), nor a variable of the program",
        mend=f"write {name}=[[1,2],[3,4]] or {name}=values.npy",
    )


def _contents(path: Path) -> Any:
    try:
        if path.suffix == ".json":
            return json.loads(path.read_text(encoding="utf-8"))
        if path.suffix in (".csv", ".txt"):
            return np.loadtxt(path, delimiter="," if path.suffix == ".csv" else None)
        held = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise CompareError(
            f"{path.name} cannot be read: {error}", mend="save it by np.save or np.savetxt"
        ) from error
    if path.suffix == ".npz":
        return {key: held[key] for key in held.files}
    return held


def _of_data(path: Path) -> dict[str, Any]:
    """The values in a JSON or YAML file: layer → argument → value."""
    text = path.read_text(encoding="utf-8")
    form = 'write {"Layer": {"argument": value}}'
    if path.suffix in (".yaml", ".yml"):
        yaml = require("yaml", "yaml")
        load, wrong = yaml.safe_load, yaml.YAMLError
    elif path.suffix == ".json":
        load, wrong = json.loads, ValueError
    else:
        raise CompareError(
            f"{path.name} is no file of cases", mend="name a .json, .yaml or .py file"
        )
    try:
        data = load(text)
    except wrong as error:
        reason = " ".join(str(error).split())
        raise CompareError(f"{path.name} cannot be read: {reason}", mend=form) from error
    if not isinstance(data, Mapping) or not all(isinstance(v, Mapping) for v in data.values()):
        raise CompareError(f"{path.name} is no mapping of layers", mend=form)
    return {
        f"{layer}.{name}": _drawn(value)
        for layer, held in data.items()
        for name, value in held.items()
    }


def _drawn(value: Any) -> Any:
    """`{"shape": …}` drawn, everything else as it is."""
    if not isinstance(value, Mapping) or "shape" not in value:
        return value
    rng = np.random.default_rng(0)
    try:
        shape = tuple(map(operator.index, value["shape"]))
        if "below" in value:
            return rng.integers(0, operator.index(value["below"]), shape)
        return rng.standard_normal(shape)
    except (TypeError, ValueError) as error:
        raise CompareError(
            f"{dict(value)} describes no array: {error}",
            mend='write {"shape": [4, 3]}, or {"shape": [4], "below": 10} for integers',
        ) from error
