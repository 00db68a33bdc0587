"""Rewriting of graphs: formulas in normal form, and the combined local rule of a region.

Used by pictures (what a folded layer does to a gradient), by derive and by the compiler. Imports
lower rooms and its own modules.
"""

from autograd_lite.rewrite.local import LocalRule, local_rule

__all__ = ["LocalRule", "local_rule"]
