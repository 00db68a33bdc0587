"""Pictures of the graphs that are not plain forward ones: derivatives, several results, dtypes."""

import numpy as np

import autograd_lite as ag


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
    *_, second = tanh_derivatives()
    frames = [frame.title for frame in ag.draw(second, layout="builtin").drawing.frames]
    assert frames == ["Tanh", "Tanh · backward²", "Tanh · backward"]
    folded = ag.draw(second, expand="none", layout="builtin")
    assert titles(folded, "fold") == ["⊞ Tanh", "⊞ Tanh · backward²", "⊞ Tanh · backward"]


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
