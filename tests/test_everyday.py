"""NumPy's everyday functions on tensors: NumPy's values and dtypes, and the numeric gradients.

Each line of CASES is a call on NumPy's namespace. It runs on arrays and on tensors; results must
agree in value, shape and dtype for every layout, and what carries a gradient is held against
finite differences in both modes and to second order.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import autograd_lite.numpy as anp
from autograd_lite.errors import UnsupportedError
from autograd_lite.numeric import numeric_jvp, numeric_vjp

A, B = (4,), (3, 4)
COLUMN = np.array([[2], [0], [1]])


def with_lost(x: Any) -> Any:
    """Some elements as NaN."""
    return np.where(np.arange(12).reshape(B) % 5 == 1, np.nan, x)


# name: (function of arrays, shapes)
CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "clip": (lambda x: np.clip(x, -0.5, 0.75), (B,)),
    "clip low": (lambda x: np.clip(x, 0.1, None), (B,)),
    "clip arrays": (lambda x, a, b: np.clip(x, a - 2, b + 2), (B, A, A)),
    "clip names": (lambda x: np.clip(x, a_min=-0.5, a_max=0.5), (A,)),
    "cumsum": (np.cumsum, (B,)),
    "cumsum axis": (lambda x: np.cumsum(x, axis=-1), (B,)),
    "cumprod": (np.cumprod, (B,)),
    "cumprod axis": (lambda x: np.cumprod(x, axis=0), (B,)),
    "cumulative_sum": (lambda x: np.cumulative_sum(x, axis=1, include_initial=True), (B,)),
    "cumulative_prod": (lambda x: np.cumulative_prod(x, axis=-1, include_initial=True), (B,)),
    "sort": (np.sort, (B,)),
    "sort axis": (lambda x: np.sort(x, axis=0), (B,)),
    "sort flat": (lambda x: np.sort(x, axis=None), (B,)),
    "partition ends": (lambda x: np.partition(x, 2, axis=1)[:, 2], (B,)),
    "take": (lambda x: np.take(x, [0, 2, 2, -1]), (B,)),
    "take axis": (lambda x: np.take(x, [[0, 1], [1, 1]], axis=1), (B,)),
    "take named": (lambda x: np.take(x, indices=[5, -7], axis=0, mode="wrap"), (B,)),
    "take clip": (lambda x: np.take(x, [7, -7], axis=0, mode="clip"), (B,)),
    "take one": (lambda x: np.take(x, 1, axis=0), (B,)),
    "take_along_axis": (lambda x: np.take_along_axis(x, COLUMN[:, [0, 0]], axis=1), (B,)),
    "pad": (lambda x: np.pad(x, 1), (B,)),
    "pad pairs": (lambda x: np.pad(x, ((1, 2), (0, 3))), (B,)),
    "pad value": (lambda x: np.pad(x, (1, 2), constant_values=3), (A,)),
    "pad edge": (lambda x: np.pad(x, 2, mode="edge"), (B,)),
    "pad reflect": (lambda x: np.pad(x, ((1, 2), (3, 1)), mode="reflect"), (B,)),
    "pad symmetric": (lambda x: np.pad(x, 5, mode="symmetric"), (B,)),
    "pad ramp": (lambda x: np.pad(x, ((1, 2), (0, 3)), "linear_ramp", end_values=(2, -1)), (B,)),
    "pad mean": (lambda x: np.pad(x, ((1, 2), (0, 3)), mode="mean"), (B,)),
    "pad mean of some": (lambda x: np.pad(x, 2, mode="mean", stat_length=((2, 1), (9, 3))), (B,)),
    "pad maximum": (lambda x: np.pad(x, (2, 1), mode="maximum", stat_length=2), (B,)),
    "pad minimum": (lambda x: np.pad(x, (0, 1), mode="minimum"), (A,)),
    "pad median": (lambda x: np.pad(x, 1, mode="median"), (B,)),
    "pad wrap": (lambda x: np.pad(x, (3, 6), mode="wrap"), (A,)),
    "split": (lambda x: np.split(x, 2, axis=1), (B,)),
    "split at": (lambda x: np.split(x, [1, 3], axis=1), (B,)),
    "split crossing": (lambda x: np.split(x, [3, 1]), (A,)),
    "array_split": (lambda x: np.array_split(x, 3, axis=1), (B,)),
    "hsplit": (lambda x: np.hsplit(x, 2), (B,)),
    "vsplit": (lambda x: np.vsplit(x, [1]), (B,)),
    "dsplit": (lambda x: np.dsplit(x, 2), ((1, 2, 4),)),
    "unstack": (lambda x: np.unstack(x, axis=1), (B,)),
    "hstack": (lambda x, z: np.hstack([x, z]), (B, (3, 1))),
    "hstack 1": (lambda x, z: np.hstack([x, z]), (A, ())),
    "vstack": (lambda x, z: np.vstack([x, z]), (B, A)),
    "dstack": (lambda x, z: np.dstack([x, z]), (B, B)),
    "column_stack": (lambda x, z: np.column_stack([x, z]), ((3,), (3, 2))),
    "block": (lambda x, z: np.block([[x, x], [z, z]]), (B, (1, 4))),
    "append": (np.append, (B, A)),
    "append axis": (lambda x, z: np.append(x, z, axis=0), (B, (1, 4))),
    "delete": (lambda x: np.delete(x, [0, 2], axis=1), (B,)),
    "insert": (lambda x, z: np.insert(x, 1, z, axis=1), (B, (3,))),
    "insert many": (lambda x, z: np.insert(x, [0, 2, 2], z), (A, (3,))),
    "insert number": (lambda x: np.insert(x, 2, 7.5, axis=0), (B,)),
    "resize": (lambda x: np.resize(x, (2, 5)), (A,)),
    "atleast_3d": (np.atleast_3d, (A,)),
    "atleast_1d": (np.atleast_1d, ((), A)),
    "atleast_2d": (np.atleast_2d, (A,)),
    "moveaxis": (lambda x: np.moveaxis(x, [0, 2], [1, 0]), ((2, 3, 4),)),
    "rollaxis": (lambda x: np.rollaxis(x, 2), ((2, 3, 4),)),
    "roll": (lambda x: np.roll(x, 5), (B,)),
    "roll axes": (lambda x: np.roll(x, (1, -2), axis=(0, 1)), (B,)),
    "rot90": (np.rot90, (B,)),
    "rot90 k": (lambda x: np.rot90(x, -1, axes=(1, 0)), (B,)),
    "flipud": (np.flipud, (B,)),
    "fliplr": (np.fliplr, (B,)),
    "tile": (lambda x: np.tile(x, 2), (B,)),
    "tile more": (lambda x: np.tile(x, (2, 1, 3)), (B,)),
    "repeat": (lambda x: np.repeat(x, 2), (B,)),
    "repeat axis": (lambda x: np.repeat(x, 3, axis=0), (B,)),
    "repeat each": (lambda x: np.repeat(x, [0, 2, 1, 1], axis=1), (B,)),
    "tril": (np.tril, (B,)),
    "triu": (lambda x: np.triu(x, k=1), ((2, 3, 4),)),
    "triu row": (np.triu, (A,)),
    "meshgrid": (np.meshgrid, (A, (3,))),
    "meshgrid ij": (lambda x, z: np.meshgrid(x, z, indexing="ij"), (A, (3,))),
    "broadcast_arrays": (np.broadcast_arrays, (B, A)),
    "vander": (lambda x: np.vander(x, 3), (A,)),
    "polyval": (np.polyval, (A, B)),
    "select": (lambda x: np.select([x < 0, x < 1], [x * x, 2 * x], 3.0), (B,)),
    "choose": (lambda x, z: np.choose(np.array([0, 1, 1, 0]), [x, z]), (B, A)),
    "bincount": (lambda w: np.bincount(np.array([0, 3, 3, 1]), w, minlength=6), (A,)),
    "copy": (np.copy, (B,)),
    "logspace": (lambda x: np.logspace(x, 1.0, 3, base=2.0), (A,)),
    "diagonal": (lambda x: x.diagonal(), (B,)),
    "trace": (lambda x: x.trace(), (B,)),
    "methods": (lambda x: x.clip(-1, 1).cumsum(axis=1).take([0, 2], axis=1).flatten(), (B,)),
    "compress": (lambda x: np.compress([True, False, True], x, axis=0), (B,)),
    "extract": (lambda x: np.extract(x > -9, x), (B,)),
    "diff": (np.diff, (B,)),
    "diff twice": (lambda x: np.diff(x, n=2, axis=0), (B,)),
    "diff ends": (lambda x, z: np.diff(x, prepend=0.0, append=z), (B, (3, 1))),
    "ediff1d": (lambda x: np.ediff1d(x, to_end=1.0, to_begin=[1.0, 2.0]), (B,)),
    "gradient": (np.gradient, (B,)),
    "gradient 1": (lambda x: np.gradient(x, 0.5), (A,)),
    "gradient axis": (lambda x: np.gradient(x, 2.0, axis=1, edge_order=2), (B,)),
    "gradient places": (lambda x: np.gradient(x, np.array([0.0, 1.0, 3.0, 3.5]), axis=1), (B,)),
    "gradient places 2": (
        lambda x: np.gradient(x, np.array([0.0, 1.0, 3.0, 3.5]), axis=1, edge_order=2),
        (B,),
    ),
    "trapezoid": (lambda x: np.trapezoid(x, dx=0.5), (B,)),
    "trapezoid x": (lambda x, z: np.trapezoid(x, z, axis=0), (B, (3,))),
    "interp": (lambda x, f: np.interp(x, np.array([-1.0, 0.0, 0.5, 2.0]), f), (B, A)),
    "interp ends": (
        lambda x: np.interp(3 * x, [-1.0, 0.5, 1.0], [1.0, 3.0, -1.0], left=7.0, right=8.0),
        (B,),
    ),
    "interp period": (lambda x: np.interp(x, [0.5, 2.0], [1.0, 3.0], period=2.5), (B,)),
    "unwrap": (lambda x: np.unwrap(9 * x), (A,)),
    "convolve": (np.convolve, ((5,), (3,))),
    "convolve same": (lambda x, z: np.convolve(x, z, "same"), ((4,), (5,))),
    "convolve valid": (lambda x, z: np.convolve(x, z, "valid"), ((2,), (5,))),
    "correlate": (np.correlate, ((5,), (3,))),
    "correlate short": (np.correlate, ((3,), (5,))),
    "correlate same": (lambda x, z: np.correlate(x, z, "same"), ((3,), (4,))),
    "correlate same long": (lambda x, z: np.correlate(x, z, "same"), ((5,), (4,))),
    "correlate full": (lambda x, z: np.correlate(x, z, mode="full"), ((3,), (4,))),
    "ptp": (lambda x: np.ptp(x, axis=1, keepdims=True), (B,)),
    "average": (np.average, (B,)),
    "average weights": (lambda x, w: np.average(x, axis=1, weights=2 + w), (B, A)),
    "average returned": (
        lambda x: np.average(
            x, axis=(1, 0), weights=np.arange(1.0, 13).reshape(4, 3), returned=True
        )[0],
        (B,),
    ),
    "cov": (np.cov, (B,)),
    "cov columns": (lambda x, y: np.cov(x, y, rowvar=False, ddof=0), (B, B)),
    "cov weights": (lambda x: np.cov(x, fweights=[1, 2, 1, 3], aweights=[1.0, 2, 1, 1]), (B,)),
    "cov 1": (np.cov, (A,)),
    "corrcoef": (lambda x: np.corrcoef(x)[0], (B,)),
    "median": (lambda x: np.median(x + 9 * np.arange(12.0)[::-1].reshape(B)), (B,)),
    "median axis": (lambda x: np.median(x, axis=0), (B,)),
    "median even": (lambda x: np.median(x, axis=(-1,), keepdims=True), (B,)),
    "quantile": (lambda x: np.quantile(x, 0.3, axis=1), (B,)),
    "quantiles": (lambda x: np.quantile(x, [[0.0, 0.7], [0.33, 1.0]], axis=0), (B,)),
    "percentile": (lambda x: np.percentile(x, 35), (B,)),
    "percentiles": (lambda x: np.percentile(x, [10, 90], axis=1, keepdims=True), (B,)),
    "nanmedian": (lambda x: np.nanmedian(with_lost(x), axis=1, keepdims=True), (B,)),
    "nanquantile": (lambda x: np.nanquantile(with_lost(x), [0.2, 0.7], axis=0), (B,)),
    "nanpercentile": (lambda x: np.nanpercentile(with_lost(x), 35), (B,)),
    "level": (lambda x, q: np.quantile(x, 0.5 + q / 10, axis=1), (B, (2,))),
    "levels": (lambda x, q: np.percentile(x, 40 + 3 * q, method="hazen"), (B, (2, 3))),
    "nan level": (lambda x, q: np.nanquantile(with_lost(x), 0.5 + q / 10, axis=0), (B, (1,))),
    "histogram": (lambda w: np.histogram(np.arange(12.0).reshape(B), 5, weights=w)[0], (B,)),
    "density": (
        lambda w: np.histogram(np.arange(4.0), [0, 0.5, 2], density=True, weights=w + 4)[0], (A,),
    ),
    "einsum ij,jk": (lambda x, z: np.einsum("ij,jk->ik", x, z), (B, (4, 2))),
    "einsum implicit": (lambda x, z: np.einsum("ij,jk", x, z), (B, (4, 2))),
    "einsum sum": (lambda x: np.einsum("ij->", x), (B,)),
    "einsum turn": (lambda x: np.einsum("ji", x), (B,)),
    "einsum trace": (lambda x: np.einsum("ii", x), ((3, 3),)),
    "einsum diagonal": (lambda x: np.einsum("iji->ij", x), ((3, 2, 3),)),
    "einsum batch": (lambda x, z: np.einsum("bij,bjk->bik", x, z), ((2, 3, 4), (2, 4, 2))),
    "einsum dots": (lambda x, z: np.einsum("...ij,...j->...i", x, z), ((2, 3, 4), (4,))),
    "einsum dots 2": (lambda x, z: np.einsum("...i,...i", x, z), ((2, 3, 4), (3, 4))),
    "einsum three": (
        lambda x, y, z: np.einsum("ij,jk,kl->il", x, y, z),
        (B, (4, 2), (2, 5)),
    ),
    "einsum hadamard": (lambda x, z: np.einsum("ij,ij->ij", x, z), (B, B)),
    "einsum one side": (lambda x, z: np.einsum("ij,k->k", x, z), (B, A)),
    "einsum size 1": (lambda x, z: np.einsum("ij,ij->ij", x, z), (B, (1, 4))),
    "einsum lists": (lambda x, z: np.einsum(x, [0, 1], z, [1, 2], [2, 0]), (B, (4, 2))),
    "einsum lists implicit": (lambda x, z: np.einsum(x, [0, 1], z, [1, 2]), (B, (4, 2))),
    "einsum lists dots": (lambda x: np.einsum(x, [..., 0], [0, ...]), (B,)),
    "inner": (np.inner, (B, (2, 4))),
    "vdot": (np.vdot, (B, (4, 3))),
    "kron": (np.kron, (B, A)),
    "logaddexp": (np.logaddexp, (B, A)),
    "logaddexp2": (np.logaddexp2, (B, A)),
    "hypot": (np.hypot, (B, A)),
    "arctan2": (np.arctan2, (B, A)),
    "sinc": (np.sinc, (B,)),
    "i0": (np.i0, (B,)),
    "mod": (lambda x: np.mod(9 * x, 2.0), (B,)),
    "divmod": (lambda x: np.divmod(9 * x, 2.0)[1], (B,)),
    "modf": (lambda x: np.modf(0.1 * x + 2.5)[0], (B,)),
    "frexp": (lambda x: np.frexp(9 * x)[0], (B,)),
    "ldexp": (lambda x: np.ldexp(x, [1, 2, -1, 0]), (B,)),
    "nan_to_num": (lambda x: np.nan_to_num(x / 2), (B,)),
    "float_power": (lambda x: np.float_power(x * x + 1, 2.5), (B,)),
    "linspace": (lambda x, z: np.linspace(x, z, 4), (A, A)),
    "linspace open": (lambda x: np.linspace(x, 1.0, 3, endpoint=False, axis=-1), (A,)),
    "full_like": (lambda x: np.full_like(x, x[0, 0]), (B,)),
}  # fmt: skip


def flat(result: Any) -> Any:
    """All numbers of a result in one array, so that one referee judges tuples too."""
    if isinstance(result, (tuple, list)):
        return np.concatenate([np.ravel(part) for part in result])
    return result


def arrays_of(name: str, dtype: Any = np.float64) -> list[Any]:
    seed = sum(name.encode())
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.normal(size=shape).astype(dtype))[()] for shape in CASES[name][1]]


def assert_same(found: Any, wanted: Any, tolerance: float) -> None:
    if isinstance(wanted, (tuple, list)):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other, tolerance)
        return
    assert isinstance(found, ag.Tensor)
    assert found.tracked
    assert found.shape == np.shape(wanted)
    assert found.dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(found.data, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_and_dtypes_are_numpys(name: str, dtype: Any) -> None:
    f = CASES[name][0]
    arrays = arrays_of(name, dtype)
    tolerance = 1e-12 if dtype is np.float64 else 2e-5
    assert_same(f(*[ag.tensor(x) for x in arrays]), f(*arrays), tolerance)


@pytest.mark.parametrize("name", CASES)
def test_the_layout_is_of_no_matter(name: str) -> None:
    f = CASES[name][0]
    arrays = arrays_of(name)
    turned = [np.asarray(np.asarray(x)[..., ::-1].copy() if np.ndim(x) else x) for x in arrays]
    views = [x[..., ::-1] if x.ndim else x for x in turned]
    assert_same(f(*[ag.tensor(x) for x in views]), f(*arrays), 1e-12)
    assert_same(f(*[ag.tensor(np.asfortranarray(x)) for x in arrays]), f(*arrays), 1e-12)


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_the_numeric_ones(name: str) -> None:
    def f(*xs: Any) -> Any:
        return flat(CASES[name][0](*xs))

    arrays = arrays_of(name)
    rng = np.random.default_rng(3)
    g = np.asarray(rng.normal(size=np.shape(f(*arrays))))
    ts = [np.asarray(rng.normal(size=np.shape(x)))[()] for x in arrays]
    _, pullback = ag.vjp(f, *arrays)
    for found, referee in zip(pullback(g), numeric_vjp(f, arrays, g), strict=True):
        np.testing.assert_allclose(found, referee.value, rtol=1e-6, atol=1e-7)
    _, dot = ag.jvp(f, arrays, ts)
    wanted, _ = numeric_jvp(f, arrays, ts)
    np.testing.assert_allclose(dot, wanted, rtol=1e-6, atol=1e-7)

    def loss(*xs: Any) -> Any:
        y = f(*xs)
        return (y * y * g).sum()

    every = tuple(range(len(arrays)))
    found = ag.hvp(loss, arrays, ts)
    slopes, _ = numeric_jvp(lambda *xs: tuple(ag.grad(loss, every)(*xs)), arrays, ts)
    for one, right in zip(found, slopes, strict=True):
        np.testing.assert_allclose(one, right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_traced_call_replays_on_other_values(name: str) -> None:
    """Positions are recorded too: nothing of the example is baked in."""
    if name == "extract":
        return  # its shape depends on values
    f = CASES[name][0]
    arrays, others = arrays_of(name), [x + 0.37 * np.cos(9 * x) for x in arrays_of(name)]
    graph = ag.trace(lambda *xs: tuple(f(*xs)) if isinstance(f(*xs), list) else f(*xs), *arrays)
    values = graph.replay(dict(zip(graph.inputs, others, strict=False)))
    if len(graph.inputs) < len(arrays):
        return
    wanted = f(*others)
    wanted = wanted if isinstance(wanted, (tuple, list)) else (wanted,)
    for node, right in zip(graph.outputs, wanted, strict=True):
        np.testing.assert_allclose(values[node], right, rtol=1e-11, atol=1e-11)


METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
    "hazen", "weibull", "linear", "median_unbiased", "normal_unbiased", "lower", "higher",
    "midpoint", "nearest",
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_every_method_of_quantile(method: str, n: int) -> None:
    x = np.random.default_rng(n).normal(size=n)
    for q in (0, 0.1, 0.25, 0.5, 0.77, 1.0, [0.2, 0.9]):
        found = np.quantile(ag.tensor(x), q, method=method)
        np.testing.assert_allclose(found.data, np.quantile(x, q, method=method), rtol=1e-13)
        gradient = ag.grad(lambda t, q=q: np.quantile(t, q, method=method).sum())(x)
        np.testing.assert_allclose(gradient.sum(), np.size(q), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", [np.quantile, np.nanquantile])
def test_the_level_has_a_derivative(f: Any, method: str, rng: np.random.Generator) -> None:
    """What the rank moves by, 0 where the method steps or holds the rank at an end."""
    x = rng.normal(size=7)
    for q in (0.03, 0.11, 0.4, 0.61, 0.97):
        found = ag.grad(lambda q: f(x, q, method=method))(q)
        wanted = (f(x, q + 1e-6, method=method) - f(x, q - 1e-6, method=method)) / 2e-6
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(f(x, ag.tensor(q), method=method).data, f(x, q, method=method))


def test_the_level_at_an_element() -> None:
    """The slope to the right; at the last element that to the left; of one element none."""
    slopes = ag.jacobian(lambda q: ag.quantile(np.array([0.0, 1.0, 5.0]), q))
    np.testing.assert_array_equal(slopes(np.array([0.0, 0.5, 1.0])), np.diag([2.0, 8.0, 8.0]))
    assert ag.grad(lambda q: ag.quantile(np.array([3.0]), q))(0.5) == 0


def test_levels_of_a_trace_are_inputs() -> None:
    x = np.array([3.0, 1.0, 7.0, 2.0])
    graph = ag.trace(lambda q: np.quantile(x, q), 0.1)
    (leaf,) = graph.inputs
    assert graph.replay({leaf: np.float64(0.8)})[graph.outputs[0]] == np.quantile(x, 0.8)


# what lacks numbers, and what has none


LOST = np.array([[1.0, np.nan, 3.0, -2.0], [0.5, 2.5, np.nan, np.nan], [4.0, 1.0, 2.0, 8.0]])
WITHOUT_NAN = ["nansum", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nanprod", "nanmedian"]


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), -1])
@pytest.mark.parametrize("name", WITHOUT_NAN)
def test_without_nan(name: str, axis: Any) -> None:
    f = getattr(np, name)
    for keepdims in (False, True):
        found = f(ag.tensor(LOST), axis=axis, keepdims=keepdims)
        wanted = f(LOST, axis=axis, keepdims=keepdims)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(found.data, wanted, rtol=1e-13)
    gradient = ag.grad(lambda t: f(t, axis=axis).sum())(LOST)
    assert np.all(gradient[np.isnan(LOST)] == 0)
    rows = [(x := LOST[i])[~np.isnan(x)] for i in range(3)]
    by_row = ag.grad(lambda t: f(t, axis=1).sum())(LOST)
    for i, row in enumerate(rows):
        plain = ag.grad(getattr(np, name[3:]))(row)
        np.testing.assert_allclose(by_row[i][~np.isnan(LOST[i])], plain, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ["nancumsum", "nancumprod"])
def test_running_without_nan(name: str) -> None:
    f = getattr(np, name)
    np.testing.assert_allclose(f(ag.tensor(LOST), axis=1).data, f(LOST, axis=1))
    assert np.all(np.isfinite(ag.grad(lambda t: f(t, axis=1).sum())(LOST)))


@pytest.mark.parametrize("zeros", [[], [2], [0, 3], [1, 2, 4], [4], list(range(5))])
def test_cumprod_is_exact_at_zeros(zeros: list[int]) -> None:
    x = np.array([2.0, -3.0, 0.5, 4.0, 1.5])
    x[zeros] = 0
    g = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0])
    wanted = [sum(g[k] * np.prod(np.delete(x[: k + 1], j)) for k in range(j, 5)) for j in range(5)]
    _, pullback = ag.vjp(np.cumprod, x)
    np.testing.assert_allclose(pullback(g)[0], wanted, rtol=1e-14)


@pytest.mark.parametrize("n", [65, 1000, 4097])
def test_long_running_products_agree_with_the_product(n: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.uniform(0.5, 1.5, n)
    x[n // 2] = 0
    found = ag.grad(lambda t: np.cumprod(t)[-1])(x)
    np.testing.assert_allclose(found, ag.grad(np.prod)(x), rtol=1e-10)
    z = rng.uniform(0.5, 1.5, (n, 2)) * np.where(np.arange(n) % 7, 1, -1)[:, None]
    g = rng.normal(size=(n, 2))
    _, pullback = ag.vjp(lambda t: np.cumprod(t, axis=0), z)
    y = np.cumprod(z, axis=0)
    wanted = np.flip(np.cumsum(np.flip(g * y, 0), axis=0), 0) / z
    scale = np.flip(np.cumsum(np.flip(np.abs(g * y), 0), axis=0), 0) / np.abs(z)
    assert np.all(np.abs(pullback(g)[0] - wanted) <= 1e-12 * scale)


# the limits that are promised


def test_logsumexp_and_softmax_at_the_ends() -> None:
    big = np.array([[1e4, 1e4, -1e4], [-1e4, -1e4, -1e4], [-np.inf, 0.0, 0.0]])
    with warnings.catch_warnings(action="error"):
        value, slope = ag.value_and_grad(lambda t: ag.logsumexp(t, axis=1).sum())(big)
        np.testing.assert_allclose(value, (1e4 + np.log(2)) + (-1e4 + np.log(3)) + np.log(2))
        wanted = [[0.5, 0.5, 0], [1 / 3] * 3, [0, 0.5, 0.5]]
        np.testing.assert_allclose(slope, wanted)
        np.testing.assert_allclose(ag.softmax(ag.tensor(big)).data, wanted)
        _, pullback = ag.vjp(ag.softmax, big)
        np.testing.assert_allclose(pullback(np.eye(3))[0][2], [0, -0.25, 0.25])
        assert ag.log_softmax(ag.tensor(big)).data[0, 2] == pytest.approx(-2e4 - np.log(2))
        none = np.full(3, -np.inf)
        assert ag.logsumexp(ag.tensor(none)).item() == -np.inf
        np.testing.assert_array_equal(ag.grad(ag.logsumexp)(none), 0)
        assert ag.logsumexp(ag.tensor(np.zeros(0))).item() == -np.inf
        a, b = ag.grad(np.logaddexp, (0, 1))(-np.inf, -np.inf)
        assert (a, b) == (0, 0)
        assert ag.grad(np.logaddexp, (0, 1))(1e4, -np.inf) == (1, 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, np.bool_])
@pytest.mark.parametrize("f", [ag.sigmoid, ag.softplus, ag.log_sigmoid])
def test_sigmoids_of_integers_are_those_of_their_floats(f: Any, dtype: Any) -> None:
    """An unsigned integer has no negative."""
    x = np.array([0, 1, 100]).astype(dtype)
    np.testing.assert_array_equal(f(x), f(x.astype(float)))


def test_softplus_log_sigmoid_and_their_kin_at_the_ends() -> None:
    x = np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0])
    with warnings.catch_warnings(action="error"):
        sigmoid = np.array([0.0, 4.248354255291589e-18, 0.5, 1.0, 1.0])
        np.testing.assert_allclose(ag.grad(lambda t: ag.softplus(t).sum())(x), sigmoid)
        np.testing.assert_allclose(ag.grad(lambda t: ag.log_sigmoid(t).sum())(x), sigmoid[::-1])
        np.testing.assert_array_equal(ag.softplus(x)[[0, -1]], [0.0, 1000.0])
        (second,) = ag.hvp(lambda t: ag.softplus(t).sum(), [x], [np.ones(5)])
        np.testing.assert_allclose(
            second, [0, 4.248354255291589e-18, 0.25, 4.248354255291589e-18, 0]
        )
        np.testing.assert_allclose(ag.silu(x), [0, -40 * sigmoid[1], 0, 40, 1000])
        np.testing.assert_allclose(ag.elu(x), [-1, -1, 0, 40, 1000])
        np.testing.assert_allclose(ag.gelu(x), [0, 0, 0, 40, 1000], atol=1e-300)
        assert ag.grad(ag.elu)(0.0) == 1
        assert ag.grad(ag.leaky_relu)(0.0) == 0.01


def test_sinc_near_zero_to_the_fourth_derivative() -> None:
    mpmath = pytest.importorskip("mpmath")
    f: Any = np.sinc
    for order in range(1, 5):
        f = ag.grad(f)
        for x in (0.0, 1e-9, 1e-3, 0.3, 0.7, 1.4, 5.3):
            with mpmath.workdps(60):
                right = mpmath.diff(mpmath.sincpi, mpmath.mpf(x), order)
            np.testing.assert_allclose(f(x), float(right), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "x", "wanted"),
    [
        (lambda t: np.clip(t, 0, 1), 0.0, 0.0),
        (lambda t: np.clip(t, 0, 1), 1.0, 0.0),
        (lambda t: np.clip(t, 0, 1), 0.5, 1.0),
        (lambda t: np.hypot(t, 0.0), 0.0, 0.0),
        (lambda t: np.copysign(t, -1.0), 0.0, 0.0),
        (lambda t: np.heaviside(t, 0.5), 0.0, 0.0),
        (lambda t: np.fmax(t, np.nan), 2.0, 1.0),
        (np.nan_to_num, np.nan, 0.0),
    ],
)
def test_kinks(f: Any, x: float, wanted: float) -> None:
    assert ag.grad(f)(x) == wanted


@pytest.mark.parametrize("f", [np.sort, np.median, np.ptp, lambda t: np.quantile(t, 0.5)])
def test_the_gradients_of_equal_elements_sum_up(f: Any) -> None:
    x = np.array([2.0, 1.0, 2.0, 1.0, 2.0])
    slope = ag.grad(lambda t: f(t).sum())(x)
    assert slope.sum() == pytest.approx({np.sort: 5.0, np.ptp: 0.0}.get(f, 1.0))
    _, pullback = ag.vjp(np.sort, x)
    np.testing.assert_array_equal(pullback(np.arange(5.0))[0], [2, 0, 3, 1, 4])


def test_descending_order_is_stable_too() -> None:
    x = ag.constant([1, 3, 1, 3])
    np.testing.assert_array_equal(ag.argsort(x, descending=True).data, [1, 3, 0, 2])
    np.testing.assert_array_equal(ag.sort(x, descending=True).data, [3, 3, 1, 1])


# constants by rule


@pytest.mark.parametrize(
    "f",
    [
        np.argsort, np.argmin, np.argmax, np.all, np.any, np.count_nonzero, np.isposinf, np.signbit,
        np.trunc, np.flatnonzero, np.argwhere, np.unique, np.unique_values, np.nanargmax,
        lambda t: np.nonzero(t)[0], lambda t: np.searchsorted(np.array([0.0, 1.0]), t),
        lambda t: np.digitize(t, [0.0, 1.0]), lambda t: np.isclose(t, t),
        lambda t: np.isin(t, [1.0]),
        lambda t: np.unique_all(t).counts, lambda t: np.unique_counts(t).values,
        lambda t: np.unique_inverse(t).inverse_indices, lambda t: np.array_equal(t, t),
        lambda t: np.union1d(t, t), lambda t: np.argpartition(t, 1), np.zeros_like, np.ones_like,
        lambda t: np.unique(t, return_counts=True)[1], lambda t: np.bitwise_and(t > 0, t < 1),
    ],
)  # fmt: skip
def test_constants_by_rule(f: Any) -> None:
    x = np.array([1.0, 0.5, -2.0, 0.75, 0.0])
    found = f(ag.tensor(x))
    assert isinstance(found, ag.Tensor)
    assert not found.tracked
    np.testing.assert_array_equal(found.data, f(x), strict=True)


def test_integers_and_bits() -> None:
    a, b = np.array([6, 12, 255]), np.array([4, 10, 7])
    s, t = ag.constant(a), ag.constant(b)
    for f in (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.gcd, np.lcm, np.left_shift):
        np.testing.assert_array_equal(f(s, t).data, f(a, b), strict=True)
    for ours, plain in [(s & t, a & b), (s | 1, a | 1), (1 ^ s, 1 ^ a), (~s, ~a), (s << 2, a << 2),
                        (s >> 1, a >> 1), (s % 5, a % 5), (s // 5, a // 5)]:  # fmt: skip
        np.testing.assert_array_equal(ours.data, plain, strict=True)
    with pytest.raises(TypeError, match="bitwise_and"):
        ag.tensor([1.0]) & 1


# bad input


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda t: np.cumsum(t, axis=2), np.exceptions.AxisError),
        (lambda t: np.sort(t, axis=-3), np.exceptions.AxisError),
        (lambda t: np.take(t, 9, axis=0), IndexError),
        (lambda t: np.take(t, [0.5]), IndexError),
        (lambda t: np.split(t, 2, axis=0), ValueError),
        (lambda t: np.pad(t, -1), ValueError),
        (lambda t: np.pad(t, 1, mode="empty"), TypeError),
        (lambda t: np.pad(t, 1, mode=lambda *args: None), TypeError),
        (lambda t: np.pad(t, 1, mode="mean", stat_length=0), ValueError),
        (lambda t: np.histogram(t, weights=t[0]), ValueError),
        (lambda t: np.einsum("ij,jk->ik", t, t), ValueError),
        (lambda t: np.einsum("ij->ik", t), ValueError),
        (lambda t: np.einsum("i->i", t), ValueError),
        (lambda t: np.quantile(t, 1.5), ValueError),
        (lambda t: np.median(t[:, :0]), ValueError),
        (lambda t: np.moveaxis(t, [0, 1], [0]), ValueError),
        (lambda t: np.hstack([]), ValueError),
        (lambda t: np.cumsum(t, axis=0, out=np.zeros((3, 4))), TypeError),
        (lambda t: np.sort(t, order="name"), TypeError),
        (lambda t: np.convolve(t, t), ValueError),
        (lambda t: np.interp(t, t, t), ValueError),
        (lambda t: np.gradient(t, 1.0, 2.0, 3.0), ValueError),
        (lambda t: np.average(t, weights=[1.0, 2.0]), TypeError),
        (lambda t: np.diff(t, n=-1), ValueError),
        (lambda t: t.fill(0), TypeError),
        (lambda t: np.repeat(t, -1), ValueError),
        (lambda t: np.inner(t, np.ones(3)), ValueError),
    ],
)
def test_bad_input(call: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        call(ag.tensor(np.ones((3, 4))))


# speed: the way back is linear in size


@pytest.mark.parametrize("f", [np.cumsum, np.sort, lambda t: np.take(t, np.arange(t.size) // 2)])
def test_the_way_back_allocates_little(f: Any) -> None:
    """No dense one-hot detour: gradients of 200,000 elements need a few arrays of that size."""
    import tracemalloc

    x = np.random.default_rng(0).normal(size=200_000)
    y, pullback = ag.vjp(f, x)
    tracemalloc.start()
    pullback(np.ones(y.shape))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * x.nbytes


def test_einsum_contracts_in_a_good_order() -> None:
    """(a·bᵀ)·c of vectors and a matrix: the bad order makes a matrix of 10⁶ products first."""
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=(3, 300))
    m = rng.normal(size=(300, 300))
    t = np.einsum("i,jk,j,k->i", ag.tensor(x), m, y, z)
    np.testing.assert_allclose(t.data, x * (y @ m @ z), rtol=1e-10)
    assert max(node.size for node in ag.Graph.of(t) if node.op.name == "einsum") <= 300


# PyTorch, where it has the function


def _torch_cases() -> dict[str, tuple[Any, Any]]:
    return {
        "cumsum": (lambda t: np.cumsum(t, axis=1), lambda m, t: m.cumsum(t, 1)),
        "cumprod": (lambda t: np.cumprod(t, axis=1), lambda m, t: m.cumprod(t, 1)),
        "sort": (lambda t: np.sort(t, axis=0), lambda m, t: m.sort(t, 0)[0]),
        "logsumexp": (lambda t: ag.logsumexp(t, axis=1), lambda m, t: m.logsumexp(t, 1)),
        "softmax": (ag.softmax, lambda m, t: m.softmax(t, 1)),
        "log_softmax": (ag.log_softmax, lambda m, t: m.log_softmax(t, 1)),
        "gelu": (ag.gelu, lambda m, t: m.nn.functional.gelu(t)),
        "gelu tanh": (
            lambda t: ag.gelu(t, approximate="tanh"),
            lambda m, t: m.nn.functional.gelu(t, approximate="tanh"),
        ),
        "silu": (ag.silu, lambda m, t: m.nn.functional.silu(t)),
        "elu": (lambda t: ag.elu(t, 0.7), lambda m, t: m.nn.functional.elu(t, 0.7)),
        "leaky": (lambda t: ag.leaky_relu(t, 0.2), lambda m, t: m.nn.functional.leaky_relu(t, 0.2)),
        "softplus": (ag.softplus, lambda m, t: m.nn.functional.softplus(t)),
        "quantile": (
            lambda t: np.quantile(t, 0.3, axis=1),
            lambda m, t: m.quantile(t, 0.3, dim=1),
        ),
        "einsum": (
            lambda t: np.einsum("ij,kj,ik->k", t, t, t @ t.T),
            lambda m, t: m.einsum("ij,kj,ik->k", t, t, t @ t.T),
        ),
        "erfinv": (lambda t: ag.erfinv(np.tanh(t)), lambda m, t: m.erfinv(m.tanh(t))),
        "gammaln": (lambda t: ag.gammaln(t * t), lambda m, t: m.lgamma(t * t)),
        "digamma": (lambda t: ag.digamma(t * t), lambda m, t: m.digamma(t * t)),
        "trapezoid": (lambda t: np.trapezoid(t, axis=0), lambda m, t: m.trapezoid(t, dim=0)),
        "diff": (lambda t: np.diff(t, n=2), lambda m, t: m.diff(t, n=2)),
        "cov": (np.cov, lambda m, t: m.cov(t)),
        "corrcoef": (np.corrcoef, lambda m, t: m.corrcoef(t)),
        "sinc": (np.sinc, lambda m, t: m.sinc(t)),
        "i0": (np.i0, lambda m, t: m.i0(t)),
        "atan2": (lambda t: np.arctan2(t, t[::-1]), lambda m, t: m.atan2(t, t.flip(0))),
    }


@pytest.mark.parametrize("name", _torch_cases())
def test_pytorch_agrees(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = _torch_cases()[name]
    x = np.random.default_rng(5).normal(size=(3, 5))
    leaf = torch.tensor(x, requires_grad=True)
    y = theirs(torch, leaf)
    g = np.random.default_rng(6).normal(size=tuple(y.shape))
    y.backward(torch.tensor(g))
    value, pullback = ag.vjp(ours, x)
    np.testing.assert_allclose(value, y.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(pullback(g)[0], leaf.grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["allclose", "array_equal", "array_equiv"])
def test_a_comparison_of_arrays_can_be_asserted(name: str) -> None:
    """In the midst of a function that is differentiated, as ``assert np.allclose(…)``."""
    f = getattr(np, name)

    def checked(x: Any) -> Any:
        assert f(x, x * 1.0)
        assert not f(x, x + 1.0)
        return np.sum(x)

    np.testing.assert_array_equal(ag.grad(checked)(np.array([1.0, 2.0])), [1, 1])
    assert f(ag.tensor([1.0]), [1.0]).dtype == np.bool_


def test_numpys_names_of_first_arguments() -> None:
    t = ag.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.sum(a=t).item() == anp.sum(a=t).item() == 10
    np.testing.assert_array_equal(anp.clip(a=t, a_min=2, a_max=3).data, [[2, 2], [3, 3]])
    np.testing.assert_array_equal(anp.dot(a=t, b=t).data, t.data @ t.data)
    for call in (lambda: anp.sum(b=t), lambda: anp.sum(t, a=t)):
        with pytest.raises(UnsupportedError, match="sum of a tensor does not take"):
            call()
