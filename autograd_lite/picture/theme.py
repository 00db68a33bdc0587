"""Colours and type, light and dark, as the text of a style sheet with literal colours.

Knows class names of the drawing, no geometry. Imports nothing of ours.
"""

from collections.abc import Mapping

from autograd_lite.picture.arrays import HEAT_STEPS

__all__ = ["PALETTES", "THEMES", "heat_class", "style_sheet"]

THEMES = ("auto", "light", "dark")
_SANS = 'Inter,"Helvetica Neue",Helvetica,Arial,"DejaVu Sans",sans-serif'
_MONO = '"JetBrains Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace'

# For each name, light and dark.
_COLOURS = {
    "background": ("#ffffff", "#0d1117"),
    "text": ("#1f2328", "#e6edf3"),
    "grey": ("#59636e", "#9198a1"),
    "line": ("#424a53", "#9198a1"),
    "value": ("#0a4fa3", "#79b8ff"),
    "gradient": ("#b3261e", "#ff8f85"),
    "rule": ("#5b3fa0", "#c8b1ff"),
    "op": ("#fff8e6", "#2d2410"),
    "op-line": ("#9a6700", "#e3b341"),
    "input": ("#e7f1ff", "#0c2745"),
    "input-line": ("#0a4fa3", "#58a6ff"),
    "parameter": ("#e6f6ea", "#0f2a17"),
    "parameter-line": ("#1a7f37", "#3fb950"),
    "constant": ("#f6f8fa", "#21262d"),
    "constant-line": ("#59636e", "#9198a1"),
    "output": ("#fdecea", "#3a1513"),
    "output-line": ("#b3261e", "#ff8f85"),
    "frame": ("#f6f8fa", "#151b23"),
    "frame-line": ("#d0d7de", "#3d444d"),
    "fold": ("#eef1f5", "#1c232c"),
    "fold-line": ("#59636e", "#9198a1"),
    "halo": ("#fff1c2", "#302800"),
    "good": ("#1a7f37", "#3fb950"),
    "bad": ("#b3261e", "#ff8f85"),
}
PALETTES = {
    "default": {},
    "cs231n": {"value": ("#116329", "#56d364"), "gradient": ("#b3261e", "#ff8f85")},
}
_COLD = (("#f3f5f8", "#21262d"), ("#0a4fa3", "#79b8ff"))
_WARM = (("#f3f5f8", "#21262d"), ("#b3261e", "#ff8f85"))


def style_sheet(theme: str = "auto", palette: str = "default", *, overlaid: bool = False) -> str:
    """The rules, each selector beginning with ``@``, to be replaced by the picture's own class.

    ``overlaid`` adds those of highlights, checks and flags.
    """
    both = [_coloured(side, palette, overlaid) for side in (0, 1)]
    form = _type() + (_OVERLAID if overlaid else "")
    if theme != "auto":
        return form + both[theme == "dark"]
    return form + both[0] + "@media (prefers-color-scheme:dark){" + both[1] + "}"


def heat_class(step: int | None) -> str:
    """The class of a thumbnail's cell."""
    return "hn" if step is None else f"h{step + HEAT_STEPS}"


def _type() -> str:
    return "\n".join(
        [
            f"@ text{{font-family:{_SANS}}}",
            f"@ .m{{font-family:{_MONO};font-size:10px;white-space:pre}}",
            "@ .n{font-size:9px}@ .b{font-weight:700}@ .r{font-size:9.5px;font-style:italic}",
            "@ .sym{font-size:14px;font-weight:600}@ .var{font-size:13px;font-weight:700}",
            "@ .cap{font-size:11px;font-weight:600}@ .leg{font-size:10px}@ .f{font-weight:700}",
            "@ .fwd{fill:none;stroke-width:1.4}@ .inner{fill:none;stroke-width:1}",
            "@ .bwd{fill:none;stroke-width:1.2;stroke-dasharray:4 3}",
            "@ .k{fill:none;stroke-width:1}@ .frame{stroke-width:1.2}",
            "@ .op .body,@ .input .body,@ .parameter .body,@ .fold .body{stroke-width:1.6}",
            "@ .constant .body{stroke-width:1.4;stroke-dasharray:4 3}",
            "@ .output .body{stroke-width:2.6}",
            "",
        ]
    )


