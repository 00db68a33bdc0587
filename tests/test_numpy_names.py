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
    "array": {"ndmax"},
    "compress": {"a"},  # what stands behind the condition is the array: the tensor's place
    "extract": {"arr"},
    "eye": {"M"},  # the standard calls it n_cols
    "searchsorted": {"v"},  # the standard calls it x2
    "tensordot": {"b"},  # the standard calls it x2
    "unique": {"sorted"},
    "linalg.pinv": {"hermitian"},
}
ELSEWHERE = {"out", "like", "subok", "overwrite_input", "order", "device",
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


# where=, initial= and mean=

B = (2, 3)
MASKS: list[Any] = [True, False, [True, False, True], [[True], [False]],
                    np.array([[1, 0, 1], [0, 0, 0]], bool)]  # fmt: skip
MASKED = ["sum", "prod", "mean", "max", "min", "var", "std", "all", "any", "nansum", "nanprod",
          "nanmean", "nanmax", "nanmin", "nanvar", "nanstd"]  # fmt: skip
STARTS = {"sum": 2.5, "prod": -1.5, "max": 0.75, "min": 0.75, "nansum": 2.5, "nanprod": -1.5,
          "nanmax": 0.75, "nanmin": 0.75}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int8, np.complex64])
@pytest.mark.parametrize("name", MASKED)
def test_some_elements_and_a_start(name: str, dtype: Any, rng: np.random.Generator) -> None:
    x = rng.uniform(-3, 3, B).astype(dtype)
    if name.startswith("nan") and x.dtype.kind in "fc":
        x[0, 2] = np.nan
    for mask in MASKS:
        for axis in (None, 0, -1, (0, 1)):
            keywords: dict[str, Any] = {"where": mask, "axis": axis, "keepdims": axis == 0}
            if name in STARTS:
                keywords["initial"] = 2 if dtype is np.int8 else STARTS[name]
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # of means and variances of nothing
                wanted = getattr(np, name)(x, **keywords)
                found = getattr(np, name)(ag.constant(x), **keywords)
                again = getattr(ag.numpy, name)(x, **keywords)
            assert found.dtype == wanted.dtype
            rtol = 8 * np.finfo(wanted.dtype).eps if wanted.dtype.kind in "fc" else 0
            np.testing.assert_allclose(found.data, wanted, rtol=rtol, atol=rtol)
            np.testing.assert_array_equal(again, found.data)


@pytest.mark.parametrize("name", [name for name in MASKED if name not in ("all", "any")])
def test_gradients_of_some_elements_and_of_the_start(name: str, rng: np.random.Generator) -> None:
    """Those outside get 0, even where they are not finite."""
    x = rng.uniform(1, 3, (3, 4))
    mask = rng.uniform(size=(3, 4)) < 0.6
    mask[:, :2] = True
    start = {"initial": None} if name in STARTS else {}

    def f(x: Any, initial: Any) -> Any:
        keywords = dict.fromkeys(start, initial)
        return getattr(np, name)(x, axis=1, where=mask, **keywords) ** 2

    for initial in (0.5, 5.0):
        assert ag.gradcheck(f, x, initial).ok
    spoilt = np.where(mask, x, np.inf)
    sound = ag.grad(lambda x: f(x, 0.5).sum())(x)
    found = ag.grad(lambda x: f(x, 0.5).sum())(spoilt)
    assert (found[~mask] == 0).all()
    np.testing.assert_array_equal(found[mask], sound[mask])


