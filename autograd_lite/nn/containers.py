"""Layers one after the other. Imports errors, the operators and the layer base."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, Self

from autograd_lite.errors import DTypeError
from autograd_lite.nn.layer import Layer
from autograd_lite.ops.shaping import reshape, shape_of
from autograd_lite.shapes import Shape

__all__ = ["Flatten", "Sequential"]


class Sequential(Layer):
    """Layers (and plain functions) one after the other; each takes what the one before gave.

    >>> import autograd_lite as ag
    >>> net = ag.nn.Sequential(ag.nn.Affine([[1.0, -1.0]], [0.0, 0.0]), ag.nn.ReLU(), ag.sum)
    >>> net(ag.tensor([[2.0]])), len(net), net[0]
    (Tensor(2.), 3, Affine(W=(1, 2), b=(2,)))
    """

    def __init__(self, *steps: Callable[[Any], Any]) -> None:
        for step in steps:
            if not callable(step):
                raise DTypeError(
                    f"a step of Sequential is a {type(step).__name__}",
                    mend="give layers and functions, each as an argument of its own",
                )
        self.steps = steps

    def __call__(self, x: Any) -> Any:
        """The result of the last step."""
        for step in self.steps:
            x = step(x)
        return x

    def tree_parts(self) -> dict[str, Any]:
        """The layers by their number; plain functions have no parameters."""
        return {str(i): step for i, step in enumerate(self.steps) if isinstance(step, Layer)}

    def tree_rebuild(self, parts: dict[str, Any]) -> Self:
        """The same steps with other layers in their places."""
        fresh = copy.copy(self)
        fresh.steps = tuple(parts.get(str(i), step) for i, step in enumerate(self.steps))
        return fresh

    def __getitem__(self, i: int) -> Any:
        return self.steps[i]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.steps)

    def __repr__(self) -> str:
        names = (repr(s) if isinstance(s, Layer) else getattr(s, "__name__", "function")
                 for s in self.steps)  # fmt: skip
        return f"Sequential({', '.join(names)})"


class Flatten(Layer):
    """Each sample as one row: (N, …) → (N, all the rest).

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.nn.Flatten()(np.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def __call__(self, x: Any) -> Any:
        """The rows."""
        shape: Shape = shape_of(x)
        size = 1
        for n in shape[1:]:
            size *= n
        return reshape(x, (*shape[:1], size))
