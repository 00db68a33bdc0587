"""What makes a Tensor behave like an ndarray: its operators, its methods, and NumPy's protocols.

Knows which registered function each operator and method is, and nothing of derivatives. Imports
errors, recording, rules and the operators (which fills the registry).
"""

import inspect
import math
import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from autograd_lite import ops
from autograd_lite.errors import (
    DetachedError,
    ImmutableError,
    NoAttributeError,
    UnsupportedError,
    describe,
)
from autograd_lite.operator_errors import keyword_error
from autograd_lite.rules import FUNCTIONS, NUMPY
from autograd_lite.tensors import Tensor, plain_value

__all__ = ["IN_PLACE", "METHODS", "OF_MEMORY", "OPERATORS", "PROPERTIES", "status"]

OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power",
    "matmul": "matmul", "floordiv": "floor_divide",
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "eq": "equal", "ne": "not_equal", "neg": "negative", "pos": "positive", "abs": "abs",
    "getitem": "getitem", "mod": "remainder", "divmod": "divmod",
    "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "invert": "bitwise_invert",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}  # fmt: skip
"""Python's operators (without their underscores) and the functions that they are."""
METHODS = (
    "sum", "mean", "prod", "max", "min", "var", "std", "argmax", "argmin", "all", "any", "squeeze",
    "swapaxes", "dot", "round", "astype", "ravel", "conj", "conjugate", "argsort", "argpartition",
    "clip", "cumprod", "cumsum", "nonzero", "repeat", "searchsorted", "take", "choose",
    "diagonal", "trace", "copy",
)  # fmt: skip
"""Methods that are the registered functions of the same name."""
PROPERTIES = {
    "T": "transpose", "mT": "matrix_transpose", "real": "real", "imag": "imag", "flat": "ravel",
}  # fmt: skip
"""Attributes that are the registered functions of these names."""
OF_MEMORY = {
    "base": "t.data.base",
    "byteswap": "t.numpy().byteswap()",
    "ctypes": "t.numpy().ctypes",
    "dump": "np.save(file, t.numpy())",
    "dumps": "t.numpy().dumps()",
    "flags": "t.data.flags",
    "getfield": "t.numpy().getfield(dtype)",
    "setflags": "t.numpy() is an array of your own, which you may write to",
    "tobytes": "t.numpy().tobytes()",
    "tofile": "t.numpy().tofile(file)",
    "view": "t.reshape(shape), t.astype(dtype), or t.numpy().view(dtype)",
}
"""Attributes of an ndarray's memory, which a tensor does not have, and what to write instead."""

_REFLECTED = (
    "add", "sub", "mul", "truediv", "pow", "matmul", "floordiv", "mod", "divmod", "and", "or",
    "xor", "lshift", "rshift",
)  # fmt: skip


def _one_over(self: Any, other: Any) -> Any:
    """``1 / t`` is the reciprocal, one node and one circle in the picture."""
    if type(other) in (int, float) and other == 1:
        return FUNCTIONS["reciprocal"](self)
    return FUNCTIONS["divide"](other, self)


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, other: Any) -> Any:
        return function(other, self)

    return call


def _spread_arguments(function: Callable[..., Any]) -> Callable[..., Any]:
    """``t.reshape(2, 3)`` as well as ``t.reshape((2, 3))``."""

    def call(self: Any, *sizes: Any, **keywords: Any) -> Any:
        if keywords.keys() & {"shape", "axes"}:
            return function(self, *sizes, **keywords)
        single = len(sizes) == 1 and (isinstance(sizes[0], (tuple, list)) or sizes[0] is None)
        return function(self, sizes[0] if single else sizes or None, **keywords)

    return call


for _name, _target in OPERATORS.items():
    _function = FUNCTIONS[_target]
    setattr(Tensor, f"__{_name}__", _function)
    if _name in _REFLECTED:
        setattr(Tensor, f"__r{_name}__", _reflected(_function))
setattr(Tensor, "__rtruediv__", _one_over)  # noqa: B010 - as for all other operators
for _name in METHODS:
    setattr(Tensor, _name, FUNCTIONS[_name])
for _name, _target in PROPERTIES.items():
    setattr(Tensor, _name, property(FUNCTIONS[_target]))
for _name in ("itemsize", "nbytes", "strides"):
    setattr(Tensor, _name, property(operator.attrgetter(f"_value.{_name}")))
for _name in ("reshape", "transpose"):
    setattr(Tensor, _name, _spread_arguments(FUNCTIONS[_name]))


def _compress(self: Tensor, condition: Any, axis: int | None = None) -> Any:
    """The slices along the axis at which the condition holds."""
    return FUNCTIONS["compress"](condition, self, axis)


