"""A large coordinate problem solved portion by portion, for network simplex to begin from.

Simplex takes time with the square of a graph's size; a long graph is many short ones side by side.
Knows vertices as numbers and the portions that they stand in. Imports its siblings.
"""

from collections.abc import Collection, Sequence

from autograd_lite.picture.layout.simplex import Arc, solve

__all__ = ["Pull", "pulled", "solve_in_portions"]

Pull = tuple[int, int, int]  # two vertices that should lie on one line, and how much


def pulled(count: int, arcs: Sequence[Arc], pulls: Sequence[Pull]) -> tuple[int, list[Arc]]:
    """Pulls as arcs: each is a vertex of its own before both; how many vertices that makes."""
    found = list(arcs)
    for k, (a, b, weight) in enumerate(pulls):
        found += [(count + k, a, 0, weight), (count + k, b, 0, weight)]
    return count + len(pulls), found


def solve_in_portions(
    where: Sequence[Collection[int]], arcs: Sequence[Arc], pulls: Sequence[Pull], portions: int
) -> list[int]:
    """Coordinates that suit every portion by itself, each moved to suit those before it.

    ``where`` tells in which portions a vertex stands; one that stands in several has the place
    that the last gives it. Arcs between portions may be broken.
    """
    place = [0] * len(where)
    members: list[list[int]] = [[] for _ in range(portions)]
    for v, among in enumerate(where):
        for portion in among:
            members[portion].append(v)
    near: list[list[Pull]] = [[] for _ in where]
    for pull in pulls:
        for v in pull[:2]:
            near[v].append(pull)
    edges: list[list[Arc]] = [[] for _ in where]
    for arc in arcs:
        edges[arc[0]].append(arc)
    done: set[int] = set()
    for vertices in members:
        at = {v: k for k, v in enumerate(vertices)}
        own = [(at[a], at[b], n, w) for v in vertices for a, b, n, w in edges[v] if b in at]
        mine = {pull for v in vertices for pull in near[v]}
        inner = sorted((at[a], at[b], w) for a, b, w in mine if a in at and b in at)
        found = solve(*pulled(len(vertices), own, inner), balance=True)
        steps = []
        for a, b, weight in mine:
            if a in done and b in at and b not in done:
                steps.append((place[a] - found[at[b]], weight))
            elif b in done and a in at and a not in done:
                steps.append((place[b] - found[at[a]], weight))
        shift = _median(steps)
        for v, k in at.items():
            place[v] = found[k] + shift
        done.update(vertices)
    least = min(place, default=0)
    return [y - least for y in place]


def _median(weighted: Sequence[tuple[int, int]]) -> int:
    half = sum(weight for _, weight in weighted) / 2
    for value, weight in sorted(weighted):
        half -= weight
        if half <= 0:
            return value
    return 0
