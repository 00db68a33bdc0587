"""Which scopes of a graph are drawn open and which as one node, and how large graphs are tamed.

Knows nodes and scopes; not what an operator does, not arrays, not coordinates. Imports graph and
errors.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from heapq import heapify, heappop, heappush
from typing import Any

from autograd_lite.errors import DrawError
from autograd_lite.graph import Graph, Leaf, Node, Scope, visible

__all__ = ["Folded", "Part", "finest", "fold", "lineage", "producer", "reading_order", "titled"]

_FEW = 150  # nodes drawn before scopes fold by themselves
_MOST = 2000  # nodes drawn at all, unless forced
_PERIOD = 6  # the longest pattern of layers that is rolled up
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

_WORDS = ("all", "none", "force")
Expand = bool | int | str | Callable[[Scope], bool]


@dataclass(frozen=True)
class Part:
    """What is drawn as one mark: a single node, a folded scope, or a roll of equal ones."""

    nodes: tuple[Node, ...]
    scope: Scope | None  # the open scope that it stands in
    folded: Scope | None = None
    title: str = ""
    times: int = 1

    @property
    def operations(self) -> int:
        """How many operations it stands for."""
        return sum(not isinstance(node, Leaf) and producer(node) is node for node in self.nodes)


@dataclass(frozen=True)
class Folded:
    """The parts of a graph in topological order, and which part holds a node."""

    parts: tuple[Part, ...]
    home: dict[Node, int]


def fold(graph: Graph, expand: Expand = "auto") -> Folded:
    """Decide what is drawn: see ``draw`` for the values of ``expand``."""
    if expand == "auto":
        return _automatic(graph)
    if isinstance(expand, str) and expand not in _WORDS:
        opened = _called(graph, expand)
        folded = _folded(graph, lambda scope, depth: scope in opened)
    else:
        folded = _folded(graph, _test(expand))
    if expand != "force" and len(folded.parts) > _MOST:
        raise DrawError(
            f"the picture would have {len(folded.parts):,} nodes",
            mend='leave expand to "auto", give a depth (expand=1) or a scope\'s name, put parts of '
            'the program under `with ag.scope("…")`, or force it with expand="force"',
        )
    return folded


def finest(graph: Graph) -> Folded | None:
    """Scopes open to the greatest depth at which the parts are not too many, if there is one."""
    depths = {len(lineage(node.scope)) for node in graph.nodes}
    for depth in range(max(depths, default=0), -1, -1):
        folded = _folded(graph, _test(depth))
        if len(folded.parts) <= _MOST:
            return folded
    return None


def reading_order(graph: Graph) -> list[Node]:
    """The nodes, inputs before their users and first operands before later ones."""
    order: list[Node] = []
    done: set[Node] = set()
    stack = list(reversed(graph.outputs))
    while stack:
        node = stack[-1]
        waiting = [p for p in node.inputs if isinstance(p, Node) and p not in done]
        if waiting and node not in done:
            stack.extend(reversed(waiting))
            continue
        stack.pop()
        if node not in done:
            done.add(node)
            order.append(node)
    return order


def lineage(scope: Scope | None) -> list[Scope]:
    """A scope's ancestors from the outermost, itself included."""
    path = []
    while scope is not None:
        path.append(scope)
        scope = scope.parent
    return path[::-1]


def producer(node: Node) -> Node:
    """The operation of several results from which this node picks one; else the node itself."""
    made = node.inputs[0] if node.inputs else None
    return made if isinstance(made, Node) and made.dtype is None else node


def titled(scope: Scope) -> str:
    """The name of a scope, and whether it holds the derivative of what was recorded there.

    >>> titled(Scope("Tanh")), titled(Scope("Tanh", direction="backward", level=2))
    ('Tanh', 'Tanh · backward²')
    """
    name = visible(scope.name, 40)
    if scope.direction == "forward":
        return name
    times = "" if scope.level <= 1 else str(scope.level).translate(_RAISED)
    return f"{name} · {scope.direction}{times}"


def _called(graph: Graph, pattern: str) -> set[Scope]:
    """The scopes that a pattern names, by name or path, with those that they stand in."""
    scopes = {scope for node in graph.nodes for scope in lineage(node.scope)}
    named = [s for s in scopes if fnmatchcase(s.name, pattern) or fnmatchcase(s.path, pattern)]
    if not named:
        paths = sorted({visible(scope.path) for scope in scopes})
        raise DrawError(
            f"no scope is called {visible(pattern)!r}",
            mend=f"one of: {', '.join(paths[:20])}"
            if paths
            else 'put parts of the program under `with ag.scope("…")`',
        )
    return {scope for one in named for scope in lineage(one)}


