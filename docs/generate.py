"""Writes what is generated in README, CONTRIBUTING and docs/, or checks that it is up to date.

    python -m docs.generate                   write every page and picture anew
    python -m docs.generate --pictures        write the pictures only
    python -m docs.generate --check [PAGE …]  exit 1, with a diff, where something is out of date

Hand-written pages hold code and its real output (pages.py); the tables are made whole (tables.py).
The pictures in docs/images are those that the pages' own code draws.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from docs import tables
from docs.pages import alike, refreshed
from docs.picture_changes import LABEL, changes

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
WRITTEN += [
    DOCS / "gallery.md",
    DOCS / "pictures.md",
    DOCS / "tour.md",
    DOCS / "view.md",
    DOCS / "notebook.md",
    DOCS / "layers.md",
    DOCS / "complex.md",
    DOCS / "compare.md",
    DOCS / "compile.md",
    DOCS / "derive.md",
]
TABLES = {DOCS / f"{name}.md": make for name, make in tables.PAGES.items()}
PAGES = [*TABLES, *WRITTEN]  # tables first: code of a written page may declare operators

ENGINE = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)


def made(page: Path, folder: Path) -> str:
    """The page as it should be; what its code draws lands in ``folder / "images"``."""
    (folder / "images").mkdir(exist_ok=True)
    if page in TABLES:
        with contextlib.chdir(folder):
            return TABLES[page]()
    return refreshed(page.name, page.read_text(encoding="utf-8"), folder)


def pictures_in(folder: Path) -> list[Path]:
    """Where the pictures that were drawn in a folder belong, from ``docs`` on."""
    return sorted(path.relative_to(folder) for path in Path(folder, "images").rglob("*.svg"))


def stale_picture(new: Path, old: Path) -> bool:
    """Whether a drawn picture differs from the one in docs/images.

    Layout engines place things differently, and processors round differently: a picture by another
    engine, or with other last digits in it, is judged by its text.
    """
    if not old.exists():
        return True
    pictures = [path.read_text(encoding="utf-8") for path in (old, new)]
    if pictures[0] == pictures[1]:
        return False
    engines = [ENGINE.findall(picture) for picture in pictures]
    labels = ["\n".join(sorted(LABEL.findall(picture))) for picture in pictures]
    same_bytes_expected = engines[0] == engines[1] and labels[0] == labels[1]
    return same_bytes_expected or not alike(*labels)


def check(page: Path) -> list[str]:
    """What is out of date about a page: a diff, names of pictures."""
    with tempfile.TemporaryDirectory() as folder:
        new = made(page, Path(folder))
        complaints = [
            f"docs/{path} is stale"
            for path in pictures_in(Path(folder))
            if stale_picture(Path(folder, path), DOCS / path)
        ]
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    return complaints + list(
        difflib.unified_diff(old.splitlines(), new.splitlines(), page.name, "now", lineterm="")
    )


def write(page: Path, *, text: bool) -> bool:
    """Write a page (where ``text``) and its pictures; tells what changed in them.

    Returns whether the text changed: its outputs may name lines of it that moved by that.
    """
    with tempfile.TemporaryDirectory() as folder:
        new = made(page, Path(folder))
        for picture in pictures_in(Path(folder)):
            kept, drawn = DOCS / picture, Path(folder, picture)
            kept.parent.mkdir(parents=True, exist_ok=True)
            old = kept.read_text(encoding="utf-8") if kept.exists() else None
            for line in changes(f"docs/{picture}", old, drawn.read_text(encoding="utf-8")):
                print(line)
            shutil.copyfile(drawn, kept)
        if not text or (page.exists() and page.read_text(encoding="utf-8") == new):
            return False
        page.parent.mkdir(exist_ok=True)
        page.write_text(new, encoding="utf-8")
        return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status says whether all is up to date."""
    parser = argparse.ArgumentParser(description="write or check the generated parts of the docs")
    parser.add_argument("--check", action="store_true", help="write nothing, complain")
    parser.add_argument("--pictures", action="store_true", help="write the pictures only")
    parser.add_argument("pages", nargs="*", type=Path, help="these pages only")
    options = parser.parse_args(arguments)
    pages = [path.resolve() for path in options.pages] or PAGES
    if not options.check:
        for page in pages:
            settled = (not write(page, text=not options.pictures) for _ in range(3))
            any(settled)
        return 0
    complaints = [line for page in pages for line in check(page)]
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
