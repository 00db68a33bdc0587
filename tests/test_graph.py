"""The graph: structure, order, names, scopes, source lines, replay, printing."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DTypeError, ShapeError, UnsupportedError
from autograd_lite.graph import Constant, Graph, Leaf, Node


def affine() -> Any:
    x = ag.tensor([[1.0, 1.0]], name="x")
    W = ag.parameter([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="W")
    b = ag.constant([7.0, 8.0, 9.0], name="b")
    return x @ W + b


def test_nodes_inputs_before_users() -> None:
    y = affine()
    graph = Graph.of(y, y.sum())
    place = {node: i for i, node in enumerate(graph)}
    assert len(graph) == len(place) == 6
    for node in graph:
        assert all(place[p] < place[node] for p in node.inputs if isinstance(p, Node))
    assert [node.name for node in graph.inputs] == ["x", "W"]
    assert graph.outputs[0] is y.node
    assert sorted(node.op.name for node in graph if isinstance(node, Leaf)) == [
        "constant",
        "input",
        "parameter",
    ]


def test_random_graphs_are_in_topological_order(rng: np.random.Generator) -> None:
    for _ in range(20):
        made = [ag.tensor(1.0) for _ in range(3)]
        for _ in range(40):
            a, b = rng.integers(0, len(made), 2)
            made.append(made[a] * made[b] * 0.5)
        graph = Graph.of(*made[-3:])
        seen: set[Node] = set()
        for node in graph:
            assert all(p in seen for p in node.inputs if isinstance(p, Node))
            seen.add(node)
        values = graph.replay()
        for tensor in made[-3:]:
            assert values[tensor.node] == tensor.data


def test_what_a_node_tells() -> None:
    with ag.scope("Outer"), ag.scope("Inner"):
        y = ag.tensor([[1.0, 2.0]], name="x").sum(axis=1)
    node = y.node
    assert (node.op.name, node.op.symbol, node.shape, node.dtype) == ("sum", "Σ", (1,), np.float64)
    assert node.params["axis"] == (1,)
    assert node.ndim == 1
    assert node.size == 1
    assert node.scope is not None
    assert node.scope.path == "Outer/Inner"
    assert node.scope.direction == "forward"
    assert node.source is not None
    assert node.source.file == __file__
    assert "y = ag.tensor" in node.source.text
    assert node.source.function == "test_what_a_node_tells"
    assert repr(node) == "<Node sum (1,) float64>"
    with pytest.raises(UnsupportedError, match="not an array"):
        np.asarray(node)
    with pytest.raises(TypeError):
        node + 1
    assert [handle.data for handle in node.outputs] == [3.0]


def test_source_lines_of_numpy_calls_and_methods() -> None:
    x = ag.tensor([1.0, 2.0])
    for y in (np.exp(x), x.sum(), 2 * x, np.ones(2) @ x, ag.nn.sigmoid(x), abs(x), x[0]):
        assert y.node.source is not None
        assert y.node.source.file == __file__


def test_scopes_are_entries_not_names() -> None:
    x = ag.tensor(1.0)

    @ag.scope("Square")
    def square(t: Any) -> Any:
        return t * t

    a, b = square(x), square(x)
    assert a.node.scope is not b.node.scope
    assert a.node.scope.path == b.node.scope.path == "Square"
    (g,) = ag.gradients(a * 1.0, [x])
    assert {node.scope.direction for node in Graph.of(g) if node.scope} >= {"backward"}
    backward = [node.scope for node in Graph.of(g) if node.scope and node.scope.level]
    assert all(scope.path == "Square" and scope.level == 1 for scope in backward)
    for wrong in (3, None, b"a"):
        with pytest.raises(DTypeError, match="string"):
            ag.scope(wrong)


def test_names() -> None:
    x = ag.tensor(1.0, name="x")
    y = x * 2
    y.name = "y"
    assert (x.name, y.name) == ("x", "y")
    assert "name='y'" in repr(y)
    with pytest.raises(DTypeError, match="string"):
        y.name = 3
    with pytest.raises(DTypeError, match="string"):
        ag.tensor(1.0, name=b"x")


def test_the_listing() -> None:
    lines = str(Graph.of(affine())).splitlines()
    assert lines[0] == "graph of 5 nodes"
    assert lines[1].split()[:4] == ["x", "input", "(1,", "2)"]
    assert "matmul(x, W)" in "\n".join(lines)
    assert "test_graph.py:" in lines[-2]
    assert lines[-1].startswith("  return %")


def test_the_listing_of_hostile_and_repeated_names() -> None:
    a, b = ag.tensor(1.0, name="a\x1b[31m\n\u202e"), ag.tensor(2.0, name="a\x1b[31m\n\u202e")
    long = ag.tensor(3.0, name="n" * 500)
    text = str(Graph.of(a * b + long))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text.splitlines()) == 7
    assert max(map(len, text.splitlines())) < 250
    labels = Graph.of(a * b).labels()
    assert len(set(labels.values())) == len(labels)


def test_replay() -> None:
    x, w = ag.tensor([1.0, 2.0], name="x"), ag.parameter([3.0, 4.0])
    y = ag.exp(x * w) + x
    graph = Graph.of(y)
    values = graph.replay({x.node: [0.5, 0.25]})
    np.testing.assert_allclose(values[y.node], np.exp([1.5, 1.0]) + np.array([0.5, 0.25]))
    np.testing.assert_array_equal(graph.replay()[y.node], y.data)
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        graph.replay({x.node: np.ones(3)})
    with pytest.raises(UnsupportedError, match="not in this graph"):
        graph.replay({ag.tensor(1.0).node: 1.0})


def test_structure() -> None:
    def f(x: Any, k: float = 2.0, axis: int = 0) -> Any:
        return (ag.exp(x) * k).sum(axis=axis)

    x, other = ag.tensor(np.ones((2, 2))), ag.tensor(np.zeros((2, 2)))
    same = Graph.of(f(x))
    assert same.same_structure(Graph.of(f(other)))
    assert same.same_structure(same)
    for different in (f(x, 3.0), f(x, axis=1), f(ag.tensor(np.ones((2, 3)))), f(x) * 1, ag.exp(x)):
        assert not same.same_structure(Graph.of(different))
    shared, apart = ag.tensor(1.0), ag.tensor(1.0)
    assert not Graph.of(shared * shared).same_structure(Graph.of(shared * apart))


def test_constants() -> None:
    x = ag.tensor([1.0, 2.0])
    named, plain = ag.constant([3.0, 4.0], name="c"), np.array([5.0, 6.0])
    nodes = Graph.of(x * named + plain * 2 * x).nodes
    assert [node.name for node in nodes if type(node) is Constant] == ["c"]
    alone = Graph.of(named)
    assert len(alone) == 1
    assert alone.inputs == ()


def test_graphs_are_neither_copied_nor_pickled() -> None:
    y = affine()
    for thing in (Graph.of(y), y.node, y):
        for way in (copy.deepcopy, copy.copy, pickle.dumps):
            with pytest.raises(UnsupportedError, match=r"copied|pickled"):
                way(thing)
    x = ag.tensor([1.0], name="x")
    x.sum().backward()
    twin = copy.deepcopy(x)
    assert (twin.name, twin.grad[0], twin.node is x.node) == ("x", 1.0, False)
    twin.grad[0] = 9.0
    assert x.grad[0] == 1.0


@pytest.mark.parametrize("wrong", [1.0, np.ones(2), None, [ag.tensor(1.0)]], ids=str)
def test_a_graph_is_of_tensors(wrong: Any) -> None:
    with pytest.raises(UnsupportedError, match="give tensors"):
        Graph.of(wrong)


def test_the_empty_graph() -> None:
    assert len(Graph.of()) == 0
    assert str(Graph.of()).startswith("graph of 0 nodes")


def test_trace() -> None:
    graph = ag.trace(lambda x, w: (x @ w, ag.exp(x)), np.ones(2), [1.0, 2.0])
    assert [node.name for node in graph.inputs] == ["x", "w"]
    assert len(graph.outputs) == 2
    for wrong in (lambda x: 3.0, lambda x: {"a": x}, lambda x: None):
        with pytest.raises(ag.errors.GradientError, match="tensors"):
            ag.trace(wrong, 1.0)
