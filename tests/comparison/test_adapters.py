"""Layers in the ways people write them: found, matched, and right."""

import copy
import functools
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.comparison import adapters
from autograd_lite.comparison.adapters import convention_of
from autograd_lite.errors import CompareError
from tests.comparison import written_classes, written_functions

CASES = {
    **{f"class: {name}": case for name, case in written_classes.CASES.items()},
    **{f"function: {name}": case for name, case in written_functions.CASES.items()},
}


@pytest.mark.parametrize("name", CASES)
def test_right_layers_are_right(name):
    hand, inputs, rows = CASES[name]
    report = ag.compare(hand, *copy.deepcopy(inputs))
    assert report.ok, str(report)
    assert {row.name for row in report.rows} == rows, str(report)


class Private:
    """Parameters behind properties, gradients under the names without underscore."""

    def __init__(self, W):
        self._W = W

    def forward(self, X):
        self._X = X
        return X @ self._W

    def backward(self, dY):
        return {"dX": dY @ self._W.T, "dW": self._X.T @ dY[::-1]}


def test_private_parameters_have_gradients_without_underscore(rng):
    report = ag.compare(Private(rng.standard_normal((3, 2))), rng.standard_normal((4, 3)))
    assert [row.verdict for row in report.rows] == ["right", "right", "wrong"]


class Dense:
    """None in the place of a weight's gradient."""

    @staticmethod
    def forward(ctx, x, weight, target):
        ctx.weight = weight
        return x @ weight - target

    @staticmethod
    def backward(ctx, dout):
        return dout @ ctx.weight.T, None, None


def test_none_for_a_weight_is_missing_and_none_for_a_target_is_not(rng):
    x, weight, target = (rng.standard_normal(s) for s in ((4, 3), (3, 2), (4, 2)))
    report = ag.compare(Dense, x, weight, target)
    assert {row.name: row.verdict for row in report.rows} == {
        "forward": "right", "dx": "right", "dweight": "missing"
    }  # fmt: skip


# ── wrong ones ───────────────────────────────────────────────────────────────────────────────────


def doubled(returned):
    """What a backward pass returns, each gradient twice as large."""
    if isinstance(returned, dict):
        return {key: doubled(value) for key, value in returned.items()}
    if isinstance(returned, tuple | list):
        return type(returned)(map(doubled, returned))
    return None if returned is None else 2 * returned


def spoiled(hand):
    """The same layer with wrong gradients, or None where it returns none."""
    if isinstance(hand, type):
        hand = hand() if hand.__module__.endswith("classes") else hand
    if isinstance(hand, tuple):
        *first, last = hand
        return (*first, lambda *args: doubled(last(*args))) if len(hand) == 3 else None
    if type(hand).__module__ == written_classes.__name__:
        kind, made = type(hand), copy.copy(hand)

        @functools.wraps(kind.backward)
        def backward(self, *args):
            return doubled(kind.backward(self, *args))

        made.__class__ = type(kind.__name__, (kind,), {"backward": backward})
        return made
    return None


RETURNS_NOTHING = {"class: attributes", "class: embedding"}
SPOILED = [
    name for name in CASES if name not in RETURNS_NOTHING and spoiled(CASES[name][0]) is not None
]


@pytest.mark.parametrize("name", SPOILED)
def test_wrong_layers_are_wrong(name):
    hand, inputs, _ = CASES[name]
    report = ag.compare(spoiled(hand), *copy.deepcopy(inputs))
    bad = [row for row in report.rows if not row.ok]
    assert bad, str(report)
    assert {row.outlier for row in bad} == {"hand-written"}


# ── what is not NumPy's ──────────────────────────────────────────────────────────────────────────


