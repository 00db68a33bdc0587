"""Forms in which strangers write layers: each is right as it stands, and a mistake in it is named.

The layers here are made up; their forms are those of course work, tutorials and small frameworks.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.comparison.files import Settings, survey

RNG = np.random.default_rng(7)
X, ONE_HOT = RNG.normal(size=(4, 3)), np.eye(2, dtype=int)[[0, 1, 1, 0]]


def rows(report):
    return [row.name for row in report.rows]


class Silent:
    """Output and gradients are left in attributes, nothing is returned."""

    def __init__(self, factor=1.0):
        self.weights, self.biases = RNG.normal(size=(3, 2)), np.zeros((1, 2))
        self.factor = factor

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues * self.factor
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T


def test_what_is_left_in_attributes():
    report = ag.compare(Silent(), X)
    assert report.ok
    assert rows(report) == ["forward", "dinputs", "dweights", "dbiases"]
    wrong = ag.compare(Silent(0.25), X)
    assert [row.verdict for row in wrong.rows] == ["right", "right", "wrong", "right"]


class OddlyNamed:
    def forward(self, x):
        self.x = x
        self.out = np.tanh(x)

    def backward(self, upstream):
        self.derivatives = upstream * (1 - self.out**2)


def test_the_only_array_of_its_shape_is_the_gradient():
    assert ag.compare(OddlyNamed(), X).ok


class Again:
    """Backward takes the input once more, and moves the parameters at a rate of its own."""

    def __init__(self, sign=1):
        self.weights, self.learning_rate, self.sign = RNG.normal(size=(3, 2)), 0.05, sign

    def forward(self, input):
        return input @ self.weights

    def backward(self, input, grad_output):
        grad_input = grad_output @ self.weights.T
        self.weights = self.weights - self.learning_rate * self.sign * (input.T @ grad_output)
        return grad_input


def test_the_input_again_and_a_rate_in_an_attribute():
    report = ag.compare(Again(), X)
    assert report.ok
    assert rows(report) == ["forward", "dinput", "dweights"]
    (finding,) = [f for f in ag.compare(Again(-1), X).findings if f.cause == "sign"]
    assert finding.subject == "dweights"


class Penalised:
    def __init__(self):
        self.W = RNG.normal(size=(3, 2))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, output_gradient, learning_rate, lambda_):
        dx = output_gradient @ self.W.T
        self.W -= learning_rate * (self.x.T @ output_gradient + 2 * lambda_ * self.W)
        return dx


def test_a_rate_and_a_penalty_among_the_arguments():
    assert ag.compare(Penalised(), X).ok


class Private:
    """Names that Python mangles."""

    def __init__(self):
        self.__W = RNG.normal(size=(3, 2))

    def forward(self, x):
        self.__x = x
        return x @ self.__W

    def backward(self, dout):
        self.__dW = self.__x.T @ dout
        return dout @ self.__W.T


def test_private_names():
    report = ag.compare(Private(), X)
    assert report.ok
    assert len(report.rows) == 3


class Criterion:
    """Labels first, and both of them again in backward."""

    def forward(self, y_true, y_pred):
        return ((y_pred - y_true) ** 2).mean()

    def backward(self, y_true, y_pred):
        return 2 * (y_pred - y_true) / y_true.size


def test_labels_may_come_first():
    report = ag.compare(Criterion(), X, X[::-1].copy())
    assert report.ok
    assert "dy_pred" in rows(report)


class Gate:
    """A function and its derivative, as methods."""

    def __call__(self, x):
        return 1 / (1 + np.exp(-x))

    def gradient(self, x):
        return self(x) * (1 - self(x))


class Distance:
    def loss(self, y, y_pred):
        return 0.5 * (y - y_pred) ** 2

    def gradient(self, y, y_pred):
        return -(y - y_pred)


class Flagged:
    def activate(self, x, derivative=False):
        return 1 - np.tanh(x) ** 2 if derivative else np.tanh(x)


def test_methods_with_a_derivative():
    assert ag.compare(Gate(), X).ok
    assert rows(ag.compare(Distance(), X, X + 1)) == ["forward", "dy_pred"]
    assert ag.compare(Distance(), X, X + 1).ok
    assert ag.compare(Flagged(), X).ok

    class Halved(Gate):
        def gradient(self, x):
            return super().gradient(x) / 2

    assert not ag.compare(Halved(), X).ok


class Network:
    """The loss stands nowhere: output − labels is where backward begins."""

    def __init__(self, last=lambda a, y: (a - y) * a * (1 - a), hidden=2):
        rng = np.random.default_rng(3)
        self.W1, self.W2 = rng.normal(size=(3, hidden)), rng.normal(size=(hidden, 2))
        self.last, self.lr, self.slip = last, 0.1, 1

    def forward(self, X):
        self.h = np.tanh(X @ self.W1)
        return 1 / (1 + np.exp(-self.h @ self.W2))

    def backward(self, X, y, output):
        delta = self.last(output, y)
        inner = delta @ self.W2.T * (1 - self.h**2) * self.slip
        self.W2 -= self.lr * self.h.T @ delta
        self.W1 -= self.lr * X.T @ inner


def test_a_network_whose_loss_is_not_written_down():
    squares = ag.compare(Network(), X, ONE_HOT)
    assert squares.ok
    assert rows(squares) == ["forward", "dW1", "dW2"]
    means = ag.compare(Network(lambda a, y: (a - y) * a * (1 - a) / len(y)), X, ONE_HOT)
    assert means.ok
    entropy = ag.compare(Network(lambda a, y: (a - y) / len(y)), X, ONE_HOT)
    assert entropy.ok

    network = Network(lambda a, y: (a - y) / len(y))
    network.slip = -1
    report = ag.compare(network, X, ONE_HOT)
    assert [row.verdict for row in report.rows] == ["right", "wrong", "right"]


def test_labels_are_the_last_input():
    with pytest.raises(ag.errors.CompareError, match="takes X, y, and 1 were given"):
        ag.compare(Network(), X)


def test_what_nobody_can_tell():
    class Riddle:
        def forward(self, x):
            return x * 1.0

        def backward(self, dout, wizard, dragon):
            return dout

    with pytest.raises(ag.errors.CompareError, match="what dragon is, is not clear"):
        ag.compare(Riddle(), X)


def test_a_place_is_suggested_for_a_gradient_that_is_not_found():
    class Hidden:
        def __init__(self):
            self.matrix = RNG.normal(size=(3, 2))

        def forward(self, x):
            self.x = x
            return x @ self.matrix

        def backward(self, dout):
            self.slope_of_it = self.x.T @ dout
            return dout @ self.matrix.T

    report = ag.compare(Hidden(), X)
    assert 'gradients={"matrix": "slope_of_it"}' in str(report)
    assert ag.compare(Hidden(), X, gradients={"matrix": "slope_of_it"}).ok


FILE = """
import numpy as np


