"""The order of boxes within each rank: few crossings, frames kept together and on their side.

Knows ranks, neighbours and nested frames as numbers. Sweeps over the ranks by barycentres; a frame
that goes on to the next rank keeps its order towards other frames, and an edge that passes it
stays on its side. Imports nothing of ours.
"""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

__all__ = ["Ranked", "order"]

_SWEEPS, _FEWEST = 12, 4
_WORK = 30_000  # cells times sweeps: what a large graph may cost
_PATIENCE = 5  # sweeps without fewer crossings before giving up
# Ties stand the other way round in the ranks and sweeps whose bit is set: without, with some.
_TURNS = (0, *(k * 0x9E3779B1 % 2**32 for k in range(1, 9)))
_DEAR = 10  # crossings that an edge through a foreign frame is as bad as
_WATCHED = 2400  # cells up to which edges through foreign frames are counted
_PASSES = 4  # of exchanges after every sweep
_MANY = 600  # cells above which one way of breaking ties must do


@dataclass
class Ranked:
    """Cells on ranks: their rank, the frames they stand in, and their neighbours before and after.

    ``long`` marks cells that are a passing edge.
    """

    rank: list[int]
    path: list[tuple[int, ...]]
    before: list[list[int]]
    after: list[list[int]]
    long: list[bool]


def order(cells: Ranked) -> list[list[int]]:
    """The cells of every rank, first to last across: the best of several beginnings."""
    layers: list[list[int]] = [[] for _ in range(max(cells.rank, default=-1) + 1)]
    for cell, rank in enumerate(cells.rank):
        layers[rank].append(cell)
    turned = [layer[::-1] for layer in layers]
    best: list[list[int]] = []
    fewest = -1
    turns = _TURNS if len(cells.rank) < _MANY else (0,)
    beginnings = (layers, turned) if len(cells.rank) < 4 * _MANY else (layers,)
    for begin, turn in product(beginnings, turns):
        found, crossings = _swept(cells, [list(layer) for layer in begin], turn)
        if fewest < 0 or crossings < fewest:
            best, fewest = found, crossings
        if not fewest:
            break
    return best


