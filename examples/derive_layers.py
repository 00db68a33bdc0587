"""Derive the layers of a small network, and train it with nothing but the derived classes."""

import numpy as np

import autograd_lite as ag


def swish(x):
    """x·σ(x), written as one thinks of it."""
    s = 1 / (1 + ag.exp(-x))
    return x * s


def cross_entropy(x, t):
    """The mean cost of scores, of which the softmax is taken, against rows of probabilities."""
    e = ag.exp(x - ag.max(x, axis=1, keepdims=True))
    s = e / ag.sum(e, axis=1, keepdims=True)
    return -ag.sum(t * ag.log(s)) / len(x)


rng = np.random.default_rng(0)
x = rng.normal(size=(63, 2))
labels = (x[:, 0] * x[:, 1] > 0).astype(int)  # two quadrants against the two others
t = np.eye(2)[labels]

first = ag.derive(ag.nn.Affine(rng.normal(size=(2, 16)), np.zeros(16)), x)
second = ag.derive(ag.nn.Affine(rng.normal(size=(16, 2)) * 0.3, np.zeros(2)), np.ones((63, 16)))
activation = ag.derive(swish, np.ones((63, 16)))
loss = ag.derive(cross_entropy, np.ones((63, 2)), t, argnums=0)
print(activation.source)
print(loss.explanation)

layers = [first.layer(), activation.layer(), second.layer()]
cost = loss.layer()


def trained_once():
    """One step of gradient descent; the scores and the cost before it."""
    scores = x
    for layer in layers:
        scores = layer.forward(scores)
    value = cost.forward(scores, t)
    dout = cost.backward()
    for layer in reversed(layers):
        dout = layer.backward(dout)
    for layer in (layers[0], layers[2]):
        layer.W -= 0.5 * layer.dW
        layer.b -= 0.5 * layer.db
    return scores, value


for _ in range(300):
    trained_once()
scores, value = trained_once()
right = np.mean(np.argmax(scores, axis=1) == labels)
print(f"loss {value:.3f}, {right:.0%} right")
assert right > 0.9
