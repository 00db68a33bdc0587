"""What a comparison found: rows and findings as data, and their forms as text.

Knows: `Row`, `Finding`, `Comparison`; the table that fits 100 columns, Markdown, JSON.
Does not know: how the values came to be, nor HTML (`page`).
Imports: errors, graph, the picture's `Check`, NumPy, `page` for saving.
"""

from __future__ import annotations

import json
import os
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.comparison import page
from autograd_lite.errors import CompareError
from autograd_lite.graph import Graph, Node
from autograd_lite.picture import Check

__all__ = ["Comparison", "Finding", "Row", "gradient_name", "write_text"]

_WIDTH = 100
_OK = frozenset({"right", "legitimate choice", "approximately right"})
_MARKS = {"error": "✗", "warning": "!", "info": "·"}
_LEVELS = ("error", "warning", "info")
_TITLES = {"automatic": "automatic", "hand": "hand-written", "numeric": "numeric"}


@dataclass(frozen=True, eq=False)
class Row:
    """One array, as each of the parties has it, and the verdict.

    `kind` is "output", "input", "parameter" or "law". `automatic`, `hand` and `numeric` are
    arrays of `shape`, or None where a party has nothing to say; `numeric_error` is the estimated
    absolute error of each element of `numeric`. `max_abs` is the largest difference, `max_rel`
    the same as a part of the row's largest element, `worst` its position. `verdict` is one of
    "right", "legitimate choice", "approximately right" (off by what a small constant of the
    forward pass, such as the 1e-7 in log(y + 1e-7), explains), "wrong", "wrong shape", "missing",
    "disputed", "undecided"; `outlier` says who stands alone, if that could be told.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    verdict: str
    max_abs: float = 0.0
    max_rel: float = 0.0
    tolerance: float = 0.0
    worst: tuple[int, ...] | None = None
    outlier: str | None = None
    note: str = ""
    automatic: Any = None
    hand: Any = None
    numeric: Any = None
    numeric_error: Any = None

    @property
    def ok(self) -> bool:
        """Whether the verdict is "right", "legitimate choice" or "approximately right"."""
        return self.verdict in _OK

    def at_worst(self, party: str) -> Any:
        """The value of "automatic", "hand" or "numeric" at the worst position, None if absent."""
        values = getattr(self, party)
        if values is None or self.worst is None or np.shape(values) != self.shape:
            return None
        return np.asarray(values)[self.worst].item()


@dataclass(frozen=True)
class Finding:
    """One sentence about one array; `level` is "error", "warning" or "info".

    `cause` names the kind of mistake where a diagnosis was made: "factor", "sign", "transposed" …
    """

    level: str
    subject: str
    text: str
    cause: str = ""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A finished comparison: rows, findings, and how it was made.

    `print` shows a table that fits 100 columns; notebooks show HTML; `save` writes a page,
    Markdown or JSON; `raise_if_wrong` turns what is wrong into an exception. `parties` are the
    columns, in order.

    `ag.draw(report)` draws `graph`, the automatic side that was compared, with `cotangents` flowing
    back, a sign at every array, and the hand-written numbers beside ours.
    """

    title: str
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    settings: str
    parties: tuple[str, ...] = ("automatic", "hand", "numeric")
    graph: Graph | None = None
    cotangents: tuple[Any, ...] = ()

    def checks(self, graph: Graph) -> dict[Node, list[Check]]:
        """What a picture of `graph` says of its nodes: `ag.draw(y, compare=report)` asks this.

        Outputs are matched by their order, inputs and parameters by their names.
        """
        rows = {row.name: row for row in self.rows if "hand" in self.parties}
        found: dict[Node, list[Check]] = {}
        for i, out in enumerate(graph.outputs):
            name = "forward" if len(graph.outputs) == 1 else f"forward[{i}]"
            found.setdefault(out, []).extend(_checks("value", rows.get(name)))
        for leaf in graph.inputs:
            row = rows.get(gradient_name(leaf.name)) if leaf.name else None
            found.setdefault(leaf, []).extend(_checks("gradient", row))
        return {node: checks for node, checks in found.items() if checks}

    @property
    def ok(self) -> bool:
        """Whether every row holds and no finding is an error."""
        return all(row.ok for row in self.rows) and not any(
            finding.level == "error" for finding in self.findings
        )

    @property
    def verdict(self) -> str:
        """One line: right or wrong, and how many rows hold."""
        held = sum(row.ok for row in self.rows)
        count = f"{held} of {len(self.rows)} hold"
        names = ", ".join(row.name for row in self.rows if not row.ok)
        if self.ok:
            return f"right: {count}"
        return f"wrong: {count}" + (f"; look at {names}" if names else "; see the findings")

    def __str__(self) -> str:
        lines = [_cut(self.title, _WIDTH), *_wrapped(self.settings, "  "), ""]
        lines += ["  " + line for line in _table(self._cells(), _WIDTH - 2)]
        if self.findings:
            lines.append("")
        for finding in self._sorted():
            mark = _MARKS[finding.level]
            lines += _wrapped(f"{mark} {finding.subject}: {finding.text}", "  ", "    ")
        return "\n".join([*lines, "", self.verdict])

    def __repr__(self) -> str:
        return f"<Comparison {self.title!r}: {self.verdict}>"

    def _repr_html_(self) -> str:
        return page.fragment(self)

    def _sorted(self) -> list[Finding]:
        return sorted(self.findings, key=lambda finding: _LEVELS.index(finding.level))

    def _cells(self) -> list[list[str]]:
        parties = [_TITLES[party] for party in self.parties]
        head = ["", "shape", "max |Δ|", "relative", "worst at", *parties, "verdict"]
        return [head, *(_row_cells(row, self.parties) for row in self.rows)]

    def markdown(self) -> str:
        """The report in Markdown."""
        head, *rows = self._cells()
        lines = [f"## {_plain(self.title)}", "", _plain(self.settings), ""]
        lines += ["| " + " | ".join(map(_plain, head)) + " |", "|" + " --- |" * len(head)]
        lines += ["| " + " | ".join(map(_plain, cells)) + " |" for cells in rows]
        lines.append("")
        for finding in self._sorted():
            lines.append(f"- **{finding.level}** {_plain(finding.subject)}: {_plain(finding.text)}")
        return "\n".join([*lines, "", f"**{_plain(self.verdict)}**", ""])

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON takes it; NaN and infinities are the strings NumPy prints."""
        return {
            "format": "autograd_lite.comparison",
            "version": 1,
            "title": self.title,
            "settings": self.settings,
            "ok": self.ok,
            "verdict": self.verdict,
            "rows": [_row_dict(row) for row in self.rows],
            "findings": [vars(finding) for finding in self._sorted()],
        }

    def save(self, path: Any) -> Path:
        """Write the report by suffix: `.html`, `.md` or `.json`; returns the path.

        The file appears whole or not at all. Raises `CompareError` for another suffix or a
        folder that cannot be written to.
        """
        target = Path(path)
        forms: dict[str, Callable[[], str]] = {
            ".html": lambda: page.document(self),
            ".md": self.markdown,
            ".json": lambda: json.dumps(self.as_dict(), indent=2, allow_nan=False) + "\n",
        }
        if target.suffix not in forms:
            raise CompareError(
                f"a report is not written as {target.suffix or 'a file without suffix'!r}",
                mend="name the file .html, .md or .json",
            )
        write_text(target, forms[target.suffix]())
        return target

    def raise_if_wrong(self) -> Comparison:
        """Raise `CompareError` with the whole report if anything is wrong; else return it."""
        if not self.ok:
            raise CompareError(str(self), source=None)
        return self


def gradient_name(path: str) -> str:
    """How the gradient of a name is called.

    >>> gradient_name("x"), gradient_name("layers.0.W")
    ('dx', 'layers.0.dW')
    """
    owner, _, name = path.rpartition(".")
    return f"{owner}.d{name}".lstrip(".")


def _checks(of: str, row: Row | None) -> list[Check]:
    if row is None:
        return []
    says = f"{row.verdict}, {row.note}" if row.note else row.verdict
    return [Check(of, row.ok, row.hand, row.automatic, says)]


def write_text(target: Path, text: str) -> None:
    """Write a file whole or not at all; `CompareError` where that cannot be."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CompareError(
            f"{target} cannot be written: {error.strerror or error}",
            mend="name a folder that exists and that you may write to",
        ) from error


