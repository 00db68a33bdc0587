"""What pictures and pages write of an operator: symbol, text, LaTeX and local rules, filled in."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autograd_lite as ag  # noqa: F401  # declares every operator
from autograd_lite.graph import Op
from autograd_lite.rules import OPS
from docs.operators import inputs

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


@each_operator
def test_a_formula_is_well_formed(op: Op) -> None:
    assert complaints(op.latex.format(*PLACES, args="u, v")) == []


@each_operator
def test_texts_are_short_and_filled(op: Op) -> None:
    names = inputs(op)
    texts = [op.text.format(*PLACES, args="u, v")]
    if op.differentiable:
        with np.errstate(all="ignore"):
            texts += [op.local_rule(i, names) for i in range(len(names))]
    assert 0 < len(op.symbol) <= 20
    assert all(0 < len(text) <= 60 and not re.search("[{}]", text) for text in texts), texts


@pytest.mark.parametrize(
    "wrong", ["{u", "u}", r"\frac{u}v", r"\left|u|", r"\sqrt{}", "x^{0}", r"\begin{cases}u"]
)
def test_a_malformed_formula_is_noticed(wrong: str) -> None:
    assert complaints(wrong)
