"""The JAX back end and export: results of NumPy, refusals that list all, 64 bits for the call."""

from __future__ import annotations

import warnings
import zlib
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler import backends
from autograd_lite.compiler.program import Program
from autograd_lite.errors import UnsupportedError
from autograd_lite.export.to_jax import verify
from autograd_lite.graph import Graph
from autograd_lite.modes import using
from autograd_lite.recording import apply
from autograd_lite.rules import OPS
from tests.compiler.compositions import grown, size_of
from tests.laws import cases

jax = pytest.importorskip("jax", reason="the extra jax is not installed")

back_end = backends.find("jax")


def loss(x: Any, w: Any, b: Any) -> Any:
    return ag.mean(ag.log_softmax(ag.maximum(x @ w + b, 0)) ** 2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_training_step(dtype: Any, rng: np.random.Generator) -> None:
    x, w, b = (rng.normal(size=shape).astype(dtype) for shape in ((5, 3), (3, 4), (4,)))
    step = ag.value_and_grad(loss, (1, 2))
    value, gradients = ag.compile(step, backend="jax")(x, w, b)
    wanted, expected = step(x, w, b)
    eps = float(np.finfo(dtype).eps)
    assert (value.dtype, gradients[0].dtype) == (dtype, dtype)
    np.testing.assert_allclose(value, wanted, rtol=100 * eps)
    for one, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=100 * eps, atol=100 * eps)
    assert jax.numpy.ones(2).dtype == np.float32, "64 bits are for the call alone"


COVERED = [name for name, op in OPS.items() if op.probe is None and op.kind != "constant"]
REFUSED = {"digamma", "polygamma"}  # JAX has no function of that name, or needs the numbers


@pytest.mark.slow
@pytest.mark.parametrize("name", COVERED)
def test_an_operator_gives_what_numpy_gives(name: str) -> None:
    op = OPS[name]
    inputs: list[Any] = []
    results: list[Any] = []
    for case in cases(op).usual:
        arrays = [
            ag.tensor(a) if np.asarray(a).dtype.kind == "f" else a for a in case.arrays(case.rng())
        ]
        with warnings.catch_warnings(action="ignore"), using(tracing=True):
            made = apply(op, arrays, case.params)
        inputs += [a for a in arrays if isinstance(a, ag.Tensor)]
        results += made if type(made) is tuple else (made,)
    graph = Graph([one.node for one in results])
    program = Program(name, graph, tuple(one.node for one in inputs))
    if name in REFUSED:
        with pytest.raises(UnsupportedError, match=f"JAX cannot run {name} "):
            back_end.build(program, {})
        return
    found = back_end.build(program, {})(*(np.asarray(one.data) for one in inputs))
    for one, other in zip(found, results, strict=True):
        np.testing.assert_allclose(one, other.data, rtol=1e-12, atol=1e-12)


TABLE = np.arange(12.0).reshape(3, 4) / 7
PLACES = np.array([2, 0])
TRACED = {
    "rows": lambda x, i: x[i],
    "elements": lambda x, i: ag.grad(lambda x: (x[i, i] ** 2).sum())(x),
    "embedding": lambda x, i: ag.grad(lambda x: (ag.take(x, i, axis=0) ** 2).sum())(x),
    "set": lambda x, i: ag.set(x, i, 0.0),
    "add_at": lambda x, i: ag.add_at(x, i, 1.0),
    "labels": lambda x, i: ag.value_and_grad(
        lambda x: ag.nn.softmax_cross_entropy(x[:2], i))(x)[1],
    "sort": lambda x, i: ag.sort(-x, axis=1),
    "median": lambda x, i: ag.grad(lambda x: ag.numpy.median(x, axis=1).sum())(x),
    "solve": lambda x, i: ag.linalg.solve(x[:, :3] + 3 * np.eye(3), x[:, 3]),
    "max pool": lambda x, i: ag.grad(
        lambda x: (ag.nn.max_pool(x[None, None], (1, 2)) ** 2).sum())(x),
}  # fmt: skip


@pytest.mark.parametrize("name", TRACED)
def test_positions_and_orders_that_are_known_at_the_call_alone(name: str) -> None:
    f = TRACED[name]
    found = ag.compile(f, backend="jax")
    for places in (PLACES, PLACES[::-1].copy()):
        np.testing.assert_allclose(found(TABLE, places), f(TABLE, places), rtol=1e-12, atol=1e-12)