def _test(expand: Expand) -> Callable[[Scope, int], bool]:
    """Whether a scope at a depth is drawn open."""
    if callable(expand):
        return lambda scope, depth: bool(expand(scope))
    if expand in ("all", "force") or expand is True:
        return lambda scope, depth: True
    if expand == "none" or expand is False:
        return lambda scope, depth: False
    if isinstance(expand, int) and expand >= 0:
        most: int = expand
        return lambda scope, depth: depth < most
    wrong: Any = expand
    given = str(wrong) if isinstance(wrong, int) else f"a {type(wrong).__name__}"
    raise DrawError(
        f"expand does not take {given}",
        mend='"auto", "all", "none", "force", a depth from 0, a pattern of scope names, or a '
        "function of a scope",
    )


def _automatic(graph: Graph) -> Folded:
    depth = _fitting_depth(graph)
    folded = _folded(graph, _test(depth))
    while depth and len(folded.parts) > _FEW:  # where folding would make a cycle
        depth -= 1
        folded = _folded(graph, _test(depth))
    if len(graph.nodes) <= _FEW:
        return folded
    folded = _rolled(graph, _absorbed(graph, folded))
    if len(folded.parts) > _MOST:
        folded = _rolled(graph, folded, bare=True)
    if len(folded.parts) > _MOST:
        raise DrawError(
            f"the picture would have {len(folded.parts):,} nodes, and there is no scope to fold",
            mend='put parts of the program under `with ag.scope("…")`, or expand="force"',
        )
    return folded


def _fitting_depth(graph: Graph) -> int:
    """The greatest depth of open scopes that gives few parts; 0 where none does."""
    counts = Counter(node.scope for node in graph.nodes)
    paths = {scope: lineage(scope) for scope in counts}
    deepest = max(map(len, paths.values()), default=0)
    for depth in range(deepest, 0, -1):
        open_nodes = sum(n for scope, n in counts.items() if len(paths[scope]) <= depth)
        closed = {path[depth] for path in paths.values() if len(path) > depth}
        if open_nodes + len(closed) <= _FEW:
            return depth
    return 0


def _folded(graph: Graph, is_open: Callable[[Scope, int], bool]) -> Folded:
    verdict: dict[Scope, bool] = {}
    always: set[Scope] = set()  # scopes whose folding would make a cycle
    nodes = reading_order(graph)
    while True:
        closed: dict[Scope | None, Scope | None] = {}
        groups: dict[Any, list[Node]] = {}
        for node in nodes:
            scope = node.scope
            if scope not in closed:
                closed[scope] = _outermost_closed(scope, is_open, verdict, always)
            groups.setdefault(closed[scope] or producer(node), []).append(node)
        parts = [_part(key, nodes) for key, nodes in groups.items()]
        ordered, stuck = _ordered(parts)
        if not stuck:
            return _indexed(ordered)
        always |= {part.folded for part in stuck if part.folded is not None}


def _outermost_closed(
    scope: Scope | None,
    is_open: Callable[[Scope, int], bool],
    verdict: dict[Scope, bool],
    always: Collection[Scope],
) -> Scope | None:
    for depth, one in enumerate(lineage(scope)):
        if one in always:
            continue
        if one not in verdict:
            verdict[one] = is_open(one, depth)
        if not verdict[one]:
            return one
    return None


def _part(key: Any, nodes: Sequence[Node]) -> Part:
    if isinstance(key, Scope):
        return Part(tuple(nodes), key.parent, key, titled(key))
    return Part(tuple(nodes), key.scope)


def _indexed(parts: Iterable[Part]) -> Folded:
    parts = tuple(parts)
    return Folded(parts, {node: k for k, part in enumerate(parts) for node in part.nodes})


