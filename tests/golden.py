"""Pictures kept byte for byte, by the built-in layout and by the pinned release of pygraphviz.

    python -m tests.golden      draw them anew, and tell what changed

Positions are those of one release of Graphviz; by another release only the built-in ones are held.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import autograd_lite as ag
from docs.picture_changes import changes
from tests.picture_cases import CASES

__all__ = ["NAMES", "PINNED", "drawn", "installed", "path_of"]

PINNED = "2.0.4"  # the release of pygraphviz that drew them
NAMES = [
    (case, engine)
    for engine in ("builtin", "pygraphviz")
    for case in ("affine", "diamonds", "folded", "nested", "parallel", "sigmoid")
]


def installed() -> str:
    """The release of pygraphviz that is there, or nothing."""
    try:
        return importlib.metadata.version("pygraphviz")
    except importlib.metadata.PackageNotFoundError:
        return ""


def path_of(case: str, engine: str) -> Path:
    """Where a golden picture lies."""
    return Path(__file__).parent / "golden" / f"{case}.{engine}.svg"


def drawn(case: str, engine: str) -> str:
    """The picture as it is drawn now."""
    y, options = CASES[case]()
    return ag.draw(y, layout=engine, **options).svg


def rewrite() -> Iterator[str]:
    """Write every golden picture that can be drawn here; lines that tell what changed."""
    for case, engine in NAMES:
        if engine == "pygraphviz" and installed() != PINNED:
            yield f"{case}.{engine}: left alone, pygraphviz {PINNED} is not installed"
            continue
        path = path_of(case, engine)
        old = path.read_text(encoding="utf-8") if path.exists() else None
        new = drawn(case, engine)
        path.parent.mkdir(exist_ok=True)
        path.write_text(new, encoding="utf-8")
        yield from changes(f"tests/golden/{path.name}", old, new)


if __name__ == "__main__":
    for line in rewrite():
        print(line)
