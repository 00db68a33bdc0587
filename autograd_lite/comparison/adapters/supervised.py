"""Networks with `forward(X)` and `backward(X, y)`, whose loss stands nowhere, or in a third method.

Knows: that such a backward pass begins with the derivative of a loss, which its author has in mind:
one that the class has as a method, or a usual one; how to tell by numbers which of them, and at
which rate, fits the most gradients. That loss is what is compared, so that a mistake in one
gradient shows beside the others.
Does not know: tensors, verdicts.
Imports: errors, its base and neighbours, NumPy.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.comparison.adapters.base import Layer, place_of, required_of
from autograd_lite.comparison.adapters.calling import Call
from autograd_lite.comparison.adapters.classes import (
    instance_of,
    left_output,
    methods_of,
)
from autograd_lite.comparison.adapters.matching import as_tuple, by_shapes, gradient_among, value_at
from autograd_lite.comparison.adapters.moving import Moves, arrays_in, put
from autograd_lite.comparison.adapters.propagations import output_and_cache
from autograd_lite.comparison.adapters.surroundings import copied
from autograd_lite.comparison.adapters.words import is_cost, is_label, labels_among
from autograd_lite.errors import CompareError

__all__ = ["SupervisedNetwork", "inputs_of"]

_STEP = 1e-5
_CLOSE = 1e-5  # of two factors, where numbers by central differences are good to 1e-9 or so


def _squares(output: Any, labels: Any) -> Any:
    return ((output - labels) ** 2).sum() / 2


def _entropy(output: Any, labels: Any) -> Any:
    return -(labels * np.log(output)).sum()


def _binary(output: Any, labels: Any) -> Any:
    return -(labels * np.log(output) + (1 - labels) * np.log(1 - output)).sum()


def _indexed(output: Any, labels: Any) -> Any:
    return -np.log(output[np.arange(len(labels)), labels]).sum()


def _plainly(function: Callable[[Any, Any], Any], _: Any, output: Any, labels: Any) -> Any:
    """A loss that needs no network."""
    return function(output, labels)


_USUAL: dict[str, Callable[[Any, Any], Any]] = {
    "½ Σ (output − target)²": _squares,
    "−Σ target · log output": _entropy,
    "−Σ target · log output + (1 − target) · log(1 − output)": _binary,
    "−Σ log output[target]": _indexed,
}


def inputs_of(hand: Any) -> tuple[str, ...]:
    """The names of what a supervised network takes: those of forward, then the labels.

    Nothing for anything else.
    """
    forward, backward = methods_of(hand)
    if not backward or forward == "__call__":
        return ()
    own = [n for n in required_of(getattr(hand, forward)) if n != "self"]
    if not own or labels_among(own) or any(is_label(n) and n != "y" for n in own):
        return ()
    wanted = [n for n in required_of(getattr(hand, backward)) if n != "self"]
    labels = [n for n in wanted if n not in own and is_label(n)]
    return (*own, labels[0]) if len(labels) == 1 else ()


class SupervisedNetwork:
    """The convention of networks that are given labels backward: see the module."""

    name = "network with forward(x) and backward(x, labels)"

    def fits(self, hand: Any) -> bool:
        """Whether `backward` of `hand` takes labels that `forward` does not."""
        return not isinstance(hand, list | tuple) and bool(inputs_of(hand))

    def layer(self, hand: Any, inputs: Sequence[Any]) -> Layer:
        """The network with the loss that fits best; of a class one made without arguments."""
        hand = instance_of(hand) if isinstance(hand, type) else hand
        names = inputs_of(hand)
        if len(inputs) != len(names):
            raise CompareError(
                f"{type(hand).__name__} takes {', '.join(names)}, and {len(inputs)} were given",
                where="backward takes labels that forward does not: they are the last input",
                mend=f"ag.compare(network, {', '.join(names)})",
            )
        network = _Network(hand, names)
        if not any(arrays_in(hand)):
            network.wanted = "first"
        loss = network.loss = _loss_of(network, hand, inputs)
        what = loss.name if loss.factor == 1 else f"{loss.factor:.6g} × ({loss.name})"
        network.supposed = (
            f"backward is held against the gradient of {what}: of its own losses and the usual "
            "ones it fits the most gradients"
        )
        return network


class _Loss(NamedTuple):
    """What a network is taken to descend: `factor` × `function(output, labels)`."""

    name: str
    function: Callable[[Any, Any, Any], Any]  # of the network, for methods of it
    factor: float = 1.0


class _Network(Layer):
    upstream = "none"
    wanted = "none"
    loss: _Loss

    def __init__(self, hand: Any, names: Sequence[str]) -> None:
        super().__init__(hand, type(hand).__name__, names)
        self._forward, self._back = methods_of(hand)
        self._arguments = Call.of(getattr(hand, self._back), names)
        self.moved: dict[str, Any] = {}

    def output(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        """What the network gives, and what it keeps."""
        result = getattr(hand, self._forward)(*inputs[:-1])
        return output_and_cache(left_output(hand) if result is None else result)

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        output, cache = self.output(hand, inputs)
        return self.loss.factor * self.loss.function(hand, output, inputs[-1]), (output, cache)

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        output, cache = kept
        given = dict(zip(self.names, inputs, strict=True))
        arguments = self._arguments.arguments([], given, output, [cache])
        moves = Moves(hand, known=True)
        returned = getattr(hand, self._back)(*arguments)
        self.moved = moves.taken()
        return returned

    def input_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], paths: Sequence[str]
    ) -> list[Any]:
        """What has names; else what is returned is of the parameters, where there are any."""
        found = [gradient_among(returned, name) for name in self.names]
        if self.wanted == "first" and np.shape(returned) == np.shape(inputs[0]):
            found[0] = returned
        return found

    def parameter_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], aliases: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """What they moved by; else in lists or in their order, or where those of a layer lie."""
        if self.moved:
            return {
                path: next((self.moved[o] for o in others if o in self.moved), None)
                for path, others in aliases.items()
            }
        listed = {} if returned is None else _by_shapes(hand, returned, aliases)
        if listed:
            return listed
        return super().parameter_gradients(hand, returned, inputs, aliases)


def _by_shapes(hand: Any, returned: Any, aliases: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Gradients in lists of the same shapes as the parameters' lists, or in their order."""
    found: dict[str, Any] = {}
    parts = as_tuple(returned)
    lists = [part for part in parts if isinstance(part, list)]
    for part in lists:
        shapes = [np.shape(g) for g in part]
        for name in dict.fromkeys(path.rpartition(".")[0] for path in aliases):
            held = value_at(hand, name) if name else None
            if isinstance(held, list) and [np.shape(w) for w in held] == shapes:
                found.update({f"{name}.{k}": g for k, g in enumerate(part)})
    if not lists and len(parts) >= len(aliases):
        return by_shapes(hand, parts, aliases)
    return {path: found.get(path) for path in aliases} if found else {}


