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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from autograd_lite.comparison.adapters import convention_of
from autograd_lite.comparison.adapters.base import arguments_of, required_of
from autograd_lite.comparison.adapters.classes import ForwardBackward, methods_of
from autograd_lite.comparison.adapters.contexts import ContextFunction
from autograd_lite.comparison.adapters.derivatives import (
    MethodAndDerivative,
    flag_of,
    methods_with_derivative,
)
from autograd_lite.comparison.adapters.matching import labels_among
from autograd_lite.comparison.adapters.networks import Network, loss_and_gradient
from autograd_lite.comparison.adapters.propagations import Propagation, is_cache, is_cost
from autograd_lite.comparison.adapters.supervised import SupervisedNetwork, inputs_of
from autograd_lite.comparison.files.initial import network_inputs
from autograd_lite.comparison.files.programs import Place, Program, assignments, definitions
from autograd_lite.comparison.files.slots import Target
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


_CLASSES = (
    ContextFunction(),
    SupervisedNetwork(),
    ForwardBackward(),
    MethodAndDerivative(),
    Network(),
)


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
        elif _is_abstract(kind, node) or (self._is_base(kind) and _has_stub(node)):
            self._other(name, place, "a base class: its forward is left to others")
        elif not made:
            target = _of_class(name, kind, node)
            turned = isinstance(convention, MethodAndDerivative) and not is_loss(name)
            targets = (target, _at_output(target)) if turned else (target,)
            if isinstance(convention, ForwardBackward) and _takes_input_alone(kind):
                targets = (target, _as_derivative(target))
            self.layers.found.append(Found(name, place, targets))

    def _is_base(self, kind: type) -> bool:
        """Whether another class of the file builds on this one."""
        kinds = (self.names[name] for name in self.own)
        return any(isinstance(k, type) and k is not kind and issubclass(k, kind) for k in kinds)

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
        names = inputs_of(value) if SupervisedNetwork().fits(value) else ()
        one = value[0] if isinstance(value, list | tuple) else value
        forward = _signed(names) if names else _forward_of(one)
        target = Target(
            name, forward, lambda _: value, node=node, labels=names[-1] if names else ""
        )
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
            if flag := flag_of(forward):
                self._flagged(name, forward, flag, node, place)
            return
        backward = self.names[partner]
        self.paired |= {name, partner}
        cost = self._cost_of(forward, backward)
        if cost:
            self._propagation(name, partner, cost, place)
            return
        both = ast.parse("")
        both.body = self._with_callees(name, partner)  # type: ignore[assignment]  # definitions
        targets = [Target(name, forward, lambda _: (forward, backward), node=both)]
        if not re.search("backward|bwd|bprop|vjp", partner):
            if _begins_with_labels(forward):
                forward, backward = _turned(forward), _turned(backward)
                targets = [Target(name, forward, lambda _: (forward, backward), node=both)]
            if len(required_of(forward)) == 1:
                targets.append(_of_output(name, forward, backward, both))
        self.layers.found.append(Found(name, place, tuple(targets)))

    def _flagged(self, name: str, function: Any, flag: str, node: ast.AST, place: Place) -> None:
        """A function that gives its derivative where an argument is true."""

        def derivative(*inputs: Any) -> Any:
            return function(*inputs, **{flag: True})

        derivative.__name__ = f"{name}({flag}=True)"
        names = required_of(function)
        derivative.__signature__ = inspect.signature(_signed(names))  # type: ignore[attr-defined]  # Python reads it
        self.paired.add(name)
        forward = _turned(function) if _begins_with_labels(function) else function
        targets = (
            Target(name, forward, lambda _: (forward, derivative), node=node, without=flag),
            replace(_of_output(name, function, derivative, node), without=flag),
        )[: 2 if len(names) == 1 else 1]
        self.layers.found.append(Found(name, place, targets))

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

    def _with_callees(self, *names: str) -> list[ast.AST]:
        """The definitions of functions, and of those of the file that they call."""
        found: dict[str, ast.AST] = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in self.own and name not in found:
                found[name] = self.own[name][0]
                calls = (p for p in ast.walk(found[name]) if isinstance(p, ast.Call))
                pending += [c.func.id for c in calls if isinstance(c.func, ast.Name)]
        return list(found.values())

    def _propagation(self, name: str, partner: str, cost: str, place: Place) -> None:
        """A network of three functions."""
        three = (self.names[name], self.names[cost], self.names[partner])
        convention = Propagation()
        arguments = convention.layer(three, ()).names

        propagation = _signed(arguments)
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
    if SupervisedNetwork().fits(kind):
        names = inputs_of(kind)
        forward = _signed(names)
        return Target(name, forward, lambda one: one, setup=kind, node=node, labels=names[-1])
    flag = methods_with_derivative(kind)[2] if not ForwardBackward().fits(kind) else ""
    return Target(
        name, _unbound(kind), lambda one: one, setup=kind, skip=_skip(kind), node=node, without=flag
    )


