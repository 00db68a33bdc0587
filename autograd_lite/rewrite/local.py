"""The combined local rule of a region of a graph: what a folded layer does to a gradient.

``local_rule`` differentiates the region with the engine's own rules, brings the result into normal
form, tries what becomes shorter in terms of the region's output, and returns the shortest rule
that agrees with the unsimplified derivative on the recorded values and on random ones. Nothing
here knows a layer. Imports graph, derivatives, and its siblings.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from autograd_lite.derivatives import gradients
from autograd_lite.errors import AutogradError
from autograd_lite.graph import Constant, Graph, Leaf, Node, by_serial
from autograd_lite.modes import using
from autograd_lite.ops.pointwise import exp, greater, maximum, minimum
from autograd_lite.ops.shaping import broadcast_to, reshape
from autograd_lite.recording import apply
from autograd_lite.rewrite.field import Atom, Field, bare, key_of, shape_of_ratio
from autograd_lite.rewrite.rational import ONE, ZERO, Overgrown, Poly, Ratio, number, symbol
from autograd_lite.rewrite.reading import Reader
from autograd_lite.rewrite.writing import Form, written
from autograd_lite.rules import OPS
from autograd_lite.shapes import Shape
from autograd_lite.tensors import Tensor, tensor

__all__ = ["LocalRule", "Region", "local_rule"]

_OPERATIONS = 60  # of a region that is simplified
_ELEMENTS = 1_000_000  # of its largest array
_TEXT = 48  # characters of a rule that is shown
_NAMES = 3  # that are tried
_TERMS = 24  # of a formula that may still be short
_REMEMBERED = 256  # structures whose rules are kept


@dataclass(frozen=True)
class Region:
    """Part of a graph with one output, recorded again on leaves of its own, and its derivative.

    ``inputs`` are the leaves, ``cotangent`` stands for the arriving gradient, and ``derivative`` is
    the gradient of ``inputs[at]`` as the engine's rules make it. All of it is of float64.
    """

    inputs: tuple[Node, ...]
    output: Node
    cotangent: Node
    derivative: Node
    at: int

    def values(self, arrays: Sequence[Any], cotangent: Any) -> tuple[Any, Any]:
        """Output and derivative on other arrays."""
        graph = Graph([self.output, self.derivative])
        given = {**dict(zip(self.inputs, arrays, strict=True)), self.cotangent: cotangent}
        with np.errstate(all="ignore"):
            found = graph.replay({n: v for n, v in given.items() if n in graph.inputs})
        return found[self.output], found[self.derivative]


@dataclass(frozen=True)
class LocalRule:
    """A derivative in short form, confirmed on numbers.

    ``text`` says it, with ``G`` for the arriving gradient and ``y`` for the region's output.
    ``stable`` is False where the form loses range that the unsimplified derivative keeps (y(1−y)
    is 0 at 40): good to read, not to compute with. ``inputs`` are the nodes that the region reads,
    in the order in which ``compute`` takes their arrays.
    """

    text: str
    form: Form
    region: Region
    stable: bool
    atoms: tuple[Atom, ...]  # of the inputs, of the cotangent, of the output
    inputs: tuple[Node, ...] = ()
    named: tuple[tuple[Atom, Form], ...] = ()  # short names for formulas: σ(x), softmax(x)

    def compute(self, inputs: Sequence[Any], cotangent: Any, output: Any) -> Any:
        """The gradient by this rule; of arrays, or of tensors, which records it as a graph."""
        values = dict(zip(self.atoms, (*inputs, cotangent, output), strict=True))
        for atom, form in self.named:
            values[atom] = form.compute(values)
        return _in_shape(self.form.compute(values), self.region.inputs[self.region.at].shape)

    def graph(self) -> Graph:
        """The rule as a graph of the region's inputs, its output and the cotangent."""
        handles = [node.outputs[0] for node in (*self.region.inputs, self.region.cotangent)]
        with using(tracing=True):
            return Graph.of(self.compute(handles[:-1], handles[-1], self.region.output.outputs[0]))


