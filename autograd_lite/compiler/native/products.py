"""Matrix products: small ones as loops over vectors, large ones by a call of BLAS.

Knows matrices as strides in memory. Imports values, and the writer by its methods alone.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.compiler.native.scalars import memory_type
from autograd_lite.compiler.native.values import Value, strides_of

__all__ = ["BLAS", "Matrix", "write_product"]

BLAS = {np.dtype(np.float32): "sgemm_", np.dtype(np.float64): "dgemm_"}
_LOOPS_BELOW = 1 << 13  # multiplications up to which loops are as quick as the call
_BYTES = 128  # of a row of the product that stay in registers


class Matrix(NamedTuple):
    """A (batch of) matrices in memory."""

    base: Value
    start: int
    batch: tuple[int, ...]  # strides
    row: int
    column: int

    @classmethod
    def of(cls, value: Value, layout: Any) -> "Matrix":
        """How a value lies in memory; axes of size 1 have the stride 0."""
        base, strides, start, _ = layout(value)
        kept = tuple(0 if n == 1 else s for n, s in zip(value.shape, strides, strict=True))
        return cls(base, start, kept[:-2], kept[-2], kept[-1])


def write_product(writer: Any, root: Value, layout: Any) -> None:
    """The product of two matrices, or of batches of them."""
    a, b = (Matrix.of(arg, layout) for arg in root.args)
    *batch, m, n = root.shape
    k = root.args[0].shape[-1]
    c = Matrix(root, 0, strides_of(root.shape)[:-2], n, 1)
    call = m * n * k > _LOOPS_BELOW and _fits(a, m, k) and _fits(b, k, n)
    with writer.nest(batch) as variables:
        pointers = [_pointer(writer, one, variables) for one in (a, b, c)]
        if call:
            _blas(writer, (a, b), pointers, (m, n, k), root.dtype)
        elif n and k and b.column in (1, 0) and n > 1:
            _rows(writer, (a, b), pointers, (m, n, k), root.dtype)
        else:
            _dots(writer, (a, b, c), pointers, (m, n, k), root.dtype)


def _pointer(writer: Any, matrix: Matrix, variables: Sequence[str]) -> str:
    """Where a matrix of the batch begins."""
    terms = [(v, s) for v, s in zip(variables, matrix.batch, strict=True) if s]
    return _moved(writer, writer.pointer(matrix.base), matrix.base.dtype, matrix.start, terms)


def _moved(
    writer: Any, pointer: str, dtype: Any, start: int, terms: Sequence[tuple[str, int]]
) -> str:
    code = writer.code
    total = str(start)
    for variable, stride in terms:
        if not stride:
            continue
        term = variable if stride == 1 else code.pure(f"mul nsw i64 {variable}, {stride}")
        total = term if total == "0" else code.pure(f"add nsw i64 {total}, {term}")
    if total == "0":
        return pointer
    return str(code.pure(f"getelementptr {memory_type(dtype)}, ptr {pointer}, i64 {total}"))


def _fits(matrix: Matrix, rows: int, columns: int) -> bool:
    """Whether BLAS can read it: neighbours in a row or in a column lie side by side."""
    by_rows = (matrix.column == 1 or columns == 1) and (matrix.row >= columns or rows == 1)
    by_columns = (matrix.row == 1 or rows == 1) and (matrix.column >= rows or columns == 1)
    return by_rows or by_columns


def _blas(
    writer: Any, matrices: tuple[Matrix, Matrix], pointers: list[str], sizes: Any, dtype: Any
) -> None:
    """C = A·B row by row is Cᵀ = Bᵀ·Aᵀ column by column, which is how BLAS counts."""
    a, b = matrices
    m, n, k = sizes
    code = writer.code
    kind = memory_type(dtype)
    flags_a, lead_a = _mode(a, m, k)
    flags_b, lead_b = _mode(b, k, n)
    whole = [_constant(writer, "i64", value) for value in (n, m, k, lead_b, lead_a, n)]
    one, zero = _constant(writer, kind, 1.0), _constant(writer, kind, 0.0)
    chars = [_constant(writer, "i8", ord(flag)) for flag in (flags_b, flags_a)]
    args = [*chars, *whole[:3], one, pointers[1], whole[3], pointers[0], whole[4], zero,
            pointers[2], whole[5]]  # fmt: skip
    name = BLAS[dtype]
    code.declared.add(f"declare void @{name}({', '.join(['ptr'] * 13)})")
    code.line(f"  call void @{name}({', '.join('ptr ' + arg for arg in args)})")


def _mode(matrix: Matrix, rows: int, columns: int) -> tuple[str, int]:
    if (matrix.column == 1 or columns == 1) and (matrix.row >= columns or rows == 1):
        return "N", max(matrix.row, columns, 1)
    return "T", max(matrix.column, rows, 1)


def _constant(writer: Any, kind: str, value: Any) -> str:
    """A number on the stack, since Fortran takes addresses."""
    name = writer.code.fresh("k")
    text = f"{value:.1f}" if kind in ("float", "double") else str(value)
    writer.entry.append(f"  {name} = alloca {kind}")
    writer.entry.append(f"  store {kind} {text}, ptr {name}")
    return str(name)


def _rows(
    writer: Any, matrices: tuple[Matrix, Matrix], pointers: list[str], sizes: Any, dtype: Any
) -> None:
    """Each row of C by pieces that stay in registers: Σ over k of A[i, k] times a piece of B[k]."""
    a, b = matrices
    m, n, k = sizes
    width = _BYTES // dtype.itemsize
    with writer.loop(m) as i:
        for start in range(0, n - n % width, width * 8):
            count = min(8, (n - start) // width)
            with writer.loop(count) as piece:
                at = writer.code.pure(f"mul nuw nsw i64 {piece}, {width}")
                at = writer.code.pure(f"add nuw nsw i64 {at}, {start}")
                _piece(writer, (a, b), pointers, (i, at, width), (n, k), dtype)
        if n % width:
            _piece(writer, (a, b), pointers, (i, str(n - n % width), n % width), (n, k), dtype)


def _piece(
    writer: Any, matrices: tuple[Matrix, Matrix], pointers: list[str], where: Any, sizes: Any,
    dtype: Any,
) -> None:  # fmt: skip
    a, b = matrices
    i, column, width = where
    n, k = sizes
    code, kind, size = writer.code, memory_type(dtype), dtype.itemsize
    vector = f"<{width} x {kind}>"
    cell = code.fresh("r")
    writer.entry.append(f"  {cell} = alloca {vector}")
    code.line(f"  store {vector} zeroinitializer, ptr {cell}")
    with writer.loop(k) as j:
        left = _moved(writer, pointers[0], dtype, 0, [(i, a.row), (j, a.column)])
        factor = code.effect(f"load {kind}, ptr {left}, align {size}")
        first = code.pure(f"insertelement {vector} poison, {kind} {factor}, i32 0")
        spread = code.pure(
            f"shufflevector {vector} {first}, {vector} poison, <{width} x i32> zeroinitializer"
        )
        right = _moved(writer, pointers[1], dtype, 0, [(j, b.row), (column, 1)])
        row = code.effect(f"load {vector}, ptr {right}, align {size}")
        product = code.effect(f"fmul contract {vector} {spread}, {row}")
        old = code.effect(f"load {vector}, ptr {cell}")
        new = code.effect(f"fadd contract {vector} {old}, {product}")
        code.line(f"  store {vector} {new}, ptr {cell}")
    total = code.effect(f"load {vector}, ptr {cell}")
    target = _moved(writer, pointers[2], dtype, 0, [(i, n), (column, 1)])
    code.line(f"  store {vector} {total}, ptr {target}, align {size}")


def _dots(
    writer: Any, matrices: tuple[Matrix, Matrix, Matrix], pointers: list[str], sizes: Any,
    dtype: Any,
) -> None:  # fmt: skip
    """Each element of C by itself."""
    a, b, c = matrices
    m, n, k = sizes
    code, kind, size = writer.code, memory_type(dtype), dtype.itemsize
    cell = writer.cell(dtype)
    how = "reassoc nsz contract"
    with writer.nest((m, n)) as (i, j):
        code.line(f"  store {kind} 0.0, ptr {cell}")
        with writer.loop(k) as q:
            left = _moved(writer, pointers[0], dtype, 0, [(i, a.row), (q, a.column)])
            right = _moved(writer, pointers[1], dtype, 0, [(q, b.row), (j, b.column)])
            x = code.effect(f"load {kind}, ptr {left}, align {size}")
            y = code.effect(f"load {kind}, ptr {right}, align {size}")
            product = code.effect(f"fmul {how} {kind} {x}, {y}")
            old = code.effect(f"load {kind}, ptr {cell}")
            new = code.effect(f"fadd {how} {kind} {old}, {product}")
            code.line(f"  store {kind} {new}, ptr {cell}")
        total = code.effect(f"load {kind}, ptr {cell}")
        target = _moved(writer, pointers[2], dtype, 0, [(i, c.row), (j, c.column)])
        code.line(f"  store {kind} {total}, ptr {target}, align {size}")
