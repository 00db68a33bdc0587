"""How an operator is declared: pointwise, linear, multilinear, general, or without derivative.

Each declaration states one operator completely; the kind gives what need not be said (the tangent
rule, what a node keeps, the text of the local rule). Does not know any single operator. Imports
errors, graph and recording.

Letters: ``y`` output, ``xs`` inputs, ``g`` cotangent (gradient flowing in), ``t`` tangent. Arrays
are positional, static parameters keyword-only. Rules run on plain arrays and, for higher
derivatives, on tensors; where a value was not kept the node stands in, for its shape alone.
"""

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from autograd_lite.errors import (
    DTypeError,
    GradientError,
    ShapeError,
    Source,
    UnsupportedError,
    describe,
)
from autograd_lite.graph import EMPTY, Leaf, Node, Op, ancestors, settled
from autograd_lite.modes import using
from autograd_lite.operator_errors import guarded, operator_error
from autograd_lite.recording import apply, binary, unary
from autograd_lite.tensors import Tensor, tensor

__all__ = [
    "FUNCTIONS",
    "NUMPY",
    "OPS",
    "ROOMS",
    "Joint",
    "Operator",
    "by_values",
    "check_result",
    "expression",
    "general",
    "linear",
    "multilinear",
    "nondifferentiable",
    "pointwise",
    "primitive",
    "public",
    "read_only",
    "variadic_linear",
]

