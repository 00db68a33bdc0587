"use strict";
/* The picture as elements: fragments that Python drew are cloned and placed; edges and frames are
   drawn between and around them. Text of the graph enters by textContent alone. */

const SVG = "http://www.w3.org/2000/svg";

const MANY = 400; // marks above which speed counts more than the last pixel

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const shown = (number) => String(Math.round(number * 10) / 10);
const pair = ([x, y]) => `${shown(x)},${shown(y)}`;

class Canvas {
  constructor(root, fragments, data) {
    this.root = root;
    this.fragments = fragments;
    this.data = data;
    this.layer = svg("g");
    root.append(this.layer);
    this.marks = new Map(); // key → element
    this.edges = []; // {edge, element, above, beneath}
    this.bounds = { left: 0, top: 0, right: 1, bottom: 1 };
  }

  clone(fragment) {
    const copy = document.importNode(this.fragments[fragment], true);
    // Fitting a line into a length costs a browser more than all else about it.
    if (this.many) copy.querySelectorAll("[textLength]").forEach((t) => t.removeAttribute("textLength"));
    return copy;
  }

  /** Show a view at a placement. */
  render(view, plan, placement) {
    this.many = view.marks.length > MANY;
    this.marks.clear();
    this.edges = [];
    this.centers = new Map(view.marks.map((mark, m) => [mark.key, placement.centers[m]]));
    const frames = view.frames.map((group, f) => this.frame(group, placement.frames[f]));
    const entering = new Map();
    view.edges.forEach((edge, e) => {
      if (!entering.has(edge.target)) entering.set(edge.target, []);
      entering.get(edge.target).push(e);
    });
    const body = view.marks.flatMap((mark, m) => [
      ...(entering.get(mark.key) || []).map((e) =>
        this.edge(view.edges[e], plan.chains[e], placement.routes[e], plan, placement)),
      this.mark(mark, placement.centers[m]),
    ]);
    this.layer.replaceChildren(...frames, ...body);
    this.bounds = boundsOf(plan, placement);
  }

  frame(group, { left, top, right, bottom }) {
    const { title } = this.data.groups[group];
    const caption = svg("text", { class: "cap", x: shown(left + 10), y: shown(top + 16) });
    caption.textContent = `⊟ ${title}`;
    const width = shown(right - left);
    const height = shown(bottom - top);
    const element = svg("g", {
      class: "layer fold-handle", role: "button", tabindex: "0", "aria-expanded": "true",
      "aria-label": `Layer ${title}: fold`, "data-key": `g${group}`,
    },
    svg("rect", { class: "frame", x: shown(left), y: shown(top), width, height, rx: 10 }),
    svg("rect", {
      class: "tab", x: shown(left), y: shown(top), rx: 10, height: TITLE + 5,
      width: this.data.groups[group].caption,
    }),
    caption);
    this.marks.set(`frame${group}`, element);
    return element;
  }

  mark(mark, [x, y]) {
    const body = mark.kind === "dot"
      ? svg("g", { class: `dot ${mark.emphasis}` }, svg("circle", { class: "body", r: 4 }))
      : this.clone(mark.fragment);
    body.querySelector("title")?.remove();
    const folds = mark.kind === "fold" && mark.key[0] === "g";
    const element = svg("g", {
      class: `mark ${folds ? "fold-handle" : ""}`, transform: `translate(${pair([x, y])})`,
      "data-key": mark.key, role: "button", "aria-label": mark.about,
    }, body);
    if (mark.kind === "dot") {
      element.setAttribute("role", "graphics-symbol");
    } else {
      element.setAttribute("tabindex", "0");
    }
    if (folds) element.setAttribute("aria-expanded", "false");
    for (const name of ["id", "role", "aria-label"]) body.removeAttribute(name);
    this.marks.set(mark.key, element);
    return element;
  }

  edge(edge, chain, hops, plan, placement) {
    const element = svg("g", { class: `edge ${edge.emphasis}`, "data-edge": this.edges.length });
    const lines = edge.emphasis === "strong" ? ["reach", "glow", "fwd"] : ["reach", "fwd"];
    element.append(...lines.map((line) => svg("path", { class: line, d: pathData(hops) })));
    const last = hops[hops.length - 1];
    if (edge.target[0] !== "d") {
      element.append(arrowhead("ah", last[last.length - 1], tangent(last), 8, 3.4));
    }
    const parts = { edge, element, above: null, beneath: null };
    if (chain.length > 2) {
      const half = plan.items[chain[1]].length / 2;
      const at = { transform: `translate(${pair(placement.centers[chain[1]])})` };
      if (edge.above) parts.above = svg("g", at, this.clone(edge.above[0]));
      if (edge.backward) {
        parts.beneath = svg("g", at, ...backwardArrow(half, plan.direction));
        if (edge.beneath) parts.beneath.append(this.clone(edge.beneath[0]));
        if (edge.meeting > 1) countPaths(parts.beneath, edge.meeting);
      }
      element.append(...[parts.above, parts.beneath].filter(Boolean));
    }
    this.edges.push(parts);
    return element;
  }
}

/** A sum says how many gradients meet in this view. */
function countPaths(label, meeting) {
  const rule = label.querySelector("text.r");
  if (rule) rule.textContent = rule.textContent.replace(/\d+/, String(meeting));
}

function backwardArrow(half, direction) {
  const turned = direction === "LR" ? ([x, y]) => [x, y] : ([x, y]) => [y, x];
  const line = [[half - 5, 5], [8 - half, 5]].map(turned);
  const tip = turned([3 - half, 5]);
  return [
    svg("path", { class: "bwd", d: `M${pair(line[0])} L${pair(line[1])}` }),
    arrowhead("bh", tip, turned([-1, 0]), 7, 3),
  ];
}

function arrowhead(name, [x, y], [ux, uy], length, half) {
  const [bx, by] = [x - length * ux, y - length * uy];
  const corners = [[x, y], [bx - half * uy, by + half * ux], [bx + half * uy, by - half * ux]];
  return svg("polygon", { class: name, points: corners.map(pair).join(" ") });
}

/** The hops of an edge as one path, straight through the label between them. */
function pathData(hops) {
  const parts = [];
  hops.forEach((path, h) => {
    parts.push(`${h ? "L" : "M"}${pair(path[0])}`);
    for (let k = 1; k + 2 < path.length; k += 3) {
      parts.push(`C${pair(path[k])} ${pair(path[k + 1])} ${pair(path[k + 2])}`);
    }
  });
  return parts.join(" ");
}

function tangent(path) {
  const [ex, ey] = path[path.length - 1];
  for (let k = path.length - 2; k >= 0; k -= 1) {
    const [dx, dy] = [ex - path[k][0], ey - path[k][1]];
    const length = Math.hypot(dx, dy);
    if (length > 0.5) return [dx / length, dy / length];
  }
  return [1, 0];
}

function boundsOf(plan, placement) {
  const boxes = [
    ...plan.items.map((item, k) => extentOf(item, placement.centers[k], plan.direction)),
    ...placement.frames,
  ];
  const points = placement.routes.flat(2);
  const low = (side, axis) =>
    [...boxes.map((box) => box[side]), ...points.map((p) => p[axis])].reduce((a, b) => Math.min(a, b));
  const high = (side, axis) =>
    [...boxes.map((box) => box[side]), ...points.map((p) => p[axis])].reduce((a, b) => Math.max(a, b));
  return { left: low("left", 0), top: low("top", 1), right: high("right", 0), bottom: high("bottom", 1) };
}
