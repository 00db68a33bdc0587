"""The laws that every operator obeys, as functions that raise where one is broken.

`cases(op)` makes the samples of an operator: shapes and static parameters from its declaration,
then edge shapes that follow from those (sizes 1 and 0), whatever the operator's own domain. Each
law takes a case and a generator. `test_operators` runs all laws over the registry;
`test_of_the_tests` runs them over wrong rules and demands that they fail.
"""

from __future__ import annotations

import re
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np

import autograd_lite as ag
from autograd_lite.graph import Graph, Leaf, Op, settled
from autograd_lite.numeric import adjoint_gap, numeric_jvp, numeric_vjp
from autograd_lite.recording import apply
from autograd_lite.reverse import Sweep
from autograd_lite.rules import FUNCTIONS
from autograd_lite.tensors import Tensor

Shapes = tuple[Any, ...]

_POINTWISE: dict[int, list[Shapes]] = {
    1: [((3,),), ((2, 3),), ((),), ((0,),), ((1, 1),), ((2, 0, 3),)],
    2: [
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((3,), (2, 1)),
        ((), (3,)),
        ((3,), ()),
        ((), ()),
        ((0,), (1,)),
        ((1,), (1,)),
        ((2, 1, 3), (4, 1)),
        ((1, 1), ()),
    ],
    3: [((2, 3), (3,), ()), ((), (), ())],
}


@dataclass(frozen=True)
class Case:
    """An operator on arrays of these shapes, with these static parameters."""

    op: Op
    shapes: Shapes
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        shapes = ",".join(str(shape).replace(" ", "") for shape in self.shapes)
        params = ",".join(f"{key}={_brief(value)}" for key, value in self.params.items())
        return f"{self.op.name}[{shapes}]{params}"

    def rng(self) -> np.random.Generator:
        """Seeded by the case alone."""
        return np.random.default_rng(zlib.crc32(str(self).encode()))

    def arrays(self, rng: np.random.Generator, dtype: Any = np.float64) -> list[Any]:
        """Values inside the operator's domain; 0-d ones as NumPy scalars."""
        low, high = self.op.domain
        made = []
        for shape in self.shapes:
            if isinstance(shape, str):
                made.append(rng.integers(0, 2, _shape(shape)).astype(bool))
            else:
                made.append(rng.uniform(low, high, shape).astype(dtype))
        return [np.asarray(array)[()] for array in made]

    def floating(self) -> list[int]:
        """The places of the arguments that carry derivatives."""
        return [
            i
            for i, shape in enumerate(self.shapes)
            if not isinstance(shape, str) and (self.op.probe or self.op.pulls[i] is not None)
        ]

    def forward(self, *arrays: Any) -> Any:
        """The bare NumPy computation."""

        def bare(*xs: Any) -> Any:
            return settled(self.op.forward(*xs, **self.params))

        probe = self.op.probe
        return np.asarray(probe(bare, *arrays) if probe else bare(*arrays))[()]

    def record(self, *operands: Any) -> Any:
        """The recorded computation: by the public function, which has fast paths, if it can."""
        if self.op.probe is not None:
            return self.op.probe(lambda *xs: apply(self.op, xs, self.params), *operands)
        function = FUNCTIONS.get(self.op.name)
        if function is not None and getattr(function, "op", None) is self.op and not self.params:
            return function(*operands)
        return apply(self.op, operands, self.params)

    def of(self, arrays: list[Any], chosen: list[int]) -> Callable[..., Any]:
        """The recorded operator as a function of the chosen arguments alone."""

        def f(*xs: Any) -> Any:
            operands = list(arrays)
            for i, x in zip(chosen, xs, strict=True):
                operands[i] = x
            return self.record(*operands)

        return f

    def plainly(self, arrays: list[Any], chosen: list[int]) -> Callable[..., Any]:
        """The same in NumPy alone."""

        def f(*xs: Any) -> Any:
            operands = list(arrays)
            for i, x in zip(chosen, xs, strict=True):
                operands[i] = x
            return self.forward(*operands)

        return f


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", text))


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return "array" + str(value.tolist()).replace(" ", "")
    if isinstance(value, tuple):
        return "(" + ",".join(map(_brief, value)) + ")"
    return str(value)


def arity(op: Op) -> int:
    """How many arrays a pointwise operator or one without derivative takes."""
    return len(op.pulls) or len(op.array_names) or 1