OPS: dict[str, Op] = {}
"""Every operator of the package by name."""
FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""Every public function of the namespace by name."""
ROOMS: dict[str, dict[str, Callable[..., Any]]] = {"": FUNCTIONS}
"""The functions of the namespace and of its rooms: ``linalg`` and ``fft``, as NumPy has them."""
NUMPY: dict[Any, Callable[..., Any]] = {}
"""What a NumPy function (or ufunc) becomes when it is called on a tensor."""

Function = TypeVar("Function", bound=Callable[..., Any])
Rule = Callable[..., Any]
Local = Rule | int | None


class Operator(Protocol):
    """A declared operator as a function: arrays positional, parameters by name."""

    op: Op

    def __call__(self, *arrays: Any, **params: Any) -> Any:
        """Apply it."""


def public(*numpy: Any, also: Sequence[str] = (), room: str = "") -> Callable[[Function], Function]:
    """Decorator: put a function into the namespace, as what these NumPy functions do on tensors.

    ``also`` lists further names of the same function; ``room`` is the part of the namespace that
    it stands in, if not at the top. Users get it ``guarded``; inside it goes as it is.
    """

    def register(function: Function) -> Function:
        own = getattr(getattr(function, "op", None), "name", None) == function.__name__
        shown = function if own else guarded(function)  # an operator tells its own errors
        for key in (function.__name__, *also):
            ROOMS.setdefault(room, {})[key] = shown
        for one in numpy:
            NUMPY[one] = shown
        return function

    return register


def pointwise(
    name: str, forward: Rule, *locals_: Local, numpy: Sequence[Any] | None = None, **facts: Any
) -> Operator:
    """An operator on each element alone; operands broadcast.

    ``locals_`` gives the local derivative with respect to each argument: a function of the output
    and the inputs ``(y, *xs)``, a constant number, or None (no derivative: a condition).
    """
    if len(locals_) == 1 and not hasattr(forward, "__code__"):
        facts.setdefault("array_names", ("x",))
    op = _declare(name, "pointwise", forward, facts, like=locals_[0])
    op.array_names = op.array_names[: len(locals_)]
    op.pulls = tuple(_scaled(local, len(locals_)) for local in locals_)
    known = [0 if local is None or isinstance(local, int) else None for local in locals_]
    op.keeps = known * 2 if len(locals_) == 2 else known
    op.push = functools.partial(_push_pointwise, locals_)
    op.local = op.local or functools.partial(_local_texts, locals_)
    call = {1: unary, 2: binary}.get(len(locals_), _caller)(op)
    ufuncs = numpy if numpy is not None else [forward] if isinstance(forward, np.ufunc) else []
    return _publish(op, call, ufuncs)


def linear(
    name: str, forward: Rule, *adjoints: Rule | None, further: bool = False, **facts: Any
) -> Operator:
    """An operator that is linear in the arguments that have an adjoint, all together.

    ``adjoints[i](g, *xs, **params)`` gives the cotangent of argument i; of the linear arguments
    it may read shape and dtype alone. None marks an argument that is not linear (a condition).
    ``further`` tells that any number of such arguments (arrays of indices) may follow.
    """
    op = _declare(name, "linear", forward, facts, like=adjoints[0] or forward)
    op.pulls = tuple(_without_output(adjoint) for adjoint in adjoints)
    conditions = sum(2 << i for i, adjoint in enumerate(adjoints) if adjoint is None)
    if further:
        conditions |= -(2 << len(adjoints))
        op.pulls = _ForEach(op.pulls, None)
    op.keeps = _ForEach([0 if adjoint is None else conditions for adjoint in adjoints], 0)
    op.push = functools.partial(_push_linear, op)
    return _caller(op) if further or len(adjoints) > 1 else _named(unary(op), op)


def variadic_linear(name: str, forward: Rule, adjoint: Rule, **facts: Any) -> Operator:
    """A linear operator on any number of arrays: ``adjoint(i, g, *xs, **params)``."""
    op = _declare(name, "linear", forward, facts, like=adjoint)
    op.pulls = _ForEach((), lambda i: lambda g, y, *xs, **params: adjoint(i, g, *xs, **params))
    op.keeps = _ForEach((), 0)
    op.push = functools.partial(_push_linear, op)
    return _caller(op)


def multilinear(name: str, forward: Rule, *adjoints: Rule, **facts: Any) -> Operator:
    """An operator linear in each argument alone (a product): ``adjoints[i](g, *xs, **params)``.

    The adjoint of argument i reads the values of the other arguments.
    """
    op = _declare(name, "multilinear", forward, facts, like=adjoints[0])
    op.pulls = tuple(_without_output(adjoint) for adjoint in adjoints)
    every = sum(2 << i for i in range(len(adjoints)))
    op.keeps = tuple(every & ~(2 << i) for i in range(len(adjoints))) * 2
    op.push = functools.partial(_push_multilinear, op)
    return _named(binary(op), op) if len(adjoints) == 2 else _caller(op)


def general(
    name: str,
    forward: Rule,
    pulls: Sequence[Rule | None],
    push: Rule,
    *,
    several: bool = False,
    **facts: Any,
) -> Operator:
    """An operator whose rules are written out.

    ``pulls[i](g, y, *xs, **params)``; ``push(tangents, y, xs, params)``, where a tangent is None
    for zero. ``several``: forward returns a tuple; then y and g are tuples too, g with None for
    an output that nobody used, and ``push`` returns a tuple.
    """
    op = _declare(name, "general", forward, facts, like=pulls[0] or forward)
    op.pulls, op.push, op.keeps = tuple(pulls), push, [None] * len(pulls)
    return _caller(op) if several or len(pulls) > 1 else _named(unary(op), op)


def by_values(*inputs: Any) -> bool:
    """``sized`` of an operator the shape of whose result always depends on values."""
    return True


def nondifferentiable(
    name: str, forward: Rule, *, numpy: Sequence[Any] | None = None, **facts: Any
) -> Operator:
    """An operator whose derivative is zero or does not exist: its results are constants."""
    op = _declare(name, "constant", forward, facts, like=forward)
    ufuncs = numpy if numpy is not None else [forward] if isinstance(forward, np.ufunc) else []
    return _publish(op, _caller(op), ufuncs)


class _ForEach:
    """A sequence without end: some first entries, then one value, or one made for each place."""

    def __init__(self, first: Sequence[Any], rest: Any) -> None:
        self._first = tuple(first)
        self._rest = rest

    def __getitem__(self, i: int) -> Any:
        if i < len(self._first):
            return self._first[i]
        return self._rest(i) if callable(self._rest) else self._rest

    def __len__(self) -> int:
        return len(self._first) + 1


def _declare(name: str, kind: str, forward: Rule, facts: dict[str, Any], like: Any) -> Op:
    if name in OPS:
        raise DTypeError(f"two operators are named {name!r}")
    code = getattr(like, "__code__", None)
    source = Source(code.co_filename, code.co_firstlineno, name) if code else None
    op = Op(name, kind, forward, source=source, **{"array_names": _names(forward), **facts})
    OPS[name] = op
    return op


def _names(forward: Rule) -> tuple[str, ...]:
    """What messages call the operands: ``a, b`` or ``x``; a forward's own names if it has them."""
    code = getattr(forward, "__code__", None)
    if code is not None:
        return tuple(code.co_varnames[: code.co_argcount])
    count = getattr(forward, "nin", None)
    return ("x",) if count == 1 else ("a", "b", "c")[:count]


