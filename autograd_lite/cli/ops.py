"""`autograd-lite ops`: the operators.

Knows: the registry's columns. Does not know: any operator. Imports: lower floors.
"""

from __future__ import annotations

import argparse
from typing import Any

from autograd_lite.cli.columns import columns
from autograd_lite.errors import CompareError
from autograd_lite.rules import OPS

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand to a parser's."""
    parser = commands.add_parser("ops", help="list the operators")
    parser.add_argument("--kind", help="only operators of this kind, for example pointwise")
    parser.set_defaults(run=_ops)


def _ops(options: argparse.Namespace) -> int:
    kinds = sorted({op.kind for op in OPS.values()})
    if options.kind is not None and options.kind not in kinds:
        raise CompareError(f"no operator is {options.kind}", mend=f"one of: {', '.join(kinds)}")
    chosen = [op for _, op in sorted(OPS.items()) if options.kind in (None, op.kind)]
    rows = [[op.name, op.kind, op.symbol, ", ".join(op.array_names)] for op in chosen]
    print(columns([["operator", "kind", "symbol", "arguments"], *rows]))
    print(f"{len(rows)} operator" + ("s" if len(rows) != 1 else ""))
    return 0
