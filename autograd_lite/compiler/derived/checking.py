"""Derived classes held against the engine: that they are right, and how far they reach.

Knows how a derived class is called, and the derivative of a function; no operator. Imports errors
and derivatives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.compiler.derived.tracing import Traced, traced
from autograd_lite.derivatives import gradients
from autograd_lite.errors import DeriveError
from autograd_lite.tensors import Tensor

__all__ = ["Checker", "Reach"]

_DIGITS = 1e-6  # the error, as a part of the gradient, up to which a range reaches
_FAR = 1e4  # beyond that no range is looked for


@dataclass(frozen=True)
class Reach:
    """Where the gradient of an input keeps six digits: all its elements between these two."""

    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Whether no end was found."""
        return self.low <= -_FAR and self.high >= _FAR


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
        output = trace.output
        cotangent = np.random.default_rng(5).normal(size=output.shape).astype(output.dtype)[()]
        layer = self.make()
        with np.errstate(all="ignore"):
            found = [layer.forward(*examples), *self._gradients(layer, cotangent)]
        truth = [output.outputs[0].data, *self._truth(trace, cotangent)]
        for name, one, other in zip(self._titles(), found, truth, strict=True):
            if not _close(one, other):
                raise DeriveError(
                    f"the derived class and the engine do not agree on {name}",
                    mend="the function may compute with plain numbers taken out of tensors, or "
                    "draw random ones: pass those as arguments. If it does not, please report this",
                )

    def _titles(self) -> list[str]:
        inputs = [f"the gradient of {self.names[i]}" for i in self.wanted]
        return ["the output", *inputs, *(f"d{name}" for name in self.parameters)]

    def _gradients(self, layer: Any, cotangent: Any) -> list[Any]:
        returned = layer.backward(cotangent)
        returned = (returned,) if len(self.wanted) == 1 else returned or ()
        return [*returned, *(getattr(layer, f"d{name}") for name in self.parameters)]

    def _truth(self, trace: Traced, cotangent: Any) -> list[Any]:
        leaves = [*(trace.inputs[i] for i in self.wanted), *trace.parameters]
        handles = [Tensor(leaf.value, leaf) for leaf in leaves]
        with np.errstate(all="ignore"):
            found = gradients(trace.output.outputs[0], handles, cotangent)
        return [one.data for one in found]

    # how far it reaches

    def reach(self, examples: Sequence[Any]) -> Reach:
        """Where the first gradient keeps six digits; beyond ±10,000 is not looked."""
        return Reach(-self._end(examples, -1.0), self._end(examples, 1.0))

    def _end(self, examples: Sequence[Any], sign: float) -> float:
        """The largest size of the first input, of this sign, at which six digits are left."""
        low, high = 0.0, 1.0
        while high <= _FAR and self._precise(examples, sign * high):
            low, high = high, 2 * high
        if high > _FAR:
            return _FAR
        for _ in range(12):
            middle = (low + high) / 2
            low, high = (middle, high) if self._precise(examples, sign * middle) else (low, middle)
        return low

    def _precise(self, examples: Sequence[Any], size: float) -> bool:
        """Whether six digits are left where the first input has elements from size/2 to size.

        The truth is the engine's gradient in NumPy's widest floating numbers.
        """
        i = self.wanted[0]
        x = np.linspace(size / 2, size, np.size(examples[i])).reshape(np.shape(examples[i]))
        moved = [*examples[:i], x.astype(examples[i].dtype)[()], *examples[i + 1 :]]
        wide = [x.astype(np.longdouble) if x.dtype.kind == "f" else x for x in moved]
        trace = traced(self.f, wide, self.names)
        layer = self.make()
        with np.errstate(all="ignore"):
            y = np.asarray(layer.forward(*moved))
            cotangent = np.ones(y.shape, y.dtype)[()]
            (found, *_), (truth, *_) = (
                self._gradients(layer, cotangent),
                self._truth(trace, cotangent),
            )
        known = np.isfinite(truth)
        return bool(np.allclose(found[known], truth[known], rtol=_DIGITS, atol=0.0))


def _close(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return False
    finite = np.isfinite(other)
    size = np.max(np.abs(other), initial=0.0, where=finite)
    eps = np.finfo(other.dtype).eps
    return bool(np.allclose(one[finite], other[finite], rtol=eps**0.6, atol=size * eps**0.75))
