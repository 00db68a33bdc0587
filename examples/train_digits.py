"""Handwritten digits learnt in seconds: the whole training step is one compiled program.

    python examples/train_digits.py [EPOCHS]

Needs scikit-learn for its digits (pip install scikit-learn). Writes digits_loss.svg, the curve of
the loss, and prints the accuracy on digits that were not learnt from.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

import autograd_lite as ag
from autograd_lite import nn

try:
    from sklearn.datasets import load_digits
except ImportError:
    sys.exit("this example needs scikit-learn: pip install scikit-learn")

BATCH = 64


def curve(losses: list[float], path: str) -> None:
    """The losses as a line, in a picture of a few hundred bytes."""
    top = max(losses)
    points = " ".join(
        f"{40 + 560 * i / (len(losses) - 1):.1f},{20 + 240 * (1 - loss / top):.1f}"
        for i, loss in enumerate(losses)
    )
    Path(path).write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 300" font-family="sans-serif">\n'
        '<rect width="620" height="300" fill="white"/>\n'
        f'<text x="40" y="15" font-size="12">loss, at most {top:.2f}</text>\n'
        f'<text x="600" y="285" font-size="12" text-anchor="end">{len(losses)} steps</text>\n'
        '<path d="M40 20V260H600" fill="none" stroke="#888"/>\n'
        f'<polyline points="{points}" fill="none" stroke="#3b6fb6" stroke-width="1.5"/>\n</svg>\n',
        encoding="utf-8",
    )


def main(epochs: int = 30) -> float:
    """Learn, and give the accuracy on the test digits."""
    digits = load_digits()
    x, labels = (digits.data / 16).astype(np.float32), digits.target
    order = np.random.default_rng(0).permutation(len(x))
    test, train = order[:360], order[360:]

    net = nn.Sequential(
        nn.Affine.initialised(64, 64, rng=1, dtype=np.float32),
        nn.ReLU(),
        nn.Dropout(0.2, rng=2),
        nn.Affine.initialised(64, 10, rng=3, dtype=np.float32),
    )
    optimizer = ag.optim.Adam(net, ag.optim.cosine(0.01, epochs * (len(train) // BATCH)))

    @ag.compile
    def step(x, labels):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(net(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    shuffle, losses, start = np.random.default_rng(4), [], time.perf_counter()
    for epoch in range(epochs):
        train = shuffle.permutation(train)
        for k in range(0, len(train) - BATCH + 1, BATCH):
            batch = train[k : k + BATCH]
            losses.append(step(x[batch], labels[batch]).item())
        done = (epoch + 1) * 30 // epochs
        bar = "#" * done + "." * (30 - done)
        print(f"\r[{bar}] epoch {epoch + 1:2}  loss {losses[-1]:.4f}", end="", flush=True)
    took = time.perf_counter() - start
    print(f"\n{len(losses)} steps in {took:.2f} s, {1e6 * took / len(losses):.0f} µs each")
    curve(losses, "digits_loss.svg")

    classify = ag.compile(net.evaluate())
    right = classify(x[test]).data.argmax(axis=1) == labels[test]
    print(f"accuracy on {len(test)} new digits: {100 * right.mean():.1f} %")
    return float(right.mean())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