# ── cells ────────────────────────────────────────────────────────────────────────────────────────


def _number(value: Any) -> str:
    """A number in at most ten characters; a dash for None.

    >>> _number(None), _number(2.0), _number(-1.23456e-8), _number(float("nan"))
    ('–', '2', '-1.235e-08', 'nan')
    """
    return "–" if value is None else f"{float(value):.4g}"


def _row_cells(row: Row, parties: Sequence[str]) -> list[str]:
    compared = row.worst is not None
    return [
        row.name,
        str(row.shape).replace(" ", ""),
        f"{row.max_abs:.1e}" if compared and row.max_abs else "0" if compared else "–",
        f"{row.max_rel:.1e}" if compared and row.max_rel else "0" if compared else "–",
        str(row.worst).replace(" ", "") if compared else "–",
        *(_number(row.at_worst(party)) for party in parties),
        row.verdict,
    ]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _table(cells: Sequence[Sequence[str]], width: int) -> list[str]:
    """Aligned columns, numbers to the right; names, shapes and positions give way to the width."""
    limits = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for column, least in ((0, 10), (1, 10), (4, 9), (0, 5), (1, 5), (4, 5)):
        excess = sum(limits) + 2 * (len(limits) - 1) - width
        if excess > 0:
            limits[column] = max(min(least, limits[column]), limits[column] - excess)
    lines = []
    for row in cells:
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


def _wrapped(text: str, first: str, other: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=first if other is None else other
    )


def _plain(text: str) -> str:
    """Text that Markdown neither formats nor takes for a table's border."""
    return "".join("\\" + ch if ch in r"\`*_{}[]<>|" else ch for ch in text)


def _jsonable(value: Any) -> Any:
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _listed(array.astype(object), array)
    return array.tolist()


def _listed(objects: Any, array: Any) -> Any:
    lost = ~np.isfinite(array)
    objects[lost] = [str(v) for v in array[lost]]
    return objects.tolist()


def _row_dict(row: Row) -> dict[str, Any]:
    plain = {"name", "kind", "verdict", "ok", "outlier", "note", "tolerance"}
    entries = {key: getattr(row, key) for key in sorted(plain)}
    entries["shape"] = list(row.shape)
    entries["worst"] = None if row.worst is None else list(row.worst)
    arrays = ("max_abs", "max_rel", "automatic", "hand", "numeric", "numeric_error")
    return {**entries, **{key: _jsonable(getattr(row, key)) for key in arrays}}
