"""Lifted programs compute what they compute without lifting, and their gradients are right."""

import gc
import math
import weakref

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from scipy import special, stats

import autograd_lite as ag
from autograd_lite.errors import DetachedError, GradientError, UnsupportedError
from tests import lifted_layers as layers
from tests.lifted_programs import PROGRAMS

X = np.array([[0.4, -1.3, 2.1, 0.7], [-0.2, 1.6, 0.3, -0.9], [1.1, 0.25, -0.6, 1.9]])


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients(name):
    plain = PROGRAMS[name]
    lifted = ag.lift(plain)
    before = X.copy()
    expected = plain(X.copy())
    x = ag.tensor(X)
    y = lifted(x)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-14, atol=1e-15)
    assert y.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(X, before)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=np.shape(expected))
    (gradient,) = ag.gradients(y, [x], weights)
    along = rng.normal(size=X.shape)
    h = 1e-3 if "float32" in name else 1e-6
    slope = np.sum((plain(X + h * along) - plain(X - h * along)) * weights) / (2 * h)
    assert np.sum(gradient.numpy() * along) == pytest.approx(
        slope, rel=2e-4 if h > 1e-4 else 2e-7, abs=1e-8
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_graph_replays(name):
    """What was recorded is the program: the same graph on the same leaves gives the same values."""
    x = ag.tensor(X)
    y = ag.lift(PROGRAMS[name])(x)
    graph = ag.Graph.of(y)
    np.testing.assert_allclose(graph.replay({x.node: X})[y.node], y.numpy(), rtol=1e-14, atol=1e-15)


def slope_holds(f, x, gradient, cotangent=None):
    """Finite differences of a plain function of one array, along one direction."""
    rng = np.random.default_rng(1)
    along = rng.normal(size=x.shape)
    h = 1e-6
    gap = np.asarray(f(x + h * along)) - np.asarray(f(x - h * along))
    slope = np.sum(gap * (1 if cotangent is None else cotangent)) / (2 * h)
    assert np.sum(gradient * along) == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_an_instance_and_its_parameters():
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(4, 3)), rng.normal(size=3)
    layer = layers.Affine(W, b)
    lifted = ag.lift(layer)
    x, w = ag.tensor(X), ag.tensor(W)
    lifted.W = w
    y = lifted.forward(x)
    dx, dw = ag.gradients(y, [x, w], np.ones((3, 3)))
    np.testing.assert_allclose(dx.numpy(), np.ones((3, 3)) @ W.T)
    np.testing.assert_allclose(dw.numpy(), X.T @ np.ones((3, 3)))
    assert layer.x is None
    np.testing.assert_array_equal(lifted.backward(np.ones((3, 3))).numpy(), np.ones((3, 3)) @ W.T)


def test_inheritance_properties_slots_and_class_state():
    x = ag.tensor(X)
    layer = ag.lift(layers.Derived)()
    y = layer.forward(x)
    np.testing.assert_array_equal(y.numpy(), layers.Derived().forward(X))
    slope_holds(layers.Derived().forward, X, ag.gradients(y, [x], np.ones(X.shape))[0].numpy(), 1)
    assert layer.calls == 1
    assert isinstance(layer.extra, np.ndarray)
    assert ag.lift(layers.Derived).made().forward(x).shape == X.shape


class Slotted:
    """Nothing but slots: no dictionary of attributes."""

    __slots__ = ("out",)

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out


def test_an_instance_with_slots_alone():
    x = ag.tensor(X)
    y = ag.lift(Slotted()).forward(x)
    np.testing.assert_array_equal(y.numpy(), np.tanh(X))
    assert y.tracked


def of_windows(x):
    return as_strided(x, (2, 3), x.strides) * 2.0


def test_a_python_function_of_numpy_that_was_imported_by_name():
    x = ag.tensor(X)
    y = ag.lift(of_windows)(x)
    np.testing.assert_array_equal(y.numpy(), 2 * X[:2, :3])
    np.testing.assert_array_equal(ag.gradients(y, [x], np.ones((2, 3)))[0].numpy()[:, 3], 0)


def test_one_object_stays_one_object():
    net = ag.lift(layers.Network())
    t = np.eye(3)
    x = ag.tensor(X)
    w = ag.tensor(layers.Network().params["W1"])
    inner = net.layers["Affine1"]
    inner.W[...]
    plain = layers.Network()
    loss = net.loss(x, t)
    assert loss.item() == pytest.approx(plain.loss(X, t), rel=1e-15)
    slope_holds(lambda v: layers.Network().loss(v, t), X, ag.gradients(loss, [x])[0].numpy())
    assert w.shape == (4, 5)