SLOPE_REFUSED = REFUSED | {"gammaln"}
SMOOTH = [
    case
    for name in COVERED
    if OPS[name].differentiable and name not in SLOPE_REFUSED
    for case in cases(OPS[name]).usual
    if all(isinstance(shape, tuple) and size_of(shape) < 100 for shape in case.shapes)
]


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
@pytest.mark.parametrize("seed", range(3))
def test_value_and_gradient_of_a_random_composition(seed: int) -> None:
    rng = np.random.default_rng(zlib.crc32(b"jax") + seed)
    chosen = [SMOOTH[i] for i in rng.integers(0, len(SMOOTH), 8)]
    x = rng.normal(size=(3, 4))
    both = ag.value_and_grad(lambda x: grown(np.random.default_rng(seed), x, chosen))
    program = ag.compile(both, backend="jax")
    for k in range(2):
        value, slope = program(x + k / 4)
        wanted, slope_wanted = both(x + k / 4)
        label = " ".join(map(str, chosen))
        scale = float(np.max(np.abs(slope_wanted)))
        np.testing.assert_allclose(value, wanted, rtol=1e-10, err_msg=label)
        np.testing.assert_allclose(
            slope, slope_wanted, rtol=1e-9, atol=1e-10 * scale, err_msg=label
        )


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint16, np.bool_])
def test_integers_are_promoted_as_numpy_promotes_them(dtype: Any) -> None:
    def f(x: Any, y: Any) -> Any:
        return ag.sigmoid(x * 1), x / 2, x * y, ag.sqrt(x), ag.grad(lambda x: (x * y).sum())(x)

    x, y = np.array([1, 0, 3]).astype(dtype), np.array([0.5, 2, 3], np.float32)
    for one, wanted in zip(ag.compile(f, backend="jax")(x, y), f(x, y), strict=True):
        assert one.dtype == wanted.dtype
        np.testing.assert_allclose(one, wanted, rtol=4 * np.finfo(wanted.dtype).eps)


def test_a_step_with_what_cancels_to_rounding_errors() -> None:
    """The gradient of a bias before batch normalization is zero but for rounding: no alarm."""

    def losses(compiled: bool) -> list[float]:
        net = ag.nn.Sequential(
            ag.nn.Affine.initialised(3, 4, rng=1), ag.nn.BatchNorm.initialised(4), ag.nn.ReLU(),
            ag.nn.Dropout(0.5, rng=2), ag.nn.Affine.initialised(4, 2, rng=3),
        )  # fmt: skip
        optimizer = ag.optim.Adam(net, 0.05)

        def step(x: Any, labels: Any) -> Any:
            optimizer.zero_grad()
            loss = ag.nn.softmax_cross_entropy(net(x), labels)
            loss.backward()
            ag.optim.clip_by_norm(net, 0.5)
            optimizer.step()
            return loss

        run = ag.compile(step, backend="jax") if compiled else step
        x = np.random.default_rng(0).normal(size=(8, 3))
        return [run(x, (x[:, 0] > 0).astype(int)).item() for _ in range(3)]

    np.testing.assert_allclose(losses(True), losses(False), rtol=1e-9)


def test_a_dtype_that_jax_lacks_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="JAX has no numbers of dtype"):
        ag.compile(lambda x: x * 2, backend="jax")(np.ones(2, np.longdouble))


def test_a_refusal_names_the_users_line() -> None:
    with pytest.raises(UnsupportedError) as caught:
        ag.compile(lambda x: ag.numpy.nonzero(x)[0], backend="jax")(np.ones(2))
    assert "output" not in str(caught.value)
    assert "test_jax.py" in str(caught.value)


def test_every_refused_operator_is_listed_with_its_file() -> None:
    @ag.primitive(vjp=lambda g, y, x: g)
    def first(x: Any) -> Any:
        return np.asarray(float(x))

    def f(x: Any) -> Any:
        return first(x) + ag.digamma(x)

    with pytest.raises(UnsupportedError) as caught:
        ag.compile(f, backend="jax")(np.float64(1.5))
    assert "digamma (" in str(caught.value)
    assert "first (" in str(caught.value)
    assert "special.py" in str(caught.value)


def test_a_result_that_differs_raises() -> None:
    with pytest.raises(UnsupportedError, match="differs from NumPy's"):
        verify([np.array([1.0, 2.0])], [np.array([1.0, 2.001])])
    with pytest.raises(UnsupportedError, match="output 0 of JAX is"):
        verify([np.zeros(2, np.float32)], [np.zeros(2)])
    verify([np.array([np.nan, 1.0])], [np.array([np.nan, 1.0])])


def test_an_exported_function_is_one_of_jax() -> None:
    x = np.array([0.5, -1.0, 2.0], np.float32)
    f = ag.export.to_jax(lambda x: ag.sum(ag.tanh(x) * x), x)
    np.testing.assert_allclose(
        jax.jit(jax.grad(f))(x), ag.grad(lambda x: ag.sum(ag.tanh(x) * x))(x), rtol=1e-6
    )
