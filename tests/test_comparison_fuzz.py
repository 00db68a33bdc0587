"""`fuzz=`: mistakes that the given inputs hide are found on others, and right layers stay right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import handwritten
from autograd_lite.comparison import Comparison, compare
from autograd_lite.comparison.adapters.inputs import Inputs
from autograd_lite.comparison.variations import KINDS, free_axes, kinds_of
from autograd_lite.errors import CompareError

rng = np.random.default_rng(0)
W, B, X = rng.standard_normal((6, 2)), rng.standard_normal(2), rng.standard_normal((4, 6))


def fuzz_findings(report: Comparison, level: str = "error") -> dict[str, str]:
    """What was found on other inputs: cause by the name of the variation."""
    return {
        f.subject.removeprefix("fuzz, "): f.cause
        for f in report.findings
        if f.level == level and f.subject.startswith("fuzz, ")
    }


def softmax_loss(x: Any, y: Any) -> Any:
    z = x - x.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    n = np.arange(len(y))
    dx = np.exp(logp)
    dx[n, y] -= 1
    return -logp[n, y].mean(), dx / len(y)


def affine_forward(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b, (x, w)


def affine_backward(dout: Any, cache: Any) -> Any:
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


RIGHT = {
    "affine": (handwritten.Affine(W, B), X),
    "affine of two axes": (handwritten.AffineSimple(W, B), X),
    "relu": (handwritten.ReLU(), X),
    "sigmoid": (handwritten.Sigmoid(), X),
    "pair": ((affine_forward, affine_backward), X, W, B),
    "loss with labels": (softmax_loss, X, np.array([0, 5, 1, 3])),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_right_layers_are_right_on_all_inputs(name: str) -> None:
    hand, *inputs = RIGHT[name]
    report = compare(hand, *inputs, fuzz=True)
    assert report.ok, report
    assert not fuzz_findings(report, "warning")
    [summary] = [f for f in report.findings if f.subject == "fuzz"]
    assert int(summary.text.removeprefix("right on ").split()[0]) >= 12


class FixedBatch(handwritten.Affine):
    """Divides by the batch size of the day it was written."""

    def backward(self, dout: Any) -> Any:
        dx = super().backward(dout)
        self.dW = self.dW * 4 / len(dout)
        return dx


def test_a_batch_size_that_is_built_in() -> None:
    layer = FixedBatch(W, B)
    assert compare(layer, X).ok
    report = compare(layer, X, fuzz="batch")
    assert fuzz_findings(report) == {f"a batch of {n} (axis 0 of x)": "factor" for n in (1, 2, 7)}
    assert not report.ok
    with pytest.raises(CompareError, match="a batch of 7"):
        report.raise_if_wrong()


def test_the_code_of_a_finding_shows_it_again() -> None:
    layer = FixedBatch(W, B)
    report = compare(layer, X, fuzz=["batch", "shape"])
    found = [f for f in report.findings if f.reproduce]
    assert len(found) >= 4
    for finding in found:
        names = {"np": np, "ag": ag, "layer": layer, "x": X}
        exec(finding.reproduce, names)
        assert not names["report"].ok
        assert names["x"] is not X


class TimeMajor:
    """(T, N, D) with a state (N, D): the batch is the second axis."""

    def forward(self, x: Any, h: Any) -> Any:
        self.x = x
        return np.cumsum(x, axis=0) + h

    def backward(self, dout: Any) -> Any:
        scale = 1 if dout.shape[1] == 2 else 2
        return np.cumsum(dout[::-1], axis=0)[::-1], scale * dout.sum(axis=0)


def test_which_axes_belong_together_is_found() -> None:
    x, h = rng.standard_normal((5, 2, 3)), rng.standard_normal((2, 3))
    layer = TimeMajor()

    def forward(arrays: Any) -> Any:
        try:
            return (layer.forward(*arrays),)
        except ValueError:
            return None

    given = Inputs([x, h], ["x", "h"])
    groups = [set(group) for group in free_axes(forward, given.arrays, [0, 1])]
    assert groups == [{(0, 0)}, {(0, 1), (1, 0)}, {(0, 2), (1, 1)}]
    report = compare(layer, x, h, fuzz="shape")
    assert set(fuzz_findings(report).values()) == {"factor"}


class Truncated:
    def forward(self, x: Any) -> Any:
        self.x = x
        return 1.5 * x

    def backward(self, dout: Any) -> Any:
        dx = np.zeros_like(self.x)
        dx[...] = 1.5 * dout
        return dx


def test_a_buffer_of_integers() -> None:
    assert compare(Truncated(), X).ok
    report = compare(Truncated(), X, fuzz="dtype")
    assert "integers" in fuzz_findings(report)


class Raw:
    """Reads its input as it lies in memory."""

    def forward(self, x: Any) -> Any:
        self.shape = x.shape
        return x.ravel(order="K") * np.arange(x.size)

    def backward(self, dout: Any) -> Any:
        return (dout * np.arange(dout.size)).reshape(self.shape)


def test_the_order_in_memory() -> None:
    assert compare(Raw(), X).ok
    assert fuzz_findings(compare(Raw(), X, fuzz="layout")) == {
        "Fortran order inputs": "memory order"
    }


class InPlace:
    def forward(self, x: Any) -> Any:
        self.x = x
        return x**2

    def backward(self, dout: Any) -> Any:
        self.x *= 2 * dout
        return self.x


def test_a_backward_that_writes_into_its_input() -> None:
    report = compare(InPlace(), X, fuzz="layout")
    assert fuzz_findings(report) == {"read-only inputs": "exception"}


class Unstable:
    def forward(self, x: Any) -> Any:
        e = np.exp(x)
        self.y = e / e.sum(axis=1, keepdims=True)
        return self.y

    def backward(self, dout: Any) -> Any:
        return self.y * (dout - (dout * self.y).sum(axis=1, keepdims=True))


def test_an_overflow_is_told_and_not_called_a_wrong_gradient() -> None:
    report = compare(Unstable(), X, fuzz="extreme")
    assert report.ok
    assert fuzz_findings(report, "warning") == {"values of ±1000": "overflow"}


class WrongAtTies:
    def forward(self, x: Any) -> Any:
        self.x, self.y = x, x.max(axis=1, keepdims=True)
        return self.y[:, 0]

    def backward(self, dout: Any) -> Any:
        return (self.x == self.y) * dout[:, None]


def test_ties() -> None:
    assert compare(WrongAtTies(), X).ok
    assert fuzz_findings(compare(WrongAtTies(), X, fuzz="extreme"))["values of ±1000"] == "ties"


class TakesFour:
    """Flattens in the forward pass, and forgets to give the gradient its shape again."""

    def forward(self, x: Any) -> Any:
        self.x = x.reshape(len(x), -1)
        return self.x @ W

    def backward(self, dout: Any) -> Any:
        return dout @ W.T


def test_four_axes_where_the_layer_takes_them() -> None:
    report = compare(TakesFour(), X, fuzz="4-D")
    assert report.ok  # nobody said that it is for images
    assert list(fuzz_findings(report, "warning")) == ["4-D (4, 2, 1, 3)"]
    [finding] = [f for f in report.findings if f.reproduce]
    assert "shape (4, 6)" in finding.text
    refused = compare(handwritten.AffineSimple(W, B), X, fuzz="4-D")
    assert "not taken by the forward pass" in refused.findings[-1].text


class AlwaysWrong(handwritten.Affine):
    def backward(self, dout: Any) -> Any:
        return -super().backward(dout)


def test_what_is_known_already_is_not_told_again() -> None:
    report = compare(AlwaysWrong(W, B), X, fuzz="batch")
    assert not report.ok
    assert not fuzz_findings(report)


def test_nothing_is_asked_without_fuzz() -> None:
    assert not [f for f in compare(FixedBatch(W, B), X).findings if "fuzz" in f.subject]


def test_what_fuzz_takes() -> None:
    assert kinds_of(True) == KINDS
    assert kinds_of(("shape", "batch")) == ("batch", "shape")
    with pytest.raises(CompareError, match=r"fuzz= does not know 'sizes'"):
        compare(handwritten.ReLU(), X, fuzz="sizes")
