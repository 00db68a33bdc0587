"""The files of the live page and a graph's data as one HTML file that loads nothing.

Knows files, escapes and the Content-Security-Policy; no graph. Imports its siblings.
"""

import base64
import hashlib
import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from autograd_lite.errors import DrawError
from autograd_lite.graph import Graph
from autograd_lite.picture.drawing import Drawing
from autograd_lite.picture.folding import Folded, finest
from autograd_lite.picture.marks import Shown
from autograd_lite.picture.page.data import page_data
from autograd_lite.picture.page.model import Model
from autograd_lite.picture.pen import OWN
from autograd_lite.picture.theme import style_sheet

__all__ = ["framed", "live_page"]

_HERE = Path(__file__).parent
_SCRIPTS = (
    *("graph", "layout", "canvas", "viewport", "walk", "details", "search", "quiz", "theme"),
    *("save", "main"),
)
_MOST = 10_000  # marks of a page
_CLASS = "agp"  # of the picture that the page draws itself


def live_page(
    graph: Graph,
    folded: Folded,
    shown: Shown,
    drawing: Drawing,
    svg: str,
    *,
    direction: str,
    theme: str,
    palette: str,
) -> str:
    """The page of a graph: ``svg`` is what shows where scripts are off.

    Raises:
        DrawError: more parts than a page can hold.
    """
    opened = finest(graph) or folded
    if len(opened.parts) > _MOST:
        raise DrawError(
            f"a live page of {len(opened.parts):,} marks would not be usable",
            mend='put parts of the program under `with ag.scope("…")`, or save the picture as .svg',
        )
    data, fragments = page_data(Model(graph, opened, folded, shown), direction)
    styles = [_own("page.css"), *_in_svg(svg)]
    picture_style = _picture_style(palette)
    scripts = [_library(), *(_own(f"{name}.js") for name in _SCRIPTS)]
    written = [f"<style data-picture>{picture_style}</style>", f"<style>{_own('page.css')}</style>"]
    parts = {
        "theme": theme,
        "policy": _policy(scripts, [*styles, picture_style]),
        "title": escape(drawing.title),
        "note": escape(drawing.note),
        "styles": "\n".join(written),
        "picture": svg,
        "class": _CLASS,
        "fragments": "\n".join(f"<g>{text.replace(OWN, _CLASS)}</g>" for text in fragments),
        "data": _json(data),
        "scripts": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    return re.sub(r"@(\w+)@", lambda found: parts[found[1]], _own("page.html"))


def framed(page: str, height: int = 560) -> str:
    """A page inside another one: a frame that may run its own scripts, and nothing else."""
    style = f"width:100%;height:{height}px;border:1px solid #8884;border-radius:8px"
    return (
        f'<iframe sandbox="allow-scripts" title="Computation graph" style="{style}" '
        f'srcdoc="{escape(page)}"></iframe>'
    )


def _picture_style(palette: str) -> str:
    """The rules of both themes: the picture says by an attribute which of them holds."""
    return "".join(
        style_sheet(theme, palette, overlaid=True).replace(
            "@ ", f'.{_CLASS}[data-theme="{theme}"] '
        )
        for theme in ("light", "dark")
    )


def _in_svg(svg: str) -> list[str]:
    return re.findall(r"<style>(.*?)</style>", svg, re.DOTALL)


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Nothing from outside; of scripts and styles only these, by their hashes."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))} 'wasm-unsafe-eval'",
            f"style-src {' '.join(map(_hash, styles))}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """JSON that cannot end the element that holds it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


@cache
def _own(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """The layout library as a plain script: its last statement exports, ours keeps one name."""
    text = (_HERE / "vendor" / "graphviz.js").read_text(encoding="utf-8")
    found = re.search(r"export\{([^}]*)\};\s*(//# sourceMappingURL=\S+\s*)?$", text)
    local = found and re.search(r"(\w+) as Graphviz\b", found[1])
    if found is None or local is None or re.search(r"</script|<!--", text, re.IGNORECASE):
        raise DrawError("vendor/graphviz.js is not what vendor/update.py fetched")
    body = text[: found.start()]
    return f"(()=>{{{body}\nglobalThis.loadGraphviz=()=>{local[1]}.load();}})();\n"
