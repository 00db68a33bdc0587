"""How wide a text will be, from our own table, so that every machine lays out the same picture.

Knows the advance widths of the widest face of the font stack (DejaVu Sans and its bold), so that
text set in a narrower face fits too. Does not know arrays, graphs or SVG. Imports nothing of ours.
"""

import unicodedata

__all__ = ["MONO", "cells", "mono_width", "text_width"]

MONO = 0.602  # advance of the monospaced faces, in em

# Thousandths of an em, for the characters 32 … 126.
# fmt: off
_REGULAR = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)
_BOLD = (
    348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696,
    696, 696, 696, 696, 696, 696, 696, 400, 400, 838, 838, 838, 580, 1000, 774, 762, 734, 830, 683,
    683, 821, 837, 372, 372, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812, 774, 1103, 771,
    724, 725, 457, 365, 457, 838, 500, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665,
    343, 1042, 712, 687, 716, 716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
)
# fmt: on
_SYMBOLS = {"·": 380, "²": 438, "³": 438, "ᵀ": 430, "∂": 544, "…": 1000}


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in pixels of proportional text of a font size.

    >>> round(text_width("Wi", 10.0), 2)
    12.67
    """
    table = _BOLD if bold else _REGULAR
    return sum(_advance(ch, table) for ch in text) * size / 1000


def mono_width(text: str, size: float) -> float:
    """Width in pixels of monospaced text of a font size."""
    return cells(text) * MONO * size


def cells(text: str) -> int:
    """How many columns of a terminal a text fills.

    >>> cells("x²"), cells("漢字"), cells("e\u0301")
    (2, 4, 1)
    """
    return sum(_columns(ch) for ch in text)


def _columns(ch: str) -> int:
    if unicodedata.combining(ch):
        return 0
    return 2 if unicodedata.east_asian_width(ch) in "WF" else 1


def _advance(ch: str, table: tuple[int, ...]) -> int:
    code = ord(ch) - 32
    if 0 <= code < len(table):
        return table[code]
    if ch in _SYMBOLS:
        return _SYMBOLS[ch]
    if unicodedata.combining(ch):
        return 0
    return 1050 if unicodedata.east_asian_width(ch) in "WF" else 850
