"""The proof: right layers of many styles pass, wrong ones are found and the mistake is named."""

from __future__ import annotations

import pytest

import autograd_lite as ag
from tests.comparison import mutation
from tests.comparison.mutation import Layer, effect, layers, mutants_of

LAYERS = layers()


def test_there_are_enough_layers() -> None:
    assert len(LAYERS) == len({layer.name for layer in LAYERS}) >= 120


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_false_alarm_on_a_right_layer(layer: Layer) -> None:
    hand, inputs = layer.make()
    report = ag.compare(hand, *inputs)
    assert report.ok, str(report)
    assert report.graph is not None, "not traced"


def test_an_edit_changes_one_place_only() -> None:
    affine = next(layer for layer in LAYERS if layer.name == "Affine")
    shown = {m.name: m.shown for m in mutants_of(affine)}
    assert "E" not in " ".join(shown.values()).split(), "a template was not filled"
    assert all(before != after for before, after in (s.split("  →  ") for s in shown.values()))


def test_the_effect_of_an_edit_is_measured() -> None:
    """The effect of an edit is found by running both layers."""
    relu = next(layer for layer in LAYERS if layer.name == "Relu6")
    kinds = {m.operator.name: effect(m) for m in mutants_of(relu)}
    assert kinds["negated"] is not None
    assert "sign" in kinds["negated"].causes
    assert len(mutation.OPERATORS) >= 25
