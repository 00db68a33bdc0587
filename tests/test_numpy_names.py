"""Every function of NumPy's main namespace, called on a tensor: recorded, or an error. No leak."""

from __future__ import annotations

import contextlib
import inspect
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


# Keywords of NumPy that a function of the namespace lacks, beside those of ELSEWHERE.
LACKING = {
    "array": {"ndmin", "ndmax"},
    "compress": {"a"},  # what stands behind the condition is the array: the tensor's place
    "extract": {"arr"},
    "eye": {"M"},  # the standard calls it n_cols
    "nanstd": {"mean"},
    "nanvar": {"mean"},
    "searchsorted": {"v"},  # the standard calls it x2
    "std": {"mean"},
    "tensordot": {"b"},  # the standard calls it x2
    "unique": {"sorted"},
    "var": {"mean"},
    "linalg.pinv": {"hermitian"},
}
ELSEWHERE = {"out", "like", "subok", "where", "initial", "overwrite_input", "order", "device",
             "dtype", "copy", "casting", "weights"}  # fmt: skip
ROOMS = {"": (np, ag.numpy), "linalg.": (np.linalg, ag.linalg), "fft.": (np.fft, ag.fft)}


@pytest.mark.parametrize("room", ROOMS)
def test_arguments_after_the_array_have_numpys_names(room: str) -> None:
    """Every argument but the first can be given by the name that it has in NumPy."""
    theirs, ours = ROOMS[room]
    found = {}
    for name in sorted(set(theirs.__all__) & set(ours.__all__)):
        function, own = getattr(theirs, name), getattr(ours, name)
        if isinstance(function, type | np.ufunc) or not callable(function) or own is function:
            continue
        if name in ("around", "round"):  # its signature does not show what stands below
            assert own(ag.tensor(1.26), decimals=1).data == 1.3
            continue
        try:
            wanted = list(inspect.signature(function).parameters.values())[1:]
        except ValueError:  # written in C without a signature
            continue
        given = inspect.signature(own).parameters.values()
        if any(one.kind is one.VAR_KEYWORD for one in given):
            continue
        known = {one.name for one in given if one.kind is not one.POSITIONAL_ONLY}
        named = {one.name for one in wanted if one.kind in (one.POSITIONAL_OR_KEYWORD,
                                                            one.KEYWORD_ONLY)}  # fmt: skip
        if missing := named - known - ELSEWHERE:
            found[room + name] = missing
    assert found == {
        name: lacking
        for name, lacking in LACKING.items()
        if name.rpartition(".")[0] == room.rstrip(".")
    }


SECOND = {"absolute": np.abs, "fabs": np.fabs, "rint": np.rint, "true_divide": np.divide}


@pytest.mark.parametrize(("name", "numpys"), SECOND.items())
def test_second_names(name: str, numpys: Any) -> None:
    xs = [np.array([-1.5, 2.5])] * (2 if name == "true_divide" else 1)
    np.testing.assert_array_equal(getattr(ag, name)(*map(ag.tensor, xs)).data, numpys(*xs))


def test_questions_of_dtype() -> None:
    assert ag.numpy.iscomplexobj(ag.tensor([1j]))
    assert ag.numpy.isrealobj(ag.tensor([1.0]))
    assert issubclass(ag.errors.LinAlgError, ag.linalg.LinAlgError)


@pytest.mark.parametrize("order", ["C", "F"])
def test_elements_by_rows_or_by_columns(order: str, rng: np.random.Generator) -> None:
    x, g = rng.normal(size=(2, 3, 4)), rng.normal(size=24)
    t = ag.tensor(x)
    flat = x.flatten(order)
    for y in (
        np.ravel(t, order=order),
        t.ravel(order),
        t.flatten(order),
        t.reshape(-1, order=order),
    ):
        np.testing.assert_array_equal(y.data, flat)
    ways = (np.reshape(t, (4, -1), order=order), t.reshape(4, 6, order=order),
            t.reshape((4, 6), order=order), ag.reshape(t, (4, 6), order))  # fmt: skip
    for y in ways:
        np.testing.assert_array_equal(y.data, x.reshape((4, 6), order=order))
        (found,) = ag.gradients(y, [t], g.reshape((4, 6), order=order))
        np.testing.assert_array_equal(found.data, g.reshape(x.shape, order=order))
    with pytest.raises(ag.errors.DomainError, match="no order in memory"):
        t.ravel("A")