def _signed(names: Sequence[str]) -> Callable[..., Any]:
    """A function that takes arguments of these names, and does nothing."""

    def function(*inputs: Any) -> Any: ...

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # Python reads it
        [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    )
    return function


def _at_output(target: Target) -> Target:
    """The same class, its derivative taken at the output."""

    def pair(one: Any) -> Any:
        function, derivative, flag = methods_with_derivative(one)

        def at_output(x: Any) -> Any:
            y = getattr(one, function)(x)
            return getattr(one, derivative)(y, **({flag: True} if flag else {}))

        return getattr(one, function), at_output

    return replace(target, hand=pair)


def _takes_input_alone(kind: type) -> bool:
    """Whether backward takes one argument, by the name that forward has for its one."""
    forward, backward = (required_of(getattr(kind, name))[-1:] for name in methods_of(kind))
    return forward == backward != []


def _as_derivative(target: Target) -> Target:
    """The same class, what its backward takes read as the input."""

    def pair(one: Any) -> Any:
        forward, backward = methods_of(one)
        return getattr(one, forward), getattr(one, backward)

    return replace(target, hand=pair)


def _unbound(kind: type) -> Any:
    if ForwardBackward().fits(kind):
        return getattr(kind, methods_of(kind)[0])
    if MethodAndDerivative().fits(kind):
        return getattr(kind, methods_with_derivative(kind)[0])
    return getattr(kind, loss_and_gradient(kind)[0])


def _skip(kind: type) -> int:
    """1 where the forward function still has its self."""
    return int(inspect.isfunction(_unbound(kind)) and not _is_static(kind))


def _is_static(kind: type) -> bool:
    method = inspect.getattr_static(kind, _unbound(kind).__name__, None)
    return isinstance(method, staticmethod)


def _forward_of(value: Any) -> Any:
    if ForwardBackward().fits(value):
        return getattr(value, methods_of(value)[0])
    if MethodAndDerivative().fits(value):
        return getattr(value, methods_with_derivative(value)[0])
    return getattr(value, loss_and_gradient(value)[0] or "fun", value)


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


def _has_stub(node: ast.AST) -> bool:
    """Whether a class has a method that does nothing yet."""
    methods = [m for m in getattr(node, "body", []) if isinstance(m, ast.FunctionDef)]
    return any(_does_nothing(m) for m in methods if not m.name.startswith("__"))


def _does_nothing(method: ast.FunctionDef) -> bool:
    for statement in method.body:
        if isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        ends = isinstance(statement, ast.Raise | ast.Return)
        if ends and "NotImplemented" in ast.unparse(statement):
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
        ("cost", "gradient"), ("cost", "grad"), ("loss", "gradient"), ("loss", "grad"),
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
        "d_", "d", "grad_", "deriv_", "derivative_", "derivative_of_", "backward_", "gradient_",
        "der_", "deriv", "prime_", "diff_",
    )  # fmt: skip
    return [*found, *(start + name for start in starts)]


def _begins_with_labels(function: Any) -> bool:
    """Whether a loss takes labels, and then what was predicted."""
    names = required_of(function)
    return len(names) == 2 and 0 in labels_among(names)


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
            parts = [ast.unparse(e) for e in found.value.elts]
            if re.fullmatch("grad(s|ients?)?", parts[0]) and is_loss(parts[1]):
                return True
            rest = parts[1:]
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
