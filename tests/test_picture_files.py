"""Forms of a picture that other programs read, what is asked of it wrongly, and contrast."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DrawError, MissingExtraError, ShapeError
from autograd_lite.picture import Check
from autograd_lite.picture import picture as picture_module
from autograd_lite.picture.theme import HEAT_STEPS, PALETTES, heat_class, style_sheet
from tests.picture_cases import CASES
from tests.test_picture import HOSTILE, luminance

DOT = shutil.which("dot")


def form(picture, suffix):
    return picture_module._FORMATS[f".{suffix}"](picture).decode()


def overlaid(name):
    x = ag.tensor([1.0, np.nan], name=name)
    with ag.scope(name):
        y = ag.exp(x) * 2
    y.name = name
    checks = {y: Check("value", False, [2.0, 3.0], says=name)}
    return ag.draw(y, highlight=x, compare=checks, layout="builtin")


# what other programs read


@pytest.mark.skipif(DOT is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_graphviz_reads_the_dot_form(name):
    text = form(overlaid(name), "dot")
    done = subprocess.run(
        [DOT, "-Tsvg"], input=text.encode(), capture_output=True, timeout=60, check=True
    )
    assert done.stderr == b""
    assert done.stdout.count(b'class="node"') == len(re.findall(r"^ *n\d+ \[", text, re.MULTILINE))


MERMAID = [
    r"flowchart (LR|TB)",
    r'subgraph s\d+\["[^"\[\]{}<>|`\\]*"\]|end',
    r'n\d+(\(\(|\[\[|\[)"[^"\[\]{}<>|`\\]*"(\)\)|\]\]|\])',
    r'n\d+ (-- "[^"\[\]{}<>|`\\]*" -->|-->) n\d+',
    r"classDef strong stroke-width:4px|class (n\d+,)*n\d+ strong",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_every_line_of_the_mermaid_form_is_of_a_known_form(name):
    for line in form(overlaid(name), "mermaid").splitlines():
        assert any(re.fullmatch(f" *({shape})", line) for shape in MERMAID), line
        assert not set(re.sub(r"#\d+;", "", line)) & set("#;&\x00\x01\x07\x1b\u202e\u2066")


def test_dot_and_mermaid_tell_what_stands_out():
    y, _ = CASES["affine"]()
    picture = ag.draw(y, highlight=("W", y), layout="builtin")
    dot = form(picture, "dot")
    assert re.search(r'label="W \(2, 3\)" shape=box penwidth=3\]', dot)
    assert re.search(r'label="x \(1, 2\)" shape=box color=gray', dot)
    assert re.search(r"class n1,n2,n4,n5 strong", form(picture, "mermaid"))


# what is asked wrongly


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"theme": "sepia"}, "theme cannot be sepia"),
        ({"palette": 3}, "palette cannot be a int"),
        ({"direction": "RL"}, "direction cannot be RL"),
        ({"font_size": 0}, "font_size is a number of pixels"),
        ({"layout": "neato"}, "no layout engine is called 'neato'"),
        ({"expand": -1}, "expand does not take -1"),
        ({"expand": 2.5}, "expand does not take a float"),
        ({"expand": "Afine"}, r"no scope is called 'Afine'(.|\n)*one of: Affine"),
        ({"path": "graph.jpeg"}, r"no picture format has the suffix '.jpeg'(.|\n)*\.svg \.png"),
        ({"path": "graph"}, "the path has no suffix"),
        ({"path": "/no/such/folder/graph.svg"}, r"cannot be written: No such file(.|\n)*graph.svg"),
    ],
)
def test_what_cannot_be_drawn_is_told(options, said):
    y, _ = CASES["affine"]()
    with pytest.raises(DrawError, match=said):
        ag.draw(y, **options)


def test_a_cotangent_of_another_shape_is_refused():
    y, _ = CASES["affine"]()
    with pytest.raises(ShapeError, match=r"has shape \(2,\), the output \(1, 3\)"):
        ag.draw(y, cotangent=[1.0, 2.0])


def test_a_missing_engine_is_told_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pygraphviz", None)
    y, _ = CASES["affine"]()
    with pytest.raises(MissingExtraError, match=r"pip install 'autograd-lite\[\w+\]'"):
        ag.draw(y, layout="pygraphviz")
    assert ag.draw(y).placement.engine in ("dot", "builtin")


def test_a_scope_opens_with_those_that_it_stands_in():
    y, _ = CASES["nested"]()
    picture = ag.draw(y, expand="Core", layout="builtin")
    assert [frame.title for frame in picture.drawing.frames] == ["Net", "Inner", "Core"]


def test_a_function_that_fails_is_not_hidden():
    y, _ = CASES["affine"]()
    with pytest.raises(ZeroDivisionError):
        ag.draw(y, expand=lambda scope: 1 / 0)


# contrast


def colours(theme, palette):
    """The fill and the stroke of every class."""
    sheet = style_sheet(theme, palette, overlaid=True)
    found = {}
    for selectors, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", sheet):
        for selector in selectors.split(","):
            name = selector.replace("@", "").strip()
            for kind, colour in re.findall(r"(fill|stroke):(#\w{6})", rules):
                found[name, kind] = colour
    return found


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


LOOKS = [(theme, palette) for theme in ("light", "dark") for palette in PALETTES]


@pytest.mark.parametrize(("theme", "palette"), LOOKS)
def test_all_that_is_laid_over_can_be_read(theme, palette):
    of = colours(theme, palette)
    grounds = [of[".bg", "fill"], of[".frame", "fill"], of[".halo", "fill"]]
    for name in ("text", ".v", ".g", ".r", ".n", ".hand", ".faint text"):
        assert all(contrast(of[name, "fill"], ground) >= 4.5 for ground in grounds), name
    assert contrast(of[".flagged", "fill"], of[".flag", "fill"]) >= 4.5
    assert contrast(of[".failed .n", "fill"], of[".failed .body", "fill"]) >= 4.5
    assert contrast(of[".faint text", "fill"], of[".faint .body", "fill"]) >= 4.5
    for verdict in ("good", "bad"):
        assert contrast(of[".tick", "stroke"], of[f".disc.{verdict}", "fill"]) >= 4.5


@pytest.mark.parametrize(("theme", "palette"), LOOKS)
def test_lines_and_borders_can_be_seen(theme, palette):
    """WCAG asks 3:1 of what carries meaning; a frame and a highlight's band are told otherwise."""
    of = colours(theme, palette)
    ground = of[".bg", "fill"]
    lines = [".fwd", ".bwd", ".faint .fwd", ".ring.good", ".ring.bad", ".k.v", ".k.g", ".k.hand"]
    for name in lines:
        assert contrast(of[name, "stroke"], ground) >= 3, name
    for kind in ("op", "input", "parameter", "constant", "output", "fold", "failed"):
        assert contrast(of[f".{kind} .body", "stroke"], ground) >= 3
    strongest = [heat_class(step) for step in (-HEAT_STEPS, HEAT_STEPS)] + [heat_class(None)]
    for cell in strongest:
        assert contrast(of[f".{cell}", "fill"], ground) >= 3


@pytest.mark.parametrize("palette", PALETTES)
def test_values_and_gradients_differ_in_form_too(palette):
    y, given = CASES["affine"]()
    svg = ag.draw(y, palette=palette, layout="builtin", **given).svg
    assert "stroke-dasharray:4 3" in re.search(r"\.bwd\{[^}]*\}", svg).group()
    assert "dasharray" not in re.search(r"\.fwd\{[^}]*\}", svg).group()
    assert "font-style:italic" in svg
    edge = re.search(r'<g id="\S+-e0".*?</g>', svg, re.DOTALL).group()
    line = float(re.search(r'class="fwd" d="M[\d.]+,(\S+) ', edge).group(1))
    value, gradient = (
        float(re.search(rf'class="m {kind}"[^>]* y="(\S+)"', edge).group(1)) for kind in "vg"
    )
    assert value < line < gradient
