"""The notebook's layer, automatically: its own integers, and no backward method in sight."""

import numpy as np

import autograd_lite as ag

x = ag.tensor([[1, 1], [2, 3]], name="x")
W = ag.parameter([[1, 2, 3], [4, 5, 6]], name="W")
b = ag.parameter([7, 8, 9], name="b")
dout = np.array([[2, 1, -1], [1, 1, 1]])

out = x @ W + b
out.backward(dout)

for name, array in [("out", out.numpy()), ("dx", x.grad), ("dW", W.grad), ("db", b.grad)]:
    print(f"{name}\n{array}\n")

# The classic layer, with forward and backward written by hand, says the same.
by_hand = ag.handwritten.Affine(W.numpy(), b.numpy())
by_hand.forward(x.numpy())
assert np.array_equal(by_hand.backward(dout), x.grad)
assert np.array_equal(by_hand.dW, W.grad)
assert np.array_equal(by_hand.db, b.grad)
print("the hand-written layer agrees")
