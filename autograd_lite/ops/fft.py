"""Fourier transforms: NumPy's ``fft``, with exact adjoints.

Three operators carry all: the complex transform over any axes, which is its own adjoint, and the
real one forth and back over one axis; padding, the other axes and Hermitian transforms are
compositions. Imports errors, recording, rules, shapes, NumPy, and the operators that these need.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError
from autograd_lite.ops.arranging import roll
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.pointwise import conj, imag, real
from autograd_lite.ops.shaping import as_array, concat, shape_of
from autograd_lite.rules import linear, public
from autograd_lite.shapes import normalize_axes, normalize_axis
from autograd_lite.tensors import constant

Norm = str | None
_SWAPPED = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _swapped(norm: Norm) -> Norm:
    """The normalisation of the other direction: what a transform's adjoint has."""
    return _SWAPPED.get(norm, norm)


def _seen(result: Any) -> Any:
    return real(result) - 2.5 * imag(result)


def _halves(m: int, n: int, inner: float, like: Any) -> Any:
    """1 for the frequencies that a real signal has once (0, and n/2), ``inner`` for the others."""
    weights = np.full(m, inner, np.float32 if like.dtype == np.complex64 else np.float64)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return weights


def _along(weights: Any, axis: int, ndim: int) -> Any:
    return weights.reshape([-1 if i == axis else 1 for i in range(ndim)])


def _transform(x: Any, *, axes: tuple[int, ...], inverse: bool, norm: Norm) -> Any:
    return (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=axes, norm=norm)  # type: ignore[arg-type]  # NumPy names the kinds


def _real_signal(x: Any, *, axis: int, n: int, norm: Norm) -> Any:
    if x.shape[axis] != n // 2 + 1:  # NumPy would cut or fill: that is a node of its own here
        raise DomainError(f"{x.shape[axis]} frequencies of a signal of {n} elements")
    return np.fft.irfft(x, n, axis, norm)  # type: ignore[arg-type]  # NumPy names the kinds


def _transform_code(x: str, *, axes: tuple[int, ...], inverse: bool, norm: Norm) -> str:
    further = f", norm={norm!r}" if norm else ""
    return f"np.fft.{'ifftn' if inverse else 'fftn'}({x}, axes={axes}{further})"


_dft = linear(
    "fft", _transform, lambda g, x, **params: _dft(g, **params), symbol="F", text="F {0}",
    latex=r"\mathcal{{F}} {0}", local=["F G"], code=_transform_code,
    doc="The discrete Fourier transform over some axes, forth or back; its own adjoint.",
    samples=[
        (((2, 4),), {"axes": (0,), "inverse": False, "norm": None}),
        (((2, 2, 3),), {"axes": (1, 0), "inverse": True, "norm": "ortho"}),
        (((2, 5),), {"axes": (0,), "inverse": True, "norm": None}),
    ],
    probe=lambda call, x: _seen(call(x[0] + 1j * x[1])),
)  # fmt: skip


def _pull_rfft(g: Any, x: Any, *, axis: int, norm: Norm) -> Any:
    n = x.shape[axis]
    weights = _along(_halves(g.shape[axis], n, 0.5, g), axis, g.ndim)
    return _irfft(conj(g) * weights, axis=axis, n=n, norm=_swapped(norm))


def _pull_irfft(g: Any, x: Any, *, axis: int, n: int, norm: Norm) -> Any:
    weights = _along(_halves(x.shape[axis], n, 2.0, x), axis, g.ndim)
    return conj(_rfft(g, axis=axis, norm=_swapped(norm))) * weights


_rfft = linear(
    "rfft", lambda x, *, axis, norm: np.fft.rfft(x, axis=axis, norm=norm), _pull_rfft,
    symbol="F", text="F {0}", latex=r"\mathcal{{F}} {0}", local=["Fᵀ G"],
    doc="The Fourier transform of a real signal along an axis: its non-negative frequencies.",
    samples=[
        (((4,),), {"axis": 0, "norm": None}), (((5, 2),), {"axis": 0, "norm": "forward"}),
        (((2, 3),), {"axis": 1, "norm": "ortho"}),
    ],
    probe=lambda call, x: _seen(call(x)), code="np.fft.rfft",
)  # fmt: skip
_irfft = linear(
    "irfft", _real_signal, _pull_irfft,
    symbol="F⁻¹", text="F⁻¹ {0}", latex=r"\mathcal{{F}}^{{-1}} {0}", local=["Fᵀ G"],
    doc="The real signal of n elements whose non-negative frequencies are given.",
    samples=[
        (((2, 3),), {"axis": 0, "n": 4, "norm": None}),
        (((2, 3, 2),), {"axis": 0, "n": 5, "norm": "ortho"}),
        (((2, 2, 3),), {"axis": 1, "n": 5, "norm": "forward"}),
    ],
    probe=lambda call, x: _seen(call(x[0] + 1j * x[1])), code="np.fft.irfft",
)  # fmt: skip


