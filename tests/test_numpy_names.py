"""Every function of NumPy's main namespace, called on a tensor: recorded, or an error. No leak."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.protocol import status

# These take no array, and change NumPy itself or run for minutes.
SETTINGS = {
    "info",
    "printoptions",
    "set_printoptions",
    "setbufsize",
    "seterr",
    "seterrcall",
    "test",
}
SETTINGS |= {"empty", "empty_like"}  # whose results are what memory happened to hold
FUNCTIONS = [
    name
    for name in sorted(set(np.__all__) - SETTINGS)
    if callable(getattr(np, name)) and not isinstance(getattr(np, name), type)
]
WAYS = [
    lambda t: (t,),
    lambda t: (t, t),
    lambda t: ([t, t],),
    lambda t: (t, 1),
    lambda t: (np.ones(3), t),
    lambda t: (np.ones(3), t, t),
]


def outcome(name: str, arguments: tuple[Any, ...]) -> Any:
    """What a function gives, or the error that it raises."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return getattr(np, name)(*arguments)
        except Exception as error:  # noqa: BLE001  # tests judge which errors are right
            return error


def plain_floats(value: Any) -> list[bytes]:
    """The plain floating numbers in a result, bit by bit; tensors and errors hold none."""
    if isinstance(value, tuple | list):
        return [bits for one in value for bits in plain_floats(one)]
    if isinstance(value, float | np.ndarray | np.generic):
        return [np.asarray(value).tobytes()] if np.asarray(value).dtype.kind in "fc" else []
    return []


def holds_tensor(value: Any) -> bool:
    return isinstance(value, ag.Tensor) or (
        isinstance(value, tuple | list) and any(map(holds_tensor, value))
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_takes_values_out_of_the_graph(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    t, other = ag.tensor([1.5, 2.5, 3.5]), ag.tensor([0.5, 7.5, 2.25])
    for way in WAYS:
        first, second = outcome(name, way(t)), outcome(name, way(other))
        assert plain_floats(first) == plain_floats(second), f"np.{name} gave {first!r}"
    assert not list(tmp_path.iterdir()), f"np.{name} wrote a file"


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if status(name) == "recorded"])
def test_what_is_called_recorded_is(name: str) -> None:
    t = ag.tensor([[1.5, 2.5], [0.5, 3.5]])
    row = t[0]
    tries = [
        (t,),
        (t, t),
        ([t, t],),
        (t, 0),
        (t, np.float64),
        (t > 1, t, t),
        (t, (2, 2)),
        (t, 0, 1),
        ([0, 1], t[0]),
        (row,),
        (row, row),
        (row, [0.0, 1.0], row),
        (t, [[0], [1]], 1),
        ([0, 1], [row, row]),
        ([0.0, 1.0, 2.0], row),
        ("ij->ji", t),
        (t > 1, t),
        (t, [1], 0),
        (t, 1, row),
        (t, [t, t]),
        (row, row, row),
        (ag.tensor(np.ones(3)), np.arange(3.0)),
        (ag.tensor(np.ones((2, 2, 2))), 2),
    ]
    results = [outcome(name, arguments) for arguments in tries]
    assert any(map(holds_tensor, results)), results


@pytest.mark.parametrize(
    "name", [name for name in FUNCTIONS if status(name) == "raises: no rule is registered yet"]
)
def test_what_is_called_unsupported_raises(name: str) -> None:
    t = ag.tensor([1.5, 2.5, 3.5])
    outcomes = [outcome(name, way(t)) for way in WAYS]
    named = [error for error in outcomes if isinstance(error, ag.errors.AutogradError)]
    wrong_call = all(isinstance(error, TypeError) for error in outcomes)
    assert wrong_call or any("mend:" in str(error) for error in named)
