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


# ── what single elements of dout do ──────────────────────────────────────────────────────────────


class Tanh:
    """How backward uses dout is the subclass's."""

    def forward(self, x: Any) -> Any:
        self.y = np.tanh(x)
        return self.y


class Lumped(Tanh):
    def backward(self, dout: Any) -> Any:
        return dout.sum() * (1 - self.y**2)


class Softmax:
    def forward(self, x: Any) -> Any:
        e = np.exp(x)
        self.y = e / e.sum(axis=1, keepdims=True)
        return self.y


class OtherAxis(Softmax):
    def backward(self, dout: Any) -> Any:
        return self.y * (dout - (dout * self.y).sum(axis=0, keepdims=True))


class Diagonal(Softmax):
    def backward(self, dout: Any) -> Any:
        return dout * self.y * (1 - self.y)


class Windows:
    """Overlapping windows, of which the last one stays."""

    def forward(self, x: Any) -> Any:
        self.shape = x.shape
        return np.stack([x[:, i : i + 2].sum(axis=1) for i in range(x.shape[1] - 1)], axis=1)

    def backward(self, dout: Any) -> Any:
        dx = np.zeros(self.shape)
        for i in range(dout.shape[1]):
            dx[:, i : i + 2] = dout[:, i : i + 1]
        return dx


class Backwards:
    def forward(self, x: Any) -> Any:
        return np.cumsum(x, axis=1)

    def backward(self, dout: Any) -> Any:
        return np.cumsum(dout, axis=1)


class LastColumnHalved:
    def forward(self, x: Any) -> Any:
        self.x = x
        return x**2

    def backward(self, dout: Any) -> Any:
        dx = 2 * self.x * dout
        dx[:, -1] /= 2
        return dx


@pytest.mark.parametrize(
    ("layer", "cause", "words"),
    [
        (Lumped(), "upstream ignored", "as if it were one number"),
        (OtherAxis(), "wrong axis", "wrong axis"),
        (Diagonal(), "missing sum", "the sum over axis 1"),
        (Windows(), "accumulation", "the last one alone stays"),
        (Backwards(), "order", "Jacobian is transposed"),
        (LastColumnHalved(), "factor", "0.5 × the right one"),
    ],
    ids=lambda value: type(value).__name__ if hasattr(value, "forward") else "",
)
def test_reasons_name_what_is_seen(
    layer: Any, cause: str, words: str, rng: np.random.Generator
) -> None:
    first = ag.compare(layer, rng.standard_normal((4, 3))).ordered[0]
    assert first.cause == cause
    assert words in first.text
    assert first.tested


def wave_forward(x: Any, w: Any) -> Any:
    z = x @ w
    return np.cos(z).sum(axis=1), (x, w, z)


def wave_backward(dout: Any, cache: Any) -> Any:
    x, w, z = cache
    dz = -dout[:, None] * np.sin(z) * np.cosh(z)
    return dz @ w.T, x.T @ dz


def test_several_errors_are_traced_back_to_one_step(rng: np.random.Generator) -> None:
    x, w = rng.standard_normal((4, 3)), rng.standard_normal((3, 2))
    first = ag.compare((wave_forward, wave_backward), x, w).ordered[0]
    assert first.cause == "place"
    assert first.subject == "dx, dw"
    assert first.step is not None
    assert first.step.op.name == "matmul"


def test_a_wrong_forward_with_right_gradients_is_said_so(rng: np.random.Generator) -> None:
    class Risen(Backwards):
        def forward(self, x: Any) -> Any:
            return np.cumsum(x, axis=1) + 1

        def backward(self, dout: Any) -> Any:
            return np.cumsum(dout[:, ::-1], axis=1)[:, ::-1]

    x = rng.standard_normal((4, 3))
    first = ag.compare(Risen(), x, against=lambda x: ag.cumsum(x, axis=1)).ordered[0]
    assert first.cause == "forward"
    assert "1 is added to every element" in first.text


class GuardedCrossEntropy:
    """Softmax with cross-entropy; its gradient knows neither of the mean nor of the 1e-7."""

    def forward(self, x: Any, t: Any) -> Any:
        z = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = z / z.sum(axis=1, keepdims=True), t
        return -np.sum(t * np.log(self.y + 1e-7)) / len(x)

    def backward(self, dout: float = 1.0) -> Any:
        return dout * (self.y - self.t)


def test_a_factor_is_seen_through_an_epsilon(rng: np.random.Generator) -> None:
    report = ag.compare(GuardedCrossEntropy(), rng.standard_normal((4, 3)), np.eye(3)[[0, 2, 1, 1]])
    first = report.ordered[0]
    assert first.cause == "factor"
    assert "almost 4 × the right one" in first.text
    assert "4 is the batch size" in first.text
