"""What in a module is a hand-written layer, and what is not, and why.

Knows: the file's own classes, functions that go together by their names, functions that return a
value with its gradient, layers made at module level.
Does not know: inputs, processes, verdicts.
Imports: adapters, what a program is.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from autograd_lite.comparison.adapters import convention_of
from autograd_lite.comparison.adapters.base import arguments_of, required_of
from autograd_lite.comparison.adapters.classes import ForwardBackward, methods_of
from autograd_lite.comparison.adapters.contexts import ContextFunction
from autograd_lite.comparison.adapters.networks import Network
from autograd_lite.comparison.adapters.propagations import Propagation, is_cache, is_cost
from autograd_lite.comparison.files.initial import network_inputs
from autograd_lite.comparison.files.making import Target
from autograd_lite.comparison.files.programs import Place, Program, assignments, definitions
from autograd_lite.comparison.files.vocabulary import is_loss
from autograd_lite.errors import CompareError

__all__ = ["Found", "Layers", "layers_of"]


@dataclass(frozen=True, eq=False)
class Found:
    """A layer of the file: its name, where it stands, and what to try on it, one after the other.

    More than one target stands for one layer where its form alone does not tell what is meant;
    the first that is right is believed.
    """

    name: str
    place: Place
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Layers:
    """The layers of a file in its order; `others` are not checked: name, place, why."""

    found: list[Found] = field(default_factory=list)
    others: list[tuple[str, Place, str]] = field(default_factory=list)


def layers_of(program: Program) -> Layers:
    """Everything in the module of a program that can be compared."""
    return _Finder(program).all()


_CLASSES = (ContextFunction(), ForwardBackward(), Network())


class _Finder:
    def __init__(self, program: Program) -> None:
        self.names: dict[str, Any] = dict(vars(program.module))
        self.own = {n: d for n, d in definitions(program).items() if n in self.names}
        self.assigned = assignments(program)
        self.layers = Layers()
        self.paired: set[str] = set()

    def all(self) -> Layers:
        instances = self._instances()
        for name, (node, place) in self.own.items():
            thing = self.names[name]
            if isinstance(thing, type):
                made = [n for n, value in instances.items() if type(value) is thing]
                self._class(name, thing, node, place, made)
            elif inspect.isfunction(thing) and name not in self.paired:
                self._pair(name, thing, node, place)
        for name, (node, place) in self.own.items():
            if name not in self.paired and inspect.isfunction(self.names[name]):
                self._function(name, self.names[name], node, place)
        for name, value in instances.items():
            self._instance(name, value)
        self.layers.found.sort(key=lambda f: (f.place.cell, f.place.line))
        return self.layers

    def _other(self, name: str, place: Place, why: str) -> None:
        self.layers.others.append((name, place, why))

    # classes and what is made of them

    def _class(self, name: str, kind: type, node: ast.AST, place: Place, made: list[str]) -> None:
        convention = next((c for c in _CLASSES if c.fits(kind)), None)
        if convention is None:
            self._other(name, place, _lacks(kind))
        elif _is_abstract(kind, node):
            self._other(name, place, "a base class: its forward is left to others")
        elif isinstance(convention, Network) and not _keeps(node):
            self._other(name, place, "a class with loss and gradient, and no parameters")
        elif not made:
            self.layers.found.append(Found(name, place, (_of_class(name, kind, node),)))

    def _instances(self) -> dict[str, Any]:
        """Layers, and lists of layers, that stand in the file's own variables; each once."""
        found: dict[str, Any] = {}
        for name in self.assigned:
            value = self.names.get(name)
            plain = value is None or isinstance(value, type) or inspect.isroutine(value)
            if plain or name in self.own or any(value is other for other in found.values()):
                continue
            if isinstance(value, Mapping) or not _is_layer(value):
                continue
            found[name] = value
        return found

    def _instance(self, name: str, value: Any) -> None:
        node = self.own.get(type(value).__name__, (None,))[0]
        forward = _forward_of(value[0] if isinstance(value, list | tuple) else value)
        target = Target(name, forward, lambda _: value, node=node)
        self.layers.found.append(Found(name, self.assigned[name], (target,)))

    # functions

    def _pair(self, name: str, forward: Any, node: ast.AST, place: Place) -> None:
        """A function with the one that is named as its backward pass or derivative."""
        third = {f"{name}_fwd", f"{name}_bwd"}
        if third <= set(self.own):
            three = (forward, self.names[f"{name}_fwd"], self.names[f"{name}_bwd"])
            self.paired |= {name, *third}
            target = Target(name, forward, lambda _: three, node=node)
            self.layers.found.append(Found(name, place, (target,)))
            return
        partners = (p for p in _partners(name) if p in self.own)
        partner = next((p for p in partners if inspect.isfunction(self.names[p])), None)
        if partner is None:
            return
        backward = self.names[partner]
        self.paired |= {name, partner}
        cost = self._cost_of(forward, backward)
        if cost:
            self._propagation(name, partner, cost, place)
            return
        both = ast.parse("")
        both.body = [node, self.own[partner][0]]  # type: ignore[list-item]  # two definitions
        targets = [Target(name, forward, lambda _: (forward, backward), node=both)]
        if not re.search("backward|bwd|bprop|vjp", partner):
            if _begins_with_labels(forward):
                forward, backward = _turned(forward), _turned(backward)
                targets = [Target(name, forward, lambda _: (forward, backward), node=both)]
            targets.append(_of_output(name, forward, backward, both))
        self.layers.found.append(Found(name, place, tuple(targets)))

    def _cost_of(self, forward: Any, backward: Any) -> str | None:
        """The cost in the file whose labels a backward pass takes; None where it takes dout."""
        if "back" not in backward.__name__.lower():
            return None
        wanted = {n for n in required_of(backward) if not is_cache(n)} - set(required_of(forward))
        for name, (node, _) in self.own.items():
            function = self.names[name]
            if not is_cost(function) or _gives_gradient(node):
                continue
            if wanted & set(required_of(function)[1:]):
                return name
        return None

    def _propagation(self, name: str, partner: str, cost: str, place: Place) -> None:
        """A network of three functions."""
        three = (self.names[name], self.names[cost], self.names[partner])
        convention = Propagation()
        arguments = convention.layer(three, ()).names

        def propagation(*inputs: Any) -> Any: ...

        propagation.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # Python reads it
            [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in arguments]
        )
        self.paired.add(cost)
        whole = ast.parse("")
        whole.body = [self.own[n][0] for n in (name, cost, partner)]  # type: ignore[misc]  # definitions
        makers = [
            self.names[n]
            for n in self.own
            if n.startswith("init") and inspect.isfunction(self.names[n])
        ]
        known = partial(network_inputs, three[0], arguments, makers)
        target = Target(name, propagation, lambda _: three, node=whole, known=known)
        self.layers.found.append(Found(name, place, (target,)))

    def _function(self, name: str, function: Any, node: ast.AST, place: Place) -> None:
        """A function that gives a value and its gradient, if it looks like one."""
        if _gives_gradient(node):
            target = Target(name, function, lambda _: function, node=node)
            self.layers.found.append(Found(name, place, (target,)))
        else:
            self._other(name, place, "a function without a gradient beside it")


