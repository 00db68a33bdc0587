"""A wide picture broken into rows, like text: edges go round the end of a row into the next.

Edges from one junction carry one value, and share one lane on that way.
Knows placements from any engine. Cuts only where nothing but edges is, so no frame is cut. Imports
its siblings.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from math import ceil

from autograd_lite.picture.layout.plan import Path, Placement, Plan, Rect, extent
from autograd_lite.picture.layout.routing import bezier_line, split

__all__ = ["WIDTH", "wrap"]

WIDTH = 2400.0  # the width that a row should not pass
_TOLERANCE = 1.15  # a picture that is a little wider stays in one row
_WIDOW = 600.0  # the least that the last row holds: a single box goes to the end of a long row
_CROSSING = 300.0  # pixels that a row may be shorter to spare an edge its way round
_BETWEEN = 26.0  # between two rows, beside their lanes
_LANE = 10.0
_CORNER = 8.0
Point = tuple[float, float]


def wrap(plan: Plan, placement: Placement, width: float = WIDTH) -> Placement:
    """The placement in rows of about a width; as it is where it fits or cannot be cut."""
    boxes = [extent(i, c, plan.direction) for i, c in zip(plan.items, placement.centers)]
    boxes += placement.frames
    paths = [path for hops in placement.routes for path in hops]
    cuts = _cuts(boxes, paths, width) if plan.direction == "LR" else []
    if not cuts:
        return placement
    # A hop that ends in a label goes on behind it, so the source of its chain tells whose it is.
    keys = [
        chain[0] if plan.items[chain[0]].kind == "dot" else -1 - k
        for k, chain in enumerate(plan.chains)
    ]
    rows = _Rows(cuts, boxes, [(key, p) for key, hops in zip(keys, placement.routes) for p in hops])
    return Placement(
        placement.engine,
        tuple(rows.point(center) for center in placement.centers),
        tuple(tuple(rows.path(key, p) for p in hops) for key, hops in zip(keys, placement.routes)),
        tuple(rows.box(frame) for frame in placement.frames),
    )


def _cuts(boxes: Sequence[Rect], paths: Sequence[Path], width: float) -> list[float]:
    """Where to cut: few edges cross, rows are not much shorter than they may be."""
    left, right = min(b.left for b in boxes), max(b.right for b in boxes)
    if right - left <= width * _TOLERANCE:
        return []
    places = _clear(boxes)
    begins, ends = (sorted(p[k][0] for p in paths) for k in (0, -1))
    cuts: list[float] = []
    while right - left > width:
        share = (right - left) / ceil((right - left) / width)
        ahead = [x for x in places if left + share / 2 < x < right - _WIDOW]
        fitting = [x for x in ahead if x - left <= width] or ahead[:1]
        if not fitting:
            break
        cost = {
            x: (bisect_left(begins, x) - bisect_right(ends, x)) * _CROSSING + abs(x - left - share)
            for x in fitting
        }
        left = min(fitting, key=lambda x: cost[x])
        cuts.append(left)
    return cuts


def _clear(boxes: Sequence[Rect]) -> list[float]:
    """Where no box lies: just behind one, where edges still run level."""
    places, reach = [], float("-inf")
    for box in sorted(boxes, key=lambda b: b.left):
        if reach != float("-inf") and box.left - reach >= 12:
            places.append(reach + 5)
        reach = max(reach, box.right)
    return places


class _Rows:
    """Where each row begins in the long picture, and where it comes to lie."""

    def __init__(
        self, cuts: Sequence[float], boxes: Sequence[Rect], paths: Sequence[tuple[int, Path]]
    ) -> None:
        self.cuts = list(cuts)
        heights = self._crossings(paths)
        self.lanes = [sorted(ys, key=lambda key, ys=ys: (_mean_of(ys[key]), key)) for ys in heights]  # type: ignore[misc]  # mypy cannot infer a lambda's default
        most = max(map(len, self.lanes))
        self.starts = [min(b.left for b in boxes), *cuts]
        spans = self._spans(boxes, [path for _, path in paths], heights)
        self.indent = [0.0] + [_LANE * most + 12] * len(cuts)
        self.tops: list[float] = []
        self.shifts: list[float] = []
        self.bottoms: list[float] = []
        bottom = 0.0
        for row, (top, low) in enumerate(spans):
            room = _BETWEEN + _LANE * (len(self.lanes[row - 1]) if row else 0)
            self.tops.append(bottom + room if row else top)
            self.shifts.append(self.tops[row] - top)
            bottom = low + self.shifts[row]
            self.bottoms.append(bottom)
        ends = [*cuts, max(b.right for b in boxes)]
        self.right = max(
            end - start + indent
            for start, end, indent in zip(self.starts, ends, self.indent, strict=True)
        )

    def _crossings(self, paths: Sequence[tuple[int, Path]]) -> list[dict[int, list[float]]]:
        """For every cut, whose edges cross it and at which heights."""
        found: list[dict[int, list[float]]] = [{} for _ in self.cuts]
        for key, path in paths:
            for row in range(self._row(path[0][0]), self._row(path[-1][0])):
                found[row].setdefault(key, []).append(_height(path, self.cuts[row]))
        return found

    def _spans(
        self,
        boxes: Sequence[Rect],
        paths: Sequence[Path],
        crossings: Sequence[dict[int, list[float]]],
    ) -> list[tuple[float, float]]:
        """The top and bottom of what lies in every row."""
        heights: list[list[float]] = [[] for _ in self.starts]
        for box in boxes:
            heights[self._row((box.left + box.right) / 2)] += (box.top, box.bottom)
        for path in paths:
            for x, y in path:
                heights[self._row(x)].append(y)
        for row, found in enumerate(crossings):
            for ys in found.values():
                heights[row] += ys
                heights[row + 1] += ys
        return [(min(ys), max(ys)) for ys in heights]

    def _row(self, x: float) -> int:
        return bisect_left(self.cuts, x)

    def point(self, point: Point) -> Point:
        return self._moved(point, self._row(point[0]))

    def _moved(self, point: Point, row: int) -> Point:
        x, y = point
        return x - self.starts[row] + self.indent[row], y + self.shifts[row]

    def box(self, box: Rect) -> Rect:
        row = self._row((box.left + box.right) / 2)
        (left, top), (right, bottom) = (
            self._moved((box.left, box.top), row),
            self._moved((box.right, box.bottom), row),
        )
        return Rect(left, top, right, bottom)

    def path(self, key: int, path: Path) -> Path:
        first, last = self._row(path[0][0]), self._row(path[-1][0])
        done: tuple[Point, ...] = ()
        for row in range(first, last):
            y = _height(path, self.cuts[row])
            before, path = _divided(path, self.cuts[row])
            done += tuple(self._moved(q, row) for q in before)[1 if done else 0 :]
            done += self._around(row, y, key)[1:]
        return done + tuple(self._moved(q, last) for q in path)[1 if done else 0 :]

    def _around(self, row: int, y: float, key: int) -> Path:
        """From the end of a row round to the beginning of the next; lanes do not cross."""
        lanes = self.lanes[row]
        inner = len(lanes) - 1 - lanes.index(key)  # the lowest edge turns first
        outer = len(lanes) - 1 - inner
        (x0, y0), (x1, y1) = (
            self._moved((self.cuts[row], y), row),
            self._moved((self.cuts[row], y), row + 1),
        )
        out = max(self.right, x0) + 12 + _LANE * inner
        back = x1 - 12 - _LANE * outer
        lane = self.tops[row + 1] - _BETWEEN / 2 - _LANE * (len(lanes) - 1 - inner)
        corners = [(x0, y0), (out, y0), (out, lane), (back, lane), (back, y1), (x1, y1)]
        return _rounded(corners)


def _mean_of(heights: Sequence[float]) -> float:
    return sum(heights) / len(heights)


def _height(path: Path, x: float) -> float:
    return _divided(path, x)[0][-1][1]


def _divided(path: Path, x: float) -> tuple[Path, Path]:
    """A path cut where it first reaches x."""
    k = next(k for k in range(0, len(path) - 1, 3) if path[k + 3][0] >= x)
    low, high = 0.0, 1.0
    bend = path[k : k + 4]
    (a, _), (b, _), (c, _), (d, _) = bend
    for _ in range(30):
        t = (low + high) / 2
        s = 1 - t
        reached = s * s * s * a + 3 * s * s * t * b + 3 * s * t * t * c + t * t * t * d
        low, high = (t, high) if reached < x else (low, t)
    before, after = split(bend, high)
    return path[: k + 1] + before[1:], after + path[k + 4 :]


def _rounded(corners: Sequence[Point]) -> Path:
    """A path along corners, each rounded off."""
    path: list[Point] = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:]):
        enter, leave = _toward(corner, before), _toward(corner, after)
        path.extend(bezier_line(path[-1], enter)[1:])
        path.extend([_mean(enter, corner), _mean(leave, corner), leave])
    path.extend(bezier_line(path[-1], corners[-1])[1:])
    return tuple(path)


def _toward(corner: Point, other: Point) -> Point:
    """A point a corner's radius away from it, or half way, towards another."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(dx), abs(dy), 1e-9)
    step = min(_CORNER, length / 2) / length
    return corner[0] + dx * step, corner[1] + dy * step


def _mean(a: Point, b: Point) -> Point:
    """Nearer to the corner than to the line, as a circle's control point is."""
    return a[0] + (b[0] - a[0]) * 0.55, a[1] + (b[1] - a[1]) * 0.55
