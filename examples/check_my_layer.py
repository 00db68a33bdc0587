"""A student's file: a layer, its mistake found by the command, the mistake mended.

Run `autograd-lite compare examples/check_my_layer.py` to check every layer of it, or the file
itself for the story.
"""

import sys
from pathlib import Path

import numpy as np

from autograd_lite.cli import main


class Softmax:
    """Rows of shares. The gradient forgets that all of a row's outputs rest on each input."""

    def forward(self, x):
        """Shares, one row a sample."""
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return self.y

    def backward(self, dout):
        """The derivative of each output by its own input alone."""
        return dout * self.y * (1 - self.y)


class MendedSoftmax(Softmax):
    """The same with the term that was missing."""

    def backward(self, dout):
        """Each input moves all outputs of its row, through the sum below the line."""
        inner = (dout * self.y).sum(axis=1, keepdims=True)
        return self.y * (dout - inner)


if __name__ == "__main__":
    here = str(Path(__file__))
    assert main(["compare", here, "--only", "Softmax"]) == 1, "something is wrong"
    print("\n… and after the mend:\n")
    sys.exit(main(["compare", here, "--only", "MendedSoftmax"]))