def test_a_start_is_one_number_and_must_be_there() -> None:
    t = ag.tensor([1.0, 2.0])
    with pytest.raises(ag.errors.DomainError, match="without initial"):
        np.max(t, where=[True, False])
    with pytest.raises(ag.errors.ShapeError, match="one number"):
        np.sum(t, initial=[1.0, 2.0])
    with pytest.raises(ValueError, match="broadcast"):
        np.sum(t, where=np.ones((2, 2), bool))
    empty = ag.tensor(np.zeros((0, 2)))
    (g,) = ag.gradients(np.max(empty, 0, initial=(start := ag.tensor(3.0))).sum(), [start])
    assert g.item() == 2
    assert isinstance(np.max(ag.constant(np.zeros(0, bool)), initial=True), ag.Tensor)
    np.testing.assert_array_equal(np.max(empty, 0, initial=3.0).data, [3, 3])
    assert np.min(empty, initial=3.0, keepdims=True).shape == (1, 1)


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd"])
def test_a_spread_about_a_given_mean(name: str, rng: np.random.Generator) -> None:
    x = rng.normal(size=B)
    for middle in (x.mean(1, keepdims=True), np.array(0.25)):
        wanted = getattr(np, name)(x, axis=1, mean=middle, ddof=1)
        f = lambda x, m: getattr(np, name)(x, axis=1, mean=m, ddof=1)
        np.testing.assert_allclose(f(ag.tensor(x), middle).data, wanted, rtol=1e-14)
        assert ag.gradcheck(f, x, middle).ok
    still = ag.grad(lambda x: np.std(x, where=[True, False, False], ddof=0).sum())(np.ones(B))
    np.testing.assert_array_equal(still, np.zeros(B))


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std"])
def test_the_dtype_may_stand_in_numpys_place(name: str) -> None:
    x = np.float32([1, 2, 4])
    for found in (getattr(np, name)(ag.tensor(x), 0, np.float64), getattr(ag, name)(x, 0, float)):
        wanted = getattr(np, name)(x, 0, np.float64)
        assert found.dtype == wanted.dtype == np.float64
        np.testing.assert_allclose(getattr(found, "data", found), wanted, rtol=1e-15)


# what is written by an index


JOINS: list[Any] = [
    lambda n, x, y: n.r_[x, 0, y, 1:4, 0:1:3j],
    lambda n, x, y: n.r_[x],
    lambda n, x, y: n.c_[x, y],
    lambda n, x, y: n.c_[x[None], 7.0, y[None, :1]],
    lambda n, x, y: n.r_["0,2", x, y],
    lambda n, x, y: n.r_["-1,2,0", x, y],
    lambda n, x, y: n.r_["0,3,1", x, y],
    lambda n, x, y: n.r_["1", x[None], y[None]],
]


@pytest.mark.parametrize("f", JOINS)
def test_joined_by_an_index(f: Any, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=3), rng.normal(size=3)
    np.testing.assert_array_equal(
        f(ag.numpy, ag.tensor(x), ag.tensor(y)).data, f(np, x, y), strict=True
    )
    assert ag.gradcheck(lambda x, y: f(ag.numpy, x, y) ** 2, x, y).ok


def test_joining_keeps_the_dtype_and_refuses_matrices() -> None:
    assert ag.numpy.r_[ag.tensor(np.float32([1, 2])), 2.0].dtype == np.float32
    with pytest.raises(ag.errors.UnsupportedError, match="no matrices"):
        ag.numpy.r_["r", ag.tensor([1.0])]
    with pytest.raises(ag.errors.DomainError, match="nothing to join"):
        ag.numpy.r_[()]


def test_grids_by_an_index() -> None:
    grid = ag.numpy.mgrid[0:3, -1:1:3j]
    np.testing.assert_array_equal(grid.data, np.mgrid[0:3, -1:1:3j], strict=True)
    for found, wanted in zip(ag.numpy.ogrid[0:3, 2:6], np.ogrid[0:3, 2:6], strict=True):
        np.testing.assert_array_equal(found.data, wanted, strict=True)


def test_real_if_close() -> None:
    z = np.array([1 + 1e-17j, 2 - 1e-16j])
    for x in (z, z + 1j, np.float64(2), np.complex64(z)):
        found = np.real_if_close(ag.tensor(x))
        np.testing.assert_array_equal(found.data, np.real_if_close(x), strict=True)
    assert np.real_if_close(ag.tensor(z + 1j), tol=1e20).dtype == np.float64
    np.testing.assert_array_equal(ag.grad(lambda z: np.real_if_close(z).sum())(z), [1, 1])


def test_an_array_of_at_least_so_many_axes() -> None:
    t = ag.tensor([1.0, 2.0])
    assert ag.numpy.array([t, t], ndmin=3).shape == (1, 2, 2)
    assert ag.numpy.array(t, ndmin=1) is t
    assert ag.numpy.array(2, float, ndmin=2).data.tolist() == [[2.0]]
