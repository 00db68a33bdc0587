"""What is passed wrongly: the error says what was tried and what to pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_lite import handwritten
from autograd_lite.comparison import compare
from autograd_lite.errors import AutogradError, CompareError, DTypeError

W, B, X = np.ones((6, 2)), np.zeros(2), np.arange(24.0).reshape(4, 6)


class ForwardOnly:
    def forward(self, x: Any) -> Any:
        return 2 * x

    def train(self) -> None:
        pass


class Gives(ForwardOnly):
    def __init__(self, result: Any) -> None:
        self.result = result

    def forward(self, x: Any) -> Any:
        return self.result

    def backward(self, dout: Any) -> Any:
        return dout


class Product:
    """Its parameter and the gradient of it have names that nobody guesses."""

    def __init__(self) -> None:
        self.q = W.copy()

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.q

    def backward(self, dout: Any) -> Any:
        self.found = self.x.T @ dout
        return dout @ self.q.T


ERRORS: list[tuple[Any, tuple[Any, ...], type[AutogradError], list[str]]] = [
    (
        handwritten.Affine(W, B),
        (X[:, :5],),
        CompareError,
        ["cannot reshape", "called with x (4, 5); the layer holds W (6, 2), b (2,)"],
    ),
    (
        ForwardOnly(),
        (X,),
        CompareError,
        ["ForwardOnly has a forward pass and no backward pass", "its methods: forward, train"],
    ),
    (Gives(None), (X,), CompareError, ["gave None, and no array", "let it return its output"]),
    (Gives({"y": X, "n": 1}), (X,), CompareError, ["gave a dict with 'y', 'n', and no array"]),
    (handwritten.ReLU(), ([[1, 2], [3]],), DTypeError, ["input 0 is a list of lists of several"]),
    (handwritten.ReLU(), ("abc",), CompareError, ["called with str"]),
    (handwritten.ReLU(), (np.array([object()]),), DTypeError, ["pass arrays of numbers"]),
    (handwritten.Affine, (X,), CompareError, ["wants arguments (W, b)", "Affine(W, b)"]),
    (handwritten.ReLU(), (X, X), CompareError, ["takes 2 positional arguments but 3", "x1 (4, 6)"]),
    (3, (X,), CompareError, ["int is written in no convention", "known: "]),
]


@pytest.mark.parametrize(("hand", "inputs", "error", "texts"), ERRORS, ids=range(len(ERRORS)))
def test_errors_say_what_to_pass(hand: Any, inputs: Any, error: Any, texts: list[str]) -> None:
    with pytest.raises(error) as caught:
        compare(hand, *inputs)
    for text in texts:
        assert text in str(caught.value)


def test_parameters_that_were_not_found_are_asked_for() -> None:
    report = compare(Product(), X)
    assert any('gradients={"q": "found"}' in f.text for f in report.findings)
    report = compare(Product(), X, gradients={"q": "found"})
    assert report.ok
    assert [row.name for row in report.rows] == ["forward", "dx", "dq"]


def test_a_place_where_nothing_stands() -> None:
    report = compare(Product(), X, gradients={"q": "nowhere"})
    assert not report.ok
    [finding] = [f for f in report.findings if f.level == "error"]
    assert (finding.subject, finding.cause) == ("dq", "missing")
    assert "lies at 'nowhere', where nothing is after backward" in finding.text
