"""Arrays that are written by an index: ``r_``, ``c_``, ``mgrid``, ``ogrid``.

Knows NumPy's notation (a complex step is a number of points; a string tells axis and rank), and
that the joined pieces alone carry a gradient. Imports errors, NumPy, tensors, and the operators
that these are made of.
"""

from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, UnsupportedError
from autograd_lite.ops.shaping import as_array, astype, concat, reshape
from autograd_lite.tensors import Tensor, constant

__all__ = ["Grid", "Joined"]


class Joined:
    """``r_`` and ``c_``: what stands in the brackets, tensors too, joined along an axis.

    A slice is a range; a string at the front, ``"axis,rank,place"``, tells along which axis, how
    many axes every piece has at least, and where the axes of a smaller one stand among them.

    >>> import autograd_lite as ag
    >>> r_ = Joined(axis=0, rank=1, place=-1)
    >>> r_[ag.tensor([1.0, 2.0]), 0, 3:5]
    Tensor([1., 2., 0., 3., 4.])
    """

    def __init__(self, axis: int, rank: int, place: int) -> None:
        self._how = axis, rank, place

    def __getitem__(self, key: Any) -> Any:
        pieces = list(key) if isinstance(key, tuple) else [key]
        axis, rank, place = self._how
        if pieces and isinstance(pieces[0], str):
            axis, rank, place = self._read(pieces.pop(0))
        pieces = [np.r_[piece] if isinstance(piece, slice) else piece for piece in pieces]
        if not pieces:
            raise DomainError("there is nothing to join", mend="r_[a, b]")
        forms = [piece._value if isinstance(piece, Tensor) else piece for piece in pieces]
        kinds = [form if np.ndim(form) == 0 else np.asarray(form).dtype for form in forms]
        dtype = np.result_type(*kinds)
        raised = [_raised(astype(as_array(one), dtype), rank, place) for one in pieces]
        return concat(raised, axis=axis)

    def _read(self, text: str) -> tuple[int, int, int]:
        """``"axis,rank,place"``, of which what stands at the end may lack."""
        try:
            numbers = [int(part) for part in text.split(",")]
            axis, rank, place = (*numbers, *self._how[len(numbers) :])
        except ValueError:
            raise UnsupportedError(
                f"{text!r} makes no array", mend='"axis,rank,place", e.g. "0,2"; no matrices'
            ) from None
        return axis, rank, place


def _raised(x: Any, rank: int, place: int) -> Any:
    """The array with axes of one element around its own, which then begin at ``place``."""
    new = rank - x.ndim
    if new <= 0:
        return x
    before = 0 if not x.ndim else place if place >= 0 else place + new + 1
    return reshape(x, (*[1] * before, *x.shape, *[1] * (new - before)))


class Grid:
    """``mgrid`` and ``ogrid``: the coordinates of a grid written as slices; constants.

    >>> Grid(np.ogrid)[0:2]
    Tensor([0, 1])
    """

    def __init__(self, numpy: Any) -> None:
        self._numpy = numpy

    def __getitem__(self, key: Any) -> Any:
        made = self._numpy[key]
        return tuple(map(constant, made)) if isinstance(made, tuple) else constant(made)
