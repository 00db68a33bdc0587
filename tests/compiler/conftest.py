"""What the tests of the back ends share: machine code is kept in a folder of the tests' own."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRAD_LITE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
