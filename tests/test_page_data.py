"""What Python puts into the live page: sentences, questions, groups, escapes, its policy."""

import base64
import hashlib
import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DrawError
from autograd_lite.picture import Check, reading
from autograd_lite.picture import page as page_room
from autograd_lite.picture.folding import finest, fold
from autograd_lite.picture.page import assemble
from autograd_lite.picture.page.model import Model
from autograd_lite.picture.page.quiz import questions
from autograd_lite.picture.page.story import Story, text_of
from tests.picture_cases import CASES, affine, relu, textbook_sigmoid

VENDOR = Path(page_room.__file__).parent / "vendor"


def model(y, expand="auto", **options):
    shown = {"values": True, "gradients": True, "local": True, "cotangent": None} | options
    graph = reading.graph_of(y)
    return Model(graph, finest(graph), fold(graph, expand), reading.shown_of(y, graph, **shown))


def case(name, expand="auto"):
    y, options = CASES[name]()
    return model(y, expand, cotangent=options.get("cotangent"))


def sentences(found):
    return [text_of(step.sentence) for step in Story(found).steps]


def data_of(html):
    found = re.search(r'<script type="application/json" id="graph">(.*?)</script>', html, re.DOTALL)
    return json.loads(found[1])


# the walk


def test_a_step_says_the_gradient_the_local_derivative_and_what_flows_on():
    said = sentences(case("textbook"))
    assert said[2] == "exp computes exp(−x) = [0.368 7.39 0.0498]"
    assert said[5] == "The way back begins: the gradient of y is G = [1 1 1]"
    assert said[8] == (
        "exp: the gradient arriving is G = [−0.534 −0.0142 −0.907]; the local derivative is "
        "y = [0.368 7.39 0.0498]; G × y = [−0.197 −0.105 −0.0452] flows on to −x"
    )
    assert said[-1] == "The gradients: x = [0.197 0.105 0.0452]"


def test_where_paths_meet_their_gradients_are_added():
    x = ag.tensor(2.0, name="x")
    said = sentences(model(ag.exp(x) * x + ag.sin(x)))
    assert said[-1] == "The gradients: x = 14.8 + 7.39 + −0.416 = 21.8 (3 paths meet)"


def test_a_broadcast_says_its_sum():
    said = sentences(case("batch"))
    assert "Σ rows G = [3 2 0] flows on to b" in said[4]
    assert "G·Wᵀ = [1 7; 6 15] flows on to x" in said[5]


def test_every_operation_has_its_step_forward_and_backward_users_first():
    found = case("stack")
    story = Story(found)
    operations = [k for k, part in enumerate(found.folded.parts) if part.operations]
    assert sorted(story.forward[k] for k in operations) == list(range(1, len(operations) + 1))
    assert [story.backward[k] for k in reversed(operations)] == sorted(story.backward.values())
    assert min(story.backward.values()) == story.seed + 1


def test_without_gradients_the_walk_ends_at_the_output():
    x = ag.tensor([1.0, 2.0], name="x")
    story = Story(model(ag.exp(x), gradients=False))
    assert [step.way for step in story.steps] == ["start", "forward"]
    assert story.seed == -1


def test_a_folded_layer_has_sentences_of_its_own():
    found = case("stack", "none")
    members = {a for a in range(len(found.atoms)) if 1 in found.ancestry(a)}
    forward, backward = Story(found).of_group(1, found.groups[1], members)
    assert text_of(forward).startswith("Sigmoid (4 operations) computes 1/(1 + v1) = ")
    assert "flows on to x·W + b" in text_of(backward)


def test_shapes_alone_walk_without_numbers():
    graph = ag.trace(lambda x, W: ag.sum(ag.tanh(x @ W)), ag.shaped((5, 2)), ag.shaped((2, 3)))
    found = model(graph)
    said = sentences(found)
    assert said[2].startswith("tanh computes tanh(")
    assert not any("=" in text.replace(" = tanh", "").replace(" = Σ", "") for text in said[1:3])
    assert any("G·" in text and "flows on to" in text for text in said)
    assert questions(found) == []
    assert "<text" in ag.view(graph).html


