"""The combined local rule of a region: what folds to what, and that no wrong rule is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.graph import Graph
from autograd_lite.recording import apply
from autograd_lite.rewrite import (
    PIECES,
    READABLE,
    SOUND,
    WRITTEN,
    Law,
    LocalRule,
    factored,
    local,
    local_rule,
    reading,
    rewritten,
)
from autograd_lite.rewrite.rational import number
from autograd_lite.rules import OPS

RNG = np.random.default_rng(0)
X = ag.tensor(RNG.normal(size=(4, 3)), name="x")
T = ag.tensor(RNG.normal(size=(4, 3)), name="t")
W = ag.parameter(RNG.normal(size=(3, 5)), name="W")
B = ag.parameter(RNG.normal(size=5), name="b")
ONE_HOT = ag.constant(np.eye(3)[[0, 2, 1, 1]], name="t")


def rule_of(y: Any, wanted: Any = X) -> LocalRule | None:
    graph = Graph.of(y)
    names = {node: node.name for node in graph.inputs}
    return local_rule(graph, y.node, wanted.node, names, graph.replay())


def text_of(y: Any, wanted: Any = X) -> str | None:
    rule = rule_of(y, wanted)
    return rule.text if rule else None


def stable_sigmoid(x: Any) -> Any:
    m = ag.maximum(x, 0)
    up = ag.exp(x - m)
    return up / (up + ag.exp(-m))


def shifted_softmax(x: Any) -> Any:
    e = ag.exp(x - ag.max(x, axis=1, keepdims=True))
    return e / ag.sum(e, axis=1, keepdims=True)


def unnamed_softmax(x: Any) -> Any:
    e = ag.exp(x)
    return e / ag.sum(e, axis=1)[:, None]


def exponential_tanh(x: Any) -> Any:
    up, down = ag.exp(x), ag.exp(-x)
    return (up - down) / (up + down)


def layer_norm(x: Any) -> Any:
    centred = x - ag.mean(x, axis=1, keepdims=True)
    return centred / ag.sqrt(ag.mean(centred**2, axis=1, keepdims=True) + 1e-5)


# No name of these functions reaches the search: it sees the recorded operators alone.
RULES: list[tuple[str, Callable[[], Any]]] = [
    ("G × y(1−y)", lambda: 1 / (1 + ag.exp(-X))),
    ("G × y(1−y)", lambda: ag.exp(X) / (1 + ag.exp(X))),
    ("G × y(1−y)", lambda: (1 + ag.exp(-X)) ** -1),
    ("G × y(1−y)", lambda: 0.5 * (1 + ag.tanh(X / 2))),
    ("G × y(1−y)", lambda: stable_sigmoid(X)),
    ("G × y(1−y)", lambda: ag.nn.sigmoid(X)),
    ("G × [x > 0]", lambda: ag.maximum(X, 0)),
    ("G × [x > 0]", lambda: ag.nn.relu(X)),
    ("G × mask", lambda: X * (X > 0)),
    ("(G − y × mean(G × y) − mean G)/√(1e−05 + var(x))", lambda: layer_norm(X)),
    ("G × (0.01 + 0.99·mask)", lambda: ag.nn.leaky_relu(X)),
    ("G × (1 − y²)", lambda: ag.tanh(X)),
    ("G × (1 − y²)", lambda: exponential_tanh(X)),
    ("G × (1 − y²)", lambda: (ag.exp(2 * X) - 1) / (ag.exp(2 * X) + 1)),
    ("G × (1 − y²)", lambda: 2 / (1 + ag.exp(-2 * X)) - 1),
    ("G × (y + σ(x)(1−y))", lambda: X / (1 + ag.exp(-X))),
    ("G × (y + σ(x)(1−y))", lambda: ag.nn.silu(X)),
    ("G × (−2x·y)", lambda: ag.exp(-X * X)),
    ("G × (−x·y)", lambda: ag.exp(-(X**2) / 2)),
    ("G × σ(x)", lambda: ag.log(1 + ag.exp(X))),
    ("G × σ(x)", lambda: ag.nn.softplus(X)),
    ("G/(1+exp(x))", lambda: ag.nn.log_sigmoid(X)),
    ("G × (mask + exp(x)(1−mask))", lambda: ag.nn.elu(X)),
    ("G × 2x", lambda: X * X),
    ("G × 3x²", lambda: X * X * X),
    ("G × (x − t)/6", lambda: ag.mean((X - T) ** 2)),
    ("G × 2(x−t)", lambda: ag.sum(ag.square(X - T))),
    ("y × (G − Σ(G × y))", lambda: shifted_softmax(X)),
    ("y × (G − Σ(G × y))", lambda: unnamed_softmax(X)),
    ("y × (G − Σ(G × y))", lambda: ag.nn.softmax(X)),
    ("G − exp(y) × Σ G", lambda: X - ag.logsumexp(X, axis=1, keepdims=True)),
    ("G − exp(y) × Σ G", lambda: ag.nn.log_softmax(X)),
    ("G × softmax(x)", lambda: ag.log(ag.sum(ag.exp(X), axis=1))),
    ("G × (softmax(x) − onehot)/4", lambda: ag.nn.softmax_cross_entropy(X, [0, 2, 1, 1])),
    ("G × (softmax(x) − t)/4", lambda: ag.nn.softmax_cross_entropy(X, ONE_HOT)),
    ("G × (softmax(x) − t)/4", lambda: -ag.sum(ONE_HOT * ag.log(shifted_softmax(X))) / 4),
    ("G × (σ(x) − t)/12", lambda: ag.nn.binary_cross_entropy_with_logits(X, ONE_HOT)),
    ("G·Wᵀ", lambda: X @ W + B),
    ("(G × [y > 0])·Wᵀ", lambda: ag.maximum(X @ W + B, 0)),
    ("(G × y(1−y))·Wᵀ", lambda: stable_sigmoid(X @ W + B)),
    ("G − mean rows G", lambda: X - ag.mean(X, axis=0)),
    ("(G − y × Σ(G × y))/√(Σ x²)", lambda: X / ag.sqrt(ag.sum(X * X, axis=1, keepdims=True))),
    ("G × x/y", lambda: ag.sqrt(1 + X * X)),
    ("G × (exp(x) − exp(−x))/2", lambda: (ag.exp(X) + ag.exp(-X)) / 2),
    ("G × (1 − x²)/(1+x²)²", lambda: X / (1 + X * X)),
    ("G/12 repeated", lambda: ag.mean(X)),
    ("G repeated", lambda: ag.sum(X, axis=0)),
]


@pytest.mark.parametrize(("text", "function"), RULES)
def test_what_folds_to_what(text: str, function: Callable[[], Any]) -> None:
    assert text_of(function()) == text


def test_every_input_has_its_rule() -> None:
    y = ag.maximum(X @ W + B, 0)
    assert text_of(y, W) == "xᵀ·(G × [y > 0])"
    assert text_of(y, B) == "Σ rows (G × [y > 0])"
    assert text_of(X @ W + B, W) == "xᵀ·G"
    assert text_of(X @ W + B, B) == "Σ rows G"
    assert text_of(ag.mean((X - T) ** 2), T) == "G × (t − x)/6"


def test_a_batch_of_one_row_reads_the_same() -> None:
    x = ag.tensor(RNG.normal(size=(1, 3)), name="x")
    assert text_of(x @ W + B, B) == "Σ rows G"
    assert text_of(1 / (1 + ag.exp(-x)), x) == "G × y(1−y)"


# what is not shown


def test_a_rule_that_is_too_long_is_not_shown() -> None:
    assert text_of(ag.nn.gelu(X, approximate="tanh")) is None


def test_a_large_region_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_searched", lambda *args: pytest.fail("searched"))
    y = X
    for _ in range(80):
        y = ag.sin(y)
    assert text_of(y) is None


def test_equal_structures_share_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    count = []
    searched = local._searched
    monkeypatch.setattr(local, "_searched", lambda *args: count.append(1) or searched(*args))
    monkeypatch.setattr(local, "_found", {})
    for _ in range(5):
        x = ag.tensor(RNG.normal(size=(2, 7)), name="x")
        assert text_of(ag.exp(ag.sin(x)), x) == "G × y·cos(x)"
    assert len(count) == 1


def test_arrays_in_parameters_and_constants_tell_structures_apart() -> None:
    found = set()
    for factor in (np.arange(3.0), np.arange(3.0) + 1, np.full(3, 2.0)):
        rule = rule_of(X * factor)
        assert rule is not None
        found.add(rule.text)
        grad = rule.compute([X.data], np.ones((4, 3)), None)
        np.testing.assert_allclose(grad, np.broadcast_to(factor, (4, 3)))
    assert found == {"G × const", "G × 2"}


def test_no_rule_where_numbers_disagree() -> None:
    """1/(1 + exp(−x)) at −800: the recorded derivative is NaN, y(1−y) is 0."""
    x = ag.tensor([-800.0, 1.0], name="x")
    with np.errstate(all="ignore"):
        assert text_of(1 / (1 + ag.exp(-x)), x) is None
        assert text_of(stable_sigmoid(x), x) == "G × y(1−y)"
    nan = ag.tensor([np.nan, 1.0], name="x")
    assert text_of(ag.maximum(nan, 0), nan) is None


WRONG: list[tuple[Any, Any]] = [
    (ag.exp, lambda f, n, a: f.exp(a) * number(2)),
    (ag.negative, lambda f, n, a: a),
    (ag.reciprocal, lambda f, n, a: a),
    (ag.multiply, lambda f, n, a, b: a + b),
    (ag.add, lambda f, n, a, b: a),
]


@pytest.mark.parametrize(("operator", "wrong"), WRONG)
def test_a_wrong_reading_shows_no_rule(
    operator: Any, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swish(x: Any) -> Any:
        return ag.multiply(x, ag.reciprocal(ag.add(1, ag.exp(ag.negative(x))))) - ag.log(x * x + 2)

    (right,) = ag.gradients(swish(X), [X], np.ones((4, 3)))
    monkeypatch.setattr(local, "_TEXT", 1000)
    monkeypatch.setattr(local, "_found", {})
    rule = rule_of(swish(X))
    assert rule is not None
    monkeypatch.setattr(local, "_found", {})
    monkeypatch.setitem(reading._MEANINGS, operator.op.forward, wrong)
    assert rule_of(swish(X)) is None
    np.testing.assert_allclose(
        rule.compute([X.data], np.ones((4, 3)), swish(X).data), right.data, atol=1e-12
    )


def test_an_input_called_y_is_not_mixed_up_with_the_output() -> None:
    y = ag.tensor([1.0, 2.0], name="y")
    assert text_of(1 / (1 + ag.exp(-y)), y) == "G × σ(y)(1−σ(y))"


def test_two_inputs_of_one_name_are_not_mixed_up() -> None:
    other = ag.parameter(RNG.normal(size=(5, 2)), name="W")
    assert text_of(ag.tanh(X @ W) @ other, other) is None
    other.name = "V"
    assert text_of(ag.tanh(X @ W) @ other, other) == "tanh(x·W)ᵀ·G"


def test_a_picture_does_not_mix_up_two_inputs_of_one_name() -> None:
    other = ag.parameter(RNG.normal(size=(5, 2)), name="W")
    with ag.scope("Net"):
        y = ag.tanh(X @ W) @ other
    drawing = ag.draw(y, expand="none", layout="builtin").drawing
    assert {edge.label.rule for edge in drawing.edges if edge.label} == {"= G ⋯", "= seed"}


# what a rule is good for


def test_a_rule_tells_whether_it_keeps_the_range() -> None:
    stable = {
        "σ": rule_of(ag.nn.sigmoid(X)),
        "relu": rule_of(ag.maximum(X, 0)),
        "affine": rule_of(X @ W + B),
        "square": rule_of(X * X),
        "textbook": rule_of(1 / (1 + ag.exp(-(X @ W + B)))),
    }
    assert {name: rule and rule.stable for name, rule in stable.items()} == {
        "σ": False,
        "relu": True,
        "affine": True,
        "square": True,
        "textbook": False,
    }


def test_a_rule_is_a_graph() -> None:
    rule = rule_of(shifted_softmax(X))
    assert rule is not None
    graph = rule.graph()
    names = [node.op.name for node in graph if node not in Graph([rule.region.output])]
    assert names == ["input", "multiply", "sum", "subtract", "multiply"]
    (found,) = ag.gradients(shifted_softmax(X), [X], np.ones((4, 3)) * [1, 2, 3])
    values = {rule.region.inputs[0]: X.data, rule.region.cotangent: np.ones((4, 3)) * [1, 2, 3]}
    np.testing.assert_allclose(graph.replay(values)[graph.outputs[0]], found.data, atol=1e-15)


# pictures


def test_a_folded_layer_shows_its_rule_whatever_its_name() -> None:
    with ag.scope("anything"):
        y = 1 / (1 + ag.exp(-X))
    rules = [edge.label.rule for edge in ag.draw(y, expand="none", layout="builtin").drawing.edges
             if edge.label]  # fmt: skip
    assert rules == ["= G × y(1−y)", "= seed"]
    with ag.scope("too much"):
        y = ag.nn.gelu(X, approximate="tanh")
    rules = [edge.label.rule for edge in ag.draw(y, expand="none", layout="builtin").drawing.edges
             if edge.label]  # fmt: skip
    assert rules == ["= G ⋯", "= seed"]


# laws

EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 40.0, -40.0, 800.0, -800.0, 1e-300, 1e300, 1e-9,
         np.inf, -np.inf, np.nan]  # fmt: skip


def operands(law: Law) -> list[list[Any]]:
    """Arrays (and parameters) for the names of a law."""
    if not law.samples:
        pool = EDGES if not law.loses else [0.5, 1.0, 2.0, 3.0, 1.5]
        grids = np.meshgrid(*[pool] * len(law.names))
        return [[grid.ravel() for grid in grids]]
    rng = np.random.default_rng(0)
    draws: list[Callable[[Any], Any]] = [lambda size: rng.normal(size=size)]
    if not law.loses:
        draws += [lambda size: rng.choice(EDGES, size=size)] * 6
    made = []
    for sample in law.samples:
        for draw in draws:
            row: list[Any] = []
            for name, value in zip(law.names, sample, strict=True):
                if name in "abc" and isinstance(value, str):
                    row.append(rng.integers(0, 2, size=5).astype(bool))
                else:
                    row.append(np.asarray(draw(value))[()] if name in "abc" else value)
            made.append(row)
    return made


def hold(law: Law) -> None:
    """Where the pattern's value is finite the replacement has the same."""
    informed = False
    for given in operands(law):
        with np.errstate(all="ignore"):
            before, after = np.asarray(law.pattern(*given)), np.asarray(law.replacement(*given))
        after = np.broadcast_to(after, before.shape)
        finite = np.isfinite(before)
        informed |= bool(np.any(finite))
        np.testing.assert_allclose(after[finite], before[finite], rtol=1e-12, atol=1e-15)
    assert informed


