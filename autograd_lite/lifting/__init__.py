"""Plain NumPy code, unchanged, on tensors: with in-place updates and views.

Knows how a program runs on graphs: ``copying`` copies it, ``rebinding`` puts another NumPy into the
copy, ``arrays`` are what it sees, ``storage`` is the memory beneath, ``functions`` and ``methods``
are NumPy's own, recorded, and ``lift`` is the border. Does not know layers or comparisons; nothing
of the engine knows of it. Imports lower floors.
"""

from autograd_lite.lifting.lift import Lifted, lift

__all__ = ["Lifted", "lift"]
