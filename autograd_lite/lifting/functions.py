"""NumPy's functions on lifted arrays: recorded, as views, or in place.

Knows NumPy's two protocols, and which functions view or change their argument. Does not know any
derivative: functions of tensors come from the registry. Imports arrays, rules and errors.
"""

import copy
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import AutogradError, GradientError, Source, UnsupportedError, user_frame
from autograd_lite.graph import Op
from autograd_lite.lifting.arrays import (
    ALL,
    LiftedArray,
    LiftedNumber,
    adopt,
    bare,
    by_memory,
    escape,
    gathered,
    index_parts,
    known,
    leaves,
    lifted,
    repeats,
    tensor_of,
    tensors,
    traced,
    tracked,
    view_of,
    write,
)
from autograd_lite.modes import current_mode
from autograd_lite.ops.indexing import add_at, getitem
from autograd_lite.ops.indexing import set as set_at
from autograd_lite.ops.shaping import astype
from autograd_lite.recording import apply
from autograd_lite.rules import FUNCTIONS, NUMPY
from autograd_lite.tensors import Tensor

__all__ = ["foreign", "into", "is_foreign", "put", "recorded"]


def _poisoned(name: str, value: Any, inputs: Sequence[Any], why: str) -> Any:
    """The result of a function without rule: it complains only if a derivative passes it."""
    frame = user_frame(2)
    source = Source.of(frame.f_code, frame.f_lasti) if frame else None
    if current_mode().tracing:
        raise UnsupportedError(f"{name} cannot be traced: {why}", source=source)

    def pull(*args: Any, **params: Any) -> Any:
        raise GradientError(
            f"the derivative passes {name}, which has no rule ({why})", source=source
        )

    def poison(part: Any) -> Any:
        if isinstance(part, (tuple, list)):
            return type(part)(map(poison, part))
        if np.asarray(part).dtype.kind == "O" and part is not None:
            raise GradientError(
                f"{name} of values with a derivative makes a {type(part).__name__}, which has none",
                source=source,
            )
        if np.asarray(part).dtype.kind not in "fc":
            return adopt(part)
        op = Op(
            name, "general", lambda *xs: part, pulls=[pull] * len(inputs), keeps=[0] * len(inputs),
            array_names=("x",) * len(inputs),
        )  # fmt: skip
        return lifted(apply(op, inputs))

    return poison(value)


def recorded(name: str, function: Any, plainly: Callable[[], Any], args: Any, kwargs: Any) -> Any:
    """The recorded result of a function; NumPy's own, poisoned, where there is no rule."""
    if function is None:
        why = "no rule is registered"
    else:
        try:
            return lifted(function(*tensors(args), **tensors(kwargs)))
        except (AutogradError, TypeError) as error:
            why = str(error).splitlines()[0]
    return _poisoned(name, plainly(), [tensor_of(x) for x in leaves([args, kwargs])], why)


_FOLDS: dict[str, dict[Any, Any]] = {
    "reduce": {
        np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
        np.logical_and: np.all, np.logical_or: np.any,
    },
    "accumulate": {np.add: np.cumsum, np.multiply: np.cumprod},
}  # fmt: skip
"""What the methods of ufuncs are called as functions."""


def _ufunc(ufunc: Any, method: str, inputs: Any, out: Any, keywords: Any) -> Any:
    if method == "at":
        return _at(ufunc, *inputs)
    outs = out if isinstance(out, tuple) or out is None else (out,)
    inputs = tuple(map(gathered, inputs))
    involved = bool(leaves([inputs, keywords.get("where")]))
    if not involved and not leaves(outs):
        given = {} if outs is None else {"out": bare(outs)}
        result = getattr(ufunc, method)(*bare(inputs), **given, **bare(keywords))
        return adopt(result) if outs is None else outs[0] if len(outs) == 1 else outs

    def plainly() -> Any:
        return getattr(ufunc, method)(*bare(inputs), **bare(keywords))

    keywords = dict(keywords)
    where, dtype = keywords.pop("where", True), keywords.pop("dtype", None)
    keywords.pop("casting", None)
    function, args = _rule_of(ufunc, method, inputs, keywords)
    result = (
        recorded(f"np.{ufunc.__name__}", function, plainly, args, keywords)
        if involved
        else adopt(plainly())
    )
    if dtype is not None and tracked(result):
        result = lifted(astype(tensor_of(result), dtype))
    if outs is None:
        return result
    results = result if isinstance(result, tuple) else (result,)
    for target, part in zip(outs, results):
        into(target, part, where)
    return outs[0] if len(outs) == 1 else outs


