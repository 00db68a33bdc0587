"""An array as a few short lines: in full when small, summarised with a heat thumbnail when not.

Knows numbers, brackets, flags (``NaN×3``, ``inf×1``, ``all 0``) and the colour steps of a
thumbnail. Does not know graphs or SVG, and never calls a user's ``repr``. Imports NumPy alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "HEAT_STEPS",
    "ArrayText",
    "form_text",
    "number",
    "one_line",
    "shape_text",
    "tooltip",
    "typeset",
]

HEAT_STEPS = 5  # colour steps on each side of zero
_FULL = 6  # elements shown in full, whatever the shape
_FULL_SHAPE = (3, 4)  # the largest matrix shown in full
_THUMBNAIL = 8  # cells along one side
_SAMPLE = 1 << 20  # elements that statistics are made from
_TOOLTIP = 64  # elements in a tooltip


@dataclass(frozen=True)
class ArrayText:
    """How an array is written: lines of equal length, brackets or not, flags, a thumbnail.

    ``heat`` holds one row per line of cells, each a step from -HEAT_STEPS to HEAT_STEPS, or None
    for a cell that holds NaN.
    """

    lines: tuple[str, ...]
    bracket: bool = False
    flag: str = ""
    heat: tuple[tuple[int | None, ...], ...] = ()

    @property
    def columns(self) -> int:
        """Characters in the longest line."""
        return max((len(line) for line in self.lines), default=0)


def number(value: Any) -> str:
    """One number as ``%.3g``, with a true minus sign.

    >>> number(-0.00012345), number(float("nan")), number(-0.0), number(True), number(2 + 1j)
    ('−0.000123', 'NaN', '0', 'True', '2+1j')
    """
    if isinstance(value, (bool, np.bool_)):
        return "True" if value else "False"
    if isinstance(value, (complex, np.complexfloating)):
        text = f"{value:.3g}"
    elif isinstance(value, (int, np.integer)) and abs(int(value)) < 1_000_000:
        text = str(int(value))
    else:
        text = f"{float(value) + 0.0:.3g}"
    return text.replace("-", "−").replace("nan", "NaN")


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as Python writes it.

    >>> shape_text((2, 3)), shape_text((3,)), shape_text(())
    ('(2, 3)', '(3,)', '()')
    """
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def form_text(shape: tuple[int, ...], dtype: Any) -> str:
    """A shape, and the dtype where it is not the ordinary one.

    >>> form_text((2,), np.dtype("float64")), form_text((2,), np.dtype("float32"))
    ('(2,)', '(2,) float32')
    """
    ordinary = dtype is None or dtype == np.float64
    return shape_text(shape) if ordinary else f"{shape_text(shape)} {dtype}"


def typeset(value: Any) -> ArrayText:
    """The lines that stand for an array (or a number, or a tuple of arrays) in a picture.

    >>> typeset(np.array([[1, -2.5], [10, 0]])).lines
    (' 1 −2.5', '10    0')
    """
    if isinstance(value, tuple):
        return ArrayText((f"{len(value)} arrays",))
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        return ArrayText(("not numbers",))
    if array.size == 0:
        return ArrayText(("empty",))
    small = array.ndim <= 2 and all(n <= m for n, m in zip(array.shape[::-1], _FULL_SHAPE[::-1]))
    if array.size <= _FULL or (small and array.ndim == 2):
        return _in_full(array)
    return _summary(array)


def one_line(text: ArrayText | None) -> str:
    """The same within a sentence: rows in brackets, apart by semicolons.

    >>> one_line(typeset(np.array([[1, -2.5], [10, 0]])))
    '[1 −2.5; 10 0]'
    """
    if text is None:
        return ""
    lines = [" ".join(line.split()) for line in text.lines]
    joined = f"[{'; '.join(lines)}]" if text.bracket else ", ".join(lines)
    return f"{joined} {text.flag}".rstrip()


def tooltip(value: Any) -> str:
    """At most 64 elements in full precision, for a tooltip."""
    if isinstance(value, tuple):
        return f"{len(value)} arrays"
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        return "not numbers"
    rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 and array.size else array.ravel()
    if array.size > _TOOLTIP:
        rows = rows.ravel()[:_TOOLTIP]
    text = np.array2string(rows, max_line_width=100, threshold=_TOOLTIP + 1)
    if array.ndim == 0:
        text = text.strip("[]")
    return text + (f" … {array.size} elements" if array.size > _TOOLTIP else "")


def _in_full(array: np.ndarray) -> ArrayText:
    if array.ndim == 0:
        return ArrayText((number(array[()]),))
    rows = [[number(v) for v in row] for row in array.reshape(-1, array.shape[-1])]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [" ".join(t.rjust(w) for t, w in zip(row, widths)) for row in rows]
    if len(lines) == 1:
        return ArrayText((f"[{lines[0]}]",), flag=_flag(array))
    return ArrayText(tuple(lines), bracket=True, flag=_flag(array))


def _summary(array: np.ndarray) -> ArrayText:
    sample = array.ravel()
    if sample.size > _SAMPLE:
        sample = sample[:: sample.size // _SAMPLE + 1]
    if sample.dtype.kind == "c":
        sample = np.abs(sample)
    sample = sample.astype(float)
    finite = sample[np.isfinite(sample)]
    if finite.size == 0:
        return ArrayText(("no finite element",), flag=_flag(array))
    with np.errstate(over="ignore", invalid="ignore"):
        middle = f"{number(finite.mean())} ± {number(finite.std())}"
    span = f"[{number(finite.min())} … {number(finite.max())}]"
    return ArrayText((middle, span), flag=_flag(array), heat=_heat(array))


def _flag(array: np.ndarray) -> str:
    if array.dtype.kind not in "fc":
        nan = inf = 0
    else:
        nan, inf = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    flags = [f"NaN×{nan}"] * (nan > 0) + [f"inf×{inf}"] * (inf > 0)
    if not flags and array.size > 1 and not array.any():
        flags.append("all 0")
    return " ".join(flags)


def _heat(array: np.ndarray) -> tuple[tuple[int | None, ...], ...]:
    plane = np.abs(array) if array.dtype.kind == "c" else array
    plane = plane.reshape(1, -1) if array.ndim == 1 else plane.reshape(-1, array.shape[-1])
    cells = _blocks(_blocks(plane.astype(float), 0), 1)
    size = np.abs(cells[np.isfinite(cells)])
    top = float(size.max()) if size.size and size.max() > 0 else 1.0
    return tuple(tuple(_step(v / top) for v in row) for row in cells.tolist())


def _blocks(plane: np.ndarray, axis: int) -> np.ndarray:
    """At most eight means of neighbouring lines along an axis."""
    if plane.shape[axis] <= _THUMBNAIL:
        return plane
    parts = np.array_split(plane, _THUMBNAIL, axis=axis)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.stack([part.mean(axis=axis) for part in parts], axis=axis)


def _step(value: float) -> int | None:
    if value != value:
        return None
    return round(max(-1.0, min(1.0, value)) * HEAT_STEPS)
