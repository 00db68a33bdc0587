"""Classes with `forward(x, …)` and `backward(dout)`.

Knows: where such a class leaves its gradients: in what `backward` returns (one array, or a tuple
in the order of the inputs, with the parameters' gradients after them), and for a parameter `W` in
an attribute `dW` (or `d_W`, `W_grad`, `grad_W`), a dictionary `grads["W"]` or `grads["dW"]`, or
`grads[i]` where `params[i]` is that parameter.
Does not know: tensors, verdicts.
Imports: NumPy, errors, its base.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import HandRun, Trouble, changed, place_of
from autograd_lite.errors import CompareError

__all__ = ["ForwardBackward"]

_GRADIENT_NAMES = ("d{}", "d_{}", "{}_grad", "grad_{}")


class ForwardBackward:
    """The class convention: see the module."""

    name = "class with forward and backward"

    def fits(self, hand: Any) -> bool:
        """Whether `hand` is an instance with both methods."""
        methods = (getattr(hand, name, None) for name in ("forward", "backward"))
        return not isinstance(hand, type) and all(map(callable, methods))

    def input_names(self, hand: Any, count: int) -> tuple[str, ...]:
        """The names in the signature of `forward`, made up where it tells none."""
        try:
            found = list(inspect.signature(hand.forward).parameters.values())
        except (TypeError, ValueError):
            found = []
        plain = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if len(plain) >= count:
            return tuple(plain[:count])
        return ("x",) if count == 1 else tuple(f"x{i}" for i in range(count))

    def parameter(self, hand: Any, path: str) -> Any:
        """The array at `path`, None where there is none."""
        owner, name = _owner(hand, path)
        value = _get(owner, name)
        return value if value is not None and np.asarray(value).dtype.kind in "fiub" else None

    def forward(self, hand: Any, inputs: Sequence[Any], parameters: Mapping[str, Any]) -> Any:
        """The forward pass of a copy whose parameters have these values."""
        # deepcopy's memo says what takes the place of what, wherever else the array is held.
        # Only arrays: equal Python numbers may be one object that means two things.
        held = {path: self.parameter(hand, path) for path in parameters}
        arrays = {path for path, old in held.items() if isinstance(old, np.ndarray)}
        layer = _copied(hand, {id(held[p]): np.array(parameters[p]) for p in arrays})
        for path in parameters.keys() - arrays:
            owner, name = _owner(layer, path)
            setattr(owner, name, np.array(parameters[path]))
        return layer.forward(*[np.array(x) for x in inputs])

    def run(
        self, hand: Any, inputs: Sequence[Any], cotangents: Any, paths: Sequence[str]
    ) -> HandRun:
        """Forward and backward of a copy, with every change of what is not its own noted."""
        layer, given = _copied(hand, {}), [np.array(x) for x in inputs]
        before = [np.array(x) for x in inputs]
        names = self.input_names(hand, len(given))
        values = {path: np.array(self.parameter(layer, path)) for path in paths}
        try:
            result = layer.forward(*given)
        except Exception as error:
            raise CompareError(
                f"the forward pass of {type(hand).__name__} raised {place_of(error)}",
                mend="pass inputs that the layer takes",
            ) from error
        outputs = tuple(np.array(part) for part in _as_tuple(result))
        troubles = _changes("forward", names, given, before, self._values(layer, paths), values)
        try:
            douts = cotangents(outputs)
        except CompareError as error:
            stop = Trouble("error", "backward", error.what)
            return HandRun(outputs, (None,) * len(given), troubles=(*troubles, stop))
        # Arrays that an earlier pass changed are noted once.
        before, values = [x.copy() for x in given], self._values(layer, paths)
        held = [np.array(d) for d in douts]
        try:
            returned = layer.backward(*held)
        except Exception as error:  # noqa: BLE001  # whatever it raises is a line of the report
            stop = Trouble("error", "backward", f"backward raised {place_of(error)}")
            return HandRun(outputs, (None,) * len(given), troubles=(*troubles, stop))
        if any(changed(now, then) for now, then in zip(held, douts, strict=True)):
            text = "backward changes its dout in place; whoever holds that array gets a wrong one"
            troubles.append(Trouble("warning", "dout", text))
        troubles += _changes("backward", names, given, before, self._values(layer, paths), values)
        found = _of_inputs(layer, returned, names)
        gradients = {path: _of_parameter(layer, path) for path in paths}
        rest = _as_tuple(returned)[len(names) :]
        if len(rest) == len(paths) and all(g is None for g in gradients.values()):
            gradients = dict(zip(paths, rest, strict=True))
        return HandRun(
            outputs,
            tuple(_array(g) for g in found),
            {path: _array(g) for path, g in gradients.items()},
            tuple(_others(layer, paths, names)),
            tuple(troubles),
        )

    def _values(self, layer: Any, paths: Sequence[str]) -> dict[str, Any]:
        return {path: np.array(self.parameter(layer, path)) for path in paths}


def _copied(hand: Any, memo: dict[int, Any]) -> Any:
    try:
        return copy.deepcopy(hand, memo)
    except Exception as error:
        raise CompareError(
            f"{type(hand).__name__} cannot be copied ({place_of(error)}), and a comparison works "
            "on copies",
            mend="give the class a __deepcopy__, or leave open files and the like out of it",
        ) from error


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _array(value: Any) -> Any:
    return None if value is None else np.array(value)


def _changes(
    when: str,
    names: Sequence[str],
    given: Sequence[Any],
    before: Sequence[Any],
    now: Mapping[str, Any],
    then: Mapping[str, Any],
) -> list[Trouble]:
    inputs = [n for n, a, b in zip(names, given, before, strict=True) if changed(a, b)]
    parameters = [path for path in now if changed(now[path], then[path])]
    return [
        Trouble("warning", name, f"{when} changes {what} {name} in place")
        for what, changed_names in (("its input", inputs), ("its parameter", parameters))
        for name in changed_names
    ]


def _get(owner: Any, name: str) -> Any:
    if isinstance(owner, Mapping):
        return owner.get(name)
    if isinstance(owner, list | tuple):
        return owner[int(name)] if name.isdecimal() and int(name) < len(owner) else None
    return getattr(owner, name, None)


def _owner(hand: Any, path: str) -> tuple[Any, str]:
    """What holds the last name of a dotted path, and that name."""
    *outer, name = path.split(".")
    for part in outer:
        hand = _get(hand, part)
    return hand, name


def _of_inputs(layer: Any, returned: Any, names: Sequence[str]) -> list[Any]:
    """The gradient of each input: returned, else in an attribute `dx`."""
    if isinstance(returned, Mapping):
        return [returned.get(f"d{n}", returned.get(n)) for n in names]
    parts = _as_tuple(returned)
    found = [parts[i] if i < len(parts) else None for i in range(len(names))]
    return [
        getattr(layer, f"d{n}", None) if g is None else g for n, g in zip(names, found, strict=True)
    ]


def _of_parameter(layer: Any, path: str) -> Any:
    owner, name = _owner(layer, path)
    for form in _GRADIENT_NAMES:
        value = _get(owner, form.format(name))
        if value is not None:
            return value
    grads, params = getattr(owner, "grads", None), getattr(owner, "params", None)
    if isinstance(grads, Mapping):
        return grads.get(name, grads.get(f"d{name}"))
    if isinstance(grads, list | tuple) and isinstance(params, list | tuple):
        same = [i for i, p in enumerate(params) if p is getattr(owner, name, None)]
        return grads[same[0]] if same and same[0] < len(grads) else None
    return None


def _others(layer: Any, paths: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Gradients in attributes for which nobody asked: `dV` beside a `V`."""
    for name, value in sorted(vars(layer).items()) if hasattr(layer, "__dict__") else ():
        owner, numbers = name[1:], isinstance(value, np.ndarray | np.generic | float)
        known = owner in paths or owner in names or not hasattr(layer, owner)
        if name.startswith("d") and numbers and not known:
            yield name
