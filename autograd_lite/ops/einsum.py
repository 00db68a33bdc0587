"""Sums of products by labels: einsum, inner, kron, vdot.

One operator contracts two operands by a matrix product; everything else is brought to that form.
More than two operands are contracted in pairs, in the order of least work. Imports errors, rules,
NumPy, and the operators that these are made of.
"""

import functools
import math
import string
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.errors import DomainError, ShapeError
from autograd_lite.ops.contraction import matmul
from autograd_lite.ops.indexing import getitem
from autograd_lite.ops.pointwise import conj, multiply
from autograd_lite.ops.reductions import sum
from autograd_lite.ops.shaping import as_array, ravel, reshape, shape_of, squeeze, transpose
from autograd_lite.recording import apply
from autograd_lite.rules import multilinear, public
from autograd_lite.shapes import Shape

Labels = tuple[Any, ...]


# two operands whose labels are all different, each in the other operand or in the result


@functools.lru_cache(maxsize=512)
def _layout(labels: tuple[Labels, Labels, Labels], left: Shape, right: Shape) -> tuple[Any, ...]:
    """How the operands become matrices (order and shape), and their product becomes the result.

    The flag tells an outer product, of which a matrix product would be slow.
    """
    la, lb, out = labels
    shared = [x for x in la if x in lb]
    batch = [x for x in shared if x in out]
    inner = [x for x in shared if x not in out]
    rows = [x for x in la if x not in shared]
    columns = [x for x in lb if x not in shared]
    sizes = dict(zip(la, left, strict=True))
    for one, n in zip(lb, right, strict=True):
        if sizes.setdefault(one, n) != n:
            raise ShapeError(f"label {one!r} stands for sizes {sizes[one]} and {n}")

    def matrix(own: Labels, *groups: list[Any]) -> tuple[list[int], list[int]]:
        order = [own.index(one) for group in groups for one in group]
        return order, [math.prod(sizes[one] for one in group) for group in groups]

    order = [*batch, *rows, *columns]
    result = [sizes[one] for one in order], [order.index(one) for one in out]
    outer = not inner and math.prod(sizes[one] for one in rows) == 1
    return matrix(la, batch, rows, inner), matrix(lb, batch, inner, columns), result, outer


def _product(a: Any, b: Any, *, labels: tuple[Labels, Labels, Labels]) -> Any:
    first, second, (shape, order), outer = _layout(labels, a.shape, b.shape)
    left, right = (x.transpose(own).reshape(wide) for x, (own, wide) in ((a, first), (b, second)))
    result = left * right if outer else left @ right
    return result.reshape(shape).transpose(order)


def _turned(labels: tuple[Labels, Labels, Labels], *order: int) -> dict[str, Any]:
    return {"labels": tuple(labels[i] for i in order)}


def _product_code(a: str, b: str, *, labels: tuple[Labels, Labels, Labels]) -> str:
    letters: dict[Any, str] = {}
    for one in (label for group in labels for label in group):
        letters.setdefault(one, string.ascii_letters[len(letters)])
    left, right, out = ("".join(letters[one] for one in group) for group in labels)
    return f'np.einsum("{left},{right}->{out}", {a}, {b})'


_einsum = multilinear(
    "einsum", _product,
    lambda g, a, b, *, labels: _contract(g, b, **_turned(labels, 2, 1, 0)),
    lambda g, a, b, *, labels: _contract(a, g, **_turned(labels, 0, 2, 1)),
    symbol="Σ×", text="Σ {0}·{1}", latex=r"\sum {0} \, {1}", local=["Σ G·{1}", "Σ {0}·G"],
    array_names=("a", "b"), code=_product_code,
    samples=[
        (((2, 3), (3, 4)), {"labels": (("i", "j"), ("j", "k"), ("i", "k"))}),
        (((2, 3, 4), (4, 2)), {"labels": (("b", "i", "j"), ("j", "b"), ("i", "b"))}),
        (((3,), (2,)), {"labels": (("i",), ("j",), ("j", "i"))}),
        (((2, 3), (3, 2)), {"labels": (("i", "j"), ("j", "i"), ())}),
    ],
)  # fmt: skip