def local_rule(
    nodes: Iterable[Node],
    output: Node,
    wanted: Node,
    names: Mapping[Node, str],
    values: Mapping[Node, Any] | None = None,
) -> LocalRule | None:
    """The combined local rule of ``nodes`` on the way from ``output`` back to ``wanted``.

    ``nodes`` are a region whose one result is ``output``; leaves among them, and the nodes that
    they read from outside, are its inputs. ``wanted`` is one of these. ``names`` says how to call
    the inputs; ``values`` gives recorded values, on which the rule is checked besides random ones.
    None: the region is too large, or no short rule was found and confirmed.

    Regions of the same structure share one search.

    >>> import autograd_lite as ag
    >>> x = ag.tensor([1.0, 2.0], name="x")
    >>> y = 1 / (1 + ag.exp(-x))
    >>> local_rule(Graph.of(y), y.node, x.node, {x.node: "x"}).text
    'G × y(1−y)'
    """
    inside = sorted({n for n in nodes if not isinstance(n, Leaf)}, key=by_serial)
    if len(inside) > _OPERATIONS or output not in inside or wanted in inside:
        return None
    inputs = _inputs(inside)
    if wanted not in inputs or not all(map(_ordinary, (*inputs, *inside))):
        return None
    called = [names.get(node, node.name or f"x{k}") for k, node in enumerate(inputs)]
    key = (_structure(inside, inputs, output, wanted), *called)
    if key not in _found:
        if len(_found) >= _REMEMBERED:
            _found.clear()
        _found[key] = _searched(inside, inputs, output, wanted, called)
    rule = _found[key]
    if rule is None:
        return None
    rule = replace(rule, inputs=tuple(inputs))
    recorded = [None if values is None else values.get(node) for node in inputs]
    if any(value is None for value in recorded):
        return rule
    arrays = [np.asarray(value, np.float64)[()] for value in recorded]
    cotangent = np.random.default_rng(3).normal(size=output.shape)[()]
    return rule if _agrees(rule, arrays, cotangent) else None


_found: dict[Any, LocalRule | None] = {}


def _inputs(inside: Sequence[Node]) -> list[Node]:
    """What the region reads and derivatives enter: neither its own nodes nor constants."""
    own = set(inside)
    read = (p for node in inside for p in node.inputs if isinstance(p, Node))
    return list(dict.fromkeys(p for p in read if p not in own and type(p) is not Constant))


def _ordinary(node: Node) -> bool:
    """Whether it is one real array of moderate size."""
    real = node.dtype is not None and np.dtype(node.dtype).kind in ("f" if not node.inputs else
                                                                    "fbiu")  # fmt: skip
    return real and node.size <= _ELEMENTS


def _structure(
    inside: Sequence[Node], inputs: Sequence[Node], output: Node, wanted: Node
) -> tuple[Any, ...]:
    """What two regions share that have the same rule."""
    place: dict[Node, Any] = {node: k for k, node in enumerate((*inputs, *inside))}

    def operand(p: Any) -> Any:
        if isinstance(p, Node):
            return place[p] if p in place else (p.name, key_of(p.value))
        return key_of(p)

    rows = [
        (n.op.forward, n.op.kind, n.shape, key_of(n.params), tuple(map(operand, n.inputs)))
        for n in inside
    ]
    return (*rows, tuple(n.shape for n in inputs), place[output], place[wanted])


# the unsimplified derivative


def _differentiated(
    inside: Sequence[Node], inputs: Sequence[Node], output: Node, wanted: Node
) -> Region:
    rng = np.random.default_rng(1)
    copies: dict[Node, Tensor] = {}
    for node in inputs:
        copies[node] = tensor(rng.uniform(0.5, 2.0, node.shape))
    with using(tracing=True, recording=True, debug=False, scope=None), np.errstate(all="ignore"):
        for node in inside:
            args = [copies.get(p, p.outputs[0]) if isinstance(p, Node) and p not in copies
                    else copies[p] if isinstance(p, Node) else p for p in node.inputs]  # fmt: skip
            copies[node] = apply(node.op, args, node.params)
        y = copies[output]
        arriving = tensor(rng.normal(size=output.shape))
        (found,) = gradients(y, [copies[wanted]], arriving)
    leaves = tuple(copies[node].node for node in inputs)
    return Region(leaves, y.node, arriving.node, found.node, inputs.index(wanted))


