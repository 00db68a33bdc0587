"""Scalars of a machine program: LLVM's instructions, written by ordinary operators.

``a * b + 1`` on two scalars writes two instructions; the same instruction on the same operands is
written once. Knows LLVM's types and instructions. Does not know loops, arrays nor NumPy's
functions. Imports errors, NumPy and struct.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_lite.errors import UnsupportedError

__all__ = ["Code", "Scalar", "memory_type", "supported"]

_TYPES = {
    "?": "i1", "b": "i8", "h": "i16", "i": "i32", "l": "i64", "q": "i64", "B": "i8", "H": "i16",
    "I": "i32", "L": "i64", "Q": "i64", "f": "float", "d": "double",
}  # fmt: skip
_COMPARED = {"==": "oeq", "!=": "une", "<": "olt", "<=": "ole", ">": "ogt", ">=": "oge"}


def supported(dtype: Any) -> bool:
    """Whether machine code knows numbers of that dtype: bool, integers, float32, float64."""
    return dtype is not None and dtype.char in _TYPES and dtype.isnative


def memory_type(dtype: np.dtype[Any]) -> str:
    """LLVM's type of an element in memory: a bool takes a byte."""
    return "i8" if dtype.kind == "b" else _TYPES[dtype.char]


class Code:
    """The text of one function, as it is written; it never writes an instruction twice."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.declared: set[str] = set()
        self._count = 0
        self._known: list[dict[str, str]] = [{}]
        self._made: dict[str, str] = {}  # the instruction of each pure result

    def fresh(self, stem: str = "v") -> str:
        """A name that is not used yet."""
        self._count += 1
        return f"%{stem}{self._count}"

    def label(self, stem: str) -> str:
        """A label that is not used yet, without its sign."""
        return self.fresh(stem)[1:]

    def line(self, text: str) -> None:
        """One line as it is."""
        self.lines.append(text)

    def pure(self, text: str) -> str:
        """The name of the result of an instruction that depends on its operands alone."""
        for known in self._known:
            if text in known:
                return known[text]
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        self._known[-1][text] = name
        self._made[name] = text
        return name

    def made_by(self, name: str) -> str:
        """The instruction whose result that is; a constant's own text."""
        return self._made.get(name, name)

    def effect(self, text: str) -> str:
        """The name of the result of an instruction that reads memory: written every time."""
        name = self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    @contextmanager
    def block(self) -> Iterator[None]:
        """What is computed inside is known inside alone: the body of a loop."""
        self._known.append({})
        try:
            yield
        finally:
            self._known.pop()

    def constant(self, value: Any, dtype: Any) -> "Scalar":
        """A number of that dtype."""
        return Scalar(self, _literal(value, np.dtype(dtype)), np.dtype(dtype))

    def call(self, name: str, *args: "Scalar", dtype: Any = None) -> "Scalar":
        """The result of a function without side effects, declared where needed."""
        dtype = args[0].dtype if dtype is None else np.dtype(dtype)
        kinds = ", ".join(_TYPES[arg.dtype.char] for arg in args)
        result = _TYPES[dtype.char]
        pure = "" if name.startswith("llvm.") else " nounwind willreturn memory(none)"
        self.declared.add(f"declare {result} @{name}({kinds}){pure}")
        given = ", ".join(f"{_TYPES[arg.dtype.char]} {arg.name}" for arg in args)
        return Scalar(self, self.pure(f"call {result} @{name}({given})"), dtype)


def _literal(value: Any, dtype: np.dtype[Any]) -> str:
    if dtype.kind == "f":
        exact = float(np.asarray(value).astype(dtype))
        return f"0x{struct.unpack('<Q', struct.pack('<d', exact))[0]:016X}"
    if dtype.kind == "b":
        return "true" if value else "false"
    return str(int(np.asarray(value).astype(dtype)))


