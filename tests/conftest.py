"""What every test shares: generators seeded by the test's name, and calm Hypothesis settings."""

from __future__ import annotations

import os
import zlib

import numpy as np
import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]  # the plug-in is tested by test suites of its own

# The same examples on every machine and no deadline: a slow machine is no failure.
settings.register_profile("check", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator that depends on the test alone, not on which tests ran before it."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))
