"""The namespace ``linalg``: NumPy's linear algebra on tensors.

Knows names alone: the functions are those of the registry. Imports rules and the operators.
"""

from numpy.linalg import LinAlgError

from autograd_lite import ops
from autograd_lite.rules import ROOMS

globals().update(ROOMS["linalg"])

__all__ = ["LinAlgError", *sorted(ROOMS["linalg"])]  # noqa: PLE0604 - names from the registry

_ = ops