def _contract(a: Any, b: Any, *, labels: tuple[Labels, Labels, Labels]) -> Any:
    return apply(_einsum.op, (a, b), {"labels": labels})


# the general form, brought to that


@functools.lru_cache(maxsize=512)
def _parsed(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of each operand and of the result; those of an ellipsis are numbers."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise DomainError(f"{len(terms)} terms in {subscripts!r} for {len(ndims)} operands")
    spread = [
        n - len(t.replace("...", "")) for t, n in zip(terms, ndims, strict=True) if "..." in t
    ]
    width = max(spread, default=0)
    labels = tuple(_labelled(t, n, width) for t, n in zip(terms, ndims, strict=True))
    if arrow:
        return labels, _labelled(right, None, width)
    letters = [one for term in labels for one in term if isinstance(one, str)]
    once = sorted(one for one in {*letters} if letters.count(one) == 1)
    return labels, (*range(-width, 0), *once)


def _labelled(term: str, ndim: int | None, width: int) -> Labels:
    head, dots, tail = term.partition("...")
    if not (head + tail).isalpha() and head + tail:
        raise DomainError(f"the labels {term!r}", mend="labels are letters, and one '...'")
    named = len(head) + len(tail)
    if ndim is not None:
        if named > ndim or (not dots and named != ndim):
            raise ShapeError(f"{named} labels {term!r} for an array of {ndim} axes")
        width = ndim - named
    return (*head, *(range(-width, 0) if dots else ()), *tail)


def _listed(arguments: Sequence[Any]) -> tuple[list[Any], Sequence[Labels], Labels | None]:
    """The other way to call: array, labels, array, labels, …, labels of the result."""
    count = len(arguments) // 2
    arrays = [as_array(x) for x in arguments[: 2 * count : 2]]
    width = max((x.ndim - len(own) + 1 for x, own in zip(arrays, arguments[1::2], strict=False)
                 if Ellipsis in own), default=0)  # fmt: skip

    def expand(own: Any, n: int) -> Labels:
        dots = tuple((-1, k) for k in range(n))  # numbers are taken: pairs stand for the ellipsis
        return tuple(one for label in own for one in (dots if label is Ellipsis else (int(label),)))

    labels = [expand(own, x.ndim - len(own) + 1)
              for x, own in zip(arrays, arguments[1::2], strict=False)]  # fmt: skip
    final = expand(arguments[-1], width) if len(arguments) % 2 else None
    return arrays, labels, final


@public(np.einsum)
def einsum(subscripts: Any, /, *operands: Any, optimize: Any = True) -> Any:
    """The sum of products that the subscripts name; repeated labels are summed over.

    As NumPy's, the ellipsis and the form with lists of labels included. More than two operands are
    always contracted in the order of least work (``optimize`` is taken and not needed).

    >>> import autograd_lite as ag
    >>> ag.einsum("ij,j->i", ag.tensor([[1.0, 2.0], [3.0, 4.0]]), [1.0, 1.0])
    Tensor([3., 7.])
    """
    if isinstance(subscripts, str):
        arrays = [as_array(x) for x in operands]
        labels: Sequence[Labels]
        labels, out = _parsed(subscripts, tuple(x.ndim for x in arrays))
    else:
        arrays, labels, final = _listed([subscripts, *operands])
        every = [one for own in labels for one in own]
        out = final if final is not None else (
            *sorted({one for one in every if isinstance(one, tuple)}),
            *sorted({o for o in every if not isinstance(o, tuple) and every.count(o) == 1}),
        )  # fmt: skip
    if not arrays:
        raise DomainError("einsum of no operands", mend="give at least one array")
    _check(labels, out)
    return _evaluated(arrays, labels, out)


def _check(labels: Sequence[Labels], out: Labels) -> None:
    known = {one for own in labels for one in own}
    if len({*out}) != len(out) or not {*out} <= known:
        raise DomainError(
            f"the result's labels {out}", mend="each stands there once, and in an operand"
        )


def _evaluated(arrays: list[Any], labels: Sequence[Labels], out: Labels) -> Any:
    sizes: dict[Any, int] = {}
    for x, own in zip(arrays, labels, strict=True):
        for label, n in zip(own, x.shape, strict=True):
            if sizes.setdefault(label, n) != n and 1 not in (sizes[label], n):
                raise ShapeError(
                    f"label {label!r} stands for sizes {sizes[label]} and {n}",
                    mend="axes of one label have one size, or size 1",
                )
            sizes[label] = n if sizes[label] == 1 else sizes[label]
    terms = [_distinct(x, own, sizes) for x, own in zip(arrays, labels, strict=True)]
    for i, j in _order(tuple(own for _, own in terms), out, tuple(sizes.items())):
        second, first = terms.pop(j), terms.pop(i)
        rest = {*out}.union(*(own for _, own in terms))
        terms.append(_pair(first, second, rest, out if not terms else None))
    ((x, own),) = terms
    gone = tuple(k for k, one in enumerate(own) if one not in out)
    if gone:
        x, own = sum(x, axis=gone), tuple(one for one in own if one in out)
    missing = [one for one in out if one not in own]  # every size there was 1
    x = reshape(x, (*x.shape, *[1] * len(missing))) if missing else x
    order = tuple((*own, *missing).index(one) for one in out)
    return transpose(x, order) if order != tuple(range(len(order))) else x[...] if not gone else x


def _distinct(x: Any, own: Labels, sizes: Mapping[Any, int]) -> tuple[Any, Labels]:
    """An operand with each label once: diagonals taken, and axes of size 1 that repeat left out."""
    thin = tuple(k for k, one in enumerate(own) if x.shape[k] == 1)
    if thin:
        x, own = squeeze(x, thin), tuple(one for k, one in enumerate(own) if k not in thin)
    while len({*own}) < len(own):
        label = next(one for one in own if own.count(one) > 1)
        places = [k for k, one in enumerate(own) if one == label]
        others = [k for k in range(len(own)) if k not in places]
        x = transpose(x, (*others, *places))
        every = np.arange(sizes[label])
        x = getitem(x, (Ellipsis, *[every] * len(places)))
        own = (*(own[k] for k in others), label)
    return x, own


def _pair(
    first: tuple[Any, Labels], second: tuple[Any, Labels], rest: set[Any], final: Labels | None
) -> tuple[Any, Labels]:
    """Two operands contracted; labels that nobody else needs are summed over."""
    (a, la), (b, lb) = (_lone_summed(x, own, rest.union(other))
                        for (x, own), (_, other) in ((first, second), (second, first)))  # fmt: skip
    kept = tuple(one for one in (*la, *(o for o in lb if o not in la)) if one in rest)
    if final is not None:
        kept = tuple(one for one in final if one in kept)
    return _contract(a, b, labels=(la, lb, kept)), kept


def _lone_summed(x: Any, own: Labels, needed: set[Any]) -> tuple[Any, Labels]:
    lone = tuple(k for k, one in enumerate(own) if one not in needed)
    return (sum(x, axis=lone), tuple(o for o in own if o in needed)) if lone else (x, own)


# the order of contraction


@functools.lru_cache(maxsize=512)
def _order(
    labels: tuple[Labels, ...], out: Labels, sizes: tuple[tuple[Any, int], ...]
) -> list[tuple[int, int]]:
    """Which two of the remaining operands to contract next; the result is put at the end.

    The least number of products, over all orders up to seven operands, else step by step.
    """
    terms = [frozenset(own) for own in labels]
    known = dict(sizes)
    if len(terms) <= 2:
        return [(0, 1)] if len(terms) == 2 else []
    if len(terms) > 7:
        return _greedy(terms, frozenset(out), known)
    tree = _best_tree(terms, frozenset(out), known)
    path: list[tuple[int, int]] = []
    remaining: list[Any] = list(range(len(terms)))

    def contract(node: Any) -> Any:
        if isinstance(node, int):
            return node
        pair = [contract(part) for part in node]
        i, j = sorted(remaining.index(part) for part in pair)
        path.append((i, j))
        remaining[:] = [one for k, one in enumerate(remaining) if k not in (i, j)] + [node]
        return node

    contract(tree)
    return path


def _work(labels: frozenset[Any], sizes: Mapping[Any, int]) -> float:
    return math.prod((float(sizes[one]) for one in labels), start=1.0)


def _best_tree(terms: list[frozenset[Any]], out: frozenset[Any], sizes: dict[Any, int]) -> Any:
    """The cheapest pairing, by the cost of every subset of the operands."""
    count, everything = len(terms), (1 << len(terms)) - 1

    def union(subset: int) -> frozenset[Any]:
        return frozenset().union(*(terms[k] for k in range(count) if subset >> k & 1))

    result = {s: union(s) & (out | union(everything & ~s)) for s in range(1, everything + 1)}
    best: dict[int, tuple[float, Any]] = {1 << k: (0.0, k) for k in range(count)}
    for subset in range(1, everything + 1):
        if subset in best:
            continue
        options = []
        part = (subset - 1) & subset
        while part:
            other = subset & ~part
            if part > other:
                cost = best[part][0] + best[other][0] + _work(result[part] | result[other], sizes)
                options.append((cost, (best[part][1], best[other][1])))
            part = (part - 1) & subset
        best[subset] = min(options, key=lambda option: option[0])
    return best[everything][1]


def _greedy(
    terms: list[frozenset[Any]], out: frozenset[Any], sizes: dict[Any, int]
) -> list[tuple[int, int]]:
    path = []
    while len(terms) > 1:

        def gain(pair: tuple[int, int]) -> float:
            i, j = pair
            others = out.union(*(t for k, t in enumerate(terms) if k not in pair))  # noqa: B023 - used at once
            left = (terms[i] | terms[j]) & others  # noqa: B023 - used at once
            old = _work(terms[i], sizes) + _work(terms[j], sizes)  # noqa: B023 - used at once
            return _work(left, sizes) - old

        pairs = [(i, j) for j in range(len(terms)) for i in range(j)]
        i, j = min(pairs, key=gain)
        path.append((i, j))
        others = out.union(*(t for k, t in enumerate(terms) if k not in (i, j)))
        joined = (terms[i] | terms[j]) & others
        terms = [t for k, t in enumerate(terms) if k not in (i, j)] + [joined]
    return path


# the everyday products


@public(np.inner)
def inner(a: Any, /, b: Any) -> Any:
    """The sum of products over the last axes of both.

    >>> import autograd_lite as ag
    >>> ag.inner(ag.tensor([1.0, 2.0]), [3.0, 4.0])
    Tensor(11.)
    """
    a, b = as_array(a), as_array(b)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    if a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"last axes of {a.shape} and {b.shape}", mend="inner sums over them: one size for both"
        )
    flat = matmul(reshape(a, (-1, a.shape[-1])), reshape(b, (-1, b.shape[-1])).T) if a.size else (
        matmul(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]),
               b.reshape(math.prod(b.shape[:-1]), b.shape[-1]).T)
    )  # fmt: skip
    return reshape(flat, (*a.shape[:-1], *b.shape[:-1]))


@public(np.vdot)
def vdot(a: Any, /, b: Any) -> Any:
    """The dot product of both arrays flattened; of complex ones the first is conjugated.

    >>> import autograd_lite as ag
    >>> ag.vdot(ag.tensor([[1.0, 2.0]]), [[3.0], [4.0]])
    Tensor(11.)
    """
    return matmul(conj(ravel(a)), ravel(b))


@public(np.kron)
def kron(a: Any, /, b: Any) -> Any:
    """The Kronecker product: each element of ``a`` times the whole of ``b``.

    >>> import autograd_lite as ag
    >>> ag.kron(ag.tensor([1.0, 10.0]), [1.0, 2.0])
    Tensor([ 1.,  2., 10., 20.])
    """
    left, right = shape_of(a), shape_of(b)
    ndim = max(len(left), len(right))
    left = (1,) * (ndim - len(left)) + left
    right = (1,) * (ndim - len(right)) + right
    wide = reshape(a, tuple(n for size in left for n in (size, 1)))
    small = reshape(b, tuple(n for size in right for n in (1, size)))
    return reshape(multiply(wide, small), tuple(m * n for m, n in zip(left, right, strict=True)))