def _swept(cells: Ranked, layers: list[list[int]], turns: int) -> tuple[list[list[int]], int]:
    """The best order met while sweeping to and fro, and its crossings."""
    value = {cell: float(k) for layer in layers for k, cell in enumerate(layer)}
    best: list[list[int]] = []
    fewest, since = -1, 0
    for sweep in range(max(_FEWEST, min(_SWEEPS, _WORK // (len(cells.rank) + 1)))):
        forward = sweep % 2 == 0
        ranks = range(len(layers)) if forward else range(len(layers) - 1, -1, -1)
        fixed: list[int] = []
        for rank in ranks:
            if turns >> (rank + 5 * sweep) % 32 & 1:
                layers[rank].reverse()  # what ties may as well stand the other way round
            layers[rank] = _arrange(cells, layers[rank], fixed, value, forward)
            fixed = layers[rank]
            value.update((cell, float(k)) for k, cell in enumerate(fixed))
        _transpose(cells, layers)
        crossings = sum(_crossings(cells, a, b) for a, b in pairwise(layers))
        if len(cells.rank) < _WATCHED:
            crossings += _DEAR * sum(_trespasses(cells, a, b) for a, b in pairwise(layers))
        since += 1
        if fewest < 0 or crossings < fewest:
            best, fewest, since = [list(layer) for layer in layers], crossings, 0
        if sweep >= 3 and (fewest == 0 or since == _PATIENCE):
            break
    return best, fewest


def _arrange(
    cells: Ranked, layer: list[int], fixed: list[int], old: dict[int, float], forward: bool
) -> list[int]:
    """One rank put in order by the mean place of its neighbours in the rank that is ``fixed``."""
    place = {cell: k for k, cell in enumerate(fixed)}
    scale = len(fixed) / max(len(layer), 1) if fixed else 1.0
    pull = {}
    for cell in layer:
        near = [place[n] for n in (cells.before if forward else cells.after)[cell] if n in place]
        pull[cell] = sum(near) / len(near) if near else old[cell] * scale
    return _nested(cells, layer, 0, pull, place, _spans(cells, fixed), forward)


def _spans(cells: Ranked, fixed: Sequence[int]) -> dict[int, tuple[int, int]]:
    """First and last place that every frame has in a rank."""
    spans: dict[int, tuple[int, int]] = {}
    for k, cell in enumerate(fixed):
        for frame in cells.path[cell]:
            first, _ = spans.get(frame, (k, k))
            spans[frame] = (first, k)
    return spans


def _nested(
    cells: Ranked,
    members: list[int],
    depth: int,
    pull: dict[int, float],
    place: dict[int, int],
    spans: dict[int, tuple[int, int]],
    forward: bool,
) -> list[int]:
    """Order the children of one frame at one rank; a child frame is a block, ordered inside."""
    blocks: dict[int, list[int]] = {}
    for cell in members:
        path = cells.path[cell]
        blocks.setdefault(path[depth] if len(path) > depth else -1 - cell, []).append(cell)
    level = {key: sum(pull[c] for c in block) / len(block) for key, block in blocks.items()}
    if len(blocks) == 1:
        (key,) = blocks
        return (
            _nested(cells, members, depth + 1, pull, place, spans, forward) if key >= 0 else members
        )
    seats = {key: spans[key] for key in blocks if key in spans}
    _keep_frames_in_order(level, seats)
    for key, block in blocks.items():
        if key < 0 and seats:
            near = (cells.before if forward else cells.after)[block[0]]
            for n in near:
                if n in place:
                    level[key] = _same_side(level[key], place[n], seats, level)
    rank_of = {cell: k for k, cell in enumerate(members)}
    keys = sorted(blocks, key=lambda key: (level[key], rank_of[blocks[key][0]]))
    result: list[int] = []
    for key in keys:
        block = blocks[key]
        if key >= 0:
            block = _nested(cells, block, depth + 1, pull, place, spans, forward)
        result += block
    return result


def _keep_frames_in_order(level: dict[int, float], seats: dict[int, tuple[int, int]]) -> None:
    floor = float("-inf")
    for key in sorted(seats, key=lambda key: seats[key]):
        level[key] = floor = max(level[key], floor + 1e-3)


def _same_side(
    wish: float, neighbour: int, seats: dict[int, tuple[int, int]], level: dict[int, float]
) -> float:
    """A wish bent so that a passing edge stays on its side of the frames that it passes."""
    for key, (first, last) in seats.items():
        if neighbour < first:
            wish = min(wish, level[key] - 1e-4)
        elif neighbour > last:
            wish = max(wish, level[key] + 1e-4)
    return wish


def _transpose(cells: Ranked, layers: list[list[int]]) -> None:
    """Exchange neighbours of one frame where that removes crossings."""
    place = {cell: k for layer in layers for k, cell in enumerate(layer)}
    todo = set(range(len(layers)))
    for _ in range(_PASSES):
        changed = [rank for rank in sorted(todo) if _exchanged(cells, layers[rank], place)]
        todo = {near for rank in changed for near in (rank - 1, rank, rank + 1)}
        todo &= set(range(len(layers)))
        if not todo:
            return


def _exchanged(cells: Ranked, layer: list[int], place: dict[int, int]) -> bool:
    """Go through a rank once, exchanging neighbours; whether any were."""
    changed = False
    ends = [
        [sorted(place[n] for n in edges[cell]) for edges in (cells.before, cells.after)]
        for cell in layer
    ]
    for k in range(len(layer) - 1):
        a, b = layer[k], layer[k + 1]
        if cells.path[a] != cells.path[b]:
            continue
        if _pair(ends[k], ends[k + 1]) > _pair(ends[k + 1], ends[k]):
            layer[k], layer[k + 1] = b, a
            ends[k], ends[k + 1] = ends[k + 1], ends[k]
            place[a], place[b] = k + 1, k
            changed = True
    return changed


def _pair(mine: Sequence[list[int]], theirs: Sequence[list[int]]) -> int:
    """Crossings between the edges of two cells if the first stands directly before the other."""
    total = 0
    for here, there in zip(mine, theirs):
        if here and there and here[-1] > there[0]:
            total += sum(len(here) - bisect_right(here, end) for end in there)
    return total


def _trespasses(cells: Ranked, layer: Sequence[int], following: Sequence[int]) -> int:
    """Edges between a rank and the next that must run through a frame, counted for each frame."""
    here, there = _spans(cells, layer), _spans(cells, following)
    walls = [(*here[frame], *there[frame]) for frame in here if frame in there]
    if not walls:
        return 0
    place = {cell: k for k, cell in enumerate(following)}
    total = 0
    for i, cell in enumerate(layer):
        for n in cells.after[cell]:
            j = place[n]
            for first, last, begin, end in walls:
                total += (i < first and j > end) or (i > last and j < begin)
    return total


def _crossings(cells: Ranked, layer: Sequence[int], following: Sequence[int]) -> int:
    """Crossings between a rank and the next."""
    place = {cell: k for k, cell in enumerate(following)}
    seen: list[int] = []
    total = 0
    for cell in layer:
        ends = [place[n] for n in cells.after[cell]]
        total += sum(len(seen) - bisect_right(seen, end) for end in ends)
        for end in ends:
            insort(seen, end)
    return total