def test_closures_decorators_defaults_and_globals():
    x = ag.tensor(X)
    np.testing.assert_array_equal(
        ag.lift(layers.make_scaler(1.0))(x).numpy(), layers.make_scaler(1.0)(X)
    )
    wrapped = ag.lift(layers.global_scale)
    np.testing.assert_array_equal(wrapped(x).numpy(), X * layers.SCALE)
    np.testing.assert_array_equal(wrapped(x).numpy(), X * layers.SCALE * 2)
    np.testing.assert_array_equal(layers.global_scale(X), X * layers.SCALE)  # its own count
    default = ag.lift(layers.mutable_default)
    np.testing.assert_allclose(default(x).numpy(), X * X.sum())
    assert layers.mutable_default.__defaults__ == ([],)
    y = ag.lift(layers.Config())(x)
    np.testing.assert_array_equal(y.numpy(), X * np.arange(4))


def test_a_module():
    module = ag.lift(layers)
    y = module.Affine(ag.tensor(np.eye(4)), np.zeros(4)).forward(ag.tensor(X))
    np.testing.assert_array_equal(y.numpy(), X)
    assert y.tracked
    assert "Affine" in layers.REGISTRY
    assert layers.REGISTRY["Affine"] is layers.Affine


def test_what_has_no_rule_complains_only_when_a_derivative_passes_it():
    def program(x):
        odd = np.maximum.accumulate(x)
        return odd.sum() + x.sum(), x.sum()

    x = ag.tensor(X)
    both, plain = ag.lift(program)(x)
    assert both.item() == pytest.approx(np.maximum.accumulate(X).sum() + X.sum())
    ag.gradients(plain, [x])
    with pytest.raises(ag.errors.GradientError, match=r"passes np\.maximum"):
        ag.gradients(both, [x])


def test_errors_are_numpys_own():
    with pytest.raises(ValueError, match="broadcast"):
        ag.lift(lambda x: x + np.ones(7))(ag.tensor(X))

    def wrong(x):
        y = np.zeros(3)
        y[:] = x
        return y

    with pytest.raises(ValueError, match="could not broadcast input array"):
        ag.lift(wrong)(ag.tensor(X))
    with pytest.raises(IndexError):
        ag.lift(lambda x: x[5])(ag.tensor(X))
    with pytest.raises(ag.errors.UnsupportedError, match="give a function"):
        ag.lift(3.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: special.logsumexp(x, axis=1),
        lambda x: special.softmax(x, axis=-1) * x,
        lambda x: special.log_softmax(x, axis=0),
        lambda x: special.expit(x) * special.factorial(3),
    ],
)
def test_functions_of_scipy_that_are_known_are_recorded(f):
    x = ag.tensor(X)
    y = ag.lift(f)(x)
    np.testing.assert_allclose(y.numpy(), f(X), rtol=1e-14)
    weights = np.random.default_rng(2).normal(size=y.shape)
    slope_holds(f, X, ag.gradients(y, [x], weights)[0].numpy(), weights)


def test_what_scipy_takes_for_plain_is_never_silently_lost():
    x = ag.tensor(X)
    y = ag.lift(lambda x: stats.norm.cdf(x) + x)(x)
    np.testing.assert_allclose(y.numpy(), stats.norm.cdf(X) + X)
    with pytest.raises(GradientError, match=r"derivative passes scipy\.cdf, which has no rule"):
        ag.gradients(y, [x], np.ones(X.shape))
    with pytest.raises(GradientError, match="makes a rv_continuous_frozen, which has none"):
        ag.lift(lambda x: stats.norm(x).cdf(0.0))(x)
    assert ag.lift(lambda x: x * stats.norm(0.0).cdf(0.0))(x).numpy()[0, 0] == X[0, 0] / 2


def test_the_graph_of_a_lifted_program_goes_without_the_collector():
    """The copies of functions are circles; what they computed is not held by them."""
    layer = ag.lift(layers.Affine(np.ones((4, 3)), np.zeros(3)))
    gc.collect()
    gc.disable()
    try:
        x = ag.tensor(X)
        y = layer.forward(x)
        node = weakref.ref(y.node)
        del y, layer
        assert node() is None
    finally:
        gc.enable()