@pytest.mark.parametrize("law", [*SOUND, *READABLE, *PIECES, *WRITTEN], ids=lambda law: law.name)
def test_a_law_holds(law: Law) -> None:
    hold(law)


@pytest.mark.parametrize("law", [*SOUND, *READABLE, *PIECES, *WRITTEN], ids=lambda law: law.name)
def test_a_law_finds_its_pattern_in_a_graph(law: Law) -> None:
    for given in operands(law):
        moving = [
            k
            for k, one in enumerate(given)
            if isinstance(one, np.ndarray) and one.dtype.kind == "f"
        ]

        def recorded(*xs: Any, given: Any = given, moving: Any = moving) -> Any:
            row = list(given)
            for k, x in zip(moving, xs, strict=True):
                row[k] = x
            return law.pattern(*row)

        with np.errstate(all="ignore"):
            graph = ag.trace(recorded, *(given[k] for k in moving))
            found = rewritten(graph, [law])
            slow = graph.replay()[graph.outputs[0]]
            fast = found.graph.replay()[found.graph.outputs[0]]
        assert found.steps
        assert found.steps[0].law is law
        finite = np.isfinite(slow)
        np.testing.assert_allclose(np.asarray(fast)[finite], np.asarray(slow)[finite], 1e-12, 1e-15)


