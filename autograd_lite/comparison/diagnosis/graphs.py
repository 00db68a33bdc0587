"""Where in the traced graph a mistake was made: every edge and every local derivative is tried.

Knows: in which order mistakes are tried at which places, alone and in all steps of a loop at once,
and when a suspicion is proved.
Does not know: any single mistake (`mistakes`, `substitutes`), how a layer is run.
Imports: its neighbours, graph, reverse, NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from autograd_lite.comparison.diagnosis.arrivals import factors, skipped
from autograd_lite.comparison.diagnosis.evidence import (
    Evidence,
    Explanation,
    Suspect,
    fits,
    place,
    ratio,
    spreads,
)
from autograd_lite.comparison.diagnosis.mistakes import MISTAKES, Edge, Wrong
from autograd_lite.comparison.diagnosis.partial import differing
from autograd_lite.comparison.diagnosis.substitutes import SUBSTITUTES
from autograd_lite.comparison.diagnosis.sweeps import Pushed, seeds_of, silent_edges, swept
from autograd_lite.graph import Graph, Node
from autograd_lite.ops.shaping import unbroadcast

__all__ = ["explain", "far_fetched"]

_LARGEST = 3_000  # nodes: of larger graphs no edge is tried
_WORK = 150_000  # nodes visited by sweeps that try whole loops
_LONGEST = 16  # of an axis whose sum may be missing
_CHANCE = 6  # in fewer elements a mask fits by chance
_PARTNERS = 12  # arrays of one shape that are tried as an operand


@dataclass(frozen=True, eq=False)
class _Found:
    """A proved mistake: for one gradient, at one place."""

    wrong: Wrong
    node: Node
    order: int

    @property
    def key(self) -> tuple[str, str, int]:
        return self.wrong.cause, self.wrong.text, id(self.node)


def explain(evidence: Evidence) -> list[Explanation]:
    """Mistakes at single edges, at local derivatives and in loops, that explain what is wrong."""
    return _searched(evidence, _Search.of)


def far_fetched(evidence: Evidence) -> list[Explanation]:
    """Steps left out, factors too many, and mistakes that show in some elements alone."""
    return _searched(evidence, _Search.further)


def _searched(
    evidence: Evidence, search_of: Callable[[_Search, Suspect], list[_Found]]
) -> list[Explanation]:
    graph = evidence.graph
    if graph is None or len(graph) > _LARGEST:
        return []
    search = _Search(evidence, graph)
    explained: dict[int, list[_Found]] = {}
    for suspect in evidence.suspects:
        if suspect.leaf is None:
            continue
        found: list[_Found] = []
        if np.shape(suspect.hand) != suspect.leaf.shape:
            found = search.misshapen(suspect)
        elif np.isfinite(np.asarray(suspect.hand, float)).all():
            found = search_of(search, suspect)
        if found:
            explained[suspect.k] = found
    return _merged(evidence, explained)


def _merged(evidence: Evidence, explained: Mapping[int, Sequence[_Found]]) -> list[Explanation]:
    """One explanation for all gradients that one mistake spoils; what explains most comes first."""
    keys: dict[Any, list[str]] = {}
    kept: dict[Any, _Found] = {}
    for suspect in evidence.suspects:
        for found in explained.get(suspect.k, ()):
            names_of = keys.setdefault(found.key, [])
            if suspect.name not in names_of:
                names_of.append(suspect.name)
            kept.setdefault(found.key, found)
    best: list[Explanation] = []
    told: set[str] = set()
    for key in sorted(keys, key=lambda k: (-len(set(keys[k]) - told), kept[k].order)):
        names = tuple(name for name in keys[key] if name not in told)
        if not names:
            continue
        told.update(names)
        found = kept[key]
        text = f"at {_called(found.node)}: {found.wrong.text}"
        tested = "the traced graph, differentiated with that mistake, gives the hand-written one"
        best.append(Explanation(found.wrong.cause, text, tested, names, node=found.node))
    return best


def _called(node: Node) -> str:
    """A node with its line; a leaf, which was made elsewhere, by its name."""
    where = place(node) if node.inputs else ""
    return f"{node.op.name}, {where}" if where else node.name or node.op.name


class _Search:
    """Tries mistakes in the graph of one layer."""

    def __init__(self, evidence: Evidence, graph: Graph) -> None:
        self.evidence, self.graph, self.flow = evidence, graph, evidence.flow
        self.seeds = seeds_of(graph, evidence.cotangents)
        self.leaves = [s.leaf for s in evidence.suspects if s.leaf is not None]
        self.silent = silent_edges(self.flow)
        self.swept: dict[Any, dict[Node, Any]] = {}
        self.work = 0

    def of(self, suspect: Suspect) -> list[_Found]:
        """What explains the gradient of a leaf, best first."""
        assert suspect.leaf is not None
        gap = np.asarray(suspect.hand, float) - np.asarray(suspect.right, float)
        rng = np.random.default_rng(11)
        pushed = Pushed(self.graph, self.flow, suspect.leaf, self.silent, rng)
        found = _squares(self._single(suspect, gap, pushed))
        if all(f.wrong.cause == "wrong operand" for f in found):
            local = list(self._local(suspect, gap, pushed))
            found = [f for f in local if _leaves_out(f)] or found or local
        elif any(f.wrong.text.endswith("is left out") for f in found):
            local = list(self._local(suspect, gap, pushed))
            found = [f for f in local if not _leaves_out(f)] or found
        if not found:
            found = [*self._overwritten(suspect, gap, pushed), *self._unsummed(suspect)]
        if not found:
            found = [*self._scaled(suspect, gap, pushed), *self._factored(suspect)]
        if not found:
            found = list(self._looped(suspect))
        return sorted(found, key=lambda f: (f.order, f.node.serial))

    def further(self, suspect: Suspect) -> list[_Found]:
        """More far-fetched explanations, asked where all others have failed."""
        assert suspect.leaf is not None
        gap = np.asarray(suspect.hand, float) - np.asarray(suspect.right, float)
        rng = np.random.default_rng(12)
        pushed = Pushed(self.graph, self.flow, suspect.leaf, self.silent, rng)
        found = list(self._skipped(suspect, gap, pushed))
        if not found:
            found = list(self._times_arrays(suspect, gap, pushed))
        if not found:
            found = list(self._stepped(suspect))
        wrong = differing(suspect)
        if not found and wrong.any() and not wrong.all():
            pushed = Pushed(self.graph, self.flow, suspect.leaf, self.silent, rng, wrong)
            many = f", in {int(wrong.sum()):,} of its {wrong.size:,} elements"
            partly = (f for f in self._single(suspect, gap, pushed, wrong) if _is_simple(f))
            found = [
                replace(f, wrong=replace(f.wrong, text=f.wrong.text + many))
                for f in _squares(partly)
            ]
        return sorted(found, key=lambda f: (f.order, f.node.serial))

    def _skipped(self, suspect: Suspect, gap: Any, pushed: Pushed) -> Iterator[_Found]:
        goal = pushed.weigh(gap)
        for x, y, wrong in skipped(self.graph, self.flow):
            if x in pushed.at and np.isfinite(wrong.passes).all():
                change = wrong.passes - np.asarray(self.flow.cotangents[x], float)
                if _near(pushed.effect(x, change), goal) and self._proved(suspect, gap, x, change):
                    yield _Found(_classified(wrong, self.flow.cotangents[x]), y, -y.serial)

    def _times_arrays(self, suspect: Suspect, gap: Any, pushed: Pushed) -> Iterator[_Found]:
        goal = pushed.weigh(gap)
        for edge, wrong in factors(self.graph, self.flow, self.edges):
            if edge.to in pushed.at and np.isfinite(wrong.passes).all():
                change = wrong.passes - np.asarray(edge.passes, float)
                if _near(pushed.effect(edge.to, change), goal) and self._proved(
                    suspect, gap, edge.to, change
                ):
                    yield _Found(wrong, edge.node, 0)

    def _stepped(self, suspect: Suspect) -> Iterator[_Found]:
        """In a loop, the operand of the step before or after it."""
        leaf = suspect.leaf
        groups: dict[Any, list[Edge]] = {}
        for edge in self.edges:
            if edge.to is leaf and len(edge.node.inputs) == 2:
                groups.setdefault((edge.node.code, edge.node.offset, edge.i), []).append(edge)
        for group in groups.values():
            if len(group) < 2:
                continue
            group = sorted(group, key=lambda e: e.node.serial)
            rest = np.asarray(suspect.right, float) - sum(np.asarray(e.passes) for e in group)
            operands = [e.node.inputs[1 - e.i] for e in group]
            for step, moved in (("after", self._after(operands)), ("before", operands[:-1])):
                if len(moved) < len(group) - 1:
                    continue
                if step == "before":
                    pairs = list(zip(group[1:], moved, strict=True))
                    first = np.asarray(group[0].passes, float)
                    if not isinstance(operands[0], Node):
                        first = np.zeros_like(first)
                else:
                    pairs = list(zip(group, moved, strict=False))
                    first = np.zeros_like(rest)
                total = rest + first
                for edge, p in pairs:
                    x = self.flow.values[p] if isinstance(p, Node) else p
                    total = total + edge.pull(edge.arrives, {1 - edge.i: x})
                if fits(total, suspect.hand, 1e-6):
                    text = f"each of its {len(group)} steps takes its operand from the step {step}"
                    yield _Found(Wrong("wrong operand", text, None), group[0].node, 0)
                    return

    def _after(self, operands: Sequence[Any]) -> list[Any]:
        """The operands of the steps after each: those that the same line made, in order."""
        last = operands[-1]
        if not isinstance(last, Node):
            return []
        made = [n for n in self.graph if (n.code, n.offset) == (last.code, last.offset)]
        made = sorted((n for n in made if n.shape == last.shape), key=lambda n: n.serial)
        return made if len(made) == len(operands) else []

    def misshapen(self, suspect: Suspect) -> list[_Found]:
        """What comes back to a leaf, summed over other axes than it should be, or over none."""
        for edge in self.edges:
            if edge.to is not suspect.leaf:
                continue
            raw = edge.pull(edge.arrives)
            for axes in _subsets(raw.ndim):
                for keep in (False, True):
                    if fits(suspect.hand, raw.sum(axis=axes, keepdims=keep)):
                        text = f"what flows back there is summed over axis {axes}"
                        cause = "wrong axis"
                        if not axes:
                            text, cause = "what flows back there is not summed", "missing sum"
                        return [_Found(Wrong(cause, text, None), edge.node, 0)]
        return []

    # ── one edge ─────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def edges(self) -> list[Edge]:
        """Every edge over which something flows, arrays of its shape beside it."""
        same: dict[tuple[int, ...], list[tuple[Node, str]]] = {}
        for node in self.graph:
            value = self.flow.values[node]
            if type(value) is tuple or np.asarray(value).dtype.kind not in "fiu":
                continue
            if np.ndim(value):
                same.setdefault(node.shape, []).append((node, "value"))
                if node in self.flow.cotangents:
                    same[node.shape].append((node, "gradient"))
        wide = {
            shape: [
                *nodes,
                *(one for other in same if _widens(other, shape) for one in same[other]),
            ]
            for shape, nodes in same.items()
        }
        same = {shape: nodes[-_PARTNERS:] + nodes[:_PARTNERS] for shape, nodes in wide.items()}
        return [
            Edge(node, i, passes, self.flow, same)
            for (node, i), passes in self.flow.contributions.items()
            if type(self.flow.cotangents.get(node)) is not list and _is_float(passes)
        ]

    @cached_property
    def wrongs(self) -> list[tuple[int, Edge, Wrong]]:
        """Every mistake at every edge, with the order in which it is preferred."""
        found = []
        for edge in self.edges:
            for order, mistake in enumerate(MISTAKES):
                try:
                    found += [(order, edge, _summed(wrong, edge)) for wrong in mistake(edge)]
                except (ValueError, TypeError, ArithmeticError, IndexError):
                    continue  # an operand of this shape or kind cannot stand there
        return found

    def _single(
        self, suspect: Suspect, gap: Any, pushed: Pushed, where: Any = True
    ) -> Iterator[_Found]:
        """One mistake at one edge; `where` are the elements of the gradient that are looked at."""
        goal = pushed.weigh(gap)
        for order, edge, wrong in self.wrongs:
            if edge.to not in pushed.at or np.shape(wrong.passes) != edge.to.shape:
                continue
            change = np.asarray(wrong.passes, float) - np.asarray(edge.passes, float)
            if _near(pushed.effect(edge.to, change), goal) and self._proved(
                suspect, gap, edge.to, change, where
            ):
                yield _Found(_classified(wrong, edge.passes), edge.node, order)

    def _scaled(self, suspect: Suspect, gap: Any, pushed: Pushed) -> Iterator[_Found]:
        """One term is a multiple of what it should be."""
        goal = pushed.weigh(gap)
        for edge in self.edges:
            if edge.to not in pushed.at:
                continue
            effect = pushed.effect(edge.to, edge.passes)
            square = float(effect @ effect)
            if not square or not np.isfinite(square):
                continue
            c = float(effect @ goal) / square
            if _near(c * effect, goal) and self._proved(
                suspect, gap, edge.to, c * np.asarray(edge.passes, float)
            ):
                text = f"the term through it is {1 + c:.6g} × what it should be"
                text += self._off_by_one(1 + c)
                yield _Found(Wrong("factor", text, None), edge.node, len(MISTAKES))
        yield from self._scaled_others(suspect, gap, pushed)

    def _off_by_one(self, c: float) -> str:
        """What a factor may be that is a size over the next one."""
        for node in self.graph:
            for n in node.shape:
                for above, below in ((n - 1, n), (n, n - 1)):
                    if below and above and abs(c - above / below) < 1e-9:
                        return f"; {above}/{below}: N for N − 1 or the reverse (ddof)"
        return ""

    def _scaled_others(self, suspect: Suspect, gap: Any, pushed: Pushed) -> Iterator[_Found]:
        """All terms but one are the same multiple of what they should be."""
        assert suspect.leaf is not None
        goal, whole = pushed.weigh(gap), pushed.weigh(suspect.right)
        for edge in self.edges:
            if edge.to not in pushed.at:
                continue
            rest = whole - pushed.effect(edge.to, edge.passes)
            square = float(rest @ rest)
            if not np.isfinite(square) or square <= 1e-12 * float(whole @ whole):
                continue
            c = float(rest @ goal) / square
            if not _near(c * rest, goal) or abs(c) < 1e-6 or abs(1 + c) < 1e-6:
                continue
            seed = np.asarray(edge.passes, float)[()]
            term = swept({edge.to: seed}, [suspect.leaf])[suspect.leaf]
            if fits(c * (np.asarray(suspect.right, float) - term), gap, 1e-6):
                text = f"all terms but the one through it are {1 + c:.6g} × what they should be"
                yield _Found(Wrong("factor", text, None), edge.node, len(MISTAKES))
                return

    def _factored(self, suspect: Suspect) -> Iterator[_Found]:
        """The right gradient times an array of the graph, or divided by it."""
        hand, right = np.asarray(suspect.hand, float), np.asarray(suspect.right, float)
        if right.size < 3:
            return
        for node in self.graph:
            value = self.flow.values[node]
            if type(value) is tuple or not np.ndim(value) or np.asarray(value).dtype.kind != "f":
                continue
            if node.ndim > right.ndim or node.shape == (1,) * node.ndim:
                continue
            with np.errstate(all="ignore"):
                inverse = 1 / np.asarray(value, float)
            name = node.name or node.op.name
            for text, array in (
                (f"the whole gradient is multiplied by {name} once more than it should be", value),
                (f"the whole gradient lacks the factor {name}, or is divided by it", inverse),
            ):
                if not spreads(np.shape(array), right.shape) or not np.isfinite(array).all():
                    continue
                c = ratio(hand, right * array)
                if c is not None and np.ptp(array):
                    times = "" if abs(c - 1) < 1e-7 else f", and is {c:.6g} × as large besides"
                    yield _Found(Wrong("local derivative", text + times, None), node, 0)
                    return

    # ── where terms meet ─────────────────────────────────────────────────────────────────────────

    def _overwritten(self, suspect: Suspect, gap: Any, pushed: Pushed) -> Iterator[_Found]:
        """Of the terms that meet at a node the last one stays, element by element."""
        readers: dict[Node, list[Edge]] = {}
        for edge in self.edges:
            readers.setdefault(edge.to, []).append(edge)
        goal = pushed.weigh(gap)
        for node, edges in readers.items():
            if len(edges) < 2 or node not in pushed.at:
                continue
            edges = sorted(edges, key=lambda e: e.node.serial)
            total = sum(np.asarray(e.passes, float) for e in edges)
            for ordered in (edges, edges[::-1]):
                kept = np.zeros(node.shape)
                for edge in ordered:
                    kept = np.where(edge.passes != 0, edge.passes, kept)
                change = kept - total
                near = _near(pushed.effect(node, change), goal)
                if near and self._proved(suspect, gap, node, change):
                    text = (
                        f"of the {len(edges)} terms that come back to it the last one alone stays: "
                        "add them up (+=) instead of assigning (=)"
                    )
                    yield _Found(Wrong("accumulation", text, None), node, 0)
                    return

    def _unsummed(self, suspect: Suspect) -> Iterator[_Found]:
        """A sum over an axis that is missing within the formula: each element keeps its own."""
        leaf = suspect.leaf
        assert leaf is not None
        for edge in self.edges:
            raw = edge.pull(edge.arrives)
            to = edge.to.shape
            if raw.ndim != len(leaf.shape) or raw.size <= int(np.prod(to)):
                continue
            lined = (1,) * (raw.ndim - len(to)) + to
            axes = [k for k, (m, n) in enumerate(zip(lined, raw.shape, strict=True)) if m != n]
            if len(axes) != 1 or raw.shape[axes[0]] > _LONGEST:
                continue
            if self._keeps_own(suspect, edge, raw, axes[0]):
                text = f"the sum over axis {axes[0]} of what flows back there is missing"
                yield _Found(Wrong("missing sum", text, None), edge.node, 0)

    def _keeps_own(self, suspect: Suspect, edge: Edge, raw: Any, axis: int) -> bool:
        leaf = suspect.leaf
        assert leaf is not None
        size = raw.shape[axis]
        alone = []
        for j in range(size):
            seed = raw.take([j], axis).reshape(edge.to.shape).astype(edge.to.dtype)[()]
            alone.append(swept({edge.to: seed}, [leaf])[leaf])
        rest = np.asarray(suspect.right, float) - sum(alone)
        for k in (k for k, n in enumerate(leaf.shape) if n == size):
            own = np.stack([part.take(j, k) for j, part in enumerate(alone)], k)
            if fits(rest + own, suspect.hand, 1e-6):
                return True
        return False

    def _proved(
        self, suspect: Suspect, gap: Any, node: Node, change: Any, where: Any = True
    ) -> bool:
        """Whether the change of what arrives at a node explains the gap, element by element."""
        assert suspect.leaf is not None
        seed = np.asarray(change, node.dtype if node.dtype.kind == "f" else float)[()]
        quiet = dict.fromkeys(self.silent, np.zeros_like)
        found = swept({node: seed}, [suspect.leaf], quiet)[suspect.leaf]
        slack = 1e-6 * np.abs(gap).max() + 1e-12 * np.abs(suspect.right).max()
        return bool(np.abs((found - gap) * where).max() <= slack)

    # ── a local derivative ───────────────────────────────────────────────────────────────────────

    @cached_property
    def regions(self) -> list[tuple[Node, Node, Any]]:
        """(input x, output y, derivative) of each part that works element by element.

        All that x flows into flows on through y alone.
        """
        users: dict[Node, list[Node]] = {}
        for node in self.graph:
            for p in node.inputs:
                if isinstance(p, Node):
                    users.setdefault(p, []).append(node)
        outputs = set(self.graph.outputs)
        found = []
        for y in self.graph:
            g = self.flow.cotangents.get(y)
            if g is None or type(g) is list or not y.inputs:
                continue
            inside = {y}
            for p in reversed(self.graph.nodes[: self.graph.nodes.index(y)]):
                if len(inside) > 14:
                    break
                if p.shape == y.shape and p not in outputs and p in users:
                    if all(u in inside for u in users[p]) and p in self.flow.cotangents:
                        inside.add(p)
                elif all(u in inside for u in users.get(p, [None])):
                    inside.add(p)  # a constant part of it, of another shape
            xs = [p for p in inside if p is not y and p.shape == y.shape]
            found += [(x, y, d) for x, d in self._diagonal(y, xs).items()]
        return found

    def _diagonal(self, y: Node, xs: Sequence[Node]) -> dict[Node, Any]:
        """dy/dx for each x of which y is a function element by element."""
        if not xs:
            return {}
        ones = swept({y: np.ones(y.shape, y.dtype)[()]}, xs)
        if y.size == 1:
            return ones
        v = np.random.default_rng(3).uniform(0.5, 1.5, y.shape).astype(y.dtype)
        other = swept({y: v}, xs)
        return {x: d for x, d in ones.items() if fits(other[x], v * d) and np.any(d)}

    def _substituted(self, x: Node, y: Node, d: Any) -> Iterator[tuple[str, str, Any]]:
        values, g = self.flow.values, np.asarray(self.flow.cotangents[y], float)
        a, b = (np.asarray(values[node], float) for node in (x, y))
        for cause, text, local in SUBSTITUTES:
            with np.errstate(all="ignore"):
                wrong = np.asarray(local(a, b, np.asarray(d, float), g), float)
            few = cause == "mask" and (
                y.size < _CHANCE or y.op.name == "assemble" or bool(np.ptp(wrong) == 0)
            )
            if np.isfinite(wrong).all() and not fits(wrong, d) and not few:
                yield cause, text, wrong

    def _local(self, suspect: Suspect, gap: Any, pushed: Pushed) -> Iterator[_Found]:
        goal = pushed.weigh(gap)
        for x, y, d in self.regions:
            if x not in pushed.at:
                continue
            g = np.asarray(self.flow.cotangents[y], float)
            for order, (cause, text, wrong) in enumerate(self._substituted(x, y, d)):
                cause = "mask" if _is_mask(d) and _is_mask(wrong) else cause
                change = (wrong - np.asarray(d, float)) * g
                if _near(pushed.effect(x, change), goal) and self._proved(suspect, gap, x, change):
                    wrongly = Wrong(cause, _local_text(x, y, text), wrong)
                    yield _Found(_classified(wrongly, d), y, order)

    # ── all steps of a loop ──────────────────────────────────────────────────────────────────────

    def _looped(self, suspect: Suspect) -> Iterator[_Found]:
        """The same mistake at every pass through a line."""
        groups: dict[Any, list[Edge]] = {}
        for edge in self.edges:
            key = (edge.node.op.name, edge.i, edge.node.code, edge.node.offset, edge.to.code)
            groups.setdefault((*key, edge.to.offset, edge.to.shape), []).append(edge)
        for key, group in groups.items():
            if len(group) < 2:
                continue
            for order, (cause, text, change) in enumerate(_CHANGES):
                edges = {(e.node, e.i): change for e in group}
                found = self._sweep((key, order), edges, {})
                if found is not None and self._is(suspect, found):
                    text = f"{text}, in each of its {len(group)} steps"
                    yield _Found(Wrong(cause, text, None), group[0].node, order)
            yield from self._last_reader(suspect, key, group)
            yield from self._without_factor(suspect, key, group)
        yield from self._looped_locals(suspect)

    def _without_factor(
        self, suspect: Suspect, key: Any, group: Sequence[Edge]
    ) -> Iterator[_Found]:
        """In every step of a loop another operand is left out, as if it were 1."""
        first = group[0]
        for j, p in enumerate(first.node.inputs):
            if j == first.i or not isinstance(p, Node) or first.node.op.kind == "linear":
                continue
            edges: dict[tuple[Node, int], Any] = {}
            for edge in group:
                x = edge.node.inputs[j]
                shape = x.shape if isinstance(x, Node) else np.shape(x)
                passes = edge.pull(edge.arrives, {j: np.ones(shape)})
                edges[edge.node, edge.i] = _always(_summed(Wrong("", "", passes), edge).passes)
            found = self._sweep((key, "without", j), edges, {})
            if found is not None and self._is(suspect, found):
                text = f"its other factor is missing, as if it were 1, in each of its {len(group)}"
                yield _Found(Wrong("wrong operand", f"{text} steps", None), first.node, 0)
                return

    def _last_reader(self, suspect: Suspect, key: Any, group: Sequence[Edge]) -> Iterator[_Found]:
        """At every target of a loop's edges the last, or the first, of them alone counts."""
        targets: dict[Node, list[Edge]] = {}
        for edge in group:
            targets.setdefault(edge.to, []).append(edge)
        if len(targets) < 2 or max(map(len, targets.values())) < 2:
            return
        for kept in (-1, 0):
            edges: dict[tuple[Node, int], Any] = {}
            for several in targets.values():
                several.sort(key=lambda e: e.node.serial)
                rest = [e for e in several if e is not several[kept]]
                edges |= {(e.node, e.i): np.zeros_like for e in rest}
            found = self._sweep((key, "kept", kept), edges, {})
            if found is not None and self._is(suspect, found):
                text = (
                    "of the terms that come back to it in a loop one alone stays: add them up (+=) "
                    "instead of assigning (=)"
                )
                yield _Found(Wrong("accumulation", text, None), group[0].node, 0)
                return

    def _looped_locals(self, suspect: Suspect) -> Iterator[_Found]:
        groups: dict[Any, list[tuple[Node, Node, Any]]] = {}
        for x, y, d in self.regions:
            groups.setdefault((x.code, x.offset, y.code, y.offset, x.op, y.op), []).append(
                (x, y, d)
            )
        for key, group in groups.items():
            if len(group) < 2:
                continue
            for order, (cause, text, local) in enumerate(SUBSTITUTES):
                arrivals = {x: self._arrival(x, y, d, local) for x, y, d in group}
                found = self._sweep((key, order), {}, arrivals)
                if found is not None and self._is(suspect, found):
                    x, y, _ = group[0]
                    text = f"{_local_text(x, y, text)}, in each of its {len(group)} steps"
                    yield _Found(Wrong(cause, text, None), y, order)

    def _arrival(self, x: Node, y: Node, d: Any, local: Any) -> Any:
        a, b = (np.asarray(self.flow.values[node], float) for node in (x, y))

        def arrives(seen: Mapping[Node, Any]) -> Any:
            g = seen[y]
            with np.errstate(all="ignore"):
                return np.nan_to_num(np.asarray(local(a, b, np.asarray(d, float), g), float)) * g

        return arrives

    def _sweep(self, key: Any, edges: Any, arrivals: Any) -> dict[Node, Any] | None:
        """The gradients with a mistake in a whole loop; None when enough has been tried."""
        if key not in self.swept:
            self.work += len(self.graph)
            if self.work > _WORK:
                return None
            self.swept[key] = swept(self.seeds, self.leaves, edges, arrivals)
        return self.swept[key]

    def _is(self, suspect: Suspect, found: Mapping[Node, Any]) -> bool:
        assert suspect.leaf is not None
        return fits(found[suspect.leaf], suspect.hand, 1e-6)


