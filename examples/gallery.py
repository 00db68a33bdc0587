"""Draw the gallery of docs/gallery.md: a picture for each kind of thing that can be drawn.

    python examples/gallery.py [FOLDER]

Every function makes one picture; `write` saves them all.
"""

import sys
from pathlib import Path

import numpy as np

import autograd_lite as ag
from autograd_lite import nn
from autograd_lite.handwritten import Affine

W, B = np.array([[1, 2, 3], [4, 5, 6]]), np.array([7, 8, 9])
X, DOUT = np.array([[1, 1], [2, 3]]), np.array([[2, 1, -1], [1, 1, 1]])


# the notebook's layers


def affine():
    """The affine layer on the notebook's integers."""
    x, w, b = ag.tensor(X, name="x"), ag.parameter(W, name="W"), ag.parameter(B, name="b")
    return ag.draw(nn.affine(x, w, b), cotangent=DOUT)


def sigmoid():
    """The sigmoid layer, its scope open."""
    return ag.draw(nn.sigmoid(ag.tensor([-1.0, 0.0, 2.0], name="x")))


def textbook():
    """The same function as a textbook writes it, from primitives."""
    return ag.draw(textbook_sigmoid(ag.tensor([-1.0, 0.0, 2.0], name="x")))


def folded():
    """The textbook's form, folded into one node."""
    y = textbook_sigmoid(ag.tensor([-1.0, 0.0, 2.0], name="x"))
    return ag.draw(y, expand="none")


def textbook_sigmoid(x):
    """Four primitives under the name of the layer."""
    with ag.scope("Sigmoid"):
        return 1 / (1 + np.exp(-x))


def relu():
    """ReLU stops the gradient where its input is not positive."""
    return ag.draw(nn.relu(ag.tensor([1, -2, 3, -4], name="x")), cotangent=[1, 2, -3, -4])


# first lessons


def apples():
    """Two apples, three oranges and a tax: what changes the price, and how much?"""
    given = {"apple": 100, "apples": 2, "orange": 150, "oranges": 3, "tax": 1.1}
    apple, apples, orange, oranges, tax = (ag.tensor(v, name=k) for k, v in given.items())
    some, others = apple * apples, orange * oranges
    some.name, others.name = "for apples", "for oranges"
    both = some + others
    both.name = "for both"
    price = both * tax
    price.name = "price"
    return ag.draw(price)


def broadcast():
    """A bias is repeated for every row, so its gradient is a sum over the rows."""
    x, b = ag.tensor([[1.0, 2.0], [3.0, 4.0]], name="x"), ag.parameter([10.0, 20.0], name="b")
    return ag.draw(x + b, repeat=True, cotangent=[[1.0, 2.0], [3.0, 4.0]])


def fan_out():
    """Where a value is used twice its gradients are added."""
    x = ag.tensor([0.5, 1.0], name="x")
    return ag.draw(np.sin(x) * x)


# larger parts


def cross_entropy():
    """Softmax with cross entropy: the gradient of the logits is (softmax − target) / N."""
    logits = ag.tensor([[0.3, 2.9, 4.0], [1.0, -1.0, 0.0]], name="logits")
    loss = nn.softmax_cross_entropy(logits, [2, 0])
    loss.name = "loss"
    return ag.draw(loss)


def batch_norm():
    """Batch normalization: mean and variance are part of the graph."""
    x = ag.tensor([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0]], name="x")
    y = nn.batch_norm(x, ag.parameter([1.0, 2.0], name="γ"), ag.parameter([0.0, 0.5], name="β"))
    return ag.draw(y, cotangent=[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])


def lstm_cell():
    """One step of a long short-term memory, four gates and two states."""
    x, h, c = (
        ag.tensor([v], name=k)
        for k, v in {"x": [1.0, -1.0], "h": [0.5, 0.1], "c": [0.3, -0.2]}.items()
    )
    rng = np.random.default_rng(0)
    wx, wh = (ag.parameter(rng.normal(size=(2, 8)).round(1), name=n) for n in ("Wx", "Wh"))
    after, memory = nn.lstm_step(x, (h, c), wx, wh, ag.parameter(np.zeros(8), name="b"))
    after.name, memory.name = "h′", "c′"
    return ag.draw([after, memory])