def test_writing_rows_asks_the_memory_and_not_the_graph():
    """Rows written one by one are one node, whatever NumPy is asked about their memory."""

    def steps(x):
        h = np.zeros((50, x.shape[1]))
        for t in range(50):
            h[t] = x[0] * t
        return h

    y = ag.lift(steps)(ag.tensor(X))
    assert [node.op.name for node in ag.Graph.of(y)].count("assemble") == 1


def test_containers_of_every_kind_are_copied():
    """An ordered dictionary, a default one, a queue, a named tuple, a list of the user's own."""
    net = layers.Containers(np.ones((4, 3)))
    lifted = ag.lift(net, leaf=lambda path, array: ag.parameter(array, name=path))
    y = lifted.forward(ag.tensor(X))
    names = [node.name for node in ag.Graph.of(y).inputs]
    assert sorted(filter(None, names)) == ["named.0", "own.0", "params.W", "queue.0"]
    np.testing.assert_allclose(y.numpy(), net.forward(X), rtol=1e-14)
    assert lifted.params["W"].shape == (4, 3)
    assert len(layers.Containers(np.ones((4, 3))).seen["x"]) == 0
    assert len(net.seen["x"]) == 1  # of the plain run alone


def test_a_module_imported_inside_is_the_one_that_was_copied():
    """Its functions, met before the import, and the module share their globals."""
    y = ag.lift(layers.imports_inside)(ag.tensor(X))
    assert y.tracked
    np.testing.assert_allclose(y.numpy(), layers.imports_inside(X), rtol=1e-14)


def _masked(x):
    out = x.copy()
    out[x <= 0] = 0
    return out


def _part_of_a_row(x):
    out = np.zeros((3, 4))
    out[1][x[0] > 0] = 2.0
    return out + x[:3]


def _halves(x):
    out = x.copy()
    out[out < 0] *= 0.5
    return out


@pytest.mark.parametrize(
    "f",
    [
        _masked,
        _part_of_a_row,
        lambda x: x[np.arange(len(x)), np.argmax(x, axis=1)],
        lambda x: x[np.argsort(x[:, 0])] * np.arange(len(x))[:, None],
        lambda x: np.add(x, 1, out=x.copy(), where=x > 0),
        lambda x: x / np.sum(x > 0),
        lambda x: x * float(x.max()),
        lambda x: x.reshape(np.shape(x)[0], -1) / np.size(x),
    ],
)
def test_a_lifted_program_is_compiled_for_other_numbers_too(f):
    """What is decided by values (positions, masks, the order) is recorded, not this call's."""
    compiled = ag.compile(ag.lift(f))
    for x in (X, -X, X[::-1], np.abs(X) + 1):
        np.testing.assert_allclose(compiled(x), f(x.copy()), rtol=1e-15)
    assert "1 programs" in repr(compiled)


@pytest.mark.parametrize("f", [_halves, lambda x: x[x > 0].sum()])
def test_a_lifted_program_is_compiled_for_other_sizes_too(f):
    compiled = ag.compile(ag.lift(f))
    for x in (X, -X, X[::-1], np.abs(X) + 1):
        np.testing.assert_allclose(compiled(x), f(x.copy()), rtol=1e-15)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: x if x.sum() > 0 else -x, "the truth"),
        (lambda x: x * int(x[0, 0]), r"int\(\)"),
        (lambda x: x[: np.argmax(x[0])], "an index"),
        (lambda x: x * math.floor(x[0, 0]), r"math\.floor"),
        (lambda x: x * np.polyfit(x[0], x[1], 1)[0], r"np\.polyfit cannot be traced"),
    ],
)
def test_a_lifted_program_that_numbers_decide_is_not_compiled(f, message):
    """It would be the program of this example's numbers."""
    f(X)
    with pytest.raises((DetachedError, UnsupportedError), match=message):
        ag.compile(ag.lift(f))(X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ag.tanh(x) + x,
        lambda x: ag.nn.ReLU()(x) * x,
        lambda x: ag.linalg.norm(x) * ag.sum(x, axis=0),
        lambda x: np.concatenate([ag.exp(x), np.exp(x)]),
    ],
)
def test_our_own_functions_are_recorded_in_a_lifted_program(f):
    x = ag.tensor(X)
    y = ag.lift(f)(x)
    weights = np.random.default_rng(3).normal(size=y.shape)
    assert isinstance(y, ag.Tensor)
    slope_holds(
        lambda x: f(ag.tensor(x)).numpy(), X, ag.gradients(y, [x], weights)[0].numpy(), weights
    )
