"""The command `autograd-lite`: also `python -m autograd_lite`.

Knows: its subcommands, one module each, and exit codes (0 all right, 1 something differs, 2 it
could not be done, said in one line).
Does not know: what a subcommand does.
Imports: its subcommands, errors.

To add one, write a module with a function `add(commands)`, and name it in `_COMMANDS`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from autograd_lite.cli import compare, demo, derive, doctor, drawing, ops
from autograd_lite.errors import AutogradError

__all__ = ["main"]

_COMMANDS = (demo, drawing, compare, derive, ops, doctor)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (those of the process if None); return its exit code.

    >>> main(["ops", "--kind", "multilinear"])  # doctest: +ELLIPSIS
    operator  kind         symbol  arguments
    ...
    0
    """
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except AutogradError as error:
        advice = f"; {error.mend}" if error.mend else ""
        print(f"autograd-lite: {error.what}{advice}", file=sys.stderr)
    except OSError as error:
        named = f"{error.filename}: " if error.filename else ""
        print(f"autograd-lite: {named}{error.strerror or error}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograd-lite",
        description="NumPy expressions as graphs: derivatives, pictures, checks of gradients.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in _COMMANDS:
        command.add(commands)
    return parser
