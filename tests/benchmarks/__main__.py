"""`make bench`: the report of every benchmark in this folder, or of those named.

    python -m tests.benchmarks [NAME …]

A benchmark is a module with a function `report() -> str`; it compares with its peers on the same
machine in the same run, and gives ratios.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

names = sys.argv[1:] or sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")
)
for name in names:
    module = importlib.import_module(f"tests.benchmarks.{name}")
    if hasattr(module, "report"):
        print(f"{name}\n{module.report()}\n", flush=True)