def _searched(
    inside: Sequence[Node],
    inputs: Sequence[Node],
    output: Node,
    wanted: Node,
    called: Sequence[str],
) -> LocalRule | None:
    try:
        region = _differentiated(inside, inputs, output, wanted)
        rules = _candidates(region, called)
    except (AutogradError, Overgrown, ZeroDivisionError, OverflowError):
        return None
    for rule in sorted(rules, key=lambda rule: len(rule.text)):
        if len(rule.text) > _TEXT:
            return None
        if _confirmed(rule):
            return replace(rule, stable=_keeps_range(rule))
    return None


# short forms


def _candidates(region: Region, called: Sequence[str]) -> list[LocalRule]:
    field = Field()
    pairs = zip((*region.inputs, region.cotangent, region.output), (*called, "G", "y"), strict=True)
    atoms = [field.name(node, name, node.shape) for node, name in pairs]
    reader = Reader(field, {n: symbol(a) for n, a in zip(region.inputs, atoms)})
    reader.known[region.cotangent] = symbol(atoms[-2])
    reader.read(Graph([region.output, region.derivative]))
    y, d = (field.folded(reader.known[node]) for node in (region.output, region.derivative))
    named = list(islice(_named(field, [y, d]), _NAMES))
    forms: dict[Ratio, None] = {}
    try:
        for ratio in _forms(field, y, d, None if "y" in called else atoms[-1], named):
            forms.setdefault(field.folded(ratio))
    except Overgrown:
        pass  # what was found so far will do
    extra = tuple((k.atom, written(field, k.formula, atoms[-2])) for k in named)
    # of two inputs of one name a text would not say which
    shared = {atom for atom in atoms if sum(atom.name == other.name for other in atoms) > 1}
    short = [r for r in forms if _terms(r) <= _TERMS and not _mentions(r, shared)]
    return [_rule(field, ratio, region, tuple(atoms), extra) for ratio in short]


def _forms(
    field: Field, y: Ratio, d: Ratio, name: Atom | None, named: Sequence["_Known"]
) -> Iterator[Ratio]:
    """The derivative as it is, in terms of named formulas, of the output (if named), of both."""
    starts = [(y, d)]
    yield d
    for known in named:
        starts += [(known.put(field, a), known.put(field, b)) for a, b in tuple(starts)]
    for made, slope in starts:
        yield slope
        for short in _in_terms_of(field, slope, made, name) if name else ():
            yield short
            for known in named:
                yield known.put(field, short)


def _mentions(ratio: Ratio, atoms: set[Atom]) -> bool:
    """Whether any of these atoms is in a formula."""
    return any(atom in atoms for x in _within([ratio]) for atom in x.atoms())


def _terms(ratio: Ratio) -> int:
    """How many terms a formula has, those inside its operators too; counting ends when too many."""
    count = 0
    for x in _within([ratio]):
        count += len(x.top) + sum(len(factor) for factor, _ in x.under)
        if count > _TERMS:
            break
    return count


def _rule(
    field: Field, ratio: Ratio, region: Region, atoms: tuple[Atom, ...], extra: Any
) -> LocalRule:
    form = written(field, ratio, atoms[-2])
    shape, wanted = shape_of_ratio(ratio), region.inputs[region.at].shape
    text = form.text
    if bare(shape) != bare(wanted):
        text = f"{text if ' ' not in text else f'({text})'} repeated"
    elif len(shape) > len(wanted) and not any(
        a.op is OPS["sum"] for a in ratio.atoms()
    ):  # sums over axes that happen to be of size 1
        axes = "rows" if len(shape) == 2 else "axes"
        text = f"Σ {axes} {text if ' ' not in text else f'({text})'}"
    return LocalRule(text, form, region, True, atoms, named=extra)


@dataclass(frozen=True)
class _Known:
    """A formula with a name: ``solved`` to the power of ``step`` is ``solution`` in terms of it."""

    atom: Atom
    formula: Ratio
    solved: Atom
    step: Fraction
    solution: Ratio

    def put(self, field: Field, x: Ratio) -> Ratio:
        """X in terms of the name."""
        return field.substituted(x, self.solved, self.solution, self.step)