def samples(op: Op) -> list[Case]:
    """The declared samples, or those of the operator's kind and arity."""
    if op.samples:
        return [Case(op, shapes, params) for shapes, params in op.samples]
    if op.kind == "pointwise":
        return [Case(op, shapes) for shapes in _POINTWISE[arity(op)]]
    return []


@dataclass(frozen=True)
class Cases:
    """The samples of an operator with their edge shapes, by what NumPy says of them."""

    usual: list[Case] = field(default_factory=list)
    undefined: list[Case] = field(default_factory=list)  # the value is NaN: mean of nothing
    refused: list[Case] = field(default_factory=list)  # NumPy itself raises: reshape of nothing


def cases(op: Op) -> Cases:
    """Samples and edge cases of an operator; the latter follow from shapes alone."""
    found = {str(case): case for case in samples(op)}
    for case in list(found.values()):
        for shapes in _edges(case.shapes):
            edge = Case(op, shapes, case.params)
            found.setdefault(str(edge), edge)
    sorted_ = Cases()
    for case in found.values():
        try:
            with warnings.catch_warnings(action="ignore"):
                value = case.forward(*case.arrays(case.rng()))
        except (ValueError, IndexError):
            sorted_.refused.append(case)
        else:
            (sorted_.usual if np.all(np.isfinite(value)) else sorted_.undefined).append(case)
    return sorted_


def _edges(shapes: Shapes) -> Iterator[Shapes]:
    """Each size 1; the first size 0; the last size 0; a leading axis more."""
    changes: list[Callable[[tuple[int, ...]], tuple[int, ...]]] = [
        lambda s: (1,) * len(s),
        lambda s: (0, *s[1:]) if s else s,
        lambda s: (*s[:-1], 0) if s else s,
        lambda s: (2, *s),
    ]
    for change in changes:
        yield tuple(
            f"bool{change(_shape(s))}".replace(" ", "") if isinstance(s, str) else change(s)
            for s in shapes
        )


# laws


