"""What pictures and pages write of an operator: symbol, text, LaTeX and local rules, filled in."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from latex2mathml.converter import convert

import autograd_lite as ag  # declares every operator
from autograd_lite.graph import Op
from autograd_lite.notation import as_latex, formula
from autograd_lite.rules import OPS
from docs.operators import inputs

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
    import ziamath  # it reads its fonts in a way that Python has given up

DECLARED = [op for op in OPS.values() if op.doc or not op.name.startswith("_")]
PLACES = ["u", "v", "w"]
each_operator = pytest.mark.parametrize("op", DECLARED, ids=lambda op: op.name)


def complaints(latex: str) -> list[str]:
    """What is wrong with the structure of a formula."""
    found = []
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", latex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            break
    if depth:
        found.append("unbalanced braces")
    if latex.count(r"\left") - latex.count(r"\leftarrow") != latex.count(r"\right"):
        found.append("unpaired delimiters")
    if latex.count(r"\begin") != latex.count(r"\end"):
        found.append("unpaired environment")
    if latex.count(r"\frac") != len(re.findall(r"\\frac\{[^{}]+\}\{[^{}]+\}", latex)):
        found.append("a fraction without two parts")
    if re.search(r"\{\}|\{0\}|\{args\}", latex):
        found.append("an empty or unfilled place")
    return found


def rules(op: Op, names: list[str]) -> list[str]:
    if not op.differentiable:
        return []
    with np.errstate(all="ignore"):
        return [op.local_rule(i, names) for i in range(len(names))]


@each_operator
def test_a_formula_is_well_formed(op: Op) -> None:
    formulas = [formula(op, PLACES), *map(as_latex, rules(op, inputs(op)))]
    assert [complaints(one) for one in formulas] == [[]] * len(formulas)


@each_operator
def test_a_formula_renders(op: Op) -> None:
    """Every command is known, and ``ziamath`` draws what a page shows."""
    for latex in [formula(op, PLACES), *map(as_latex, rules(op, inputs(op)))]:
        width, height = ziamath.Latex(latex).getsize()
        assert width > 4
        assert height > 4
        assert unknown(latex) == []


def unknown(latex: str) -> list[str]:
    """Commands that came through as they are, and signs that LaTeX has other ways to write."""
    signs = re.sub(r"\\text\{[^}]*\}", "", latex)
    shown = re.sub(r"<[^>]*>", "", convert(latex))
    return re.findall(r"\\\w+", shown) + re.findall(r"[^ -~]|\\operatorname", signs)


def test_a_text_becomes_latex() -> None:
    assert as_latex("G × b·a^(b − 1)") == r"G \times b\cdot a^{b - 1}"
    assert as_latex("−G × 2/√π·exp(−x²)") == r"-G \times 2/\sqrt{\pi }\cdot \mathrm{exp}(-x^{2})"
    assert as_latex("G × [x1 ≥ x2]") == r"G \times [x_{1} \ge x_{2}]"
    assert as_latex("the parts' G joined") == r"\text{the parts'}\ G\ \text{joined}"
    assert as_latex("G × y·ln 2") == r"G \times y\cdot \mathrm{ln}\,2"
    assert as_latex("Σ G·b") == r"\sum G\cdot b"
    assert as_latex("log_softmax(x)") == r"\mathrm{log\_softmax}(x)"
    assert as_latex("G_Q + A⁺ᵀ·(U + V)ᵀ") == r"G_{Q} + A^{+\top}\cdot (U + V)^{\top}"
    with pytest.raises(ag.errors.UnsupportedError, match="brackets do not match"):
        as_latex("√(x + 1")


@pytest.mark.parametrize("wrong", [r"\foo u", "u ⊕ v", r"\operatorname{sinc} u"])
def test_what_does_not_render_is_noticed(wrong: str) -> None:
    assert unknown(wrong)


@each_operator
def test_texts_are_short_and_filled(op: Op) -> None:
    names = inputs(op)
    texts = [op.text.format(*PLACES, args="u, v"), *rules(op, names)]
    assert 0 < len(op.symbol) <= 20
    assert all(0 < len(text) <= 60 and not re.search("[{}]", text) for text in texts), texts


@pytest.mark.parametrize(
    "wrong", ["{u", "u}", r"\frac{u}v", r"\left|u|", r"\sqrt{}", "x^{0}", r"\begin{cases}u"]
)
def test_a_malformed_formula_is_noticed(wrong: str) -> None:
    assert complaints(wrong)
