"""Pictures of graphs: operations, values, gradients and local rules, as SVG and other files.

Knows graphs and what flows through them; names no operator: symbols, formulas and local rules come
from the operator itself. One file per step: ``folding`` (what is shown), ``marks`` (what it looks
like), ``overlay`` (what is laid over it), ``layout`` (where it lies), ``svg`` and ``text`` (how it
is written), ``picture`` (``draw``); ``page`` is the live page, ``live`` shows it (``view``).
"""

from autograd_lite.picture.live import View, view
from autograd_lite.picture.overlay import Check
from autograd_lite.picture.picture import Picture, draw

__all__ = ["Check", "Picture", "View", "draw", "view"]
