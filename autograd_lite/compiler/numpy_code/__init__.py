"""NumPy source of a program.

What NumPy computes best (``lowering``), in which order and in which blocks (``schedule``), in which
memory (``storage``), and written down (``writer``). Imports lower rooms, the program and its own
modules.
"""
