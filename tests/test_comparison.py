"""The comparison: right layers pass, wrong ones fail, at every scale; and the report says why.

The first half tests the tests: wrong gradients are planted, and every one must be found.
"""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import handwritten
from autograd_lite.comparison import Comparison, Finding, Row, check_claims, compare, gradcheck
from autograd_lite.errors import CompareError, DTypeError
from autograd_lite.testing import assert_gradients_match

SCALES = [1e-8, 1e-4, 1.0, 1e4, 1e8]
W = np.array([[1, 2, 3], [4, 5, 6]])
B = np.array([7, 8, 9])


def one_wrong_element(g: Any) -> Any:
    bad = np.array(g)
    # The smallest element of a row is the one most easily lost beside the others.
    bad.reshape(-1)[np.argmin(np.abs(bad))] *= 1.1
    return bad


def flipped_element(g: Any) -> Any:
    bad = np.array(g)
    bad.reshape(-1)[np.argmin(np.abs(bad))] *= -1
    return bad


def lost(g: Any) -> Any:
    bad = np.array(g)
    bad.reshape(-1)[0] = np.nan
    return bad


MUTANTS: dict[str, Callable[[Any], Any]] = {
    "sign": np.negative,
    "factor": lambda g: 2 * g,
    "a thousandth": lambda g: 1.001 * g,
    "zero": np.zeros_like,
    "one element by 10 %": one_wrong_element,
    "one element's sign": flipped_element,
    "rotated": lambda g: np.roll(g, 1),
    "nan": lost,
    "offset": lambda g: g + 0.01 * np.abs(g).max(),
}


# ── numbers against claims ───────────────────────────────────────────────────────────────────────


def scaled_problem(rng: np.random.Generator, inner: float, outer: float) -> tuple[Any, ...]:
    """f(x) = outer·tanh(w·(x/inner)) with its gradient, for a vector of 1,000 elements."""
    x = inner * rng.uniform(0.5, 2, 1000) * rng.choice([-1, 1], 1000)
    w = rng.uniform(0.2, 1, 1000)

    def f(x: Any) -> Any:
        return outer * np.tanh(w * (x / inner))

    g = rng.uniform(0.5, 2, 1000)
    right = g * outer * (1 - np.tanh(w * x / inner) ** 2) * w / inner
    return f, x, g, right


@pytest.mark.parametrize("outer", SCALES)
@pytest.mark.parametrize("inner", SCALES)
def test_planted_claims_at_every_scale(inner: float, outer: float, rng: Any) -> None:
    f, x, g, right = scaled_problem(rng, inner, outer)
    # Sixteen elements at a time leave the time for all scales; a thousand are tried below.
    part = slice(0, 16)

    def smaller(head: Any) -> Any:
        return f(np.concatenate([head, x[16:].astype(head.dtype)]))

    def verdict(claim: Any) -> str:
        return check_claims(smaller, [x[part]], [claim], [g], ["x"], rng)[0].verdict

    assert verdict(right[part]) == "right"
    for name, mutate in MUTANTS.items():
        assert verdict(mutate(right[part])) == "wrong", name


@pytest.mark.parametrize("scale", [1e-8, 1.0])
def test_one_in_a_thousand(scale: float, rng: Any) -> None:
    """The sum of a thousand terms: one number, a thousand gradients, none of them hidden."""
    x, w = rng.normal(size=1000), rng.normal(size=1000)

    def f(x: Any) -> Any:
        return scale * (w * np.sin(x)).sum()

    right = scale * w * np.cos(x)

    def row(claim: Any) -> Row:
        return check_claims(f, [x], [claim], [np.array(1.0)], ["x"], rng)[0]

    assert row(right).ok
    for i in rng.choice(1000, 3):
        wrong = right.copy()
        wrong[i] *= 1.1
        assert row(wrong).verdict == "wrong"
        assert row(wrong).worst == (i,)


@pytest.mark.parametrize("mutant", ["sign", "one element by 10 %", "one element's sign", "nan"])
def test_large_arrays_are_sampled_and_still_have_no_hole(mutant: str, rng: Any) -> None:
    x, w = rng.normal(size=20_000), rng.uniform(0.5, 2, 20_000)
    right = 1e-8 * w * np.cos(x)

    def verdict(claim: Any) -> str:
        def f(x: Any) -> Any:
            return 1e-8 * (w * np.sin(x)).sum()

        return check_claims(f, [x], [claim], [np.array(1.0)], ["x"], rng)[0].verdict

    assert verdict(right) == "right"
    wrong = np.array(right)
    if mutant.startswith("one"):
        wrong[np.argmax(np.abs(wrong))] *= 1.1 if "10" in mutant else -1
    else:
        wrong = MUTANTS[mutant](right)
    assert verdict(wrong) == "wrong"