# What a line of a loop may do to what it passes back.
_CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("missing term", "the term through it is missing", np.zeros_like),
    ("sign", "the term through it has the wrong sign", lambda c: -c),
    ("factor", "the term through it is 2 × what it should be", lambda c: 2 * c),
    ("factor", "the term through it is ½ of what it should be", lambda c: 0.5 * c),
    ("transposed", "what it passes back is transposed", lambda c: c.T if _square(c) else c),
    ("order", "what it passes back is turned round", lambda c: c[..., ::-1] if c.ndim else c),
    (
        "order",
        "what it passes back is turned round along its last two axes",
        lambda c: c[..., ::-1, ::-1] if c.ndim > 1 else c,
    ),
)


def _always(passes: Any) -> Callable[[Any], Any]:
    return lambda right: passes.astype(right.dtype)


def _squares(found: Iterable[_Found]) -> list[_Found]:
    """The same; where an array times itself lost one of its two terms, it is the 2 of a square."""
    kept: list[_Found] = []
    for one in found:
        twin = [f for f in kept if f.key == one.key and one.wrong.cause == "missing term"]
        if twin and one.node.op.name == "multiply":
            text = "of an array times itself one term is left: the 2 of 2x is missing"
            kept[kept.index(twin[0])] = replace(twin[0], wrong=Wrong("factor", text, None))
        else:
            kept.append(one)
    return kept