def _of_class(name: str, kind: type, node: ast.AST) -> Target:
    if ContextFunction().fits(kind):
        split = (
            callable(getattr(kind, "setup_context", None))
            and [
                p.name
                for p in arguments_of(kind.forward)  # type: ignore[attr-defined]  # the convention fits
            ][:1]
            not in (["ctx"], ["context"])
        )
        forward = kind.forward  # type: ignore[attr-defined]  # the convention fits
        return Target(name, forward, lambda _: kind, skip=0 if split else 1, node=node)
    return Target(name, _unbound(kind), lambda one: one, setup=kind, skip=_skip(kind), node=node)


def _unbound(kind: type) -> Any:
    if ForwardBackward().fits(kind):
        return getattr(kind, methods_of(kind)[0])
    return kind.loss  # type: ignore[attr-defined]  # a network has one


def _skip(kind: type) -> int:
    """1 where the forward function still has its self."""
    return int(inspect.isfunction(_unbound(kind)) and not _is_static(kind))


def _is_static(kind: type) -> bool:
    method = inspect.getattr_static(kind, _unbound(kind).__name__, None)
    return isinstance(method, staticmethod)


def _forward_of(value: Any) -> Any:
    if ForwardBackward().fits(value):
        return getattr(value, methods_of(value)[0])
    return getattr(value, "loss", None) or getattr(value, "fun", value)


def _is_layer(value: Any) -> bool:
    module = type(value).__module__.split(".")[0]
    if module in ("builtins", "numpy") and not isinstance(value, list | tuple):
        return False
    try:
        convention = convention_of(value)
    except (CompareError, Exception):  # noqa: BLE001  # whatever a stranger's __getattr__ raises
        return False
    if isinstance(value, list | tuple):
        return convention.name == "list of layers"
    return convention.name != "function that returns (loss, gradient)"


