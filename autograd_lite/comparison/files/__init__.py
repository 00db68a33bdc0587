"""Files of strangers: every hand-written layer in one is found, given inputs, and compared.

Knows: how a file or notebook is run statement by statement (`programs`), what in it is a layer
(`finding`), how inputs are made (`vocabulary`, `making`) or given (`given`), that all of it happens
in another process under a time limit (`worker`, `survey`), and the table of it all (`summary`).
Does not know: how a layer is compared, the command line.
Imports: its neighbours in the comparison, the picture, errors, NumPy.
"""

from __future__ import annotations

from autograd_lite.comparison.files.summary import Checked, Survey
from autograd_lite.comparison.files.survey import Settings, survey

__all__ = ["Checked", "Settings", "Survey", "survey"]
