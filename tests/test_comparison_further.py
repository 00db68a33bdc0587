"""What one comparison at one point does not show: kinks, other cotangents, float64, own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_lite import handwritten, nn
from autograd_lite.comparison import Comparison, compare

rng = np.random.default_rng(0)
X = rng.standard_normal((4, 6))
W, B = rng.standard_normal((6, 2)), rng.standard_normal(2)


def said(report: Comparison, level: str) -> list[str]:
    return [f"{f.subject}: {f.text}" for f in report.findings if f.level == level]


# ── beside the point ─────────────────────────────────────────────────────────────────────────────


class ZeroBias:
    """A ReLU of a bias that is 0: there every share of the gradient is a choice."""

    def __init__(self, share: float, slope: float = 1.0) -> None:
        self.b, self.share, self.slope = np.zeros(3), share, slope

    def forward(self, x: Any) -> Any:
        return x + np.maximum(self.b, 0)

    def backward(self, dout: Any) -> Any:
        local = np.where(self.b == 0, self.share, self.slope * (self.b > 0))
        self.db = local * dout.sum(axis=0)
        return 1 * dout


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_choice_at_a_kink_is_none_beside_it(share: float) -> None:
    x = rng.standard_normal((2, 3))
    right, wrong = compare(ZeroBias(share), x), compare(ZeroBias(share, slope=0.5), x)
    assert right.ok, right
    assert not wrong.ok
    assert all("db: beside the point: " in text for text in said(wrong, "error"))
    assert any(f.cause == "factor" for f in wrong.findings)


class BlindCotangent:
    """Wrong only where a cotangent is negative."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return x**2

    def backward(self, dout: Any) -> Any:
        return 2 * self.x * np.maximum(dout, 0)


def test_another_cotangent_shows_what_one_does_not() -> None:
    report = compare(BlindCotangent(), X, cotangent=np.ones(X.shape))
    assert report.rows[1].ok
    assert not report.ok
    assert any("dx: with another cotangent: " in text for text in said(report, "error"))


class HeldLabels:
    """The formula takes the labels' sum to be 1; they have no gradient and must not be moved."""

    def __init__(self) -> None:
        self.t = np.array([[0.2, 0.8], [0.5, 0.5]])

    def forward(self, x: Any) -> Any:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return -np.sum(self.t * np.log(self.y))

    def backward(self, dout: Any = 1) -> Any:
        return dout * (self.y - self.t)


def test_labels_stay_what_they_are() -> None:
    report = compare(HeldLabels(), rng.standard_normal((2, 2)))
    assert report.ok, report


# ── float32 ──────────────────────────────────────────────────────────────────────────────────────


def float32(*arrays: Any) -> list[Any]:
    return [np.asarray(a, np.float32) for a in arrays]


class Summed(handwritten.Affine):
    """Adds up its bias gradient in another order: in pairs, along contiguous rows."""

    def backward(self, dout: Any) -> Any:
        dx = super().backward(dout)
        self.db = np.ascontiguousarray(dout.T).sum(axis=1)
        return dx


def test_rounding_is_told_from_a_mistake() -> None:
    w, b = float32(W, B)
    x = np.random.default_rng(0).standard_normal((100_000, 6)).astype(np.float32)
    cotangent = np.full((100_000, 2), 0.1, np.float32)
    report = compare(Summed(w, b), x, cotangent=cotangent, numeric=False)
    db = report.rows[3]
    assert 1e-4 < db.max_rel < 6e-3
    assert db.verdict == "approximately right"
    assert any(
        "db: right in float64: the difference is float32 rounding of a sum over 100,000 terms"
        in text
        and "expected ≤ 6e-03" in text
        for text in said(report, "info")
    )
    assert not any(text.startswith("db") for text in said(report, "error"))


class Slightly(handwritten.Affine):
    def backward(self, dout: Any) -> Any:
        dx = super().backward(dout)
        self.dW = self.dW * self.dW.dtype.type(1.00003)
        return dx


def test_a_mistake_that_float32_hides_is_found_in_float64() -> None:
    w, b, x = float32(W, B, X)
    report = compare(Slightly(w, b), x)
    assert report.rows[2].ok
    assert not report.ok
    assert [f.cause for f in report.findings if f.level == "error"] == ["factor"]
    assert "dW: wrong in float64 as well: it is 1.00003 ×" in said(report, "error")[0]


def test_right_in_both() -> None:
    w, b, x = float32(W, B, X)
    report = compare(handwritten.Affine(w, b), x)
    assert report.ok
    assert any(text.startswith("float32: right in float64 too") for text in said(report, "info"))


def test_wrong_in_both() -> None:
    w, b, x = float32(W, B, X)
    layer = Slightly(w, b)
    layer.__class__ = type("Twice", (Slightly,), {"backward": _twice})
    report = compare(layer, x)
    assert "dW: wrong in float64 as well" in said(report, "info")


def _twice(self: Any, dout: Any) -> Any:
    dx = handwritten.Affine.backward(self, dout)
    self.dW = 2 * self.dW
    return dx


