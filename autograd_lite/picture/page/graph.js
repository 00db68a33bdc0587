"use strict";
/* Which groups are open, and what is visible then: marks, edges between them, frames around them.
   Knows the data of the page; no coordinates and no elements. */

class Graph {
  constructor(data) {
    this.data = data;
    this.paths = data.atoms.map((atom) => this.pathOf(atom.group));
    this.open = new Set(data.groups.flatMap((group, g) => (group.open ? [g] : [])));
    this.readers = data.atoms.map(() => []);
    for (const value of data.values) {
      for (const ending of value.endings) this.readers[value.atom].push(ending.atom);
    }
  }

  /** The groups from the outermost to one. */
  pathOf(group) {
    const path = [];
    for (let g = group; g >= 0; g = this.data.groups[g].parent) path.unshift(g);
    return path;
  }

  /** The key of the mark that shows each atom: "a3" is an atom, "g1" a folded group. */
  homes(open = this.open) {
    const homes = this.paths.map((path, a) => {
      const closed = path.find((g) => !open.has(g));
      return closed === undefined ? `a${a}` : `g${closed}`;
    });
    if (!this.data.absorbs) return homes;
    return homes.map((home, a) => {
      if (!["parameter", "constant"].includes(this.data.atoms[a].kind)) return home;
      const readers = new Set(this.readers[a].map((reader) => homes[reader]));
      const [only] = readers;
      return readers.size === 1 && only.startsWith("g") ? only : home;
    });
  }

  /** What is visible. `stuck` holds groups that cannot be folded, since a value leaves them and
      comes back; then there is no order. */
  view(open = this.open) {
    const homes = this.homes(open);
    const marks = new Map();
    homes.forEach((key, a) => {
      if (!marks.has(key)) marks.set(key, this.markOf(key, a));
    });
    const edges = this.data.values.flatMap((value, v) => this.edgesOf(value, v, homes, marks));
    const { order, stuck } = inOrder(marks, edges);
    const shown = new Set([...marks.values()].flatMap((mark) => this.pathOf(mark.frame)));
    const frames = [...shown].sort((a, b) => a - b);
    for (const edge of edges) {
      edge.frame = this.shared(marks.get(edge.source).frame, marks.get(edge.target).frame);
    }
    return { homes, marks: order.map((key) => marks.get(key)), edges, frames, stuck };
  }

  markOf(key, first) {
    const at = Number(key.slice(1));
    const thing = key[0] === "a" ? this.data.atoms[at] : this.data.groups[at];
    const [fragment, length, reach] = thing.mark;
    return {
      key, first, fragment, length, reach,
      kind: thing.kind || "fold",
      frame: key[0] === "a" ? thing.group : thing.parent,
      about: thing.about,
    };
  }

  /** The edges of one value: straight to its one reader, or over a junction to several. */
  edgesOf(value, v, homes, marks) {
    const source = homes[value.atom];
    const ways = new Map();
    value.endings.forEach((ending, e) => {
      const target = homes[ending.atom];
      if (target === source) return;
      const merged = target[0] === "g";
      const key = merged ? target : e;
      const turn = this.turn(ending);
      if (!ways.has(key)) {
        const label = (merged && value.folded[target.slice(1)]) || ending;
        ways.set(key, { target, label, ending: merged ? -1 : e, turn, emphasis: ending.emphasis });
      }
      const way = ways.get(key);
      way.turn = Math.max(way.turn, turn);
      if (ending.emphasis === "strong") way.emphasis = "strong";
    });
    const several = ways.size > 1;
    const edges = [...ways.values()].map(({ target, label, ending, turn, emphasis }) => ({
      source: several ? `d${v}` : source,
      target, value: v, ending, turn, emphasis,
      above: (several ? label.short : label.above) || (several ? value.short : value.above),
      beneath: label.beneath,
      backward: label.backward,
      label,
    }));
    if (!several) return edges;
    const frame = marks.get(source).frame;
    const first = marks.get(source).first;
    const about = `${value.name} is used ${ways.size} times; the gradients that come back are added`;
    const { emphasis } = value;
    const size = { length: 8, reach: 8 };
    marks.set(`d${v}`, { key: `d${v}`, first, kind: "dot", ...size, frame, about, emphasis });
    const meeting = edges.filter((edge) => edge.backward);
    const turn = Math.max(-1, ...meeting.map((edge) => edge.turn));
    const trunk = {
      source, target: `d${v}`, value: v, ending: -1, turn, emphasis,
      above: value.above,
      beneath: value.sum,
      backward: meeting.length > 0,
      meeting: meeting.length,
      label: { rule: "", gradient: this.data.atoms[value.atom].gradient },
    };
    return [trunk, ...edges];
  }

  /** The step at which a gradient comes back over an ending; -1 if none does. */
  turn(ending) {
    if (!ending.backward) return -1;
    const atom = this.data.atoms[ending.atom];
    return atom.kind === "output" ? this.data.seed : atom.backward;
  }

  shared(a, b) {
    const other = new Set(this.pathOf(b));
    return this.pathOf(a).filter((g) => other.has(g)).pop() ?? -1;
  }

  /** Open or fold a group; false where folding it would make a cycle. */
  toggle(group) {
    const open = new Set(this.open);
    if (!open.delete(group)) open.add(group);
    if (this.view(open).stuck.length) return false;
    this.open = open;
    return true;
  }

  openAll() {
    this.open = new Set(this.data.groups.keys());
  }

  /** Fold all that can be folded. */
  foldAll() {
    const open = new Set();
    for (;;) {
      const { stuck } = this.view(open);
      if (!stuck.length) break;
      stuck.forEach((g) => open.add(g));
    }
    this.open = open;
  }

  /** Open everything that hides an atom. */
  reveal(atom) {
    const before = this.open.size;
    this.paths[atom].forEach((g) => this.open.add(g));
    return this.open.size > before;
  }
}

/** Keys of the marks, each after what it reads and otherwise as the graph was read. */
function inOrder(marks, edges) {
  const waiting = new Map([...marks.keys()].map((key) => [key, 0]));
  const readers = new Map([...marks.keys()].map((key) => [key, []]));
  for (const { source, target } of edges) {
    waiting.set(target, waiting.get(target) + 1);
    readers.get(source).push(target);
  }
  const ready = [...marks.keys()].filter((key) => !waiting.get(key));
  const later = (a, b) => marks.get(b).first - marks.get(a).first;
  ready.sort(later);
  const order = [];
  while (ready.length) {
    const key = ready.pop();
    order.push(key);
    for (const reader of readers.get(key)) {
      waiting.set(reader, waiting.get(reader) - 1);
      if (waiting.get(reader)) continue;
      let at = ready.length;
      while (at > 0 && later(ready[at - 1], reader) > 0) at -= 1;
      ready.splice(at, 0, reader);
    }
  }
  const done = new Set(order);
  const stuck = [...marks.keys()].filter((key) => !done.has(key) && key[0] === "g");
  return { order, stuck: stuck.map((key) => Number(key.slice(1))) };
}
