"""`autograd-lite compare`: every hand-written layer of a file or notebook, checked.

Knows: the options, what is printed, exit codes.
Does not know: how layers are found, given inputs, compared.
Imports: the comparison of files, errors.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from autograd_lite.comparison.files import Settings, Survey, survey
from autograd_lite.comparison.files.given import parsed
from autograd_lite.errors import CompareError

__all__ = ["add"]

_ABOUT = """\
Find every hand-written layer of a Python file or a notebook (classes with forward and backward,
pairs of functions, losses that return their gradient, networks, layers made at module level), make
inputs for it, and hold its gradients against those of its own forward pass, traced, and against
numbers.

The file is RUN, as importing it would run it: its top-level code, and not what stands under
`if __name__ == "__main__"`. It runs in another process; every statement of it and every layer has
the time limit, and the process three quarters of the memory, so that what hangs or crashes is
told, and the rest is checked all the same."""

_CODES = """\
exit codes: 0 all that was checked is right; 1 something is wrong, hung or crashed; 2 nothing could
be checked, or the command was not understood.

inputs that you give: --input x=[[1,2],[3,4]], --input Affine.W=weights.npy, --input x=NAME (a
variable of the file), --shape x=4,3; or a function `cases()` in the file, or in --cases CASES.py,
that yields (layer, input, ...); or --cases CASES.json: {"Affine": {"x": {"shape": [4, 3]}}}."""


def add(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = commands.add_parser(
        "compare",
        help="check every hand-written layer of a file or notebook",
        description=_ABOUT,
        epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="a .py file or an .ipynb notebook; it is run")
    parser.add_argument("--list", action="store_true", help="only say which layers there are")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="check this layer (repeatable)"
    )
    parser.add_argument(
        "--input", action="append", default=[], metavar="NAME=VALUE", help="an argument's value"
    )
    parser.add_argument(
        "--shape", action="append", default=[], metavar="NAME=4,3", help="an argument's shape"
    )
    parser.add_argument("--cases", metavar="FILE", help="a .json, .yaml or .py file of inputs")
    parser.add_argument(
        "--fuzz", action="store_true", help="try other shapes, dtypes and sizes of batches too"
    )
    parser.add_argument("--report", metavar="FILE", help="write it all: .html, .md or .json")
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="SECONDS", help="for each layer (30)"
    )
    parser.set_defaults(run=_compare)


def _compare(options: argparse.Namespace) -> int:
    if options.timeout <= 0:
        raise CompareError("--timeout must be more than 0 seconds", mend="leave it out for 30")
    settings = Settings(
        given=parsed(options.input, options.shape),
        cases=options.cases,
        only=tuple(options.only),
        timeout=options.timeout,
        listed=options.list,
        fuzz=options.fuzz,
        whole=options.report is not None,
    )
    try:
        found = survey(options.file, settings, _told)
    except KeyboardInterrupt:
        print("autograd-lite: interrupted", file=sys.stderr)
        return 130
    finally:
        _told("")
    if options.list:
        return _listed(found)
    print(found.text(colour=sys.stdout.isatty() and "NO_COLOR" not in os.environ))
    if options.report:
        print(found.save(options.report))
    return found.code


def _told(name: str) -> None:
    """Which layer is being checked, on a terminal; nothing takes it away again."""
    if sys.stderr.isatty():
        print(
            f"\r\x1b[K{f'checking {name} …' if name else ''}", end="", file=sys.stderr, flush=True
        )


def _listed(found: Survey) -> int:
    for row in found.rows:
        print(f"{row.name}  {row.where}".rstrip())
    print(f"{len(found.rows)} layer{'s' if len(found.rows) != 1 else ''}")
    return 0 if found.rows else 2
