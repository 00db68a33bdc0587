"""What is laid over a picture: highlights, signs beside hand-written numbers, flags of NaN."""

import re

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DrawError
from autograd_lite.picture import Check
from tests.picture_cases import CASES
from tests.test_picture import HOSTILE


def draw(y, **options):
    return ag.draw(y, layout="builtin", **options)


def stack():
    y, _ = CASES["stack"]()
    return y


def marks(picture, emphasis):
    return [m.title for m in picture.drawing.marks if m.emphasis == emphasis and m.title]


def steps(picture, emphasis="strong"):
    """The edges that look so, as pairs of titles."""
    title = [mark.title for mark in picture.drawing.marks]
    return [
        (title[e.source], title[e.target]) for e in picture.drawing.edges if e.emphasis == emphasis
    ]


# highlight


def test_all_paths_from_a_parameter_to_the_output_stand_out():
    y = stack()
    picture = draw(y, highlight=("W2", y))
    assert marks(picture, "strong") == ["W2", "@", "+", "max(x,0)", "y"]
    assert steps(picture) == [("W2", "@"), ("@", "+"), ("+", "max(x,0)"), ("max(x,0)", "y")]
    assert "b2" in marks(picture, "faint")


def test_every_path_of_several_is_lit_with_its_junction():
    x = ag.tensor(2.0, name="x")
    z = ag.tensor(3.0, name="z")
    y = ag.exp(x) * ag.sin(x) + z
    picture = draw(y, highlight=(x, y))
    assert marks(picture, "faint") == ["z"]
    (dot,) = [mark for mark in picture.drawing.marks if mark.kind == "dot"]
    assert dot.emphasis == "strong"
    assert steps(picture, "faint") == [("z", "+")]


def test_single_nodes_stand_out_without_the_edge_between_them():
    x = ag.tensor(2.0, name="x")
    h = ag.exp(x)
    y = ag.sin(h)
    picture = draw(y, highlight=[x, h])
    assert marks(picture, "strong") == ["x", "exp"]
    assert steps(picture) == []
    assert marks(draw(y, highlight="x"), "strong") == ["x"]


def test_a_folded_layer_stands_out_with_what_is_in_it():
    y = stack()
    picture = draw(y, highlight=("W2", y), expand="none")
    assert marks(picture, "strong") == ["W2", "⊞ Affine", "⊞ ReLU", "y"]
    assert steps(picture) == [("W2", "⊞ Affine"), ("⊞ Affine", "⊞ ReLU"), ("⊞ ReLU", "y")]


def test_colour_alone_does_not_carry_a_highlight():
    svg = draw(stack(), highlight="W").svg
    assert re.search(r"\.strong \.fwd\{stroke-width:3\}.*\.strong \.body\{stroke-width:3\.4\}", svg)
    assert 'class="halo"' in svg
    assert ">highlighted<" in svg
    assert ".strong" not in draw(stack()).svg


def test_text_forms_tell_what_is_highlighted():
    picture = draw(stack(), highlight="W")
    assert "◆ parameter W (2, 3)" in str(picture)


def test_what_cannot_be_highlighted():
    y = stack()
    with pytest.raises(DrawError, match=r"called 'V'(.|\n)*mend: one of: W, W2, b, b2, x"):
        draw(y, highlight="V")
    with pytest.raises(DrawError, match=r"no path leads from W2 to W\n(.|\n)*print"):
        draw(y, highlight=("W2", "W"))
    with pytest.raises(DrawError, match=r"no path leads from a result of maximum to W(.|\n)*turn"):
        draw(y, highlight=(y, "W"))
    with pytest.raises(DrawError, match="a start and an end, here are 3"):
        draw(y, highlight=("W", "W2", "b"))
    with pytest.raises(DrawError, match="is not in the graph"):
        draw(y, highlight=ag.tensor(1.0))
    with pytest.raises(DrawError, match="a float cannot be highlighted"):
        draw(y, highlight=1.5)
    with pytest.raises(DrawError, match="nothing to highlight"):
        draw(y, highlight=[])


# compare

W, B = np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8, 9])
X, DOUT = np.array([[1, 1], [2, 3]]), np.array([[2, 1, -1], [1, 1, 1]])


