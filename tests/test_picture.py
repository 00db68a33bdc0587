"""What a picture shows, and that files of every form are whole, safe and the same each time."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DrawError, ShapeError
from autograd_lite.picture import picture as picture_module
from autograd_lite.picture.theme import style_sheet
from tests.picture_cases import CASES, affine, stable_sigmoid, textbook_sigmoid

SVG = "{http://www.w3.org/2000/svg}"


def draw(name, **options):
    y, given = CASES[name]()
    return ag.draw(y, layout="builtin", **{**given, **options})


def labels(picture):
    return [edge.label for edge in picture.drawing.edges if edge.label is not None]


def label_of(picture, name):
    return next(label for label in labels(picture) if label.name == name)


# what is shown


def test_the_notebook_affine():
    picture = draw("affine")
    assert [m.title for m in picture.drawing.marks] == ["x", "W", "@", "b", "+", "y"]
    assert label_of(picture, "x").value.lines == ("[1 1]",)
    assert label_of(picture, "x").gradient.lines == ("[1 7]",)
    assert label_of(picture, "x").rule == "= G·Wᵀ"
    assert label_of(picture, "W").rule == "= xᵀ·G"
    assert label_of(picture, "W").gradient.lines == ("2 1 −1", "2 1 −1")
    assert label_of(picture, "b").rule == "= Σ rows G"
    assert label_of(picture, "y").value.lines == ("[12 15 18]",)
    assert label_of(picture, "y").gradient.lines == ("[2 1 −1]",)
    assert label_of(picture, "y").rule == "= seed"
    assert [f.title for f in picture.drawing.frames] == ["Affine"]


def test_a_batch_sums_the_bias_gradient_over_its_rows():
    assert label_of(draw("batch"), "b").gradient.lines == ("[3 2 0]",)


def test_a_number_operand_stands_in_the_circle():
    titles = [m.title for m in draw("textbook").drawing.marks if m.kind == "op"]
    assert titles == ["×−1", "exp", "1+x", "1/x"]


def test_a_value_used_twice_shows_the_sum_where_its_gradients_meet():
    picture = draw("sigmoid")
    trunk = label_of(picture, "x")
    assert trunk.rule == "= sum of 2 gradients"
    branches = [label for label in labels(picture) if label.name == "x" and label.value is None]
    assert len(branches) == 2
    assert sum(m.kind == "dot" for m in picture.drawing.marks) == 3


def test_what_was_not_computed_is_not_drawn():
    y, _ = CASES["outputs"]()
    picture = ag.draw(y, layout="builtin")
    constant = label_of(picture, "c")
    assert constant.value is not None
    assert constant.gradient is None
    assert constant.rule == ""
    (edge,) = [e for e in picture.drawing.edges if e.label is constant]
    assert not edge.backward
    silent = ag.draw(ag.tensor([1.0]) > 0, layout="builtin")
    assert not any(edge.backward for edge in silent.drawing.edges)


def test_layers_fold_and_unfold():
    folded = draw("folded")
    assert [m.title for m in folded.drawing.marks if m.kind == "fold"] == [
        "⊞ Affine",
        "⊞ Sigmoid",
        "⊞ Affine",
        "⊞ ReLU",
    ]
    assert folded.drawing.frames == ()
    by_name = draw("stack", expand="Sigmoid")
    assert [f.title for f in by_name.drawing.frames] == ["Sigmoid"]
    by_function = draw("stack", expand=lambda scope: scope.name == "ReLU")
    assert [f.title for f in by_function.drawing.frames] == ["ReLU"]
    inner = draw("nested", expand="Net/Inner")
    assert [f.title for f in inner.drawing.frames] == ["Net", "Inner"]
    assert [len(draw("nested", expand=depth).drawing.frames) for depth in (0, 1, 2, 3)] == [
        0,
        1,
        3,
        4,
    ]


def test_folding_keeps_the_gradients():
    x = ag.tensor([1.0, -2.0, 3.0], name="x")
    y = stable_sigmoid(x)
    (gradient,) = ag.gradients(y, [x], np.ones(3))
    label = label_of(ag.draw(y, expand="none", layout="builtin"), "x ×2")
    assert label.gradient == picture_text(gradient.data)


def picture_text(array):
    from autograd_lite.picture.arrays import typeset

    return typeset(array)


def test_a_scope_whose_folding_would_make_a_cycle_stays_open():
    x = ag.tensor(1.0, name="x")
    with ag.scope("outer") as scope:
        a = ag.exp(x)
    b = ag.sin(a)
    c = ag.exp(b)
    c.node.scope = scope
    picture = ag.draw(c, expand="none", layout="builtin")
    assert [m.title for m in picture.drawing.marks if m.kind == "op"] == ["exp", "sin", "exp"]


def test_unnamed_values_get_names():
    x, y = ag.tensor([1.0]), ag.tensor([2.0])
    w = ag.parameter([3.0])
    titles = [m.title for m in ag.draw(x * y * w, layout="builtin").drawing.marks]
    assert titles == ["x1", "x2", "×", "w", "×", "y"]


def test_formulas_keep_their_parentheses():
    y, _ = CASES["stack"]()
    names = [label.name for label in labels(ag.draw(y, layout="builtin"))]
    assert "x·W + b" in names
    assert "−(x·W + b)" in names


def test_several_outputs():
    picture = draw("outputs")
    assert [m.title for m in picture.drawing.marks if m.kind == "output"] == ["y1", "y2"]


def test_parameters_have_a_double_border_and_outputs_a_heavy_one():
    svg = draw("affine").svg
    assert svg.count('class="inner"') == 3  # two parameters and the legend
    assert "output .body{stroke-width:2.6}" in svg


def test_values_gradients_and_rules_can_be_left_out():
    assert not any(label.value for label in labels(draw("stack", values=False)))
    no_gradients = draw("stack", gradients=False)
    assert not any(label.gradient or label.rule for label in labels(no_gradients))
    assert not any(edge.backward for edge in no_gradients.drawing.edges)
    assert not any(label.rule for label in labels(draw("stack", local=False)))


def test_large_arrays_are_summarised_with_a_thumbnail():
    label = label_of(draw("large"), "x")
    assert len(label.value.heat) == 8
    assert label.value.lines[0].count("±") == 1


# large graphs


def network(layers):
    x = ag.tensor(np.ones((2, 4)), name="x")
    for k in range(layers):
        W, b = ag.parameter(np.eye(4), name=f"W{k}"), ag.parameter(np.zeros(4), name=f"b{k}")
        with ag.scope(f"block{k}"):
            x = ag.tanh(affine(x, W, b)) + x
    return ag.sum(x)


def test_equal_layers_of_a_large_graph_roll_into_one():
    picture = ag.draw(network(40), layout="builtin")
    assert [m.title for m in picture.drawing.marks] == ["x", "⊞ block × 40", "Σ", "y"]
    assert picture.drawing.note == "161 operations, 2 shown"


def test_a_roll_takes_in_what_each_of_its_layers_has_for_itself():
    h, W = ag.tensor(np.zeros(3), name="h"), ag.parameter(np.eye(3), name="W")
    for k in range(60):
        with ag.scope("step"):
            h = ag.tanh(h @ W + ag.tensor(np.ones(3), name=f"x{k}"))
    picture = ag.draw(h, layout="builtin")
    assert [m.title for m in picture.drawing.marks] == ["h", "W", "⊞ step × 60", "y"]


def test_alternating_layers_roll_too():
    x = ag.tensor(np.ones(3), name="x")
    for _ in range(60):
        with ag.scope("Sine"):
            x = ag.sin(x)
        with ag.scope("Exp"):
            x = ag.exp(-x) * 2
    titles = [m.title for m in ag.draw(x, layout="builtin").drawing.marks]
    assert titles == ["x", "⊞ Sine → Exp × 60", "y"]


def test_a_graph_too_large_to_unfold_is_refused():
    with pytest.raises(DrawError, match=r"the picture would have 2,\d{3} nodes"):
        ag.draw(network(420), expand="all")
    x = ag.tensor(1.0)
    for _ in range(1100):
        x = ag.sin(x) * x
    with pytest.raises(DrawError, match="no scope to fold"):
        ag.draw(x)


def test_a_long_chain_without_scopes_rolls_up():
    x = ag.tensor(1.0, name="x")
    for _ in range(1100):
        x = ag.sin(x) * 1.01
    marks = ag.draw(x, layout="builtin").drawing.marks
    assert [m.title for m in marks] == ["x", "⊞ sin → multiply × 1100", "y"]


# safety

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "]]><!--",
    "&lt;b&gt;&#0;",
    "javascript:alert(1)",
    "\x1b[31mred\x07",
    "\u202eevil\u2066",
    "\x00\x01\ud800",
    '\\N\\G"];}{|<a>',
    "digraph{a->b}",
    "a" * 10_000,
    "{0} {names} %s",
    "-x --option\n\n",
    "漢字😀e\u0301",
]
TAGS = {"svg", "title", "desc", "metadata", "style", "rect", "g", "path", "polygon", "circle"}
TAGS |= {"text", "tspan"}
ATTRIBUTES = {"viewBox", "width", "height", "class", "role", "aria-labelledby", "aria-label", "id"}
ATTRIBUTES |= {"x", "y", "rx", "d", "points", "transform", "cx", "cy", "r", "text-anchor"}
ATTRIBUTES |= {"textLength", "{http://www.w3.org/XML/1998/namespace}space"}


def hostile_picture(name):
    x = ag.tensor([1.0, np.nan], name=name)
    with ag.scope(name):
        y = ag.exp(x) * ag.parameter([0.0, np.inf], name=name)
    y.name = name
    return ag.draw(y, layout="auto")


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_harmless(name):
    picture = hostile_picture(name)
    root = ET.fromstring(picture.svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in TAGS
        assert set(element.attrib) <= ATTRIBUTES
    for form in (picture.svg, str(picture), text_form(picture, "dot"), text_form(picture, "html")):
        assert not set(form) & set("\x00\x01\x07\x1b\u202e\u2066\ud800")
        assert max(map(len, re.findall("a+", form))) < 100
    scripts = [text_form(p, "html").count("<script") for p in (picture, hostile_picture("x"))]
    assert scripts[0] == scripts[1]


def text_form(picture, suffix):
    return picture_module._FORMATS[f".{suffix}"](picture).decode()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_dot_and_mermaid_quote_what_users_named():
    picture = hostile_picture('\\N"];a->b;{')
    assert r'label="\\N\"];a->b;{ (2,)"' in text_form(picture, "dot")
    assert "#34;#93;#59;" in text_form(picture, "mermaid")


def test_no_users_repr_is_called():
    class Loud:
        def __repr__(self):
            raise AssertionError("called")

        __str__ = __format__ = __repr__

    x = ag.tensor([1.0], name="x")
    y = ag.exp(x)
    y.node.params = {"how": Loud(), "what": [Loud()]}
    svg = ag.draw(y, gradients=False, values=False, layout="builtin").svg
    assert "how=a Loud" in svg


def test_few_elements_are_written():
    x = ag.tensor(np.arange(100_000.0), name="x")
    assert len(ag.draw(ag.exp(-x), layout="builtin").svg) < 40_000


# the file


def test_ids_are_unique_and_all_there():
    for name in CASES:
        picture = draw(name)
        ids = [e.get("id") for e in ET.fromstring(picture.svg).iter() if e.get("id")]
        assert len(ids) == len(set(ids))
        marks, edges = len(picture.drawing.marks), len(picture.drawing.edges)
        assert len(ids) == marks + edges + len(picture.drawing.frames) + 2


def test_marks_stand_in_topological_order():
    picture = draw("stack")
    for edge in picture.drawing.edges:
        assert edge.source < edge.target


def test_a_picture_tells_what_it_shows():
    root = ET.fromstring(draw("affine").svg)
    assert root.find(f"{SVG}title").text == "Computation graph of y"
    assert root.find(f"{SVG}desc").text.startswith("From x, W, b through 2 operations to y")
    assert root.find(f"{SVG}metadata").text == "layout: builtin"
    told = [e.get("aria-label") for e in root.iter() if e.get("role") == "graphics-symbol"]
    assert "parameter W, shape (2, 3), float64" in told
    assert any("value [[1. 2. 3.]" in text for text in told)


PROGRAM = """
import hashlib
import autograd_lite as ag
from tests.picture_cases import CASES
for name, case in CASES.items():
    y, options = case()
    for engine in ("builtin", "auto"):
        print(hashlib.sha256(ag.draw(y, layout=engine, **options).svg.encode()).hexdigest())
