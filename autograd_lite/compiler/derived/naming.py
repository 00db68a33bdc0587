"""Identifiers for the values of generated code: checked, unique, the user's own where there are.

A value is called as its tensor; else as the variable to which the user's line assigned it; else by
its operator and operand; else z, z2, …. Whatever is no plain identifier is passed over, so that no
text of a user gets into code. Imports graph and Python's own lists of words.
"""

import builtins
import dis
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from types import CodeType

import numpy as np

from autograd_lite.graph import Leaf, Node

__all__ = ["Names", "assigned_names", "usable"]

_LONG = 16  # characters of a name
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED = {"self", "np", "dout", "forward", "backward", *keyword.kwlist, *keyword.softkwlist,
             *dir(builtins)}  # fmt: skip
_STORES = {"STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF"}
_WORD = re.compile(r"[a-z]")  # in the code of an operator that is no sign


def usable(name: str | None, long: int = _LONG) -> bool:
    """Whether a name may stand in generated code: a plain word, not too long."""
    return (
        name is not None
        and len(name) <= long
        and _PLAIN.fullmatch(name) is not None
        and name not in _RESERVED
    )


def assigned_names(nodes: Sequence[Node], outside: CodeType | None = None) -> dict[Node, str]:
    """The variables to which the user's code assigned results, as its bytecode tells.

    ``outside`` is code that called the function, and whose variables say nothing.
    """
    found: dict[Node, str] = {}
    applied = [node for node in nodes if not isinstance(node, Leaf)]
    for node, after in zip_longest(applied, applied[1:]):
        last = after is None or (after.code, after.offset) != (node.code, node.offset)
        if last and node.code is not None and node.code is not outside:
            name = _stored(node.code, node.offset)
            if name is not None and usable(name):
                found[node] = name
    return found


def _stored(code: CodeType, offset: int) -> str | None:
    """The variable or attribute that takes the result of the instruction at an offset."""
    after = (one for one in dis.get_instructions(code) if one.offset > offset)
    following = next(after, None)
    if following is not None and following.opname.startswith("LOAD_FAST"):  # self, of self.name
        following = next((one for one in after if one.opname != "CACHE"), None)
        return str(following.argval) if following and following.opname == "STORE_ATTR" else None
    if following is None or following.opname not in _STORES:
        return None
    return str(following.argval)


class Names:
    """Names given to nodes, each once."""

    def __init__(self, wished: Mapping[Node, str], reserved: Iterable[str] = ()) -> None:
        self.wished = wished
        self.taken = set(reserved)
        self.later: set[str] = set()
        self.given: dict[Node, str] = {}

    def expect(self, nodes: Iterable[Node]) -> None:
        """Leave the names that are wished for these to them."""
        self.later |= {wish for node in nodes if usable(wish := self.wished.get(node, ""))}

    def fix(self, node: Node, name: str) -> str:
        """Give a node this name, with a number behind it if it is taken."""
        self.given[node] = self.free(name)
        return self.given[node]

    def free(self, name: str, *, wished: bool = True) -> str:
        """This name, or the first of its numbered kin that is free, as its gradient's is.

        One that is not wished for leaves alone what is wished for elsewhere.
        """
        k, found = 1, name
        while self.taken & {found, f"d{found}"} or (not wished and found in self.later):
            k += 1
            found = f"{name}{k}"
        self.taken |= {found, f"d{found}"}
        return found

    def of(self, node: Node) -> str:
        """The name of a node."""
        if node not in self.given:
            wish = self.wished.get(node, "")
            if usable(wish):
                self.fix(node, wish)
            else:
                self.given[node] = self.free(self._described(node), wished=False)
        return self.given[node]

    def _described(self, node: Node) -> str:
        name = node.op.name.strip("_")
        if node.dtype == np.bool_:
            return "mask"
        first = next((p for p in node.inputs if isinstance(p, Node)), None)
        operand = self.given.get(first, "") if first is not None else ""
        if name == "sqrt":
            return _called_root(node)
        if name in _MOVES:
            return operand or "part"
        if name == "subtract" and all(isinstance(p, Node) for p in node.inputs):
            return "diff"
        if name == "where":
            return "z"
        if name in _SHORT and not operand:
            return _SHORT[name]
        if name == "sum" and not operand:
            return "total"
        if isinstance(node.op.code, str) and node.op.code and not _WORD.search(node.op.code):
            return "z"
        name = "h" if name in ("maximum", "minimum") else name
        whole = f"{name}_{operand}"
        own = f"{name}_" if name in _RESERVED else name
        return whole if operand and name != "h" and usable(whole) else own if usable(own) else "v"


_MOVES = ("getitem", "reshape", "permute_dims")
_SHORT = {"exp": "e", "sigmoid": "s", "tanh": "t"}  # of what has no name itself


def _called_root(node: Node) -> str:
    """What the root of a sum of squares is called, of their mean, of a variance."""
    inner = node.inputs[0]
    while isinstance(inner, Node) and inner.op.name in ("add", "reshape"):
        inner = inner.inputs[0]
    name = inner.op.name if isinstance(inner, Node) else ""
    return {"sum": "norm", "mean": "rms", "var": "std"}.get(name, "root")
