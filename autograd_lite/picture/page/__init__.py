"""The live page: one file that steps through a graph, folds it, asks questions of it.

Python draws every mark and label, writes every sentence and every question (``model``, ``story``,
``quiz``, ``data``); the scripts beside this file place and show them; ``assemble`` makes one HTML
file of it all. Imports its own files.
"""

from autograd_lite.picture.page.assemble import framed, live_page

__all__ = ["framed", "live_page"]