"""


def test_the_same_graph_gives_the_same_bytes():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_two_pictures_on_one_page_do_not_collide():
    one, two = (
        re.search(r'class="(ag\w+)"', draw(name).svg).group(1) for name in ("affine", "relu")
    )
    assert one != two
    selectors = re.findall(r"^(.*?)\{", draw("affine").svg.split("<style>")[1], re.MULTILINE)
    assert all(one in selector for selector in selectors if not selector.startswith("@media"))


def test_themes():
    auto, light, dark = (draw("affine", theme=theme).svg for theme in ("auto", "light", "dark"))
    assert "prefers-color-scheme:dark" in auto
    assert "#0d1117" in auto
    assert "#0d1117" not in light
    assert "prefers-color-scheme" not in dark
    assert "#79b8ff" in dark
    assert "#116329" in draw("affine", palette="cs231n").svg


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", ["default", "cs231n"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast(theme, palette):
    sheet = style_sheet(theme, palette)
    fill = {kind: re.search(rf"@ \.{kind}\{{fill:(#\w+)", sheet).group(1) for kind in "vgr"}
    fill["grey"] = re.search(r"\.cap\{fill:(#\w+)", sheet).group(1)
    fill["text"] = re.search(r"@ text\{fill:(#\w+)", sheet).group(1)
    grounds = re.findall(r"(?:\.bg|\.frame|\.(?!dot)\w+ \.body)\{fill:(#\w+)", sheet)
    assert len(grounds) == 8
    for ground in grounds:
        for colour in fill.values():
            light, dark = sorted((luminance(ground), luminance(colour)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_font_size_scales_the_picture():
    sizes = [float(ET.fromstring(draw("relu", font_size=s).svg).get("width")) for s in (10, 20)]
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=0.2)


def test_top_to_bottom():
    picture = draw("textbook", direction="TB")
    heights = [y for _, y in picture.placement.centers[: len(picture.drawing.marks)]]
    assert heights == sorted(heights)


def test_saving_by_suffix(tmp_path):
    picture = draw("affine")
    for suffix in ("svg", "html", "dot", "mermaid", "txt"):
        picture.save(tmp_path / f"graph.{suffix}")
    assert (tmp_path / "graph.svg").read_text("utf-8") == picture.svg == picture._repr_svg_()
    assert "default-src 'none'" in (tmp_path / "graph.html").read_text("utf-8")
    assert (tmp_path / "graph.txt").read_text("utf-8") == str(picture)
    assert len(list(tmp_path.iterdir())) == 5


def test_the_tree_for_terminals():
    assert str(draw("affine")).splitlines() == TREE.strip("\n").splitlines()


TREE = """
input x (1, 2)      [1 1]
parameter W (2, 3)  [1 2 3; 4 5 6]
▾ Affine
  @ → x·W (1, 3)    [5 7 9]
    ├─ x            gradient [1 7]  = G·Wᵀ
    └─ W            gradient [2 1 −1; 2 1 −1]  = xᵀ·G
