"""The generated pages by name."""

from __future__ import annotations

from collections.abc import Callable

from docs import kinks, numpy_names, operators

__all__ = ["PAGES"]

PAGES: dict[str, Callable[[], str]] = {
    "operators": operators.page,
    "kinks": kinks.page,
    "numpy": numpy_names.page,
}
