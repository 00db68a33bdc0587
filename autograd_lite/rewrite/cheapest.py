"""The cheapest rule of a region: its derivative in terms of what the forward pass has at hand.

Where ``local_rule`` looks for the shortest text, ``cheapest_rule`` looks for the fewest operations
on arrays, and may use every value inside the region: a beam search over formulas, each step of
which expresses the derivative by one more known value. Imports graph and its siblings.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from autograd_lite.errors import AutogradError
from autograd_lite.graph import Graph, Leaf, Node
from autograd_lite.rewrite.confirming import confirmed, keeps_range
from autograd_lite.rewrite.costs import cost, is_quick, names_in
from autograd_lite.rewrite.field import Atom, Field, fits
from autograd_lite.rewrite.forms import Form
from autograd_lite.rewrite.rational import Overgrown, Ratio, symbol
from autograd_lite.rewrite.reading import Reader
from autograd_lite.rewrite.regions import Region, differentiated, part_of, structure
from autograd_lite.rewrite.rule import LocalRule
from autograd_lite.rewrite.solving import Solution, solutions, terms_of, within
from autograd_lite.rewrite.writing import Ways

__all__ = ["Priced", "Rewriting", "cheapest_rule"]

_OPERATIONS = 30  # of a region that is simplified
_TERMS = 30  # of a formula that may still be cheap
_BEAM = 4  # formulas that are taken further
_LONGER, _MORE = 2, 3  # times the shortest, and more terms: what is written down too
_WRITTEN = 14  # of the shortest formulas that are written down
_ROUNDS = 3  # known values that one formula may use
_KEPT = 8  # values inside the region that are tried
_EFFORT = 2000  # terms that are put together in one search
_REMEMBERED = 512  # structures whose rules are kept
_READING = {
    "leaf": 0.1,
    "input": 0.3,
    "output": 0.2,
    "inside": 0.5,
    "quick": 1.2,
}  # what it costs to have a value


@dataclass(frozen=True)
class Rewriting:
    """One step of a rewriting: the known value that it uses, how, and the rule after it.

    ``equation`` is empty for the first rule, which is of the inputs alone.
    """

    value: str
    equation: str
    rule: LocalRule


@dataclass(frozen=True)
class Priced:
    """A rule, its cost in additions of two arrays, and the rewriting that led to it.

    ``path`` is where each step's known value stood among those there were, and which way of using
    it was taken; the same path leads to the rule of a like region of other sizes.
    """

    rule: LocalRule
    cost: float
    steps: tuple[Rewriting, ...] = ()
    path: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class _Move:
    """A derivative in which the known value at a place was used, and how it was put there."""

    slope: Ratio
    place: int
    way: int
    solution: Solution


@dataclass(frozen=True)
class _State:
    """The derivative, and the known values in whose terms it may still be put."""

    slope: Ratio
    known: tuple[tuple[Atom, Ratio], ...]


def cheapest_rule(
    nodes: Iterable[Node], output: Node, wanted: Node, names: Mapping[Node, str],
    like: Priced | None = None, unit: Collection[Node] = (),
) -> Priced | None:  # fmt: skip
    """The rule of ``nodes`` on the way from ``output`` back to ``wanted`` that costs least.

    As ``local_rule``, but that the rule may read values inside the region. ``like`` is what was
    found for a region that differs in sizes alone: the same rewriting is tried first. Of the nodes
    in ``unit`` the rows sum to 1.

    >>> import autograd_lite as ag
    >>> x = ag.tensor([1.0, 2.0], name="x")
    >>> d = 1 + ag.exp(-x)
    >>> y = x / d
    >>> names = {x.node: "x", d.node: "d", y.node: "y"}
    >>> cheapest_rule(Graph.of(y), y.node, x.node, names).rule.text
    'G × (1 + y·v1)/d'
    """
    region = part_of(nodes, output, wanted, _OPERATIONS)
    if region is None:
        return None
    inside, inputs = region
    if any(np.dtype(node.dtype).kind in "iu" for node in inputs):
        return None  # positions, for which no other numbers stand
    called = [names.get(node, "") for node in (*inputs, *inside)]
    kinds = [_kind(node, name) for node, name in zip(inputs, called, strict=False)]
    units = tuple(k for k, node in enumerate(inputs) if node in unit)
    key = (structure(inside, inputs, output, wanted), *called, *kinds, units)
    if key not in _found:
        if len(_found) >= _REMEMBERED:
            _found.clear()
        _found[key] = _searched(inside, inputs, output, wanted, called, like, units, kinds)
    found = _found[key]
    return found and replace(
        found, rule=replace(found.rule, inputs=tuple(inputs), inside=tuple(inside))
    )


_found: dict[Any, Priced | None] = {}


def _searched(
    inside: Sequence[Node],
    inputs: Sequence[Node],
    output: Node,
    wanted: Node,
    called: Sequence[str],
    like: Priced | None,
    units: tuple[int, ...],
    kinds: Sequence[str],
) -> Priced | None:
    try:
        region = replace(differentiated(inside, inputs, output, wanted), unit=units)
        search = _Search(region, called, kinds)
        led = search.led(like.path) if like else None
        if led is not None and confirmed(led.rule):
            rule = replace(led.rule, stable=like.rule.stable)  # type: ignore[union-attr]  # led by it
            return replace(led, rule=rule, steps=tuple(search.steps(rule)))
        priced = search.rules()
    except (AutogradError, Overgrown, ZeroDivisionError, OverflowError):
        return None
    order = sorted(priced, key=lambda p: p.cost)
    place = next((k for k, p in enumerate(order) if confirmed(p.rule)), None)
    if place is None:
        return None
    best = order[place]
    alike = (p for p in order[place + 1 :] if p.cost <= best.cost)
    first = [best, *islice(filter(lambda p: confirmed(p.rule), alike), 3)]
    rated = [replace(p, rule=replace(p.rule, stable=keeps_range(p.rule))) for p in first]
    chosen = next((p for p in rated if p.rule.stable), rated[0])
    path = search.path(chosen.rule)
    return replace(chosen, steps=tuple(search.steps(chosen.rule)), path=path)


class _Search:
    """All formulas of one derivative, in one field."""

    def __init__(self, region: Region, called: Sequence[str], kinds: Sequence[str]) -> None:
        self.region, self.field = region, Field(_EFFORT)
        self.shape = region.inputs[region.at].shape
        count = len(region.inputs)
        inputs = [
            self.field.name(
                node,
                name or f"x{k}",
                node.shape,
                idempotent=node.dtype == np.bool_,
                unit=k in region.unit,
            )
            for k, (node, name) in enumerate(zip(region.inputs, called[:count], strict=True))
        ]
        self.arriving = self.field.name(region.cotangent, "G", region.cotangent.shape)
        self.output = self.field.name(region.output, called[-1] or "y", region.output.shape)
        self.atoms = (*inputs, self.arriving, self.output)
        self.reader = Reader(self.field, {n: symbol(a) for n, a in zip(region.inputs, inputs)})
        self.reader.known[region.cotangent] = symbol(self.arriving)
        self.reader.read(Graph([region.output, region.derivative]))
        self.kept = dict(self._kept(called[count:]))
        self.ways = Ways(self.field, self.arriving)
        self.held: dict[Ratio, set[Atom]] = {}
        self.solved: dict[tuple[Atom, Ratio], tuple[Solution, ...]] = {}
        self.reading = {a: _READING[kind] for a, kind in zip(inputs, kinds, strict=True)}
        self.reading |= {atom: self._price(called[count + k], k) for atom, k in self.kept.items()}
        self.reading[self.output] = _READING["output"]

    def _price(self, name: str, k: int) -> float:
        """What it costs to keep a value inside: more where it is made quickly and has no name."""
        quick = is_quick(self.region.inside[k].op)
        return _READING["quick" if quick and not name else "inside"]

    def _formula(self, node: Node) -> Ratio:
        return self.field.folded(self.reader.known[node])

    def _kept(self, called: Sequence[str]) -> Iterator[tuple[Atom, int]]:
        """Atoms for the values inside that are more than an input in another form."""
        seen = {self._formula(self.region.output)}
        places = range(len(self.region.inside) - 2, -1, -1)
        telling = [k for k in places if _tells(self.region.inside[k])]
        telling.sort(key=lambda k: (not called[k], is_quick(self.region.inside[k].op)))
        for k in telling[:_KEPT]:
            node = self.region.inside[k]
            formula = self._formula(node)
            simple = formula.monomial
            plain = formula.constant is not None or (simple and len(simple[1]) == 1 and
                                                     not simple[1][0][0].args)  # fmt: skip
            if formula not in seen and not plain:
                seen.add(formula)
                facts = {"idempotent": node.dtype == np.bool_}
                yield self.field.name(("kept", node), called[k] or f"v{k}", node.shape, **facts), k

    def rules(self) -> list[Priced]:
        """The rules of the shortest formulas that were found, with their costs."""
        found = sorted(self._formulas(), key=self._terms)[:_WRITTEN]
        most = _LONGER * self._terms(found[0]) + _MORE if found else 0
        return self._priced([ratio for ratio in found if self._terms(ratio) <= most])

    def _priced(self, formulas: Sequence[Ratio]) -> list[Priced]:
        self.ratios = {form: ratio for ratio in formulas
                       for form in self.ways.of(ratio)}  # fmt: skip
        return [Priced(self._rule(form), cost(form, self.reading)) for form in self.ratios]

    def led(self, path: Sequence[tuple[int, int]]) -> Priced | None:
        """The rule to which a path leads; None where it leads to none."""
        state = self._start()
        for step in path:
            moves = (move for move in self._further(state) if (move.place, move.way) == step)
            move = next(moves, None)
            if move is None:
                return None
            self.before.setdefault(move.slope, (state.slope, move))
            state = _after(state, move)
        found = min(self._priced([state.slope]), key=lambda priced: priced.cost)
        return replace(found, path=tuple(path))

    def path(self, rule: LocalRule) -> tuple[tuple[int, int], ...]:
        """The way by which the search came to a rule."""
        found: list[tuple[int, int]] = []
        before, move = self.before[self.ratios[rule.form]]
        while before is not None and move is not None:
            found.insert(0, (move.place, move.way))
            before, move = self.before[before]
        return tuple(found)

    def steps(self, rule: LocalRule) -> list[Rewriting]:
        """How the search came to a rule, from the derivative in terms of the inputs."""
        steps: list[Rewriting] = []
        ratio: Ratio | None = self.ratios[rule.form]
        while ratio is not None:
            before, move = self.before[ratio]
            solution = move.solution if move else None
            form = self.ways.shortest(ratio)
            value = solution.name.name if solution else ""
            steps.insert(0, Rewriting(value, self._equation(solution), self._rule(form)))
            ratio = before
        return steps

    def _equation(self, solution: Solution | None) -> str:
        if solution is None or solution.solved is None or solution.by is None:
            return ""
        sides = (solution.solved, solution.by)
        return " = ".join(self.ways.shortest(side).text for side in sides)

    def _start(self) -> _State:
        """The derivative in terms of the inputs, and all that is at hand."""
        output, slope = (self._formula(n) for n in (self.region.output, self.region.derivative))
        inside = [(atom, self._formula(self.region.inside[k])) for atom, k in self.kept.items()]
        slope = self.field.unguarded(slope)
        self.before: dict[Ratio, tuple[Ratio | None, _Move | None]] = {slope: (None, None)}
        return _State(slope, ((self.output, output), *inside))

    def _formulas(self) -> list[Ratio]:
        """The derivative in terms of up to ``_ROUNDS`` known values."""
        beam = [self._start()]
        for _ in range(_ROUNDS):
            moves = ((state, move) for state in beam for move in self._further(state))
            fresh = {m.slope: (state, m) for state, m in moves if m.slope not in self.before}
            self.before |= {s: (state.slope, move) for s, (state, move) in fresh.items()}
            best = sorted(fresh, key=self._terms)[:_BEAM]
            beam = [_after(*fresh[slope]) for slope in best]
        return [ratio for ratio in self.before if self._terms(ratio) <= _TERMS]

    def _terms(self, ratio: Ratio) -> int:
        return terms_of(ratio, _TERMS)

    def _further(self, state: _State) -> Iterator[_Move]:
        """The derivative in terms of one more known value."""
        for k, (atom, made) in enumerate(state.known):
            if (atom, made) not in self.solved:
                self.solved[atom, made] = tuple(solutions(self.field, made, atom))
            for way, solution in enumerate(self.solved[atom, made]):
                if solution.atom is not None and solution.atom not in self._atoms(state.slope):
                    continue
                slope = _tried(solution, state.slope)
                if slope is not None and slope != state.slope and fits(slope, self.shape):
                    yield _Move(self.field.folded(slope), k, way, solution)

    def _atoms(self, ratio: Ratio) -> set[Atom]:
        """All atoms of a formula, at its surface and inside."""
        if ratio not in self.held:
            self.held[ratio] = {atom for x in within([ratio]) for atom in x.atoms()}
        return self.held[ratio]

    def _rule(self, form: Form) -> LocalRule:
        read = {name.atom for name in names_in(form)}
        kept = tuple((atom, k) for atom, k in self.kept.items() if atom in read)
        return LocalRule(form.text, form, self.region, True, self.atoms, kept=kept)


def _kind(node: Node, name: str) -> str:
    """What kind of value an input is, by which its price goes."""
    if isinstance(node, Leaf):
        return "leaf"
    return "quick" if is_quick(node.op) and not name else "input"


def _tells(node: Node) -> bool:
    """Whether it is more than its input moved or repeated."""
    read = sum(p.size for p in node.inputs if isinstance(p, Node))
    return node.op.kind != "linear" or node.size < read or len(node.inputs) > 1


def _after(state: _State, move: _Move) -> _State:
    """The state after a move: the other known values in terms of the one that was used."""
    rest = (pair for k, pair in enumerate(state.known) if k != move.place)
    put = ((atom, _tried(move.solution, made)) for atom, made in rest)
    return _State(move.slope, tuple((atom, made) for atom, made in put if made is not None))


def _tried(solution: Callable[[Ratio], Ratio], x: Ratio) -> Ratio | None:
    """The formula with the solution in it, or None where that grows too large."""
    try:
        return solution(x)
    except (Overgrown, ZeroDivisionError):
        return None