parameter b (3,)    [7 8 9]
▾ Affine
  + → y (1, 3)      [12 15 18]
    ├─ x·W          gradient [2 1 −1]  = G × 1
    └─ b            gradient [2 1 −1]  = Σ rows G
output y (1, 3)
  └─ y              gradient [2 1 −1]  = seed
"""


@pytest.mark.parametrize(
    ("suffix", "package", "start"),
    [("png", "resvg_py", b"\x89PNG"), ("pdf", "vl_convert", b"%PDF")],
)
def test_converted_files(tmp_path, suffix, package, start):
    path = tmp_path / f"graph.{suffix}"
    if find_spec(package):
        draw("affine").save(path)
        assert path.read_bytes().startswith(start)
    else:
        with pytest.raises(ag.errors.MissingExtraError, match=rf"autograd-lite\[{suffix}\]"):
            draw("affine").save(path)


def test_draw_writes_the_file_it_is_given(tmp_path):
    y, _ = CASES["affine"]()
    ag.draw(y, tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").stat().st_size > 1000


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DrawError, match="No space left"):
        draw("affine").save(tmp_path / "graph.svg")
    assert list(tmp_path.iterdir()) == []


# bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "graph.gif"}, "no picture format has the suffix '.gif'"),
        ({"path": "graph"}, "the path has no suffix"),
        ({"path": "/no/such/folder/graph.svg"}, "cannot be written: No such file"),
        ({"theme": "blue"}, "theme cannot be blue"),
        ({"palette": 3}, "palette cannot be a int"),
        ({"direction": "RL"}, "direction cannot be RL"),
        ({"layout": "neato"}, "no layout engine is called 'neato'"),
        ({"font_size": 0}, "font_size is a number"),
        ({"expand": 2.5}, "expand does not take a float"),
        ({"cotangent": np.ones(4)}, r"\(4,\)"),
    ],
)
def test_bad_choices_are_named(options, message):
    y, _ = CASES["affine"]()
    with pytest.raises((DrawError, ShapeError), match=message):
        ag.draw(y, **options)


def test_only_graphs_are_drawn():
    with pytest.raises(DrawError, match="not of a ndarray"):
        ag.draw(np.ones(3))
    with pytest.raises(DrawError, match="list of outputs is empty"):
        ag.draw([])
    with pytest.raises(DrawError, match="1 cotangents for 2 outputs"):
        ag.draw(CASES["outputs"]()[0], cotangent=[np.ones(2)])


def test_a_picture_describes_itself():
    assert repr(draw("affine")) == "<Picture of 6 marks and 5 edges, laid out by builtin>"
    assert json.dumps(str(draw("textbook")))


def test_derivatives_are_graphs_to_draw():
    x = ag.tensor([0.5, 1.0], name="x")
    (g,) = ag.gradients(ag.sum(textbook_sigmoid(x)), [x])
    assert ag.draw(g, layout="builtin").svg.startswith("<svg")
