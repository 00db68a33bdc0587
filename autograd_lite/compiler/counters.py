"""Variables that code only adds to: `calls += 1`, `self.calls["f"] += 1`, `log.append(x)`.

Such a count or log is an effect, like printing: no result depends on it. Knows Python's
instructions. Imports nothing of ours.
"""

import dis
from collections.abc import Iterable
from types import CodeType

__all__ = ["only_counted"]

_SILENT = {"CACHE", "NOP", "EXTENDED_ARG", "COPY", "SWAP", "PRECALL", "RESUME", "PUSH_NULL"}
_VARIABLE = ("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME", "LOAD_ATTR", "LOAD_METHOD")
_LOGS = {"append", "extend", "add"}


def only_counted(codes: Iterable[CodeType]) -> frozenset[str]:
    """Names of variables and attributes that all this code reads only to add to them.

    A number to a number, or to an item of a container; or something to the end of a list.

    >>> def f(x):
    ...     global calls, steps
    ...     calls, steps = calls, steps + 1
    ...     f.made += 1
    ...     seen["f"] += 1
    ...     log.append(calls)
    ...     return x
    >>> sorted(only_counted([f.__code__]))
    ['log', 'made', 'seen']
    """
    counted: set[str] = set()
    read: set[str] = set()
    for code in codes:
        steps = [step for step in dis.get_instructions(code) if step.opname not in _SILENT]
        for k, step in enumerate(steps):
            if step.opname in _VARIABLE:
                counts = _counts(steps[k : k + 6])
                (counted if counts else read).add(step.argval)
    return frozenset(counted - read)


def _counts(steps: list[dis.Instruction]) -> bool:
    """Whether the variable that the first of these instructions loads is added to by them."""
    item = len(steps) > 2 and _is_constant(steps[1]) and _is_item(steps[2])
    rest = steps[3:] if item else steps[1:4]
    if rest and rest[0].opname in ("LOAD_ATTR", "LOAD_METHOD") and rest[0].argval in _LOGS:
        return True
    match rest:
        case [number, adds, stores] if _is_constant(number) and adds.argrepr in ("+=", "-="):
            if item:
                return stores.opname == "STORE_SUBSCR"
            return stores.opname.startswith("STORE_") and stores.argval == steps[0].argval
    return False


def _is_constant(step: dis.Instruction) -> bool:
    return step.opname in ("LOAD_CONST", "LOAD_SMALL_INT")


def _is_item(step: dis.Instruction) -> bool:
    return step.opname == "BINARY_SUBSCR" or step.argrepr == "[]"