def _named(field: Field, formulas: Sequence[Ratio]) -> Iterator[_Known]:
    """What has a name of its own: σ(u) = 1/(1 + exp(−u)), softmax(u) = exp(u)/Σ exp(u)."""
    seen: set[Any] = set()
    for x in _within(formulas):
        for poly, _ in x.under:
            e = _exponential(poly[1:]) if len(poly) == 2 and poly[0] == ((), Fraction(1)) else None
            if e is not None and e not in seen:
                seen.add(e)
                yield _solved(field, "σ", e, e / (ONE + e), e)
        for atom in x.atoms():
            if atom not in seen and (found := _variance(field, x, atom)) is not None:
                seen.add(atom)
                yield found
            inner = _exponential(atom.args[0].top) if atom.op is OPS["sum"] else None
            if inner is not None and atom not in seen and not atom.args[0].under:
                seen.add(atom)
                yield _solved(field, "softmax", inner, inner / symbol(atom), symbol(atom))


def _variance(field: Field, x: Ratio, atom: Atom) -> _Known | None:
    """Where the mean of u² less the squared mean of u may stand: var(u)."""
    simple = atom.args[0].monomial if atom.op is OPS["sum"] else None
    if simple is None or simple[0] != 1 or any(e % 2 for _, e in simple[1]):
        return None
    u = Ratio((((tuple((one, e / 2) for one, e in simple[1])), Fraction(1)),))
    shape, axes = atom.shapes[0], atom.params["axis"]
    total = field.total(u, shape, axes)
    if not set(total.atoms()) & set(x.atoms()):
        return None
    count = number(prod(shape[axis] for axis in axes))
    mean = total / count
    v = field.name(("var", atom), f"var({written(field, u, atom).text})", atom.shape)
    formula = symbol(atom) / count - mean * mean
    return _Known(v, formula, atom, Fraction(1), count * (symbol(v) + mean * mean))


def _solved(field: Field, name: str, e: Ratio, formula: Ratio, other: Ratio) -> _Known:
    u = field.log(e)
    form = written(field, u, field.name("G", "G", ()))
    shape = shape_of_ratio(formula)
    atom = field.name((name, u), f"{name}({form.text})", shape, positive=True)
    s = symbol(atom)
    whole = s / (ONE - s) if other == e else s * other
    ((_, monomial),) = (e.monomial,)  # type: ignore[misc]  # it is a product of exps
    solved, step = monomial[0]
    return _Known(atom, formula, solved, step, whole / (e / symbol(solved, step)))


def _exponential(poly: Poly) -> Ratio | None:
    """A polynomial as Ratio if it is one product of exps."""
    if len(poly) != 1:
        return None
    ((monomial, c),) = poly
    return Ratio(poly) if c == 1 and monomial and all(a.op is exp.op for a, _ in monomial) else None


def _within(formulas: Sequence[Ratio]) -> Iterator[Ratio]:
    """Formulas and all that they are made of, each once."""
    seen: dict[Ratio, None] = {}
    stack = list(reversed(formulas))
    while stack:
        x = stack.pop()
        if x in seen:
            continue
        seen[x] = None
        yield x
        for atom in x.atoms():
            stack += [arg for arg in atom.args if isinstance(arg, Ratio)]


def _in_terms_of(field: Field, d: Ratio, y: Ratio, name: Atom) -> Iterator[Ratio]:
    """D with something expressed by the output y, or by exp(y)."""
    for made, known in ((y, symbol(name)), (field.exp(y), field.exp(symbol(name)))):
        for atom in made.atoms():
            solution = _moebius(made, atom, known)
            if solution is not None:
                try:
                    yield field.substituted(d, atom, *solution)
                except (Overgrown, ZeroDivisionError):
                    continue
    for atom in y.atoms():
        if symbol(atom) == y and atom.op in (maximum.op, minimum.op):
            yield _sides(field, d, atom, symbol(name))


def _sides(field: Field, d: Ratio, atom: Atom, y: Ratio) -> Ratio:
    """Where y = max(a, b), a > b is y > b; where y = min(a, b), b > a is b > y."""
    for a, b in (atom.args, atom.args[::-1]):
        side = a - b if atom.op is maximum.op else b - a
        known = y - b if atom.op is maximum.op else b - y
        condition = field.holds(greater.op, side).monomial
        if condition is not None and condition[1]:
            d = field.substituted(
                d, condition[1][0][0], field.holds(greater.op, known), Fraction(1)
            )
    return d