def close(found: Any, wanted: Any, error: Any = 0.0, *, eps: float = 1e-9) -> None:
    """Equal within a referee's own error, and eps of the size of what is compared."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape, f"shape {found.shape} instead of {wanted.shape}"
    scale = np.maximum(1.0, np.abs(wanted).max(initial=1.0))
    bound = 20 * np.asarray(error) + eps * scale
    gap = np.abs(found - wanted)
    assert np.all(gap <= bound), f"{found} instead of {wanted}, error {error}"


def the_recorded_value_is_numpys(case: Case) -> None:
    """Value, shape and dtype are those of the bare computation, bit by bit; a replay agrees."""
    rng = case.rng()
    for dtype in (np.float64, np.float32, np.float16):
        arrays = case.arrays(rng, dtype)
        wanted = case.forward(*arrays)
        chosen = case.floating()
        leaves = [ag.tensor(arrays[i]) + 0 for i in chosen]
        y = case.of(arrays, chosen)(*leaves)
        assert isinstance(y, Tensor)
        assert y.shape == y.node.shape == wanted.shape
        assert y.dtype == y.node.dtype == wanted.dtype
        np.testing.assert_array_equal(y.data, wanted, strict=True)
        again = Graph.of(y)
        for node in again:
            if not isinstance(node, Leaf):
                node.value = None
        np.testing.assert_array_equal(again.replay()[y.node], wanted)


def pull_back(case: Case, arrays: list[Any], chosen: list[int], g: Any) -> tuple[Any, ...]:
    _, pullback = ag.vjp(case.of(arrays, chosen), *[arrays[i] for i in chosen])
    result: tuple[Any, ...] = pullback(g)
    return result


def the_vjp_is_the_numeric_one(case: Case) -> None:
    """Reverse mode against finite differences, for every floating argument."""
    rng = case.rng()
    arrays, chosen = case.arrays(rng), case.floating()
    g = rng.normal(size=np.shape(case.forward(*arrays)))
    found = pull_back(case, arrays, chosen, g)
    wanted = numeric_vjp(case.plainly(arrays, chosen), [arrays[i] for i in chosen], g)
    for one, referee in zip(found, wanted, strict=True):
        assert np.all(referee.error <= 1e-6 * (1 + np.abs(referee.value))), "a useless referee"
        close(one, referee.value, referee.error)


def the_jvp_is_the_numeric_one(case: Case) -> None:
    """Forward mode against finite differences, and against reverse mode: ⟨g, Jt⟩ = ⟨Jᵀg, t⟩."""
    rng = case.rng()
    arrays, chosen = case.arrays(rng), case.floating()
    xs = [arrays[i] for i in chosen]
    ts = [np.asarray(rng.normal(size=np.shape(x)))[()] for x in xs]
    y, dot = ag.jvp(case.of(arrays, chosen), xs, ts)
    np.testing.assert_array_equal(y, case.forward(*arrays))
    assert dot.shape == y.shape
    assert dot.dtype == y.dtype
    wanted, error = numeric_jvp(case.plainly(arrays, chosen), xs, ts)
    close(dot, wanted, error)
    g = rng.normal(size=np.shape(y))
    assert adjoint_gap(pull_back(case, arrays, chosen, g), ts, g, dot)[2] < 1e-12


def each_argument_alone(case: Case) -> None:
    """What one argument gets does not depend on whether the others are tracked."""
    rng = case.rng()
    arrays, chosen = case.arrays(rng), case.floating()
    g = rng.normal(size=np.shape(case.forward(*arrays)))
    together = pull_back(case, arrays, chosen, g)
    for place, whole in zip(chosen, together, strict=True):
        (alone,) = pull_back(case, arrays, [place], g)
        np.testing.assert_array_equal(alone, whole, strict=True)


def the_second_derivative_is_the_numeric_one(case: Case) -> None:
    """Hessian times vector, forward over reverse and reverse over reverse, by differences."""
    rng = case.rng()
    arrays, chosen = case.arrays(rng), case.floating()
    xs = [arrays[i] for i in chosen]
    vs = [np.asarray(rng.normal(size=np.shape(x)))[()] for x in xs]
    f = case.of(arrays, chosen)
    weights = rng.normal(size=np.shape(case.forward(*arrays)))
    every = tuple(range(len(xs)))

    def loss(*args: Any) -> Any:
        y = f(*args)
        return ag.sum(y * y * weights)

    def slope(*args: Any) -> tuple[Any, ...]:
        return tuple(ag.grad(loss, every)(*args))

    found = ag.hvp(loss, xs, vs)
    wanted, error = numeric_jvp(slope, xs, vs)
    for one, right, bound in zip(found, wanted, error, strict=True):
        close(one, right, bound, eps=1e-7)

    def along(*args: Any) -> Any:
        total: Any = 0.0
        for one, v in zip(slope(*args), vs, strict=True):
            total = total + ag.sum(one * v)
        return total

    for one, right in zip(ag.grad(along, every)(*xs), found, strict=True):
        close(one, right, eps=1e-10)


def a_gradient_has_its_inputs_dtype(case: Case) -> None:
    """For float16, float32, float64 and their mixtures; float32 comes near to float64."""
    rng = case.rng()
    exact, chosen = case.arrays(rng), case.floating()
    g = rng.normal(size=np.shape(case.forward(*exact)))
    wanted = pull_back(case, exact, chosen, g)
    kinds = [np.float32, np.float64, np.float16]
    for first in range(len(kinds)):
        dtypes = [kinds[(first + k) % 3] for k in range(len(exact))]
        for mixed in (dtypes, [kinds[first]] * len(exact)):
            arrays = [
                x if x.dtype == bool else x.astype(d) for x, d in zip(exact, mixed, strict=True)
            ]
            found = pull_back(case, arrays, chosen, g)
            for i, one, right in zip(chosen, found, wanted, strict=True):
                assert one.dtype == arrays[i].dtype, f"{one.dtype} for {arrays[i].dtype}"
                close(one, right, eps=2e-2 if np.float16 in mixed else 1e-5)


def layouts(x: Any) -> Iterator[tuple[str, Any]]:
    """The same values in every form in which NumPy may hold them."""
    x = np.asarray(x)
    yield "Fortran", np.array(x, order="F")
    yield "big-endian", x.astype(x.dtype.newbyteorder(">"))
    locked = x.copy()
    locked.flags.writeable = False
    yield "read-only", locked
    if x.ndim:
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        wide[..., ::2] = x
        yield "strided", wide[..., ::2]
        yield "negative strides", x[::-1].copy()[::-1]
        yield "zero strides", np.broadcast_to(x, (2, *x.shape))[0]
        yield "misaligned", _misaligned(x)
    else:
        yield "0-d array", x


def _misaligned(x: Any) -> Any:
    raw = np.zeros(x.nbytes + 1, np.uint8)
    view = raw[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def the_layout_is_of_no_matter(case: Case) -> None:
    """Fortran, strided, reversed, read-only, big-endian, misaligned: the same gradients."""
    rng = case.rng()
    arrays, chosen = case.arrays(rng), case.floating()
    g = rng.normal(size=np.shape(case.forward(*arrays)))
    wanted = pull_back(case, arrays, chosen, g)
    forms = zip(*[list(layouts(x)) for x in arrays], strict=False)
    for one_of_each in forms:
        found = pull_back(case, [x for _, x in one_of_each], chosen, g)
        for one, right in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, right, rtol=1e-12, atol=1e-14)
            assert one.dtype == right.dtype
    for _, cotangent in layouts(g):
        for one, right in zip(pull_back(case, arrays, chosen, cotangent), wanted, strict=True):
            np.testing.assert_allclose(one, right, rtol=1e-12, atol=1e-14)


def nothing_is_shared(case: Case) -> None:
    """Gradients are writable and whole, and share memory with nothing."""
    rng = case.rng()
    arrays, chosen = case.arrays(rng), case.floating()
    leaves = [ag.tensor(arrays[i]) for i in chosen]
    y = case.of(arrays, chosen)(*leaves)
    g = np.asarray(rng.normal(size=y.shape))
    before = g.copy()
    y.backward(g)
    np.testing.assert_array_equal(g, before)
    held = [leaf.data for leaf in leaves] + [y.data, g, *map(np.asarray, arrays)]
    grads = [leaf.grad for leaf in leaves]
    for k, one in enumerate(grads):
        assert type(one) is np.ndarray
        assert one.flags.writeable
        assert one.size == 0 or 0 not in one.strides or one.ndim == 0
        for other in [*held, *grads[k + 1 :]]:
            assert not np.shares_memory(one, other)
    y.backward(g)
    for leaf, first in zip(leaves, grads, strict=True):
        np.testing.assert_allclose(leaf.grad, 2 * first)


@contextmanager
def counting_replays() -> Iterator[list[int]]:
    """How often a sweep had to compute a value again that no node had kept."""
    calls: list[int] = []
    genuine = Sweep.retry

    def retry(self: Any, *args: Any) -> Any:
        calls.append(1)
        return genuine(self, *args)

    with mock.patch.object(Sweep, "retry", retry):
        yield calls


def a_node_keeps_what_its_rule_reads(case: Case) -> None:
    """Enough: no value is computed again. Not more: each kept value that is dropped is missed."""
    if case.op.probe is not None:
        return  # what is kept stands deeper in the graph
    rng = case.rng()
    arrays, chosen = case.arrays(rng), case.floating()

    def fresh() -> Any:
        leaves = [ag.tensor(arrays[i]) + 0.0 for i in chosen]  # adding a number keeps nothing
        return case.of(arrays, chosen)(*leaves)

    y = fresh()
    g = rng.normal(size=y.shape)
    with counting_replays() as calls:
        y.backward(g)
    assert not calls, f"{len(calls)} values were not kept"
    nodes = [y.node, *(p for p in y.node.inputs if hasattr(p, "op"))]
    for k, node in enumerate(nodes):
        if node.value is None or 0 in (y.size, *map(np.size, arrays)):
            continue
        other = fresh()
        twin = [other.node, *(p for p in other.node.inputs if hasattr(p, "op"))][k]
        twin.value = None
        with counting_replays() as calls:
            other.backward(g)
        assert calls, f"{'the output' if k == 0 else f'input {k - 1}'} is kept, but not read"


LAWS: list[Callable[[Case], None]] = [
    the_recorded_value_is_numpys,
    the_vjp_is_the_numeric_one,
    the_jvp_is_the_numeric_one,
    each_argument_alone,
    the_second_derivative_is_the_numeric_one,
    a_gradient_has_its_inputs_dtype,
    the_layout_is_of_no_matter,
    nothing_is_shared,
    a_node_keeps_what_its_rule_reads,
]
LAWS_WITHOUT_VALUE = [the_recorded_value_is_numpys, nothing_is_shared]
