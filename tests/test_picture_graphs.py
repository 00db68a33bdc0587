"""Pictures of the graphs that are not plain forward ones: derivatives, several results, dtypes."""

import contextlib
import gc
import weakref

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import (
    AutogradError,
    DrawError,
    DTypeError,
    ShapeError,
    UnsupportedError,
)
from autograd_lite.reverse import flow


def labels(picture):
    return [edge.label for edge in picture.drawing.edges if edge.label is not None]


def titles(picture, kind):
    return [mark.title for mark in picture.drawing.marks if mark.kind == kind]


# derivatives are graphs too


def tanh_derivatives():
    x = ag.tensor(0.5, name="x")
    with ag.scope("Tanh"):
        y = ag.tanh(x)
    (first,) = ag.gradients(y, [x])
    (second,) = ag.gradients(first, [x])
    return y, first, second


def test_frames_tell_which_derivative_they_hold():
    every = list(tanh_derivatives())
    picture = ag.draw(every, gradients=False, layout="builtin")
    directions = ["Tanh", "Tanh · backward", "Tanh · backward²"]
    assert sorted(frame.title for frame in picture.drawing.frames) == directions
    folded = ag.draw(every, gradients=False, expand="none", layout="builtin")
    assert sorted(titles(folded, "fold")) == [f"⊞ {title}" for title in directions]


def test_a_joint_graph_has_its_outputs_side_by_side():
    y, first, _ = tanh_derivatives()
    y.name, first.name = "y", "dy/dx"
    picture = ag.draw([y, first], gradients=False, layout="builtin")
    assert titles(picture, "output") == ["y", "dy/dx"]
    shown = {label.name: label.value.lines for label in labels(picture) if label.value}
    assert shown["dy/dx"] == ("0.786",)


# operations of several results


def test_an_operation_of_several_results_is_one_mark():
    x = ag.tensor([1.0, 2.0, 3.0, 4.0], name="x")
    left, right = np.split(x, 2)
    picture = ag.draw(left * right, layout="builtin")
    assert titles(picture, "op") == ["split", "×"]
    shown = {label.name: label for label in labels(picture)}
    assert shown["split[0]"].value.lines == ("[1 2]",)
    assert shown["split[0]"].gradient.lines == ("[3 4]",)
    assert shown["split[1]"].gradient.lines == ("[1 2]",)
    assert shown["x"].gradient.lines == ("[3 4 1 2]",)
    assert "gives 2 arrays" in picture.drawing.marks[1].tooltip
    assert " → split[1] (2,)" in str(picture)


# what kind of numbers


def test_a_dtype_other_than_float64_is_told():
    x = ag.tensor([1.0, 2.0], name="x", dtype=np.float32)
    picture = ag.draw(ag.sum(x[np.array([[0], [1]])]), layout="builtin")
    assert picture.drawing.marks[0].subtitle == "(2,) float32"
    assert {label.shape for label in labels(picture) if label.name == "x"} == {"(2,) float32"}
    assert "float64" not in picture.svg


# the tree for terminals


def test_wide_characters_keep_the_columns():
    x = ag.tensor([1.0, 2.0], name="重み")
    lines = str(ag.draw(ag.exp(x), layout="builtin")).splitlines()
    assert lines == [
        "input 重み (2,)  [1 2]",
        "exp → y (2,)     [2.72 7.39]",
        "  └─ 重み        gradient [2.72 7.39]  = G × y",
        "output y (2,)",
        "  └─ y           gradient [1 1]  = seed",
    ]


# the hidden copies of a broadcast