def _moebius(made: Ratio, atom: Atom, known: Ratio) -> tuple[Ratio, Fraction] | None:
    """Solve made = known for t = atom^step where made is (p·t + q)/(r·t + s): t and step."""
    under = ONE
    for factor, e in made.under:
        under = under * Ratio(factor).power(e)
    exponents = {dict(m).get(atom, Fraction(0)) for m, _ in (*made.top, *under.top)}
    if len(exponents) != 2:
        return None
    low, high = sorted(exponents)

    def split(poly: Poly) -> tuple[Ratio, Ratio]:
        parts = {low: ZERO, high: ZERO}
        for monomial, c in poly:
            e = dict(monomial).get(atom, Fraction(0))
            rest = tuple(pair for pair in monomial if pair[0] is not atom)
            parts[e] = parts[e] + Ratio(((rest, c),))
        return parts[high], parts[low]

    (p, q), (r, s) = split(made.top), split(under.top)
    below = r * known - p
    return ((q - s * known) / below, high - low) if below != ZERO else None


# confirmation


def _in_shape(value: Any, shape: Shape) -> Any:
    found = value.shape if hasattr(value, "shape") else ()
    if found == shape:
        return value
    return reshape(value, shape) if bare(found) == bare(shape) else broadcast_to(value, shape)


def _confirmed(rule: LocalRule) -> bool:
    """Whether the rule agrees with the unsimplified derivative on numbers of several kinds."""
    rng = np.random.default_rng(2)
    shapes = [node.shape for node in rule.region.inputs]

    def whole(shape: Shape) -> Any:
        """Whole numbers, ties and a zero among them."""
        array = rng.integers(-2, 3, size=shape).astype(float)
        array[(0,) * len(shape)] = 0.0
        return array

    draws = (
        lambda shape: rng.normal(size=shape),
        lambda shape: rng.uniform(0.2, 3.0, size=shape),
        whole,
    )
    informed = False
    for draw in draws:
        cotangent = rng.normal(size=rule.region.cotangent.shape)[()]
        arrays = [np.asarray(draw(shape))[()] for shape in shapes]
        y, slow = rule.region.values(arrays, cotangent)
        try:
            with np.errstate(all="ignore"):
                short = rule.compute(arrays, cotangent, y)
        except AutogradError:  # shapes that do not fit, in a wrong rule
            return False
        defined = np.isfinite(slow)
        informed |= bool(np.any(defined)) or not defined.size
        if not _close(np.asarray(short)[defined], np.asarray(slow)[defined], cotangent):
            return False
    return informed


def _keeps_range(rule: LocalRule) -> bool:
    """Whether the rule keeps the digits of the derivative where numbers are large or tiny."""
    rng = np.random.default_rng(4)
    shapes = [node.shape for node in rule.region.inputs]
    for size in (1e-9, 5.0, 12.0, 40.0, 300.0):
        arrays = [(size * rng.uniform(-1, 1, shape))[()] for shape in shapes]
        cotangent = rng.normal(size=rule.region.cotangent.shape)[()]
        y, slow = rule.region.values(arrays, cotangent)
        with np.errstate(all="ignore"):
            short = rule.compute(arrays, cotangent, y)
        defined = np.isfinite(slow)
        if not np.allclose(np.asarray(short)[defined], np.asarray(slow)[defined], 1e-6, 0):
            return False
    return True


def _agrees(rule: LocalRule, arrays: Sequence[Any], cotangent: Any) -> bool:
    y, slow = rule.region.values(arrays, cotangent)
    with np.errstate(all="ignore"):
        return _close(rule.compute(arrays, cotangent, y), slow, cotangent)


def _close(short: Any, slow: Any, cotangent: Any) -> bool:
    """Equal to nine digits; what cancels, or is far below the arriving gradient, to 1e-12 of it."""
    finite = np.isfinite(slow)
    scale = np.max(np.abs(cotangent), initial=0.0) + np.max(np.abs(slow), initial=0.0, where=finite)
    return bool(np.allclose(short, slow, rtol=1e-9, atol=1e-12 * scale, equal_nan=True))