def test_mixed_scales_in_one_array(rng: Any) -> None:
    """Pointwise, the gradient's small elements are judged in their own scale."""
    size = np.array([1e8, 1.0, 1e-8])
    x, g = np.array([0.3, 0.4, 0.5]), np.ones(3)
    right = size * np.cos(x)

    def row(claim: Any) -> Row:
        return check_claims(lambda x: size * np.sin(x), [x], [claim], [g], ["x"], rng)[0]

    assert row(right).ok
    for i in range(3):
        wrong = right.copy()
        wrong[i] *= -1
        assert row(wrong).verdict == "wrong"


def test_a_small_slope_on_a_large_value(rng: Any) -> None:
    def verdict(claim: float) -> str:
        def f(x: Any) -> Any:
            return 1e8 + 1e-8 * np.asarray(x, float)  # casts: no complex step

        return check_claims(f, [np.float64(1)], [np.float64(claim)], [1.0], ["x"], rng)[0].verdict

    assert verdict(1e-8) == "right"
    assert verdict(-1e-8) == "wrong"
    assert verdict(1.1e-8) == "wrong"
    assert verdict(0.0) == "wrong"


def test_what_numbers_cannot_tell_does_not_pass(rng: Any) -> None:
    noise = np.random.default_rng(0)

    def f(x: Any) -> Any:
        return x + 0.1 * noise.normal()

    row = check_claims(f, [np.float64(1)], [np.float64(1)], [np.float64(1)], ["x"], rng)[0]
    assert not row.ok


def test_nan_never_passes(rng: Any) -> None:
    for f in (lambda x: x * np.nan, np.sin):
        row = check_claims(f, [np.ones(2)], [np.array([np.nan, 1.0])], [np.ones(2)], ["x"], rng)[0]
        assert not row.ok
    row = check_claims(lambda x: x * np.nan, [np.ones(2)], [np.ones(2)], [np.ones(2)], ["x"], rng)
    assert not row[0].ok


def test_a_claim_of_another_shape(rng: Any) -> None:
    row = check_claims(np.sin, [np.ones(3)], [np.ones((3, 1))], [np.ones(3)], ["x"], rng)[0]
    assert row.verdict == "wrong shape"
    assert row.note == "shape (3, 1) for an input of shape (3,)"


# ── hand-written layers, right and wrong ─────────────────────────────────────────────────────────


class Mutant:
    """A layer whose gradient is changed on its way out."""

    def __init__(self, layer: Any, which: str, change: Callable[[Any], Any]) -> None:
        self.layer, self.which, self.change = layer, which, change
        self.W, self.b = layer.W, layer.b

    def forward(self, x: Any) -> Any:
        self.layer.W, self.layer.b = self.W, self.b
        return self.layer.forward(x)

    def backward(self, dout: Any) -> Any:
        found = {"dx": self.layer.backward(dout), "dW": self.layer.dW, "db": self.layer.db}
        if self.which in found:
            found[self.which] = self.change(found[self.which])
        self.dW, self.db = found["dW"], found["db"]
        return found["dx"]


def affine(rng: Any, x_scale: float, w_scale: float) -> tuple[Any, Any, Any]:
    x = x_scale * rng.normal(size=(4, 3))
    w, b = w_scale * rng.normal(size=(3, 3)), x_scale * w_scale * rng.normal(size=3)
    return handwritten.Affine(w, b), ag.nn.Affine(w, b), x