class Scalar:
    """A value in a register: operators write instructions."""

    __array_ufunc__ = None
    __slots__ = ("code", "dtype", "name")
    __hash__ = None  # type: ignore[assignment]  # == writes a comparison

    def __init__(self, code: Code, name: str, dtype: np.dtype[Any]) -> None:
        self.code = code
        self.name = name
        self.dtype = dtype

    # arithmetic

    def _of(self, other: Any) -> "Scalar":
        return other if isinstance(other, Scalar) else self.code.constant(other, self.dtype)

    def _pure(self, text: str, dtype: Any = None) -> "Scalar":
        return Scalar(self.code, self.code.pure(text), self.dtype if dtype is None else dtype)

    def _binary(self, real: str, whole: str, a: Any, b: Any, flags: str = "") -> "Scalar":
        a, b = self._of(a), self._of(b)
        how = f"{real}{flags}" if self.dtype.kind == "f" else whole
        return self._pure(f"{how} {_TYPES[self.dtype.char]} {a.name}, {b.name}")

    def __add__(self, other: Any) -> "Scalar":
        return self._binary("fadd", "add", self, other)

    def __radd__(self, other: Any) -> "Scalar":
        return self._binary("fadd", "add", other, self)

    def __sub__(self, other: Any) -> "Scalar":
        return self._binary("fsub", "sub", self, other)

    def __rsub__(self, other: Any) -> "Scalar":
        return self._binary("fsub", "sub", other, self)

    def __mul__(self, other: Any) -> "Scalar":
        both = self._other_choice(other)
        return self._binary("fmul", "mul", *(both or (self, other)))

    def __rmul__(self, other: Any) -> "Scalar":
        return self._binary("fmul", "mul", other, self)

    def __truediv__(self, other: Any) -> "Scalar":
        return self._binary("fdiv", "", self, other)

    def __rtruediv__(self, other: Any) -> "Scalar":
        return self._binary("fdiv", "", other, self)

    def __neg__(self) -> "Scalar":
        if self.dtype.kind != "f":
            return self.code.constant(0, self.dtype) - self
        return self._pure(f"fneg {_TYPES[self.dtype.char]} {self.name}")

    def freely(self, name: str, other: "Scalar") -> "Scalar":
        """A sum or product whose terms LLVM may order as it likes: of reductions, of matmul."""
        whole = {"fadd": "add", "fmul": "mul"}[name]
        return self._binary(name, whole, self, other, " reassoc nsz contract")

    # integers

    def quotient(self, other: Any) -> "Scalar":
        """The quotient of integers without its fraction; the divisor is neither 0 nor −1."""
        return self._binary("", "udiv" if self.dtype.kind == "u" else "sdiv", self, other)

    def rest(self, other: Any) -> "Scalar":
        """What the quotient leaves, with the sign of the dividend."""
        return self._binary("frem", "urem" if self.dtype.kind == "u" else "srem", self, other)

    def __and__(self, other: Any) -> "Scalar":
        return self._binary("", "and", self, other)

    def __or__(self, other: Any) -> "Scalar":
        return self._binary("", "or", self, other)

    def __xor__(self, other: Any) -> "Scalar":
        return self._binary("", "xor", self, other)

    def __invert__(self) -> "Scalar":
        return self ^ (1 if self.dtype.kind == "b" else -1)

    def __lshift__(self, other: Any) -> "Scalar":
        return self._binary("", "shl", self, other)

    def __rshift__(self, other: Any) -> "Scalar":
        return self._binary("", "ashr" if self.dtype.kind == "i" else "lshr", self, other)

    def above(self, bits: int) -> "Scalar":
        """The bits of an integer above the lowest ones, moved down; zeros come in."""
        return self._binary("", "lshr", self, bits)

    # comparisons and choices

    def _compare(self, sign: str, other: Any) -> "Scalar":
        other = self._of(other)
        if self.dtype.kind == "f":
            how = f"fcmp {_COMPARED[sign]}"
        else:
            signed = "s" if self.dtype.kind == "i" else "u"
            order = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
            how = f"icmp {'eq' if sign == '==' else 'ne' if sign == '!=' else signed + order[sign]}"
        text = f"{how} {_TYPES[self.dtype.char]} {self.name}, {other.name}"
        return self._pure(text, np.dtype(np.bool_))

    def __lt__(self, other: Any) -> "Scalar":
        return self._compare("<", other)

    def __le__(self, other: Any) -> "Scalar":
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> "Scalar":
        return self._compare(">", other)

    def __ge__(self, other: Any) -> "Scalar":
        return self._compare(">=", other)

    def __eq__(self, other: object) -> "Scalar":  # type: ignore[override]  # a scalar, not a bool
        return self._compare("==", other)

    def __ne__(self, other: object) -> "Scalar":  # type: ignore[override]  # a scalar, not a bool
        return self._compare("!=", other)

    def choose(self, a: Any, b: Any) -> "Scalar":
        """``a`` where this condition holds, else ``b``."""
        how = self.code.made_by(self.name)
        if how.startswith("xor i1 ") and how.endswith(", true"):  # not
            return Scalar(self.code, how.split()[2][:-1], self.dtype).choose(b, a)
        like = a if isinstance(a, Scalar) else b
        a, b = like._of(a), like._of(b)
        kind = _TYPES[like.dtype.char]
        text = f"select i1 {self.name}, {kind} {a.name}, {kind} {b.name}"
        return self._pure(text, like.dtype)

    # what is known of a value from how it was made

    def is_number(self) -> bool:
        """Whether it cannot be NaN: converted from an integer, or a constant that is none."""
        how = self.code.made_by(self.name)
        if how.startswith("0x"):
            exact = struct.unpack("<d", struct.pack("<Q", int(how, 16)))[0]
            return bool(exact == exact)
        return how.startswith(("uitofp", "sitofp"))

    def is_not_positive(self) -> bool:
        """Whether it is −|x|."""
        negated = self._negated()
        return negated is not None and "@llvm.fabs." in self.code.made_by(negated.name)

    def _negated(self) -> "Scalar | None":
        """The x of −x."""
        how = self.code.made_by(self.name)
        return Scalar(self.code, how.split()[-1], self.dtype) if how.startswith("fneg") else None

    def _other_choice(self, other: Any) -> "tuple[Scalar, Scalar] | None":
        """The a and b of which this is one by a condition, and the other one is the other."""
        if not isinstance(other, Scalar):
            return None
        ours, others = (self.code.made_by(one.name).split() for one in (self, other))
        if ours[0] != "select" or others[0] != "select" or ours[2] != others[2]:
            return None
        a, b = ours[4][:-1], ours[6]
        if (a, b) != (others[6], others[4][:-1]):
            return None
        return Scalar(self.code, a, self.dtype), Scalar(self.code, b, self.dtype)

    # functions that machines have

    def _intrinsic(self, name: str, *more: "Scalar") -> "Scalar":
        bits = {"f": "f32", "d": "f64"}[self.dtype.char]
        return self.code.call(f"llvm.{name}.{bits}", self, *more)

    def root(self) -> "Scalar":
        """The square root, rounded rightly."""
        return self._intrinsic("sqrt")

    def size(self) -> "Scalar":
        """The absolute value."""
        if self.dtype.kind == "f":
            return (self._negated() or self)._intrinsic("fabs")
        return self if self.dtype.kind != "i" else (self < 0).choose(-self, self)

    def rounded(self, how: str) -> "Scalar":
        """A whole number nearby: ``floor``, ``ceil``, ``trunc`` or ``roundeven``."""
        return self._intrinsic(how) if self.dtype.kind == "f" else self

    def has_sign(self) -> "Scalar":
        """Whether the sign of a floating number is minus: of −0 too."""
        negated = self._negated()
        return self.bits() < 0 if negated is None else ~negated.has_sign()

    def with_sign_of(self, other: "Scalar") -> "Scalar":
        """This size with that sign."""
        return self._intrinsic("copysign", other)

    def times_plus(self, factor: Any, term: Any) -> "Scalar":
        """``self·factor + term`` rounded once."""
        return self._intrinsic("fma", self._of(factor), self._of(term))

    def bits(self) -> "Scalar":
        """The bits of a floating number as an integer of its size."""
        whole: np.dtype[Any] = np.dtype(np.int32 if self.dtype.itemsize == 4 else np.int64)
        text = f"bitcast {_TYPES[self.dtype.char]} {self.name} to {_TYPES[whole.char]}"
        return self._pure(text, whole)

    def from_bits(self) -> "Scalar":
        """The floating number of these bits."""
        real = np.dtype(np.float32 if self.dtype.itemsize == 4 else np.float64)
        return self._pure(f"bitcast {_TYPES[self.dtype.char]} {self.name} to {_TYPES[real.char]}",
                          real)  # fmt: skip

    def cast(self, dtype: Any) -> "Scalar":
        """The value as NumPy's ``astype`` converts it."""
        to = np.dtype(dtype)
        if self.dtype == to:
            return self
        if to.kind == "b":
            return self != 0
        return Scalar(self.code, self.code.pure(_conversion(self, to)), to)


def _conversion(x: Scalar, to: np.dtype[Any]) -> str:
    source, target = _TYPES[x.dtype.char], _TYPES[to.char]
    if source == target:
        return f"select i1 true, {source} {x.name}, {source} {x.name}"
    wider = to.itemsize > x.dtype.itemsize
    if x.dtype.kind == "f":
        if to.kind != "f":
            raise UnsupportedError("floating numbers to integers: left to NumPy")
        how = "fpext" if wider else "fptrunc"
    elif to.kind == "f":
        how = "sitofp" if x.dtype.kind == "i" else "uitofp"
    elif x.dtype.kind == "b":
        how = "zext"
    else:
        how = "trunc" if not wider else "sext" if x.dtype.kind == "i" else "zext"
    return f"{how} {source} {x.name} to {target}"
