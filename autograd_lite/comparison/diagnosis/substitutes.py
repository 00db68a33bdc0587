"""Common mistakes in a local derivative: what people write instead of the right one.

Knows: expressions of the input x, the output y and the right derivative d of an element by element
function.
Does not know: graphs.
Imports: NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["SUBSTITUTES"]


def _the_rest(x: Any, y: Any, d: Any, g: Any) -> Any:
    return 1 - d


def _squared_sigmoid(x: Any, y: Any, d: Any, g: Any) -> Any:
    return np.where(np.allclose(d, y * (1 - y)), y * y, np.nan)


def _sigmoid_twice(x: Any, y: Any, d: Any, g: Any) -> Any:
    s = 1 / (1 + np.exp(-y))
    return s * (1 - s)


# Text, and function of (x, y, d, g): g is the gradient that arrives.
SUBSTITUTES: tuple[tuple[str, str, Callable[[Any, Any, Any, Any], Any]], ...] = (
    ("local derivative", "1", lambda x, y, d, g: np.ones_like(d)),
    ("local derivative", "x(1 − x), where y(1 − y) is meant", lambda x, y, d, g: x * (1 - x)),
    ("local derivative", "1 − x², where 1 − y² is meant", lambda x, y, d, g: 1 - x * x),
    ("local derivative", "1 − y, where 1 − y² is meant", lambda x, y, d, g: 1 - y),
    ("local derivative", "y, a factor lost", lambda x, y, d, g: y),
    ("local derivative", "y(1 − y)", lambda x, y, d, g: y * (1 - y)),
    ("local derivative", "y², where y(1 − y) is meant: y for 1 − y", _squared_sigmoid),
    ("local derivative", "y², where 1 − y² is meant", lambda x, y, d, g: y * y),
    ("local derivative", "1 − y²", lambda x, y, d, g: 1 - y * y),
    ("local derivative", "y(1 − x)", lambda x, y, d, g: y * (1 - x)),
    ("local derivative", "x(1 − y)", lambda x, y, d, g: x * (1 - y)),
    ("local derivative", "y(1 − y²)", lambda x, y, d, g: y * (1 - y * y)),
    ("local derivative", "y²(1 − y)", lambda x, y, d, g: y * y * (1 - y)),
    ("local derivative", "y²", lambda x, y, d, g: y**2),
    ("sign", "1 + y², a sign", lambda x, y, d, g: 1 + y * y),
    ("sign", "y(1 + y), a sign", lambda x, y, d, g: y * (1 + y)),
    ("local derivative", "σ(y)(1 − σ(y)): the sigmoid is taken twice", _sigmoid_twice),
    (
        "local derivative",
        "1 − tanh²(y): the tanh is taken twice",
        lambda x, y, d, g: 1 - np.tanh(y) ** 2,
    ),
    ("local derivative", "1 − 2y", lambda x, y, d, g: 1 - 2 * y),
    ("local derivative", "x, the input itself", lambda x, y, d, g: x),
    ("local derivative", "1 − x", lambda x, y, d, g: 1 - x),
    ("local derivative", "2x", lambda x, y, d, g: 2 * x),
    ("local derivative", "x²", lambda x, y, d, g: x * x),
    ("local derivative", "exp(x)", lambda x, y, d, g: np.exp(x)),
    ("local derivative", "1/x", lambda x, y, d, g: 1 / x),
    ("local derivative", "1/x²", lambda x, y, d, g: 1 / (x * x)),
    ("local derivative", "−1/x", lambda x, y, d, g: -1 / x),
    ("local derivative", "its own inverse, a division for a product", lambda x, y, d, g: 1 / d),
    ("local derivative", "its own square, a factor twice", lambda x, y, d, g: d * d),
    ("mask", "1 where the gradient is positive", lambda x, y, d, g: (g > 0) * 1.0),
    ("mask", "1 where the input is negative", lambda x, y, d, g: (x < 0) * 1.0),
    ("mask", "the right one where the gradient is positive", lambda x, y, d, g: d * (g > 0)),
    ("local derivative", "1 − d, where d is the right one: the wrong way round", _the_rest),
)