def _rule_of(ufunc: Any, method: str, inputs: Any, keywords: dict[str, Any]) -> Any:
    """The registered function that a ufunc's method is, and its arguments."""
    if method == "__call__":
        return NUMPY.get(ufunc) or _foreign_rule(ufunc), inputs
    if method == "outer":
        a, b = (np.asarray(bare(x)).ndim for x in inputs)
        left, right = map(tensor_of, inputs)
        return NUMPY.get(ufunc), (getitem(left, (..., *[None] * b)), right) if b or a else inputs
    table = _FOLDS.get(method)
    if table is None:
        return None, inputs
    keywords.setdefault("axis", 0)
    for place, name in enumerate(("axis", "dtype", "out", "keepdims")):
        if len(inputs) > place + 1:
            keywords[name] = inputs[place + 1]
    if keywords.get("initial", 0) is np._NoValue:
        keywords.pop("initial")
    return NUMPY.get(table.get(ufunc)), inputs[:1]


_FOREIGN = {"expit": "sigmoid", "psi": "digamma"}
"""Ufuncs of other libraries that we call otherwise."""


def _foreign_rule(theirs: Any) -> Any:
    """The registered function that one of another library is by its name and its values."""
    name = getattr(theirs, "__name__", "")
    function = FUNCTIONS.get(_FOREIGN.get(name, name))
    if function is None:
        return None

    def checked(*args: Any, **params: Any) -> Any:
        result = function(*args, **params)
        plain = [a._value if isinstance(a, Tensor) else a for a in args]
        right = theirs(*plain, **params)
        same = np.shape(result) == np.shape(right)
        if not (same and np.allclose(result._value, right, rtol=1e-12, atol=0, equal_nan=True)):
            raise TypeError(f"{name} of another library has other values than ours")
        return result

    return checked


