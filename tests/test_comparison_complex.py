"""Hand-written layers of complex numbers: both conventions, and what is wrong in either."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_lite.comparison import compare

rng = np.random.default_rng(0)
Z = rng.standard_normal((2, 3)) + 1j * rng.standard_normal((2, 3))
X = rng.standard_normal((2, 4))


class Layer:
    def __init__(self, forward: Any, backward: Any) -> None:
        self._forward, self._backward = forward, backward

    def forward(self, z: Any) -> Any:
        self.z = z
        return self._forward(z)

    def backward(self, dout: Any) -> Any:
        return self._backward(dout, self.z)


def power(z: Any) -> Any:
    return np.sum(np.abs(z) ** 2)


def cube(z: Any) -> Any:
    return z**3


RIGHT = {
    "real function": (Layer(power, lambda g, z: g * 2 * z.conj()), Z),
    "holomorphic": (Layer(cube, lambda g, z: g * 3 * z**2), Z),
    "not holomorphic": (Layer(np.conj, lambda g, z: np.conj(g)), Z),
    "real input": (Layer(np.fft.fft, lambda g, z: np.fft.fft(g).real), X),
    "real output": (Layer(np.real, lambda g, z: g.astype(complex)), Z),
}
CONJUGATE = {
    "real function": (Layer(power, lambda g, z: g * 2 * z), Z),
    "holomorphic": (Layer(cube, lambda g, z: g * np.conj(3 * z**2)), Z),
}
WRONG = {
    "factor": (Layer(power, lambda g, z: g * z.conj()), Z),
    "real part alone": (Layer(power, lambda g, z: 2 * g * z.real), Z),
    "conjugate of one term": (Layer(cube, lambda g, z: g * 3 * z * z.conj()), Z),
    "real input": (Layer(np.fft.fft, lambda g, z: np.fft.ifft(g).real), X),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right(name: str) -> None:
    report = compare(*RIGHT[name])
    assert report.ok, report


@pytest.mark.parametrize("name", CONJUGATE)
def test_a_conjugate_is_called_one(name: str) -> None:
    report = compare(*CONJUGATE[name])
    assert not report.ok
    [finding] = [f for f in report.findings if f.cause]
    assert (finding.cause, finding.subject) == ("conjugate", "dRe z, dIm z")
    assert "the convention of PyTorch" in finding.text


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str) -> None:
    report = compare(*WRONG[name])
    assert not report.ok
    assert "conjugate" not in {f.cause for f in report.findings}


def test_rows_are_the_parts() -> None:
    report = compare(*RIGHT["holomorphic"])
    assert [row.name for row in report.rows] == ["forward[0]", "forward[1]", "dRe z", "dIm z"]
    dz = report.rows[2].hand - 1j * report.rows[3].hand
    g = report.cotangents[0] - 1j * report.cotangents[1]
    np.testing.assert_allclose(dz, g * 3 * Z**2, rtol=1e-14)


def test_a_cotangent_that_is_given() -> None:
    g = np.array([[1 + 2j, 0, 1j], [2, -1j, 3 - 1j]])
    report = compare(*RIGHT["holomorphic"], cotangent=g)
    dz = report.rows[2].automatic - 1j * report.rows[3].automatic
    np.testing.assert_allclose(dz, g * 3 * Z**2, rtol=1e-14)


def test_complex64_is_compared_in_complex128_too() -> None:
    layer, z = RIGHT["holomorphic"]
    report = compare(layer, z.astype(np.complex64))
    assert report.ok, report
    assert any("right in float64 too" in f.text for f in report.findings)
