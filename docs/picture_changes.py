"""What changed between two versions of an SVG picture, told in a few lines a person can read.

Knows texts, elements and positions in our SVG files; not graphs.
"""

from __future__ import annotations

import difflib
import re

LABEL = re.compile(r">([^<>]+)</t")
OWN = re.compile(r"\bag[0-9a-f]{10}\b")  # the prefix that a picture's own hash gives its ids
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
ELEMENT = re.compile(r"<(\w+)")


def changes(name: str, old: str | None, new: str) -> list[str]:
    """One line that says what kind of change it is, then the texts that went and came.

    >>> changes("a.svg", "<g><text x='1'>x</text></g>", "<g><text x='2'>x</text></g>")
    ['a.svg: positions only, in 1 of 1 lines']
    >>> changes("a.svg", "<text>x</text>", "<text>W</text>")
    ['a.svg: texts', '  - x', '  + W']
    """
    if old is None:
        return [f"{name}: new"]
    if old == new:
        return []
    old, new = OWN.sub("", old), OWN.sub("", new)
    told = [
        f"  {line[0]} {line[1:]}"
        for line in difflib.unified_diff(LABEL.findall(old), LABEL.findall(new), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    if told:
        return [f"{name}: texts", *told]
    if ELEMENT.findall(old) != ELEMENT.findall(new):
        return [f"{name}: other elements, the same texts"]
    pairs = list(zip(old.splitlines(), new.splitlines(), strict=False))
    moved = sum(a != b for a, b in pairs)
    same = [NUMBER.sub("", text) for text in (old, new)]
    kind = "positions only" if same[0] == same[1] else "style"
    return [f"{name}: {kind}, in {moved} of {len(pairs)} lines"]
