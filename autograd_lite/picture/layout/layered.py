"""The built-in layout: ranks along, order across, coordinates by network simplex.

Needs nothing installed. Every edge that spans several ranks passes through cells of its own, a
frame keeps a cell in every rank that it spans, and all that must not overlap is a constraint of
the coordinate problem: so frames hold no foreign box and no edge runs through one. Imports its
siblings.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

from autograd_lite.picture.layout.ordering import Ranked, order
from autograd_lite.picture.layout.plan import PAD, TITLE, Item, Placement, Plan, Rect, inside
from autograd_lite.picture.layout.portions import pulled, solve_in_portions
from autograd_lite.picture.layout.routing import Columns, Hop, route
from autograd_lite.picture.layout.simplex import Arc, solve

__all__ = ["place"]

_APART = 14  # between boxes of one rank
_LANE = 10  # between a passing edge and its neighbours
_GAP = 22  # the least room between two ranks
_LEVEL = 16  # how much a passing edge should run level
_SHORT = 3  # how much shorter a frame should be than an edge
_LARGE = 1500  # cells above which coordinates are found portion by portion
_PORTION = 200  # cells in a portion


@dataclass
class _Cells:
    """Items, then the cells of passing edges, then the place holders of frames."""

    items: list[Item]
    rank: list[int]
    hops: list[Hop] = field(default_factory=list)

    def add(self, frame: int, rank: int, kind: str) -> int:
        self.items.append(Item(kind, 0, 0, 0, frame))
        self.rank.append(rank)
        return len(self.items) - 1


def place(plan: Plan) -> Placement:
    """Lay out a plan."""
    cells = _cells(plan)
    paths = [inside(plan.frames, item.frame) for item in cells.items]
    layers = order(_ranked(cells, paths))
    across = _across(plan, cells, paths, layers)
    columns, along = _along(plan, cells, layers, across)
    points = [(along[cells.rank[c]], across[c]) for c in range(len(cells.items))]
    frames = _frames(plan, cells, paths, points)
    routes = iter(route(cells.items, points, cells.rank, cells.hops, columns))
    chains = tuple(tuple(next(routes) for _ in pairwise(chain)) for chain in plan.chains)
    placement = Placement("builtin", tuple(points[: len(plan.items)]), chains, frames)
    return placement if plan.direction == "LR" else _turned(placement)


def _ranks(plan: Plan) -> list[int]:
    """A rank for every item: edges are short, and so are frames."""
    arcs: list[Arc] = []
    for chain in plan.chains:
        # A label belongs near the operation that its edge enters.
        arcs += [(a, b, 1, 1 + (k > 0)) for k, (a, b) in enumerate(pairwise(chain))]
    count, frames = len(plan.items), len(plan.frames)
    for k, item in enumerate(plan.items):
        if item.frame >= 0:
            arcs += [(count + item.frame, k, 0, 0), (k, count + frames + item.frame, 0, 0)]
    for k, frame in enumerate(plan.frames):
        first, last = count + k, count + frames + k
        arcs.append((first, last, 0, _SHORT))
        if frame.parent >= 0:
            arcs.append((count + frame.parent, first, 0, 0))
            arcs.append((last, count + frames + frame.parent, 0, 0))
    ranks = solve(count + 2 * frames, arcs)[:count]
    least = min(ranks, default=0)
    return [rank - least for rank in ranks]


def _cells(plan: Plan) -> _Cells:
    cells = _Cells(list(plan.items), _ranks(plan))
    for chain in plan.chains:
        for a, b in pairwise(chain):
            frame = _common(plan, a, b)
            ranks = range(cells.rank[a] + 1, cells.rank[b])
            lane = [cells.add(frame, rank, "lane") for rank in ranks]
            cells.hops.append((a, *lane, b))
    _hold_frames(plan, cells)
    return cells


def _common(plan: Plan, a: int, b: int) -> int:
    """The innermost frame that holds both items."""
    frame = -1
    ends = (inside(plan.frames, plan.items[a].frame), inside(plan.frames, plan.items[b].frame))
    for one, other in zip(*ends):
        if one != other:
            break
        frame = one
    return frame


def _hold_frames(plan: Plan, cells: _Cells) -> None:
    """Give every frame a cell in every rank that it spans, so that it parts the others there."""
    held: list[set[int]] = [set() for _ in plan.frames]
    for item, rank in zip(cells.items, cells.rank):
        for frame in inside(plan.frames, item.frame):
            held[frame].add(rank)
    for frame, ranks in enumerate(held):
        for rank in range(min(ranks, default=0), max(ranks, default=-1)):
            if rank not in ranks:
                cells.add(frame, rank, "holder")


def _ranked(cells: _Cells, paths: list[tuple[int, ...]]) -> Ranked:
    before: list[list[int]] = [[] for _ in cells.items]
    after: list[list[int]] = [[] for _ in cells.items]
    for hop in cells.hops:
        for a, b in pairwise(hop):
            after[a].append(b)
            before[b].append(a)
    lanes = [item.kind == "lane" for item in cells.items]
    return Ranked(cells.rank, paths, before, after, lanes)


def _across(
    plan: Plan, cells: _Cells, paths: list[tuple[int, ...]], layers: list[list[int]]
) -> list[float]:
    """The coordinate across of every cell: nothing overlaps, edges as straight as may be."""
    count, frames = len(cells.items), len(plan.frames)
    head = TITLE if plan.direction == "LR" else 0
    arcs: list[Arc] = []
    for k, frame in enumerate(plan.frames):
        top, bottom = count + k, count + frames + k
        arcs.append((top, bottom, 0 if head else ceil(frame.title), 2))
        if frame.parent >= 0:
            arcs.append((count + frame.parent, top, PAD + head, 0))
            arcs.append((bottom, count + frames + frame.parent, PAD, 0))
    for layer in layers:
        arcs += _separations(cells, paths, layer, count, frames, head)
    pulls = _pulls(cells)
    start: list[int] = []
    if count > _LARGE:
        where = _portions(cells, paths, layers, frames)
        start = solve_in_portions(where, arcs, pulls, max(map(max, where)) + 1)[:count]
    places = solve(*pulled(count + 2 * frames, arcs, pulls), balance=True, start=start)
    return [float(y) for y in places[:count]]


def _portions(
    cells: _Cells, paths: list[tuple[int, ...]], layers: list[list[int]], frames: int
) -> list[Collection[int]]:
    """In which portions of the ranks the cells, and the tops and bottoms of frames, stand."""
    portion, held = 0, 0
    of_rank = []
    for layer in layers:
        if held and held + len(layer) > _PORTION:
            portion, held = portion + 1, 0
        held += len(layer)
        of_rank.append(portion)
    spans: list[set[int]] = [set() for _ in range(frames)]
    for rank, path in zip(cells.rank, paths):
        for frame in path:
            spans[frame].add(of_rank[rank])
    return [(of_rank[rank],) for rank in cells.rank] + [*spans, *spans]


def _separations(
    cells: _Cells,
    paths: list[tuple[int, ...]],
    layer: list[int],
    count: int,
    frames: int,
    head: int,
) -> list[Arc]:
    arcs: list[Arc] = []
    for a, b in pairwise([None, *layer, None]):
        left, right = (() if c is None else paths[c] for c in (a, b))
        shared = sum(1 for _ in _agreeing(left, right))
        upper, lower, gap = a, b, 0
        if a is not None:
            item = cells.items[a]
            gap += ceil(item.after)
            if len(left) > shared:
                arcs.append((a, count + frames + left[-1], ceil(item.after) + PAD, 0))
                upper, gap = count + frames + left[shared], 0
        if b is not None:
            item = cells.items[b]
            if len(right) > shared:
                arcs.append((count + right[-1], b, ceil(item.before) + PAD + head, 0))
                lower = count + right[shared]
            else:
                gap += ceil(item.before)
        if a is not None and b is not None and upper is not None and lower is not None:
            lanes = "lane" in (cells.items[a].kind, cells.items[b].kind)
            arcs.append((upper, lower, gap + (_LANE if lanes else _APART), 0))
    return arcs


def _agreeing(left: tuple[int, ...], right: tuple[int, ...]) -> list[int]:
    same = []
    for one, other in zip(left, right):
        if one != other:
            break
        same.append(one)
    return same


def _pulls(cells: _Cells) -> list[tuple[int, int, int]]:
    """Which cells should lie on one line, and how much: the main line of a graph above all."""
    fan_out, fan_in = [0] * len(cells.items), [0] * len(cells.items)
    for hop in cells.hops:
        fan_out[hop[0]] += 1
        fan_in[hop[-1]] += 1
    main = _fed(cells)
    pulls: list[tuple[int, int, int]] = []
    met: set[int] = set()
    for hop in cells.hops:
        weight = {0: 8, 1: 3, 2: 1}[(fan_out[hop[0]] > 1) + (fan_in[hop[-1]] > 1)]
        weight *= 3 if hop[0] in main else 1
        # Of several edges into a box the first may decide; else neither runs straight.
        weight += hop[0] in main and hop[-1] not in met
        met.add(hop[-1])
        # Between two lanes an edge runs straight by all means: a jog there is for nothing.
        weight *= 2 if len(hop) > 2 else 1
        for a, b in pairwise(hop):
            lanes = a != hop[0] and b != hop[-1]
            pulls.append((a, b, max(weight, _LEVEL) if lanes else weight))
    return pulls


def _fed(cells: _Cells) -> set[int]:
    """The cells that carry a computed value rather than a leaf's."""
    fed: set[int] = set()
    for hop in sorted(cells.hops, key=lambda hop: cells.rank[hop[0]]):
        if hop[0] in fed or cells.items[hop[-1]].kind in ("round", "box"):
            fed.add(hop[-1])
    return fed