class FirstRowAlone(ag.handwritten.Affine):
    """Forgets to sum the bias gradient over the batch."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout[0]
        return dx


def report(layer=FirstRowAlone):
    return ag.compare(layer(W, B), X, against=ag.nn.Affine(W, B), cotangent=DOUT)


def mark_of(picture, title):
    return next(mark for mark in picture.drawing.marks if mark.title == title)


def test_a_comparison_is_drawn_with_signs_and_the_hand_written_numbers():
    picture = draw(report())
    assert {m.title: m.sign for m in picture.drawing.marks if m.sign} == {
        "x": "✓",
        "W": "✓",
        "b": "✗",
        "+": "✗",
        "y": "✓",
    }
    labels = {e.label.name: e.label for e in picture.drawing.edges}
    assert labels["b"].gradient.lines == ("[3 2 0]",)
    assert labels["b"].gradient_by_hand.text.lines == ("[2 1 −1]",)
    assert labels["b"].gradient_by_hand.sign == "✗"
    assert labels["y"].value_by_hand.sign == "✓"
    assert labels["x·W"].gradient_by_hand is None
    flags = {m.title: m.flag for m in picture.drawing.marks if m.flag}
    assert flags == {"b": "first to differ", "+": "wrong here: missing sum"}
    assert "first to differ" in picture.svg
    assert "hand-written gradient: ✗ wrong, 3 of 3 differ" in mark_of(picture, "b").tooltip


def test_the_first_to_differ_is_a_value_before_a_gradient():
    class Shifted(FirstRowAlone):
        def forward(self, x):
            return super().forward(x) + 1

    marks = draw(report(Shifted)).drawing.marks
    assert [m.title for m in marks if m.flag == "first to differ"] == ["y"]


def test_a_right_layer_has_no_first_to_differ():
    picture = draw(report(ag.handwritten.Affine))
    assert {m.sign for m in picture.drawing.marks if m.sign} == {"✓"}
    assert not any(m.flag for m in picture.drawing.marks)


def test_a_comparison_is_laid_over_a_graph_of_ones_own_by_name():
    x, w, b = ag.tensor(X, name="x"), ag.parameter(W, name="W"), ag.parameter(B, name="b")
    picture = draw(ag.nn.affine(x, w, b), compare=report())
    assert mark_of(picture, "b").sign == "✗"
    with pytest.raises(DrawError, match=r"holds another value than the picture"):
        draw(ag.nn.affine(x, w * 2, b), compare=report())
    with pytest.raises(DrawError, match=r"holds another gradient than the picture"):
        draw(ag.nn.affine(x, w, b), compare=report(), cotangent=2 * DOUT)


def test_a_plain_mapping_gives_checks_too():
    x = ag.tensor(2.0, name="x")
    h = ag.exp(x)
    picture = draw(ag.sin(h), compare={h: [Check("value", False, 7.0), Check("gradient", True)]})
    assert mark_of(picture, "exp").sign == "✗"
    label = next(e.label for e in picture.drawing.edges if e.label.name == "exp(x)")
    assert label.value_by_hand.text.lines == ("7",)
    assert label.gradient_by_hand is None


def test_a_check_of_what_is_folded_stands_on_the_layer():
    y = stack()
    (scope,) = {node.scope for node in ag.Graph.of(y) if node.scope and node.scope.name == "ReLU"}
    node = next(n for n in ag.Graph.of(y) if n.op.name == "exp")
    picture = draw(y, compare={node: Check("value", False)}, expand=lambda s: s is scope)
    assert mark_of(picture, "⊞ Sigmoid").sign == "✗"


def test_signs_are_told_in_every_form():
    picture = draw(report())
    assert "parameter b (3,) ✗ first to differ" in str(picture)
    assert "hand-written value: ✓ right" in picture.svg
    assert "hand-written gradient: ✗ wrong" in picture.svg
    assert "gradient [3 2 0]  = Σ rows G  ✗ by hand [2 1 −1]" in str(picture)
    assert picture.svg.count('class="disc bad"') == 4  # two marks, number, legend


def test_what_cannot_be_compared():
    with pytest.raises(DrawError, match="compare does not take a int"):
        draw(stack(), compare=3)
    with pytest.raises(DrawError, match="not in the graph"):
        draw(stack(), compare={ag.tensor(1.0): Check("value", True)})
    other = ag.gradcheck(lambda x: ag.sum(ag.exp(x)), np.ones(2))
    with pytest.raises(DrawError, match="nothing in the comparison belongs"):
        draw(stack(), compare=other)


# NaN


def test_a_mark_whose_value_is_not_finite_carries_a_flag():
    x = ag.tensor([1.0, -1.0, 0.0], name="x")
    with np.errstate(all="ignore"):
        picture = draw(ag.sum(ag.log(x) * x + 1 / x))
    assert {m.title: m.flag for m in picture.drawing.marks if m.flag} == {
        "log": "NaN begins here",
        "1/x": "inf begins here",
        "×": "NaN",
        "+": "NaN",
        "Σ": "NaN",
    }
    assert "log NaN begins here" in str(picture)
    assert not any(m.flag for m in draw(stack()).drawing.marks)


def test_values_that_are_not_shown_are_not_flagged():
    x = ag.tensor([-1.0], name="x")
    with np.errstate(all="ignore"):
        assert not any(m.flag for m in draw(ag.log(x), values=False).drawing.marks)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_harmless_when_they_are_named(name):
    x = ag.tensor([1.0], name=name)
    y = ag.exp(x)
    y.name = name
    checks = {x: Check("gradient", False, [2.0], says=name)}
    forbidden = set("\x00\x01\x07\x1b\u202e\u2066\ud800")
    assert not set(draw(y, highlight=x, compare=checks).svg) & forbidden
    with pytest.raises(DrawError) as caught:
        draw(y, highlight=(y, x))
    with pytest.raises(DrawError) as unknown:
        draw(y, highlight=name + "!")
    said = str(caught.value) + str(unknown.value)
    assert not set(said.replace("\n", "")) & forbidden
