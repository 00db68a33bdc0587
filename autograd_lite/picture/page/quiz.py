"""Questions about the gradients of a graph, and the wrong answers that tell what was forgotten.

Each wrong answer is computed as a learner would who forgot one thing: the sign, the transpose, the
sum over the batch, the gradient that arrives, the local derivative, one of the paths. Knows the
model of the page; names no operator. Imports its siblings.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.graph import Node
from autograd_lite.picture.arrays import one_line, shape_text, typeset
from autograd_lite.picture.page.model import Ending, Model, Produced
from autograd_lite.picture.page.story import Sentence, bare, local_derivative, pulled
from autograd_lite.shapes import broadcast_axes

__all__ = ["Mistake", "Question", "questions"]

_SIZE = 12  # elements that a learner types
_MOST = 60


@dataclass(frozen=True)
class Mistake:
    """A wrong answer: what was forgotten, in a word and as advice, and what comes out then."""

    forgot: str
    says: str
    answer: np.ndarray


@dataclass(frozen=True)
class Question:
    """What is asked, and where it stands: the edge (a value and its ending), or the sum."""

    kind: str  # gradient, local or sum
    value: int
    ending: int  # -1 for the sum where paths meet
    text: Sentence
    answer: np.ndarray
    mistakes: tuple[Mistake, ...]


def questions(model: Model) -> list[Question]:
    """Questions on the small arrays of a graph, from its end to its beginning."""
    asked = [
        ask for k in reversed(range(len(model.values))) for ask in _about(model, k, model.values[k])
    ]
    step = max(1, -(-len(asked) // _MOST))
    return [question for ask in asked[::step] if (question := ask()) is not None]


def _about(model: Model, k: int, produced: Produced) -> Iterator[Callable[[], Question | None]]:
    """What can be asked about a value; most questions on a large graph are never made."""
    if not 0 < produced.node.size <= _SIZE or np.dtype(produced.node.dtype).kind != "f":
        return
    came = [ending for ending in produced.endings if _small(ending.gradient)]
    if len(came) > 1:
        yield partial(_of_sum, model, k, produced, came)
    for at, ending in enumerate(produced.endings):
        if ending in came and ending.wire.slots and model.folded.parts[ending.atom].folded is None:
            yield partial(_of_gradient, model, k, at, produced, ending)
            yield partial(_of_local, model, k, at, *ending.wire.slots[0])


def _small(value: Any) -> bool:
    if value is None or isinstance(value, (list, tuple)):
        return False
    array = np.asarray(value)
    return 0 < array.size <= _SIZE and array.dtype.kind == "f" and bool(np.isfinite(array).all())


def _of_sum(model: Model, k: int, produced: Produced, came: Sequence[Ending]) -> Question | None:
    total = model.shown.totals.get(produced.node)
    if not _small(total):
        return None
    name = model.names[produced.node]
    parts = [np.asarray(ending.gradient) for ending in came]
    answer = np.asarray(total)
    text: Sentence = [("n", name), ("", f" is used {len(parts)} times, and these gradients come ")]
    text += [("", "back: ")]
    for at, part in enumerate(parts):
        text += [("", " and " if at else ""), ("g", _line(part))]
    text += [("", ". What is the gradient of "), ("n", name), ("", "?")]
    says = "You forgot one of the paths: the gradients of all of them are added."
    mistakes = [Mistake("path", says, part) for part in parts]
    mistakes += [Mistake("path", says, answer - part) for part in parts]
    says = "You averaged over the paths; their gradients are added."
    mistakes.append(Mistake("sum", says, answer / len(parts)))
    mistakes.append(_sign(answer))
    return Question("sum", k, -1, text, answer, _kept(answer, mistakes))


def _of_gradient(
    model: Model, k: int, at: int, produced: Produced, ending: Ending
) -> Question | None:
    node, i = ending.wire.slots[0]
    g = model.shown.totals.get(node)
    if not _small(g):
        return None
    called = model.called(node)
    name, operator = model.names[produced.node], model.atoms[ending.atom].title
    answer = np.asarray(ending.gradient)
    arrives: Sentence = [("", f"At {operator} "), ("", "the gradient "), ("g", f"G = {_line(g)}")]
    arrives += [("", " arrives. Its inputs are ")]
    for j, p in enumerate(node.inputs):
        value = model.shown.values.get(p) if isinstance(p, Node) else p
        said = f"{called[j]} = {_line(value)}" if isinstance(p, Node) else _line(value)
        arrives += [("", ", " if j else ""), ("v", said)]
    asks: Sentence = [("", ". What flows on to "), ("n", name)]
    asks += [("", f", of shape {shape_text(produced.node.shape)}?")]
    mistakes = _kept(answer, [*_of_rule(model, node, i, g), _sign(answer), *_transposed(answer)])
    return Question("gradient", k, at, arrives + asks, answer, mistakes)


def _of_local(model: Model, k: int, at: int, node: Node, i: int) -> Question | None:
    found = local_derivative(model, node, i)
    if not _small(found) or np.all(np.asarray(found) == 1):
        return None
    local = np.asarray(found)
    called = model.called(node)
    values, inputs = model.shown.values, [p for p in node.inputs if isinstance(p, Node)]
    text: Sentence = [("", "The output is "), ("v", f"y = {_line(values[node])}")]
    text += [("", f" = {model.names[node]}")] if model.names[node] != "y" else []
    for p in dict.fromkeys(inputs):
        text += [("", ", where "), ("v", f"{model.names[p]} = {_line(values[p])}")]
    text += [("", ". What is its local derivative with respect to "), ("n", called[i]), ("", "?")]
    mistakes = [_sign(local)]
    for p in inputs:
        says = "That is the value of an input, not the derivative with respect to it."
        mistakes.append(Mistake("derivative", says, np.asarray(values[p])))
    says = "That is the value of the output, not its derivative."
    mistakes.append(Mistake("derivative", says, np.asarray(values[node])))
    arrived = model.shown.contributions.get((node, i))
    if arrived is not None:
        says = "That is the gradient that flows on: the local derivative is asked for, without G."
        mistakes.append(Mistake("arriving", says, np.asarray(arrived)))
    return Question("local", k, at, text, local, _kept(local, mistakes))


def _of_rule(model: Model, node: Node, i: int, g: Any) -> Iterator[Mistake]:
    """What comes out when one thing of the operator's rule is forgotten."""
    p = node.inputs[i]
    rule = bare(node.op.local_rule(i, model.called(node)).removeprefix("G × "))
    whole = pulled(model, node, i, g)
    axes = tuple(broadcast_axes(p.shape, np.shape(whole))) if whole is not None else ()
    if axes:
        says = f"You forgot the sum: {model.names[p]} was repeated, so its gradients are added."
        yield Mistake("sum", says, np.asarray(whole))
        mean = np.mean(whole, axis=axes, keepdims=True).reshape(p.shape)
        yield Mistake("sum", "You averaged over what was repeated; the gradients are added.", mean)
    alone = pulled(model, node, i, np.ones_like(g))
    if alone is not None:
        if axes:
            alone = np.sum(alone, axis=axes, keepdims=True).reshape(p.shape)
        says = "You forgot the gradient that arrives: the local derivative is multiplied by G."
        yield Mistake("arriving", says, np.asarray(alone))
    says = f"That is G itself: it has still to pass the rule of {node.op.name}: {rule}."
    yield Mistake("local", says, np.asarray(g))
    yield from _untransposed(model, node, i, g)