def squash(x, deriv=False):
    if deriv:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))


def compute_cost(x, y, w, b):
    return ((x * w + b - y) ** 2).sum() / (2 * len(x))


def compute_gradient(x, y, w, b):
    gap = x * w + b - y
    return (gap * x).sum() / len(x), gap.sum() / len(x)


def propagate(w, b, X, Y):
    A = 1 / (1 + np.exp(-(w.T @ X + b)))
    cost = -(Y * np.log(A) + (1 - Y) * np.log(1 - A)).mean()
    grads = {"dw": X @ (A - Y).T / X.shape[1], "db": (A - Y).mean()}
    return grads, cost


def column_forward(A, W, b):
    return W @ A + b, (A, W, b)


def column_backward(dZ, cache):
    A, W, b = cache
    return W.T @ dZ, dZ @ A.T, dZ.sum(axis=1, keepdims=True)


class Wrapped:
    def __init__(self, activation, activation_prime):
        self.activation, self.activation_prime = activation, activation_prime

    def forward(self, input):
        self.input = input
        return self.activation(input)

    def backward(self, output_gradient, learning_rate):
        return output_gradient * self.activation_prime(self.input)


class Dense:
    def __init__(self, n_inputs, n_neurons, optimizer):
        self.W, self.b = np.ones((n_inputs, n_neurons)), np.zeros((1, n_neurons))
        self.optimizer = optimizer

    def forward_pass(self, X, training=True):
        self.X = X
        return X @ self.W + self.b

    def backward_pass(self, accum_grad):
        before = self.W
        self.W = self.optimizer.update(self.W, self.X.T @ accum_grad)
        self.b = self.optimizer.update(self.b, accum_grad.sum(axis=0, keepdims=True))
        return accum_grad @ before.T


