"""Layers in the ways people write them: found, matched, and right."""

import copy

import pytest

import autograd_lite as ag
from tests.comparison import written_classes, written_functions

CASES = {
    **{f"class: {name}": case for name, case in written_classes.CASES.items()},
    **{f"function: {name}": case for name, case in written_functions.CASES.items()},
}


@pytest.mark.parametrize("name", CASES)
def test_right_layers_are_right(name):
    hand, inputs, rows = CASES[name]
    report = ag.compare(hand, *copy.deepcopy(inputs))
    assert report.ok, str(report)
    assert {row.name for row in report.rows} == rows, str(report)
