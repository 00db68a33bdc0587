"""Optimizers: from gradients to new values of parameters; rates that change; clipping.

Each optimizer is one rule for one array; the rest is common. State is explicit (``state()``,
``load_state()``). Knows parameters as tensors in any container. Imports errors, tree, recording.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from autograd_lite.errors import DomainError, DTypeError, GradientError, ShapeError
from autograd_lite.modes import current_mode
from autograd_lite.rules import nondifferentiable
from autograd_lite.tensors import Tensor, plain_value
from autograd_lite.tree import flatten, flatten_like

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "clip_by_norm",
    "clip_by_value",
    "constant",
    "cosine",
    "exponential",
    "one_cycle",
    "piecewise",
    "polynomial",
    "warmup",
]

Schedule = Callable[[int], float]


class Optimizer:
    """What all optimizers share. ``parameters`` is a layer, or a dict, list or tuple of tensors.

    ``rate`` is a number or a schedule: a function of the number of steps done so far.
    ``decay`` adds decay·parameter to each gradient (an L2 penalty). ``step()`` takes the gradients
    from ``.grad``, or as an argument in the form of the parameters; parameters without gradient
    stay. All new values are computed before the first one is assigned.
    """

    SLOTS: tuple[str, ...] = ()

    def __init__(self, parameters: Any, rate: float | Schedule, *, decay: float = 0.0) -> None:
        self._form = parameters
        leaves = {id(leaf): leaf for leaf in flatten(parameters)[0]}  # a shared one moves once
        self.parameters = list(leaves.values())
        for one in self.parameters:
            if not isinstance(one, Tensor) or not one.tracked or one.node.op.name != "parameter":
                raise DTypeError(
                    f"an optimizer was given a {type(one).__name__} that is no parameter",
                    mend="give a layer, or tensors made with ag.parameter",
                )
        if not self.parameters:
            raise DomainError("an optimizer of no parameters", mend="give a layer that has some")
        self.rate = rate
        self.decay = _at_least(0, decay, "decay")
        self.steps = 0
        self._slots: list[dict[str, Any]] = [{} for _ in self.parameters]
        self._rate_now()

    def _rate_now(self, later: int = 0) -> float:
        rate = self.rate(self.steps + later) if callable(self.rate) else self.rate
        return _at_least(0, rate, "rate")

    def step(self, gradients: Any = None) -> None:
        """Move every parameter that has a gradient."""
        tracer = current_mode().tracer
        if tracer is not None:
            self._trace_step(tracer, gradients)
            return
        rate = self._rate_now()
        moves = []
        for k, (p, g) in enumerate(zip(self.parameters, self._gradients(gradients), strict=True)):
            if g is None:
                continue
            old = p.data
            g = np.asarray(plain_value(g))
            if g.shape != old.shape:
                raise ShapeError(
                    f"a gradient of shape {g.shape} for a parameter of {old.shape}",
                    mend="give the gradients in the form of the parameters",
                )
            g = g + self.decay * old if self.decay else g
            slots = self._slots[k] or {name: np.zeros_like(old) for name in self.SLOTS}
            slots = {**slots, "count": slots.get("count", 0) + 1}
            moves.append((k, self.update(old, g, rate, slots), slots))
        for k, new, slots in moves:
            self.parameters[k].data = new
            self._slots[k] = slots
        self.steps += 1

    def _trace_step(self, tracer: Any, gradients: Any) -> None:
        """The same step in a compiled function: all that it reads and writes is lifted."""
        tracer.guard(lambda: {k: v for k, v in vars(self).items() if _is_setting(k, v)})
        later = tracer.pending(self)
        rate = tracer.number(lambda: self._rate_now(later))
        moved = []
        for k, (p, g) in enumerate(zip(self.parameters, self._gradients(gradients), strict=True)):
            if g is None:
                continue
            moved.append(k)
            if not self._slots[k]:  # the state of a parameter that has not moved yet
                fresh = {name: np.zeros(p.shape, p.dtype)[()] for name in self.SLOTS}
                self._slots[k] = {**fresh, "count": 0}
            count = tracer.number(lambda k=k: self._slots[k]["count"] + later + 1)
            slots = {
                name: tracer.read((id(self), k, name), lambda k=k, n=name: self._slots[k][n], name)
                for name in self.SLOTS
            }
            slots["count"] = count
            old = p.data
            p.data = self.update(old, g + self.decay * old if self.decay else g, rate, slots)
            for name in self.SLOTS:
                put = lambda new, k=k, n=name: self._slots[k].update({n: new})
                tracer.write((id(self), k, name), slots[name], put)
        tracer.after(self, lambda: self._stepped(moved))

    def _stepped(self, moved: Sequence[int]) -> None:
        self.steps += 1
        for k in moved:
            self._slots[k]["count"] += 1

    def update(self, p: Any, g: Any, rate: float, slots: dict[str, Any]) -> Any:
        """The new value of an array from its gradient; ``slots`` holds what the rule remembers.

        It may put new arrays into ``slots`` and changes none in place; ``slots["count"]`` counts
        the updates of this array, this one included.
        """
        raise NotImplementedError

    def _gradients(self, gradients: Any) -> Sequence[Any]:
        if gradients is None:
            found = [p.grad for p in self.parameters]
            if all(g is None for g in found):
                raise GradientError(
                    "step() without any gradient", mend="call backward() before step()"
                )
            return found
        total: dict[int, Any] = {}
        leaves = flatten(self._form)[0]
        for leaf, g in zip(leaves, flatten_like(self._form, gradients), strict=True):
            total[id(leaf)] = g if id(leaf) not in total else total[id(leaf)] + g
        return [total[id(p)] for p in self.parameters]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for p in self.parameters:
            p.zero_grad()

    def state(self) -> dict[str, Any]:
        """All that the next step rests on beside parameters and gradients, as copies."""
        slots = {
            f"{k}.{name}": np.array(value)
            for k, slots in enumerate(self._slots)
            for name, value in slots.items()
        }
        return {"steps": np.array(self.steps), **slots}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state. Raises ``DomainError`` if it is not of such an optimizer."""
        slots: list[dict[str, Any]] = [{} for _ in self.parameters]
        for key, value in state.items():
            number, _, name = key.partition(".")
            if key == "steps":
                continue
            if not number.isdigit() or int(number) >= len(slots):
                raise DomainError(f"a state with the entry {key!r}", mend="it has other parameters")
            wanted = () if name == "count" else self.parameters[int(number)].shape
            if name not in (*self.SLOTS, "count") or np.shape(value) != wanted:
                raise DomainError(f"a state with the entry {key!r} of shape {np.shape(value)}",
                                  mend="it is of another optimizer")  # fmt: skip
            slots[int(number)][name] = np.array(value) if name != "count" else int(value)
        if "steps" not in state or any(s and len(s) != len(self.SLOTS) + 1 for s in slots):
            raise DomainError("a state that is not whole", mend="load all that state() gave")
        self.steps, self._slots = int(state["steps"]), slots


