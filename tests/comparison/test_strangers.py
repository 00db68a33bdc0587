"""Files in forms that courses and blogs spread: three methods, globals, factories, clipping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_lite.comparison import Comparison, compare
from autograd_lite.comparison.files import survey
from autograd_lite.testing import assert_gradients_match

FILE = '''
import numpy as np


class SoftmaxOutput:
    """Three methods; backward is told nothing."""

    def forward(self, scores):
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def get_loss(self, label):
        self.hot = np.zeros_like(self.p)
        self.hot[np.arange(len(label)), label] = 1
        return -np.sum(self.hot * np.log(self.p)) / len(label)

    def backward(self):
        return (self.p - self.hot) / len(self.p)


class SoftmaxThenLabels(SoftmaxOutput):
    """Backward takes labels; the loss is not written down."""

    get_loss = None

    def backward(self, y_true):
        d = self.p.copy()
        d[range(len(d)), y_true] -= 1
        return d / len(d)


class CrossEntropy:
    def forward(self, *inputs):
        x, t = inputs
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.log(self.p[np.arange(len(t)), t]).mean()

    def backward(self, gy=1.0):
        d = self.p.copy()
        d[np.arange(len(self.t)), self.t] -= 1
        return d * gy / len(self.t)


rng = np.random.RandomState(1)
size, vocabulary = 7, 5
Wx, Wh, Wy = (0.1 * rng.randn(*s) for s in ((size, vocabulary), (size, size), (vocabulary, size)))
bh, by = np.zeros((size, 1)), np.zeros((vocabulary, 1))


def loss_fun(inputs, targets, hprev):
    """Parameters among the globals, gradients returned by their names, and the last state."""
    xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocabulary, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(Wx @ xs[t] + Wh @ hs[t - 1] + bh)
        ps[t] = np.exp(Wy @ hs[t] + by)
        ps[t] /= ps[t].sum()
        loss += -np.log(ps[t][targets[t], 0])
    dWx, dWh, dWy, dbh, dby = (np.zeros_like(p) for p in (Wx, Wh, Wy, bh, by))
    dnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWy += dy @ hs[t].T
        dby += dy
        draw = (1 - hs[t] ** 2) * (Wy.T @ dy + dnext)
        dbh += draw
        dWx += draw @ xs[t].T
        dWh += draw @ hs[t - 1].T
        dnext = Wh.T @ draw
    for gradient in (dWx, dWh, dWy, dbh, dby):
        np.clip(gradient, -5, 5, out=gradient)
    return loss, dWx, dWh, dWy, dbh, dby, hs[len(inputs) - 1]


def make_tanh(W):
    y = None

    def forward(x):
        nonlocal y
        y = np.tanh(x @ W)
        return y

    def backward(dout):
        return (dout * (1 - y**2)) @ W.T

    return forward, backward


f, g = make_tanh(rng.randn(5, 3))


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def softmax_grad(s):
    return np.diag(s) - np.outer(s, s)


def compute_cost(X, y, w, b):
    return ((X @ w + b - y) ** 2).sum() / (2 * len(y))


def compute_gradient(X, y, w, b):
    error = X @ w + b - y
    dj_dw = X.T @ error / len(y)
    dj_db = error.mean()
    return dj_db, dj_dw


def cost_function(theta, X, y):
    h = 1 / (1 + np.exp(-X @ theta))
    return -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / len(y)


def gradient(theta, X, y):
    return X.T @ (1 / (1 + np.exp(-X @ theta)) - y) / len(y)


def two_layer_loss(X, y, W1, W2):
    h = np.maximum(0, X @ W1)
    p = np.exp(h @ W2)
    p /= p.sum(axis=1, keepdims=True)
    d = p.copy()
    d[range(len(y)), y] -= 1
    d /= len(y)
    grads = {"W1": X.T @ (d @ W2.T * (h > 0)), "W2": h.T @ d}
    return -np.log(p[range(len(y)), y]).mean(), grads
'''

FURTHER = '''
import numpy as np


def pair_loss(a, b, y, margin=1.0):
    """Two gradients that the code returns by one name."""
    d = np.sqrt(((a - b) ** 2).sum(axis=1))
    near = np.maximum(margin - d, 0)
    da = ((2 * y * d - 2 * (1 - y) * near) / d)[:, None] * (a - b)
    return np.sum(y * d**2 + (1 - y) * near**2), da, -da


def weighted_loss(w, b):
    """Nothing but weights."""
    return np.sum(w**2 * b), 2 * w * b, w**2


def rnn_cell_forward(xt, a_prev, parameters):
    """Keys that a loop goes through."""
    Wax, Waa, ba = (parameters[key] for key in ("Wax", "Waa", "ba"))
    a_next = np.tanh(Waa @ a_prev + Wax @ xt + ba)
    return a_next, (a_next, a_prev, xt, parameters)


def rnn_cell_backward(da_next, cache):
    a_next, a_prev, xt, parameters = cache
    d = (1 - a_next**2) * da_next
    return {
        "dxt": parameters["Wax"].T @ d, "da_prev": parameters["Waa"].T @ d, "dWax": d @ xt.T,
        "dWaa": d @ a_prev.T, "dba": d.sum(axis=1, keepdims=True),
    }


class Cell:
    """Sizes of one letter."""

    def __init__(self, d, h):
        self.W, self.U = np.random.randn(d, h), np.random.randn(h, h)

    def forward(self, x, h):
        self.x, self.h = x, h
        self.y = np.tanh(x @ self.W + h @ self.U)
        return self.y

    def backward(self, dy):
        d = dy * (1 - self.y**2)
        self.dW, self.dU = self.x.T @ d, self.h.T @ d
        return d @ self.W.T, d @ self.U.T


class Held:
    def __init__(self, x):
        self.x = x

    def forward(self):
        return np.tanh(self.x)

    def backward(self, dout):
        return dout * (1 - np.tanh(self.x) ** 2)
'''


def test_further_forms(tmp_path: Path):
    path = tmp_path / "further.py"
    path.write_text(FURTHER)
    found = {row.name: row for row in survey(path).rows}
    nothing = found.pop("Held")
    assert {name: row.status for name, row in found.items()} == dict.fromkeys(
        ["pair_loss", "weighted_loss", "rnn_cell_forward", "Cell"], "right"
    )
    assert found["Cell"].inputs == "x (4,5), h (4,6); made of d=5, h=6"
    assert nothing.status == "not checked"
    assert nothing.reason.startswith("its forward pass takes nothing")


MISTAKES = {
    "SoftmaxOutput": ("(self.p - self.hot) / len(self.p)", "self.p - self.hot", "batch size"),
    "CrossEntropy": ("d * gy / len(self.t)", "d * gy", "batch size"),
    "loss_fun": ("(Wy.T @ dy + dnext)", "(Wy.T @ dy)", "missing"),
    "f, g": ("1 - y**2", "1 - y", "1 − y²"),
    "compute_cost": ("return dj_db, dj_dw", "return dj_db, -dj_dw", "sign"),
    "two_layer_loss": (' * (h > 0)), "W2"', '), "W2"', "maximum"),
}


def test_right_ones(tmp_path: Path):
    path = tmp_path / "strangers.py"
    path.write_text(FILE)
    found = {row.name: row for row in survey(path).rows}
    assert {name: row.status for name, row in found.items()} == dict.fromkeys(
        [
            "SoftmaxOutput", "SoftmaxThenLabels", "CrossEntropy", "loss_fun", "f, g", "softmax",
            "compute_cost", "cost_function", "two_layer_loss",
        ],
        "right",
    )  # fmt: skip
    assert found["loss_fun"].inputs.endswith("hprev (7,1)")
    assert all("1 of 1" not in row.text for row in found.values())  # something was compared


def test_wrong_ones(tmp_path: Path):
    text = FILE
    for old, new, _ in MISTAKES.values():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "strangers.py"
    path.write_text(text)
    found = {row.name: row for row in survey(path).rows}
    for name, (_, _, words) in MISTAKES.items():
        assert found[name].status == "wrong"
        assert words in found[name].reason
    assert found["cost_function"].status == found["softmax"].status == "right"


# ── clipping, and what is right for one element of dout ──────────────────────────────────────────

X = np.random.default_rng(0).standard_normal((4, 5))


class Clipped:
    """Gradients cut as `cut` says."""

    def __init__(self, cut: Any) -> None:
        self.W, self.cut = np.random.default_rng(1).standard_normal((5, 3)), cut

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W

    def backward(self, dout: Any) -> Any:
        self.dW = self.cut(self.x.T @ dout)
        return dout @ self.W.T


def causes(report: Comparison) -> list[tuple[str, str]]:
    return [(f.subject, f.cause) for f in report.findings if f.level == "error" and f.cause]


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (lambda g: np.clip(g, -1, 1), "clipped at ±1 in "),
        (lambda g: np.clip(g, -0.25, 0.25), "clipped at ±0.25 in "),
        (lambda g: g / np.linalg.norm(g), "scaled down to a length of 1; "),
    ],
)
def test_clipped_gradients(cut: Any, words: str):
    report = compare(Clipped(cut), X)
    assert causes(report) == [("dW", "clipped")]
    assert words in report.ordered[0].text


def test_a_limit_that_is_not_reached_is_none():
    assert compare(Clipped(lambda g: np.clip(g, -50, 50)), X).ok


def test_half_of_it_is_no_clipping():
    assert causes(compare(Clipped(lambda g: g / 2), X)) == [("dW", "factor")]


class FirstAlone:
    """The first element of dout that is not 0, as softmax needs it behind a cross-entropy."""

    def forward(self, z: Any) -> Any:
        e = np.exp(z - z.max())
        self.p = e / e.sum()
        return self.p

    def backward(self, dout: Any) -> Any:
        k = int(np.flatnonzero(dout)[0])
        d = -self.p[k] * self.p
        d[k] += self.p[k]
        return dout[k] * d


def test_right_for_one_element_of_dout_alone():
    report = compare(FirstAlone(), X[0])
    assert causes(report) == [("dz", "upstream ignored")]
    assert "right where one element of dout alone is not 0" in report.ordered[0].text
    assert compare(FirstAlone(), X[0], cotangent=np.eye(5)[2]).rows[1].verdict == "right"


OUTER = np.random.default_rng(2).standard_normal((5, 3))


def of_what_stands_around(x: Any) -> Any:
    y = np.tanh(x @ OUTER)
    dOUTER = x.T @ (1 - y**2)
    return y.sum(), dOUTER


def test_an_assertion_takes_a_loss_over_globals():
    report = assert_gradients_match(of_what_stands_around, X)
    assert [(row.name, row.verdict) for row in report.rows] == [
        ("forward", "right"), ("dOUTER", "right"),
    ]  # fmt: skip


# ── nothing hides ────────────────────────────────────────────────────────────────────────────────


class Square:
    def forward(self, x: Any) -> Any:
        self.x = x
        return x * x

    def backward(self, dout: Any) -> Any:
        return 2 * dout * dout


def test_inputs_of_the_same_seed_are_not_what_flows_in():
    assert not compare(Square(), X).ok


class Unused:
    """A network whose parameter has no effect."""

    def __init__(self) -> None:
        self.params = {"W": X}

    def loss(self, x: Any, t: Any) -> Any:
        return np.sum((x - t) ** 2)

    def gradient(self, x: Any, t: Any) -> dict[str, Any]:
        return {}


def test_where_no_gradient_was_compared_nothing_is_right():
    report = compare(Unused(), X, X + 1)
    assert [row.verdict for row in report.rows] == ["right"]
    assert not report.ok
    assert any(f.subject == "gradients" for f in report.findings)


def test_a_jacobian_is_held_against_every_output():
    def softmax(z: Any) -> Any:
        e = np.exp(z)
        return e / e.sum()

    def right(z: Any) -> Any:
        s = softmax(z)
        return np.diag(s) - np.outer(s, s)

    def of_output(s: Any) -> Any:
        return np.diag(s) - np.outer(s, s)

    assert compare((softmax, right), X[0]).ok
    report = compare((softmax, of_output), X[0])
    assert causes(report) == [("dz", "local derivative")]
    assert "takes the output" in report.ordered[0].text


def test_a_factor_that_the_layer_holds_is_named():
    class Dropout:
        def __init__(self) -> None:
            self.p = 0.2

        def forward(self, x: Any) -> Any:
            self.mask = np.random.rand(*x.shape) > self.p  # noqa: NPY002  # as people write it
            return x * self.mask / (1 - self.p)

        def backward(self, dout: Any) -> Any:
            return dout * self.mask

    report = compare(Dropout(), X)
    assert causes(report) == [("dx", "factor")]
    assert "; 0.8 is 1 − p, and the layer holds p = 0.2" in report.ordered[0].text