_PLAIN = {np.ndarray, np.float64, np.float32, np.bool_, float, int, bool}


def _caller(op: Op) -> Operator:
    forward = op.forward
    limit = forward.nin if isinstance(forward, np.ufunc) else None

    def call(*arrays: Any, **params: Any) -> Any:
        if limit and (params or len(arrays) > limit):
            raise UnsupportedError(
                f"{op.name} takes {limit} array{'s' * (limit > 1)} and nothing else",
                mend="tensors never change: use the result instead of out=",
            )
        if _PLAIN.issuperset(map(type, arrays)):  # in rules: most often
            try:
                return settled(forward(*arrays, **params))
            except Exception as error:
                raise operator_error(op, arrays, params, error) from error
        return apply(op, arrays, params or EMPTY)

    return _named(call, op)


def _named(call: Any, op: Op) -> Operator:
    """A function that knows its operator."""
    call.__name__ = call.__qualname__ = op.name
    call.op = op
    return call  # type: ignore[no-any-return]  # the function that came in


def _publish(op: Op, call: Any, numpy: Sequence[Any]) -> Operator:
    call.__name__ = call.__qualname__ = op.name
    call.__doc__ = op.doc
    call.op = op
    names = op.array_names[: max(1, len(op.pulls))] if op.pulls else op.array_names
    call.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names]
    )
    if op.name.startswith("_"):
        return call  # type: ignore[no-any-return]  # a private operator
    return public(*numpy)(call)  # type: ignore[no-any-return]  # what came in


# what a kind gives


def _scaled(local: Local, arity: int) -> Rule | None:
    """The rule g × local derivative; spelled out for few arguments, since this is the hot path."""
    if local is None:
        return None
    if isinstance(local, int):
        return (lambda g, y, *xs: g) if local == 1 else (lambda g, y, *xs: -g)
    if arity == 1:
        return lambda g, y, x: g * local(y, x)
    if arity == 2:
        return lambda g, y, a, b: g * local(y, a, b)
    return lambda g, y, *xs: g * local(y, *xs)


def _without_output(adjoint: Rule | None) -> Rule | None:
    if adjoint is None:
        return None
    return lambda g, y, *xs, **params: adjoint(g, *xs, **params)


def _push_pointwise(
    locals_: Sequence[Local], tangents: Sequence[Any], y: Any, xs: Sequence[Any], params: Any
) -> Any:
    total = None
    for t, local in zip(tangents, locals_, strict=True):
        if t is None or local is None:
            continue
        term = (t if local == 1 else -t) if isinstance(local, int) else local(y, *xs) * t
        total = term if total is None else total + term
    return total


def _push_linear(op: Op, tangents: Sequence[Any], y: Any, xs: Sequence[Any], params: Any) -> Any:
    moved = [
        x if op.pulls[i] is None else _zeros_like(x) if t is None else t
        for i, (x, t) in enumerate(zip(xs, tangents, strict=True))
    ]
    return apply(op, moved, params)


