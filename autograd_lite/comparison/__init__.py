"""Hand-written gradients and automatic ones, held against each other and against numbers.

Knows: how people write layers (`adapters`), the automatic twin (`automatic`), the numeric referee
(`numbers`), the rules of judgement (`verdict`), the order of work (`examine`, `checking`), and the
report (`report`, `page`).
Does not know: any operator or layer by name.
Imports: lower floors.
"""

from __future__ import annotations

from autograd_lite.comparison.checking import check_claims, gradcheck
from autograd_lite.comparison.examine import compare
from autograd_lite.comparison.report import Comparison, Finding, Row

__all__ = ["Comparison", "Finding", "Row", "check_claims", "compare", "gradcheck"]