def _is_setting(name: str, value: Any) -> bool:
    """Whether an attribute of an optimizer is a constant of its rule: momentum, epsilon, decay."""
    return name not in ("steps", "rate") and isinstance(value, (int, float, tuple))


def _at_least(least: float, value: float, what: str, below: float = math.inf) -> float:
    if not least <= value < below:
        limits = f"at least {least}" + (f" and less than {below}" if below < math.inf else "")
        raise DomainError(f"{what}={value!r}", mend=f"{what} is {limits}")
    return value


class SGD(Optimizer):
    """Stochastic gradient descent: p ← p − rate·g.

    >>> import autograd_lite as ag
    >>> p = ag.parameter([1.0, 2.0])
    >>> (p * p).sum().backward()
    >>> ag.optim.SGD([p], 0.25).step()
    >>> p
    Tensor([0.5, 1. ])
    """

    def update(self, p: Any, g: Any, rate: float, slots: dict[str, Any]) -> Any:
        """See the class."""
        return p - rate * g


class Momentum(Optimizer):
    """Gradient descent with momentum: v ← momentum·v + g, p ← p − rate·v."""

    SLOTS = ("velocity",)

    def __init__(
        self, parameters: Any, rate: float | Schedule, momentum: float = 0.9, *, decay: float = 0.0
    ) -> None:
        super().__init__(parameters, rate, decay=decay)
        self.momentum = _at_least(0, momentum, "momentum", 1)

    def update(self, p: Any, g: Any, rate: float, slots: dict[str, Any]) -> Any:
        """See the class."""
        slots["velocity"] = v = self.momentum * slots["velocity"] + g
        return p - rate * v


class Nesterov(Momentum):
    """Nesterov's momentum: v ← momentum·v + g, p ← p − rate·(g + momentum·v)."""

    def update(self, p: Any, g: Any, rate: float, slots: dict[str, Any]) -> Any:
        """See the class."""
        slots["velocity"] = v = self.momentum * slots["velocity"] + g
        return p - rate * (g + self.momentum * v)


