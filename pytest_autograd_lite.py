"""The pytest plug-in: a fixture that asserts that a hand-written gradient is right.

    def test_my_affine(gradients_match):
        gradients_match(Affine(W, b), x)

Knows: the fixture's name.
Does not know: anything of the engine. pytest loads this module in every run of everybody who has
autograd_lite installed, so it stands outside the package, imports nothing but pytest, and loads the
engine when a test asks for it.
Imports: pytest.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

__all__ = ["gradients_match"]


@pytest.fixture(scope="session")
def gradients_match() -> Callable[..., Any]:
    """Assert that a hand-written gradient is right; the failure's text is the diagnosis.

    This is `autograd_lite.testing.assert_gradients_match`.
    """
    return import_module("autograd_lite.testing").assert_gradients_match  # type: ignore[no-any-return]  # it is that function