@pytest.mark.parametrize("numeric", [True, False], ids=["numbers", "no numbers"])
@pytest.mark.parametrize("w_scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("x_scale", [1e-8, 1.0, 1e8])
def test_mutants_of_affine_at_every_scale(
    x_scale: float, w_scale: float, numeric: bool, rng: Any
) -> None:
    hand, twin, x = affine(rng, x_scale, w_scale)
    report = compare(hand, x, against=twin, numeric=numeric)
    assert report.ok, str(report)
    assert [row.verdict for row in report.rows] == ["right"] * 4
    for name, mutate in {**MUTANTS, "transposed": np.transpose}.items():
        for which in ("dx", "dW", "db"):
            if name == "transposed" and which != "dW":
                continue
            report = compare(Mutant(hand, which, mutate), x, against=twin, numeric=numeric)
            verdicts = {row.name: row.verdict for row in report.rows}
            assert verdicts.pop(which) == "wrong", (name, which)
            assert set(verdicts.values()) == {"right"}, (name, which)
            if numeric:
                row = next(row for row in report.rows if row.name == which)
                assert row.outlier == "hand-written", (name, which)


def test_a_missing_batch_sum_is_a_finding_of_shape_or_value(rng: Any) -> None:
    hand, twin, x = affine(rng, 1, 1)
    report = compare(Mutant(hand, "db", lambda g: np.stack([g] * 4)), x, against=twin)
    assert report.rows[3].verdict == "wrong shape"
    assert report.rows[3].note == "shape (4, 3) by hand, (3,) automatic"
    hand.backward = lambda dout: dout  # db never set
    report = compare(hand, x, against=twin)
    assert [row.verdict for row in report.rows] == ["right", "wrong", "missing", "missing"]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_coarse_floats(dtype: Any, rng: Any) -> None:
    w, b = rng.normal(size=(3, 3)).astype(dtype), rng.normal(size=3).astype(dtype)
    x = rng.normal(size=(4, 3)).astype(dtype)
    hand, twin = handwritten.Affine(w, b), ag.nn.Affine(w, b)
    assert compare(hand, x, against=twin).ok
    for which in ("dx", "dW", "db"):
        wrong = Mutant(hand, which, lambda g: (1.1 * g).astype(dtype))
        assert not compare(wrong, x, against=twin).ok


def test_gradients_are_not_broadcast(rng: Any) -> None:
    class Column:
        def forward(self, x: Any) -> Any:
            return np.tanh(x)

        def backward(self, dout: Any) -> Any:
            return np.ones((3, 1))

    report = compare(Column(), np.zeros(3), against=ag.tanh, cotangent=np.ones(3))
    assert report.rows[1].verdict == "wrong shape"
    assert not report.ok


def test_forwards_are_not_broadcast() -> None:
    class Column:
        def forward(self, x: Any) -> Any:
            self.y = np.tanh(x)
            return self.y[:, None]

        def backward(self, dout: Any) -> Any:
            assert dout.shape == (3, 1)
            return dout[:, 0] * (1 - self.y**2)

    report = compare(Column(), np.ones(3), against=ag.tanh)
    assert [row.verdict for row in report.rows] == ["wrong shape", "right"]
    assert not report.ok


def test_a_wrong_forward_is_told_from_a_wrong_backward(rng: Any) -> None:
    class Other:
        def forward(self, x: Any) -> Any:
            self.y = np.tanh(2 * x)
            return self.y

        def backward(self, dout: Any) -> Any:
            return dout * 2 * (1 - self.y**2)

    report = compare(Other(), rng.normal(size=3), against=ag.tanh)
    assert [row.verdict for row in report.rows] == ["wrong", "wrong"]
    assert Finding("error", "forward", "the outputs differ (3 of 3 differ)") in report.findings
    assert report.rows[1].outlier == "automatic"
    text = (
        "the automatic one stands alone: the hand-written one fits its own forward (3 of 3 differ)"
    )
    assert Finding("error", "dx", text) in report.findings


# ── kinks ────────────────────────────────────────────────────────────────────────────────────────


class Leaky:
    """A ReLU with a chosen derivative at 0."""

    def __init__(self, at_zero: float) -> None:
        self.at_zero = at_zero

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout: Any) -> Any:
        return dout * np.where(self.x == 0, self.at_zero, self.x > 0)


@pytest.mark.parametrize(
    ("at_zero", "verdict"),
    [
        (0, "right"),
        (0.5, "legitimate choice"),
        (1, "legitimate choice"),
        (-0.1, "wrong"),
        (2, "wrong"),
    ],
)
def test_at_a_kink_any_value_between_the_slopes(at_zero: float, verdict: str) -> None:
    report = compare(Leaky(at_zero), [1, 0, -3], against=ag.nn.ReLU())
    assert report.rows[1].verdict == verdict
    assert report.ok == (verdict != "wrong")


# ── gradients that cancel to nothing ─────────────────────────────────────────────────────────────


class BatchNorm:
    """The usual one; a constant cotangent has gradient 0, of which 1e-17 is left."""

    def __init__(self, gamma: Any) -> None:
        self.gamma, self.wrong = gamma, 1.0

    def forward(self, x: Any) -> Any:
        xc = x - x.mean(axis=0)
        self.std = np.sqrt((xc * xc).mean(axis=0) + 1e-5)
        self.xn = xc / self.std
        return self.gamma * self.xn

    def backward(self, dout: Any) -> Any:
        self.dgamma = (dout * self.xn).sum(axis=0)
        g = dout * self.gamma
        return self.wrong * (g - g.mean(axis=0) - self.xn * (g * self.xn).mean(axis=0)) / self.std


def batch_norm(x: Any, gamma: Any) -> Any:
    xc = x - ag.mean(x, axis=0)
    return gamma * xc / ag.sqrt(ag.mean(xc * xc, axis=0) + 1e-5)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e8])
def test_rounding_alone_is_no_difference(scale: float, rng: Any) -> None:
    hand, x = BatchNorm(rng.normal(size=3)), scale * rng.normal(size=(8, 3))
    report = compare(hand, x, against=batch_norm, cotangent=np.ones((8, 3)))
    assert report.ok, str(report)
    text = "zero but for rounding: the match says little"
    assert Finding("warning", "dx", text) in report.findings
    assert compare(hand, x, against=batch_norm).ok
    hand.wrong = -1.0
    assert [r.name for r in compare(hand, x, against=batch_norm).rows if not r.ok] == ["dx"]


# ── manners ──────────────────────────────────────────────────────────────────────────────────────


class Careless:
    """Changes everything it can reach."""

    def __init__(self) -> None:
        self.W = np.ones(3)

    def forward(self, x: Any) -> Any:
        self.x = x.copy()
        x *= 2
        return self.x * self.W

    def backward(self, dout: Any) -> Any:
        self.dW = dout * self.x
        dx = dout * self.W
        dout[:] = 0
        self.W += 1
        return dx