# what the public functions have in common


def _resized(x: Any, n: int | None, axis: int) -> Any:
    """The first ``n`` elements of an axis, zeros where it has fewer."""
    size = x.shape[axis]
    if n is None or n == size:
        return x
    if n < 1:
        raise DomainError(f"a Fourier transform of {n} elements", mend="n is at least 1")
    if n < size:
        return getitem(x, (*[slice(None)] * axis, slice(n)))
    shape = [n - size if i == axis else k for i, k in enumerate(x.shape)]
    return concat([x, np.zeros(shape, x.dtype)], axis=axis)


def _sizes_and_axes(
    x: Any, s: Sequence[int | None] | None, axes: Sequence[int] | None
) -> tuple[list[int | None], tuple[int, ...]]:
    """For each transformed axis its length (None: as it is) and its number."""
    ndim = len(x.shape)
    if axes is None:
        axes = range(ndim) if s is None else range(ndim - len(s), ndim)
    places = tuple(normalize_axis(axis, ndim) for axis in axes)
    sizes: list[int | None] = [None] * len(places) if s is None else list(s)
    if len(sizes) != len(places):
        raise DomainError(
            f"{len(sizes)} sizes for {len(places)} axes", mend="s names one size for each axis"
        )
    return [None if n == -1 else n for n in sizes], places


def _complex_transform(x: Any, s: Any, axes: Any, norm: Norm, *, inverse: bool) -> Any:
    x = as_array(x)
    sizes, places = _sizes_and_axes(x, s, axes)
    for n, axis in zip(sizes, places, strict=True):
        x = _resized(x, n, axis)
    return _dft(x, axes=places, inverse=inverse, norm=norm)


def _real_transform(x: Any, s: Any, axes: Any, norm: Norm) -> Any:
    x = as_array(x)
    sizes, places = _sizes_and_axes(x, s, axes)
    if not places:
        raise DomainError("a real transform over no axis", mend="name at least one axis")
    for n, axis in zip(sizes, places, strict=True):
        x = _resized(x, n, axis)
    y = _rfft(x, axis=places[-1], norm=norm)
    return _dft(y, axes=places[:-1], inverse=False, norm=norm) if places[1:] else y


