"""Rewriting of graphs: laws as pairs of patterns, and the combined local rule of a region.

Two ways lead to a simpler graph. ``rewritten(graph, SOUND)`` applies laws until none fits, and
keeps every finite result: for what computes. ``local_rule`` brings a derivative into a normal form
of formulas (``rational``, ``field``, ``reading``), writes down the shortest one (``writing``, in
``forms``) and confirms it on numbers: for what is read. Used by pictures, by derive and by the
compiler. Imports lower rooms and its own modules.
"""

from autograd_lite.rewrite.cheapest import Priced, Rewriting, cheapest_rule
from autograd_lite.rewrite.confirming import confirmed
from autograd_lite.rewrite.factoring import factored
from autograd_lite.rewrite.laws import (
    IDENTITIES,
    PIECES,
    READABLE,
    SHAPES,
    SIGNS,
    SOUND,
    UNSAID,
    WRITTEN,
)
from autograd_lite.rewrite.local import local_rule
from autograd_lite.rewrite.patterns import Law, Rewritten, Step, rewritten
from autograd_lite.rewrite.reading import readable
from autograd_lite.rewrite.regions import Region
from autograd_lite.rewrite.rule import LocalRule

__all__ = [
    "IDENTITIES",
    "PIECES",
    "READABLE",
    "SHAPES",
    "SIGNS",
    "SOUND",
    "UNSAID",
    "WRITTEN",
    "Law",
    "LocalRule",
    "Priced",
    "Region",
    "Rewriting",
    "Rewritten",
    "Step",
    "cheapest_rule",
    "confirmed",
    "factored",
    "local_rule",
    "readable",
    "rewritten",
]
