"""A computational-graph autodiff engine on NumPy, to see, check and derive gradients with.

Importing loads NumPy and no other third-party package; names of the upper rooms load on first use.
"""

import sys
from importlib import import_module
from typing import Any

from autograd_lite import derivatives, errors, protocol, rules
from autograd_lite.custom import checkpoint, custom_derivative
from autograd_lite.derivatives import (
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)
from autograd_lite.graph import Graph, Node
from autograd_lite.modes import debug, no_grad, scope
from autograd_lite.recording import shaped, trace
from autograd_lite.rules import primitive
from autograd_lite.tensors import Tensor, constant, parameter, tensor

__version__ = "0.1.0"

_LAZY = {
    "compare": "autograd_lite.comparison",
    "compile": "autograd_lite.compiler",
    "derive": "autograd_lite.compiler",
    "draw": "autograd_lite.picture",
    "explain": "autograd_lite.compiler",
    "export": None,
    "fft": None,
    "gradcheck": "autograd_lite.comparison",
    "lift": "autograd_lite.lifting",
    "handwritten": None,
    "linalg": None,
    "nn": None,
    "numpy": None,
    "optim": None,
    "random": None,
    "testing": None,
    "view": "autograd_lite.picture",
}
"""Names of the upper rooms, and where they stand; None: the name is a room."""

_KEPT = {"trace", "getitem"}  # names that mean something else at the top level

globals().update({name: f for name, f in rules.FUNCTIONS.items() if name not in _KEPT})

__all__ = [  # noqa: PLE0604 - names from the registry
    "Graph",
    "Node",
    "Tensor",
    "checkpoint",
    "constant",
    "custom_derivative",
    "debug",
    "derivatives",
    "errors",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "parameter",
    "primitive",
    "protocol",
    "scope",
    "shaped",
    "stop_gradient",
    "tensor",
    "trace",
    "value_and_grad",
    "vjp",
    *sorted(name for name in rules.FUNCTIONS if name not in _KEPT),
    *_LAZY,
]


def _namespace(self: Tensor, *, api_version: str | None = None) -> Any:
    """The module ``autograd_lite.numpy`` (Array API)."""
    if api_version not in (None, "2022.12", "2023.12", "2024.12"):
        raise errors.UnsupportedError(f"no Array API {api_version}", mend="2024.12 is the newest")
    return getattr(sys.modules[__name__], "numpy")  # noqa: B009 - loads the room on first use


setattr(Tensor, "__array_namespace__", _namespace)  # noqa: B010 - declared beside all methods


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'autograd_lite' has no attribute {name!r}")
    place = _LAZY[name]
    room = import_module(place or f"autograd_lite.{name}")
    value = room if place is None else getattr(room, name)
    globals()[name] = value
    return value


def _in_a_notebook(self: Tensor | Graph) -> str | None:
    """The picture of what a tensor rests on, or of a graph; None for what nobody would draw."""
    if isinstance(self, Tensor) and not self.tracked:
        return None
    return str(__getattr__("draw")(self).svg)


Tensor._repr_svg_ = _in_a_notebook  # type: ignore[attr-defined]  # the picture room loads lazily
Graph._repr_svg_ = _in_a_notebook  # type: ignore[attr-defined]  # the picture room loads lazily


def __dir__() -> list[str]:
    return sorted(__all__)
