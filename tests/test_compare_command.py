"""`autograd-lite compare FILE`: files of many kinds, found, given inputs, judged, told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autograd_lite.cli import main
from autograd_lite.comparison.files import Settings, Survey, survey
from autograd_lite.errors import CompareError

AFFINE = """
import numpy as np

class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str, name: str = "layers.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return make


def statuses(found: Survey) -> dict[str, str]:
    return {row.name: row.status for row in found.rows}


def test_a_right_and_a_wrong_layer(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = AFFINE.replace("Affine", "Other").replace("dout.sum(axis=0)", "dout.mean(axis=0)")
    path = write(AFFINE + wrong)
    assert main(["compare", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "where", "inputs", "verdict", "reason"]
    assert lines[1].startswith("  Affine  line 4   x (4,5); made of W")
    assert " right" in lines[1]
    second = next(line for line in lines if line.startswith("  Other "))
    assert " wrong    db: it is 0.25 × the right one" in second
    assert lines[-1] == "layers.py: 2 layers: 1 right, 1 wrong"
    assert max(map(len, lines)) <= 100
    assert not any("\x1b" in line for line in lines), "colour, and no terminal"


def test_what_hangs_or_crashes_is_a_row(write: Write) -> None:
    path = write(
        AFFINE
        + """
import os
import sys

class Hangs:
    def forward(self, x):
        while True:
            pass
    def backward(self, dout):
        return dout

class Dies(Hangs):
    def forward(self, x):
        os._exit(7)

class Crashes(Hangs):
    def forward(self, x):
        import ctypes
        ctypes.string_at(0)

class Takes(Hangs):
    def forward(self, x):
        return x * len(np.empty(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 9))

class Leaves(Hangs):
    def forward(self, x):
        sys.exit("no")

class Asks(Hangs):
    def forward(self, x):
        return x * float(input("how much? "))

class Floods(Hangs):
    def forward(self, x):
        print("x" * 10**6)
        os.write(1, b"x" * 10**5)
        return x * 1

class Needs(Hangs):
    def forward(self, x):
        import nowhere_to_be_found
        return x
"""
    )
    found = survey(path, Settings(timeout=3))
    rows = {row.name: row for row in found.rows}
    assert rows["Hangs"].status == "failed"
    assert rows["Hangs"].reason.startswith("it took longer than 3 s (line ")
    assert rows["Hangs"].reason.endswith(", in forward)")
    assert rows["Dies"].reason == "it ended the process with code 7, as os._exit(7) does"
    assert rows["Crashes"].reason.startswith("it crashed: Segmentation fault (line ")
    assert "MemoryError: Unable to allocate" in rows["Takes"].reason
    assert rows["Leaves"].status == "not checked"
    assert rows["Leaves"].reason == "it calls sys.exit('no')"
    assert "input()" in rows["Asks"].reason
    assert rows["Floods"].status == "right"
    assert "nowhere_to_be_found" in rows["Needs"].reason
    assert rows["Affine"].status == "right"
    assert found.code == 1


def test_a_notebook_with_magics(write: Write) -> None:
    cells = [
        ["%matplotlib inline\n", "!pip install nothing\n", "import numpy as np\n", "x = !ls\n"],
        ["%%bash\n", "rm -rf nothing"],
        ["np.arange?\n"],
        ["def broken(:\n"],
        ["raise ValueError('a cell that fails')\n"],
        ["print('%d'\n", "      % 3)\n", AFFINE],
        ["if True:\n", "    %time y = 3\n", "    z = 4\n"],
    ]
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": ["# title"]},
            *({"cell_type": "code", "source": cell} for cell in cells),
        ]
    }
    path = write(json.dumps(notebook), "book.ipynb")
    found = survey(path)
    assert [(row.name, row.where, row.status) for row in found.rows] == [
        ("Affine", "cell 6, line 6", "right")
    ]
    skipped = dict(found.skipped)
    assert skipped["cell 2"] == "%%bash cells are not run"
    assert skipped["cell 4, line 1"].startswith("SyntaxError")
    assert skipped["cell 5, line 1"] == "ValueError: a cell that fails (line 1)"
    assert len(skipped) == 3


def test_the_main_block_does_not_run_and_the_rest_goes_on(write: Write, tmp_path: Path) -> None:
    write("SCALE = 2.0\n", "sibling.py")
    (tmp_path / "data.txt").write_text("1 2 3")
    path = write(
        AFFINE
        + """
import absent_module as absent
from sibling import *
from missing_book.data import load

numbers = np.loadtxt("data.txt")
assert numbers.shape == (3,)
absent.plot()

class Scaled:
    def forward(self, x):
        return x * SCALE
    def backward(self, dout):
        return dout * SCALE

class Sub(absent.Base):
    pass

if __name__ == "__main__":
    open("ran", "w").close()
"""
    )
    found = survey(path)
    assert statuses(found) == {"Affine": "right", "Scaled": "right"}
    told = [why for _, why in found.skipped]
    assert told[0] == "the module absent_module is not installed; what uses it fails"
    assert "missing_book" in told[1]
    assert told[2].startswith("ModuleNotFoundError: absent_module.plot was used")
    assert len(told) == 4
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "__pycache__").exists()


