"""What people call things: weights, labels, gradients that flow in, caches, learning rates, costs.

Knows: the words, each kind in one place.
Does not know: what is done about it, values.
Imports: the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["is_cache", "is_cost", "is_flow", "is_label", "is_rate", "is_weight", "labels_among"]

_RATE = re.compile(
    r"lr|eta|rate|alpha|step|step_?size|l_?rate|lea?r(n|ning|ing)?_?(rate|fac\w*)|learning|n_?rate"
)
_KEPT = r"cache|ctx|context|saved|memory|state|intermediate|residual"
_CACHE = re.compile(rf"(?!(d|grad|delta)_?([a-z]+_)?(memory|state|context))\w*({_KEPT})\w*")
_FLOW = re.compile(
    r"d.*|g|g_.*|.*grad.*|.*delta.*|.*err(or)?s?|.*upstream.*|.*diff|loss.*|.*_?deriv.*|eta_?\w*"
    r"|top|ct|cotangent|v"
)
_LABELS = re.compile(
    r"(y_?)?(true|real)|y_?(train|batch|i|enc)|t|targets?|labels?|.*_(labels?|targets?)|truth|gt"
    r"|actual|ground_?truth|desired|expected|(y_?)?one_?hot|reference\w*"
)
_PREDICTED = re.compile(r"(y_?)?(pred\w*|hat)|p|a|al|x|z|out|outputs?|logits|scores|probs?|pred\w*")
_COSTS = ("cost", "loss", "entropy", "error", "mse")
_PARAMETERS = frozenset({
    "w", "b", "u", "v", "wx", "wh", "weight", "weights", "bias", "biases", "gamma", "beta",
    "kernel", "filter", "filters", "kernels", "theta",
})  # fmt: skip


def _plain(name: str) -> str:
    return name.strip("_").lower()


def is_rate(name: str) -> bool:
    """Whether an argument or attribute is called as learning rates are.

    >>> is_rate("learning_rate"), is_rate("lr"), is_rate("ratio")
    (True, True, False)
    """
    return bool(_RATE.fullmatch(_plain(name)))


def is_flow(name: str) -> bool:
    """Whether an argument is called as what flows back is.

    >>> is_flow("dout"), is_flow("accum_grad"), is_flow("Z")
    (True, True, False)
    """
    return bool(_FLOW.fullmatch(_plain(name)))


def is_cache(name: str) -> bool:
    """Whether an argument is called as what a forward pass keeps for the backward pass.

    >>> is_cache("cache"), is_cache("linear_cache"), is_cache("dnext_state"), is_cache("x")
    (True, True, False, False)
    """
    return bool(_CACHE.fullmatch(_plain(name)))


def is_cost(function: Any) -> bool:
    """Whether a function is called as costs are.

    >>> def compute_cost(A2, Y): ...
    >>> is_cost(compute_cost), is_cost(len)
    (True, False)
    """
    name = getattr(function, "__name__", "").lower()
    return callable(function) and any(word in name for word in _COSTS)


def is_label(name: str) -> bool:
    """Whether an argument is called as labels and targets are.

    >>> is_label("y_true"), is_label("Y"), is_label("dout")
    (True, True, False)
    """
    return bool(_LABELS.fullmatch(_plain(name))) or _plain(name) in ("y", "ys")


def labels_among(names: Sequence[str]) -> frozenset[int]:
    """Which of the inputs are labels, as their names tell; never all of them.

    `y` is one where something beside it is called as predictions are.

    >>> sorted(labels_among(["y_true", "y_pred"])), sorted(labels_among(["y", "p"]))
    ([0], [0])
    >>> sorted(labels_among(["y", "t"])), sorted(labels_among(["y"]))
    ([1], [])
    """
    plain = [_plain(name) for name in names]
    found = {k for k, name in enumerate(plain) if _LABELS.fullmatch(name)}
    if any(_PREDICTED.fullmatch(name) for name in plain):
        found |= {k for k, name in enumerate(plain) if name == "y"}
    return frozenset(found) if len(found) < len(plain) else frozenset()


def is_weight(name: str) -> bool:
    """Whether something is called as weights and biases are.

    >>> is_weight("W1"), is_weight("_bias"), is_weight("x")
    (True, True, False)
    """
    return name.strip("_").rstrip("0123456789_").lower() in _PARAMETERS