@pytest.mark.parametrize(
    "law",
    [
        Law("sign", lambda a: a * -1, lambda a: a),
        Law("factor", lambda a: a * a, lambda a: 2 * a),
        Law("order", lambda a, b: a - b, lambda a, b: b - a),
        Law("range", lambda a: ag.log(ag.exp(a)), lambda a: 0 * a),
        Law("digits", lambda a: ag.exp(a) - 1, lambda a: ag.exp(a) - 1 + 1e-12),
        Law("overflow", ag.abs, lambda a: ag.sqrt(ag.square(a))),
    ],
    ids=lambda law: law.name,
)
def test_a_wrong_law_is_caught(law: Law) -> None:
    with pytest.raises(AssertionError):
        hold(law)


def test_equal_nodes_become_one_and_constants_are_computed() -> None:
    y = ag.exp(X) * ag.exp(X) + ag.exp(X)
    assert len(Graph.of(y)) == 6
    assert len(rewritten(Graph.of(y), []).graph) == 4
    graph = ag.trace(lambda x: ag.sum(x * 0 + 1), np.ones(3))
    (leaf,) = rewritten(graph, READABLE).graph
    assert leaf.value == 3.0


def test_a_law_that_runs_in_a_circle_ends() -> None:
    circle = Law("circle", lambda a, b: a + b, lambda a, b: b + a)
    assert len(rewritten(Graph.of(X + T), [circle]).graph) == 3


