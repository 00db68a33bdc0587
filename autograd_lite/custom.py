"""Derivatives by the user's own arrangement: a replaced derivative, and recomputing for memory.

Both make one node of a composed function. Knows how to run a function aside from the graph and to
find what it closes over. Imports errors, graph, recording, reverse, rules and derivatives.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.derivatives import gradients, vjp
from autograd_lite.errors import GradientError, StaleValueError
from autograd_lite.graph import Graph, Leaf, Node
from autograd_lite.modes import using
from autograd_lite.reverse import users_first
from autograd_lite.rules import Rule, primitive
from autograd_lite.tensors import Tensor, tensor

__all__ = ["checkpoint", "custom_derivative"]


def custom_derivative(
    f: Callable[..., Any] | None = None,
    *,
    vjp: Rule | Sequence[Rule | None],
    jvp: Rule | None = None,
) -> Any:
    """A composed function with a derivative of your own; also a decorator.

    ``f(*arrays)`` is written with tensors and returns one; ``vjp`` and ``jvp`` are as for
    ``ag.primitive``, and what they return is checked at every call. The graph shows one node.
    Raises ``GradientError`` if ``f`` uses tracked tensors that are not among its arguments: their
    gradient would be lost.

    >>> import autograd_lite as ag
    >>> @ag.custom_derivative(vjp=lambda g, y, x: ag.minimum(ag.maximum(g, -1), 1))
    ... def clipped_gradient(x):
    ...     return x
    >>> ag.grad(lambda x: 5 * clipped_gradient(x))(2.0)
    np.float64(1.0)
    """
    if f is None:
        return functools.partial(custom_derivative, vjp=vjp, jvp=jvp)

    @functools.wraps(f)
    def forward(*arrays: Any, **params: Any) -> Any:
        result = f(*[Tensor(a) if hasattr(a, "shape") else a for a in arrays], **params)
        if isinstance(result, Tensor) and result.tracked:
            strangers = [node.name or "a tensor without name" for node in _leaves(result, ())]
            raise GradientError(
                f"{f.__name__} uses tracked tensors that are not its arguments: "
                + ", ".join(strangers),
                mend="pass them as arguments, or detach() them",
            )
        return result._value if isinstance(result, Tensor) else result

    return primitive(forward, vjp=vjp, jvp=jvp, name=f.__name__)


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose inside is computed again for the derivative instead of kept.

    ``f`` takes arrays and tensors and returns one tensor; parameters that it closes over get
    their gradients too. Costs one more forward; saves what the nodes inside would keep. Raises
    ``StaleValueError`` if such a parameter has a new value by the time of the derivative.

    >>> import autograd_lite as ag
    >>> block = ag.checkpoint(lambda x: ag.tanh(ag.tanh(x) * 3))
    >>> x = ag.tensor(0.0)
    >>> block(x).backward()
    >>> x.grad
    array(3.)
    """

    @functools.wraps(f)
    def call(*xs: Any) -> Any:
        count = len(xs)  # the closures below must not hold the arguments themselves
        own, y = _run(f, [x._value if isinstance(x, Tensor) else x for x in xs])
        strangers = _leaves(y, own) if isinstance(y, Tensor) and y.tracked else []
        held = [y._value if isinstance(y, Tensor) else y]
        handles = [Tensor(node.value, node) for node in strangers]

        def forward(*arrays: Any) -> Any:
            if held:
                return held.pop()
            variables, again = _run(f, arrays[:count])
            given = dict(zip([*variables, *strangers], arrays, strict=True))
            return Graph.of(again).replay(given)[again.node]

        def pull(g: Any, y: Any, *arrays: Any) -> Any:
            return _pulled(f, g, arrays[:count], handles)

        name = getattr(f, "__name__", "function")
        return primitive(forward, vjp=pull, name=f"checkpoint {name}")(*xs, *handles)

    return call


def _run(f: Callable[..., Any], values: Sequence[Any]) -> tuple[list[Node], Any]:
    """Run ``f`` on fresh variables, aside from any graph: their nodes, and the result."""
    variables = [tensor(value) for value in values]
    with using(recording=True, tracing=False, tracer=None):
        y = f(*variables)
    return [variable.node for variable in variables], y


def _leaves(y: Tensor, own: Sequence[Node]) -> list[Node]:
    """The tracked leaves that ``y`` rests on, but for ``own``."""
    return [node for node in users_first([y.node]) if isinstance(node, Leaf) and node not in own]


def _pulled(f: Callable[..., Any], g: Any, xs: Sequence[Any], handles: Sequence[Tensor]) -> Any:
    """The cotangents of the arguments, and of what ``f`` closes over, from one more run of it."""
    if not handles:
        return vjp(f, *xs)[1](g)
    recorded = isinstance(g, Tensor) or any(isinstance(x, Tensor) for x in xs)
    variables = [x if isinstance(x, Tensor) and x.tracked else tensor(x) for x in xs]
    with using(recording=True, tracing=False, tracer=None):
        y = f(*variables)
    if not {handle.node for handle in handles} <= set(users_first([y.node])):
        raise StaleValueError(
            "a parameter inside ag.checkpoint has another value than when it was recorded",
            mend="call backward before changing parameters",
        )
    found = gradients(y, [*variables, *handles], g)
    return tuple(one if recorded else one._value for one in found)