def _along(
    plan: Plan, cells: _Cells, layers: list[list[int]], across: list[float]
) -> tuple[Columns, list[float]]:
    """Where every rank lies along, and the free room between the ranks, where edges bend."""
    opening, closing, wide = _margins(plan, cells, layers)
    bends = [0.0] * len(layers)
    for hop in cells.hops:
        for a, b in pairwise(hop):
            bends[cells.rank[a]] = max(bends[cells.rank[a]], abs(across[a] - across[b]))
    left, right, centers = [], [], []
    edge = 0.0
    for rank, length in enumerate(wide):
        edge += opening[rank]
        left.append(edge)
        centers.append(edge + length / 2)
        edge += length
        right.append(edge)
        edge += closing[rank] + max(_GAP, min(72, 16 + 0.4 * bends[rank]))
    free = [(right[r] + closing[r], left[r + 1] - opening[r + 1]) for r in range(len(layers) - 1)]
    return Columns(tuple(left), tuple(right), tuple(free)), centers


def _margins(
    plan: Plan, cells: _Cells, layers: list[list[int]]
) -> tuple[list[float], list[float], list[float]]:
    """Room that frames take where they open and close, and the width of every rank."""
    count = len(layers)
    wide = [max((cells.items[c].length for c in layer), default=0.0) for layer in layers]
    spans: dict[int, tuple[int, int]] = {}
    for item, rank in zip(cells.items, cells.rank):
        for frame in inside(plan.frames, item.frame):
            lo, hi = spans.get(frame, (rank, rank))
            spans[frame] = (min(lo, rank), max(hi, rank))
    opening, closing = [0.0] * count, [0.0] * count
    head = TITLE if plan.direction == "TB" else 0
    for frame, (lo, hi) in spans.items():
        family = inside(plan.frames, frame)
        opening[lo] = max(opening[lo], sum(PAD + head for f in family if spans[f][0] == lo))
        closing[hi] = max(closing[hi], float(sum(PAD for f in family if spans[f][1] == hi)))
        if head == 0:
            room = sum(wide[lo : hi + 1]) + _GAP * (hi - lo) + 2 * PAD
            wide[lo] += max(0.0, plan.frames[frame].title - room)
    return opening, closing, wide