class Inside(handwritten.Affine):
    def forward(self, x: Any) -> Any:
        return super().forward(np.asarray(x, "f")).astype("f")


def test_a_layer_that_is_float32_inside() -> None:
    w, b, x = float32(W, B, X)
    report = compare(Inside(w, b), x)
    assert report.ok
    assert any("computes in short floats all the same" in text for text in said(report, "info"))


# ── a network's own numbers ──────────────────────────────────────────────────────────────────────


def numerical(f: Any, x: Any, h: float, kind: str) -> Any:
    g = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        kept = x[i]
        x[i] = kept + h
        above = f()
        x[i] = kept - h
        below = f()
        x[i] = kept
        if kind == "one-sided":
            g[i] = (above - f()) / h
        else:
            g[i] = (above - below) / (h if kind == "h for 2h" else 2 * h)
        if kind == "kept":
            x[i] = kept + h
    return g


class Net:
    def __init__(self, h: float = 1e-4, kind: str = "central") -> None:
        make = np.random.default_rng(3).standard_normal
        self.params = {"W": make((6, 3)), "b": np.zeros(3)}
        self.h, self.kind = h, kind

    def predict(self, x: Any) -> Any:
        a = x @ self.params["W"] + self.params["b"]
        e = np.exp(a - a.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def loss(self, x: Any, t: Any) -> Any:
        return -np.sum(t * np.log(self.predict(x) + 1e-7)) / len(x)

    def gradient(self, x: Any, t: Any) -> Any:
        dy = (self.predict(x) - t) / len(x)
        return {"W": x.T @ dy, "b": dy.sum(axis=0)}

    def numerical_gradient(self, x: Any, t: Any) -> Any:
        loss = lambda: self.loss(x, t)
        return {k: numerical(loss, p, self.h, self.kind) for k, p in self.params.items()}


T = np.eye(3)[[0, 2, 1, 2]]


def test_a_right_numerical_gradient() -> None:
    report = compare(Net(), X, T)
    assert report.ok, report
    assert any("numerical_gradient: right: within" in text for text in said(report, "info"))


@pytest.mark.parametrize(
    ("net", "cause", "words"),
    [
        (Net(kind="one-sided"), "numerical gradient", "one-sided, so that its error grows with h"),
        (Net(kind="h for 2h"), "numerical gradient", "twice too large"),
        (Net(h=1e-1), "numerical gradient", "with h = 1e-01, too large a step"),
        (Net(h=1e-11), "numerical gradient", "with h = 1e-11, too small a step"),
        (Net(kind="kept"), "not restored", "put each value back"),
    ],
)
def test_what_is_wrong_with_a_numerical_gradient(net: Net, cause: str, words: str) -> None:
    report = compare(net, X, T)
    assert report.ok  # the gradient is right; it is the check that is not
    found = [f for f in report.findings if f.subject == "numerical_gradient"]
    assert found[0].cause == cause
    assert words in found[0].text
    assert found[0].level == "warning"


def test_a_large_network_is_not_asked_for_its_numbers() -> None:
    net = Net()
    net.params["W"] = rng.standard_normal((6, 1_000))
    net.params["b"] = np.zeros(1_000)
    report = compare(net, X, np.eye(1_000)[[0, 2, 1, 2]], numeric=False)
    assert "numerical_gradient: not called: for 7,000 parameters" in " ".join(said(report, "info"))


@pytest.mark.parametrize(("share", "ok"), [("whole", False), ("split", True), ("first", True)])
def test_elements_that_are_tied_at_zero(share: str, ok: bool) -> None:
    class Max:
        def forward(self, x: Any) -> Any:
            self.x = x
            return x.max(axis=1, keepdims=True)

        def backward(self, dout: Any) -> Any:
            tied = (self.x == self.x.max(axis=1, keepdims=True)) * 1.0
            if share == "split":
                tied /= tied.sum(axis=1, keepdims=True)
            elif share == "first":
                tied *= np.cumsum(tied, axis=1) == 1
            return tied * dout

    assert compare(Max(), np.array([[0, 0, -1], [0, 0, 0], [3, 1, 2]])).ok is ok


class TripledAffine:
    """An affine layer whose `dx` is tripled, which weights of 0 hide."""

    def __init__(self, dtype: str) -> None:
        self.W, self.b = np.zeros((3, 2), dtype), np.zeros(2, dtype)

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout: Any) -> Any:
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return 3 * dout @ self.W.T


@pytest.mark.parametrize("against", [None, nn.affine, nn.Affine(np.zeros((3, 2)), np.zeros(2))])
def test_a_twin_that_is_given_hides_nothing(against: Any) -> None:
    x = np.ones((4, 3), "f")
    report = compare(TripledAffine("f"), x, against=against)
    found = {f.cause: f.text for f in report.findings if f.subject == "dx"}
    assert found["factor"] == "beside the point: it is 3 × the right one in all 12 elements"
    assert all(row.ok for row in report.rows)
    assert any(f.subject == "float32" and "right in float64" in f.text for f in report.findings)
