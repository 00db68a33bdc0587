"""What a compiled function closes over: whatever of it changes, the next call's result is right."""

from __future__ import annotations

import collections
import dataclasses
import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.guards import same

X = np.array([1.0, 2.0, 3.0])
RATE = 2.0


def helper(x: Any) -> Any:
    return x * RATE


class Slotted:
    __slots__ = ("k", "w")

    def __init__(self) -> None:
        self.k, self.w = 2.0, np.ones(3)


@dataclasses.dataclass
class Record:
    k: float = 2.0
    w: Any = dataclasses.field(default_factory=lambda: np.ones(3))


class Shared:
    k = 2.0

    def scaled(self, x: Any) -> Any:
        return x * self.k


def rebind(cell: Any, value: Any) -> None:
    cell.cell_contents = value


def variable(value: Any, change: Callable[[Any], Any], use: Callable[[Any, Any], Any]) -> Any:
    """A function that closes over a variable, and what puts another value into it."""

    def f(x: Any) -> Any:
        return use(x, value)

    def turn() -> None:
        nonlocal value
        value = change(value)

    return f, turn


def held(value: Any, change: Callable[[Any], Any], use: Callable[[Any, Any], Any]) -> Any:
    """A function that closes over an object, and what changes that object."""
    return (lambda x: use(x, value)), lambda: change(value)


class Attribute:
    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, value

    def __call__(self, owner: Any) -> None:
        setattr(owner, self.name, self.value)


