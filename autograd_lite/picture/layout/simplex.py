"""Network simplex: integers for the vertices of a graph that make its edges short in total.

Given edges (tail, head, least length, weight), finds ranks with
``rank[head] - rank[tail] >= least`` that minimise the sum of weight × length. Ranks and
coordinates of the layered layout both come from here. Source: Gansner, Koutsofios, North, Vo,
"A Technique for Drawing Directed Graphs", 1993.
Does not know boxes or pictures. Imports nothing of ours.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

__all__ = ["Arc", "solve"]

Arc = tuple[int, int, int, int]  # tail, head, least length, weight
_SAMPLE = 30  # negative tree edges that are looked at before one leaves the tree
_PIVOTS = 200_000  # more would be a cycle of exchanges that change nothing
_STEPS = 1_000_000  # vertices times exchanges, where there is a place to start from


def solve(
    count: int, arcs: Sequence[Arc], *, balance: bool = False, start: Sequence[int] = ()
) -> list[int]:
    """Ranks of ``count`` vertices, the least being 0.

    ``balance`` moves what may move freely to the middle of its freedom. ``start`` gives places near
    which the first vertices are to be found; with it the work is bounded, and the result is
    feasible but may be longer than need be.

    >>> solve(3, [(0, 1, 1, 1), (1, 2, 1, 1), (0, 2, 1, 1)])
    [0, 1, 2]
    """
    if count == 0:
        return []
    entered = {head for _, head, _, _ in arcs}
    root = [(count, v, 0, 0) for v in range(count) if v not in entered]
    tree = _Tree(count + 1, [*arcs, *root], start)
    pivots = _STEPS // count if start else _PIVOTS
    while pivots and tree.pivot():
        pivots -= 1
    if balance:
        tree.balance()
    rank = tree.rank[:count]
    least = min(rank)
    return [r - least for r in rank]


class _Tree:
    """A spanning tree of tight edges, its cut values, and the ranks that it implies."""

    def __init__(self, count: int, arcs: list[Arc], start: Sequence[int]) -> None:
        self.arcs = arcs
        self.out: list[list[int]] = [[] for _ in range(count)]
        self.into: list[list[int]] = [[] for _ in range(count)]
        for e, (tail, head, _, _) in enumerate(arcs):
            self.out[tail].append(e)
            self.into[head].append(e)
        self.rank = self._longest_paths(count, start)
        self.edges: list[int] = []  # tree edges
        self.near: list[list[int]] = [[] for _ in range(count)]  # tree edges at a vertex
        self.up = [-1] * count  # tree edge to the parent
        self.depth = [0] * count
        self.seen = [0] * count  # the last subtree that was walked through a vertex
        self.walks = 0
        self.cut = [0] * len(arcs)
        self._grow()
        self._cut_values(self._subtree(0))
        self.next = 0

    def _longest_paths(self, count: int, start: Sequence[int]) -> list[int]:
        waiting = [len(edges) for edges in self.into]
        ready = [v for v in range(count) if not waiting[v]]
        rank = [*start, *[0] * (count - len(start))]
        for v in ready:
            for e in self.out[v]:
                _, head, least, _ = self.arcs[e]
                rank[head] = max(rank[head], rank[v] + least)
                waiting[head] -= 1
                if not waiting[head]:
                    ready.append(head)
        if len(ready) < count:
            raise ValueError("the edges make a cycle")
        for v in reversed(ready) if start else ():
            if v >= len(start) and self.out[v]:
                rank[v] = min(rank[self.arcs[e][1]] - self.arcs[e][2] for e in self.out[v])
        return rank

    def _slack(self, e: int) -> int:
        tail, head, least, _ = self.arcs[e]
        return self.rank[head] - self.rank[tail] - least

    def _grow(self) -> None:
        """Grow a tree of tight edges from vertex 0, shifting it where no tight edge leaves it."""
        shift, inside = 0, [False] * len(self.rank)
        leaving: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])

        def add(v: int) -> None:
            inside[v] = True
            self.rank[v] -= shift
            for e in self.out[v]:
                _, head, least, _ = self.arcs[e]
                if not inside[head]:
                    heappush(leaving[0], (self.rank[head] - self.rank[v] - least, e))
            for e in self.into[v]:
                tail, _, least, _ = self.arcs[e]
                if not inside[tail]:
                    heappush(leaving[1], (self.rank[v] - self.rank[tail] - least, e))

        add(0)
        for _ in range(len(self.rank) - 1):
            for side in (0, 1):
                while leaving[side] and inside[self.arcs[leaving[side][0][1]][1 - side]]:
                    heappop(leaving[side])
            ahead = leaving[0][0][0] - shift if leaving[0] else None
            behind = leaving[1][0][0] + shift if leaving[1] else None
            side = 0 if behind is None or (ahead is not None and ahead <= behind) else 1
            key, e = heappop(leaving[side])
            shift = key if side == 0 else -key
            self.edges.append(e)
            for end in self.arcs[e][:2]:
                self.near[end].append(e)
            add(self.arcs[e][1 - side])

    def _subtree(self, v: int) -> list[int]:
        """A vertex and all that hangs from it, parents before children; marks them as seen."""
        self.walks += 1
        arcs, near, up, depth, seen, walk = (
            self.arcs, self.near, self.up, self.depth, self.seen, self.walks,
        )  # fmt: skip
        seen[v] = walk
        found = [v]
        for u in found:
            above, below = up[u], depth[u] + 1
            for e in near[u]:
                if e != above:
                    tail, head, _, _ = arcs[e]
                    child = head if tail == u else tail
                    up[child], depth[child], seen[child] = e, below, walk
                    found.append(child)
        return found

    def _cut_values(self, order: list[int]) -> None:
        for v in reversed(order[1:]):
            e = self.up[v]
            sign = 1 if self.arcs[e][0] == v else -1  # the subtree of v is the tail side, or not
            total = sum(self.arcs[f][3] for f in self.out[v])
            total -= sum(self.arcs[f][3] for f in self.into[v])
            for f in self.near[v]:
                if f != e:
                    total += self.cut[f] if self.arcs[f][1] == v else -self.cut[f]
            self.cut[e] = sign * total

    def _below(self, e: int) -> int:
        """The end of a tree edge that lies farther from the root."""
        tail, head, _, _ = self.arcs[e]
        return tail if self.up[tail] == e else head

    def _above(self, v: int) -> int:
        """The parent of a vertex."""
        tail, head, _, _ = self.arcs[self.up[v]]
        return head if tail == v else tail

    def _entering(self, e: int, members: list[int]) -> int:
        """The tightest edge that may replace ``e``, of the subtree below it; -1 where none can."""
        arcs, rank, seen, walk = self.arcs, self.rank, self.seen, self.walks
        inward = arcs[e][0] == members[0]
        edges, far = (self.into, 0) if inward else (self.out, 1)
        best, closest = -1, 0
        for u in members:
            for f in edges[u]:
                arc = arcs[f]
                if seen[arc[far]] != walk:
                    slack = rank[arc[1]] - rank[arc[0]] - arc[2]
                    if best < 0 or slack < closest:
                        best, closest = f, slack
        return best

    def pivot(self) -> bool:
        """Exchange one tree edge of negative cut value; False at the optimum."""
        place = self._leaving()
        if place < 0:
            return False
        e = self.edges[place]
        members = self._subtree(self._below(e))
        f = self._entering(e, members)
        if f < 0:
            return False
        self._shift(e, members, self._slack(f))
        self._exchange(place, e, f)
        return True

    def _leaving(self) -> int:
        """The place of the most negative tree edge of the next few that are negative, or -1."""
        edges, cut, total = self.edges, self.cut, len(self.edges)
        best, least, found = -1, 0, 0
        for k in range(self.next, self.next + total):
            value = cut[edges[k % total]]
            if value < 0:
                found += 1
                if value < least:
                    best, least = k % total, value
                if found == _SAMPLE:
                    break
        self.next = (k + 1) % total
        return best

    def _shift(self, e: int, members: list[int], by: int) -> None:
        step = -by if self.arcs[e][0] == members[0] else by
        for u in members:
            self.rank[u] += step

    def _exchange(self, place: int, e: int, f: int) -> None:
        """Hang the subtree below ``e`` from ``f`` instead."""
        tail, head, _, _ = self.arcs[f]
        cut = self.cut[e]
        self._raise_cuts(tail, head, cut)
        self.cut[f], self.cut[e] = -cut, 0
        v = tail if self.seen[tail] == self.walks else head
        above = f
        while above != e:  # the way from the new edge to the old one runs upwards now
            parent, self.up[v], above = self._above(v), above, self.up[v]
            v = parent
        self.edges[place] = f
        for end in self.arcs[e][:2]:
            self.near[end].remove(e)
        for end in (tail, head):
            self.near[end].append(f)
        low = self._below(f)
        self.depth[low] = self.depth[self._above(low)] + 1
        self._subtree(low)

    def _raise_cuts(self, tail: int, head: int, cut: int) -> None:
        """Add a cut value along the cycle that an edge closes, from both its ends to the top."""
        arcs, up, depth = self.arcs, self.up, self.depth
        while tail != head:
            from_tail = depth[tail] >= depth[head]
            v = tail if from_tail else head
            e = up[v]
            start, end, _, _ = arcs[e]
            self.cut[e] += cut if (start == v) == from_tail else -cut
            if from_tail:
                tail = end if start == v else start
            else:
                head = end if start == v else start

    def balance(self) -> None:
        """Move every part that may move without cost to the middle of its room."""
        for e in list(self.edges):
            if self.cut[e] == 0:
                members = self._subtree(self._below(e))
                f = self._entering(e, members)
                if f >= 0 and self._slack(f) > 1:
                    self._shift(e, members, self._slack(f) // 2)
