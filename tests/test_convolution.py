"""Convolution, pooling and windows: against PyTorch, plain loops, and the numeric referee."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.errors import DomainError, DTypeError, ShapeError
from autograd_lite.numeric import numeric_jvp, numeric_vjp

CASES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 7), (4, 3, 3), {}),
    ((2, 3, 7), (4, 3, 3), {"stride": 2, "padding": 1}),
    ((2, 4, 9), (6, 2, 3), {"dilation": 3, "groups": 2, "padding": 2}),
    ((2, 3, 5, 6), (4, 3, 3, 2), {"padding": (1, 0), "stride": (2, 1)}),
    ((3, 4, 6, 6), (4, 1, 3, 3), {"groups": 4, "padding": 1}),
    ((1, 2, 5, 5), (3, 2, 5, 5), {}),
    ((2, 2, 5, 5), (3, 2, 1, 1), {"stride": 2}),
    ((2, 2, 4, 5, 3), (3, 2, 2, 3, 2), {"padding": 1, "stride": (1, 2, 1)}),
    ((40, 8, 16, 16), (8, 8, 3, 3), {"padding": 1}),  # more than one block of windows
]


def torch() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is not installed: no peer to compare with")


def near(found: Any, wanted: Any, rtol: float = 1e-10) -> None:
    wanted = np.asarray(wanted)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max(initial=0) <= rtol * (1e-30 + np.abs(wanted).max(initial=1))


def against(ours: Any, theirs: Any, arrays: list[Any], rng: Any) -> None:
    """Value and all gradients equal PyTorch's."""
    peer = torch()
    xs = [ag.tensor(a) for a in arrays]
    ts = [peer.tensor(a, requires_grad=True) for a in arrays]
    y, z = ours(*xs), theirs(*ts)
    near(y.data, z.detach().numpy())
    g = rng.normal(size=y.shape)
    y.backward(g)
    z.backward(peer.tensor(g))
    for x, t in zip(xs, ts, strict=True):
        near(x.grad, t.grad.numpy())


def second_order(f: Any, arrays: list[Any], rng: Any, eps: float = 1e-7) -> None:
    """Hessian times vector, both ways, against differences of the gradient."""
    every = tuple(range(len(arrays)))
    vs = [rng.normal(size=a.shape) for a in arrays]
    loss = lambda *xs: ag.sum(f(*xs) ** 3)
    found = ag.hvp(loss, arrays, vs)
    wanted, _ = numeric_jvp(lambda *xs: tuple(ag.grad(loss, every)(*xs)), arrays, vs)
    along = lambda *xs: sum(
        ag.sum(g * v) for g, v in zip(ag.grad(loss, every)(*xs), vs, strict=True)
    )
    again = ag.grad(along, every)(*arrays)
    for one, other, right in zip(found, again, wanted, strict=True):
        near(one, right, eps)
        near(other, right, eps)


@pytest.mark.parametrize(("x", "w", "params"), CASES, ids=str)
def test_convolution_is_pytorchs(x: Any, w: Any, params: Any, rng: Any) -> None:
    functional = torch().nn.functional
    peer = [functional.conv1d, functional.conv2d, functional.conv3d][len(x) - 3]
    against(
        lambda a, b: ag.convolution(a, b, **params),
        lambda a, b: peer(a, b, **params),
        [rng.normal(size=x), rng.normal(size=w)],
        rng,
    )


