"""How an operator is written: as NumPy code, and as LaTeX.

Knows operators as data, Python's literals, and the signs in which texts of pictures are written.
Does not know any single operator, nor how code is put together from nodes. Imports graph, errors
and NumPy.
"""

import ast
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import UnsupportedError, describe
from autograd_lite.graph import EMPTY, Op

__all__ = ["as_latex", "code", "formula", "literal", "subscript"]


def code(op: Op, operands: Sequence[str], params: Mapping[str, Any] = EMPTY) -> str:
    """The operator applied to operands, as a Python expression.

    The names in it are ``np``, ``scipy``, those of the operands, and, where NumPy has nothing
    alike, the operator's own, which stands for ``op.forward``.

    >>> from autograd_lite.rules import OPS
    >>> code(OPS["multiply"], ["x + 1", "y"])
    '(x + 1) * y'
    >>> code(OPS["sum"], ["x"], {"axis": (0,), "keepdims": False})
    'np.sum(x, axis=(0,))'
    """
    how = op.code or _name_in_numpy(op.forward) or op.name
    if callable(how):
        text = how(*[f"({one})" for one in operands], **params)
    elif "{" in how:
        literals = {name: literal(value) for name, value in params.items()}
        grouped = [f"({one})" for one in operands]
        text = how.format(*grouped, args=", ".join(operands), **literals)
    else:
        function = _found(how) if how.startswith("np.") else op.forward
        keywords = [f"{name}={literal(value)}" for name, value in _chosen(function, params).items()]
        text = f"{how}({', '.join([*operands, *keywords])})"
    return ast.unparse(ast.parse(text, mode="eval"))


def _name_in_numpy(function: Callable[..., Any]) -> str | None:
    """`np.exp`, `np.linalg.inv`; None for a function that is not NumPy's."""
    name = getattr(function, "__name__", "")
    for place in ("np", "np.linalg", "np.fft"):
        if getattr(_found(place), name, None) is function:
            return f"{place}.{name}"
    return None


def _found(dotted: str) -> Any:
    found: Any = np
    for part in dotted.split(".")[1:]:
        found = getattr(found, part)
    return found


