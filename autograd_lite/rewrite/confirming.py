"""Rules held against numbers: whether they are right, and whether they keep range.

Imports errors and rule.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import AutogradError
from autograd_lite.rewrite.rule import LocalRule
from autograd_lite.shapes import Shape

__all__ = ["agrees", "confirmed", "keeps_range"]


def confirmed(rule: LocalRule) -> bool:
    """Whether the rule agrees with the unsimplified derivative on numbers of several kinds."""
    rng = np.random.default_rng(2)
    shapes = [node.shape for node in rule.region.inputs]

    def whole(shape: Shape) -> Any:
        """Whole numbers, ties and a zero among them."""
        array = rng.integers(-2, 3, size=shape).astype(float)
        array[(0,) * len(shape)] = 0.0
        return array

    draws = (
        lambda shape: rng.normal(size=shape),
        lambda shape: rng.uniform(0.2, 3.0, size=shape),
        whole,
    )
    informed = False
    for draw in draws:
        cotangent = rng.normal(size=rule.region.cotangent.shape)[()]
        arrays = rule.region.given([np.asarray(draw(shape))[()] for shape in shapes])
        try:
            short, slow = rule.both(arrays, cotangent)
        except (AutogradError, ValueError, TypeError):  # shapes, or conditions, that do not fit
            return False
        defined = np.isfinite(slow)
        informed |= bool(np.any(defined)) or not defined.size
        if not _close(np.asarray(short)[defined], np.asarray(slow)[defined], cotangent):
            return False
    return informed


def keeps_range(rule: LocalRule) -> bool:
    """Whether the rule keeps the digits of the derivative where numbers are large or tiny."""
    rng = np.random.default_rng(4)
    shapes = [node.shape for node in rule.region.inputs]
    for size in (1e-9, 5.0, 12.0, 40.0, 300.0):
        arrays = rule.region.given([(size * rng.uniform(-1, 1, shape))[()] for shape in shapes])
        cotangent = rng.normal(size=rule.region.cotangent.shape)[()]
        short, slow = rule.both(arrays, cotangent)
        defined = np.isfinite(slow)
        if not np.allclose(np.asarray(short)[defined], np.asarray(slow)[defined], 1e-6, 0):
            return False
    return True


def agrees(rule: LocalRule, arrays: Sequence[Any], cotangent: Any) -> bool:
    """Whether the rule agrees with the unsimplified derivative on these arrays."""
    short, slow = rule.both(arrays, cotangent)
    return _close(short, slow, cotangent)


def _close(short: Any, slow: Any, cotangent: Any) -> bool:
    """Equal to nine digits; what cancels, or is far below the arriving gradient, to 1e-12 of it."""
    finite = np.isfinite(slow)
    scale = np.max(np.abs(cotangent), initial=0.0) + np.max(np.abs(slow), initial=0.0, where=finite)
    return bool(np.allclose(short, slow, rtol=1e-9, atol=1e-12 * scale, equal_nan=True))