def _in_place(name: str, mend: str) -> Callable[..., Any]:
    """A method that changes an ndarray: an error that names what to write instead."""

    def call(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        raise ImmutableError(f"a tensor never changes: t.{name}() does not exist", mend=mend)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Not for tensors: {mend}."
    return call


def _of_memory(name: str, mend: str) -> property:
    def get(self: Tensor) -> NoReturn:
        raise NoAttributeError(
            f"a tensor shows nothing of its memory: t.{name} does not exist",
            where=describe(self, self.name),
            mend=mend,
        )

    return property(get)


for _name, _advice in OF_MEMORY.items():
    setattr(Tensor, _name, _of_memory(_name, _advice))

IN_PLACE = {
    "sort": "t = ag.sort(t)",
    "partition": "t = ag.partition(t, kth)",
    "fill": "t = ag.full_like(t, value)",
    "put": "t = ag.set(t, index, value)",
    "resize": "t = ag.resize(t, shape)",
    "itemset": "t = ag.set(t, index, value)",
    "setfield": "t = ag.set(t, index, value)",
}
"""Methods of an ndarray that change it, and what to write instead."""

for _name, _advice in IN_PLACE.items():
    setattr(Tensor, _name, _in_place(_name, _advice))
setattr(Tensor, "compress", _compress)  # noqa: B010 - as for all other methods
setattr(Tensor, "flatten", FUNCTIONS["ravel"])  # noqa: B010 - as for all other methods


def _unsupported(name: str, mend: str) -> UnsupportedError:
    return UnsupportedError(f"{name} does not take tensors", mend=mend)


_INSTEAD = "an ag function, or t.numpy() for the plain values"


def _array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
    """NumPy's ufuncs called with a tensor: record, or say what to write instead."""
    function = NUMPY.get(ufunc)
    if function is not None and method == "__call__" and not keywords:
        return function(*inputs)
    name = f"np.{ufunc.__name__}"
    if method != "__call__":
        instead = {"at": "ag.add_at(t, index, value)", "reduce": "ag.sum, ag.prod, ag.max, ag.min"}
        raise _unsupported(f"{name}.{method}", instead.get(method, _INSTEAD))
    _refuse_keywords(name, keywords, ())
    raise _unsupported(name, _INSTEAD)


def _array_function(self: Tensor, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's other functions called with a tensor: record, or say what to write instead."""
    name = f"{func.__module__.replace('numpy', 'np', 1)}.{func.__name__}"
    function = NUMPY.get(func)
    if function is None:
        if func in _METADATA:
            return func(*[plain_value(arg) for arg in args], **kwargs)
        raise _unsupported(name, _INSTEAD)
    if kwargs:
        args, kwargs = _in_places(name, func, function, args, kwargs)
    return function(*args, **kwargs)


def _in_places(name: str, func: Any, function: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Arguments in the places and under the names of our function, those unknown to it refused.

    What NumPy lets be named and we do not (``np.take(t, indices=i)``) goes to its place.
    """
    known = inspect.signature(function).parameters
    placed = [one for one in known.values() if one.kind is one.POSITIONAL_ONLY]
    theirs = list(inspect.signature(func).parameters)
    args, kwargs = list(args), dict(kwargs)
    while len(args) < min(len(placed), len(theirs)) and theirs[len(args)] in kwargs:
        args.append(kwargs.pop(theirs[len(args)]))
    _refuse_keywords(name, kwargs, known)
    return args, kwargs


def _refuse_keywords(name: str, keywords: Any, known: Any) -> None:
    unknown = [key for key in keywords if key not in known]
    if unknown:
        raise keyword_error(name, unknown, "leave it out, or use t.numpy() for the plain values")


_METADATA = {np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.array_repr, np.array_str,
             np.array2string, np.result_type, np.can_cast}  # fmt: skip


setattr(Tensor, "__array_ufunc__", _array_ufunc)  # noqa: B010 - mypy knows no such method
setattr(Tensor, "__array_function__", _array_function)  # noqa: B010 - mypy knows no such method


def _rounded(name: str) -> Callable[..., Any]:
    def call(self: Tensor, *args: Any) -> Any:
        if self.tracked:
            raise DetachedError(
                f"{name}() of a tracked tensor would cut it from its graph",
                mend=f"{name}(t.item()) for the number, or ag.{name}(t)",
            )
        return getattr(math, name)(self.item()) if name != "round" else round(self.item(), *args)

    return call


for _name in ("floor", "ceil", "trunc", "round"):
    setattr(Tensor, f"__{_name}__", _rounded(_name))


def status(name: str) -> str:
    """What ``np.<name>(tensor)`` does: recorded, constant by rule, or raises because of what."""
    value = getattr(np, name)
    if value in NUMPY if _hashable(value) else False:
        op = getattr(NUMPY[value], "op", None)
        return "constant by rule" if op is not None and not op.differentiable else "recorded"
    if not callable(value) or isinstance(value, type):
        return "not a function of arrays"
    if isinstance(value, np.ufunc):
        return "raises: no rule is registered yet"
    if _hashable(value) and value in _METADATA:
        return "reads shape and dtype alone"
    if hasattr(value, "__wrapped__") or hasattr(value, "_implementation"):
        return "raises: no rule is registered yet"
    return "raises: it would cut the tensor from its graph"


def _hashable(value: Any) -> bool:
    return getattr(type(value), "__hash__", None) is not None


_ = ops
