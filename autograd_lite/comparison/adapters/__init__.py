"""How people write layers: one file per convention, found by asking each whether it fits.

Knows: the list of conventions, and that other packages may bring more.
Does not know: verdicts, tensors, reports.
Imports: errors, and its own files.

To add a convention, write a file with a class that has the methods of `Convention`, and add an
instance of it to `CONVENTIONS`. A package of yours brings one by the entry point group
`autograd_lite.adapters`: each entry names such a class, and is asked before those here.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from autograd_lite.comparison.adapters.base import Convention, HandRun, Layer, Trouble
from autograd_lite.comparison.adapters.chains import Chain
from autograd_lite.comparison.adapters.classes import ForwardBackward
from autograd_lite.comparison.adapters.contexts import ContextFunction
from autograd_lite.comparison.adapters.custom import CustomDerivative
from autograd_lite.comparison.adapters.derivatives import MethodAndDerivative
from autograd_lite.comparison.adapters.losses import LossWithGradient
from autograd_lite.comparison.adapters.networks import Network
from autograd_lite.comparison.adapters.pairs import FunctionPair
from autograd_lite.comparison.adapters.propagations import Propagation
from autograd_lite.comparison.adapters.scored import ScoredOutput
from autograd_lite.comparison.adapters.supervised import SupervisedNetwork
from autograd_lite.errors import CompareError

__all__ = ["CONVENTIONS", "GROUP", "Convention", "HandRun", "Layer", "Trouble", "convention_of"]

GROUP = "autograd_lite.adapters"
CONVENTIONS: tuple[Convention, ...] = (
    ContextFunction(),
    SupervisedNetwork(),
    ScoredOutput(),
    ForwardBackward(),
    Chain(),
    Propagation(),
    CustomDerivative(),
    FunctionPair(),
    MethodAndDerivative(),
    Network(),
    LossWithGradient(),
)


@cache
def _brought() -> tuple[Convention, ...]:
    """The conventions that installed packages bring."""
    found = []
    for entry in entry_points(group=GROUP):
        try:
            found.append(entry.load()())
        except Exception as error:
            raise CompareError(
                f"the convention {entry.name} ({entry.value}) cannot be loaded: {error}",
                mend=f"mend or remove the package that declares it under {GROUP}",
            ) from error
    return tuple(found)


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
    conventions = (*_brought(), *CONVENTIONS)
    for convention in conventions:
        if convention.fits(hand):
            return convention
    name = getattr(hand, "__name__", type(hand).__name__)
    if callable(getattr(hand, "forward", None)):
        own = [n for n in dir(hand) if not n.startswith("_") and callable(getattr(hand, n, None))]
        raise CompareError(
            f"{name} has a forward pass and no backward pass",
            where=f"its methods: {', '.join(own)}",
            mend="give it a method backward(dout); for a function of tensors use ag.gradcheck",
        )
    raise CompareError(
        f"{name} is written in no convention that is known here",
        where="known: " + "; ".join(convention.name for convention in conventions),
        mend="give the layer methods forward(x, …) and backward(dout)",
    )
