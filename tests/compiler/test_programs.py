"""Programs as somebody writes them who meets ``ag.compile`` for the first time."""

from __future__ import annotations

import collections
import dataclasses
import re
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import IndexingError

X = np.array([1.0, -2.0, 3.0])
SMALL = np.array([1, -2, 3])


def total(x: Any) -> Any:
    return ag.sigmoid(x).sum()


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, np.float32])
@pytest.mark.parametrize(
    "f",
    [
        ag.grad(total),
        lambda x: ag.value_and_grad(lambda p: total(p["x"]))({"x": x}),
        ag.grad(lambda y: ag.grad(total)(y).sum()),
        lambda x: ag.vjp(ag.sigmoid, x)[1](np.full(3, 0.3)),
        lambda x: ag.jvp(ag.sigmoid, [x], [np.full(3, 0.3)]),
        lambda x: ag.jvp(ag.sigmoid, [x], [x]),
        lambda x: ag.hvp(total, [x], [x]),
        ag.hessian(total),
        ag.jacobian(ag.sigmoid),
    ],
)
def test_derivatives_at_integers_are_those_at_their_floats(f: Any, dtype: Any) -> None:
    x = np.array([1, 2, 3], dtype)
    found, wanted = ag.tree.flatten(ag.compile(f)(x))[0], ag.tree.flatten(f(x))[0]
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-6 if dtype == np.float32 else 1e-14)


def cube(x: Any) -> Any:
    return (x**3).sum()


def both(f: Any) -> Any:
    def run(x: Any) -> Any:
        value, slope = f(x)
        return value * slope.sum()

    return run


@pytest.mark.parametrize(
    "f",
    [
        lambda c: ag.grad(lambda x: c(ag.grad(cube))(x).sum()),
        lambda c: ag.grad(both(c(ag.value_and_grad(cube)))),
        lambda c: ag.jacobian(c(ag.grad(cube))),
        lambda c: ag.hessian(c(cube)),
        lambda c: ag.grad(lambda x: c(ag.hessian(cube))(x).sum()),
        lambda c: ag.hessian(lambda x: c(ag.grad(lambda x: (x**4).sum()))(x).sum()),
        lambda c: ag.grad(c(lambda x: (x * ag.stop_gradient(x)).sum())),
        lambda c: lambda x: ag.jvp(c(ag.grad(cube)), [x], [x]),
    ],
)
def test_a_compiled_derivative_is_differentiated_further(f: Any) -> None:
    """A gradient that a program takes is no constant to who differentiates the program."""
    found, wanted = ag.tree.flatten(f(ag.compile)(X))[0], ag.tree.flatten(f(lambda g: g)(X))[0]
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_backward_through_a_compiled_derivative() -> None:
    t, p = ag.tensor(X), ag.parameter(X + 1)
    slope = ag.compile(ag.grad(lambda x: (x * p * x).sum()))
    (slope(t) ** 2).sum().backward()
    np.testing.assert_array_equal(t.grad, 8 * X * (X + 1) ** 2)
    np.testing.assert_array_equal(p.grad, 8 * X**2 * (X + 1))


# containers


@dataclasses.dataclass(frozen=True, slots=True)
class Affine:
    W: Any
    b: Any = None
    act: Any = np.tanh
    name: str = "affine"
    scale: Any = dataclasses.field(default=2, metadata={"static": True})

    def __call__(self, x: Any) -> Any:
        y = self.act(x @ self.W) * self.scale
        return y if self.b is None else y + self.b


@dataclasses.dataclass
class Network:
    layers: list[Any]
    rate: float = 0.5

    def __post_init__(self) -> None:
        assert isinstance(self.layers[0].W, np.ndarray), "it runs where the user makes one"


def test_dataclasses_are_containers() -> None:
    def step(net: Network, x: Any) -> Any:
        def loss(net: Network) -> Any:
            return (net.layers[1](net.layers[0](x)) ** 2).sum()

        value, slopes = ag.value_and_grad(loss)(net)
        pairs = zip(net.layers, slopes.layers, strict=True)
        new = [dataclasses.replace(one, W=one.W - net.rate * g.W) for one, g in pairs]
        return value, new, slopes

    def network(k: int, **more: Any) -> Network:
        W = np.arange(6.0).reshape(3, 2) / (6 + k)
        return Network([Affine(W, **more), Affine(W.T, np.ones(3))])

    compiled = ag.compile(step)
    for net in (network(0), network(1), network(0, scale=3), network(0, act=np.sin)):
        for one, other in zip(
            ag.tree.flatten(compiled(net, X))[0], ag.tree.flatten(step(net, X))[0], strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-12)
    assert repr(compiled).endswith("3 programs>")
    assert isinstance(compiled(network(0), X)[1][0], Affine)


