"""Fourier transforms: NumPy's values, and derivatives by numbers; all paddings and norms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import autograd_lite.numpy as agnp
from tests.realified import check

NORMS = [None, "backward", "ortho", "forward"]
ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
SEVERAL = ["fftn", "ifftn", "rfftn", "irfftn"]
TWO = ["fft2", "ifft2", "rfft2", "irfft2"]
REAL = {"rfft", "ihfft", "rfftn", "rfft2"}


def signal(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Any:
    x = rng.normal(size=shape)
    return x if name in REAL else x + 1j * rng.normal(size=shape)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 1, 3, 4, 6])
@pytest.mark.parametrize("name", ONE)
def test_over_one_axis(name: str, n: int | None, norm: Any, rng: np.random.Generator) -> None:
    for axis, shape in ((-1, (2, 4)), (0, (5, 2))):
        x = signal(rng, name, shape)
        keywords: dict[str, Any] = {"n": n, "axis": axis, "norm": norm}
        wanted = getattr(np.fft, name)(x, **keywords)
        np.testing.assert_allclose(getattr(ag.fft, name)(x, **keywords), wanted, atol=1e-14)
        check(lambda x, k=keywords: getattr(np.fft, name)(x, **k), x)


@pytest.mark.parametrize("s", [None, (3, 4), (2, 5), (-1, 4)])
@pytest.mark.parametrize("name", SEVERAL)
def test_over_several_axes(name: str, s: Any, rng: np.random.Generator) -> None:
    for axes in ((0, 2), (-1, 0)):
        x = signal(rng, name, (3, 2, 4))
        keywords: dict[str, Any] = {"s": s, "axes": axes, "norm": "ortho"}
        wanted = getattr(np.fft, name)(x, **keywords)
        np.testing.assert_allclose(getattr(ag.fft, name)(x, **keywords), wanted, atol=1e-14)
        check(lambda x, k=keywords: getattr(np.fft, name)(x, **k), x, second=s is None)


@pytest.mark.parametrize("name", TWO + SEVERAL)
def test_over_the_usual_axes(name: str, rng: np.random.Generator) -> None:
    x = signal(rng, name, (2, 3, 4))
    np.testing.assert_allclose(
        getattr(ag.fft, name)(x), getattr(np.fft, name)(x), rtol=1e-13, atol=1e-14
    )
    check(getattr(np.fft, name), x, second=False)


def test_a_real_signal_through_the_complex_transform(rng: np.random.Generator) -> None:
    check(np.fft.fft, rng.normal(size=5))
    check(np.fft.ifftn, rng.normal(size=(2, 3)))


def test_the_power_spectrum_keeps_float32(rng: np.random.Generator) -> None:
    x = rng.normal(size=8).astype(np.float32)
    value, g = ag.value_and_grad(lambda x: ag.sum(ag.abs(np.fft.rfft(x)) ** 2))(x)
    assert value.dtype == g.dtype == np.float32
    exact = ag.grad(lambda x: ag.sum(ag.abs(np.fft.rfft(x)) ** 2))(x.astype(float))
    np.testing.assert_allclose(g, exact, rtol=1e-5)


@pytest.mark.parametrize("axes", [None, 0, (0, 1), (-1,)])
def test_shifts(axes: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 5))
    for f in (np.fft.fftshift, np.fft.ifftshift):
        np.testing.assert_array_equal(f(ag.tensor(x), axes=axes).data, f(x, axes=axes))
        check(lambda x, f=f: f(x, axes=axes), x)


def test_frequencies_are_constants() -> None:
    for n in (1, 4, 5):
        np.testing.assert_array_equal(ag.fft.fftfreq(n, 0.1).data, np.fft.fftfreq(n, 0.1))
        np.testing.assert_array_equal(ag.fft.rfftfreq(n, d=0.1).data, np.fft.rfftfreq(n, 0.1))
    assert ag.fft.fftfreq(4, dtype=np.float32).dtype == np.float32


def test_the_namespace_is_numpys() -> None:
    assert agnp.fft is ag.fft
    assert set(ag.fft.__all__) >= set(np.fft.__all__)


def test_the_same_against_peers(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is of the extra `peers`")
    x = rng.normal(size=(3, 6))
    weights = rng.normal(size=(3, 4))
    t = torch.tensor(x, requires_grad=True)
    (torch.fft.rfft(t).abs() * torch.tensor(weights)).sum().backward()
    found = ag.grad(lambda x: ag.sum(ag.abs(np.fft.rfft(x)) * weights))(x)
    np.testing.assert_allclose(found, t.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_bad_input_is_told() -> None:
    t = ag.tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="of 0 elements"):
        np.fft.fft(t, n=0)
    with pytest.raises(ValueError, match="of 0 elements"):
        np.fft.irfft(ag.tensor([1.0]))
    with pytest.raises(np.exceptions.AxisError, match="axis 2"):
        np.fft.fft(t, axis=2)
    with pytest.raises(ValueError, match="norm"):
        np.fft.fft(t, norm="best")
    with pytest.raises(TypeError):
        np.fft.rfft(ag.tensor([1j, 2.0]))
    with pytest.raises(ValueError, match="2 sizes for 1 axes"):
        np.fft.fftn(t, s=(2, 2), axes=(0,))
    with pytest.raises(TypeError, match="out="):
        np.fft.fft(t, out=np.zeros(2, complex))
