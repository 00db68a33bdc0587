"""Is my backward method right? This one forgets to sum the bias's gradient over the batch."""

import numpy as np

import autograd_lite as ag


class MyAffine:
    """A layer as many people write it, with one slip."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        """Keep the input for later, and compute."""
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        """The three gradients, derived on paper."""
        self.dW = self.x.T @ dout
        self.db = dout[0]  # should be dout.sum(axis=0)
        return dout @ self.W.T


rng = np.random.default_rng(0)
x, W, b = rng.normal(size=(4, 2)), rng.normal(size=(2, 3)), rng.normal(size=3)

report = ag.compare(MyAffine(W, b), x, against=ag.nn.Affine(W, b))
print(report)
assert not report.ok
