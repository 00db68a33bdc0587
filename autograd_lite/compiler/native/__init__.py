"""Programs as machine code: NumPy code is read with symbols, and becomes loops of LLVM.

``program`` is the way in. From there: ``lowering`` reads the graph (``reading``, ``symbols``) as
``values``; ``fusion`` plans loops, ``emission`` writes them; ``entry`` and ``machine`` make them a
function of Python.
"""