def test_changes_in_place_are_reported_and_reach_nobody() -> None:
    hand, x, g = Careless(), np.arange(3.0), np.ones(3)
    report = compare(hand, x, against=lambda x, W: x * W, cotangent=g)
    assert report.ok, str(report)
    assert [f.level for f in report.findings if f.cause == "state"] == ["info"]
    assert {(f.level, f.subject, f.text) for f in report.findings if f.cause != "state"} == {
        ("warning", "x", "forward changes its input x in place"),
        ("warning", "W", "backward changes its parameter W in place"),
        (
            "warning",
            "dout",
            "backward changes its dout in place; whoever holds that array gets a wrong one",
        ),
    }
    assert x.tolist() == [0, 1, 2]
    assert g.tolist() == [1, 1, 1]
    assert hand.W.tolist() == [1, 1, 1]
    assert not hasattr(hand, "x")


def test_read_only_arrays_and_tensors_and_lists_are_taken() -> None:
    x = np.array([[1.0, 2.0]])
    x.flags.writeable = False
    hand, twin = handwritten.Affine(W, B), ag.nn.Affine(W, B)
    for given in (x, ag.tensor(x), x.tolist()):
        assert compare(hand, given, against=twin).ok
    assert twin.W.grad is None
    assert hand.dW is None


