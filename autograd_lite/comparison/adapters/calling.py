"""How a backward method wants to be called: what each of its arguments is given.

Knows: that beside what flows in it may take the inputs again, by the names that the forward pass
calls them, what the forward pass gave, a learning rate, the weight of a penalty, and a cache last.
Does not know: gradients, tensors, verdicts.
Imports: errors, its base.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_lite.comparison.adapters.base import arguments_of
from autograd_lite.comparison.adapters.words import is_cache, is_flow, is_rate
from autograd_lite.errors import CompareError

__all__ = ["Call"]

_PENALTY = re.compile(r"lamb?da|lambd|lam|reg\w*|l1|l2|weight_?decay|decay|wd|momentum|mu")
_OUTPUT = re.compile(r"out|output|outputs|y_?hat|y_?pred\w*|pred\w*|probs?|a|activations?")


@dataclass(frozen=True)
class Call:
    """What the positional arguments of a backward method are: a name with a role for each.

    The roles: "flow", "input", "output", "rate", "penalty", "cache". `unit`: what flows in has 1
    for a default; `variadic`: it takes whatever is given.
    """

    roles: tuple[tuple[str, str], ...]
    unit: bool = False
    variadic: bool = False

    @classmethod
    def of(cls, backward: Callable[..., Any], inputs: Sequence[str]) -> Call:
        """The roles as far as names tell; `inputs` are the names of the forward's inputs."""
        found = arguments_of(backward)
        roles: list[tuple[str, str]] = []
        for k, p in enumerate(found):
            if is_rate(p.name) and len(found) > 1:
                roles.append((p.name, "rate"))
            elif p.default is not p.empty:
                if k == 0:
                    return cls(((p.name, "flow"), *_rates(found[1:])), unit=_is_one(p.default))
            elif _PENALTY.fullmatch(p.name.strip("_").lower()) and k > 0:
                roles.append((p.name, "penalty"))
            elif p.name in inputs:
                roles.append((p.name, "input"))
            else:
                roles.append((p.name, "flow"))
        flows = [name for name, role in roles if role == "flow"]
        if flows and roles[-1] == (flows[-1], "flow") and is_cache(flows[-1]):
            roles[-1] = (flows[-1], "cache")
        if not flows and len(inputs) == 1 and len(roles) == 1:
            roles = [(roles[0][0], "flow")]  # forward(x) and backward(x): another x
        return cls(tuple(roles), variadic=not roles and _takes_any(backward))

    def named(self, role: str) -> tuple[str, ...]:
        """The names of the arguments with a role."""
        return tuple(name for name, found in self.roles if found == role)

    def arguments(
        self, flows: Sequence[Any], inputs: Mapping[str, Any], output: Any, cache: Sequence[Any]
    ) -> list[Any]:
        """What to call the method with.

        Where it takes more than flows in, arguments that are not called as gradients are get the
        output or the inputs, in order. `CompareError` where that is not enough.
        """
        if self.variadic:
            return [*flows, *cache]
        rest, kept = list(flows), list(cache)
        spare = len(self.named("flow")) - len(rest)
        left = [value for name, value in inputs.items() if name not in self.named("input")]
        found: list[Any] = []
        for name, role in self.roles:
            if role == "flow" and spare > 0 and not is_flow(name):
                role = "output" if _OUTPUT.fullmatch(name.strip("_").lower()) else "input again"
                spare -= 1
            match role:
                case "flow" if rest:
                    found.append(rest.pop(0))
                case "cache" if kept:
                    found.append(kept.pop(0))
                case "cache" if rest:
                    found.append(rest.pop(0))
                case "input":
                    found.append(inputs[name])
                case "input again" if left:
                    found.append(left.pop(0))
                case "output":
                    found.append(output)
                case "rate":
                    found.append(1.0)
                case "penalty":
                    found.append(0.0)
                case _:
                    raise self._unclear(name)
        return found

    def _unclear(self, name: str) -> CompareError:
        return CompareError(
            f"backward takes {', '.join(n for n, _ in self.roles)}, and what {name} is, is not "
            "clear",
            where="tried: what flows into each output, the inputs again by the names that forward "
            "has for them, the output, a learning rate, the weight of a penalty, a cache",
            mend="pass a pair of functions, (lambda x: layer.forward(x), lambda dout, x: "
            "layer.backward(…)), or call arguments that are the same thing by the same name",
        )


def _rates(arguments: Sequence[inspect.Parameter]) -> list[tuple[str, str]]:
    """The rates that directly follow; what has a default beside them keeps it."""
    found = []
    for p in arguments:
        if not is_rate(p.name):
            break
        found.append((p.name, "rate"))
    return found


def _is_one(value: Any) -> bool:
    return (isinstance(value, int | float) and value == 1) or value is None


def _takes_any(function: Callable[..., Any]) -> bool:
    """Whether a function takes however many arguments, or does not tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.kind is p.VAR_POSITIONAL for p in found)
