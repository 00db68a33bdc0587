"""Markdown tables, with columns aligned so that a diff of a generated page reads well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["table"]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A table; a bar inside a cell is escaped.

    >>> print(table(["a", "b"], [["1", "x|y"]]), end="")
    | a   | b    |
    | --- | ---- |
    | 1   | x\|y |
    """
    cells = [list(header), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = (
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "".join(f"| {line} |\n" for line in lines)