TWOS = np.full(3, 2.0)
CHANGES = {
    "a number": variable(2.0, lambda k: 3.0, lambda x, k: x * k),
    "a number's type": variable(2, lambda k: 2.0, lambda x, k: np.arange(3) * k),
    "a sign of zero": variable(0.0, lambda k: -0.0, ag.numpy.copysign),
    "none to an array": variable(None, lambda k: TWOS, lambda x, k: x if k is None else x + k),
    "a flag": variable(True, lambda k: False, lambda x, k: x if k else -x),
    "a function": variable(ag.sin, lambda k: ag.cos, lambda x, k: k(x)),
    "a tuple": variable((1, 2), lambda k: (2, 3), lambda x, k: x * k[0] + k[1]),
    "a tensor": variable(ag.tensor(X), lambda k: ag.tensor(TWOS), lambda x, k: x * k),
    "a constant": variable(ag.constant(X), lambda k: ag.constant(TWOS), lambda x, k: x * k),
    "another parameter": variable(
        ag.parameter(X), lambda k: ag.parameter(TWOS), lambda x, k: x * k),
    "another layer": variable(
        ag.nn.Affine(np.eye(3), X), lambda k: ag.nn.Affine(np.eye(3), TWOS),
        lambda x, k: k(x[None])),
    "an array in place": held(np.ones(3), lambda w: w.__imul__(2), lambda x, w: x * w),
    "an array, by NumPy first": held(np.ones(3), lambda w: w.__imul__(2), lambda x, w: x * (w * X)),
    "an array used both ways": held(
        X.copy(), lambda w: w.__imul__(2), lambda x, w: x * w + x * (w * w)),
    "an array's view": held(np.ones((2, 3)), lambda w: w.__imul__(2), lambda x, w: x * w[1]),
    "an array's transpose": held(np.ones((3, 2)), lambda w: w.__imul__(2), lambda x, w: x * w.T[0]),
    "an array's number": held(np.ones(3), lambda w: w.__imul__(2), lambda x, w: x * float(w[0])),
    "a branch on an array": held(
        np.ones(3), lambda w: w.__imul__(-1), lambda x, w: x if w[0] > 0 else -x),
    "an array of arrays": held(
        np.array([TWOS, None], object), lambda w: w.__setitem__(0, X), lambda x, w: x * w[0]),
    "a longer list": held([X], lambda w: w.append(X), lambda x, w: sum(x * one for one in w)),
    "an entry of a list": held([2.0] * 300, lambda w: w.__setitem__(250, 3.0),
                               lambda x, w: x * w[250]),
    "a shorter dict": held({"a": X, "b": X}, lambda w: w.pop("a", None),
                           lambda x, w: sum(x * one for one in w.values())),
    "a set": held({1, 2}, lambda w: w.add(3), lambda x, w: x * len(w)),
    "a deque": held(collections.deque([1, 2]), lambda w: w.rotate(), lambda x, w: x * w[0]),
    "a slot": held(Slotted(), Attribute("k", 3.0), lambda x, o: x * o.k * o.w),
    "an array in a slot": held(Slotted(), Attribute("w", TWOS), lambda x, o: x * o.k * o.w),
    "a field": held(Record(), Attribute("k", 3.0), lambda x, o: x * o.k * o.w),
    "an array in a field": held(Record(), Attribute("w", TWOS), lambda x, o: x * o.k * o.w),
    "an attribute of a class": held(
        type("Own", (Shared,), {}), Attribute("k", 3.0), lambda x, kind: kind().scaled(x)),
    "a method": held(
        type("Own", (Shared,), {}), Attribute("scaled", lambda self, x: -x),
        lambda x, kind: kind().scaled(x)),
    "an attribute by a computed name": held(
        Record(), Attribute("k", 3.0), lambda x, o: x * getattr(o, "kk"[:1])),
    "an attribute that hides the class's": held(
        Shared(), Attribute("k", 3.0), lambda x, o: o.scaled(x)),
    "an attribute of a namespace": held(
        types.SimpleNamespace(k=2.0), Attribute("k", 3.0), lambda x, m: x * m.k),
    "a parameter of a layer": held(
        ag.nn.Affine(np.eye(3), X), Attribute("b", ag.parameter(TWOS)),
        lambda x, net: net(x[None])),
    "a setting of a layer": held(
        ag.nn.Dropout(0.5, rng=0), lambda net: net.evaluate(), lambda x, net: net(x) * 0 + x),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_noticed(what: str) -> None:
    f, change = CHANGES[what]
    compiled = ag.compile(f)
    for _ in range(2):
        for _ in range(2):
            found, wanted = compiled(X), f(X)
            found, wanted = (getattr(one, "data", one) for one in (found, wanted))
            assert np.asarray(found).dtype == np.asarray(wanted).dtype
            np.testing.assert_array_equal(found, wanted)
        change()


def test_globals_of_functions_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = ag.compile(lambda x: helper(x) * 1)
    assert compiled(X)[0] == 2
    monkeypatch.setitem(globals(), "RATE", 5.0)
    assert compiled(X)[0] == 5
    monkeypatch.setitem(globals(), "helper", lambda x: x * 7)
    assert compiled(X)[0] == 7


def test_defaults() -> None:
    def f(x: Any, k: float = 2.0, w: Any = X.copy(), *, v: Any = X.copy()) -> Any:  # noqa: B008  # the test's point
        return x * k * w * v

    compiled = ag.compile(f)
    assert compiled(X)[0] == 2
    f.__defaults__[1][:] = 2  # type: ignore[index]  # there are some
    f.__kwdefaults__["v"][:] = 3  # type: ignore[index]  # there are some
    assert compiled(X)[0] == 12
    f.__defaults__ = (1.0, X)
    assert compiled(X)[0] == 3


def test_objects_among_the_arguments() -> None:
    compiled = ag.compile(lambda x, o: x * o.k * o.w)
    one = Slotted()
    assert compiled(X, one)[0] == 2
    one.k = 3.0
    assert compiled(X, one)[0] == 3
    one.w = TWOS
    assert compiled(X, one)[0] == 6


def test_what_a_partial_and_a_method_hold() -> None:
    one = Shared()
    compiled = ag.compile(one.scaled), ag.compile(functools.partial(lambda o, x: o.scaled(x), one))
    for k in (2.0, 3.0):
        one.k = k
        assert [f(X)[0] for f in compiled] == [k, k]


def test_arrays_that_change_are_inputs_not_reasons_to_trace() -> None:
    """The array itself, a view, another array in its place: all are read, the program stays."""
    weights = {"w": np.ones((2, 3))}
    traces = []

    def f(x: Any) -> Any:
        traces.append(1)
        return x * weights["w"][1] + weights["w"]

    compiled = ag.compile(f)
    for k in range(4):
        weights["w"][:] = k
        assert compiled(X)[0, 0] == 2 * k
        weights["w"] = np.full((2, 3), 10.0 + k)
        assert compiled(X)[0, 0] == 20 + 2 * k
    assert len(traces) == 1


def test_attributes_that_nobody_names_do_not_count() -> None:
    """A trainer's log and counters change at each call; the program does not read them."""

    class Trainer:
        def __init__(self) -> None:
            self.k, self.epoch, self.losses = 2.0, 0, [0.0]

        def step(self, x: Any) -> Any:
            return x * self.k

    trainer = Trainer()
    compiled = ag.compile(trainer.step)
    for _ in range(3):
        trainer.losses.append(compiled(X)[0])
        trainer.epoch += 1
    assert repr(compiled).endswith("1 programs>")


def test_traced_values_that_are_left_behind() -> None:
    """What backward reads of forward is no state; what the next call reads of this one is."""

    class Layer:
        def forward(self, x: Any) -> Any:
            self.x = x
            return x * x

        def backward(self, g: Any) -> Any:
            return g * 2 * self.x

    layer = Layer()

    @ag.compile
    def slope(x: Any) -> Any:
        return layer.backward(0 * layer.forward(x) + 1)

    for k in range(5):
        np.testing.assert_array_equal(slope(X + k), 2 * (X + k))
    assert repr(slope).endswith("2 programs>")

    class Average:
        def __init__(self) -> None:
            self.m = np.zeros(3)

        def __call__(self, x: Any) -> Any:
            self.m = self.m * 0.9 + x * 0.1
            return self.m

    average = ag.compile(Average())
    average(X)
    with pytest.raises(ag.errors.DetachedError, match="left its trace"):
        average(X)


def test_the_same() -> None:
    nan = float("nan")
    alike = [(2.0, 2.0), (nan, -nan), ("a", "a"), (np.float32(1), np.float32(1)), (X, TWOS)]
    others = [(2, 2.0), (True, 1), (0.0, -0.0), (None, 0), (np.float32(1), np.float64(1)), (X, 1.0)]
    assert [same(*pair) for pair in alike] == [True] * len(alike)
    assert [same(*pair) for pair in others] == [False] * len(others)


class Stepped:
    """Divides by how often it was called."""

    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, x: Any) -> Any:
        self.steps += 1
        return x / self.steps


def test_a_count_of_traces_is_an_effect() -> None:
    calls, by_name, slots = 0, {"f": 0}, [0]

    class Called:
        count = 0

    @ag.compile
    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        by_name["f"] += 1
        slots[0] -= 1
        Called.count += 1
        return x * 2

    for _ in range(3):
        np.testing.assert_array_equal(f(X), 2 * X)
    assert (calls, by_name, slots, Called.count) == (1, {"f": 1}, [-1], 1)


def test_a_count_that_a_result_rests_on_is_no_effect() -> None:
    compiled, total = ag.compile(Stepped()), [0]

    @ag.compile
    def f(x: Any) -> Any:
        total[0] += 1
        return x * total[0]

    for k in range(1, 4):
        np.testing.assert_array_equal(compiled(X), X / k)
        np.testing.assert_array_equal(f(X), X * k)
