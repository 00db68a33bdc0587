"""The reverse sweep: cotangents flow from users to inputs, through the rules of the operators.

Knows order, accumulation, un-broadcast, publication of ``.grad``. Does not know any single
operator: their rules are data; nor functions (``derivatives``). Imports errors, graph, recording,
rules, and the operators that its own sums need.
"""

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_lite.errors import (
    AutogradError,
    DTypeError,
    GradientError,
    NonFiniteError,
    ShapeError,
    describe,
)
from autograd_lite.graph import Constant, Graph, Leaf, Node, Scope, by_serial
from autograd_lite.modes import current_mode, using
from autograd_lite.ops.pointwise import real
from autograd_lite.ops.shaping import astype, broadcast_to, unbroadcast
from autograd_lite.recording import Part, picks
from autograd_lite.rules import Joint, check_result, read_only
from autograd_lite.tensors import Tensor, plain, plain_value

__all__ = [
    "Cotangents",
    "Flow",
    "RecordedSweep",
    "Sweep",
    "backward",
    "flow",
    "owned",
    "seed_of",
    "users_first",
]

Cotangents = dict[Node, Any]


def users_first(outputs: Sequence[Node]) -> list[Node]:
    """All nodes that carry derivatives to ``outputs``, each after all of its users."""
    seen = set(outputs)
    stack = list(seen)
    while stack:
        for p in stack.pop().inputs:
            kind = p.__class__
            if (kind is Node or kind is Leaf) and p not in seen:
                seen.add(p)
                stack.append(p)
    return sorted(seen, key=by_serial, reverse=True)


def _verify(order: Sequence[Node]) -> None:
    """Raise if an array that its caller kept (``copy=False``) has changed: a rule may read it."""
    for node in order:
        for p in (node, *node.inputs):
            if isinstance(p, Leaf):
                p.verify()


def _leading_to(targets: set[Node], order: Sequence[Node]) -> set[Node]:
    """The nodes of ``order`` through which something flows to ``targets``."""
    needed = set(targets)
    for node in reversed(order):
        for p in node.inputs:
            if isinstance(p, Node) and p in needed:
                needed.add(node)
                break
    return needed


_PLAIN = (np.ndarray, np.float64, np.float32)


