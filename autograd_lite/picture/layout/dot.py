"""Graphviz as a layout engine: in this process through pygraphviz, or a system ``dot``.

Both are handed the same text, made of counters and numbers alone: no word of a user's reaches
Graphviz, and it never measures text. Both answer with JSON, from which coordinates are read.
Imports its siblings and errors.
"""

import json
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from threading import Lock
from typing import Any

from graphviz.backend import execute

from autograd_lite.errors import DrawError, MissingExtraError, require
from autograd_lite.picture.layout.plan import PAD, TITLE, Path, Placement, Plan, Rect, extent
from autograd_lite.picture.layout.routing import bezier_line, clipped, spread_out, within

__all__ = ["with_dot", "with_pygraphviz"]

_ONE_AT_A_TIME = Lock()  # two layouts at once abort the process
_SECONDS = 60
_INCH = 72
_MANY = 600  # items above which Graphviz may stop before the shortest of all edges are found
_EFFORT = 0.3  # iterations, as a share of the number of nodes
Point = tuple[float, float]


def with_pygraphviz(plan: Plan) -> Placement:
    """Lay out through pygraphviz, whose wheels bring Graphviz along."""
    pygraphviz = require("pygraphviz", "draw")
    text = _text(plan)
    with _ONE_AT_A_TIME:
        graph = pygraphviz.AGraph(string=text)
        graph.number_of_nodes = lambda: 0  # above 1,000 it would print a warning
        answer = graph.draw(format="json0", prog="dot")
        graph.close()
    return _read(plan, json.loads(answer), "pygraphviz")