def test_a_dataclass_with_an_identity_is_an_object() -> None:
    @dataclasses.dataclass(eq=False)
    class Model:
        W: Any

    model, compiled = Model(X), ag.compile(lambda model, x: model.W * x)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(model, X), model.W * X)
        model.W = model.W + 1
    assert repr(compiled).endswith("1 programs>")


def test_other_containers() -> None:
    ordered = collections.OrderedDict(a=X, b=2 * X)
    made = ag.compile(lambda d: collections.OrderedDict(b=d["a"] + d["b"]))(ordered)
    assert type(made) is collections.OrderedDict
    np.testing.assert_array_equal(made["b"], 3 * X)
    default = collections.defaultdict(list, a=X)
    slopes = ag.grad(lambda d: (d["a"] ** 2).sum())(default)
    assert slopes["missing"] == []
    np.testing.assert_array_equal(slopes["a"], 2 * X)
    chosen = {"a"}
    compiled = ag.compile(lambda names, x: x * len(names))
    np.testing.assert_array_equal(compiled(chosen, X), X)
    chosen.add("b")
    np.testing.assert_array_equal(compiled(chosen, X), 2 * X)


def put(d: Any, x: Any) -> Any:
    d["W"] = d["W"] - x
    return x


def inner_put(d: Any, x: Any) -> Any:
    d["list"].append(x)
    return x


def taken(d: Any, x: Any) -> Any:
    return d.pop("W") * x


@pytest.mark.parametrize("f", [put, inner_put, taken])
def test_an_argument_that_would_have_to_change_is_refused(f: Any) -> None:
    given = {"W": X, "list": [X]}
    with pytest.raises(ag.errors.UnsupportedError, match=r"params = step\(params, x\)"):
        ag.compile(f)(given, X)
    assert given["W"] is X
    assert len(given["list"]) == 1


# tensors made inside, and the kinds of results


def test_backward_on_tensors_made_inside() -> None:
    def f(x: Any) -> Any:
        t = ag.tensor(x, name="t")
        y = (t**3).sum()
        y.backward()
        y.backward()
        twice = t.grad
        t.zero_grad()
        return y, twice, t.grad, t * 2, t.data

    compiled = ag.compile(f)
    for x in (X, X + 1, SMALL):
        for one, other in zip(compiled(x), f(x), strict=True):
            assert type(one) is type(other)
            np.testing.assert_array_equal(
                ag.tensors.plain_value(one), ag.tensors.plain_value(other)
            )
    assert len(compiled.graph.outputs) == 4, "no gradient is state"
    np.testing.assert_array_equal(ag.grad(lambda x: compiled(x)[0])(X), 3 * X**2)


def test_extra_results_have_the_kind_of_the_arguments() -> None:
    p = ag.parameter(X)

    def f(x: Any) -> Any:
        return total(x), {"double": x * 2, "p": p, "n": 3}

    for make, kind in ((np.array, np.ndarray), (ag.constant, ag.Tensor)):
        for run in (ag.grad(f, has_aux=True), ag.compile(ag.grad(f, has_aux=True))):
            slope, extra = run(make(X))
            assert isinstance(slope, kind)
            assert isinstance(extra["double"], kind)
            assert isinstance(extra["p"], ag.Tensor)
            assert extra["n"] == 3


# effects


def test_a_log_is_an_effect_unless_it_is_read() -> None:
    log: list[Any] = []
    by_name: dict[str, list[Any]] = {"f": []}

    @ag.compile
    def logging(x: Any) -> Any:
        log.append(1)
        by_name["f"].append(1)
        return x * 2

    @ag.compile
    def counting(x: Any) -> Any:
        by_name["f"].append(1)
        return x * len(by_name["f"])

    for _ in range(3):
        logging(X)
    assert len(log) == len(by_name["f"]) == 1
    for k in range(2, 5):
        np.testing.assert_array_equal(counting(X), X * k)