def _zeros_like(x: Any) -> Any:
    return np.zeros(x.shape, x.dtype)[()] if hasattr(x, "shape") else 0


def _push_multilinear(
    op: Op, tangents: Sequence[Any], y: Any, xs: Sequence[Any], params: Any
) -> Any:
    total = None
    for i, t in enumerate(tangents):
        if t is not None:
            term = apply(op, [*xs[:i], t, *xs[i + 1 :]], params)
            total = term if total is None else total + term
    return total


# the local rule as text


def _local_texts(locals_: Sequence[Local]) -> list[str]:
    texts = []
    for local in locals_:
        if local is None:
            texts.append("no derivative")
            continue
        if isinstance(local, int):
            factor = str(local).replace("-", "−")
        else:
            probes = [tensor(0.5) for _ in range(len(locals_) + 1)]
            with using(tracing=True, scope=None):
                result = local(*probes)
            names = {probe.node: f"{{{i - 1}}}" for i, probe in enumerate(probes)}
            names[probes[0].node] = "y"
            factor = expression(result, names)
        texts.append(f"G × {_grouped(factor)}")
    return texts


def expression(result: Any, names: dict[Node, str]) -> str:
    """The formula of a recorded value in terms of the named nodes, from the operators' texts."""
    if not isinstance(result, Tensor):
        return _number(result)
    texts: dict[Node, str] = {}
    for node in ancestors([result.node]):
        if isinstance(node, Leaf):
            texts[node] = names.get(node) or _number(node.value)
            continue
        parts = [texts[p] if isinstance(p, Node) else _number(p) for p in node.inputs]
        grouped = [_grouped(part, tightly=_binds(node.op, i)) for i, part in enumerate(parts)]
        texts[node] = node.op.text.format(*grouped, args=", ".join(parts))
    return texts[result.node]


def _binds(op: Op, i: int) -> bool:
    """Whether a formula binds its operand more tightly than a product does: a/{i}, {i}²."""
    place = re.escape(f"{{{i}}}")
    return re.search(rf"[/√^]{place}|{place}[/^²ᵀ⁺⁻]", op.text) is not None


def _grouped(text: str, *, tightly: bool = False) -> str:
    atomic = not text.startswith("−") and " " not in text and "/" not in text
    atomic = atomic and not (tightly and "·" in text)
    return text if atomic else f"({text})"


def _number(value: Any) -> str:
    return f"{value:.3g}".replace("-", "−") if np.ndim(value) == 0 else describe(value)


# operators of the user's own


def primitive(
    forward: Rule | None = None,
    *,
    vjp: Rule | Sequence[Rule | None],
    jvp: Rule | None = None,
    name: str | None = None,
    symbol: str = "",
) -> Any:
    """Declare an operator of your own; also a decorator.

    ``forward(*arrays, **params)`` computes with NumPy. ``vjp(g, y, *arrays, **params)`` returns
    one cotangent for each array (a single one needs no tuple), or is a list with a rule for each
    array; None says that there is no derivative, and asking for it raises. ``jvp(tangents, y, xs,
    params)`` returns the tangent of the output (a tangent is None for zero); without it the
    tangent is derived from ``vjp``.
    Rules written with ordinary operators and ``np`` or ``ag`` functions are differentiable again.

    What the rules return is checked at every call: number, shapes, dtypes (``ShapeError``,
    ``DTypeError``, ``GradientError``).

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> cube = ag.primitive(lambda x: x**3, vjp=lambda g, y, x: g * 3 * x**2, name="cube")
    >>> ag.grad(cube)(2.0)
    np.float64(12.0)
    """
    if forward is None:
        return functools.partial(primitive, vjp=vjp, jvp=jvp, name=name, symbol=symbol)
    label = name or forward.__name__
    op = Op(label, "general", _checked_forward(label, forward), array_names=_names(forward))
    op.symbol, op.strict = symbol or label, True
    op.doc = inspect.getdoc(forward) or ""
    if callable(vjp):
        op.pulls = Joint(op, vjp)
        op.keeps = _ForEach((), -1)
    else:
        op.pulls = tuple(rule or functools.partial(_missing, op, i) for i, rule in enumerate(vjp))
        op.keeps = tuple(0 if rule is None else -1 for rule in vjp)
    op.push = jvp
    call: Any = functools.update_wrapper(_caller(op), forward)
    return call