def _lacks(kind: type) -> str:
    has = [
        n for n in ("forward", "backward", "loss", "gradient") if callable(getattr(kind, n, None))
    ]
    if not has:
        return "a class without forward and backward"
    return f"a class with {' and '.join(has)} alone"


def _is_abstract(kind: type, node: ast.AST) -> bool:
    """Whether forward or backward of a class do nothing yet."""
    if inspect.isabstract(kind):
        return True
    methods = {m.name: m for m in getattr(node, "body", []) if isinstance(m, ast.FunctionDef)}
    names = {methods_of(kind)[0]} if ForwardBackward().fits(kind) else set()
    return any(_does_nothing(methods[n]) for n in names & set(methods))


def _keeps(node: ast.AST) -> bool:
    """Whether a class keeps anything in its instances."""
    return any(
        isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) for n in ast.walk(node)
    )


def _does_nothing(method: ast.FunctionDef) -> bool:
    for statement in method.body:
        if isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        if isinstance(statement, ast.Raise) and "NotImplemented" in ast.unparse(statement):
            continue
        return False
    return True


# ── functions ────────────────────────────────────────────────────────────────────────────────────


def _partners(name: str) -> list[str]:
    """What the backward function or the derivative of a function may be called.

    >>> _partners("affine_forward")[0], "relu_prime" in _partners("relu")
    ('affine_backward', True)
    """
    found = []
    for word, other in (
        ("forward", "backward"), ("fwd", "bwd"), ("fprop", "bprop"), ("Forward", "Backward"),
        ("feedforward", "backprop"), ("forward_prop", "back_prop"), ("forward", "backprop"),
    ):  # fmt: skip
        if word in name:
            found.append(name.replace(word, other))
    endings = (
        "_backward", "_grad", "_vjp", "_gradient", "_derivative", "_prime", "_deriv", "_back",
        "_bwd", "_der", "_diff", "Grad", "Prime", "Derivative",
    )  # fmt: skip
    found += [name + ending for ending in endings]
    starts = (
        "d_",
        "d",
        "grad_",
        "deriv_",
        "derivative_",
        "derivative_of_",
        "backward_",
        "gradient_",
    )
    return [*found, *(start + name for start in starts)]


def _begins_with_labels(function: Any) -> bool:
    """Whether a loss takes labels, and then what was predicted."""
    names = [p.name.lower() for p in arguments_of(function)]
    return len(names) == 2 and bool(
        re.match(r"(y_?)?(true|real)|t$|target|label|actual|y$", names[0])
    )


def _turned(function: Any) -> Any:
    """A function of two arguments, the second of them first."""

    def turned(predicted: Any, labels: Any) -> Any:
        return function(labels, predicted)

    turned.__name__ = function.__name__
    arguments = inspect.signature(function).parameters.values()
    turned.__signature__ = inspect.Signature(list(arguments)[::-1])  # type: ignore[attr-defined]  # Python reads it
    return turned


def _of_output(name: str, forward: Any, derivative: Any, node: ast.AST) -> Target:
    """The derivative as a function of the output: y(1 − y) of a sigmoid's y."""

    def at_output(x: Any) -> Any:
        return derivative(forward(x))

    at_output.__name__ = derivative.__name__
    return Target(name, forward, lambda _: (forward, at_output), node=node)


def _gives_gradient(node: ast.AST) -> bool:
    """Whether a function returns a loss, and after it gradients, by their names."""
    returns = [part for part in _own_parts(node) if isinstance(part, ast.Return)]
    for found in reversed(returns):
        if isinstance(found.value, ast.Tuple) and len(found.value.elts) >= 2:
            rest = [ast.unparse(e) for e in found.value.elts[1:]]
            if is_loss(getattr(node, "name", "")):
                return True
            value = ast.unparse(found.value.elts[0])
            return is_loss(value) and any(re.search(r"\bd[A-Za-z_]|grad", t) for t in rest)
    return False


def _own_parts(node: ast.AST) -> list[ast.AST]:
    """The parts of a function without those of the functions in it."""
    found, pending = [], list(ast.iter_child_nodes(node))
    while pending:
        part = pending.pop(0)
        found.append(part)
        if not isinstance(part, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            pending += ast.iter_child_nodes(part)
    return found
