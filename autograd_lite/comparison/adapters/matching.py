"""Which gradient belongs to what: by order, by name, by place in a list or dictionary.

Knows: the names that people give to gradients, and the containers that they keep them in.
Does not know: conventions, verdicts, tensors.
Imports: its neighbours, NumPy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.surroundings import around
from autograd_lite.comparison.adapters.words import is_weight, labels_among

__all__ = [
    "aliases_of",
    "as_tuple",
    "by_shapes",
    "fitting",
    "gradient_among",
    "gradient_paths",
    "is_expected",
    "is_float",
    "is_gradient_of",
    "left_gradient",
    "leftover",
    "of_inputs",
    "of_parameters",
    "value_at",
]

_FORMS = (
    "d{}", "d_{}", "{}_grad", "grad_{}", "grad{}", "g{}", "g_{}", "dL_d{}", "dLd{}", "dL{}",
    "dJ_d{}", "dj_d{}", "dC_d{}", "delta_{}", "{}_gradient", "gradient_{}", "grads_{}", "{}_grads",
    "D{}", "{}grad", "{}Grad",
)  # fmt: skip
"""What the gradient of a name is called."""

_OF_INPUT = (
    "dinputs", "dinput", "d_inputs", "d_input", "dx", "dX", "grad_input", "gradInput",
    "input_gradient", "input_grad", "grad_inputs", "dA_prev", "dA",
)  # fmt: skip
"""Where the gradient of a layer's input may lie, whatever the input is called."""

_HOLDERS = ("grads", "gradients", "grad", "_grads", "dparams", "d_params", "param_grads")
"""What a container of gradients is called, beside one of parameters or a single attribute."""

_HELD = frozenset({"params", "parameters", "weights", "_params", "param", "p"})
_VALUES = frozenset({"value", "data", "val", "v", "w", "array"})  # of an object that is a parameter
_OF_VALUES = ("grad", "gradient", "d", "g", "dvalue", "ddata", "diff")

_MANGLED = re.compile(r"(_[A-Za-z]\w*?__)(\w+)")  # what Python makes of `self.__W`
# ── paths ────────────────────────────────────────────────────────────────────────────────────────


def value_at(hand: Any, path: str) -> Any:
    """What stands at a dotted path of attributes, keys and positions; None where nothing does.

    The first may be a name around the functions, too.
    """
    first, *rest = path.split(".")
    found = _get(hand, first)
    if found is None:
        found = around(hand).get(first)
    for part in rest:
        found = _get(found, part)
    return found


def _get(owner: Any, name: str) -> Any:
    owner = getattr(owner, "__self__", owner)  # a bound method's object
    if isinstance(owner, Mapping):
        if name in owner:
            return owner[name]
        return next((v for key, v in owner.items() if str(key) == name), None)
    if isinstance(owner, list | tuple) and name.isdecimal():
        return owner[int(name)] if int(name) < len(owner) else None
    return None if owner is None else getattr(owner, name, None)


def aliases_of(parts: Sequence[tuple[str, Any]], paths: Sequence[str]) -> dict[str, list[str]]:
    """Every path that leads to the same array as each of `paths`, that one first."""
    arrays = dict(parts)
    same: dict[int, list[str]] = {}
    for path, part in parts:
        if isinstance(part, np.ndarray):
            same.setdefault(id(part), []).append(path)
    found = {}
    for path in paths:
        others = same.get(id(arrays.get(path)), [])
        found[path] = [path, *(other for other in others if other != path)]
    return found


def gradient_paths(path: str) -> Iterator[str]:
    """Where the gradient of what stands at a path may stand, the likeliest first.

    >>> list(gradient_paths("params.W1"))[:3]
    ['params.dW1', 'grads.W1', 'grads.dW1']
    """
    parts = path.split(".")
    owner, name = parts[:-1], parts[-1]

    def joined(*more: str) -> str:
        return ".".join([*owner, *more])

    yield joined(_FORMS[0].format(name))
    for i in reversed(range(len(owner))):
        if owner[i] in _HELD:
            for holder in _HOLDERS:
                for last in (name, f"d{name}", f"grad_{name}"):
                    yield ".".join([*parts[:i], holder, *parts[i + 1 : -1], last])
    for form in _FORMS[1:]:
        yield joined(form.format(name))
    if name in _VALUES:
        yield from map(joined, _OF_VALUES)
    for holder in _HOLDERS:
        for last in (name, *(form.format(name) for form in _FORMS[:4])):
            yield joined(holder, last)
    private = _MANGLED.fullmatch(name)
    if private:
        yield from (joined(private[1] + form.format(private[2])) for form in _FORMS)
    if name.startswith("_"):
        for plain in _plain(name)[1:]:
            yield from map(joined, (*(f"_{form}".format(plain) for form in _FORMS), f"d{plain}"))
            yield from (joined(holder, plain) for holder in _HOLDERS)
    for i in reversed(range(len(owner))):
        for form in _FORMS:
            yield ".".join([*parts[:i], form.format(parts[i]), *parts[i + 1 :]])


