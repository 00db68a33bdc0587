"""`make bench`: the report of every benchmark in this folder, or of those named.

    python -m tests.benchmarks [NAME …] [--work PART …] [--contender NAME …] [--threads N]
    python -m tests.benchmarks --list

A benchmark is a module with a function `report() -> str`; it compares with its peers on the same
machine in the same run, and gives ratios. `--work` and the options after it are for those whose
`report` takes them (`compiled`).
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

NAMES = sorted(
    path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")
)


def module_of(name: str) -> Any:
    return importlib.import_module(f"tests.benchmarks.{name}")


def listing() -> str:
    """The benchmarks, with what each measures, and the works of those that have some."""
    lines = []
    for name in NAMES:
        module = module_of(name)
        lines.append(f"{name:14}{(module.__doc__ or '').strip().splitlines()[0]}")
        lines += [f"    work       {work}" for work in getattr(module, "WORKS", ())]
        lines += [f"    contender  {one}" for one in getattr(module, "CONTENDERS", ())]
    return "\n".join(lines)


def main(words: list[str]) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    name = "python -m tests.benchmarks"
    parser = argparse.ArgumentParser(prog=name, description=__doc__, formatter_class=raw)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--list", action="store_true", help="works and contenders; measures nothing"
    )
    parser.add_argument(
        "--work", action="append", metavar="PART", help="works with this in the name"
    )
    parser.add_argument(
        "--contender", action="append", metavar="NAME", help="these contenders alone"
    )
    parser.add_argument("--threads", type=int, help="threads of BLAS and of large loops")
    given = parser.parse_args(words)
    unknown = sorted(set(given.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}: there are {', '.join(NAMES)}")
    if given.list:
        print(listing())
        return
    options = {
        key: value for key, value in vars(given).items()
        if key in ("work", "contender", "threads") and value is not None
    }  # fmt: skip
    for name in given.names or NAMES:
        report = module_of(name).report
        foreign = sorted(options.keys() - inspect.signature(report).parameters.keys())
        if foreign:
            parser.error(f"{name} takes no --{foreign[0]}")
        try:
            print(f"{name}\n{report(**options)}\n", flush=True)
        except ValueError as error:
            parser.error(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
