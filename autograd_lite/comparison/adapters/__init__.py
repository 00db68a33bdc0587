"""How people write layers: one file per convention, found by asking each whether it fits.

Knows: what a convention must answer, and the list of them.
Does not know: verdicts, tensors, reports.
Imports: errors, and its own files.

To add a convention, write a file with a class that has the methods of `Convention`, and add an
instance of it to `CONVENTIONS`.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.comparison.adapters.base import Convention, HandRun, Trouble
from autograd_lite.comparison.adapters.classes import ForwardBackward
from autograd_lite.errors import CompareError

__all__ = ["CONVENTIONS", "Convention", "HandRun", "Trouble", "convention_of"]

CONVENTIONS: tuple[Convention, ...] = (ForwardBackward(),)


def convention_of(hand: Any) -> Convention:
    """The first convention that fits, or a `CompareError` that lists them.

    >>> class Double:
    ...     def forward(self, x):
    ...         return 2 * x
    ...
    ...     def backward(self, dout):
    ...         return 2 * dout
    >>> convention_of(Double()).name
    'class with forward and backward'
    """
    for convention in CONVENTIONS:
        if convention.fits(hand):
            return convention
    if isinstance(hand, type):
        raise CompareError(
            f"{hand.__name__} is a class, and a comparison wants a layer made of it",
            mend=f"pass an instance, for example {hand.__name__}(W, b)",
        )
    known = "; ".join(convention.name for convention in CONVENTIONS)
    raise CompareError(
        f"{type(hand).__name__} is written in no convention that is known here",
        where=f"known: {known}",
        mend="give the layer methods forward(x, …) and backward(dout)",
    )
