"""Complex functions as functions of real arrays, so that numbers can judge them.

Knows: a complex array is two real ones, and the gradient of z = x + iy is ∂f/∂x − i ∂f/∂y.
Does not know: which derivatives are asked for, nor how they are judged.
Imports: the operators that take complex numbers apart, tensors, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.ops.pointwise import imag, real
from autograd_lite.tensors import Tensor

__all__ = ["is_complex", "of_real_parts", "part_names", "parts_of"]


def is_complex(value: Any) -> bool:
    """Whether it holds complex numbers.

    >>> is_complex(np.array([1j])), is_complex(2.0)
    (True, False)
    """
    dtype = value.dtype if isinstance(value, Tensor) else np.asarray(value).dtype
    return bool(dtype.kind == "c")


def parts_of(values: Sequence[Any], sign: int = 1) -> list[Any]:
    """Real arrays as they are, complex ones as real and imaginary part.

    With ``sign=-1`` cotangents: ⟨g, y⟩ is Re(g·y) = Re g·Re y − Im g·Im y.

    >>> parts_of([np.array([1 + 2j])], sign=-1)
    [array([1.]), array([-2.])]
    """
    found: list[Any] = []
    for value in values:
        found += [real(value), sign * imag(value)] if is_complex(value) else [value]
    return found


def part_names(names: Sequence[str], arrays: Sequence[Any]) -> list[str]:
    """What the parts of arrays are called.

    >>> part_names(["x", "z"], [np.ones(1), np.array([1j])])
    ['x', 'Re z', 'Im z']
    """
    return [
        part
        for name, array in zip(names, arrays, strict=True)
        for part in ([f"Re {name}", f"Im {name}"] if is_complex(array) else [name])
    ]


def of_real_parts(f: Callable[..., Any], like: Sequence[Any]) -> Callable[..., Any]:
    """``f`` as a function of the parts of its arguments, which gives the parts of its results.

    >>> of_real_parts(lambda z: z * z, [1j])(3.0, 2.0)
    (5.0, 12.0)
    """
    complexes = [is_complex(one) for one in like]

    def g(*parts: Any) -> Any:
        rest = iter(parts)
        result = f(*[next(rest) + 1j * next(rest) if c else next(rest) for c in complexes])
        many = isinstance(result, tuple | list)
        outputs = parts_of(result if many else [result])
        return tuple(outputs) if many or len(outputs) > 1 else outputs[0]

    return g
