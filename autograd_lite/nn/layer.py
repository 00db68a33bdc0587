"""What all layers share: they are called, and their parameters can be listed and exchanged.

Imports recording.
"""

import copy
from typing import Any, Self

from autograd_lite.recording import Tensor

__all__ = ["Layer"]


class Layer:
    """A function with parameters: tensors (and layers) among its attributes.

    Layers may be passed to ``ag.grad`` and its kin like arrays: the gradient is then a dict of
    the parts' gradients.

    >>> import autograd_lite as ag
    >>> sorted(ag.nn.Affine([[1.0]], [0.0]).tree_parts())
    ['W', 'b']
    """

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

    def __repr__(self) -> str:
        parts = ", ".join(f"{name}={part.shape}" for name, part in self.tree_parts().items())
        return f"{type(self).__name__}({parts})"
