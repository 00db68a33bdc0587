"""The report in its forms: on a terminal, as JSON held by its schema, as Markdown and HTML."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import handwritten
from autograd_lite.comparison import Comparison, Finding, Row
from autograd_lite.errors import CompareError

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "compare.schema.json").read_text())


class Wrong(handwritten.Sigmoid):
    def backward(self, dout: Any) -> Any:
        return -super().backward(dout)


class Lost(handwritten.Sigmoid):
    def backward(self, dout: Any) -> Any:
        return super().backward(dout) * np.array([np.nan, np.inf, -np.inf])


class Complex(handwritten.Sigmoid):
    def backward(self, dout: Any) -> Any:
        return super().backward(dout) * 1j


class Nothing(handwritten.Sigmoid):
    def backward(self, dout: Any) -> Any:
        return None


X = np.array([0.5, -1.0, 2.0])

REPORTS = {
    "right": lambda: ag.compare(handwritten.Sigmoid(), X),
    "wrong": lambda: ag.compare(Wrong(), X),
    "not finite": lambda: ag.compare(Lost(), X),
    "complex": lambda: ag.compare(Complex(), X),
    "missing": lambda: ag.compare(Nothing(), X),
    "without numbers": lambda: ag.compare(Wrong(), X, numeric=False),
    "gradcheck": lambda: ag.gradcheck(ag.tanh, X),
    "a kink": lambda: ag.gradcheck(ag.abs, np.array([0.0, 1.0])),
}


def strict(path: Path) -> Any:
    """JSON as the standard has it: no NaN, no Infinity."""

    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", REPORTS)
def test_json_is_what_its_schema_says(name: str, tmp_path: Path) -> None:
    report = REPORTS[name]()
    data = strict(report.save(tmp_path / "report.json"))
    jsonschema.validate(data, SCHEMA, jsonschema.Draft202012Validator)
    assert data["schema"] == 1
    assert data["ok"] == report.ok
    assert [row["name"] for row in data["rows"]] == [row.name for row in report.rows]


def test_the_schema_refuses_what_is_no_report(tmp_path: Path) -> None:
    good = strict(REPORTS["wrong"]().save(tmp_path / "report.json"))
    planted = [
        {**good, "schema": 2},
        {**good, "surprise": 1},
        {key: value for key, value in good.items() if key != "rows"},
        {**good, "rows": [{**good["rows"][0], "verdict": "fine"}]},
        {**good, "rows": [{**good["rows"][0], "max_abs": "many"}]},
        {**good, "findings": [{**good["findings"][0], "level": "fatal"}]},
    ]
    for bad in planted:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, SCHEMA, jsonschema.Draft202012Validator)


def test_what_is_not_finite_can_be_read_back(tmp_path: Path) -> None:
    row = strict(REPORTS["not finite"]().save(tmp_path / "report.json"))["rows"][1]
    back = np.array(row["hand"], float)  # float("nan") and float("inf") are what Python takes
    assert np.isnan(back[0])
    assert np.isinf(back[1:]).all()


# ── colours ──────────────────────────────────────────────────────────────────────────────────────


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def colourful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def printed(report: Comparison) -> str:
    with redirect_stdout(Terminal()) as terminal:
        print(report)
    return terminal.getvalue()


def bare(text: str) -> str:
    return re.sub(r"\x1b\[\d*m", "", text)


@pytest.mark.usefixtures("colourful")
def test_colours_on_a_terminal() -> None:
    report = REPORTS["wrong"]()
    shown = printed(report)
    assert "\x1b[31mwrong\x1b[0m" in shown
    assert "\x1b[32mright\x1b[0m" in shown
    assert bare(shown).rstrip("\n") == report.text()
    assert max(map(len, bare(shown).splitlines())) <= 100


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_where_they_are_not_wanted(
    name: str, value: str, colourful: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert "\x1b" not in printed(REPORTS["wrong"]())


@pytest.mark.usefixtures("colourful")
def test_no_colours_in_what_may_go_to_a_file() -> None:
    report = REPORTS["wrong"]()
    with redirect_stdout(Terminal()), pytest.raises(CompareError) as caught:
        report.raise_if_wrong()
    with redirect_stdout(Terminal()):
        texts = (report.text(), f"{report}", report.markdown(), str(caught.value))
    assert not any("\x1b" in text for text in texts)
    assert "\x1b" not in str(report)  # no terminal here


def test_names_are_shown_and_not_obeyed() -> None:
    name = "x\x1b[31m\u202e\nnext"
    row = Row(name, "input", (), "right", worst=(), automatic=1.0, hand=1.0)
    report = Comparison(name, (row,), (Finding("info", name, name),), name)
    for text in (report.text(), report.markdown()):
        assert not set(text) & set("\x1b\u202e")
        assert "\\x1b[31m" in text.replace("\\\\", "\\").replace("\\[", "[")


# ── what is said in every form ───────────────────────────────────────────────────────────────────


def test_code_that_reproduces_stands_under_its_finding() -> None:
    code = "x = x[:1]\nreport = ag.compare(layer, x)"
    finding = Finding("error", "dx", "wrong at a batch of one", "factor", code)
    report = Comparison("title", (), (finding,), "settings")
    assert "one\n      x = x[:1]\n      report = ag.compare(layer, x)\n" in report.text()
    assert "```python\n  x = x[:1]\n" in report.markdown()
    assert f"<pre>{code}</pre>" in report._repr_html_()


def test_the_familiar_scale_stands_beside_the_tolerance_that_decides() -> None:
    report = REPORTS["wrong"]()
    for text in (report.text(), report.markdown(), report._repr_html_()):
        words = " ".join(text.split())
        assert "more than 1e-2 is usually wrong" in words
        assert "tolerance 1e-09 of each row" in words


def test_a_page_holds_the_marked_graph(tmp_path: Path) -> None:
    page = REPORTS["wrong"]().save(tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert "first to differ" in page
    assert "<script" not in page


def test_a_notebook_need_not_share_the_systems_colours() -> None:
    html = REPORTS["wrong"]()._repr_html_()
    assert ":root" not in html
    assert ".ag-cmp{background:var(--bg)" in html