def _chosen(function: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that do not have a NumPy function's default."""
    known = inspect.signature(function).parameters if params else {}
    return {
        name: value
        for name, value in params.items()
        if name not in known or not _same(known[name].default, value)
    }


def _same(default: Any, value: Any) -> bool:
    if default is getattr(np, "_NoValue", None):
        return value is None or value is False
    return type(default) is type(value) and bool(default == value)


def literal(value: Any) -> str:
    """A static parameter as a Python expression.

    >>> literal((1, None, float("inf"), np.dtype("float32")))
    '(1, None, np.inf, np.float32)'
    >>> literal(np.array([True, False])), literal(slice(1, None))
    ('np.array([True, False])', 'slice(1, None, None)')

    Raises:
        UnsupportedError: something that is no number, text, dtype, array, or sequence of them.
    """
    if value is None or value is Ellipsis or isinstance(value, (bool, int, str)):
        return "..." if value is Ellipsis else repr(value)
    if isinstance(value, np.generic):
        return literal(value.item())
    if isinstance(value, (float, complex)):
        return re.sub(r"\b(inf|nan)", r"np.\1", repr(value))
    if isinstance(value, slice):
        return f"slice({', '.join(map(literal, (value.start, value.stop, value.step)))})"
    if type(value) in (tuple, list):  # a named tuple is something else
        inner = ", ".join(map(literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    if isinstance(value, np.dtype):
        known = value.isnative and getattr(np, value.name, None) is value.type
        return f"np.{value.name}" if known else f"np.dtype({value.str!r})"
    if isinstance(value, np.ndarray):
        return _array(value)
    raise UnsupportedError(f"no code for {describe(value)}", mend="give numbers, arrays, dtypes")


def _array(value: np.ndarray[Any, Any]) -> str:
    dtype = literal(value.dtype)
    if not value.size:
        return f"np.empty({value.shape}, {dtype})"
    usual = value.dtype == np.asarray(value.tolist()).dtype
    return f"np.array({literal(value.tolist())}{'' if usual else f', {dtype}'})"


def subscript(index: Sequence[Any]) -> str:
    """What stands between the brackets of ``x[…]``; a part that is text is code already.

    >>> subscript((slice(1, None), ..., "rows")), subscript((slice(None, None, -1), None))
    ('1:, ..., rows', '::-1, None')
    """
    return ", ".join(map(_part, index)) or "()"


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, slice):
        return literal(part)
    ends = ["" if end is None else literal(end) for end in (part.start, part.stop, part.step)]
    return ":".join(ends if ends[2] else ends[:2])


# LaTeX


def formula(op: Op, names: Sequence[str]) -> str:
    r"""What the operator computes of inputs of these names, in LaTeX.

    >>> from autograd_lite.rules import OPS
    >>> print(formula(OPS["hypot"], ["x1", "x2"]), formula(OPS["less_equal"], ["a", "b"]))
    \sqrt{x_{1}^2 + x_{2}^2} a \le b
    """
    if not op.latex:
        return as_latex(op.text.format(*names, args=", ".join(names)))
    written = [as_latex(name) for name in names]
    return op.latex.format(*written, args=", ".join(written))


def as_latex(text: str) -> str:
    r"""A text of a picture, a local rule say, as LaTeX.

    >>> print(as_latex("G × (1 − x1²)"), as_latex("−G/√(x² − 1)"), as_latex("Yᵀ·G reshaped"))
    G \times (1 - x_{1}^{2}) -G/\sqrt{x^{2} - 1} Y^{\top}\cdot G\ \text{reshaped}
    """
    return _written(_PIECE.findall(text))


_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ⁽⁾ᵀᴴ", [*"0123456789+-n()", r"\top", r"\mathrm{H}"], strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_SIGNS = {
    "−": "-", "×": r"\times ", "·": r"\cdot ", "∗": r"\ast ", "⋆": r"\star ", "…": r"\dots ",
    "Σ": r"\sum ", "Π": r"\prod ", "Δ": r"\Delta ", "λ": r"\lambda ", "π": r"\pi ",
    "σ": r"\sigma ", "ψ": r"\psi ", "′": "'", "∠": r"\angle ", "⌊": r"\lfloor ",
    "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "≤": r"\le ", "≥": r"\ge ",
    "≠": r"\ne ", "∧": r"\wedge ", "∨": r"\vee ", "¬": r"\neg ", "⊻": r"\veebar ",
     "°": r"^{\circ}", "<": r"\lt ", ">": r"\gt ",
}  # fmt: skip
_BEFORE_A_FUNCTION = {"", *"+−×·/([,"}
_PIECE = re.compile(
    f"[{''.join(_RAISED)}]+|[{''.join(_LOWERED)}]+"  # exponents, indices
    r"|[a-z][a-z0-9_]+(?=\()"  # functions
    r"|[A-Za-z]_[A-Z]|[A-Za-z]\d*(?![A-Za-z_])"  # variables
    r"|[A-Za-z_]+'?(?: [a-z]{2,}'?)*"  # words
    r"|[0-9]+(?:\.[0-9]+)?|\s+|."
)


def _written(pieces: list[str]) -> str:
    parts = []
    i = 0
    while i < len(pieces):
        if pieces[i] in ("√", "^"):
            start, (inner, end) = pieces[i], _operand(pieces, i + 1)
            parts.append((r"\sqrt{" if start == "√" else "^{") + inner + "}")
            i = end
        else:
            gap = pieces[i].isspace() and 0 < i < len(pieces) - 1
            parts.append(_space(pieces, i) if gap else _sign(pieces, i))
            i += 1
    return re.sub(r" +", " ", "".join(parts)).strip()


def _operand(pieces: list[str], start: int) -> tuple[str, int]:
    """The LaTeX of what a root or an exponent reaches over, and where it ends."""
    if pieces[start] != "(":
        return _sign(pieces, start), start + 1
    depth = 0
    for end in range(start, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[end], 0)
        if not depth:
            return _written(pieces[start + 1 : end]), end + 1
    raise UnsupportedError(f"brackets do not match in {''.join(pieces)!r}")


def _space(pieces: list[str], i: int) -> str:
    before, after = pieces[i - 1], pieces[i + 1]
    if _is_phrase(before):
        return r"\," if _is_function(pieces, i - 1) else r"\ "
    if _is_phrase(after) and (before[-1].isalnum() or before[-1] in "ᵀ)]'"):
        return r"\ "
    operand = before[-1] in "ᵀ)]'" or (before[-1].isalnum() and before not in "ΣΠ")
    return r"\," if operand and (after[0].isalnum() or after[0] in "[(") else " "


def _is_phrase(piece: str) -> bool:
    return re.fullmatch(r"[A-Za-z]{2}[A-Za-z0-9_]*'?(?: .*)?", piece) is not None


def _is_function(pieces: list[str], i: int) -> bool:
    """Whether a word is the name of a function: `exp(x)`, or `ln` in `y·ln 2`."""
    if " " in pieces[i] or i + 1 == len(pieces):
        return False
    led = "".join(pieces[:i]).rstrip()[-1:] in _BEFORE_A_FUNCTION
    follower = pieces[i + 2] if pieces[i + 1].isspace() and i + 2 < len(pieces) else " "
    return pieces[i + 1] == "(" or (led and follower[0].isalnum() and not _is_phrase(follower))


def _sign(pieces: list[str], i: int) -> str:
    piece = pieces[i]
    if piece[0] in _RAISED:
        return "^{" + "".join(_RAISED[one] for one in piece) + "}"
    if piece[0] in _LOWERED:
        return "_{" + "".join(_LOWERED[one] for one in piece) + "}"
    if _is_phrase(piece) and _is_function(pieces, i):
        return r"\mathrm{" + piece.replace("_", r"\_") + "}"  # GitHub allows no \operatorname
    variable = re.fullmatch(r"([A-Za-z])_?([A-Z]|\d+)", piece)
    if variable:
        return f"{variable[1]}_{{{variable[2]}}}"
    return rf"\text{{{piece}}}" if _is_phrase(piece) else _SIGNS.get(piece, piece)
