"""`import autograd_lite`: NumPy and nothing else, no warning, every public name within reach."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite as ag


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that a statement loads in a fresh interpreter."""
    program = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        f"{statement}\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def test_import_loads_numpy_and_no_other_package() -> None:
    foreign = (
        loaded_by("import autograd_lite") - loaded_by("import numpy") - sys.stdlib_module_names
    )
    assert foreign == {"autograd_lite"}


@pytest.mark.parametrize("heavy", ["asyncio", "http", "multiprocessing", "unittest", "xml"])
def test_import_loads_no_heavy_part_of_the_standard_library(heavy: str) -> None:
    assert heavy not in loaded_by("import autograd_lite") - loaded_by("import numpy")


def test_every_public_name_is_there() -> None:
    missing = [name for name in ag.__all__ if not hasattr(ag, name)]
    assert not missing
    assert set(ag.__all__) <= set(dir(ag))


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        ag.no_such_name  # noqa: B018  # the access itself is the test