class Sweep:
    """One reverse pass over plain arrays; ``RecordedSweep`` is the same over tensors."""

    records = False

    def __init__(self, seeds: Cotangents, *, release: bool = False, edges: Any = None) -> None:
        self.arriving = dict(seeds)
        self.order = users_first(list(seeds))
        self.release = release
        self.edges: dict[tuple[Node, int], Any] | None = edges
        self.mode = current_mode()
        self.owned: set[Node] = set()
        self.simple = edges is None and not self.mode.debug
        if Leaf.watched:
            _verify(self.order)

    def run(self, targets: set[Node] | None = None) -> Cotangents:
        """The cotangents of ``targets``; without them of all leaves and kept intermediates."""
        needed = None if targets is None else _leading_to(targets, self.order)
        arriving, results = self.arriving, {}
        for node in self.order:
            g = arriving.pop(node, None)
            if g is None:
                continue
            wanted = node.cell is not None if targets is None else node in targets
            if wanted and type(g) is not list:
                results[node] = g
            if node.op.pulls:
                self.pass_on(node, g, needed)
            if self.release and node.__class__ is Node:
                node.value = None
        return results

    def pass_on(self, node: Node, g: Any, needed: set[Node] | None) -> None:
        """Apply the rule of one node for every input that carries derivatives."""
        inputs, params, op, arriving = node.inputs, node.params, node.op, self.arriving
        pulls, simple = op.pulls, self.simple
        y = node if node.value is None else node.value
        xs = [p if not isinstance(p, Node) or p.value is None else p.value for p in inputs]
        if op.strict:  # a user's rule may try to change what it is given
            simple = False
            g, y, *xs = map(read_only, (g, y, *xs))
            pulls = pulls.once() if isinstance(pulls, Joint) else pulls
        for i, p in enumerate(inputs):
            if p.__class__ is not Node and p.__class__ is not Leaf:
                continue
            if needed is not None and p not in needed:
                continue
            pull = pulls[i]
            if pull is None:
                continue
            if op.adds and i == 0 and simple and self.add_in_place(node, p, g, xs):
                continue
            try:
                result = pull(g, y, *xs, **params) if params else pull(g, y, *xs)
            except Exception as error:  # noqa: BLE001 - a rule may be the user's: told, with place
                result = self.retry(node, i, g, error)
            if simple and p not in arriving and result.__class__ in _PLAIN:  # most often
                if result.shape != p.shape and result.__class__ is np.ndarray:
                    result = unbroadcast(result, p.shape)
                if result.shape == p.shape and result.dtype is p.dtype:
                    arriving[p] = result
                    continue
            if result is not None:
                self.add(node, i, p, result)

    def add(self, node: Node, i: int, p: Node, result: Any) -> None:
        """Add what flows to input ``i`` to what has arrived there."""
        if type(result) is Part:
            self.add_part(p, result)
            return
        if type(result) is complex:  # Python's own, of a float64 and an imaginary number
            result = np.complex128(result)
        if node.op.strict:
            if not (self.records and isinstance(result, Tensor)):
                result = np.asarray(plain_value(result))[()]
            check_result(node.op, "vjp", result, p, f"input {i}")
        if result.shape != p.shape or result.dtype is not p.dtype:
            result = _conform(result, p)
        if self.mode.debug:
            _check_gradient(node, i, result)
        if self.edges is not None:
            self.edges[node, i] = result
        old = self.arriving.get(p)
        if old is None:
            self.arriving[p] = result
        elif p in self.owned:
            old += result
        else:
            total = old + result
            self.arriving[p] = total
            if total.__class__ is np.ndarray:
                self.owned.add(p)

    def add_part(self, p: Node, part: Part) -> None:
        """Add to the cotangents of a node with several outputs; None is a zero that nobody made."""
        parts = self.arriving.setdefault(p, [None] * part.outputs)
        old = parts[part.output]
        parts[part.output] = part.value if old is None else old + part.value

    def add_in_place(self, node: Node, p: Node, g: Any, xs: Sequence[Any]) -> bool:
        """Add to what has arrived without a dense array between, where that can be done."""
        old, adds = self.arriving.get(p), node.op.adds
        if old.__class__ is not np.ndarray or any(isinstance(x, Node) for x in xs[1:]):
            return False
        if p not in self.owned:
            old = self.arriving[p] = np.array(old, order="C")
            self.owned.add(p)
        adds(old, g, *xs, **node.params)  # type: ignore[misc]  # asked for operators that have it
        return True

    def retry(self, node: Node, i: int, g: Any, error: Exception) -> Any:
        """Run a rule again with all values recomputed, if one that was not kept made it fail."""
        parts = (node, *(p for p in node.inputs if isinstance(p, Node)))
        if all(part.value is not None for part in parts):
            raise self.failure(node, i, error) from error
        values = Graph([node]).replay()
        y, *xs = (
            self.wrap(values[p], p) if isinstance(p, Node) else p for p in (node, *node.inputs)
        )
        pull: Any = node.op.pulls[i]
        try:
            return pull(g, y, *xs, **node.params)
        except Exception as second:
            raise self.failure(node, i, second) from second

    def wrap(self, value: Any, node: Node) -> Any:
        """The value of a node as the rules of this sweep take it."""
        return value

    @staticmethod
    def failure(node: Node, i: int, error: Exception) -> Exception:
        """What to raise when a rule failed although all values were there."""
        told = isinstance(error, GradientError)  # a rule that says what is wrong
        if told or (isinstance(error, AutogradError) and node.op.strict):
            return error
        return GradientError(
            f"the derivative of {node.op.name} with respect to input {i} failed: {error}",
            where=f"{node!r}\nrecorded at {node.source}",
            mend="at a singular matrix there is none"
            if isinstance(error, np.linalg.LinAlgError)
            else "if the operator is your own, mend its vjp; else please report this",
            source=None,
        )


