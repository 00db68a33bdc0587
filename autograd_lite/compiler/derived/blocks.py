"""A graph cut into blocks, each with one output and a short rule for the gradient of its inputs.

A block is a node together with nodes that lead to it alone. Blocks grow as long as that makes the
derivative cheaper: exp, +1 and 1/x become a sigmoid whose derivative is y(1 − y). Knows graphs and
the prices of rules; no operator, no code. Imports graph and rewrite.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np

from autograd_lite.graph import Constant, Leaf, Node
from autograd_lite.reverse import users_first
from autograd_lite.rewrite import LocalRule, Priced, Rewriting, cheapest_rule, readable

__all__ = ["Block", "alike", "blocks", "carrying"]

_LARGEST = 24  # nodes of a block
_RAW = 4.0  # what a rule is taken to cost that is applied as the operator declares it
_WORTH = 0.0  # what one block must save over two
_SMALLER = 0.05  # what a block is worth that has one more node


@dataclass(frozen=True)
class Block:
    """Nodes with one output, and for each input the rule of its gradient.

    None stands for the rule that the operator declares; then the block is a single node.
    """

    nodes: tuple[Node, ...]
    output: Node
    priced: Mapping[Node, Priced | None]

    @property
    def rules(self) -> Mapping[Node, LocalRule | None]:
        """For each input the rule of its gradient."""
        return {p: None if one is None else one.rule for p, one in self.priced.items()}

    @property
    def steps(self) -> Mapping[Node, tuple[Rewriting, ...]]:
        """For each input the rewritings that led to its rule."""
        return {p: () if one is None else one.steps for p, one in self.priced.items()}


def carrying(outputs: Sequence[Node], wanted: Sequence[Node]) -> set[Node]:
    """The nodes on a way from ``wanted`` to ``outputs`` along which a derivative flows."""
    order = users_first(outputs)
    found = {node for node in wanted if node in set(order)}
    for node in reversed(order):
        pulls = node.op.pulls
        if any(p in found and pulls and pulls[i] is not None for i, p in _inputs(node)):
            found.add(node)
    return found


def _inputs(node: Node) -> Iterator[tuple[int, Node]]:
    for i, p in enumerate(node.inputs):
        if isinstance(p, Node) and type(p) is not Constant:
            yield i, p


def blocks(
    outputs: Sequence[Node], wanted: Sequence[Node], names: Mapping[Node, str],
    unit: Collection[Node] = (),
) -> list[Block]:  # fmt: skip
    """The blocks between ``wanted`` leaves and ``outputs``, users first.

    Of the leaves in ``unit`` the rows sum to 1.
    """
    active = carrying(outputs, wanted)
    cutter = _Cutter(active, outputs, names, unit)
    seen, found = {node for node in outputs if node in active}, []
    pending = [(-node.serial, node) for node in seen]
    heapify(pending)
    while pending:
        _, node = heappop(pending)
        if isinstance(node, Leaf):
            continue
        block = cutter.block(node)
        found.append(block)
        for p in block.rules:
            if p not in seen:
                seen.add(p)
                heappush(pending, (-p.serial, p))
    return found


def alike(
    found: Sequence[Block], image: Mapping[Node, Node], outputs: Sequence[Node],
    wanted: Sequence[Node], names: Mapping[Node, str], unit: Collection[Node] = (),
) -> list[Block]:  # fmt: skip
    """The same blocks of a graph that differs in sizes alone; ``image`` has its nodes."""
    cutter = _Cutter(carrying(outputs, wanted), outputs, names, unit)
    return [cutter.like(block, image) for block in found]


class _Cutter:
    """Looks for the block that saves most."""

    def __init__(
        self, active: set[Node], outputs: Sequence[Node], names: Mapping[Node, str],
        unit: Collection[Node],
    ) -> None:  # fmt: skip
        self.active, self.names, self.unit = active, names, unit
        self.users: dict[Node, set[Node]] = {node: set() for node in active}
        for node in active:
            for _, p in _inputs(node):
                if p in active:
                    self.users[p].add(node)
        for node in active & set(outputs):
            self.users[node].add(node)  # who is given it uses it: it is in no other block
        self._single: dict[Node, float] = {}

    def like(self, block: Block, image: Mapping[Node, Node]) -> Block:
        """The block that has the images of another's nodes."""
        nodes, root = tuple(image[node] for node in block.nodes), image[block.output]
        priced = {
            image[p]: one and self._cheapest(nodes, root, image[p], one)
            for p, one in block.priced.items()
        }
        return Block(nodes, root, priced)

    def block(self, root: Node) -> Block:
        """The best block with this output."""
        best: tuple[Node, ...] = (root,)
        saved = 0.0
        cones = list(self._cones(root))
        for cone in cones[1:]:
            gain = self._gain(cone, root)
            if gain + _SMALLER * (len(cone) - len(best)) > saved:
                best, saved = cone, gain
        for cone in cones[1:]:
            if len(cone) < len(best) and self._splits(best, cone, root, saved):
                best = cone
                break
        return Block(best, root, dict(self._found(best, root)))

    def _splits(self, whole: tuple[Node, ...], cone: tuple[Node, ...], root: Node,
                saved: float) -> bool:  # fmt: skip
        """Whether two blocks, the first of them ``cone``, save as much as ``whole``."""
        first = self._gain(cone, root)
        if first <= 0 or self._scales(cone, root):
            return False
        rest = tuple(node for node in whole if node not in cone)
        top = max(rest, key=lambda node: node.serial)
        if not all(self.users[node] <= set(rest) for node in rest if node is not top):
            return False
        second = self._gain(rest, top)
        return second > 0 and first + second + _WORTH >= saved

    def _scales(self, cone: tuple[Node, ...], root: Node) -> bool:
        """Whether all that a block does to a gradient is to scale it."""
        found = [priced for _, priced in self._found(cone, root)]
        return all(priced is not None and priced.rule.constant for priced in found)

    def _cones(self, root: Node) -> Iterator[tuple[Node, ...]]:
        """Larger and larger sets of nodes that lead to ``root`` alone."""
        cone = {root}
        yield (root,)
        while readable(root.op) and len(cone) < _LARGEST:
            further = [p for p in self._edge(cone) if self.users[p] <= cone and readable(p.op)]
            if not further:
                break
            cone.add(max(further, key=lambda node: node.serial))
            if len(self._edge(cone)) <= 1:
                yield tuple(sorted(cone, key=lambda node: node.serial))

    def _edge(self, cone: set[Node]) -> list[Node]:
        """What a set of nodes reads and derivatives flow to, leaves left out."""
        read = {p for node in cone for _, p in _inputs(node)}
        return [p for p in read - cone if p in self.active and not isinstance(p, Leaf)]

    def _wanted(self, cone: Sequence[Node]) -> list[Node]:
        inside = set(cone)
        read = (
            p
            for node in cone
            for i, p in _inputs(node)
            if p in self.active and p not in inside and node.op.pulls[i] is not None
        )
        return list(dict.fromkeys(read))

    def _found(self, cone: tuple[Node, ...], root: Node) -> Iterator[tuple[Node, Priced | None]]:
        for p in self._wanted(cone):
            yield p, self._cheapest(cone, root, p)

    def _cheapest(
        self, cone: tuple[Node, ...], root: Node, wanted: Node, like: Priced | None = None
    ) -> Priced | None:
        """The rule of the nodes on the way.

        Seen through is what they read beside it: conditions, and what is made of what they read.
        """
        way = {wanted}
        for node in cone:
            if any(p in way for _, p in _inputs(node)):
                way.add(node)
        read = {p for node in way - {wanted} for _, p in _inputs(node)}
        beside = [p for p in read - self.active if self._is_seen_through(p, read)]
        nodes = (*beside, *(way - {wanted}))
        return cheapest_rule(nodes, root, wanted, self.names, like, self.unit)

    def _is_seen_through(self, node: Node, read: set[Node]) -> bool:
        if isinstance(node, Leaf) or not readable(node.op):
            return False
        made_of = {p for _, p in _inputs(node)}
        return node.dtype == np.bool_ or (node.op.kind == "pointwise" and made_of <= read)

    def _gain(self, cone: tuple[Node, ...], root: Node) -> float:
        """What one block saves over one for each of its nodes; −∞ if it has no rule."""
        apart = sum(map(self._alone, cone)) + self._joins(cone)
        total = 0.0
        for p in self._wanted(cone):
            found = self._cheapest(cone, root, p)
            if found is None:
                return -math.inf
            total += found.cost
        return apart - total

    def _joins(self, cone: tuple[Node, ...]) -> int:
        """How many sums gather what several nodes pass back to one."""
        inside = set(cone)
        reads = [len(self.users[p] & inside) for p in {*cone, *self._wanted(cone)}]
        return sum(max(0, count - 1) for count in reads)

    def _alone(self, node: Node) -> float:
        if node not in self._single:
            prices = (self._cheapest((node,), node, p) for p in self._wanted((node,)))
            self._single[node] = sum(_RAW if found is None else found.cost for found in prices)
        return self._single[node]