def read_only(value: Any) -> Any:
    """A view through which a user's function cannot change an array."""
    if type(value) is not np.ndarray:
        return value
    view = value.view()
    view.flags.writeable = False
    return view


def _checked_forward(label: str, forward: Rule) -> Rule:
    def checked(*arrays: Any, **params: Any) -> Any:
        result = forward(*map(read_only, arrays), **params)
        array = np.asarray(result)
        if array.dtype.kind not in "biufc":
            raise DTypeError(
                f"the primitive {label!r} returned {describe(array)}",
                mend="its forward returns one numeric array",
            )
        shared = any(isinstance(a, np.ndarray) and np.shares_memory(a, array) for a in arrays)
        return array.copy()[()] if shared else array[()]

    return checked


class Joint:
    """The rules of all inputs where one function gives them together: a sweep calls it once."""

    def __init__(self, op: Op, vjp: Rule, results: list[Any] | None = None) -> None:
        self._op, self._vjp, self._results = op, vjp, results

    def once(self) -> "Joint":
        """The same rules for one node in one sweep: the function runs at the first of them."""
        return Joint(self._op, self._vjp, [])

    def __getitem__(self, i: int) -> Rule:
        return functools.partial(self._pull, i)

    def __len__(self) -> int:
        return 1

    def _pull(self, i: int, g: Any, y: Any, *xs: Any, **params: Any) -> Any:
        several = self._results or self._all(g, y, *xs, **params)
        if self._results is not None:
            self._results[:] = several
        return _missing(self._op, i) if several[i] is None else several[i]

    def _all(self, g: Any, y: Any, *xs: Any, **params: Any) -> Sequence[Any]:
        result = self._vjp(g, y, *xs, **params)
        several = result if isinstance(result, (tuple, list)) else (result,)
        if len(several) != len(xs):
            raise GradientError(
                f"the vjp of the primitive {self._op.name!r} returned {len(several)} cotangents "
                f"for {len(xs)} arrays",
                mend="return one for each array, None for one that carries no derivative",
            )
        return several


def _missing(op: Op, i: int, *args: Any, **params: Any) -> Any:
    name = op.array_names[i] if i < len(op.array_names) else "?"
    raise GradientError(
        f"the primitive {op.name!r} has no derivative with respect to argument {i} ({name})",
        mend=f"give its vjp a rule for it (zeros, if it is zero), or pass {name}.detach()",
    )


def check_result(op: Op, rule: str, result: Any, like: Any, place: str) -> None:
    """Hold what a user's rule returned against the shape and kind of ``like``."""
    shape = like.shape
    found = getattr(result, "shape", np.shape(result) if not isinstance(result, Node) else None)
    if found != shape:
        raise ShapeError(
            f"the {rule} of the primitive {op.name!r} returned shape {found} for {place} of "
            f"{shape}",
            mend=f"a {_RESULTS[rule]}'s shape; sum over what was broadcast",
        )
    kind = np.dtype(getattr(result, "dtype", np.asarray(0.0).dtype)).kind
    if kind not in ("fc" if like.dtype.kind == "c" else "f"):
        raise DTypeError(
            f"the {rule} of the primitive {op.name!r} returned dtype kind {kind!r} for {place}",
            mend=f"a {_RESULTS[rule]}'s kind: it is floating, and complex only if that is",
        )


_RESULTS = {"vjp": "cotangent has its input", "jvp": "tangent has its output"}