class AdaGrad(Optimizer):
    """s ← s + g², p ← p − rate·g/(√s + epsilon) (Duchi et al., 2011)."""

    SLOTS = ("squares",)

    def __init__(
        self, parameters: Any, rate: float | Schedule = 0.01, *, epsilon: float = 1e-10,
        decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(parameters, rate, decay=decay)
        self.epsilon = _at_least(0, epsilon, "epsilon")

    def update(self, p: Any, g: Any, rate: float, slots: dict[str, Any]) -> Any:
        """See the class."""
        slots["squares"] = s = slots["squares"] + g * g
        return p - rate * g / (np.sqrt(s) + self.epsilon)


class RMSProp(Optimizer):
    """s ← smoothing·s + (1 − smoothing)·g², p ← p − rate·g/(√s + epsilon) (Hinton, 2012)."""

    SLOTS = ("squares",)

    def __init__(
        self, parameters: Any, rate: float | Schedule = 0.01, *, smoothing: float = 0.99,
        epsilon: float = 1e-8, decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(parameters, rate, decay=decay)
        self.smoothing = _at_least(0, smoothing, "smoothing", 1)
        self.epsilon = _at_least(0, epsilon, "epsilon")

    def update(self, p: Any, g: Any, rate: float, slots: dict[str, Any]) -> Any:
        """See the class."""
        a = self.smoothing
        slots["squares"] = s = a * slots["squares"] + (1 - a) * (g * g)
        return p - rate * g / (np.sqrt(s) + self.epsilon)


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015): running means of g and g², each freed from its start at zero.

    m ← β₁·m + (1 − β₁)·g, s ← β₂·s + (1 − β₂)·g²,
    p ← p − rate·(m/(1 − β₁ᵗ))/(√(s/(1 − β₂ᵗ)) + epsilon).
    """

    SLOTS = ("mean", "squares")

    def __init__(
        self, parameters: Any, rate: float | Schedule = 0.001, *,
        betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8, decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(parameters, rate, decay=decay)
        self.betas = tuple(_at_least(0, beta, "beta", 1) for beta in betas)
        self.epsilon = _at_least(0, epsilon, "epsilon")

    def update(self, p: Any, g: Any, rate: float, slots: dict[str, Any]) -> Any:
        """See the class."""
        a, b = self.betas
        slots["mean"] = m = a * slots["mean"] + (1 - a) * g
        slots["squares"] = s = b * slots["squares"] + (1 - b) * (g * g)
        t = slots["count"]
        return p - rate / (1 - a**t) * m / (np.sqrt(s / (1 - b**t)) + self.epsilon)


class AdamW(Adam):
    """Adam with decay apart from the gradient: p ← p − rate·decay·p first (Loshchilov, Hutter)."""

    def __init__(
        self, parameters: Any, rate: float | Schedule = 0.001, *,
        betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8, decay: float = 0.01,
    ) -> None:  # fmt: skip
        super().__init__(parameters, rate, betas=betas, epsilon=epsilon)
        self.weight_decay = _at_least(0, decay, "decay")

    def update(self, p: Any, g: Any, rate: float, slots: dict[str, Any]) -> Any:
        """See the class."""
        return super().update(p - rate * self.weight_decay * p, g, rate, slots)


# rates that change: functions of the number of steps done


def constant(rate: float) -> Schedule:
    """The same rate always."""
    return lambda step: rate


def exponential(rate: float, factor: float, every: int = 1) -> Schedule:
    """rate·factor^(step / every), all steps in between included.

    >>> exponential(1.0, 0.5, every=2)(4)
    0.25
    """
    return lambda step: float(rate * factor ** (step / every))


def piecewise(rates: Mapping[int, float]) -> Schedule:
    """From each of these steps on the rate named for it; one of them is step 0.

    >>> schedule = piecewise({0: 0.1, 10: 0.01})
    >>> schedule(9), schedule(10)
    (0.1, 0.01)
    """
    if 0 not in rates:
        raise DomainError("no rate for step 0", mend="piecewise({0: rate, 100: smaller})")
    starts = sorted(rates)
    return lambda step: rates[max(start for start in starts if start <= step)]


def polynomial(rate: float, steps: int, *, end: float = 0.0, power: float = 1.0) -> Schedule:
    """From ``rate`` to ``end`` in so many steps, along (1 − step/steps)^power; then ``end``.

    >>> polynomial(1.0, 10)(5)
    0.5
    """
    return lambda step: float(end + (rate - end) * (1 - min(step, steps) / steps) ** power)


def cosine(rate: float, steps: int, *, end: float = 0.0) -> Schedule:
    """From ``rate`` to ``end`` in so many steps, along half a cosine; then ``end``.

    >>> cosine(1.0, 10)(5)
    0.5
    """

    def schedule(step: int) -> float:
        part = 0.5 + 0.5 * math.cos(math.pi * min(step, steps) / steps)
        return rate * part + end * (1 - part)

    return schedule


def warmup(schedule: float | Schedule, steps: int) -> Schedule:
    """First a straight line from 0 in so many steps, then the schedule from its step 0 on.

    >>> schedule = warmup(1.0, 4)
    >>> schedule(0), schedule(3), schedule(4)
    (0.25, 1.0, 1.0)
    """
    after = schedule if callable(schedule) else constant(schedule)
    return lambda step: after(0) * (step + 1) / steps if step < steps else after(step - steps)


def one_cycle(rate: float, steps: int, *, rise: float = 0.3, start: float = 0.04) -> Schedule:
    """Up from start·rate to ``rate`` in the first part of the steps, then down to 0; by cosines.

    >>> schedule = one_cycle(1.0, 100)
    >>> schedule(0), schedule(30), schedule(100)
    (0.04, 1.0, 0.0)
    """
    top = max(1, int(steps * rise))
    up, down = cosine(start * rate, top, end=rate), cosine(rate, max(1, steps - top))
    return lambda step: up(step) if step < top else down(step - top)


# clipping


def clip_by_norm(gradients: Any, limit: float) -> float:
    """Scale all gradients together, so that the norm of all of them is at most ``limit``.

    ``gradients`` are parameters, in any container, whose ``.grad`` is replaced. Returns the norm
    before. A norm that is not finite raises ``GradientError``, and nothing changes.

    >>> import autograd_lite as ag
    >>> p = ag.parameter([3.0, 4.0])
    >>> (p * p / 2).sum().backward()
    >>> clip_by_norm([p], 1.0), p.grad
    (5.0, array([0.6, 0.8]))
    """
    _at_least(0, limit, "limit")
    holders = _holders(gradients)
    if not holders:
        return 0.0
    if current_mode().tracer is not None:
        return cast("float", _traced_clip(holders, limit))
    norm = float(_norm(*[p.grad for p in holders]))
    if norm > limit:
        for p in holders:
            p.grad = p.grad * (limit / norm)
    return norm


def _norm(*gradients: Any) -> Any:
    """The norm of all together in 64 bits; scaled, so that no square overflows or vanishes."""
    sizes = [np.abs(g).astype(np.float64) for g in gradients]
    largest = functools.reduce(np.maximum, [np.max(size, initial=0) for size in sizes])
    scale = np.where(largest > 0, largest, 1.0)
    total = sum(np.sum(np.square(size / scale)) for size in sizes)
    if np.isfinite(largest):
        return (scale * np.sqrt(total))[()]
    raise GradientError("a gradient holds NaN or infinity", mend="look with ag.debug()")


_norm_of = nondifferentiable("_norm_of", _norm, symbol="‖·‖", text="‖{0}, …‖")


def _traced_clip(holders: Sequence[Any], limit: float) -> Any:
    """The same in a compiled function: the factor is 1 where the norm is within the limit."""
    norm = _norm_of(*[p.grad for p in holders])
    factor = limit / np.maximum(norm, limit or np.finfo(np.float64).tiny)
    for p in holders:
        p.grad = p.grad * factor.astype(p.dtype)
    return norm


def clip_by_value(gradients: Any, limit: float) -> None:
    """Bring every element of every gradient between −limit and limit.

    >>> import autograd_lite as ag
    >>> p = ag.parameter([3.0, 0.5])
    >>> (p * p / 2).sum().backward()
    >>> clip_by_value([p], 1.0)
    >>> p.grad
    array([1. , 0.5])
    """
    _at_least(0, limit, "limit")
    for p in _holders(gradients):
        p.grad = np.clip(p.grad, -limit, limit)


def _holders(parameters: Any) -> list[Any]:
    leaves = {id(leaf): leaf for leaf in flatten(parameters)[0]}.values()
    return [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.grad is not None]