class Reshape:
    def __init__(self, input_shape, output_shape):
        self.input_shape, self.output_shape = input_shape, output_shape

    def forward(self, input):
        return np.reshape(input, self.output_shape)

    def backward(self, output_gradient, learning_rate):
        return np.reshape(output_gradient, self.input_shape)
"""


def test_a_file_of_them(tmp_path: Path):
    path = tmp_path / "forms.py"
    path.write_text(FILE)
    found = {row.name: row for row in survey(path).rows}
    assert {name: row.status for name, row in found.items()} == dict.fromkeys(
        ["squash", "compute_cost", "propagate", "column_forward", "Wrapped", "Dense", "Reshape"],
        "right",
    )
    assert found["column_forward"].inputs == "A (5,4), W (6,5), b (6,1)"
    assert found["compute_cost"].inputs.startswith("x (4)")
    assert found["propagate"].inputs.startswith("w (5,1), b (), X (5,4), Y (1,4)")


def test_a_transposition_is_not_hidden_by_a_square(tmp_path: Path):
    path = tmp_path / "square.py"
    path.write_text(FILE.replace("return W.T @ dZ, dZ @ A.T", "return W.T @ dZ, (dZ @ A.T).T"))
    row = next(row for row in survey(path).rows if row.name == "column_forward")
    assert row.status == "wrong"
    assert "transpose" in row.reason


def test_a_package_whose_parent_fails(tmp_path: Path):
    folder = tmp_path / "stranger"
    folder.mkdir()
    (folder / "__init__.py").write_text("import not_there_at_all\n1 / 0\n")
    (folder / "base.py").write_text("class Layer:\n    pass\n")
    path = folder / "layers.py"
    path.write_text(
        textwrap.dedent(
            """
            from .base import Layer

            class Twice(Layer):
                def forward(self, x):
                    return 2 * x

                def backward(self, dout):
                    return 2 * dout
            """
        )
    )
    assert [row.status for row in survey(path).rows] == ["right"]


PADDED = """
import numpy as np


class Pad:
    def __init__(self, pad=0):
        self.pad = pad

    def forward(self, x):
        self.size = x.shape[-1]
        return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(self.pad, self.pad)]) ** 2

    def backward(self, dout):
        return CUT