def test_functions_of_pytorch_are_judged_by_numbers():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    class Cube(torch.autograd.Function):
        factor = 3

        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x.pow(3) * w

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return Cube.factor * x**2 * w * g, (x**3 * g).sum(0)

    x, w = written_functions.X, written_functions.W[:, 0]
    report = ag.compare(Cube, x, w)
    assert report.ok, str(report)
    assert [row.name for row in report.rows] == ["dx", "dw"]
    assert "its body is not NumPy's" in str(report)
    Cube.factor = 2
    assert [row.name for row in ag.compare(Cube, x, w).rows if not row.ok] == ["dx"]


def test_a_custom_vjp_of_jax():
    jax = pytest.importorskip("jax", reason="JAX is not installed")

    @jax.custom_vjp
    def f(x):
        return jax.numpy.sin(x) * x

    f.defvjp(lambda x: (f(x), x), lambda x, g: (g * (jax.numpy.sin(x) + x * jax.numpy.cos(x)),))
    report = ag.compare(f, written_functions.X)
    assert report.ok, str(report)


# ── trust ────────────────────────────────────────────────────────────────────────────────────────


class Hides:
    """Its square goes through a memory that no trace can follow."""

    factor = 2.0

    def forward(self, x):
        self.x = x
        return x + np.frombuffer(bytes(memoryview(np.ascontiguousarray(x) ** 2))).reshape(x.shape)

    def backward(self, dout):
        return dout * (1 + self.factor * self.x)


def test_a_trace_that_lost_its_way_is_not_believed():
    report = ag.compare(Hides(), written_functions.X)
    assert report.ok, str(report)
    assert "numbers alone" in report.title
    assert "the trace is not believed" in str(report)
    wrong = Hides()
    wrong.factor = 3.0
    report = ag.compare(wrong, written_functions.X)
    assert [(row.name, row.outlier) for row in report.rows if not row.ok] == [
        ("dx", "hand-written")
    ]


def test_a_random_layer_leaves_the_generators_as_they_were():
    before = np.random.get_state()  # noqa: NPY002  # the layer draws from the global generator
    assert ag.compare(written_classes.Dropout(), written_classes.X).ok
    after = np.random.get_state()  # noqa: NPY002  # as above
    assert before[2] == after[2]
    np.testing.assert_array_equal(before[1], after[1])


def test_a_layer_that_cannot_be_repeated():
    class Noisy:
        def forward(self, x):
            return x * np.random.default_rng().normal()

        def backward(self, dout):
            return dout

    with pytest.raises(CompareError, match="gives other values when it is called again"):
        ag.compare(Noisy(), written_classes.X)


def test_a_loss_that_ignores_what_flows_in():
    inputs = [written_classes.X, np.array([0, 2, 1, 1])]
    report = ag.compare(written_classes.SoftmaxIgnoringUpstream(), *inputs)
    assert report.ok
    (found,) = [f for f in report.findings if f.subject == "dout"]
    assert (found.level, found.text.split(":")[0]) == (
        "warning", "backward gives the same for a dout of 1 and of 2.5"
    )  # fmt: skip
    report = ag.compare(written_classes.MeanSquaredLoss(), *written_classes.CASES[
        "mean squared loss"][1])  # fmt: skip
    assert not [f for f in report.findings if f.subject == "dout"]


# ── matching by hand, and what is asked for ──────────────────────────────────────────────────────


class OddNames:
    def __init__(self, W):
        self.W, self.result = W, {}

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.result["for the weights"] = self.x.T @ dout
        return "ok", dout @ self.W.T


def test_gradients_are_named_by_the_caller():
    hand = OddNames(written_classes.W)
    report = ag.compare(hand, written_classes.X)
    assert [row.name for row in report.rows if not row.ok] == ["dx", "dW"]
    report = ag.compare(hand, written_classes.X, gradients={"x": 1, "W": "result.for the weights"})
    assert report.ok, str(report)
    with pytest.raises(CompareError, match="gradients= names V, which is neither"):
        ag.compare(hand, written_classes.X, gradients={"V": 1})


def test_what_is_left_over_is_listed():
    def forward(x):
        return x * 2, None

    report = ag.compare((forward, lambda dout, cache: (2 * dout, dout, dout)), written_classes.X)
    assert report.ok
    (found,) = [f for f in report.findings if f.subject == "not compared"]
    assert "returned[1], returned[2]" in found.text