def is_expected(hand: Any, aliases: Sequence[str]) -> bool:
    """Whether a gradient of this parameter ought to be there, though there is none.

    It stands in a list of parameters, something is named like its gradient, or it has the name of
    a weight that the layer holds; running means, masks and constants have none.
    """
    for alias in aliases:
        *owner, name = alias.split(".")
        if not owner and _get(hand, name) is None:  # a name around the functions
            names: Any = around(hand)
        elif _HELD & set(owner) or is_weight(name):
            return True
        else:
            holder = value_at(hand, ".".join(owner)) if owner else hand
            holder = getattr(holder, "__self__", holder)
            names = holder if isinstance(holder, Mapping) else getattr(holder, "__dict__", {})
        if any(form.format(name) in names for form in _FORMS[:4]):
            return True
    return False


def is_gradient_of(called: str, name: str) -> bool:
    """Whether something is called as the gradient of a name is.

    >>> is_gradient_of("dW1", "W1"), is_gradient_of("dj_db", "b"), is_gradient_of("dx", "W")
    (True, True, False)
    """
    return any(form.format(plain) == called for plain in _plain(name) for form in _FORMS)


# ── gradients ────────────────────────────────────────────────────────────────────────────────────


def as_tuple(value: Any) -> tuple[Any, ...]:
    """A tuple or list as a tuple, anything else as a tuple of one."""
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def is_float(value: Any) -> bool:
    """Whether something is, or holds, arrays of floats."""
    if isinstance(value, Mapping):
        return any(map(is_float, value.values()))
    if isinstance(value, list | tuple) and any(_is_nested(part) for part in value):
        return any(map(is_float, value))
    return isinstance(value, np.ndarray | list | tuple) and _kind_of(value) == "f"


def _is_nested(value: Any) -> bool:
    return isinstance(value, np.ndarray | Mapping | list | tuple)


def _kind_of(value: Any) -> str:
    try:
        return np.asarray(value).dtype.kind
    except (ValueError, TypeError):  # a ragged list
        return "O"


def gradient_among(returned: Any, name: str) -> Any:
    """The gradient of a name in a dictionary that is, or is part of, what was returned."""
    for part in (returned, *as_tuple(returned)):
        if isinstance(part, Mapping):
            forms = [form.format(plain) for plain in _plain(name) for form in _FORMS]
            for key in (*forms, *_plain(name)):
                if part.get(key) is not None:
                    return part[key]
            if isinstance(part.get("grads"), Mapping):
                return gradient_among(part["grads"], name)
    return None


def _plain(name: str) -> tuple[str, ...]:
    """A name, and what it is without the underscore of something private."""
    return (name, name.lstrip("_")) if name.startswith("_") and name.strip("_") else (name,)


def _positions(inputs: Sequence[Any], count: int, parameters: int) -> tuple[int, ...]:
    """Which inputs `count` returned gradients are of: the fewest kinds that make the number."""
    floats = [i for i, x in enumerate(inputs) if is_float(x)]
    arrays = [
        i for i, x in enumerate(inputs) if i in floats or isinstance(x, np.ndarray | list | tuple)
    ]
    numbers = [
        i
        for i, x in enumerate(inputs)
        if i in arrays or (isinstance(x, float | int | np.number) and not isinstance(x, bool))
    ]
    everything = range(len(inputs))
    tiers = [tier for tier in (floats, arrays, numbers, everything) if tier]
    for tier in tiers:
        if count in (len(tier), len(tier) + parameters):
            return tuple(tier)
    return tuple((tiers or [everything])[0][:count])


def fitting(
    names: Sequence[str], inputs: Sequence[Any], parts: Sequence[Any], parameters: int
) -> tuple[int, ...]:
    """The inputs that gradients are of: labels last, weights alone if the shapes say so."""
    order = _positions(inputs, len(parts), parameters)
    floats = [i for i, x in enumerate(inputs) if is_float(x) or isinstance(x, float)]
    if len(parts) >= len(floats) or len(names) < len(inputs):
        return order
    labels = labels_among(names[: len(inputs)])
    first = [i for i in floats if i not in labels]
    likely = tuple(first[: len(parts)]) if len(first) >= len(parts) else order
    weights = tuple(i for i in first if is_weight(names[i]))
    if len(weights) == len(parts) and not _same_shapes(likely, inputs, parts):
        return weights if _same_shapes(weights, inputs, parts) else likely
    return likely