def test_the_warning_tells_what_is_another_at_each_call() -> None:
    rate = 1.0
    W = X.copy()

    def slow(x: Any) -> Any:
        return x * rate

    def numpy_computes(x: Any) -> Any:
        return x @ (W * 2)

    warned = pytest.warns(RuntimeWarning, match=re.escape("attribute: 1.0, then 2.0"))
    compiled = ag.compile(slow, limit=1)
    compiled(X)
    rate = 2.0
    with warned:
        compiled(X)
    compiled = ag.compile(numpy_computes, limit=1)
    compiled(X)
    W += 1
    with pytest.warns(RuntimeWarning, match=re.escape("an array (3,) float64")):
        assert compiled(X) == X @ (W * 2)
    compiled = ag.compile(lambda x, k: x * k, limit=1)
    compiled(X, 1)
    with pytest.warns(RuntimeWarning, match="an argument that is another at each call"):
        compiled(X, 2)


# errors


def written(x: Any) -> Any:
    out = np.zeros(3)
    out[0] = x[0]
    return out


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * float(x[0]),
        lambda x: x * int(x[0]),
        lambda x: x * x[0].item(),
        lambda x: [x for _ in range(x.argmax())],
        lambda x: np.array([x[0], x[1]]),
        lambda x: x.numpy(),
        written,
    ],
)
def test_no_advice_leads_to_the_next_error(f: Any) -> None:
    """What leads out of a trace says so, and not what leads out of another graph."""
    with pytest.raises(ag.errors.DetachedError) as caught:
        ag.compile(f)(X)
    told = str(caught.value)
    assert "of a traced value would bake this example's numbers into the graph" in told
    assert "is computed outside, and is an argument" in told
    assert ".item()" not in told.partition("mend:")[2]
    assert caught.value.source.file == __file__


SIZED = {
    "mean": lambda x: x[x > 0].mean(),
    "deviation": lambda x: x[x > 0].std(),
    "number": lambda x: x[x > 0].sum() / x[x > 0].size,
    "shape": lambda x: x[x > 0].reshape(-1, 1).sum(axis=0),
    "rows": lambda x: (x[x[:, 0] > 0] * np.ones(3)).mean(),
    "joined": lambda x: ag.concatenate([x[x > 0], x[x < 0] * 2]).mean(),
    "positions": lambda x: x[ag.nonzero(x > 0)].mean(),
    "extract": lambda x: ag.extract(x > 0, x).mean() + ag.compress(x[:, 0] > 0, x, axis=0).mean(),
    "unique": lambda x: x.sum() / ag.unique(ag.round(x)).size,
    "counts": lambda x: x.sum() / len(ag.bincount((abs(x) * 3).astype(int).reshape(-1))),
}


@pytest.mark.parametrize("f", SIZED.values(), ids=SIZED)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_size_that_values_decide_is_part_of_what_a_program_is_for(f: Any, backend: str) -> None:
    """Another size traces anew; a size that was seen before does not."""
    if backend == "numba":
        pytest.importorskip("numba")
    rng = np.random.default_rng(5)
    first = rng.normal(size=(4, 3))
    many = [first, -first, np.abs(first) + 3, first + 0.5, first]
    for g in (f, ag.grad(f)):
        program = ag.compile(g, backend=backend)
        for x in many:
            np.testing.assert_allclose(program(x), g(ag.tensor(x)).numpy(), rtol=1e-13)
        traced = repr(program)
        for x in many:
            program(x)
        assert repr(program) == traced


def test_draws_and_state_are_as_they_were_when_a_size_is_another_one() -> None:
    rng = ag.random.default_rng(3)
    weight = ag.parameter(np.zeros(()), name="w")

    def step(x: Any) -> Any:
        chosen = x[rng.normal(size=x.shape) > 0]
        weight.data = weight.data + 1
        return chosen.mean()

    program = ag.compile(step)
    again = ag.random.default_rng(3)
    x = np.random.default_rng(0).normal(size=8)
    eager = [x[again.normal(size=8).numpy() > 0].mean() for _ in range(6)]
    np.testing.assert_allclose([program(x) for _ in range(6)], eager)
    assert weight.numpy() == 6


def test_what_raises_raises_where_sizes_are_decided_by_values_too() -> None:
    program = ag.compile(lambda x, i: x[x > 0][i])
    assert program(np.array([1.0, -1.0, 2.0]), np.array([1])) == 2
    with pytest.raises(IndexingError):
        program(np.array([1.0, -1.0, 2.0]), np.array([7]))