class _Foreign:
    """Something of a library that takes plain arrays: a module, a function, an object.

    It would take the memory of a lifted array for the array. What has a rule of its name, and the
    same values, is recorded; the derivative of all else complains if it is asked for.
    """

    def __init__(self, real: Any) -> None:
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        return foreign(getattr(self._real, name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        real = self._real

        def plainly() -> Any:
            return real(*bare(args), **bare(kwargs))

        if not leaves([args, kwargs]):
            return foreign(adopt(plainly()))
        name = getattr(real, "__name__", type(real).__name__)
        return recorded(f"{_origin(real)[0]}.{name}", _foreign_rule(real), plainly, args, kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        real = self._real
        return self if isinstance(real, types.ModuleType) else type(self)(copy.deepcopy(real, memo))

    def __repr__(self) -> str:
        return repr(self._real)


class _Ours(_Foreign):
    """A function, layer or module of this package, which takes tensors and gives tensors."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return foreign(lifted(self._real(*tensors(args), **tensors(kwargs))))


_PLAIN_LIBRARIES = frozenset({"scipy"})


def _origin(value: Any) -> list[str]:
    """The module that something comes from, by its parts."""
    if isinstance(value, types.ModuleType):
        return value.__name__.split(".")
    return str(getattr(value, "__module__", None) or type(value).__module__).split(".")


def is_foreign(value: Any) -> bool:
    """Whether it is called with something else than lifted arrays: SciPy's, and our own."""
    if isinstance(value, type):
        return _is_ours(value) and any("__call__" in vars(kind) for kind in value.__mro__)
    if isinstance(value, np.ufunc | np.ndarray | np.generic | BaseException):
        return False
    return _origin(value)[0] in _PLAIN_LIBRARIES or _is_ours(value)


def _is_ours(value: Any) -> bool:
    """Whether it is of this package, and no program to be lifted itself."""
    library, *room = _origin(value)
    called = callable(value) or isinstance(value, types.ModuleType)
    return called and library == "autograd_lite" and room[:1] not in (["handwritten"], ["lifting"])


def foreign(value: Any) -> Any:
    """What an attribute of such a library is to a lifted program."""
    if not is_foreign(value):
        return value
    return _Ours(value) if _is_ours(value) else _Foreign(value)


def into(target: Any, result: Any, where: Any) -> None:
    """What ``out=`` means: the result is written, where a mask says so."""
    if not isinstance(target, LiftedArray):
        if tracked(result):
            escape("out= of an array that is not lifted")
        plain = known(result, "out= of an array that is not lifted")
        np.copyto(target, plain, casting="same_kind", where=known(where, "where="))
        return
    kind = result.dtype if hasattr(result, "dtype") else np.asarray(result).dtype
    if kind != target.dtype and not np.can_cast(kind, target.dtype, "same_kind"):
        raise TypeError(f"Cannot cast output from {kind!r} to {target.dtype!r} with 'same_kind'")
    if where is not True:
        result = lifted(NUMPY[np.where](tensor_of(where), tensor_of(result), tensor_of(target)))
    write(target, ALL, result)


def _at(ufunc: Any, array: Any, index: Any, value: Any = None) -> None:
    """``np.add.at`` and its kin."""
    index, plain = index_parts(index), bare(array)
    if not (tracked(array) or tracked(value) or traced(index)):
        ufunc.at(plain, index, *([] if value is None else [bare(value)]))
        return
    content = tensor_of(array)
    if ufunc is np.add or ufunc is np.subtract:
        moved = tensor_of(value) if ufunc is np.add else -tensor_of(value)
        made = lifted(add_at(content, index, moved))
    elif not (traced(index) or repeats(index, plain)):
        made = lifted(
            set_at(content, index, NUMPY[ufunc](getitem(content, index), tensor_of(value)))
        )
    else:
        after = plain.copy()
        ufunc.at(after, known(index, "an index of ufunc.at"), bare(value))
        inputs = [tensor_of(x) for x in (array, value) if tracked(x)]
        made = _poisoned(f"np.{ufunc.__name__}.at", after, inputs, "an index occurs twice")
    write(array, ALL, made)


_VIEWS = {
    np.reshape, np.ravel, np.transpose, np.matrix_transpose, np.swapaxes, np.moveaxis, np.rollaxis,
    np.squeeze, np.expand_dims, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.diagonal, np.flip,
    np.flipud, np.fliplr, np.rot90, np.broadcast_to, np.real, np.imag, np.split, np.array_split,
    np.hsplit, np.vsplit, np.dsplit, np.broadcast_arrays, np.lib.stride_tricks.sliding_window_view,
    np.permute_dims, np.unstack, np.diag,
}  # fmt: skip
"""Functions whose result may be a view of their argument."""


_OF_FORM = {
    np.size, np.shape, np.ndim, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.may_share_memory, np.shares_memory, np.min_scalar_type, np.common_type,
}  # fmt: skip
"""Functions that look at shape and dtype, not at numbers."""


def _function(self: Any, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    rule = _COMPUTED.get(func)
    if rule is not None and "out" not in kwargs:  # most often
        operands = list(map(tensor_of, args))
        if Tensor in map(type, operands):
            try:
                return lifted(rule(*operands, **tensors(kwargs)))
            except (AutogradError, TypeError):  # told below
                pass
    changed = _CHANGES.get(func)
    if changed is not None:
        return changed(*args, **kwargs)
    if func in _VIEWS:
        seen = func(*bare(args), **bare(kwargs))
        views = _as_views(seen, func, args, kwargs)
        if views is not None:
            return views
    if func in _OF_FORM or not leaves([args, kwargs]):
        return adopt(func(*bare(args), **bare(kwargs)))
    kwargs = dict(kwargs)
    out = kwargs.pop("out", None)
    if kwargs.get("dtype", 0) is None:  # as np.row_stack passes it on
        kwargs.pop("dtype")
        kwargs.pop("casting", None)
    name = f"np.{func.__name__}"
    result = recorded(
        name, NUMPY.get(func), lambda: func(*bare(args), **bare(kwargs)), args, kwargs
    )
    if out is None:
        return result
    into(out, result, True)
    return out


def _as_views(seen: Any, func: Any, args: Any, kwargs: Any) -> Any:
    """A result (or several) that shares memory with the first argument; None if it does not."""
    of = args[0] if args else None
    if not isinstance(of, LiftedArray):
        return None
    plain = of.view(np.ndarray)
    if isinstance(seen, (list, tuple)):
        parts = [by_memory(of, part) for part in seen if np.may_share_memory(part, plain)]
        return type(seen)(parts) if len(parts) == len(seen) else None
    if not (isinstance(seen, np.ndarray) and np.may_share_memory(seen, plain)):
        return None
    rule, rest = NUMPY.get(func), (args[1:], kwargs)
    if rule is None:
        return by_memory(of, seen)
    return view_of(of, lambda t: rule(t, *bare(rest[0]), **bare(rest[1])), seen)


def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    into(dst, src if tracked(src) else adopt(np.asarray(bare(src))), where)


def put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    """``np.put``."""
    v = gathered(v)
    places: Any = (np.asarray(known(ind, "a position")).ravel(),)
    flat = np.ravel_multi_index(places, (a.size,), mode=mode)
    value = v if tracked(v) else np.resize(np.asarray(bare(v)), flat.shape)
    write(a, np.unravel_index(flat, a.shape), value)


def _putmask(a: Any, mask: Any, values: Any) -> None:
    mask, values = np.asarray(known(mask, "a mask"), bool), gathered(values)
    if tracked(values):
        spread = values if values.shape == a.shape else np.resize(values, a.shape)
        a[mask] = spread[mask]
    else:
        a[mask] = np.resize(np.asarray(bare(values)), a.shape)[mask]


def _place(arr: Any, mask: Any, vals: Any) -> None:
    mask = np.asarray(known(mask, "a mask"), bool)
    arr[mask] = np.resize(gathered(vals), int(mask.sum()))


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if wrap or a.ndim != 2:
        places: Any = np.diag_indices(min(a.shape), a.ndim)
    else:
        places = (np.arange(min(a.shape)),) * 2
    a[places] = val


def _put_along_axis(arr: Any, indices: Any, values: Any, axis: Any = -1) -> None:
    indices = np.asarray(known(indices, "an index"))
    if axis is None:
        arr.reshape(-1)[indices] = values
        return
    places = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    places[axis] = indices
    arr[tuple(places)] = values


_CHANGES: dict[Any, Callable[..., Any]] = {
    np.copyto: _copyto, np.put: put, np.putmask: _putmask, np.place: _place,
    np.fill_diagonal: _fill_diagonal, np.put_along_axis: _put_along_axis,
}  # fmt: skip
"""Functions that change their argument."""


_COMPUTED = {
    function: rule for function, rule in NUMPY.items()
    if function not in _VIEWS and function not in _CHANGES
}  # fmt: skip
"""The rules of all others, whose results are new."""


def _array_ufunc(
    self: Any, ufunc: Any, method: str, *inputs: Any, out: Any = None, **keywords: Any
) -> Any:
    if out is None and not keywords and method == "__call__":  # most often
        operands = list(map(tensor_of, inputs))
        rule = NUMPY.get(ufunc)
        if rule is not None and Tensor in map(type, operands):
            try:
                return lifted(rule(*operands))
            except (AutogradError, TypeError):  # NumPy's own error, or a list among the operands
                pass
    return _ufunc(ufunc, method, inputs, out, keywords)


# operators, which need not ask NumPy what they are


def _operator(kind: type, name: str, rule: Any, swapped: bool) -> Callable[..., Any]:
    through_numpy = getattr(kind, name)

    def call(self: Any, other: Any) -> Any:
        mine, others = tensor_of(self), tensor_of(other)
        if type(mine) is Tensor or type(others) is Tensor:
            try:
                return lifted(rule(others, mine) if swapped else rule(mine, others))
            except (AutogradError, TypeError):  # as above
                pass
        return through_numpy(self, other)

    call.__name__ = name
    return call


def _in_place(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    through_numpy = getattr(LiftedArray, name)

    def call(self: Any, other: Any) -> Any:
        if not (tracked(self) or tracked(other)):
            return through_numpy(self, other)
        into(self, compute(self, other), True)
        return self

    call.__name__ = name
    return call


for _kind in (LiftedArray, LiftedNumber):
    setattr(_kind, "__array_ufunc__", _array_ufunc)  # noqa: B010 - mypy knows no such method
    setattr(_kind, "__array_function__", _function)  # noqa: B010 - as above
    for _sign, _ufunc_of in {
        "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide,
    }.items():  # fmt: skip
        for _prefix in ("", "r"):
            _name = f"__{_prefix}{_sign}__"
            setattr(_kind, _name, _operator(_kind, _name, NUMPY[_ufunc_of], bool(_prefix)))
        if _kind is LiftedArray:
            _name = f"__i{_sign}__"
            setattr(_kind, _name, _in_place(_name, getattr(_kind, f"__{_sign}__")))
