"""Parameters, caches and gradients around a layer's functions: compared, and left as they were."""

import copy

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.comparison.adapters.surroundings import around, held_around
from tests.comparison import written_globals as written

X = np.random.default_rng(1).standard_normal((4, 3))


def verdicts(report):
    return {row.name: row.verdict for row in report.rows}


@pytest.fixture(autouse=True)
def _module_as_it_was():
    held = ("W", "b", "params", "grads", "calls", "count")
    names = set(vars(written))
    before = {name: copy.deepcopy(getattr(written, name)) for name in held}
    yield
    assert set(vars(written)) == names
    for name in held:
        np.testing.assert_equal(getattr(written, name), before[name])


def test_a_pair_that_remembers_and_answers_in_globals():
    report = ag.compare((written.forward, written.backward), X)
    assert verdicts(report) == dict.fromkeys(["forward", "dx", "dW", "db"], "right")


def test_a_wrong_gradient_in_a_global():
    report = ag.compare((written.forward, written.backward_doubled), X)
    assert verdicts(report)["db"] == "wrong"
    assert verdicts(report)["dW"] == "right"
    assert "2 × the right one" in str(report)


def test_gradients_of_globals_that_are_returned():
    found = verdicts(ag.compare((written.returning_forward, written.returning_backward), X))
    assert found == {"forward": "right", "dx": "right", "dW": "right", "db": "wrong"}


def test_dictionaries_of_parameters_and_gradients():
    found = verdicts(ag.compare((written.keyed_forward, written.keyed_backward), X))
    names = ["forward", "dx", "params.dW", "params.db"]
    assert found == dict.fromkeys(names, "right")


def test_a_class_that_reads_a_global():
    assert verdicts(ag.compare(written.Doubled(), X))["dW"] == "wrong"


def test_a_global_of_which_no_gradient_is_given_is_told_and_no_failure():
    report = ag.compare((written.filtered_forward, written.filtered_backward), X)
    assert report.ok
    said = " ".join(str(report).split())
    assert "the output rests on FILTER, of which no gradient was found" in said


def test_a_closure():
    report = ag.compare(written.made(written.W, written.b), X)
    assert verdicts(report) == dict.fromkeys(["forward", "dx", "dW", "db"], "right")


def test_state_in_globals_is_told_and_does_not_reach_the_next_run():
    report = ag.compare(written.Counting(), X)
    assert verdicts(report)["dx"] == "right"
    assert "keeps state from call to call" in " ".join(str(report).split())


def test_what_stands_around_a_function():
    pair = (written.forward, written.backward)
    assert set(around(pair)) == {"W", "b", "kept", "dW", "db"}
    assert set(held_around(pair)) == {"W", "b"}
    assert set(held_around(written.made(written.W, written.b))) == {"W", "b", "state"}
    assert around(len) == {}
