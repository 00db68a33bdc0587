"""The namespace ``fft``: NumPy's Fourier transforms on tensors.

Knows names alone: the functions are those of the registry. Imports rules and the operators.
"""

from autograd_lite import ops
from autograd_lite.rules import ROOMS

globals().update(ROOMS["fft"])

__all__ = sorted(ROOMS["fft"])  # noqa: PLE0605 - names from the registry

_ = ops
