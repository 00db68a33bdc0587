"""Every cell of docs/deviations.md: ours against the truth, the others' against the others."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from docs.deviations import DEVIATIONS, Deviation

REASON = "a peer that is not needed otherwise"
CASES = [case for cases in DEVIATIONS.values() for case in cases]


def label(case: Any) -> str:
    return f"{case.expression} at {dict(case.at)}" if isinstance(case, Deviation) else str(case)


def truth(case: Deviation) -> list[float]:
    mp = pytest.importorskip("mpmath", reason="the truth in fifty digits")
    with mp.workdps(50):
        names = {name: mp.mpf(v) if np.ndim(v) == 0 else [*map(mp.mpf, v)]
                 for name, v in case.at.items()}  # fmt: skip
        found = eval(case.truth, vars(mp) | names)
        return [float(d) for d in (found if isinstance(found, tuple) else (found,))]


def is_subgradient(case: Deviation, sign: int) -> None:
    """f(x + h) ≥ f(x) + ⟨g, h⟩ for every h; the other way round where f is concave."""
    rng = np.random.default_rng(0)
    xs = [np.asarray(v) for v in case.at.values()]
    g = np.asarray(case.ours())

    def f(points: list[Any]) -> Any:
        return eval(case.expression, {"np": np} | dict(zip(case.at, points, strict=True)))

    for scale in (1e-6, 1e-2, 1.0, 10.0):
        for _ in range(200):
            hs = [scale * rng.normal(size=x.shape) for x in xs]
            step = np.concatenate([np.ravel(h) for h in hs])
            rise = f([x + h for x, h in zip(xs, hs, strict=True)]) - f(xs)
            assert sign * (rise - g @ step) >= -1e-14 * (1 + scale)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_ours_is_true(case: Deviation) -> None:
    if case.truth in ("convex", "concave"):
        is_subgradient(case, 1 if case.truth == "convex" else -1)
    elif case.truth:
        np.testing.assert_allclose(case.ours(), truth(case), rtol=1e-14)


def by_hand(text: str, names: dict[str, Any]) -> Any:
    return eval(text, {"np": np} | names)


def pytorch(text: str, names: dict[str, Any]) -> Any:
    torch = pytest.importorskip("torch", reason=REASON)
    leaves = {k: torch.tensor(v, requires_grad=True) for k, v in names.items()}
    y = eval(text, {"torch": torch} | leaves)
    return [d.numpy() for d in torch.autograd.grad(y, [*leaves.values()])]


def jax_(text: str, names: dict[str, Any]) -> Any:
    jax = pytest.importorskip("jax", reason=REASON)
    pytest.importorskip("jax.scipy.special")

    def f(*xs: Any) -> Any:
        return eval(text, {"jax": jax} | dict(zip(names, xs, strict=True)))

    with jax.enable_x64(True):
        xs = [jax.numpy.asarray(v) for v in names.values()]
        return [*map(np.asarray, jax.grad(f, tuple(range(len(xs))))(*xs))]


def hips(text: str, names: dict[str, Any]) -> Any:
    autograd = pytest.importorskip("autograd", reason=REASON)
    anp = pytest.importorskip("autograd.numpy", reason=REASON)

    def f(*xs: Any) -> Any:
        return eval(text, {"anp": anp} | dict(zip(names, xs, strict=True)))

    return [autograd.grad(f, i)(*names.values()) for i in range(len(names))]


RUN = {"by hand": by_hand, "PyTorch": pytorch, "JAX": jax_, "HIPS autograd": hips}


@pytest.mark.parametrize(
    ("case", "peer"), [(case, peer) for case in CASES for peer in case.peers], ids=label
)
def test_theirs_is_what_the_page_says(case: Deviation, peer: str) -> None:
    text, said = case.peers[peer]
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        found = RUN[peer](text, {name: np.asarray(v) for name, v in case.at.items()})
    flat = np.concatenate([np.ravel(d) for d in found]) if isinstance(found, list) else found
    np.testing.assert_allclose(np.ravel(flat), said, rtol=1e-6)
    assert not np.allclose(said, case.ours(), rtol=1e-13, atol=0), f"{peer} does not differ"


@pytest.mark.parametrize("x", [0.7, 2.5, 3.9])
def test_the_slope_of_digamma(x: float) -> None:
    """At generic points even: PyTorch's has nine to ten digits, ours all."""
    mp = pytest.importorskip("mpmath", reason="the truth in fifty digits")
    torch = pytest.importorskip("torch", reason=REASON)
    pytest.importorskip("scipy", reason="the extra 'special'")
    with mp.workdps(50):
        wanted = float(mp.psi(1, mp.mpf(x)))
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (theirs,) = torch.autograd.grad(torch.digamma(leaf), leaf)
    np.testing.assert_allclose(ag.grad(ag.digamma)(x), wanted, rtol=1e-15)
    assert 1e-11 < abs(theirs.item() / wanted - 1) < 1e-8
