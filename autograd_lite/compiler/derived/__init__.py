"""Gradients as code that a person could have written: ``derive`` and ``explain``.

A traced function is cut into blocks with short rules (``blocks``, by ``rewrite``), their backward
graph put together (``backward``), named and planned as statements (``naming``, ``program``,
``scribe``), freed of the examples' sizes (``sizes``) and laid out as a class (``classes``). Imports
lower rooms and its own modules; of the compiler nothing.
"""

from autograd_lite.compiler.derived.derivation import Derivation, derive
from autograd_lite.compiler.derived.explanation import Explanation, explain

__all__ = ["Derivation", "Explanation", "derive", "explain"]
