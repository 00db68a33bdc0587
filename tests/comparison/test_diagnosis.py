"""Reasons that need more than two arrays: ties, an epsilon, a second call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag


class Largest:
    """The maximum of each row; how a tie is shared is the subclass's."""

    def forward(self, x: Any) -> Any:
        self.x, self.y = x, x.max(axis=1, keepdims=True)
        return self.y[:, 0]


class ToAll(Largest):
    def backward(self, dout: Any) -> Any:
        return (self.x == self.y) * dout[:, None]


class Shared(Largest):
    def backward(self, dout: Any) -> Any:
        tied = self.x == self.y
        return tied * dout[:, None] / tied.sum(axis=1, keepdims=True)


class ReLU:
    """The gradient passes at 0, where ours does not."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout: Any) -> Any:
        return dout * (self.x >= 0)


TIES = np.array([[1, 2, 2], [3, 3, 3], [0, 1, 0]])


def test_the_whole_gradient_to_every_tied_element_is_found() -> None:
    report = ag.compare(ToAll(), TIES)
    assert not report.ok
    assert report.findings[0].cause == "ties"


@pytest.mark.parametrize("layer", [Shared(), ReLU()], ids=["shared", "relu at 0"])
def test_a_choice_at_a_kink_is_legitimate(layer: Any) -> None:
    report = ag.compare(layer, TIES - 1)
    assert report.ok, str(report)
    assert report.rows[1].verdict == "legitimate choice"


class CrossEntropy:
    """The textbook's: its backward pass leaves the epsilon out."""

    def __init__(self, epsilon: float) -> None:
        self.epsilon = epsilon

    def forward(self, x: Any, t: Any) -> Any:
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.sum(t * np.log(self.y + self.epsilon)) / len(x)

    def backward(self, dout: float = 1.0) -> Any:
        return dout * (self.y - self.t) / len(self.t)


def test_an_epsilon_is_told_from_a_mistake(rng: np.random.Generator) -> None:
    x, t = rng.standard_normal((4, 3)), np.eye(3, dtype=int)[[0, 2, 1, 1]]
    report = ag.compare(CrossEntropy(1e-7), x, t)
    assert report.ok, str(report)
    assert report.rows[1].verdict == "approximately right"
    assert not ag.compare(CrossEntropy(1e-2), x, t).ok


class Centred:
    """The path through the mean is missing."""

    def forward(self, x: Any) -> Any:
        return x - x.mean(axis=1, keepdims=True)

    def backward(self, dout: Any) -> Any:
        return dout.copy()


def test_the_picture_marks_the_step_where_the_mistake_was_made(rng: np.random.Generator) -> None:
    report = ag.compare(Centred(), rng.standard_normal((2, 3)))
    step = report.ordered[0].step
    assert step is not None
    assert step.op.name == "mean"
    drawn = ag.draw(report).svg
    assert drawn.count("wrong here: missing term") == 1
    assert "step" not in report.as_dict()["findings"][0]


class Keeping:
    """Its first input stays for ever."""

    x: Any = None

    def forward(self, x: Any) -> Any:
        self.x = x if self.x is None else self.x
        return x**3

    def backward(self, dout: Any) -> Any:
        return 3 * dout * self.x**2


def test_a_stale_cache_shows_at_the_second_call(rng: np.random.Generator) -> None:
    report = ag.compare(Keeping(), rng.standard_normal((4, 3)))
    assert all(row.ok for row in report.rows)
    assert not report.ok
    assert [f.cause for f in report.findings if f.level == "error"] == ["stale cache"]
