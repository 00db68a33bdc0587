"""A graph as a function of JAX: each operator's NumPy code, run with ``jax.numpy`` for ``np``.

No operator has a translation of its own. Knows NumPy's names, JAX's way of updating arrays, and
graphs. Does not know single operators. Imports errors, graph, reading, recording and NumPy; JAX is
an extra.
"""

import functools
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.errors import UnsupportedError, describe, require
from autograd_lite.graph import Graph, Leaf, Node
from autograd_lite.reading import Reader
from autograd_lite.recording import trace
from autograd_lite.rules import OPS

__all__ = ["jax_function", "to_jax", "verify"]


_FOREIGN: ContextVar[bool] = ContextVar("foreign", default=False)
"""Whether the code that runs is a user's, of whose conditions nothing is known."""


class _Reshaped(NamedTuple):
    """A view of all elements in another shape."""

    shape: Any


class _Shadow:
    """Stands for an array of JAX in the code of an operator; assignment makes a new array."""

    __slots__ = ("_index", "_source", "_value")
    __hash__ = None  # type: ignore[assignment]  # == compares elements

    def __init__(self, value: Any, source: "_Shadow | None" = None, index: Any = None) -> None:
        self._value = value
        self._source = source
        self._index = index

    def __jax_array__(self) -> Any:
        return self.value

    @property
    def value(self) -> Any:
        """The array now; of a view, what its source holds there."""
        if self._source is None:
            return self._value
        if isinstance(self._index, _Reshaped):
            return self._source.value.reshape(self._index.shape)
        return self._source.value[self._index]

    @value.setter
    def value(self, new: Any) -> None:
        if self._source is None:
            self._value = new
        elif isinstance(self._index, _Reshaped):
            self._source.value = new.reshape(self._source.value.shape)
        else:
            self._source.value = self._source.value.at[self._index].set(new)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if "out" in options:
            options["out"] = options["out"][0]
        found = _in_jax(ufunc.__name__)
        function = _Function(ufunc.__name__, ufunc, found)
        return (function if method == "__call__" else getattr(function, method))(*inputs, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        name = function.__name__
        return _Function(name, function, _in_jax(name))(*args, **options)

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes between neighbours, as of an array that lies row by row."""
        return np.empty(self.value.shape, self.value.dtype).strides

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.value, name)
        return _shadowed(found) if callable(found) or hasattr(found, "at") else found

    def reshape(self, *shape: Any) -> "_Shadow":
        """The same elements in another shape; writing into it writes into this."""
        wanted = shape[0] if len(shape) == 1 else shape
        return _Shadow(None, self, _Reshaped(wanted))

    def __getitem__(self, index: Any) -> "_Shadow":
        bare = _bare(index)
        parts = bare if isinstance(bare, tuple) else (bare,)
        basic = all(part is None or isinstance(part, (int, slice, type(...))) for part in parts)
        return _Shadow(None, self, bare) if basic else _Shadow(self.value[bare])

    def __setitem__(self, index: Any, new: Any) -> None:
        self.value = self.value.at[_bare(index)].set(_bare(new))

    def __bool__(self) -> bool:
        """Operators' own conditions on data are shortcuts: where one holds is right for all."""
        if _FOREIGN.get():
            raise UnsupportedError("the code asks for the truth of an array")
        return True

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise UnsupportedError("the code needs the numbers themselves")


def _in_jax(name: str) -> Any:
    """JAX's function of that name of NumPy or SciPy; None if it has none."""
    if name in _OWN:
        return _OWN[name]
    jnp, special = require("jax.numpy", "jax"), require("jax.scipy.special", "jax")
    found = (getattr(space, name, None) for space in (jnp, special, jnp.linalg, jnp.fft))
    return next((one for one in found if one is not None), None)


def _strided(x: Any, shape: Any, strides: Any, **_: Any) -> Any:
    """A view of overlapping elements as a choice by positions."""
    positions = np.zeros(shape, np.int64)
    for axis, step in enumerate(strides):
        places = np.arange(shape[axis]) * (step // x.dtype.itemsize)
        positions += places.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return x.reshape(-1)[positions]


def _windows(x: Any, window: Any, axis: Any = None, **_: Any) -> Any:
    positions = np.arange(x.size).reshape(x.shape)
    return x.reshape(-1)[np.lib.stride_tricks.sliding_window_view(positions, window, axis)]


def _in_order(x: Any, dtype: Any = None, **_: Any) -> Any:
    return x if dtype is None else x.astype(dtype)


def _argsort(x: Any, axis: Any = -1, **_: Any) -> Any:
    return require("jax.numpy", "jax").argsort(x, axis=axis, stable=True)


def _sort(x: Any, kth: Any = None, axis: Any = -1, **_: Any) -> Any:
    return require("jax.numpy", "jax").sort(x, axis=axis)


def _order(x: Any, kth: Any = None, axis: Any = -1, **_: Any) -> Any:
    return _argsort(x, axis)


def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Of positions that are all below ``minlength``, since a shape must be known."""
    return require("jax.numpy", "jax").bincount(x, weights=weights, length=minlength)


_OWN = {
    "argpartition": _order, "argsort": _argsort, "as_strided": _strided,
    "ascontiguousarray": _in_order, "bincount": _bincount, "partition": _sort,
    "sliding_window_view": _windows,
}  # fmt: skip


def _operator(name: str) -> Any:
    def call(self: _Shadow, *others: Any) -> Any:
        return _Shadow(getattr(self.value, name)(*map(_bare, others)))

    return call


def _updating(name: str) -> Any:
    def call(self: _Shadow, other: Any) -> _Shadow:
        old = self.value
        self.value = getattr(old, name)(_bare(other)).astype(old.dtype)
        return self

    return call


for _name in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "matmul", "and", "or",
              "xor", "lshift", "rshift"):  # fmt: skip
    setattr(_Shadow, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(_Shadow, f"__r{_name}__", _operator(f"__r{_name}__"))
    setattr(_Shadow, f"__i{_name}__", _updating(f"__{_name}__"))
for _name in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert"):
    setattr(_Shadow, f"__{_name}__", _operator(f"__{_name}__"))


def _bare(x: Any) -> Any:
    """The arrays of JAX for which shadows stand."""
    if isinstance(x, _Shadow):
        return x.value
    if isinstance(x, tuple) and type(x) is not tuple:  # a named tuple is something else
        return x
    return type(x)(map(_bare, x)) if isinstance(x, (tuple, list)) else x


def _shadowed(x: Any) -> Any:
    """Shadows for arrays of JAX, and for what functions and methods give."""
    if isinstance(x, (tuple, list)):
        return tuple(map(_shadowed, x))
    if hasattr(x, "at") and hasattr(x, "dtype"):
        return _Shadow(x)
    if callable(x) and not isinstance(x, type):
        return functools.partial(_called, x)
    return x


def _called(function: Any, *args: Any, **options: Any) -> Any:
    out = options.pop("out", None)
    bare = {name: _bare(value) for name, value in options.items()}
    result = _shadowed(function(*map(_bare, args), **bare))
    if out is None:
        return result
    out.value = _bare(result).astype(out.dtype)
    return out


class _Numpy:
    """``jax.numpy`` where the code says ``np``, on shadows; NumPy itself for what is no array."""

    def __init__(self, found_in: Any, numpy: Any = np) -> None:
        self._found_in = found_in
        self._numpy = numpy

    def __getattr__(self, name: str) -> Any:
        original = getattr(self._numpy, name)
        found = _OWN.get(name) or getattr(self._found_in, name, None)
        if isinstance(original, ModuleType):
            return _Numpy(found, original)
        if isinstance(original, type) or not callable(original):
            return original
        return _Function(name, original, found)


class _Function:
    """A function of NumPy: JAX's of that name where a shadow is among what it gets."""

    def __init__(self, name: str, original: Any, found: Any) -> None:
        self._name = name
        self._original = original
        self._found = found

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self._name in _NEW:
            bare = {name: _bare(value) for name, value in options.items()}
            return _Shadow(self._found(*map(_bare, args), **bare))
        if not _has_shadow((*args, *options.values())):
            return self._original(*args, **options)
        if self._name == "put_along_axis":
            return _put_along(*args, **options)
        if self._found is None:
            raise UnsupportedError(f"JAX has no {self._name}")
        return _called(self._found, *args, **options)

    def __getattr__(self, name: str) -> Any:
        if name == "at":
            return _added_at
        original = getattr(self._original, name)
        found = getattr(self._found, name, None)
        return (
            _Function(f"{self._name}.{name}", original, found) if callable(original) else original
        )


def _put_along(total: Any, indices: Any, values: Any, axis: Any) -> None:
    put = require("jax.numpy", "jax").put_along_axis
    total.value = put(total.value, _bare(indices), _bare(values), axis, inplace=False)


_NEW = {"zeros", "ones", "empty", "full"}  # arrays that the code may write to


def _added_at(total: Any, index: Any, values: Any) -> None:
    total.value = total.value.at[_bare(index)].add(_bare(values))


def _has_shadow(args: Any) -> bool:
    return any(
        isinstance(arg, _Shadow) or (isinstance(arg, (tuple, list)) and _has_shadow(arg))
        for arg in args
    )


def jax_function(graph: Graph, inputs: Sequence[Leaf]) -> Callable[..., tuple[Any, ...]]:
    """What a graph computes as a function of arrays of JAX, one for each input.

    JAX may trace, compile and differentiate it. 64-bit numbers need ``jax.enable_x64``.

    Raises:
        UnsupportedError: operators that JAX cannot run, all of them with their files.
    """
    jax = require("jax", "jax")
    reader = Reader(_Numpy(require("jax.numpy", "jax")), _Shadow)

    def run(*arrays: Any) -> tuple[Any, ...]:
        values: dict[Node, Any] = dict(zip(inputs, arrays, strict=True))
        refused: dict[str, str] = {}
        source = None  # of the first that is refused
        for node in graph:
            if node not in values:
                values[node] = _value(jax, reader, node, values, refused)
                source = source or (node.source if refused else None)
        if refused:
            raise UnsupportedError(
                "JAX cannot run " + "; ".join(f"{op} {why}" for op, why in sorted(refused.items())),
                mend="use other operators, or another back end",
                source=source,
            )
        return tuple(jax.numpy.asarray(values[node]).astype(node.dtype) for node in graph.outputs)

    return run


def _value(
    jax: Any, reader: Reader, node: Node, values: dict[Node, Any], refused: dict[str, str]
) -> Any:
    """What a node makes; where JAX cannot, zeros, so that what follows is looked at too."""
    if isinstance(node, Leaf):
        return node.value
    args = [values[x] if isinstance(x, Node) else x for x in node.inputs]
    if any(type(arg) is tuple and not arg for arg in args):  # of an operator that was refused
        return jax.numpy.zeros(node.shape, node.dtype)
    known = OPS.get(node.op.name)
    token = _FOREIGN.set(known is None or known.forward is not node.op.forward)
    try:
        shadows = [_shadowed(_as_numpy_takes(x, node)) for x in args]
        made = _bare(reader.replaced(node.op.forward)(*shadows, **node.params))
        if node.dtype is not None and np.shape(made) != node.shape:
            raise UnsupportedError(f"it gives {describe(made)} instead of {node.shape}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        code = getattr(node.op.forward, "__code__", None)
        file = node.op.source.file if node.op.source else getattr(code, "co_filename", "")
        where = f"({file})"
        reason = str(error).split("\n", maxsplit=1)[0]
        refused.setdefault(node.op.name, f"{where}: {type(error).__name__}: {reason}")
        return jax.numpy.zeros(node.shape, node.dtype) if node.dtype is not None else ()
    finally:
        _FOREIGN.reset(token)
    return made


def _as_numpy_takes(x: Any, node: Node) -> Any:
    """An operand in the result's dtype, where NumPy computes so: JAX makes float32 of int32."""
    dtype = getattr(x, "dtype", None)
    if node.op.kind != "pointwise" or node.dtype is None or node.dtype.kind not in "fc":
        return x
    takes = dtype is not None and dtype.kind in "iuf" and np.can_cast(dtype, node.dtype, "safe")
    return x.astype(node.dtype) if takes else x


def to_jax(f: Callable[..., Any], *examples: Any) -> Callable[..., Any]:
    """A function of tensors as one of JAX's arrays, of the shapes of these examples.

    The result may be given to ``jax.jit``, ``jax.grad``, ``jax.vmap``. Before it is returned it is
    run on the examples and held against NumPy.

    Args:
        f: a function of arrays that returns one tensor or a tuple of them.
        examples: arrays of floating numbers, of which shapes and dtypes matter.

    Raises:
        UnsupportedError: operators that JAX cannot run, all of them, or results that differ.
        MissingExtraError: the extra ``jax`` is not installed.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> square = to_jax(lambda x: ag.sum(x * x), np.ones(3, np.float32))  # doctest: +SKIP
    """
    jax = require("jax", "jax")
    graph = trace(f, *examples)
    run = jax_function(graph, graph.inputs)
    arrays = [np.asarray(example, node.dtype) for example, node in zip(examples, graph.inputs)]
    with jax.enable_x64(True):
        found = jax.jit(run)(*arrays)
    known = graph.replay(dict(zip(graph.inputs, arrays)))
    verify(found, [known[node] for node in graph.outputs])
    single = len(graph.outputs) == 1

    def exported(*xs: Any) -> Any:
        results = run(*xs)
        return results[0] if single else results

    return exported


def verify(found: Sequence[Any], wanted: Sequence[Any], slack: Sequence[float] = ()) -> None:
    """Raise where results of JAX are not those of NumPy, up to the rounding of sums.

    ``slack``: what each output may differ by besides, since it is that sensitive to rounding.
    """
    for i, (one, other) in enumerate(zip(found, wanted, strict=True)):
        a, b = np.asarray(one), np.asarray(other)
        if a.shape != b.shape or a.dtype != b.dtype:
            raise UnsupportedError(f"output {i} of JAX is {describe(a)}, NumPy's {describe(b)}")
        eps = float(np.finfo(b.dtype).eps) if b.dtype.kind in "fc" else 0.0
        finite = np.abs(b[np.isfinite(b)])
        scale = float(finite.max()) if finite.size else 0.0
        bound = 2**12 * eps * scale + (slack[i] if slack else 0.0)
        if not np.allclose(a, b, rtol=2**12 * eps, atol=bound, equal_nan=True):
            raise UnsupportedError(
                f"output {i} of JAX differs from NumPy's: {a.reshape(-1)[:3]} and "
                f"{b.reshape(-1)[:3]}",
                mend="report it, with the function; use another back end",
            )