def test_the_cotangent_is_drawn_from_the_seed() -> None:
    hand, twin = handwritten.Affine(W, B), ag.nn.Affine(W, B)
    first, again, other = (compare(hand, [[1, 1]], against=twin, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.rows[1].hand, again.rows[1].hand)
    assert (first.rows[1].hand != other.rows[1].hand).any()


def test_parameters_of_another_value_are_named() -> None:
    report = compare(handwritten.Affine(W, B), [[1, 1]], against=ag.nn.Affine(W, B + 1))
    assert not report.ok
    text = "the two layers hold different values of it, so nothing else can agree"
    assert Finding("error", "b", text) in report.findings


def test_names_that_do_not_match_are_listed() -> None:
    class Named:
        def __init__(self) -> None:
            self.V, self.W = np.ones(2), np.ones(2)

        def forward(self, x: Any) -> Any:
            self.x = x
            return x * self.V * self.W

        def backward(self, dout: Any) -> Any:
            self.dV, self.dW = dout * self.x * self.W, dout * self.x * self.V
            return dout * self.V * self.W

    report = compare(Named(), [1.0, 2.0], against=lambda x, W: x * W)
    text = "hand-written, but `against` has no parameter of that name: dV"
    assert Finding("warning", "not compared", text) in report.findings
    hand = handwritten.Sigmoid()
    twin = ag.nn.Affine(W, B)
    report = compare(hand, [[1.0, 2.0]], against=ag.nn.sigmoid)
    assert report.ok
    report = compare(hand, [[1.0, 2.0]], against=twin)
    text = "`against` has a parameter W, the hand-written layer has none"
    assert Finding("warning", "W", text) in report.findings
    assert [row.verdict for row in report.rows] == ["wrong shape", "missing", "missing", "missing"]


def test_an_empty_match_is_said() -> None:
    report = compare(handwritten.ReLU(), [-1, -2], against=ag.nn.ReLU())
    assert report.ok
    assert Finding("warning", "dx", "all zero: the match says little") in report.findings
    report = compare(handwritten.ReLU(), np.zeros((0, 2)), against=ag.nn.ReLU())
    assert Finding("warning", "dx", "empty: nothing was compared") in report.findings


def test_several_inputs_outputs_and_conventions() -> None:
    class Pair:
        def __init__(self) -> None:
            self.params = [np.array([2.0, 3.0])]
            self.grads = [None]
            self.w = self.params[0]

        def forward(self, a: Any, b: Any) -> Any:
            self.a, self.b = a, b
            return a * b * self.w, a + b

        def backward(self, d1: Any, d2: Any) -> Any:
            self.grads[0] = d1 * self.a * self.b
            return d1 * self.b * self.w + d2, d1 * self.a * self.w + d2

    def twin(a: Any, b: Any, w: Any) -> Any:
        return a * b * w, a + b

    report = compare(Pair(), [1.0, 2.0], [3.0, 4.0], against=twin)
    assert report.ok, str(report)
    names = [row.name for row in report.rows]
    assert names == ["forward[0]", "forward[1]", "da", "db", "dw"]


@pytest.mark.parametrize("where", ["attribute", "grads", "returned"])
def test_where_gradients_are_found(where: str) -> None:
    class Scale:
        def __init__(self) -> None:
            self.w = np.array([2.0, 3.0])
            self.grads = {}

        def forward(self, x: Any) -> Any:
            self.x = x
            return x * self.w

        def backward(self, dout: Any) -> Any:
            if where == "attribute":
                self.w_grad, self.dx = dout * self.x, dout * self.w
                return None
            if where == "grads":
                self.grads["dw"] = dout * self.x
                return {"x": dout * self.w}
            return dout * self.w, dout * self.x

    report = compare(Scale(), [1.0, 2.0], against=lambda x, w: x * w)
    assert [row.verdict for row in report.rows] == ["right"] * 3, str(report)


def test_nested_layers_are_matched_by_path(rng: Any) -> None:
    class Chain:
        def __init__(self, layers: Any) -> None:
            self.layers = layers

        def forward(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer.forward(x)
            return x

        def backward(self, dout: Any) -> Any:
            for layer in reversed(self.layers):
                dout = layer.backward(dout)
            return dout

        def __call__(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return x

    w, b = rng.normal(size=(3, 2)), rng.normal(size=2)
    hand = Chain([handwritten.Affine(W, B), handwritten.Sigmoid(), handwritten.Affine(w, b)])
    twin = Chain([ag.nn.Affine(W, B), ag.nn.Sigmoid(), ag.nn.Affine(w, b)])
    x = 0.1 * rng.normal(size=(4, 2))
    report = compare(hand, x, against=twin)
    assert report.ok, str(report)
    names = {row.name for row in report.rows}
    assert names == {
        *("forward", "dx", "layers.0.dW", "layers.0.db", "layers.2.dW", "layers.2.db"),
    }
    hand.layers[2] = Mutant(hand.layers[2], "db", np.negative)
    bad = [row.name for row in compare(hand, x, against=twin).rows if not row.ok]
    assert bad == ["layers.2.db"]


def test_a_backward_that_raises_is_a_row_of_the_report() -> None:
    class Broken(handwritten.Sigmoid):
        def backward(self, dout: Any) -> Any:
            raise KeyError("y")

    report = compare(Broken(), [1.0], against=ag.nn.Sigmoid())
    assert [row.verdict for row in report.rows] == ["right", "missing"]
    (first, *_) = [f for f in report.findings if f.subject == "backward"]
    assert first.text.startswith("backward raised KeyError: 'y' at test_comparison.py:")


def test_a_large_layer_is_sampled(rng: Any) -> None:
    w, b = rng.normal(size=(120, 50)), rng.normal(size=50)
    hand, twin, x = handwritten.Affine(w, b), ag.nn.Affine(w, b), rng.normal(size=(3, 120))
    report = compare(hand, x, against=twin)
    assert report.ok
    row = report.rows[2]
    assert row.at_worst("numeric") == pytest.approx(row.at_worst("automatic"))
    text = "sampled 65 of 6,000 elements of dW and 8 random directions"
    assert Finding("info", "numbers", text) in report.findings
    wrong = compare(Mutant(hand, "dW", one_wrong_element), x, against=twin)
    assert [row.name for row in wrong.rows if row.outlier == "hand-written"] == ["dW"]


def test_when_both_analytic_gradients_are_wrong_the_numbers_object(rng: Any) -> None:
    hand, _, x = affine(rng, 1, 1)

    def twin(x: Any, W: Any, b: Any) -> Any:
        return ag.matmul(x, W) + 2 * b - ag.stop_gradient(b)

    report = compare(Mutant(hand, "db", lambda g: 2 * g), x, against=twin)
    assert [row.verdict for row in report.rows] == ["right", "right", "right", "disputed"]
    assert report.rows[3].outlier == "numeric"


# ── errors ───────────────────────────────────────────────────────────────────────────────────────


class NoBackward:
    def forward(self, x: Any) -> Any:
        return x


class Uncopied(handwritten.Sigmoid):
    def __deepcopy__(self, memo: Any) -> Any:
        raise TypeError("no")


class Raises(handwritten.Sigmoid):
    def forward(self, x: Any) -> Any:
        raise ValueError("bad x")


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: compare(handwritten.Affine, [1.0], against=ag.nn.Sigmoid()),
        CompareError,
        "Affine is a class that wants arguments (W, b), and a comparison wants a layer made of it",
    ),
    (
        lambda: compare(NoBackward(), [1.0], against=ag.nn.Sigmoid()),
        CompareError,
        "NoBackward has a forward pass and no backward pass",
    ),
    (
        lambda: compare(handwritten.Sigmoid(), against=ag.nn.Sigmoid()),
        CompareError,
        "no inputs",
    ),
    (
        lambda: compare(handwritten.Sigmoid(), ["a"], against=ag.nn.Sigmoid()),
        DTypeError,
        "input 0 has dtype <U1",
    ),
    (
        lambda: compare(handwritten.Sigmoid(), [1.0], against=3),
        CompareError,
        "against= is a int, and it is called with tensors",
    ),
    (
        lambda: compare(handwritten.Sigmoid(), [1.0], against=lambda x, q: x * q),
        CompareError,
        "against= takes an argument 'q', which is neither an input nor an attribute of the",
    ),
    (
        lambda: compare(handwritten.Sigmoid(), [1.0], against=ag.nn.Sigmoid(), cotangent=[[1.0]]),
        CompareError,
        "the cotangent has shape (1, 1), the output (1,)",
    ),
    (
        lambda: compare(Uncopied(), [1.0], against=ag.nn.Sigmoid()),
        CompareError,
        "Uncopied cannot be copied (TypeError: no at test_comparison.py:{line}), and a comparison",
    ),
    (
        lambda: compare(Raises(), [1.0], against=ag.nn.Sigmoid()),
        CompareError,
        "the forward pass of Raises raised ValueError: bad x at test_comparison.py:{line}",
    ),
    (lambda: gradcheck(ag.exp), CompareError, "no inputs"),
    (lambda: gradcheck(ag.exp, ["a"]), DTypeError, "input 0 has dtype <U1"),
    (
        lambda: gradcheck(ag.exp, [1.0], cotangent=[[1.0]]),
        CompareError,
        "the cotangent has shape (1, 1), the output (1,)",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_errors(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        call()
    found = str(caught.value).splitlines()[0]
    found = re.sub(r"(?<=py:)[0-9]+", "{line}", found)
    assert found.startswith(text)


# ── gradcheck ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ag.exp(x) * x,
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: ag.sum(x * x, axis=0),
        lambda x: (ag.sin(x), ag.cos(x).sum()),
        lambda x: ag.softplus(x) if hasattr(ag, "softplus") else ag.log1p(ag.exp(x)),
        lambda x: x - x,
        lambda x: ag.sin(x) ** 2 + ag.cos(x) ** 2,
        lambda x: ag.tensor(3.0) * ag.sum(ag.exp(x)) / ag.sum(ag.exp(x)),
        lambda x: ag.maximum(x, 0),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_gradcheck_passes_what_is_right(f: Any, dtype: Any) -> None:
    report = gradcheck(f, np.array([[1, -2], [0, 3]], dtype=dtype))
    assert report.ok, str(report)


def planted(change: Callable[[Any], Any], scale: float) -> Callable[[Any], Any]:
    """scale·x² whose gradient is changed by a detour that leaves the value alone."""

    def f(x: Any) -> Any:
        y = scale * x * x
        claimed = change(2 * scale * x.detach())
        return ag.stop_gradient(y) + claimed * (x - ag.stop_gradient(x))

    return f


@pytest.mark.parametrize("scale", SCALES)
def test_gradcheck_finds_planted_gradients(scale: float, rng: Any) -> None:
    x = rng.uniform(0.5, 2, 10)
    tenth = np.ones(10)
    tenth[3] = 1.1
    assert gradcheck(planted(lambda g: g, scale), x, order=1).ok
    for change in (lambda g: -g, lambda g: 2 * g, lambda g: g * tenth, lambda g: g * np.nan):
        report = gradcheck(planted(change, scale), x, order=1)
        assert report.rows[0].verdict == "wrong"


def test_gradcheck_asks_for_the_second_order(rng: Any) -> None:
    x = rng.uniform(0.5, 2, 3)
    # The first derivative is right, but a constant to the second.
    report = gradcheck(planted(lambda g: g, 1.0), x)
    assert not report.ok
    verdicts = {row.name: row.verdict for row in report.rows}
    assert verdicts["dx"] == "right"
    assert verdicts["order 2, dx"] == "wrong"


def test_gradcheck_of_several_inputs_and_a_kink() -> None:
    report = gradcheck(lambda a, b: ag.maximum(a * b, 0), [1, 0, 2], [3, 4, -5])
    assert report.ok, str(report)
    assert [row.name for row in report.rows[:2]] == ["da", "db"]
    assert report.rows[0].verdict == "legitimate choice"


def test_gradcheck_at_an_infinite_slope_does_not_pass() -> None:
    with np.errstate(all="ignore"):
        assert not gradcheck(ag.sqrt, [0.0, 1.0], order=1).ok


# ── the report ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def right() -> Comparison:
    return compare(
        handwritten.Affine(W, B),
        [[1, 1], [2, 3]],
        against=ag.nn.Affine(W, B),
        cotangent=np.array([[2, 1, -1], [1, 1, 1]]),
    )


@pytest.fixture
def wrong() -> Comparison:
    hand = Mutant(handwritten.Affine(W, B), "db", np.negative)
    return compare(hand, [[1, 1]], against=ag.nn.Affine(W, B), cotangent=np.array([[2, 1, -1]]))


def test_the_table_of_a_right_layer(right: Comparison) -> None:
    assert str(right) == (
        "Affine against Affine\n"
        "  cotangent given; tolerance 1e-09 of each row's largest element; numbers as the third "
        "referee\n"
        "\n"
        "           shape  max |Δ|  relative  worst at  automatic  hand-written  numeric  verdict\n"
        "  forward  (2,3)        0         0     (1,2)         33            33        –  right\n"
        "  dx       (2,2)        0         0     (1,1)         15            15       15  right\n"
        "  dW       (2,3)        0         0     (1,0)          5             5        5  right\n"
        "  db       (3,)         0         0      (0,)          3             3        3  right\n"
        "  relative: of the row's largest element; what decides stands above. On the familiar "
        "scale more than\n  1e-2 is usually wrong, 1e-4 fine where there are kinks, 1e-7 and less "
        "good\n"
        "\n"
        "right: 4 of 4 hold"
    )


def test_the_table_of_a_wrong_layer(wrong: Comparison) -> None:
    assert str(wrong) == (
        "Mutant against Affine\n"
        "  cotangent given; tolerance 1e-09 of each row's largest element; numbers as the third "
        "referee\n"
        "\n"
        "           shape  max |Δ|  relative  worst at  automatic  hand-written  numeric  verdict\n"
        "  forward  (1,3)        0         0     (0,2)         18            18        –  right\n"
        "  dx       (1,2)        0         0     (0,1)          7             7        7  right\n"
        "  dW       (2,3)        0         0     (0,0)          2             2        2  right\n"
        "  db       (3,)   4.0e+00   2.0e+00      (0,)          2            -2        2  wrong\n"
        "  relative: of the row's largest element; what decides stands above. On the familiar "
        "scale more than\n  1e-2 is usually wrong, 1e-4 fine where there are kinks, 1e-7 and less "
        "good\n"
        "\n"
        "  ✗ db: the sign is wrong in all 3 elements: it is −1 × the right one (tested: hand = "
        "−right,\n    element by element)\n"
        "  ✗ db: the hand-written one is wrong: the automatic one and the numbers agree (3 of 3 "
        "differ)\n"
        "\n"
        "wrong: 3 of 4 hold; look at db"
    )
    assert repr(wrong) == "<Comparison 'Mutant against Affine': wrong: 3 of 4 hold; look at db>"


def test_every_report_fits_a_hundred_columns(rng: Any) -> None:
    name = "a_rather_long_name_of_a_parameter_that_somebody_chose"
    shape = (1000, 1000, 1000, 1000)
    value = np.broadcast_to(np.float64(-1.23456e-108), shape)
    row = Row(
        *(name, "parameter", shape, "legitimate choice", 1.2e-100, 1.2e-100, 1e-9),
        (999, 999, 999, 999),
        automatic=value,
        hand=value,
        numeric=value,
    )
    text = "a sentence that goes on and on, " * 10
    report = Comparison("title " * 40, (row,), (Finding("info", name, text),), "settings " * 30)
    assert max(map(len, str(report).splitlines())) <= 100


def test_raise_if_wrong(right: Comparison, wrong: Comparison) -> None:
    assert right.raise_if_wrong() is right
    with pytest.raises(CompareError) as caught:
        wrong.raise_if_wrong()
    assert str(caught.value) == str(wrong)


def test_saved_as_json(wrong: Comparison, tmp_path: Path) -> None:
    path = wrong.save(tmp_path / "report.json")
    data = json.loads(path.read_text())
    assert (data["format"], data["schema"], data["ok"]) == ("autograd_lite.comparison", 1, False)
    row = data["rows"][3]
    assert (row["name"], row["verdict"], row["outlier"]) == ("db", "wrong", "hand-written")
    assert row["hand"] == [-2, -1, 1]
    assert row["automatic"] == [2, 1, -1]
    assert row["worst"] == [0]
    assert [(f["level"], f["cause"]) for f in data["findings"]] == [
        ("error", "sign"),
        ("error", ""),
    ]


def test_json_holds_nan_as_text(tmp_path: Path, rng: Any) -> None:
    hand, twin, x = affine(rng, 1, 1)
    report = compare(Mutant(hand, "db", lost), x, against=twin)
    row = json.loads(report.save(tmp_path / "a.json").read_text())["rows"][3]
    assert row["hand"][0] == "nan"
    assert row["max_abs"] == "nan"


def test_saved_as_markdown_and_html(wrong: Comparison, tmp_path: Path) -> None:
    text = wrong.save(tmp_path / "report.md").read_text()
    assert text.startswith("## Mutant against Affine\n")
    assert "| db | (3,) | 4.0e+00 | 2.0e+00 | (0,) | 2 | -2 | 2 | wrong |" in text
    page = wrong.save(str(tmp_path / "report.html")).read_text()
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert wrong._repr_html_().count("<tr>") == 5


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img onerror=x>', "a|b*c_d`e`"])
def test_hostile_names_are_harmless(name: str) -> None:
    row = Row(name, "input", (), "right", worst=(), automatic=1.0, hand=1.0)
    report = Comparison(name, (row,), (Finding("info", name, name),), name)
    html = report._repr_html_()
    tree = ET.fromstring(f"<root>{html}</root>")
    assert {e.tag for e in tree.iter()} <= {
        *("root", "style", "div", "h2", "p", "span", "table", "thead", "tbody", "tr", "th", "td"),
        *("ul", "li", "i", "b", "details", "summary", "pre"),
    }
    assert not [key for e in tree.iter() for key in e.attrib if key.startswith("on")]
    table = [line for line in report.markdown().splitlines() if line.startswith("| ")]
    assert all(line.replace("\\|", "").count("|") == 10 for line in table)


def test_saving_says_what_is_wrong(right: Comparison, tmp_path: Path) -> None:
    with pytest.raises(CompareError, match=r"a report is not written as '\.pdf'"):
        right.save(tmp_path / "report.pdf")
    with pytest.raises(CompareError, match="cannot be written: No such file or directory"):
        right.save(tmp_path / "none" / "report.md")
    assert not list(tmp_path.iterdir())


def test_a_report_is_frozen(right: Comparison) -> None:
    with pytest.raises(AttributeError):
        right.title = "other"  # type: ignore[misc]  # the test is that it is refused
    assert copy.copy(right).ok


# ── pytest ───────────────────────────────────────────────────────────────────────────────────────


def test_assert_gradients_match() -> None:
    twin = ag.nn.Affine(W, B)
    assert assert_gradients_match(handwritten.Affine(W, B), [[1, 1]], against=twin).ok
    assert assert_gradients_match(ag.exp, [0.5, 1.0], order=1).ok
    wrong = Mutant(handwritten.Affine(W, B), "dx", np.negative)
    with pytest.raises(AssertionError, match="look at dx"):
        assert_gradients_match(wrong, [[1, 1]], against=twin)
    with pytest.raises(AssertionError, match="gradcheck of f"):
        assert_gradients_match(planted(np.negative, 1.0), [1.0])
    with pytest.raises(AssertionError, match="look at dx"):
        assert_gradients_match(wrong, [[1, 1]])


def test_a_function_takes_its_parameters_from_the_layer_though_they_are_positional():
    hand = ag.handwritten.Affine(np.ones((2, 3)), np.ones(3))
    report = ag.compare(hand, np.array([[1, 1], [2, 3]]), against=ag.nn.affine)
    assert report.ok
    assert [row.name for row in report.rows] == ["forward", "dx", "dW", "db"]


# ── a layer against its own forward ──────────────────────────────────────────────────────────────


class SoftmaxLoss:
    """Labels are integers, and used as indices."""

    def forward(self, x, t):
        self.t = t
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return -np.log(self.y[np.arange(len(t)), t]).mean()

    def backward(self, dout=1.0):
        dx = self.y.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx * dout / len(self.t)


class SoftmaxLossWithoutMean(SoftmaxLoss):
    def backward(self, dout=1.0):
        return super().backward(dout) * len(self.t)


class Scaled:
    """A parameter that stands in a list too, and integers that are numbers."""

    def __init__(self):
        self.weight = np.array([1, 2, 3])
        self.params = [self.weight]

    def forward(self, x):
        self.x = x
        out = np.zeros_like(x, dtype=float)
        for i, w in enumerate(self.weight):
            out[:, i] += w * x[:, i]
        return out

    def backward(self, dout):
        self.dweight = (dout * self.x).sum(axis=0)
        return dout * self.weight


@pytest.mark.parametrize(
    ("layer", "inputs", "names"),
    [
        (handwritten.Affine(W, B), [[[1, 1], [2, 3]]], ["forward", "dx", "dW", "db"]),
        (handwritten.Sigmoid(), [[[1, -1], [2, 0]]], ["forward", "dx"]),
        (handwritten.ReLU(), [[[1, -1], [2, 0]]], ["forward", "dx"]),
        (SoftmaxLoss(), [[[0.1, 2.0], [1.0, -1.0]], [1, 0]], ["forward", "dx"]),
        (Scaled(), [[[1, 2, 3], [4, 5, 6]]], ["forward", "dx", "dweight"]),
    ],
)
def test_right_layers_are_right_against_their_own_forward(layer, inputs, names):
    report = compare(layer, *inputs)
    assert report.ok, report
    assert [row.name for row in report.rows] == names
    assert all(row.numeric is not None for row in report.rows[1:])
    assert "its own forward, traced" in report.title


def test_wrong_layers_are_wrong_against_their_own_forward():
    report = compare(SoftmaxLossWithoutMean(), [[0.1, 2.0], [1.0, -1.0]], [1, 0])
    assert [row.name for row in report.rows if not row.ok] == ["dx"]
    assert report.rows[1].outlier == "hand-written"
    wrong = Mutant(handwritten.Affine(W, B), "dW", lambda g: 2 * g)
    report = compare(wrong, [[1, 1], [2, 3]])
    assert [row.name for row in report.rows if not row.ok] == ["dW"]


def test_what_cannot_be_traced_says_so():
    with pytest.raises(CompareError, match="forward pass of Raises raised ValueError: bad x"):
        compare(Raises(), [1.0])


def test_labels_are_positions_for_a_function_to_compare_with_too() -> None:
    def cross_entropy(x: Any, t: Any) -> Any:
        return -ag.mean(ag.nn.log_softmax(x)[np.arange(len(t)), t])

    x, t = np.random.default_rng(0).normal(size=(4, 3)), np.array([0, 1, 2, 1])
    hand = ag.derive(cross_entropy, x, t).layer()
    assert ag.compare(hand, x, t, against=cross_entropy).verdict == "right: 2 of 2 hold"
