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


def solve(count: int, arcs: Sequence[Arc], *, balance: bool = False, pivots: int = 0) -> list[int]:
    """Ranks of ``count`` vertices, the least being 0.

    ``balance`` moves what may move freely to the middle of its freedom. ``pivots`` bounds the work
    (0: a bound from the size); a result cut short is feasible, only longer than need be.

    >>> solve(3, [(0, 1, 1, 1), (1, 2, 1, 1), (0, 2, 1, 1)])
    [0, 1, 2]
    """
    if count == 0:
        return []
    entered = {head for _, head, _, _ in arcs}
    root = [(count, v, 0, 0) for v in range(count) if v not in entered]
    tree = _Tree(count + 1, [*arcs, *root])
    for _ in range(pivots or 50 + 4_000_000 // (count + 1)):
        if not tree.pivot():
            break
    if balance:
        tree.balance()
    rank = tree.rank[:count]
    least = min(rank)
    return [r - least for r in rank]


class _Tree:
    """A spanning tree of tight edges, its cut values, and the ranks that it implies."""

    def __init__(self, count: int, arcs: list[Arc]) -> None:
        self.arcs = arcs
        self.out: list[list[int]] = [[] for _ in range(count)]
        self.into: list[list[int]] = [[] for _ in range(count)]
        for e, (tail, head, _, _) in enumerate(arcs):
            self.out[tail].append(e)
            self.into[head].append(e)
        self.rank = self._longest_paths(count)
        self.edges: list[int] = []  # tree edges
        self.near: list[list[int]] = [[] for _ in range(count)]  # tree edges at a vertex
        self.up = [-1] * count  # tree edge to the parent
        self.low, self.lim = [-1] * count, [0] * count
        self.cut = [0] * len(arcs)
        self._grow()
        self.order = self._number(0, 1)
        self._cut_values()
        self.next = 0

    def _longest_paths(self, count: int) -> list[int]:
        waiting = [len(edges) for edges in self.into]
        ready = [v for v in range(count) if not waiting[v]]
        rank = [0] * count
        for v in ready:
            for e in self.out[v]:
                _, head, least, _ = self.arcs[e]
                rank[head] = max(rank[head], rank[v] + least)
                waiting[head] -= 1
                if not waiting[head]:
                    ready.append(head)
        if len(ready) < count:
            raise ValueError("the edges make a cycle")
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

    def _number(self, root: int, first: int) -> list[int]:
        """Postorder numbers of a subtree (``low`` and ``lim``); returns its vertices in order."""
        order: list[int] = []
        stack = [(root, iter(self.near[root]))]
        self.low[root] = count = first
        while stack:
            v, edges = stack[-1]
            for e in edges:
                if e != self.up[v]:
                    tail, head, _, _ = self.arcs[e]
                    child = head if tail == v else tail
                    if self.up[child] == e and self.low[child] == count:
                        count = self.lim[child] + 1  # nothing changed in there
                        continue
                    self.up[child] = e
                    self.low[child] = count
                    stack.append((child, iter(self.near[child])))
                    break
            else:
                self.lim[v] = count
                count += 1
                order.append(v)
                stack.pop()
        return order

    def _cut_values(self) -> None:
        for v in self.order[:-1]:
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
        return tail if self.lim[tail] < self.lim[head] else head

    def _subtree(self, v: int) -> list[int]:
        found = [v]
        for u in found:
            for e in self.near[u]:
                if e != self.up[u]:
                    tail, head, _, _ = self.arcs[e]
                    found.append(head if tail == u else tail)
        return found

    def _entering(self, e: int, members: list[int]) -> int:
        """The tightest edge that may replace ``e``; -1 where none can."""
        v = self._below(e)
        low, lim = self.low[v], self.lim[v]
        inward = self.arcs[e][0] == v
        best, least = -1, 0
        for u in members:
            for f in self.into[u] if inward else self.out[u]:
                other = self.arcs[f][0 if inward else 1]
                if not low <= self.lim[other] <= lim:
                    slack = self._slack(f)
                    if best < 0 or slack < least:
                        best, least = f, slack
        return best

    def pivot(self) -> bool:
        """Exchange one tree edge of negative cut value; False at the optimum."""
        total = len(self.edges)
        place = next(
            (
                (self.next + k) % total
                for k in range(total)
                if self.cut[self.edges[(self.next + k) % total]] < 0
            ),
            -1,
        )
        if place < 0:
            return False
        self.next = place
        e = self.edges[place]
        members = self._subtree(self._below(e))
        f = self._entering(e, members)
        if f < 0:
            return False
        self._shift(e, members, self._slack(f))
        self._exchange(place, e, f)
        return True

    def _shift(self, e: int, members: list[int], by: int) -> None:
        step = -by if self.arcs[e][0] == members[0] else by
        for u in members:
            self.rank[u] += step

    def _exchange(self, place: int, e: int, f: int) -> None:
        cut = self.cut[e]
        tail, head, _, _ = self.arcs[f]
        meet = self._raise_cuts(tail, head, cut, True)
        self._raise_cuts(head, tail, cut, False)
        first = self.low[meet]
        self._forget(tail, meet)
        self._forget(head, meet)
        self.cut[f], self.cut[e] = -cut, 0
        self.edges[place] = f
        for end in self.arcs[e][:2]:
            self.near[end].remove(e)
        for end in (tail, head):
            self.near[end].append(f)
        self._number(meet, first)

    def _forget(self, v: int, meet: int) -> None:
        """Mark the vertices on the way up to ``meet``: what hangs from them changes."""
        while v != meet:
            self.low[v] = -1
            tail, head, _, _ = self.arcs[self.up[v]]
            v = head if tail == v else tail

    def _raise_cuts(self, v: int, other: int, cut: int, along: bool) -> int:
        while not self.low[v] <= self.lim[other] <= self.lim[v]:
            e = self.up[v]
            tail, head, _, _ = self.arcs[e]
            self.cut[e] += cut if (tail == v) == along else -cut
            v = head if tail == v else tail
        return v

    def balance(self) -> None:
        """Move every part that may move without cost to the middle of its room."""
        for e in list(self.edges):
            if self.cut[e] == 0:
                members = self._subtree(self._below(e))
                f = self._entering(e, members)
                if f >= 0 and self._slack(f) > 1:
                    self._shift(e, members, self._slack(f) // 2)