def test_a_broadcast_is_shown_as_the_copies_that_it_makes():
    x = ag.tensor([[1.0, 2.0], [3.0, 4.0]], name="x")
    b = ag.tensor([1.0, -1.0], name="b")
    with ag.scope("Affine"):
        y = (x + b) * 2.0
    picture = ag.draw(y, repeat=True, highlight=("b", y), layout="builtin")
    assert titles(picture, "op") == ["repeat", "+", "x·2"]
    shown = {label.name: label for label in labels(picture)}
    assert shown["b"].gradient.lines == ("[4 4]",)
    assert shown["b"].rule == "= Σ of the copies' G"
    assert shown["v1"].value.lines == ("1 −1", "1 −1")
    assert shown["v1"].gradient.lines == ("2 2", "2 2")
    assert [m.title for m in picture.drawing.marks if m.emphasis == "faint"] == ["x"]
    assert titles(ag.draw(y, layout="builtin"), "op") == ["+", "x·2"]
    assert len(ag.Graph.of(y)) == 4


def test_what_is_not_broadcast_stays_as_it_is():
    x = ag.tensor([1.0, 2.0], name="x")
    y = ag.exp(x) + x
    assert titles(ag.draw(y, repeat=True, layout="builtin"), "op") == ["exp", "+"]


# shapes alone


def loss(x, W, b):
    with ag.scope("Affine"):
        z = x @ W + b
    return ag.mean((z - np.array([[1.0, 0.0, 1.0]])) ** 2)


def shapes_alone():
    return ag.trace(loss, ag.shaped((5, 2)), ag.shaped((2, 3)), ag.shaped(3, np.float64))


def test_a_function_is_drawn_from_shapes_alone():
    picture = ag.draw(shapes_alone(), layout="builtin")
    assert [m.subtitle for m in picture.drawing.marks if m.kind == "input"] == [
        "(5, 2)",
        "(2, 3)",
        "(3,)",
    ]
    shown = {label.name: label for label in labels(picture)}
    assert shown["W"].rule == "= xᵀ·G"
    assert shown["b"].rule == "= Σ rows G"
    assert {name for name, label in shown.items() if label.value} == {"const1"}
    assert not any(label.gradient for label in shown.values())
    assert "0.5" not in picture.svg
    backward = [e for e in picture.drawing.edges if e.backward]
    assert len(backward) == len(picture.drawing.edges) - 1
    assert all("numbers unknown" in e.tooltip for e in backward)


def test_a_graph_of_shapes_alone_has_no_values_to_give():
    graph = shapes_alone()
    for ask in (graph.replay, lambda: graph.outputs[0].outputs, lambda: flow(graph)):
        with pytest.raises(UnsupportedError, match=r"traced by its shape alone: it has no value"):
            ask()
    with pytest.raises(DrawError, match="a cotangent for a graph that is known by its shapes"):
        ag.draw(graph, cotangent=1.0)
    found = graph.replay({node: np.ones(node.shape) for node in graph.inputs})
    assert found[graph.outputs[0]] == loss(*(np.ones(s) for s in ((5, 2), (2, 3), (3,))))


def test_operations_that_need_good_numbers_take_shapes_alone_too():
    graph = ag.trace(lambda A, v: ag.linalg.cholesky(A) @ v, ag.shaped((3, 3)), ag.shaped(3))
    assert graph.outputs[0].shape == (3,)
    logs = ag.trace(lambda x: ag.log(-x), ag.shaped(2))
    assert titles(ag.draw(logs, layout="builtin"), "op") == ["×−1", "log"]


def test_nothing_is_learnt_from_made_up_numbers():
    layer = ag.nn.BatchNorm.initialised(2)
    before = layer.running_mean.value.copy()
    graph = ag.trace(layer, ag.shaped((4, 2)))
    assert np.array_equal(layer.running_mean.value, before)
    picture = ag.draw(graph, layout="builtin")
    shown = {label.name: label for label in labels(picture)}
    assert shown["scale"].value.lines == ("[1 1]",)
    assert not any(label.gradient for label in shown.values())


def test_powers_are_raised_and_powers_of_powers_kept_apart():
    x = ag.tensor(2.0, name="x")
    names = {label.name for label in labels(ag.draw(ag.exp((x**2) ** 3), layout="builtin"))}
    assert {"x²", "(x²)³"} <= names