def test_what_all_terms_of_a_sum_share_is_taken_out() -> None:
    def written(y: Any) -> str:
        found = factored(Graph.of(y), lambda node: node is T.node).graph
        return str([node.op.name for node in found if node.op.name != "input"])

    assert written(T * X + X * X * T / 2) == "['multiply', 'divide', 'add', 'multiply']"
    assert written(-(T * X) - T) == "['add', 'multiply', 'negative']"
    shared = T * X
    assert written(shared + T * (shared + 1)) == "['multiply', 'add', 'multiply', 'add']"
    assert written(T * (X > 0) + T * (X > 1)).count("multiply") == 2  # bools add otherwise
    y = T * X - X * T * X + T * ag.exp(X)
    after = factored(Graph.of(y), lambda node: node is T.node).graph
    np.testing.assert_allclose(after.replay()[after.outputs[0]], y.data, rtol=1e-12)


# programs that nobody chose

UNARY = [op for op in OPS.values() if op.kind == "pointwise" and len(op.pulls) == 1
         and op.domain == (-2.0, 2.0) and op.source and not op.name.startswith("_")]  # fmt: skip
BINARY = [ag.add, ag.subtract, ag.multiply, ag.maximum, ag.minimum]


def random_program(rng: np.random.Generator, leaves: list[Any]) -> Any:
    """A composition of operators of the registry."""
    values = list(leaves)
    for _ in range(int(rng.integers(2, 7))):
        a, b = (values[int(k)] for k in rng.integers(0, len(values), 2))
        kind = rng.integers(0, 4)
        if kind == 0:
            values.append(BINARY[int(rng.integers(len(BINARY)))](a, b))
        elif kind == 1:
            values.append(a - ag.mean(a, axis=-1, keepdims=True))
        else:
            values.append(apply(UNARY[int(rng.integers(len(UNARY)))], (a,)))
    return values[-1]


