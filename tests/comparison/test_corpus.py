"""The proof: right layers of many styles pass, wrong ones are found and the mistake is named."""

from __future__ import annotations

import pytest

import autograd_lite as ag
from tests.comparison import mistakes, proof
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
    assert len(mistakes.OPERATORS) >= 25


@pytest.mark.slow
def test_wrong_layers_are_found_and_their_mistakes_named() -> None:
    """A fixed sample of all mutants, training and held out; docs/diagnoses.md has more of them."""
    outcomes = [one for one in map(proof.judged, proof.chosen(0.1)) if one is not None]
    assert len(outcomes) > 300
    training, held_out = (
        [one for one in outcomes if one.mutant.held_out == which] for which in (False, True)
    )
    print("\n", proof.shown("training", training), "\n", proof.shown("held out", held_out))
    missed = [one.mutant.name for one in outcomes if not one.found]
    assert not missed, missed
    wrong = [(one.mutant.name, one.said) for one in outcomes if not one.named]
    assert len(wrong) <= 0.1 * len(outcomes), wrong


def test_a_third_is_held_out_for_good() -> None:
    mutants = [mutant for layer in LAYERS[:12] for mutant in mutants_of(layer)]
    part = sum(mutant.held_out for mutant in mutants) / len(mutants)
    assert 0.25 < part < 0.42
