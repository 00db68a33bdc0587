"""What all layers share: they are called, and their parameters can be listed and exchanged.

Imports recording.
"""

import copy
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from autograd_lite.modes import current_mode
from autograd_lite.tensors import Tensor, parameter, plain_value

__all__ = ["Buffer", "Layer", "as_parameter"]


class Buffer:
    """An array that a layer keeps from call to call and that is no parameter: a running mean.

    A copy of the layer shares it, so that what a layer learns of its data inside ``ag.grad`` stays.
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = np.array(value)
        self._value.flags.writeable = False

    @property
    def value(self) -> Any:
        """The array as it is now, read-only; assigning makes a new one."""
        tracer = current_mode().tracer
        return self._value if tracer is None else tracer.read(id(self), lambda: self._value)

    @value.setter
    def value(self, new: Any) -> None:
        tracer = current_mode().tracer
        if tracer is not None:
            tracer.write(id(self), tracer.array_like(new, self._value), self._put)
            return
        array = np.array(plain_value(new), dtype=self._value.dtype).reshape(self._value.shape)
        array.flags.writeable = False
        self._value = array

    def _put(self, new: Any) -> None:
        self._value = np.asarray(new)
        self._value.flags.writeable = False


class Layer:
    """A function with parameters: tensors (and layers) among its attributes.

    Layers may be passed to ``ag.grad`` and its kin like arrays: the gradient is then a dict of
    the parts' gradients. ``training`` tells layers that behave otherwise while they learn (dropout,
    batch normalization); ``train()`` and ``evaluate()`` set it, inner layers included.

    >>> import autograd_lite as ag
    >>> sorted(ag.nn.Affine([[1.0]], [0.0]).tree_parts())
    ['W', 'b']
    """

    _training = True

    @property
    def training(self) -> bool:
        """Whether the layer behaves as while learning."""
        tracer = current_mode().tracer
        return self._training if tracer is None else tracer.guard(lambda: self._training)

    @training.setter
    def training(self, training: bool) -> None:
        self._training = training

    def __call__(self, x: Any) -> Any:
        """The layer's output; each layer says what of."""
        raise NotImplementedError

    def tree_parts(self) -> dict[str, Any]:
        """The parameters and inner layers by attribute name."""
        return {
            name: part for name, part in vars(self).items() if isinstance(part, (Tensor, Layer))
        }

    def tree_rebuild(self, parts: dict[str, Any]) -> Self:
        """The same layer with other parts; this one stays as it is."""
        fresh = copy.copy(self)
        vars(fresh).update(parts)
        return fresh

    def layers(self, prefix: str = "") -> Iterator[tuple[str, "Layer"]]:
        """This layer and all inner ones, each with its path and a dot after it (or nothing)."""
        yield prefix, self
        for name, part in self.tree_parts().items():
            if isinstance(part, Layer):
                yield from part.layers(f"{prefix}{name}.")

    def parameters(self) -> dict[str, Tensor]:
        """All parameters, inner layers included, by their paths.

        >>> import autograd_lite as ag
        >>> net = ag.nn.Sequential(ag.nn.Affine([[1.0]], [0.0]), ag.nn.ReLU())
        >>> list(net.parameters())
        ['0.W', '0.b']
        """
        return {
            prefix + name: part
            for prefix, layer in self.layers()
            for name, part in layer.tree_parts().items()
            if isinstance(part, Tensor)
        }

    def buffers(self) -> dict[str, Buffer]:
        """All that layers keep from call to call, inner layers included, by their paths."""
        return {
            prefix + name: part
            for prefix, layer in self.layers()
            for name, part in vars(layer).items()
            if isinstance(part, Buffer)
        }

    def train(self, training: bool = True) -> Self:
        """Let this layer and all inner ones behave as while learning."""
        for _, layer in self.layers():
            layer.training = training
        return self

    def evaluate(self) -> Self:
        """Let this layer and all inner ones behave as in use: nothing drawn, nothing learnt."""
        return self.train(False)

    def __repr__(self) -> str:
        parts = ", ".join(
            f"{name}={part.shape if isinstance(part, Tensor) else part!r}"
            for name, part in self.tree_parts().items()
        )
        return f"{type(self).__name__}({parts})"


def as_parameter(value: Any, name: str) -> Any:
    """A tensor as it is, None as it is, and an array as a parameter of that name."""
    return value if value is None or isinstance(value, Tensor) else parameter(value, name=name)
