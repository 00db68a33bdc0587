"""What a comparison found: rows and findings as data, and how they are saved.

Knows: `Row`, `Finding`, `Comparison`; which form belongs to which suffix.
Does not know: how the values came to be, nor how a form looks (`text`, `page`, `record`).
Imports: errors, graph, picture, NumPy, the forms.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.comparison import page, record, text
from autograd_lite.errors import AutogradError, CompareError
from autograd_lite.graph import Graph, Node
from autograd_lite.picture import Check, draw

__all__ = ["Comparison", "Finding", "Row", "gradient_name", "saved", "write_text"]

_OK = frozenset({"right", "legitimate choice", "approximately right"})
_DRAWN = 400  # nodes of a graph that a page shows
_LEVELS = ("error", "warning", "info")


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
    `reproduce` is code that makes the inputs that show it, where those are not the given ones.
    `step` is the node of the graph where the mistake was made, where that is known. `tested` says
    how it was found out that the sentence is true; `said` is the sentence with it.
    """

    level: str
    subject: str
    text: str
    cause: str = ""
    reproduce: str = ""
    step: Node | None = field(default=None, repr=False, compare=False)
    tested: str = ""

    @property
    def said(self) -> str:
        """The sentence, and how it was tested."""
        return f"{self.text} (tested: {self.tested})" if self.tested else self.text


@dataclass(frozen=True, eq=False)
class Comparison:
    """A finished comparison: rows, findings, and how it was made.

    `print` shows a table that fits 100 columns, in colours on a terminal (unless `NO_COLOR` is
    set); in an f-string and by `text()` it has none; notebooks show HTML; `save` writes a page,
    Markdown or JSON; `raise_if_wrong` turns what is wrong into an exception. `parties` are the
    columns, in order.

    `ag.draw(report)` draws `graph`, the automatic side that was compared, with `cotangents` flowing
    back, a sign at every array, the hand-written numbers beside ours, and a flag at the step where
    the mistake was made.
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

        Outputs are matched by their order, inputs and parameters by their names, the steps where
        mistakes were made by being the same nodes.
        """
        rows = {row.name: row for row in self.rows if "hand" in self.parties}
        found: dict[Node, list[Check]] = {}
        for i, out in enumerate(graph.outputs):
            name = "forward" if len(graph.outputs) == 1 else f"forward[{i}]"
            found.setdefault(out, []).extend(_checks("value", rows.get(name)))
        for leaf in graph.inputs:
            row = rows.get(gradient_name(leaf.name)) if leaf.name else None
            found.setdefault(leaf, []).extend(_checks("gradient", row))
        inside = set(graph.nodes)
        for finding in self.ordered:
            if finding.step in inside:
                flag = f"wrong here: {finding.cause}"
                check = Check("step", ok=False, says=finding.said, flag=flag)
                found.setdefault(finding.step, []).append(check)
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
        return text.plain(self, coloured=text.on_terminal())

    def __format__(self, spec: str) -> str:
        return format(text.plain(self), spec)

    def __repr__(self) -> str:
        return f"<Comparison {self.title!r}: {self.verdict}>"

    def _repr_html_(self) -> str:
        return page.fragment(self)

    @property
    def ordered(self) -> list[Finding]:
        """The findings, errors first."""
        return sorted(self.findings, key=lambda finding: _LEVELS.index(finding.level))

    def text(self) -> str:
        """What `print` shows, without colours wherever it goes."""
        return text.plain(self)

    def markdown(self) -> str:
        """The report in Markdown."""
        return text.markdown(self)

    def as_dict(self) -> dict[str, Any]:
        """The report as strict JSON takes it; `docs/compare.schema.json` says what is in it."""
        return record.as_dict(self)

    def save(self, path: Any) -> Path:
        """Write the report by suffix: `.html`, `.md` or `.json`; returns the path.

        The file appears whole or not at all. Raises `CompareError` for another suffix or a
        folder that cannot be written to.
        """
        return saved(
            path, lambda: page.document(self, self._drawing()), self.markdown, self.as_dict
        )

    def _drawing(self) -> str:
        """The graph with a sign at every array, as SVG; empty where there is none to be read."""
        if self.graph is None or len(self.graph) > _DRAWN:
            return ""
        try:
            return draw(self).svg
        except AutogradError:  # a picture more or less is no reason to lose the report
            return ""

    def raise_if_wrong(self) -> Comparison:
        """Raise `CompareError` with the whole report if anything is wrong; else return it."""
        if not self.ok:
            raise CompareError(self.text(), source=None)
        return self


def gradient_name(path: str) -> str:
    """How the gradient of a name is called.

    Of what an object holds (`weight.data`) or a list, by the name that these have.

    >>> gradient_name("x"), gradient_name("layers.0.W")
    ('dx', 'layers.0.dW')
    >>> gradient_name("fc.weight.data"), gradient_name("params.1")
    ('fc.dweight', 'dparams[1]')
    """
    *owner, name = path.split(".")
    number = ""
    if owner and name.isdecimal():
        number, name = f"[{name}]", owner.pop()
    elif owner and name in _VALUES and not owner[-1].isdecimal():
        name = owner.pop()
    return ".".join([*owner, f"d{name}{number}"])


_VALUES = ("data", "value", "val")  # what an object that is a parameter calls its array


def _checks(of: str, row: Row | None) -> list[Check]:
    if row is None:
        return []
    says = f"{row.verdict}, {row.note}" if row.note else row.verdict
    return [Check(of, row.ok, row.hand, row.automatic, says)]


def saved(
    path: Any, html: Callable[[], str], markdown: Callable[[], str], plain: Callable[[], Any]
) -> Path:
    """Write a report in the form that the suffix names: a page, Markdown, or strict JSON."""
    target = Path(path)
    forms: dict[str, Callable[[], str]] = {
        ".html": html,
        ".md": markdown,
        ".json": lambda: json.dumps(plain(), indent=2, allow_nan=False) + "\n",
    }
    if target.suffix not in forms:
        raise CompareError(
            f"a report is not written as {target.suffix or 'a file without suffix'!r}",
            mend="name the file .html, .md or .json",
        )
    write_text(target, forms[target.suffix]())
    return target


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