def test_a_package_with_relative_imports(write: Write) -> None:
    write("from .layers import Affine\n", "net/__init__.py")
    write("", "net/core/__init__.py")
    write("FACTOR = 3.0\n", "net/core/base.py")
    path = write(
        "from .core.base import FACTOR\n" + AFFINE.replace("self.b\n", "self.b * FACTOR / 3\n"),
        "net/layers.py",
    )
    assert statuses(survey(path)) == {"Affine": "right"}


def test_pairs_losses_networks_contexts_and_instances(write: Write) -> None:
    path = write(
        """
        import numpy as np

        def affine_forward(x, w, b):
            return x.reshape(len(x), -1) @ w + b, (x, w, b)

        def affine_backward(dout, cache):
            x, w, b = cache
            dx = (dout @ w.T).reshape(x.shape)
            return dx, x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)

        def softmax_loss(x, y):
            p = np.exp(x - x.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            n = np.arange(len(x))
            loss = -np.log(p[n, y]).mean()
            p[n, y] -= 1
            return loss, p / len(x)

        def sigmoid(x):
            return 1 / (1 + np.exp(-x))

        def sigmoid_prime(y):
            return y * (1 - y)

        def cube(x):
            return x**3

        def cube_grad(x):
            return 3 * x

        class Net:
            def __init__(self, input_size, hidden_size, output_size):
                rng = np.random.default_rng(0)
                self.params = {"W1": rng.normal(size=(input_size, hidden_size)),
                               "W2": rng.normal(size=(hidden_size, output_size))}

            def loss(self, x, t):
                self.h = np.tanh(x @ self.params["W1"])
                return 0.5 * np.sum((self.h @ self.params["W2"] - t) ** 2)

            def gradient(self, x, t):
                self.loss(x, t)
                d = self.h @ self.params["W2"] - t
                dh = d @ self.params["W2"].T * (1 - self.h**2)
                return {"W1": x.T @ dh, "W2": self.h.T @ d}

        class Square:
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**2

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return 2 * x * g

        class Scale:
            def __init__(self, secret):
                self.factors = {"odd": np.array([1.0, 2.0])}[secret]

            def forward(self, x):
                return x * self.factors

            def backward(self, dout):
                return dout * self.factors

        scale = Scale("odd")
        net = [Scale("odd"), Scale("odd")]

        class Sgd:
            def update(self, params, grads):
                pass

        class Base:
            def forward(self, x):
                raise NotImplementedError

            def backward(self, dout):
                raise NotImplementedError
        """
    )
    found = survey(path)
    assert statuses(found) == {
        "affine_forward": "right",
        "softmax_loss": "right",
        "sigmoid": "right",
        "cube": "wrong",
        "Net": "right",
        "Square": "right",
        "scale": "right",
        "net": "right",
    }
    assert {name: why for name, _, why in found.others} == {
        "Sgd": "a class without forward and backward",
        "Base": "a base class: its forward is left to others",
    }