class RecordedSweep(Sweep):
    """The reverse pass over tensors: its result is a graph, to be differentiated again."""

    records = True

    def __init__(self, seeds: Cotangents) -> None:
        super().__init__(seeds)
        self.scopes: dict[Scope, Scope] = {}

    def wrap(self, value: Any, node: Node) -> Any:
        """A handle of the node, or of each of its outputs."""
        if type(value) is tuple:
            return picks(node, value)
        return Tensor(value) if type(node) is Constant else Tensor(value, node)

    def pass_on(self, node: Node, g: Any, needed: set[Node] | None) -> None:
        """Apply the rules of one node to tensors, under the backward twin of its scope."""
        y = node if node.value is None else self.wrap(node.value, node)
        xs = [
            p if not isinstance(p, Node) or p.value is None else self.wrap(p.value, p)
            for p in node.inputs
        ]
        pulls = node.op.pulls
        pulls = pulls.once() if isinstance(pulls, Joint) else pulls
        with using(scope=self.backward_scope(node.scope)):
            for i, p in enumerate(node.inputs):
                pull = pulls[i] if p.__class__ in (Node, Leaf) else None
                if pull is None or (needed is not None and p not in needed):
                    continue
                try:
                    result = pull(g, y, *xs, **node.params)
                except Exception as error:  # noqa: BLE001 - as above
                    result = self.retry(node, i, g, error)
                if result is not None:
                    self.add(node, i, p, result)

    def backward_scope(self, scope: Scope | None) -> Scope | None:
        """The scope of the derivative of what was recorded in ``scope``."""
        if scope is None:
            return None
        twin = self.scopes.get(scope)
        if twin is None:
            parent = self.backward_scope(scope.parent)
            twin = Scope(scope.name, parent, scope.code, scope.offset, "backward", scope.level + 1)
            self.scopes[scope] = twin
        return twin


def _conform(result: Any, p: Node) -> Any:
    """A cotangent in the shape and dtype of its input: un-broadcast, and cast back."""
    if not hasattr(result, "shape"):
        result = np.asarray(result)
    if result.shape != p.shape:
        tail = result.shape[len(result.shape) - len(p.shape) :]
        larger = len(tail) == len(p.shape) and all(m in (1, n) for m, n in zip(p.shape, tail))
        result = unbroadcast(result, p.shape) if larger else broadcast_to(result, p.shape)
    if result.dtype != p.dtype:
        if result.dtype.kind == "c" and p.dtype.kind != "c":
            result = real(result)
        result = astype(result, p.dtype)
    return result


def _check_gradient(node: Node, i: int, result: Any) -> None:
    values = result._value if isinstance(result, Tensor) else result
    if np.all(np.isfinite(values)):
        return
    raise NonFiniteError(
        f"the gradient that {node.op.name} passes to input {i} holds NaN or infinity",
        where=f"{node!r}\nrecorded at {node.source}  {node.source.text if node.source else ''}",
        mend="look at the operands of this line; ag.where does not stop the gradient of the "
        "branch that is not taken: guard its argument too",
        source=None,
    )


def seed_of(y: Any, cotangent: Any) -> Any:
    """The cotangent of ``y``: given and checked, or 1 for a scalar."""
    if cotangent is None:
        if y.size != 1:
            raise GradientError(
                f"a derivative of {y.size} numbers needs to know how they are weighed",
                where=f"the output has shape {y.shape}",
                mend="sum it (y.sum()), or give cotangent=array of that shape",
            )
        if y.dtype.kind == "c":
            raise GradientError(
                "a complex number has no gradient: it is two real ones",
                where=f"the output has dtype {y.dtype}",
                mend="take ag.real, ag.imag or ag.abs of it; for the derivative of a holomorphic "
                "function give cotangent=1 or holomorphic=True, or use ag.vjp or ag.jvp",
            )
        return np.ones(y.shape, y.dtype) if y.shape else y.dtype.type(1)
    given = cotangent if isinstance(cotangent, Tensor) else plain(cotangent)
    if given.shape != y.shape:
        raise ShapeError(
            f"the cotangent has shape {given.shape}, the output {y.shape}",
            mend="a cotangent has exactly the output's shape; nothing is broadcast",
        )
    if given.dtype != y.dtype:
        if given.dtype.kind == "c":
            raise DTypeError("a complex cotangent of a real output", mend="take its .real")
        given = astype(given, y.dtype)
    return given[()] if isinstance(given, np.ndarray) and not given.ndim else given