def _frames(
    plan: Plan,
    cells: _Cells,
    paths: list[tuple[int, ...]],
    points: list[tuple[float, float]],
) -> tuple[Rect, ...]:
    """The rectangles of the frames, innermost first, each around what it holds."""
    lr = plan.direction == "LR"
    found: dict[int, Rect] = {}
    within: dict[int, list[Rect]] = defaultdict(list)
    for i, (x, y), path in zip(cells.items, points, paths):
        if path and i.kind != "holder":
            rect = Rect(x - i.length / 2, y - i.before, x + i.length / 2, y + i.after)
            within[path[-1]].append(rect)
    depth = [len(inside(plan.frames, k)) for k in range(len(plan.frames))]
    for frame in sorted(range(len(plan.frames)), key=lambda k: -depth[k]):
        held = within[frame]
        left, right = min(r.left for r in held) - PAD, max(r.right for r in held) + PAD
        top, bottom = min(r.top for r in held) - PAD, max(r.bottom for r in held) + PAD
        if lr:
            spare = max(0.0, plan.frames[frame].title - (right - left)) / 2
            found[frame] = Rect(left - spare, top - TITLE, right + spare, bottom)
        else:
            spare = max(0.0, plan.frames[frame].title - (bottom - top)) / 2
            found[frame] = Rect(left - TITLE, top - spare, right, bottom + spare)
        within[plan.frames[frame].parent].append(found[frame])
    return tuple(found[k] for k in range(len(plan.frames)))


def _turned(placement: Placement) -> Placement:
    """The same picture read from top to bottom: both coordinates exchanged."""
    return Placement(
        placement.engine,
        tuple((y, x) for x, y in placement.centers),
        tuple(tuple(tuple((y, x) for x, y in p) for p in hops) for hops in placement.routes),
        tuple(Rect(r.top, r.left, r.bottom, r.right) for r in placement.frames),
    )