@pytest.mark.parametrize("seed", range(120))
@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
def test_random_programs(seed: int) -> None:
    """Rewritten by sound laws: the same numbers. Their local rules: right, or none."""
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(-1.5, 1.5, size=(2, 3)) for _ in range(2)]
    leaves = [ag.tensor(array, name=name) for array, name in zip(arrays, "ab", strict=True)]
    y = random_program(rng, leaves)
    seed_gradient = rng.normal(size=(2, 3))
    found = ag.gradients(y, leaves, ag.constant(seed_gradient))
    tracked = [one for one in (y, *found) if one.tracked]
    graph = Graph.of(*tracked)
    simple = rewritten(graph, SOUND).graph
    slow, fast = graph.replay(), simple.replay()
    for before, after in zip(graph.outputs, simple.outputs, strict=True):
        finite = np.isfinite(slow[before])
        np.testing.assert_allclose(fast[after][finite], slow[before][finite], 1e-9, 1e-9)
    region = Graph.of(y)
    for leaf, gradient in zip(leaves, found, strict=True):
        if leaf.node not in region.nodes or y is leaf:
            continue
        names = {leaves[0].node: "a", leaves[1].node: "b"}
        rule = local_rule(region, y.node, leaf.node, names, region.replay())
        if rule is not None:
            arrays = region.replay()
            given = [arrays[node] for node in rule.inputs]
            np.testing.assert_allclose(
                rule.compute(given, seed_gradient, y.data), gradient.data, 1e-7, 1e-9
            )
