"""Runs the code of a page and puts what it prints back into the page.

A ```` ```python ```` block runs in one namespace per page; a ```` ```text ```` block right after
it is its output. ```` ```python raises ```` shows the error that ends it. In a ```` ```console ````
block the lines after `$ ` run, and the rest is their output; nothing but `autograd-lite` runs
there. ```` ```sh ```` blocks are for the reader. Knows nothing of autograd_lite.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import math
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Block", "alike", "blocks", "refreshed"]

NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?(?![\w])")
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: what stands in it, and where."""

    language: str
    info: str
    text: str
    line: int
    start: int
    end: int


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order; ``line`` is that of the first line inside."""
    return [
        Block(
            match[1],
            match[2].strip(),
            match[3],
            page.count("\n", 0, match.start(3)) + 1,
            match.start(3),
            match.end(3),
        )
        for match in FENCE.finditer(page)
    ]


def refreshed(name: str, page: str, folder: Path) -> str:
    """The page with every shown output replaced by what its code prints, run inside ``folder``."""
    linecache.cache[name] = (len(page), None, page.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    found = blocks(page)
    replacements: list[tuple[Block, str]] = []
    with contextlib.chdir(folder):
        for block, following in zip(found, [*found[1:], None], strict=True):
            if block.language == "python":
                printed = _run(name, block, namespace)
                if following and _is_output(page, block, following):
                    replacements.append((following, printed))
                elif printed:
                    raise AssertionError(f"{name}:{block.line}: prints what the page does not show")
            elif block.language == "console":
                replacements.append((block, "".join(_session(block))))
    for block, text in reversed(replacements):
        if not alike(block.text, text):
            page = page[: block.start] + text + page[block.end :]
    return page


def alike(old: str, new: str) -> bool:
    """Whether two outputs agree but for rounding, which differs between processors.

    Numbers agree to six digits; in a line where a number is nothing but rounding error (below
    1e-11), only the words count.

    >>> alike("dx  0.5  1e-16  at (2,)", "dx  0.5  0  at (1,)"), alike("dx 0.5", "dx 0.6")
    (True, False)
    """
    pairs = list(zip(old.splitlines(), new.splitlines(), strict=False))
    same_length = len(old.splitlines()) == len(new.splitlines())
    return same_length and all(_alike(*pair) for pair in pairs)


def _alike(old: str, new: str) -> bool:
    if re.split(NUMBER, old.replace(" ", "")) == re.split(NUMBER, new.replace(" ", "")):
        numbers = zip(map(float, NUMBER.findall(old)), map(float, NUMBER.findall(new)), strict=True)
        if all(math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-11) for a, b in numbers):
            return True
    noisy = any(0 < abs(float(number)) < 1e-11 for number in NUMBER.findall(old + " " + new))
    return noisy and NUMBER.sub("", old).split() == NUMBER.sub("", new).split()


def _is_output(page: str, block: Block, following: Block) -> bool:
    between = page[block.end : following.start]
    return following.language == "text" and between.split() == ["```", "```text"]


def _run(name: str, block: Block, namespace: dict[str, Any]) -> str:
    """What a block prints; its error too, where the page says that it raises."""
    code = compile("\n" * (block.line - 1) + block.text, name, "exec")
    with contextlib.redirect_stdout(io.StringIO()) as output:
        if block.info != "raises":
            exec(code, namespace)  # noqa: S102  # the page is ours
        else:
            _raise(name, block, namespace, code)
    lines = [line.rstrip() for line in output.getvalue().splitlines()]
    return "".join(f"{line}\n" for line in lines)


def _raise(name: str, block: Block, namespace: dict[str, Any], code: Any) -> None:
    try:
        exec(code, namespace)  # noqa: S102  # the page is ours
    except Exception as error:  # noqa: BLE001  # whatever it raises is what the page shows
        print(f"{type(error).__name__}: {error}")
    else:
        raise AssertionError(f"{name}:{block.line}: raises nothing")


def _session(block: Block) -> Iterator[str]:
    for line in block.text.splitlines():
        if not line.startswith("$ "):
            continue
        program, *arguments = shlex.split(line[2:])
        if program != "autograd-lite":
            raise AssertionError(f"line {block.line}: a console block runs autograd-lite alone")
        done = subprocess.run(  # noqa: S603  # a list, no shell, from our own page
            [sys.executable, "-W", "error", "-m", "autograd_lite", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{line}\n{done.stdout}{done.stderr}")
        yield f"{line}\n{done.stdout}"
