"use strict";
/* A view becomes coordinates. Graphviz, compiled to WebAssembly, computes them; it is handed counters
   and sizes alone, no text. A label is a box in the middle of its edge. Knows no elements. */

const INCH = 72;
const PAD = 12; // between a frame and what it holds
const TITLE = 18; // height of a frame's title
const LARGE = 600; // boxes above which Graphviz is told to search less

const even = (size) => 2 * Math.ceil(size / 2);

/** Boxes and chains of a view: the marks first, then the labels. */
function planOf(view, direction, captions) {
  const place = new Map(view.frames.map((group, f) => [group, f]));
  const frameOf = (group) => (place.has(group) ? place.get(group) : -1);
  const kinds = { op: "round", dot: "dot" };
  const items = view.marks.map((mark) => ({
    kind: kinds[mark.kind] || "box",
    length: mark.length, before: mark.reach / 2, after: mark.reach / 2,
    frame: frameOf(mark.frame),
  }));
  const number = new Map(view.marks.map((mark, m) => [mark.key, m]));
  const chains = view.edges.map((edge) => {
    const ends = [number.get(edge.source), number.get(edge.target)];
    if (!edge.above && !edge.backward) return ends;
    const [, over, before] = edge.above || [0, 0, 6];
    const [, under, after] = edge.beneath || [0, 0, 8];
    const length = even(Math.max(over, under, 18) + (direction === "LR" ? 18 : 8));
    items.push({ kind: "label", length, before, after, frame: frameOf(edge.frame) });
    return [ends[0], items.length - 1, ends[1]];
  });
  const frames = captions.map(({ parent, width }) => ({ parent: frameOf(parent), width }));
  return { items, chains, frames, direction };
}

class Layout {
  static async load() {
    return new Layout(await globalThis.loadGraphviz());
  }

  constructor(graphviz) {
    this.graphviz = graphviz;
  }

  /** Centres of the boxes, paths of the chains (one per hop, each a run of cubics), frames. */
  place(plan) {
    if (!plan.items.length) return { centers: [], routes: [], frames: [] };
    return placementOf(plan, JSON.parse(this.graphviz.layout(dotText(plan), "json0", "dot")));
  }
}

/** A table of a fixed size holds the room of a title free; there is no text to measure. */
function exactRoom(width) {
  const size = `WIDTH="${Math.max(1, Math.round(width))}" HEIGHT="${TITLE - 6}"`;
  return `<<TABLE FIXEDSIZE="TRUE" ${size} BORDER="0"><TR><TD></TD></TR></TABLE>>`;
}

/** The same by letters of a known width: hundreds of tables would take longer than all the rest. */
const roughRoom = (width) => `"${"n".repeat(Math.ceil(width / 6))}"`;

function dotText(plan) {
  const inches = (pixels) => (pixels / INCH).toFixed(4);
  const large = plan.items.length > LARGE;
  const limits = large ? "nslimit=0.05 nslimit1=0.1 mclimit=0.1 fontname=Courier fontsize=10" : "";
  const held = new Map([[-1, []]]);
  plan.frames.forEach((_, f) => held.set(f, []));
  plan.items.forEach((item, k) => {
    const reach = 2 * Math.max(item.before, item.after);
    const [width, height] = plan.direction === "LR" ? [item.length, reach] : [reach, item.length];
    const shape = item.kind === "dot" ? " shape=circle" : "";
    held.get(item.frame).push(`${k} [width=${inches(width)} height=${inches(height)}${shape}]`);
  });
  const block = (f) => [
    ...held.get(f),
    ...plan.frames.flatMap((frame, inner) => {
      if (frame.parent !== f) return [];
      const room = large ? roughRoom(frame.width) : exactRoom(frame.width);
      return [`subgraph cluster_${inner} { graph [margin=${PAD} label=${room}]`, ...block(inner), "}"];
    }),
  ];
  return [
    `digraph g { graph [rankdir=${plan.direction} nodesep=${inches(14)} ranksep=${inches(26)} ${limits}]`,
    'node [shape=box fixedsize=true label=""] edge [dir=none]',
    ...block(-1),
    ...dotEdges(plan),
    "}",
  ].join("\n");
}

const hopsOf = (plan) =>
  plan.chains.flatMap((chain) => chain.slice(1).map((b, k) => [chain[k], b, chain]));

function dotEdges(plan) {
  const entering = new Map();
  for (const chain of plan.chains) {
    const end = chain[chain.length - 1];
    entering.set(end, (entering.get(end) || 0) + 1);
  }
  const [tail, head] = plan.direction === "LR" ? ["e", "w"] : ["s", "n"];
  return hopsOf(plan).map(([a, b, chain], k) => {
    const from = plan.items[a];
    const to = plan.items[b];
    const attributes = [`id=${k}`, `weight=${entering.has(chain[0]) ? 6 : 2}`];
    if (from.kind !== "dot") attributes.push(`tailport=${tail}`);
    if (to.kind === "round" && entering.get(b) > 1) attributes.push("headclip=false");
    else if (to.kind !== "dot") attributes.push(`headport=${head}`);
    return `${a} -> ${b} [${attributes.join(" ")}]`;
  });
}