def test_what_failed_is_a_step_with_its_message():
    with pytest.raises(ag.errors.ShapeError) as caught:
        ag.tensor(np.ones((2, 3)), name="x") @ ag.tensor(np.ones((2, 3)), name="W")
    data = data_of(ag.view(caught.value).html)
    assert [atom["kind"] for atom in data["atoms"]] == ["input", "input", "failed"]
    assert "failed: " in "".join(text for _, text in data["steps"][-1]["says"])


def test_highlights_and_checks_lie_over_the_page_too():
    x, W = ag.tensor([[1.0, 2.0]], name="x"), ag.parameter(np.eye(2), name="W")
    with ag.scope("Net"):
        y = ag.tanh(x @ W)
    check = Check("gradient", False, hand=np.zeros((2, 2)), says="all 0")
    html = ag.draw(y, highlight="W", compare={W: check}, expand="none").page
    found = data_of(html)
    fragments = html[html.index('<template id="fragments">') : html.index("</template>")]
    assert 'class="parameter strong"' in fragments
    assert 'class="input faint"' in fragments
    assert "hand-written gradient: ✗ all 0" in found["atoms"][1]["about"]
    assert re.search(r'class="m hand', fragments)


# the quiz


def question(found, kind, name):
    return next(
        q
        for q in questions(found)
        if q.kind == kind and found.names[found.values[q.value].node] == name
    )


def mistakes(q):
    return {mistake.forgot: mistake.answer.tolist() for mistake in reversed(q.mistakes)}


def test_forgetting_the_sum_over_the_batch():
    q = question(case("batch"), "gradient", "b")
    assert q.answer.tolist() == [3, 2, 0]
    assert mistakes(q)["sum"] == [[2, 1, -1], [1, 1, 1]]


def test_forgetting_a_transpose():
    q = question(case("batch"), "gradient", "W")
    x, g = np.array([[1, 1], [2, 3]]), np.array([[2, 1, -1], [1, 1, 1]])
    assert q.answer.tolist() == (x.T @ g).tolist()
    told = {(m.forgot, str(m.answer.tolist())) for m in q.mistakes}
    assert ("transpose", str((x @ g).astype(float).tolist())) in told
    assert ("transpose", str((x.T @ g).T.astype(float).tolist())) in told


def test_forgetting_the_sign_the_arriving_gradient_or_the_local_derivative():
    q = question(case("textbook"), "gradient", "−x")
    x = np.array([1.0, -2.0, 3.0])
    e, g = np.exp(-x), -1 / (1 + np.exp(-x)) ** 2
    np.testing.assert_allclose(q.answer, g * e)
    np.testing.assert_allclose(mistakes(q)["sign"], -g * e)
    np.testing.assert_allclose(mistakes(q)["arriving"], e)
    np.testing.assert_allclose(mistakes(q)["local"], g)


def test_forgetting_one_of_the_paths():
    x = ag.tensor(2.0, name="x")
    q = question(model(ag.exp(x) * x), "sum", "x")
    e = np.exp(2.0)
    np.testing.assert_allclose(q.answer, 3 * e)
    assert sorted(m.answer.item() for m in q.mistakes if m.forgot == "path") == pytest.approx(
        [e, 2 * e]
    )


def test_a_local_derivative_is_asked_for_without_the_arriving_gradient():
    q = question(case("textbook"), "local", "−x")
    np.testing.assert_allclose(q.answer, np.exp([-1.0, 2.0, -3.0]))
    assert "arriving" in mistakes(q)


@pytest.mark.parametrize("name", CASES)
def test_no_wrong_answer_is_right(name):
    y, options = CASES[name]()
    options = {key: value for key, value in options.items() if key != "expand"}
    for q in questions(model(y, **options)):
        assert q.answer.size <= 12
        for mistake in q.mistakes:
            assert mistake.answer.shape != q.answer.shape or not np.allclose(
                mistake.answer, q.answer
            )


def test_questions_of_a_large_graph_are_few():
    x = ag.tensor([1.0, 2.0], name="x")
    for _ in range(300):
        x = ag.sin(x) * 2
    assert 30 <= len(questions(model(x))) <= 60


# groups


def blocks(count, start=None):
    x = ag.tensor([1.0, 2.0], name="x") if start is None else start
    for k in range(count):
        with ag.scope(f"block{k}"):
            x = relu(affine(x, ag.parameter(np.eye(2), name=f"W{k}"), ag.parameter([0.1, 0.2])))
    return ag.sum(x)