def test_inputs_that_are_given(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    odd = """
import numpy as np

class Odd:
    def __init__(self, code):
        if code != "xyzzy":
            raise ValueError("not the word")

    def forward(self, x):
        if x.shape != (2, 9):
            raise ValueError("not the shape")
        return x * 2

    def backward(self, dout):
        return dout * 2
"""
    path = write(odd)
    assert main(["compare", str(path)]) == 2
    told = capsys.readouterr().out
    assert "none of " in told
    assert "--shape Odd.x=4,3" in told
    options = ["--shape", "Odd.x=2,9", "--input", "code='xyzzy'"]
    assert main(["compare", str(path), *options]) == 0
    assert "x (2,9); made of code='xyzzy'" in capsys.readouterr().out
    cases = write('{"Odd": {"x": {"shape": [2, 9]}, "code": "xyzzy"}}', "cases.json")
    assert main(["compare", str(path), "--cases", str(cases)]) == 0
    lines = "def cases():\n    yield Odd('xyzzy'), np.ones((2, 9))\n"
    assert main(["compare", str(path), "--cases", str(write(lines, "cases.py"))]) == 0
    assert main(["compare", str(write(odd + lines, "both.py"))]) == 0
    assert "given by cases" in capsys.readouterr().out


def test_reports(write: Write, tmp_path: Path) -> None:
    path = write(AFFINE)
    assert main(["compare", str(path), "--report", str(tmp_path / "out.html")]) == 0
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count("<section") == page.count("<svg") == 1
    assert "<script" not in page
    assert main(["compare", str(path), "--report", str(tmp_path / "out.json")]) == 0
    data = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert data["format"] == "autograd_lite.survey"
    assert data["layers"][0]["comparison"]["rows"][0]["name"] == "forward"
    assert main(["compare", str(path), "--report", str(tmp_path / "out.md")]) == 0
    assert "| Affine | line 4 |" in (tmp_path / "out.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("class A(:\n", [], "did not run"),
        ("x = 1\n", [], "no hand-written layer was found"),
    ],
)
def test_nothing_to_check(
    write: Write, capsys: pytest.CaptureFixture[str], text: str, options: list[str], says: str
) -> None:
    assert main(["compare", str(write(text)), *options]) == 2
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--only", "Nothing"], "layers.py has no layer called Nothing"),
        (["--shape", "x=a"], "--shape x=a is no shape"),
        (["--input", "x"], "--input x names no argument"),
        (["--input", "x=nothing_of_that_name"], "neither a literal"),
        (["--cases", "nowhere.json"], "there is no file nowhere.json"),
        (["--timeout", "0"], "--timeout must be more than 0 seconds"),
        (["--report", "out.txt"], "a report is not written as '.txt'"),
    ],
)
def test_a_call_that_cannot_be_met_is_one_line(
    write: Write, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert main(["compare", str(write(AFFINE)), *options]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="there is no file"):
        survey(tmp_path / "nothing.py")
    with pytest.raises(CompareError, match="is no Python file"):
        survey(tmp_path)
    (tmp_path / "book.ipynb").write_text("no json")
    with pytest.raises(CompareError, match="is no notebook"):
        survey(tmp_path / "book.ipynb")


def test_other_names_learning_rates_and_weights_made_late(write: Write) -> None:
    path = write(
        """
        import numpy as np

        class Moving:
            def __init__(self, input_size, output_size):
                self.weights = np.random.randn(output_size, input_size)

            def forward(self, input):
                self.input = input
                return self.weights @ input

            def backward(self, output_gradient, learning_rate):
                gradient = output_gradient @ self.input.T
                self.weights -= learning_rate * gradient
                return self.weights.T @ output_gradient

        class Moved(Moving):
            def backward(self, output_gradient, learning_rate):
                back = self.weights.T @ output_gradient
                self.weights = self.weights - learning_rate * (output_gradient @ self.input.T)
                return back

        class Late:
            def __init__(self, units):
                self.units, self.kernel = units, None

            def build(self, input_shape):
                self.kernel = np.random.randn(input_shape[-1], self.units)

            def forward_pass(self, x):
                self.x = x
                return x @ self.kernel

            def backward_pass(self, accum_grad):
                self.d_kernel = self.x.T @ accum_grad
                return accum_grad @ self.kernel.T

        def mse(y_true, y_pred):
            return np.mean((y_true - y_pred) ** 2)

        def mse_prime(y_true, y_pred):
            return 2 * (y_pred - y_true) / y_true.size

        network = [Moved(3, 4), Moved(4, 2)]
        """
    )
    # The first one sends back what its new weights give.
    assert statuses(survey(path)) == {
        "Moving": "wrong",
        "Late": "right",
        "mse": "right",
        "network": "right",
        "Moved": "right",
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("dout.sum(axis=0)", "dout", "sum"),
        ("dout @ self.W.T", "-dout @ self.W.T", "the sign is wrong"),
        ("self.x.T @ dout", "self.x.T @ dout / len(dout)", "0.25"),
        ("dout @ self.W.T", "dout @ self.W", "transposed"),
        ("dout @ self.W.T", "None", "not found"),
    ],
)
def test_a_mistake_is_found_in_spite_of_inputs_that_are_guessed(
    write: Write, old: str, new: str, says: str
) -> None:
    (row,) = survey(write(AFFINE.replace(old, new))).rows
    assert row.status == "wrong"
    assert says in row.reason


def test_functions_in_threes_and_binary_losses(write: Write) -> None:
    path = write(
        """
        import numpy as np

        def softplus(x):
            return np.log1p(np.exp(x))

        def softplus_fwd(x):
            return softplus(x), x

        def softplus_bwd(x, g):
            return g / (1 + np.exp(-x))

        class SigmoidWithLoss:
            def forward(self, x, t):
                self.t, self.y = t, 1 / (1 + np.exp(-x))
                both = np.c_[1 - self.y, self.y]
                return -np.sum(np.log(both[np.arange(len(t)), t])) / len(t)

            def backward(self, dout=1):
                return (self.y - self.t) * dout / len(self.t)

        class Odd:
            def loss(self, y, p):
                return (y - p) ** 2

            def gradient(self, y, p):
                return 2 * (p - y)
        """
    )
    found = survey(path)
    assert statuses(found) == {"softplus": "right", "SigmoidWithLoss": "right", "Odd": "right"}


