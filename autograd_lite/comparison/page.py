"""A comparison as HTML: a fragment for notebooks and a page that stands alone.

Knows: markup and style. Every text is escaped; nothing is loaded from outside; no script.
Does not know: how the report came to be.
Imports: `text` for the cells, NumPy.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from autograd_lite.comparison.text import MARKS, SCALE, cells

__all__ = ["body", "document", "fragment", "shell"]

_SHOWN = 48  # elements of an array that are written out

_LIGHT = """color-scheme:light dark;--bg:#fff;--text:#1f2328;--soft:#59636e;--line:#d1d9e0;
--panel:#f6f8fa;--value:#0a4fa3;--grad:#b3261e;--good:#1a7f37;--good-bg:#dafbe1;
--bad:#b3261e;--bad-bg:#ffebe9;--odd:#7d4e00;--odd-bg:#fff8c5"""
_DARK = """--bg:#0d1117;--text:#e6edf3;--soft:#9198a1;--line:#3d444d;--panel:#151b23;
--value:#79b8ff;--grad:#ff8f85;--good:#3fb950;--good-bg:#12261e;
--bad:#ff8f85;--bad-bg:#2d1316;--odd:#e3b341;--odd-bg:#272115"""

_REPORT = """
.ag-cmp{font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--text,inherit)}
.ag-cmp h2{font-size:1.15rem;margin:0 0 .1rem}
.ag-cmp .how{color:var(--soft);margin:.1rem 0 .7rem;font-size:.9em}
.ag-cmp .wide{overflow-x:auto}
.ag-cmp table{border-collapse:collapse;font-variant-numeric:tabular-nums;min-width:38rem}
.ag-cmp th{font-weight:500;color:var(--soft);font-size:.86em;text-align:right;
padding:.15rem .7rem .3rem;border-bottom:1px solid var(--line)}
.ag-cmp td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--line);
font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9em;white-space:nowrap}
.ag-cmp th:first-child,.ag-cmp td:first-child,.ag-cmp th:last-child,.ag-cmp td:last-child
{text-align:left}
.ag-cmp td:first-child{font-weight:600}
.ag-cmp .badge{display:inline-block;border-radius:1rem;padding:.02rem .6rem;font:500 .92em/1.6
system-ui,sans-serif}
.ag-cmp .good{color:var(--good);background:var(--good-bg)}
.ag-cmp .bad{color:var(--bad);background:var(--bad-bg)}
.ag-cmp .odd{color:var(--odd);background:var(--odd-bg)}
.ag-cmp ul{list-style:none;padding:0;margin:.7rem 0 0}
.ag-cmp li{padding:.12rem 0 .12rem 1.2rem;text-indent:-1.2rem}
.ag-cmp li i{display:inline-block;width:1.2rem;text-indent:0;font-style:normal;color:var(--soft)}
.ag-cmp li.error i{color:var(--bad)}
.ag-cmp li.warning i{color:var(--odd)}
.ag-cmp li pre{text-indent:0;white-space:pre}
.ag-cmp summary{cursor:pointer;color:var(--soft);margin-top:.6rem}
.ag-cmp pre{font-size:.86em;overflow-x:auto;background:var(--panel);padding:.6rem .8rem;
border-radius:6px;margin:.4rem 0}
"""

_FIGURE = """
figure{margin:1.4rem 0 0;overflow-x:auto;border-top:1px solid var(--line);padding-top:1rem}
figure svg{max-width:none;height:auto;display:block}
"""

_CLASSES = {"right": "good", "legitimate choice": "odd", "approximately right": "odd"}


def fragment(comparison: Any) -> str:
    """The report as a `<div>` with its own style, for a notebook or a larger page.

    It brings its own background: a notebook may be light where the system is dark.
    """
    panel = ".ag-cmp{background:var(--bg);padding:.6rem .8rem;border-radius:6px}"
    return f"<style>{_colours('.ag-cmp')}{_REPORT}{panel}</style>{body(comparison)}"


def document(comparison: Any, drawing: str = "") -> str:
    """The report as a page that needs nothing but itself; `drawing` is an SVG of its graph."""
    figure = f"<figure>{drawing[drawing.index('<svg') :]}</figure>" if drawing else ""
    return shell(comparison.title, body(comparison) + figure, _FIGURE)


def shell(title: str, content: str, style: str = "") -> str:
    """An HTML page around `content`; no script runs in it and nothing is fetched."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_colours(':root')}{_REPORT}"
        "body{background:var(--bg);color:var(--text);margin:0}"
        "main{max-width:72rem;margin:0 auto;padding:2rem 1.2rem 4rem}"
        f"{style}</style></head><body><main>{content}</main></body></html>\n"
    )


def _colours(where: str) -> str:
    dark = f"@media(prefers-color-scheme:dark){{{where}{{{_DARK}}}}}"
    return f"{where}{{{_LIGHT}}}\n{dark}"


def body(comparison: Any) -> str:
    """The report alone, for a page that has the style already."""
    verdict = _badge(comparison.verdict, "good" if comparison.ok else "bad")
    head, *rows = cells(comparison)
    return (
        f'<div class="ag-cmp"><h2>{escape(comparison.title)} {verdict}</h2>'
        f'<p class="how">{escape(comparison.settings)}</p>'
        f'<div class="wide"><table><thead><tr>{_cells("th", head)}</tr></thead><tbody>'
        f"{''.join(_row(cells) for cells in rows)}</tbody></table></div>"
        f'<p class="how">{escape(SCALE)}</p>'
        f"{_findings(comparison)}{_arrays(comparison)}</div>"
    )


def _cells(tag: str, texts: Any) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return "".join(f"<{tag}{scope}>{escape(text)}</{tag}>" for text in texts)


def _badge(text: str, kind: str) -> str:
    return f'<span class="badge {kind}">{escape(text)}</span>'


def _row(cells: Any) -> str:
    verdict = _badge(cells[-1], _CLASSES.get(cells[-1], "bad"))
    return f"<tr>{_cells('td', cells[:-1])}<td>{verdict}</td></tr>"


def _findings(comparison: Any) -> str:
    lines = "".join(map(_finding, comparison.ordered))
    return f"<ul>{lines}</ul>" if lines else ""


def _finding(finding: Any) -> str:
    mark = f'<li class="{finding.level}"><i>{MARKS[finding.level]}</i>'
    code = f"<pre>{escape(finding.reproduce)}</pre>" if finding.reproduce else ""
    return f"{mark} <b>{escape(finding.subject)}</b> {escape(finding.said)}{code}</li>"


def _arrays(comparison: Any) -> str:
    blocks = []
    for row in comparison.rows:
        shown = [(p, getattr(row, p)) for p in comparison.parties if getattr(row, p) is not None]
        if shown and row.kind != "law":
            text = "\n".join(f"{party:<10}{_array(values)}" for party, values in shown)
            blocks.append(f"<pre>{escape(row.name)}\n{escape(text)}</pre>")
    if not blocks:
        return ""
    return f"<details><summary>the arrays</summary>{''.join(blocks)}</details>"


def _array(values: Any) -> str:
    """A bounded text of an array, continued under its first bracket."""
    array = np.asarray(values)
    text = np.array2string(
        array, separator=", ", threshold=_SHOWN, edgeitems=2, precision=4, suppress_small=False
    )
    return text.replace("\n", "\n" + " " * 10)
