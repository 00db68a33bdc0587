"""Assertions for test suites.

Knows: how a report becomes a failing test.
Does not know: how a comparison is made.
Imports: comparison.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.comparison import Comparison, compare, gradcheck

__all__ = ["assert_gradients_match"]


def assert_gradients_match(subject: Any, *inputs: Any, against: Any = None, **options: Any) -> Any:
    """Assert that gradients are right; the failure's text is the whole report.

    With `against` the subject is a hand-written layer, compared as `ag.compare` does; without, it
    is a function of tensors, checked as `ag.gradcheck` does. `options` are theirs. Returns the
    report.

    >>> import autograd_lite as ag
    >>> report = assert_gradients_match(ag.exp, np.array([0.5, 1.0]))
    >>> W, b = np.ones((2, 3)), np.zeros(3)
    >>> report = assert_gradients_match(
    ...     ag.handwritten.Affine(W, b), np.ones((4, 2)), against=ag.nn.Affine(W, b)
    ... )
    """
    __tracebackhide__ = True
    report: Comparison
    if against is None and not hasattr(subject, "backward"):
        report = gradcheck(subject, *inputs, **options)
    else:
        report = compare(subject, *inputs, against=against, **options)
    if not report.ok:
        raise AssertionError(str(report))
    return report