def _ordered(parts: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """The parts, each after those it reads, in the graph's order; and what is caught in a cycle."""
    home = {node: k for k, part in enumerate(parts) for node in part.nodes}
    if all(
        home[p] <= k
        for k, part in enumerate(parts)
        for node in part.nodes
        for p in node.inputs
        if isinstance(p, Node)
    ):
        return list(parts), []
    reads = [_sources(part, home) - {k} for k, part in enumerate(parts)]
    readers: dict[int, list[int]] = defaultdict(list)
    for k, sources in enumerate(reads):
        for source in sources:
            readers[source].append(k)
    waiting = [len(sources) for sources in reads]
    ready = [k for k, count in enumerate(waiting) if not count]
    heapify(ready)
    order: list[int] = []
    while ready:
        k = heappop(ready)
        order.append(k)
        for reader in readers[k]:
            waiting[reader] -= 1
            if not waiting[reader]:
                heappush(ready, reader)
    done = set(order)
    return [parts[k] for k in order], [p for k, p in enumerate(parts) if k not in done]


def _sources(part: Part, home: dict[Node, int]) -> set[int]:
    return {home[p] for node in part.nodes for p in node.inputs if isinstance(p, Node)}


def _absorbed(graph: Graph, folded: Folded) -> Folded:
    """Parameters and constants that one folded part alone reads, folded into it."""
    if not any(part.folded for part in folded.parts):
        return folded
    readers: dict[Node, set[int]] = defaultdict(set)
    for k, part in enumerate(folded.parts):
        for node in part.nodes:
            for p in node.inputs:
                if isinstance(p, Leaf):
                    readers[p].add(k)
    taken: dict[int, list[Node]] = defaultdict(list)
    gone: set[Node] = set()
    for leaf, parts in readers.items():
        (k, *others) = parts
        if leaf.op.name != "input" and not others and folded.parts[k].folded:
            taken[k].append(leaf)
            gone.add(leaf)
    gone -= set(graph.outputs)
    kept = [
        replace(part, nodes=(*(n for n in taken[k] if n in gone), *part.nodes))
        for k, part in enumerate(folded.parts)
        if part.nodes[0] not in gone
    ]
    return _indexed(kept)


def _rolled(graph: Graph, folded: Folded, *, bare: bool = False) -> Folded:
    """Equal consecutive folded parts as one part, with the leaves that each of them has its own.

    With ``bare`` operations that stand alone are rolled too.
    """
    rollable = [
        part.folded is not None or (bare and not isinstance(part.nodes[0], Leaf))
        for part in folded.parts
    ]
    if not any(rollable):
        return folded
    following = _only_follower(graph, folded, rollable)
    signature = [_signature(part) for part in folded.parts]
    used: set[int] = set()
    rolls: dict[int, Part] = {}
    for start in range(len(folded.parts)):
        if start in used or not rollable[start]:
            continue
        chain = [start]
        while chain[-1] in following and following[chain[-1]] not in used:
            chain.append(following[chain[-1]])
        period, times = _repeats([signature[k] for k in chain])
        if times >= 3:
            members = chain[: period * times]
            own = _own_leaves(graph, folded, members, period)
            leaves = [node for k in own for node in folded.parts[k].nodes]
            rolls[start] = _roll(leaves, [folded.parts[k] for k in members], period, times)
            used |= {*members, *own}
    kept = [rolls.get(k, p) for k, p in enumerate(folded.parts) if k in rolls or k not in used]
    return _indexed(_ordered(kept)[0])


def _only_follower(graph: Graph, folded: Folded, rollable: Sequence[bool]) -> dict[int, int]:
    """For a rollable part whose one reader is rollable and computes from it alone: which."""
    leaf = [isinstance(part.nodes[0], Leaf) and not part.folded for part in folded.parts]
    reads = [_sources(part, folded.home) - {k} for k, part in enumerate(folded.parts)]
    readers: dict[int, list[int]] = defaultdict(list)
    for k, sources in enumerate(reads):
        for source in sources:
            readers[source].append(k)
    ends = {folded.home[out] for out in graph.outputs}
    found = {}
    for k, part in enumerate(folded.parts):
        if not rollable[k] or len(readers[k]) != 1 or k in ends:
            continue
        (reader,) = readers[k]
        other = folded.parts[reader]
        computed = {source for source in reads[reader] if not leaf[source]}
        if rollable[reader] and computed == {k} and other.scope is part.scope:
            found[k] = reader
    return found


def _own_leaves(graph: Graph, folded: Folded, members: Sequence[int], period: int) -> list[int]:
    """The leaves that stand at the same place in every repetition, each read there alone."""
    readers: dict[Node, set[tuple[int, int, int]]] = defaultdict(set)
    for k, part in enumerate(folded.parts):
        for place, node in enumerate(part.nodes):
            for i, p in enumerate(node.inputs):
                if isinstance(p, Leaf) and folded.home[p] != k:
                    readers[p].add((k, place, i))
    turn = {k: at for at, k in enumerate(members)}
    seats: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for leaf, places in readers.items():
        (k, place, i), *others = places
        if k in turn and not others and leaf not in graph.outputs:
            seats[turn[k] % period, place, i].append(folded.home[leaf])
    full = len(members) // period
    return [part for parts in seats.values() if len(parts) == full for part in parts]


def _signature(part: Part) -> tuple[Any, ...]:
    scope = part.folded
    kind = (scope.name.rstrip("0123456789_- "), scope.direction) if scope else ()
    return (*kind, *((node.op.name, node.shape) for node in part.nodes))


def _repeats(signatures: Sequence[Any]) -> tuple[int, int]:
    """The pattern at the front that covers the most: its length and how often it stands there."""
    best = (1, 1)
    for period in range(1, min(_PERIOD, len(signatures) // 2) + 1):
        same = period
        while same < len(signatures) and signatures[same] == signatures[same - period]:
            same += 1
        if (same // period) * period > best[0] * best[1] and same // period > 1:
            best = (period, same // period)
    return best


def _roll(leaves: Sequence[Node], parts: Sequence[Part], period: int, times: int) -> Part:
    names = [part.title or visible(part.nodes[0].op.name, 20) for part in parts[:period]]
    if Counter(part.title for part in parts).most_common(1)[0][1] < times:
        names = [name.rstrip("0123456789_- ") or name for name in names]
    nodes = (*leaves, *(node for part in parts for node in part.nodes))
    title = " → ".join(names)
    return Part(nodes, parts[0].scope, parts[0].folded or Scope(title), title, times)
