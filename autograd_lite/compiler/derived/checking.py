"""Derived classes held against the engine: that they are right, and how far they reach.

Knows how a derived class is called, and the derivative of a function; no operator. Imports errors,
derivatives, the sum, and rules from rewrite.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import add
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.tracing import Traced, traced
from autograd_lite.derivatives import gradients
from autograd_lite.errors import DeriveError
from autograd_lite.ops.reductions import sum as total
from autograd_lite.rewrite import LocalRule
from autograd_lite.tensors import Tensor

__all__ = ["FAR", "Checker", "Reach", "reach"]

_DIGITS = 1e-6  # the error, as a part of the gradient, up to which a range reaches
_ROUNDINGS = 32  # of the largest gradient, in one that cancels
FAR = 2e3  # beyond that no range is looked for


@dataclass(frozen=True)
class Reach:
    """Where a rule keeps six digits: for elements between these two."""

    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Whether no end was found."""
        return self.low <= -FAR and self.high >= FAR


@dataclass(frozen=True)
class Checker:
    """A function, the class derived of it, and the inputs whose gradients it returns."""

    f: Callable[..., Any]
    names: Sequence[str]
    make: Callable[[], Any]
    parameters: Sequence[str]
    wanted: Sequence[int]

    def hold(self, examples: Sequence[Any]) -> None:
        """Raise unless the class agrees with the engine on these inputs.

        Raises:
            DeriveError: it does not: the function may depend on values that it does not compute
                with tensors.
        """
        trace = traced(self.f, examples, self.names)
        rng = np.random.default_rng(5)
        cotangents = [rng.normal(size=one.shape).astype(one.dtype)[()] for one in trace.outputs]
        layer = self.make()
        with np.errstate(all="ignore"):
            made = layer.forward(*examples, *(leaf.value for leaf in trace.draws))
            made = [made] if len(trace.outputs) == 1 else made
            found = [*made, *self._gradients(layer, cotangents)]
        values = (node.outputs[0].data for node in trace.outputs)
        truth = [*values, *self._truth(trace, cotangents)]
        largest = max(map(_size, truth), default=0.0)
        for name, one, other in zip(self._titles(len(made)), found, truth, strict=True):
            if not _close(one, other, largest):
                raise DeriveError(
                    f"the derived class and the engine do not agree on {name}",
                    mend="the function may compute with plain numbers taken out of tensors, or "
                    "draw random ones: pass those as arguments. If it does not, please report this",
                )

    def _titles(self, outputs: int) -> list[str]:
        inputs = [f"the gradient of {self.names[i]}" for i in self.wanted]
        return [*["the output"] * outputs, *inputs, *(f"d{name}" for name in self.parameters)]

    def _gradients(self, layer: Any, cotangents: Sequence[Any]) -> list[Any]:
        returned = layer.backward(*cotangents)
        returned = (returned,) if len(self.wanted) == 1 else returned or ()
        return [*returned, *(getattr(layer, f"d{name}") for name in self.parameters)]

    def _truth(self, trace: Traced, cotangents: Sequence[Any]) -> list[Any]:
        leaves = [*(trace.inputs[i] for i in self.wanted), *trace.parameters]
        handles = [Tensor(leaf.value, leaf) for leaf in leaves]
        with np.errstate(all="ignore"):
            parts = [
                total(node.outputs[0] * cotangent)
                for node, cotangent in zip(trace.outputs, cotangents, strict=True)
            ]
            found = gradients(reduce(add, parts), handles)
        return [one.data for one in found]


def reach(rule: LocalRule, dtype: Any) -> Reach:
    """Where a rule keeps six digits, in this dtype; beyond ±2,000 is not looked.

    The truth is the unsimplified derivative in NumPy's widest floating numbers.
    """
    if rule.pointwise:
        return Reach(-_end(rule, dtype, lambda size: (-size, -size / 2)),
                     _end(rule, dtype, lambda size: (size / 2, size)))  # fmt: skip
    end = _end(rule, dtype, lambda size: (-size, size))
    return Reach(-end, end)


def _end(rule: LocalRule, dtype: Any, span: Callable[[float], tuple[float, float]]) -> float:
    """The largest size, of elements within its span, at which six digits are left."""
    low, high = 0.0, 1.0
    while high <= FAR and _precise(rule, dtype, *span(high)):
        low, high = high, 2 * high
    if high > FAR:
        return FAR
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if _precise(rule, dtype, *span(middle)) else (low, middle)
    return low


def _precise(rule: LocalRule, dtype: Any, low: float, high: float) -> bool:
    """Whether six digits are left where what is differentiated by has elements in a span.

    Of an operator on elements they are each element's, else those of the largest.
    """
    rng = np.random.default_rng(6)
    arrays = [rng.uniform(0.5, 2.0, node.shape) for node in rule.region.inputs]
    shape = arrays[rule.region.at].shape
    arrays[rule.region.at] = rng.permutation(np.linspace(low, high, prod(shape))).reshape(shape)
    arrays = [one.astype(dtype)[()] for one in rule.region.given(arrays)]
    cotangent = rng.uniform(0.5, 2.0, rule.region.cotangent.shape).astype(dtype)[()]
    found, _ = rule.both(arrays, cotangent)
    wide = [np.asarray(one, np.longdouble)[()] for one in (*arrays, cotangent)]
    truth = rule.region.values(wide[:-1], wide[-1])[rule.region.derivative]
    known = np.isfinite(truth)
    scale = 0.0 if rule.pointwise else np.max(np.abs(truth), initial=0.0, where=known)
    close = np.abs(found - truth) <= _DIGITS * np.maximum(np.abs(truth), scale)
    return bool(np.all(close[known]))


def _size(x: Any) -> float:
    """The largest finite element."""
    return float(np.max(np.abs(x), initial=0.0, where=np.isfinite(x)))


def _close(one: Any, other: Any, largest: float) -> bool:
    """Equal up to rounding; a gradient that is 0 but for rounding, up to that of the largest."""
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    finite = np.isfinite(other)
    eps = float(np.finfo(other.dtype).eps)
    atol = max(_size(other) * eps**0.75, largest * _ROUNDINGS * eps)
    return bool(np.allclose(one[finite], other[finite], rtol=eps**0.6, atol=atol))
