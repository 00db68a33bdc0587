"""Every layout engine that is there gives right pictures: nothing overlaps, arrows meet boxes."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

import autograd_lite as ag
from autograd_lite.errors import DrawError, MissingExtraError
from autograd_lite.picture.drawing import RULE_SIZE, SMALL, block_size, mark_size
from autograd_lite.picture.layout import Plan, dot, place
from autograd_lite.picture.layout.plan import Item, extent, inside
from autograd_lite.picture.layout.routing import split
from autograd_lite.picture.layout.rows import wrap
from autograd_lite.picture.layout.simplex import solve
from autograd_lite.picture.widths import text_width
from tests.layout_corpus import TEXTBOOK, random_graph
from tests.picture_cases import CASES

ENGINES = [
    pytest.param(
        "pygraphviz",
        marks=pytest.mark.skipif(not find_spec("pygraphviz"), reason="pygraphviz not installed"),
    ),
    pytest.param(
        "dot", marks=pytest.mark.skipif(not shutil.which("dot"), reason="no dot on the PATH")
    ),
    "builtin",
]


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]()


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("engine", ENGINES)
def test_structure(engine, direction, case):
    y, options = case
    check(ag.draw(y, layout=engine, direction=direction, **options))


def check(picture):
    plan, placement = picture.plan, picture.placement
    boxes = [extent(i, c, plan.direction) for i, c in zip(plan.items, placement.centers)]
    nothing_overlaps(boxes)
    frames_hold_their_own(plan, boxes, placement.frames)
    edges_meet_their_boxes(plan, boxes, placement)
    edges_avoid_other_boxes(plan, boxes, placement)
    text_fits(picture.drawing, plan, placement)


def nothing_overlaps(boxes):
    for a, b in combinations(boxes, 2):
        apart = max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom)
        assert apart > -0.6, (a, b)


def frames_hold_their_own(plan, boxes, frames):
    for item, box in zip(plan.items, boxes):
        family = inside(plan.frames, item.frame)
        for k, frame in enumerate(frames):
            if k in family:
                assert min(box.left - frame.left, frame.right - box.right) > -0.6
                assert min(box.top - frame.top, frame.bottom - box.bottom) > -0.6
            else:
                assert disjoint(frame, box), (k, frame, box)
    for (j, a), (k, b) in combinations(enumerate(frames), 2):
        related = j in inside(plan.frames, k) or k in inside(plan.frames, j)
        assert related or disjoint(a, b)


def disjoint(a, b):
    return max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom) > -0.6


def edges_meet_their_boxes(plan, boxes, placement):
    for chain, hops in zip(plan.chains, placement.routes):
        for (a, b), path in zip(pairwise(chain), hops):
            assert (len(path) - 1) % 3 == 0
            assert distance_to_border(plan.items[a], boxes[a], path[0]) < 1.0
            assert distance_to_border(plan.items[b], boxes[b], path[-1]) < 1.0


def distance_to_border(item: Item, box, point):
    x, y = point
    if item.kind == "dot":
        return np.hypot(x - (box.left + box.right) / 2, y - (box.top + box.bottom) / 2)
    if item.kind == "round":
        radius = min(box.right - box.left, box.bottom - box.top) / 2
        cx = np.clip(x, box.left + radius, box.right - radius)
        cy = np.clip(y, box.top + radius, box.bottom - radius)
        return abs(np.hypot(x - cx, y - cy) - radius)
    out = max(box.left - x, x - box.right, box.top - y, y - box.bottom)
    if out > 0:
        return out
    return min(abs(x - box.left), abs(x - box.right), abs(y - box.top), abs(y - box.bottom))


def edges_avoid_other_boxes(plan, boxes, placement):
    for chain, hops in zip(plan.chains, placement.routes):
        points = [q for path in hops for q in sampled(path)]
        xs, ys = np.array(points).T
        for k, box in enumerate(boxes):
            if k in chain or plan.items[k].kind == "dot":
                continue
            hit = (xs > box.left + 2) & (xs < box.right - 2)
            hit &= (ys > box.top + 2) & (ys < box.bottom - 2)
            assert not hit.any(), (chain, k, box)


def trespasses(picture):
    """How many edges run through a frame to which neither end belongs."""
    plan, placement = picture.plan, picture.placement
    total = 0
    for chain, hops in zip(plan.chains, placement.routes):
        own = {f for k in chain for f in inside(plan.frames, plan.items[k].frame)}
        xs, ys = np.array([q for path in hops for q in sampled(path)]).T
        for k, frame in enumerate(placement.frames):
            hit = (xs > frame.left + 2) & (xs < frame.right - 2)
            hit &= (ys > frame.top + 2) & (ys < frame.bottom - 2)
            total += k not in own and bool(hit.any())
    return total


def crossings(picture):
    """How often edges cross, seen as lines of short pieces; where edges meet does not count."""
    plan, placement = picture.plan, picture.placement
    lines = [np.array([q for path in hops for q in sampled(path)]) for hops in placement.routes]
    total = 0
    for (j, one), (k, other) in combinations(enumerate(lines), 2):
        ends = {plan.chains[j][0], plan.chains[j][-1]} & {plan.chains[k][0], plan.chains[k][-1]}
        near = [placement.centers[m] for m in ends]
        total += sum(
            all(np.hypot(x - a, y - b) > 30 for a, b in near) for x, y in meetings(one, other)
        )
    return total


def meetings(one, other):
    """The points at which two polylines cross."""
    p, d = one[:-1, None], np.diff(one, axis=0)[:, None]
    q, e = other[None, :-1], np.diff(other, axis=0)[None]
    across = d[..., 0] * e[..., 1] - d[..., 1] * e[..., 0]
    across[across == 0] = np.inf  # parallel
    t = ((q - p)[..., 0] * e[..., 1] - (q - p)[..., 1] * e[..., 0]) / across
    u = ((q - p)[..., 0] * d[..., 1] - (q - p)[..., 1] * d[..., 0]) / across
    hit = np.isfinite(across) & (t >= 0) & (t < 1) & (u >= 0) & (u < 1)
    return (p + t[..., None] * d)[hit]


def sampled(path):
    for k in range(0, len(path) - 1, 3):
        bend = path[k : k + 4]
        yield from (split(bend, t)[0][-1] for t in np.linspace(0, 1, 9))


def text_fits(drawing, plan, placement):
    for mark in drawing.marks:
        if mark.kind != "dot":
            width, _ = mark_size(mark)
            assert text_width(mark.title, 13, bold=True) <= width - 8
            assert text_width(mark.subtitle, SMALL) <= width - 8
    labelled = [edge.label for edge in drawing.edges if edge.label is not None]
    for label, item in zip(labelled, plan.items[len(drawing.marks) :]):
        room = item.length if plan.direction == "LR" else item.before + item.after
        assert block_size(label.value).width <= room
        assert block_size(label.gradient).width <= room
        assert text_width(label.rule, RULE_SIZE) <= room
    for scene, frame in zip(drawing.frames, placement.frames):
        assert text_width(scene.title, 11, bold=True) + 12 <= frame.right - frame.left


@pytest.mark.parametrize("name", TEXTBOOK)
@pytest.mark.parametrize("engine", ENGINES)
def test_textbook_graphs(engine, name):
    check(ag.draw(TEXTBOOK[name](), layout=engine))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("engine", ENGINES)
def test_random_graphs(engine, seed):
    size = 5 + 5 * seed
    options = {"direction": "TB" if seed % 3 == 2 else "LR", "font_size": 8.0 + seed}
    check(ag.draw(random_graph(seed, size), layout=engine, values=seed % 4 != 3, **options))


@pytest.mark.skipif(not find_spec("pygraphviz"), reason="pygraphviz not installed")
def test_the_builtin_layout_is_as_clear_as_graphviz():
    """Over a corpus its edges do not cross more often, nor run through more foreign frames."""
    graphs = [make() for make in TEXTBOOK.values()]
    graphs += [random_graph(seed, 5 + 5 * (seed % 8)) for seed in range(16)]
    ours, theirs = (
        [ag.draw(graph, layout=engine, expand="all") for graph in graphs]
        for engine in ("builtin", "pygraphviz")
    )
    assert sum(map(crossings, ours)) <= sum(map(crossings, theirs))
    assert sum(map(trespasses, ours)) <= sum(map(trespasses, theirs))


@pytest.mark.parametrize("name", [name for name in TEXTBOOK if name != "skips"])
def test_no_edge_runs_through_a_foreign_frame(name):
    assert trespasses(ag.draw(TEXTBOOK[name](), layout="builtin")) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_long_chains_wrap_into_rows(engine):
    x = ag.tensor(1.0, name="x")
    for k in range(25):
        with ag.scope(f"step {k}"):
            x = ag.sin(x) + x
    picture = ag.draw(x, layout=engine)
    check(picture)
    right = max(x for x, _ in picture.placement.centers)
    assert right < 2800
    assert len({round(y, -2) for _, y in picture.placement.centers}) > 2


def test_wrapping_leaves_a_narrow_picture_alone():
    picture = ag.draw(CASES["affine"]()[0], layout="builtin")
    assert wrap(picture.plan, picture.placement) == picture.placement


def test_the_first_operand_stands_above_the_second():
    y, _ = CASES["affine"]()
    for engine in ("builtin", "auto"):
        picture = ag.draw(y, layout=engine)
        height = {
            mark.title: picture.placement.centers[m][1]
            for m, mark in enumerate(picture.drawing.marks)
        }
        assert height["x"] < height["W"]


def test_network_simplex_finds_the_optimum(rng):
    for trial in range(40):
        count = int(rng.integers(2, 25))
        arcs = []
        for _ in range(int(rng.integers(1, 50))):
            a, b = sorted(rng.choice(count, size=2, replace=False).tolist())
            arcs.append((a, b, int(rng.integers(0, 6)), int(rng.integers(0, 5))))
        rank = solve(count, arcs, balance=bool(trial % 2))
        assert all(rank[b] - rank[a] >= least for a, b, least, _ in arcs)
        cost = np.zeros(count)
        for a, b, _, weight in arcs:
            cost[b] += weight
            cost[a] -= weight
        matrix = np.zeros((len(arcs), count))
        for k, (a, b, _, _) in enumerate(arcs):
            matrix[k, a], matrix[k, b] = 1, -1
        best = linprog(
            cost, matrix, [-least for _, _, least, _ in arcs], bounds=[(0, 1000)] * count
        )
        assert cost @ rank == pytest.approx(best.fun)


def test_a_cycle_is_refused():
    with pytest.raises(ValueError, match="cycle"):
        solve(2, [(0, 1, 1, 1), (1, 0, 1, 1)])


def test_an_unknown_engine_is_named():
    with pytest.raises(ag.errors.DrawError, match="no layout engine is called"):
        place(Plan((), ()), "neato")


def test_a_missing_engine_names_the_command(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    y, _ = CASES["affine"]()
    with pytest.raises(MissingExtraError, match="'dot' of Graphviz") as missing:
        ag.draw(y, layout="dot")
    assert "pip install 'autograd-lite[draw]'" in str(missing.value)
    with pytest.raises(MissingExtraError, match="'pygraphviz' is not installed") as missing:
        ag.draw(y, layout="pygraphviz")
    assert "pip install 'autograd-lite[draw]'" in str(missing.value)
    assert ag.draw(y).placement.engine == "builtin"


def test_a_dot_that_hangs_or_fails_is_stopped(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(dot, "_SECONDS", 0.3)
    y, _ = CASES["affine"]()
    for script, message in (
        ("while :; do :; done", "took more than 0.3 s"),
        ("exit 3", r"'dot' failed \(CalledProcessError\)"),
    ):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        with pytest.raises(DrawError, match=message):
            ag.draw(y, layout="dot")


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_lay_out_at_once(engine):
    graphs = [random_graph(seed, 12) for seed in range(4)] * 4
    alone = [ag.draw(graph, layout=engine).svg for graph in graphs[:4]] * 4
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda graph: ag.draw(graph, layout=engine).svg, graphs))
    assert together == alone


DRAWING = """
import sys
import autograd_lite as ag
ag.draw(ag.sin(ag.tensor(1.0)), layout=sys.argv[1])
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_print_nothing(engine):
    """In a process of its own: Fontconfig complains once, when it is first needed."""
    environment = {
        **os.environ,
        "FONTCONFIG_FILE": "/nowhere",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-c", DRAWING, engine],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
