"""Derivatives as functions: gradients, grad, vjp, jvp, jacobian, hessian, hvp.

Knows forward mode (``Dual``: a tensor that carries a tangent while the function runs, and records
nothing) and how it mixes with the reverse sweep: the sweep of a ``Dual`` is the ``Dual`` of two
sweeps. Does not know any single operator. Imports errors, tree, graph, recording, rules, reverse.
"""

import functools
import itertools
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.errors import DTypeError, GradientError, ShapeError, describe
from autograd_lite.graph import Cell, Leaf, Node, Op
from autograd_lite.modes import current_mode, using
from autograd_lite.ops.pointwise import real
from autograd_lite.ops.shaping import astype, broadcast_to, reshape, stack
from autograd_lite.recording import apply, parameter_names
from autograd_lite.reverse import Cotangents, RecordedSweep, Sweep, owned, seed_of, users_first
from autograd_lite.rules import check_result, linear
from autograd_lite.tensors import Tensor, constant, plain, plain_value, tensor
from autograd_lite.tree import flatten, flatten_like, unflatten

__all__ = [
    "Dual",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]


# forward mode


class Dual(Tensor):
    """A value with a tangent: what forward mode computes with, instead of recording."""

    __slots__ = ("level", "primal", "tangent")

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        inner = primal._value if isinstance(primal, Tensor) else primal
        Tensor.__init__(self, inner, _CARRIED)
        self.primal = primal
        self.tangent = tangent
        self.level = level

    def interpret(self, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """Apply an operator to the values, and its tangent rule to the tangents, of this level."""
        level = self.level
        if level not in _open:
            raise GradientError(
                f"{op.name}: a value of an ag.jvp that has ended",
                mend="return it from the function, do not store it elsewhere",
            )
        mine = [isinstance(arg, Dual) and arg.level == level for arg in args]
        xs = [arg.primal if own else arg for arg, own in zip(args, mine, strict=True)]
        y = apply(op, xs, params)
        if not op.differentiable:
            return y
        tangents = [arg.tangent if own else None for arg, own in zip(args, mine, strict=True)]
        xs = [x if hasattr(x, "shape") or _is_number(x) else np.asarray(x) for x in xs]
        push = op.push or functools.partial(_push_from_pulls, op)
        ydot = push(tangents, y, xs, params)
        if op.strict and ydot is not None:
            ydot = ydot if isinstance(ydot, Tensor) else np.asarray(ydot)[()]
            check_result(op, "jvp", ydot, y, "its output")
        if ydot is None or type(y) is not tuple:
            return y if ydot is None else Dual(y, _like(ydot, y), level)
        return tuple(
            part if dot is None else Dual(part, _like(dot, part), level)
            for part, dot in zip(y, ydot, strict=True)
        )


_CARRIED = Leaf("input", np.float64(0), None, None, 0)
_levels = itertools.count()
_open: set[int] = set()  # the levels of the calls of jvp that run now, in any thread


def _is_number(x: Any) -> bool:
    return isinstance(x, (int, float, complex))


def _like(tangent: Any, y: Any) -> Any:
    if not hasattr(tangent, "shape"):
        tangent = np.asarray(tangent)[()]
    if tangent.shape != y.shape:
        tangent = broadcast_to(tangent, y.shape)
    if tangent.dtype.kind == "c" and y.dtype.kind != "c":
        tangent = real(tangent)  # as the cotangent of a real input: docs/complex.md
    return tangent if tangent.dtype == y.dtype else astype(tangent, y.dtype)


def _push_from_pulls(
    op: Op, tangents: Sequence[Any], y: Any, xs: Sequence[Any], params: Any
) -> Any:
    """The tangent rule from the cotangent rule, which is linear in g: differentiate it in g."""
    total = None
    for i, t in enumerate(tangents):
        pull = op.pulls[i]
        if t is None or pull is None:
            continue
        g = tensor(np.zeros(y.shape, y.dtype))
        moved = pull(g, y, *xs, **params)
        if moved is None:
            continue
        if op.strict:
            check_result(op, "vjp", moved, np.asarray(plain_value(xs[i])), f"input {i}")
        (term,) = _pull_back([moved], [g], [t])
        total = term if total is None else total + term
    return total


def jvp(f: Callable[..., Any], xs: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of ``f(*xs)`` and its derivative in the direction ``tangents`` (forward mode).

    ``xs`` and ``tangents`` are tuples (or lists) of equal form: arrays, tensors, and trees of
    them. Records no reverse pass and keeps nothing.

    >>> import autograd_lite as ag
    >>> ag.jvp(lambda x: x * x, [3.0], [1.0])
    (np.float64(9.0), np.float64(6.0))
    """
    level = next(_levels)
    for given in (xs, tangents):
        if not isinstance(given, (tuple, list)):
            raise ShapeError(
                f"ag.jvp was given {describe(given)} where a tuple or list is needed",
                mend="ag.jvp(f, [x], [t]): one entry for each argument of f",
            )
    leaves, form = flatten(tuple(xs))
    moves = flatten_like(tuple(xs), tuple(tangents))
    pairs = zip(leaves, moves, strict=True)
    duals = [_dual(x, t, level) for x, t in pairs]
    _open.add(level)
    try:
        result = f(*unflatten(form, duals))
    finally:
        _open.discard(level)
    outputs, shape = flatten(result)
    arrays = not any(isinstance(leaf, Tensor) for leaf in [*leaves, *moves])
    values, dots = [], []
    for output in outputs:
        _numeric(output, "ag.jvp")
        carried = isinstance(output, Dual) and output.level == level
        value = output.primal if carried else output
        dot = output.tangent if carried else _no_tangent(plain_value(value))
        values.append(_outward(value, arrays))
        dots.append(_outward(dot, arrays))
    return unflatten(shape, values), unflatten(shape, dots)


def _no_tangent(value: Any) -> Any:
    kind = getattr(value, "dtype", np.dtype(np.float64))
    return np.zeros(np.shape(value), kind if kind.kind in "fc" else np.float64)[()]


def _numeric(output: Any, who: str) -> None:
    """Refuse what a function may not return: everything but tensors, arrays and numbers."""
    if not isinstance(output, (Tensor, np.ndarray, np.generic, int, float, complex)):
        raise GradientError(
            f"the function given to {who} returned {describe(output)}",
            mend="return tensors, or containers of them",
        )


def _dual(x: Any, t: Any, level: int) -> Dual:
    primal = _floating(x) if isinstance(x, Tensor) else _float_copy(x)
    tangent = _floating(t) if isinstance(t, Tensor) else _float_copy(t)
    if primal.shape != tangent.shape:
        raise ShapeError(
            f"the tangent has shape {tangent.shape}, its array {primal.shape}",
            mend="a tangent has exactly its array's shape",
        )
    if tangent.dtype.kind == "c" and primal.dtype.kind != "c":
        raise DTypeError("a complex tangent of a real array", mend="take its .real")
    if tangent.dtype != primal.dtype:
        tangent = astype(tangent, primal.dtype)
    return Dual(primal, tangent, level)


def _float_copy(x: Any) -> Any:
    array = plain(x)
    return np.array(array, dtype=np.float64 if array.dtype.kind in "biu" else array.dtype)[()]


def _floating(x: Tensor) -> Any:
    """Integers as float64, as those of an array: a traced one still holds what it was given."""
    return astype(x, np.float64) if x.dtype.kind in "biu" else x


def _outward(value: Any, arrays: bool) -> Any:
    """Arrays for those who gave arrays, unless an outer derivative still needs the graph."""
    if arrays and type(value) is Tensor and not _rests_outside(value, (), arrays):
        tracer = current_mode().tracer
        value = value._value if tracer is None else tracer.array(value)
    return np.array(value)[()] if isinstance(value, np.ndarray) else value


def _rests_outside(value: Tensor, own: Collection[Node], arrays: bool) -> bool:
    """Whether somebody may differentiate ``value`` beyond the variables in ``own``.

    With arrays in, arrays come out: then only the variables of an outer derivative that runs
    count, and not the tensors that the user made.
    """
    if value._node is None:
        return False
    return any(
        node in _variables or (node.__class__ is Leaf and node.cell is not None and not arrays)
        for node in users_first([value._node])
        if node not in own
    )


# reverse mode as functions


def gradients(y: Any, xs: Any, cotangent: Any = None, *, unused: str = "zeros") -> list[Tensor]:
    """The gradients of ``y`` with respect to each of ``xs``, as tensors that are recorded again.

    ``xs`` are tensors in the graph of ``y``, leaves or not. One that ``y`` does not rest on gives
    zeros, or an error with ``unused="error"``. Changes no ``.grad``.

    >>> import autograd_lite as ag
    >>> x = ag.tensor(2.0)
    >>> (first,) = ag.gradients(x**3, [x])
    >>> (second,) = ag.gradients(first, [x])
    >>> first, second
    (Tensor(12.), Tensor(12.))
    """
    _check_unused(unused)
    targets = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    for x in targets:
        if not isinstance(x, Tensor) or not x.tracked:
            raise GradientError(
                f"a gradient with respect to {describe(x)}, which is not tracked",
                mend="make it with ag.tensor or ag.parameter before computing y",
            )
    if not isinstance(y, Tensor) or not y.tracked:
        raise GradientError(
            "a gradient of a constant: nothing in it is tracked",
            where=describe(y),
            mend="compute y from the tensors in xs, outside ag.no_grad()",
        )
    found = _pull_back([y], targets, [cotangent], unused=unused)
    return [x if isinstance(x, Tensor) else Tensor(x) for x in found]


def _check_unused(unused: str) -> None:
    if unused not in ("zeros", "error"):
        raise GradientError(f"unused={unused!r}", mend='unused="zeros" or unused="error"')


def _pull_back(
    ys: Sequence[Any], xs: Sequence[Any], cotangents: Sequence[Any], unused: str = "zeros",
    recorded: bool = True,
) -> list[Any]:  # fmt: skip
    """Cotangents of ``xs``; a Dual among ys and cotangents gives Duals of two sweeps."""
    levels = [one.level for one in (*ys, *cotangents) if isinstance(one, Dual)]
    if levels:
        return _pull_back_dual(ys, xs, cotangents, max(levels), unused)
    seeds: Cotangents = {}
    for y, cotangent in zip(ys, cotangents, strict=True):
        if isinstance(y, Tensor) and y._node is not None:
            seed = seed_of(y, cotangent)
            if recorded and not isinstance(seed, Tensor):
                seed = constant(seed, name="G" if seed.ndim else None)  # a copy: it may change
            seeds[y._node] = seed if y._node not in seeds else seeds[y._node] + seed
    if not seeds and unused == "error":
        raise GradientError("y rests on nothing", mend='pass unused="zeros" for zeros')
    if not seeds:
        return [np.zeros(x.shape, x.dtype)[()] for x in xs]
    sweep = RecordedSweep(seeds) if recorded else Sweep(seeds)
    versions = _versions(xs, sweep.order)
    results = sweep.run({node for nodes in versions for node in nodes})
    found = []
    for x, nodes in zip(xs, versions, strict=True):
        parts = [results[node] for node in nodes if node in results]
        if not parts and unused == "error":
            raise GradientError(
                f"y does not rest on {describe(x, x.name)}", mend='pass unused="zeros" for zeros'
            )
        total = parts[0] if parts else np.zeros(x.shape, x.dtype)[()]
        for part in parts[1:]:
            total = total + part
        found.append(total)
    return found


def _versions(xs: Sequence[Any], order: Sequence[Node]) -> list[list[Node]]:
    """For each tensor its node, and the earlier versions of a parameter that were recorded."""
    by_cell: dict[Cell | None, list[Node]] = {}
    for node in order:
        if node.__class__ is Leaf and node.cell is not None:
            by_cell.setdefault(node.cell, []).append(node)
    return [
        by_cell.get(x._node.cell, [x._node]) if x._node.__class__ is Leaf else [x._node] for x in xs
    ]


def _pull_back_dual(
    ys: Sequence[Any], xs: Sequence[Any], cotangents: Sequence[Any], level: int, unused: str
) -> list[Any]:
    """Differentiating along a direction and pulling back exchange: sweep both parts."""

    def part(one: Any, which: str) -> Any:
        carried = isinstance(one, Dual) and one.level == level
        return getattr(one, which) if carried else one if which == "primal" else None

    cs = [
        np.ones(y.shape, y.dtype)[()] if c is None else c
        for y, c in zip(ys, cotangents, strict=True)
    ]
    heads = [part(y, "primal") for y in ys]
    weights = [part(c, "primal") for c in cs]
    bases = [part(x, "primal") for x in xs]
    first = _pull_back(heads, bases, weights, unused)
    moving = [(part(y, "tangent"), w) for y, w in zip(ys, weights, strict=True)]
    moving += [(y, part(c, "tangent")) for y, c in zip(heads, cs, strict=True)]
    moving = [(y, w) for y, w in moving if isinstance(y, Tensor) and w is not None]
    if not moving:
        return first
    second = _pull_back([y for y, _ in moving], bases, [w for _, w in moving])
    return [Dual(a, b, level) for a, b in zip(first, second, strict=True)]


_alias = linear("alias", lambda x: x, lambda g, x: g, symbol="=", text="{0}", latex="{0}",
                doc="The same value, as a variable of its own.", local=["G"], code="{0}",
                samples=[(((2, 3),), {})])  # fmt: skip


def _variable(x: Any) -> Any:
    """A fresh variable of the value ``x``, behind which an outer derivative still sees ``x``."""
    if isinstance(x, Dual):
        return Dual(_variable(x.primal), x.tangent, x.level)
    if isinstance(x, Tensor) and x._node is not None:
        variable = _alias(_floating(x))
    else:
        variable = tensor(x._value if isinstance(x, Tensor) else x)
        variable.node.cell = None  # nobody will ask for its .grad
    _variables[variable.node] = variable
    return variable


_variables: weakref.WeakValueDictionary[Node, Tensor] = weakref.WeakValueDictionary()
"""The variables of the derivatives that run now: they live as long as their calls."""


@dataclass
class _Call:
    """One call of a function on fresh variables for its differentiated arguments."""

    variables: list[Any]
    form: Any
    arrays: bool
    output: Any
    aux: Any = None

    def pull_back(self, ys: Sequence[Any], cotangents: Sequence[Any], unused: str) -> list[Any]:
        recorded = (
            current_mode().tracer is not None
            or any(isinstance(one, Dual) for one in (*ys, *cotangents, *self.variables))
            or any(isinstance(y, Tensor) and self.rests_outside(y) for y in ys)
            or any(isinstance(c, Tensor) and c.tracked for c in cotangents)
        )
        found = _pull_back(ys, self.variables, cotangents, unused, recorded=recorded)
        kinds = []
        while found:  # taken out one by one, so that what nobody else holds need not be copied
            g = found.pop(0)
            plainly = self.arrays and type(g) is np.ndarray
            kinds.append(owned(g) if plainly else self.outward(g))
        return kinds

    def outward(self, value: Any) -> Any:
        """A result as the kind that was given in, cut from the variables of this call.

        What an outer derivative needs stays in its graph.
        """
        if isinstance(value, Dual):
            return Dual(self.outward(value.primal), self.outward(value.tangent), value.level)
        if isinstance(value, Tensor):
            if self.rests_outside(value):
                return value
            tracer = current_mode().tracer
            if tracer is not None and value._node is not None:
                return tracer.array(value) if self.arrays else tracer.outward(value)
            value = value._value
        if not self.arrays:
            return Tensor(value)
        return np.array(value)[()]

    def rests_outside(self, value: Tensor) -> bool:
        """Whether an outer derivative, or one who gave tensors, needs the graph of ``value``."""
        own = {_base(v)._node for v in self.variables}
        return _rests_outside(value, own, self.arrays)

    def extra(self) -> Any:
        """The extra results, in the kind that was given too; parameters and others as they are."""
        leaves, form = flatten(self.aux)
        computed = [isinstance(one, Tensor) and one.node.cell is None for one in leaves]
        if not any(computed):
            return self.aux
        pairs = zip(leaves, computed, strict=True)
        return unflatten(form, [self.outward(one) if new else one for one, new in pairs])

    def tree(self, leaves: list[Any]) -> Any:
        return unflatten(self.form, leaves, objects=False)


def _base(variable: Any) -> Any:
    while isinstance(variable, Dual):
        variable = variable.primal
    return variable


def _call(
    f: Callable[..., Any], argnums: Any, has_aux: bool, args: tuple[Any, ...], kwargs: Any
) -> _Call:
    several = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    if any(not isinstance(n, int) or not -len(args) <= n < len(args) for n in several):
        raise GradientError(
            f"argnums={argnums!r} of a call with {len(args)} positional arguments",
            mend="argnums counts the positional arguments from 0",
        )
    chosen = [args[n] for n in several]
    leaves, form = flatten(tuple(chosen) if isinstance(argnums, (tuple, list)) else chosen[0])
    arrays = not any(isinstance(leaf, Tensor) for leaf in leaves)
    with using(recording=True):
        variables = [_variable(leaf) for leaf in leaves]
        _name_arguments(f, several, chosen, variables)
        rebuilt = unflatten(form, variables)
        parts = rebuilt if isinstance(argnums, (tuple, list)) else [rebuilt]
        full = list(args)
        for n, part in zip(several, parts, strict=True):
            full[n] = part
        result = f(*full, **kwargs)
    if has_aux and not (isinstance(result, (tuple, list)) and len(result) == 2):
        raise GradientError(
            f"with has_aux=True the function returned {describe(result)}",
            mend="return a pair: (what is differentiated, aux)",
        )
    output, aux = result if has_aux else (result, None)
    return _Call(variables, form, arrays, output, aux)


def _name_arguments(f: Any, argnums: Sequence[int], chosen: Any, variables: Sequence[Any]) -> None:
    """Single-array arguments carry the names of the function's parameters in pictures."""
    if len(variables) != len(chosen):
        return
    names = parameter_names(f)
    for n, variable in zip(argnums, variables, strict=True):
        node = _base(variable)._node
        if node.name is None and 0 <= n < len(names):
            node.name = names[n]


def _scalar(output: Any, who: str) -> Any:
    if not isinstance(output, Tensor):
        if np.ndim(output) == 0 and _is_number(output):
            return output
        raise GradientError(
            f"the function given to {who} returned {describe(output)}, not a tensor",
            mend="return a scalar tensor; with extra results pass has_aux=True",
        )
    if output.size != 1:
        raise GradientError(
            f"{who} needs a function with one number as its result, got shape {output.shape}",
            mend="sum or average the result, or use ag.jacobian or ag.vjp",
        )
    return output


def _check_holomorphic(call: "_Call", who: str) -> None:
    """Refuse what is not complex: a holomorphic function is a function between complex numbers."""
    for value, what in [*((v, "argument") for v in call.variables), (call.output, "result")]:
        if np.dtype(getattr(value, "dtype", float)).kind != "c":
            raise DTypeError(
                f"{who} with holomorphic=True and an {what} of dtype {value.dtype}"
                if what == "argument"
                else f"{who} with holomorphic=True and a result that is not complex",
                mend="give complex arguments to a function with a complex result, or leave "
                "holomorphic=True out",
            )


def value_and_grad(
    f: Callable[..., Any],
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    unused: str = "zeros",
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The function that gives ``f(...)`` and its gradient with respect to ``argnums``.

    ``f`` returns one number (and, with ``has_aux=True``, extra results: the first part is then a
    pair). Arguments are arrays, tensors, nested dicts, lists, tuples and layers; the gradient has
    the argument's form and kind, extra results its kind. Raises ``GradientError`` for a result of
    several numbers.

    ``holomorphic=True`` gives the complex derivative f′(z) of a function from complex arguments to
    one complex number, which must be holomorphic (``docs/complex.md``); ``DTypeError`` for others.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.value_and_grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    _check_unused(unused)

    @functools.wraps(f)
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        call = _call(f, argnums, has_aux, args, kwargs)
        output = _scalar(call.output, "ag.grad")
        if holomorphic:
            _check_holomorphic(call, "ag.grad")
        seed = np.ones(output.shape, output.dtype)[()] if holomorphic else None
        found = call.pull_back([output], [seed], unused)
        value = call.outward(output) if isinstance(output, Tensor) else output
        value = (value, call.extra()) if has_aux else value
        return value, call.tree(found)

    return evaluate


def grad(
    f: Callable[..., Any],
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    unused: str = "zeros",
    holomorphic: bool = False,
) -> Callable[..., Any]:
    """The function that gives the gradient of ``f`` with respect to ``argnums``.

    As ``value_and_grad``, without the value; with ``has_aux`` a pair (gradient, aux). Arrays in
    give arrays out: to differentiate the gradient with respect to a tensor that ``f`` closes over
    (a gradient penalty), pass the argument as a tensor, ``ag.constant(x)``, and get one back.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.grad(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> ag.grad(lambda z: z**3, holomorphic=True)(1j)
    np.complex128(-3+0j)
    """
    both = value_and_grad(f, argnums, has_aux=has_aux, unused=unused, holomorphic=holomorphic)

    @functools.wraps(f)
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return evaluate


def vjp(
    f: Callable[..., Any], *xs: Any, has_aux: bool = False, unused: str = "zeros"
) -> tuple[Any, ...]:
    """The value ``f(*xs)`` and its pullback: a function from the cotangent to those of ``xs``.

    The pullback always returns a tuple, one entry for each of ``xs``. ``f`` may return a tree of
    tensors; the cotangent then has its form.

    >>> import autograd_lite as ag
    >>> y, pullback = ag.vjp(lambda x: x * x, 3.0)
    >>> y, pullback(2.0)
    (np.float64(9.0), (np.float64(12.0),))
    """
    _check_unused(unused)
    call = _call(f, tuple(range(len(xs))), has_aux, xs, {})
    outputs, form = flatten(call.output)
    for output in outputs:
        _numeric(output, "ag.vjp")
    pattern = unflatten(form, outputs)

    def pullback(cotangent: Any = None) -> Any:
        given = [None] * len(outputs) if cotangent is None else flatten_like(pattern, cotangent)
        return call.tree(call.pull_back(outputs, given, unused))

    values = [call.outward(one) if isinstance(one, Tensor) else one for one in outputs]
    value = unflatten(form, values)
    return (value, pullback, call.extra()) if has_aux else (value, pullback)


def jacobian(
    f: Callable[..., Any], argnums: Any = 0, *, holomorphic: bool = False
) -> Callable[..., Any]:
    """The function that gives all derivatives of ``f``: shape output.shape + argument.shape.

    One reverse sweep for each element of the output. Trees of arguments give trees.
    ``holomorphic=True`` is as in ``value_and_grad``: complex derivatives of a complex result.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    @functools.wraps(f)
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        call = _call(f, argnums, False, args, kwargs)
        y = call.output
        if not isinstance(y, Tensor):
            raise GradientError(
                f"the function given to ag.jacobian returned {describe(y)}, not a tensor",
                mend="return one tensor; for several call ag.jacobian for each, or use ag.vjp",
            )
        if holomorphic:
            _check_holomorphic(call, "ag.jacobian")
        elif y.dtype.kind == "c":
            raise GradientError(
                "a complex output has no Jacobian of one complex number per element",
                mend="take ag.real and ag.imag of it, or use ag.vjp or ag.jvp; of a holomorphic "
                "function holomorphic=True gives the complex derivatives",
            )
        rows = []
        for k in range(y.size):
            unit = np.zeros(y.shape, y.dtype)
            unit.reshape(-1)[k] = 1
            rows.append(call.pull_back([y], [unit[()]], "zeros"))
        blocks = []
        for j, variable in enumerate(call.variables):
            shape = (*y.shape, *variable.shape)
            parts = [row[j] for row in rows]
            if any(isinstance(part, Tensor) for part in parts):
                blocks.append(reshape(stack(parts), shape))
            else:
                empty = np.zeros(shape, variable.dtype)
                blocks.append((np.stack(parts).reshape(shape) if parts else empty)[()])
        return call.tree(blocks)

    return evaluate


def hessian(
    f: Callable[..., Any], argnums: Any = 0, *, holomorphic: bool = False
) -> Callable[..., Any]:
    """The function that gives all second derivatives of a scalar ``f``.

    For one array: shape x.shape + x.shape. For trees: a tree of trees of blocks.
    ``holomorphic=True`` is as in ``value_and_grad``.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """

    @functools.wraps(f)
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        first = functools.partial(_flat_gradients, f, argnums, holomorphic)
        leaves, form = flatten(
            tuple(args[n] for n in argnums) if isinstance(argnums, (tuple, list)) else args[argnums]
        )
        rows = [
            jacobian(lambda *a, i=i, **k: first(a, k)[i], argnums, holomorphic=holomorphic)(
                *args, **kwargs
            )
            for i in range(len(leaves))
        ]
        return unflatten(form, rows, objects=False)

    return evaluate


def _flat_gradients(
    f: Any, argnums: Any, holomorphic: bool, args: tuple[Any, ...], kwargs: Any
) -> list[Any]:
    return flatten(grad(f, argnums, holomorphic=holomorphic)(*args, **kwargs))[0]


def hvp(f: Callable[..., Any], xs: Sequence[Any], vs: Sequence[Any]) -> Any:
    """The Hessian of a scalar ``f`` times the vectors ``vs``: a tuple, one entry for each of xs.

    Forward mode over the gradient: no matrix is built.

    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> ag.hvp(lambda x: (x**3).sum(), [np.array([1.0, 2.0])], [np.array([1.0, 1.0])])
    (array([ 6., 12.]),)
    """
    every = tuple(range(len(xs)))
    return jvp(grad(f, every), xs, vs)[1]


def stop_gradient(x: Any) -> Any:
    """``x`` as a constant to derivatives; arrays come back as they are.

    >>> import autograd_lite as ag
    >>> ag.grad(lambda x: x * ag.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return x.detach() if isinstance(x, Tensor) else x
