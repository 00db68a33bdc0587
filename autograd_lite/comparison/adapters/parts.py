"""A layer of complex arrays as one of real arrays: every complex array is its two parts.

Knows: the gradient of z = x + iy is ∂f/∂x − i ∂f/∂y, and a cotangent g weighs an output y as
Re(g·y): the convention of docs/complex.md, which is that of JAX and HIPS autograd.
Does not know: any convention of layers, tensors beyond `.real` and `.imag`, verdicts.
Imports: its base, NumPy.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.comparison.adapters.base import Layer
from autograd_lite.comparison.adapters.matching import as_tuple
from autograd_lite.comparison.adapters.surroundings import copied

__all__ = ["RealParts", "in_real_parts"]


def in_real_parts(layer: Layer, inputs: Sequence[Any]) -> tuple[Layer, Sequence[Any]]:
    """The layer and its inputs as they are, or in real parts where complex numbers take part."""
    complexes = [_is_complex(x) for x in inputs]
    if not any(complexes) and not _gives_complex(layer, inputs):
        return layer, inputs
    parts = RealParts(layer, complexes)
    return parts, parts.split(inputs)


class RealParts(Layer):
    """What a layer looks like whose complex arrays are taken apart."""

    def __init__(self, layer: Layer, complexes: Sequence[bool]) -> None:
        self._layer, self._complexes = layer, list(complexes)
        self._outputs: list[bool] = []  # which of the last outputs were complex
        names = [
            part
            for name, whole in zip(layer.names, complexes)
            for part in ([f"Re {name}", f"Im {name}"] if whole else [name])
        ]
        super().__init__(layer.hand, layer.title, names)
        self.upstream, self.traceable, self.wanted = layer.upstream, layer.traceable, layer.wanted

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The names of the parts of each complex input."""
        return [(f"Re {n}", f"Im {n}") for n, c in zip(self._layer.names, self._complexes) if c]

    @property
    def imaginary_outputs(self) -> list[bool]:
        """Of each part of the last outputs, whether it is an imaginary one."""
        return [part for whole in self._outputs for part in ((False, True) if whole else (False,))]

    def split(self, values: Sequence[Any], sign: int = 1) -> list[Any]:
        """One entry for each input as two, where it is complex; None stays None."""
        found: list[Any] = []
        for value, whole in zip(values, self._complexes, strict=True):
            if not whole:
                found.append(value)
            elif value is None:
                found += [None, None]
            else:
                array = np.asarray(value)
                found += [np.array(array.real), sign * np.array(array.imag)]
        return found

    def joined(self, parts: Sequence[Any]) -> list[Any]:
        """The inputs that the parts are of."""
        rest = iter(parts)
        return [next(rest) + 1j * next(rest) if c else next(rest) for c in self._complexes]

    def call(self, hand: Any, inputs: Sequence[Any]) -> tuple[Any, Any]:
        """The parts of the outputs."""
        result, kept = self._layer.call(hand, self.joined(inputs))
        outputs = as_tuple(result)
        self._outputs = [_is_complex(y) for y in outputs]
        found: list[Any] = []
        for y, whole in zip(outputs, self._outputs, strict=True):
            found += [y.real, y.imag] if whole else [y]
        return (tuple(found) if len(found) > 1 else found[0]), kept

    def pull(self, hand: Any, kept: Any, inputs: Sequence[Any], douts: Sequence[Any]) -> Any:
        """What the backward pass returns for the cotangents that the parts make together."""
        rest = iter(douts)
        whole = [next(rest) - 1j * next(rest) if c else next(rest) for c in self._outputs]
        return self._layer.pull(hand, kept, self.joined(inputs), whole)

    def input_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], paths: Sequence[str]
    ) -> list[Any]:
        """For each part of an input its gradient."""
        found = self._layer.input_gradients(hand, returned, self.joined(inputs), paths)
        return self.split(found, sign=-1)

    def parameter_gradients(
        self, hand: Any, returned: Any, inputs: Sequence[Any], aliases: Mapping[str, Sequence[str]]
    ) -> dict[str, Any]:
        """The gradient of each real parameter."""
        return self._layer.parameter_gradients(hand, returned, self.joined(inputs), aliases)

    def mapped(self, hand: Any, returned: Any, where: str | int) -> Any:
        """The gradient at a place that the caller named."""
        return self._layer.mapped(hand, returned, where)


def _is_complex(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    if dtype is None and isinstance(value, list | tuple | complex):
        try:
            dtype = np.asarray(value).dtype
        except ValueError:  # a ragged list
            return False
    return getattr(dtype, "kind", "") == "c"


def _gives_complex(layer: Layer, inputs: Sequence[Any]) -> bool:
    """Whether real inputs give a complex output, as far as a call on copies tells."""
    try:
        result, _ = layer.call(copied(layer.hand), copy.deepcopy(list(inputs)))
    except Exception:  # noqa: BLE001  # what it raises is told where it is called for good
        return False
    return any(map(_is_complex, as_tuple(result)))
