"""Methods of lifted arrays: those of an ndarray, recorded, as views, or in place.

Knows which method does which. Imports arrays, functions and rules.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.lifting.arrays import (
    ALL,
    LiftedArray,
    adopt,
    bare,
    by_memory,
    leaves,
    lifted,
    number_at,
    on_own_memory,
    tensor_of,
    tracked,
    view_of,
    write,
)
from autograd_lite.lifting.functions import into, put, recorded
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.shaping import astype, reshape
from autograd_lite.protocol import METHODS, PROPERTIES
from autograd_lite.rules import FUNCTIONS
from autograd_lite.tensors import Tensor

__all__: list[str] = []


def _method(name: str) -> Callable[..., Any]:
    """A method that computes something new."""
    plain = getattr(np.ndarray, name)
    rule = getattr(Tensor, name)

    def call(self: Any, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if not leaves((self, *args)):
            result = adopt(plain(bare(self), *bare(args), **bare(kwargs)))
        else:
            result = recorded(
                f"ndarray.{name}", rule if tracked(self) else FUNCTIONS.get(name),
                lambda: plain(bare(self), *bare(args), **bare(kwargs)), (self, *args), kwargs,
            )  # fmt: skip
        if out is None:
            return result
        into(out, result, True)
        return out

    call.__name__ = name
    return call


def _view_method(name: str) -> Callable[..., Any]:
    """A method whose result may be a view."""
    plain, rule = getattr(np.ndarray, name), getattr(Tensor, name)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen = plain(bare(self), *bare(args), **bare(kwargs))
        if np.may_share_memory(seen, bare(self)):
            if kwargs.get("order", "C") == "C":
                return view_of(self, lambda t: rule(t, *bare(args)), seen)
            return by_memory(self, seen)
        if not tracked(self):
            return adopt(seen)
        if kwargs.get("order", "C") != "C":
            at = plain(np.arange(self.size).reshape(self.shape), *bare(args), **kwargs)
            return lifted(getitem(reshape(tensor_of(self), -1), at))
        return lifted(rule(tensor_of(self), *bare(args)))

    call.__name__ = name
    return call


def _view_property(name: str) -> property:
    plain, rule = getattr(np.ndarray, name), getattr(Tensor, name)

    def get(self: Any) -> Any:
        seen = plain.__get__(bare(self))
        if np.may_share_memory(seen, bare(self)):
            return view_of(self, rule.fget, seen)
        return lifted(rule.fget(tensor_of(self))) if tracked(self) else adopt(seen)

    return property(get)


def _changing(name: str, rule: Callable[..., Any]) -> Callable[..., Any]:
    """A method that changes the array into something computed from it."""
    plain = getattr(np.ndarray, name)

    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        if tracked(self):
            write(self, ALL, lifted(rule(tensor_of(self), *bare(args), **bare(kwargs))))
        else:
            plain(bare(self), *bare(args), **bare(kwargs))

    call.__name__ = name
    return call


def _copy(self: Any, order: str = "C") -> Any:
    if not tracked(self):
        return adopt(bare(self).copy())
    content, value = tensor_of(self), bare(self).copy()
    if not isinstance(content, Tensor):
        return adopt(value)
    return on_own_memory(value, content.node)


def _flatten(self: Any, order: str = "C") -> Any:
    return self.copy().ravel() if order == "C" else self.ravel(order=order).copy()


def _astype(self: Any, dtype: Any, *args: Any, copy: bool = True, **kwargs: Any) -> Any:
    if not copy and self.dtype == np.dtype(dtype):
        return self
    if not tracked(self):
        return adopt(bare(self).astype(dtype))
    content = tensor_of(self)
    return (
        lifted(astype(content, dtype))
        if isinstance(content, Tensor)
        else adopt(content.astype(dtype))
    )


def _fill(self: Any, value: Any) -> None:
    self[...] = value


def _item(self: Any, *args: Any) -> Any:
    if not tracked(self):
        return bare(self).item(*args)
    place = np.unravel_index(args[0] if args else 0, self.shape) if len(args) < 2 else args
    return self[place] if self.ndim else number_at(self, ())


def _tolist(self: Any) -> Any:
    if not tracked(self):
        return bare(self).tolist()
    return [row.tolist() if isinstance(row, LiftedArray) else row for row in self]


_VIEWING = ("reshape", "transpose", "swapaxes", "squeeze", "ravel", "diagonal")
for _name in (*METHODS, "compress"):
    setattr(LiftedArray, _name, _method(_name))
for _name in _VIEWING:
    setattr(LiftedArray, _name, _view_method(_name))
for _name in PROPERTIES.keys() - {"flat"}:  # which arrays have already, to be written through
    setattr(LiftedArray, _name, _view_property(_name))
for _name, _rule in (("sort", "sort"), ("partition", "partition")):
    setattr(LiftedArray, _name, _changing(_name, FUNCTIONS[_rule]))
for _name, _body in {
    "copy": _copy, "flatten": _flatten, "astype": _astype, "fill": _fill, "put": put,
    "item": _item, "tolist": _tolist,
}.items():  # fmt: skip
    setattr(LiftedArray, _name, _body)
