"""Wrong rules, planted in copies of operators: the laws must find every one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from autograd_lite.graph import Op
from autograd_lite.rules import OPS
from tests import laws
from tests.benchmarks import __main__ as benchmarks
from tests.laws import Case, cases

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")


def changed(op: Op, **facts: Any) -> Op:
    """A copy of an operator with some facts changed; the registry does not know it."""
    twin = object.__new__(Op)
    for name in Op.__slots__:
        setattr(twin, name, getattr(op, name))
    if isinstance(twin.keeps, list):
        twin.keeps = list(twin.keeps)
    for name, value in facts.items():
        setattr(twin, name, value)
    return twin


def with_pull(op: Op, i: int, wrong: Callable[..., Any]) -> Op:
    """The operator whose rule of input i is ``wrong(right rule, g, y, *xs, **params)``."""
    right: Any = op.pulls[i]
    pulls = [op.pulls[k] for k in range(len(op.pulls))]
    pulls[i] = lambda g, y, *xs, **params: wrong(right, g, y, *xs, **params)
    return changed(op, pulls=tuple(pulls))


def failed_laws(op: Op) -> set[str]:
    """The laws that at least one case of this operator breaks."""
    failed = set()
    for case in cases(op).usual:
        for law in laws.LAWS:
            if law.__name__ not in failed and not holds(law, case):
                failed.add(law.__name__)
    return failed


def holds(law: Callable[[Case], None], case: Case) -> bool:
    try:
        law(case)
    except Exception:  # noqa: BLE001 - however a wrong rule shows
        return False
    return True


_seen: dict[int, Any] = {}


def remembered(right: Any, g: Any, y: Any, *xs: Any, **params: Any) -> Any:
    """A rule with side state: what it computed first it gives for ever (of equal shape)."""
    result = right(g, y, *xs, **params)
    return _seen.setdefault(hash(getattr(result, "shape", ())), result)


def detached(right: Any, g: Any, y: Any, *xs: Any, **params: Any) -> Any:
    """Right, but with values cut from the graph: the second derivative lacks a term."""
    plain = [x.detach() if hasattr(x, "detach") else x for x in (y, *xs)]
    return right(g, *plain, **params)


def where_negative(right: Any, g: Any, y: Any, *xs: Any, **params: Any) -> Any:
    """Wrong for some elements only."""
    return right(g, y, *xs, **params) * np.where(np.asarray(xs[0]) < 0, 1.001, 1.0)


def written_into(right: Any, g: Any, y: Any, *xs: Any, **params: Any) -> Any:
    """Right, but it changes the cotangent that it is given."""
    result = right(g, y, *xs, **params) * 1.0
    if isinstance(g, np.ndarray):
        g *= 2.0
    return result


@dataclass(frozen=True)
class Plant:
    """A fault, where it is planted, and a law that must notice it."""

    fault: str
    op: str
    make: Callable[[Op], Op]
    law: str


VJP, JVP = "the_vjp_is_the_numeric_one", "the_jvp_is_the_numeric_one"
KEEPS = "a_node_keeps_what_its_rule_reads"
SECOND = "the_second_derivative_is_the_numeric_one"

PLANTS = [
    *[
        Plant(f"{fault} of {name}", name, lambda op, wrong=wrong: with_pull(op, 0, wrong), VJP)
        for name in ("exp", "multiply", "divide", "sum", "matmul", "max", "prod", "concat")
        for fault, wrong in [
            ("sign", lambda right, *args, **params: -right(*args, **params)),
            ("factor", lambda right, *args, **params: right(*args, **params) * 1.0001),
            ("nothing", lambda right, *args, **params: None),
        ]
    ],
    Plant(
        "missing sum",
        "broadcast_to",
        lambda op: with_pull(
            op,
            0,
            lambda right, g, y, x, *, shape: (
                g[(0,) * (len(shape) - len(x.shape))] * 1.0
                if len(shape) > len(x.shape)
                else right(g, y, x, shape=shape)
            ),
        ),
        VJP,
    ),
    Plant(
        "mean that does not divide",
        "mean",
        lambda op: with_pull(op, 0, lambda right, g, *a, **p: right(g * a[1].size, *a, **p)),
        VJP,
    ),
    Plant("cached array", "exp", lambda op: with_pull(op, 0, remembered), SECOND),
    Plant("cached array", "tanh", lambda op: with_pull(op, 0, remembered), SECOND),
    Plant("wrong mask: ≥ for >", "abs", lambda op: with_pull(op, 0, where_negative), VJP),
    Plant(
        "mask of the other branch",
        "maximum",
        lambda op: changed(op, pulls=(op.pulls[1], op.pulls[0])),
        VJP,
    ),
    Plant("second derivative cut", "sin", lambda op: with_pull(op, 0, detached), SECOND),
    Plant("second derivative cut", "matmul", lambda op: with_pull(op, 0, detached), SECOND),
    Plant("writes into g", "exp", lambda op: with_pull(op, 0, written_into), "nothing_is_shared"),
    Plant(
        "sign of the tangent",
        "tanh",
        lambda op: changed(op, push=lambda *args: -op.push(*args)),
        JVP,
    ),
    Plant(
        "tangent forgets an argument",
        "multiply",
        lambda op: changed(op, push=lambda ts, *rest: op.push((ts[0], None), *rest)),
        JVP,
    ),
    Plant("keeps nothing", "exp", lambda op: changed(op, keeps=[0, 0]), KEEPS),
    Plant("keeps everything", "exp", lambda op: changed(op, keeps=[3, 3]), KEEPS),
    Plant("keeps both factors always", "add", lambda op: changed(op, keeps=[6, 6, 6, 6]), KEEPS),
    Plant(
        "random forward",
        "negative",
        lambda op: changed(op, forward=lambda x: -x + np.random.default_rng().normal()),
        "the_recorded_value_is_numpys",
    ),
    Plant(
        "order of memory",
        "exp",
        lambda op: with_pull(
            op,
            0,
            lambda right, g, y, x: (
                right(g, y, x)
                if not isinstance(g, np.ndarray) or g.flags.c_contiguous
                else right(np.ravel(g, order="K").reshape(g.shape), y, x)
            ),
        ),
        "the_layout_is_of_no_matter",
    ),
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.fault}: {plant.op}")
def test_a_planted_fault_is_found(plant: Plant) -> None:
    _seen.clear()
    op = plant.make(OPS[plant.op])
    law = getattr(laws, plant.law)
    if all(holds(law, case) for case in cases(op).usual):
        pytest.fail(f"noticed by {failed_laws(op) or 'nobody'} instead of {plant.law}")


@pytest.mark.parametrize("name", sorted({plant.op for plant in PLANTS}))
def test_the_laws_find_no_fault_in_a_mere_copy(name: str) -> None:
    assert not failed_laws(changed(OPS[name]))


def test_the_registry_is_not_touched() -> None:
    for plant in PLANTS:
        op = OPS[plant.op]
        assert plant.make(op) is not op
        assert OPS[plant.op] is op


def test_benchmarks_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in (
        (["nothing"], "no benchmark 'nothing'"),
        (["import_time", "--work", "MLP"], "import_time takes no --work"),
        (["compiled", "--work", "nothing"], "no work with nothing in its name"),
        (["compiled", "--contender", "nothing"], "no contender with nothing in its name"),
    ):
        with pytest.raises(SystemExit):
            benchmarks.main(words)
        assert told in capsys.readouterr().err
