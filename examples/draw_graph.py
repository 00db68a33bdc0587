"""Draw the sigmoid as a textbook writes it: every value above its edge, every gradient below."""

import numpy as np

import autograd_lite as ag

x = ag.tensor([-1.0, 0.0, 2.0], name="x")
y = 1 / (1 + np.exp(-x))

print(ag.Graph.of(y))
ag.draw(y, "sigmoid.svg")
print("sigmoid.svg shows it, forward and backward")
