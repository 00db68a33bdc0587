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
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from autograd_lite.comparison.adapters import convention_of
from autograd_lite.comparison.adapters.base import required_of
from autograd_lite.comparison.adapters.classes import ForwardBackward
from autograd_lite.comparison.adapters.contexts import ContextFunction
from autograd_lite.comparison.adapters.derivatives import (
    MethodAndDerivative,
    flag_of,
)
from autograd_lite.comparison.adapters.networks import Network
from autograd_lite.comparison.adapters.propagations import Propagation
from autograd_lite.comparison.adapters.scored import ScoredOutput, scored_inputs
from autograd_lite.comparison.adapters.supervised import SupervisedNetwork, inputs_of
from autograd_lite.comparison.adapters.words import is_cache, is_cost, is_flow
from autograd_lite.comparison.files.initial import network_inputs
from autograd_lite.comparison.files.programs import (
    Place,
    Program,
    assignments,
    definitions,
    unpackings,
)
from autograd_lite.comparison.files.slots import Target
from autograd_lite.comparison.files.syntax import gives_gradient, has_stub, is_abstract, partners
from autograd_lite.comparison.files.targets import (
    as_derivative,
    at_output,
    begins_with_labels,
    forward_of,
    of_class,
    of_output,
    signed,
    takes_input_alone,
    turned_round,
)
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
    ScoredOutput(),
    ForwardBackward(),
    MethodAndDerivative(),
    Network(),
)


class _Finder:
    def __init__(self, program: Program) -> None:
        self.names: dict[str, Any] = dict(vars(program.module))
        self.own = {n: d for n, d in definitions(program).items() if n in self.names}
        self.assigned = assignments(program)
        self.unpacked = unpackings(program)
        self.layers = Layers()
        self.paired: set[str] = set()

    def all(self) -> Layers:
        instances = self._instances()
        for names, factory, place in self.unpacked:
            self._made_pair(names, factory, place)
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
        elif is_abstract(kind, node) or (self._is_base(kind) and has_stub(node)):
            self._other(name, place, "a base class: its forward is left to others")
        elif not made:
            target = of_class(name, kind, node)
            turned = isinstance(convention, MethodAndDerivative) and not is_loss(name)
            targets = (target, at_output(target)) if turned else (target,)
            if isinstance(convention, ForwardBackward) and takes_input_alone(kind):
                targets = (target, as_derivative(target))
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
        labelled = inputs_of(value) if SupervisedNetwork().fits(value) else ()
        names = labelled or scored_inputs(value)
        one = value[0] if isinstance(value, list | tuple) else value
        forward = signed(names) if names else forward_of(one)
        target = Target(
            name, forward, lambda _: value, node=node, labels=labelled[-1] if labelled else ""
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
        candidates = (p for p in (*partners(name), *self._gradients_of(name)) if p in self.own)
        partner = next((p for p in candidates if inspect.isfunction(self.names[p])), None)
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
            if begins_with_labels(forward):
                forward, backward = turned_round(forward), turned_round(backward)
                targets = [Target(name, forward, lambda _: (forward, backward), node=both)]
            if len(required_of(forward)) == 1:
                targets.append(of_output(name, forward, backward, both))
        self.layers.found.append(Found(name, place, tuple(targets)))

    def _gradients_of(self, name: str) -> list[str]:
        """The function called as a gradient that takes what a cost takes, if there is one alone."""
        wanted = required_of(self.names[name]) if is_cost(self.names[name]) else []
        found = [
            other
            for other in self.own
            if other not in self.paired
            and re.fullmatch(r"(\w+_)?grad(ient)?s?(_\w+)?", other)
            and inspect.isfunction(self.names[other])
            and wanted == required_of(self.names[other]) != []
        ]
        return found if len(found) == 1 else []

    def _made_pair(self, names: tuple[str, ...], factory: str, place: Place) -> None:
        """Two functions that a function of the file has made, the second the backward pass."""
        if len(names) != 2 or factory not in self.own:
            return
        forward, backward = (self.names.get(name) for name in names)
        if not (inspect.isfunction(forward) and inspect.isfunction(backward)):
            return
        wanted = required_of(backward)
        if backward.__name__ in partners(forward.__name__) or (wanted and is_flow(wanted[0])):
            self.paired.add(factory)
            node = self.own[factory][0]
            target = Target(names[0], forward, lambda _: (forward, backward), node=node)
            self.layers.found.append(Found(", ".join(names), place, (target,)))

    def _flagged(self, name: str, function: Any, flag: str, node: ast.AST, place: Place) -> None:
        """A function that gives its derivative where an argument is true."""

        def derivative(*inputs: Any) -> Any:
            return function(*inputs, **{flag: True})

        derivative.__name__ = f"{name}({flag}=True)"
        names = required_of(function)
        derivative.__signature__ = inspect.signature(signed(names))  # type: ignore[attr-defined]  # Python reads it
        self.paired.add(name)
        forward = turned_round(function) if begins_with_labels(function) else function
        targets = (
            Target(name, forward, lambda _: (forward, derivative), node=node, without=flag),
            replace(of_output(name, function, derivative, node), without=flag),
        )[: 2 if len(names) == 1 else 1]
        self.layers.found.append(Found(name, place, targets))

    def _cost_of(self, forward: Any, backward: Any) -> str | None:
        """The cost in the file whose labels a backward pass takes; None where it takes dout."""
        if "back" not in backward.__name__.lower():
            return None
        wanted = {n for n in required_of(backward) if not is_cache(n)} - set(required_of(forward))
        for name, (node, _) in self.own.items():
            function = self.names[name]
            if not is_cost(function) or gives_gradient(node):
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

        propagation = signed(arguments)
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
        if gives_gradient(node):
            target = Target(name, function, lambda _: function, node=node)
            self.layers.found.append(Found(name, place, (target,)))
        else:
            self._other(name, place, "a function without a gradient beside it")


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
