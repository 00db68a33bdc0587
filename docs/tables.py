"""The generated pages by name."""

from __future__ import annotations

from collections.abc import Callable

from docs import deviations, diagnoses, kinks, numpy_names, operators

__all__ = ["PAGES"]

PAGES: dict[str, Callable[[], str]] = {
    **operators.pages(),
    "kinks": kinks.page,
    "deviations": deviations.page,
    "diagnoses": diagnoses.page,
    "numpy": numpy_names.page,
}
