"""The pytest plug-in, in test suites of its own: what passes, what fails, and how that looks."""

from __future__ import annotations

import subprocess
import sys

import pytest

PLUGIN = ("-p", "pytest_autograd_lite")  # as the entry point loads it, where it is installed

LAYERS = """
import numpy as np

W, b = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([7.0, 8.0, 9.0])
x = np.array([[1.0, -1.0], [0.5, 2.0]])


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class Halved(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW / 2
        return dx


def square_forward(x):
    return x**2, x


def square_backward(dout, cache):
    return 2 * dout * cache


def softmax_loss(x, y):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    n = np.arange(len(y))
    dx = p.copy()
    dx[n, y] -= 1
    return -np.log(p[n, y]).mean(), dx / len(y)
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(layers=LAYERS)
    pytester.syspathinsert()
    return pytester


def test_what_is_right_passes_in_every_convention(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import numpy as np
        import autograd_lite as ag
        from layers import *

        def test_class(gradients_match):
            gradients_match(Affine(W, b), x)

        def test_against(gradients_match):
            gradients_match(Affine(W, b), x, against=ag.nn.Affine(W, b))

        def test_pair(gradients_match):
            report = gradients_match((square_forward, square_backward), x)
            assert [row.name for row in report.rows] == ["forward", "dx"]

        def test_loss(gradients_match):
            report = gradients_match(softmax_loss, x, np.array([1, 0]))
            assert [row.name for row in report.rows] == ["forward", "dx"]

        def test_function_of_tensors(gradients_match):
            report = gradients_match(lambda x: (ag.exp(x) * x).sum(), x, order=1)
            assert "gradcheck" in report.title

        def test_layer_of_tensors(gradients_match):
            assert "gradcheck" in gradients_match(ag.nn.Affine(W, b), x).title
        """
    )
    suite.runpytest(*PLUGIN).assert_outcomes(passed=6)


def test_a_failure_shows_the_diagnosis_and_no_traceback(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from layers import *

        def test_halved(gradients_match):
            gradients_match(Halved(W, b), x)
        """
    )
    result = suite.runpytest(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*gradients_match(Halved(W, b), x)",
            "E * Halved against its own forward, traced",
            "E * dW *wrong",
            "E * dW: it is 0.5 × the right one in all 6 elements*",
            "E * wrong: 3 of 4 hold; look at dW",
        ]
    )
    result.stdout.no_fnmatch_line("*testing.py*")
    result.stdout.no_fnmatch_line("*def assert_gradients_match*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_an_error_in_the_call_says_what_to_pass(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from layers import *

        def test_no_inputs(gradients_match):
            gradients_match(Affine(W, b))
        """
    )
    result = suite.runpytest(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * no inputs", "E *pass what forward takes*"])


def test_with_xdist(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import pytest
        from layers import *

        @pytest.mark.parametrize("layer", [Affine, Halved])
        def test_layer(layer, gradients_match):
            gradients_match(layer(W, b), x)
        """
    )
    result = suite.runpytest_subprocess(*PLUGIN, "-n", "2")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E * look at dW"])


def test_a_fixture_of_that_name_of_ones_own_wins(suite: pytest.Pytester) -> None:
    suite.makeconftest(
        """
        import pytest

        @pytest.fixture
        def gradients_match():
            return "mine"
        """
    )
    suite.makepyfile("def test_it(gradients_match): assert gradients_match == 'mine'")
    suite.runpytest(*PLUGIN).assert_outcomes(passed=1)


def test_it_loads_nothing_until_a_test_asks() -> None:
    program = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        "import pytest_autograd_lite\n"
        "print(sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['pytest_autograd_lite']"


def test_a_broken_engine_breaks_only_the_tests_that_ask(suite: pytest.Pytester) -> None:
    suite.mkpydir("autograd_lite").joinpath("__init__.py").write_text("raise ImportError('gone')")
    suite.makepyfile(
        """
        def test_other(): pass
        def test_ours(gradients_match): pass
        """
    )
    result = suite.runpytest_subprocess(*PLUGIN, "--import-mode=prepend")
    result.assert_outcomes(passed=1, errors=1)
