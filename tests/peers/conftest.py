"""What the tests against JAX share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def jax() -> Iterator[Any]:
    """JAX in float64 for the length of a test."""
    reason = "a peer of the extra 'peers', which is not needed otherwise"
    module = pytest.importorskip("jax", reason=reason)
    pytest.importorskip("jax.scipy.special")
    with module.enable_x64(True):
        yield module
