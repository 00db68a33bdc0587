"""A comparison as text: the table that fits 100 columns, in colours on a terminal, and Markdown.

Knows: cells, columns, wrapping, colours; that nothing which is printed obeys a user's name.
Does not know: how the report came to be.
Imports: graph (for `visible`).
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from autograd_lite.graph import visible

__all__ = ["MARKS", "SCALE", "cells", "markdown", "on_terminal", "plain"]

MARKS = {"error": "✗", "warning": "!", "info": "·"}
SCALE = (
    "relative: of the row's largest element; what decides stands above. On the familiar scale more "
    "than 1e-2 is usually wrong, 1e-4 fine where there are kinks, 1e-7 and less good"
)
_WIDTH = 100
_TITLES = {"automatic": "automatic", "hand": "hand-written", "numeric": "numeric"}
_GREEN, _YELLOW, _RED, _SOFT, _BOLD = "32", "33", "31", "2", "1"
_COLOURS = {
    "right": _GREEN,
    "legitimate choice": _YELLOW,
    "approximately right": _YELLOW,
    "error": _RED,
    "warning": _YELLOW,
    "info": _SOFT,
}


def on_terminal() -> bool:
    """Whether what is printed now reaches a terminal that shows colours, and they are wanted.

    `NO_COLOR` (https://no-color.org) says no.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(getattr(sys.stdout, "isatty", lambda: False)())


def plain(comparison: Any, *, coloured: bool = False) -> str:
    """What `print` shows: title, settings, table, findings, verdict."""

    def painted(text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if coloured else text

    title = _cut(_shown(comparison.title), _WIDTH)
    lines = [painted(title, _BOLD)]
    lines += [painted(line, _SOFT) for line in _wrapped(comparison.settings, "  ")]
    table = _table(cells(comparison), _WIDTH - 2)
    lines += ["", "  " + painted(table[0], _SOFT)]
    for row, line in zip(comparison.rows, table[1:], strict=True):
        start = line.removesuffix(row.verdict)
        lines.append(f"  {start}{painted(row.verdict, _COLOURS.get(row.verdict, _RED))}")
    if comparison.rows:
        lines += [painted(line, _SOFT) for line in _wrapped(SCALE, "  ")]
    if comparison.findings:
        lines.append("")
    for finding in comparison.ordered:
        text = f"{MARKS[finding.level]} {finding.subject}: {finding.said}"
        first, *rest = _wrapped(text, "  ", "    ")
        mark = painted(first[:3], _COLOURS[finding.level])
        lines += [mark + first[3:], *rest]
        lines += [f"      {line}" for line in finding.reproduce.splitlines()]
    verdict = painted(_shown(comparison.verdict), _GREEN if comparison.ok else _RED)
    return "\n".join([*lines, "", verdict])


def markdown(comparison: Any) -> str:
    """The report in Markdown."""
    head, *rows = cells(comparison)
    lines = [f"## {_escaped(comparison.title)}", "", _escaped(comparison.settings), ""]
    lines += ["| " + " | ".join(map(_escaped, head)) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(map(_escaped, row)) + " |" for row in rows]
    lines += ["", _escaped(SCALE), ""]
    for finding in comparison.ordered:
        text = f"**{finding.level}** {_escaped(finding.subject)}: {_escaped(finding.said)}"
        lines.append(f"- {text}")
        if finding.reproduce:
            code = [f"  {line}" for line in finding.reproduce.splitlines()]
            lines += ["", "  ```python", *code, "  ```", ""]
    return "\n".join([*lines, "", f"**{_escaped(comparison.verdict)}**", ""])


# ── cells ────────────────────────────────────────────────────────────────────────────────────────


def cells(comparison: Any) -> list[list[str]]:
    """The table, its head first."""
    parties = [_TITLES[party] for party in comparison.parties]
    head = ["", "shape", "max |Δ|", "relative", "worst at", *parties, "verdict"]
    return [head, *(_row_cells(row, comparison.parties) for row in comparison.rows)]


def _row_cells(row: Any, parties: Sequence[str]) -> list[str]:
    compared = row.worst is not None
    return [
        _shown(row.name),
        str(row.shape).replace(" ", ""),
        f"{row.max_abs:.1e}" if compared and row.max_abs else "0" if compared else "–",
        f"{row.max_rel:.1e}" if compared and row.max_rel else "0" if compared else "–",
        str(row.worst).replace(" ", "") if compared else "–",
        *(_number(row.at_worst(party)) for party in parties),
        row.verdict,
    ]


def _number(value: Any) -> str:
    """A number in at most ten characters; a dash for None.

    >>> _number(None), _number(2.0), _number(-1.23456e-8), _number(float("nan"))
    ('–', '2', '-1.235e-08', 'nan')
    """
    return "–" if value is None else f"{float(value):.4g}"


def _table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Aligned columns, numbers to the right; names, shapes and positions give way to the width."""
    limits = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for column, least in ((0, 10), (1, 10), (4, 9), (0, 5), (1, 5), (4, 5)):
        excess = sum(limits) + 2 * (len(limits) - 1) - width
        if excess > 0:
            limits[column] = max(min(least, limits[column]), limits[column] - excess)
    lines = []
    for row in rows:
        texts = [_cut(text, limit) for text, limit in zip(row, limits, strict=True)]
        last = len(texts) - 1
        left = {0, 1, last}
        lines.append(
            "  ".join(
                t.ljust(n) if i in left else t.rjust(n)
                for i, (t, n) in enumerate(zip(texts, limits, strict=True))
            ).rstrip()
        )
    return lines


# ── characters ───────────────────────────────────────────────────────────────────────────────────


def _shown(text: str) -> str:
    """A text in one line, control characters shown instead of obeyed."""
    words = " ".join(text.split())
    return visible(words, len(words))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _wrapped(text: str, first: str, other: str | None = None) -> list[str]:
    other = first if other is None else other
    return textwrap.wrap(_shown(text), _WIDTH, initial_indent=first, subsequent_indent=other)


def _escaped(text: str) -> str:
    """Text that Markdown neither formats nor takes for a table's border."""
    return "".join("\\" + ch if ch in r"\`*_{}[]<>|" else ch for ch in _shown(text))