def test_a_roll_is_a_group_around_its_layers():
    found = model(blocks(60))
    roll = found.groups[0]
    assert roll.title == "block × 60"
    assert not roll.open
    inside = [group.title for group in found.groups if group.parent == 0]
    assert inside == [f"block{k}" for k in range(60)]
    assert {group.title for group in found.groups if group.parent > 0} == {"Affine", "ReLU"}
    parameters = [k for k, mark in enumerate(found.atoms) if mark.kind == "parameter"]
    assert {found.home[k] for k in parameters} == {0}


def test_a_graph_too_large_to_unfold_stays_folded_inside():
    found = model(blocks(500))
    assert 1000 < len(found.folded.parts) <= 2000
    sealed = [k for k, mark in enumerate(found.atoms) if mark.kind == "fold"]
    assert len(sealed) == 500
    assert [group.title for group in found.groups] == ["block × 500"]
    assert {found.home[k] for k in sealed} == {0}


def test_a_page_of_too_many_marks_is_refused(monkeypatch):
    monkeypatch.setattr(assemble, "_MOST", 20)
    x = ag.tensor(0.5, name="x")
    for _ in range(30):
        x = ag.sin(x)
    with pytest.raises(DrawError, match="a live page of 31 marks would not be usable"):
        _ = ag.draw(x).page


# the file


def test_all_ways_give_the_same_page(tmp_path):
    y = textbook_sigmoid(ag.tensor([1.0, -2.0], name="x"))
    shown = ag.view(y, tmp_path / "a.html")
    ag.draw(y, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_text() == (tmp_path / "b.html").read_text() == shown.html
    frame = shown._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts" ')
    assert unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == shown.html
    assert ag.view(y).html == shown.html


def test_opening_writes_a_file_and_asks_the_browser(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ag.view(ag.exp(ag.tensor(1.0)), open=True)
    [address] = opened
    assert Path(address.removeprefix("file://")).read_text().startswith("<!DOCTYPE html>")


def test_a_live_page_is_an_html_file(tmp_path):
    with pytest.raises(DrawError, match="a live page is an HTML file"):
        ag.view(ag.exp(ag.tensor(1.0)), tmp_path / "page.svg")
    assert not list(tmp_path.iterdir())


def test_the_policy_names_every_script_and_style_by_its_hash():
    html = ag.view(ag.exp(ag.tensor(1.0, name="x"))).html
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
    assert "http" not in policy
    contents = re.findall(r"<(script|style)(?: data-picture)?>(.*?)</\1>", html, re.DOTALL)
    assert len(contents) >= 13
    for _, text in contents:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_names_cannot_end_the_data_or_fill_a_place_of_the_template():
    y = ag.exp(ag.tensor(1.0, name="</script>&@data@"))
    html = ag.view(y).html
    data = re.search(r'id="graph">(.*?)</script>', html, re.DOTALL)[1]
    assert not set(data) & set("<>&")
    assert data_of(html)["atoms"][0]["title"] == "</script>&@data@"


def test_tables_hold_few_elements():
    data = data_of(ag.view(ag.exp(ag.tensor(np.zeros((300, 400)), name="x"))).html)
    assert {len(array["rows"]) for array in data["arrays"]} == {16}
    assert {len(row.split()) for array in data["arrays"] for row in array["rows"]} == {16}
    assert data["arrays"][0]["of"] == [300, 400]


def test_no_users_repr_is_called():
    class Loud:
        def __repr__(self):
            raise AssertionError("called")

        __str__ = __format__ = __repr__

    y = ag.exp(ag.tensor([1.0], name="x"))
    y.node.params = {"how": Loud()}
    assert "how=a Loud" in ag.view(y, gradients=False, values=False, layout="builtin").html


def test_the_vendored_library_is_what_was_fetched():
    sums = dict(line.split()[::-1] for line in (VENDOR / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {"graphviz.js", "LICENSE.graphviz", "LICENSE.wasm-graphviz", "VERSION"}
    for name, digest in sums.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    licences = (VENDOR / "LICENSE.md").read_text()
    assert all(part in licences for part in ("Apache-2.0", "EPL-2.0", "Expat", "fzstd"))
    assert "Eclipse Public License - v 2.0" in (VENDOR / "LICENSE.graphviz").read_text()