# ── which loss ───────────────────────────────────────────────────────────────────────────────────


def _loss_of(network: _Network, hand: Any, inputs: Sequence[Any]) -> _Loss:
    """The loss that fits the most gradients, the network's own before usual ones."""
    own = list(_own_losses(hand))
    usual = [_Loss(name, partial(_plainly, f)) for name, f in _USUAL.items()]
    network.loss = usual[0]
    gradients = _gradients(network, hand, inputs)
    best, most = (own or usual)[0], (0, False)
    for loss in (*own, *usual):
        factors = [f for f in _factors(network, loss, hand, inputs, gradients) if f]
        for factor in (1.0, *factors) if loss in own else factors:
            count = sum(abs(f - factor) <= _CLOSE * abs(factor) for f in factors)
            plain = _plain(factor)
            fits = count, count > 0 and plain is not None
            if factor > 0 and fits > most:
                alone = _nearest(factor, inputs[-1]) if count == 1 else factor
                best, most = loss._replace(factor=plain or alone), fits
        if most[0] and most[0] == len(gradients):
            break
    return best


def _gradients(network: _Network, hand: Any, inputs: Sequence[Any]) -> dict[str, Any]:
    """The hand-written gradients of all float arrays that there are any of."""
    layer, given = copied(hand), copy.deepcopy(list(inputs))
    paths = {path: [path] for path, _ in arrays_in(layer)}
    try:
        output, cache = network.output(layer, given)
        returned = network.pull(layer, (output, cache), given, ())
    except CompareError:
        raise
    except Exception as error:
        raise CompareError(
            f"{network.title} raised {place_of(error)}",
            mend="pass inputs that the network takes, and labels of the shape of its output",
        ) from error
    found = network.parameter_gradients(layer, returned, given, paths)
    points = {path: value_at(hand, path) for path in found}
    if network.wanted == "first":
        found[_INPUT] = network.input_gradients(layer, returned, given, ())[0]
        points[_INPUT] = inputs[0]
    return {
        path: np.asarray(g, float)
        for path, g in found.items()
        if g is not None and np.shape(g) == np.shape(points[path]) and np.any(g)
    }