@pytest.mark.parametrize(
    ("x", "w", "params"),
    [
        ((2, 3, 5), (3, 2, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
        ((2, 4, 4, 3), (4, 3, 2, 3), {"stride": (2, 1), "groups": 2}),
        ((1, 2, 3, 3), (2, 3, 3, 3), {"padding": 2, "dilation": 2}),
        ((1, 2, 3, 2, 3), (2, 2, 2, 2, 2), {"stride": 2}),
    ],
    ids=str,
)
def test_transposed_convolution_is_pytorchs(x: Any, w: Any, params: Any, rng: Any) -> None:
    functional = torch().nn.functional
    peer = [
        functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d,
    ][len(x) - 3]  # fmt: skip
    against(
        lambda a, b: ag.convolution_transpose(a, b, **params),
        lambda a, b: peer(a, b, **params),
        [rng.normal(size=x), rng.normal(size=w)],
        rng,
    )


@pytest.mark.parametrize(("x", "w", "params"), CASES[:4], ids=str)
def test_second_derivatives_of_a_convolution(x: Any, w: Any, params: Any, rng: Any) -> None:
    arrays = [rng.normal(size=x), rng.normal(size=w)]
    second_order(lambda a, b: ag.convolution(a, b, **params), arrays, rng)


def test_a_convolution_by_loops(rng: Any) -> None:
    """The definition, written out."""
    x, w = rng.normal(size=(2, 4, 7)), rng.normal(size=(6, 2, 3))
    y = np.zeros((2, 6, 4))
    wide = np.pad(x, ((0, 0), (0, 0), (2, 1)))
    for n, o, i in itertools.product(range(2), range(6), range(4)):
        first = 2 * (o // 3)
        for c, k in itertools.product(range(2), range(3)):
            y[n, o, i] += wide[n, first + c, 2 * i + k] * w[o, c, k]
    near(ag.convolution(x, w, stride=2, padding=[(2, 1)], groups=2), y, 1e-14)


def test_padding_in_words(rng: Any) -> None:
    x, w = rng.normal(size=(1, 1, 6, 7)), rng.normal(size=(1, 1, 3, 2))
    assert ag.convolution(x, w, padding="same").shape == (1, 1, 6, 7)
    assert ag.convolution(x, w, padding="same", stride=2).shape == (1, 1, 3, 4)
    assert ag.convolution(x, w, padding="valid").shape == (1, 1, 4, 6)
    near(
        ag.convolution(x, w, padding="same"),
        ag.convolution(np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 1))), w),
        1e-14,
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_convolution_keeps_the_dtype(dtype: Any, rng: Any) -> None:
    x, w = ag.tensor(rng.normal(size=(2, 3, 5)), dtype=dtype), ag.tensor(np.ones((2, 3, 2), dtype))
    y = ag.convolution(x, w)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == w.grad.dtype == dtype


def test_integers_convolve_to_integers() -> None:
    y = ag.convolution([[[1, 2, 3]]], [[[1, 1]]])
    np.testing.assert_array_equal(y, [[[3, 5]]])
    assert y.dtype == np.int64
    np.testing.assert_array_equal(ag.max_pool([[[1, 2, 3, 9]]], 3, padding=1), [[[2, 9]]])


@pytest.mark.parametrize("samples", [0, 1, 3])
def test_any_number_of_samples(samples: int, rng: Any) -> None:
    x, w = ag.tensor(np.ones((samples, 2, 4))), ag.tensor(rng.normal(size=(3, 2, 2)))
    ag.convolution(x, w).sum().backward()
    near(w.grad, np.full((3, 2, 2), 3.0 * samples))


def test_errors_of_a_convolution_say_what_and_how_to_mend_it() -> None:
    x, w = ag.tensor(np.ones((2, 3, 5))), np.ones((4, 3, 2))
    with pytest.raises(ShapeError, match=r"3 channels of x, w of shape .* 2 groups do not fit"):
        ag.convolution(x, w, groups=2)
    with pytest.raises(ShapeError, match="no window of shape"):
        ag.convolution(x, np.ones((4, 3, 6)))
    with pytest.raises(ShapeError, match="mend:"):
        ag.convolution(np.ones((3, 5)), w)
    with pytest.raises(DomainError, match="stride=0"):
        ag.convolution(x, w, stride=0)
    with pytest.raises(DTypeError, match=r"stride is 1\.5"):
        ag.convolution(x, w, stride=1.5)
    with pytest.raises(DomainError, match="'same', 'valid'"):
        ag.convolution(x, w, padding="full")
    with pytest.raises(DomainError, match="smaller than the stride"):
        ag.convolution_transpose(np.ones((2, 4, 5)), w, output_padding=1)
    with pytest.raises(DomainError, match="at most half a window"):
        ag.max_pool(x, 2, padding=2)


# pooling


POOLS: list[tuple[tuple[int, ...], Any, dict[str, Any]]] = [
    ((2, 3, 8), 2, {}),
    ((2, 3, 7, 6), (3, 2), {"stride": 2, "padding": (1, 1)}),
    ((1, 2, 6, 6), 3, {"stride": 1}),
    ((1, 2, 4, 5, 4), 2, {"stride": (1, 2, 2)}),
]


@pytest.mark.parametrize(("x", "kernel", "params"), POOLS, ids=str)
def test_max_pooling_is_pytorchs(x: Any, kernel: Any, params: Any, rng: Any) -> None:
    functional = torch().nn.functional
    peer = [functional.max_pool1d, functional.max_pool2d, functional.max_pool3d][len(x) - 3]
    ours = lambda a: ag.max_pool(a, kernel, **params)
    theirs = lambda a: peer(a, kernel, **params)
    against(ours, theirs, [rng.normal(size=x)], rng)
    against(ours, theirs, [rng.integers(0, 2, x).astype(float)], rng)  # ties everywhere
    apart = rng.permutation(np.prod(x)).reshape(x) / np.prod(x)  # so that no step makes a tie
    second_order(ours, [apart], rng)


def test_dilated_max_pooling_is_pytorchs(rng: Any) -> None:
    params: dict[str, Any] = {"stride": 1, "dilation": 2, "padding": 1}
    against(
        lambda a: ag.max_pool(a, 3, **params),
        lambda a: torch().nn.functional.max_pool2d(a, 3, **params),
        [rng.normal(size=(2, 2, 7, 7))],
        rng,
    )


@pytest.mark.parametrize("count", [True, False])
@pytest.mark.parametrize(("x", "kernel", "params"), POOLS, ids=str)
def test_average_pooling_is_pytorchs(
    x: Any, kernel: Any, params: Any, count: bool, rng: Any
) -> None:
    functional = torch().nn.functional
    peer = [functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d][len(x) - 3]
    against(
        lambda a: ag.average_pool(a, kernel, count_padding=count, **params),
        lambda a: peer(a, kernel, count_include_pad=count, **params),
        [rng.normal(size=x)],
        rng,
    )


def test_the_first_maximum_takes_all() -> None:
    x = ag.tensor([[[2.0, 2.0, 1.0, -np.inf, -np.inf, 0.0]]])
    y = ag.max_pool(x, 3)
    y.backward(np.array([[[1.0, 10.0]]]))
    np.testing.assert_array_equal(x.grad, [[[1, 0, 0, 0, 0, 10.0]]])
    lowest = ag.tensor(np.full((1, 1, 4), -np.inf))
    ag.max_pool(lowest, 3, padding=1).sum().backward()
    np.testing.assert_array_equal(lowest.grad, [[[1, 0, 1, 0]]])


def test_a_nan_makes_its_window_nan() -> None:
    x = ag.tensor([[[1.0, np.nan, 3.0, 4.0]]])
    y = ag.max_pool(x, 2)
    np.testing.assert_array_equal(y.data, [[[np.nan, 4.0]]])
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(x.grad, [[[np.nan, np.nan, 0, 1]]])
    _, dot = ag.jvp(lambda t: ag.max_pool(t, 2), [x.data], [np.ones(x.shape)])
    np.testing.assert_array_equal(dot, [[[np.nan, 1.0]]])


# windows


def test_columns_are_pytorchs(rng: Any) -> None:
    functional = torch().nn.functional
    params: dict[str, Any] = {"stride": (1, 2), "padding": (1, 0), "dilation": (1, 2)}
    x = rng.normal(size=(2, 3, 5, 6))
    against(
        lambda a: ag.im2col(a, (2, 3), **params),
        lambda a: functional.unfold(a, (2, 3), **params),
        [x],
        rng,
    )
    against(
        lambda a: ag.col2im(a, (5, 6), (2, 3), **params),
        lambda a: functional.fold(a, (5, 6), (2, 3), **params),
        [ag.im2col(x, (2, 3), **params)],
        rng,
    )


@pytest.mark.parametrize(("window", "axis"), [(2, None), ((2, 3), None), ((3, 2), (1, 0)), (2, -1)])
def test_sliding_windows_are_numpys(window: Any, axis: Any, rng: Any) -> None:
    x = rng.normal(size=(5,) if window == 2 and axis is None else (4, 5))
    slide = np.lib.stride_tricks.sliding_window_view
    t = ag.tensor(x)
    y = slide(t, window, axis)
    np.testing.assert_array_equal(y.data, slide(x, window, axis))
    g = rng.normal(size=y.shape)
    y.backward(g)
    (wanted,) = numeric_vjp(lambda a: slide(a, window, axis), [x], g)
    near(t.grad, wanted.value, 1e-8)
    with pytest.raises(ShapeError, match="no larger than its axis"):
        slide(t, 9, 0)