def attention():
    """Scaled dot-product attention of two queries over three keys."""
    rng = np.random.default_rng(1)
    q, k, v = (
        ag.tensor(rng.normal(size=shape).round(1), name=name)
        for name, shape in {"Q": (2, 2), "K": (3, 2), "V": (3, 1)}.items()
    )
    return ag.draw(nn.scaled_dot_product_attention(q, k, v))


def residual():
    """A residual block: the gradient passes by its layers and through them."""
    rng = np.random.default_rng(0)
    x = ag.tensor([[1.0, -2.0]], name="x")
    w1, w2 = (
        ag.parameter(rng.normal(size=shape).round(1), name=name)
        for name, shape in {"W1": (2, 3), "W2": (3, 2)}.items()
    )
    with ag.scope("Residual"):
        y = nn.affine(nn.relu(nn.affine(x, w1, np.zeros(3))), w2, np.zeros(2)) + x
    return ag.draw(y, highlight=("x", y))


def mlp(zoom):
    """A perceptron of three layers, from far, at its layers, and near."""
    net = nn.Sequential(
        nn.Affine.initialised(2, 4, rng=0), nn.Tanh(),
        nn.Affine.initialised(4, 4, rng=1), nn.Tanh(),
        nn.Affine.initialised(4, 1, rng=2),
    )  # fmt: skip
    with ag.scope("MLP"):
        y = net(ag.tensor([[0.5, -1.0], [1.0, 2.0]], name="x"))
    return ag.draw(y, expand=zoom)


# derivatives are graphs too


def second_derivative():
    """The second derivative of tanh, beside the function and the first one."""
    x = ag.tensor(0.5, name="x")
    with ag.scope("Tanh"):
        y = ag.tanh(x)
    (first,) = ag.gradients(y, [x])
    (second,) = ag.gradients(first, [x])
    y.name, first.name, second.name = "tanh x", "first", "second"
    return ag.draw([y, first, second], gradients=False)


def backward_graph():
    """The gradient of the textbook's sigmoid as a graph of its own."""
    x = ag.tensor([-1.0, 0.0, 2.0], name="x")
    (dx,) = ag.gradients(textbook_sigmoid(x), [x], np.ones(3))
    dx.name = "dx"
    return ag.draw(dx, gradients=False)


# help with errors


class FirstRowAlone(Affine):
    """An affine layer whose author forgot to sum the bias gradient over the batch."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.db = dout[0]
        return dx


def comparison():
    """A hand-written layer with a fault, held against ours."""
    report = ag.compare(FirstRowAlone(W, B), X, against=nn.Affine(W, B), cotangent=DOUT)
    return ag.draw(report)


def failed():
    """Shapes that do not fit: what was computed up to there, and where it ended."""
    x, w = ag.tensor(X, name="x"), ag.parameter(W.T, name="W")
    try:
        np.tanh(x) @ w + B
    except ag.errors.ShapeError as error:
        return ag.draw(error)
    raise AssertionError("the shapes do not fit")


def not_a_number():
    """Where NaN and infinity begin, and where they go."""
    x = ag.tensor([1.0, 0.0, -1.0], name="x")
    with np.errstate(all="ignore"):
        return ag.draw(np.sum(np.log(x) * x))


def shapes_alone():
    """A function drawn without any numbers."""

    def loss(x, W, b, target):
        return nn.mean_squared_error(ag.sigmoid(nn.affine(x, W, b)), target)

    shapes = [(32, 10), (10, 3), (3,), (32, 3)]
    return ag.draw(ag.trace(loss, *map(ag.shaped, shapes)))


PICTURES = {
    "affine": affine,
    "sigmoid": sigmoid,
    "textbook": textbook,
    "folded": folded,
    "relu": relu,
    "apples": apples,
    "broadcast": broadcast,
    "fan_out": fan_out,
    "cross_entropy": cross_entropy,
    "batch_norm": batch_norm,
    "lstm_cell": lstm_cell,
    "attention": attention,
    "residual": residual,
    "mlp_far": lambda: mlp("none"),
    "mlp_layers": lambda: mlp(1),
    "mlp_near": lambda: mlp("all"),
    "second_derivative": second_derivative,
    "backward_graph": backward_graph,
    "comparison": comparison,
    "failed": failed,
    "not_a_number": not_a_number,
    "shapes_alone": shapes_alone,
}


def write(folder, suffix="svg"):
    """Save every picture into a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PICTURES.items():
        make().save(folder / f"{name}.{suffix}")


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "gallery"
    write(folder)
    print(f"{len(PICTURES)} pictures in {folder}")