_INPUT = ""  # the path of the first input


def _factors(
    network: _Network,
    loss: _Loss,
    hand: Any,
    inputs: Sequence[Any],
    gradients: Mapping[str, Any],
) -> list[float | None]:
    """For each gradient g by how much it exceeds that of a loss: ⟨g, g⟩ over the slope along g."""
    found: list[float | None] = []
    for path, g in gradients.items():
        values, size = [], _STEP / float(np.linalg.norm(g))
        for side in (1, -1):
            moved, given = copied(hand), copy.deepcopy(list(inputs))
            if path == _INPUT:
                given[0] = given[0] + side * size * g
            else:
                put(moved, path, value_at(hand, path) + side * size * g)
            try:
                with np.errstate(all="ignore"):
                    output, _ = network.output(moved, given)
                    values.append(float(np.sum(loss.function(moved, output, inputs[-1]))))
            except Exception:  # noqa: BLE001  # a loss that these labels do not suit
                return []
        slope = (values[0] - values[1]) / (2 * size)
        fine = np.isfinite(slope) and slope != 0
        found.append(float(np.vdot(g, g)) / slope if fine else None)
    return found


def _plain(factor: float) -> float | None:
    """The fraction of small numbers that a factor by numbers stands for, None where it is none."""
    for below, above in itertools.product(range(1, 121), (1, 2)):
        if abs(factor * below / above - 1) <= _CLOSE:
            return above / below
    return None


def _nearest(factor: float, labels: Any) -> float:
    """The factor of a loss that is nearest to what a single gradient, a wrong one, says."""
    sizes: set[int] = {n for n in (1, np.size(labels), *np.shape(labels)) if n}
    return min((a / n for a in (1, 2) for n in sizes), key=lambda c: abs(math.log(factor / c)))


def _own_losses(hand: Any) -> Iterator[_Loss]:
    """Methods that are called as costs are, and take an output and labels."""
    for name in dir(type(hand)):
        method = getattr(hand, name, None)
        if name.startswith("__") or not callable(method) or not is_cost(method):
            continue
        wanted = required_of(method)
        if len(wanted) == 2 and not any(w in ("x", "X") for w in wanted):
            turned = 0 in labels_among(wanted) or (is_label(wanted[0]) and not is_label(wanted[1]))

            def function(net: Any, a: Any, y: Any, name: str = name, turned: bool = turned) -> Any:
                return getattr(net, name)(*((y, a) if turned else (a, y)))

            yield _Loss(f"{type(hand).__name__}.{name}", function)