def _real_inverse(x: Any, s: Any, axes: Any, norm: Norm) -> Any:
    x = as_array(x)
    sizes, places = _sizes_and_axes(x, s, axes)
    if not places:
        raise DomainError("a real transform over no axis", mend="name at least one axis")
    for n, axis in zip(sizes[:-1], places[:-1], strict=True):
        x = _resized(x, n, axis)
    last = places[-1]
    n = 2 * (x.shape[last] - 1) if sizes[-1] is None else sizes[-1]
    if n < 1:
        raise DomainError(f"a Fourier transform of {n} elements", mend="n is at least 1")
    x = _resized(x, n // 2 + 1, last)
    if places[1:]:
        x = _dft(x, axes=places[-2::-1], inverse=True, norm=norm)
    return _irfft(x, axis=last, n=n, norm=norm)


# the namespace


@public(np.fft.fft, room="fft")
def fft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The discrete Fourier transform along an axis, cut or filled with zeros to ``n`` elements.

    ``norm``: "backward" (nothing, the default), "ortho" (1/√n) or "forward" (1/n).

    >>> import autograd_lite as ag
    >>> ag.fft.fft(ag.tensor([1.0, 2.0]))
    Tensor([ 3.+0.j, -1.+0.j], dtype=complex128)
    """
    return _complex_transform(x, [n], [axis], norm, inverse=False)


@public(np.fft.ifft, room="fft")
def ifft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The inverse of ``fft``.

    >>> import autograd_lite as ag
    >>> ag.fft.ifft(ag.tensor([3.0, -1.0]))
    Tensor([1.+0.j, 2.+0.j], dtype=complex128)
    """
    return _complex_transform(x, [n], [axis], norm, inverse=True)


@public(np.fft.fftn, room="fft")
def fftn(x: Any, /, s: Any = None, axes: Any = None, norm: Norm = None) -> Any:
    """The discrete Fourier transform over all or the named axes, of the sizes ``s``.

    >>> import autograd_lite as ag
    >>> ag.fft.fftn(ag.constant([[1.0, 2.0], [3.0, 4.0]])).data.real
    array([[10., -2.],
           [-4.,  0.]])
    """
    return _complex_transform(x, s, axes, norm, inverse=False)


@public(np.fft.ifftn, room="fft")
def ifftn(x: Any, /, s: Any = None, axes: Any = None, norm: Norm = None) -> Any:
    """The inverse of ``fftn``."""
    return _complex_transform(x, s, axes, norm, inverse=True)


@public(np.fft.fft2, room="fft")
def fft2(x: Any, /, s: Any = None, axes: Any = (-2, -1), norm: Norm = None) -> Any:
    """``fftn`` over the last two axes."""
    return _complex_transform(x, s, axes, norm, inverse=False)


@public(np.fft.ifft2, room="fft")
def ifft2(x: Any, /, s: Any = None, axes: Any = (-2, -1), norm: Norm = None) -> Any:
    """The inverse of ``fft2``."""
    return _complex_transform(x, s, axes, norm, inverse=True)


@public(np.fft.rfft, room="fft")
def rfft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The Fourier transform of a real signal: its n//2 + 1 non-negative frequencies.

    >>> import autograd_lite as ag
    >>> ag.fft.rfft(ag.tensor([1.0, 2.0, 3.0, 4.0])).shape
    (3,)
    """
    return _real_transform(x, [n], [axis], norm)


@public(np.fft.irfft, room="fft")
def irfft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The real signal of ``n`` elements (2(m − 1) of m frequencies by default): undoes ``rfft``.

    >>> import autograd_lite as ag
    >>> ag.fft.irfft(ag.fft.rfft(ag.tensor([1.0, 2.0, 3.0])), n=3)
    Tensor([1., 2., 3.])
    """
    return _real_inverse(x, [n], [axis], norm)


@public(np.fft.rfftn, room="fft")
def rfftn(x: Any, /, s: Any = None, axes: Any = None, norm: Norm = None) -> Any:
    """``rfft`` over the last of the axes, ``fftn`` over the others."""
    return _real_transform(x, s, axes, norm)


@public(np.fft.irfftn, room="fft")
def irfftn(x: Any, /, s: Any = None, axes: Any = None, norm: Norm = None) -> Any:
    """The inverse of ``rfftn``: a real array."""
    return _real_inverse(x, s, axes, norm)


@public(np.fft.rfft2, room="fft")
def rfft2(x: Any, /, s: Any = None, axes: Any = (-2, -1), norm: Norm = None) -> Any:
    """``rfftn`` over the last two axes."""
    return _real_transform(x, s, axes, norm)


@public(np.fft.irfft2, room="fft")
def irfft2(x: Any, /, s: Any = None, axes: Any = (-2, -1), norm: Norm = None) -> Any:
    """The inverse of ``rfft2``."""
    return _real_inverse(x, s, axes, norm)


@public(np.fft.hfft, room="fft")
def hfft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The real spectrum of a signal with Hermitian symmetry, of which one half is given.

    >>> import autograd_lite as ag
    >>> ag.fft.hfft(ag.tensor([1.0, 2.0, 3.0]))
    Tensor([ 8., -2.,  0., -2.])
    """
    return _real_inverse(conj(as_array(x)), [n], [axis], _swapped(norm))


@public(np.fft.ihfft, room="fft")
def ihfft(x: Any, /, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """The inverse of ``hfft``: one half of the signal that has this real spectrum."""
    return conj(_real_transform(x, [n], [axis], _swapped(norm)))


@public(room="fft")
def fftfreq(n: int, /, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of ``fft`` of ``n`` samples at distance ``d``; a constant.

    >>> import autograd_lite as ag
    >>> ag.fft.fftfreq(4)
    Tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    return constant(np.fft.fftfreq(n, d, device).astype(dtype or np.float64))


@public(room="fft")
def rfftfreq(n: int, /, d: float = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of ``rfft`` of ``n`` samples at distance ``d``; a constant."""
    return constant(np.fft.rfftfreq(n, d, device).astype(dtype or np.float64))


@public(np.fft.fftshift, room="fft")
def fftshift(x: Any, /, axes: Any = None) -> Any:
    """The zero frequency moved to the middle of all, or of the named axes.

    >>> import autograd_lite as ag
    >>> ag.fft.fftshift(ag.tensor([0.0, 1.0, 2.0, -2.0, -1.0]))
    Tensor([-2., -1.,  0.,  1.,  2.])
    """
    places = normalize_axes(axes, len(shape_of(x)))
    return roll(x, tuple(shape_of(x)[i] // 2 for i in places), axis=places)


@public(np.fft.ifftshift, room="fft")
def ifftshift(x: Any, /, axes: Any = None) -> Any:
    """The inverse of ``fftshift``."""
    places = normalize_axes(axes, len(shape_of(x)))
    return roll(x, tuple(-(shape_of(x)[i] // 2) for i in places), axis=places)