def _leaves_out(found: _Found) -> bool:
    return found.wrong.text.endswith(", is 1")


_SIMPLE = ("missing term", "sign", "factor", "mask")


def _is_simple(found: _Found) -> bool:
    return found.wrong.cause in _SIMPLE and ", which makes it" not in found.wrong.text


def _classified(wrong: Wrong, passes: Any) -> Wrong:
    """A mistake by what it amounts to: a factor, or a mask that lets pass what it should stop."""
    if wrong.cause not in ("wrong operand", "local derivative"):
        return wrong
    mine, right = np.asarray(wrong.passes, float), np.asarray(passes, float)
    if mine.shape != right.shape or right.size < 2:
        return wrong
    c = ratio(mine, right)
    if c is not None:
        return replace(
            wrong, cause="factor", text=f"{wrong.text}, which makes it {c:.6g} × too large"
        )
    scale = np.abs(right).max(initial=0.0)
    agree, zero = np.abs(mine - right) <= 1e-9 * scale, right == 0
    if agree[~zero].all() and zero.any() and (~zero).any():
        return replace(wrong, cause="mask", text=f"{wrong.text}: what a mask stops passes")
    return wrong


def _summed(wrong: Wrong, edge: Edge) -> Wrong:
    """What is passed, summed over the axes along which its target was broadcast."""
    shape = edge.to.shape
    if np.shape(wrong.passes) == shape or np.size(wrong.passes) <= int(np.prod(shape)):
        return wrong
    return replace(wrong, passes=unbroadcast(wrong.passes, shape))


def _widens(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether a smaller array of this shape, with as many axes, broadcasts to the other."""
    same_rank = len(shape) == len(to) and shape != to
    return same_rank and all(m in (1, n) for m, n in zip(shape, to, strict=True))


def _subsets(ndim: int) -> Iterator[tuple[int, ...]]:
    for count in range(ndim + 1):
        yield from combinations(range(ndim), count)


def _square(array: Any) -> bool:
    return np.ndim(array) == 2 and np.shape(array)[0] == np.shape(array)[1]


def _is_mask(local: Any) -> bool:
    return bool(np.isin(local, (0.0, 1.0)).all())


def _local_text(x: Node, y: Node, text: str) -> str:
    start = x.name or (f"line {x.source.line}" if x.source else x.op.name)
    return f"the local derivative that is used, from {start} to there, is {text}"


def _is_float(value: Any) -> bool:
    return hasattr(value, "dtype") and value.dtype.kind == "f"


def _near(effect: Any, goal: Any) -> bool:
    """Whether two triples of inner products agree; a first sieve, not a proof."""
    scale = float(np.abs(goal).max())
    return bool(np.isfinite(effect).all() and np.abs(effect - goal).max() <= 1e-6 * scale)
