"""What came of a file's layers: one row for each, as a table, a page, Markdown and JSON.

Knows: rows, what they look like, which exit code they make.
Does not know: how they came to be.
Imports: the page, the report's writing of files, errors.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from autograd_lite.comparison import page
from autograd_lite.comparison.report import saved

__all__ = ["Checked", "Survey"]

_WIDTH = 100
_DEPTH = 4
_COLOURS = {"right": "32", "wrong": "31", "failed": "31", "not checked": "33"}
_BADGES = {"right": "good", "wrong": "bad", "failed": "bad", "not checked": "odd"}
_MARKS = {"right": "✓", "wrong": "✗", "failed": "✗", "not checked": "·"}


@dataclass(frozen=True)
class Checked:
    """One layer: `status` is "right", "wrong", "failed" (it hung or crashed) or "not checked".

    `inputs` says what was taken, `reason` what is wrong, `mend` what to pass; `text`, `markdown`,
    `html` and `data` are the whole report of a comparison that was made.
    """

    name: str
    where: str
    status: str
    inputs: str = ""
    reason: str = ""
    mend: str = ""
    text: str = ""
    markdown: str = ""
    html: str = ""
    data: Any = None


@dataclass(frozen=True)
class Survey:
    """All the layers of a file, and what of it was not checked: (name, where, why) each.

    `skipped` are the parts that did not run, (where, why) each.
    """

    file: str
    rows: tuple[Checked, ...]
    others: tuple[tuple[str, str, str], ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    troubles: tuple[str, ...] = ()

    @property
    def code(self) -> int:
        """0: all that was checked is right; 1: something is wrong; 2: nothing was checked."""
        statuses = {row.status for row in self.rows}
        if statuses & {"wrong", "failed"}:
            return 1
        return 0 if "right" in statuses else 2

    @property
    def verdict(self) -> str:
        """One line: how many of the layers are right."""
        if not self.rows:
            return f"{self.file}: no hand-written layer was found"
        counts = [(s, sum(row.status == s for row in self.rows)) for s in _COLOURS]
        told = ", ".join(f"{count} {status}" for status, count in counts if count)
        return f"{self.file}: {len(self.rows)} layer{'s' if len(self.rows) > 1 else ''}: {told}"

    def text(self, *, colour: bool = False) -> str:
        """The table, then what is wrong with each layer, then what was not checked."""
        blocks = [self.table(colour=colour)] if self.rows else []
        for row in self.rows:
            if row.status == "wrong":
                blocks.append(row.text)
            elif row.status != "right" or row.reason:
                blocks.append("\n".join(_told(row)))
        rest = self._rest()
        if rest:
            blocks.append("\n".join(line for title, lines in rest for line in (title, *lines)))
        return "\n\n".join([*blocks, self.verdict])

    def table(self, *, colour: bool = False) -> str:
        """One row for each layer, 100 columns wide at most."""
        head = ["layer", "where", "inputs", "verdict", "reason"]
        cells = [
            [row.name, row.where, row.inputs, row.status, row.reason or row.mend]
            for row in self.rows
        ]
        limits = [max(len(row[i]) for row in (head, *cells)) for i in range(5)]
        limits[0] = min(limits[0], 24)
        left = _WIDTH - 2 - limits[0] - limits[1] - limits[3] - 8
        limits[2] = min(limits[2], max(left - min(limits[4], 44), 16))
        limits[4] = left - limits[2]
        return "\n".join(
            line for row in (head, *cells) for line in _table_row(row, limits, colour=colour)
        )

    def _rest(self) -> list[tuple[str, list[str]]]:
        """What was not checked, and what did not run: titles with lines."""
        found = []
        functions = [n for n, _, why in self.others if why.startswith("a function")]
        lines = [
            f"  {name} ({where}): {why}"
            for name, where, why in self.others
            if not why.startswith("a function")
        ]
        if functions:
            lines += _filled("functions without a gradient: " + ", ".join(functions))
        if lines:
            found.append(("not checked:", lines))
        if self.skipped:
            texts = [_filled(f"{where}: {why}") for where, why in self.skipped]
            found.append(("did not run:", [line for lines in texts for line in lines]))
        if self.troubles:
            found.append(("not understood:", [f"  {text}" for text in self.troubles]))
        return found

    def save(self, path: Any) -> Path:
        """Write the whole by suffix: `.html`, `.md` or `.json`; returns the path."""
        return saved(path, self._page, self._markdown, self.as_dict)

    def as_dict(self) -> dict[str, Any]:
        """The whole as JSON takes it."""
        plain = ("name", "where", "status", "inputs", "reason", "mend")
        return {
            "format": "autograd_lite.survey",
            "version": 1,
            "file": self.file,
            "ok": self.code == 0,
            "verdict": self.verdict,
            "layers": [
                {**{key: getattr(row, key) for key in plain}, "comparison": row.data}
                for row in self.rows
            ],
            "not_checked": [
                dict(zip(("name", "where", "why"), o, strict=True)) for o in self.others
            ],
            "did_not_run": [dict(zip(("where", "why"), s, strict=True)) for s in self.skipped],
            "not_understood": list(self.troubles),
        }

    def _markdown(self) -> str:
        lines = [f"# {_plain(self.verdict)}", "", "| layer | where | inputs | verdict | reason |"]
        lines.append("|" + " --- |" * 5)
        for row in self.rows:
            cells = (row.name, row.where, row.inputs, row.status, row.reason or row.mend)
            lines.append("| " + " | ".join(map(_plain, cells)) + " |")
        lines += ["", *(row.markdown for row in self.rows if row.markdown)]
        for title, told in self._rest():
            lines += [f"{title}", "", *(f"- {_plain(text.strip())}" for text in told), ""]
        return "\n".join(lines)

    def _page(self) -> str:
        rows = "".join(_row(number, row) for number, row in enumerate(self.rows))
        head = "".join(
            f'<th scope="col">{t}</th>' for t in ("layer", "where", "inputs", "", "reason")
        )
        sections = "".join(
            f'<section id="layer-{number}">{row.html or _short(row)}</section>'
            for number, row in enumerate(self.rows)
        )
        rest = "".join(
            f"<h2>{escape(title)}</h2><ul>{_items(lines)}</ul>" for title, lines in self._rest()
        )
        table = f'<table class="all"><thead><tr>{head}</tr></thead>{rows}</table>'
        title = f"<h1>{escape(self.verdict)}</h1>"
        body = f'<div class="ag-cmp">{title}<div class="wide">{table}</div></div>'
        return page.shell(self.verdict, f'{body}{sections}<div class="ag-cmp">{rest}</div>', _STYLE)


_STYLE = """
h1{font:600 1.5rem/1.2 system-ui,sans-serif;margin:0 0 1rem}
.ag-cmp table.all td{white-space:normal;text-align:left;vertical-align:top}
.ag-cmp table.all th{text-align:left}
section{border:1px solid var(--line);border-radius:10px;padding:1.1rem 1.3rem;margin:1.4rem 0}
figure{margin:1rem 0 0;overflow-x:auto;border-top:1px solid var(--line);padding-top:1rem}
figure svg{max-width:none;height:auto;display:block}
a{color:var(--value)}
"""


def _row(number: int, row: Checked) -> str:
    cells = (row.where, row.inputs)
    badge = f'<span class="badge {_BADGES[row.status]}">{row.status}</span>'
    texts = "".join(f"<td>{escape(text)}</td>" for text in cells)
    link = f'<a href="#layer-{number}">{escape(row.name)}</a>'
    return f"<tr><td>{link}</td>{texts}<td>{badge}</td><td>{escape(row.reason)}</td></tr>"


def _items(lines: Sequence[str]) -> str:
    return "".join(f"<li>{escape(line.strip())}</li>" for line in lines)


def _short(row: Checked) -> str:
    """The section of a layer that was not compared."""
    badge = f'<span class="badge {_BADGES[row.status]}">{row.status}</span>'
    lines = "".join(f"<p>{escape(text)}</p>" for text in (row.reason, row.mend) if text)
    return f'<div class="ag-cmp"><h2>{escape(row.name)} {badge}</h2>{lines}</div>'


def _told(row: Checked) -> list[str]:
    lines = [f"{row.name}, {row.where}: {row.status}" if row.where else f"{row.name}: {row.status}"]
    return [*lines, *_filled(row.reason), *(_filled(f"mend: {row.mend}") if row.mend else ())]


def _filled(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _table_row(row: Sequence[str], limits: Sequence[int], *, colour: bool) -> list[str]:
    """The row's lines: what is too long for its column goes on below, for `_DEPTH` lines."""
    columns = [_wrapped(text, width) for text, width in zip(row, limits, strict=True)]
    lines = []
    for cells in itertools.zip_longest(*columns, fillvalue=""):
        texts = [text.ljust(width) for text, width in zip(cells, limits, strict=True)]
        if colour and cells[3] in _COLOURS:
            texts[3] = f"\x1b[{_COLOURS[cells[3]]}m{texts[3]}\x1b[0m"
        lines.append(("  " + "  ".join(texts)).rstrip())
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    plain = "".join(ch if ch.isprintable() else " " for ch in text)
    return textwrap.wrap(plain, width, max_lines=_DEPTH, placeholder=" …")


def _plain(text: str) -> str:
    """Text that Markdown neither formats nor takes for a table's border."""
    return "".join("\\" + ch if ch in r"\`*_{}[]<>|" else ch for ch in text.replace("\n", " "))