function placementOf(plan, answer) {
  const height = Number(answer.bb.split(",")[3]);
  const point = (text) => {
    const [x, y] = text.split(",").map(Number);
    return [x, height - y];
  };
  const centers = [];
  const frames = [];
  for (const { name, bb, pos } of answer.objects || []) {
    if (name.startsWith("cluster_")) {
      const [left, low, right, high] = bb.split(",").map(Number);
      frames[Number(name.slice(8))] = { left, top: height - high, right, bottom: height - low };
    } else if (pos) {
      centers[Number(name)] = point(pos);
    }
  }
  const paths = [];
  for (const { id, pos } of answer.edges || []) paths[Number(id)] = pos.split(" ").map(point);
  const hops = hopsOf(plan);
  const spread = spreadEnds(plan, hops, centers);
  const ended = hops.map(([a, b], k) => onBorders(plan, paths[k], a, b, centers, spread[k]));
  let next = 0;
  const routes = plan.chains.map((chain) => ended.slice(next, (next += chain.length - 1)));
  return { centers, routes, frames };
}

function extentOf(item, [x, y], direction) {
  const half = item.length / 2;
  return direction === "LR"
    ? { left: x - half, top: y - item.before, right: x + half, bottom: y + item.after }
    : { left: x - item.before, top: y - half, right: x + item.after, bottom: y + half };
}

/** How far each hop leaves and enters beside the middle of a box's side: Graphviz sends all there. */
function spreadEnds(plan, hops, centers) {
  const axis = plan.direction === "LR" ? 1 : 0;
  const shifts = hops.map(() => [0, 0]);
  for (const end of [0, 1]) {
    const meeting = new Map();
    hops.forEach((hop, k) => {
      if (plan.items[hop[end]].kind !== "box") return;
      if (!meeting.has(hop[end])) meeting.set(hop[end], []);
      meeting.get(hop[end]).push(k);
    });
    for (const [box, edges] of meeting) {
      const fall = (k) => centers[hops[k][1 - end]][axis] - centers[box][axis];
      edges.sort((a, b) => fall(a) - fall(b));
      const straight = edges.findIndex((k) => Math.abs(fall(k)) < 1);
      const middle = straight >= 0 ? straight : (edges.length - 1) / 2;
      const most = Math.max(middle, edges.length - 1 - middle, 1);
      const step = Math.min((plan.items[box].before - 8) / most, 14);
      edges.forEach((k, at) => { shifts[k][end] = (at - middle) * step; });
    }
  }
  return shifts;
}

/** A path with its ends exactly on the borders of what it joins. */
function onBorders(plan, path, a, b, centers, [leave, enter]) {
  const points = path.map((p) => [...p]);
  const target = plan.items[b];
  const box = extentOf(target, centers[b], plan.direction);
  points[0] = nearest(plan, a, centers[a], path[0]);
  if (target.kind === "round" && within(path[path.length - 1], box)) {
    points.splice(1, points.length, ...clipped(path, box).slice(1));
  } else {
    points[points.length - 1] = nearest(plan, b, centers[b], path[path.length - 1]);
  }
  const across = plan.direction === "LR" ? 1 : 0;
  const last = points.length - 1;
  for (const [at, shift] of [[0, leave], [1, leave], [last - 1, enter], [last, enter]]) {
    points[at][across] += shift;
  }
  return points;
}

function nearest(plan, k, [x, y], [ex, ey]) {
  if (plan.items[k].kind === "dot") return [x, y];
  const box = extentOf(plan.items[k], [x, y], plan.direction);
  if (plan.direction === "LR") return [ex < x ? box.left : box.right, y];
  return [x, ey < y ? box.top : box.bottom];
}

/** Whether a point lies in the stadium that fills a box. */
function within([px, py], box) {
  const radius = Math.min(box.right - box.left, box.bottom - box.top) / 2;
  const x = Math.max(box.left + radius, Math.min(box.right - radius, px));
  const y = Math.max(box.top + radius, Math.min(box.bottom - radius, py));
  return (px - x) ** 2 + (py - y) ** 2 < radius * radius;
}

/** A path that runs into a circle or stadium, cut where it meets the border. */
function clipped(path, box) {
  const bends = [];
  for (let k = 0; k + 3 < path.length; k += 3) bends.push(path.slice(k, k + 4));
  while (bends.length > 1 && within(bends[bends.length - 1][0], box)) bends.pop();
  const bend = bends.pop();
  let [low, high] = [0, 1];
  for (let k = 0; k < 20; k += 1) {
    const middle = (low + high) / 2;
    if (within(front(bend, middle)[3], box)) high = middle;
    else low = middle;
  }
  return [path[0], ...[...bends, front(bend, low)].flatMap((one) => one.slice(1))];
}

/** The part of a cubic before a parameter (de Casteljau). */
function front(bend, t) {
  const mix = (p, q) => [p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t];
  const found = [bend[0]];
  for (let points = bend; points.length > 1; ) {
    points = points.slice(1).map((q, k) => mix(points[k], q));
    found.push(points[0]);
  }
  return found;
}