_OVERLAID = """\
@ .strong .fwd{stroke-width:3}@ .strong .bwd{stroke-width:2.2}@ .strong .body{stroke-width:3.4}
@ .faint .fwd,@ .faint .bwd,@ .faint .body{stroke-width:1}
@ .glow{fill:none;stroke-width:12;stroke-linecap:round;stroke-linejoin:round}
@ .ring{fill:none;stroke-width:2}@ .ring.bad{stroke-dasharray:7 3}
@ .tick{fill:none;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
@ .flagged{font-size:9px;font-weight:700}@ .failed .body{stroke-width:2.6;stroke-dasharray:8 4}
"""


def _overlaid(c: Mapping[str, str]) -> list[str]:
    """The colours of highlights, checks and flags."""
    grey, ground = c["grey"], c["background"]
    return [
        f"@ .glow{{stroke:{c['halo']}}}@ .halo{{fill:{c['halo']}}}",
        f"@ .faint text{{fill:{grey}}}@ .faint .body{{fill:{ground};stroke:{grey}}}",
        f"@ .faint .fwd,@ .faint .bwd,@ .faint .k,@ .faint .inner{{stroke:{grey}}}",
        f"@ .faint .ah,@ .faint .bh,@ .dot.faint .body{{fill:{grey}}}",
        f"@ .hand{{fill:{c['text']}}}@ .k.hand{{fill:none;stroke:{c['text']}}}",
        *(f"@ .disc.{v}{{fill:{c[v]}}}@ .ring.{v}{{stroke:{c[v]}}}" for v in ("good", "bad")),
        f"@ .failed .body{{fill:{c['output']};stroke:{c['bad']}}}@ .failed .n{{fill:{c['text']}}}",
        f"@ .tick{{stroke:{ground}}}@ .flag{{fill:{c['bad']}}}@ .flagged{{fill:{ground}}}",
    ]


def _coloured(side: int, palette: str, overlaid: bool) -> str:
    c = {name: pair[side] for name, pair in (_COLOURS | PALETTES[palette]).items()}
    rules = [
        f"@ text{{fill:{c['text']}}}@ .bg{{fill:{c['background']}}}",
        f"@ .v{{fill:{c['value']}}}@ .g{{fill:{c['gradient']}}}@ .r{{fill:{c['rule']}}}",
        f"@ .n,@ .cap{{fill:{c['grey']}}}",
        f"@ .fwd{{stroke:{c['line']}}}@ .ah,@ .dot .body{{fill:{c['line']}}}",
        f"@ .bwd{{stroke:{c['gradient']}}}@ .bh{{fill:{c['gradient']}}}",
        f"@ .k.v{{fill:none;stroke:{c['value']}}}@ .k.g{{fill:none;stroke:{c['gradient']}}}",
        f"@ .frame{{fill:{c['frame']};stroke:{c['frame-line']}}}",
    ]
    for kind in ("op", "input", "parameter", "constant", "output", "fold"):
        line = c[f"{kind}-line"]
        rules.append(f"@ .{kind} .body{{fill:{c[kind]};stroke:{line}}}")
    rules.append(f"@ .parameter .inner{{stroke:{c['parameter-line']}}}")
    rules += _overlaid(c) if overlaid else []
    for step in range(-HEAT_STEPS, HEAT_STEPS + 1):
        zero, full = _WARM if step > 0 else _COLD
        colour = _between(zero[side], full[side], abs(step) / HEAT_STEPS)
        rules.append(f"@ .{heat_class(step)}{{fill:{colour}}}")
    rules.append(f"@ .hn{{fill:{c['text']}}}")
    return "\n".join(rules) + "\n"


def _between(a: str, b: str, t: float) -> str:
    parts = [(int(a[k : k + 2], 16), int(b[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(x + (y - x) * t):02x}" for x, y in parts)
