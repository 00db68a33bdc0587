"""Assertions for test suites.

Knows: how a report becomes a failing test, and which of the two checks a subject asks for.
Does not know: how a comparison is made. The pytest fixture `gradients_match` (the plug-in
`pytest_autograd_lite`, outside this package) hands out what stands here.
Imports: comparison, NumPy.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_lite.comparison import Comparison, compare, gradcheck
from autograd_lite.comparison.adapters import convention_of
from autograd_lite.comparison.adapters.losses import LossWithGradient
from autograd_lite.comparison.adapters.naming import gives_gradient_of
from autograd_lite.comparison.adapters.surroundings import held_around

__all__ = ["assert_gradients_match"]


def assert_gradients_match(subject: Any, *inputs: Any, **options: Any) -> Comparison:
    """Assert that gradients are right; the failure's text is the diagnosis.

    A subject with a gradient of its own (a layer with `backward`, a pair of functions, a function
    that returns `(loss, gradient)`, a network: all that `ag.compare` takes) is held against its
    own forward pass, or against `against=`. A function of tensors, or a layer of `ag.nn`, has none:
    its automatic gradient is held against numbers, as by `ag.gradcheck`. `options` are theirs.
    Returns the report.

    >>> import autograd_lite as ag
    >>> W, b = np.ones((2, 3)), np.zeros(3)
    >>> assert_gradients_match(ag.handwritten.Affine(W, b), np.ones((4, 2))).verdict
    'right: 4 of 4 hold'
    >>> assert_gradients_match(ag.exp, np.array([0.5, 1.0])).verdict
    'right: 5 of 5 hold'
    """
    __tracebackhide__ = True
    by_hand = "against" in options or _has_gradient(subject, inputs)
    report = (compare if by_hand else gradcheck)(subject, *inputs, **options)
    if not report.ok:
        raise AssertionError(report.text())
    return report


def _has_gradient(subject: Any, inputs: Any) -> bool:
    """Whether a subject brings a gradient that can be compared."""
    convention = convention_of(subject)
    return not isinstance(convention, LossWithGradient) or _gives_loss_and_gradient(subject, inputs)


def _gives_loss_and_gradient(function: Any, inputs: Any) -> bool:
    """Whether plain arrays give a number, and beside it something that is a gradient.

    It has the shape of an input, or the name of a gradient of what stands around the function.
    """
    try:
        result = function(*copy.deepcopy(inputs))
    except Exception:  # noqa: BLE001  # gradcheck raises it again, in its own words
        return False
    if not isinstance(result, tuple | list) or len(result) < 2 or np.ndim(result[0]):
        return False
    if isinstance(result[1], Mapping) or np.shape(result[1]) in [np.shape(x) for x in inputs]:
        return True
    return gives_gradient_of(function, held_around(function))  # of arrays around it
