"""What ``derive`` differentiates: functions as they stand, and layers that are plain NumPy.

A layer written by hand need not know tensors: its forward pass runs lifted, on a copy of it, and
the arrays that it holds are its parameters. Imports errors, lifting, nn, tensors and its sibling.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.compiler.derived.tracing import argument_names, as_differentiated, traced
from autograd_lite.errors import DeriveError, ImmutableError, describe
from autograd_lite.lifting import Lifted, lift
from autograd_lite.nn import Layer
from autograd_lite.tensors import Tensor, parameter

__all__ = ["differentiable"]


def differentiable(f: Any, examples: Sequence[Any]) -> Callable[..., Any]:
    """``f`` as a function of tensors.

    Raises:
        DeriveError: it is neither a function nor has it a forward pass.
    """
    if inspect.isfunction(f):
        return lift(f) if isinstance(_trouble(f, examples), ImmutableError) else f
    if inspect.isclass(f):
        f = _instance(f)
    owner, method = (f.__self__, f.__name__) if inspect.ismethod(f) else (f, _forward_of(f))
    if isinstance(owner, Layer | Lifted) or inspect.isbuiltin(f):
        return f  # type: ignore[no-any-return]  # it can be called
    ways = [_HandMade(owner, method, "iuf"), _HandMade(owner, method, "f")]
    last = f if callable(f) else ways[0]
    return next((way for way in ways if _trouble(way, examples) is None), last)


def _trouble(f: Callable[..., Any], examples: Sequence[Any]) -> Exception | None:
    """What tracing it raises."""
    names = argument_names(f, len(examples))
    try:
        traced(f, as_differentiated(f, examples, names), names)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises
        return error
    return None


def _forward_of(layer: Any) -> str:
    for method in ("forward", "__call__"):
        if callable(getattr(layer, method, None)):
            return method
    raise DeriveError(
        f"neither a function nor a layer with a method forward: {describe(layer)}",
        mend="ag.derive(f, x), or ag.derive(layer, x)",
    )


def _instance(kind: type) -> Any:
    try:
        return kind()
    except TypeError as error:
        raise DeriveError(
            f"the class {kind.__name__} makes no layer without arguments: {error}",
            mend=f"give a layer: ag.derive({kind.__name__}(...), x)",
        ) from error


class _HandMade:
    """The forward pass of a layer in plain NumPy: each call runs on a fresh copy of the layer.

    ``kinds`` are those of the arrays that are parameters: integers may be meant as numbers, too.
    """

    def __init__(self, layer: Any, method: str, kinds: str) -> None:
        self._layer, self._method, self._kinds = layer, method, kinds
        self._parameters: dict[str, Tensor] = {}
        forward = getattr(layer, method)
        self.__signature__ = inspect.signature(forward)
        self.__name__ = type(layer).__name__ if method in ("forward", "__call__") else method

    def __call__(self, *xs: Any) -> Any:
        """What the layer gives, as tensors."""
        return getattr(lift(self._layer, leaf=self._leaf), self._method)(*xs)

    def _leaf(self, path: str, array: Any) -> Any:
        if array.dtype.kind not in self._kinds:
            return array
        if path not in self._parameters:
            self._parameters[path] = parameter(array, name=_last_name(path))
        return self._parameters[path]


def _last_name(path: str) -> str:
    """``W1`` of ``params.W1``, ``weights0`` of ``weights.0``."""
    found = re.search(r"[^.]+(\.\d+)*$", path)
    return found[0].replace(".", "") if found else path