_publishing = threading.Lock()


def _references(value: Any) -> int:
    return sys.getrefcount(value)


def _sole() -> int:
    fresh = np.empty(0)
    return _references(fresh)


_SOLE = _sole()  # what `owned` counts for an array that its caller's variable alone holds


def owned(value: Any) -> Any:
    """A writable ndarray that nobody else holds; copied only if it may be shared.

    The caller passes a local variable that holds what it took out of its container.
    """
    if (
        value.__class__ is np.ndarray
        and sys.getrefcount(value) <= _SOLE
        and value.base is None
        and value.flags.writeable
    ):
        return value
    return np.array(value)


def backward(self: Tensor, cotangent: Any = None, *, release: bool = False) -> None:
    """Add the gradient of this value to ``.grad`` of every leaf that it rests on.

    ``cotangent`` has the value's shape; a value of one element needs none. Everything is computed
    before the first ``.grad`` changes. ``release=True`` gives kept values back on the way; a
    second pass then computes them again.

    >>> import autograd_lite as ag
    >>> x = ag.tensor([1.0, 2.0])
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4.])
    """
    if type(self) is not Tensor:
        raise GradientError(
            "backward() inside ag.jvp would publish half a derivative",
            mend="use ag.grad or ag.gradients there",
        )
    node = self._node
    if node is None:
        raise GradientError(
            "backward() of a constant: nothing in it is tracked",
            where=describe(self, self.name),
            mend="make the inputs with ag.tensor or ag.parameter, outside ag.no_grad()",
        )
    seed = seed_of(self, cotangent)
    tracer = current_mode().tracer
    if tracer is not None:
        tracer.publish(RecordedSweep({node: seed}).run())
        return
    if isinstance(seed, Tensor):
        seed = seed._value
    results = Sweep({node: seed}, release=release).run()
    del seed
    _publish(results)


def _publish(results: Cotangents) -> None:
    """All gradients appear at once, or none: two threads lose nothing, a Ctrl-C undoes it."""
    fresh: dict[Any, Any] = {}
    while results:
        node, g = results.popitem()
        cell = node.cell
        fresh[cell] = owned(g) if cell not in fresh else fresh[cell] + g
    with _publishing:
        before = [(cell, cell.grad) for cell in fresh]
        try:
            for cell, old in before:
                if old is not None:
                    fresh[cell] = np.asarray(old + fresh[cell])
            for cell, g in fresh.items():
                cell.grad = g
        except BaseException:
            for cell, old in before:
                cell.grad = old
            raise


Tensor.backward = backward


@dataclass(frozen=True)
class Flow:
    """All that flows through a graph: forward values, and the gradients that come back.

    ``cotangents`` holds what arrives at each node in sum; nodes that nothing reaches are absent.
    ``contributions[node, i]`` is what ``node`` passes on to its input ``i``.
    """

    values: dict[Node, Any]
    cotangents: dict[Node, Any]
    contributions: dict[tuple[Node, int], Any] = field(default_factory=dict)


def flow(graph: Graph, cotangents: Sequence[Any] | None = None) -> Flow:
    """Values and gradients of every node; without ``cotangents`` those of the sum of the outputs.

    >>> import autograd_lite as ag
    >>> x = ag.tensor(3.0)
    >>> flow(ag.Graph.of(x * x)).cotangents[x.node]
    np.float64(6.0)
    """
    values = graph.replay()
    seeds: Cotangents = {}
    for i, node in enumerate(graph.outputs):
        given = None if cotangents is None else cotangents[i]
        seed = np.ones(node.shape, node.dtype)[()] if given is None else seed_of(node, given)
        seed = seed._value if isinstance(seed, Tensor) else seed
        seeds[node] = seed if node not in seeds else seeds[node] + seed
    edges: dict[tuple[Node, int], Any] = {}
    sweep = Sweep(seeds, edges=edges)
    arrived = sweep.run(set(sweep.order))
    return Flow(values, arrived, edges)