def _untransposed(model: Model, node: Node, i: int, g: Any) -> Iterator[Mistake]:
    """The product with another operand as it stands, where the rule has its transpose."""
    if node.op.kind != "multilinear":
        return
    values = model.shown.values
    xs: list[Any] = [values.get(p) if isinstance(p, Node) else p for p in node.inputs]
    for j, x in enumerate(xs):
        if j != i and np.ndim(x) == 2 and x.shape[0] == x.shape[1]:
            turned = pulled(model, node, i, g, [*xs[:j], x.T, *xs[j + 1 :]])
            if turned is not None:
                says = f"You forgot to transpose {model.called(node)[j]}."
                yield Mistake("transpose", says, np.asarray(turned))


def _transposed(answer: np.ndarray) -> list[Mistake]:
    says = "That is the transpose of the gradient: it has the shape of what it belongs to."
    return [Mistake("transpose", says, answer.T)] if answer.ndim == 2 else []


def _sign(answer: np.ndarray) -> Mistake:
    return Mistake("sign", "The sign is turned round: all but the sign is right.", -answer)


def _kept(answer: np.ndarray, mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Those that differ from the answer, each outcome once."""
    found: list[Mistake] = []
    for mistake in mistakes:
        others = [answer, *(other.answer for other in found)]
        fits = 0 < mistake.answer.size <= 4 * _SIZE and np.isfinite(mistake.answer).all()
        if fits and not any(_same(one, mistake.answer) for one in others):
            found.append(mistake)
    return tuple(found)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.allclose(a, b)


def _line(value: Any) -> str:
    return one_line(typeset(value))