def with_dot(plan: Plan) -> Placement:
    """Lay out through the system's ``dot``."""
    command = ["dot", "-Kdot", "-Tjson0"]
    try:
        done = execute.run_check(
            command,
            input=_text(plan).encode(),
            capture_output=True,
            quiet=True,
            timeout=_SECONDS,
        )
    except execute.ExecutableNotFound as error:
        raise MissingExtraError(
            "the program 'dot' of Graphviz is not on the PATH",
            mend="install Graphviz, or pip install 'autograd-lite[draw]', or layout=\"builtin\"",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise DrawError(
            f"the program 'dot' took more than {_SECONDS} s",
            mend='expand="auto" or layout="builtin"',
        ) from error
    except (subprocess.SubprocessError, OSError) as error:
        raise DrawError(
            f"the program 'dot' failed ({type(error).__name__})", mend='layout="builtin"'
        ) from error
    return _read(plan, json.loads(done.stdout), "dot")


def _text(plan: Plan) -> str:
    rank = "LR" if plan.direction == "LR" else "TB"
    limit = f" nslimit={_EFFORT}" if len(plan.items) > _MANY else ""
    room = f"nodesep={14 / _INCH:.4f} ranksep={26 / _INCH:.4f}"
    lines = [
        f"digraph g {{ graph [rankdir={rank} {room}{limit}]",
        'node [shape=box fixedsize=true label=""] edge [dir=none]',
    ]
    held: dict[int, list[str]] = defaultdict(list)
    for k, item in enumerate(plan.items):
        held[item.frame].append(_node(plan, k))
    for k, frame in enumerate(plan.frames):
        held[frame.parent].append(f"@{k}")
    lines += _block(plan, held, -1)
    lines += _edges(plan)
    return "\n".join([*lines, "}"])


def _node(plan: Plan, k: int) -> str:
    item = plan.items[k]
    reach = 2 * max(item.before, item.after)
    size = (item.length, reach) if plan.direction == "LR" else (reach, item.length)
    width, height = (f"{side / _INCH:.4f}" for side in size)
    shape = " shape=circle" if item.kind == "dot" else ""
    return f"{k} [width={width} height={height}{shape}]"


def _block(plan: Plan, held: Mapping[int, Sequence[str]], frame: int) -> list[str]:
    """The statements of a frame, frames inside it included; the depth is that of the scopes."""
    lines: list[str] = []
    for statement in held[frame]:
        if not statement.startswith("@"):
            lines.append(statement)
            continue
        inner = int(statement[1:])
        width = max(1, round(plan.frames[inner].title))
        # A table of a fixed size holds the room of the title free; there is no text to measure.
        label = (
            f'<<TABLE FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{TITLE - 6}" BORDER="0">'
            "<TR><TD></TD></TR></TABLE>>"
        )
        lines.append(f"subgraph cluster_{inner} {{ graph [margin={PAD} label={label}]")
        lines += [*_block(plan, held, inner), "}"]
    return lines


def _edges(plan: Plan) -> list[str]:
    fan_in: dict[int, int] = defaultdict(int)
    for chain in plan.chains:
        fan_in[chain[-1]] += 1
    fed = {chain[-1] for chain in plan.chains}
    tail, head = ("e", "w") if plan.direction == "LR" else ("s", "n")
    lines, k = [], 0
    for chain in plan.chains:
        weight = 6 if chain[0] in fed else 2
        for a, b in pairwise(chain):
            attributes = [f"id={k}", f"weight={weight}"]
            if plan.items[a].kind != "dot":
                attributes.append(f"tailport={tail}")
            if plan.items[b].kind == "round" and fan_in[b] > 1:
                attributes.append("headclip=false")
            elif plan.items[b].kind != "dot":
                attributes.append(f"headport={head}")
            lines.append(f"{a} -> {b} [{' '.join(attributes)}]")
            k += 1
    return lines


def _read(plan: Plan, answer: Mapping[str, Any], engine: str) -> Placement:
    height = float(answer["bb"].split(",")[3])

    def point(text: str) -> Point:
        x, y = text.split(",")
        return float(x), height - float(y)

    centers: dict[int, Point] = {}
    frames: dict[int, Rect] = {}
    for thing in answer.get("objects", ()):
        name = thing["name"]
        if name.startswith("cluster_"):
            left, low, right, high = map(float, thing["bb"].split(","))
            frames[int(name[8:])] = Rect(left, height - high, right, height - low)
        elif "pos" in thing:
            centers[int(name)] = point(thing["pos"])
    paths = {
        int(edge["id"]): tuple(point(text) for text in edge["pos"].split())
        for edge in answer.get("edges", ())
    }
    hops = [hop for chain in plan.chains for hop in pairwise(chain)]
    spread = _spread(plan, hops, centers)
    ended = iter(_ended(plan, paths[k], a, b, centers, spread[k]) for k, (a, b) in enumerate(hops))
    routes = [tuple(next(ended) for _ in pairwise(chain)) for chain in plan.chains]
    return Placement(
        engine,
        tuple(centers[k] for k in range(len(plan.items))),
        tuple(routes),
        tuple(frames[k] for k in range(len(plan.frames))),
    )


def _spread(
    plan: Plan, hops: Sequence[tuple[int, int]], centers: Mapping[int, Point]
) -> list[tuple[float, float]]:
    """How far each hop leaves and enters beside the middle of a box's side, across.

    Graphviz sends all to the middle.
    """
    axis = 1 if plan.direction == "LR" else 0
    shifts = [[0.0, 0.0] for _ in hops]
    for end in (0, 1):
        meeting: dict[int, list[int]] = defaultdict(list)
        for k, hop in enumerate(hops):
            if plan.items[hop[end]].kind == "box":
                meeting[hop[end]].append(k)
        for box, edges in meeting.items():
            falls = {k: centers[hops[k][1 - end]][axis] - centers[box][axis] for k in edges}
            edges.sort(key=lambda k: falls[k])
            offsets = spread_out([falls[k] for k in edges], plan.items[box])
            for k, offset in zip(edges, offsets):
                shifts[k][end] = offset
    return [(leave, enter) for leave, enter in shifts]


def _ended(
    plan: Plan,
    path: Path,
    a: int,
    b: int,
    centers: Mapping[int, Point],
    spread: tuple[float, float],
) -> Path:
    """A path with its ends exactly on the borders of what it joins."""
    points = list(path)
    points[0] = _nearest(plan, a, centers[a], path[0])
    target, box = plan.items[b], extent(plan.items[b], centers[b], plan.direction)
    if target.kind == "round" and within(path[-1], box):
        points[1:] = clipped(path, box)[1:]
    else:
        points[-1] = _nearest(plan, b, centers[b], path[-1])
    if target.kind == "box" and spread[1] and plan.items[a].kind == "label":
        return _own_bend(plan, points[0], a, b, centers, spread[1])
    for place, shift in ((0, spread[0]), (1, spread[0]), (-2, spread[1]), (-1, spread[1])):
        x, y = points[place]
        points[place] = (x, y + shift) if plan.direction == "LR" else (x + shift, y)
    return tuple(points)


def _own_bend(
    plan: Plan, start: Point, a: int, b: int, centers: Mapping[int, Point], shift: float
) -> Path:
    """From a label into a box, beside the middle of its side, bending between the two ranks.

    Several paths of Graphviz's own that end side by side would cross.
    """
    along, across = (0, 1) if plan.direction == "LR" else (1, 0)
    ends = [centers[k][along] for k in (a, b)]
    reach = [
        max(
            item.length / 2 for k, item in enumerate(plan.items) if abs(centers[k][along] - end) < 1
        )
        for end in ends
    ]
    leave, enter = ends[0] + reach[0], ends[1] - reach[1]
    port = (ends[1] - plan.items[b].length / 2, centers[b][across] + shift)
    level = start[across]
    middle = (leave + enter) / 2
    path = bezier_line((start[along], level), (leave, level))
    path += ((middle, level), (middle, port[1]), (enter, port[1]))
    path += bezier_line((enter, port[1]), port)[1:]
    return path if plan.direction == "LR" else tuple((y, x) for x, y in path)


def _nearest(plan: Plan, k: int, center: Point, end: Point) -> Point:
    """An end moved onto the border: Graphviz leaves it up to a pixel away."""
    item = plan.items[k]
    if item.kind == "dot":
        return center
    box = extent(item, center, plan.direction)
    if plan.direction == "LR":
        return (box.left if end[0] < center[0] else box.right), center[1]
    return center[0], (box.top if end[1] < center[1] else box.bottom)
