"""The back ends, one file each: what turns a program into something that runs.

A file here is a back end, found by its name; adding one touches nothing else. It has
``build(program, options)`` as ``compiler.program.BackEnd`` says. Imports errors and program.
"""

import importlib
import pkgutil
from typing import cast

from autograd_lite.compiler.program import BackEnd
from autograd_lite.errors import UnsupportedError

__all__ = ["find", "names"]


def names() -> list[str]:
    """The back ends that are there.

    >>> "numpy" in names()
    True
    """
    return sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )


def find(name: str) -> BackEnd:
    """The back end of that name; ``UnsupportedError`` if there is none."""
    if name not in names():
        raise UnsupportedError(f"no back end {name!r}", mend="backend= " + " or ".join(names()))
    return cast("BackEnd", importlib.import_module(f"{__name__}.{name}"))