"""


def test_a_default_of_zero_hides_nothing(tmp_path: Path):
    path = tmp_path / "padded.py"
    source = PADDED.replace("return np.pad", "self.x = x\n        return np.pad")
    right = "2 * self.x * dout[..., self.pad : self.pad + self.size]"
    path.write_text(source.replace("CUT", right))
    assert [row.status for row in survey(path).rows] == ["right"]
    path.write_text(source.replace("CUT", "2 * self.x * dout[..., : self.size]"))
    (row,) = survey(path).rows
    assert row.status == "wrong"
    assert "pad=1" in row.inputs


class Remembering:
    """Several forward passes may come before a backward pass; `zero_grad` forgets them."""

    forgetful = True

    def __init__(self):
        self.seen = []

    def forward(self, x):
        self.seen.append(x)
        return x**2

    def backward(self, dout):
        return 2 * self.seen[0] * dout

    def zero_grad(self):
        if self.forgetful:
            self.seen = []


def test_a_layer_may_have_a_method_to_forget_by():
    assert ag.compare(Remembering(), X).ok

    class Stale(Remembering):
        forgetful = False

    report = ag.compare(Stale(), X)
    assert "stale cache" in [finding.cause for finding in report.findings]


class First:
    """A first layer: backward gives nothing, and leaves nothing unused."""

    def __init__(self):
        self.W = RNG.normal(size=(3, 2))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout


class Forgotten(First):
    def backward(self, dout):
        self.dW = self.x.T @ dout
        dx = dout @ self.W.T  # noqa: F841  # the mistake: it is not returned


def test_nothing_returned_on_purpose_and_by_mistake():
    assert ag.compare(First(), X).ok
    report = ag.compare(Forgotten(), X)
    assert [row.verdict for row in report.rows] == ["right", "missing", "right"]


def test_a_division_that_belongs_to_the_loss_is_told():
    class Mean(First):
        def __init__(self):
            super().__init__()
            self.b = np.zeros(2)

        def forward(self, x):
            return super().forward(x) + self.b

        def backward(self, dout):
            self.dW, self.db = self.x.T @ dout / len(dout), dout.sum(axis=0) / len(dout)
            return dout @ self.W.T

    report = ag.compare(Mean(), X)
    assert not report.ok
    assert "1/4 of what is due, that of the input is whole" in str(report).replace("\n", " ")


CASES = {
    "column_forward": {"A": {"shape": [3, 4]}, "W": {"shape": [2, 3]}, "b": [[1.0], [2.0]]},
    "Dense": {"n_inputs": 3, "X": {"shape": [4, 3]}},
}


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_cases_in_a_file_of_data(tmp_path: Path, suffix: str):
    if suffix == "yaml":
        pytest.importorskip("yaml")
    path, cases = tmp_path / "forms.py", tmp_path / f"cases.{suffix}"
    path.write_text(FILE)
    cases.write_text(json.dumps(CASES))  # JSON is YAML too
    rows_of = {row.name: row for row in survey(path, Settings(cases=str(cases))).rows}
    assert rows_of["column_forward"].status == rows_of["Dense"].status == "right"
    assert rows_of["column_forward"].inputs.startswith("A (3,4), W (2,3)")
    assert rows_of["Dense"].inputs.startswith("X (4,3)")


def test_cases_that_fit_nothing(tmp_path: Path):
    path, cases = tmp_path / "forms.py", tmp_path / "cases.json"
    path.write_text(FILE)
    cases.write_text('{"Nobody": {"x": 1}, "Dense": {"y": 2}}')
    told = " ".join(survey(path, Settings(cases=str(cases), listed=True)).troubles)
    assert "there is no layer Nobody" in told
    assert "Dense takes n_inputs, n_neurons, optimizer, X, training" in told
    cases.write_text('{"Dense": {"X": {"shape": "abc"}}}')
    with pytest.raises(ag.errors.CompareError, match="describes no array"):
        survey(path, Settings(cases=str(cases)))


class OneLayer:
    """A network of one layer without a written loss; `slope` is that of its tanh."""

    def __init__(self, slope):
        self.W, self.slope = RNG.normal(size=(3, 2)), slope

    def forward(self, X):
        self.output = np.tanh(X @ self.W)
        return self.output

    def backward(self, X, y):
        self.dW = X.T @ ((self.output - y) * self.slope(self.output)) / len(X)


def test_the_loss_that_a_network_is_taken_to_descend_is_told():
    report = ag.compare(OneLayer(lambda y: 1 - y * y), X, RNG.normal(size=(4, 2)))
    assert report.ok
    (told,) = (f.text for f in report.findings if f.subject == "loss")
    assert "the gradient of 0.25 × (½ Σ (output − target)²)" in told
    assert not any(f.subject == "not compared" for f in report.findings)


def test_a_single_gradient_that_is_wrong_is_held_against_a_usual_loss():
    rng = np.random.default_rng(3)
    layer = OneLayer(lambda y: 1 - y)
    layer.W = rng.normal(size=(3, 2))
    report = ag.compare(layer, rng.normal(size=(4, 3)), rng.normal(size=(4, 2)))
    assert report.verdict == "wrong: 1 of 2 hold; look at dW"
    (told,) = (f.text for f in report.findings if f.subject == "loss")
    factor = float(told.split(" × ")[0].split()[-1])
    assert factor in {a / n for a in (1, 2) for n in (1, 2, 4, 8)}, (
        "mean or sum, of all or by sample"
    )