def test_what_is_no_shape():
    with pytest.raises(ShapeError, match="no array has this shape and dtype"):
        ag.trace(ag.exp, ag.shaped(-1))
    with pytest.raises(DTypeError, match="floating numbers, not int64"):
        ag.trace(ag.exp, ag.shaped(2, np.int64))


# a forward pass that failed


def failure(function, *tensors):
    with pytest.raises(AutogradError) as caught:
        function(*tensors)
    return caught.value


def test_what_was_recorded_before_an_error_is_drawn_with_its_message():
    x, W = ag.tensor(np.ones((2, 3)), name="x"), ag.parameter(np.ones((2, 3)), name="W")

    def layer(x, W):
        with ag.scope("Affine"):
            return ag.tanh(x) @ W + 1

    picture = ag.draw(failure(layer, x, W), layout="builtin")
    assert [m.title for m in picture.drawing.marks] == ["x", "tanh", "W", "@"]
    (failed,) = [m for m in picture.drawing.marks if m.kind == "failed"]
    assert failed.subtitle.replace("\n", " ") == "matmul: shapes (2, 3) and (2, 3) do not fit"
    assert not any(edge.backward for edge in picture.drawing.edges)
    assert {label.name for label in labels(picture) if label.value} == {"x", "tanh(x)", "W"}
    assert picture.drawing.title == "Computation graph of @, which failed"
    assert "failed @ matmul: shapes" in str(picture)
    assert [frame.title for frame in picture.drawing.frames] == ["Affine"]


@pytest.mark.parametrize(
    ("function", "title"),
    [
        (lambda x: x + np.ones(4), "+"),
        (lambda x: ag.linalg.inv(x[:2, :2] * 0), "X⁻¹"),
        (lambda x: x[7], "[ ]"),
    ],
)
def test_every_kind_of_operation_that_fails_is_drawn(function, title):
    error = failure(function, ag.tensor(np.ones((2, 3)), name="x"))
    picture = ag.draw(error, layout="builtin", repeat=True, expand="all")
    assert titles(picture, "failed") == [title]


def test_the_first_nan_of_debug_mode_is_drawn():
    x = ag.tensor([1.0, -1.0], name="x")
    with ag.debug(), np.errstate(all="ignore"):
        error = failure(lambda x: ag.exp(ag.log(x)), x)
    picture = ag.draw(error, layout="builtin")
    assert titles(picture, "failed") == ["log"]
    assert "log gave 1 NaN or infinite values" in picture.svg


def test_an_error_without_an_operation_cannot_be_drawn():
    error = failure(lambda: ag.tensor("text"))
    with pytest.raises(DrawError, match="this DTypeError kept no operation"):
        ag.draw(error)
    with pytest.raises(DrawError, match="kept no operation"):
        ag.draw(failure(lambda: ag.matmul(np.ones((2, 3)), np.ones((2, 3)))))


def test_an_error_lets_its_graph_go():
    x = ag.tensor(np.ones(3), name="x")
    y = ag.exp(x)
    gone = weakref.ref(y.node)
    gc.disable()
    try:
        with contextlib.suppress(AutogradError):
            y + np.ones(4)
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_an_operand_that_changes_after_the_error_is_drawn_as_it_was():
    operand = np.zeros(4)
    error = failure(lambda x: x + operand, ag.tensor([1.0, 2.0], name="x"))
    operand += 7
    assert "7" not in str(ag.draw(error, layout="builtin"))


def test_a_hostile_name_in_a_message_is_harmless():
    x = ag.tensor(np.ones((2, 3)), name="\x1b[31m<script>\u202e")
    svg = ag.draw(failure(lambda x: x @ x, x), layout="builtin").svg
    assert "<script" not in svg
    assert not set(svg) & set("\x1b\u202e")