def test_inputs_without_gradient_are_listed():
    hand, inputs, _ = CASES["class: mean squared loss"]
    (found,) = [f for f in ag.compare(hand, *inputs).findings if f.subject == "not compared"]
    assert found.level == "info"
    assert found.text.startswith("the output rests on t, of which no gradient was found")


def only_a_value(x):
    return x


def two_of_three(x, y):
    return x + y, None


ERRORS = [
    (lambda: ag.compare(only_a_value, [1.0]), "only_a_value gives one value, and no gradient"),
    (
        lambda: ag.compare(written_functions, [1.0]),
        "there are 11 pairs: affine_forward, relu_forward",
    ),
    (
        lambda: ag.compare((only_a_value, lambda a, b, c, d: a), [1.0]),
        r"<lambda> wants 4 arguments \(a, b, c, d\) for 1 inputs",
    ),
    (
        lambda: ag.compare((two_of_three, lambda a, b, c: a), [1.0], [2.0]),
        "<lambda> wants a, b, c, and two_of_three returned 2 values",
    ),
    (
        lambda: ag.compare(written_classes.Dropout(), np.ones(3), "a", "b"),
        "the forward pass of Dropout raised TypeError",
    ),
    (lambda: ag.compare(3.0, [1.0]), "float is written in no convention that is known here"),
    (
        lambda: ag.compare(written_classes.MeanSquaredLoss(), np.ones((2, 3)), np.ones((3, 2))),
        "the forward pass of MeanSquaredLoss raised ValueError",
    ),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call, text):
    with pytest.raises(CompareError, match=text):
        call()


def test_a_package_brings_a_convention(monkeypatch):
    class Reversed:
        """Objects with `there` and `back`."""

        name = "there and back"

        def fits(self, hand):
            return hasattr(hand, "there")

        def layer(self, hand, inputs):
            return convention_of((hand.there, hand.back)).layer((hand.there, hand.back), inputs)

    entry = SimpleNamespace(name="reversed", value="x:Reversed", load=lambda: Reversed)
    monkeypatch.setattr(adapters, "entry_points", lambda group: [entry])
    adapters._brought.cache_clear()
    pair = written_functions
    hand = SimpleNamespace(there=pair.gaussian, back=pair.gaussian_grad)
    assert ag.compare(hand, pair.X).ok
    entry.load = lambda: 1 / 0
    adapters._brought.cache_clear()
    with pytest.raises(CompareError, match=r"the convention reversed \(x:Reversed\) cannot be"):
        ag.compare(hand, pair.X)
    monkeypatch.undo()
    adapters._brought.cache_clear()


def network_of_functions(back):
    def forward(X, weights):
        hidden = np.tanh(X @ weights["W"])
        return hidden, {"hidden": hidden}

    def cost(hidden, Y):
        return ((hidden - Y) ** 2).sum() / 2

    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(4, 3)), {"W": rng.normal(size=(3, 2))}, rng.normal(size=(4, 2))
    return ag.compare((forward, cost, back), *inputs)


def test_forward_cost_and_backward():
    def back(hidden, Y, cache, X):
        return {"dW": X.T @ ((hidden - Y) * (1 - cache["hidden"] ** 2))}

    report = network_of_functions(back)
    assert report.ok
    assert [row.name for row in report.rows] == ["forward", "weights.dW"]
    assert not network_of_functions(lambda hidden, Y, cache, X: {"dW": X.T @ (hidden - Y)}).ok


def test_a_gradient_that_is_not_in_the_dictionary():
    report = network_of_functions(lambda Y, cache, X: {"dV": 0.0})
    assert [row.verdict for row in report.rows] == ["right", "missing"]


def test_a_backward_pass_that_takes_what_nobody_gives():
    with pytest.raises(CompareError, match="hidden, other"):
        network_of_functions(lambda hidden, other, Y: {})
