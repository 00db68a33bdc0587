"""The paths of edges between ranks: straight in the ranks, smooth bends in the free room between.

Knows the columns of the built-in layout. Imports its siblings.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians, sin

from autograd_lite.picture.layout.plan import Item, Path, Rect

__all__ = ["Columns", "Hop", "bezier_line", "clipped", "route", "split", "spread_out", "within"]

Hop = tuple[int, ...]  # a cell, the lanes between, a cell
Point = tuple[float, float]

_NEAR = 10.0  # an edge may end in a bend if its box begins this near to the free room


@dataclass(frozen=True)
class Columns:
    """The left and right of every rank, and the free room after each but the last."""

    left: tuple[float, ...]
    right: tuple[float, ...]
    free: tuple[tuple[float, float], ...]


def route(
    items: Sequence[Item],
    points: Sequence[Point],
    rank: Sequence[int],
    hops: Sequence[Hop],
    columns: Columns,
) -> list[Path]:
    """The path of every hop, from the border of its first cell to the border of its last."""
    ports = _ports(items, points, hops)
    exits = _exits(items, points, hops)
    return [_path(hop, exits[k], ports[k], points, rank, columns) for k, hop in enumerate(hops)]


def bezier_line(a: Point, b: Point) -> Path:
    """A straight line as a cubic."""
    (ax, ay), (bx, by) = a, b
    third = ((bx - ax) / 3, (by - ay) / 3)
    return (a, (ax + third[0], ay + third[1]), (bx - third[0], by - third[1]), b)


def _path(
    hop: Hop,
    start: Point,
    port: tuple[Point, float],
    points: Sequence[Point],
    rank: Sequence[int],
    columns: Columns,
) -> Path:
    end, angle = port
    path: list[Point] = [start]

    def line(to: Point) -> None:
        if abs(to[0] - path[-1][0]) > 0.05 or abs(to[1] - path[-1][1]) > 0.05:
            path.extend(bezier_line(path[-1], to)[1:])

    for a, b in pairwise(hop):
        enter, leave = columns.free[rank[a]]
        last = b == hop[-1]
        y = end[1] if last else points[b][1]
        if abs(y - path[-1][1]) < 0.05:
            continue
        line((enter, path[-1][1]))
        bend = (leave - enter) / 2
        if last and angle and end[0] - leave < _NEAR:
            back = max(bend * 0.9, 12.0)
            lean = (end[0] - back * cos(angle), end[1] - back * sin(angle))
            path.extend([(enter + bend, path[-1][1]), lean, end])
        else:
            path.extend([(enter + bend, path[-1][1]), (leave - bend, y), (leave, y)])
    line(end)
    if len(path) == 1:
        path.extend(bezier_line(start, end)[1:])
    return tuple(path)


def _exits(items: Sequence[Item], points: Sequence[Point], hops: Sequence[Hop]) -> list[Point]:
    """Where each hop leaves its first cell."""
    leaving: dict[int, list[int]] = defaultdict(list)
    for k, hop in enumerate(hops):
        leaving[hop[0]].append(k)
    exits: dict[int, Point] = {}
    for cell, edges in leaving.items():
        item, (x, y) = items[cell], points[cell]
        if item.kind == "dot":
            exits.update((k, (x, y)) for k in edges)
            continue
        edges.sort(key=lambda k: points[hops[k][1]][1])
        offsets = spread_out([points[hops[k][1]][1] - y for k in edges], item)
        for k, offset in zip(edges, offsets):
            inset = _inset(item, offset)
            exits[k] = (x + item.length / 2 - inset, y + offset)
    return [exits[k] for k in range(len(hops))]


def _ports(
    items: Sequence[Item], points: Sequence[Point], hops: Sequence[Hop]
) -> list[tuple[Point, float]]:
    """Where each hop meets its last cell, and at which angle it may lean."""
    arriving: dict[int, list[int]] = defaultdict(list)
    for k, hop in enumerate(hops):
        arriving[hop[-1]].append(k)
    ports: dict[int, tuple[Point, float]] = {}
    for cell, edges in arriving.items():
        item, (x, y) = items[cell], points[cell]
        if item.kind == "dot":
            ports.update((k, ((x, y), 0.0)) for k in edges)
            continue
        edges.sort(key=lambda k: points[hops[k][-2]][1])
        falls = [points[hops[k][-2]][1] - y for k in edges]
        for k, offset in zip(edges, spread_out(falls, item)):
            inset = _inset(item, offset)
            angle = radians(-55 * offset / item.before) if item.kind == "round" else 0.0
            ports[k] = ((x - item.length / 2 + inset, y + offset), angle)
    return [ports[k] for k in range(len(hops))]


def spread_out(falls: Sequence[float], item: Item) -> list[float]:
    """Heights on a box's side for edges that come from (or go to) these heights, in order.

    One that runs straight keeps the middle; the others stand above and below it.
    """
    if len(falls) == 1:
        return [0.0]
    straight = [k for k, fall in enumerate(falls) if abs(fall) < 1]
    reach = item.before - (4 if item.kind == "round" else 8)
    middle = float(straight[len(straight) // 2]) if straight else (len(falls) - 1) / 2
    if not straight and falls[0] * falls[-1] > 0 and len(falls) == 2:
        middle = 0.5
    most = max(middle, len(falls) - 1 - middle)
    step = min(reach / most, 14.0)
    return [(k - middle) * step for k in range(len(falls))]


def _inset(item: Item, offset: float) -> float:
    """How far the rounded side of a box lies behind its foremost point at a height."""
    if item.kind != "round":
        return 0.0
    radius = min(item.before, item.length / 2)
    beyond = max(0.0, abs(offset) - (item.before - radius))
    return float(radius - max(0.0, radius * radius - beyond * beyond) ** 0.5)


def clipped(path: Path, box: Rect) -> Path:
    """A path that runs into a circle or stadium, cut where it meets the border."""
    bends = [path[k : k + 4] for k in range(0, len(path) - 1, 3)]
    while len(bends) > 1 and within(bends[-1][0], box):
        bends.pop()
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        inside = within(split(bends[-1], middle)[0][-1], box)
        low, high = (low, middle) if inside else (middle, high)
    bends[-1] = split(bends[-1], low)[0]
    return (path[0], *(point for bend in bends for point in bend[1:]))


def within(point: Point, box: Rect) -> bool:
    """Whether a point lies in the stadium that fills a box."""
    width, height = box.right - box.left, box.bottom - box.top
    radius = min(width, height) / 2
    x = max(box.left + radius, min(box.right - radius, point[0]))
    y = max(box.top + radius, min(box.bottom - radius, point[1]))
    return (point[0] - x) ** 2 + (point[1] - y) ** 2 < radius * radius


def split(bend: Path, t: float) -> tuple[Path, Path]:
    """A cubic cut in two at the parameter ``t`` (de Casteljau)."""
    points, before, after = list(bend), [bend[0]], [bend[-1]]
    while len(points) > 1:
        points = [
            (ax + (bx - ax) * t, ay + (by - ay) * t) for (ax, ay), (bx, by) in pairwise(points)
        ]
        before.append(points[0])
        after.append(points[-1])
    return tuple(before), tuple(reversed(after))