def test_other_shapes_are_tried_when_asked(write: Write) -> None:
    path = write(AFFINE.replace("dout.sum(axis=0)", "dout.sum(axis=0) * len(dout) / 4"))
    assert statuses(survey(path)) == {"Affine": "right"}, "right for a batch of four alone"
    (row,) = survey(path, Settings(fuzz=True)).rows
    assert row.status == "wrong"


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX's")
def test_an_interrupt_ends_everything(write: Write, tmp_path: Path) -> None:
    path = write(
        f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        time.sleep(600)
        """
    )
    command = [sys.executable, "-m", "autograd_lite", "compare", str(path), "--timeout", "500"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore it
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        child = int((tmp_path / "pid").read_text())
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error == "autograd-lite: interrupted\n"
    for _ in range(100):
        if not Path(f"/proc/{child}").exists() or "Z" in _state(child):
            break
        time.sleep(0.05)
    else:
        os.kill(child, 0)
        pytest.fail("a child of the file lives on")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split(")")[-1].split()[0]
    except OSError:
        return "Z"


def test_names_and_texts_that_are_hostile(write: Write, tmp_path: Path) -> None:
    path = write(
        """
        import numpy as np

        class Größe:
            def forward(self, x):
                raise ValueError("\\x1b[31m<script>alert(1)</script>| `x`")

            def backward(self, dout):
                return dout

        class __getattr__:
            pass

        Größe.__name__ = "<b>|bold"

        raise KeyError("\\x1b]0;title\\x07<img src=x>")
        """,
        "a <b> & c.py",
    )
    found = survey(path, Settings(whole=True))
    assert statuses(found) == {"Größe": "not checked"}
    assert "\x1b" not in found.text()
    assert "\x07" not in found.text()
    page = found.save(tmp_path / "out.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "<img" not in page
    assert "<b> &" not in page
    assert "<script>" not in found.save(tmp_path / "out.md").read_text(encoding="utf-8")


def test_a_warning_stands_beside_a_right_layer(write: Write) -> None:
    path = write(
        """
        class Relu:
            def forward(self, x):
                self.mask = x <= 0
                out = x.copy()
                out[self.mask] = 0
                return out

            def backward(self, dout):
                dout[self.mask] = 0
                return dout
        """
    )
    found = survey(path)
    (row,) = found.rows
    assert row.status == "right"
    assert row.reason.startswith("but dout: backward changes its dout in place")
    assert found.code == 0


NETWORK = """
import numpy as np

def initialize_parameters(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x), "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h), "b2": np.zeros((n_y, 1))}

def forward_propagation(X, parameters):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    A2 = 1 / (1 + np.exp(-(parameters["W2"] @ A1 + parameters["b2"])))
    return A2, {"A1": A1, "A2": A2}

def compute_cost(A2, Y):
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]

def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    dZ2 = (cache["A2"] - Y) / m
    dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
    return {"dW1": dZ1 @ X.T, "db1": dZ1.sum(axis=1, keepdims=True),
            "dW2": dZ2 @ cache["A1"].T, "db2": dZ2.sum(axis=1, keepdims=True)}
"""


def test_a_network_of_three_functions(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(write(NETWORK))]) == 0
    out = capsys.readouterr().out
    assert "X (5,4), parameters.W1 (6,5)" in out
    assert "not checked" in out
    assert "compute_cost" not in out  # it is a part of the network
    wrong = NETWORK.replace('1 - cache["A1"] ** 2', '1 - cache["A1"]')
    assert main(["compare", str(write(wrong)), "--report", str(write("", "r.md"))]) == 1
    assert "parameters.dW1" in capsys.readouterr().out


def test_words_that_code_compares_an_argument_with(write: Write) -> None:
    path = write("""
        import numpy as np

        def step_forward(A, W, b, activation):
            Z = W @ A + b
            out = np.tanh(Z) if activation == "bent" else None
            return out, (A, W, out)

        def step_backward(dA, cache, activation):
            A, W, out = cache
            dZ = dA * (1 - out ** 2) if activation == "bent" else None
            return W.T @ dZ, dZ @ A.T, dZ.sum(axis=1, keepdims=True)
        """)
    (row,) = survey(path, Settings()).rows
    assert (row.name, row.status) == ("step_forward", "right")
    assert "activation='bent'" in row.inputs