def _same_shapes(places: Sequence[int], inputs: Sequence[Any], parts: Sequence[Any]) -> bool:
    pairs = [(inputs[i], part) for i, part in zip(places, parts, strict=False) if part is not None]
    plain = np.ndarray | np.generic | float | int
    return all(
        isinstance(x, plain) and isinstance(g, plain) and np.shape(x) == np.shape(g)
        for x, g in pairs
    )


def left_gradient(hand: Any, touched: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
    """The gradient of its input that a layer left in an attribute, None where there is none.

    One with a usual name, or the only one among those that backward has `touched` of this shape.
    """
    values = (getattr(hand, name, None) for name in _OF_INPUT)
    named = next((v for v in values if isinstance(v, np.ndarray)), None)
    if named is not None:
        return named
    fitting_ones = [v for v in touched.values() if v.shape == shape]
    return fitting_ones[0] if len(fitting_ones) == 1 else None


def of_inputs(
    hand: Any, returned: Any, names: Sequence[str], inputs: Sequence[Any], parameters: int
) -> list[Any]:
    """The gradient of each input: in the order returned, by its name, or in an attribute `dx`."""
    found: list[Any] = [None] * len(inputs)
    if not isinstance(returned, Mapping):
        parts = [returned] if _whole(returned, inputs) else list(as_tuple(returned))
        if not any(isinstance(x, Mapping) for x in inputs):
            parts = [part for part in parts if not isinstance(part, Mapping)]
        for i, part in zip(fitting(names, inputs, parts, parameters), parts):
            found[i] = part
    for i, name in enumerate(names[: len(inputs)]):
        wrong_kind = isinstance(found[i], Mapping) and not isinstance(inputs[i], Mapping)
        if found[i] is None or wrong_kind:
            found[i] = gradient_among(returned, name)
        if found[i] is None and isinstance(inputs[i], Mapping):
            found[i] = returned if isinstance(returned, Mapping) else None
        if found[i] is None and not isinstance(hand, tuple | list):
            attributes = (value_at(hand, form.format(name)) for form in _FORMS[:4])
            found[i] = next((a for a in attributes if a is not None and not callable(a)), None)
    return found


def leftover(returned: Any, inputs: Sequence[Any], parameters: int) -> list[str]:
    """What was returned beyond a gradient for each input, and, if anything, each parameter.

    >>> leftover((1.0, 2.0, 3.0), [np.ones(2)], 1)
    ['returned[1]', 'returned[2]']
    """
    if not isinstance(returned, tuple | list) or _whole(returned, inputs):
        return []
    first = len(_positions(inputs, len(returned), parameters))
    rest = range(first, len(returned))
    if len(rest) in (parameters, 0):
        return []
    return [f"returned[{i}]" for i in rest if _is_unread(returned[i])]


def _is_unread(part: Any) -> bool:
    return part is not None and not isinstance(part, Mapping | list | tuple)


def _whole(returned: Any, inputs: Sequence[Any]) -> bool:
    """Whether a list that was returned is the gradient of one input that is such a list."""
    nested = [x for x in inputs if isinstance(x, list) and any(map(_is_nested, x))]
    return isinstance(returned, list) and len(nested) == 1 and len(returned) == len(nested[0])


def of_parameters(
    hand: Any,
    returned: Any,
    inputs: Sequence[Any],
    aliases: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """The gradient of each parameter.

    At a place beside it, in a dictionary returned, or returned after those of the inputs, in the
    order of the parameters.
    """
    found = {path: _of_parameter(hand, returned, others) for path, others in aliases.items()}
    if isinstance(returned, tuple | list) and all(g is None for g in found.values()):
        first = len(_positions(inputs, len(returned), len(found)))
        rest = returned[first:]
        if len(rest) == 1 and isinstance(rest[0], list | tuple):
            rest = rest[0]
        if len(rest) == len(found):
            return dict(zip(found, rest, strict=True))
    return found


def by_shapes(
    hand: Any, parts: Sequence[Any], aliases: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """For each parameter the first of what was returned that has its shape and is not yet taken."""
    rest = list(parts)
    found: dict[str, Any] = {}
    for path in aliases:
        shape = np.shape(value_at(hand, path))
        k = next((k for k, g in enumerate(rest) if np.shape(g) == shape), None)
        found[path] = None if k is None else rest.pop(k)
    return found


def _of_parameter(hand: Any, returned: Any, aliases: Sequence[str]) -> Any:
    for alias in aliases:
        among = gradient_among(returned, alias.rpartition(".")[2])
        if among is not None:
            return among
        for path in gradient_paths(alias):
            value = value_at(hand, path)
            itself = path in aliases or value is value_at(hand, alias)
            if value is not None and not callable(value) and not itself:
                return value
    return None
